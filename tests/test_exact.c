// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/files.h"
#include "reports/exact.h"

#define FIXTURES TEST_SOURCE_DIR "/tests/fixtures/results/"

static char folder[] = "/tmp/proxeval-test-exact-XXXXXX";
static char original[PATH_MAX], changed[PATH_MAX];

static int copy_boot(const char *name, char *path, const char *old, const char *new)
{
	char source[PATH_MAX], *text, *at, *edited;
	size_t size_bytes;
	int err;

	snprintf(source, sizeof(source), "%ssame/%s", FIXTURES, name);
	err = read_file(source, 1 << 20, &text, &size_bytes);
	if (err)
		return err;
	at = old ? strstr(text, old) : NULL;
	if (old && !at)
		fail_msg("the fixture has no %s", old);
	edited = at ? format_string("%.*s%s%s", (int)(at - text), text, new, at + strlen(old))
		    : format_string("%s", text);
	err = write_file_atomically(path, edited, strlen(edited));
	free(edited);
	free(text);
	return err;
}

static const char *first_boot(void)
{
	return access(FIXTURES "same/boot-0000-proxy.json", F_OK) ? "boot-0000-no-proxy.json"
								  : "boot-0000-proxy.json";
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(original, sizeof(original), "%s/a.json", folder);
	snprintf(changed, sizeof(changed), "%s/b.json", folder);
	return copy_boot(first_boot(), original, NULL, NULL);
}

static int remove_folder(void **state)
{
	(void)state;
	return remove_tree(folder);
}

static void test_the_same_is_identical(void **state)
{
	struct exact_answer answer;

	(void)state;
	assert_int_equal(exact_compare(FIXTURES "same", FIXTURES "same", &answer), 0);
	assert_true(answer.is_identical);
	assert_int_equal(answer.boots, 12);
	assert_int_equal(answer.sections, 12);
	assert_int_equal(answer.metrics, 84);
}

static void test_what_the_host_did_does_not_count(void **state)
{
	struct exact_answer answer;

	(void)state;
	assert_int_equal(copy_boot(first_boot(), changed, "\"wall_s\":5.1", "\"wall_s\":9.9"), 0);
	assert_int_equal(exact_compare(original, changed, &answer), 0);
	assert_true(answer.is_identical);
}

static void expect_difference(const char *old, const char *new, const char *needle)
{
	struct exact_answer answer;

	assert_int_equal(copy_boot(first_boot(), changed, old, new), 0);
	assert_int_equal(exact_compare(original, changed, &answer), 0);
	assert_false(answer.is_identical);
	if (!strstr(answer.difference, needle))
		fail_msg("\"%s\" does not say \"%s\"", answer.difference, needle);
}

static void test_the_first_difference_is_named(void **state)
{
	(void)state;
	expect_difference(
		"\"value\":0.", "\"value\":1.",
		"section mutex-inversion/same-cpu/donor=fifo,owner=nice, metric owner_share: "
		"value is 0.");
	expect_difference(
		"\"exposure\":1000", "\"exposure\":1001",
		"metric cookie_violations: exposure is 1000 in the first and 1001 in the second");
	expect_difference("\"taint_after\":0", "\"taint_after\":512",
			  ": health.taint_after is 0 in the first and 512 in the second");
	expect_difference("\"facts\":{", "\"facts\":{\"new\":1,",
			  "facts.new is missing in the first");
	expect_difference("\"duration_ns\":4000000000", "\"duration_ns\":4000000001",
			  "duration_ns is 4000000000 in the first and 4000000001");
}

static void test_bad_sides(void **state)
{
	struct exact_answer answer;

	(void)state;
	assert_int_equal(exact_compare(FIXTURES "same", original, &answer), -EINVAL);
	assert_non_null(strstr(answer.error, "two folders or two files"));
	assert_int_equal(exact_compare(original, "/nonexistent", &answer), -EINVAL);
	assert_int_equal(exact_compare(FIXTURES "same", folder, &answer), -EINVAL);
	assert_non_null(strstr(answer.error, "no boot-*.json"));
	assert_int_equal(exact_compare(FIXTURES "same", FIXTURES "too-few", &answer), 0);
	assert_false(answer.is_identical);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_is_identical),
		cmocka_unit_test(test_what_the_host_did_does_not_count),
		cmocka_unit_test(test_the_first_difference_is_named),
		cmocka_unit_test(test_bad_sides),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
