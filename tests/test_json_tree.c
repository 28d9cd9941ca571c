// SPDX-License-Identifier: GPL-2.0-only
/* The parser of the results takes JSON, refuses the rest with the reason, and reads what it took.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "reports/json_tree.h"

static struct json_tree tree;

static int release(void **state)
{
	(void)state;
	json_tree_release(&tree);
	return 0;
}

/* Kept for as long as the tree is looked at: its nodes point into the text. */
static const struct json_node *parse(const char *text)
{
	char problem[200] = "";

	if (json_tree_parse(&tree, text, strlen(text), 24, problem, sizeof(problem)))
		fail_msg("%s: %s", text, problem);
	return tree.nodes;
}

static void expect_problem(const char *text, size_t size_bytes, const char *expected)
{
	char problem[200] = "";

	assert_int_equal(json_tree_parse(&tree, text, size_bytes, 3, problem, sizeof(problem)),
			 -EINVAL);
	assert_string_equal(problem, expected);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"", "it is cut short: the JSON text does not end"},
		{"[1", "it is cut short: the JSON text does not end"},
		{"[1 2]", "it is not JSON: a comma or ] is needed at byte 3"},
		{"[1,]", "it is not JSON: a value is needed at byte 3"},
		{"{\"a\":1,}", "it is not JSON: a key is needed at byte 7"},
		{"{\"a\" 1}", "it is not JSON: a colon is needed at byte 5"},
		{"{a:1}", "it is not JSON: a key is needed at byte 1"},
		{"1 2", "it is not JSON: the end of the text is needed at byte 2"},
		{"01", "it is not JSON: the end of the text is needed at byte 1"},
		{"1.", "it is cut short: the JSON text does not end"},
		{"[1.]", "it is not JSON: a digit is needed at byte 3"},
		{"[-]", "it is not JSON: a digit is needed at byte 2"},
		{"[1e]", "it is not JSON: a digit is needed at byte 3"},
		{"+1", "it is not JSON: a value is needed at byte 0"},
		{"nul", "it is cut short: the JSON text does not end"},
		{"nult", "it is not JSON: null is needed at byte 3"},
		{"[NaN]", "it is not JSON: the number at byte 1 is not finite"},
		{"[-Infinity]", "it is not JSON: the number at byte 1 is not finite"},
		{"[1e309]", "the number at byte 1 is not finite"},
		{"\"\\x\"", "it is not JSON: an escape that JSON knows is needed at byte 2"},
		{"\"\\u12g4\"", "it is not JSON: a hexadecimal digit is needed at byte 5"},
		{"\"\n\"", "it is not JSON: a control character stands in a string at byte 1"},
		{"\"\x80\"", "it is not UTF-8 at byte 1"},
		{"\"\xe2\x82\"", "it is not UTF-8 at byte 1"},
		{"\"\xf4\x90\x80\x80\"", "it is not UTF-8 at byte 1"},
		{"[[[[1]]]]", "it is nested deeper than 3 levels"},
		{"{\"a\":1,\"b\":2,\"a\":3}", "the key \"a\" appears twice in one object"},
		{"{\"\":1,\"\":3}", "the key \"\" appears twice in one object"},
		{"{\"\\u0061\":1}", "the key at byte 1 is spelt with an escape"},
		{"\xef\xbb\xbf{}", "it begins with a byte order mark, which JSON does not have"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_problem(cases[i].text, strlen(cases[i].text), cases[i].problem);
	expect_problem("\"\0\"", 3,
		       "it is not JSON: a control character stands in a string at byte 1");
	expect_problem("{}\0", 3, "it is not JSON: the end of the text is needed at byte 2");
}

