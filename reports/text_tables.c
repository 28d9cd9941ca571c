// SPDX-License-Identifier: GPL-2.0-only
/* The tables of verdicts in the text report. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/findings.h"
#include "reports/format.h"
#include "reports/page_table.h"
#include "reports/sentences.h"
#include "reports/text_parts.h"

#define MACHINE_ROWS 8

static const char *format_interval(char out[FORMATTED_MAX], const struct comparison *comparison)
{
	char low[FORMATTED_MAX], high[FORMATTED_MAX];

	if (isnan(comparison->ratio_low))
		return strcpy(out, "-");
	snprintf(out, FORMATTED_MAX, "%.20s-%.20s", format_ratio(low, comparison->ratio_low),
		 format_ratio(high, comparison->ratio_high));
	return out;
}

/* " (+3)": how many more boots of each variant it takes at the least. */
static const char *format_more(char out[FORMATTED_MAX], const struct comparison *comparison)
{
	if (comparison->verdict != VERDICT_INCONCLUSIVE || !comparison->more_boots ||
	    comparison->more_boots >= 100000)
		return strcpy(out, "");
	snprintf(out, FORMATTED_MAX, " +%zu", comparison->more_boots);
	return out;
}

/* Blank where there are none: the factors are those of all machines together. */
static void format_factors(char before[FORMATTED_MAX], char after[FORMATTED_MAX],
			   const struct text_page *page, const struct comparison *comparison)
{
	const struct comparison *factor =
		analysis_find(page->analysis, comparison->section, "inversion_factor",
			      STATISTIC_VALUE, comparison->variant);

	if (!factor)
		factor = analysis_find(page->analysis, comparison->section, "inversion_factor",
				       STATISTIC_P50, comparison->variant);
	*before = *after = '\0';
	if (!factor || comparison->machine != ALL_MACHINES)
		return;
	format_ratio(before, factor->baseline.centre);
	format_ratio(after, factor->other.centre);
}

static void add_comparison(struct text_page *page, struct page_table *table,
			   const struct comparison *comparison, const char *first_column)
{
	const char *unit = metric_of(page->analysis, comparison)->unit;
	char before[FORMATTED_MAX], after[FORMATTED_MAX], ratio[FORMATTED_MAX];
	char interval[FORMATTED_MAX], factor_before[FORMATTED_MAX], factor_after[FORMATTED_MAX];
	char more[FORMATTED_MAX];

	format_factors(factor_before, factor_after, page, comparison);
	page_table_add_verdict(
		table,
		(const char *[]){
			first_column, format_value(before, comparison->baseline.centre, unit),
			format_value(after, comparison->other.centre, unit),
			format_ratio(ratio, comparison->ratio),
			format_interval(interval, comparison), factor_before, factor_after, NULL},
		comparison->verdict, format_more(more, comparison));
}

static bool has_many_variants(const struct text_page *page)
{
	return page->analysis->results->n_variants > 2;
}

/* With several variants to compare a block of the primary tables has them all. */
static bool is_same_block(const struct text_page *page, const struct comparison *a,
			  const struct comparison *b)
{
	const struct section_info *sections = page->analysis->results->sections;

	return (a->variant == b->variant ||
		(has_many_variants(page) && a->family == FAMILY_PRIMARY)) &&
	       a->statistic == b->statistic &&
	       !strcmp(sections[a->section].workload, sections[b->section].workload) &&
	       !strcmp(sections[a->section].params, sections[b->section].params) &&
	       !strcmp(metric_of(page->analysis, a)->name, metric_of(page->analysis, b)->name);
}

static bool is_block_begun(const struct text_page *page, size_t index)
{
	const struct comparison *comparisons = page->analysis->comparisons;

	for (size_t i = 0; i < index; i++)
		if (comparisons[i].family == comparisons[index].family &&
		    is_same_block(page, &comparisons[i], &comparisons[index]))
			return true;
	return false;
}

