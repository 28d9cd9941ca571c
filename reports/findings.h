/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_FINDINGS_H
#define REPORTS_FINDINGS_H

#include <stdio.h>

#include "reports/buffer.h"
#include "reports/verdict.h"

/*
 * What a comparison comes to in a few words, each with a count, and the exit code that
 * follows. `compare --fail-on` takes these words; doc/man/proxeval-compare.1 explains them.
 * Roles: verdicts are those of primary metrics, where the word does not say otherwise.
 */
enum finding {
	FINDING_WORSE,
	FINDING_VIOLATED,  /* invariants, but for informative ones and the baseline's own */
	FINDING_UNHEALTHY, /* variants that complained, lost or failed more than their baseline */
	FINDING_INCONCLUSIVE,
	FINDING_NOT_MEASURED, /* comparisons without a figure on one side, planned variants without
				 a boot */
	FINDING_UNTESTED,     /* invariants that were never tried */
	FINDING_BROKEN,	      /* boots that did not end well, figures that failed or broke */
	FINDING_UNCLEAN,      /* boots whose kernel complained */
	FINDING_DISAGREE,     /* controls */
	FINDING_SECONDARY_WORSE,
	FINDINGS,
};

/* The word that --fail-on takes for it; and how many there are of it, as the summary says. */
const char *finding_word(enum finding finding);
size_t finding_count(const struct analysis *analysis, enum finding finding);

/* Comparisons of a family with that verdict. */
size_t count_verdicts(const struct analysis *analysis, enum family family, enum verdict verdict);

/* One invariant of a workload that one variant violated, over all the sections where it did. */
struct violation {
	const struct invariant *first;
	size_t sections;
	uint64_t violations, exposure; /* there, in all */
};

/* Whether both are violations that are counted together. */
bool is_same_violation(const struct results *results, const struct invariant *a,
		       const struct invariant *b);

/* Begins with analysis->invariants[@index]; false where that held, or an earlier one began it. */
bool find_violation(const struct analysis *analysis, size_t index, struct violation *violation);

/* What to say behind the variant's label where FINDING_VIOLATED does not count it; or "". */
const char *violation_note(const struct analysis *analysis, const struct invariant *invariant);

/* Invariants that the baseline itself violated: no regression, and not in FINDING_VIOLATED. */
size_t baseline_violations(const struct analysis *analysis);

/* Whether something that was not measured would have been a primary metric. */
bool is_about_primary(const struct analysis *analysis, const struct unmeasured *what);

/*
 * Bits 1 << finding from "worse,violated". 0; or -EINVAL with the first word that is none in
 * @problem.
 */
int findings_parse(const char *list, unsigned int *mask, char *problem, size_t problem_size);

/*
 * The exit code (bench/exit_codes.h). Without analysis->fail_on: 1 for worse, violated and
 * unhealthy, 2 for any other of the above but secondary-worse and where there is nothing to
 * compare. With it: 1 when one of its bits is found, else 0; 2 only where there is
 * nothing to compare. Where nothing was measured, 4 or 6 in both.
 */
int findings_exit_code(const struct analysis *analysis);

/* "worse (2), violated (1)": what of analysis->fail_on was found. */
void findings_add_hits(struct buffer *out, const struct analysis *analysis);

#endif
