// SPDX-License-Identifier: GPL-2.0-only
/* index.html: one page that needs no network and no script. */
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"
#include "reports/html_style.h"
#include "reports/svg.h"
#include "reports/writers.h"

struct page {
	struct buffer *out;
	const struct analysis *analysis;
	const struct results *results;
	const char *directory; /* where the page will lie */
};

/* <NAME>TEXT</NAME>, escaped; NAME may carry attributes ("td class=\"n\""). */
static void add_element(struct page *page, const char *name, const char *text)
{
	buffer_format(page->out, "<%s>", name);
	buffer_add_html(page->out, text);
	buffer_format(page->out, "</%.*s>", (int)strcspn(name, " "), name);
}

static void add_cell(struct page *page, const char *text)
{
	add_element(page, "td", text);
}

static void add_number(struct page *page, const char *text)
{
	add_element(page, "td class=\"n\"", text);
}

static void add_count(struct page *page, uint64_t count)
{
	char text[FORMATTED_MAX];

	add_number(page, format_value(text, (double)count, "count"));
}

/* Opens a table with its heads; a head that begins with '>' is over numbers. */
static void open_table(struct page *page, const char *const *heads)
{
	buffer_add(page->out, "<div class=\"scroll\"><table><thead><tr>");
	for (; *heads; heads++)
		if (**heads == '>')
			add_element(page, "th class=\"n\"", *heads + 1);
		else
			add_element(page, "th", *heads);
	buffer_add(page->out, "</tr></thead><tbody>\n");
}

static void close_table(struct page *page)
{
	buffer_add(page->out, "</tbody></table></div>\n");
}

static const char *label_of(const struct page *page, size_t variant)
{
	return page->results->variants[variant].label;
}

static const struct metric_info *metric_of(const struct page *page,
					   const struct comparison *comparison)
{
	return &page->results->sections[comparison->section].metrics[comparison->metric];
}

static const char *chip_class(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BETTER:
	case VERDICT_HELD:
	case VERDICT_AGREE:
		return "good";
	case VERDICT_WORSE:
	case VERDICT_VIOLATED:
	case VERDICT_DISAGREE:
		return "bad";
	case VERDICT_INCONCLUSIVE:
	case VERDICT_NOT_MEASURED:
	case VERDICT_UNCLEAR:
	case VERDICT_UNTESTED:
		return "open";
	default:
		return "";
	}
}

static void add_chip_cell(struct page *page, enum verdict verdict)
{
	buffer_format(page->out, "<td class=\"keep\"><span class=\"chip %s\">%s</span>",
		      chip_class(verdict), verdict_word(verdict));
}

static void add_verdict(struct page *page, const struct comparison *comparison)
{
	add_chip_cell(page, comparison->verdict);
	if (comparison->verdict == VERDICT_INCONCLUSIVE && comparison->more_boots < 100000)
		buffer_format(page->out, "<br><span class=\"soft\">%zu more boot%s of each</span>",
			      comparison->more_boots, comparison->more_boots == 1 ? "" : "s");
	if (comparison->verdict == VERDICT_NOT_MEASURED && comparison->reason) {
		buffer_add(page->out, "<br><span class=\"soft\">");
		buffer_add_html(page->out, comparison->reason);
		buffer_add(page->out, "</span>");
	}
	buffer_add(page->out, "</td>");
}

/* "x 0.052, 0.049 to 0.054" and below it what that means. */
static void add_ratio(struct page *page, const struct comparison *comparison)
{
	char ratio[FORMATTED_MAX], low[FORMATTED_MAX], high[FORMATTED_MAX], change[FORMATTED_MAX];

	buffer_format(page->out, "<td class=\"n\">&times; %s</td><td class=\"keep\">",
		      format_ratio(ratio, comparison->ratio));
	if (!isnan(comparison->ratio_low))
		buffer_format(page->out, "%s to %s", format_ratio(low, comparison->ratio_low),
			      format_ratio(high, comparison->ratio_high));
	if (comparison->ratio > 0)
		buffer_format(page->out, "<br><span class=\"soft\">%s</span>",
			      format_change(change, comparison->ratio,
					    metric_of(page, comparison)->unit));
	buffer_add(page->out, "</td>");
}

