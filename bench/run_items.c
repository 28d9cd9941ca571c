// SPDX-License-Identifier: GPL-2.0-only
/* Items of work, and what profile, campaign file and command line make of each in turn. */
#include "bench/run_items.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "bench/message.h"
#include "bench/sweep.h"
#include "bench/topology.h"
#include "workloads/profiles.h"
#include "workloads/workload.h"

/* A wrong setting is the command line's mistake or the file's: each has its exit code. */
static int refuse(const struct run_order *order, const struct run_setting *setting,
		  const char *sentence)
{
	if (!strncmp(setting->source, "--", 2))
		return run_usage(order, "%s: %s", setting->source, sentence);
	message_error("%s: %s", setting->source, sentence);
	return EXIT_INVALID;
}

const struct workload *run_item_workload(struct json_object *item)
{
	struct json_object *name = NULL;

	json_object_object_get_ex(item, "workload", &name);
	return workload_find(json_object_get_string(name));
}

struct json_object *run_item_get(struct json_object *item, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(item, key, &value);
	return value;
}

/* ---- one setting ---- */

/* "WORKLOAD.NAME=VALUE" and "NAME=VALUE": behind the dot; NULL when it is for another workload. */
static const char *for_workload(const struct workload *workload, const char *text)
{
	size_t length = strcspn(text, ".=");

	if (text[length] != '.')
		return text;
	if (strlen(workload->name) != length || strncmp(workload->name, text, length) != 0)
		return NULL;
	return text + length + 1;
}

static const struct parameter_spec *find_parameter(const struct workload *workload,
						   const char *text)
{
	size_t length = strcspn(text, "=");

	for (const struct parameter_spec *p = workload->parameters; p && p->name; p++)
		if (strlen(p->name) == length && !strncmp(p->name, text, length))
			return p;
	return NULL;
}

static int set_param(const struct run_order *order, struct json_object *item,
		     const struct run_setting *setting, const char *text)
{
	const struct workload *workload = run_item_workload(item);
	const struct parameter_spec *parameter = find_parameter(workload, text);
	const char *value;
	char error[256], *plain;
	size_t index;

	if (workload_check_parameter(workload, text, &index, &value, error, sizeof(error)))
		return refuse(order, setting, error);
	plain = parameter_plain_value(parameter, value);
	if (!plain)
		return EXIT_BROKE;
	json_object_object_del(run_item_get(item, "sweeps"), parameter->name);
	json_object_object_add(run_item_get(item, "params"), parameter->name,
			       json_object_new_string(plain));
	free(plain);
	return 0;
}

static int set_sweep(const struct run_order *order, struct json_object *item,
		     const struct run_setting *setting, const char *text)
{
	const struct workload *workload = run_item_workload(item);
	const struct parameter_spec *parameter = find_parameter(workload, text);
	struct json_object *values;
	char error[512];

	if (!strchr(text, '=')) {
		snprintf(error, sizeof(error), "'%.60s' is not NAME=VALUE,VALUE,…", text);
		return refuse(order, setting, error);
	}
	if (parameter->is_effort) {
		snprintf(error, sizeof(error),
			 "%s of %s says how much is measured and not what: sections that differ "
			 "in it alone are one and the same; set it with --param",
			 parameter->name, workload->name);
		return refuse(order, setting, error);
	}
	values = sweep_values(workload, parameter, strchr(text, '=') + 1, error, sizeof(error));
	if (!values)
		return refuse(order, setting, error);
	json_object_object_del(run_item_get(item, "params"), parameter->name);
	/* One that is set again counts as the last one: it varies fastest. */
	json_object_object_del(run_item_get(item, "sweeps"), parameter->name);
	json_object_object_add(run_item_get(item, "sweeps"), parameter->name, values);
	return 0;
}

/* ---- what one source says ---- */

/* Whether the two settings are for the same parameter of the item's workload. */
static bool is_same_parameter(const struct workload *workload, const struct run_setting *one,
			      const struct run_setting *two)
{
	const char *a = for_workload(workload, one->text), *b = for_workload(workload, two->text);
	const struct parameter_spec *parameter = a ? find_parameter(workload, a) : NULL;

	return parameter && b && parameter == find_parameter(workload, b);
}

