// SPDX-License-Identifier: GPL-2.0-only
#include "bench/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/campaign.h"
#include "bench/files.h"
#include "bench/guest.h"
#include "bench/guest_files.h"
#include "bench/guest_stream.h"
#include "bench/initrd.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/qemu.h"
#include "bench/qemu_turns.h"
#include "measure/clock.h"
#include "reports/json_strict.h"
#include "workloads/lab.h"
#include "workloads/workload.h"

/*
 * Boots variants in QEMU. The guest's console and its stream to us are files: QEMU
 * never waits when it writes one, so that how loaded this machine is cannot reach a
 * guest in virtual time. We look at the files a few times a second.
 */
#define RUN_PREFIX	  "run-"
#define LOCK_NAME	  "lock"
#define CHUNK_BYTES	  65536
#define LOG_TAIL_BYTES	  (256 << 10) /* what is searched for a panic: a long oops is 20 KiB */
#define PROBE_LIMIT_S	  20	      /* KVM boots in two; a host where it aborts says so at once */
#define PROBE_POLL_MS	  50
#define PROBE_CACHE_BYTES 4096

/* What the boots of one run share. */
struct vm_state {
	char *directory; /* paths_build("vm/run-PID"): gone when the run ends */
	/* Virtual time: the library that makes QEMU's threads take turns, and how QEMU is told. */
	int turns_fd;
	char *turns_preload; /* NULL in real time */
	int lock_fd;  /* held while this process lives: tells a stale directory from a live one */
	void *initrd; /* the program and its libraries; each boot's plan comes behind it */
	size_t initrd_bytes;
	char initrd_sha256[SHA256_HEX_SIZE]; /* of @initrd alone */
	struct vm_topology topology;
	struct qemu_version version;
	enum vm_accelerator accelerator;
	unsigned int boots; /* numbers the files */
};

/* One guest. */
struct vm_boot {
	pid_t pid;
	int pid_fd;
	char *initrd_path, *stream_path, *error_path, *console_path;
	int stream_fd, console_fd; /* read side; -1 until QEMU has made the file */
	off_t console_bytes;
	struct guest_stream stream;
	struct json_object *environment;
	struct guest_life life;
	unsigned int watchdog_s;
	void (*on_progress)(void *context, unsigned long done, unsigned long total,
			    const char *what);
	void (*on_stopped)(void *context, uint64_t at_ns); /* NULL: nobody asks, or it was told */
	void *context;
};

/* ---- the directory of a run -------------------------------------------------- */

/* Removes what runs that were killed left behind: their lock is free. */
static void remove_stale_runs(const char *vm_directory)
{
	struct dirent *entry;
	DIR *dir = opendir(vm_directory);

	while (dir && (entry = readdir(dir))) {
		char *path, *lock;
		int fd;

		if (strncmp(entry->d_name, RUN_PREFIX, strlen(RUN_PREFIX)) != 0)
			continue;
		path = format_string("%s/%s", vm_directory, entry->d_name);
		lock = path ? format_string("%s/" LOCK_NAME, path) : NULL;
		fd = lock ? open(lock, O_RDWR | O_CLOEXEC) : -1;
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
			remove_tree(path);
		if (fd >= 0)
			close(fd);
		free(lock);
		free(path);
	}
	if (dir)
		closedir(dir);
}

static int lock_run(struct vm_state *state)
{
	char *path = format_string("%s/" LOCK_NAME, state->directory);
	int err = 0;

	if (!path)
		return -ENOMEM;
	state->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (state->lock_fd < 0 || flock(state->lock_fd, LOCK_EX | LOCK_NB))
		err = -errno;
	free(path);
	return err;
}

static int make_run_directory(struct vm_state *state)
{
	char *parent = paths_build("vm");
	int err = -ENOMEM;

	if (!parent)
		return err;
	err = make_directories(parent);
	if (!err)
		remove_stale_runs(parent);
	state->directory = err ? NULL : format_string("%s/" RUN_PREFIX "%d", parent, (int)getpid());
	if (!err && !state->directory)
		err = -ENOMEM;
	if (!err)
		err = make_directories(state->directory);
	if (!err)
		err = lock_run(state);
	if (err)
		message_errno(err, "cannot make a folder for the guests in %s", parent);
	free(parent);
	return err;
}