static void add_header(struct page *page)
{
	const struct results *results = page->results;

	buffer_add(page->out,
		   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	buffer_format_html(page->out, "proxeval: %s", results->campaigns[0].id);
	buffer_format(page->out, "</title>\n<style>\n%s</style></head><body>\n<header><h1>",
		      html_style);
	for (size_t i = 0; i < results->n_variants; i++)
		buffer_format_html(page->out, "%s%s",
				   i ? " \xc2\xb7 " : "proxeval: ", label_of(page, i));
	buffer_add(page->out, "</h1>\n<p>Campaign ");
	for (size_t i = 0; i < results->n_campaigns; i++)
		buffer_format_html(page->out, "%s%s", i ? ", " : "", results->campaigns[i].id);
	if (results->boots[0].started)
		buffer_format_html(page->out, ", first boot %s", results->boots[0].started);
	buffer_add(page->out, "</p></header>\n");
}

static void add_headline(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	for (size_t i = 0; i < analysis->n_loud; i++)
		add_element(page, "p class=\"alert\"", analysis->warnings[i]);
	for (size_t i = 0; i < analysis->n_headline; i++) {
		const char *kind = !i				   ? "p class=\"say\""
				   : i + 1 == analysis->n_headline ? "p class=\"also soft\""
								   : "p class=\"also\"";

		add_element(page, kind, analysis->headline[i]);
		buffer_add(page->out, "\n");
	}
	for (size_t i = analysis->n_loud; i < analysis->n_warnings; i++)
		add_element(page, "p class=\"note\"", analysis->warnings[i]);
}

static void add_facts(struct page *page)
{
	buffer_add(page->out, "<details open><summary>What was measured</summary>\n"
			      "<div class=\"scroll\"><table><tbody>\n");
	for (size_t i = 0; i < page->analysis->n_facts; i++) {
		buffer_add(page->out, "<tr>");
		add_element(page, "td class=\"keep\"", page->analysis->facts[i].name);
		add_cell(page, page->analysis->facts[i].text);
		buffer_add(page->out, "</tr>\n");
	}
	buffer_add(page->out, "</tbody></table></div></details>\n");
}

static void add_key(struct page *page)
{
	buffer_add(page->out, "<div class=\"key\">");
	for (size_t i = 0; i < page->results->n_variants; i++) {
		buffer_format(page->out, "<span><i class=\"s%u\"></i>",
			      svg_series(page->analysis, i));
		buffer_add_html(page->out, label_of(page, i));
		buffer_format(page->out, "%s</span>",
			      i == page->analysis->baseline ? " (baseline)" : "");
	}
	buffer_add(page->out, "</div>\n");
}

/* The inversion factor of the same section, if the workload has one: both variants in one cell. */
static void add_factors(struct page *page, const struct comparison *comparison)
{
	const struct comparison *factor = NULL;
	char before[FORMATTED_MAX], after[FORMATTED_MAX];

	for (enum statistic statistic = 0; statistic < STATISTICS && !factor; statistic++)
		if (statistic == STATISTIC_P50 || statistic == STATISTIC_VALUE)
			factor = analysis_find(page->analysis, comparison->section,
					       "inversion_factor", statistic, comparison->variant);
	if (!factor) {
		buffer_add(page->out, "<td class=\"n\"></td>");
		return;
	}
	buffer_format(page->out, "<td class=\"n\">%s &rarr; %s</td>",
		      format_ratio(before, factor->baseline.centre),
		      format_ratio(after, factor->other.centre));
}

static void add_comparison_row(struct page *page, const struct comparison *comparison)
{
	const struct section_info *section = &page->results->sections[comparison->section];
	const struct metric_info *metric = metric_of(page, comparison);
	char text[FORMATTED_MAX];

	buffer_add(page->out, "<tr>");
	add_element(page, "td class=\"keep\"", section->placement);
	/* Early, so that a narrow screen shows it without scrolling. */
	add_verdict(page, comparison);
	add_cell(page, format_metric(text, metric, comparison->statistic));
	if (page->results->n_variants > 2)
		add_cell(page, label_of(page, comparison->variant));
	add_number(page, format_value(text, comparison->baseline.centre, metric->unit));
	add_number(page, format_value(text, comparison->other.centre, metric->unit));
	add_ratio(page, comparison);
	if (comparison->family == FAMILY_PRIMARY)
		add_factors(page, comparison);
	add_number(page, format_p(text, shown_p(comparison)));
	buffer_add(page->out, "</tr>\n");
}

static void open_comparison_table(struct page *page, enum family family)
{
	const char *heads[12];
	char before[128], after[128];
	size_t n = 0, other = page->analysis->baseline ? 0 : 1;
	bool has_many = page->results->n_variants > 2;

	snprintf(before, sizeof(before), ">%.120s", label_of(page, page->analysis->baseline));
	snprintf(after, sizeof(after), ">%.120s",
		 has_many || other >= page->results->n_variants ? "variant"
								: label_of(page, other));
	heads[n++] = "placement";
	heads[n++] = "verdict";
	heads[n++] = "metric";
	if (has_many)
		heads[n++] = "variant";
	heads[n++] = before;
	heads[n++] = after;
	heads[n++] = ">ratio";
	heads[n++] = "95 % interval";
	if (family == FAMILY_PRIMARY)
		heads[n++] = ">inversion factor";
	heads[n++] = family == FAMILY_CONTROL ? ">p of agreement" : ">p";
	heads[n] = NULL;
	open_table(page, heads);
}

static void add_family(struct page *page, enum family family)
{
	const struct analysis *analysis = page->analysis;

	open_comparison_table(page, family);
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (analysis->comparisons[i].family == family)
			add_comparison_row(page, &analysis->comparisons[i]);
	close_table(page);
}

static void add_primary(struct page *page)
{
	if (!page->analysis->tests[FAMILY_PRIMARY])
		return;
	buffer_add(page->out, "<h2>What was decided</h2>\n");
	add_family(page, FAMILY_PRIMARY);
}

static void add_effects(struct page *page)
{
	if (!page->analysis->tests[FAMILY_PRIMARY])
		return;
	buffer_add(
		page->out,
		"<h2>Effects</h2>\n<p class=\"soft\">Left of the dashed line is lower than "
		"the baseline; the band is the margin of equivalence.</p>\n<div class=\"cards\">\n");
	for (size_t i = 0; i < page->results->n_variants; i++) {
		if (i == page->analysis->baseline)
			continue;
		buffer_add(page->out, "<div class=\"card\"><h3>");
		buffer_format_html(page->out, "%s against %s", label_of(page, i),
				   label_of(page, page->analysis->baseline));
		buffer_add(page->out, "</h3>\n");
		svg_effects(page->out, page->analysis, FAMILY_PRIMARY, i);
		buffer_add(page->out, "</div>\n");
	}
	buffer_add(page->out, "</div>\n");
}

static void add_figure(struct page *page, size_t section, size_t metric)
{
	const struct section_info *info = &page->results->sections[section];
	const struct metric_info *metric_info = &info->metrics[metric];
	char name[FORMATTED_MAX];

	buffer_add(page->out, "<div class=\"card\"><h3>");
	buffer_format_html(page->out, "%s: %s", info->placement,
			   format_metric(name, metric_info, main_statistic(metric_info->kind)));
	buffer_add(page->out, "</h3>\n");
	if (metric_info->kind == METRIC_DISTRIBUTION)
		svg_distribution(page->out, page->analysis, section, metric);
	svg_boots(page->out, page->analysis, section, metric);
	buffer_add(page->out, "</div>\n");
}

/* What is shown at once and what is folded away. */
static bool is_folded(const struct metric_info *metric)
{
	return metric->role != ROLE_PRIMARY;
}

static void add_figures_of(struct page *page, size_t first, size_t end, bool folded)
{
	buffer_add(page->out, "<div class=\"cards\">\n");
	for (size_t section = first; section < end; section++) {
		const struct section_info *info = &page->results->sections[section];

		for (size_t metric = 0; metric < info->n_metrics; metric++)
			if (info->metrics[metric].kind != METRIC_INVARIANT &&
			    is_folded(&info->metrics[metric]) == folded)
				add_figure(page, section, metric);
	}
	buffer_add(page->out, "</div>\n");
}

static bool is_same_group(const struct section_info *a, const struct section_info *b)
{
	return !strcmp(a->workload, b->workload) && !strcmp(a->params, b->params);
}

/* A workload with its parameters: the sections are sorted so that its placements are neighbours. */
static void add_figures(struct page *page)
{
	const struct results *results = page->results;
	size_t end;

	for (size_t first = 0; first < results->n_sections; first = end) {
		for (end = first + 1; end < results->n_sections; end++)
			if (!is_same_group(&results->sections[first], &results->sections[end]))
				break;
		add_element(page, "h2", results->sections[first].workload);
		buffer_add(page->out, "\n<p class=\"soft\">");
		buffer_add_html(page->out, results->sections[first].params);
		buffer_add(page->out, "</p>\n");
		add_key(page);
		add_figures_of(page, first, end, false);
		buffer_add(page->out, "<details><summary>Controls and other figures</summary>\n");
		add_figures_of(page, first, end, true);
		buffer_add(page->out, "</details>\n");
	}
}

static void add_controls(struct page *page)
{
	if (!page->analysis->tests[FAMILY_CONTROL])
		return;
	buffer_format(
		page->out,
		"<h2>Controls</h2>\n<p class=\"soft\">Proxy execution cannot touch these: the "
		"variants must agree within %.3g %%. The p value is that of agreement.</p>\n",
		100 * page->analysis->control_margin);
	add_family(page, FAMILY_CONTROL);
}

static void add_invariants(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	if (!analysis->n_invariants)
		return;
	buffer_add(page->out, "<h2>Invariants</h2>\n<p class=\"soft\">Must never happen.</p>\n");
	open_table(page, (const char *[]){"placement", "what", "variant", ">seen", ">tried",
					  "verdict", NULL});
	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];
		const struct section_info *section = &page->results->sections[invariant->section];

		buffer_add(page->out, "<tr>");
		add_element(page, "td class=\"keep\"", section->placement);
		add_cell(page, section->metrics[invariant->metric].name);
		add_cell(page, label_of(page, invariant->variant));
		add_count(page, invariant->violations);
		add_count(page, invariant->exposure);
		add_chip_cell(page, invariant->verdict);
		buffer_add(page->out, "</td></tr>\n");
	}
	close_table(page);
}

