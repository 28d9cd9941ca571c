// SPDX-License-Identifier: GPL-2.0-only
#include "bench/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <json-c/json.h>
#include <limits.h>
#include <numa.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/files.h"

#define DISTANCE_LOCAL	10 /* ACPI's SLIT fixes it; everything else is relative to it */
#define DISTANCE_REMOTE 20 /* what the kernel assumes where firmware has no SLIT */

/*
 * What a choice of CPUs costs; the cheapest wins, the lowest number among equals.
 * Each term outweighs the sum of those below it.
 */
#define COST_OWNER_SIBLING    1000 /* shares the owner's core: slows down what it observes */
#define COST_HOUSEKEEPING     500  /* the first CPU takes most of the kernel's own work */
#define COST_DONOR_SIBLING    200
#define COST_NO_MEMORY	      150 /* a node without memory of its own: every access is remote */
#define COST_HOUSEKEEPER_CORE 100
#define COST_OTHER_CPU_KIND   50 /* a big core and a little one differ by more than their place */
#define COST_SHARED_CACHE     10
#define COST_UNREACHABLE      100000

struct cpu {
	int id;	  /* as the kernel numbers it */
	int core; /* index of its core, from 0 */
	int llc;  /* index of its last-level cache domain, from 0 */
	int node; /* index into nodes */
	int kind; /* hwloc's CPU kind (big, little …); -1: not known */
};

struct node {
	int id; /* as the kernel numbers it */
	bool has_cpus;
	uint64_t memory_bytes;
};

enum distance_source {
	DISTANCES_ONE_NODE, /* nothing to read */
	DISTANCES_HWLOC,
	DISTANCES_SYSFS,
	DISTANCES_LIBNUMA,
	DISTANCES_ASSUMED,
};

struct topology {
	struct cpu *cpus; /* ascending by id */
	size_t n_cpus;
	struct node *nodes; /* ascending by id; those without CPUs as well */
	size_t n_nodes;
	unsigned int *distances; /* n_nodes × n_nodes, from row to column */
	enum distance_source distance_source;
	unsigned int n_cores, n_llcs, n_packages, n_kinds;
	bool llc_is_cache; /* false: no cache is described, the package stands in */
	struct placement *placements;
	size_t n_placements;
	int housekeeping_cpu;
};

/* ---- reading hwloc ---- */

static int compare_cpus(const void *left, const void *right)
{
	return ((const struct cpu *)left)->id - ((const struct cpu *)right)->id;
}

static int compare_nodes(const void *left, const void *right)
{
	return ((const struct node *)left)->id - ((const struct node *)right)->id;
}

/* Leaves only CPUs that this process may use; nodes stay, also those that lose their CPUs. */
static int restrict_to_allowed(hwloc_topology_t hwloc)
{
	hwloc_bitmap_t allowed = hwloc_bitmap_alloc(), bound = hwloc_bitmap_alloc();
	int err = 0;

	if (!allowed || !bound) {
		err = -ENOMEM;
		goto out;
	}
	hwloc_bitmap_and(allowed, hwloc_topology_get_topology_cpuset(hwloc),
			 hwloc_topology_get_allowed_cpuset(hwloc));
	if (hwloc_topology_is_thissystem(hwloc) && !hwloc_get_cpubind(hwloc, bound, 0))
		hwloc_bitmap_and(allowed, allowed, bound);
	if (hwloc_bitmap_iszero(allowed))
		err = -ENODEV;
	else if (hwloc_topology_restrict(hwloc, allowed, 0))
		err = -errno;
out:
	hwloc_bitmap_free(allowed);
	hwloc_bitmap_free(bound);
	return err;
}

