// SPDX-License-Identifier: GPL-2.0-only
/* One kernel against itself: the boots chosen, and campaigns re-enacted with them. */
#include "reports/calibration.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const size_t calibration_sizes[CALIBRATION_SIZES] = {3, 6, 8, 10, 20};
const double calibration_powers[CALIBRATION_POWERS] = {0.8, 0.95};

/*
 * The results as if the chosen boots were of the variants A and B of one campaign: what
 * compare is shown. Shallow: everything else still belongs to the results.
 */
struct view {
	struct results results;
	struct variant_info variants[2];
	struct campaign_info campaign;
	struct boot *boots;
};

static int view_init(struct view *view, const struct calibration *calibration)
{
	const struct results *results = calibration->results;
	const struct boot *first = &results->boots[calibration->boots[0]];

	view->boots = calloc(calibration->n_ok, sizeof(*view->boots));
	if (!view->boots)
		return -ENOMEM;
	view->results = *results;
	view->campaign = (struct campaign_info){
		.id = "calibration", .pairing = calibration->is_paired ? "rounds" : "independent"};
	for (int i = 0; i < 2; i++) {
		view->variants[i] = results->variants[first->variant];
		view->variants[i].label = view->variants[i].plain_label = i ? "B" : "A";
	}
	view->results.variants = view->variants;
	view->results.n_variants = 2;
	view->results.campaigns = &view->campaign;
	view->results.n_campaigns = 1;
	view->results.boots = view->boots;
	view->results.n_boots = 0;
	view->results.n_replays = 0;
	return 0;
}

static void view_add(struct view *view, const struct calibration *calibration, size_t which,
		     size_t variant, size_t round)
{
	size_t index = view->results.n_boots++;

	view->boots[index] = calibration->results->boots[calibration->boots[which]];
	view->boots[index].variant = variant;
	view->boots[index].campaign = 0;
	view->boots[index].index = index;
	view->boots[index].round = round;
}

/* What the verdict code makes of A against B. */
struct judgement {
	size_t tests, different, equivalent;
};

static int judge(const struct view *view, struct judgement *outcome)
{
	const struct analysis_options options = {.baseline = "A"};
	struct analysis analysis;
	int err = analysis_compare(&analysis, &view->results, &options);

	*outcome = (struct judgement){.tests = analysis.tests[FAMILY_PRIMARY]};
	for (size_t i = 0; i < analysis.n_comparisons && !err; i++) {
		const struct comparison *comparison = &analysis.comparisons[i];

		if (comparison->family != FAMILY_PRIMARY)
			continue;
		outcome->different += comparison->verdict == VERDICT_BETTER ||
				      comparison->verdict == VERDICT_WORSE;
		outcome->equivalent += comparison->verdict == VERDICT_EQUIVALENT;
	}
	analysis_release(&analysis);
	return err;
}

static bool is_same_text(const char *one, const char *other)
{
	return one && other ? !strcmp(one, other) : one == other;
}

/* Labels do not count: an A/A campaign has two for one thing. */
static bool is_same_kernel(const struct variant_info *one, const struct variant_info *other)
{
	return is_same_text(one->arguments, other->arguments) &&
	       is_same_text(one->image_sha256, other->image_sha256) &&
	       is_same_text(one->kernel, other->kernel);
}

static size_t find_variant(struct calibration *calibration, const char *label)
{
	const struct results *results = calibration->results;
	const char *wanted = label ? label : "!proxy";

	for (size_t i = 0; i < results->n_variants; i++)
		if (!strcmp(results->variants[i].plain_label, wanted))
			return i;
	if (!label && results->n_variants)
		return 0;
	snprintf(calibration->error, sizeof(calibration->error),
		 "there is no variant '%.60s' here; the first one is '%.60s'", wanted,
		 results->n_variants ? results->variants[0].label : "");
	return SIZE_MAX;
}

