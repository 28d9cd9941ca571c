/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_INVERSION_H
#define WORKLOADS_INVERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/environment.h"
#include "measure/random.h"
#include "workloads/episode.h"

/* The arithmetic of a priority inversion: no thread, no clock, no kernel. */

/*
 * Where in the critical section the donor arrives, in thousandths of it: one draw from each of @n
 * equal strata of [@min_permille, @max_permille), in an order drawn too. Strata keep the mean of
 * a few samples near that of many. Of more than PHASE_BLOCK samples each block of so many has
 * strata of its own, and what is remembered does not grow.
 */
#define PHASE_BLOCK 64

struct phase_plan {
	struct random random;
	unsigned int min_permille, max_permille;
	uint64_t left;		 /* samples behind this block */
	unsigned int size, next; /* of this block, and in it */
	unsigned int block[PHASE_BLOCK];
};

void phase_plan_init(struct phase_plan *plan, uint64_t seed, uint64_t n, unsigned int min_permille,
		     unsigned int max_permille);

/* That of the next sample; behind the last it begins another block. */
unsigned int phase_plan_next(struct phase_plan *plan);

/* CPU time that the owner still needed when the donor arrived; zero or less: it was through. */
int64_t inversion_remaining_ns(const struct episode_sample *sample);

/* Whether the donor met a held lock: by the owner's own CPU clock it was in its section. */
bool is_lock_held(const struct episode_sample *sample);

/*
 * Whether the donor was really blocked: the lock was held, and it went to sleep. A waiter may
 * also spin while the owner is on a CPU, and then there is nobody to lend anything to. That is
 * how a PI futex's waiter on another CPU passes its whole wait (rtmutex_spin_on_owner() in
 * kernel/locking/rtmutex.c): for the controls is_lock_held() decides.
 */
bool is_donor_blocked(const struct episode_sample *sample);

/*
 * Whether the owner really slept in its section from the donor's arrival to its own wakeup: it was
 * found asleep then, and its CPU clock had stood still meanwhile.
 */
bool is_owner_asleep(const struct episode_sample *sample);

/*
 * Wait over what the owner still needed, in thousandths, rounded to the nearest; 1000 is the
 * physical limit. False, and @out untouched, when nothing was needed any more.
 */
bool inversion_factor_permille(uint64_t wait_ns, int64_t remaining_ns, uint64_t *out);

/* At least 95 % of the samples were contended, and there is one. */
bool has_enough_contention(uint64_t contended, uint64_t samples);

/*
 * Whether what was seen of proxy execution goes with what the kernel says: "on" wants it in
 * at least half of the contended samples (a wait shorter than a tick can hide it), "off" and
 * "absent" want it in none. A kernel that says nothing is held to what it was asked for; asked
 * for nothing, it may do either, but not now this and now that.
 */
bool is_proxying_as_expected(enum proxy_exec_state state, enum proxy_exec_request request,
			     uint64_t lent, uint64_t contended);

/* Weight of a nice value in the fair class, from -20 to 19 (sched_prio_to_weight in
 * kernel/sched/core.c). */
unsigned int nice_weight(int nice);

/* The owner's share of its CPU in competition: its weight over all. */
double fair_share(unsigned int owner_weight, unsigned int hogs, unsigned int hog_weight);

/*
 * The least wait over remaining time that says "nobody helped the owner" when its share is
 * @share: a quarter of 1/share. The fair class lets the owner be one slice ahead of its share,
 * and the rest of a section may be little more than a slice: half is lost to that at worst, and
 * half again to ticks that are coarser than a slice. Never below 1.5, where bounded ends.
 */
double unbounded_factor(double share);

/*
 * What proxy execution promises a waiter for a mutex: that it waits for no longer than the owners
 * in its way need, whatever else wants their CPU. Held to it are waits of up to twice that, and on
 * top 1 ms (switches, an interrupt to another CPU, a tick) for each of the @locks in its way and
 * once more; of a donor of the fair class 3 ms, since a load that executes may finish its slice
 * (2.8 ms of eight CPUs). Where nobody helps, an owner of a section of 6 ms is waited for more
 * than 40 ms.
 */
bool is_wait_bounded(uint64_t wait_ns, int64_t needed_ns, unsigned int locks, bool is_donor_fair);

#endif
