// SPDX-License-Identifier: GPL-2.0-only
#include "reports/changepoints.h"

#include <errno.h>
#include <float.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/statistics.h"

/* Arcs of a long series begin and end on every n-th group, so that a test stays affordable; short
 * ones and those that touch an end are looked at everywhere. */
#define ARC_MARKS 64
#define ARC_SHORT 4

/* -2 ln(1 - sqrt(0.95)): the likelihood ratio that holds the place of a change with 95 %
 * (Siegmund, Int. Stat. Rev. 56, 1988). */
#define PLACE_LIKELIHOOD_RATIO 7.352
/* A difference in BIC that is not worth a mention (Kass and Raftery, JASA 90, 1995). */
#define BIC_NEARLY_AS_GOOD 2.0

/* A stretch of a series, from group @from to before group @to. */
struct stretch {
	const struct grouped_values *series;
	size_t from, to;
};

static size_t values_in(struct stretch stretch)
{
	return stretch.series->starts[stretch.to] - stretch.series->starts[stretch.from];
}

static size_t groups_in(struct stretch stretch)
{
	return stretch.to - stretch.from;
}

static double mean_in(struct stretch stretch)
{
	return mean_of(stretch.series->values + stretch.series->starts[stretch.from],
		       values_in(stretch));
}

/* Squares around the stretch's own mean. */
static double squares_in(struct stretch stretch)
{
	const double *values = stretch.series->values + stretch.series->starts[stretch.from];
	double mean = mean_in(stretch), sum = 0;

	for (size_t i = 0; i < values_in(stretch); i++)
		sum += (values[i] - mean) * (values[i] - mean);
	return sum;
}

/*
 * What one test works on: a copy of the values, less their mean, that may be shuffled; and
 * for the running arrangement the sums up to the beginning of every group.
 */
struct bench {
	size_t n, n_groups;
	size_t *ends; /* n_groups + 1, from 0 */
	double *values, *sums;
	size_t stride;
};

static void bench_release(struct bench *bench)
{
	free(bench->ends);
	free(bench->values);
	free(bench->sums);
}

static int bench_init(struct bench *bench, struct stretch stretch)
{
	size_t at = stretch.series->starts[stretch.from];
	double mean = mean_in(stretch);

	*bench = (struct bench){.n = values_in(stretch), .n_groups = groups_in(stretch)};
	bench->stride = (bench->n_groups + ARC_MARKS - 1) / ARC_MARKS;
	bench->ends = calloc(bench->n_groups + 1, sizeof(*bench->ends));
	bench->values = calloc(bench->n, sizeof(*bench->values));
	bench->sums = calloc(bench->n_groups + 1, sizeof(*bench->sums));
	if (!bench->ends || !bench->values || !bench->sums)
		return -ENOMEM;
	for (size_t i = 0; i <= bench->n_groups; i++)
		bench->ends[i] = stretch.series->starts[stretch.from + i] - at;
	for (size_t i = 0; i < bench->n; i++)
		bench->values[i] = stretch.series->values[at + i] - mean;
	return 0;
}

struct arc {
	size_t from, to; /* groups from..to-1 against all others */
	double score;
};

static bool is_looked_at(const struct bench *bench, size_t from, size_t to)
{
	if (from == 0 && to == bench->n_groups)
		return false;
	return bench->stride == 1 || from == 0 || to == bench->n_groups || to - from <= ARC_SHORT ||
	       (from % bench->stride == 0 && to % bench->stride == 0);
}

/* The arc whose mean is farthest from that of the others, in squares explained. */
static struct arc best_arc(const struct bench *bench)
{
	struct arc best = {.score = -1};

	for (size_t i = 0; i < bench->n_groups; i++) {
		double sum = 0;

		for (size_t j = bench->ends[i]; j < bench->ends[i + 1]; j++)
			sum += bench->values[j];
		bench->sums[i + 1] = bench->sums[i] + sum;
	}
	for (size_t from = 0; from < bench->n_groups; from++)
		for (size_t to = from + 1; to <= bench->n_groups; to++) {
			double sum = bench->sums[to] - bench->sums[from];
			double inside = (double)(bench->ends[to] - bench->ends[from]);
			double score = sum * sum / (inside * ((double)bench->n - inside));

			if (is_looked_at(bench, from, to) && score > best.score * (1 + 1e-12))
				best = (struct arc){from, to, score};
		}
	return best;
}

static void shuffle(gsl_rng *rng, double *values, size_t n)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t other = gsl_rng_uniform_int(rng, i + 1);
		double kept = values[i];

		values[i] = values[other];
		values[other] = kept;
	}
}

