// SPDX-License-Identifier: GPL-2.0-only
#include "reports/proof_page.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/clock.h"
#include "reports/format.h"

/* ---- looking things up ----------------------------------------------------------------------- */

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *text_of(struct json_object *object, const char *key)
{
	const char *text = json_object_get_string(member(object, key));

	return text ? text : "";
}

static uint64_t number_of(struct json_object *object, const char *key)
{
	return json_object_get_uint64(member(object, key));
}

static double seconds_of(struct json_object *object, const char *key)
{
	return (double)number_of(object, key) / (double)NS_PER_S;
}

static size_t length_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static bool is_kind(struct json_object *step, const char *kind)
{
	return !strcmp(text_of(step, "kind"), kind);
}

/* The step that the row's table line is of: the one that has its verdict, else the last. */
static struct json_object *telling_step(struct json_object *row)
{
	struct json_object *steps = member(row, "steps"), *step = NULL;

	for (size_t i = 0; i < length_of(steps); i++) {
		step = json_object_array_get_idx(steps, i);
		if (!strcmp(text_of(step, "verdict"), text_of(row, "verdict")))
			break;
	}
	return step;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* "24.1 ms", of several that differ "24.1 ms (23.8 ms to 25.0 ms)"; of an even number the lower
 * median. */
static void add_values(struct buffer *out, struct json_object *list, const char *unit)
{
	double *values = calloc(length_of(list) + 1, sizeof(*values));
	char middle[FORMATTED_MAX], low[FORMATTED_MAX], high[FORMATTED_MAX];
	size_t count = 0;

	for (size_t i = 0; values && i < length_of(list); i++)
		if (json_object_array_get_idx(list, i))
			values[count++] =
				json_object_get_double(json_object_array_get_idx(list, i));
	if (count) {
		qsort(values, count, sizeof(*values), by_value);
		format_value(middle, values[(count - 1) / 2], unit);
		format_value(low, values[0], unit);
		format_value(high, values[count - 1], unit);
		buffer_add(out, middle);
		if (strcmp(low, high) != 0)
			buffer_format(out, " (%s to %s)", low, high);
	} else {
		buffer_add(out, "-");
	}
	free(values);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* What one side has of the judged metric; of a count that must be zero also of the next metric. */
static void add_side(struct buffer *out, struct json_object *step, const char *side)
{
	struct json_object *figures = member(step, "figures");
	struct json_object *figure = json_object_array_get_idx(figures, 0);

	add_values(out, member(figure, side), text_of(figure, "unit"));
	if (!member(step, "ratio") && length_of(figures) > 1) {
		figure = json_object_array_get_idx(figures, 1);
		buffer_format(out, "; `%s` ", text_of(figure, "metric"));
		add_values(out, member(figure, side), text_of(figure, "unit"));
	}
	buffer_add(out, " | ");
}

static void add_figure_cells(struct buffer *out, struct json_object *step)
{
	struct json_object *figure = json_object_array_get_idx(member(step, "figures"), 0);
	struct json_object *ratio = member(step, "ratio");
	char text[FORMATTED_MAX];

	buffer_format(out, "`%s` `%s` | ", text_of(member(step, "work"), "workload"),
		      text_of(figure, "metric"));
	add_side(out, step, "full");
	add_side(out, step, "without");
	buffer_format(out, "%s | %zu boots of each",
		      ratio ? format_ratio(text, json_object_get_double(ratio)) : "-",
		      length_of(member(step, "seeds_full")));
}

static void add_stress_cells(struct buffer *out, struct json_object *step)
{
	struct json_object *find = member(step, "find");
	/* A check says more in its own words than its place does. */
	const char *word = *text_of(step, "aid") ? "line" : "text";

	buffer_format(out, "stress of %g s, `%s` | ", seconds_of(step, "duration_ns"),
		      text_of(step, "series"));
	if (number_of(step, "seeds_full_found"))
		buffer_format(out, "%" PRIu64 " of %" PRIu64 " seeds show something | ",
			      number_of(step, "seeds_full_found"), number_of(step, "seeds_full"));
	else if (number_of(step, "seeds_full"))
		buffer_format(out, "clean | ");
	else
		buffer_add(out, "- | ");
	if (find)
		buffer_format(out, "%s at %.6f s | - | seed %" PRIu64 ", twice; %" PRIu64 " with",
			      text_of(find, word), seconds_of(find, "at_ns"),
			      number_of(find, "seed"), number_of(step, "seeds_full"));
	else
		buffer_format(out, "nothing of the kind | - | %" PRIu64 " without",
			      number_of(step, "seeds_without"));
}

static void add_line(struct buffer *out, struct json_object *row)
{
	struct json_object *step = telling_step(row);

	buffer_format(out, "| %s | %s | **%s** | ", text_of(row, "tag"), text_of(row, "claim"),
		      text_of(row, "verdict"));
	if (is_kind(step, "figure"))
		add_figure_cells(out, step);
	else if (is_kind(step, "stress"))
		add_stress_cells(out, step);
	else
		buffer_format(out, "the series | - | %s | - | -", text_of(step, "reason"));
	buffer_add(out, " |\n");
}

/* ---- the rows, one by one -------------------------------------------------------------------- */

/* "a, b and c" of a list of strings; @otherwise of an empty one. */
static void add_words(struct buffer *out, struct json_object *list, const char *otherwise)
{
	size_t count = length_of(list);

	for (size_t i = 0; i < count; i++)
		buffer_format(out, "%s%s",
			      !i	       ? ""
			      : i + 1 == count ? " and "
					       : ", ",
			      json_object_get_string(json_object_array_get_idx(list, i)));
	if (!count)
		buffer_add(out, otherwise);
}

static void add_seeds(struct buffer *out, struct json_object *step)
{
	buffer_add(out, "  Boots' seeds: ");
	add_words(out, member(step, "seeds_full"), "none");
	buffer_add(out, " with it, ");
	add_words(out, member(step, "seeds_without"), "none");
	buffer_format(out, " without; %.3g s of virtual time in all.\n",
		      seconds_of(step, "virtual_ns"));
}

static void add_figures(struct buffer *out, struct json_object *step)
{
	struct json_object *figures = member(step, "figures");

	buffer_format(out, "  `%s`, %s, guests of %s:", text_of(member(step, "work"), "workload"),
		      json_object_to_json_string_ext(member(member(step, "work"), "params"),
						     JSON_C_TO_STRING_PLAIN),
		      text_of(step, "topology"));
	for (size_t i = 0; i < length_of(figures); i++) {
		struct json_object *figure = json_object_array_get_idx(figures, i);

		buffer_format(out, "%s `%s` ", i ? ";" : "", text_of(figure, "metric"));
		add_values(out, member(figure, "full"), text_of(figure, "unit"));
		buffer_add(out, " with it and ");
		add_values(out, member(figure, "without"), text_of(figure, "unit"));
		buffer_add(out, " without");
	}
	buffer_add(out, ".\n");
	add_seeds(out, step);
}

static void add_search(struct buffer *out, struct json_object *step)
{
	struct json_object *find = member(step, "find");

	buffer_format(out, "  Seeds from %" PRIu64 " on, guests of %s, mechanisms: ",
		      number_of(step, "first_seed"), text_of(step, "topology"));
	add_words(out, member(step, "only"), "all");
	buffer_format(out, "; %.3g s of virtual time in all.\n", seconds_of(step, "virtual_ns"));
	if (find)
		buffer_format(out, "  The kernel's word: `%s`\n", text_of(find, "line"));
}

static void add_step(struct buffer *out, struct json_object *step)
{
	if (is_kind(step, "need")) {
		buffer_format(out, "- **%s**: %s.\n", text_of(step, "verdict"),
			      text_of(step, "reason"));
		return;
	}
	buffer_format(out, "- **%s**, the series ", text_of(step, "verdict"));
	if (*text_of(step, "aid"))
		buffer_format(out, "with `%s` (%s) ", text_of(step, "series"),
			      text_of(step, "aid"));
	if (length_of(member(step, "both_without"))) {
		buffer_add(out, "without ");
		add_words(out, member(step, "both_without"), "");
		buffer_add(out, " ");
	}
	buffer_add(out, "against the same without ");
	add_words(out, member(step, "without"), "it");
	buffer_format(out, ": %s.\n", text_of(step, "reason"));
	if (is_kind(step, "figure"))
		add_figures(out, step);
	else if (is_kind(step, "stress"))
		add_search(out, step);
	if (*text_of(step, "image_full"))
		buffer_format(out, "  Images %.12s and %.12s.\n", text_of(step, "image_full"),
			      text_of(step, "image_without"));
}

static void add_row(struct buffer *out, struct json_object *row)
{
	struct json_object *steps = member(row, "steps");

	buffer_format(out, "\n## %s: %s\n\n", text_of(row, "tag"), text_of(row, "verdict"));
	add_words(out, member(row, "patches"), "-");
	buffer_format(out, "\n\nWithout it %s.\n\n", text_of(row, "claim"));
	for (size_t i = 0; i < length_of(steps); i++)
		add_step(out, json_object_array_get_idx(steps, i));
	if (*text_of(row, "argument"))
		buffer_format(out, "\nBy reading: %s.\n", text_of(row, "argument"));
}

void proof_page_write(struct buffer *out, struct json_object *document)
{
	struct json_object *rows = member(document, "rows");

	buffer_format(
		out,
		"<!-- Made by scripts/proof.sh: change that, not this. -->\n"
		"# What each patch is good for\n\n"
		"The same work under the same seed on the whole series and on the series without one "
		"patch, both with proxy\nexecution on, in virtual time (QEMU %s): what one seed shows "
		"that seed shows again. [doc/proof.md](../doc/proof.md)\nhas the method and the words. "
		"Seed %" PRIu64 "%s.\n\n"
		"| patch | without it | verdict | by | the whole series | without it | factor | seeds "
		"|\n|---|---|---|---|---|---|---|---|\n",
		text_of(document, "qemu"), number_of(document, "seed"),
		json_object_get_boolean(member(document, "is_complete")) ? "" : "; not complete");
	for (size_t i = 0; i < length_of(rows); i++)
		add_line(out, json_object_array_get_idx(rows, i));
	buffer_add(out, "\nOne row again: `./run-bench run --profile proof K3`; all of this: "
			"`scripts/proof.sh`.\n");
	for (size_t i = 0; i < length_of(rows); i++)
		add_row(out, json_object_array_get_idx(rows, i));
}

/* ---- on a terminal --------------------------------------------------------------------------- */

void proof_page_summary(struct buffer *out, struct json_object *document)
{
	static const char *const words[] = {"shown", "argued", "not-shown", "not-clean", "broken"};
	size_t counts[sizeof(words) / sizeof(*words)] = {0};
	struct json_object *rows = member(document, "rows");

	for (size_t i = 0; i < length_of(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		buffer_format(out, "%-6s %-10s %s\n", text_of(row, "tag"), text_of(row, "verdict"),
			      text_of(row, "reason"));
		for (size_t word = 0; word < sizeof(words) / sizeof(*words); word++)
			counts[word] += !strcmp(text_of(row, "verdict"), words[word]);
	}
	buffer_add(out, "proof:");
	for (size_t word = 0; word < sizeof(words) / sizeof(*words); word++)
		buffer_format(out, "%s %zu %s", word ? "," : "", counts[word], words[word]);
	buffer_add(out, "\n");
}
