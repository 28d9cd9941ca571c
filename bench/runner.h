/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

struct json_object;

/* A section's share of the progress that runner_run tells. */
#define RUNNER_STEPS 100

/*
 * Does all that a plan asks for, here and now, and makes the boot's result of it
 * (doc/internals.md): all but "variant" and "host_run", which the campaign knows, and
 * "environment.qemu", which the target does. Every setting is back when it returns.
 *
 * @progress (may be NULL) hears @done of @total steps, RUNNER_STEPS for each section, and
 * what is under way ("mutex-inversion same-cpu").
 *
 * 0 with *@result, which the caller owns: also when sections failed or are unsupported.
 * -EINVAL when the plan is wrong, -EINTR after a stop, another negative errno when the
 * machine cannot be read; the sentence about it has been printed.
 */
int runner_run(struct json_object *plan,
	       void (*progress)(void *context, unsigned int done, unsigned int total,
				const char *what),
	       void *context, struct json_object **result);

#endif
