/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_EPISODE_H
#define WORKLOADS_EPISODE_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/sched_attr.h"
#include "workloads/lock.h"

/*
 * One priority inversion, staged: a weak owner takes a lock and computes under it, hogs
 * start on its CPU, a donor wants the lock. Each role is a thread of its own, made for the
 * episode; all of them sleep until moments that are fixed before the first one runs, so that
 * nobody polls on the owner's CPU and nothing depends on who wakes whom:
 *
 *      T                 owner takes the lock
 *      T + load_after    hogs wake as SCHED_FIFO, which takes the CPU from the owner at once,
 *                        whatever the tick and the slice; then each turns into what it is
 *      T + donor_after   the donor arrives
 *      T + wake_after    an owner that went to sleep in its section is woken
 *
 * The calling thread conducts and watches; it must not run on the owner's CPU unless its
 * class is above the donor's.
 */
enum episode_part { EPISODE_OWNER, EPISODE_DONOR, EPISODE_HOG };

struct episode_roles {
	int owner_cpu, donor_cpu;
	/* Whose memory the threads get: the hogs' is the owner's; without it, wherever the kernel
	 * likes. */
	bool has_nodes;
	int owner_node, donor_node;
	struct task_class owner, hog, donor;
	unsigned int hogs;	  /* at most EPISODE_MAX_HOGS */
	const char *owner_cgroup; /* a threaded cgroup for the owner alone; NULL: none */
	const char *donor_cgroup; /* the same for the donor */
	/* CPU time that the owner computes for after its section, at most until the donor is
	 * through; 0: it goes to sleep at once. */
	uint64_t compute_after_ns;
	bool is_conductor_in_the_way; /* it runs on the owner's CPU too, and looks less often */
	/* Optional. Called by each role's own thread when it is what it is to be, before any acts.
	 * 0, or a negative errno that calls the episode off. */
	int (*on_ready)(void *context, enum episode_part part);
	void *context;
	uint64_t lead_ns;  /* from the start of the episode to T */
	uint64_t limit_ns; /* an episode longer than this is lost */
};

#define EPISODE_MAX_HOGS 64

/* Of every thread of a section: enough for a role; small, because the section locks its memory. */
#define EPISODE_STACK_BYTES (64 * 1024)

struct episode_timing {
	uint64_t load_after_ns, donor_after_ns;
	/* When the owner, whose lock is armed (workloads/lock.h), is woken; 0: it does not sleep.
	 */
	uint64_t wake_after_ns;
};

struct episode_sample {
	/* The donor's, from before the call, or from the owner's wakeup if that was later, to
	 * after the call. */
	uint64_t wait_ns;
	/* The owner's CPU clock: before it took the lock, when the donor arrived, when the donor
	 * had the lock, at the owner's return. */
	uint64_t owner_start_ns, owner_arrival_ns, owner_departure_ns, owner_end_ns;
	/* The owner's priority before it took the lock, and in the end (task_priority()); 0:
	 * unknown.
	 */
	uint64_t owner_priority, owner_priority_after;
	/* The same clock when the owner was woken, and its state right before ('S', 'D', 'R' …);
	 * 0 when nobody woke it. */
	uint64_t owner_wakeup_ns;
	char owner_state;
	/* How many tasks waited for I/O then (measure/io_wait.h); asked of an owner that does. */
	long long io_waiters;
	uint64_t hogs_wait_ns;	 /* CPU time of all hogs during the wait */
	uint64_t donor_switches; /* how often the donor went to sleep during the wait */
	unsigned int looks;	 /* how often it was found asleep */
	bool is_lent;		 /* proxy execution was seen at work (measure/task_watch.h) */
	bool is_moved;		 /* the donor's scheduling context was seen on another CPU */
	/* The NUMA nodes that their stacks are on; a negative errno if the kernel does not say. */
	int owner_memory_node, donor_memory_node;
};

/*
 * Stages one. 0; -ETIME when the limit passed and the load was taken away to end it;
 * -ETIMEDOUT when even that did not end it: threads may still be in the kernel, and the
 * process should end; or another negative errno.
 */
int episode_run(const struct episode_roles *roles, const struct episode_timing *timing,
		struct lock *lock, struct episode_sample *sample);

#endif
