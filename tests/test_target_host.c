// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host target starts its own program as "… exec --plan FILE --output FILE
 * --progress-fd FD": here that is this test, which then plays a runner and does what
 * the plan's "play" says.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <json-c/json.h>
#include <cmocka.h>

#include "bench/campaign.h"
#include "bench/files.h"
#include "bench/settings.h"
#include "bench/target.h"

/* ---- the runner's part ---- */

static volatile sig_atomic_t stopped;

static void on_term(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* Changes a setting and tells the pid, so that the test can look at both. */
static int change_setting(struct json_object *plan)
{
	return settings_set(json_object_get_string(json_object_object_get(plan, "knob")), "2");
}

static int wait_for_ever(void)
{
	sigset_t all;

	sigemptyset(&all);
	while (!stopped)
		sigsuspend(&all);
	return 0;
}

static int play(const char *what, struct json_object *plan, const char *output, int progress_fd)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL); /* only wait_for_ever lets it in */
	signal(SIGTERM, strcmp(what, "deaf") ? on_term : SIG_IGN);
	dprintf(progress_fd, "@progress 1 4 mutex-inversion same-cpu\n");
	if (!strcmp(what, "fail"))
		return 6;
	if (change_setting(plan))
		return 7;
	if (!strcmp(what, "crash"))
		return raise(SIGKILL);
	if (!strcmp(what, "hang")) {
		dprintf(progress_fd, "@progress 2 4 settings changed\n");
		wait_for_ever();
		return settings_restore_all() ? 7 : 6;
	}
	if (!strcmp(what, "silent"))
		return settings_restore_all() ? 7 : 0; /* well, but no result */
	if (!strcmp(what, "rubbish") && write_file_atomically(output, "[1", 2))
		return 7;
	if (!strcmp(what, "well") && write_file_atomically(output, "{\"format\":\"x\"}", 14))
		return 7;
	return settings_restore_all() ? 7 : 0;
}

static int run_as_runner(char **argv)
{
	char *text;
	struct json_object *plan;
	int code;

	if (strcmp(argv[2], "--plan") != 0 || strcmp(argv[4], "--output") != 0 ||
	    strcmp(argv[6], "--progress-fd") != 0 || read_file(argv[3], 65536, &text, NULL))
		return 9;
	plan = json_tokener_parse(text);
	free(text);
	puts("the runner's own words");
	fflush(stdout);
	code = play(json_object_get_string(json_object_object_get(plan, "play")), plan, argv[5],
		    atoi(argv[7]));
	json_object_put(plan);
	return code;
}

/* ---- the driver's part ---- */

static char folder[] = "/tmp/proxeval-test-host-XXXXXX";
static char knob[64], journal[64], log_path[64];
static struct campaign campaign;

struct progress {
	unsigned long done, total;
	char what[64];
};

static void take_progress(void *context, unsigned long done, unsigned long total, const char *what)
{
	struct progress *progress = context;

	progress->done = done;
	progress->total = total;
	snprintf(progress->what, sizeof(progress->what), "%s", what);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(knob, sizeof(knob), "%s/knob", folder);
	snprintf(journal, sizeof(journal), "%s/settings.jsonl", folder);
	snprintf(log_path, sizeof(log_path), "%s/boot.log", folder);
	setenv("PROXEVAL_SETTINGS", journal, 1);
	assert_int_equal(write_file_atomically(knob, "1\n", 2), 0);
	campaign = (struct campaign){.directory = folder, .time = TIME_REAL};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_tree(folder);
}

/* What start() is lent for the call only is gone after it: a target must not keep it. */
static void *start(const char *what, unsigned int watchdog_s, struct progress *progress)
{
	struct variant *variant = calloc(1, sizeof(*variant));
	struct boot_request *request = calloc(1, sizeof(*request));
	void *handle = NULL;

	*variant = (struct variant){.label = "host", .arguments = ""};
	*request = (struct boot_request){.variant = variant,
					 .plan = json_object_new_object(),
					 .log_path = strdup(log_path),
					 .watchdog_s = watchdog_s,
					 .on_progress = take_progress,
					 .context = progress};
	json_object_object_add(request->plan, "play", json_object_new_string(what));
	json_object_object_add(request->plan, "knob", json_object_new_string(knob));
	assert_int_equal(target_host.start(&campaign, request, &handle), 0);
	json_object_put(request->plan);
	free((char *)request->log_path);
	memset(request, 0x5a, sizeof(*request));
	free(request);
	free(variant);
	return handle;
}

