// SPDX-License-Identifier: GPL-2.0-only
/* The permutation test: what is shared out, and which way of counting suits its size. */
#include "reports/permutation.h"

#include <errno.h>
#include <float.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/statistics.h"

/* No bound that is worth having lies nearer than so many standard deviations: 2 Q(3.5) is 5e-4. */
#define BOUND_MIN_DEVIATIONS 3.5
/* Items that one step of a draw deals with when signs are flipped: a byte's worth. */
#define FLIPS_PER_STEP 8u

/* ---- the problem ------------------------------------------------------------------ */

/* The difference that the strata show, each with the same weight; the items that make it up. */
static double fill_stratum(const struct stratum *from, double weight, double *items,
			   struct permutation_stratum *to)
{
	double mean = 0, scale, observed = 0;

	if (!from->a) {
		*to = (struct permutation_stratum){
			.items = items, .n = from->n_b, .is_flips = true};
		for (size_t i = 0; i < from->n_b; i++) {
			items[i] = weight * from->b[i] / (double)from->n_b;
			observed += items[i];
		}
		return observed;
	}
	*to = (struct permutation_stratum){.items = items, .n = from->n_a + from->n_b};
	for (size_t i = 0; i < to->n; i++)
		mean += (i < from->n_b ? from->b[i] : from->a[i - from->n_b]) / (double)to->n;
	/*
	 * Around the mean of all, the two groups' sums are each other's negative, so that one
	 * of them, the smaller one's, says how far apart the group's means are.
	 */
	scale = weight * (1 / (double)from->n_a + 1 / (double)from->n_b);
	for (size_t i = 0; i < to->n; i++) {
		items[i] = scale * ((i < from->n_b ? from->b[i] : from->a[i - from->n_b]) - mean);
		observed += i < from->n_b ? items[i] : 0;
	}
	to->n_chosen = from->n_b;
	if (from->n_a < from->n_b) {
		to->n_chosen = from->n_a;
		for (size_t i = 0; i < to->n; i++)
			items[i] = -items[i];
	}
	return observed;
}

static double variance_of_sum(const struct permutation_stratum *stratum)
{
	double squares = 0, n = (double)stratum->n, k = (double)stratum->n_chosen;

	for (size_t i = 0; i < stratum->n; i++)
		squares += stratum->items[i] * stratum->items[i];
	/* Subsets: drawing without replacement from items whose mean is 0. */
	return stratum->is_flips ? squares : squares * k * (n - k) / (n * (n - 1));
}

static double arrangements_log(size_t n, size_t n_chosen, bool is_flips)
{
	return is_flips ? (double)n * M_LN2
			: gsl_sf_lnchoose((unsigned int)n, (unsigned int)n_chosen);
}

static void fill_problem(struct permutation_problem *problem, const struct stratum *strata)
{
	double observed = 0, sizes = 0, *items = problem->items;

	for (size_t i = 0; i < problem->n_strata; i++) {
		struct permutation_stratum *stratum = &problem->strata[i];

		observed += fill_stratum(&strata[i], 1 / (double)problem->n_strata, items, stratum);
		items += stratum->n;
		problem->variance += variance_of_sum(stratum);
		problem->arrangements_log +=
			arrangements_log(stratum->n, stratum->n_chosen, stratum->is_flips);
	}
	for (size_t i = 0; i < problem->n_items; i++)
		sizes += fabs(problem->items[i]);
	/*
	 * Sums of the same numbers in another order differ in their last bits; arrangements
	 * that tie with the observed one must count as ties.
	 */
	problem->limit = fabs(observed) - 1e-12 * sizes;
}

/* ---- drawing ---------------------------------------------------------------------- */

/* One random arrangement after the other. */
struct drawing {
	const struct permutation_problem *problem;
	gsl_rng *rng;
	double *items;	/* shuffled as we go; of flips: the sums of every 8 under every byte */
	size_t *starts; /* of each stratum in @items */
};

static size_t flip_steps(const struct permutation_stratum *stratum)
{
	return (stratum->n + FLIPS_PER_STEP - 1) / FLIPS_PER_STEP;
}

