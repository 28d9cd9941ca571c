// SPDX-License-Identifier: GPL-2.0-only
#include "reports/sentences.h"

#include <errno.h>
#include <string.h>

static int add_sentence(struct analysis *analysis, const char ***list, size_t *count,
			struct buffer *text)
{
	const char **added = NULL;

	if (!text->failed)
		added = arena_append(&analysis->arena, list, count, sizeof(*added));
	if (added)
		*added = arena_text(&analysis->arena, text->text ? text->text : "");
	buffer_release(text);
	return added && *added ? 0 : -ENOMEM;
}

int add_headline(struct analysis *analysis, struct buffer *text)
{
	return add_sentence(analysis, &analysis->headline, &analysis->n_headline, text);
}

int add_warning(struct analysis *analysis, struct buffer *text)
{
	return add_sentence(analysis, &analysis->warnings, &analysis->n_warnings, text);
}

const char *label_of(const struct analysis *analysis, size_t variant)
{
	return analysis->results->variants[variant].label;
}

const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

const struct metric_info *metric_of(const struct analysis *analysis,
				    const struct comparison *comparison)
{
	return &analysis->results->sections[comparison->section].metrics[comparison->metric];
}

size_t variants_measured(const struct analysis *analysis)
{
	size_t count = 0;

	for (size_t i = 0; i < analysis->results->n_variants; i++)
		count += analysis->variants[i].ok > 0;
	return count;
}

bool is_same_comparison(const struct comparison *a, const struct comparison *b)
{
	return a->section == b->section && a->metric == b->metric && a->statistic == b->statistic &&
	       a->variant == b->variant;
}

bool machines_disagree(const struct analysis *analysis, const struct comparison *combined)
{
	bool is_better = false, is_worse = false;

	/* As many tests of agreement as there are primary comparisons: Bonferroni. */
	if (combined->family != FAMILY_PRIMARY)
		return false;
	if (combined->heterogeneity.p * (double)analysis->tests[FAMILY_PRIMARY] <= analysis->alpha)
		return true;
	for (size_t i = 0; i < analysis->n_by_machine; i++) {
		const struct comparison *one = &analysis->by_machine[i];

		is_better |= is_same_comparison(one, combined) && one->verdict == VERDICT_BETTER;
		is_worse |= is_same_comparison(one, combined) && one->verdict == VERDICT_WORSE;
	}
	return is_better && is_worse;
}

bool has_several_workloads(const struct results *results)
{
	for (size_t i = 1; i < results->n_sections; i++)
		if (strcmp(results->sections[i].workload, results->sections[0].workload))
			return true;
	return false;
}

/* Whether one of the words of @params is the @length bytes at @word. */
static bool has_word(const char *params, const char *word, size_t length)
{
	for (; *params; params += strspn(params, " ")) {
		size_t own = strcspn(params, " ");

		if (own == length && !strncmp(params, word, length))
			return true;
		params += own;
	}
	return false;
}

static bool all_have_word(const struct results *results, const struct section_info *section,
			  const char *word, size_t length)
{
	for (size_t i = 0; i < results->n_sections; i++)
		if (!strcmp(results->sections[i].workload, section->workload) &&
		    !has_word(results->sections[i].params, word, length))
			return false;
	return true;
}

const char *section_place(struct arena *arena, const struct results *results, size_t index)
{
	const struct section_info *section = &results->sections[index];
	const char *word = section->params, *kept;
	struct buffer text = {0};

	buffer_add(&text, section->placement);
	while (*word) {
		size_t length = strcspn(word, " ");

		if (!all_have_word(results, section, word, length))
			buffer_format(&text, " %.*s", (int)length, word);
		word += length;
		word += strspn(word, " ");
	}
	kept = text.failed ? NULL : arena_text(arena, text.text);
	buffer_release(&text);
	return kept ? kept : section->placement;
}

const char *section_name(struct arena *arena, const struct results *results, size_t index)
{
	const char *place = section_place(arena, results, index), *name = NULL;

	if (has_several_workloads(results))
		name = arena_format(arena, "%s %s", results->sections[index].workload, place);
	return name ? name : place;
}
