// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heat maps: a column for every placement of owner and donor, nearest first; a row for
 * every variant's figure and for every ratio. The number stands in its cell, so that the colour
 * only guides the eye.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"
#include "reports/html_page.h"
#include "reports/svg.h"

#define STEPS 7 /* colours of each scale; html_style.c has them: h0 to h6, r0 to r6 */

struct heat {
	const char *metric;
	size_t first, end; /* sections that are its columns */
	double low, high;  /* of the figures that share the scale; low > 0: logarithmic */
};

static const struct metric_info *find_metric(const struct page *page, size_t section,
					     const char *name, size_t *index)
{
	const struct section_info *info = &page->results->sections[section];

	for (size_t i = 0; i < info->n_metrics; i++)
		if (!strcmp(info->metrics[i].name, name)) {
			*index = i;
			return &info->metrics[i];
		}
	return NULL;
}

/* What a variant's boots have in the middle, as in the tables; NaN: nothing. */
static double figure_of(struct page *page, size_t section, const char *name, size_t variant)
{
	size_t metric;
	const struct metric_info *info = find_metric(page, section, name, &metric);
	bool is_positive = true;
	struct group group;
	double sum = 0;

	if (!info)
		return NAN;
	if (group_collect(&page->arena, page->results, section, metric, main_statistic(info->kind),
			  variant, &group)) {
		page->out->failed = true;
		return NAN;
	}
	for (size_t i = 0; i < group.n_boots; i++)
		is_positive &= group.values[i] > 0;
	for (size_t i = 0; i < group.n_boots; i++)
		sum += is_positive ? log(group.values[i]) : group.values[i];
	if (!group.n_boots)
		return NAN;
	sum /= (double)group.n_boots;
	return is_positive ? exp(sum) : sum;
}

static void find_scale(struct page *page, struct heat *heat, size_t first, size_t end)
{
	heat->low = INFINITY;
	heat->high = -INFINITY;
	for (size_t section = first; section < end; section++)
		for (size_t i = 0; i < page->results->n_variants; i++) {
			double figure = figure_of(page, section, heat->metric, i);

			heat->low = fmin(heat->low, figure);
			heat->high = fmax(heat->high, figure);
		}
}

static unsigned int step_of(const struct heat *heat, double figure)
{
	double share = heat->low > 0 ? log(figure / heat->low) / log(heat->high / heat->low)
				     : (figure - heat->low) / (heat->high - heat->low);

	if (!(heat->high > heat->low))
		return STEPS / 2;
	return (unsigned int)fmin(fmax(floor(share * STEPS), 0), STEPS - 1);
}

/* 3 is no change beyond the margin; 0 to 2 lower, 4 to 6 higher, by less than 1.5, 4 and more. */
static unsigned int ratio_step_of(const struct page *page, double ratio)
{
	double factor = ratio < 1 ? 1 / ratio : ratio;
	unsigned int away = factor <= 1 + page->analysis->margin ? 0
			    : factor < 1.5			 ? 1
			    : factor < 4			 ? 2
								 : 3;

	return ratio < 1 ? 3 - away : 3 + away;
}

static void add_place(struct page *page, const struct section_info *section)
{
	const long *where = section->where;

	buffer_add(page->out, "<th scope=\"col\">");
	buffer_add_html(page->out, section->placement);
	buffer_add(page->out, "<br><span class=\"where\">");
	if (where[PLACE_OWNER_CPU] >= 0 && where[PLACE_DONOR_CPU] >= 0)
		buffer_format(page->out, "CPU %ld, %ld<br>", where[PLACE_OWNER_CPU],
			      where[PLACE_DONOR_CPU]);
	if (where[PLACE_OWNER_NODE] >= 0 && where[PLACE_DONOR_NODE] >= 0)
		buffer_format(page->out, "node %ld, %ld<br>", where[PLACE_OWNER_NODE],
			      where[PLACE_DONOR_NODE]);
	if (where[PLACE_DISTANCE] >= 0)
		buffer_format(page->out, "distance %ld", where[PLACE_DISTANCE]);
	buffer_add(page->out, "</span></th>");
}

