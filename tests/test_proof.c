// SPDX-License-Identifier: GPL-2.0-only
/* The table of proofs against what it names, and what boots and searches come to. No guest. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/kernel_internal.h"
#include "bench/proof.h"
#include "bench/qemu.h"
#include "measure/clock.h"
#include "reports/proof_page.h"
#include "workloads/profiles.h"
#include "workloads/stress_plan.h"
#include "workloads/workload.h"

#define PATCHES TEST_SOURCE_DIR "/kernel-patches/"

/* ---- the table ---- */

static void read_series(const char *name, struct series *series)
{
	char path[512];

	snprintf(path, sizeof(path), PATCHES "%s", name);
	*series = (struct series){0};
	assert_int_equal(series_read(path, false, series), 0);
}

/* Every tag of the series has its row, alone or with others; and what it holds. */
static void test_every_patch_has_a_row(void **state)
{
	struct series series;

	(void)state;
	read_series("series", &series);
	assert_true(series.count >= 10);
	for (size_t i = 0; i < series.count; i++) {
		assert_non_null(series.items[i].tag);
		assert_non_null(proof_row_find(series.items[i].tag));
		if (series.items[i].holds)
			assert_non_null(proof_row_find(series.items[i].holds));
	}
	series_release(&series);
}

/* Leaves the tags out of the series; whether what is left goes together. */
static bool can_leave_out(struct series *series, const char *const *tags, const char *own)
{
	const char *const alone[] = {own, NULL};

	for (tags = tags ? tags : alone; *tags; tags++)
		if (series_leave_out(series, *tags))
			return false;
	return !series_check_needs(series);
}

static void expect_possible(const struct proof_row *row, const struct proof_step *step)
{
	static const char *const nothing[] = {NULL};
	const char *name = step->series ? step->series : "series";
	struct series series;

	read_series(name, &series);
	assert_true(
		can_leave_out(&series, step->both_without ? step->both_without : nothing, NULL));
	assert_true(can_leave_out(&series, step->without, row->tag));
	series_release(&series);
}

/* What is compared with another series is compared with all of ours in it. */
static void test_every_kernel_is_possible(void **state)
{
	(void)state;
	for (size_t i = 0; i < proof_rows_count; i++) {
		const struct proof_row *row = &proof_rows[i];

		assert_in_range(row->n_steps, 1, PROOF_MAX_STEPS);
		for (size_t at = 0; at < row->n_steps; at++)
			if (row->steps[at].kind != PROOF_NEED)
				expect_possible(row, &row->steps[at]);
	}
}

static void test_series_with_aids_are_the_series(void **state)
{
	static const char *const names[] = {"series-checks", "series-parking-window"};
	struct series plain, aided;

	(void)state;
	read_series("series", &plain);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		read_series(names[i], &aided);
		assert_int_equal(aided.count, plain.count + 1);
		for (size_t at = 0; at < plain.count; at++) {
			assert_string_equal(aided.items[at].name, plain.items[at].name);
			assert_string_equal(aided.items[at].tag, plain.items[at].tag);
		}
		assert_string_equal(aided.items[plain.count].tag, "debug");
		series_release(&aided);
	}
	series_release(&plain);
}

static void expect_metric(const struct workload *workload, const char *name, bool is_judged)
{
	const struct metric_spec *metric = workload->metrics;

	while (metric->name && strcmp(metric->name, name) != 0)
		metric++;
	if (!metric->name)
		fail_msg("%s has no metric %s", workload->name, name);
	if (is_judged)
		assert_true(metric->direction == LOWER_IS_BETTER ||
			    metric->direction == MUST_BE_ZERO);
}

static void expect_figure(const struct proof_figure *figure)
{
	const char *const names[] = {figure->workload};
	struct json_object *work = profile_work("proof", names, 1);
	const struct workload *workload = workload_find(figure->workload);
	struct vm_topology topology;
	char error[256];

	assert_non_null(workload);
	/* One item, and its own: what is not in the profile would be done at its standards. */
	assert_int_equal(json_object_array_length(work), 1);
	assert_true(json_object_object_length(json_object_object_get(
			    json_object_array_get_idx(work, 0), "params")) > 0);
	assert_int_equal(vm_topology_parse(figure->topology, &topology, error, sizeof(error)), 0);
	expect_metric(workload, figure->metric, true);
	for (const char *const *also = figure->also; also && *also; also++)
		expect_metric(workload, *also, false);
	if (figure->rule == PROOF_WORSE)
		assert_true(figure->factor > 1);
	if (figure->rule == PROOF_SAME)
		assert_true(figure->factor >= 1 && figure->factor < 1.01);
	json_object_put(work);
}

