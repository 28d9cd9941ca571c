/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_CHAIN_H
#define WORKLOADS_CHAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure/sched_attr.h"

/*
 * One chain of waiters, staged. Locks are numbered from the outside, 0 to depth - 1:
 *
 *   donor --> lock 0, held by link 1 --> lock 1, held by link 2 --> … lock depth - 1, held by owner
 *
 * The owner stays in its section until it is released. The chain is built one task after the
 * other, each seen asleep before the next sets out, from the owner outwards (CHAIN_INSIDE_OUT) or,
 * while every link holds its own lock and computes, from the donor inwards: then each step takes
 * all who wait already to another holder. Hogs run on every CPU of the owner and the links from
 * before the donor comes. Then the owner is released, and the chain comes apart from its inner end.
 *
 * The calling thread conducts; it must not run on a CPU of the chain.
 */
#define CHAIN_MAX_DEPTH	 64
#define CHAIN_MAX_LEAVES (CHAIN_MAX_DEPTH + 1)
#define CHAIN_MAX_CPUS	 1024
#define CHAIN_MAX_HOGS	 256

enum chain_event {
	CHAIN_NO_EVENT,
	CHAIN_WAKEUP,  /* the middle link is woken, and nothing has changed */
	CHAIN_SIGNAL,  /* it gives up for a signal */
	CHAIN_TIMEOUT, /* it gives up after a time */
	CHAIN_KILL,    /* it is killed */
};

enum chain_build {
	CHAIN_INSIDE_OUT,
	CHAIN_OUTSIDE_IN,
};

struct chain;

/* What the locks are made of. Callbacks answer 0 or a negative errno; threads call @hold to @touch.
 */
struct chain_ops {
	const char *name;
	/* Nothing but its lock ends a link's wait: what would end another's stays pending. */
	bool is_deaf;
	/* Required: hold the innermost lock until release(), and for a section from then on. */
	int (*hold)(struct chain *chain);
	/* Required: holding lock level - 1, wait for lock level. -EINTR or -ETIMEDOUT: it gave up
	 * as it was to. */
	int (*link)(struct chain *chain, unsigned int level);
	/* Required: wait for a lock, as the donor (0) or as a leaf. */
	int (*touch)(struct chain *chain, unsigned int lock, unsigned int leaf);
	/* Lets a link go on that holds its lock and computes; CHAIN_OUTSIDE_IN. */
	int (*advance)(struct chain *chain, unsigned int level);
	/* Required: ends the owner's stay. */
	int (*release)(struct chain *chain);
	/* Required for CHAIN_KILL: a link's @link did not come back, for it was killed. Fills its
	 * record; 0 or the negative errno that it would have answered. */
	int (*killed)(struct chain *chain, unsigned int level);
	/* Wakes a link that waits. */
	int (*wake)(struct chain *chain, unsigned int level);
	/* Puts back what an episode changed; every task is through. */
	int (*reset)(struct chain *chain);
};

/*
 * What a task did, by its own clock or by the laboratory's: waited for its next lock, let that go
 * again, and then the one that it held meanwhile. 0: it did not, or when is not known.
 */
struct chain_record {
	uint64_t want_ns, got_ns; /* who gave up: got_ns says when, and status why */
	/* When it began to unlock, or before when it cannot have. */
	uint64_t free_next_ns, free_own_ns;
	uint32_t sleeps; /* during the wait; only the laboratory knows */
	int status;
};

struct chain {
	const struct chain_ops *ops;
	void *state; /* the backend's */
	/* What is staged. */
	unsigned int depth, leaves; /* leaf i waits for lock i, behind the link; one more than
				     * there are locks: for a second one of the owner's */
	enum chain_build build;
	enum chain_event event;
	bool donor_comes_first; /* before the owner is released; its wait counts from then */
	bool owner_sleeps;	/* until it is released; else it computes */
	/* All but the owner: a signal would end their wait, too; the laboratory's. */
	bool waits_interruptibly;
	uint64_t section_ns, link_ns, timeout_ns;
	uint64_t lead_ns;  /* from the owner's release to the donor */
	uint64_t limit_ns; /* for each step, and for the whole */
	struct task_class weak, hog, donor;
	const int *cpus; /* of owner and links, by level, in turn: level l on cpus[l % n_cpus] */
	unsigned int n_cpus, hogs_per_cpu;
	int donor_cpu;
	/* What the tasks leave: [0] the donor's, [l] the link's that holds lock l - 1, [depth] the
	 * owner's; and the leaves'. */
	struct chain_record records[CHAIN_MAX_DEPTH + 1];
	struct chain_record leaf_records[CHAIN_MAX_LEAVES];
};

/* The link that the event is for; 0: there is none. */
unsigned int chain_event_level(const struct chain *chain);

/* Whether the event makes its link give up: then the chain is cut there. */
bool is_chain_cut(const struct chain *chain);

struct chain_sample {
	uint64_t wait_ns;     /* the donor's, from its arrival or the owner's release, whichever was
				 later */
	uint64_t from_ns;     /* when that was */
	uint64_t needed_ns;   /* CPU time that those in its way used from then on */
	uint64_t owner_ns;    /* the owner's part of it */
	unsigned int blocked; /* tasks that were found asleep on their lock before the next came */
	unsigned int looks;   /* how often the donor was found asleep */
	uint64_t donor_switches; /* how often it went to sleep */
	unsigned int stranded;	 /* tasks that did not come through */
	bool has_stayed;	 /* a deaf link was seen asleep with the event's signal pending */
	bool is_killed;		 /* a link died of the event */
	bool is_lent;		 /* proxy execution was seen at work (measure/task_watch.h) */
	bool has_counts;
	uint64_t idle_picks, schedules, wakeups; /* /proc/schedstat, of the chain's CPUs */
	uint64_t returns;			 /* migrations that the tasks' own books counted */
};

/*
 * Stages one. 0, also when tasks were stranded but ended with the load; -ETIMEDOUT when some did
 * not: threads may still be in the kernel, and the process should end; or another negative errno.
 */
int chain_run(struct chain *chain, struct chain_sample *sample);

/* ---- what the records say: no thread, no clock ---- */

/*
 * How often something happened out of order: a task got a lock before its holder let it go, or two
 * had one at a time; as far as the times are known.
 */
unsigned int chain_count_disorder(const struct chain *chain);

/* How many tasks' waits began before the owner was released at @from_ns and ended after; the donor
 * and the links, at most depth. */
unsigned int chain_count_waits(const struct chain *chain, uint64_t from_ns);

#endif