static void add_evidence(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	if (!analysis->n_evidence)
		return;
	buffer_add(page->out,
		   "<h2>Evidence</h2>\n<p class=\"soft\">Proof that what was to be measured "
		   "really happened.</p>\n");
	open_table(page, (const char *[]){"what", "variant", ">seen", ">expected",
					  "held in sections", "", NULL});
	for (size_t i = 0; i < analysis->n_evidence; i++) {
		const struct evidence_sum *sum = &analysis->evidence[i];
		bool is_held = sum->held == sum->sections;

		buffer_add(page->out, "<tr>");
		add_cell(page, sum->name);
		add_cell(page, label_of(page, sum->variant));
		add_count(page, sum->observed);
		add_count(page, sum->expected);
		buffer_format(page->out,
			      "<td class=\"keep\"><span class=\"chip %s\">%llu of %llu</span></td>",
			      is_held ? "good" : "bad", (unsigned long long)sum->held,
			      (unsigned long long)sum->sections);
		add_element(page, "td class=\"soft\"", sum->text);
		buffer_add(page->out, "</tr>\n");
	}
	close_table(page);
}

static void add_secondary(struct page *page)
{
	if (!page->analysis->tests[FAMILY_SECONDARY])
		return;
	buffer_add(page->out, "<h2>Secondary metrics</h2>\n<details><summary>All of them, tails "
			      "included</summary>\n");
	add_family(page, FAMILY_SECONDARY);
	buffer_add(page->out, "</details>\n");
}

