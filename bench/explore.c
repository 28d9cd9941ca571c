// SPDX-License-Identifier: GPL-2.0-only
/* The search over seeds. */
#include "bench/explore.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/explore_shrink.h"
#include "bench/journal.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "measure/clock.h"

/* A race is met on one way and missed on the next: so many ways for each smaller plan. */
#define SHRINK_TRAJECTORIES 3u
/* So many guests without one that worked, and the search is not worth going on with. */
#define HOPELESS 4u

static const char *const end_words[] = {"clean", "found", "broken", "no-progress"};

bool explore_is_complete(const struct explore *explore)
{
	return explore->n_done == explore->order.seeds ||
	       (explore->order.until_found && explore->n_finds > explore->n_known);
}

int explore_write_summary(const struct explore *explore)
{
	char *path = format_string("%s/summary.json", explore->directory);
	struct json_object *summary = explore_summary(explore);
	int err = path && summary ? write_json_atomically(path, summary) : -ENOMEM;

	if (err)
		message_errno(err, "cannot write %s", path ? path : "the summary");
	json_object_put(summary);
	free(path);
	return err;
}

/* ---- the journal ------------------------------------------------------------------------------
 */

static int append(struct explore *explore, struct json_object *event)
{
	int err = journal_append(explore->journal_fd, event);

	return err ? message_errno(err, "cannot write the journal of %s", explore->directory) : 0;
}

static int journal_seed(struct explore *explore, const struct trial *trial, const struct find *find)
{
	struct json_object *event = journal_event("seed");

	if (!event)
		return append(explore, event);
	json_object_object_add(event, "seed", json_object_new_uint64(trial->plan.seed));
	json_object_object_add(event, "end", json_object_new_string(end_words[trial->end]));
	json_object_object_add(event, "find", find ? json_object_new_int((int)find->number) : NULL);
	json_object_object_add(event, "reason",
			       trial_is_void(trial) ? json_object_new_string(trial->reason) : NULL);
	json_object_object_add(event, "operations", json_object_new_uint64(trial->operations));
	return append(explore, event);
}

static int journal_shrunk(struct explore *explore, const struct find *find, unsigned int runs)
{
	struct json_object *event = journal_event("shrunk");

	if (event) {
		json_object_object_add(event, "find", json_object_new_int((int)find->number));
		json_object_object_add(event, "runs", json_object_new_int((int)runs));
	}
	return append(explore, event);
}

/* ---- shrinking ----------------------------------------------------------------------------------
 */

/* One batch of plans, and the find whose signature is looked for. */
struct attempt {
	struct explore *explore;
	const struct find *find;
	const struct stress_plan *plans;
	size_t n_plans, next;
	int shown;	   /* the first of them that shows it; -1: none */
	struct trial best; /* of the last batch that had one */
};

static bool next_attempt(void *context, struct trial *trial)
{
	struct attempt *attempt = context;

	if (attempt->next == attempt->n_plans)
		return false;
	trial->number = attempt->next;
	trial->plan = attempt->plans[attempt->next++];
	trial->wanted = &attempt->find->signature;
	return true;
}

/* Takes the trial's log over: what was kept before goes. */
static void keep_trial(struct trial *kept, struct trial *trial)
{
	free(kept->log);
	*kept = *trial;
	kept->log_path = NULL;
	trial->log = NULL;
}

static int end_attempt(void *context, struct trial *trial)
{
	struct attempt *attempt = context;

	attempt->explore->n_operations += trial->operations;
	if (trial->end != TRIAL_FOUND ||
	    !signature_is_same(&trial->signature, &attempt->find->signature) ||
	    (attempt->shown >= 0 && attempt->shown < (int)trial->number))
		return 0;
	attempt->shown = (int)trial->number;
	keep_trial(&attempt->best, trial);
	return 0;
}

