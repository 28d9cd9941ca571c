// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <cmocka.h>

#include "bench/files.h"
#include "bench/health.h"

#define FIXTURES TEST_SOURCE_DIR "/tests/fixtures/kmsg/"

/* ---- lines ---- */

static void check_lines(const char *path, int is_report)
{
	char *text, *save = NULL;
	int lines = 0;

	assert_int_equal(read_file(path, 1 << 20, &text, NULL), 0);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (health_is_report_line(line) != is_report)
			fail_msg("%s: %s", is_report ? "not seen" : "no report", line);
		lines++;
	}
	assert_in_range(lines, 10, 100);
	free(text);
}

static void test_a_quiet_boot_has_no_report(void **state)
{
	(void)state;
	check_lines(FIXTURES "quiet-boot.log", 0);
}

static void test_every_kind_of_report_is_seen(void **state)
{
	(void)state;
	check_lines(FIXTURES "reports.log", 1);
}

/*
 * The consoles of kernels that check themselves, recorded from a module that does what each of
 * them looks for (KCSAN's: from the stress). Every report is one line, nothing else is any.
 */
static void check_console(const char *name, const char *const expected[])
{
	char *path = format_string(TEST_SOURCE_DIR "/tests/fixtures/consoles/%s", name), *text,
	     *save = NULL;

	assert_non_null(path);
	assert_int_equal(read_file(path, 1 << 20, &text, NULL), 0);
	for (char *line = strtok_r(text, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		if (!health_is_report_line(line))
			continue;
		assert_non_null(*expected); /* one more than there are */
		assert_non_null(strstr(line, *expected));
		expected++;
	}
	assert_null(*expected);
	free(text);
	free(path);
}

static void test_consoles_of_kernels_that_check_themselves(void **state)
{
	static const char *const lockdep[] = {"BUG: sleeping function called from invalid context",
					      "ODEBUG: free active",
					      "WARNING: at debug_print_object",
					      "list_del corruption.",
					      "WARNING: at __list_del_entry_valid_or_report",
					      "WARNING: possible circular locking dependency",
					      NULL};
	static const char *const lockdep_wait[] = {"[ BUG: Invalid wait context ]", NULL};
	static const char *const kasan[] = {"BUG: KASAN: slab-use-after-free in bad_init", NULL};

	(void)state;
	check_console("lockdep.txt", lockdep);
	check_console("lockdep-wait.txt", lockdep_wait);
	check_console("kasan.txt", kasan);
}

/* ---- a machine made of files ---- */

static char root[] = "/tmp/proxeval-test-health-XXXXXX";

static void put(const char *relative, const char *text, int flags)
{
	char *path = format_string("%s/%s", root, relative), *folder;
	int fd;

	assert_non_null(path);
	folder = strdup(path);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(make_directories(folder), 0);
	fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	free(folder);
	free(path);
}

/* The .nr_uninterruptible of two runqueues, as the scheduler's debug file prints them. */
static void put_sums(int first, int second)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "Sched Debug Version: v0.11, 7.2.13 #1\n"
		 "cpu#0, 2100.000 MHz\n  .nr_running                    : 1\n"
		 "  .nr_switches                   : 77\n"
		 "  .nr_uninterruptible            : %d\n"
		 "cpu#1, 2100.000 MHz\n  .nr_running                    : 0\n"
		 "  .nr_uninterruptible            : %d\n",
		 first, second);
	put("sys/kernel/debug/sched/debug", text, O_TRUNC);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	put("proc/sys/kernel/tainted", "4096\n", O_TRUNC);
	put("proc/1/task/1/stat", "1 (init) S 0 1 1 0\n", O_TRUNC);
	put("proc/20/task/20/stat", "20 (kworker/u8:1 (x)) D 2 0 0 0\n", O_TRUNC);
	put("dev/kmsg", "4,1,1000,-;WARNING: this was before the measurement\n", O_TRUNC);
	put_sums(-4, 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_tree(root);
}

