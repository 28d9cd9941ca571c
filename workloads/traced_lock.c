// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/traced_lock.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"

static struct traced_lock *traced_of(struct lock *lock)
{
	return (struct traced_lock *)lock;
}

static int hold(struct lock *lock)
{
	struct traced_lock *traced = traced_of(lock);
	int err;

	traced->owner_tid = (pid_t)syscall(SYS_gettid);
	traced->owner_from_ns = clock_now_ns();
	err = traced->real->hold(lock);
	traced->owner_to_ns = clock_now_ns();
	return err;
}

static int touch(struct lock *lock)
{
	struct traced_lock *traced = traced_of(lock);
	int err;

	traced->donor_tid = (pid_t)syscall(SYS_gettid);
	traced->donor_from_ns = clock_now_ns();
	err = traced->real->touch(lock);
	traced->donor_to_ns = clock_now_ns();
	sched_getaffinity(0, sizeof(cpu_set_t), &traced->donor_allowed[0]);
	traced->donor_cpu = sched_getcpu();
	sched_getaffinity(0, sizeof(cpu_set_t), &traced->donor_allowed[1]);
	return err;
}

static int wake(struct lock *lock)
{
	struct traced_lock *traced = traced_of(lock);
	int err;

	if (!traced->on_wake)
		return traced->real->wake(lock);
	traced->event_from_ns = clock_now_ns();
	err = traced->on_wake(traced->context);
	traced->event_to_ns = clock_now_ns();
	return err;
}

int traced_lock_init(struct traced_lock *traced, const struct lock_ops *real, uint64_t section_ns,
		     int cpu)
{
	int err = task_pin(cpu);

	*traced = (struct traced_lock){.ops = *real, .real = real};
	traced->ops.hold = hold;
	traced->ops.touch = touch;
	traced->ops.wake = wake;
	traced->lock.section_ns = section_ns;
	traced->lock.ops = real;
	if (!err)
		err = real->init(&traced->lock);
	traced->lock.ops = &traced->ops;
	return err;
}

void traced_lock_release(struct traced_lock *traced)
{
	if (traced->real)
		traced->real->release(&traced->lock);
	traced->real = NULL;
}

void traced_lock_reset(struct traced_lock *traced)
{
	traced->owner_tid = traced->donor_tid = 0;
	traced->owner_from_ns = traced->owner_to_ns = 0;
	traced->donor_from_ns = traced->donor_to_ns = 0;
	traced->event_from_ns = traced->event_to_ns = 0;
	traced->donor_cpu = -1;
	CPU_ZERO(&traced->donor_allowed[0]);
	CPU_ZERO(&traced->donor_allowed[1]);
}
