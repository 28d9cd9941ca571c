// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reports/statistics.c and reports/pareto.c come to, for tests/statistics.R to compare with.
 * Reads commands from stdin, prints one line of figures for each:
 *   test N_STRATA CONFIDENCE LOW HIGH, then for each stratum: N_A N_B A... B...
 *        (N_A 0: pairs, as differences) -> p arrangements method mean se degrees p_equivalence low
 * high holm N P... and bh N P...           -> the corrected ones pareto N ENDS... COUNTS... ->
 * shape scale p of the fit
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/pareto.h"
#include "reports/statistics.h"

#define VALUES_MAX 4096
#define STRATA_MAX 16

static double values[VALUES_MAX];

static bool read_values(double *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (scanf("%lf", &out[i]) != 1)
			return false;
	return true;
}

static bool run_test(size_t n_strata)
{
	double options[3], sizes[2], *next = values;
	struct stratum strata[STRATA_MAX];
	struct permutation permutation;
	struct interval interval;
	struct difference difference;

	if (n_strata > STRATA_MAX || !read_values(options, 3))
		return false;
	for (size_t i = 0; i < n_strata; i++) {
		if (!read_values(sizes, 2) ||
		    sizes[0] + sizes[1] > (double)(values + VALUES_MAX - next) ||
		    !read_values(next, (size_t)(sizes[0] + sizes[1])))
			return false;
		strata[i] = (struct stratum){sizes[0] > 0 ? next : NULL, next + (size_t)sizes[0],
					     (size_t)sizes[0], (size_t)sizes[1]};
		next += (size_t)(sizes[0] + sizes[1]);
	}
	difference = difference_of(strata, n_strata);
	if (permutation_test(strata, n_strata, &permutation) ||
	    bootstrap_interval(strata, n_strata, options[0], &interval))
		return false;
	printf("%.17g %.17g %d %.17g %.17g %.17g %.17g %.17g %.17g\n", permutation.p,
	       (double)permutation.arrangements, (int)permutation.method, difference.mean,
	       difference.standard_error, difference.degrees,
	       equivalence_p(&difference, options[1], options[2]), interval.low, interval.high);
	return true;
}

static bool run_correction(size_t n, int (*adjust)(double *, size_t))
{
	if (n > VALUES_MAX || !read_values(values, n) || adjust(values, n))
		return false;
	for (size_t i = 0; i < n; i++)
		printf("%.17g%c", values[i], i + 1 < n ? ' ' : '\n');
	return true;
}

static bool run_pareto(size_t n)
{
	static uint64_t counts[VALUES_MAX];
	static double numbers[VALUES_MAX];
	struct pareto_cells cells = {values, counts, n, 0};
	struct pareto pareto;

	if (n > VALUES_MAX || !read_values(values, n) || !read_values(numbers, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		counts[i] = (uint64_t)numbers[i];
		cells.total += counts[i];
	}
	if (!pareto_fit(&cells, &pareto))
		return false;
	printf("%.17g %.17g %.17g\n", pareto.shape, pareto.scale, pareto_fit_p(&pareto, &cells));
	return true;
}

int main(void)
{
	char command[16];
	size_t n;

	while (scanf("%15s %zu", command, &n) == 2) {
		bool is_done = false;

		if (!strcmp(command, "test"))
			is_done = run_test(n);
		else if (!strcmp(command, "holm"))
			is_done = run_correction(n, holm_adjust);
		else if (!strcmp(command, "bh"))
			is_done = run_correction(n, benjamini_hochberg_adjust);
		else if (!strcmp(command, "pareto"))
			is_done = run_pareto(n);
		if (!is_done) {
			fprintf(stderr, "%s failed\n", command);
			return 1;
		}
	}
	return 0;
}
