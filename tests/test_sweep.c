// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sweep.h"
#include "workloads/workload.h"

static const char *const places[] = {"near", "far", NULL};
static const struct parameter_spec parameters[] = {
	{.name = "depth",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "1",
	 .min = 1,
	 .max = 100000},
	{.name = "phase", .unit = "percent", .kind = PARAMETER_NUMBER, .standard = "0"},
	{.name = "place",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "near",
	 .choices = places},
	{.name = NULL},
};
static const struct workload workload = {.name = "chain", .parameters = parameters};
enum { DEPTH, PHASE, PLACE };

static void expect_values(int parameter, const char *text, const char *expected)
{
	char error[512] = "";
	struct json_object *values =
		sweep_values(&workload, &parameters[parameter], text, error, sizeof(error));

	if (!values)
		fail_msg("'%s' is refused: %s", text, error);
	assert_string_equal(json_object_to_json_string_ext(values, JSON_C_TO_STRING_PLAIN),
			    expected);
	json_object_put(values);
}

static void expect_refusal(int parameter, const char *text, const char *part)
{
	char error[512] = "";

	assert_null(sweep_values(&workload, &parameters[parameter], text, error, sizeof(error)));
	if (!strstr(error, part))
		fail_msg("'%s': '%s' does not say '%s'", text, error, part);
}

static void test_values(void **state)
{
	(void)state;
	expect_values(DEPTH, "4", "[\"4\"]");
	expect_values(DEPTH, "8,1,4", "[\"8\",\"1\",\"4\"]");
	expect_values(DEPTH, "0x10,2", "[\"16\",\"2\"]");
	expect_values(PLACE, "far,near", "[\"far\",\"near\"]");
}

static void test_ranges(void **state)
{
	(void)state;
	expect_values(DEPTH, "1..4", "[\"1\",\"2\",\"3\",\"4\"]");
	expect_values(DEPTH, "5..5", "[\"5\"]");
	expect_values(DEPTH, "1..64x2", "[\"1\",\"2\",\"4\",\"8\",\"16\",\"32\",\"64\"]");
	expect_values(DEPTH, "1..100x10,50", "[\"1\",\"10\",\"100\",\"50\"]");
	expect_values(DEPTH, "3..20x3", "[\"3\",\"9\"]");
	expect_values(PHASE, "0..90+30", "[\"0\",\"30\",\"60\",\"90\"]");
	expect_values(PHASE, "0..89+30", "[\"0\",\"30\",\"60\"]");
	/* The step beyond the end must not come round from below. */
	expect_values(PHASE, "18446744073709551614..18446744073709551615+9",
		      "[\"18446744073709551614\"]");
	expect_values(PHASE, "9223372036854775808..18446744073709551615x2",
		      "[\"9223372036854775808\"]");
}

static void test_refusals(void **state)
{
	(void)state;
	expect_refusal(DEPTH, "", "a value is missing");
	expect_refusal(DEPTH, "1,,2", "a value is missing");
	expect_refusal(DEPTH, "1,", "a value is missing");
	expect_refusal(DEPTH, "many", "depth is a number from 1 to 100000 (count); not 'many'");
	expect_refusal(DEPTH, "0..2", "not '0'");
	expect_refusal(DEPTH, "1,2,0x1", "1 comes twice");
	expect_refusal(DEPTH, "1..4,3", "3 comes twice");
	expect_refusal(DEPTH, "4..1", "is no range");
	expect_refusal(DEPTH, "1..", "is no range");
	expect_refusal(DEPTH, "..4", "is no range");
	expect_refusal(DEPTH, "1..8+0", "is no range");
	expect_refusal(DEPTH, "1..8x1", "is no range");
	expect_refusal(DEPTH, "1..8x", "is no range");
	expect_refusal(PHASE, "0..8x2", "is no range");
	expect_refusal(DEPTH, "1..8x2x2", "is no range");
	expect_refusal(DEPTH, "1..8*2", "is no range");
	expect_refusal(DEPTH, "1..65", "at most 64 values");
	expect_refusal(PHASE, "0..18446744073709551615", "at most 64 values");
	expect_refusal(PLACE, "near..far", "place is one of near, far; not 'near..far'");
	expect_refusal(PLACE, "near,next-door", "not 'next-door'");
}

static void test_as_many_as_allowed(void **state)
{
	char error[512];
	struct json_object *values =
		sweep_values(&workload, &parameters[DEPTH], "1..64", error, sizeof(error));

	(void)state;
	assert_non_null(values);
	assert_int_equal(json_object_array_length(values), SWEEP_MAX_VALUES);
	json_object_put(values);
}

static void test_plain_values(void **state)
{
	char *value = parameter_plain_value(&parameters[DEPTH], "0x20");

	(void)state;
	assert_string_equal(value, "32");
	free(value);
	value = parameter_plain_value(&parameters[PLACE], "far");
	assert_string_equal(value, "far");
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	     cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_refusals),     cmocka_unit_test(test_as_many_as_allowed),
		cmocka_unit_test(test_plain_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
