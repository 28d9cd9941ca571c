// SPDX-License-Identifier: GPL-2.0-only
#include "reports/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/load.h"

void reader_init(struct reader *reader, struct arena *arena)
{
	*reader = (struct reader){.arena = arena, .texts = {.arena = arena}};
}

void reader_release(struct reader *reader)
{
	text_table_release(&reader->texts);
	json_tree_release(&reader->tree);
	buffer_release(&reader->file);
	buffer_release(&reader->scratch);
}

void reader_fail(struct reader *reader, const char *format, ...)
{
	const char *section = reader->section, *metric = reader->metric;
	char what[400];
	va_list args;

	if (reader->has_failed)
		return;
	reader->has_failed = true;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(reader->error, sizeof(reader->error), "%.200s: %s%.100s%s%.60s%s%s", reader->path,
		 section ? "in " : "", section ? section : "", metric ? " " : "",
		 metric ? metric : "", section ? ", " : "", what);
	for (char *c = reader->error; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

void *reader_no_memory(struct reader *reader)
{
	reader_fail(reader, "there is not enough memory to read it");
	return NULL;
}

void *reader_alloc(struct reader *reader, size_t count, size_t size_bytes)
{
	void *out = NULL;

	if (reader->has_failed)
		return NULL;
	if (!__builtin_mul_overflow(count, size_bytes, &size_bytes))
		out = arena_alloc(reader->arena, size_bytes);
	return out ? out : reader_no_memory(reader);
}

const struct json_node *reader_get(struct reader *reader, const struct json_node *object,
				   const char *key)
{
	const struct json_node *value;

	if (reader->has_failed)
		return NULL;
	value = json_get(object, key);
	if (!value)
		reader_fail(reader, "\"%s\" is missing", key);
	return value;
}

static const struct json_node *get_typed(struct reader *reader, const struct json_node *object,
					 const char *key, enum json_kind kind, const char *what)
{
	const struct json_node *value = reader_get(reader, object, key);

	if (value && value->kind != kind) {
		reader_fail(reader, "\"%s\" is not %s", key, what);
		return NULL;
	}
	return value;
}

const struct json_node *reader_object(struct reader *reader, const struct json_node *object,
				      const char *key)
{
	return get_typed(reader, object, key, JSON_OBJECT, "an object");
}

const struct json_node *reader_array(struct reader *reader, const struct json_node *object,
				     const char *key)
{
	return get_typed(reader, object, key, JSON_ARRAY, "a list");
}

bool reader_bool(struct reader *reader, const struct json_node *object, const char *key)
{
	const struct json_node *value = reader_get(reader, object, key);

	if (value && value->kind != JSON_TRUE && value->kind != JSON_FALSE)
		reader_fail(reader, "\"%s\" is not true or false", key);
	return json_is(value, JSON_TRUE);
}

const char *reader_keep(struct reader *reader, const char *text, size_t size_bytes)
{
	struct text_entry *entry = text_table_get(&reader->texts, text, size_bytes);

	if (!entry)
		reader_no_memory(reader);
	return entry ? entry->text : "";
}

/* Only a string with escapes needs to be written out first. */
const char *reader_string(struct reader *reader, const struct json_node *string, const char *key)
{
	if (reader->has_failed)
		return "";
	if (!string->has_escape)
		return reader_keep(reader, string->text, string->size_bytes);
	reader->scratch.length = 0;
	json_string(string, &reader->scratch);
	if (reader->scratch.failed) {
		reader_no_memory(reader);
		return "";
	}
	if (memchr(reader->scratch.text, '\0', reader->scratch.length)) {
		reader_fail(reader, "\"%s\" holds a NUL character", key);
		return "";
	}
	return reader_keep(reader, reader->scratch.text, reader->scratch.length);
}

const char *reader_string_at(struct reader *reader, const struct json_node *object,
			     const char *const *keys)
{
	const struct json_node *value = json_at(object, keys);

	return json_is(value, JSON_STRING) ? reader_string(reader, value, keys[0]) : NULL;
}

/* Never NULL after a failure. */
const char *reader_text_or_null(struct reader *reader, const struct json_node *object,
				const char *key)
{
	const struct json_node *value = reader_get(reader, object, key);

	if (json_is(value, JSON_NULL))
		return NULL;
	if (value && value->kind != JSON_STRING)
		reader_fail(reader, "\"%s\" is not a string", key);
	return reader->has_failed ? "" : reader_string(reader, value, key);
}

const char *reader_text(struct reader *reader, const struct json_node *object, const char *key)
{
	const char *text = reader_text_or_null(reader, object, key);

	if (!text)
		reader_fail(reader, "\"%s\" is null", key);
	return text ? text : "";
}

const char *reader_name(struct reader *reader, const struct json_node *object, const char *key)
{
	const char *text = reader_text(reader, object, key);

	if (!*text)
		reader_fail(reader, "\"%s\" is empty", key);
	return text;
}

int reader_word(struct reader *reader, const struct json_node *object, const char *key,
		const char *const *words)
{
	const char *text = reader_text(reader, object, key);

	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	reader_fail(reader, "\"%s\" is \"%.60s\", which this program does not know", key, text);
	return 0;
}

/* What stands under @key; NULL when it is null or, with @may_miss, not there. */
static const struct json_node *get_optional(struct reader *reader, const struct json_node *object,
					    const char *key, bool may_miss)
{
	const struct json_node *value;

	if (reader->has_failed)
		return NULL;
	value = json_get(object, key);
	if (!value && !may_miss)
		reader_fail(reader, "\"%s\" is missing", key);
	return json_is(value, JSON_NULL) ? NULL : value;
}

double reader_number_or_null(struct reader *reader, const struct json_node *object, const char *key,
			     bool may_miss)
{
	const struct json_node *value = get_optional(reader, object, key, may_miss);
	double number;

	if (!value)
		return NAN;
	if (value->kind != JSON_NUMBER) {
		reader_fail(reader, "\"%s\" is not a number", key);
		return NAN;
	}
	number = json_number(value);
	if (!isfinite(number))
		reader_fail(reader, "\"%s\" is not a finite number", key);
	else if (number != 0 &&
		 !(fabs(number) >= 1 / RESULT_MAX_NUMBER && fabs(number) <= RESULT_MAX_NUMBER))
		reader_fail(reader, "\"%s\" is %.*s, and a figure is 0 or from 1e-60 to 1e60", key,
			    value->size_bytes > 40 ? 40 : (int)value->size_bytes, value->text);
	return number;
}

uint64_t reader_to_count(struct reader *reader, const struct json_node *value, const char *key)
{
	uint64_t count = 0;

	if (reader->has_failed)
		return 0;
	if (!json_is(value, JSON_NUMBER) || !json_is_integer(value)) {
		reader_fail(reader, "\"%s\" is not a whole number", key);
	} else if (!json_uint64(value, &count) || count > (uint64_t)RESULT_MAX_COUNT) {
		reader_fail(reader, "\"%s\" is %.*s, and a count is from 0 to 2^53", key,
			    value->size_bytes > 40 ? 40 : (int)value->size_bytes, value->text);
		return 0;
	}
	return count;
}

uint64_t reader_count(struct reader *reader, const struct json_node *object, const char *key)
{
	return reader_to_count(reader, reader_get(reader, object, key), key);
}

double reader_count_or_null(struct reader *reader, const struct json_node *object, const char *key,
			    bool may_miss)
{
	const struct json_node *value = get_optional(reader, object, key, may_miss);

	return value ? (double)reader_to_count(reader, value, key) : NAN;
}

uint64_t reader_seed(struct reader *reader, const struct json_node *object, const char *key)
{
	const struct json_node *value =
		get_typed(reader, object, key, JSON_NUMBER, "a whole number");
	uint64_t seed = 0;

	if (value && !json_is_integer(value))
		reader_fail(reader, "\"%s\" is not a whole number", key);
	else if (value && !json_uint64(value, &seed))
		reader_fail(reader, "\"%s\" is %s", key,
			    *value->text == '-' ? "negative" : "beyond 2^64 - 1");
	return seed;
}

/* The format's name and version; a document of another kind is named as what it is. */
static void check_format(struct reader *reader, const struct json_node *document,
			 const char *format)
{
	const struct json_node *found = json_get(document, "format");
	const struct json_node *version = json_get(document, "version");
	uint64_t number = 0;
	const char *name;

	if (document->kind != JSON_OBJECT) {
		reader_fail(reader, "it is not a JSON object");
		return;
	}
	if (!json_is(found, JSON_STRING)) {
		reader_fail(reader, "it has no \"format\", so it is not a result of this program");
		return;
	}
	name = reader_string(reader, found, "format");
	if (strcmp(name, format))
		reader_fail(reader, "it is a %.40s, and a %s is needed", name, format);
	else if (!json_is(version, JSON_NUMBER) || !json_is_integer(version))
		reader_fail(reader, "it has no \"version\"");
	else if (!json_uint64(version, &number) || number != 1)
		reader_fail(reader, "its version is %.*s, and this program reads version 1",
			    version->size_bytes > 20 ? 20 : (int)version->size_bytes,
			    version->text);
}

const struct json_node *reader_parse(struct reader *reader, const char *path, const char *text,
				     size_t size_bytes, const char *format)
{
	char problem[200];
	int err;

	reader->path = path;
	reader->section = reader->metric = NULL;
	reader->has_failed = false;
	if (!size_bytes) {
		reader_fail(reader, "it is empty");
		return NULL;
	}
	err = json_tree_parse(&reader->tree, text, size_bytes, RESULT_MAX_DEPTH, problem,
			      sizeof(problem));
	if (err == -ENOMEM)
		reader_no_memory(reader);
	else if (err)
		reader_fail(reader, "%s", problem);
	else
		check_format(reader, reader->tree.nodes, format);
	return reader->has_failed ? NULL : reader->tree.nodes;
}

/* All of the file, as long as it is at most RESULT_MAX_BYTES, whatever its size was said to be. */
static int read_whole(struct buffer *file, int fd, size_t expected_bytes)
{
	static const size_t step_bytes = 65536;
	ssize_t count;

	file->length = 0;
	do {
		size_t room = expected_bytes > file->length ? expected_bytes - file->length + 1
							    : step_bytes;
		char *at = buffer_reserve(file, room);

		if (!at)
			return -ENOMEM;
		count = read(fd, at, room);
		if (count < 0 && errno != EINTR)
			return -errno;
		file->length += count > 0 ? (size_t)count : 0;
		if (file->length > RESULT_MAX_BYTES)
			return -EFBIG;
	} while (count);
	file->text[file->length] = '\0';
	return 0;
}

/* Looked at before anything is read: a pipe would wait, a device might never end. */
static int read_regular(struct reader *reader, int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		reader_fail(reader, "it is not a regular file");
		return -EINVAL;
	}
	if ((uint64_t)status.st_size > RESULT_MAX_BYTES)
		return -EFBIG;
	return read_whole(&reader->file, fd, (size_t)status.st_size);
}

const struct json_node *reader_load(struct reader *reader, const char *path, const char *format)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	reader->path = path;
	reader->section = reader->metric = NULL;
	reader->has_failed = false;
	err = fd < 0 ? -errno : read_regular(reader, fd);
	if (fd >= 0)
		close(fd);
	if (err == -EFBIG)
		reader_fail(reader, "it is larger than %llu MiB, the most that a result may have",
			    (unsigned long long)(RESULT_MAX_BYTES >> 20));
	else if (err)
		reader_fail(reader, "it cannot be read: %s", strerror(-err));
	if (err)
		return NULL;
	return reader_parse(reader, path, reader->file.text, reader->file.length, format);
}
