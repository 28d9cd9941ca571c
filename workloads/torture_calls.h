/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TORTURE_CALLS_H
#define WORKLOADS_TORTURE_CALLS_H

#include <stdint.h>

#include "workloads/lab.h"
#include "workloads/torture_draw.h"

/*
 * Calls that the lock laboratory must answer with one certain error: sizes, lengths, pointers,
 * reserved fields, numbers out of range, requests that there are none of, and each mistake that a
 * program can have.
 */
struct torture_call_findings {
	uint64_t tried, wrong;
	char first_wrong[160]; /* "": none */
};

/* Nobody else is in @session. @draws programs of each mistake. */
void torture_calls_try(const struct lab_session *session, const struct torture_field *field,
		       uint64_t seed, unsigned int draws, struct torture_call_findings *findings);

#endif
