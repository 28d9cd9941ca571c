// SPDX-License-Identifier: GPL-2.0-only
/* What a history comes to: its sentences, and the exit code that says the same. */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/history_parts.h"

static int add_sentence(struct history *history, const char ***list, size_t *count,
			struct buffer *text)
{
	const char **added = NULL;

	if (!text->failed)
		added = arena_append(&history->arena, list, count, sizeof(*added));
	if (added)
		*added = arena_text(&history->arena, text->text ? text->text : "");
	buffer_release(text);
	return added && *added ? 0 : -ENOMEM;
}

int history_warn(struct history *history, const char *sentence)
{
	struct buffer text = {0};

	buffer_add(&text, sentence);
	return add_sentence(history, &history->warnings, &history->n_warnings, &text);
}

const struct metric_info *history_metric(const struct history *history,
					 const struct history_series *series)
{
	return &history->results->sections[series->section].metrics[series->metric];
}

/* NULL when the series has no change. */
static const struct history_change *newest_change(const struct history_series *series)
{
	return series->n_changes ? &series->changes[series->n_changes - 1] : NULL;
}

size_t history_count(const struct history *history, enum verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_change *newest = newest_change(&history->series[i]);

		count += history->series[i].family == FAMILY_PRIMARY && newest &&
			 newest->verdict == verdict;
	}
	return count;
}

size_t history_campaigns(const struct history *history)
{
	bool *is_seen = calloc(history->results->n_campaigns + 1, sizeof(*is_seen));
	size_t count = 0;

	for (size_t i = 0; is_seen && i < history->n_series; i++)
		for (size_t j = 0; j < history->series[i].n_points; j++) {
			size_t campaign = history->series[i].points[j].campaign;

			count += !is_seen[campaign];
			is_seen[campaign] = true;
		}
	free(is_seen);
	return count;
}

/* One end of a range, in the words of the change itself: per cent, or times. */
static double range_end(double ratio, bool is_up, bool is_in_percent)
{
	if (is_in_percent)
		return 100 * (is_up ? ratio - 1 : 1 - ratio);
	return is_up ? ratio : 1 / ratio;
}

const char *history_format_change(char out[CHANGE_TEXT_MAX], const struct history_change *change,
				  const char *unit)
{
	bool is_up = change->ratio > 1;
	bool is_in_percent = (is_up ? change->ratio : 1 / change->ratio) < 1.5;
	double one = range_end(change->ratio_low, is_up, is_in_percent);
	double two = range_end(change->ratio_high, is_up, is_in_percent);
	char text[FORMATTED_MAX], before[FORMATTED_MAX], after[FORMATTED_MAX];

	if (isnan(change->ratio) || change->ratio <= 0)
		snprintf(out, CHANGE_TEXT_MAX, "%s, was %s",
			 format_value(after, change->after, unit),
			 format_value(before, change->before, unit));
	else if (isnan(one))
		snprintf(out, CHANGE_TEXT_MAX, "%s", format_change(text, change->ratio, unit));
	else
		snprintf(out, CHANGE_TEXT_MAX,
			 is_in_percent ? "%s [%.1f, %.1f]" : "%s [%.2f, %.2f]",
			 format_change(text, change->ratio, unit), fmin(one, two), fmax(one, two));
	return out;
}

static const char *campaign_of(const struct history *history, const struct history_point *point)
{
	return history->results->campaigns[point->campaign].id;
}

/* "from 7.3.1 (campaign X) on" or "from 7.2.13 to 7.3.4, little by little". */
static void add_place(struct buffer *out, const struct history *history,
		      const struct history_series *series, const struct history_change *change)
{
	const struct history_point *points = series->points;
	const struct history_point *first = &points[change->first];

	if (change->is_drift) {
		buffer_format(out,
			      "little by little from %s (campaign %s) to %s (campaign %s): no one "
			      "release did it",
			      points[change->first - 1].release,
			      campaign_of(history, &points[change->first - 1]),
			      points[change->last].release,
			      campaign_of(history, &points[change->last]));
		return;
	}
	buffer_format(out, "from %s (campaign %s) on", first->release, campaign_of(history, first));
	if (change->low < change->high)
		buffer_format(
			out, "; it may have come anywhere from %s (%s) to %s (%s)",
			points[change->low].release, campaign_of(history, &points[change->low]),
			points[change->high].release, campaign_of(history, &points[change->high]));
}

/* Where a series was measured, so that no other can be meant. */
static void add_where(struct buffer *text, const struct history *history,
		      const struct history_series *series)
{
	const struct section_info *sections = history->results->sections;
	const struct section_info *section = &sections[series->section];
	bool is_shared = false;

	for (size_t i = 0; i < history->results->n_sections; i++)
		is_shared |= i != series->section &&
			     !strcmp(sections[i].placement, section->placement) &&
			     !strcmp(sections[i].workload, section->workload);
	if (is_shared)
		buffer_add(text, section->id);
	else
		buffer_format(text, "%s, %s", section->workload, section->placement);
	if (history->results->n_machines > 1)
		buffer_format(text, ", on %s", history->results->machines[series->machine].name);
}

