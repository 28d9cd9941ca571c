// SPDX-License-Identifier: GPL-2.0-only
/*
 * hackbench's output (rt-tests): two lines that say what runs, then "Time: SECONDS". A file
 * may hold several runs; those of the same parameters are one section's samples.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/import.h"

#define SECONDS_MAX 4000000 /* 46 days; the histogram's end is far below, a double's beyond */

/* The runs of one set of parameters. */
struct runs {
	const char *params;
	struct import_bin *bins;
	size_t n_bins;
};

struct hackbench {
	struct importing *in;
	struct runs *runs;
	size_t n_runs;
	char mode[16];
	unsigned int groups, fds, messages, bytes;
	bool has_mode, has_size;
};

/* "Running in process mode with 2 groups using 40 file descriptors each (== 80 tasks)" */
static bool read_mode(struct hackbench *bench, const char *line)
{
	char mode[16] = "";
	unsigned int groups, fds;

	/* Old versions and LTP's, which do not say whether those are threads: "Running with 10*40
	 * (== 400) tasks." */
	if (sscanf(line, "Running with %9u*%9u (== %*u) tasks", &groups, &fds) != 2 &&
	    sscanf(line, "Running in %15[a-z] mode with %9u groups using %9u file descriptors",
		   mode, &groups, &fds) != 3)
		return false;
	strcpy(bench->mode, mode);
	bench->groups = groups;
	bench->fds = fds;
	bench->has_mode = true;
	bench->has_size = false;
	return true;
}

/* "Each sender will pass 200 messages of 100 bytes" */
static bool read_size(struct hackbench *bench, const char *line)
{
	if (sscanf(line, "Each sender will pass %9u messages of %9u bytes", &bench->messages,
		   &bench->bytes) != 2)
		return false;
	bench->has_size = true;
	return true;
}

/* The parameters as far as the output told them: by name. */
static const char *describe(const struct hackbench *bench)
{
	struct arena *arena = &bench->in->out->arena;
	const char *size = "", *mode = "";

	if (bench->has_size)
		size = arena_format(arena, "bytes=%u,", bench->bytes);
	if (bench->has_mode)
		mode = arena_format(arena, "fds=%u,groups=%u,", bench->fds, bench->groups);
	if (!size || !mode)
		return NULL;
	if (bench->has_mode && !*bench->mode && !bench->has_size)
		return arena_format(arena, "fds=%u,groups=%u", bench->fds, bench->groups);
	if (bench->has_size && bench->has_mode && *bench->mode)
		return arena_format(arena, "%s%smessages=%u,mode=%s", size, mode, bench->messages,
				    bench->mode);
	if (bench->has_size)
		return arena_format(arena, "%s%smessages=%u", size, mode, bench->messages);
	return bench->has_mode ? arena_format(arena, "%smode=%s", mode, bench->mode) : "";
}

static int add_run(struct hackbench *bench, double seconds)
{
	struct arena *arena = &bench->in->out->arena;
	const char *params = describe(bench);
	struct runs *runs = NULL;
	struct import_bin *bin;

	if (!params)
		return import_no_memory(bench->in);
	for (size_t i = 0; i < bench->n_runs && !runs; i++)
		if (!strcmp(bench->runs[i].params, params))
			runs = &bench->runs[i];
	if (!runs && bench->n_runs == IMPORT_MAX_THREADS)
		return import_fail(bench->in, "there are more than %d sets of parameters in it",
				   IMPORT_MAX_THREADS);
	if (!runs) {
		runs = arena_append(arena, &bench->runs, &bench->n_runs, sizeof(*runs));
		if (!runs)
			return import_no_memory(bench->in);
		runs->params = params;
	}
	bin = arena_append(arena, &runs->bins, &runs->n_bins, sizeof(*bin));
	if (!bin)
		return import_no_memory(bench->in);
	*bin = (struct import_bin){(uint64_t)llround(seconds * 1e9), 1};
	return 0;
}

/* "Time: 0.304" */
static int read_time(struct hackbench *bench, const char *text)
{
	char *end;
	double seconds;

	text += strspn(text, " \t");
	seconds = strtod(text, &end);
	if (end == text || end[strspn(end, " \t")] ||
	    strspn(text, "0123456789.") != (size_t)(end - text))
		return import_fail(bench->in, "\"Time:\" is not followed by seconds");
	if (!(seconds >= 0) || seconds > SECONDS_MAX)
		return import_fail(bench->in, "a run of %.6g s is not one that hackbench made",
				   seconds);
	return add_run(bench, seconds);
}

static int add_section(struct importing *in, const struct runs *runs)
{
	struct import_section section = {.workload = "hackbench",
					 .placement = "all",
					 .params = runs->params,
					 .cpu = -1,
					 .node = -1};
	struct import_samples samples = {
		.bins = runs->bins, .n_bins = runs->n_bins, .min_ns = UINT64_MAX};
	int err;

	for (size_t i = 0; i < runs->n_bins; i++) {
		uint64_t value_ns = runs->bins[i].value_ns;

		samples.min_ns = value_ns < samples.min_ns ? value_ns : samples.min_ns;
		samples.max_ns = value_ns > samples.max_ns ? value_ns : samples.max_ns;
		samples.mean_ns += (double)value_ns / (double)runs->n_bins;
	}
	err = import_add_metric(
		in, &section.metrics, "run_time_ns", "ns", LOWER_IS_BETTER, ROLE_PRIMARY,
		(struct import_figure){.kind = METRIC_DISTRIBUTION, .samples = &samples});
	return err ? err : import_add_section(in, &section);
}

static int parse_hackbench(struct importing *in)
{
	struct hackbench bench = {.in = in};
	char *line;
	int err = 0;

	while (!err && (line = import_line(in))) {
		line += strspn(line, " \t");
		if (!*line || read_mode(&bench, line) || read_size(&bench, line))
			continue;
		if (!strncmp(line, "Time:", 5))
			err = read_time(&bench, line + 5);
		else
			err = import_fail(in, "\"%.60s\" is not a line that hackbench writes",
					  line);
	}
	in->line = 0;
	if (!err && !bench.n_runs)
		err = import_fail(in, "there is no line \"Time: SECONDS\" in it: the run was cut "
				      "short, or it is not hackbench's");
	for (size_t i = 0; i < bench.n_runs && !err; i++)
		err = add_section(in, &bench.runs[i]);
	return err;
}

const struct importer import_hackbench = {.name = "hackbench", .parse = parse_hackbench};
