// SPDX-License-Identifier: GPL-2.0-only
/* The first screen: what changed, by how much, how sure, and on what machine. */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/findings.h"
#include "reports/format.h"
#include "reports/html_page.h"
#include "reports/sentences.h"

#define GLANCES_MAX    6 /* more of them would push the machine off the screen */
#define ALERTS_OPEN    2
#define NOTES_OPEN     2
#define MACHINES_NAMED 4

static void add_overall(struct page *page)
{
	static const struct {
		const char *class_name, *sign, *word;
	} words[] = {
		[EXIT_FINE] = {"good", "\xe2\x9c\x93", "no regression"},
		[EXIT_REGRESSION] = {"bad", "\xe2\x9c\x97", "regression"},
		[EXIT_INCONCLUSIVE] = {"open", "?", "inconclusive"},
		[EXIT_CANNOT] = {"open", "?", "nothing to measure"},
		[EXIT_BROKE] = {"bad", "\xe2\x9c\x97", "the run broke"},
	};
	size_t code = (size_t)page->analysis->exit_code;

	if (code >= sizeof(words) / sizeof(*words) || !words[code].word)
		return;
	buffer_format(page->out,
		      "<span class=\"chip %s\"><span aria-hidden=\"true\">%s</span> %s</span> ",
		      words[code].class_name, words[code].sign, words[code].word);
}

static void add_origin(struct page *page)
{
	const struct results *results = page->results;

	buffer_add(page->out, "<p class=\"origin\">");
	add_overall(page);
	buffer_add(page->out, "<span>proxeval ");
	for (size_t i = 0; i < results->n_campaigns && i < 3; i++)
		buffer_format_html(page->out, "%s%s", i ? ", " : "", results->campaigns[i].id);
	if (results->n_campaigns > 3)
		buffer_format(page->out, " and %zu more", results->n_campaigns - 3);
	if (results->boots[0].started)
		buffer_format_html(page->out, ", %.10s", results->boots[0].started);
	buffer_add(page->out, "</span></p>\n");
}

/* A sentence that was made for plain ASCII, with the signs that a page can show. */
static void add_sentence(struct page *page, const char *element, const char *sentence)
{
	static const struct {
		const char *ascii, *sign;
	} signs[] = {{": x ", ": \xc3\x97 "}, {"(x ", "(\xc3\x97 "}, {"p <= ", "p \xe2\x89\xa4 "}};
	const size_t n_signs = sizeof(signs) / sizeof(*signs);
	struct buffer text = {0};

	while (*sentence) {
		size_t i = 0;

		while (i < n_signs && strncmp(sentence, signs[i].ascii, strlen(signs[i].ascii)))
			i++;
		if (i < n_signs) {
			buffer_add(&text, signs[i].sign);
			sentence += strlen(signs[i].ascii);
		} else {
			buffer_add_bytes(&text, sentence++, 1);
		}
	}
	page->out->failed |= text.failed;
	page_element(page, element, text.text);
	buffer_add(page->out, "\n");
	buffer_release(&text);
}

/* Sentences from @first to before @end, those beyond @open folded away. */
static void add_sentences(struct page *page, const char *element, const char *const *sentences,
			  size_t first, size_t end, size_t open)
{
	size_t shown = end - first > open + 1 ? first + open : end;

	for (size_t i = first; i < end; i++) {
		if (i == shown)
			buffer_format(page->out,
				      "<details><summary>%zu more like these</summary>\n",
				      end - shown);
		add_sentence(page, element, sentences[i]);
	}
	if (shown < end)
		buffer_add(page->out, "</details>\n");
}

static void add_violation(struct page *page, const struct violation *violation)
{
	const struct invariant *first = violation->first;
	const struct section_info *section = &page->results->sections[first->section];

	buffer_add(page->out, "<dl class=\"glance\"><div><dt>what must never happen</dt><dd>");
	page_element(page, "b", section->metrics[first->metric].name);
	buffer_add(page->out, " ");
	page_chip(page, VERDICT_VIOLATED, 0);
	buffer_add(page->out, "<br><span class=\"soft\">");
	buffer_format_html(page->out, "with %s%s, ", page_label(page, first->variant),
			   violation_note(page->analysis, first));
	if (violation->sections > 1)
		buffer_format_html(page->out, "%zu sections of %s", violation->sections,
				   section->workload);
	else
		buffer_format_html(page->out, "%s", section->placement);
	buffer_format(page->out,
		      "</span></dd></div><div><dt>how often</dt><dd><b>%llu time%s</b><br>"
		      "<span class=\"soft\">in %llu tries</span></dd></div><div><dt>how sure"
		      "</dt><dd><b>certain</b><br><span class=\"soft\">once would be too often"
		      "</span></dd></div></dl>\n",
		      (unsigned long long)violation->violations,
		      violation->violations == 1 ? "" : "s",
		      (unsigned long long)violation->exposure);
}

