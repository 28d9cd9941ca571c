// SPDX-License-Identifier: GPL-2.0-only
#include "reports/findings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "reports/sentences.h"

static const char *const words[] = {
	[FINDING_WORSE] = "worse",
	[FINDING_VIOLATED] = "violated",
	[FINDING_UNHEALTHY] = "unhealthy",
	[FINDING_INCONCLUSIVE] = "inconclusive",
	[FINDING_NOT_MEASURED] = "not-measured",
	[FINDING_UNTESTED] = "untested",
	[FINDING_BROKEN] = "broken",
	[FINDING_UNCLEAN] = "unclean",
	[FINDING_DISAGREE] = "disagree",
	[FINDING_SECONDARY_WORSE] = "secondary-worse",
};

const char *finding_word(enum finding finding)
{
	return words[finding];
}

bool is_same_violation(const struct results *results, const struct invariant *a,
		       const struct invariant *b)
{
	const struct section_info *one = &results->sections[a->section];
	const struct section_info *other = &results->sections[b->section];

	return a->verdict == VERDICT_VIOLATED && b->verdict == VERDICT_VIOLATED &&
	       a->variant == b->variant && !strcmp(one->workload, other->workload) &&
	       !strcmp(one->metrics[a->metric].name, other->metrics[b->metric].name);
}

bool find_violation(const struct analysis *analysis, size_t index, struct violation *violation)
{
	const struct invariant *first = &analysis->invariants[index];

	*violation = (struct violation){.first = first};
	if (first->verdict != VERDICT_VIOLATED)
		return false;
	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];

		if (!is_same_violation(analysis->results, invariant, first))
			continue;
		if (i < index)
			return false;
		violation->sections++;
		violation->violations += invariant->violations;
		violation->exposure += invariant->exposure;
	}
	return true;
}

size_t count_verdicts(const struct analysis *analysis, enum family family, enum verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < analysis->n_comparisons; i++)
		count += analysis->comparisons[i].family == family &&
			 analysis->comparisons[i].verdict == verdict;
	return count;
}

bool is_about_primary(const struct analysis *analysis, const struct unmeasured *what)
{
	const struct section_info *section;

	if (what->section == SIZE_MAX)
		return false;
	section = &analysis->results->sections[what->section];
	if (what->metric != SIZE_MAX)
		return section->metrics[what->metric].role == ROLE_PRIMARY;
	for (size_t i = 0; i < section->n_metrics; i++)
		if (section->metrics[i].role == ROLE_PRIMARY)
			return true;
	return false;
}

/* What of a variant's boots and primary metrics never came, for all but lack of support. */
struct losses {
	size_t boots;  /* that did not end well */
	size_t failed; /* primary metrics that failed, once for each boot */
	size_t broken; /* those whose evidence is missing, or that are not there at all */
};

static struct losses losses_of(const struct analysis *analysis, size_t variant)
{
	struct losses losses = {.boots = analysis->variants[variant].crashed};

	for (size_t i = 0; i < analysis->n_unmeasured; i++) {
		const struct unmeasured *what = &analysis->unmeasured[i];

		if (what->variant != variant || !is_about_primary(analysis, what))
			continue;
		if (!strcmp(what->outcome, "failed"))
			losses.failed += what->boots;
		else if (strcmp(what->outcome, "unsupported"))
			losses.broken += what->boots;
	}
	return losses;
}

/*
 * Variants whose kernel broke, lost work or complained more than their baseline's. In real
 * time one lost boot is an accident of the machine; virtual time has no accidents.
 */
static size_t count_unhealthy(const struct analysis *analysis)
{
	size_t accidents = analysis->results->time && !strcmp(analysis->results->time, "real");
	size_t count = 0;

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		size_t against = variant_baseline(analysis, i);
		const struct variant_sum *sum = &analysis->variants[i];
		const struct variant_sum *baseline = &analysis->variants[against];
		struct losses losses = losses_of(analysis, i), base = losses_of(analysis, against);

		if (i == against || !baseline->ok)
			continue;
		count += sum->unclean > baseline->unclean || losses.failed > base.failed ||
			 losses.boots > base.boots + accidents ||
			 (!sum->ok && losses.boots > base.boots);
	}
	return count;
}

static size_t count_broken(const struct analysis *analysis)
{
	size_t count = 0;

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		struct losses losses = losses_of(analysis, i);

		count += losses.boots + losses.failed + losses.broken;
	}
	return count;
}

static size_t count_unclean(const struct analysis *analysis)
{
	size_t count = 0;

	for (size_t i = 0; i < analysis->results->n_variants; i++)
		count += analysis->variants[i].unclean;
	return count;
}

static bool is_informative(const struct analysis *analysis, const struct invariant *invariant)
{
	return analysis->results->sections[invariant->section].metrics[invariant->metric].role ==
	       ROLE_INFORMATIVE;
}

/* A variant that stands alone has nobody to be the baseline of. */
static bool is_baselines(const struct analysis *analysis, const struct invariant *invariant)
{
	return invariant->variant == analysis->baseline && analysis->results->n_variants > 1;
}

