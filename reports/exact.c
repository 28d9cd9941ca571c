// SPDX-License-Identifier: GPL-2.0-only
#include "reports/exact.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/buffer.h"
#include "reports/load.h"

/* Where in the documents the comparison stands, and what it found. */
struct walk {
	struct exact_answer *answer;
	const char *boot;
	const char *section, *metric;
	char path[256]; /* of the key, below the metric, section or document */
};

static void describe(struct walk *walk, const char *value_a, const char *value_b)
{
	struct exact_answer *answer = walk->answer;

	answer->is_identical = false;
	snprintf(
		answer->difference, sizeof(answer->difference),
		"boot %.100s%s%.300s%s%.100s: %.120s is %.150s in the first and %.150s in the second",
		walk->boot, walk->section ? ", section " : "", walk->section ? walk->section : "",
		walk->metric ? ", metric " : "", walk->metric ? walk->metric : "",
		*walk->path ? walk->path : "the value", value_a, value_b);
	text_disarm(answer->difference);
}

static const char *shown(struct json_object *value)
{
	return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE);
}

static bool walk_value(struct walk *walk, struct json_object *a, struct json_object *b);

/* Goes one key or index down, and back. */
static bool walk_step(struct walk *walk, const char *step, struct json_object *a,
		      struct json_object *b)
{
	size_t length = strlen(walk->path);
	bool is_same;

	snprintf(walk->path + length, sizeof(walk->path) - length, "%s%s",
		 length && *step != '[' ? "." : "", step);
	is_same = walk_value(walk, a, b);
	if (is_same)
		walk->path[length] = '\0';
	return is_same;
}

static bool walk_object(struct walk *walk, struct json_object *a, struct json_object *b)
{
	json_object_object_foreach (a, key, value) {
		struct json_object *other;

		if (!json_object_object_get_ex(b, key, &other)) {
			snprintf(walk->path + strlen(walk->path),
				 sizeof(walk->path) - strlen(walk->path), ".%s", key);
			describe(walk, shown(value), "missing");
			return false;
		}
		if (!walk_step(walk, key, value, other))
			return false;
	}
	json_object_object_foreach (b, key_b, value_b) {
		if (json_object_object_get_ex(a, key_b, NULL))
			continue;
		snprintf(walk->path + strlen(walk->path), sizeof(walk->path) - strlen(walk->path),
			 ".%s", key_b);
		describe(walk, "missing", shown(value_b));
		return false;
	}
	return true;
}

static bool walk_array(struct walk *walk, struct json_object *a, struct json_object *b)
{
	size_t count_a = json_object_array_length(a), count_b = json_object_array_length(b);
	char step[32], text_a[40], text_b[40];

	for (size_t i = 0; i < count_a && i < count_b; i++) {
		snprintf(step, sizeof(step), "[%zu]", i);
		if (!walk_step(walk, step, json_object_array_get_idx(a, i),
			       json_object_array_get_idx(b, i)))
			return false;
	}
	if (count_a == count_b)
		return true;
	snprintf(text_a, sizeof(text_a), "a list of %zu", count_a);
	snprintf(text_b, sizeof(text_b), "a list of %zu", count_b);
	describe(walk, text_a, text_b);
	return false;
}

static bool walk_value(struct walk *walk, struct json_object *a, struct json_object *b)
{
	enum json_type type = json_object_get_type(a);
	char *text_a;
	bool is_same;

	if (type == json_object_get_type(b) && type == json_type_object)
		return walk_object(walk, a, b);
	if (type == json_object_get_type(b) && type == json_type_array)
		return walk_array(walk, a, b);
	/* Numbers keep the digits they were written with: equal text is equal to the last one. */
	text_a = strdup(shown(a));
	is_same = text_a && type == json_object_get_type(b) && !strcmp(text_a, shown(b));
	if (!is_same)
		describe(walk, text_a ? text_a : "?", shown(b));
	free(text_a);
	return is_same;
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *get_text(struct json_object *object, const char *key)
{
	const char *text = json_text_at(object, (const char *[]){key, NULL});

	return text ? text : "";
}

/* The entry of a list of objects whose @key is @wanted; NULL when there is none. */
static struct json_object *find_by(struct json_object *list, const char *key, const char *wanted)
{
	size_t count =
		json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		if (!strcmp(get_text(entry, key), wanted))
			return entry;
	}
	return NULL;
}

/* Metrics by their names, so that a difference can name the metric. */
static bool walk_metrics(struct walk *walk, struct json_object *a, struct json_object *b)
{
	size_t count = json_object_is_type(a, json_type_array) ? json_object_array_length(a) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *metric = json_object_array_get_idx(a, i);
		struct json_object *other = find_by(b, "name", get_text(metric, "name"));

		if (!other)
			break; /* walk_array below says which */
		walk->metric = get_text(metric, "name");
		if (!walk_value(walk, metric, other))
			return false;
		walk->answer->metrics++;
	}
	walk->metric = NULL;
	return walk_step(walk, "metrics", a, b);
}

static bool walk_sections(struct walk *walk, struct json_object *a, struct json_object *b)
{
	size_t count = json_object_is_type(a, json_type_array) ? json_object_array_length(a) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *section = json_object_array_get_idx(a, i);
		struct json_object *other = find_by(b, "id", get_text(section, "id"));

		walk->section = get_text(section, "id");
		if (!other) {
			describe(walk, "there", "missing");
			return false;
		}
		if (!walk_metrics(walk, get(section, "metrics"), get(other, "metrics")) ||
		    !walk_value(walk, section, other))
			return false;
		walk->answer->sections++;
	}
	walk->section = NULL;
	return walk_step(walk, "sections", a, b);
}