static int load_hwloc(hwloc_topology_t *out, const char *xml_path)
{
	hwloc_topology_t hwloc;
	int err = 0;

	if (hwloc_topology_init(&hwloc))
		return -ENOMEM;
	/*
	 * Memory-less nodes are never in a cpuset's list of memory nodes: hwloc would
	 * drop them as disallowed, so everything is taken and the CPUs are cut here.
	 */
	hwloc_topology_set_flags(hwloc, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	/* The x86 back end binds this thread to every CPU in turn, only to confirm what sysfs says.
	 */
	hwloc_topology_set_components(hwloc, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
	errno = 0;
	if (xml_path && access(xml_path, R_OK))
		err = -errno;
	else if (xml_path && hwloc_topology_set_xml(hwloc, xml_path))
		err = -EINVAL;
	else if (hwloc_topology_load(hwloc))
		err = xml_path ? -EINVAL : -EIO;
	if (!err)
		err = restrict_to_allowed(hwloc);
	if (err) {
		hwloc_topology_destroy(hwloc);
		return err;
	}
	*out = hwloc;
	return 0;
}

static int read_nodes(struct topology *topology, hwloc_topology_t hwloc)
{
	int count = hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_NUMANODE);
	hwloc_obj_t object = NULL;

	topology->nodes = calloc(count > 0 ? (size_t)count : 1, sizeof(*topology->nodes));
	if (!topology->nodes)
		return -ENOMEM;
	while ((object = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, object)))
		topology->nodes[topology->n_nodes++] = (struct node){
			.id = (int)object->os_index,
			.memory_bytes = object->attr->numanode.local_memory,
		};
	if (!topology->n_nodes)
		topology->n_nodes = 1; /* a machine without NUMA is one node, number 0 */
	qsort(topology->nodes, topology->n_nodes, sizeof(*topology->nodes), compare_nodes);
	return 0;
}

static int node_index(const struct topology *topology, int id)
{
	for (size_t i = 0; i < topology->n_nodes; i++)
		if (topology->nodes[i].id == id)
			return (int)i;
	return 0;
}

/* The outermost data or unified cache above a CPU; NULL when none is described. */
static hwloc_obj_t outermost_cache(hwloc_obj_t pu)
{
	hwloc_obj_t found = NULL;

	for (hwloc_obj_t object = pu->parent; object; object = object->parent)
		if (hwloc_obj_type_is_dcache(object->type))
			found = object;
	return found;
}

/*
 * An index for @key: its place in @seen, where it is added when it is new. Objects
 * are told apart by their address, which is stable for as long as hwloc's topology is.
 */
static int index_of(const void **seen, unsigned int *count, const void *key)
{
	for (unsigned int i = *count; i-- > 0;)
		if (seen[i] == key)
			return (int)i;
	seen[*count] = key;
	return (int)(*count)++;
}

/* Where no cache is described, the CPUs of one package (or of its part in one node) share. */
static const void *cache_domain(const struct topology *topology, hwloc_topology_t hwloc,
				hwloc_obj_t pu, int node)
{
	hwloc_obj_t cache = outermost_cache(pu);
	hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, pu);

	if (cache)
		return cache;
	if (package && hwloc_bitmap_weight(package->nodeset) <= 1)
		return package;
	return &topology->nodes[node];
}

static int read_cpus(struct topology *topology, hwloc_topology_t hwloc)
{
	int count = hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_PU);
	hwloc_obj_t pu = NULL;
	const void **cores, **llcs;

	if (count <= 0)
		return -ENODEV;
	topology->cpus = calloc((size_t)count, sizeof(*topology->cpus));
	cores = calloc((size_t)count, sizeof(*cores));
	llcs = calloc((size_t)count, sizeof(*llcs));
	topology->llc_is_cache = true;
	while (topology->cpus && cores && llcs &&
	       (pu = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_PU, pu))) {
		hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_CORE, pu);
		struct cpu *cpu = &topology->cpus[topology->n_cpus++];

		cpu->id = (int)pu->os_index;
		cpu->node = node_index(topology, hwloc_bitmap_first(pu->nodeset));
		topology->nodes[cpu->node].has_cpus = true;
		cpu->core = index_of(cores, &topology->n_cores, core ? core : pu);
		cpu->llc = index_of(llcs, &topology->n_llcs,
				    cache_domain(topology, hwloc, pu, cpu->node));
		cpu->kind = hwloc_cpukinds_get_by_cpuset(hwloc, pu->cpuset, 0);
		topology->llc_is_cache &= !!outermost_cache(pu);
	}
	free(cores);
	free(llcs);
	if (!topology->n_cpus)
		return -ENOMEM;
	qsort(topology->cpus, topology->n_cpus, sizeof(*topology->cpus), compare_cpus);
	topology->n_packages = (unsigned int)hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_PACKAGE);
	count = hwloc_cpukinds_get_nr(hwloc, 0);
	topology->n_kinds = count > 0 ? (unsigned int)count : 0;
	return 0;
}

/* ---- distances ---- */

