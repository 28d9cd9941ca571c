// SPDX-License-Identifier: GPL-2.0-only
#include "reports/groups.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/compare.h"

/* ---- what boots have in common ---------------------------------------------------- */

static bool is_in_rounds(const struct results *results, const struct boot *boot)
{
	const char *pairing = results->campaigns[boot->campaign].pairing;

	return pairing ? !strcmp(pairing, "rounds") : !strcmp(results->time, "real");
}

struct boot_key {
	uint64_t parts[3];
	size_t boot;
};

static int compare_parts(const struct boot_key *one, const struct boot_key *two)
{
	for (size_t i = 0; i < 3; i++)
		if (one->parts[i] != two->parts[i])
			return one->parts[i] < two->parts[i] ? -1 : 1;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct boot_key *one = a, *two = b;
	int order = compare_parts(one, two);

	return order ? order : (one->boot > two->boot) - (one->boot < two->boot);
}

/* Numbers equal keys alike, from 0 on. */
static void number_keys(struct boot_key *keys, size_t n, size_t *out)
{
	size_t number = 0;

	if (n)
		qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n; i++) {
		if (i && compare_parts(&keys[i - 1], &keys[i]))
			number++;
		out[keys[i].boot] = number;
	}
}

int boot_index_make(struct boot_index *index, struct arena *arena, const struct results *results)
{
	size_t n = results->n_boots, n_keys = 0;
	struct boot_key *keys = arena_alloc(arena, (n + 1) * sizeof(*keys));
	bool is_virtual = results->time && !strcmp(results->time, "virtual");

	index->results = results;
	index->rounds = arena_alloc(arena, (n + 1) * sizeof(size_t));
	index->seeds = arena_alloc(arena, (n + 1) * sizeof(size_t));
	index->slots = arena_alloc(arena, (2 * n + 1) * sizeof(size_t));
	if (!keys || !index->rounds || !index->seeds || !index->slots)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct boot *boot = &results->boots[i];

		index->rounds[i] = index->seeds[i] = NO_MATCH;
		if (is_in_rounds(results, boot))
			keys[n_keys++] =
				(struct boot_key){{boot->machine, boot->campaign, boot->round}, i};
	}
	number_keys(keys, n_keys, index->rounds);
	for (size_t i = 0; i < n && is_virtual; i++) {
		const struct boot *boot = &results->boots[i];

		keys[i] = (struct boot_key){{boot->machine, boot->seed, boot->attempt}, i};
	}
	if (is_virtual)
		number_keys(keys, n, index->seeds);
	return 0;
}

/* ---- collecting ------------------------------------------------------------------- */

/* What a boot that went well says; NaN when it says nothing. */
static double boot_value(const struct boot *boot, size_t section, size_t metric,
			 enum statistic statistic)
{
	const struct section_result *result = boot_section(boot, section);
	const struct measurement *measurement = boot_measurement(boot, section, metric);

	if (boot->end != BOOT_END_OK || !measurement || result->outcome != OUTCOME_OK ||
	    measurement->outcome != OUTCOME_OK)
		return NAN;
	return measurement->statistic[statistic];
}

static bool is_boot_of(const struct boot *boot, size_t variant, size_t machine)
{
	return boot->variant == variant && (machine == ALL_MACHINES || boot->machine == machine);
}

static int collect(struct arena *arena, const struct results *results,
		   const struct comparison *what, size_t variant, struct group *out)
{
	size_t n = 0;

	*out = (struct group){.centre = NAN};
	for (size_t i = 0; i < results->n_boots; i++)
		n += is_boot_of(&results->boots[i], variant, what->machine);
	out->values = arena_alloc(arena, (n + 1) * sizeof(double));
	out->boots = arena_alloc(arena, (n + 1) * sizeof(size_t));
	if (!out->values || !out->boots)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];
		double value;

		if (!is_boot_of(boot, variant, what->machine))
			continue;
		value = boot_value(boot, what->section, what->metric, what->statistic);
		if (isnan(value))
			continue;
		out->values[out->n_boots] = value;
		out->boots[out->n_boots++] = i;
		out->samples += boot_measurement(boot, what->section, what->metric)->samples;
	}
	return 0;
}

int group_collect(struct arena *arena, const struct results *results, size_t section, size_t metric,
		  enum statistic statistic, size_t variant, struct group *out)
{
	struct comparison what = {.section = section,
				  .metric = metric,
				  .statistic = statistic,
				  .machine = ALL_MACHINES};

	return collect(arena, results, &what, variant, out);
}

/* ---- pairs ------------------------------------------------------------------------ */

/*
 * Gives every boot of @a the first boot of @b with the same number that is still free:
 * partners[i] is its place in b, or NO_MATCH. Returns how many found one.
 */