/* What must never happen and did; as in the headline, what counts comes first. */
static void add_violations(struct page *page)
{
	const struct analysis *analysis = page->analysis;
	size_t count = 0;

	for (int has_note = 0; has_note < 2; has_note++)
		for (size_t i = 0; i < analysis->n_invariants && count < GLANCES_MAX; i++) {
			struct violation violation;
			bool is_noted = *violation_note(analysis, &analysis->invariants[i]);

			if (is_noted != has_note || !find_violation(analysis, i, &violation))
				continue;
			add_violation(page, &violation);
			count++;
		}
}

/* The placements that have one verdict. */
struct share {
	const struct comparison *first;
	size_t count, more_boots;
	double ratio_low, ratio_high;	    /* of those with a ratio */
	double interval_low, interval_high; /* around them all; NaN: one has none */
	double p_highest;
};

/* One primary metric of a workload in one variant, over all its sections. */
struct glance {
	const struct comparison *first;
	size_t count, n_verdicts;
	struct share by_verdict[VERDICT_UNTESTED + 1];
};

static bool is_same_glance(const struct page *page, const struct comparison *a,
			   const struct comparison *b)
{
	const struct section_info *sections = page->results->sections;

	return a->family == FAMILY_PRIMARY && b->family == FAMILY_PRIMARY &&
	       a->variant == b->variant &&
	       !strcmp(sections[a->section].workload, sections[b->section].workload) &&
	       !strcmp(page_metric(page, a)->name, page_metric(page, b)->name);
}

static void count_in(struct glance *glance, const struct comparison *comparison)
{
	struct share *share = &glance->by_verdict[comparison->verdict];

	glance->count++;
	if (!share->count++) {
		*share = (struct share){comparison, 1,	      0,	 INFINITY,
					-INFINITY,  INFINITY, -INFINITY, NAN};
		glance->n_verdicts++;
	}
	if (comparison->verdict == VERDICT_INCONCLUSIVE && comparison->more_boots < 100000 &&
	    comparison->more_boots > share->more_boots)
		share->more_boots = comparison->more_boots;
	share->p_highest = fmax(share->p_highest, shown_p(comparison));
	if (!(comparison->ratio > 0))
		return;
	share->ratio_low = fmin(share->ratio_low, comparison->ratio);
	share->ratio_high = fmax(share->ratio_high, comparison->ratio);
	if (isnan(comparison->ratio_low) || isnan(share->interval_low)) {
		share->interval_low = share->interval_high = NAN;
		return;
	}
	share->interval_low = fmin(share->interval_low, comparison->ratio_low);
	share->interval_high = fmax(share->interval_high, comparison->ratio_high);
}

/* Begins with the comparison @index; false where an earlier one has been the first. */
static bool find_glance(const struct page *page, size_t index, struct glance *glance)
{
	const struct comparison *comparisons = page->analysis->comparisons;

	*glance = (struct glance){.first = &comparisons[index]};
	if (comparisons[index].family != FAMILY_PRIMARY)
		return false;
	for (size_t i = 0; i < index; i++)
		if (is_same_glance(page, &comparisons[i], glance->first))
			return false;
	for (size_t i = index; i < page->analysis->n_comparisons; i++)
		if (is_same_glance(page, &comparisons[i], glance->first))
			count_in(glance, &comparisons[i]);
	return true;
}

static void add_what(struct page *page, const struct glance *glance)
{
	char name[FORMATTED_MAX];

	buffer_add(page->out, "<div><dt>what changed</dt><dd>");
	page_element(
		page, "b",
		format_metric(name, page_metric(page, glance->first), glance->first->statistic));
	buffer_add(page->out, " ");
	for (enum verdict verdict = 0; verdict <= VERDICT_UNTESTED; verdict++)
		if (glance->by_verdict[verdict].count) {
			page_chip(page, verdict, glance->by_verdict[verdict].count);
			buffer_add(page->out, " ");
		}
	buffer_add(page->out, "<br><span class=\"soft\">");
	if (has_several_workloads(page->results))
		buffer_format_html(page->out, "%s, ",
				   page->results->sections[glance->first->section].workload);
	buffer_format_html(page->out, "%s against %s, ", page_label(page, glance->first->variant),
			   page_label(page, glance->first->against));
	buffer_format(page->out, "%zu placement%s</span></dd></div>", glance->count,
		      glance->count == 1 ? "" : "s");
}

