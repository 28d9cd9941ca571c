// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <cmocka.h>

#include "bench/topology.h"

#define FIXTURES TEST_SOURCE_DIR "/tests/fixtures/topologies/"

/* A recorded machine and what must be made of it, to the last CPU. */
struct machine {
	const char *file;
	unsigned int cpus, nodes, llcs;
	const char *llc_source, *distances_source;
	int housekeeping_cpu;
	struct placement placements[8]; /* ended by an empty name */
};

#define SAME_CPU(owner, observer, node)                                                \
	{                                                                              \
		PLACEMENT_SAME_CPU, "same-cpu", owner, owner, observer, node, node, 10 \
	}
#define NEAR(kind, name, owner, donor, observer, node)             \
	{                                                          \
		kind, name, owner, donor, observer, node, node, 10 \
	}
#define SIBLING(...)   NEAR(PLACEMENT_SMT_SIBLING, "smt-sibling", __VA_ARGS__)
#define SAME_LLC(...)  NEAR(PLACEMENT_SAME_LLC, "same-llc", __VA_ARGS__)
#define SAME_NODE(...) NEAR(PLACEMENT_SAME_NODE, "same-node", __VA_ARGS__)
#define CROSS(owner, donor, observer, owner_node, donor_node, distance)                            \
	{                                                                                          \
		PLACEMENT_CROSS_NODE, "cross-node-" #distance, owner, donor, observer, owner_node, \
			donor_node, distance                                                       \
	}

