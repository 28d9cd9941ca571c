// SPDX-License-Identifier: GPL-2.0-only
#include "reports/reports.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "reports/history.h"
#include "reports/select.h"
#include "reports/writers.h"

static int write_buffer(const char *directory, const char *name, struct buffer *text)
{
	char path[PATH_MAX];
	int err = -ENAMETOOLONG;

	if (text->failed || !text->text)
		err = -ENOMEM;
	else if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
		err = write_file_atomically(path, text->text, text->length);
	if (err)
		message_errno(err, "cannot write %s in %s", name, directory);
	buffer_release(text);
	return err;
}

/* The four files of a report; after one that cannot be written the others are not tried. */
static int write_report_files(const char *directory, struct buffer texts[4])
{
	static const char *const names[] = {"summary.json", "report.txt", "report.md",
					    "index.html"};
	int err = 0;

	for (size_t i = 0; i < 4; i++) {
		if (!err)
			err = write_buffer(directory, names[i], &texts[i]);
		else
			buffer_release(&texts[i]);
	}
	return err;
}

/* A document as text: two spaces, a newline at the end. Puts it. */
static void add_document(struct buffer *out, struct json_object *document)
{
	const char *text = NULL;

	if (document)
		text = json_object_to_json_string_ext(
			document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text) {
		buffer_add(out, text);
		buffer_add(out, "\n");
	} else {
		out->failed = true;
	}
	json_object_put(document);
}

int reports_write(const struct analysis *analysis, const char *directory)
{
	struct buffer texts[4] = {0};

	add_document(&texts[0], summary_to_json(analysis));
	text_write(&texts[1], analysis, (struct text_style){.is_complete = true});
	markdown_write(&texts[2], analysis);
	html_write(&texts[3], analysis, directory);
	return write_report_files(directory, texts);
}

static int exit_code_for(int err)
{
	switch (err) {
	case -ENOENT:
		return EXIT_CANNOT;
	case -ENOMEM:
		return EXIT_BROKE;
	default:
		return EXIT_INVALID;
	}
}

int reports_load(struct results *results, const char *const *paths, size_t n_paths,
		 enum result_parts parts, const struct selection *selection)
{
	int err = results_load_parts(results, paths, n_paths, parts);

	if (err) {
		message_error("%s", results->error);
		return exit_code_for(err);
	}
	err = selection ? results_select(results, selection) : 0;
	if (err == -EINVAL)
		message_error("%s", results->error);
	else if (err)
		message_errno(err, "cannot select");
	return !err ? 0 : err == -EINVAL ? EXIT_USAGE : EXIT_BROKE;
}

int reports_compare(const struct results *results, struct analysis *analysis,
		    const struct analysis_options *options)
{
	int err = analysis_make(analysis, results, options);

	if (err == -EINVAL) {
		message_error("%s", analysis->error);
		return EXIT_USAGE;
	}
	if (err)
		message_errno(err, "cannot compare");
	return err ? EXIT_BROKE : 0;
}

int reports_analyse(struct results *results, struct analysis *analysis, const char *const *paths,
		    size_t n_paths, const struct analysis_options *options)
{
	int exit_code = reports_load(results, paths, n_paths, RESULT_HISTOGRAMS, NULL);

	*analysis = (struct analysis){0};
	return exit_code ? exit_code : reports_compare(results, analysis, options);
}

static bool wants_colour(FILE *terminal)
{
	const char *no_colour = getenv("NO_COLOR");

	return isatty(fileno(terminal)) && !(no_colour && *no_colour);
}

/* Releases @text. */
static int print_buffer(struct buffer *text, FILE *terminal)
{
	int err = 0;

	if (text->failed || !text->text)
		err = -ENOMEM;
	else if (fputs(text->text, terminal) < 0 || fflush(terminal))
		err = -errno;
	if (err)
		message_errno(err, "cannot print the comparison");
	buffer_release(text);
	return err;
}

int reports_print(const struct analysis *analysis, FILE *terminal, enum print_form form)
{
	struct text_style style = {.has_colour = wants_colour(terminal)};
	struct buffer text = {0};

	if (form == PRINT_JSON)
		add_document(&text, summary_to_json(analysis));
	else if (form == PRINT_LINE)
		one_line_write(&text, analysis, ONE_LINE_MAX);
	else
		text_write(&text, analysis, style);
	return print_buffer(&text, terminal);
}

int reports_print_history(const struct history *history, FILE *terminal, enum print_form form)
{
	struct buffer text = {0};

	if (form == PRINT_JSON)
		add_document(&text, history_to_json(history));
	else if (form == PRINT_LINE)
		history_write_line(&text, history);
	else
		history_write_text(&text, history, wants_colour(terminal));
	return print_buffer(&text, terminal);
}

int report_campaign(const char *directory, FILE *terminal, bool as_json, int *exit_code)
{
	const char *const paths[] = {directory};
	struct analysis analysis;
	struct results results;
	int err = 0;

	*exit_code = reports_analyse(&results, &analysis, paths, 1, NULL);
	if (*exit_code) {
		err = *exit_code == EXIT_BROKE ? -ENOMEM : -EINVAL;
		goto out_release;
	}
	*exit_code = analysis.exit_code;
	err = reports_write(&analysis, directory);
	if (terminal) {
		int printed = reports_print(&analysis, terminal, as_json ? PRINT_JSON : PRINT_TEXT);

		err = err ? err : printed;
	}
	if (err)
		*exit_code = EXIT_BROKE;
out_release:
	analysis_release(&analysis);
	results_release(&results);
	return err;
}
