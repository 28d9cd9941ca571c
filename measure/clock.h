/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_CLOCK_H
#define MEASURE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/* Now in nanoseconds of CLOCK_MONOTONIC: through the vDSO, no system call where the clocksource
 * allows. */
static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Sleeps so long, or until a signal comes. */
static inline void clock_sleep_ns(uint64_t ns)
{
	const struct timespec pause = {.tv_sec = (time_t)(ns / NS_PER_S),
				       .tv_nsec = (long)(ns % NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

#endif
