// SPDX-License-Identifier: GPL-2.0-only
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "bench/analysis_values.h"
#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/message.h"
#include "reports/exact.h"
#include "reports/findings.h"
#include "reports/history.h"
#include "reports/select.h"
#include "reports/writers.h"

struct compare_values {
	bool exact, history, json, one_line;
	const char *fail_on, *order;
	uint64_t min_change_percent;
	struct string_list machines, metrics, variants, workloads;
	struct analysis_values analysis;
};

static const char *const orders[] = {"kernel", "time", "given", NULL};

static const struct option_spec compare_options[] = {
	ANALYSIS_OPTION_BASELINE(offsetof(struct compare_values, analysis)),
	{.name = "exact",
	 .kind = OPTION_FLAG,
	 .help = "say whether two runs are identical, or name the first difference",
	 .offset = offsetof(struct compare_values, exact)},
	{.name = "fail-on",
	 .kind = OPTION_STRING,
	 .argument = "LIST",
	 .help = "exit with 1 for these words and no other: worse,violated,unhealthy,…",
	 .offset = offsetof(struct compare_values, fail_on)},
	{.name = "history",
	 .kind = OPTION_FLAG,
	 .help = "each variant over many campaigns: name the change points",
	 .offset = offsetof(struct compare_values, history)},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print a document (summary, history or the answer of --exact) instead of text",
	 .offset = offsetof(struct compare_values, json)},
	{.name = "machine",
	 .kind = OPTION_LIST,
	 .argument = "NAME",
	 .help = "only boots of this machine; may be given many times",
	 .offset = offsetof(struct compare_values, machines)},
	ANALYSIS_OPTION_MARGIN(offsetof(struct compare_values, analysis)),
	{.name = "metric",
	 .kind = OPTION_LIST,
	 .argument = "NAME",
	 .help = "only this metric, for example donor_wait_ns; may be given many times",
	 .offset = offsetof(struct compare_values, metrics)},
	{.name = "min-change",
	 .kind = OPTION_NUMBER,
	 .argument = "PERCENT",
	 .standard = "1",
	 .max = 100,
	 .help = "with --history: a change that is surely smaller does not count",
	 .offset = offsetof(struct compare_values, min_change_percent)},
	{.name = "one-line",
	 .kind = OPTION_FLAG,
	 .help = "print one line, for a log or a commit's status",
	 .offset = offsetof(struct compare_values, one_line)},
	{.name = "order",
	 .kind = OPTION_CHOICE,
	 .argument = "ORDER",
	 .standard = "kernel",
	 .choices = orders,
	 .help = "with --history, campaigns go by kernel (release), time (start) or as given",
	 .offset = offsetof(struct compare_values, order)},
	{.name = "variant",
	 .kind = OPTION_LIST,
	 .argument = "LABEL",
	 .help = "only this variant, and what it is compared with; may be given many times",
	 .offset = offsetof(struct compare_values, variants)},
	{.name = "workload",
	 .kind = OPTION_LIST,
	 .argument = "NAME",
	 .help = "only this workload; may be given many times",
	 .offset = offsetof(struct compare_values, workloads)},
	OPTIONS_END,
};

