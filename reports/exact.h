/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_EXACT_H
#define REPORTS_EXACT_H

#include <stdbool.h>
#include <stddef.h>

/* What two runs that should be the same come to. */
struct exact_answer {
	bool is_identical;
	size_t boots, sections, metrics; /* that were compared, and are equal */
	char difference[1024]; /* the first: boot, section, metric, both values; one sentence */
	char note[640];	       /* how the boots' variants differ; "" when they do not */
	char error[640];       /* with -EINVAL */
};

/*
 * Compares "sections" and "health" (and how the boot ended) of the boots of two
 * campaigns' folders, matched by variant and index, or of two boots' files, value by
 * value: order inside an object does not count, that of a list does, 1 and 1.0 are
 * different. What a run was started on ("environment", "host_run") is not compared.
 *
 * Another kernel or other arguments are no difference in themselves: they are a note.
 *
 * 0; or -EINVAL when a side cannot be read or is not a result, or when the two are of
 * different targets or kinds of time, which are never compared.
 */
int exact_compare(const char *a, const char *b, struct exact_answer *answer);

#endif
