// SPDX-License-Identifier: GPL-2.0-only
/* What can be said of results only when all boots are known. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/loading.h"
#include "reports/machine.h"

static int compare_boots(const void *a, const void *b)
{
	const struct boot *one = a, *two = b;

	if (one->campaign != two->campaign)
		return one->campaign < two->campaign ? -1 : 1;
	if (one->index != two->index)
		return one->index < two->index ? -1 : 1;
	return one->variant < two->variant ? -1 : one->variant > two->variant;
}

/* Sorts the boots and refuses the same boot named twice, which would count twice. */
static int settle_boots(struct results *results)
{
	if (results->n_boots > 1)
		qsort(results->boots, results->n_boots, sizeof(struct boot), compare_boots);
	for (size_t i = 1; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];

		if (compare_boots(boot - 1, boot))
			continue;
		snprintf(
			results->error, sizeof(results->error),
			"%.200s and %.200s are both boot %llu of campaign %.60s (two runs are compared "
			"with --exact)",
			boot[-1].path, boot->path, (unsigned long long)boot->index,
			results->campaigns[boot->campaign].id);
		return -EINVAL;
	}
	return 0;
}

/* Whether both boots ran the same sections with the same parameters. */
static bool has_same_sections(const struct boot *one, const struct boot *two)
{
	size_t count = one->n_sections > two->n_sections ? one->n_sections : two->n_sections;

	for (size_t i = 0; i < count; i++) {
		const struct section_result *a = boot_section(one, i), *b = boot_section(two, i);

		if (!a != !b || (a && strcmp(a->params, b->params)))
			return false;
	}
	return true;
}

/*
 * In virtual time the same kernel, seed and sections give the same figures: such a boot
 * repeats what another one said, and to count it would make certainty out of copies.
 */
static bool is_replay(const struct boot *one, const struct boot *two)
{
	return one->variant == two->variant && one->seed == two->seed &&
	       one->attempt == two->attempt && one->end == two->end &&
	       one->machine == two->machine && has_same_sections(one, two);
}

/* Whether one of the boots that are kept is repeated; they are chained by what is compared first.
 */
static bool is_known_replay(const struct results *results, const struct boot *boot, size_t last,
			    const size_t *previous)
{
	for (; last; last = previous[last - 1])
		if (is_replay(&results->boots[last - 1], boot))
			return true;
	return false;
}

static int leave_out_replays(struct results *results)
{
	struct text_table table = {.arena = &results->arena};
	size_t *previous = arena_alloc(&results->arena, (results->n_boots + 1) * sizeof(*previous));
	size_t kept = 0;

	if (!previous)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_boots; i++) {
		struct boot boot = results->boots[i];
		const uint64_t key[] = {boot.variant, boot.seed, boot.attempt, boot.machine};
		struct text_entry *entry = text_table_get(&table, (const char *)key, sizeof(key));

		if (!entry) {
			text_table_release(&table);
			return -ENOMEM;
		}
		if (is_known_replay(results, &boot, entry->number, previous)) {
			results->n_replays++;
			continue;
		}
		results->boots[kept] = boot;
		previous[kept] = entry->number;
		entry->number = ++kept;
	}
	results->n_boots = kept;
	text_table_release(&table);
	return 0;
}

static int placement_rank(const char *kind)
{
	static const char *const kinds[] = {"same-cpu", "smt-sibling", "same-llc", "same-node",
					    "cross-node"};
	int rank = 0;

	while (rank < 5 && strcmp(kinds[rank], kind))
		rank++;
	return rank;
}

static int compare_sections(const void *a, const void *b, void *context)
{
	const struct section_info *sections = context;
	const struct section_info *one = &sections[*(const size_t *)a];
	const struct section_info *two = &sections[*(const size_t *)b];
	int order = strcmp(one->workload, two->workload);

	/* By number where there is one: a sweep over a depth is read from 1 to 64. */
	if (!order)
		order = strverscmp(one->params, two->params);
	if (!order)
		order = placement_rank(one->placement_kind) - placement_rank(two->placement_kind);
	if (!order)
		order = strverscmp(one->placement, two->placement);
	return order ? order : strcmp(one->id, two->id);
}

