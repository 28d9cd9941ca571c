// SPDX-License-Identifier: GPL-2.0-only
/* report.md: tables that a forge renders and that still read as text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/format.h"
#include "reports/growth.h"
#include "reports/losses.h"
#include "reports/sentences.h"
#include "reports/writers.h"

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c & 0x80);
}

static bool is_punctuation(char c)
{
	return c > ' ' && c < 0x7f && !is_word(c);
}

/* Whether the character would be taken for markup where it stands. */
static bool is_markup(char before, char c, char after)
{
	switch (c) {
	case '`':
	case '|':
	case '~':
		return true;
	case '*':
		return before != ' ' || after != ' ';
	case '_':
		return !is_word(before) || !is_word(after);
	case '\\':
		return is_punctuation(after) || !after;
	case ']':
		return after == '(' || after == '[' || after == ':';
	case '#':
	case '-':
	case '+':
	case '>':
		return !before && after == ' '; /* a heading, list or quotation */
	default:
		return false;
	}
}

/* Only what Markdown or HTML would take for markup is escaped; lines stay one line. */
static void add_escaped(struct buffer *out, const char *text)
{
	char before = '\0';

	for (; *text; before = *text++) {
		unsigned char c = (unsigned char)*text;
		size_t steering = steering_length(text);
		char after = text[1];

		if (c == '<' && (is_word(after) || (after && strchr("/!?", after))))
			buffer_add(out, "&lt;");
		else if (c == '&' && (is_word(after) || after == '#'))
			buffer_add(out, "&amp;");
		else if (steering)
			buffer_add(out, " ");
		else if (is_markup(before, *text, after))
			buffer_format(out, "\\%c", c);
		else
			buffer_add_bytes(out, text, 1);
		text += steering > 1 ? steering - 1 : 0;
	}
}

static void add_cell(struct buffer *out, const char *text)
{
	buffer_add(out, " ");
	add_escaped(out, text);
	buffer_add(out, " |");
}

static void add_list(struct buffer *out, const char *bullet, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_add(out, bullet);
		add_escaped(out, texts[i]);
		buffer_add(out, "\n");
	}
	if (count)
		buffer_add(out, "\n");
}

static const char *format_interval(char out[FORMATTED_MAX], const struct comparison *comparison)
{
	char low[FORMATTED_MAX], high[FORMATTED_MAX];

	if (isnan(comparison->ratio_low))
		return strcpy(out, "-");
	snprintf(out, FORMATTED_MAX, "%.20s to %.20s", format_ratio(low, comparison->ratio_low),
		 format_ratio(high, comparison->ratio_high));
	return out;
}

static void add_verdict_cell(struct buffer *out, const struct comparison *comparison)
{
	buffer_format(out, " **%s**", verdict_word(comparison->verdict));
	if (comparison->verdict == VERDICT_INCONCLUSIVE && comparison->more_boots < 100000)
		buffer_format(out, ", %zu more boot%s of each at least", comparison->more_boots,
			      comparison->more_boots == 1 ? "" : "s");
	if (comparison->verdict == VERDICT_NOT_MEASURED && comparison->reason) {
		buffer_add(out, ": ");
		add_escaped(out, comparison->reason);
	}
	buffer_add(out, " |\n");
}

static void add_comparison(struct buffer *out, const struct analysis *analysis,
			   const struct comparison *comparison)
{
	const struct section_info *section = &analysis->results->sections[comparison->section];
	const struct metric_info *metric = &section->metrics[comparison->metric];
	char text[FORMATTED_MAX];

	buffer_add(out, "|");
	add_cell(out, format_metric(text, metric, comparison->statistic));
	add_cell(out, section->placement);
	if (comparison->machine != ALL_MACHINES)
		add_cell(out, analysis->results->machines[comparison->machine].name);
	add_cell(out, label_of(analysis, comparison->variant));
	if (analysis->results->n_variants > 2)
		add_cell(out, label_of(analysis, comparison->against));
	add_cell(out, format_value(text, comparison->baseline.centre, metric->unit));
	add_cell(out, format_value(text, comparison->other.centre, metric->unit));
	add_cell(out, format_ratio(text, comparison->ratio));
	add_cell(out, format_interval(text, comparison));
	add_cell(out, format_p(text, shown_p(comparison)));
	add_verdict_cell(out, comparison);
}

