/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_COOKIE_METER_H
#define WORKLOADS_COOKIE_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure/sched_trace.h"

/*
 * Which tasks executed on one core at the same time, from a trace of sched_switch: no thread, no
 * clock, no kernel. sched_switch tells who executes (measure/sched_trace.h), the owner, that is,
 * when a donor lends it its context: what core scheduling promises is about that one.
 *
 * A task that the meter was not told of counts as one without a cookie; idle goes with everybody.
 */
#define COOKIE_METER_CPUS  8
#define COOKIE_METER_TASKS 80

struct cookie_meter {
	int cpus[COOKIE_METER_CPUS]; /* the hardware threads of one core */
	size_t n_cpus;
	struct {
		pid_t pid;
		int group; /* tasks of one group have one cookie; 0: none */
	} tasks[COOKIE_METER_TASKS];
	size_t n_tasks;
	uint64_t from_ns, to_ns; /* only what happens in between counts */
	uint64_t switch_over_ns; /* so long an overlap may be: the sibling has to be told */
	/* What was found. */
	uint64_t overlap_ns, longest_ns; /* two groups executed, in all and at a stretch */
	uint64_t beyond_ns;		 /* of each stretch what goes beyond switch_over_ns */
	uint64_t overlaps, violations;	 /* stretches; those longer than switch_over_ns */
	uint64_t idle_ns[COOKIE_METER_CPUS];
	uint64_t blind_ns; /* over all CPUs: nothing was known about them yet */
	/* On the way. */
	bool is_known[COOKIE_METER_CPUS];
	pid_t running[COOKIE_METER_CPUS];
	uint64_t at_ns, overlap_from_ns;
	bool is_overlapping;
};

/* An empty meter for the core of the @n_cpus CPUs @cpus. 0, or -E2BIG. */
int cookie_meter_begin(struct cookie_meter *meter, const int *cpus, size_t n_cpus, uint64_t from_ns,
		       uint64_t to_ns, uint64_t switch_over_ns);

/* Says that @pid is of @group. 0, or -E2BIG. */
int cookie_meter_add(struct cookie_meter *meter, pid_t pid, int group);

/* A sched_trace_visitor; @meter is its context. Always 0. */
int cookie_meter_take(void *meter, const struct sched_trace_record *record);

/* After the last record: takes what goes on until to_ns into account. */
void cookie_meter_end(struct cookie_meter *meter);

#endif
