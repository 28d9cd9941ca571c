// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/health.h"
#include "measure/sched_attr.h"
#include "workloads/judge.h"
#include "workloads/lab.h"
#include "workloads/torture_calls.h"
#include "workloads/torture_crew.h"
#include "workloads/torture_kills.h"
#include "workloads/torture_unload.h"

/*
 * Random programs in the lock laboratory under signals, kills, timeouts and wakeups for nothing:
 * does every lock exclude, is each free in the end, and is what is wrong refused?
 * doc/workloads/lock-torture.md has the method.
 */
#define PAGE "doc/workloads/lock-torture.md"

/* Above every worker (torture_crew.h). */
#define CONDUCTOR_PRIORITY 60
#define EVENTS		   4
#define MOST_NUMBERS	   16

/* clang-format off */
#define NUMBER(n, unit_, standard_, min_, max_, effort, help_) \
	{.name = n, .unit = unit_, .kind = PARAMETER_NUMBER, .standard = standard_, \
	 .min = min_, .max = max_, .is_effort = effort, .help = help_}

static const struct parameter_spec parameters[] = {
	NUMBER("workers", "count", "8", 2, TORTURE_MAX_WORKERS, false,
	       "tasks that run drawn programs"),
	NUMBER("mutexes", "count", "6", 2, MOST_NUMBERS, false, "mutexes that they fight for"),
	NUMBER("ww_mutexes", "count", "4", 2, MOST_NUMBERS, false,
	       "ww_mutexes of each class that they fight for"),
	NUMBER("longest_us", "us", "300", 1, 10000, false,
	       "the most that one operation computes, sleeps or waits"),
	NUMBER("round_us", "us", "10000", 1000, 1000000, false,
	       "how long programs are begun before all have to come to an end"),
	NUMBER("rounds", "count", "50", 1, 1000000, true, "after each everything must be free"),
	NUMBER("draws", "count", "20", 1, 100000, true, "programs with each kind of mistake"),
	NUMBER("unloads", "count", "10", 0, 10000, true,
	       "how often the module is taken away under a task that comes and goes"),
	NUMBER("limit_ms", "ms", "5000", 10, 60000, true,
	       "a task that has not come back after this is stranded"),
	{.name = NULL},
};

#define INVARIANT(n, role_, help_) \
	{.name = n, .unit = "count", .kind = METRIC_INVARIANT, .direction = MUST_BE_ZERO, \
	 .role = role_, .help = help_, .source = PAGE}
#define COUNTER(n, help_) \
	{.name = n, .unit = "count", .kind = METRIC_COUNTER, .direction = NO_DIRECTION, \
	 .role = ROLE_INFORMATIVE, .help = help_, .source = PAGE}

static const struct metric_spec metrics[] = {
	INVARIANT("overlaps", ROLE_PRIMARY,
		  "times that a lock was had while another task was sure to hold it"),
	INVARIANT("left_locked", ROLE_PRIMARY,
		  "locks that were not free when nobody was in a program any more"),
	INVARIANT("stranded", ROLE_SECONDARY, "tasks that did not come back, or did not die"),
	INVARIANT("wrong_answers", ROLE_SECONDARY,
		  "calls and programs that were refused, accepted or ended otherwise than they must"),
	INVARIANT("wrong_kills", ROLE_SECONDARY,
		  "staged kills after which the task did not die when and where it must"),
	INVARIANT("wrong_unloads", ROLE_SECONDARY,
		  "times that the module went while it was in use, or stayed when it was not"),
	INVARIANT("uninterruptible_leak", ROLE_SECONDARY,
		  "by how much the sum of nr_uninterruptible, and with it the load average, is off in the end"),
	COUNTER("programs", "drawn programs"),
	COUNTER("completed", "that were run to their end"),
	COUNTER("contended", "operations that locked and slept for it"),
	COUNTER("refused", "that had a mistake, and were refused"),
	COUNTER("timeouts", "programs that ended with a limit or a wait for an event that ran out"),
	COUNTER("interruptions", "programs that ended by a signal"),
	COUNTER("backoffs", "times that a task let go all its ww_mutexes for another"),
	COUNTER("kills", "workers that were killed"),
	COUNTER("kills_inside", "that were in a program then"),
	{.name = NULL},
};
/* clang-format on */

struct lock_torture {
	struct lab_session session;
	struct torture_crew crew;
	int cpus[TORTURE_MAX_CPUS];
	struct torture_call_findings calls;
	struct torture_kill_findings kills;
	struct torture_unload_findings unloads;
	long long uninterruptible;
	bool has_uninterruptible;
};

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_lock_torture, run, name);
}

