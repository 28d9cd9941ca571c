/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TORTURE_DRAW_H
#define WORKLOADS_TORTURE_DRAW_H

#include <stdint.h>

#include "measure/random.h"
#include "workloads/kmod/proxeval_lab.h"

/*
 * Programs for the lock laboratory, drawn from a seed: good ones, and ones with one mistake, which
 * it has to refuse. No thread, no clock, no kernel.
 */
#define TORTURE_MAX_OPERATIONS 96

/* What the programs of one open file fight for: numbers 0 to n - 1. */
struct torture_field {
	uint32_t mutexes;    /* 2 to LAB_MUTEXES */
	uint32_t ww_mutexes; /* of each class: 2 to LAB_WW_PER_CLASS */
	uint32_t events, roles;
	uint64_t longest_ns; /* that one operation computes, sleeps or waits */
};

enum torture_mistake {
	MISTAKE_UNLOCK_NOT_HELD,
	MISTAKE_LEFT_LOCKED,
	MISTAKE_LOCKED_TWICE,
	MISTAKE_WRONG_ORDER,
	MISTAKE_MUTEX_IN_CONTEXT,
	MISTAKE_OTHER_CLASS,
	MISTAKE_WW_AFTER_UNLOCK,
	MISTAKE_CONTEXT_IN_CONTEXT,
	MISTAKE_CONTEXT_LEFT_OPEN,
	MISTAKE_TARGET,
	MISTAKE_CODE,
	MISTAKE_TIME_TOO_LONG,
	MISTAKE_TIME_MISSING,
	MISTAKE_TIME_WHERE_NONE,
	MISTAKE_ALL_TOO_LONG,
	MISTAKE_TOO_MANY_HELD,
	TORTURE_MISTAKES
};

/* By enum torture_mistake. */
extern const char *const torture_mistake_names[TORTURE_MISTAKES];

/* A program that lab_check() lets pass. How many operations it has. */
uint32_t torture_draw_program(struct random *random, const struct torture_field *field,
			      struct lab_operation operations[TORTURE_MAX_OPERATIONS]);

/* One that it refuses, and that would pass without the mistake. */
uint32_t torture_draw_mistake(struct random *random, const struct torture_field *field,
			      enum torture_mistake mistake,
			      struct lab_operation operations[TORTURE_MAX_OPERATIONS]);

/* Any numbers, most of them small: nearly never a good program. */
uint32_t torture_draw_noise(struct random *random,
			    struct lab_operation operations[TORTURE_MAX_OPERATIONS]);

#endif
