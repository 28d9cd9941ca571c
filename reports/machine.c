// SPDX-License-Identifier: GPL-2.0-only
#include "reports/machine.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

/* Counts of the topology in the order that a key and a name want them. */
enum part {
	PART_NODES,
	PART_LLCS,
	PART_CORES,
	PART_CPUS,
	PARTS,
};

struct topology_parts {
	uint64_t count[PARTS]; /* 0: not known */
	const char *distances;
};

static uint64_t count_at(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	int64_t count = 0;

	if (json_object_object_get_ex(object, key, &value) &&
	    json_object_is_type(value, json_type_int))
		count = json_object_get_int64(value);
	return count > 0 ? (uint64_t)count : 0;
}

static struct topology_parts get_parts(struct json_object *environment)
{
	static const char *const keys[PARTS] = {"nodes", "llcs", "cores", "cpus"};
	struct topology_parts parts = {.distances = ""};
	struct json_object *topology = NULL, *distances = NULL;

	json_object_object_get_ex(environment, "topology", &topology);
	if (!json_object_is_type(topology, json_type_object))
		return parts;
	for (int i = 0; i < PARTS; i++)
		parts.count[i] = count_at(topology, keys[i]);
	if (json_object_object_get_ex(topology, "distances", &distances) && distances)
		parts.distances = json_object_to_json_string_ext(distances, JSON_C_TO_STRING_PLAIN);
	return parts;
}

/*
 * What a kernel calls its memory lacks what the kernel itself and crash kernels took, and
 * that differs from boot to boot of one machine. Rounded up to a quarter of a power of
 * two, it is what the machine was sold with.
 */
static uint64_t round_memory(uint64_t bytes)
{
	uint64_t step = 1;

	while (step < bytes / 8)
		step *= 2;
	return (bytes + step - 1) / step * step;
}

static const char *or_unknown(const char *text)
{
	return text && *text ? text : "?";
}

/* "2x2x2": nodes, cores of a node, threads of a core, where that describes it; else "8 CPUs". */
static const char *shape_of(struct arena *arena, const struct topology_parts *parts)
{
	uint64_t nodes = parts->count[PART_NODES], cores = parts->count[PART_CORES];
	uint64_t cpus = parts->count[PART_CPUS];

	if (nodes && cores && cpus && !(cores % nodes) && !(cpus % cores))
		return arena_format(arena, "%llux%llux%llu", (unsigned long long)nodes,
				    (unsigned long long)(cores / nodes),
				    (unsigned long long)(cpus / cores));
	if (cpus)
		return arena_format(arena, "%llu CPUs", (unsigned long long)cpus);
	return "of unknown shape";
}

static int identify_guest(struct arena *arena, struct json_object *environment, bool is_virtual,
			  const char *host, struct machine_info *machine)
{
	struct topology_parts parts = get_parts(environment);
	const char *shape = shape_of(arena, &parts);
	const char *accelerator =
		json_text_at(environment, (const char *[]){"qemu", "accelerator", NULL});

	if (!parts.count[PART_CPUS] && !machine->cpu_model)
		return 0;
	machine->key =
		arena_format(arena, "vm\n%llu %llu %llu %llu %s\n%s\n%s\n%s",
			     (unsigned long long)parts.count[PART_NODES],
			     (unsigned long long)parts.count[PART_LLCS],
			     (unsigned long long)parts.count[PART_CORES],
			     (unsigned long long)parts.count[PART_CPUS], parts.distances,
			     or_unknown(machine->cpu_model), is_virtual ? "" : or_unknown(host),
			     is_virtual ? "" : or_unknown(accelerator));
	machine->name = arena_format(arena, "vm %s", shape);
	machine->long_name = machine->name;
	if (!is_virtual && machine->name)
		machine->long_name =
			arena_format(arena, "vm %s on %.*s (%.20s)", shape, MACHINE_NAME_MAX,
				     or_unknown(host), or_unknown(accelerator));
	return shape && machine->key && machine->name && machine->long_name ? 0 : -ENOMEM;
}

static int identify_host(struct arena *arena, struct json_object *environment,
			 struct machine_info *machine)
{
	const char *hostname = json_text_at(environment, (const char *[]){"hostname", NULL});
	const char *product = json_text_at(environment, (const char *[]){"machine", NULL});
	struct topology_parts parts = get_parts(environment);

