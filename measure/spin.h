/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_SPIN_H
#define MEASURE_SPIN_H

#include <stdint.h>
#include <time.h>

#include "measure/clock.h"

/*
 * A stretch of busy waiting that touches nothing: about 0.1 us on a machine, 1 us in
 * virtual time at 2 ns per instruction. No-operations, because an emulator translates
 * them to nothing: a virtual second of spinning so costs a few milliseconds instead of a
 * second or more. 500 and the loop around them fit the 512 instructions that QEMU puts
 * into one translated block.
 */
static inline void spin_stretch(void)
{
	__asm__ volatile(".rept 500\n\tnop\n\t.endr");
}

/* CPU time that the calling thread has used so far. */
static inline uint64_t clock_thread_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * Computes until the calling thread has used @cpu_ns more. The clock is a system call,
 * so it is read every 16 stretches: 16 us in virtual time, 0.3 % of a section of 5 ms.
 */
static inline void spin_cpu_ns(uint64_t cpu_ns)
{
	uint64_t end_ns = clock_thread_cpu_ns() + cpu_ns;

	while (clock_thread_cpu_ns() < end_ns)
		for (int i = 0; i < 16; i++)
			spin_stretch();
}

#endif
