// SPDX-License-Identifier: GPL-2.0-only
/* A step that measures: the same work on both kernels, and one metric of it. */
#include "bench/proof.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/campaign.h"
#include "bench/files.h"
#include "bench/message.h"
#include "reports/verdict.h"
#include "workloads/profiles.h"

#define MEMORY_MIB  1024u
#define FULL_LABEL  "full"
#define CAMPAIGN_ID "campaign"

/* ---- the campaign ---------------------------------------------------------------------------- */

static int run_campaign(const struct proof *proof, const struct proof_figure *figure,
			const struct proof_kernels *kernels, struct json_object *work)
{
	const struct variant variants[] = {
		{.label = FULL_LABEL,
		 .image_path = kernels->full,
		 .arguments = "sched_proxy_exec=1"},
		{.label = kernels->label,
		 .image_path = kernels->without,
		 .arguments = "sched_proxy_exec=1"},
	};
	const struct campaign_request request = {
		.results = kernels->results,
		.id = CAMPAIGN_ID,
		.target = &target_vm,
		.time = TIME_VIRTUAL,
		.seed = proof->seed,
		.variants = variants,
		.n_variants = 2,
		.boots = proof->boots ? proof->boots : profile_boots("proof"),
		.topology = figure->topology,
		.memory_mib = MEMORY_MIB,
		.profile = "proof",
		.watchdog_s = proof->watchdog_s,
		.work = work,
	};
	struct campaign *campaign;
	int err = campaign_create(&request, &campaign);

	if (err)
		return err;
	err = campaign_run(campaign);
	campaign_free(campaign);
	return err;
}

/* ---- its boots ------------------------------------------------------------------------------- */

/* One kernel's boots, as they are read. */
struct side {
	const char *label;
	struct proof_side side;
	double *values;
	struct json_object *seeds;
	char word[256];
};

static bool is_unhealthy(const struct boot *boot)
{
	return boot->end == BOOT_END_PANICKED || boot->end == BOOT_END_NO_PROGRESS ||
	       boot->end == BOOT_END_DIED || (boot->is_health_known && !boot->is_clean);
}

/* What the kernel said, or why there is no figure: the first of these is told. */
static void keep_word(struct side *side, const char *word)
{
	if (side->side.first_word || !word)
		return;
	snprintf(side->word, sizeof(side->word), "%s", word);
	side->side.first_word = side->word;
}

static void keep_report(struct side *side, const struct boot *boot)
{
	struct json_object *reports = NULL;

	if (json_object_object_get_ex(boot_health(boot), "reports", &reports) &&
	    json_object_array_length(reports))
		keep_word(side, json_object_get_string(json_object_array_get_idx(reports, 0)));
	keep_word(side, boot->reason);
}

static const struct metric_info *find_metric(const struct results *results, const char *name,
					     size_t *index)
{
	const struct section_info *section = results->sections;

	for (*index = 0; results->n_sections && *index < section->n_metrics; (*index)++)
		if (!strcmp(section->metrics[*index].name, name))
			return &section->metrics[*index];
	return NULL;
}

/* What the boot says of the metric; NaN: nothing that counts, and *@why says why. */
static double figure_of(const struct results *results, const struct boot *boot, const char *name,
			const char **why)
{
	const struct section_result *section = results->n_sections ? boot_section(boot, 0) : NULL;
	const struct measurement *measurement = NULL;
	const struct metric_info *metric;
	size_t index;

	*why = section ? section->reason : boot->reason;
	if (!section || section->outcome != OUTCOME_OK)
		return NAN;
	metric = find_metric(results, name, &index);
	if (metric)
		measurement = boot_measurement(boot, 0, index);
	*why = measurement ? measurement->reason : "there is no such metric";
	if (!measurement || !measurement->present || measurement->outcome != OUTCOME_OK)
		return NAN;
	if (metric->kind == METRIC_INVARIANT)
		return (double)measurement->violations;
	return measurement->statistic[main_statistic(metric->kind)];
}

static void take_boot(const struct results *results, const struct boot *boot,
		      const struct proof_figure *figure, struct side *side)
{
	const char *why;
	double value = figure_of(results, boot, figure->metric, &why);

	side->side.n_boots++;
	json_object_array_add(side->seeds, json_object_new_uint64(boot->seed));
	if (is_unhealthy(boot)) {
		side->side.n_unhealthy++;
		keep_report(side, boot);
	}
	if (!isnan(value))
		side->values[side->side.n_values++] = value;
	else
		keep_word(side, why);
}

static int read_side(const struct results *results, const struct proof_figure *figure,
		     struct side *side)
{
	side->values = calloc(results->n_boots + 1, sizeof(*side->values));
	side->seeds = json_object_new_array();
	side->side.values = side->values;
	if (!side->values || !side->seeds)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_boots; i++)
		if (!strcmp(results->variants[results->boots[i].variant].plain_label, side->label))
			take_boot(results, &results->boots[i], figure, side);
	return 0;
}

