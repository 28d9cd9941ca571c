// SPDX-License-Identifier: GPL-2.0-only
#include "bench/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "bench/message.h"
#include "bench/topology.h"
#include "workloads/profiles.h"
#include "workloads/workload.h"

#define DOCUMENT_VERSION 1

struct list_values {
	bool json;
	const char *topology_path;
};

/* ---- JSON (reports/schema/list-1.schema.json) ---- */

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static struct json_object *strings_to_json(const char *const *strings)
{
	struct json_object *list = json_object_new_array();

	for (; strings && *strings; strings++)
		json_object_array_add(list, json_object_new_string(*strings));
	return list;
}

static struct json_object *parameter_to_json(const struct parameter_spec *parameter)
{
	struct json_object *object = json_object_new_object();
	bool is_choice = parameter->kind == PARAMETER_CHOICE;

	add_string(object, "name", parameter->name);
	add_string(object, "kind", is_choice ? "choice" : "number");
	add_string(object, "unit", parameter->unit);
	add_string(object, "default", parameter->standard);
	if (is_choice) {
		json_object_object_add(object, "choices", strings_to_json(parameter->choices));
	} else {
		json_object_object_add(object, "min", json_object_new_uint64(parameter->min));
		json_object_object_add(object, "max",
				       parameter->max ? json_object_new_uint64(parameter->max)
						      : NULL);
	}
	json_object_object_add(object, "is_effort", json_object_new_boolean(parameter->is_effort));
	add_string(object, "help", parameter->help);
	return object;
}

static struct json_object *metric_to_json(const struct metric_spec *metric)
{
	struct json_object *object = json_object_new_object();

	add_string(object, "name", metric->name);
	add_string(object, "unit", metric->unit);
	add_string(object, "kind", metric_kind_name(metric->kind));
	add_string(object, "direction", metric_direction_name(metric->direction));
	add_string(object, "role", metric_role_name(metric->role));
	add_string(object, "help", metric->help);
	add_string(object, "source", metric->source);
	return object;
}

static struct json_object *needs_to_json(const struct workload_needs *needs)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "root", json_object_new_boolean(needs->root));
	json_object_object_add(object, "min_cpus", json_object_new_int64(needs->min_cpus));
	json_object_object_add(object, "kernel_options", strings_to_json(needs->kernel_options));
	json_object_object_add(object, "files", strings_to_json(needs->files));
	return object;
}

static struct json_object *workload_to_json(const struct workload *workload)
{
	struct json_object *object = json_object_new_object();
	struct json_object *parameters = json_object_new_array();
	struct json_object *metrics = json_object_new_array(), *kinds = json_object_new_array();
	const struct parameter_spec *parameter;
	const struct metric_spec *metric;

	for (parameter = workload->parameters; parameter && parameter->name; parameter++)
		json_object_array_add(parameters, parameter_to_json(parameter));
	for (metric = workload->metrics; metric && metric->name; metric++)
		json_object_array_add(metrics, metric_to_json(metric));
	for (int kind = 0; kind < PLACEMENT_KINDS; kind++)
		if (workload->placements & (1u << kind))
			json_object_array_add(kinds,
					      json_object_new_string(placement_kind_name(kind)));
	add_string(object, "name", workload->name);
	add_string(object, "summary", workload->summary);
	json_object_object_add(object, "needs", needs_to_json(&workload->needs));
	json_object_object_add(object, "placements", kinds);
	json_object_object_add(object, "parameters", parameters);
	json_object_object_add(object, "metrics", metrics);
	return object;
}

static struct json_object *profiles_to_json(void)
{
	struct json_object *list = json_object_new_array();

