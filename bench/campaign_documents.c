// SPDX-License-Identifier: GPL-2.0-only
/* What a campaign hands to its boots and keeps of them: the plans, the results. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench/campaign.h"
#include "bench/files.h"

/* The guest must not know when it runs: in virtual time that would be another trajectory. */
#define CAMPAIGN_NAME_IN_GUEST "campaign"

static const struct target *const targets[] = {&target_vm, &target_host};

const struct target *target_find(const char *name)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (!strcmp(targets[i]->name, name))
			return targets[i];
	return NULL;
}

const char *time_kind_name(enum time_kind time)
{
	return time == TIME_VIRTUAL ? "virtual" : "real";
}

const char *boot_outcome_name(enum boot_outcome outcome)
{
	static const char *const names[] = {
		[BOOT_OK] = "ok",
		[BOOT_FAILED] = "failed",
		[BOOT_PANICKED] = "panicked",
		[BOOT_NO_PROGRESS] = "no-progress",
		[BOOT_DIED] = "died",
		[BOOT_STOPPED] = "stopped",
	};

	return names[outcome];
}

char *campaign_boot_name(const struct campaign *campaign, const struct campaign_boot *boot)
{
	const char *label = campaign->variants[boot->variant].label;
	char *name = format_string("boot-%04u-%s%.80s", boot->index, *label == '!' ? "not-" : "",
				   label + (*label == '!'));

	for (char *c = name ? name + strlen("boot-0000-") : NULL; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.+", *c))
			*c = '_';
	return name;
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static struct json_object *text(const char *string)
{
	return string ? json_object_new_string(string) : NULL;
}

static struct json_object *number(uint64_t value)
{
	return json_object_new_uint64(value);
}

static struct json_object *describe_boot(const struct campaign *campaign,
					 const struct campaign_boot *boot)
{
	struct json_object *object = json_object_new_object();

	add(object, "index", number(boot->index));
	add(object, "round", number(boot->round));
	add(object, "variant", text(campaign->variants[boot->variant].label));
	add(object, "seed", number(campaign_attempt_seed(boot->seed, boot->attempt)));
	add(object, "attempt", number(boot->attempt));
	return object;
}

struct json_object *campaign_plan(const struct campaign *campaign, const struct campaign_boot *boot)
{
	uint64_t seed = campaign_attempt_seed(boot->seed, boot->attempt);
	struct json_object *plan = json_object_new_object();

	if (!plan)
		return NULL;
	add(plan, "format", text("proxeval-plan"));
	add(plan, "version", number(1));
	add(plan, "campaign", text(CAMPAIGN_NAME_IN_GUEST));
	add(plan, "boot", describe_boot(campaign, boot));
	add(plan, "target", text(campaign->target->name));
	add(plan, "time", text(time_kind_name(campaign->time)));
	if (campaign->time == TIME_VIRTUAL)
		add(plan, "metronome_period_ns",
		    number(campaign_metronome_period_ns(campaign->time, seed)));
	add(plan, "work", json_object_get(campaign->work));
	return plan;
}

/* A field of the campaign's own description of a variant; NULL when it is null or missing. */
static struct json_object *variant_field(const struct campaign *campaign, unsigned int variant,
					 const char *key)
{
	struct json_object *list = NULL, *field = NULL;

	if (json_object_object_get_ex(campaign->document, "variants", &list))
		json_object_object_get_ex(json_object_array_get_idx(list, variant), key, &field);
	return json_object_get(field);
}

static struct json_object *describe_variant(const struct campaign *campaign, unsigned int variant)
{
	struct json_object *object = json_object_new_object();

	add(object, "label", text(campaign->variants[variant].label));
	add(object, "image_sha256", variant_field(campaign, variant, "image_sha256"));
	add(object, "arguments", text(campaign->variants[variant].arguments));
	add(object, "series", variant_field(campaign, variant, "series"));
	add(object, "base", variant_field(campaign, variant, "base"));
	return object;
}

/* The runner's @key, or @standard (taken over) when it gave none. */
static struct json_object *take(struct json_object *document, const char *key,
				struct json_object *standard)
{
	struct json_object *value = NULL;

	if (!document || !json_object_object_get_ex(document, key, &value))
		return standard;
	json_object_put(standard);
	return json_object_get(value);
}

/* What is known of the kernel's health when nobody there could tell any more. */
static struct json_object *describe_health(const struct boot_answer *answer)
{
	struct json_object *health = json_object_new_object();
	struct json_object *reports = json_object_new_array();

	if (answer->outcome == BOOT_PANICKED) {
		add(health, "clean", json_object_new_boolean(0));
		json_object_array_add(reports, text(answer->reason));
	} else {
		add(health, "clean", NULL);
	}
	add(health, "reports", reports);
	return health;
}

/* The runner's environment with what the target adds. */
static struct json_object *join_environment(const struct boot_answer *answer)
{
	struct json_object *environment =
		take(answer->result, "environment", json_object_new_object());

	if (!answer->environment)
		return environment;
	json_object_object_foreach (answer->environment, key, value) {
		json_object_object_add(environment, key, json_object_get(value));
	}
	return environment;
}

static struct json_object *describe_host_run(const struct boot_answer *answer, const char *started)
{
	struct json_object *object = json_object_new_object();
	struct utsname host;

	add(object, "started", text(started));
	add(object, "wall_s", json_object_new_double(answer->wall_s));
	if (!uname(&host))
		add(object, "host", text(host.nodename));
	return object;
}

struct json_object *campaign_result(const struct campaign *campaign,
				    const struct campaign_boot *boot,
				    const struct boot_answer *answer, const char *started)
{
	bool is_ok = answer->outcome == BOOT_OK;
	struct json_object *result = json_object_new_object(), *of = json_object_new_object();

	if (!result || !of)
		goto out_memory;
	add(of, "id", text(campaign->id));
	add(of, "seed", number(campaign->seed));
	add(result, "format", text("proxeval-boot"));
	add(result, "version", number(1));
	add(result, "campaign", of);
	add(result, "boot", describe_boot(campaign, boot));
	add(result, "variant", describe_variant(campaign, boot->variant));
	add(result, "target", text(campaign->target->name));
	add(result, "time", text(time_kind_name(campaign->time)));
	add(result, "outcome",
	    take(answer->result, "outcome", text(boot_outcome_name(answer->outcome))));
	add(result, "reason", take(answer->result, "reason", is_ok ? NULL : text(answer->reason)));
	add(result, "environment", join_environment(answer));
	add(result, "sections", take(answer->result, "sections", json_object_new_array()));
	add(result, "health", take(answer->result, "health", describe_health(answer)));
	add(result, "host_run", describe_host_run(answer, started));
	return result;
out_memory:
	json_object_put(result);
	json_object_put(of);
	return NULL;
}
