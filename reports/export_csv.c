// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comma-separated values as RFC 4180 has them: lines end in CR LF, a field with a comma or a
 * quote is quoted. doc/internals.md describes the columns.
 */
#include <math.h>
#include <string.h>

#include "reports/export.h"

struct row {
	struct buffer *out;
	bool has_field;
};

static void begin_field(struct row *row)
{
	if (row->has_field)
		buffer_add(row->out, ",");
	row->has_field = true;
}

/*
 * A text from a file. A spreadsheet would run one that begins like a formula, so that gets an
 * apostrophe before it; control characters, which no name or reason needs, become blanks.
 */
static void add_text(struct row *row, const char *text)
{
	bool is_quoted = text && strpbrk(text, ",\"");

	begin_field(row);
	if (!text)
		return;
	if (is_quoted)
		buffer_add(row->out, "\"");
	if (strchr("=+-@\t\r", *text) && *text)
		buffer_add(row->out, "'");
	for (; *text; text++) {
		char c = (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text;

		buffer_add_bytes(row->out, c == '"' ? "\"\"" : &c, c == '"' ? 2 : 1);
	}
	if (is_quoted)
		buffer_add(row->out, "\"");
}

/* An empty field for what is not a number. */
static void add_number(struct row *row, double value)
{
	char text[EXACT_NUMBER_MAX];

	begin_field(row);
	buffer_add(row->out, exact_number(value, text));
}

static void add_count(struct row *row, uint64_t count)
{
	begin_field(row);
	buffer_format(row->out, "%llu", (unsigned long long)count);
}

static void end_row(struct row *row)
{
	buffer_add(row->out, "\r\n");
	row->has_field = false;
}

/* The columns that say what a row is about. @section and @metric may be NULL. */
static void begin_figure(struct row *row, const struct results *results, const struct boot *boot,
			 const struct section_info *section, const struct metric_info *metric)
{
	add_text(row, results->campaigns[boot->campaign].id);
	add_count(row, boot->index);
	add_count(row, boot->round);
	add_text(row, results->variants[boot->variant].label);
	add_text(row, results->machines[boot->machine].name);
	add_text(row, results->target);
	add_text(row, results->time);
	add_text(row, section ? section->id : NULL);
	add_text(row, section ? section->workload : NULL);
	add_text(row, section ? section->params : NULL);
	add_text(row, section ? section->placement : NULL);
	add_text(row, metric ? metric->name : NULL);
	add_text(row, metric ? metric->unit : NULL);
	add_text(row, metric ? metric_kind_name(metric->kind) : NULL);
	add_text(row, metric ? metric_direction_name(metric->direction) : NULL);
	add_text(row, metric ? metric_role_name(metric->role) : NULL);
}

static void end_figure(struct row *row, const char *outcome, const char *statistic, double value,
		       const char *reason)
{
	add_text(row, outcome);
	add_text(row, statistic);
	add_number(row, value);
	add_text(row, reason);
	end_row(row);
}

struct figure {
	const char *statistic;
	double value;
};
#define FIGURES_MAX (STATISTICS + 2)

/* All figures of a measurement, in a fixed order; returns how many there are. */
static size_t list_figures(const struct metric_info *metric, const struct measurement *measurement,
			   struct figure figures[FIGURES_MAX])
{
	size_t count = 0;

	if (metric->kind == METRIC_INVARIANT) {
		figures[count++] = (struct figure){"violations", (double)measurement->violations};
		figures[count++] = (struct figure){"exposure", (double)measurement->exposure};
		return count;
	}
	if (metric->kind == METRIC_DISTRIBUTION) {
		figures[count++] = (struct figure){"samples", (double)measurement->samples};
		figures[count++] = (struct figure){"min", measurement->min};
	}
	for (int i = 0; i < STATISTICS; i++)
		figures[count++] = (struct figure){statistic_word((enum statistic)i),
						   measurement->statistic[i]};
	return count;
}

static void add_measurement(struct row *row, const struct results *results, const struct boot *boot,
			    const struct section_info *section, const struct metric_info *metric,
			    const struct measurement *measurement)
{
	const char *outcome = outcome_name(measurement->outcome);
	struct figure figures[FIGURES_MAX];
	size_t count = list_figures(metric, measurement, figures);
	bool has_figure = false;

	for (size_t i = 0; i < count; i++) {
		if (isnan(figures[i].value))
			continue;
		begin_figure(row, results, boot, section, metric);
		end_figure(row, outcome, figures[i].statistic, figures[i].value,
			   measurement->reason);
		has_figure = true;
	}
	if (has_figure)
		return;
	begin_figure(row, results, boot, section, metric);
	end_figure(row, outcome, NULL, NAN, measurement->reason);
}

/* A section that did not end well has a row of its own, and then its figures' if it has any. */
static void add_section(struct row *row, const struct results *results, const struct boot *boot,
			size_t index)
{
	const struct section_info *section = &results->sections[index];
	const struct section_result *result = boot_section(boot, index);

	if (!result)
		return;
	if (result->outcome != OUTCOME_OK) {
		begin_figure(row, results, boot, section, NULL);
		end_figure(row, outcome_name(result->outcome), NULL, NAN, result->reason);
	}
	for (size_t i = 0; i < section->n_metrics; i++) {
		const struct measurement *measurement = boot_measurement(boot, index, i);

		if (measurement)
			add_measurement(row, results, boot, section, &section->metrics[i],
					measurement);
	}
}

static void write_figures(struct buffer *out, const struct analysis *analysis)
{
	const struct results *results = analysis->results;
	struct row row = {.out = out};

	buffer_add(
		out,
		"campaign,boot,round,variant,machine,target,time,section,workload,params,placement,"
		"metric,unit,kind,direction,role,outcome,statistic,value,reason\r\n");
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];

		if (boot->end != BOOT_END_OK) {
			begin_figure(&row, results, boot, NULL, NULL);
			end_figure(&row, boot_end_word(boot->end), NULL, NAN, boot->reason);
		}
		for (size_t section = 0; section < results->n_sections; section++)
			add_section(&row, results, boot, section);
	}
}

