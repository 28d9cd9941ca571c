/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_READER_H
#define REPORTS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/json_tree.h"
#include "reports/text_table.h"

/*
 * Reading one document after the other. The first thing that is wrong with a document is
 * kept; after it every getter gives a harmless value, so that a reader need not look after
 * each. A reader is one thread's; what it made outlives it on its arena.
 */
struct reader {
	struct arena *arena;
	struct text_table texts; /* every string once; on the arena, too */
	struct json_tree tree;
	struct buffer file, scratch;
	const char *path;
	const char *section, *metric; /* being read; NULL: the document */
	char error[640];	      /* one sentence, once has_failed */
	bool has_failed;
};

/* A reader that allocates on @arena, for one document after the other. */
void reader_init(struct reader *reader, struct arena *arena);
void reader_release(struct reader *reader);

/*
 * The document in the file at @path: read within the limits of load.h, parsed, and checked to
 * be a @format of version 1. NULL after a failure. It is valid until the next call.
 */
const struct json_node *reader_load(struct reader *reader, const char *path, const char *format);
/* The same from memory; a NUL follows @text. @path is for messages. */
const struct json_node *reader_parse(struct reader *reader, const char *path, const char *text,
				     size_t size_bytes, const char *format);

/* Notes what is wrong, with the file and the place; only the first call counts. */
void reader_fail(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for a lack of memory; returns NULL. */
void *reader_no_memory(struct reader *reader);
/* @size_bytes of zeros on the arena; NULL after a failure, which may be that of memory. */
void *reader_alloc(struct reader *reader, size_t count, size_t size_bytes);

/* What stands under @key; it must be there and of that type. */
const struct json_node *reader_get(struct reader *reader, const struct json_node *object,
				   const char *key);
const struct json_node *reader_object(struct reader *reader, const struct json_node *object,
				      const char *key);
const struct json_node *reader_array(struct reader *reader, const struct json_node *object,
				     const char *key);
bool reader_bool(struct reader *reader, const struct json_node *object, const char *key);

/* What a string says, on the arena, the same pointer for the same text. */
const char *reader_string(struct reader *reader, const struct json_node *string, const char *key);
/* Those bytes, kept like a string. */
const char *reader_keep(struct reader *reader, const char *text, size_t size_bytes);
/* The string below nested keys ("kernel", "release", NULL); NULL when there is none. */
const char *reader_string_at(struct reader *reader, const struct json_node *object,
			     const char *const *keys);
/* A string under a key: one that may be null, any, and one that is not empty. */
const char *reader_text_or_null(struct reader *reader, const struct json_node *object,
				const char *key);
const char *reader_text(struct reader *reader, const struct json_node *object, const char *key);
const char *reader_name(struct reader *reader, const struct json_node *object, const char *key);

/* The index of a string in the NULL-terminated @words. */
int reader_word(struct reader *reader, const struct json_node *object, const char *key,
		const char *const *words);

/* A finite number; NaN when it is null or, with @may_miss, not there. */
double reader_number_or_null(struct reader *reader, const struct json_node *object, const char *key,
			     bool may_miss);

/* A whole number from 0 to 2^53, of a value and under a key; or NaN as above. */
uint64_t reader_to_count(struct reader *reader, const struct json_node *value, const char *key);
uint64_t reader_count(struct reader *reader, const struct json_node *object, const char *key);
double reader_count_or_null(struct reader *reader, const struct json_node *object, const char *key,
			    bool may_miss);

/* A whole number of 64 bits that is not negative. */
uint64_t reader_seed(struct reader *reader, const struct json_node *object, const char *key);

#endif