/* Each boot ran its sections in an order of its own; people want them nearest placement first. */
static int sort_sections(struct results *results, size_t *place)
{
	size_t count = results->n_sections;
	size_t *order = arena_alloc(&results->arena, (count + 1) * sizeof(*order));
	struct section_info *sorted = arena_alloc(&results->arena, (count + 1) * sizeof(*sorted));

	if (!order || !sorted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	if (count > 1)
		qsort_r(order, count, sizeof(*order), compare_sections, results->sections);
	for (size_t i = 0; i < count; i++) {
		sorted[i] = results->sections[order[i]];
		place[order[i]] = i;
	}
	results->sections = sorted;
	return 0;
}

static bool has_word(const char *text, const char *word, size_t size_bytes)
{
	for (; *text; text += *text == ' ') {
		size_t length = strcspn(text, " ");

		if (length == size_bytes && !strncmp(text, word, length))
			return true;
		text += length;
	}
	return false;
}

/* Whether every section of that id has the parameter. */
static bool is_shared_word(const struct results *results, const char *id, const char *word,
			   size_t size_bytes)
{
	for (size_t i = 0; i < results->n_sections; i++)
		if (!strcmp(results->sections[i].id, id) &&
		    !has_word(results->sections[i].params, word, size_bytes))
			return false;
	return true;
}

/* "mutex-inversion/same-cpu/donor=fifo" and what it has that others of that id do not. */
static const char *complete_id(struct results *results, const struct section_info *section)
{
	const char *slash = strchr(section->id, '/'), *word = section->params, *kept;
	struct buffer id = {0};
	char separator = slash && strchr(slash + 1, '/') ? ',' : '/';

	buffer_add(&id, section->id);
	while (*word) {
		size_t length = strcspn(word, " ");

		if (length && !is_shared_word(results, section->id, word, length)) {
			buffer_format(&id, "%c%.*s", separator, (int)length, word);
			separator = ',';
		}
		word += length + (word[length] == ' ');
	}
	kept = id.failed ? NULL : arena_format(&results->arena, "%s", id.text);
	buffer_release(&id);
	return kept;
}

/* Sections with the same id but other parameters get ids of their own. */
static int tell_sections_apart(struct results *results)
{
	struct text_table names = {.arena = &results->arena};
	const char **ids = arena_alloc(&results->arena, (results->n_sections + 1) * sizeof(*ids));
	int err = ids ? 0 : -ENOMEM;

	for (size_t i = 0; i < results->n_sections && !err; i++) {
		const char *id = results->sections[i].id;
		struct text_entry *entry = text_table_get(&names, id, strlen(id));

		if (!entry)
			err = -ENOMEM;
		else if (entry->number++)
			results->n_divided += entry->number == 2 ? 2 : 1;
	}
	for (size_t i = 0; i < results->n_sections && !err; i++) {
		const char *id = results->sections[i].id;
		const struct text_entry *entry = text_table_get(&names, id, strlen(id));

		ids[i] = entry && entry->number > 1 ? complete_id(results, &results->sections[i])
						    : id;
		if (!ids[i])
			err = -ENOMEM;
	}
	for (size_t i = 0; i < results->n_sections && !err; i++)
		results->sections[i].id = ids[i];
	text_table_release(&names);
	return err;
}

/* Before the boots are sorted: they are as they were merged, one for each document. */
static int settle_sections(struct loading *loading)
{
	struct results *results = loading->results;
	const struct job *job = loading->jobs;
	size_t count = results->n_sections;
	size_t *place = arena_alloc(&results->arena, (count + 1) * sizeof(*place));
	int err = place ? sort_sections(results, place) : -ENOMEM;

	if (!err)
		err = tell_sections_apart(results);
	for (size_t i = 0; i < results->n_boots && !err; i++) {
		struct boot *boot = &results->boots[i];
		const struct boot_document *document;

		while (job->directory)
			job++;
		document = &job++->boot;
		boot->sections =
			arena_alloc(&results->arena, (count + 1) * sizeof(*boot->sections));
		boot->n_sections = count;
		if (!boot->sections)
			err = -ENOMEM;
		for (size_t j = 0; j < document->n_sections && !err; j++)
			boot->sections[place[document->sections[j].index]] =
				document->sections[j].result;
	}
	return err;
}

/* What the variants' labels have in common, in the tables' numbers. */
struct label_counts {
	struct text_table plain;    /* variants with that label */
	struct text_table released; /* variants with that "label@release" */
	struct text_table doubtful; /* labels that the release does not tell apart: 1 */
};

static int count_label(struct arena *arena, struct label_counts *counts,
		       const struct variant_info *variant)
{
	const char *label = variant->plain_label;
	const char *name =
		arena_format(arena, "%s@%s", label, variant->release ? variant->release : "");
	struct text_entry *plain = text_table_get(&counts->plain, label, strlen(label));
	struct text_entry *doubtful = text_table_get(&counts->doubtful, label, strlen(label));
	struct text_entry *released =
		name ? text_table_get(&counts->released, name, strlen(name)) : NULL;

	if (!plain || !doubtful || !released)
		return -ENOMEM;
	plain->number++;
	if (released->number++ || !variant->release)
		doubtful->number = 1;
	return 0;
}

static const char *first_campaign(const struct results *results, size_t variant)
{
	for (size_t i = 0; i < results->n_boots; i++)
		if (results->boots[i].variant == variant)
			return results->campaigns[results->boots[i].campaign].id;
	return "";
}

/* @label, or the first of "@label#2", "@label#3" … that no other variant has. */
static const char *claim_label(struct arena *arena, struct text_table *taken, const char *label)
{
	struct text_entry *base = text_table_get(taken, label, strlen(label)), *entry = base;

	while (entry && entry->number) {
		label = arena_format(arena, "%s#%zu", base->text, ++base->number);
		entry = label ? text_table_get(taken, label, strlen(label)) : NULL;
	}
	if (!entry)
		return NULL;
	entry->number = 1;
	return entry->text;
}

/* Things that share a label are told apart by their kernel, their campaign, a number. */
static int name_variant(struct results *results, struct label_counts *counts,
			struct text_table *taken, size_t index)
{
	struct variant_info *variant = &results->variants[index];
	const char *label = variant->plain_label;
	size_t length = strlen(label);

	if (text_table_get(&counts->plain, label, length)->number > 1)
		label = arena_format(&results->arena, "%s@%s", label,
				     text_table_get(&counts->doubtful, label, length)->number
					     ? first_campaign(results, index)
					     : variant->release);
	variant->label = label ? claim_label(&results->arena, taken, label) : NULL;
	return variant->label ? 0 : -ENOMEM;
}

static int settle_labels(struct results *results)
{
	struct text_table taken = {.arena = &results->arena};
	struct label_counts counts = {.plain = taken, .released = taken, .doubtful = taken};
	int err = 0;

	for (size_t i = 0; i < results->n_variants && !err; i++)
		err = count_label(&results->arena, &counts, &results->variants[i]);
	for (size_t i = 0; i < results->n_variants && !err; i++)
		err = name_variant(results, &counts, &taken, i);
	text_table_release(&counts.plain);
	text_table_release(&counts.released);
	text_table_release(&counts.doubtful);
	text_table_release(&taken);
	return err;
}

int loading_settle(struct loading *loading)
{
	struct results *results = loading->results;
	int err = settle_sections(loading);

	if (err)
		return loading_no_memory(loading);
	err = settle_boots(results);
	if (err)
		return err;
	err = machines_settle(results);
	if (!err)
		err = settle_labels(results);
	if (!err && !strcmp(results->time ? results->time : "", "virtual"))
		err = leave_out_replays(results);
	return err ? loading_no_memory(loading) : 0;
}
