// SPDX-License-Identifier: GPL-2.0-only
#include "bench/section_run.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/metronome.h"
#include "bench/process.h"
#include "bench/section_cgroup.h"
#include "bench/section_trace.h"
#include "bench/settings.h"
#include "measure/clock.h"

/* Longer than the largest limit that a workload sets itself for a sample (600 s), twice over. */
#define SILENCE_LIMIT_NS (UINT64_C(1300) * NS_PER_S)
#define POLL_MS		 1000

/*
 * The section's process writes lines to its parent: "p DONE TOTAL" now and then, and in the
 * end "r " with the result as JSON.
 */
struct child {
	pid_t pid;
	int fd;
	char *text; /* what arrived and is not a whole line yet */
	size_t size, room;
	struct json_object *result;
	uint64_t heard_ns;
};

/* What was made for a section and goes away after it. */
struct surroundings {
	struct section_cgroup cgroup;
	struct section_trace trace;
};

static volatile int stop_child;

static void on_stop(int signal_number)
{
	(void)signal_number;
	stop_child = 1;
}

static void write_whole(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t wrote = write(fd, text, size);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return; /* the parent is gone: so are we in a moment */
		text += wrote;
		size -= (size_t)wrote;
	}
}

static void tell_progress(void *context, unsigned int done, unsigned int total)
{
	char line[64];
	int length = snprintf(line, sizeof(line), "p %u %u\n", done, total);

	write_whole(*(int *)context, line, (size_t)length);
}

/* The workload's life, in the section's own process. */
static void live(const struct section *section, struct workload_run *run)
{
	const struct workload *workload = section->workload;
	int err = workload->setup ? workload->setup(run) : 0;

	if (!err)
		err = workload->measure(run);
	if (err && result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_FAILED, "%s", strerror(-err));
	/* A thread that is lost in the kernel still uses what cleanup would free. */
	if (err != -ETIMEDOUT && workload->cleanup)
		workload->cleanup(run);
}

static void __attribute__((noreturn))
be_child(const struct section *section, const struct section_context *context,
	 const struct surroundings *around, int fd)
{
	struct sigaction action = {.sa_handler = on_stop};
	struct workload_run run = {
		.placement = &section->placement,
		.topology = context->topology,
		.values = section->values,
		.seed = section->seed,
		.virtual_time = context->virtual_time,
		.proxy_exec = context->proxy_exec,
		.proxy_exec_request = context->proxy_exec_request,
		.cgroup = around->cgroup.path,
		.trace = around->trace.path,
		.result = result_new(section->workload->metrics),
		.stop = &stop_child,
		.progress = tell_progress,
		.progress_context = &fd,
	};
	struct json_object *object;
	const char *text;
	int err;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!run.result)
		_exit(1);
	err = section_cgroup_enter(&around->cgroup);
	if (err)
		result_set_outcome(run.result, OUTCOME_FAILED, "cannot enter the cgroup %s: %s",
				   around->cgroup.path, strerror(-err));
	else
		live(section, &run);
	object = result_to_json(run.result);
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	write_whole(fd, "r ", 2);
	write_whole(fd, text, strlen(text));
	write_whole(fd, "\n", 1);
	_exit(0);
}

static int start_child(const struct section *section, const struct section_context *context,
		       const struct surroundings *around, struct child *child)
{
	pid_t parent = getpid();
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	child->pid = fork();
	if (child->pid < 0) {
		int err = -errno;

		close(pipe_fds[0]);
		close(pipe_fds[1]);
		return err;
	}
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(pipe_fds[0]);
		be_child(section, context, around, pipe_fds[1]);
	}
	close(pipe_fds[1]);
	child->fd = pipe_fds[0];
	child->heard_ns = clock_now_ns();
	return 0;
}

static void take_line(struct child *child, const char *line, const struct section_context *context)
{
	unsigned int done, total;

	if (line[0] == 'r' && line[1] == ' ') {
		json_object_put(child->result);
		child->result = json_tokener_parse(line + 2);
	} else if (sscanf(line, "p %u %u", &done, &total) == 2 && context->progress) {
		context->progress(context->progress_context, done, total);
	}
}

