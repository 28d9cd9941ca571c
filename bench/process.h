/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Running other programs: always an argument vector, never a shell. A child gets
 * SIGKILL when this process dies, however it dies, so that nothing is left
 * behind; a stop (process_stop_requested) kills it with its whole process group.
 */
struct process_request {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *cwd;	 /* may be NULL: this process's */
	const char *const
		*environment;	/* extra "NAME=value" strings, NULL-terminated; may be NULL */
	const char *input_path; /* its stdin, relative to this process's folder; NULL: /dev/null */
	const char *log_path;	/* stdout and stderr are appended here; may be NULL */
	/* Called for each line (without its newline) of stdout and stderr; may be NULL. */
	void (*on_line)(void *context, const char *line);
	void *context;
	unsigned int timeout_s; /* 0: none */
};

/*
 * Runs it to its end. 0 when it exited with 0; a positive exit status when it did
 * not; -ETIMEDOUT; -EINTR when a stop was requested; -ECHILD when a signal ended
 * it; another negative errno when it could not be started (-ENOENT: no such program).
 */
int process_run(const struct process_request *request);

/* Runs argv and returns what it printed, both streams (at most 1 MiB, NUL-terminated; the caller
 * frees it). */
int process_capture(const char *const *argv, char **out);

/*
 * Starts a child that goes on while this process does other things, with its
 * standard streams on /dev/null and @log_path (may be NULL), in its own process
 * group. @environment: as above. The pid, or a negative errno.
 */
pid_t process_start(const char *const *argv, const char *const *environment, const char *log_path);

/* Where in PATH @program is; NULL: nowhere. The caller frees it. */
char *process_find_program(const char *program);

/* Whether it is there. */
bool is_program_available(const char *program);

/*
 * SIGINT, SIGTERM and SIGHUP set a flag instead of killing; long loops look at it.
 * A second SIGINT does the same: clean-up always runs.
 */
void process_catch_stop_signals(void);
bool process_stop_requested(void);

#endif