/* What every guest of the run gets: what is here, or what somebody packed before. */
static int make_base_initrd(struct vm_state *state, struct json_object *work,
			    const char *packed_path)
{
	char *bytes = NULL;
	int err;

	if (packed_path) {
		err = read_file(packed_path, GUEST_FILES_MAX_BYTES, &bytes, &state->initrd_bytes);
		state->initrd = bytes;
		if (err)
			message_errno(err, "cannot read %s", packed_path);
	} else {
		err = guest_files_pack(work, &state->initrd, &state->initrd_bytes);
	}
	if (!err)
		sha256_bytes(state->initrd, state->initrd_bytes, state->initrd_sha256);
	return err;
}

/*
 * QEMU alone leaves the order of its threads to the host now and then (bench/qemu_turns.c).
 * The library is named by our descriptor: ld.so takes a space or a colon in a path for its end.
 */
static int prepare_turns(struct vm_state *state)
{
	const char *theirs = getenv("LD_PRELOAD");
	char *path = paths_qemu_turns();
	int err;

	state->turns_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	err = state->turns_fd < 0 ? -errno : 0;
	if (!err) {
		state->turns_preload =
			format_string("LD_PRELOAD=/proc/%d/fd/%d%s%s", (int)getpid(),
				      state->turns_fd, theirs ? ":" : "", theirs ? theirs : "");
		err = state->turns_preload ? qemu_check_turns(state->turns_preload) : -ENOMEM;
	}
	if (err == -ENOTSUP)
		message_error(
			"%s does not take in %s, without which virtual time is not exact: is it "
			"a static program or a script? Use the distribution's, or --time=real",
			QEMU_PROGRAM, path);
	else if (err)
		message_errno(err, "cannot start QEMU with %s", path ? path : QEMU_TURNS_LIBRARY);
	free(path);
	return err;
}

static void free_state(struct vm_state *state)
{
	if (!state)
		return;
	if (state->directory)
		remove_tree(state->directory);
	if (state->lock_fd >= 0)
		close(state->lock_fd);
	if (state->turns_fd >= 0)
		close(state->turns_fd);
	free(state->turns_preload);
	free(state->directory);
	free(state->initrd);
	free(state);
}

/* ---- one guest ---------------------------------------------------------------- */

