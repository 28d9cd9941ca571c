// SPDX-License-Identifier: GPL-2.0-only
/* What the importers share: reading a text line by line, and making sections of figures. */
#include "reports/import.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/files.h"
#include "reports/buffer.h"
#include "reports/json_strict.h"
#include "reports/load.h"

const struct importer *const importers[] = {
	&import_cyclictest,
	&import_hackbench,
	&import_schbench,
	NULL,
};

const struct importer *importer_find(const char *name)
{
	for (const struct importer *const *importer = importers; *importer; importer++)
		if (!strcmp((*importer)->name, name))
			return *importer;
	return NULL;
}

int import_fail(struct importing *in, const char *format, ...)
{
	char what[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (in->line)
		snprintf(in->out->error, sizeof(in->out->error), "%.200s:%zu: %s", in->path,
			 in->line, what);
	else
		snprintf(in->out->error, sizeof(in->out->error), "%.200s: %s", in->path, what);
	/* The sentence must not steer a terminal, whatever the file says. */
	text_disarm(in->out->error);
	return -EINVAL;
}

int import_no_memory(struct importing *in)
{
	import_fail(in, "there is not enough memory to read it");
	return -ENOMEM;
}

char *import_line(struct importing *in)
{
	char *line = in->next, *end;

	/* The newline that ends the text begins no line. */
	if (!line || line == in->text + in->size_bytes)
		return NULL;
	end = strchr(line, '\n');
	in->next = end ? end + 1 : NULL;
	in->line++;
	if (end)
		*end = '\0';
	else
		end = line + strlen(line);
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

bool import_is_json(const struct importing *in)
{
	return in->text[strspn(in->text, " \t\r\n")] == '{';
}

struct json_object *import_json(struct importing *in)
{
	struct json_object *document;
	char problem[200];

	document = json_strict_parse(in->text, in->size_bytes, problem, sizeof(problem));
	if (json_object_is_type(document, json_type_object))
		return document;
	import_fail(in, "%s", document ? "it is not a JSON object" : problem);
	json_object_put(document);
	return NULL;
}

bool import_count(const char **at, uint64_t *out)
{
	const char *c = *at + strspn(*at, " \t");
	uint64_t value = 0;

	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		value = value * 10 + (uint64_t)(*c - '0');
		if (value > (uint64_t)RESULT_MAX_COUNT)
			return false;
	}
	*out = value;
	*at = c;
	return true;
}

int import_add_metric(struct importing *in, struct import_metrics *metrics, const char *name,
		      const char *unit, enum metric_direction direction, enum metric_role role,
		      struct import_figure figure)
{
	struct import_metric *added =
		arena_append(&in->out->arena, &metrics->items, &metrics->count, sizeof(*added));

	if (!added)
		return import_no_memory(in);
	added->spec = (struct metric_spec){.name = name,
					   .unit = unit,
					   .kind = figure.kind,
					   .direction = direction,
					   .role = role};
	added->figure = figure;
	return 0;
}

/* The table that result_new takes; NULL when memory is out. */
static const struct metric_spec *make_table(struct arena *arena,
					    const struct import_metrics *metrics)
{
	struct metric_spec *table = arena_alloc(arena, (metrics->count + 1) * sizeof(*table));

	for (size_t i = 0; table && i < metrics->count; i++)
		table[i] = metrics->items[i].spec;
	return table;
}

static int compare_bins(const void *a, const void *b)
{
	const struct import_bin *one = a, *two = b;

	return one->value_ns < two->value_ns ? -1 : one->value_ns > two->value_ns;
}

/* The samples into our histogram, whose shape is coarser than a tool's. */
static void fill_histogram(struct histogram *histogram, const struct import_samples *samples)
{
	histogram->overflow = samples->overflow;
	histogram->samples = samples->overflow;
	for (size_t i = 0; i < samples->n_bins; i++) {
		const struct import_bin *bin = &samples->bins[i];

		histogram->samples += bin->count;
		if (bin->value_ns >> HISTOGRAM_MAX_BITS)
			histogram->overflow += bin->count;
		else
			histogram->buckets[histogram_index(bin->value_ns)] += bin->count;
	}
	histogram->min = samples->min_ns;
	histogram->max = samples->max_ns;
	histogram->sum = samples->mean_ns * (double)histogram->samples;
}

/*
 * The value of nearest rank, exactly as the tool had it; NULL where it lies in the overflow,
 * of which only the maximum is known, or the samples do not carry it.
 */
static struct json_object *exact_quantile(const struct import_samples *samples, uint64_t total,
					  double q, uint64_t needed)
{
	double rank = ceil(q * (double)total * (1 - 1e-12));
	uint64_t seen = 0;

	if (total < needed)
		return NULL;
	for (size_t i = 0; i < samples->n_bins; i++) {
		seen += samples->bins[i].count;
		if ((double)seen >= rank)
			return json_object_new_uint64(samples->bins[i].value_ns);
	}
	return NULL;
}

/* The quantiles that the histogram's buckets only give to 0.8 %, as they were. */
static void set_exact_quantiles(struct json_object *metric, const struct import_samples *samples)
{
	struct json_object *of_median;
	uint64_t total = samples->overflow;

	for (size_t i = 0; i < samples->n_bins; i++)
		total += samples->bins[i].count;
	of_median = exact_quantile(samples, total, 0.5, 1);
	/* A median in the overflow keeps the histogram's bound; such a metric is broken. */
	if (of_median)
		json_object_object_add(metric, "p50", of_median);
	json_object_object_add(metric, "p90", exact_quantile(samples, total, 0.9, 10));
	json_object_object_add(metric, "p99", exact_quantile(samples, total, 0.99, 100));
	json_object_object_add(metric, "p99_9", exact_quantile(samples, total, 0.999, 1000));
}

static void set_figures(struct result *result, const struct import_metrics *metrics)
{
	for (size_t i = 0; i < metrics->count; i++) {
		const struct import_figure *figure = &metrics->items[i].figure;
		const char *name = metrics->items[i].spec.name;

		if (figure->kind == METRIC_DISTRIBUTION) {
			if (figure->samples->n_bins)
				qsort(figure->samples->bins, figure->samples->n_bins,
				      sizeof(struct import_bin), compare_bins);
			fill_histogram(result_histogram(result, name), figure->samples);
		} else if (figure->kind == METRIC_SCALAR) {
			result_set_scalar(result, name, figure->value);
		} else {
			result_set_counter(result, name, (uint64_t)figure->value);
		}
		if (figure->broken)
			result_break_metric(result, name, figure->broken);
	}
}

static struct json_object *new_placement(const struct import_section *section)
{
	struct json_object *placement = json_object_new_object();

	json_object_object_add(placement, "kind", json_object_new_string("imported"));
	json_object_object_add(placement, "name", json_object_new_string(section->placement));
	if (section->cpu >= 0)
		json_object_object_add(placement, "owner_cpu", json_object_new_int(section->cpu));
	if (section->node >= 0)
		json_object_object_add(placement, "owner_node", json_object_new_int(section->node));
	return placement;
}

/* "bytes=100,fds=40" as an object. */
static struct json_object *new_params(const char *text)
{
	struct json_object *params = json_object_new_object();
	char *copy = strdup(text), *rest = copy, *param;

	while (copy && (param = strsep(&rest, ",")) && *param) {
		char *value = strchr(param, '=');

		if (!value)
			continue;
		*value++ = '\0';
		json_object_object_add(params, param, json_object_new_string(value));
	}
	free(copy);
	return params;
}

int import_add_section(struct importing *in, const struct import_section *section)
{
	const struct metric_spec *table = make_table(&in->out->arena, &section->metrics);
	struct result *result = table ? result_new(table) : NULL;
	struct json_object *object = json_object_new_object(), *filled, *metrics;
	const char *id =
		arena_format(&in->out->arena, "%s/%s%s%s", section->workload, section->placement,
			     *section->params ? "/" : "", section->params);

	if (!result || !object || !id) {
		result_free(result);
		json_object_put(object);
		return import_no_memory(in);
	}
	set_figures(result, &section->metrics);
	if (section->failed)
		result_set_outcome(result, OUTCOME_FAILED, "%s", section->failed);
	filled = result_to_json(result);
	metrics = json_object_object_get(filled, "metrics");
	for (size_t i = 0; i < section->metrics.count; i++)
		if (section->metrics.items[i].figure.kind == METRIC_DISTRIBUTION)
			set_exact_quantiles(json_object_array_get_idx(metrics, i),
					    section->metrics.items[i].figure.samples);
	json_object_object_add(object, "id", json_object_new_string(id));
	json_object_object_add(object, "workload", json_object_new_string(section->workload));
	json_object_object_add(object, "params", new_params(section->params));
	json_object_object_add(object, "placement", new_placement(section));
	json_object_object_foreach (filled, key, value)
		json_object_object_add(object, key, json_object_get(value));
	json_object_array_add(in->out->sections, object);
	json_object_put(filled);
	result_free(result);
	return 0;
}

void import_add_environment(struct importing *in, const char *group, const char *key,
			    const char *text)
{
	struct json_object *object = in->out->environment;

	if (!text)
		return;
	if (group && !json_object_object_get_ex(in->out->environment, group, &object)) {
		object = json_object_new_object();
		json_object_object_add(in->out->environment, group, object);
	}
	json_object_object_add(object, key, json_object_new_string(text));
}

static int parse(const struct importer *importer, struct importing *in)
{
	int err;

	if (!in->size_bytes)
		return import_fail(in, "it is empty");
	if (memchr(in->text, 0, in->size_bytes))
		return import_fail(in, "it holds a NUL byte, so it is not %s's text",
				   importer->name);
	err = importer->parse(in);
	if (err)
		return err;
	in->line = 0;
	if (!json_object_array_length(in->out->sections))
		return import_fail(in, "there is no result of %s in it", importer->name);
	return 0;
}

int import_text(const struct importer *importer, const char *path, const char *text,
		size_t size_bytes, const struct import_hints *hints, struct imported *out)
{
	struct importing in = {.path = path, .hints = hints, .size_bytes = size_bytes, .out = out};
	int err;

	*out = (struct imported){.sections = json_object_new_array(),
				 .environment = json_object_new_object(),
				 .wall_s = NAN};
	in.text = malloc(size_bytes + 1);
	if (!in.text || !out->sections || !out->environment) {
		free(in.text);
		return import_no_memory(&in);
	}
	memcpy(in.text, text, size_bytes);
	in.text[size_bytes] = '\0';
	in.next = in.text;
	sha256_bytes(text, size_bytes, out->sha256);
	err = parse(importer, &in);
	free(in.text);
	return err;
}

int import_file(const struct importer *importer, const char *path, const struct import_hints *hints,
		struct imported *out)
{
	struct importing in = {.path = path, .out = out};
	struct stat status;
	size_t size_bytes = 0;
	char *text = NULL;
	int err = 0;

	*out = (struct imported){.wall_s = NAN};
	if (stat(path, &status))
		err = -errno;
	else if (!S_ISREG(status.st_mode))
		return import_fail(&in, "it is not a regular file");
	else if ((uint64_t)status.st_size > IMPORT_MAX_BYTES)
		err = -EFBIG;
	if (!err)
		err = read_file(path, IMPORT_MAX_BYTES, &text, &size_bytes);
	if (err == -EFBIG)
		return import_fail(&in, "it is larger than %llu MiB, the most that is imported",
				   (unsigned long long)(IMPORT_MAX_BYTES >> 20));
	if (err)
		return import_fail(&in, "it cannot be read: %s", strerror(-err));
	err = import_text(importer, path, text, size_bytes, hints, out);
	free(text);
	return err;
}

void imported_release(struct imported *imported)
{
	json_object_put(imported->sections);
	json_object_put(imported->environment);
	arena_release(&imported->arena);
	imported->sections = NULL;
	imported->environment = NULL;
}
