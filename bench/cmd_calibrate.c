// SPDX-License-Identifier: GPL-2.0-only
/* One kernel against itself: what this machine's verdicts are worth. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "bench/progress.h"
#include "bench/run_order.h"
#include "reports/calibration.h"
#include "reports/writers.h"

struct calibrate_values {
	struct run_values run; /* first: the shared checks see no more of it */
	struct string_list from;
	const char *output;
};

static const struct option_spec options[] = {
	RUN_OPTIONS(offsetof(struct calibrate_values, run),
		    "the one variant that is compared with itself; with --from its LABEL "
		    "[!proxy::sched_proxy_exec=0]",
		    "boots in all, half of them called A and half B [4 times the profile's]"),
	{.name = "from",
	 .kind = OPTION_LIST,
	 .argument = "DIR",
	 .help = "boot nothing: take the boots of one kernel from there; may be repeated",
	 .offset = offsetof(struct calibrate_values, from)},
	{.name = "output",
	 .letter = 'o',
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "write calibration.json there [in the campaign's folder; with --from nowhere]",
	 .offset = offsetof(struct calibrate_values, output)},
	OPTIONS_END,
};

/* Labels in the order that a campaign of two variants boots them in. */
static void draw_order(uint64_t seed, unsigned int rounds, unsigned int *variants)
{
	struct campaign_boot boots[2 * CALIBRATION_MAX_GROUP];

	campaign_draw_order(seed, TIME_REAL, 2, rounds, boots);
	for (unsigned int i = 0; i < 2 * rounds; i++)
		variants[i] = boots[i].variant;
}

