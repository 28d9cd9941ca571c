// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's test protocol, KTAP version 1 (Documentation/dev-tools/ktap.rst in the kernel's
 * tree): one test for the boots, one for the evidence, one per section, each with its verdicts
 * as subtests. doc/internals.md says which verdict becomes which result.
 */
#include <stdio.h>
#include <string.h>

#include "reports/export.h"

/* The subtests of one test; its body is kept until their number is known. */
struct group_of_tests {
	struct buffer body;
	size_t count, failed, skipped;
};

/*
 * @text where it can do no harm: on one line, and without the phrases with which kernel logs
 * end, at which a parser that reads consoles would stop. A name must not hold a # either.
 */
static void add_plain(struct buffer *out, const char *text, bool is_name)
{
	static const char *const endings[] = {
		"List of all partitions:", "not syncing: VFS:", "reboot: System halted"};

	while (*text) {
		const char *colon = NULL;
		char c = *text;

		for (size_t i = 0; i < sizeof(endings) / sizeof(*endings) && !colon; i++)
			if (!strncmp(text, endings[i], strlen(endings[i])))
				colon = strchr(text, ':');
		if (colon) {
			buffer_add_bytes(out, text, (size_t)(colon - text));
			text = colon;
			c = ';';
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			c = ' ';
		if (is_name && c == '#')
			c = '_';
		buffer_add_bytes(out, &c, 1);
		text++;
	}
}

/* "    # NAME: TEXT" */
static void add_diagnostic(struct buffer *out, const char *indent, const char *name,
			   const char *text)
{
	buffer_format(out, "%s# ", indent);
	if (name)
		add_plain(out, name, false);
	buffer_add(out, name ? ": " : "");
	add_plain(out, text, false);
	buffer_add(out, "\n");
}

static const char *result_word(enum export_status status)
{
	return status == EXPORT_FAILED || status == EXPORT_BROKEN ? "not ok" : "ok";
}

/* The directive that says more than the result; NULL: none. */
static const char *directive(enum export_status status)
{
	switch (status) {
	case EXPORT_BROKEN:
		return "ERROR";
	case EXPORT_OPEN:
	case EXPORT_SKIPPED:
		return "SKIP";
	default:
		return NULL;
	}
}

static void add_point(struct group_of_tests *group, enum export_status status, const char *name,
		      const char *reason)
{
	struct buffer *out = &group->body;

	group->count++;
	group->failed += status == EXPORT_FAILED || status == EXPORT_BROKEN;
	group->skipped += status == EXPORT_OPEN || status == EXPORT_SKIPPED;
	buffer_format(out, "  %s %zu ", result_word(status), group->count);
	add_plain(out, name, true);
	if (directive(status) || *reason) {
		buffer_format(out, " # %s%s", directive(status) ? directive(status) : "",
			      directive(status) && *reason ? " " : "");
		add_plain(out, reason, false);
	}
	buffer_add(out, "\n");
}

/* Writes the test with its subtests, and empties the group. */
static void end_group(struct buffer *out, size_t number, const char *name,
		      struct group_of_tests *group)
{
	bool is_skipped = group->skipped == group->count;

	if (group->count) {
		buffer_add(out, "  KTAP version 1\n  # Subtest: ");
		add_plain(out, name, true);
		buffer_format(out, "\n  1..%zu\n", group->count);
	}
	if (group->body.text)
		buffer_add(out, group->body.text);
	buffer_format(out, "%s %zu ", group->failed ? "not ok" : "ok", number);
	add_plain(out, name, true);
	if (!group->count)
		buffer_add(out, " # SKIP nothing in it is judged");
	else if (is_skipped)
		buffer_add(out, " # SKIP none of its tests has a result");
	buffer_add(out, "\n");
	out->failed = out->failed || group->body.failed;
	buffer_release(&group->body);
	*group = (struct group_of_tests){0};
}

static void add_variant_boots(struct group_of_tests *group, const struct variant_info *variant,
			      const struct variant_sum *sum)
{
	char name[200], text[200];

	snprintf(name, sizeof(name), "boots %.180s", variant->label);
	snprintf(text, sizeof(text), "%zu of %zu boots ended well", sum->ok, sum->boots);
	add_point(group, sum->crashed ? EXPORT_FAILED : EXPORT_FINE, name, text);
	for (size_t i = 0; i < sum->n_reports; i++)
		add_diagnostic(&group->body, "  ", "kernel log", sum->reports[i]);
	snprintf(name, sizeof(name), "health %.180s", variant->label);
	snprintf(text, sizeof(text), "%zu boots clean, %zu not, %zu unknown", sum->clean,
		 sum->unclean, sum->unknown);
	add_point(group,
		  sum->unclean ? EXPORT_FAILED
		  : sum->clean ? EXPORT_FINE
			       : EXPORT_SKIPPED,
		  name, text);
}

static void write_boots(struct buffer *out, size_t number, const struct analysis *analysis)
{
	const struct results *results = analysis->results;
	struct group_of_tests group = {0};

	for (size_t i = 0; i < results->n_variants; i++)
		add_variant_boots(&group, &results->variants[i], &analysis->variants[i]);
	end_group(out, number, "boots", &group);
}

static void write_evidence(struct buffer *out, size_t number, const struct analysis *analysis)
{
	struct group_of_tests group = {0};
	char name[300], text[200];

	for (size_t i = 0; i < analysis->n_evidence; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];

		snprintf(name, sizeof(name), "%.140s %.140s", sum->name,
			 analysis->results->variants[sum->variant].label);
		snprintf(text, sizeof(text),
			 "held in %llu of %llu sections, seen %llu of %llu times",
			 (unsigned long long)sum->held, (unsigned long long)sum->sections,
			 (unsigned long long)sum->observed, (unsigned long long)sum->expected);
		add_point(&group, sum->held == sum->sections ? EXPORT_FINE : EXPORT_FAILED, name,
			  text);
	}
	end_group(out, number, "evidence", &group);
}

