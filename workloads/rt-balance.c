// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "measure/clock.h"
#include "measure/random.h"
#include "measure/sched_trace.h"
#include "workloads/football.h"
#include "workloads/lineup.h"
#include "workloads/match.h"

/*
 * Of N CPUs and more than N runnable real-time tasks, do the highest N run? Some of the tasks share
 * a kernel mutex, so that with proxy execution they lend. doc/workloads/rt-balance.md has the
 * method.
 */
#define PAGE "doc/workloads/rt-balance.md"

/* Events of one round and one CPU; the metronome of virtual time alone makes some 4 MB a second. */
#define TRACE_KIB 4096

/* Between the players' start and the first turn, and after a round: they only have to fall asleep,
 * and fair tasks get the CPUs, before anybody looks after their starving. */
#define LEAD_NS UINT64_C(5000000)

/* What the players had begun when time was up is over long before, whoever had to wait. */
#define LIMIT_NS UINT64_C(20000000000)

/* Less than this share of the time with all CPUs wanted shows nothing of the balance. */
#define COVERED_LEAST 0.5

/* SCHED_RR's time slice meanwhile: the kernel's own 100 ms are longer than any turn. */
#define SLICE_MS   2
#define SLICE_TEXT "2"

static const char *const classes[] = {"fifo", "rr", "deadline", NULL};
static const char *const on_off[] = {"on", "off", NULL};
static const char *const spans[] = {"placement", "online", NULL};

static const struct parameter_spec parameters[] = {
	{.name = "class",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "fifo",
	 .choices = classes,
	 .help = "of all players: SCHED_FIFO of different priorities, SCHED_RR with two of each, or SCHED_DEADLINE"},
	{.name = "locks",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "on",
	 .choices = on_off,
	 .help = "some strong players share f_pos_lock with a weak one each"},
	{.name = "cpus",
	 .unit = "cpus",
	 .kind = PARAMETER_NUMBER,
	 .standard = "4",
	 .min = 2,
	 .max = 512,
	 .help = "N: the CPUs that they play on, at most; two stay free for the rest"},
	{.name = "extra",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "4",
	 .min = 1,
	 .max = 512,
	 .help = "players beyond N"},
	{.name = "span",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "placement",
	 .choices = spans,
	 .help = "where the CPUs are: as near to each other as the placement says, or any online one, also one that isolcpus= took out"},
	{.name = "section_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "4000",
	 .min = 500,
	 .max = 1000000,
	 .help = "CPU time of an owner's critical section"},
	{.name = "turn_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "6000",
	 .min = 100,
	 .max = 1000000,
	 .help = "CPU time of a player's turn, in the mean; from a third of it to five thirds"},
	{.name = "threshold_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "2000",
	 .min = 1,
	 .max = 1000000,
	 .help = "so long may switching over take; one of the highest N that waits longer is a violation"},
	{.name = "rounds",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "5",
	 .min = 1,
	 .max = 100000,
	 .is_effort = true,
	 .help = "how often they play, with a pause after each"},
	{.name = "round_ms",
	 .unit = "ms",
	 .kind = PARAMETER_NUMBER,
	 .standard = "200",
	 .min = 10,
	 .max = 500,
	 .is_effort = true,
	 .help = "length of a round; fair tasks starve meanwhile"},
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "violations",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_PRIMARY,
	 .help = "how often one of the highest N players that could run waited for longer than threshold_us, in its own right; exposure: wakeups of players",
	 .source = PAGE
	 "; push_rt_task(), pull_rt_task() in kernel/sched/rt.c, push_dl_task() in deadline.c"},
	{.name = "slice_overruns",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_SECONDARY,
	 .help = "how often a SCHED_RR player went on for threshold_us longer than its time slice while an equal one waited on its CPU; exposure: how often an equal one waited",
	 .source = PAGE "; task_tick_rt() in kernel/sched/rt.c"},
	{.name = "wait_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "how long, each time, one of the highest N waited in its own right while a CPU ran something weaker",
	 .source = PAGE},
	{.name = "wait_ns_per_s",
	 .unit = "ns/s",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "all of these waits, per second of play",
	 .source = PAGE},
	{.name = "idle_wait_ns_per_s",
	 .unit = "ns/s",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "of that, while one of the N CPUs was idle",
	 .source = PAGE},
	{.name = "inversion_ns_per_s",
	 .unit = "ns/s",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "how long, per second of play, lock owners waited while a CPU ran something weaker than the player that they kept waiting",
	 .source = PAGE},
	{.name = "long_inversions",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "how often such a wait was longer than threshold_us",
	 .source = PAGE},
	{.name = "longest_inversion_ns",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "the longest of them",
	 .source = PAGE},
	{.name = "lent_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "of the time in which an owner belonged to the highest N for its waiter's sake alone, the share in which it ran",
	 .source = PAGE},
	{.name = "covered_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "share of the time in which at least N players could run",
	 .source = PAGE},
	{.name = NULL},
};

