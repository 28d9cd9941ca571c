/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>

/*
 * One progress line at a time, on stderr: "label  [#####     ] 42/100  detail  1m20s left".
 * On a terminal the line is redrawn in place; elsewhere a line is printed when a
 * step begins and when it ends, and at most once every 30 s in between. The time
 * left is estimated from the steps done so far.
 */

/* --no-progress, or output that must stay clean: nothing is drawn at all. */
void progress_disable(void);

/* Begins a step of @total units; 0 when the total is not known yet. */
void progress_begin(const char *label, unsigned long total);

/* @done units are done; @detail (may be NULL) says what is under way. */
void progress_update(unsigned long done, const char *detail);

/* Corrects the total when it becomes known or grows. */
void progress_set_total(unsigned long total);

/* Ends the step; @outcome (may be NULL for "done") is what the last line says. */
void progress_end(const char *outcome);

/* Clears the line, if one is drawn, so that other text can be printed. */
void progress_clear(void);

#endif
