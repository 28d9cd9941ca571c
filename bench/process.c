// SPDX-License-Identifier: GPL-2.0-only
#include "bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/files.h"
#include "measure/clock.h"

#define POLL_MS		  100
#define CAPTURE_MAX_BYTES (1 << 20)

static volatile sig_atomic_t stop_requested;

static void on_stop_signal(int signal_number)
{
	(void)signal_number;
	stop_requested = 1;
}

void process_catch_stop_signals(void)
{
	struct sigaction action = {.sa_handler = on_stop_signal};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool process_stop_requested(void)
{
	return stop_requested;
}

char *process_find_program(const char *program)
{
	const char *path = getenv("PATH");
	char *copy, *save = NULL, *full = NULL;

	if (strchr(program, '/'))
		return access(program, X_OK) ? NULL : strdup(program);
	copy = strdup(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		full = format_string("%s/%s", dir, program);
		if (full && !access(full, X_OK))
			break;
		free(full);
		full = NULL;
	}
	free(copy);
	return full;
}

bool is_program_available(const char *program)
{
	char *path = process_find_program(program);

	free(path);
	return path;
}

/* In the child, between fork and exec. */
static void become(const char *const *argv, const char *cwd, const char *const *environment,
		   const char *input_path, int out_fd, pid_t parent)
{
	int null_fd = open("/dev/null", O_RDWR);
	int in_fd = input_path ? open(input_path, O_RDONLY) : null_fd;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || in_fd < 0)
		_exit(127);
	dup2(in_fd, STDIN_FILENO);
	dup2(out_fd < 0 ? null_fd : out_fd, STDOUT_FILENO);
	dup2(out_fd < 0 ? null_fd : out_fd, STDERR_FILENO);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (cwd && chdir(cwd))
		_exit(127);
	for (; environment && *environment; environment++)
		putenv((char *)*environment);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static pid_t spawn(const char *const *argv, const char *cwd, const char *const *environment,
		   const char *input_path, int out_fd)
{
	pid_t parent = getpid(), child;

	if (!is_program_available(argv[0]))
		return -ENOENT;
	child = fork();
	if (child < 0)
		return -errno;
	if (!child)
		become(argv, cwd, environment, input_path, out_fd, parent);
	setpgid(child, child);
	return child;
}

/* Cuts what came through the pipe into lines. */
struct line_splitter {
	char line[4096];
	size_t length;
	int log_fd;
	void (*on_line)(void *context, const char *line);
	void *context;
};

static void split(struct line_splitter *splitter, const char *bytes, size_t size_bytes)
{
	if (splitter->log_fd >= 0 && write(splitter->log_fd, bytes, size_bytes) < 0)
		splitter->log_fd = -1; /* a full disk must not end a build that is all but done */
	if (!splitter->on_line)
		return;
	for (size_t i = 0; i < size_bytes; i++) {
		if (bytes[i] != '\n' && splitter->length < sizeof(splitter->line) - 1) {
			splitter->line[splitter->length++] = bytes[i];
			continue;
		}
		splitter->line[splitter->length] = '\0';
		splitter->on_line(splitter->context, splitter->line);
		splitter->length = 0;
	}
}

static int reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		return -ECHILD;
	return WEXITSTATUS(status);
}

/* Reads until every writer has closed the pipe; 0, or why it stopped early. */
static int drain(int fd, struct line_splitter *splitter, unsigned int timeout_s)
{
	uint64_t deadline_ns = clock_now_ns() + timeout_s * NS_PER_S;
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char bytes[16384];

	for (;;) {
		ssize_t got;

		if (stop_requested)
			return -EINTR;
		if (timeout_s && clock_now_ns() > deadline_ns)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, POLL_MS) <= 0)
			continue;
		got = read(fd, bytes, sizeof(bytes));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		split(splitter, bytes, (size_t)got);
	}
}

int process_run(const struct process_request *request)
{
	struct line_splitter splitter = {
		.log_fd = -1, .on_line = request->on_line, .context = request->context};
	int pipe_fds[2], err, status;
	pid_t child;

	if (request->log_path) {
		splitter.log_fd =
			open(request->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (splitter.log_fd < 0)
			return -errno;
	}
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		err = -errno;
		goto out_log;
	}
	child = spawn(request->argv, request->cwd, request->environment, request->input_path,
		      pipe_fds[1]);
	close(pipe_fds[1]);
	if (child < 0) {
		err = child;
		goto out_pipe;
	}
	err = drain(pipe_fds[0], &splitter, request->timeout_s);
	if (err)
		kill(-child, SIGKILL);
	if (splitter.length)
		split(&splitter, "\n", 1); /* the last line may lack its newline */
	status = reap(child);
	err = err ? err : status;
out_pipe:
	close(pipe_fds[0]);
out_log:
	if (splitter.log_fd >= 0)
		close(splitter.log_fd);
	return err;
}

struct capture {
	char *text;
	size_t length;
};

static void capture_line(void *context, const char *line)
{
	struct capture *capture = context;
	size_t length = strlen(line);

	if (capture->length + length + 2 > CAPTURE_MAX_BYTES)
		return;
	memcpy(capture->text + capture->length, line, length);
	capture->length += length;
	capture->text[capture->length++] = '\n';
	capture->text[capture->length] = '\0';
}

int process_capture(const char *const *argv, char **out)
{
	struct capture capture = {.text = calloc(1, CAPTURE_MAX_BYTES)};
	struct process_request request = {
		.argv = argv, .on_line = capture_line, .context = &capture};
	int err;

	if (!capture.text)
		return -ENOMEM;
	err = process_run(&request);
	if (err) {
		free(capture.text);
		return err;
	}
	*out = capture.text;
	return 0;
}

pid_t process_start(const char *const *argv, const char *const *environment, const char *log_path)
{
	int log_fd = -1;
	pid_t child;

	if (log_path) {
		log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (log_fd < 0)
			return -errno;
	}
	child = spawn(argv, NULL, environment, NULL, log_fd);
	if (log_fd >= 0)
		close(log_fd);
	return child;
}
