// SPDX-License-Identifier: GPL-2.0-only
/* Axes, marks and text of the page's figures. */
#include "reports/svg.h"

#include <stdio.h>
#include <string.h>

#include "reports/format.h"
#include "reports/svg_parts.h"

#define TICKS_MAX   16
#define LABEL_WIDTH 48.0 /* room that a tick's label needs */

static double share_of(const struct axis *axis, double value)
{
	switch (axis->scale) {
	case SCALE_LOG:
		return log(fmax(value, axis->low) / axis->low) / log(axis->high / axis->low);
	case SCALE_TAIL:
		return log1p(-fmin(value, axis->high)) / log1p(-axis->high);
	default:
		return (value - axis->low) / (axis->high - axis->low);
	}
}

double axis_px(const struct axis *axis, double value)
{
	double share = fmin(fmax(share_of(axis, value), 0), 1);

	return axis->from_px + share * (axis->to_px - axis->from_px);
}

void axis_pad(struct axis *axis)
{
	if (axis->scale == SCALE_LOG) {
		double air = fmax(pow(axis->high / axis->low, 0.06), 1.04);

		axis->low /= air;
		axis->high *= air;
	} else {
		double air = fmax(0.08 * (axis->high - axis->low), 0.02 * fabs(axis->high));

		air = air > 0 ? air : 1;
		axis->low -= air;
		axis->high += air;
	}
}

void axis_clear(struct axis *axis)
{
	axis->low = INFINITY;
	axis->high = -INFINITY;
}

void axis_include(struct axis *axis, double value)
{
	axis->low = fmin(axis->low, value);
	axis->high = fmax(axis->high, value);
}

bool axis_is_set(const struct axis *axis)
{
	return isfinite(axis->low) && isfinite(axis->high);
}

static size_t log_ticks(const struct axis *axis, double *ticks)
{
	static const double mantissas[] = {1, 2, 5};
	double decades = log10(axis->high / axis->low);
	size_t step = decades > 2.5 ? 3 : 1, count = 0;
	int first = (int)floor(log10(axis->low)), last = (int)ceil(log10(axis->high));
	int stride = decades > 10 ? 3 : 1;

	for (int decade = first; decade <= last; decade += stride)
		for (size_t i = 0; i < 3 && count < TICKS_MAX; i += step) {
			double tick = mantissas[i] * pow(10, decade);

			if (tick >= axis->low && tick <= axis->high)
				ticks[count++] = tick;
		}
	return count;
}

static size_t linear_ticks(const struct axis *axis, double *ticks, unsigned int wanted)
{
	double rough = (axis->high - axis->low) / wanted;
	double unit = pow(10, floor(log10(rough)));
	double step = rough / unit > 5 ? 10 * unit : rough / unit > 2 ? 5 * unit : 2 * unit;
	size_t count = 0;

	for (double tick = ceil(axis->low / step) * step; tick <= axis->high && count < TICKS_MAX;
	     tick += step)
		ticks[count++] = fabs(tick) < step / 1e6 ? 0 : tick;
	return count;
}

/* Round numbers along an axis, at least two where the range allows. */
static size_t make_ticks(const struct axis *axis, double *ticks, unsigned int wanted)
{
	size_t count = axis->scale == SCALE_LOG ? log_ticks(axis, ticks) : 0;

	return count >= 2 ? count : linear_ticks(axis, ticks, wanted);
}

unsigned int svg_series(const struct analysis *analysis, size_t variant)
{
	size_t rank = variant < analysis->baseline ? variant + 1 : variant;

	if (variant == analysis->baseline)
		return 0;
	return 1 + (unsigned int)((rank - 1) % (SVG_SERIES - 1));
}

const char *svg_metric_id(char out[SVG_ID_MAX], const char *kind, size_t section, size_t metric)
{
	snprintf(out, SVG_ID_MAX, "%.20s-%zu-%zu", kind, section, metric);
	return out;
}

void svg_open(struct buffer *out, const char *id, double height, const char *title,
	      const char *description)
{
	buffer_format(out,
		      "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-t\" "
		      "aria-describedby=\"%s-d\"><title id=\"%s-t\">",
		      SVG_WIDTH, height, id, id, id);
	buffer_add_html(out, title);
	buffer_format(out, "</title><desc id=\"%s-d\">", id);
	buffer_add_html(out, description);
	buffer_add(out, "</desc>\n");
}

void svg_close(struct buffer *out)
{
	buffer_add(out, "</svg>\n");
}

void svg_text(struct buffer *out, double x, double y, const char *class_name, const char *text)
{
	buffer_format(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class_name);
	buffer_add_html(out, text);
	buffer_add(out, "</text>\n");
}

void svg_line(struct buffer *out, double x1, double y1, double x2, double y2,
	      const char *class_name)
{
	buffer_format(out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", class_name, x1, y1,
		      x2, y2);
}

