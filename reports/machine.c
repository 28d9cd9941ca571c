// SPDX-License-Identifier: GPL-2.0-only
#include "reports/machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
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
	unsigned long long count[PARTS]; /* 0: not known */
	const char *distances;
};

static uint64_t count_at(const struct json_node *object, const char *key)
{
	const struct json_node *value = json_get(object, key);
	uint64_t count = 0;

	if (!json_is(value, JSON_NUMBER) || !json_is_integer(value) || !json_uint64(value, &count))
		return 0;
	return count;
}

static struct topology_parts get_parts(struct reader *reader, const struct json_node *environment)
{
	static const char *const keys[PARTS] = {"nodes", "llcs", "cores", "cpus"};
	const struct json_node *topology = json_get(environment, "topology");
	const struct json_node *distances = json_get(topology, "distances");
	struct topology_parts parts = {.distances = ""};

	for (int i = 0; i < PARTS; i++)
		parts.count[i] = count_at(topology, keys[i]);
	if (!json_is(distances, JSON_ARRAY))
		return parts;
	reader->scratch.length = 0;
	json_compact(distances, &reader->scratch);
	if (reader->scratch.failed)
		reader_no_memory(reader);
	else
		parts.distances = reader_keep(reader, reader->scratch.text, reader->scratch.length);
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
	return bytes / step * step + (bytes % step ? step : 0);
}

static const char *or_unknown(const char *text)
{
	return text && *text ? text : "?";
}

__attribute__((format(printf, 2, 3))) static const char *keep_format(struct reader *reader,
								     const char *format, ...)
{
	char text[1024]; /* enough for any name; a key beyond it is cut where all are */
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return reader_keep(reader, text, strlen(text));
}

/* "2x2x2": nodes, cores of a node, threads of a core, where that describes it; else "8 CPUs". */
static const char *shape_of(struct reader *reader, const struct topology_parts *parts)
{
	unsigned long long nodes = parts->count[PART_NODES], cores = parts->count[PART_CORES];
	unsigned long long cpus = parts->count[PART_CPUS];

	if (nodes && cores && cpus && !(cores % nodes) && !(cpus % cores))
		return keep_format(reader, "%llux%llux%llu", nodes, cores / nodes, cpus / cores);
	if (cpus)
		return keep_format(reader, "%llu CPUs", cpus);
	return "of unknown shape";
}

static void identify_guest(struct reader *reader, const struct json_node *environment,
			   const struct topology_parts *parts, const char *host,
			   struct machine_info *machine)
{
	const char *shape = shape_of(reader, parts);
	const char *accelerator = reader_string_at(reader, environment,
						   (const char *[]){"qemu", "accelerator", NULL});

	machine->key = keep_format(reader, "vm\n%llu %llu %llu %llu %.500s\n%.200s\n%.100s\n%.20s",
				   parts->count[PART_NODES], parts->count[PART_LLCS],
				   parts->count[PART_CORES], parts->count[PART_CPUS],
				   parts->distances, or_unknown(machine->cpu_model),
				   host ? host : "", host ? or_unknown(accelerator) : "");
	machine->name = keep_format(reader, "vm %s", shape);
	machine->long_name = machine->name;
	if (host)
		machine->long_name = keep_format(reader, "vm %s on %.*s (%.20s)", shape,
						 MACHINE_NAME_MAX, host, or_unknown(accelerator));
}

static void identify_host(struct reader *reader, const struct json_node *environment,
			  const struct topology_parts *parts, struct machine_info *machine)
{
	const char *hostname =
		reader_string_at(reader, environment, (const char *[]){"hostname", NULL});
	const char *product =
		reader_string_at(reader, environment, (const char *[]){"machine", NULL});

	if (!hostname && !product && !machine->cpu_model && !parts->count[PART_CPUS])
		return;
	machine->key = keep_format(
		reader, "host\n%.255s\n%.200s\n%.200s\n%llu %llu %llu %llu\n%llu",
		or_unknown(hostname), or_unknown(product), or_unknown(machine->cpu_model),
		parts->count[PART_NODES], parts->count[PART_LLCS], parts->count[PART_CORES],
		parts->count[PART_CPUS],
		(unsigned long long)round_memory(count_at(environment, "memory_bytes")));
	machine->name = keep_format(reader, "%.*s", MACHINE_NAME_MAX,
				    hostname && *hostname ? hostname : or_unknown(product));
	machine->long_name =
		keep_format(reader, "%s (%.*s, %llu CPUs)", machine->name, MACHINE_NAME_MAX,
			    or_unknown(product), parts->count[PART_CPUS]);
}