/* clang-format off */
static const struct machine machines[] = {
	{ "guest-2x2x2", 8, 2, 2, "cache", "hwloc", 0,
	  { SAME_CPU(4, 2, 1), SIBLING(4, 5, 2, 1), SAME_LLC(4, 6, 2, 1),
	    CROSS(4, 2, 6, 1, 0, 20) } },
	{ "xeon-2s", 32, 2, 2, "cache", "hwloc", 0,
	  { SAME_CPU(1, 8, 0), SIBLING(1, 17, 8, 0), SAME_LLC(1, 2, 8, 0),
	    CROSS(1, 8, 2, 0, 1, 21) } },
	/* One cache over two nodes: another node all the same. */
	{ "xeon-2s-snc2", 32, 4, 2, "cache", "hwloc", 0,
	  { SAME_CPU(1, 8, 0), SIBLING(1, 17, 8, 0), SAME_LLC(1, 2, 8, 0),
	    CROSS(1, 4, 8, 0, 1, 11), CROSS(1, 8, 2, 0, 2, 21) } },
	{ "four-sockets", 16, 4, 4, "cache", "hwloc", 0,
	  { SAME_CPU(1, 4, 0), SAME_LLC(1, 2, 4, 0), CROSS(1, 4, 8, 0, 1, 16),
	    CROSS(1, 8, 4, 0, 2, 22) } },
	/* Several caches in one node. */
	{ "epyc-2s-nps2", 32, 4, 8, "cache", "hwloc", 0,
	  { SAME_CPU(2, 1, 0), SIBLING(2, 18, 1, 0), SAME_LLC(2, 3, 1, 0), SAME_NODE(2, 1, 4, 0),
	    CROSS(2, 4, 1, 0, 1, 12), CROSS(2, 8, 1, 0, 2, 32) } },
	/* Node numbers with holes; the GPUs' nodes have no CPUs and give no placement. */
	{ "power9-smt4", 32, 4, 4, "cache", "hwloc", 0,
	  { SAME_CPU(8, 4, 0), SIBLING(8, 9, 4, 0), SAME_LLC(8, 12, 4, 0), SAME_NODE(8, 4, 32, 0),
	    CROSS(8, 32, 4, 0, 8, 40) } },
	{ "power8-smt8", 16, 1, 2, "cache", "one-node", 0,
	  { SAME_CPU(8, 1, 0), SIBLING(8, 9, 1, 0), SAME_NODE(8, 1, 2, 0) } },
	{ "single-cpu", 1, 1, 1, "cache", "one-node", -1, { SAME_CPU(0, -1, 0) } },
	{ "two-cpus", 2, 1, 1, "cache", "one-node", -1,
	  { SAME_CPU(1, 0, 0), SAME_LLC(1, 0, -1, 0) } },
	{ "laptop", 4, 1, 1, "cache", "one-node", 0,
	  { SAME_CPU(1, 2, 0), SAME_LLC(1, 2, 3, 0) } },
	{ "cxl", 8, 3, 2, "cache", "hwloc", 0,
	  { SAME_CPU(2, 1, 1), SIBLING(2, 6, 1, 1), SAME_LLC(2, 3, 1, 1),
	    CROSS(2, 1, 3, 1, 0, 21) } },
	/* Nodes 1 and 3 have no memory: the roles go to 2 and 0. */
	{ "memoryless-nodes", 16, 4, 4, "cache", "hwloc", 0,
	  { SAME_CPU(8, 2, 2), SIBLING(8, 9, 2, 2), SAME_LLC(8, 10, 2, 2),
	    CROSS(8, 2, 10, 2, 0, 16) } },
	/* CPUs 0, 1, 4, 6 … are off line; only CPU 2 still has its sibling. */
	{ "offline-holes", 5, 2, 2, "cache", "hwloc", 14,
	  { SAME_CPU(10, 5, 0), SIBLING(10, 2, 5, 0), SAME_LLC(10, 3, 5, 0),
	    CROSS(10, 5, 3, 0, 1, 20) } },
	/* Owner and donor are of one kind wherever the class allows it. */
	{ "big-little", 8, 1, 2, "cache", "one-node", 0,
	  { SAME_CPU(1, 4, 0), SAME_LLC(1, 2, 4, 0), SAME_NODE(1, 4, 2, 0) } },
	{ "no-caches", 4, 2, 2, "package", "assumed", 0,
	  { SAME_CPU(2, 1, 1), SAME_LLC(2, 3, 1, 1), CROSS(2, 1, 3, 1, 0, 20) } },
	{ "restricted", 3, 2, 2, "cache", "hwloc", -1,
	  { SAME_CPU(3, 6, 0), SIBLING(3, 2, 6, 0), CROSS(3, 6, 2, 0, 1, 20) } },
	/* Not every class can be had from the common owner; both directions count. */
	{ "lopsided", 6, 3, 3, "cache", "hwloc", 0,
	  { SAME_CPU(2, 1, 1), SAME_LLC(2, 3, 1, 1), CROSS(2, 1, 4, 1, 0, 20),
	    CROSS(2, 4, 1, 1, 2, 25), CROSS(1, 4, 2, 0, 2, 30), CROSS(4, 1, 2, 2, 0, 35) } },
};
/* clang-format on */

static struct topology *load(const char *file)
{
	struct topology *topology;
	char path[512];

	snprintf(path, sizeof(path), FIXTURES "%s.xml", file);
	print_message("%s\n", file);
	assert_int_equal(topology_load(&topology, path), 0);
	return topology;
}

static void check_placement(const struct placement *found, const struct placement *expected)
{
	assert_string_equal(found->name, expected->name);
	assert_int_equal(found->kind, expected->kind);
	assert_int_equal(found->owner_cpu, expected->owner_cpu);
	assert_int_equal(found->donor_cpu, expected->donor_cpu);
	assert_int_equal(found->observer_cpu, expected->observer_cpu);
	assert_int_equal(found->owner_node, expected->owner_node);
	assert_int_equal(found->donor_node, expected->donor_node);
	assert_int_equal(found->distance, expected->distance);
}

static void test_each_machine_has_its_placements(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		const struct machine *machine = &machines[i];
		struct topology *topology = load(machine->file);
		struct placement found[8];
		size_t expected = 0, count;

		while (expected < 8 && *machine->placements[expected].name)
			expected++;
		count = topology_placements(topology, found, 8);
		assert_int_equal(count, expected);
		for (size_t p = 0; p < count; p++)
			check_placement(&found[p], &machine->placements[p]);
		assert_int_equal(topology_cpus(topology), machine->cpus);
		assert_int_equal(topology_nodes(topology), machine->nodes);
		assert_int_equal(topology_housekeeping_cpu(topology), machine->housekeeping_cpu);
		topology_free(topology);
	}
}