/* Reads what is there. 1 while more may come, 0 at the end, or a negative errno. */
static int listen_to(struct child *child, const struct section_context *context)
{
	char *newline;
	ssize_t got;

	if (child->room - child->size < 4096) {
		char *text = realloc(child->text, child->room + 65536);

		if (!text)
			return -ENOMEM;
		child->text = text;
		child->room += 65536;
	}
	got = read(child->fd, child->text + child->size, child->room - child->size - 1);
	if (got < 0)
		return errno == EINTR ? 1 : -errno;
	if (!got)
		return 0;
	child->heard_ns = clock_now_ns();
	child->size += (size_t)got;
	child->text[child->size] = '\0';
	while ((newline = memchr(child->text, '\n', child->size))) {
		size_t length = (size_t)(newline - child->text) + 1;

		*newline = '\0';
		take_line(child, child->text, context);
		child->size -= length;
		memmove(child->text, child->text + length, child->size + 1);
	}
	return 1;
}

/* Until it has said all, or must end. 0; -EINTR: stopped; -ETIME: fell silent; -ENOMEM. */
static int hear_out(struct child *child, const struct section_context *context)
{
	for (;;) {
		struct pollfd poll_fd = {.fd = child->fd, .events = POLLIN};
		int more = 1;

		if (poll(&poll_fd, 1, POLL_MS) > 0)
			more = listen_to(child, context);
		if (more <= 0)
			return more;
		if (process_stop_requested())
			return -EINTR;
		if (clock_now_ns() - child->heard_ns > SILENCE_LIMIT_NS)
			return -ETIME;
	}
}

/* The "outcome" … "facts" of a section that has no word from its process. */
static struct json_object *make_outcome(enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static struct json_object *make_outcome(enum outcome outcome, const char *format, ...)
{
	static const struct metric_spec nothing[] = {{.name = NULL}};
	struct result *result = result_new(nothing);
	struct json_object *object;
	char reason[512];
	va_list args;

	if (!result)
		return NULL;
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	result_set_outcome(result, outcome, "%s", reason);
	object = result_to_json(result);
	result_free(result);
	return object;
}

/* Takes the result, or says how the process ended without one. */
static struct json_object *part_from(struct child *child, int err, int status)
{
	struct json_object *result = child->result;

	child->result = NULL;
	if (result)
		return result;
	if (err == -ETIME)
		return make_outcome(OUTCOME_FAILED,
				    "the workload said nothing for %llu s and was ended",
				    (unsigned long long)(SILENCE_LIMIT_NS / NS_PER_S));
	if (WIFSIGNALED(status))
		return make_outcome(OUTCOME_FAILED,
				    "the workload's process was ended by signal %d (%s)",
				    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return make_outcome(OUTCOME_FAILED, "the workload's process ended without a result");
}

/* 0 with *@object, or -EINTR. */
static int run_child(const struct section *section, const struct section_context *context,
		     const struct surroundings *around, struct json_object **object)
{
	struct child child = {.fd = -1};
	int status = 0;
	int err = start_child(section, context, around, &child);

	if (err) {
		*object =
			make_outcome(OUTCOME_FAILED, "cannot start a process: %s", strerror(-err));
		return 0;
	}
	err = hear_out(&child, context);
	if (err) {
		section_cgroup_kill(&around->cgroup);
		kill(child.pid, SIGKILL);
	}
	while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
		;
	close(child.fd);
	free(child.text);
	if (err != -EINTR)
		*object = part_from(&child, err, status);
	json_object_put(child.result);
	return err == -EINTR ? err : 0;
}

/* What is missing here for this workload, as a sentence; NULL: nothing. The caller frees it. */
static char *missing_need(const struct section *section, const struct section_context *context)
{
	const struct workload_needs *needs = &section->workload->needs;

	if (section->missing)
		return strdup(section->missing);
	if (context->refusal)
		return strdup(context->refusal);
	if (needs->root && geteuid() != 0)
		return format_string("%s needs root (run it as root)", section->workload->name);
	if (topology_cpus(context->topology) < needs->min_cpus)
		return format_string("%s needs %u CPUs, and there are %u", section->workload->name,
				     needs->min_cpus, topology_cpus(context->topology));
	for (const char *const *option = needs->kernel_options; option && *option; option++)
		if (environment_has_kernel_option(*option) == 0)
			return format_string("this kernel is built without %s", *option);
	for (const char *const *file = needs->files; file && *file; file++)
		if (access(*file, R_OK))
			return format_string("%s cannot be read: %s", *file, strerror(errno));
	return NULL;
}

static int set_knobs(const char *const *knobs, char **reason)
{
	for (; knobs && knobs[0]; knobs += 2) {
		int err = strcmp(knobs[1], KNOB_AS_IT_IS) ? settings_set(knobs[0], knobs[1])
							  : settings_keep(knobs[0]);

		if (err) {
			*reason = format_string("cannot set %s to %s: %s", knobs[0], knobs[1],
						strerror(-err));
			return err;
		}
	}
	return 0;
}

/* A CPU that no role of the placement uses, the last one that there is; -1: none. */
static int spare_cpu(const struct placement *placement)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &allowed) && cpu != placement->owner_cpu &&
		    cpu != placement->donor_cpu && cpu != placement->observer_cpu)
			return cpu;
	return -1;
}

