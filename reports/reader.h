/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_READER_H
#define REPORTS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/load.h"

struct json_object;

/*
 * Reading one document. The first thing that is wrong is kept; after it every
 * getter gives a harmless value, so that a reader need not look after each.
 */
struct reader {
	struct results *results;
	const char *path;
	const char *where; /* the section or metric being read; NULL: the document */
	char *error;
	size_t error_size;
	bool has_failed;
};

/*
 * The document in the file at reader->path: read within the limits of load.h, scanned for what
 * json-c would let pass, parsed, and checked to be a @format of version 1. NULL after a
 * failure; else the caller puts it.
 */
struct json_object *reader_load(struct reader *reader, const char *format);

/* Notes what is wrong, with the file and the place; only the first call counts. */
void reader_fail(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for a lack of memory; returns NULL. */
void *reader_no_memory(struct reader *reader);

/* What stands under @key; it must be there and of that type. Borrowed from @object. */
struct json_object *reader_get(struct reader *reader, struct json_object *object, const char *key);
struct json_object *reader_object(struct reader *reader, struct json_object *object,
				  const char *key);
struct json_object *reader_array(struct reader *reader, struct json_object *object,
				 const char *key);
bool reader_bool(struct reader *reader, struct json_object *object, const char *key);

/* A string, copied to the results' arena: one that may be null, any, and one that is not empty. */
const char *reader_text_or_null(struct reader *reader, struct json_object *object, const char *key);
const char *reader_text(struct reader *reader, struct json_object *object, const char *key);
const char *reader_name(struct reader *reader, struct json_object *object, const char *key);

/* The index of a string in the NULL-terminated @words. */
int reader_word(struct reader *reader, struct json_object *object, const char *key,
		const char *const *words);

/* A finite number; NaN when it is null or, with @may_miss, not there. */
double reader_number_or_null(struct reader *reader, struct json_object *object, const char *key,
			     bool may_miss);

/* A whole number from 0 to 2^53, of a value and under a key; or NaN as above. */
uint64_t reader_to_count(struct reader *reader, struct json_object *value, const char *key);
uint64_t reader_count(struct reader *reader, struct json_object *object, const char *key);
double reader_count_or_null(struct reader *reader, struct json_object *object, const char *key,
			    bool may_miss);

/* A whole number of 64 bits that is not negative. */
uint64_t reader_seed(struct reader *reader, struct json_object *object, const char *key);

#endif