static void add_reservations(struct buffer *text, const struct history *history,
			     const struct history_series *series,
			     const struct history_change *change)
{
	const struct history_point *good = &series->points[change->first - 1];

	if (!change->is_drift)
		buffer_format(text, "; last %s: %s (campaign %s)",
			      change->verdict == VERDICT_WORSE ? "good" : "as before",
			      good->release, campaign_of(history, good));
	if (change->is_ambiguous)
		buffer_add(text, change->is_drift ? "; steps explain it nearly as well"
						  : "; a slow drift explains it nearly as well");
	if (change->is_same_kernel)
		buffer_add(text, "; the kernel is the same on both sides: look at the machine and "
				 "the set-up");
	if (change->has_control)
		buffer_add(text, "; a control changed there too, so that the machine or the "
				 "measuring may have");
}

static int say_change(struct history *history, const struct history_series *series,
		      const struct history_change *change, bool is_newest)
{
	const struct metric_info *metric = history_metric(history, series);
	char shown[FORMATTED_MAX], amount[CHANGE_TEXT_MAX], p[FORMATTED_MAX];
	struct buffer text = {0};

	buffer_add(&text, change->verdict == VERDICT_WORSE	  ? "WORSE"
			  : change->verdict == VERDICT_EQUIVALENT ? "small change"
			  : change->verdict == VERDICT_NOT_JUDGED ? "changed"
								  : "better");
	buffer_format(&text, "%s: %s of %s (", is_newest ? "" : " once, and changed again later",
		      format_metric(shown, metric, series->statistic), series->label);
	add_where(&text, history, series);
	buffer_format(&text, ") is %s ", history_format_change(amount, change, metric->unit));
	add_place(&text, history, series, change);
	format_p(p, change->p);
	buffer_format(&text, "; p %s%s", *p == '<' ? "" : "= ", p);
	add_reservations(&text, history, series, change);
	buffer_add(&text, ".");
	return add_sentence(history, &history->headline, &history->n_headline, &text);
}

/* The changes of one family with that verdict; the newest of each series, or the older ones. */
static int say_changes(struct history *history, enum verdict verdict, bool wants_newest)
{
	int err = 0;

	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];

		for (size_t j = series->n_changes; j-- > 0 && !err;) {
			bool is_newest = j + 1 == series->n_changes;

			if (series->family == FAMILY_PRIMARY &&
			    series->changes[j].verdict == verdict && is_newest == wants_newest)
				err = say_change(history, series, &series->changes[j], is_newest);
		}
	}
	return err;
}

static size_t count_flat(const struct history *history)
{
	size_t count = 0;

	for (size_t i = 0; i < history->n_series; i++)
		count += history->series[i].family == FAMILY_PRIMARY &&
			 !history->series[i].reason && !history->series[i].n_changes;
	return count;
}

static size_t count_untested(const struct history *history)
{
	size_t count = 0;

	for (size_t i = 0; i < history->n_series; i++)
		count += history->series[i].family == FAMILY_PRIMARY && history->series[i].reason;
	return count;
}

static size_t count_primary(const struct history *history)
{
	size_t count = 0;

	for (size_t i = 0; i < history->n_series; i++)
		count += history->series[i].family == FAMILY_PRIMARY;
	return count;
}

static int say_flat(struct history *history)
{
	size_t flat = count_flat(history), untested = count_untested(history);
	struct buffer text = {0};

	if (!count_primary(history))
		buffer_add(&text, "Nothing was measured: no campaign has a primary metric.");
	else if (flat)
		buffer_format(&text, "%zu of %zu primary series show%s no change.", flat,
			      count_primary(history), flat == 1 ? "s" : "");
	if (untested) {
		const struct history_series *series = history->series;

		while (series->family != FAMILY_PRIMARY || !series->reason)
			series++;
		buffer_format(&text, "%s%zu of %zu could not be tested%s: %s.", flat ? " " : "",
			      untested, count_primary(history),
			      untested == 1 ? "" : "; of the first one", series->reason);
	}
	if (!text.length) {
		buffer_release(&text);
		return 0;
	}
	return add_sentence(history, &history->headline, &history->n_headline, &text);
}

static void add_span(struct buffer *text, const struct history *history)
{
	const char *first = NULL, *last = NULL;

	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];
		const char *oldest = series->points[0].release;
		const char *newest = series->points[series->n_points - 1].release;

		if (!first || release_compare(oldest, first) < 0)
			first = oldest;
		if (!last || release_compare(newest, last) > 0)
			last = newest;
	}
	if (first && strcmp(first, last))
		buffer_format(text, ", Linux %s to %s", first, last);
	else if (first)
		buffer_format(text, ", Linux %s", first);
}