struct rt_balance {
	struct lineup lineup;
	struct lock *locks;
	unsigned int n_locks;
	struct match *match;
	struct sched_trace *trace;
	struct football_rules rules;
	struct football_player *players;
	struct football *football;
	uint64_t until_ns; /* of the round: later events are not of it */
	uint64_t lost;
};

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_rt_balance, run, name);
}

static bool is_chosen(const struct workload_run *run, const char *name, const char *value)
{
	return !strcmp(workload_choice(&workload_rt_balance, run, name), value);
}

static int choose_cpus(struct workload_run *run, struct lineup *lineup)
{
	int err = lineup_choose_cpus(lineup, run->topology, run->placement,
				     is_chosen(run, "span", "online"), run->virtual_time,
				     (unsigned int)number(run, "cpus"));

	if (!err && lineup->n_cpus >= 2)
		return task_pin(lineup->conductor_cpu);
	if (err && err != -ENODEV)
		return err;
	result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
			   "%s has fewer than two CPUs to play on besides the one%s for the rest",
			   run->placement->name, run->virtual_time ? " or two" : "");
	return -EOPNOTSUPP;
}

/* On the first of the CPUs, in a thread that has the affinity for it; the caller keeps its own. */
static int make_locks(struct workload_run *run, struct rt_balance *state)
{
	state->locks =
		calloc(state->lineup.n_pairs ? state->lineup.n_pairs : 1, sizeof(*state->locks));
	if (!state->locks)
		return -ENOMEM;
	for (unsigned int i = 0; i < state->lineup.n_pairs; i++) {
		struct lock *lock = &state->locks[i];
		int err;

		lock->ops = &lock_f_pos;
		lock->section_ns = number(run, "section_us") * 1000;
		err = lineup_make_lock(lock, state->lineup.cpus[0]);
		state->n_locks++;
		if (!err)
			continue;
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "cannot make a section of %llu us on CPU %d: %s",
				   (unsigned long long)number(run, "section_us"),
				   state->lineup.cpus[0],
				   err == -EAGAIN ? "the machine is too busy with something else"
						  : strerror(-err));
		return err;
	}
	return 0;
}

static int open_trace(struct workload_run *run, struct rt_balance *state)
{
	static const char *const events[] = {"sched_switch", "sched_waking", "sched_wakeup",
					     "sched_migrate_task", NULL};
	const char *reason = NULL;
	int err = sched_trace_open(&state->trace, run->trace, events, TRACE_KIB, &reason);

	if (err)
		result_set_outcome(run->result,
				   err == -EOPNOTSUPP ? OUTCOME_UNSUPPORTED : OUTCOME_FAILED, "%s",
				   reason ? reason : strerror(-err));
	return err;
}

static int start_players(struct workload_run *run, struct rt_balance *state)
{
	struct lineup *lineup = &state->lineup;
	cpu_set_t cpus;
	int err;

	CPU_ZERO(&cpus);
	for (unsigned int i = 0; i < lineup->n_cpus; i++)
		CPU_SET(lineup->cpus[i], &cpus);
	err = match_start(&state->match, lineup->players, lineup->n_players, &cpus);
	if (err)
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "cannot make %u players of class %s on %u CPUs: %s",
				   lineup->n_players,
				   workload_choice(&workload_rt_balance, run, "class"),
				   lineup->n_cpus, strerror(-err));
	return err;
}

static int make_referee(struct workload_run *run, struct rt_balance *state)
{
	struct lineup *lineup = &state->lineup;

	state->players = calloc(lineup->n_players, sizeof(*state->players));
	if (!state->players)
		return -ENOMEM;
	lineup_introduce(lineup, state->match, state->players);
	state->rules = (struct football_rules){
		.players = state->players,
		.n_players = lineup->n_players,
		.cpus = lineup->cpus,
		.n_cpus = lineup->n_cpus,
		.is_lending = run->proxy_exec == PROXY_EXEC_ON ||
			      (run->proxy_exec == PROXY_EXEC_UNKNOWN &&
			       run->proxy_exec_request == PROXY_EXEC_ASKED_ON),
		.slice_ns = is_chosen(run, "class", "rr") ? SLICE_MS * UINT64_C(1000000) : 0,
		.threshold_ns = number(run, "threshold_us") * 1000,
		.draw_ns = 100000,
		.waits = result_histogram(run->result, "wait_ns"),
	};
	state->football = football_new(&state->rules);
	return state->football ? 0 : -ENOMEM;
}

