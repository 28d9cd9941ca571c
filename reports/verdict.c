// SPDX-License-Identifier: GPL-2.0-only
#include "reports/verdict.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/compare.h"
#include "reports/groups.h"
#include "reports/overview.h"
#include "reports/sequential.h"

static const char *const verdict_words[] = {
	[VERDICT_BETTER] = "better",
	[VERDICT_WORSE] = "worse",
	[VERDICT_EQUIVALENT] = "equivalent",
	[VERDICT_INCONCLUSIVE] = "inconclusive",
	[VERDICT_NOT_MEASURED] = "not-measured",
	[VERDICT_NOT_JUDGED] = "not-judged",
	[VERDICT_AGREE] = "agree",
	[VERDICT_DISAGREE] = "disagree",
	[VERDICT_UNCLEAR] = "unclear",
	[VERDICT_HELD] = "held",
	[VERDICT_VIOLATED] = "violated",
	[VERDICT_UNTESTED] = "untested",
};

const char *verdict_word(enum verdict verdict)
{
	return verdict_words[verdict];
}

double shown_p(const struct comparison *comparison)
{
	if (comparison->family == FAMILY_CONTROL)
		return comparison->p_equivalence;
	return comparison->verdict == VERDICT_EQUIVALENT ? comparison->p_equivalence_adjusted
							 : comparison->p_adjusted;
}

bool is_control_role(enum metric_role role)
{
	return role == ROLE_POSITIVE_CONTROL || role == ROLE_NEGATIVE_CONTROL;
}

enum statistic main_statistic(enum metric_kind kind)
{
	return kind == METRIC_DISTRIBUTION ? STATISTIC_P50 : STATISTIC_VALUE;
}

static enum family family_of(const struct metric_info *metric, enum statistic statistic)
{
	if (is_control_role(metric->role))
		return FAMILY_CONTROL;
	if (metric->direction == NO_DIRECTION || metric->role == ROLE_INFORMATIVE ||
	    statistic == STATISTIC_MAX)
		return FAMILY_NONE;
	if (metric->role == ROLE_PRIMARY && statistic == main_statistic(metric->kind))
		return FAMILY_PRIMARY;
	return FAMILY_SECONDARY;
}

static struct comparison new_comparison(const struct analysis *analysis, size_t section,
					size_t metric, enum statistic statistic, size_t variant)
{
	const struct metric_info *info = &analysis->results->sections[section].metrics[metric];

	return (struct comparison){.section = section,
				   .metric = metric,
				   .variant = variant,
				   .against = variant_baseline(analysis, variant),
				   .machine = ALL_MACHINES,
				   .statistic = statistic,
				   .family = family_of(info, statistic),
				   .ratio = NAN,
				   .ratio_low = NAN,
				   .ratio_high = NAN,
				   .heterogeneity = {NAN, NAN, NAN, NAN, NAN},
				   .p_adjusted = NAN,
				   .p_equivalence = NAN,
				   .p_equivalence_adjusted = NAN,
				   .permutation.p = NAN};
}

/*
 * A tail that neither side's samples carry is no comparison; a main figure that is missing
 * is one, which could not be measured.
 */
static bool is_worth_it(const struct comparison *comparison, enum metric_kind kind)
{
	if (comparison->statistic == main_statistic(kind) && comparison->machine == ALL_MACHINES)
		return comparison->baseline.n_boots || comparison->other.n_boots ||
		       comparison->reason;
	return comparison_boots(comparison) > 0;
}

static int add_comparison(struct analysis *analysis, struct boot_index *index,
			  struct comparison comparison)
{
	const struct section_info *section = &analysis->results->sections[comparison.section];
	struct comparison *added;
	int err = groups_make(index, &analysis->arena, &comparison);

	if (err || !is_worth_it(&comparison, section->metrics[comparison.metric].kind))
		return err;
	added = comparison.machine == ALL_MACHINES
			? arena_append(&analysis->arena, &analysis->comparisons,
				       &analysis->n_comparisons, sizeof(*added))
			: arena_append(&analysis->arena, &analysis->by_machine,
				       &analysis->n_by_machine, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = comparison;
	return 0;
}

/* The same for every machine, where there are several and the metric is worth a family. */
static int add_machines(struct analysis *analysis, struct boot_index *index,
			struct comparison comparison)
{
	int err = 0;