static void check_end(struct health *health, const char *expected)
{
	struct json_object *object = health_end(health);

	assert_string_equal(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE),
		expected);
	json_object_put(object);
}

static void test_what_was_there_before_is_not_held_against_it(void **state)
{
	struct health *health;

	(void)state;
	assert_int_equal(health_begin_at(&health, root, false), 0);
	put("dev/kmsg", "6,2,2000,-;random: crng init done\n SUBSYSTEM=acpi\n", O_APPEND);
	/* A user's word in the log is not the kernel's. */
	put("dev/kmsg", "12,3,3000,-;BUG: says a user\n", O_APPEND);
	check_end(health,
		  "{\"clean\":true,\"taint_before\":4096,\"taint_after\":4096,\"reports\":[],"
		  "\"log_readable\":true,\"stuck_tasks\":[],\"uninterruptible_leak\":0}");
}

static void test_a_report_and_a_new_taint_are_seen(void **state)
{
	struct health *health;

	(void)state;
	assert_int_equal(health_begin_at(&health, root, false), 0);
	put("dev/kmsg",
	    "4,2,2000,-;WARNING: CPU: 1 PID: 77 at kernel/sched/fair.c:8923 put_prev_task_fair\n"
	    "4,3,2000,c;Call Trace:\n0,4,2001,-;BUG: kernel NULL pointer dereference\n",
	    O_APPEND);
	put("proc/sys/kernel/tainted", "4608\n", O_TRUNC);
	check_end(health,
		  "{\"clean\":false,\"taint_before\":4096,\"taint_after\":4608,\"reports\":["
		  "\"WARNING: CPU: 1 PID: 77 at kernel/sched/fair.c:8923 put_prev_task_fair\","
		  "\"BUG: kernel NULL pointer dereference\"],"
		  "\"log_readable\":true,\"stuck_tasks\":[],\"uninterruptible_leak\":0}");
}

static void test_a_stuck_task_is_named(void **state)
{
	struct health *health;

	(void)state;
	assert_int_equal(health_begin_at(&health, root, false), 0);
	put("proc/77/task/78/stat", "78 (donor) D 1 1 1 0\n", O_TRUNC);
	put_sums(-4, 6);
	check_end(health,
		  "{\"clean\":false,\"taint_before\":4096,\"taint_after\":4096,\"reports\":[],"
		  "\"log_readable\":true,\"stuck_tasks\":[\"donor\"],\"uninterruptible_leak\":0}");
}

static void test_a_task_that_is_counted_and_not_there_is_a_leak(void **state)
{
	struct health *health;

	(void)state;
	assert_int_equal(health_begin_at(&health, root, false), 0);
	put_sums(-4, 7);
	check_end(health,
		  "{\"clean\":false,\"taint_before\":4096,\"taint_after\":4096,\"reports\":[],"
		  "\"log_readable\":true,\"stuck_tasks\":[],\"uninterruptible_leak\":2}");
}

/* Two more workers that sleep are no leak, and two more in the books alone are. */
static void test_the_excess_leaves_out_who_sleeps(void **state)
{
	long long before, after;

	(void)state;
	assert_true(health_excess_uninterruptible(root, &before));
	put("proc/88/task/88/stat", "88 (kworker/0:1) D 2 0 0 0\n", O_TRUNC);
	put("proc/89/task/89/stat", "89 (kworker/1:1) D 2 0 0 0\n", O_TRUNC);
	put_sums(-4, 7);
	assert_true(health_excess_uninterruptible(root, &after));
	assert_int_equal(after - before, 0);
	put_sums(-4, 9);
	assert_true(health_excess_uninterruptible(root, &after));
	assert_int_equal(after - before, 2);
}

static void test_what_cannot_be_read_is_said(void **state)
{
	struct health *health;
	char *path = format_string("%s/dev/kmsg", root);

	(void)state;
	unlink(path);
	free(path);
	path = format_string("%s/sys", root);
	assert_int_equal(remove_tree(path), 0);
	free(path);
	assert_int_equal(health_begin_at(&health, root, false), 0);
	check_end(health,
		  "{\"clean\":true,\"taint_before\":4096,\"taint_after\":4096,\"reports\":[],"
		  "\"log_readable\":false,\"stuck_tasks\":[],\"uninterruptible_leak\":null}");
	assert_null(health_end(NULL));
}

