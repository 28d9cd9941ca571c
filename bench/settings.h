/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SETTINGS_H
#define BENCH_SETTINGS_H

#include <stdbool.h>

/*
 * What we change on a machine we put back. Every change is written to a journal, and
 * the journal to the disk, before the change is made: a process that is killed leaves
 * a journal from which `proxeval restore` puts everything back.
 *
 * The journal is $PROXEVAL_SETTINGS, or /run/proxeval/settings.jsonl for root and
 * $XDG_RUNTIME_DIR/proxeval/settings.jsonl for others: settings do not outlive a boot,
 * and neither does it. One process at a time has it, by a record lock that ends with
 * the process and that its children do not inherit. What an earlier process left is put
 * back before a new one changes anything.
 */

/* The journal's path. The caller frees it; NULL when memory is out. */
char *settings_journal_path(void);

/*
 * Writes @value to a file of /proc, /sys or a cgroup, its old content journalled
 * first. Of "always [madvise] never" the old value is the word in brackets. Nothing
 * happens when @value is what is there. 0; -EBUSY when another live process has
 * changed settings (its pid: settings_owner); another negative errno, and then the
 * setting is as it was.
 */
int settings_set(const char *path, const char *value);

/*
 * What is put back: a setting, or a thing that the caller notes before it makes it, and that goes
 * away again: a cgroup v2 directory, which is killed whole, with its children; another directory
 * that the kernel removes whole, as an instance of tracefs; a mount.
 */
enum settings_kind {
	SETTINGS_VALUE,
	SETTINGS_CGROUP,
	SETTINGS_DIRECTORY,
	SETTINGS_MOUNT,
	SETTINGS_KINDS,
};

/* Journals what @path says now, to be put back, because somebody is about to change it. As
 * settings_set for errors. */
int settings_keep(const char *path);

/* Notes a thing of @kind (no SETTINGS_VALUE) that is to be made at @path. As settings_set for
 * errors. */
int settings_note(enum settings_kind kind, const char *path);

/* Puts back all that this process changed, last change first. 0, or the first error met. */
int settings_restore_all(void);

/* The live process that has the journal, or 0. */
int settings_owner(void);

/* One thing that was put back, or would be. @old_value is a setting's; @err is 0 or a negative
 * errno. */
typedef void (*settings_visitor)(void *context, enum settings_kind kind, const char *path,
				 const char *old_value, int err);

/*
 * Puts back what a process that is gone has left; with @dry_run only says what. The
 * visitor (may be NULL) sees each. Returns how many there were (0: nothing was left);
 * -EBUSY when a live process has the journal; -EBADMSG when the journal is damaged
 * other than by a torn last line; -EPERM when it belongs to another user; else the
 * first error met, and the journal stays, to be tried again.
 */
int settings_restore_abandoned(bool dry_run, settings_visitor visit, void *context);

#endif
