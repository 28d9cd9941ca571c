// SPDX-License-Identifier: GPL-2.0-only
#include "reports/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"

#define WIDTH	    460.0
#define LEFT	    50.0
#define RIGHT	    12.0
#define TICKS_MAX   16
#define LABEL_WIDTH 62.0 /* room that a tick's label needs */

/* From values to pixels; @from_px and @to_px may run either way. */
struct axis {
	double low, high;
	double from_px, to_px;
	bool is_log;
};

static double to_px(const struct axis *axis, double value)
{
	double share;

	if (axis->is_log)
		share = log(fmax(value, axis->low) / axis->low) / log(axis->high / axis->low);
	else
		share = (value - axis->low) / (axis->high - axis->low);
	return axis->from_px + fmin(fmax(share, 0), 1) * (axis->to_px - axis->from_px);
}

/* Widens a range to leave air on both sides, also where it has no width. */
static void pad_axis(struct axis *axis)
{
	if (axis->is_log) {
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
	size_t count = axis->is_log ? log_ticks(axis, ticks) : 0;

	return count >= 2 ? count : linear_ticks(axis, ticks, wanted);
}

unsigned int svg_series(const struct analysis *analysis, size_t variant)
{
	size_t rank = variant < analysis->baseline ? variant + 1 : variant;

	if (variant == analysis->baseline)
		return 0;
	return 1 + (unsigned int)((rank - 1) % (SVG_SERIES - 1));
}

static void open_svg(struct buffer *out, double height, const char *what)
{
	buffer_format(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", WIDTH,
		      height);
	buffer_add_html(out, what);
	buffer_add(out, "\">\n");
}

static void add_text(struct buffer *out, double x, double y, const char *class_name,
		     const char *text)
{
	buffer_format(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class_name);
	buffer_add_html(out, text);
	buffer_add(out, "</text>\n");
}

static void add_line(struct buffer *out, double x1, double y1, double x2, double y2,
		     const char *class_name)
{
	buffer_format(out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", class_name, x1, y1,
		      x2, y2);
}

/* Vertical grid lines with their labels below; a label that would run into the last one is left
 * out. */
static void add_x_axis(struct buffer *out, const struct axis *axis, double top, double bottom,
		       const char *unit)
{
	double ticks[TICKS_MAX], free_from = -INFINITY;
	size_t count = make_ticks(axis, ticks, 4);
	char label[FORMATTED_MAX];

	for (size_t i = 0; i < count; i++) {
		double x = to_px(axis, ticks[i]);

		add_line(out, x, top, x, bottom, "grid");
		if (x < free_from)
			continue;
		add_text(out, x, bottom + 15, "tick mid", format_tick(label, ticks[i], unit));
		free_from = x + LABEL_WIDTH * 0.75;
	}
}

static void add_y_axis(struct buffer *out, const struct axis *axis, const char *unit)
{
	double ticks[TICKS_MAX], free_below = INFINITY;
	size_t count = make_ticks(axis, ticks, 3);
	char label[FORMATTED_MAX];

	for (size_t i = 0; i < count; i++) {
		double y = to_px(axis, ticks[i]);

		if (y > free_below)
			continue;
		add_line(out, LEFT, y, WIDTH - RIGHT, y, "grid");
		add_text(out, LEFT - 5, y + 4, "tick end", format_tick(label, ticks[i], unit));
		free_below = y - 14;
	}
}

/* A step of a cumulative curve. */
struct step {
	double low, high; /* the bucket's edges */
	double weight;
};

static int compare_steps(const void *a, const void *b)
{
	const struct step *one = a, *two = b;

	return (one->low > two->low) - (one->low < two->low);
}

/* A bucket's edges, no wider than what the boot really saw. */
static struct step bucket_step(const struct measurement *measurement, const struct bucket *bucket)
{
	uint32_t bits = measurement->histogram.bits;
	double low = (double)bucket_lower_edge(bits, bucket->index);
	double high = low + (double)bucket_width(bits, bucket->index);

	return (struct step){fmax(low, measurement->min),
			     fmin(high, measurement->statistic[STATISTIC_MAX]),
			     (double)bucket->count / (double)measurement->samples};
}

/* A path through the steps; points that would fall on the last one's pixel are left out. */
static void add_curve(struct buffer *out, const struct step *steps, size_t count,
		      const struct axis *x_axis, const struct axis *y_axis, double start,
		      const char *class_name)
{
	double share = start, last_x = 0, last_y = 0;

	if (!count)
		return;
	buffer_format(out, "<path class=\"%s\" d=\"", class_name);
	for (size_t i = 0; i < count; i++) {
		double x = to_px(x_axis, fmax(steps[i].high, steps[i].low));
		double y;

		if (!i) {
			last_x = to_px(x_axis, steps[i].low);
			last_y = to_px(y_axis, share);
			buffer_format(out, "M%.1f %.1f", last_x, last_y);
		}
		/* No sample between two buckets: the curve is flat up to the next one. */
		if (i && to_px(x_axis, steps[i].low) - last_x > 1.5)
			buffer_format(out, "H%.1f", to_px(x_axis, steps[i].low));
		share += steps[i].weight;
		y = to_px(y_axis, share);
		if (fabs(x - last_x) < 0.4 && fabs(y - last_y) < 0.4 && i + 1 < count)
			continue;
		buffer_format(out, "L%.1f %.1f", x, y);
		last_x = x;
		last_y = y;
	}
	buffer_add(out, "\"/>\n");
}

static const struct measurement *usable(const struct boot *boot, size_t section, size_t metric)
{
	const struct section_result *result = boot_section(boot, section);
	const struct measurement *measurement = boot_measurement(boot, section, metric);

	if (!measurement || !measurement->samples || result->outcome != OUTCOME_OK ||
	    measurement->outcome != OUTCOME_OK)
		return NULL;
	return measurement;
}

static void add_boot_curve(struct buffer *out, const struct measurement *measurement,
			   const struct axis *x_axis, const struct axis *y_axis,
			   unsigned int series)
{
	size_t count = measurement->histogram.n_buckets;
	struct step *steps = malloc((count + 1) * sizeof(*steps));
	char class_name[32];

	if (!steps) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		steps[i] = bucket_step(measurement, &measurement->histogram.buckets[i]);
	snprintf(class_name, sizeof(class_name), "thin s%u", series);
	add_curve(out, steps, count, x_axis, y_axis,
		  (double)measurement->histogram.underflow / (double)measurement->samples,
		  class_name);
	free(steps);
}

/* All boots of a variant in one curve. */
static void add_variant_curve(struct buffer *out, const struct analysis *analysis, size_t section,
			      size_t metric, size_t variant, const struct axis *x_axis,
			      const struct axis *y_axis)
{
	const struct results *results = analysis->results;
	size_t n_boots = 0, count = 0, capacity = 1;
	struct step *steps;
	char class_name[32];

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement = usable(&results->boots[i], section, metric);

		if (measurement && results->boots[i].variant == variant) {
			capacity += measurement->histogram.n_buckets;
			n_boots++;
		}
	}
	steps = malloc(capacity * sizeof(*steps));
	if (!steps) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement = usable(&results->boots[i], section, metric);

		if (!measurement || results->boots[i].variant != variant)
			continue;
		for (size_t j = 0; j < measurement->histogram.n_buckets; j++) {
			steps[count] = bucket_step(measurement, &measurement->histogram.buckets[j]);
			steps[count++].weight /= (double)n_boots;
		}
	}
	qsort(steps, count, sizeof(*steps), compare_steps);
	snprintf(class_name, sizeof(class_name), "thick s%u", svg_series(analysis, variant));
	add_curve(out, steps, count, x_axis, y_axis, 0, class_name);
	free(steps);
}

