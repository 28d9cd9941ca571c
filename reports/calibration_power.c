// SPDX-License-Identifier: GPL-2.0-only
/* How much boots of one kernel differ, and how small an effect so many of them can see. */
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/calibration.h"

/* Halvings of the bracket that a planted effect is searched in: to 1/64 of it. */
#define BISECTIONS 6
/* What even 2^20 times Student's shift does not show, nothing does. */
#define DOUBLINGS      20
#define EXACT_MAX_SIZE 10 /* boots of each that the test itself is run for */
#define MAX_SIZE       20
/* A correlation of ranks from fewer boots is nothing. */
#define DRIFT_MIN_BOOTS 6

/* One replicate: boots drawn from those at hand, and how the test of a comparison sees them. */
struct replicate {
	double a[MAX_SIZE], b[MAX_SIZE]; /* pairs: @b has the differences */
	size_t n;
	bool is_paired;
	double alpha; /* what p must not exceed */
};

static struct stratum stratum_of(const struct replicate *replicate, const double *last)
{
	if (replicate->is_paired)
		return (struct stratum){.b = last, .n_b = replicate->n};
	return (struct stratum){replicate->a, last, replicate->n, replicate->n};
}

/* Whether boots of which one side is shifted by @shift (of a logarithm) are called different. */
static bool is_seen(const struct replicate *replicate, double shift)
{
	struct permutation permutation = {.p = 1};
	struct stratum stratum;
	double shifted[MAX_SIZE];

	for (size_t i = 0; i < replicate->n; i++)
		shifted[i] = replicate->b[i] + shift;
	stratum = stratum_of(replicate, shifted);
	return !permutation_test(&stratum, 1, &permutation) && permutation.p <= replicate->alpha;
}

/* The smallest shift that is seen: what Student's test would need shows where to look. */
static double smallest_shift(const struct replicate *replicate)
{
	const struct stratum stratum = stratum_of(replicate, replicate->b);
	struct difference difference = difference_of(&stratum, 1);
	double student = gsl_cdf_tdist_Qinv(replicate->alpha / 2, difference.degrees) *
				 difference.standard_error +
			 fabs(difference.mean);
	double low = 0, high = student;

	/* Boots that are all the same see anything. */
	if (!(student > 0))
		return 0;
	/* With so many boots the tests agree, and arrangements would have to be drawn each time. */
	if (replicate->n > EXACT_MAX_SIZE)
		return student - fabs(difference.mean) - difference.mean;
	for (int i = 0; i < DOUBLINGS && !is_seen(replicate, high); i++) {
		low = high;
		high *= 2;
	}
	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;

		if (is_seen(replicate, middle))
			high = middle;
		else
			low = middle;
	}
	return high;
}

/* The boots at hand, on the scale of the test, around nothing. */
struct pool {
	double *values; /* deviations; pairs: differences of boots that followed each other */
	size_t n;
	bool is_paired;
};

/*
 * Deviations from a mean of n are too small by sqrt((n-1)/n). A difference of two boots of
 * one kernel is around 0 by itself, and as likely the other way round.
 */
static void fill_pool(struct pool *pool, const double *values, size_t n)
{
	double mean = mean_of(values, n), scale = sqrt((double)n / (double)(n - 1));

	pool->n = pool->is_paired ? n / 2 : n;
	for (size_t i = 0; i < pool->n; i++)
		pool->values[i] = pool->is_paired ? values[2 * i + 1] - values[2 * i]
						  : (values[i] - mean) * scale;
}

static void draw(gsl_rng *rng, const struct pool *pool, struct replicate *replicate)
{
	for (size_t i = 0; i < replicate->n; i++) {
		replicate->a[i] = pool->values[gsl_rng_uniform_int(rng, pool->n)];
		replicate->b[i] = pool->values[gsl_rng_uniform_int(rng, pool->n)];
		if (pool->is_paired && gsl_rng_get(rng) & 1)
			replicate->b[i] = -replicate->b[i];
	}
}

static int compare_doubles(const void *a, const void *b)
{
	const double *one = a, *two = b;

	return (*one > *two) - (*one < *two);
}

/* The shift that a share of @power of all campaigns of @size boots would have seen. */
static void measure_size(gsl_rng *rng, const struct pool *pool, size_t size, double alpha,
			 double effects[CALIBRATION_POWERS])
{
	struct replicate replicate = {.n = size, .is_paired = pool->is_paired, .alpha = alpha};
	double shifts[CALIBRATION_REPLICATES];

	for (size_t i = 0; i < CALIBRATION_POWERS; i++)
		effects[i] = INFINITY;
	if (permutation_smallest_p(size, 1, pool->is_paired) > alpha)
		return;
	for (size_t i = 0; i < CALIBRATION_REPLICATES; i++) {
		draw(rng, pool, &replicate);
		shifts[i] = smallest_shift(&replicate);
	}
	qsort(shifts, CALIBRATION_REPLICATES, sizeof(*shifts), compare_doubles);
	for (size_t i = 0; i < CALIBRATION_POWERS; i++) {
		size_t rank = (size_t)ceil(calibration_powers[i] * CALIBRATION_REPLICATES) - 1;

		effects[i] = expm1(shifts[rank]);
	}
}

