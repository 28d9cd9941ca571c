/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TORTURE_CREW_H
#define WORKLOADS_TORTURE_CREW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure/sched_attr.h"
#include "workloads/lab.h"
#include "workloads/torture_draw.h"
#include "workloads/torture_holds.h"

/*
 * Workers that run drawn programs in one lock laboratory, in rounds, while the calling thread
 * sends them signals, wakes them for nothing, posts events and kills them. Each is a process, so
 * that one can be killed alone, and what it does is written down in memory that all share: the
 * kernel copies a program's results there even when who ran it is being killed.
 */
#define TORTURE_MAX_WORKERS 32u
#define TORTURE_MAX_ENTRIES 64u /* programs of one worker in one round */
#define TORTURE_MAX_CPUS    1024

struct torture_entry {
	uint32_t n; /* operations; 0: none yet */
	/* Whether the call came back, and what it answered. */
	atomic_bool is_back;
	int answer;
	bool is_bad; /* lab_check() refuses it: the module must, too */
	struct lab_operation operations[TORTURE_MAX_OPERATIONS];
	struct lab_result results[TORTURE_MAX_OPERATIONS];
};

struct torture_worker {
	pid_t pid;
	uint64_t lives; /* how many processes it has been */
	struct task_class class;
	int cpu;	       /* -1: any */
	atomic_uint rounds;    /* that it has come back from */
	atomic_uint n_entries; /* of this round */
	struct torture_entry entries[TORTURE_MAX_ENTRIES];
};

/* In what a task was when it was killed. */
enum torture_where {
	KILLED_OUTSIDE, /* it was in no program */
	KILLED_LOCKING,
	KILLED_WW_LOCKING,
	KILLED_COMPUTING,
	KILLED_SLEEPING,
	KILLED_WAITING, /* for an event */
	KILLED_BETWEEN, /* its last operation came to its end, as an uninterruptible one does */
	TORTURE_WHERES
};

struct torture_counts {
	uint64_t programs, completed, refused;
	uint64_t timeouts, interruptions; /* programs that ended so */
	uint64_t contended,
		backoffs; /* locks that were slept for, and that others were let go for */
	uint64_t kills, killed[TORTURE_WHERES], signals, wakes, postings;
	/* What must not be. */
	uint64_t misjudged; /* accepted though bad, refused though good, or another error */
	uint64_t overlaps, holds;
	uint64_t left_locked, locks_looked_at;
	uint64_t stranded;
};

/* Shared by the workers and their conductor. */
struct torture_shared {
	_Atomic uint32_t round; /* that is under way or was the last; 0: none yet */
	atomic_bool is_round;
	struct torture_worker workers[TORTURE_MAX_WORKERS];
};

struct torture_crew {
	const struct lab_session *session;
	struct torture_field field;
	uint64_t seed;
	uint32_t n_workers;
	const int *cpus;
	uint32_t n_cpus;
	uint64_t round_ns, limit_ns; /* how long a round is, and how long after it all are back */
	struct random random;	     /* of the conductor's acts */
	struct torture_shared *shared;
	struct torture_holds holds;
	struct torture_counts counts;
	char first_stranded[128]; /* who, and how it was found; "": nobody */
};

/*
 * @crew with all but the last four set. 0 or a negative errno; torture_crew_stop() follows either
 * way. The calling thread should be above all workers, which are SCHED_FIFO 50 at most.
 */
int torture_crew_start(struct torture_crew *crew);

/* One round, and what it showed is added to the counts. 0; -ETIMEDOUT: somebody was stranded, and
 * the locks are not looked at; or another negative errno. */
int torture_crew_round(struct torture_crew *crew);

/* Lets the calling thread run on @cpu of the crew's, or with -1 on all of them. 0 or a negative
 * errno. */
int torture_crew_take_place(const struct torture_crew *crew, int cpu);

/* Kills all; false when one does not die within the limit, which is for all together. */
bool torture_crew_stop(struct torture_crew *crew);

/*
 * Takes and gives back every lock of @field as role @role: how many are held by somebody, @looked
 * at in all.
 */
uint64_t torture_count_left_locked(const struct lab_session *session,
				   const struct torture_field *field, uint32_t role,
				   uint64_t *looked_at);

/* Whether one ww_mutex is had within half a second. */
bool torture_is_ww_free(const struct lab_session *session, uint32_t role, uint32_t target);

/* The rule by itself: in what a program was that did not come back. */
enum torture_where torture_where_killed(const struct lab_operation *operations,
					const struct lab_result *results, uint32_t n);

/* Waits until child @pid is gone and reaps it; false after @limit_ns. @status as wait() has it. */
bool torture_reap(pid_t pid, uint64_t limit_ns, int *status);

#endif