static void check_file(const char *path, const char *expected)
{
	char *text;

	assert_int_equal(read_file(path, 65536, &text, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
}

/* Settings are back, and nothing lies about but the log. */
static void check_traces(void)
{
	char *path;

	check_file(knob, "1\n");
	check_file(log_path, "the runner's own words\n");
	assert_int_equal(access(journal, F_OK), -1);
	path = format_string("%s.plan", log_path);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	path = format_string("%s.result", log_path);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void run_to_end(const char *what, unsigned int watchdog_s, struct boot_answer *answer,
		       struct progress *progress)
{
	void *handle = start(what, watchdog_s, progress);

	while (target_host.poll(handle, 100, answer) == -EAGAIN)
		;
	check_traces();
}

static void test_a_run_that_ends_well(void **state)
{
	struct boot_answer answer;
	struct progress progress = {0};

	(void)state;
	run_to_end("well", 0, &answer, &progress);
	assert_int_equal(answer.outcome, BOOT_OK);
	assert_true(answer.reached_runner);
	assert_string_equal(json_object_get_string(json_object_object_get(answer.result, "format")),
			    "x");
	assert_int_equal(progress.done, 1);
	assert_int_equal(progress.total, 4);
	assert_string_equal(progress.what, "mutex-inversion same-cpu");
	json_object_put(answer.result);
}

static void check_failure(const char *what, const char *reason)
{
	struct boot_answer answer;
	struct progress progress = {0};

	run_to_end(what, 0, &answer, &progress);
	assert_int_equal(answer.outcome, BOOT_DIED);
	assert_null(answer.result);
	if (!strstr(answer.reason, reason))
		fail_msg("'%s' does not say '%s'", answer.reason, reason);
}

static void test_runs_that_end_badly(void **state)
{
	(void)state;
	check_failure("fail", "the runner exited with 6; its words are in /tmp/");
	unlink(log_path);
	check_failure("silent", "the runner left no result: No such file");
	unlink(log_path);
	check_failure("rubbish", "the runner left a result that is none: it is cut short");
	unlink(log_path);
	check_failure("crash", "the runner was killed by signal");
}

static void test_a_run_without_progress_is_ended(void **state)
{
	struct boot_answer answer;
	struct progress progress = {0};

	(void)state;
	run_to_end("hang", 1, &answer, &progress);
	assert_int_equal(answer.outcome, BOOT_NO_PROGRESS);
	assert_string_equal(answer.reason, "the runner made no progress for 1 s");
	assert_string_equal(progress.what, "settings changed");
	assert_true(answer.wall_s >= 1);
}

static void test_a_stopped_run_leaves_nothing(void **state)
{
	struct boot_answer answer;
	struct progress progress = {0};
	void *handle = start("hang", 0, &progress);

	(void)state;
	while (progress.done < 2)
		assert_int_equal(target_host.poll(handle, 100, &answer), -EAGAIN);
	check_file(knob, "2\n");
	target_host.stop(handle);
	check_traces();
}

static void test_the_probe_names_what_is_in_the_way(void **state)
{
	char reason[256] = "";
	struct progress progress = {0};
	struct boot_answer answer;
	void *handle;

	(void)state;
	assert_int_equal(target_host.probe(&campaign, reason, sizeof(reason)), 0);
	assert_int_equal(target_host.parallel_boots(&campaign), 1);
	campaign.time = TIME_VIRTUAL;
	assert_int_equal(target_host.probe(&campaign, reason, sizeof(reason)), -EOPNOTSUPP);
	assert_non_null(strstr(reason, "--target vm"));
	campaign.time = TIME_REAL;
	handle = start("hang", 0, &progress);
	while (progress.done < 2)
		assert_int_equal(target_host.poll(handle, 100, &answer), -EAGAIN);
	assert_int_equal(target_host.probe(&campaign, reason, sizeof(reason)), -EBUSY);
	assert_non_null(strstr(reason, "another run (process "));
	target_host.stop(handle);
}

static void test_an_image_cannot_be_booted_here(void **state)
{
	struct variant variant = {.label = "x", .arguments = "", .image_path = "/boot/bzImage"};
	struct boot_request request = {.variant = &variant, .plan = NULL, .log_path = log_path};
	void *handle;

	(void)state;
	assert_int_equal(target_host.start(&campaign, &request, &handle), -EINVAL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_FOLDER(test_a_run_that_ends_well),
		WITH_FOLDER(test_runs_that_end_badly),
		WITH_FOLDER(test_a_run_without_progress_is_ended),
		WITH_FOLDER(test_a_stopped_run_leaves_nothing),
		WITH_FOLDER(test_the_probe_names_what_is_in_the_way),
		WITH_FOLDER(test_an_image_cannot_be_booted_here),
	};

	if (argc == 8 && !strcmp(argv[1], "exec"))
		return run_as_runner(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
