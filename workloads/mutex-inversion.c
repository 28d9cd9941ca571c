// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include "workloads/episode.h"
#include "workloads/staged_inversion.h"

/*
 * Bounded or unbounded: how long does a strong waiter for a kernel mutex wait for a weak owner
 * whose CPU is busy with others? doc/workloads/mutex-inversion.md has the method.
 */
#define PAGE "doc/workloads/mutex-inversion.md"

static const struct parameter_spec parameters[] = {
	STAGED_INVERSION_ROLES,
	{.name = "compute_after_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "0",
	 .max = 1000000,
	 .help = "CPU time that the owner computes on for after its section, at most until the donor has the lock; 0: it goes to sleep"},
	{.name = "phase_min_percent",
	 .unit = "percent",
	 .kind = PARAMETER_NUMBER,
	 .standard = "10",
	 .max = 90,
	 .help = "the load comes no earlier in the section than this; the donor follows within 1.5 ms"},
	{.name = "phase_max_percent",
	 .unit = "percent",
	 .kind = PARAMETER_NUMBER,
	 .standard = "50",
	 .min = 1,
	 .max = 95,
	 .help = "the load comes earlier in the section than this"},
	STAGED_INVERSION_EFFORT,
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "donor_wait_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "how long the donor's lseek() took while the owner held f_pos_lock",
	 .source = PAGE "; fdget_pos() in fs/file.c"},
	STAGED_INVERSION_METRICS(PAGE),
	{.name = NULL},
};

static const struct staged_inversion staged = {.workload = &workload_mutex_inversion};

static int setup(struct workload_run *run)
{
	return staged_inversion_setup(run, &staged);
}

static const char *const *knobs(const struct workload_run *run)
{
	return staged_inversion_knobs(&workload_mutex_inversion, run);
}

static int check(const char *const *values, char *error, size_t error_size)
{
	return staged_inversion_check_phases(&workload_mutex_inversion, values, error, error_size);
}

const struct workload workload_mutex_inversion = {
	.name = "mutex-inversion",
	.summary =
		"how long a strong waiter for a kernel mutex waits for a weak owner on a busy CPU",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 1,
		  .kernel_options = staged_inversion_options,
		  .files = staged_inversion_files},
	.placements = (1u << PLACEMENT_KINDS) - 1,
	.check = check,
	.knobs = knobs,
	.setup = setup,
	.measure = staged_inversion_measure,
	.cleanup = staged_inversion_cleanup,
};
