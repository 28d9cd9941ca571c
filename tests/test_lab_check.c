// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "workloads/kmod/lab_check.h"
#include "workloads/lab.h"

#define N(operations) (sizeof(operations) / sizeof(*(operations)))
#define CHECK(...)                                                       \
	({                                                               \
		const struct lab_operation operations[] = {__VA_ARGS__}; \
		lab_check(operations, N(operations));                    \
	})

static void test_the_interface_has_no_holes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct lab_operation), 16);
	assert_int_equal(sizeof(struct lab_result), 40);
	assert_int_equal(sizeof(struct lab_program), 32);
	assert_int_equal(sizeof(struct lab_info), 32);
}

static void test_what_makes_sense_may_run(void **state)
{
	(void)state;
	assert_int_equal(CHECK({LAB_LOCK, 3, 0}, {LAB_UNLOCK, 3, 0}), 0);
	/* Rising numbers, let go in any order, and taken again. */
	assert_int_equal(CHECK({LAB_LOCK, 3, 0}, {LAB_LOCK_KILLABLE, 4, 0}, {LAB_UNLOCK, 3, 0},
			       {LAB_TRYLOCK, 255, 0}, {LAB_UNLOCK, 4, 0}, {LAB_UNLOCK, 255, 0},
			       {LAB_LOCK_INTERRUPTIBLE, 0, 5}, {LAB_UNLOCK, 0, 0}),
			 0);
	assert_int_equal(CHECK({LAB_LOCK, 1, 0}, {LAB_WW_BEGIN, 0, 0}, {LAB_WW_LOCK, 9, 0},
			       {LAB_WW_LOCK_INTERRUPTIBLE, 2, 0}, {LAB_COMPUTE, 0, 1000},
			       {LAB_WW_UNLOCK, 9, 0}, {LAB_WW_UNLOCK, 2, 0}, {LAB_WW_END, 0, 0},
			       {LAB_UNLOCK, 1, 0}),
			 0);
	assert_int_equal(CHECK({LAB_POST, 255, 0}, {LAB_WAIT, 255, 1}, {LAB_WAKE, 255, 0},
			       {LAB_COMPUTE_UNTIL, 0, 1}, {LAB_SLEEP, 0, 1},
			       {LAB_SLEEP_KILLABLE, 0, 1}, {LAB_SLEEP_IO, 0, 10000000000}),
			 0);
}

static void test_what_is_not_held_is_not_unlocked(void **state)
{
	(void)state;
	assert_int_equal(CHECK({LAB_UNLOCK, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_LOCK, 0, 0}, {LAB_UNLOCK, 1, 0}, {LAB_UNLOCK, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_LOCK, 0, 0}, {LAB_UNLOCK, 0, 0}, {LAB_UNLOCK, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}, {LAB_WW_UNLOCK, 0, 0}, {LAB_WW_END, 0, 0}),
			 -EINVAL);
	/* A mutex is no ww_mutex of the same number. */
	assert_int_equal(CHECK({LAB_LOCK, 0, 0}, {LAB_WW_BEGIN, 0, 0}, {LAB_WW_UNLOCK, 0, 0},
			       {LAB_WW_END, 0, 0}, {LAB_UNLOCK, 0, 0}),
			 -EINVAL);
}

static void test_nothing_stays_locked(void **state)
{
	(void)state;
	assert_int_equal(CHECK({LAB_LOCK, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_TRYLOCK, 0, 0}, {LAB_COMPUTE, 0, 5}), -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}, {LAB_WW_LOCK, 0, 0}, {LAB_WW_END, 0, 0}),
			 -EINVAL);
}

