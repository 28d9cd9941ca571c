// SPDX-License-Identifier: GPL-2.0-only
/*
 * What recording one sample costs beyond the two clock reads that make it: the difference
 * between a loop with histogram_record() and the same loop without, in the median of many
 * short rounds, so that a busy machine disturbs few of them; and the same of reservoir_record(),
 * most of whose samples come when it has long been full. Prints "record_ns: N" and "keep_ns: N",
 * and, where the kernel lets us count them, "record_instructions: N" (the tests hold nothing to
 * these figures: `make bench` reports them).
 */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/histogram.h"
#include "measure/random.h"
#include "measure/reservoir.h"

#define ROUNDS	301
#define SAMPLES 5000
/* So many offsets that the samples fall into buckets all over the histogram. */
#define OFFSETS 4096

static struct histogram histogram;
static struct reservoir reservoir;
static uint64_t offsets[OFFSETS];
static volatile uint64_t sink;

static int open_counter(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
				       .type = PERF_TYPE_HARDWARE,
				       .config = PERF_COUNT_HW_INSTRUCTIONS,
				       .disabled = 1,
				       .exclude_kernel = 1,
				       .exclude_hv = 1};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t count_instructions(int counter)
{
	uint64_t count = 0;

	if (counter < 0 || read(counter, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

static void __attribute__((noinline)) clocks_alone(void)
{
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t from_ns = clock_now_ns();
		uint64_t to_ns = clock_now_ns();

		sink = to_ns - from_ns + offsets[i % OFFSETS];
	}
}

static void __attribute__((noinline)) clocks_and_record(void)
{
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t from_ns = clock_now_ns();
		uint64_t to_ns = clock_now_ns();

		sink = to_ns - from_ns + offsets[i % OFFSETS];
		histogram_record(&histogram, to_ns - from_ns + offsets[i % OFFSETS]);
	}
}

static void __attribute__((noinline)) clocks_and_keep(void)
{
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t from_ns = clock_now_ns();
		uint64_t to_ns = clock_now_ns();

		sink = to_ns - from_ns + offsets[i % OFFSETS];
		reservoir_record(&reservoir, to_ns - from_ns + offsets[i % OFFSETS]);
	}
}

struct cost {
	double ns, instructions; /* per sample */
};

static struct cost time_loop(void (*loop)(void), int counter)
{
	uint64_t instructions = count_instructions(counter);
	uint64_t from_ns = clock_now_ns();

	loop();
	return (struct cost){.ns = (double)(clock_now_ns() - from_ns) / SAMPLES,
			     .instructions = (double)(count_instructions(counter) - instructions) /
					     SAMPLES};
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median_of(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

int main(void)
{
	static double ns[ROUNDS], instructions[ROUNDS], clocks_ns[ROUNDS], keep_ns[ROUNDS];
	struct random random = {.state = 1};
	int counter = open_counter();

	histogram_init(&histogram, 0);
	reservoir_init(&reservoir, 1);
	for (int i = 0; i < OFFSETS; i++)
		offsets[i] = random_next(&random) >> (22 + random_below(&random, 40));
	if (counter >= 0)
		ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct cost without = time_loop(clocks_alone, counter);
		struct cost with = time_loop(clocks_and_record, counter);

		clocks_ns[i] = without.ns;
		ns[i] = with.ns - without.ns;
		instructions[i] = with.instructions - without.instructions;
		keep_ns[i] = time_loop(clocks_and_keep, counter).ns - without.ns;
	}
	printf("two_clocks_ns: %.1f\n", median_of(clocks_ns));
	printf("record_ns: %.1f\n", median_of(ns));
	printf("keep_ns: %.1f\nkeep_bytes: %zu\n", median_of(keep_ns), sizeof(reservoir));
	if (counter >= 0 && count_instructions(counter))
		printf("record_instructions: %.1f\n", median_of(instructions));
	else
		printf("instructions: not counted (no hardware counter for this user or machine)\n");
	return histogram.samples == (uint64_t)ROUNDS * SAMPLES &&
			       reservoir.samples == histogram.samples
		       ? 0
		       : 1;
}