static void add_comparison(struct group_of_tests *group, const struct analysis *analysis,
			   const struct comparison *comparison)
{
	const struct results *results = analysis->results;
	const char *metric =
		results->sections[comparison->section].metrics[comparison->metric].name;
	enum export_status status = export_comparison_status(analysis, comparison);
	char name[400], text[EXPORT_TEXT_MAX], figures[EXPORT_TEXT_MAX];

	snprintf(name, sizeof(name), "%.120s %s %.120s against %.120s", metric,
		 statistic_word(comparison->statistic),
		 results->variants[comparison->variant].label,
		 results->variants[comparison->against].label);
	add_diagnostic(&group->body, "  ", name, comparison_text(analysis, comparison, figures));
	if (status == EXPORT_FIGURE)
		return;
	export_status_text(analysis, comparison, text);
	add_point(group, status, name, *text ? text : verdict_word(comparison->verdict));
}

static void add_invariant(struct group_of_tests *group, const struct analysis *analysis,
			  const struct invariant *invariant)
{
	const struct results *results = analysis->results;
	char name[300], text[200];

	snprintf(name, sizeof(name), "%.140s %.140s",
		 results->sections[invariant->section].metrics[invariant->metric].name,
		 results->variants[invariant->variant].label);
	snprintf(text, sizeof(text), "%s: %llu violations in %llu tries",
		 verdict_word(invariant->verdict), (unsigned long long)invariant->violations,
		 (unsigned long long)invariant->exposure);
	add_point(group, export_invariant_status(invariant), name, text);
}

/* What gave no figure in this section, but also is not a verdict of its own. */
static void add_unmeasured(struct group_of_tests *group, const struct analysis *analysis,
			   size_t section)
{
	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];
		char name[300];

		if (what->section != section || what->metric != SIZE_MAX)
			continue;
		snprintf(name, sizeof(name), "section %.200s: %s in %zu boots",
			 analysis->results->variants[what->variant].label, what->outcome,
			 what->boots);
		add_point(group, was_tried(what) ? EXPORT_BROKEN : EXPORT_SKIPPED, name,
			  what->reason ? what->reason : "no reason is known");
	}
}

static void write_section(struct buffer *out, size_t number, const struct analysis *analysis,
			  size_t section)
{
	struct group_of_tests group = {0};

	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (analysis->comparisons[i].section == section)
			add_comparison(&group, analysis, &analysis->comparisons[i]);
	for (size_t i = 0; i < analysis->n_invariants; i++)
		if (analysis->invariants[i].section == section)
			add_invariant(&group, analysis, &analysis->invariants[i]);
	add_unmeasured(&group, analysis, section);
	end_group(out, number, analysis->results->sections[section].id, &group);
}

static void write_ktap(struct buffer *out, const struct analysis *analysis,
		       const struct export_options *options)
{
	const struct results *results = analysis->results;
	size_t number = 1;

	(void)options;
	buffer_format(out, "KTAP version 1\n1..%zu\n",
		      1 + (analysis->n_evidence > 0) + results->n_sections);
	for (size_t i = 0; i < analysis->n_headline; i++)
		add_diagnostic(out, "", NULL, analysis->headline[i]);
	for (size_t i = 0; i < analysis->n_warnings; i++)
		add_diagnostic(out, "", "warning", analysis->warnings[i]);
	write_boots(out, number++, analysis);
	if (analysis->n_evidence)
		write_evidence(out, number++, analysis);
	for (size_t i = 0; i < results->n_sections; i++)
		write_section(out, number++, analysis, i);
}

const struct exporter export_ktap = {.name = "ktap", .write = write_ktap};
