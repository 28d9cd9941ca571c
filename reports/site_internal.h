/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SITE_INTERNAL_H
#define REPORTS_SITE_INTERNAL_H

#include "reports/arena.h"
#include "reports/buffer.h"
#include "reports/history.h"
#include "reports/site.h"

struct json_object;

#define SITE_FORMAT    "proxeval-site"
#define SITE_CAMPAIGNS "campaigns" /* the folder of the campaigns' folders */

/* What one variant of a campaign is, as far as an index needs it. */
struct site_variant {
	const char *label, *kernel; /* "7.2.13 + 6 patches"; "unknown kernel": no boot came up */
	const char *image_sha256;   /* NULL: none known */
};

/* One row of the index. */
struct site_report {
	const char *id;
	const char *folder; /* below SITE_CAMPAIGNS; fit for a file name and a URL */
	const char *date;   /* "2026-11-22T18:15:03Z" of the first boot; NULL: not told */
	const char *target, *time;
	const char *machine, *machine_long, *machine_key; /* as in struct machine_info */
	const char *machine_shown;			  /* unique in this site */
	struct site_variant *variants;
	size_t n_variants, baseline, n_boots;
	const char **headline;
	size_t n_headline;
	size_t primary[VERDICT_UNTESTED + 1], invariants[VERDICT_UNTESTED + 1]; /* by verdict */
	size_t crashed, unclean;						/* boots */
	int exit_code;
};

struct site {
	struct arena arena;
	struct site_report *reports; /* the newest first, then those without a date */
	size_t n_reports;
	/* One for each target and kind of time, which are never compared. */
	struct results *histories_results;
	struct history *histories;
	size_t n_histories;
	bool has_trends; /* trends.html is there: set by site_write_trends */
	bool has_failed; /* memory ran out */
};

/* Takes one campaign's row out of its analysis; everything is copied. */
void site_add(struct site *site, const struct analysis *analysis, const char *id,
	      const char *folder);

/* Sorts the rows. Call it once, when all were added. */
void site_settle(struct site *site);

/* Whether any campaign has a date, so that there can be a feed. */
bool site_has_feed(const struct site *site);

/* A page up to and without </head>; @more_style is for its style sheet and may be "". */
void site_open_page(struct buffer *out, const char *title, const char *more_style);

/* The folder below SITE_CAMPAIGNS of the campaign @id; "" when the site has none of that id. */
const char *site_folder_of(const struct site *site, const char *id);

/* The pages. What runs out of memory shows in out->failed. */
void site_write_index(struct buffer *out, struct site *site);
/* Before the index, which links to it; adds nothing when no figure has two campaigns. */
void site_write_trends(struct buffer *out, struct site *site);
void site_write_feed(struct buffer *out, const struct site *site);

/* The proxeval-site document without its "files"; NULL when memory is out. The caller puts it. */
struct json_object *site_to_json(const struct site *site);

#endif
