// SPDX-License-Identifier: GPL-2.0-only
/* The table for a terminal and report.txt for a mailing list: plain ASCII, 75 columns. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/format.h"
#include "reports/losses.h"
#include "reports/page_table.h"
#include "reports/sentences.h"
#include "reports/text_parts.h"

#define LOSSES_MAX 12 /* more of them would be read by nobody */

/* ", rate < 0.0005": with 95 %; "" where there is none to tell. */
static const char *format_rate(char out[FORMATTED_MAX], double rate_upper)
{
	if (isnan(rate_upper))
		return "";
	snprintf(out, FORMATTED_MAX, rate_upper < 0.0001 ? ", rate < %.1e" : ", rate < %.2g",
		 rate_upper);
	return out;
}

static void add_invariant(struct text_page *page, struct page_table *table,
			  const struct invariant *invariant)
{
	const struct section_info *section = &page->analysis->results->sections[invariant->section];
	char rate[FORMATTED_MAX], seen[2 * FORMATTED_MAX];

	snprintf(seen, sizeof(seen), "%llu of %llu%s", (unsigned long long)invariant->violations,
		 (unsigned long long)invariant->exposure, format_rate(rate, invariant->rate_upper));
	page_table_add_verdict(
		table,
		(const char *[]){
			section->metrics[invariant->metric].name,
			section_place(&table->arena, page->analysis->results, invariant->section),
			label_of(page->analysis, invariant->variant), seen, NULL},
		invariant->verdict, "");
}

static void add_invariants(struct text_page *page)
{
	static const struct page_column columns[] = {
		{20, 1, false}, {13, 1, false}, {8, 1, false}, {0, 2, false}};
	const struct analysis *analysis = page->analysis;
	struct page_table table;

	if (!analysis->n_invariants)
		return;
	page_add_title(page->out, "Invariants: must be zero (seen, of how often it was tried; "
				  "rates with 95 %)");
	page_table_open(&table, page->out, page->style.has_colour, columns,
			sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];

		text_add_workload(page, &table, i ? invariant[-1].section : SIZE_MAX,
				  invariant->section);
		add_invariant(page, &table, invariant);
	}
	page_table_close(&table);
}

/* Why there is no level, each reason once, with how many it stands for. */
static void add_tail_reasons(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;

	for (size_t i = 0; i < analysis->n_tails; i++) {
		const char *reason = analysis->tails[i].reason;
		struct buffer line = {0};
		bool is_new = reason != NULL;
		size_t count = 0;

		for (size_t j = 0; j < analysis->n_tails && reason; j++) {
			bool is_same = analysis->tails[j].reason &&
				       !strcmp(analysis->tails[j].reason, reason);

			is_new &= !is_same || j >= i;
			count += is_same;
		}
		if (!is_new)
			continue;
		buffer_format(&line, "no level for %zu: %s", count, reason);
		page_add_wrapped(page->out, "  ", line.text ? line.text : "");
		buffer_release(&line);
	}
}

/* "461-510 ms", "9.8 ms-1.2 s" */
static const char *format_range(char out[2 * FORMATTED_MAX], double from, double to,
				const char *unit)
{
	char low[FORMATTED_MAX], high[FORMATTED_MAX];
	size_t number;

	format_value(low, from, unit);
	format_value(high, to, unit);
	number = strcspn(low, " ");
	if (!strcmp(low + number, high + strcspn(high, " ")))
		low[number] = '\0';
	snprintf(out, 2 * FORMATTED_MAX, "%s-%s", low, high);
	return out;
}

static void add_tail(struct text_page *page, struct page_table *table, const struct tail *tail)
{
	const struct section_info *section = &page->analysis->results->sections[tail->section];
	const struct metric_info *metric = &section->metrics[tail->metric];
	char name[FORMATTED_MAX], label[FORMATTED_MAX], samples[FORMATTED_MAX];
	char max[FORMATTED_MAX], level[FORMATTED_MAX], range[2 * FORMATTED_MAX];
	char levels[3 * FORMATTED_MAX] = "-";

	if (tail->is_given)
		snprintf(levels, sizeof(levels), "%s, %s",
			 format_value(level, tail->level, metric->unit),
			 format_range(range, tail->level_low, tail->level_high, metric->unit));
	snprintf(samples, sizeof(samples), "%llu", (unsigned long long)tail->samples);
	page_table_add(table,
		       (const char *[]){
			       format_metric(name, metric, main_statistic(metric->kind)),
			       section_place(&table->arena, page->analysis->results, tail->section),
			       page_column_label(label, label_of(page->analysis, tail->variant)),
			       samples, format_value(max, tail->max, metric->unit), levels, NULL});
}

