/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_FORMAT_H
#define REPORTS_FORMAT_H

#include <stddef.h>

#include "reports/load.h"

/* How numbers look to people. ASCII, three significant digits, the unit behind. */
#define FORMATTED_MAX 48

/* "18.9 ms", "0.05", "1,234,567", "12.5 %"; "21.0" of 20,998 permille; "-" for NaN. */
const char *format_value(char out[FORMATTED_MAX], double value, const char *unit);

/* The same for an axis: "20 ms", not "20.0 ms". */
const char *format_tick(char out[FORMATTED_MAX], double value, const char *unit);

/* "0.048" from a ratio; "1.02"; "20.8"; "-" for NaN. */
const char *format_ratio(char out[FORMATTED_MAX], double ratio);

/* "20.8 times shorter" (ns), "1.5 times higher", "12 % longer" below a factor of 1.5. */
const char *format_change(char out[FORMATTED_MAX], double ratio, const char *unit);

/* "0.0087", "< 0.0001". */
const char *format_p(char out[FORMATTED_MAX], double p);

/* "donor_wait_ns" without its unit and underscores: "donor wait". With the statistic unless it is
 * the main one: "donor wait p90". */
const char *format_metric(char out[FORMATTED_MAX], const struct metric_info *metric,
			  enum statistic statistic);

#endif