static unsigned int *distance_slot(const struct topology *topology, size_t from, size_t to)
{
	return &topology->distances[from * topology->n_nodes + to];
}

static bool read_hwloc_distances(struct topology *topology, hwloc_topology_t hwloc)
{
	struct hwloc_distances_s *matrix = NULL;
	unsigned int count = 1;
	size_t filled = 0;

	if (hwloc_distances_get_by_type(hwloc, HWLOC_OBJ_NUMANODE, &count, &matrix,
					HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) ||
	    !count || !matrix)
		return false;
	for (unsigned int from = 0; from < matrix->nbobjs; from++) {
		for (unsigned int to = 0; to < matrix->nbobjs; to++) {
			uint64_t value = matrix->values[from * matrix->nbobjs + to];

			if (!matrix->objs[from] || !matrix->objs[to] || !value || value > UINT_MAX)
				continue;
			*distance_slot(
				topology,
				(size_t)node_index(topology, (int)matrix->objs[from]->os_index),
				(size_t)node_index(topology, (int)matrix->objs[to]->os_index)) =
				(unsigned int)value;
			filled++;
		}
	}
	hwloc_distances_release(hwloc, matrix);
	return filled == topology->n_nodes * topology->n_nodes;
}

/* /sys/devices/system/node/nodeN/distance has one number per online node, in ascending order. */
static bool read_sysfs_distances(struct topology *topology)
{
	char path[64], line[4096], *cursor, *end;

	for (size_t from = 0; from < topology->n_nodes; from++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/distance",
			 topology->nodes[from].id);
		if (read_line(path, line, sizeof(line)))
			return false;
		cursor = line;
		for (size_t to = 0; to < topology->n_nodes; to++, cursor = end) {
			unsigned long value = strtoul(cursor, &end, 10);

			if (end == cursor || !value)
				return false;
			*distance_slot(topology, from, to) = (unsigned int)value;
		}
	}
	return true;
}

static bool read_libnuma_distances(struct topology *topology)
{
	if (numa_available() < 0)
		return false;
	for (size_t from = 0; from < topology->n_nodes; from++) {
		for (size_t to = 0; to < topology->n_nodes; to++) {
			int value = numa_distance(topology->nodes[from].id, topology->nodes[to].id);

			if (value <= 0)
				return false;
			*distance_slot(topology, from, to) = (unsigned int)value;
		}
	}
	return true;
}

static int read_distances(struct topology *topology, hwloc_topology_t hwloc)
{
	bool live = hwloc_topology_is_thissystem(hwloc);

	topology->distances =
		calloc(topology->n_nodes * topology->n_nodes, sizeof(*topology->distances));
	if (!topology->distances)
		return -ENOMEM;
	if (topology->n_nodes == 1) {
		*distance_slot(topology, 0, 0) = DISTANCE_LOCAL;
		topology->distance_source = DISTANCES_ONE_NODE;
	} else if (read_hwloc_distances(topology, hwloc)) {
		topology->distance_source = DISTANCES_HWLOC;
	} else if (live && read_sysfs_distances(topology)) {
		topology->distance_source = DISTANCES_SYSFS;
	} else if (live && read_libnuma_distances(topology)) {
		topology->distance_source = DISTANCES_LIBNUMA;
	} else {
		topology->distance_source = DISTANCES_ASSUMED;
		for (size_t from = 0; from < topology->n_nodes; from++)
			for (size_t to = 0; to < topology->n_nodes; to++)
				*distance_slot(topology, from, to) =
					from == to ? DISTANCE_LOCAL : DISTANCE_REMOTE;
	}
	return 0;
}

/* ---- classes of placements ---- */

/* A class: what tells placements apart. Two pairs of CPUs of one class are taken to be alike. */
struct class
{
	enum placement_kind kind;
	unsigned int distance;
};

static struct class classify(const struct topology *topology, const struct cpu *owner,
			     const struct cpu *donor)
{
	struct class class = {
		.distance = *distance_slot(topology, (size_t)owner->node, (size_t)donor->node),
	};

	if (owner == donor)
		class.kind = PLACEMENT_SAME_CPU;
	else if (owner->core == donor->core)
		class.kind = PLACEMENT_SMT_SIBLING;
	else if (owner->node != donor->node) /* sub-NUMA clusters: one cache, and still two nodes */
		class.kind = PLACEMENT_CROSS_NODE;
	else if (owner->llc == donor->llc)
		class.kind = PLACEMENT_SAME_LLC;
	else
		class.kind = PLACEMENT_SAME_NODE;
	if (class.kind != PLACEMENT_CROSS_NODE)
		class.distance = DISTANCE_LOCAL;
	return class;
}

