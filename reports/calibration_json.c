// SPDX-License-Identifier: GPL-2.0-only
/* What a calibration found, as the document proxeval-calibration. */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>

#include "reports/calibration.h"
#include "reports/json_write.h"

/* Nine digits are more than any of these figures carries. */
static struct json_object *figure(double value)
{
	char text[32];

	if (!isfinite(value))
		return NULL;
	snprintf(text, sizeof(text), "%.9g", value);
	return json_object_new_double_s(value, text);
}

static void add_figure(struct json_object *object, const char *key, double value)
{
	json_object_object_add(object, key, figure(value));
}

static struct json_object *effects_to_json(const struct calibration_metric *metric)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < CALIBRATION_SIZES; i++) {
		struct json_object *object = json_object_new_object();

		json_add_count(object, "boots", calibration_sizes[i]);
		add_figure(object, "change_at_power_80", metric->effects[i][0]);
		add_figure(object, "change_at_power_95", metric->effects[i][1]);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *metrics_to_json(const struct calibration *calibration)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < calibration->n_metrics; i++) {
		const struct calibration_metric *metric = &calibration->metrics[i];
		const struct section_info *section =
			&calibration->results->sections[metric->section];
		struct json_object *object = json_object_new_object();

		json_add_text(object, "section", section->id);
		json_add_text(object, "workload", section->workload);
		json_add_text(object, "placement", section->placement);
		json_add_text(object, "metric", section->metrics[metric->metric].name);
		json_add_text(object, "unit", section->metrics[metric->metric].unit);
		json_add_text(object, "statistic", statistic_word(metric->statistic));
		json_add_count(object, "boots", metric->n_boots);
		add_figure(object, "value", metric->centre);
		add_figure(object, "spread_log_sd", metric->spread);
		json_object_object_add(object, "smallest_changes", effects_to_json(metric));
		add_figure(object, "drift_rank_correlation", metric->drift_rank);
		add_figure(object, "drift_p", metric->drift_p);
		add_figure(object, "drift_change", metric->drift);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *interval_to_json(double low, double high)
{
	struct json_object *list = json_object_new_array();

	if (!isfinite(low) || !isfinite(high)) {
		json_object_put(list);
		return NULL;
	}
	json_object_array_add(list, figure(low));
	json_object_array_add(list, figure(high));
	return list;
}

static struct json_object *rate_to_json(const struct calibration *calibration)
{
	struct json_object *object = json_object_new_object();

	add_figure(object, "stated", calibration->alpha);
	json_add_count(object, "boots_of_each", calibration->group_boots);
	json_add_count(object, "campaigns", calibration->draws);
	json_add_count(object, "with_false_verdicts", calibration->false_draws);
	add_figure(object, "rate", calibration->rate);
	json_object_object_add(object, "interval_95",
			       interval_to_json(calibration->rate_low, calibration->rate_high));
	add_figure(object, "independent_campaigns", calibration->independent);
	json_object_object_add(
		object, "machine_interval_95",
		interval_to_json(calibration->machine_low, calibration->machine_high));
	add_figure(object, "equivalent_share", calibration->equivalent_share);
	return object;
}

static struct json_object *plain_to_json(const struct calibration *calibration)
{
	struct json_object *object;

	if (!calibration->plain_tests)
		return NULL;
	object = json_object_new_object();
	json_add_count(object, "tests", calibration->plain_tests);
	json_add_count(object, "equivalent", calibration->plain_equivalent);
	json_add_count(object, "different", calibration->plain_false);
	return object;
}

static struct json_object *campaigns_to_json(const struct results *results)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < results->n_campaigns; i++)
		json_object_array_add(list, json_object_new_string(results->campaigns[i].id));
	return list;
}

struct json_object *calibration_to_json(const struct calibration *calibration)
{
	const struct results *results = calibration->results;
	struct json_object *object = json_object_new_object();
	const struct boot *boot = calibration->n_ok ? &results->boots[calibration->boots[0]] : NULL;

	json_add_text(object, "format", "proxeval-calibration");
	json_add_count(object, "version", 1);
	json_object_object_add(object, "campaigns", campaigns_to_json(results));
	json_add_text(object, "target", results->target);
	json_add_text(object, "time", results->time);
	json_add_text(object, "label", calibration->label);
	json_add_text(object, "kernel", boot ? results->variants[boot->variant].kernel : NULL);
	json_add_text(object, "machine", boot ? results->machines[boot->machine].name : NULL);
	json_add_text(object, "machine_key", boot ? results->machines[boot->machine].key : NULL);
	json_add_text(object, "pairing", calibration->is_paired ? "rounds" : "independent");
	json_add_count(object, "boots", calibration->n_boots);
	json_add_count(object, "boots_ok", calibration->n_ok);
	json_add_count(object, "boots_unclean", calibration->n_unclean);
	json_add_count(object, "primary_tests", calibration->tests);
	json_object_object_add(object, "false_verdicts", rate_to_json(calibration));
	json_object_object_add(object, "plain", plain_to_json(calibration));
	json_object_object_add(object, "metrics", metrics_to_json(calibration));
	json_object_object_add(object, "headline",
			       json_from_texts(calibration->headline, calibration->n_headline));
	json_add_count(object, "exit_code", (uint64_t)calibration->exit_code);
	return object;
}
