// SPDX-License-Identifier: GPL-2.0-only
#include "reports/json_tree.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct json_tree *tree;
	const char *text, *at, *end; /* *end is NUL: a look at it is always allowed */
	unsigned int levels, max_levels;
	int err;
	char *problem;
	size_t problem_size;
};

static bool parse_value(struct parser *parser);

__attribute__((format(printf, 2, 3))) static bool refuse(struct parser *parser, const char *format,
							 ...)
{
	va_list args;

	if (parser->err)
		return false;
	parser->err = -EINVAL;
	va_start(args, format);
	vsnprintf(parser->problem, parser->problem_size, format, args);
	va_end(args);
	return false;
}

/* The text is not what the grammar wants here: because it ends, or because it is something else. */
static bool refuse_here(struct parser *parser, const char *wanted)
{
	if (parser->at >= parser->end)
		return refuse(parser, "it is cut short: the JSON text does not end");
	return refuse(parser, "it is not JSON: %s is needed at byte %zu", wanted,
		      (size_t)(parser->at - parser->text));
}

/* Indented documents are mostly blanks. */
static void skip_blanks(struct parser *parser)
{
	const char *at = parser->at;

	while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
		at++;
	parser->at = at;
}

static struct json_node *add_node(struct parser *parser, enum json_kind kind, const char *text)
{
	struct json_tree *tree = parser->tree;

	if (tree->count == tree->capacity) {
		size_t capacity = tree->capacity ? 2 * tree->capacity : 4096;
		struct json_node *grown = realloc(tree->nodes, capacity * sizeof(*grown));

		if (!grown) {
			parser->err = -ENOMEM;
			return NULL;
		}
		tree->nodes = grown;
		tree->capacity = capacity;
	}
	tree->nodes[tree->count] = (struct json_node){.text = text, .kind = kind, .span = 1};
	return &tree->nodes[tree->count++];
}