static int try_plans(void *context, const struct stress_plan *plans, size_t n_plans,
		     unsigned int *rounds)
{
	struct attempt *attempt = context;
	const struct explore_source source = {
		.next = next_attempt, .done = end_attempt, .context = attempt};
	char detail[128];
	int err;

	attempt->plans = plans;
	attempt->n_plans = n_plans;
	attempt->next = 0;
	attempt->shown = SHRINK_NONE;
	snprintf(detail, sizeof(detail), "shrinking find %u: %zu actors, %u rounds",
		 attempt->find->number, plans[0].n_actors, plans[0].rounds);
	progress_update(attempt->explore->n_done, detail);
	err = explore_guests_run(&attempt->explore->guests, &source);
	if (err)
		return SHRINK_FAILED(err);
	if (attempt->shown >= 0)
		*rounds = attempt->best.rounds;
	return attempt->shown;
}

int explore_shrink(struct explore *explore, struct find *find)
{
	struct attempt attempt = {.explore = explore, .find = find};
	struct shrink shrink = {.try_plans = try_plans,
				.context = &attempt,
				.trajectories = SHRINK_TRAJECTORIES,
				.width = explore->guests.jobs,
				.runs_left = (unsigned int)explore->order.shrink_runs};
	struct stress_plan plan = find->plan;
	int err = shrink_plan(&shrink, &plan, find->rounds);

	/* What a stop cut short is kept as far as it came. */
	if (attempt.best.log && (!err || err == -EINTR)) {
		find->plan = attempt.best.plan;
		find->rounds = attempt.best.rounds;
		find->signature = attempt.best.signature;
		find->is_shrunk = true;
		if (find_write(explore, find, &attempt.best))
			err = -EIO;
	}
	if (!err) {
		find->is_shrunk = true;
		err = journal_shrunk(explore, find,
				     (unsigned int)explore->order.shrink_runs - shrink.runs_left);
	}
	trial_release(&attempt.best);
	return err;
}

/* ---- searching ----------------------------------------------------------------------------------
 */

struct search {
	struct explore *explore;
	bool has_new; /* a find that is to be made small first */
	uint64_t begin_ns;
	double before_s; /* searched before that */
};

static bool next_seed(void *context, struct trial *trial)
{
	struct search *search = context;
	struct explore *explore = search->explore;

	while (explore->next < explore->order.seeds && explore->is_done[explore->next])
		explore->next++;
	if (explore->next == explore->order.seeds || search->has_new ||
	    (explore->order.until_found && explore->n_finds > explore->n_known))
		return false;
	stress_plan_draw(&trial->plan, explore->order.first_seed + explore->next,
			 explore->order.duration_ns, &explore->order.choice);
	if (explore->order.max_rounds && trial->plan.rounds > explore->order.max_rounds)
		trial->plan.rounds = (unsigned int)explore->order.max_rounds;
	explore->next++;
	return true;
}

static struct find *find_known(struct explore *explore, const struct signature *signature)
{
	for (size_t i = 0; i < explore->n_finds; i++)
		if (signature_is_same(&explore->finds[i].signature, signature))
			return &explore->finds[i];
	return NULL;
}

static struct find *add_find(struct explore *explore, const struct find *find)
{
	struct find *grown =
		realloc(explore->finds, (explore->n_finds + 1) * sizeof(*explore->finds));

	if (!grown)
		return NULL;
	explore->finds = grown;
	grown[explore->n_finds] = *find;
	return &grown[explore->n_finds++];
}

static int take_new_find(struct search *search, struct trial *trial, struct find **out)
{
	struct explore *explore = search->explore;
	struct find find = {.number = (unsigned int)explore->n_finds + 1,
			    .seed = trial->plan.seed,
			    .signature = trial->signature,
			    .is_known = trial->is_known,
			    .plan = trial->plan,
			    .rounds = trial->rounds,
			    .first_actors = trial->plan.n_actors,
			    .first_rounds = trial->rounds,
			    .first_at_ns = trial->signature.at_ns};
	int err = find_write(explore, &find, trial);

	if (err)
		return err;
	*out = add_find(explore, &find);
	explore->n_known += find.is_known;
	search->has_new |= explore->order.shrink_runs && !find.is_known;
	message_note("seed %" PRIu64 " %s: %s: %s", trial->plan.seed,
		     find.is_known ? "shows what the base is known for" : "found",
		     find.signature.kind, find.signature.text);
	return *out ? 0 : -ENOMEM;
}