/* Which verdict a line is about, where there are several: "equivalent: ". */
static void add_whose(struct page *page, const struct glance *glance, enum verdict verdict)
{
	buffer_add(page->out, "<br><span class=\"soft\">");
	if (glance->n_verdicts > 1)
		buffer_format(page->out, "%s: ", verdict_word(verdict));
}

/* Where no placement has a ratio, since a value is 0 or negative: the first one's values. */
static void add_values(struct page *page, const struct glance *glance, enum verdict verdict)
{
	const struct comparison *first = glance->by_verdict[verdict].first;
	const char *unit = page_metric(page, first)->unit;
	char before[FORMATTED_MAX], after[FORMATTED_MAX];

	if (isnan(first->baseline.centre) || isnan(first->other.centre)) {
		buffer_add(page->out, "<b>no figure</b>");
		add_whose(page, glance, verdict);
		buffer_add(page->out, glance->n_verdicts > 1 ? "on one side</span>" : "</span>");
		return;
	}
	buffer_format(page->out, "<b>%s &rarr; %s</b>",
		      format_value(before, first->baseline.centre, unit),
		      format_value(after, first->other.centre, unit));
	add_whose(page, glance, verdict);
	buffer_add(page->out, "in the first placement; these have no ratio</span>");
}

/* The change nearest to none first: "13.9 to 15.4 times shorter". */
static void add_change(struct page *page, const struct glance *glance, enum verdict verdict)
{
	const struct share *share = &glance->by_verdict[verdict];
	const char *unit = page_metric(page, glance->first)->unit;
	bool is_down = share->ratio_high < 1;
	char from[FORMATTED_MAX], to[FORMATTED_MAX], low[FORMATTED_MAX], high[FORMATTED_MAX];

	if (!isfinite(share->ratio_low)) {
		add_values(page, glance, verdict);
		return;
	}
	format_change(from, is_down ? share->ratio_high : share->ratio_low, unit);
	format_change(to, is_down ? share->ratio_low : share->ratio_high, unit);
	buffer_add(page->out, "<b>");
	if (!strcmp(from, to))
		buffer_add(page->out, to);
	else if (!strcmp(from + strcspn(from, " "), to + strcspn(to, " ")))
		buffer_format(page->out, "%.*s to %s", (int)strcspn(from, " "), from, to);
	else
		buffer_format(page->out, "%s to %s", from, to);
	format_ratio(low, share->ratio_low);
	format_ratio(high, share->ratio_high);
	buffer_add(page->out, "</b>");
	add_whose(page, glance, verdict);
	buffer_format(page->out, "ratio &times; %s%s%s</span>", low,
		      strcmp(low, high) ? " to " : "", strcmp(low, high) ? high : "");
}

static void add_p(struct page *page, const struct share *share, enum verdict verdict)
{
	char p[FORMATTED_MAX];

	format_p(p, share->p_highest);
	if (verdict == VERDICT_NOT_MEASURED)
		buffer_add(page->out, "not measured");
	else if (verdict == VERDICT_INCONCLUSIVE)
		buffer_add(page->out, "not yet");
	else if (isnan(share->p_highest))
		buffer_add(page->out, "no test");
	else if (*p == '<')
		buffer_format_html(page->out, "p %s", p);
	else
		buffer_format(page->out, "p &le; %s", p);
}

static void add_certainty(struct page *page, const struct glance *glance, enum verdict verdict)
{
	const struct share *share = &glance->by_verdict[verdict];
	char low[FORMATTED_MAX], high[FORMATTED_MAX];

	buffer_add(page->out, "<b>");
	add_p(page, share, verdict);
	buffer_add(page->out, "</b>");
	add_whose(page, glance, verdict);
	if (share->more_boots)
		buffer_format(page->out, "at least %zu more boot%s of each needed",
			      share->more_boots, share->more_boots == 1 ? "" : "s");
	else if (isfinite(share->interval_low))
		buffer_format(page->out, "%.4g %% intervals: &times; %s to %s",
			      100 * page->analysis->confidence,
			      format_ratio(low, share->interval_low),
			      format_ratio(high, share->interval_high));
	else if (!isfinite(share->ratio_low))
		buffer_add(page->out, "without a ratio no interval");
	else
		buffer_add(page->out, "too few boots for intervals");
	buffer_add(page->out, "</span>");
}

