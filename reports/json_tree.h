/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_JSON_TREE_H
#define REPORTS_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/arena.h"
#include "reports/buffer.h"

/*
 * A strict JSON parser for results: one pass that checks and notes where things are, one
 * array of nodes that is used again for the next document. Nothing is copied or converted
 * until it is asked for. It refuses what JSON (RFC 8259) does not have, and what
 * no result needs and a reader could be fooled by: a key twice in an object, a key spelt
 * with an escape, more than the levels allowed, a number beyond a double, bytes
 * that are not UTF-8. doc/benchmarks.md has the reason why it is not json-c.
 */
enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* A value. What an array or an object holds follows it: values, or keys (strings) and values. */
struct json_node {
	const char *text;	 /* in the document; of a string what is between the quotes */
	uint32_t size_bytes;	 /* of that text */
	uint32_t span : 28;	 /* nodes that it is made of, itself included */
	uint32_t kind : 3;	 /* enum json_kind */
	uint32_t has_escape : 1; /* a string with a backslash */
};

#define JSON_MAX_BYTES \
	(UINT32_C(1) << 27) /* of a document: that many nodes at most fit into a span */
#define JSON_MAX_LEVELS 64

struct json_tree {
	struct json_node *nodes; /* the first is the document */
	size_t count, capacity;
	size_t stop_byte; /* of a text that is wrong: where */
};

/*
 * Parses @text, which a NUL follows and which must outlive the tree's use. 0; -EINVAL with
 * half a sentence in @problem ("it is not JSON: a comma or ] is needed at byte 812");
 * -ENOMEM. @max_levels is JSON_MAX_LEVELS at most. json_tree_release is due in every case.
 */
int json_tree_parse(struct json_tree *tree, const char *text, size_t size_bytes,
		    unsigned int max_levels, char *problem, size_t problem_size);
void json_tree_release(struct json_tree *tree);

/* The first value or key in a container, and what comes after a value: NULL at the end. */
const struct json_node *json_first(const struct json_node *container);
const struct json_node *json_next(const struct json_node *container, const struct json_node *value);
/* How many values an array, how many keys and values an object has. */
size_t json_count(const struct json_node *container);

/* The value under @key; NULL when it is not there or @object is not an object (or NULL). */
const struct json_node *json_get(const struct json_node *object, const char *key);
/* The same under nested keys ("kernel", "release", NULL). */
const struct json_node *json_at(const struct json_node *object, const char *const *keys);

/* Whether @node is there and of that kind. */
bool json_is(const struct json_node *node, enum json_kind kind);
/* Whether a number is written without point and exponent. */
bool json_is_integer(const struct json_node *number);
/* The number: always finite. */
double json_number(const struct json_node *number);
/* The whole number; false when it is negative or beyond 2^64 - 1. */
bool json_uint64(const struct json_node *number, uint64_t *out);
/* Appends what the string says; a half of a surrogate pair becomes U+FFFD. */
void json_string(const struct json_node *string, struct buffer *out);
/* Appends the value's text without the white space between its parts. */
void json_compact(const struct json_node *value, struct buffer *out);

#endif
