/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_STRESS_INTERNAL_H
#define WORKLOADS_STRESS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "measure/random.h"
#include "workloads/stress.h"
#include "workloads/stress_cookies.h"

/* What the files workloads/stress*.c share with each other and with nobody else. */
#define STRESS_BUFFER_BYTES (UINT64_C(1) << 20)
#define STRESS_FILE_BYTES   (UINT64_C(4) << 20)
#define STRESS_PAGE_BYTES   4096u
#define STRESS_GROUPS	    4u

struct stress_thread {
	struct stress *stress;
	const struct stress_actor *actor;
	size_t index; /* in the plan */
	pthread_t thread;
	struct random random;
	int err;	   /* it could not take its place: -errno */
	_Atomic pid_t tid; /* 0: not there yet; set behind err */
	_Atomic uint64_t operations, since_ns;
	_Atomic unsigned int rounds;   /* that it has come back from */
	_Atomic uint64_t misplaced_ns; /* when it was seen where it must not be; 0: it was not */
	int misplaced_cpu;	       /* where; set before misplaced_ns */
	char *fault_page;	       /* missing whenever the actor wants to sleep on it */
	char *buffer;		       /* STRESS_BUFFER_BYTES */
	uint64_t sleep_ns;	       /* how long the next fault on its page lasts */
};

struct stress {
	const struct stress_plan *plan;
	struct stress_plant plant;
	unsigned int n_cpus;
	int files[STRESS_MAX_OBJECTS], pipes[STRESS_MAX_OBJECTS][2];
	int masters[STRESS_MAX_OBJECTS], slaves[STRESS_MAX_OBJECTS];
	pthread_mutex_t futexes[STRESS_MAX_OBJECTS];
	char *fault_pages, *buffers;
	int fault_fd; /* userfaultfd; -1: this kernel has none, and nobody sleeps */
	int poke_fd;  /* eventfd: wakes the filler at a round's end */
	pthread_t filler, drainers[STRESS_MAX_OBJECTS];
	struct stress_thread threads[STRESS_MAX_ACTORS];
	size_t n_workers;	   /* they come first in the plan */
	struct sched_trace *trace; /* NULL: nobody watches the cookies */
	struct overlap_watch overlaps;
	struct overlap_task overlap_tasks[STRESS_MAX_ACTORS];
	_Atomic pid_t cookie_leaders[STRESS_MAX_COOKIES + 1];
	_Atomic unsigned int round; /* that is under way or was the last; 0: none yet */
	_Atomic bool is_round;	    /* else everybody is to come back */
	_Atomic bool is_over;
};

/* ---- stress_objects.c ---- */
int stress_objects_make(struct stress *stress, char *problem, size_t problem_size);
void stress_objects_remove(struct stress *stress);
/* "/sys/fs/cgroup/stress" and below it, 0 … STRESS_GROUPS - 1. */
const char *stress_group_path(unsigned int group);
/* Writes @text into the file at @path; false when that did not go. */
bool stress_put(const char *path, const char *text);
/* Wakes the filler: all that sleep on a missing page are to be let go. */
void stress_poke(struct stress *stress);

/* ---- stress_acts.c ---- */
/* One operation of the actor's mechanism. */
void stress_act(struct stress_thread *thread);
/*
 * Gives @tid the class of @actor, as the plan has it or drawn anew, with its nice value or
 * priority. 0 or -errno: -EPERM for SCHED_DEADLINE where @tid may not run on every CPU.
 */
int stress_set_class(const struct stress_actor *actor, pid_t tid);
void stress_nap(uint64_t ns);

/* ---- stress_watch.c ---- */
/* Begins to watch the cookies of a plan that has some, where this kernel can be watched. */
void stress_watch_begin(struct stress *stress);
void stress_watch_round_begin(struct stress *stress);
/* Adds what the round showed. */
void stress_watch_round_end(struct stress *stress, struct stress_report *report);
void stress_watch_end(struct stress *stress);

#endif
