// SPDX-License-Identifier: GPL-2.0-only
/* From boots to series of campaigns, and where they changed. */
#include "reports/history.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/changepoints.h"
#include "reports/history_parts.h"

/* The next number of "7.3.0-rc2", which ends where no ".DIGIT" follows; 0 where it is missing. */
static unsigned long next_number(const char **at)
{
	unsigned long number = 0;
	const char *digits = **at == '.' ? *at + 1 : *at;

	if (!isdigit((unsigned char)*digits))
		return 0;
	for (; isdigit((unsigned char)*digits); digits++)
		number = number < 100000000 ? number * 10 + (unsigned long)(*digits - '0') : number;
	*at = digits;
	return number;
}

/* "-rc2" is 2 and is skipped; a release without one comes after all of them. */
static unsigned long next_candidate(const char **at)
{
	unsigned long number;

	if (strncmp(*at, "-rc", 3) || !isdigit((unsigned char)(*at)[3]))
		return 1000000000;
	*at += 3;
	number = next_number(at);
	return number;
}

int release_compare(const char *a, const char *b)
{
	for (int i = 0; i < 4; i++) {
		unsigned long one = next_number(&a), two = next_number(&b);

		if (one != two)
			return one < two ? -1 : 1;
	}
	{
		unsigned long one = next_candidate(&a), two = next_candidate(&b);

		if (one != two)
			return one < two ? -1 : 1;
	}
	return strverscmp(a, b);
}

/* The points of one label on one machine, whatever section and metric. */
struct track {
	const char *label;
	size_t machine;
	struct history_point *points;
	size_t n_points;
};

static int add_point(struct history *history, struct track *track, const struct boot *boot)
{
	const char *release = history->results->variants[boot->variant].release;
	struct history_point *point;

	for (size_t i = 0; i < track->n_points; i++) {
		point = &track->points[i];
		if (point->campaign != boot->campaign || point->variant != boot->variant)
			continue;
		if (boot->started && (!point->started || strcmp(boot->started, point->started) < 0))
			point->started = boot->started;
		return 0;
	}
	point = arena_append(&history->arena, &track->points, &track->n_points, sizeof(*point));
	if (!point)
		return -ENOMEM;
	*point = (struct history_point){.campaign = boot->campaign,
					.variant = boot->variant,
					.release = release ? release : "?",
					.started = boot->started};
	return 0;
}

static struct track *find_track(struct history *history, struct track **tracks, size_t *count,
				const char *label, size_t machine)
{
	struct track *track;

	for (size_t i = 0; i < *count; i++)
		if ((*tracks)[i].machine == machine && !strcmp((*tracks)[i].label, label))
			return &(*tracks)[i];
	track = arena_append(&history->arena, tracks, count, sizeof(*track));
	if (track)
		*track = (struct track){.label = label, .machine = machine};
	return track;
}

static int compare_starts(const struct history_point *a, const struct history_point *b,
			  const struct results *results)
{
	int order = a->started && b->started ? strcmp(a->started, b->started) : 0;

	/* A campaign's name begins with its date. */
	if (!order)
		order = strverscmp(results->campaigns[a->campaign].id,
				   results->campaigns[b->campaign].id);
	return order ? order : (a->variant > b->variant) - (a->variant < b->variant);
}

static int compare_points(const void *one, const void *two, void *context)
{
	const struct history_point *a = one, *b = two;
	const struct history *history = context;
	int order = 0;

	if (history->order == HISTORY_AS_GIVEN)
		return a->campaign != b->campaign
			       ? (a->campaign > b->campaign ? 1 : -1)
			       : (a->variant > b->variant) - (a->variant < b->variant);
	if (history->order == HISTORY_BY_KERNEL)
		order = release_compare(a->release, b->release);
	return order ? order : compare_starts(a, b, history->results);
}

static bool has_unknown_release(const struct track *tracks, size_t n_tracks)
{
	for (size_t i = 0; i < n_tracks; i++)
		for (size_t j = 0; j < tracks[i].n_points; j++)
			if (!strcmp(tracks[i].points[j].release, "?"))
				return true;
	return false;
}