static size_t drawing_size(const struct permutation_stratum *stratum)
{
	return stratum->is_flips ? flip_steps(stratum) << FLIPS_PER_STEP : stratum->n;
}

static void fill_flip_sums(double *out, const double *items, size_t n)
{
	for (size_t from = 0; from < n; from += FLIPS_PER_STEP)
		for (size_t byte = 0; byte < 1u << FLIPS_PER_STEP; byte++) {
			double sum = 0;

			for (size_t i = 0; i < FLIPS_PER_STEP && from + i < n; i++)
				sum += byte >> i & 1 ? items[from + i] : -items[from + i];
			*out++ = sum;
		}
}

static double draw_flips(struct drawing *drawing, const double *sums, size_t steps)
{
	unsigned long word = 0;
	double sum = 0;

	for (size_t i = 0; i < steps; i++, word >>= FLIPS_PER_STEP) {
		if (i % 4 == 0)
			word = gsl_rng_get(drawing->rng); /* 32 bits of a Mersenne twister */
		sum += sums[(i << FLIPS_PER_STEP) + (word & 0xff)];
	}
	return sum;
}

/*
 * A whole number below @n, each as likely, from 32 random bits and without a division but for
 * one in 2^32 / n times (Lemire, ACM Trans. Model. Comput. Simul. 29, 2019).
 */
static size_t draw_below(gsl_rng *rng, uint32_t n)
{
	uint64_t product = (uint64_t)gsl_rng_get(rng) * n;

	if ((uint32_t)product < n) {
		uint32_t unfair = -n % n;

		while ((uint32_t)product < unfair)
			product = (uint64_t)gsl_rng_get(rng) * n;
	}
	return (size_t)(product >> 32);
}

/* The first steps of a Fisher-Yates shuffle: a random subset, whatever the order before. */
static double draw_subset(struct drawing *drawing, double *items, size_t n, size_t n_chosen)
{
	double sum = 0;

	for (size_t i = 0; i < n_chosen; i++) {
		size_t other = i + draw_below(drawing->rng, (uint32_t)(n - i));
		double swap = items[i];

		items[i] = items[other];
		items[other] = swap;
		sum += items[i];
	}
	return sum;
}

static double draw_sum(struct drawing *drawing)
{
	double sum = 0;

	for (size_t i = 0; i < drawing->problem->n_strata; i++) {
		const struct permutation_stratum *stratum = &drawing->problem->strata[i];
		double *items = drawing->items + drawing->starts[i];

		sum += stratum->is_flips
			       ? draw_flips(drawing, items, flip_steps(stratum))
			       : draw_subset(drawing, items, stratum->n, stratum->n_chosen);
	}
	return sum;
}

static int drawing_init(struct drawing *drawing, const struct permutation_problem *problem)
{
	size_t size = 0;

	*drawing = (struct drawing){.problem = problem};
	drawing->starts = malloc(problem->n_strata * sizeof(*drawing->starts));
	if (!drawing->starts)
		return -ENOMEM;
	for (size_t i = 0; i < problem->n_strata; i++) {
		drawing->starts[i] = size;
		size += drawing_size(&problem->strata[i]);
	}
	drawing->items = malloc(size * sizeof(*drawing->items));
	drawing->rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!drawing->items || !drawing->rng)
		return -ENOMEM;
	gsl_rng_set(drawing->rng, STATISTICS_SEED);
	for (size_t i = 0; i < problem->n_strata; i++) {
		const struct permutation_stratum *stratum = &problem->strata[i];
		double *items = drawing->items + drawing->starts[i];

		if (stratum->is_flips)
			fill_flip_sums(items, stratum->items, stratum->n);
		else
			memcpy(items, stratum->items, stratum->n * sizeof(*items));
	}
	return 0;
}

