/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_JSON_WRITE_H
#define REPORTS_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/load.h"

struct json_object;

/* Members of the documents that the reports write. */

/* NULL becomes null. */
void json_add_text(struct json_object *object, const char *key, const char *text);
void json_add_count(struct json_object *object, const char *key, uint64_t count);
void json_add_flag(struct json_object *object, const char *key, bool value);

/* As many digits as give the same double back; what is not a number is null. */
void json_add_number(struct json_object *object, const char *key, double value);

/* Which figure a row is about: section, workload, placement, metric and so on to the statistic. */
void json_add_subject(struct json_object *object, const struct section_info *section,
		      const struct metric_info *metric, enum statistic statistic);

/* A list of strings; the caller puts it. */
struct json_object *json_from_texts(const char *const *texts, size_t count);

#endif
