// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact values. Those marked "scipy" were computed once with Debian's python3-scipy
 * 1.10.1; the command stands beside each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "reports/statistics.h"

#define assert_near(value, expected, tolerance)                                                \
	do {                                                                                   \
		double near_value = (value), near_expected = (expected);                       \
		if (!(fabs(near_value - near_expected) <= (tolerance)))                        \
			fail_msg("%s is %.17g, not %.17g", #value, near_value, near_expected); \
	} while (0)

/* One machine, two groups. */
static int permutation_independent(const double *a, size_t n_a, const double *b, size_t n_b,
				   struct permutation *out)
{
	return permutation_test(&(struct stratum){a, b, n_a, n_b}, 1, out);
}

/* One machine, pairs. */
static int permutation_paired(const double *differences, size_t n, struct permutation *out)
{
	return permutation_test(&(struct stratum){NULL, differences, 0, n}, 1, out);
}

static struct difference difference_independent(const double *a, size_t n_a, const double *b,
						size_t n_b)
{
	return difference_of(&(struct stratum){a, b, n_a, n_b}, 1);
}

static int bootstrap_independent(const double *a, size_t n_a, const double *b, size_t n_b,
				 double confidence, struct interval *out)
{
	return bootstrap_interval(&(struct stratum){a, b, n_a, n_b}, 1, confidence, out);
}

static void test_independent_by_hand(void **state)
{
	/* 6 ways to choose 2 of 4; only {1,2} and {3,4} are as far apart: 2/6. */
	const double a[] = {1, 2}, b[] = {3, 4};
	/* Of 10 ways to choose 2 of 5: |mean difference| of {1,5}|{2,3,4} is 0, all are as extreme.
	 */
	const double c[] = {1, 5}, d[] = {2, 3, 4};
	struct permutation out;

	(void)state;
	assert_int_equal(permutation_independent(a, 2, b, 2, &out), 0);
	assert_near(out.p, 2.0 / 6, 1e-15);
	assert_int_equal(out.arrangements, 6);
	assert_int_equal(out.method, PERMUTATION_EXACT);
	permutation_independent(c, 2, d, 3, &out);
	assert_near(out.p, 1, 1e-15);
	assert_int_equal(out.arrangements, 10);
}

static void test_independent_against_scipy(void **state)
{
	/*
	 * python3 -c "from scipy.stats import permutation_test as t; import numpy as n
	 * print(repr(t(([1.1,2.3,0.7,1.9,2.8],[2.2,3.1,2.9,3.6,2.4,1.8]),
	 *  lambda x,y,axis: abs(n.mean(y,axis)-n.mean(x,axis)), n_resamples=n.inf, vectorized=True,
	 *  alternative='greater').pvalue))"
	 */
	const double a[] = {1.1, 2.3, 0.7, 1.9, 2.8}, b[] = {2.2, 3.1, 2.9, 3.6, 2.4, 1.8};
	struct permutation out;

	(void)state;
	permutation_independent(a, 5, b, 6, &out);
	assert_int_equal(out.arrangements, 462);
	assert_near(out.p, 0.08441558441558442, 1e-12);
}

static void test_separated_groups_reach_the_smallest_p(void **state)
{
	const double a[] = {1, 2, 3, 4, 5, 6}, b[] = {11, 12, 13, 14, 15, 16};
	struct permutation out;

	(void)state;
	permutation_independent(a, 6, b, 6, &out);
	assert_int_equal(out.arrangements, 924);
	assert_near(out.p, 2.0 / 924, 1e-15);
	assert_near(permutation_smallest_p(6, 1, false), 2.0 / 924, 1e-12);
}

static void test_paired_by_hand(void **state)
{
	/* 8 sign patterns; sums +-6, +-4, +-2, 0, 0: two reach 6, four reach 4. */
	const double all_up[] = {1, 2, 3}, one_down[] = {-1, 2, 3};
	struct permutation out;

	(void)state;
	permutation_paired(all_up, 3, &out);
	assert_near(out.p, 2.0 / 8, 1e-15);
	permutation_paired(one_down, 3, &out);
	assert_near(out.p, 4.0 / 8, 1e-15);
	assert_near(permutation_smallest_p(6, 1, true), 2.0 / 64, 1e-15);
}

static void test_ties_count_whatever_the_rounding(void **state)
{
	/* 0.1 + 0.2 and 0.3 differ in the last bit; both arrangements tie. */
	const double differences[] = {0.1, 0.2, -0.3};
	const double same[] = {0.1, 0.1, 0.1};
	struct permutation out;

	(void)state;
	permutation_paired(differences, 3, &out);
	assert_near(out.p, 1, 1e-15);
	permutation_independent(same, 3, same, 3, &out);
	assert_near(out.p, 1, 1e-15);
}

static void test_many_boots_are_drawn_and_repeat(void **state)
{
	double a[30], b[30];
	struct permutation one, two;

	(void)state;
	for (int i = 0; i < 30; i++) {
		a[i] = i % 7;
		b[i] = i % 7 + 0.4 * (i % 3);
	}
	permutation_independent(a, 30, b, 30, &one);
	permutation_independent(a, 30, b, 30, &two);
	assert_int_equal(one.method, PERMUTATION_DRAWN);
	assert_true(one.p == two.p && one.p > 0.2 && one.p < 0.6);
	/* It stopped at 1,000 hits: p is their share of the draws. */
	assert_near(one.p * (double)one.arrangements, 1000, 1e-6);
}

/* The arrangements of 8 v 8 and of 12 pairs, one by one: what the quick ways must come to. */
static double brute_independent(const double *a, const double *b)
{
	double values[16], observed = 0, total = 0;
	int hits = 0, all = 0;

	for (int i = 0; i < 16; i++) {
		values[i] = i < 8 ? a[i] : b[i - 8];
		total += values[i];
		observed += i < 8 ? 0 : values[i];
	}
	for (unsigned int mask = 0; mask < 1u << 16; mask++) {
		double sum = 0;

		if (__builtin_popcount(mask) != 8)
			continue;
		for (int i = 0; i < 16; i++)
			sum += mask >> i & 1 ? values[i] : 0;
		all++;
		hits += fabs(sum - total / 2) >= fabs(observed - total / 2) - 1e-9;
	}
	assert_int_equal(all, 12870);
	return (double)hits / all;
}

static double brute_paired(const double *differences, int n)
{
	double observed = 0;
	int hits = 0;

	for (int i = 0; i < n; i++)
		observed += differences[i];
	for (unsigned int mask = 0; mask < 1u << n; mask++) {
		double sum = 0;

		for (int i = 0; i < n; i++)
			sum += mask >> i & 1 ? differences[i] : -differences[i];
		hits += fabs(sum) >= fabs(observed) - 1e-9;
	}
	return (double)hits / (1u << n);
}

static void test_quick_counts_are_exact(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct permutation out;

	(void)state;
	gsl_rng_set(rng, 3);
	for (int trial = 0; trial < 10; trial++) {
		double a[8], b[12];

		/* Small whole numbers, so that there are many ties. */
		for (int i = 0; i < 8; i++)
			a[i] = (double)gsl_rng_uniform_int(rng, 9);
		for (int i = 0; i < 12; i++)
			b[i] = (double)gsl_rng_uniform_int(rng, 9) - 2 + trial * 0.5;
		permutation_independent(a, 8, b, 8, &out);
		assert_int_equal(out.arrangements, 12870);
		assert_near(out.p, brute_independent(a, b), 1e-14);
		permutation_paired(b, 12, &out);
		assert_int_equal(out.arrangements, 4096);
		assert_near(out.p, brute_paired(b, 12), 1e-14);
	}
	gsl_rng_free(rng);
}

/* 20 v 20 are 1.4e11 arrangements: a p far below what drawing sees is found all the same. */
static void test_tiny_p_is_exact(void **state)
{
	double a[20], b[20], differences[40];
	struct permutation out;

	(void)state;
	for (int i = 0; i < 20; i++) {
		a[i] = i;
		b[i] = 20 + i;
	}
	permutation_independent(a, 20, b, 20, &out);
	assert_int_equal(out.method, PERMUTATION_EXACT);
	assert_int_equal(out.arrangements, 137846528820);
	assert_near(out.p * 137846528820, 2, 1e-6);
	/*
	 * Largest of a and smallest of b exchanged: the numbers of arrangements with a rank sum
	 * 0, 1 and 2 off the extreme one are 1, 1 and 2 (partitions), at either end.
	 */
	a[19] = 20;
	b[0] = 19;
	permutation_independent(a, 20, b, 20, &out);
	assert_near(out.p * 137846528820, 4, 1e-6);
	a[19] = 21;
	b[0] = 20;
	b[1] = 19;
	permutation_independent(a, 20, b, 20, &out);
	assert_near(out.p * 137846528820, 8, 1e-6);
	/* 40 pairs that all go up but one, the smallest: 2 of 2^40, and 2 more for its sign. */
	for (int i = 0; i < 40; i++)
		differences[i] = i + 1;
	differences[0] = -1;
	permutation_paired(differences, 40, &out);
	assert_int_equal(out.method, PERMUTATION_EXACT);
	assert_near(out.p * 0x1p40, 4, 1e-6);
}

/* What is too much for that is bounded, by no less than it is. */
static void test_bounds_are_not_too_small(void **state)
{
	double a[200], b[200], few_a[14], few_b[14];
	struct stratum two[2] = {{few_a, few_b, 7, 7}, {few_a + 7, few_b + 7, 7, 7}};
	struct permutation out;

	(void)state;
	for (int i = 0; i < 200; i++) {
		a[i] = i % 20;
		b[i] = i % 20 + 4;
	}
	permutation_independent(a, 200, b, 200, &out);
	assert_int_equal(out.method, PERMUTATION_BOUNDED);
	assert_int_equal(out.arrangements, UINT64_MAX);
	/* z = 6.7: 2 Q(z) is 2e-11 for a normal sum; Chernoff's bound is some 10 times that. */
	assert_true(out.p > 2e-11 && out.p < 1e-8);
	/* Two machines' 3432^2 arrangements are counted; the extreme ones are 2 of them. */
	for (int i = 0; i < 14; i++) {
		few_a[i] = i % 7;
		few_b[i] = 10 + i % 7;
	}
	permutation_test(two, 2, &out);
	assert_int_equal(out.method, PERMUTATION_EXACT);
	assert_int_equal(out.arrangements, 3432 * 3432);
	assert_near(out.p * 3432 * 3432, 2, 1e-6);
}

static void test_boots_needed(void **state)
{
	(void)state;
	/* 2/C(8,4) = 2/70 <= 0.05; 2/C(6,3) = 2/20 is not. */
	assert_int_equal(permutation_boots_needed(0.05, 1, 1, false), 4);
	/* 4 tests: 2/C(10,5) * 4 = 0.0317; 2/70 * 4 is not. */
	assert_int_equal(permutation_boots_needed(0.05, 4, 1, false), 5);
	/* 2/2^6 = 0.031; and 4 tests: 2/2^8 * 4 = 0.031. */
	assert_int_equal(permutation_boots_needed(0.05, 1, 1, true), 6);
	assert_int_equal(permutation_boots_needed(0.05, 4, 1, true), 8);
}

static void test_holm(void **state)
{
	/* Holm 1979's steps by hand: 0.01*4, 0.02*3, max(0.06, 0.03*2), max(0.06, 0.04). */
	double p[] = {0.03, 0.01, 0.04, 0.02};

	(void)state;
	assert_int_equal(holm_adjust(p, 4), 0);
	assert_near(p[1], 0.04, 1e-15);
	assert_near(p[3], 0.06, 1e-15);
	assert_near(p[0], 0.06, 1e-15);
	assert_near(p[2], 0.06, 1e-15);
}

static void test_benjamini_hochberg(void **state)
{
	/*
	 * The fifteen p values of the example in Benjamini and Hochberg (1995), section 3.2: at
	 * q = 0.05 the first four are rejected, where Holm's and Hochberg's reject three.
	 */
	double p[] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
		      0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
	double holm[15];
	int rejected = 0, rejected_holm = 0;

	(void)state;
	for (int i = 0; i < 15; i++)
		holm[i] = p[i];
	benjamini_hochberg_adjust(p, 15);
	holm_adjust(holm, 15);
	for (int i = 0; i < 15; i++) {
		rejected += p[i] <= 0.05;
		rejected_holm += holm[i] <= 0.05;
	}
	assert_int_equal(rejected, 4);
	assert_int_equal(rejected_holm, 3);
	assert_near(p[3], 0.0095 * 15 / 4, 1e-15);
	/* 0.0298 * 15/7 = 0.0639 is below 0.0278 * 15/6 = 0.0695, and stands for both. */
	assert_near(p[5], 0.0298 * 15 / 7, 1e-15);
	assert_near(p[14], 1, 1e-15);
}

static void test_equivalence_against_scipy(void **state)
{
	/*
	 * python3 -c "from scipy import stats as s; a=[5.0,5.1,4.9,5.05];
	 * b=[5.02,4.98,5.12,5.0,5.03] l=s.ttest_ind([x+0.2 for x in
	 * b],a,equal_var=False,alternative='greater').pvalue h=s.ttest_ind([x-0.2 for x in
	 * b],a,equal_var=False,alternative='less').pvalue; print(max(l,h))"
	 */
	const double a[] = {5.0, 5.1, 4.9, 5.05}, b[] = {5.02, 4.98, 5.12, 5.0, 5.03};
	struct difference difference = difference_independent(a, 4, b, 5);

	(void)state;
	assert_near(equivalence_p(&difference, -0.2, 0.2), 0.00723613986199452, 1e-12);
	assert_near(difference.degrees, 4.844881144989106, 1e-9);
}

static void test_equivalence_without_spread(void **state)
{
	const double a[] = {2, 2, 2}, b[] = {2, 2, 2}, c[] = {3, 3, 3}, one[] = {1};
	struct difference same = difference_independent(a, 3, b, 3);
	struct difference other = difference_independent(a, 3, c, 3);
	struct difference few = difference_independent(one, 1, b, 3);

	(void)state;
	assert_near(equivalence_p(&same, -0.1, 0.1), 0, 0);
	assert_near(equivalence_p(&other, -0.1, 0.1), 1, 0);
	assert_true(isnan(equivalence_p(&few, -0.1, 0.1)));
}

static void test_bootstrap_repeats_and_holds_its_estimate(void **state)
{
	const double a[] = {1.0, 1.2, 0.9, 1.1, 1.05, 0.95};
	const double b[] = {2.0, 2.3, 1.9, 2.2, 2.05, 1.95};
	const double flat[] = {2, 2, 2, 2};
	struct interval one, two;

	(void)state;
	assert_int_equal(bootstrap_independent(a, 6, b, 6, 0.95, &one), 0);
	bootstrap_independent(a, 6, b, 6, 0.95, &two);
	assert_true(one.is_valid && one.low == two.low && one.high == two.high);
	assert_true(one.low > 0.8 && one.low < 1.0333 && one.high > 1.0333 && one.high < 1.3);
	bootstrap_independent(flat, 4, flat, 4, 0.95, &one);
	assert_true(one.is_valid && one.low == 0 && one.high == 0);
	bootstrap_independent(a, 2, b, 2, 0.95, &one);
	assert_false(one.is_valid);
}

/* How often the interval of six boots a side holds the truth: not far below what it says. */
static void test_bootstrap_coverage(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	const int trials = 400;
	int covered = 0;

	(void)state;
	gsl_rng_set(rng, 7);
	for (int trial = 0; trial < trials; trial++) {
		double a[6], b[6];
		struct interval interval;

		for (int i = 0; i < 6; i++) {
			a[i] = gsl_ran_gaussian(rng, 1);
			b[i] = 0.5 + gsl_ran_gaussian(rng, 1);
		}
		bootstrap_independent(a, 6, b, 6, 0.95, &interval);
		covered += interval.low <= 0.5 && 0.5 <= interval.high;
	}
	gsl_rng_free(rng);
	assert_in_range(covered, trials * 92 / 100, trials * 985 / 1000);
}

/*
 * A/A: two variants that are the same, 5 % within a boot and 3 % between boots, 40
 * samples a boot. The boot's median is the unit; at most 5 % may come out different.
 */
static void fill_medians(gsl_rng *rng, double *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double level = gsl_ran_gaussian(rng, 0.03), samples[41];

		for (int j = 0; j < 41; j++) {
			double value = level + gsl_ran_gaussian(rng, 0.05);
			int k = j;

			for (; k && samples[k - 1] > value; k--)
				samples[k] = samples[k - 1];
			samples[k] = value;
		}
		out[i] = samples[20];
	}
}

