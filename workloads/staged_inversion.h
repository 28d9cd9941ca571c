/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_STAGED_INVERSION_H
#define WORKLOADS_STAGED_INVERSION_H

#include <stdbool.h>

#include "workloads/judge.h"
#include "workloads/lock.h"
#include "workloads/workload.h"

/*
 * What the workloads have in common that stage a priority inversion on a kernel mutex and on
 * two control locks (workloads/episode.h): a weak owner, hogs on its CPU, a strong donor. Each
 * brings its tables, made of the parts below, and the rest is here.
 */
struct staged_inversion {
	const struct workload *workload;
	/* Its section begins with a sleep, of the parameter sleep_us: load and donor come during
	 * it, and the wait counts from the owner's wakeup. */
	bool owner_sleeps;
	/* It has the metrics of STAGED_INVERSION_LENDING. */
	bool tells_lending;
	/* The kernel lock that @run asks for; NULL: f_pos_lock. */
	const struct lock_ops *(*kernel_lock)(const struct workload_run *run);
};

/*
 * The donor arrives so long after the hogs, at least and at most: by then each of them has woken
 * and changed its class, which takes some 100 us for two in virtual time, where all CPUs share
 * one budget of instructions. Drawn, so that the donor meets the tick at any phase.
 */
#define STAGED_GAP_LEAST_NS UINT64_C(500000)
#define STAGED_GAP_MOST_NS  UINT64_C(1500000)

/* struct workload's callbacks of those names; @staged must outlive the run. */
int staged_inversion_setup(struct workload_run *run, const struct staged_inversion *staged);
int staged_inversion_measure(struct workload_run *run);
void staged_inversion_cleanup(struct workload_run *run);
const char *const *staged_inversion_knobs(const struct workload *workload,
					  const struct workload_run *run);

/* As struct workload's check: the parameter phase_min_percent is below phase_max_percent. */
int staged_inversion_check_phases(const struct workload *workload, const char *const *values,
				  char *error, size_t error_size);

/* What every one of them needs: needs.kernel_options and needs.files, NULL-terminated. */
extern const char *const staged_inversion_options[];
extern const char *const staged_inversion_files[];

/* The choices of "owner" and "donor". */
extern const char *const staged_inversion_owners[];
extern const char *const staged_inversion_donors[];

/* clang-format off */
/* Rows of the table of parameters: the roles, and how much is measured. */
#define STAGED_INVERSION_ROLES \
	{.name = "owner", \
	 .unit = "", \
	 .kind = PARAMETER_CHOICE, \
	 .standard = "nice", \
	 .choices = staged_inversion_owners, \
	 .help = "what makes the owner weak: its nice value, a cgroup's cpu.weight, or a cgroup's cpu.max"}, \
	{.name = "owner_nice", \
	 .unit = "nice", \
	 .kind = PARAMETER_NUMBER, \
	 .standard = "10", \
	 .min = 1, \
	 .max = 19, \
	 .help = "the owner's nice value with owner=nice"}, \
	{.name = "donor", \
	 .unit = "", \
	 .kind = PARAMETER_CHOICE, \
	 .standard = "fifo", \
	 .choices = staged_inversion_donors, \
	 .help = "who waits: SCHED_FIFO, nice -20, or SCHED_DEADLINE"}, \
	{.name = "hogs", \
	 .unit = "count", \
	 .kind = PARAMETER_NUMBER, \
	 .standard = "2", \
	 .min = 1, \
	 .max = EPISODE_MAX_HOGS, \
	 .help = "nice-0 threads that compute on the owner's CPU"}, \
	{.name = "section_us", \
	 .unit = "us", \
	 .kind = PARAMETER_NUMBER, \
	 .standard = "6000", \
	 .min = 500, \
	 .max = 1000000, \
	 .help = "CPU time of the critical section; several slices (2.8 ms) long, or the hogs cannot get in between"}

#define STAGED_INVERSION_EFFORT \
	{.name = "samples", \
	 .unit = "count", \
	 .kind = PARAMETER_NUMBER, \
	 .standard = "20", \
	 .min = 1, \
	 .max = 100000, \
	 .is_effort = true, \
	 .help = "inversions on the kernel mutex"}, \
	{.name = "control_samples", \
	 .unit = "count", \
	 .kind = PARAMETER_NUMBER, \
	 .standard = "5", \
	 .min = 1, \
	 .max = 100000, \
	 .is_effort = true, \
	 .help = "inversions on each of the two control locks"}, \
	{.name = "limit_ms", \
	 .unit = "ms", \
	 .kind = PARAMETER_NUMBER, \
	 .standard = "10000", \
	 .min = 10, \
	 .max = 600000, \
	 .is_effort = true, \
	 .help = "a sample that takes longer is a failure"}

