/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SVG_H
#define REPORTS_SVG_H

#include "reports/buffer.h"
#include "reports/verdict.h"

/*
 * Figures of the page: inline SVG with a title and a description in words, for a reader
 * who does not see them. Colours, dashes and the shapes of marks come from the page's classes s0,
 * s1 …: s0 is the baseline, the other variants follow in their order (SVG_SERIES of them, then
 * again from s1). A figure draws at most SVG_BOOTS_MAX boots of a variant, evenly chosen.
 */
#define SVG_SERIES    6
#define SVG_BOOTS_MAX 60

/* The class number of a variant. */
unsigned int svg_series(const struct analysis *analysis, size_t variant);

/* Line and mark of a variant's series, for a legend. */
void svg_key(struct buffer *out, unsigned int series);

/*
 * The samples of one distribution, cumulative over a logarithmic axis: a thin line for
 * every boot, a thick one for each variant with every boot weighing the same.
 */
void svg_distribution(struct buffer *out, const struct analysis *analysis, size_t section,
		      size_t metric);

/*
 * The same samples with the eye on the tail: the value over the percentile, whose axis
 * gives every further nine as much room as the last. Ends where the samples do: a boot's line at
 * 1 - 1/samples. Nothing is drawn for fewer than SVG_TAIL_SAMPLES samples in all.
 */
#define SVG_TAIL_SAMPLES 10
void svg_percentiles(struct buffer *out, const struct analysis *analysis, size_t section,
		     size_t metric);

/* One figure per boot in the order in which they ran: spread and drift. */
void svg_boots(struct buffer *out, const struct analysis *analysis, size_t section, size_t metric);

/* A row of svg_ratios: a comparison with a ratio, and what stands before it. */
struct svg_ratio {
	const struct comparison *comparison;
	const char *label, *below; /* below may be NULL */
};

/* Whether a comparison has a ratio that svg_ratios can show. */
bool svg_is_ratio(const struct comparison *comparison);

/* Ratios with their intervals, a row each; log axis, margin of equivalence shaded. @id is like no
 * other figure's on the page. */
void svg_ratios(struct buffer *out, const struct analysis *analysis, const char *id,
		const char *title, const struct svg_ratio *rows, size_t count);

#endif
