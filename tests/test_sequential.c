// SPDX-License-Identifier: GPL-2.0-only
/* Stopping early: the plan, which look the files are at, and the error rate of 10,000 campaigns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <json-c/json.h>
#include <cmocka.h>

#include "tests/simulated_campaign.h"

/* The sanitizers make it ten times as long. */
#ifdef __SANITIZE_ADDRESS__
#define CAMPAIGNS 500
#else
#define CAMPAIGNS 10000
#endif

static void test_the_looks_of_the_quick_profile(void **state)
{
	static const unsigned int boots[] = {6, 10, 15, 24};
	struct sequential_plan plan;
	double sum = 0;

	(void)state;
	sequential_plan_make(&plan, 24, 4, false);
	assert_int_equal(plan.n_looks, 4);
	for (size_t i = 0; i < 4; i++) {
		unsigned int before = i ? boots[i - 1] : 0;

		assert_int_equal(plan.looks[i].boots, boots[i]);
		assert_true(fabs(plan.looks[i].alpha - 0.05 * (boots[i] - before) / 24) < 1e-15);
		sum += plan.looks[i].alpha;
	}
	assert_true(fabs(sum - 0.05) < 1e-15);
	assert_int_equal(sequential_max_boots(&plan), 24);
	/* The first look can pass (4 x 2/924 = 0.87 % of 1.25 %), and one boot less could not. */
	assert_true(4 * permutation_smallest_p(6, 1, false) <= plan.looks[0].alpha);
	assert_true(4 * permutation_smallest_p(5, 1, false) > 0.05 * 5 / 24);
}

static void test_every_plan_spends_the_error_rate_and_no_more(void **state)
{
	struct sequential_plan plan, again;
	char problem[160];

	(void)state;
	for (unsigned int boots = 1; boots <= 1000; boots += boots < 50 ? 1 : 37)
		for (size_t tests = 1; tests <= 200; tests += 1 + tests)
			for (int paired = 0; paired < 2; paired++) {
				struct json_object *object;
				double sum = 0;

				sequential_plan_make(&plan, boots, tests, paired);
				assert_in_range(plan.n_looks, 1, SEQUENTIAL_MAX_LOOKS);
				for (size_t i = 0; i < plan.n_looks; i++)
					sum += plan.looks[i].alpha;
				assert_true(fabs(sum - 0.05) < 1e-12);
				assert_int_equal(sequential_max_boots(&plan), boots);
				object = sequential_plan_to_json(&plan);
				assert_int_equal(sequential_plan_read(object, &again, problem,
								      sizeof(problem)),
						 0);
				assert_memory_equal(&plan, &again, sizeof(plan));
				json_object_put(object);
			}
}

static void test_plans_that_are_none(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"[]",
		"{\"method\":\"guess\",\"error_rate\":0.05,\"looks\":[{\"boots\":6,\"alpha\":0.05}]}",
		"{\"method\":\"group-sequential-union-bound\",\"error_rate\":2,\"looks\":[]}",
		"{\"method\":\"group-sequential-union-bound\",\"error_rate\":0.05,\"looks\":[]}",
		"{\"method\":\"group-sequential-union-bound\",\"error_rate\":0.05,\"looks\":{}}",
		"{\"method\":\"group-sequential-union-bound\",\"error_rate\":0.05,"
		"\"looks\":[{\"boots\":6,\"alpha\":0.051}]}",
		"{\"method\":\"group-sequential-union-bound\",\"error_rate\":0.05,"
		"\"looks\":[{\"boots\":6,\"alpha\":0.01},{\"boots\":6,\"alpha\":0.01}]}",
		"{\"method\":\"group-sequential-union-bound\",\"error_rate\":0.05,"
		"\"looks\":[{\"boots\":6.5,\"alpha\":0.01}]}",
		"{\"method\":\"group-sequential-union-bound\",\"error_rate\":0.05,"
		"\"looks\":[{\"boots\":6,\"alpha\":-0.01}]}",
	};
	struct sequential_plan plan;
	char problem[160];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct json_object *object = json_tokener_parse(wrong[i]);

		*problem = '\0';
		assert_int_equal(sequential_plan_read(object, &plan, problem, sizeof(problem)),
				 -EINVAL);
		assert_true(*problem);
		json_object_put(object);
	}
}

