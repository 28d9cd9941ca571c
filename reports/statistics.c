// SPDX-License-Identifier: GPL-2.0-only
#include "reports/statistics.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The power that "how many more boots" is reckoned for. */
#define POWER 0.8

double mean_of(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return sum / (double)n;
}

static double variance_of(const double *values, size_t n)
{
	double mean = mean_of(values, n), sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (values[i] - mean) * (values[i] - mean);
	return n > 1 ? sum / (double)(n - 1) : NAN;
}

/*
 * Sums of the same numbers in another order differ in their last bits; arrangements
 * that tie with the observed one must count as ties.
 */
static double tie_tolerance(const double *values, size_t n)
{
	double largest = 0;

	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(values[i]));
	return largest * (double)n * 1e-13;
}

/* All ways to choose which boots are called a; the sum of the chosen is what tells. */
struct choice {
	const double *values; /* centred: the mean of all is 0 */
	size_t n;
	double limit; /* |sum| from here on is as extreme as observed */
	uint64_t hits, arrangements;
};

static void choose(struct choice *choice, size_t from, size_t left, double sum)
{
	if (!left) {
		choice->arrangements++;
		choice->hits += fabs(sum) >= choice->limit;
		return;
	}
	for (size_t i = from; i + left <= choice->n; i++)
		choose(choice, i + 1, left - 1, sum + choice->values[i]);
}

static void draw_choices(struct choice *choice, double *values, size_t n_chosen)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	gsl_rng_set(rng, STATISTICS_SEED);
	for (uint32_t draw = 0; draw < PERMUTATION_DRAWS; draw++) {
		double sum = 0;

		/* The first steps of a Fisher-Yates shuffle: a random subset. */
		for (size_t i = 0; i < n_chosen; i++) {
			size_t other = i + gsl_rng_uniform_int(rng, choice->n - i);
			double swap = values[i];

			values[i] = values[other];
			values[other] = swap;
			sum += values[i];
		}
		choice->hits += fabs(sum) >= choice->limit;
	}
	gsl_rng_free(rng);
	choice->arrangements = PERMUTATION_DRAWS + 1;
	choice->hits++; /* the observed arrangement is one of them */
}

int permutation_independent(const double *a, size_t n_a, const double *b, size_t n_b,
			    struct permutation *out)
{
	size_t n = n_a + n_b, n_chosen = n_a < n_b ? n_a : n_b;
	double *values = malloc(n * sizeof(*values));
	double mean, observed;
	struct choice choice = {.values = values, .n = n};

	if (!values)
		return -ENOMEM;
	memcpy(values, a, n_a * sizeof(*a));
	memcpy(values + n_a, b, n_b * sizeof(*b));
	mean = mean_of(values, n);
	for (size_t i = 0; i < n; i++)
		values[i] -= mean;
	/* All values sum to 0, so either group's sum says how far apart the means are. */
	observed = fabs(mean_of(values, n_a)) * (double)n_a;
	choice.limit = observed - tie_tolerance(values, n);
	out->is_monte_carlo = gsl_sf_lnchoose((unsigned int)n, (unsigned int)n_chosen) >
			      log((double)PERMUTATION_EXACT_MAX);
	if (out->is_monte_carlo)
		draw_choices(&choice, values, n_chosen);
	else
		choose(&choice, 0, n_chosen, 0);
	out->arrangements = choice.arrangements;
	out->p = (double)choice.hits / (double)choice.arrangements;
	free(values);
	return 0;
}

static void flip_all(const double *differences, size_t n, double limit, struct permutation *out)
{
	uint64_t arrangements = UINT64_C(1) << n, hits = 0;

	for (uint64_t signs = 0; signs < arrangements; signs++) {
		double sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += signs >> i & 1 ? differences[i] : -differences[i];
		hits += fabs(sum) >= limit;
	}
	out->arrangements = arrangements;
	out->p = (double)hits / (double)arrangements;
}

