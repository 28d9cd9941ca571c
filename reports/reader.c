// SPDX-License-Identifier: GPL-2.0-only
#include "reports/reader.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/files.h"
#include "reports/scan.h"

void reader_fail(struct reader *reader, const char *format, ...)
{
	char what[400];
	va_list args;

	if (reader->has_failed)
		return;
	reader->has_failed = true;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(reader->error, reader->error_size, "%.200s: %s%.120s%s%s", reader->path,
		 reader->where ? "in " : "", reader->where ? reader->where : "",
		 reader->where ? ", " : "", what);
	for (char *c = reader->error; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

void *reader_no_memory(struct reader *reader)
{
	reader_fail(reader, "there is not enough memory to read it");
	return NULL;
}

struct json_object *reader_get(struct reader *reader, struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (reader->has_failed)
		return NULL;
	if (!json_object_object_get_ex(object, key, &value))
		reader_fail(reader, "\"%s\" is missing", key);
	return value;
}

static struct json_object *reader_typed(struct reader *reader, struct json_object *object,
					const char *key, enum json_type type, const char *what)
{
	struct json_object *value = reader_get(reader, object, key);

	if (!reader->has_failed && json_object_get_type(value) != type)
		reader_fail(reader, "\"%s\" is not %s", key, what);
	return reader->has_failed ? NULL : value;
}

struct json_object *reader_object(struct reader *reader, struct json_object *object,
				  const char *key)
{
	return reader_typed(reader, object, key, json_type_object, "an object");
}

struct json_object *reader_array(struct reader *reader, struct json_object *object, const char *key)
{
	return reader_typed(reader, object, key, json_type_array, "a list");
}

bool reader_bool(struct reader *reader, struct json_object *object, const char *key)
{
	return json_object_get_boolean(
		reader_typed(reader, object, key, json_type_boolean, "true or false"));
}

/* A string, which is then the arena's; NULL when it is null. Never NULL after a failure. */
const char *reader_text_or_null(struct reader *reader, struct json_object *object, const char *key)
{
	struct json_object *value = reader_get(reader, object, key);
	const char *text;

	if (reader->has_failed)
		return "";
	if (!value)
		return NULL;
	if (!json_object_is_type(value, json_type_string)) {
		reader_fail(reader, "\"%s\" is not a string", key);
		return "";
	}
	if (strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value)) {
		reader_fail(reader, "\"%s\" holds a NUL character", key);
		return "";
	}
	text = arena_text(&reader->results->arena, json_object_get_string(value));
	if (!text)
		reader_no_memory(reader);
	return text ? text : "";
}

const char *reader_text(struct reader *reader, struct json_object *object, const char *key)
{
	const char *text = reader_text_or_null(reader, object, key);

	if (!text)
		reader_fail(reader, "\"%s\" is null", key);
	return text ? text : "";
}

const char *reader_name(struct reader *reader, struct json_object *object, const char *key)
{
	const char *text = reader_text(reader, object, key);

	if (!*text)
		reader_fail(reader, "\"%s\" is empty", key);
	return text;
}

int reader_word(struct reader *reader, struct json_object *object, const char *key,
		const char *const *words)
{
	const char *text = reader_text(reader, object, key);

	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	reader_fail(reader, "\"%s\" is \"%.60s\", which this program does not know", key, text);
	return 0;
}

static double reader_to_number(struct reader *reader, struct json_object *value, const char *key)
{
	double number;

	if (!json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double)) {
		reader_fail(reader, "\"%s\" is not a number", key);
		return NAN;
	}
	number = json_object_get_double(value);
	if (!isfinite(number))
		reader_fail(reader, "\"%s\" is not a finite number", key);
	return number;
}

/* What stands under @key; NULL when it is null or, with @may_miss, not there. */
static struct json_object *get_optional(struct reader *reader, struct json_object *object,
					const char *key, bool may_miss)
{
	struct json_object *value = NULL;

	if (reader->has_failed)
		return NULL;
	if (!json_object_object_get_ex(object, key, &value) && !may_miss)
		reader_fail(reader, "\"%s\" is missing", key);
	return value;
}

double reader_number_or_null(struct reader *reader, struct json_object *object, const char *key,
			     bool may_miss)
{
	struct json_object *value = get_optional(reader, object, key, may_miss);

	return value ? reader_to_number(reader, value, key) : NAN;
}

uint64_t reader_to_count(struct reader *reader, struct json_object *value, const char *key)
{
	double number = 0;

	if (reader->has_failed)
		return 0;
	if (!json_object_is_type(value, json_type_int))
		reader_fail(reader, "\"%s\" is not a whole number", key);
	else
		number = json_object_get_double(value);
	if (number < 0 || number > RESULT_MAX_COUNT)
		reader_fail(reader, "\"%s\" is %.17g, and a count is from 0 to 2^53", key, number);
	return reader->has_failed ? 0 : (uint64_t)number;
}

