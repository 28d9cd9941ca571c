/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_EXPORT_H
#define REPORTS_EXPORT_H

#include <stdbool.h>

#include "reports/buffer.h"
#include "reports/verdict.h"

/*
 * An analysis in the forms that other programs read. Like the writers of reports, an
 * exporter renders and decides nothing: the same files give the same bytes, and whatever a
 * file says is escaped as the form asks. doc/internals.md has each form's mapping.
 */
enum csv_table {
	CSV_FIGURES,  /* one row per boot, section, metric and statistic */
	CSV_VERDICTS, /* one row per comparison and per invariant */
};

struct export_options {
	enum csv_table table; /* csv */
	const char *origin;   /* kcidb: who sends it; [a-z0-9_]+ */
	bool has_timestamps;  /* openmetrics: the start of a variant's last boot */
};

struct exporter {
	const char *name;
	/* Renders @analysis into @out; what runs out of memory shows in out->failed. */
	void (*write)(struct buffer *out, const struct analysis *analysis,
		      const struct export_options *options);
};

extern const struct exporter export_csv;
extern const struct exporter export_kcidb;
extern const struct exporter export_ktap;
extern const struct exporter export_openmetrics;

/* All of them; NULL-terminated. */
extern const struct exporter *const exporters[];

/* NULL when there is none of that name. */
const struct exporter *exporter_find(const char *name);

/* What a verdict comes to for a reader that knows passed, failed and skipped. */
enum export_status {
	EXPORT_FINE,	/* better, equivalent, agree, held */
	EXPORT_FAILED,	/* worse, disagree, violated */
	EXPORT_OPEN,	/* inconclusive, unclear, untested: more boots would tell */
	EXPORT_SKIPPED, /* not measured: nothing here could have */
	EXPORT_BROKEN,	/* not measured: it was tried, and failed or broke */
	EXPORT_FIGURE,	/* not judged: a figure to look at */
};

/* A comparison that has no figure is broken rather than skipped where one was tried for. */
enum export_status export_comparison_status(const struct analysis *analysis,
					    const struct comparison *comparison);
enum export_status export_invariant_status(const struct invariant *invariant);

/* Whether something was tried and gave no figure; else nobody could have, or nobody asked. */
bool was_tried(const struct unmeasured *what);

/*
 * Why a comparison has no verdict: its own reason, or that of what was not measured, or how
 * many more boots it takes. @out is of EXPORT_TEXT_MAX bytes. Returns @out, which is ""
 * for a comparison with a verdict.
 */
#define EXPORT_TEXT_MAX 512
const char *export_status_text(const struct analysis *analysis, const struct comparison *comparison,
			       char out[EXPORT_TEXT_MAX]);

/* "18.9 ms against 344 ms, ratio 0.05 (0.04 to 0.06), p 0.002". Returns @out. */
const char *comparison_text(const struct analysis *analysis, const struct comparison *comparison,
			    char out[EXPORT_TEXT_MAX]);

/*
 * The shortest of 15 and 17 digits that gives the same double back, in the C locale; "" for
 * what is not finite. Returns @out.
 */
#define EXACT_NUMBER_MAX 32
const char *exact_number(double value, char out[EXACT_NUMBER_MAX]);

/*
 * A figure in its base unit: times as seconds, per cent and per mille as a ratio. @base is
 * "seconds", "ratio", "bytes" or "" (a plain number, or a unit without a base unit).
 */
double to_base_unit(double value, const char *unit, const char **base);

#endif
