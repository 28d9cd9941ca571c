/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TORTURE_UNLOAD_H
#define WORKLOADS_TORTURE_UNLOAD_H

#include <stdint.h>

#include "workloads/lab.h"

/*
 * The module is taken away: while it is open, while a program is under way in an open file that
 * nobody has any more, and under a thread that opens, runs and closes all the while. It must stay
 * as long as somebody uses it, go when nobody does, and come back.
 */
struct torture_unload_findings {
	uint64_t tried;	       /* unloads */
	uint64_t refused;      /* because somebody used it */
	uint64_t unloaded;     /* and loaded again */
	uint64_t runs;	       /* programs of the thread */
	uint64_t wrong;	       /* unloads or programs that did not end as they must */
	char first_wrong[128]; /* "": none */
};

/*
 * Closes @session. Only where it was loaded by this session it is unloaded in earnest: somebody
 * else may count on it. 0, or a negative errno: then it could not be tried.
 */
int torture_unload_try(struct lab_session *session, unsigned int cycles,
		       struct torture_unload_findings *findings);

#endif
