/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_ANALYSIS_VALUES_H
#define BENCH_ANALYSIS_VALUES_H

#include "bench/options.h"

/* What `compare`, `report` and `export` let the user choose about the comparison. */
struct analysis_values {
	const char *baseline;
	double margin_percent;
};

/* Their entries in an option table; @at is the offset of the struct in the command's values. */
#define ANALYSIS_OPTION_BASELINE(at)                                                               \
	{                                                                                          \
		.name = "baseline", .kind = OPTION_STRING, .argument = "LABEL",                    \
		.help = "compare with this variant (else !proxy, else the first of the campaign)", \
		.offset = (at) + offsetof(struct analysis_values, baseline)                        \
	}
#define ANALYSIS_OPTION_MARGIN(at)                                                                \
	{                                                                                         \
		.name = "margin", .kind = OPTION_PERCENT, .argument = "PERCENT", .standard = "5", \
		.help = "variants within so many percent, such as 2.5, are equivalent",           \
		.offset = (at) + offsetof(struct analysis_values, margin_percent)                 \
	}

#endif
