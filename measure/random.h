/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_RANDOM_H
#define MEASURE_RANDOM_H

#include <stdint.h>

/*
 * Numbers that a seed decides, the same on every machine and library: a Weyl sequence
 * through the 64-bit finaliser of Steele, Lea and Flood, "Fast splittable pseudorandom
 * number generators" (2014). Not for secrets.
 */
struct random {
	uint64_t state;
};

static inline uint64_t random_mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static inline uint64_t random_next(struct random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return random_mix(random->state);
}

/* From 0 to @limit - 1, each as likely; @limit must not be 0. */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
	/* What is below the threshold would make the first values likelier: draw again. */
	uint64_t threshold = -limit % limit;
	uint64_t value;

	do {
		value = random_next(random);
	} while (value < threshold);
	return value % limit;
}

/* A seed of its own for each @name below one @seed. */
static inline uint64_t random_seed_for(uint64_t seed, const char *name)
{
	uint64_t hash = random_mix(seed + UINT64_C(0x9e3779b97f4a7c15));

	while (*name)
		hash = random_mix(hash ^ (unsigned char)*name++);
	return hash;
}

#endif
