// SPDX-License-Identifier: GPL-2.0-only
/* From the fixtures to verdicts, sentences and exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "bench/exit_codes.h"
#include "reports/verdict.h"

#define FIXTURES TEST_SOURCE_DIR "/tests/fixtures/results/"

static struct results results;
static struct analysis analysis;

static void analyse(const char *path, const struct analysis_options *options)
{
	const char *paths[] = {path};

	assert_int_equal(results_load(&results, paths, 1), 0);
	assert_int_equal(analysis_make(&analysis, &results, options), 0);
}

static int release(void **state)
{
	(void)state;
	analysis_release(&analysis);
	results_release(&results);
	return 0;
}

static const struct comparison *find(const char *placement, const char *metric,
				     enum statistic statistic)
{
	const struct comparison *found = NULL;

	for (size_t i = 0; i < results.n_sections && !found; i++)
		for (size_t v = 0; v < results.n_variants && !found; v++)
			if (!strcmp(results.sections[i].placement, placement))
				found = analysis_find(&analysis, i, metric, statistic, v);
	assert_non_null(found);
	return found;
}

static bool says(const char *const *texts, size_t count, const char *needle)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(texts[i], needle))
			return true;
	return false;
}

static void test_quick_profile_is_better_everywhere(void **state)
{
	static const char *const placements[] = {"same-cpu", "smt-sibling", "same-node",
						 "cross-node-20"};

	(void)state;
	analyse(FIXTURES "quick-virtual", NULL);
	assert_string_equal(results.variants[analysis.baseline].label, "!proxy");
	assert_int_equal(analysis.tests[FAMILY_PRIMARY], 4);
	for (size_t i = 0; i < 4; i++) {
		const struct comparison *wait = find(placements[i], "donor_wait_ns", STATISTIC_P50);

		assert_int_equal(wait->verdict, VERDICT_BETTER);
		assert_int_equal(wait->test, TEST_INDEPENDENT);
		assert_int_equal(wait->permutation.arrangements, 924);
		assert_true(fabs(wait->p_adjusted - 4 * 2.0 / 924) < 1e-12);
		assert_true(wait->ratio > 0.045 && wait->ratio < 0.058);
		assert_true(wait->ratio_low < wait->ratio && wait->ratio < wait->ratio_high);
	}
	assert_int_equal(find("same-cpu", "pi_wait_ns", STATISTIC_P50)->verdict, VERDICT_AGREE);
	assert_int_equal(find("same-cpu", "donor_wait_ns", STATISTIC_MAX)->verdict,
			 VERDICT_NOT_JUDGED);
	assert_int_equal(find("same-cpu", "donor_wait_ns", STATISTIC_P90)->family,
			 FAMILY_SECONDARY);
	assert_int_equal(analysis.exit_code, EXIT_FINE);
	assert_true(says(analysis.headline, 1, "better in all 4 placements"));
	assert_int_equal(analysis.n_warnings, 0);
}

static void test_rounds_are_paired(void **state)
{
	const struct comparison *wait;

	(void)state;
	analyse(FIXTURES "real-rounds", NULL);
	wait = find("same-cpu", "donor_wait_ns", STATISTIC_P50);
	assert_int_equal(wait->test, TEST_PAIRED);
	assert_int_equal(wait->n_pairs, 8);
	assert_true(fabs(wait->permutation.p - 2.0 / 256) < 1e-12);
	assert_int_equal(wait->verdict, VERDICT_BETTER);
	for (size_t i = 0; i < wait->n_pairs; i++)
		assert_int_equal(results.boots[wait->baseline.boots[i]].round,
				 results.boots[wait->other.boots[i]].round);
}

static void test_too_few_boots_say_how_many_more(void **state)
{
	const struct comparison *wait;

	(void)state;
	analyse(FIXTURES "too-few", NULL);
	wait = find("same-cpu", "donor_wait_ns", STATISTIC_P50);
	assert_int_equal(wait->verdict, VERDICT_INCONCLUSIVE);
	/* One primary test: 2/C(8,4) is the first that is small enough; two are there. */
	assert_int_equal(wait->more_boots, 2);
	assert_true(isnan(wait->ratio_low));
	assert_int_equal(analysis.exit_code, EXIT_INCONCLUSIVE);
	assert_true(says(analysis.headline, 1, "at least 2 more boots of each"));
}

static void test_equal_variants_are_equivalent(void **state)
{
	(void)state;
	analyse(FIXTURES "same", NULL);
	assert_int_equal(find("same-cpu", "donor_wait_ns", STATISTIC_P50)->verdict,
			 VERDICT_EQUIVALENT);
	assert_int_equal(analysis.exit_code, EXIT_FINE);
}

