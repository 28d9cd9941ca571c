/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_CONTENTION_H
#define MEASURE_CONTENTION_H

#include <stdint.h>
#include <sys/types.h>

/*
 * How often a thread met a mutex of the kernel that somebody else held, whether it then slept or
 * spun: the tracepoint lock:contention_begin, counted by perf_event_open(2). One wait may count
 * more than once, as it begins to spin, to sleep, and to spin again (__mutex_lock_common() in
 * kernel/locking/mutex.c).
 */

/*
 * Begins to count for thread @tid of this process: a descriptor to be closed, or a negative errno:
 * -ENOENT where the kernel has no such tracepoint (before 5.19) or tracefs is not mounted, -EACCES
 * without the right to it.
 */
int contention_open(pid_t tid);

/* How many so far. 0, or a negative errno. */
int contention_read(int fd, uint64_t *count);

#endif
