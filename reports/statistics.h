/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_STATISTICS_H
#define REPORTS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Statistics on boots: every value here is what one boot says of one metric,
 * usually its logarithm, so that a difference is the logarithm of a ratio.
 * doc/method.md says in plain words why each of these was taken. All of it is
 * deterministic: whatever is drawn is drawn from a fixed seed.
 */

#define STATISTICS_SEED 20261122u
/* Where arrangements are drawn: at most so many. */
#define PERMUTATION_DRAWS 100000u
/* A bound is taken for p where it is no more than this; drawing sees no smaller p anyway. */
#define PERMUTATION_BOUND_MAX 1e-4
/* An interval from fewer boots than this would be a guess. */
#define INTERVAL_MIN_BOOTS 3u

/*
 * The boots of one machine. Two independent groups; or pairs, as their differences b - a:
 * then @a is NULL and @n_a is 0. No group is empty.
 */
struct stratum {
	const double *a, *b;
	size_t n_a, n_b;
};

/* How p was found. */
enum permutation_method {
	PERMUTATION_EXACT,   /* all arrangements are accounted for */
	PERMUTATION_DRAWN,   /* from a fixed seed, by Besag and Clifford's rule */
	PERMUTATION_BOUNDED, /* p is not greater than this */
};

struct permutation {
	double p;	       /* two-sided, in (0, 1] */
	uint64_t arrangements; /* all there are (UINT64_MAX: 2^62 or more); or the drawn ones */
	enum permutation_method method;
};

/*
 * Labels permuted within every stratum (pairs: signs flipped), statistic |mean over strata of
 * the mean difference|. p is the share of arrangements at least as extreme, or, where
 * they are too many, a valid p of another kind: see permutation_method. @n_strata >= 1.
 * 0 or -ENOMEM.
 */
int permutation_test(const struct stratum *strata, size_t n_strata, struct permutation *out);

/* The smallest p that @n boots of each variant (or @n pairs) on each of @n_strata machines give. */
double permutation_smallest_p(size_t n, size_t n_strata, bool is_paired);

/* The least n with permutation_smallest_p(n) * @tests <= @alpha. */
size_t permutation_boots_needed(double alpha, size_t tests, size_t n_strata, bool is_paired);

/*
 * Adjusts @n p values in place, whatever their order, for many tests: Holm holds the
 * chance of any false verdict, Benjamini-Hochberg the share of false ones among
 * the verdicts. 0 or -ENOMEM.
 */
int holm_adjust(double *p, size_t n);
int benjamini_hochberg_adjust(double *p, size_t n);

/*
 * The mean over strata of the mean difference (every machine counts the same), its standard
 * error and degrees of freedom: Welch's for two groups, Student's for pairs, Satterthwaite's
 * for several strata. The last two are NaN when a group has one boot alone.
 */
struct difference {
	double mean; /* of b minus a, or of the paired differences */
	double standard_error;
	double degrees;
};
struct difference difference_of(const struct stratum *strata, size_t n_strata);

/*
 * Two one-sided t tests that the true difference lies within @low < 0 < @high: the
 * larger of the two p values; NaN without degrees of freedom.
 */
double equivalence_p(const struct difference *difference, double low, double high);

/*
 * The interval of that difference by resampling whole boots within strata: bias-corrected and
 * accelerated (BCa), at levels widened as far as so few boots ask for (the bootstrap's own
 * standard error is too small by sqrt((n-1)/n), and its normal quantile by Student's).
 * Never narrower than Student's. The resampling is not drawn: its distribution is computed
 * (saddlepoint approximation), so there is no chance in it. Not valid below INTERVAL_MIN_BOOTS. 0
 * or -ENOMEM.
 */
struct interval {
	bool is_valid;
	double low, high;
};
int bootstrap_interval(const struct stratum *strata, size_t n_strata, double confidence,
		       struct interval *out);

/*
 * Boots a variant (and machine, as @boots are) that a test with level @alpha would need for a
 * power of 80 % were the difference and its spread what they seem now: for a verdict of
 * "different", and of "equivalent" within +-@margin. By t distributions; SIZE_MAX when no
 * number would do.
 */
size_t boots_for_difference(const struct difference *now, size_t boots, double alpha);
size_t boots_for_equivalence(const struct difference *now, size_t boots, double alpha,
			     double margin);

/* The arithmetic mean of @n values; NaN of none. */
double mean_of(const double *values, size_t n);

#endif
