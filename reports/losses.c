// SPDX-License-Identifier: GPL-2.0-only
#include "reports/losses.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reports/buffer.h"

#define NAMED_MAX 3 /* the summary has them all */

struct pile {
	size_t *entries; /* indices into analysis->unmeasured */
	size_t count;
};

struct sorting {
	struct arena *arena;
	const struct analysis *analysis;
	struct pile *items;
	size_t count;
	/* Boots by section and metric, a section's as a whole behind its metrics. */
	size_t *boots, *first_of;
	size_t n_boots;
};

static size_t skip_number(const char *text)
{
	return strspn(text, "0123456789.,");
}

/* The same words; a number may be any other. */
static bool is_same_reason(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			a += skip_number(a);
			b += skip_number(b);
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return *a == *b;
}

static const char *workload_of(const struct analysis *analysis, const struct unmeasured *what)
{
	return what->section == SIZE_MAX ? NULL
					 : analysis->results->sections[what->section].workload;
}

static bool is_alike(const struct analysis *analysis, const struct unmeasured *a,
		     const struct unmeasured *b)
{
	const char *workload_a = workload_of(analysis, a), *workload_b = workload_of(analysis, b);

	return a->variant == b->variant && !strcmp(a->outcome, b->outcome) &&
	       (a->metric == SIZE_MAX) == (b->metric == SIZE_MAX) && !workload_a == !workload_b &&
	       (!workload_a || !strcmp(workload_a, workload_b)) &&
	       is_same_reason(a->reason, b->reason);
}

static int add_entry(struct sorting *sorting, size_t index)
{
	const struct unmeasured *list = sorting->analysis->unmeasured;
	struct pile *pile = NULL;
	size_t *added;

	for (size_t i = 0; i < sorting->count && !pile; i++)
		if (is_alike(sorting->analysis, &list[sorting->items[i].entries[0]], &list[index]))
			pile = &sorting->items[i];
	if (!pile)
		pile = arena_append(sorting->arena, &sorting->items, &sorting->count,
				    sizeof(*pile));
	added = pile ? arena_append(sorting->arena, &pile->entries, &pile->count, sizeof(*added))
		     : NULL;
	if (!added)
		return -ENOMEM;
	*added = index;
	return 0;
}

/* One name of a list that names at most NAMED_MAX: "a, b, c and 2 more" with add_rest. */
static void add_name(struct buffer *out, const char *name, size_t *named)
{
	if (*named < NAMED_MAX)
		buffer_format(out, "%s%s", *named ? ", " : "", name);
	++*named;
}

static void add_rest(struct buffer *out, size_t named)
{
	if (named > NAMED_MAX)
		buffer_format(out, " and %zu more", named - NAMED_MAX);
}

static const char *take_text(struct sorting *sorting, struct buffer *text)
{
	const char *kept =
		text->failed ? NULL : arena_text(sorting->arena, text->text ? text->text : "");

	buffer_release(text);
	return kept;
}

static bool has_section(const struct sorting *sorting, const struct pile *pile, size_t section)
{
	for (size_t i = 0; i < pile->count; i++)
		if (sorting->analysis->unmeasured[pile->entries[i]].section == section)
			return true;
	return false;
}

/* "mutex-inversion in all 4 placements"; a single section by its id. */
static const char *say_where(struct sorting *sorting, const struct pile *pile)
{
	const struct results *results = sorting->analysis->results;
	const struct unmeasured *first = &sorting->analysis->unmeasured[pile->entries[0]];
	const char *workload = results->sections[first->section].workload;
	size_t named = 0, of_workload = 0;
	bool has_parameters = false;
	struct buffer names = {0}, text = {0};

	for (size_t i = 0; i < results->n_sections; i++) {
		const struct section_info *section = &results->sections[i];

		if (strcmp(section->workload, workload))
			continue;
		of_workload++;
		has_parameters |=
			strcmp(section->params, results->sections[first->section].params) != 0;
		if (has_section(sorting, pile, i))
			add_name(&names, section->placement, &named);
	}
	add_rest(&names, named);
	if (named == 1)
		buffer_add(&text, results->sections[first->section].id);
	else if (named == of_workload || has_parameters)
		buffer_format(&text, "%s in %s%zu %s", workload, named == of_workload ? "all " : "",
			      named, has_parameters ? "sections" : "placements");
	else
		buffer_format(&text, "%s in %s", workload, names.text ? names.text : "");
	text.failed |= names.failed;
	buffer_release(&names);
	return take_text(sorting, &text);
}

static const char *name_of(const struct sorting *sorting, const struct pile *pile, size_t index)
{
	const struct unmeasured *what = &sorting->analysis->unmeasured[pile->entries[index]];

	return sorting->analysis->results->sections[what->section].metrics[what->metric].name;
}

