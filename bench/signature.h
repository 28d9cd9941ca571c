/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SIGNATURE_H
#define BENCH_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a kernel did wrong, as one line that is the same whenever it does it again: without
 * addresses, numbers of tasks, CPUs and lines.
 */
struct signature {
	char kind[16];	 /* "report", "hang", "lost", "accounting", "cookies", "misplaced" */
	char text[320];	 /* "WARNING: kernel/sched/fair.c at put_prev_task_fair" */
	char line[320];	 /* as it was said */
	uint64_t at_ns;	 /* on the machine's own clock, in virtual time; 0: not known */
	size_t stack_at; /* where in the log it begins to be told */
};

/* @line without what changes from one time to the next: into @out, cut to @size. */
void signature_normalise(const char *line, char *out, size_t size);

/*
 * The first warning, oops or report on a console (health_is_report_line()), or the end of virtual
 * time. False when there is none.
 */
bool signature_from_log(struct signature *signature, const char *log);
/* The same from the line at *@from on, which is then the one behind it. */
bool signature_from_log_at(struct signature *signature, const char *log, size_t *from);

/*
 * Of a problem that the guest saw itself (stress_guest.h): "lost" looks for the task's stack on the
 * console. @kind, @text and @at_ns are the problem's.
 */
void signature_from_problem(struct signature *signature, const char *log, const char *kind,
			    const char *text, uint64_t at_ns);

/* Whether both are of one fault. */
bool signature_is_same(const struct signature *one, const struct signature *other);

/* The part of @log that tells of it: a report with its stack. The caller frees it; NULL: no memory.
 */
char *signature_stack(const struct signature *signature, const char *log);

#endif