/* Each verdict has its own range: one over all would be nobody's. */
static void add_by_verdict(struct page *page, const struct glance *glance, const char *title,
			   void (*add)(struct page *page, const struct glance *glance,
				       enum verdict verdict))
{
	const char *separator = "";

	buffer_format(page->out, "<div><dt>%s</dt><dd>", title);
	for (enum verdict verdict = 0; verdict <= VERDICT_UNTESTED; verdict++) {
		if (!glance->by_verdict[verdict].count)
			continue;
		buffer_add(page->out, separator);
		add(page, glance, verdict);
		separator = "<br>";
	}
	buffer_add(page->out, "</dd></div>");
}

/* The worst news first, then the good. */
static int rank_of(const struct glance *glance)
{
	if (glance->by_verdict[VERDICT_WORSE].count)
		return 0;
	return glance->by_verdict[VERDICT_BETTER].count ? 1 : 2;
}

static size_t count_glances(const struct page *page)
{
	struct glance glance;
	size_t count = 0;

	for (size_t i = 0; i < page->analysis->n_comparisons; i++)
		count += find_glance(page, i, &glance);
	return count;
}

static void add_glance(struct page *page, const struct glance *glance)
{
	buffer_add(page->out, "<dl class=\"glance\">");
	add_what(page, glance);
	add_by_verdict(page, glance, "by how much", add_change);
	add_by_verdict(page, glance, "how sure", add_certainty);
	buffer_add(page->out, "</dl>\n");
}

/* Where there is not room for all, what is worse must be among those that are shown. */
static void add_glances(struct page *page)
{
	size_t count = count_glances(page), shown = 0;

	for (int rank = 0; rank < (count > GLANCES_MAX ? 3 : 1); rank++)
		for (size_t i = 0; i < page->analysis->n_comparisons; i++) {
			struct glance glance;

			if (shown < GLANCES_MAX && find_glance(page, i, &glance) &&
			    (count <= GLANCES_MAX || rank == rank_of(&glance))) {
				add_glance(page, &glance);
				shown++;
			}
		}
	if (count > shown)
		buffer_format(page->out, "<p class=\"soft\">%zu more below.</p>\n", count - shown);
}

/* "2 nodes, 2 LLCs, 4 cores, 8 CPUs" of a boot's environment, as far as it says. */
static void say_topology(struct buffer *out, struct json_object *environment)
{
	static const struct {
		const char *key, *one, *many;
	} counts[] = {{"nodes", "node", "nodes"},
		      {"llcs", "LLC", "LLCs"},
		      {"cores", "core", "cores"},
		      {"cpus", "CPU", "CPUs"}};
	struct json_object *topology = NULL, *value;
	const char *separator = "";

	json_object_object_get_ex(environment, "topology", &topology);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		if (!json_object_is_type(topology, json_type_object) ||
		    !json_object_object_get_ex(topology, counts[i].key, &value) ||
		    !json_object_is_type(value, json_type_int))
			continue;
		buffer_format(out, "%s%lld %s", separator, (long long)json_object_get_int64(value),
			      json_object_get_int64(value) == 1 ? counts[i].one : counts[i].many);
		separator = ", ";
	}
}

static struct json_object *environment_of(const struct page *page, size_t variant)
{
	const struct boot *boot = page->analysis->variants[variant].example;

	return boot ? boot_environment(boot) : NULL;
}

static const char *release_of(const struct page *page, size_t variant)
{
	const char *release = page->results->variants[variant].release;

	return release ? release : "not known";
}

/* "Linux 7.2.13, 7.3.4": each release once, in the variants' order. */
static void say_kernels(struct page *page, struct buffer *out)
{
	buffer_add(out, "Linux");
	for (size_t i = 0; i < page->results->n_variants; i++) {
		bool is_said = false;

		for (size_t j = 0; j < i; j++)
			is_said |= !strcmp(release_of(page, i), release_of(page, j));
		if (!is_said)
			buffer_format(out, "%s%s", i ? ", " : " ", release_of(page, i));
	}
}

