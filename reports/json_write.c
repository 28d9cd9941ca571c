// SPDX-License-Identifier: GPL-2.0-only
#include "reports/json_write.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void json_add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

void json_add_count(struct json_object *object, const char *key, uint64_t count)
{
	json_object_object_add(object, key, json_object_new_uint64(count));
}

void json_add_flag(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

void json_add_number(struct json_object *object, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		json_object_object_add(object, key, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

void json_add_subject(struct json_object *object, const struct section_info *section,
		      const struct metric_info *metric, enum statistic statistic)
{
	json_add_text(object, "section", section->id);
	json_add_text(object, "workload", section->workload);
	json_add_text(object, "placement", section->placement);
	json_add_text(object, "metric", metric->name);
	json_add_text(object, "unit", metric->unit);
	json_add_text(object, "direction", metric_direction_name(metric->direction));
	json_add_text(object, "role", metric_role_name(metric->role));
	json_add_text(object, "statistic", statistic_word(statistic));
}

struct json_object *json_from_texts(const char *const *texts, size_t count)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_string(texts[i]));
	return list;
}
