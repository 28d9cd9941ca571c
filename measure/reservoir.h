/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_RESERVOIR_H
#define MEASURE_RESERVOIR_H

#include <stdint.h>

#include "measure/random.h"

/*
 * What a run of any length remembers of its samples, in memory that does not grow with it: each
 * of them while they are RESERVOIR_KEPT at most, and from then on so many of them that were drawn,
 * each sample as likely as every other (Vitter, "Random sampling with a reservoir", 1985,
 * algorithm R). Their number, sum and extremes are always exact.
 *
 * A histogram's buckets are too wide for what is asked here: half a per cent of a wakeup's
 * instructions is a finding. The median of a reservoir is off by 1.25 standard deviations of the
 * samples over the root of RESERVOIR_KEPT, which is 2 % of one, and not at all where most samples
 * are the same number. Between boots it is the same again that differs, and more.
 *
 * One writer. The draws are a function of the seed.
 */
#define RESERVOIR_KEPT 4096

struct reservoir {
	uint64_t samples;
	uint64_t min, max; /* min is UINT64_MAX while there is no sample */
	double sum;
	struct random random;
	uint64_t kept[RESERVOIR_KEPT];
};

void reservoir_init(struct reservoir *reservoir, uint64_t seed);

static inline void reservoir_record(struct reservoir *reservoir, uint64_t value)
{
	uint64_t place = reservoir->samples++;

	reservoir->sum += (double)value;
	if (value < reservoir->min)
		reservoir->min = value;
	if (value > reservoir->max)
		reservoir->max = value;
	if (place >= RESERVOIR_KEPT)
		place = random_below(&reservoir->random, reservoir->samples);
	if (place < RESERVOIR_KEPT)
		reservoir->kept[place] = value;
}

/*
 * The median of what is kept: the mean of the middle two of an even number, 0 for none. The lower
 * one is a value that was recorded. Both sort what is kept, which later records may go on from.
 */
double reservoir_median(struct reservoir *reservoir);
uint64_t reservoir_lower_median(struct reservoir *reservoir);

/*
 * How many samples are at least @value: exact while all are kept, else the share of those kept,
 * rounded to the nearest.
 */
uint64_t reservoir_count_from(const struct reservoir *reservoir, uint64_t value);

#endif
