// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "measure/histogram.h"
#include "measure/random.h"

static struct histogram histogram, other;

static void test_edges_follow_each_other_without_a_gap(void **state)
{
	uint64_t next = 0;

	(void)state;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		assert_int_equal(histogram_lower_edge(i), next);
		next += histogram_width(i);
	}
	assert_true(next == UINT64_C(1) << HISTOGRAM_MAX_BITS);
}

static void test_every_edge_falls_into_its_own_bucket(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t lower = histogram_lower_edge(i), width = histogram_width(i);

		assert_int_equal(histogram_index(lower), i);
		assert_int_equal(histogram_index(lower + width - 1), i);
		/* The promise: a bucket is at most 1/64 of its lower edge wide, or exact. */
		assert_true(width == 1 || width * 64 <= lower);
	}
	assert_int_equal(histogram_index(127), 127);
	assert_int_equal(histogram_index(128), 128);
	assert_int_equal(histogram_index(129), 128);
	assert_int_equal(histogram_index(255), 191);
	assert_int_equal(histogram_index(256), 192);
	assert_int_equal(histogram_index(5000000), 1100);
}

static void test_nothing_is_lost(void **state)
{
	(void)state;
	histogram_init(&histogram, 10);
	histogram_record(&histogram, 9);
	histogram_record(&histogram, 10);
	histogram_record(&histogram, (UINT64_C(1) << 42) - 1);
	histogram_record(&histogram, UINT64_C(1) << 42);
	histogram_record(&histogram, UINT64_MAX);
	assert_int_equal(histogram.samples, 5);
	assert_int_equal(histogram.underflow, 1);
	assert_int_equal(histogram.overflow, 2);
	assert_int_equal(histogram.buckets[10], 1);
	assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(histogram.min, 9);
	assert_true(histogram.max == UINT64_MAX);
}

static void test_quantiles_of_small_values_are_exact(void **state)
{
	(void)state;
	histogram_init(&histogram, 0);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
	for (uint64_t value = 1; value <= 100; value++)
		histogram_record(&histogram, value);
	assert_int_equal(histogram_quantile(&histogram, 0), 1);
	assert_int_equal(histogram_quantile(&histogram, 0.01), 1);
	assert_int_equal(histogram_quantile(&histogram, 0.07), 7);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 50);
	assert_int_equal(histogram_quantile(&histogram, 0.501), 51);
	assert_int_equal(histogram_quantile(&histogram, 0.9), 90);
	assert_int_equal(histogram_quantile(&histogram, 0.99), 99);
	assert_int_equal(histogram_quantile(&histogram, 1), 100);
}

static void test_quantiles_are_clamped_to_what_was_seen(void **state)
{
	(void)state;
	histogram_init(&histogram, 0);
	histogram_record(&histogram, 1000001);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 1000001);
	histogram_record(&histogram, UINT64_C(1) << 50);
	assert_true(histogram_quantile(&histogram, 1) == UINT64_C(1) << 50);
	histogram_init(&histogram, 100);
	histogram_record(&histogram, 3);
	histogram_record(&histogram, 5);
	histogram_record(&histogram, 120);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 3);
	assert_int_equal(histogram_quantile(&histogram, 1), 120);
}

static void test_a_quantile_is_off_by_less_than_one_percent(void **state)
{
	struct random random = {.state = 4};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint64_t value = random_below(&random, UINT64_C(1) << 41) + 128;
		uint64_t quantile;

		histogram_init(&histogram, 0);
		/* Two far neighbours, so that nothing is clamped. */
		histogram_record(&histogram, 0);
		histogram_record(&histogram, value);
		histogram_record(&histogram, UINT64_MAX);
		quantile = histogram_quantile(&histogram, 0.5);
		assert_true((double)llabs((long long)(quantile - value)) <= 0.0079 * (double)value);
	}
}

static void test_merging_is_recording_both(void **state)
{
	(void)state;
	histogram_init(&histogram, 0);
	histogram_init(&other, 0);
	histogram_record(&histogram, 7);
	histogram_record(&other, 3);
	histogram_record(&other, UINT64_C(1) << 43);
	assert_int_equal(histogram_merge(&histogram, &other), 0);
	assert_int_equal(histogram.samples, 3);
	assert_int_equal(histogram.overflow, 1);
	assert_int_equal(histogram.min, 3);
	assert_true(histogram.max == UINT64_C(1) << 43);
	assert_int_equal(histogram.buckets[3], 1);
	assert_int_equal(histogram.buckets[7], 1);
	histogram_init(&other, 1);
	assert_int_equal(histogram_merge(&histogram, &other), -EINVAL);
}

static void test_json_there_and_back(void **state)
{
	struct json_object *object;

	(void)state;
	histogram_init(&histogram, 2);
	histogram_record(&histogram, 1);
	histogram_record(&histogram, 5);
	histogram_record(&histogram, 5);
	histogram_record(&histogram, 5000000);
	histogram_record(&histogram, UINT64_C(1) << 42);
	object = histogram_to_json(&histogram);
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			    "{\"bits\":7,\"lowest\":2,\"max_bits\":42,\"underflow\":1,"
			    "\"overflow\":1,\"buckets\":[[5,2],[1100,1]]}");
	assert_int_equal(histogram_from_json(&other, object), 0);
	json_object_put(object);
	assert_int_equal(other.samples, 5);
	assert_int_equal(other.underflow, 1);
	assert_int_equal(other.overflow, 1);
	assert_int_equal(other.buckets[5], 2);
	assert_int_equal(other.buckets[1100], 1);
	assert_int_equal(other.lowest, 2);
}

static void refuse(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	assert_int_equal(histogram_from_json(&other, object), -EINVAL);
	json_object_put(object);
}

#define HEAD "{\"bits\":7,\"lowest\":0,\"max_bits\":42,\"underflow\":0,\"overflow\":0,"

static void test_bad_json_is_refused(void **state)
{
	(void)state;
	refuse("[]");
	refuse("{}");
	refuse(HEAD "\"buckets\":3}");
	refuse(HEAD "\"buckets\":[[1]]}");
	refuse(HEAD "\"buckets\":[[1,0]]}");
	refuse(HEAD "\"buckets\":[[1,-1]]}");
	refuse(HEAD "\"buckets\":[[2,1],[1,1]]}");
	refuse(HEAD "\"buckets\":[[1,1],[1,1]]}");
	refuse(HEAD "\"buckets\":[[2368,1]]}");
	refuse(HEAD "\"buckets\":[[1,\"1\"]]}");
	refuse("{\"bits\":8,\"lowest\":0,\"max_bits\":42,\"underflow\":0,\"overflow\":0,\"buckets\":[]}");
	refuse("{\"bits\":7,\"lowest\":0,\"max_bits\":42,\"underflow\":-1,\"overflow\":0,\"buckets\":[]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges_follow_each_other_without_a_gap),
		cmocka_unit_test(test_every_edge_falls_into_its_own_bucket),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_quantiles_of_small_values_are_exact),
		cmocka_unit_test(test_quantiles_are_clamped_to_what_was_seen),
		cmocka_unit_test(test_a_quantile_is_off_by_less_than_one_percent),
		cmocka_unit_test(test_merging_is_recording_both),
		cmocka_unit_test(test_json_there_and_back),
		cmocka_unit_test(test_bad_json_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
