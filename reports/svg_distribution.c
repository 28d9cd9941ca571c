// SPDX-License-Identifier: GPL-2.0-only
/* Distributions: the share of samples up to a value, and the value at a percentile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"
#include "reports/svg_parts.h"

#define TOP		14.0
#define BOTTOM		176.0
#define HEIGHT		214.0
#define CHARACTER_WIDTH 6.6 /* of a tick's label, on the generous side */

/* One metric in one section, and how its curves are drawn. */
struct plot {
	struct buffer *out;
	const struct analysis *analysis;
	size_t section, metric;
	struct axis value, share;
	bool is_percentile; /* the share is along x, else the value */
};

/* A step of a cumulative curve. */
struct step {
	double low, high; /* the bucket's edges */
	double weight;
};

/* Where the sum of several such curves changes: its slope, or the share itself. */
struct edge {
	double value, slope, jump;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *one = a, *two = b;

	return (one->value > two->value) - (one->value < two->value);
}

/* A bucket's edges, no wider than what the boot really saw. */
static struct step bucket_step(const struct measurement *measurement, const struct bucket *bucket)
{
	uint32_t bits = measurement->histogram.bits;
	double low = (double)bucket_lower_edge(bits, bucket->index);
	double high = low + (double)bucket_width(bits, bucket->index);

	low = fmax(low, measurement->min);
	high = fmin(high, measurement->statistic[STATISTIC_MAX]);
	return (struct step){low, fmax(low, high),
			     (double)bucket->count / (double)measurement->samples};
}

struct point {
	double x, y;
};

static struct point place(const struct plot *plot, double value, double share)
{
	double along = axis_px(&plot->value, value), across = axis_px(&plot->share, share);

	return plot->is_percentile ? (struct point){across, along} : (struct point){along, across};
}

/* A path in tenths of a pixel, each point by its distance from the last: short, and no error adds
 * up. */
struct pen {
	long x, y;
	bool is_down;
};

static void add_tenths(struct buffer *out, long tenths, bool needs_space)
{
	const char *sign = tenths < 0 ? "-" : needs_space ? " " : "";

	tenths = labs(tenths);
	buffer_format(out, "%s%ld", sign, tenths / 10);
	if (tenths % 10)
		buffer_format(out, ".%ld", tenths % 10);
}

static void draw_to(struct buffer *out, struct pen *pen, struct point to)
{
	long x = lround(10 * to.x), y = lround(10 * to.y);

	buffer_add(out, pen->is_down ? "l" : "M");
	add_tenths(out, x - pen->x, false);
	add_tenths(out, y - pen->y, true);
	*pen = (struct pen){x, y, true};
}

static bool is_near(const struct pen *pen, struct point to, double distance)
{
	return fabs(to.x - (double)pen->x / 10) < distance &&
	       fabs(to.y - (double)pen->y / 10) < distance;
}

/* A curve through the steps, whose shares end at @last; points nearer to the one before than
 * @distance are left out. */
static void add_curve(const struct plot *plot, const struct step *steps, size_t count, double start,
		      double last, double distance, const char *class_name)
{
	struct pen pen = {0};
	double share = start;

	if (!count)
		return;
	buffer_format(plot->out, "<path class=\"%s\" d=\"", class_name);
	for (size_t i = 0; i < count; i++) {
		struct point from = place(plot, steps[i].low, fmin(share, last)), to;

		/* No sample between two buckets: a step to the next one. */
		if (!i || !is_near(&pen, from, distance))
			draw_to(plot->out, &pen, from);
		share += steps[i].weight;
		to = place(plot, steps[i].high, fmin(share, last));
		if (!is_near(&pen, to, distance) || i + 1 == count)
			draw_to(plot->out, &pen, to);
	}
	buffer_add(plot->out, "\"/>\n");
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

/* What a variant's boots have of it. */
struct extent {
	size_t boots, buckets;
	uint64_t samples;
	double underflow; /* mean share of samples below the histogram */
};

static struct extent measure_extent(const struct plot *plot, size_t variant)
{
	const struct results *results = plot->analysis->results;
	struct extent extent = {0};

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement =
			usable(&results->boots[i], plot->section, plot->metric);

		if (!measurement || results->boots[i].variant != variant)
			continue;
		extent.boots++;
		extent.buckets += measurement->histogram.n_buckets;
		extent.samples += measurement->samples;
		extent.underflow +=
			(double)measurement->histogram.underflow / (double)measurement->samples;
	}
	if (extent.boots)
		extent.underflow /= (double)extent.boots;
	return extent;
}

