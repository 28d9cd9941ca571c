// SPDX-License-Identifier: GPL-2.0-only
/* Which work a run does: workloads, parameters and placements, as given and checked. */
#include "bench/run_order.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "bench/topology.h"
#include "workloads/profiles.h"
#include "workloads/workload.h"

static int check_placements(const struct run_order *order)
{
	const struct string_list *placements = &order->values->placements;

	for (size_t i = 0; i < placements->count; i++) {
		const char *name = placements->items[i];
		bool is_known = !strcmp(name, "all");

		for (int kind = 0; kind < PLACEMENT_KINDS && !is_known; kind++)
			is_known = !strcmp(name, placement_kind_name((enum placement_kind)kind));
		/* A distance behind it picks one class of node pairs. */
		if (!strncmp(name, "cross-node-", 11) && name[11] &&
		    strspn(name + 11, "0123456789") == strlen(name + 11))
			is_known = true;
		if (!is_known)
			return run_usage(
				order,
				"'%s' is not a placement: there are all, same-cpu, smt-sibling, "
				"same-llc, same-node, cross-node and cross-node-DISTANCE",
				name);
	}
	return 0;
}

/* Whether "NAME=VALUE" (or a bare NAME) names a parameter of @workload. */
static bool has_parameter(const struct workload *workload, const char *text)
{
	size_t length = strcspn(text, "=");

	for (size_t p = 0; workload->parameters && workload->parameters[p].name; p++)
		if (strlen(workload->parameters[p].name) == length &&
		    !strncmp(workload->parameters[p].name, text, length))
			return true;
	return false;
}

/* Puts what was given for the item's workload into its parameters; 0 or EXIT_USAGE. */
static int override_params(const struct run_order *order, struct json_object *item, bool *is_used)
{
	const struct string_list *given = &order->values->params;
	struct json_object *name = NULL, *params = NULL;
	const struct workload *workload;
	char error[256];

	json_object_object_get_ex(item, "workload", &name);
	json_object_object_get_ex(item, "params", &params);
	workload = workload_find(json_object_get_string(name));
	for (size_t i = 0; workload && i < given->count; i++) {
		const char *value;
		size_t index;

		if (!has_parameter(workload, given->items[i]))
			continue;
		is_used[i] = true;
		if (workload_check_parameter(workload, given->items[i], &index, &value, error,
					     sizeof(error)))
			return run_usage(order, "--param: %s", error);
		json_object_object_add(params, workload->parameters[index].name,
				       json_object_new_string(value));
	}
	return 0;
}

/* Whether the item's parameters go together; 0 or EXIT_USAGE. */
static int check_together(const struct run_order *order, struct json_object *item)
{
	struct json_object *name = NULL, *params = NULL, *value;
	const struct workload *workload;
	const char **values;
	char error[256];
	size_t count = 0;
	int err = 0;

	json_object_object_get_ex(item, "workload", &name);
	json_object_object_get_ex(item, "params", &params);
	workload = workload_find(json_object_get_string(name));
	while (workload && workload->parameters[count].name)
		count++;
	values = calloc(count + 1, sizeof(*values));
	if (!values)
		return EXIT_BROKE;
	for (size_t i = 0; i < count; i++)
		values[i] = json_object_object_get_ex(params, workload->parameters[i].name, &value)
				    ? json_object_get_string(value)
				    : workload->parameters[i].standard;
	if (workload)
		err = workload_check_values(workload, values, error, sizeof(error));
	free(values);
	return err ? run_usage(order, "--param: %s", error) : 0;
}

static void override_placements(struct json_object *item, const struct string_list *given)
{
	struct json_object *list;

	if (!given->count)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < given->count; i++)
		json_object_array_add(list, json_object_new_string(given->items[i]));
	json_object_object_add(item, "placements", list);
}

/* A profile's items may differ only in what was overridden: the same work is done once. */
static void drop_repeated_work(struct json_object *work)
{
	for (size_t i = 1; i < json_object_array_length(work);) {
		bool is_repeated = false;

		for (size_t other = 0; other < i && !is_repeated; other++)
			is_repeated = json_object_equal(json_object_array_get_idx(work, i),
							json_object_array_get_idx(work, other));
		if (is_repeated)
			json_object_array_del_idx(work, i, 1);
		else
			i++;
	}
}

static int check_names(const struct run_order *order, const struct string_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!workload_find(names->items[i]))
			return run_usage(order, "'%s' is not a workload; 'proxeval list' has them",
					 names->items[i]);
		for (size_t other = 0; other < i; other++)
			if (!strcmp(names->items[i], names->items[other]))
				return run_usage(order, "the workload '%s' is named twice",
						 names->items[i]);
	}
	return 0;
}

int run_work_check(struct run_order *order, const struct string_list *names)
{
	const struct run_values *values = order->values;
	bool *is_used = calloc(values->params.count + 1, sizeof(*is_used));
	int code = check_names(order, names);

	if (!code)
		code = check_placements(order);
	if (!code)
		order->work = profile_work(order->profile, names->items, names->count);
	if (!code && (!order->work || !is_used))
		code = EXIT_BROKE;
	for (size_t i = 0; !code && i < json_object_array_length(order->work); i++) {
		struct json_object *item = json_object_array_get_idx(order->work, i);

		override_placements(item, &values->placements);
		code = override_params(order, item, is_used);
		if (!code)
			code = check_together(order, item);
	}
	for (size_t i = 0; i < values->params.count && !code; i++)
		if (!is_used[i])
			code = run_usage(
				order,
				"--param '%s' names no parameter of the workloads that are to "
				"run; 'proxeval list' has them",
				values->params.items[i]);
	if (!code)
		drop_repeated_work(order->work);
	free(is_used);
	return code;
}

static size_t count_primary(const char *name)
{
	const struct workload *workload = workload_find(name);
	size_t count = 0;

	for (size_t i = 0; workload && workload->metrics[i].name; i++)
		count += workload->metrics[i].role == ROLE_PRIMARY &&
			 workload->metrics[i].kind != METRIC_INVARIANT;
	return count;
}

/* Placements of a guest: one for each kind of distance that its topology has. */
static size_t count_placements(const struct vm_topology *topology)
{
	return 1 + (topology->threads > 1) + (topology->cores > 1) + (topology->dies > 1) +
	       (topology->nodes > 1);
}

size_t run_work_tests(const struct run_order *order)
{
	size_t tests = 0;

	for (size_t i = 0; i < json_object_array_length(order->work); i++) {
		struct json_object *item = json_object_array_get_idx(order->work, i);
		struct json_object *name = NULL, *places = NULL;
		bool has_all;

		json_object_object_get_ex(item, "workload", &name);
		json_object_object_get_ex(item, "placements", &places);
		has_all = !strcmp(json_object_get_string(json_object_array_get_idx(places, 0)),
				  "all");
		tests += count_primary(json_object_get_string(name)) *
			 (has_all ? count_placements(&order->topology)
				  : json_object_array_length(places));
	}
	tests *= order->n_variants - 1;
	return tests ? tests : 1;
}
