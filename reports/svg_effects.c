// SPDX-License-Identifier: GPL-2.0-only
/* Ratios to the baseline with their intervals: placement by placement, machine by machine. */
#include <stdio.h>

#include "reports/format.h"
#include "reports/svg_parts.h"

#define FIRST 30.0
#define PITCH 34.0
#define START 132.0 /* room for the rows' names */

bool svg_is_ratio(const struct comparison *comparison)
{
	return comparison->ratio > 0 && isfinite(comparison->ratio);
}

static bool has_interval(const struct comparison *comparison)
{
	return comparison->ratio_low > 0 && isfinite(comparison->ratio_high);
}

static void find_range(const struct analysis *analysis, const struct svg_ratio *rows, size_t count,
		       struct axis *axis)
{
	axis->low = 1 / (1 + 2 * analysis->margin);
	axis->high = 1 + 2 * analysis->margin;
	for (size_t i = 0; i < count; i++) {
		const struct comparison *comparison = rows[i].comparison;

		axis_include(axis, comparison->ratio);
		if (!has_interval(comparison))
			continue;
		axis_include(axis, comparison->ratio_low);
		axis_include(axis, comparison->ratio_high);
	}
}

/* At most @characters of @text, a mark in the last one's place where it is longer. */
static void shorten(char *out, size_t size, const char *text, size_t characters)
{
	size_t seen = 0, cut = 0, i;

	for (i = 0; text[i] && i + 4 < size; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue; /* the rest of a character */
		if (seen++ == characters)
			break;
		if (seen == characters)
			cut = i;
	}
	snprintf(out, size, "%.*s%s", (int)(text[i] ? cut : i), text,
		 text[i] ? "\xe2\x80\xa6" : "");
}

static void add_interval(struct buffer *out, const struct comparison *comparison,
			 const struct axis *axis, double y, unsigned int series)
{
	double from = axis_px(axis, comparison->ratio_low);
	double to = axis_px(axis, comparison->ratio_high);
	char class_name[32];

	snprintf(class_name, sizeof(class_name), "whisker s%u", series);
	svg_line(out, from, y, to, y, class_name);
	svg_line(out, from, y - 4, from, y + 4, class_name);
	svg_line(out, to, y - 4, to, y + 4, class_name);
}

static void add_row(struct buffer *out, const struct analysis *analysis,
		    const struct svg_ratio *row, const struct axis *axis, double y)
{
	const struct comparison *comparison = row->comparison;
	unsigned int series = svg_series(analysis, comparison->variant);
	char ratio[FORMATTED_MAX], label[100];
	struct buffer title = {0};

	shorten(label, sizeof(label), row->label, 17);
	svg_text(out, 2, row->below ? y - 2 : y + 4, "row", label);
	if (row->below) {
		shorten(label, sizeof(label), row->below, 18);
		svg_text(out, 2, y + 12, "tick", label);
	}
	if (has_interval(comparison))
		add_interval(out, comparison, axis, y, series);
	buffer_format(&title, "%s: x %s, %s", row->label, format_ratio(ratio, comparison->ratio),
		      verdict_word(comparison->verdict));
	svg_mark(out, axis_px(axis, comparison->ratio), y, series, title.text);
	buffer_release(&title);
}

static void describe(struct buffer *out, const struct svg_ratio *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char ratio[FORMATTED_MAX];

		buffer_format(out, "%s%s: x %s, %s", i ? "; " : "", rows[i].label,
			      format_ratio(ratio, rows[i].comparison->ratio),
			      verdict_word(rows[i].comparison->verdict));
	}
	buffer_add(out, ".");
}

static void add_margin(struct buffer *out, const struct analysis *analysis, const struct axis *axis,
		       double bottom)
{
	double low = axis_px(axis, 1 / (1 + analysis->margin));
	double high = axis_px(axis, 1 + analysis->margin);

	buffer_format(out,
		      "<rect class=\"band\" x=\"%.1f\" y=\"8\" width=\"%.1f\" height=\"%.1f\"/>\n",
		      low, fmax(high - low, 1), bottom - 8);
}

void svg_ratios(struct buffer *out, const struct analysis *analysis, const char *id,
		const char *title, const struct svg_ratio *rows, size_t count)
{
	struct axis axis = {
		.from_px = START, .to_px = SVG_WIDTH - SVG_RIGHT - 8, .scale = SCALE_LOG};
	double pitch = count && rows[0].below ? PITCH : PITCH - 12;
	double bottom = FIRST + pitch * (double)count - 8;
	struct buffer description = {0};

	if (!count)
		return;
	find_range(analysis, rows, count, &axis);
	axis_pad(&axis);
	describe(&description, rows, count);
	svg_open(out, id, bottom + 40, title, description.text ? description.text : "");
	buffer_release(&description);
	add_margin(out, analysis, &axis, bottom);
	svg_x_axis(out, &axis, 8, bottom, "ratio");
	svg_line(out, axis_px(&axis, 1), 8, axis_px(&axis, 1), bottom, "one");
	for (size_t i = 0; i < count; i++)
		add_row(out, analysis, &rows[i], &axis, FIRST + pitch * (double)i - 4);
	svg_text(out, (START + SVG_WIDTH - SVG_RIGHT) / 2, bottom + 34, "tick mid",
		 "ratio to the baseline (log scale); 1 is no change");
	svg_close(out);
}
