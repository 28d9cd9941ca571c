// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/mail.h"

static void assert_tag(const char *subject, bool is_reply, unsigned int major, unsigned int minor,
		       unsigned int number, unsigned int total, const char *title)
{
	struct mail_tag tag = mail_tag_of(subject);

	assert_true(tag.is_patch);
	assert_int_equal(tag.is_reply, is_reply);
	assert_int_equal(tag.major, major);
	assert_int_equal(tag.minor, minor);
	assert_int_equal(tag.number, number);
	assert_int_equal(tag.total, total);
	assert_string_equal(tag.subject, title);
}

static void test_subjects(void **state)
{
	(void)state;
	assert_tag("[PATCH v30 3/7] sched: Do it", false, 30, 0, 3, 7, "sched: Do it");
	assert_tag("[RFC PATCH 10/12] x", false, 1, 0, 10, 12, "x");
	assert_tag("[RESEND][PATCH v2 0/4] cover", false, 2, 0, 0, 4, "cover");
	assert_tag("[PATCH-tip v30.1 2/7] fix", false, 30, 1, 2, 7, "fix");
	assert_tag("[PATCH] alone", false, 1, 0, 0, 0, "alone");
	assert_tag("Re: AW: [PATCH v3 1/2] x", true, 3, 0, 1, 2, "x");
	assert_tag("[patch 01/36] old style", false, 1, 0, 1, 36, "old style");
	assert_false(mail_tag_of("[tip: sched/core] sched: x").is_patch);
	assert_false(mail_tag_of("a question about 3/7").is_patch);
	assert_tag("fw:FWD: re:Re: sv: [PATCH 2/2] x", true, 1, 0, 2, 2, "x");
	/* Nonsense in the brackets is not a number. */
	assert_int_equal(mail_tag_of("[PATCH 8/7] x").total, 0);
	assert_int_equal(mail_tag_of("[PATCH 1/0] x").total, 0);
	assert_string_equal(mail_tag_of("[PATCH 1/2 x").subject, "[PATCH 1/2 x");
}

static void assert_split(const char *text, long count, size_t second)
{
	size_t *starts = NULL;

	assert_int_equal(mail_split(text, &starts), count);
	assert_int_equal(starts[count], strlen(text));
	if (count > 1)
		assert_int_equal(starts[1], second);
	free(starts);
}

#define FROM_LINE "From a@b Wed Jul  1 12:00:00 2026\n"
#define HEADERS	  "From: A\nSubject: s\nDate: today\n"

static void test_where_mails_begin(void **state)
{
	(void)state;
	assert_split("", 0, 0);
	assert_split("just a text\n", 0, 0);
	assert_split(FROM_LINE HEADERS "\nbody\n\n" FROM_LINE HEADERS "\n", 2,
		     strlen(FROM_LINE HEADERS "\nbody\n\n"));
	/* In a body: no time of day; not after a blank line. */
	assert_split(FROM_LINE HEADERS "\nbody\n\nFrom now on\n", 1, 0);
	assert_split(FROM_LINE HEADERS "\nbody\n" FROM_LINE, 1, 0);
	assert_split(HEADERS "\nbody\n\n" HEADERS "\n", 2, strlen(HEADERS "\nbody\n\n"));
	/* The author in a patch's text is no mail. */
	assert_split(HEADERS "\nFrom: Other <o@x>\n\nbody\n", 1, 0);
	assert_split(HEADERS "\nFrom: Other <o@x>\nSubject: other\n\nbody\n", 1, 0);
	assert_split("* one\n@ 2026 A\n\nx\n^ permalink raw reply\n* two\n@ 2026 B\n", 2,
		     strlen("* one\n@ 2026 A\n\nx\n^ permalink raw reply\n"));
	assert_split(HEADERS "\n* a list\n* of things\n", 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_where_mails_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
