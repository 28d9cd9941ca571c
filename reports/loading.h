/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_LOADING_H
#define REPORTS_LOADING_H

#include <stdatomic.h>

#include "reports/boot_document.h"

/* What load.c, load_merge.c and load_settle.c share: results on their way from files. */

/* One file, and what came of reading it. */
struct job {
	const char *path;
	const char *directory; /* of a campaign.json; NULL: a boot */
	size_t plan;	   /* the job of the campaign.json beside it, plus 1; 0: there is none */
	const char *error; /* one sentence; NULL: it was read */
	union {
		struct boot_document boot;
		struct campaign_document campaign;
	};
};

struct loading {
	struct results *results;
	enum result_parts parts;
	struct job *jobs;
	size_t n_jobs;
	atomic_size_t next;				 /* the job that is to be taken next */
	atomic_size_t first_failed;			 /* nothing behind it matters any more */
	int err;					 /* of the list of files: it ends there */
	struct text_table campaigns, machines, sections; /* names to indices, plus 1 */
};

/* Notes a lack of memory in results->error; -ENOMEM. */
int loading_no_memory(struct loading *loading);

/*
 * Puts the documents that were read together, in order. 0, or a negative errno with its
 * sentence in results->error: of the first file with which something is wrong.
 */
int loading_merge(struct loading *loading);

/*
 * What can be said only when all boots are known: their order, the sections', the machines
 * of those that could not tell, unique labels, replays. As above.
 */
int loading_settle(struct loading *loading);

#endif