/* "numa-box-3 (AMD EPYC 7713, 128 CPUs)". */
static void add_machine(struct buffer *text, const struct machine_info *machine,
			const char *separator)
{
	buffer_format(text, "%s%s", separator, machine->name);
	if (machine->cpu_model)
		buffer_format(text, " (%.60s, %llu CPU%s)", machine->cpu_model,
			      (unsigned long long)machine->cpus, machine->cpus == 1 ? "" : "s");
}

static int say_basis(struct history *history)
{
	static const char *const orders[] = {"release by release", "by their start", "as given"};
	const struct results *results = history->results;
	struct buffer text = {0};

	buffer_format(&text, "%zu campaign%s, %s; target %s, %s time", history_campaigns(history),
		      history_campaigns(history) == 1 ? "" : "s", orders[history->order],
		      results->target, results->time);
	add_span(&text, history);
	for (size_t i = 0; i < history->results->n_machines; i++)
		add_machine(&text, &results->machines[i], i ? ", " : "; on ");
	buffer_add(&text, ".");
	return add_sentence(history, &history->headline, &history->n_headline, &text);
}

static bool has_ended(const struct history_series *series)
{
	return series->family == FAMILY_PRIMARY &&
	       series->points[series->n_points - 1].campaign != series->newest;
}

/* Series that the newest campaign does not have: their last change is not today's news. */
static int warn_ended(struct history *history, size_t *n_ended)
{
	const struct history_series *first = NULL;
	const struct history_point *last;
	struct buffer text = {0};
	char shown[FORMATTED_MAX];

	for (size_t i = history->n_series; i-- > 0;) {
		if (!has_ended(&history->series[i]))
			continue;
		first = &history->series[i];
		(*n_ended)++;
	}
	if (!first)
		return 0;
	last = &first->points[first->n_points - 1];
	buffer_format(&text, "%zu primary series %s not in the newest campaign: %s of %s (",
		      *n_ended, *n_ended == 1 ? "is" : "are",
		      format_metric(shown, history_metric(history, first), first->statistic),
		      first->label);
	add_where(&text, history, first);
	buffer_format(&text, ") was last measured in %s (campaign %s), and not in campaign %s",
		      last->release, campaign_of(history, last),
		      history->results->campaigns[first->newest].id);
	if (*n_ended > 1)
		buffer_add(&text, ", and so on");
	return add_sentence(history, &history->warnings, &history->n_warnings, &text);
}

static int warn_units(struct history *history)
{
	size_t count = 0;
	struct buffer text = {0};

	for (size_t i = 0; i < history->n_series; i++)
		count += history->series[i].is_by_campaign;
	if (!count)
		return 0;
	buffer_format(&text,
		      "campaigns of one and the same kernel differ by more than their boots do in "
		      "%zu series: there each campaign counts as one figure",
		      count);
	return add_sentence(history, &history->warnings, &history->n_warnings, &text);
}

static int warn_selection(struct history *history)
{
	struct buffer text = {0};

	if (!history->results->selection)
		return 0;
	buffer_format(&text,
		      "only a part was looked at (%s): the corrections for many tests are for this "
		      "part, which holds if it was chosen before looking",
		      history->results->selection);
	return add_sentence(history, &history->warnings, &history->n_warnings, &text);
}

static int warn_controls(struct history *history)
{
	int err = 0;

	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];

		for (size_t j = 0; j < series->n_changes && !err; j++) {
			const struct history_change *change = &series->changes[j];
			char shown[FORMATTED_MAX], amount[CHANGE_TEXT_MAX];
			const char *unit = history_metric(history, series)->unit;
			struct buffer text = {0};

			if (series->family != FAMILY_CONTROL)
				continue;
			buffer_format(&text, "A CONTROL CHANGED: %s of %s (",
				      format_metric(shown, history_metric(history, series),
						    series->statistic),
				      series->label);
			add_where(&text, history, series);
			buffer_format(&text, ") is %s ",
				      history_format_change(amount, change, unit));
			add_place(&text, history, series, change);
			err = add_sentence(history, &history->warnings, &history->n_warnings,
					   &text);
		}
	}
	return err;
}

int history_say(struct history *history)
{
	static const enum verdict order[] = {VERDICT_WORSE, VERDICT_BETTER, VERDICT_NOT_JUDGED,
					     VERDICT_EQUIVALENT};
	size_t n_ended = 0;
	int err = warn_controls(history);

	if (!err)
		err = warn_selection(history);
	if (!err)
		err = warn_units(history);
	if (!err)
		err = warn_ended(history, &n_ended);
	for (size_t i = 0; i < 4 && !err; i++)
		err = say_changes(history, order[i], true);
	for (size_t i = 0; i < 3 && !err; i++)
		err = say_changes(history, order[i], false);
	if (!err)
		err = say_flat(history);
	if (history_count(history, VERDICT_WORSE))
		history->exit_code = EXIT_REGRESSION;
	else if (!count_primary(history))
		history->exit_code = EXIT_CANNOT;
	else if (count_untested(history) == count_primary(history) || n_ended)
		history->exit_code = EXIT_INCONCLUSIVE;
	else
		history->exit_code = EXIT_FINE;
	return err ? err : say_basis(history);
}
