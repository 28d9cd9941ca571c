// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "workloads/lock.h"
#include "workloads/lock_fit.h"
#include "workloads/sink.h"
#include "workloads/workload.h"

/* What this kernel and user may lack; the busy machine's -EAGAIN is no fault of a lock's either. */
static bool is_lacking(int err)
{
	return err == -EPERM || err == -EACCES || err == -ENOENT || err == -ENOSYS ||
	       err == -EMFILE || err == -ENOSPC || err == -ERANGE || err == -ENODEV ||
	       err == -EAGAIN;
}

/*
 * What a user without capabilities may have: a pipe of a mebibyte, 128 inotify instances. The
 * others are as long as is quickly made.
 */
#define PIPE_NS	 8000
#define CROWD_NS 20000
#define OTHER_NS 200000

/* Every section can be had again and again, with the donor's call in between. */
static void use(const struct lock_ops *ops, uint64_t section_ns)
{
	struct lock lock = {.ops = ops, .section_ns = section_ns, .spare_cpu = -1};
	int err = ops->init(&lock);

	if (is_lacking(err)) {
		print_message("%s: cannot be tried here: %s\n", ops->name, strerror(-err));
		ops->release(&lock);
		skip();
	}
	assert_int_equal(err, 0);
	assert_true(lock_is_section_fit(lock.section_ns, section_ns));
	assert_int_equal(lock.section_size > 0, ops->size_fact != NULL);
	for (int i = 0; i < 3; i++) {
		/* A section that was prepared and not had is still prepared. */
		for (int k = 0; ops->prepare && k < 1 + i; k++)
			assert_int_equal(ops->prepare(&lock), 0);
		assert_int_equal(ops->hold(&lock), 0);
		assert_int_equal(ops->touch(&lock), 0);
	}
	ops->release(&lock);
}

static void test_f_pos(void **state)
{
	(void)state;
	use(&lock_f_pos, OTHER_NS);
}

static void test_pipe(void **state)
{
	(void)state;
	use(&lock_pipe, PIPE_NS);
}

static void test_pipe_to_socket(void **state)
{
	(void)state;
	use(&lock_pipe_to_socket, PIPE_NS);
}

static void test_fifo_to_socket(void **state)
{
	(void)state;
	use(&lock_fifo_to_socket, PIPE_NS);
}

static void test_unix(void **state)
{
	(void)state;
	use(&lock_unix, OTHER_NS);
}

static void test_epoll(void **state)
{
	(void)state;
	use(&lock_epoll, OTHER_NS);
}

static void test_seq_file(void **state)
{
	(void)state;
	use(&lock_seq_file, OTHER_NS);
}

static void test_rename(void **state)
{
	(void)state;
	use(&lock_rename, CROWD_NS);
}

static void test_rwsem(void **state)
{
	(void)state;
	use(&lock_rwsem, CROWD_NS);
}

static void test_futexes(void **state)
{
	const struct lock_ops *const futexes[] = {&lock_pi_futex, &lock_plain_futex};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct lock lock = {.ops = futexes[i], .section_ns = 100000};

		assert_int_equal(futexes[i]->init(&lock), 0);
		assert_int_equal(futexes[i]->hold(&lock), 0);
		assert_int_equal(futexes[i]->touch(&lock), 0);
		futexes[i]->release(&lock);
	}
}

/* What Linux 7.2's source says: struct mutex or not, and how its waiter sleeps. */
static void test_the_table_says_what_the_source_says(void **state)
{
	static const struct {
		const struct lock_ops *ops;
		bool is_mutex;
		char waiter_state;
	} expected[] = {
		{&lock_f_pos, true, 'D'},     {&lock_f_pos_moving, true, 'D'},
		{&lock_rename, true, 'D'},    {&lock_pipe, true, 'D'},
		{&lock_unix, true, 'D'},      {&lock_epoll, true, 'D'},
		{&lock_seq_file, true, 'D'},  {&lock_pipe_to_socket, true, 'D'},
		{&lock_rwsem, false, 'D'},    {&lock_fifo_to_socket, true, 'D'},
		{&lock_pi_futex, false, 'S'}, {&lock_plain_futex, false, 'S'},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(expected[i].ops->is_mutex, expected[i].is_mutex);
		assert_int_equal(expected[i].ops->waiter_state, expected[i].waiter_state);
	}
	assert_true(lock_pi_futex.is_spun_on);
	assert_false(lock_plain_futex.is_spun_on);
}

/* A lock whose section takes what the test says: no clock decides. */
static uint64_t most_set;

static int count_set(struct lock *lock, uint64_t size)
{
	(void)lock;
	if (size > most_set)
		most_set = size;
	return 0;
}

static int hold_nothing(struct lock *lock)
{
	(void)lock;
	return 0;
}

