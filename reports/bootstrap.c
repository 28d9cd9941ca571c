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
#define SOLVE_NEAR    1e-12 /* of the deviate */
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
	return copysign(1, tilt) * (root + log(straight / root) / root);
}

/* A tilt, the point that belongs to it, and how far its deviate is beyond the wanted one. */
struct place {
	double tilt, point, beyond;
};

static struct place place_at(const struct bootstrap *bootstrap, double tilt, double wanted)
{
	struct place out = {.tilt = tilt};

	out.beyond = copysign(1, wanted) * (deviate_at(bootstrap, tilt, &out.point) - wanted);
	return out;
}

/*
 * Steps out to the tilts around the deviate @wanted, on its side of the mean. False when the
 * bootstrap's distribution ends before it; @near is then as far as was come.
 */
static bool bracket(const struct bootstrap *bootstrap, double wanted, struct place *near,
		    struct place *far)
{
	double step = wanted / sqrt(bootstrap->squares);

	*near = (struct place){.beyond = -fabs(wanted)};
	for (unsigned int i = 0; i < SEARCH_STEPS; i++) {
		*far = place_at(bootstrap, near->tilt + step, wanted);
		if (far->beyond >= 0)
			return true;
		if (!(far->beyond > near->beyond))
			return false;
		*near = *far;
		step /= 2;
		step = fabs(step) < 0.25 * fabs(wanted) / sqrt(bootstrap->squares) ? 2 * step
										   : step;
	}
	return false;
}

/*
 * Where the bootstrap's distribution has the deviate @wanted; where it ends, if it does not.
 * Regula falsi, Illinois variant.
 */
static double find_point(const struct bootstrap *bootstrap, double wanted)
{
	struct place near, far, between;
	bool was_far = false, is_far = true;

	if (!bracket(bootstrap, wanted, &near, &far))
		return near.point;
	between = far;
	for (unsigned int i = 0; i < SOLVE_STEPS && fabs(between.beyond) > SOLVE_NEAR; i++) {
		double share = near.beyond / (near.beyond - far.beyond);

		between = place_at(bootstrap, near.tilt + share * (far.tilt - near.tilt), wanted);
		was_far = is_far;
		is_far = between.beyond >= 0;
		if (is_far) {
			far = between;
			near.beyond /= i && was_far ? 2 : 1;
		} else {
			near = between;
			far.beyond /= i && !was_far ? 2 : 1;
		}
	}
	return between.point;
}

/*
 * One end of the interval, relative to the estimate. Never nearer than Student's: so few boots
 * may have no bootstrap mean that far out, and a skewness that one boot in ten makes is
 * not seen by six.
 */
static double end_of(const struct bootstrap *bootstrap, const struct difference *difference,
		     double deviate, double student)
{
	double bias = bootstrap->cubes / (6 * pow(bootstrap->squares, 1.5));
	/* For a mean, the acceleration is the same sixth of the skewness as the bias. */
	double acceleration = bias, shifted = bias + deviate;
	double scale = 1 - acceleration * shifted, point = 0;
	double least = copysign(student * difference->standard_error, deviate);

	if (scale > 0 && (bias + shifted / scale) * deviate > 0)
		point = find_point(bootstrap, bias + shifted / scale);
	return deviate < 0 ? fmin(point, least) : fmax(point, least);
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
