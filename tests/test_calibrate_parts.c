// SPDX-License-Identifier: GPL-2.0-only
/* A kernel against itself: intervals, spreads, visible effects, drift, and a machine that drifts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>
#include <cmocka.h>

#include "bench/campaign.h"
#include "bench/exit_codes.h"
#include "reports/calibration.h"
#include "tests/simulated_campaign.h"

static struct simulated_campaign campaign;
static struct calibration calibration;

static void draw_order(uint64_t seed, unsigned int rounds, unsigned int *variants)
{
	struct campaign_boot boots[2 * CALIBRATION_MAX_GROUP];

	campaign_draw_order(seed, TIME_REAL, 2, rounds, boots);
	for (unsigned int i = 0; i < 2 * rounds; i++)
		variants[i] = boots[i].variant;
}

static void begin(const char *time, size_t boots)
{
	simulated_begin(&campaign, time, NULL);
	campaign.results.n_boots = boots;
}

static void calibrate(size_t group_boots)
{
	const struct calibration_options options = {.group_boots = group_boots,
						    .draw_order = draw_order};

	assert_int_equal(calibration_make(&calibration, &campaign.results, &options), 0);
}

static int end(void **state)
{
	(void)state;
	calibration_release(&calibration);
	simulated_end(&campaign);
	return 0;
}

/* R: binom.test(h, n)$conf.int */
static void test_intervals_of_a_share(void **state)
{
	double low, high;

	(void)state;
	binomial_interval(0, 10, 0.95, &low, &high);
	assert_true(low == 0);
	assert_true(fabs(high - 0.3084971) < 1e-7);
	binomial_interval(5, 10, 0.95, &low, &high);
	assert_true(fabs(low - 0.1870860) < 1e-7);
	assert_true(fabs(high - 0.8129140) < 1e-7);
	binomial_interval(10, 10, 0.95, &low, &high);
	assert_true(fabs(low - 0.6915029) < 1e-7);
	assert_true(high == 1);
	/* The least hit that a re-enacted campaign can come to is no whole one. */
	binomial_interval(0.001, 11, 0.95, &low, &high);
	assert_true(low >= 0 && low < 1e-6 && high > 0.28 && high < 0.29);
}

static void fill(gsl_rng *rng, double spread, double drift)
{
	for (size_t boot = 0; boot < campaign.results.n_boots; boot++)
		for (size_t metric = 0; metric < SIMULATED_METRICS; metric++)
			simulated_set(
				&campaign, boot, metric,
				1000 * exp(gsl_ran_gaussian(rng, spread) + drift * (double)boot));
}

static void test_a_quiet_machine_keeps_the_promise(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	begin("virtual", 48);
	gsl_rng_set(rng, 3);
	fill(rng, 0.03, 0);
	calibrate(6);
	gsl_rng_free(rng);
	assert_int_equal(calibration.exit_code, EXIT_FINE);
	assert_int_equal(calibration.n_ok, 48);
	assert_int_equal(calibration.tests, SIMULATED_METRICS);
	assert_int_equal(calibration.plain_tests, SIMULATED_METRICS);
	assert_int_equal(calibration.draws, CALIBRATION_DRAWS);
	assert_true(calibration.rate <= 0.07);
	assert_true(calibration.rate_low <= calibration.rate &&
		    calibration.rate <= calibration.rate_high);
	/* Labels of 48 boots have 47 directions; 1000 draws come near to that. */
	assert_true(calibration.independent > 40 && calibration.independent < 48);
	assert_true(calibration.machine_high > calibration.rate_high);
	for (size_t i = 0; i < calibration.n_metrics; i++) {
		const struct calibration_metric *metric = &calibration.metrics[i];

		assert_true(metric->spread > 0.024 && metric->spread < 0.036);
		/* Three boots decide nothing: the smallest p is 0.1. */
		assert_true(isinf(metric->effects[0][0]));
		for (size_t size = 2; size < CALIBRATION_SIZES; size++) {
			assert_true(metric->effects[size][0] < metric->effects[size - 1][0]);
			assert_true(metric->effects[size][0] < metric->effects[size][1]);
		}
		/* Normal theory for 20 against 20 boots of spread s, tested at 2.5 %:
		 * (2.24 + 0.84) s sqrt(2 / 20), a little more as s is estimated. */
		assert_true(fabs(log1p(metric->effects[4][0]) / (0.975 * metric->spread) - 1) <
			    0.2);
	}
}

/* Labels that are not drawn at all. */
static void take_turns(uint64_t seed, unsigned int rounds, unsigned int *variants)
{
	(void)seed;
	for (unsigned int i = 0; i < 2 * rounds; i++)
		variants[i] = i % 2;
}

