// SPDX-License-Identifier: GPL-2.0-only
/* What a calibration found: in sentences, and as a table. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/calibration.h"
#include "reports/format.h"
#include "reports/page.h"
#include "reports/writers.h"

static int add_sentence(struct calibration *calibration, struct buffer *text)
{
	const char **added = NULL;

	if (!text->failed)
		added = arena_append(&calibration->arena, &calibration->headline,
				     &calibration->n_headline, sizeof(*added));
	if (added)
		*added = arena_text(&calibration->arena, text->text);
	buffer_release(text);
	return added && *added ? 0 : -ENOMEM;
}

/* "0.9 %" of a share; one digit is enough to judge by. */
static const char *percent(char out[FORMATTED_MAX], double share)
{
	if (!isfinite(share))
		return "-";
	snprintf(out, FORMATTED_MAX, fabs(share) < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * share);
	return out;
}

static int say_rate(struct calibration *calibration)
{
	char rate[FORMATTED_MAX], low[FORMATTED_MAX], high[FORMATTED_MAX], stated[FORMATTED_MAX];
	struct buffer text = {0};

	buffer_format(
		&text,
		"False verdicts: %u of %u re-enacted campaigns of %zu against %zu boots called "
		"the kernel different from itself (%s; by chance %s to %s); stated: at most "
		"%s.",
		calibration->false_draws, calibration->draws, calibration->group_boots,
		calibration->group_boots, percent(rate, calibration->rate),
		percent(low, calibration->rate_low), percent(high, calibration->rate_high),
		percent(stated, calibration->alpha));
	return add_sentence(calibration, &text);
}

static int say_independent(struct calibration *calibration)
{
	char low[FORMATTED_MAX], high[FORMATTED_MAX];
	struct buffer text = {0};

	buffer_format(&text,
		      "These campaigns share %zu boots and tell as much as %.0f independent ones: "
		      "this machine's own rate is between %s and %s. More boots narrow that.",
		      calibration->n_ok, calibration->independent,
		      percent(low, calibration->machine_low),
		      percent(high, calibration->machine_high));
	return add_sentence(calibration, &text);
}

static int say_plain(struct calibration *calibration)
{
	struct buffer text = {0};

	if (!calibration->plain_tests)
		return 0;
	buffer_format(
		&text,
		"A against A as booted: of %zu primary tests %zu equivalent, %zu different, %zu "
		"inconclusive.",
		calibration->plain_tests, calibration->plain_equivalent, calibration->plain_false,
		calibration->plain_tests - calibration->plain_equivalent -
			calibration->plain_false);
	return add_sentence(calibration, &text);
}

static int say_problem(struct calibration *calibration, const char *problem)
{
	struct buffer text = {0};

	buffer_add(&text, problem);
	return add_sentence(calibration, &text);
}

static int say_too_few(struct calibration *calibration, size_t least)
{
	struct buffer text = {0};

	calibration->exit_code = EXIT_INCONCLUSIVE;
	buffer_format(
		&text,
		"Too few boots: %zu that ended well make campaigns of %zu against %zu, which can "
		"decide none of %zu primary tests; it takes %zu boots at least.",
		calibration->n_ok, calibration->group_boots, calibration->group_boots,
		calibration->tests, 2 * least);
	return add_sentence(calibration, &text);
}

static int say_drift(struct calibration *calibration)
{
	size_t drifting = 0;
	struct buffer text = {0};

	for (size_t i = 0; i < calibration->n_metrics; i++)
		drifting += calibration->metrics[i].drift_p * (double)calibration->tests <=
			    calibration->alpha;
	if (!drifting)
		return 0;
	buffer_format(
		&text,
		"Drift: %zu of %zu primary figures went up or down over the boots; the machine "
		"may have warmed up, or something else ran.",
		drifting, calibration->n_metrics);
	return add_sentence(calibration, &text);
}

static int say_health(struct calibration *calibration)
{
	size_t lost = calibration->n_boots - calibration->n_ok;
	struct buffer text = {0};

	if (!lost && !calibration->n_unclean)
		return 0;
	buffer_format(
		&text,
		"Health: of %zu boots %zu did not end well, and in %zu the kernel complained.",
		calibration->n_boots, lost, calibration->n_unclean);
	return add_sentence(calibration, &text);
}

