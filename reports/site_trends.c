// SPDX-License-Identifier: GPL-2.0-only
/* The trends of a site: each primary figure over the campaigns, with the changes marked. */
#include <gsl/gsl_cdf.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"
#include "reports/site_internal.h"
#include "reports/svg_parts.h"

#define TOP    14.0
#define BOTTOM 150.0
#define HEIGHT 186.0

/* All series of one figure: a metric in a section on a machine, one line for each label. */
struct trend {
	const struct history *history;
	size_t first, count; /* among the page's order of series */
	const struct history_series *const *series;
	const struct history_point **points; /* where the figure's points lie on the x axis */
	size_t n_points;
};

static const struct section_info *section_of(const struct history *history,
					     const struct history_series *series)
{
	return &history->results->sections[series->section];
}

static const struct metric_info *metric_of(const struct history *history,
					   const struct history_series *series)
{
	return &section_of(history, series)->metrics[series->metric];
}

/* ---- one point ------------------------------------------------------------------------ */

struct estimate {
	double low, high; /* 95 %, Student's, over boots; NaN with too few of them */
};

static struct estimate estimate_point(const struct history_point *point, bool is_log)
{
	double n = (double)point->n_boots, mean = 0, squares = 0, half;

	if (point->n_boots < INTERVAL_MIN_BOOTS)
		return (struct estimate){NAN, NAN};
	for (size_t i = 0; i < point->n_boots; i++)
		mean += (is_log ? log(point->values[i]) : point->values[i]) / n;
	for (size_t i = 0; i < point->n_boots; i++) {
		double off = (is_log ? log(point->values[i]) : point->values[i]) - mean;

		squares += off * off;
	}
	half = gsl_cdf_tdist_Pinv(0.5 + VERDICT_CONFIDENCE / 2, n - 1) *
	       sqrt(squares / (n - 1) / n);
	if (is_log)
		return (struct estimate){exp(mean - half), exp(mean + half)};
	return (struct estimate){mean - half, mean + half};
}

/* ---- where points lie ------------------------------------------------------------------ */

/* The baseline's label first, the others by name: the same colour on every figure. */
static int compare_series(const void *a, const void *b, void *context)
{
	const struct history *history = context;
	const struct history_series *one = *(const struct history_series *const *)a;
	const struct history_series *two = *(const struct history_series *const *)b;
	const struct section_info *first = section_of(history, one);
	const struct section_info *second = section_of(history, two);
	int order = (one->machine > two->machine) - (one->machine < two->machine);

	if (!order)
		order = (one->section > two->section) - (one->section < two->section);
	if (!order)
		order = strcmp(first->metrics[one->metric].name, second->metrics[two->metric].name);
	if (!order)
		order = (strcmp(two->label, "!proxy") == 0) - (strcmp(one->label, "!proxy") == 0);
	return order ? order : strcmp(one->label, two->label);
}

static bool is_same_figure(const struct history_series *one, const struct history_series *two)
{
	return one->machine == two->machine && one->section == two->section &&
	       one->metric == two->metric;
}

/* A label's points share the campaigns with the other label's: one place for each campaign. */
static size_t place_of(const struct trend *trend, size_t campaign)
{
	size_t i = 0;

	while (i < trend->n_points && trend->points[i]->campaign != campaign)
		i++;
	return i;
}

/* Merges the labels' points, each in the history's order, into one order of campaigns. */
static bool collect_points(struct trend *trend, struct arena *arena)
{
	for (size_t s = 0; s < trend->count; s++) {
		const struct history_series *series = trend->series[s];
		size_t at = 0;

		for (size_t i = 0; i < series->n_points; i++) {
			size_t place = place_of(trend, series->points[i].campaign);
			const struct history_point **added;

			if (place < trend->n_points) {
				at = place + 1;
				continue;
			}
			added = arena_append(arena, &trend->points, &trend->n_points,
					     sizeof(*added));
			if (!added)
				return false;
			memmove(&trend->points[at + 1], &trend->points[at],
				(trend->n_points - 1 - at) * sizeof(*trend->points));
			trend->points[at++] = &series->points[i];
		}
	}
	return true;
}

/* ---- the figure ------------------------------------------------------------------------ */

static double point_x(const struct trend *trend, size_t place)
{
	double pitch = (SVG_WIDTH - SVG_RIGHT - SVG_LEFT) / (double)trend->n_points;

	return SVG_LEFT + pitch * ((double)place + 0.5);
}

