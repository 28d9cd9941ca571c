/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_GROWTH_H
#define REPORTS_GROWTH_H

#include "reports/arena.h"
#include "reports/verdict.h"

/*
 * What a sweep shows: sections that differ in one number alone (a chain's depth) are points of
 * a curve. Found from the sections' parameters; nothing needs to say that a sweep was meant.
 */
#define GROWTH_LEAST_POINTS 3 /* two are a pair of rows, which the tables have */

struct growth_point {
	double value; /* of the parameter */
	const struct comparison *comparison;
};

/* One primary metric of one variant in one placement, over one parameter's values. */
struct growth {
	const char *parameter;
	struct growth_point *points; /* by rising value */
	size_t n_points;
};

/* All of them, in the order of the comparisons; everything is @arena's. 0 or -ENOMEM. */
int growths_find(struct arena *arena, const struct analysis *analysis, struct growth **growths,
		 size_t *count);

/* "depth, lock-chain in same-cpu: donor_wait (median)", without the variant; in @arena. */
const char *growth_title(struct arena *arena, const struct analysis *analysis,
			 const struct growth *growth);

#endif