static void test_every_step_names_what_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < proof_rows_count; i++)
		for (size_t at = 0; at < proof_rows[i].n_steps; at++) {
			const struct proof_step *step = &proof_rows[i].steps[at];

			if (step->kind == PROOF_FIGURE)
				expect_figure(&step->figure);
			if (step->kind != PROOF_STRESS)
				continue;
			assert_in_range(step->stress.seeds, 1, 100);
			assert_in_range(step->stress.duration_s, 1, 10);
			assert_non_null(step->stress.expected);
			for (const char *const *only = step->stress.only; only && *only; only++)
				assert_true(stress_mechanism_find(*only) >= 0);
			assert_int_equal(!step->series, !step->aid);
		}
}

static void test_rows_are_found_by_tag(void **state)
{
	(void)state;
	assert_string_equal(proof_row_find("k3")->tag, "K3");
	assert_string_equal(proof_row_find("K1+K2")->tag, "K1+K2");
	assert_null(proof_row_find("K"));
	assert_null(proof_row_find("K33"));
	for (size_t i = 0; i < proof_rows_count; i++)
		assert_ptr_equal(proof_row_find(proof_rows[i].tag), &proof_rows[i]);
}

/* The manual page has them one by one: ".BR K1 ,". */
static void test_the_manual_page_has_every_row(void **state)
{
	char *page, word[32];

	(void)state;
	assert_int_equal(read_file(TEST_SOURCE_DIR "/doc/man/proxeval-run.1", 1 << 20, &page, NULL),
			 0);
	for (size_t i = 0; i < proof_rows_count; i++) {
		const char *at = page;

		snprintf(word, sizeof(word), " %s", proof_rows[i].tag);
		while ((at = strstr(at, word)) && !strchr(" \n", at[strlen(word)]))
			at++;
		if (!at)
			fail_msg("proxeval-run.1 has no row %s", proof_rows[i].tag);
	}
	free(page);
}

static void test_who_needs_whom(void **state)
{
	struct series series;
	char *needed;

	(void)state;
	read_series("series", &series);
	needed = series_dependents(&series, "K5");
	assert_string_equal(needed, "K6");
	free(needed);
	needed = series_dependents(&series, "K");
	assert_string_equal(needed, "");
	free(needed);
	assert_string_equal(series_find_tag(&series, "r1")->tag, "K7");
	assert_string_equal(series_find_tag(&series, "K2")->tag, "K2");
	assert_null(series_find_tag(&series, "K22"));
	series_release(&series);
}

/* ---- figures ---- */

#define VALUES(...)         \
	(const double[])    \
	{                   \
		__VA_ARGS__ \
	}

static struct proof_side side_of(const double *values, size_t n_values)
{
	return (struct proof_side){.values = values, .n_values = n_values, .n_boots = n_values};
}

static enum proof_verdict judge(enum proof_rule rule, double factor, struct proof_side full,
				struct proof_side without, struct proof_judgement *judgement)
{
	const struct proof_figure figure = {.metric = "wait_ns", .rule = rule, .factor = factor};

	proof_judge_figure(&figure, &full, &without, judgement);
	assert_true(*judgement->reason);
	return judgement->verdict;
}

/* The worst boot with it against the best without: a median alone would let one boot lie. */
static void test_worse_is_worse_in_every_boot(void **state)
{
	struct proof_judgement judgement;

	(void)state;
	assert_int_equal(judge(PROOF_WORSE, 5, side_of(VALUES(10, 12), 2),
			       side_of(VALUES(90, 60), 2), &judgement),
			 PROOF_SHOWN);
	assert_true(fabs(judgement.ratio - 6) < 1e-9);
	assert_true(fabs(judgement.ratio_least - 5) < 1e-9);
	/* A factor that is all but 1 is told from it. */
	assert_int_equal(judge(PROOF_WORSE, 1.002, side_of(VALUES(1000, 1000), 2),
			       side_of(VALUES(1015, 1015), 2), &judgement),
			 PROOF_SHOWN);
	assert_non_null(strstr(judgement.reason, "1.015 times"));
	assert_non_null(strstr(judgement.reason, "1.002 are called for"));
	assert_int_equal(judge(PROOF_WORSE, 5, side_of(VALUES(10, 12, 12), 3),
			       side_of(VALUES(90, 59, 90), 3), &judgement),
			 PROOF_NOT_SHOWN);
	/* It got better without it: nothing to be proud of. */
	assert_int_equal(
		judge(PROOF_WORSE, 5, side_of(VALUES(50), 1), side_of(VALUES(10), 1), &judgement),
		PROOF_NOT_SHOWN);
}

