// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/load_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/files.h"

#define OUTPUT_MAX_BYTES (16u << 20)
#define NODES_MAX	 1024
#define LAST_FD		 65536

/* ---- the group ---------------------------------------------------------------------- */

static int write_knob(const char *directory, const char *name, const char *value)
{
	char path[PATH_MAX];
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The number behind @key in one of the group's files. 0, or -ENOENT. */
static int read_key(const char *directory, const char *name, const char *key, uint64_t *value)
{
	char *path = format_string("%s/%s", directory, name), *text, *line, *save = NULL;
	size_t length = strlen(key);
	int err = path ? read_file(path, 65536, &text, NULL) : -ENOMEM;

	free(path);
	if (err)
		return err;
	err = -ENOENT;
	for (line = strtok_r(text, "\n", &save); line && err; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, length) && line[length] == ' ') {
			*value = strtoull(line + length, NULL, 10);
			err = 0;
		}
	free(text);
	return err;
}

static int make_directory(const char *parent, const char *name, char **path)
{
	*path = format_string("%s/%s", parent, name);
	if (!*path)
		return -ENOMEM;
	return mkdir(*path, 0755) && errno != EEXIST ? -errno : 0;
}

/* The processes of @section, of which this one is the only one, make room. */
static int leave_section(const char *section)
{
	char *runner;
	int err = make_directory(section, "runner", &runner);

	if (!err)
		err = write_knob(runner, "cgroup.procs", "0");
	free(runner);
	return err;
}

static int hand_on_controllers(const char *section)
{
	int err = write_knob(section, "../cgroup.subtree_control", "+memory +pids");

	return err ? err : write_knob(section, "cgroup.subtree_control", "+memory +pids");
}

static int set_limits(const char *path, const struct load_limits *limits)
{
	char value[32];
	int err;

	snprintf(value, sizeof(value), "%llu", (unsigned long long)limits->memory_bytes);
	err = write_knob(path, "memory.max", value);
	if (!err)
		err = write_knob(path, "memory.swap.max", "0");
	/* A kernel without swap has nothing to forbid. */
	err = err == -ENOENT ? 0 : err;
	if (!err)
		err = write_knob(path, "memory.oom.group", "1");
	snprintf(value, sizeof(value), "%u", limits->processes);
	return err ? err : write_knob(path, "pids.max", value);
}

static int make_group(struct load_tree *tree, const char *section, const char *name,
		      const struct load_limits *limits, char *error, size_t error_size)
{
	int err = leave_section(section);

	if (!err && limits->memory_bytes) {
		err = hand_on_controllers(section);
		if (err) {
			snprintf(error, error_size,
				 "the memory of a load cannot be capped here: %s does not get the "
				 "memory and pids controllers of cgroup v2 (%s; boot with "
				 "systemd.unified_cgroup_hierarchy=1)",
				 section, strerror(-err));
			return -EOPNOTSUPP;
		}
	}
	if (!err)
		err = make_directory(section, name, &tree->path);
	if (!err && limits->memory_bytes)
		err = set_limits(tree->path, limits);
	/* Since 5.14; without it a load that forks could outrun who kills it one by one. */
	if (!err && write_knob(tree->path, "cgroup.kill", "1")) {
		snprintf(error, error_size,
			 "this kernel cannot kill a cgroup whole (cgroup.kill, since Linux 5.14)");
		return -EOPNOTSUPP;
	}
	if (err)
		snprintf(error, error_size, "cannot make the cgroup %s/%s: %s", section, name,
			 strerror(-err));
	return err;
}

/* Every CPU, node by node. */
static size_t all_cpus(const struct topology *topology, struct load_cpu *cpus, size_t max)
{
	struct json_object *machine = topology_to_json(topology), *nodes = NULL, *ids = NULL;
	size_t count = 0;

	json_object_object_get_ex(machine, "node_cpus", &nodes);
	json_object_object_get_ex(machine, "node_ids", &ids);
	for (size_t node = 0; nodes && node < json_object_array_length(nodes); node++) {
		struct json_object *list = json_object_array_get_idx(nodes, node);
		int id = json_object_get_int(json_object_array_get_idx(ids, node));

		for (size_t i = 0; i < json_object_array_length(list) && count < max; i++)
			cpus[count++] = (struct load_cpu){
				json_object_get_int(json_object_array_get_idx(list, i)), id};
	}
	json_object_put(machine);
	return count;
}

