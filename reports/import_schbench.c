// SPDX-License-Identifier: GPL-2.0-only
/*
 * schbench: its text (of any version with "… percentiles (usec)") and its --json file. It gives
 * percentiles and no histogram, so each is a scalar of its own. The text has a report every few
 * seconds and one at the end, each of all samples so far: the last one counts.
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/import.h"
#include "reports/load.h"

#define PERCENTILES_MAX 16
#define NAME_MAX_BYTES	12 /* "99_9999" */

/* One of the distributions that it reports. */
enum subject { SUBJECT_WAKEUP, SUBJECT_REQUEST, SUBJECT_RPS, SUBJECTS };

struct percentile {
	double q;		   /* 99.9 */
	char name[NAME_MAX_BYTES]; /* "99_9" */
	uint64_t value;		   /* microseconds, or requests per second */
};

struct block {
	bool is_there, has_samples, has_range;
	uint64_t samples, min, max;
	struct percentile percentiles[PERCENTILES_MAX];
	size_t n_percentiles;
};

struct schbench {
	struct importing *in;
	struct block blocks[SUBJECTS];
	struct block *open; /* whose lines these are; NULL: none's */
	bool has_average, has_transfer;
	double average_rps, transfers;
};

static const struct {
	const char *title;	/* in the text */
	const char *json;	/* the keys' beginning in the JSON */
	const char *name, *end; /* of our metrics: "wakeup_p99_ns" */
	const char *unit;
	double scale;
	enum metric_direction direction;
} subjects[SUBJECTS] = {
	[SUBJECT_WAKEUP] = {"Wakeup Latencies percentiles (usec)", "wakeup_latency", "wakeup",
			    "_ns", "ns", 1000, LOWER_IS_BETTER},
	[SUBJECT_REQUEST] = {"Request Latencies percentiles (usec)", "request_latency", "request",
			     "_ns", "ns", 1000, LOWER_IS_BETTER},
	[SUBJECT_RPS] = {"RPS percentiles (requests)", "rps", "rps", "", "per_s", 1,
			 HIGHER_IS_BETTER},
};
/* What the first versions called the wakeups, of which alone they knew. */
static const char old_title[] = "Latency percentiles (usec)";

/* "99.9000" as a number and as "99_9"; @text may go on behind it: *@text is then there. */
static bool read_quantile(const char **text, struct percentile *out)
{
	const char *at = *text;
	size_t whole = strspn(at, "0123456789"), decimals = 0;

	if (at[whole] == '.')
		decimals = strspn(at + whole + 1, "0123456789");
	*text = at + whole + (decimals ? decimals + 1 : 0);
	out->q = strtod(at, NULL);
	while (decimals && at[whole + decimals] == '0')
		decimals--;
	if (!whole || whole + 1 + decimals >= sizeof(out->name) || !(out->q > 0) || out->q >= 100)
		return false;
	memcpy(out->name, at, whole + (decimals ? decimals + 1 : 0));
	out->name[whole + (decimals ? decimals + 1 : 0)] = '\0';
	if (decimals)
		out->name[whole] = '_';
	return true;
}

static int add_percentile(struct schbench *bench, struct block *block,
			  const struct percentile *percentile)
{
	for (size_t i = 0; i < block->n_percentiles; i++)
		if (!strcmp(block->percentiles[i].name, percentile->name))
			return import_fail(bench->in, "the percentile %g is there twice",
					   percentile->q);
	if (block->n_percentiles == PERCENTILES_MAX)
		return import_fail(bench->in, "there are more than %d percentiles",
				   PERCENTILES_MAX);
	block->percentiles[block->n_percentiles++] = *percentile;
	return 0;
}

/* --- the text --- */

/* "Wakeup Latencies percentiles (usec) runtime 30 (s) (12345 total samples)" */
static bool open_block(struct schbench *bench, const char *line)
{
	for (int i = 0; i < SUBJECTS; i++) {
		const char *title = subjects[i].title, *samples;

		if (i == SUBJECT_WAKEUP && !strncmp(line, old_title, strlen(old_title)))
			title = old_title;
		if (strncmp(line, title, strlen(title)))
			continue;
		bench->open = &bench->blocks[i];
		*bench->open = (struct block){.is_there = true};
		samples = strstr(line, "(s) (");
		samples = samples ? samples + strlen("(s) (") : "";
		bench->open->has_samples = import_count(&samples, &bench->open->samples);
		return true;
	}
	return false;
}

/* "* 99.0th: 9424       (32 samples)"; a star marks the one that its author looks at. */
static int read_percentile(struct schbench *bench, const char *line)
{
	struct percentile percentile;
	const char *at = line + strspn(line, "* \t");

	if (!read_quantile(&at, &percentile) || strncmp(at, "th:", 3))
		return import_fail(bench->in, "\"%.60s\" is not a percentile", line);
	at += 3;
	if (!import_count(&at, &percentile.value) || percentile.value > UINT32_MAX)
		return import_fail(bench->in, "the percentile %g has no value", percentile.q);
	return add_percentile(bench, bench->open, &percentile);
}

