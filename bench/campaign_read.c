// SPDX-License-Identifier: GPL-2.0-only
/* campaign.json, read back: what is wrong with it is one sentence. */
#include "bench/campaign_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/sequential.h"

static struct json_object *field(struct campaign_reading *reading, struct json_object *object,
				 const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	if (!json_object_is_type(value, type) && !*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem), "\"%s\" is missing or wrong",
			 key);
	return *reading->problem ? NULL : value;
}

static const char *field_text(struct campaign_reading *reading, struct json_object *object,
			      const char *key)
{
	return json_object_get_string(field(reading, object, key, json_type_string));
}

static uint64_t field_number(struct campaign_reading *reading, struct json_object *object,
			     const char *key, uint64_t max)
{
	struct json_object *value = field(reading, object, key, json_type_int);
	int64_t result = json_object_get_int64(value);

	if ((result < 0 || (uint64_t)result > max) && !*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem), "\"%s\" is out of range", key);
	return *reading->problem ? 0 : (uint64_t)result;
}

const char *campaign_text_or_null(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int read_variants(struct campaign *campaign, struct campaign_reading *reading)
{
	struct json_object *list = field(reading, reading->document, "variants", json_type_array);

	campaign->n_variants = list ? json_object_array_length(list) : 0;
	campaign->variants = calloc(campaign->n_variants + 1, sizeof(*campaign->variants));
	if (!campaign->variants)
		return -ENOMEM;
	for (size_t i = 0; i < campaign->n_variants; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);

		campaign->variants[i] = (struct variant){
			.label = field_text(reading, object, "label"),
			.image_path = campaign_text_or_null(object, "image_path"),
			.arguments = field_text(reading, object, "arguments"),
			.manifest_path = campaign_text_or_null(object, "manifest_path"),
		};
	}
	return 0;
}

static unsigned int find_variant(const struct campaign *campaign, struct campaign_reading *reading,
				 const char *label)
{
	for (unsigned int i = 0; label && i < campaign->n_variants; i++)
		if (!strcmp(campaign->variants[i].label, label))
			return i;
	if (!*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem),
			 "a boot names a variant that is not in \"variants\"");
	return 0;
}

static int read_boots(struct campaign *campaign, struct campaign_reading *reading)
{
	struct json_object *list = field(reading, reading->document, "boots", json_type_array);

	campaign->n_boots = list ? json_object_array_length(list) : 0;
	campaign->boots = calloc(campaign->n_boots + 1, sizeof(*campaign->boots));
	if (!campaign->boots)
		return -ENOMEM;
	for (size_t i = 0; i < campaign->n_boots && !*reading->problem; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		struct campaign_boot *boot = &campaign->boots[i];

		boot->index = (unsigned int)field_number(reading, object, "index", UINT32_MAX);
		boot->round = (unsigned int)field_number(reading, object, "round", UINT32_MAX);
		boot->seed = field_number(reading, object, "seed", CAMPAIGN_MAX_SEED);
		boot->variant =
			find_variant(campaign, reading, field_text(reading, object, "variant"));
		if (boot->index != i && !*reading->problem)
			snprintf(reading->problem, sizeof(reading->problem),
				 "boot %zu calls itself %u", i, boot->index);
	}
	return 0;
}

static void read_words(struct campaign *campaign, struct campaign_reading *reading)
{
	struct json_object *document = reading->document;
	const char *time = field_text(reading, document, "time");
	const char *target = field_text(reading, document, "target");

	campaign->target = target ? target_find(target) : NULL;
	campaign->time = time && !strcmp(time, "virtual") ? TIME_VIRTUAL : TIME_REAL;
	if (*reading->problem)
		return;
	if (!campaign->target)
		snprintf(reading->problem, sizeof(reading->problem),
			 "\"target\" is %.40s, which this program does not know", target);
	else if (strcmp(time, time_kind_name(campaign->time)) != 0)
		snprintf(reading->problem, sizeof(reading->problem),
			 "\"time\" is %.40s, which this program does not know", time);
}

/* When to look whether the boots so far decide; the boots must go as far as the last look. */
static int read_sequential(struct campaign *campaign, struct campaign_reading *reading)
{
	struct json_object *object = NULL;
	size_t planned;

	if (*reading->problem ||
	    !json_object_object_get_ex(reading->document, "sequential", &object) || !object)
		return 0;
	campaign->sequential = calloc(1, sizeof(*campaign->sequential));
	if (!campaign->sequential)
		return -ENOMEM;
	if (sequential_plan_read(object, campaign->sequential, reading->problem,
				 sizeof(reading->problem)))
		return 0;
	planned = sequential_max_boots(campaign->sequential) * campaign->n_variants;
	if (planned != campaign->n_boots)
		snprintf(reading->problem, sizeof(reading->problem),
			 "its sequential plan ends at %zu boots and it plans %zu", planned,
			 campaign->n_boots);
	return 0;
}

/* Fills a campaign from its document (kept by reference); -EINVAL with @reading's problem set. */
int campaign_read_document(struct campaign *campaign, struct campaign_reading *reading)
{
	struct json_object *document = reading->document;
	const char *format = field_text(reading, document, "format"), *id;
	int err;

	if (!*reading->problem && strcmp(format, "proxeval-campaign") != 0)
		snprintf(reading->problem, sizeof(reading->problem),
			 "its \"format\" is not proxeval-campaign");
	if (field_number(reading, document, "version", UINT32_MAX) != 1 && !*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem),
			 "it was written by another version of this program");
	campaign->document = json_object_get(document);
	id = field_text(reading, document, "id");
	campaign->id = id ? strdup(id) : NULL;
	read_words(campaign, reading);
	campaign->seed = field_number(reading, document, "seed", CAMPAIGN_MAX_SEED);
	campaign->topology = campaign_text_or_null(document, "topology");
	campaign->memory_mib = (unsigned int)field_number(reading, document, "memory_mib", 1 << 24);
	campaign->watchdog_s = (unsigned int)field_number(reading, document, "watchdog_s", 1 << 24);
	campaign->work = json_object_get(field(reading, document, "work", json_type_array));
	err = read_variants(campaign, reading);
	if (!err)
		err = read_boots(campaign, reading);
	if (!err)
		err = read_sequential(campaign, reading);
	if (!err && !*reading->problem && (!campaign->n_boots || !campaign->n_variants))
		snprintf(reading->problem, sizeof(reading->problem), "it plans no boots");
	return err ? err : *reading->problem ? -EINVAL : 0;
}
