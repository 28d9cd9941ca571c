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

bool is_proxy_execution_promised(const struct workload_run *run)
{
	return run->proxy_exec == PROXY_EXEC_ON || (run->proxy_exec == PROXY_EXEC_UNKNOWN &&
						    run->proxy_exec_request == PROXY_EXEC_ASKED_ON);
}

void judge_promise(const struct workload_run *run, uint64_t unbounded, uint64_t waits)
{
	bool is_promised = is_proxy_execution_promised(run);

	result_set_invariant(run->result, "unbounded_waits", is_promised ? unbounded : 0,
			     is_promised ? waits : 0);
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