/* Maxima with how much was tried, and what ten times as much may show where the tail tells. */
static void add_tails(struct text_page *page)
{
	static const struct page_column columns[] = {
		{14, 1, false}, {13, 1, false}, {7, 1, false}, {7, 1, true}, {8, 2, true}};
	const struct analysis *analysis = page->analysis;
	struct page_table table;

	if (!analysis->n_tails)
		return;
	page_add_title(page->out, "Maxima (not judged), and what is exceeded once in ten times the "
				  "samples");
	page_table_open(&table, page->out, page->style.has_colour, columns,
			sizeof(columns) / sizeof(*columns));
	page_table_add(&table, (const char *[]){"metric", "placement", "variant", "samples",
						"maximum", "level, 95 % range", NULL});
	for (size_t i = 0; i < analysis->n_tails; i++) {
		const struct tail *tail = &analysis->tails[i];

		text_add_workload(page, &table, i ? tail[-1].section : SIZE_MAX, tail->section);
		add_tail(page, &table, tail);
	}
	page_table_close(&table);
	add_tail_reasons(page);
}

/* One name over all variants: "proxying: !proxy 0 of 0, proxy 480 of 480". */
static void add_evidence_line(struct text_page *page, const char *name)
{
	const struct analysis *analysis = page->analysis;
	struct buffer line = {0};
	const char *separator = ": ";

	buffer_add(&line, name);
	for (size_t i = 0; i < analysis->n_evidence; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];

		if (strcmp(sum->name, name))
			continue;
		buffer_format(&line, "%s%s %llu of %llu", separator,
			      label_of(page->analysis, sum->variant),
			      (unsigned long long)sum->observed, (unsigned long long)sum->expected);
		if (sum->held < sum->sections)
			buffer_format(&line, " (MISSING in %llu of %llu sections)",
				      (unsigned long long)(sum->sections - sum->held),
				      (unsigned long long)sum->sections);
		separator = ", ";
	}
	page_add_wrapped(page->out, "  ", line.text ? line.text : "");
	buffer_release(&line);
}

static void add_evidence(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;

	if (analysis->n_evidence)
		page_add_title(page->out,
			       "Evidence: how often it was seen, of how often it had to be");
	for (size_t i = 0; i < analysis->n_evidence; i++) {
		bool is_new = true;

		for (size_t j = 0; j < i; j++)
			is_new &=
				strcmp(analysis->evidence[j].name, analysis->evidence[i].name) != 0;
		if (is_new)
			add_evidence_line(page, analysis->evidence[i].name);
	}
}

static void add_health(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer line = {0};

	page_add_title(page->out, "Health of the kernel");
	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		const struct variant_sum *sum = &analysis->variants[i];

		buffer_format(&line, "%s%s: %zu of %zu boots ended well", i ? "; " : "",
			      label_of(page->analysis, i), sum->ok, sum->boots);
		if (sum->unclean)
			buffer_format(&line, ", the kernel complained in %zu", sum->unclean);
		else if (sum->unknown)
			buffer_format(&line, ", its log could not be read in %zu", sum->unknown);
		else
			buffer_add(&line, ", no complaint");
	}
	page_add_wrapped(page->out, "  ", line.text ? line.text : "");
	buffer_release(&line);
	for (size_t i = 0; i < analysis->results->n_variants; i++)
		for (size_t j = 0; j < analysis->variants[i].n_reports && j < 5; j++)
			page_add_wrapped(page->out, "    ", analysis->variants[i].reports[j]);
}

static void add_loss(struct text_page *page, const struct loss *loss)
{
	char boots[FORMATTED_MAX];
	struct buffer line = {0};

	loss_boots(boots, sizeof(boots), loss);
	buffer_format(&line, "%s, %s boot%s: %s%s%s%s%s%s%s%s",
		      label_of(page->analysis, loss->variant), boots, plural(loss->boots_most),
		      loss->where ? loss->where : "", loss->what ? ": " : "",
		      loss->what ? loss->what : "", loss->where ? ": " : "", loss->outcome,
		      loss->reason ? ": " : "", loss->reason ? loss->reason : "", loss_note(loss));
	page_add_wrapped(page->out, "  ", line.text ? line.text : "");
	buffer_release(&line);
}

