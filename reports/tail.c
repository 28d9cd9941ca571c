// SPDX-License-Identifier: GPL-2.0-only
#include "reports/tail.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_multimin.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/parallel.h"
#include "reports/pareto.h"

/* More cells than this make a fit no better; neighbours are then taken together. */
#define CELLS_MAX 1024u
/* Thresholds that are tried, as shares of the samples above; from the most to the fewest. */
static const double shares[] = {0.1, 0.05, 0.025, 0.0125};
#define TREND_DRAWS	2000u
#define TREND_HITS	100u
#define PROFILE_STEPS	60u
#define BISECTION_STEPS 40u

/* ---- one histogram of all boots --------------------------------------------------- */

struct pool {
	const struct measurement *const *boots;
	size_t n_boots;
	uint32_t bits, first; /* counts[0] is of bucket @first */
	uint64_t *counts;
	size_t n;
};

static bool has_one_resolution(const struct pool *pool)
{
	for (size_t i = 1; i < pool->n_boots; i++)
		if (pool->boots[i]->histogram.bits != pool->boots[0]->histogram.bits)
			return false;
	return true;
}

static int pool_fill(struct pool *pool)
{
	uint32_t last = 0;

	pool->bits = pool->boots[0]->histogram.bits;
	pool->first = UINT32_MAX;
	for (size_t i = 0; i < pool->n_boots; i++) {
		const struct sparse_histogram *histogram = &pool->boots[i]->histogram;

		if (!histogram->n_buckets)
			continue;
		if (histogram->buckets[0].index < pool->first)
			pool->first = histogram->buckets[0].index;
		if (histogram->buckets[histogram->n_buckets - 1].index > last)
			last = histogram->buckets[histogram->n_buckets - 1].index;
	}
	pool->n = pool->first > last ? 0 : last - pool->first + 1;
	pool->counts = calloc(pool->n + 1, sizeof(*pool->counts));
	if (!pool->counts)
		return -ENOMEM;
	for (size_t i = 0; i < pool->n_boots; i++) {
		const struct sparse_histogram *histogram = &pool->boots[i]->histogram;

		for (size_t j = 0; j < histogram->n_buckets; j++)
			pool->counts[histogram->buckets[j].index - pool->first] +=
				histogram->buckets[j].count;
	}
	return 0;
}

static double edge(const struct pool *pool, size_t bucket)
{
	return (double)bucket_lower_edge(pool->bits, pool->first + (uint32_t)bucket);
}

/* The first bucket that has no more than @most samples from it on; their number. */
static size_t find_threshold(const struct pool *pool, double most, uint64_t *exceedances)
{
	size_t bucket = pool->n;

	*exceedances = 0;
	while (bucket && (double)(*exceedances + pool->counts[bucket - 1]) <= most)
		*exceedances += pool->counts[--bucket];
	return bucket;
}

/* ---- excesses in cells, and boot by boot ------------------------------------------ */

struct excesses {
	const struct pool *pool;
	size_t threshold, stride; /* bucket; buckets in one cell */
	struct pareto_cells cells;
	double *ends;
	uint64_t *counts;
	double *rates, *means; /* by boot: share of samples above; mean excess, NaN: none */
	size_t n_boots_above;
};

static size_t cell_of(const struct excesses *excesses, uint32_t bucket)
{
	return (bucket - excesses->pool->first - excesses->threshold) / excesses->stride;
}

static void fill_cells(struct excesses *excesses)
{
	const struct pool *pool = excesses->pool;
	double threshold = edge(pool, excesses->threshold);

	for (size_t i = excesses->threshold; i < pool->n; i++) {
		size_t cell = cell_of(excesses, pool->first + (uint32_t)i);

		excesses->counts[cell] += pool->counts[i];
		excesses->cells.total += pool->counts[i];
		excesses->ends[cell] = edge(pool, i + 1) - threshold;
		excesses->cells.n = cell + 1;
	}
	excesses->ends[excesses->cells.n++] = INFINITY;
	excesses->cells.ends = excesses->ends;
	excesses->cells.counts = excesses->counts;
}

