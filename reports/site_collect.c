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

/* "7.2.13 + 6 patches": the release alone is the same for every stage of a series. */
static const char *name_kernel(struct site *site, const struct variant_info *variant)
{
	const char *named;
	size_t patches = 0;

	if (!variant->release)
		return "unknown kernel";
	for (const char *c = variant->patches; c; c = strstr(c + 1, "), "))
		patches++;
	if (patches)
		named = arena_format(&site->arena, "%s + %zu patch%s", variant->release, patches,
				     patches == 1 ? "" : "es");
	else
		named = arena_text(&site->arena, variant->release);
	site->has_failed |= !named;
	return named ? named : "";
}

/* Of the first boot: a campaign runs on one machine. */
static void take_machine(struct site *site, const struct results *results,
			 struct site_report *report)
{
	const struct machine_info *machine = &results->machines[results->boots[0].machine];

	report->machine = keep(site, machine->name);
	report->machine_long = keep(site, machine->long_name);
	report->machine_key = keep(site, machine->key ? machine->key : machine->name);
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

static void count_crashes(const struct analysis *analysis, struct site_report *report)
{
	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		report->crashed += analysis->variants[i].crashed;
		report->unclean += analysis->variants[i].unclean;
	}
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
				       .n_boots = results->n_boots,
				       .exit_code = analysis->exit_code};
	take_machine(site, results, report);
	take_variants(site, analysis, report);
	take_headline(site, analysis, report);
	count_verdicts(analysis, report);
	count_crashes(analysis, report);
}

/* Newest first; what does not tell when it ran comes last, by its name, read as a version. */
static int compare_reports(const void *a, const void *b)
{
	const struct site_report *one = a, *two = b;
	int order = strcmp(two->date ? two->date : "", one->date ? one->date : "");

	return order ? order : strverscmp(two->id, one->id);
}

const char *site_folder_of(const struct site *site, const char *id)
{
	for (size_t i = 0; i < site->n_reports; i++)
		if (!strcmp(site->reports[i].id, id))
			return site->reports[i].folder;
	return "";
}

/* Two machines that share a short name are called by what tells them apart. */
static void settle_machines(struct site *site)
{
	for (size_t i = 0; i < site->n_reports; i++) {
		struct site_report *report = &site->reports[i];
		bool is_shared = false;

		for (size_t j = 0; j < site->n_reports; j++)
			is_shared |= strcmp(report->machine_key, site->reports[j].machine_key) &&
				     !strcmp(report->machine, site->reports[j].machine);
		report->machine_shown = is_shared ? report->machine_long : report->machine;
	}
}

void site_settle(struct site *site)
{
	if (!site->has_failed)
		settle_machines(site);
	if (site->n_reports > 1)
		qsort(site->reports, site->n_reports, sizeof(*site->reports), compare_reports);
}
