// SPDX-License-Identifier: GPL-2.0-only
/* What must never happen: whether it did, and how often it was tried. */
#include <math.h>
#include <stdio.h>

#include "reports/html_page.h"

static bool is_in(const struct invariant *invariant, size_t first, size_t end)
{
	return invariant->section >= first && invariant->section < end;
}

static bool has_any(const struct page *page, size_t first, size_t end)
{
	for (size_t i = 0; i < page->analysis->n_invariants; i++)
		if (is_in(&page->analysis->invariants[i], first, end))
			return true;
	return false;
}

static void add_row(struct page *page, const struct invariant *invariant)
{
	const struct section_info *section = &page->results->sections[invariant->section];
	char bound[32] = "";

	buffer_add(page->out, "<tr>");
	page_row_head(page, section->placement);
	buffer_add(page->out, "<td class=\"verdict\">");
	page_chip(page, invariant->verdict, 0);
	buffer_add(page->out, "</td>");
	page_cell(page, section->metrics[invariant->metric].name);
	page_cell(page, page_label(page, invariant->variant));
	page_count(page, invariant->violations);
	page_count(page, invariant->exposure);
	if (!isnan(invariant->rate_upper))
		snprintf(bound, sizeof(bound), "%.2g %%", 100 * invariant->rate_upper);
	page_number(page, bound);
	page_metric_json(page, invariant->section, invariant->metric, invariant->variant);
	buffer_add(page->out, "</tr>\n");
}

void page_invariants(struct page *page, size_t first, size_t end)
{
	if (!has_any(page, first, end))
		return;
	buffer_add(page->out, "<h4>Must never happen</h4>\n<p class=\"soft\">Where it was never "
			      "seen, no more than the last share of tries would show it, with 95 % "
			      "confidence.</p>\n");
	page_open_table(page, "Invariants",
			(const char *[]){"placement", "verdict", "what", "variant", ">seen",
					 ">tried", ">at most", PAGE_JSON_HEAD, NULL});
	for (size_t i = 0; i < page->analysis->n_invariants; i++)
		if (is_in(&page->analysis->invariants[i], first, end))
			add_row(page, &page->analysis->invariants[i]);
	page_close_table(page);
}
