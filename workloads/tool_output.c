// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/tool_output.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/process.h"
#include "measure/clock.h"
#include "reports/import.h"

/* A stop is noticed after so long. */
#define LOOK_MS 200

/* ---- hackbench ---------------------------------------------------------------------- */

/* sections[0].metrics[0] of what was imported; NULL unless it is all that there is. */
static struct json_object *only_metric(const struct imported *imported)
{
	struct json_object *metrics = NULL;

	if (json_object_array_length(imported->sections) != 1 ||
	    !json_object_object_get_ex(json_object_array_get_idx(imported->sections, 0), "metrics",
				       &metrics) ||
	    json_object_array_length(metrics) != 1)
		return NULL;
	return json_object_array_get_idx(metrics, 0);
}

int hackbench_read(const char *text, size_t size_bytes, uint64_t *run_ns, char *error,
		   size_t error_size)
{
	const struct import_hints hints = {0};
	struct json_object *metric, *samples = NULL, *run = NULL;
	struct imported imported;
	int err = import_text(&import_hackbench, "hackbench's output", text, size_bytes, &hints,
			      &imported);

	if (err) {
		snprintf(error, error_size, "%s", imported.error);
	} else {
		metric = only_metric(&imported);
		if (!metric || !json_object_object_get_ex(metric, "samples", &samples) ||
		    json_object_get_int64(samples) != 1 ||
		    !json_object_object_get_ex(metric, "min", &run)) {
			snprintf(error, error_size, "hackbench's output is not of one run");
			err = -EINVAL;
		} else {
			*run_ns = json_object_get_uint64(run);
		}
	}
	imported_release(&imported);
	return err;
}

/* ---- stress-ng ------------------------------------------------------------------------ */

/* "mutex  20002  0.09  0.01  0.05  215518.53  335497.07": exactly that. */
static bool read_metric_line(const char *line, const char *class, uint64_t *operations,
			     double *rate)
{
	double real_s, user_s, system_s, real_rate, cpu_rate;
	unsigned long count;
	char name[32], rest;

	if (sscanf(line, "%31s %lu %lf %lf %lf %lf %lf %c", name, &count, &real_s, &user_s,
		   &system_s, &real_rate, &cpu_rate, &rest) != 7 ||
	    strcmp(name, class) || !(real_rate >= 0))
		return false;
	*operations = count;
	*rate = real_rate;
	return true;
}

int stress_ng_read(const char *text, const char *class, uint64_t *operations,
		   double *operations_per_second, char *error, size_t error_size)
{
	bool is_complete = strstr(text, "successful run completed");
	unsigned int found = 0;

	for (const char *line = text; line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *end = line + strcspn(line, "\n"), *metric;
		char *copy;

		if (strncmp(line, "stress-ng: metrc: [", 19) || !(metric = strchr(line, ']')) ||
		    metric > end)
			continue;
		copy = strndup(metric + 1, (size_t)(end - metric - 1));
		found += copy && read_metric_line(copy, class, operations, operations_per_second);
		free(copy);
	}
	if (is_complete && found == 1)
		return 0;
	snprintf(error, error_size,
		 is_complete ? "stress-ng's output has %u lines with the figures of '%s', not one"
			     : "stress-ng did not complete (%u lines with the figures of '%s')",
		 found, class);
	return -EINVAL;
}

/* ---- versions ---------------------------------------------------------------------------- */