static void test_worse_is_a_regression(void **state)
{
	(void)state;
	analyse(FIXTURES "worse", NULL);
	assert_int_equal(find("same-cpu", "donor_wait_ns", STATISTIC_P50)->verdict, VERDICT_WORSE);
	assert_int_equal(analysis.exit_code, EXIT_REGRESSION);
}

static void test_the_baseline_can_be_chosen(void **state)
{
	struct analysis_options options = {.baseline = "proxy"};

	(void)state;
	analyse(FIXTURES "quick-virtual", &options);
	assert_int_equal(find("same-cpu", "donor_wait_ns", STATISTIC_P50)->verdict, VERDICT_WORSE);
	analysis_release(&analysis);
	options.baseline = "nobody";
	assert_int_equal(analysis_make(&analysis, &results, &options), -EINVAL);
	assert_non_null(strstr(analysis.error, "no variant 'nobody'"));
}

static void test_a_control_that_disagrees_is_loud(void **state)
{
	(void)state;
	analyse(FIXTURES "control-off", NULL);
	assert_int_equal(find("same-cpu", "pi_wait_ns", STATISTIC_P50)->verdict, VERDICT_DISAGREE);
	assert_true(says(analysis.warnings, 1, "A CONTROL DISAGREES: pi_wait_ns"));
}

static void test_a_violation_is_a_regression(void **state)
{
	(void)state;
	analyse(FIXTURES "violated", NULL);
	assert_int_equal(analysis.exit_code, EXIT_REGRESSION);
	assert_true(says(analysis.headline, 1,
			 "VIOLATED with proxy: cookie_violations was seen 18 times "
			 "in 6000"));
	for (size_t i = 0; i < analysis.n_invariants; i++)
		assert_int_equal(analysis.invariants[i].verdict,
				 analysis.invariants[i].variant == analysis.baseline
					 ? VERDICT_HELD
					 : VERDICT_VIOLATED);
}

static void test_a_broken_metric_is_listed_and_not_judged(void **state)
{
	(void)state;
	analyse(FIXTURES "broken", NULL);
	assert_int_equal(find("same-cpu", "donor_wait_ns", STATISTIC_P50)->verdict,
			 VERDICT_NOT_MEASURED);
	assert_int_equal(find("same-cpu", "donor_wait_ns", STATISTIC_P50)->more_boots, 0);
	assert_string_equal(find("same-cpu", "donor_wait_ns", STATISTIC_P50)->reason,
			    "proxy: broken: only 3 of 12 samples were contended (25 %)");
	assert_int_equal(find("smt-sibling", "donor_wait_ns", STATISTIC_P50)->verdict,
			 VERDICT_BETTER);
	assert_int_equal(analysis.n_unmeasured, 1);
	assert_int_equal(analysis.unmeasured[0].boots, 6);
	assert_string_equal(analysis.unmeasured[0].outcome, "broken");
	assert_non_null(strstr(analysis.unmeasured[0].reason, "only 3 of 12"));
	assert_int_equal(analysis.exit_code, EXIT_INCONCLUSIVE);
}

static void test_only_the_tested_kernel_panics(void **state)
{
	(void)state;
	analyse(FIXTURES "panicked", NULL);
	assert_int_equal(analysis.exit_code, EXIT_REGRESSION);
	assert_true(says(analysis.headline, 1, "only !proxy was measured"));
	assert_true(says(analysis.warnings, analysis.n_warnings,
			 "3 of 3 boots of proxy did not end well"));
}

static void test_every_boot_panics(void **state)
{
	(void)state;
	analyse(FIXTURES "all-panicked", NULL);
	assert_int_equal(analysis.exit_code, EXIT_BROKE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_quick_profile_is_better_everywhere, release),
		cmocka_unit_test_teardown(test_rounds_are_paired, release),
		cmocka_unit_test_teardown(test_too_few_boots_say_how_many_more, release),
		cmocka_unit_test_teardown(test_equal_variants_are_equivalent, release),
		cmocka_unit_test_teardown(test_worse_is_a_regression, release),
		cmocka_unit_test_teardown(test_the_baseline_can_be_chosen, release),
		cmocka_unit_test_teardown(test_a_control_that_disagrees_is_loud, release),
		cmocka_unit_test_teardown(test_a_violation_is_a_regression, release),
		cmocka_unit_test_teardown(test_a_broken_metric_is_listed_and_not_judged, release),
		cmocka_unit_test_teardown(test_only_the_tested_kernel_panics, release),
		cmocka_unit_test_teardown(test_every_boot_panics, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
