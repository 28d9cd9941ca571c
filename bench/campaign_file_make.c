// SPDX-License-Identifier: GPL-2.0-only
/* An order as a campaign file: what `run --print-campaign` prints. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "bench/campaign_file.h"
#include "bench/files.h"
#include "bench/run_items.h"
#include "bench/run_order.h"
#include "workloads/workload.h"

static const struct parameter_spec *find_parameter(const struct workload *workload,
						   const char *name)
{
	const struct parameter_spec *parameter = workload->parameters;

	while (strcmp(parameter->name, name) != 0)
		parameter++;
	return parameter;
}

/* Numbers as numbers: the plan has them as text. */
static struct json_object *value_of(const struct workload *workload, const char *name,
				    struct json_object *text)
{
	uint64_t number;

	if (find_parameter(workload, name)->kind == PARAMETER_NUMBER &&
	    !parse_number(json_object_get_string(text), 0, 0, &number))
		return json_object_new_uint64(number);
	return json_object_get(text);
}

/* An item names every parameter that is set, so that no profile is needed to read it. */
static struct json_object *item_to_json(struct json_object *item)
{
	const struct workload *workload = run_item_workload(item);
	struct json_object *object = json_object_new_object();
	struct json_object *param = json_object_new_object(), *sweep = json_object_new_object();

	json_object_object_foreach (run_item_get(item, "params"), set, text)
		json_object_object_add(param, set, value_of(workload, set, text));
	json_object_object_foreach (run_item_get(item, "sweeps"), swept, texts) {
		struct json_object *values = json_object_new_array();

		for (size_t i = 0; i < json_object_array_length(texts); i++)
			json_object_array_add(
				values,
				value_of(workload, swept, json_object_array_get_idx(texts, i)));
		json_object_object_add(sweep, swept, values);
	}
	json_object_object_add(object, "workload", json_object_new_string(workload->name));
	json_object_object_add(object, "placement",
			       json_object_get(run_item_get(item, "placements")));
	json_object_object_add(object, "param", param);
	json_object_object_add(object, "sweep", sweep);
	return object;
}

static struct json_object *variants_to_json(const struct run_order *order)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < order->n_variants; i++) {
		const struct variant *variant = &order->variants[i];
		char *text = format_string("%s:%s:%s", variant->label,
					   variant->image_path ? variant->image_path : "",
					   variant->arguments);

		json_object_array_add(list, text ? json_object_new_string(text) : NULL);
		free(text);
	}
	return list;
}

/* What was not given, as it was settled. */
static struct run_values settled_values(const struct run_order *order)
{
	struct run_values values = *order->values;
	bool is_guest = order->target != &target_host;

	values.target = order->target->name;
	values.time = time_kind_name(order->time);
	values.profile = order->profile;
	values.topology = is_guest ? order->topology_text : NULL;
	values.memory_mib = is_guest ? order->memory_mib : RUN_NOT_GIVEN;
	values.boots = is_guest && !values.until_conclusive ? order->boots : RUN_NOT_GIVEN;
	values.max_boots = values.until_conclusive ? order->boots : RUN_NOT_GIVEN;
	if (order->time == TIME_VIRTUAL)
		values.seed = order->seed;
	return values;
}

static void add_option(struct json_object *document, const struct option_spec *option,
		       const void *slot)
{
	switch (option->kind) {
	case OPTION_FLAG:
		if (*(const bool *)slot)
			json_object_object_add(document, option->name,
					       json_object_new_boolean(true));
		break;
	case OPTION_NUMBER:
		if (*(const uint64_t *)slot != RUN_NOT_GIVEN)
			json_object_object_add(document, option->name,
					       json_object_new_uint64(*(const uint64_t *)slot));
		break;
	case OPTION_STRING:
	case OPTION_CHOICE:
		if (*(const char *const *)slot)
			json_object_object_add(document, option->name,
					       json_object_new_string(*(const char *const *)slot));
		break;
	case OPTION_LIST:    /* variants and what is in the workloads */
	case OPTION_PRESET:  /* is another option's value */
	case OPTION_PERCENT: /* a campaign's file has none */
		break;
	}
}

struct json_object *campaign_file_make(const struct run_order *order, const struct command *command)
{
	const struct run_values values = settled_values(order);
	struct json_object *document = json_object_new_object();
	struct json_object *items = json_object_new_array();

	json_object_object_add(document, "format", json_object_new_string(CAMPAIGN_FILE_FORMAT));
	json_object_object_add(document, "version", json_object_new_int(1));
	for (const struct option_spec *option = command->options; option->name; option++) {
		if (!is_campaign_file_member(option))
			continue;
		if (!strcmp(option->name, "variant") && order->target != &target_host)
			json_object_object_add(document, "variant", variants_to_json(order));
		else
			add_option(document, option, (const char *)&values + option->offset);
	}
	for (size_t i = 0; i < json_object_array_length(order->items); i++)
		json_object_array_add(items,
				      item_to_json(json_object_array_get_idx(order->items, i)));
	json_object_object_add(document, "workload", items);
	return document;
}
