// SPDX-License-Identifier: GPL-2.0-only
#include "bench/section_trace.h"

#include <errno.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/settings.h"

#define TRACEFS_PATH "/sys/kernel/tracing"

/* Whether tracefs is mounted on @directory. */
static bool is_tracefs_on(const char *directory)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	bool found = false;

	if (!mounts)
		return false;
	while (!found && (entry = getmntent(mounts)))
		found = !strcmp(entry->mnt_type, "tracefs") && !strcmp(entry->mnt_dir, directory);
	endmntent(mounts);
	return found;
}

/* Whether this kernel has a file system of the type tracefs. */
static bool has_tracefs(void)
{
	bool found;
	char *text;

	if (read_file("/proc/filesystems", 1 << 16, &text, NULL))
		return false;
	found = strstr(text, "\ttracefs\n");
	free(text);
	return found;
}

/* 0 also when it cannot be: then there is nothing below the directory. */
static int mount_tracefs(void)
{
	int err;

	if (is_tracefs_on(TRACEFS_PATH) || geteuid() != 0 || !has_tracefs())
		return 0;
	err = settings_note(SETTINGS_MOUNT, TRACEFS_PATH);
	if (!err)
		mount("tracefs", TRACEFS_PATH, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return err;
}

int section_trace_make(struct section_trace *trace)
{
	int err = mount_tracefs();

	trace->path = NULL;
	if (err || access(TRACEFS_PATH "/instances", W_OK))
		return err;
	trace->path = format_string("%s/instances/proxeval-%d", TRACEFS_PATH, (int)getpid());
	if (!trace->path)
		return -ENOMEM;
	err = settings_note(SETTINGS_DIRECTORY, trace->path);
	if (err || mkdir(trace->path, 0755)) {
		free(trace->path);
		trace->path = NULL;
	}
	return err;
}

void section_trace_release(struct section_trace *trace)
{
	free(trace->path);
	trace->path = NULL;
}