/* Every name once, in their order. */
static const char *say_what(struct sorting *sorting, const struct pile *pile)
{
	const char **names = arena_alloc(sorting->arena, pile->count * sizeof(*names));
	struct buffer text = {0};
	size_t named = 0;

	for (size_t i = 0; names && i < pile->count; i++) {
		const char *name = name_of(sorting, pile, i);
		bool is_new = true;

		for (size_t j = 0; j < named && is_new; j++)
			is_new = strcmp(names[j], name) != 0;
		if (!is_new)
			continue;
		names[named] = name;
		add_name(&text, name, &named);
	}
	add_rest(&text, named);
	text.failed |= !names;
	return take_text(sorting, &text);
}

static int lay_out_boots(struct sorting *sorting)
{
	const struct results *results = sorting->analysis->results;

	sorting->first_of =
		arena_alloc(sorting->arena, (results->n_sections + 1) * sizeof(*sorting->first_of));
	for (size_t i = 0; sorting->first_of && i < results->n_sections; i++)
		sorting->first_of[i + 1] =
			sorting->first_of[i] + results->sections[i].n_metrics + 1;
	if (sorting->first_of)
		sorting->n_boots = sorting->first_of[results->n_sections] + 1;
	sorting->boots =
		arena_alloc(sorting->arena, (sorting->n_boots + 1) * sizeof(*sorting->boots));
	return sorting->first_of && sorting->boots ? 0 : -ENOMEM;
}

/* Where the boots of what that entry is about are counted. */
static size_t *boots_of(const struct sorting *sorting, const struct unmeasured *what)
{
	const struct results *results = sorting->analysis->results;

	if (what->section == SIZE_MAX)
		return &sorting->boots[sorting->n_boots - 1];
	return &sorting->boots[sorting->first_of[what->section] +
			       (what->metric == SIZE_MAX
					? results->sections[what->section].n_metrics
					: what->metric)];
}

static void count_boots(const struct sorting *sorting, const struct pile *pile, struct loss *loss)
{
	const struct unmeasured *list = sorting->analysis->unmeasured;

	for (size_t i = 0; i < pile->count; i++)
		*boots_of(sorting, &list[pile->entries[i]]) = 0;
	for (size_t i = 0; i < pile->count; i++)
		*boots_of(sorting, &list[pile->entries[i]]) += list[pile->entries[i]].boots;
	loss->boots_least = SIZE_MAX;
	for (size_t i = 0; i < pile->count; i++) {
		size_t boots = *boots_of(sorting, &list[pile->entries[i]]);

		loss->boots_least = boots < loss->boots_least ? boots : loss->boots_least;
		loss->boots_most = boots > loss->boots_most ? boots : loss->boots_most;
	}
}

static int describe(struct sorting *sorting, const struct pile *pile, struct loss *loss)
{
	const struct unmeasured *list = sorting->analysis->unmeasured;
	const struct unmeasured *most = &list[pile->entries[0]];

	for (size_t i = 1; i < pile->count; i++) {
		const struct unmeasured *one = &list[pile->entries[i]];

		loss->has_other_numbers |= one->reason && strcmp(one->reason, most->reason) != 0;
		if (one->boots > most->boots)
			most = one;
	}
	loss->variant = most->variant;
	loss->outcome = most->outcome;
	loss->reason = most->reason;
	count_boots(sorting, pile, loss);
	if (most->section != SIZE_MAX) {
		loss->where = say_where(sorting, pile);
		if (!loss->where)
			return -ENOMEM;
	}
	if (most->metric != SIZE_MAX) {
		loss->what = say_what(sorting, pile);
		if (!loss->what)
			return -ENOMEM;
	}
	return 0;
}

int losses_find(struct arena *arena, const struct analysis *analysis, struct loss **losses,
		size_t *count)
{
	struct sorting sorting = {.arena = arena, .analysis = analysis};
	int err = lay_out_boots(&sorting);

	*losses = NULL;
	*count = 0;
	for (size_t i = 0; i < analysis->n_unmeasured && !err; i++)
		err = add_entry(&sorting, i);
	for (size_t i = 0; i < sorting.count && !err; i++) {
		struct loss *loss = arena_append(arena, losses, count, sizeof(*loss));

		err = loss ? describe(&sorting, &sorting.items[i], loss) : -ENOMEM;
	}
	return err;
}

void loss_boots(char *out, size_t size, const struct loss *loss)
{
	if (loss->boots_least < loss->boots_most)
		snprintf(out, size, "%zu to %zu", loss->boots_least, loss->boots_most);
	else
		snprintf(out, size, "%zu", loss->boots_most);
}

const char *loss_note(const struct loss *loss)
{
	return loss->has_other_numbers ? " (or the same with other numbers)" : "";
}
