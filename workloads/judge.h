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

/* A row of the table of metrics, for judge_promise(); @page describes it. */
/* clang-format off */
#define UNBOUNDED_WAITS(page) \
	{.name = "unbounded_waits", \
	 .unit = "count", \
	 .kind = METRIC_INVARIANT, \
	 .direction = MUST_BE_ZERO, \
	 .role = ROLE_SECONDARY, \
	 .help = "waits, with proxy execution on, of more than twice what the owners needed and some ms", \
	 .source = page "; find_proxy_task() in kernel/sched/core.c"}
/* clang-format on */

/* Whether the kernel says that proxy execution is on, or was told so and says nothing. */
bool is_proxy_execution_promised(const struct workload_run *run);

/*
 * Sets the invariant unbounded_waits: @unbounded of @waits for mutexes were not as
 * is_wait_bounded() wants them. Without proxy execution nothing is promised: 0 of 0.
 */
void judge_promise(const struct workload_run *run, uint64_t unbounded, uint64_t waits);

/* Makes the section unsupported, with the reason: -EOPNOTSUPP. */
int refuse_section(struct workload_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