int calibration_conclude(struct calibration *calibration)
{
	size_t least = permutation_boots_needed(calibration->alpha,
						calibration->tests ? calibration->tests : 1, 1,
						calibration->is_paired);
	int err = 0;

	if (!calibration->n_ok || !calibration->n_metrics) {
		calibration->exit_code = calibration->n_ok ? EXIT_CANNOT : EXIT_BROKE;
		err = say_problem(calibration, calibration->n_ok
						       ? "No boot has a primary metric: there is "
							 "nothing to calibrate."
						       : "No boot ended well: there is nothing to "
							 "calibrate.");
		return err ? err : say_health(calibration);
	}
	if (calibration->group_boots < least) {
		err = say_too_few(calibration, least);
	} else {
		err = say_rate(calibration);
		if (!err)
			err = say_independent(calibration);
	}
	if (!err && calibration->machine_low > calibration->alpha) {
		calibration->exit_code = EXIT_REGRESSION;
		err = say_problem(calibration,
				  "That is more than stated: verdicts from this machine cannot be "
				  "trusted as they are. Look for drift, other load, frequency "
				  "changes ('proxeval doctor' lists what spoils a measurement).");
	}
	if (!err)
		err = say_plain(calibration);
	if (!err)
		err = say_drift(calibration);
	return err ? err : say_health(calibration);
}

/* ---- text --------------------------------------------------------------------------- */

/* "5.1/6.3" per cent at the two powers; "-" where no effect would be seen. */
static const char *effect_text(char out[FORMATTED_MAX], const double effects[CALIBRATION_POWERS])
{
	char parts[CALIBRATION_POWERS][16];

	if (isnan(effects[0]))
		return "?";
	if (isinf(effects[0]))
		return "-";
	for (size_t i = 0; i < CALIBRATION_POWERS; i++)
		snprintf(parts[i], sizeof(parts[i]), 100 * effects[i] < 9.95 ? "%.1f" : "%.0f",
			 100 * fmin(effects[i], 9.99));
	snprintf(out, FORMATTED_MAX, "%s/%s", parts[0], parts[1]);
	return out;
}

static void add_metric_rows(struct buffer *out, const struct calibration *calibration,
			    const struct calibration_metric *metric)
{
	const struct section_info *section = &calibration->results->sections[metric->section];
	char name[FORMATTED_MAX], value[FORMATTED_MAX], spread[FORMATTED_MAX], row[256];
	char effect[FORMATTED_MAX], drift[FORMATTED_MAX];
	struct buffer text = {0};

	snprintf(row, sizeof(row), "%.*s, %.*s: %s, spread %s, drift %s", 24,
		 format_metric(name, &section->metrics[metric->metric], metric->statistic), 24,
		 section->placement,
		 format_value(value, metric->centre, section->metrics[metric->metric].unit),
		 percent(spread, metric->spread), percent(drift, metric->drift));
	buffer_add(&text, row);
	page_add_wrapped(out, "", text.text ? text.text : "");
	buffer_release(&text);
	buffer_add(out, " ");
	for (size_t i = 0; i < CALIBRATION_SIZES; i++)
		buffer_format(out, " %11s", effect_text(effect, metric->effects[i]));
	buffer_add(out, "\n");
}

static void add_table(struct buffer *out, const struct calibration *calibration)
{
	buffer_add(out, "\n");
	page_add_wrapped(out, "",
			 "The smallest change in per cent that a campaign calls different with a "
			 "power of 80 % / 95 %, by its boots of each variant (-: none, too few "
			 "boots):");
	buffer_add(out, " ");
	for (size_t i = 0; i < CALIBRATION_SIZES; i++)
		buffer_format(out, " %5zu boots", calibration_sizes[i]);
	buffer_add(out, "\n");
	for (size_t i = 0; i < calibration->n_metrics; i++)
		add_metric_rows(out, calibration, &calibration->metrics[i]);
}

void calibration_write(struct buffer *out, const struct calibration *calibration)
{
	const struct results *results = calibration->results;
	struct buffer text = {0};

	buffer_format(&text, "Calibration: %zu boots of %s; target %s, %s time", calibration->n_ok,
		      calibration->label, results->target, results->time);
	if (calibration->n_ok) {
		const struct boot *boot = &results->boots[calibration->boots[0]];
		const char *release = results->variants[boot->variant].release;

		buffer_format(&text, ", %s%s%s", results->machines[boot->machine].name,
			      release ? ", Linux " : "", release ? release : "");
	}
	page_add_wrapped(out, "", text.text ? text.text : "");
	out->failed |= text.failed;
	buffer_release(&text);
	buffer_add(out, "\n");
	for (size_t i = 0; i < calibration->n_headline; i++)
		page_add_wrapped(out, "", calibration->headline[i]);
	if (calibration->n_metrics)
		add_table(out, calibration);
}
