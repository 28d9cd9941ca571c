// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "measure/clock.h"
#include "measure/task_watch.h"
#include "workloads/inversion.h"
#include "workloads/lock.h"
#include "workloads/workload.h"

static void test_asleep_is_asleep_from_arrival_to_wakeup(void **state)
{
	struct episode_sample sample = {
		.owner_arrival_ns = 500, .owner_wakeup_ns = 500, .owner_state = 'S'};

	(void)state;
	assert_true(is_owner_asleep(&sample));
	sample.owner_state = 'D';
	assert_true(is_owner_asleep(&sample));
	sample.owner_state = 'R'; /* it only had no CPU */
	assert_false(is_owner_asleep(&sample));
	sample.owner_state = 'S';
	sample.owner_wakeup_ns = 501; /* it went to sleep after the donor had come */
	assert_false(is_owner_asleep(&sample));
	memset(&sample, 0, sizeof(sample)); /* nobody woke it */
	assert_false(is_owner_asleep(&sample));
}

/* The standards with one value replaced. */
static int check(const char *name, const char *value, char error[256])
{
	const char *values[32];

	for (size_t i = 0; workload_sleeping_owner.parameters[i].name; i++)
		values[i] = strcmp(workload_sleeping_owner.parameters[i].name, name)
				    ? workload_sleeping_owner.parameters[i].standard
				    : value;
	error[0] = '\0';
	return workload_check_values(&workload_sleeping_owner, values, error, 256);
}

static void test_load_and_donor_come_while_the_owner_sleeps(void **state)
{
	char error[256];

	(void)state;
	assert_int_equal(check("", "", error), 0);
	/* 50 % of it and the gap of 1.5 ms: 3.0005 ms is the first that is long enough. */
	assert_int_equal(check("sleep_us", "3002", error), 0);
	assert_int_equal(check("sleep_us", "3000", error), -EINVAL);
	assert_string_equal(error,
			    "sleeping-owner: the donor may come 3000 us into a sleep of 3000 "
			    "us (sleep_us), when the owner is awake; take a longer sleep or a "
			    "smaller phase_max_percent");
	assert_int_equal(check("phase_max_percent", "84", error), 0);
	assert_int_equal(check("phase_max_percent", "85", error), -EINVAL);
	assert_int_equal(check("phase_min_percent", "50", error), -EINVAL);
	assert_string_equal(error, "sleeping-owner: phase_min_percent (50) must be below "
				   "phase_max_percent (50)");
}

struct owner {
	struct lock *lock;
	_Atomic pid_t tid; /* set right before it sets out */
	int err;
};

static void *owner_main(void *argument)
{
	struct owner *owner = argument;

	owner->tid = (pid_t)syscall(SYS_gettid);
	owner->err = owner->lock->ops->hold(owner->lock);
	return NULL;
}

/* Any CPU but the one that the test is on most of the time; -1 on a machine with one. */
static int last_cpu(void)
{
	int cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;

	return cpu > 0 ? cpu : -1;
}

static int prepare_and_arm(struct lock *lock)
{
	int err = lock->ops->prepare ? lock->ops->prepare(lock) : 0;

	return err ? err : lock->ops->arm(lock);
}

/* An armed section does not end, and holds the lock, until wake(); the next one does not sleep. */
static void sleep_in_section(const struct lock_ops *ops, uint64_t section_ns)
{
	struct lock lock = {.ops = ops, .section_ns = section_ns, .spare_cpu = last_cpu()};
	struct owner owner = {.lock = &lock};
	char task_is = '?';
	pthread_t thread;
	int err = ops->init(&lock);

	if (!err)
		err = prepare_and_arm(&lock);
	if (err == -EPERM || err == -ENOSYS || err == -EAGAIN || err == -ENODEV) {
		print_message("%s: cannot be tried here: %s\n", ops->name, strerror(-err));
		ops->release(&lock);
		skip();
	}
	assert_int_equal(err, 0);
	assert_int_equal(pthread_create(&thread, NULL, owner_main, &owner), 0);
	/* An event, not a time: it falls asleep nowhere but in there. */
	while (!owner.tid)
		sched_yield();
	while (task_is != 'S' && task_is != 'D')
		assert_int_equal(task_state(owner.tid, &task_is), 0);
	assert_int_equal(pthread_tryjoin_np(thread, NULL), EBUSY);
	assert_int_equal(ops->wake(&lock), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(owner.err, 0);
	if (ops->prepare)
		assert_int_equal(ops->prepare(&lock), 0);
	assert_int_equal(ops->hold(&lock), 0);
	/* Woken beforehand, and armed anew. */
	assert_int_equal(prepare_and_arm(&lock), 0);
	assert_int_equal(ops->wake(&lock), 0);
	assert_int_equal(ops->hold(&lock), 0);
	ops->release(&lock);
}

static void test_f_pos_sleeps_until_it_is_woken(void **state)
{
	(void)state;
	sleep_in_section(&lock_f_pos, 500000);
}

/* Of the length that fits a pipe that anybody may have. */
static void test_pipe_sleeps_until_it_is_woken(void **state)
{
	(void)state;
	sleep_in_section(&lock_pipe_to_socket, 8000);
}

static void test_fifo_sleeps_until_it_is_woken(void **state)
{
	(void)state;
	sleep_in_section(&lock_fifo_to_socket, 8000);
}

static void test_a_moving_page_sleeps_until_it_is_there(void **state)
{
	(void)state;
	sleep_in_section(&lock_f_pos_moving, 500000);
}

static void test_futexes_sleep_until_they_are_woken(void **state)
{
	(void)state;
	sleep_in_section(&lock_pi_futex, 500000);
	sleep_in_section(&lock_plain_futex, 500000);
}

static void test_its_tables_name_what_only_it_has(void **state)
{
	bool has_sleep = false, has_leak = false;

	(void)state;
	assert_ptr_equal(workload_find("sleeping-owner"), &workload_sleeping_owner);
	for (size_t i = 0; workload_sleeping_owner.parameters[i].name; i++)
		has_sleep |= !strcmp(workload_sleeping_owner.parameters[i].name, "sleep_us");
	for (size_t i = 0; workload_sleeping_owner.metrics[i].name; i++)
		has_leak |=
			!strcmp(workload_sleeping_owner.metrics[i].name, "uninterruptible_leak") &&
			workload_sleeping_owner.metrics[i].kind == METRIC_INVARIANT;
	assert_true(has_sleep);
	assert_true(has_leak);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asleep_is_asleep_from_arrival_to_wakeup),
		cmocka_unit_test(test_load_and_donor_come_while_the_owner_sleeps),
		cmocka_unit_test(test_f_pos_sleeps_until_it_is_woken),
		cmocka_unit_test(test_pipe_sleeps_until_it_is_woken),
		cmocka_unit_test(test_fifo_sleeps_until_it_is_woken),
		cmocka_unit_test(test_a_moving_page_sleeps_until_it_is_there),
		cmocka_unit_test(test_futexes_sleep_until_they_are_woken),
		cmocka_unit_test(test_its_tables_name_what_only_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
