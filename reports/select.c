// SPDX-License-Identifier: GPL-2.0-only
#include "reports/select.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reports/buffer.h"

#define DROPPED SIZE_MAX

static bool is_listed(const struct name_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->names[i], name))
			return true;
	return !list->count;
}

static int unknown_name(struct results *results, const char *option, const char *name,
			const char *instead)
{
	snprintf(results->error, sizeof(results->error), "%s: there is no '%.60s' here%s%.60s%s",
		 option, name, instead ? "; there is '" : "", instead ? instead : "",
		 instead ? "'" : "");
	text_disarm(results->error);
	return -EINVAL;
}

static bool is_label_of(const struct variant_info *variant, const char *label)
{
	return !strcmp(variant->label, label) || !strcmp(variant->plain_label, label);
}

/* Whether a name of an option is of anything. */
static bool is_known(const struct results *results, const char *option, const char *name)
{
	for (size_t i = 0; i < results->n_variants && !strcmp(option, "--variant"); i++)
		if (is_label_of(&results->variants[i], name))
			return true;
	for (size_t i = 0; i < results->n_machines && !strcmp(option, "--machine"); i++)
		if (!strcmp(results->machines[i].name, name))
			return true;
	for (size_t i = 0; i < results->n_sections; i++) {
		const struct section_info *section = &results->sections[i];

		if (!strcmp(option, "--workload") && !strcmp(section->workload, name))
			return true;
		for (size_t j = 0; j < section->n_metrics && !strcmp(option, "--metric"); j++)
			if (!strcmp(section->metrics[j].name, name))
				return true;
	}
	return false;
}

/* Checks the names of one option and says them in results->selection. */
static int note_names(struct results *results, const char *option, const struct name_list *list,
		      const char *instead)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!is_known(results, option, list->names[i]))
			return unknown_name(results, option, list->names[i], instead);
		results->selection = arena_format(
			&results->arena, "%s%s%s %s", results->selection ? results->selection : "",
			results->selection ? " " : "", option, list->names[i]);
		if (!results->selection)
			return -ENOMEM;
	}
	return 0;
}

static bool is_variant_kept(const struct selection *selection, const struct variant_info *variant)
{
	const char *baseline = selection->baseline ? selection->baseline : "!proxy";

	for (size_t i = 0; i < selection->variants.count; i++)
		if (is_label_of(variant, selection->variants.names[i]))
			return true;
	return !selection->variants.count ||
	       (selection->keeps_baselines && is_label_of(variant, baseline));
}

/* Whether a boot is left of both its variant and its machine: what has none left goes, too. */
static bool is_boot_kept(const struct results *results, const struct selection *selection,
			 const struct boot *boot)
{
	return is_variant_kept(selection, &results->variants[boot->variant]) &&
	       is_listed(&selection->machines, results->machines[boot->machine].name);
}

/* New indices of what is kept, in the old order; and the boots that are left. */
static void keep_boots(struct results *results, size_t *variants, size_t *machines)
{
	size_t kept = 0;

	for (size_t i = 0; i < results->n_boots; i++) {
		struct boot boot = results->boots[i];

		if (variants[boot.variant] == DROPPED || machines[boot.machine] == DROPPED)
			continue;
		boot.variant = variants[boot.variant];
		boot.machine = machines[boot.machine];
		results->boots[kept++] = boot;
	}
	results->n_boots = kept;
}