/* Knobs, cgroup, metronome, process, and all of it back. 0 with *@part, or -EINTR. */
static int run_prepared(const struct section *section, const struct section_context *context,
			struct json_object **part)
{
	struct workload_run asking = {
		.placement = &section->placement, .values = section->values, .seed = section->seed};
	struct surroundings around = {0};
	struct metronome *metronome;
	char *reason = NULL;
	int err, restore_err;

	err = set_knobs(section->workload->needs.knobs, &reason);
	if (!err && section->workload->knobs)
		err = set_knobs(section->workload->knobs(&asking), &reason);
	/* Before the cgroup: it is put back after that, when nobody has it open any more. */
	if (!err && section->workload->needs.trace)
		err = section_trace_make(&around.trace);
	if (!err)
		err = section_cgroup_make(&around.cgroup);
	if (err) {
		*part = make_outcome(OUTCOME_FAILED, "%s", reason ? reason : strerror(-err));
		err = 0;
	} else {
		metronome = metronome_start(context->virtual_time && !section->workload->is_alone
						    ? spare_cpu(&section->placement)
						    : -1,
					    context->metronome_period_ns);
		err = run_child(section, context, &around, part);
		metronome_stop(metronome);
	}
	restore_err = settings_restore_all();
	section_cgroup_release(&around.cgroup);
	section_trace_release(&around.trace);
	free(reason);
	if (restore_err && !err) {
		json_object_put(*part);
		*part = make_outcome(OUTCOME_FAILED,
				     "cannot put the machine's settings back: %s; run "
				     "'proxeval restore'",
				     strerror(-restore_err));
	}
	return err;
}

/* Moves what @part holds to @object and frees it. */
static void move_members(struct json_object *object, struct json_object *part)
{
	json_object_object_foreach (part, key, value) {
		json_object_object_add(object, key, json_object_get(value));
	}
	json_object_put(part);
}

int section_run(const struct section *section, const struct section_context *context,
		struct json_object **object)
{
	uint64_t began_ns = clock_now_ns();
	char *missing = missing_need(section, context);
	struct json_object *part = NULL;
	int err = 0;

	*object = NULL;
	if (missing)
		part = make_outcome(OUTCOME_UNSUPPORTED, "%s", missing);
	else
		err = run_prepared(section, context, &part);
	free(missing);
	if (err)
		return err;
	if (!part)
		return -ENOMEM;
	*object = section_to_json(section);
	json_object_object_add(*object, "duration_ns",
			       json_object_new_uint64(clock_now_ns() - began_ns));
	move_members(*object, part);
	return 0;
}