static void test_the_boots_say_which_look_it_is(void **state)
{
	/* Boots of both variants, in order; looks are at 5, 7 and 10 of each. */
	static const struct {
		size_t boots, look;
		bool is_taken;
	} cases[] = {{1, 0, false}, {9, 0, false},  {10, 0, true},  {11, 1, false}, {13, 1, false},
		     {14, 1, true}, {15, 2, false}, {19, 2, false}, {20, 2, true}};
	static struct simulated_campaign campaign;
	struct sequential_plan plan;
	struct sequential_state at;

	(void)state;
	sequential_plan_make(&plan, 10, 2, false);
	assert_int_equal(plan.n_looks, 3);
	simulated_begin(&campaign, "virtual", &plan);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		campaign.results.n_boots = cases[i].boots;
		assert_true(sequential_state(&campaign.results, 0, &at));
		assert_int_equal(at.look, cases[i].look);
		assert_int_equal(at.is_taken, cases[i].is_taken);
		assert_int_equal(at.boots, cases[i].boots / 2);
		assert_true(fabs(sequential_share(&campaign.results) -
				 plan.looks[cases[i].look].alpha / 0.05) < 1e-12);
	}
	campaign.results.n_boots = 0;
	assert_false(sequential_state(&campaign.results, 0, &at));
	assert_true(sequential_share(&campaign.results) == 1);
	simulated_end(&campaign);
}

/* A third variant that --variant leaves out does not put the campaign back before its looks. */
static void test_what_is_left_out_by_choice_was_booted(void **state)
{
	static struct simulated_campaign campaign;
	struct json_object *list, *third = json_tokener_parse("{\"label\":\"c\"}");
	struct sequential_plan plan;
	struct sequential_state at;

	(void)state;
	sequential_plan_make(&plan, 10, 2, false);
	simulated_begin(&campaign, "virtual", &plan);
	assert_true(json_object_object_get_ex(campaign.results.campaigns[0].document, "variants",
					      &list));
	json_object_array_add(list, third);
	campaign.results.n_boots = 14;
	assert_true(sequential_state(&campaign.results, 0, &at));
	assert_int_equal(at.boots, 0);
	campaign.results.selection = "--variant b";
	assert_true(sequential_state(&campaign.results, 0, &at));
	assert_int_equal(at.boots, 7);
	assert_int_equal(at.look, 1);
	assert_true(at.is_taken);
	simulated_end(&campaign);
}

/* How one campaign ends. */
struct ending {
	bool is_different, is_equivalent; /* any primary metric */
	bool is_settled;
	unsigned int boots;
};

static struct ending run_campaign(struct simulated_campaign *campaign,
				  const struct sequential_plan *plan)
{
	struct ending ending = {0};

	for (size_t look = 0; look < plan->n_looks && !ending.is_settled; look++) {
		struct analysis analysis;

		ending = (struct ending){.boots = plan->looks[look].boots};
		campaign->results.n_boots = 2 * ending.boots;
		assert_int_equal(analysis_make(&analysis, &campaign->results, NULL), 0);
		assert_true(fabs(analysis.alpha - plan->looks[look].alpha) < 1e-15);
		for (size_t i = 0; i < analysis.n_comparisons; i++) {
			enum verdict verdict = analysis.comparisons[i].verdict;

			ending.is_different |=
				verdict == VERDICT_BETTER || verdict == VERDICT_WORSE;
			ending.is_equivalent |= verdict == VERDICT_EQUIVALENT;
		}
		ending.is_settled = sequential_look_at(&analysis).is_settled;
		analysis_release(&analysis);
	}
	return ending;
}

