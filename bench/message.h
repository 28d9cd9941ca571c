/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include <stdarg.h>

/*
 * What people read on stderr. One message is one clear sentence that names the
 * object and, where there is one, the remedy. A progress line that is on the
 * terminal is cleared first. Control characters come out as "?", whatever was quoted.
 * Commands print their result on stdout themselves.
 */

/* "proxeval: error: …": the command cannot go on. */
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "proxeval: warning: …": it goes on, but the user must know. */
void message_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A plain line of news ("took linux-source-7.2 7.2.13-1 from sid"). */
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The sentence for a negative errno about an object, e.g.
 * message_errno(-EACCES, "cannot open %s", path) prints
 * "proxeval: error: cannot open /x: Permission denied (run it as root)".
 * The remedy is appended for -EPERM, -EACCES and -ENOSPC. Returns @err, so that
 * a caller can report and pass on in one line.
 */
int message_errno(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
