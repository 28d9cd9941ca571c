// SPDX-License-Identifier: GPL-2.0-only
#include "bench/section.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "measure/random.h"

/* More classes of placement than the kinds and some distances no machine has. */
#define PLACEMENTS_MAX 32

struct expansion {
	struct section_list *list;
	uint64_t seed;
	struct placement placements[PLACEMENTS_MAX];
	size_t n_placements;
	char *error;
	size_t error_size;
};

static size_t count_parameters(const struct workload *workload)
{
	size_t n = 0;

	while (workload->parameters[n].name)
		n++;
	return n;
}

/* Whether a parameter tells sections apart: all choices do, and numbers off their standard. */
static bool is_in_id(const struct parameter_spec *parameter, const char *value)
{
	if (parameter->is_effort)
		return false;
	return parameter->kind == PARAMETER_CHOICE || strcmp(value, parameter->standard) != 0;
}

static int append(char **text, const char *more, char between)
{
	char *longer = *text ? format_string("%s%c%s", *text, between, more) : strdup(more);

	free(*text);
	*text = longer;
	return longer ? 0 : -ENOMEM;
}

/* The parameter that follows @last by name; NULL after the last one. */
static const struct parameter_spec *next_by_name(const struct workload *workload, const char *last)
{
	const struct parameter_spec *next = NULL;

	for (const struct parameter_spec *p = workload->parameters; p->name; p++)
		if ((!last || strcmp(p->name, last) > 0) &&
		    (!next || strcmp(p->name, next->name) < 0))
			next = p;
	return next;
}

static char *make_id(const struct section *section)
{
	const struct workload *workload = section->workload;
	const struct parameter_spec *parameter = NULL;
	char *params = NULL, *id, *word;

	while ((parameter = next_by_name(workload, parameter ? parameter->name : NULL))) {
		const char *value = section->values[parameter - workload->parameters];

		if (!is_in_id(parameter, value))
			continue;
		word = format_string("%s=%s", parameter->name, value);
		if (!word || append(&params, word, ',')) {
			free(word);
			free(params);
			return NULL;
		}
		free(word);
	}
	id = format_string("%s/%s%s%s", workload->name, section->placement.name, params ? "/" : "",
			   params ? params : "");
	free(params);
	return id;
}

static void section_release(struct section *section)
{
	free(section->id);
	free(section->values);
	free(section->missing);
}

static bool has_id(const struct section_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i].id, id))
			return true;
	return false;
}

/* Takes over @section, also when it fails. */
static int add_section(struct expansion *expansion, struct section *section)
{
	struct section_list *list = expansion->list;
	struct section *items;

	section->id = make_id(section);
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (items)
		list->items = items;
	if (!items || !section->id) {
		section_release(section);
		return -ENOMEM;
	}
	if (has_id(list, section->id)) {
		snprintf(expansion->error, expansion->error_size, "the plan asks twice for %s",
			 section->id);
		section_release(section);
		return -EINVAL;
	}
	section->seed = random_seed_for(expansion->seed, section->id);
	items[list->count++] = *section;
	return 0;
}

/* Copies the values, so that every section frees its own. */
static int add_placement(struct expansion *expansion, const struct workload *workload,
			 const char *const *values, const struct placement *placement,
			 const char *missing)
{
	size_t n = count_parameters(workload);
	struct section section = {.workload = workload, .placement = *placement};

	section.values = calloc(n + 1, sizeof(*section.values));
	section.missing = missing ? strdup(missing) : NULL;
	if (!section.values || (missing && !section.missing)) {
		section_release(&section);
		return -ENOMEM;
	}
	memcpy(section.values, values, n * sizeof(*values));
	return add_section(expansion, &section);
}

/* The kind that a placement's name belongs to ("cross-node-21": cross-node); PLACEMENT_KINDS: none.
 */
