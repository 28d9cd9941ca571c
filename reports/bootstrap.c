// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bootstrap's distribution of a difference of means, computed instead of drawn. Means of
 * boots drawn with replacement have a known generating function; the saddlepoint
 * approximation (Davison and Hinkley, Biometrika 75, 1988) turns it into quantiles without
 * chance, in the time of a few dozen sums over the boots.
 */
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "reports/statistics.h"

#define SEARCH_STEPS  64u
#define SOLVE_STEPS   100u
#define SOLVE_NEAR    1e-13 /* of the tilt */
#define SMALL_DEVIATE 1e-4  /* below, the correction of the deviate is its limit at 0 */

/* One group's boots around their mean: means of n of them, times @factor. */
struct part {
	const double *values;
	size_t n;
	double mean, factor;
};

struct bootstrap {
	struct part *parts;
	size_t n_parts;
	double squares, cubes; /* of the boots' influences: the second and third cumulant */
};

/* The cumulant function at one tilt, and its first two derivatives. */
struct cumulant {
	double value, slope, curve;
};

static void add_part(const struct part *part, double tilt, struct cumulant *out)
{
	double largest = -INFINITY, sum = 0, first = 0, second = 0, mean;

	for (size_t i = 0; i < part->n; i++)
		largest = fmax(largest, tilt * part->factor * (part->values[i] - part->mean));
	for (size_t i = 0; i < part->n; i++) {
		double value = part->factor * (part->values[i] - part->mean);
		double weight = exp(tilt * value - largest);

		sum += weight;
		first += weight * value;
		second += weight * value * value;
	}
	mean = first / sum;
	out->value += (double)part->n * (largest + log(sum / (double)part->n));
	out->slope += (double)part->n * mean;
	out->curve += (double)part->n * fmax(0, second / sum - mean * mean);
}

static struct cumulant cumulant_at(const struct bootstrap *bootstrap, double tilt)
{
	struct cumulant out = {0};

	for (size_t i = 0; i < bootstrap->n_parts; i++)
		add_part(&bootstrap->parts[i], tilt, &out);
	return out;
}

/*
 * The normal deviate of the chance to stay below the point that belongs to @tilt, which
 * is *@point: Barndorff-Nielsen's r*.
 */
static double deviate_at(const struct bootstrap *bootstrap, double tilt, double *point)
{
	struct cumulant cumulant = cumulant_at(bootstrap, tilt);
	double root = sqrt(fmax(0, 2 * (tilt * cumulant.slope - cumulant.value)));
	double straight = fabs(tilt) * sqrt(cumulant.curve);

	*point = cumulant.slope;
	if (root < SMALL_DEVIATE)
		return copysign(root, tilt) + bootstrap->cubes / (6 * pow(bootstrap->squares, 1.5));
	return copysign(root + log(straight / root) / root, tilt);
}

/*
 * The tilts around the deviate @wanted, on its side of the mean. False when the bootstrap's
 * distribution ends before it; *@point is then as far as was come.
 */
static bool bracket(const struct bootstrap *bootstrap, double wanted, double *near, double *far,
		    double *point)
{
	double sign = copysign(1, wanted), step = sign / sqrt(bootstrap->squares);
	double reached = 0, furthest = 0;

	*near = 0;
	for (unsigned int i = 0; i < SEARCH_STEPS; i++) {
		double deviate;

		*far = *near + step;
		deviate = sign * deviate_at(bootstrap, *far, point);
		if (!(deviate > reached) && i)
			break;
		furthest = *point;
		if (deviate >= fabs(wanted))
			return true;
		reached = deviate;
		*near = *far;
	}
	*point = furthest;
	return false;
}