static void find_range(const struct trend *trend, struct axis *axis)
{
	axis_clear(axis);
	for (size_t s = 0; s < trend->count; s++)
		for (size_t i = 0; i < trend->series[s]->n_points; i++) {
			const struct history_point *point = &trend->series[s]->points[i];
			struct estimate range = estimate_point(point, trend->series[s]->is_log);

			axis_include(axis, point->centre);
			if (!isnan(range.low)) {
				axis_include(axis, range.low);
				axis_include(axis, range.high);
			}
		}
	axis->scale = axis->low > 0 ? SCALE_LOG : SCALE_LINEAR;
	if (axis_is_set(axis))
		axis_pad(axis);
}

/* The releases below, as many as have room; always the first and the last. */
static void add_labels(struct buffer *out, const struct trend *trend)
{
	double room = 58, free_from = 0;
	size_t last = trend->n_points - 1;

	for (size_t i = 0; i <= last; i++) {
		double x = point_x(trend, i);
		bool is_repeated =
			i && !strcmp(trend->points[i]->release, trend->points[i - 1]->release);

		if (x < free_from || is_repeated ||
		    (i != last && i && x > point_x(trend, last) - room))
			continue;
		svg_text(out, x, BOTTOM + 16, "tick mid", trend->points[i]->release);
		free_from = x + room;
	}
}

static void add_line_of(struct buffer *out, const struct trend *trend, const struct axis *axis,
			const struct history_series *series, unsigned int class_number)
{
	buffer_format(out, "<path class=\"thick s%u\" d=\"", class_number);
	for (size_t i = 0; i < series->n_points; i++)
		buffer_format(out, "%s%.1f %.1f", i ? "L" : "M",
			      point_x(trend, place_of(trend, series->points[i].campaign)),
			      axis_px(axis, series->points[i].centre));
	buffer_add(out, "\"/>\n");
}

static void add_points_of(struct buffer *out, const struct trend *trend, const struct axis *axis,
			  const struct history_series *series, unsigned int class_number)
{
	const struct history *history = trend->history;
	const char *unit = metric_of(history, series)->unit;
	char value[FORMATTED_MAX], whisker[32];

	snprintf(whisker, sizeof(whisker), "whisker s%u", class_number);
	for (size_t i = 0; i < series->n_points; i++) {
		const struct history_point *point = &series->points[i];
		double x = point_x(trend, place_of(trend, point->campaign));
		struct estimate range = estimate_point(point, series->is_log);
		struct buffer title = {0};

		buffer_format(&title, "%s, %s, %s: %s over %zu boot%s", series->label,
			      point->release, history->results->campaigns[point->campaign].id,
			      format_value(value, point->centre, unit), point->n_boots,
			      point->n_boots == 1 ? "" : "s");
		if (!isnan(range.low))
			svg_line(out, x, axis_px(axis, range.low), x, axis_px(axis, range.high),
				 whisker);
		svg_mark(out, x, axis_px(axis, point->centre), class_number, title.text);
		buffer_release(&title);
	}
}

/* A dashed line between the last point of the old level and the first of the new one. */
static void add_changes_of(struct buffer *out, const struct trend *trend,
			   const struct history_series *series)
{
	for (size_t i = 0; i < series->n_changes; i++) {
		const struct history_change *change = &series->changes[i];
		const struct history_point *after = &series->points[change->first];
		const struct history_point *before = &series->points[change->first - 1];
		double x = (point_x(trend, place_of(trend, after->campaign)) +
			    point_x(trend, place_of(trend, before->campaign))) /
			   2;

		svg_line(out, x, TOP - 4, x, BOTTOM, "one");
		svg_text(out, x, TOP - 5, "tick mid", verdict_word(change->verdict));
	}
}

static void open_figure(struct buffer *out, const struct trend *trend)
{
	const struct history_series *series = trend->series[0];
	struct buffer title = {0}, description = {0};
	char name[FORMATTED_MAX], first[FORMATTED_MAX], last[FORMATTED_MAX], id[SVG_ID_MAX];
	const struct metric_info *metric = metric_of(trend->history, series);

	buffer_format(&title, "%s: %s over %zu campaign%s",
		      section_of(trend->history, series)->placement,
		      format_metric(name, metric, series->statistic), trend->n_points,
		      trend->n_points == 1 ? "" : "s");
	for (size_t s = 0; s < trend->count; s++) {
		series = trend->series[s];
		buffer_format(&description, "%s%s: %s at first, %s at last, %zu change%s",
			      s ? "; " : "", series->label,
			      format_value(first, series->points[0].centre, metric->unit),
			      format_value(last, series->points[series->n_points - 1].centre,
					   metric->unit),
			      series->n_changes, series->n_changes == 1 ? "" : "s");
	}
	buffer_add(&description, ".");
	svg_metric_id(id, "trend", (size_t)(trend->series[0] - trend->history->series), 0);
	svg_open(out, id, HEIGHT, title.text ? title.text : "",
		 description.text ? description.text : "");
	buffer_release(&title);
	buffer_release(&description);
}

