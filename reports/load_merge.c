// SPDX-License-Identifier: GPL-2.0-only
/* From documents to results: names become indices, and what must agree is held together. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/loading.h"
#include "reports/buffer.h"
#include "reports/machine.h"

__attribute__((format(printf, 3, 4))) static int
refuse_job(struct loading *loading, const struct job *job, const char *format, ...)
{
	struct results *results = loading->results;
	char what[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(results->error, sizeof(results->error), "%.200s: %s", job->path, what);
	text_disarm(results->error);
	return -EINVAL;
}

/*
 * The index of the thing of that name, which is *@count when it is new: an element is then
 * added to @array. SIZE_MAX: no memory.
 */
static size_t find_or_add(struct loading *loading, struct text_table *names, const char *name,
			  void *array, size_t *count, size_t element_bytes)
{
	struct text_entry *entry = text_table_get(names, name, strlen(name));

	if (!entry)
		return SIZE_MAX;
	if (!entry->number) {
		if (!arena_append(&loading->results->arena, array, count, element_bytes))
			return SIZE_MAX;
		entry->number = *count;
	}
	return entry->number - 1;
}

static size_t find_campaign(struct loading *loading, const char *id)
{
	struct results *results = loading->results;
	size_t index = find_or_add(loading, &loading->campaigns, id, &results->campaigns,
				   &results->n_campaigns, sizeof(*results->campaigns));

	if (index != SIZE_MAX)
		results->campaigns[index].id = id;
	return index;
}

static int merge_campaign(struct loading *loading, struct job *job)
{
	struct campaign_document *document = &job->campaign;
	size_t index = find_campaign(loading, document->id);
	struct campaign_info *campaign;

	if (index == SIZE_MAX)
		return loading_no_memory(loading);
	campaign = &loading->results->campaigns[index];
	campaign->directory = job->directory;
	if (document->pairing)
		campaign->pairing = document->pairing;
	if (document->sequential)
		campaign->sequential = document->sequential;
	if (!campaign->document) {
		campaign->document = document->object;
		document->object = NULL;
	}
	return 0;
}

/* Target and kind of time are the same in everything that is compared. */
static int merge_target(struct loading *loading, const struct job *job)
{
	const struct boot_document *document = &job->boot;
	struct results *results = loading->results;

	if (!results->target) {
		results->target = document->target;
		results->time = document->time;
	}
	if (strcmp(results->time, document->time))
		return refuse_job(loading, job,
				  "it is in %s time and the boots before it in %s time: the two "
				  "are never compared",
				  document->time, results->time);
	if (strcmp(results->target, document->target))
		return refuse_job(loading, job,
				  "its target is %.40s and that of the boots before it is %.40s: "
				  "the two are never compared",
				  document->target, results->target);
	return 0;
}

static bool is_other(const char *planned, const char *found)
{
	return planned && strcmp(planned, found) != 0;
}

/* A boot that is not of the campaign in whose folder it lies makes both doubtful. */
static int check_plan(struct loading *loading, const struct job *job)
{
	const struct boot_document *boot = &job->boot;
	const struct campaign_document *plan;
	const char *variant = NULL;

	if (!job->plan)
		return 0;
	plan = &loading->jobs[job->plan - 1].campaign;
	if (is_other(plan->id, boot->campaign))
		return refuse_job(loading, job,
				  "it is of campaign %.60s, and the campaign.json beside it is of "
				  "%.60s",
				  boot->campaign, plan->id);
	if (is_other(plan->target, boot->target) || is_other(plan->time, boot->time))
		return refuse_job(loading, job,
				  "its target is %.40s in %s time, and its campaign.json says "
				  "%.40s in %.40s time",
				  boot->target, boot->time, plan->target ? plan->target : "",
				  plan->time ? plan->time : "");
	if (plan->has_seed && boot->has_seed && plan->seed != boot->seed)
		return refuse_job(loading, job,
				  "its campaign's seed is %llu, and its campaign.json says %llu",
				  (unsigned long long)boot->seed, (unsigned long long)plan->seed);
	if (boot->boot.index < plan->n_planned)
		variant = plan->planned[boot->boot.index];
	if (is_other(variant, boot->variant.plain_label))
		return refuse_job(
			loading, job,
			"boot %llu is of variant %.60s, and its campaign.json planned %.60s",
			(unsigned long long)boot->boot.index, boot->variant.plain_label, variant);
	return 0;
}

