/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_LINEUP_H
#define WORKLOADS_LINEUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/topology.h"
#include "workloads/football.h"
#include "workloads/lock.h"
#include "workloads/match.h"

/* Who plays in rt-balance, how strong, how often, and on which CPUs. */
#define LINEUP_DEADLINE 6 /* SCHED_DEADLINE, which older C libraries do not have */

struct lineup_wish {
	int policy;	    /* SCHED_FIFO, SCHED_RR or LINEUP_DEADLINE */
	unsigned int extra; /* players beyond the CPUs */
	bool has_locks;
	uint64_t turn_ns, section_ns; /* CPU time: of a turn in the mean, of an owner's section */
	uint64_t seed;
};

struct lineup {
	int *cpus;
	unsigned int n_cpus;
	int conductor_cpu;
	struct match_player *players; /* the strongest first */
	int *partners;		      /* index of the one who shares its lock; -1: none */
	unsigned int n_players, n_pairs;
	unsigned int n_ranks; /* different priorities, or relative deadlines */
};

/*
 * Chooses up to @max CPUs out of those that the placement spans (@is_online: out of all that a
 * thread may ask for), evenly. The placement's observer is left to the conductor, and in virtual
 * time the last CPU to the metronome. 0, also when there are fewer than @max; -ENODEV when there is
 * none, or none for the conductor; or another negative errno.
 */
int lineup_choose_cpus(struct lineup *lineup, const struct topology *topology,
		       const struct placement *placement, bool is_online, bool virtual_time,
		       unsigned int max);

/*
 * Makes players for those CPUs. They want 1.3 times as much CPU time as there is, so that most of
 * the time more of them can run than there are CPUs. With locks, every second of the strong players
 * shares one with a player who is at the edge of running: number N, N + 2 … of them, the
 * strongest being 0. 0, or -ENOMEM.
 */
int lineup_make(struct lineup *lineup, const struct lineup_wish *wish);

/* Hands pair i, owner and donor, lock @locks[i]. */
void lineup_share_locks(struct lineup *lineup, struct lock *locks);

/* What the referee has to know about them: n_players rows to @out. */
void lineup_introduce(const struct lineup *lineup, const struct match *match,
		      struct football_player *out);

/* Makes @lock (its ops and section_ns are set) by a thread on @cpu. As of lock_ops.init. */
int lineup_make_lock(struct lock *lock, int cpu);

void lineup_release(struct lineup *lineup);

#endif
