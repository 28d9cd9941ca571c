// SPDX-License-Identifier: GPL-2.0-only
#include "reports/statistics.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

/* The power that "how many more boots" is reckoned for. */
#define POWER 0.8
/* Nobody boots so often: no number would do. */
#define MANY_BOOTS 1e9

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

/* A group's share in the variance of the difference, and its own degrees of freedom. */
static void add_variance(const double *values, size_t n, double weight, double *variance,
			 double *squares_over_degrees)
{
	double part = weight * weight * variance_of(values, n) / (double)n;

	*variance += part;
	*squares_over_degrees += part * part / (double)(n - 1);
}

struct difference difference_of(const struct stratum *strata, size_t n_strata)
{
	double weight = 1 / (double)n_strata, mean = 0, variance = 0, squares_over_degrees = 0;
	struct difference out = {.standard_error = NAN, .degrees = NAN};
	size_t degrees = 0;
	bool is_known = n_strata > 0;

	for (size_t i = 0; i < n_strata; i++) {
		const struct stratum *stratum = &strata[i];

		mean += weight * mean_of(stratum->b, stratum->n_b);
		add_variance(stratum->b, stratum->n_b, weight, &variance, &squares_over_degrees);
		degrees += stratum->n_b - 1;
		is_known = is_known && stratum->n_b > 1;
		if (!stratum->a)
			continue;
		mean -= weight * mean_of(stratum->a, stratum->n_a);
		add_variance(stratum->a, stratum->n_a, weight, &variance, &squares_over_degrees);
		degrees += stratum->n_a - 1;
		is_known = is_known && stratum->n_a > 1;
	}
	out.mean = mean;
	if (!is_known)
		return out;
	out.standard_error = sqrt(variance);
	/* Welch's and Satterthwaite's; where nothing varies, all there are. */
	out.degrees = variance > 0 ? variance * variance / squares_over_degrees : (double)degrees;
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

/* What @n boots would have: the same difference, a smaller error, more degrees of freedom. */
struct outlook {
	const struct difference *now;
	double boots; /* that it comes from */
	double alpha;
	double margin; /* of equivalence; 0: a difference is looked for */
};

/* The chance that the verdict comes in with @n boots. */
static double power_with(const struct outlook *outlook, double n)
{
	const struct difference *now = outlook->now;
	double error = now->standard_error * sqrt(outlook->boots / n);
	double degrees = now->degrees * n / outlook->boots;
	double away = fabs(now->mean) / error, margin = outlook->margin / error, critical;

	if (outlook->margin <= 0)
		return gsl_cdf_tdist_P(away - gsl_cdf_tdist_Qinv(outlook->alpha / 2, degrees),
				       degrees);
	critical = gsl_cdf_tdist_Qinv(outlook->alpha, degrees);
	return gsl_cdf_tdist_P(margin - away - critical, degrees) +
	       gsl_cdf_tdist_P(margin + away - critical, degrees) - 1;
}

static size_t boots_for_power(const struct outlook *outlook)
{
	double few = 1, many = 2;

	if (isnan(outlook->now->degrees) || outlook->now->standard_error <= 0)
		return SIZE_MAX;
	while (many < MANY_BOOTS && !(power_with(outlook, many) >= POWER))
		many *= 2;
	if (many >= MANY_BOOTS)
		return SIZE_MAX;
	while (many - few > 1) {
		double middle = floor((few + many) / 2);

		if (power_with(outlook, middle) >= POWER)
			many = middle;
		else
			few = middle;
	}
	return (size_t)many;
}

size_t boots_for_difference(const struct difference *now, size_t boots, double alpha)
{
	struct outlook outlook = {now, (double)boots, alpha, 0};

	return boots_for_power(&outlook);
}

size_t boots_for_equivalence(const struct difference *now, size_t boots, double alpha,
			     double margin)
{
	struct outlook outlook = {now, (double)boots, alpha, margin};

	return boots_for_power(&outlook);
}
