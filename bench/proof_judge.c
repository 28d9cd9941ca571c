// SPDX-License-Identifier: GPL-2.0-only
/* What a proof's boots and searches say: no guest, no file. */
#include "bench/proof.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "measure/clock.h"

/* ---- figures --------------------------------------------------------------------------------- */

static double least(const struct proof_side *side)
{
	double value = INFINITY;

	for (size_t i = 0; i < side->n_values; i++)
		value = fmin(value, side->values[i]);
	return value;
}

static double most(const struct proof_side *side)
{
	double value = -INFINITY;

	for (size_t i = 0; i < side->n_values; i++)
		value = fmax(value, side->values[i]);
	return value;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Of an even number the lower of the two: a boot that was measured. NaN: there is none. */
static double median(const struct proof_side *side)
{
	double *sorted = malloc((side->n_values + 1) * sizeof(*sorted)), value;

	if (!sorted || !side->n_values) {
		free(sorted);
		return NAN;
	}
	memcpy(sorted, side->values, side->n_values * sizeof(*sorted));
	qsort(sorted, side->n_values, sizeof(*sorted), by_value);
	value = sorted[(side->n_values - 1) / 2];
	free(sorted);
	return value;
}

static double divide(double value, double by)
{
	return by > 0 ? value / by : NAN;
}

/* So many digits as tell a ratio from 1. */
static int digits_of(double ratio)
{
	return ratio < 1.1 ? 4 : 3;
}

static void judge_worse(const struct proof_figure *figure, struct proof_judgement *judgement)
{
	bool is_shown = judgement->ratio_least >= figure->factor;

	judgement->verdict = is_shown ? PROOF_SHOWN : PROOF_NOT_SHOWN;
	snprintf(
		judgement->reason, sizeof(judgement->reason),
		"%s is %.*g times as much without it (medians), in every boot at least %.*g times; "
		"%.*g %s",
		figure->metric, digits_of(judgement->ratio), judgement->ratio,
		digits_of(judgement->ratio_least), judgement->ratio_least,
		digits_of(figure->factor), figure->factor,
		is_shown ? "are called for" : "would show it");
}

static void judge_violation(const struct proof_figure *figure, const struct proof_side *full,
			    const struct proof_side *without, struct proof_judgement *judgement)
{
	size_t violated = 0;

	for (size_t i = 0; i < without->n_values; i++)
		violated += without->values[i] > 0;
	if (most(full) > 0) {
		judgement->verdict = PROOF_NOT_CLEAN;
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "%s must be zero and is up to %.6g with the whole series", figure->metric,
			 most(full));
		return;
	}
	judgement->verdict = violated ? PROOF_SHOWN : PROOF_NOT_SHOWN;
	snprintf(judgement->reason, sizeof(judgement->reason),
		 "%s must be zero: it is not in %zu of %zu boots without the patch, and it is in "
		 "all %zu with it",
		 figure->metric, violated, without->n_values, full->n_values);
}

static void judge_same(const struct proof_figure *figure, const struct proof_side *full,
		       const struct proof_side *without, struct proof_judgement *judgement)
{
	double apart = divide(fmax(most(full), most(without)), fmin(least(full), least(without)));
	bool is_same = apart <= figure->factor;

	judgement->verdict = is_same ? PROOF_NOT_SHOWN : PROOF_SHOWN;
	snprintf(judgement->reason, sizeof(judgement->reason),
		 is_same ? "%s is the same with it and without, to a factor of %.6g"
			 : "%s is apart by a factor of %.6g, though nothing should differ",
		 figure->metric, apart);
}

/* What comes before any figure: boots that went wrong. False: go on. */
static bool judge_boots(const struct proof_side *full, const struct proof_side *without,
			struct proof_judgement *judgement)
{
	const struct proof_side *lacking = full->n_values < full->n_boots ? full : without;

	if (full->n_unhealthy) {
		judgement->verdict = PROOF_NOT_CLEAN;
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "%zu of %zu boots of the whole series complained or crashed: %.300s",
			 full->n_unhealthy, full->n_boots, full->first_word ?: "");
	} else if (without->n_unhealthy) {
		judgement->verdict = PROOF_SHOWN;
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "%zu of %zu boots without it complained or crashed, and none of %zu with "
			 "it: %.300s",
			 without->n_unhealthy, without->n_boots, full->n_boots,
			 without->first_word ?: "");
	} else if (!full->n_boots || lacking->n_values < lacking->n_boots) {
		judgement->verdict = PROOF_BROKEN;
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "%zu of %zu boots %s it have the figure: %.300s", lacking->n_values,
			 lacking->n_boots, lacking == full ? "with" : "without",
			 lacking->first_word ?: "");
	} else {
		return false;
	}
	return true;
}

void proof_judge_figure(const struct proof_figure *figure, const struct proof_side *full,
			const struct proof_side *without, struct proof_judgement *judgement)
{
	*judgement = (struct proof_judgement){.ratio = divide(median(without), median(full)),
					      .ratio_least = divide(least(without), most(full))};
	if (judge_boots(full, without, judgement))
		return;
	switch (figure->rule) {
	case PROOF_WORSE:
		judge_worse(figure, judgement);
		break;
	case PROOF_VIOLATION:
		judge_violation(figure, full, without, judgement);
		break;
	case PROOF_SAME:
		judge_same(figure, full, without, judgement);
		break;
	}
}

