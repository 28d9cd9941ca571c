/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_CYCLICTEST_H
#define WORKLOADS_CYCLICTEST_H

#include <stddef.h>
#include <stdint.h>

struct histogram;
struct imported;
struct import_bin;

/* One of cyclictest's threads, by the parser of `proxeval import`. */
struct cyclictest_thread {
	const struct import_bin *bins; /* in rising order of ns */
	size_t n_bins;
	uint64_t samples;  /* all of them */
	uint64_t overflow; /* of these beyond the histogram */
	uint64_t min_ns, max_ns;
};

struct cyclictest_output {
	struct cyclictest_thread *threads;
	size_t n_threads;
	struct imported *imported; /* what the threads' bins belong to */
};

/*
 * Reads what `cyclictest -q -h US` wrote. 0, or -EINVAL or -ENOMEM with one sentence in @error;
 * cyclictest_output_release is due after 0 only.
 */
int cyclictest_read(const char *text, size_t size_bytes, struct cyclictest_output *output,
		    char *error, size_t error_size);
void cyclictest_output_release(struct cyclictest_output *output);

/* The latency at a quantile, by the nearest-rank rule; in the overflow it is the maximum. */
uint64_t cyclictest_quantile_ns(const struct cyclictest_thread *thread, double quantile);

/* Records all samples; those beyond the histogram's end as overflow. */
void cyclictest_record(const struct cyclictest_thread *thread, struct histogram *histogram);

#endif
