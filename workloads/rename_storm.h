/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_RENAME_STORM_H
#define WORKLOADS_RENAME_STORM_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "measure/histogram.h"

/*
 * Threads that rename, each a file of its own there and back between the same two directories, so
 * that they meet on s_vfs_rename_mutex (lock_rename() in fs/namei.c), and threads that keep the
 * CPUs busy. All of them are SCHED_OTHER at nice 0 and free within one set of CPUs. The calling
 * thread conducts and watches; it should not run on those.
 */
struct rename_storm {
	int root;	     /* of a file system to rename in (workloads/scratch.h) */
	cpu_set_t cpus;	     /* where the threads may run */
	bool has_background; /* a second thread renames as fast as it can */
	unsigned int hogs;   /* threads that compute */
	const char *low,
		*medium;      /* threaded cgroups for the second thread and for the hogs, or NULL */
	uint64_t duration_ns; /* how long the foreground's renames count */
	uint64_t long_ns;     /* a rename of the foreground that takes as long is a long one */
	volatile const int *stop;  /* non-zero: end soon */
	struct histogram *latency; /* takes each rename of the foreground */
};

struct rename_storm_result {
	uint64_t foreground_renames, background_renames; /* that were over in time */
	uint64_t long_renames, long_renames_ns; /* how many were long, and how long altogether */
	uint64_t slept_renames; /* timed ones of the foreground before whose end it slept */
	uint64_t contentions;	/* how often it met a held mutex (measure/contention.h) */
	int contentions_err;	/* a negative errno: that could not be counted */
	unsigned int looks;	/* how often the foreground was found asleep in state D */
	unsigned int repeats;	/* of these, in the same sleep as once before */
	bool is_lent;		/* a sleep's time was charged to it (measure/task_watch.h) */
	/* CPU time of the threads during the storm. */
	uint64_t foreground_cpu_ns, background_cpu_ns, hogs_cpu_ns;
};

/*
 * Makes the directories, lets the storm go on for its duration, and ends it. A rename under way at
 * the end counts with the time that it had taken until then. 0, or a negative errno.
 */
int rename_storm_run(const struct rename_storm *storm, struct rename_storm_result *result);

#endif
