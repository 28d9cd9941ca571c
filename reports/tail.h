/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TAIL_H
#define REPORTS_TAIL_H

#include "reports/verdict.h"

/*
 * Peaks over a threshold: how high a distribution may reach in ten times what was tried.
 * Refused with a sentence wherever the boots do not carry such a figure. doc/method.md,
 * "How high can it get", has the rules.
 */
#define TAIL_HORIZON	     10u  /* times the exposure */
#define TAIL_MIN_EXCEEDANCES 50u  /* a shape from fewer is a guess */
#define TAIL_MIN_BOOTS	     5u	  /* with exceedances */
#define TAIL_MAX_SHAPE	     0.5  /* beyond, the variance is infinite, and the level anything */
#define TAIL_FIT_ALPHA	     0.05 /* a fit that is less likely than this is not used */
#define TAIL_TREND_ALPHA     0.01

/* Fills analysis->tails. 0 or -ENOMEM. */
int tails_make(struct analysis *analysis);

/*
 * One of them: @boots[i]->histogram is what boot i, in the order of time, has measured. Fills all
 * of @out but section, metric, variant and reason, which is written to @reason ("" when the
 * level is given). 0 or -ENOMEM.
 */
#define TAIL_REASON_MAX 200
int tail_fit(const struct measurement *const *boots, size_t n_boots, double confidence,
	     struct tail *out, char reason[TAIL_REASON_MAX]);

#endif
