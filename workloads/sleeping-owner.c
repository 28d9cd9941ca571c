// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <stdio.h>

#include "workloads/episode.h"
#include "workloads/staged_inversion.h"

/*
 * How long does a strong waiter wait for a weak owner that fell asleep in its critical section,
 * from the moment when it is woken among others? doc/workloads/sleeping-owner.md has the method.
 */
#define PAGE "doc/workloads/sleeping-owner.md"

static const struct parameter_spec parameters[] = {
	STAGED_INVERSION_ROLES,
	{.name = "sleep_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "10000",
	 .min = 2000,
	 .max = 10000000,
	 .help = "how long the owner sleeps at the beginning of its section"},
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
	 .help = "the load comes no earlier in the sleep than this; the donor follows within 1.5 ms"},
	{.name = "phase_max_percent",
	 .unit = "percent",
	 .kind = PARAMETER_NUMBER,
	 .standard = "50",
	 .min = 1,
	 .max = 95,
	 .help = "the load comes earlier in the sleep than this"},
	STAGED_INVERSION_EFFORT,
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "donor_wait_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "from the owner's wakeup to the return of the donor's lseek(), which slept on f_pos_lock then",
	 .source = PAGE "; handle_userfault() in fs/userfaultfd.c, fdget_pos() in fs/file.c"},
	STAGED_INVERSION_METRICS(PAGE),
	{.name = "lending_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "share of the waits in which the sleeping donor was seen to lend its context",
	 .source = PAGE},
	{.name = "uninterruptible_leak",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_SECONDARY,
	 .help = "by how much the sum of nr_uninterruptible, and with it the load average, is off after the samples",
	 .source = PAGE "; calc_load_fold_active() in kernel/sched/loadavg.c"},
	{.name = NULL},
};

static const struct staged_inversion staged = {.workload = &workload_sleeping_owner,
					       .owner_sleeps = true};

static int setup(struct workload_run *run)
{
	return staged_inversion_setup(run, &staged);
}

static const char *const *knobs(const struct workload_run *run)
{
	return staged_inversion_knobs(&workload_sleeping_owner, run);
}

static uint64_t number(const char *const *values, const char *name)
{
	const struct workload_run run = {.values = values};

	return workload_number(&workload_sleeping_owner, &run, name);
}

static int check(const char *const *values, char *error, size_t error_size)
{
	uint64_t min = number(values, "phase_min_percent"),
		 max = number(values, "phase_max_percent");
	uint64_t sleep_us = number(values, "sleep_us");
	uint64_t donor_us = sleep_us * max / 100 + STAGED_GAP_MOST_NS / 1000;

	if (min >= max) {
		snprintf(error, error_size,
			 "sleeping-owner: phase_min_percent (%llu) must be below phase_max_percent "
			 "(%llu)",
			 (unsigned long long)min, (unsigned long long)max);
		return -EINVAL;
	}
	if (donor_us < sleep_us)
		return 0;
	snprintf(
		error, error_size,
		"sleeping-owner: the donor may come %llu us into a sleep of %llu us (sleep_us), when "
		"the owner is awake; take a longer sleep or a smaller phase_max_percent",
		(unsigned long long)donor_us, (unsigned long long)sleep_us);
	return -EINVAL;
}

static const char *const kernel_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE",
					     "CONFIG_FUTEX_PI", "CONFIG_USERFAULTFD", NULL};

const struct workload workload_sleeping_owner = {
	.name = "sleeping-owner",
	.summary = "how long a strong waiter waits for a weak owner that slept in its section, "
		   "once that is awake",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 1,
		  .kernel_options = kernel_options,
		  .files = staged_inversion_files},
	.placements = (1u << PLACEMENT_KINDS) - 1,
	.check = check,
	.knobs = knobs,
	.setup = setup,
	.measure = staged_inversion_measure,
	.cleanup = staged_inversion_cleanup,
};
