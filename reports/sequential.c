// SPDX-License-Identifier: GPL-2.0-only
#include "reports/sequential.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/exit_codes.h"

/* Each look has so many times the boots of the one before it: a finer grid would save few boots
 * and spend the error rate on looks that see nearly the same. */
#define GROWTH 1.5
/* What adds up from tenths is not exact. */
#define ROUNDING 1e-9

static double spent(double error_rate, unsigned int boots, unsigned int max_boots)
{
	return error_rate * boots / max_boots;
}

/* The fewest boots at which something could pass; @max_boots where none could. */
static unsigned int first_look(unsigned int max_boots, size_t tests, bool is_paired)
{
	for (unsigned int n = INTERVAL_MIN_BOOTS; n < max_boots; n++)
		if (permutation_smallest_p(n, 1, is_paired) * (double)tests <=
		    spent(VERDICT_ALPHA, n, max_boots))
			return n;
	return max_boots;
}

void sequential_plan_make(struct sequential_plan *plan, unsigned int max_boots, size_t tests,
			  bool is_paired)
{
	unsigned int first = first_look(max_boots, tests, is_paired), before = 0;
	double span = log((double)max_boots / first);
	size_t steps = (size_t)lround(span / log(GROWTH));

	if (steps >= SEQUENTIAL_MAX_LOOKS)
		steps = SEQUENTIAL_MAX_LOOKS - 1;
	*plan = (struct sequential_plan){.error_rate = VERDICT_ALPHA, .tests = tests};
	for (size_t i = 0; i <= steps; i++) {
		double share = steps ? (double)i / (double)steps : 1;
		unsigned int boots = (unsigned int)lround(first * exp(span * share));

		if (i == steps)
			boots = max_boots;
		if (boots <= before)
			continue;
		plan->looks[plan->n_looks++] = (struct sequential_look){
			boots, spent(VERDICT_ALPHA, boots - before, max_boots)};
		before = boots;
	}
}

unsigned int sequential_max_boots(const struct sequential_plan *plan)
{
	return plan->looks[plan->n_looks - 1].boots;
}

/* Seventeen digits give the same double back: the verdicts hang on it. */
static struct json_object *exact_number(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.17g", value);
	return json_object_new_double_s(value, text);
}

struct json_object *sequential_plan_to_json(const struct sequential_plan *plan)
{
	struct json_object *object = json_object_new_object(), *looks = json_object_new_array();

	if (!object || !looks) {
		json_object_put(object);
		json_object_put(looks);
		return NULL;
	}
	json_object_object_add(object, "method", json_object_new_string(SEQUENTIAL_METHOD));
	json_object_object_add(object, "spending", json_object_new_string(SEQUENTIAL_SPENDING));
	json_object_object_add(object, "error_rate", exact_number(plan->error_rate));
	json_object_object_add(object, "tests_expected", json_object_new_uint64(plan->tests));
	json_object_object_add(object, "max_boots",
			       json_object_new_uint64(sequential_max_boots(plan)));
	for (size_t i = 0; i < plan->n_looks; i++) {
		struct json_object *look = json_object_new_object();

		json_object_object_add(look, "boots", json_object_new_uint64(plan->looks[i].boots));
		json_object_object_add(look, "alpha", exact_number(plan->looks[i].alpha));
		json_object_array_add(looks, look);
	}
	json_object_object_add(object, "looks", looks);
	return object;
}

static double number_at(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value) ||
	    (!json_object_is_type(value, json_type_int) &&
	     !json_object_is_type(value, json_type_double)))
		return NAN;
	return json_object_get_double(value);
}

static int wrong(char *problem, size_t size, const char *what)
{
	snprintf(problem, size, "%s", what);
	return -EINVAL;
}

static int read_looks(struct json_object *list, struct sequential_plan *plan, char *problem,
		      size_t size)
{
	double sum = 0, before = 0;

	plan->n_looks = json_object_array_length(list);
	if (!plan->n_looks || plan->n_looks > SEQUENTIAL_MAX_LOOKS)
		return wrong(problem, size, "its sequential plan has no looks, or too many");
	for (size_t i = 0; i < plan->n_looks; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		double boots = number_at(object, "boots"), alpha = number_at(object, "alpha");

		if (!(boots > before && boots <= SEQUENTIAL_MAX_BOOTS) || boots != floor(boots))
			return wrong(problem, size,
				     "the looks of its sequential plan do not rise in boots");
		if (!(alpha > 0))
			return wrong(problem, size,
				     "a look of its sequential plan has no level to test at");
		plan->looks[i] = (struct sequential_look){(unsigned int)boots, alpha};
		before = boots;
		sum += alpha;
	}
	if (!(sum <= plan->error_rate * (1 + ROUNDING)))
		return wrong(problem, size,
			     "the levels of its sequential plan come to more than its error rate");
	return 0;
}

int sequential_plan_read(struct json_object *object, struct sequential_plan *plan, char *problem,
			 size_t problem_size)
{
	struct json_object *list = NULL;
	const char *method = json_text_at(object, (const char *[]){"method", NULL});

	*plan = (struct sequential_plan){.error_rate = number_at(object, "error_rate")};
	if (!method || strcmp(method, SEQUENTIAL_METHOD))
		return wrong(problem, problem_size,
			     "its sequential plan is by a method that this program does not know");
	if (!(plan->error_rate > 0 && plan->error_rate < 1))
		return wrong(problem, problem_size, "its sequential plan has no error rate");
	if (number_at(object, "tests_expected") >= 1)
		plan->tests = (size_t)fmin(number_at(object, "tests_expected"), 1e6);
	if (!json_object_object_get_ex(object, "looks", &list) ||
	    !json_object_is_type(list, json_type_array))
		return wrong(problem, problem_size, "its sequential plan has no looks");
	return read_looks(list, plan, problem, problem_size);
}