/* What one boot has above the threshold: how many, and the sum of their middles. */
static void fill_boot(struct excesses *excesses, size_t boot)
{
	const struct measurement *measurement = excesses->pool->boots[boot];
	const struct sparse_histogram *histogram = &measurement->histogram;
	double threshold = edge(excesses->pool, excesses->threshold), sum = 0, count = 0;

	for (size_t i = 0; i < histogram->n_buckets; i++) {
		const struct bucket *bucket = &histogram->buckets[i];

		if (bucket->index - excesses->pool->first < excesses->threshold)
			continue;
		count += (double)bucket->count;
		sum += (double)bucket->count *
		       ((double)bucket_lower_edge(histogram->bits, bucket->index) +
			(double)bucket_width(histogram->bits, bucket->index) / 2 - threshold);
	}
	excesses->rates[boot] = measurement->samples ? count / (double)measurement->samples : NAN;
	excesses->means[boot] = count > 0 ? sum / count : NAN;
	excesses->n_boots_above += count > 0;
}

static int excesses_make(struct excesses *excesses, const struct pool *pool, size_t threshold)
{
	size_t n = pool->n - threshold;

	*excesses = (struct excesses){
		.pool = pool, .threshold = threshold, .stride = (n + CELLS_MAX - 1) / CELLS_MAX};
	excesses->ends = calloc(n + 2, sizeof(double));
	excesses->counts = calloc(n + 2, sizeof(uint64_t));
	excesses->rates = calloc(pool->n_boots, sizeof(double));
	excesses->means = calloc(pool->n_boots, sizeof(double));
	if (!excesses->ends || !excesses->counts || !excesses->rates || !excesses->means)
		return -ENOMEM;
	fill_cells(excesses);
	for (size_t i = 0; i < pool->n_boots; i++)
		fill_boot(excesses, i);
	return 0;
}

static void excesses_release(struct excesses *excesses)
{
	free(excesses->ends);
	free(excesses->counts);
	free(excesses->rates);
	free(excesses->means);
	*excesses = (struct excesses){0};
}

/* ---- does it drift? --------------------------------------------------------------- */

static double slope_of(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ((double)i - (double)(n - 1) / 2) * values[i];
	return fabs(sum);
}

/*
 * Boots in another order: how often is the trend as strong? Drawn until TREND_HITS were (see
 * permutation.c). 1 for what is too little to have a trend; NaN when memory is out.
 */
static double trend_p(const double *values, size_t n_values)
{
	double *shuffled = malloc((n_values + 1) * sizeof(*shuffled)), limit;
	gsl_rng *rng = shuffled ? gsl_rng_alloc(gsl_rng_mt19937) : NULL;
	unsigned int hits = 0, draws = 0;
	size_t n = 0;

	if (!rng) {
		free(shuffled);
		return NAN;
	}
	gsl_rng_set(rng, STATISTICS_SEED);
	for (size_t i = 0; i < n_values; i++)
		if (!isnan(values[i]))
			shuffled[n++] = values[i];
	limit = slope_of(shuffled, n) * (1 - 1e-12);
	while (draws < TREND_DRAWS && hits < TREND_HITS) {
		gsl_ran_shuffle(rng, shuffled, n, sizeof(*shuffled));
		hits += slope_of(shuffled, n) >= limit;
		draws++;
	}
	gsl_rng_free(rng);
	free(shuffled);
	return hits == TREND_HITS ? (double)hits / draws : (hits + 1.0) / (draws + 1.0);
}

/* ---- the level, and how sure it is ------------------------------------------------ */

/* What an interval needs to know of a fit. */
struct profile {
	const struct excesses *excesses;
	double shape, rate; /* best: rate is the expected number of exceedances */
	double level;	    /* that is looked at, as an excess */
};

/* The excess that is expected to be passed once in the horizon. */
static double level_excess(double shape, double scale, double rate)
{
	double log_times = log(TAIL_HORIZON * rate);

	return fabs(shape) < 1e-8 ? scale * log_times : scale * expm1(shape * log_times) / shape;
}

