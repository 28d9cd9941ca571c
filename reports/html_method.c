// SPDX-License-Identifier: GPL-2.0-only
/* How it was decided, what could spoil it, and how to do it again. */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/html_page.h"

static void add_decisions(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	buffer_format(
		page->out,
		"<h2 id=\"method\">How this was decided</h2>\n<div class=\"prose\">\n"
		"<p><b>The boot is the unit.</b> Samples within one boot share its memory layout, its "
		"timers and its luck, so a thousand of them are not a thousand proofs. Each boot gives one "
		"figure per metric (a median, a percentile, a count), and boots are compared with boots.</p>\n"
		"<p><b>How much:</b> the ratio of geometric means, with a %.4g&nbsp;%% interval from resampling "
		"whole boots. <b>How sure:</b> an exact permutation test, which asks in how many of "
		"all ways to share out the labels the difference would be as large. Holm&rsquo;s correction "
		"keeps the chance of any false verdict among the %zu primary tests below %.3g&nbsp;%%; "
		"Benjamini and Hochberg&rsquo;s keeps the share of false ones among %zu secondary verdicts "
		"below %.3g&nbsp;%%.</p>\n"
		"<p><b>Equivalent</b> is a verdict of its own: two one-sided tests show that the difference "
		"is within %.3g&nbsp;%%. What is neither different nor equivalent is <b>inconclusive</b>, with how "
		"many more boots it takes at the least.</p>\n"
		"<p><b>Controls</b> are the same inversion on locks that proxy execution cannot touch; they "
		"must agree within %.3g&nbsp;%%, or the machine and not the kernel made the difference.</p>\n"
		"</div>\n",
		100 * analysis->confidence, analysis->tests[FAMILY_PRIMARY], 100 * analysis->alpha,
		analysis->tests[FAMILY_SECONDARY], 100 * analysis->alpha, 100 * analysis->margin,
		100 * analysis->control_margin);
}

/* ---- what could spoil a measurement ---- */

static struct json_object *spoilers_of(const struct page *page, size_t variant)
{
	const struct boot *boot = page->analysis->variants[variant].example;
	struct json_object *list = NULL;

	if (boot)
		json_object_object_get_ex(boot_environment(boot), "spoilers", &list);
	return json_object_is_type(list, json_type_array) ? list : NULL;
}

static const char *spoiler_text(struct json_object *spoiler, const char *key)
{
	const char *text = json_text_at(spoiler, (const char *[]){key, NULL});

	return text ? text : "";
}

static bool is_spoiling(struct json_object *spoiler)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(spoiler, "spoils", &value) &&
	       json_object_get_boolean(value);
}

/* Whether an earlier variant's boot said the very same. */
static bool is_said(const struct page *page, size_t variant, struct json_object *spoiler)
{
	for (size_t i = 0; i < variant; i++) {
		struct json_object *list = spoilers_of(page, i);

		for (size_t j = 0; list && j < json_object_array_length(list); j++)
			if (json_object_equal(json_object_array_get_idx(list, j), spoiler))
				return true;
	}
	return false;
}

static void add_spoiler(struct page *page, size_t variant, struct json_object *spoiler)
{
	bool spoils = is_spoiling(spoiler);

	buffer_add(page->out, "<tr>");
	page_row_head(page, spoiler_text(spoiler, "name"));
	buffer_format(
		page->out,
		"<td class=\"keep\"><span class=\"chip %s\"><span aria-hidden=\"true\">%s</span> "
		"%s</span></td>",
		spoils ? "open" : "good", spoils ? "!" : "\xe2\x9c\x93",
		spoils ? "may spoil" : "fine");
	page_cell(page, page_label(page, variant));
	page_element(page, "td class=\"wide\"", spoiler_text(spoiler, "found"));
	page_element(page, "td class=\"wide soft\"", spoiler_text(spoiler, "remedy"));
	buffer_add(page->out, "</tr>\n");
}

/* Those that spoil or those that do not; what several variants found alike stands once. */
static size_t add_spoilers_that(struct page *page, bool spoil, bool only_count)
{
	size_t count = 0;

	for (size_t variant = 0; variant < page->results->n_variants; variant++) {
		struct json_object *list = spoilers_of(page, variant);

		for (size_t i = 0; list && i < json_object_array_length(list); i++) {
			struct json_object *spoiler = json_object_array_get_idx(list, i);

			if (!json_object_is_type(spoiler, json_type_object) ||
			    is_spoiling(spoiler) != spoil || is_said(page, variant, spoiler))
				continue;
			count++;
			if (!only_count)
				add_spoiler(page, variant, spoiler);
		}
	}
	return count;
}

static void add_spoilers(struct page *page)
{
	const char *const heads[] = {"what",  "may it spoil", "first seen in",
				     "found", "remedy",	      NULL};
	size_t bad = add_spoilers_that(page, true, true);
	size_t fine = add_spoilers_that(page, false, true);

	if (!bad && !fine)
		return;
	buffer_add(page->out, "<h2>What could spoil a measurement</h2>\n");
	if (bad) {
		page_open_table(page, "What may spoil the measurement", heads);
		add_spoilers_that(page, true, false);
		page_close_table(page);
	}
	if (!fine)
		return;
	buffer_format(page->out, "<details><summary>%zu that are fine</summary>\n", fine);
	page_open_table(page, "What does not spoil the measurement", heads);
	add_spoilers_that(page, false, false);
	page_close_table(page);
	buffer_add(page->out, "</details>\n");
}

/* ---- doing it again ---- */