static size_t match(const struct boot_index *index, const size_t *numbers, const struct group *a,
		    const struct group *b, size_t *partners)
{
	size_t *heads = index->slots, *nexts = index->slots + index->results->n_boots, n = 0;

	for (size_t i = 0; i < index->results->n_boots; i++)
		heads[i] = NO_MATCH;
	for (size_t i = b->n_boots; i-- > 0;) {
		size_t number = numbers[b->boots[i]];

		if (number == NO_MATCH)
			continue;
		nexts[i] = heads[number];
		heads[number] = i;
	}
	for (size_t i = 0; i < a->n_boots; i++) {
		size_t number = numbers[a->boots[i]];

		partners[i] = number == NO_MATCH ? NO_MATCH : heads[number];
		if (partners[i] == NO_MATCH)
			continue;
		heads[number] = nexts[partners[i]];
		n++;
	}
	return n;
}

/* Keeps the boots at @places, in that order, which may be no rising one. */
static int keep(struct arena *arena, struct group *group, const size_t *places, size_t n)
{
	double *values = arena_alloc(arena, (n + 1) * sizeof(*values));
	size_t *boots = arena_alloc(arena, (n + 1) * sizeof(*boots));

	if (!values || !boots)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		values[i] = group->values[places[i]];
		boots[i] = group->boots[places[i]];
	}
	group->values = values;
	group->boots = boots;
	group->n_boots = n;
	return 0;
}

/*
 * Whether @n_pairs, left of more boots, are too few for any verdict, where as many boots as
 * the smaller group has, taken as independent, are not. It looks at counts alone, and at no figure.
 */
static bool are_too_few_pairs(const struct comparison *comparison, size_t n_pairs, size_t smaller)
{
	bool is_whole =
		n_pairs == comparison->baseline.n_boots && n_pairs == comparison->other.n_boots;

	return n_pairs && !is_whole && permutation_smallest_p(n_pairs, 1, true) > VERDICT_ALPHA &&
	       permutation_smallest_p(smaller, 1, false) <= VERDICT_ALPHA;
}

/*
 * Matches the boots of one round. Where no more than a quarter of the smaller group
 * is without a partner and the pairs can decide at all, both groups are cut down to the pairs, in
 * the same order; else, or without rounds, nothing is touched.
 */
static int make_pairs(const struct boot_index *index, struct arena *arena,
		      struct comparison *comparison)
{
	struct group *a = &comparison->baseline, *b = &comparison->other;
	size_t smaller = a->n_boots < b->n_boots ? a->n_boots : b->n_boots, n = 0;
	size_t *partners = malloc((a->n_boots + 1) * sizeof(*partners));
	size_t *places = malloc((a->n_boots + 1) * sizeof(*places));
	int err = partners && places ? 0 : -ENOMEM;

	if (!err)
		comparison->n_pairs = match(index, index->rounds, a, b, partners);
	if (4 * comparison->n_pairs < 3 * smaller ||
	    are_too_few_pairs(comparison, comparison->n_pairs, smaller))
		comparison->n_pairs = 0;
	for (size_t i = 0; i < a->n_boots && comparison->n_pairs; i++) {
		if (partners[i] == NO_MATCH)
			continue;
		places[n] = i;
		partners[n++] = partners[i];
	}
	if (n) {
		a->left_out = a->n_boots - n;
		b->left_out = b->n_boots - n;
	}
	if (!err && n)
		err = keep(arena, a, places, n);
	if (!err && n)
		err = keep(arena, b, partners, n);
	free(places);
	free(partners);
	return err;
}

/* In virtual time the same seed in both variants should give the same figure to the last digit. */
static int count_same_seeds(const struct boot_index *index, struct comparison *comparison)
{
	const struct group *a = &comparison->baseline, *b = &comparison->other;
	size_t *partners = malloc((a->n_boots + 1) * sizeof(*partners));

	if (!partners)
		return -ENOMEM;
	comparison->n_same_seed = match(index, index->seeds, a, b, partners);
	for (size_t i = 0; i < a->n_boots; i++)
		if (partners[i] != NO_MATCH)
			comparison->n_identical += a->values[i] == b->values[partners[i]];
	free(partners);
	return 0;
}

/* ---- what both sides have --------------------------------------------------------- */

enum { HAS_BASELINE = 1, HAS_OTHER = 2, HAS_BOTH = 3 };

static void mark_machines(const struct results *results, const struct group *group,
			  unsigned char mark, unsigned char *marks)
{
	for (size_t i = 0; i < group->n_boots; i++)
		marks[results->boots[group->boots[i]].machine] |= mark;
}

static int keep_marked(struct arena *arena, const struct results *results, struct group *group,
		       const unsigned char *marks)
{
	size_t *places = malloc((group->n_boots + 1) * sizeof(*places)), n = 0;
	int err = 0;

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_boots; i++)
		if (marks[results->boots[group->boots[i]].machine] == HAS_BOTH)
			places[n++] = i;
	group->apart += group->n_boots - n;
	if (n < group->n_boots)
		err = keep(arena, group, places, n);
	free(places);
	return err;
}

/*
 * A machine that ran one variant alone says nothing of a difference between the two: its boots
 * are cut. Nothing is cut where a group is empty.
 */