static void flip_some(const double *differences, size_t n, double limit, struct permutation *out)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	uint64_t hits = 1;

	gsl_rng_set(rng, STATISTICS_SEED);
	for (uint32_t draw = 0; draw < PERMUTATION_DRAWS; draw++) {
		double sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += gsl_rng_get(rng) & 1 ? differences[i] : -differences[i];
		hits += fabs(sum) >= limit;
	}
	gsl_rng_free(rng);
	out->arrangements = PERMUTATION_DRAWS + 1;
	out->p = (double)hits / (double)out->arrangements;
}

void permutation_paired(const double *differences, size_t n, struct permutation *out)
{
	double limit = fabs(mean_of(differences, n)) * (double)n - tie_tolerance(differences, n);

	out->is_monte_carlo = n > 20; /* 2^20 is PERMUTATION_EXACT_MAX */
	if (out->is_monte_carlo)
		flip_some(differences, n, limit, out);
	else
		flip_all(differences, n, limit, out);
}

double permutation_smallest_p(size_t n, bool is_paired)
{
	double arrangements_log;

	if (!n)
		return 1;
	arrangements_log = is_paired ? (double)n * M_LN2
				     : gsl_sf_lnchoose((unsigned int)(2 * n), (unsigned int)n);
	/* The mirror image of the most extreme arrangement is as extreme; drawn ones bound p too.
	 */
	if (arrangements_log > log((double)PERMUTATION_EXACT_MAX))
		return 1.0 / (PERMUTATION_DRAWS + 1);
	return fmin(1, 2 * exp(-arrangements_log));
}

size_t permutation_boots_needed(double alpha, size_t tests, bool is_paired)
{
	size_t n = 1;

	/* The rounding of exp(ln C(2n,n)) must not cost a boot. */
	while (n < 1000 &&
	       permutation_smallest_p(n, is_paired) * (double)tests > alpha * (1 + 1e-9))
		n++;
	return n;
}

struct ranked {
	double p;
	size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *one = a, *two = b;

	if (one->p != two->p)
		return one->p < two->p ? -1 : 1;
	return one->index < two->index ? -1 : 1;
}

static struct ranked *rank_p_values(const double *p, size_t n)
{
	struct ranked *ranked = malloc((n ? n : 1) * sizeof(*ranked));

	if (!ranked)
		return NULL;
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){p[i], i};
	qsort(ranked, n, sizeof(*ranked), compare_ranked);
	return ranked;
}

int holm_adjust(double *p, size_t n)
{
	struct ranked *ranked = rank_p_values(p, n);
	double adjusted = 0;

	if (!ranked)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		adjusted = fmax(adjusted, fmin(1, ranked[i].p * (double)(n - i)));
		p[ranked[i].index] = adjusted;
	}
	free(ranked);
	return 0;
}

int benjamini_hochberg_adjust(double *p, size_t n)
{
	struct ranked *ranked = rank_p_values(p, n);
	double adjusted = 1;

	if (!ranked)
		return -ENOMEM;
	for (size_t i = n; i-- > 0;) {
		adjusted = fmin(adjusted, ranked[i].p * (double)n / (double)(i + 1));
		p[ranked[i].index] = adjusted;
	}
	free(ranked);
	return 0;
}

struct difference difference_independent(const double *a, size_t n_a, const double *b, size_t n_b)
{
	double part_a = variance_of(a, n_a) / (double)n_a;
	double part_b = variance_of(b, n_b) / (double)n_b;
	double sum = part_a + part_b;
	struct difference out = {.mean = mean_of(b, n_b) - mean_of(a, n_a),
				 .standard_error = sqrt(sum),
				 .degrees = NAN};

	if (n_a < 2 || n_b < 2)
		return out;
	out.degrees = (double)(n_a + n_b - 2);
	if (sum > 0)
		out.degrees =
			sum * sum /
			(part_a * part_a / (double)(n_a - 1) + part_b * part_b / (double)(n_b - 1));
	return out;
}

