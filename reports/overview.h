/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_OVERVIEW_H
#define REPORTS_OVERVIEW_H

#include "reports/verdict.h"

/*
 * What goes with the comparisons: boots and health per variant, invariants,
 * evidence, what was not measured, then the sentences that say it all and the
 * exit code. analysis_make calls it last. 0 or -ENOMEM.
 */
int overview_make(struct analysis *analysis);

/* The lines that say what was measured. 0 or -ENOMEM. */
int facts_make(struct analysis *analysis);

/* Its last part: headline, warnings and exit code. 0 or -ENOMEM. */
int headline_make(struct analysis *analysis);

#endif
