// SPDX-License-Identifier: GPL-2.0-only
#include "measure/sched_attr.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel's struct sched_attr, version 0. Newer C libraries declare it themselves,
 * older ones do not: a name of our own goes with both.
 */
struct kernel_sched_attr {
	uint32_t size;
	uint32_t sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime;
	uint64_t sched_deadline;
	uint64_t sched_period;
};

int task_class_set(const struct task_class *class)
{
	struct kernel_sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = (uint32_t) class->policy,
		.sched_nice = class->nice,
		.sched_priority = class->priority,
		.sched_runtime = class->runtime_ns,
		.sched_deadline = class->deadline_ns,
		.sched_period = class->period_ns,
	};

	return syscall(SYS_sched_setattr, 0, &attr, 0) ? -errno : 0;
}

int task_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

int task_exact_timers(void)
{
	return prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) ? -errno : 0;
}
