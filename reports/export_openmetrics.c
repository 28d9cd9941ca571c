// SPDX-License-Identifier: GPL-2.0-only
/*
 * OpenMetrics text 1.0. Figures are in base units, as the format asks: seconds where the
 * results have nanoseconds. One gauge family per metric; its samples are the means over a
 * variant's boots, as the comparisons have them. doc/internals.md lists the families.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reports/export.h"

/* One metric of the results in all its sections. */
struct metric_family {
	const char *metric, *unit; /* as the results have them */
	const char *name;	   /* "proxeval_donor_wait_seconds" */
};

struct page {
	struct buffer *out;
	const struct analysis *analysis;
	struct arena arena;
	struct metric_family *families;
	size_t n_families;
	double *timestamps; /* seconds, by variant; NaN: none known or none wanted */
};

/* The families that are ours; a measured metric must not take their names. */
static const char *const own_families[] = {
	"proxeval_variant",
	"proxeval_exit_code",
	"proxeval_boots",
	"proxeval_comparison_ratio",
	"proxeval_verdict",
	"proxeval_invariant_violations",
	"proxeval_variant_info",
	"proxeval_invariant_exposure",
	NULL,
};

static void add_escaped(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			buffer_format(out, "\\%c", *text);
		else if (*text == '\n')
			buffer_add(out, "\\n");
		else
			buffer_format(out, "%c",
				      (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
	}
}

/* `name="value"`; the first label of a sample has @is_first. NULL adds nothing. */
static void add_label(struct page *page, bool is_first, const char *name, const char *value)
{
	if (!value)
		return;
	buffer_format(page->out, "%s%s=\"", is_first ? "" : ",", name);
	add_escaped(page->out, value);
	buffer_add(page->out, "\"");
}

static void begin_family(struct page *page, const char *name, const char *type, const char *unit,
			 const char *help)
{
	buffer_format(page->out, "# TYPE %s %s\n", name, type);
	if (*unit)
		buffer_format(page->out, "# UNIT %s %s\n", name, unit);
	buffer_format(page->out, "# HELP %s ", name);
	add_escaped(page->out, help);
	buffer_add(page->out, "\n");
}

static void end_sample(struct page *page, size_t variant, double value)
{
	char text[EXACT_NUMBER_MAX];

	buffer_format(page->out, "} %s", exact_number(value, text));
	if (!isnan(page->timestamps[variant]))
		buffer_format(page->out, " %.0f", page->timestamps[variant]);
	buffer_add(page->out, "\n");
}

static const char *variant_label(const struct page *page, size_t variant)
{
	return page->analysis->results->variants[variant].label;
}

static void add_variants(struct page *page)
{
	const struct results *results = page->analysis->results;

	begin_family(page, "proxeval_variant", "info", "", "What was measured.");
	for (size_t i = 0; i < results->n_variants; i++) {
		const struct variant_info *variant = &results->variants[i];

		buffer_add(page->out, "proxeval_variant_info{");
		add_label(page, true, "variant", variant->label);
		add_label(page, false, "baseline",
			  i == page->analysis->baseline ? "true" : "false");
		add_label(page, false, "target", results->target);
		add_label(page, false, "time", results->time);
		add_label(page, false, "kernel", variant->kernel);
		add_label(page, false, "arguments", variant->arguments);
		add_label(page, false, "image_sha256", variant->image_sha256);
		end_sample(page, i, 1);
	}
}

static void add_boots(struct page *page)
{
	static const char *const states[] = {"ok", "crashed", "clean", "unclean", "unknown_health"};

	begin_family(page, "proxeval_boots", "gauge", "",
		     "Boots of a variant: that ended well, that did not, and what their kernel "
		     "logs say.");
	for (size_t i = 0; i < page->analysis->results->n_variants; i++) {
		const struct variant_sum *sum = &page->analysis->variants[i];
		const size_t counts[] = {sum->ok, sum->crashed, sum->clean, sum->unclean,
					 sum->unknown};

		for (size_t state = 0; state < sizeof(counts) / sizeof(*counts); state++) {
			buffer_add(page->out, "proxeval_boots{");
			add_label(page, true, "variant", variant_label(page, i));
			add_label(page, false, "state", states[state]);
			end_sample(page, i, (double)counts[state]);
		}
	}
}

static bool is_name_taken(const struct page *page, const char *name)
{
	for (const char *const *own = own_families; *own; own++)
		if (!strcmp(*own, name))
			return true;
	for (size_t i = 0; i < page->n_families; i++)
		if (!strcmp(page->families[i].name, name))
			return true;
	return false;
}

/* "donor_wait_ns" in ns becomes "proxeval_donor_wait_seconds". NULL: out of memory. */
static const char *family_name(struct page *page, const struct metric_info *metric)
{
	size_t length = strlen(metric->name), unit = strlen(metric->unit);
	const char *base, *name;
	char plain[200];
	size_t base_length;

	to_base_unit(0, metric->unit, &base);
	base_length = strlen(base);
	/* "_ns" gives way to "_seconds"; "_percent" stays, as there may be a ratio of that name. */
	if (unit && length > unit + 1 && metric->name[length - unit - 1] == '_' &&
	    !strcmp(metric->name + length - unit, metric->unit) &&
	    (!strcmp(base, "seconds") || !strcmp(base, metric->unit)))
		length -= unit + 1;
	snprintf(plain, sizeof(plain), "%.*s", length > 150 ? 150 : (int)length, metric->name);
	for (char *c = plain; *c; c++)
		if (!isascii(*c) || !isalnum((unsigned char)*c))
			*c = '_';
	name = arena_format(&page->arena, "proxeval_%s%s%s", plain, base_length ? "_" : "", base);
	/* The unit has to stay the name's end. */
	for (int i = 2; name && is_name_taken(page, name); i++)
		name = arena_format(&page->arena, "proxeval_%s_%d%s%s", plain, i,
				    base_length ? "_" : "", base);
	return name;
}

static void collect_family(struct page *page, const struct metric_info *metric)
{
	struct metric_family *added;
	const char *name;

	if (metric->kind == METRIC_INVARIANT)
		return;
	for (size_t i = 0; i < page->n_families; i++)
		if (!strcmp(page->families[i].metric, metric->name) &&
		    !strcmp(page->families[i].unit, metric->unit))
			return;
	name = family_name(page, metric);
	added = name ? arena_append(&page->arena, &page->families, &page->n_families,
				    sizeof(*added))
		     : NULL;
	if (added)
		*added = (struct metric_family){metric->name, metric->unit, name};
	else
		page->out->failed = true;
}

static void collect_families(struct page *page)
{
	const struct results *results = page->analysis->results;

	for (size_t i = 0; i < results->n_sections && !page->out->failed; i++)
		for (size_t j = 0; j < results->sections[i].n_metrics && !page->out->failed; j++)
			collect_family(page, &results->sections[i].metrics[j]);
}

static void add_place(struct page *page, size_t section_index, size_t variant)
{
	const struct section_info *section = &page->analysis->results->sections[section_index];

	add_label(page, true, "variant", variant_label(page, variant));
	add_label(page, false, "section", section->id);
	add_label(page, false, "workload", section->workload);
	add_label(page, false, "placement", section->placement);
}

/* Where nothing compares it: geometric where all values are positive. */
static double own_mean(const struct group *group)
{
	double sum = 0;
	bool is_log = true;

	for (size_t i = 0; i < group->n_boots; i++)
		is_log = is_log && group->values[i] > 0;
	for (size_t i = 0; i < group->n_boots; i++)
		sum += is_log ? log(group->values[i]) : group->values[i];
	sum /= (double)group->n_boots;
	return is_log ? exp(sum) : sum;
}

/* A variant's mean over its boots; the very one of the comparisons where there is one. */
static double shown_mean(const struct page *page, size_t section, const char *metric,
			 enum statistic statistic, size_t variant, const struct group *group)
{
	const struct analysis *analysis = page->analysis;
	const struct comparison *found;

	found = analysis_find(analysis, section, metric, statistic, variant);
	if (found && isfinite(found->other.centre))
		return found->other.centre;
	for (size_t other = 0; other < analysis->results->n_variants; other++) {
		found = analysis_find(analysis, section, metric, statistic, other);
		if (found && found->against == variant && isfinite(found->baseline.centre))
			return found->baseline.centre;
	}
	return own_mean(group);
}

static void add_measured(struct page *page, const struct metric_family *family, size_t section,
			 size_t metric)
{
	const struct results *results = page->analysis->results;
	const char *base;
	struct group group;

	for (size_t variant = 0; variant < results->n_variants; variant++)
		for (int i = 0; i < STATISTICS; i++) {
			if (group_collect(&page->arena, results, section, metric, (enum statistic)i,
					  variant, &group))
				page->out->failed = true;
			if (page->out->failed || !group.n_boots)
				continue;
			buffer_format(page->out, "%s{", family->name);
			add_place(page, section, variant);
			add_label(page, false, "statistic", statistic_word((enum statistic)i));
			end_sample(page, variant,
				   to_base_unit(shown_mean(page, section, family->metric,
							   (enum statistic)i, variant, &group),
						family->unit, &base));
		}
}

static void add_family(struct page *page, const struct metric_family *family)
{
	const struct results *results = page->analysis->results;
	const char *base;
	char help[300];

	to_base_unit(0, family->unit, &base);
	snprintf(
		help, sizeof(help),
		"%.100s (%.40s in the results): the mean over a variant's boots, geometric where all are positive.",
		family->metric, family->unit);
	begin_family(page, family->name, "gauge", base, help);
	for (size_t i = 0; i < results->n_sections; i++)
		for (size_t j = 0; j < results->sections[i].n_metrics; j++) {
			const struct metric_info *metric = &results->sections[i].metrics[j];

			if (metric->kind != METRIC_INVARIANT &&
			    !strcmp(metric->name, family->metric) &&
			    !strcmp(metric->unit, family->unit))
				add_measured(page, family, i, j);
		}
}

/* What a comparison is of. */
static void add_subject(struct page *page, const struct comparison *comparison)
{
	const struct results *results = page->analysis->results;

	add_place(page, comparison->section, comparison->variant);
	add_label(page, false, "metric",
		  results->sections[comparison->section].metrics[comparison->metric].name);
	add_label(page, false, "statistic", statistic_word(comparison->statistic));
	add_label(page, false, "baseline", variant_label(page, comparison->against));
}

static void add_ratios(struct page *page)
{
	static const char *const bounds[] = {"low", "estimate", "high"};

	begin_family(page, "proxeval_comparison_ratio", "gauge", "ratio",
		     "A variant's figure over the baseline's, with its confidence interval.");
	for (size_t i = 0; i < page->analysis->n_comparisons; i++) {
		const struct comparison *comparison = &page->analysis->comparisons[i];
		const double values[] = {comparison->ratio_low, comparison->ratio,
					 comparison->ratio_high};

		for (int bound = 0; bound < 3; bound++) {
			if (!isfinite(values[bound]))
				continue;
			buffer_add(page->out, "proxeval_comparison_ratio{");
			add_subject(page, comparison);
			add_label(page, false, "bound", bounds[bound]);
			end_sample(page, comparison->variant, values[bound]);
		}
	}
}

static void add_verdicts(struct page *page)
{
	begin_family(page, "proxeval_verdict", "stateset", "",
		     "The verdict on a metric's main figure against the baseline.");
	for (size_t i = 0; i < page->analysis->n_comparisons; i++) {
		const struct comparison *comparison = &page->analysis->comparisons[i];
		const struct section_info *section =
			&page->analysis->results->sections[comparison->section];
		enum metric_kind kind = section->metrics[comparison->metric].kind;

		/* A control's agreement is a verdict of its own words. */
		if (comparison->statistic != main_statistic(kind) ||
		    comparison->verdict == VERDICT_NOT_JUDGED)
			continue;
		for (int state = VERDICT_BETTER; state <= VERDICT_UNCLEAR; state++) {
			if (state == VERDICT_NOT_JUDGED)
				continue;
			buffer_add(page->out, "proxeval_verdict{");
			add_subject(page, comparison);
			add_label(page, false, "proxeval_verdict",
				  verdict_word((enum verdict)state));
			end_sample(page, comparison->variant,
				   (enum verdict)state == comparison->verdict);
		}
	}
}

static void add_invariants(struct page *page, const char *name, bool has_exposure)
{
	const struct analysis *analysis = page->analysis;

	begin_family(page, name, "gauge", "",
		     has_exposure ? "How often an invariant was tried, over a variant's boots."
				  : "How often an invariant was violated, over a variant's boots.");
	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];
		const struct section_info *section =
			&analysis->results->sections[invariant->section];

		buffer_format(page->out, "%s{", name);
		add_place(page, invariant->section, invariant->variant);
		add_label(page, false, "metric", section->metrics[invariant->metric].name);
		end_sample(page, invariant->variant,
			   (double)(has_exposure ? invariant->exposure : invariant->violations));
	}
}