static int hold_fails(struct lock *lock)
{
	(void)lock;
	return -EIO;
}

static void test_no_size_is_beyond_the_largest(void **state)
{
	static const struct lock_ops nothing = {.hold = hold_nothing}, fails = {.hold = hold_fails};
	static const struct lock_sizes sizes = {.first = 16, .largest = 100, .set = count_set};
	struct lock lock = {.ops = &nothing, .section_ns = UINT64_C(1000000000000)};

	(void)state;
	most_set = 0;
	assert_int_equal(lock_fit(&lock, &sizes), -ERANGE);
	assert_int_equal(most_set, 64);
	lock.ops = &fails;
	assert_int_equal(lock_fit(&lock, &sizes), -EIO);
}

static void test_scaling_has_its_limits(void **state)
{
	(void)state;
	assert_int_equal(lock_scale_size(100, 300, 200), 150);
	assert_int_equal(lock_scale_size(100, 300, 0), 30000);
	assert_int_equal(lock_scale_size(1, 1, 1000), 1);
	assert_int_equal(lock_scale_size(UINT64_C(1) << 40, UINT64_C(1) << 40, 1), UINT64_C(1)
											   << 62);
}

static void test_a_sink_has_parts_for_all_of_it(void **state)
{
	struct sink sink;
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(sink_init(&sink), 0);
	sink_set_bytes(&sink, 2 * SINK_PART_BYTES + 5);
	assert_int_equal(sink.n_parts, 4);
	for (int i = 1; i < sink.n_parts; i++)
		sum += sink.parts[i].iov_len;
	assert_int_equal(sum, 2 * SINK_PART_BYTES + 5);
	assert_int_equal(sink.parts[3].iov_len, 5);
	sink_set_bytes(&sink, SINK_LARGEST_BYTES);
	assert_int_equal(sink.n_parts, UIO_MAXIOV);
	sink_release(&sink);
	sink_release(&sink); /* harmless */
}

/* The values of a run: the standards, with two of them replaced. */
static const char *const *knobs_of(const char *kind, const char *donor)
{
	static const char *values[32];
	const struct workload_run run = {.values = values};

	for (size_t i = 0; workload_lock_kinds.parameters[i].name; i++) {
		const struct parameter_spec *parameter = &workload_lock_kinds.parameters[i];

		values[i] = parameter->standard;
		if (!strcmp(parameter->name, "kind"))
			values[i] = kind;
		else if (!strcmp(parameter->name, "donor"))
			values[i] = donor;
	}
	return workload_lock_kinds.knobs(&run);
}

static void test_only_crowds_need_instances(void **state)
{
	const char *const *knobs;

	(void)state;
	assert_null(knobs_of("f_pos", "fifo"));
	assert_null(knobs_of("plain-futex", "nice"));
	knobs = knobs_of("rename", "fifo");
	assert_string_equal(knobs[0], "/proc/sys/fs/inotify/max_user_instances");
	assert_string_equal(knobs[1], "131072");
	assert_null(knobs[2]);
	knobs = knobs_of("rwsem", "deadline");
	assert_string_equal(knobs[2], "/proc/sys/kernel/sched_rt_runtime_us");
	assert_string_equal(knobs[3], "-1");
	assert_null(knobs[4]);
	knobs = knobs_of("pipe", "deadline");
	assert_string_equal(knobs[0], "/proc/sys/kernel/sched_rt_runtime_us");
}

static void test_all_kinds_are_choices(void **state)
{
	static const char *const kinds[] = {"f_pos",	   "rename",   "pipe",	"unix",
					    "epoll",	   "seq_file", "rwsem", "pi-futex",
					    "plain-futex", NULL};
	const char *const *choices = workload_lock_kinds.parameters[0].choices;
	size_t i;

	(void)state;
	assert_ptr_equal(workload_find("lock-kinds"), &workload_lock_kinds);
	assert_string_equal(workload_lock_kinds.parameters[0].name, "kind");
	for (i = 0; kinds[i]; i++)
		assert_string_equal(choices[i], kinds[i]);
	assert_null(choices[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f_pos),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_pipe_to_socket),
		cmocka_unit_test(test_fifo_to_socket),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_epoll),
		cmocka_unit_test(test_seq_file),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_rwsem),
		cmocka_unit_test(test_futexes),
		cmocka_unit_test(test_the_table_says_what_the_source_says),
		cmocka_unit_test(test_no_size_is_beyond_the_largest),
		cmocka_unit_test(test_scaling_has_its_limits),
		cmocka_unit_test(test_a_sink_has_parts_for_all_of_it),
		cmocka_unit_test(test_only_crowds_need_instances),
		cmocka_unit_test(test_all_kinds_are_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