/* All that this process may use, but for the conductor's. */
static uint32_t choose_cpus(const struct workload_run *run, int cpus[TORTURE_MAX_CPUS])
{
	cpu_set_t allowed;
	uint32_t n = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return 0;
	for (int cpu = 0; cpu < CPU_SETSIZE && n < TORTURE_MAX_CPUS; cpu++)
		if (CPU_ISSET(cpu, &allowed) && cpu != run->placement->observer_cpu)
			cpus[n++] = cpu;
	return n;
}

static int setup(struct workload_run *run)
{
	struct lock_torture *state = calloc(1, sizeof(*state));
	char reason[256] = "";
	int err;

	if (!state)
		return -ENOMEM;
	run->state = state;
	state->session.fd = -1;
	if (run->placement->observer_cpu < 0)
		return refuse_section(run, "lock-torture needs a CPU beside the workers' to "
					   "conduct from");
	err = lab_session_open(&state->session, reason, sizeof(reason));
	if (err == -EOPNOTSUPP)
		return refuse_section(run, "%s", reason);
	if (err)
		return err;
	state->crew = (struct torture_crew){
		.session = &state->session,
		.field = {.mutexes = (uint32_t)number(run, "mutexes"),
			  .ww_mutexes = (uint32_t)number(run, "ww_mutexes"),
			  .events = EVENTS,
			  .roles = (uint32_t)number(run, "workers"),
			  .longest_ns = number(run, "longest_us") * 1000},
		.seed = run->seed,
		.random.state = random_seed_for(run->seed, "conductor"),
		.n_workers = (uint32_t)number(run, "workers"),
		.cpus = state->cpus,
		.n_cpus = choose_cpus(run, state->cpus),
		.round_ns = number(run, "round_us") * 1000,
		.limit_ns = number(run, "limit_ms") * 1000000,
	};
	state->has_uninterruptible = health_excess_uninterruptible("", &state->uninterruptible);
	return 0;
}

/* ---- measuring ------------------------------------------------------------------------ */

static int run_rounds(struct workload_run *run, struct lock_torture *state)
{
	unsigned int rounds = (unsigned int)number(run, "rounds");
	int err = torture_crew_start(&state->crew);

	for (unsigned int i = 0; i < rounds && !err; i++) {
		err = *run->stop ? -EINTR : torture_crew_round(&state->crew);
		run->progress(run->progress_context, i + 1, rounds);
	}
	if (!torture_crew_stop(&state->crew) && !state->crew.counts.stranded)
		state->crew.counts.stranded++;
	/* Somebody stranded is a finding. */
	return err == -ETIMEDOUT ? 0 : err;
}

/*
 * Before anything was computed in it: see lab_session_close(). The thread that comes and goes must
 * not be kept from running by this one, which is not above the others yet.
 */
static int take_module_away(struct workload_run *run, struct lock_torture *state)
{
	char reason[256];
	int err = torture_unload_try(&state->session, (unsigned int)number(run, "unloads"),
				     &state->unloads);

	return err ? err : lab_session_open(&state->session, reason, sizeof(reason));
}

/* From here on above the workers, on a CPU of its own. */
static int become_conductor(const struct workload_run *run)
{
	const struct task_class conductor = {.policy = SCHED_FIFO, .priority = CONDUCTOR_PRIORITY};
	int err = task_pin(run->placement->observer_cpu);

	return err ? err : task_class_set(&conductor);
}

static void conclude_invariants(struct workload_run *run, struct lock_torture *state)
{
	const struct torture_counts *counts = &state->crew.counts;
	const struct torture_kill_findings *kills = &state->kills;
	struct result *result = run->result;
	long long sum;

	result_set_invariant(result, "overlaps", counts->overlaps, counts->holds);
	result_set_invariant(result, "left_locked", counts->left_locked + kills->left_locked,
			     counts->locks_looked_at + kills->looked_at);
	result_set_invariant(result, "stranded", counts->stranded + kills->stranded,
			     counts->programs + kills->staged);
	result_set_invariant(result, "wrong_answers", counts->misjudged + state->calls.wrong,
			     counts->programs + state->calls.tried);
	result_set_invariant(result, "wrong_kills", kills->staged - kills->as_expected,
			     kills->staged);
	result_set_invariant(result, "wrong_unloads", state->unloads.wrong,
			     state->unloads.tried + state->unloads.runs);
	if (state->has_uninterruptible && health_excess_uninterruptible("", &sum))
		result_set_invariant(result, "uninterruptible_leak",
				     (uint64_t)llabs(sum - state->uninterruptible),
				     counts->programs);
	else
		result_break_metric(result, "uninterruptible_leak",
				    "nr_uninterruptible is not to be read: it takes root, and a "
				    "kernel with CONFIG_SCHED_DEBUG and debugfs mounted");
}

