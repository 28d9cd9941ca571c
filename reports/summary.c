// SPDX-License-Identifier: GPL-2.0-only
/* The proxeval-summary document: reports/schema/summary-1.schema.json. */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>

#include "reports/writers.h"

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void add_count(struct json_object *object, const char *key, uint64_t count)
{
	json_object_object_add(object, key, json_object_new_uint64(count));
}

/* Seventeen digits give the same double back; what is not a number is null. */
static void add_number(struct json_object *object, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		json_object_object_add(object, key, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

static struct json_object *texts_to_json(const char *const *texts, size_t count)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_string(texts[i]));
	return list;
}

static struct json_object *method_to_json(const struct analysis *analysis)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "alpha", analysis->alpha);
	add_number(object, "confidence", analysis->confidence);
	add_number(object, "margin", analysis->margin);
	add_number(object, "control_margin", analysis->control_margin);
	add_count(object, "bootstrap_resamples", BOOTSTRAP_RESAMPLES);
	add_count(object, "bootstrap_seed", STATISTICS_SEED);
	add_count(object, "primary_tests", analysis->tests[FAMILY_PRIMARY]);
	add_count(object, "secondary_tests", analysis->tests[FAMILY_SECONDARY]);
	add_count(object, "control_tests", analysis->tests[FAMILY_CONTROL]);
	return object;
}

static struct json_object *variants_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		const struct variant_info *variant = &analysis->results->variants[i];
		const struct variant_sum *sum = &analysis->variants[i];
		struct json_object *object = json_object_new_object();

		add_text(object, "label", variant->label);
		add_text(object, "arguments", variant->arguments);
		add_count(object, "boots", sum->boots);
		add_count(object, "boots_ok", sum->ok);
		add_text(object, "kernel", variant->kernel);
		add_text(object, "proxy_exec",
			 json_text_at(boot_environment(sum->example),
				      (const char *[]){"kernel", "proxy_exec", NULL}));
		json_object_array_add(list, object);
	}
	return list;
}

static const char *const test_words[] = {"none", "paired", "independent"};

static void add_test(struct json_object *object, const struct comparison *comparison)
{
	add_text(object, "test", test_words[comparison->test]);
	add_count(object, "arrangements", comparison->permutation.arrangements);
	json_object_object_add(object, "monte_carlo",
			       json_object_new_boolean(comparison->permutation.is_monte_carlo));
	add_number(object, "p", comparison->permutation.p);
	add_number(object, "p_adjusted", comparison->p_adjusted);
	add_number(object, "p_equivalence", comparison->p_equivalence);
	add_number(object, "p_equivalence_adjusted", comparison->p_equivalence_adjusted);
}

static struct json_object *comparison_to_json(const struct analysis *analysis,
					      const struct comparison *comparison)
{
	const struct section_info *section = &analysis->results->sections[comparison->section];
	const struct metric_info *metric = &section->metrics[comparison->metric];
	struct json_object *object = json_object_new_object();

	add_text(object, "section", section->id);
	add_text(object, "workload", section->workload);
	add_text(object, "placement", section->placement);
	add_text(object, "metric", metric->name);
	add_text(object, "unit", metric->unit);
	add_text(object, "direction", metric_direction_name(metric->direction));
	add_text(object, "role", metric_role_name(metric->role));
	add_text(object, "statistic", statistic_word(comparison->statistic));
	add_text(object, "variant", analysis->results->variants[comparison->variant].label);
	add_count(object, "boots_baseline", comparison->baseline.n_boots);
	add_count(object, "boots_variant", comparison->other.n_boots);
	add_count(object, "samples_baseline", comparison->baseline.samples);
	add_count(object, "samples_variant", comparison->other.samples);
	add_number(object, "value_baseline", comparison->baseline.centre);
	add_number(object, "value_variant", comparison->other.centre);
	add_number(object, "ratio", comparison->ratio);
	add_number(object, "ratio_low", comparison->ratio_low);
	add_number(object, "ratio_high", comparison->ratio_high);
	add_test(object, comparison);
	add_text(object, "verdict", verdict_word(comparison->verdict));
	if (comparison->more_boots == SIZE_MAX)
		json_object_object_add(object, "more_boots", NULL);
	else
		add_count(object, "more_boots", comparison->more_boots);
	add_text(object, "reason", comparison->reason);
	return object;
}

