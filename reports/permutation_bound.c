// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chernoff's bound: for any tilt s > 0, P(sum >= limit) <= M(s) exp(-s limit), where M is the
 * mean of exp(s sum) over all arrangements. M is computed exactly, so the bound holds for
 * whatever s; a few are tried and the least is taken.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/permutation.h"

#define TRIES	  5u
#define HUGE_MEAN 1e200 /* before a mean of exponentials leaves what a double holds */

static double flips_log_mean(const struct permutation_stratum *stratum, double s)
{
	double sum = 0;

	/* log cosh x without overflow. */
	for (size_t i = 0; i < stratum->n; i++) {
		double x = fabs(s * stratum->items[i]);

		sum += x + log1p(exp(-2 * x)) - M_LN2;
	}
	return sum;
}

/*
 * means[j]: the mean over subsets of j of the items so far of the product of their
 * exponentials. An item more is in such a subset with the chance j/i.
 */
static double subsets_log_mean(const struct permutation_stratum *stratum, double s, double *means)
{
	size_t n_chosen = stratum->n_chosen;
	double scale_log = 0;

	memset(means, 0, (n_chosen + 1) * sizeof(*means));
	means[0] = 1;
	for (size_t i = 1; i <= stratum->n; i++) {
		double factor = exp(s * stratum->items[i - 1]), largest = 0;

		for (size_t j = n_chosen < i ? n_chosen : i; j > 0; j--) {
			double in = (double)j / (double)i;

			means[j] = (1 - in) * means[j] + in * factor * means[j - 1];
			largest = fmax(largest, means[j]);
		}
		if (largest < HUGE_MEAN)
			continue;
		for (size_t j = 0; j <= n_chosen; j++)
			means[j] /= largest;
		scale_log += log(largest);
	}
	return log(means[n_chosen]) + scale_log;
}

static double exponent_at(const struct permutation_problem *problem, double s, double *means)
{
	double sum = -fabs(s) * problem->limit;

	for (size_t i = 0; i < problem->n_strata; i++)
		sum += problem->strata[i].is_flips
			       ? flips_log_mean(&problem->strata[i], s)
			       : subsets_log_mean(&problem->strata[i], s, means);
	return sum;
}

/* The least exponent at one end of the distribution: @sign says which. */
static double least_exponent(const struct permutation_problem *problem, double sign, double *means)
{
	/* Where the least would be for a normal distribution; then by steps that shrink. */
	double s = problem->limit / problem->variance, step = s / 2;
	double least = exponent_at(problem, sign * s, means);

	for (unsigned int i = 0; i < TRIES; i++) {
		double up = exponent_at(problem, sign * (s + step), means);
		double down = up < least || step >= s
				      ? INFINITY
				      : exponent_at(problem, sign * (s - step), means);

		if (up < least) {
			least = up;
			s += step;
			step *= 1.5;
		} else if (down < least) {
			least = down;
			s -= step;
		} else if (step < s / 32) {
			break;
		} else {
			step /= 3;
		}
	}
	return least;
}

double permutation_bound(const struct permutation_problem *problem)
{
	size_t most = 0;
	double *means, upper, lower;

	for (size_t i = 0; i < problem->n_strata; i++)
		if (problem->strata[i].n_chosen > most)
			most = problem->strata[i].n_chosen;
	means = malloc((most + 1) * sizeof(*means));
	if (!means)
		return NAN;
	upper = exp(least_exponent(problem, 1, means));
	lower = exp(least_exponent(problem, -1, means));
	free(means);
	return upper + lower;
}
