// SPDX-License-Identifier: GPL-2.0-only
/* The sentences that a reader sees first, and the exit code that says the same. */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/buffer.h"
#include "reports/format.h"
#include "reports/history.h"
#include "reports/findings.h"
#include "reports/overview.h"
#include "reports/sentences.h"

/* What the sections that have one verdict say. */
struct spread {
	size_t count;
	double ratio_low, ratio_high, p_highest;
	bool without_ratio; /* one has none: a value is 0 or negative */
};

/* One metric of a workload over all its sections, in one variant. */
struct tally {
	size_t variant;
	const char *workload;
	const struct metric_info *metric;
	size_t *comparisons; /* indices, in order */
	size_t total;
	struct spread by_verdict[VERDICT_UNTESTED + 1];
	size_t more_boots;	   /* the most that any asks for, unless it is SIZE_MAX */
	const char *why_not;	   /* of the first that was not measured; may be NULL */
	bool has_shared_placement; /* several sections in one placement */
};

struct tallies {
	struct tally *items;
	size_t count;
};

static const struct section_info *section_of(const struct analysis *analysis,
					     const struct tally *tally, size_t index)
{
	size_t section = analysis->comparisons[tally->comparisons[index]].section;

	return &analysis->results->sections[section];
}

static void count_comparison(const struct comparison *comparison, struct tally *tally)
{
	struct spread *spread = &tally->by_verdict[comparison->verdict];

	if (!spread->count++)
		*spread = (struct spread){1, INFINITY, -INFINITY, 0, false};
	if (comparison->verdict == VERDICT_INCONCLUSIVE && comparison->more_boots != SIZE_MAX &&
	    comparison->more_boots > tally->more_boots)
		tally->more_boots = comparison->more_boots;
	if (comparison->verdict == VERDICT_NOT_MEASURED && !tally->why_not)
		tally->why_not = comparison->reason;
	if (!(comparison->ratio > 0))
		spread->without_ratio = true;
	spread->ratio_low = fmin(spread->ratio_low, comparison->ratio);
	spread->ratio_high = fmax(spread->ratio_high, comparison->ratio);
	spread->p_highest = fmax(spread->p_highest, shown_p(comparison));
}

static struct tally *find_tally(struct analysis *analysis, struct tallies *tallies,
				const struct comparison *comparison)
{
	const struct metric_info *metric = metric_of(analysis, comparison);
	const char *workload = analysis->results->sections[comparison->section].workload;
	struct tally *tally;

	for (size_t i = 0; i < tallies->count; i++) {
		tally = &tallies->items[i];
		if (tally->variant == comparison->variant &&
		    !strcmp(tally->metric->name, metric->name) &&
		    !strcmp(tally->workload, workload))
			return tally;
	}
	tally = arena_append(&analysis->arena, &tallies->items, &tallies->count, sizeof(*tally));
	if (tally)
		*tally = (struct tally){
			.variant = comparison->variant, .workload = workload, .metric = metric};
	return tally;
}

static int make_tallies(struct analysis *analysis, struct tallies *tallies)
{
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		struct tally *tally;
		size_t *added;

		if (comparison->family != FAMILY_PRIMARY)
			continue;
		tally = find_tally(analysis, tallies, comparison);
		added = tally ? arena_append(&analysis->arena, &tally->comparisons, &tally->total,
					     sizeof(*added))
			      : NULL;
		if (!added)
			return -ENOMEM;
		*added = i;
		for (size_t j = 0; j + 1 < tally->total; j++)
			tally->has_shared_placement |=
				!strcmp(section_of(analysis, tally, j)->placement,
					analysis->results->sections[comparison->section].placement);
		count_comparison(comparison, tally);
	}
	return 0;
}

/* The worst news first, then the good, then what is open; what stayed the same comes last. */
static int rank_of(const struct tally *tally)
{
	if (tally->by_verdict[VERDICT_WORSE].count)
		return 0;
	if (tally->by_verdict[VERDICT_BETTER].count)
		return 1;
	if (tally->by_verdict[VERDICT_EQUIVALENT].count == tally->total)
		return 3;
	return tally->by_verdict[VERDICT_INCONCLUSIVE].count == tally->total ? 4 : 2;
}

