/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SELECT_H
#define REPORTS_SELECT_H

#include "reports/load.h"

/*
 * A part of what was loaded: what is left out is as if it had never been measured, so the
 * corrections for many tests are for what is left. To choose by the outcome is to deceive
 * oneself; results->selection keeps what was chosen, for the reports to say.
 */
struct name_list {
	const char *const *names;
	size_t count; /* 0: all */
};

struct selection {
	struct name_list workloads, metrics, machines;
	struct name_list variants; /* labels, as shown ("proxy@7.3.1") or plain ("proxy": all) */
	/* With some variants chosen: those that they are compared with stay as well, which are
	 * those labelled @baseline, or "!proxy" where it is NULL. */
	bool keeps_baselines;
	const char *baseline;
};

/*
 * 0; -EINVAL with a sentence in results->error when a name is of nothing that is there;
 * -ENOMEM. To be called before anything looks at the results.
 */
int results_select(struct results *results, const struct selection *selection);

#endif