/* Minus the log-likelihood of excesses and their number, given the level. */
static double profile_value(const gsl_vector *at, void *context)
{
	const struct profile *profile = context;
	double shape = gsl_vector_get(at, 0), rate = exp(gsl_vector_get(at, 1));
	struct pareto pareto = {shape, profile->level / level_excess(shape, 1, rate)};
	double value;

	if (shape < 2 * PARETO_SHAPE_LEAST || shape > 2 * PARETO_SHAPE_MOST ||
	    TAIL_HORIZON * rate <= 1)
		return 1e300;
	value = pareto_log_likelihood(&pareto, &profile->excesses->cells) +
		(double)profile->excesses->cells.total * log(rate) - rate;
	return isfinite(value) ? -value : 1e300;
}

static double profile_least(struct profile *profile, double level, gsl_multimin_fminimizer *least,
			    gsl_vector *start, gsl_vector *steps)
{
	gsl_multimin_function function = {profile_value, 2, profile};

	profile->level = level;
	gsl_vector_set(start, 0, profile->shape);
	gsl_vector_set(start, 1, log(profile->rate));
	gsl_vector_set(steps, 0, 0.05);
	gsl_vector_set(steps, 1, 0.05);
	gsl_multimin_fminimizer_set(least, &function, start, steps);
	for (unsigned int i = 0; i < PROFILE_STEPS; i++)
		if (gsl_multimin_fminimizer_iterate(least) ||
		    gsl_multimin_fminimizer_size(least) < 1e-4)
			break;
	return least->fval;
}

/* How far the level moves with log scale, shape and log rate. */
static void level_slope(const struct pareto *pareto, double rate, double slope[3])
{
	double level = level_excess(pareto->shape, pareto->scale, rate), h = 1e-5;

	slope[0] = level;
	slope[1] = (level_excess(pareto->shape + h, pareto->scale, rate) -
		    level_excess(pareto->shape - h, pareto->scale, rate)) /
		   (2 * h);
	slope[2] = pareto->scale * exp(pareto->shape * log(TAIL_HORIZON * rate));
}

/* One boot's derivatives of the log-likelihood by log scale, shape and log rate. */
static void boot_score(const struct excesses *excesses, const struct pareto *pareto,
		       double expected, size_t boot, double score[3])
{
	const struct sparse_histogram *histogram = &excesses->pool->boots[boot]->histogram;

	score[0] = score[1] = 0;
	score[2] = -expected;
	for (size_t i = 0; i < histogram->n_buckets; i++) {
		const struct bucket *bucket = &histogram->buckets[i];
		double one[2], count = (double)bucket->count;
		size_t cell;

		if (bucket->index - excesses->pool->first < excesses->threshold)
			continue;
		cell = cell_of(excesses, bucket->index);
		pareto_score(pareto, cell ? excesses->ends[cell - 1] : 0, excesses->ends[cell],
			     one);
		score[0] += count * one[0];
		score[1] += count * one[1];
		score[2] += count;
	}
}

/*
 * How much greater the variance of the level is, boot against boot, than samples that are
 * all independent would have it; at least 1. The boot is the unit here, too.
 */
static double level_inflation(const struct excesses *excesses, const struct pareto *pareto,
			      uint64_t samples)
{
	double rate = (double)excesses->cells.total, information[2][2], slope[3], direction[3];
	double determinant, naive, robust = 0, n = (double)excesses->pool->n_boots;

	pareto_information(pareto, &excesses->cells, information);
	determinant = information[0][0] * information[1][1] - information[0][1] * information[1][0];
	level_slope(pareto, rate, slope);
	direction[0] = (information[1][1] * slope[0] - information[0][1] * slope[1]) / determinant;
	direction[1] = (information[0][0] * slope[1] - information[1][0] * slope[0]) / determinant;
	direction[2] = slope[2] / rate;
	naive = direction[0] * slope[0] + direction[1] * slope[1] + direction[2] * slope[2];
	for (size_t i = 0; i < excesses->pool->n_boots; i++) {
		double share = (double)excesses->pool->boots[i]->samples / (double)samples;
		double score[3], influence = 0;

		boot_score(excesses, pareto, rate * share, i, score);
		for (size_t j = 0; j < 3; j++)
			influence += direction[j] * score[j];
		robust += influence * influence;
	}
	robust *= n / (n - 1);
	return fmax(1, robust / naive);
}