static int setup(struct workload_run *run)
{
	struct rt_balance *state = calloc(1, sizeof(*state));
	struct lineup_wish wish = {
		.policy = is_chosen(run, "class", "fifo") ? SCHED_FIFO
			  : is_chosen(run, "class", "rr") ? SCHED_RR
							  : LINEUP_DEADLINE,
		.extra = (unsigned int)number(run, "extra"),
		.has_locks = is_chosen(run, "locks", "on"),
		.turn_ns = number(run, "turn_us") * 1000,
		.section_ns = number(run, "section_us") * 1000,
		.seed = run->seed,
	};
	int err;

	if (!state)
		return -ENOMEM;
	run->state = state;
	err = choose_cpus(run, &state->lineup);
	if (!err)
		err = open_trace(run, state);
	if (!err)
		err = lineup_make(&state->lineup, &wish);
	if (!err)
		err = make_locks(run, state);
	if (!err)
		lineup_share_locks(&state->lineup, state->locks);
	if (!err)
		err = start_players(run, state);
	if (!err)
		err = make_referee(run, state);
	if (!err && mlockall(MCL_CURRENT))
		err = -errno;
	return err;
}

static int take_event(void *context, const struct sched_trace_record *record)
{
	struct rt_balance *state = context;

	if (record->at_ns < state->until_ns)
		football_take(state->football, record);
	return 0;
}

static int play_round(struct workload_run *run, struct rt_balance *state)
{
	uint64_t from_ns, lost = 0;
	int err, stop_err;

	err = sched_trace_start(state->trace);
	if (err)
		return err;
	from_ns = clock_now_ns() + LEAD_NS;
	state->until_ns = from_ns + number(run, "round_ms") * 1000000;
	err = match_play(state->match, from_ns, state->until_ns, LIMIT_NS);
	stop_err = sched_trace_stop(state->trace);
	if (err == -ETIMEDOUT)
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "not all players had finished their last turn %llu s after the "
				   "round's end",
				   (unsigned long long)(LIMIT_NS / NS_PER_S));
	if (err || stop_err)
		return err ? err : stop_err;
	football_begin(state->football, from_ns);
	err = sched_trace_read(state->trace, take_event, state, &lost);
	football_end(state->football, state->until_ns);
	state->lost += lost;
	return err;
}

