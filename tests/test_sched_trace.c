// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of scheduler traces, on the files of an instance of tracefs as a kernel 7.2.13 had
 * them after three bytes went through a pipe between two processes, one on CPU 0 and one that moves
 * from CPU 1 to CPU 0 (tests/fixtures/trace/pipe), and of one whose buffer was too small
 * (…/overflow).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/files.h"
#include "measure/sched_trace.h"

#define FIXTURES TEST_SOURCE_DIR "/tests/fixtures/trace"

static const char *const recorded[] = {
	"events/header_page",
	"events/sched/sched_switch/format",
	"events/sched/sched_waking/format",
	"events/sched/sched_wakeup/format",
	"events/sched/sched_wakeup_new/format",
	"events/sched/sched_migrate_task/format",
	"per_cpu/cpu0/trace_pipe_raw",
	"per_cpu/cpu0/stats",
	"per_cpu/cpu1/trace_pipe_raw",
	"per_cpu/cpu1/stats",
};
/* What is only written: in tracefs they are there. */
static const char *const controls[] = {
	"tracing_on",
	"trace",
	"trace_clock",
	"buffer_size_kb",
	"events/sched/sched_switch/enable",
	"events/sched/sched_waking/enable",
	"events/sched/sched_wakeup/enable",
	"events/sched/sched_wakeup_new/enable",
	"events/sched/sched_migrate_task/enable",
};
static const char *const all_events[] = {"sched_switch",
					 "sched_waking",
					 "sched_wakeup",
					 "sched_wakeup_new",
					 "sched:sched_migrate_task",
					 NULL};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[64];

static char *path_of(const char *name)
{
	return format_string("%s/%s", folder, name);
}

static void put(const char *name, const char *bytes, size_t size_bytes)
{
	char *path = path_of(name), *end = strrchr(path, '/');

	*end = '\0';
	assert_int_equal(make_directories(path), 0);
	*end = '/';
	assert_int_equal(write_file_atomically(path, bytes, size_bytes), 0);
	free(path);
}

static void copy(const char *from, const char *name)
{
	char *path = format_string(FIXTURES "/%s/%s", from, name), *bytes;
	size_t size_bytes;

	assert_int_equal(read_file(path, 1 << 20, &bytes, &size_bytes), 0);
	put(name, bytes, size_bytes);
	free(bytes);
	free(path);
}