/* One end of the interval, where the profile falls by @drop: outwards from @best by factors. */
static double profile_end(struct profile *profile, double best, double least, double drop,
			  double factor, gsl_multimin_fminimizer *minimizer, gsl_vector *start,
			  gsl_vector *steps)
{
	double inner = best, outer = best;

	for (unsigned int i = 0; i < BISECTION_STEPS; i++) {
		outer *= factor;
		if (profile_least(profile, outer, minimizer, start, steps) - least > drop)
			break;
		inner = outer;
	}
	for (unsigned int i = 0; i < BISECTION_STEPS && fabs(outer - inner) > 1e-4 * best; i++) {
		double middle = (inner + outer) / 2;

		if (profile_least(profile, middle, minimizer, start, steps) - least > drop)
			outer = middle;
		else
			inner = middle;
	}
	return (inner + outer) / 2;
}

static int set_level(struct tail *out, const struct excesses *excesses, const struct pareto *pareto,
		     double confidence)
{
	double rate = (double)excesses->cells.total;
	double best = level_excess(pareto->shape, pareto->scale, rate);
	double student = gsl_cdf_tdist_Pinv(0.5 + confidence / 2, (double)out->n_boots - 1);
	double drop = student * student / 2 * level_inflation(excesses, pareto, out->samples);
	struct profile profile = {excesses, pareto->shape, rate, 0};
	gsl_multimin_fminimizer *minimizer =
		gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, 2);
	gsl_vector *start = gsl_vector_alloc(2), *steps = gsl_vector_alloc(2);
	double least;

	if (!minimizer || !start || !steps)
		return -ENOMEM;
	least = -(pareto_log_likelihood(pareto, &excesses->cells) + rate * log(rate) - rate);
	out->level = out->threshold + best;
	out->level_low = out->threshold +
			 profile_end(&profile, best, least, drop, 0.8, minimizer, start, steps);
	out->level_high = out->threshold +
			  profile_end(&profile, best, least, drop, 1.25, minimizer, start, steps);
	gsl_vector_free(steps);
	gsl_vector_free(start);
	gsl_multimin_fminimizer_free(minimizer);
	return 0;
}

/* ---- one tail --------------------------------------------------------------------- */

/* How the boots' numbers of exceedances vary, over how they would by chance (Poisson). */
static double dispersion_of(const struct excesses *excesses, uint64_t samples)
{
	double sum = 0, total = (double)excesses->cells.total;

	for (size_t i = 0; i < excesses->pool->n_boots; i++) {
		double own = (double)excesses->pool->boots[i]->samples;
		double expected = total * own / (double)samples;
		double seen = own > 0 ? excesses->rates[i] * own : 0;

		sum += expected > 0 ? (seen - expected) * (seen - expected) / expected : 0;
	}
	return sum / (double)(excesses->pool->n_boots - 1);
}

__attribute__((format(printf, 2, 3))) static void say(char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, TAIL_REASON_MAX, format, arguments);
	va_end(arguments);
}

/* Whether a tail fitted above this threshold may be used; @reason says why not. */
static bool try_threshold(struct tail *out, const struct excesses *excesses, struct pareto *pareto,
			  char *reason)
{
	out->exceedances = excesses->cells.total;
	out->threshold = edge(excesses->pool, excesses->threshold);
	if (excesses->n_boots_above < TAIL_MIN_BOOTS) {
		say(reason, "only %.0f boots have values that high; it takes %.0f",
		    (double)excesses->n_boots_above, (double)TAIL_MIN_BOOTS);
		return false;
	}
	if (!pareto_fit(&excesses->cells, pareto)) {
		say(reason, "its highest values are too few different ones to fit a tail");
		return false;
	}
	out->shape = pareto->shape;
	out->scale = pareto->scale;
	out->fit_p = pareto_fit_p(pareto, &excesses->cells);
	out->dispersion = dispersion_of(excesses, out->samples);
	if (isnan(out->fit_p))
		say(reason, "its highest values are too few different ones to fit a tail");
	else if (out->fit_p < TAIL_FIT_ALPHA)
		say(reason, "no generalised Pareto tail fits its highest values (p %.2g)",
		    out->fit_p);
	else if (pareto->shape > TAIL_MAX_SHAPE)
		say(reason, "the tail is too heavy (shape %.2g, above %.2g): any level is possible",
		    pareto->shape, TAIL_MAX_SHAPE);
	else
		return true;
	return false;
}

