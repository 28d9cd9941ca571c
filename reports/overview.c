// SPDX-License-Identifier: GPL-2.0-only
#include "reports/overview.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "reports/tail.h"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static int add_report(struct analysis *analysis, struct variant_sum *sum, const char *text)
{
	const char **added;

	for (size_t i = 0; i < sum->n_reports; i++)
		if (!strcmp(sum->reports[i], text))
			return 0;
	if (sum->n_reports == VARIANT_REPORTS_MAX)
		return 0;
	added = arena_append(&analysis->arena, &sum->reports, &sum->n_reports, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = arena_text(&analysis->arena, text);
	return *added ? 0 : -ENOMEM;
}

static int add_reports(struct analysis *analysis, struct variant_sum *sum, const struct boot *boot)
{
	struct json_object *list = NULL;
	int err = 0;

	if (!json_object_object_get_ex(boot_health(boot), "reports", &list) ||
	    !json_object_is_type(list, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(list) && !err; i++) {
		struct json_object *text = json_object_array_get_idx(list, i);

		if (json_object_is_type(text, json_type_string))
			err = add_report(analysis, sum, json_object_get_string(text));
	}
	return err;
}

static int sum_variants(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	int err = 0;

	analysis->variants = arena_alloc(&analysis->arena,
					 (results->n_variants + 1) * sizeof(*analysis->variants));
	if (!analysis->variants)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_boots && !err; i++) {
		const struct boot *boot = &results->boots[i];
		struct variant_sum *sum = &analysis->variants[boot->variant];

		sum->boots++;
		sum->ok += boot->end == BOOT_END_OK;
		sum->crashed += boot->end != BOOT_END_OK;
		sum->clean += boot->is_health_known && boot->is_clean;
		sum->unclean += boot->is_health_known && !boot->is_clean;
		sum->unknown += !boot->is_health_known;
		if (!sum->example || (sum->example->end != BOOT_END_OK && boot->end == BOOT_END_OK))
			sum->example = boot;
		err = add_reports(analysis, sum, boot);
	}
	return err;
}

static int add_invariant(struct analysis *analysis, size_t section, size_t metric, size_t variant)
{
	const struct results *results = analysis->results;
	struct invariant sum = {.section = section, .metric = metric, .variant = variant}, *added;

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];
		const struct measurement *measurement = boot_measurement(boot, section, metric);

		/* A violation counts even where the section or the boot went wrong afterwards. */
		if (boot->variant != variant || !measurement)
			continue;
		if (measurement->outcome != OUTCOME_OK && !measurement->violations)
			continue;
		sum.n_boots++;
		sum.violations += measurement->violations;
		sum.exposure += measurement->exposure;
	}
	if (!sum.n_boots)
		return 0;
	sum.verdict = sum.violations ? VERDICT_VIOLATED
		      : sum.exposure ? VERDICT_HELD
				     : VERDICT_UNTESTED;
	/* Hanley and Lippman-Hand, JAMA 249 (1983): -ln 0.05 is 3.0. */
	sum.rate_upper = sum.verdict == VERDICT_HELD ? fmin(1, 3 / (double)sum.exposure) : NAN;
	added = arena_append(&analysis->arena, &analysis->invariants, &analysis->n_invariants,
			     sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = sum;
	return 0;
}

static int sum_invariants(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	int err = 0;

	for (size_t section = 0; section < results->n_sections; section++) {
		const struct section_info *info = &results->sections[section];

		for (size_t metric = 0; metric < info->n_metrics; metric++)
			for (size_t variant = 0; variant < results->n_variants; variant++)
				if (!err && info->metrics[metric].kind == METRIC_INVARIANT)
					err = add_invariant(analysis, section, metric, variant);
	}
	return err;
}

static int add_evidence(struct analysis *analysis, size_t variant, const struct evidence *evidence)
{
	struct evidence_sum *sum = NULL;

	for (size_t i = 0; i < analysis->n_evidence && !sum; i++)
		if (analysis->evidence[i].variant == variant &&
		    !strcmp(analysis->evidence[i].name, evidence->name))
			sum = &analysis->evidence[i];
	if (!sum)
		sum = arena_append(&analysis->arena, &analysis->evidence, &analysis->n_evidence,
				   sizeof(*sum));
	if (!sum)
		return -ENOMEM;
	if (!sum->sections || (!sum->text && evidence->text))
		sum->text = evidence->text;
	sum->name = evidence->name;
	sum->variant = variant;
	sum->sections++;
	sum->held += evidence->held;
	sum->observed += evidence->observed;
	sum->expected += evidence->expected;
	return 0;
}

static int sum_evidence(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	int err = 0;

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];

		for (size_t section = 0; section < boot->n_sections; section++) {
			const struct section_result *result = boot_section(boot, section);

			for (size_t j = 0; result && j < result->n_evidence && !err; j++)
				err = add_evidence(analysis, boot->variant, &result->evidence[j]);
		}
	}
	return err;
}

