// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/weak_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_knob(const char *directory, const char *name, const char *value)
{
	char path[PATH_MAX];
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int weak_cgroup_make(const char *section, unsigned int weight, unsigned int quota_us,
		     unsigned int period_us, char *path, size_t path_size)
{
	char value[64];
	int err;

	if (!section)
		return -EOPNOTSUPP;
	if (snprintf(path, path_size, "%s/weak", section) >= (int)path_size)
		return -ENAMETOOLONG;
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	/* Only a section that needs the controller has it: without, all tasks compete in one queue.
	 */
	err = write_knob(section, "../cgroup.subtree_control", "+cpu");
	if (err)
		return err;
	/* Threaded first: a controller cannot be given on by a cgroup that has processes of its own
	 * unless all below it is. */
	err = write_knob(path, "cgroup.type", "threaded");
	if (!err)
		err = write_knob(section, "cgroup.subtree_control", "+cpu");
	if (err)
		return err;
	if (weight) {
		snprintf(value, sizeof(value), "%u", weight);
		return write_knob(path, "cpu.weight", value);
	}
	snprintf(value, sizeof(value), "%u %u", quota_us, period_us);
	return write_knob(path, "cpu.max", value);
}