/* How many tallies of a variant have that rank. */
static size_t count_rank(const struct tallies *tallies, size_t variant, int rank)
{
	size_t count = 0;

	for (size_t i = 0; i < tallies->count; i++)
		count +=
			tallies->items[i].variant == variant && rank_of(&tallies->items[i]) == rank;
	return count;
}

static void name_sections_with(const struct analysis *analysis, const struct tally *tally,
			       enum verdict verdict, struct buffer *text)
{
	const char *separator = " (";

	for (size_t i = 0; i < tally->total; i++) {
		const struct section_info *section = section_of(analysis, tally, i);

		if (analysis->comparisons[tally->comparisons[i]].verdict != verdict)
			continue;
		buffer_format(text, "%s%s", separator,
			      tally->has_shared_placement ? section->id : section->placement);
		separator = ", ";
	}
	buffer_add(text, ")");
}

/* "better in all 4 placements", "equivalent in 1 of 4 placements (same-cpu)" */
static void say_where(const struct analysis *analysis, const struct tally *tally,
		      enum verdict verdict, struct buffer *text)
{
	const char *where = tally->has_shared_placement ? "section" : "placement";
	size_t count = tally->by_verdict[verdict].count;

	buffer_format(text, "%s in ", verdict_word(verdict));
	if (count < tally->total) {
		buffer_format(text, "%zu of %zu %ss", count, tally->total, where);
		if (count <= 3)
			name_sections_with(analysis, tally, verdict, text);
	} else if (count > 2) {
		buffer_format(text, "all %zu %ss", count, where);
	} else if (count == 2) {
		buffer_format(text, "both %ss", where);
	} else {
		buffer_add(text, section_of(analysis, tally, 0)->placement);
	}
}

/* "19.0 times shorter" twice becomes "19.0 to 19.4 times shorter". */
static void say_change(double from, double to, const char *unit, struct buffer *text)
{
	char first[FORMATTED_MAX], second[FORMATTED_MAX];
	size_t number;

	format_change(first, from, unit);
	format_change(second, to, unit);
	number = strcspn(first, " ");
	if (!strcmp(first, second))
		buffer_add(text, first);
	else if (!strcmp(first + number, second + strcspn(second, " ")))
		buffer_format(text, "%.*s to %s", (int)number, first, second);
	else
		buffer_format(text, "%s to %s", first, second);
}

/* A range of ratios as changes, the smaller change first. */
static void say_smaller_first(double low, double high, const char *unit, struct buffer *text)
{
	bool is_down = high < 1;

	say_change(is_down ? high : low, is_down ? low : high, unit, text);
}

static void say_range(double low, double high, const char *unit, struct buffer *text)
{
	char from[FORMATTED_MAX], to[FORMATTED_MAX];

	format_value(from, low, unit);
	format_value(to, high, unit);
	if (strcmp(from, to))
		buffer_format(text, "%s to %s", from, to);
	else
		buffer_add(text, from);
}

static void say_centres(const struct analysis *analysis, const struct tally *tally,
			enum verdict verdict, bool is_other, struct buffer *text)
{
	double low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < tally->total; i++) {
		const struct comparison *one = &analysis->comparisons[tally->comparisons[i]];
		const struct group *group = is_other ? &one->other : &one->baseline;

		if (one->verdict != verdict)
			continue;
		low = fmin(low, group->centre);
		high = fmax(high, group->centre);
	}
	say_range(low, high, tally->metric->unit, text);
}

/* Where a ratio says nothing, since a value is 0 or negative: "0 ns with !proxy, 17.6 ms to
 * 20.6 ms with proxy". */
static void say_values(const struct analysis *analysis, const struct tally *tally,
		       enum verdict verdict, struct buffer *text)
{
	say_centres(analysis, tally, verdict, false, text);
	buffer_format(text, " with %s, ",
		      label_of(analysis, variant_baseline(analysis, tally->variant)));
	say_centres(analysis, tally, verdict, true, text);
	buffer_format(text, " with %s", label_of(analysis, tally->variant));
}

