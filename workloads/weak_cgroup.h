/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_WEAK_CGROUP_H
#define WORKLOADS_WEAK_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Makes a threaded cgroup @name below @section, the cgroup v2 directory of this process (NULL:
 * there is none), for single threads of it: with cpu.weight @weight (1 to 10000), or, when that
 * is 0, with cpu.max @quota_us in @period_us. Its path goes to @path. It goes away with the
 * section's. 0; -EOPNOTSUPP without the cpu controller; or another negative errno.
 */
int weak_cgroup_make(const char *section, const char *name, unsigned int weight,
		     unsigned int quota_us, unsigned int period_us, char *path, size_t path_size);

/* How a cgroup with a cpu.max was throttled, from its cpu.stat. */
struct cgroup_throttling {
	uint64_t periods; /* nr_throttled: at whose end a runqueue of it was waiting for a quota */
	uint64_t time_us; /* throttled_usec, of all runqueues */
};

/* Takes it from the text of a cpu.stat. 0, or -EINVAL when it is not there. */
int weak_cgroup_parse_throttling(const char *text, struct cgroup_throttling *out);
/* Of the cgroup @path since it was made. 0, or a negative errno. */
int weak_cgroup_throttling(const char *path, struct cgroup_throttling *out);
/* Adds to @sum what has come since @before. 0, or a negative errno. */
int weak_cgroup_add_throttling(const char *path, const struct cgroup_throttling *before,
			       struct cgroup_throttling *sum);

/* Moves the calling thread to @directory. 0, or a negative errno. */
int weak_cgroup_join(const char *directory);

/*
 * The number behind @key in the file cpu.stat of @directory ("usage_usec", "nr_throttled"). 0, or a
 * negative errno: -ENOENT when it is not there.
 */
int weak_cgroup_stat(const char *directory, const char *key, uint64_t *value);

#endif