/* Every @period boots, half of them are slower by a fifth. */
static void fill_rhythm(size_t period)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	gsl_rng_set(rng, 3);
	fill(rng, 0.001, 0);
	gsl_rng_free(rng);
	for (size_t boot = 0; boot < campaign.results.n_boots; boot++)
		for (size_t metric = 0; metric < SIMULATED_METRICS; metric++) {
			double value =
				campaign.measurements[boot][metric].statistic[STATISTIC_VALUE];

			if ((boot + period / 4) % period >= period / 2)
				simulated_set(&campaign, boot, metric, 1.2 * value);
		}
}

/*
 * Orders come as ABBA or BAAB: a rhythm of four boots in step with that makes two rounds agree
 * that the test takes for independent. Shuffled boots would not show it.
 */
static void test_a_machine_with_a_rhythm_is_seen_in_rounds(void **state)
{
	(void)state;
	begin("real", 64);
	fill_rhythm(4);
	calibrate(8);
	assert_true(calibration.is_paired);
	assert_true(calibration.rate > calibration.alpha);
}

static void test_a_broken_promise_is_told(void **state)
{
	const struct calibration_options options = {.group_boots = 8, .draw_order = take_turns};
	bool is_said = false;

	(void)state;
	begin("real", 64);
	fill_rhythm(2);
	assert_int_equal(calibration_make(&calibration, &campaign.results, &options), 0);
	assert_true(calibration.rate == 1);
	assert_int_equal(calibration.exit_code, EXIT_REGRESSION);
	for (size_t i = 0; i < calibration.n_headline; i++)
		is_said |= !!strstr(calibration.headline[i], "Look for drift");
	assert_true(is_said);
}

static void test_drift_is_named(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	bool is_said = false;

	(void)state;
	begin("real", 32);
	gsl_rng_set(rng, 3);
	fill(rng, 0.005, 0.01);
	calibrate(8);
	gsl_rng_free(rng);
	for (size_t i = 0; i < calibration.n_metrics; i++) {
		assert_true(calibration.metrics[i].drift_rank > 0.9);
		assert_true(calibration.metrics[i].drift_p < 1e-6);
		assert_true(fabs(calibration.metrics[i].drift - expm1(0.31)) < 0.03);
	}
	for (size_t i = 0; i < calibration.n_headline; i++)
		is_said |= !strncmp(calibration.headline[i], "Drift: 2 of 2", 13);
	assert_true(is_said);
	/* Rounds that are mirrored take a steady drift out. */
	assert_int_equal(calibration.exit_code, EXIT_FINE);
}

static void test_too_few_boots(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	begin("virtual", 8);
	gsl_rng_set(rng, 3);
	fill(rng, 0.03, 0);
	calibrate(6);
	gsl_rng_free(rng);
	assert_int_equal(calibration.group_boots, 4);
	assert_int_equal(calibration.exit_code, EXIT_INCONCLUSIVE);
}

static void test_identical_boots_see_everything(void **state)
{
	(void)state;
	begin("virtual", 20);
	for (size_t boot = 0; boot < 20; boot++)
		for (size_t metric = 0; metric < SIMULATED_METRICS; metric++)
			simulated_set(&campaign, boot, metric, 1000);
	calibrate(6);
	assert_int_equal(calibration.exit_code, EXIT_FINE);
	assert_int_equal(calibration.false_draws, 0);
	assert_true(calibration.equivalent_share == 1);
	assert_true(calibration.metrics[0].spread == 0);
	assert_true(calibration.metrics[0].effects[1][0] == 0);
	assert_true(isnan(calibration.metrics[0].drift_rank));
}

static void test_what_is_printed_fits_a_mail(void **state)
{
	struct buffer text = {0}, again = {0};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t column = 0;

	(void)state;
	begin("virtual", 24);
	gsl_rng_set(rng, 3);
	fill(rng, 0.5, 0);
	calibrate(6);
	gsl_rng_free(rng);
	calibration_write(&text, &calibration);
	for (const char *at = text.text; *at; at++) {
		column = *at == '\n' ? 0 : column + 1;
		assert_true(column <= 75);
		assert_true(*at == '\n' || (*at >= 0x20 && *at < 0x7f));
	}
	/* The same boots give the same bytes. */
	calibration_release(&calibration);
	calibrate(6);
	calibration_write(&again, &calibration);
	assert_string_equal(text.text, again.text);
	buffer_release(&again);
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intervals_of_a_share),
		cmocka_unit_test_teardown(test_a_quiet_machine_keeps_the_promise, end),
		cmocka_unit_test_teardown(test_a_machine_with_a_rhythm_is_seen_in_rounds, end),
		cmocka_unit_test_teardown(test_a_broken_promise_is_told, end),
		cmocka_unit_test_teardown(test_drift_is_named, end),
		cmocka_unit_test_teardown(test_too_few_boots, end),
		cmocka_unit_test_teardown(test_identical_boots_see_everything, end),
		cmocka_unit_test_teardown(test_what_is_printed_fits_a_mail, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
