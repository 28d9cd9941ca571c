// SPDX-License-Identifier: GPL-2.0-only
#include "reports/load.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/files.h"
#include "reports/machine.h"
#include "reports/reader.h"
#include "reports/sequential.h"

static const char *const statistic_words[] = {"p50", "p90", "p99", "p99_9", "max", "value", NULL};
static const char *const boot_end_words[] = {"ok",	    "failed", "panicked",
					     "no-progress", "died",   NULL};
static const char *const time_words[] = {"real", "virtual", NULL};
static const char *const pairing_words[] = {"rounds", "independent", NULL};

const char *statistic_word(enum statistic statistic)
{
	return statistic_words[statistic];
}

const char *boot_end_word(enum boot_end end)
{
	return boot_end_words[end];
}

int boot_document_load(const char *path, struct json_object **out, char *error, size_t error_size)
{
	struct reader reader = {.path = path, .error = error, .error_size = error_size};

	*out = reader_load(&reader, "proxeval-boot");
	return *out ? 0 : -EINVAL;
}

uint64_t bucket_lower_edge(uint32_t bits, uint32_t index)
{
	uint32_t half = 1u << (bits - 1);

	if (index < 2 * half)
		return index;
	return (uint64_t)(half + index % half) << (index / half - 1);
}

uint64_t bucket_width(uint32_t bits, uint32_t index)
{
	uint32_t half = 1u << (bits - 1);

	return index < 2 * half ? 1 : UINT64_C(1) << (index / half - 1);
}

static void read_bucket(struct reader *reader, struct json_object *pair, struct bucket *bucket,
			uint64_t limit)
{
	uint64_t index;

	if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2) {
		reader_fail(reader, "a bucket is not a pair of an index and a count");
		return;
	}
	index = reader_to_count(reader, json_object_array_get_idx(pair, 0), "buckets");
	bucket->count = reader_to_count(reader, json_object_array_get_idx(pair, 1), "buckets");
	if (index >= limit)
		reader_fail(reader, "bucket %llu is beyond the histogram",
			    (unsigned long long)index);
	bucket->index = (uint32_t)index;
}

static void check_histogram_sum(struct reader *reader, const struct measurement *measurement)
{
	const struct sparse_histogram *histogram = &measurement->histogram;
	double sum = (double)histogram->underflow + (double)histogram->overflow;

	for (size_t i = 0; i < histogram->n_buckets; i++) {
		sum += (double)histogram->buckets[i].count;
		if (i && histogram->buckets[i].index <= histogram->buckets[i - 1].index)
			reader_fail(reader, "the buckets are not in rising order");
	}
	if (sum != (double)measurement->samples)
		reader_fail(reader, "the histogram holds %.0f samples, and \"samples\" says %llu",
			    sum, (unsigned long long)measurement->samples);
}

static void read_histogram(struct reader *reader, struct json_object *object,
			   struct measurement *measurement)
{
	struct sparse_histogram *histogram = &measurement->histogram;
	uint64_t bits = reader_count(reader, object, "bits");
	uint64_t max_bits = reader_count(reader, object, "max_bits");
	struct json_object *list = reader_array(reader, object, "buckets");
	struct bucket *buckets;
	uint64_t limit;

	reader_count(reader, object, "lowest");
	histogram->underflow = reader_count(reader, object, "underflow");
	histogram->overflow = reader_count(reader, object, "overflow");
	if (!reader->has_failed && (bits < 1 || bits > 16 || max_bits < bits || max_bits > 63))
		reader_fail(reader, "a histogram of %llu bits up to %llu is not one",
			    (unsigned long long)bits, (unsigned long long)max_bits);
	if (reader->has_failed)
		return;
	limit = (UINT64_C(1) << bits) + (max_bits - bits) * (UINT64_C(1) << (bits - 1));
	histogram->bits = (uint32_t)bits;
	histogram->n_buckets = json_object_array_length(list);
	buckets =
		arena_alloc(&reader->results->arena, (histogram->n_buckets + 1) * sizeof(*buckets));
	if (!buckets) {
		reader_no_memory(reader);
		return;
	}
	for (size_t i = 0; i < histogram->n_buckets && !reader->has_failed; i++)
		read_bucket(reader, json_object_array_get_idx(list, i), &buckets[i], limit);
	histogram->buckets = buckets;
	if (!reader->has_failed)
		check_histogram_sum(reader, measurement);
}