static int keep_common_machines(const struct results *results, struct arena *arena,
				struct comparison *comparison)
{
	unsigned char *marks = calloc(results->n_machines + 1, 1);
	int err = 0;

	if (!marks)
		return -ENOMEM;
	mark_machines(results, &comparison->baseline, HAS_BASELINE, marks);
	mark_machines(results, &comparison->other, HAS_OTHER, marks);
	comparison->n_machines = 0;
	for (size_t i = 0; i < results->n_machines; i++)
		comparison->n_machines += marks[i] == HAS_BOTH;
	if (comparison_boots(comparison)) {
		if (!comparison->n_machines)
			comparison->reason = "no machine ran both, and what two machines differ in "
					     "is not what two variants differ in";
		err = keep_marked(arena, results, &comparison->baseline, marks);
		if (!err)
			err = keep_marked(arena, results, &comparison->other, marks);
	}
	free(marks);
	return err;
}

int groups_make(struct boot_index *index, struct arena *arena, struct comparison *comparison)
{
	const struct results *results = index->results;
	int err = collect(arena, results, comparison, comparison->against, &comparison->baseline);

	if (!err)
		err = collect(arena, results, comparison, comparison->variant, &comparison->other);
	if (!err)
		err = keep_common_machines(results, arena, comparison);
	if (!err)
		err = make_pairs(index, arena, comparison);
	return err ? err : count_same_seeds(index, comparison);
}

/* ---- strata ----------------------------------------------------------------------- */

static double scaled(const struct comparison *comparison, double value)
{
	return comparison->is_log ? log(value) : value;
}

/* How many boots of each machine: counts[machine]. */
static void count_machines(const struct results *results, const struct group *group, size_t *counts)
{
	for (size_t i = 0; i < group->n_boots; i++)
		counts[results->boots[group->boots[i]].machine]++;
}

/* Copies the group's values next to those of the same machine; @starts is moved along. */
static void sort_values(const struct results *results, const struct comparison *comparison,
			const struct group *group, double *values, size_t *starts)
{
	for (size_t i = 0; i < group->n_boots; i++)
		values[starts[results->boots[group->boots[i]].machine]++] =
			scaled(comparison, group->values[i]);
}

/* Pairs stand in the same order in both groups, and so on every machine. */
static void make_differences(struct strata *strata, size_t n_pairs, double *values_b)
{
	for (size_t i = 0; i < n_pairs; i++)
		values_b[i] -= strata->values[i];
	for (size_t i = 0; i < strata->n; i++) {
		strata->items[i].a = NULL;
		strata->items[i].n_a = 0;
	}
}

static void fill_strata(struct strata *strata, const struct results *results,
			const struct comparison *comparison, size_t *counts, size_t *starts)
{
	const struct group *a = &comparison->baseline, *b = &comparison->other;
	double *values_b = strata->values + a->n_boots;
	size_t machines = results->n_machines, *counts_b = counts + machines;
	size_t *starts_b = starts + machines;

	count_machines(results, a, counts);
	count_machines(results, b, counts_b);
	for (size_t i = 1; i < machines; i++) {
		starts[i] = starts[i - 1] + counts[i - 1];
		starts_b[i] = starts_b[i - 1] + counts_b[i - 1];
	}
	for (size_t i = 0; i < machines; i++) {
		if (!counts[i])
			continue;
		strata->machines[strata->n] = i;
		strata->items[strata->n++] = (struct stratum){
			strata->values + starts[i], values_b + starts_b[i], counts[i], counts_b[i]};
	}
	sort_values(results, comparison, a, strata->values, starts);
	sort_values(results, comparison, b, values_b, starts_b);
	for (size_t i = 0; i < strata->n; i++) {
		const struct stratum *stratum = &strata->items[i];

		strata->mean_a += mean_of(stratum->a, stratum->n_a) / (double)strata->n;
		strata->mean_b += mean_of(stratum->b, stratum->n_b) / (double)strata->n;
	}
	if (comparison->n_pairs)
		make_differences(strata, b->n_boots, values_b);
}

int strata_make(struct strata *strata, const struct results *results,
		const struct comparison *comparison)
{
	size_t n = comparison->baseline.n_boots + comparison->other.n_boots;
	size_t *counts = calloc(4 * (results->n_machines + 1), sizeof(*counts));

	*strata = (struct strata){
		.items = malloc((comparison->n_machines + 1) * sizeof(*strata->items)),
		.machines = malloc((comparison->n_machines + 1) * sizeof(*strata->machines)),
		.values = malloc((n + 1) * sizeof(*strata->values))};
	if (counts && strata->items && strata->machines && strata->values)
		fill_strata(strata, results, comparison, counts, counts + 2 * results->n_machines);
	free(counts);
	return strata->n ? 0 : -ENOMEM;
}

void strata_release(struct strata *strata)
{
	free(strata->items);
	free(strata->machines);
	free(strata->values);
}
