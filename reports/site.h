/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SITE_H
#define REPORTS_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/verdict.h"

/*
 * A static site of many campaigns' reports: a folder that any web server, and a browser
 * without one, can show.
 *
 *   index.html            one row per report, the newest first
 *   trends.html           every primary metric over the campaigns
 *   index.json            the same for programs, and which files are ours (proxeval-site)
 *   feed.xml              Atom, of the campaigns that know when they ran
 *   campaigns/ID/         copies of the results, and the report that is made from them
 *
 * The site is a function of the campaigns in it: what was published before stays, and
 * publishing one by one gives the same bytes as publishing all at once.
 */
struct site_options {
	struct analysis_options analysis;
	bool has_logs;	   /* copy the consoles' logs as well */
	bool is_anonymous; /* the copies do not tell the host's name, its folders, and the date */
};

/*
 * Publishes the campaigns' folders in @paths (or folders of such folders) into the folder
 * @output, which is missing, empty (but for names with a dot in front), or a site. Everything
 * is loaded, compared and written aside before the first file of the site changes; files that
 * this program did not write are left alone. Prints what was written on stdout. The exit code,
 * with its message printed.
 */
int site_publish(const char *output, const char *const *paths, size_t n_paths,
		 const struct site_options *options);

/*
 * The id of the campaign in the folder @directory, as its campaign.json or else its first boot
 * says; a new string, or NULL when neither can be read (results_load has the reason).
 */
char *site_campaign_id(const char *directory);

#endif
