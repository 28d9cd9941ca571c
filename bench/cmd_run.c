// SPDX-License-Identifier: GPL-2.0-only
#include "bench/cmd_run.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/message.h"
#include "bench/progress.h"
#include "bench/proof.h"
#include "bench/run_order.h"
#include "reports/reports.h"

static const struct option_spec options[] = {
	RUN_OPTIONS(0,
		    "what to compare, once for each; an empty IMAGE is the kernel that is built or "
		    "given [proxy::sched_proxy_exec=1 and !proxy::sched_proxy_exec=0]",
		    "boots of each variant [the profile's]"),
	RUN_OPTION_UNTIL_CONCLUSIVE(0),
	RUN_OPTION_MAX_BOOTS(0),
	RUN_OPTION_CAMPAIGN(0),
	RUN_OPTION_PRINT_CAMPAIGN(0),
	OPTIONS_END,
};

int conclude_campaign(struct campaign *campaign, bool as_json)
{
	int err = campaign_run(campaign), code = EXIT_BROKE;

	if (err) {
		message_note("%zu of %s%zu boots are done and kept; go on with '%s resume %s'",
			     campaign_planned(campaign) - campaign_missing(campaign),
			     campaign->sequential ? "at most " : "", campaign->n_boots,
			     run_program(), campaign->directory);
		return EXIT_BROKE;
	}
	if (report_campaign(campaign->directory, stdout, as_json, &code))
		return code;
	message_note("the report is %s/index.html (report.txt and report.md beside it)",
		     campaign->directory);
	message_note("see it again with '%s report %s'", run_program(), campaign->directory);
	return code;
}

static int print_campaign(const struct run_order *order)
{
	struct json_object *document = campaign_file_make(order, &command_run);
	const char *text = document ? json_object_to_json_string_ext(
					      document, JSON_C_TO_STRING_PRETTY |
								JSON_C_TO_STRING_NOSLASHESCAPE)
				    : NULL;
	int err = !text ? -ENOMEM : puts(text) < 0 || fflush(stdout) ? -EIO : 0;

	json_object_put(document);
	return err ? (message_errno(err, "cannot print the campaign file"), EXIT_BROKE) : EXIT_FINE;
}

static int run_values(const struct run_values *values, const struct string_list *workload_names,
		      const struct campaign_file *file)
{
	struct run_order order = {.command = "run", .values = values, .file = file};
	struct campaign *campaign;
	int code;

	if (values->profile && profile_is_proof(values->profile))
		return proof_command(values, workload_names, file);
	code = run_order_check(&order, workload_names);

	if (!code && values->print_campaign) {
		code = print_campaign(&order);
		run_order_release(&order);
		return code;
	}
	if (!code)
		code = run_order_start(&order, &campaign);
	if (!code) {
		code = conclude_campaign(campaign, values->json);
		campaign_free(campaign);
	}
	run_order_release(&order);
	return code;
}

/* The file's options, where the command line has not given them: 0 or an exit code. */
static int take_campaign_file(struct campaign_file *file, struct run_values *values, bool *given,
			      const struct string_list *workload_names)
{
	const char *path = values->campaign_file;
	const char *workloads = "";
	int err = campaign_file_load(file, path, &command_run, values, given);

	if (err) {
		message_error("%s", err == -ENOMEM ? "there is not enough memory" : file->error);
		return err == -ENOMEM ? EXIT_BROKE : EXIT_INVALID;
	}
	if (workload_names->count && file->n_items)
		workloads = file->overridden.length ? ", workloads" : "workloads";
	if (file->overridden.length || *workloads)
		message_note("the command line comes before %s in: %s%s", path,
			     file->overridden.length ? file->overridden.text : "", workloads);
	return 0;
}

static int run(int argc, char **argv)
{
	struct run_values values = RUN_VALUES_INIT;
	struct string_list workload_names = {0};
	struct campaign_file file = {0};
	bool given[OPTIONS_MAX] = {false};
	int err = options_parse_given(&command_run, argc, argv, &values, &workload_names, given);
	int code = err ? options_exit_code(err) : 0;

	if (!err && values.campaign_file)
		code = take_campaign_file(&file, &values, given, &workload_names);
	if (!err && !code && options_store_standards(&command_run, &values, given))
		code = EXIT_USAGE;
	if (values.no_progress)
		progress_disable();
	if (!err && !code)
		code = run_values(&values, &workload_names, values.campaign_file ? &file : NULL);
	campaign_file_release(&file);
	options_release(&command_run, &values, &workload_names);
	return code;
}

static const char *const description[] = {
	"Boots every variant in turn, in an order drawn from the seed and written down first, runs\n"
	"the workloads in every placement that exists there, and reports what differs. Without\n"
	"a workload it runs all that the profile has. Results go to DIR/<campaign>/, one JSON file per boot.",
	"--profile proof shows what each patch of the series is good for: the same work on the whole\n"
	"series and without the patch. It takes tags of patches, as K3, in place of workloads.",
	"Ctrl-C keeps what has finished; 'proxeval resume DIR/<campaign>' goes on.",
	NULL,
};

const struct command command_run = {
	.name = "run",
	.summary = "Boot the variants, run the workloads, report the differences",
	.usage = "[WORKLOAD…] [OPTION…]",
	.description = description,
	.options = options,
	.run = run,
};
