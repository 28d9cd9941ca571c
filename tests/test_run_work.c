// SPDX-License-Identifier: GPL-2.0-only
/* What options and a campaign file come to: the plan's work, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/run_order.h"
#include "bench/topology.h"
#include "workloads/workload.h"

#define MAX_WORDS 24

/* A run as it is typed, with a campaign file's text or NULL. */
struct typed {
	struct run_values values;
	struct string_list names;
	struct campaign_file file;
	struct run_order order;
	int code;
};

static void type(struct typed *typed, const char *file_text, const char *const *words)
{
	char *argv[MAX_WORDS] = {"run"};
	bool given[OPTIONS_MAX] = {false};
	int argc = 1;

	*typed = (struct typed){.values = RUN_VALUES_INIT};
	while (words[argc - 1]) {
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	assert_int_equal(
		options_parse_given(&command_run, argc, argv, &typed->values, &typed->names, given),
		0);
	if (file_text)
		assert_int_equal(campaign_file_parse(&typed->file, "F", file_text,
						     strlen(file_text), &command_run,
						     &typed->values, given),
				 0);
	assert_int_equal(options_store_standards(&command_run, &typed->values, given), 0);
	typed->order = (struct run_order){.command = "run",
					  .values = &typed->values,
					  .file = file_text ? &typed->file : NULL};
	typed->code = run_order_check(&typed->order, &typed->names);
}

static void release(struct typed *typed)
{
	run_order_release(&typed->order);
	campaign_file_release(&typed->file);
	options_release(&command_run, &typed->values, &typed->names);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* "WORKLOAD PLACEMENT,… NAME=VALUE …" of each item, a line each. */
static void describe(struct json_object *work, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < json_object_array_length(work); i++) {
		struct json_object *item = json_object_array_get_idx(work, i), *name, *places,
				   *params;
		char *end = text + strlen(text);

		json_object_object_get_ex(item, "workload", &name);
		json_object_object_get_ex(item, "placements", &places);
		json_object_object_get_ex(item, "params", &params);
		snprintf(end, size - (size_t)(end - text), "%s", json_object_get_string(name));
		for (size_t p = 0; p < json_object_array_length(places); p++) {
			end = text + strlen(text);
			snprintf(end, size - (size_t)(end - text), "%s%s", p ? "," : " ",
				 json_object_get_string(json_object_array_get_idx(places, p)));
		}
		json_object_object_foreach (params, key, value) {
			end = text + strlen(text);
			snprintf(end, size - (size_t)(end - text), " %s=%s", key,
				 json_object_get_string(value));
		}
		end = text + strlen(text);
		snprintf(end, size - (size_t)(end - text), "\n");
	}
}

static void expect_work(const char *file_text, const char *const *words, const char *expected)
{
	struct typed typed;
	char text[4096];

	type(&typed, file_text, words);
	assert_int_equal(typed.code, 0);
	describe(typed.order.work, text, sizeof(text));
	assert_string_equal(text, expected);
	release(&typed);
}

static void expect_code(const char *file_text, const char *const *words, int code)
{
	struct typed typed;

	type(&typed, file_text, words);
	assert_int_equal(typed.code, code);
	release(&typed);
}

#define QUICK	  "samples=3 control_samples=1"
#define FILE_HEAD "{\"format\": \"proxeval-campaign-file\", \"version\": 1, \"target\": \"vm\", "

static void test_sweeps_multiply(void **state)
{
	(void)state;
	expect_work(NULL,
		    WORDS("mutex-inversion", "--target=vm", "--quick", "--sweep", "hogs=1..4x2",
			  "--sweep", "donor=nice,fifo", "--placement=same-cpu"),
		    "mutex-inversion same-cpu " QUICK " hogs=1 donor=nice\n"
		    "mutex-inversion same-cpu " QUICK " hogs=1 donor=fifo\n"
		    "mutex-inversion same-cpu " QUICK " hogs=2 donor=nice\n"
		    "mutex-inversion same-cpu " QUICK " hogs=2 donor=fifo\n"
		    "mutex-inversion same-cpu " QUICK " hogs=4 donor=nice\n"
		    "mutex-inversion same-cpu " QUICK " hogs=4 donor=fifo\n");
}

/* A name alone is for every workload that has it; with a workload before it, for that one. */
static void test_sweeps_find_their_workload(void **state)
{
	(void)state;
	expect_work(NULL,
		    WORDS("sleeping-owner", "mutex-inversion", "--target=vm", "--quick", "--sweep",
			  "sleep_us=20000,30000", "--param", "mutex-inversion.hogs=3", "--param",
			  "samples=0x2", "--param", "control_samples=1"),
		    "sleeping-owner same-cpu samples=2 control_samples=1 sleep_us=20000\n"
		    "sleeping-owner same-cpu samples=2 control_samples=1 sleep_us=30000\n"
		    "mutex-inversion all samples=2 control_samples=1 hogs=3\n");
	expect_code(NULL, WORDS("mutex-inversion", "--target=vm", "--sweep", "sleep_us=20000"),
		    EXIT_USAGE);
	expect_code(NULL, WORDS("mutex-inversion", "--target=vm", "--sweep", "other.hogs=1"),
		    EXIT_USAGE);
	expect_code(NULL,
		    WORDS("mutex-inversion", "--target=vm", "--sweep", "sleeping-owner.hogs=1"),
		    EXIT_USAGE);
}

/* A profile's items that a sweep makes equal are done once. */
static void test_sweep_takes_the_profiles_place(void **state)
{
	(void)state;
	expect_work(NULL,
		    WORDS("mutex-inversion", "--target=vm", "--profile=standard", "--sweep",
			  "donor=deadline,nice"),
		    "mutex-inversion all donor=deadline\n"
		    "mutex-inversion all donor=nice\n");
}

/* What says it later wins: the file, a workload in it, the command line. */
static void test_layers(void **state)
{
	const char *const file = FILE_HEAD
		"\"profile\": \"quick\", "
		"\"param\": {\"samples\": 5, \"hogs\": 3}, \"placement\": [\"same-cpu\"], "
		"\"workload\": [{\"workload\": \"mutex-inversion\", \"param\": {\"hogs\": \"4\"}, "
		"\"sweep\": {\"section_us\": \"1000..2000x2\"}}]}";

	(void)state;
	expect_work(file, WORDS("--json"),
		    "mutex-inversion same-cpu samples=5 hogs=4 section_us=1000\n"
		    "mutex-inversion same-cpu samples=5 hogs=4 section_us=2000\n");
	expect_work(file, WORDS("--param", "section_us=9000", "--sweep", "hogs=1,2"),
		    "mutex-inversion same-cpu samples=5 section_us=9000 hogs=1\n"
		    "mutex-inversion same-cpu samples=5 section_us=9000 hogs=2\n");
	expect_work(file, WORDS("--placement", "cross-node", "--param", "section_us=7000"),
		    "mutex-inversion cross-node samples=5 hogs=4 section_us=7000\n");
	/* Of the file's items those that are named; a workload that it lacks is the profile's. */
	expect_work(file, WORDS("mutex-inversion", "--param", "section_us=7000"),
		    "mutex-inversion same-cpu samples=5 hogs=4 section_us=7000\n");
}

static void test_scalars_of_a_file(void **state)
{
	const char *const file = FILE_HEAD
		"\"boots\": 4, \"seed\": 9, \"topology\": \"1x2x1\", \"profile\": \"standard\"}";
	struct typed typed;

	(void)state;
	type(&typed, file, WORDS("--boots=2", "--quick"));
	assert_int_equal(typed.code, 0);
	assert_int_equal(typed.order.boots, 2);
	assert_int_equal(typed.order.seed, 9);
	assert_string_equal(typed.order.topology_text, "1x2x1");
	assert_string_equal(typed.order.profile, "quick");
	assert_string_equal(typed.file.overridden.text, "--boots, --profile");
	assert_int_equal(typed.order.watchdog_s, 180);
	release(&typed);
}

static void test_what_is_too_much_or_twice(void **state)
{
	(void)state;
	/* 2x2x2 has four placements: 128 points are the most. */
	expect_code(NULL,
		    WORDS("mutex-inversion", "--target=vm", "--quick", "--sweep", "hogs=1..64",
			  "--sweep", "donor=fifo,nice"),
		    0);
	expect_code(NULL,
		    WORDS("mutex-inversion", "--target=vm", "--quick", "--sweep", "hogs=1..64",
			  "--sweep", "donor=fifo,nice,deadline"),
		    EXIT_USAGE);
	expect_code(NULL,
		    WORDS("mutex-inversion", "--target=vm", "--quick", "--sweep", "hogs=1..64",
			  "--sweep", "owner_nice=1..19", "--sweep", "section_us=1000..64000+1000",
			  "--sweep", "compute_after_us=0..63", "--sweep",
			  "phase_max_percent=11..74", "--sweep", "donor=fifo,nice", "--sweep",
			  "owner=nice,cgroup"),
		    EXIT_USAGE);
	/* The effort is no part of a section's id. */
	expect_code(NULL, WORDS("mutex-inversion", "--target=vm", "--sweep", "samples=1,2"),
		    EXIT_USAGE);
	expect_code(
		NULL,
		WORDS("--target=vm", "--placement", "cross-node", "--placement", "cross-node-20"),
		EXIT_USAGE);
	expect_code(FILE_HEAD "\"workload\": [{\"workload\": \"mutex-inversion\"}, "
			      "{\"workload\": \"mutex-inversion\", \"param\": {\"samples\": 2, "
			      "\"hogs\": 2}, \"placement\": [\"same-cpu\"]}]}",
		    WORDS("--json"), EXIT_USAGE);
	expect_code(FILE_HEAD "\"workload\": [{\"workload\": \"mutex-inversion\", \"placement\": "
			      "[\"cross-node\"]}, {\"workload\": \"mutex-inversion\", "
			      "\"placement\": [\"same-cpu\"]}]}",
		    WORDS("--json"), 0);
	/* One point of many does not go together. */
	expect_code(
		NULL,
		WORDS("mutex-inversion", "--target=vm", "--sweep", "phase_min_percent=10,20,50"),
		EXIT_USAGE);
}

/* Every parameter of a profile's work is one of the workload's, with a value that it may have. */
static void expect_known_params(struct json_object *work)
{
	for (size_t i = 0; i < json_object_array_length(work); i++) {
		struct json_object *item = json_object_array_get_idx(work, i), *name, *params;

		json_object_object_get_ex(item, "workload", &name);
		json_object_object_get_ex(item, "params", &params);
		json_object_object_foreach (params, key, value) {
			char word[160], error[256];
			size_t index;

			snprintf(word, sizeof(word), "%s=%s", key, json_object_get_string(value));
			if (workload_check_parameter(workload_find(json_object_get_string(name)),
						     word, &index, NULL, error, sizeof(error)))
				fail_msg("a profile has %s: %s", word, error);
		}
	}
}

/* No profile asks for a section twice, names what is not there, or comes to more than is allowed.
 */
static void test_profiles_are_sound(void **state)
{
	(void)state;
	for (const char *const *name = profile_names; *name; name++) {
		struct typed typed;

		type(&typed, NULL,
		     WORDS("--target=vm", "--topology=4x2x2x2", "--memory=256", "--profile",
			   *name));
		assert_int_equal(typed.code, 0);
		assert_true(json_object_array_length(typed.order.work) > 0);
		expect_known_params(typed.order.work);
		release(&typed);
	}
}

/*
 * Six boots of each in virtual time can tell 2 of 924 orders apart: that is 5 % after Holm's
 * correction among at most 23 primary tests. One more, and quick could never say "better".
 */
static void test_quick_has_no_more_tests_than_it_can_decide(void **state)
{
	struct typed typed;

	(void)state;
	type(&typed, NULL, WORDS("--target=vm", "--quick"));
	assert_int_equal(typed.code, 0);
	assert_int_equal(typed.order.boots, 6);
	assert_in_range(run_work_tests(&typed.order), 1, 23);
	release(&typed);
}

/* It has every cost in instructions and in ns, and a document one of them. */
static void test_only_what_the_time_has_is_tested(void **state)
{
	static const char *const times[] = {"--time=virtual", "--time=real"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct typed typed;

		type(&typed, NULL,
		     WORDS("wakeup-cost", "--target=vm", times[i], "--placement=same-cpu"));
		assert_int_equal(typed.code, 0);
		assert_int_equal(run_work_tests(&typed.order), 6);
		release(&typed);
	}
}

/* Every workload is in every profile but those where it makes no sense, which quick may have. */
static void test_every_workload_is_in_the_standard_profile(void **state)
{
	struct json_object *work = profile_work("standard", NULL, 0);

	(void)state;
	for (const struct workload *const *workload = workloads; *workload; workload++) {
		bool is_found = false;

		for (size_t i = 0; i < json_object_array_length(work); i++) {
			struct json_object *name;

			json_object_object_get_ex(json_object_array_get_idx(work, i), "workload",
						  &name);
			is_found = is_found ||
				   !strcmp(json_object_get_string(name), (*workload)->name);
		}
		if (!is_found)
			fail_msg("the standard profile leaves out %s", (*workload)->name);
	}
	json_object_put(work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweeps_multiply),
		cmocka_unit_test(test_sweeps_find_their_workload),
		cmocka_unit_test(test_sweep_takes_the_profiles_place),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_scalars_of_a_file),
		cmocka_unit_test(test_what_is_too_much_or_twice),
		cmocka_unit_test(test_profiles_are_sound),
		cmocka_unit_test(test_quick_has_no_more_tests_than_it_can_decide),
		cmocka_unit_test(test_only_what_the_time_has_is_tested),
		cmocka_unit_test(test_every_workload_is_in_the_standard_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
