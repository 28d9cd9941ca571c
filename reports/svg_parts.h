/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SVG_PARTS_H
#define REPORTS_SVG_PARTS_H

#include <math.h>

#include "reports/svg.h"

/* What the figures are made of; for reports/svg*.c alone. Lengths are the viewBox's pixels. */
#define SVG_WIDTH 400.0
#define SVG_LEFT  50.0 /* room for the labels of a vertical axis */
#define SVG_RIGHT 12.0

enum scale {
	SCALE_LINEAR,
	SCALE_LOG,  /* low > 0 */
	SCALE_TAIL, /* a share from 0 to high < 1, by the logarithm of 1/(1 - share) */
};

/* From values to pixels; @from_px and @to_px may run either way. */
struct axis {
	double low, high;
	double from_px, to_px;
	enum scale scale;
};

/* A value outside of the axis' range lands on its nearer end. */
double axis_px(const struct axis *axis, double value);

/* Widens a range (not a SCALE_TAIL) to leave air on both sides, also where it has no width. */
void axis_pad(struct axis *axis);

/* @low and @high to begin a search for a range with; axis_is_set once axis_include was called. */
void axis_clear(struct axis *axis);
void axis_include(struct axis *axis, double value);
bool axis_is_set(const struct axis *axis);

/*
 * Opens a figure: @title is its name, @description says in words what it shows. @id is like no
 * other figure's on the page, and of letters, digits and dashes alone.
 */
void svg_open(struct buffer *out, const char *id, double height, const char *title,
	      const char *description);
/* The id of a figure of one metric: "KIND-3-1". */
#define SVG_ID_MAX 64
const char *svg_metric_id(char out[SVG_ID_MAX], const char *kind, size_t section, size_t metric);

void svg_close(struct buffer *out);

void svg_text(struct buffer *out, double x, double y, const char *class_name, const char *text);
void svg_line(struct buffer *out, double x1, double y1, double x2, double y2,
	      const char *class_name);

/* A point of a series, told from the others' by shape and colour; @title may be NULL. */
void svg_mark(struct buffer *out, double x, double y, unsigned int series, const char *title);

/* Grid lines with labels below, or to the left; a label that would run into another is left out. */
void svg_x_axis(struct buffer *out, const struct axis *axis, double top, double bottom,
		const char *unit);
void svg_y_axis(struct buffer *out, const struct axis *axis, const char *unit);

/* "!proxy: 80.4 ms over 6 boots; proxy: 5.22 ms over 6 boots." into @out, plain text. */
void svg_describe_variants(struct buffer *out, const struct analysis *analysis, size_t section,
			   size_t metric);

/* What the metric's main statistic is in that boot; NaN where it was not measured. */
double boot_figure(const struct analysis *analysis, const struct boot *boot, size_t section,
		   size_t metric);

/*
 * Every so many boots of a variant are drawn where there are more than SVG_BOOTS_MAX: whether the
 * @rank-th of @count is.
 */
bool is_boot_drawn(size_t rank, size_t count);

#endif
