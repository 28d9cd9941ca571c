/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TORTURE_KILLS_H
#define WORKLOADS_TORTURE_KILLS_H

#include <stdint.h>

#include "workloads/lab.h"

/*
 * A task is killed in each operation that takes time: computing, asleep, waiting for an event, a
 * mutex or a ww_mutex that somebody has, while it holds others. It is seen there, killed, must be
 * gone at once (where it waits uninterruptibly: when the holder let go, and not before), and every
 * lock must be free thereafter.
 */
struct torture_kill_findings {
	uint64_t staged, as_expected;
	uint64_t left_locked, looked_at; /* locks */
	uint64_t stranded;		 /* tasks that did not die */
	char first_wrong[160];		 /* what did not go as expected; "": nothing */
};

/*
 * Holders run on @cpus[0], victims on @cpus[1], as SCHED_OTHER; the caller on another one, or above
 * them. 0, or a negative errno: then nothing is known.
 */
int torture_kills_stage(const struct lab_session *session, const int cpus[2], uint64_t limit_ns,
			struct torture_kill_findings *findings);

#endif