static int make_tracks(struct history *history, struct track **tracks, size_t *n_tracks)
{
	const struct results *results = history->results;
	int err = 0;

	for (size_t i = 0; i < results->n_boots && !err; i++) {
		const struct boot *boot = &results->boots[i];
		struct track *track;

		/* A boot that went wrong has no figure, and may not even know its machine. */
		if (boot->end != BOOT_END_OK)
			continue;
		track = find_track(history, tracks, n_tracks,
				   results->variants[boot->variant].plain_label, boot->machine);
		err = track ? add_point(history, track, boot) : -ENOMEM;
	}
	if (history->order == HISTORY_BY_KERNEL && has_unknown_release(*tracks, *n_tracks)) {
		history->order = HISTORY_BY_TIME;
		err = err ? err
			  : history_warn(history, "a kernel's release is not known: the campaigns "
						  "are in the order of their starts");
	}
	for (size_t i = 0; i < *n_tracks; i++)
		qsort_r((*tracks)[i].points, (*tracks)[i].n_points, sizeof(struct history_point),
			compare_points, history);
	return err;
}

/* A point's figures of one metric, on the history's arena. */
static int fill_point(struct history *history, const struct history_series *series,
		      struct history_point *point)
{
	struct arena scratch = {0};
	struct group group;
	double *values = NULL;
	int err = group_collect(&scratch, history->results, series->section, series->metric,
				series->statistic, point->variant, &group);

	if (!err && group.n_boots) {
		values = arena_alloc(&history->arena, group.n_boots * sizeof(*values));
		err = values ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < group.n_boots && !err; i++) {
		const struct boot *boot = &history->results->boots[group.boots[i]];

		if (boot->campaign == point->campaign && boot->machine == series->machine)
			values[point->n_boots++] = group.values[i];
	}
	point->values = values;
	arena_release(&scratch);
	return err;
}

static bool has_only_positive(const struct history_series *series)
{
	for (size_t i = 0; i < series->n_points; i++)
		for (size_t j = 0; j < series->points[i].n_boots; j++)
			if (series->points[i].values[j] <= 0)
				return false;
	return true;
}

static double on_scale(const struct history_series *series, double value)
{
	return series->is_log ? log(value) : value;
}

static double off_scale(const struct history_series *series, double value)
{
	return series->is_log ? exp(value) : value;
}

static double point_mean(const struct history_series *series, const struct history_point *point)
{
	double sum = 0;

	for (size_t i = 0; i < point->n_boots; i++)
		sum += on_scale(series, point->values[i]);
	return sum / (double)point->n_boots;
}

static int add_series(struct history *history, const struct track *track,
		      struct history_series series)
{
	struct history_series *added;
	int err = 0;

	for (size_t i = 0; i < track->n_points && !err; i++) {
		struct history_point point = track->points[i], *kept;

		err = fill_point(history, &series, &point);
		if (err || !point.n_boots)
			continue;
		kept = arena_append(&history->arena, &series.points, &series.n_points,
				    sizeof(*kept));
		if (kept)
			*kept = point;
		else
			err = -ENOMEM;
	}
	if (err || !series.n_points)
		return err;
	series.is_log = has_only_positive(&series);
	for (size_t i = 0; i < series.n_points; i++)
		series.points[i].centre =
			off_scale(&series, point_mean(&series, &series.points[i]));
	added = arena_append(&history->arena, &history->series, &history->n_series, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = series;
	return 0;
}

static int add_track(struct history *history, const struct track *track)
{
	const struct results *results = history->results;
	int err = 0;

	for (size_t section = 0; section < results->n_sections; section++)
		for (size_t metric = 0; metric < results->sections[section].n_metrics; metric++) {
			const struct metric_info *info =
				&results->sections[section].metrics[metric];
			bool is_control = is_control_role(info->role);

			if (err || info->kind == METRIC_INVARIANT ||
			    (!is_control && info->role != ROLE_PRIMARY))
				continue;
			err = add_series(
				history, track,
				(struct history_series){
					.label = track->label,
					.machine = track->machine,
					.section = section,
					.metric = metric,
					.statistic = main_statistic(info->kind),
					.family = is_control ? FAMILY_CONTROL : FAMILY_PRIMARY,
					.newest = track->points[track->n_points - 1].campaign,
					.p = NAN,
					.p_adjusted = NAN});
		}
	return err;
}

/* The values of points @from to before @to on the scale of the tests: a boot's each, or a
 * campaign's mean. */
struct flat {
	double *values;
	size_t *starts;
	struct grouped_values grouped;
};

static void flat_release(struct flat *flat)
{
	free(flat->values);
	free(flat->starts);
}

static int flat_init(struct flat *flat, const struct history_series *series, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++)
		count += series->points[i].n_boots;
	flat->values = calloc(count + 1, sizeof(*flat->values));
	flat->starts = calloc(to - from + 1, sizeof(*flat->starts));
	if (!flat->values || !flat->starts)
		return -ENOMEM;
	count = 0;
	for (size_t i = from; i < to; i++) {
		const struct history_point *point = &series->points[i];

		if (series->is_by_campaign)
			flat->values[count++] = point_mean(series, point);
		for (size_t j = 0; j < point->n_boots && !series->is_by_campaign; j++)
			flat->values[count++] = on_scale(series, point->values[j]);
		flat->starts[i - from + 1] = count;
	}
	flat->grouped = (struct grouped_values){flat->values, flat->starts, to - from};
	return 0;
}

