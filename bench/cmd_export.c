// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/analysis_values.h"
#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "reports/export.h"
#include "reports/writers.h"

#define ORIGIN_MAX 64 /* bytes; KCIDB's own are of 3 to 15 */

struct export_values {
	struct analysis_values analysis;
	const char *format;
	const char *origin;
	const char *output;
	const char *table;
	bool timestamps;
};

static const char *const formats[] = {"csv", "kcidb", "ktap", "openmetrics", NULL};
static const char *const tables[] = {[CSV_FIGURES] = "figures", [CSV_VERDICTS] = "verdicts", NULL};

static const struct option_spec export_options[] = {
	ANALYSIS_OPTION_BASELINE(offsetof(struct export_values, analysis)),
	{.name = "format",
	 .kind = OPTION_CHOICE,
	 .argument = "FORMAT",
	 .choices = formats,
	 .help = "the form to write",
	 .offset = offsetof(struct export_values, format)},
	ANALYSIS_OPTION_MARGIN(offsetof(struct export_values, analysis)),
	{.name = "origin",
	 .kind = OPTION_STRING,
	 .argument = "NAME",
	 .standard = "proxeval",
	 .help = "kcidb: the CI system that sends it, in a-z, 0-9 and _",
	 .offset = offsetof(struct export_values, origin)},
	{.name = "output",
	 .letter = 'o',
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "write into this file instead of the standard output",
	 .offset = offsetof(struct export_values, output)},
	{.name = "table",
	 .kind = OPTION_CHOICE,
	 .argument = "TABLE",
	 .choices = tables,
	 .standard = "figures",
	 .help = "csv: every boot's figures, or the verdicts",
	 .offset = offsetof(struct export_values, table)},
	{.name = "timestamps",
	 .kind = OPTION_FLAG,
	 .help = "openmetrics: give each sample the start of its variant's last boot",
	 .offset = offsetof(struct export_values, timestamps)},
	OPTIONS_END,
};

/* The one thing that is wrong with the line beyond what the table checks; NULL: nothing. */
static const char *find_mistake(const struct export_values *values,
				const struct string_list *operands)
{
	size_t plain = strspn(values->origin, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (!values->format)
		return "say with --format which form to write: csv, kcidb, ktap or openmetrics";
	if (!operands->count)
		return "name campaigns' folders or boots' files, for example 'proxeval export "
		       "--format=csv results/CAMPAIGN'";
	if (!*values->origin || values->origin[plain] || plain > ORIGIN_MAX)
		return "--origin is a name of 1 to 64 characters from a-z, 0-9 and _";
	return NULL;
}

static int write_output(const struct buffer *text, const char *output)
{
	int err = 0;

	if (text->failed || !text->text)
		return message_errno(-ENOMEM, "cannot export");
	if (output) {
		err = write_file_atomically(output, text->text, text->length);
		return err ? message_errno(err, "cannot write %s", output) : 0;
	}
	if (fwrite(text->text, 1, text->length, stdout) != text->length || fflush(stdout))
		err = errno ? -errno : -EIO;
	return err ? message_errno(err, "cannot write to the standard output") : 0;
}

static int export_results(const struct export_values *values, const struct string_list *operands)
{
	struct analysis_options analysis_options = {.baseline = values->analysis.baseline,
						    .margin =
							    values->analysis.margin_percent / 100};
	struct export_options options = {
		.table = strcmp(values->table, tables[CSV_VERDICTS]) ? CSV_FIGURES : CSV_VERDICTS,
		.origin = values->origin,
		.has_timestamps = values->timestamps};
	struct buffer text = {0};
	struct analysis analysis;
	struct results results;
	int exit_code;

	exit_code = reports_analyse(&results, &analysis, operands->items, operands->count,
				    &analysis_options);
	if (!exit_code) {
		exporter_find(values->format)->write(&text, &analysis, &options);
		exit_code = write_output(&text, values->output) ? EXIT_BROKE : EXIT_FINE;
	}
	buffer_release(&text);
	analysis_release(&analysis);
	results_release(&results);
	return exit_code;
}

static int run(int argc, char **argv)
{
	struct export_values values = {0};
	struct string_list operands = {0};
	int err = options_parse(&command_export, argc, argv, &values, &operands);
	const char *mistake = err ? NULL : find_mistake(&values, &operands);
	int exit_code;

	if (err) {
		exit_code = options_exit_code(err);
	} else if (mistake) {
		message_error("%s; see 'proxeval export --help'", mistake);
		exit_code = EXIT_USAGE;
	} else {
		exit_code = export_results(&values, &operands);
	}
	options_release(&command_export, &values, &operands);
	return exit_code;
}

static const char *const description[] = {
	"Writes results and verdicts in a form that other programs read: csv for spreadsheets and\n"
	"statistics packages, kcidb for Kernel CI's database, ktap for the kernel's test tools,\n"
	"openmetrics for dashboards. The same inputs give the same bytes.",
	"Exit codes: 0 written, whatever the verdicts ('compare' tells those), 3 the line is wrong,\n"
	"4 no boot is there yet, 5 a file is invalid, 6 it could not be written.",
	NULL,
};

const struct command command_export = {
	.name = "export",
	.summary = "Writes results as CSV, KCIDB, KTAP or OpenMetrics",
	.usage = "--format=FORMAT [OPTION…] FILE|DIR…",
	.description = description,
	.options = export_options,
	.run = run,
};
