/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SECTION_H
#define BENCH_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/topology.h"
#include "workloads/workload.h"

struct json_object;

/* One workload with one set of parameters in one placement: an element of a result's "sections". */
struct section {
	char *id; /* "mutex-inversion/same-cpu/donor=fifo,owner=nice": the same in every boot */
	const struct workload *workload;
	const char **values; /* one per parameter, in the table's order; owned by plan and table */
	struct placement placement; /* kind and name only, when it does not exist here */
	char *missing;		    /* why this placement is not to be had; NULL: it is */
	uint64_t seed; /* drawn from the boot's and the id: does not depend on the order */
};

struct section_list {
	struct section *items;
	size_t count;
};

/*
 * Expands a plan (doc/internals.md) on this topology into sections, in an order drawn
 * from the boot's seed. "all" placements are those that exist here and that the workload
 * has; one that is asked for by name and does not exist becomes a section that says so.
 * The plan must outlive the list. 0; -EINVAL when the plan is wrong, with one sentence in
 * @error; or -ENOMEM.
 */
int section_list_from_plan(struct section_list *list, struct json_object *plan,
			   const struct topology *topology, char *error, size_t error_size);
void section_list_release(struct section_list *list);

/* The parts of a section's object that the plan decides: "id", "workload", "params", "placement".
 */
struct json_object *section_to_json(const struct section *section);

#endif