/* ---- searches -------------------------------------------------------------------------------- */

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

static void judge_found(const struct proof_search *search, struct proof_judgement *judgement)
{
	judgement->verdict = search->is_again ? PROOF_SHOWN : PROOF_BROKEN;
	if (search->is_again)
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "seed %" PRIu64 " without it: %s: %s, at %.6f s, twice the same; with it "
			 "%" PRIu64 " of %" PRIu64 " seeds show nothing",
			 search->seed, search->kind, search->text, seconds(search->at_ns),
			 search->n_full_tried - search->n_full_found, search->n_full_tried);
	else
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "seed %" PRIu64 " without it: %s: %s, at %.6f s, and not the same again",
			 search->seed, search->kind, search->text, seconds(search->at_ns));
}

void proof_judge_stress(const struct proof_search *search, struct proof_judgement *judgement)
{
	*judgement = (struct proof_judgement){.ratio = NAN, .ratio_least = NAN};
	if (search->n_full_found) {
		judgement->verdict = PROOF_NOT_CLEAN;
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "%" PRIu64 " of %" PRIu64 " seeds of the whole series show something: %s",
			 search->n_full_found, search->n_full_tried, search->full_text ?: "");
	} else if (search->is_found) {
		judge_found(search, judgement);
	} else if (!search->n_tried) {
		judgement->verdict = PROOF_BROKEN;
		snprintf(judgement->reason, sizeof(judgement->reason), "no seed was tried");
	} else {
		judgement->verdict = PROOF_NOT_SHOWN;
		snprintf(judgement->reason, sizeof(judgement->reason),
			 "%" PRIu64 " seeds of %.3g s of virtual time each show nothing of the "
			 "kind without it (%" PRIu64 " something else)",
			 search->n_tried, seconds(search->duration_ns), search->n_others);
	}
}

/* How far before and behind a report's first line belongs to it: its sentence, its stack. */
#define LINES_BEFORE 3u
#define LINES_BEHIND 60u

static const char *line_before(const char *log, const char *line)
{
	if (line > log)
		line--;
	while (line > log && line[-1] != '\n')
		line--;
	return line;
}

static bool has_sign(const char *line, size_t length, const char *const *expected)
{
	for (; expected && *expected; expected++)
		if (memmem(line, length, *expected, strlen(*expected)))
			return true;
	return !expected;
}

bool proof_find_sign(const char *log, size_t at, const char *const *expected, char *line,
		     size_t line_size)
{
	const char *from = log + (at < strlen(log) ? at : strlen(log));

	for (unsigned int i = 0; expected && i < LINES_BEFORE; i++)
		from = line_before(log, from);
	for (unsigned int i = 0; i < LINES_BEFORE + LINES_BEHIND && *from; i++) {
		size_t length = strcspn(from, "\r\n");
		const char *text = *from == '[' ? memchr(from, ']', length) : NULL;

		if (has_sign(from, length, expected)) {
			text = text ? text + 1 : from;
			text += strspn(text, " ");
			snprintf(line, line_size, "%.*s", (int)(from + length - text), text);
			return true;
		}
		from += length;
		from += strspn(from, "\r\n");
	}
	return false;
}

/* ---- rows ------------------------------------------------------------------------------------ */

enum proof_verdict proof_row_verdict(const enum proof_verdict *steps, size_t n_steps)
{
	/* What overrules what, the strongest last. */
	static const int weight[] = {[PROOF_NOT_SHOWN] = 0,
				     [PROOF_BROKEN] = 1,
				     [PROOF_SHOWN] = 2,
				     [PROOF_NOT_CLEAN] = 3};
	enum proof_verdict verdict = n_steps ? steps[0] : PROOF_BROKEN;

	for (size_t i = 1; i < n_steps; i++)
		if (weight[steps[i]] > weight[verdict])
			verdict = steps[i];
	return verdict;
}

const char *proof_verdict_word(enum proof_verdict verdict, bool has_argument)
{
	switch (verdict) {
	case PROOF_SHOWN:
		return "shown";
	case PROOF_NOT_CLEAN:
		return "not-clean";
	case PROOF_NOT_SHOWN:
		return has_argument ? "argued" : "not-shown";
	default:
		return "broken";
	}
}

int proof_exit_code(struct json_object *document)
{
	struct json_object *rows = NULL;
	int code = EXIT_FINE;

	json_object_object_get_ex(document, "rows", &rows);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *verdict = NULL;
		const char *word;

		json_object_object_get_ex(json_object_array_get_idx(rows, i), "verdict", &verdict);
		word = json_object_get_string(verdict);
		if (!strcmp(word, "not-clean"))
			return EXIT_REGRESSION;
		if (!strcmp(word, "broken"))
			code = EXIT_BROKE;
		else if (!strcmp(word, "not-shown") && !code)
			code = EXIT_INCONCLUSIVE;
	}
	return code;
}
