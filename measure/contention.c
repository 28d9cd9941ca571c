// SPDX-License-Identifier: GPL-2.0-only
#include "measure/contention.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* LCB_F_MUTEX of include/trace/events/lock.h. */
#define ONLY_MUTEXES "flags & 32"

static int read_id(uint64_t *id)
{
	static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
					    NULL};
	unsigned long long number;
	int err = -ENOENT;

	for (const char *const *root = roots; *root; root++) {
		char path[96];
		FILE *file;

		snprintf(path, sizeof(path), "%s/events/lock/contention_begin/id", *root);
		file = fopen(path, "re");
		if (!file) {
			err = -errno;
			continue;
		}
		err = fscanf(file, "%llu", &number) == 1 ? 0 : -EINVAL;
		fclose(file);
		if (!err) {
			*id = number;
			return 0;
		}
	}
	return err;
}

int contention_open(pid_t tid)
{
	struct perf_event_attr attributes = {.type = PERF_TYPE_TRACEPOINT,
					     .size = sizeof(attributes)};
	uint64_t id = 0;
	int fd, err = read_id(&id);

	if (err)
		return err;
	attributes.config = id;
	fd = (int)syscall(SYS_perf_event_open, &attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, ONLY_MUTEXES)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int contention_read(int fd, uint64_t *count)
{
	ssize_t got = read(fd, count, sizeof(*count));

	if (got < 0)
		return -errno;
	return got == sizeof(*count) ? 0 : -EIO;
}
