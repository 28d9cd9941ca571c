// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/scratch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

int scratch_directory(void)
{
	int mount = -EPERM;
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (context < 0)
		return -errno;
	/* Attached nowhere: only who has the descriptor gets there. */
	if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		mount = -errno;
	close(context);
	return mount;
}

/* The most that the kernel would let anybody have. */
static rlim_t most_files(void)
{
	unsigned long long number = 0;
	FILE *file = fopen("/proc/sys/fs/nr_open", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%llu", &number) != 1)
		number = 0;
	fclose(file);
	return (rlim_t)number;
}

long scratch_allow_files(void)
{
	rlim_t most = most_files();
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	if (most > limit.rlim_max)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		/* Without the right to raise the limit, up to it. */
		if (getrlimit(RLIMIT_NOFILE, &limit))
			return -errno;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			return -errno;
	}
	return limit.rlim_cur > LONG_MAX ? LONG_MAX : (long)limit.rlim_cur;
}
