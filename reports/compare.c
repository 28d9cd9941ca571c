// SPDX-License-Identifier: GPL-2.0-only
#include "reports/compare.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "reports/groups.h"
#include "reports/parallel.h"

/* Fewer boots' figures than this are done before a thread has started. */
#define THREADS_MIN_VALUES 5000u

size_t comparison_boots(const struct comparison *comparison)
{
	size_t a = comparison->baseline.n_boots, b = comparison->other.n_boots;

	return a < b ? a : b;
}

static bool is_all_positive(const struct group *group)
{
	for (size_t i = 0; i < group->n_boots; i++)
		if (group->values[i] <= 0)
			return false;
	return true;
}

static bool is_all_zero(const struct group *group)
{
	for (size_t i = 0; i < group->n_boots; i++)
		if (group->values[i] != 0)
			return false;
	return true;
}

/* Of a side that has nothing to stand against. */
static double centre_alone(const struct group *group, bool is_log)
{
	double sum = 0;

	if (!group->n_boots)
		return NAN;
	for (size_t i = 0; i < group->n_boots; i++)
		sum += is_log ? log(group->values[i]) : group->values[i];
	sum /= (double)group->n_boots;
	return is_log ? exp(sum) : sum;
}

static void set_ratio(struct comparison *comparison, const struct interval *interval)
{
	double before = comparison->baseline.centre, after = comparison->other.centre;

	if (before > 0 && after >= 0)
		comparison->ratio = after / before;
	if (comparison->is_log && interval->is_valid) {
		/* Rounding must not put the ratio beyond an interval without width. */
		comparison->ratio_low = fmin(exp(interval->low), comparison->ratio);
		comparison->ratio_high = fmax(exp(interval->high), comparison->ratio);
	}
}

bool is_identical(const struct comparison *comparison)
{
	return comparison->n_identical && comparison->n_identical == comparison->baseline.n_boots &&
	       comparison->n_identical == comparison->other.n_boots;
}

/* Two one-sided tests; not from fewer boots than an interval needs. */
static void set_equivalence(struct comparison *comparison, double margin)
{
	comparison->margin =
		comparison->is_log ? log1p(margin) : margin * fabs(comparison->baseline.centre);
	if (comparison_boots(comparison) < INTERVAL_MIN_BOOTS)
		return;
	if (is_identical(comparison) ||
	    (is_all_zero(&comparison->baseline) && is_all_zero(&comparison->other)))
		comparison->p_equivalence = 0;
	else
		comparison->p_equivalence = equivalence_p(&comparison->difference,
							  -comparison->margin, comparison->margin);
}

/* ---- machines that disagree ------------------------------------------------------- */

/* What the machines say one by one, weighted by how sure each of them is. */
struct weighted {
	double sum, mean, q, welch; /* welch: the sum of (1 - w/W)^2 / degrees */
};

static struct weighted weigh(const struct difference *of, size_t n)
{
	struct weighted out = {0};

	for (size_t i = 0; i < n; i++) {
		double weight = 1 / (of[i].standard_error * of[i].standard_error);

		out.sum += weight;
		out.mean += weight * of[i].mean;
	}
	out.mean /= out.sum;
	for (size_t i = 0; i < n; i++) {
		double weight = 1 / (of[i].standard_error * of[i].standard_error);
		double away = of[i].mean - out.mean, rest = 1 - weight / out.sum;

		out.q += weight * away * away;
		out.welch += rest * rest / of[i].degrees;
	}
	return out;
}

static void judge_heterogeneity(struct heterogeneity *out, const struct difference *of, size_t n)
{
	struct weighted weighted;
	double k = (double)n, f;

	for (size_t i = 0; i < n; i++)
		if (isnan(of[i].degrees) || of[i].standard_error <= 0)
			return;
	weighted = weigh(of, n);
	out->q = weighted.q;
	out->i_squared = weighted.q > 0 ? fmax(0, 1 - (k - 1) / weighted.q) : 0;
	/* Welch's F: the standard errors are estimates from few boots, and Cochran's chi^2
	 * takes them for known. */
	f = weighted.q / (k - 1) / (1 + 2 * (k - 2) / (k * k - 1) * weighted.welch);
	out->p = gsl_cdf_fdist_Q(f, k - 1, (k * k - 1) / (3 * weighted.welch));
}

static int set_heterogeneity(struct comparison *comparison, const struct strata *strata)
{
	struct heterogeneity *out = &comparison->heterogeneity;
	struct difference *of;

	if (strata->n < 2)
		return 0;
	of = malloc(strata->n * sizeof(*of));
	if (!of)
		return -ENOMEM;
	for (size_t i = 0; i < strata->n; i++)
		of[i] = difference_of(&strata->items[i], 1);
	judge_heterogeneity(out, of, strata->n);
	for (size_t i = 0; i < strata->n && comparison->is_log; i++) {
		out->ratio_least = fmin(out->ratio_least, exp(of[i].mean));
		out->ratio_most = fmax(out->ratio_most, exp(of[i].mean));
	}
	free(of);
	return 0;
}

/* ---- one comparison --------------------------------------------------------------- */

static int test(struct comparison *comparison, const struct strata *strata, double confidence)
{
	struct interval interval = {0};
	int err;

	comparison->test = comparison->n_pairs ? TEST_PAIRED : TEST_INDEPENDENT;
	comparison->difference = difference_of(strata->items, strata->n);
	err = permutation_test(strata->items, strata->n, &comparison->permutation);
	if (!err && confidence > 0)
		err = bootstrap_interval(strata->items, strata->n, confidence, &interval);
	if (!err)
		err = set_heterogeneity(comparison, strata);
	set_ratio(comparison, &interval);
	return err;
}

static int compute(const struct analysis *analysis, struct comparison *comparison)
{
	/* What is not judged is given without an interval. */
	double confidence = comparison->family != FAMILY_NONE ? analysis->confidence : 0;
	struct strata strata;
	int err;

	comparison->is_log =
		is_all_positive(&comparison->baseline) && is_all_positive(&comparison->other);
	if (!comparison_boots(comparison)) {
		comparison->baseline.centre =
			centre_alone(&comparison->baseline, comparison->is_log);
		comparison->other.centre = centre_alone(&comparison->other, comparison->is_log);
		return 0;
	}
	err = strata_make(&strata, analysis->results, comparison);
	if (!err) {
		comparison->n_machines = strata.n;
		comparison->baseline.centre =
			comparison->is_log ? exp(strata.mean_a) : strata.mean_a;
		comparison->other.centre = comparison->is_log ? exp(strata.mean_b) : strata.mean_b;
		err = test(comparison, &strata, confidence);
	}
	if (!err)
		set_equivalence(comparison, comparison->family == FAMILY_CONTROL
						    ? analysis->control_margin
						    : analysis->margin);
	strata_release(&strata);
	return err;
}

/* ---- all of them ------------------------------------------------------------------ */

/* Each comparison is computed from its own boots and a fixed seed: it does not matter by whom. */
struct work {
	const struct analysis *analysis;
	struct comparison *comparisons;
};

static int compute_one(void *context, size_t i)
{
	const struct work *work = context;

	return compute(work->analysis, &work->comparisons[i]);
}

int comparisons_compute(const struct analysis *analysis, struct comparison *comparisons,
			size_t count)
{
	struct work work = {.analysis = analysis, .comparisons = comparisons};
	size_t values = 0;

	for (size_t i = 0; i < count; i++)
		values += comparisons[i].baseline.n_boots + comparisons[i].other.n_boots;
	return parallel_for(count, values >= THREADS_MIN_VALUES, compute_one, &work);
}
