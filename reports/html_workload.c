// SPDX-License-Identifier: GPL-2.0-only
/* A workload: what it does, its verdicts, the heat map, its figures. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/format.h"
#include "reports/html_page.h"
#include "reports/svg.h"
#include "workloads/workload.h"

/* Sections of one workload, or of one workload with the same parameters: neighbours, since they
 * are sorted so. */
struct span {
	size_t first, end;
};

static bool is_same_workload(const struct section_info *a, const struct section_info *b)
{
	return !strcmp(a->workload, b->workload);
}

static bool is_same_group(const struct section_info *a, const struct section_info *b)
{
	return is_same_workload(a, b) && !strcmp(a->params, b->params);
}

static struct span span_from(const struct page *page, size_t first,
			     bool (*is_same)(const struct section_info *,
					     const struct section_info *))
{
	const struct section_info *sections = page->results->sections;
	struct span span = {first, first + 1};

	while (span.end < page->results->n_sections &&
	       is_same(&sections[first], &sections[span.end]))
		span.end++;
	return span;
}

static bool is_drawn(const struct metric_info *metric, bool primary)
{
	return metric->kind != METRIC_INVARIANT && (metric->role == ROLE_PRIMARY) == primary;
}

static bool has_figure(const struct page *page, size_t section, size_t metric)
{
	for (size_t i = 0; i < page->results->n_boots; i++) {
		const struct section_result *result =
			boot_section(&page->results->boots[i], section);
		const struct measurement *measurement =
			boot_measurement(&page->results->boots[i], section, metric);

		if (measurement && result->outcome == OUTCOME_OK &&
		    measurement->outcome == OUTCOME_OK)
			return true;
	}
	return false;
}

static void add_figure(struct page *page, size_t section, size_t metric)
{
	const struct section_info *info = &page->results->sections[section];
	const struct metric_info *metric_info = &info->metrics[metric];
	char name[FORMATTED_MAX];

	if (!has_figure(page, section, metric))
		return;
	buffer_add(page->out, "<figure class=\"card\"><figcaption>");
	page_element(page, "b", info->placement);
	buffer_format_html(page->out, " %s",
			   format_metric(name, metric_info, main_statistic(metric_info->kind)));
	buffer_add(page->out, "</figcaption>\n");
	if (metric_info->kind == METRIC_DISTRIBUTION) {
		svg_percentiles(page->out, page->analysis, section, metric);
		svg_distribution(page->out, page->analysis, section, metric);
	}
	svg_boots(page->out, page->analysis, section, metric);
	page_json_of(page, section, metric, ALL_VARIANTS);
	buffer_add(page->out, "</figure>\n");
}

static void add_figures(struct page *page, struct span group, bool primary)
{
	buffer_add(page->out, "<div class=\"cards\">\n");
	for (size_t section = group.first; section < group.end; section++) {
		const struct section_info *info = &page->results->sections[section];

		for (size_t metric = 0; metric < info->n_metrics; metric++)
			if (is_drawn(&info->metrics[metric], primary))
				add_figure(page, section, metric);
	}
	buffer_add(page->out, "</div>\n");
}

/* Whether an earlier section of the group has the metric, too. */
static bool is_seen(const struct page *page, struct span group, size_t section, const char *name)
{
	for (size_t i = group.first; i < section; i++)
		for (size_t j = 0; j < page->results->sections[i].n_metrics; j++)
			if (!strcmp(page->results->sections[i].metrics[j].name, name))
				return true;
	return false;
}

static void add_heat_maps(struct page *page, struct span group, struct span workload)
{
	for (size_t section = group.first; section < group.end; section++) {
		const struct section_info *info = &page->results->sections[section];

		for (size_t i = 0; i < info->n_metrics; i++)
			if (is_drawn(&info->metrics[i], true) &&
			    !is_seen(page, group, section, info->metrics[i].name))
				page_heat_map(page, group.first, group.end, info->metrics[i].name,
					      workload.first, workload.end);
	}
}

static void add_folded(struct page *page, struct span group)
{
	size_t secondary = page_count_comparisons(page, FAMILY_SECONDARY, group.first, group.end);
	bool has_others = false;

	if (secondary) {
		buffer_format(page->out,
			      "<details><summary>Secondary figures and percentiles: %zu "
			      "comparisons</summary>\n",
			      secondary);
		page_comparisons(page, "Secondary figures", FAMILY_SECONDARY, group.first,
				 group.end);
		buffer_add(page->out, "</details>\n");
	}
	page_tails(page, group.first, group.end);
	for (size_t section = group.first; section < group.end; section++)
		for (size_t i = 0; i < page->results->sections[section].n_metrics; i++)
			has_others |= is_drawn(&page->results->sections[section].metrics[i], false);
	if (!has_others)
		return;
	buffer_add(page->out, "<details><summary>Distributions of controls and other figures"
			      "</summary>\n");
	page_key(page);
	add_figures(page, group, false);
	buffer_add(page->out, "</details>\n");
}

/* What tells the group from the workload's others: the end of a section's id. */
static void add_group_head(struct page *page, struct span group, struct span workload)
{
	const struct section_info *section = &page->results->sections[group.first];
	const char *slash = strchr(section->id, '/');

	slash = slash ? strchr(slash + 1, '/') : NULL;
	if (group.end - group.first != workload.end - workload.first)
		page_element(page, "h3", slash ? slash + 1 : section->params);
	buffer_add(page->out, "<p class=\"soft\">");
	page_element(page, "code", section->params);
	buffer_add(page->out, "</p>\n");
}

static void add_group(struct page *page, struct span group, struct span workload)
{
	add_group_head(page, group, workload);
	page_comparisons(page, "Verdicts", FAMILY_PRIMARY, group.first, group.end);
	page_invariants(page, group.first, group.end);
	add_heat_maps(page, group, workload);
	page_effects(page, group.first, group.end);
	page_machines(page, group.first, group.end);
	buffer_add(page->out, "<h4>Distributions, and each boot</h4>\n");
	page_key(page);
	add_figures(page, group, true);
	add_folded(page, group);
}

static void add_workload(struct page *page, struct span span)
{
	const char *name = page->results->sections[span.first].workload;
	const struct workload *workload = workload_find(name);

	buffer_add(page->out, "<section>\n");
	page_element(page, "h2", name);
	buffer_add(page->out, "\n");
	if (workload) {
		buffer_add(page->out, "<p class=\"lead\">Measures ");
		buffer_add_html(page->out, workload->summary);
		buffer_add(page->out, ".</p>\n");
	}
	for (size_t first = span.first; first < span.end;) {
		struct span group = span_from(page, first, is_same_group);

		add_group(page, group, span);
		first = group.end;
	}
	buffer_add(page->out, "</section>\n");
}

void page_workloads(struct page *page)
{
	buffer_add(page->out, "<div id=\"results\">\n");
	for (size_t first = 0; first < page->results->n_sections;) {
		struct span span = span_from(page, first, is_same_workload);

		add_workload(page, span);
		first = span.end;
	}
	buffer_add(page->out, "</div>\n");
}
