// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong with a file is one sentence; nothing wrong is taken for a result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/files.h"
#include "reports/load.h"

#define FIXTURES TEST_SOURCE_DIR "/tests/fixtures/results/"

static char folder[] = "/tmp/proxeval-test-load-XXXXXX";
static char *good; /* one valid boot */

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	return read_file(FIXTURES "too-few/boot-0000-proxy.json", 1 << 20, &good, NULL) &&
	       read_file(FIXTURES "too-few/boot-0000-no-proxy.json", 1 << 20, &good, NULL);
}

static int remove_folder(void **state)
{
	(void)state;
	free(good);
	return remove_tree(folder);
}

/* Loads @text as a boot and expects a sentence with @needle. */
static void expect_refused(const char *text, size_t size_bytes, const char *needle)
{
	struct results results;
	char path[PATH_MAX];
	const char *paths[] = {path};

	snprintf(path, sizeof(path), "%s/boot.json", folder);
	assert_int_equal(write_file_atomically(path, text, size_bytes), 0);
	assert_int_equal(results_load(&results, paths, 1), -EINVAL);
	if (!strstr(results.error, needle) || !strstr(results.error, "boot.json"))
		fail_msg("\"%s\" does not say \"%s\"", results.error, needle);
	assert_null(strchr(results.error, '\n'));
	results_release(&results);
}

/* The good boot with its first @old replaced by @new. */
static void expect_refused_with(const char *old, const char *new, const char *needle)
{
	char *at = strstr(good, old);
	char *text;

	if (!at)
		fail_msg("the fixture has no %s", old);
	text = format_string("%.*s%s%s", (int)(at - good), good, new, at + strlen(old));
	assert_non_null(text);
	expect_refused(text, strlen(text), needle);
	free(text);
}

static void test_not_results(void **state)
{
	(void)state;
	expect_refused("", 0, "it is empty");
	expect_refused("hello", 5, "it is not JSON");
	expect_refused("{}", 2, "no \"format\"");
	expect_refused("[]", 2, "not a JSON object");
	expect_refused("null ", 5, "not a JSON object");
	expect_refused("\0\0\0", 3, "it is not JSON");
	expect_refused("{} {}", 5, "it is not JSON");
	expect_refused("{\"format\":\"proxeval-plan\",\"version\":1}", 38,
		       "a proxeval-boot is needed");
	expect_refused("{\"format\":\"proxeval-boot\",\"version\":2}", 38,
		       "this program reads version 1");
	expect_refused("{\"format\":\"proxeval-boot\",\"version\":1}", 38, "\"target\" is missing");
}

static void test_truncated_anywhere(void **state)
{
	size_t length = strlen(good);

	(void)state;
	for (size_t cut = 1; cut + 2 < length; cut += length / 37)
		expect_refused(good, cut, "it is cut short");
}

static void test_bad_values(void **state)
{
	(void)state;
	expect_refused_with("\"samples\":12,", "\"samples\":NaN,", "not a whole number");
	expect_refused_with("\"value\":0.", "\"value\":NaN,\"x\":0.", "not a finite number");
	expect_refused_with("\"value\":0.", "\"value\":-Infinity,\"x\":0.", "not a finite number");
	expect_refused_with("\"samples\":12,", "\"samples\":1e400,", "not a whole number");
	expect_refused_with("\"samples\":12,", "\"samples\":-1,", "a count is from 0 to 2^53");
	expect_refused_with("\"samples\":12,", "\"samples\":9223372036854775808,",
			    "a count is from 0");
	expect_refused_with("\"samples\":12,", "\"samples\":11,", "and \"samples\" says 11");
	expect_refused_with("\"samples\":12,", "\"samples\":12,\"samples\":12,",
			    "the key \"samples\" appears twice");
	expect_refused_with("\"samples\":12,", "\"sampl\\u0065s\":12,", "spelt with an escape");
	expect_refused_with("\"samples\":12,", "", "\"samples\" is missing");
	expect_refused_with("\"p99\":null", "\"p99\":5",
			    "\"p99\" needs 100 samples, and there are 12");
	expect_refused_with("\"time\":\"virtual\"", "\"time\":\"warped\"", "does not know");
	expect_refused_with("\"sections\":[", "\"sections\":[7,", "a section is not an object");
	expect_refused_with("\"buckets\":[[", "\"buckets\":[[1e9,1],[", "not a whole number");
	expect_refused_with("\"buckets\":[[", "\"buckets\":[[99999,1],[", "beyond the histogram");
	expect_refused_with("\"bits\":7", "\"bits\":70", "is not one");
	expect_refused_with("\"mean\":", "\"mean\":null,\"x\":", "without a min, max, mean or p50");
	expect_refused_with("\"lowest\":0", "\"lowest\":{}", "\"lowest\"");
	expect_refused_with("\"distance\":10", "\"distance\":\"near\"", "\"distance\"");
	expect_refused_with("\"facts\":{", "\"facts\":true,\"x\":{", "\"facts\"");
	expect_refused_with("\"label\":\"", "\"label\":\"\",\"x\":\"", "\"label\" is empty");
}

static void test_deep_nesting(void **state)
{
	static char deep[20001];

	(void)state;
	memset(deep, '[', 10000);
	memset(deep + 10000, ']', 10000);
	expect_refused(deep, 20000, "nested deeper than 24 levels");
}

static void test_too_large_is_not_read(void **state)
{
	struct results results;
	char path[PATH_MAX];
	const char *paths[] = {path};

	(void)state;
	/* A gigabyte that takes no room on the disk. */
	snprintf(path, sizeof(path), "%s/huge.json", folder);
	assert_int_equal(write_file_atomically(path, "{", 1), 0);
	assert_int_equal(truncate(path, 1 << 30), 0);
	assert_int_equal(results_load(&results, paths, 1), -EINVAL);
	assert_non_null(strstr(results.error, "larger than 64 MiB"));
	results_release(&results);
	unlink(path);
}

