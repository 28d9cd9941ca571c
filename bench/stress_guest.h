/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_STRESS_GUEST_H
#define BENCH_STRESS_GUEST_H

struct json_object;

/* The environment variable (from a kernel argument of that name) that plants a fault to be found:
 * stress_plant_parse() in workloads/stress.h says how. */
#define STRESS_PLANT "proxeval_plant"

/* The line of the kernel's log that says, behind its time stamp, the machine's own clock in ns. */
#define STRESS_CLOCK_LINE "proxeval: machine clock "

/*
 * In a guest: does what the plan @document (format proxeval-stress) says, under a watch on the
 * kernel's log, its load accounting and every actor. 0 and the document of what came of it (format
 * proxeval-stress-result), which the caller puts; or a negative errno with its message printed.
 * Threads may be left that will never end: the machine must go down without waiting for them.
 */
int stress_guest_run(struct json_object *document,
		     void (*progress)(void *context, unsigned int done, unsigned int total,
				      const char *what),
		     void *context, struct json_object **result);

#endif