static bool find_range(const struct analysis *analysis, size_t section, size_t metric,
		       struct axis *axis)
{
	const struct results *results = analysis->results;

	axis->low = INFINITY;
	axis->high = -INFINITY;
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement = usable(&results->boots[i], section, metric);

		if (!measurement)
			continue;
		axis->low = fmin(axis->low, fmax(measurement->min, 1));
		axis->high = fmax(axis->high, fmax(measurement->statistic[STATISTIC_MAX], 1));
	}
	return isfinite(axis->low);
}

static void add_percent_axis(struct buffer *out, const struct axis *axis)
{
	static const double shares[] = {0, 0.25, 0.5, 0.75, 1};
	char label[16];

	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		double y = to_px(axis, shares[i]);

		snprintf(label, sizeof(label), "%.0f %%", 100 * shares[i]);
		add_line(out, LEFT, y, WIDTH - RIGHT, y, "grid");
		add_text(out, LEFT - 5, y + 4, "tick end", label);
	}
}

void svg_distribution(struct buffer *out, const struct analysis *analysis, size_t section,
		      size_t metric)
{
	const struct results *results = analysis->results;
	const struct metric_info *info = &results->sections[section].metrics[metric];
	struct axis x_axis = {.from_px = LEFT, .to_px = WIDTH - RIGHT, .is_log = true};
	struct axis y_axis = {.low = 0, .high = 1, .from_px = 186, .to_px = 14};
	char name[FORMATTED_MAX], label[120];

	if (!find_range(analysis, section, metric, &x_axis))
		return;
	pad_axis(&x_axis);
	format_metric(name, info, STATISTIC_P50);
	snprintf(label, sizeof(label), "%s, share of samples up to it (log scale)", name);
	open_svg(out, 226, label);
	add_percent_axis(out, &y_axis);
	add_x_axis(out, &x_axis, 14, 186, info->unit);
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement = usable(&results->boots[i], section, metric);

		if (measurement)
			add_boot_curve(out, measurement, &x_axis, &y_axis,
				       svg_series(analysis, results->boots[i].variant));
	}
	for (size_t i = 0; i < results->n_variants; i++)
		add_variant_curve(out, analysis, section, metric, i, &x_axis, &y_axis);
	add_text(out, (LEFT + WIDTH - RIGHT) / 2, 221, "tick mid", label);
	buffer_add(out, "</svg>\n");
}

