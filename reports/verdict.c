// SPDX-License-Identifier: GPL-2.0-only
#include "reports/verdict.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/overview.h"

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

/* What a boot that went well says; NaN when it says nothing. */
static double boot_value(const struct boot *boot, size_t section, size_t metric,
			 enum statistic statistic)
{
	const struct section_result *result = boot_section(boot, section);
	const struct measurement *measurement = boot_measurement(boot, section, metric);

	if (boot->end != BOOT_END_OK || !measurement || result->outcome != OUTCOME_OK ||
	    measurement->outcome != OUTCOME_OK)
		return NAN;
	return measurement->statistic[statistic];
}

int group_collect(struct arena *arena, const struct results *results, size_t section, size_t metric,
		  enum statistic statistic, size_t variant, struct group *out)
{
	*out = (struct group){.centre = NAN};
	out->values = arena_alloc(arena, results->n_boots * sizeof(double));
	out->boots = arena_alloc(arena, results->n_boots * sizeof(size_t));
	if (results->n_boots && (!out->values || !out->boots))
		return -ENOMEM;
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];
		double value;

		if (boot->variant != variant)
			continue;
		value = boot_value(boot, section, metric, statistic);
		if (isnan(value))
			continue;
		out->values[out->n_boots] = value;
		out->boots[out->n_boots++] = i;
		out->samples += boot_measurement(boot, section, metric)->samples;
	}
	return 0;
}

static bool is_all_positive(const struct group *group)
{
	for (size_t i = 0; i < group->n_boots; i++)
		if (group->values[i] <= 0)
			return false;
	return true;
}

static bool is_all_zero(const struct group *group)
{
	for (size_t i = 0; i < group->n_boots; i++)
		if (group->values[i] != 0)
			return false;
	return true;
}

static bool is_in_rounds(const struct results *results, const struct boot *boot)
{
	const char *pairing = results->campaigns[boot->campaign].pairing;

	return pairing ? !strcmp(pairing, "rounds") : !strcmp(results->time, "real");
}

static size_t find_partner(const struct results *results, const struct group *others,
			   const bool *is_taken, const struct boot *boot)
{
	for (size_t i = 0; i < others->n_boots; i++) {
		const struct boot *other = &results->boots[others->boots[i]];

		if (!is_taken[i] && other->campaign == boot->campaign &&
		    other->round == boot->round)
			return i;
	}
	return SIZE_MAX;
}

static size_t keep_pairs(struct arena *arena, struct comparison *comparison, const size_t *pairs,
			 size_t n_pairs)
{
	struct group *groups[] = {&comparison->baseline, &comparison->other};

	for (size_t side = 0; side < 2; side++) {
		struct group *group = groups[side];
		double *values = arena_alloc(arena, n_pairs * sizeof(*values));
		size_t *boots = arena_alloc(arena, n_pairs * sizeof(*boots));

		if (!values || !boots)
			return 0;
		for (size_t i = 0; i < n_pairs; i++) {
			values[i] = group->values[pairs[2 * i + side]];
			boots[i] = group->boots[pairs[2 * i + side]];
		}
		group->left_out = group->n_boots - n_pairs;
		group->values = values;
		group->boots = boots;
		group->n_boots = n_pairs;
	}
	return n_pairs;
}

/*
 * Matches the boots of one round. Where no more than a quarter of the smaller group
 * is without a partner, both groups are cut down to the pairs, in the same order,
 * and their number is returned; else, or without rounds, nothing is touched: 0.
 */
static size_t make_pairs(struct arena *arena, const struct results *results,
			 struct comparison *comparison)
{
	struct group *a = &comparison->baseline, *b = &comparison->other;
	size_t smaller = a->n_boots < b->n_boots ? a->n_boots : b->n_boots, n_pairs = 0;
	bool *is_taken = arena_alloc(arena, b->n_boots + 1);
	size_t *pairs = arena_alloc(arena, (2 * smaller + 1) * sizeof(*pairs));