static void add_machine_item(struct page *page, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	buffer_format(page->out, "<div><dt>%s</dt>", name);
	page_element(page, "dd", text);
	buffer_add(page->out, "</div>\n");
}

/* "6 of each variant", or "6 of !proxy, 3 of proxy (1 did not end well)". */
static void say_boots(struct page *page, struct buffer *out)
{
	const struct variant_sum *sums = page->analysis->variants;
	bool is_even = page->results->n_variants > 1;

	for (size_t i = 0; i < page->results->n_variants; i++)
		is_even &= sums[i].boots == sums[0].boots && !sums[i].crashed;
	if (is_even) {
		buffer_format(out, "%zu of each variant", sums[0].boots);
		return;
	}
	for (size_t i = 0; i < page->results->n_variants; i++) {
		buffer_format(out, "%s%zu of %s", i ? ", " : "", sums[i].boots,
			      page_label(page, i));
		if (sums[i].crashed)
			buffer_format(out, " (%zu did not end well)", sums[i].crashed);
	}
}

/* One machine with its CPU and topology; of several the names. */
static void say_machines(struct page *page, struct buffer *out)
{
	const struct results *results = page->results;
	size_t shown = results->n_machines > MACHINES_NAMED ? MACHINES_NAMED : results->n_machines;
	const char *model = results->n_machines ? results->machines[0].cpu_model : NULL;

	if (results->n_machines <= 1) {
		buffer_add(out, model		      ? model
				: results->n_machines ? results->machines[0].name
						      : "not known");
		return;
	}
	buffer_format(out, "%zu machines: ", results->n_machines);
	for (size_t i = 0; i < shown; i++)
		buffer_format(out, "%s%s", i ? ", " : "", results->machines[i].name);
	if (shown < results->n_machines)
		buffer_format(out, " and %zu more", results->n_machines - shown);
}

static void add_machine(struct page *page)
{
	struct buffer machine = {0}, topology = {0}, target = {0}, kernel = {0}, boots = {0};

	say_machines(page, &machine);
	if (page->results->n_machines <= 1)
		say_topology(&topology, environment_of(page, page->analysis->baseline));
	buffer_format(&target, "%s, %s time", page->results->target, page->results->time);
	say_kernels(page, &kernel);
	say_boots(page, &boots);
	buffer_add(page->out, "<dl class=\"machine\">\n");
	add_machine_item(page, "machine", machine.text);
	add_machine_item(page, "topology", topology.text);
	add_machine_item(page, "target", target.text);
	add_machine_item(page, "kernel", kernel.text);
	add_machine_item(page, "boots", boots.text);
	buffer_add(page->out, "</dl>\n");
	buffer_release(&machine);
	buffer_release(&topology);
	buffer_release(&target);
	buffer_release(&kernel);
	buffer_release(&boots);
}

static void add_contents(struct page *page)
{
	buffer_add(page->out, "<nav aria-label=\"Contents\"><a href=\"#results\">Results</a> "
			      "<a href=\"#health\">Health and evidence</a> "
			      "<a href=\"#environment\">Machine and kernel</a> "
			      "<a href=\"#method\">Method</a> <a href=\"#boots\">Every boot</a>"
			      "</nav>\n");
}

void page_first_screen(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	buffer_add(page->out, "<header>\n");
	add_origin(page);
	add_sentences(page, "p class=\"alert\"", analysis->warnings, 0, analysis->n_loud,
		      ALERTS_OPEN);
	if (analysis->n_headline)
		add_sentence(page, "h1", analysis->headline[0]);
	add_violations(page);
	/* Many verdicts would push the machine off the screen. */
	if (count_glances(page) > 1)
		add_machine(page);
	add_glances(page);
	if (count_glances(page) <= 1)
		add_machine(page);
	/* The last sentence says the boots, target and machine, which stand above, and the first of
	 * many say what stands in the boxes. */
	if (analysis->n_headline > 2)
		add_sentences(page, "p class=\"also\"", analysis->headline, 1,
			      analysis->n_headline - 1, count_glances(page) > 1 ? 1 : 4);
	add_sentences(page, "p class=\"note\"", analysis->warnings, analysis->n_loud,
		      analysis->n_warnings, NOTES_OPEN);
	add_contents(page);
	buffer_add(page->out, "</header>\n");
}