	if (comparison.family != FAMILY_PRIMARY || analysis->results->n_machines < 2)
		return 0;
	for (size_t i = 0; i < analysis->results->n_machines && !err; i++) {
		comparison.machine = i;
		err = add_comparison(analysis, index, comparison);
	}
	return err;
}

static bool is_statistic_of(const struct metric_info *metric, int statistic)
{
	if (metric->kind == METRIC_INVARIANT)
		return false;
	if (metric->kind != METRIC_DISTRIBUTION)
		return statistic == STATISTIC_VALUE;
	if (metric->role == ROLE_PRIMARY || metric->role == ROLE_SECONDARY)
		return statistic != STATISTIC_VALUE;
	return statistic == STATISTIC_P50;
}

static int compare_metric(struct analysis *analysis, struct boot_index *index, size_t section,
			  size_t metric)
{
	const struct results *results = analysis->results;
	int err = 0;

	for (int statistic = 0; statistic < STATISTICS; statistic++) {
		if (!is_statistic_of(&results->sections[section].metrics[metric], statistic))
			continue;
		for (size_t variant = 0; variant < results->n_variants && !err; variant++) {
			struct comparison comparison = new_comparison(
				analysis, section, metric, (enum statistic)statistic, variant);

			if (variant == analysis->baseline)
				continue;
			err = add_comparison(analysis, index, comparison);
			if (!err)
				err = add_machines(analysis, index, comparison);
		}
	}
	return err;
}

static int compare_all(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	struct boot_index index = {0};
	int err = boot_index_make(&index, &analysis->arena, results);

	for (size_t section = 0; section < results->n_sections; section++)
		for (size_t metric = 0; metric < results->sections[section].n_metrics; metric++)
			if (!err)
				err = compare_metric(analysis, &index, section, metric);
	if (!err)
		err = comparisons_compute(analysis, analysis->comparisons, analysis->n_comparisons);
	return err ? err
		   : comparisons_compute(analysis, analysis->by_machine, analysis->n_by_machine);
}

/*
 * The p values of one family through the correction for many tests. One member that
 * could not be tested counts as a test with p = 1, so that losing data never makes
 * the others easier.
 */
static int adjust_family(struct comparison *list, size_t count, enum family family, size_t from,
			 size_t to, size_t *tests)
{
	int (*adjust)(double *, size_t) =
		family == FAMILY_SECONDARY ? benjamini_hochberg_adjust : holm_adjust;
	double *p = calloc(count + 1, sizeof(*p));
	size_t n = 0;
	int err;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		double value = *(const double *)((const char *)&list[i] + from);

		if (list[i].family == family)
			p[n++] = isnan(value) ? 1 : value;
	}
	err = adjust(p, n);
	*tests = n;
	n = 0;
	for (size_t i = 0; i < count && !err; i++) {
		char *comparison = (char *)&list[i];

		if (list[i].family != family)
			continue;
		if (!isnan(*(double *)(comparison + from)))
			*(double *)(comparison + to) = p[n];
		n++;
	}
	free(p);
	return err;
}

static int adjust_all(struct comparison *list, size_t count, size_t tests[FAMILIES])
{
	const size_t p = offsetof(struct comparison, permutation.p);
	const size_t p_adjusted = offsetof(struct comparison, p_adjusted);
	const size_t equivalence = offsetof(struct comparison, p_equivalence);
	const size_t equivalence_adjusted = offsetof(struct comparison, p_equivalence_adjusted);
	int err = 0;

	for (int family = 0; family < FAMILY_NONE && !err; family++) {
		err = adjust_family(list, count, (enum family)family, p, p_adjusted,
				    &tests[family]);
		if (!err)
			err = adjust_family(list, count, (enum family)family, equivalence,
					    equivalence_adjusted, &tests[family]);
	}
	return err;
}