static const char *direction_sentence(const struct metric_info *metric)
{
	switch (metric->direction) {
	case HIGHER_IS_BETTER:
		return "higher is better";
	case NO_DIRECTION:
		return "not judged";
	default:
		return "lower is better";
	}
}

static void add_block_title(struct text_page *page, const struct comparison *comparison)
{
	const struct section_info *section =
		&page->analysis->results->sections[comparison->section];
	const struct metric_info *metric = metric_of(page->analysis, comparison);
	struct buffer title = {0};
	char shown[FORMATTED_MAX];

	buffer_format(&title, "%s: %s%s, %s", section->workload,
		      format_metric(shown, metric, comparison->statistic),
		      comparison->statistic == STATISTIC_P50 ? " (median)" : "",
		      direction_sentence(metric));
	if (*section->params)
		buffer_format(&title, " [%s]", section->params);
	page_add_title(page->out, title.text ? title.text : "");
	buffer_release(&title);
}

/* One variant among several, and what it is against. */
static void add_variant_row(struct text_page *page, struct page_table *table,
			    const struct comparison *comparison, const char *name)
{
	const char *unit = metric_of(page->analysis, comparison)->unit;
	char before[FORMATTED_MAX], after[FORMATTED_MAX], ratio[FORMATTED_MAX];
	char interval[FORMATTED_MAX], more[FORMATTED_MAX];
	struct buffer indented = {0};

	buffer_format(&indented, "  %s", name);
	page_table_add_verdict(
		table,
		(const char *[]){indented.text ? indented.text : "",
				 format_value(before, comparison->baseline.centre, unit),
				 format_value(after, comparison->other.centre, unit),
				 format_ratio(ratio, comparison->ratio),
				 format_interval(interval, comparison), NULL},
		comparison->verdict, format_more(more, comparison));
	page->out->failed |= indented.failed;
	buffer_release(&indented);
}

static void add_machine_row(struct text_page *page, struct page_table *table,
			    const struct comparison *one)
{
	const char *machine = page->analysis->results->machines[one->machine].name;
	char name[FORMATTED_MAX];

	snprintf(name, sizeof(name), has_many_variants(page) ? "  on %.40s" : " %.40s", machine);
	if (has_many_variants(page))
		add_variant_row(page, table, one, name);
	else
		add_comparison(page, table, one, name);
}

/*
 * What each machine says: of a few machines all, in the report always and on a terminal where they
 * disagree; of many those whose verdict is not the combined one, as far as there is room.
 */
static void add_machine_rows(struct text_page *page, struct page_table *table,
			     const struct comparison *combined)
{
	char line[TEXT_COLUMNS + 1];
	const struct analysis *analysis = page->analysis;
	bool has_few = combined->n_machines <= MACHINE_ROWS;
	size_t shown = 0, left_out = 0;

	if (!machines_disagree(analysis, combined) && !(page->style.is_complete && has_few))
		return;
	for (size_t i = 0; i < analysis->n_by_machine; i++) {
		const struct comparison *one = &analysis->by_machine[i];

		if (!is_same_comparison(one, combined) ||
		    (!has_few && one->verdict == combined->verdict))
			continue;
		if (shown++ < MACHINE_ROWS)
			add_machine_row(page, table, one);
		else
			left_out++;
	}
	if (!left_out)
		return;
	snprintf(line, sizeof(line), "  and %zu more machines: see by_machine in the summary",
		 left_out);
	page_table_add_line(table, line);
}

static bool has_factors(const struct text_page *page, const struct comparison *comparison)
{
	char before[FORMATTED_MAX], after[FORMATTED_MAX];

	format_factors(before, after, page, comparison);
	return *before != '\0';
}

