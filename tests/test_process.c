// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/files.h"
#include "bench/process.h"

static int run_argv(const char *const *argv)
{
	struct process_request request = {.argv = argv};

	return process_run(&request);
}
#define RUN(...) run_argv((const char *const[]){__VA_ARGS__, NULL})

static void test_the_exit_status_comes_back(void **state)
{
	(void)state;
	assert_int_equal(RUN("true"), 0);
	assert_int_equal(RUN("sh", "-c", "exit 7"), 7);
	assert_int_equal(RUN("sh", "-c", "kill -SEGV $$"), -ECHILD);
	assert_int_equal(RUN("no-such-program-anywhere"), -ENOENT);
}

struct lines {
	char text[128];
	int count;
};

static void collect(void *context, const char *line)
{
	struct lines *lines = context;

	lines->count++;
	strcat(lines->text, line);
	strcat(lines->text, "|");
}

static void test_lines_arrive_whole_and_in_order(void **state)
{
	static const char *const argv[] = {"sh", "-c", "printf 'a b\\n\\nlast'; echo $WORD >&2",
					   NULL};
	static const char *const environment[] = {"WORD=$(id);x", NULL};
	struct lines lines = {"", 0};
	struct process_request request = {
		.argv = argv, .environment = environment, .on_line = collect, .context = &lines};

	(void)state;
	assert_int_equal(process_run(&request), 0);
	assert_string_equal(lines.text, "a b||last$(id);x|");
	assert_int_equal(lines.count, 3);
}

static void test_a_last_line_without_its_newline_is_not_lost(void **state)
{
	static const char *const argv[] = {"printf", "one\\ntwo", NULL};
	char *out;

	(void)state;
	assert_int_equal(process_capture(argv, &out), 0);
	assert_string_equal(out, "one\ntwo\n");
	free(out);
}

static void test_arguments_reach_the_program_as_they_are(void **state)
{
	static const char *const argv[] = {"printf", "%s", "; rm -rf \"$HOME\" `id` $(id)", NULL};
	char *out;

	(void)state;
	assert_int_equal(process_capture(argv, &out), 0);
	assert_string_equal(out, "; rm -rf \"$HOME\" `id` $(id)\n");
	free(out);
}

/*
 * Whether a killed process is gone, or a zombie that init has yet to reap. The kill
 * was sent already; it takes effect when the victim is next scheduled.
 */
static bool is_gone(pid_t pid)
{
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 1000000; i++) {
		if (read_line(path, line, sizeof(line)) || strstr(line, ") Z "))
			return true;
		sched_yield();
	}
	return false;
}

static void test_a_time_limit_ends_the_whole_group(void **state)
{
	static const char *const argv[] = {"sh", "-c", "sleep 1000 & echo $!; wait", NULL};
	struct lines lines = {"", 0};
	struct process_request request = {
		.argv = argv, .timeout_s = 1, .on_line = collect, .context = &lines};

	(void)state;
	assert_int_equal(process_run(&request), -ETIMEDOUT);
	assert_int_equal(lines.count, 1);
	assert_true(is_gone(atoi(lines.text)));
}

static void test_a_child_dies_with_its_parent(void **state)
{
	static const char *const sleeper[] = {"sleep", "1000", NULL};
	int fds[2], status;
	pid_t driver, child = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	driver = fork();
	if (!driver) {
		child = process_start(sleeper, NULL, NULL);
		if (write(fds[1], &child, sizeof(child)) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	assert_true(child > 0);
	kill(driver, SIGKILL);
	assert_int_equal(waitpid(driver, &status, 0), driver);
	assert_true(is_gone(child));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_exit_status_comes_back),
		cmocka_unit_test(test_lines_arrive_whole_and_in_order),
		cmocka_unit_test(test_a_last_line_without_its_newline_is_not_lost),
		cmocka_unit_test(test_arguments_reach_the_program_as_they_are),
		cmocka_unit_test(test_a_time_limit_ends_the_whole_group),
		cmocka_unit_test(test_a_child_dies_with_its_parent),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