static void add_health(struct page *page)
{
	buffer_add(page->out, "<h2>Health</h2>\n");
	open_table(page, (const char *[]){"variant", ">boots", ">ended well", ">kernel log clean",
					  ">with complaints", ">not readable", NULL});
	for (size_t i = 0; i < page->results->n_variants; i++) {
		const struct variant_sum *sum = &page->analysis->variants[i];

		buffer_add(page->out, "<tr>");
		add_cell(page, label_of(page, i));
		add_count(page, sum->boots);
		add_count(page, sum->ok);
		add_count(page, sum->clean);
		add_count(page, sum->unclean);
		add_count(page, sum->unknown);
		buffer_add(page->out, "</tr>\n");
	}
	close_table(page);
	for (size_t i = 0; i < page->results->n_variants; i++)
		for (size_t j = 0; j < page->analysis->variants[i].n_reports; j++) {
			buffer_add(page->out, "<p class=\"alert\">");
			buffer_format_html(page->out, "%s: ", label_of(page, i));
			add_element(page, "code", page->analysis->variants[i].reports[j]);
			buffer_add(page->out, "</p>\n");
		}
}

static void add_unmeasured(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	if (!analysis->n_unmeasured)
		return;
	buffer_add(page->out, "<h2>Not measured</h2>\n");
	open_table(page, (const char *[]){"variant", "where", "metric", ">boots", "outcome", "why",
					  NULL});
	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];
		const struct section_info *section =
			what->section == SIZE_MAX ? NULL : &page->results->sections[what->section];

		buffer_add(page->out, "<tr>");
		add_cell(page, label_of(page, what->variant));
		add_cell(page, section ? section->id : "the whole boot");
		add_cell(page, section && what->metric != SIZE_MAX
				       ? section->metrics[what->metric].name
				       : "");
		add_count(page, what->boots);
		add_cell(page, what->outcome);
		add_cell(page, what->reason);
		buffer_add(page->out, "</tr>\n");
	}
	close_table(page);
}