static void judge(struct workload_run *run, const char *name, bool held, uint64_t observed,
		  uint64_t expected, const char *text)
{
	result_add_evidence(run->result, name, held, observed, expected, text);
	if (held)
		return;
	for (size_t i = 0; metrics[i].name; i++)
		result_break_metric(run->result, metrics[i].name, text);
	if (result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s", text);
}

static void judge_play(struct workload_run *run, const struct rt_balance *state)
{
	const struct football_score *score = football_score(state->football);
	const struct lineup *lineup = &state->lineup;
	uint64_t covered_permille = score->covered_ns * 1000 / score->played_ns;
	char text[256];

	snprintf(text, sizeof(text), "The kernel had no room for %llu events of the trace",
		 (unsigned long long)state->lost);
	judge(run, "trace_whole", !state->lost, state->lost, 0, text);
	snprintf(text, sizeof(text),
		 "At least %u of %u players could run in %.1f %% of the time, and it takes %.0f %%",
		 lineup->n_cpus, lineup->n_players, (double)covered_permille / 10,
		 COVERED_LEAST * 100);
	judge(run, "cpus_wanted", (double)covered_permille >= COVERED_LEAST * 1000,
	      covered_permille, (uint64_t)(COVERED_LEAST * 1000), text);
	snprintf(text, sizeof(text),
		 "In %llu of %llu switches to a player it had its own rank, which is one of %llu",
		 (unsigned long long)(score->switches - score->misranked),
		 (unsigned long long)score->switches, (unsigned long long)score->ranks);
	judge(run, "ranks_differ", !score->misranked && score->ranks >= lineup->n_ranks,
	      score->switches - score->misranked, score->switches, text);
	snprintf(text, sizeof(text),
		 "%llu wakeups of %u players were seen, and it takes ten of each",
		 (unsigned long long)score->turns, lineup->n_players);
	judge(run, "players_woke", score->turns >= 10 * lineup->n_players, score->turns,
	      10 * lineup->n_players, text);
}

/*
 * Owners that ran for their waiter's sake alone: with proxy execution many of them did. Without,
 * nobody does, or somebody stronger waits meanwhile, and that is a violation.
 */
static void judge_lending(struct workload_run *run, const struct rt_balance *state)
{
	const struct football_score *score = football_score(state->football);
	char text[256];

	snprintf(text, sizeof(text),
		 "The kernel says that proxy execution is %s; in %llu of %llu spells in which an "
		 "owner had to run for its waiter's sake alone it ran for half of the time or more",
		 proxy_exec_state_name(run->proxy_exec), (unsigned long long)score->lent_spells,
		 (unsigned long long)score->spells);
	judge(run, "proxying",
	      score->spells &&
		      (state->rules.is_lending
			       ? score->lent_spells * 4 >= score->spells
			       : score->lent_spells * 10 <= score->spells || score->violations),
	      score->lent_spells, state->rules.is_lending ? score->spells : 0, text);
}

/* Who waited the longest, and how things stood then: where to begin when it was too long. */
static void describe_longest(struct workload_run *run, const struct football_scene *longest)
{
	char text[224], place[64] = "";

	if (!longest->took_ns)
		return;
	if (longest->runner >= 0)
		snprintf(place, sizeof(place), "player %d of priority %d executed%s",
			 longest->runner, longest->runner_prio,
			 longest->is_runner_helped ? ", by its waiter's rank" : "");
	snprintf(text, sizeof(text),
		 "player %d waited %llu us on CPU %d, where %s; the weakest, of priority %d, "
		 "executed on CPU %d",
		 longest->player, (unsigned long long)longest->took_ns / 1000, longest->cpu,
		 *place ? place : "no player executed", longest->weak_prio, longest->weak_cpu);
	result_add_text_fact(run->result, "longest_wait", text);
}

static void conclude(struct workload_run *run, const struct rt_balance *state)
{
	const struct football_score *score = football_score(state->football);
	double played_s = (double)score->played_ns / NS_PER_S;
	struct result *result = run->result;

	result_set_invariant(result, "violations", score->violations, score->turns);
	result_set_invariant(result, "slice_overruns", score->overruns, score->stints);
	result_set_scalar(result, "wait_ns_per_s", (double)score->wait_ns / played_s);
	result_set_scalar(result, "idle_wait_ns_per_s", (double)score->idle_ns / played_s);
	result_set_scalar(result, "inversion_ns_per_s", (double)score->inversion_ns / played_s);
	result_set_counter(result, "long_inversions", score->long_inversions);
	result_set_scalar(result, "longest_inversion_ns", (double)score->longest_inversion_ns);
	result_set_scalar(result, "lent_share",
			  score->needed_ns ? (double)score->lent_ns / (double)score->needed_ns : 0);
	result_set_scalar(result, "covered_share",
			  (double)score->covered_ns / (double)score->played_ns);
	describe_longest(run, &score->longest);
	result_add_fact(result, "cpus", state->lineup.n_cpus);
	result_add_fact(result, "players", state->lineup.n_players);
	result_add_fact(result, "locks", state->lineup.n_pairs);
	judge_play(run, state);
	if (state->lineup.n_pairs)
		judge_lending(run, state);
}

static int measure(struct workload_run *run)
{
	struct rt_balance *state = run->state;
	unsigned int rounds = (unsigned int)number(run, "rounds");

	for (unsigned int i = 0; i < rounds; i++) {
		int err;

		if (*run->stop)
			return -EINTR;
		err = play_round(run, state);
		if (err)
			return err;
		run->progress(run->progress_context, i + 1, rounds);
	}
	conclude(run, state);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	struct rt_balance *state = run->state;

	if (!state)
		return;
	/* After a failure players may be in the kernel still: they end with the process. */
	if (result_outcome(run->result) != OUTCOME_FAILED)
		match_stop(state->match);
	sched_trace_close(state->trace);
	football_free(state->football);
	for (unsigned int i = 0; i < state->n_locks; i++)
		state->locks[i].ops->release(&state->locks[i]);
	free(state->locks);
	free(state->players);
	lineup_release(&state->lineup);
	free(state);
}

static const char *const kernel_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE", NULL};
/* No throttling of real-time tasks, and SCHED_DEADLINE players on some of the CPUs are admitted. */
static const char *const no_throttling[] = {"/proc/sys/kernel/sched_rt_runtime_us", "-1", NULL};

static const char *const *knobs(const struct workload_run *run)
{
	static const char *const short_slices[] = {"/proc/sys/kernel/sched_rr_timeslice_ms",
						   SLICE_TEXT, NULL};

	return is_chosen(run, "class", "rr") ? short_slices : NULL;
}

const struct workload workload_rt_balance = {
	.name = "rt-balance",
	.summary = "whether the highest N of the real-time tasks that can run do run on N CPUs",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 3,
		  .kernel_options = kernel_options,
		  .knobs = no_throttling,
		  .trace = true},
	.placements = ((1u << PLACEMENT_KINDS) - 1) & ~(1u << PLACEMENT_SAME_CPU),
	.knobs = knobs,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