/* How many points from @from on ran the same kernel. */
static size_t same_kernel_run(const struct history_series *series, size_t from)
{
	size_t count = 1;

	while (from + count < series->n_points &&
	       series->points[from + count].variant == series->points[from].variant)
		count++;
	return count;
}

/*
 * Whether campaigns of one and the same kernel differ by more than their boots do. Then the boots
 * of a campaign are not independent of each other, and the campaign is the unit.
 */
static int decide_unit(const struct history *history, struct history_series *series)
{
	size_t tests = 0, run;
	double least = 1;
	int err = 0;

	for (size_t i = 0; i < series->n_points && !err; i += run) {
		struct flat flat = {0};
		double p = 1;

		run = same_kernel_run(series, i);
		if (run < 2)
			continue;
		err = flat_init(&flat, series, i, i + run);
		if (!err)
			err = changepoints_test(&flat.grouped, &p);
		flat_release(&flat);
		tests++;
		least = fmin(least, p);
	}
	series->is_by_campaign = tests && least * (double)tests <= history->alpha;
	return err;
}

/* Why a series cannot be tested, among so many tests; NULL when it can. */
static const char *why_not(struct history *history, const struct history_series *series,
			   const struct flat *flat, size_t tests)
{
	if (series->n_points < 2)
		return "only one campaign has it";
	if (changepoints_smallest_p(&flat->grouped) * (double)tests <= history->alpha)
		return NULL;
	return arena_format(
		&history->arena, "%zu campaigns with %zu %s in all cannot decide %zu test%s",
		series->n_points, flat->starts[series->n_points],
		series->is_by_campaign ? "figures" : "boots", tests, tests == 1 ? "" : "s");
}

static size_t count_testable(const struct history *history, enum family family)
{
	size_t count = 0;

	for (size_t i = 0; i < history->n_series; i++)
		count += history->series[i].family == family && history->series[i].n_points > 1;
	return count;
}

static int test_series(struct history *history, struct history_series *series)
{
	struct flat flat = {0};
	int err = decide_unit(history, series);

	if (!err)
		err = flat_init(&flat, series, 0, series->n_points);
	if (!err) {
		series->reason = why_not(history, series, &flat, history->tests[series->family]);
		if (series->n_points > 1)
			err = changepoints_test(&flat.grouped, &series->p);
	}
	flat_release(&flat);
	return err;
}

/* Holm over the series of a family. */
static int adjust(struct history *history, enum family family)
{
	double *p = calloc(history->n_series + 1, sizeof(*p));
	size_t n = 0;
	int err = p ? 0 : -ENOMEM;

	for (size_t i = 0; i < history->n_series && !err; i++)
		if (history->series[i].family == family && !isnan(history->series[i].p))
			p[n++] = history->series[i].p;
	if (!err)
		err = holm_adjust(p, n);
	n = 0;
	for (size_t i = 0; i < history->n_series && !err; i++)
		if (history->series[i].family == family && !isnan(history->series[i].p))
			history->series[i].p_adjusted = p[n++];
	free(p);
	return err;
}

static enum verdict judge(const struct history *history, const struct history_series *series,
			  const struct history_change *change)
{
	const struct metric_info *metric =
		&history->results->sections[series->section].metrics[series->metric];
	double low = isnan(change->ratio_low) ? change->ratio : change->ratio_low;
	double high = isnan(change->ratio_high) ? change->ratio : change->ratio_high;

	if (metric->direction == NO_DIRECTION)
		return VERDICT_NOT_JUDGED;
	if (low > 1 / (1 + history->min_change) && high < 1 + history->min_change)
		return VERDICT_EQUIVALENT;
	return (change->after > change->before) == (metric->direction == HIGHER_IS_BETTER)
		       ? VERDICT_BETTER
		       : VERDICT_WORSE;
}

