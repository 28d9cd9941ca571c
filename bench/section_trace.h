/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SECTION_TRACE_H
#define BENCH_SECTION_TRACE_H

/*
 * An instance in tracefs of a section's own (measure/sched_trace.h records in it), in the settings
 * journal: whoever else traces this machine is not disturbed, and does not disturb. It is made in
 * the runner, because a section's own process cannot put back what it leaves when it is killed.
 */
struct section_trace {
	char *path; /* NULL: there is none */
};

/*
 * Makes one, and mounts tracefs for it where it is not. 0, also when the kernel has no tracefs or
 * this user no right to it (path is NULL then); -EBUSY when another live process has the settings
 * journal; or another error of the journal. settings_restore_all() removes it.
 */
int section_trace_make(struct section_trace *trace);

/* Frees, after settings_restore_all(). */
void section_trace_release(struct section_trace *trace);

#endif
