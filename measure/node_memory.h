/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_NODE_MEMORY_H
#define MEASURE_NODE_MEMORY_H

#include <stddef.h>

/*
 * On which NUMA node memory is, by the system calls that libnuma wraps (numaif.h). Only what is
 * touched for the first time after a change of policy follows it.
 */

/*
 * From here on new pages of the calling thread come from @node and from nowhere else, and so do
 * those of the threads that it makes; -1 lifts that. 1 when it is so; 0 when there is nothing to
 * bind to: no NUMA in the kernel, or no memory that this process may use on the node (then the
 * kernel takes the nearest); or a negative errno.
 */
int node_memory_bind(int node);

/* The node of the page that @address is on, which has been touched; or a negative errno: -ENOSYS
 * when the kernel has no NUMA, -ENOENT when there is no page. */
int node_memory_of(const void *address);

/* @size_bytes of zeroed pages of @node (see node_memory_bind), all of them there; NULL with errno
 * set. The calling thread's policy is lifted by it. Given back with munmap(). */
void *node_memory_map(size_t size_bytes, int node);

#endif
