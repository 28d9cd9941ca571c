// SPDX-License-Identifier: GPL-2.0-only
#include <json-c/json.h>
#include <stdio.h>

#include "bench/analysis_values.h"
#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/message.h"
#include "reports/exact.h"
#include "reports/writers.h"

struct compare_values {
	bool exact;
	bool json;
	struct analysis_values analysis;
};

static const struct option_spec compare_options[] = {
	ANALYSIS_OPTION_BASELINE(offsetof(struct compare_values, analysis)),
	{.name = "exact",
	 .kind = OPTION_FLAG,
	 .help = "say whether two runs are identical, or name the first difference",
	 .offset = offsetof(struct compare_values, exact)},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print a document (the summary, or the answer of --exact) instead of text",
	 .offset = offsetof(struct compare_values, json)},
	ANALYSIS_OPTION_MARGIN(offsetof(struct compare_values, analysis)),
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

static int run_verdicts(const struct compare_values *values, const struct string_list *operands)
{
	struct analysis_options options = {.baseline = values->analysis.baseline,
					   .margin = (double)values->analysis.margin_percent / 100};
	struct analysis analysis;
	struct results results;
	int exit_code;

	exit_code =
		reports_analyse(&results, &analysis, operands->items, operands->count, &options);
	if (!exit_code)
		exit_code = reports_print(&analysis, stdout, values->json) ? EXIT_BROKE
									   : analysis.exit_code;
	analysis_release(&analysis);
	results_release(&results);
	return exit_code;
}

static int run(int argc, char **argv)
{
	struct compare_values values = {0};
	struct string_list operands = {0};
	int err = options_parse(&command_compare, argc, argv, &values, &operands);
	int exit_code;

	if (err) {
		exit_code = options_exit_code(err);
	} else if (!operands.count) {
		message_error(
			"name boots' files or campaigns' folders, for example 'proxeval compare "
			"results/*'; see 'proxeval compare --help'");
		exit_code = EXIT_USAGE;
	} else if (values.exact) {
		exit_code = run_exact(&operands, values.json);
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
	"Exit codes: 0 fine or identical, 1 worse, violated or different, 2 inconclusive,\n"
	"4 nothing was measured, 5 a file is invalid, 6 every boot broke.",
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
