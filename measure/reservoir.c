// SPDX-License-Identifier: GPL-2.0-only
#include "measure/reservoir.h"

#include <stdlib.h>

void reservoir_init(struct reservoir *reservoir, uint64_t seed)
{
	reservoir->samples = 0;
	reservoir->min = UINT64_MAX;
	reservoir->max = 0;
	reservoir->sum = 0;
	reservoir->random.state = seed;
}

static size_t count_kept(const struct reservoir *reservoir)
{
	return reservoir->samples < RESERVOIR_KEPT ? (size_t)reservoir->samples : RESERVOIR_KEPT;
}

static int compare_values(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* A draw takes any place as likely as another, so that their order is nobody's business. */
static size_t sort_kept(struct reservoir *reservoir)
{
	size_t n = count_kept(reservoir);

	qsort(reservoir->kept, n, sizeof(*reservoir->kept), compare_values);
	return n;
}

double reservoir_median(struct reservoir *reservoir)
{
	size_t n = sort_kept(reservoir);

	if (!n)
		return 0;
	return ((double)reservoir->kept[(n - 1) / 2] + (double)reservoir->kept[n / 2]) / 2;
}

uint64_t reservoir_lower_median(struct reservoir *reservoir)
{
	size_t n = sort_kept(reservoir);

	return n ? reservoir->kept[(n - 1) / 2] : 0;
}

uint64_t reservoir_count_from(const struct reservoir *reservoir, uint64_t value)
{
	size_t n = count_kept(reservoir);
	uint64_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += reservoir->kept[i] >= value;
	if (reservoir->samples <= RESERVOIR_KEPT)
		return found;
	return (uint64_t)((double)found / (double)n * (double)reservoir->samples + 0.5);
}