	if (!is_taken || !pairs)
		return 0;
	for (size_t i = 0; i < a->n_boots; i++) {
		const struct boot *boot = &results->boots[a->boots[i]];
		size_t partner = is_in_rounds(results, boot)
					 ? find_partner(results, b, is_taken, boot)
					 : SIZE_MAX;

		if (partner == SIZE_MAX)
			continue;
		is_taken[partner] = true;
		pairs[2 * n_pairs] = i;
		pairs[2 * n_pairs++ + 1] = partner;
	}
	if (!n_pairs || 4 * n_pairs < 3 * smaller)
		return 0;
	return keep_pairs(arena, comparison, pairs, n_pairs);
}

static double *to_scale(struct arena *arena, const struct group *group, bool is_log)
{
	double *out = arena_alloc(arena, (group->n_boots + 1) * sizeof(*out));

	for (size_t i = 0; out && i < group->n_boots; i++)
		out[i] = is_log ? log(group->values[i]) : group->values[i];
	return out;
}

static double centre_of(const struct group *group, const double *scaled, bool is_log)
{
	if (!group->n_boots)
		return NAN;
	return is_log ? exp(mean_of(scaled, group->n_boots)) : mean_of(scaled, group->n_boots);
}

static int test_pairs(const double *a, const double *b, size_t n, double confidence,
		      struct comparison *comparison, struct interval *interval)
{
	double *differences = malloc(n * sizeof(*differences));
	int err = 0;

	if (!differences)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		differences[i] = b[i] - a[i];
	comparison->test = TEST_PAIRED;
	comparison->difference = difference_paired(differences, n);
	permutation_paired(differences, n, &comparison->permutation);
	if (confidence > 0)
		err = bootstrap_paired(differences, n, confidence, interval);
	free(differences);
	return err;
}

static int test_groups(const double *a, const double *b, double confidence,
		       struct comparison *comparison, struct interval *interval)
{
	size_t n_a = comparison->baseline.n_boots, n_b = comparison->other.n_boots;
	int err;

	comparison->test = TEST_INDEPENDENT;
	comparison->difference = difference_independent(a, n_a, b, n_b);
	err = permutation_independent(a, n_a, b, n_b, &comparison->permutation);
	if (!err && confidence > 0)
		err = bootstrap_independent(a, n_a, b, n_b, confidence, interval);
	return err;
}

static void set_ratio(struct comparison *comparison, const struct interval *interval)
{
	double before = comparison->baseline.centre, after = comparison->other.centre;

	if (before > 0 && after >= 0)
		comparison->ratio = after / before;
	if (comparison->is_log && interval->is_valid) {
		comparison->ratio_low = exp(interval->low);
		comparison->ratio_high = exp(interval->high);
	}
}

/* Two one-sided tests; not from fewer boots than an interval needs. */
static void set_equivalence(struct comparison *comparison, double margin, size_t boots)
{
	comparison->margin =
		comparison->is_log ? log1p(margin) : margin * fabs(comparison->baseline.centre);
	if (boots < INTERVAL_MIN_BOOTS)
		return;
	if (is_all_zero(&comparison->baseline) && is_all_zero(&comparison->other))
		comparison->p_equivalence = 0;
	else
		comparison->p_equivalence = equivalence_p(&comparison->difference,
							  -comparison->margin, comparison->margin);
}

static size_t boots_of(const struct comparison *comparison)
{
	size_t a = comparison->baseline.n_boots, b = comparison->other.n_boots;

	return a < b ? a : b;
}