/* How many boots more would do: first what the test itself asks for, then the spread. */
static void set_more_boots(struct analysis *analysis, struct comparison *comparison, size_t tests)
{
	size_t machines = comparison->n_machines > 1 ? comparison->n_machines : 1;
	/* Of each variant on each machine; where they have not the same number, the mean. */
	size_t have = (comparison_boots(comparison) + machines - 1) / machines;
	size_t least = permutation_boots_needed(analysis->alpha, tests, machines,
						comparison->test == TEST_PAIRED);
	double alpha = analysis->alpha / (double)tests;
	size_t difference, equivalence, needed;

	if (have < least) {
		comparison->more_boots = least - have;
		comparison->reason = arena_format(
			&analysis->arena,
			"%zu boot%s of each%s cannot decide %zu test%s; %zu could", have,
			have == 1 ? "" : "s", machines > 1 ? " on each machine" : "", tests,
			tests == 1 ? "" : "s", least);
		return;
	}
	difference = boots_for_difference(&comparison->difference, have, alpha);
	equivalence =
		boots_for_equivalence(&comparison->difference, have, alpha, comparison->margin);
	needed = difference < equivalence ? difference : equivalence;
	if (needed == SIZE_MAX)
		comparison->more_boots = SIZE_MAX;
	else
		comparison->more_boots = needed > have ? needed - have : 1;
	comparison->reason = "the boots differ among themselves too much to tell";
}

static void decide_control(const struct analysis *analysis, struct comparison *comparison)
{
	comparison->verdict = VERDICT_UNCLEAR;
	/* Each control speaks for itself: agreement is not corrected for many. */
	if (comparison->p_equivalence <= analysis->alpha)
		comparison->verdict = VERDICT_AGREE;
	else if (comparison->p_adjusted <= analysis->alpha)
		comparison->verdict = VERDICT_DISAGREE;
	else
		comparison->reason = "neither agreement nor a difference is shown by so few boots";
}

/*
 * A difference that is real is called equivalent only where the whole interval, and not its
 * one-sided cousin, is within the margin: both one-sided tests at half the level.
 */
static bool is_equivalent(const struct analysis *analysis, const struct comparison *comparison)
{
	bool is_different = comparison->p_adjusted <= analysis->alpha;

	return comparison->p_equivalence_adjusted <=
	       (is_different ? analysis->alpha / 2 : analysis->alpha);
}

/* @primary_tests: how many share the correction with a primary one. */
static void decide(struct analysis *analysis, struct comparison *comparison, size_t primary_tests)
{
	const struct metric_info *metric =
		&analysis->results->sections[comparison->section].metrics[comparison->metric];
	bool is_up = comparison->difference.mean > 0;

	if (comparison->family == FAMILY_NONE) {
		comparison->verdict = VERDICT_NOT_JUDGED;
	} else if (!comparison_boots(comparison)) {
		comparison->verdict = VERDICT_NOT_MEASURED; /* overview_make says why */
	} else if (comparison->family == FAMILY_CONTROL) {
		decide_control(analysis, comparison);
	} else if (is_equivalent(analysis, comparison)) {
		comparison->verdict = VERDICT_EQUIVALENT;
		if (is_identical(comparison))
			comparison->reason = "the same figure to the last digit with every seed";
		else if (comparison->p_adjusted <= analysis->alpha)
			comparison->reason = "the difference is real, and within the margin";
	} else if (comparison->p_adjusted <= analysis->alpha) {
		comparison->verdict = is_up == (metric->direction == HIGHER_IS_BETTER)
					      ? VERDICT_BETTER
					      : VERDICT_WORSE;
	} else {
		comparison->verdict = VERDICT_INCONCLUSIVE;
		set_more_boots(analysis, comparison,
			       comparison->family == FAMILY_PRIMARY ? primary_tests : 1);
	}
}

static size_t find_label(const struct results *results, const char *label, bool is_plain)
{
	for (size_t i = 0; label && i < results->n_variants; i++) {
		const struct variant_info *variant = &results->variants[i];

		if (!strcmp(is_plain ? variant->plain_label : variant->label, label))
			return i;
	}
	return SIZE_MAX;
}

/* The first variant that the first campaign's file names. */
static const char *first_planned_label(const struct results *results)
{
	struct json_object *list = NULL;

	for (size_t i = 0; i < results->n_campaigns; i++)
		if (results->campaigns[i].document &&
		    json_object_object_get_ex(results->campaigns[i].document, "variants", &list) &&
		    json_object_is_type(list, json_type_array))
			return json_text_at(json_object_array_get_idx(list, 0),
					    (const char *[]){"label", NULL});
	return NULL;
}