static uint64_t count_kills_inside(const struct torture_counts *counts)
{
	return counts->kills - counts->killed[KILLED_OUTSIDE];
}

static void conclude_counters(struct workload_run *run, const struct torture_counts *counts)
{
	struct result *result = run->result;

	result_set_counter(result, "programs", counts->programs);
	result_set_counter(result, "completed", counts->completed);
	result_set_counter(result, "contended", counts->contended);
	result_set_counter(result, "refused", counts->refused);
	result_set_counter(result, "timeouts", counts->timeouts);
	result_set_counter(result, "interruptions", counts->interruptions);
	result_set_counter(result, "backoffs", counts->backoffs);
	result_set_counter(result, "kills", counts->kills);
	result_set_counter(result, "kills_inside", count_kills_inside(counts));
}

/* What went wrong first, in words: an invariant has a number only. */
static void conclude_words(struct workload_run *run, const struct lock_torture *state)
{
	if (state->calls.first_wrong[0])
		result_add_text_fact(run->result, "first_wrong_answer", state->calls.first_wrong);
	if (state->crew.first_stranded[0])
		result_add_text_fact(run->result, "first_stranded", state->crew.first_stranded);
	if (state->kills.first_wrong[0])
		result_add_text_fact(run->result, "first_wrong_kill", state->kills.first_wrong);
	if (state->unloads.first_wrong[0])
		result_add_text_fact(run->result, "first_wrong_unload", state->unloads.first_wrong);
	result_add_fact(run->result, "unloaded", (double)state->unloads.unloaded);
	result_add_fact(run->result, "unloads_refused", (double)state->unloads.refused);
}

static void judge(struct workload_run *run, const char *name, uint64_t observed, uint64_t expected,
		  const char *text)
{
	judge_evidence(run, &workload_lock_torture, name, observed >= expected, observed, expected,
		       text);
}

/* That nothing went wrong says something only where something could have. */
static void conclude_evidence(struct workload_run *run, const struct lock_torture *state)
{
	const struct torture_counts *counts = &state->crew.counts;
	char text[256];

	snprintf(text, sizeof(text),
		 "Of %llu drawn programs %llu came to their end, and their tasks slept for a lock "
		 "%llu times",
		 (unsigned long long)counts->programs, (unsigned long long)counts->completed,
		 (unsigned long long)counts->contended);
	judge(run, "locks_contended", counts->contended, 1, text);
	snprintf(
		text, sizeof(text),
		"Of %llu workers that were killed, %llu were in a program: %llu waited for a mutex "
		"or a ww_mutex, %llu computed, %llu slept, %llu waited for an event",
		(unsigned long long)counts->kills, (unsigned long long)count_kills_inside(counts),
		(unsigned long long)(counts->killed[KILLED_LOCKING] +
				     counts->killed[KILLED_WW_LOCKING]),
		(unsigned long long)counts->killed[KILLED_COMPUTING],
		(unsigned long long)counts->killed[KILLED_SLEEPING],
		(unsigned long long)counts->killed[KILLED_WAITING]);
	judge(run, "killed_inside", count_kills_inside(counts), 1, text);
	snprintf(text, sizeof(text),
		 "%llu drawn programs with a mistake were refused, and %llu calls that are no "
		 "program were answered",
		 (unsigned long long)counts->refused, (unsigned long long)state->calls.tried);
	judge(run, "bad_refused", counts->refused, 1, text);
}

static int measure(struct workload_run *run)
{
	struct lock_torture *state = run->state;
	const int cpus[] = {state->cpus[0], state->cpus[state->crew.n_cpus - 1]};
	int err = take_module_away(run, state);

	if (!err)
		err = become_conductor(run);
	if (err)
		return err;
	torture_calls_try(&state->session, &state->crew.field, run->seed,
			  (unsigned int)number(run, "draws"), &state->calls);
	err = torture_kills_stage(&state->session, cpus, state->crew.limit_ns, &state->kills);
	if (!err && !state->kills.stranded)
		err = run_rounds(run, state);
	if (err)
		return err;
	conclude_counters(run, &state->crew.counts);
	conclude_invariants(run, state);
	conclude_words(run, state);
	conclude_evidence(run, state);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	struct lock_torture *state = run->state;

	if (!state)
		return;
	torture_crew_stop(&state->crew);
	lab_session_close(&state->session);
	free(state);
}

static const char *const kernel_options[] = {"CONFIG_FUTEX", NULL};

const struct workload workload_lock_torture = {
	.name = "lock-torture",
	.summary = "whether kernel mutexes exclude and come free under random programs, signals "
		   "and kills",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .lock_laboratory = true,
		  .min_cpus = 2,
		  .kernel_options = kernel_options},
	.placements = 1u << PLACEMENT_SAME_CPU,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
