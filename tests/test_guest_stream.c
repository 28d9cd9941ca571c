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
#include <cmocka.h>

#include "bench/guest_stream.h"

/* What the sending half writes, so that both halves are held to each other. */
static size_t record(char *out, size_t size, const char *document)
{
	int fds[2];
	ssize_t got;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(guest_stream_send_progress(fds[1], 3, 20, "mutex-inversion same-cpu"), 0);
	if (document)
		assert_int_equal(guest_stream_send_document(fds[1], document, strlen(document)), 0);
	assert_int_equal(guest_stream_send_end(fds[1]), 0);
	close(fds[1]);
	got = read(fds[0], out, size);
	close(fds[0]);
	assert_true(got > 0);
	return (size_t)got;
}

static void feed_text(struct guest_stream *stream, const char *text, int expected)
{
	guest_stream_init(stream);
	assert_int_equal(guest_stream_feed(stream, text, strlen(text)), expected);
}

static void test_a_whole_stream_in_pieces_of_every_size(void **state)
{
	static const char document[] = "{\"format\":\"x\",\n\"@end\":1}";
	char bytes[1024];
	size_t length = record(bytes, sizeof(bytes), document);

	(void)state;
	for (size_t piece = 1; piece <= length; piece++) {
		struct guest_stream stream;

		guest_stream_init(&stream);
		for (size_t at = 0; at < length; at += piece)
			assert_int_equal(
				guest_stream_feed(&stream, bytes + at,
						  length - at < piece ? length - at : piece),
				0);
		assert_int_equal(stream.state, GUEST_STREAM_ENDED);
		assert_null(guest_stream_complaint(&stream));
		assert_string_equal(stream.document, document);
		assert_int_equal(stream.done, 3);
		assert_int_equal(stream.total, 20);
		assert_string_equal(stream.what, "mutex-inversion same-cpu");
		guest_stream_release(&stream);
	}
}

static void test_a_stream_cut_anywhere_is_no_result(void **state)
{
	char bytes[1024];
	size_t length = record(bytes, sizeof(bytes), "{\"format\":\"x\"}");

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		struct guest_stream stream;

		guest_stream_init(&stream);
		assert_int_equal(guest_stream_feed(&stream, bytes, cut), 0);
		assert_non_null(guest_stream_complaint(&stream));
		guest_stream_release(&stream);
	}
}

static void test_a_wrong_hash_is_told(void **state)
{
	struct guest_stream stream;
	char bytes[1024];
	size_t length = record(bytes, sizeof(bytes), "{\"format\":\"x\"}");
	char *at;

	(void)state;
	bytes[length] = '\0';
	at = strstr(bytes, "format");
	assert_non_null(at);
	*at = 'F';
	guest_stream_init(&stream);
	assert_int_equal(guest_stream_feed(&stream, bytes, length), -EBADMSG);
	assert_string_equal(guest_stream_complaint(&stream),
			    "a result whose SHA-256 does not match");
	/* It stays invalid, whatever comes. */
	assert_int_equal(guest_stream_feed(&stream, "@end\n", 5), -EBADMSG);
	guest_stream_release(&stream);
}

#define HASH "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static void test_a_result_of_no_sane_size_is_refused(void **state)
{
	static const char *const wrong[] = {
		"@result 67108865 " HASH "\n",
		"@result 0 " HASH "\n",
		"@result -4 " HASH "\n",
		"@result 18446744073709551616 " HASH "\n",
		"@result " HASH "\n",
		"@result 4\n",
		"@result 4 abc\n",
		"@progress 1\n",
		"@progress x 2 y\n",
		"@progress 4294967296 1 y\n",
	};
	struct guest_stream stream;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		feed_text(&stream, wrong[i], -EBADMSG);
		assert_int_equal(stream.state, GUEST_STREAM_INVALID);
		assert_true(*stream.error);
		guest_stream_release(&stream);
	}
	/* "test" has that hash; a second result is one too many. */
	feed_text(&stream, "@result 4 " HASH "\ntest\n@result 4 " HASH "\n", -EBADMSG);
	assert_string_equal(stream.error, "a second result");
	guest_stream_release(&stream);
}

static void test_garbage_before_and_between_is_passed_over(void **state)
{
	struct guest_stream stream;
	char *flood = malloc(100000);

	(void)state;
	guest_stream_init(&stream);
	memset(flood, 0xa5, 100000);
	assert_int_equal(guest_stream_feed(&stream, flood, 100000), 0);
	assert_false(stream.started);
	assert_int_equal(guest_stream_feed(&stream, "\n@hello\r\n@\nSeaBIOS\n", 19), 0);
	assert_false(stream.started);
	assert_string_equal(guest_stream_complaint(&stream), "it never reached the runner");
	assert_int_equal(guest_stream_feed(&stream, "@progress 1 2 a\033[2Jb\r\n", 22), 0);
	assert_true(stream.started);
	/* Nothing from a guest may steer the terminal. */
	assert_string_equal(stream.what, "a?[2Jb");
	assert_int_equal(guest_stream_feed(&stream, "@end\n", 5), 0);
	assert_string_equal(guest_stream_complaint(&stream), "it ended without a result");
	guest_stream_release(&stream);
	free(flood);
}