static int check_both(const struct run_order *order, struct json_object *item,
		      const struct run_layer *layer, const struct run_setting *sweep)
{
	const struct workload *workload = run_item_workload(item);
	char error[256];

	for (size_t i = 0; i < layer->params.count; i++) {
		if (!is_same_parameter(workload, &layer->params.items[i], sweep))
			continue;
		snprintf(error, sizeof(error), "'%.60s' is set as well, by %s: give one of them",
			 sweep->text, layer->params.items[i].source);
		return refuse(order, sweep, error);
	}
	return 0;
}

static int apply_named(const struct run_order *order, struct json_object *item,
		       const struct run_settings *settings, const struct run_layer *layer,
		       bool *is_used)
{
	const struct workload *workload = run_item_workload(item);
	bool is_sweep = settings == &layer->sweeps;
	int code = 0;

	for (size_t i = 0; i < settings->count && !code; i++) {
		const struct run_setting *setting = &settings->items[i];
		const char *text = for_workload(workload, setting->text);

		if (!text || !find_parameter(workload, text))
			continue;
		if (is_used)
			is_used[i] = true;
		if (is_sweep)
			code = check_both(order, item, layer, setting);
		if (!code)
			code = is_sweep ? set_sweep(order, item, setting, text)
					: set_param(order, item, setting, text);
	}
	return code;
}

static void set_placements(struct json_object *item, const struct run_settings *placements)
{
	struct json_object *list;

	if (!placements->count)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < placements->count; i++)
		json_object_array_add(list, json_object_new_string(placements->items[i].text));
	json_object_object_add(item, "placements", list);
}

static int apply_layer(const struct run_order *order, struct json_object *item,
		       const struct run_layer *layer, struct run_used *used)
{
	int code = apply_named(order, item, &layer->params, layer, used ? used->params : NULL);

	if (!code)
		code = apply_named(order, item, &layer->sweeps, layer, used ? used->sweeps : NULL);
	set_placements(item, &layer->placements);
	return code;
}

/* What a workload in the file says of itself must name that workload's parameters. */
static int check_own(const struct run_order *order, const struct campaign_file_item *own)
{
	const struct workload *workload = workload_find(own->workload);
	const struct run_settings *lists[] = {&own->own.params, &own->own.sweeps};
	char error[256];

	for (size_t list = 0; list < 2; list++) {
		for (size_t i = 0; i < lists[list]->count; i++) {
			const struct run_setting *setting = &lists[list]->items[i];

			if (find_parameter(workload, setting->text))
				continue;
			snprintf(error, sizeof(error),
				 "%s has no parameter '%.*s'; 'proxeval list' has them",
				 workload->name, (int)strcspn(setting->text, "="), setting->text);
			return refuse(order, setting, error);
		}
	}
	return 0;
}

/* ---- items ---- */

/* A profile's sweeps are texts as --sweep takes them. */
static int settle_profile_sweeps(const struct run_order *order, struct json_object *item)
{
	struct json_object *texts = json_object_get(run_item_get(item, "sweeps"));
	int code = 0;

	json_object_object_add(item, "sweeps", json_object_new_object());
	if (!texts)
		return 0;
	json_object_object_foreach (texts, name, value) {
		char text[256];
		const struct run_setting setting = {.source = "--profile", .text = text};

		snprintf(text, sizeof(text), "%s=%s", name, json_object_get_string(value));
		if (!code)
			code = set_sweep(order, item, &setting, text);
	}
	json_object_put(texts);
	return code;
}

struct adding {
	struct run_order *order;
	const struct run_layer *line;
	struct run_used *file_used, *line_used;
};

