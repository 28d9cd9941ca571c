// SPDX-License-Identifier: GPL-2.0-only
/* From items with sweeps to the plan's work: multiplied out, and checked before anything boots. */
#include "bench/run_order.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/run_items.h"
#include "bench/sweep.h"
#include "reports/buffer.h"
#include "workloads/workload.h"

/*
 * Sections of a boot, when the sweeps are multiplied out. At two seconds each, half a thousand
 * are a quarter of an hour for one boot of one variant.
 */
#define RUN_MAX_SECTIONS 512u

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

/* ---- how much it comes to ---- */

/* Placements of a guest: one for each kind of distance that its topology has. */
static size_t count_placements(const struct vm_topology *topology)
{
	return 1 + (topology->threads > 1) + (topology->cores > 1) + (topology->dies > 1) +
	       (topology->nodes > 1);
}

/* Sections that one point of the item comes to; of a real machine's placements four are counted. */
static size_t count_item_placements(const struct run_order *order, struct json_object *item)
{
	struct json_object *places = run_item_get(item, "placements");
	bool has_all = !strcmp(json_object_get_string(json_object_array_get_idx(places, 0)), "all");

	if (!has_all)
		return json_object_array_length(places);
	return order->target == &target_host ? 4 : count_placements(&order->topology);
}

/* Points of all sweeps of the item: never above SIZE_MAX. */
static size_t count_points(struct json_object *item)
{
	size_t points = 1;

	json_object_object_foreach (run_item_get(item, "sweeps"), name, values) {
		(void)name;
		if (__builtin_mul_overflow(points, json_object_array_length(values), &points))
			return SIZE_MAX;
	}
	return points;
}

static int check_size(const struct run_order *order)
{
	size_t sections = 0;

	for (size_t i = 0; i < json_object_array_length(order->items); i++) {
		struct json_object *item = json_object_array_get_idx(order->items, i);
		size_t more;

		if (__builtin_mul_overflow(count_points(item), count_item_placements(order, item),
					   &more) ||
		    __builtin_add_overflow(sections, more, &sections))
			sections = SIZE_MAX;
	}
	if (sections <= RUN_MAX_SECTIONS)
		return 0;
	return run_usage(
		order,
		"with its sweeps multiplied out this comes to %s%zu sections in every boot, "
		"and %u are the most: sweep fewer values, or in fewer placements",
		sections == SIZE_MAX ? "more than " : "",
		sections == SIZE_MAX ? SIZE_MAX - 1 : sections, RUN_MAX_SECTIONS);
}

size_t run_work_sections(const struct run_order *order)
{
	size_t sections = 0;

	for (size_t i = 0; i < json_object_array_length(order->work); i++)
		sections += count_item_placements(order, json_object_array_get_idx(order->work, i));
	return sections;
}

/* ---- multiplying out ---- */

/* "lock-chain: depth=8: …", or the sentence alone where nothing is swept. */
static int refuse_together(const struct run_order *order, struct json_object *item,
			   struct json_object *work, const char *error)
{
	struct buffer point = {0};
	int code;

	json_object_object_foreach (run_item_get(item, "sweeps"), name, values) {
		(void)values;
		buffer_format(
			&point, "%s%s=%s", point.length ? " " : " with ", name,
			json_object_get_string(run_item_get(run_item_get(work, "params"), name)));
	}
	code = run_usage(order, "the parameters do not go together%s: %s",
			 point.length && !point.failed ? point.text : "", error);
	buffer_release(&point);
	return code;
}

/* Whether the parameters go together; 0 or an exit code. */
static int check_together(const struct run_order *order, struct json_object *item,
			  struct json_object *work)
{
	const struct workload *workload = run_item_workload(work);
	struct json_object *params = run_item_get(work, "params"), *value;
	const char **values;
	char error[256];
	size_t count = 0;
	int err;

	while (workload->parameters && workload->parameters[count].name)
		count++;
	values = calloc(count + 1, sizeof(*values));
	if (!values)
		return EXIT_BROKE;
	for (size_t i = 0; i < count; i++)
		values[i] = json_object_object_get_ex(params, workload->parameters[i].name, &value)
				    ? json_object_get_string(value)
				    : workload->parameters[i].standard;
	err = workload_check_values(workload, values, error, sizeof(error));
	free(values);
	return err ? refuse_together(order, item, work, error) : 0;
}

/* The item at point @point of its sweeps, of which the last varies fastest. */
static struct json_object *make_point(struct json_object *item, size_t point)
{
	struct json_object *work = json_object_new_object(), *params = json_object_new_object();
	size_t left = count_points(item);

