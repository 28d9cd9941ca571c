/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_SCHED_ATTR_H
#define MEASURE_SCHED_ATTR_H

#include <stdint.h>

/*
 * How a thread is scheduled. A new thread inherits its creator's nice value whatever its
 * pthread attributes say, so every role sets its own, from inside.
 */
struct task_class {
	int policy;	   /* SCHED_OTHER, SCHED_FIFO, SCHED_DEADLINE … of <linux/sched.h> */
	int nice;	   /* -20 to 19; SCHED_OTHER */
	uint32_t priority; /* 1 to 99; SCHED_FIFO and SCHED_RR */
	uint64_t runtime_ns, deadline_ns, period_ns; /* SCHED_DEADLINE */
};

/*
 * Makes the calling thread such a task. 0, or a negative errno: -EPERM without the
 * right to it, or for SCHED_DEADLINE in a thread whose affinity is narrower than its root
 * domain while admission control is on (kernel.sched_rt_runtime_us is not -1); -EBUSY
 * when the bandwidth is not to be had.
 */
int task_class_set(const struct task_class *class);

/* Pins the calling thread to one CPU. 0, or a negative errno. */
int task_pin(int cpu);

/*
 * Timers of the calling thread expire when they are due and not up to 50 us later, which
 * is the kernel's default for SCHED_OTHER. 0, or a negative errno.
 */
int task_exact_timers(void);

#endif
