/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_PERMUTATION_H
#define REPORTS_PERMUTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A permutation test as numbers: every arrangement of the labels gives a sum, which is the
 * difference that would have been seen. Strata are independent of each other, so their
 * sums add up. What the parts of the computation share; permutation_test is the interface.
 */
struct permutation_stratum {
	const double *items; /* they are ours to share out; already weighted */
	size_t n;
	size_t n_chosen; /* subsets of so many items, each counted with +; what is left counts 0 */
	bool is_flips;	 /* or: every item with + or - */
};

struct permutation_problem {
	struct permutation_stratum *strata;
	size_t n_strata, n_items;
	double *items;		 /* of all strata */
	double limit;		 /* |sum| from here on is as extreme as observed; > 0 */
	double variance;	 /* of the sum over all arrangements, whose mean is 0 */
	double arrangements_log; /* of their number */
};

/*
 * Counts the arrangements at least as extreme by meeting in the middle. 0 and *@share, the
 * share of them; -E2BIG when there are too many; -ENOMEM.
 */
int permutation_count(const struct permutation_problem *problem, double *share);

/*
 * Counts them by going only where extreme ones are, which is quick when there are few of
 * them: exact, and -E2BIG beyond PERMUTATION_SEARCH_MAX. One stratum only (or only flips).
 */
#define PERMUTATION_SEARCH_MAX (1u << 15)
int permutation_search(const struct permutation_problem *problem, double *share);

/*
 * An upper bound of their share (Chernoff's, with the exact generating function): never below
 * the exact p. 1 or more where no useful one exists; NaN when memory is out.
 */
double permutation_bound(const struct permutation_problem *problem);

#endif
