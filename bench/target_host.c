// SPDX-License-Identifier: GPL-2.0-only
#include "bench/target.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/campaign.h"
#include "bench/environment.h"
#include "bench/files.h"
#include "bench/guest_stream.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/settings.h"
#include "measure/clock.h"
#include "reports/json_strict.h"

/*
 * This boot of this machine: the runner in a process of its own, so that what kills it
 * does not take the driver along. It hands progress over a pipe and its result in a file.
 */
#define PROGRESS_FD	 3 /* in the child: the first free one */
#define RESULT_MAX_BYTES (64u << 20)
#define GRACE_NS	 (10 * NS_PER_S) /* for a stopped runner to put its settings back */
#define REAP_POLL_NS	 20000000

struct host_boot {
	struct boot_request request; /* a copy, of which the strings and the plan are not ours */
	char *log_path, *plan_path, *result_path;
	pid_t child; /* 0: none */
	int progress_fd;
	struct guest_stream stream;
	uint64_t begin_ns;
	uint64_t alive_ns; /* when it last gave a sign of life */
};

const char *target_host_label(void)
{
	switch (environment_proxy_exec()) {
	case PROXY_EXEC_ON:
		return "proxy";
	case PROXY_EXEC_OFF:
		return "!proxy";
	case PROXY_EXEC_ABSENT:
	case PROXY_EXEC_UNKNOWN:
		break;
	}
	return "host";
}

static int host_probe(const struct campaign *campaign, char *reason, unsigned int reason_size)
{
	char *self = paths_self();
	int owner = settings_owner();
	int err = 0;

	if (campaign->time == TIME_VIRTUAL) {
		snprintf(reason, reason_size,
			 "this machine runs in real time: --time=virtual needs --target vm");
		err = -EOPNOTSUPP;
	} else if (!self) {
		snprintf(reason, reason_size, "/proc is not mounted: mount it first");
		err = -ENOENT;
	} else if (owner && owner != getpid()) {
		snprintf(
			reason, reason_size,
			"another run (process %d) has changed settings of this machine: wait until it has ended",
			owner);
		err = -EBUSY;
	}
	free(self);
	return err;
}

/* Two boots of one machine at one time are each other's noise. */
static unsigned int host_parallel_boots(const struct campaign *campaign)
{
	(void)campaign;
	return 1;
}

static void free_boot(struct host_boot *boot)
{
	if (boot->plan_path)
		unlink(boot->plan_path);
	if (boot->result_path)
		unlink(boot->result_path);
	if (boot->progress_fd >= 0)
		close(boot->progress_fd);
	guest_stream_release(&boot->stream);
	free(boot->plan_path);
	free(boot->result_path);
	free(boot->log_path);
	free(boot);
}

/* In the child, between fork and exec. */
static void become_runner(const struct host_boot *boot, const char *self, int progress_fd,
			  pid_t parent)
{
	const char *log_path = boot->log_path;
	char *const argv[] = {(char *)self,
			      "exec",
			      "--plan",
			      boot->plan_path,
			      "--output",
			      boot->result_path,
			      "--progress-fd",
			      (char[]){'0' + PROGRESS_FD, '\0'},
			      NULL};
	int null_fd = open("/dev/null", O_RDWR), log_fd = null_fd;

	if (log_path)
		log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* not SIGKILL: it has settings to put back */
	if (getppid() != parent || log_fd < 0)
		_exit(127);
	dup2(progress_fd, PROGRESS_FD);
	dup2(null_fd, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	execv(self, argv);
	_exit(127);
}

static int spawn_runner(struct host_boot *boot)
{
	char *self = paths_self();
	pid_t parent = getpid();
	int pipe_fds[2], err = 0;

	if (!self)
		return -ENOENT;
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		err = -errno;
		goto out;
	}
	if (pipe_fds[1] == PROGRESS_FD) /* dup2 onto itself would keep O_CLOEXEC */
		fcntl(pipe_fds[1], F_SETFD, 0);
	boot->child = fork();
	if (!boot->child)
		become_runner(boot, self, pipe_fds[1], parent);
	if (boot->child < 0) {
		err = -errno;
		boot->child = 0;
		close(pipe_fds[0]);
	} else {
		setpgid(boot->child, boot->child);
		boot->progress_fd = pipe_fds[0];
		fcntl(boot->progress_fd, F_SETFL, O_NONBLOCK);
	}
	close(pipe_fds[1]);
out:
	free(self);
	return err;
}

static int host_start(const struct campaign *campaign, const struct boot_request *request,
		      void **handle)
{
	struct host_boot *boot = calloc(1, sizeof(*boot));
	const char *stem = request->log_path;
	int err;

	if (request->variant->image_path) {
		free(boot);
		message_error("this machine cannot boot %s for '%s' by itself: use --target vm",
			      request->variant->image_path, request->variant->label);
		return -EINVAL;
	}
	if (!boot)
		return message_errno(-ENOMEM, "cannot start the runner");
	boot->request = *request;
	boot->log_path = stem ? strdup(stem) : NULL;
	boot->progress_fd = -1;
	guest_stream_init(&boot->stream);
	boot->begin_ns = boot->alive_ns = clock_now_ns();
	boot->plan_path = stem ? format_string("%s.plan", stem)
			       : format_string("%s/.plan", campaign->directory);
	boot->result_path = stem ? format_string("%s.result", stem)
				 : format_string("%s/.result", campaign->directory);
	if (!boot->plan_path || !boot->result_path)
		err = -ENOMEM;
	else
		err = write_json_atomically(boot->plan_path, request->plan);
	if (!err)
		err = spawn_runner(boot);
	if (err) {
		message_errno(err, "cannot start the runner on this machine");
		free_boot(boot);
		return err;
	}
	*handle = boot;
	return 0;
}

