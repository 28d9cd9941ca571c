// SPDX-License-Identifier: GPL-2.0-only
#include "reports/pareto.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define NEAR_ZERO_SHAPE	   1e-5 /* below, powers are series: 0/0 loses all digits */
#define FIT_STEPS	   200u
#define FIT_NEAR	   1e-13
#define CHI_SQUARE_CELLS   16u
#define CHI_SQUARE_MINIMUM 5.0 /* expected in a cell: the usual rule */

/* log(1 + shape z) / shape, which is z where the shape is 0. */
static double stretched(double shape, double z)
{
	if (fabs(shape) < NEAR_ZERO_SHAPE)
		return z * (1 - shape * z / 2 + shape * shape * z * z / 3);
	return 1 + shape * z > 0 ? log1p(shape * z) / shape : INFINITY;
}

double pareto_above(const struct pareto *pareto, double excess)
{
	if (isinf(excess))
		return 0;
	return exp(-stretched(pareto->shape, excess / pareto->scale));
}

/* The derivatives of pareto_above by log scale and shape. */
static void slope_above(const struct pareto *pareto, double excess, double slope[2])
{
	double above = pareto_above(pareto, excess), z, shape = pareto->shape;

	slope[0] = slope[1] = 0;
	if (above <= 0)
		return;
	z = excess / pareto->scale;
	slope[0] = above * z / (1 + shape * z);
	if (fabs(shape) < NEAR_ZERO_SHAPE)
		slope[1] = above * z * z * (0.5 - 2 * shape * z / 3);
	else
		slope[1] = above * (log1p(shape * z) / shape - z / (1 + shape * z)) / shape;
}

/* Probability of a cell and its derivatives. */
static double cell_slope(const struct pareto *pareto, double from, double to, double slope[2])
{
	double at_end[2];

	slope_above(pareto, from, slope);
	slope_above(pareto, to, at_end);
	slope[0] -= at_end[0];
	slope[1] -= at_end[1];
	return pareto_above(pareto, from) - pareto_above(pareto, to);
}

void pareto_score(const struct pareto *pareto, double from, double to, double score[2])
{
	double chance = cell_slope(pareto, from, to, score);

	score[0] = chance > 0 ? score[0] / chance : 0;
	score[1] = chance > 0 ? score[1] / chance : 0;
}

void pareto_information(const struct pareto *pareto, const struct pareto_cells *cells,
			double information[2][2])
{
	double from = 0;

	for (size_t i = 0; i < 4; i++)
		information[i / 2][i % 2] = 0;
	for (size_t i = 0; i < cells->n; i++) {
		double slope[2], chance = cell_slope(pareto, from, cells->ends[i], slope);

		from = cells->ends[i];
		if (chance <= 1e-300)
			continue;
		for (size_t j = 0; j < 4; j++)
			information[j / 2][j % 2] +=
				(double)cells->total * slope[j / 2] * slope[j % 2] / chance;
	}
}

double pareto_log_likelihood(const struct pareto *pareto, const struct pareto_cells *cells)
{
	double sum = 0, from = 0;

	for (size_t i = 0; i < cells->n; i++) {
		if (cells->counts[i])
			sum += (double)cells->counts[i] * log(pareto_above(pareto, from) -
							      pareto_above(pareto, cells->ends[i]));
		from = cells->ends[i];
	}
	return isnan(sum) ? -INFINITY : sum;
}

/* By moments, from the middles of the cells: near enough to begin with. */
static struct pareto first_guess(const struct pareto_cells *cells)
{
	double from = 0, sum = 0, squares = 0, n = (double)cells->total, mean, ratio;
	struct pareto guess;

	for (size_t i = 0; i < cells->n; i++) {
		double to = isinf(cells->ends[i]) ? from : cells->ends[i];
		double middle = (from + to) / 2, count = (double)cells->counts[i];

		sum += count * middle;
		squares += count * middle * middle;
		from = cells->ends[i];
	}
	mean = sum / n;
	ratio = mean * mean / fmax(squares / n - mean * mean, 1e-12 * mean * mean);
	guess.shape = fmin(fmax((1 - ratio) / 2, -0.2), 0.3);
	guess.scale = mean * (1 - guess.shape);
	return guess;
}

/*
 * One step of Fisher's scoring, halved until the likelihood does not fall. Returns how far it
 * went; negative when it could not be made.
 */
static double scoring_step(struct pareto *at, const struct pareto_cells *cells)
{
	double score[2] = {0}, information[2][2], from = 0, determinant, step[2];
	double before = pareto_log_likelihood(at, cells);

	for (size_t i = 0; i < cells->n; i++) {
		double one[2];

		if (cells->counts[i]) {
			pareto_score(at, from, cells->ends[i], one);
			score[0] += (double)cells->counts[i] * one[0];
			score[1] += (double)cells->counts[i] * one[1];
		}
		from = cells->ends[i];
	}
	pareto_information(at, cells, information);
	determinant = information[0][0] * information[1][1] - information[0][1] * information[1][0];
	if (!(determinant > 0))
		return -1;
	step[0] = (information[1][1] * score[0] - information[0][1] * score[1]) / determinant;
	step[1] = (information[0][0] * score[1] - information[1][0] * score[0]) / determinant;
	for (double share = 1; share > 1e-6; share /= 2) {
		struct pareto next = {at->shape + share * step[1],
				      at->scale * exp(fmin(fmax(share * step[0], -1), 1))};
		double size = share * (fabs(step[0]) + fabs(step[1]));

		next.shape = fmin(fmax(next.shape, PARETO_SHAPE_LEAST), PARETO_SHAPE_MOST);
		/* So near, the likelihood's own rounding decides nothing. */
		if (size > 1e-6 && !(pareto_log_likelihood(&next, cells) >= before))
			continue;
		*at = next;
		return size;
	}
	return -1;
}

bool pareto_fit(const struct pareto_cells *cells, struct pareto *out)
{
	size_t used = 0;

	for (size_t i = 0; i < cells->n; i++)
		used += cells->counts[i] > 0;
	if (used < 3)
		return false;
	*out = first_guess(cells);
	/* A guess of a bounded tail may end before the largest excess. */
	while (isinf(pareto_log_likelihood(out, cells)) && out->shape < PARETO_SHAPE_MOST)
		out->shape += 0.1;
	for (size_t i = 0; i < FIT_STEPS; i++) {
		double size = scoring_step(out, cells);

		if (size < 0)
			return false;
		if (size < FIT_NEAR)
			return true;
	}
	/* At the edge of the shapes it goes on for ever: the edge is the answer. */
	return out->shape <= PARETO_SHAPE_LEAST || out->shape >= PARETO_SHAPE_MOST;
}

double pareto_fit_p(const struct pareto *pareto, const struct pareto_cells *cells)
{
	double total = (double)cells->total, begin = 1, sum = 0, seen = 0;
	double wanted = fmax(CHI_SQUARE_MINIMUM, total / CHI_SQUARE_CELLS);
	size_t merged = 0;

	for (size_t i = 0; i < cells->n; i++) {
		double above = pareto_above(pareto, cells->ends[i]);
		double expected = total * (begin - above);

		seen += (double)cells->counts[i];
		/* The last one takes what would be too little on its own. */
		if (i + 1 < cells->n && (expected < wanted || total * above < wanted))
			continue;
		sum += (seen - expected) * (seen - expected) / expected;
		merged++;
		begin = above;
		seen = 0;
	}
	/* Two parameters were fitted. */
	return merged < 4 ? NAN : gsl_cdf_chisq_Q(sum, (double)merged - 3);
}