void machine_identify(struct reader *reader, const struct json_node *environment,
		      const char *target, bool is_virtual, const char *host,
		      struct machine_info *machine)
{
	struct topology_parts parts = get_parts(reader, environment);

	*machine = (struct machine_info){
		.cpus = parts.count[PART_CPUS],
		.nodes = parts.count[PART_NODES],
		.cpu_model = reader_string_at(reader, environment,
					      (const char *[]){"cpu", "model", NULL})};
	if (strcmp(target, "vm"))
		identify_host(reader, environment, &parts, machine);
	else if (parts.count[PART_CPUS] || machine->cpu_model)
		identify_guest(reader, environment, &parts, is_virtual ? NULL : or_unknown(host),
			       machine);
}

/* How many machines have each name, in the tables' numbers. */
static int count_names(struct results *results, struct text_table *names)
{
	for (size_t i = 0; i < results->n_machines; i++) {
		const char *name = results->machines[i].name;
		struct text_entry *entry = text_table_get(names, name, strlen(name));

		if (!entry)
			return -ENOMEM;
		entry->number++;
	}
	return 0;
}

/* @name, or the first of "@name #2", "@name #3" … that no other machine has. */
static const char *claim_name(struct arena *arena, struct text_table *taken, const char *name)
{
	struct text_entry *base = text_table_get(taken, name, strlen(name)), *entry = base;

	while (entry && entry->number) {
		name = arena_format(arena, "%s #%zu", base->text, ++base->number);
		entry = name ? text_table_get(taken, name, strlen(name)) : NULL;
	}
	if (!entry)
		return NULL;
	entry->number = 1;
	return entry->text;
}

/* The short names where they tell the machines apart, else the long ones, else numbers as well. */
static int name_machines(struct results *results)
{
	struct text_table names = {.arena = &results->arena}, taken = names;
	int err = count_names(results, &names);

	for (size_t i = 0; i < results->n_machines && !err; i++) {
		struct machine_info *machine = &results->machines[i];
		const char *name = machine->name;

		if (text_table_get(&names, name, strlen(name))->number > 1)
			name = machine->long_name;
		machine->name = claim_name(&results->arena, &taken, name);
		if (!machine->name)
			err = -ENOMEM;
	}
	text_table_release(&names);
	text_table_release(&taken);
	return err;
}

/* One for all boots of one campaign of which none could tell. */
static size_t add_unknown(struct results *results, size_t campaign)
{
	struct machine_info *added;
	struct machine_info machine = {.name = "unknown machine"};

	machine.key = arena_format(&results->arena, "unknown\n%s", results->campaigns[campaign].id);
	machine.long_name = arena_format(&results->arena, "unknown machine of campaign %.*s",
					 MACHINE_NAME_MAX, results->campaigns[campaign].id);
	added = arena_append(&results->arena, &results->machines, &results->n_machines,
			     sizeof(*added));
	if (!machine.key || !machine.long_name || !added)
		return MACHINE_UNKNOWN;
	*added = machine;
	return results->n_machines - 1;
}

/* Gives the boots from @first on, all of one campaign, the machine of the one before them. */
static int settle_campaign(struct results *results, size_t first, size_t end)
{
	size_t machine = MACHINE_UNKNOWN;

	for (size_t i = first; i < end && machine == MACHINE_UNKNOWN; i++)
		machine = results->boots[i].machine;
	if (machine == MACHINE_UNKNOWN)
		machine = add_unknown(results, results->boots[first].campaign);
	if (machine == MACHINE_UNKNOWN)
		return -ENOMEM;
	for (size_t i = first; i < end; i++) {
		struct boot *boot = &results->boots[i];

		if (boot->machine == MACHINE_UNKNOWN)
			boot->machine = machine;
		machine = boot->machine;
	}
	return 0;
}

int machines_settle(struct results *results)
{
	int err = 0;

	for (size_t i = 0, end; i < results->n_boots && !err; i = end) {
		for (end = i; end < results->n_boots &&
			      results->boots[end].campaign == results->boots[i].campaign;)
			end++;
		err = settle_campaign(results, i, end);
	}
	return err ? err : name_machines(results);
}