	json_object_object_foreach (run_item_get(item, "params"), name, value)
		json_object_object_add(params, name, json_object_get(value));
	json_object_object_foreach (run_item_get(item, "sweeps"), swept, values) {
		size_t count = json_object_array_length(values);

		left /= count;
		json_object_object_add(
			params, swept,
			json_object_get(json_object_array_get_idx(values, point / left % count)));
	}
	json_object_object_add(work, "workload", json_object_get(run_item_get(item, "workload")));
	json_object_object_add(work, "placements",
			       json_object_get(run_item_get(item, "placements")));
	json_object_object_add(work, "params", params);
	return work;
}

static int multiply_out(struct run_order *order)
{
	int code = 0;

	order->work = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(order->items); i++) {
		struct json_object *item = json_object_array_get_idx(order->items, i);

		for (size_t point = 0; point < count_points(item) && !code; point++) {
			struct json_object *work = make_point(item, point);

			json_object_array_add(order->work, work);
			code = check_together(order, item, work);
		}
	}
	return code;
}

/* ---- nothing twice ---- */

/* What a section's id has of it, but for the placement. */
static char *make_key(struct json_object *work)
{
	const struct workload *workload = run_item_workload(work);
	struct buffer key = {0};
	char *copy;

	buffer_add(&key, workload->name);
	for (const struct parameter_spec *p = workload->parameters; p && p->name; p++) {
		struct json_object *value = run_item_get(run_item_get(work, "params"), p->name);

		if (!p->is_effort)
			buffer_format(&key, " %s=%s", p->name,
				      value ? json_object_get_string(value) : p->standard);
	}
	copy = key.failed ? NULL : strdup(key.text);
	buffer_release(&key);
	return copy;
}

static bool do_placements_overlap(struct json_object *one, struct json_object *two)
{
	struct json_object *a = run_item_get(one, "placements"),
			   *b = run_item_get(two, "placements");

	for (size_t i = 0; i < json_object_array_length(a); i++)
		for (size_t j = 0; j < json_object_array_length(b); j++)
			if (run_placements_overlap(
				    json_object_get_string(json_object_array_get_idx(a, i)),
				    json_object_get_string(json_object_array_get_idx(b, j))))
				return true;
	return false;
}

static int check_pairs(const struct run_order *order, char *const *keys)
{
	for (size_t i = 0; i < json_object_array_length(order->work); i++)
		for (size_t other = 0; other < i; other++)
			if (!strcmp(keys[i], keys[other]) &&
			    do_placements_overlap(json_object_array_get_idx(order->work, i),
						  json_object_array_get_idx(order->work, other)))
				return run_usage(order,
						 "this would measure the same section twice: %s",
						 keys[i]);
	return 0;
}

/* Two sections of one id cannot be told apart in a result: the runner would refuse the plan. */
static int check_nothing_twice(const struct run_order *order)
{
	size_t count = json_object_array_length(order->work);
	char **keys = calloc(count + 1, sizeof(*keys));
	int code = keys ? 0 : EXIT_BROKE;

	for (size_t i = 0; i < count && !code; i++) {
		keys[i] = make_key(json_object_array_get_idx(order->work, i));
		if (!keys[i])
			code = EXIT_BROKE;
	}
	if (!code)
		code = check_pairs(order, keys);
	for (size_t i = 0; keys && i < count; i++)
		free(keys[i]);
	free(keys);
	return code;
}

int run_work_check(struct run_order *order, const struct string_list *names)
{
	int code = check_names(order, names);

	if (!code)
		code = run_items_make(order, names);
	if (!code)
		code = check_size(order);
	if (!code)
		code = multiply_out(order);
	if (!code)
		code = check_nothing_twice(order);
	return code;
}

/* Those that a document has in this time and that are tested. */
static size_t count_primary(const struct workload *workload, enum time_kind time)
{
	enum metric_time other = time == TIME_VIRTUAL ? METRIC_REAL_TIME : METRIC_VIRTUAL_TIME;
	size_t count = 0;

	for (size_t i = 0; workload->metrics[i].name; i++)
		count += workload->metrics[i].role == ROLE_PRIMARY &&
			 workload->metrics[i].kind != METRIC_INVARIANT &&
			 workload->metrics[i].time != other;
	return count;
}

size_t run_work_tests(const struct run_order *order)
{
	size_t tests = 0;

	for (size_t i = 0; i < json_object_array_length(order->work); i++) {
		struct json_object *item = json_object_array_get_idx(order->work, i);

		tests += count_primary(run_item_workload(item), order->time) *
			 count_item_placements(order, item);
	}
	tests *= order->n_variants - 1;
	return tests ? tests : 1;
}
