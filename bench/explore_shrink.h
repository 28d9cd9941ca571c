/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_EXPLORE_SHRINK_H
#define BENCH_EXPLORE_SHRINK_H

#include <stddef.h>

#include "workloads/stress_plan.h"

/*
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
 * 2002) of a stress plan. A race is not a function of the plan's parts: another plan is another
 * trajectory, so that every candidate gets several, and "not shown" only means that.
 */
struct shrink {
	/*
	 * Tries @n_plans plans and answers the first of them (by index) that shows the fault: then
	 * *@rounds is how many rounds it needs. -1: none does; below: a negative errno - 1.
	 */
	int (*try_plans)(void *context, const struct stress_plan *plans, size_t n_plans,
			 unsigned int *rounds);
	void *context;
	unsigned int trajectories; /* tried of each candidate, at least 1 */
	unsigned int width;	   /* plans that are tried at once, at least 1 */
	unsigned int runs_left;	   /* guests that may still be booted; counts down */
};

/* What try_plans answers for a negative errno, and the way back. */
#define SHRINK_NONE	   (-1)
#define SHRINK_FAILED(err) ((err)-1)
#define SHRINK_ERRNO(code) ((code) + 1)

/*
 * Makes @plan, which shows the fault in its first @rounds rounds, as small as it gets within the
 * runs allowed: fewer rounds, fewer actors, fewer objects, plainer actors. @plan has shown the
 * fault itself in every case. 0, or try_plans' negative errno.
 */
int shrink_plan(struct shrink *shrink, struct stress_plan *plan, unsigned int rounds);

#endif
