// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "measure/metric.h"

static const struct metric_spec table[] = {
	{.name = "wait_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY},
	{.name = "share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE},
	{.name = "lost",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY},
	{.name = "violations",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_PRIMARY},
	{.name = NULL},
};

static int setup(void **state)
{
	*state = result_new(table);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	result_free(*state);
	return 0;
}

/* The result as JSON; the caller puts it. */
static struct json_object *whole(void **state)
{
	return result_to_json(*state);
}

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, key, &value));
	return value;
}

static struct json_object *metric(struct json_object *object, size_t i)
{
	return json_object_array_get_idx(member(object, "metrics"), i);
}

static const char *text(struct json_object *object, const char *key)
{
	return json_object_get_string(member(object, key));
}

static void test_a_distribution_tells_what_its_samples_carry(void **state)
{
	struct histogram *histogram = result_histogram(*state, "wait_ns");
	struct json_object *object, *wait;

	for (int i = 1; i <= 10; i++)
		histogram_record(histogram, (uint64_t)i);
	object = whole(state);
	wait = metric(object, 0);
	assert_string_equal(text(wait, "outcome"), "ok");
	assert_null(member(wait, "reason"));
	assert_string_equal(text(wait, "kind"), "distribution");
	assert_string_equal(text(wait, "direction"), "lower");
	assert_string_equal(text(wait, "role"), "primary");
	assert_string_equal(text(wait, "samples"), "10");
	assert_string_equal(text(wait, "min"), "1");
	assert_string_equal(text(wait, "max"), "10");
	assert_string_equal(text(wait, "mean"), "5.5");
	assert_string_equal(text(wait, "p50"), "5");
	assert_string_equal(text(wait, "p90"), "9");
	assert_null(member(wait, "p99"));
	assert_null(member(wait, "p99_9"));
	json_object_put(object);
}

static void test_what_was_not_measured_is_broken(void **state)
{
	struct json_object *object = whole(state);

	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(text(metric(object, i), "outcome"), "broken");
		assert_non_null(member(metric(object, i), "reason"));
	}
	assert_null(member(metric(object, 0), "p50"));
	assert_null(member(metric(object, 0), "mean"));
	assert_null(member(metric(object, 1), "value"));
	assert_null(member(metric(object, 2), "value"));
	json_object_put(object);
}

static void test_scalars_counters_and_invariants(void **state)
{
	struct json_object *object;

	result_set_scalar(*state, "share", 0.05);
	result_set_counter(*state, "lost", UINT64_C(1) << 40);
	result_set_invariant(*state, "violations", 0, 1000);
	object = whole(state);
	assert_string_equal(json_object_to_json_string(member(metric(object, 1), "value")), "0.05");
	assert_string_equal(text(metric(object, 2), "value"), "1099511627776");
	assert_string_equal(text(metric(object, 3), "violations"), "0");
	assert_string_equal(text(metric(object, 3), "exposure"), "1000");
	assert_string_equal(text(metric(object, 3), "outcome"), "ok");
	json_object_put(object);
}

static void test_no_number_is_not_a_number(void **state)
{
	struct json_object *object;

	result_set_scalar(*state, "share", NAN);
	result_add_fact(*state, "infinite", INFINITY);
	object = whole(state);
	assert_null(member(metric(object, 1), "value"));
	assert_string_equal(text(metric(object, 1), "outcome"), "broken");
	assert_null(member(member(object, "facts"), "infinite"));
	assert_null(strstr(json_object_to_json_string(object), "NaN"));
	json_object_put(object);
}

static void test_a_broken_metric_keeps_its_figures_and_first_reason(void **state)
{
	struct json_object *object;

	result_set_counter(*state, "lost", 7);
	result_break_metric(*state, "lost", "the first");
	result_break_metric(*state, "lost", "the second");
	object = whole(state);
	assert_string_equal(text(metric(object, 2), "outcome"), "broken");
	assert_string_equal(text(metric(object, 2), "reason"), "the first");
	assert_string_equal(text(metric(object, 2), "value"), "7");
	json_object_put(object);
}

static void test_evidence_and_facts_keep_their_order(void **state)
{
	struct json_object *object, *evidence;

	result_add_evidence(*state, "blocked", true, 6, 6, "six of six");
	result_add_evidence(*state, "proxying", false, 0, 6, "none");
	result_add_fact(*state, "section_cpu_ns", 5000000);
	object = whole(state);
	evidence = member(object, "evidence");
	assert_int_equal(json_object_array_length(evidence), 2);
	assert_string_equal(
		json_object_to_json_string_ext(json_object_array_get_idx(evidence, 0),
					       JSON_C_TO_STRING_PLAIN),
		"{\"name\":\"blocked\",\"held\":true,\"observed\":6,\"expected\":6,\"text\":\"six of six\"}");
	assert_string_equal(
		json_object_to_json_string_ext(member(object, "facts"), JSON_C_TO_STRING_PLAIN),
		"{\"section_cpu_ns\":5000000}");
	json_object_put(object);
}

static void test_the_last_outcome_counts(void **state)
{
	struct json_object *object = whole(state);

	assert_string_equal(text(object, "outcome"), "ok");
	assert_null(member(object, "reason"));
	json_object_put(object);
	result_set_outcome(*state, OUTCOME_BROKEN, "first %d", 1);
	result_set_outcome(*state, OUTCOME_FAILED, "second %d", 2);
	assert_int_equal(result_outcome(*state), OUTCOME_FAILED);
	object = whole(state);
	assert_string_equal(text(object, "outcome"), "failed");
	assert_string_equal(text(object, "reason"), "second 2");
	assert_int_equal(json_object_array_length(member(object, "metrics")), 4);
	json_object_put(object);
	result_set_outcome(*state, OUTCOME_UNSUPPORTED, "no such thing");
	object = whole(state);
	assert_int_equal(json_object_array_length(member(object, "metrics")), 0);
	json_object_put(object);
}

static void test_names_that_are_not_in_the_table(void **state)
{
	assert_null(result_histogram(*state, "share"));
	assert_null(result_histogram(*state, "nothing"));
	result_set_scalar(*state, "wait_ns", 1);
	result_set_counter(*state, "share", 1);
	result_set_invariant(*state, "lost", 1, 1);
	result_break_metric(*state, "nothing", "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_distribution_tells_what_its_samples_carry,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_not_measured_is_broken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_scalars_counters_and_invariants, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_number_is_not_a_number, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_broken_metric_keeps_its_figures_and_first_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(test_evidence_and_facts_keep_their_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_the_last_outcome_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_are_not_in_the_table, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