static int choose_baseline(struct analysis *analysis, const char *wanted)
{
	const struct results *results = analysis->results;
	size_t found = find_label(results, wanted, false);

	if (found == SIZE_MAX)
		found = find_label(results, wanted, true);
	if (wanted && found == SIZE_MAX) {
		snprintf(analysis->error, sizeof(analysis->error),
			 "--baseline: there is no variant '%.60s' here; the first one is '%.60s'",
			 wanted, results->n_variants ? results->variants[0].label : "");
		return -EINVAL;
	}
	if (found == SIZE_MAX)
		found = find_label(results, "!proxy", true);
	if (found == SIZE_MAX)
		found = find_label(results, first_planned_label(results), true);
	analysis->baseline = found == SIZE_MAX ? 0 : found;
	return 0;
}

static bool is_known_same(const char *one, const char *other)
{
	return one && other && !strcmp(one, other);
}

static bool is_baseline_label(const struct analysis *analysis, size_t variant)
{
	const struct variant_info *variants = analysis->results->variants;

	return !strcmp(variants[variant].plain_label, variants[analysis->baseline].plain_label);
}

size_t variant_baseline(const struct analysis *analysis, size_t variant)
{
	const struct results *results = analysis->results;
	const struct variant_info *of = &results->variants[variant];
	size_t same_kernel = SIZE_MAX;

	if (is_baseline_label(analysis, variant))
		return analysis->baseline;
	for (size_t i = 0; i < results->n_variants; i++) {
		const struct variant_info *candidate = &results->variants[i];

		if (!is_baseline_label(analysis, i))
			continue;
		if (is_known_same(of->image_sha256, candidate->image_sha256))
			return i;
		if (same_kernel == SIZE_MAX && is_known_same(of->kernel, candidate->kernel))
			same_kernel = i;
	}
	return same_kernel != SIZE_MAX ? same_kernel : analysis->baseline;
}

/* Zero is not said: the default. Intervals are never narrower than the usual ones. */
static void set_levels(struct analysis *analysis, const struct analysis_options *options)
{
	analysis->margin = options && options->margin > 0 ? options->margin : VERDICT_MARGIN;
	analysis->control_margin = fmax(VERDICT_CONTROL_MARGIN, analysis->margin);
	analysis->alpha = options && options->alpha > 0 ? options->alpha : VERDICT_ALPHA;
	/* A campaign that may stop early spends the level look by look. */
	analysis->alpha *= sequential_share(analysis->results);
	analysis->confidence = fmax(VERDICT_CONFIDENCE, 1 - analysis->alpha);
}

static int judge(struct analysis *analysis)
{
	size_t tests[FAMILIES];
	int err = adjust_all(analysis->comparisons, analysis->n_comparisons, analysis->tests);

	if (!err)
		err = adjust_all(analysis->by_machine, analysis->n_by_machine, tests);
	for (size_t i = 0; i < analysis->n_comparisons && !err; i++)
		decide(analysis, &analysis->comparisons[i], analysis->tests[FAMILY_PRIMARY]);
	for (size_t i = 0; i < analysis->n_by_machine && !err; i++)
		decide(analysis, &analysis->by_machine[i], tests[FAMILY_PRIMARY]);
	return err;
}

int analysis_compare(struct analysis *analysis, const struct results *results,
		     const struct analysis_options *options)
{
	int err;

	*analysis =
		(struct analysis){.results = results, .fail_on = options ? options->fail_on : 0};
	set_levels(analysis, options);
	err = choose_baseline(analysis, options ? options->baseline : NULL);
	if (!err)
		err = compare_all(analysis);
	return err ? err : judge(analysis);
}

int analysis_make(struct analysis *analysis, const struct results *results,
		  const struct analysis_options *options)
{
	int err = analysis_compare(analysis, results, options);

	return err ? err : overview_make(analysis);
}

void analysis_release(struct analysis *analysis)
{
	arena_release(&analysis->arena);
	*analysis = (struct analysis){0};
}

const struct comparison *analysis_find(const struct analysis *analysis, size_t section,
				       const char *metric, enum statistic statistic, size_t variant)
{
	const struct section_info *info = &analysis->results->sections[section];

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];

		if (comparison->section == section && comparison->variant == variant &&
		    comparison->statistic == statistic &&
		    !strcmp(info->metrics[comparison->metric].name, metric))
			return comparison;
	}
	return NULL;
}
