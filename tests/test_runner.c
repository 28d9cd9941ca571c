// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "bench/files.h"
#include "bench/runner.h"
#include "bench/section.h"
#include "bench/section_run.h"
#include "bench/settings.h"

/* Two nodes, two cores each, two threads each: what the VM has by default. */
#define GUEST TEST_SOURCE_DIR "/tests/fixtures/topologies/guest-2x2x2.xml"

static struct topology *guest;
static char directory[] = "/tmp/test_runner.XXXXXX";

static int group_setup(void **state)
{
	char *journal;

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	journal = format_string("%s/settings.jsonl", directory);
	setenv("PROXEVAL_SETTINGS", journal, 1);
	free(journal);
	return topology_load(&guest, GUEST);
}

static int group_teardown(void **state)
{
	(void)state;
	topology_free(guest);
	return remove_tree(directory);
}

static struct json_object *plan_with(uint64_t seed, const char *work)
{
	char *text = format_string(
		"{\"format\":\"proxeval-plan\",\"version\":1,\"campaign\":\"c\",\"boot\":{\"index\":0,"
		"\"round\":0,\"variant\":\"proxy\",\"seed\":%llu,\"attempt\":0},\"target\":\"host\","
		"\"time\":\"real\",\"work\":%s}",
		(unsigned long long)seed, work);
	struct json_object *plan = json_tokener_parse(text);

	assert_non_null(plan);
	free(text);
	return plan;
}

static int expand(struct section_list *list, struct json_object *plan, char error[512])
{
	return section_list_from_plan(list, plan, guest, error, 512);
}

#define ITEM(placements, params) \
	"{\"workload\":\"mutex-inversion\",\"placements\":[" placements "],\"params\":{" params "}}"

static const struct section *find(const struct section_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i].id, id))
			return &list->items[i];
	return NULL;
}

static void test_all_is_what_exists_here(void **state)
{
	struct json_object *plan = plan_with(1, "[" ITEM("\"all\"", "") "]");
	struct section_list list;
	const struct section *section;
	char error[512];

	(void)state;
	assert_int_equal(expand(&list, plan, error), 0);
	assert_int_equal(list.count, 4);
	section = find(&list, "mutex-inversion/same-cpu/donor=fifo,owner=nice");
	assert_non_null(section);
	assert_int_equal(section->placement.owner_cpu, section->placement.donor_cpu);
	assert_non_null(find(&list, "mutex-inversion/smt-sibling/donor=fifo,owner=nice"));
	assert_non_null(find(&list, "mutex-inversion/same-llc/donor=fifo,owner=nice"));
	for (size_t i = 0; i < list.count; i++)
		assert_null(list.items[i].missing);
	section_list_release(&list);
	json_object_put(plan);
}

static void test_an_id_names_what_is_measured_and_not_how_often(void **state)
{
	struct json_object *plan =
		plan_with(1, "[" ITEM("\"same-cpu\"", "\"samples\":\"3\",\"section_us\":\"20000\","
						      "\"donor\":\"nice\",\"hogs\":\"2\"") "]");
	struct section_list list;
	char error[512];

	(void)state;
	assert_int_equal(expand(&list, plan, error), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].id,
			    "mutex-inversion/same-cpu/donor=nice,owner=nice,section_us=20000");
	section_list_release(&list);
	json_object_put(plan);
}

static void test_the_seed_draws_order_and_sections_keep_their_own(void **state)
{
	struct json_object *plan, *again;
	struct section_list first, second;
	bool has_other_order = false;
	char error[512];

	(void)state;
	plan = plan_with(5, "[" ITEM("\"all\"", "") "]");
	assert_int_equal(expand(&first, plan, error), 0);
	assert_int_equal(expand(&second, plan, error), 0);
	for (size_t i = 0; i < first.count; i++) {
		assert_string_equal(first.items[i].id, second.items[i].id);
		assert_true(first.items[i].seed == second.items[i].seed);
	}
	section_list_release(&second);
	for (uint64_t seed = 6; seed < 26; seed++) {
		again = plan_with(seed, "[" ITEM("\"all\"", "") "]");
		assert_int_equal(expand(&second, again, error), 0);
		for (size_t i = 0; i < first.count; i++) {
			const struct section *same = find(&second, first.items[i].id);

			assert_non_null(same);
			assert_true(same->seed != first.items[i].seed);
			has_other_order |= strcmp(first.items[i].id, second.items[i].id) != 0;
		}
		section_list_release(&second);
		json_object_put(again);
	}
	assert_true(has_other_order);
	section_list_release(&first);
	json_object_put(plan);
}

