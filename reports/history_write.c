// SPDX-License-Identifier: GPL-2.0-only
/* A history as text of 75 columns, and as one line. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/history_parts.h"
#include "reports/page_table.h"
#include "reports/sentences.h"
#include "reports/writers.h"

static const struct section_info *section_of(const struct history *history,
					     const struct history_series *series)
{
	return &history->results->sections[series->section];
}

static void add_series_title(struct buffer *out, const struct history *history,
			     const struct history_series *series)
{
	const struct section_info *section = section_of(history, series);
	struct buffer title = {0};
	char shown[FORMATTED_MAX];

	buffer_format(&title, "%s %s: %s%s of %s", section->workload, section->placement,
		      format_metric(shown, history_metric(history, series), series->statistic),
		      series->statistic == STATISTIC_P50 ? " (median)" : "", series->label);
	if (history->results->n_machines > 1)
		buffer_format(&title, " on %s", history->results->machines[series->machine].name);
	if (*section->params)
		buffer_format(&title, " [%s]", section->params);
	page_add_title(out, title.text ? title.text : "");
	buffer_release(&title);
}

/* What happened before a point: the change that begins there. */
static const struct history_change *change_at(const struct history_series *series, size_t point)
{
	for (size_t i = 0; i < series->n_changes; i++)
		if (series->changes[i].first == point)
			return &series->changes[i];
	return NULL;
}

static void add_change_line(struct page_table *table, const struct history_change *change,
			    const char *unit)
{
	char amount[CHANGE_TEXT_MAX], p[FORMATTED_MAX];
	struct buffer row = {0};

	format_p(p, change->p);
	buffer_format(&row, "  %s %s, p %s%s: ", change->is_drift ? "drift," : "step,",
		      history_format_change(amount, change, unit), *p == '<' ? "" : "= ", p);
	page_table_add_verdict_line(table, row.text ? row.text : "", change->verdict);
	table->out->failed |= row.failed;
	buffer_release(&row);
}

static void add_point(struct page_table *table, const struct history *history,
		      const struct history_series *series, size_t index)
{
	const struct history_point *point = &series->points[index];
	const char *unit = history_metric(history, series)->unit;
	char boots[FORMATTED_MAX], value[FORMATTED_MAX], ratio[FORMATTED_MAX];

	snprintf(boots, sizeof(boots), "%zu", point->n_boots);
	page_table_add(
		table,
		(const char *[]){point->release, history->results->campaigns[point->campaign].id,
				 boots, format_value(value, point->centre, unit),
				 format_ratio(ratio, point->centre / series->points[0].centre),
				 NULL});
}

/* Every campaign of a series, with its changes between them. */
static void add_series(struct buffer *out, const struct history *history,
		       const struct history_series *series, bool has_colour)
{
	static const struct page_column columns[] = {
		{16, 1, false}, {32, 1, false}, {5, 1, true}, {9, 1, true}, {8, 0, true}};
	const char *unit = history_metric(history, series)->unit;
	struct page_table table;

	add_series_title(out, history, series);
	page_table_open(&table, out, has_colour, columns, sizeof(columns) / sizeof(*columns));
	page_table_add(&table, (const char *[]){"release", "campaign", "boots", "figure",
						"to first", NULL});
	for (size_t i = 0; i < series->n_points; i++) {
		const struct history_change *change = change_at(series, i);

		if (change)
			add_change_line(&table, change, unit);
		add_point(&table, history, series, i);
	}
	page_table_close(&table);
}

static const char *state_of(const struct history_series *series, char out[FORMATTED_MAX])
{
	char p[FORMATTED_MAX];

	if (series->reason)
		return "not tested";
	if (series->n_changes)
		snprintf(out, FORMATTED_MAX, "%zu change%s", series->n_changes,
			 series->n_changes == 1 ? "" : "s");
	else
		snprintf(out, FORMATTED_MAX, "no change, p %.20s", format_p(p, series->p_adjusted));
	return out;
}

/* A line over the series of one workload on one machine, where there are several of either. */
static void add_overview_title(struct page_table *table, const struct history *history,
			       const struct history_series *series,
			       const struct history_series *last)
{
	const struct results *results = history->results;
	const char *workload = section_of(history, series)->workload;
	struct buffer title = {0};

	if (last && last->machine == series->machine &&
	    !strcmp(section_of(history, last)->workload, workload))
		return;
	buffer_add(&title, workload);
	if (results->n_machines > 1)
		buffer_format(&title, " on %s", results->machines[series->machine].name);
	page_table_add_line(table, title.text ? title.text : "");
	table->out->failed |= title.failed;
	buffer_release(&title);
}

