// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are the error rates what doc/method.md says? Campaigns of known truth go through the whole
 * way from boots to verdicts (analysis_compare), 10,000 of each kind.
 *
 * A rate that is truly r comes out above r * N + 3.1 sqrt(r (1 - r) N) in one of 1,000 runs; as the
 * seeds are fixed, a run repeats: what passes once passes always. That bound is what is tolerated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "reports/verdict.h"

#define BOOTS_MAX 400
#define MARGIN	  0.05 /* VERDICT_MARGIN, of the tests at the margin */

#ifdef __SANITIZE_ADDRESS__
#define CAMPAIGNS 500
#else
#define CAMPAIGNS 10000
#endif

/* How the boots' figures come about. */
struct world {
	const char *name;
	size_t machines, baseline, other; /* boots per machine */
	bool is_paired;
	double spread;	      /* between boots, on the log scale */
	double contamination; /* the share of boots that are hit by something else: Pareto */
	double drift;	      /* of every round, and as much again at random in each */
	double ratio;	      /* the truth; 1: A/A */
	double tail_ratio;    /* of p90 and up alone; 0: the same */
};

static struct section_info section = {
	.id = "s", .workload = "w", .params = "", .placement = "p", .placement_kind = "same-cpu"};
static struct metric_info metric = {.name = "wait_ns",
				    .unit = "ns",
				    .kind = METRIC_DISTRIBUTION,
				    .direction = LOWER_IS_BETTER,
				    .role = ROLE_PRIMARY};
static struct variant_info variants[] = {
	{.label = "!proxy", .plain_label = "!proxy", .arguments = ""},
	{.label = "proxy", .plain_label = "proxy", .arguments = ""}};
static struct machine_info machines[8];
static struct campaign_info campaign = {.id = "c"};
static struct boot boots[BOOTS_MAX];
static struct section_result sections[BOOTS_MAX];
static struct measurement measurements[BOOTS_MAX];
static struct results results;
static gsl_rng *rng;