static void add_figure(struct buffer *out, const struct trend *trend)
{
	struct axis axis = {.from_px = BOTTOM, .to_px = TOP + 4};

	find_range(trend, &axis);
	if (!axis_is_set(&axis))
		return;
	open_figure(out, trend);
	svg_y_axis(out, &axis, metric_of(trend->history, trend->series[0])->unit);
	for (size_t s = 0; s < trend->count; s++)
		add_changes_of(out, trend, trend->series[s]);
	for (size_t s = 0; s < trend->count; s++)
		add_line_of(out, trend, &axis, trend->series[s], (unsigned int)(s % SVG_SERIES));
	for (size_t s = 0; s < trend->count; s++)
		add_points_of(out, trend, &axis, trend->series[s], (unsigned int)(s % SVG_SERIES));
	add_labels(out, trend);
	svg_close(out);
}

/* ---- in words, and as a table ---------------------------------------------------------- */

/* "proxy is worse since 7.3.1 (campaign): 5.2 ms to 10.4 ms, x 2.00, p < 0.0001." */
static void add_change_text(struct buffer *out, const struct trend *trend,
			    const struct history_series *series,
			    const struct history_change *change)
{
	const struct history_point *point = &series->points[change->first];
	const char *unit = metric_of(trend->history, series)->unit;
	char before[FORMATTED_MAX], after[FORMATTED_MAX], ratio[FORMATTED_MAX], p[FORMATTED_MAX];

	buffer_add(out, "<p class=\"note\">");
	buffer_format_html(out, "%s %s since %s (%s): %s to %s, x %s, p %s%s.", series->label,
			   verdict_word(change->verdict), point->release,
			   trend->history->results->campaigns[point->campaign].id,
			   format_value(before, change->before, unit),
			   format_value(after, change->after, unit),
			   format_ratio(ratio, change->ratio), change->p < 0.0001 ? "" : "= ",
			   format_p(p, change->p));
	buffer_add(out, "</p>\n");
}

static const struct history_point *find_point(const struct history_series *series, size_t campaign)
{
	for (size_t i = 0; i < series->n_points; i++)
		if (series->points[i].campaign == campaign)
			return &series->points[i];
	return NULL;
}

static void add_value_cell(struct buffer *out, const struct trend *trend,
			   const struct history_series *series, size_t campaign)
{
	const struct history_point *point = find_point(series, campaign);
	const char *unit = metric_of(trend->history, series)->unit;
	char value[FORMATTED_MAX], low[FORMATTED_MAX], high[FORMATTED_MAX];
	struct estimate range;

	buffer_add(out, "<td class=\"n\">");
	if (point) {
		range = estimate_point(point, series->is_log);
		buffer_add_html(out, format_value(value, point->centre, unit));
		if (!isnan(range.low))
			buffer_format_html(out, " (%s to %s)", format_value(low, range.low, unit),
					   format_value(high, range.high, unit));
	}
	buffer_add(out, "</td>");
}

/* The figure's points with links to their reports, newest first. */
static void add_table(struct buffer *out, const struct site *site, const struct trend *trend)
{
	buffer_format(out,
		      "<details><summary>%zu campaigns</summary><div class=\"scroll\"><table>"
		      "<thead><tr><th>kernel</th><th>campaign</th>",
		      trend->n_points);
	for (size_t s = 0; s < trend->count; s++) {
		buffer_add(out, "<th class=\"n\">");
		buffer_add_html(out, trend->series[s]->label);
		buffer_add(out, "</th>");
	}
	buffer_add(out, "</tr></thead><tbody>\n");
	for (size_t i = trend->n_points; i-- > 0;) {
		size_t campaign = trend->points[i]->campaign;
		const char *id = trend->history->results->campaigns[campaign].id;

		buffer_add(out, "<tr><td>");
		buffer_add_html(out, trend->points[i]->release);
		buffer_format(out, "</td><td><a href=\"" SITE_CAMPAIGNS "/%s/index.html\">",
			      site_folder_of(site, id));
		buffer_add_html(out, id);
		buffer_add(out, "</a></td>");
		for (size_t s = 0; s < trend->count; s++)
			add_value_cell(out, trend, trend->series[s], campaign);
		buffer_add(out, "</tr>\n");
	}
	buffer_add(out, "</tbody></table></div></details>\n");
}

static void add_legend(struct buffer *out, const struct trend *trend)
{
	buffer_add(out, "<p class=\"key\">");
	for (size_t s = 0; s < trend->count; s++) {
		buffer_add(out, "<span>");
		svg_key(out, (unsigned int)(s % SVG_SERIES));
		buffer_add_html(out, trend->series[s]->label);
		buffer_add(out, "</span>\n");
	}
	buffer_add(out, "</p>\n");
}

