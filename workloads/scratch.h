/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_SCRATCH_H
#define WORKLOADS_SCRATCH_H

/*
 * A file system (tmpfs) of the calling process's own, which nobody else sees or renames in, and
 * which goes away with the last descriptor: the descriptor of its root, for openat(2) and its
 * like. A negative errno: -EPERM without the right to mount, -ENOSYS before Linux 5.2.
 */
int scratch_directory(void);

/*
 * Lets the process open so many files as the kernel lets it: for those that need thousands. The
 * number, or a negative errno.
 */
long scratch_allow_files(void);

#endif