uint64_t reader_count(struct reader *reader, struct json_object *object, const char *key)
{
	return reader_to_count(reader, reader_get(reader, object, key), key);
}

double reader_count_or_null(struct reader *reader, struct json_object *object, const char *key,
			    bool may_miss)
{
	struct json_object *value = get_optional(reader, object, key, may_miss);

	return value ? (double)reader_to_count(reader, value, key) : NAN;
}

uint64_t reader_seed(struct reader *reader, struct json_object *object, const char *key)
{
	struct json_object *value =
		reader_typed(reader, object, key, json_type_int, "a whole number");

	if (value && json_object_get_double(value) < 0)
		reader_fail(reader, "\"%s\" is negative", key);
	return value ? json_object_get_uint64(value) : 0;
}

/* The format's name and version; a document of another kind is named as what it is. */
static void check_format(struct reader *reader, struct json_object *document, const char *format)
{
	struct json_object *found = NULL, *version = NULL;

	if (!json_object_is_type(document, json_type_object))
		reader_fail(reader, "it is not a JSON object");
	else if (!json_object_object_get_ex(document, "format", &found) ||
		 !json_object_is_type(found, json_type_string))
		reader_fail(reader, "it has no \"format\", so it is not a result of this program");
	else if (strcmp(json_object_get_string(found), format))
		reader_fail(reader, "it is a %.40s, and a %s is needed",
			    json_object_get_string(found), format);
	else if (!json_object_object_get_ex(document, "version", &version) ||
		 !json_object_is_type(version, json_type_int))
		reader_fail(reader, "it has no \"version\"");
	else if (json_object_get_int64(version) != 1)
		reader_fail(reader, "its version is %lld, and this program reads version 1",
			    (long long)json_object_get_int64(version));
}

/* The file's bytes; the size is looked at before anything is read. */
static char *read_bounded(struct reader *reader, size_t *size_bytes)
{
	struct stat status;
	char *text = NULL;
	int err = 0;

	if (stat(reader->path, &status))
		err = -errno;
	else if (!S_ISREG(status.st_mode))
		reader_fail(reader, "it is not a regular file");
	else if ((uint64_t)status.st_size > RESULT_MAX_BYTES)
		err = -EFBIG;
	if (!err && !reader->has_failed)
		err = read_file(reader->path, RESULT_MAX_BYTES, &text, size_bytes);
	if (err == -EFBIG)
		reader_fail(reader, "it is larger than %llu MiB, the most that a result may have",
			    (unsigned long long)(RESULT_MAX_BYTES >> 20));
	else if (err)
		reader_fail(reader, "it cannot be read: %s", strerror(-err));
	return text;
}

static struct json_object *parse_text(struct reader *reader, const char *text, size_t size_bytes)
{
	struct json_tokener *tokener = json_tokener_new_ex(RESULT_MAX_DEPTH + 1);
	struct json_object *document = NULL;
	enum json_tokener_error problem;

	if (!tokener)
		return reader_no_memory(reader);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	document = json_tokener_parse_ex(tokener, text, (int)size_bytes);
	problem = json_tokener_get_error(tokener);
	if (problem == json_tokener_continue)
		reader_fail(reader, "it is cut short: the JSON text does not end");
	else if (problem != json_tokener_success)
		reader_fail(reader, "it is not JSON: %s at byte %zu",
			    json_tokener_error_desc(problem), json_tokener_get_parse_end(tokener));
	json_tokener_free(tokener);
	if (reader->has_failed) {
		json_object_put(document);
		document = NULL;
	}
	return document;
}

struct json_object *reader_load(struct reader *reader, const char *format)
{
	struct json_object *document = NULL;
	size_t size_bytes = 0;
	char problem[200];
	char *text = read_bounded(reader, &size_bytes);
	int err;

	if (!text)
		return NULL;
	err = json_scan(text, size_bytes, RESULT_MAX_DEPTH, problem, sizeof(problem));
	if (!size_bytes)
		reader_fail(reader, "it is empty");
	else if (err == -ENOMEM)
		reader_no_memory(reader);
	else if (err)
		reader_fail(reader, "%s", problem);
	else
		document = parse_text(reader, text, size_bytes);
	free(text);
	if (!reader->has_failed)
		check_format(reader, document, format);
	if (reader->has_failed) {
		json_object_put(document);
		return NULL;
	}
	return document;
}
