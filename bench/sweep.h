/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SWEEP_H
#define BENCH_SWEEP_H

#include <stddef.h>

struct json_object;
struct parameter_spec;
struct workload;

/*
 * A value as it stands in plans and ids: a number in decimal, whatever base it was typed in. The
 * caller frees it; NULL: no memory.
 */
char *parameter_plain_value(const struct parameter_spec *parameter, const char *value);

/* Values of one sweep. A curve of more points than these would take a day to measure. */
#define SWEEP_MAX_VALUES 64

/*
 * The values of @parameter that @text asks for, each as a string, in their order. Between the
 * commas stand values and, for a number, ranges: "1,2,5"    these "1..8"     every one "0..90+30"
 * 0, 30, 60, 90: a step behind a plus "1..64x2"  1, 2, 4 … 64: a factor behind an x A range ends
 * with the last value that is not beyond its end. Numbers come out in decimal.
 *
 * An array that the caller owns; NULL with one sentence in @error when a value is none of the
 * parameter's, comes twice, or there are more than SWEEP_MAX_VALUES.
 */
struct json_object *sweep_values(const struct workload *workload,
				 const struct parameter_spec *parameter, const char *text,
				 char *error, size_t error_size);

#endif
