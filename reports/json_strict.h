/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_JSON_STRICT_H
#define REPORTS_JSON_STRICT_H

#include <stddef.h>

struct json_object;

/*
 * A json-c object of a text that reports/json_tree.h takes: json-c alone keeps the last of
 * two equal keys, passes over what follows the document, and takes NaN. A NUL follows @text.
 * NULL with half a sentence in @problem ("it is not JSON: a value is needed at byte 7").
 * The caller puts it. "null" is no document.
 */
struct json_object *json_strict_parse(const char *text, size_t size_bytes, char *problem,
				      size_t problem_size);

/*
 * The same of a file of at most @max_bytes: 0; a negative errno (it cannot be read, -EFBIG: it is
 * larger); or -EINVAL. @problem says all of it but the file's name.
 */
int json_strict_load(const char *path, size_t max_bytes, struct json_object **out, char *problem,
		     size_t problem_size);

#endif