static void show_rate(struct search *search)
{
	struct explore *explore = search->explore;
	size_t n_new = explore->n_finds - explore->n_known;
	char detail[128];

	explore->now_s =
		search->before_s + (double)(clock_now_ns() - search->begin_ns) / (double)NS_PER_S;
	snprintf(detail, sizeof(detail), "%.1f seeds/min, %zu find%s",
		 60 * (double)explore->n_now / explore->now_s, n_new, n_new == 1 ? "" : "s");
	progress_update(explore->n_done, detail);
}

/* A guest that never got to work says nothing of the kernel; many of them, that nothing works. */
static int take_void(struct explore *explore, const struct trial *trial)
{
	explore->n_broken++;
	explore->n_no_progress += trial->end == TRIAL_NO_PROGRESS;
	message_warning("seed %" PRIu64 " says nothing%s: %s", trial->plan.seed,
			trial->end == TRIAL_NO_PROGRESS ? " (no progress)" : "", trial->reason);
	if (explore->n_broken < HOPELESS || explore->n_now)
		return 0;
	message_error("no guest gets to work: the last one said '%s'", trial->reason);
	return -EIO;
}

/* A find keeps the first console that shows it; this is all of them, with what else they say. */
static int keep_log(const struct explore *explore, const struct trial *trial)
{
	char *folder = format_string("%s/" EXPLORE_LOGS_NAME, explore->directory);
	char *path = folder ? format_string("%s/%" PRIu64 ".txt", folder, trial->plan.seed) : NULL;
	int err = path ? make_directories(folder) : -ENOMEM;

	if (!err)
		err = write_file_atomically(path, trial->log, strlen(trial->log));
	if (err)
		message_errno(err, "cannot keep the console %s", path ? path : "");
	free(path);
	free(folder);
	return err;
}

static int end_seed(void *context, struct trial *trial)
{
	struct search *search = context;
	struct explore *explore = search->explore;
	struct find *find = NULL;
	int err = 0;

	explore->n_operations += trial->operations;
	if (trial->end == TRIAL_FOUND) {
		find = find_known(explore, &trial->signature);
		if (!find)
			err = take_new_find(search, trial, &find);
		if (!err) {
			find->n_seeds++;
			explore->n_found += !find->is_known;
		}
	}
	if (!err && explore->keeps_logs)
		err = keep_log(explore, trial);
	if (!err)
		err = journal_seed(explore, trial, find);
	if (!err && trial_is_void(trial))
		return take_void(explore, trial);
	if (!err) {
		explore->is_done[trial->plan.seed - explore->order.first_seed] = 1;
		explore->n_done++;
		explore->n_now++;
		show_rate(search);
	}
	return err;
}

static int shrink_finds(struct explore *explore)
{
	int err = 0;

	for (size_t i = 0; i < explore->n_finds && !err && explore->order.shrink_runs; i++)
		if (!explore->finds[i].is_shrunk && !explore->finds[i].is_known)
			err = explore_shrink(explore, &explore->finds[i]);
	return err;
}

static int search_all(struct explore *explore)
{
	struct search search = {.explore = explore};
	const struct explore_source source = {
		.next = next_seed, .done = end_seed, .context = &search};
	int err = shrink_finds(explore);

	do {
		search.has_new = false;
		search.begin_ns = clock_now_ns();
		search.before_s = explore->now_s;
		if (!err)
			err = explore_guests_run(&explore->guests, &source);
		if (!err)
			err = shrink_finds(explore);
	} while (!err && search.has_new);
	return err;
}

int explore_run(struct explore *explore, unsigned int jobs)
{
	int err = explore_guests_open(&explore->guests, &explore->order, explore->directory, NULL,
				      jobs);

	if (!err) {
		progress_begin("exploring", explore->order.until_found ? 0 : explore->order.seeds);
		err = search_all(explore);
		progress_end(err == -EINTR ? "stopped" : err ? "broken off" : NULL);
	}
	explore_guests_close(&explore->guests);
	if (explore_write_summary(explore) && !err)
		err = -EIO;
	return err;
}
