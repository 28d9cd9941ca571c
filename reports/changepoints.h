/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_CHANGEPOINTS_H
#define REPORTS_CHANGEPOINTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where a series of groups of values (boots of one campaign after the other) changes
 * its level. Circular binary segmentation (Olshen, Venkatraman, Lucito and Wise,
 * Biostatistics 5, 2004) with the values exchanged between the groups for its p:
 * changes lie between groups, never inside one. doc/method.md, "History", says why.
 * Everything that is drawn is drawn from a fixed seed.
 */

/* Draws of one test at the most. A test ends as soon as CHANGEPOINT_HITS arrangements were as
 * extreme as the observed one: p is then hits / draws (Besag and Clifford, Biometrika 78, 1991). */
#define CHANGEPOINT_DRAWS 19999u
#define CHANGEPOINT_HITS  50u

/* Values group by group; those of group i begin at starts[i], and starts[n_groups] is their number.
 * No group is empty. */
struct grouped_values {
	const double *values;
	const size_t *starts; /* n_groups + 1 of them */
	size_t n_groups;
};

struct changepoint {
	size_t first;	   /* the first group of the new level; of a drift, the first that moved */
	size_t last;	   /* the group that reaches the new level: of a step the same */
	size_t low, high;  /* of a step: @first lies there with a confidence of 95 % */
	bool is_drift;	   /* a ramp over several groups explains it better than steps */
	bool is_ambiguous; /* the other explanation is nearly as good */
	double p;	   /* corrected: of the test that found it and of the levels beside it */
};

struct changepoints {
	struct changepoint *items; /* in rising order; freed by changepoints_release */
	size_t count;
};

/*
 * The p value of "no group differs": in (0, 1]; 1 for fewer than two groups. 0 or -ENOMEM.
 */
int changepoints_test(const struct grouped_values *series, double *p);

/* The least p that such a test can give, to tell "no change" from "too few boots". */
double changepoints_smallest_p(const struct grouped_values *series);

/*
 * The changes of a series. @tests series are looked at in all, and @p_adjusted is what
 * changepoints_test gave for this one after their correction: when it is above @alpha,
 * nothing is found. 0 or -ENOMEM; changepoints_release is due in every case.
 */
int changepoints_find(const struct grouped_values *series, double alpha, size_t tests,
		      double p_adjusted, struct changepoints *out);
void changepoints_release(struct changepoints *changes);

#endif
