/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_LOCK_FIT_H
#define WORKLOADS_LOCK_FIT_H

#include <stdbool.h>
#include <stdint.h>

struct lock;

/* How long the section of a kind of lock can be made, in the kind's own unit. */
struct lock_sizes {
	uint64_t first, largest;
	/* The next hold() is of @size; which is at most the largest. 0 or a negative errno. */
	int (*set)(struct lock *lock, uint64_t size);
};

/*
 * Finds the size with which a section takes lock->section_ns of the calling thread's CPU time,
 * sets it, and both lock->section_size and lock->section_ns to what came out. 0; -EAGAIN: the
 * machine is too busy for a section to come out within a fifth of what is wanted; -ERANGE: not
 * even the largest is so long; or what set(), prepare() or hold() returned.
 */
int lock_fit(struct lock *lock, const struct lock_sizes *sizes);

/* Whether a section that took so much CPU time is one of @wanted_ns: within a fifth of it. */
bool lock_is_section_fit(uint64_t took_ns, uint64_t wanted_ns);
/* Which size takes @wanted_ns when @size took @took_ns; from 1 to 2^62. */
uint64_t lock_scale_size(uint64_t size, uint64_t wanted_ns, uint64_t took_ns);

#endif