static void test_a_death_carries_its_reason(void **state)
{
	struct guest_stream stream;

	(void)state;
	feed_text(&stream, "@progress 0 4 x\n@died out of memory\n@result 4 " HASH "\n", 0);
	assert_true(stream.died);
	assert_int_equal(stream.state, GUEST_STREAM_ENDED);
	assert_string_equal(guest_stream_complaint(&stream), "out of memory");
	guest_stream_release(&stream);
}

static void test_long_text_is_cut_to_one_line(void **state)
{
	struct guest_stream stream;
	char what[2000], bytes[2048];
	int fds[2];
	ssize_t got;

	(void)state;
	memset(what, 'w', sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	what[5] = '\n';
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(guest_stream_send_died(fds[1], what + 6), 0);
	got = read(fds[0], bytes, sizeof(bytes));
	assert_int_equal(got, GUEST_LINE_SIZE - 1);
	assert_int_equal(bytes[got - 1], '\n');
	assert_int_equal(guest_stream_send_progress(fds[1], 1, 2, what), 0);
	got = read(fds[0], bytes, sizeof(bytes) - 1);
	bytes[got] = '\0';
	assert_string_equal(bytes, "@progress 1 2 wwwww\n");
	guest_stream_init(&stream);
	guest_stream_release(&stream);
	close(fds[0]);
	close(fds[1]);
}

static void test_panics_are_found_on_a_console(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"[    1.2] hello\n[    3.5] Kernel panic - not syncing: VFS: Unable to mount root\r\n",
		 "Kernel panic - not syncing: VFS: Unable to mount root"},
		{"[    2.0] BUG: kernel NULL pointer dereference, address: 0000000000000008\n"
		 "[    2.1] Kernel panic - not syncing: Fatal exception\n",
		 "BUG: kernel NULL pointer dereference, address: 0000000000000008; "
		 "Kernel panic - not syncing: Fatal exception"},
		{"[    2.0] Oops: general protection fault, probably for non-canonical\n",
		 "Oops: general protection fault, probably for non-canonical"},
		{"Kernel panic - not syncing: no stamp", "Kernel panic - not syncing: no stamp"},
	};
	char reason[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(console_find_panic(cases[i].text, reason, sizeof(reason)));
		assert_string_equal(reason, cases[i].reason);
	}
	assert_false(console_find_panic("[ 1.0] panic=-1 on the command line\n", reason,
					sizeof(reason)));
	assert_false(console_find_panic("", reason, sizeof(reason)));
	assert_true(console_find_out_of_memory(
		"x\n[   1.0] Out of memory: Killed process 12 (proxeval)\n", reason,
		sizeof(reason)));
	assert_string_equal(reason, "Out of memory: Killed process 12 (proxeval)");
	assert_false(console_find_out_of_memory("all is well\n", reason, sizeof(reason)));
}

/* ---- how long a guest is waited for ---- */

#define S UINT64_C(1000000000)

static void test_the_console_is_life_until_the_runner_speaks(void **state)
{
	struct guest_life life;

	(void)state;
	guest_life_begin(&life, 100 * S, 10);
	assert_false(guest_life_is_over(&life, 110 * S - 1));
	assert_true(guest_life_is_over(&life, 110 * S));
	guest_life_look(&life, 109 * S, false, true, false);
	assert_false(guest_life_is_over(&life, 119 * S - 1));
	assert_true(guest_life_is_over(&life, 119 * S));
	/* The runner's first line; then the console may say what it likes. */
	guest_life_look(&life, 115 * S, true, true, true);
	guest_life_look(&life, 124 * S, false, true, true);
	assert_false(guest_life_is_over(&life, 125 * S - 1));
	assert_true(guest_life_is_over(&life, 125 * S));
	guest_life_look(&life, 124 * S, true, false, true);
	assert_false(guest_life_is_over(&life, 134 * S - 1));
}

static void test_a_guest_that_only_talks_is_given_up(void **state)
{
	struct guest_life life;

	(void)state;
	guest_life_begin(&life, 0, 10);
	for (uint64_t now_ns = 0; now_ns < 40 * S; now_ns += S) {
		guest_life_look(&life, now_ns, false, true, false);
		assert_false(guest_life_is_over(&life, now_ns));
	}
	guest_life_look(&life, 40 * S, false, true, false);
	assert_true(guest_life_is_over(&life, 40 * S));
	/* One that works may take as long as it needs. */
	guest_life_look(&life, 40 * S, true, false, true);
	guest_life_look(&life, 400 * S, true, false, true);
	assert_false(guest_life_is_over(&life, 401 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_stream_in_pieces_of_every_size),
		cmocka_unit_test(test_a_stream_cut_anywhere_is_no_result),
		cmocka_unit_test(test_a_wrong_hash_is_told),
		cmocka_unit_test(test_a_result_of_no_sane_size_is_refused),
		cmocka_unit_test(test_garbage_before_and_between_is_passed_over),
		cmocka_unit_test(test_a_death_carries_its_reason),
		cmocka_unit_test(test_long_text_is_cut_to_one_line),
		cmocka_unit_test(test_panics_are_found_on_a_console),
		cmocka_unit_test(test_the_console_is_life_until_the_runner_speaks),
		cmocka_unit_test(test_a_guest_that_only_talks_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
