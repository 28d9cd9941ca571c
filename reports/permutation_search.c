// SPDX-License-Identifier: GPL-2.0-only
/*
 * The extreme arrangements alone. The items are in order, so the best that an unfinished
 * arrangement can still reach is known; where that is not enough, nothing below it is
 * looked at. Every branch that is entered holds an extreme arrangement.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/permutation.h"

/* Beyond, the number of arrangements is no number that a double or an uint64_t holds exactly. */
#define SEARCH_MAX_LOG (62 * M_LN2)

struct search {
	const double *items;  /* falling (subsets), rising (flips) */
	const double *totals; /* totals[i]: of the first i items */
	size_t n;
	double limit;
	uint64_t hits;
};

static int compare_rising(const void *a, const void *b)
{
	const double *one = a, *two = b;

	return (*one > *two) - (*one < *two);
}

/* Subsets of @left more items from @from on, with what is chosen already coming to @sum. */
static void search_subsets(struct search *search, size_t from, size_t left, double sum)
{
	if (!left) {
		search->hits++;
		return;
	}
	for (size_t i = from; i + left <= search->n && search->hits <= PERMUTATION_SEARCH_MAX;
	     i++) {
		double best = sum + search->totals[i + left] - search->totals[i];

		if (best < search->limit)
			return;
		search_subsets(search, i + 1, left - 1, sum + search->items[i]);
	}
}

/* Sets of items (the empty one, too) that come to no more than @budget. */
static void search_flips(struct search *search, size_t from, double budget)
{
	search->hits++;
	for (size_t i = from; i < search->n && search->hits <= PERMUTATION_SEARCH_MAX; i++) {
		if (search->items[i] > budget)
			return;
		search_flips(search, i + 1, budget - search->items[i]);
	}
}

/* @sign +1: the arrangements at the upper end; -1: at the lower. */
static void search_end(struct search *search, double *items, double *totals,
		       const struct permutation_stratum *stratum, double sign)
{
	for (size_t i = 0; i < stratum->n; i++)
		items[i] = -sign * stratum->items[i];
	qsort(items, stratum->n, sizeof(*items), compare_rising);
	for (size_t i = 0; i < stratum->n; i++) {
		items[i] = -items[i];
		totals[i + 1] = totals[i] + items[i];
	}
	search_subsets(search, 0, stratum->n_chosen, 0);
}

static void search_both_flips(struct search *search, double *items,
			      const struct permutation_problem *problem)
{
	double all = 0;

	for (size_t i = 0; i < problem->n_items; i++) {
		items[i] = fabs(problem->items[i]);
		all += items[i];
	}
	qsort(items, problem->n_items, sizeof(*items), compare_rising);
	/* Turning an item from + to - costs twice its size. The other end is the mirror image. */
	if (all >= search->limit)
		search_flips(search, 0, (all - search->limit) / 2);
	search->hits *= 2;
}

int permutation_search(const struct permutation_problem *problem, double *share)
{
	size_t n = problem->n_items;
	double *items, *totals;
	struct search search = {.n = n, .limit = problem->limit};
	bool is_flips = true;

	for (size_t i = 0; i < problem->n_strata; i++)
		is_flips = is_flips && problem->strata[i].is_flips;
	if (problem->arrangements_log > SEARCH_MAX_LOG || (!is_flips && problem->n_strata > 1))
		return -E2BIG;
	items = malloc(n * sizeof(*items));
	totals = calloc(n + 1, sizeof(*totals));
	search.items = items;
	search.totals = totals;
	if (items && totals && is_flips) {
		search_both_flips(&search, items, problem);
	} else if (items && totals) {
		search_end(&search, items, totals, problem->strata, 1);
		search_end(&search, items, totals, problem->strata, -1);
	}
	free(totals);
	free(items);
	if (!items || !totals)
		return -ENOMEM;
	*share = (double)search.hits / exp(problem->arrangements_log);
	return search.hits > PERMUTATION_SEARCH_MAX ? -E2BIG : 0;
}
