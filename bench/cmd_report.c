// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/analysis_values.h"
#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "reports/buffer.h"
#include "reports/site.h"
#include "reports/writers.h"

struct report_values {
	struct analysis_values analysis;
	const char *output, *site;
	bool anonymous, no_logs;
};

static const struct option_spec report_options[] = {
	ANALYSIS_OPTION_BASELINE(offsetof(struct report_values, analysis)),
	ANALYSIS_OPTION_MARGIN(offsetof(struct report_values, analysis)),
	{.name = "output",
	 .letter = 'o',
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "write the report there (else into the one campaign's folder)",
	 .offset = offsetof(struct report_values, output)},
	{.name = "site",
	 .kind = OPTION_STRING,
	 .argument = "SITE",
	 .help = "publish each campaign in this static site, with an index and trends",
	 .offset = offsetof(struct report_values, site)},
	{.name = "anonymous",
	 .kind = OPTION_FLAG,
	 .help = "leave out of the site's copies where and when a campaign ran",
	 .offset = offsetof(struct report_values, anonymous)},
	{.name = "no-logs",
	 .kind = OPTION_FLAG,
	 .help = "copy no console's log into the site",
	 .offset = offsetof(struct report_values, no_logs)},
	OPTIONS_END,
};

static bool is_directory(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* Where the report goes; NULL when that was not said and cannot be guessed. */
static const char *choose_output(const struct report_values *values,
				 const struct string_list *operands)
{
	struct stat status;

	if (values->output && !stat(values->output, &status) && !S_ISDIR(status.st_mode)) {
		message_error("--output: %s is a file; name a folder, which may be a new one",
			      values->output);
		return NULL;
	}
	if (values->output)
		return values->output;
	if (operands->count == 1 && is_directory(operands->items[0]))
		return operands->items[0];
	message_error("say with --output DIR where a report on %s is to go",
		      operands->count == 1 ? "a single file" : "several inputs");
	return NULL;
}

/* The verdict and the files; a label from a result must not steer the terminal. */
static void print_written(const char *headline, const char *output)
{
	while (*headline) {
		size_t length = steering_length(headline);

		putchar(length ? '?' : *headline);
		headline += length ? length : 1;
	}
	printf("\n%s/index.html\n%s/report.md\n%s/report.txt\n%s/summary.json\n", output, output,
	       output, output);
}

/* An input and the campaign that is in it: what the order of several inputs is made from. */
struct input {
	const char *path;
	char *id;
};

static int compare_inputs(const void *a, const void *b)
{
	const struct input *one = a, *two = b;
	int order = strcmp(one->id ? one->id : "", two->id ? two->id : "");

	return order ? order : strcmp(one->path, two->path);
}

/* The order on the command line is nobody's choice (a shell's pattern): it must not show. */
static int sort_inputs(struct string_list *operands)
{
	struct input *inputs = calloc(operands->count, sizeof(*inputs));

	if (!inputs)
		return -ENOMEM;
	for (size_t i = 0; i < operands->count; i++) {
		inputs[i].path = operands->items[i];
		if (is_directory(inputs[i].path))
			inputs[i].id = site_campaign_id(inputs[i].path);
	}
	qsort(inputs, operands->count, sizeof(*inputs), compare_inputs);
	for (size_t i = 0; i < operands->count; i++) {
		operands->items[i] = inputs[i].path;
		free(inputs[i].id);
	}
	free(inputs);
	return 0;
}

static int write_report(const struct report_values *values, struct string_list *operands,
			const char *output)
{
	struct analysis_options options = {.baseline = values->analysis.baseline,
					   .margin = values->analysis.margin_percent / 100};
	struct analysis analysis;
	struct results results;
	int exit_code, err;

	err = sort_inputs(operands);
	if (err) {
		message_errno(err, "cannot sort the inputs");
		return EXIT_BROKE;
	}
	exit_code =
		reports_analyse(&results, &analysis, operands->items, operands->count, &options);
	if (exit_code)
		goto out_release;
	err = make_directories(output);
	if (err)
		message_errno(err, "cannot make the folder %s", output);
	else if (access(output, W_OK))
		err = message_errno(-errno,
				    "cannot write the report into %s; --output DIR names "
				    "another folder",
				    output);
	else
		err = reports_write(&analysis, output);
	exit_code = err ? EXIT_BROKE : EXIT_FINE;
	if (!err)
		print_written(analysis.headline[0], output);
out_release:
	analysis_release(&analysis);
	results_release(&results);
	return exit_code;
}

static int publish(const struct report_values *values, const struct string_list *operands)
{
	const struct site_options options = {
		.analysis = {.baseline = values->analysis.baseline,
			     .margin = values->analysis.margin_percent / 100},
		.has_logs = !values->no_logs,
		.is_anonymous = values->anonymous,
	};

	if (values->output) {
		message_error("--site and --output both say where to write: give one of them");
		return EXIT_USAGE;
	}
	return site_publish(values->site, operands->items, operands->count, &options);
}

static int run(int argc, char **argv)
{
	struct report_values values = {0};
	struct string_list operands = {0};
	int err = options_parse(&command_report, argc, argv, &values, &operands);
	const char *output;
	int exit_code = EXIT_USAGE;

	if (err) {
		exit_code = options_exit_code(err);
	} else if (values.site) {
		exit_code = publish(&values, &operands);
	} else if (values.anonymous || values.no_logs) {
		message_error("--%s is about the copies in a site: it goes with --site SITE",
			      values.anonymous ? "anonymous" : "no-logs");
	} else if (!operands.count) {
		message_error(
			"name a campaign's folder, for example 'proxeval report results/CAMPAIGN'; "
			"see 'proxeval report --help'");
	} else {
		output = choose_output(&values, &operands);
		if (output)
			exit_code = write_report(&values, &operands, output);
	}
	options_release(&command_report, &values, &operands);
	return exit_code;
}

static const char *const description[] = {
	"Writes index.html (one page that needs no network), report.md, report.txt (for a mailing\n"
	"list) and summary.json from the results of one or more campaigns. The same inputs give\n"
	"the same bytes.",
	"With --site, each campaign's report and a copy of its results go to SITE/campaigns/, with an\n"
	"index over all that is there and trends. What was published before stays, so that\n"
	"publishing one by one is the same as all at once.",
	"Exit codes: 0 written, whatever the verdicts ('compare' tells those), 4 no boot is there\n"
	"yet, 5 a file is invalid, 6 the report could not be written.",
	NULL,
};

const struct command command_report = {
	.name = "report",
	.summary = "Writes the report: one HTML page, Markdown, plain text and JSON",
	.usage = "[OPTION…] DIR…",
	.description = description,
	.options = report_options,
	.run = run,
};
