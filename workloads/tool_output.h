/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_TOOL_OUTPUT_H
#define WORKLOADS_TOOL_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/load_tree.h"

/* What the tools that workloads run have printed: read strictly, or refused with a sentence. */

/* One run of hackbench, by the parser of `proxeval import`: how long it took. 0 or -EINVAL. */
int hackbench_read(const char *text, size_t size_bytes, uint64_t *run_ns, char *error,
		   size_t error_size);

/*
 * One run of one class of stress-ng's with --metrics-brief: its operations and their rate in real
 * time. 0 or -EINVAL.
 */
int stress_ng_read(const char *text, const char *class, uint64_t *operations,
		   double *operations_per_second, char *error, size_t error_size);

/*
 * Finds "hackbench V 2.40" or "stress-ng, version 0.15.06" in what a tool says of itself. 0 with
 * the words, or -EINVAL.
 */
int tool_version_read(const char *text, const char *tool, char *version, size_t size);

/* Asks @tool in PATH (cyclictest, hackbench or stress-ng). 0, -ENOENT, or -EINVAL. */
int tool_version(const char *tool, char *version, size_t size);

/*
 * Runs a program in @tree to its end, at most @limit_ns, while *@stop is 0. 0 with its output,
 * which the caller frees; or a negative errno with a sentence in @error: -ENOENT without such a
 * program, -ECHILD when it failed, -ENOMEM when the kernel killed it at its memory's limit, -ETIME
 * for one that took too long (the tree is killed then), -EINTR.
 */
int tool_run(const struct load_tree *tree, const struct load_program *program, uint64_t limit_ns,
	     const volatile int *stop, char **output, char *error, size_t error_size);

/* Reads what a program wrote to a memfd. 0 with the text, which the caller frees, or -errno. */
int tool_read_output(int fd, char **text, size_t *size_bytes);

/* Waits for @pid as tool_run does. 0 with its wait status, -ETIME, -EINTR or another errno. */
int tool_wait(pid_t pid, uint64_t limit_ns, const volatile int *stop, int *status);

#endif
