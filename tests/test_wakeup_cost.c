// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "measure/clock.h"
#include "workloads/operation.h"
#include "workloads/workload.h"

static void test_the_figure_is_the_median_batch(void **state)
{
	static const uint64_t ticks[] = {1000, 5000, 1001, 1100, 900};
	static struct reservoir reservoir;
	struct operation_result result = {.batch_ticks = &reservoir, .per_batch = 4};

	(void)state;
	reservoir_init(&reservoir, 1);
	for (int i = 0; i < 4; i++)
		reservoir_record(&reservoir, ticks[i]);
	/* Of an even number it is one that was measured. */
	assert_true(operation_ticks(&result) == 1001 / 4.0);
	reservoir_record(&reservoir, ticks[4]);
	assert_true(operation_ticks(&result) == 1001 / 4.0);
	assert_int_equal(operation_batches(&result), 5);
	/* 900 and 1100 are 10.1 and 9.9 % away. */
	assert_int_equal(operation_alike(&result, 10), 3);
	assert_int_equal(operation_alike(&result, 11), 4);
	result = (struct operation_result){0};
	assert_true(operation_ticks(&result) == 0);
	assert_int_equal(operation_alike(&result, 10), 0);
}

static int a_cpu(void)
{
	cpu_set_t allowed;

	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			return cpu;
	return -1;
}

/* Whatever the machine does besides: each operation is done, and by the tasks it is said to be. */
static void test_every_operation_does_what_it_is_for(void **state)
{
	static const volatile int stop;

	(void)state;
	for (int kind = 0; kind < OPERATION_KINDS; kind++) {
		struct operation_request request = {.kind = (enum operation_kind)kind,
						    .cpu = a_cpu(),
						    .batches = 20,
						    .limit_ns = 60 * NS_PER_S,
						    .stop = &stop};
		struct operation_result result;
		int err = operation_run(&request, &result);

		if (err == -EPERM) {
			print_message("%s: not permitted here\n", operation_name(request.kind));
			operation_release(&result);
			continue;
		}
		assert_int_equal(err, 0);
		/* 20 and a tenth, and one more. */
		assert_int_equal(result.attempted, 23 * result.per_batch);
		assert_true(result.done * 10 >= result.attempted * 9);
		assert_true(operation_ticks(&result) > 0);
		/* Others on this CPU can only add to them. */
		assert_true(result.switches * 10 >= result.switches_expected * 9);
		operation_release(&result);
		assert_null(result.batch_ticks);
	}
}

static void test_a_stopped_run_ends(void **state)
{
	static const volatile int stop = 1;
	struct operation_request request = {.kind = OPERATION_PIPE,
					    .cpu = a_cpu(),
					    .batches = 100000000,
					    .limit_ns = UINT64_MAX / 2,
					    .stop = &stop};
	struct operation_result result;
	int err;

	(void)state;
	err = operation_run(&request, &result);
	if (err == -ENOMEM)
		skip();
	assert_int_equal(err, -EINTR);
	/* The threads that are left use none of the caller's memory. */
	assert_null(result.batch_ticks);
	assert_int_equal(operation_batches(&result), 0);
	memset(&request, 0xa0, sizeof(request));
	operation_release(&result);
}

static void test_names_and_tables_agree(void **state)
{
	const struct metric_spec *metrics = workload_wakeup_cost.metrics;

	(void)state;
	assert_ptr_equal(workload_find("wakeup-cost"), &workload_wakeup_cost);
	assert_true(workload_wakeup_cost.is_alone);
	for (int kind = 0; kind < OPERATION_KINDS; kind++) {
		const char *name = operation_name((enum operation_kind)kind);
		unsigned int found = 0;

		for (size_t i = 0; metrics[i].name; i++)
			found += !strncmp(metrics[i].name, name, strlen(name)) &&
				 (!strcmp(metrics[i].name + strlen(name), "_ns") ||
				  !strcmp(metrics[i].name + strlen(name), "_instructions"));
		assert_int_equal(found, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_figure_is_the_median_batch),
		cmocka_unit_test(test_every_operation_does_what_it_is_for),
		cmocka_unit_test(test_names_and_tables_agree),
		/* Last: it leaves two threads behind. */
		cmocka_unit_test(test_a_stopped_run_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
