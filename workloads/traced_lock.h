/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TRACED_LOCK_H
#define WORKLOADS_TRACED_LOCK_H

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

#include "workloads/lock.h"

/*
 * A lock for an episode that is laid beside a trace of the scheduler: it notes which threads are
 * the owner and the donor, and when, by CLOCK_MONOTONIC, they came and went.
 */
struct traced_lock {
	struct lock lock;    /* what episode_run() is given; first: one is the other */
	struct lock_ops ops; /* lock.ops: those of real, with stamps */
	const struct lock_ops *real;
	pid_t owner_tid, donor_tid;
	uint64_t owner_from_ns, owner_to_ns; /* before the call that takes the lock, and after */
	uint64_t donor_from_ns, donor_to_ns;
	uint64_t event_from_ns, event_to_ns; /* around on_wake; 0: it was not called */
	/* Where the donor was right after it had had the lock, and where it might be, before and
	 * after that was asked. */
	int donor_cpu;
	cpu_set_t donor_allowed[2];
	/* Optional. What happens in an episode's wake_after_ns instead of ending a sleep in the
	 * section; 0 or a negative errno. */
	int (*on_wake)(void *context);
	void *context;
};

/*
 * Makes a lock of kind @real with a section of @section_ns, fitted on CPU @cpu, to which the
 * calling thread is pinned from then on. As struct lock_ops.init for errors; release follows either
 * way.
 */
int traced_lock_init(struct traced_lock *traced, const struct lock_ops *real, uint64_t section_ns,
		     int cpu);
void traced_lock_release(struct traced_lock *traced);

/* Forgets the stamps: before each episode. */
void traced_lock_reset(struct traced_lock *traced);

#endif
