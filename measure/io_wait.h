/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_IO_WAIT_H
#define MEASURE_IO_WAIT_H

/*
 * How many tasks wait for I/O by the kernel's books: procs_blocked of /proc/stat, which is the sum
 * of nr_iowait over all runqueues (nr_iowait() in kernel/sched/core.c). Negative when more left
 * that state than entered it. 0 with *@tasks, or a negative errno.
 */
int io_wait_read(long long *tasks);

/*
 * The least of several readings within some 100 ms: what others wait for passes, and what the books
 * are off by stays. Stops at the first that is @floor. 0 with *@tasks, or a negative errno.
 */
int io_wait_read_settled(long long floor, long long *tasks);

/* The rule by itself: takes the number out of the @text of such a file. 0, or -EINVAL. */
int io_wait_parse(const char *text, long long *tasks);

#endif
