/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_CPU_LIST_H
#define WORKLOADS_CPU_LIST_H

#include <stddef.h>

/*
 * The kernel's list of CPUs, "0-3,8", into @out, in its order. How many there are; -EINVAL when it
 * is no such list, -E2BIG when there are more than @max.
 */
int cpu_list_parse(const char *text, int *out, size_t max);

#endif
