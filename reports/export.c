// SPDX-License-Identifier: GPL-2.0-only
/* What the forms for other programs share. */
#include "reports/export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"

const struct exporter *const exporters[] = {
	&export_csv, &export_kcidb, &export_ktap, &export_openmetrics, NULL,
};

const struct exporter *exporter_find(const char *name)
{
	for (const struct exporter *const *exporter = exporters; *exporter; exporter++)
		if (!strcmp((*exporter)->name, name))
			return *exporter;
	return NULL;
}

static enum export_status status_of_verdict(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BETTER:
	case VERDICT_EQUIVALENT:
	case VERDICT_AGREE:
	case VERDICT_HELD:
		return EXPORT_FINE;
	case VERDICT_WORSE:
	case VERDICT_DISAGREE:
	case VERDICT_VIOLATED:
		return EXPORT_FAILED;
	case VERDICT_INCONCLUSIVE:
	case VERDICT_UNCLEAR:
	case VERDICT_UNTESTED:
		return EXPORT_OPEN;
	case VERDICT_NOT_MEASURED:
		return EXPORT_SKIPPED;
	case VERDICT_NOT_JUDGED:
		break;
	}
	return EXPORT_FIGURE;
}

/* Whether @what stands in the way of @comparison, on either of its sides. */
static bool is_in_the_way(const struct comparison *comparison, const struct unmeasured *what)
{
	if (what->variant != comparison->variant && what->variant != comparison->against)
		return false;
	return (what->section == SIZE_MAX || what->section == comparison->section) &&
	       (what->metric == SIZE_MAX || what->metric == comparison->metric);
}

bool was_tried(const struct unmeasured *what)
{
	return what->outcome && strcmp(what->outcome, "unsupported") &&
	       strcmp(what->outcome, "absent");
}

/* The first thing that stands in the way and was tried; else the first; else NULL. */
static const struct unmeasured *find_unmeasured(const struct analysis *analysis,
						const struct comparison *comparison)
{
	const struct unmeasured *first = NULL;

	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];

		if (!is_in_the_way(comparison, what))
			continue;
		if (was_tried(what))
			return what;
		first = first ? first : what;
	}
	return first;
}

enum export_status export_comparison_status(const struct analysis *analysis,
					    const struct comparison *comparison)
{
	enum export_status status = status_of_verdict(comparison->verdict);
	const struct unmeasured *what = NULL;

	if (status == EXPORT_SKIPPED)
		what = find_unmeasured(analysis, comparison);
	if (what && was_tried(what))
		return EXPORT_BROKEN;
	return status;
}

enum export_status export_invariant_status(const struct invariant *invariant)
{
	return status_of_verdict(invariant->verdict);
}

const char *export_status_text(const struct analysis *analysis, const struct comparison *comparison,
			       char out[EXPORT_TEXT_MAX])
{
	const char *word = verdict_word(comparison->verdict);
	const struct unmeasured *what;

	*out = '\0';
	switch (export_comparison_status(analysis, comparison)) {
	case EXPORT_SKIPPED:
	case EXPORT_BROKEN:
		what = find_unmeasured(analysis, comparison);
		if (comparison->reason)
			snprintf(out, EXPORT_TEXT_MAX, "%s", comparison->reason);
		else
			snprintf(out, EXPORT_TEXT_MAX, "%s: %s", what ? what->outcome : word,
				 what && what->reason ? what->reason
						      : "no boot of one side has it");
		break;
	case EXPORT_OPEN:
		if (comparison->reason)
			snprintf(out, EXPORT_TEXT_MAX, "%s: %s", word, comparison->reason);
		else if (comparison->more_boots && comparison->more_boots != SIZE_MAX)
			snprintf(out, EXPORT_TEXT_MAX,
				 "%s: it takes at least %zu more boots of each", word,
				 comparison->more_boots);
		else
			snprintf(out, EXPORT_TEXT_MAX, "%s", word);
		break;
	default:
		break;
	}
	return out;
}

const char *comparison_text(const struct analysis *analysis, const struct comparison *comparison,
			    char out[EXPORT_TEXT_MAX])
{
	const char *unit =
		analysis->results->sections[comparison->section].metrics[comparison->metric].unit;
	char value[FORMATTED_MAX], baseline[FORMATTED_MAX], ratio[FORMATTED_MAX];
	char low[FORMATTED_MAX], high[FORMATTED_MAX], p[FORMATTED_MAX];
	int length = snprintf(out, EXPORT_TEXT_MAX, "%s in %zu boots against %s in %zu",
			      format_value(value, comparison->other.centre, unit),
			      comparison->other.n_boots,
			      format_value(baseline, comparison->baseline.centre, unit),
			      comparison->baseline.n_boots);

	if (!isnan(comparison->ratio))
		length += snprintf(out + length, (size_t)(EXPORT_TEXT_MAX - length), ", ratio %s",
				   format_ratio(ratio, comparison->ratio));
	if (!isnan(comparison->ratio_low))
		length += snprintf(out + length, (size_t)(EXPORT_TEXT_MAX - length), " (%s to %s)",
				   format_ratio(low, comparison->ratio_low),
				   format_ratio(high, comparison->ratio_high));
	if (!isnan(shown_p(comparison)))
		snprintf(out + length, (size_t)(EXPORT_TEXT_MAX - length), ", p %s",
			 format_p(p, shown_p(comparison)));
	return out;
}

const char *exact_number(double value, char out[EXACT_NUMBER_MAX])
{
	*out = '\0';
	if (!isfinite(value))
		return out;
	snprintf(out, EXACT_NUMBER_MAX, "%.15g", value);
	if (strtod(out, NULL) != value)
		snprintf(out, EXACT_NUMBER_MAX, "%.17g", value);
	return out;
}

double to_base_unit(double value, const char *unit, const char **base)
{
	static const struct {
		const char *unit, *base;
		double divisor;
	} units[] = {{"ns", "seconds", 1e9},	{"us", "seconds", 1e6},	     {"ms", "seconds", 1e3},
		     {"percent", "ratio", 100}, {"permille", "ratio", 1000}, {"ratio", "ratio", 1},
		     {"bytes", "bytes", 1}};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(unit, units[i].unit)) {
			*base = units[i].base;
			return value / units[i].divisor;
		}
	*base = "";
	return value;
}
