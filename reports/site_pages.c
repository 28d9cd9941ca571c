// SPDX-License-Identifier: GPL-2.0-only
/* The pages of a site: its index, and the feed. */
#include <json-c/json.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/html_style.h"
#include "reports/json_write.h"
#include "reports/site_internal.h"

/* What the reports' own style sheet lacks: a table whose rows become cards on a narrow screen. */
static const char site_style[] =
	"table.reports td:first-child{width:45%}\n"
	"table.reports a{font-weight:600;text-decoration-thickness:1px}\n"
	"nav{display:block}nav p{margin:.3rem 0}nav a{display:inline-block;margin-right:.9rem}\n"
	".card .key svg.line{display:inline-block;width:1.9rem;height:.75rem}\n"
	".only{display:none}\n.only:target{display:block}\n"
	"@media (max-width:44rem){table.reports thead{display:none}"
	"table.reports tr{display:block;border-bottom:1px solid var(--rule);padding:.6rem 0}"
	"table.reports td,table.reports td:first-child{display:block;border:0;padding:.1rem 0;"
	"width:auto;min-width:0;white-space:normal}}\n";

void site_open_page(struct buffer *out, const char *title, const char *more_style)
{
	buffer_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
			"<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	buffer_add_html(out, title);
	buffer_add(out, "</title>\n<style>\n");
	buffer_add(out, html_style);
	buffer_add(out, site_style);
	buffer_add(out, more_style);
	buffer_add(out, "</style>\n");
}

/*
 * Choosing rows without a script: a link to an anchor in front of the table makes that anchor
 * the target, and one rule for each anchor hides the rows that are not of its class.
 */
struct choice {
	const char *kind; /* "machine", "kernel" */
	const char **values;
	size_t n_values;
};

static void add_choice(struct site *site, struct choice *choice, const char *value)
{
	const char **added;

	for (size_t i = 0; i < choice->n_values; i++)
		if (!strcmp(choice->values[i], value))
			return;
	added = arena_append(&site->arena, &choice->values, &choice->n_values, sizeof(*added));
	site->has_failed |= !added;
	if (added)
		*added = value;
}

/* In the order of the rows: the newest first. */
static struct choice collect_machines(struct site *site)
{
	struct choice choice = {.kind = "machine"};

	for (size_t i = 0; i < site->n_reports; i++)
		add_choice(site, &choice, site->reports[i].machine_shown);
	return choice;
}

static struct choice collect_kernels(struct site *site)
{
	struct choice choice = {.kind = "kernel"};

	for (size_t i = 0; i < site->n_reports; i++)
		for (size_t j = 0; j < site->reports[i].n_variants; j++)
			add_choice(site, &choice, site->reports[i].variants[j].kernel);
	return choice;
}

static size_t choice_index(const struct choice *choice, const char *value)
{
	size_t i = 0;

	while (i < choice->n_values && strcmp(choice->values[i], value))
		i++;
	return i;
}

static void add_choice_rules(struct buffer *out, const struct choice *choice)
{
	for (size_t i = 0; choice->n_values > 1 && i < choice->n_values; i++)
		buffer_format(
			out,
			"#%s-%zu:target~div table.reports tbody tr:not(.%s-%zu){display:none}\n",
			choice->kind, i, choice->kind, i);
}

/* "kernel: all, 7.2.13, 7.3": one value needs no choosing. */
static void add_choice_links(struct buffer *out, const struct choice *choice)
{
	if (choice->n_values < 2)
		return;
	buffer_format(out, "<p><span class=\"soft\">By %s:</span> ", choice->kind);
	for (size_t i = 0; i < choice->n_values; i++) {
		buffer_format(out, "<a href=\"#%s-%zu\">", choice->kind, i);
		buffer_add_html(out, choice->values[i]);
		buffer_add(out, "</a>\n");
	}
	buffer_add(out, "</p>\n");
}

static void add_choice_targets(struct buffer *out, const struct choice *choice)
{
	for (size_t i = 0; choice->n_values > 1 && i < choice->n_values; i++) {
		buffer_format(out, "<p class=\"only note\" id=\"%s-%zu\">Only ", choice->kind, i);
		buffer_add_html(out, choice->values[i]);
		buffer_add(out, " &mdash; <a href=\"#all\">show all</a></p>\n");
	}
}

