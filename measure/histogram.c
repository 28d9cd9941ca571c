// SPDX-License-Identifier: GPL-2.0-only
#include "measure/histogram.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#define HALF_BITS                                                                       \
	(HISTOGRAM_BITS - 1) /* an octave above the linear part has 2^HALF_BITS buckets \
			      */

/* How far the values of a bucket are shifted; 0 in the linear part. */
static uint32_t shift_of(uint32_t index)
{
	return index < (1u << HISTOGRAM_BITS) ? 0 : (index >> HALF_BITS) - 1;
}

void histogram_init(struct histogram *histogram, uint64_t lowest)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->lowest = lowest;
	histogram->min = UINT64_MAX;
}

uint64_t histogram_lower_edge(uint32_t index)
{
	uint32_t shift = shift_of(index);

	return (uint64_t)(index - (shift << HALF_BITS)) << shift;
}

uint64_t histogram_width(uint32_t index)
{
	return UINT64_C(1) << shift_of(index);
}

static uint64_t clamp(const struct histogram *histogram, uint64_t value)
{
	if (value < histogram->min)
		return histogram->min;
	return value > histogram->max ? histogram->max : value;
}

/*
 * The product q·n is a hair off where q has no exact double (0.07 · 100 is a little more
 * than 7): the relative 10^-12 keeps ceil() from taking that for another sample.
 */
static uint64_t rank_of(const struct histogram *histogram, double q)
{
	double rank = ceil(q * (double)histogram->samples * (1 - 1e-12));

	if (!(rank >= 1))
		return 1;
	return rank > (double)histogram->samples ? histogram->samples : (uint64_t)rank;
}

uint64_t histogram_quantile(const struct histogram *histogram, double q)
{
	uint64_t seen = histogram->underflow;
	uint64_t rank;

	if (!histogram->samples)
		return 0;
	rank = rank_of(histogram, q);
	if (rank <= seen)
		return histogram->min;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (rank <= seen)
			return clamp(histogram, histogram_lower_edge(i) + histogram_width(i) / 2);
	}
	return histogram->max;
}

int histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (into->lowest != from->lowest)
		return -EINVAL;
	into->samples += from->samples;
	into->underflow += from->underflow;
	into->overflow += from->overflow;
	into->sum += from->sum;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	return 0;
}

struct json_object *histogram_to_json(const struct histogram *histogram)
{
	struct json_object *object = json_object_new_object();
	struct json_object *buckets = json_object_new_array();

	json_object_object_add(object, "bits", json_object_new_int(HISTOGRAM_BITS));
	json_object_object_add(object, "lowest", json_object_new_uint64(histogram->lowest));
	json_object_object_add(object, "max_bits", json_object_new_int(HISTOGRAM_MAX_BITS));
	json_object_object_add(object, "underflow", json_object_new_uint64(histogram->underflow));
	json_object_object_add(object, "overflow", json_object_new_uint64(histogram->overflow));
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		struct json_object *pair;

		if (!histogram->buckets[i])
			continue;
		pair = json_object_new_array_ext(2);
		json_object_array_add(pair, json_object_new_int64(i));
		json_object_array_add(pair, json_object_new_uint64(histogram->buckets[i]));
		json_object_array_add(buckets, pair);
	}
	json_object_object_add(object, "buckets", buckets);
	return object;
}

/* A whole number that is not negative. */
static int get_count(struct json_object *value, uint64_t *out)
{
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return -EINVAL;
	*out = json_object_get_uint64(value);
	return 0;
}

static int get_member(struct json_object *object, const char *key, uint64_t *out)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return -EINVAL;
	return get_count(value, out);
}

/* Takes one [index, count] pair; @next is the lowest index that may follow. */
static int take_bucket(struct histogram *histogram, struct json_object *pair, uint64_t *next)
{
	uint64_t index, count;

	if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2 ||
	    get_count(json_object_array_get_idx(pair, 0), &index) ||
	    get_count(json_object_array_get_idx(pair, 1), &count))
		return -EINVAL;
	if (index < *next || index >= HISTOGRAM_BUCKETS || !count)
		return -EINVAL;
	*next = index + 1;
	histogram->buckets[index] = count;
	if (__builtin_add_overflow(histogram->samples, count, &histogram->samples))
		return -EINVAL;
	return 0;
}

/* What the buckets alone can say of min, max and sum. */
static void estimate_moments(struct histogram *histogram)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t lower = histogram_lower_edge(i);

		if (!histogram->buckets[i])
			continue;
		if (lower < histogram->min)
			histogram->min = lower;
		histogram->max = lower + histogram_width(i) - 1;
		histogram->sum += (double)histogram->buckets[i] *
				  ((double)lower + (double)(histogram_width(i) / 2));
	}
	if (histogram->underflow)
		histogram->min = 0;
	if (histogram->overflow)
		histogram->max = UINT64_MAX;
}

int histogram_from_json(struct histogram *histogram, struct json_object *object)
{
	struct json_object *buckets;
	uint64_t bits, max_bits, lowest, next = 0;

	if (!json_object_is_type(object, json_type_object) || get_member(object, "bits", &bits) ||
	    get_member(object, "max_bits", &max_bits) || get_member(object, "lowest", &lowest) ||
	    bits != HISTOGRAM_BITS || max_bits != HISTOGRAM_MAX_BITS)
		return -EINVAL;
	histogram_init(histogram, lowest);
	if (get_member(object, "underflow", &histogram->underflow) ||
	    get_member(object, "overflow", &histogram->overflow) ||
	    !json_object_object_get_ex(object, "buckets", &buckets) ||
	    !json_object_is_type(buckets, json_type_array))
		return -EINVAL;
	if (__builtin_add_overflow(histogram->underflow, histogram->overflow, &histogram->samples))
		return -EINVAL;
	for (size_t i = 0; i < json_object_array_length(buckets); i++)
		if (take_bucket(histogram, json_object_array_get_idx(buckets, i), &next))
			return -EINVAL;
	estimate_moments(histogram);
	return 0;
}