/* Takes @item over. */
static int add_item(struct adding *adding, struct json_object *item,
		    const struct campaign_file_item *own)
{
	const struct campaign_file *file = adding->order->file;
	int code = settle_profile_sweeps(adding->order, item);

	json_object_array_add(adding->order->items, item);
	if (!code && file)
		code = apply_layer(adding->order, item, &file->layer, adding->file_used);
	if (!code && own)
		code = apply_layer(adding->order, item, &own->own, NULL);
	return code ? code : apply_layer(adding->order, item, adding->line, adding->line_used);
}

/* Those of @names, or all of the profile when there is none. */
static int add_profile(struct adding *adding, const char *const *names, size_t n_names)
{
	struct json_object *work = profile_work(adding->order->profile, names, n_names);
	int code = work ? 0 : EXIT_BROKE;

	for (size_t i = 0; !code && i < json_object_array_length(work); i++)
		code = add_item(adding, json_object_get(json_object_array_get_idx(work, i)), NULL);
	json_object_put(work);
	return code;
}

static struct json_object *whole_item(const char *workload)
{
	struct json_object *item = json_object_new_object();
	struct json_object *placements = json_object_new_array();

	json_object_array_add(placements, json_object_new_string("all"));
	json_object_object_add(item, "workload", json_object_new_string(workload));
	json_object_object_add(item, "placements", placements);
	json_object_object_add(item, "params", json_object_new_object());
	return item;
}

/* The file's items of that workload, or all of them; *is_found: there is one. */
static int add_file(struct adding *adding, const char *name, bool *is_found)
{
	const struct campaign_file *file = adding->order->file;
	int code = 0;

	*is_found = false;
	for (size_t i = 0; i < file->n_items && !code; i++) {
		const struct campaign_file_item *own = &file->items[i];

		if (name && strcmp(name, own->workload) != 0)
			continue;
		*is_found = true;
		code = check_own(adding->order, own);
		if (!code)
			code = own->is_whole ? add_item(adding, whole_item(own->workload), own)
					     : add_profile(adding, &own->workload, 1);
	}
	return code;
}

static int add_all(struct adding *adding, const struct string_list *names)
{
	const struct campaign_file *file = adding->order->file;
	bool is_found;
	int code = 0;

	if (!file || !file->n_items)
		return add_profile(adding, names->items, names->count);
	if (!names->count)
		return add_file(adding, NULL, &is_found);
	for (size_t i = 0; i < names->count && !code; i++) {
		code = add_file(adding, names->items[i], &is_found);
		if (!code && !is_found)
			code = add_profile(adding, &names->items[i], 1);
	}
	return code;
}

/* ---- what was not used, and where it was to go ---- */

static int check_all_used(const struct run_order *order, const struct run_settings *settings,
			  const bool *is_used)
{
	for (size_t i = 0; i < settings->count; i++) {
		char error[256];

		if (is_used[i])
			continue;
		snprintf(error, sizeof(error),
			 "'%.80s' names no parameter of the workloads that are to run; 'proxeval "
			 "list' has them",
			 settings->items[i].text);
		return refuse(order, &settings->items[i], error);
	}
	return 0;
}

static int check_layer_used(const struct run_order *order, const struct run_layer *layer,
			    const struct run_used *used)
{
	int code = check_all_used(order, &layer->params, used->params);

	return code ? code : check_all_used(order, &layer->sweeps, used->sweeps);
}

static int make_used(struct run_used *used, const struct run_layer *layer)
{
	used->params = calloc(layer->params.count + 1, sizeof(bool));
	used->sweeps = calloc(layer->sweeps.count + 1, sizeof(bool));
	return used->params && used->sweeps ? 0 : EXIT_BROKE;
}

static void release_used(struct run_used *used)
{
	free(used->params);
	free(used->sweeps);
}

/* ---- placements ---- */

static bool is_placement(const char *name)
{
	if (!strcmp(name, "all"))
		return true;
	for (int kind = 0; kind < PLACEMENT_KINDS; kind++)
		if (!strcmp(name, placement_kind_name((enum placement_kind)kind)))
			return true;
	/* A distance behind it picks one class of node pairs. */
	return !strncmp(name, "cross-node-", 11) && name[11] &&
	       strspn(name + 11, "0123456789") == strlen(name + 11);
}