static void add_comparisons(struct json_object *document, const struct analysis *analysis)
{
	struct json_object *comparisons = json_object_new_array();
	struct json_object *controls = json_object_new_array();

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];

		json_object_array_add(comparison->family == FAMILY_CONTROL ? controls : comparisons,
				      comparison_to_json(analysis, comparison));
	}
	json_object_object_add(document, "comparisons", comparisons);
	json_object_object_add(document, "controls", controls);
}

static struct json_object *invariants_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];
		const struct section_info *section =
			&analysis->results->sections[invariant->section];
		const struct metric_info *metric = &section->metrics[invariant->metric];
		struct json_object *object = json_object_new_object();

		add_text(object, "section", section->id);
		add_text(object, "metric", metric->name);
		add_text(object, "role", metric_role_name(metric->role));
		add_text(object, "variant", analysis->results->variants[invariant->variant].label);
		add_count(object, "boots", invariant->n_boots);
		add_count(object, "violations", invariant->violations);
		add_count(object, "exposure", invariant->exposure);
		add_text(object, "verdict", verdict_word(invariant->verdict));
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *evidence_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->n_evidence; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];
		struct json_object *object = json_object_new_object();

		add_text(object, "name", sum->name);
		add_text(object, "variant", analysis->results->variants[sum->variant].label);
		add_count(object, "sections", sum->sections);
		add_count(object, "held", sum->held);
		add_count(object, "observed", sum->observed);
		add_count(object, "expected", sum->expected);
		add_text(object, "text", sum->text);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *health_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		const struct variant_sum *sum = &analysis->variants[i];
		struct json_object *object = json_object_new_object();

		add_text(object, "variant", analysis->results->variants[i].label);
		add_count(object, "boots", sum->boots);
		add_count(object, "clean", sum->clean);
		add_count(object, "unclean", sum->unclean);
		add_count(object, "unknown", sum->unknown);
		add_count(object, "crashed", sum->crashed);
		json_object_object_add(object, "reports",
				       texts_to_json(sum->reports, sum->n_reports));
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *unmeasured_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];
		const struct section_info *section =
			what->section == SIZE_MAX ? NULL
						  : &analysis->results->sections[what->section];
		struct json_object *object = json_object_new_object();

		add_text(object, "variant", analysis->results->variants[what->variant].label);
		add_text(object, "section", section ? section->id : NULL);
		add_text(object, "metric",
			 what->metric == SIZE_MAX ? NULL : section->metrics[what->metric].name);
		add_count(object, "boots", what->boots);
		add_text(object, "outcome", what->outcome);
		add_text(object, "reason", what->reason);
		json_object_array_add(list, object);
	}
	return list;
}

struct json_object *summary_to_json(const struct analysis *analysis)
{
	const struct results *results = analysis->results;
	struct json_object *document = json_object_new_object();
	struct json_object *campaigns = json_object_new_array();

	if (!document || !campaigns) {
		json_object_put(campaigns);
		json_object_put(document);
		return NULL;
	}
	for (size_t i = 0; i < results->n_campaigns; i++)
		json_object_array_add(campaigns, json_object_new_string(results->campaigns[i].id));
	add_text(document, "format", "proxeval-summary");
	add_count(document, "version", 1);
	add_count(document, "exit_code", (uint64_t)analysis->exit_code);
	json_object_object_add(document, "headline",
			       texts_to_json(analysis->headline, analysis->n_headline));
	json_object_object_add(document, "warnings",
			       texts_to_json(analysis->warnings, analysis->n_warnings));
	json_object_object_add(document, "campaigns", campaigns);
	add_text(document, "target", results->target);
	add_text(document, "time", results->time);
	add_text(document, "baseline", results->variants[analysis->baseline].label);
	json_object_object_add(document, "method", method_to_json(analysis));
	json_object_object_add(document, "variants", variants_to_json(analysis));
	add_comparisons(document, analysis);
	json_object_object_add(document, "invariants", invariants_to_json(analysis));
	json_object_object_add(document, "evidence", evidence_to_json(analysis));
	json_object_object_add(document, "health", health_to_json(analysis));
	json_object_object_add(document, "unmeasured", unmeasured_to_json(analysis));
	return document;
}
