// SPDX-License-Identifier: GPL-2.0-only
/* The proxeval-history document: reports/schema/history-1.schema.json. */
#include <json-c/json.h>

#include "reports/history_parts.h"
#include "reports/json_write.h"

static const char *const order_words[] = {"kernel", "time", "given"};

static const char *campaign_of(const struct history *history, const struct history_series *series,
			       size_t point)
{
	return history->results->campaigns[series->points[point].campaign].id;
}

static struct json_object *points_to_json(const struct history *history,
					  const struct history_series *series)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < series->n_points; i++) {
		const struct history_point *point = &series->points[i];
		struct json_object *object = json_object_new_object();
		struct json_object *values = json_object_new_array();

		json_add_text(object, "campaign", campaign_of(history, series, i));
		json_add_text(object, "release", point->release);
		json_add_text(object, "kernel", history->results->variants[point->variant].kernel);
		json_add_text(object, "started", point->started);
		json_add_count(object, "boots", point->n_boots);
		json_add_number(object, "value", point->centre);
		for (size_t j = 0; j < point->n_boots; j++)
			json_object_array_add(values, json_object_new_double(point->values[j]));
		json_object_object_add(object, "values", values);
		json_add_count(object, "level", point->level);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *change_to_json(const struct history *history,
					  const struct history_series *series,
					  const struct history_change *change)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "kind", change->is_drift ? "drift" : "step");
	json_add_flag(object, "ambiguous", change->is_ambiguous);
	json_add_text(object, "verdict", verdict_word(change->verdict));
	json_add_text(object, "first", campaign_of(history, series, change->first));
	json_add_text(object, "first_release", series->points[change->first].release);
	json_add_text(object, "last_before", campaign_of(history, series, change->first - 1));
	json_add_text(object, "last_before_release", series->points[change->first - 1].release);
	json_add_text(object, "ended", campaign_of(history, series, change->last));
	json_add_text(object, "earliest", campaign_of(history, series, change->low));
	json_add_text(object, "latest", campaign_of(history, series, change->high));
	json_add_flag(object, "same_kernel", change->is_same_kernel);
	json_add_flag(object, "control_changed", change->has_control);
	json_add_number(object, "value_before", change->before);
	json_add_number(object, "value_after", change->after);
	json_add_number(object, "ratio", change->ratio);
	json_add_number(object, "ratio_low", change->ratio_low);
	json_add_number(object, "ratio_high", change->ratio_high);
	json_add_number(object, "p", change->p);
	return object;
}

static struct json_object *series_to_json(const struct history *history,
					  const struct history_series *series)
{
	const struct section_info *section = &history->results->sections[series->section];
	const struct metric_info *metric = history_metric(history, series);
	struct json_object *object = json_object_new_object();
	struct json_object *changes = json_object_new_array();

	json_add_text(object, "variant", series->label);
	json_add_text(object, "machine", history->results->machines[series->machine].name);
	json_add_subject(object, section, metric, series->statistic);
	json_add_text(object, "unit_of_tests", series->is_by_campaign ? "campaign" : "boot");
	json_add_number(object, "p", series->p);
	json_add_number(object, "p_adjusted", series->p_adjusted);
	json_add_text(object, "reason", series->reason);
	json_object_object_add(object, "points", points_to_json(history, series));
	for (size_t i = 0; i < series->n_changes; i++)
		json_object_array_add(changes,
				      change_to_json(history, series, &series->changes[i]));
	json_object_object_add(object, "changes", changes);
	return object;
}

struct json_object *history_to_json(const struct history *history)
{
	struct json_object *document = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *machines = json_object_new_array();

	if (!document || !list || !machines) {
		json_object_put(document);
		json_object_put(machines);
		json_object_put(list);
		return NULL;
	}
	json_add_text(document, "format", "proxeval-history");
	json_add_count(document, "version", 1);
	json_add_count(document, "exit_code", (uint64_t)history->exit_code);
	json_object_object_add(document, "headline",
			       json_from_texts(history->headline, history->n_headline));
	json_object_object_add(document, "warnings",
			       json_from_texts(history->warnings, history->n_warnings));
	json_add_text(document, "order", order_words[history->order]);
	json_add_text(document, "target", history->results->target);
	json_add_text(document, "time", history->results->time);
	json_add_number(document, "alpha", history->alpha);
	json_add_number(document, "min_change", history->min_change);
	json_add_count(document, "primary_tests", history->tests[FAMILY_PRIMARY]);
	json_add_count(document, "control_tests", history->tests[FAMILY_CONTROL]);
	for (size_t i = 0; i < history->results->n_machines; i++)
		json_object_array_add(machines,
				      json_object_new_string(history->results->machines[i].name));
	json_object_object_add(document, "machines", machines);
	for (size_t i = 0; i < history->n_series; i++)
		json_object_array_add(list, series_to_json(history, &history->series[i]));
	json_object_object_add(document, "series", list);
	return document;
}