static bool is_same_or_unknown(const char *one, const char *other)
{
	return !one || !other || !strcmp(one, other);
}

static bool is_same_variant(const struct variant_info *known, const struct variant_info *variant)
{
	return !strcmp(known->plain_label, variant->plain_label) &&
	       !strcmp(known->arguments, variant->arguments) &&
	       is_same_or_unknown(known->image_sha256, variant->image_sha256) &&
	       is_same_or_unknown(known->kernel, variant->kernel);
}

static size_t find_variant(struct results *results, const struct variant_info *variant)
{
	struct variant_info *added;

	for (size_t i = 0; i < results->n_variants; i++) {
		struct variant_info *known = &results->variants[i];

		if (!is_same_variant(known, variant))
			continue;
		if (!known->kernel) {
			known->kernel = variant->kernel;
			known->release = variant->release;
		}
		if (!known->image_sha256)
			known->image_sha256 = variant->image_sha256;
		return i;
	}
	added = arena_append(&results->arena, &results->variants, &results->n_variants,
			     sizeof(*added));
	if (!added)
		return SIZE_MAX;
	*added = *variant;
	return results->n_variants - 1;
}

static int merge_identity(struct loading *loading, const struct boot_document *document,
			  struct boot *boot)
{
	struct results *results = loading->results;

	boot->campaign = find_campaign(loading, document->campaign);
	boot->variant = find_variant(results, &document->variant);
	boot->machine = MACHINE_UNKNOWN;
	if (boot->campaign == SIZE_MAX || boot->variant == SIZE_MAX)
		return loading_no_memory(loading);
	if (document->has_seed) {
		results->campaigns[boot->campaign].seed = document->seed;
		results->campaigns[boot->campaign].has_seed = true;
	}
	if (!document->machine.key)
		return 0;
	boot->machine =
		find_or_add(loading, &loading->machines, document->machine.key, &results->machines,
			    &results->n_machines, sizeof(*results->machines));
	if (boot->machine == MACHINE_UNKNOWN)
		return loading_no_memory(loading);
	results->machines[boot->machine] = document->machine;
	return 0;
}

static bool is_same_metric(const struct metric_info *one, const struct metric_info *two)
{
	return !strcmp(one->unit, two->unit) && one->kind == two->kind &&
	       one->direction == two->direction && one->role == two->role;
}

/* The section's metric of that name, looked for at @hint first; n_metrics: there is none. */
static size_t find_metric(const struct section_info *section, const char *name, size_t hint)
{
	size_t i = 0;

	if (hint < section->n_metrics && !strcmp(section->metrics[hint].name, name))
		return hint;
	while (i < section->n_metrics && strcmp(section->metrics[i].name, name))
		i++;
	return i;
}

static int merge_metric(struct loading *loading, const struct job *job,
			struct section_info *section, const struct metric_info *metric,
			size_t *index)
{
	struct metric_info *added;

	*index = find_metric(section, metric->name, *index);
	if (*index < section->n_metrics) {
		if (is_same_metric(&section->metrics[*index], metric))
			return 0;
		return refuse_job(loading, job,
				  "in %.100s %.60s, its unit, kind, direction or role is not what "
				  "another boot says",
				  section->id, metric->name);
	}
	if (section->n_metrics == RESULT_MAX_METRICS)
		return refuse_job(loading, job,
				  "in %.100s, the section has more than %d metrics over all boots",
				  section->id, RESULT_MAX_METRICS);
	added = arena_append(&loading->results->arena, &section->metrics, &section->n_metrics,
			     sizeof(*added));
	if (!added)
		return loading_no_memory(loading);
	*added = *metric;
	return 0;
}

/* The measurements of a boot that has other metrics, or has them in another order. */
static int reorder_measurements(struct loading *loading, struct section_result *result,
				const size_t *order, size_t n_metrics)
{
	struct measurement *sorted =
		arena_alloc(&loading->results->arena, (n_metrics + 1) * sizeof(*sorted));

	if (!sorted)
		return loading_no_memory(loading);
	for (size_t i = 0; i < result->n_measurements; i++)
		sorted[order[i]] = result->measurements[i];
	result->measurements = sorted;
	result->n_measurements = n_metrics;
	return 0;
}