void svg_mark(struct buffer *out, double x, double y, unsigned int series, const char *title)
{
	/* A circle, a square, triangles on their foot and on their tip, a diamond, a cross. */
	static const char *const shapes[SVG_SERIES] = {"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
						       "m-3.6-3.6h7.2v7.2h-7.2z",
						       "m0-4.6l4.4 8h-8.8z",
						       "m0 4.6l4.4-8h-8.8z",
						       "m0-5l4.4 5l-4.4 5l-4.4-5z",
						       "m-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"};

	buffer_format(out, "<path class=\"mark s%u\" d=\"M%.1f %.1f%s\"", series, x, y,
		      shapes[series % SVG_SERIES]);
	if (!title) {
		buffer_add(out, "/>\n");
		return;
	}
	buffer_add(out, "><title>");
	buffer_add_html(out, title);
	buffer_add(out, "</title></path>\n");
}

void svg_key(struct buffer *out, unsigned int series)
{
	buffer_format(out,
		      "<svg class=\"line\" viewBox=\"0 0 30 12\" aria-hidden=\"true\">"
		      "<path class=\"thick s%u\" d=\"M0 6H30\"/>",
		      series);
	svg_mark(out, 15, 6, series, NULL);
	buffer_add(out, "</svg>");
}

void svg_x_axis(struct buffer *out, const struct axis *axis, double top, double bottom,
		const char *unit)
{
	double ticks[TICKS_MAX], free_from = -INFINITY;
	size_t count = make_ticks(axis, ticks, 4);
	char label[FORMATTED_MAX];

	for (size_t i = 0; i < count; i++) {
		double x = axis_px(axis, ticks[i]);

		svg_line(out, x, top, x, bottom, "grid");
		if (x < free_from || x + LABEL_WIDTH / 2 > SVG_WIDTH)
			continue;
		svg_text(out, x, bottom + 15, "tick mid", format_tick(label, ticks[i], unit));
		free_from = x + LABEL_WIDTH;
	}
}

void svg_y_axis(struct buffer *out, const struct axis *axis, const char *unit)
{
	double ticks[TICKS_MAX], free_below = INFINITY;
	size_t count = make_ticks(axis, ticks, 3);
	char label[FORMATTED_MAX];

	for (size_t i = 0; i < count; i++) {
		double y = axis_px(axis, ticks[i]);

		if (y > free_below)
			continue;
		svg_line(out, SVG_LEFT, y, SVG_WIDTH - SVG_RIGHT, y, "grid");
		svg_text(out, SVG_LEFT - 5, y + 4, "tick end", format_tick(label, ticks[i], unit));
		free_below = y - 15;
	}
}

double boot_figure(const struct analysis *analysis, const struct boot *boot, size_t section,
		   size_t metric)
{
	const struct measurement *measurement = boot_measurement(boot, section, metric);
	const struct section_result *result = boot_section(boot, section);
	enum metric_kind kind = analysis->results->sections[section].metrics[metric].kind;

	if (!measurement || result->outcome != OUTCOME_OK || measurement->outcome != OUTCOME_OK)
		return NAN;
	return measurement->statistic[main_statistic(kind)];
}

bool is_boot_drawn(size_t rank, size_t count)
{
	if (count <= SVG_BOOTS_MAX)
		return true;
	/* The first of each of SVG_BOOTS_MAX equal shares. */
	return !rank || rank * SVG_BOOTS_MAX / count != (rank - 1) * SVG_BOOTS_MAX / count;
}

static size_t count_figures(const struct analysis *analysis, size_t section, size_t metric,
			    size_t variant, struct axis *range)
{
	size_t count = 0;

	axis_clear(range);
	for (size_t i = 0; i < analysis->results->n_boots; i++) {
		const struct boot *boot = &analysis->results->boots[i];
		double value = boot->variant == variant
				       ? boot_figure(analysis, boot, section, metric)
				       : NAN;

		if (isnan(value))
			continue;
		axis_include(range, value);
		count++;
	}
	return count;
}

void svg_describe_variants(struct buffer *out, const struct analysis *analysis, size_t section,
			   size_t metric)
{
	const struct results *results = analysis->results;
	const struct metric_info *info = &results->sections[section].metrics[metric];
	const char *separator = "";

	for (size_t i = 0; i < results->n_variants; i++) {
		struct axis range;
		size_t count = count_figures(analysis, section, metric, i, &range);
		char low[FORMATTED_MAX], high[FORMATTED_MAX];

		if (!count)
			continue;
		buffer_format(out, "%s%s: %s", separator, results->variants[i].label,
			      format_value(low, range.low, info->unit));
		if (strcmp(low, format_value(high, range.high, info->unit)))
			buffer_format(out, " to %s", high);
		buffer_format(out, " over %zu boot%s", count, count == 1 ? "" : "s");
		separator = "; ";
	}
	buffer_add(out, ".");
}