/* All boots of the kernel, whatever they are called, as long as they ran on one machine. */
static int choose_boots(struct calibration *calibration, const char *label)
{
	const struct results *results = calibration->results;
	size_t variant = find_variant(calibration, label), machine = SIZE_MAX;

	if (variant == SIZE_MAX)
		return -EINVAL;
	calibration->label = results->variants[variant].label;
	calibration->boots =
		arena_alloc(&calibration->arena, (results->n_boots + 1) * sizeof(size_t));
	if (!calibration->boots)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];

		if (!is_same_kernel(&results->variants[boot->variant], &results->variants[variant]))
			continue;
		/* One thing under two labels is called by the first of them. */
		if (strcmp(results->variants[boot->variant].label, calibration->label) < 0)
			calibration->label = results->variants[boot->variant].label;
		if (machine == SIZE_MAX)
			machine = boot->machine;
		if (boot->machine != machine) {
			snprintf(calibration->error, sizeof(calibration->error),
				 "the boots are of %.60s and %.60s: a calibration is of one "
				 "machine, so name the results of one",
				 results->machines[machine].name,
				 results->machines[boot->machine].name);
			return -EINVAL;
		}
		calibration->n_boots++;
		calibration->n_unclean += boot->is_health_known && !boot->is_clean;
		if (boot->end == BOOT_END_OK)
			calibration->boots[calibration->n_ok++] = i;
	}
	return 0;
}

/* The boots under the labels that they were booted with, where these are two. */
static int judge_plain(struct calibration *calibration, struct view *view)
{
	const struct results *results = calibration->results;
	size_t first = results->boots[calibration->boots[0]].variant, other = SIZE_MAX;
	struct judgement outcome;
	int err;

	view->results.n_boots = 0;
	for (size_t i = 0; i < calibration->n_ok; i++) {
		const struct boot *boot = &results->boots[calibration->boots[i]];

		if (boot->variant != first && other == SIZE_MAX)
			other = boot->variant;
		if (boot->variant == first || boot->variant == other)
			view_add(view, calibration, i, boot->variant == other, boot->round);
	}
	if (other == SIZE_MAX)
		return 0;
	err = judge(view, &outcome);
	calibration->plain_tests = outcome.tests;
	calibration->plain_equivalent = outcome.equivalent;
	calibration->plain_false = outcome.different;
	return err;
}

static void shuffle(gsl_rng *rng, size_t *items, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = gsl_rng_uniform_int(rng, i), kept = items[i - 1];

		items[i - 1] = items[other];
		items[other] = kept;
	}
}

/* What re-enacting needs from one draw to the next. */
struct stage {
	struct calibration *calibration;
	const struct calibration_options *options;
	struct view *view;
	gsl_rng *rng;
	size_t *order;		/* of boots, shuffled */
	unsigned int *variants; /* of a campaign's boots, in their order */
	double *labels;		/* draws x boots: -1 A, 1 B, 0 not taken */
};

/*
 * Where the test takes boots as independent, any may stand for any. Where it pairs rounds, the
 * time at which they ran is what it leans on: boots that followed each other stay in their
 * order, and get their labels as a campaign would have given them.
 */
static void enact(struct stage *stage, double *labels)
{
	struct calibration *calibration = stage->calibration;
	size_t k = calibration->group_boots, from = 0;

	stage->view->results.n_boots = 0;
	if (calibration->is_paired)
		from = gsl_rng_uniform_int(stage->rng, calibration->n_ok - 2 * k + 1);
	else
		shuffle(stage->rng, stage->order, calibration->n_ok);
	stage->options->draw_order(gsl_rng_get(stage->rng), (unsigned int)k, stage->variants);
	for (size_t i = 0; i < 2 * k; i++) {
		size_t which = calibration->is_paired ? from + i : stage->order[i];

		view_add(stage->view, calibration, which, stage->variants[i], i / 2);
		labels[which] = stage->variants[i] ? 1 : -1;
	}
}

/*
 * Campaigns that share boots tell less than so many independent ones. What two of them have
 * in common is the squared correlation of their labels; n of them with a mean of r (each with
 * itself included) tell as much as 1 / r.
 */
static double count_independent(const struct stage *stage)
{
	const struct calibration *calibration = stage->calibration;
	size_t n = calibration->n_ok;
	double sum = 0, length = (double)(2 * calibration->group_boots);

	for (unsigned int i = 0; i < calibration->draws; i++)
		for (unsigned int j = 0; j <= i; j++) {
			const double *one = stage->labels + i * n, *other = stage->labels + j * n;
			double common = 0;

			for (size_t boot = 0; boot < n; boot++)
				common += one[boot] * other[boot];
			sum += (i == j ? 1 : 2) * (common / length) * (common / length);
		}
	return (double)calibration->draws * calibration->draws / sum;
}