static void say_p(const struct spread *spread, struct buffer *text)
{
	char p[FORMATTED_MAX];

	format_p(p, spread->p_highest);
	buffer_format(text, ", p %s%s", *p == '<' ? "" : "<= ", p);
}

/* " (x 0.050 to 0.053)"; of one comparison with the range that it may be in: " (x 0.050, 95 %
 * range 0.048 to 0.052)". */
static void say_ratios(const struct analysis *analysis, const struct tally *tally,
		       const struct spread *spread, struct buffer *text)
{
	const struct comparison *only = &analysis->comparisons[tally->comparisons[0]];
	char low[FORMATTED_MAX], high[FORMATTED_MAX];

	format_ratio(low, spread->ratio_low);
	format_ratio(high, spread->ratio_high);
	buffer_format(text, " (x %s%s%s", low, strcmp(low, high) ? " to " : "",
		      strcmp(low, high) ? high : "");
	if (tally->total == 1 && !isnan(only->ratio_low))
		buffer_format(text, ", 95 %% range %s to %s", format_ratio(low, only->ratio_low),
			      format_ratio(high, only->ratio_high));
	buffer_add(text, ")");
}

/*
 * How much it is in the sections that have this verdict, the smaller change first: ": 18.9 to 19.9
 * times shorter (x 0.050 to 0.053), p <= 0.0087"; without a verdict ", so far 3.1 % longer".
 */
static void say_effect(const struct analysis *analysis, const struct tally *tally,
		       enum verdict verdict, struct buffer *text)
{
	const struct spread *spread = &tally->by_verdict[verdict];
	bool is_open = verdict == VERDICT_INCONCLUSIVE;

	if (verdict == VERDICT_NOT_MEASURED || (is_open && spread->without_ratio) ||
	    (!spread->without_ratio && !isfinite(spread->ratio_low)))
		return;
	buffer_add(text, is_open ? ", so far " : ": ");
	if (spread->without_ratio) {
		say_values(analysis, tally, verdict, text);
	} else {
		say_smaller_first(spread->ratio_low, spread->ratio_high, tally->metric->unit, text);
		if (!is_open)
			say_ratios(analysis, tally, spread, text);
	}
	if (!is_open)
		say_p(spread, text);
}

/* "proxy against !proxy: " */
static void add_pair(const struct analysis *analysis, size_t variant, struct buffer *text)
{
	buffer_format(text, "%s against %s: ", label_of(analysis, variant),
		      label_of(analysis, variant_baseline(analysis, variant)));
}

/* "donor wait", with its workload where there are several. */
static void add_name(const struct analysis *analysis, const struct tally *tally,
		     struct buffer *text)
{
	char shown[FORMATTED_MAX];

	if (has_several_workloads(analysis->results))
		buffer_format(text, "%s ", tally->workload);
	buffer_add(text, format_metric(shown, tally->metric, main_statistic(tally->metric->kind)));
}

/* Each verdict with the sections that have it and what they show: a range over all of them
 * would be nobody's. */
static int say_metric(struct analysis *analysis, const struct tally *tally)
{
	struct buffer text = {0};
	const char *separator = " ";

	add_pair(analysis, tally->variant, &text);
	add_name(analysis, tally, &text);
	for (enum verdict verdict = VERDICT_BETTER; verdict <= VERDICT_NOT_MEASURED; verdict++) {
		if (!tally->by_verdict[verdict].count)
			continue;
		buffer_add(&text, separator);
		say_where(analysis, tally, verdict, &text);
		say_effect(analysis, tally, verdict, &text);
		if (verdict == VERDICT_INCONCLUSIVE && tally->more_boots)
			buffer_format(&text, "; at least %zu more boot%s of each needed",
				      tally->more_boots, plural(tally->more_boots));
		separator = "; ";
	}
	if (tally->why_not)
		buffer_format(&text, ": %s", tally->why_not);
	buffer_add(&text, ".");
	return add_headline(analysis, &text);
}

