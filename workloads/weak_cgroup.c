// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/weak_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

int weak_cgroup_join(const char *directory)
{
	/* "0" is the thread that writes. */
	return write_knob(directory, "cgroup.threads", "0");
}

int weak_cgroup_stat(const char *directory, const char *key, uint64_t *value)
{
	unsigned long long number;
	char path[PATH_MAX], name[32];
	int err = -ENOENT;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/cpu.stat", directory) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (err && fscanf(file, "%31s %llu", name, &number) == 2) {
		if (strcmp(name, key) != 0)
			continue;
		*value = number;
		err = 0;
	}
	fclose(file);
	return err;
}

int weak_cgroup_make(const char *section, const char *name, unsigned int weight,
		     unsigned int quota_us, unsigned int period_us, char *path, size_t path_size)
{
	char value[64];
	int err;

	if (!section)
		return -EOPNOTSUPP;
	if (snprintf(path, path_size, "%s/%s", section, name) >= (int)path_size)
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

/* The number behind @name at the beginning of a line. */
static int find_number(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0 || line[length] != ' ')
			continue;
		return sscanf(line + length, "%" SCNu64, value) == 1 ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int weak_cgroup_parse_throttling(const char *text, struct cgroup_throttling *out)
{
	int err = find_number(text, "nr_throttled", &out->periods);

	return err ? err : find_number(text, "throttled_usec", &out->time_us);
}

int weak_cgroup_throttling(const char *path, struct cgroup_throttling *out)
{
	char file[PATH_MAX], text[2048];
	ssize_t got;
	int fd;

	if (snprintf(file, sizeof(file), "%s/cpu.stat", path) >= (int)sizeof(file))
		return -ENAMETOOLONG;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text) - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	return weak_cgroup_parse_throttling(text, out);
}

int weak_cgroup_add_throttling(const char *path, const struct cgroup_throttling *before,
			       struct cgroup_throttling *sum)
{
	struct cgroup_throttling now;
	int err = weak_cgroup_throttling(path, &now);

	if (err)
		return err;
	sum->periods += now.periods - before->periods;
	sum->time_us += now.time_us - before->time_us;
	return 0;
}