/* A quantile that so few samples cannot carry is refused, whoever wrote it. */
static double get_quantile(struct reader *reader, struct json_object *object, const char *key,
			   uint64_t samples, uint64_t needs)
{
	double value = reader_count_or_null(reader, object, key, needs > 100);

	if (!isnan(value) && samples < needs)
		reader_fail(reader, "\"%s\" needs %llu samples, and there are %llu", key,
			    (unsigned long long)needs, (unsigned long long)samples);
	return value;
}

static void read_distribution(struct reader *reader, struct json_object *object,
			      struct measurement *measurement)
{
	double *statistic = measurement->statistic;
	uint64_t samples = reader_count(reader, object, "samples");
	double mean;

	measurement->samples = samples;
	measurement->min = reader_count_or_null(reader, object, "min", false);
	statistic[STATISTIC_MAX] = reader_count_or_null(reader, object, "max", false);
	mean = reader_number_or_null(reader, object, "mean", false);
	statistic[STATISTIC_P50] = get_quantile(reader, object, "p50", samples, 1);
	statistic[STATISTIC_P90] = get_quantile(reader, object, "p90", samples, 10);
	statistic[STATISTIC_P99] = get_quantile(reader, object, "p99", samples, 100);
	statistic[STATISTIC_P99_9] = get_quantile(reader, object, "p99_9", samples, 1000);
	if (samples && (isnan(measurement->min) || isnan(statistic[STATISTIC_MAX]) || isnan(mean) ||
			isnan(statistic[STATISTIC_P50])))
		reader_fail(reader, "there are %llu samples without a min, max, mean or p50",
			    (unsigned long long)samples);
	if (samples && (measurement->min > statistic[STATISTIC_P50] ||
			statistic[STATISTIC_P50] > statistic[STATISTIC_MAX]))
		reader_fail(reader, "min, p50 and max are not in rising order");
	read_histogram(reader, reader_object(reader, object, "histogram"), measurement);
}

static void read_figures(struct reader *reader, struct json_object *object, enum metric_kind kind,
			 struct measurement *measurement)
{
	measurement->min = NAN;
	for (int i = 0; i < STATISTICS; i++)
		measurement->statistic[i] = NAN;
	switch (kind) {
	case METRIC_DISTRIBUTION:
		read_distribution(reader, object, measurement);
		break;
	case METRIC_SCALAR:
		measurement->statistic[STATISTIC_VALUE] =
			reader_number_or_null(reader, object, "value", false);
		break;
	case METRIC_COUNTER:
		measurement->statistic[STATISTIC_VALUE] =
			reader_count_or_null(reader, object, "value", false);
		break;
	case METRIC_INVARIANT:
		measurement->violations = reader_count(reader, object, "violations");
		measurement->exposure = reader_count(reader, object, "exposure");
		break;
	}
}

/* The section's metric of that name, added when it is new; checked to be the same thing as before.
 */
static size_t find_metric(struct reader *reader, struct section_info *section,
			  const struct metric_info *metric)
{
	struct metric_info *added;

	for (size_t i = 0; i < section->n_metrics; i++) {
		const struct metric_info *known = &section->metrics[i];

		if (strcmp(known->name, metric->name))
			continue;
		if (strcmp(known->unit, metric->unit) || known->kind != metric->kind ||
		    known->direction != metric->direction || known->role != metric->role)
			reader_fail(
				reader,
				"its unit, kind, direction or role is not what another boot says");
		return i;
	}
	if (section->n_metrics == RESULT_MAX_METRICS) {
		reader_fail(reader, "the section has more than %d metrics", RESULT_MAX_METRICS);
		return 0;
	}
	added = arena_append(&reader->results->arena, &section->metrics, &section->n_metrics,
			     sizeof(*added));
	if (!added) {
		reader_no_memory(reader);
		return 0;
	}
	*added = *metric;
	return section->n_metrics - 1;
}

static struct measurement *measurement_slot(struct reader *reader, struct section_result *result,
					    size_t index)
{
	while (result->n_measurements <= index)
		if (!arena_append(&reader->results->arena, &result->measurements,
				  &result->n_measurements, sizeof(struct measurement)))
			return reader_no_memory(reader);
	return &result->measurements[index];
}

static void read_metric(struct reader *reader, struct json_object *object,
			struct section_info *section, struct section_result *result)
{
	struct metric_info metric = {0};
	struct measurement *measurement;

