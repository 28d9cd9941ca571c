/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_HISTORY_H
#define REPORTS_HISTORY_H

#include "reports/buffer.h"
#include "reports/verdict.h"

struct json_object;

/*
 * One variant's label over many campaigns: which figure changed, from which kernel on, by
 * how much and how surely. A series is a label on one machine in one section, one
 * metric by its main statistic; a point is one campaign's boots of it.
 * doc/method.md, "History", has the method; proxeval-history is the document.
 */
#define HISTORY_MIN_CHANGE 0.01 /* a change that is surely smaller does not count as worse */

enum history_order {
	HISTORY_BY_KERNEL, /* release by release, then by start; by start where one is unknown */
	HISTORY_BY_TIME,
	HISTORY_AS_GIVEN,
};

struct history_options {
	enum history_order order;
	double alpha;	   /* 0: VERDICT_ALPHA */
	double min_change; /* as a share; below 0: HISTORY_MIN_CHANGE */
};

struct history_point {
	size_t campaign, variant; /* indices into results */
	const char *release;	  /* "7.3.1"; "?" where no boot told it */
	const char *started;	  /* its first boot, ISO 8601; may be NULL */
	size_t n_boots;
	const double *values; /* one figure per boot */
	double centre;	      /* geometric mean; the mean where a value is not positive */
	size_t level;	      /* 0 from the start, 1 after the first change … */
};

struct history_change {
	size_t first;	  /* points[first] begins the new level; points[first - 1] was the last old
			     one */
	size_t last;	  /* of a drift: where it ended; of a step the same as @first */
	size_t low, high; /* of a step: @first lies there with 95 % */
	bool is_drift, is_ambiguous;
	bool is_same_kernel; /* the campaigns on both sides ran the same kernel */
	bool has_control;    /* a control of the same label and machine changed there as well */
	double before, after, ratio, ratio_low, ratio_high; /* NaN where there is none */
	double p;	      /* corrected for all series of its family */
	enum verdict verdict; /* better, worse; equivalent: surely below min_change; not-judged:
				 no direction */
};

struct history_series {
	const char *label;	/* as in the documents: "proxy" */
	size_t machine;		/* index into results->machines */
	size_t section, metric; /* indices into results */
	enum statistic statistic;
	enum family family; /* FAMILY_PRIMARY or FAMILY_CONTROL */
	bool is_log;
	bool is_by_campaign; /* campaigns of one kernel differ by more than their boots: each counts
				as one */
	struct history_point *points; /* the campaigns that have figures of it */
	size_t n_points;
	size_t newest; /* the label's newest campaign on this machine, whether it has figures of it
			  or not */
	struct history_change *changes; /* in rising order */
	size_t n_changes;
	double p, p_adjusted; /* that nothing changed; NaN when it could not be tested */
	const char *reason;   /* why it could not be tested; else NULL */
};

struct history {
	const struct results *results;
	struct arena arena;
	enum history_order order;      /* that was followed in the end */
	struct history_series *series; /* by label, machine, section, metric */
	size_t n_series;
	size_t tests[FAMILIES];
	double alpha, min_change;
	const char **headline; /* whole sentences; the worst first */
	size_t n_headline;
	const char **warnings;
	size_t n_warnings;
	int exit_code; /* EXIT_REGRESSION: a primary figure's newest level is worse than the one
			  before; EXIT_INCONCLUSIVE: too few campaigns or boots; EXIT_FINE;
			  EXIT_CANNOT: nothing was measured */
};

/* 0 or -ENOMEM. @results must outlive the history. history_release is due in every case. */
int history_make(struct history *history, const struct results *results,
		 const struct history_options *options);
void history_release(struct history *history);

/* Plain ASCII, at most TEXT_COLUMNS wide. */
void history_write_text(struct buffer *out, const struct history *history, bool has_colour);

/* One line, at most ONE_LINE_MAX characters. */
void history_write_line(struct buffer *out, const struct history *history);

/* The proxeval-history document; NULL when memory is out. The caller puts it. */
struct json_object *history_to_json(const struct history *history);

/*
 * Linux releases in their order, like strcmp: 7.2.13 < 7.3-rc1 < 7.3-rc10 < 7.3 < 7.3.1;
 * 7.3 is 7.3.0; what follows ("-rc2-00123-gabc", "-proxy") goes by strverscmp.
 */
int release_compare(const char *a, const char *b);

#endif
