// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong with a file is one sentence; nothing wrong is taken for a result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <json-c/json.h>
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
	expect_refused_with("\"samples\":12,", "\"samples\":NaN,", "is not finite");
	expect_refused_with("\"value\":0.", "\"value\":NaN,\"x\":0.", "is not finite");
	expect_refused_with("\"value\":0.", "\"value\":-Infinity,\"x\":0.", "is not finite");
	expect_refused_with("\"samples\":12,", "\"samples\":1e400,", "is not finite");
	/* The mean of two such figures, or the square of one, is beyond a double. */
	expect_refused_with("\"value\":0.05", "\"value\":1e308", "from 1e-60 to 1e60");
	expect_refused_with("\"value\":0.05", "\"value\":-1e-300", "from 1e-60 to 1e60");
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
	assert_int_equal(results.n_divided, strstr(old, "samples") ? 2 : 0);
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

/* A boot like the good one, with each pair of @changes (old, new) made; a NULL ends them. */
static char *write_boot(const char *name, const char *const *changes)
{
	char path[PATH_MAX], *text = strdup(good);

	assert_non_null(text);
	for (; *changes; changes += 2) {
		char *at = strstr(text, changes[0]), *changed;

		if (!at)
			fail_msg("the fixture has no %s", changes[0]);
		changed = format_string("%.*s%s%s", (int)(at - text), text, changes[1],
					at + strlen(changes[0]));
		assert_non_null(changed);
		free(text);
		text = changed;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(write_file_atomically(path, text, strlen(text)), 0);
	free(text);
	return strdup(path);
}

#define CHANGES(...)                            \
	(const char *const[])                   \
	{                                       \
		__VA_ARGS__ __VA_OPT__(, ) NULL \
	}

/* Loads up to three boots that differ as told, and keeps the results. */
static void load_boots(struct results *results, const char *const *one, const char *const *two,
		       const char *const *three)
{
	const char *const *changes[] = {one, two, three};
	const char *names[] = {"one.json", "two.json", "three.json"};
	char *paths[3];
	size_t count = 0;

	for (; count < 3 && changes[count]; count++)
		paths[count] = write_boot(names[count], changes[count]);
	if (results_load(results, (const char *const *)paths, count))
		fail_msg("%s", results->error);
	for (size_t i = 0; i < count; i++) {
		unlink(paths[i]);
		free(paths[i]);
	}
}

#define CAMPAIGN(id)	 "\"id\":\"too-few\"", "\"id\":\"" id "\""
#define SEED(seed)	 "\"seed\":70", "\"seed\":" seed
#define REAL		 "\"time\":\"virtual\"", "\"time\":\"real\""
#define HOST_TARGET	 "\"target\":\"vm\"", "\"target\":\"host\""
#define HOSTNAME(name)	 "\"hostname\":\"guest\"", "\"hostname\":\"" name "\""
#define HOST(name)	 "\"host\":\"builder\"", "\"host\":\"" name "\""
#define MEMORY(bytes)	 "\"memory_bytes\":1073741824", "\"memory_bytes\":" bytes
#define RELEASE(release) "\"release\":\"7.2.13\"", "\"release\":\"" release "\""
#define NO_ENVIRONMENT	 "\"environment\":{", "\"environment\":{},\"was\":{"

static void test_guests_of_one_shape_are_one_machine(void **state)
{
	struct results results;

	(void)state;
	/* In virtual time the host does not matter. */
	load_boots(&results, CHANGES(), CHANGES(CAMPAIGN("b"), SEED("71"), HOST("other")), NULL);
	assert_int_equal(results.n_machines, 1);
	assert_string_equal(results.machines[0].name, "vm 2x2x2");
	assert_int_equal(results.machines[0].cpus, 8);
	assert_int_equal(results.n_variants, 1);
	results_release(&results);
	load_boots(&results, CHANGES(),
		   CHANGES(CAMPAIGN("b"), SEED("71"), "\"cores\":4", "\"cores\":8"), NULL);
	assert_int_equal(results.n_machines, 2);
	assert_string_equal(results.machines[1].name, "vm 2x4x1");
	assert_int_equal(results.boots[0].machine, 0);
	assert_int_equal(results.boots[1].machine, 1);
	assert_int_equal(results.n_sections, 1);
	results_release(&results);
	/* The same counts with other distances: a machine of its own, told by a number. */
	load_boots(&results, CHANGES(),
		   CHANGES(CAMPAIGN("b"), SEED("71"), "\"distances\":[[10,20],[20,10]]",
			   "\"distances\":[[10,30],[30,10]]"),
		   NULL);
	assert_int_equal(results.n_machines, 2);
	assert_string_equal(results.machines[1].name, "vm 2x2x2 #2");
	results_release(&results);
}

static void test_in_real_time_the_guests_host_matters(void **state)
{
	struct results results;

	(void)state;
	load_boots(&results, CHANGES(REAL), CHANGES(REAL, CAMPAIGN("b"), HOST("other")),
		   CHANGES(REAL, CAMPAIGN("c"), HOST("other")));
	assert_int_equal(results.n_machines, 2);
	assert_string_equal(results.machines[0].name, "vm 2x2x2 on builder (tcg)");
	assert_string_equal(results.machines[1].name, "vm 2x2x2 on other (tcg)");
	assert_int_equal(results.boots[2].machine, 1);
	results_release(&results);
}

static void test_real_machines(void **state)
{
	struct results results;

	(void)state;
	load_boots(&results, CHANGES(REAL, HOST_TARGET, HOSTNAME("numa-box-3")),
		   CHANGES(REAL, HOST_TARGET, HOSTNAME("numa-box-4"), CAMPAIGN("b")),
		   CHANGES(REAL, HOST_TARGET, HOSTNAME("numa-box-3"), CAMPAIGN("c"),
			   MEMORY("1041592320")));
	assert_int_equal(results.n_machines, 2);
	assert_string_equal(results.machines[0].name, "numa-box-3");
	assert_string_equal(results.machines[1].name, "numa-box-4");
	/* What a kernel takes for itself makes no other machine. */
	assert_int_equal(results.boots[2].machine, 0);
	results_release(&results);
	load_boots(&results, CHANGES(REAL, HOST_TARGET),
		   CHANGES(REAL, HOST_TARGET, CAMPAIGN("b"), MEMORY("34359738368")), NULL);
	assert_int_equal(results.n_machines, 2);
	assert_string_equal(results.machines[0].name, "guest (x86_64, 8 CPUs)");
	assert_string_equal(results.machines[1].name, "guest (x86_64, 8 CPUs) #2");
	results_release(&results);
}

static void test_a_boot_without_environment(void **state)
{
	struct results results;

	(void)state;
	load_boots(&results, CHANGES(SEED("71")),
		   CHANGES("\"index\":0", "\"index\":1", NO_ENVIRONMENT),
		   CHANGES("\"index\":0", "\"index\":2", CAMPAIGN("alone"), NO_ENVIRONMENT));
	assert_int_equal(results.n_machines, 2);
	assert_int_equal(results.boots[1].machine, 0);
	assert_int_equal(results.boots[2].machine, 1);
	assert_string_equal(results.machines[1].name, "unknown machine");
	results_release(&results);
}

static void test_labels(void **state)
{
	struct results results;

	(void)state;
	load_boots(&results, CHANGES(), CHANGES(CAMPAIGN("b"), SEED("71"), RELEASE("7.3.4")), NULL);
	assert_int_equal(results.n_variants, 2);
	assert_string_equal(results.variants[0].label, "!proxy@7.2.13");
	assert_string_equal(results.variants[1].label, "!proxy@7.3.4");
	assert_string_equal(results.variants[1].plain_label, "!proxy");
	assert_string_equal(results.variants[1].release, "7.3.4");
	results_release(&results);
	/* The release does not tell them apart: their campaigns do. */
	load_boots(&results, CHANGES(),
		   CHANGES(CAMPAIGN("b"), SEED("71"), "\"version\":\"#1", "\"version\":\"#2"),
		   CHANGES(CAMPAIGN("c"), SEED("72"), RELEASE("7.3.4")));
	assert_int_equal(results.n_variants, 3);
	assert_string_equal(results.variants[0].label, "!proxy@too-few");
	assert_string_equal(results.variants[1].label, "!proxy@b");
	assert_string_equal(results.variants[2].label, "!proxy@c");
	results_release(&results);
}

static void test_ends(void **state)
{
	(void)state;
	expect_refused_with("\"sections\":[", "\"sections\":[],\"were\":[",
			    "its outcome is ok and it has no section: it measured nothing");
	expect_refused_with("\"outcome\":\"ok\"", "\"outcome\":\"died\"",
			    "its outcome is died, without a \"reason\"");
}

static struct json_object *json_at_root(const struct boot *boot, const char *key)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(boot_environment(boot), key, &value));
	return value;
}