static void check_content(const char *name, const char *expected)
{
	char *path = path_of(name), *text;

	assert_int_equal(read_file(path, 4096, &text, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
	free(path);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/proxeval-test-trace-XXXXXX");
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < COUNT(recorded); i++)
		copy("pipe", recorded[i]);
	for (size_t i = 0; i < COUNT(controls); i++)
		put(controls[i], "", 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_tree(folder);
}

struct seen {
	struct sched_trace_record records[64];
	char names[64][32];
	int64_t next_pids[64]; /* by name; of others than a switch -1 */
	size_t count, stop_after;
};

static int see(void *context, const struct sched_trace_record *record)
{
	struct seen *seen = context;
	int64_t *next_pid = &seen->next_pids[seen->count];

	assert_true(seen->count < COUNT(seen->records));
	snprintf(seen->names[seen->count], sizeof(seen->names[0]), "%s", record->name);
	if (sched_trace_field(record, "next_pid", next_pid))
		*next_pid = -1;
	seen->records[seen->count++] = *record;
	return seen->stop_after && seen->count == seen->stop_after ? -ECANCELED : 0;
}

static int ignore(void *context, const struct sched_trace_record *record)
{
	(void)record;
	++*(unsigned int *)context;
	return 0;
}

static struct sched_trace *open_all(void)
{
	struct sched_trace *trace;
	const char *reason;

	assert_int_equal(sched_trace_open(&trace, folder, all_events, 64, &reason), 0);
	return trace;
}

static void test_opening_sets_clock_size_and_events(void **state)
{
	struct sched_trace *trace = open_all();

	(void)state;
	check_content("tracing_on", "0");
	check_content("trace_clock", "mono");
	check_content("buffer_size_kb", "64");
	check_content("events/sched/sched_switch/enable", "1");
	check_content("events/sched/sched_migrate_task/enable", "1");
	put("trace", "old", 3);
	assert_int_equal(sched_trace_start(trace), 0);
	check_content("trace", "");
	check_content("tracing_on", "1");
	assert_int_equal(sched_trace_stop(trace), 0);
	check_content("tracing_on", "0");
	assert_int_equal(sched_trace_start(trace), 0);
	sched_trace_close(trace);
	check_content("tracing_on", "0");
}

/*
 * Process 39 reads the pipe, process 1 writes it; 17 and 20 are the kernel's migration threads, and
 * 14 is a worker of its.
 */
static void test_a_recording_is_read_in_order(void **state)
{
	struct sched_trace *trace = open_all();
	const struct sched_trace_record *r;
	struct seen seen = {.count = 0};
	uint64_t lost = 99;

	(void)state;
	assert_int_equal(sched_trace_read(trace, see, &seen, &lost), 0);
	assert_int_equal(lost, 0);
	assert_int_equal(seen.count, 43);
	for (size_t i = 1; i < seen.count; i++)
		assert_true(seen.records[i].at_ns > seen.records[i - 1].at_ns);
	/* Born on CPU 0, it runs, wants to CPU 1, and the migration thread comes before it. */
	r = &seen.records[0];
	assert_string_equal(seen.names[0], "sched_wakeup_new");
	assert_int_equal(r->kind, SCHED_TRACE_WAKEUP);
	assert_int_equal(r->at_ns, 694515703);
	assert_int_equal(r->cpu, 0);
	assert_int_equal(r->current_pid, 1);
	assert_int_equal(r->pid, 39);
	assert_int_equal(r->prio, 120);
	assert_int_equal(r->to_cpu, 0);
	assert_int_equal(r->from_cpu, -1);
	r = &seen.records[4];
	assert_int_equal(r->kind, SCHED_TRACE_SWITCH);
	assert_int_equal(r->prev_pid, 39);
	assert_int_equal(r->prev_prio, 120);
	assert_int_equal(r->prev_state, 'R');
	assert_true(r->is_preempted);
	assert_int_equal(r->next_pid, 17);
	assert_int_equal(r->next_prio, 0);
	assert_int_equal(seen.next_pids[4], 17);
	r = &seen.records[5];
	assert_int_equal(r->kind, SCHED_TRACE_MIGRATE);
	assert_int_equal(r->pid, 39);
	assert_int_equal(r->from_cpu, 0);
	assert_int_equal(r->to_cpu, 1);
	assert_int_equal(seen.next_pids[5], -1);
	/* There it runs at once, by the other CPU's buffer. */
	r = &seen.records[7];
	assert_int_equal(r->at_ns, 694684709);
	assert_int_equal(r->cpu, 1);
	assert_int_equal(r->next_pid, 39);
	r = &seen.records[8];
	assert_int_equal(r->prev_state, 'S');
	assert_false(r->is_preempted);
	assert_int_equal(seen.records[9].kind, SCHED_TRACE_WAKING);
	assert_int_equal(seen.records[26].prev_state, 'I');
	assert_int_equal(seen.records[42].prev_state, 'Z');
	sched_trace_close(trace);
}

static void test_only_what_was_asked_for_is_seen(void **state)
{
	static const char *const switches[] = {"sched_switch", NULL};
	struct seen seen = {.count = 0};
	struct sched_trace *trace;
	const char *reason;
	uint64_t lost;

	(void)state;
	assert_int_equal(sched_trace_open(&trace, folder, switches, 64, &reason), 0);
	check_content("events/sched/sched_waking/enable", "");
	assert_int_equal(sched_trace_read(trace, see, &seen, &lost), 0);
	assert_int_equal(seen.count, 20);
	for (size_t i = 0; i < seen.count; i++)
		assert_int_equal(seen.records[i].kind, SCHED_TRACE_SWITCH);
	sched_trace_close(trace);
}

static void test_a_visitor_ends_the_reading(void **state)
{
	struct seen seen = {.stop_after = 3};
	struct sched_trace *trace = open_all();
	uint64_t lost;

	(void)state;
	assert_int_equal(sched_trace_read(trace, see, &seen, &lost), -ECANCELED);
	assert_int_equal(seen.count, 3);
	sched_trace_close(trace);
}

/* The kernel wrote over 1,560 events, and the page that is left first says that some are missing.
 */
static void test_lost_events_are_counted(void **state)
{
	static const char overrun[] =
		"entries: 0\noverrun: 1\ncommit overrun: 20\ndropped events: 300\n";
	struct sched_trace *trace;
	unsigned int count = 0;
	uint64_t lost;

	(void)state;
	copy("overflow", "per_cpu/cpu0/stats");
	trace = open_all();
	assert_int_equal(sched_trace_read(trace, ignore, &count, &lost), 0);
	assert_int_equal(lost, 1560);
	sched_trace_close(trace);

	copy("pipe", "per_cpu/cpu0/stats");
	copy("overflow", "per_cpu/cpu0/trace_pipe_raw");
	trace = open_all();
	assert_int_equal(sched_trace_read(trace, ignore, &count, &lost), 0);
	assert_int_equal(lost, 1560);
	sched_trace_close(trace);

	copy("pipe", "per_cpu/cpu0/trace_pipe_raw");
	put("per_cpu/cpu1/stats", overrun, strlen(overrun));
	trace = open_all();
	assert_int_equal(sched_trace_read(trace, ignore, &count, &lost), 0);
	assert_int_equal(lost, 321);
	sched_trace_close(trace);
}

static void test_what_cannot_be_read_is_an_error(void **state)
{
	struct sched_trace *trace;
	unsigned int count = 0;
	uint64_t lost;

	(void)state;
	put("per_cpu/cpu1/trace_pipe_raw", "half a page", 11);
	trace = open_all();
	assert_int_equal(sched_trace_read(trace, ignore, &count, &lost), -EPROTO);
	sched_trace_close(trace);
	copy("pipe", "per_cpu/cpu1/trace_pipe_raw");
	put("per_cpu/cpu1/stats", "entries: 0\n", 11);
	trace = open_all();
	assert_int_equal(sched_trace_read(trace, ignore, &count, &lost), -EPROTO);
	sched_trace_close(trace);
}

static void expect_refusal(const char *directory, const char *event, int err, const char *part)
{
	const char *const events[] = {event, NULL};
	struct sched_trace *trace;
	const char *reason;

	assert_int_equal(sched_trace_open(&trace, directory, events, 64, &reason), err);
	if (!strstr(reason, part))
		fail_msg("'%s' does not say '%s'", reason, part);
	sched_trace_close(trace);
}

static void test_what_a_kernel_lacks_is_named(void **state)
{
	static const char renamed[] = "name: sched_switch\nID: 5\nformat:\n"
				      "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
				      "\tfield:pid_t from;\toffset:8;\tsize:4;\tsigned:1;\n\n"
				      "print fmt: \"%d\", REC->from\n";

	(void)state;
	expect_refusal(NULL, "sched_switch", -EOPNOTSUPP, "there is no tracefs");
	expect_refusal(folder, "sched_teleport", -EOPNOTSUPP,
		       "the tracepoint sched:sched_teleport");
	expect_refusal(folder, "magic:wand", -EOPNOTSUPP, "the tracepoint magic:wand");
	put("events/sched/sched_switch/format", renamed, sizeof(renamed) - 1);
	expect_refusal(folder, "sched_switch", -EOPNOTSUPP, "the tracepoint sched:sched_switch");
	expect_refusal("/nonexistent", "sched_switch", -ENOENT, "cannot record in /nonexistent");
}

static void test_states_have_their_letters(void **state)
{
	bool is_preempted = true;

	(void)state;
	assert_int_equal(sched_trace_state(0, &is_preempted), 'R');
	assert_false(is_preempted);
	assert_int_equal(sched_trace_state(0x100, &is_preempted), 'R');
	assert_true(is_preempted);
	assert_int_equal(sched_trace_state(0x1, NULL), 'S');
	assert_int_equal(sched_trace_state(0x2, NULL), 'D');
	assert_int_equal(sched_trace_state(0x10, NULL), 'X');
	assert_int_equal(sched_trace_state(0x20, NULL), 'Z');
	assert_int_equal(sched_trace_state(0x80, NULL), 'I');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_FOLDER(test_opening_sets_clock_size_and_events),
		WITH_FOLDER(test_a_recording_is_read_in_order),
		WITH_FOLDER(test_only_what_was_asked_for_is_seen),
		WITH_FOLDER(test_a_visitor_ends_the_reading),
		WITH_FOLDER(test_lost_events_are_counted),
		WITH_FOLDER(test_what_cannot_be_read_is_an_error),
		WITH_FOLDER(test_what_a_kernel_lacks_is_named),
		WITH_FOLDER(test_states_have_their_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
