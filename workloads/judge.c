// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/judge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void judge_evidence(struct workload_run *run, const struct workload *workload, const char *name,
		    bool held, uint64_t observed, uint64_t expected, const char *text)
{
	result_add_evidence(run->result, name, held, observed, expected, text);
	if (held)
		return;
	for (const struct metric_spec *metric = workload->metrics; metric->name; metric++)
		result_break_metric(run->result, metric->name, text);
	if (result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s", text);
}

int refuse_section(struct workload_run *run, const char *format, ...)
{
	char reason[256];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	result_set_outcome(run->result, OUTCOME_UNSUPPORTED, "%s", reason);
	return -EOPNOTSUPP;
}
