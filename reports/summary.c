// SPDX-License-Identifier: GPL-2.0-only
/* The proxeval-summary document: reports/schema/summary-1.schema.json. */
#include <json-c/json.h>
#include <math.h>

#include "reports/findings.h"
#include "reports/json_write.h"
#include "reports/sentences.h"
#include "reports/sequential.h"
#include "reports/writers.h"

static struct json_object *method_to_json(const struct analysis *analysis)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "alpha", analysis->alpha);
	json_add_number(object, "confidence", analysis->confidence);
	json_add_number(object, "margin", analysis->margin);
	json_add_number(object, "control_margin", analysis->control_margin);
	json_add_text(object, "interval", "bca-saddlepoint");
	json_add_count(object, "permutation_seed", STATISTICS_SEED);
	json_add_count(object, "primary_tests", analysis->tests[FAMILY_PRIMARY]);
	json_add_count(object, "secondary_tests", analysis->tests[FAMILY_SECONDARY]);
	json_add_count(object, "control_tests", analysis->tests[FAMILY_CONTROL]);
	return object;
}

static struct json_object *variants_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		const struct variant_info *variant = &analysis->results->variants[i];
		const struct variant_sum *sum = &analysis->variants[i];
		struct json_object *object = json_object_new_object();

		json_add_text(object, "label", variant->label);
		json_add_text(object, "arguments", variant->arguments);
		json_add_count(object, "boots", sum->boots);
		json_add_count(object, "boots_ok", sum->ok);
		json_add_text(object, "kernel", variant->kernel);
		json_add_text(object, "proxy_exec",
			      json_text_at(boot_environment(sum->example),
					   (const char *[]){"kernel", "proxy_exec", NULL}));
		json_object_array_add(list, object);
	}
	return list;
}

static const char *const test_words[] = {"none", "paired", "independent"};

static void add_test(struct json_object *object, const struct comparison *comparison)
{
	json_add_text(object, "test", test_words[comparison->test]);
	/* Beyond 2^53 nobody's JSON has an exact number. */
	json_add_count(
		object, "arrangements",
		(uint64_t)fmin(RESULT_MAX_COUNT, (double)comparison->permutation.arrangements));
	json_add_flag(object, "monte_carlo", comparison->permutation.method == PERMUTATION_DRAWN);
	json_add_flag(object, "p_is_bound", comparison->permutation.method == PERMUTATION_BOUNDED);
	json_add_number(object, "p", comparison->permutation.p);
	json_add_number(object, "p_adjusted", comparison->p_adjusted);
	json_add_number(object, "p_equivalence", comparison->p_equivalence);
	json_add_number(object, "p_equivalence_adjusted", comparison->p_equivalence_adjusted);
}

static struct json_object *comparison_to_json(const struct analysis *analysis,
					      const struct comparison *comparison)
{
	const struct section_info *section = &analysis->results->sections[comparison->section];
	const struct metric_info *metric = &section->metrics[comparison->metric];
	struct json_object *object = json_object_new_object();

	json_add_subject(object, section, metric, comparison->statistic);
	json_add_text(object, "variant", analysis->results->variants[comparison->variant].label);
	json_add_text(object, "against", analysis->results->variants[comparison->against].label);
	json_add_text(object, "machine",
		      comparison->machine == ALL_MACHINES
			      ? NULL
			      : analysis->results->machines[comparison->machine].name);
	json_add_count(object, "boots_baseline", comparison->baseline.n_boots);
	json_add_count(object, "boots_variant", comparison->other.n_boots);
	json_add_count(object, "samples_baseline", comparison->baseline.samples);
	json_add_count(object, "samples_variant", comparison->other.samples);
	json_add_number(object, "value_baseline", comparison->baseline.centre);
	json_add_number(object, "value_variant", comparison->other.centre);
	json_add_number(object, "ratio", comparison->ratio);
	json_add_number(object, "ratio_low", comparison->ratio_low);
	json_add_number(object, "ratio_high", comparison->ratio_high);
	add_test(object, comparison);
	json_add_text(object, "verdict", verdict_word(comparison->verdict));
	if (comparison->more_boots == SIZE_MAX)
		json_object_object_add(object, "more_boots", NULL);
	else
		json_add_count(object, "more_boots", comparison->more_boots);
	json_add_text(object, "reason", comparison->reason);
	return object;
}