/* Several metrics of one variant that are all equivalent, or all without a verdict, in one. */
static int say_together(struct analysis *analysis, const struct tallies *tallies, size_t variant,
			int rank)
{
	struct buffer text = {0};
	size_t more_boots = 0, sections = 0;
	const char *separator = "";

	add_pair(analysis, variant, &text);
	if (rank == 3)
		buffer_format(&text, "equivalent (within %.3g %%): ", 100 * analysis->margin);
	else
		buffer_add(&text, "inconclusive: ");
	for (size_t i = 0; i < tallies->count; i++) {
		const struct tally *tally = &tallies->items[i];

		if (tally->variant != variant || rank_of(tally) != rank)
			continue;
		buffer_add(&text, separator);
		add_name(analysis, tally, &text);
		separator = ", ";
		sections += tally->total;
		if (tally->more_boots > more_boots)
			more_boots = tally->more_boots;
	}
	buffer_format(&text, " (%zu verdicts)", sections);
	if (more_boots)
		buffer_format(&text, "; at least %zu more boot%s of each needed", more_boots,
			      plural(more_boots));
	buffer_add(&text, ".");
	return add_headline(analysis, &text);
}

static int say_rank(struct analysis *analysis, const struct tallies *tallies, int rank)
{
	int err = 0;

	for (size_t variant = 0; variant < analysis->results->n_variants && !err; variant++) {
		if (rank >= 3 && count_rank(tallies, variant, rank) > 1) {
			err = say_together(analysis, tallies, variant, rank);
			continue;
		}
		for (size_t i = 0; i < tallies->count && !err; i++)
			if (tallies->items[i].variant == variant &&
			    rank_of(&tallies->items[i]) == rank)
				err = say_metric(analysis, &tallies->items[i]);
	}
	return err;
}

#define MACHINES_NAMED 4

/* "better on 90, equivalent on 10; x 0.050 to 1.00" */
static void count_machine_verdicts(const struct analysis *analysis,
				   const struct comparison *combined, struct buffer *text)
{
	const struct heterogeneity *spread = &combined->heterogeneity;
	size_t counts[VERDICT_UNTESTED + 1] = {0};
	char least[FORMATTED_MAX], most[FORMATTED_MAX];
	const char *separator = "";

	for (size_t i = 0; i < analysis->n_by_machine; i++)
		if (is_same_comparison(&analysis->by_machine[i], combined))
			counts[analysis->by_machine[i].verdict]++;
	for (enum verdict verdict = VERDICT_BETTER; verdict <= VERDICT_NOT_MEASURED; verdict++) {
		if (!counts[verdict])
			continue;
		buffer_format(text, "%s%s on %zu", separator, verdict_word(verdict),
			      counts[verdict]);
		separator = ", ";
	}
	buffer_format(text, "; x %s to %s", format_ratio(least, spread->ratio_least),
		      format_ratio(most, spread->ratio_most));
}

/* "better on a (x 0.05), equivalent on b (x 1.00)"; of many machines how many say what. */
static void add_machine_verdicts(const struct analysis *analysis, const struct comparison *combined,
				 struct buffer *text)
{
	const char *separator = "";

	if (combined->n_machines > MACHINES_NAMED) {
		count_machine_verdicts(analysis, combined, text);
		return;
	}
	for (size_t i = 0; i < analysis->n_by_machine; i++) {
		const struct comparison *one = &analysis->by_machine[i];
		char ratio[FORMATTED_MAX];

		if (!is_same_comparison(one, combined))
			continue;
		buffer_format(text, "%s%s on %s (x %s)", separator, verdict_word(one->verdict),
			      analysis->results->machines[one->machine].name,
			      format_ratio(ratio, one->ratio));
		separator = ", ";
	}
}

