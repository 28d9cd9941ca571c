/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SVG_H
#define REPORTS_SVG_H

#include "reports/buffer.h"
#include "reports/verdict.h"

/*
 * Figures of the page, inline SVG without text of their own size beyond what a phone
 * can show. Colours come from the page's classes s0, s1 …: s0 is the baseline, the
 * other variants follow in their order (SVG_SERIES of them, then again from s1).
 */
#define SVG_SERIES 6

/* The class number of a variant. */
unsigned int svg_series(const struct analysis *analysis, size_t variant);

/*
 * The samples of one distribution, cumulative over a logarithmic axis: a thin line for
 * every boot, a thick one for each variant with every boot weighing the same.
 */
void svg_distribution(struct buffer *out, const struct analysis *analysis, size_t section,
		      size_t metric);

/* One figure per boot in the order in which they ran: spread and drift. */
void svg_boots(struct buffer *out, const struct analysis *analysis, size_t section, size_t metric);

/* Ratios with their intervals, one row per comparison of @family in one variant; log axis, margin
 * shaded. */
void svg_effects(struct buffer *out, const struct analysis *analysis, enum family family,
		 size_t variant);

#endif
