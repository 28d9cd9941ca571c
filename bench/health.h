/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_HEALTH_H
#define BENCH_HEALTH_H

struct json_object;

/* The kernel's health around a measurement: its log, taint, hung tasks, load accounting. */
struct health;

/* Takes the state before. 0, or a negative errno (-EPERM: the kernel log cannot be read). */
int health_begin(struct health **health);

/*
 * Compares with the state now: the "health" object of a result. "clean" is false
 * after a warning, an oops, a lockdep report, new taint, a hung task, or blocked
 * tasks that stay counted (doc/internals.md). Frees @health.
 */
struct json_object *health_end(struct health *health);

/* Whether a console line is a kernel warning, oops or report (shared with the VM's log reader). */
int health_is_report_line(const char *line);

#endif
