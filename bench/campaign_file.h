/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CAMPAIGN_FILE_H
#define BENCH_CAMPAIGN_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/options.h"
#include "reports/arena.h"
#include "reports/buffer.h"

struct json_object;
struct run_order;

/*
 * `run --campaign FILE`: the options of a run as a JSON document
 * (reports/schema/campaign-file-1.schema.json), each member called like its option.
 */
#define CAMPAIGN_FILE_FORMAT	"proxeval-campaign-file"
#define CAMPAIGN_FILE_MAX_BYTES (1u << 20)

/* Whether an option of `run` may stand in the file; the others are the command line's alone. */
bool is_campaign_file_member(const struct option_spec *option);

/* "NAME=VALUE" or a placement, and what to call where it stands: "--param", "F, line 7: param". */
struct run_setting {
	const char *source;
	const char *text;
};

struct run_settings {
	struct run_setting *items;
	size_t count;
};

/* What one source says of the work: the command line, the file, or one workload in the file. */
struct run_layer {
	struct run_settings params, sweeps, placements;
};

/* An element of the member "workload". */
struct campaign_file_item {
	const char *workload;
	const char *source; /* "F, line 7: workload" */
	bool is_whole;	    /* an object: it says all; a name: what the profile has of it */
	struct run_layer own;
};

struct campaign_file {
	const char *path; /* as messages call it */
	struct run_layer layer;
	struct campaign_file_item *items;
	size_t n_items;
	struct buffer overridden; /* "--boots, --seed": what the command line said as well */
	char error[512];	  /* one sentence, with the path and the line */
	struct arena arena;
};

/*
 * Reads @text, which a NUL follows, as the file @path. A member that is an option of @command goes
 * into @values unless @given (by options_parse_given) has it, and is noted there; texts are
 * @file's. 0; -EINVAL with file->error; or -ENOMEM. campaign_file_release is due in every case.
 */
int campaign_file_parse(struct campaign_file *file, const char *path, const char *text,
			size_t size_bytes, const struct command *command, void *values,
			bool *given);

/* The same of the file at @path: also a negative errno with file->error. */
int campaign_file_load(struct campaign_file *file, const char *path, const struct command *command,
		       void *values, bool *given);
void campaign_file_release(struct campaign_file *file);

/*
 * The file that stands for a checked order: read again, it comes to the same order. The seed of
 * a run in real time is in it only when it was given. The caller owns it; NULL: no memory.
 */
struct json_object *campaign_file_make(const struct run_order *order,
				       const struct command *command);

#endif
