/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_PATHS_H
#define BENCH_PATHS_H

/*
 * Where things are. ./run-bench sets PROXEVAL_DATA to its own folder and
 * PROXEVAL_BUILD to build/ below it; an installed program uses its package data
 * directory and $XDG_CACHE_HOME/proxeval (or ~/.cache/proxeval).
 */

/* A shipped file, e.g. paths_data("kernel-patches/series"). The caller frees it. */
char *paths_data(const char *relative);

/* Something that the program made and may make again, e.g. paths_build("kernel"). The caller frees
 * it. */
char *paths_build(const char *relative);

/*
 * The program that runs in a guest: beside this one, where both were built, or in the package's
 * folder for programs that only programs run. The caller frees it; NULL when memory is out.
 */
char *paths_guest(void);

/* The library that QEMU is started with in virtual time, found and freed in the same way. */
char *paths_qemu_turns(void);

/* The absolute path of this very program. The caller frees it; NULL when /proc is missing. */
char *paths_self(void);

#endif