/* One combined figure does not stand for machines that differ. */
static int say_machines(struct analysis *analysis)
{
	int err = 0;

	for (size_t i = 0; i < analysis->n_comparisons && !err; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		const struct section_info *section =
			&analysis->results->sections[comparison->section];
		struct buffer text = {0};
		char shown[FORMATTED_MAX], p[FORMATTED_MAX];

		if (!machines_disagree(analysis, comparison))
			continue;
		buffer_format(&text, "The machines disagree: %s against %s: %s in %s is ",
			      label_of(analysis, comparison->variant),
			      label_of(analysis, comparison->against),
			      format_metric(shown, metric_of(analysis, comparison),
					    comparison->statistic),
			      section->placement);
		add_machine_verdicts(analysis, comparison, &text);
		format_p(p, comparison->heterogeneity.p);
		buffer_format(&text, "; p of agreement %s%s.", *p == '<' ? "" : "= ", p);
		err = add_headline(analysis, &text);
	}
	return err;
}

static int say_metrics(struct analysis *analysis)
{
	struct tallies tallies = {0};
	int err = make_tallies(analysis, &tallies);

	for (int rank = 0; rank <= 4 && !err; rank++)
		err = say_rank(analysis, &tallies, rank);
	return err ? err : say_machines(analysis);
}

/* The range over a workload's sections of what a variant's boots have in the middle. */
static bool say_factor(const struct analysis *analysis, const char *workload, size_t variant,
		       struct buffer *text)
{
	double low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		const struct metric_info *metric = metric_of(analysis, comparison);
		const struct group *group =
			comparison->variant == variant ? &comparison->other : &comparison->baseline;

		if ((comparison->variant != variant && comparison->against != variant) ||
		    strcmp(metric->name, "inversion_factor") ||
		    strcmp(analysis->results->sections[comparison->section].workload, workload) ||
		    comparison->statistic != main_statistic(metric->kind) || isnan(group->centre))
			continue;
		low = fmin(low, group->centre);
		high = fmax(high, group->centre);
	}
	if (!isfinite(low))
		return false;
	say_range(low, high, "ratio", text);
	return true;
}

/* "20.2 to 23.7 with !proxy, 1.05 to 1.22 with proxy"; nothing where all variants have the same. */
static void say_factors(const struct analysis *analysis, const char *workload, struct buffer *text)
{
	struct buffer said = {0}, first = {0};
	bool is_same = true;
	size_t count = 0;

	for (size_t variant = 0; variant < analysis->results->n_variants; variant++) {
		struct buffer range = {0};

		if (say_factor(analysis, workload, variant, &range)) {
			buffer_format(&said, "%s%s with %s", count ? ", " : "",
				      range.text ? range.text : "", label_of(analysis, variant));
			if (!count++)
				buffer_add(&first, range.text ? range.text : "");
			is_same &= first.text && range.text && !strcmp(first.text, range.text);
		}
		text->failed |= range.failed;
		buffer_release(&range);
	}
	if (said.text && (count == 1 || !is_same))
		buffer_add(text, said.text);
	text->failed |= said.failed || first.failed;
	buffer_release(&said);
	buffer_release(&first);
}

/* The sections are in the order of their workloads. */
static int say_inversion(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	const char *last = "";
	struct buffer text = {0};

	for (size_t i = 0; i < results->n_sections; i++) {
		const char *workload = results->sections[i].workload;
		struct buffer factors = {0};

		if (strcmp(workload, last))
			say_factors(analysis, workload, &factors);
		last = workload;
		if (factors.length) {
			buffer_add(&text,
				   text.length ? "; "
					       : "Inversion factor (the wait over what the owner "
						 "still had to do; 1.0 is the limit): ");
			if (has_several_workloads(results))
				buffer_format(&text, "%s ", workload);
			buffer_add(&text, factors.text);
		}
		text.failed |= factors.failed;
		buffer_release(&factors);
	}
	if (!text.length && !text.failed) {
		buffer_release(&text);
		return 0;
	}
	buffer_add(&text, ".");
	return add_headline(analysis, &text);
}

/* " (ID)", or " in 4 sections (ID, ID, ID, ...)". */
static void name_violated(const struct analysis *analysis, const struct violation *violation,
			  struct buffer *text)
{
	const struct invariant *end = analysis->invariants + analysis->n_invariants;
	const struct results *results = analysis->results;
	size_t named = 0;

