// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/files.h"
#include "measure/clock.h"
#include "workloads/load_tree.h"
#include "workloads/tool_output.h"

/* A section's cgroup of this test's own; NULL: none is to be had here. */
static char *section;

static int make_section(void **state)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;

	(void)state;
	while (mounts && !section && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			section = format_string("%s/proxeval-test-%d", entry->mnt_dir, getpid());
	if (mounts)
		endmntent(mounts);
	if (section && mkdir(section, 0755)) {
		free(section);
		section = NULL;
	}
	return 0;
}

static void write_to(const char *name, const char *text)
{
	char *path = format_string("%s/%s", section, name);
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) > 0);
	close(fd);
	free(path);
}

static int remove_section(void **state)
{
	static const char *const groups[] = {"load", "runner", "", NULL};

	(void)state;
	if (!section)
		return 0;
	/* This process is in SECTION/runner: back to where every process may be. */
	write_to("../cgroup.procs", "0");
	for (const char *const *group = groups; *group; group++) {
		char *path = format_string("%s/%s", section, *group);

		rmdir(path);
		free(path);
	}
	free(section);
	return 0;
}

static void make_tree(struct load_tree *tree)
{
	const struct load_limits limits = {.processes = 100};
	char error[512] = "";
	int err;

	if (!section) {
		print_message("no cgroup v2 hierarchy here that this user may write to\n");
		skip();
	}
	err = load_tree_make(tree, section, "load", &limits, error, sizeof(error));
	if (err) {
		print_message("%s\n", error);
		assert_int_equal(err, -EOPNOTSUPP);
		skip();
	}
}

static bool is_populated(void)
{
	char *path = format_string("%s/load/cgroup.events", section), *text;
	bool populated;

	assert_int_equal(read_file(path, 4096, &text, NULL), 0);
	populated = strstr(text, "populated 1");
	free(text);
	free(path);
	return populated;
}

/* Two generations of it: what its own child starts is in the group, too. */
static const char *const spinning[] = {"sh", "-c", "while :; do :; done & while :; do :; done",
				       NULL};

/* Until the group has computed for a millisecond more: an event, and no time is judged. */
static void await_load(const struct load_tree *tree)
{
	uint64_t before_ns = 0, cpu_ns = 0;

	load_tree_cpu_ns(tree, &before_ns);
	while (cpu_ns < before_ns + 1000000)
		if (load_tree_cpu_ns(tree, &cpu_ns))
			abort();
}

static void test_the_tree_is_killed_whole(void **state)
{
	struct load_program program = {.argv = spinning, .memory_node = -1, .output_fd = -1};
	struct load_tree tree;
	pid_t pid;
	int status;

	(void)state;
	make_tree(&tree);
	pid = load_tree_start(&tree, &program);
	assert_true(pid > 0);
	await_load(&tree);
	assert_true(is_populated());
	assert_int_equal(load_tree_kill(&tree), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_false(is_populated());
	assert_null(tree.path);
	assert_int_equal(load_tree_kill(&tree), 0);
}

/* The process that makes the load is killed as hard as can be. */
static void test_no_load_outlives_its_runner(void **state)
{
	struct load_program program = {.argv = spinning, .memory_node = -1, .output_fd = -1};
	struct load_tree tree;
	bool was_populated;
	int ready[2];
	pid_t runner;
	char byte;

	(void)state;
	make_tree(&tree);
	assert_int_equal(load_tree_kill(&tree), 0);
	assert_int_equal(pipe(ready), 0);
	runner = fork();
	if (!runner) {
		const struct load_limits limits = {.processes = 100};
		char error[512];

		if (load_tree_make(&tree, section, "load", &limits, error, sizeof(error)) ||
		    load_tree_start(&tree, &program) < 0)
			_exit(1);
		await_load(&tree);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	was_populated = is_populated();
	kill(runner, SIGKILL);
	assert_int_equal(waitpid(runner, NULL, 0), runner);
	assert_true(was_populated);
	/* The guard sees it and kills: until then, the test waits. */
	while (is_populated())
		poll(NULL, 0, 1);
}

static void test_a_program_says_how_it_ended(void **state)
{
	static const char *const absent[] = {"proxeval-no-such-program", NULL};
	static const char *const failing[] = {"sh", "-c", "echo one; echo the reason >&2; exit 3",
					      NULL};
	static const char *const fine[] = {"sh", "-c", "echo hello", NULL};
	static const char *const endless[] = {"sh", "-c", "while :; do :; done", NULL};
	struct load_program program = {.memory_node = -1};
	static const volatile int go_on, stop = 1;
	struct load_tree tree;
	char error[512], *output;

	(void)state;
	make_tree(&tree);
	program.argv = fine;
	assert_int_equal(
		tool_run(&tree, &program, 60 * NS_PER_S, &go_on, &output, error, sizeof(error)), 0);
	assert_string_equal(output, "hello\n");
	free(output);
	program.argv = absent;
	assert_int_equal(
		tool_run(&tree, &program, 60 * NS_PER_S, &go_on, &output, error, sizeof(error)),
		-ENOENT);
	assert_string_equal(error, "proxeval-no-such-program cannot be started");
	program.argv = failing;
	assert_int_equal(
		tool_run(&tree, &program, 60 * NS_PER_S, &go_on, &output, error, sizeof(error)),
		-ECHILD);
	assert_string_equal(error, "sh ended with exit status 3: the reason");
	program.argv = endless;
	assert_int_equal(tool_run(&tree, &program, 1, &go_on, &output, error, sizeof(error)),
			 -ETIME);
	assert_string_equal(error, "sh: it took longer than its limit");
	assert_int_equal(
		tool_run(&tree, &program, 60 * NS_PER_S, &stop, &output, error, sizeof(error)),
		-EINTR);
	assert_int_equal(load_tree_kill(&tree), 0);
	assert_false(is_populated());
}

static void test_without_a_cgroup_there_is_no_load(void **state)
{
	const struct load_limits limits = {.memory_bytes = 1 << 20, .processes = 1};
	struct load_tree tree;
	char error[512] = "";

	(void)state;
	assert_int_equal(load_tree_make(&tree, NULL, "load", &limits, error, sizeof(error)),
			 -EOPNOTSUPP);
	assert_string_equal(error, "load needs a cgroup of its own, and there is no cgroup v2 "
				   "hierarchy here that this user may write to");
	assert_int_equal(load_tree_kill(&tree), 0);
}

static void test_the_runners_cpu_stays_free(void **state)
{
	static const char xml[] = TEST_SOURCE_DIR "/tests/fixtures/topologies/xeon-2s.xml";
	struct load_cpu cpus[LOAD_CPUS_MAX];
	struct topology *topology;
	size_t n;

	(void)state;
	assert_int_equal(topology_load(&topology, xml), 0);
	n = load_cpus(topology, cpus, LOAD_CPUS_MAX);
	assert_int_equal(n, topology_cpus(topology) - 1);
	for (size_t i = 0; i < n; i++) {
		assert_int_not_equal(cpus[i].cpu, load_free_cpu(topology));
		if (i)
			assert_true(cpus[i].node >= cpus[i - 1].node);
	}
	topology_free(topology);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_cgroup_there_is_no_load),
		cmocka_unit_test(test_the_runners_cpu_stays_free),
		cmocka_unit_test(test_the_tree_is_killed_whole),
		cmocka_unit_test(test_no_load_outlives_its_runner),
		cmocka_unit_test(test_a_program_says_how_it_ended),
	};

	return cmocka_run_group_tests(tests, make_section, remove_section);
}