	metric.name = reader_name(reader, object, "name");
	if (!reader->has_failed)
		reader->where =
			arena_format(&reader->results->arena, "%s %s", section->id, metric.name);
	metric.unit = reader_text(reader, object, "unit");
	metric.kind = (enum metric_kind)reader_word(reader, object, "kind", metric_kind_names);
	metric.direction = (enum metric_direction)reader_word(reader, object, "direction",
							      metric_direction_names);
	metric.role = (enum metric_role)reader_word(reader, object, "role", metric_role_names);
	if (reader->has_failed)
		return;
	measurement = measurement_slot(reader, result, find_metric(reader, section, &metric));
	if (!measurement || reader->has_failed)
		return;
	if (measurement->present)
		reader_fail(reader, "it appears twice");
	measurement->present = true;
	measurement->outcome = (enum outcome)reader_word(reader, object, "outcome", outcome_names);
	measurement->reason = reader_text_or_null(reader, object, "reason");
	read_figures(reader, object, metric.kind, measurement);
}

static void read_evidence(struct reader *reader, struct json_object *list,
			  struct section_result *result)
{
	size_t count = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count && !reader->has_failed; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		struct evidence *evidence = arena_append(&reader->results->arena, &result->evidence,
							 &result->n_evidence, sizeof(*evidence));

		if (!evidence) {
			reader_no_memory(reader);
			return;
		}
		evidence->name = reader_name(reader, object, "name");
		evidence->held = reader_bool(reader, object, "held");
		evidence->observed = reader_count(reader, object, "observed");
		evidence->expected = reader_count(reader, object, "expected");
		evidence->text = reader_text_or_null(reader, object, "text");
	}
}

static const char *join_params(struct reader *reader, struct json_object *params)
{
	const char *joined = "";

	if (!params)
		return joined;
	json_object_object_foreach (params, name, value) {
		joined = arena_format(&reader->results->arena, "%s%s%s=%.200s", joined,
				      *joined ? " " : "", name, json_object_get_string(value));
		if (!joined)
			return reader_no_memory(reader);
	}
	return joined;
}

#define PLACE_UNSEEN (-2) /* until the first boot said where a role was */

/* The section's index; a new one is added with what it says of itself. */
static size_t find_section(struct reader *reader, struct json_object *object, const char *id)
{
	struct results *results = reader->results;
	struct json_object *placement;
	struct section_info *added;

	for (size_t i = 0; i < results->n_sections; i++)
		if (!strcmp(results->sections[i].id, id))
			return i;
	if (results->n_sections == RESULT_MAX_SECTIONS) {
		reader_fail(reader, "there are more than %d different sections",
			    RESULT_MAX_SECTIONS);
		return 0;
	}
	added = arena_append(&results->arena, &results->sections, &results->n_sections,
			     sizeof(*added));
	if (!added) {
		reader_no_memory(reader);
		return 0;
	}
	added->id = id;
	added->workload = reader_name(reader, object, "workload");
	added->params = join_params(reader, reader_object(reader, object, "params"));
	placement = reader_object(reader, object, "placement");
	added->placement = reader_name(reader, placement, "name");
	added->placement_kind = reader_name(reader, placement, "kind");
	for (size_t i = 0; i < PLACES; i++)
		added->where[i] = PLACE_UNSEEN;
	return results->n_sections - 1;
}

static struct section_result *section_slot(struct reader *reader, struct boot *boot, size_t index)
{
	while (boot->n_sections <= index)
		if (!arena_append(&reader->results->arena, &boot->sections, &boot->n_sections,
				  sizeof(struct section_result)))
			return reader_no_memory(reader);
	return &boot->sections[index];
}

/* Where the roles were: kept where all boots so far agree. */
static void read_placement(struct reader *reader, struct json_object *placement,
			   struct section_info *info)
{
	static const char *const keys[PLACES] = {
		[PLACE_OWNER_CPU] = "owner_cpu",       [PLACE_DONOR_CPU] = "donor_cpu",
		[PLACE_OBSERVER_CPU] = "observer_cpu", [PLACE_OWNER_NODE] = "owner_node",
		[PLACE_DONOR_NODE] = "donor_node",     [PLACE_DISTANCE] = "distance"};

	for (size_t i = 0; i < PLACES && !reader->has_failed; i++) {
		double value = reader_number_or_null(reader, placement, keys[i], true);
		long place = value >= 0 && value <= INT32_MAX ? (long)value : -1;

		if (info->where[i] == PLACE_UNSEEN)
			info->where[i] = place;
		else if (info->where[i] != place)
			info->where[i] = -1;
	}
}