static double main_value(const struct analysis *analysis, const struct boot *boot, size_t section,
			 size_t metric)
{
	const struct measurement *measurement = boot_measurement(boot, section, metric);
	const struct section_result *result = boot_section(boot, section);
	enum metric_kind kind = analysis->results->sections[section].metrics[metric].kind;

	if (!measurement || result->outcome != OUTCOME_OK || measurement->outcome != OUTCOME_OK)
		return NAN;
	return measurement->statistic[main_statistic(kind)];
}

static bool find_boot_range(const struct analysis *analysis, size_t section, size_t metric,
			    struct axis *axis)
{
	axis->low = INFINITY;
	axis->high = -INFINITY;
	for (size_t i = 0; i < analysis->results->n_boots; i++) {
		double value = main_value(analysis, &analysis->results->boots[i], section, metric);

		if (isnan(value))
			continue;
		axis->low = fmin(axis->low, value);
		axis->high = fmax(axis->high, value);
	}
	axis->is_log = axis->low > 0;
	return isfinite(axis->low);
}

/* The baseline's boots are circles, the others' squares: told apart without colour, too. */
static void add_mark(struct buffer *out, double x, double y, unsigned int series, const char *title)
{
	if (series)
		buffer_format(out,
			      "<rect class=\"mark s%u\" x=\"%.1f\" y=\"%.1f\" width=\"7\" "
			      "height=\"7\">",
			      series, x - 3.5, y - 3.5);
	else
		buffer_format(out, "<circle class=\"mark s0\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\">", x,
			      y);
	buffer_add(out, "<title>");
	buffer_add_html(out, title);
	buffer_format(out, "</title></%s>\n", series ? "rect" : "circle");
}

void svg_boots(struct buffer *out, const struct analysis *analysis, size_t section, size_t metric)
{
	const struct results *results = analysis->results;
	const struct metric_info *info = &results->sections[section].metrics[metric];
	struct axis axis = {.from_px = 96, .to_px = 10};
	double pitch = (WIDTH - RIGHT - LEFT) / (double)(results->n_boots ? results->n_boots : 1);
	char name[FORMATTED_MAX], value[FORMATTED_MAX], label[160];

	if (!find_boot_range(analysis, section, metric, &axis))
		return;
	pad_axis(&axis);
	snprintf(label, sizeof(label), "%s of each boot, in the order they ran",
		 format_metric(name, info, main_statistic(info->kind)));
	open_svg(out, 120, label);
	add_y_axis(out, &axis, info->unit);
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];
		double figure = main_value(analysis, boot, section, metric);
		char title[200];

		if (isnan(figure))
			continue;
		snprintf(title, sizeof(title), "boot %llu, %.60s: %s",
			 (unsigned long long)boot->index, results->variants[boot->variant].label,
			 format_value(value, figure, info->unit));
		add_mark(out, LEFT + pitch * ((double)i + 0.5), to_px(&axis, figure),
			 svg_series(analysis, boot->variant), title);
	}
	add_text(out, (LEFT + WIDTH - RIGHT) / 2, 114, "tick mid",
		 info->kind == METRIC_DISTRIBUTION ? "median of each boot, in the order they ran"
						   : "value of each boot, in the order they ran");
	buffer_add(out, "</svg>\n");
}

