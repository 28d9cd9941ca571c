// SPDX-License-Identifier: GPL-2.0-only
/* What a comparison comes to in one line, for a commit's status or a log. */
#include "reports/findings.h"
#include "reports/page.h"
#include "reports/writers.h"

/* The labels' room: with the longest counts the line still fits. */
#define LINE_LABEL_MAX 14

static void add_label(struct buffer *out, const char *label)
{
	char shown[LINE_LABEL_MAX + 1];
	struct buffer ascii = {0};

	page_add_ascii(&ascii, label);
	page_shorten(shown, sizeof(shown), ascii.text ? ascii.text : "", LINE_LABEL_MAX);
	buffer_add(out, shown);
	out->failed |= ascii.failed;
	buffer_release(&ascii);
}

/* "6 boots each", "5 to 6 boots each": those that went well. */
static void add_boots(struct buffer *out, const struct analysis *analysis)
{
	size_t least = SIZE_MAX, most = 0;

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		size_t ok = analysis->variants[i].ok;

		least = ok < least ? ok : least;
		most = ok > most ? ok : most;
	}
	if (least < most)
		buffer_format(out, "%zu to %zu boots each", least, most);
	else
		buffer_format(out, "%zu boot%s each", most, most == 1 ? "" : "s");
}

static void add_variants(struct buffer *out, const struct analysis *analysis)
{
	const struct results *results = analysis->results;
	size_t other = analysis->baseline ? 0 : 1;

	if (results->n_variants == 2) {
		add_label(out, results->variants[other].label);
		buffer_add(out, " against ");
		add_label(out, results->variants[analysis->baseline].label);
	} else if (results->n_variants == 1) {
		buffer_add(out, "only ");
		add_label(out, results->variants[0].label);
	} else {
		buffer_format(out, "%zu variants", results->n_variants);
	}
}

/* Adds what still fits into the line, as a whole or not at all. */
static void add_part(struct buffer *line, size_t limit, struct buffer *part)
{
	if (part->text && (!limit || line->length + part->length <= limit))
		buffer_add(line, part->text);
	line->failed |= part->failed;
	buffer_release(part);
}

void one_line_write(struct buffer *out, const struct analysis *analysis, size_t limit)
{
	size_t unhealthy = finding_count(analysis, FINDING_UNHEALTHY);
	size_t of_baseline = baseline_violations(analysis);
	struct buffer line = {0}, part = {0};

	buffer_format(&line,
		      "proxeval: %zu better, %zu worse, %zu equivalent, %zu inconclusive, "
		      "%zu not-measured, %zu violated",
		      count_verdicts(analysis, FAMILY_PRIMARY, VERDICT_BETTER),
		      finding_count(analysis, FINDING_WORSE),
		      count_verdicts(analysis, FAMILY_PRIMARY, VERDICT_EQUIVALENT),
		      finding_count(analysis, FINDING_INCONCLUSIVE),
		      finding_count(analysis, FINDING_NOT_MEASURED),
		      finding_count(analysis, FINDING_VIOLATED));
	if (of_baseline)
		buffer_format(&line, ", %zu by the baseline", of_baseline);
	if (unhealthy)
		buffer_format(&line, ", %zu unhealthy", unhealthy);
	buffer_add(&part, "; ");
	add_variants(&part, analysis);
	add_part(&line, limit, &part);
	buffer_add(&part, ", ");
	add_boots(&part, analysis);
	add_part(&line, limit, &part);
	buffer_format(&part, ", %.8s %.8s", analysis->results->target, analysis->results->time);
	add_part(&line, limit, &part);
	if (analysis->results->n_machines > 1)
		buffer_format(&part, ", %zu machines", analysis->results->n_machines);
	add_part(&line, limit, &part);
	buffer_format(out, "%s\n", line.text ? line.text : "");
	out->failed |= line.failed;
	buffer_release(&line);
}
