// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "workloads/cookie_crew.h"
#include "workloads/cookie_meter.h"
#include "workloads/cpu_list.h"
#include "workloads/workload.h"

/* A core of CPUs 0 and 4; owner 10 and hog 11 are of one group, donor 20 and companion 21 of
 * another. */
static struct cookie_meter new_meter(void)
{
	static const int cpus[] = {0, 4};
	struct cookie_meter meter;

	assert_int_equal(cookie_meter_begin(&meter, cpus, 2, 1000, 9000, 100), 0);
	assert_int_equal(cookie_meter_add(&meter, 10, 1), 0);
	assert_int_equal(cookie_meter_add(&meter, 11, 1), 0);
	assert_int_equal(cookie_meter_add(&meter, 20, 2), 0);
	assert_int_equal(cookie_meter_add(&meter, 21, 2), 0);
	return meter;
}

static void run_task(struct cookie_meter *meter, uint64_t at_ns, int cpu, pid_t pid)
{
	const struct sched_trace_record record = {
		.kind = SCHED_TRACE_SWITCH, .at_ns = at_ns, .cpu = cpu, .next_pid = pid};

	assert_int_equal(cookie_meter_take(meter, &record), 0);
}

static void test_one_cookie_on_a_core_is_no_overlap(void **state)
{
	struct cookie_meter meter = new_meter();

	(void)state;
	run_task(&meter, 500, 0, 10);
	run_task(&meter, 600, 4, 0);
	run_task(&meter, 2000, 4, 11); /* the owner and a hog */
	run_task(&meter, 3000, 0, 0);
	run_task(&meter, 3000, 4, 0);
	run_task(&meter, 3500, 0, 21); /* the others */
	run_task(&meter, 3600, 4, 20);
	run_task(&meter, 3700, 7, 10); /* another core */
	cookie_meter_end(&meter);
	assert_int_equal(meter.overlaps, 0);
	assert_int_equal(meter.violations, 0);
	assert_int_equal(meter.overlap_ns, 0);
	assert_int_equal(meter.blind_ns, 0);
	assert_int_equal(meter.idle_ns[0], 500);	/* 3000 to 3500 */
	assert_int_equal(meter.idle_ns[1], 1000 + 600); /* 1000 to 2000, 3000 to 3600 */
}

static void test_an_overlap_counts_beyond_the_switch_over(void **state)
{
	struct cookie_meter meter = new_meter();

	(void)state;
	run_task(&meter, 500, 0, 10);
	run_task(&meter, 500, 4, 0);
	run_task(&meter, 2000, 4, 21);
	run_task(&meter, 2100, 0, 0); /* 100: just what may be */
	run_task(&meter, 3000, 0, 11);
	run_task(&meter, 3101, 4, 0); /* 101 */
	run_task(&meter, 4000, 4, 20);
	run_task(&meter, 4100, 0, 10); /* still another of the first group */
	run_task(&meter, 5000, 4, 11);
	cookie_meter_end(&meter);
	assert_int_equal(meter.overlaps, 3);
	assert_int_equal(meter.overlap_ns, 100 + 101 + 1000);
	assert_int_equal(meter.longest_ns, 1000);
	assert_int_equal(meter.violations, 2);
	assert_int_equal(meter.beyond_ns, 1 + 900);
}

static void test_a_task_without_a_cookie_is_a_stranger_to_all(void **state)
{
	struct cookie_meter meter = new_meter();

	(void)state;
	run_task(&meter, 500, 0, 10);
	run_task(&meter, 500, 4, 77);  /* somebody's, or the kernel's */
	run_task(&meter, 1500, 0, 78); /* and two of them go together */
	cookie_meter_end(&meter);
	assert_int_equal(meter.violations, 1);
	assert_int_equal(meter.overlap_ns, 500); /* from the beginning of what counts */
}

static void test_only_what_is_in_between_counts(void **state)
{
	struct cookie_meter meter = new_meter();

	(void)state;
	run_task(&meter, 100, 0, 10);
	run_task(&meter, 200, 4, 21);
	run_task(&meter, 900, 4, 0);
	run_task(&meter, 8700, 4, 21);
	run_task(&meter, 9500, 4, 0);
	run_task(&meter, 9600, 4, 21);
	run_task(&meter, 9999, 4, 0);
	cookie_meter_end(&meter);
	assert_int_equal(meter.overlaps, 1);
	assert_int_equal(meter.overlap_ns, 300);
	assert_int_equal(meter.violations, 1);
	assert_int_equal(meter.idle_ns[1], 7700);
}

static void test_what_goes_on_at_the_end_counts(void **state)
{
	struct cookie_meter meter = new_meter();

	(void)state;
	run_task(&meter, 100, 0, 10);
	run_task(&meter, 200, 4, 21);
	cookie_meter_end(&meter);
	assert_int_equal(meter.overlap_ns, 8000);
	assert_int_equal(meter.violations, 1);
}

/* The CPU that was not heard of may have executed anything. */
static void test_an_unknown_cpu_is_blindness(void **state)
{
	struct cookie_meter meter = new_meter();

	(void)state;
	run_task(&meter, 100, 0, 10);
	run_task(&meter, 4000, 4, 0);
	cookie_meter_end(&meter);
	assert_int_equal(meter.blind_ns, 3000);
	assert_int_equal(meter.overlaps, 0);
}

