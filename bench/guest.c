// SPDX-License-Identifier: GPL-2.0-only
#include "bench/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/guest_stream.h"
#include "bench/message.h"
#include "bench/runner.h"
#include "bench/stress_guest.h"
#include "workloads/stress_plan.h"

#define PORT_PATH      "/dev/ttyS1"
#define RESULT_PATH    "/run/result.json"
#define PLAN_MAX_BYTES (1u << 20)
/* What one step of the "memory" fault takes: enough to be quick, small enough to be refused late.
 */
#define FAULT_MEMORY_STEP_BYTES (4u << 20)

static const struct {
	const char *type, *path, *options;
} file_systems[] = {
	{"proc", "/proc", NULL},
	{"sysfs", "/sys", NULL},
	{"devtmpfs", "/dev", NULL},
	{"tmpfs", "/dev/shm", "mode=1777"},
	{"tmpfs", "/tmp", "mode=1777"},
	{"tmpfs", "/run", "mode=755"},
	{"cgroup2", "/sys/fs/cgroup", NULL},
	{"debugfs", "/sys/kernel/debug", NULL},
	{"tracefs", "/sys/kernel/tracing", NULL},
};

/* A kernel without one of them (tracefs, say) is still measured: the workloads say what they lack.
 */
static void mount_file_systems(void)
{
	for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++) {
		make_directories(file_systems[i].path);
		mount(file_systems[i].type, file_systems[i].path, file_systems[i].type, 0,
		      file_systems[i].options);
	}
}

/* The port to the driver, raw: no byte of a result may be taken for a control character. */
static int open_port(void)
{
	struct termios settings;
	int fd = open(PORT_PATH, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!tcgetattr(fd, &settings)) {
		cfmakeraw(&settings);
		cfsetspeed(&settings, B115200);
		settings.c_cflag |= CLOCAL;
		tcsetattr(fd, TCSANOW, &settings);
	}
	return fd;
}

static void send_progress(void *context, unsigned int done, unsigned int total, const char *what)
{
	guest_stream_send_progress(*(int *)context, done, total, what);
}

static void __attribute__((noreturn)) power_off(int port)
{
	if (port >= 0)
		tcdrain(port);
	sync();
	reboot(RB_POWER_OFF);
	/* No ACPI: the driver has read '@end' by now and ends the machine itself. */
	for (;;)
		pause();
}

/*
 * A stress may leave threads that never end, and with them this process: its result is sent from
 * here, and the machine goes down.
 */
static int run_stress(struct json_object *plan, int port)
{
	struct json_object *result = NULL;
	const char *text;
	int err = stress_guest_run(plan, send_progress, &port, &result);

	if (err)
		return err;
	text = json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!guest_stream_send_document(port, text, strlen(text)))
		guest_stream_send_end(port);
	power_off(port);
}