static void read_section(struct reader *reader, struct json_object *object, struct boot *boot)
{
	struct json_object *metrics;
	struct section_result *result;
	const char *id;
	size_t index;

	if (!json_object_is_type(object, json_type_object)) {
		reader_fail(reader, "a section is not an object");
		return;
	}
	id = reader_name(reader, object, "id");
	if (!reader->has_failed)
		reader->where = id;
	index = find_section(reader, object, id);
	result = reader->has_failed ? NULL : section_slot(reader, boot, index);
	if (!result)
		return;
	if (result->present)
		reader_fail(reader, "the section appears twice");
	result->present = true;
	result->outcome = (enum outcome)reader_word(reader, object, "outcome", outcome_names);
	result->reason = reader_text_or_null(reader, object, "reason");
	result->params = join_params(reader, reader_object(reader, object, "params"));
	if (json_object_object_get_ex(object, "facts", NULL))
		reader_object(reader, object, "facts");
	read_placement(reader, reader_object(reader, object, "placement"),
		       &reader->results->sections[index]);
	read_evidence(reader, reader_array(reader, object, "evidence"), result);
	metrics = reader_array(reader, object, "metrics");
	for (size_t i = 0; !reader->has_failed && i < json_object_array_length(metrics); i++)
		read_metric(reader, json_object_array_get_idx(metrics, i),
			    &reader->results->sections[index], result);
	reader->where = NULL;
}

const char *json_text_at(struct json_object *object, const char *const *keys)
{
	for (; *keys; keys++)
		if (!json_object_is_type(object, json_type_object) ||
		    !json_object_object_get_ex(object, *keys, &object))
			return NULL;
	return json_object_is_type(object, json_type_string) ? json_object_get_string(object)
							     : NULL;
}

/* Release and build of the kernel that ran: two builds of one release are two kernels. */
static const char *read_kernel(struct reader *reader, struct json_object *environment)
{
	const char *release =
		json_text_at(environment, (const char *[]){"kernel", "release", NULL});
	const char *version =
		json_text_at(environment, (const char *[]){"kernel", "version", NULL});

	if (!release)
		return NULL;
	return arena_format(&reader->results->arena, "%s%s%s", release, version ? " " : "",
			    version ? version : "");
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

static size_t find_variant(struct reader *reader, const struct variant_info *variant)
{
	struct results *results = reader->results;
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
	if (!added) {
		reader_no_memory(reader);
		return 0;
	}
	*added = *variant;
	return results->n_variants - 1;
}

static int name_length(const char *patch)
{
	size_t length = strnlen(patch, 200);

	return (int)(length > 6 && !strcmp(patch + length - 6, ".patch") ? length - 6 : length);
}

/* The series as one line, with the first twelve digits of each patch's hash. */
static const char *read_patches(struct reader *reader, struct json_object *variant)
{
	struct json_object *series = NULL;
	const char *text = NULL;
	size_t count = 0;

	if (json_object_object_get_ex(variant, "series", &series) &&
	    json_object_is_type(series, json_type_array))
		count = json_object_array_length(series);
	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = json_object_array_get_idx(series, i);
		const char *patch = json_text_at(entry, (const char *[]){"patch", NULL});
		const char *hash = json_text_at(entry, (const char *[]){"sha256", NULL});

		/* ".patch" says nothing that a list of patches does not. */
		if (patch)
			text = arena_format(&reader->results->arena, "%s%s%.*s (%.12s)",
					    text ? text : "", text ? ", " : "", name_length(patch),
					    patch, hash ? hash : "?");
	}
	return text;
}

static void read_variant(struct reader *reader, struct json_object *document, struct boot *boot)
{
	struct json_object *object = reader_object(reader, document, "variant");
	struct variant_info variant = {0};
	struct json_object *image = NULL;

	variant.plain_label = reader_name(reader, object, "label");
	variant.arguments = reader_text(reader, object, "arguments");
	if (json_object_object_get_ex(object, "image_sha256", &image))
		variant.image_sha256 = reader_text_or_null(reader, object, "image_sha256");
	variant.base = arena_text(&reader->results->arena,
				  json_text_at(object, (const char *[]){"base", NULL}));
	variant.patches = read_patches(reader, object);
	variant.kernel = read_kernel(reader, boot->environment);
	variant.release = arena_text(
		&reader->results->arena,
		json_text_at(boot->environment, (const char *[]){"kernel", "release", NULL}));
	if (!reader->has_failed)
		boot->variant = find_variant(reader, &variant);
}