static void add_boot_curve(const struct plot *plot, const struct measurement *measurement,
			   unsigned int series)
{
	size_t count = measurement->histogram.n_buckets;
	struct step *steps = malloc((count + 1) * sizeof(*steps));
	char class_name[32];

	if (!steps) {
		plot->out->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		steps[i] = bucket_step(measurement, &measurement->histogram.buckets[i]);
	snprintf(class_name, sizeof(class_name), "thin s%u", series);
	add_curve(plot, steps, count,
		  (double)measurement->histogram.underflow / (double)measurement->samples,
		  plot->is_percentile ? 1 - 1 / (double)measurement->samples : 1, 1.5, class_name);
	free(steps);
}

static void add_boot_curves(const struct plot *plot, size_t variant)
{
	const struct results *results = plot->analysis->results;
	size_t count = measure_extent(plot, variant).boots, rank = 0;

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement =
			usable(&results->boots[i], plot->section, plot->metric);

		if (measurement && results->boots[i].variant == variant &&
		    is_boot_drawn(rank++, count))
			add_boot_curve(plot, measurement, svg_series(plot->analysis, variant));
	}
}

static void add_edges(struct edge *edges, size_t *count, struct step step)
{
	double slope = step.high > step.low ? step.weight / (step.high - step.low) : 0;

	edges[(*count)++] = (struct edge){step.low, slope, slope > 0 ? 0 : step.weight};
	edges[(*count)++] = (struct edge){step.high, -slope, 0};
}

/* From edges in rising order to steps that follow each other; returns how many there are. */
static size_t make_steps(const struct edge *edges, size_t count, struct step *steps)
{
	double slope = 0;
	size_t made = 0;

	for (size_t i = 0; i < count; i++) {
		double next = i + 1 < count ? edges[i + 1].value : edges[i].value;

		if (edges[i].jump > 0)
			steps[made++] =
				(struct step){edges[i].value, edges[i].value, edges[i].jump};
		slope += edges[i].slope;
		if (next > edges[i].value)
			steps[made++] = (struct step){edges[i].value, next,
						      fmax(slope, 0) * (next - edges[i].value)};
	}
	return made;
}

/* The edges of all boots of a variant, every boot weighing the same. */
static size_t collect_edges(const struct plot *plot, size_t variant, size_t n_boots,
			    struct edge *edges)
{
	const struct results *results = plot->analysis->results;
	size_t count = 0;

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement =
			usable(&results->boots[i], plot->section, plot->metric);

		if (!measurement || results->boots[i].variant != variant)
			continue;
		for (size_t j = 0; j < measurement->histogram.n_buckets; j++) {
			struct step step =
				bucket_step(measurement, &measurement->histogram.buckets[j]);

			step.weight /= (double)n_boots;
			add_edges(edges, &count, step);
		}
	}
	qsort(edges, count, sizeof(*edges), compare_edges);
	return count;
}

/* All boots of a variant in one curve. */
static void add_variant_curve(const struct plot *plot, size_t variant)
{
	struct extent extent = measure_extent(plot, variant);
	struct edge *edges = malloc((2 * extent.buckets + 1) * sizeof(*edges));
	struct step *steps = malloc((4 * extent.buckets + 1) * sizeof(*steps));
	char class_name[32];

	if (edges && steps) {
		size_t count = collect_edges(plot, variant, extent.boots, edges);

		count = make_steps(edges, count, steps);
		snprintf(class_name, sizeof(class_name), "thick s%u",
			 svg_series(plot->analysis, variant));
		add_curve(plot, steps, count, extent.underflow,
			  plot->is_percentile && extent.samples ? 1 - 1 / (double)extent.samples
								: 1,
			  0.5, class_name);
	} else {
		plot->out->failed = true;
	}
	free(edges);
	free(steps);
}

static bool find_range(const struct plot *plot, struct axis *axis)
{
	const struct results *results = plot->analysis->results;

	axis_clear(axis);
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct measurement *measurement =
			usable(&results->boots[i], plot->section, plot->metric);

		if (!measurement)
			continue;
		axis_include(axis, fmax(measurement->min, 1));
		axis_include(axis, fmax(measurement->statistic[STATISTIC_MAX], 1));
	}
	return axis_is_set(axis);
}

static void add_curves(const struct plot *plot)
{
	size_t n_variants = plot->analysis->results->n_variants;

	for (size_t i = 0; i < n_variants; i++)
		add_boot_curves(plot, i);
	for (size_t i = 0; i < n_variants; i++)
		add_variant_curve(plot, i);
}

