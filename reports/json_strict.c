// SPDX-License-Identifier: GPL-2.0-only
#include "reports/json_strict.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/files.h"
#include "reports/json_tree.h"

#define LEVELS_MAX 24 /* the formats need 9 */

struct json_object *json_strict_parse(const char *text, size_t size_bytes, char *problem,
				      size_t problem_size)
{
	struct json_tree tree = {0};
	struct json_object *object = NULL;
	int err;

	if (!size_bytes) {
		snprintf(problem, problem_size, "it is empty");
		return NULL;
	}
	err = json_tree_parse(&tree, text, size_bytes, LEVELS_MAX, problem, problem_size);
	json_tree_release(&tree);
	if (!err)
		object = json_tokener_parse(text);
	if (err == -ENOMEM || (!err && !object))
		snprintf(problem, problem_size, "%s",
			 err ? "there is not enough memory" : "it is null");
	return object;
}

int json_strict_load(const char *path, size_t max_bytes, struct json_object **out, char *problem,
		     size_t problem_size)
{
	struct stat status;
	size_t size_bytes;
	char *text;
	int err = stat(path, &status) ? -errno : 0;

	*out = NULL;
	/* A pipe would be waited for, a device might not end. */
	if (!err && !S_ISREG(status.st_mode)) {
		snprintf(problem, problem_size, "it is not a regular file");
		return -EINVAL;
	}
	if (!err)
		err = (uint64_t)status.st_size > max_bytes
			      ? -EFBIG
			      : read_file(path, max_bytes, &text, &size_bytes);
	if (err == -EFBIG)
		snprintf(problem, problem_size, "it is larger than %zu MiB", max_bytes >> 20);
	else if (err)
		snprintf(problem, problem_size, "it cannot be read: %s", strerror(-err));
	if (err)
		return err;
	*out = json_strict_parse(text, size_bytes, problem, problem_size);
	free(text);
	return *out ? 0 : -EINVAL;
}