static void begin_verdict(struct row *row, const struct analysis *analysis, size_t section_index,
			  size_t metric_index)
{
	const struct section_info *section = &analysis->results->sections[section_index];
	const struct metric_info *metric = &section->metrics[metric_index];

	add_text(row, section->id);
	add_text(row, section->workload);
	add_text(row, section->params);
	add_text(row, section->placement);
	add_text(row, metric->name);
	add_text(row, metric->unit);
	add_text(row, metric_direction_name(metric->direction));
	add_text(row, metric_role_name(metric->role));
}

static void add_comparison(struct row *row, const struct analysis *analysis,
			   const struct comparison *comparison)
{
	const struct variant_info *variants = analysis->results->variants;
	char reason[EXPORT_TEXT_MAX];

	begin_verdict(row, analysis, comparison->section, comparison->metric);
	add_text(row, statistic_word(comparison->statistic));
	add_text(row, variants[comparison->against].label);
	add_text(row, variants[comparison->variant].label);
	add_text(row, comparison->machine == ALL_MACHINES
			      ? NULL
			      : analysis->results->machines[comparison->machine].name);
	add_count(row, comparison->baseline.n_boots);
	add_count(row, comparison->other.n_boots);
	add_count(row, comparison->baseline.samples);
	add_count(row, comparison->other.samples);
	add_number(row, comparison->baseline.centre);
	add_number(row, comparison->other.centre);
	add_number(row, comparison->ratio);
	add_number(row, comparison->ratio_low);
	add_number(row, comparison->ratio_high);
	add_number(row, comparison->permutation.p);
	add_number(row, comparison->p_adjusted);
	add_number(row, comparison->p_equivalence_adjusted);
	add_text(row, verdict_word(comparison->verdict));
	if (comparison->more_boots == SIZE_MAX)
		add_text(row, NULL);
	else
		add_count(row, comparison->more_boots);
	add_text(row, NULL);
	add_text(row, NULL);
	add_text(row, export_status_text(analysis, comparison, reason));
	end_row(row);
}

static void add_invariant(struct row *row, const struct analysis *analysis,
			  const struct invariant *invariant)
{
	begin_verdict(row, analysis, invariant->section, invariant->metric);
	add_text(row, "violations");
	add_text(row, NULL);
	add_text(row, analysis->results->variants[invariant->variant].label);
	add_text(row, NULL);
	add_text(row, NULL);
	add_count(row, invariant->n_boots);
	for (int i = 0; i < 10; i++)
		add_text(row, NULL);
	add_text(row, verdict_word(invariant->verdict));
	add_text(row, NULL);
	add_count(row, invariant->violations);
	add_count(row, invariant->exposure);
	add_text(row, NULL);
	end_row(row);
}

static void write_verdicts(struct buffer *out, const struct analysis *analysis)
{
	struct row row = {.out = out};

	buffer_add(
		out,
		"section,workload,params,placement,metric,unit,direction,role,statistic,"
		"baseline,variant,machine,boots_baseline,boots_variant,samples_baseline,samples_variant,"
		"value_baseline,value_variant,ratio,ratio_low,ratio_high,p,p_adjusted,"
		"p_equivalence_adjusted,verdict,more_boots,violations,exposure,reason\r\n");
	for (size_t i = 0; i < analysis->n_comparisons; i++)
		add_comparison(&row, analysis, &analysis->comparisons[i]);
	for (size_t i = 0; i < analysis->n_by_machine; i++)
		add_comparison(&row, analysis, &analysis->by_machine[i]);
	for (size_t i = 0; i < analysis->n_invariants; i++)
		add_invariant(&row, analysis, &analysis->invariants[i]);
}

static void write_csv(struct buffer *out, const struct analysis *analysis,
		      const struct export_options *options)
{
	if (options->table == CSV_VERDICTS)
		write_verdicts(out, analysis);
	else
		write_figures(out, analysis);
}

const struct exporter export_csv = {.name = "csv", .write = write_csv};