/* ---- one row ------------------------------------------------------------------------- */

static void add_chip(struct buffer *out, size_t count, const char *word, const char *class_name)
{
	if (count)
		buffer_format(out, "<span class=\"chip %s\">%zu %s</span>\n", class_name, count,
			      word);
}

static void add_chips(struct buffer *out, const struct site_report *report)
{
	size_t before = out->length;

	add_chip(out, report->primary[VERDICT_WORSE], "worse", "bad");
	add_chip(out, report->invariants[VERDICT_VIOLATED], "violated", "bad");
	add_chip(out, report->crashed, report->crashed == 1 ? "boot crashed" : "boots crashed",
		 "bad");
	add_chip(out, report->unclean,
		 report->unclean == 1 ? "kernel complaint" : "kernel complaints", "bad");
	add_chip(out, report->primary[VERDICT_BETTER], "better", "good");
	add_chip(out, report->primary[VERDICT_EQUIVALENT], "equivalent", "");
	add_chip(out, report->invariants[VERDICT_HELD], "held", "good");
	add_chip(out, report->primary[VERDICT_INCONCLUSIVE], "inconclusive", "open");
	add_chip(out, report->primary[VERDICT_NOT_MEASURED], "not measured", "open");
	add_chip(out, report->invariants[VERDICT_UNTESTED], "untested", "open");
	if (out->length == before)
		buffer_add(out, "<span class=\"chip open\">no verdict</span>\n");
}

/* "proxy against !proxy", "a, b against c"; one variant alone stands alone. */
static void add_compared(struct buffer *out, const struct site_report *report)
{
	const char *separator = "";

	for (size_t i = 0; i < report->n_variants; i++) {
		if (i == report->baseline && report->n_variants > 1)
			continue;
		buffer_add(out, separator);
		buffer_add_html(out, report->variants[i].label);
		separator = ", ";
	}
	if (report->n_variants > 1) {
		buffer_add(out, " against ");
		buffer_add_html(out, report->variants[report->baseline].label);
	}
}

static bool is_first_kernel(const struct site_report *report, size_t variant)
{
	for (size_t i = 0; i < variant; i++)
		if (!strcmp(report->variants[i].kernel, report->variants[variant].kernel))
			return false;
	return true;
}

static void add_kernels(struct buffer *out, const struct site_report *report)
{
	for (size_t i = 0; i < report->n_variants; i++) {
		if (!is_first_kernel(report, i))
			continue;
		buffer_add(out, i ? ", " : "");
		buffer_add_html(out, report->variants[i].kernel);
	}
}

static void add_row_classes(struct buffer *out, const struct site_report *report,
			    const struct choice *machines, const struct choice *kernels)
{
	buffer_format(out, "machine-%zu", choice_index(machines, report->machine_shown));
	for (size_t i = 0; i < report->n_variants; i++)
		if (is_first_kernel(report, i))
			buffer_format(out, " kernel-%zu",
				      choice_index(kernels, report->variants[i].kernel));
}

static void add_row(struct buffer *out, const struct site_report *report,
		    const struct choice *machines, const struct choice *kernels)
{
	buffer_add(out, "<tr class=\"");
	add_row_classes(out, report, machines, kernels);
	buffer_format(out, "\"><td><a href=\"" SITE_CAMPAIGNS "/%s/index.html\">", report->folder);
	buffer_add_html(out, report->n_headline ? report->headline[0] : report->id);
	buffer_add(out, "</a></td><td>");
	add_chips(out, report);
	buffer_add(out, "</td><td>");
	add_compared(out, report);
	buffer_add(out, "<br><span class=\"soft\">");
	add_kernels(out, report);
	buffer_add(out, "</span></td><td>");
	buffer_add_html(out, report->machine_shown);
	buffer_format(out, "<br><span class=\"soft\">%s time, %zu boot%s</span></td><td>",
		      report->time, report->n_boots, report->n_boots == 1 ? "" : "s");
	if (report->date)
		buffer_format_html(out, "%.10s", report->date);
	buffer_add(out, "<br><span class=\"soft\">");
	buffer_add_html(out, report->id);
	buffer_add(out, "</span></td></tr>\n");
}

