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

/* Up to so many arrangements a permutation test is exact; beyond, it draws PERMUTATION_DRAWS. */
#define PERMUTATION_EXACT_MAX (UINT64_C(1) << 20)
#define PERMUTATION_DRAWS     100000u
#define BOOTSTRAP_RESAMPLES   2000u
#define STATISTICS_SEED	      20261122u
/* An interval from fewer boots than this would be a guess. */
#define INTERVAL_MIN_BOOTS 3u

struct permutation {
	double p;	       /* two-sided, in (0, 1] */
	uint64_t arrangements; /* that were looked at, the observed one among them */
	bool is_monte_carlo; /* drawn, because there were too many: p is (hits + 1) / (draws + 1) */
};

/*
 * Two independent groups of boots (@n_a, @n_b >= 1): labels permuted, statistic
 * |mean(b) - mean(a)|. p is the share of arrangements at least as extreme. 0 or -ENOMEM.
 */
int permutation_independent(const double *a, size_t n_a, const double *b, size_t n_b,
			    struct permutation *out);

/* @n >= 1 paired differences: signs flipped, statistic |mean|. Never fails. */
void permutation_paired(const double *differences, size_t n, struct permutation *out);

/* The smallest p that @n boots in each variant (or @n pairs) can give. 1 for no boot. */
double permutation_smallest_p(size_t n, bool is_paired);

/* The least n with permutation_smallest_p(n) * @tests <= @alpha. */
size_t permutation_boots_needed(double alpha, size_t tests, bool is_paired);

/*
 * Adjusts @n p values in place, whatever their order, for many tests: Holm holds the
 * chance of any false verdict, Benjamini-Hochberg the share of false ones among
 * the verdicts. 0 or -ENOMEM.
 */
int holm_adjust(double *p, size_t n);
int benjamini_hochberg_adjust(double *p, size_t n);

/* Mean and standard error of a difference of means, with its degrees of freedom (Welch). */
struct difference {
	double mean; /* of b minus a, or of the paired differences */
	double standard_error;
	double degrees; /* NaN when there are too few boots for any */
};
struct difference difference_independent(const double *a, size_t n_a, const double *b, size_t n_b);
struct difference difference_paired(const double *differences, size_t n);

/*
 * Two one-sided t tests that the true difference lies within @low < 0 < @high: the
 * larger of the two p values; NaN without degrees of freedom.
 */
double equivalence_p(const struct difference *difference, double low, double high);

/*
 * The interval of a difference of means by resampling whole boots: bias-corrected and
 * accelerated, at levels widened as far as so few boots ask for (the bootstrap's
 * own standard error is too small by sqrt((n-1)/n), and its normal quantile by
 * Student's). Not valid below INTERVAL_MIN_BOOTS.
 */
struct interval {
	bool is_valid;
	double low, high;
};
int bootstrap_independent(const double *a, size_t n_a, const double *b, size_t n_b,
			  double confidence, struct interval *out);
int bootstrap_paired(const double *differences, size_t n, double confidence, struct interval *out);

/*
 * Boots a variant that a test with level @alpha would need for a power of 80 % were the
 * difference and its spread what they seem now: for a verdict of "different", and
 * of "equivalent" within +-@margin. SIZE_MAX when no number would do.
 */
size_t boots_for_difference(const struct difference *now, size_t boots, double alpha);
size_t boots_for_equivalence(const struct difference *now, size_t boots, double alpha,
			     double margin);

double mean_of(const double *values, size_t n);

#endif
