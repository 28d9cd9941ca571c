/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_HISTOGRAM_H
#define MEASURE_HISTOGRAM_H

#include <stdint.h>

struct json_object;

/*
 * A log-linear histogram of nanoseconds (or any uint64_t) with explicit under- and
 * overflow. Values below 2^HISTOGRAM_BITS have a bucket each; above, every octave
 * is cut into 2^(HISTOGRAM_BITS - 1) equal buckets, so that a bucket is never wider
 * than 1/64 of its lower edge and its midpoint is never off by more than 0.79 %.
 * The idea is HdrHistogram's; the layout and the code are ours.
 *
 * One writer. Recording takes no lock and no system call, allocates nothing, and
 * touches no cache line of another histogram: memory is the same for ten samples
 * and for ten thousand million.
 */
#define HISTOGRAM_BITS	   7
#define HISTOGRAM_MAX_BITS 42 /* values of 2^42 and more (73 minutes in ns) are overflow */
#define HISTOGRAM_BUCKETS         \
	((1u << HISTOGRAM_BITS) + \
	 (HISTOGRAM_MAX_BITS - HISTOGRAM_BITS) * (1u << (HISTOGRAM_BITS - 1)))

struct histogram {
	uint64_t lowest;  /* values below it are underflow; 0: nothing is */
	uint64_t samples; /* all of them, under- and overflow included */
	uint64_t underflow;
	uint64_t overflow;
	uint64_t min, max; /* exact; min is UINT64_MAX while there is no sample */
	double sum;
	uint64_t buckets[HISTOGRAM_BUCKETS];
} __attribute__((aligned(64)));

void histogram_init(struct histogram *histogram, uint64_t lowest);

/* The bucket that @value falls into; @value < 2^HISTOGRAM_MAX_BITS. */
static inline uint32_t histogram_index(uint64_t value)
{
	uint32_t shift;

	if (value < (1u << HISTOGRAM_BITS))
		return (uint32_t)value;
	shift = (uint32_t)(63 - __builtin_clzll(value)) - (HISTOGRAM_BITS - 1);
	/* value >> shift is from 64 to 127: the upper half of a linear block. */
	return (shift << (HISTOGRAM_BITS - 1)) + (uint32_t)(value >> shift);
}

static inline void histogram_record(struct histogram *histogram, uint64_t value)
{
	histogram->samples++;
	histogram->sum += (double)value;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	if (__builtin_expect(value < histogram->lowest, 0))
		histogram->underflow++;
	else if (__builtin_expect(value >> HISTOGRAM_MAX_BITS, 0))
		histogram->overflow++;
	else
		histogram->buckets[histogram_index(value)]++;
}

/* The inclusive lower edge and the width of a bucket. */
uint64_t histogram_lower_edge(uint32_t index);
uint64_t histogram_width(uint32_t index);

/*
 * The value at quantile @q in [0, 1] by the nearest-rank rule: the midpoint of the
 * bucket that holds the sample of rank ceil(q·n), clamped to the exact min and max.
 * Rank in the underflow gives min, in the overflow max. 0 when there is no sample.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double q);

/* Adds @from to @into; both must have the same lowest. 0 or -EINVAL. */
int histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * The "histogram" object of a metric and back (doc/internals.md). from_json: 0 or -EINVAL;
 * min, max and sum, which that object does not carry, are then what the buckets say.
 */
struct json_object *histogram_to_json(const struct histogram *histogram);
int histogram_from_json(struct histogram *histogram, struct json_object *object);

#endif