static void test_false_positives(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	const int trials = 2000;
	int independent = 0, paired = 0, unequal = 0;

	(void)state;
	gsl_rng_set(rng, 42);
	for (int trial = 0; trial < trials; trial++) {
		double a[8], b[8], differences[8];
		struct permutation out;

		fill_medians(rng, a, 8);
		fill_medians(rng, b, 8);
		permutation_independent(a, 6, b, 6, &out);
		independent += out.p <= 0.05;
		permutation_independent(a, 4, b, 8, &out);
		unequal += out.p <= 0.05;
		for (int i = 0; i < 8; i++)
			differences[i] = b[i] - a[i];
		permutation_paired(differences, 8, &out);
		paired += out.p <= 0.05;
	}
	gsl_rng_free(rng);
	/* 5 % of 2,000 is 100; three standard errors (9.7) above it would still be chance. */
	assert_in_range(independent, 60, 129);
	assert_in_range(unequal, 60, 129);
	assert_in_range(paired, 40, 129);
}

static void test_boots_for_a_power(void **state)
{
	/* The smallest n in R with pt(sqrt(n/4) - qt(0.975, 6*n/4), 6*n/4) >= 0.8 is 33. */
	struct difference now = {.mean = 1, .standard_error = 1, .degrees = 6};

	(void)state;
	assert_int_equal(boots_for_difference(&now, 4, 0.05), 33);
	assert_true(boots_for_equivalence(&now, 4, 0.05, 0.5) == SIZE_MAX);
	now.mean = 0;
	assert_true(boots_for_difference(&now, 4, 0.05) == SIZE_MAX);
	/* And with 2 * pt(0.5 * sqrt(n/4) - qt(0.95, 6*n/4), 6*n/4) - 1 >= 0.8 it is 139. */
	assert_int_equal(boots_for_equivalence(&now, 4, 0.05, 0.5), 139);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_independent_by_hand),
		cmocka_unit_test(test_independent_against_scipy),
		cmocka_unit_test(test_separated_groups_reach_the_smallest_p),
		cmocka_unit_test(test_paired_by_hand),
		cmocka_unit_test(test_ties_count_whatever_the_rounding),
		cmocka_unit_test(test_many_boots_are_drawn_and_repeat),
		cmocka_unit_test(test_quick_counts_are_exact),
		cmocka_unit_test(test_tiny_p_is_exact),
		cmocka_unit_test(test_bounds_are_not_too_small),
		cmocka_unit_test(test_boots_needed),
		cmocka_unit_test(test_holm),
		cmocka_unit_test(test_benjamini_hochberg),
		cmocka_unit_test(test_equivalence_against_scipy),
		cmocka_unit_test(test_equivalence_without_spread),
		cmocka_unit_test(test_bootstrap_repeats_and_holds_its_estimate),
		cmocka_unit_test(test_bootstrap_coverage),
		cmocka_unit_test(test_false_positives),
		cmocka_unit_test(test_boots_for_a_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
