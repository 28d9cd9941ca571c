/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_MATCH_H
#define WORKLOADS_MATCH_H

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure/sched_attr.h"
#include "workloads/lock.h"

/*
 * The players of rt-balance: threads that compute and sleep at random times, all on the same
 * CPUs, some of them with a lock that they share with one other.
 */
enum match_role {
	MATCH_PLAIN, /* computes */
	MATCH_OWNER, /* holds its lock for a section, and computes */
	MATCH_DONOR, /* takes its lock and lets go of it, and computes */
};

struct match_player {
	struct task_class class;
	enum match_role role;
	struct lock *lock; /* an owner's and its donor's; else NULL */
	/* Drawn for each turn, from the first to below the second. */
	uint64_t compute_ns[2], pause_ns[2];
	uint64_t period_ns; /* so long at least from one wakeup to the next */
	uint64_t seed;
};

struct match;

/* Stacks of all its threads; the section locks its memory. */
#define MATCH_STACK_BYTES (64 * 1024)

/*
 * Makes the players' threads, which may run on @cpus, and waits until each has its class.
 * @players must outlive the match. 0, or the first one's negative errno, as of task_class_set().
 */
int match_start(struct match **match, const struct match_player *players, unsigned int n,
		const cpu_set_t *cpus);

/* The thread of player @i. */
pid_t match_pid(const struct match *match, unsigned int i);

/*
 * Lets them play from @from_ns to @until_ns (CLOCK_MONOTONIC), and waits until each has finished
 * its last turn and sleeps. 0; -ETIMEDOUT when one has not after @limit_ns more: it may be in the
 * kernel for good, and the process should end; or the first negative errno of a lock.
 */
int match_play(struct match *match, uint64_t from_ns, uint64_t until_ns, uint64_t limit_ns);

/* Ends the threads; not after -ETIMEDOUT. NULL is fine. */
void match_stop(struct match *match);

#endif