/* ---- watching it ---- */

/* Takes what came through the pipe; false once its other end is closed. */
static bool read_progress(struct host_boot *boot)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(boot->progress_fd, bytes, sizeof(bytes))) > 0) {
		guest_stream_feed(&boot->stream, bytes, (size_t)got);
		boot->alive_ns = clock_now_ns();
	}
	if (boot->stream.updated && boot->request.on_progress)
		boot->request.on_progress(boot->request.context, boot->stream.done,
					  boot->stream.total, boot->stream.what);
	boot->stream.updated = false;
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Looks whether the child has ended, for at most @wait_ns; true with @status when it has. */
static bool reap(struct host_boot *boot, uint64_t wait_ns, int *status)
{
	const struct timespec pause = {.tv_nsec = REAP_POLL_NS};
	uint64_t begin_ns = clock_now_ns();

	for (;;) {
		pid_t ended = waitpid(boot->child, status, WNOHANG);

		if (ended == boot->child || (ended < 0 && errno == ECHILD))
			return true;
		if (clock_now_ns() - begin_ns >= wait_ns)
			return false;
		nanosleep(&pause, NULL);
	}
}

/* What a runner that did not end well has left: stragglers, cgroups, settings. */
static void clean_up_after(const struct host_boot *boot)
{
	int err;

	kill(-boot->child, SIGKILL);
	err = settings_restore_abandoned(false, NULL, NULL);
	if (err < 0)
		message_warning(
			"not all settings that the runner changed are back (%s): see 'proxeval restore'",
			strerror(-err));
}

/* Asks the runner to end, then makes it. */
static void end_child(struct host_boot *boot)
{
	int status;

	kill(boot->child, SIGTERM);
	if (!reap(boot, GRACE_NS, &status)) {
		kill(-boot->child, SIGKILL);
		reap(boot, UINT64_MAX, &status);
	}
	clean_up_after(boot);
	boot->child = 0;
}

/* The runner's document; NULL with the reason. */
static struct json_object *read_result(const struct host_boot *boot, char *reason, size_t size)
{
	struct json_object *result = NULL;
	char problem[200] = "it is not an object";
	int err = json_strict_load(boot->result_path, RESULT_MAX_BYTES, &result, problem,
				   sizeof(problem));

	if (json_object_is_type(result, json_type_object))
		return result;
	json_object_put(result);
	if (err && err != -EINVAL)
		snprintf(reason, size, "the runner left no result: %s", strerror(-err));
	else
		snprintf(reason, size, "the runner left a result that is none: %s", problem);
	return NULL;
}

static void explain_end(const struct host_boot *boot, int status, char *reason, size_t size)
{
	const char *log_path = boot->log_path;

	if (WIFSIGNALED(status))
		snprintf(reason, size, "the runner was killed by signal %d (%s)%s",
			 WTERMSIG(status), strsignal(WTERMSIG(status)),
			 WTERMSIG(status) == SIGKILL ? "; was memory short?" : "");
	else
		snprintf(reason, size, "the runner exited with %d%s%s", WEXITSTATUS(status),
			 log_path ? "; its words are in " : "", log_path ? log_path : "");
}

static void finish(struct host_boot *boot, int status, struct boot_answer *answer)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		answer->result = read_result(boot, answer->reason, sizeof(answer->reason));
	else
		explain_end(boot, status, answer->reason, sizeof(answer->reason));
	answer->outcome = answer->result ? BOOT_OK : BOOT_DIED;
	if (!answer->result)
		clean_up_after(boot);
	boot->child = 0;
}

static int host_poll(void *handle, unsigned int timeout_ms, struct boot_answer *answer)
{
	struct host_boot *boot = handle;
	struct pollfd poll_fd = {.fd = boot->progress_fd, .events = POLLIN};
	unsigned int limit_s = boot->request.watchdog_s;
	bool open;
	int status;

	poll(&poll_fd, 1, (int)timeout_ms);
	open = read_progress(boot);
	*answer = (struct boot_answer){.reached_runner = boot->stream.started};
	if (reap(boot, open ? 0 : timeout_ms * UINT64_C(1000000), &status)) {
		finish(boot, status, answer);
	} else if (limit_s && clock_now_ns() - boot->alive_ns > limit_s * NS_PER_S) {
		end_child(boot);
		answer->outcome = BOOT_NO_PROGRESS;
		snprintf(answer->reason, sizeof(answer->reason),
			 "the runner made no progress for %u s", limit_s);
	} else {
		return -EAGAIN;
	}
	answer->wall_s = (double)(clock_now_ns() - boot->begin_ns) / (double)NS_PER_S;
	free_boot(boot);
	return 0;
}

static void host_stop(void *handle)
{
	struct host_boot *boot = handle;

	if (boot->child)
		end_child(boot);
	free_boot(boot);
}

const struct target target_host = {
	.name = "host",
	.probe = host_probe,
	.parallel_boots = host_parallel_boots,
	.start = host_start,
	.poll = host_poll,
	.stop = host_stop,
};