static int add_unmeasured(struct analysis *analysis, struct unmeasured what)
{
	struct unmeasured *entry;

	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		entry = &analysis->unmeasured[i];
		if (entry->variant == what.variant && entry->section == what.section &&
		    entry->metric == what.metric && !strcmp(entry->outcome, what.outcome) &&
		    is_same_text(entry->reason, what.reason)) {
			entry->boots++;
			return 0;
		}
	}
	entry = arena_append(&analysis->arena, &analysis->unmeasured, &analysis->n_unmeasured,
			     sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = what;
	entry->boots = 1;
	return 0;
}

/* A metric in a section that went well. */
static int look_at_metric(struct analysis *analysis, const struct boot *boot, size_t section,
			  size_t metric)
{
	const struct metric_info *info = &analysis->results->sections[section].metrics[metric];
	const struct measurement *measurement = boot_measurement(boot, section, metric);
	struct unmeasured what = {.variant = boot->variant, .section = section, .metric = metric};

	if (!measurement) {
		what.outcome = "absent";
		what.reason = "other boots have this metric";
	} else if (measurement->outcome != OUTCOME_OK) {
		what.outcome = outcome_name(measurement->outcome);
		what.reason = measurement->reason;
	} else if (info->kind != METRIC_INVARIANT &&
		   isnan(measurement->statistic[main_statistic(info->kind)])) {
		what.outcome = "absent";
		what.reason = info->kind == METRIC_DISTRIBUTION ? "there is no sample"
								: "there is no value";
	} else {
		return 0;
	}
	return add_unmeasured(analysis, what);
}

static int look_at_section(struct analysis *analysis, const struct boot *boot, size_t section)
{
	const struct section_result *result = boot_section(boot, section);
	struct unmeasured what = {.variant = boot->variant, .section = section, .metric = SIZE_MAX};
	int err = 0;

	if (result && result->outcome == OUTCOME_OK) {
		for (size_t i = 0; i < analysis->results->sections[section].n_metrics && !err; i++)
			err = look_at_metric(analysis, boot, section, i);
		return err;
	}
	what.outcome = result ? outcome_name(result->outcome) : "absent";
	what.reason = result ? result->reason : "other boots have this section";
	return add_unmeasured(analysis, what);
}

static int list_unmeasured(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	int err = 0;

	for (size_t i = 0; i < results->n_boots && !err; i++) {
		const struct boot *boot = &results->boots[i];
		struct unmeasured what = {.variant = boot->variant,
					  .section = SIZE_MAX,
					  .metric = SIZE_MAX,
					  .outcome = boot_end_word(boot->end),
					  .reason = boot->reason};

		if (boot->end != BOOT_END_OK)
			err = add_unmeasured(analysis, what);
		for (size_t section = 0; boot->end == BOOT_END_OK && section < results->n_sections;
		     section++)
			if (!err)
				err = look_at_section(analysis, boot, section);
	}
	return err;
}

static bool is_about(const struct unmeasured *what, const struct comparison *comparison,
		     size_t variant)
{
	return what->variant == variant &&
	       (what->section == SIZE_MAX || what->section == comparison->section) &&
	       (what->metric == SIZE_MAX || what->metric == comparison->metric);
}

/* "proxy: broken: only 3 of 12 samples were contended": what most boots say. */
static int explain_comparison(struct analysis *analysis, struct comparison *comparison)
{
	size_t variant = comparison->other.n_boots ? comparison->against : comparison->variant;
	const struct unmeasured *most = NULL;

	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];

		if (is_about(what, comparison, variant) && (!most || what->boots > most->boots))
			most = what;
	}
	if (!most || comparison->reason)
		return 0;
	comparison->reason = arena_format(
		&analysis->arena, "%s: %s%s%s", analysis->results->variants[variant].label,
		most->outcome, most->reason ? ": " : "", most->reason ? most->reason : "");
	return comparison->reason ? 0 : -ENOMEM;
}

static int explain_comparisons(struct analysis *analysis)
{
	int err = 0;

	for (size_t i = 0; i < analysis->n_comparisons && !err; i++)
		if (analysis->comparisons[i].verdict == VERDICT_NOT_MEASURED)
			err = explain_comparison(analysis, &analysis->comparisons[i]);
	return err;
}

int overview_make(struct analysis *analysis)
{
	int err = sum_variants(analysis);

	if (!err)
		err = sum_invariants(analysis);
	if (!err)
		err = sum_evidence(analysis);
	if (!err)
		err = tails_make(analysis);
	if (!err)
		err = list_unmeasured(analysis);
	if (!err)
		err = explain_comparisons(analysis);
	if (!err)
		err = headline_make(analysis);
	return err ? err : facts_make(analysis);
}