static void free_boot(struct vm_boot *boot)
{
	if (!boot)
		return;
	if (boot->pid > 0) {
		kill(-boot->pid, SIGKILL);
		kill(boot->pid, SIGKILL);
		while (waitpid(boot->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (boot->pid_fd >= 0)
		close(boot->pid_fd);
	if (boot->stream_fd >= 0)
		close(boot->stream_fd);
	if (boot->console_fd >= 0)
		close(boot->console_fd);
	if (boot->initrd_path)
		unlink(boot->initrd_path);
	if (boot->stream_path)
		unlink(boot->stream_path);
	if (boot->error_path)
		unlink(boot->error_path);
	guest_stream_release(&boot->stream);
	json_object_put(boot->environment);
	free(boot->initrd_path);
	free(boot->stream_path);
	free(boot->error_path);
	free(boot->console_path);
	free(boot);
}

/* Whether a workload of the plan wants the lock laboratory. */
static bool wants_laboratory(struct json_object *plan)
{
	struct json_object *work, *name;

	if (!plan || !json_object_object_get_ex(plan, "work", &work))
		return false;
	for (size_t i = 0; i < json_object_array_length(work); i++) {
		const struct workload *workload = NULL;

		if (json_object_object_get_ex(json_object_array_get_idx(work, i), "workload",
					      &name))
			workload = workload_find(json_object_get_string(name));
		if (workload && workload->needs.lock_laboratory)
			return true;
	}
	return false;
}

/* The module that was built with the image lies beside it. The caller frees it; NULL: there is
 * none, or nobody wants it. */
static char *find_laboratory(const struct boot_request *request)
{
	const char *image = request->variant->image_path, *slash = strrchr(image, '/');
	char *path = slash ? format_string("%.*s" LAB_GUEST_MODULE, (int)(slash - image), image)
			   : strdup(&LAB_GUEST_MODULE[1]);

	if (path && wants_laboratory(request->plan) && !access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

/* The run's RAM disk with this boot's plan behind it, and what its kernel has of its own. */
static int write_initrd(const struct vm_state *state, struct json_object *plan,
			const char *laboratory, const char *path)
{
	struct initrd *extra = initrd_new();
	size_t size_bytes = 0;
	void *bytes = NULL;
	const char *text;
	int fd = -1, err = extra ? 0 : -ENOMEM;

	if (!err && plan) {
		text = json_object_to_json_string_ext(plan, JSON_C_TO_STRING_PLAIN);
		err = text ? initrd_add_bytes(extra, GUEST_PLAN_PATH, 0644, text, strlen(text))
			   : -ENOMEM;
	}
	if (!err && laboratory)
		err = initrd_add_file(extra, &LAB_GUEST_MODULE[1], 0644, laboratory);
	if (!err)
		err = initrd_encode(extra, &bytes, &size_bytes);
	if (!err) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		err = fd < 0 ? -errno : 0;
	}
	if (!err)
		err = write_all(fd, state->initrd, state->initrd_bytes);
	if (!err)
		err = write_all(fd, bytes, size_bytes);
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	free(bytes);
	initrd_free(extra);
	return err;
}

/*
 * What a result says of QEMU. The command line names the files by what they are: where
 * they were is this run's affair, and two runs in virtual time must not differ by it.
 */
static struct json_object *describe(const struct vm_state *state, const char *laboratory,
				    struct vm_machine machine)
{
	struct json_object *environment = json_object_new_object();
	struct json_object *qemu = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct argument_vector arguments;
	char laboratory_sha256[SHA256_HEX_SIZE];

	machine.image_path = "IMAGE";
	machine.initrd_path = "INITRD";
	machine.console_path = "CONSOLE";
	machine.result_path = "RESULT";
	if (!qemu_arguments(&machine, &arguments)) {
		for (size_t i = 0; i < arguments.count; i++)
			json_object_array_add(list, json_object_new_string(arguments.items[i]));
		argument_vector_release(&arguments);
	}
	json_object_object_add(qemu, "version", json_object_new_string(state->version.text));
	json_object_object_add(qemu, "accelerator",
			       json_object_new_string(vm_accelerator_name(machine.accelerator)));
	/* With the image's, all of a guest that is not its plan. */
	json_object_object_add(qemu, "initrd_sha256", json_object_new_string(state->initrd_sha256));
	if (laboratory && !sha256_file(laboratory, laboratory_sha256))
		json_object_object_add(qemu, "lab_module_sha256",
				       json_object_new_string(laboratory_sha256));
	json_object_object_add(qemu, "arguments", list);
	json_object_object_add(environment, "qemu", qemu);
	return environment;
}

static int name_files(struct vm_boot *boot, struct vm_state *state, const char *console_path)
{
	unsigned int number = state->boots++;

	boot->initrd_path = format_string("%s/%u.initrd", state->directory, number);
	boot->stream_path = format_string("%s/%u.stream", state->directory, number);
	boot->error_path = format_string("%s/%u.qemu", state->directory, number);
	boot->console_path = strdup(console_path);
	if (!boot->initrd_path || !boot->stream_path || !boot->error_path || !boot->console_path)
		return -ENOMEM;
	return 0;
}

/* A process that polls like a file; -1 where the kernel has no such thing, then waitpid is asked.
 */
static int open_pid_fd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* QEMU's environment besides ours; the caller frees what is behind the first. */
static int make_environment(const struct vm_state *state, const struct boot_request *request,
			    char *environment[4])
{
	char **next = environment;

	*next++ = state->turns_preload;
	if (request->limit_ns &&
	    !(*next++ = format_string(QEMU_TURNS_LIMIT "=%" PRIu64 ",%u", request->limit_ns,
				      vm_topology_cpus(&state->topology))))
		return -ENOMEM;
	if (request->stop_ns &&
	    !(*next = format_string(QEMU_TURNS_STOP "=%" PRIu64, request->stop_ns)))
		return -ENOMEM;
	return 0;
}

static int launch(const struct vm_state *state, const struct boot_request *request,
		  struct vm_boot *boot, const struct vm_machine *machine)
{
	char *environment[4] = {NULL};
	struct argument_vector arguments;
	int err = qemu_arguments(machine, &arguments);

	if (err)
		return err;
	err = make_environment(state, request, environment);
	boot->pid = err ? err
			: process_start((const char *const *)arguments.items,
					(const char *const *)environment, boot->error_path);
	free(environment[1]);
	free(environment[2]);
	argument_vector_release(&arguments);
	if (boot->pid < 0)
		return (int)boot->pid;
	boot->pid_fd = open_pid_fd(boot->pid);
	guest_life_begin(&boot->life, clock_now_ns(), boot->watchdog_s);
	return 0;
}

static int start_guest(struct vm_state *state, const struct boot_request *request,
		       enum vm_accelerator accelerator, unsigned int memory_mib,
		       struct vm_boot **out)
{
	struct vm_machine machine = {.accelerator = accelerator,
				     .topology = state->topology,
				     .memory_mib = memory_mib,
				     .seed = request->seed,
				     /* What hung in silence is to tell where, the next time. */
				     .has_full_log = request->attempt > 0,
				     .kernel_arguments = request->variant->arguments,
				     .gdb_path = request->gdb_path,
				     .image_path = request->variant->image_path};
	struct vm_boot *boot = calloc(1, sizeof(*boot));
	char *laboratory;
	int err;

	if (!boot)
		return -ENOMEM;
	laboratory = find_laboratory(request);
	boot->pid = -1;
	boot->pid_fd = boot->stream_fd = boot->console_fd = -1;
	boot->watchdog_s = request->watchdog_s;
	boot->on_progress = request->on_progress;
	boot->on_stopped = request->stop_ns ? request->on_stopped : NULL;
	boot->context = request->context;
	guest_stream_init(&boot->stream);
	err = name_files(boot, state, request->log_path);
	if (!err)
		err = write_initrd(state, request->plan, laboratory, boot->initrd_path);
	machine.initrd_path = boot->initrd_path;
	machine.console_path = boot->console_path;
	machine.result_path = boot->stream_path;
	boot->environment = describe(state, laboratory, machine);
	free(laboratory);
	if (!err)
		err = launch(state, request, boot, &machine);
	if (err) {
		free_boot(boot);
		return err;
	}
	*out = boot;
	return 0;
}

/* Feeds what is new in the guest's stream; true when something was. */
static bool read_stream(struct vm_boot *boot)
{
	static char chunk[CHUNK_BYTES];
	bool is_new = false;
	ssize_t got;

	if (boot->stream_fd < 0)
		boot->stream_fd = open(boot->stream_path, O_RDONLY | O_CLOEXEC);
	while (boot->stream_fd >= 0 && (got = read(boot->stream_fd, chunk, sizeof(chunk))) > 0) {
		guest_stream_feed(&boot->stream, chunk, (size_t)got);
		is_new = true;
	}
	return is_new;
}

static bool has_console_grown(struct vm_boot *boot)
{
	struct stat status;

	if (boot->console_fd < 0)
		boot->console_fd = open(boot->console_path, O_RDONLY | O_CLOEXEC);
	if (boot->console_fd < 0 || fstat(boot->console_fd, &status) ||
	    status.st_size == boot->console_bytes)
		return false;
	boot->console_bytes = status.st_size;
	return true;
}

/* Tells, once, that the machine stands still: QEMU said so (bench/qemu_turns.c). */
static void look_for_stop(struct vm_boot *boot)
{
	const char *at;
	char *text;

	if (!boot->on_stopped || read_file(boot->error_path, 1 << 20, &text, NULL))
		return;
	at = strstr(text, QEMU_TURNS_STOP_SIGN);
	if (at && strchr(at, '\n')) {
		boot->on_stopped(boot->context,
				 strtoull(at + strlen(QEMU_TURNS_STOP_SIGN), NULL, 10));
		boot->on_stopped = NULL;
	}
	free(text);
}

static void look_for_life(struct vm_boot *boot)
{
	bool has_console = has_console_grown(boot);
	bool has_stream = read_stream(boot);

	guest_life_look(&boot->life, clock_now_ns(), has_stream, has_console, boot->stream.started);
	if (boot->stream.updated && boot->on_progress)
		boot->on_progress(boot->context, boot->stream.done, boot->stream.total,
				  boot->stream.what);
	boot->stream.updated = false;
	look_for_stop(boot);
}

/* Whether QEMU has ended by itself; reaps it then. */
static bool has_exited(struct vm_boot *boot, unsigned int timeout_ms, int *status)
{
	struct pollfd poll_fd = {.fd = boot->pid_fd, .events = POLLIN};

	poll(&poll_fd, 1, (int)timeout_ms);
	if (waitpid(boot->pid, status, WNOHANG) != boot->pid)
		return false;
	boot->pid = -1;
	return true;
}

/* The end of the console's text; never NULL. The caller frees it. */
static char *read_console_tail(const struct vm_boot *boot)
{
	char *text = calloc(1, LOG_TAIL_BYTES + 1);
	off_t from =
		boot->console_bytes > LOG_TAIL_BYTES ? boot->console_bytes - LOG_TAIL_BYTES : 0;
	ssize_t got = 0;

	if (text && boot->console_fd >= 0)
		got = pread(boot->console_fd, text, LOG_TAIL_BYTES, from);
	for (ssize_t i = 0; i < got; i++)
		if (!text[i])
			text[i] = '?'; /* a garbage console must not hide what follows */
	return text;
}

/* What QEMU itself complained about: its last line. */
static void read_qemu_error(const struct vm_boot *boot, char *out, size_t out_size)
{
	char *text, *line;

	*out = '\0';
	if (read_file(boot->error_path, 1 << 20, &text, NULL))
		return;
	while (*text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	line = strrchr(text, '\n');
	snprintf(out, out_size, "%.180s", line ? line + 1 : text);
	free(text);
}

static void __attribute__((format(printf, 3, 4)))
answer_with(struct boot_answer *answer, enum boot_outcome outcome, const char *format, ...)
{
	va_list args;

	answer->outcome = outcome;
	va_start(args, format);
	vsnprintf(answer->reason, sizeof(answer->reason), format, args);
	va_end(args);
}

static void answer_exit(const struct vm_boot *boot, int status, struct boot_answer *answer)
{
	char error[200];

	read_qemu_error(boot, error, sizeof(error));
	if (WIFSIGNALED(status))
		answer_with(answer, BOOT_DIED, "signal %d ended QEMU%s%s", WTERMSIG(status),
			    *error ? ": " : "", error);
	else if (WEXITSTATUS(status))
		answer_with(answer, BOOT_FAILED, "QEMU gave up: %s",
			    *error ? error : "it did not say why");
	else
		answer_with(answer, boot->stream.started ? BOOT_DIED : BOOT_FAILED,
			    "the guest went down: %s", guest_stream_complaint(&boot->stream));
}

/* Turns what the guest sent into the answer, once its stream has ended well. */
static void answer_document(struct vm_boot *boot, struct boot_answer *answer)
{
	char problem[200] = "it is not an object";

	answer->result = json_strict_parse(boot->stream.document, boot->stream.document_bytes,
					   problem, sizeof(problem));
	if (json_object_is_type(answer->result, json_type_object)) {
		answer->outcome = BOOT_OK;
		return;
	}
	json_object_put(answer->result);
	answer->result = NULL;
	answer_with(answer, BOOT_DIED, "the guest left a result that is none: %s", problem);
}

/* @status: QEMU's, when @exited. */
static void fill_answer(struct vm_boot *boot, bool exited, int status, struct boot_answer *answer)
{
	const char *complaint = guest_stream_complaint(&boot->stream);
	char *console = read_console_tail(boot);

	if (!complaint)
		answer_document(boot, answer);
	else if (console && console_find_panic(console, answer->reason, sizeof(answer->reason)))
		answer->outcome = BOOT_PANICKED;
	else if (boot->stream.died || boot->stream.state == GUEST_STREAM_INVALID)
		answer_with(answer, BOOT_DIED, "%s%s", boot->stream.died ? "" : "the guest sent ",
			    complaint);
	else if (console &&
		 console_find_out_of_memory(console, answer->reason, sizeof(answer->reason)))
		answer->outcome = BOOT_DIED;
	else if (exited)
		answer_exit(boot, status, answer);
	else if (clock_now_ns() - boot->life.alive_ns < boot->life.watchdog_ns)
		answer_with(answer, BOOT_NO_PROGRESS,
			    "the guest's console talked for %u s of wall time, and it never "
			    "reached the runner",
			    boot->watchdog_s * GUEST_BOOT_LIMITS);
	else
		answer_with(answer, BOOT_NO_PROGRESS,
			    "no sign of life from the guest for %u s of wall time (%s)",
			    boot->watchdog_s,
			    boot->stream.started ? boot->stream.what
						 : "it never reached the runner");
	answer->reached_runner = boot->stream.started;
	answer->environment = json_object_get(boot->environment);
	answer->wall_s = (double)(clock_now_ns() - boot->life.begin_ns) / (double)NS_PER_S;
	free(console);
}

static int vm_poll(void *handle, unsigned int timeout_ms, struct boot_answer *answer)
{
	struct vm_boot *boot = handle;
	bool exited;
	int status = 0;

	*answer = (struct boot_answer){0};
	exited = has_exited(boot, timeout_ms, &status);
	look_for_life(boot);
	/* After '@end' the guest only powers off: nothing is won by watching it. */
	if (!exited && boot->stream.state != GUEST_STREAM_ENDED &&
	    boot->stream.state != GUEST_STREAM_INVALID &&
	    !guest_life_is_over(&boot->life, clock_now_ns()))
		return -EAGAIN;
	fill_answer(boot, exited, status, answer);
	free_boot(boot);
	return 0;
}

static void vm_stop(void *handle)
{
	free_boot(handle);
}

/* ---- does KVM work here? -------------------------------------------------------- */

static char *probe_cache_path(void)
{
	return paths_build("vm/kvm-probe.json");
}

/* What the answer holds for: this boot of this host, this QEMU, and the image that was tried. */
static char *probe_key(const struct vm_state *state, const struct campaign *campaign)
{
	char boot_id[64], image[SHA256_HEX_SIZE];

	if (read_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) ||
	    sha256_file(campaign->variants[0].image_path, image))
		return NULL;
	return format_string("%s QEMU %s image %s", boot_id, state->version.text, image);
}

/* Whether this image has booted under KVM here. */
static bool has_worked(const char *key)
{
	struct json_object *document = NULL, *field;
	char *path = probe_cache_path(), problem[200];
	bool answer = false;

	if (path &&
	    !json_strict_load(path, PROBE_CACHE_BYTES, &document, problem, sizeof(problem)) &&
	    json_object_object_get_ex(document, "key", &field) &&
	    json_object_is_type(field, json_type_string) &&
	    !strcmp(json_object_get_string(field), key) &&
	    json_object_object_get_ex(document, "works", &field))
		answer = json_object_get_boolean(field);
	json_object_put(document);
	free(path);
	return answer;
}

/* Only that it works is kept: that it did not may be the image's fault, or a busy moment's. */
static void write_probe_cache(const char *key)
{
	struct json_object *document = json_object_new_object();
	char *path = probe_cache_path();

	json_object_object_add(document, "key", json_object_new_string(key));
	json_object_object_add(document, "works", json_object_new_boolean(true));
	if (path)
		write_json_atomically(path,
				      document); /* when it cannot be kept it is tried again */
	json_object_put(document);
	free(path);
}

/*
 * Boots the variant's image under KVM without a plan: the guest then says that it has
 * none, which is all we want to hear. The device file alone proves nothing: nested or
 * restricted hosts have one that runs no guest. -EINTR after a stop.
 */
static int try_kvm(struct vm_state *state, const struct campaign *campaign)
{
	char *log = format_string("%s/probe.log", state->directory);
	struct boot_request request = {
		.variant = &campaign->variants[0], .log_path = log, .watchdog_s = PROBE_LIMIT_S};
	struct boot_answer answer = {0};
	struct vm_boot *boot;
	int err = log ? start_guest(state, &request, VM_KVM, campaign->memory_mib, &boot) : -ENOMEM;

	while (!err && (err = vm_poll(boot, PROBE_POLL_MS, &answer)) == -EAGAIN) {
		err = process_stop_requested() ? -EINTR : 0;
		if (err || clock_now_ns() - boot->life.begin_ns > PROBE_LIMIT_S * NS_PER_S) {
			vm_stop(boot);
			break;
		}
	}
	json_object_put(answer.result);
	json_object_put(answer.environment);
	free(log);
	return err ? err : answer.reached_runner;
}

static int choose_real_accelerator(struct vm_state *state, const struct campaign *campaign)
{
	char *key = probe_key(state, campaign);
	int works = key && has_worked(key);

	if (access("/dev/kvm", R_OK | W_OK)) {
		message_note(
			"no usable /dev/kvm here: the guests run under TCG, several times slower");
		works = 0;
	} else if (!works) {
		message_note("/dev/kvm is here: trying whether it boots a guest (at most %d s)",
			     PROBE_LIMIT_S);
		works = try_kvm(state, campaign);
		if (works > 0 && key)
			write_probe_cache(key);
	}
	if (works <= 0 && works != -EINTR && !access("/dev/kvm", R_OK | W_OK))
		message_note("/dev/kvm does not boot a guest here: the guests run under TCG");
	state->accelerator = works > 0 ? VM_KVM : VM_TCG;
	free(key);
	return works == -EINTR ? -EINTR : 0;
}

/* ---- the target ------------------------------------------------------------------- */

static int vm_probe(const struct campaign *campaign, char *reason, unsigned int reason_size)
{
	struct qemu_version version;
	int err = qemu_find_version(&version);

	if (err) {
		snprintf(reason, reason_size,
			 err == -ENOENT ? "%s is not here (install the package qemu-system-x86)"
					: "%s does not say its version (reinstall the package "
					  "qemu-system-x86)",
			 QEMU_PROGRAM);
		return err;
	}
	if (campaign->time == TIME_VIRTUAL && version.major < QEMU_VIRTUAL_TIME_MIN_MAJOR) {
		snprintf(
			reason, reason_size,
			"virtual time needs QEMU %u or newer, and this is %s (on Debian 12: install "
			"qemu-system-x86 from bookworm-backports, or measure with --time=real)",
			QEMU_VIRTUAL_TIME_MIN_MAJOR, version.text);
		return -ENOTSUP;
	}
	return 0;
}

static int vm_open(struct campaign *campaign)
{
	struct vm_state *state = calloc(1, sizeof(*state));
	char reason[256];
	int err;

	if (!state)
		return message_errno(-ENOMEM, "cannot prepare the guests");
	state->lock_fd = state->turns_fd = -1;
	err = vm_topology_parse(campaign->topology ? campaign->topology : "", &state->topology,
				reason, sizeof(reason));
	if (err)
		message_error("%s", reason);
	if (!err) {
		err = qemu_find_version(&state->version);
		if (err)
			message_errno(err, "cannot ask %s for its version", QEMU_PROGRAM);
	}
	if (!err)
		err = make_run_directory(state);
	if (!err)
		err = make_base_initrd(state, campaign->work, campaign->guest_path);
	state->accelerator = VM_VIRTUAL_TIME;
	if (!err && campaign->time == TIME_VIRTUAL)
		err = prepare_turns(state);
	if (!err && campaign->time == TIME_REAL)
		err = choose_real_accelerator(state, campaign);
	if (err) {
		free_state(state);
		return err;
	}
	campaign->target_state = state;
	return 0;
}

static void vm_close(struct campaign *campaign)
{
	free_state(campaign->target_state);
	campaign->target_state = NULL;
}

/* Guests in virtual time count instructions: neighbours cost them wall time, nothing else. */
static unsigned int vm_parallel_boots(const struct campaign *campaign)
{
	cpu_set_t allowed;

	if (campaign->time == TIME_REAL || sched_getaffinity(0, sizeof(allowed), &allowed))
		return 1;
	return (unsigned int)CPU_COUNT(&allowed);
}

static int vm_start(const struct campaign *campaign, const struct boot_request *request,
		    void **handle)
{
	struct vm_state *state = campaign->target_state;
	struct vm_boot *boot = NULL;
	int err = start_guest(state, request, state->accelerator, campaign->memory_mib, &boot);

	if (err)
		return message_errno(err, "cannot start a guest for the variant %s",
				     request->variant->label);
	*handle = boot;
	return 0;
}

const struct target target_vm = {
	.name = "vm",
	.probe = vm_probe,
	.open = vm_open,
	.close = vm_close,
	.parallel_boots = vm_parallel_boots,
	.start = vm_start,
	.poll = vm_poll,
	.stop = vm_stop,
};
