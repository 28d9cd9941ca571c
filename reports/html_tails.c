// SPDX-License-Identifier: GPL-2.0-only
/* The worst that was seen, of how many samples, and how high it may reach: or why none can say. */
#include <math.h>

#include "reports/format.h"
#include "reports/html_page.h"

static bool is_in(const struct tail *tail, size_t first, size_t end)
{
	return tail->section >= first && tail->section < end;
}

static size_t count_tails(const struct page *page, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = 0; i < page->analysis->n_tails; i++)
		count += is_in(&page->analysis->tails[i], first, end);
	return count;
}

/* "29.4 ms, 28.1 to 33.0 ms once in 12,000 samples"; or the reason why not. */
static void add_level(struct page *page, const struct tail *tail, const char *unit)
{
	char level[FORMATTED_MAX], low[FORMATTED_MAX], high[FORMATTED_MAX], once[FORMATTED_MAX];
	char threshold[FORMATTED_MAX];

	if (!tail->is_given) {
		buffer_add(page->out, "<td class=\"wide soft\">no estimate: ");
		buffer_add_html(page->out, tail->reason ? tail->reason : "not tried");
		buffer_add(page->out, "</td>");
		return;
	}
	buffer_format(page->out,
		      "<td class=\"wide\"><b>%s</b> (%s to %s)<br><span class=\"soft\">once in %s "
		      "samples; fitted to the %llu above %s</span></td>",
		      format_value(level, tail->level, unit),
		      format_value(low, tail->level_low, unit),
		      format_value(high, tail->level_high, unit),
		      format_value(once, (double)tail->horizon_samples, "count"),
		      (unsigned long long)tail->exceedances,
		      format_value(threshold, tail->threshold, unit));
}

static void add_row(struct page *page, const struct tail *tail)
{
	const struct section_info *section = &page->results->sections[tail->section];
	const struct metric_info *metric = &section->metrics[tail->metric];
	char text[FORMATTED_MAX];

	buffer_add(page->out, "<tr>");
	page_row_head(page, section->placement);
	page_cell(page, format_metric(text, metric, main_statistic(metric->kind)));
	page_cell(page, page_label(page, tail->variant));
	page_number(page, format_value(text, tail->max, metric->unit));
	page_count(page, tail->samples);
	add_level(page, tail, metric->unit);
	page_metric_json(page, tail->section, tail->metric, tail->variant);
	buffer_add(page->out, "</tr>\n");
}

void page_tails(struct page *page, size_t first, size_t end)
{
	size_t count = count_tails(page, first, end);

	if (!count)
		return;
	buffer_format(
		page->out,
		"<details><summary>The worst, and how high it may reach: %zu distributions"
		"</summary>\n<p class=\"soft\">A maximum grows with the number of samples: it is "
		"shown with it, and not judged. What ten times as many samples may reach is "
		"estimated only where the tail fits and nothing changed from boot to boot.</p>\n",
		count);
	page_open_table(page, "The worst, and how high it may reach",
			(const char *[]){"placement", "metric", "variant", ">worst seen",
					 ">of samples", "in ten times as many", PAGE_JSON_HEAD,
					 NULL});
	for (size_t i = 0; i < page->analysis->n_tails; i++)
		if (is_in(&page->analysis->tails[i], first, end))
			add_row(page, &page->analysis->tails[i]);
	page_close_table(page);
	buffer_add(page->out, "</details>\n");
}
