/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TORTURE_HOLDS_H
#define WORKLOADS_TORTURE_HOLDS_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/kmod/proxeval_lab.h"

/*
 * Who held which lock when, as far as the results of programs are sure of it: from the end of an
 * operation that locked to the beginning of the one that unlocked, or of the one that failed. So a
 * hold in here is never longer than the real one, and two of one lock that overlap cannot be. What
 * is held while a ww_mutex backs off, is let go in between. No thread, no clock.
 */
struct torture_hold {
	uint32_t lock; /* a mutex's number, or LAB_MUTEXES and a ww_mutex's */
	uint64_t from_ns, until_ns;
};

struct torture_holds {
	struct torture_hold *holds;
	size_t n, room;
};

/* 0 or -ENOMEM. @n results that lab_run_program() or a killed task's program left. */
int torture_holds_add(struct torture_holds *holds, const struct lab_operation *operations,
		      const struct lab_result *results, uint32_t n);

/* How many holds began before the one before them on the same lock had ended. Sorts them. */
size_t torture_holds_count_overlaps(struct torture_holds *holds);

/* Forgets all, keeps the room. */
void torture_holds_clear(struct torture_holds *holds);
void torture_holds_free(struct torture_holds *holds);

#endif