/* What else a combined comparison knows: whether machines agree, and boots of the same seed. */
static struct json_object *combined_to_json(const struct analysis *analysis,
					    const struct comparison *comparison)
{
	const struct heterogeneity *spread = &comparison->heterogeneity;
	struct json_object *object = comparison_to_json(analysis, comparison);
	struct json_object *machines = json_object_new_object();

	json_add_count(machines, "count", comparison->n_machines);
	json_add_flag(machines, "disagree", machines_disagree(analysis, comparison));
	json_add_number(machines, "q", spread->q);
	json_add_number(machines, "p", spread->p);
	json_add_number(machines, "i_squared", spread->i_squared);
	json_add_number(machines, "ratio_least", spread->ratio_least);
	json_add_number(machines, "ratio_most", spread->ratio_most);
	json_object_object_add(object, "machines", machines);
	json_add_count(object, "same_seed", comparison->n_same_seed);
	json_add_count(object, "identical", comparison->n_identical);
	return object;
}

static void add_comparisons(struct json_object *document, const struct analysis *analysis)
{
	struct json_object *comparisons = json_object_new_array();
	struct json_object *controls = json_object_new_array();
	struct json_object *by_machine = json_object_new_array();

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];

		json_object_array_add(comparison->family == FAMILY_CONTROL ? controls : comparisons,
				      combined_to_json(analysis, comparison));
	}
	json_object_object_add(document, "comparisons", comparisons);
	json_object_object_add(document, "controls", controls);
	for (size_t i = 0; i < analysis->n_by_machine; i++)
		json_object_array_add(by_machine,
				      comparison_to_json(analysis, &analysis->by_machine[i]));
	json_object_object_add(document, "by_machine", by_machine);
}

/* What --fail-on asked for, and each word's count; every word is counted without it, too. */
static void add_gate(struct json_object *document, const struct analysis *analysis)
{
	struct json_object *findings = json_object_new_object();
	struct json_object *list = analysis->fail_on ? json_object_new_array() : NULL;

	for (unsigned int i = 0; i < FINDINGS; i++) {
		json_add_count(findings, finding_word((enum finding)i),
			       finding_count(analysis, (enum finding)i));
		if (list && analysis->fail_on & 1u << i)
			json_object_array_add(
				list, json_object_new_string(finding_word((enum finding)i)));
	}
	json_object_object_add(document, "findings", findings);
	json_object_object_add(document, "fail_on", list);
}

static void add_one_line(struct json_object *document, const struct analysis *analysis)
{
	struct buffer line = {0};

	one_line_write(&line, analysis, ONE_LINE_MAX);
	if (line.length)
		line.text[line.length - 1] = '\0';
	json_add_text(document, "one_line", line.text);
	buffer_release(&line);
}

static struct json_object *machines_to_json(const struct results *results)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < results->n_machines; i++) {
		const struct machine_info *machine = &results->machines[i];
		struct json_object *object = json_object_new_object();

		json_add_text(object, "name", machine->name);
		json_add_text(object, "long_name", machine->long_name);
		json_add_text(object, "cpu_model", machine->cpu_model);
		json_add_count(object, "cpus", machine->cpus);
		json_add_count(object, "nodes", machine->nodes);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *facts_to_json(const struct analysis *analysis)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < analysis->n_facts; i++)
		json_add_text(object, analysis->facts[i].name, analysis->facts[i].text);
	return object;
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

		json_add_text(object, "section", section->id);
		json_add_text(object, "metric", metric->name);
		json_add_text(object, "role", metric_role_name(metric->role));
		json_add_text(object, "variant",
			      analysis->results->variants[invariant->variant].label);
		json_add_count(object, "boots", invariant->n_boots);
		json_add_count(object, "violations", invariant->violations);
		json_add_count(object, "exposure", invariant->exposure);
		json_add_number(object, "rate_upper", invariant->rate_upper);
		json_add_text(object, "verdict", verdict_word(invariant->verdict));
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *tails_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->n_tails; i++) {
		const struct tail *tail = &analysis->tails[i];
		const struct section_info *section = &analysis->results->sections[tail->section];
		struct json_object *object = json_object_new_object();

		json_add_text(object, "section", section->id);
		json_add_text(object, "metric", section->metrics[tail->metric].name);
		json_add_text(object, "variant", analysis->results->variants[tail->variant].label);
		json_add_count(object, "boots", tail->n_boots);
		json_add_count(object, "samples", tail->samples);
		json_add_number(object, "max", tail->max);
		json_add_flag(object, "given", tail->is_given);
		json_add_text(object, "reason", tail->is_given ? NULL : tail->reason);
		json_add_count(object, "horizon_samples", tail->horizon_samples);
		json_add_number(object, "level", tail->is_given ? tail->level : NAN);
		json_add_number(object, "level_low", tail->is_given ? tail->level_low : NAN);
		json_add_number(object, "level_high", tail->is_given ? tail->level_high : NAN);
		json_add_number(object, "threshold", tail->threshold);
		json_add_count(object, "exceedances", tail->exceedances);
		json_add_number(object, "shape", tail->shape);
		json_add_number(object, "scale", tail->scale);
		json_add_number(object, "fit_p", tail->fit_p);
		json_add_number(object, "rate_trend_p", tail->rate_trend_p);
		json_add_number(object, "excess_trend_p", tail->excess_trend_p);
		json_add_number(object, "dispersion", tail->dispersion);
		json_object_array_add(list, object);
	}
	return list;
}

