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

/*
 * "proxeval: 4 better, 0 worse, …" and a newline, ASCII. The six counts are always there, in this
 * order, then those that are not zero of the baseline's violations and of unhealthy variants; what
 * comes after them is left out where it would make the line, without its
 * newline, longer than @limit. ONE_LINE_MAX is what a commit's status takes; 0: no limit.
 */
#define ONE_LINE_MAX 140
void one_line_write(struct buffer *out, const struct analysis *analysis, size_t limit);

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

/* results_load_parts and, unless it is NULL, results_select, with the one message when something
 * is wrong; 0 or the exit code. results_release is due in every case. */
struct selection;
int reports_load(struct results *results, const char *const *paths, size_t n_paths,
		 enum result_parts parts, const struct selection *selection);

/* The same of analysis_make. */
int reports_compare(const struct results *results, struct analysis *analysis,
		    const struct analysis_options *options);

/* Both, without a selection. */
int reports_analyse(struct results *results, struct analysis *analysis, const char *const *paths,
		    size_t n_paths, const struct analysis_options *options);

enum print_form {
	PRINT_TEXT, /* the terminal's tables */
	PRINT_JSON, /* the summary or history document */
	PRINT_LINE, /* one line */
};

/* 0 or a negative errno with its message. Colours only on a terminal without NO_COLOR. */
int reports_print(const struct analysis *analysis, FILE *terminal, enum print_form form);

struct history;
/* The same of a history. */
int reports_print_history(const struct history *history, FILE *terminal, enum print_form form);

#endif
