/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_WRITERS_H
#define REPORTS_WRITERS_H

#include <stdio.h>

#include "reports/buffer.h"
#include "reports/verdict.h"

struct json_object;

/*
 * One writer per form. Each renders an analysis and decides nothing; each gives the
 * same bytes for the same files. What runs out of memory shows in buffer->failed.
 */
#define TEXT_COLUMNS 75

struct text_style {
	bool has_colour;  /* escape sequences for a terminal */
	bool is_complete; /* report.txt: headline first, every metric, the method; else what a
			     terminal needs */
};

/* Plain ASCII, at most TEXT_COLUMNS wide. */
void text_write(struct buffer *out, const struct analysis *analysis, struct text_style style);
void markdown_write(struct buffer *out, const struct analysis *analysis);

/* One self-contained page. @directory is where it will lie: links to the boots start there. */
void html_write(struct buffer *out, const struct analysis *analysis, const char *directory);

/* The proxeval-summary document; NULL when memory is out. The caller puts it. */
struct json_object *summary_to_json(const struct analysis *analysis);

/* Writes all four into @directory, which must exist. 0, or a negative errno with its message
 * printed. */
int reports_write(const struct analysis *analysis, const char *directory);

/* results_load and analysis_make with the one message when something is wrong; 0 or the exit code.
 */
int reports_analyse(struct results *results, struct analysis *analysis, const char *const *paths,
		    size_t n_paths, const struct analysis_options *options);

/* The terminal's table or, with @as_json, the summary. 0 or a negative errno with its message. */
int reports_print(const struct analysis *analysis, FILE *terminal, bool as_json);

#endif