/* The proxeval-exact document: reports/schema/exact-1.schema.json. */
static int print_exact_json(const struct exact_answer *answer)
{
	struct json_object *document = json_object_new_object();
	int printed = -1;

	if (document) {
		json_object_object_add(document, "format",
				       json_object_new_string("proxeval-exact"));
		json_object_object_add(document, "version", json_object_new_int(1));
		json_object_object_add(document, "identical",
				       json_object_new_boolean(answer->is_identical));
		json_object_object_add(document, "boots", json_object_new_uint64(answer->boots));
		json_object_object_add(document, "sections",
				       json_object_new_uint64(answer->sections));
		json_object_object_add(document, "metrics",
				       json_object_new_uint64(answer->metrics));
		json_object_object_add(
			document, "difference",
			answer->is_identical ? NULL : json_object_new_string(answer->difference));
		printed = puts(json_object_to_json_string_ext(
			document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(document);
	if (printed >= 0 && !fflush(stdout))
		return answer->is_identical ? EXIT_FINE : EXIT_REGRESSION;
	message_error("the answer could not be printed");
	return EXIT_BROKE;
}

static int run_exact(const struct string_list *operands, bool as_json)
{
	struct exact_answer answer;

	if (operands->count != 2) {
		message_error("--exact takes two campaigns' folders or two boots' files, not %zu",
			      operands->count);
		return EXIT_USAGE;
	}
	if (exact_compare(operands->items[0], operands->items[1], &answer)) {
		message_error("%s", answer.error);
		return EXIT_INVALID;
	}
	if (*answer.note)
		message_note("%s", answer.note);
	if (as_json)
		return print_exact_json(&answer);
	if (!answer.is_identical) {
		printf("different: %s\n", answer.difference);
		return EXIT_REGRESSION;
	}
	printf("identical: %zu boot%s, %zu section%s, %zu metric%s\n", answer.boots,
	       answer.boots == 1 ? "" : "s", answer.sections, answer.sections == 1 ? "" : "s",
	       answer.metrics, answer.metrics == 1 ? "" : "s");
	return EXIT_FINE;
}

static enum print_form form_of(const struct compare_values *values)
{
	return values->json ? PRINT_JSON : values->one_line ? PRINT_LINE : PRINT_TEXT;
}

static struct name_list names_of(const struct string_list *list)
{
	return (struct name_list){(const char *const *)list->items, list->count};
}

static struct selection selection_of(const struct compare_values *values)
{
	return (struct selection){.workloads = names_of(&values->workloads),
				  .metrics = names_of(&values->metrics),
				  .machines = names_of(&values->machines),
				  .variants = names_of(&values->variants),
				  .keeps_baselines = !values->history,
				  .baseline = values->analysis.baseline};
}

/* With --fail-on the exit code alone would not say which of the words it was. */
static void note_hits(const struct analysis *analysis)
{
	struct buffer hits = {0};

	findings_add_hits(&hits, analysis);
	if (hits.text)
		message_note("--fail-on: %s", hits.text);
	buffer_release(&hits);
}

static int run_verdicts(const struct compare_values *values, const struct string_list *operands)
{
	struct analysis_options options = {.baseline = values->analysis.baseline,
					   .margin = values->analysis.margin_percent / 100};
	struct selection selection = selection_of(values);
	struct analysis analysis = {0};
	struct results results;
	char problem[64];
	int exit_code;

	if (values->fail_on &&
	    findings_parse(values->fail_on, &options.fail_on, problem, sizeof(problem))) {
		message_error("--fail-on: '%s' is none of its words; see 'man proxeval-compare' "
			      "for them",
			      problem);
		return EXIT_USAGE;
	}
	exit_code = reports_load(&results, operands->items, operands->count, RESULT_HISTOGRAMS,
				 &selection);
	if (!exit_code)
		exit_code = reports_compare(&results, &analysis, &options);
	if (!exit_code) {
		exit_code = reports_print(&analysis, stdout, form_of(values)) ? EXIT_BROKE
									      : analysis.exit_code;
		note_hits(&analysis);
	}
	analysis_release(&analysis);
	results_release(&results);
	return exit_code;
}

static int run_history(const struct compare_values *values, const struct string_list *operands)
{
	struct history_options options = {.min_change = (double)values->min_change_percent / 100};
	struct selection selection = selection_of(values);
	struct history history = {0};
	struct results results;
	int exit_code;

	while (strcmp(orders[options.order], values->order))
		options.order++;
	exit_code = reports_load(&results, operands->items, operands->count, RESULT_FIGURES,
				 &selection);
	if (!exit_code && history_make(&history, &results, &options)) {
		message_error("there is not enough memory for this history");
		exit_code = EXIT_BROKE;
	} else if (!exit_code) {
		exit_code = reports_print_history(&history, stdout, form_of(values))
				    ? EXIT_BROKE
				    : history.exit_code;
	}
	history_release(&history);
	results_release(&results);
	return exit_code;
}

/* Options that do not go together; NULL when these do. */
static const char *find_conflict(const struct compare_values *values)
{
	if (values->exact && values->history)
		return "--exact and --history are two questions: ask one at a time";
	if (values->json && values->one_line)
		return "--json and --one-line are two forms: name one";
	if (values->fail_on && (values->exact || values->history))
		return "--fail-on is about verdicts: it goes neither with --exact nor with "
		       "--history, whose exit codes say all";
	if (values->one_line && values->exact)
		return "--exact prints one line anyway: leave --one-line out";
	if (!values->history && strcmp(values->order, orders[0]))
		return "--order is that of campaigns in a history: it goes with --history";
	if (values->exact && (values->machines.count || values->metrics.count ||
			      values->variants.count || values->workloads.count))
		return "--exact compares all there is: it takes no selection";
	return NULL;
}

static int run(int argc, char **argv)
{
	struct compare_values values = {0};
	struct string_list operands = {0};
	int err = options_parse(&command_compare, argc, argv, &values, &operands);
	const char *conflict = err ? NULL : find_conflict(&values);
	int exit_code;

	if (err) {
		exit_code = options_exit_code(err);
	} else if (conflict) {
		message_error("%s", conflict);
		exit_code = EXIT_USAGE;
	} else if (!operands.count) {
		message_error(
			"name boots' files or campaigns' folders, for example 'proxeval compare "
			"results/*'; see 'proxeval compare --help'");
		exit_code = EXIT_USAGE;
	} else if (values.exact) {
		exit_code = run_exact(&operands, values.json);
	} else if (values.history) {
		exit_code = run_history(&values, &operands);
	} else {
		exit_code = run_verdicts(&values, &operands);
	}
	options_release(&command_compare, &values, &operands);
	return exit_code;
}

static const char *const description[] = {
	"Each FILE is one boot's result, each DIR a campaign's folder. Every variant is compared\n"
	"with the baseline, metric by metric, boots against boots: better, worse, equivalent, or\n"
	"inconclusive with how many more boots it takes at the least.",
	"With --history each variant's label is followed over the campaigns instead, and what\n"
	"changed is named with the kernel and the campaign from which on.",
	"Exit codes: 0 fine or identical, 1 worse, violated, unhealthy or different (with\n"
	"--fail-on: what it lists), 2 inconclusive, 4 nothing was measured, 5 a file is\n"
	"invalid, 6 every boot broke.",
	NULL,
};

const struct command command_compare = {
	.name = "compare",
	.summary = "Says what differs between variants, from the results' files alone",
	.usage = "[OPTION…] FILE|DIR…",
	.description = description,
	.options = compare_options,
	.run = run,
};