static void test_a_kind_takes_every_distance_and_what_is_missing_says_so(void **state)
{
	struct json_object *plan =
		plan_with(1, "[" ITEM("\"cross-node\",\"same-node\",\"cross-node-99\"", "") "]");
	const struct section *missing;
	struct section_list list;
	size_t crossing = 0;
	char error[512];

	(void)state;
	assert_int_equal(expand(&list, plan, error), 0);
	assert_int_equal(list.count, 3);
	for (size_t i = 0; i < list.count; i++)
		crossing += !list.items[i].missing &&
			    list.items[i].placement.kind == PLACEMENT_CROSS_NODE;
	assert_int_equal(crossing, 1);
	missing = find(&list, "mutex-inversion/same-node/donor=fifo,owner=nice");
	assert_non_null(missing);
	assert_string_equal(missing->missing, "this machine has no same-node placement");
	assert_int_equal(missing->placement.owner_cpu, -1);
	assert_non_null(
		find(&list, "mutex-inversion/cross-node-99/donor=fifo,owner=nice")->missing);
	section_list_release(&list);
	json_object_put(plan);
}

static void refuse(const char *work, const char *sentence)
{
	struct json_object *plan = plan_with(1, work);
	struct section_list list;
	char error[512];

	assert_int_equal(expand(&list, plan, error), -EINVAL);
	assert_non_null(strstr(error, sentence));
	assert_int_equal(list.count, 0);
	json_object_put(plan);
}

static void test_wrong_plans_are_refused_with_a_sentence(void **state)
{
	(void)state;
	refuse("[]", "the plan has no \"work\"");
	refuse("{}", "the plan has no \"work\"");
	refuse("[{\"placements\":[\"all\"]}]", "has no \"workload\"");
	refuse("[{\"workload\":\"nonsense\",\"placements\":[\"all\"]}]",
	       "'nonsense' is not a workload; see 'proxeval list'");
	refuse("[{\"workload\":\"mutex-inversion\"}]", "has no \"placements\"");
	refuse("[" ITEM("\"moon\"", "") "]", "'moon' is not a placement");
	refuse("[" ITEM("\"all\"", "\"samples\":\"0\"") "]", "samples is a number from 1");
	refuse("[" ITEM("\"all\"", "\"colour\":\"red\"") "]", "no parameter 'colour'");
	refuse("[" ITEM("\"all\"", "") "," ITEM("\"same-cpu\"", "\"samples\":\"9\"") "]",
	       "the plan asks twice for mutex-inversion/same-cpu/donor=fifo,owner=nice");
}

/* A workload made of the test's own callbacks. */
static const struct parameter_spec no_parameters[] = {{.name = NULL}};
static const struct metric_spec one_metric[] = {
	{.name = "answer", .unit = "count", .kind = METRIC_COUNTER}, {.name = NULL}};

static struct json_object *run_workload(const struct workload *workload)
{
	const char *values[] = {NULL};
	struct section section = {.id = (char *)"test/same-cpu",
				  .workload = workload,
				  .values = values,
				  .placement = {.kind = PLACEMENT_SAME_CPU, .name = "same-cpu"},
				  .seed = 3};
	struct section_context context = {.topology = guest, .proxy_exec = PROXY_EXEC_UNKNOWN};
	struct json_object *object;

	assert_int_equal(section_run(&section, &context, &object), 0);
	assert_non_null(object);
	return object;
}

