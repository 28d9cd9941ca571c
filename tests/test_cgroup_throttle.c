// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "workloads/weak_cgroup.h"
#include "workloads/workload.h"

/* The standards with one value replaced. */
static int check(const char *name, const char *value, char error[256])
{
	const char *values[32];

	for (size_t i = 0; workload_cgroup_throttle.parameters[i].name; i++)
		values[i] = strcmp(workload_cgroup_throttle.parameters[i].name, name)
				    ? workload_cgroup_throttle.parameters[i].standard
				    : value;
	error[0] = '\0';
	return workload_check_values(&workload_cgroup_throttle, values, error, 256);
}

static void test_quota_is_used_up_when_the_donor_comes(void **state)
{
	char error[256];

	(void)state;
	assert_int_equal(check("", "", error), 0);
	/* 35 % of 8 ms less the 1 ms that a CPU keeps */
	assert_int_equal(check("quota_us", "1800", error), 0);
	assert_int_equal(check("quota_us", "1801", error), -EINVAL);
	assert_string_equal(
		error, "cgroup-throttle: the load may come when the owner has used 2800 us, and "
		       "it has its quota of 1801 us and up to 1000 us from before; take a "
		       "smaller quota_us, a longer section_us or a larger phase_min_percent");
	assert_int_equal(check("section_us", "5715", error), 0);
	assert_int_equal(check("section_us", "5714", error), -EINVAL);
}

static void test_values_that_do_not_go_together(void **state)
{
	char error[256];

	(void)state;
	assert_int_equal(check("phase_min_percent", "55", error), -EINVAL);
	assert_string_equal(error, "cgroup-throttle: phase_min_percent (55) must be below "
				   "phase_max_percent (55)");
	assert_int_equal(check("period_us", "1000", error), -EINVAL);
	assert_string_equal(error, "cgroup-throttle: a quota of 1000 us in 1000 us throttles "
				   "nobody; quota_us must be below period_us");
	assert_int_equal(check("donor", "fifo", error), 0);
}

static void test_fifo_donor_is_never_throttled(void **state)
{
	static const char *const throttled[] = {"owner", "donor", "both"};
	static const int expected[] = {0, -EINVAL, -EINVAL};

	(void)state;
	for (int i = 0; i < 3; i++) {
		const char *values[32];
		char error[256] = "";

		for (size_t j = 0; workload_cgroup_throttle.parameters[j].name; j++) {
			const struct parameter_spec *row = &workload_cgroup_throttle.parameters[j];

			values[j] = !strcmp(row->name, "throttled") ? throttled[i]
				    : !strcmp(row->name, "donor")   ? "fifo"
								    : row->standard;
		}
		assert_int_equal(workload_check_values(&workload_cgroup_throttle, values, error,
						       sizeof(error)),
				 expected[i]);
		if (expected[i])
			assert_string_equal(error,
					    "cgroup-throttle: no cpu.max throttles a SCHED_FIFO "
					    "donor; take throttled=owner, or donor=nice");
	}
}

static void test_cpu_stat(void **state)
{
	struct cgroup_throttling throttling;

	(void)state;
	/* As kernel 7.2 writes it. */
	assert_int_equal(weak_cgroup_parse_throttling("usage_usec 70\nuser_usec 50\n"
						      "system_usec 20\nnice_usec 0\n"
						      "nr_periods 12\nnr_throttled 7\n"
						      "throttled_usec 654321\nnr_bursts 0\n"
						      "burst_usec 0\n",
						      &throttling),
			 0);
	assert_int_equal(throttling.periods, 7);
	assert_int_equal(throttling.time_us, 654321);
	/* Without the cpu controller there is usage alone. */
	assert_int_equal(weak_cgroup_parse_throttling("usage_usec 70\n", &throttling), -EINVAL);
	assert_int_equal(weak_cgroup_parse_throttling("nr_throttled 7\n", &throttling), -EINVAL);
	assert_int_equal(weak_cgroup_parse_throttling("", &throttling), -EINVAL);
	assert_int_equal(
		weak_cgroup_parse_throttling("nr_throttled x\nthrottled_usec 1\n", &throttling),
		-EINVAL);
}

static void test_cgroup_that_is_not_there(void **state)
{
	struct cgroup_throttling throttling = {0};

	(void)state;
	assert_int_equal(weak_cgroup_throttling("/nonexistent", &throttling), -ENOENT);
	assert_int_equal(weak_cgroup_add_throttling("/nonexistent", &throttling, &throttling),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quota_is_used_up_when_the_donor_comes),
		cmocka_unit_test(test_values_that_do_not_go_together),
		cmocka_unit_test(test_fifo_donor_is_never_throttled),
		cmocka_unit_test(test_cpu_stat),
		cmocka_unit_test(test_cgroup_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
