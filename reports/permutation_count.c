// SPDX-License-Identifier: GPL-2.0-only
/*
 * All arrangements without looking at each: the items are halved, the sums of either half are
 * listed in order, and one walk over both lists counts the pairs whose sum is extreme.
 * 2^32 arrangements become two lists of 2^16.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/permutation.h"

#define HALF_ITEMS_MAX 16u	  /* of one stratum: lists of 2^16 sums */
#define LIST_MAX       (1u << 18) /* sums of some strata */

/* Sums in rising order; owned. */
struct sums {
	double *values;
	size_t n;
};

/* The sums of both lists, each moved by its own step, in one rising list. */
static void merge(const struct sums *one, double step_one, const struct sums *two, double step_two,
		  double *out)
{
	size_t i = 0, j = 0, k = 0;

	while (i < one->n && j < two->n) {
		double left = one->values[i] + step_one, right = two->values[j] + step_two;
		bool is_left = left <= right;

		out[k++] = is_left ? left : right;
		i += is_left;
		j += !is_left;
	}
	for (; i < one->n; i++)
		out[k++] = one->values[i] + step_one;
	for (; j < two->n; j++)
		out[k++] = two->values[j] + step_two;
}

/* How many pairs of one sum of each list have |their sum| >= @limit; @limit is positive. */
static double count_extreme(const struct sums *one, const struct sums *two, double limit)
{
	/* Going up one list, the first partner that lifts the sum to the limit goes down. */
	size_t high = two->n, low = two->n;
	double hits = 0;

	for (size_t i = 0; i < one->n; i++) {
		while (high && one->values[i] + two->values[high - 1] >= limit)
			high--;
		while (low && one->values[i] + two->values[low - 1] > -limit)
			low--;
		hits += (double)(two->n - high) + (double)low;
	}
	return hits;
}

/* ---- one stratum of subsets: a list for every number of chosen items ------------- */

struct graded {
	struct sums of[HALF_ITEMS_MAX + 1]; /* by how many are chosen */
};

static void graded_release(struct graded *graded)
{
	for (size_t i = 0; i <= HALF_ITEMS_MAX; i++)
		free(graded->of[i].values);
}

/* With one item more: every subset as it was, and every subset with that item. */
static int graded_add(struct graded *graded, double item, size_t n_before)
{
	for (size_t chosen = n_before + 1; chosen > 0; chosen--) {
		struct sums *with = &graded->of[chosen], *without = &graded->of[chosen - 1];
		size_t n = with->n + without->n;
		double *merged = malloc(n * sizeof(*merged));

		if (!merged)
			return -ENOMEM;
		merge(with, 0, without, item, merged);
		free(with->values);
		*with = (struct sums){merged, n};
	}
	return 0;
}

static int graded_make(struct graded *graded, const double *items, size_t n)
{
	double *nothing = calloc(1, sizeof(*nothing));
	int err = nothing ? 0 : -ENOMEM;

	graded->of[0] = (struct sums){nothing, nothing ? 1 : 0};
	for (size_t i = 0; i < n && !err; i++)
		err = graded_add(graded, items[i], i);
	return err;
}

static int count_subsets(const struct permutation_problem *problem, double *share)
{
	const struct permutation_stratum *stratum = problem->strata;
	struct graded one = {0}, two = {0};
	size_t half = stratum->n / 2, rest = stratum->n - half;
	double hits = 0, all = 0;
	int err = graded_make(&one, stratum->items, half);

	if (!err)
		err = graded_make(&two, stratum->items + half, rest);
	for (size_t in_one = 0; in_one <= half && in_one <= stratum->n_chosen && !err; in_one++) {
		size_t in_two = stratum->n_chosen - in_one;

		if (in_two > rest)
			continue;
		hits += count_extreme(&one.of[in_one], &two.of[in_two], problem->limit);
		all += (double)one.of[in_one].n * (double)two.of[in_two].n;
	}
	*share = hits / all;
	graded_release(&one);
	graded_release(&two);
	return err;
}

/* ---- several strata: their lists are multiplied into two ------------------------- */

/*
 * Every sum of @sums with every sum of @factor: as many rising runs as @factor has sums,
 * merged two by two.
 */
static int multiply(struct sums *sums, const struct sums *factor)
{
	size_t n = sums->n * factor->n;
	double *from, *to;

	if (n > LIST_MAX)
		return -E2BIG;
	from = malloc(n * sizeof(*from));
	to = malloc(n * sizeof(*to));
	if (!from || !to) {
		free(from);
		free(to);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		from[i] = factor->values[i / sums->n] + sums->values[i % sums->n];
	for (size_t run = sums->n; run < n; run *= 2) {
		double *swap = from;

		for (size_t i = 0; i < n; i += 2 * run) {
			size_t first = n - i < run ? n - i : run;
			size_t second = n - i - first < run ? n - i - first : run;

			merge(&(struct sums){from + i, first}, 0,
			      &(struct sums){from + i + first, second}, 0, to + i);
		}
		from = to;
		to = swap;
	}
	free(to);
	free(sums->values);
	*sums = (struct sums){from, n};
	return 0;
}

/* The smaller of the two lists takes the next factor, so that both stay short. */
static int multiply_smaller(struct sums halves[2], const struct sums *factor)
{
	return multiply(&halves[halves[1].n < halves[0].n], factor);
}

static int add_flips(struct sums halves[2], const struct permutation_stratum *stratum)
{
	int err = 0;

	for (size_t i = 0; i < stratum->n && !err; i++) {
		double both[2] = {-fabs(stratum->items[i]), fabs(stratum->items[i])};

		err = multiply_smaller(halves, &(struct sums){both, 2});
	}
	return err;
}

static int add_subsets(struct sums halves[2], const struct permutation_stratum *stratum)
{
	struct graded graded = {0};
	int err = stratum->n <= HALF_ITEMS_MAX ? graded_make(&graded, stratum->items, stratum->n)
					       : -E2BIG;

	if (!err)
		err = multiply_smaller(halves, &graded.of[stratum->n_chosen]);
	graded_release(&graded);
	return err;
}

static int count_products(const struct permutation_problem *problem, double *share)
{
	struct sums halves[2] = {{calloc(1, sizeof(double)), 1}, {calloc(1, sizeof(double)), 1}};
	int err = halves[0].values && halves[1].values ? 0 : -ENOMEM;

	for (size_t i = 0; i < problem->n_strata && !err; i++)
		err = problem->strata[i].is_flips ? add_flips(halves, &problem->strata[i])
						  : add_subsets(halves, &problem->strata[i]);
	if (!err)
		*share = count_extreme(&halves[0], &halves[1], problem->limit) /
			 ((double)halves[0].n * (double)halves[1].n);
	free(halves[0].values);
	free(halves[1].values);
	return err;
}

int permutation_count(const struct permutation_problem *problem, double *share)
{
	/* What cannot fit is not begun. */
	if (problem->arrangements_log > 2 * log(LIST_MAX))
		return -E2BIG;
	if (problem->n_strata == 1 && !problem->strata[0].is_flips)
		return problem->n_items > 2 * HALF_ITEMS_MAX ? -E2BIG
							     : count_subsets(problem, share);
	if (problem->n_items > 2 * HALF_ITEMS_MAX * problem->n_strata)
		return -E2BIG;
	return count_products(problem, share);
}
