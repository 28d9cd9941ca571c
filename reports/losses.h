/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_LOSSES_H
#define REPORTS_LOSSES_H

#include "reports/arena.h"
#include "reports/verdict.h"

/*
 * What was not measured, in a few lines: entries of analysis->unmeasured with the same variant,
 * workload, outcome and reason are one loss. Reasons that differ in numbers alone ("only 3 of
 * 12 samples") are the same.
 */
struct loss {
	size_t variant;
	const char *outcome;
	const char *reason;	/* what most boots say; may be NULL */
	bool has_other_numbers; /* others say the same with other numbers */
	/* Of one metric of one section, or of one section; they differ where some lost more. */
	size_t boots_least, boots_most;
	const char *where; /* "mutex-inversion in all 4 placements"; NULL: whole boots */
	const char *what;  /* "donor_wait_ns, owner_share, pi_wait_ns and 3 more"; NULL: all */
};

/* In the order of analysis->unmeasured; everything is @arena's. 0 or -ENOMEM. */
int losses_find(struct arena *arena, const struct analysis *analysis, struct loss **losses,
		size_t *count);

/* "6", "2 to 6" */
void loss_boots(char *out, size_t size, const struct loss *loss);

/* Behind the reason: " (or the same with other numbers)", or "". */
const char *loss_note(const struct loss *loss);

#endif