/* What a section says of itself; where its roles were is kept where all boots agree. */
static void describe_section(struct section_info *section, const struct section_document *document)
{
	if (!section->id) {
		*section = (struct section_info){.id = document->id,
						 .workload = document->workload,
						 .params = document->result.params,
						 .placement = document->placement,
						 .placement_kind = document->placement_kind};
		memcpy(section->where, document->where, sizeof(section->where));
	}
	for (size_t i = 0; i < PLACES; i++)
		if (section->where[i] != document->where[i])
			section->where[i] = -1;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "b=1 a=2" as "a=2 b=1". */
static int add_sorted_words(struct arena *arena, const char *text, struct buffer *out)
{
	const char **words = arena_alloc(arena, (strlen(text) / 2 + 1) * sizeof(*words));
	char *copy = arena_alloc(arena, strlen(text) + 1), *rest, *word;
	size_t count = 0;

	if (!words || !copy)
		return -ENOMEM;
	strcpy(copy, text);
	for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	if (count)
		qsort(words, count, sizeof(*words), compare_words);
	for (size_t i = 0; i < count; i++)
		buffer_format(out, "%s%s", i ? " " : "", words[i]);
	return 0;
}

/*
 * The section's index; SIZE_MAX: no memory. An id names the parameters that vary within a
 * campaign only; with other parameters something else was measured. Their order says nothing.
 */
static size_t find_section(struct loading *loading, const struct section_document *document)
{
	struct results *results = loading->results;
	struct buffer key = {0}, sorted = {0};
	struct text_entry *entry = NULL;
	size_t index = SIZE_MAX;

	buffer_format(&key, "%s\n%s", document->id, document->result.params);
	if (!key.failed)
		entry = text_table_get(&loading->sections, key.text, key.length);
	if (entry && !entry->number) {
		buffer_format(&sorted, "%s\n", document->id);
		if (!add_sorted_words(&results->arena, document->result.params, &sorted) &&
		    !sorted.failed)
			index = find_or_add(loading, &loading->sections, sorted.text,
					    &results->sections, &results->n_sections,
					    sizeof(*results->sections));
		entry->number = index == SIZE_MAX ? 0 : index + 1;
	}
	buffer_release(&key);
	buffer_release(&sorted);
	return entry ? entry->number - 1 : SIZE_MAX;
}

static int merge_section(struct loading *loading, const struct job *job,
			 struct section_document *document)
{
	struct results *results = loading->results;
	struct section_result *result = &document->result;
	size_t order[RESULT_MAX_METRICS];
	struct section_info *section;
	bool is_sorted = true;
	int err = 0;

	document->index = find_section(loading, document);
	if (document->index == SIZE_MAX)
		return loading_no_memory(loading);
	if (results->n_sections > RESULT_MAX_SECTIONS)
		return refuse_job(loading, job, "there are more than %d different sections",
				  RESULT_MAX_SECTIONS);
	section = &results->sections[document->index];
	describe_section(section, document);
	for (size_t i = 0; i < result->n_measurements && !err; i++) {
		order[i] = i;
		err = merge_metric(loading, job, section, &document->metrics[i], &order[i]);
		is_sorted &= order[i] == i;
	}
	if (!err && !is_sorted)
		err = reorder_measurements(loading, result, order, section->n_metrics);
	return err;
}

static int merge_boot(struct loading *loading, struct job *job)
{
	struct boot_document *document = &job->boot;
	struct results *results = loading->results;
	struct boot *added;
	int err = merge_target(loading, job);

	if (!err)
		err = check_plan(loading, job);
	if (!err)
		err = merge_identity(loading, document, &document->boot);
	for (size_t i = 0; i < document->n_sections && !err; i++)
		err = merge_section(loading, job, &document->sections[i]);
	if (err)
		return err;
	added = arena_append(&results->arena, &results->boots, &results->n_boots, sizeof(*added));
	if (!added)
		return loading_no_memory(loading);
	*added = document->boot;
	return 0;
}

/* In order, so that the first file that is wrong is the one that is named. */
int loading_merge(struct loading *loading)
{
	struct results *results = loading->results;
	int err = 0;

	for (size_t i = 0; i < loading->n_jobs && !err; i++) {
		struct job *job = &loading->jobs[i];

		if (job->error) {
			snprintf(results->error, sizeof(results->error), "%s", job->error);
			return -EINVAL;
		}
		err = job->directory ? merge_campaign(loading, job) : merge_boot(loading, job);
	}
	return err ? err : loading->err;
}