static void add_overview_row(struct page_table *table, const struct history *history,
			     const struct history_series *series)
{
	const struct metric_info *metric = history_metric(history, series);
	char name[FORMATTED_MAX], oldest[FORMATTED_MAX], newest[FORMATTED_MAX];
	char state[FORMATTED_MAX], label[FORMATTED_MAX], indented[FORMATTED_MAX + 1];

	snprintf(indented, sizeof(indented), " %s", format_metric(name, metric, series->statistic));
	page_table_add(
		table,
		(const char *[]){indented,
				 section_place(&table->arena, history->results, series->section),
				 page_column_label(label, series->label),
				 format_value(oldest, series->points[0].centre, metric->unit),
				 format_value(newest, series->points[series->n_points - 1].centre,
					      metric->unit),
				 state_of(series, state), NULL});
}

/* One row per series: from where to where it went. */
static void add_overview(struct buffer *out, const struct history *history, enum family family)
{
	static const struct page_column columns[] = {
		{17, 1, false}, {13, 1, false}, {7, 1, false}, {8, 1, true}, {8, 2, true}};
	const struct history_series *last = NULL;
	struct page_table table = {0};

	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];

		if (series->family != family)
			continue;
		if (!last) {
			page_add_title(out, family == FAMILY_PRIMARY
						    ? "All primary series"
						    : "Controls: these should not change");
			page_table_open(&table, out, false, columns,
					sizeof(columns) / sizeof(*columns));
			page_table_add(&table,
				       (const char *[]){" metric", "placement", "variant", "oldest",
							"newest", "changes", NULL});
		}
		add_overview_title(&table, history, series, last);
		add_overview_row(&table, history, series);
		last = series;
	}
	if (table.out)
		page_table_close(&table);
}

static void add_method(struct buffer *out, const struct history *history)
{
	struct buffer text = {0};

	page_add_title(out, "How this was decided");
	buffer_format(
		&text,
		"Each boot gives one figure, and each campaign's boots are a group. Whether any "
		"group differs from the others is tested by exchanging boots between the groups "
		"(circular binary segmentation), at %.3g %%, corrected by Holm for %zu primary "
		"series. A change is a step between two campaigns unless a slow ramp explains it "
		"better. One that is surely within %.3g %% is small and does not count. 'No change' "
		"means that none could be shown.",
		100 * history->alpha, history->tests[FAMILY_PRIMARY], 100 * history->min_change);
	page_add_wrapped(out, "  ", text.text ? text.text : "");
	buffer_release(&text);
}

void history_write_text(struct buffer *out, const struct history *history, bool has_colour)
{
	for (size_t i = 0; i < history->n_headline; i++) {
		if (has_colour && !i)
			buffer_add(out, "\033[1m");
		page_add_wrapped(out, "", history->headline[i]);
		if (has_colour && !i)
			buffer_add(out, "\033[0m");
	}
	for (size_t i = 0; i < history->n_warnings; i++)
		page_add_wrapped(out, "WARNING: ", history->warnings[i]);
	for (size_t i = 0; i < history->n_series; i++)
		if (history->series[i].n_changes)
			add_series(out, history, &history->series[i], has_colour);
	add_overview(out, history, FAMILY_PRIMARY);
	add_overview(out, history, FAMILY_CONTROL);
	add_method(out, history);
}

void history_write_line(struct buffer *out, const struct history *history)
{
	size_t changed = 0, primary = 0, untested = 0;

	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];

		if (series->family != FAMILY_PRIMARY)
			continue;
		primary++;
		changed += series->n_changes > 0;
		untested += series->reason != NULL;
	}
	buffer_format(out,
		      "proxeval: %zu better, %zu worse, %zu without change, %zu not tested; "
		      "history of %zu series, %zu campaign%s, %.10s %.10s\n",
		      history_count(history, VERDICT_BETTER), history_count(history, VERDICT_WORSE),
		      primary - changed - untested, untested, primary, history_campaigns(history),
		      history_campaigns(history) == 1 ? "" : "s", history->results->target,
		      history->results->time);
}
