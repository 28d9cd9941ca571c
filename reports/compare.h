/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_COMPARE_H
#define REPORTS_COMPARE_H

#include "reports/verdict.h"

/*
 * Computes what the boots of each comparison show: means, tests and intervals, not yet
 * corrected for many tests and not yet judged. Two threads share the work when there is
 * enough of it; the figures are the same however many there are. 0 or -ENOMEM.
 */
int comparisons_compute(const struct analysis *analysis, struct comparison *comparisons,
			size_t count);

/* Boots of the side that has fewer. */
size_t comparison_boots(const struct comparison *comparison);

/*
 * Every boot of either side has its like in the other (the same seed in virtual time), and says
 * the same: what varies from seed to seed is then no doubt about the difference, which is nothing.
 */
bool is_identical(const struct comparison *comparison);

#endif