bool run_placements_overlap(const char *one, const char *two)
{
	bool is_distance_of_two = !strcmp(one, "cross-node") && !strncmp(two, "cross-node-", 11);
	bool is_distance_of_one = !strcmp(two, "cross-node") && !strncmp(one, "cross-node-", 11);

	return !strcmp(one, two) || !strcmp(one, "all") || !strcmp(two, "all") ||
	       is_distance_of_two || is_distance_of_one;
}

static int check_placements(const struct run_order *order, const struct run_settings *placements)
{
	char error[256];

	for (size_t i = 0; i < placements->count; i++) {
		const struct run_setting *setting = &placements->items[i];

		if (!is_placement(setting->text)) {
			snprintf(
				error, sizeof(error),
				"'%.60s' is not a placement: there are all, same-cpu, smt-sibling, "
				"same-llc, same-node, cross-node and cross-node-DISTANCE",
				setting->text);
			return refuse(order, setting, error);
		}
		for (size_t other = 0; other < i; other++) {
			if (!run_placements_overlap(setting->text, placements->items[other].text))
				continue;
			snprintf(error, sizeof(error),
				 "'%.40s' and '%.40s' both ask for the same placement: give one of "
				 "them",
				 placements->items[other].text, setting->text);
			return refuse(order, setting, error);
		}
	}
	return 0;
}

static int check_all_placements(const struct run_order *order, const struct run_layer *line)
{
	const struct campaign_file *file = order->file;
	int code = check_placements(order, &line->placements);

	if (!code && file)
		code = check_placements(order, &file->layer.placements);
	for (size_t i = 0; file && i < file->n_items && !code; i++)
		code = check_placements(order, &file->items[i].own.placements);
	return code;
}

/* ---- all of it ---- */

/* A profile's items may differ only in what was overridden: the same work is done once. */
static void drop_repeated_items(struct json_object *items)
{
	for (size_t i = 1; i < json_object_array_length(items);) {
		bool is_repeated = false;

		for (size_t other = 0; other < i && !is_repeated; other++)
			is_repeated = json_object_equal(json_object_array_get_idx(items, i),
							json_object_array_get_idx(items, other));
		if (is_repeated)
			json_object_array_del_idx(items, i, 1);
		else
			i++;
	}
}

static int list_settings(const struct string_list *list, const char *source,
			 struct run_settings *settings)
{
	settings->items = calloc(list->count + 1, sizeof(*settings->items));
	if (!settings->items)
		return EXIT_BROKE;
	for (size_t i = 0; i < list->count; i++)
		settings->items[settings->count++] =
			(struct run_setting){.source = source, .text = list->items[i]};
	return 0;
}

int run_items_make(struct run_order *order, const struct string_list *names)
{
	const struct run_values *values = order->values;
	static const struct run_layer nothing;
	const struct run_layer *file_layer = order->file ? &order->file->layer : &nothing;
	struct run_layer line = {0};
	struct run_used file_used = {0}, line_used = {0};
	struct adding adding = {
		.order = order, .line = &line, .file_used = &file_used, .line_used = &line_used};
	int code = list_settings(&values->params, "--param", &line.params);

	if (!code)
		code = list_settings(&values->sweeps, "--sweep", &line.sweeps);
	if (!code)
		code = list_settings(&values->placements, "--placement", &line.placements);
	order->items = json_object_new_array();
	if (!code && (make_used(&file_used, file_layer) || make_used(&line_used, &line)))
		code = EXIT_BROKE;
	if (!code)
		code = check_all_placements(order, &line);
	if (!code)
		code = add_all(&adding, names);
	if (!code)
		code = check_layer_used(order, &line, &line_used);
	/* Named workloads pick some of the file's: what it says of the others is no mistake. */
	if (!code && !names->count)
		code = check_layer_used(order, file_layer, &file_used);
	if (!code)
		drop_repeated_items(order->items);
	release_used(&file_used);
	release_used(&line_used);
	free(line.params.items);
	free(line.sweeps.items);
	free(line.placements.items);
	return code;
}
