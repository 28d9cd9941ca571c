/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

/* Where the driver puts the plan in the guest's initial RAM disk, without the leading slash. */
#define GUEST_PLAN_PATH "plan.json"
/* The program's path there, which the kernel argument rdinit= names. */
#define GUEST_PROGRAM_PATH "proxeval-guest"

/*
 * The environment variable (from a kernel argument of that name) that makes a guest
 * misbehave on purpose, so that what the driver does about it can be tested:
 * "panic", "hang", "noise" (a console that never falls silent), "memory", "kill", "half" (a result
 * that ends in the middle).
 */
#define GUEST_FAULT "proxeval_fault"

/*
 * Process 1 of a guest (proxeval-guest). Mounts what workloads expect, runs
 * /plan.json in a child, tells the driver over /dev/ttyS1 (bench/guest_stream.h), and
 * powers the guest off. Returns only when it is not process 1, with an exit code.
 */
int guest_main(void);

#endif
