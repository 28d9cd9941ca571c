// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/clock.h"
#include "workloads/operation.h"

/*
 * What does the change cost everybody who waits for nobody? doc/workloads/wakeup-cost.md has the
 * method.
 */
#define PAGE "doc/workloads/wakeup-cost.md"

/* QEMU's -icount shift=1 lets an instruction take 2 ns, and a guest's time-stamp counter count ns.
 */
#define TICKS_PER_INSTRUCTION 2

static const struct parameter_spec parameters[] = {
	{.name = "batches",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "401",
	 .min = 11,
	 .max = 1000000,
	 .is_effort = true,
	 .help = "batches of each operation; the median batch is the figure"},
	{.name = "limit_ms",
	 .unit = "ms",
	 .kind = PARAMETER_NUMBER,
	 .standard = "60000",
	 .min = 10,
	 .max = 600000,
	 .is_effort = true,
	 .help = "an operation whose batches take longer in all is a failure"},
	{.name = NULL},
};

/* One operation's two metrics: a document has the one that its kind of time can tell. */
/* clang-format off */
#define COST(operation, its_role, its_help, its_source) \
	{.name = operation "_instructions", \
	 .unit = "instructions", \
	 .kind = METRIC_SCALAR, \
	 .direction = LOWER_IS_BETTER, \
	 .role = its_role, \
	 .help = "in virtual time: " its_help, \
	 .source = PAGE "; " its_source, \
	 .time = METRIC_VIRTUAL_TIME}, \
	{.name = operation "_ns", \
	 .unit = "ns", \
	 .kind = METRIC_SCALAR, \
	 .direction = LOWER_IS_BETTER, \
	 .role = its_role, \
	 .help = "in real time: " its_help, \
	 .source = PAGE "; " its_source, \
	 .time = METRIC_REAL_TIME}
/* clang-format on */

static const struct metric_spec metrics[] = {
	COST("mutex", ROLE_PRIMARY, "locking and unlocking a free mutex",
	     "fdget_pos() in fs/file.c, kernel/locking/mutex.c"),
	COST("wake", ROLE_PRIMARY, "a futex wake of a sleeping task that does not preempt",
	     "try_to_wake_up() in kernel/sched/core.c"),
	COST("switch", ROLE_PRIMARY, "a switch from task to task by sched_yield()",
	     "__schedule() in kernel/sched/core.c"),
	COST("futex_pingpong", ROLE_PRIMARY, "a round trip between two tasks through two futexes",
	     "kernel/futex/waitwake.c"),
	COST("pipe_pingpong", ROLE_PRIMARY, "a round trip between two tasks through two pipes",
	     "fs/pipe.c"),
	COST("clone", ROLE_PRIMARY, "a child in the same memory: clone, exit and wait",
	     "kernel/fork.c, kernel/exit.c"),
	COST("fork", ROLE_SECONDARY, "fork, exit and wait; most of it is copying page tables",
	     "kernel/fork.c, kernel/exit.c"),
	COST("syscall", ROLE_NEGATIVE_CONTROL, "an lseek() that takes no lock and wakes nobody",
	     "fs/read_write.c"),
	{.name = NULL},
};

static struct operation_result results[OPERATION_KINDS];

static double cost_of(const struct workload_run *run, double ticks)
{
	return run->virtual_time ? ticks / TICKS_PER_INSTRUCTION : ticks;
}

/* A free mutex costs what the same call costs more with it than without. */
static double ticks_of(enum operation_kind kind)
{
	double ticks = operation_ticks(&results[kind]);

	return kind == OPERATION_MUTEX ? ticks - operation_ticks(&results[OPERATION_SYSCALL])
				       : ticks;
}

static void set_figure(const struct workload_run *run, enum operation_kind kind)
{
	const char *const unit = run->virtual_time ? "instructions" : "ns";
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", operation_name(kind), unit);
	result_set_scalar(run->result, name, cost_of(run, ticks_of(kind)));
}

static void leave_out_other_time(const struct workload_run *run)
{
	enum metric_time other = run->virtual_time ? METRIC_REAL_TIME : METRIC_VIRTUAL_TIME;

	for (size_t i = 0; metrics[i].name; i++)
		if (metrics[i].time == other)
			result_leave_out(run->result, metrics[i].name);
}

/* The least and the mean beside the median: how alike the batches are. */
static void add_facts(const struct workload_run *run, enum operation_kind kind)
{
	const struct operation_result *result = &results[kind];
	const struct reservoir *ticks = result->batch_ticks;
	char name[64];

	snprintf(name, sizeof(name), "%s_call_least", operation_name(kind));
	result_add_fact(run->result, name, cost_of(run, (double)ticks->min / result->per_batch));
	snprintf(name, sizeof(name), "%s_call_mean", operation_name(kind));
	result_add_fact(run->result, name,
			cost_of(run, ticks->sum / (double)ticks->samples / result->per_batch));
}

/* ---- evidence -------------------------------------------------------------------------------- */