static void drawing_release(struct drawing *drawing)
{
	if (drawing->rng)
		gsl_rng_free(drawing->rng);
	free(drawing->items);
	free(drawing->starts);
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/*
 * Besag and Clifford's sequential test: draws until so many were as extreme, and p is hits over
 * draws; or so often, and p is (hits + 1) / (draws + 1). Both numbers are fixed by the
 * problem's size beforehand, and p is valid whichever end is reached.
 */
static int draw_arrangements(const struct permutation_problem *problem, struct permutation *out)
{
	struct drawing drawing;
	uint64_t work = 0, hits = 0, draws = 0, enough_hits, most_draws;
	int err = drawing_init(&drawing, problem);

	for (size_t i = 0; i < problem->n_strata; i++)
		work += problem->strata[i].is_flips ? flip_steps(&problem->strata[i])
						    : problem->strata[i].n_chosen;
	enough_hits = clamp((UINT64_C(1) << 16) / work, 32, 1000);
	most_draws = clamp((UINT64_C(1) << 22) / work, 3000, PERMUTATION_DRAWS);
	while (!err && draws < most_draws && hits < enough_hits) {
		hits += fabs(draw_sum(&drawing)) >= problem->limit;
		draws++;
	}
	drawing_release(&drawing);
	if (err)
		return err;
	out->method = PERMUTATION_DRAWN;
	out->arrangements = hits == enough_hits ? draws : draws + 1;
	out->p = (double)(hits == enough_hits ? hits : hits + 1) / (double)out->arrangements;
	return 0;
}

/* ---- which way -------------------------------------------------------------------- */

/* The number of arrangements, as far as a number goes. */
static uint64_t count_of_log(double log_count)
{
	return log_count < 62 * M_LN2 ? (uint64_t)llround(exp(log_count)) : UINT64_MAX;
}

/*
 * A p so small that drawing cannot see it: found exactly, or bounded. -E2BIG when p is not
 * that small, which the bound decides: never the draws.
 */
static int find_tiny(const struct permutation_problem *problem, struct permutation *out)
{
	double bound;

	if (problem->limit < BOUND_MIN_DEVIATIONS * sqrt(problem->variance))
		return -E2BIG;
	bound = permutation_bound(problem);
	if (!(bound <= PERMUTATION_BOUND_MAX))
		return -E2BIG;
	out->method = PERMUTATION_EXACT;
	out->arrangements = count_of_log(problem->arrangements_log);
	/* The bound is some ten times p: what it says is too many is not begun. */
	if (bound * exp(problem->arrangements_log) < 100.0 * PERMUTATION_SEARCH_MAX &&
	    !permutation_search(problem, &out->p))
		return 0;
	out->method = PERMUTATION_BOUNDED;
	out->p = fmax(bound, DBL_MIN); /* beyond what a double tells from 0 */
	return 0;
}

static int solve(const struct permutation_problem *problem, struct permutation *out)
{
	int err;

	out->method = PERMUTATION_EXACT;
	out->arrangements = count_of_log(problem->arrangements_log);
	/* No difference at all: nothing is less extreme. */
	out->p = 1;
	if (problem->limit <= 0)
		return 0;
	err = permutation_count(problem, &out->p);
	if (err == -E2BIG)
		err = find_tiny(problem, out);
	return err == -E2BIG ? draw_arrangements(problem, out) : err;
}

int permutation_test(const struct stratum *strata, size_t n_strata, struct permutation *out)
{
	struct permutation_problem problem = {.n_strata = n_strata};
	int err = -ENOMEM;

	for (size_t i = 0; i < n_strata; i++)
		problem.n_items += strata[i].n_a + strata[i].n_b;
	problem.items = malloc(problem.n_items * sizeof(*problem.items));
	problem.strata = malloc(n_strata * sizeof(*problem.strata));
	if (problem.items && problem.strata) {
		fill_problem(&problem, strata);
		err = solve(&problem, out);
	}
	free(problem.strata);
	free(problem.items);
	return err;
}

double permutation_smallest_p(size_t n, size_t n_strata, bool is_paired)
{
	if (!n)
		return 1;
	/* The mirror image of the most extreme arrangement is as extreme. */
	return fmin(1, 2 * exp(-(double)n_strata *
			       arrangements_log(is_paired ? n : 2 * n, n, is_paired)));
}

size_t permutation_boots_needed(double alpha, size_t tests, size_t n_strata, bool is_paired)
{
	size_t n = 1;

	/* The rounding of exp(ln C(2n,n)) must not cost a boot. */
	while (n < 1000 &&
	       permutation_smallest_p(n, n_strata, is_paired) * (double)tests > alpha * (1 + 1e-9))
		n++;
	return n;
}