static void add_summary_line(struct buffer *out, const struct site *site)
{
	size_t regressions = 0;

	for (size_t i = 0; i < site->n_reports; i++)
		regressions += site->reports[i].exit_code == EXIT_REGRESSION;
	buffer_format(out, "<h1>%zu report%s, ", site->n_reports, site->n_reports == 1 ? "" : "s");
	if (regressions)
		buffer_format(out, "%zu with a regression or a violated invariant</h1>\n",
			      regressions);
	else
		buffer_add(out, "none with a regression against its baseline</h1>\n");
}

/* What changed for the worse over the campaigns, which no single report can say. */
static void add_history_alerts(struct buffer *out, const struct site *site)
{
	for (size_t i = 0; site->has_trends && i < site->n_histories; i++) {
		const struct history *history = &site->histories[i];

		if (history->exit_code != EXIT_REGRESSION || !history->n_headline)
			continue;
		buffer_add(out, "<p class=\"alert\">");
		buffer_add_html(out, history->headline[0]);
		buffer_add(out, " <a href=\"trends.html\">All trends</a></p>\n");
	}
}

void site_write_index(struct buffer *out, struct site *site)
{
	struct choice machines = collect_machines(site), kernels = collect_kernels(site);
	struct buffer rules = {0};

	add_choice_rules(&rules, &machines);
	add_choice_rules(&rules, &kernels);
	site_open_page(out, "proxeval: reports", rules.text ? rules.text : "");
	out->failed |= rules.failed;
	buffer_release(&rules);
	if (site_has_feed(site))
		buffer_add(out, "<link rel=\"alternate\" type=\"application/atom+xml\" "
				"href=\"feed.xml\">\n");
	buffer_add(out,
		   "</head><body id=\"all\">\n<p class=\"origin\">proxeval: what proxy execution "
		   "changes, campaign by campaign, the newest first</p>\n");
	add_summary_line(out, site);
	add_history_alerts(out, site);
	buffer_add(out, "<nav>");
	if (site->has_trends)
		buffer_add(out, "<p><a href=\"trends.html\">Trends over the campaigns</a></p>\n");
	add_choice_links(out, &machines);
	add_choice_links(out, &kernels);
	buffer_add(out, "</nav>\n");
	add_choice_targets(out, &machines);
	add_choice_targets(out, &kernels);
	buffer_add(out, "<div class=\"scroll\"><table class=\"reports\"><thead><tr><th>What came "
			"out</th><th>Primary verdicts</th><th>Compared</th><th>Machine</th>"
			"<th>When, and which campaign</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < site->n_reports; i++)
		add_row(out, &site->reports[i], &machines, &kernels);
	buffer_add(out, "</tbody></table></div>\n<p class=\"soft\">The same for programs: "
			"<a href=\"index.json\">index.json</a>");
	if (site_has_feed(site))
		buffer_add(out, "; for feed readers: <a href=\"feed.xml\">feed.xml</a>");
	buffer_add(out, ".</p>\n</body></html>\n");
	out->failed |= site->has_failed;
}

/* ---- the feed ------------------------------------------------------------------------ */

bool site_has_feed(const struct site *site)
{
	return site->n_reports && site->reports[0].date; /* the newest first, the undated last */
}

static void add_entry(struct buffer *out, const struct site_report *report)
{
	buffer_add(out, "<entry>\n<id>urn:proxeval:campaign:");
	buffer_add(out, report->folder);
	buffer_add(out, "</id>\n<title>");
	buffer_add_html(out, report->n_headline ? report->headline[0] : report->id);
	buffer_add(out, "</title>\n<updated>");
	buffer_add_html(out, report->date);
	buffer_format(out,
		      "</updated>\n<link rel=\"alternate\" type=\"text/html\" "
		      "href=\"" SITE_CAMPAIGNS "/%s/index.html\"/>\n<summary>",
		      report->folder);
	add_compared(out, report);
	buffer_add(out, "; ");
	add_kernels(out, report);
	buffer_add(out, "; ");
	buffer_add_html(out, report->machine_shown);
	buffer_add(out, "</summary>\n</entry>\n");
}

void site_write_feed(struct buffer *out, const struct site *site)
{
	if (!site_has_feed(site))
		return;
	buffer_add(
		out,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<feed xmlns=\"http://www.w3.org/2005/Atom\">\n<id>urn:proxeval:site</id>\n"
		"<title>proxeval: reports</title>\n<author><name>proxeval</name></author>\n"
		"<link rel=\"alternate\" type=\"text/html\" href=\"index.html\"/>\n"
		"<link rel=\"self\" type=\"application/atom+xml\" href=\"feed.xml\"/>\n<updated>");
	buffer_add_html(out, site->reports[0].date);
	buffer_add(out, "</updated>\n");
	for (size_t i = 0; i < site->n_reports && site->reports[i].date; i++)
		add_entry(out, &site->reports[i]);
	buffer_add(out, "</feed>\n");
}

/* ---- index.json ---------------------------------------------------------------------- */

static struct json_object *verdicts_to_json(const struct site_report *report)
{
	static const enum verdict primary[] = {VERDICT_BETTER, VERDICT_WORSE, VERDICT_EQUIVALENT,
					       VERDICT_INCONCLUSIVE, VERDICT_NOT_MEASURED};
	static const enum verdict invariants[] = {VERDICT_HELD, VERDICT_VIOLATED, VERDICT_UNTESTED};
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < sizeof(primary) / sizeof(*primary); i++)
		json_add_count(object, verdict_word(primary[i]), report->primary[primary[i]]);
	for (size_t i = 0; i < sizeof(invariants) / sizeof(*invariants); i++)
		json_add_count(object, verdict_word(invariants[i]),
			       report->invariants[invariants[i]]);
	return object;
}

