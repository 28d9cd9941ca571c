// SPDX-License-Identifier: GPL-2.0-only
/* Whether the boots so far are enough: the looks of a plan that may stop early. */
#include "bench/campaign_internal.h"

#include <errno.h>
#include <stdio.h>

#include "bench/exit_codes.h"
#include "bench/journal.h"
#include "bench/message.h"
#include "reports/sequential.h"
#include "reports/writers.h"

/* The same as a report from the files alone would find: it is one. */
static int analyse(const struct campaign *campaign, struct sequential_verdicts *found)
{
	const char *const paths[] = {campaign->directory};
	struct analysis analysis;
	struct results results;
	int code = reports_analyse(&results, &analysis, paths, 1, NULL);

	if (!code)
		*found = sequential_look_at(&analysis);
	analysis_release(&analysis);
	results_release(&results);
	return !code ? 0 : code == EXIT_INVALID ? -EINVAL : -EIO;
}

static void tell(const struct campaign *campaign, size_t look,
		 const struct sequential_verdicts *found)
{
	const struct sequential_plan *plan = campaign->sequential;
	bool is_last = look + 1 == plan->n_looks;
	char open[96] = "";

	if (found->unclear)
		snprintf(open, sizeof(open), ", %zu control%s unclear", found->unclear,
			 found->unclear == 1 ? "" : "s");
	else if (found->untested)
		snprintf(open, sizeof(open), ", %zu invariant%s untested", found->untested,
			 found->untested == 1 ? "" : "s");
	message_note("look %zu of %zu at %u boots of each variant: %zu of %zu conclusive%s; %s",
		     look + 1, plan->n_looks, plan->looks[look].boots, found->decided,
		     found->primary, open,
		     found->is_settled ? "nothing is left to decide"
		     : is_last	       ? "no more boots are planned"
				       : "going on");
}

static struct json_object *look_event(const char *name, const struct campaign *campaign,
				      size_t look)
{
	struct json_object *event = journal_event(name);

	if (event) {
		add_number(event, "look", look + 1);
		add_number(event, "boots", campaign->sequential->looks[look].boots);
	}
	return event;
}

int campaign_take_look(struct campaign *campaign, size_t look)
{
	struct sequential_verdicts found = {0};
	struct json_object *event;
	int err = analyse(campaign, &found);

	if (err)
		return err;
	tell(campaign, look, &found);
	event = look_event("look", campaign, look);
	if (event) {
		add_number(event, "primary", found.primary);
		add_number(event, "decided", found.decided);
	}
	err = journal_append(campaign->journal_fd, event);
	if (!err && found.is_settled)
		err = journal_append(campaign->journal_fd,
				     look_event("conclusive", campaign, look));
	if (err)
		return message_errno(err, "cannot write the journal of %s", campaign->directory);
	if (found.is_settled)
		campaign->conclusive_boots = campaign->sequential->looks[look].boots;
	return 0;
}
