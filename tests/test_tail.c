// SPDX-License-Identifier: GPL-2.0-only
/* Levels from tails of known truth, and the reasons why there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include <gsl/gsl_rng.h>

#include "reports/pareto.h"
#include "reports/tail.h"

#define BOOTS	    20
#define SAMPLES	    500
#define BITS	    7u
#define BASE_NS	    1e6
#define SCALE_NS    1e5
#define TOTAL	    (BOOTS * SAMPLES)
#define BUCKETS_MAX 4096

#ifdef __SANITIZE_ADDRESS__
#define TRIALS 60
#else
#define TRIALS 400
#endif

static struct measurement boots[BOOTS];
static const struct measurement *pointers[BOOTS];
static struct bucket buckets[BOOTS][SAMPLES];
static struct tail tail;
static char reason[TAIL_REASON_MAX];

static uint32_t bucket_of(uint64_t value)
{
	uint32_t half = 1u << (BITS - 1), shift;

	if (value < 2 * half)
		return (uint32_t)value;
	shift = 63 - (uint32_t)__builtin_clzll(value) - (BITS - 1);
	return shift * half + (uint32_t)(value >> shift);
}

/* One boot's histogram from its samples. */
static void fill(size_t boot, const double *values)
{
	static uint64_t counts[BUCKETS_MAX];
	struct measurement *measurement = &boots[boot];

	memset(counts, 0, sizeof(counts));
	*measurement = (struct measurement){.present = true, .samples = SAMPLES};
	for (size_t i = 0; i < SAMPLES; i++) {
		counts[bucket_of((uint64_t)values[i])]++;
		measurement->statistic[STATISTIC_MAX] =
			fmax(measurement->statistic[STATISTIC_MAX], values[i]);
	}
	measurement->histogram.bits = BITS;
	measurement->histogram.buckets = buckets[boot];
	for (uint32_t i = 0; i < BUCKETS_MAX; i++)
		if (counts[i])
			buckets[boot][measurement->histogram.n_buckets++] =
				(struct bucket){i, counts[i]};
	pointers[boot] = measurement;
}

static double draw(gsl_rng *rng, double shape)
{
	double u = gsl_rng_uniform_pos(rng);

	return BASE_NS +
	       (fabs(shape) < 1e-9 ? -SCALE_NS * log(u) : SCALE_NS * (pow(u, -shape) - 1) / shape);
}

/* @factor: how much higher boot i is than the one before it. @spread: of each boot as a whole. */
static void fill_all(gsl_rng *rng, double shape, double factor)
{
	double values[SAMPLES];

	for (size_t boot = 0; boot < BOOTS; boot++) {
		for (size_t i = 0; i < SAMPLES; i++)
			values[i] = draw(rng, shape) * pow(factor, (double)boot);
		fill(boot, values);
	}
}

static double true_level(double shape)
{
	double times = TAIL_HORIZON * TOTAL;

	return BASE_NS + (fabs(shape) < 1e-9 ? SCALE_NS * log(times)
					     : SCALE_NS * (pow(times, shape) - 1) / shape);
}

static void fit(void)
{
	assert_int_equal(tail_fit(pointers, BOOTS, 0.95, &tail, reason), 0);
	assert_int_equal(tail.is_given, !*reason);
}

/*
 * The 95 % interval holds the true level, and few good tails are refused: the fit is tested at
 * 5 % at four thresholds, the two trends at 1 %.
 */
static void test_coverage(void **state)
{
	static const double shapes[] = {-0.2, 0, 0.2};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	gsl_rng_set(rng, 11);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		int given = 0, covered = 0, higher = 0;

		for (int trial = 0; trial < TRIALS; trial++) {
			fill_all(rng, shapes[i], 1);
			tail = (struct tail){0};
			fit();
			if (!tail.is_given)
				continue;
			given++;
			covered += tail.level_low <= true_level(shapes[i]) &&
				   true_level(shapes[i]) <= tail.level_high;
			higher += tail.level > true_level(shapes[i]);
			assert_true(tail.level_low <= tail.level && tail.level <= tail.level_high);
		}
		print_message("shape %4.1f: given %d of %d, covered %d, too high %d\n", shapes[i],
			      given, TRIALS, covered, higher);
		assert_true(given >= TRIALS * 93 / 100);
		/* 93 %, and three standard errors of chance below it. */
		assert_true(covered >= 0.93 * given - 3 * sqrt(0.93 * 0.07 * given));
		assert_true(higher > given / 4 && higher < 3 * given / 4);
	}
	gsl_rng_free(rng);
}

static void test_figures_of_one_tail(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	gsl_rng_set(rng, 5);
	fill_all(rng, 0.1, 1);
	tail = (struct tail){0};
	fit();
	gsl_rng_free(rng);
	assert_true(tail.is_given);
	assert_int_equal(tail.n_boots, BOOTS);
	assert_int_equal(tail.samples, TOTAL);
	assert_int_equal(tail.horizon_samples, 10 * TOTAL);
	assert_in_range(tail.exceedances, 900, 1000);
	assert_true(fabs(tail.shape - 0.1) < 0.15 && tail.fit_p > 0.05);
	assert_true(tail.dispersion > 0.4 && tail.dispersion < 2);
	/* The level is where the fitted tail leaves 1 of 10 * TOTAL. */
	{
		struct pareto pareto = {tail.shape, tail.scale};
		double chance = pareto_above(&pareto, tail.level - tail.threshold) *
				(double)tail.exceedances / TOTAL;

		assert_true(fabs(chance * 10 * TOTAL - 1) < 1e-9);
	}
}

static void refuse(const char *needle)
{
	tail = (struct tail){0};
	fit();
	assert_false(tail.is_given);
	assert_true(isnan(tail.level));
	if (!strstr(reason, needle))
		fail_msg("'%s' does not say '%s'", reason, needle);
}

static void test_refusals(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double values[SAMPLES];

	(void)state;
	gsl_rng_set(rng, 2);
	fill_all(rng, 0.8, 1);
	refuse("the tail is too heavy");
	fill_all(rng, 0, 1.02);
	refuse("from boot to boot");
	/* A heap of one value, nearly, far above the rest. */
	for (size_t boot = 0; boot < BOOTS; boot++) {
		for (size_t i = 0; i < SAMPLES; i++)
			values[i] = i % 100 < 97 ? draw(rng, 0) : 1e8 + 1e6 * gsl_rng_uniform(rng);
		fill(boot, values);
	}
	refuse("too few different ones");
	/* A second hump whose density rises to its end. */
	for (size_t boot = 0; boot < BOOTS; boot++) {
		for (size_t i = 0; i < SAMPLES; i++)
			values[i] = i % 20 ? draw(rng, 0) : 3e6 + 3e6 * sqrt(gsl_rng_uniform(rng));
		fill(boot, values);
	}
	refuse("no generalised Pareto tail fits");
	for (size_t boot = 0; boot < BOOTS; boot++) {
		for (size_t i = 0; i < SAMPLES; i++)
			values[i] = boot < 4 ? 2 * draw(rng, 0) : BASE_NS;
		fill(boot, values);
	}
	refuse("only 4 boots have values that high; it takes 5");
	for (size_t boot = 0; boot < BOOTS; boot++)
		boots[boot].samples = 20;
	refuse("there are 400 samples; a tail takes 500");
	fill_all(rng, 0, 1);
	boots[3].histogram.overflow = 2;
	refuse("2 samples were beyond the end of the histogram");
	fill_all(rng, 0, 1);
	boots[3].histogram.bits = 8;
	refuse("different resolutions");
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures_of_one_tail),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_coverage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
