// SPDX-License-Identifier: GPL-2.0-only
/* The table for a terminal and report.txt for a mailing list: plain ASCII, 75 columns. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/format.h"
#include "reports/page.h"
#include "reports/writers.h"

struct page {
	struct buffer *out;
	const struct analysis *analysis;
	struct text_style style;
};

static const struct metric_info *metric_of(const struct page *page,
					   const struct comparison *comparison)
{
	return &page->analysis->results->sections[comparison->section].metrics[comparison->metric];
}

static const char *label_of(const struct page *page, size_t variant)
{
	return page->analysis->results->variants[variant].label;
}

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

static void format_factors(char out[FORMATTED_MAX], const struct page *page,
			   const struct comparison *comparison)
{
	const struct comparison *factor =
		analysis_find(page->analysis, comparison->section, "inversion_factor",
			      STATISTIC_VALUE, comparison->variant);
	char before[FORMATTED_MAX], after[FORMATTED_MAX];

	if (!factor)
		factor = analysis_find(page->analysis, comparison->section, "inversion_factor",
				       STATISTIC_P50, comparison->variant);
	if (!factor) {
		snprintf(out, FORMATTED_MAX, "%5s %5s", "", "");
		return;
	}
	snprintf(out, FORMATTED_MAX, "%5.20s %5.20s", format_ratio(before, factor->baseline.centre),
		 format_ratio(after, factor->other.centre));
}

static void add_comparison(struct page *page, const struct comparison *comparison,
			   const char *first_column)
{
	const char *unit = metric_of(page, comparison)->unit;
	char before[FORMATTED_MAX], after[FORMATTED_MAX], ratio[FORMATTED_MAX];
	char interval[FORMATTED_MAX], factors[FORMATTED_MAX], more[FORMATTED_MAX];
	struct buffer row = {0};

	format_factors(factors, page, comparison);
	buffer_format(&row, "%-13.40s %7s %7s %5s  %-11s %s ", first_column,
		      format_value(before, comparison->baseline.centre, unit),
		      format_value(after, comparison->other.centre, unit),
		      format_ratio(ratio, comparison->ratio), format_interval(interval, comparison),
		      factors);
	if (row.text)
		page_add_row(page->out, page->style.has_colour, row.text, comparison->verdict,
			     format_more(more, comparison));
	buffer_release(&row);
}

static bool is_same_block(const struct page *page, const struct comparison *a,
			  const struct comparison *b)
{
	const struct section_info *sections = page->analysis->results->sections;

	return a->variant == b->variant && a->statistic == b->statistic &&
	       !strcmp(sections[a->section].workload, sections[b->section].workload) &&
	       !strcmp(sections[a->section].params, sections[b->section].params) &&
	       !strcmp(metric_of(page, a)->name, metric_of(page, b)->name);
}

static bool is_block_begun(const struct page *page, size_t index)
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

static void add_block_title(struct page *page, const struct comparison *comparison)
{
	const struct section_info *section =
		&page->analysis->results->sections[comparison->section];
	const struct metric_info *metric = metric_of(page, comparison);
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

/* All placements of one metric: a title, a head, a row each. */
static void add_block(struct page *page, size_t first)
{
	const struct analysis *analysis = page->analysis;
	const struct comparison *comparison = &analysis->comparisons[first];
	char before[FORMATTED_MAX], after[FORMATTED_MAX], factors[FORMATTED_MAX];
	struct buffer head = {0};

	add_block_title(page, comparison);
	format_factors(factors, page, comparison);
	buffer_format(&head, "%-13s %7s %7s %5s  %-11s %s verdict", "placement",
		      page_column_label(before, label_of(page, analysis->baseline)),
		      page_column_label(after, label_of(page, comparison->variant)), "ratio",
		      "95 % range", factors[4] == ' ' ? factors : "inv. factor");
	page_add_ascii(page->out, head.text ? head.text : "");
	buffer_add(page->out, "\n");
	buffer_release(&head);
	for (size_t i = first; i < analysis->n_comparisons; i++)
		if (analysis->comparisons[i].family == comparison->family &&
		    is_same_block(page, comparison, &analysis->comparisons[i]))
			add_comparison(page, &analysis->comparisons[i],
				       analysis->results->sections[analysis->comparisons[i].section]
					       .placement);
}