/* ---- what is written ------------------------------------------------------------------------- */

static struct json_object *values_to_json(const struct results *results, const char *label,
					  const char *metric)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];
		const char *why;
		double value;

		if (strcmp(results->variants[boot->variant].plain_label, label) != 0)
			continue;
		value = figure_of(results, boot, metric, &why);
		json_object_array_add(list, isnan(value) ? NULL : json_object_new_double(value));
	}
	return list;
}

static struct json_object *figure_to_json(const struct results *results, const char *metric,
					  const struct side *sides)
{
	struct json_object *object = json_object_new_object();
	const struct metric_info *info;
	size_t index;

	info = find_metric(results, metric, &index);
	json_object_object_add(object, "metric", json_object_new_string(metric));
	json_object_object_add(object, "unit", json_object_new_string(info ? info->unit : ""));
	json_object_object_add(object, "full", values_to_json(results, sides[0].label, metric));
	json_object_object_add(object, "without", values_to_json(results, sides[1].label, metric));
	return object;
}

/* Virtual time that the boots' sections took together. */
static uint64_t sum_durations_ns(const struct results *results)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < results->n_boots; i++) {
		struct json_object *document = NULL, *sections = NULL, *duration;
		char error[256];

		if (boot_document_load(results->boots[i].path, &document, error, sizeof(error)))
			continue;
		json_object_object_get_ex(document, "sections", &sections);
		for (size_t at = 0; at < json_object_array_length(sections); at++)
			if (json_object_object_get_ex(json_object_array_get_idx(sections, at),
						      "duration_ns", &duration))
				sum += json_object_get_uint64(duration);
		json_object_put(document);
	}
	return sum;
}

static struct json_object *number_or_null(double value)
{
	return isnan(value) || isinf(value) ? NULL : json_object_new_double(value);
}

static void write_step(const struct results *results, const struct proof_figure *figure,
		       struct side *sides, const struct proof_judgement *judgement,
		       struct json_object *out)
{
	struct json_object *figures = json_object_new_array();

	json_object_array_add(figures, figure_to_json(results, figure->metric, sides));
	for (const char *const *name = figure->also; name && *name; name++)
		json_object_array_add(figures, figure_to_json(results, *name, sides));
	json_object_object_add(out, "figures", figures);
	json_object_object_add(out, "seeds_full", json_object_get(sides[0].seeds));
	json_object_object_add(out, "seeds_without", json_object_get(sides[1].seeds));
	json_object_object_add(out, "ratio", number_or_null(judgement->ratio));
	json_object_object_add(out, "ratio_least", number_or_null(judgement->ratio_least));
	json_object_object_add(out, "virtual_ns",
			       json_object_new_uint64(sum_durations_ns(results)));
	proof_add_judgement(out, judgement);
}

static int judge(const struct results *results, const struct proof_figure *figure,
		 const struct proof_kernels *kernels, struct json_object *out,
		 enum proof_verdict *verdict)
{
	struct side sides[] = {{.label = FULL_LABEL}, {.label = kernels->label}};
	struct proof_judgement judgement;
	int err = read_side(results, figure, &sides[0]);

	if (!err)
		err = read_side(results, figure, &sides[1]);
	if (!err) {
		proof_judge_figure(figure, &sides[0].side, &sides[1].side, &judgement);
		write_step(results, figure, sides, &judgement, out);
		*verdict = judgement.verdict;
	}
	for (int i = 0; i < 2; i++) {
		free(sides[i].values);
		json_object_put(sides[i].seeds);
	}
	return err;
}

static int read_campaign(const struct proof_figure *figure, const struct proof_kernels *kernels,
			 struct json_object *out, enum proof_verdict *verdict)
{
	char *folder = format_string("%s/" CAMPAIGN_ID, kernels->results);
	const char *const paths[] = {folder};
	struct results results;
	int err = folder ? results_load(&results, paths, 1) : -ENOMEM;

	if (err)
		message_error("%s", folder ? results.error : "there is not enough memory");
	else
		err = judge(&results, figure, kernels, out, verdict);
	if (folder)
		results_release(&results);
	free(folder);
	return err;
}

int proof_run_figure(const struct proof *proof, const struct proof_step *step,
		     const struct proof_kernels *kernels, struct json_object *out,
		     enum proof_verdict *verdict)
{
	const char *const workloads[] = {step->figure.workload};
	struct json_object *work = profile_work("proof", workloads, 1), *item;
	int err = work ? 0 : -ENOMEM;

	if (!err) {
		item = json_object_array_get_idx(work, 0);
		json_object_object_add(out, "work", json_object_get(item));
		json_object_object_add(out, "topology",
				       json_object_new_string(step->figure.topology));
		json_object_object_add(out, "factor", json_object_new_double(step->figure.factor));
		err = run_campaign(proof, &step->figure, kernels, work);
	}
	if (!err)
		err = read_campaign(&step->figure, kernels, out, verdict);
	json_object_put(work);
	return err;
}
