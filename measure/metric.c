// SPDX-License-Identifier: GPL-2.0-only
#include "measure/metric.h"

#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct metric {
	const struct metric_spec *spec;
	struct histogram *histogram; /* METRIC_DISTRIBUTION */
	double scalar;
	uint64_t count;	   /* of a counter, or an invariant's violations */
	uint64_t exposure; /* of an invariant */
	bool is_set;
	bool is_left_out;
	char *broken; /* why its figures say nothing; NULL: they do */
};

struct evidence {
	char *name;
	char *text;
	bool held;
	uint64_t observed, expected;
	struct evidence *next;
};

struct fact {
	char *name;
	char *text; /* NULL: it is the value */
	double value;
	struct fact *next;
};

struct result {
	struct metric *metrics;
	size_t n_metrics;
	struct evidence *evidence;
	struct fact *facts;
	enum outcome outcome;
	char *reason;
};

const char *const outcome_names[] = {
	[OUTCOME_OK] = "ok",
	[OUTCOME_FAILED] = "failed",
	[OUTCOME_BROKEN] = "broken",
	[OUTCOME_UNSUPPORTED] = "unsupported",
	NULL,
};
const char *const metric_kind_names[] = {
	[METRIC_DISTRIBUTION] = "distribution",
	[METRIC_SCALAR] = "scalar",
	[METRIC_COUNTER] = "counter",
	[METRIC_INVARIANT] = "invariant",
	NULL,
};
const char *const metric_direction_names[] = {
	[LOWER_IS_BETTER] = "lower",
	[HIGHER_IS_BETTER] = "higher",
	[MUST_BE_ZERO] = "zero",
	[NO_DIRECTION] = "none",
	NULL,
};
const char *const metric_role_names[] = {
	[ROLE_PRIMARY] = "primary",
	[ROLE_SECONDARY] = "secondary",
	[ROLE_POSITIVE_CONTROL] = "positive-control",
	[ROLE_NEGATIVE_CONTROL] = "negative-control",
	[ROLE_INFORMATIVE] = "informative",
	NULL,
};

const char *outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

const char *metric_kind_name(enum metric_kind kind)
{
	return metric_kind_names[kind];
}

const char *metric_direction_name(enum metric_direction direction)
{
	return metric_direction_names[direction];
}

const char *metric_role_name(enum metric_role role)
{
	return metric_role_names[role];
}

struct result *result_new(const struct metric_spec *metrics)
{
	struct result *result = calloc(1, sizeof(*result));
	size_t n = 0;

	if (!result)
		return NULL;
	while (metrics[n].name)
		n++;
	result->metrics = calloc(n + 1, sizeof(*result->metrics));
	if (!result->metrics)
		goto out_free;
	result->n_metrics = n;
	for (size_t i = 0; i < n; i++) {
		struct metric *metric = &result->metrics[i];

		metric->spec = &metrics[i];
		if (metrics[i].kind != METRIC_DISTRIBUTION)
			continue;
		metric->histogram = aligned_alloc(64, sizeof(*metric->histogram));
		if (!metric->histogram)
			goto out_free;
		histogram_init(metric->histogram, 0);
	}
	return result;

out_free:
	result_free(result);
	return NULL;
}

void result_free(struct result *result)
{
	if (!result)
		return;
	for (size_t i = 0; i < result->n_metrics; i++) {
		free(result->metrics[i].histogram);
		free(result->metrics[i].broken);
	}
	while (result->evidence) {
		struct evidence *next = result->evidence->next;

		free(result->evidence->name);
		free(result->evidence->text);
		free(result->evidence);
		result->evidence = next;
	}
	while (result->facts) {
		struct fact *next = result->facts->next;

		free(result->facts->name);
		free(result->facts->text);
		free(result->facts);
		result->facts = next;
	}
	free(result->metrics);
	free(result->reason);
	free(result);
}

static struct metric *find(struct result *result, const char *name, enum metric_kind kind)
{
	for (size_t i = 0; i < result->n_metrics; i++)
		if (result->metrics[i].spec->kind == kind &&
		    !strcmp(result->metrics[i].spec->name, name))
			return &result->metrics[i];
	return NULL;
}

