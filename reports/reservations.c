// SPDX-License-Identifier: GPL-2.0-only
/* What a reader must know before believing the headline. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "reports/findings.h"
#include "reports/format.h"
#include "reports/sentences.h"

static int warn_controls(struct analysis *analysis)
{
	int err = 0;

	for (size_t i = 0; i < analysis->n_comparisons && !err; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		struct buffer text = {0};
		char ratio[FORMATTED_MAX];

		if (comparison->verdict != VERDICT_DISAGREE)
			continue;
		buffer_format(
			&text,
			"A CONTROL DISAGREES: %s (%s) is x %s with %s, though proxy execution cannot "
			"touch it; something else differs between the variants, so trust no verdict "
			"below",
			metric_of(analysis, comparison)->name,
			analysis->results->sections[comparison->section].placement,
			format_ratio(ratio, comparison->ratio),
			label_of(analysis, comparison->variant));
		err = add_warning(analysis, &text);
	}
	return err;
}

static bool is_variant_measured(const struct analysis *analysis, const char *plain_label)
{
	for (size_t i = 0; i < analysis->results->n_variants; i++)
		if (!strcmp(analysis->results->variants[i].plain_label, plain_label))
			return true;
	return false;
}

/* Variants that the campaign planned and that no boot is of. */
static int warn_planned(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	int err = 0;

	/* What was left out by choice is not missing. */
	for (size_t i = 0; i < results->n_campaigns && !results->selection; i++) {
		struct json_object *list = NULL;

		if (!results->campaigns[i].document ||
		    !json_object_object_get_ex(results->campaigns[i].document, "variants", &list) ||
		    !json_object_is_type(list, json_type_array))
			continue;
		for (size_t j = 0; j < json_object_array_length(list) && !err; j++) {
			const char *label = json_text_at(json_object_array_get_idx(list, j),
							 (const char *[]){"label", NULL});
			struct buffer text = {0};

			if (!label || is_variant_measured(analysis, label))
				continue;
			analysis->n_missing_variants++;
			buffer_format(&text,
				      "no boot of %s is there, though campaign %s planned it",
				      label, results->campaigns[i].id);
			err = add_warning(analysis, &text);
		}
	}
	return err;
}

static int warn_boots(struct analysis *analysis)
{
	int err = 0;

	for (size_t i = 0; i < analysis->results->n_variants && !err; i++) {
		const struct variant_sum *sum = &analysis->variants[i];
		struct buffer text = {0};

		if (sum->crashed) {
			buffer_format(&text,
				      "%zu of %zu boots of %s did not end well; see what was not "
				      "measured",
				      sum->crashed, sum->boots, label_of(analysis, i));
			err = add_warning(analysis, &text);
		}
		if (!err && sum->unclean) {
			text = (struct buffer){0};
			buffer_format(&text, "the kernel complained in %zu of %zu boots of %s%s%s",
				      sum->unclean, sum->boots, label_of(analysis, i),
				      sum->n_reports ? ": " : "",
				      sum->n_reports ? sum->reports[0] : "");
			err = add_warning(analysis, &text);
		}
	}
	return err;
}

static int warn_replays(struct analysis *analysis)
{
	size_t replays = analysis->results->n_replays;
	struct buffer text = {0};

	if (!replays)
		return 0;
	buffer_format(&text,
		      "%zu boot%s left out as replays: in virtual time the same kernel, seed and "
		      "sections give the same figures again, and count once",
		      replays, replays == 1 ? " was" : "s were");
	return add_warning(analysis, &text);
}

static int warn_divided(struct analysis *analysis)
{
	size_t divided = analysis->results->n_divided;
	struct buffer text = {0};

	if (!divided)
		return 0;
	buffer_format(&text,
		      "%zu sections differ in nothing but parameters that not all boots had: they "
		      "are not compared with each other",
		      divided);
	return add_warning(analysis, &text);
}

static int warn_selection(struct analysis *analysis)
{
	struct buffer text = {0};

	if (!analysis->results->selection)
		return 0;
	buffer_format(&text,
		      "only a part was compared (%s): the corrections for many tests are for this "
		      "part, which holds if it was chosen before looking",
		      analysis->results->selection);
	return add_warning(analysis, &text);
}

static int warn_left_out(struct analysis *analysis)
{
	size_t left_out = 0;
	struct buffer text = {0};

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		size_t both = comparison->baseline.left_out + comparison->other.left_out;

		if (both > left_out)
			left_out = both;
	}
	if (!left_out)
		return 0;
	buffer_format(&text,
		      "%zu boot%s no partner in %s round and %s left out of the paired tests",
		      left_out, left_out == 1 ? " has" : "s have", left_out == 1 ? "its" : "their",
		      left_out == 1 ? "is" : "are");
	return add_warning(analysis, &text);
}

/* Boots on machines, or with parameters, that the other side of a comparison has none of. */
static int warn_apart(struct analysis *analysis)
{
	size_t apart = 0;
	struct buffer text = {0};

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		size_t both = comparison->baseline.apart + comparison->other.apart;

		if (both > apart)
			apart = both;
	}
	if (!apart)
		return 0;
	buffer_format(&text,
		      "%zu boot%s left out of a comparison: the other side has none on the same "
		      "machine",
		      apart, apart == 1 ? " is" : "s are");
	return add_warning(analysis, &text);
}

static int warn_evidence(struct analysis *analysis)
{
	int err = 0;

	for (size_t i = 0; i < analysis->n_evidence && !err; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];
		struct buffer text = {0};

		if (sum->held == sum->sections)
			continue;
		buffer_format(&text, "the evidence '%s' is missing in %llu of %llu sections of %s",
			      sum->name, (unsigned long long)(sum->sections - sum->held),
			      (unsigned long long)sum->sections, label_of(analysis, sum->variant));
		err = add_warning(analysis, &text);
	}
	return err;
}

/* A primary metric that is broken in some boots: what is left may be a selection. */
static int warn_unmeasured(struct analysis *analysis)
{
	size_t broken = 0;
	struct buffer text = {0};

	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];

		if (is_about_primary(analysis, what) && strcmp(what->outcome, "unsupported"))
			broken += what->boots;
	}
	if (!broken)
		return 0;
	buffer_format(&text,
		      "a primary metric is missing or broken %zu time%s; see what was not "
		      "measured",
		      broken, plural(broken));
	return add_warning(analysis, &text);
}

int reservations_make(struct analysis *analysis)
{
	int err = warn_controls(analysis);

	if (!err)
		err = warn_boots(analysis);
	if (!err)
		err = warn_unmeasured(analysis);
	if (!err)
		err = warn_divided(analysis);
	analysis->n_loud = analysis->n_warnings;
	if (!err)
		err = warn_planned(analysis);
	if (!err)
		err = warn_selection(analysis);
	if (!err)
		err = warn_replays(analysis);
	if (!err)
		err = warn_left_out(analysis);
	if (!err)
		err = warn_apart(analysis);
	return err ? err : warn_evidence(analysis);
}