/* Enough files for several threads: all of it comes out in order, and without them the same. */
static void test_many_files(void **state)
{
	enum { FILES = 200 };
	char *paths[FILES];
	struct results results;

	(void)state;
	for (int i = 0; i < FILES; i++) {
		char name[40], index[40], seed[40];

		snprintf(name, sizeof(name), "boot-%04d.json", i);
		snprintf(index, sizeof(index), "\"index\":%d", i);
		snprintf(seed, sizeof(seed), "\"seed\":%d,\"was\":70", 1000 + i);
		paths[i] = write_boot(name, CHANGES("\"index\":0", index, "\"seed\":70", seed));
	}
	assert_int_equal(results_load(&results, (const char *const *)paths, FILES), 0);
	assert_int_equal(results.n_boots, FILES);
	assert_int_equal(results.n_variants, 1);
	assert_int_equal(results.n_machines, 1);
	for (size_t i = 0; i < FILES; i++) {
		assert_int_equal(results.boots[i].index, i);
		assert_string_equal(results.boots[i].path, paths[i]);
		assert_int_equal(boot_measurement(&results.boots[i], 0, 0)->samples, 12);
		assert_true(json_object_equal(json_at_root(&results.boots[i], "cpu"),
					      json_at_root(&results.boots[0], "cpu")));
	}
	results_release(&results);
	assert_int_equal(
		results_load_parts(&results, (const char *const *)paths, FILES, RESULT_FIGURES), 0);
	assert_int_equal(boot_measurement(&results.boots[0], 0, 0)->histogram.n_buckets, 0);
	results_release(&results);
	/* Of many that are wrong, the first is named. */
	for (int i = 3; i < FILES; i += 2)
		assert_int_equal(write_file_atomically(paths[i], "{", 1), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(results_load(&results, (const char *const *)paths, FILES),
				 -EINVAL);
		assert_non_null(strstr(results.error, "boot-0003.json: it is cut short"));
		results_release(&results);
	}
	for (int i = 0; i < FILES; i++) {
		unlink(paths[i]);
		free(paths[i]);
	}
}