/* The levels beside a change: boots up to its beginning, boots from its end on. */
static int measure_change(const struct history_series *series, const struct flat *flat, size_t from,
			  size_t to, struct history_change *change)
{
	const size_t *starts = flat->starts;
	struct stratum both = {.a = flat->values + starts[from],
			       .n_a = starts[change->first] - starts[from],
			       .b = flat->values + starts[change->last],
			       .n_b = starts[to] - starts[change->last]};
	struct interval interval;
	int err = bootstrap_interval(&both, 1, VERDICT_CONFIDENCE, &interval);

	change->before = off_scale(series, mean_of(both.a, both.n_a));
	change->after = off_scale(series, mean_of(both.b, both.n_b));
	change->ratio =
		change->before > 0 && change->after >= 0 ? change->after / change->before : NAN;
	change->ratio_low = series->is_log && interval.is_valid ? exp(interval.low) : NAN;
	change->ratio_high = series->is_log && interval.is_valid ? exp(interval.high) : NAN;
	return err;
}

static int keep_changes(struct history *history, struct history_series *series,
			const struct flat *flat, const struct changepoints *found)
{
	int err = 0;

	for (size_t i = 0; i < found->count && !err; i++) {
		const struct changepoint *item = &found->items[i];
		size_t from = i ? found->items[i - 1].last : 0;
		size_t to = i + 1 < found->count ? found->items[i + 1].first : series->n_points;
		struct history_change *change = arena_append(&history->arena, &series->changes,
							     &series->n_changes, sizeof(*change));

		if (!change)
			return -ENOMEM;
		*change = (struct history_change){.first = item->first,
						  .last = item->last,
						  .low = item->low,
						  .high = item->high,
						  .is_drift = item->is_drift,
						  .is_ambiguous = item->is_ambiguous,
						  .p = item->p};
		change->is_same_kernel = series->points[item->first - 1].variant ==
					 series->points[item->last].variant;
		err = measure_change(series, flat, from, to, change);
		change->verdict = judge(history, series, change);
		for (size_t j = item->first; j < series->n_points; j++)
			series->points[j].level = i + 1;
	}
	return err;
}

static int find_changes(struct history *history, struct history_series *series)
{
	struct changepoints found = {0};
	struct flat flat = {0};
	int err;

	if (isnan(series->p_adjusted))
		return 0;
	err = flat_init(&flat, series, 0, series->n_points);
	if (!err)
		err = changepoints_find(&flat.grouped, history->alpha,
					history->tests[series->family], series->p_adjusted, &found);
	if (!err)
		err = keep_changes(history, series, &flat, &found);
	changepoints_release(&found);
	flat_release(&flat);
	return err;
}

static bool has_change_at(const struct history_series *series, size_t campaign)
{
	for (size_t i = 0; i < series->n_changes; i++)
		if (series->points[series->changes[i].first].campaign == campaign)
			return true;
	return false;
}

/* Marks changes of primary figures that came together with one of a control. */
static void mark_controls(struct history *history)
{
	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];

		for (size_t j = 0; j < series->n_changes; j++)
			for (size_t k = 0; k < history->n_series; k++) {
				const struct history_series *control = &history->series[k];

				series->changes[j].has_control |=
					series->family == FAMILY_PRIMARY &&
					control->family == FAMILY_CONTROL &&
					control->machine == series->machine &&
					!strcmp(control->label, series->label) &&
					has_change_at(
						control,
						series->points[series->changes[j].first].campaign);
			}
	}
}

static int analyse_series(struct history *history)
{
	static const enum family families[] = {FAMILY_PRIMARY, FAMILY_CONTROL};
	int err = 0;

	for (size_t i = 0; i < 2; i++)
		history->tests[families[i]] = count_testable(history, families[i]);
	for (size_t i = 0; i < history->n_series && !err; i++)
		err = test_series(history, &history->series[i]);
	for (size_t i = 0; i < 2 && !err; i++)
		err = adjust(history, families[i]);
	for (size_t i = 0; i < history->n_series && !err; i++)
		err = find_changes(history, &history->series[i]);
	mark_controls(history);
	return err;
}

int history_make(struct history *history, const struct results *results,
		 const struct history_options *options)
{
	struct track *tracks = NULL;
	size_t n_tracks = 0;
	int err;

	*history = (struct history){.results = results,
				    .order = options->order,
				    .alpha = options->alpha > 0 ? options->alpha : VERDICT_ALPHA,
				    .min_change = options->min_change < 0 ? HISTORY_MIN_CHANGE
									  : options->min_change};
	err = make_tracks(history, &tracks, &n_tracks);
	for (size_t i = 0; i < n_tracks && !err; i++)
		err = add_track(history, &tracks[i]);
	if (!err)
		err = analyse_series(history);
	return err ? err : history_say(history);
}

void history_release(struct history *history)
{
	arena_release(&history->arena);
	*history = (struct history){0};
}
