/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_MAIL_H
#define BENCH_MAIL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Mails as people save them. Three forms are understood: an mbox, a text of one or more mails
 * with their headers, and the text of a lore page ("* SUBJECT", "@ DATE NAME").
 */

/* What the brackets in front of a subject say: "Re: [RFC PATCH v30.1 3/7] sched: …". */
struct mail_tag {
	bool is_patch;		    /* there are brackets that say PATCH, RFC or n/m */
	bool is_reply;		    /* Re:, Aw: and so on */
	unsigned int major, minor;  /* of the version; 1.0 when none is said */
	unsigned int number, total; /* n/m; 0/0 when not said; a cover letter is 0/m */
	const char *subject;	    /* what follows the brackets; points into the argument */
};

/* Reads it off a "Subject:" on one line. Borrows @subject. */
struct mail_tag mail_tag_of(const char *subject);

/*
 * Finds where the mails of @text begin. Returns the number of them and, in *@starts (the
 * caller frees it), each one's offset; the last entry is the text's length. A negative errno.
 */
long mail_split(const char *text, size_t **starts);

/*
 * One mail of mail_split() with nothing of the form around it: headers, a blank line, the
 * body. A new string; NULL when there is no memory.
 */
char *mail_text(const char *text, size_t length);

#endif