static void add_blocks(struct page *page, enum family family)
{
	const struct analysis *analysis = page->analysis;

	for (size_t variant = 0; variant < analysis->results->n_variants; variant++)
		for (size_t i = 0; i < analysis->n_comparisons; i++)
			if (analysis->comparisons[i].variant == variant &&
			    analysis->comparisons[i].family == family && !is_block_begun(page, i))
				add_block(page, i);
}

static void add_primary(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		struct buffer title = {0};

		if (i == analysis->baseline)
			continue;
		buffer_format(&title, "%s against %s", label_of(page, i),
			      label_of(page, analysis->baseline));
		if (strlen(label_of(page, i)) > 7 || strlen(label_of(page, analysis->baseline)) > 7)
			page_add_title(page->out, title.text ? title.text : "");
		buffer_release(&title);
	}
	add_blocks(page, FAMILY_PRIMARY);
}

/* The head over such rows; with several variants to compare, each row is of one of them. */
static void add_named_head(struct page *page, size_t variant)
{
	const struct analysis *analysis = page->analysis;
	char before[FORMATTED_MAX], after[FORMATTED_MAX];
	struct buffer head = {0};

	buffer_format(&head, "%-20s %-13s %8s %8s %6s  verdict", "metric", "placement",
		      page_column_label(before, label_of(page, analysis->baseline)),
		      analysis->results->n_variants > 2
			      ? "variant"
			      : page_column_label(after, label_of(page, variant)),
		      "ratio");
	page_add_ascii(page->out, head.text ? head.text : "");
	buffer_add(page->out, "\n");
	buffer_release(&head);
}

/* Controls and the like: the metric and where, in one column. */
static void add_named_row(struct page *page, const struct comparison *comparison)
{
	const struct section_info *section =
		&page->analysis->results->sections[comparison->section];
	const struct metric_info *metric = metric_of(page, comparison);
	char name[FORMATTED_MAX], before[FORMATTED_MAX], after[FORMATTED_MAX];
	char ratio[FORMATTED_MAX], more[FORMATTED_MAX];
	struct buffer row = {0};

	buffer_format(&row, "%-20.30s %-13.40s %8s %8s %6s  ",
		      format_metric(name, metric, comparison->statistic), section->placement,
		      format_value(before, comparison->baseline.centre, metric->unit),
		      format_value(after, comparison->other.centre, metric->unit),
		      format_ratio(ratio, comparison->ratio));
	if (row.text)
		page_add_row(page->out, page->style.has_colour, row.text, comparison->verdict,
			     format_more(more, comparison));
	buffer_release(&row);
}

static size_t count_verdict(const struct page *page, enum family family, enum verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < page->analysis->n_comparisons; i++)
		count += page->analysis->comparisons[i].family == family &&
			 page->analysis->comparisons[i].verdict == verdict;
	return count;
}

static void add_secondary(struct page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer title = {0};
	bool has_head = false;

	if (!analysis->tests[FAMILY_SECONDARY])
		return;
	buffer_format(&title,
		      "Secondary figures: %zu better, %zu worse, %zu equivalent, %zu inconclusive",
		      count_verdict(page, FAMILY_SECONDARY, VERDICT_BETTER),
		      count_verdict(page, FAMILY_SECONDARY, VERDICT_WORSE),
		      count_verdict(page, FAMILY_SECONDARY, VERDICT_EQUIVALENT),
		      count_verdict(page, FAMILY_SECONDARY, VERDICT_INCONCLUSIVE));
	page_add_title(page->out, title.text ? title.text : "");
	buffer_release(&title);
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];

		if (comparison->family != FAMILY_SECONDARY ||
		    (!page->style.is_complete && comparison->verdict != VERDICT_WORSE))
			continue;
		if (!has_head)
			add_named_head(page, comparison->variant);
		has_head = true;
		add_named_row(page, comparison);
	}
}

static void add_controls(struct page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer title = {0};
	bool has_head = false;

	if (!analysis->tests[FAMILY_CONTROL])
		return;
	buffer_format(&title,
		      "Controls: proxy execution cannot touch these; they must agree "
		      "within %.0f %%",
		      100 * analysis->control_margin);
	page_add_title(page->out, title.text ? title.text : "");
	buffer_release(&title);
	/* Metric by metric: what is alike stands together. */
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *first = &analysis->comparisons[i];

		if (first->family != FAMILY_CONTROL || is_block_begun(page, i))
			continue;
		if (!has_head)
			add_named_head(page, first->variant);
		has_head = true;
		for (size_t j = i; j < analysis->n_comparisons; j++)
			if (analysis->comparisons[j].family == FAMILY_CONTROL &&
			    is_same_block(page, first, &analysis->comparisons[j]))
				add_named_row(page, &analysis->comparisons[j]);
	}
}

