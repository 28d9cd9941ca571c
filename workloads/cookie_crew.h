/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_COOKIE_CREW_H
#define WORKLOADS_COOKIE_CREW_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "workloads/cookie_meter.h"

/*
 * The threads of an episode and their core-scheduling cookies (prctl(2), PR_SCHED_CORE). Two
 * keepers, which only sleep, have a cookie each as long as the crew lives; every thread that joins
 * takes its side's. A companion computes on the owner's sibling, on the donor's side.
 */
enum cookie_mode {
	COOKIES_NONE, /* nobody has one: core scheduling does nothing */
	COOKIES_ONE,  /* all have the same */
	COOKIES_TWO,  /* each side has its own */
};

enum cookie_side { SIDE_OWNER, SIDE_DONOR, COOKIE_SIDES };

struct cookie_keeper {
	pthread_t thread;
	bool is_started;
	sem_t ready, leave;
	pid_t tid;
	int err;
};

struct cookie_crew {
	struct cookie_keeper keepers[COOKIE_SIDES];
	enum cookie_mode mode;
	/* Who has joined since cookie_crew_muster(). */
	struct {
		pid_t tid;
		enum cookie_side side;
		uint64_t cookie; /* what the kernel says, as PR_SCHED_CORE_GET shows it */
	} members[COOKIE_METER_TASKS];
	atomic_uint n_members;
	pthread_t companion;
	bool has_companion;
	int companion_cpu, companion_err;
	sem_t companion_ready;
	atomic_bool stop_companion;
};

/*
 * Makes the keepers. 0; -EINVAL when the kernel has no core scheduling, -ENODEV when no core has
 * two threads; or another negative errno. cookie_crew_end() follows either way.
 */
int cookie_crew_begin(struct cookie_crew *crew);
void cookie_crew_end(struct cookie_crew *crew);

/* Forgets who joined: the next ones have cookies as @mode says. */
void cookie_crew_muster(struct cookie_crew *crew, enum cookie_mode mode);

/* The calling thread, which has no cookie yet, takes what it is to have. 0, or a negative errno. */
int cookie_crew_join(struct cookie_crew *crew, enum cookie_side side);

/* The companion joins and computes on @cpu, at nice 0, until it is stopped. 0, or a negative errno.
 */
int cookie_crew_start_companion(struct cookie_crew *crew, int cpu);
void cookie_crew_stop_companion(struct cookie_crew *crew);

/* Whether the cookies that the kernel shows for all members are as the mode says. */
bool has_cookies_as_wanted(const struct cookie_crew *crew);

/*
 * Tells @meter who may execute beside whom. Without cookies the sides still count as two groups, to
 * show that the meter sees what core scheduling is to prevent.
 */
int cookie_crew_tell(const struct cookie_crew *crew, struct cookie_meter *meter);

#endif