/* Rows of the table of metrics, for tells_lending. */
#define STAGED_INVERSION_LENDING(page) \
	{.name = "lending_share", \
	 .unit = "ratio", \
	 .kind = METRIC_SCALAR, \
	 .direction = NO_DIRECTION, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "share of the waits in which the sleeping donor was seen to lend its context", \
	 .source = page}, \
	{.name = "stray_lending", \
	 .unit = "count", \
	 .kind = METRIC_INVARIANT, \
	 .direction = MUST_BE_ZERO, \
	 .role = ROLE_SECONDARY, \
	 .help = "waits in which the donor lent though proxy execution is off or the lock is not a mutex", \
	 .source = page "; __mutex_lock_common() in kernel/locking/mutex.c"}

/* Rows of the table of metrics: all but the primary; @page describes them. */
#define STAGED_INVERSION_METRICS(page) \
	{.name = "inversion_factor", \
	 .unit = "ratio", \
	 .kind = METRIC_SCALAR, \
	 .direction = LOWER_IS_BETTER, \
	 .role = ROLE_SECONDARY, \
	 .help = "median of the wait over the CPU time that the owner still needed; 1 is the physical limit", \
	 .source = page}, \
	{.name = "inversion_factor_max", \
	 .unit = "ratio", \
	 .kind = METRIC_SCALAR, \
	 .direction = LOWER_IS_BETTER, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "the largest inversion factor of a sample", \
	 .source = page}, \
	{.name = "inversion_factor_permille", \
	 .unit = "permille", \
	 .kind = METRIC_DISTRIBUTION, \
	 .direction = LOWER_IS_BETTER, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "the inversion factors of all samples, in thousandths", \
	 .source = page}, \
	{.name = "owner_share", \
	 .unit = "ratio", \
	 .kind = METRIC_SCALAR, \
	 .direction = NO_DIRECTION, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "share of its CPU that the owner had during the waits", \
	 .source = page}, \
	{.name = "hog_share", \
	 .unit = "ratio", \
	 .kind = METRIC_SCALAR, \
	 .direction = NO_DIRECTION, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "share of the owner's CPU that the hogs had during the waits", \
	 .source = page}, \
	UNBOUNDED_WAITS(page), \
	{.name = "boosts_left", \
	 .unit = "count", \
	 .kind = METRIC_INVARIANT, \
	 .direction = MUST_BE_ZERO, \
	 .role = ROLE_SECONDARY, \
	 .help = "owners whose priority, the lock released, was not what it had been before", \
	 .source = page "; /proc/PID/sched"}, \
	{.name = "uncontended_samples", \
	 .unit = "count", \
	 .kind = METRIC_COUNTER, \
	 .direction = NO_DIRECTION, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "samples in which the donor did not meet a held lock; they are in no other figure", \
	 .source = page}, \
	{.name = "pi_futex_factor", \
	 .unit = "ratio", \
	 .kind = METRIC_SCALAR, \
	 .direction = LOWER_IS_BETTER, \
	 .role = ROLE_POSITIVE_CONTROL, \
	 .help = "median inversion factor behind a PI futex, with a SCHED_FIFO donor", \
	 .source = "kernel/futex/pi.c; " page}, \
	{.name = "plain_futex_factor", \
	 .unit = "ratio", \
	 .kind = METRIC_SCALAR, \
	 .direction = LOWER_IS_BETTER, \
	 .role = ROLE_NEGATIVE_CONTROL, \
	 .help = "median inversion factor behind a plain futex, with a SCHED_FIFO donor", \
	 .source = "kernel/futex/waitwake.c; " page}, \
	{.name = "pi_futex_wait_ns", \
	 .unit = "ns", \
	 .kind = METRIC_DISTRIBUTION, \
	 .direction = LOWER_IS_BETTER, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "the waits behind the PI futex", \
	 .source = page}, \
	{.name = "plain_futex_wait_ns", \
	 .unit = "ns", \
	 .kind = METRIC_DISTRIBUTION, \
	 .direction = LOWER_IS_BETTER, \
	 .role = ROLE_INFORMATIVE, \
	 .help = "the waits behind the plain futex", \
	 .source = page}
/* clang-format on */

#endif