int load_free_cpu(const struct topology *topology)
{
	struct load_cpu cpus[LOAD_CPUS_MAX];
	int cpu = topology_housekeeping_cpu(topology);
	size_t count;

	if (cpu >= 0)
		return cpu;
	count = all_cpus(topology, cpus, LOAD_CPUS_MAX);
	return count ? cpus[count - 1].cpu : 0;
}

size_t load_cpus(const struct topology *topology, struct load_cpu *cpus, size_t max)
{
	size_t all = all_cpus(topology, cpus, max), count = 0;
	int free_cpu = load_free_cpu(topology);

	for (size_t i = 0; i < all && all > 1; i++)
		if (cpus[i].cpu != free_cpu)
			cpus[count++] = cpus[i];
	return all > 1 ? count : all;
}

/* ---- the guard -------------------------------------------------------------------------- */

/*
 * A child of the process that makes the load, in its cgroup and not in the load's: the end of the
 * pipe tells it that its parent is gone. Nothing here allocates: the parent may have threads.
 */
static void __attribute__((noreturn)) guard_group(int kill_fd, int pipe_fd)
{
	char byte;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* What else the parent had open is not for us to keep open. */
	for (int fd = 0; fd < LAST_FD; fd++)
		if (fd != kill_fd && fd != pipe_fd && close(fd) && fd > 1024)
			break;
	while (read(pipe_fd, &byte, 1) < 0 && errno == EINTR)
		;
	while (write(kill_fd, "1", 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int start_guard(struct load_tree *tree)
{
	char *path = format_string("%s/cgroup.kill", tree->path);
	int pipe_fds[2], kill_fd, err = 0;

	kill_fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	free(path);
	if (kill_fd < 0)
		return -errno;
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		err = -errno;
		goto out_close;
	}
	tree->guard = fork();
	if (!tree->guard) {
		close(pipe_fds[1]);
		guard_group(kill_fd, pipe_fds[0]);
	}
	if (tree->guard < 0) {
		err = -errno;
		tree->guard = 0;
		close(pipe_fds[1]);
	} else {
		tree->guard_fd = pipe_fds[1];
	}
	close(pipe_fds[0]);

out_close:
	close(kill_fd);
	return err;
}

int load_tree_make(struct load_tree *tree, const char *section, const char *name,
		   const struct load_limits *limits, char *error, size_t error_size)
{
	int err;

	*tree = (struct load_tree){.guard_fd = -1};
	if (!section) {
		snprintf(error, error_size,
			 "load needs a cgroup of its own, and there is no cgroup v2 hierarchy here "
			 "that this user may write to");
		return -EOPNOTSUPP;
	}
	err = make_group(tree, section, name, limits, error, error_size);
	if (err)
		return err;
	err = start_guard(tree);
	if (err)
		snprintf(error, error_size, "cannot start the guard of the load: %s",
			 strerror(-err));
	return err;
}

/* ---- one program --------------------------------------------------------------------------- */

static int bind_cpus(const struct load_program *program)
{
	cpu_set_t set;

	if (!program->n_cpus)
		return 0;
	CPU_ZERO(&set);
	for (size_t i = 0; i < program->n_cpus; i++)
		CPU_SET(program->cpus[i], &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* A kernel without NUMA has one node and no such call. */
static int bind_memory(int node)
{
	unsigned long mask[NODES_MAX / (8 * sizeof(unsigned long))] = {0};
	const unsigned int bits = 8 * sizeof(unsigned long);

	if (node < 0 || node >= NODES_MAX)
		return 0;
	mask[(unsigned int)node / bits] = 1ul << ((unsigned int)node % bits);
	if (syscall(SYS_set_mempolicy, MPOL_BIND, mask, (unsigned long)NODES_MAX) &&
	    errno != ENOSYS)
		return -1;
	return 0;
}

/* In the child. It is let go once it is in the group: nothing of it ever runs outside. */
static void __attribute__((noreturn))
become_program(const struct load_program *program, int go_fd, int output_fd, pid_t parent)
{
	/* So much text is no tool's report; beyond it the writer is killed. */
	const struct rlimit output = {OUTPUT_MAX_BYTES, OUTPUT_MAX_BYTES};
	/* Real-time priorities are for tools that set them, not for what this process has. */
	const struct sched_param none = {0};
	sigset_t empty;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || read(go_fd, &byte, 1) != 1)
		_exit(125);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sched_setscheduler(0, SCHED_OTHER, &none);
	if (bind_cpus(program) || bind_memory(program->memory_node) ||
	    setrlimit(RLIMIT_FSIZE, &output) || dup2(open("/dev/null", O_RDONLY), 0) < 0 ||
	    dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
		_exit(126);
	execvp(program->argv[0], (char *const *)program->argv);
	_exit(127);
}

/* Into the group, then on its way; or to its end, when that cannot be. */
static int let_go(const struct load_tree *tree, pid_t pid, int go_fd)
{
	char text[24];
	int err;

	snprintf(text, sizeof(text), "%d", (int)pid);
	err = write_knob(tree->path, "cgroup.procs", text);
	if (!err && write(go_fd, "", 1) != 1)
		err = -errno;
	if (err) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return err;
}

pid_t load_tree_start(const struct load_tree *tree, const struct load_program *program)
{
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC), go_fds[2], err = 0;
	pid_t parent = getpid(), pid = -1;

	if (null_fd < 0)
		return -errno;
	if (pipe2(go_fds, O_CLOEXEC)) {
		err = -errno;
		goto out_close;
	}
	pid = fork();
	if (!pid) {
		close(go_fds[1]);
		become_program(program, go_fds[0],
			       program->output_fd < 0 ? null_fd : program->output_fd, parent);
	}
	err = pid < 0 ? -errno : let_go(tree, pid, go_fds[1]);
	close(go_fds[0]);
	close(go_fds[1]);

out_close:
	close(null_fd);
	return err ? err : pid;
}

/* ---- what it did, and its end ---------------------------------------------------------------- */

int load_tree_cpu_ns(const struct load_tree *tree, uint64_t *cpu_ns)
{
	uint64_t cpu_us;
	int err = read_key(tree->path, "cpu.stat", "usage_usec", &cpu_us);

	if (!err)
		*cpu_ns = cpu_us * 1000;
	return err;
}

uint64_t load_tree_memory_kills(const struct load_tree *tree)
{
	uint64_t kills = 0;

	if (tree->path)
		read_key(tree->path, "memory.events", "oom_kill", &kills);
	return kills;
}

/* cgroup.events tells by POLLPRI that the last process is gone; who is dead and not yet waited for
 * does not count. */
static int await_empty(const struct load_tree *tree)
{
	char *path = format_string("%s/cgroup.events", tree->path);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	uint64_t populated = 1;
	int err = 0;

	free(path);
	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLPRI};
		char text[256];

		if (pread(fd, text, sizeof(text), 0) < 0)
			err = -errno;
		if (!err)
			err = read_key(tree->path, "cgroup.events", "populated", &populated);
		if (err || !populated)
			break;
		poll(&poll_fd, 1, 100);
	}
	close(fd);
	return err;
}

int load_tree_kill(struct load_tree *tree)
{
	int err = 0;

	if (tree->path)
		err = write_knob(tree->path, "cgroup.kill", "1");
	if (tree->path && !err)
		err = await_empty(tree);
	if (tree->guard_fd >= 0 && tree->guard)
		close(tree->guard_fd);
	if (tree->guard)
		waitpid(tree->guard, NULL, 0);
	free(tree->path);
	*tree = (struct load_tree){.guard_fd = -1};
	return err;
}