/* "min=2, max=16002" */
static int read_range(struct schbench *bench, const char *line)
{
	struct block *block = bench->open;
	const char *max = strstr(line, "max=");

	line += strlen("min=");
	max = max ? max + strlen("max=") : "";
	if (!import_count(&line, &block->min) || !import_count(&max, &block->max) ||
	    block->max > UINT32_MAX || block->min > UINT32_MAX)
		return import_fail(bench->in, "a minimum and a maximum are needed");
	block->has_range = true;
	return 0;
}

/* A number behind @word: true when the line is of that kind. */
static bool read_figure(const char *line, const char *word, double *out, bool *has_it)
{
	size_t length = strlen(word);
	char *end;
	double value;

	if (strncmp(line, word, length))
		return false;
	value = strtod(line + length, &end);
	if (end != line + length && isfinite(value) && value >= 0) {
		*out = value;
		*has_it = true;
	}
	return true;
}

static bool is_known_talk(const char *line)
{
	static const char *const beginnings[] = {
		"sched delay:",	      "current rps:",	   "setting worker threads", "warmup done",
		"final rps goal was", "split mode:",	   "matrix sizes:",	     "auto pinning",
		"Pinning to",	      "pipe size too big",
	};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (!strncmp(line, beginnings[i], strlen(beginnings[i])))
			return true;
	return !*line;
}

static int read_text(struct schbench *bench)
{
	char *line;
	int err = 0;

	while (!err && (line = import_line(bench->in))) {
		line += strspn(line, " \t");
		if (open_block(bench, line) || is_known_talk(line) ||
		    read_figure(line, "average rps:", &bench->average_rps, &bench->has_average) ||
		    read_figure(line, "avg worker transfer:", &bench->transfers,
				&bench->has_transfer))
			continue;
		if (bench->open && !strncmp(line, "min=", 4))
			err = read_range(bench, line);
		else if (bench->open && strchr("*0123456789", *line))
			err = read_percentile(bench, line);
		else
			err = import_fail(bench->in, "\"%.60s\" is not a line that schbench writes",
					  line);
	}
	return err;
}

/* --- the JSON --- */

/* What stands behind "wakeup_latency_" in a key; NULL when it begins otherwise. */
static const char *key_of(const char *key, int subject)
{
	size_t length = strlen(subjects[subject].json);

	if (strncmp(key, subjects[subject].json, length) || key[length] != '_')
		return NULL;
	return key + length + 1;
}

static int read_json_figure(struct schbench *bench, struct block *block, const char *key,
			    struct json_object *value)
{
	struct percentile percentile;
	const char *at = key + 3;
	int64_t number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || number < 0 || number > UINT32_MAX)
		return import_fail(bench->in, "\"%.40s\" is not a count", key);
	block->is_there = true;
	if (!strcmp(key, "min")) {
		block->min = (uint64_t)number;
	} else if (!strcmp(key, "max")) {
		block->max = (uint64_t)number;
		block->has_range = true;
	} else if (!strncmp(key, "pct", 3)) {
		if (!read_quantile(&at, &percentile) || *at)
			return import_fail(bench->in, "\"%.40s\" is not a percentile", key);
		percentile.value = (uint64_t)number;
		return add_percentile(bench, block, &percentile);
	}
	return 0;
}

static void read_json_environment(struct importing *in, struct json_object *document,
				  struct json_object *figures)
{
	static const char *const release[] = {"normal", "version", NULL};
	static const char *const host[] = {"normal", "hostname", NULL};
	struct json_object *ended = NULL, *runtime = NULL;
	time_t started;
	struct tm parts;

	in->out->kernel = arena_text(&in->out->arena, json_text_at(document, release));
	import_add_environment(in, NULL, "hostname", json_text_at(document, host));
	if (!json_object_object_get_ex(figures, "time", &ended) ||
	    !json_object_object_get_ex(figures, "runtime", &runtime) ||
	    !json_object_is_type(ended, json_type_int) ||
	    !json_object_is_type(runtime, json_type_int) || json_object_get_int64(runtime) < 0 ||
	    json_object_get_int64(runtime) > INT32_MAX)
		return;
	/* The time is when it was written: after the run. */
	started = (time_t)(json_object_get_int64(ended) - json_object_get_int64(runtime));
	if (started >= 0 && started <= (time_t)UINT32_MAX && gmtime_r(&started, &parts) &&
	    strftime(in->out->started, sizeof(in->out->started), "%Y-%m-%dT%H:%M:%SZ", &parts))
		in->out->wall_s = (double)json_object_get_int64(runtime);
}

static int read_json(struct schbench *bench, struct json_object *document)
{
	struct json_object *figures = NULL;
	int err = 0;

	if (!json_object_object_get_ex(document, "int", &figures) ||
	    !json_object_is_type(figures, json_type_object))
		return import_fail(bench->in,
				   "\"int\" is not there, or not an object: it is no file "
				   "of schbench --json");
	json_object_object_foreach (figures, key, value)
		for (int i = 0; i < SUBJECTS && !err; i++) {
			const char *rest = key_of(key, i);

			if (rest)
				err = read_json_figure(bench, &bench->blocks[i], rest, value);
		}
	if (!err)
		read_json_environment(bench->in, document, figures);
	return err;
}

