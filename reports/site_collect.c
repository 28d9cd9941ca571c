// SPDX-License-Identifier: GPL-2.0-only
/* From analyses to the rows of a site's index. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "reports/site_internal.h"

static const char *keep(struct site *site, const char *text)
{
	const char *kept = arena_text(&site->arena, text);

	site->has_failed |= text && !kept;
	return kept;
}

static const char *environment_text(const struct analysis *analysis, const char *group,
				    const char *key)
{
	const struct boot *boot = analysis->variants[analysis->baseline].example;

	return boot ? json_text_at(boot->environment, (const char *[]){group, key, NULL}) : NULL;
}

/* "7.2.13 + 6 patches": the release alone is the same for every stage of a series. */
static const char *name_kernel(struct site *site, const struct variant_info *variant)
{
	const char *named;
	size_t patches = 0;

	if (!variant->kernel)
		return "unknown kernel";
	for (const char *c = variant->patches; c; c = strstr(c + 1, "), "))
		patches++;
	if (patches)
		named = arena_format(&site->arena, "%.*s + %zu patch%s",
				     (int)strcspn(variant->kernel, " "), variant->kernel, patches,
				     patches == 1 ? "" : "es");
	else
		named = arena_format(&site->arena, "%.*s", (int)strcspn(variant->kernel, " "),
				     variant->kernel);
	site->has_failed |= !named;
	return named ? named : "";
}

static const char *topology_of(const struct analysis *analysis)
{
	struct json_object *topology = NULL;

	json_object_object_get_ex(analysis->results->campaigns[0].document, "topology", &topology);
	return json_object_is_type(topology, json_type_string) ? json_object_get_string(topology)
							       : NULL;
}

/*
 * Figures are only comparable on one machine: a guest is its topology, and in real time also
 * the processor below it; a host is its name, or where that is not told its processor.
 */
static const char *name_machine(struct site *site, const struct analysis *analysis)
{
	const struct results *results = analysis->results;
	const char *topology = topology_of(analysis);
	const char *cpu = environment_text(analysis, "cpu", "model");
	const char *host = environment_text(analysis, "hostname", NULL), *named;
	bool is_guest = !strcmp(results->target, "vm");

	if (!cpu)
		cpu = "unknown processor";
	if (is_guest && !strcmp(results->time, "virtual"))
		named = arena_format(&site->arena, "guest %s, virtual time",
				     topology ? topology : "of unknown topology");
	else if (is_guest)
		named = arena_format(&site->arena, "guest %s, real time, %s",
				     topology ? topology : "of unknown topology", cpu);
	else
		named = arena_format(&site->arena, "%s%s%s", host ? host : "", host ? ", " : "",
				     cpu);
	site->has_failed |= !named;
	return named ? named : "";
}

static void take_variants(struct site *site, const struct analysis *analysis,
			  struct site_report *report)
{
	const struct results *results = analysis->results;

	report->n_variants = results->n_variants;
	report->baseline = analysis->baseline;
	report->variants =
		arena_alloc(&site->arena, (results->n_variants + 1) * sizeof(*report->variants));
	site->has_failed |= !report->variants;
	for (size_t i = 0; i < results->n_variants && report->variants; i++)
		report->variants[i] = (struct site_variant){
			.label = keep(site, results->variants[i].label),
			.kernel = name_kernel(site, &results->variants[i]),
			.image_sha256 = keep(site, results->variants[i].image_sha256),
		};
}

static void count_verdicts(const struct analysis *analysis, struct site_report *report)
{
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (analysis->comparisons[i].family == FAMILY_PRIMARY)
			report->primary[analysis->comparisons[i].verdict]++;
	for (size_t i = 0; i < analysis->n_invariants; i++)
		if (analysis->results->sections[analysis->invariants[i].section]
			    .metrics[analysis->invariants[i].metric]
			    .role != ROLE_INFORMATIVE)
			report->invariants[analysis->invariants[i].verdict]++;
}

static void take_headline(struct site *site, const struct analysis *analysis,
			  struct site_report *report)
{
	for (size_t i = 0; i < analysis->n_headline; i++) {
		const char **added = arena_append(&site->arena, &report->headline,
						  &report->n_headline, sizeof(*added));

		site->has_failed |= !added;
		if (added)
			*added = keep(site, analysis->headline[i]);
	}
}

/* Feeds and sorting need the form that this program writes; a file may say anything. */
static bool is_date(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	size_t i = 0;

	for (; text[i] && form[i]; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return !text[i] && !form[i];
}

static const char *first_start(const struct results *results)
{
	const char *first = NULL;

	for (size_t i = 0; i < results->n_boots; i++) {
		const char *started = results->boots[i].started;

		if (started && is_date(started) && (!first || strcmp(started, first) < 0))
			first = started;
	}
	return first;
}

void site_add(struct site *site, const struct analysis *analysis, const char *id,
	      const char *folder)
{
	const struct results *results = analysis->results;
	struct site_report *report =
		arena_append(&site->arena, &site->reports, &site->n_reports, sizeof(*report));

	if (!report) {
		site->has_failed = true;
		return;
	}
	*report = (struct site_report){.id = keep(site, id),
				       .folder = keep(site, folder),
				       .date = keep(site, first_start(results)),
				       .target = keep(site, results->target),
				       .time = keep(site, results->time),
				       .machine = name_machine(site, analysis),
				       .n_boots = results->n_boots,
				       .exit_code = analysis->exit_code};
	take_variants(site, analysis, report);
	take_headline(site, analysis, report);
	count_verdicts(analysis, report);
}

/* Newest first; what does not tell when it ran comes last, by its name, read as a version. */
static int compare_reports(const void *a, const void *b)
{
	const struct site_report *one = a, *two = b;
	int order = strcmp(two->date ? two->date : "", one->date ? one->date : "");

	return order ? order : strverscmp(two->id, one->id);
}

void site_settle(struct site *site)
{
	if (site->n_reports > 1)
		qsort(site->reports, site->n_reports, sizeof(*site->reports), compare_reports);
}