/* Where the beta distribution has @share below: halving never fails, as GSL's inverse may. */
static double beta_quantile(double share, double a, double b)
{
	double low = 0, high = 1;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (gsl_cdf_beta_P(middle, a, b) < share)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

void binomial_interval(double hits, double n, double confidence, double *low, double *high)
{
	double tail = (1 - confidence) / 2;

	*low = hits > 0 ? beta_quantile(tail, hits, n - hits + 1) : 0;
	*high = hits < n ? beta_quantile(1 - tail, hits + 1, n - hits) : 1;
}

static int enact_all(struct stage *stage)
{
	struct calibration *calibration = stage->calibration;
	size_t tests = 0, equivalent = 0;
	int err = 0;

	for (unsigned int draw = 0; draw < calibration->draws && !err; draw++) {
		struct judgement outcome;

		enact(stage, stage->labels + draw * calibration->n_ok);
		err = judge(stage->view, &outcome);
		calibration->false_draws += !err && outcome.different;
		tests += outcome.tests;
		equivalent += outcome.equivalent;
	}
	if (err)
		return err;
	calibration->equivalent_share = tests ? (double)equivalent / (double)tests : NAN;
	calibration->rate = (double)calibration->false_draws / calibration->draws;
	binomial_interval(calibration->false_draws, calibration->draws, CALIBRATION_CONFIDENCE,
			  &calibration->rate_low, &calibration->rate_high);
	calibration->independent = count_independent(stage);
	binomial_interval(calibration->rate * calibration->independent, calibration->independent,
			  CALIBRATION_CONFIDENCE, &calibration->machine_low,
			  &calibration->machine_high);
	return 0;
}

static int re_enact(struct calibration *calibration, const struct calibration_options *options,
		    struct view *view)
{
	size_t n = calibration->n_ok, k = options->group_boots;
	struct stage stage = {.calibration = calibration, .options = options, .view = view};
	int err = -ENOMEM;

	if (!k || k > n / 2)
		k = n / 2;
	calibration->group_boots = k < CALIBRATION_MAX_GROUP ? k : CALIBRATION_MAX_GROUP;
	if (!calibration->group_boots)
		return 0;
	calibration->draws = options->draws ? options->draws : CALIBRATION_DRAWS;
	stage.rng = gsl_rng_alloc(gsl_rng_mt19937);
	stage.order = calloc(n, sizeof(*stage.order));
	stage.variants = calloc(n, sizeof(*stage.variants));
	stage.labels = calloc(calibration->draws * n, sizeof(*stage.labels));
	if (stage.rng && stage.order && stage.variants && stage.labels) {
		gsl_rng_set(stage.rng, STATISTICS_SEED);
		for (size_t i = 0; i < n; i++)
			stage.order[i] = i;
		err = enact_all(&stage);
	}
	free(stage.labels);
	free(stage.variants);
	free(stage.order);
	gsl_rng_free(stage.rng);
	return err;
}

static bool has_rounds(const struct calibration *calibration)
{
	const struct results *results = calibration->results;
	const char *pairing =
		results->campaigns[results->boots[calibration->boots[0]].campaign].pairing;

	return pairing ? !strcmp(pairing, "rounds") : !strcmp(results->time, "real");
}

static int calibrate_boots(struct calibration *calibration,
			   const struct calibration_options *options)
{
	struct view view;
	int err;

	calibration->is_paired = has_rounds(calibration);
	err = view_init(&view, calibration);
	if (err)
		return err;
	for (size_t i = 0; i < calibration->n_ok; i++)
		view_add(&view, calibration, i, 0, i);
	err = calibration_measure(calibration, &view.results);
	if (!err && calibration->n_metrics)
		err = judge_plain(calibration, &view);
	if (!err && calibration->n_metrics)
		err = re_enact(calibration, options, &view);
	free(view.boots);
	return err;
}

int calibration_make(struct calibration *calibration, const struct results *results,
		     const struct calibration_options *options)
{
	int err;

	*calibration = (struct calibration){.results = results,
					    .alpha = VERDICT_ALPHA,
					    .margin = VERDICT_MARGIN,
					    .equivalent_share = NAN,
					    .rate = NAN,
					    .rate_low = NAN,
					    .rate_high = NAN,
					    .machine_low = NAN,
					    .machine_high = NAN};
	err = choose_boots(calibration, options->label);
	if (!err && calibration->n_ok)
		err = calibrate_boots(calibration, options);
	return err ? err : calibration_conclude(calibration);
}

void calibration_release(struct calibration *calibration)
{
	arena_release(&calibration->arena);
	*calibration = (struct calibration){0};
}