static int select_boots(struct results *results, const struct selection *selection)
{
	size_t *variants =
		arena_alloc(&results->arena, (results->n_variants + 1) * sizeof(*variants));
	size_t *machines =
		arena_alloc(&results->arena, (results->n_machines + 1) * sizeof(*machines));
	size_t n_variants = 0, n_machines = 0;

	if (!variants || !machines)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_variants; i++)
		variants[i] = DROPPED;
	for (size_t i = 0; i < results->n_machines; i++)
		machines[i] = DROPPED;
	for (size_t i = 0; i < results->n_boots; i++)
		if (is_boot_kept(results, selection, &results->boots[i]))
			variants[results->boots[i].variant] = machines[results->boots[i].machine] =
				0;
	for (size_t i = 0; i < results->n_variants; i++) {
		if (variants[i] == DROPPED)
			continue;
		results->variants[n_variants] = results->variants[i];
		variants[i] = n_variants++;
	}
	for (size_t i = 0; i < results->n_machines; i++) {
		if (machines[i] == DROPPED)
			continue;
		results->machines[n_machines] = results->machines[i];
		machines[i] = n_machines++;
	}
	results->n_variants = n_variants;
	results->n_machines = n_machines;
	keep_boots(results, variants, machines);
	if (!results->n_boots)
		snprintf(results->error, sizeof(results->error), "no boot is left by %.500s",
			 results->selection);
	return results->n_boots ? 0 : -EINVAL;
}

/* Moves metric @from of section @section to @to in every boot; DROPPED: nowhere. */
static void move_metric(struct results *results, size_t section, size_t from, size_t to)
{
	for (size_t i = 0; i < results->n_boots; i++) {
		struct boot *boot = &results->boots[i];
		struct section_result *result =
			section < boot->n_sections ? &boot->sections[section] : NULL;

		if (!result || to >= result->n_measurements)
			continue;
		result->measurements[to] = from < result->n_measurements
						   ? result->measurements[from]
						   : (struct measurement){0};
	}
}

static void select_metrics(struct results *results, const struct selection *selection,
			   size_t section)
{
	struct section_info *info = &results->sections[section];
	size_t kept = 0;

	for (size_t i = 0; i < info->n_metrics; i++) {
		if (!is_listed(&selection->metrics, info->metrics[i].name))
			continue;
		if (kept != i)
			move_metric(results, section, i, kept);
		info->metrics[kept++] = info->metrics[i];
	}
	info->n_metrics = kept;
	for (size_t i = 0; i < results->n_boots; i++)
		if (section < results->boots[i].n_sections &&
		    results->boots[i].sections[section].n_measurements > kept)
			results->boots[i].sections[section].n_measurements = kept;
}

static void move_section(struct results *results, size_t from, size_t to)
{
	for (size_t i = 0; i < results->n_boots; i++) {
		struct boot *boot = &results->boots[i];

		if (to < boot->n_sections)
			boot->sections[to] = from < boot->n_sections ? boot->sections[from]
								     : (struct section_result){0};
	}
}

/* Sections of other workloads, or without any of the metrics, go. */
static void select_sections(struct results *results, const struct selection *selection)
{
	size_t kept = 0;

	for (size_t i = 0; i < results->n_sections; i++) {
		if (!is_listed(&selection->workloads, results->sections[i].workload))
			continue;
		if (selection->metrics.count)
			select_metrics(results, selection, i);
		if (!results->sections[i].n_metrics)
			continue;
		if (kept != i)
			move_section(results, i, kept);
		results->sections[kept++] = results->sections[i];
	}
	results->n_sections = kept;
	for (size_t i = 0; i < results->n_boots; i++)
		if (results->boots[i].n_sections > kept)
			results->boots[i].n_sections = kept;
}

int results_select(struct results *results, const struct selection *selection)
{
	int err = note_names(results, "--workload", &selection->workloads,
			     results->n_sections ? results->sections[0].workload : NULL);

	if (!err)
		err = note_names(results, "--metric", &selection->metrics,
				 results->n_sections && results->sections[0].n_metrics
					 ? results->sections[0].metrics[0].name
					 : NULL);
	if (!err)
		err = note_names(results, "--variant", &selection->variants,
				 results->n_variants ? results->variants[0].label : NULL);
	if (!err)
		err = note_names(results, "--machine", &selection->machines,
				 results->n_machines ? results->machines[0].name : NULL);
	if (err || !results->selection)
		return err;
	err = select_boots(results, selection);
	if (!err && (selection->workloads.count || selection->metrics.count))
		select_sections(results, selection);
	if (!err && !results->n_sections) {
		snprintf(results->error, sizeof(results->error), "no metric is left by %.500s",
			 results->selection);
		err = -EINVAL;
	}
	return err;
}
