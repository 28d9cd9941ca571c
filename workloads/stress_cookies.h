/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_STRESS_COOKIES_H
#define WORKLOADS_STRESS_COOKIES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure/sched_trace.h"

/*
 * Whether tasks of different cookies ran on the two CPUs of one core at a time, which core
 * scheduling is there to prevent, from the kernel's own record of who ran where.
 */
#define OVERLAP_MAX_CPUS 64

struct overlap_task {
	pid_t tid;
	unsigned int cookie;
};

/* Two tasks, where, from when and for how long. */
struct overlap {
	pid_t tids[2];
	int cpus[2];
	uint64_t from_ns, length_ns; /* 0: there was none */
};

struct overlap_watch {
	const struct overlap_task *tasks; /* those that have a cookie */
	size_t n_tasks;
	int siblings[OVERLAP_MAX_CPUS]; /* the other CPU of the core; -1: there is none */
	struct overlap longest;
	/* private: who is on each CPU, and by a core's lower CPU how it began to be shared wrongly
	 */
	pid_t current[OVERLAP_MAX_CPUS];
	struct overlap open[OVERLAP_MAX_CPUS]; /* from_ns 0: it is not */
};

/* Forgets who is where; the longest overlap so far is kept. */
void overlap_begin(struct overlap_watch *watch);
/* Takes one record into account: a visitor for sched_trace_read(). 0. */
int overlap_take(void *watch, const struct sched_trace_record *record);
/* The record ends at @now_ns. */
void overlap_end(struct overlap_watch *watch, uint64_t now_ns);

#endif