static void test_no_order_can_block_for_ever(void **state)
{
	(void)state;
	/* Itself, and the wrong way round. */
	assert_int_equal(CHECK({LAB_LOCK, 0, 0}, {LAB_LOCK, 0, 0}, {LAB_UNLOCK, 0, 0}), -EINVAL);
	assert_int_equal(
		CHECK({LAB_LOCK, 1, 0}, {LAB_LOCK, 0, 0}, {LAB_UNLOCK, 0, 0}, {LAB_UNLOCK, 1, 0}),
		-EINVAL);
	assert_int_equal(CHECK({LAB_LOCK, 1, 0}, {LAB_LOCK, 9, 0}, {LAB_LOCK, 5, 0},
			       {LAB_UNLOCK, 5, 0}, {LAB_UNLOCK, 9, 0}, {LAB_UNLOCK, 1, 0}),
			 -EINVAL);
	/* A mutex inside an acquire context; a ww_mutex outside of one, twice, or after an unlock.
	 */
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}, {LAB_LOCK, 0, 0}, {LAB_UNLOCK, 0, 0},
			       {LAB_WW_END, 0, 0}),
			 -EINVAL);
	assert_int_equal(CHECK({LAB_WW_LOCK, 0, 0}, {LAB_WW_UNLOCK, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}, {LAB_WW_LOCK, 0, 0}, {LAB_WW_LOCK, 0, 0},
			       {LAB_WW_UNLOCK, 0, 0}, {LAB_WW_END, 0, 0}),
			 -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}, {LAB_WW_LOCK, 0, 0}, {LAB_WW_UNLOCK, 0, 0},
			       {LAB_WW_LOCK, 1, 0}, {LAB_WW_UNLOCK, 1, 0}, {LAB_WW_END, 0, 0}),
			 -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}, {LAB_WW_BEGIN, 0, 0}, {LAB_WW_END, 0, 0}),
			 -EINVAL);
	assert_int_equal(CHECK({LAB_WW_END, 0, 0}), -EINVAL);
}

/* The first 32 are wound-wait, the others wait-die, and no context has both. */
static void test_a_context_is_of_one_class(void **state)
{
	(void)state;
	assert_int_equal(CHECK({LAB_WW_BEGIN, LAB_WAIT_DIE, 0}, {LAB_WW_LOCK, 32, 0},
			       {LAB_WW_LOCK_INTERRUPTIBLE, 63, 0}, {LAB_WW_UNLOCK, 32, 0},
			       {LAB_WW_UNLOCK, 63, 0}, {LAB_WW_END, 0, 0}),
			 0);
	assert_int_equal(CHECK({LAB_WW_BEGIN, LAB_WOUND_WAIT, 0}, {LAB_WW_LOCK, 31, 0},
			       {LAB_WW_UNLOCK, 31, 0}, {LAB_WW_END, 0, 0},
			       {LAB_WW_BEGIN, LAB_WAIT_DIE, 0}, {LAB_WW_LOCK, 32, 0},
			       {LAB_WW_UNLOCK, 32, 0}, {LAB_WW_END, 0, 0}),
			 0);
	assert_int_equal(CHECK({LAB_WW_BEGIN, LAB_WOUND_WAIT, 0}, {LAB_WW_LOCK, 32, 0},
			       {LAB_WW_UNLOCK, 32, 0}, {LAB_WW_END, 0, 0}),
			 -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, LAB_WAIT_DIE, 0}, {LAB_WW_LOCK, 31, 0},
			       {LAB_WW_UNLOCK, 31, 0}, {LAB_WW_END, 0, 0}),
			 -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, LAB_WW_CLASSES, 0}, {LAB_WW_END, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, LAB_WAIT_DIE, 0}, {LAB_WW_END, 1, 0}), -EINVAL);
}