	if (violation->sections > 1)
		buffer_format(text, " in %zu sections", violation->sections);
	for (const struct invariant *one = violation->first; one < end && named < 3; one++)
		if (is_same_violation(results, one, violation->first))
			buffer_format(text, "%s%s", named++ ? ", " : " (",
				      results->sections[one->section].id);
	buffer_add(text, violation->sections > named ? ", ...)." : ").");
}

static int say_violation(struct analysis *analysis, const struct violation *violation)
{
	const struct invariant *first = violation->first;
	struct buffer text = {0};

	buffer_format(&text,
		      "VIOLATED with %s%s: %s was seen %llu time%s in %llu, and must be zero",
		      label_of(analysis, first->variant), violation_note(analysis, first),
		      analysis->results->sections[first->section].metrics[first->metric].name,
		      (unsigned long long)violation->violations, plural(violation->violations),
		      (unsigned long long)violation->exposure);
	name_violated(analysis, violation, &text);
	return add_headline(analysis, &text);
}

/* What counts comes before what does not. */
static int say_invariants(struct analysis *analysis)
{
	int err = 0;

	for (int has_note = 0; has_note < 2; has_note++)
		for (size_t i = 0; i < analysis->n_invariants && !err; i++) {
			struct violation violation;
			bool is_noted = *violation_note(analysis, &analysis->invariants[i]);

			if (is_noted == has_note && find_violation(analysis, i, &violation))
				err = say_violation(analysis, &violation);
		}
	return err;
}

/* The least release that is above @above (NULL: the least of all); NULL when there is none. */
static const char *next_release(const struct results *results, const char *above)
{
	const char *next = NULL;

	for (size_t i = 0; i < results->n_variants; i++) {
		const char *release = results->variants[i].release;

		if (release && (!above || release_compare(release, above) > 0) &&
		    (!next || release_compare(release, next) < 0))
			next = release;
	}
	return next;
}

/* "Linux 7.2.13, 7.3.1": each release once, in their order. */
static void add_kernels(const struct results *results, struct buffer *text)
{
	const char *release = next_release(results, NULL);

	buffer_add(text, release ? "Linux " : "An unknown kernel");
	while (release) {
		buffer_add(text, release);
		release = next_release(results, release);
		buffer_add(text, release ? ", " : "");
	}
}

/* ", 4 cores, 2 LLCs, 2 nodes": of a boot's topology, as far as it is known. */
static void add_topology(const struct boot *boot, struct buffer *text)
{
	static const struct {
		const char *key, *one, *many;
	} levels[] = {
		{"cores", "core", "cores"}, {"llcs", "LLC", "LLCs"}, {"nodes", "node", "nodes"}};
	struct json_object *topology = NULL, *count = NULL;

	if (!json_object_object_get_ex(boot_environment(boot), "topology", &topology) ||
	    !json_object_is_type(topology, json_type_object))
		return;
	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (json_object_object_get_ex(topology, levels[i].key, &count) &&
		    json_object_is_type(count, json_type_int))
			buffer_format(text, ", %lld %s", (long long)json_object_get_int64(count),
				      json_object_get_int64(count) == 1 ? levels[i].one
									: levels[i].many);
}

static const struct boot *boot_on(const struct results *results, size_t machine)
{
	for (size_t i = 0; i < results->n_boots; i++)
		if (results->boots[i].machine == machine && results->boots[i].end == BOOT_END_OK)
			return &results->boots[i];
	return NULL;
}

/* "vm 2x2x2: QEMU TCG CPU version 2.5+, 8 CPUs, 4 cores, 2 LLCs, 2 nodes" */
static void add_machine(const struct results *results, size_t index, struct buffer *text)
{
	const struct machine_info *machine = &results->machines[index];
	const struct boot *boot = boot_on(results, index);

	buffer_add(text, machine->name);
	if (machine->cpu_model)
		buffer_format(text, ": %s", machine->cpu_model);
	if (machine->cpus)
		buffer_format(text, "%s%llu CPU%s", machine->cpu_model ? ", " : ": ",
			      (unsigned long long)machine->cpus, plural(machine->cpus));
	if (boot)
		add_topology(boot, text);
}