static unsigned int count_boots(const struct results *results, size_t campaign, const char *label)
{
	unsigned int count = 0;

	for (size_t i = 0; i < results->n_boots; i++)
		count += results->boots[i].campaign == campaign &&
			 !strcmp(results->variants[results->boots[i].variant].plain_label, label);
	return count;
}

/*
 * The fewest and the most boots that any planned variant of the campaign has. One that was left
 * out by choice was at the same look as the others.
 */
static void count_all(const struct results *results, size_t campaign, unsigned int *least,
		      unsigned int *most)
{
	struct json_object *list = NULL;
	size_t count = 0;
	bool is_first = true;

	if (json_object_object_get_ex(results->campaigns[campaign].document, "variants", &list) &&
	    json_object_is_type(list, json_type_array))
		count = json_object_array_length(list);
	*least = *most = 0;
	for (size_t i = 0; i < count; i++) {
		const char *label = json_text_at(json_object_array_get_idx(list, i),
						 (const char *[]){"label", NULL});
		unsigned int boots = label ? count_boots(results, campaign, label) : 0;

		if (!boots && results->selection)
			continue;
		*least = is_first || boots < *least ? boots : *least;
		is_first = false;
		*most = boots > *most ? boots : *most;
	}
}

bool sequential_state(const struct results *results, size_t campaign,
		      struct sequential_state *state)
{
	const struct sequential_plan *plan = results->campaigns[campaign].sequential;
	unsigned int most;

	*state = (struct sequential_state){0};
	if (!plan)
		return false;
	count_all(results, campaign, &state->boots, &most);
	if (!most)
		return false;
	while (state->look + 1 < plan->n_looks && plan->looks[state->look].boots <= state->boots &&
	       !(plan->looks[state->look].boots == state->boots && state->boots == most))
		state->look++;
	state->is_taken = plan->looks[state->look].boots == state->boots && state->boots == most;
	return true;
}

double sequential_share(const struct results *results)
{
	double share = 1;

	for (size_t i = 0; i < results->n_campaigns; i++) {
		const struct sequential_plan *plan = results->campaigns[i].sequential;
		struct sequential_state state;

		if (sequential_state(results, i, &state))
			share *= plan->looks[state.look].alpha / plan->error_rate;
	}
	return share;
}

struct sequential_verdicts sequential_look_at(const struct analysis *analysis)
{
	const struct section_info *sections = analysis->results->sections;
	struct sequential_verdicts found = {0};

	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		const struct comparison *comparison = &analysis->comparisons[i];

		if (comparison->family == FAMILY_PRIMARY) {
			found.primary++;
			found.decided += comparison->verdict != VERDICT_INCONCLUSIVE;
		}
		found.unclear += comparison->family == FAMILY_CONTROL &&
				 comparison->verdict == VERDICT_UNCLEAR;
	}
	for (size_t i = 0; i < analysis->n_invariants; i++) {
		const struct invariant *invariant = &analysis->invariants[i];

		found.untested += invariant->verdict == VERDICT_UNTESTED &&
				  sections[invariant->section].metrics[invariant->metric].role ==
					  ROLE_PRIMARY;
	}
	/* What failed already is not made good by a control that is clear in the end. */
	found.is_settled =
		found.decided == found.primary &&
		(analysis->exit_code == EXIT_REGRESSION || (!found.unclear && !found.untested));
	return found;
}

static void describe(struct buffer *out, const struct analysis *analysis,
		     const struct sequential_plan *plan, const struct sequential_state *state)
{
	bool is_last = state->look + 1 == plan->n_looks;
	bool is_stopped = state->is_taken && (is_last || sequential_look_at(analysis).is_settled);

	if (is_stopped)
		buffer_format(out, "stopped at look %zu of %zu", state->look + 1, plan->n_looks);
	else if (state->is_taken)
		buffer_format(out, "at look %zu of %zu", state->look + 1, plan->n_looks);
	else
		buffer_format(out, "not finished: before look %zu of %zu", state->look + 1,
			      plan->n_looks);
	buffer_format(out,
		      " (%u of at most %u boots of each variant); group-sequential, by the union "
		      "bound: tested at %.2g %%, and all looks together at %.2g %%",
		      state->boots, sequential_max_boots(plan),
		      100 * plan->looks[state->look].alpha, 100 * plan->error_rate);
}

void sequential_describe(struct buffer *out, const struct analysis *analysis)
{
	const struct results *results = analysis->results;
	const char *separator = "";

	for (size_t i = 0; i < results->n_campaigns; i++) {
		struct sequential_state state;

		if (!sequential_state(results, i, &state))
			continue;
		buffer_add(out, separator);
		if (results->n_campaigns > 1)
			buffer_format(out, "%s: ", results->campaigns[i].id);
		describe(out, analysis, results->campaigns[i].sequential, &state);
		separator = "; ";
	}
}