static void expect_error(const char *const *paths, size_t n_paths, int expected, const char *needle)
{
	struct results results;

	assert_int_equal(results_load(&results, paths, n_paths), expected);
	if (!strstr(results.error, needle))
		fail_msg("\"%s\" does not say \"%s\"", results.error, needle);
	results_release(&results);
}

static void test_paths(void **state)
{
	const char *nowhere[] = {"/nonexistent/boot.json"};
	const char *device[] = {"/dev/zero"};
	const char *twice[] = {FIXTURES "same", FIXTURES "same"};
	const char *mixed[] = {FIXTURES "same", FIXTURES "real-rounds"};
	const char *empty[] = {TEST_SOURCE_DIR "/tests"};

	(void)state;
	expect_error(nowhere, 1, -EINVAL, "No such file");
	expect_error(device, 1, -EINVAL, "not a regular file");
	expect_error(twice, 2, -EINVAL, "are both boot 0");
	expect_error(mixed, 2, -EINVAL, "never compared");
	expect_error(empty, 1, -EINVAL, "holds no boot-*.json");
}

static void test_a_campaign_without_boots_yet(void **state)
{
	char path[PATH_MAX], *text;
	const char *paths[] = {folder};
	size_t size_bytes;

	(void)state;
	assert_int_equal(read_file(FIXTURES "same/campaign.json", 1 << 20, &text, &size_bytes), 0);
	snprintf(path, sizeof(path), "%s/campaign.json", folder);
	assert_int_equal(write_file_atomically(path, text, size_bytes), 0);
	expect_error(paths, 1, -ENOENT, "no boot of this campaign has finished yet");
	unlink(path);
	free(text);
}

static void test_model(void **state)
{
	const char *paths[] = {FIXTURES "quick-virtual"};
	const struct measurement *wait;
	struct results results;

	(void)state;
	assert_int_equal(results_load(&results, paths, 1), 0);
	assert_int_equal(results.n_boots, 12);
	assert_int_equal(results.n_variants, 2);
	assert_int_equal(results.n_campaigns, 1);
	assert_string_equal(results.campaigns[0].pairing, "independent");
	assert_string_equal(results.time, "virtual");
	/* Every boot has another order of sections; here they are by distance. */
	assert_int_equal(results.n_sections, 4);
	assert_string_equal(results.sections[0].placement, "same-cpu");
	assert_string_equal(results.sections[3].placement, "cross-node-20");
	assert_string_equal(results.sections[0].params, "donor=fifo owner=nice samples=12");
	for (size_t i = 0; i < results.n_boots; i++) {
		assert_int_equal(results.boots[i].index, i);
		wait = boot_measurement(&results.boots[i], 2, 0);
		assert_non_null(wait);
		assert_int_equal(wait->samples, 12);
		assert_true(wait->statistic[STATISTIC_P90] >= wait->statistic[STATISTIC_P50]);
		assert_true(isnan(wait->statistic[STATISTIC_P99]));
	}
	results_release(&results);
}

/* Loads the good boot and a copy that says @new instead of @old in another campaign. */
static void expect_boots(const char *old, const char *new, size_t boots, size_t replays)
{
	char first[PATH_MAX], second[PATH_MAX], *elsewhere, *at, *text;
	const char *paths[] = {first, second};
	struct results results;

	elsewhere = strstr(good, "\"id\":\"too-few\"");
	assert_non_null(elsewhere);
	text = format_string("%.*s\"id\":\"copy\"%s", (int)(elsewhere - good), good,
			     elsewhere + strlen("\"id\":\"too-few\""));
	snprintf(first, sizeof(first), "%s/first.json", folder);
	snprintf(second, sizeof(second), "%s/second.json", folder);
	assert_int_equal(write_file_atomically(first, good, strlen(good)), 0);
	at = strstr(text, old);
	assert_non_null(at);
	elsewhere = format_string("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	assert_int_equal(write_file_atomically(second, elsewhere, strlen(elsewhere)), 0);
	assert_int_equal(results_load(&results, paths, 2), 0);
	assert_int_equal(results.n_boots, boots);
	assert_int_equal(results.n_replays, replays);
	results_release(&results);
	free(elsewhere);
	free(text);
	unlink(first);
	unlink(second);
}

static void test_replays_count_once(void **state)
{
	(void)state;
	expect_boots("\"started\":\"2026", "\"started\":\"2027", 1, 1);
	expect_boots("\"seed\":70", "\"seed\":71", 2, 0);
	expect_boots("\"attempt\":0", "\"attempt\":1", 2, 0);
	expect_boots("\"samples\":\"12\"", "\"samples\":\"13\"", 2, 0);
	expect_boots("\"nodes\":2", "\"nodes\":1", 2, 0);
}

static void test_bucket_edges(void **state)
{
	(void)state;
	/* 7 bits: one bucket a value up to 127; 128 to 255 in pairs: bucket 128 is 128 and 129. */
	assert_int_equal(bucket_lower_edge(7, 127), 127);
	assert_int_equal(bucket_width(7, 127), 1);
	assert_int_equal(bucket_lower_edge(7, 128), 128);
	assert_int_equal(bucket_width(7, 128), 2);
	assert_int_equal(bucket_lower_edge(7, 191), 254);
	assert_int_equal(bucket_lower_edge(7, 192), 256);
	assert_int_equal(bucket_width(7, 192), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_results),
		cmocka_unit_test(test_truncated_anywhere),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_too_large_is_not_read),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_a_campaign_without_boots_yet),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_replays_count_once),
		cmocka_unit_test(test_bucket_edges),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