static bool has_same_params(const struct section_info *a, const struct section_info *b)
{
	return !strcmp(a->workload, b->workload) && !strcmp(a->params, b->params);
}

/*
 * Workload and parameters once, then the head of their table. With many variants a column says
 * what each is against; else it is the column of its figures that does.
 */
static void open_table(struct buffer *out, const struct analysis *analysis,
		       const struct comparison *first, const char *p)
{
	const struct section_info *section = &analysis->results->sections[first->section];
	bool has_many = analysis->results->n_variants > 2;
	bool is_machine = first->machine != ALL_MACHINES;

	add_escaped(out, section->workload);
	buffer_add(out, *section->params ? ": " : "");
	add_escaped(out, section->params);
	buffer_format(out, "\n\n| metric | placement |%s variant |",
		      is_machine ? " machine |" : "");
	buffer_add(out, has_many ? " against |" : "");
	add_cell(out, has_many ? "its figure" : label_of(analysis, first->against));
	buffer_format(out, " variant | ratio | 95 %% | %s | verdict |\n", p);
	buffer_format(out, "|---|---|%s%s---|--:|--:|--:|:-:|--:|---|\n", is_machine ? "---|" : "",
		      has_many ? "---|" : "");
}

/* Those of @count comparisons that are of the family, a table for each workload. */
static void add_tables(struct buffer *out, const struct analysis *analysis,
		       const struct comparison *comparisons, size_t count, enum family family)
{
	const struct section_info *sections = analysis->results->sections, *last = NULL;

	/* The sections are in the order of workload and parameters. */
	for (size_t i = 0; i < count; i++) {
		const struct comparison *comparison = &comparisons[i];
		const struct section_info *section = &sections[comparison->section];

		if (comparison->family != family)
			continue;
		if (!last || !has_same_params(last, section)) {
			buffer_add(out, last ? "\n" : "");
			open_table(out, analysis, comparison,
				   family == FAMILY_CONTROL ? "p of agreement" : "p");
		}
		last = section;
		add_comparison(out, analysis, comparison);
	}
	buffer_add(out, "\n");
}

static void add_family(struct buffer *out, const struct analysis *analysis, enum family family,
		       const char *title)
{
	if (!analysis->tests[family])
		return;
	buffer_format(out, "## %s\n\n", title);
	add_tables(out, analysis, analysis->comparisons, analysis->n_comparisons, family);
}

static void add_machines(struct buffer *out, const struct analysis *analysis)
{
	if (!analysis->n_by_machine)
		return;
	buffer_add(out, "## Primary metrics, machine by machine\n\n");
	add_tables(out, analysis, analysis->by_machine, analysis->n_by_machine, FAMILY_PRIMARY);
}

/* A curve's point: the figures, and how many times those of the first point they are. */
static void add_growth_point(struct buffer *out, const struct analysis *analysis,
			     const struct growth *growth, size_t index)
{
	const struct comparison *first = growth->points[0].comparison;
	const struct comparison *point = growth->points[index].comparison;
	const char *unit = metric_of(analysis, point)->unit;
	char text[FORMATTED_MAX];

	buffer_format(out, "| %.15g |", growth->points[index].value);
	add_cell(out, format_value(text, point->baseline.centre, unit));
	add_cell(out, format_value(text, point->other.centre, unit));
	add_cell(out, format_ratio(text, point->ratio));
	add_cell(out, format_ratio(text, point->baseline.centre / first->baseline.centre));
	add_cell(out, format_ratio(text, point->other.centre / first->other.centre));
	buffer_add(out, "\n");
}

static void add_growth(struct buffer *out, const struct analysis *analysis, struct arena *arena,
		       const struct growth *growth)
{
	const struct comparison *first = growth->points[0].comparison;
	const char *title = growth_title(arena, analysis, growth);

	buffer_add(out, "**");
	add_escaped(out, title ? title : "");
	buffer_add(out, "**\n\n|");
	add_cell(out, growth->parameter);
	add_cell(out, label_of(analysis, first->against));
	add_cell(out, label_of(analysis, first->variant));
	add_cell(out, "ratio");
	add_cell(out, "grown, baseline");
	add_cell(out, "grown, variant");
	buffer_add(out, "\n|--:|--:|--:|--:|--:|--:|\n");
	for (size_t i = 0; i < growth->n_points; i++)
		add_growth_point(out, analysis, growth, i);
	buffer_add(out, "\n");
}

