/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_PROOF_PAGE_H
#define REPORTS_PROOF_PAGE_H

#include "reports/buffer.h"

struct json_object;

/*
 * What a proof (format proxeval-proof, reports/schema/proof-1.schema.json) says, for people. From
 * the document alone: a member that is missing is passed over.
 */

/* The page kernel-patches/PROOF.md: Markdown. */
void proof_page_write(struct buffer *out, struct json_object *document);

/* A line for each row and one for all: what the command prints. */
void proof_page_summary(struct buffer *out, struct json_object *document);

#endif
