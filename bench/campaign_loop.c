// SPDX-License-Identifier: GPL-2.0-only
/* The boots, run one after the other or as many at once as the target allows. */
#include "bench/campaign_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/files.h"
#include "bench/journal.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "reports/sequential.h"

/* How long all running boots together are waited for before we look at everything again. */
#define POLL_MS 100u
/*
 * How often a boot is tried again. One that made no progress may have met an unlucky
 * interleaving of a healthy kernel, and is worth two more, each with another seed; a
 * panic or a death is the kernel's word, and one more asks whether it is its last.
 */
#define RETRIES_NO_PROGRESS 2u
#define RETRIES_OTHER	    1u

/* A boot under way. */
struct slot {
	struct execution *execution;
	struct campaign_boot *boot; /* NULL: the slot is free */
	void *handle;
	char *name, *log_path;
	char started[32];
};

struct execution {
	struct campaign *campaign;
	struct slot *slots;
	unsigned int n_slots;
	unsigned int rounds; /* the boots of so many are run before there is anything to look at */
	bool has_reached_runner; /* some boot of this run did: the machinery works */
	bool *is_hopeless;	 /* per variant: it cannot even boot */
};

static void format_utc(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static const char *label_of(const struct campaign *campaign, const struct campaign_boot *boot)
{
	return campaign->variants[boot->variant].label;
}

static int write_event(struct campaign *campaign, struct json_object *event)
{
	int err = journal_append(campaign->journal_fd, event);

	return err ? message_errno(err, "cannot write the journal of %s", campaign->directory) : 0;
}

static struct json_object *boot_event(const char *name, const struct campaign_boot *boot)
{
	struct json_object *event = journal_event(name);

	if (event) {
		add_number(event, "index", boot->index);
		add_number(event, "attempt", boot->attempt);
	}
	return event;
}

static size_t count_done(const struct campaign *campaign)
{
	return campaign_planned(campaign) - campaign_missing(campaign);
}

static void show_progress(void *context, unsigned long done, unsigned long total, const char *what)
{
	struct slot *slot = context;
	const struct campaign *campaign = slot->execution->campaign;
	char detail[256];

	if (total)
		snprintf(detail, sizeof(detail), "boot %u %s: %lu/%lu %s", slot->boot->index,
			 label_of(campaign, slot->boot), done, total, what);
	else
		snprintf(detail, sizeof(detail), "boot %u %s: %s", slot->boot->index,
			 label_of(campaign, slot->boot), what);
	progress_update(count_done(campaign), detail);
}

static void free_slot(struct slot *slot)
{
	free(slot->name);
	free(slot->log_path);
	if (slot->boot)
		slot->boot->running = false;
	slot->boot = NULL;
	slot->handle = NULL;
	slot->name = slot->log_path = NULL;
}

static int begin_boot(struct execution *execution, struct slot *slot, struct campaign_boot *boot)
{
	struct campaign *campaign = execution->campaign;
	struct boot_request request = {
		.variant = &campaign->variants[boot->variant],
		.plan = campaign_plan(campaign, boot),
		.seed = campaign_attempt_seed(boot->seed, boot->attempt),
		.attempt = boot->attempt,
		.watchdog_s = campaign->watchdog_s,
		.on_progress = show_progress,
		.context = slot,
	};
	int err = -ENOMEM;

	slot->boot = boot;
	boot->running = true;
	slot->name = campaign_boot_name(campaign, boot);
	if (slot->name)
		slot->log_path = format_string("%s/logs/%s.log", campaign->directory, slot->name);
	request.log_path = slot->log_path;
	format_utc(slot->started, sizeof(slot->started));
	if (slot->log_path && request.plan)
		err = write_event(campaign, boot_event("boot-begin", boot));
	if (!err)
		err = campaign->target->start(campaign, &request, &slot->handle);
	json_object_put(request.plan);
	if (err)
		free_slot(slot);
	return err;
}

/* Writes the boot's result and says in the journal that it is there. */
static int finish_boot(struct campaign *campaign, struct campaign_boot *boot, const char *name,
		       const struct boot_answer *answer, const char *started)
{
	struct json_object *result = campaign_result(campaign, boot, answer, started), *event;
	char *path = format_string("%s/%s.json", campaign->directory, name);
	int err = result && path ? write_json_atomically(path, result) : -ENOMEM;

	if (err)
		message_errno(err, "cannot write the result of boot %u to %s", boot->index,
			      campaign->directory);
	if (!err) {
		boot->done = true;
		event = boot_event("boot-end", boot);
		add_text(event, "outcome", boot_outcome_name(answer->outcome));
		json_object_object_add(event, "retry", json_object_new_boolean(0));
		add_text(event, "reason", answer->outcome == BOOT_OK ? NULL : answer->reason);
		err = write_event(campaign, event);
	}
	json_object_put(result);
	free(path);
	return err;
}

/* Keeps the log of an attempt that is to be followed by another. */
static int retry_boot(struct campaign *campaign, struct slot *slot,
		      const struct boot_answer *answer)
{
	struct campaign_boot *boot = slot->boot;
	struct json_object *event = boot_event("boot-end", boot);
	char *kept = format_string("%s/logs/%s.attempt-%u.log", campaign->directory, slot->name,
				   boot->attempt);
	int err;

	if (kept)
		rename(slot->log_path, kept);
	free(kept);
	add_text(event, "outcome", boot_outcome_name(answer->outcome));
	json_object_object_add(event, "retry", json_object_new_boolean(1));
	add_text(event, "reason", answer->reason);
	err = write_event(campaign, event);
	message_warning("boot %u (%s) %s: %s; trying again with another seed", boot->index,
			label_of(campaign, boot), boot_outcome_name(answer->outcome),
			answer->reason);
	boot->attempt++;
	return err;
}

static unsigned int retries_for(const struct execution *execution, const struct boot_answer *answer)
{
	switch (answer->outcome) {
	case BOOT_OK:
	case BOOT_STOPPED:
		return 0;
	case BOOT_NO_PROGRESS:
	case BOOT_FAILED:
		/* Where no guest ever got to work, a third wait would teach us nothing. */
		return execution->has_reached_runner ? RETRIES_NO_PROGRESS : RETRIES_OTHER;
	default:
		return RETRIES_OTHER;
	}
}

/* Whether any boot of the variant has ended well, in this run or before. */
static bool is_known_to_boot(const struct campaign *campaign, unsigned int variant)
{
	for (size_t i = 0; i < campaign->n_boots; i++)
		if (campaign->boots[i].variant == variant && campaign->boots[i].done)
			return true;
	return false;
}

static int end_boot(struct execution *execution, struct slot *slot, struct boot_answer *answer)
{
	struct campaign *campaign = execution->campaign;
	struct campaign_boot *boot = slot->boot;
	bool is_first = !is_known_to_boot(campaign, boot->variant);
	int err;

	execution->has_reached_runner |= answer->reached_runner;
	if (boot->attempt < retries_for(execution, answer)) {
		err = retry_boot(campaign, slot, answer);
	} else {
		if (answer->outcome != BOOT_OK)
			message_warning("boot %u (%s) %s: %s; its log is %s", boot->index,
					label_of(campaign, boot),
					boot_outcome_name(answer->outcome), answer->reason,
					slot->log_path);
		err = finish_boot(campaign, boot, slot->name, answer, slot->started);
		if (is_first && !answer->reached_runner)
			execution->is_hopeless[boot->variant] = true;
	}
	json_object_put(answer->result);
	json_object_put(answer->environment);
	free_slot(slot);
	progress_update(count_done(campaign), NULL);
	return err;
}

/* The boots of a variant whose first never reached the runner: said, not tried. */
static int skip_boot(struct execution *execution, struct campaign_boot *boot)
{
	struct campaign *campaign = execution->campaign;
	struct boot_answer answer = {.outcome = BOOT_FAILED};
	char *name = campaign_boot_name(campaign, boot);
	char now[32];
	int err;

	if (!name)
		return -ENOMEM;
	format_utc(now, sizeof(now));
	snprintf(answer.reason, sizeof(answer.reason),
		 "not tried: the first boot of this variant never reached the runner");
	err = finish_boot(campaign, boot, name, &answer, now);
	free(name);
	return err;
}

static int fill_slots(struct execution *execution)
{
	struct campaign *campaign = execution->campaign;
	int err = 0;

	for (size_t i = 0, slot = 0; i < campaign->n_boots && !err; i++) {
		struct campaign_boot *boot = &campaign->boots[i];

		if (boot->done || boot->running || boot->round >= execution->rounds)
			continue;
		if (execution->is_hopeless[boot->variant]) {
			err = skip_boot(execution, boot);
			continue;
		}
		while (slot < execution->n_slots && execution->slots[slot].boot)
			slot++;
		if (slot == execution->n_slots)
			break;
		err = begin_boot(execution, &execution->slots[slot], boot);
	}
	return err;
}

static unsigned int count_running(const struct execution *execution)
{
	unsigned int running = 0;

	for (unsigned int i = 0; i < execution->n_slots; i++)
		running += execution->slots[i].boot != NULL;
	return running;
}

static int poll_slots(struct execution *execution, unsigned int running)
{
	int err = 0;

	for (unsigned int i = 0; i < execution->n_slots && !err; i++) {
		struct slot *slot = &execution->slots[i];
		struct boot_answer answer;

		if (!slot->boot)
			continue;
		err = execution->campaign->target->poll(slot->handle, POLL_MS / running + 1,
							&answer);
		if (!err)
			err = end_boot(execution, slot, &answer);
		else if (err == -EAGAIN)
			err = 0;
	}
	return err;
}

static void stop_slots(struct execution *execution)
{
	for (unsigned int i = 0; i < execution->n_slots; i++) {
		struct slot *slot = &execution->slots[i];

		if (!slot->boot)
			continue;
		execution->campaign->target->stop(slot->handle);
		free_slot(slot);
	}
}

static int execute(struct execution *execution)
{
	unsigned int running;
	int err = 0;

	while (!err) {
		if (process_stop_requested())
			return -EINTR;
		err = fill_slots(execution);
		running = count_running(execution);
		if (err || !running)
			break;
		err = poll_slots(execution, running);
	}
	return err;
}

/* Whether a boot was run that only came after this look. */
static bool is_look_past(const struct campaign *campaign, size_t look)
{
	for (size_t i = 0; i < campaign->n_boots; i++)
		if (campaign->boots[i].done &&
		    campaign->boots[i].round >= campaign->sequential->looks[look].boots)
			return true;
	return false;
}

/* Runs up to each look in turn, until one finds that the boots so far are enough. */
static int execute_looks(struct execution *execution)
{
	struct campaign *campaign = execution->campaign;
	const struct sequential_plan *plan = campaign->sequential;
	int err = 0;

	for (size_t look = 0; look < plan->n_looks && !err && !campaign->conclusive_boots; look++) {
		if (is_look_past(campaign, look))
			continue;
		execution->rounds = plan->looks[look].boots;
		progress_set_total(execution->rounds * campaign->n_variants);
		err = execute(execution);
		if (!err) {
			progress_clear();
			err = campaign_take_look(campaign, look);
		}
	}
	return err;
}

static int execute_all(struct execution *execution)
{
	struct campaign *campaign = execution->campaign;

	if (campaign->sequential && !campaign->conclusive_boots)
		return execute_looks(execution);
	execution->rounds = campaign->sequential ? campaign->conclusive_boots : UINT_MAX;
	return execute(execution);
}

static int run_slots(struct campaign *campaign)
{
	struct execution execution = {.campaign = campaign};
	int err = -ENOMEM;

	execution.n_slots = campaign->target->parallel_boots(campaign);
	execution.slots = calloc(execution.n_slots, sizeof(*execution.slots));
	execution.is_hopeless = calloc(campaign->n_variants, sizeof(*execution.is_hopeless));
	if (!execution.slots || !execution.is_hopeless)
		goto out_free;
	for (unsigned int i = 0; i < execution.n_slots; i++)
		execution.slots[i].execution = &execution;
	progress_begin("booting and measuring", campaign_planned(campaign));
	err = execute_all(&execution);
	stop_slots(&execution);
	progress_end(err ? "stopped" : NULL);
	/* The journal may be what failed: then the error is told already. */
	journal_append(campaign->journal_fd, journal_event(err ? "campaign-stop" : "campaign-end"));
out_free:
	free(execution.slots);
	free(execution.is_hopeless);
	return err;
}

int campaign_run(struct campaign *campaign)
{
	int err;

	if (!campaign_missing(campaign))
		return 0;
	if (campaign->target->open) {
		err = campaign->target->open(campaign);
		if (err)
			return err;
	}
	err = run_slots(campaign);
	if (campaign->target->close)
		campaign->target->close(campaign);
	return err;
}
