/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SENTENCES_H
#define REPORTS_SENTENCES_H

#include "reports/buffer.h"
#include "reports/verdict.h"

/* What the files that make headline and warnings share. */

/* Moves @text to the analysis' list. 0 or -ENOMEM; @text is released in every case. */
int add_headline(struct analysis *analysis, struct buffer *text);
int add_warning(struct analysis *analysis, struct buffer *text);

/* A variant's label, and the metric that a comparison is of. Borrowed from the results. */
const char *label_of(const struct analysis *analysis, size_t variant);
const struct metric_info *metric_of(const struct analysis *analysis,
				    const struct comparison *comparison);

/* "" for one, else "s". */
const char *plural(size_t n);

/* Whether two are of the same section, metric, statistic and variant: one of a machine's own and
 * the combined one. */
bool is_same_comparison(const struct comparison *a, const struct comparison *b);

/* Whether machines differ on it by more than chance, or by their verdicts: better and worse. */
bool machines_disagree(const struct analysis *analysis, const struct comparison *combined);

/* Variants that have a boot that went well. */
size_t variants_measured(const struct analysis *analysis);

/* Everything that qualifies the headline, into the warnings; the loud ones first. 0 or -ENOMEM. */
int reservations_make(struct analysis *analysis);

/* Whether a name of a metric alone does not say whose it is. */
bool has_several_workloads(const struct results *results);

/* Where a section was run, with the parameters that not all sections of its workload have:
 * "same-cpu depth=4". In @arena. */
const char *section_place(struct arena *arena, const struct results *results, size_t index);

/* The same with the workload where there are several: "lock-chain same-cpu depth=4". */
const char *section_name(struct arena *arena, const struct results *results, size_t index);

#endif