/* A value of the environment as text: a string as it is, anything else as JSON. */
static const char *environment_text(struct json_object *value)
{
	if (!value)
		return "";
	if (json_object_is_type(value, json_type_string))
		return json_object_get_string(value);
	return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE);
}

static struct json_object *environment_value(const struct page *page, size_t variant,
					     const char *group, const char *key)
{
	const struct boot *boot = page->analysis->variants[variant].example;
	struct json_object *value = NULL;

	if (!boot || !json_object_object_get_ex(boot_environment(boot), group, &value))
		return NULL;
	if (key && (!json_object_is_type(value, json_type_object) ||
		    !json_object_object_get_ex(value, key, &value)))
		return NULL;
	return value;
}

/* An object as a small table of its own (the kernel's configuration), anything else as code. */
static void add_environment_value(struct page *page, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_object)) {
		add_element(page, "code", environment_text(value));
		return;
	}
	buffer_add(page->out, "<table><tbody>");
	json_object_object_foreach (value, key, inner) {
		buffer_add(page->out, "<tr>");
		add_element(page, "td class=\"keep\"", key);
		buffer_add(page->out, "<td>");
		add_element(page, "code", environment_text(inner));
		buffer_add(page->out, "</td></tr>\n");
	}
	buffer_add(page->out, "</tbody></table>");
}

