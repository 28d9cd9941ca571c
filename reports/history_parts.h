/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_HISTORY_PARTS_H
#define REPORTS_HISTORY_PARTS_H

#include "reports/format.h"
#include "reports/history.h"

/* What reports/history*.c share among themselves. */

/* Headline, warnings and exit code. 0 or -ENOMEM. */
int history_say(struct history *history);
int history_warn(struct history *history, const char *sentence);

/* "12.0 % longer [10.1, 14.2]", "2.00 times longer [1.90, 2.12]"; the range only where there is
 * one. */
#define CHANGE_TEXT_MAX (3 * FORMATTED_MAX)
const char *history_format_change(char out[CHANGE_TEXT_MAX], const struct history_change *change,
				  const char *unit);

/* How many primary series' newest change has that verdict. */
size_t history_count(const struct history *history, enum verdict verdict);

/* Campaigns in all series together. */
size_t history_campaigns(const struct history *history);

const struct metric_info *history_metric(const struct history *history,
					 const struct history_series *series);
#endif
