/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CMD_EXPLORE_H
#define BENCH_CMD_EXPLORE_H

#include "bench/explore.h"
#include "bench/run_order.h"

/* As typed; numbers begin as RUN_NOT_GIVEN where there is no other default. */
struct explore_values {
	struct run_values run; /* what it has in common with `run` */
	uint64_t seeds, first_seed, duration_s, rounds, jobs, shrink_runs, before_us;
	bool until_found, keep_logs, gdb;
	struct string_list only;
	const char *resume, *replay, *shrink, *known, *reports;
	struct string_list taken; /* the variants as typed, while the default stands in */
};

/* --replay and --shrink: an exit code (bench/explore_again.c). */
int explore_replay(const struct explore_values *values);
int explore_shrink_again(const struct explore_values *values);
/* --reports: an exit code (bench/explore_reports.c). */
int explore_list_reports(const struct explore_values *values, const struct known_faults *known);

#endif