/* One row: the value once where all variants have the same, else each variant's own. */
static void add_environment_row(struct page *page, const char *group, const char *key)
{
	size_t n = page->results->n_variants;
	char *first = strdup(environment_text(environment_value(page, 0, group, key)));
	bool is_same = true;

	if (!first) {
		page->out->failed = true;
		return;
	}
	for (size_t i = 1; i < n; i++)
		is_same &= !strcmp(first, environment_text(environment_value(page, i, group, key)));
	buffer_add(page->out, "<tr><td class=\"keep\">");
	buffer_format_html(page->out, "%s%s%s", group, key ? " " : "", key ? key : "");
	buffer_add(page->out, "</td>");
	if (is_same) {
		buffer_format(page->out, "<td colspan=\"%zu\">", n);
		add_environment_value(page, environment_value(page, 0, group, key));
		buffer_add(page->out, "</td>");
	}
	for (size_t i = 0; i < n && !is_same; i++) {
		buffer_add(page->out, "<td><span class=\"chip open\">differs</span> ");
		add_environment_value(page, environment_value(page, i, group, key));
		buffer_add(page->out, "</td>");
	}
	buffer_add(page->out, "</tr>\n");
	free(first);
}

/* Every key of the first variant's environment, groups opened one level. */
static void add_environment_rows(struct page *page, size_t variant)
{
	const struct boot *boot = page->analysis->variants[variant].example;

	json_object_object_foreach (boot_environment(boot), group, value) {
		if (!json_object_is_type(value, json_type_object)) {
			add_environment_row(page, group, NULL);
			continue;
		}
		json_object_object_foreach (value, key, inner) {
			(void)inner;
			add_environment_row(page, group, key);
		}
	}
}

static void add_environment(struct page *page)
{
	const struct results *results = page->results;
	size_t most = 0;

	/* A variant that never came up knows nothing of its environment. */
	for (size_t i = 0; i < results->n_variants; i++)
		if (page->analysis->variants[i].ok && !page->analysis->variants[most].ok)
			most = i;
	buffer_add(
		page->out,
		"<h2>Machine and kernel</h2>\n<div class=\"scroll\"><table><thead><tr><th></th>");
	for (size_t i = 0; i < results->n_variants; i++)
		add_element(page, "th", label_of(page, i));
	buffer_add(page->out, "</tr></thead><tbody>\n<tr><td class=\"keep\">kernel arguments</td>");
	for (size_t i = 0; i < results->n_variants; i++) {
		buffer_add(page->out, "<td>");
		add_element(page, "code", results->variants[i].arguments);
		buffer_add(page->out, "</td>");
	}
	buffer_add(page->out, "</tr>\n<tr><td class=\"keep\">image SHA-256</td>");
	for (size_t i = 0; i < results->n_variants; i++) {
		const char *image = results->variants[i].image_sha256;

		buffer_add(page->out, "<td>");
		add_element(page, "code", image ? image : "the running kernel");
		buffer_add(page->out, "</td>");
	}
	buffer_add(page->out, "</tr>\n");
	add_environment_rows(page, most);
	close_table(page);
}

static void add_method(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	buffer_format(
		page->out,
		"<h2>How this was decided</h2>\n"
		"<p><b>The boot is the unit.</b> Samples within one boot share its memory layout, its "
		"timers and its luck, so a thousand of them are not a thousand proofs. Each boot gives one "
		"figure per metric (a median, a percentile, a count), and boots are compared with boots.</p>\n"
		"<p><b>How much:</b> the ratio of geometric means, with a 95 %% interval from resampling "
		"whole boots %u times. <b>How sure:</b> an exact permutation test, which asks in how many of "
		"all ways to share out the labels the difference would be as large. Holm&rsquo;s correction "
		"keeps the chance of any false verdict among the %zu primary tests below 5 %%; "
		"Benjamini and Hochberg&rsquo;s keeps the share of false ones among %zu secondary verdicts "
		"below 5 %%.</p>\n"
		"<p><b>Equivalent</b> is a verdict of its own: two one-sided tests show that the difference "
		"is within %.3g %%. What is neither different nor equivalent is <b>inconclusive</b>, with how "
		"many more boots it takes at the least.</p>\n"
		"<p><b>Controls</b> are the same inversion on locks that proxy execution cannot touch; they "
		"must agree within %.3g %%, or the machine and not the kernel made the difference.</p>\n",
		BOOTSTRAP_RESAMPLES, analysis->tests[FAMILY_PRIMARY],
		analysis->tests[FAMILY_SECONDARY], 100 * analysis->margin,
		100 * analysis->control_margin);
}

