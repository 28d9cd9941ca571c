// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "bench/options.h"

struct values {
	bool json;
	uint64_t boots;
	const char *time;
	const char *profile;
	double margin_percent;
	struct string_list variants;
};

static const char *const times[] = {"real", "virtual", NULL};

static const struct option_spec table[] = {
	{.name = "json", .kind = OPTION_FLAG, .help = "", .offset = offsetof(struct values, json)},
	{.name = "boots",
	 .letter = 'n',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .help = "",
	 .standard = "3",
	 .min = 1,
	 .max = 100,
	 .offset = offsetof(struct values, boots)},
	{.name = "time",
	 .kind = OPTION_CHOICE,
	 .argument = "KIND",
	 .help = "",
	 .choices = times,
	 .standard = "real",
	 .offset = offsetof(struct values, time)},
	{.name = "quick",
	 .kind = OPTION_PRESET,
	 .help = "",
	 .preset = "quick",
	 .offset = offsetof(struct values, profile)},
	{.name = "margin",
	 .kind = OPTION_PERCENT,
	 .argument = "PERCENT",
	 .help = "",
	 .standard = "5",
	 .offset = offsetof(struct values, margin_percent)},
	{.name = "variant",
	 .kind = OPTION_LIST,
	 .argument = "V",
	 .help = "",
	 .offset = offsetof(struct values, variants)},
	OPTIONS_END,
};

static const struct command command = {
	.name = "test", .usage = "", .summary = "", .options = table};

static int parse(struct values *values, struct string_list *operands, int argc, const char **argv)
{
	return options_parse(&command, argc, (char **)argv, values, operands);
}
#define PARSE(values, operands, ...)                                                   \
	parse(values, operands,                                                        \
	      (int)(sizeof((const char *[]){"test", ##__VA_ARGS__}) / sizeof(char *)), \
	      (const char *[]){"test", ##__VA_ARGS__, NULL})

static void test_defaults_are_parsed(void **state)
{
	struct values values = {0};

	(void)state;
	assert_int_equal(PARSE(&values, NULL), 0);
	assert_int_equal(values.boots, 3);
	assert_string_equal(values.time, "real");
	assert_null(values.profile);
	assert_true(values.margin_percent == 5);
}

static void test_percentages_may_have_a_fraction(void **state)
{
	static const struct {
		const char *text;
		double percent;
	} good[] = {{"2.5", 2.5}, {"2.5%", 2.5}, {"7", 7}, {"7%", 7}, {"100", 100}, {"0.01", 0.01}};
	static const char *const bad[] = {"",	 "0",	"0.0", "-1",   "101",  "100.1", "2,5",
					  "1e1", "0x5", ".5",  "5.",   "5.%",  "5%%",	"%",
					  "5 %", "nan", "inf", "five", "2.5.1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct values values = {0};

		assert_int_equal(PARSE(&values, NULL, "--margin", good[i].text), 0);
		assert_true(values.margin_percent == good[i].percent);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct values values = {0};

		assert_int_equal(PARSE(&values, NULL, "--margin", bad[i]), -EINVAL);
	}
}

static void test_every_kind_lands_in_its_field(void **state)
{
	struct values values = {0};
	struct string_list operands = {0};

	(void)state;
	assert_int_equal(PARSE(&values, &operands, "one", "--json", "-n", "7", "--time=virtual",
			       "--quick", "--variant", "a", "two", "--variant=b"),
			 0);
	assert_true(values.json);
	assert_int_equal(values.boots, 7);
	assert_string_equal(values.time, "virtual");
	assert_string_equal(values.profile, "quick");
	assert_int_equal(values.variants.count, 2);
	assert_string_equal(values.variants.items[1], "b");
	assert_int_equal(operands.count, 2);
	assert_string_equal(operands.items[1], "two");
	options_release(&command, &values, &operands);
}

static void test_bad_lines_are_refused(void **state)
{
	struct values values = {0};
	struct string_list operands = {0};

	(void)state;
	assert_int_equal(PARSE(&values, NULL, "--boots", "0"), -EINVAL);
	assert_int_equal(PARSE(&values, NULL, "--boots", "101"), -EINVAL);
	assert_int_equal(PARSE(&values, NULL, "--boots", "7x"), -EINVAL);
	assert_int_equal(PARSE(&values, NULL, "--boots", "-1"), -EINVAL);
	assert_int_equal(PARSE(&values, NULL, "--boots"), -EINVAL);
	assert_int_equal(PARSE(&values, NULL, "--time", "warp"), -EINVAL);
	assert_int_equal(PARSE(&values, NULL, "--nonsense"), -EINVAL);
	assert_int_equal(PARSE(&values, NULL, "operand"), -EINVAL);
	assert_int_equal(PARSE(&values, &operands, "one", ""), -EINVAL);
	options_release(&command, &values, &operands);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_parsed),
		cmocka_unit_test(test_every_kind_lands_in_its_field),
		cmocka_unit_test(test_percentages_may_have_a_fraction),
		cmocka_unit_test(test_bad_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