static bool is_steady(struct tail *out, const struct excesses *excesses, char *reason)
{
	out->rate_trend_p = trend_p(excesses->rates, excesses->pool->n_boots);
	out->excess_trend_p = trend_p(excesses->means, excesses->pool->n_boots);
	if (out->rate_trend_p <= TAIL_TREND_ALPHA)
		say(reason, "high values become more or fewer from boot to boot (p %.2g)",
		    out->rate_trend_p);
	else if (out->excess_trend_p <= TAIL_TREND_ALPHA)
		say(reason, "high values become higher or lower from boot to boot (p %.2g)",
		    out->excess_trend_p);
	else
		return true;
	return false;
}

/* A tail from the buckets from @threshold on: into @out, or @reason why not. */
static int fit_above(const struct pool *pool, size_t threshold, double confidence, struct tail *out,
		     char *reason)
{
	struct excesses excesses;
	struct pareto pareto;
	int err = excesses_make(&excesses, pool, threshold);

	if (!err && try_threshold(out, &excesses, &pareto, reason) &&
	    is_steady(out, &excesses, reason)) {
		err = set_level(out, &excesses, &pareto, confidence);
		out->is_given = !err;
	}
	excesses_release(&excesses);
	return err;
}

/*
 * From the threshold with the most exceedances on, until one carries a tail. Where none does,
 * it is the first one's reason that is told.
 */
static int fit_pool(const struct pool *pool, double confidence, struct tail *out, char *reason)
{
	struct tail nothing = *out;
	int err = 0;

	/* A tail that fits and drifts is no steadier further up, where less is seen of it. */
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares) && isnan(out->rate_trend_p) && !err;
	     i++) {
		struct tail attempt = nothing;
		char why[TAIL_REASON_MAX] = "";
		uint64_t exceedances;
		size_t threshold =
			find_threshold(pool, shares[i] * (double)out->samples, &exceedances);

		if (exceedances >= TAIL_MIN_EXCEEDANCES)
			err = fit_above(pool, threshold, confidence, &attempt, why);
		else if (!i)
			say(why, "%llu samples are in its upper tenth; it takes %u",
			    (unsigned long long)exceedances, TAIL_MIN_EXCEEDANCES);
		if (i && isnan(attempt.rate_trend_p))
			continue;
		*out = attempt;
		memcpy(reason, why, sizeof(why));
	}
	return err;
}

/* What is known without a fit. */
static void tail_describe(const struct measurement *const *boots, size_t n_boots, struct tail *out)
{
	out->n_boots = n_boots;
	out->samples = 0;
	out->max = out->level = out->level_low = out->level_high = out->threshold = NAN;
	out->shape = out->scale = out->fit_p = NAN;
	out->rate_trend_p = out->excess_trend_p = out->dispersion = NAN;
	for (size_t i = 0; i < n_boots; i++) {
		out->samples += boots[i]->samples;
		out->max = fmax(out->max, boots[i]->statistic[STATISTIC_MAX]);
	}
	out->horizon_samples = TAIL_HORIZON * out->samples;
}

int tail_fit(const struct measurement *const *boots, size_t n_boots, double confidence,
	     struct tail *out, char reason[TAIL_REASON_MAX])
{
	struct pool pool = {.boots = boots, .n_boots = n_boots};
	uint64_t overflow = 0;
	int err = 0;

