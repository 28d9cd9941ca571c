// SPDX-License-Identifier: GPL-2.0-only
#include "bench/section_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/settings.h"

static char *find_hierarchy(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	char *path = NULL;

	if (!mounts)
		return NULL;
	while (!path && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			path = strdup(entry->mnt_dir);
	endmntent(mounts);
	return path;
}

static int write_to(const char *directory, const char *name, const char *value)
{
	char *path = format_string("%s/%s", directory, name);
	int fd, err = 0;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	free(path);
	return err;
}

/* The controllers that @directory gives to its children, as "cpu memory"; NULL: that cannot be
 * read. */
static char *controllers_given(const char *directory)
{
	char *path = format_string("%s/cgroup.subtree_control", directory);
	char line[256];
	int err = path ? read_line(path, line, sizeof(line)) : -ENOMEM;

	free(path);
	return err ? NULL : strdup(line);
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

/* What the parent gives now and did not before. */
static void take_back(const struct section_cgroup *cgroup)
{
	char *given = controllers_given(cgroup->parent), *save = NULL;

	for (char *word = given ? strtok_r(given, " ", &save) : NULL; word;
	     word = strtok_r(NULL, " ", &save)) {
		char *less =
			has_word(cgroup->parent_gave, word) ? NULL : format_string("-%s", word);

		if (less)
			write_to(cgroup->parent, "cgroup.subtree_control", less);
		free(less);
	}
	free(given);
}

int section_cgroup_make(struct section_cgroup *cgroup)
{
	int err = 0;

	*cgroup = (struct section_cgroup){0};
	cgroup->parent = find_hierarchy();
	if (!cgroup->parent || access(cgroup->parent, W_OK))
		return 0;
	cgroup->parent_gave = controllers_given(cgroup->parent);
	cgroup->path = format_string("%s/proxeval-%d", cgroup->parent, (int)getpid());
	if (!cgroup->path)
		return -ENOMEM;
	err = settings_note(SETTINGS_CGROUP, cgroup->path);
	if (err || mkdir(cgroup->path, 0755)) {
		free(cgroup->path);
		cgroup->path = NULL;
	}
	return err;
}

int section_cgroup_enter(const struct section_cgroup *cgroup)
{
	return cgroup->path ? write_to(cgroup->path, "cgroup.procs", "0") : 0;
}

void section_cgroup_kill(const struct section_cgroup *cgroup)
{
	if (cgroup->path)
		write_to(cgroup->path, "cgroup.kill", "1");
}

void section_cgroup_release(struct section_cgroup *cgroup)
{
	if (cgroup->parent_gave)
		take_back(cgroup);
	free(cgroup->parent_gave);
	free(cgroup->path);
	free(cgroup->parent);
	*cgroup = (struct section_cgroup){0};
}
