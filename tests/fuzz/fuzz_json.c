// SPDX-License-Identifier: GPL-2.0-only
/* The JSON parser of the results: what it takes json-c takes too, and says the same of. */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/json_tree.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct json_node *node, struct json_object *object);

/*
 * Some code points beyond U+FFFF, like U+1D90E, look like half a pair in their lower 16 bits.
 * json-c 0.16 takes a pair of escapes that stands for one of them for the first half of another
 * pair (github.com/json-c/json-c/pull/893). Its word on such a string is not asked.
 */
static bool json_c_misreads(const struct json_node *string, const struct buffer *text)
{
	for (size_t i = 0; string->has_escape && i + 3 < text->length; i++) {
		const unsigned char *at = (const unsigned char *)text->text + i;

		/* U+nD800 to U+nDFFF: 11110nnn 10nn1101 101xxxxx 10xxxxxx */
		if (at[0] >= 0xf0 && (at[1] & 0x0f) == 0x0d && (at[2] & 0xe0) == 0xa0)
			return true;
	}
	return false;
}

static void check_string(const struct json_node *node, struct json_object *object)
{
	struct buffer text = {0};

	json_string(node, &text);
	if (!json_c_misreads(node, &text) &&
	    (text.length != (size_t)json_object_get_string_len(object) ||
	     (text.length && memcmp(text.text, json_object_get_string(object), text.length) != 0)))
		abort();
	buffer_release(&text);
}

static void check_object(const struct json_node *node, struct json_object *object)
{
	if (json_count(node) != 2 * (size_t)json_object_object_length(object))
		abort();
	for (const struct json_node *key = json_first(node); key; key = json_next(node, key + 1)) {
		char *name = fuzz_text((const uint8_t *)key->text, key->size_bytes);
		struct json_object *value = NULL;

		if (!json_object_object_get_ex(object, name, &value) ||
		    json_get(node, name) != key + 1)
			abort();
		check(key + 1, value);
		free(name);
	}
}

static void check_array(const struct json_node *node, struct json_object *object)
{
	size_t i = 0;

	for (const struct json_node *at = json_first(node); at; at = json_next(node, at))
		check(at, json_object_array_get_idx(object, i++));
	if (i != json_object_array_length(object))
		abort();
}

static void check(const struct json_node *node, struct json_object *object)
{
	static const enum json_type types[] = {
		json_type_null,	  json_type_boolean, json_type_boolean, json_type_double,
		json_type_string, json_type_array,   json_type_object};
	enum json_type type = json_object_get_type(object);

	if (type != types[node->kind] && !(type == json_type_int && node->kind == JSON_NUMBER))
		abort();
	if (node->kind == JSON_STRING)
		check_string(node, object);
	else if (node->kind == JSON_OBJECT)
		check_object(node, object);
	else if (node->kind == JSON_ARRAY)
		check_array(node, object);
	else if (node->kind == JSON_NUMBER && !isfinite(json_number(node)))
		abort();
}

/* What is written without white space says the same. */
static void check_compact(const struct json_node *node)
{
	struct json_tree again = {0};
	struct buffer text = {0};
	char problem[200];

	json_compact(node, &text);
	if (json_tree_parse(&again, text.text, text.length, 24, problem, sizeof(problem)))
		abort();
	if (again.nodes->span != node->span)
		abort();
	json_tree_release(&again);
	buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes), problem[200];
	struct json_tree tree = {0};

	if (!json_tree_parse(&tree, text, size_bytes, 24, problem, sizeof(problem))) {
		struct json_tokener *tokener = json_tokener_new_ex(25);
		struct json_object *object;

		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		object = json_tokener_parse_ex(tokener, text, (int)size_bytes + 1);
		if (json_tokener_get_error(tokener) != json_tokener_success)
			abort();
		check(tree.nodes, object);
		check_compact(tree.nodes);
		json_object_put(object);
		json_tokener_free(tokener);
	} else if (!*problem) {
		abort();
	}
	json_tree_release(&tree);
	free(text);
	return 0;
}