struct tally {
	unsigned int different, equivalent, settled;
	double boots;
};

/* Boots around 1000 ns, b's @ratio times as much, with a spread of @spread; every other campaign
 * has a long tail to the right. */
static struct tally run_campaigns(const char *time, unsigned int max_boots, unsigned int campaigns,
				  double ratio, double spread)
{
	static struct simulated_campaign campaign;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct sequential_plan plan;
	struct tally tally = {0};

	gsl_rng_set(rng, 1);
	sequential_plan_make(&plan, max_boots, SIMULATED_METRICS, !strcmp(time, "real"));
	simulated_begin(&campaign, time, &plan);
	for (unsigned int c = 0; c < campaigns; c++) {
		struct ending ending;

		for (size_t boot = 0; boot < 2 * max_boots; boot++)
			for (size_t metric = 0; metric < SIMULATED_METRICS; metric++) {
				double noise = c % 2 ? gsl_ran_gaussian(rng, 1)
						     : gsl_ran_exponential(rng, 1) - 1;

				simulated_set(&campaign, boot, metric,
					      1000 * exp(spread * noise) * (boot % 2 ? ratio : 1));
			}
		ending = run_campaign(&campaign, &plan);
		tally.different += ending.is_different;
		tally.equivalent += ending.is_equivalent;
		tally.settled += ending.is_settled;
		tally.boots += ending.boots / (double)campaigns;
	}
	printf("%s time, at most %u boots, ratio %.2f, spread %.2f: %u different, %u equivalent, %u "
	       "settled of %u; %.2f boots on average\n",
	       time, max_boots, ratio, spread, tally.different, tally.equivalent, tally.settled,
	       campaigns, tally.boots);
	simulated_end(&campaign);
	gsl_rng_free(rng);
	return tally;
}

static void test_identical_variants_are_rarely_called_different(void **state)
{
	struct tally tally;

	(void)state;
	tally = run_campaigns("virtual", 10, CAMPAIGNS, 1, 0.06);
	assert_true(tally.different <= 0.05 * CAMPAIGNS);
	/* Not by never saying anything. */
	assert_true(tally.different > 0);
	tally = run_campaigns("real", 14, CAMPAIGNS, 1, 0.06);
	assert_true(tally.different <= 0.05 * CAMPAIGNS);
}

/* The other false verdict: a difference just as large as the margin is called none. */
static void test_a_difference_of_the_margin_is_rarely_called_equivalent(void **state)
{
	struct tally tally = run_campaigns("virtual", 10, CAMPAIGNS, 1.05, 0.02);

	(void)state;
	assert_true(tally.equivalent <= 0.05 * CAMPAIGNS);
}

static void test_a_plain_difference_stops_at_the_first_look(void **state)
{
	struct tally tally = run_campaigns("virtual", 24, 200, 0.5, 0.05);

	(void)state;
	assert_int_equal(tally.different, 200);
	assert_int_equal(tally.settled, 200);
	assert_true(fabs(tally.boots - 6) < 1e-9);
	/* What is the same within the margin takes longer to show, and still saves boots. */
	tally = run_campaigns("virtual", 24, 200, 1, 0.02);
	assert_true(tally.equivalent >= 0.95 * 200);
	assert_true(tally.boots < 24 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_looks_of_the_quick_profile),
		cmocka_unit_test(test_every_plan_spends_the_error_rate_and_no_more),
		cmocka_unit_test(test_plans_that_are_none),
		cmocka_unit_test(test_the_boots_say_which_look_it_is),
		cmocka_unit_test(test_what_is_left_out_by_choice_was_booted),
		cmocka_unit_test(test_identical_variants_are_rarely_called_different),
		cmocka_unit_test(test_a_difference_of_the_margin_is_rarely_called_equivalent),
		cmocka_unit_test(test_a_plain_difference_stops_at_the_first_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