static void collect_timestamps(struct page *page, bool is_wanted)
{
	const struct results *results = page->analysis->results;
	struct tm parts;

	page->timestamps = arena_alloc(&page->arena, (results->n_variants + 1) * sizeof(double));
	if (!page->timestamps) {
		page->out->failed = true;
		return;
	}
	for (size_t i = 0; i < results->n_variants; i++)
		page->timestamps[i] = NAN;
	for (size_t i = 0; i < results->n_boots && is_wanted; i++) {
		const struct boot *boot = &results->boots[i];
		double *latest = &page->timestamps[boot->variant], started;
		const char *end;

		parts = (struct tm){0};
		end = boot->started ? strptime(boot->started, "%Y-%m-%dT%H:%M:%SZ", &parts) : NULL;
		if (!end || *end)
			continue;
		started = (double)timegm(&parts);
		if (isnan(*latest) || started > *latest)
			*latest = started;
	}
}

static void write_openmetrics(struct buffer *out, const struct analysis *analysis,
			      const struct export_options *options)
{
	struct page page = {.out = out, .analysis = analysis};

	collect_timestamps(&page, options->has_timestamps);
	if (!out->failed)
		collect_families(&page);
	if (!out->failed) {
		add_variants(&page);
		begin_family(&page, "proxeval_exit_code", "gauge", "",
			     "What 'proxeval compare' would exit with.");
		buffer_format(out, "proxeval_exit_code %d\n", analysis->exit_code);
		add_boots(&page);
		for (size_t i = 0; i < page.n_families; i++)
			add_family(&page, &page.families[i]);
		add_ratios(&page);
		add_verdicts(&page);
		add_invariants(&page, "proxeval_invariant_violations", false);
		add_invariants(&page, "proxeval_invariant_exposure", true);
		buffer_add(out, "# EOF\n");
	}
	arena_release(&page.arena);
}

const struct exporter export_openmetrics = {.name = "openmetrics", .write = write_openmetrics};