static void open_block(struct text_page *page, struct page_table *table,
		       const struct comparison *comparison)
{
	static const struct page_column one_variant[] = {
		{13, 1, false}, {7, 1, true}, {7, 1, true}, {5, 2, true},
		{11, 1, false}, {5, 1, true}, {6, 1, true}};
	static const struct page_column many_variants[] = {
		{20, 1, false}, {8, 1, true}, {8, 1, true}, {6, 2, true}, {11, 1, false}};
	const struct analysis *analysis = page->analysis;
	char before[FORMATTED_MAX], after[FORMATTED_MAX];

	if (has_many_variants(page)) {
		page_table_open(table, page->out, page->style.has_colour, many_variants,
				sizeof(many_variants) / sizeof(*many_variants));
		page_table_add(table, (const char *[]){"placement, variant", "baseline", "variant",
						       "ratio", "95 % range", "verdict", NULL});
		return;
	}
	page_table_open(table, page->out, page->style.has_colour, one_variant,
			sizeof(one_variant) / sizeof(*one_variant));
	page_column_label(before, label_of(analysis, comparison->against));
	page_column_label(after, label_of(analysis, comparison->variant));
	page_table_add(table, (const char *[]){"placement", before, after, "ratio", "95 % range",
					       has_factors(page, comparison) ? "inv." : "",
					       has_factors(page, comparison) ? "factor" : "",
					       "verdict", NULL});
}

/* All placements of one metric: a title, a head, a row each (with many variants, one for each). */
static void add_block(struct text_page *page, size_t first)
{
	const struct analysis *analysis = page->analysis;
	const struct comparison *comparison = &analysis->comparisons[first];
	const char *placement = NULL;
	struct page_table table;

	add_block_title(page, comparison);
	open_block(page, &table, comparison);
	for (size_t i = first; i < analysis->n_comparisons; i++) {
		const struct comparison *row = &analysis->comparisons[i];
		const char *where = analysis->results->sections[row->section].placement;

		if (row->family != comparison->family || !is_same_block(page, comparison, row))
			continue;
		if (has_many_variants(page)) {
			if (!placement || strcmp(placement, where) != 0)
				page_table_add_line(&table, where);
			placement = where;
			add_variant_row(page, &table, row, label_of(analysis, row->variant));
		} else {
			add_comparison(page, &table, row, where);
		}
		add_machine_rows(page, &table, row);
	}
	page_table_close(&table);
}

/* Which variant is against which, where a column cannot say it. */
static void add_pairs(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer line = {0};

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		size_t against = variant_baseline(analysis, i);

		if (against != i)
			buffer_format(&line, "%s%s against %s", line.length ? "; " : "",
				      label_of(analysis, i), label_of(analysis, against));
	}
	/* Two short labels stand over their columns in full. */
	if (line.text && (has_many_variants(page) || strlen(label_of(analysis, 0)) > 7 ||
			  strlen(label_of(analysis, 1)) > 7))
		page_add_title(page->out, line.text);
	buffer_release(&line);
}

static void add_primary(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;

	add_pairs(page);
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (analysis->comparisons[i].family == FAMILY_PRIMARY && !is_block_begun(page, i))
			add_block(page, i);
}

/* The head over such rows; with several variants to compare, each has a table of its own. */
static void open_named(struct text_page *page, struct page_table *table, size_t variant)
{
	static const struct page_column columns[] = {
		{20, 1, false}, {13, 1, false}, {8, 1, true}, {8, 1, true}, {6, 2, true}};
	const struct analysis *analysis = page->analysis;
	size_t against = variant_baseline(analysis, variant);
	char before[FORMATTED_MAX], after[FORMATTED_MAX];
	struct buffer head = {0};

	if (has_many_variants(page)) {
		buffer_format(&head, "%s against %s", label_of(analysis, variant),
			      label_of(analysis, against));
		page_add_wrapped(page->out, "", head.text ? head.text : "");
		buffer_release(&head);
	}
	page_table_open(table, page->out, page->style.has_colour, columns,
			sizeof(columns) / sizeof(*columns));
	page_table_add(table,
		       (const char *[]){"metric", "placement",
					page_column_label(before, label_of(analysis, against)),
					page_column_label(after, label_of(analysis, variant)),
					"ratio", "verdict", NULL});
}

void text_add_workload(struct text_page *page, struct page_table *table, size_t last,
		       size_t section)
{
	const struct section_info *sections = page->analysis->results->sections;

	if (has_several_workloads(page->analysis->results) &&
	    (last == SIZE_MAX || strcmp(sections[last].workload, sections[section].workload)))
		page_table_add_line(table, sections[section].workload);
}