/* How far campaigns that stop early had come; null without any. */
static void add_sequential(struct json_object *document, const struct analysis *analysis)
{
	struct buffer text = {0};

	sequential_describe(&text, analysis);
	json_add_text(document, "sequential", text.length ? text.text : NULL);
	buffer_release(&text);
}

static struct json_object *evidence_to_json(const struct analysis *analysis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < analysis->n_evidence; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];
		struct json_object *object = json_object_new_object();

		json_add_text(object, "name", sum->name);
		json_add_text(object, "variant", analysis->results->variants[sum->variant].label);
		json_add_count(object, "sections", sum->sections);
		json_add_count(object, "held", sum->held);
		json_add_count(object, "observed", sum->observed);
		json_add_count(object, "expected", sum->expected);
		json_add_text(object, "text", sum->text);
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

		json_add_text(object, "variant", analysis->results->variants[i].label);
		json_add_count(object, "boots", sum->boots);
		json_add_count(object, "clean", sum->clean);
		json_add_count(object, "unclean", sum->unclean);
		json_add_count(object, "unknown", sum->unknown);
		json_add_count(object, "crashed", sum->crashed);
		json_object_object_add(object, "reports",
				       json_from_texts(sum->reports, sum->n_reports));
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

		json_add_text(object, "variant", analysis->results->variants[what->variant].label);
		json_add_text(object, "section", section ? section->id : NULL);
		json_add_text(object, "metric",
			      what->metric == SIZE_MAX ? NULL
						       : section->metrics[what->metric].name);
		json_add_count(object, "boots", what->boots);
		json_add_text(object, "outcome", what->outcome);
		json_add_text(object, "reason", what->reason);
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
	json_add_text(document, "format", "proxeval-summary");
	json_add_count(document, "version", 1);
	json_add_count(document, "exit_code", (uint64_t)analysis->exit_code);
	add_one_line(document, analysis);
	add_gate(document, analysis);
	json_object_object_add(document, "headline",
			       json_from_texts(analysis->headline, analysis->n_headline));
	json_object_object_add(document, "warnings",
			       json_from_texts(analysis->warnings, analysis->n_warnings));
	json_object_object_add(document, "campaigns", campaigns);
	json_add_text(document, "target", results->target);
	json_add_text(document, "time", results->time);
	json_add_text(document, "baseline", results->variants[analysis->baseline].label);
	json_object_object_add(document, "machines", machines_to_json(results));
	json_object_object_add(document, "facts", facts_to_json(analysis));
	json_object_object_add(document, "method", method_to_json(analysis));
	json_object_object_add(document, "variants", variants_to_json(analysis));
	add_comparisons(document, analysis);
	json_object_object_add(document, "invariants", invariants_to_json(analysis));
	json_object_object_add(document, "tails", tails_to_json(analysis));
	add_sequential(document, analysis);
	json_object_object_add(document, "evidence", evidence_to_json(analysis));
	json_object_object_add(document, "health", health_to_json(analysis));
	json_object_object_add(document, "unmeasured", unmeasured_to_json(analysis));
	return document;
}
