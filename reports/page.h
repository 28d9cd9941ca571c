/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_PAGE_H
#define REPORTS_PAGE_H

#include "reports/buffer.h"
#include "reports/format.h"
#include "reports/verdict.h"

/* Plain ASCII text of at most TEXT_COLUMNS (reports/writers.h), as a mailing list wants it. */

/* Anything that is not printable ASCII becomes one '?', whatever it is in the documents. */
void page_add_ascii(struct buffer *out, const char *text);

/* @text in words, broken at TEXT_COLUMNS; the first line begins with @bullet, the others under it.
 */
void page_add_wrapped(struct buffer *out, const char *bullet, const char *text);

/* One line without blanks at its end, cut where it is too long. */
void page_add_line(struct buffer *out, const char *text);

/* An empty line and a line that may wrap. */
void page_add_title(struct buffer *out, const char *title);

/* @row, the verdict's word, @behind. Where that is too long for a line, the row is cut. */
void page_add_row(struct buffer *out, bool has_colour, const char *row, enum verdict verdict,
		  const char *behind);

/* @text in @width characters: one that is too long keeps both ends, which tell labels apart. */
void page_shorten(char *out, size_t size, const char *text, size_t width);

/* A label as a column's head, shortened to seven characters. */
const char *page_column_label(char out[FORMATTED_MAX], const char *label);

#endif