static void add_figures(struct page *page, const struct heat *heat, size_t variant)
{
	char text[FORMATTED_MAX];

	buffer_add(page->out, "<tr><th scope=\"row\">");
	svg_key(page->out, svg_series(page->analysis, variant));
	buffer_add_html(page->out, page_label(page, variant));
	buffer_add(page->out, "</th>");
	for (size_t section = heat->first; section < heat->end; section++) {
		double figure = figure_of(page, section, heat->metric, variant);
		size_t metric;
		const struct metric_info *info = find_metric(page, section, heat->metric, &metric);

		if (isnan(figure))
			buffer_add(page->out, "<td class=\"none\">not measured</td>");
		else
			buffer_format(page->out, "<td class=\"h%u\">%s</td>", step_of(heat, figure),
				      format_value(text, figure, info->unit));
	}
	buffer_add(page->out, "</tr>\n");
}

static const struct comparison *find_comparison(const struct page *page, const struct heat *heat,
						size_t section, size_t variant)
{
	size_t metric;
	const struct metric_info *info = find_metric(page, section, heat->metric, &metric);

	return info ? analysis_find(page->analysis, section, heat->metric,
				    main_statistic(info->kind), variant)
		    : NULL;
}

static void add_ratios(struct page *page, const struct heat *heat, size_t variant)
{
	char text[FORMATTED_MAX];

	buffer_add(page->out, "<tr class=\"ratios\"><th scope=\"row\">");
	buffer_format_html(page->out, "%s / %s", page_label(page, variant),
			   page_label(page, variant_baseline(page->analysis, variant)));
	buffer_add(page->out, "</th>");
	for (size_t section = heat->first; section < heat->end; section++) {
		const struct comparison *comparison = find_comparison(page, heat, section, variant);

		if (!comparison || !(comparison->ratio > 0)) {
			buffer_add(page->out, "<td class=\"none\">no ratio</td>");
			continue;
		}
		buffer_format(page->out, "<td class=\"r%u\">&times; %s<br><span>%s %s</span></td>",
			      ratio_step_of(page, comparison->ratio),
			      format_ratio(text, comparison->ratio),
			      verdict_sign(comparison->verdict), verdict_word(comparison->verdict));
	}
	buffer_add(page->out, "</tr>\n");
}

static void add_swatches(struct page *page, char scale)
{
	buffer_add(page->out, " <span class=\"ramp\" aria-hidden=\"true\">");
	for (unsigned int i = 0; i < STEPS; i++)
		buffer_format(page->out, "<i class=\"%c%u\"></i>", scale, i);
	buffer_add(page->out, "</span> ");
}

static void add_legend(struct page *page, const struct heat *heat, const char *unit)
{
	char low[FORMATTED_MAX], high[FORMATTED_MAX];

	buffer_format(page->out, "<p class=\"ramps\"><span>%s", format_value(low, heat->low, unit));
	add_swatches(page, 'h');
	buffer_format(page->out, "%s</span>", format_value(high, heat->high, unit));
	if (page->results->n_variants > 1) {
		buffer_add(page->out, " <span>ratio 4 times lower");
		add_swatches(page, 'r');
		buffer_add(page->out, "4 times higher</span>");
	}
	buffer_add(page->out, "</p>\n");
}

static void add_caption(struct page *page, const struct metric_info *info)
{
	char name[FORMATTED_MAX];

	buffer_add(page->out, "<h4>");
	buffer_format_html(page->out, "%s by placement of owner and donor%s",
			   format_metric(name, info, main_statistic(info->kind)),
			   info->kind == METRIC_DISTRIBUTION ? " (medians)" : "");
	buffer_add(page->out, "</h4>\n");
}

static void add_grid(struct page *page, const struct heat *heat)
{
	buffer_add(page->out,
		   "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Heat map of "
		   "placements\"><table class=\"heat\"><thead><tr><th scope=\"col\">"
		   "<span class=\"where\">owner, donor</span></th>");
	for (size_t section = heat->first; section < heat->end; section++)
		add_place(page, &page->results->sections[section]);
	buffer_add(page->out, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < page->results->n_variants; i++)
		add_figures(page, heat, i);
	for (size_t i = 0; i < page->results->n_variants; i++)
		if (i != page->analysis->baseline)
			add_ratios(page, heat, i);
	buffer_add(page->out, "</tbody></table></div>\n");
}

void page_heat_map(struct page *page, size_t first, size_t end, const char *metric,
		   size_t scale_first, size_t scale_end)
{
	struct heat heat = {.metric = metric, .first = first, .end = end};
	const struct metric_info *info = NULL;
	size_t index;

	for (size_t section = first; section < end && !info; section++)
		info = find_metric(page, section, metric, &index);
	if (end - first < 2 || !info)
		return;
	find_scale(page, &heat, scale_first, scale_end);
	if (!isfinite(heat.low))
		return;
	add_caption(page, info);
	add_grid(page, &heat);
	add_legend(page, &heat, info->unit);
}
