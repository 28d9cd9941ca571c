// SPDX-License-Identifier: GPL-2.0-only
/* The curves of sweeps in the text report. */
#include <stdio.h>

#include "reports/format.h"
#include "reports/growth.h"
#include "reports/page_table.h"
#include "reports/sentences.h"
#include "reports/text_parts.h"

static void add_point(struct text_page *page, struct page_table *table, const struct growth *growth,
		      size_t index)
{
	const struct comparison *first = growth->points[0].comparison;
	const struct comparison *point = growth->points[index].comparison;
	const char *unit = metric_of(page->analysis, point)->unit;
	char value[FORMATTED_MAX], before[FORMATTED_MAX], after[FORMATTED_MAX];
	char ratio[FORMATTED_MAX], grown_before[FORMATTED_MAX], grown_after[FORMATTED_MAX];

	snprintf(value, sizeof(value), "%.15g", growth->points[index].value);
	page_table_add(
		table,
		(const char *[]){
			value, format_value(before, point->baseline.centre, unit),
			format_value(after, point->other.centre, unit),
			format_ratio(ratio, point->ratio),
			format_ratio(grown_before, point->baseline.centre / first->baseline.centre),
			format_ratio(grown_after, point->other.centre / first->other.centre),
			NULL});
}

static void add_growth(struct text_page *page, struct arena *arena, const struct growth *growth)
{
	static const struct page_column columns[] = {{13, 1, false}, {9, 1, true}, {9, 1, true},
						     {7, 1, true},   {9, 1, true}, {9, 2, true}};
	const struct analysis *analysis = page->analysis;
	const struct comparison *first = growth->points[0].comparison;
	const char *title = growth_title(arena, analysis, growth);
	char before[FORMATTED_MAX], after[FORMATTED_MAX];
	struct page_table table;

	page_column_label(before, label_of(analysis, first->against));
	page_column_label(after, label_of(analysis, first->variant));
	page_add_title(page->out, title ? title : "");
	page_table_open(&table, page->out, page->style.has_colour, columns,
			sizeof(columns) / sizeof(*columns));
	page_table_add(&table, (const char *[]){growth->parameter, before, after, "ratio", before,
						after, "of the first", NULL});
	for (size_t i = 0; i < growth->n_points; i++)
		add_point(page, &table, growth, i);
	page_table_close(&table);
}

void text_add_growth(struct text_page *page)
{
	struct arena arena = {0};
	struct growth *growths;
	size_t count;

	if (growths_find(&arena, page->analysis, &growths, &count))
		page->out->failed = true;
	else
		for (size_t i = 0; i < count; i++)
			add_growth(page, &arena, &growths[i]);
	arena_release(&arena);
}