static int compute(struct analysis *analysis, struct comparison *comparison)
{
	/* What is not judged is given without an interval. */
	double confidence = comparison->family != FAMILY_NONE ? analysis->confidence : 0;
	struct interval interval = {0};
	double *a, *b;
	int err;

	comparison->n_pairs = make_pairs(&analysis->arena, analysis->results, comparison);
	comparison->is_log =
		is_all_positive(&comparison->baseline) && is_all_positive(&comparison->other);
	a = to_scale(&analysis->arena, &comparison->baseline, comparison->is_log);
	b = to_scale(&analysis->arena, &comparison->other, comparison->is_log);
	if (!a || !b)
		return -ENOMEM;
	comparison->baseline.centre = centre_of(&comparison->baseline, a, comparison->is_log);
	comparison->other.centre = centre_of(&comparison->other, b, comparison->is_log);
	if (!boots_of(comparison))
		return 0;
	if (comparison->n_pairs)
		err = test_pairs(a, b, comparison->n_pairs, confidence, comparison, &interval);
	else
		err = test_groups(a, b, confidence, comparison, &interval);
	set_ratio(comparison, &interval);
	set_equivalence(comparison,
			comparison->family == FAMILY_CONTROL ? analysis->control_margin
							     : analysis->margin,
			boots_of(comparison));
	return err;
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

static int add_comparison(struct analysis *analysis, size_t section, size_t metric,
			  enum statistic statistic, size_t variant)
{
	const struct results *results = analysis->results;
	const struct metric_info *info = &results->sections[section].metrics[metric];
	struct comparison comparison = {.section = section,
					.metric = metric,
					.variant = variant,
					.against = variant_baseline(analysis, variant),
					.statistic = statistic,
					.family = family_of(info, statistic),
					.ratio = NAN,
					.ratio_low = NAN,
					.ratio_high = NAN,
					.p_adjusted = NAN,
					.p_equivalence = NAN,
					.p_equivalence_adjusted = NAN,
					.permutation.p = NAN};
	struct comparison *added;
	int err;

	err = group_collect(&analysis->arena, results, section, metric, statistic,
			    comparison.against, &comparison.baseline);
	if (!err)
		err = group_collect(&analysis->arena, results, section, metric, statistic, variant,
				    &comparison.other);
	/* A tail that neither side's samples carry is no comparison; a main figure that is missing
	 * is. */
	if (err || (!comparison.baseline.n_boots && !comparison.other.n_boots) ||
	    (statistic != main_statistic(info->kind) && !boots_of(&comparison)))
		return err;
	err = compute(analysis, &comparison);
	if (err)
		return err;
	added = arena_append(&analysis->arena, &analysis->comparisons, &analysis->n_comparisons,
			     sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = comparison;
	return 0;
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

static int compare_metric(struct analysis *analysis, size_t section, size_t metric)
{
	const struct results *results = analysis->results;
	int err = 0;

	for (int statistic = 0; statistic < STATISTICS; statistic++) {
		if (!is_statistic_of(&results->sections[section].metrics[metric], statistic))
			continue;
		for (size_t variant = 0; variant < results->n_variants && !err; variant++)
			if (variant != analysis->baseline)
				err = add_comparison(analysis, section, metric,
						     (enum statistic)statistic, variant);
	}
	return err;
}

static int compare_all(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	int err = 0;

	for (size_t section = 0; section < results->n_sections; section++)
		for (size_t metric = 0; metric < results->sections[section].n_metrics; metric++)
			if (!err)
				err = compare_metric(analysis, section, metric);
	return err;
}

/*
 * The p values of one family through the correction for many tests. One member that
 * could not be tested counts as a test with p = 1, so that losing data never makes
 * the others easier.
 */
static int adjust_family(struct analysis *analysis, enum family family, size_t from, size_t to)
{
	int (*adjust)(double *, size_t) =
		family == FAMILY_SECONDARY ? benjamini_hochberg_adjust : holm_adjust;
	double *p = calloc(analysis->n_comparisons + 1, sizeof(*p));
	size_t n = 0;
	int err;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const char *comparison = (const char *)&analysis->comparisons[i];
		double value = *(const double *)(comparison + from);

		if (analysis->comparisons[i].family == family)
			p[n++] = isnan(value) ? 1 : value;
	}
	err = adjust(p, n);
	analysis->tests[family] = n;
	n = 0;
	for (size_t i = 0; i < analysis->n_comparisons && !err; i++) {
		char *comparison = (char *)&analysis->comparisons[i];

		if (analysis->comparisons[i].family != family)
			continue;
		if (!isnan(*(double *)(comparison + from)))
			*(double *)(comparison + to) = p[n];
		n++;
	}
	free(p);
	return err;
}

static int adjust_all(struct analysis *analysis)
{
	const size_t p = offsetof(struct comparison, permutation.p);
	const size_t p_adjusted = offsetof(struct comparison, p_adjusted);
	const size_t equivalence = offsetof(struct comparison, p_equivalence);
	const size_t equivalence_adjusted = offsetof(struct comparison, p_equivalence_adjusted);
	int err = 0;

	for (int family = 0; family < FAMILY_NONE && !err; family++) {
		err = adjust_family(analysis, (enum family)family, p, p_adjusted);
		if (!err)
			err = adjust_family(analysis, (enum family)family, equivalence,
					    equivalence_adjusted);
	}
	return err;
}

/* How many boots more would do: first what the test itself asks for, then the spread. */
static void set_more_boots(struct analysis *analysis, struct comparison *comparison)
{
	bool is_primary = comparison->family == FAMILY_PRIMARY;
	size_t tests = is_primary ? analysis->tests[FAMILY_PRIMARY] : 1;
	size_t have = boots_of(comparison);
	size_t least =
		permutation_boots_needed(analysis->alpha, tests, comparison->test == TEST_PAIRED);
	double alpha = analysis->alpha / (double)tests;
	size_t difference, equivalence, needed;

	if (have < least) {
		comparison->more_boots = least - have;
		comparison->reason = arena_format(
			&analysis->arena, "%zu boots of each cannot decide %zu test%s; %zu could",
			have, tests, tests == 1 ? "" : "s", least);
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

static void decide(struct analysis *analysis, struct comparison *comparison)
{
	const struct metric_info *metric =
		&analysis->results->sections[comparison->section].metrics[comparison->metric];
	bool is_up = comparison->difference.mean > 0;

	if (comparison->family == FAMILY_NONE) {
		comparison->verdict = VERDICT_NOT_JUDGED;
	} else if (!boots_of(comparison)) {
		comparison->verdict = VERDICT_NOT_MEASURED; /* overview_make says why */
	} else if (comparison->family == FAMILY_CONTROL) {
		decide_control(analysis, comparison);
	} else if (comparison->p_equivalence_adjusted <= analysis->alpha) {
		comparison->verdict = VERDICT_EQUIVALENT;
		if (comparison->p_adjusted <= analysis->alpha)
			comparison->reason = "the difference is real, and within the margin";
	} else if (comparison->p_adjusted <= analysis->alpha) {
		comparison->verdict = is_up == (metric->direction == HIGHER_IS_BETTER)
					      ? VERDICT_BETTER
					      : VERDICT_WORSE;
	} else {
		comparison->verdict = VERDICT_INCONCLUSIVE;
		set_more_boots(analysis, comparison);
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
	analysis->confidence = fmax(VERDICT_CONFIDENCE, 1 - analysis->alpha);
}

int analysis_make(struct analysis *analysis, const struct results *results,
		  const struct analysis_options *options)
{
	int err;

	*analysis =
		(struct analysis){.results = results, .fail_on = options ? options->fail_on : 0};
	set_levels(analysis, options);
	err = choose_baseline(analysis, options ? options->baseline : NULL);
	if (!err)
		err = compare_all(analysis);
	if (!err)
		err = adjust_all(analysis);
	for (size_t i = 0; i < analysis->n_comparisons && !err; i++)
		decide(analysis, &analysis->comparisons[i]);
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