static bool is_same_class(struct class left, struct class right)
{
	return left.kind == right.kind && left.distance == right.distance;
}

static int compare_classes(const void *left, const void *right)
{
	const struct class *one = left, *other = right;

	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	if (one->distance != other->distance)
		return one->distance < other->distance ? -1 : 1;
	return 0;
}

static int add_class(struct class **classes, size_t *count, struct class class)
{
	struct class *grown;

	for (size_t i = 0; i < *count; i++)
		if (is_same_class((*classes)[i], class))
			return 0;
	grown = realloc(*classes, (*count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*classes = grown;
	grown[(*count)++] = class;
	return 0;
}

static int find_classes(const struct topology *topology, struct class **classes, size_t *count)
{
	*classes = NULL;
	*count = 0;
	for (size_t owner = 0; owner < topology->n_cpus; owner++) {
		for (size_t donor = 0; donor < topology->n_cpus; donor++) {
			int err = add_class(
				classes, count,
				classify(topology, &topology->cpus[owner], &topology->cpus[donor]));

			if (err)
				return err;
		}
	}
	qsort(*classes, *count, sizeof(**classes), compare_classes);
	return 0;
}

/* What it costs to give a role to @cpu: the first CPU and its core are better left alone. */
static unsigned int role_cost(const struct topology *topology, const struct cpu *cpu)
{
	unsigned int cost = topology->nodes[cpu->node].memory_bytes ? 0 : COST_NO_MEMORY;

	if (cpu == &topology->cpus[0])
		return cost + COST_HOUSEKEEPING;
	return cost + (cpu->core == topology->cpus[0].core ? COST_HOUSEKEEPER_CORE : 0);
}

static unsigned int donor_cost(const struct topology *topology, const struct cpu *owner,
			       const struct cpu *donor)
{
	if (donor == owner)
		return 0;
	return role_cost(topology, donor) + (donor->kind != owner->kind ? COST_OTHER_CPU_KIND : 0);
}

/* The cheapest donor of @class for @owner; NULL when it has none. */
static const struct cpu *best_donor(const struct topology *topology, const struct cpu *owner,
				    struct class class, unsigned int *cost)
{
	const struct cpu *best = NULL;

	*cost = COST_UNREACHABLE;
	for (size_t i = 0; i < topology->n_cpus; i++) {
		const struct cpu *donor = &topology->cpus[i];
		unsigned int donor_costs;

		if (!is_same_class(classify(topology, owner, donor), class))
			continue;
		donor_costs = donor_cost(topology, owner, donor);
		if (donor_costs >= *cost)
			continue;
		*cost = donor_costs;
		best = donor;
	}
	return best;
}

/* One owner for all classes, so that they differ in the donor's place alone: the cheapest. */
static const struct cpu *choose_owner(const struct topology *topology, const struct class *classes,
				      size_t n_classes)
{
	const struct cpu *best = NULL;
	unsigned long best_cost = ULONG_MAX;

	for (size_t i = 0; i < topology->n_cpus; i++) {
		const struct cpu *owner = &topology->cpus[i];
		unsigned long total = role_cost(topology, owner) * n_classes;
		unsigned int cost;

		for (size_t c = 0; c < n_classes && total < best_cost; c++) {
			best_donor(topology, owner, classes[c], &cost);
			total += cost;
		}
		if (total >= best_cost)
			continue;
		best_cost = total;
		best = owner;
		if (!best_cost)
			break;
	}
	return best;
}

static const struct cpu *choose_observer(const struct topology *topology, const struct cpu *owner,
					 const struct cpu *donor)
{
	const struct cpu *best = NULL;
	unsigned int best_cost = UINT_MAX;

	for (size_t i = 0; i < topology->n_cpus; i++) {
		const struct cpu *cpu = &topology->cpus[i];
		unsigned int cost = role_cost(topology, cpu);

		if (cpu == owner || cpu == donor)
			continue;
		if (cpu->core == owner->core)
			cost += COST_OWNER_SIBLING;
		else if (cpu->core == donor->core)
			cost += COST_DONOR_SIBLING;
		if (cpu->llc == owner->llc || cpu->llc == donor->llc)
			cost += COST_SHARED_CACHE;
		if (cost >= best_cost)
			continue;
		best_cost = cost;
		best = cpu;
	}
	return best;
}

static void name_placement(struct placement *placement)
{
	if (placement->kind == PLACEMENT_CROSS_NODE)
		snprintf(placement->name, sizeof(placement->name), "%s-%u",
			 placement_kind_name(placement->kind), placement->distance);
	else
		snprintf(placement->name, sizeof(placement->name), "%s",
			 placement_kind_name(placement->kind));
}

static void fill_placement(const struct topology *topology, struct placement *placement,
			   struct class class, const struct cpu *anchor)
{
	const struct cpu *owner = anchor, *donor, *observer;
	unsigned int cost;

	donor = best_donor(topology, owner, class, &cost);
	if (!donor) {
		/* Not from the common owner (a lopsided machine): the cheapest owner that has it.
		 */
		owner = choose_owner(topology, &class, 1);
		donor = best_donor(topology, owner, class, &cost);
	}
	observer = choose_observer(topology, owner, donor);
	*placement = (struct placement){
		.kind = class.kind,
		.owner_cpu = owner->id,
		.donor_cpu = donor->id,
		.observer_cpu = observer ? observer->id : -1,
		.owner_node = topology->nodes[owner->node].id,
		.donor_node = topology->nodes[donor->node].id,
		.distance = class.distance,
	};
	name_placement(placement);
}

static int choose_housekeeping_cpu(const struct topology *topology)
{
	for (size_t i = 0; i < topology->n_cpus; i++) {
		int id = topology->cpus[i].id;
		bool used = false;

		for (size_t p = 0; p < topology->n_placements && !used; p++)
			used = topology->placements[p].owner_cpu == id ||
			       topology->placements[p].donor_cpu == id ||
			       topology->placements[p].observer_cpu == id;
		if (!used)
			return id;
	}
	return -1;
}

static int make_placements(struct topology *topology)
{
	const struct cpu *anchor;
	struct class *classes;
	size_t n_classes;
	int err;

	err = find_classes(topology, &classes, &n_classes);
	if (err)
		goto out;
	topology->placements = calloc(n_classes, sizeof(*topology->placements));
	if (!topology->placements) {
		err = -ENOMEM;
		goto out;
	}
	anchor = choose_owner(topology, classes, n_classes);
	for (size_t i = 0; i < n_classes; i++)
		fill_placement(topology, &topology->placements[i], classes[i], anchor);
	topology->n_placements = n_classes;
	topology->housekeeping_cpu = choose_housekeeping_cpu(topology);
out:
	free(classes);
	return err;
}

/* ---- the interface ---- */

int topology_load(struct topology **out, const char *xml_path)
{
	struct topology *topology = calloc(1, sizeof(*topology));
	hwloc_topology_t hwloc;
	int err;

	if (!topology)
		return -ENOMEM;
	err = load_hwloc(&hwloc, xml_path);
	if (err)
		goto out_free;
	err = read_nodes(topology, hwloc);
	if (!err)
		err = read_cpus(topology, hwloc);
	if (!err)
		err = read_distances(topology, hwloc);
	hwloc_topology_destroy(hwloc);
	if (!err)
		err = make_placements(topology);
	if (err)
		goto out_free;
	*out = topology;
	return 0;
out_free:
	topology_free(topology);
	return err;
}

void topology_free(struct topology *topology)
{
	if (!topology)
		return;
	free(topology->cpus);
	free(topology->nodes);
	free(topology->distances);
	free(topology->placements);
	free(topology);
}

size_t topology_placements(const struct topology *topology, struct placement *out, size_t max)
{
	for (size_t i = 0; i < topology->n_placements && i < max; i++)
		out[i] = topology->placements[i];
	return topology->n_placements;
}

static bool is_within(const struct cpu *a, const struct cpu *b, enum placement_kind kind)
{
	switch (kind) {
	case PLACEMENT_SAME_CPU:
		return a == b;
	case PLACEMENT_SMT_SIBLING:
		return a->core == b->core;
	case PLACEMENT_SAME_LLC:
		return a->llc == b->llc;
	case PLACEMENT_SAME_NODE:
		return a->node == b->node;
	default:
		return true;
	}
}

size_t topology_cpus_within(const struct topology *topology, enum placement_kind kind, int cpu,
			    int *out, size_t max)
{
	const struct cpu *centre = NULL;
	size_t n = 0;

	for (size_t i = 0; i < topology->n_cpus; i++)
		if (topology->cpus[i].id == cpu)
			centre = &topology->cpus[i];
	for (size_t i = 0; centre && i < topology->n_cpus; i++) {
		if (!is_within(&topology->cpus[i], centre, kind))
			continue;
		if (n < max)
			out[n] = topology->cpus[i].id;
		n++;
	}
	return n;
}

unsigned int topology_cpus(const struct topology *topology)
{
	return (unsigned int)topology->n_cpus;
}

unsigned int topology_nodes(const struct topology *topology)
{
	return (unsigned int)topology->n_nodes;
}

int topology_housekeeping_cpu(const struct topology *topology)
{
	return topology->housekeeping_cpu;
}

const char *placement_kind_name(enum placement_kind kind)
{
	static const char *const names[PLACEMENT_KINDS] = {
		[PLACEMENT_SAME_CPU] = "same-cpu",     [PLACEMENT_SMT_SIBLING] = "smt-sibling",
		[PLACEMENT_SAME_LLC] = "same-llc",     [PLACEMENT_SAME_NODE] = "same-node",
		[PLACEMENT_CROSS_NODE] = "cross-node",
	};

	return kind < PLACEMENT_KINDS ? names[kind] : "unknown";
}

static const char *distance_source_name(enum distance_source source)
{
	static const char *const names[] = {
		[DISTANCES_ONE_NODE] = "one-node", [DISTANCES_HWLOC] = "hwloc",
		[DISTANCES_SYSFS] = "sysfs",	   [DISTANCES_LIBNUMA] = "libnuma",
		[DISTANCES_ASSUMED] = "assumed",
	};

	return names[source];
}

static struct json_object *node_cpus_to_json(const struct topology *topology, size_t node)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < topology->n_cpus; i++)
		if (topology->cpus[i].node == (int)node)
			json_object_array_add(list, json_object_new_int(topology->cpus[i].id));
	return list;
}