/* --- from blocks to a section --- */

/* Why a percentile says nothing; NULL: it does. */
static const char *find_fault(struct schbench *bench, const struct block *block,
			      const struct percentile *percentile)
{
	/* A thousandth of a per cent apart: 100 - 99.9 is a hair more than 0.1. */
	double needed = percentile->q > 50 ? ceil(100 / (100 - percentile->q) - 1e-6) : 1;

	if (block->has_samples && (double)block->samples < needed)
		return arena_format(&bench->in->out->arena,
				    "%llu samples do not carry p%g: it takes %.0f",
				    (unsigned long long)block->samples, percentile->q, needed);
	if (block->has_range && percentile->value < block->min)
		return arena_format(&bench->in->out->arena,
				    "schbench gave %llu for p%g, less than the minimum of %llu",
				    (unsigned long long)percentile->value, percentile->q,
				    (unsigned long long)block->min);
	return NULL;
}

/* The wakeups' and requests' p99 are what schbench is run for. */
static enum metric_role role_of(int subject, const struct percentile *percentile)
{
	return subject != SUBJECT_RPS && !strcmp(percentile->name, "99") ? ROLE_PRIMARY
									 : ROLE_SECONDARY;
}

static int add_percentiles(struct schbench *bench, int subject, struct import_metrics *metrics)
{
	const struct block *block = &bench->blocks[subject];
	int err = 0;

	for (size_t i = 0; i < block->n_percentiles && !err; i++) {
		const struct percentile *percentile = &block->percentiles[i];
		const char *name =
			arena_format(&bench->in->out->arena, "%s_p%s%s", subjects[subject].name,
				     percentile->name, subjects[subject].end);
		struct import_figure figure = {.kind = METRIC_SCALAR,
					       .value = (double)percentile->value *
							subjects[subject].scale,
					       .broken = find_fault(bench, block, percentile)};

		if (!name)
			return import_no_memory(bench->in);
		err = import_add_metric(bench->in, metrics, name, subjects[subject].unit,
					subjects[subject].direction, role_of(subject, percentile),
					figure);
	}
	return err;
}

static int add_informative(struct schbench *bench, struct import_metrics *metrics, int subject,
			   const char *what, const char *end, const char *unit, double value)
{
	struct import_figure figure = {.kind = METRIC_SCALAR, .value = value};
	const char *name =
		arena_format(&bench->in->out->arena, "%s_%s%s", subjects[subject].name, what, end);

	if (!name)
		return import_no_memory(bench->in);
	return import_add_metric(bench->in, metrics, name, unit, NO_DIRECTION, ROLE_INFORMATIVE,
				 figure);
}

static int add_block(struct schbench *bench, int subject, struct import_metrics *metrics)
{
	const struct block *block = &bench->blocks[subject];
	const char *end = subjects[subject].end, *unit = subjects[subject].unit;
	double scale = subjects[subject].scale;
	int err = add_percentiles(bench, subject, metrics);

	if (!err && block->has_range)
		err = add_informative(bench, metrics, subject, "min", end, unit,
				      (double)block->min * scale);
	if (!err && block->has_range)
		err = add_informative(bench, metrics, subject, "max", end, unit,
				      (double)block->max * scale);
	if (!err && block->has_samples)
		err = add_informative(bench, metrics, subject, "samples", "", "count",
				      (double)block->samples);
	return err;
}

static int add_section(struct schbench *bench)
{
	struct import_section section = {
		.workload = "schbench", .placement = "all", .params = "", .cpu = -1, .node = -1};
	struct import_figure figure = {.kind = METRIC_SCALAR};
	size_t percentiles = 0;
	int err = 0;

	bench->in->line = 0;
	for (int i = 0; i < SUBJECTS && !err; i++) {
		percentiles += bench->blocks[i].n_percentiles;
		err = add_block(bench, i, &section.metrics);
	}
	if (!err && !percentiles)
		return import_fail(bench->in, "there is no percentile of schbench in it");
	figure.value = bench->average_rps;
	if (!err && bench->has_average)
		err = import_add_metric(bench->in, &section.metrics, "rps_average", "per_s",
					HIGHER_IS_BETTER, ROLE_PRIMARY, figure);
	figure.value = bench->transfers;
	if (!err && bench->has_transfer)
		err = import_add_metric(bench->in, &section.metrics, "transfers", "per_s",
					HIGHER_IS_BETTER, ROLE_PRIMARY, figure);
	return err ? err : import_add_section(bench->in, &section);
}

static int parse_schbench(struct importing *in)
{
	struct schbench bench = {.in = in};
	struct json_object *document = NULL;
	int err;

	if (import_is_json(in)) {
		document = import_json(in);
		err = document ? read_json(&bench, document) : -EINVAL;
	} else {
		err = read_text(&bench);
	}
	json_object_put(document);
	return err ? err : add_section(&bench);
}

const struct importer import_schbench = {.name = "schbench", .parse = parse_schbench};
