// SPDX-License-Identifier: GPL-2.0-only
#include "reports/format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Three significant digits without an exponent, from 0.001 to 999,999. */
static void format_plain(char *out, size_t size, double value)
{
	double magnitude = fabs(value);
	int decimals;

	if (value != 0 && (magnitude < 0.0005 || magnitude >= 1e15)) {
		snprintf(out, size, "%.2e", value);
		return;
	}
	decimals = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : magnitude >= 0.9995 ? 2 : 3;
	snprintf(out, size, "%.*f", decimals, value);
}

/* A whole number with its thousands set apart. */
static void format_whole(char *out, size_t size, double value)
{
	char digits[32];
	size_t length, at = 0;

	snprintf(digits, sizeof(digits), "%.0f", fabs(value));
	length = strlen(digits);
	if (value < 0 && size)
		out[at++] = '-';
	for (size_t i = 0; i < length && at + 2 < size; i++) {
		if (i && (length - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

static void format_duration(char *out, size_t size, double value_ns)
{
	static const struct {
		double size_ns;
		const char *unit;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	char number[32];
	size_t i = 0;

	/* 999.6 us would read "1000 us": the next larger unit takes over a little early. */
	while (i < 3 && fabs(value_ns) < 0.9995 * units[i].size_ns)
		i++;
	format_plain(number, sizeof(number), value_ns / units[i].size_ns);
	if (i == 3 && value_ns == floor(value_ns))
		snprintf(number, sizeof(number), "%.0f", value_ns);
	snprintf(out, size, "%s %s", number, units[i].unit);
}

const char *format_value(char out[FORMATTED_MAX], double value, const char *unit)
{
	if (isnan(value)) {
		strcpy(out, "-");
	} else if (!strcmp(unit, "ns")) {
		format_duration(out, FORMATTED_MAX, value);
	} else if (!strcmp(unit, "permille")) {
		/* Histograms count whole numbers: factors are kept in thousandths. */
		format_plain(out, FORMATTED_MAX, value / 1000);
	} else if (value == floor(value) && fabs(value) < 1e15 && strcmp(unit, "ratio")) {
		format_whole(out, FORMATTED_MAX, value);
	} else {
		format_plain(out, FORMATTED_MAX, value);
	}
	if (!strcmp(unit, "percent") && !isnan(value))
		strcat(out, " %");
	return out;
}

const char *format_ratio(char out[FORMATTED_MAX], double ratio)
{
	if (isnan(ratio))
		strcpy(out, "-");
	else if (fabs(ratio) < 0.00995)
		snprintf(out, FORMATTED_MAX, "%.2g", ratio);
	else if (fabs(ratio) < 0.0995)
		snprintf(out, FORMATTED_MAX, "%.3f", ratio);
	else if (fabs(ratio) < 9.995)
		snprintf(out, FORMATTED_MAX, "%.2f", ratio);
	else
		format_plain(out, FORMATTED_MAX, ratio);
	return out;
}

const char *format_change(char out[FORMATTED_MAX], double ratio, const char *unit)
{
	const char *word = !strcmp(unit, "ns") ? (ratio < 1 ? "shorter" : "longer")
					       : (ratio < 1 ? "lower" : "higher");
	double factor = ratio < 1 ? 1 / ratio : ratio;
	char number[32];

	if (isnan(ratio) || ratio <= 0)
		strcpy(out, "no ratio");
	else if (fabs(ratio - 1) < 0.0005)
		strcpy(out, "no change");
	else if (factor < 1.5)
		snprintf(out, FORMATTED_MAX, "%.1f %% %s", 100 * fabs(ratio - 1), word);
	else {
		format_plain(number, sizeof(number), factor);
		snprintf(out, FORMATTED_MAX, "%s times %s", number, word);
	}
	return out;
}

const char *format_p(char out[FORMATTED_MAX], double p)
{
	if (isnan(p))
		strcpy(out, "-");
	else if (p < 0.0001)
		strcpy(out, "< 0.0001");
	else
		snprintf(out, FORMATTED_MAX, "%.2g", p);
	return out;
}

const char *format_metric(char out[FORMATTED_MAX], const struct metric_info *metric,
			  enum statistic statistic)
{
	static const char *const names[] = {"", " p90", " p99", " p99.9", " max", ""};
	size_t length = strlen(metric->name), unit = strlen(metric->unit);

	if (unit && length > unit + 1 && metric->name[length - unit - 1] == '_' &&
	    !strcmp(metric->name + length - unit, metric->unit))
		length -= unit + 1;
	snprintf(out, FORMATTED_MAX, "%.*s%s", length > 38 ? 38 : (int)length, metric->name,
		 names[statistic]);
	for (char *c = out; *c; c++)
		if (*c == '_')
			*c = ' ';
	return out;
}

const char *format_tick(char out[FORMATTED_MAX], double value, const char *unit)
{
	char *end, *behind;

	format_value(out, value, unit);
	end = out + strcspn(out, " ");
	behind = end;
	if (!memchr(out, '.', (size_t)(end - out)))
		return out;
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	memmove(end, behind, strlen(behind) + 1);
	return out;
}