struct histogram *result_histogram(struct result *result, const char *name)
{
	struct metric *metric = find(result, name, METRIC_DISTRIBUTION);

	return metric ? metric->histogram : NULL;
}

void result_set_scalar(struct result *result, const char *name, double value)
{
	struct metric *metric = find(result, name, METRIC_SCALAR);

	if (!metric)
		return;
	metric->is_set = true;
	metric->scalar = value;
	if (!isfinite(value))
		result_break_metric(result, name, "the value is not a number");
}

void result_set_counter(struct result *result, const char *name, uint64_t value)
{
	struct metric *metric = find(result, name, METRIC_COUNTER);

	if (!metric)
		return;
	metric->is_set = true;
	metric->count = value;
}

void result_set_invariant(struct result *result, const char *name, uint64_t violations,
			  uint64_t exposure)
{
	struct metric *metric = find(result, name, METRIC_INVARIANT);

	if (!metric)
		return;
	metric->is_set = true;
	metric->count = violations;
	metric->exposure = exposure;
}

void result_break_metric(struct result *result, const char *name, const char *reason)
{
	for (size_t i = 0; i < result->n_metrics; i++) {
		struct metric *metric = &result->metrics[i];

		/* The first reason is the one nearest to the cause. */
		if (!strcmp(metric->spec->name, name) && !metric->broken)
			metric->broken = strdup(reason);
	}
}

void result_leave_out(struct result *result, const char *name)
{
	for (size_t i = 0; i < result->n_metrics; i++)
		if (!strcmp(result->metrics[i].spec->name, name))
			result->metrics[i].is_left_out = true;
}

void result_add_evidence(struct result *result, const char *name, bool held, uint64_t observed,
			 uint64_t expected, const char *text)
{
	struct evidence *evidence = calloc(1, sizeof(*evidence));
	struct evidence **tail = &result->evidence;

	if (!evidence)
		return;
	evidence->name = strdup(name);
	evidence->text = strdup(text);
	evidence->held = held;
	evidence->observed = observed;
	evidence->expected = expected;
	while (*tail)
		tail = &(*tail)->next;
	*tail = evidence;
}

void result_set_outcome(struct result *result, enum outcome outcome, const char *format, ...)
{
	va_list args;
	char *reason;

	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);
	free(result->reason);
	result->reason = reason;
	result->outcome = outcome;
}

enum outcome result_outcome(const struct result *result)
{
	return result->outcome;
}

static struct fact *add_fact(struct result *result, const char *name)
{
	struct fact *fact = calloc(1, sizeof(*fact));
	struct fact **tail = &result->facts;

	if (!fact)
		return NULL;
	fact->name = strdup(name);
	while (*tail)
		tail = &(*tail)->next;
	*tail = fact;
	return fact;
}

void result_add_fact(struct result *result, const char *name, double value)
{
	struct fact *fact = add_fact(result, name);

	if (fact)
		fact->value = value;
}

void result_add_text_fact(struct result *result, const char *name, const char *text)
{
	struct fact *fact = add_fact(result, name);

	if (fact)
		fact->text = strdup(text);
}

/* Twelve significant digits: no measurement here has more, and 0.05 stays 0.05. */
static struct json_object *number(double value)
{
	char text[32];

	if (!isfinite(value))
		return NULL;
	snprintf(text, sizeof(text), "%.12g", value);
	return json_object_new_double_s(value, text);
}

static struct json_object *string_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

/* null where the samples do not carry that quantile: it needs 1/(1-q) of them. */
static void add_quantile(struct json_object *object, const char *key,
			 const struct histogram *histogram, double q, uint64_t needed)
{
	json_object_object_add(object, key,
			       histogram->samples < needed
				       ? NULL
				       : json_object_new_uint64(histogram_quantile(histogram, q)));
}

