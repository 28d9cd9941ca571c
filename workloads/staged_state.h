/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_STAGED_STATE_H
#define WORKLOADS_STAGED_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/histogram.h"
#include "measure/random.h"
#include "measure/reservoir.h"
#include "workloads/episode.h"
#include "workloads/inversion.h"
#include "workloads/lock.h"
#include "workloads/staged_inversion.h"

/*
 * What staged_inversion.c, which stages, and staged_conclusion.c, which says what came of it, have
 * in common. Nobody else's.
 */
enum subject {
	SUBJECT_KERNEL,
	SUBJECT_PI_FUTEX,
	SUBJECT_PLAIN_FUTEX,
	SUBJECTS,
};

/* What was found about one kind of lock. */
struct tally {
	struct histogram *wait;
	struct reservoir factors; /* of the contended samples, in thousandths */
	struct phase_plan phases;
	uint64_t samples, contended, lent, moved, looks;
	uint64_t homed;	     /* samples whose roles had their memory on their nodes */
	uint64_t awake;	     /* samples with a held lock before which the donor did not sleep */
	uint64_t slept;	     /* samples whose owner slept from the donor's arrival to its wakeup */
	uint64_t io_waits;   /* of these, samples in which the kernel counted a task that waits for
				I/O */
	uint64_t unbounded;  /* contended samples whose wait was not bounded (workloads/inversion.h)
			      */
	uint64_t priorities; /* samples whose owner's priority is known from before and after */
	uint64_t boosts_left; /* of these, samples in which it was another afterwards */
	uint64_t watched; /* contended samples in which the sleeping donor was looked at twice */
	uint64_t wait_ns, owner_ns, hogs_ns; /* sums over the contended samples */
};

struct inversion {
	const struct staged_inversion *staged;
	struct lock locks[SUBJECTS];
	bool is_made[SUBJECTS];
	struct tally tallies[SUBJECTS];
	unsigned int n_samples[SUBJECTS];
	struct episode_roles roles; /* with the donor that was asked for */
	struct task_class fifo;	    /* the controls' donor */
	char weak_cgroup[256];
	double share;		   /* the owner's, in competition with the hogs */
	long long uninterruptible; /* health_excess_uninterruptible() before the first sample */
	bool has_uninterruptible;
	long long io_waiters; /* the same of tasks that wait for I/O */
	bool has_io_waiters;
	int spare_cpu;	      /* one that no role has; -1: none */
	bool is_memory_bound; /* both nodes have memory that the roles are bound to */
	int owner_memory_node, donor_memory_node;
	struct random random;
};

/* What the kernel counts before the first sample, and has to count after the last. */
void staged_read_books(struct inversion *inversion);

/* All metrics and all evidence of the section, out of the tallies. */
void staged_conclude(struct workload_run *run, struct inversion *inversion);

#endif