	tail_describe(boots, n_boots, out);
	*reason = '\0';
	for (size_t i = 0; i < n_boots; i++)
		overflow += boots[i]->histogram.overflow;
	if (out->samples < TAIL_MIN_EXCEEDANCES * 10) {
		say(reason, "there are %.0f samples; a tail takes %.0f", (double)out->samples,
		    TAIL_MIN_EXCEEDANCES * 10.0);
	} else if (overflow) {
		say(reason, "%.0f samples were beyond the end of the histogram", (double)overflow);
	} else if (!has_one_resolution(&pool)) {
		say(reason, "its boots' histograms are of different resolutions");
	} else {
		err = pool_fill(&pool);
		if (!err)
			err = fit_pool(&pool, confidence, out, reason);
		free(pool.counts);
	}
	return err;
}

/* ---- all of them ------------------------------------------------------------------ */

struct tail_work {
	const struct analysis *analysis;
	char (*reasons)[TAIL_REASON_MAX];
};

/* The measurements that count, in the order of results->boots, which is that of time. */
static size_t collect(const struct results *results, const struct tail *tail,
		      const struct measurement **out, bool *has_several_machines)
{
	size_t n = 0, machine = SIZE_MAX;

	for (size_t i = 0; i < results->n_boots; i++) {
		const struct boot *boot = &results->boots[i];
		const struct section_result *section = boot_section(boot, tail->section);
		const struct measurement *measurement =
			boot_measurement(boot, tail->section, tail->metric);

		if (boot->variant != tail->variant || boot->end != BOOT_END_OK || !measurement ||
		    section->outcome != OUTCOME_OK || measurement->outcome != OUTCOME_OK)
			continue;
		*has_several_machines |= n && boot->machine != machine;
		machine = boot->machine;
		out[n++] = measurement;
	}
	return n;
}

static int fit_one(void *context, size_t i)
{
	struct tail_work *work = context;
	struct tail *tail = &work->analysis->tails[i];
	size_t n_boots = work->analysis->results->n_boots;
	const struct measurement **boots = calloc(n_boots + 1, sizeof(*boots));
	bool has_several_machines = false;
	size_t n;
	int err = 0;

	if (!boots)
		return -ENOMEM;
	n = collect(work->analysis->results, tail, boots, &has_several_machines);
	tail_describe(boots, n, tail);
	if (has_several_machines)
		say(work->reasons[i], "a level holds for one machine, and these are several");
	else
		err = tail_fit(boots, n, work->analysis->confidence, tail, work->reasons[i]);
	free(boots);
	return err;
}

static int list_tails(struct analysis *analysis)
{
	const struct results *results = analysis->results;

	for (size_t section = 0; section < results->n_sections; section++)
		for (size_t metric = 0; metric < results->sections[section].n_metrics; metric++) {
			const struct metric_info *info =
				&results->sections[section].metrics[metric];

			if (info->kind != METRIC_DISTRIBUTION ||
			    info->direction == HIGHER_IS_BETTER)
				continue;
			for (size_t variant = 0; variant < results->n_variants; variant++) {
				struct tail *added =
					arena_append(&analysis->arena, &analysis->tails,
						     &analysis->n_tails, sizeof(*added));

				if (!added)
					return -ENOMEM;
				added->section = section;
				added->metric = metric;
				added->variant = variant;
			}
		}
	return 0;
}

int tails_make(struct analysis *analysis)
{
	struct tail_work work = {.analysis = analysis};
	int err = list_tails(analysis);

	if (err || !analysis->n_tails)
		return err;
	work.reasons = calloc(analysis->n_tails, TAIL_REASON_MAX);
	if (!work.reasons)
		return -ENOMEM;
	err = parallel_for(analysis->n_tails, analysis->n_tails >= 8, fit_one, &work);
	for (size_t i = 0; i < analysis->n_tails && !err; i++) {
		struct tail *tail = &analysis->tails[i];

		if (!tail->is_given)
			tail->reason = arena_text(&analysis->arena, work.reasons[i]);
		if (!tail->is_given && !tail->reason)
			err = -ENOMEM;
	}
	free(work.reasons);
	return err;
}