	if (!hostname && !product && !machine->cpu_model && !parts.count[PART_CPUS])
		return 0;
	machine->key = arena_format(
		arena, "host\n%s\n%s\n%s\n%llu %llu %llu %llu\n%llu", or_unknown(hostname),
		or_unknown(product), or_unknown(machine->cpu_model),
		(unsigned long long)parts.count[PART_NODES],
		(unsigned long long)parts.count[PART_LLCS],
		(unsigned long long)parts.count[PART_CORES],
		(unsigned long long)parts.count[PART_CPUS],
		(unsigned long long)round_memory(count_at(environment, "memory_bytes")));
	machine->name = arena_format(arena, "%.*s", MACHINE_NAME_MAX,
				     hostname && *hostname ? hostname : or_unknown(product));
	machine->long_name =
		arena_format(arena, "%.*s (%.*s, %llu CPUs)", MACHINE_NAME_MAX,
			     machine->name ? machine->name : "", MACHINE_NAME_MAX,
			     or_unknown(product), (unsigned long long)parts.count[PART_CPUS]);
	return machine->key && machine->name && machine->long_name ? 0 : -ENOMEM;
}

int machine_identify(struct arena *arena, struct json_object *environment, const char *target,
		     bool is_virtual, const char *host, struct machine_info *machine)
{
	struct topology_parts parts = get_parts(environment);
	const char *model = json_text_at(environment, (const char *[]){"cpu", "model", NULL});

	*machine = (struct machine_info){.cpus = parts.count[PART_CPUS],
					 .nodes = parts.count[PART_NODES],
					 .cpu_model = arena_text(arena, model)};
	if (model && !machine->cpu_model)
		return -ENOMEM;
	if (!strcmp(target, "vm"))
		return identify_guest(arena, environment, is_virtual, host, machine);
	return identify_host(arena, environment, machine);
}

size_t machine_find(struct results *results, const struct machine_info *machine)
{
	struct machine_info *added;

	for (size_t i = 0; i < results->n_machines; i++)
		if (!strcmp(results->machines[i].key, machine->key))
			return i;
	added = arena_append(&results->arena, &results->machines, &results->n_machines,
			     sizeof(*added));
	if (!added)
		return SIZE_MAX;
	*added = *machine;
	return results->n_machines - 1;
}

static size_t count_named(const struct results *results, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < results->n_machines; i++)
		count += !strcmp(results->machines[i].name, name);
	return count;
}

/* The short names where they tell the machines apart, else the long ones, else numbers as well. */
static int name_machines(struct results *results)
{
	struct machine_info *machines = results->machines;
	size_t count = results->n_machines;
	bool *is_ambiguous = arena_alloc(&results->arena, count + 1);

	if (!is_ambiguous)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		is_ambiguous[i] = count_named(results, machines[i].name) > 1;
	for (size_t i = 0; i < count; i++)
		if (is_ambiguous[i])
			machines[i].name = machines[i].long_name;
	for (size_t i = 0; i < count; i++) {
		unsigned int number = 2;

		for (size_t j = 0; j < i; j++)
			if (!strcmp(machines[j].name, machines[i].name)) {
				machines[i].name = arena_format(&results->arena, "%s #%u",
								machines[i].long_name, number++);
				if (!machines[i].name)
					return -ENOMEM;
				j = (size_t)-1; /* the numbered name may be taken, too */
			}
	}
	return 0;
}

/* The machine of the campaign's boot that is nearest in order; MACHINE_UNKNOWN: none knows. */
static size_t neighbours_machine(const struct results *results, size_t boot)
{
	const struct boot *boots = results->boots;

	for (size_t i = boot; i-- > 0 && boots[i].campaign == boots[boot].campaign;)
		if (boots[i].machine != MACHINE_UNKNOWN)
			return boots[i].machine;
	for (size_t i = boot + 1; i < results->n_boots && boots[i].campaign == boots[boot].campaign;
	     i++)
		if (boots[i].machine != MACHINE_UNKNOWN)
			return boots[i].machine;
	return MACHINE_UNKNOWN;
}

/* One for all boots of one campaign of which none could tell. */
static size_t add_unknown(struct results *results, size_t campaign)
{
	struct machine_info machine = {.name = "unknown machine"};

	machine.key = arena_format(&results->arena, "unknown\n%s", results->campaigns[campaign].id);
	machine.long_name = arena_format(&results->arena, "unknown machine of campaign %.*s",
					 MACHINE_NAME_MAX, results->campaigns[campaign].id);
	if (!machine.key || !machine.long_name)
		return SIZE_MAX;
	return machine_find(results, &machine);
}

int machines_settle(struct results *results)
{
	for (size_t i = 0; i < results->n_boots; i++) {
		struct boot *boot = &results->boots[i];

		if (boot->machine == MACHINE_UNKNOWN)
			boot->machine = neighbours_machine(results, i);
		if (boot->machine == MACHINE_UNKNOWN)
			boot->machine = add_unknown(results, boot->campaign);
		if (boot->machine == MACHINE_UNKNOWN)
			return -ENOMEM;
	}
	return name_machines(results);
}
