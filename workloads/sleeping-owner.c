// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "workloads/episode.h"
#include "workloads/staged_inversion.h"

/*
 * How long does a strong waiter wait for a weak owner that fell asleep in its critical section,
 * from the moment when it is woken among others? doc/workloads/sleeping-owner.md has the method.
 */
#define PAGE "doc/workloads/sleeping-owner.md"

static const char *const sleeps[] = {"userfaultfd", "pipe", "fifo", "io_wait", NULL};

static const struct parameter_spec parameters[] = {
	STAGED_INVERSION_ROLES,
	{.name = "sleep_on",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "userfaultfd",
	 .choices = sleeps,
	 .help = "what the owner sleeps on: a missing page; a socket that a pipe or FIFO is emptied into; a page that is being moved, as if for a disk"},
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
	 .help = "from the owner's wakeup to the return of the donor's call, which slept on the lock then",
	 .source = PAGE
	 "; handle_userfault() in mm/userfaultfd.c, splice_to_socket() in fs/splice.c, softleaf_entry_wait_on_locked() in mm/filemap.c"},
	STAGED_INVERSION_METRICS(PAGE),
	STAGED_INVERSION_LENDING(PAGE),
	{.name = "uninterruptible_leak",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_SECONDARY,
	 .help = "by how much the sum of nr_uninterruptible, and with it the load average, is off after the samples",
	 .source = PAGE "; calc_load_fold_active() in kernel/sched/loadavg.c"},
	{.name = "iowait_leak",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_SECONDARY,
	 .help = "by how much the number of tasks that wait for I/O is off after the samples",
	 .source = PAGE "; nr_iowait() in kernel/sched/core.c"},
	{.name = NULL},
};

static const struct lock_ops *kernel_lock(const struct workload_run *run)
{
	static const struct lock_ops *const locks[] = {&lock_f_pos, &lock_pipe_to_socket,
						       &lock_fifo_to_socket, &lock_f_pos_moving};
	const char *chosen = workload_choice(&workload_sleeping_owner, run, "sleep_on");
	size_t i = 0;

	while (strcmp(sleeps[i], chosen) != 0)
		i++;
	return locks[i];
}

static const struct staged_inversion staged = {.workload = &workload_sleeping_owner,
					       .owner_sleeps = true,
					       .tells_lending = true,
					       .kernel_lock = kernel_lock};

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
	uint64_t sleep_us = number(values, "sleep_us");
	uint64_t donor_us =
		sleep_us * number(values, "phase_max_percent") / 100 + STAGED_GAP_MOST_NS / 1000;
	int err =
		staged_inversion_check_phases(&workload_sleeping_owner, values, error, error_size);

	if (err)
		return err;
	if (donor_us < sleep_us)
		return 0;
	snprintf(
		error, error_size,
		"sleeping-owner: the donor may come %llu us into a sleep of %llu us (sleep_us), when "
		"the owner is awake; take a longer sleep or a smaller phase_max_percent",
		(unsigned long long)donor_us, (unsigned long long)sleep_us);
	return -EINVAL;
}

const struct workload workload_sleeping_owner = {
	.name = "sleeping-owner",
	.summary = "how long a strong waiter waits for a weak owner that slept in its section, "
		   "once that is awake",
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