static void add_invariants(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	if (analysis->n_invariants)
		page_add_title(page->out,
			       "Invariants: must be zero (seen, of how often it was tried)");
	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];
		const struct section_info *section =
			&analysis->results->sections[invariant->section];
		struct buffer row = {0};

		buffer_format(&row, "%-20.30s %-13.40s %-8.20s %llu of %llu  ",
			      section->metrics[invariant->metric].name, section->placement,
			      label_of(page, invariant->variant),
			      (unsigned long long)invariant->violations,
			      (unsigned long long)invariant->exposure);
		if (row.text)
			page_add_row(page->out, page->style.has_colour, row.text,
				     invariant->verdict, "");
		buffer_release(&row);
	}
}

/* One name over all variants: "proxying: !proxy 0 of 0, proxy 480 of 480". */
static void add_evidence_line(struct page *page, const char *name)
{
	const struct analysis *analysis = page->analysis;
	struct buffer line = {0};
	const char *separator = ": ";

	buffer_add(&line, name);
	for (size_t i = 0; i < analysis->n_evidence; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];

		if (strcmp(sum->name, name))
			continue;
		buffer_format(&line, "%s%s %llu of %llu", separator, label_of(page, sum->variant),
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

static void add_evidence(struct page *page)
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

static void add_health(struct page *page)
{
	const struct analysis *analysis = page->analysis;
	struct buffer line = {0};

	page_add_title(page->out, "Health of the kernel");
	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		const struct variant_sum *sum = &analysis->variants[i];

		buffer_format(&line, "%s%s: %zu of %zu boots ended well", i ? "; " : "",
			      label_of(page, i), sum->ok, sum->boots);
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

static void add_unmeasured(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	if (analysis->n_unmeasured)
		page_add_title(page->out, "Not measured");
	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];
		const struct section_info *section =
			what->section == SIZE_MAX ? NULL
						  : &analysis->results->sections[what->section];
		struct buffer line = {0};

		buffer_format(&line, "%s, %zu boot%s: %s%s%s%s%s%s", label_of(page, what->variant),
			      what->boots, what->boots == 1 ? "" : "s", section ? section->id : "",
			      section && what->metric != SIZE_MAX ? " " : "",
			      section && what->metric != SIZE_MAX
				      ? section->metrics[what->metric].name
				      : "",
			      section ? " " : "", what->outcome, what->reason ? ": " : "");
		if (what->reason)
			buffer_add(&line, what->reason);
		page_add_wrapped(page->out, "  ", line.text ? line.text : "");
		buffer_release(&line);
	}
}

static void add_warnings(struct page *page, size_t from, size_t to, const char *colour)
{
	for (size_t i = from; i < to; i++) {
		if (page->style.has_colour)
			buffer_add(page->out, colour);
		page_add_wrapped(page->out, "WARNING: ", page->analysis->warnings[i]);
		if (page->style.has_colour)
			buffer_add(page->out, "\033[0m");
	}
}

static void add_line(struct page *page)
{
	struct buffer line = {0};

	one_line_write(&line, page->analysis);
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
static void add_headline(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	add_line(page);
	buffer_add(page->out, "\n");
	add_warnings(page, 0, analysis->n_loud, "\033[1;31m");
	for (size_t i = 0; i < analysis->n_headline; i++)
		page_add_wrapped(page->out, "* ", analysis->headline[i]);
	add_warnings(page, analysis->n_loud, analysis->n_warnings, "\033[33m");
}

static void add_facts(struct page *page)
{
	char name[20];

	page_add_title(page->out, "What was measured");
	for (size_t i = 0; i < page->analysis->n_facts; i++) {
		snprintf(name, sizeof(name), "  %-11.12s ", page->analysis->facts[i].name);
		page_add_wrapped(page->out, name, page->analysis->facts[i].text);
	}
}

static void add_method(struct page *page)
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
	struct page page = {.out = out, .analysis = analysis, .style = style};

	add_headline(&page);
	if (style.is_complete)
		add_facts(&page);
	add_primary(&page);
	add_secondary(&page);
	add_controls(&page);
	add_invariants(&page);
	add_evidence(&page);
	if (style.is_complete)
		add_health(&page);
	add_unmeasured(&page);
	if (style.is_complete) {
		add_method(&page);
	} else {
		/* A terminal shows the end of what is long. */
		buffer_add(out, "\n");
		add_line(&page);
	}
}
