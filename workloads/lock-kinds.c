// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/episode.h"
#include "workloads/staged_inversion.h"

/*
 * The same inversion through one kind of lock after the other: behind which of them does a waiter
 * lend? doc/workloads/lock-kinds.md has the method, and what the kernel's source says.
 */
#define PAGE "doc/workloads/lock-kinds.md"

/* Each kind's name, and the lock that it is. */
static const struct {
	const char *name;
	const struct lock_ops *ops;
} kinds[] = {
	{"f_pos", &lock_f_pos}, {"rename", &lock_rename},     {"pipe", &lock_pipe},
	{"unix", &lock_unix},	{"epoll", &lock_epoll},	      {"seq_file", &lock_seq_file},
	{"rwsem", &lock_rwsem}, {"pi-futex", &lock_pi_futex}, {"plain-futex", &lock_plain_futex},
};

static const char *const kind_names[] = {"f_pos",    "rename", "pipe",	   "unix",	  "epoll",
					 "seq_file", "rwsem",  "pi-futex", "plain-futex", NULL};

static const struct parameter_spec parameters[] = {
	{.name = "kind",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "f_pos",
	 .choices = kind_names,
	 .help = "the lock: six mutexes of the kernel, a read-write semaphore (an inode's i_rwsem), and two futexes"},
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
	 .help = "how long the donor's call took while the owner held the lock",
	 .source = PAGE},
	STAGED_INVERSION_METRICS(PAGE),
	STAGED_INVERSION_LENDING(PAGE),
	{.name = NULL},
};

static const char *kind_of(const struct workload_run *run)
{
	return workload_choice(&workload_lock_kinds, run, "kind");
}

static const struct lock_ops *kernel_lock(const struct workload_run *run)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, kind_of(run)))
			return kinds[i].ops;
	abort(); /* a choice without a lock */
}

static const struct staged_inversion staged = {
	.workload = &workload_lock_kinds, .tells_lending = true, .kernel_lock = kernel_lock};

static int setup(struct workload_run *run)
{
	return staged_inversion_setup(run, &staged);
}

/* Two kinds make their sections of a crowd of inotify instances; the kernel allows 128. */
static const char *const *knobs(const struct workload_run *run)
{
#define CROWD	     "/proc/sys/fs/inotify/max_user_instances", "131072"
#define NO_ADMISSION "/proc/sys/kernel/sched_rt_runtime_us", "-1"
	static const char *const crowd[] = {CROWD, NULL};
	static const char *const crowd_no_admission[] = {CROWD, NO_ADMISSION, NULL};
	const char *const *of_roles = staged_inversion_knobs(&workload_lock_kinds, run);

	if (strcmp(kind_of(run), "rename") != 0 && strcmp(kind_of(run), "rwsem") != 0)
		return of_roles;
	return of_roles ? crowd_no_admission : crowd;
}

static int check(const char *const *values, char *error, size_t error_size)
{
	return staged_inversion_check_phases(&workload_lock_kinds, values, error, error_size);
}

const struct workload workload_lock_kinds = {
	.name = "lock-kinds",
	.summary = "behind which kinds of lock a waiter lends to the owner, and what it waits",
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