/* One argument as a shell reads it. */
static void add_argument(struct buffer *out, const char *text)
{
	bool is_plain = *text;

	for (const char *c = text; *c; c++)
		is_plain &= (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
			    (*c >= 'A' && *c <= 'Z') || strchr("-_=:,./+%@", *c);
	buffer_add(out, " ");
	if (is_plain) {
		buffer_add(out, text);
		return;
	}
	buffer_add(out, "'");
	for (; *text; text++)
		if (*text == '\'')
			buffer_add(out, "'\\''");
		else
			buffer_add_bytes(out, text, 1);
	buffer_add(out, "'");
}

__attribute__((format(printf, 2, 3))) static void add_option(struct buffer *out, const char *format,
							     ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		add_argument(out, text);
	else
		out->failed = true;
	free(text);
}

static struct json_object *array_at(struct json_object *object, const char *key)
{
	struct json_object *list = NULL;

	json_object_object_get_ex(object, key, &list);
	return json_object_is_type(list, json_type_array) ? list : NULL;
}

static const char *text_at(struct json_object *object, const char *key)
{
	return json_text_at(object, (const char *[]){key, NULL});
}

/* --variant for each; the image's path is one of the machine that ran it. */
static void add_variants(struct buffer *out, struct json_object *document)
{
	struct json_object *list = array_at(document, "variants");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *variant = json_object_array_get_idx(list, i);
		const char *label = text_at(variant, "label");
		const char *image = text_at(variant, "image_path");
		const char *arguments = text_at(variant, "arguments");

		if (label)
			buffer_add(out, " \\\n   ");
		if (label)
			add_option(out, "--variant=%s:%s:%s", label,
				   image && !text_at(variant, "manifest_path") ? image : "",
				   arguments ? arguments : "");
	}
}

static size_t boots_per_variant(struct json_object *document)
{
	struct json_object *boots = array_at(document, "boots");
	struct json_object *variants = array_at(document, "variants");
	size_t n_variants = variants ? json_object_array_length(variants) : 0;

	return boots && n_variants ? json_object_array_length(boots) / n_variants : 0;
}

/* The parameters and placements that were asked for: a campaign gives all its work the same. */
static void add_request(struct buffer *out, struct json_object *work)
{
	struct json_object *placements = array_at(work, "placements"), *params = NULL;

	json_object_object_get_ex(work, "params", &params);
	if (json_object_is_type(params, json_type_object)) {
		json_object_object_foreach (params, key, value)
			add_option(out, "--param=%s=%s", key, json_object_get_string(value));
	}
	for (size_t i = 0; placements && i < json_object_array_length(placements); i++) {
		struct json_object *name = json_object_array_get_idx(placements, i);

		if (strcmp(json_object_get_string(name), "all"))
			add_option(out, "--placement=%s", json_object_get_string(name));
	}
}

static void add_work(struct buffer *out, struct json_object *document)
{
	struct json_object *work = array_at(document, "work");

	for (size_t i = 0; work && i < json_object_array_length(work); i++) {
		const char *name = text_at(json_object_array_get_idx(work, i), "workload");

		if (name)
			add_argument(out, name);
	}
	if (work && json_object_array_length(work))
		add_request(out, json_object_array_get_idx(work, 0));
}

static void add_run(struct buffer *out, const struct campaign_info *campaign)
{
	struct json_object *document = campaign->document;
	const char *target = text_at(document, "target"), *time = text_at(document, "time");
	const char *topology = text_at(document, "topology");
	const char *profile = text_at(document, "profile");
	size_t boots = boots_per_variant(document);

	buffer_add(out, "./run-bench run");
	add_work(out, document);
	if (target)
		add_option(out, "--target=%s", target);
	if (time)
		add_option(out, "--time=%s", time);
	if (topology && target && !strcmp(target, "vm"))
		add_option(out, "--topology=%s", topology);
	if (profile)
		add_option(out, "--profile=%s", profile);
	if (boots)
		add_option(out, "--boots=%zu", boots);
	if (campaign->has_seed)
		add_option(out, "--seed=%llu", (unsigned long long)campaign->seed);
	add_variants(out, document);
}

static void add_commands(struct page *page)
{
	const struct results *results = page->results;
	struct buffer lines = {0};

	for (size_t i = 0; i < results->n_campaigns; i++)
		if (results->campaigns[i].document) {
			add_run(&lines, &results->campaigns[i]);
			buffer_add(&lines, "\n");
		}
	if (results->n_campaigns == 1) {
		buffer_add(&lines, "proxeval compare");
		add_option(&lines, "results/%s", results->campaigns[0].id);
		buffer_add(&lines, "\nproxeval report");
		add_option(&lines, "results/%s", results->campaigns[0].id);
	}
	buffer_add(page->out, "<h2>How to do it again</h2>\n<div class=\"scroll\" role=\"region\" "
			      "tabindex=\"0\" aria-label=\"Commands\"><pre><code>");
	buffer_add_html(page->out, lines.text);
	buffer_add(page->out, "</code></pre></div>\n");
	page->out->failed |= lines.failed;
	buffer_release(&lines);
	buffer_format(
		page->out,
		"<p class=\"soft\">The images must be those above, by their SHA-256%s</p>\n",
		!strcmp(results->time, "virtual")
			? "; in virtual time the same images and seed give the same figures, and "
			  "<code>proxeval compare --exact</code> of both folders shows it."
			: ".");
}

void page_method(struct page *page)
{
	add_decisions(page);
	add_spoilers(page);
	add_commands(page);
}
