/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_JUDGE_H
#define WORKLOADS_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/workload.h"

/*
 * Adds a piece of evidence (result_add_evidence). Where it did not hold, the figures say nothing:
 * every metric of @workload is broken, and so is the section, with @text for the reason.
 */
void judge_evidence(struct workload_run *run, const struct workload *workload, const char *name,
		    bool held, uint64_t observed, uint64_t expected, const char *text);

/* Makes the section unsupported, with the reason: -EOPNOTSUPP. */
int refuse_section(struct workload_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
