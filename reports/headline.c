// SPDX-License-Identifier: GPL-2.0-only
/* The sentences that a reader sees first, and the exit code that says the same. */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/buffer.h"
#include "reports/format.h"
#include "reports/findings.h"
#include "reports/overview.h"
#include "reports/sentences.h"

/* One metric by its name, over all sections, in one variant. */
struct tally {
	size_t total, by_verdict[VERDICT_UNTESTED + 1];
	double ratio_low, ratio_high, p_highest; /* over those that have the verdict */
	size_t more_boots; /* the most that any asks for, unless it is SIZE_MAX */
	const struct metric_info *metric;
	const char *why_not;	   /* of the first that was not measured; may be NULL */
	bool has_shared_placement; /* several sections in one placement */
};

static bool is_primary_of(const struct analysis *analysis, const struct comparison *comparison,
			  const char *name, size_t variant)
{
	return comparison->family == FAMILY_PRIMARY && comparison->variant == variant &&
	       !strcmp(metric_of(analysis, comparison)->name, name);
}

static void count_comparison(const struct comparison *comparison, struct tally *tally)
{
	tally->total++;
	tally->by_verdict[comparison->verdict]++;
	if (comparison->verdict == VERDICT_INCONCLUSIVE) {
		if (comparison->more_boots != SIZE_MAX &&
		    comparison->more_boots > tally->more_boots)
			tally->more_boots = comparison->more_boots;
		return;
	}
	if (comparison->verdict == VERDICT_NOT_MEASURED) {
		if (!tally->why_not)
			tally->why_not = comparison->reason;
		return;
	}
	tally->ratio_low = fmin(tally->ratio_low, comparison->ratio);
	tally->ratio_high = fmax(tally->ratio_high, comparison->ratio);
	tally->p_highest = fmax(tally->p_highest, comparison->verdict == VERDICT_EQUIVALENT
							  ? comparison->p_equivalence_adjusted
							  : comparison->p_adjusted);
}

static struct tally tally_metric(const struct analysis *analysis, const char *name, size_t variant)
{
	const struct section_info *sections = analysis->results->sections;
	struct tally tally = {.ratio_low = INFINITY, .ratio_high = -INFINITY};

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];

		if (!is_primary_of(analysis, comparison, name, variant))
			continue;
		for (size_t j = 0; j < i; j++)
			if (is_primary_of(analysis, &analysis->comparisons[j], name, variant) &&
			    !strcmp(sections[analysis->comparisons[j].section].placement,
				    sections[comparison->section].placement))
				tally.has_shared_placement = true;
		tally.metric = metric_of(analysis, comparison);
		count_comparison(comparison, &tally);
	}
	return tally;
}

static void name_sections_with(const struct analysis *analysis, const struct tally *tally,
			       size_t variant, enum verdict verdict, struct buffer *text)
{
	const char *separator = " (";

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		const struct section_info *section =
			&analysis->results->sections[comparison->section];

		if (comparison->verdict != verdict ||
		    !is_primary_of(analysis, comparison, tally->metric->name, variant))
			continue;
		buffer_format(text, "%s%s", separator,
			      tally->has_shared_placement ? section->id : section->placement);
		separator = ", ";
	}
	buffer_add(text, ")");
}

static const char *only_section(const struct analysis *analysis, const struct tally *tally,
				size_t variant)
{
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (is_primary_of(analysis, &analysis->comparisons[i], tally->metric->name,
				  variant))
			return analysis->results->sections[analysis->comparisons[i].section]
				.placement;
	return "";
}

static void say_verdicts(const struct analysis *analysis, const struct tally *tally, size_t variant,
			 struct buffer *text)
{
	const char *where = tally->has_shared_placement ? "section" : "placement";
	const char *separator = " ";

