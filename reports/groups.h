/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_GROUPS_H
#define REPORTS_GROUPS_H

#include "reports/verdict.h"

/*
 * Which boots stand against which: the two groups of a comparison, the pairs among them,
 * and the machines that they ran on.
 */

/* What boots have in common, found once for all comparisons. Lives in @results' analysis. */
struct boot_index {
	const struct results *results;
	size_t *rounds; /* by boot: equal in boots of one round of one machine; NO_MATCH: none */
	size_t *seeds;	/* by boot, in virtual time: equal in boots of one seed and attempt */
	size_t *slots;	/* scratch, as many as there are boots */
};
#define NO_MATCH SIZE_MAX

/* 0 or -ENOMEM. Everything is @arena's. */
int boot_index_make(struct boot_index *index, struct arena *arena, const struct results *results);

/*
 * Fills both groups of @comparison (of its machine, or of all), cuts them down to parameters
 * and machines that have boots of both and, where rounds are paired, to pairs in the same order:
 * comparison->n_pairs. Counts the boots with the same seed. 0 or -ENOMEM.
 */
int groups_make(struct boot_index *index, struct arena *arena, struct comparison *comparison);

/* The groups by machine, on the scale of the test, as the statistics want them. */
struct strata {
	struct stratum *items;
	size_t *machines; /* of each */
	size_t n;
	double *values;
	double mean_a, mean_b; /* every machine counts the same */
};

/* 0 or -ENOMEM; strata_release is due in every case. Neither group is empty. */
int strata_make(struct strata *strata, const struct results *results,
		const struct comparison *comparison);
void strata_release(struct strata *strata);

#endif
