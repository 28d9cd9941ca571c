// SPDX-License-Identifier: GPL-2.0-only
/* Effects as figures: placement by placement, and machine by machine. */
#include <math.h>
#include <stdio.h>

#include "reports/format.h"
#include "reports/html_page.h"
#include "reports/svg.h"

#define MACHINES_DRAWN 100

static bool is_in(const struct comparison *comparison, size_t variant, size_t first, size_t end)
{
	return comparison->family == FAMILY_PRIMARY && comparison->variant == variant &&
	       comparison->section >= first && comparison->section < end &&
	       svg_is_ratio(comparison);
}

/* The rows of one variant's figure, on the page's arena. */
static size_t collect_placements(struct page *page, size_t variant, size_t first, size_t end,
				 struct svg_ratio **rows)
{
	const struct analysis *analysis = page->analysis;
	size_t count = 0;

	*rows = NULL;
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		char name[FORMATTED_MAX];
		struct svg_ratio *row;

		if (!is_in(comparison, variant, first, end))
			continue;
		format_metric(name, page_metric(page, comparison), comparison->statistic);
		row = arena_append(&page->arena, rows, &count, sizeof(*row));
		if (!row) {
			page->out->failed = true;
			return 0;
		}
		*row = (struct svg_ratio){comparison,
					  page->results->sections[comparison->section].placement,
					  arena_text(&page->arena, name)};
	}
	return count;
}

static void open_effects(struct page *page)
{
	buffer_format(
		page->out,
		"<h4>Effects with %.4g %% intervals</h4>\n<p class=\"soft\">Left of the dashed "
		"line is lower than the baseline; the band is the margin of equivalence.</p>\n"
		"<div class=\"cards\">\n",
		100 * page->analysis->confidence);
}

void page_effects(struct page *page, size_t first, size_t end)
{
	bool is_open = false;

	for (size_t i = 0; i < page->results->n_variants; i++) {
		struct svg_ratio *rows;
		size_t count = collect_placements(page, i, first, end, &rows);
		char id[64];

		if (!count)
			continue;
		if (!is_open)
			open_effects(page);
		is_open = true;
		buffer_add(page->out, "<figure class=\"card\"><figcaption>");
		buffer_format_html(page->out, "%s against %s", page_label(page, i),
				   page_label(page, variant_baseline(page->analysis, i)));
		buffer_add(page->out, "</figcaption>\n");
		snprintf(id, sizeof(id), "effects-%zu-%zu", first, i);
		svg_ratios(page->out, page->analysis, id,
			   "Ratio of each figure to the baseline, with intervals", rows, count);
		buffer_add(page->out, "</figure>\n");
	}
	if (is_open)
		buffer_add(page->out, "</div>\n");
}

static bool is_part_of(const struct comparison *part, const struct comparison *whole)
{
	return part->section == whole->section && part->metric == whole->metric &&
	       part->variant == whole->variant && part->statistic == whole->statistic &&
	       svg_is_ratio(part);
}

/* All machines together, then each of them. */
static size_t collect_machines(struct page *page, const struct comparison *whole,
			       struct svg_ratio **rows)
{
	const struct analysis *analysis = page->analysis;
	struct svg_ratio *row;
	size_t count = 0;

	*rows = NULL;
	for (size_t i = 0; i <= analysis->n_by_machine && count <= MACHINES_DRAWN; i++) {
		const struct comparison *comparison = i ? &analysis->by_machine[i - 1] : whole;

		if (i && !is_part_of(comparison, whole))
			continue;
		row = arena_append(&page->arena, rows, &count, sizeof(*row));
		if (!row) {
			page->out->failed = true;
			return 0;
		}
		*row = (struct svg_ratio){comparison,
					  i ? page->results->machines[comparison->machine].name
					    : "all machines",
					  NULL};
	}
	return count;
}

/* Whether the machines agree, in a sentence. */
static void say_heterogeneity(struct page *page, const struct comparison *comparison)
{
	const struct heterogeneity *found = &comparison->heterogeneity;
	char low[FORMATTED_MAX], high[FORMATTED_MAX], p[FORMATTED_MAX];

	if (isnan(found->p))
		return;
	buffer_add(page->out, "<p class=\"soft\">");
	if (!isnan(found->ratio_least))
		buffer_format(page->out, "From &times; %s to &times; %s. ",
			      format_ratio(low, found->ratio_least),
			      format_ratio(high, found->ratio_most));
	buffer_format_html(page->out,
			   found->p < page->analysis->alpha
				   ? "The machines differ beyond chance (p %s%s)"
				   : "The machines do not differ beyond chance (p %s%s)",
			   *format_p(p, found->p) == '<' ? "" : "= ", p);
	if (!isnan(found->i_squared) && found->p < page->analysis->alpha)
		buffer_format(page->out, ": %.0f %% of their spread is their own",
			      100 * found->i_squared);
	buffer_add(page->out, ".</p>");
}

static void add_machines_figure(struct page *page, const struct comparison *comparison)
{
	const struct section_info *section = &page->results->sections[comparison->section];
	struct svg_ratio *rows;
	size_t count = collect_machines(page, comparison, &rows);
	char name[FORMATTED_MAX], id[64];

	if (count < 2)
		return;
	buffer_add(page->out, "<figure class=\"card\"><figcaption>");
	page_element(page, "b", section->placement);
	buffer_format_html(
		page->out, " %s, %s against %s",
		format_metric(name, page_metric(page, comparison), comparison->statistic),
		page_label(page, comparison->variant), page_label(page, comparison->against));
	buffer_add(page->out, "</figcaption>\n");
	snprintf(id, sizeof(id), "machines-%zu",
		 (size_t)(comparison - page->analysis->comparisons));
	svg_ratios(page->out, page->analysis, id, "Ratio on each machine, with intervals", rows,
		   count);
	if (count > MACHINES_DRAWN)
		buffer_format(page->out, "<p class=\"soft\">The first %d machines.</p>",
			      MACHINES_DRAWN);
	say_heterogeneity(page, comparison);
	buffer_add(page->out, "</figure>\n");
}

void page_machines(struct page *page, size_t first, size_t end)
{
	const struct analysis *analysis = page->analysis;

	if (page->results->n_machines < 2 || !page_count_machine_rows(page, first, end))
		return;
	buffer_add(page->out, "<h4>Machine by machine</h4>\n<div class=\"cards\">\n");
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (is_in(&analysis->comparisons[i], analysis->comparisons[i].variant, first, end))
			add_machines_figure(page, &analysis->comparisons[i]);
	buffer_add(page->out, "</div>\n");
	buffer_format(page->out,
		      "<details><summary>What each machine says: %zu comparisons"
		      "</summary>\n",
		      page_count_machine_rows(page, first, end));
	page_machine_rows(page, "What each machine says", first, end);
	buffer_add(page->out, "</details>\n");
}
