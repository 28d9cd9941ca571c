/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SECTION_CGROUP_H
#define BENCH_SECTION_CGROUP_H

#include <stdbool.h>

/* A cgroup v2 of a section's own, in the settings journal, killed and removed whole. */
struct section_cgroup {
	char *path; /* NULL: there is none */
	char *parent;
	char *parent_gave; /* the controllers that the parent gave on before; NULL: not known */
};

/*
 * Makes one at the root of the hierarchy. 0, also when there is no hierarchy or no right to
 * it (path is NULL then); -EBUSY when another live process has the settings journal; or
 * another error of the journal.
 */
int section_cgroup_make(struct section_cgroup *cgroup);

/* Moves the calling process into it. 0, or a negative errno. */
int section_cgroup_enter(const struct section_cgroup *cgroup);

/* Kills every process in it. */
void section_cgroup_kill(const struct section_cgroup *cgroup);

/* Frees, after settings_restore_all() has removed it; takes back what controllers the parent was
 * made to give on meanwhile. */
void section_cgroup_release(struct section_cgroup *cgroup);

#endif
