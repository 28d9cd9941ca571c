/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_TOPOLOGY_H
#define BENCH_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;
struct topology;

/* Where owner and donor sit relative to each other, nearest first. */
enum placement_kind {
	PLACEMENT_SAME_CPU,
	PLACEMENT_SMT_SIBLING, /* two hardware threads of one core */
	PLACEMENT_SAME_LLC,    /* two cores under one last-level cache */
	PLACEMENT_SAME_NODE,   /* one NUMA node, different last-level caches */
	PLACEMENT_CROSS_NODE,  /* two NUMA nodes; one placement per distance */
	PLACEMENT_KINDS,
};

/* A placement that exists on this machine, with the CPUs that stand for its class. */
struct placement {
	enum placement_kind kind;
	char name[32]; /* "same-cpu" …, "cross-node-20" (the distance as firmware's SLIT has it) */
	int owner_cpu;
	int donor_cpu;
	int observer_cpu; /* neither of those nor a sibling of the owner's where the machine allows;
			     -1: none left */
	int owner_node;
	int donor_node;
	unsigned int distance; /* between the two nodes; 10 within one */
};

/*
 * Reads this machine's topology (hwloc, restricted to the CPUs that are online and
 * allowed for this process), or a recorded one from an hwloc XML file when
 * @xml_path is not NULL. 0, or a negative errno.
 */
int topology_load(struct topology **topology, const char *xml_path);
void topology_free(struct topology *topology);

/*
 * The placements that exist, in the order of the enum and by distance. Writes at
 * most @max and returns how many there are; it grows with the classes, not the CPUs.
 * With one CPU only same-cpu is left.
 */
size_t topology_placements(const struct topology *topology, struct placement *out, size_t max);

/*
 * The CPUs that are as near to @cpu as a placement of @kind is wide: of its core, under its
 * last-level cache, of its node, or all; with same-cpu itself. Writes at most @max, ascending, and
 * returns how many there are; 0 when @cpu is none of them.
 */
size_t topology_cpus_within(const struct topology *topology, enum placement_kind kind, int cpu,
			    int *out, size_t max);

unsigned int topology_cpus(const struct topology *topology);
unsigned int topology_nodes(const struct topology *topology);

/* The CPU that is best left to the runner itself: no role of any placement needs it; -1: none. */
int topology_housekeeping_cpu(const struct topology *topology);

/* "same-cpu" …; the kind's name without a distance. */
const char *placement_kind_name(enum placement_kind kind);

/* CPUs, cores, LLCs and nodes with the distance matrix, for a result's environment. */
struct json_object *topology_to_json(const struct topology *topology);

#endif
