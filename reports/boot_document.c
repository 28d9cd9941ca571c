// SPDX-License-Identifier: GPL-2.0-only
#include "reports/boot_document.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "reports/machine.h"
#include "reports/sequential.h"

static const char *const boot_end_words[] = {"ok",	    "failed", "panicked",
					     "no-progress", "died",   NULL};
static const char *const time_words[] = {"real", "virtual", NULL};
static const char *const pairing_words[] = {"rounds", "independent", NULL};

const char *boot_end_word(enum boot_end end)
{
	return boot_end_words[end];
}

/* What is ok needs no reason; whatever else must say why. */
static const char *read_reason(struct reader *reader, const struct json_node *object, bool is_ok,
			       const char *outcome)
{
	const char *reason = reader_text_or_null(reader, object, "reason");

	if (!reader->has_failed && !is_ok && !(reason && *reason))
		reader_fail(reader, "its outcome is %s, without a \"reason\"", outcome);
	return reason;
}

static enum outcome read_outcome(struct reader *reader, const struct json_node *object)
{
	return (enum outcome)reader_word(reader, object, "outcome", outcome_names);
}

static void read_bucket(struct reader *reader, const struct json_node *pair, uint64_t limit,
			struct bucket *bucket)
{
	const struct json_node *index, *count;
	uint64_t number;

	if (pair->kind != JSON_ARRAY || pair->span != 3) {
		reader_fail(reader, "a bucket is not a pair of an index and a count");
		return;
	}
	index = json_first(pair);
	count = json_next(pair, index);
	number = reader_to_count(reader, index, "buckets");
	bucket->count = reader_to_count(reader, count, "buckets");
	if (reader->has_failed)
		return;
	if (number >= limit)
		reader_fail(reader, "bucket %llu is beyond the histogram",
			    (unsigned long long)number);
	if (!bucket->count)
		reader_fail(reader, "bucket %llu is empty", (unsigned long long)number);
	bucket->index = (uint32_t)number;
}

/* Where an exact figure must lie: in the first or last bucket that holds something. */
static void check_edge(struct reader *reader, uint32_t bits, const struct bucket *bucket,
		       double value, const char *key)
{
	double low = (double)bucket_lower_edge(bits, bucket->index);
	double width = (double)bucket_width(bits, bucket->index);

	if (value < low || value >= low + width)
		reader_fail(reader, "\"%s\" is %.0f, and the histogram has none there", key, value);
}

struct bucket_sum {
	struct bucket first, last;
	size_t count;
	double samples;
};

/* @kept may be NULL: the buckets are then checked alone. */
static void read_buckets(struct reader *reader, const struct json_node *list, uint64_t limit,
			 struct bucket *kept, struct bucket_sum *sum)
{
	const struct json_node *pair;
	struct bucket bucket = {0};

	for (pair = json_first(list); pair && !reader->has_failed; pair = json_next(list, pair)) {
		read_bucket(reader, pair, limit, &bucket);
		if (!reader->has_failed && sum->count && bucket.index <= sum->last.index)
			reader_fail(reader, "the buckets are not in rising order");
		if (!sum->count)
			sum->first = bucket;
		sum->last = bucket;
		sum->samples += (double)bucket.count;
		if (kept)
			kept[sum->count] = bucket;
		sum->count++;
	}
}

static void check_histogram(struct reader *reader, const struct measurement *measurement,
			    const struct bucket_sum *sum)
{
	const struct sparse_histogram *histogram = &measurement->histogram;
	double samples = sum->samples + (double)histogram->underflow + (double)histogram->overflow;

	if (samples != (double)measurement->samples)
		reader_fail(reader, "the histogram holds %.0f samples, and \"samples\" says %llu",
			    samples, (unsigned long long)measurement->samples);
	if (reader->has_failed || !sum->count)
		return;
	if (!histogram->underflow)
		check_edge(reader, histogram->bits, &sum->first, measurement->min, "min");
	if (!histogram->overflow)
		check_edge(reader, histogram->bits, &sum->last,
			   measurement->statistic[STATISTIC_MAX], "max");
}