	for (enum verdict verdict = VERDICT_BETTER; verdict <= VERDICT_NOT_MEASURED; verdict++) {
		size_t count = tally->by_verdict[verdict];

		if (!count)
			continue;
		if (count == tally->total) {
			buffer_format(text, " %s in ", verdict_word(verdict));
			if (count > 1)
				buffer_format(text, "all %zu %ss", count, where);
			else
				buffer_add(text, only_section(analysis, tally, variant));
			return;
		}
		buffer_format(text, "%s%s in %zu of %zu %ss", separator, verdict_word(verdict),
			      count, tally->total, where);
		if (count <= 3)
			name_sections_with(analysis, tally, variant, verdict, text);
		separator = ", ";
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

/* ": x 0.052 to 0.053 (19.0 to 19.4 times shorter), p <= 0.0087"; the smaller change first. */
static void say_effect(const struct tally *tally, struct buffer *text)
{
	char low[FORMATTED_MAX], high[FORMATTED_MAX], p[FORMATTED_MAX];
	bool is_down = tally->ratio_high < 1;

	if (!(tally->ratio_low > 0) || !isfinite(tally->ratio_high))
		return;
	format_ratio(low, tally->ratio_low);
	format_ratio(high, tally->ratio_high);
	buffer_format(text, ": x %s%s%s (", low, strcmp(low, high) ? " to " : "",
		      strcmp(low, high) ? high : "");
	say_change(is_down ? tally->ratio_high : tally->ratio_low,
		   is_down ? tally->ratio_low : tally->ratio_high, tally->metric->unit, text);
	buffer_format(text, "), p %s%s",
		      tally->p_highest < 0.0001 ? "" : "<= ", format_p(p, tally->p_highest));
}

static int say_metric(struct analysis *analysis, const char *name, size_t variant)
{
	struct tally tally = tally_metric(analysis, name, variant);
	struct buffer text = {0};
	char shown[FORMATTED_MAX];

	buffer_format(&text, "%s against %s: %s", label_of(analysis, variant),
		      label_of(analysis, analysis->baseline),
		      format_metric(shown, tally.metric, main_statistic(tally.metric->kind)));
	say_verdicts(analysis, &tally, variant, &text);
	say_effect(&tally, &text);
	if (tally.more_boots)
		buffer_format(&text, "; at least %zu more boot%s of each needed", tally.more_boots,
			      plural(tally.more_boots));
	if (tally.why_not)
		buffer_format(&text, "; not measured there (%s)", tally.why_not);
	buffer_add(&text, ".");
	return add_headline(analysis, &text);
}

static bool is_first_of_its_name(const struct analysis *analysis, size_t index)
{
	const struct comparison *comparison = &analysis->comparisons[index];
	const char *name = metric_of(analysis, comparison)->name;

	for (size_t i = 0; i < index; i++)
		if (is_primary_of(analysis, &analysis->comparisons[i], name, comparison->variant))
			return false;
	return comparison->family == FAMILY_PRIMARY;
}

static int say_metrics(struct analysis *analysis)
{
	int err = 0;

	for (size_t i = 0; i < analysis->n_comparisons && !err; i++)
		if (is_first_of_its_name(analysis, i))
			err = say_metric(analysis,
					 metric_of(analysis, &analysis->comparisons[i])->name,
					 analysis->comparisons[i].variant);
	return err;
}

/* The range over the sections of what a variant's boots have in the middle. */
static bool centre_range(const struct analysis *analysis, const char *name, bool is_baseline,
			 size_t variant, double *low, double *high)
{
	*low = INFINITY;
	*high = -INFINITY;
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		const struct metric_info *metric = metric_of(analysis, comparison);
		const struct group *group =
			is_baseline ? &comparison->baseline : &comparison->other;

		if (strcmp(metric->name, name) || comparison->variant != variant ||
		    comparison->statistic != main_statistic(metric->kind) || isnan(group->centre))
			continue;
		*low = fmin(*low, group->centre);
		*high = fmax(*high, group->centre);
	}
	return isfinite(*low);
}

static void say_range(double low, double high, struct buffer *text)
{
	char from[FORMATTED_MAX], to[FORMATTED_MAX];

	format_value(from, low, "ratio");
	format_value(to, high, "ratio");
	if (strcmp(from, to))
		buffer_format(text, "%s to %s", from, to);
	else
		buffer_add(text, from);
}

static int say_inversion(struct analysis *analysis)
{
	for (size_t variant = 0; variant < analysis->results->n_variants; variant++) {
		struct buffer text = {0};
		double low, high;
		int err;

		if (variant == analysis->baseline ||
		    !centre_range(analysis, "inversion_factor", false, variant, &low, &high))
			continue;
		buffer_add(&text, "Inversion factor (the wait over what the owner still had to do; "
				  "1.0 is the limit): ");
		say_range(low, high, &text);
		buffer_format(&text, " with %s", label_of(analysis, variant));
		if (centre_range(analysis, "inversion_factor", true, variant, &low, &high)) {
			buffer_add(&text, ", ");
			say_range(low, high, &text);
			buffer_format(&text, " with %s", label_of(analysis, analysis->baseline));
		}
		buffer_add(&text, ".");
		err = add_headline(analysis, &text);
		if (err)
			return err;
	}
	return 0;
}

static int say_invariants(struct analysis *analysis)
{
	int err = 0;

	for (size_t i = 0; i < analysis->n_invariants && !err; i++) {
		const struct invariant *invariant = &analysis->invariants[i];
		const struct section_info *section =
			&analysis->results->sections[invariant->section];
		struct buffer text = {0};

		if (invariant->verdict != VERDICT_VIOLATED)
			continue;
		buffer_format(
			&text,
			"VIOLATED with %s: %s was seen %llu time%s in %llu, and must be zero (%s).",
			label_of(analysis, invariant->variant),
			section->metrics[invariant->metric].name,
			(unsigned long long)invariant->violations, plural(invariant->violations),
			(unsigned long long)invariant->exposure, section->id);
		err = add_headline(analysis, &text);
	}
	return err;
}

/* One tested machine and kernel in a few words, and how many boots the verdicts rest on. */
static int say_basis(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	struct buffer text = {0};

	for (size_t i = 0; i < results->n_variants; i++)
		buffer_format(&text, "%s%zu boot%s of %s", i ? ", " : "", analysis->variants[i].ok,
			      plural(analysis->variants[i].ok), label_of(analysis, i));
	buffer_format(&text, "; target %s, %s time", results->target, results->time);
	if (results->n_variants && analysis->variants[analysis->baseline].example) {
		struct json_object *environment =
			boot_environment(analysis->variants[analysis->baseline].example);
		const char *release =
			json_text_at(environment, (const char *[]){"kernel", "release", NULL});
		const char *cpu = json_text_at(environment, (const char *[]){"cpu", "model", NULL});

		if (release)
			buffer_format(&text, ", Linux %s", release);
		if (cpu)
			buffer_format(&text, " on %s", cpu);
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
	else
		buffer_add(&text, "No verdict: the variants have no primary metric in common.");
	return add_headline(analysis, &text);
}

int headline_make(struct analysis *analysis)
{
	int err = reservations_make(analysis);

	if (err)
		return err;
	analysis->exit_code = findings_exit_code(analysis);
	err = say_invariants(analysis);
	if (!err && (!analysis->tests[FAMILY_PRIMARY] || variants_measured(analysis) < 2))
		err = say_nothing_to_compare(analysis);
	else if (!err)
		err = say_metrics(analysis);
	if (!err)
		err = say_inversion(analysis);
	return err ? err : say_basis(analysis);
}