static const char *string_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void test_the_document_says_where_it_knows_from(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		struct topology *topology = load(machines[i].file);
		struct json_object *object = topology_to_json(topology);

		assert_string_equal(string_of(object, "llc_source"), machines[i].llc_source);
		assert_string_equal(string_of(object, "distances_source"),
				    machines[i].distances_source);
		assert_int_equal(json_object_get_int(json_object_object_get(object, "llcs")),
				 machines[i].llcs);
		json_object_put(object);
		topology_free(topology);
	}
}

static void test_the_document_is_whole(void **state)
{
	struct topology *topology = load("cxl");
	struct json_object *object = topology_to_json(topology);

	(void)state;
	assert_string_equal(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
		"{\"nodes\":3,\"packages\":2,\"llcs\":2,\"llc_source\":\"cache\",\"cores\":4,"
		"\"cpus\":8,\"cpu_kinds\":0,\"distances\":[[10,21,14],[21,10,24],[14,24,10]],"
		"\"distances_source\":\"hwloc\",\"node_ids\":[0,1,2],"
		"\"node_cpus\":[[0,1,4,5],[2,3,6,7],[]],"
		"\"node_memory_bytes\":[68719476736,68719476736,137438953472]}");
	json_object_put(object);
	topology_free(topology);
}

static void test_no_more_is_written_than_asked_for(void **state)
{
	struct topology *topology = load("epyc-2s-nps2");
	struct placement found[2] = {{.owner_cpu = -7}, {.owner_cpu = -7}};

	(void)state;
	assert_int_equal(topology_placements(topology, found, 1), 6);
	assert_int_equal(found[0].owner_cpu, 2);
	assert_int_equal(found[1].owner_cpu, -7);
	assert_int_equal(topology_placements(topology, NULL, 0), 6);
	topology_free(topology);
}

static void test_bad_files_are_refused(void **state)
{
	struct topology *topology;

	(void)state;
	assert_int_equal(topology_load(&topology, "/nonexistent/topology.xml"), -ENOENT);
	assert_int_equal(topology_load(&topology, TEST_SOURCE_DIR "/tests/test_topology.c"),
			 -EINVAL);
	assert_int_equal(topology_load(&topology, "/dev/null"), -EINVAL);
}

/* The live machine, cut to one of the CPUs that this process may use. */
static void test_affinity_restricts_the_live_machine(void **state)
{
	struct topology *topology;
	struct placement placement;
	cpu_set_t before, one;
	int cpu = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(topology_load(&topology, NULL), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(topology_cpus(topology), 1);
	assert_int_equal(topology_placements(topology, &placement, 1), 1);
	assert_int_equal(placement.owner_cpu, cpu);
	assert_int_equal(placement.donor_cpu, cpu);
	assert_int_equal(placement.observer_cpu, -1);
	assert_int_equal(topology_housekeeping_cpu(topology), -1);
	topology_free(topology);
	assert_int_equal(topology_load(&topology, NULL), 0);
	assert_int_equal(topology_cpus(topology), CPU_COUNT(&before));
	topology_free(topology);
}

static void test_kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(placement_kind_name(PLACEMENT_SAME_CPU), "same-cpu");
	assert_string_equal(placement_kind_name(PLACEMENT_CROSS_NODE), "cross-node");
	assert_string_equal(placement_kind_name(PLACEMENT_KINDS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_machine_has_its_placements),
		cmocka_unit_test(test_the_document_says_where_it_knows_from),
		cmocka_unit_test(test_the_document_is_whole),
		cmocka_unit_test(test_no_more_is_written_than_asked_for),
		cmocka_unit_test(test_bad_files_are_refused),
		cmocka_unit_test(test_affinity_restricts_the_live_machine),
		cmocka_unit_test(test_kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