static void read_histogram(struct reader *reader, const struct json_node *object,
			   enum result_parts parts, struct measurement *measurement)
{
	struct sparse_histogram *histogram = &measurement->histogram;
	uint64_t bits = reader_count(reader, object, "bits");
	uint64_t max_bits = reader_count(reader, object, "max_bits");
	const struct json_node *list = reader_array(reader, object, "buckets");
	struct bucket *buckets = NULL;
	struct bucket_sum sum = {.count = 0};

	reader_count(reader, object, "lowest");
	histogram->underflow = reader_count(reader, object, "underflow");
	histogram->overflow = reader_count(reader, object, "overflow");
	if (!reader->has_failed && (bits < 1 || bits > 16 || max_bits < bits || max_bits > 63))
		reader_fail(reader, "a histogram of %llu bits up to %llu is not one",
			    (unsigned long long)bits, (unsigned long long)max_bits);
	if (reader->has_failed)
		return;
	histogram->bits = (uint32_t)bits;
	if (parts & RESULT_HISTOGRAMS)
		buckets = reader_alloc(reader, json_count(list) + 1, sizeof(*buckets));
	read_buckets(reader, list,
		     (UINT64_C(1) << bits) + (max_bits - bits) * (UINT64_C(1) << (bits - 1)),
		     buckets, &sum);
	if (reader->has_failed)
		return;
	histogram->n_buckets = buckets ? sum.count : 0;
	histogram->buckets = buckets;
	check_histogram(reader, measurement, &sum);
}

/* A quantile that so few samples cannot carry is refused, whoever wrote it. */
static double read_quantile(struct reader *reader, const struct json_node *object, const char *key,
			    uint64_t samples, uint64_t needs)
{
	double value = reader_count_or_null(reader, object, key, needs > 100);

	if (!isnan(value) && samples < needs)
		reader_fail(reader, "\"%s\" needs %llu samples, and there are %llu", key,
			    (unsigned long long)needs, (unsigned long long)samples);
	return value;
}

/* min, the quantiles and max rise, and the mean is among them. */
static void check_order(struct reader *reader, const struct measurement *measurement, double mean)
{
	static const char *const names[] = {"p50", "p90", "p99", "p99_9", "max"};
	const double *statistic = measurement->statistic;
	const char *last_name = "min";
	double last = measurement->min, slack = 1e-9 * statistic[STATISTIC_MAX];

	for (int i = STATISTIC_P50; i <= STATISTIC_MAX; i++) {
		if (isnan(statistic[i]))
			continue;
		if (statistic[i] < last)
			reader_fail(reader, "\"%s\" is %.0f, and \"%s\" is %.0f: they contradict",
				    last_name, last, names[i], statistic[i]);
		last = statistic[i];
		last_name = names[i];
	}
	if (mean < measurement->min - slack || mean > statistic[STATISTIC_MAX] + slack)
		reader_fail(reader, "\"mean\" is %.17g, and not between \"min\" and \"max\"", mean);
}

static void read_distribution(struct reader *reader, const struct json_node *object,
			      enum result_parts parts, struct measurement *measurement)
{
	double *statistic = measurement->statistic;
	uint64_t samples = reader_count(reader, object, "samples");
	double mean;

	measurement->samples = samples;
	measurement->min = reader_count_or_null(reader, object, "min", false);
	statistic[STATISTIC_MAX] = reader_count_or_null(reader, object, "max", false);
	mean = reader_number_or_null(reader, object, "mean", false);
	statistic[STATISTIC_P50] = read_quantile(reader, object, "p50", samples, 1);
	statistic[STATISTIC_P90] = read_quantile(reader, object, "p90", samples, 10);
	statistic[STATISTIC_P99] = read_quantile(reader, object, "p99", samples, 100);
	statistic[STATISTIC_P99_9] = read_quantile(reader, object, "p99_9", samples, 1000);
	if (samples && (isnan(measurement->min) || isnan(statistic[STATISTIC_MAX]) || isnan(mean) ||
			isnan(statistic[STATISTIC_P50])))
		reader_fail(reader, "there are %llu samples without a min, max, mean or p50",
			    (unsigned long long)samples);
	if (!samples &&
	    !(isnan(measurement->min) && isnan(statistic[STATISTIC_MAX]) && isnan(mean)))
		reader_fail(reader, "there is a min, max or mean of no samples");
	if (samples)
		check_order(reader, measurement, mean);
	read_histogram(reader, reader_object(reader, object, "histogram"), parts, measurement);
}