const char *violation_note(const struct analysis *analysis, const struct invariant *invariant)
{
	if (is_informative(analysis, invariant))
		return " (informative: it is not counted)";
	return is_baselines(analysis, invariant) ? " (the baseline)" : "";
}

static size_t count_violations(const struct analysis *analysis, bool of_baseline)
{
	size_t count = 0;

	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];

		count += invariant->verdict == VERDICT_VIOLATED &&
			 is_baselines(analysis, invariant) == of_baseline &&
			 !is_informative(analysis, invariant);
	}
	return count;
}

size_t baseline_violations(const struct analysis *analysis)
{
	return count_violations(analysis, true);
}

static size_t count_untested(const struct analysis *analysis)
{
	size_t count = 0;

	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];
		const struct section_info *section =
			&analysis->results->sections[invariant->section];

		count += invariant->verdict == VERDICT_UNTESTED &&
			 section->metrics[invariant->metric].role == ROLE_PRIMARY;
	}
	return count;
}

size_t finding_count(const struct analysis *analysis, enum finding finding)
{
	switch (finding) {
	case FINDING_WORSE:
		return count_verdicts(analysis, FAMILY_PRIMARY, VERDICT_WORSE);
	case FINDING_VIOLATED:
		return count_violations(analysis, false);
	case FINDING_UNHEALTHY:
		return count_unhealthy(analysis);
	case FINDING_INCONCLUSIVE:
		return count_verdicts(analysis, FAMILY_PRIMARY, VERDICT_INCONCLUSIVE);
	case FINDING_NOT_MEASURED:
		return count_verdicts(analysis, FAMILY_PRIMARY, VERDICT_NOT_MEASURED) +
		       analysis->n_missing_variants;
	case FINDING_UNTESTED:
		return count_untested(analysis);
	case FINDING_BROKEN:
		return count_broken(analysis);
	case FINDING_UNCLEAN:
		return count_unclean(analysis);
	case FINDING_DISAGREE:
		return count_verdicts(analysis, FAMILY_CONTROL, VERDICT_DISAGREE);
	default:
		return count_verdicts(analysis, FAMILY_SECONDARY, VERDICT_WORSE);
	}
}

/* Nothing came of any boot: because nothing can be measured here, or because it broke. */
static bool has_nothing(const struct analysis *analysis, int *exit_code)
{
	const struct results *results = analysis->results;
	bool has_broken = false;

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];

		has_broken |= boot->end != BOOT_END_OK;
		for (size_t section = 0; section < boot->n_sections; section++) {
			const struct section_result *result = boot_section(boot, section);

			if (result && result->outcome == OUTCOME_OK)
				return false;
			has_broken |= result && result->outcome != OUTCOME_UNSUPPORTED;
		}
	}
	*exit_code = has_broken ? EXIT_BROKE : EXIT_CANNOT;
	return true;
}

static unsigned int find_word(const char *word, size_t length)
{
	for (unsigned int i = 0; i < FINDINGS; i++)
		if (strlen(words[i]) == length && !strncmp(words[i], word, length))
			return 1u << i;
	return 0;
}

int findings_parse(const char *list, unsigned int *mask, char *problem, size_t problem_size)
{
	*mask = 0;
	for (const char *at = list; at; at = *at ? at + 1 : NULL) {
		size_t length = strcspn(at, ",");
		unsigned int bit = find_word(at, length);

		if (!bit) {
			snprintf(problem, problem_size, "%.*s", length > 40 ? 40 : (int)length, at);
			return -EINVAL;
		}
		*mask |= bit;
		at += length;
	}
	return 0;
}

static bool has_any(const struct analysis *analysis, unsigned int mask)
{
	for (unsigned int i = 0; i < FINDINGS; i++)
		if (mask & 1u << i && finding_count(analysis, (enum finding)i))
			return true;
	return false;
}

void findings_add_hits(struct buffer *out, const struct analysis *analysis)
{
	const char *separator = "";

	for (unsigned int i = 0; i < FINDINGS; i++) {
		size_t count = finding_count(analysis, (enum finding)i);

		if (!(analysis->fail_on & 1u << i) || !count)
			continue;
		buffer_format(out, "%s%s (%zu)", separator, words[i], count);
		separator = ", ";
	}
}

int findings_exit_code(const struct analysis *analysis)
{
	const unsigned int regressions =
		1u << FINDING_WORSE | 1u << FINDING_VIOLATED | 1u << FINDING_UNHEALTHY;
	const unsigned int doubts = 1u << FINDING_INCONCLUSIVE | 1u << FINDING_NOT_MEASURED |
				    1u << FINDING_UNTESTED | 1u << FINDING_BROKEN |
				    1u << FINDING_UNCLEAN | 1u << FINDING_DISAGREE;
	int exit_code = EXIT_FINE;

	if (has_any(analysis, analysis->fail_on ? analysis->fail_on : regressions))
		return EXIT_REGRESSION;
	if (has_nothing(analysis, &exit_code))
		return exit_code;
	if (variants_measured(analysis) < 2 || !analysis->tests[FAMILY_PRIMARY])
		return EXIT_INCONCLUSIVE;
	return !analysis->fail_on && has_any(analysis, doubts) ? EXIT_INCONCLUSIVE : EXIT_FINE;
}