/* Controls and the like: the metric and where, in one column. */
static void add_named_row(struct text_page *page, struct page_table *table,
			  const struct comparison *comparison)
{
	const struct results *results = page->analysis->results;
	const struct metric_info *metric = metric_of(page->analysis, comparison);
	char name[FORMATTED_MAX], before[FORMATTED_MAX], after[FORMATTED_MAX];
	char ratio[FORMATTED_MAX], more[FORMATTED_MAX];

	page_table_add_verdict(
		table,
		(const char *[]){format_metric(name, metric, comparison->statistic),
				 section_place(&table->arena, results, comparison->section),
				 format_value(before, comparison->baseline.centre, metric->unit),
				 format_value(after, comparison->other.centre, metric->unit),
				 format_ratio(ratio, comparison->ratio), NULL},
		comparison->verdict, format_more(more, comparison));
}

static void add_secondary_of(struct text_page *page, size_t variant)
{
	const struct analysis *analysis = page->analysis;
	struct page_table table = {0};
	size_t last = SIZE_MAX;

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];

		if (comparison->family != FAMILY_SECONDARY || comparison->variant != variant ||
		    (!page->style.is_complete && comparison->verdict != VERDICT_WORSE))
			continue;
		if (!table.out)
			open_named(page, &table, variant);
		text_add_workload(page, &table, last, comparison->section);
		add_named_row(page, &table, comparison);
		last = comparison->section;
	}
	if (table.out)
		page_table_close(&table);
}

static void add_secondary(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer title = {0};

	if (!analysis->tests[FAMILY_SECONDARY])
		return;
	buffer_format(&title,
		      "Secondary: %zu better, %zu worse, %zu equivalent, "
		      "%zu inconclusive, %zu not measured",
		      count_verdicts(analysis, FAMILY_SECONDARY, VERDICT_BETTER),
		      count_verdicts(analysis, FAMILY_SECONDARY, VERDICT_WORSE),
		      count_verdicts(analysis, FAMILY_SECONDARY, VERDICT_EQUIVALENT),
		      count_verdicts(analysis, FAMILY_SECONDARY, VERDICT_INCONCLUSIVE),
		      count_verdicts(analysis, FAMILY_SECONDARY, VERDICT_NOT_MEASURED));
	page_add_title(page->out, title.text ? title.text : "");
	buffer_release(&title);
	for (size_t i = 0; i < analysis->results->n_variants; i++)
		add_secondary_of(page, i);
}

static void add_controls_of(struct text_page *page, size_t variant)
{
	const struct analysis *analysis = page->analysis;
	struct page_table table = {0};
	size_t last = SIZE_MAX;

	/* Metric by metric: what is alike stands together. */
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *first = &analysis->comparisons[i];

		if (first->family != FAMILY_CONTROL || first->variant != variant ||
		    is_block_begun(page, i))
			continue;
		if (!table.out)
			open_named(page, &table, variant);
		text_add_workload(page, &table, last, first->section);
		last = first->section;
		for (size_t j = i; j < analysis->n_comparisons; j++)
			if (analysis->comparisons[j].family == FAMILY_CONTROL &&
			    is_same_block(page, first, &analysis->comparisons[j]))
				add_named_row(page, &table, &analysis->comparisons[j]);
	}
	if (table.out)
		page_table_close(&table);
}

static void add_controls(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer title = {0};

	if (!analysis->tests[FAMILY_CONTROL])
		return;
	buffer_format(&title,
		      "Controls: proxy execution cannot touch these; they must agree "
		      "within %.3g %%",
		      100 * analysis->control_margin);
	page_add_title(page->out, title.text ? title.text : "");
	buffer_release(&title);
	for (size_t i = 0; i < analysis->results->n_variants; i++)
		add_controls_of(page, i);
}

void text_add_tables(struct text_page *page)
{
	add_primary(page);
	add_secondary(page);
	add_controls(page);
}