static void read_figures(struct reader *reader, const struct json_node *object,
			 enum metric_kind kind, enum result_parts parts,
			 struct measurement *measurement)
{
	measurement->min = NAN;
	for (int i = 0; i < STATISTICS; i++)
		measurement->statistic[i] = NAN;
	switch (kind) {
	case METRIC_DISTRIBUTION:
		read_distribution(reader, object, parts, measurement);
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

static void read_metric(struct reader *reader, const struct json_node *object,
			enum result_parts parts, struct metric_info *info,
			struct measurement *measurement)
{
	if (object->kind != JSON_OBJECT) {
		reader_fail(reader, "a metric is not an object");
		return;
	}
	info->name = reader_name(reader, object, "name");
	reader->metric = info->name;
	info->unit = reader_text(reader, object, "unit");
	info->kind = (enum metric_kind)reader_word(reader, object, "kind", metric_kind_names);
	info->direction = (enum metric_direction)reader_word(reader, object, "direction",
							     metric_direction_names);
	info->role = (enum metric_role)reader_word(reader, object, "role", metric_role_names);
	measurement->present = true;
	measurement->outcome = read_outcome(reader, object);
	measurement->reason = read_reason(reader, object, measurement->outcome == OUTCOME_OK,
					  outcome_names[measurement->outcome]);
	if (!reader->has_failed)
		read_figures(reader, object, info->kind, parts, measurement);
}

/* What the metrics are is the same in boot after boot: kept once. */
static const struct metric_info *keep_infos(struct reader *reader, const struct metric_info *infos,
					    size_t count)
{
	struct text_entry *entry =
		text_table_get(&reader->texts, (const char *)infos, count * sizeof(*infos));

	if (!entry)
		return reader_no_memory(reader);
	return (const struct metric_info *)(const void *)entry->text;
}

static void read_metrics(struct reader *reader, const struct json_node *list,
			 enum result_parts parts, struct section_document *section)
{
	struct section_result *result = &section->result;
	size_t count = list ? json_count(list) : 0;
	const struct json_node *object = list ? json_first(list) : NULL;
	static _Thread_local struct metric_info infos[RESULT_MAX_METRICS];

	if (count > RESULT_MAX_METRICS)
		reader_fail(reader, "the section has more than %d metrics", RESULT_MAX_METRICS);
	result->measurements = reader_alloc(reader, count + 1, sizeof(*result->measurements));
	result->n_measurements = reader->has_failed ? 0 : count;
	memset(infos, 0, result->n_measurements * sizeof(*infos));
	for (size_t i = 0; i < count && !reader->has_failed; i++) {
		read_metric(reader, object, parts, &infos[i], &result->measurements[i]);
		for (size_t j = 0; j < i; j++)
			if (infos[j].name == infos[i].name)
				reader_fail(reader, "it appears twice");
		object = json_next(list, object);
	}
	reader->metric = NULL;
	if (!reader->has_failed)
		section->metrics = keep_infos(reader, infos, count);
}

static void read_evidence(struct reader *reader, const struct json_node *list,
			  struct section_result *result)
{
	size_t count = list ? json_count(list) : 0;
	const struct json_node *object = list ? json_first(list) : NULL;

	result->evidence = reader_alloc(reader, count + 1, sizeof(*result->evidence));
	result->n_evidence = count;
	for (size_t i = 0; i < count && !reader->has_failed; i++) {
		struct evidence *evidence = &result->evidence[i];

		evidence->name = reader_name(reader, object, "name");
		evidence->held = reader_bool(reader, object, "held");
		evidence->observed = reader_count(reader, object, "observed");
		evidence->expected = reader_count(reader, object, "expected");
		evidence->text = reader_text_or_null(reader, object, "text");
		object = json_next(list, object);
	}
}

/* "donor=fifo owner=nice" */
static const char *join_params(struct reader *reader, const struct json_node *params)
{
	struct buffer *line = &reader->scratch;
	const struct json_node *key, *value;

	if (!params)
		return "";
	line->length = 0;
	buffer_add(line, "");
	for (key = json_first(params); key; key = json_next(params, value)) {
		value = key + 1;
		buffer_add(line, line->length ? " " : "");
		buffer_add_bytes(line, key->text, key->size_bytes);
		buffer_add(line, "=");
		if (value->kind == JSON_STRING)
			json_string(value, line);
		else
			json_compact(value, line);
	}
	if (line->failed)
		return reader_no_memory(reader);
	if (memchr(line->text, '\0', line->length))
		reader_fail(reader, "\"params\" holds a NUL character");
	return reader_keep(reader, line->text, line->length);
}

static void read_placement(struct reader *reader, const struct json_node *placement,
			   struct section_document *section)
{
	static const char *const keys[PLACES] = {
		[PLACE_OWNER_CPU] = "owner_cpu",       [PLACE_DONOR_CPU] = "donor_cpu",
		[PLACE_OBSERVER_CPU] = "observer_cpu", [PLACE_OWNER_NODE] = "owner_node",
		[PLACE_DONOR_NODE] = "donor_node",     [PLACE_DISTANCE] = "distance"};

	section->placement = reader_name(reader, placement, "name");
	section->placement_kind = reader_name(reader, placement, "kind");
	for (size_t i = 0; i < PLACES && !reader->has_failed; i++) {
		double value = reader_number_or_null(reader, placement, keys[i], true);

		section->where[i] = value >= 0 && value <= INT32_MAX ? (long)value : -1;
	}
}

static void read_section(struct reader *reader, const struct json_node *object,
			 enum result_parts parts, struct section_document *section)
{
	struct section_result *result = &section->result;

	if (object->kind != JSON_OBJECT) {
		reader_fail(reader, "a section is not an object");
		return;
	}
	section->id = reader_name(reader, object, "id");
	reader->section = section->id;
	section->workload = reader_name(reader, object, "workload");
	result->present = true;
	result->outcome = read_outcome(reader, object);
	result->reason = read_reason(reader, object, result->outcome == OUTCOME_OK,
				     outcome_names[result->outcome]);
	result->params = join_params(reader, reader_object(reader, object, "params"));
	if (json_get(object, "facts"))
		reader_object(reader, object, "facts");
	read_placement(reader, reader_object(reader, object, "placement"), section);
	read_evidence(reader, reader_array(reader, object, "evidence"), result);
	read_metrics(reader, reader_array(reader, object, "metrics"), parts, section);
}

static void read_sections(struct reader *reader, const struct json_node *list,
			  enum result_parts parts, struct boot_document *out)
{
	const struct json_node *object = list ? json_first(list) : NULL;

	out->n_sections = list ? json_count(list) : 0;
	if (out->n_sections > RESULT_MAX_SECTIONS)
		reader_fail(reader, "there are more than %d different sections",
			    RESULT_MAX_SECTIONS);
	out->sections = reader_alloc(reader, out->n_sections + 1, sizeof(*out->sections));
	for (size_t i = 0; i < out->n_sections && !reader->has_failed; i++) {
		read_section(reader, object, parts, &out->sections[i]);
		for (size_t j = 0; j < i; j++)
			if (out->sections[j].id == out->sections[i].id)
				reader_fail(reader, "the section appears twice");
		object = json_next(list, object);
	}
	reader->section = NULL;
}

static size_t name_length(const struct json_node *patch)
{
	static const char ending[] = ".patch";
	size_t length = patch->size_bytes, cut = sizeof(ending) - 1;

	/* ".patch" says nothing that a list of patches does not. */
	if (length > cut && !memcmp(patch->text + length - cut, ending, cut))
		return length - cut;
	return length;
}

/* The series as one line, with the first twelve digits of each patch's hash. */
static const char *read_patches(struct reader *reader, const struct json_node *series)
{
	struct buffer *line = &reader->scratch;
	const struct json_node *entry = json_is(series, JSON_ARRAY) ? json_first(series) : NULL;

	line->length = 0;
	for (; entry && !reader->has_failed; entry = json_next(series, entry)) {
		const struct json_node *patch = json_get(entry, "patch");
		const struct json_node *hash = json_get(entry, "sha256");

		if (!json_is(patch, JSON_STRING) || patch->has_escape)
			continue;
		buffer_add(line, line->length ? ", " : "");
		buffer_add_bytes(line, patch->text, name_length(patch));
		buffer_add(line, " (");
		if (json_is(hash, JSON_STRING) && !hash->has_escape)
			buffer_add_bytes(line, hash->text,
					 hash->size_bytes < 12 ? hash->size_bytes : 12);
		else
			buffer_add(line, "?");
		buffer_add(line, ")");
	}
	if (line->failed)
		return reader_no_memory(reader);
	return line->length ? reader_keep(reader, line->text, line->length) : NULL;
}

/* Release and build of the kernel that ran: two builds of one release are two kernels. */
static void read_kernel(struct reader *reader, const struct json_node *environment,
			struct variant_info *variant)
{
	const char *version =
		reader_string_at(reader, environment, (const char *[]){"kernel", "version", NULL});
	struct buffer *line = &reader->scratch;

	variant->release =
		reader_string_at(reader, environment, (const char *[]){"kernel", "release", NULL});
	variant->kernel = variant->release;
	if (!variant->release || !version)
		return;
	line->length = 0;
	buffer_add(line, variant->release);
	buffer_add(line, " ");
	buffer_add(line, version);
	if (line->failed)
		reader_no_memory(reader);
	else
		variant->kernel = reader_keep(reader, line->text, line->length);
}

static void read_variant(struct reader *reader, const struct json_node *document,
			 const struct json_node *environment, struct variant_info *variant)
{
	const struct json_node *object = reader_object(reader, document, "variant");

	variant->plain_label = reader_name(reader, object, "label");
	variant->arguments = reader_text(reader, object, "arguments");
	if (json_get(object, "image_sha256"))
		variant->image_sha256 = reader_text_or_null(reader, object, "image_sha256");
	variant->base = reader_string_at(reader, object, (const char *[]){"base", NULL});
	variant->patches = read_patches(reader, json_get(object, "series"));
	read_kernel(reader, environment, variant);
}

/* An object, member by member, so that what boots have in common is kept once. */
static struct boot_object *keep_object(struct reader *reader, const struct json_node *object)
{
	size_t count = object ? json_count(object) / 2 : 0;
	const struct json_node *key = object ? json_first(object) : NULL;
	struct boot_object *kept =
		reader_alloc(reader, 1, sizeof(*kept) + count * sizeof(kept->members[0]));

	if (!kept)
		return NULL;
	for (; key && !reader->has_failed; key = json_next(object, key + 1)) {
		struct boot_member *member = &kept->members[kept->n_members++];

		member->key = reader_string(reader, key, "");
		reader->scratch.length = 0;
		json_compact(key + 1, &reader->scratch);
		if (!reader->scratch.failed)
			member->value = text_table_get(&reader->texts, reader->scratch.text,
						       reader->scratch.length);
		if (!member->value)
			reader_no_memory(reader);
	}
	return kept;
}

static void read_health(struct reader *reader, const struct json_node *document, struct boot *boot)
{
	const struct json_node *health = reader_object(reader, document, "health");
	const struct json_node *clean = reader_get(reader, health, "clean");

	if (reader->has_failed)
		return;
	if (clean->kind != JSON_NULL && clean->kind != JSON_TRUE && clean->kind != JSON_FALSE)
		reader_fail(reader, "\"clean\" is not true, false or null");
	boot->is_health_known = clean->kind != JSON_NULL;
	boot->is_clean = clean->kind == JSON_TRUE;
	boot->health = keep_object(reader, health);
}

static void read_identity(struct reader *reader, const struct json_node *document,
			  struct boot_document *out)
{
	const struct json_node *object = reader_object(reader, document, "boot");
	const struct json_node *campaign = reader_object(reader, document, "campaign");
	struct boot *boot = &out->boot;

	boot->index = reader_count(reader, object, "index");
	boot->round = reader_count(reader, object, "round");
	boot->attempt = reader_count(reader, object, "attempt");
	boot->seed = reader_seed(reader, object, "seed");
	out->planned_variant = reader_name(reader, object, "variant");
	out->campaign = reader_name(reader, campaign, "id");
	out->has_seed = json_get(campaign, "seed");
	if (out->has_seed)
		out->seed = reader_seed(reader, campaign, "seed");
	boot->started =
		reader_string_at(reader, document, (const char *[]){"host_run", "started", NULL});
}

/* A boot that says ok and measured nothing is no evidence of anything. */
static void read_end(struct reader *reader, const struct json_node *document,
		     struct boot_document *out)
{
	struct boot *boot = &out->boot;

	boot->end = (enum boot_end)reader_word(reader, document, "outcome", boot_end_words);
	boot->reason =
		read_reason(reader, document, boot->end == BOOT_END_OK, boot_end_words[boot->end]);
	if (!reader->has_failed && boot->end == BOOT_END_OK && !out->n_sections)
		reader_fail(reader, "its outcome is ok and it has no section: it measured nothing");
}

void boot_document_read(struct reader *reader, const struct json_node *document,
			enum result_parts parts, struct boot_document *out)
{
	const struct json_node *environment;
	const char *host;

	*out = (struct boot_document){
		.boot.path = reader_keep(reader, reader->path, strlen(reader->path))};
	out->target = reader_name(reader, document, "target");
	out->time = time_words[reader_word(reader, document, "time", time_words)];
	read_identity(reader, document, out);
	environment = reader_object(reader, document, "environment");
	out->boot.environment = keep_object(reader, environment);
	read_health(reader, document, &out->boot);
	read_variant(reader, document, environment, &out->variant);
	if (!reader->has_failed && strcmp(out->planned_variant, out->variant.plain_label))
		reader_fail(reader,
			    "its boot is of variant \"%.60s\", and its variant is \"%.60s\"",
			    out->planned_variant, out->variant.plain_label);
	host = reader_string_at(reader, document, (const char *[]){"host_run", "host", NULL});
	if (!reader->has_failed)
		machine_identify(reader, environment, out->target, !strcmp(out->time, "virtual"),
				 host, &out->machine);
	read_sections(reader, reader_array(reader, document, "sections"), parts, out);
	read_end(reader, document, out);
}

static void read_planned(struct reader *reader, const struct json_node *list,
			 struct campaign_document *out)
{
	size_t count = json_is(list, JSON_ARRAY) ? json_count(list) : 0;
	const struct json_node *boot = count ? json_first(list) : NULL;

	out->planned = reader_alloc(reader, count + 1, sizeof(*out->planned));
	out->n_planned = count;
	for (; boot && !reader->has_failed; boot = json_next(list, boot)) {
		uint64_t index = reader_count(reader, boot, "index");
		const char *variant = reader_name(reader, boot, "variant");

		if (index < count && !reader->has_failed)
			out->planned[index] = variant;
	}
}

/* How the campaign may stop early; what is wrong there would make every verdict wrong. */
static void read_sequential(struct reader *reader, struct campaign_document *out)
{
	struct json_object *object = NULL;
	struct sequential_plan *plan;
	char problem[160];

	if (!json_object_object_get_ex(out->object, "sequential", &object) || !object)
		return;
	plan = reader_alloc(reader, 1, sizeof(*plan));
	if (plan && sequential_plan_read(object, plan, problem, sizeof(problem)))
		reader_fail(reader, "%s", problem);
	out->sequential = plan;
}

void campaign_document_read(struct reader *reader, const struct json_node *document,
			    struct campaign_document *out)
{
	struct json_tokener *tokener = NULL;

	*out = (struct campaign_document){.id = reader_name(reader, document, "id")};
	out->target = reader_string_at(reader, document, (const char *[]){"target", NULL});
	out->time = reader_string_at(reader, document, (const char *[]){"time", NULL});
	out->has_seed = json_get(document, "seed");
	if (out->has_seed)
		out->seed = reader_seed(reader, document, "seed");
	if (json_get(document, "pairing"))
		out->pairing =
			pairing_words[reader_word(reader, document, "pairing", pairing_words)];
	read_planned(reader, json_get(document, "boots"), out);
	if (reader->has_failed)
		return;
	tokener = json_tokener_new_ex(RESULT_MAX_DEPTH + 1);
	if (tokener)
		out->object =
			json_tokener_parse_ex(tokener, document->text, (int)document->size_bytes);
	json_tokener_free(tokener);
	if (out->object)
		read_sequential(reader, out);
	else
		reader_no_memory(reader);
}