static const char *text(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void expect(const struct workload *workload, const char *outcome, const char *reason)
{
	struct json_object *object = run_workload(workload);

	assert_string_equal(text(object, "id"), "test/same-cpu");
	assert_string_equal(text(object, "outcome"), outcome);
	if (reason)
		assert_non_null(strstr(text(object, "reason"), reason));
	else
		assert_null(text(object, "reason"));
	json_object_put(object);
	/* Nothing of it is left: no child, no journal. */
	assert_int_equal(access(getenv("PROXEVAL_SETTINGS"), F_OK), -1);
}

static int measure_answer(struct workload_run *run)
{
	result_set_counter(run->result, "answer", 42);
	run->progress(run->progress_context, 1, 1);
	return 0;
}

static struct workload make_workload(int (*measure)(struct workload_run *run))
{
	return (struct workload){.name = "test",
				 .summary = "",
				 .parameters = no_parameters,
				 .metrics = one_metric,
				 .placements = 1u << PLACEMENT_SAME_CPU,
				 .measure = measure};
}

static void test_what_a_boot_asks_in_vain_is_unsupported(void **state)
{
	const struct workload workload = make_workload(measure_answer);
	struct section section = {.id = (char *)"test/same-cpu",
				  .workload = &workload,
				  .placement = {.kind = PLACEMENT_SAME_CPU, .name = "same-cpu"}};
	struct section_context context = {.topology = guest, .refusal = "no proxy execution"};
	struct json_object *object;

	(void)state;
	assert_int_equal(section_run(&section, &context, &object), 0);
	assert_string_equal(text(object, "outcome"), "unsupported");
	assert_string_equal(text(object, "reason"), "no proxy execution");
	json_object_put(object);
}

static void test_a_result_comes_out_of_the_sections_process(void **state)
{
	struct workload workload = make_workload(measure_answer);
	struct json_object *object = run_workload(&workload);
	struct json_object *metric =
		json_object_array_get_idx(json_object_object_get(object, "metrics"), 0);

	(void)state;
	assert_string_equal(text(object, "outcome"), "ok");
	assert_string_equal(text(metric, "name"), "answer");
	assert_string_equal(text(metric, "value"), "42");
	assert_true(json_object_get_int64(json_object_object_get(object, "duration_ns")) > 0);
	json_object_put(object);
}

static int measure_crash(struct workload_run *run)
{
	(void)run;
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

static int measure_exit(struct workload_run *run)
{
	(void)run;
	_exit(0);
}

static int measure_error(struct workload_run *run)
{
	(void)run;
	return -ENOSPC;
}

static int measure_word(struct workload_run *run)
{
	result_set_outcome(run->result, OUTCOME_UNSUPPORTED, "there is no moon");
	return -EOPNOTSUPP;
}

static void test_a_workload_that_fails_costs_only_its_section(void **state)
{
	struct workload crash = make_workload(measure_crash), gone = make_workload(measure_exit);
	struct workload error = make_workload(measure_error), word = make_workload(measure_word);

	(void)state;
	expect(&crash, "failed", "was ended by signal 11");
	expect(&gone, "failed", "ended without a result");
	expect(&error, "failed", "No space left on device");
	expect(&word, "unsupported", "there is no moon");
}

static char *marks; /* a file that callbacks leave marks in */

static void mark(const char *what)
{
	FILE *file = fopen(marks, "a");

	fputs(what, file);
	fclose(file);
}

static int setup_fails(struct workload_run *run)
{
	(void)run;
	mark("setup ");
	return -ENODEV;
}

static int measure_marks(struct workload_run *run)
{
	(void)run;
	mark("measure ");
	return 0;
}

static void cleanup_marks(struct workload_run *run)
{
	(void)run;
	mark("cleanup");
}

static void test_a_failed_setup_skips_measure_and_not_cleanup(void **state)
{
	struct workload workload = make_workload(measure_marks);
	char *left;

	(void)state;
	marks = format_string("%s/marks", directory);
	workload.setup = setup_fails;
	workload.cleanup = cleanup_marks;
	expect(&workload, "failed", "No such device");
	assert_int_equal(read_file(marks, 100, &left, NULL), 0);
	assert_string_equal(left, "setup cleanup");
	free(left);
	free(marks);
}

static void test_needs_are_checked_before_anything_runs(void **state)
{
	static const char *const file[] = {"/proc/no-such-file", NULL};
	struct workload cpus = make_workload(measure_crash), files = cpus;

	(void)state;
	cpus.needs.min_cpus = 9;
	expect(&cpus, "unsupported", "test needs 9 CPUs, and there are 8");
	files.needs.files = file;
	expect(&files, "unsupported", "/proc/no-such-file cannot be read: No such file");
}

static char *knob;

static int measure_knob(struct workload_run *run)
{
	char line[32];

	result_set_counter(run->result, "answer", 1);
	if (read_line(knob, line, sizeof(line)) || strcmp(line, "new") != 0)
		return -EIO;
	return 0;
}

static const char *const *knobs_of_test(const struct workload_run *run)
{
	static const char *pairs[3];

	(void)run;
	pairs[0] = knob;
	pairs[1] = "new";
	return pairs;
}

static void test_knobs_are_set_and_put_back(void **state)
{
	static const char *const missing[] = {"/proc/sys/no-such-knob", "1", NULL};
	struct workload workload = make_workload(measure_knob);
	char line[32];

	(void)state;
	knob = format_string("%s/knob", directory);
	assert_int_equal(write_file_atomically(knob, "old\n", 4), 0);
	workload.knobs = knobs_of_test;
	expect(&workload, "ok", NULL);
	assert_int_equal(read_line(knob, line, sizeof(line)), 0);
	assert_string_equal(line, "old");
	workload.needs.knobs = missing;
	expect(&workload, "failed", "cannot set /proc/sys/no-such-knob to 1");
	assert_int_equal(read_line(knob, line, sizeof(line)), 0);
	assert_string_equal(line, "old");
	free(knob);
}

static void test_a_plan_of_another_format_is_refused(void **state)
{
	struct json_object *plan = plan_with(1, "[]"), *result = NULL;

	(void)state;
	json_object_object_add(plan, "version", json_object_new_int(2));
	assert_int_equal(runner_run(plan, NULL, NULL, &result), -EINVAL);
	json_object_object_add(plan, "version", json_object_new_int(1));
	json_object_object_add(plan, "time", json_object_new_string("warped"));
	assert_int_equal(runner_run(plan, NULL, NULL, &result), -EINVAL);
	assert_null(result);
	json_object_put(plan);
}

static void count_progress(void *context, unsigned int done, unsigned int total, const char *what)
{
	unsigned int *last = context;

	assert_true(done >= *last && done <= total);
	assert_int_equal(total, RUNNER_STEPS);
	assert_string_equal(what, "mutex-inversion same-cpu");
	*last = done;
}

static size_t count_declared_metrics(const char *name)
{
	size_t count = 0;

	while (workload_find(name)->metrics[count].name)
		count++;
	return count;
}

/* The whole way on this very machine; what it measures is not judged here. */
static void test_a_boot_of_this_machine(void **state)
{
	struct json_object *plan = plan_with(
		1, "[" ITEM("\"same-cpu\"", "\"samples\":\"1\",\"control_samples\":\"1\"") "]");
	struct json_object *result, *section;
	unsigned int last = 0;

	(void)state;
	assert_int_equal(runner_run(plan, count_progress, &last, &result), 0);
	assert_int_equal(last, RUNNER_STEPS);
	assert_string_equal(text(result, "format"), "proxeval-boot");
	assert_string_equal(text(result, "outcome"), "ok");
	assert_string_equal(text(json_object_object_get(result, "boot"), "variant"), "proxy");
	assert_non_null(json_object_object_get(result, "environment"));
	assert_non_null(json_object_object_get(result, "health"));
	section = json_object_array_get_idx(json_object_object_get(result, "sections"), 0);
	assert_string_equal(text(section, "id"), "mutex-inversion/same-cpu/donor=fifo,owner=nice");
	if (geteuid())
		assert_string_equal(text(section, "outcome"), "unsupported");
	else
		assert_int_equal(
			json_object_array_length(json_object_object_get(section, "metrics")),
			count_declared_metrics("mutex-inversion"));
	json_object_put(result);
	json_object_put(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_boot_asks_in_vain_is_unsupported),
		cmocka_unit_test(test_all_is_what_exists_here),
		cmocka_unit_test(test_an_id_names_what_is_measured_and_not_how_often),
		cmocka_unit_test(test_the_seed_draws_order_and_sections_keep_their_own),
		cmocka_unit_test(test_a_kind_takes_every_distance_and_what_is_missing_says_so),
		cmocka_unit_test(test_wrong_plans_are_refused_with_a_sentence),
		cmocka_unit_test(test_a_result_comes_out_of_the_sections_process),
		cmocka_unit_test(test_a_workload_that_fails_costs_only_its_section),
		cmocka_unit_test(test_a_failed_setup_skips_measure_and_not_cleanup),
		cmocka_unit_test(test_needs_are_checked_before_anything_runs),
		cmocka_unit_test(test_knobs_are_set_and_put_back),
		cmocka_unit_test(test_a_plan_of_another_format_is_refused),
		cmocka_unit_test(test_a_boot_of_this_machine),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