static void read_machine(struct reader *reader, struct json_object *document, struct boot *boot)
{
	struct results *results = reader->results;
	struct json_object *host_run = NULL;
	struct machine_info machine;
	const char *host;

	boot->machine = MACHINE_UNKNOWN;
	if (reader->has_failed)
		return;
	json_object_object_get_ex(document, "host_run", &host_run);
	host = json_text_at(host_run, (const char *[]){"host", NULL});
	if (machine_identify(&results->arena, boot->environment, results->target,
			     !strcmp(results->time, "virtual"), host, &machine))
		reader_no_memory(reader);
	else if (machine.key)
		boot->machine = machine_find(results, &machine);
	if (machine.key && boot->machine == MACHINE_UNKNOWN)
		reader_no_memory(reader);
}

static size_t find_campaign(struct reader *reader, const char *id)
{
	struct results *results = reader->results;
	struct campaign_info *added;

	for (size_t i = 0; i < results->n_campaigns; i++)
		if (!strcmp(results->campaigns[i].id, id))
			return i;
	added = arena_append(&results->arena, &results->campaigns, &results->n_campaigns,
			     sizeof(*added));
	if (!added) {
		reader_no_memory(reader);
		return 0;
	}
	added->id = id;
	return results->n_campaigns - 1;
}

/* Target and kind of time are the same in everything that is compared. */
static void read_target(struct reader *reader, struct json_object *document)
{
	struct results *results = reader->results;
	const char *target = reader_name(reader, document, "target");
	const char *time = time_words[reader_word(reader, document, "time", time_words)];

	if (reader->has_failed)
		return;
	if (!results->target) {
		results->target = target;
		results->time = time;
	}
	if (strcmp(results->time, time))
		reader_fail(
			reader,
			"it is in %s time and the boots before it in %s time: the two are never "
			"compared",
			time, results->time);
	else if (strcmp(results->target, target))
		reader_fail(
			reader,
			"its target is %.40s and that of the boots before it is %.40s: the two are "
			"never compared",
			target, results->target);
}

static void read_health(struct reader *reader, struct json_object *document, struct boot *boot)
{
	struct json_object *clean = NULL;

	boot->health = reader_object(reader, document, "health");
	if (reader->has_failed)
		return;
	clean = reader_get(reader, boot->health, "clean");
	if (clean && !json_object_is_type(clean, json_type_boolean))
		reader_fail(reader, "\"clean\" is not true, false or null");
	boot->is_health_known = clean;
	boot->is_clean = clean && json_object_get_boolean(clean);
}

static void read_identity(struct reader *reader, struct json_object *document, struct boot *boot)
{
	struct json_object *object = reader_object(reader, document, "boot");
	struct json_object *campaign = reader_object(reader, document, "campaign");
	struct json_object *host_run = NULL;

	boot->index = reader_count(reader, object, "index");
	boot->round = reader_count(reader, object, "round");
	boot->attempt = reader_count(reader, object, "attempt");
	boot->seed = reader_seed(reader, object, "seed");
	boot->campaign = find_campaign(reader, reader_name(reader, campaign, "id"));
	if (!reader->has_failed && json_object_object_get_ex(campaign, "seed", NULL)) {
		reader->results->campaigns[boot->campaign].seed =
			reader_seed(reader, campaign, "seed");
		reader->results->campaigns[boot->campaign].has_seed = true;
	}
	if (json_object_object_get_ex(document, "host_run", &host_run))
		boot->started =
			arena_text(&reader->results->arena,
				   json_text_at(host_run, (const char *[]){"started", NULL}));
}

static void read_boot(struct reader *reader, struct json_object *document, struct boot *boot)
{
	struct json_object *sections;

	read_target(reader, document);
	read_identity(reader, document, boot);
	boot->environment = reader_object(reader, document, "environment");
	read_health(reader, document, boot);
	read_variant(reader, document, boot);
	read_machine(reader, document, boot);
	boot->end = (enum boot_end)reader_word(reader, document, "outcome", boot_end_words);
	boot->reason = reader_text_or_null(reader, document, "reason");
	sections = reader_array(reader, document, "sections");
	if (!reader->has_failed && boot->end != BOOT_END_OK && !(boot->reason && *boot->reason))
		reader_fail(reader, "its outcome is %s, without a \"reason\"",
			    boot_end_words[boot->end]);
	if (!reader->has_failed && boot->end == BOOT_END_OK && !json_object_array_length(sections))
		reader_fail(reader, "its outcome is ok and it has no section: it measured nothing");
	for (size_t i = 0; !reader->has_failed && i < json_object_array_length(sections); i++)
		read_section(reader, json_object_array_get_idx(sections, i), boot);
}