static void test_a_violation_of_the_whole_series_is_not_clean(void **state)
{
	struct proof_judgement judgement;

	(void)state;
	assert_int_equal(judge(PROOF_VIOLATION, 0, side_of(VALUES(0, 0), 2),
			       side_of(VALUES(0, 3), 2), &judgement),
			 PROOF_SHOWN);
	assert_non_null(strstr(judgement.reason, "1 of 2 boots"));
	assert_int_equal(judge(PROOF_VIOLATION, 0, side_of(VALUES(0, 0), 2),
			       side_of(VALUES(0, 0), 2), &judgement),
			 PROOF_NOT_SHOWN);
	assert_int_equal(judge(PROOF_VIOLATION, 0, side_of(VALUES(0, 1), 2),
			       side_of(VALUES(9, 9), 2), &judgement),
			 PROOF_NOT_CLEAN);
}

static void test_the_same_is_the_same_to_a_factor(void **state)
{
	struct proof_judgement judgement;

	(void)state;
	assert_int_equal(judge(PROOF_SAME, 1.001, side_of(VALUES(1000, 1000.5), 2),
			       side_of(VALUES(1001, 1000), 2), &judgement),
			 PROOF_NOT_SHOWN);
	assert_int_equal(judge(PROOF_SAME, 1.001, side_of(VALUES(1000), 1),
			       side_of(VALUES(1002), 1), &judgement),
			 PROOF_SHOWN);
}

static void test_a_kernel_that_complains(void **state)
{
	struct proof_judgement judgement;
	struct proof_side good = side_of(VALUES(0, 0), 2), bad = good;

	(void)state;
	bad.n_unhealthy = 1;
	bad.first_word = "WARNING: kernel/sched/fair.c";
	assert_int_equal(judge(PROOF_WORSE, 5, good, bad, &judgement), PROOF_SHOWN);
	assert_non_null(strstr(judgement.reason, "kernel/sched/fair.c"));
	assert_int_equal(judge(PROOF_WORSE, 5, bad, good, &judgement), PROOF_NOT_CLEAN);
	assert_int_equal(judge(PROOF_WORSE, 5, bad, bad, &judgement), PROOF_NOT_CLEAN);
	/* One that crashed has no figure. */
	bad.n_values = 0;
	assert_int_equal(judge(PROOF_VIOLATION, 5, good, bad, &judgement), PROOF_SHOWN);
}

static void test_what_was_not_measured_proves_nothing(void **state)
{
	struct proof_judgement judgement;
	struct proof_side good = side_of(VALUES(1, 1), 2), part = good, none = {0};

	(void)state;
	part.n_boots = 3;
	part.first_word = "the owner did not sleep";
	assert_int_equal(judge(PROOF_WORSE, 5, good, part, &judgement), PROOF_BROKEN);
	assert_non_null(strstr(judgement.reason, "the owner did not sleep"));
	assert_int_equal(judge(PROOF_VIOLATION, 5, part, good, &judgement), PROOF_BROKEN);
	assert_int_equal(judge(PROOF_SAME, 5, none, good, &judgement), PROOF_BROKEN);
	assert_int_equal(judge(PROOF_WORSE, 5, none, none, &judgement), PROOF_BROKEN);
}

/* ---- searches ---- */

static enum proof_verdict judge_search(struct proof_search search)
{
	struct proof_judgement judgement;

	search.duration_ns = 3 * NS_PER_S;
	search.kind = "report";
	search.text = "WARNING: somewhere";
	proof_judge_stress(&search, &judgement);
	assert_true(*judgement.reason);
	return judgement.verdict;
}

static void test_searches(void **state)
{
	(void)state;
	assert_int_equal(
		judge_search((struct proof_search){
			.n_tried = 5, .is_found = true, .is_again = true, .n_full_tried = 5}),
		PROOF_SHOWN);
	/* What does not show again was no function of its seed: nobody can check it. */
	assert_int_equal(
		judge_search((struct proof_search){
			.n_tried = 5, .is_found = true, .is_again = false, .n_full_tried = 5}),
		PROOF_BROKEN);
	assert_int_equal(judge_search((struct proof_search){.n_tried = 5,
							    .is_found = true,
							    .is_again = true,
							    .n_full_tried = 5,
							    .n_full_found = 1}),
			 PROOF_NOT_CLEAN);
	assert_int_equal(judge_search((struct proof_search){.n_tried = 8, .n_others = 1}),
			 PROOF_NOT_SHOWN);
	assert_int_equal(judge_search((struct proof_search){0}), PROOF_BROKEN);
}