static struct json_object *distances_to_json(const struct topology *topology)
{
	struct json_object *rows = json_object_new_array();

	for (size_t from = 0; from < topology->n_nodes; from++) {
		struct json_object *row = json_object_new_array();

		for (size_t to = 0; to < topology->n_nodes; to++)
			json_object_array_add(
				row, json_object_new_int64(*distance_slot(topology, from, to)));
		json_object_array_add(rows, row);
	}
	return rows;
}

struct json_object *topology_to_json(const struct topology *topology)
{
	struct json_object *object = json_object_new_object();
	struct json_object *ids = json_object_new_array(), *cpus = json_object_new_array();
	struct json_object *memory = json_object_new_array();

	for (size_t i = 0; i < topology->n_nodes; i++) {
		json_object_array_add(ids, json_object_new_int(topology->nodes[i].id));
		json_object_array_add(cpus, node_cpus_to_json(topology, i));
		json_object_array_add(
			memory, json_object_new_int64((int64_t)topology->nodes[i].memory_bytes));
	}
	json_object_object_add(object, "nodes", json_object_new_int((int)topology->n_nodes));
	json_object_object_add(object, "packages", json_object_new_int((int)topology->n_packages));
	json_object_object_add(object, "llcs", json_object_new_int((int)topology->n_llcs));
	json_object_object_add(
		object, "llc_source",
		json_object_new_string(topology->llc_is_cache ? "cache" : "package"));
	json_object_object_add(object, "cores", json_object_new_int((int)topology->n_cores));
	json_object_object_add(object, "cpus", json_object_new_int((int)topology->n_cpus));
	json_object_object_add(object, "cpu_kinds", json_object_new_int((int)topology->n_kinds));
	json_object_object_add(object, "distances", distances_to_json(topology));
	json_object_object_add(
		object, "distances_source",
		json_object_new_string(distance_source_name(topology->distance_source)));
	json_object_object_add(object, "node_ids", ids);
	json_object_object_add(object, "node_cpus", cpus);
	json_object_object_add(object, "node_memory_bytes", memory);
	return object;
}
