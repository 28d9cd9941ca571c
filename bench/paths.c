// SPDX-License-Identifier: GPL-2.0-only
#include "bench/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/files.h"

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

char *paths_guest(void)
{
	char *self = paths_self(), *slash = self ? strrchr(self, '/') : NULL;
	char *beside =
		slash ? format_string("%.*s/proxeval-guest", (int)(slash - self), self) : NULL;

	free(self);
	if (beside && !access(beside, X_OK))
		return beside;
	free(beside);
	return format_string("%s/proxeval-guest", PKGLIBEXECDIR);
}

char *paths_self(void)
{
	return realpath("/proc/self/exe", NULL);
}
