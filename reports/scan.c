// SPDX-License-Identifier: GPL-2.0-only
#include "reports/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 64

struct key {
	const char *text;
	size_t length;
};

/* The keys of all open objects, innermost last; a level is where an object's keys begin. */
struct scanner {
	const char *text, *end, *at;
	struct key *keys;
	size_t n_keys, capacity;
	size_t first_key[LEVELS_MAX];
	unsigned int depth;
	char *problem;
	size_t problem_size;
};

/* From the opening quote to behind the closing one; the text's end when there is none. */
static const char *skip_string(const char *at, const char *end, bool *has_escape)
{
	*has_escape = false;
	for (at++; at < end && *at != '"'; at++) {
		if (*at != '\\')
			continue;
		*has_escape = true;
		if (++at == end)
			return end;
	}
	return at < end ? at + 1 : end;
}

static bool is_followed_by_colon(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	return at < end && *at == ':';
}

static int add_key(struct scanner *scanner, struct key key)
{
	if (scanner->n_keys == scanner->capacity) {
		size_t capacity = scanner->capacity ? 2 * scanner->capacity : 256;
		struct key *grown = realloc(scanner->keys, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		scanner->keys = grown;
		scanner->capacity = capacity;
	}
	scanner->keys[scanner->n_keys++] = key;
	return 0;
}

static int scan_string(struct scanner *scanner)
{
	const char *from = scanner->at;
	bool has_escape;

	scanner->at = skip_string(from, scanner->end, &has_escape);
	if (!is_followed_by_colon(scanner->at, scanner->end))
		return 0;
	if (has_escape) {
		snprintf(scanner->problem, scanner->problem_size,
			 "the key at byte %zu is spelt with an escape", from - scanner->text);
		return -EINVAL;
	}
	return add_key(scanner, (struct key){from + 1, (size_t)(scanner->at - from) - 2});
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *one = a, *two = b;
	size_t shorter = one->length < two->length ? one->length : two->length;
	int order = memcmp(one->text, two->text, shorter);

	return order ? order : (one->length > two->length) - (one->length < two->length);
}

static int open_level(struct scanner *scanner, unsigned int max_depth)
{
	if (scanner->depth == max_depth || scanner->depth == LEVELS_MAX) {
		snprintf(scanner->problem, scanner->problem_size,
			 "it is nested deeper than %u levels", max_depth);
		return -EINVAL;
	}
	scanner->first_key[scanner->depth++] = scanner->n_keys;
	return 0;
}

static int close_level(struct scanner *scanner)
{
	size_t first, count;

	if (!scanner->depth)
		return 0; /* json-c will say that it is not JSON */
	first = scanner->first_key[--scanner->depth];
	count = scanner->n_keys - first;
	if (count > 1)
		qsort(scanner->keys + first, count, sizeof(struct key), compare_keys);
	scanner->n_keys = first;
	for (size_t i = 1; i < count; i++) {
		const struct key *key = &scanner->keys[first + i];

		if (compare_keys(key - 1, key))
			continue;
		snprintf(scanner->problem, scanner->problem_size,
			 "the key \"%.*s\" appears twice in one object",
			 key->length > 40 ? 40 : (int)key->length, key->text);
		return -EINVAL;
	}
	return 0;
}

int json_scan(const char *text, size_t size_bytes, unsigned int max_depth, char *problem,
	      size_t problem_size)
{
	struct scanner scanner = {.text = text,
				  .end = text + size_bytes,
				  .at = text,
				  .problem = problem,
				  .problem_size = problem_size};
	int err = 0;

	while (!err && scanner.at < scanner.end) {
		switch (*scanner.at) {
		case '"':
			err = scan_string(&scanner);
			continue;
		case '{':
		case '[':
			err = open_level(&scanner, max_depth);
			break;
		case '}':
		case ']':
			err = close_level(&scanner);
			break;
		default:
			break;
		}
		scanner.at++;
	}
	free(scanner.keys);
	return err;
}