static struct json_object *variants_to_json(const struct site_report *report)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < report->n_variants; i++) {
		struct json_object *object = json_object_new_object();

		json_add_text(object, "label", report->variants[i].label);
		json_add_text(object, "kernel", report->variants[i].kernel);
		json_add_text(object, "image_sha256", report->variants[i].image_sha256);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *report_to_json(const struct site_report *report)
{
	struct json_object *object = json_object_new_object();
	struct buffer path = {0};

	json_add_text(object, "id", report->id);
	buffer_format(&path, SITE_CAMPAIGNS "/%s/index.html", report->folder);
	json_add_text(object, "path", path.text);
	buffer_release(&path);
	json_add_text(object, "started", report->date);
	json_add_text(object, "target", report->target);
	json_add_text(object, "time", report->time);
	json_add_text(object, "machine", report->machine_shown);
	json_add_count(object, "boots", report->n_boots);
	json_add_text(object, "baseline", report->variants[report->baseline].label);
	json_object_object_add(object, "variants", variants_to_json(report));
	json_object_object_add(object, "verdicts", verdicts_to_json(report));
	json_add_count(object, "boots_crashed", report->crashed);
	json_add_count(object, "boots_unclean", report->unclean);
	json_object_object_add(object, "exit_code", json_object_new_int(report->exit_code));
	json_object_object_add(object, "headline",
			       json_from_texts(report->headline, report->n_headline));
	return object;
}

struct json_object *site_to_json(const struct site *site)
{
	struct json_object *document = json_object_new_object();
	struct json_object *reports = json_object_new_array();
	struct json_object *histories = json_object_new_array();

	json_add_text(document, "format", SITE_FORMAT);
	json_object_object_add(document, "version", json_object_new_int(1));
	for (size_t i = 0; i < site->n_reports; i++)
		json_object_array_add(reports, report_to_json(&site->reports[i]));
	for (size_t i = 0; i < site->n_histories; i++)
		json_object_array_add(histories, history_to_json(&site->histories[i]));
	json_object_object_add(document, "reports", reports);
	json_object_object_add(document, "histories", histories);
	return document;
}