static int set_up(void **state)
{
	(void)state;
	section.metrics = &metric;
	section.n_metrics = 1;
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	gsl_rng_set(rng, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gsl_rng_free(rng);
	return 0;
}

/* What comes on top of the level, as a logarithm. */
static double draw_spread(const struct world *world)
{
	double value = gsl_ran_gaussian(rng, world->spread);

	if (gsl_rng_uniform(rng) < world->contamination)
		value += log(gsl_ran_pareto(rng, 1.5, 1));
	return value;
}

static void add_boot(const struct world *world, size_t machine, size_t variant, size_t round,
		     double level)
{
	size_t i = results.n_boots++;
	double factor = variant ? world->ratio : 1;
	double value = exp(level + draw_spread(world));
	double tail = variant && world->tail_ratio > 0 ? world->tail_ratio : factor;

	assert_true(i < BOOTS_MAX);
	measurements[i] = (struct measurement){.present = true, .samples = 1000};
	for (int j = 0; j < STATISTICS; j++)
		measurements[i].statistic[j] = NAN;
	measurements[i].statistic[STATISTIC_P50] = 1e6 * value * factor;
	if (world->tail_ratio > 0) {
		measurements[i].statistic[STATISTIC_P90] = 1.2e6 * value * tail;
		measurements[i].statistic[STATISTIC_P99] = 2e6 * value * tail;
	}
	sections[i] = (struct section_result){
		.present = true, .measurements = &measurements[i], .n_measurements = 1};
	boots[i] = (struct boot){.path = "",
				 .variant = variant,
				 .machine = machine,
				 .index = i,
				 .round = round,
				 .seed = i,
				 .sections = &sections[i],
				 .n_sections = 1};
}

static void draw_campaign(const struct world *world)
{
	size_t most = world->baseline > world->other ? world->baseline : world->other;

	results = (struct results){.target = "host",
				   .time = world->is_paired ? "real" : "virtual",
				   .campaigns = &campaign,
				   .n_campaigns = 1,
				   .variants = variants,
				   .n_variants = 2,
				   .machines = machines,
				   .n_machines = world->machines,
				   .sections = &section,
				   .n_sections = 1,
				   .boots = boots};
	for (size_t machine = 0; machine < world->machines; machine++)
		for (size_t round = 0; round < most; round++) {
			double level = 0.5 * (double)machine + world->drift * (double)round +
				       gsl_ran_gaussian(rng, world->drift);

			if (round < world->baseline)
				add_boot(world, machine, 0, round, level);
			if (round < world->other)
				add_boot(world, machine, 1, round, level);
		}
}

static struct analysis analysis;

/* The verdict on one statistic of a campaign that was drawn. */
static const struct comparison *judge(double alpha, enum statistic statistic)
{
	struct analysis_options options = {.alpha = alpha};
	const struct comparison *found;

	analysis_release(&analysis);
	assert_int_equal(analysis_compare(&analysis, &results, &options), 0);
	found = analysis_find(&analysis, 0, "wait_ns", statistic, 1);
	assert_non_null(found);
	return found;
}

static bool is_different(const struct comparison *comparison)
{
	return comparison->verdict == VERDICT_BETTER || comparison->verdict == VERDICT_WORSE;
}

static void check_rate(const char *name, const char *what, int seen, double rate, int campaigns)
{
	double most = rate * campaigns + 3.1 * sqrt(rate * (1 - rate) * campaigns);

	print_message("%-44s %-24s %5.2f %% (at most %.0f %%)\n", name, what,
		      100.0 * seen / campaigns, 100 * rate);
	if (seen > most)
		fail_msg("%s: %s %d times of %d: more than %.0f", name, what, seen, campaigns,
			 most);
}

/* Two variants that are the same: no better, no worse. */
static void test_same_variants(void **state)
{
	static const struct world worlds[] = {
		{"6 v 10 boots, 3 %", 1, 6, 10, false, 0.03, 0, 0, 1, 0},
		{"5 v 20 boots, lognormal sigma 1", 1, 5, 20, false, 1, 0, 0, 1, 0},
		{"8 v 8 boots, a tenth Pareto", 1, 8, 8, false, 0.02, 0.1, 0, 1, 0},
		{"8 rounds that drift by 2 %", 1, 8, 8, true, 0.02, 0, 0.02, 1, 0},
		{"10 rounds, a tenth Pareto", 1, 10, 10, true, 0.02, 0.1, 0.02, 1, 0},
		{"3 machines of 4 v 4 boots", 3, 4, 4, false, 0.05, 0.1, 0, 1, 0},
		{"2 machines of 6 rounds", 2, 6, 6, true, 0.05, 0, 0.02, 1, 0},
		{"4 machines of 5 v 7 boots", 4, 5, 7, false, 0.5, 0, 0, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(*worlds); i++) {
		/* The last has too many arrangements to count: they are drawn, which takes longer.
		 */
		int campaigns = i == 7 ? CAMPAIGNS / 10 : CAMPAIGNS;
		int at_5 = 0, at_1 = 0;

		for (int n = 0; n < campaigns; n++) {
			const struct comparison *comparison;

			draw_campaign(&worlds[i]);
			comparison = judge(0.05, STATISTIC_P50);
			at_5 += is_different(comparison);
			/* What alpha = 1 % would say, equivalence set aside; one in ten is asked.
			 */
			at_1 += comparison->p_adjusted <= 0.01;
			if (n % 10 == 0 && is_different(judge(0.01, STATISTIC_P50)))
				assert_true(analysis.comparisons[0].p_adjusted <= 0.01);
		}
		check_rate(worlds[i].name, "better or worse", at_5, 0.05, campaigns);
		check_rate(worlds[i].name, "better or worse at 1 %", at_1, 0.01, campaigns);
	}
}

/* A true ratio at the margin is not equivalent. */
static void test_ratio_at_the_margin(void **state)
{
	static const struct world worlds[] = {
		{"6 v 6 boots, 1 %", 1, 6, 6, false, 0.01, 0, 0, 1 + MARGIN, 0},
		{"5 v 20 boots, 3 %", 1, 5, 20, false, 0.03, 0, 0, 1 / (1 + MARGIN), 0},
		{"8 v 8 boots, a tenth Pareto", 1, 8, 8, false, 0.01, 0.1, 0, 1 + MARGIN, 0},
		{"8 rounds that drift by 2 %", 1, 8, 8, true, 0.02, 0, 0.02, 1 + MARGIN, 0},
		{"3 machines of 4 v 4 boots", 3, 4, 4, false, 0.02, 0, 0, 1 / (1 + MARGIN), 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(*worlds); i++) {
		int seen = 0;

		for (int n = 0; n < CAMPAIGNS; n++) {
			draw_campaign(&worlds[i]);
			seen += judge(0.05, STATISTIC_P50)->verdict == VERDICT_EQUIVALENT;
		}
		check_rate(worlds[i].name, "equivalent at the margin", seen, 0.05, CAMPAIGNS);
	}
}

/* The 95 % interval holds the true ratio in at least 93 % of campaigns of six boots and more. */
static void test_intervals_hold_the_truth(void **state)
{
	static const struct world worlds[] = {
		{"6 v 6 boots", 1, 6, 6, false, 0.1, 0, 0, 1.2, 0},
		{"6 v 10 boots", 1, 6, 10, false, 0.1, 0, 0, 1.2, 0},
		{"6 rounds", 1, 6, 6, true, 0.1, 0, 0.02, 1.2, 0},
		{"20 rounds", 1, 20, 20, true, 0.1, 0, 0.02, 1.2, 0},
		{"12 v 12 boots, a tenth Pareto", 1, 12, 12, false, 0.1, 0.1, 0, 1.2, 0},
		{"3 machines of 6 v 6 boots", 3, 6, 6, false, 0.1, 0, 0, 1.2, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(*worlds); i++) {
		/* The last one's labels are drawn as well, which takes longer. */
		int campaigns = i == 5 ? CAMPAIGNS / 50 : CAMPAIGNS / 2, missed = 0;

		for (int n = 0; n < campaigns; n++) {
			const struct comparison *comparison;

			draw_campaign(&worlds[i]);
			comparison = judge(0.05, STATISTIC_P50);
			missed += !(comparison->ratio_low <= 1.2 && 1.2 <= comparison->ratio_high);
		}
		check_rate(worlds[i].name, "missed by the interval", missed, 0.07, campaigns);
	}
}

/* A p99 that is 5 % higher, with 1 % between boots, is found in 95 of 100 campaigns of ten pairs.
 */
static void test_planted_shift_is_found(void **state)
{
	static const struct world world = {"", 1, 10, 10, true, 0.01, 0, 0.01, 1, 1.05};
	const int campaigns = CAMPAIGNS / 5;
	int found = 0, p50 = 0;

	(void)state;
	for (int n = 0; n < campaigns; n++) {
		draw_campaign(&world);
		p50 += is_different(judge(0.05, STATISTIC_P50));
		found += judge(0.05, STATISTIC_P99)->verdict == VERDICT_WORSE;
	}
	print_message("p99 + 5 %% found in %.2f %%; p50 + 0 %% in %.2f %%\n",
		      100.0 * found / campaigns, 100.0 * p50 / campaigns);
	assert_true(found >= 0.95 * campaigns);
}

/* A share that is @about, give or take 5 % for rounding up to whole boots, and chance. */
static bool is_about(double about, int seen, int campaigns)
{
	double room = 0.05 + 3.1 * sqrt(about * (1 - about) / campaigns);

	return fabs((double)seen / campaigns - about) <= room;
}

static size_t boots_promised(const struct world *world)
{
	const struct comparison *comparison = judge(0.05, STATISTIC_P50);

	if (comparison->verdict != VERDICT_INCONCLUSIVE || comparison->more_boots == SIZE_MAX)
		return 0;
	return world->other + comparison->more_boots;
}

/*
 * "+n boots": pilots that are inconclusive promise a number; as many boots, drawn anew,
 * decide about as often as promised (80 %). A pilot's own guess of effect and spread is rough,
 * which costs some of it: the truth put in its place gives 80 %.
 */
static void test_more_boots_are_enough(void **state)
{
	struct world pilot = {"", 1, 6, 6, false, 0.10, 0, 0, 1.16, 0}, full = pilot;
	/* What six boots would show on average: log 1.16, and 0.1 * sqrt(2/6). */
	struct difference truth = {log(1.16), 0.1 * sqrt(2.0 / 6), 10};
	const int campaigns = CAMPAIGNS / 10;
	int with_truth = 0, with_pilots = 0, pilots = 0;

	(void)state;
	full.baseline = full.other = boots_for_difference(&truth, 6, 0.05);
	assert_in_range(full.other, 8, 9);
	for (int n = 0; n < campaigns; n++) {
		size_t promised;

		draw_campaign(&full);
		with_truth += is_different(judge(0.05, STATISTIC_P50));
		draw_campaign(&pilot);
		promised = boots_promised(&pilot);
		if (!promised || promised > BOOTS_MAX / 2)
			continue;
		pilots++;
		pilot.baseline = pilot.other = promised;
		draw_campaign(&pilot);
		pilot.baseline = pilot.other = 6;
		with_pilots += judge(0.05, STATISTIC_P50)->verdict != VERDICT_INCONCLUSIVE;
	}
	print_message("%zu boots decide %.1f %%; pilots' promises (%d): %.1f %%\n", full.other,
		      100.0 * with_truth / campaigns, pilots, 100.0 * with_pilots / pilots);
	assert_true(is_about(0.8, with_truth, campaigns));
	assert_true(with_pilots >= 0.75 * pilots);
}

/* And for equivalence: a ratio of 1, a spread that six boots leave open. */
static void test_more_boots_show_equivalence(void **state)
{
	struct world world = {"", 1, 6, 6, false, 0.05, 0, 0, 1, 0};
	struct difference truth = {0, 0.05 * sqrt(2.0 / 6), 10};
	const int campaigns = CAMPAIGNS / 10;
	int seen = 0;

	(void)state;
	world.baseline = world.other = boots_for_equivalence(&truth, 6, 0.05, log1p(MARGIN));
	for (int n = 0; n < campaigns; n++) {
		draw_campaign(&world);
		seen += judge(0.05, STATISTIC_P50)->verdict == VERDICT_EQUIVALENT;
	}
	print_message("%zu boots show equivalence in %.1f %%\n", world.other,
		      100.0 * seen / campaigns);
	assert_true(is_about(0.8, seen, campaigns));
}

/* Machines that disagree: each has its own verdict, and the heterogeneity shows. */
static void test_machines_disagree(void **state)
{
	static const struct world world = {"", 4, 8, 8, true, 0.01, 0, 0.01, 1, 0};
	const struct comparison *comparison;
	double sum = 0;

	(void)state;
	draw_campaign(&world);
	for (size_t i = 0; i < results.n_boots; i++)
		if (boots[i].variant)
			measurements[i].statistic[STATISTIC_P50] *=
				boots[i].machine == 3 ? 1.3 : 0.8;
	comparison = judge(0.05, STATISTIC_P50);
	assert_int_equal(comparison->n_machines, 4);
	assert_int_equal(comparison->machine, ALL_MACHINES);
	assert_int_equal(analysis.n_by_machine, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct comparison *one = &analysis.by_machine[i];

		assert_int_equal(one->machine, i);
		assert_int_equal(one->n_pairs, 8);
		assert_int_equal(one->verdict, i == 3 ? VERDICT_WORSE : VERDICT_BETTER);
		/* 2 of 2^8, times four machines. */
		assert_true(fabs(one->p_adjusted - 4 * 2.0 / 256) < 1e-12);
		sum += log(one->ratio) / 4;
	}
	/* Every machine counts the same. */
	assert_true(fabs(log(comparison->ratio) - sum) < 1e-12);
	assert_true(comparison->heterogeneity.p < 1e-6 &&
		    comparison->heterogeneity.i_squared > 0.9);
	assert_true(fabs(comparison->heterogeneity.ratio_most - 1.3) < 0.05);
	/* Labels are shared out within rounds: 2^32 arrangements. */
	assert_int_equal(comparison->permutation.arrangements, UINT64_C(1) << 32);
}

/* Nothing is compared across machines. */
static void test_no_machine_has_both(void **state)
{
	static const struct world world = {"", 2, 6, 6, false, 0.01, 0, 0, 1, 0};
	const struct comparison *comparison;

	(void)state;
	draw_campaign(&world);
	for (size_t i = 0; i < results.n_boots; i++)
		boots[i].machine = boots[i].variant;
	comparison = judge(0.05, STATISTIC_P50);
	assert_int_equal(comparison->verdict, VERDICT_NOT_MEASURED);
	assert_non_null(strstr(comparison->reason, "no machine ran both"));
}

/* Virtual time: the same seeds with the same figures are equivalent, whatever the spread. */
static void test_identical_seeds(void **state)
{
	static const struct world world = {"", 1, 6, 6, false, 0.5, 0, 0, 1, 0};
	const struct comparison *comparison;

	(void)state;
	draw_campaign(&world);
	for (size_t i = 0; i < 12; i++) {
		boots[i].seed = boots[i].round;
		measurements[i].statistic[STATISTIC_P50] = 1000 * pow(2, (double)boots[i].round);
	}
	comparison = judge(0.05, STATISTIC_P50);
	assert_int_equal(comparison->n_same_seed, 6);
	assert_int_equal(comparison->n_identical, 6);
	assert_int_equal(comparison->verdict, VERDICT_EQUIVALENT);
	measurements[11].statistic[STATISTIC_P50] += 1;
	comparison = judge(0.05, STATISTIC_P50);
	assert_int_equal(comparison->n_same_seed, 6);
	assert_int_equal(comparison->n_identical, 5);
	assert_int_equal(comparison->verdict, VERDICT_INCONCLUSIVE);
}

/* The same label in two images: each has its own baseline. */
static void test_baselines_by_image(void **state)
{
	static struct variant_info four[] = {
		{.label = "!proxy", .plain_label = "!proxy", .image_sha256 = "a"},
		{.label = "proxy", .plain_label = "proxy", .image_sha256 = "a"},
		{.label = "!proxy@2", .plain_label = "!proxy", .image_sha256 = "b"},
		{.label = "proxy@2", .plain_label = "proxy", .image_sha256 = "b"}};
	static const struct world world = {"", 1, 4, 4, false, 0.01, 0, 0, 1, 0};
	static const size_t expected[] = {0, 0, 0, 2};

	(void)state;
	draw_campaign(&world);
	results.variants = four;
	results.n_variants = 4;
	judge(0.05, STATISTIC_P50);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(variant_baseline(&analysis, i), expected[i]);
	/* Without an image, the kernel tells. */
	four[2].image_sha256 = four[3].image_sha256 = NULL;
	four[2].kernel = four[3].kernel = "7.3.0 #1";
	assert_int_equal(variant_baseline(&analysis, 3), 2);
	four[3].kernel = NULL;
	assert_int_equal(variant_baseline(&analysis, 3), 0);
	analysis_release(&analysis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_variants),
		cmocka_unit_test(test_ratio_at_the_margin),
		cmocka_unit_test(test_intervals_hold_the_truth),
		cmocka_unit_test(test_planted_shift_is_found),
		cmocka_unit_test(test_more_boots_are_enough),
		cmocka_unit_test(test_more_boots_show_equivalence),
		cmocka_unit_test(test_machines_disagree),
		cmocka_unit_test(test_no_machine_has_both),
		cmocka_unit_test(test_identical_seeds),
		cmocka_unit_test(test_baselines_by_image),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