static struct reader new_reader(struct results *results, const char *path)
{
	return (struct reader){.results = results,
			       .path = path,
			       .error = results->error,
			       .error_size = sizeof(results->error)};
}

static int load_boot(struct results *results, const char *path)
{
	struct reader reader = new_reader(results, path);
	struct json_object *document = reader_load(&reader, "proxeval-boot");
	struct boot boot = {.path = arena_text(&results->arena, path)}, *added;

	if (!document)
		return -EINVAL;
	read_boot(&reader, document, &boot);
	if (!reader.has_failed) {
		added = arena_append(&results->arena, &results->boots, &results->n_boots,
				     sizeof(*added));
		if (added) {
			*added = boot;
			json_object_get(boot.environment);
			json_object_get(boot.health);
		} else {
			reader_no_memory(&reader);
		}
	}
	json_object_put(document);
	return reader.has_failed ? -EINVAL : 0;
}

/* How the campaign may stop early; what is wrong there would make every verdict wrong. */
static void read_sequential(struct reader *reader, struct json_object *document,
			    struct campaign_info *campaign)
{
	struct json_object *object = NULL;
	struct sequential_plan *plan;
	char problem[160];

	if (!json_object_object_get_ex(document, "sequential", &object) || !object)
		return;
	plan = arena_alloc(&reader->results->arena, sizeof(*plan));
	if (!plan)
		reader_no_memory(reader);
	else if (sequential_plan_read(object, plan, problem, sizeof(problem)))
		reader_fail(reader, "%s", problem);
	campaign->sequential = plan;
}

static int load_campaign(struct results *results, const char *directory, const char *path)
{
	struct reader reader = new_reader(results, path);
	struct json_object *document = reader_load(&reader, "proxeval-campaign");
	struct json_object *pairing = NULL;
	struct campaign_info *campaign;
	size_t index;

	if (!document)
		return -EINVAL;
	index = find_campaign(&reader, reader_name(&reader, document, "id"));
	if (!reader.has_failed) {
		campaign = &results->campaigns[index];
		campaign->directory = arena_text(&results->arena, directory);
		if (json_object_object_get_ex(document, "pairing", &pairing))
			campaign->pairing = pairing_words[reader_word(&reader, document, "pairing",
								      pairing_words)];
		read_sequential(&reader, document, campaign);
		if (!campaign->document)
			campaign->document = json_object_get(document);
	}
	json_object_put(document);
	return reader.has_failed ? -EINVAL : 0;
}

static int is_boot_file(const struct dirent *entry)
{
	return !fnmatch("boot-*.json", entry->d_name, 0);
}

/* Whether a folder in @directory is a campaign's. */
static bool holds_campaigns(const char *directory)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder = opendir(directory);
	bool is_found = false;

	while (folder && !is_found && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.3600s/%.255s/campaign.json", directory,
			 entry->d_name);
		is_found = !access(path, F_OK);
	}
	if (folder)
		closedir(folder);
	return is_found;
}

static int no_boots(struct results *results, const char *directory, bool is_campaign)
{
	if (!is_campaign && holds_campaigns(directory)) {
		snprintf(results->error, sizeof(results->error),
			 "%.200s: the folder holds campaigns' folders and no boot; name "
			 "one of them, or %.200s/* for all",
			 directory, directory);
		return -EINVAL;
	}
	snprintf(results->error, sizeof(results->error),
		 is_campaign ? "%.400s: no boot of this campaign has finished yet"
			     : "%.400s: the folder holds no boot-*.json; name a campaign's folder",
		 directory);
	return is_campaign ? -ENOENT : -EINVAL;
}