static void add_growths(struct buffer *out, const struct analysis *analysis)
{
	struct arena arena = {0};
	struct growth *growths;
	size_t count;

	if (growths_find(&arena, analysis, &growths, &count)) {
		out->failed = true;
		count = 0;
	}
	if (count)
		buffer_add(out, "## Growth\n\n");
	for (size_t i = 0; i < count; i++)
		add_growth(out, analysis, &arena, &growths[i]);
	arena_release(&arena);
}

static void add_facts(struct buffer *out, const struct analysis *analysis)
{
	buffer_add(out, "## What was measured\n\n");
	for (size_t i = 0; i < analysis->n_facts; i++) {
		buffer_format(out, "- %s: ", analysis->facts[i].name);
		add_escaped(out, analysis->facts[i].text);
		buffer_add(out, "\n");
	}
	buffer_add(out, "\n");
}

/* Where it was, in a table of all workloads. */
static void add_place_cell(struct buffer *out, const struct results *results, size_t section)
{
	struct arena arena = {0};

	add_cell(out, section_name(&arena, results, section));
	arena_release(&arena);
}

static void add_invariants(struct buffer *out, const struct analysis *analysis)
{
	if (!analysis->n_invariants)
		return;
	buffer_add(out, "## Invariants\n\n| must be zero | placement | variant | seen | tried | "
			"rate below (95 %) | verdict |\n|---|---|---|--:|--:|--:|---|\n");
	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];
		const struct section_info *section =
			&analysis->results->sections[invariant->section];

		buffer_add(out, "|");
		add_cell(out, section->metrics[invariant->metric].name);
		add_place_cell(out, analysis->results, invariant->section);
		add_cell(out, label_of(analysis, invariant->variant));
		buffer_format(out, " %llu | %llu |", (unsigned long long)invariant->violations,
			      (unsigned long long)invariant->exposure);
		if (isnan(invariant->rate_upper))
			buffer_add(out, " - |");
		else
			buffer_format(out, " %.2g |", invariant->rate_upper);
		buffer_format(out, " **%s** |\n", verdict_word(invariant->verdict));
	}
	buffer_add(out, "\n");
}

static void add_tails(struct buffer *out, const struct analysis *analysis)
{
	if (!analysis->n_tails)
		return;
	buffer_add(out,
		   "## Maxima\n\nThey grow with the samples and are not judged. The level is what "
		   "is exceeded once in ten times the samples.\n\n"
		   "| metric | placement | variant | samples | maximum | level | 95 % |\n"
		   "|---|---|---|--:|--:|--:|---|\n");
	for (size_t i = 0; i < analysis->n_tails; i++) {
		const struct tail *tail = &analysis->tails[i];
		const struct section_info *section = &analysis->results->sections[tail->section];
		const struct metric_info *metric = &section->metrics[tail->metric];
		char text[FORMATTED_MAX];

		buffer_add(out, "|");
		add_cell(out, format_metric(text, metric, main_statistic(metric->kind)));
		add_place_cell(out, analysis->results, tail->section);
		add_cell(out, label_of(analysis, tail->variant));
		buffer_format(out, " %llu |", (unsigned long long)tail->samples);
		add_cell(out, format_value(text, tail->max, metric->unit));
		add_cell(out, tail->is_given ? format_value(text, tail->level, metric->unit) : "-");
		if (tail->is_given) {
			buffer_format(out, " %s",
				      format_value(text, tail->level_low, metric->unit));
			buffer_format(out, " to %s |\n",
				      format_value(text, tail->level_high, metric->unit));
		} else {
			add_cell(out, tail->reason ? tail->reason : "-");
			buffer_add(out, "\n");
		}
	}
	buffer_add(out, "\n");
}

static void add_evidence(struct buffer *out, const struct analysis *analysis)
{
	if (!analysis->n_evidence)
		return;
	buffer_add(out, "## Evidence\n\n| what | variant | seen | expected | held |\n"
			"|---|---|--:|--:|--:|\n");
	for (size_t i = 0; i < analysis->n_evidence; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];

		buffer_add(out, "|");
		add_cell(out, sum->name);
		add_cell(out, label_of(analysis, sum->variant));
		buffer_format(out, " %llu | %llu | %llu of %llu |\n",
			      (unsigned long long)sum->observed, (unsigned long long)sum->expected,
			      (unsigned long long)sum->held, (unsigned long long)sum->sections);
	}
	buffer_add(out, "\n");
}