static int print_json(struct json_object *document)
{
	const char *text = json_object_to_json_string_ext(
		document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	return !text || puts(text) < 0 || fflush(stdout) ? -EIO : 0;
}

static int print_text(const struct calibration *calibration)
{
	struct buffer text = {0};
	int err = -ENOMEM;

	calibration_write(&text, calibration);
	if (!text.failed && text.text)
		err = fputs(text.text, stdout) < 0 || fflush(stdout) ? -EIO : 0;
	buffer_release(&text);
	return err;
}

/* Writes and prints what was found; its exit code, or EXIT_BROKE with the message printed. */
static int publish(const struct calibration *calibration, const char *path, bool as_json)
{
	struct json_object *document = calibration_to_json(calibration);
	int err = document ? 0 : -ENOMEM;

	if (!err && path) {
		err = write_json_atomically(path, document);
		if (err)
			message_errno(err, "cannot write %s", path);
	}
	if (!err) {
		err = as_json ? print_json(document) : print_text(calibration);
		if (err)
			message_errno(err, "cannot print the calibration");
	}
	if (!err && path)
		message_note("the calibration is %s", path);
	json_object_put(document);
	return err ? EXIT_BROKE : calibration->exit_code;
}

/* A profile that the campaign names says how large campaigns are here. */
static size_t usual_boots(const struct results *results)
{
	const char *profile = NULL;

	if (results->n_campaigns && results->campaigns[0].document)
		profile = json_text_at(results->campaigns[0].document,
				       (const char *[]){"profile", NULL});
	return profile ? profile_boots(profile) : 0;
}

static int calibrate_files(const struct string_list *paths, const char *label, const char *output,
			   bool as_json)
{
	struct calibration_options how = {.label = label, .draw_order = draw_order};
	struct calibration calibration = {0};
	struct results results;
	int code = reports_load(&results, paths->items, paths->count, RESULT_FIGURES, NULL), err;

	if (code)
		goto out_release;
	how.group_boots = usual_boots(&results);
	err = calibration_make(&calibration, &results, &how);
	if (err == -EINVAL)
		message_error("%s", calibration.error);
	else if (err)
		message_errno(err, "cannot calibrate");
	code = err == -EINVAL ? EXIT_USAGE : EXIT_BROKE;
	if (!err)
		code = publish(&calibration, output, as_json);
out_release:
	calibration_release(&calibration);
	results_release(&results);
	return code;
}

static int run_campaign(struct campaign *campaign, const struct calibrate_values *values)
{
	const char *paths[] = {campaign->directory};
	const struct string_list folder = {.items = paths, .count = 1};
	char *beside;
	int code;

	if (campaign_run(campaign)) {
		message_note("what is done is kept; go on with '%s resume %s', then '%s calibrate "
			     "--from %s'",
			     run_program(), campaign->directory, run_program(),
			     campaign->directory);
		return EXIT_BROKE;
	}
	beside = format_string("%s/calibration.json", campaign->directory);
	if (!beside)
		return EXIT_BROKE;
	code = calibrate_files(&folder, NULL, values->output ? values->output : beside,
			       values->run.json);
	free(beside);
	return code;
}

static int check_line(const struct run_order *order, const struct calibrate_values *values)
{
	if (values->run.target && !strcmp(values->run.target, "host"))
		return run_usage(order,
				 "--target=host measures one boot, and a calibration is of many: "
				 "'run' it after each of several reboots, then 'calibrate --from'");
	if (values->run.variants.count > 1)
		return run_usage(order,
				 "a calibration compares one variant with itself: give one "
				 "--variant, not %zu",
				 values->run.variants.count);
	if (values->run.profile && profile_is_proof(values->run.profile))
		return run_usage(order, "--profile proof compares kernels of its own: it is for "
					"'run' alone");
	return 0;
}

static int calibrate_machine(struct calibrate_values *values,
			     const struct string_list *workload_names)
{
	struct run_order order = {
		.command = "calibrate", .values = &values->run, .is_calibration = true};
	struct campaign *campaign;
	int code = check_line(&order, values);

	/* Two boots in turn are what the shared options mean by one. */
	if (!values->run.target)
		values->run.target = "vm";
	if (!code)
		code = run_order_check(&order, workload_names);
	if (!code)
		code = run_order_start(&order, &campaign);
	if (!code) {
		code = run_campaign(campaign, values);
		campaign_free(campaign);
	}
	run_order_release(&order);
	return code;
}

static int run_values(struct calibrate_values *values, const struct string_list *workload_names)
{
	const struct run_order order = {.command = "calibrate", .values = &values->run};

	if (!values->from.count)
		return calibrate_machine(values, workload_names);
	if (workload_names->count)
		return run_usage(&order, "--from boots nothing: it takes no workload ('%s')",
				 workload_names->items[0]);
	if (values->run.variants.count > 1)
		return run_usage(&order, "--from takes the boots of one variant: give one "
					 "--variant LABEL");
	return calibrate_files(&values->from,
			       values->run.variants.count ? values->run.variants.items[0] : NULL,
			       values->output, values->run.json);
}

static int run(int argc, char **argv)
{
	struct calibrate_values values = {.run = RUN_VALUES_INIT};
	struct string_list workload_names = {0};
	int err = options_parse(&command_calibrate, argc, argv, &values, &workload_names);
	int code;

	if (values.run.no_progress)
		progress_disable();
	code = err ? options_exit_code(err) : run_values(&values, &workload_names);
	options_release(&command_calibrate, &values, &workload_names);
	return code;
}

static const char *const description[] = {
	"Boots one kernel again and again and compares it with itself: how often the verdicts call\n"
	"it different (at most 5 % of campaigns may), how much boots differ, and how small a change\n"
	"3 to 20 boots of each variant can see on this machine. With --from it works from results\n"
	"that are there. It writes calibration.json and prints a table.",
	"Exit codes: 0 the promise holds, 1 more false verdicts than stated, 2 too few boots to tell,\n"
	"4 no primary metric was measured, 5 a file is invalid, 6 every boot broke.",
	NULL,
};

const struct command command_calibrate = {
	.name = "calibrate",
	.summary = "Compare a kernel with itself: how far this machine's verdicts can be trusted",
	.usage = "[WORKLOAD…] [OPTION…]",
	.description = description,
	.options = options,
	.run = run,
};