/* Shuffles until as many arrangements as needed were as extreme. */
static int draw_p(struct bench *bench, double limit, double *p)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t hits = 0, draws = 0;

	if (!rng)
		return -ENOMEM;
	gsl_rng_set(rng, STATISTICS_SEED);
	while (draws < CHANGEPOINT_DRAWS && hits < CHANGEPOINT_HITS) {
		shuffle(rng, bench->values, bench->n);
		draws++;
		hits += best_arc(bench).score >= limit;
	}
	gsl_rng_free(rng);
	*p = hits == CHANGEPOINT_HITS ? (double)hits / (double)draws
				      : (double)(hits + 1) / (double)(draws + 1);
	return 0;
}

/* Whether any group of a stretch differs from the others, and which. */
static int test_stretch(struct stretch stretch, struct arc *arc, double *p)
{
	double squares = groups_in(stretch) < 2 ? 0 : squares_in(stretch);
	struct bench bench;
	int err;

	*p = 1;
	*arc = (struct arc){0};
	/* All values are the same, but for what subtracting their mean leaves. */
	if (squares <= 1e-24 * (double)values_in(stretch) * pow(mean_in(stretch), 2))
		return 0;
	err = bench_init(&bench, stretch);
	if (!err) {
		*arc = best_arc(&bench);
		if (bench.n_groups == 2) {
			struct permutation exact;
			struct stratum both = {.a = bench.values,
					       .n_a = bench.ends[1],
					       .b = bench.values + bench.ends[1],
					       .n_b = bench.n - bench.ends[1]};

			err = permutation_test(&both, 1, &exact);
			*p = exact.p;
		} else {
			err = draw_p(&bench, arc->score * (1 - 1e-9), p);
		}
	}
	arc->from += stretch.from;
	arc->to += stretch.from;
	bench_release(&bench);
	return err;
}

int changepoints_test(const struct grouped_values *series, double *p)
{
	struct arc arc;

	return test_stretch((struct stretch){series, 0, series->n_groups}, &arc, p);
}

double changepoints_smallest_p(const struct grouped_values *series)
{
	size_t n = series->starts[series->n_groups];
	double arrangements_log = gsl_sf_lnfact((unsigned int)n);
	bool is_even = true;

	if (series->n_groups < 2)
		return 1;
	for (size_t i = 0; i < series->n_groups; i++) {
		size_t size = series->starts[i + 1] - series->starts[i];

		arrangements_log -= gsl_sf_lnfact((unsigned int)size);
		is_even &= size == series->starts[1];
	}
	/* Groups of one size can change places, all of them: each order is as extreme. */
	if (is_even)
		arrangements_log -= M_LN2;
	if (series->n_groups > 2)
		return fmax(fmin(1, exp(-arrangements_log)), 1.0 / (CHANGEPOINT_DRAWS + 1));
	return fmax(fmin(1, exp(-arrangements_log)), 1.0 / (PERMUTATION_DRAWS + 1));
}

/* The state of one search: changes found so far, in rising order. */
struct search {
	const struct grouped_values *series;
	struct changepoints *out;
	double alpha, tests;
};

static bool is_known(const struct search *search, size_t first)
{
	for (size_t i = 0; i < search->out->count; i++)
		if (search->out->items[i].first == first)
			return true;
	return false;
}

