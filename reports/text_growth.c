// SPDX-License-Identifier: GPL-2.0-only
/* The curves of sweeps in the text report. */
#include <stdio.h>

#include "reports/format.h"
#include "reports/growth.h"
#include "reports/page.h"
#include "reports/sentences.h"
#include "reports/text_parts.h"

static void add_point(struct text_page *page, const struct growth *growth, size_t index)
{
	const struct comparison *first = growth->points[0].comparison;
	const struct comparison *point = growth->points[index].comparison;
	const char *unit = metric_of(page->analysis, point)->unit;
	char before[FORMATTED_MAX], after[FORMATTED_MAX], ratio[FORMATTED_MAX];
	char grown_before[FORMATTED_MAX], grown_after[FORMATTED_MAX];
	struct buffer row = {0};

	buffer_format(&row, "%-13.15g %9s %9s %7s %9s %9s", growth->points[index].value,
		      format_value(before, point->baseline.centre, unit),
		      format_value(after, point->other.centre, unit),
		      format_ratio(ratio, point->ratio),
		      format_ratio(grown_before, point->baseline.centre / first->baseline.centre),
		      format_ratio(grown_after, point->other.centre / first->other.centre));
	page_add_line(page->out, row.text ? row.text : "");
	buffer_release(&row);
}

static void add_growth(struct text_page *page, struct arena *arena, const struct growth *growth)
{
	const struct analysis *analysis = page->analysis;
	const struct comparison *first = growth->points[0].comparison;
	const char *title = growth_title(arena, analysis, growth);
	char before[FORMATTED_MAX], after[FORMATTED_MAX];
	struct buffer head = {0};

	page_column_label(before, label_of(analysis, first->against));
	page_column_label(after, label_of(analysis, first->variant));
	buffer_format(&head, "%-13.13s %9s %9s %7s %9s %9s  of the first", growth->parameter,
		      before, after, "ratio", before, after);
	page_add_title(page->out, title ? title : "");
	page_add_line(page->out, head.text ? head.text : "");
	for (size_t i = 0; i < growth->n_points; i++)
		add_point(page, growth, i);
	buffer_release(&head);
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
