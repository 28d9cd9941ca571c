/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_METRIC_H
#define MEASURE_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/histogram.h"

struct json_object;

enum metric_kind {
	METRIC_DISTRIBUTION, /* a histogram of samples */
	METRIC_SCALAR,	     /* one number (double) */
	METRIC_COUNTER,	     /* one count (uint64_t) */
	METRIC_INVARIANT,    /* a count that must be zero, with its exposure */
};

enum metric_direction {
	LOWER_IS_BETTER,
	HIGHER_IS_BETTER,
	MUST_BE_ZERO,
	NO_DIRECTION, /* tells, but is not judged */
};

enum metric_role {
	ROLE_PRIMARY,	       /* judged, with Holm's correction */
	ROLE_SECONDARY,	       /* judged, with Benjamini-Hochberg's */
	ROLE_POSITIVE_CONTROL, /* bounded on any kernel: variants must agree */
	ROLE_NEGATIVE_CONTROL, /* untouched by proxy execution: variants must agree */
	ROLE_INFORMATIVE,
};

/* With which kind of time a document has a metric. */
enum metric_time { METRIC_ANY_TIME, METRIC_VIRTUAL_TIME, METRIC_REAL_TIME };

struct metric_spec {
	const char *name; /* "donor_wait_ns": the unit is the name's last part where there is one */
	const char *unit; /* "ns", "ratio", "percent", "count" */
	enum metric_kind kind;
	enum metric_direction direction;
	enum metric_role role;
	const char *help;
	const char *source; /* where the definition comes from: a paper, a kernel file, our method
			       page */
	/* The workload itself leaves out (result_leave_out) what the time at hand does not have. */
	enum metric_time time;
};

/* A section's result: what a workload fills and the runner writes. */
struct result;

enum outcome {
	OUTCOME_OK,
	OUTCOME_FAILED,	     /* the workload met an error */
	OUTCOME_BROKEN,	     /* measured, but the evidence is missing: the figures say nothing */
	OUTCOME_UNSUPPORTED, /* this kernel, machine or user lacks something; the reason says what
			      */
};

/*
 * A result for the metrics of the table (ended by .name = NULL), which must outlive it.
 * NULL when memory is out. What is never set or has no sample comes out as broken.
 */
struct result *result_new(const struct metric_spec *metrics);
void result_free(struct result *result);

/* The histogram of a METRIC_DISTRIBUTION, to record into; NULL when @name is not in the table. */
struct histogram *result_histogram(struct result *result, const char *name);
/* Sets a METRIC_SCALAR (NaN and infinities make the metric broken), a counter, an invariant. */
void result_set_scalar(struct result *result, const char *name, double value);
void result_set_counter(struct result *result, const char *name, uint64_t value);
void result_set_invariant(struct result *result, const char *name, uint64_t violations,
			  uint64_t exposure);
/* Marks one metric broken, with the reason; its figures are kept. */
void result_break_metric(struct result *result, const char *name, const char *reason);

/* The document does not have this metric: with this kind of time there is no such figure. */
void result_leave_out(struct result *result, const char *name);

/*
 * Adds one piece of evidence: @observed of @expected times the thing was seen, and
 * it @held by the workload's own rule.
 */
void result_add_evidence(struct result *result, const char *name, bool held, uint64_t observed,
			 uint64_t expected, const char *text);

/* The section's outcome; OUTCOME_OK when it is never called. The reason is one sentence. */
void result_set_outcome(struct result *result, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum outcome result_outcome(const struct result *result);

/* A fact that readers need (resolved parameter, calibrated length …): goes to "facts". */
void result_add_fact(struct result *result, const char *name, double value);
void result_add_text_fact(struct result *result, const char *name, const char *text);

/* The "outcome", "reason", "metrics", "evidence", "facts" of a section (doc/internals.md). */
struct json_object *result_to_json(const struct result *result);

/* The words of the documents, in the order of their enums, NULL-terminated: for writers and
 * readers. */
extern const char *const outcome_names[];
extern const char *const metric_kind_names[];
extern const char *const metric_direction_names[];
extern const char *const metric_role_names[];

/* The word of one of them; never NULL, never freed. */
const char *outcome_name(enum outcome outcome);
const char *metric_kind_name(enum metric_kind kind);
const char *metric_direction_name(enum metric_direction direction);
const char *metric_role_name(enum metric_role role);

#endif
