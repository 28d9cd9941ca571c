// SPDX-License-Identifier: GPL-2.0-only
#include "bench/campaign_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "reports/buffer.h"
#include "reports/json_tree.h"
#include "workloads/workload.h"

#define LEVELS_MAX 8 /* the format needs 5 */

/* About setting up or about this file: the command line alone has them. */
static const char *const line_only[] = {"campaign", "print-campaign", "quick",
					"yes",	    "no-install",     NULL};

struct reader {
	struct campaign_file *file;
	const char *text;
	const struct command *command;
	void *values;
	bool *given;
	/* What is being read, for messages. */
	const struct json_node *at;
	const char *member;
};

bool is_campaign_file_member(const struct option_spec *option)
{
	for (size_t i = 0; line_only[i]; i++)
		if (!strcmp(option->name, line_only[i]))
			return false;
	return true;
}

static unsigned int line_of(const char *text, const char *at)
{
	unsigned int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* One sentence about reader->at; -EINVAL. */
__attribute__((format(printf, 2, 3))) static int refuse(struct reader *reader, const char *format,
							...)
{
	struct campaign_file *file = reader->file;
	size_t used;
	va_list args;

	snprintf(file->error, sizeof(file->error), "%s, line %u: ", file->path,
		 line_of(reader->text, reader->at->text));
	used = strlen(file->error);
	va_start(args, format);
	vsnprintf(file->error + used, sizeof(file->error) - used, format, args);
	va_end(args);
	return -EINVAL;
}

static const char *kind_text(const struct json_node *node)
{
	static const char *const texts[] = {
		[JSON_NULL] = "null",	     [JSON_FALSE] = "false",   [JSON_TRUE] = "true",
		[JSON_NUMBER] = "a number",  [JSON_STRING] = "a text", [JSON_ARRAY] = "a list",
		[JSON_OBJECT] = "an object",
	};

	return texts[node->kind];
}

static int refuse_kind(struct reader *reader, const char *wanted)
{
	return refuse(reader, "\"%s\" takes %s, not %s", reader->member, wanted,
		      kind_text(reader->at));
}

/* What a string says, as a text of the file's. */
static int take_text(struct reader *reader, const struct json_node *node, const char **out)
{
	struct buffer said = {0};
	int err = 0;

	reader->at = node;
	if (!json_is(node, JSON_STRING))
		return refuse_kind(reader, "text");
	json_string(node, &said);
	if (said.failed)
		err = -ENOMEM;
	else if (said.length && strlen(said.text) != said.length)
		err = refuse(reader, "\"%s\" holds a NUL, which ends a text", reader->member);
	else
		*out = arena_text(&reader->file->arena, said.length ? said.text : "");
	buffer_release(&said);
	return err ? err : *out ? 0 : -ENOMEM;
}

/* A value as --param takes it: text, or a whole number. */
static int take_value(struct reader *reader, const struct json_node *node, const char **out)
{
	reader->at = node;
	if (json_is(node, JSON_NUMBER) && json_is_integer(node) && *node->text != '-') {
		*out = arena_format(&reader->file->arena, "%.*s", (int)node->size_bytes,
				    node->text);
		return *out ? 0 : -ENOMEM;
	}
	if (json_is(node, JSON_NUMBER))
		return refuse(reader,
			      "\"%s\" takes values that are text or whole numbers, not %.*s",
			      reader->member, node->size_bytes > 30 ? 30 : (int)node->size_bytes,
			      node->text);
	if (!json_is(node, JSON_STRING))
		return refuse_kind(reader, "values that are text or whole numbers");
	return take_text(reader, node, out);
}

static const char *source_of(struct reader *reader, const struct json_node *node,
			     const char *member)
{
	return arena_format(&reader->file->arena, "%s, line %u: \"%s\"", reader->file->path,
			    line_of(reader->text, node->text), member);
}

static int add_setting(struct reader *reader, struct run_settings *settings,
		       const struct json_node *node, const char *text)
{
	struct run_setting *items =
		reallocarray(settings->items, settings->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	settings->items = items;
	items[settings->count] = (struct run_setting){
		.source = source_of(reader, node, reader->member), .text = text};
	if (!items[settings->count].source || !text)
		return -ENOMEM;
	settings->count++;
	return 0;
}

/* A sweep's values: text as --sweep takes it, or a list of values. */
static int take_sweep(struct reader *reader, const struct json_node *node, const char **out)
{
	struct buffer list = {0};
	const char *value;
	int err = 0;

	if (!json_is(node, JSON_ARRAY))
		return take_value(reader, node, out);
	reader->at = node;
	if (!json_count(node))
		return refuse(reader, "\"%s\" has an empty list of values", reader->member);
	for (const struct json_node *at = json_first(node); at && !err; at = json_next(node, at)) {
		err = take_value(reader, at, &value);
		if (!err)
			buffer_format(&list, "%s%s", list.length ? "," : "", value);
	}
	if (!err && list.failed)
		err = -ENOMEM;
	if (!err)
		*out = arena_text(&reader->file->arena, list.text);
	buffer_release(&list);
	return err ? err : *out ? 0 : -ENOMEM;
}

/* {"NAME": VALUE, …} becomes NAME=VALUE for each. */
static int read_named(struct reader *reader, const char *member, const struct json_node *node,
		      struct run_settings *settings)
{
	bool is_sweep = !strcmp(member, "sweep");
	const struct json_node *key, *value;
	const char *text = NULL;
	int err = 0;

	reader->at = node;
	reader->member = member;
	if (!json_is(node, JSON_OBJECT))
		return refuse_kind(reader, "an object of names and values");
	for (key = json_first(node); key && !err; key = json_next(node, value)) {
		value = json_next(node, key);
		err = is_sweep ? take_sweep(reader, value, &text)
			       : take_value(reader, value, &text);
		if (!err)
			err = add_setting(reader, settings, key,
					  arena_format(&reader->file->arena, "%.*s=%s",
						       (int)key->size_bytes, key->text, text));
	}
	return err;
}

static int read_placements(struct reader *reader, const struct json_node *node,
			   struct run_settings *settings)
{
	const char *text = NULL;
	int err = 0;

	reader->at = node;
	reader->member = "placement";
	if (!json_is(node, JSON_ARRAY) || !json_count(node))
		return refuse(reader, "\"placement\" takes a list with a placement at least");
	for (const struct json_node *at = json_first(node); at && !err; at = json_next(node, at)) {
		err = take_text(reader, at, &text);
		if (!err)
			err = add_setting(reader, settings, at, text);
	}
	return err;
}

/* "param", "sweep" and "placement" stand beside the options and in a workload; -ENOENT: it is none.
 */
static int read_layer_member(struct reader *reader, const char *member,
			     const struct json_node *value, struct run_layer *layer)
{
	if (!strcmp(member, "param"))
		return read_named(reader, member, value, &layer->params);
	if (!strcmp(member, "sweep"))
		return read_named(reader, member, value, &layer->sweeps);
	if (!strcmp(member, "placement"))
		return read_placements(reader, value, &layer->placements);
	return -ENOENT;
}

static int check_workload(struct reader *reader, const struct json_node *node,
			  struct campaign_file_item *item)
{
	reader->member = "workload";
	item->source = source_of(reader, node, "workload");
	if (!item->source)
		return -ENOMEM;
	if (!workload_find(item->workload))
		return refuse(reader, "'%.60s' is not a workload; 'proxeval list' has them",
			      item->workload);
	for (const struct campaign_file_item *other = reader->file->items; other < item; other++)
		if (!item->is_whole && !other->is_whole && !strcmp(item->workload, other->workload))
			return refuse(reader, "the workload '%s' is named twice", item->workload);
	return 0;
}

/* {"workload": NAME, "param": {…}, "sweep": {…}, "placement": […]} */
static int read_whole_item(struct reader *reader, const struct json_node *node,
			   struct campaign_file_item *item)
{
	const struct json_node *key, *value;
	int err = 0;

	item->is_whole = true;
	for (key = json_first(node); key && !err; key = json_next(node, value)) {
		char name[24] = "";

		value = json_next(node, key);
		if (key->size_bytes < sizeof(name))
			memcpy(name, key->text, key->size_bytes);
		reader->member = "workload";
		if (!strcmp(name, "workload"))
			err = take_text(reader, value, &item->workload);
		else
			err = read_layer_member(reader, name, value, &item->own);
		reader->at = err == -ENOENT ? key : reader->at;
		if (err == -ENOENT)
			err = refuse(reader,
				     "a workload has no member \"%.*s\"; it has workload, param, "
				     "sweep and placement",
				     key->size_bytes > 60 ? 60 : (int)key->size_bytes, key->text);
	}
	reader->at = node;
	if (!err && !item->workload)
		err = refuse(reader, "an element of \"workload\" does not name its \"workload\"");
	return err;
}

static int read_item(struct reader *reader, const struct json_node *node)
{
	struct campaign_file *file = reader->file;
	struct campaign_file_item *items =
		reallocarray(file->items, file->n_items + 1, sizeof(*items));
	int err;

	if (!items)
		return -ENOMEM;
	file->items = items;
	items[file->n_items] = (struct campaign_file_item){0};
	file->n_items++;
	reader->at = node;
	reader->member = "workload";
	if (json_is(node, JSON_OBJECT))
		err = read_whole_item(reader, node, &items[file->n_items - 1]);
	else if (json_is(node, JSON_STRING))
		err = take_text(reader, node, &items[file->n_items - 1].workload);
	else
		err = refuse_kind(reader, "names and objects");
	return err ? err : check_workload(reader, node, &items[file->n_items - 1]);
}

static int read_items(struct reader *reader, const struct json_node *node)
{
	int err = 0;

	reader->at = node;
	reader->member = "workload";
	if (!json_is(node, JSON_ARRAY) || !json_count(node))
		return refuse(reader, "\"workload\" takes a list with a workload at least");
	for (const struct json_node *at = json_first(node); at && !err; at = json_next(node, at))
		err = read_item(reader, at);
	return err;
}

static int take_number(struct reader *reader, const struct option_spec *option,
		       const struct json_node *node, uint64_t *out)
{
	uint64_t number;

	if (!json_is(node, JSON_NUMBER))
		return refuse_kind(reader, "a whole number");
	if (json_is_integer(node) && json_uint64(node, &number) && number >= option->min &&
	    (!option->max || number <= option->max)) {
		*out = number;
		return 0;
	}
	return refuse(reader,
		      "\"%s\" takes a whole number from %" PRIu64 " to %" PRIu64 ", not %.*s",
		      option->name, option->min, option->max ? option->max : UINT64_MAX,
		      node->size_bytes > 30 ? 30 : (int)node->size_bytes, node->text);
}

static int take_choice(struct reader *reader, const struct option_spec *option,
		       const struct json_node *node, const char **out)
{
	char all[256] = "";
	const char *said = NULL;
	int err = take_text(reader, node, &said);

	for (const char *const *choice = option->choices; !err && *choice; choice++) {
		if (!strcmp(*choice, said)) {
			*out = *choice;
			return 0;
		}
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", *all ? ", " : "",
			 *choice);
	}
	return err ? err
		   : refuse(reader, "\"%s\" is one of: %s; not '%.60s'", option->name, all, said);
}

static int take_list(struct reader *reader, const struct json_node *node, struct string_list *list)
{
	const char *text = NULL;
	int err = 0;

	if (!json_is(node, JSON_ARRAY) || !json_count(node))
		return refuse(reader, "\"%s\" takes a list with a text at least", reader->member);
	for (const struct json_node *at = json_first(node); at && !err; at = json_next(node, at)) {
		err = take_text(reader, at, &text);
		if (!err && list)
			err = string_list_add(list, text);
	}
	return err;
}

/* @slot is NULL when the command line has the option: the value is only checked. */
static int take_option(struct reader *reader, const struct option_spec *option,
		       const struct json_node *node, void *slot)
{
	uint64_t number = 0;
	const char *text = NULL;
	int err = 0;

	switch (option->kind) {
	case OPTION_FLAG:
		if (!json_is(node, JSON_TRUE) && !json_is(node, JSON_FALSE))
			return refuse_kind(reader, "true or false");
		if (slot)
			*(bool *)slot = json_is(node, JSON_TRUE);
		break;
	case OPTION_NUMBER:
		err = take_number(reader, option, node, &number);
		if (!err && slot)
			*(uint64_t *)slot = number;
		break;
	case OPTION_LIST:
		err = take_list(reader, node, slot);
		break;
	case OPTION_STRING:
	case OPTION_CHOICE:
	case OPTION_PRESET:
		err = option->choices ? take_choice(reader, option, node, &text)
				      : take_text(reader, node, &text);
		if (!err && slot)
			*(const char **)slot = text;
		break;
	case OPTION_PERCENT: /* a campaign's file has none */
		break;
	}
	return err;
}

/* Whether the command line has it, be it by another option for the same (--quick, --profile). */
static bool is_given(const struct reader *reader, const struct option_spec *option)
{
	const struct option_spec *options = reader->command->options;

	for (size_t i = 0; options[i].name; i++)
		if (reader->given[i] && options[i].offset == option->offset)
			return true;
	return false;
}

static void note_overridden(struct reader *reader, const char *name)
{
	struct buffer *text = &reader->file->overridden;

	buffer_format(text, "%s--%s", text->length ? ", " : "", name);
}

static int refuse_member(struct reader *reader, const struct json_node *key)
{
	struct buffer all = {0};
	int err;

	for (const struct option_spec *option = reader->command->options; option->name; option++)
		if (is_campaign_file_member(option))
			buffer_format(&all, ", %s", option->name);
	err = all.failed ? -ENOMEM
			 : refuse(reader,
				  "\"%.*s\" is no member of a campaign file; there are format, "
				  "version, workload%s",
				  key->size_bytes > 60 ? 60 : (int)key->size_bytes, key->text,
				  all.text);
	buffer_release(&all);
	return err;
}

static int read_option(struct reader *reader, const struct json_node *key,
		       const struct json_node *value)
{
	const struct option_spec *option = reader->command->options;
	bool is_overridden;
	int err;

	while (option->name && (strlen(option->name) != key->size_bytes ||
				memcmp(option->name, key->text, key->size_bytes) != 0))
		option++;
	reader->at = key;
	if (!option->name || !is_campaign_file_member(option))
		return refuse_member(reader, key);
	is_overridden = is_given(reader, option);
	if (is_overridden)
		note_overridden(reader, option->name);
	reader->at = value;
	reader->member = option->name;
	err = read_layer_member(reader, option->name, value, &reader->file->layer);
	if (err != -ENOENT)
		return err;
	err = take_option(reader, option, value,
			  is_overridden ? NULL : (char *)reader->values + option->offset);
	if (!err && !is_overridden)
		reader->given[option - reader->command->options] = true;
	return err;
}

static bool is_key(const struct json_node *key, const char *name)
{
	return key->size_bytes == strlen(name) && !memcmp(key->text, name, key->size_bytes);
}

static int check_format(struct reader *reader, const struct json_node *root)
{
	const struct json_node *format = json_get(root, "format"),
			       *version = json_get(root, "version");
	uint64_t number;

	reader->at = format ? format : root;
	if (!json_is(format, JSON_STRING) || !is_key(format, CAMPAIGN_FILE_FORMAT))
		return refuse(reader, "this is no campaign file: its \"format\" must be \"%s\"",
			      CAMPAIGN_FILE_FORMAT);
	reader->at = version ? version : root;
	if (!json_is(version, JSON_NUMBER) || !json_is_integer(version) ||
	    !json_uint64(version, &number) || number != 1)
		return refuse(reader, "its \"version\" must be 1, the one that this program knows");
	return 0;
}

static int read_root(struct reader *reader, const struct json_node *root)
{
	const struct json_node *key, *value;
	int err;

	reader->at = root;
	if (!json_is(root, JSON_OBJECT))
		return refuse(reader, "a campaign file is an object, not %s", kind_text(root));
	err = check_format(reader, root);
	for (key = json_first(root); key && !err; key = json_next(root, value)) {
		value = json_next(root, key);
		if (is_key(key, "format") || is_key(key, "version"))
			continue;
		err = is_key(key, "workload") ? read_items(reader, value)
					      : read_option(reader, key, value);
	}
	if (!err && reader->file->overridden.failed)
		err = -ENOMEM;
	return err;
}

int campaign_file_parse(struct campaign_file *file, const char *path, const char *text,
			size_t size_bytes, const struct command *command, void *values, bool *given)
{
	struct reader reader = {
		.file = file, .text = text, .command = command, .values = values, .given = given};
	struct json_tree tree = {0};
	char problem[200];
	int err;

	*file = (struct campaign_file){.path = path};
	err = json_tree_parse(&tree, text, size_bytes, LEVELS_MAX, problem, sizeof(problem));
	if (err == -EINVAL)
		snprintf(file->error, sizeof(file->error), "%s, line %u: %s", path,
			 line_of(text, text + tree.stop_byte), problem);
	else if (!err)
		err = read_root(&reader, tree.nodes);
	json_tree_release(&tree);
	return err;
}

int campaign_file_load(struct campaign_file *file, const char *path, const struct command *command,
		       void *values, bool *given)
{
	size_t size_bytes;
	char *text;
	int err = read_file(path, CAMPAIGN_FILE_MAX_BYTES, &text, &size_bytes);

	if (err) {
		*file = (struct campaign_file){.path = path};
		snprintf(file->error, sizeof(file->error), "cannot read the campaign file %s: %s",
			 path, err == -EFBIG ? "it is larger than 1 MiB" : strerror(-err));
		return err;
	}
	err = campaign_file_parse(file, path, text, size_bytes, command, values, given);
	free(text);
	return err;
}

static void release_layer(struct run_layer *layer)
{
	free(layer->params.items);
	free(layer->sweeps.items);
	free(layer->placements.items);
}

void campaign_file_release(struct campaign_file *file)
{
	release_layer(&file->layer);
	for (size_t i = 0; i < file->n_items; i++)
		release_layer(&file->items[i].own);
	free(file->items);
	buffer_release(&file->overridden);
	arena_release(&file->arena);
	*file = (struct campaign_file){0};
}
