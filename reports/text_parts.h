/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TEXT_PARTS_H
#define REPORTS_TEXT_PARTS_H

#include "reports/writers.h"

/* What the files of the text report share. */
struct text_page {
	struct buffer *out;
	const struct analysis *analysis;
	struct text_style style;
};

/* A line with the workload over the rows of @section where it is not that of section @last
 * (SIZE_MAX: there was none) and there are several. */
struct page_table;
void text_add_workload(struct text_page *page, struct page_table *table, size_t last,
		       size_t section);

/* Primary metrics, machine by machine where they disagree, secondary figures, controls. */
void text_add_tables(struct text_page *page);

/* A table for each curve that the sections' parameters make: nothing where nothing was swept. */
void text_add_growth(struct text_page *page);

#endif
