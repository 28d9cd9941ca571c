/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_METRONOME_H
#define BENCH_METRONOME_H

#include <stdint.h>

/*
 * A thread that does nothing but wake up every @period_ns on a CPU that nobody else uses.
 * In virtual time one host thread runs all vCPUs in turn, and a turn ends at the next timer
 * deadline of any of them: the metronome so sets the grain in which the guest's CPUs
 * interleave (about 0.02 ms instead of 0.05 ms, and other interleavings for other periods).
 * In real time it is of no use.
 */
struct metronome;

/* Starts one; NULL when it could not be (then CPUs interleave more coarsely, and that is all). */
struct metronome *metronome_start(int cpu, uint64_t period_ns);
/*
 * It beats until then (CLOCK_MONOTONIC) and slows down to nearly nothing afterwards, unless it is
 * told another time before: a guest that hangs is not kept busy. Without it, it beats for ever.
 * NULL is fine.
 */
void metronome_until(struct metronome *metronome, uint64_t until_ns);
/* Ends it; NULL is fine. */
void metronome_stop(struct metronome *metronome);

#endif