static int load_directory(struct results *results, const char *directory)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX];
	bool is_campaign;
	int count, err = 0;

	snprintf(path, sizeof(path), "%.4000s/campaign.json", directory);
	is_campaign = !access(path, F_OK);
	if (is_campaign)
		err = load_campaign(results, directory, path);
	if (err)
		return err;
	count = scandir(directory, &entries, is_boot_file, alphasort);
	if (count < 0) {
		err = -errno;
		snprintf(results->error, sizeof(results->error), "%.400s: it cannot be read: %s",
			 directory, strerror(-err));
		return err;
	}
	if (!count)
		err = no_boots(results, directory, is_campaign);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%.3800s/%.255s", directory, entries[i]->d_name);
		if (!err)
			err = load_boot(results, path);
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int compare_boots(const void *a, const void *b)
{
	const struct boot *one = a, *two = b;

	if (one->campaign != two->campaign)
		return one->campaign < two->campaign ? -1 : 1;
	if (one->index != two->index)
		return one->index < two->index ? -1 : 1;
	return one->variant < two->variant ? -1 : one->variant > two->variant;
}

/* Sorts the boots and refuses the same boot named twice, which would count twice. */
static int settle_boots(struct results *results)
{
	if (results->n_boots > 1)
		qsort(results->boots, results->n_boots, sizeof(struct boot), compare_boots);
	for (size_t i = 1; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];

		if (compare_boots(boot - 1, boot))
			continue;
		snprintf(
			results->error, sizeof(results->error),
			"%.200s and %.200s are both boot %llu of campaign %.60s (two runs are compared "
			"with --exact)",
			boot[-1].path, boot->path, (unsigned long long)boot->index,
			results->campaigns[boot->campaign].id);
		return -EINVAL;
	}
	return 0;
}

/* Whether both boots ran the same sections with the same parameters. */
static bool has_same_sections(const struct boot *one, const struct boot *two)
{
	size_t count = one->n_sections > two->n_sections ? one->n_sections : two->n_sections;

	for (size_t i = 0; i < count; i++) {
		const struct section_result *a = boot_section(one, i), *b = boot_section(two, i);

		if (!a != !b || (a && strcmp(a->params, b->params)))
			return false;
	}
	return true;
}

/*
 * In virtual time the same kernel, seed and sections give the same figures: such a boot
 * repeats what another one said, and to count it would make certainty out of copies.
 */
static bool is_replay(const struct boot *one, const struct boot *two)
{
	return one->variant == two->variant && one->seed == two->seed &&
	       one->attempt == two->attempt && one->end == two->end &&
	       one->machine == two->machine && has_same_sections(one, two);
}

static void leave_out_replays(struct results *results)
{
	size_t kept = 0;

	if (!results->time || strcmp(results->time, "virtual"))
		return;
	for (size_t i = 0; i < results->n_boots; i++) {
		struct boot boot = results->boots[i];
		bool is_known = false;

		for (size_t j = 0; j < kept && !is_known; j++)
			is_known = is_replay(&results->boots[j], &boot);
		if (!is_known) {
			results->boots[kept++] = boot;
			continue;
		}
		json_object_put(boot.environment);
		json_object_put(boot.health);
		results->n_replays++;
	}
	results->n_boots = kept;
}

static int placement_rank(const char *kind)
{
	static const char *const kinds[] = {"same-cpu", "smt-sibling", "same-llc", "same-node",
					    "cross-node"};
	int rank = 0;

	while (rank < 5 && strcmp(kinds[rank], kind))
		rank++;
	return rank;
}

static int compare_sections(const void *a, const void *b, void *context)
{
	const struct section_info *sections = context;
	const struct section_info *one = &sections[*(const size_t *)a];
	const struct section_info *two = &sections[*(const size_t *)b];
	int order = strcmp(one->workload, two->workload);

	if (!order)
		order = strcmp(one->params, two->params);
	if (!order)
		order = placement_rank(one->placement_kind) - placement_rank(two->placement_kind);
	if (!order)
		order = strverscmp(one->placement, two->placement);
	return order ? order : strcmp(one->id, two->id);
}

static int reorder_boot(struct results *results, struct boot *boot, const size_t *order)
{
	struct section_result *sorted =
		arena_alloc(&results->arena, results->n_sections * sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_sections; i++)
		if (order[i] < boot->n_sections)
			sorted[i] = boot->sections[order[i]];
	boot->sections = sorted;
	boot->n_sections = results->n_sections;
	return 0;
}

