// SPDX-License-Identifier: GPL-2.0-only
/* Ratios to the baseline with their intervals. */
#include <stdio.h>

#include "reports/format.h"
#include "reports/svg_parts.h"

#define FIRST 30.0
#define PITCH 34.0
#define START 132.0 /* room for the rows' names */

/* The rows of one figure. */
struct selection {
	const struct analysis *analysis;
	enum family family;
	size_t variant, first, end; /* sections */
};

static bool is_selected(const struct selection *selection, const struct comparison *comparison)
{
	return comparison->family == selection->family &&
	       comparison->variant == selection->variant &&
	       comparison->section >= selection->first && comparison->section < selection->end &&
	       comparison->ratio > 0 && isfinite(comparison->ratio);
}

static size_t find_range(const struct selection *selection, struct axis *axis)
{
	const struct analysis *analysis = selection->analysis;
	size_t rows = 0;

	axis->low = 1 / (1 + 2 * analysis->margin);
	axis->high = 1 + 2 * analysis->margin;
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		bool has_interval = comparison->ratio_low > 0 && isfinite(comparison->ratio_high);

		if (!is_selected(selection, comparison))
			continue;
		rows++;
		axis_include(axis, has_interval ? comparison->ratio_low : comparison->ratio);
		axis_include(axis, has_interval ? comparison->ratio_high : comparison->ratio);
	}
	return rows;
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

static void add_row(struct buffer *out, const struct analysis *analysis,
		    const struct comparison *comparison, const struct axis *axis, double y)
{
	const struct section_info *section = &analysis->results->sections[comparison->section];
	char name[FORMATTED_MAX], ratio[FORMATTED_MAX], label[100], class_name[32];
	unsigned int series = svg_series(analysis, comparison->variant);
	struct buffer title = {0};

	format_metric(name, &section->metrics[comparison->metric], comparison->statistic);
	shorten(label, sizeof(label), section->placement, 17);
	svg_text(out, 2, y - 2, "row", label);
	shorten(label, sizeof(label), name, 18);
	svg_text(out, 2, y + 12, "tick", label);
	snprintf(class_name, sizeof(class_name), "whisker s%u", series);
	if (comparison->ratio_low > 0 && isfinite(comparison->ratio_high)) {
		double from = axis_px(axis, comparison->ratio_low);
		double to = axis_px(axis, comparison->ratio_high);

		svg_line(out, from, y, to, y, class_name);
		svg_line(out, from, y - 4, from, y + 4, class_name);
		svg_line(out, to, y - 4, to, y + 4, class_name);
	}
	buffer_format(&title, "%s, %s: x %s, %s", name, section->placement,
		      format_ratio(ratio, comparison->ratio), verdict_word(comparison->verdict));
	svg_mark(out, axis_px(axis, comparison->ratio), y, series, title.text);
	buffer_release(&title);
}

static void describe(struct buffer *out, const struct selection *selection)
{
	const struct analysis *analysis = selection->analysis;
	const char *separator = "";

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		char ratio[FORMATTED_MAX];

		if (!is_selected(selection, comparison))
			continue;
		buffer_format(out, "%s%s: x %s, %s", separator,
			      analysis->results->sections[comparison->section].placement,
			      format_ratio(ratio, comparison->ratio),
			      verdict_word(comparison->verdict));
		separator = "; ";
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

bool svg_has_effects(const struct analysis *analysis, enum family family, size_t variant,
		     size_t first, size_t end)
{
	struct selection selection = {analysis, family, variant, first, end};
	struct axis axis;

	return find_range(&selection, &axis) > 0;
}

void svg_effects(struct buffer *out, const struct analysis *analysis, enum family family,
		 size_t variant, size_t first, size_t end)
{
	struct selection selection = {analysis, family, variant, first, end};
	struct axis axis = {
		.from_px = START, .to_px = SVG_WIDTH - SVG_RIGHT - 8, .scale = SCALE_LOG};
	size_t rows = find_range(&selection, &axis), row = 0;
	double bottom = FIRST + PITCH * (double)rows - 8;
	struct buffer description = {0};

	if (!rows)
		return;
	axis_pad(&axis);
	describe(&description, &selection);
	svg_open(out, bottom + 40, "Ratio of each figure to the baseline, with intervals",
		 description.text ? description.text : "");
	buffer_release(&description);
	add_margin(out, analysis, &axis, bottom);
	svg_x_axis(out, &axis, 8, bottom, "ratio");
	svg_line(out, axis_px(&axis, 1), 8, axis_px(&axis, 1), bottom, "one");
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (is_selected(&selection, &analysis->comparisons[i]))
			add_row(out, analysis, &analysis->comparisons[i], &axis,
				FIRST + PITCH * (double)row++ - 4);
	svg_text(out, (START + SVG_WIDTH - SVG_RIGHT) / 2, bottom + 34, "tick mid",
		 "ratio to the baseline (log scale); 1 is no change");
	svg_close(out);
}