static void test_what_is_looked_for(void **state)
{
	static const char *const parked[] = {"donor parked on it", NULL};
	static const char *const steal[] = {"put_prev_task_fair", "pick_task_fair", NULL};
	static const char log[] =
		"[    0.100000] proxy: px1/9 is another matter\n"
		"[    0.700000] Run /init\n"
		"[    0.815367] proxy: px7/67 executed with a donor parked on it\r\n"
		"[    0.815383] WARNING: at __schedule+0x1/0x2, CPU#0: px7/67\n"
		"[    0.815439] Modules linked in:\n"
		"[    0.815479] RIP: 0010:pick_task_fair+0x175e/0x1fd0\n";
	size_t at = (size_t)(strstr(log, "[    0.815383]") - log);
	char line[64];

	(void)state;
	assert_true(proof_find_sign(log, at, parked, line, sizeof(line)));
	assert_string_equal(line, "proxy: px7/67 executed with a donor parked on it");
	assert_true(proof_find_sign(log, at, steal, line, sizeof(line)));
	assert_string_equal(line, "RIP: 0010:pick_task_fair+0x175e/0x1fd0");
	/* What stands far before it belongs to something else: of four lines three are looked at.
	 */
	at = (size_t)(strstr(log, "[    0.815439]") - log);
	assert_false(proof_find_sign(log, at, (const char *const[]){"another matter", NULL}, line,
				     sizeof(line)));
	at = (size_t)(strstr(log, "[    0.815383]") - log);
	assert_false(proof_find_sign(log, at, (const char *const[]){"dl_server", NULL}, line,
				     sizeof(line)));
	assert_true(proof_find_sign(log, at, NULL, line, sizeof(line)));
	assert_string_equal(line, "WARNING: at __schedule+0x1/0x2, CPU#0: px7/67");
	assert_false(proof_find_sign("", 7, parked, line, sizeof(line)));
}

/* ---- rows and documents ---- */

static void test_a_row_is_its_best_step_unless_something_is_wrong(void **state)
{
	const enum proof_verdict shown[] = {PROOF_NOT_SHOWN, PROOF_SHOWN};
	const enum proof_verdict wrong[] = {PROOF_SHOWN, PROOF_NOT_CLEAN};
	const enum proof_verdict broken[] = {PROOF_NOT_SHOWN, PROOF_BROKEN};

	(void)state;
	assert_int_equal(proof_row_verdict(shown, 2), PROOF_SHOWN);
	assert_int_equal(proof_row_verdict(wrong, 2), PROOF_NOT_CLEAN);
	assert_int_equal(proof_row_verdict(broken, 2), PROOF_BROKEN);
	assert_int_equal(proof_row_verdict(shown, 1), PROOF_NOT_SHOWN);
	assert_int_equal(proof_row_verdict(NULL, 0), PROOF_BROKEN);
	assert_string_equal(proof_verdict_word(PROOF_NOT_SHOWN, true), "argued");
	assert_string_equal(proof_verdict_word(PROOF_NOT_SHOWN, false), "not-shown");
	assert_string_equal(proof_verdict_word(PROOF_NOT_CLEAN, true), "not-clean");
}

static int code_of(const char *first, const char *second)
{
	char text[200];
	struct json_object *document;
	int code;

	snprintf(text, sizeof(text), "{\"rows\": [{\"verdict\": \"%s\"}, {\"verdict\": \"%s\"}]}",
		 first, second);
	document = json_tokener_parse(text);
	code = proof_exit_code(document);
	json_object_put(document);
	return code;
}

static void test_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(code_of("shown", "argued"), EXIT_FINE);
	assert_int_equal(code_of("shown", "not-shown"), EXIT_INCONCLUSIVE);
	assert_int_equal(code_of("broken", "not-shown"), EXIT_BROKE);
	assert_int_equal(code_of("not-shown", "broken"), EXIT_BROKE);
	assert_int_equal(code_of("broken", "not-clean"), EXIT_REGRESSION);
}

/* ---- the page ---- */

