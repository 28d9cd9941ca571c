/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SEED_H
#define BENCH_SEED_H

#include <stdint.h>

/*
 * Everything random in a campaign is drawn from its one seed, through here, so that
 * the seed in campaign.json is enough to repeat it. What is drawn for one purpose
 * says nothing of what is drawn for another: each has its salt.
 */
enum seed_salt {
	SEED_ORDER = 1,	 /* the order of the variants within a round */
	SEED_BOOT,	 /* a boot's own seed */
	SEED_ATTEMPT,	 /* the perturbation of a boot's second and third attempt */
	SEED_METRONOME,	 /* the metronome's period */
	SEED_KERNEL_PAD, /* the length of a kernel argument */
};

/* One step of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every bit of @state stirs every other.
 */
static inline uint64_t seed_stir(uint64_t state)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	state = (state ^ (state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	state = (state ^ (state >> 27)) * UINT64_C(0x94d049bb133111eb);
	return state ^ (state >> 31);
}

/* A number drawn from @seed for the purpose @salt; any uint64_t. */
static inline uint64_t seed_mix(uint64_t seed, uint64_t salt)
{
	return seed_stir(seed_stir(seed) ^ salt);
}

#endif