/* In the child: the plan's work, and its result into a file that process 1 sends. */
static int run_plan(int port)
{
	struct json_object *plan = NULL, *result = NULL;
	const char *text;
	char *bytes;
	int err = read_file("/" GUEST_PLAN_PATH, PLAN_MAX_BYTES, &bytes, NULL);

	if (err)
		return message_errno(err, "cannot read the plan /%s", GUEST_PLAN_PATH);
	plan = json_tokener_parse(bytes);
	free(bytes);
	if (!plan) {
		message_error("the plan /%s is not JSON", GUEST_PLAN_PATH);
		return -EINVAL;
	}
	if (stress_is_plan(plan))
		return run_stress(plan, port);
	err = runner_run(plan, send_progress, &port, &result);
	if (!err) {
		text = json_object_to_json_string_ext(
			result, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		err = text ? write_file_atomically(RESULT_PATH, text, strlen(text)) : -ENOMEM;
		if (err)
			message_errno(err, "cannot write %s", RESULT_PATH);
	}
	json_object_put(result);
	json_object_put(plan);
	return err;
}

static void take_all_memory(void)
{
	for (;;) {
		char *block = malloc(FAULT_MEMORY_STEP_BYTES);

		if (!block)
			raise(SIGKILL); /* address space went first: the end is the same */
		memset(block, 1, FAULT_MEMORY_STEP_BYTES);
	}
}

/* What a kernel that reports stalls for ever looks like from outside. */
static void make_noise(void)
{
	for (;;) {
		message_error("nothing happens here");
		sleep(1);
	}
}

static bool is_fault(const char *name)
{
	const char *fault = getenv(GUEST_FAULT);

	return fault && !strcmp(fault, name);
}

/* What a test of the driver asked the runner to do; returns when it asked for nothing. */
static void misbehave_as_runner(void)
{
	if (is_fault("hang"))
		pause();
	if (is_fault("noise"))
		make_noise();
	if (is_fault("memory"))
		take_all_memory();
	if (is_fault("kill"))
		raise(SIGKILL);
}

/* The same for process 1. */
static void misbehave_as_init(int port)
{
	if (is_fault("panic"))
		_exit(1); /* the kernel does not live without process 1 */
	if (is_fault("half")) {
		dprintf(port, "@result 1000 %064d\n{\"format\":", 0);
		power_off(port);
	}
}

/* Waits for @child and takes in every orphan on the way. Its wait status. */
static int supervise(pid_t child)
{
	int status;

	while (waitpid(-1, &status, 0) != child)
		;
	return status;
}

/* How many times the kernel killed for want of memory since it booted. */
static uint64_t count_memory_kills(void)
{
	char *text, *at;
	uint64_t kills = 0;

	if (read_file("/proc/vmstat", 1 << 20, &text, NULL))
		return 0;
	at = strstr(text, "\noom_kill ");
	if (at)
		kills = strtoull(at + strlen("\noom_kill "), NULL, 10);
	free(text);
	return kills;
}

static void report_death(int port, int status)
{
	char reason[128];

	if (WIFSIGNALED(status) && count_memory_kills())
		snprintf(reason, sizeof(reason),
			 "the guest ran out of memory and the kernel killed the runner");
	else if (WIFSIGNALED(status))
		snprintf(reason, sizeof(reason), "signal %d ended the runner", WTERMSIG(status));
	else
		snprintf(reason, sizeof(reason), "the runner gave up (exit status %d)",
			 WEXITSTATUS(status));
	message_error("%s", reason);
	guest_stream_send_died(port, reason);
}

static void send_result(int port)
{
	size_t size_bytes;
	char *document;
	int err = read_file(RESULT_PATH, GUEST_DOCUMENT_MAX_BYTES, &document, &size_bytes);

	if (err) {
		guest_stream_send_died(port, "the runner left no result");
		return;
	}
	if (!guest_stream_send_document(port, document, size_bytes))
		guest_stream_send_end(port);
	free(document);
}

int guest_main(void)
{
	int port, status;
	pid_t child;

	if (getpid() != 1) {
		message_error(
			"proxeval-guest is process 1 of a virtual machine; people want 'proxeval run'");
		return EXIT_USAGE;
	}
	mount_file_systems();
	port = open_port();
	if (port < 0) {
		message_errno(port, "the guest has no second serial port %s", PORT_PATH);
		power_off(-1);
	}
	guest_stream_send_progress(port, 0, 0, "the guest has booted");
	child = fork();
	if (!child) {
		misbehave_as_runner();
		_exit(run_plan(port) ? EXIT_BROKE : EXIT_FINE);
	}
	if (child < 0) {
		guest_stream_send_died(port, "the guest cannot start the runner");
		power_off(port);
	}
	misbehave_as_init(port);
	status = supervise(child);
	kill(-1, SIGKILL); /* what a runner that died left running */
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		send_result(port);
	else
		report_death(port, status);
	power_off(port);
}
