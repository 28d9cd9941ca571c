// SPDX-License-Identifier: GPL-2.0-only
/* One mark for each boot, in the order in which they ran. */
#include <stdio.h>
#include <stdlib.h>

#include "reports/format.h"
#include "reports/svg_parts.h"

#define TOP    12.0
#define BOTTOM 98.0
#define HEIGHT 124.0

/* Which boots are drawn, evenly chosen in each variant; *@count of them. */
static bool *choose_boots(const struct analysis *analysis, size_t section, size_t metric,
			  size_t *count)
{
	const struct results *results = analysis->results;
	bool *is_drawn = calloc(results->n_boots + 1, sizeof(*is_drawn));

	*count = 0;
	for (size_t variant = 0; is_drawn && variant < results->n_variants; variant++) {
		size_t total = 0, rank = 0;

		for (size_t i = 0; i < results->n_boots; i++) {
			const struct boot *boot = &results->boots[i];

			is_drawn[i] |= boot->variant == variant &&
				       !isnan(boot_figure(analysis, boot, section, metric));
			total += boot->variant == variant && is_drawn[i];
		}
		for (size_t i = 0; i < results->n_boots; i++)
			if (results->boots[i].variant == variant && is_drawn[i]) {
				is_drawn[i] = is_boot_drawn(rank++, total);
				*count += is_drawn[i];
			}
	}
	return is_drawn;
}

static void add_boot(struct buffer *out, const struct analysis *analysis, const struct boot *boot,
		     struct axis *axis, double x, size_t section, size_t metric)
{
	const struct results *results = analysis->results;
	double figure = boot_figure(analysis, boot, section, metric);
	const char *unit = results->sections[section].metrics[metric].unit;
	struct buffer title = {0};
	char value[FORMATTED_MAX];

	buffer_format(&title, "boot %llu, %s: %s", (unsigned long long)boot->index,
		      results->variants[boot->variant].label, format_value(value, figure, unit));
	svg_mark(out, x, axis_px(axis, figure), svg_series(analysis, boot->variant), title.text);
	buffer_release(&title);
}

static void open_boots(struct buffer *out, const struct analysis *analysis, size_t section,
		       size_t metric)
{
	const struct section_info *info = &analysis->results->sections[section];
	const struct metric_info *metric_info = &info->metrics[metric];
	struct buffer title = {0}, description = {0};
	char name[FORMATTED_MAX], id[SVG_ID_MAX];

	buffer_format(&title, "%s: %s of each boot, in the order they ran", info->placement,
		      format_metric(name, metric_info, main_statistic(metric_info->kind)));
	svg_describe_variants(&description, analysis, section, metric);
	svg_open(out, svg_metric_id(id, "boots", section, metric), HEIGHT,
		 title.text ? title.text : "", description.text ? description.text : "");
	buffer_release(&title);
	buffer_release(&description);
}

static bool find_range(const struct analysis *analysis, size_t section, size_t metric,
		       struct axis *axis)
{
	axis_clear(axis);
	for (size_t i = 0; i < analysis->results->n_boots; i++) {
		double value = boot_figure(analysis, &analysis->results->boots[i], section, metric);

		if (!isnan(value))
			axis_include(axis, value);
	}
	axis->scale = axis->low > 0 ? SCALE_LOG : SCALE_LINEAR;
	return axis_is_set(axis);
}

void svg_boots(struct buffer *out, const struct analysis *analysis, size_t section, size_t metric)
{
	const struct results *results = analysis->results;
	const struct metric_info *info = &results->sections[section].metrics[metric];
	struct axis axis = {.from_px = BOTTOM, .to_px = TOP};
	double x = SVG_LEFT, pitch;
	size_t count;
	bool *is_drawn;

	if (!find_range(analysis, section, metric, &axis))
		return;
	is_drawn = choose_boots(analysis, section, metric, &count);
	if (!is_drawn) {
		out->failed = true;
		return;
	}
	pitch = (SVG_WIDTH - SVG_RIGHT - SVG_LEFT) / (double)(count ? count : 1);
	axis_pad(&axis);
	open_boots(out, analysis, section, metric);
	svg_y_axis(out, &axis, info->unit);
	for (size_t i = 0; i < results->n_boots; i++)
		if (is_drawn[i]) {
			add_boot(out, analysis, &results->boots[i], &axis, x + pitch / 2, section,
				 metric);
			x += pitch;
		}
	svg_text(out, (SVG_LEFT + SVG_WIDTH - SVG_RIGHT) / 2, HEIGHT - 6, "tick mid",
		 info->kind == METRIC_DISTRIBUTION ? "median of each boot, in the order they ran"
						   : "value of each boot, in the order they ran");
	svg_close(out);
	free(is_drawn);
}
