/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CAMPAIGN_INTERNAL_H
#define BENCH_CAMPAIGN_INTERNAL_H

#include <json-c/json.h>

#include "bench/campaign.h"

/* What the files bench/campaign*.c share with each other and with nobody else. */

/* Reading campaign.json: the first thing that is wrong is kept in @problem. */
struct campaign_reading {
	struct json_object *document;
	char problem[256];
};

/*
 * campaign.json for @request, called @id: everything that is decided before the first boot. 0 and a
 * document that the caller puts; or a negative errno with its message printed.
 */
int campaign_make_document(const struct campaign_request *request, const char *id,
			   struct json_object **out);

/*
 * Fills a campaign from its document (kept by reference). 0; -EINVAL with @reading's problem
 * set; -ENOMEM.
 */
int campaign_read_document(struct campaign *campaign, struct campaign_reading *reading);

/* The string at @key; NULL when it is missing, null or no string. */
const char *campaign_text_or_null(struct json_object *object, const char *key);

/*
 * Takes the look that @campaign->boots have come to: analyses what is in the folder at that
 * look's level, says how far it is, and journals it; sets conclusive_boots when nothing is left to
 * decide. 0, or a negative errno with its message printed.
 */
int campaign_take_look(struct campaign *campaign, size_t look);

static inline void add_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static inline void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

#endif
