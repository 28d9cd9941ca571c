/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SEQUENTIAL_H
#define REPORTS_SEQUENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/buffer.h"
#include "reports/verdict.h"

/*
 * Looking before all boots are done, at an error rate that stays what is stated: a
 * group-sequential plan. How many boots there are at each look and the level that the look is
 * tested at are written down before the first boot; the levels add up to the error rate. By the
 * union bound (Boole, Bonferroni) the chance of a false verdict at the look that the campaign stops
 * at is then at most their sum, whatever the stopping rule, the shape of the data, and
 * how the looks depend on each other. The levels follow a linear spending function: by the
 * time the share t of the boots is done, t of the error rate is spent (Kim and DeMets,
 * Biometrika 74 (1987), the power family with rho = 1). doc/method.md, "Stopping early".
 */
#define SEQUENTIAL_METHOD     "group-sequential-union-bound"
#define SEQUENTIAL_SPENDING   "linear"
#define SEQUENTIAL_MAX_LOOKS  16u
#define SEQUENTIAL_MAX_BOOTS  1000u /* of each variant */
#define SEQUENTIAL_BOOTS_EACH 4u    /* --max-boots: so many times the profile's, unless given */

struct sequential_look {
	unsigned int boots; /* of each variant, by then */
	double alpha;
};

struct sequential_plan {
	double error_rate; /* that the levels add up to */
	size_t tests;	   /* primary tests that were expected when the looks were placed */
	struct sequential_look looks[SEQUENTIAL_MAX_LOOKS]; /* boots rise */
	size_t n_looks;					    /* at least 1 */
};

/*
 * A plan for up to @max_boots (1 to SEQUENTIAL_MAX_BOOTS) boots of each variant. The first
 * look is at the fewest boots whose exact test can pass at that look's level in spite of Holm's
 * correction for @tests (at least 1) tests; from there on every look has about half as many boots
 * again, and the last one has them all. Where even @max_boots cannot pass, there is that look
 * alone.
 */
void sequential_plan_make(struct sequential_plan *plan, unsigned int max_boots, size_t tests,
			  bool is_paired);

/* The most boots that the plan may come to. */
unsigned int sequential_max_boots(const struct sequential_plan *plan);

/* campaign.json's "sequential". The caller puts it; NULL: no memory. */
struct json_object *sequential_plan_to_json(const struct sequential_plan *plan);

/* Reads and checks that object: 0, or -EINVAL with half a sentence in @problem. */
int sequential_plan_read(struct json_object *object, struct sequential_plan *plan, char *problem,
			 size_t problem_size);

/* How far the boots of a sequential campaign have come. */
struct sequential_state {
	size_t look;	    /* index: the one that is taken now, else the next one */
	bool is_taken;	    /* every variant has exactly that look's boots */
	unsigned int boots; /* of the variant that has the fewest */
};

/* The state of results->campaigns[@campaign]; false when it has no plan, or no boot here. */
bool sequential_state(const struct results *results, size_t campaign,
		      struct sequential_state *state);

/*
 * What the level of an analysis of @results is to be multiplied with: 1 without a sequential
 * campaign, else the product over these of their look's share of the error rate. For each
 * combination of looks the boots at hand could have stopped at there is one product, and all of
 * them add up to 1: the union bound again.
 */
double sequential_share(const struct results *results);

/* What the primary metrics, controls and invariants of @analysis still ask for. */
struct sequential_verdicts {
	size_t primary, decided;  /* primary tests, and those with a verdict */
	size_t unclear, untested; /* controls; primary invariants */
	bool is_settled;	  /* more boots are not needed */
};
struct sequential_verdicts sequential_look_at(const struct analysis *analysis);

/*
 * "stopped at look 2 of 4: 10 of at most 24 boots of each variant, …" for every sequential
 * campaign of @analysis; nothing without any.
 */
void sequential_describe(struct buffer *out, const struct analysis *analysis);

#endif