static void add_trend(struct buffer *out, const struct site *site, const struct trend *trend)
{
	const struct history_series *series = trend->series[0];
	const struct section_info *section = section_of(trend->history, series);
	const struct metric_info *metric = metric_of(trend->history, series);
	char name[FORMATTED_MAX];

	buffer_add(out, "<figure class=\"card\"><figcaption><b>");
	buffer_add_html(out, section->placement);
	buffer_add(out, "</b> ");
	buffer_format_html(out, "%s, %s is better", format_metric(name, metric, series->statistic),
			   metric_direction_name(metric->direction));
	buffer_add(out, "<br><span class=\"soft\">");
	buffer_format_html(out, "%s: %s", section->workload, section->params);
	buffer_add(out, "</span></figcaption>\n");
	add_legend(out, trend);
	add_figure(out, trend);
	for (size_t s = 0; s < trend->count; s++)
		for (size_t i = 0; i < trend->series[s]->n_changes; i++)
			add_change_text(out, trend, trend->series[s],
					&trend->series[s]->changes[i]);
	add_table(out, site, trend);
	buffer_add(out, "</figure>\n");
}

/* ---- the page -------------------------------------------------------------------------- */

/* The primary series, so that those of one figure stand together; *@count of them. */
static const struct history_series **order_series(struct site *site, const struct history *history,
						  size_t *count)
{
	const struct history_series **ordered =
		arena_alloc(&site->arena, (history->n_series + 1) * sizeof(*ordered));

	*count = 0;
	site->has_failed |= !ordered;
	for (size_t i = 0; ordered && i < history->n_series; i++)
		if (history->series[i].family == FAMILY_PRIMARY && history->series[i].n_points)
			ordered[(*count)++] = &history->series[i];
	if (ordered)
		qsort_r(ordered, *count, sizeof(*ordered), compare_series, (void *)history);
	return ordered;
}

/* @machine: the index of the machine that the page is at; SIZE_MAX at first. */
static void add_machine_head(struct buffer *out, const struct history *history, size_t machine)
{
	buffer_add(out, "<h2>");
	buffer_format_html(out, "%s, %s time", history->results->machines[machine].name,
			   history->results->time);
	buffer_add(out, "</h2>\n<div class=\"cards\">\n");
}

static void add_history(struct buffer *out, struct site *site, const struct history *history)
{
	size_t count, machine = SIZE_MAX;
	const struct history_series **ordered = order_series(site, history, &count);

	for (size_t first = 0; ordered && first < count;) {
		struct trend trend = {.history = history, .series = &ordered[first]};

		while (first + trend.count < count &&
		       is_same_figure(ordered[first], ordered[first + trend.count]))
			trend.count++;
		first += trend.count;
		site->has_failed |= !collect_points(&trend, &site->arena);
		if (site->has_failed)
			return;
		if (trend.n_points < 2)
			continue;
		if (trend.series[0]->machine != machine) {
			buffer_add(out, machine == SIZE_MAX ? "" : "</div>\n");
			machine = trend.series[0]->machine;
			add_machine_head(out, history, machine);
		}
		add_trend(out, site, &trend);
	}
	buffer_add(out, machine == SIZE_MAX ? "" : "</div>\n");
}

void site_write_trends(struct buffer *out, struct site *site)
{
	struct buffer figures = {0};

	for (size_t i = 0; i < site->n_histories; i++)
		add_history(&figures, site, &site->histories[i]);
	site->has_trends = figures.length > 0;
	if (site->has_trends) {
		site_open_page(out, "proxeval: trends", "");
		buffer_add(out,
			   "</head><body>\n<p class=\"origin\"><a href=\"index.html\">proxeval: "
			   "reports</a></p><h1>Trends over the campaigns</h1>\n"
			   "<p class=\"soft\">Each primary figure of each variant, campaign by "
			   "campaign in the order of the kernels&rsquo; releases: the mean over "
			   "boots with its 95 % interval. A dashed line is where a level "
			   "changes.</p>\n");
		for (size_t i = 0; i < site->n_histories; i++)
			for (size_t j = 0; j < site->histories[i].n_headline; j++) {
				buffer_add(out, "<p class=\"also\">");
				buffer_add_html(out, site->histories[i].headline[j]);
				buffer_add(out, "</p>\n");
			}
		buffer_add(out, figures.text);
		buffer_add(out, "</body></html>\n");
	}
	out->failed |= figures.failed || site->has_failed;
	buffer_release(&figures);
}