/* @to as seen from the folder @from, both absolute: what they share is left out. */
static void add_relative(struct buffer *out, const char *from, const char *to)
{
	size_t shared = 0, i = 0;

	for (; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			shared = i + 1;
	if (!from[i] && to[i] == '/')
		shared = i + 1; /* @to lies below @from */
	else
		for (const char *up = from + shared; *up; up++)
			if (*up == '/' || !up[1])
				buffer_add(out, "../");
	buffer_add(out, to + shared);
}

/* The link to a file from where the page lies; percent-encoded where a URL asks for it. */
static void add_link(struct page *page, const char *path, const char *text)
{
	char *from = realpath(page->directory, NULL), *to = realpath(path, NULL);
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct buffer relative = {0};

	if (from && to)
		add_relative(&relative, from, to);
	else
		buffer_add(&relative, name);
	buffer_add(page->out, "<a href=\"");
	for (const char *c = relative.text ? relative.text : ""; *c; c++)
		if (strchr("%?#&\"'<> !", *c) || (unsigned char)*c < 0x20 ||
		    (unsigned char)*c > 0x7e)
			buffer_format(page->out, "%%%02X", (unsigned char)*c);
		else
			buffer_add_bytes(page->out, c, 1);
	buffer_add(page->out, "\">");
	buffer_add_html(page->out, text ? text : name);
	buffer_add(page->out, "</a>");
	buffer_release(&relative);
	free(from);
	free(to);
}

static void add_boots(struct page *page)
{
	buffer_format(page->out,
		      "<h2>Every boot</h2>\n<details><summary>%zu boots and their JSON</summary>\n",
		      page->results->n_boots);
	open_table(page, (const char *[]){">boot", ">round", "variant", ">seed", "outcome",
					  "result", NULL});
	for (size_t i = 0; i < page->results->n_boots; i++) {
		const struct boot *boot = &page->results->boots[i];

		buffer_format(page->out, "<tr><td class=\"n\">%llu</td><td class=\"n\">%llu</td>",
			      (unsigned long long)boot->index, (unsigned long long)boot->round);
		add_cell(page, label_of(page, boot->variant));
		buffer_format(page->out, "<td class=\"n\">%llu</td>",
			      (unsigned long long)boot->seed);
		add_cell(page, boot_end_word(boot->end));
		buffer_add(page->out, "<td>");
		add_link(page, boot->path, NULL);
		buffer_add(page->out, "</td></tr>\n");
	}
	close_table(page);
	buffer_add(
		page->out,
		"</details>\n<p class=\"soft\">The same verdicts for programs: "
		"<a href=\"summary.json\">summary.json</a>; for a mail: "
		"<a href=\"report.txt\">report.txt</a>, <a href=\"report.md\">report.md</a>.</p>\n");
}

void html_write(struct buffer *out, const struct analysis *analysis, const char *directory)
{
	struct page page = {.out = out,
			    .analysis = analysis,
			    .results = analysis->results,
			    .directory = directory};

	add_header(&page);
	add_headline(&page);
	add_facts(&page);
	add_primary(&page);
	add_effects(&page);
	add_figures(&page);
	add_controls(&page);
	add_invariants(&page);
	add_evidence(&page);
	add_secondary(&page);
	add_health(&page);
	add_unmeasured(&page);
	add_environment(&page);
	add_method(&page);
	add_boots(&page);
	buffer_add(out, "</body></html>\n");
}
