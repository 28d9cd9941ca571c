/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_FOOTBALL_H
#define WORKLOADS_FOOTBALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure/histogram.h"
#include "measure/sched_trace.h"

/*
 * The referee: from what the scheduler did, whether the highest N of the real-time tasks that
 * could run did run on N CPUs. No thread, no clock, no kernel: events in, score out.
 *
 * A player is eligible while it is runnable: from its wakeup to its next sleep. One that waits for
 * its partner's lock cannot run itself; with proxy execution its rank counts for its partner then,
 * who is as strong as the stronger of the two. Players that wait are set against what runs: the
 * strongest of those against the weakest of these, the next against the next. Where the one who
 * waits is strictly stronger, one of the highest N does not run, and its episode begins. What else
 * runs on those CPUs counts by its own priority: a stopper or a strong kernel thread takes a CPU
 * rightfully, a fair task and idle never do.
 *
 * Of two SCHED_RR players of one priority on one CPU each has its time slice: one that goes on for
 * longer while the other waits there is an overrun.
 */
struct football_player {
	pid_t pid;
	int prio; /* the kernel's: 0 (strongest) to 98; without a meaning for deadlines */
	uint64_t deadline_ns; /* relative to its wakeup; 0: it is no SCHED_DEADLINE player */
	int partner;	      /* index of the one with whom it shares a lock; -1: none */
};

struct football_rules {
	const struct football_player *players;
	unsigned int n_players;
	const int *cpus; /* where they may run */
	unsigned int n_cpus;
	bool is_lending;       /* the kernel has a blocked player lend to its partner */
	uint64_t slice_ns;     /* SCHED_RR's; 0: nobody's turn ends for the sake of an equal */
	uint64_t threshold_ns; /* a longer episode is a violation, a shorter one switching over */
	/* Deadlines that are no further apart than this are a draw: the kernel's clock of a wakeup
	 * and the trace's are not the same. */
	uint64_t draw_ns;
	struct histogram *waits;      /* every episode of a player in its own right; or NULL */
	struct histogram *inversions; /* every episode of a player that is strong by its partner */
};

/* How things stood when an episode began, for whoever asks why. */
struct football_scene {
	uint64_t at_ns, took_ns; /* of the round's clock */
	int player, cpu;	 /* who waited, and on which CPU; -1: not known */
	int runner;		 /* the player that executed there; -1: somebody else */
	int runner_prio;	 /* its own priority; 0 if it is no player */
	bool is_runner_helped;	 /* it has its blocked partner's rank */
	int weak_cpu, weak_prio; /* where the weakest executed, and its priority; 140: idle */
};

struct football_score {
	struct football_scene longest; /* of the players in their own right */
	uint64_t played_ns;
	uint64_t covered_ns; /* of it with at least N players that could run */
	uint64_t turns;	     /* how often a player became eligible */
	/* How often one got a CPU, and how often the kernel had it run in another class or with
	 * another priority than its own then. */
	uint64_t switches, misranked;
	uint64_t ranks; /* different priorities and relative deadlines of the players */
	uint64_t waits, wait_ns, longest_wait_ns; /* episodes of players in their own right */
	uint64_t violations;			  /* of these, longer than the threshold */
	uint64_t idle_ns; /* of wait_ns, while one of the CPUs ran nothing at all */
	/* How often one got a CPU where an equal one was waiting, or came to wait, and how often it
	 * then went on for longer than its slice and the threshold. */
	uint64_t stints, overruns;
	/* The same of players that their blocked partner makes that strong. Without lending they
	 * are the priority inversion that the kernel allows. */
	uint64_t inversions, inversion_ns, longest_inversion_ns, long_inversions;
	/*
	 * Spells in which a blocked partner's rank decided that a player should run, for half the
	 * threshold at least; in how many of them it ran for at least half of the time; all of
	 * their time, and how much of it the player ran.
	 */
	uint64_t spells, lent_spells, needed_ns, lent_ns;
};

struct football;

/* @rules and what it points to must outlive it. NULL when memory is out. */
struct football *football_new(const struct football_rules *rules);
void football_free(struct football *football);

/* A round begins at @at_ns, in which all players are asleep and the CPUs idle. */
void football_begin(struct football *football, uint64_t at_ns);
/* One event of the round, in the order of time. */
void football_take(struct football *football, const struct sched_trace_record *record);
/* The round ends at @at_ns: what is open then is over. */
void football_end(struct football *football, uint64_t at_ns);

/* Of all rounds so far. */
const struct football_score *football_score(const struct football *football);

#endif
