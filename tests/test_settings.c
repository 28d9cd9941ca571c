// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/magic.h>
#include <cmocka.h>

#include "bench/files.h"
#include "bench/settings.h"

static char folder[] = "/tmp/proxeval-test-settings-XXXXXX";
static char knob[64], choice[64], journal[64];

static void put(const char *path, const char *text)
{
	assert_int_equal(write_file_atomically(path, text, strlen(text)), 0);
}

static void check_content(const char *path, const char *expected)
{
	char *text;

	assert_int_equal(read_file(path, 4096, &text, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(knob, sizeof(knob), "%s/knob", folder);
	snprintf(choice, sizeof(choice), "%s/choice", folder);
	snprintf(journal, sizeof(journal), "%s/run/settings.jsonl", folder);
	put(knob, "950000\n");
	put(choice, "always [madvise] never\n");
	setenv("PROXEVAL_SETTINGS", journal, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_tree(folder);
}

/*
 * A child that changes settings and then either is killed (SIGKILL, with @release -1)
 * or waits on the pipe @release until its parent closes it. Returns once it has.
 */
static pid_t start_changer(int release[2])
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	if (release)
		assert_int_equal(pipe(release), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (settings_set(knob, "-1") || settings_set(choice, "never") ||
		    settings_set(knob, "500000") || write(ready[1], "y", 1) != 1)
			_exit(1);
		if (!release)
			kill(getpid(), SIGKILL);
		close(release[1]);
		_exit(read(release[0], &byte, 1) == 0 && !settings_restore_all() ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static int wait_for(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_changes_are_put_back_in_reverse(void **state)
{
	(void)state;
	assert_int_equal(settings_set(knob, "-1"), 0);
	assert_int_equal(settings_set(choice, "never"), 0);
	assert_int_equal(settings_set(knob, "500000"), 0);
	check_content(knob, "500000\n");
	check_content(choice, "never\n");
	assert_int_equal(settings_owner(), getpid());
	assert_int_equal(settings_restore_all(), 0);
	check_content(knob, "950000\n");
	check_content(choice, "madvise\n"); /* the word that was in brackets */
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(settings_owner(), 0);
	assert_int_equal(settings_restore_all(), 0);
}

static void test_what_is_so_already_is_not_journalled(void **state)
{
	(void)state;
	assert_int_equal(settings_set(knob, "950000"), 0);
	assert_int_equal(settings_set(choice, "madvise"), 0);
	check_content(choice, "always [madvise] never\n");
	assert_int_equal(access(journal, F_OK), -1);
}

static void test_the_journal_precedes_the_change(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(settings_set("/nonexistent/knob", "1"), -ENOENT);
	assert_int_equal(settings_set(knob, "-1"), 0);
	assert_int_equal(read_file(journal, 4096, &text, NULL), 0);
	assert_non_null(strstr(text, "\"old\":\"950000\",\"new\":\"-1\"}\n"));
	free(text);
	assert_int_equal(settings_restore_all(), 0);
}

struct seen {
	int count, failed;
	char last[64], last_value[32];
};

static void see(void *context, enum settings_kind kind, const char *path, const char *old_value,
		int err)
{
	struct seen *seen = context;

	seen->count++;
	seen->failed += err != 0;
	snprintf(seen->last, sizeof(seen->last), "%s", path);
	snprintf(seen->last_value, sizeof(seen->last_value), "%s",
		 kind == SETTINGS_VALUE ? old_value : "-");
}

static void test_kill_minus_9_leaves_a_journal_that_restores(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_true(WIFSIGNALED(wait_for(start_changer(NULL))));
	check_content(knob, "500000\n");
	assert_int_equal(settings_restore_abandoned(true, see, &seen), 3);
	assert_int_equal(seen.count, 3);
	check_content(knob, "500000\n"); /* a dry run touches nothing */
	assert_int_equal(settings_restore_abandoned(false, see, &seen), 3);
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.failed, 0);
	assert_string_equal(seen.last, knob);
	assert_string_equal(seen.last_value, "950000");
	check_content(knob, "950000\n");
	check_content(choice, "madvise\n");
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(settings_restore_abandoned(false, see, &seen), 0);
}

static void test_a_live_process_is_left_alone(void **state)
{
	int release[2];
	pid_t child = start_changer(release);

	(void)state;
	assert_int_equal(settings_owner(), child);
	assert_int_equal(settings_restore_abandoned(false, NULL, NULL), -EBUSY);
	assert_int_equal(settings_set(knob, "7"), -EBUSY);
	check_content(knob, "500000\n");
	close(release[0]);
	close(release[1]);
	assert_int_equal(wait_for(child), 0);
	check_content(knob, "950000\n");
	assert_int_equal(access(journal, F_OK), -1);
}

/* A worker forked by the killed process lives on: it must not keep the journal locked. */
static void test_an_orphan_does_not_hold_the_journal(void **state)
{
	int ready[2], release[2];
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(release), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (settings_set(knob, "-1"))
			_exit(1);
		if (!fork()) { /* holds what it inherited until the test is over */
			close(release[1]);
			_exit(read(release[0], &byte, 1) < 0);
		}
		if (write(ready[1], "y", 1) != 1)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(WIFSIGNALED(wait_for(child)));
	assert_int_equal(settings_restore_abandoned(false, NULL, NULL), 1);
	check_content(knob, "950000\n");
	close(release[0]);
	close(release[1]);
	close(ready[0]);
	close(ready[1]);
}

static void test_the_next_run_puts_back_first(void **state)
{
	(void)state;
	assert_true(WIFSIGNALED(wait_for(start_changer(NULL))));
	assert_int_equal(settings_set(choice, "always"), 0);
	check_content(knob, "950000\n");
	check_content(choice, "always\n");
	assert_int_equal(settings_restore_all(), 0);
	/* What was read before the old journal was undone must not come back. */
	check_content(choice, "madvise\n");
}

static void test_a_torn_last_line_is_ignored(void **state)
{
	int fd;

	(void)state;
	assert_true(WIFSIGNALED(wait_for(start_changer(NULL))));
	fd = open(journal, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "{\"event\":\"set\",\"pa", 18), 18);
	close(fd);
	assert_int_equal(settings_restore_abandoned(false, NULL, NULL), 3);
	check_content(knob, "950000\n");
}

static void test_a_damaged_journal_is_refused_and_kept(void **state)
{
	char path[80];

	(void)state;
	snprintf(path, sizeof(path), "%s/run", folder);
	assert_int_equal(make_directories(path), 0);
	put(journal, "{\"event\":\"set\",\"path\":\"/x\"}\n");
	assert_int_equal(settings_restore_abandoned(false, NULL, NULL), -EBADMSG);
	put(journal, "rubbish\n");
	assert_int_equal(settings_restore_abandoned(false, NULL, NULL), -EBADMSG);
	assert_int_equal(settings_set(knob, "-1"), -EBADMSG);
	check_content(knob, "950000\n");
	check_content(journal, "rubbish\n");
}

static void test_a_journal_that_others_can_write_is_refused(void **state)
{
	(void)state;
	assert_true(WIFSIGNALED(wait_for(start_changer(NULL))));
	assert_int_equal(chmod(journal, 0666), 0);
	assert_int_equal(settings_restore_abandoned(false, NULL, NULL), -EPERM);
	check_content(knob, "500000\n");
	assert_int_equal(chmod(journal, 0600), 0);
}

static void test_what_is_gone_is_no_error(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_true(WIFSIGNALED(wait_for(start_changer(NULL))));
	unlink(choice);
	assert_int_equal(settings_restore_abandoned(false, see, &seen), 3);
	assert_int_equal(seen.failed, 0);
	check_content(knob, "950000\n");
}

/* A cgroup v2 folder where this user may make cgroups; NULL (and the test is skipped) elsewhere. */
static const char *cgroup_root(void)
{
	static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs status;

	for (size_t i = 0; i < 2; i++)
		if (!statfs(places[i], &status) && status.f_type == CGROUP2_SUPER_MAGIC &&
		    !access(places[i], W_OK))
			return places[i];
	return NULL;
}

static void put_into(const char *cgroup, pid_t pid)
{
	char path[160], text[16];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	snprintf(text, sizeof(text), "%d", pid);
	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) > 0);
	close(fd);
}

static void test_cgroups_are_killed_and_removed(void **state)
{
	const char *top = cgroup_root();
	char cgroup[96], inner[128];
	pid_t noter, sleeper;

	(void)state;
	if (!top) {
		print_message("skipped: no cgroup v2 folder that this user may write\n");
		skip();
	}
	snprintf(cgroup, sizeof(cgroup), "%s/proxeval-test-%d", top, getpid());
	snprintf(inner, sizeof(inner), "%s/inner", cgroup);
	noter = fork();
	assert_true(noter >= 0);
	if (!noter) {
		if (settings_note(SETTINGS_CGROUP, cgroup) || mkdir(cgroup, 0755) ||
		    mkdir(inner, 0755))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_true(WIFSIGNALED(wait_for(noter)));
	sleeper = fork();
	assert_true(sleeper >= 0);
	if (!sleeper)
		for (;;)
			pause();
	put_into(inner, sleeper);
	assert_int_equal(settings_restore_abandoned(false, NULL, NULL), 1);
	assert_int_equal(WTERMSIG(wait_for(sleeper)), SIGKILL);
	assert_int_equal(access(cgroup, F_OK), -1);
}

static void test_what_others_change_is_put_back(void **state)
{
	(void)state;
	assert_int_equal(settings_keep(choice), 0);
	check_content(choice, "always [madvise] never\n");
	put(choice, "[always] madvise never\n");
	assert_int_equal(settings_restore_all(), 0);
	check_content(choice, "madvise\n");
	assert_int_equal(settings_keep("/nonexistent/knob"), -ENOENT);
}

/* A directory is the kernel's to remove with what it has in it; here it has nothing. */
static void test_noted_directories_and_mounts_go_away(void **state)
{
	struct seen seen = {0};
	char made[80], never_mounted[80];
	pid_t noter = fork();

	(void)state;
	snprintf(made, sizeof(made), "%s/instance", folder);
	snprintf(never_mounted, sizeof(never_mounted), "%s/mount", folder);
	assert_true(noter >= 0);
	if (!noter) {
		if (mkdir(never_mounted, 0755) || settings_note(SETTINGS_MOUNT, never_mounted) ||
		    settings_note(SETTINGS_DIRECTORY, made) || mkdir(made, 0755))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_true(WIFSIGNALED(wait_for(noter)));
	assert_int_equal(settings_restore_abandoned(true, see, &seen), 2);
	assert_int_equal(access(made, F_OK), 0);
	assert_int_equal(settings_restore_abandoned(false, see, &seen), 2);
	assert_int_equal(seen.failed, 0);
	assert_int_equal(access(made, F_OK), -1);
	assert_int_equal(access(never_mounted, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_FOLDER(test_changes_are_put_back_in_reverse),
		WITH_FOLDER(test_what_is_so_already_is_not_journalled),
		WITH_FOLDER(test_the_journal_precedes_the_change),
		WITH_FOLDER(test_kill_minus_9_leaves_a_journal_that_restores),
		WITH_FOLDER(test_a_live_process_is_left_alone),
		WITH_FOLDER(test_an_orphan_does_not_hold_the_journal),
		WITH_FOLDER(test_the_next_run_puts_back_first),
		WITH_FOLDER(test_a_torn_last_line_is_ignored),
		WITH_FOLDER(test_a_damaged_journal_is_refused_and_kept),
		WITH_FOLDER(test_a_journal_that_others_can_write_is_refused),
		WITH_FOLDER(test_what_is_gone_is_no_error),
		WITH_FOLDER(test_cgroups_are_killed_and_removed),
		WITH_FOLDER(test_what_others_change_is_put_back),
		WITH_FOLDER(test_noted_directories_and_mounts_go_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
