/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_WEAK_CGROUP_H
#define WORKLOADS_WEAK_CGROUP_H

#include <stddef.h>

/*
 * Makes a threaded cgroup "weak" below @section, the cgroup v2 directory of this process (NULL:
 * there is none), for single threads of it: with cpu.weight @weight (1 to 10000), or, when that
 * is 0, with cpu.max @quota_us in @period_us. Its path goes to @path. It goes away with the
 * section's. 0; -EOPNOTSUPP without the cpu controller; or another negative errno.
 */
int weak_cgroup_make(const char *section, unsigned int weight, unsigned int quota_us,
		     unsigned int period_us, char *path, size_t path_size);

#endif