static bool walk_boots(struct walk *walk, struct json_object *a, struct json_object *b)
{
	return walk_sections(walk, get(a, "sections"), get(b, "sections")) &&
	       walk_step(walk, "health", get(a, "health"), get(b, "health")) &&
	       walk_step(walk, "outcome", get(a, "outcome"), get(b, "outcome"));
}

/* Results of another target or kind of time are never compared, here as elsewhere. */
static int check_same_kind(struct json_object *a, struct json_object *b, const char *path_b,
			   struct exact_answer *answer)
{
	static const char *const keys[] = {"target", "time"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!strcmp(get_text(a, keys[i]), get_text(b, keys[i])))
			continue;
		snprintf(
			answer->error, sizeof(answer->error),
			"%.300s: its %s is %.40s and that of the first is %.40s: the two are never "
			"compared",
			path_b, keys[i], get_text(b, keys[i]), get_text(a, keys[i]));
		text_disarm(answer->error);
		return -EINVAL;
	}
	return 0;
}

/* The first thing in which the variants of two boots differ, said once for the whole run. */
static void note_variants(struct json_object *a, struct json_object *b, const char *name,
			  struct exact_answer *answer)
{
	static const char *const keys[] = {"label", "arguments", "image_sha256", "base"};
	struct json_object *one = get(a, "variant"), *two = get(b, "variant");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && !*answer->note; i++)
		if (strcmp(get_text(one, keys[i]), get_text(two, keys[i])))
			snprintf(answer->note, sizeof(answer->note),
				 "the variants differ in boot %.100s: %s is '%.150s' in the first "
				 "and '%.150s' in the second",
				 name, keys[i], get_text(one, keys[i]), get_text(two, keys[i]));
	text_disarm(answer->note);
}

static int compare_files(const char *path_a, const char *path_b, struct exact_answer *answer)
{
	struct json_object *a = NULL, *b = NULL;
	struct walk walk = {.answer = answer};
	char name[160];
	int err;

	err = boot_document_load(path_a, &a, answer->error, sizeof(answer->error));
	if (!err)
		err = boot_document_load(path_b, &b, answer->error, sizeof(answer->error));
	if (!err)
		err = check_same_kind(a, b, path_b, answer);
	if (!err) {
		struct json_object *boot = get(a, "boot");

		snprintf(name, sizeof(name), "%lld (%.100s)",
			 (long long)json_object_get_int64(get(boot, "index")),
			 get_text(boot, "variant"));
		walk.boot = name;
		note_variants(a, b, name, answer);
		answer->is_identical = walk_boots(&walk, a, b);
		answer->boots += answer->is_identical;
	}
	json_object_put(a);
	json_object_put(b);
	return err;
}

static int is_boot_file(const struct dirent *entry)
{
	return !fnmatch("boot-*.json", entry->d_name, 0);
}

static void free_entries(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count >= 0)
		free(entries);
}

/* A boot's file is named after its index and variant, so equal names are what is compared. */
static int compare_listed(const char *a, const char *b, struct dirent **entries_a, int count_a,
			  struct dirent **entries_b, int count_b, struct exact_answer *answer)
{
	char path_a[PATH_MAX], path_b[PATH_MAX];
	int err = 0;

	for (int i = 0; (i < count_a || i < count_b) && !err && answer->is_identical; i++) {
		int order = i >= count_a   ? 1
			    : i >= count_b ? -1
					   : strcmp(entries_a[i]->d_name, entries_b[i]->d_name);

		if (order) {
			answer->is_identical = false;
			snprintf(answer->difference, sizeof(answer->difference),
				 "%.255s is only in the %s",
				 order < 0 ? entries_a[i]->d_name : entries_b[i]->d_name,
				 order < 0 ? "first" : "second");
			break;
		}
		snprintf(path_a, sizeof(path_a), "%.3800s/%.255s", a, entries_a[i]->d_name);
		snprintf(path_b, sizeof(path_b), "%.3800s/%.255s", b, entries_b[i]->d_name);
		err = compare_files(path_a, path_b, answer);
	}
	return err;
}

static int compare_folders(const char *a, const char *b, struct exact_answer *answer)
{
	struct dirent **entries_a = NULL, **entries_b = NULL;
	int count_a = scandir(a, &entries_a, is_boot_file, alphasort);
	int count_b = scandir(b, &entries_b, is_boot_file, alphasort);
	int err = 0;

	answer->is_identical = true;
	if (count_a <= 0 || count_b <= 0) {
		snprintf(answer->error, sizeof(answer->error),
			 "%.500s: the folder holds no boot-*.json; name a campaign's folder",
			 count_a <= 0 ? a : b);
		err = -EINVAL;
	} else {
		err = compare_listed(a, b, entries_a, count_a, entries_b, count_b, answer);
	}
	free_entries(entries_a, count_a);
	free_entries(entries_b, count_b);
	return err;
}

int exact_compare(const char *a, const char *b, struct exact_answer *answer)
{
	struct stat status_a, status_b;
	bool is_folder_a = !stat(a, &status_a) && S_ISDIR(status_a.st_mode);
	bool is_folder_b = !stat(b, &status_b) && S_ISDIR(status_b.st_mode);

	*answer = (struct exact_answer){0};
	if (is_folder_a != is_folder_b) {
		snprintf(
			answer->error, sizeof(answer->error),
			"--exact takes two folders or two files, and %.200s is a folder while %.200s is not",
			is_folder_a ? a : b, is_folder_a ? b : a);
		return -EINVAL;
	}
	return is_folder_a ? compare_folders(a, b, answer) : compare_files(a, b, answer);
}