static enum placement_kind kind_of(const char *name)
{
	for (int kind = 0; kind < PLACEMENT_KINDS; kind++) {
		const char *kind_name = placement_kind_name(kind);
		size_t length = strlen(kind_name);

		if (!strncmp(name, kind_name, length) &&
		    (!name[length] || (kind == PLACEMENT_CROSS_NODE && name[length] == '-')))
			return kind;
	}
	return PLACEMENT_KINDS;
}

static int add_missing(struct expansion *expansion, const struct workload *workload,
		       const char *const *values, const char *name)
{
	struct placement placement = {.kind = kind_of(name),
				      .owner_cpu = -1,
				      .donor_cpu = -1,
				      .observer_cpu = -1,
				      .owner_node = -1,
				      .donor_node = -1};
	char missing[128];

	if (placement.kind == PLACEMENT_KINDS) {
		snprintf(expansion->error, expansion->error_size,
			 "'%s' is not a placement; there are all, same-cpu, smt-sibling, same-llc, "
			 "same-node, cross-node and cross-node-DISTANCE",
			 name);
		return -EINVAL;
	}
	snprintf(placement.name, sizeof(placement.name), "%s", name);
	if (workload->placements & (1u << placement.kind))
		snprintf(missing, sizeof(missing), "this machine has no %s placement", name);
	else
		snprintf(missing, sizeof(missing), "%s is not made for %s", workload->name, name);
	return add_placement(expansion, workload, values, &placement, missing);
}

static int expand_placement(struct expansion *expansion, const struct workload *workload,
			    const char *const *values, const char *name)
{
	bool is_all = !strcmp(name, "all"), is_found = is_all;
	int err;

	for (size_t i = 0; i < expansion->n_placements; i++) {
		const struct placement *placement = &expansion->placements[i];

		if (!(workload->placements & (1u << placement->kind)))
			continue;
		if (!is_all && strcmp(name, placement->name) != 0 &&
		    strcmp(name, placement_kind_name(placement->kind)) != 0)
			continue;
		is_found = true;
		err = add_placement(expansion, workload, values, placement, NULL);
		if (err)
			return err;
	}
	return is_found ? 0 : add_missing(expansion, workload, values, name);
}

static int take_parameter(struct expansion *expansion, const struct workload *workload,
			  const char *name, struct json_object *value, const char **values)
{
	const char *text = json_object_get_string(value);
	char *word = format_string("%s=%s", name, text ? text : "");
	size_t index;
	int err;

	if (!word)
		return -ENOMEM;
	err = workload_check_parameter(workload, word, &index, NULL, expansion->error,
				       expansion->error_size);
	free(word);
	if (!err)
		values[index] = text;
	return err;
}

static int fail(struct expansion *expansion, const char *sentence)
{
	snprintf(expansion->error, expansion->error_size, "%s", sentence);
	return -EINVAL;
}

static int expand_values(struct expansion *expansion, const struct workload *workload,
			 struct json_object *work, const char **values)
{
	struct json_object *params, *placements;
	int err;

	for (size_t i = 0; workload->parameters[i].name; i++)
		values[i] = workload->parameters[i].standard;
	if (json_object_object_get_ex(work, "params", &params)) {
		if (!json_object_is_type(params, json_type_object))
			return fail(expansion, "a work item's \"params\" is not an object");
		json_object_object_foreach (params, name, value) {
			err = take_parameter(expansion, workload, name, value, values);
			if (err)
				return err;
		}
	}
	err = workload_check_values(workload, values, expansion->error, expansion->error_size);
	if (err)
		return err;
	if (!json_object_object_get_ex(work, "placements", &placements) ||
	    !json_object_is_type(placements, json_type_array))
		return fail(expansion, "a work item has no \"placements\" array");
	for (size_t i = 0; i < json_object_array_length(placements); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(placements, i));

		err = expand_placement(expansion, workload, values, name ? name : "");
		if (err)
			return err;
	}
	return 0;
}

