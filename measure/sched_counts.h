/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_SCHED_COUNTS_H
#define MEASURE_SCHED_COUNTS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What /proc/schedstat counts for each runqueue (kernel/sched/stats.c), summed over some of them:
 * only while kernel.sched_schedstats is 1.
 */
struct sched_counts {
	uint64_t schedules;  /* calls of schedule() */
	uint64_t idle_picks; /* how often the idle task was put in place, be it only for the moment
			      * in which proxy execution lets a runqueue's lock go to move or park
			      * donors (proxy_resched_idle() in kernel/sched/core.c) */
	uint64_t wakeups;    /* try_to_wake_up() that this CPU answered */
};

/* Of the @n CPUs in @cpus, each counted once. 0; -ENODATA: there are no such numbers; or another
 * negative errno. */
int sched_counts_read(struct sched_counts *counts, const int *cpus, size_t n);

/* The rule by itself: the text of such a file. */
int sched_counts_parse(const char *text, const int *cpus, size_t n, struct sched_counts *counts);

#endif