static void test_a_meter_has_its_limits(void **state)
{
	struct cookie_meter meter = new_meter();
	int cpus[COOKIE_METER_CPUS + 1] = {0};

	(void)state;
	for (int i = 4; i < COOKIE_METER_TASKS; i++)
		assert_int_equal(cookie_meter_add(&meter, 100 + i, 1), 0);
	assert_int_equal(cookie_meter_add(&meter, 99, 1), -E2BIG);
	assert_int_equal(cookie_meter_begin(&meter, cpus, COOKIE_METER_CPUS + 1, 0, 1, 1), -E2BIG);
}

static void set_member(struct cookie_crew *crew, unsigned int i, enum cookie_side side,
		       uint64_t cookie)
{
	crew->members[i].tid = 100 + (pid_t)i;
	crew->members[i].side = side;
	crew->members[i].cookie = cookie;
	atomic_store(&crew->n_members, i + 1);
}

static bool has(struct cookie_crew *crew, enum cookie_mode mode, uint64_t owner, uint64_t hog,
		uint64_t donor)
{
	cookie_crew_muster(crew, mode);
	set_member(crew, 0, SIDE_OWNER, owner);
	set_member(crew, 1, SIDE_OWNER, hog);
	set_member(crew, 2, SIDE_DONOR, donor);
	return has_cookies_as_wanted(crew);
}

static void test_cookies_have_to_be_as_wanted(void **state)
{
	static struct cookie_crew crew;

	(void)state;
	assert_true(has(&crew, COOKIES_TWO, 5, 5, 6));
	assert_false(has(&crew, COOKIES_TWO, 5, 5, 5));
	assert_false(has(&crew, COOKIES_TWO, 5, 5, 0));
	assert_false(has(&crew, COOKIES_TWO, 0, 0, 6));
	assert_false(has(&crew, COOKIES_TWO, 5, 7, 6)); /* the hog has one of its own */
	assert_true(has(&crew, COOKIES_ONE, 5, 5, 5));
	assert_false(has(&crew, COOKIES_ONE, 5, 5, 6));
	assert_false(has(&crew, COOKIES_ONE, 0, 0, 0));
	assert_true(has(&crew, COOKIES_NONE, 0, 0, 0));
	assert_false(has(&crew, COOKIES_NONE, 0, 0, 6));
	cookie_crew_muster(&crew, COOKIES_NONE);
	set_member(&crew, 0, SIDE_OWNER, 0); /* no donor has come */
	assert_false(has_cookies_as_wanted(&crew));
}

/* Without cookies the sides stay two groups: that is the control. */
static void test_the_crew_tells_the_meter_who_is_who(void **state)
{
	static struct cookie_crew crew;
	struct cookie_meter meter = new_meter();

	(void)state;
	assert_true(has(&crew, COOKIES_NONE, 0, 0, 0));
	assert_int_equal(cookie_crew_tell(&crew, &meter), 0);
	assert_int_equal(meter.n_tasks, 7);
	assert_int_equal(meter.tasks[4].pid, 100);
	assert_int_equal(meter.tasks[4].group, 1);
	assert_int_equal(meter.tasks[5].group, 1);
	assert_int_equal(meter.tasks[6].group, 2);
	meter = new_meter();
	assert_true(has(&crew, COOKIES_ONE, 5, 5, 5));
	assert_int_equal(cookie_crew_tell(&crew, &meter), 0);
	assert_int_equal(meter.tasks[4].group, meter.tasks[6].group);
}

static void test_lists_of_cpus(void **state)
{
	int cpus[4];

	(void)state;
	assert_int_equal(cpu_list_parse("0,4\n", cpus, 4), 2);
	assert_int_equal(cpus[0], 0);
	assert_int_equal(cpus[1], 4);
	assert_int_equal(cpu_list_parse("2-3,17", cpus, 4), 3);
	assert_int_equal(cpus[1], 3);
	assert_int_equal(cpus[2], 17);
	assert_int_equal(cpu_list_parse("", cpus, 4), 0);
	assert_int_equal(cpu_list_parse("0-4", cpus, 4), -E2BIG);
	assert_int_equal(cpu_list_parse("3-2", cpus, 4), -EINVAL);
	assert_int_equal(cpu_list_parse("1,", cpus, 4), -EINVAL);
	assert_int_equal(cpu_list_parse("-1", cpus, 4), -EINVAL);
	assert_int_equal(cpu_list_parse("1;2", cpus, 4), -EINVAL);
	assert_int_equal(cpu_list_parse("1-", cpus, 4), -EINVAL);
	assert_int_equal(cpu_list_parse("99999999999999999999", cpus, 4), -EINVAL);
}

static void test_its_invariant_is_primary(void **state)
{
	const struct metric_spec *metric = workload_core_cookie.metrics;

	(void)state;
	assert_ptr_equal(workload_find("core-cookie"), &workload_core_cookie);
	assert_string_equal(metric->name, "cookie_violations");
	assert_int_equal(metric->kind, METRIC_INVARIANT);
	assert_int_equal(metric->role, ROLE_PRIMARY);
	assert_true(workload_core_cookie.needs.trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_cookie_on_a_core_is_no_overlap),
		cmocka_unit_test(test_an_overlap_counts_beyond_the_switch_over),
		cmocka_unit_test(test_a_task_without_a_cookie_is_a_stranger_to_all),
		cmocka_unit_test(test_only_what_is_in_between_counts),
		cmocka_unit_test(test_what_goes_on_at_the_end_counts),
		cmocka_unit_test(test_an_unknown_cpu_is_blindness),
		cmocka_unit_test(test_a_meter_has_its_limits),
		cmocka_unit_test(test_cookies_have_to_be_as_wanted),
		cmocka_unit_test(test_the_crew_tells_the_meter_who_is_who),
		cmocka_unit_test(test_lists_of_cpus),
		cmocka_unit_test(test_its_invariant_is_primary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