int tool_version_read(const char *text, const char *tool, char *version, size_t size)
{
	static const char *const between[] = {" V ", ", version ", NULL};

	for (const char *line = text; line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		for (const char *const *words = between; *words; words++) {
			const char *number = line + strlen(tool) + strlen(*words);

			if (strncmp(line, tool, strlen(tool)) ||
			    strncmp(line + strlen(tool), *words, strlen(*words)) ||
			    !isdigit((unsigned char)*number))
				continue;
			snprintf(version, size, "%.*s", (int)strspn(number, "0123456789."), number);
			return 0;
		}
	return -EINVAL;
}

int tool_version(const char *tool, char *version, size_t size)
{
	/* stress-ng says it alone, the others at the head of their help. */
	const char *const argv[] = {tool, strcmp(tool, "stress-ng") ? "--help" : "--version", NULL};
	char *text;
	int err = process_capture(argv, &text);

	if (err < 0)
		return err;
	if (err > 0)
		return -EINVAL;
	err = tool_version_read(text, tool, version, size);
	free(text);
	return err;
}

/* ---- running ------------------------------------------------------------------------------- */

int tool_wait(pid_t pid, uint64_t limit_ns, const volatile int *stop, int *status)
{
	uint64_t end_ns = clock_now_ns() + limit_ns;
	int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int err = 0;

	for (;;) {
		struct pollfd poll_fd = {.fd = pid_fd, .events = POLLIN};
		pid_t ended;

		poll(&poll_fd, 1, LOOK_MS);
		ended = waitpid(pid, status, WNOHANG);
		if (ended < 0 && errno != EINTR)
			err = -errno;
		else if (ended != pid && *stop)
			err = -EINTR;
		else if (ended != pid && clock_now_ns() >= end_ns)
			err = -ETIME;
		if (err || ended == pid)
			break;
	}
	if (pid_fd >= 0)
		close(pid_fd);
	return err;
}

int tool_read_output(int fd, char **text, size_t *size_bytes)
{
	struct stat status;
	ssize_t got;

	if (fstat(fd, &status))
		return -errno;
	*text = malloc((size_t)status.st_size + 1);
	if (!*text)
		return -ENOMEM;
	got = pread(fd, *text, (size_t)status.st_size, 0);
	if (got < 0) {
		free(*text);
		return -errno;
	}
	(*text)[got] = '\0';
	*size_bytes = (size_t)got;
	return 0;
}

/* Why it did not end well, as a sentence; the last line of its output says most. */
static int explain(const struct load_tree *tree, const char *tool, int status, const char *output,
		   char *error, size_t error_size)
{
	size_t length = output ? strlen(output) : 0;
	const char *last;

	if (load_tree_memory_kills(tree)) {
		snprintf(error, error_size,
			 "%s took more memory than it may have, and the kernel killed it", tool);
		return -ENOMEM;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		snprintf(error, error_size, "%s cannot be started", tool);
		return -ENOENT;
	}
	while (length && isspace((unsigned char)output[length - 1]))
		length--;
	for (last = output + length; length && last > output && last[-1] != '\n'; last--)
		;
	snprintf(error, error_size, "%s ended with %s %d: %.*s", tool,
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 length ? (int)(output + length - last) : 15, length ? last : "it said nothing");
	return -ECHILD;
}

int tool_run(const struct load_tree *tree, const struct load_program *program, uint64_t limit_ns,
	     const volatile int *stop, char **output, char *error, size_t error_size)
{
	const char *tool = program->argv[0];
	struct load_program with_output = *program;
	size_t size_bytes;
	int status = 0, err;
	pid_t pid;

	*output = NULL;
	with_output.output_fd = memfd_create("output", MFD_CLOEXEC);
	if (with_output.output_fd < 0)
		return -errno;
	pid = load_tree_start(tree, &with_output);
	err = pid < 0 ? (int)pid : tool_wait(pid, limit_ns, stop, &status);
	if (err) {
		snprintf(error, error_size, "%s: %s", tool,
			 err == -ETIME ? "it took longer than its limit" : strerror(-err));
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		goto out_close;
	}
	err = tool_read_output(with_output.output_fd, output, &size_bytes);
	if (!err && (!WIFEXITED(status) || WEXITSTATUS(status) || load_tree_memory_kills(tree)))
		err = explain(tree, tool, status, *output, error, error_size);
	if (err) {
		free(*output);
		*output = NULL;
	}

out_close:
	close(with_output.output_fd);
	return err;
}