static void open_plot(const struct plot *plot, const char *what, const char *name)
{
	struct buffer title = {0}, description = {0};
	char id[SVG_ID_MAX];

	buffer_format(&title, "%s: %s, %s",
		      plot->analysis->results->sections[plot->section].placement, name, what);
	buffer_add(&description, "Medians of ");
	svg_describe_variants(&description, plot->analysis, plot->section, plot->metric);
	svg_metric_id(id, plot->is_percentile ? "percentiles" : "shares", plot->section,
		      plot->metric);
	svg_open(plot->out, id, HEIGHT, title.text ? title.text : "",
		 description.text ? description.text : "");
	buffer_release(&title);
	buffer_release(&description);
}

static void add_share_axis(const struct plot *plot)
{
	static const double shares[] = {0, 0.25, 0.5, 0.75, 1};
	char label[16];

	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		double y = axis_px(&plot->share, shares[i]);

		snprintf(label, sizeof(label), "%.0f %%", 100 * shares[i]);
		svg_line(plot->out, SVG_LEFT, y, SVG_WIDTH - SVG_RIGHT, y, "grid");
		svg_text(plot->out, SVG_LEFT - 5, y + 4, "tick end", label);
	}
}

void svg_distribution(struct buffer *out, const struct analysis *analysis, size_t section,
		      size_t metric)
{
	const struct metric_info *info = &analysis->results->sections[section].metrics[metric];
	struct plot plot = {
		.out = out,
		.analysis = analysis,
		.section = section,
		.metric = metric,
		.value = {.from_px = SVG_LEFT, .to_px = SVG_WIDTH - SVG_RIGHT, .scale = SCALE_LOG},
		.share = {.low = 0, .high = 1, .from_px = BOTTOM, .to_px = TOP}};
	char name[FORMATTED_MAX];

	if (!find_range(&plot, &plot.value))
		return;
	axis_pad(&plot.value);
	open_plot(&plot, "share of samples up to a value",
		  format_metric(name, info, STATISTIC_P50));
	add_share_axis(&plot);
	svg_x_axis(out, &plot.value, TOP, BOTTOM, info->unit);
	add_curves(&plot);
	svg_text(out, (SVG_LEFT + SVG_WIDTH - SVG_RIGHT) / 2, HEIGHT - 5, "tick mid",
		 "share of samples up to a value (log scale)");
	svg_close(out);
}

/* 0, 50, 90, 99, 99.9 … percent, as far as the samples go; the label of the last nine matters most,
 * so they are placed from the end. */
static void add_percentile_axis(const struct plot *plot)
{
	static const char *const labels[] = {"0 %",    "50 %",	  "90 %",     "99 %",
					     "99.9 %", "99.99 %", "99.999 %", "99.9999 %"};
	static const double shares[] = {0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999};
	double free_until = SVG_WIDTH;

	for (size_t i = sizeof(shares) / sizeof(*shares); i-- > 0;) {
		double x = axis_px(&plot->share, shares[i]);
		double half = CHARACTER_WIDTH * (double)strlen(labels[i]) / 2;

		if (shares[i] > plot->share.high)
			continue;
		svg_line(plot->out, x, TOP, x, BOTTOM, "grid");
		if (x + half > free_until)
			continue;
		svg_text(plot->out, x, BOTTOM + 15, "tick mid", labels[i]);
		free_until = x - half - CHARACTER_WIDTH;
	}
}

void svg_percentiles(struct buffer *out, const struct analysis *analysis, size_t section,
		     size_t metric)
{
	const struct results *results = analysis->results;
	const struct metric_info *info = &results->sections[section].metrics[metric];
	struct plot plot = {.out = out,
			    .analysis = analysis,
			    .section = section,
			    .metric = metric,
			    .is_percentile = true,
			    .value = {.from_px = BOTTOM, .to_px = TOP, .scale = SCALE_LOG},
			    .share = {.from_px = SVG_LEFT + 8,
				      .to_px = SVG_WIDTH - SVG_RIGHT,
				      .scale = SCALE_TAIL}};
	uint64_t most = 0;
	char name[FORMATTED_MAX];

	for (size_t i = 0; i < results->n_variants; i++) {
		uint64_t samples = measure_extent(&plot, i).samples;

		most = samples > most ? samples : most;
	}
	if (most < SVG_TAIL_SAMPLES || !find_range(&plot, &plot.value))
		return;
	plot.share.high = 1 - 1 / (double)most;
	axis_pad(&plot.value);
	open_plot(&plot, "value at each percentile", format_metric(name, info, STATISTIC_P50));
	svg_y_axis(out, &plot.value, info->unit);
	add_percentile_axis(&plot);
	add_curves(&plot);
	svg_text(out, (SVG_LEFT + SVG_WIDTH - SVG_RIGHT) / 2, HEIGHT - 5, "tick mid",
		 "value (log scale) at each percentile of the samples");
	svg_close(out);
}