/* A boot without its metrics in the usual order, or with some more, says the same of each. */
static void test_metrics_are_told_by_name(void **state)
{
	struct results results;

	(void)state;
	load_boots(
		&results, CHANGES(),
		CHANGES(CAMPAIGN("b"), SEED("71"), "\"metrics\":[",
			"\"metrics\":[{\"name\":\"added\",\"unit\":\"count\",\"kind\":\"counter\","
			"\"direction\":\"lower\",\"role\":\"secondary\",\"outcome\":\"ok\","
			"\"reason\":null,\"value\":3},"),
		NULL);
	assert_int_equal(results.sections[0].n_metrics, 8);
	assert_string_equal(results.sections[0].metrics[7].name, "added");
	assert_null(boot_measurement(&results.boots[0], 0, 7));
	assert_true(boot_measurement(&results.boots[1], 0, 7)->statistic[STATISTIC_VALUE] == 3);
	assert_int_equal(boot_measurement(&results.boots[1], 0, 0)->samples, 12);
	results_release(&results);
}

/* The order of parameters says nothing; another value is another section, with an id of its own. */
static void test_parameters_tell_sections_apart(void **state)
{
	static const char *const params = "\"donor\":\"fifo\",\"owner\":\"nice\"";
	struct results results;

	(void)state;
	load_boots(
		&results, CHANGES(),
		CHANGES(CAMPAIGN("b"), SEED("71"), params, "\"owner\":\"nice\",\"donor\":\"fifo\""),
		NULL);
	assert_int_equal(results.n_sections, 1);
	assert_int_equal(results.n_divided, 0);
	assert_string_equal(results.sections[0].id,
			    "mutex-inversion/same-cpu/donor=fifo,owner=nice");
	results_release(&results);
	load_boots(&results, CHANGES(),
		   CHANGES(CAMPAIGN("b"), SEED("71"), "\"samples\":\"12\"", "\"samples\":\"13\""),
		   NULL);
	assert_int_equal(results.n_sections, 2);
	assert_int_equal(results.n_divided, 2);
	assert_string_equal(results.sections[0].id,
			    "mutex-inversion/same-cpu/donor=fifo,owner=nice,samples=12");
	assert_string_equal(results.sections[1].id,
			    "mutex-inversion/same-cpu/donor=fifo,owner=nice,samples=13");
	assert_null(boot_measurement(&results.boots[0], 1, 0));
	assert_null(boot_measurement(&results.boots[1], 0, 0));
	assert_non_null(boot_measurement(&results.boots[1], 1, 0));
	results_release(&results);
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
		cmocka_unit_test(test_guests_of_one_shape_are_one_machine),
		cmocka_unit_test(test_in_real_time_the_guests_host_matters),
		cmocka_unit_test(test_real_machines),
		cmocka_unit_test(test_a_boot_without_environment),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_many_files),
		cmocka_unit_test(test_metrics_are_told_by_name),
		cmocka_unit_test(test_parameters_tell_sections_apart),
		cmocka_unit_test(test_bucket_edges),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