static void add_loss(struct buffer *out, const struct analysis *analysis, const struct loss *loss)
{
	char boots[FORMATTED_MAX];

	loss_boots(boots, sizeof(boots), loss);
	buffer_add(out, "|");
	add_cell(out, label_of(analysis, loss->variant));
	add_cell(out, loss->where ? loss->where : "(the whole boot)");
	add_cell(out, loss->what ? loss->what : "");
	buffer_format(out, " %s |", boots);
	add_cell(out, loss->outcome);
	buffer_add(out, " ");
	add_escaped(out, loss->reason ? loss->reason : "");
	buffer_format(out, "%s |\n", loss_note(loss));
}

static void add_unmeasured(struct buffer *out, const struct analysis *analysis)
{
	struct arena arena = {0};
	struct loss *losses;
	size_t count;

	if (losses_find(&arena, analysis, &losses, &count)) {
		out->failed = true;
		count = 0;
	}
	if (count)
		buffer_add(out,
			   "## Not measured\n\n| variant | where | metrics | boots | outcome | "
			   "reason |\n|---|---|---|--:|---|---|\n");
	for (size_t i = 0; i < count; i++)
		add_loss(out, analysis, &losses[i]);
	if (count)
		buffer_add(out, "\n");
	arena_release(&arena);
}

static void add_variants(struct buffer *out, const struct analysis *analysis)
{
	buffer_add(out,
		   "## Variants\n\n| variant | kernel | arguments | boots | ended well | health |\n"
		   "|---|---|---|--:|--:|---|\n");
	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		const struct variant_info *variant = &analysis->results->variants[i];
		const struct variant_sum *sum = &analysis->variants[i];

		buffer_add(out, "|");
		add_cell(out, variant->label);
		add_cell(out, variant->kernel ? variant->kernel : "?");
		add_cell(out, variant->arguments);
		buffer_format(out, " %zu | %zu | %s |\n", sum->boots, sum->ok,
			      sum->unclean   ? "complaints in the kernel log"
			      : sum->unknown ? "kernel log not readable"
					     : "clean");
	}
	buffer_add(out, "\n");
}

static void add_method(struct buffer *out, const struct analysis *analysis)
{
	buffer_format(
		out,
		"## Method\n\nThe boot is the unit: one figure per boot and metric, boots against "
		"boots. Ratios are of geometric means with a 95 %% bootstrap interval over boots. "
		"Better and worse come from an exact permutation test at 5 %%, corrected by Holm "
		"for %zu primary tests and by Benjamini-Hochberg for %zu secondary ones; equivalent "
		"from two one-sided tests within %.3g %%; controls must agree within %.3g %%.\n",
		analysis->tests[FAMILY_PRIMARY], analysis->tests[FAMILY_SECONDARY],
		100 * analysis->margin, 100 * analysis->control_margin);
}

void markdown_write(struct buffer *out, const struct analysis *analysis)
{
	struct buffer line = {0};

	buffer_add(out, "# proxeval: ");
	for (size_t i = 0; i < analysis->results->n_campaigns; i++) {
		buffer_add(out, i ? ", " : "");
		add_escaped(out, analysis->results->campaigns[i].id);
	}
	buffer_add(out, "\n\n**");
	one_line_write(&line, analysis, 0);
	if (line.length)
		line.text[line.length - 1] = '\0';
	add_escaped(out, line.text ? line.text : "");
	buffer_release(&line);
	buffer_add(out, "**\n\n");
	add_list(out, "> **Warning:** ", analysis->warnings, analysis->n_loud);
	add_list(out, "- ", analysis->headline, analysis->n_headline);
	if (analysis->n_warnings)
		add_list(out, "- **Warning:** ", analysis->warnings + analysis->n_loud,
			 analysis->n_warnings - analysis->n_loud);
	add_facts(out, analysis);
	add_family(out, analysis, FAMILY_PRIMARY, "Primary metrics");
	add_machines(out, analysis);
	add_growths(out, analysis);
	add_family(out, analysis, FAMILY_CONTROL, "Controls");
	add_invariants(out, analysis);
	add_evidence(out, analysis);
	add_family(out, analysis, FAMILY_SECONDARY, "Secondary metrics");
	add_tails(out, analysis);
	add_unmeasured(out, analysis);
	add_variants(out, analysis);
	add_method(out, analysis);
}