static bool is_shown(const struct comparison *comparison, enum family family, size_t variant)
{
	return comparison->family == family && comparison->variant == variant &&
	       comparison->ratio > 0 && isfinite(comparison->ratio);
}

static size_t find_effect_range(const struct analysis *analysis, enum family family, size_t variant,
				struct axis *axis)
{
	size_t rows = 0;

	axis->low = 1 / (1 + 2 * analysis->margin);
	axis->high = 1 + 2 * analysis->margin;
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];
		bool has_interval = comparison->ratio_low > 0;

		if (!is_shown(comparison, family, variant))
			continue;
		rows++;
		axis->low =
			fmin(axis->low, has_interval ? comparison->ratio_low : comparison->ratio);
		axis->high =
			fmax(axis->high, has_interval ? comparison->ratio_high : comparison->ratio);
	}
	return rows;
}

static void add_effect(struct buffer *out, const struct analysis *analysis,
		       const struct comparison *comparison, const struct axis *axis, double y)
{
	const struct section_info *section = &analysis->results->sections[comparison->section];
	char name[FORMATTED_MAX], ratio[FORMATTED_MAX], label[160], title[240];
	unsigned int series = svg_series(analysis, comparison->variant);
	char class_name[32];

	format_metric(name, &section->metrics[comparison->metric], comparison->statistic);
	snprintf(label, sizeof(label), "%.24s", section->placement);
	add_text(out, 4, y - 2, "row", label);
	add_text(out, 4, y + 10, "tick", name);
	snprintf(class_name, sizeof(class_name), "whisker s%u", series);
	if (comparison->ratio_low > 0)
		add_line(out, to_px(axis, comparison->ratio_low), y,
			 to_px(axis, comparison->ratio_high), y, class_name);
	snprintf(title, sizeof(title), "%.60s, %.40s: x %s, %s", name, section->placement,
		 format_ratio(ratio, comparison->ratio), verdict_word(comparison->verdict));
	add_mark(out, to_px(axis, comparison->ratio), y, series, title);
}

void svg_effects(struct buffer *out, const struct analysis *analysis, enum family family,
		 size_t variant)
{
	const double first = 30, pitch = 30;
	struct axis axis = {.from_px = 140, .to_px = WIDTH - RIGHT - 8, .is_log = true};
	size_t rows = find_effect_range(analysis, family, variant, &axis), row = 0;
	double bottom = first + pitch * (double)rows - 8;
	double low, high;

	if (!rows)
		return;
	pad_axis(&axis);
	open_svg(out, bottom + 38, "ratio of each metric to the baseline, with 95 % intervals");
	low = to_px(&axis, 1 / (1 + analysis->margin));
	high = to_px(&axis, 1 + analysis->margin);
	buffer_format(out,
		      "<rect class=\"band\" x=\"%.1f\" y=\"8\" width=\"%.1f\" height=\"%.1f\"/>\n",
		      low, fmax(high - low, 1), bottom - 8);
	add_x_axis(out, &axis, 8, bottom, "ratio");
	add_line(out, to_px(&axis, 1), 8, to_px(&axis, 1), bottom, "one");
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		if (is_shown(&analysis->comparisons[i], family, variant))
			add_effect(out, analysis, &analysis->comparisons[i], &axis,
				   first + pitch * (double)row++ - 4);
	add_text(out, (140 + WIDTH - RIGHT) / 2, bottom + 33, "tick mid",
		 "ratio to the baseline (log scale); 1 is no change");
	buffer_add(out, "</svg>\n");
}