/* Each boot ran its sections in an order of its own; people want them nearest placement first. */
static int settle_sections(struct results *results)
{
	size_t count = results->n_sections;
	size_t *order = arena_alloc(&results->arena, (count + 1) * sizeof(*order));
	struct section_info *sorted = arena_alloc(&results->arena, (count + 1) * sizeof(*sorted));
	int err = order && sorted ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++)
		order[i] = i;
	if (!err && count > 1)
		qsort_r(order, count, sizeof(*order), compare_sections, results->sections);
	for (size_t i = 0; i < results->n_boots && !err; i++)
		err = reorder_boot(results, &results->boots[i], order);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		sorted[i] = results->sections[order[i]];
	results->sections = sorted;
	return 0;
}

static bool is_label_shared(const struct results *results, size_t variant)
{
	const struct variant_info *variants = results->variants;

	for (size_t i = 0; i < results->n_variants; i++)
		if (i != variant && !strcmp(variants[i].plain_label, variants[variant].plain_label))
			return true;
	return false;
}

/* Whether all variants of that label know their kernel's release, and no two have the same. */
static bool is_told_by_release(const struct results *results, const char *plain_label)
{
	const struct variant_info *variants = results->variants;

	for (size_t i = 0; i < results->n_variants; i++) {
		if (strcmp(variants[i].plain_label, plain_label))
			continue;
		if (!variants[i].release)
			return false;
		for (size_t j = 0; j < i; j++)
			if (!strcmp(variants[j].plain_label, plain_label) &&
			    !strcmp(variants[j].release, variants[i].release))
				return false;
	}
	return true;
}

static bool is_label_taken(const struct results *results, size_t n_variants, const char *label)
{
	for (size_t i = 0; i < n_variants; i++)
		if (!strcmp(results->variants[i].label, label))
			return true;
	return false;
}

static const char *first_campaign(const struct results *results, size_t variant)
{
	for (size_t i = 0; i < results->n_boots; i++)
		if (results->boots[i].variant == variant)
			return results->campaigns[results->boots[i].campaign].id;
	return "";
}

/* Things that share a label are told apart by their kernel, their campaign, a number. */
static int settle_labels(struct results *results)
{
	for (size_t i = 0; i < results->n_variants; i++) {
		struct variant_info *variant = &results->variants[i];
		const char *plain = variant->plain_label, *label = plain;
		const char *told_by = first_campaign(results, i);

		if (is_told_by_release(results, plain))
			told_by = variant->release;
		if (is_label_shared(results, i))
			label = arena_format(&results->arena, "%s@%s", plain, told_by);
		for (unsigned int n = 2; label && is_label_taken(results, i, label); n++)
			label = arena_format(&results->arena, "%s@%s#%u", plain, told_by, n);
		if (!label)
			return -ENOMEM;
		variant->label = label;
	}
	return 0;
}

/* What can be said only when all boots are known. */
static int settle(struct results *results)
{
	int err = settle_boots(results);

	if (err)
		return err;
	err = machines_settle(results);
	if (!err)
		err = settle_labels(results);
	if (!err) {
		leave_out_replays(results);
		err = settle_sections(results);
	}
	if (err)
		snprintf(results->error, sizeof(results->error), "there is not enough memory");
	return err;
}

int results_load(struct results *results, const char *const *paths, size_t n_paths)
{
	int err = 0;

	*results = (struct results){0};
	for (size_t i = 0; i < n_paths && !err; i++) {
		struct stat status;

		if (!stat(paths[i], &status) && S_ISDIR(status.st_mode))
			err = load_directory(results, paths[i]);
		else
			err = load_boot(results, paths[i]);
	}
	return err ? err : settle(results);
}

void results_release(struct results *results)
{
	for (size_t i = 0; i < results->n_boots; i++) {
		json_object_put(results->boots[i].environment);
		json_object_put(results->boots[i].health);
	}
	for (size_t i = 0; i < results->n_campaigns; i++)
		json_object_put(results->campaigns[i].document);
	arena_release(&results->arena);
	*results = (struct results){0};
}

const struct section_result *boot_section(const struct boot *boot, size_t section)
{
	if (section >= boot->n_sections || !boot->sections[section].present)
		return NULL;
	return &boot->sections[section];
}

const struct measurement *boot_measurement(const struct boot *boot, size_t section, size_t metric)
{
	const struct section_result *result = boot_section(boot, section);

	if (!result || metric >= result->n_measurements || !result->measurements[metric].present)
		return NULL;
	return &result->measurements[metric];
}

struct json_object *boot_environment(const struct boot *boot)
{
	return boot->environment;
}

struct json_object *boot_health(const struct boot *boot)
{
	return boot->health;
}
