// SPDX-License-Identifier: GPL-2.0-only
/* Tables of comparisons: a row each, its verdict early. */
#include <math.h>
#include <stdio.h>

#include "reports/format.h"
#include "reports/html_page.h"
#include "reports/sentences.h"

static bool is_in(const struct comparison *comparison, enum family family, size_t first, size_t end)
{
	return comparison->family == family && comparison->section >= first &&
	       comparison->section < end;
}

size_t page_count_comparisons(const struct page *page, enum family family, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = 0; i < page->analysis->n_comparisons; i++)
		count += is_in(&page->analysis->comparisons[i], family, first, end);
	return count;
}

static void add_verdict(struct page *page, const struct comparison *comparison)
{
	buffer_add(page->out, "<td class=\"verdict\">");
	page_chip(page, comparison->verdict, 0);
	if (comparison->verdict == VERDICT_INCONCLUSIVE && comparison->more_boots < 100000)
		buffer_format(page->out, "<br><span class=\"soft\">%zu more boot%s of each</span>",
			      comparison->more_boots, comparison->more_boots == 1 ? "" : "s");
	if (comparison->verdict == VERDICT_NOT_MEASURED && comparison->reason) {
		buffer_add(page->out, "<br><span class=\"soft\">");
		buffer_add_html(page->out, comparison->reason);
		buffer_add(page->out, "</span>");
	}
	if (comparison->n_same_seed)
		buffer_format(page->out,
			      "<br><span class=\"soft\">%zu of %zu equal seeds identical</span>",
			      comparison->n_identical, comparison->n_same_seed);
	buffer_add(page->out, "</td>");
}

/* The ratio with its interval, and below it what that means. */
static void add_ratio(struct page *page, const struct comparison *comparison)
{
	char ratio[FORMATTED_MAX], low[FORMATTED_MAX], high[FORMATTED_MAX], change[FORMATTED_MAX];

	buffer_format(page->out, "<td class=\"n\">%s%s</td><td class=\"keep\">",
		      isnan(comparison->ratio) ? "" : "&times; ",
		      format_ratio(ratio, comparison->ratio));
	if (!isnan(comparison->ratio_low))
		buffer_format(page->out, "%s to %s", format_ratio(low, comparison->ratio_low),
			      format_ratio(high, comparison->ratio_high));
	if (comparison->ratio > 0)
		buffer_format(page->out, "<br><span class=\"soft\">%s</span>",
			      format_change(change, comparison->ratio,
					    page_metric(page, comparison)->unit));
	buffer_add(page->out, "</td>");
}

/* The inversion factor of the same section, if the workload has one: both variants in one cell. */
static const struct comparison *find_factor(const struct page *page,
					    const struct comparison *comparison)
{
	const struct comparison *factor =
		analysis_find(page->analysis, comparison->section, "inversion_factor",
			      STATISTIC_VALUE, comparison->variant);

	return factor ? factor
		      : analysis_find(page->analysis, comparison->section, "inversion_factor",
				      STATISTIC_P50, comparison->variant);
}

static bool has_factors(const struct page *page, enum family family, size_t first, size_t end)
{
	if (family != FAMILY_PRIMARY)
		return false;
	for (size_t i = 0; i < page->analysis->n_comparisons; i++)
		if (is_in(&page->analysis->comparisons[i], family, first, end) &&
		    find_factor(page, &page->analysis->comparisons[i]))
			return true;
	return false;
}

static void add_factors(struct page *page, const struct comparison *comparison)
{
	const struct comparison *factor = find_factor(page, comparison);
	char before[FORMATTED_MAX], after[FORMATTED_MAX];

	if (!factor) {
		buffer_add(page->out, "<td class=\"n\"></td>");
		return;
	}
	buffer_format(page->out, "<td class=\"n\">%s &rarr; %s</td>",
		      format_ratio(before, factor->baseline.centre),
		      format_ratio(after, factor->other.centre));
}

/* What the columns of a table depend on. */
struct table {
	enum family family;
	bool has_factors, has_variants, has_machines;
};