static int add_change(struct search *search, size_t first, double p)
{
	struct changepoints *out = search->out;
	struct changepoint *items;
	size_t at = out->count;

	if (is_known(search, first))
		return 0;
	items = realloc(out->items, (out->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	out->items = items;
	for (; at > 0 && items[at - 1].first > first; at--)
		items[at] = items[at - 1];
	items[at] = (struct changepoint){
		.first = first, .last = first, .low = first, .high = first, .p = p};
	out->count++;
	return 0;
}

/*
 * Splits a stretch at the ends of its best arc while the test says that it should be. The parts
 * share the error of the whole by the places where each could change.
 */
static int split(struct search *search, struct stretch stretch, double p_above)
{
	bool is_whole = groups_in(stretch) == search->series->n_groups;
	double places = (double)(search->series->n_groups - 1), p;
	size_t ends[4] = {stretch.from};
	size_t n_ends = 1;
	struct arc arc;
	int err;

	if (groups_in(stretch) < 2)
		return 0;
	err = test_stretch(stretch, &arc, &p);
	/* The whole was tested and corrected by the caller. */
	if (is_whole)
		p = p_above;
	else
		p = fmax(p_above,
			 fmin(1, p * search->tests * places / (double)(groups_in(stretch) - 1)));
	if (err || p > search->alpha)
		return err;
	if (arc.from > stretch.from)
		ends[n_ends++] = arc.from;
	if (arc.to < stretch.to)
		ends[n_ends++] = arc.to;
	for (size_t i = 1; i < n_ends && !err; i++)
		err = add_change(search, ends[i], p);
	ends[n_ends] = stretch.to;
	for (size_t i = 0; i < n_ends && !err; i++)
		err = split(search, (struct stretch){search->series, ends[i], ends[i + 1]}, p);
	return err;
}

/* Where the stretch of change @index begins and ends: at its neighbours. */
static struct stretch around(const struct search *search, size_t index)
{
	const struct changepoints *out = search->out;

	return (struct stretch){search->series, index ? out->items[index - 1].first : 0,
				index + 1 < out->count ? out->items[index + 1].first
						       : search->series->n_groups};
}

static double squares_split_at(struct stretch stretch, size_t first)
{
	struct stretch before = {stretch.series, stretch.from, first};
	struct stretch after = {stretch.series, first, stretch.to};

	return squares_in(before) + squares_in(after);
}

/* Moves a change to the best place between its neighbours. Returns whether it moved. */
static bool settle_place(struct search *search, size_t index)
{
	struct stretch stretch = around(search, index);
	size_t best = search->out->items[index].first;
	double least = squares_split_at(stretch, best);
	size_t was = best;

	for (size_t first = stretch.from + 1; first < stretch.to; first++) {
		double squares = squares_split_at(stretch, first);

		if (squares < least * (1 - 1e-12)) {
			least = squares;
			best = first;
		}
	}
	search->out->items[index].first = best;
	search->out->items[index].last = best;
	return best != was;
}

/* The levels beside a change against each other, corrected for the places it could have had. */
static int test_change(struct search *search, size_t index, double *p)
{
	struct stretch stretch = around(search, index);
	const size_t *starts = search->series->starts;
	size_t from = starts[stretch.from], first = starts[search->out->items[index].first];
	struct stratum both = {.a = search->series->values + from,
			       .n_a = first - from,
			       .b = search->series->values + first,
			       .n_b = starts[stretch.to] - first};
	struct permutation permutation;
	int err = permutation_test(&both, 1, &permutation);

	if (!err)
		*p = fmin(1, permutation.p * search->tests * (double)(groups_in(stretch) - 1));
	return err;
}

static void drop_change(struct changepoints *changes, size_t index)
{
	memmove(&changes->items[index], &changes->items[index + 1],
		(changes->count - index - 1) * sizeof(*changes->items));
	changes->count--;
}

/* An arc has two ends, and one of them may be an accident: ends whose levels do not differ go. */
static int prune(struct search *search)
{
	while (search->out->count) {
		double worst_p = 0, p = 0;
		size_t worst = 0;
		int err = 0;

		for (size_t i = 0; i < search->out->count; i++)
			settle_place(search, i);
		for (size_t i = 0; i < search->out->count && !err; i++) {
			err = test_change(search, i, &p);
			if (p > worst_p) {
				worst_p = p;
				worst = i;
			}
		}
		if (err)
			return err;
		if (worst_p <= search->alpha)
			break;
		drop_change(search->out, worst);
	}
	for (size_t i = 0; i < search->out->count; i++) {
		double p = 1;
		int err = test_change(search, i, &p);

		if (err)
			return err;
		search->out->items[i].p = fmax(search->out->items[i].p, p);
	}
	return 0;
}

static double bic(double squares, size_t n, size_t parameters)
{
	return (double)n * log(fmax(squares, DBL_MIN) / (double)n) +
	       (double)parameters * log((double)n);
}

/* How far along a ramp from group @from to group @to the group @at is: 0 to 1. */
static double along(size_t at, size_t from, size_t to)
{
	if (at <= from)
		return 0;
	return at >= to ? 1 : (double)(at - from) / (double)(to - from);
}

/* Squares that a level, a ramp from group @low to group @high and a level leave in a stretch. */
static double squares_of_ramp(struct stretch stretch, size_t low, size_t high)
{
	const size_t *starts = stretch.series->starts;
	double mean = mean_in(stretch), n = (double)values_in(stretch);
	double x = 0, xx = 0, xy = 0;

	for (size_t group = stretch.from; group < stretch.to; group++) {
		double position = along(group, low, high);

		x += position * (double)(starts[group + 1] - starts[group]);
		xx += position * position * (double)(starts[group + 1] - starts[group]);
		for (size_t i = starts[group]; i < starts[group + 1]; i++)
			xy += position * (stretch.series->values[i] - mean);
	}
	xx -= x * x / n;
	return squares_in(stretch) - (xx > 0 ? xy * xy / xx : 0);
}

struct ramp {
	size_t low, high; /* the last group of the old level and the first of the new */
	double squares;
};

/* The best ramp over more than two groups; on long stretches its ends lie on every n-th group. */
static struct ramp best_ramp(struct stretch stretch)
{
	size_t stride = (groups_in(stretch) + ARC_MARKS - 1) / ARC_MARKS;
	struct ramp best = {.squares = INFINITY};

	for (size_t low = stretch.from; low + 2 < stretch.to; low += stride)
		for (size_t high = low + 2; high < stretch.to; high++) {
			bool is_mark = (high - stretch.from) % stride == 0;
			double squares;

			if (!is_mark && high + 1 < stretch.to)
				continue;
			squares = squares_of_ramp(stretch, low, high);
			if (squares < best.squares)
				best = (struct ramp){low, high, squares};
		}
	return best;
}

static double rise_at(const struct search *search, size_t index)
{
	struct stretch stretch = around(search, index);
	size_t first = search->out->items[index].first;

	return mean_in((struct stretch){search->series, first, stretch.to}) -
	       mean_in((struct stretch){search->series, stretch.from, first});
}

static double squares_of_steps(const struct search *search, size_t from, size_t to)
{
	double squares = 0;

	for (size_t i = from; i <= to; i++) {
		struct stretch stretch = around(search, i);

		if (i == from)
			squares += squares_in((struct stretch){search->series, stretch.from,
							       search->out->items[i].first});
		squares += squares_in(
			(struct stretch){search->series, search->out->items[i].first, stretch.to});
	}
	return squares;
}

/*
 * Changes @from to @to in a row go the same way. Where a ramp explains them better than so many
 * steps, they become one drift. A step costs a level and a place, a ramp two of each.
 */
static void consider_drift(struct search *search, size_t from, size_t to)
{
	struct changepoint *change = &search->out->items[from];
	struct stretch whole = {search->series, around(search, from).from, around(search, to).to};
	struct ramp ramp = best_ramp(whole);
	size_t n = values_in(whole);
	double steps, drift;

	if (isinf(ramp.squares))
		return;
	steps = bic(squares_of_steps(search, from, to), n, 2 * (to - from + 1) + 1);
	drift = bic(ramp.squares, n, 4);
	for (size_t i = from; i <= to; i++)
		search->out->items[i].is_ambiguous = fabs(steps - drift) < BIC_NEARLY_AS_GOOD;
	if (drift >= steps)
		return;
	change->is_drift = true;
	change->first = ramp.low + 1;
	change->last = ramp.high;
	for (size_t i = from + 1; i <= to; i++)
		change->p = fmax(change->p, search->out->items[i].p);
	for (size_t i = to; i > from; i--)
		drop_change(search->out, i);
}

static void consider_drifts(struct search *search)
{
	for (size_t from = 0; from < search->out->count; from++) {
		bool is_up = rise_at(search, from) > 0;
		size_t to = from;

		while (to + 1 < search->out->count && (rise_at(search, to + 1) > 0) == is_up)
			to++;
		if (to > from) {
			size_t count = search->out->count;

			consider_drift(search, from, to);
			from += search->out->count < count ? 0 : to - from;
		} else {
			consider_drift(search, from, from);
		}
	}
}

/* All places of a step that the values do not rule out. */
static void set_place_range(struct search *search, size_t index)
{
	struct changepoint *change = &search->out->items[index];
	struct stretch stretch = around(search, index);
	double n = (double)values_in(stretch);
	double least = fmax(squares_split_at(stretch, change->first), DBL_MIN);

	for (size_t first = stretch.from + 1; first < stretch.to; first++) {
		double squares = fmax(squares_split_at(stretch, first), DBL_MIN);

		if (n * log(squares / least) > PLACE_LIKELIHOOD_RATIO)
			continue;
		if (first < change->low)
			change->low = first;
		if (first > change->high)
			change->high = first;
	}
}

int changepoints_find(const struct grouped_values *series, double alpha, size_t tests,
		      double p_adjusted, struct changepoints *out)
{
	struct search search = {
		.series = series, .out = out, .alpha = alpha, .tests = (double)tests};
	int err;

	*out = (struct changepoints){0};
	if (p_adjusted > alpha || series->n_groups < 2)
		return 0;
	err = split(&search, (struct stretch){series, 0, series->n_groups}, p_adjusted);
	if (!err)
		err = prune(&search);
	if (err)
		return err;
	for (size_t i = 0; i < out->count; i++) {
		out->items[i].low = out->items[i].high = out->items[i].first;
		set_place_range(&search, i);
	}
	consider_drifts(&search);
	return 0;
}

void changepoints_release(struct changepoints *changes)
{
	free(changes->items);
	*changes = (struct changepoints){0};
}