static bool add_count(const struct workload_run *run, const char *name, bool held,
		      uint64_t observed, uint64_t expected, const char *text)
{
	result_add_evidence(run->result, name, held, observed, expected, text);
	if (!held && result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s: %llu of %llu", text,
				   (unsigned long long)observed, (unsigned long long)expected);
	return held;
}

static void add_clock_evidence(const struct workload_run *run)
{
	uint64_t ticks = operation_ticks_of_500_instructions();

	if (run->virtual_time)
		add_count(run, "clock_counts_instructions", ticks == 500 * TICKS_PER_INSTRUCTION,
			  ticks, 500 * TICKS_PER_INSTRUCTION,
			  "ticks of the virtual clock for 500 no-operations more");
}

/* Batches in which the shared descriptor's call cost more than any call should without a lock. */
static void add_mutex_evidence(const struct workload_run *run)
{
	const struct operation_result *shared = &results[OPERATION_MUTEX];
	double bare = operation_ticks(&results[OPERATION_SYSCALL]) * shared->per_batch;
	/* A batch of as many operations: the product is a whole number. */
	uint64_t dearer = reservoir_count_from(shared->batch_ticks, (uint64_t)(bare + 0.5) + 1);
	uint64_t batches = operation_batches(shared);

	add_count(run, "mutex_taken", dearer * 20 >= batches * 19, dearer, batches,
		  "batches that cost more with the lock than without");
}

/* 1 in 50: a tick may preempt the partner before it has gone to sleep. */
static bool is_about(uint64_t observed, uint64_t expected)
{
	uint64_t apart = observed < expected ? expected - observed : observed - expected;

	return apart * 50 <= expected;
}

static void add_evidence(const struct workload_run *run)
{
	uint64_t switches = 0, expected = 0, done = 0, attempted = 0, alike = 0, batches = 0;
	bool are_about = true, are_done = true, are_alike = true;

	for (int kind = 0; kind < OPERATION_KINDS; kind++) {
		const struct operation_result *result = &results[kind];
		uint64_t same = operation_alike(result, 10), all = operation_batches(result);

		if (result->switches_expected) {
			switches += result->switches;
			expected += result->switches_expected;
			are_about &= is_about(result->switches, result->switches_expected);
		}
		done += result->done;
		attempted += result->attempted;
		are_done &= is_about(result->done, result->attempted);
		alike += same;
		batches += all;
		are_alike &= same * 5 >= all * 3;
	}
	add_clock_evidence(run);
	add_count(run, "operations_done", are_done, done, attempted,
		  "operations that woke whom they were to wake, or had their child back");
	add_count(run, "tasks_switched", are_about, switches, expected,
		  "switches that the kernel counted for the tasks of the round trips");
	add_mutex_evidence(run);
	add_count(run, "undisturbed", are_alike, alike, batches,
		  "batches within 10 % of their operation's median batch");
}

/* ---- the workload ------------------------------------------------------------------------------
 */

static int fail(const struct workload_run *run, enum operation_kind kind, int err)
{
	if (err == -ETIMEDOUT)
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "%s stood still: a task was not woken, or limit_ms is too short "
				   "(%llu of %llu operations were done)",
				   operation_name(kind), (unsigned long long)results[kind].done,
				   (unsigned long long)results[kind].attempted);
	else
		result_set_outcome(run->result, OUTCOME_FAILED, "%s: %s", operation_name(kind),
				   strerror(-err));
	return err;
}

static int measure(struct workload_run *run)
{
	struct operation_request request = {
		.cpu = run->placement->owner_cpu,
		.is_virtual_time = run->virtual_time,
		.batches = (unsigned int)workload_number(&workload_wakeup_cost, run, "batches"),
		.limit_ns = workload_number(&workload_wakeup_cost, run, "limit_ms") * 1000000,
		.stop = run->stop};

	leave_out_other_time(run);
	for (int kind = 0; kind < OPERATION_KINDS; kind++) {
		int err;

		request.kind = (enum operation_kind)kind;
		err = operation_run(&request, &results[kind]);
		if (err)
			return fail(run, request.kind, err);
		run->progress(run->progress_context, (unsigned int)kind + 1, OPERATION_KINDS);
	}
	for (int kind = 0; kind < OPERATION_KINDS; kind++) {
		set_figure(run, (enum operation_kind)kind);
		add_facts(run, (enum operation_kind)kind);
	}
	add_evidence(run);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	(void)run;
	for (int kind = 0; kind < OPERATION_KINDS; kind++)
		operation_release(&results[kind]);
}

static const char *const kernel_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE", "CONFIG_FUTEX",
					     NULL};

const struct workload workload_wakeup_cost = {
	.name = "wakeup-cost",
	.summary = "what locks, wakeups, switches and forks cost when nobody waits for anybody",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true, .min_cpus = 1, .kernel_options = kernel_options},
	.placements = 1u << PLACEMENT_SAME_CPU,
	.is_alone = true,
	.measure = measure,
	.cleanup = cleanup,
};