struct difference difference_paired(const double *differences, size_t n)
{
	struct difference out = {.mean = mean_of(differences, n),
				 .standard_error = sqrt(variance_of(differences, n) / (double)n),
				 .degrees = n > 1 ? (double)(n - 1) : NAN};

	return out;
}

double equivalence_p(const struct difference *difference, double low, double high)
{
	double above, below;

	if (isnan(difference->degrees))
		return NAN;
	if (difference->standard_error <= 0)
		return difference->mean > low && difference->mean < high ? 0 : 1;
	above = (difference->mean - low) / difference->standard_error;
	below = (high - difference->mean) / difference->standard_error;
	return fmax(gsl_cdf_tdist_Q(above, difference->degrees),
		    gsl_cdf_tdist_Q(below, difference->degrees));
}

/* What the interval is made from: replicates, and the jackknife's view of the same mean. */
struct bootstrap {
	double *replicates; /* BOOTSTRAP_RESAMPLES of them */
	double observed;
	double acceleration;
	double inflation; /* true standard error over the bootstrap's */
	double degrees;
};

static int compare_doubles(const void *a, const void *b)
{
	const double *one = a, *two = b;

	return (*one > *two) - (*one < *two);
}

static double quantile_of(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t below = (size_t)at;

	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* The share of replicates below the observed value, ties halved, as a normal deviate. */
static double bias_of(const struct bootstrap *bootstrap)
{
	double below = 0;

	for (size_t i = 0; i < BOOTSTRAP_RESAMPLES; i++)
		below += bootstrap->replicates[i] < bootstrap->observed	  ? 1
			 : bootstrap->replicates[i] > bootstrap->observed ? 0
									  : 0.5;
	below /= BOOTSTRAP_RESAMPLES;
	return gsl_cdf_ugaussian_Pinv(fmin(fmax(below, 0.001), 0.999));
}

static double adjusted_level(const struct bootstrap *bootstrap, double bias, double deviate)
{
	double shifted = bias + deviate;
	double scale = 1 - bootstrap->acceleration * shifted;

	/* Past this pole the transformation turns round; the end of the replicates is meant. */
	if (scale <= 0.05)
		return deviate < 0 ? 0 : 1;
	return gsl_cdf_ugaussian_P(bias + shifted / scale);
}

static void finish_bootstrap(struct bootstrap *bootstrap, double confidence, struct interval *out)
{
	double deviate =
		bootstrap->inflation * gsl_cdf_tdist_Pinv(0.5 + confidence / 2, bootstrap->degrees);
	double bias = bias_of(bootstrap);

	qsort(bootstrap->replicates, BOOTSTRAP_RESAMPLES, sizeof(double), compare_doubles);
	out->is_valid = true;
	out->low = quantile_of(bootstrap->replicates, BOOTSTRAP_RESAMPLES,
			       adjusted_level(bootstrap, bias, -deviate));
	out->high = quantile_of(bootstrap->replicates, BOOTSTRAP_RESAMPLES,
				adjusted_level(bootstrap, bias, deviate));
	/* The estimate belongs to its own interval, whatever rounding did. */
	out->low = fmin(out->low, bootstrap->observed);
	out->high = fmax(out->high, bootstrap->observed);
}

static double resampled_mean(gsl_rng *rng, const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[gsl_rng_uniform_int(rng, n)];
	return sum / (double)n;
}

/*
 * The jackknife's sums of squares and cubes for a mean: leaving out value i moves it
 * by (mean - value_i) / (n - 1), with @sign for the side of the difference.
 */
static void add_jackknife(const double *values, size_t n, double sign, double *squares,
			  double *cubes)
{
	double mean = mean_of(values, n);

	for (size_t i = 0; i < n; i++) {
		double influence = sign * (values[i] - mean) / (double)n;

		*squares += influence * influence;
		*cubes += influence * influence * influence;
	}
}

static double acceleration_from(double squares, double cubes)
{
	return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

int bootstrap_independent(const double *a, size_t n_a, const double *b, size_t n_b,
			  double confidence, struct interval *out)
{
	struct difference difference = difference_independent(a, n_a, b, n_b);
	double replicates[BOOTSTRAP_RESAMPLES];
	struct bootstrap bootstrap = {.replicates = replicates, .observed = difference.mean};
	double squares = 0, cubes = 0;
	gsl_rng *rng;

	*out = (struct interval){.low = difference.mean, .high = difference.mean};
	if (n_a < INTERVAL_MIN_BOOTS || n_b < INTERVAL_MIN_BOOTS)
		return 0;
	out->is_valid = true;
	if (difference.standard_error <= 0)
		return 0;
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!rng)
		return -ENOMEM;
	gsl_rng_set(rng, STATISTICS_SEED);
	for (size_t i = 0; i < BOOTSTRAP_RESAMPLES; i++) {
		double mean_a = resampled_mean(rng, a, n_a);

		replicates[i] = resampled_mean(rng, b, n_b) - mean_a;
	}
	gsl_rng_free(rng);
	add_jackknife(a, n_a, -1, &squares, &cubes);
	add_jackknife(b, n_b, 1, &squares, &cubes);
	bootstrap.acceleration = acceleration_from(squares, cubes);
	/* The sum of squared influences is the bootstrap's own variance of the mean. */
	bootstrap.inflation = difference.standard_error / sqrt(squares);
	bootstrap.degrees = difference.degrees;
	finish_bootstrap(&bootstrap, confidence, out);
	return 0;
}

int bootstrap_paired(const double *differences, size_t n, double confidence, struct interval *out)
{
	struct difference difference = difference_paired(differences, n);
	double replicates[BOOTSTRAP_RESAMPLES];
	struct bootstrap bootstrap = {.replicates = replicates, .observed = difference.mean};
	double squares = 0, cubes = 0;
	gsl_rng *rng;

	*out = (struct interval){.low = difference.mean, .high = difference.mean};
	if (n < INTERVAL_MIN_BOOTS)
		return 0;
	out->is_valid = true;
	if (difference.standard_error <= 0)
		return 0;
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!rng)
		return -ENOMEM;
	gsl_rng_set(rng, STATISTICS_SEED);
	for (size_t i = 0; i < BOOTSTRAP_RESAMPLES; i++)
		replicates[i] = resampled_mean(rng, differences, n);
	gsl_rng_free(rng);
	add_jackknife(differences, n, 1, &squares, &cubes);
	bootstrap.acceleration = acceleration_from(squares, cubes);
	bootstrap.inflation = difference.standard_error / sqrt(squares);
	bootstrap.degrees = difference.degrees;
	finish_bootstrap(&bootstrap, confidence, out);
	return 0;
}

/* Boots that shrink the standard error from what @boots give to @target. */
static size_t boots_for_error(const struct difference *now, size_t boots, double target)
{
	double needed;

	if (isnan(now->degrees) || target <= 0)
		return SIZE_MAX;
	needed = (double)boots * pow(now->standard_error / target, 2);
	return needed < 1e9 ? (size_t)ceil(needed) : SIZE_MAX;
}

size_t boots_for_difference(const struct difference *now, size_t boots, double alpha)
{
	double deviates = gsl_cdf_ugaussian_Qinv(alpha / 2) + gsl_cdf_ugaussian_Pinv(POWER);

	return boots_for_error(now, boots, fabs(now->mean) / deviates);
}

size_t boots_for_equivalence(const struct difference *now, size_t boots, double alpha,
			     double margin)
{
	double deviates = gsl_cdf_ugaussian_Qinv(alpha) + gsl_cdf_ugaussian_Pinv(POWER);

	return boots_for_error(now, boots, (margin - fabs(now->mean)) / deviates);
}
