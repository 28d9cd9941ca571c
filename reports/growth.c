// SPDX-License-Identifier: GPL-2.0-only
#include "reports/growth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"
#include "reports/sentences.h"

/* "NAME=VALUE" in a section's parameters, which blanks separate. */
struct word {
	const char *text;
	size_t size_bytes, name_bytes;
};

static struct word word_at(const char *text)
{
	struct word word = {.text = text, .size_bytes = strcspn(text, " ")};
	const char *equals = memchr(text, '=', word.size_bytes);

	word.name_bytes = equals ? (size_t)(equals - text) : word.size_bytes;
	return word;
}

static const char *next_word(const struct word *word)
{
	const char *end = word->text + word->size_bytes;

	return *end ? end + 1 : end;
}

/* The number behind the name; false when it is none. */
static bool number_of(const struct word *word, double *out)
{
	const char *from = word->text + word->name_bytes;
	char *end;

	if (*from != '=' || from[1] < '0' || from[1] > '9')
		return false;
	*out = strtod(from + 1, &end);
	return end == word->text + word->size_bytes;
}

static bool is_same_name(const struct word *one, const struct word *two)
{
	return one->name_bytes == two->name_bytes && !memcmp(one->text, two->text, one->name_bytes);
}

/* Whether @params are the other's but for the number behind @swept's name: *out is that. */
static bool differ_in(const char *params, const char *others, const struct word *swept, double *out)
{
	bool is_found = false;

	while (*params && *others) {
		struct word one = word_at(params), two = word_at(others);

		if (!is_same_name(&one, &two))
			return false;
		if (is_same_name(&one, swept))
			is_found = number_of(&two, out);
		else if (one.size_bytes != two.size_bytes ||
			 memcmp(one.text, two.text, one.size_bytes) != 0)
			return false;
		params = next_word(&one);
		others = next_word(&two);
	}
	return is_found && !*params && !*others;
}

static bool is_same_figure(const struct analysis *analysis, const struct comparison *one,
			   const struct comparison *two)
{
	const struct section_info *a = &analysis->results->sections[one->section];
	const struct section_info *b = &analysis->results->sections[two->section];

	return two->family == FAMILY_PRIMARY && one->variant == two->variant &&
	       one->statistic == two->statistic && !strcmp(a->workload, b->workload) &&
	       !strcmp(a->placement, b->placement) &&
	       !strcmp(metric_of(analysis, one)->name, metric_of(analysis, two)->name);
}

static int compare_points(const void *a, const void *b)
{
	const struct growth_point *one = a, *two = b;

	return (one->value > two->value) - (one->value < two->value);
}

/* The curve over @swept's parameter that begins with comparison @first; false: none does. */
static bool collect(const struct analysis *analysis, size_t first, const struct word *swept,
		    struct growth_point *points, size_t *n_points)
{
	const struct comparison *comparisons = analysis->comparisons;
	const struct section_info *sections = analysis->results->sections;

	*n_points = 0;
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		double value;

		if (!is_same_figure(analysis, &comparisons[first], &comparisons[i]) ||
		    !differ_in(sections[comparisons[first].section].params,
			       sections[comparisons[i].section].params, swept, &value))
			continue;
		if (i < first)
			return false; /* that one began it */
		points[(*n_points)++] =
			(struct growth_point){.value = value, .comparison = &comparisons[i]};
	}
	return *n_points >= GROWTH_LEAST_POINTS;
}

static int add_curve(struct arena *arena, const struct word *swept,
		     const struct growth_point *points, size_t n_points, struct growth **growths,
		     size_t *count)
{
	struct growth *growth = arena_append(arena, growths, count, sizeof(*growth));

	if (!growth)
		return -ENOMEM;
	*growth = (struct growth){
		.parameter = arena_format(arena, "%.*s", (int)swept->name_bytes, swept->text),
		.points = arena_alloc(arena, n_points * sizeof(*points)),
		.n_points = n_points,
	};
	if (!growth->parameter || !growth->points)
		return -ENOMEM;
	memcpy(growth->points, points, n_points * sizeof(*points));
	qsort(growth->points, n_points, sizeof(*points), compare_points);
	return 0;
}

int growths_find(struct arena *arena, const struct analysis *analysis, struct growth **growths,
		 size_t *count)
{
	struct growth_point *points = calloc(analysis->n_comparisons + 1, sizeof(*points));
	int err = points ? 0 : -ENOMEM;

	*growths = NULL;
	*count = 0;
	for (size_t i = 0; i < analysis->n_comparisons && !err; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		const char *params = analysis->results->sections[comparison->section].params;

		if (comparison->family != FAMILY_PRIMARY)
			continue;
		while (*params && !err) {
			struct word word = word_at(params);
			size_t n_points;
			double number;

			if (number_of(&word, &number) &&
			    collect(analysis, i, &word, points, &n_points))
				err = add_curve(arena, &word, points, n_points, growths, count);
			params = next_word(&word);
		}
	}
	free(points);
	return err;
}

const char *growth_title(struct arena *arena, const struct analysis *analysis,
			 const struct growth *growth)
{
	const struct comparison *first = growth->points[0].comparison;
	const struct section_info *section = &analysis->results->sections[first->section];
	char shown[FORMATTED_MAX];

	return arena_format(arena, "%s over %s: %s, %s%s",
			    format_metric(shown, metric_of(analysis, first), first->statistic),
			    growth->parameter, section->workload, section->placement,
			    first->statistic == STATISTIC_P50 ? " (median)" : "");
}