/* Where the bootstrap's distribution has the deviate @wanted; false when it does not. */
static bool find_point(const struct bootstrap *bootstrap, double wanted, double *point)
{
	double near, far;

	if (!bracket(bootstrap, wanted, &near, &far, point))
		return false;
	for (unsigned int i = 0; i < SOLVE_STEPS && fabs(far - near) > SOLVE_NEAR * fabs(far);
	     i++) {
		double middle = near + (far - near) / 2;

		if (fabs(deviate_at(bootstrap, middle, point)) < fabs(wanted))
			near = middle;
		else
			far = middle;
	}
	return true;
}

/*
 * One end of the interval, relative to the estimate. So few boots may not have a
 * bootstrap mean that far out: Student's interval then goes on where they end.
 */
static double end_of(const struct bootstrap *bootstrap, const struct difference *difference,
		     double deviate, double student)
{
	double bias = bootstrap->cubes / (6 * pow(bootstrap->squares, 1.5));
	/* For a mean, the acceleration is the same sixth of the skewness as the bias. */
	double acceleration = bias, shifted = bias + deviate;
	double scale = 1 - acceleration * shifted, point = 0;

	if (scale > 0 && (bias + shifted / scale) * deviate > 0 &&
	    find_point(bootstrap, bias + shifted / scale, &point))
		return point;
	return copysign(fmax(fabs(point), student * difference->standard_error), deviate);
}

static void fill_bootstrap(struct bootstrap *bootstrap, const struct stratum *strata,
			   size_t n_strata)
{
	for (size_t i = 0; i < n_strata; i++) {
		const struct stratum *from = &strata[i];
		double weight = 1 / (double)n_strata;

		if (from->a)
			bootstrap->parts[bootstrap->n_parts++] =
				(struct part){from->a, from->n_a, mean_of(from->a, from->n_a),
					      -weight / (double)from->n_a};
		bootstrap->parts[bootstrap->n_parts++] =
			(struct part){from->b, from->n_b, mean_of(from->b, from->n_b),
				      weight / (double)from->n_b};
	}
	for (size_t i = 0; i < bootstrap->n_parts; i++) {
		const struct part *part = &bootstrap->parts[i];

		for (size_t j = 0; j < part->n; j++) {
			double influence = part->factor * (part->values[j] - part->mean);

			bootstrap->squares += influence * influence;
			bootstrap->cubes += influence * influence * influence;
		}
	}
}

/* An interval from one boot per machine and side says nothing; nor one from two in all. */
static bool has_enough(const struct stratum *strata, size_t n_strata)
{
	size_t a = 0, b = 0;
	bool is_paired = true;

	for (size_t i = 0; i < n_strata; i++) {
		a += strata[i].n_a;
		b += strata[i].n_b;
		is_paired = is_paired && !strata[i].a;
	}
	return b >= INTERVAL_MIN_BOOTS && (is_paired || a >= INTERVAL_MIN_BOOTS);
}

int bootstrap_interval(const struct stratum *strata, size_t n_strata, double confidence,
		       struct interval *out)
{
	struct difference difference = difference_of(strata, n_strata);
	struct bootstrap bootstrap = {0};
	double student;

	*out = (struct interval){.low = difference.mean, .high = difference.mean};
	if (isnan(difference.degrees) || !has_enough(strata, n_strata))
		return 0;
	out->is_valid = true;
	if (difference.standard_error <= 0)
		return 0;
	bootstrap.parts = malloc(2 * n_strata * sizeof(*bootstrap.parts));
	if (!bootstrap.parts)
		return -ENOMEM;
	fill_bootstrap(&bootstrap, strata, n_strata);
	student = gsl_cdf_tdist_Pinv(0.5 + confidence / 2, difference.degrees);
	/* The sum of squared influences is the bootstrap's own variance, which is too small. */
	out->high = student * difference.standard_error / sqrt(bootstrap.squares);
	out->low = difference.mean + end_of(&bootstrap, &difference, -out->high, student);
	out->high = difference.mean + end_of(&bootstrap, &difference, out->high, student);
	free(bootstrap.parts);
	return 0;
}
