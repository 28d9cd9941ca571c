// SPDX-License-Identifier: GPL-2.0-only
#include "reports/page.h"

#include <stdio.h>
#include <string.h>

#include "reports/writers.h"

void page_add_ascii(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c & 0xc0) == 0x80)
			continue; /* the rest of a UTF-8 character */
		buffer_add_bytes(out, c >= 0x20 && c < 0x7f ? text : "?", 1);
	}
}

/* How much of a word of @length that is too long for a line goes on this one: to a mark. */
static size_t cut_word(const char *word, size_t length, size_t room)
{
	if (length <= room)
		return length;
	for (size_t i = room; i > room / 2; i--)
		if (strchr(",/;=", word[i - 1]))
			return i;
	return room;
}

void page_add_wrapped(struct buffer *out, const char *bullet, const char *text)
{
	size_t indent = strlen(bullet), column = indent;
	struct buffer ascii = {0};
	bool is_cut = false;
	const char *at;

	page_add_ascii(&ascii, text);
	buffer_add(out, bullet);
	for (at = ascii.text ? ascii.text : ""; *at;) {
		size_t word = strcspn(at, " ");
		size_t length = cut_word(at, word, TEXT_COLUMNS - indent);

		if (column > indent && (is_cut || column + 1 + length > TEXT_COLUMNS)) {
			buffer_format(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buffer_add(out, " ");
			column++;
		}
		buffer_add_bytes(out, at, length);
		column += length;
		is_cut = length < word;
		at += length + strspn(at + length, " ");
	}
	buffer_add(out, "\n");
	buffer_release(&ascii);
}

/* An escape sequence for a terminal; "" for words that need none. */
static const char *verdict_colour(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BETTER:
	case VERDICT_HELD:
	case VERDICT_AGREE:
		return "\033[32m";
	case VERDICT_WORSE:
	case VERDICT_VIOLATED:
	case VERDICT_DISAGREE:
		return "\033[1;31m";
	case VERDICT_INCONCLUSIVE:
	case VERDICT_NOT_MEASURED:
	case VERDICT_UNCLEAR:
	case VERDICT_UNTESTED:
		return "\033[33m";
	default:
		return "";
	}
}

static void add_coloured(struct buffer *out, bool has_colour, const char *colour, const char *text)
{
	if (has_colour && *colour)
		buffer_format(out, "%s%s\033[0m", colour, text);
	else
		buffer_add(out, text);
}

void page_add_line(struct buffer *out, const char *text)
{
	struct buffer ascii = {0};
	size_t length;

	page_add_ascii(&ascii, text);
	length = ascii.length < TEXT_COLUMNS ? ascii.length : TEXT_COLUMNS;
	while (length && ascii.text[length - 1] == ' ')
		length--;
	if (length)
		buffer_add_bytes(out, ascii.text, length);
	buffer_add(out, "\n");
	buffer_release(&ascii);
}

void page_add_title(struct buffer *out, const char *title)
{
	buffer_add(out, "\n");
	page_add_wrapped(out, "", title);
}

void page_add_row(struct buffer *out, bool has_colour, const char *row, enum verdict verdict,
		  const char *behind)
{
	size_t room = TEXT_COLUMNS - strlen(verdict_word(verdict)) - strlen(behind);
	struct buffer ascii = {0};

	page_add_ascii(&ascii, row);
	if (ascii.text)
		buffer_add_bytes(out, ascii.text, ascii.length < room ? ascii.length : room);
	add_coloured(out, has_colour, verdict_colour(verdict), verdict_word(verdict));
	buffer_add(out, behind);
	buffer_add(out, "\n");
	buffer_release(&ascii);
}

void page_shorten(char *out, size_t size, const char *text, size_t width)
{
	size_t length = strlen(text), behind = width ? (width - 1) / 2 : 0;

	if (length <= width)
		snprintf(out, size, "%s", text);
	else
		snprintf(out, size, "%.*s~%s", (int)(width ? width - 1 - behind : 0), text,
			 text + length - behind);
}

const char *page_column_label(char out[FORMATTED_MAX], const char *label)
{
	page_shorten(out, FORMATTED_MAX, label, 7);
	return out;
}