static void add_distribution(struct json_object *object, const struct histogram *histogram)
{
	bool any = histogram->samples > 0;

	json_object_object_add(object, "samples", json_object_new_uint64(histogram->samples));
	json_object_object_add(object, "min", any ? json_object_new_uint64(histogram->min) : NULL);
	json_object_object_add(object, "max", any ? json_object_new_uint64(histogram->max) : NULL);
	json_object_object_add(object, "mean",
			       any ? number(histogram->sum / (double)histogram->samples) : NULL);
	add_quantile(object, "p50", histogram, 0.5, 1);
	add_quantile(object, "p90", histogram, 0.9, 10);
	add_quantile(object, "p99", histogram, 0.99, 100);
	add_quantile(object, "p99_9", histogram, 0.999, 1000);
	json_object_object_add(object, "histogram", histogram_to_json(histogram));
}

static void add_figures(struct json_object *object, const struct metric *metric)
{
	switch (metric->spec->kind) {
	case METRIC_DISTRIBUTION:
		add_distribution(object, metric->histogram);
		break;
	case METRIC_SCALAR:
		json_object_object_add(object, "value",
				       metric->is_set ? number(metric->scalar) : NULL);
		break;
	case METRIC_COUNTER:
		json_object_object_add(object, "value",
				       metric->is_set ? json_object_new_uint64(metric->count)
						      : NULL);
		break;
	case METRIC_INVARIANT:
		json_object_object_add(object, "violations", json_object_new_uint64(metric->count));
		json_object_object_add(object, "exposure",
				       json_object_new_uint64(metric->exposure));
		break;
	}
}

/* Why a metric is broken of itself: it was never measured. */
static const char *metric_reason(const struct metric *metric)
{
	if (metric->broken)
		return metric->broken;
	if (metric->spec->kind == METRIC_DISTRIBUTION)
		return metric->histogram->samples ? NULL : "there is no sample";
	return metric->is_set ? NULL : "it was not measured";
}

static struct json_object *metric_to_json(const struct metric *metric)
{
	struct json_object *object = json_object_new_object();
	const struct metric_spec *spec = metric->spec;
	const char *reason = metric_reason(metric);

	json_object_object_add(object, "name", json_object_new_string(spec->name));
	json_object_object_add(object, "unit", json_object_new_string(spec->unit));
	json_object_object_add(object, "kind",
			       json_object_new_string(metric_kind_names[spec->kind]));
	json_object_object_add(object, "direction",
			       json_object_new_string(metric_direction_names[spec->direction]));
	json_object_object_add(object, "role",
			       json_object_new_string(metric_role_names[spec->role]));
	json_object_object_add(
		object, "outcome",
		json_object_new_string(outcome_names[reason ? OUTCOME_BROKEN : OUTCOME_OK]));
	json_object_object_add(object, "reason", string_or_null(reason));
	add_figures(object, metric);
	return object;
}

static struct json_object *evidence_to_json(const struct evidence *evidence)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", string_or_null(evidence->name));
	json_object_object_add(object, "held", json_object_new_boolean(evidence->held));
	json_object_object_add(object, "observed", json_object_new_uint64(evidence->observed));
	json_object_object_add(object, "expected", json_object_new_uint64(evidence->expected));
	json_object_object_add(object, "text", string_or_null(evidence->text));
	return object;
}

struct json_object *result_to_json(const struct result *result)
{
	struct json_object *object = json_object_new_object();
	struct json_object *metrics = json_object_new_array();
	struct json_object *evidence = json_object_new_array();
	struct json_object *facts = json_object_new_object();

	/* What could not run has no metrics: empty ones would read like measured ones. */
	for (size_t i = 0; i < result->n_metrics && result->outcome != OUTCOME_UNSUPPORTED; i++)
		if (!result->metrics[i].is_left_out)
			json_object_array_add(metrics, metric_to_json(&result->metrics[i]));
	for (const struct evidence *e = result->evidence; e; e = e->next)
		json_object_array_add(evidence, evidence_to_json(e));
	for (const struct fact *f = result->facts; f; f = f->next)
		json_object_object_add(facts, f->name,
				       f->text ? json_object_new_string(f->text)
					       : number(f->value));
	json_object_object_add(object, "outcome",
			       json_object_new_string(outcome_names[result->outcome]));
	json_object_object_add(object, "reason", string_or_null(result->reason));
	json_object_object_add(object, "metrics", metrics);
	json_object_object_add(object, "evidence", evidence);
	json_object_object_add(object, "facts", facts);
	return object;
}
