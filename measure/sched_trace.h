/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_SCHED_TRACE_H
#define MEASURE_SCHED_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What the scheduler did while a section ran, from the kernel's tracepoints: recorded in an
 * instance of tracefs of the section's own, by CLOCK_MONOTONIC, and read back afterwards in the
 * order of time. The layout of pages and events is the running kernel's own (libtraceevent reads
 * its format files), so that other kernels are no matter.
 *
 * With proxy execution a sched_switch is still between tasks that execute: __schedule()
 * (kernel/sched/core.c) traces rq->curr before and after. A donor whose owner executes for it does
 * not appear, a donor that gives its context to another owner does not either, and the switch away
 * from a donor that blocked says 'D' although the donor stays on the runqueue.
 *
 *      const char *reason;
 *      err = sched_trace_open(&trace, run->trace, events, buffer_kib, &reason);
 *      err = sched_trace_start(trace);         once per sample
 *      …
 *      err = sched_trace_stop(trace);
 *      err = sched_trace_read(trace, take, &state, &lost);
 *      sched_trace_close(trace);
 *
 * with `.needs.trace = true` in the workload's table, so that the runner makes the instance and
 * takes it away again, also after a crash.
 */
enum sched_trace_kind {
	SCHED_TRACE_SWITCH,  /* sched_switch */
	SCHED_TRACE_WAKING,  /* sched_waking: the wakeup begins, on the waker's CPU */
	SCHED_TRACE_WAKEUP,  /* sched_wakeup, sched_wakeup_new: it is runnable now */
	SCHED_TRACE_MIGRATE, /* sched_migrate_task: it goes to another runqueue */
	SCHED_TRACE_OTHER,   /* any other that was asked for: sched_trace_field() reads it */
};

struct sched_trace_record {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	int cpu;	/* where it was recorded */
	enum sched_trace_kind kind;
	pid_t current_pid; /* who executed there */
	/* Of a switch: who executed until now, who does from now on; 0: idle. */
	pid_t prev_pid, next_pid;
	int prev_prio, next_prio; /* the kernel's: 0 to 99 real-time, 120 is nice 0, -1 deadline */
	char prev_state;	  /* 'R', 'S', 'D' … as in /proc/PID/stat */
	bool is_preempted;	  /* in that state it was preempted; it did not go to sleep */
	/* Of the others: the task that it is about. */
	pid_t pid;
	int prio;
	int from_cpu; /* of a migration; else -1 */
	int to_cpu;   /* of a migration; of a wakeup: where the task is queued; else -1 */
	/* For sched_trace_field, while the visitor runs. */
	const char *name; /* "sched_switch" … */
	void *event, *raw;
};

struct sched_trace;

/*
 * Prepares @directory (an instance in tracefs, as from run->trace) to record @events, a
 * NULL-terminated list of names: "sched_switch", or "SYSTEM:NAME" of another system than sched.
 * @buffer_kib is each CPU's; an event takes 30 to 70 bytes of it. 0; -EOPNOTSUPP when there is no
 * instance (@directory is NULL) or the kernel lacks an event or the clock; or another negative
 * errno. *@reason becomes one sentence then, which @trace or nobody owns: valid until
 * sched_trace_close(*@trace), which follows a failure, too.
 */
int sched_trace_open(struct sched_trace **trace, const char *directory, const char *const *events,
		     unsigned int buffer_kib, const char **reason);
void sched_trace_close(struct sched_trace *trace);

/* Forgets what was recorded, and records from now on. 0, or a negative errno. */
int sched_trace_start(struct sched_trace *trace);
/* Records no more. 0, or a negative errno. */
int sched_trace_stop(struct sched_trace *trace);

/* 0, or what sched_trace_read is to return at once. */
typedef int (*sched_trace_visitor)(void *context, const struct sched_trace_record *record);

/*
 * Stops, and hands all that was recorded to @visit, oldest first, and of one moment by CPU. Reading
 * consumes, and takes a page of memory per CPU. *@lost is how many events the kernel had no room
 * for or overwrote (at least 1 when it does not know the number): with any lost, what was seen
 * proves nothing, and the measurement is broken. 0, what @visit returned, or a negative errno.
 */
int sched_trace_read(struct sched_trace *trace, sched_trace_visitor visit, void *context,
		     uint64_t *lost);

/* The field @name of the record that a visitor has. 0; -ENOENT: there is none, or it is no number.
 */
int sched_trace_field(const struct sched_trace_record *record, const char *name, int64_t *value);

/* The letter of a switch's prev_state ("TASK_…" in include/linux/sched.h); @is_preempted may be
 * NULL. */
char sched_trace_state(uint64_t prev_state, bool *is_preempted);

#endif
