// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "measure/histogram.h"
#include "reports/import.h"
#include "workloads/cyclictest.h"
#include "workloads/workload.h"

/* Two threads, -h 40: one sample of the second is beyond it. */
static const char text[] = "# /dev/cpu_dma_latency set to 0us\n"
			   "# Histogram\n"
			   "000003 000002\t000000\n"
			   "000005 000096\t000098\n"
			   "000029 000002\t000001\n"
			   "# Total: 000000100 000000099\n"
			   "# Min Latencies: 00003 00005\n"
			   "# Avg Latencies: 00005 00006\n"
			   "# Max Latencies: 00029 00077\n"
			   "# Histogram Overflows: 00000 00001\n"
			   "# Histogram Overflow at cycle number:\n"
			   "# Thread 0:\n"
			   "# Thread 1: 00042\n";

static void test_no_sample_is_lost(void **state)
{
	struct cyclictest_output output;
	struct histogram histogram;
	char error[640] = "";

	(void)state;
	assert_int_equal(cyclictest_read(text, strlen(text), &output, error, sizeof(error)), 0);
	assert_int_equal(output.n_threads, 2);
	assert_int_equal(output.threads[0].samples, 100);
	assert_int_equal(output.threads[0].overflow, 0);
	assert_int_equal(output.threads[1].samples, 100);
	assert_int_equal(output.threads[1].overflow, 1);
	assert_int_equal(cyclictest_quantile_ns(&output.threads[0], 0.5), 5000);
	assert_int_equal(cyclictest_quantile_ns(&output.threads[0], 0.99), 29000);
	/* 98 and 1 of 100 are in the rows: the last is the maximum. */
	assert_int_equal(cyclictest_quantile_ns(&output.threads[1], 0.99), 29000);
	assert_int_equal(cyclictest_quantile_ns(&output.threads[1], 0.999), 77000);
	histogram_init(&histogram, 0);
	cyclictest_record(&output.threads[0], &histogram);
	cyclictest_record(&output.threads[1], &histogram);
	assert_int_equal(histogram.samples, 200);
	assert_int_equal(histogram.overflow, 1);
	assert_int_equal(histogram.min, 3000);
	assert_int_equal(histogram.max, 77000);
	assert_int_equal(histogram_quantile(&histogram, 1), 77000);
	cyclictest_output_release(&output);
}

static int64_t member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, key, &value));
	return json_object_get_int64(value);
}

/* The same text through `proxeval import`: the same figures. */
static void test_it_agrees_with_the_import(void **state)
{
	struct json_object *metrics = NULL, *metric, *histogram = NULL;
	const struct import_hints hints = {0};
	struct cyclictest_output output;
	struct imported imported;
	char error[640] = "";

	(void)state;
	assert_int_equal(cyclictest_read(text, strlen(text), &output, error, sizeof(error)), 0);
	assert_int_equal(
		import_text(&import_cyclictest, "x", text, strlen(text), &hints, &imported), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct cyclictest_thread *thread = &output.threads[i];

		/* The first section is of all threads. */
		json_object_object_get_ex(json_object_array_get_idx(imported.sections, i + 1),
					  "metrics", &metrics);
		metric = json_object_array_get_idx(metrics, 0);
		json_object_object_get_ex(metric, "histogram", &histogram);
		assert_int_equal(member(metric, "samples"), thread->samples);
		assert_int_equal(member(metric, "min"), thread->min_ns);
		assert_int_equal(member(metric, "max"), thread->max_ns);
		assert_int_equal(member(metric, "p50"), cyclictest_quantile_ns(thread, 0.5));
		assert_int_equal(member(metric, "p90"), cyclictest_quantile_ns(thread, 0.9));
		assert_int_equal(member(metric, "p99"), cyclictest_quantile_ns(thread, 0.99));
		assert_int_equal(member(histogram, "overflow"), thread->overflow);
	}
	imported_release(&imported);
	cyclictest_output_release(&output);
}

static void test_what_was_cut_short_is_refused(void **state)
{
	struct cyclictest_output output;
	char error[640] = "", half[sizeof(text)];

	(void)state;
	strcpy(half, text);
	*strstr(half, "# Max") = '\0';
	assert_int_equal(cyclictest_read(half, strlen(half), &output, error, sizeof(error)),
			 -EINVAL);
	assert_non_null(strstr(error, "the output was cut short"));
	assert_int_equal(cyclictest_read("", 0, &output, error, sizeof(error)), -EINVAL);
}

static void test_its_tables(void **state)
{
	(void)state;
	assert_ptr_equal(workload_find("latency"), &workload_latency);
	assert_string_equal(workload_latency.needs.programs[0], "cyclictest");
	assert_string_equal(workload_latency.needs.knobs[0],
			    "/proc/sys/kernel/sched_rt_runtime_us");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_sample_is_lost),
		cmocka_unit_test(test_it_agrees_with_the_import),
		cmocka_unit_test(test_what_was_cut_short_is_refused),
		cmocka_unit_test(test_its_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
