// SPDX-License-Identifier: GPL-2.0-only
#include "bench/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/qemu_turns.h"

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

char *paths_data(const char *relative)
{
	const char *data = environment("PROXEVAL_DATA");

	return format_string("%s/%s", data ? data : PKGDATADIR, relative);
}

char *paths_build(const char *relative)
{
	const char *build = environment("PROXEVAL_BUILD");
	const char *cache = environment("XDG_CACHE_HOME");
	const char *home = environment("HOME");

	if (build)
		return format_string("%s/%s", build, relative);
	if (cache)
		return format_string("%s/proxeval/%s", cache, relative);
	return format_string("%s/.cache/proxeval/%s", home ? home : "/root", relative);
}

/* What we have for others to run: beside this program, or where packages put such things. */
static char *find_companion(const char *name)
{
	char *self = paths_self(), *slash = self ? strrchr(self, '/') : NULL;
	char *beside = slash ? format_string("%.*s/%s", (int)(slash - self), self, name) : NULL;

	free(self);
	if (beside && !access(beside, X_OK))
		return beside;
	free(beside);
	return format_string("%s/%s", PKGLIBEXECDIR, name);
}

char *paths_guest(void)
{
	return find_companion("proxeval-guest");
}

char *paths_qemu_turns(void)
{
	return find_companion(QEMU_TURNS_LIBRARY);
}

char *paths_self(void)
{
	return realpath("/proc/self/exe", NULL);
}
