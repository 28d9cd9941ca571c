// SPDX-License-Identifier: GPL-2.0-only
#include "bench/runner.h"

#include <errno.h>
#include <json-c/json.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "bench/environment.h"
#include "bench/health.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/section.h"
#include "bench/section_run.h"
#include "measure/sched_attr.h"

struct runner {
	void (*progress)(void *context, unsigned int done, unsigned int total, const char *what);
	void *progress_context;
	struct section_list sections;
	size_t current;
};

static const char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value)
							      : NULL;
}

static void tell(struct runner *runner, unsigned int step)
{
	const struct section *section = &runner->sections.items[runner->current];
	char what[128];

	if (!runner->progress)
		return;
	snprintf(what, sizeof(what), "%s %s", section->workload->name, section->placement.name);
	runner->progress(runner->progress_context,
			 (unsigned int)runner->current * RUNNER_STEPS + step,
			 (unsigned int)runner->sections.count * RUNNER_STEPS, what);
}

static void on_section_progress(void *context, unsigned int done, unsigned int total)
{
	tell(context, total ? (unsigned int)((uint64_t)done * RUNNER_STEPS / total) : 0);
}

static int run_sections(struct runner *runner, struct section_context *context,
			struct json_object *array)
{
	context->progress = on_section_progress;
	context->progress_context = runner;
	for (runner->current = 0; runner->current < runner->sections.count; runner->current++) {
		struct json_object *object;
		int err;

		if (process_stop_requested())
			return -EINTR;
		tell(runner, 0);
		err = section_run(&runner->sections.items[runner->current], context, &object);
		if (err)
			return err;
		json_object_array_add(array, object);
		tell(runner, RUNNER_STEPS);
	}
	return 0;
}

/* The head of the document: what the plan says of itself. */
static struct json_object *begin_document(struct json_object *plan)
{
	struct json_object *document = json_object_new_object();
	struct json_object *campaign = json_object_new_object();
	struct json_object *boot = NULL;

	json_object_object_get_ex(plan, "boot", &boot);
	json_object_object_add(campaign, "id", json_object_new_string(get_text(plan, "campaign")));
	json_object_object_add(document, "format", json_object_new_string("proxeval-boot"));
	json_object_object_add(document, "version", json_object_new_int(1));
	json_object_object_add(document, "campaign", campaign);
	json_object_object_add(document, "boot", json_object_get(boot));
	json_object_object_add(document, "target",
			       json_object_new_string(get_text(plan, "target")));
	json_object_object_add(document, "time", json_object_new_string(get_text(plan, "time")));
	json_object_object_add(document, "outcome", json_object_new_string("ok"));
	json_object_object_add(document, "reason", NULL);
	return document;
}

static int check_plan(struct json_object *plan)
{
	struct json_object *version;
	const char *format = get_text(plan, "format"), *time = get_text(plan, "time");

	if (!format || strcmp(format, "proxeval-plan") != 0 ||
	    !json_object_object_get_ex(plan, "version", &version) ||
	    json_object_get_int(version) != 1) {
		message_error("this is not a plan that this program can read: its \"format\" must "
			      "be \"proxeval-plan\" and its \"version\" 1");
		return -EINVAL;
	}
	if (!get_text(plan, "campaign") || !get_text(plan, "target") || !time ||
	    (strcmp(time, "real") != 0 && strcmp(time, "virtual") != 0)) {
		message_error("the plan needs \"campaign\", \"target\", and a \"time\" that is "
			      "\"real\" or \"virtual\"");
		return -EINVAL;
	}
	return 0;
}

/* Sections under a health watch, away from the CPUs that they use. */
static int measure(struct runner *runner, struct json_object *plan, struct topology *topology,
		   struct json_object *document)
{
	struct json_object *period, *sections = json_object_new_array();
	struct section_context context = {.topology = topology};
	struct health *health;
	cpu_set_t affinity;
	int housekeeping = topology_housekeeping_cpu(topology);
	int err;

	context.virtual_time = !strcmp(get_text(plan, "time"), "virtual");
	context.proxy_exec = environment_proxy_exec();
	context.proxy_exec_request = environment_proxy_exec_request();
	context.refusal = environment_proxy_exec_refusal();
	if (json_object_object_get_ex(plan, "metronome_period_ns", &period))
		context.metronome_period_ns = json_object_get_uint64(period);
	err = health_begin(&health, !strcmp(get_text(plan, "target"), "vm"));
	if (err) {
		json_object_put(sections);
		return message_errno(err, "cannot look at the kernel's health");
	}
	sched_getaffinity(0, sizeof(affinity), &affinity);
	if (housekeeping >= 0)
		task_pin(housekeeping);
	err = run_sections(runner, &context, sections);
	sched_setaffinity(0, sizeof(affinity), &affinity);
	/* Afterwards: by now a guest has settled on its clocksource. */
	json_object_object_add(document, "environment", environment_to_json());
	json_object_object_add(document, "sections", sections);
	json_object_object_add(document, "health", health_end(health));
	return err;
}

int runner_run(struct json_object *plan,
	       void (*progress)(void *context, unsigned int done, unsigned int total,
				const char *what),
	       void *context, struct json_object **result)
{
	struct runner runner = {.progress = progress, .progress_context = context};
	struct json_object *document;
	struct topology *topology;
	char error[512];
	int err = check_plan(plan);

	*result = NULL;
	if (err)
		return err;
	err = topology_load(&topology, NULL);
	if (err)
		return message_errno(err, "cannot read this machine's topology");
	err = section_list_from_plan(&runner.sections, plan, topology, error, sizeof(error));
	if (err) {
		message_error("%s", error[0] ? error : strerror(-err));
		goto out_free_topology;
	}
	document = begin_document(plan);
	err = measure(&runner, plan, topology, document);
	if (err)
		json_object_put(document);
	else
		*result = document;
	section_list_release(&runner.sections);

out_free_topology:
	topology_free(topology);
	return err;
}
