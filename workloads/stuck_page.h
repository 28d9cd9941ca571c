/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_STUCK_PAGE_H
#define WORKLOADS_STUCK_PAGE_H

#include <stddef.h>

/*
 * A page of memory that whoever touches it waits for as for a disk: the kernel is about to move it
 * to another NUMA node, and the thread that does so has lost its CPU in the middle. The waiter is
 * in io_schedule(), counts as waiting for I/O (procs_blocked in /proc/stat), and is uninterruptible
 * (softleaf_entry_wait_on_locked() in mm/filemap.c). That takes no disk and no driver.
 */
struct stuck_page;

/*
 * Makes the pages, a thread that moves them and one that takes its CPU away, both on @cpu, which
 * should have nothing else to do. 0; -ENODEV with less than two nodes that have memory, or without
 * a CPU (@cpu is negative); -ENOSYS on a kernel that does not move pages; or another negative
 * errno. stuck_page_free() takes what was made, also NULL.
 */
int stuck_page_make(int cpu, struct stuck_page **out);

/*
 * Gets a page stuck: *@page, of @page_bytes. By any thread on another CPU. 0; -EAGAIN when it was
 * not to be caught in the middle; or another negative errno.
 */
int stuck_page_catch(struct stuck_page *stuck, void **page, size_t *page_bytes);

/* Lets the move go on; the page is there a few microseconds later. Also when none is stuck. */
void stuck_page_let_go(struct stuck_page *stuck);

void stuck_page_free(struct stuck_page *stuck);

#endif