/* How many bytes the UTF-8 sequence at @at has; 0: it is none (RFC 3629). */
static unsigned int utf8_length(const unsigned char *at, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	unsigned int length;

	if (*at >= 0xc2 && *at <= 0xdf)
		length = 2;
	else if (*at >= 0xe0 && *at <= 0xef)
		length = 3;
	else if (*at >= 0xf0 && *at <= 0xf4)
		length = 4;
	else
		return 0;
	if (length > left)
		return 0;
	if (*at == 0xe0)
		low = 0xa0; /* shorter ones are spelt shorter */
	else if (*at == 0xed)
		high = 0x9f; /* surrogates */
	else if (*at == 0xf0)
		low = 0x90;
	else if (*at == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (at[1] < low || at[1] > high)
		return 0;
	for (unsigned int i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return length;
}

static bool is_hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Behind the backslash. */
static bool parse_escape(struct parser *parser)
{
	if (parser->at >= parser->end)
		return refuse_here(parser, "an escape");
	if (*parser->at != 'u') {
		if (!strchr("\"\\/bfnrt", *parser->at) || !*parser->at)
			return refuse_here(parser, "an escape that JSON knows");
		parser->at++;
		return true;
	}
	parser->at++;
	for (int i = 0; i < 4; i++, parser->at++)
		if (!is_hex_digit(*parser->at))
			return refuse_here(parser, "a hexadecimal digit");
	return true;
}

/* What a string has besides plain ASCII; @parser->at is at it. */
static bool parse_special(struct parser *parser, struct json_node *node)
{
	unsigned int length;

	if (*parser->at == '\\') {
		node->has_escape = true;
		parser->at++;
		return parse_escape(parser);
	}
	if (parser->at >= parser->end)
		return refuse_here(parser, "the string's end");
	if ((unsigned char)*parser->at < 0x20)
		return refuse(parser,
			      "it is not JSON: a control character stands in a string at byte %zu",
			      (size_t)(parser->at - parser->text));
	length = utf8_length((const unsigned char *)parser->at, (size_t)(parser->end - parser->at));
	if (!length)
		return refuse(parser, "it is not UTF-8 at byte %zu",
			      (size_t)(parser->at - parser->text));
	parser->at += length;
	return true;
}

static bool is_plain(char c)
{
	return (signed char)c >= 0x20 && c != '"' && c != '\\';
}

/* At the opening quote. */
static bool parse_string(struct parser *parser)
{
	struct json_node *node = add_node(parser, JSON_STRING, parser->at + 1);

	if (!node)
		return false;
	parser->at++;
	for (;;) {
		while (is_plain(*parser->at))
			parser->at++;
		if (*parser->at == '"')
			break;
		if (!parse_special(parser, node))
			return false;
	}
	node->size_bytes = (uint32_t)(parser->at - node->text);
	parser->at++;
	return true;
}

static void skip_digits(struct parser *parser)
{
	while (*parser->at >= '0' && *parser->at <= '9')
		parser->at++;
}

static bool parse_digits(struct parser *parser)
{
	const char *from = parser->at;

	skip_digits(parser);
	return parser->at > from || refuse_here(parser, "a digit");
}

static bool parse_number(struct parser *parser)
{
	struct json_node *node = add_node(parser, JSON_NUMBER, parser->at);
	bool has_exponent = false;

	if (!node)
		return false;
	if (*parser->at == '-')
		parser->at++;
	if (*parser->at == '0')
		parser->at++; /* nothing may follow but a point or an exponent */
	else if (!parse_digits(parser))
		return false;
	if (*parser->at == '.') {
		parser->at++;
		if (!parse_digits(parser))
			return false;
	}
	if (*parser->at == 'e' || *parser->at == 'E') {
		has_exponent = true;
		parser->at++;
		if (*parser->at == '+' || *parser->at == '-')
			parser->at++;
		if (!parse_digits(parser))
			return false;
	}
	node->size_bytes = (uint32_t)(parser->at - node->text);
	if ((has_exponent || node->size_bytes > 300) && !isfinite(json_number(node)))
		return refuse(parser, "the number at byte %zu is not finite",
			      (size_t)(node->text - parser->text));
	return true;
}

static bool parse_word(struct parser *parser, const char *word, enum json_kind kind)
{
	size_t length = strlen(word);
	struct json_node *node = add_node(parser, kind, parser->at);

	if (!node)
		return false;
	for (size_t i = 0; i < length; i++, parser->at++)
		if (*parser->at != word[i])
			return refuse_here(parser, word);
	node->size_bytes = (uint32_t)length;
	return true;
}

static bool open_level(struct parser *parser)
{
	if (parser->levels == parser->max_levels)
		return refuse(parser, "it is nested deeper than %u levels", parser->max_levels);
	parser->levels++;
	parser->at++;
	skip_blanks(parser);
	return true;
}

static void close_level(struct parser *parser, size_t index)
{
	struct json_node *node = &parser->tree->nodes[index];

	parser->levels--;
	parser->at++;
	node->size_bytes = (uint32_t)(parser->at - node->text);
	node->span = (uint32_t)(parser->tree->count - index) & 0xfffffff;
}

static bool parse_array(struct parser *parser)
{
	size_t index = parser->tree->count;

	if (!add_node(parser, JSON_ARRAY, parser->at) || !open_level(parser))
		return false;
	while (*parser->at != ']') {
		if (!parse_value(parser))
			return false;
		skip_blanks(parser);
		if (*parser->at != ',')
			break;
		parser->at++;
		skip_blanks(parser);
		if (*parser->at == ']')
			return refuse_here(parser, "a value");
	}
	if (*parser->at != ']')
		return refuse_here(parser, "a comma or ]");
	close_level(parser, index);
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const struct json_node *one = *(const struct json_node *const *)a;
	const struct json_node *two = *(const struct json_node *const *)b;
	uint32_t shorter = one->size_bytes < two->size_bytes ? one->size_bytes : two->size_bytes;
	int order = memcmp(one->text, two->text, shorter);

	return order ? order
		     : (one->size_bytes > two->size_bytes) - (one->size_bytes < two->size_bytes);
}

static bool is_same_key(const struct json_node *one, const struct json_node *two)
{
	return one->size_bytes == two->size_bytes && !memcmp(one->text, two->text, one->size_bytes);
}

static bool refuse_key(struct parser *parser, const struct json_node *key)
{
	parser->at = key->text;
	return refuse(parser, "the key \"%.*s\" appears twice in one object",
		      key->size_bytes > 40 ? 40 : (int)key->size_bytes, key->text);
}

/* Many keys: sorted, the same ones are neighbours. */
static bool check_many_keys(struct parser *parser, const struct json_node *object, size_t count)
{
	const struct json_node **keys = malloc(count * sizeof(*keys));
	const struct json_node *key = object + 1;
	bool is_fine = true;

	if (!keys) {
		parser->err = -ENOMEM;
		return false;
	}
	for (size_t i = 0; i < count; i++, key += 1 + key[1].span)
		keys[i] = key;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count && is_fine; i++)
		if (is_same_key(keys[i - 1], keys[i]))
			is_fine = refuse_key(parser, keys[i]);
	free(keys);
	return is_fine;
}

/* One of 64, by length and some letters: keys that differ in it need no further look. */
static unsigned int key_mark(const struct json_node *key)
{
	const unsigned char *text = (const unsigned char *)key->text;
	uint32_t size = key->size_bytes;

	if (!size)
		return 0;
	return (size * 5 + text[0] * 3u + text[size / 2] * 7u + text[size - 1] * 11u) % 64;
}

static bool check_keys(struct parser *parser, const struct json_node *object, size_t count)
{
	const struct json_node *end = object + 1, *key;
	uint64_t seen = 0;

	if (count > 32)
		return check_many_keys(parser, object, count);
	for (size_t i = 0; i < count; i++, end += 1 + end[1].span) {
		uint64_t mark = UINT64_C(1) << key_mark(end);

		for (key = object + 1; (seen & mark) && key < end; key += 1 + key[1].span)
			if (is_same_key(key, end))
				return refuse_key(parser, end);
		seen |= mark;
	}
	return true;
}

static bool parse_key(struct parser *parser)
{
	size_t index = parser->tree->count;

	if (*parser->at != '"')
		return refuse_here(parser, "a key");
	if (!parse_string(parser))
		return false;
	if (parser->tree->nodes[index].has_escape)
		return refuse(parser, "the key at byte %zu is spelt with an escape",
			      (size_t)(parser->tree->nodes[index].text - parser->text) - 1);
	skip_blanks(parser);
	if (*parser->at != ':')
		return refuse_here(parser, "a colon");
	parser->at++;
	skip_blanks(parser);
	return true;
}

static bool parse_object(struct parser *parser)
{
	size_t index = parser->tree->count, count = 0;

	if (!add_node(parser, JSON_OBJECT, parser->at) || !open_level(parser))
		return false;
	while (*parser->at != '}') {
		if (!parse_key(parser) || !parse_value(parser))
			return false;
		count++;
		skip_blanks(parser);
		if (*parser->at != ',')
			break;
		parser->at++;
		skip_blanks(parser);
		if (*parser->at == '}')
			return refuse_here(parser, "a key");
	}
	if (*parser->at != '}')
		return refuse_here(parser, "a comma or }");
	close_level(parser, index);
	return check_keys(parser, &parser->tree->nodes[index], count);
}

/* No deeper than max_levels: the recursion is bounded by it. */
static bool parse_value(struct parser *parser)
{
	switch (*parser->at) {
	case '{':
		return parse_object(parser);
	case '[':
		return parse_array(parser);
	case '"':
		return parse_string(parser);
	case 't':
		return parse_word(parser, "true", JSON_TRUE);
	case 'f':
		return parse_word(parser, "false", JSON_FALSE);
	case 'n':
		return parse_word(parser, "null", JSON_NULL);
	case 'N':
	case 'I':
		return refuse(parser, "it is not JSON: the number at byte %zu is not finite",
			      (size_t)(parser->at - parser->text));
	case '-':
		if (parser->at[1] == 'I' || parser->at[1] == 'N')
			return refuse(parser,
				      "it is not JSON: the number at byte %zu is not finite",
				      (size_t)(parser->at - parser->text));
		return parse_number(parser);
	default:
		if (*parser->at >= '0' && *parser->at <= '9')
			return parse_number(parser);
		return refuse_here(parser, "a value");
	}
}

int json_tree_parse(struct json_tree *tree, const char *text, size_t size_bytes,
		    unsigned int max_levels, char *problem, size_t problem_size)
{
	struct parser parser = {.tree = tree,
				.text = text,
				.at = text,
				.end = text + size_bytes,
				.max_levels =
					max_levels < JSON_MAX_LEVELS ? max_levels : JSON_MAX_LEVELS,
				.problem = problem,
				.problem_size = problem_size};

	tree->count = 0;
	if (size_bytes > JSON_MAX_BYTES) {
		refuse(&parser, "it is larger than %u MiB", JSON_MAX_BYTES >> 20);
		return parser.err;
	}
	if (size_bytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		refuse(&parser, "it begins with a byte order mark, which JSON does not have");
		return parser.err;
	}
	skip_blanks(&parser);
	if (parse_value(&parser)) {
		skip_blanks(&parser);
		if (parser.at < parser.end)
			refuse_here(&parser, "the end of the text");
	}
	tree->stop_byte = (size_t)(parser.at - text);
	return parser.err;
}

void json_tree_release(struct json_tree *tree)
{
	free(tree->nodes);
	*tree = (struct json_tree){0};
}

bool json_is(const struct json_node *node, enum json_kind kind)
{
	return node && node->kind == kind;
}

const struct json_node *json_first(const struct json_node *container)
{
	return container->span > 1 ? container + 1 : NULL;
}

const struct json_node *json_next(const struct json_node *container, const struct json_node *value)
{
	const struct json_node *next = value + value->span;

	return next < container + container->span ? next : NULL;
}

size_t json_count(const struct json_node *container)
{
	size_t count = 0;

	for (const struct json_node *at = json_first(container); at; at = json_next(container, at))
		count++;
	return count;
}

const struct json_node *json_get(const struct json_node *object, const char *key)
{
	size_t length = strlen(key);
	const struct json_node *end;

	if (!json_is(object, JSON_OBJECT))
		return NULL;
	end = object + object->span;
	for (const struct json_node *at = object + 1; at < end; at += 1 + at[1].span)
		if (at->size_bytes == length && !memcmp(at->text, key, length))
			return at + 1;
	return NULL;
}

const struct json_node *json_at(const struct json_node *object, const char *const *keys)
{
	for (; object && *keys; keys++)
		object = json_get(object, *keys);
	return object;
}

bool json_is_integer(const struct json_node *number)
{
	for (uint32_t i = 0; i < number->size_bytes; i++)
		if (number->text[i] == '.' || number->text[i] == 'e' || number->text[i] == 'E')
			return false;
	return true;
}

double json_number(const struct json_node *number)
{
	uint64_t whole = 0;

	/* Up to 15 digits are a double exactly; strtod is slow and knows the rest. */
	if (number->size_bytes <= 15 && json_is_integer(number) && json_uint64(number, &whole))
		return (double)whole;
	return strtod(number->text, NULL);
}

bool json_uint64(const struct json_node *number, uint64_t *out)
{
	uint64_t value = 0;

	if (number->size_bytes == 2 && !memcmp(number->text, "-0", 2)) {
		*out = 0;
		return true;
	}
	for (uint32_t i = 0; i < number->size_bytes; i++) {
		unsigned int digit = (unsigned char)number->text[i] - (unsigned int)'0';

		if (digit > 9 || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	*out = value;
	return true;
}

static unsigned int read_hex(const char *digits)
{
	unsigned int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = digits[i];

		value = value * 16 + (unsigned int)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

static void add_code_point(struct buffer *out, uint32_t code)
{
	char bytes[4];
	size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = count; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(leads[count] | code);
	buffer_add_bytes(out, bytes, count);
}

/* The escape at @at, behind its backslash; returns what follows it. */
static const char *add_escape(struct buffer *out, const char *at, const char *end)
{
	static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *name = strchr(names, *at);
	uint32_t code, low;

	if (*at != 'u') {
		buffer_add_bytes(out, name ? &meant[name - names] : at, 1);
		return at + 1;
	}
	code = read_hex(at + 1);
	at += 5;
	if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
		low = read_hex(at + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			at += 6;
		}
	}
	add_code_point(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
	return at;
}

void json_string(const struct json_node *string, struct buffer *out)
{
	const char *at = string->text, *end = at + string->size_bytes;

	if (!string->has_escape) {
		buffer_add_bytes(out, at, string->size_bytes);
		return;
	}
	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));

		buffer_add_bytes(out, at, (size_t)((escape ? escape : end) - at));
		at = escape ? add_escape(out, escape + 1, end) : end;
	}
}

static const char *behind_string(const char *at)
{
	for (at++; *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at + 1;
}

void json_compact(const struct json_node *value, struct buffer *out)
{
	const char *at = value->text, *end = at + value->size_bytes;

	if (value->kind == JSON_STRING) {
		buffer_add_bytes(out, at - 1, value->size_bytes + 2);
		return;
	}
	while (at < end) {
		const char *from = at;

		if (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') {
			at++;
			continue;
		}
		at = *at == '"' ? behind_string(at) : at + 1;
		buffer_add_bytes(out, from, (size_t)(at - from));
	}
}