static int expand_work(struct expansion *expansion, struct json_object *work)
{
	const struct workload *workload;
	struct json_object *name;
	const char **values;
	int err;

	if (!json_object_object_get_ex(work, "workload", &name))
		return fail(expansion, "a work item has no \"workload\"");
	workload = workload_find(json_object_get_string(name));
	if (!workload) {
		snprintf(expansion->error, expansion->error_size,
			 "'%s' is not a workload; see 'proxeval list'",
			 json_object_get_string(name));
		return -EINVAL;
	}
	values = calloc(count_parameters(workload) + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	err = expand_values(expansion, workload, work, values);
	free(values);
	return err;
}

static void shuffle(struct section_list *list, uint64_t seed)
{
	struct random random = {.state = random_seed_for(seed, "section order")};

	for (size_t i = list->count; i > 1; i--) {
		size_t j = (size_t)random_below(&random, i);
		struct section swapped = list->items[i - 1];

		list->items[i - 1] = list->items[j];
		list->items[j] = swapped;
	}
}

int section_list_from_plan(struct section_list *list, struct json_object *plan,
			   const struct topology *topology, char *error, size_t error_size)
{
	struct expansion expansion = {.list = list, .error = error, .error_size = error_size};
	struct json_object *boot, *seed, *work;

	*list = (struct section_list){0};
	error[0] = '\0';
	if (!json_object_object_get_ex(plan, "boot", &boot) ||
	    !json_object_object_get_ex(boot, "seed", &seed))
		return fail(&expansion, "the plan has no \"boot\" with a \"seed\"");
	if (!json_object_object_get_ex(plan, "work", &work) ||
	    !json_object_is_type(work, json_type_array) || !json_object_array_length(work))
		return fail(&expansion, "the plan has no \"work\"");
	expansion.seed = json_object_get_uint64(seed);
	expansion.n_placements =
		topology_placements(topology, expansion.placements, PLACEMENTS_MAX);
	if (expansion.n_placements > PLACEMENTS_MAX)
		expansion.n_placements = PLACEMENTS_MAX;
	for (size_t i = 0; i < json_object_array_length(work); i++) {
		int err = expand_work(&expansion, json_object_array_get_idx(work, i));

		if (err) {
			section_list_release(list);
			return err;
		}
	}
	shuffle(list, expansion.seed);
	return 0;
}

void section_list_release(struct section_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		section_release(&list->items[i]);
	free(list->items);
	*list = (struct section_list){0};
}

static struct json_object *placement_to_json(const struct placement *placement)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "kind",
			       json_object_new_string(placement_kind_name(placement->kind)));
	json_object_object_add(object, "name", json_object_new_string(placement->name));
	json_object_object_add(object, "owner_cpu", json_object_new_int(placement->owner_cpu));
	json_object_object_add(object, "donor_cpu", json_object_new_int(placement->donor_cpu));
	json_object_object_add(object, "observer_cpu",
			       json_object_new_int(placement->observer_cpu));
	json_object_object_add(object, "owner_node", json_object_new_int(placement->owner_node));
	json_object_object_add(object, "donor_node", json_object_new_int(placement->donor_node));
	json_object_object_add(object, "distance", json_object_new_int64(placement->distance));
	return object;
}

struct json_object *section_to_json(const struct section *section)
{
	struct json_object *object = json_object_new_object();
	struct json_object *params = json_object_new_object();
	const struct parameter_spec *parameters = section->workload->parameters;

	for (size_t i = 0; parameters[i].name; i++)
		json_object_object_add(params, parameters[i].name,
				       json_object_new_string(section->values[i]));
	json_object_object_add(object, "id", json_object_new_string(section->id));
	json_object_object_add(object, "workload", json_object_new_string(section->workload->name));
	json_object_object_add(object, "params", params);
	json_object_object_add(object, "placement", placement_to_json(&section->placement));
	return object;
}
