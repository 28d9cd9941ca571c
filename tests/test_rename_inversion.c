// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "measure/clock.h"
#include "measure/io_wait.h"
#include "measure/task_watch.h"
#include "workloads/rename_storm.h"
#include "workloads/weak_cgroup.h"
#include "workloads/workload.h"

static const char *work;

static int make_work(void **state)
{
	static char path[] = "/tmp/proxeval-test-XXXXXX";

	(void)state;
	work = mkdtemp(path);
	return work ? 0 : -1;
}

static int drop_work(void **state)
{
	static const char *const files[] = {"a/foreground", "a/background", "b/foreground",
					    "b/background", "cpu.stat"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", work, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/a", work);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/b", work);
	rmdir(path);
	return rmdir(work);
}

static bool exists(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return !access(path, F_OK);
}

/* Threads of all three kinds: what comes back agrees with itself, and the files are still there. */
static void test_a_storm_counts_what_it_did(void **state)
{
	/* Long enough for every thread to get a CPU, on however busy a machine. */
	static const uint64_t duration_ns = NS_PER_S;
	static struct histogram latency;
	volatile int stop = 0;
	struct rename_storm_result result;
	struct rename_storm storm = {.root = open(work, O_PATH | O_DIRECTORY | O_CLOEXEC),
				     .has_background = true,
				     .hogs = 1,
				     .duration_ns = duration_ns,
				     .long_ns = 1,
				     .stop = &stop,
				     .latency = &latency};
	int err;

	(void)state;
	assert_true(storm.root >= 0);
	assert_int_equal(sched_getaffinity(0, sizeof(storm.cpus), &storm.cpus), 0);
	histogram_init(&latency, 0);
	err = rename_storm_run(&storm, &result);
	close(storm.root);
	if (err == -ENOENT) { /* /proc/PID/sched */
		print_message("this kernel does not show how a task is scheduled\n");
		skip();
	}
	assert_int_equal(err, 0);
	/* All but the one that was under way at the end were over in time. */
	assert_true(latency.samples == result.foreground_renames ||
		    latency.samples == result.foreground_renames + 1);
	assert_true(latency.samples > 0);
	assert_true(latency.max <= duration_ns);
	/* Every rename takes a nanosecond. */
	assert_int_equal(result.long_renames, latency.samples);
	assert_float_equal((double)result.long_renames_ns, latency.sum, 0);
	assert_true(result.slept_renames <= latency.samples);
	assert_true(result.repeats <= result.looks);
	assert_true(exists("a/foreground") || exists("b/foreground"));
	assert_true(exists("a/background"));
}

static void test_a_groups_books_are_read_by_name(void **state)
{
	char path[128];
	uint64_t value = 7;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/cpu.stat", work);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("usage_usec 123456789012\nuser_usec 5\nsystem_usec 6\nnr_periods 9\nnr_throttled 4\n",
	      file);
	fclose(file);
	assert_int_equal(weak_cgroup_stat(work, "usage_usec", &value), 0);
	assert_int_equal(value, UINT64_C(123456789012));
	assert_int_equal(weak_cgroup_stat(work, "nr_throttled", &value), 0);
	assert_int_equal(value, 4);
	assert_int_equal(weak_cgroup_stat(work, "throttled", &value), -ENOENT);
	assert_int_equal(value, 4);
	assert_int_equal(weak_cgroup_stat("/nonexistent", "usage_usec", &value), -ENOENT);
}

static void test_tasks_that_wait_for_io_are_counted(void **state)
{
	long long tasks = 99;

	(void)state;
	assert_int_equal(io_wait_parse("procs_blocked 3\n", &tasks), 0);
	assert_int_equal(tasks, 3);
	/* One more left than came. */
	assert_int_equal(io_wait_parse("procs_blocked 4294967295\n", &tasks), 0);
	assert_int_equal(tasks, -1);
	assert_int_equal(io_wait_parse("procs_running 3\n", &tasks), -EINVAL);
	assert_int_equal(io_wait_parse("procs_blocked \n", &tasks), -EINVAL);
	assert_int_equal(io_wait_read(&tasks), 0);
	assert_true(tasks >= 0);
}

static void test_only_looks_at_one_sleep_are_repeats(void **state)
{
	struct task_watch watch = {.stat_fd = -1, .sched_fd = -1, .asleep = 'S'};
	struct task_look look = {.state = 'S', .voluntary_switches = 4, .exec_start_ns = 100};

	(void)state;
	task_watch_judge(&watch, &look);
	assert_int_equal(watch.repeats, 0);
	task_watch_judge(&watch, &look);
	assert_int_equal(watch.repeats, 1);
	look.voluntary_switches = 5; /* another sleep */
	task_watch_judge(&watch, &look);
	assert_int_equal(watch.repeats, 1);
	look.state = 'D'; /* not how it waits */
	task_watch_judge(&watch, &look);
	assert_int_equal(watch.looks, 3);
	look.state = 'S';
	look.exec_start_ns = 200;
	task_watch_judge(&watch, &look);
	assert_int_equal(watch.repeats, 2);
	assert_true(watch.is_charged);
}

static void test_all_the_published_scenarios_are_there(void **state)
{
	static const char *const published[] = {"alone",
						"contention",
						"schedload",
						"schedload-contention",
						"contention-throttled",
						"schedload-throttled",
						"schedload-contention-throttled",
						NULL};
	const char *const *choices = workload_rename_inversion.parameters[0].choices;
	size_t i;

	(void)state;
	assert_ptr_equal(workload_find("rename-inversion"), &workload_rename_inversion);
	assert_string_equal(workload_rename_inversion.parameters[0].name, "scenario");
	for (i = 0; published[i]; i++)
		assert_string_equal(choices[i], published[i]);
	assert_null(choices[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_storm_counts_what_it_did),
		cmocka_unit_test(test_a_groups_books_are_read_by_name),
		cmocka_unit_test(test_tasks_that_wait_for_io_are_counted),
		cmocka_unit_test(test_only_looks_at_one_sleep_are_repeats),
		cmocka_unit_test(test_all_the_published_scenarios_are_there),
	};

	return cmocka_run_group_tests(tests, make_work, drop_work);
}