static void test_every_number_is_in_its_range(void **state)
{
	(void)state;
	assert_int_equal(CHECK({0, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_CODE_END, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({UINT32_MAX, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_LOCK, 256, 0}, {LAB_UNLOCK, 256, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_WW_BEGIN, 0, 0}, {LAB_WW_LOCK, 64, 0}, {LAB_WW_UNLOCK, 64, 0},
			       {LAB_WW_END, 0, 0}),
			 -EINVAL);
	assert_int_equal(CHECK({LAB_POST, 256, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_WAKE, 256, 0}), -EINVAL);
	/* What has no target or no time says none. */
	assert_int_equal(CHECK({LAB_COMPUTE, 1, 5}), -EINVAL);
	assert_int_equal(CHECK({LAB_POST, 1, 5}), -EINVAL);
	assert_int_equal(CHECK({LAB_LOCK, 1, 5}, {LAB_UNLOCK, 1, 0}), -EINVAL);
	/* What needs a time has one, of ten seconds at most. */
	assert_int_equal(CHECK({LAB_COMPUTE, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_WAIT, 0, 0}), -EINVAL);
	assert_int_equal(CHECK({LAB_SLEEP, 0, 10000000001}), -EINVAL);
	assert_int_equal(CHECK({LAB_SLEEP, 0, UINT64_MAX}), -EINVAL);
}

static void test_programs_are_bounded(void **state)
{
	struct lab_operation operations[LAB_MAX_OPERATIONS + 1];

	(void)state;
	for (size_t i = 0; i < N(operations); i++)
		operations[i] = (struct lab_operation){.code = LAB_COMPUTE, .ns = 1};
	assert_int_equal(lab_check(operations, 0), -EINVAL);
	assert_int_equal(lab_check(operations, LAB_MAX_OPERATIONS), 0);
	assert_int_equal(lab_check(operations, LAB_MAX_OPERATIONS + 1), -EINVAL);
	/* A minute in all, and not one nanosecond more. */
	for (size_t i = 0; i < 6; i++)
		operations[i].ns = LAB_MAX_OPERATION_NS;
	assert_int_equal(lab_check(operations, 6), 0);
	assert_int_equal(lab_check(operations, 7), -EINVAL);
}

static void test_so_many_are_held_at_once(void **state)
{
	struct lab_operation operations[2 * (LAB_MAX_HELD + 1)];
	uint32_t held = LAB_MAX_HELD;

	(void)state;
	for (int more = 0; more < 2; more++, held++) {
		for (uint32_t i = 0; i < held; i++) {
			operations[i] = (struct lab_operation){.code = LAB_LOCK, .target = i};
			operations[held + i] =
				(struct lab_operation){.code = LAB_UNLOCK, .target = i};
		}
		assert_int_equal(lab_check(operations, 2 * held), more ? -EINVAL : 0);
	}
}

/* Where nobody has built the module, the reason names the commands that do. */
static void test_a_kernel_without_it_says_how_to_get_it(void **state)
{
	char folder[] = "/tmp/proxeval-lab-XXXXXX", reason[256];
	struct lab_session session;
	int err;

	(void)state;
	if (!access("/dev/" LAB_DEVICE_NAME, F_OK))
		skip();
	assert_non_null(mkdtemp(folder));
	setenv("PROXEVAL_BUILD", folder, 1);
	err = lab_session_open(&session, reason, sizeof(reason));
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(err, -EOPNOTSUPP);
	assert_int_equal(session.fd, -1);
	assert_non_null(strstr(reason, "'proxeval kernel module'"));
	lab_session_close(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_interface_has_no_holes),
		cmocka_unit_test(test_what_makes_sense_may_run),
		cmocka_unit_test(test_what_is_not_held_is_not_unlocked),
		cmocka_unit_test(test_nothing_stays_locked),
		cmocka_unit_test(test_no_order_can_block_for_ever),
		cmocka_unit_test(test_a_context_is_of_one_class),
		cmocka_unit_test(test_every_number_is_in_its_range),
		cmocka_unit_test(test_programs_are_bounded),
		cmocka_unit_test(test_so_many_are_held_at_once),
		cmocka_unit_test(test_a_kernel_without_it_says_how_to_get_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
