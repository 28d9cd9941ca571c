// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "bench/campaign.h"
#include "bench/cmd_run.h"
#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "bench/proof.h"

struct values {
	bool json, no_progress;
};

static const struct option_spec options[] = {
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print the summary as JSON",
	 .offset = offsetof(struct values, json)},
	{.name = "no-progress",
	 .kind = OPTION_FLAG,
	 .help = "draw no progress",
	 .offset = offsetof(struct values, no_progress)},
	OPTIONS_END,
};

static int resume(const char *directory, bool as_json)
{
	struct campaign *campaign;
	char reason[512];
	int code, err = campaign_load(&campaign, directory);

	if (err)
		return err == -EINVAL ? EXIT_INVALID : EXIT_BROKE;
	process_catch_stop_signals();
	if (!campaign_missing(campaign) && campaign->conclusive_boots) {
		message_note("%s is complete: %u boots of each variant were enough", campaign->id,
			     campaign->conclusive_boots);
	} else if (!campaign_missing(campaign)) {
		message_note("all %zu boots of %s are done", campaign->n_boots, campaign->id);
	} else {
		message_note("%s%zu of %zu boots of %s are missing",
			     campaign->sequential ? "at most " : "", campaign_missing(campaign),
			     campaign->n_boots, campaign->id);
		if (campaign->target->probe(campaign, reason, sizeof(reason))) {
			message_error("the target %s cannot work here: %s", campaign->target->name,
				      reason);
			campaign_free(campaign);
			return EXIT_CANNOT;
		}
	}
	code = conclude_campaign(campaign, as_json);
	campaign_free(campaign);
	return code;
}

static int run(int argc, char **argv)
{
	struct values values = {0};
	struct string_list folders = {0};
	int code, err = options_parse(&command_resume, argc, argv, &values, &folders);

	if (err) {
		code = options_exit_code(err);
	} else if (folders.count != 1) {
		message_error("'resume' takes one campaign's folder, as in 'proxeval resume "
			      "results/20261122-181500-1-3f9a'");
		code = EXIT_USAGE;
	} else {
		if (values.no_progress)
			progress_disable();
		code = proof_is_folder(folders.items[0])
			       ? proof_resume(folders.items[0], values.json)
			       : resume(folders.items[0], values.json);
	}
	options_release(&command_resume, &values, &folders);
	return code;
}

static const char *const description[] = {
	"Goes on with a campaign that was stopped or that broke: runs the boots that have no\n"
	"result yet, in the order that was written down, and reports. When all are done it only\n"
	"reports. It refuses when a kernel image is not the one that the campaign began with.",
	NULL,
};

const struct command command_resume = {
	.name = "resume",
	.summary = "Go on with a campaign that was stopped",
	.usage = "DIR [OPTION…]",
	.description = description,
	.options = options,
	.run = run,
};
