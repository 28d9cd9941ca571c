// SPDX-License-Identifier: GPL-2.0-only
/* Machine and kernel: what differs between the variants side by side, then what does not. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/html_page.h"

#define COLUMNS_MAX    8
#define DEPTH_MAX      6 /* deeper values are shown as JSON */
#define PATH_MAX_BYTES 256

/* One environment beside the others: a boot that stands for a variant. */
struct column {
	const char *label;
	const struct boot *boot;
};

struct sheet {
	struct page *page;
	struct column columns[COLUMNS_MAX];
	size_t n_columns;
	size_t left_out;	/* that have no column for want of room */
	bool wants_differences; /* which rows are written now: those, or the others */
	size_t rows;
};

static const char *plain_json(struct json_object *value)
{
	return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* A list as its items' words, a string as it is, anything else as JSON; "" for NULL. */
static void add_value(struct buffer *out, struct json_object *value)
{
	if (!value)
		return;
	if (json_object_is_type(value, json_type_string)) {
		buffer_add(out, json_object_get_string(value));
		return;
	}
	if (!json_object_is_type(value, json_type_array)) {
		buffer_add(out, plain_json(value));
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		buffer_add(out, i ? " " : "");
		buffer_add(out, json_object_is_type(item, json_type_string)
					? json_object_get_string(item)
					: plain_json(item));
	}
}

/* Where words of a value end: a command line's, a list's. */
static size_t word_length(const char *text)
{
	size_t length = strcspn(text, " ,");

	return length ? length : strspn(text, " ,");
}

static bool has_word(const char *text, const char *word, size_t length)
{
	for (; *text; text += word_length(text))
		if (word_length(text) == length && !strncmp(text, word, length))
			return true;
	return false;
}

/* A value of several words, with those marked that another column does not have. */
static void add_marked(struct page *page, const char *const *texts, size_t count, size_t own)
{
	const char *text = texts[own];

	buffer_add(page->out, "<code>");
	while (*text) {
		size_t length = word_length(text);
		bool is_own = false;
		char *word = strndup(text, length);

		for (size_t i = 0; i < count; i++)
			is_own |= !has_word(texts[i], text, length);
		if (!word) {
			page->out->failed = true;
			return;
		}
		if (is_own)
			page_element(page, "mark", word);
		else
			buffer_add_html(page->out, word);
		free(word);
		text += length;
	}
	buffer_add(page->out, "</code>");
}

/* One value of every column: written when it is of the kind that is wanted now. */
static void add_row(struct sheet *sheet, const char *name, struct json_object *const *values)
{
	struct page *page = sheet->page;
	struct buffer buffers[COLUMNS_MAX] = {0};
	const char *texts[COLUMNS_MAX];
	bool is_same = true;

	for (size_t i = 0; i < sheet->n_columns; i++) {
		add_value(&buffers[i], values[i]);
		page->out->failed |= buffers[i].failed;
		texts[i] = buffers[i].text ? buffers[i].text : "";
		is_same &= !strcmp(texts[0], texts[i]);
	}
	if (is_same == sheet->wants_differences)
		goto out_release;
	sheet->rows++;
	buffer_add(page->out, "<tr>");
	page_row_head(page, name);
	for (size_t i = 0; i < (is_same ? 1 : sheet->n_columns); i++) {
		buffer_add(page->out, "<td class=\"wide\">");
		add_marked(page, texts, sheet->n_columns, i);
		buffer_add(page->out, "</td>");
	}
	buffer_add(page->out, "</tr>\n");
out_release:
	for (size_t i = 0; i < sheet->n_columns; i++)
		buffer_release(&buffers[i]);
}

static bool is_any_object(const struct sheet *sheet, struct json_object *const *values)
{
	for (size_t i = 0; i < sheet->n_columns; i++)
		if (json_object_is_type(values[i], json_type_object))
			return true;
	return false;
}

/* Whether a column before @column has the key as well. */
static bool is_key_seen(struct json_object *const *values, size_t column, const char *key)
{
	for (size_t i = 0; i < column; i++)
		if (json_object_is_type(values[i], json_type_object) &&
		    json_object_object_get_ex(values[i], key, NULL))
			return true;
	return false;
}

static void add_rows(struct sheet *sheet, const char *name, struct json_object *const *values,
		     unsigned int depth);

static void add_key(struct sheet *sheet, const char *name, struct json_object *const *values,
		    const char *key, unsigned int depth)
{
	struct json_object *inner[COLUMNS_MAX] = {0};
	char path[PATH_MAX_BYTES];

	for (size_t i = 0; i < sheet->n_columns; i++)
		if (json_object_is_type(values[i], json_type_object))
			json_object_object_get_ex(values[i], key, &inner[i]);
	snprintf(path, sizeof(path), "%s%s%s", name, *name ? " " : "", key);
	add_rows(sheet, path, inner, depth + 1);
}

/* Every value below @values (one per column), by its path; an object as a row where it is empty. */
static void add_rows(struct sheet *sheet, const char *name, struct json_object *const *values,
		     unsigned int depth)
{
	/* They have a table of their own. */
	if (!strcmp(name, "spoilers"))
		return;
	if (depth >= DEPTH_MAX || !is_any_object(sheet, values)) {
		add_row(sheet, name, values);
		return;
	}
	for (size_t i = 0; i < sheet->n_columns; i++) {
		if (!json_object_is_type(values[i], json_type_object))
			continue;
		json_object_object_foreach (values[i], key, value) {
			(void)value;
			if (!is_key_seen(values, i, key))
				add_key(sheet, name, values, key, depth);
		}
	}
}

static void add_variant_row(struct sheet *sheet, const char *name,
			    const char *(*get)(const struct variant_info *))
{
	struct json_object *values[COLUMNS_MAX] = {0};

	for (size_t i = 0; i < sheet->n_columns; i++) {
		const struct results *results = sheet->page->results;
		const char *text = get(&results->variants[sheet->columns[i].boot->variant]);

		values[i] = text ? json_object_new_string(text) : NULL;
	}
	add_row(sheet, name, values);
	for (size_t i = 0; i < sheet->n_columns; i++)
		json_object_put(values[i]);
}

static const char *get_arguments(const struct variant_info *variant)
{
	return variant->arguments;
}

static const char *get_image(const struct variant_info *variant)
{
	return variant->image_sha256 ? variant->image_sha256 : "the running kernel";
}

static void add_all_rows(struct sheet *sheet)
{
	struct json_object *environments[COLUMNS_MAX];

	for (size_t i = 0; i < sheet->n_columns; i++)
		environments[i] = boot_environment(sheet->columns[i].boot);
	sheet->rows = 0;
	add_variant_row(sheet, "arguments", get_arguments);
	add_variant_row(sheet, "image SHA-256", get_image);
	add_rows(sheet, "", environments, 0);
}

/* The columns' heads: each leads to the boot that stands for its variant. */
static void open_sheet(struct sheet *sheet, const char *label)
{
	struct page *page = sheet->page;

	buffer_format(page->out,
		      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">"
		      "<table class=\"sheet\"><thead><tr><th scope=\"col\">what</th>",
		      label);
	for (size_t i = 0; i < (sheet->wants_differences ? sheet->n_columns : 1); i++) {
		if (!sheet->wants_differences) {
			page_element(page, "th scope=\"col\"", "all of them");
			continue;
		}
		buffer_add(page->out, "<th scope=\"col\">");
		buffer_add_html(page->out, sheet->columns[i].label);
		buffer_add(page->out, " <span class=\"json\">");
		page_boot_link(page, (size_t)(sheet->columns[i].boot - page->results->boots), NULL);
		buffer_add(page->out, "</span></th>");
	}
	buffer_add(page->out, "</tr></thead><tbody>\n");
}

static void add_differences(struct sheet *sheet)
{
	struct page *page = sheet->page;

	sheet->wants_differences = true;
	buffer_add(page->out, "<h3>What differs</h3>\n<p class=\"soft\">Between one boot of each; "
			      "what the others do not have is <mark>marked</mark>.</p>\n");
	open_sheet(sheet, "What differs between the variants");
	add_all_rows(sheet);
	page_close_table(page);
	if (!sheet->rows)
		buffer_add(page->out, "<p>Nothing.</p>\n");
	if (sheet->left_out)
		buffer_format(page->out,
			      "<p class=\"soft\">The first %d are shown; %zu more are in their "
			      "boots&rsquo; JSON.</p>\n",
			      COLUMNS_MAX, sheet->left_out);
}

static void add_rest(struct sheet *sheet)
{
	struct page *page = sheet->page;

	sheet->wants_differences = false;
	buffer_add(page->out, "<details><summary>What is the same in all of them</summary>\n");
	open_sheet(sheet, "What is the same in all variants");
	add_all_rows(sheet);
	page_close_table(page);
	buffer_add(page->out, "</details>\n");
}

static void add_facts(struct page *page)
{
	page_open_table(page, "What was measured", (const char *[]){NULL});
	for (size_t i = 0; i < page->analysis->n_facts; i++) {
		buffer_add(page->out, "<tr>");
		page_row_head(page, page->analysis->facts[i].name);
		page_element(page, "td class=\"wide\"", page->analysis->facts[i].text);
		buffer_add(page->out, "</tr>\n");
	}
	page_close_table(page);
}

/* The boot that stands for a variant on a machine: one that ended well if there is one. */
static const struct boot *find_example(const struct page *page, size_t machine, size_t variant)
{
	const struct boot *any = NULL;

	for (size_t i = 0; i < page->results->n_boots; i++) {
		const struct boot *boot = &page->results->boots[i];

		if (boot->machine != machine || boot->variant != variant)
			continue;
		if (boot->end == BOOT_END_OK)
			return boot;
		any = any ? any : boot;
	}
	return any;
}

static void choose_columns(struct sheet *sheet)
{
	struct page *page = sheet->page;
	const struct results *results = page->results;

	for (size_t machine = 0; machine < results->n_machines; machine++)
		for (size_t variant = 0; variant < results->n_variants; variant++) {
			const struct boot *boot = find_example(page, machine, variant);
			const char *label = page_label(page, variant);

			if (!boot || sheet->left_out || sheet->n_columns == COLUMNS_MAX) {
				sheet->left_out += boot != NULL;
				continue;
			}
			if (results->n_machines > 1)
				label = arena_format(&page->arena, "%s on %s", label,
						     results->machines[machine].name);
			page->out->failed |= !label;
			sheet->columns[sheet->n_columns++] =
				(struct column){label ? label : "", boot};
		}
}

void page_environment(struct page *page)
{
	struct sheet sheet = {.page = page};

	choose_columns(&sheet);
	buffer_add(page->out, "<h2 id=\"environment\">Machine and kernel</h2>\n");
	add_facts(page);
	if (sheet.n_columns > 1)
		add_differences(&sheet);
	if (sheet.n_columns)
		add_rest(&sheet);
}
