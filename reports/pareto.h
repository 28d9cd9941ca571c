/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_PARETO_H
#define REPORTS_PARETO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The generalised Pareto distribution fitted to counts in cells: what a histogram has of the
 * excesses over a threshold. Maximum likelihood with the cells' own probabilities, so
 * that a histogram's resolution is no approximation.
 */
struct pareto {
	double shape; /* 0: exponential; above: heavier, below: bounded */
	double scale; /* > 0 */
};

/* The chance that an excess is greater than @excess >= 0 (infinity: 0). */
double pareto_above(const struct pareto *pareto, double excess);

/*
 * Cells side by side from excess 0 on: cell i ends at @ends[i], which rises; the last one
 * ends at infinity. Mostly empty cells are fine.
 */
struct pareto_cells {
	const double *ends;
	const uint64_t *counts;
	size_t n;
	uint64_t total;
};

/* Shapes are looked for between these: beyond, maximum likelihood or the mean do not exist. */
#define PARETO_SHAPE_LEAST (-0.5)
#define PARETO_SHAPE_MOST  0.95

/* False when no maximum is found (all excesses in one cell or two, for example). */
bool pareto_fit(const struct pareto_cells *cells, struct pareto *out);

/*
 * The derivatives of the log-likelihood of one excess in a cell from @from to @to, by
 * log scale and shape; and the expected information of @total excesses, symmetric.
 */
void pareto_score(const struct pareto *pareto, double from, double to, double score[2]);
void pareto_information(const struct pareto *pareto, const struct pareto_cells *cells,
			double information[2][2]);

/* Minus infinity where a count has no chance. */
double pareto_log_likelihood(const struct pareto *pareto, const struct pareto_cells *cells);

/*
 * Pearson's chi^2 of the fit in cells merged to a useful expectation: the p value; NaN when too
 * few such cells are left to tell.
 */
double pareto_fit_p(const struct pareto *pareto, const struct pareto_cells *cells);

#endif