static void add_machines(const struct results *results, struct buffer *text)
{
	size_t count = results->n_machines;

	if (count > 1)
		buffer_format(text, " on %zu machines: ", count);
	else if (count)
		buffer_add(text, " on ");
	for (size_t i = 0; i < count && i < MACHINES_NAMED; i++) {
		buffer_add(text, i ? "; " : "");
		add_machine(results, i, text);
	}
	if (count > MACHINES_NAMED)
		buffer_format(text, "; and %zu more", count - MACHINES_NAMED);
}

/* " (7.3.1)" behind a label, where kernels differ and the label does not say which it is. */
static void add_release(const struct results *results, size_t variant, struct buffer *text)
{
	const char *release = results->variants[variant].release;
	const char *least = next_release(results, NULL);

	if (release && next_release(results, least) &&
	    !strstr(results->variants[variant].label, release))
		buffer_format(text, " (%s)", release);
}

/* Kernel, machine, target, and how many boots the verdicts rest on. */
static int say_basis(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	struct buffer text = {0};

	add_kernels(results, &text);
	add_machines(results, &text);
	buffer_format(&text, "; target %s, %s time", results->target, results->time);
	for (size_t i = 0; i < results->n_variants; i++) {
		buffer_format(&text, "%s%zu boot%s of %s", i ? ", " : "; ",
			      analysis->variants[i].ok, plural(analysis->variants[i].ok),
			      label_of(analysis, i));
		add_release(results, i, &text);
	}
	buffer_add(&text, ".");
	return add_headline(analysis, &text);
}

/* Boots of a guest in real time that ended well while all their sections broke. */
static bool is_disturbed_guest(const struct analysis *analysis)
{
	return variants_measured(analysis) && !strcmp(analysis->results->target, "vm") &&
	       !strcmp(analysis->results->time, "real");
}

static int say_nothing_to_compare(struct analysis *analysis)
{
	struct buffer text = {0};

	if (analysis->exit_code == EXIT_CANNOT)
		buffer_add(
			&text,
			"Nothing could be measured: no boot has a section that is supported there.");
	else if (analysis->exit_code == EXIT_BROKE)
		buffer_format(&text, "Nothing was measured: every boot or section broke%s.",
			      is_disturbed_guest(analysis)
				      ? "; a guest in real time is easily disturbed: use "
					"--time=virtual or an idle machine"
				      : "");
	else if (variants_measured(analysis) < 2)
		buffer_format(&text,
			      "No verdict: only %s was measured, and there is nothing to compare "
			      "it with.",
			      analysis->variants[analysis->baseline].ok ||
					      !analysis->results->n_variants
				      ? label_of(analysis, analysis->baseline)
				      : "one variant");
	else if (analysis->tests[FAMILY_PRIMARY])
		buffer_add(&text, "No verdict: no primary metric was measured on both sides of a "
				  "comparison.");
	else
		buffer_add(&text, "No verdict: the variants have no primary metric in common.");
	return add_headline(analysis, &text);
}

int headline_make(struct analysis *analysis)
{
	size_t unmeasured = count_verdicts(analysis, FAMILY_PRIMARY, VERDICT_NOT_MEASURED);
	int err = reservations_make(analysis);

	if (err)
		return err;
	analysis->exit_code = findings_exit_code(analysis);
	err = say_invariants(analysis);
	if (!err &&
	    (unmeasured == analysis->tests[FAMILY_PRIMARY] || variants_measured(analysis) < 2))
		err = say_nothing_to_compare(analysis);
	if (!err && analysis->tests[FAMILY_PRIMARY] && variants_measured(analysis) >= 2)
		err = say_metrics(analysis);
	if (!err)
		err = say_inversion(analysis);
	return err ? err : say_basis(analysis);
}