/* Both ways in which equal keys are found: among few, and among many. */
static void test_equal_keys_among_many(void **state)
{
	char text[4096] = "{", problem[200];
	size_t length = 1;

	(void)state;
	for (int i = 0; i < 100; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "\"key-%d\":%d,",
					   i, i);
	snprintf(text + length, sizeof(text) - length, "\"key-100\":0}");
	assert_int_equal(json_count(parse(text)), 202);
	snprintf(text + length, sizeof(text) - length, "\"key-57\":0}");
	assert_int_equal(json_tree_parse(&tree, text, strlen(text), 3, problem, sizeof(problem)),
			 -EINVAL);
	assert_string_equal(problem, "the key \"key-57\" appears twice in one object");
}

static void test_values(void **state)
{
	const struct json_node *root =
		parse(" { \"a\" : [ 1 , -2.5e1 , true , null ] , \"b\" : { \"c\" : \"text\" } } ");
	const struct json_node *list = json_get(root, "a"), *text;
	const struct json_node *one = json_first(list), *two = json_next(list, one);
	uint64_t number;

	(void)state;
	assert_int_equal(json_count(root), 4);
	assert_int_equal(json_count(list), 4);
	assert_true(json_is_integer(one) && json_uint64(one, &number) && number == 1);
	assert_false(json_is_integer(two));
	assert_true(json_number(two) == -25.0);
	assert_true(json_is(json_next(list, two), JSON_TRUE));
	assert_null(json_next(list, json_next(list, json_next(list, two))));
	text = json_at(root, (const char *[]){"b", "c", NULL});
	assert_true(json_is(text, JSON_STRING));
	assert_int_equal(text->size_bytes, 4);
	assert_memory_equal(text->text, "text", 4);
	assert_null(json_get(root, "c"));
	assert_null(json_at(root, (const char *[]){"a", "c", NULL}));
	assert_null(json_first(parse("[]")));
}

static void test_numbers_at_the_edges(void **state)
{
	uint64_t number = 1;

	(void)state;
	assert_true(json_uint64(parse("18446744073709551615"), &number));
	assert_true(number == UINT64_MAX);
	assert_false(json_uint64(parse("18446744073709551616"), &number));
	assert_false(json_uint64(parse("-1"), &number));
	assert_true(json_uint64(parse("-0"), &number) && number == 0);
	assert_true(json_number(parse("9007199254740993")) == 9007199254740992.0);
	assert_true(json_number(parse("1.7976931348623157e308")) == 1.7976931348623157e308);
	assert_true(json_number(parse("1e-400")) == 0);
}

static void check_string(const char *text, const char *expected, size_t length)
{
	struct buffer out = {0};

	json_string(parse(text), &out);
	assert_int_equal(out.length, length);
	if (length)
		assert_memory_equal(out.text, expected, length);
	buffer_release(&out);
}

static void test_strings(void **state)
{
	(void)state;
	check_string("\"\"", "", 0);
	check_string("\"S\xc3\xb6hne\"", "S\xc3\xb6hne", 6);
	check_string("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz", 10);
	check_string("\"\\u00f6\\u20ac\\u0000\"", "\xc3\xb6\xe2\x82\xac\0", 6);
	check_string("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4);
	/* U+1D90E: its lower 16 bits look like half a pair. */
	check_string("\"\\ud836\\udd0e\"", "\xf0\x9d\xa4\x8e", 4);
	/* Half a pair is no character. */
	check_string("\"\\ud83dx\"", "\xef\xbf\xbdx", 4);
	check_string("\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd", 6);
}

static void test_compact(void **state)
{
	struct buffer out = {0};

	(void)state;
	json_compact(parse("{ \"a b\" : [ 1 ,\n\t2 ] , \"c\" : \" \\\" { \" }"), &out);
	assert_string_equal(out.text, "{\"a b\":[1,2],\"c\":\" \\\" { \"}");
	buffer_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_what_is_refused, release),
		cmocka_unit_test_teardown(test_equal_keys_among_many, release),
		cmocka_unit_test_teardown(test_values, release),
		cmocka_unit_test_teardown(test_numbers_at_the_edges, release),
		cmocka_unit_test_teardown(test_strings, release),
		cmocka_unit_test_teardown(test_compact, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