static void add_unmeasured(struct text_page *page)
{
	struct arena arena = {0};
	struct loss *losses;
	size_t count;

	if (losses_find(&arena, page->analysis, &losses, &count)) {
		page->out->failed = true;
		count = 0;
	}
	if (count)
		page_add_title(page->out, "Not measured");
	for (size_t i = 0; i < count && i < LOSSES_MAX; i++)
		add_loss(page, &losses[i]);
	if (count > LOSSES_MAX)
		buffer_format(page->out, "  and %zu more: see unmeasured in the summary\n",
			      count - LOSSES_MAX);
	arena_release(&arena);
}

static void add_warnings(struct text_page *page, size_t from, size_t to, const char *colour)
{
	for (size_t i = from; i < to; i++) {
		if (page->style.has_colour)
			buffer_add(page->out, colour);
		page_add_wrapped(page->out, "WARNING: ", page->analysis->warnings[i]);
		if (page->style.has_colour)
			buffer_add(page->out, "\033[0m");
	}
}

static void add_line(struct text_page *page)
{
	struct buffer line = {0};

	one_line_write(&line, page->analysis, 0);
	if (line.text && line.length)
		line.text[line.length - 1] = '\0'; /* its newline: the wrapping has its own */
	if (page->style.has_colour)
		buffer_add(page->out, "\033[1m");
	page_add_wrapped(page->out, "", line.text ? line.text : "");
	if (page->style.has_colour)
		buffer_add(page->out, "\033[0m");
	buffer_release(&line);
}

/* What came out, what qualifies it, and on what machine and kernel: the first screen. */
static void add_first_screen(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;

	add_line(page);
	buffer_add(page->out, "\n");
	add_warnings(page, 0, analysis->n_loud, "\033[1;31m");
	for (size_t i = 0; i < analysis->n_headline; i++)
		page_add_wrapped(page->out, "* ", analysis->headline[i]);
	add_warnings(page, analysis->n_loud, analysis->n_warnings, "\033[33m");
}

static void add_facts(struct text_page *page)
{
	char name[20];

	page_add_title(page->out, "What was measured");
	for (size_t i = 0; i < page->analysis->n_facts; i++) {
		snprintf(name, sizeof(name), "  %-11.12s ", page->analysis->facts[i].name);
		page_add_wrapped(page->out, name, page->analysis->facts[i].text);
	}
}

static void add_method(struct text_page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer text = {0};

	page_add_title(page->out, "How this was decided");
	buffer_format(
		&text,
		"The boot is the unit: each boot gives one figure per metric (a median, a "
		"percentile, a count), and boots are compared with boots. Ratios are of geometric "
		"means; their range is a 95 %% bootstrap interval over boots. Better and worse: an "
		"exact permutation test at 5 %%, corrected by Holm for %zu primary tests and by "
		"Benjamini-Hochberg for %zu secondary ones. Equivalent: two one-sided tests, within "
		"%.3g %%. Inconclusive: neither; +n says how many more boots of each it takes at the "
		"least.",
		analysis->tests[FAMILY_PRIMARY], analysis->tests[FAMILY_SECONDARY],
		100 * analysis->margin);
	page_add_wrapped(page->out, "  ", text.text ? text.text : "");
	buffer_release(&text);
}

void text_write(struct buffer *out, const struct analysis *analysis, struct text_style style)
{
	struct text_page page = {.out = out, .analysis = analysis, .style = style};

	add_first_screen(&page);
	if (style.is_complete)
		add_facts(&page);
	text_add_tables(&page);
	text_add_growth(&page);
	add_invariants(&page);
	add_evidence(&page);
	if (style.is_complete) {
		add_tails(&page);
		add_health(&page);
	}
	add_unmeasured(&page);
	if (style.is_complete) {
		add_method(&page);
	} else {
		/* A terminal shows the end of what is long. */
		buffer_add(out, "\n");
		add_line(&page);
	}
}