	for (const char *const *name = profile_names; *name; name++) {
		struct json_object *object = json_object_new_object();

		add_string(object, "name", *name);
		add_string(object, "summary", profile_summary(*name));
		json_object_object_add(object, "boots",
				       json_object_new_int64(profile_boots(*name)));
		json_object_object_add(object, "work", profile_work(*name, NULL, 0));
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *cpu_or_null(int cpu)
{
	return cpu < 0 ? NULL : json_object_new_int(cpu);
}

static struct json_object *placement_to_json(const struct placement *placement)
{
	struct json_object *object = json_object_new_object();

	add_string(object, "kind", placement_kind_name(placement->kind));
	add_string(object, "name", placement->name);
	json_object_object_add(object, "owner_cpu", json_object_new_int(placement->owner_cpu));
	json_object_object_add(object, "donor_cpu", json_object_new_int(placement->donor_cpu));
	json_object_object_add(object, "observer_cpu", cpu_or_null(placement->observer_cpu));
	json_object_object_add(object, "owner_node", json_object_new_int(placement->owner_node));
	json_object_object_add(object, "donor_node", json_object_new_int(placement->donor_node));
	json_object_object_add(object, "distance", json_object_new_int64(placement->distance));
	return object;
}

static int print_json(const struct topology *topology, const struct placement *placements,
		      size_t count)
{
	struct json_object *document = json_object_new_object();
	struct json_object *list = json_object_new_array(), *places = json_object_new_array();

	for (const struct workload *const *workload = workloads; *workload; workload++)
		json_object_array_add(list, workload_to_json(*workload));
	for (size_t i = 0; i < count; i++)
		json_object_array_add(places, placement_to_json(&placements[i]));
	add_string(document, "format", "proxeval-list");
	json_object_object_add(document, "version", json_object_new_int(DOCUMENT_VERSION));
	json_object_object_add(document, "workloads", list);
	json_object_object_add(document, "profiles", profiles_to_json());
	json_object_object_add(document, "placements", places);
	json_object_object_add(document, "housekeeping_cpu",
			       cpu_or_null(topology_housekeeping_cpu(topology)));
	json_object_object_add(document, "topology", topology_to_json(topology));
	puts(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
	return EXIT_FINE;
}

/* ---- text ---- */

/* "from 1 to 19 nice, default 10" or "fifo, nice or deadline, default fifo" */
static void print_range(const struct parameter_spec *parameter)
{
	if (parameter->kind == PARAMETER_CHOICE) {
		for (const char *const *choice = parameter->choices; *choice; choice++)
			printf("%s%s",
			       choice == parameter->choices ? ""
			       : choice[1]		    ? ", "
							    : " or ",
			       *choice);
	} else if (parameter->max) {
		printf("%" PRIu64 " to %" PRIu64, parameter->min, parameter->max);
	} else {
		printf("%" PRIu64 " or more", parameter->min);
	}
	if (*parameter->unit && strcmp(parameter->unit, "count"))
		printf(" %s", parameter->unit);
	printf(" [%s]", parameter->standard);
}

/* "lower is better", "must be zero"; nothing for what is not judged. */
static const char *direction_text(enum metric_direction direction)
{
	switch (direction) {
	case LOWER_IS_BETTER:
		return ", lower is better";
	case HIGHER_IS_BETTER:
		return ", higher is better";
	case MUST_BE_ZERO:
		return ", must be zero";
	case NO_DIRECTION:
		break;
	}
	return "";
}

static void print_workload(const struct workload *workload)
{
	const struct parameter_spec *parameter = workload->parameters;
	const struct metric_spec *metric = workload->metrics;

	printf("%s: %s\n", workload->name, workload->summary);
	if (parameter && parameter->name)
		puts("\n  Parameters, set with --param NAME=VALUE (the default in brackets):");
	for (; parameter && parameter->name; parameter++) {
		printf("    %s: ", parameter->name);
		print_range(parameter);
		printf("\n        %s\n", parameter->help);
	}
	if (metric && metric->name)
		puts("\n  Metrics:");
	for (; metric && metric->name; metric++)
		printf("    %s: %s in %s%s, %s\n        %s\n", metric->name,
		       metric_kind_name(metric->kind), metric->unit,
		       direction_text(metric->direction), metric_role_name(metric->role),
		       metric->help);
	putchar('\n');
}

static void print_profiles(void)
{
	puts("Profiles, chosen with --profile NAME:");
	for (const char *const *name = profile_names; *name; name++)
		printf("  %-14s %s; %u boots of each variant\n", *name, profile_summary(*name),
		       profile_boots(*name));
	putchar('\n');
}

static void print_placements(const struct topology *topology, const struct placement *placements,
			     size_t count, const char *path)
{
	printf("Placements %s%s (CPUs: %u, NUMA nodes: %u):\n", path ? "in " : "that exist here",
	       path ? path : "", topology_cpus(topology), topology_nodes(topology));
	for (size_t i = 0; i < count; i++) {
		const struct placement *placement = &placements[i];

		printf("  %-14s owner on CPU %d, donor on CPU %d, ", placement->name,
		       placement->owner_cpu, placement->donor_cpu);
		if (placement->observer_cpu < 0)
			printf("no CPU left to observe from");
		else
			printf("observed from CPU %d", placement->observer_cpu);
		if (placement->kind == PLACEMENT_CROSS_NODE)
			printf("; nodes %d and %d, distance %u", placement->owner_node,
			       placement->donor_node, placement->distance);
		putchar('\n');
	}
	if (topology_housekeeping_cpu(topology) >= 0)
		printf("  CPU %d is left to the runner.\n", topology_housekeeping_cpu(topology));
}

/* ---- the command ---- */

static int load_topology(struct topology **topology, const char *path)
{
	int err = topology_load(topology, path);

	if (err == -EINVAL && path)
		message_error("%s is not an hwloc XML topology; 'lstopo FILE.xml' writes one",
			      path);
	else if (err == -ENODEV && path)
		message_error("%s has no CPU that may be used", path);
	else if (err && path)
		message_errno(err, "cannot read the topology %s", path);
	else if (err)
		message_errno(err, "cannot read this machine's topology");
	return err;
}

static int list(const struct list_values *values)
{
	struct placement *placements;
	struct topology *topology;
	size_t count;
	int code = EXIT_FINE;

	if (load_topology(&topology, values->topology_path))
		return values->topology_path ? EXIT_INVALID : EXIT_BROKE;
	count = topology_placements(topology, NULL, 0);
	placements = calloc(count, sizeof(*placements));
	if (!placements) {
		message_errno(-ENOMEM, "cannot list the placements");
		topology_free(topology);
		return EXIT_BROKE;
	}
	topology_placements(topology, placements, count);
	if (values->json) {
		code = print_json(topology, placements, count);
	} else {
		for (const struct workload *const *workload = workloads; *workload; workload++)
			print_workload(*workload);
		print_profiles();
		print_placements(topology, placements, count, values->topology_path);
	}
	free(placements);
	topology_free(topology);
	return code;
}

static const struct option_spec options[] = {
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print one JSON document (reports/schema/list-1.schema.json)",
	 .offset = offsetof(struct list_values, json)},
	{.name = "topology",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "placements of the machine in this hwloc XML file, not of this one",
	 .offset = offsetof(struct list_values, topology_path)},
	OPTIONS_END,
};

static int run(int argc, char **argv)
{
	struct list_values values = {0};
	int err = options_parse(&command_list, argc, argv, &values, NULL);

	return err ? options_exit_code(err) : list(&values);
}

const struct command command_list = {
	.name = "list",
	.summary = "Workloads, their parameters and metrics, and the placements that exist here",
	.usage = "[OPTION…]",
	.description =
		(const char *const[]){
			"Prints what can be measured: each workload with its parameters (unit, range,\n"
			"default) and metrics (unit, kind, direction, role), the profiles, and where owner and donor of a\n"
			"lock can be placed on this machine, with the CPUs that stand for each class.",
			NULL},
	.options = options,
	.run = run,
};