static void test_a_guest_answers_for_its_whole_boot(void **state)
{
	struct health *health;

	(void)state;
	put("proc/sys/kernel/tainted", "4736\n", O_TRUNC); /* out of tree, a warning, an oops */
	assert_int_equal(health_begin_at(&health, root, true), 0);
	check_end(health,
		  "{\"clean\":false,\"taint_before\":4736,\"taint_after\":4736,\"reports\":["
		  "\"WARNING: this was before the measurement\","
		  "\"the kernel was tainted by an oops before the measurement began\","
		  "\"the kernel was tainted by a warning before the measurement began\"],"
		  "\"log_readable\":true,\"stuck_tasks\":[],\"uninterruptible_leak\":0}");
}

static void test_a_guest_with_foreign_modules_is_clean(void **state)
{
	struct health *health;

	(void)state;
	put("dev/kmsg", "6,1,1000,-;Linux version 7.2.13\n", O_TRUNC);
	assert_int_equal(health_begin_at(&health, root, true), 0);
	check_end(health,
		  "{\"clean\":true,\"taint_before\":4096,\"taint_after\":4096,\"reports\":[],"
		  "\"log_readable\":true,\"stuck_tasks\":[],\"uninterruptible_leak\":0}");
}

/* The lock laboratory's module is foreign and unsigned. */
static void test_a_module_that_comes_meanwhile_is_clean(void **state)
{
	struct health *health;

	(void)state;
	put("proc/sys/kernel/tainted", "0\n", O_TRUNC);
	assert_int_equal(health_begin_at(&health, root, false), 0);
	put("proc/sys/kernel/tainted", "12288\n", O_TRUNC);
	check_end(health, "{\"clean\":true,\"taint_before\":0,\"taint_after\":12288,\"reports\":[],"
			  "\"log_readable\":true,\"stuck_tasks\":[],\"uninterruptible_leak\":0}");
	assert_int_equal(health_begin_at(&health, root, false), 0);
	put("proc/sys/kernel/tainted", "12800\n", O_TRUNC);
	check_end(health,
		  "{\"clean\":false,\"taint_before\":12288,\"taint_after\":12800,\"reports\":[],"
		  "\"log_readable\":true,\"stuck_tasks\":[],\"uninterruptible_leak\":0}");
}

static void test_a_flood_is_cut(void **state)
{
	struct health *health;
	struct json_object *object;

	(void)state;
	assert_int_equal(health_begin_at(&health, root, false), 0);
	for (int i = 0; i < 2000; i++)
		put("dev/kmsg",
		    "4,9,9,-;BUG: scheduling while atomic: a_task_with_a_longish_name/88/0x2\n",
		    O_APPEND);
	object = health_end(health);
	assert_int_equal(json_object_array_length(json_object_object_get(object, "reports")), 64);
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_quiet_boot_has_no_report),
		cmocka_unit_test(test_every_kind_of_report_is_seen),
		cmocka_unit_test(test_consoles_of_kernels_that_check_themselves),
#define WITH_MACHINE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_MACHINE(test_what_was_there_before_is_not_held_against_it),
		WITH_MACHINE(test_a_report_and_a_new_taint_are_seen),
		WITH_MACHINE(test_a_stuck_task_is_named),
		WITH_MACHINE(test_a_task_that_is_counted_and_not_there_is_a_leak),
		WITH_MACHINE(test_the_excess_leaves_out_who_sleeps),
		WITH_MACHINE(test_what_cannot_be_read_is_said),
		WITH_MACHINE(test_a_guest_answers_for_its_whole_boot),
		WITH_MACHINE(test_a_guest_with_foreign_modules_is_clean),
		WITH_MACHINE(test_a_module_that_comes_meanwhile_is_clean),
		WITH_MACHINE(test_a_flood_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
