// SPDX-License-Identifier: GPL-2.0-only
/* From an order to a campaign: what is about to happen is said, built, and written down. */
#include "bench/run_order.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/run_items.h"
#include "workloads/workload.h"

/* ./run-bench sets where the data is. */
const char *run_program(void)
{
	return getenv("PROXEVAL_DATA") ? "./run-bench" : "proxeval";
}

/*
 * A rough guess, before anything is known of this machine: what booting and one section in
 * one placement took on a two-core machine. The progress line knows better after the first boot.
 */
static unsigned int estimate_min(const struct run_order *order)
{
	struct campaign draft = {.time = order->time};
	size_t sections = run_work_sections(order);
	double boot_s = order->target == &target_host ? 0 : order->time == TIME_VIRTUAL ? 4 : 10;
	double total_s = (double)(order->boots * order->n_variants) *
			 (boot_s + 1.5 * (double)sections) / order->target->parallel_boots(&draft);

	return (unsigned int)(total_s / 60) + 1;
}

static void announce_work(struct json_object *item)
{
	struct json_object *places = run_item_get(item, "placements");
	char text[512] = "";

	json_object_object_foreach (run_item_get(item, "sweeps"), swept, values) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "with %s = ", swept);
		for (size_t i = 0; i < json_object_array_length(values); i++) {
			used = strlen(text);
			snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
				 json_object_get_string(json_object_array_get_idx(values, i)));
		}
		used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "; ");
	}
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "in ");
	for (size_t i = 0; i < json_object_array_length(places); i++) {
		const char *place = json_object_get_string(json_object_array_get_idx(places, i));
		size_t used = strlen(text);

		if (!strcmp(place, "all"))
			place = "every placement that exists";
		snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", place);
	}
	message_note("  workload %s, %s", run_item_workload(item)->name, text);
}

static void announce_looks(const struct sequential_plan *plan)
{
	char text[256] = "";

	for (size_t i = 0; i < plan->n_looks; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%u", i ? ", " : "",
			 plan->looks[i].boots);
	}
	message_note("  until all primary metrics are conclusive: a look at %s boots each", text);
}

/* What is about to happen, before anything does. */
static void announce(const struct run_order *order)
{
	const char *clock = order->time == TIME_VIRTUAL ? "virtual" : "real";
	char where[160];

	if (order->target == &target_host)
		snprintf(where, sizeof(where), "this boot of this machine");
	else
		snprintf(where, sizeof(where), "guests of %u CPU%s (%s: %u NUMA node%s), %u MiB",
			 vm_topology_cpus(&order->topology),
			 vm_topology_cpus(&order->topology) == 1 ? "" : "s", order->topology_text,
			 order->topology.nodes, order->topology.nodes == 1 ? "" : "s",
			 order->memory_mib);
	message_note("measuring %zu variant%s, %s%u boot%s each, in %s time on %s",
		     order->n_variants, order->n_variants == 1 ? "" : "s",
		     order->sequential.n_looks ? "at most " : "", order->boots,
		     order->boots == 1 ? "" : "s", clock, where);
	if (order->sequential.n_looks)
		announce_looks(&order->sequential);
	for (size_t i = 0; i < order->n_variants; i++)
		message_note("  %-12s %s %s", order->variants[i].label,
			     order->target == &target_host   ? "the running kernel"
			     : order->variants[i].image_path ? order->variants[i].image_path
			     : order->values->kernel_image   ? order->values->kernel_image
							     : "the kernel built here",
			     order->variants[i].arguments);
	for (size_t i = 0; i < json_object_array_length(order->items); i++)
		announce_work(json_object_array_get_idx(order->items, i));
	message_note("  order and chance drawn from seed %" PRIu64 "; %ssome %u min%s", order->seed,
		     order->sequential.n_looks ? "at most " : "", estimate_min(order),
		     run_needs_kernel(order) ? " once the kernel is built" : "");
}

static int probe_target(const struct run_order *order)
{
	struct campaign draft = {.time = order->time,
				 .topology = order->topology_text,
				 .memory_mib = order->memory_mib};
	char reason[512];

	if (!order->target->probe(&draft, reason, sizeof(reason)))
		return 0;
	message_error("the target %s cannot work here: %s", order->target->name, reason);
	return EXIT_CANNOT;
}

static int create_campaign(const struct run_order *order, struct campaign **campaign)
{
	const struct campaign_request request = {
		.results = order->values->results,
		.id = order->values->id,
		.target = order->target,
		.time = order->time,
		.seed = order->seed,
		.variants = order->variants,
		.n_variants = order->n_variants,
		.boots = order->boots,
		.sequential = order->sequential.n_looks ? &order->sequential : NULL,
		.topology = order->target == &target_host ? NULL : order->topology_text,
		.memory_mib = order->memory_mib,
		.profile = order->profile,
		.watchdog_s = order->watchdog_s,
		.work = order->work,
	};

	return campaign_create(&request, campaign);
}

/* Before a kernel is built: where nothing can be kept, nothing needs to be measured. */
static int make_results(const char *results)
{
	int err = make_directories(results);

	if (!err && access(results, W_OK | X_OK))
		err = -errno;
	if (!err)
		return 0;
	message_errno(err, "cannot write to the folder for the results, %s", results);
	return EXIT_BROKE;
}

int run_order_start(struct run_order *order, struct campaign **campaign)
{
	int code = run_images_check(order);

	if (!code)
		code = run_kernel_check(order);
	if (!code)
		code = probe_target(order);
	if (code)
		return code;
	process_catch_stop_signals();
	code = make_results(order->values->results);
	if (code)
		return code;
	announce(order);
	code = run_images_settle(order);
	if (code)
		return code;
	return create_campaign(order, campaign) ? EXIT_BROKE : 0;
}

void run_order_release(struct run_order *order)
{
	for (size_t i = 0; i < RUN_MAX_VARIANTS; i++)
		free(order->texts[i]);
	json_object_put(order->items);
	json_object_put(order->work);
	kernel_build_release(&order->kernel);
}
