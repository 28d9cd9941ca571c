/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_RUN_ITEMS_H
#define BENCH_RUN_ITEMS_H

#include <stdbool.h>

#include "bench/run_order.h"

struct workload;

/*
 * The work of a run before its sweeps are multiplied out: an array of
 *   {"workload": NAME, "placements": […], "params": {NAME: VALUE}, "sweeps": {NAME: [VALUE, …]}}
 * A parameter is in params or in sweeps. What says something of it later wins: the profile, the
 * campaign file, a workload in that file, the command line.
 */

/* Which settings of a layer had a workload that they are for. */
struct run_used {
	bool *params, *sweeps;
};

/* Fills order->items; 0, or an exit code with its message printed. */
int run_items_make(struct run_order *order, const struct string_list *names);

const struct workload *run_item_workload(struct json_object *item);
struct json_object *run_item_get(struct json_object *item, const char *key);

/* Whether two names of placements may come to the same one. */
bool run_placements_overlap(const char *one, const char *two);

#endif