static struct json_object *load_published(void)
{
	struct json_object *document =
		json_object_from_file(TEST_SOURCE_DIR "/tests/fixtures/proof/proof.json");

	assert_non_null(document);
	return document;
}

/* PROOF.md is what today's program makes of the document that it was made from. */
static void test_the_published_page_is_made_of_its_document(void **state)
{
	struct json_object *document = load_published();
	struct buffer page = {0};
	char *published;

	(void)state;
	proof_page_write(&page, document);
	assert_int_equal(read_file(PATCHES "PROOF.md", 1 << 20, &published, NULL), 0);
	assert_string_equal(page.text, published);
	free(published);
	buffer_release(&page);
	json_object_put(document);
}

/* Whether the published proof has the row, and shows it. */
static bool is_published_as_shown(struct json_object *rows, const char *tag)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (!strcmp(proof_text(row, "tag"), tag))
			return !strcmp(proof_text(row, "verdict"), "shown");
	}
	return false;
}

/* What a series like this one cannot do without shows. */
static void expect_the_needed(struct json_object *rows)
{
	assert_true(is_published_as_shown(rows, "K1") || is_published_as_shown(rows, "K2") ||
		    is_published_as_shown(rows, "K1+K2"));
	assert_true(is_published_as_shown(rows, "K3"));
	assert_true(is_published_as_shown(rows, "K6"));
	assert_true(is_published_as_shown(rows, "K7"));
	assert_true(is_published_as_shown(rows, "R1"));
	assert_int_equal(json_object_array_length(rows), proof_rows_count);
}

/* Its patches are those of today's series. */
static void test_the_published_proof_is_of_the_series(void **state)
{
	struct json_object *document = load_published();
	struct json_object *rows = json_object_object_get(document, "rows");
	struct series series;

	(void)state;
	read_series("series", &series);
	assert_int_equal(proof_exit_code(document), EXIT_FINE);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *patches = json_object_object_get(row, "patches");

		assert_non_null(proof_row_find(proof_text(row, "tag")));
		assert_true(json_object_array_length(patches) >= 1);
		for (size_t at = 0; at < json_object_array_length(patches); at++) {
			const char *name =
				json_object_get_string(json_object_array_get_idx(patches, at));
			size_t patch = 0;

			while (patch < series.count && strcmp(series.items[patch].name, name) != 0)
				patch++;
			if (patch == series.count)
				fail_msg("the series has no %s: scripts/proof.sh", name);
		}
	}
	/* One that is still to be gone on with says so on its first lines. */
	if (json_object_get_boolean(json_object_object_get(document, "is_complete")))
		expect_the_needed(rows);
	series_release(&series);
	json_object_put(document);
}

static void test_a_summary_counts_the_rows(void **state)
{
	struct json_object *document = json_tokener_parse(
		"{\"rows\": [{\"tag\": \"K3\", \"verdict\": \"shown\", \"reason\": \"this\"},"
		" {\"tag\": \"K9\", \"verdict\": \"not-clean\", \"reason\": \"that\"}]}");
	struct buffer text = {0};

	(void)state;
	proof_page_summary(&text, document);
	assert_string_equal(text.text,
			    "K3     shown      this\nK9     not-clean  that\n"
			    "proof: 1 shown, 0 argued, 0 not-shown, 1 not-clean, 0 broken\n");
	buffer_release(&text);
	json_object_put(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_patch_has_a_row),
		cmocka_unit_test(test_every_kernel_is_possible),
		cmocka_unit_test(test_series_with_aids_are_the_series),
		cmocka_unit_test(test_every_step_names_what_is_there),
		cmocka_unit_test(test_rows_are_found_by_tag),
		cmocka_unit_test(test_the_manual_page_has_every_row),
		cmocka_unit_test(test_who_needs_whom),
		cmocka_unit_test(test_worse_is_worse_in_every_boot),
		cmocka_unit_test(test_a_violation_of_the_whole_series_is_not_clean),
		cmocka_unit_test(test_the_same_is_the_same_to_a_factor),
		cmocka_unit_test(test_a_kernel_that_complains),
		cmocka_unit_test(test_what_was_not_measured_proves_nothing),
		cmocka_unit_test(test_searches),
		cmocka_unit_test(test_what_is_looked_for),
		cmocka_unit_test(test_a_row_is_its_best_step_unless_something_is_wrong),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_the_published_page_is_made_of_its_document),
		cmocka_unit_test(test_the_published_proof_is_of_the_series),
		cmocka_unit_test(test_a_summary_counts_the_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