static int measure_effects(const struct calibration *calibration, const double *values, size_t n,
			   struct calibration_metric *metric)
{
	struct pool pool = {.is_paired = calibration->is_paired};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int err = -ENOMEM;

	pool.values = calloc(n, sizeof(*pool.values));
	if (pool.values && rng) {
		gsl_rng_set(rng, STATISTICS_SEED);
		fill_pool(&pool, values, n);
		for (size_t i = 0; i < CALIBRATION_SIZES; i++)
			measure_size(rng, &pool, calibration_sizes[i],
				     calibration->alpha / (double)calibration->tests,
				     metric->effects[i]);
		err = 0;
	}
	gsl_rng_free(rng);
	free(pool.values);
	return err;
}

/* How the figure went from the first boot to the last; its p is Student's for a rank correlation.
 */
static int measure_drift(const double *values, size_t n, struct calibration_metric *metric)
{
	double *at = calloc(n, 3 * sizeof(*at)), mean = mean_of(values, n);
	double slope = 0, squares = 0, rank;

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		double x = (double)i - (double)(n - 1) / 2;

		at[i] = (double)i;
		slope += x * (values[i] - mean);
		squares += x * x;
	}
	rank = gsl_stats_spearman(at, 1, values, 1, n, at + n);
	free(at);
	metric->drift = slope / squares * (double)(n - 1);
	metric->drift = metric->is_log ? expm1(metric->drift) : NAN;
	if (!isfinite(rank))
		return 0; /* all boots are the same */
	metric->drift_rank = rank;
	metric->drift_p = fabs(rank) >= 1
				  ? 0
				  : 2 * gsl_cdf_tdist_Q(fabs(rank) * sqrt((double)(n - 2) /
									  (1 - rank * rank)),
							(double)(n - 2));
	return 0;
}

static int measure_metric(const struct calibration *calibration, const struct group *group,
			  struct calibration_metric *metric)
{
	double *values = calloc(group->n_boots + 1, sizeof(*values));
	size_t n = group->n_boots;
	int err = 0;

	if (!values)
		return -ENOMEM;
	metric->n_boots = n;
	metric->is_log = n > 0;
	for (size_t i = 0; i < n; i++)
		metric->is_log &= group->values[i] > 0;
	for (size_t i = 0; i < n; i++)
		values[i] = metric->is_log ? log(group->values[i]) : group->values[i];
	if (n)
		metric->centre = metric->is_log ? exp(mean_of(values, n)) : mean_of(values, n);
	if (n >= INTERVAL_MIN_BOOTS && metric->is_log) {
		metric->spread = gsl_stats_sd(values, 1, n);
		err = measure_effects(calibration, values, n, metric);
	}
	if (n >= DRIFT_MIN_BOOTS && !err)
		err = measure_drift(values, n, metric);
	free(values);
	return err;
}

static bool is_judged(const struct metric_info *metric)
{
	return metric->role == ROLE_PRIMARY && metric->kind != METRIC_INVARIANT &&
	       metric->direction != NO_DIRECTION;
}

static int add_metric(struct calibration *calibration, size_t section, size_t index,
		      const struct metric_info *info)
{
	struct calibration_metric *added = arena_append(&calibration->arena, &calibration->metrics,
							&calibration->n_metrics, sizeof(*added));

	if (!added)
		return -ENOMEM;
	*added = (struct calibration_metric){.section = section,
					     .metric = index,
					     .statistic = main_statistic(info->kind),
					     .centre = NAN,
					     .spread = NAN,
					     .drift_rank = NAN,
					     .drift_p = NAN,
					     .drift = NAN};
	for (size_t i = 0; i < CALIBRATION_SIZES; i++)
		for (size_t j = 0; j < CALIBRATION_POWERS; j++)
			added->effects[i][j] = NAN;
	return 0;
}

/* The primary metrics that these boots have: each is a test of a comparison. */
static int list_metrics(struct calibration *calibration, const struct results *view)
{
	int err = 0;

	for (size_t section = 0; section < view->n_sections; section++)
		for (size_t i = 0; i < view->sections[section].n_metrics && !err; i++) {
			const struct metric_info *info = &view->sections[section].metrics[i];
			struct group group;

			if (!is_judged(info))
				continue;
			err = group_collect(&calibration->arena, view, section, i,
					    main_statistic(info->kind), 0, &group);
			if (!err && group.n_boots)
				err = add_metric(calibration, section, i, info);
		}
	calibration->tests = calibration->n_metrics;
	return err;
}

int calibration_measure(struct calibration *calibration, const struct results *view)
{
	int err = list_metrics(calibration, view);

	for (size_t i = 0; i < calibration->n_metrics && !err; i++) {
		struct calibration_metric *metric = &calibration->metrics[i];
		struct group group;

		err = group_collect(&calibration->arena, view, metric->section, metric->metric,
				    metric->statistic, 0, &group);
		if (!err)
			err = measure_metric(calibration, &group, metric);
	}
	return err;
}