static void add_variants(struct page *page, const struct comparison *comparison)
{
	buffer_add(page->out, "<td>");
	buffer_format_html(page->out, "%s against %s", page_label(page, comparison->variant),
			   page_label(page, comparison->against));
	buffer_add(page->out, "</td>");
}

/* Controls are in one table for all sections; others stand below their workload's heading. */
static void add_place(struct page *page, const struct table *table, size_t section)
{
	struct arena arena = {0};

	page_row_head(page, table->family == FAMILY_CONTROL
				    ? section_name(&arena, page->results, section)
				    : page->results->sections[section].placement);
	arena_release(&arena);
}

static void add_row(struct page *page, const struct table *table,
		    const struct comparison *comparison)
{
	const struct metric_info *metric = page_metric(page, comparison);
	char text[FORMATTED_MAX];

	buffer_add(page->out, "<tr>");
	add_place(page, table, comparison->section);
	/* Early, so that a narrow screen shows it without scrolling. */
	add_verdict(page, comparison);
	page_cell(page, format_metric(text, metric, comparison->statistic));
	if (table->has_machines)
		page_cell(page, page->results->machines[comparison->machine].name);
	if (table->has_variants)
		add_variants(page, comparison);
	page_number(page, format_value(text, comparison->baseline.centre, metric->unit));
	page_number(page, format_value(text, comparison->other.centre, metric->unit));
	add_ratio(page, comparison);
	if (table->has_factors)
		add_factors(page, comparison);
	page_number(page, format_p(text, shown_p(comparison)));
	page_comparison_json(page, comparison);
	buffer_add(page->out, "</tr>\n");
}

static void open_table(struct page *page, const char *label, const struct table *table)
{
	const char *heads[14];
	char before[256], after[256], interval[32];
	size_t n = 0, other = page->analysis->baseline ? 0 : 1;
	bool is_pair = page->results->n_variants == 2;

	snprintf(before, sizeof(before), ">%.250s",
		 is_pair ? page_label(page, page->analysis->baseline) : "baseline");
	snprintf(after, sizeof(after), ">%.250s", is_pair ? page_label(page, other) : "variant");
	snprintf(interval, sizeof(interval), "%.4g %% interval", 100 * page->analysis->confidence);
	heads[n++] = "placement";
	heads[n++] = "verdict";
	heads[n++] = "metric";
	if (table->has_machines)
		heads[n++] = "machine";
	if (table->has_variants)
		heads[n++] = "variant";
	heads[n++] = before;
	heads[n++] = after;
	heads[n++] = ">ratio";
	heads[n++] = interval;
	if (table->has_factors)
		heads[n++] = ">inversion factor";
	heads[n++] = table->family == FAMILY_CONTROL ? ">p of agreement" : ">p";
	heads[n++] = PAGE_JSON_HEAD;
	heads[n] = NULL;
	page_open_table(page, label, heads);
}

void page_comparisons(struct page *page, const char *label, enum family family, size_t first,
		      size_t end)
{
	const struct analysis *analysis = page->analysis;
	struct table table = {.family = family,
			      .has_factors = has_factors(page, family, first, end),
			      .has_variants = page->results->n_variants > 2};

	if (!page_count_comparisons(page, family, first, end))
		return;
	open_table(page, label, &table);
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (is_in(&analysis->comparisons[i], family, first, end))
			add_row(page, &table, &analysis->comparisons[i]);
	page_close_table(page);
}

size_t page_count_machine_rows(const struct page *page, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = 0; i < page->analysis->n_by_machine; i++)
		count += is_in(&page->analysis->by_machine[i], FAMILY_PRIMARY, first, end);
	return count;
}

void page_machine_rows(struct page *page, const char *label, size_t first, size_t end)
{
	const struct analysis *analysis = page->analysis;
	struct table table = {.family = FAMILY_PRIMARY,
			      .has_variants = page->results->n_variants > 2,
			      .has_machines = true};

	open_table(page, label, &table);
	for (size_t i = 0; i < analysis->n_by_machine; i++)
		if (is_in(&analysis->by_machine[i], FAMILY_PRIMARY, first, end))
			add_row(page, &table, &analysis->by_machine[i]);
	page_close_table(page);
}
