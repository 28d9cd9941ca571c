// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "workloads/kmod/lab_check.h"
#include "workloads/torture_crew.h"
#include "workloads/torture_draw.h"
#include "workloads/torture_holds.h"

#define N(array) ((uint32_t)(sizeof(array) / sizeof(*(array))))

static const struct torture_field fields[] = {
	{.mutexes = 2, .ww_mutexes = 2, .events = 1, .roles = 1, .longest_ns = 1},
	{.mutexes = 6, .ww_mutexes = 4, .events = 4, .roles = 8, .longest_ns = 300000},
	{.mutexes = LAB_MUTEXES,
	 .ww_mutexes = LAB_WW_PER_CLASS,
	 .events = LAB_EVENTS,
	 .roles = LAB_ROLES,
	 .longest_ns = 10000000},
};

/* What was drawn has every operation in it, and nothing that the laboratory refuses. */
static void test_drawn_programs_are_good(void **state)
{
	bool is_seen[LAB_CODE_END] = {false};

	(void)state;
	for (uint32_t f = 0; f < N(fields); f++) {
		struct random random = {.state = f};

		for (int i = 0; i < 20000; i++) {
			struct lab_operation operations[TORTURE_MAX_OPERATIONS];
			uint32_t n = torture_draw_program(&random, &fields[f], operations);

			assert_in_range(n, 1, TORTURE_MAX_OPERATIONS);
			assert_int_equal(lab_check(operations, n), 0);
			for (uint32_t k = 0; k < n; k++)
				is_seen[operations[k].code] = true;
		}
	}
	for (uint32_t code = LAB_LOCK; code < LAB_CODE_END; code++)
		assert_true(is_seen[code]);
}

static void test_every_mistake_is_refused(void **state)
{
	(void)state;
	for (uint32_t f = 0; f < N(fields); f++) {
		struct random random = {.state = 100 + f};

		for (int mistake = 0; mistake < TORTURE_MISTAKES; mistake++) {
			assert_non_null(torture_mistake_names[mistake]);
			for (int i = 0; i < 2000; i++) {
				struct lab_operation operations[TORTURE_MAX_OPERATIONS];
				uint32_t n = torture_draw_mistake(&random, &fields[f],
								  (enum torture_mistake)mistake,
								  operations);

				assert_in_range(n, 1, TORTURE_MAX_OPERATIONS);
				assert_int_equal(lab_check(operations, n), -EINVAL);
			}
		}
	}
}

/* The same seed draws the same: what a run met can be met again. */
static void test_a_seed_decides(void **state)
{
	struct lab_operation a[TORTURE_MAX_OPERATIONS] = {{0}}, b[TORTURE_MAX_OPERATIONS] = {{0}};
	struct random first = {.state = 7}, second = {.state = 7}, third = {.state = 8};
	uint32_t n = torture_draw_program(&first, &fields[1], a);

	(void)state;
	assert_int_equal(torture_draw_program(&second, &fields[1], b), n);
	assert_memory_equal(a, b, n * sizeof(*a));
	n = torture_draw_noise(&first, a);
	assert_int_equal(torture_draw_noise(&second, b), n);
	assert_memory_equal(a, b, n * sizeof(*a));
	torture_draw_noise(&third, b);
	assert_memory_not_equal(a, b, sizeof(*a));
}

/* ---- holds ---------------------------------------------------------------------------- */

static struct lab_result done(uint64_t begin_ns, uint64_t end_ns)
{
	return (struct lab_result){.begin_ns = begin_ns, .end_ns = end_ns};
}

static void add(struct torture_holds *holds, const struct lab_operation *operations, uint32_t n,
		const struct lab_result *results)
{
	assert_int_equal(torture_holds_add(holds, operations, results, n), 0);
}

/* A task that takes and gives back one mutex, having it from @from to @until. */
static void add_hold(struct torture_holds *holds, uint32_t target, uint64_t from, uint64_t until)
{
	const struct lab_operation operations[] = {{LAB_LOCK, target, 0}, {LAB_UNLOCK, target, 0}};
	const struct lab_result results[] = {done(from - 1, from), done(until, until + 1)};

	add(holds, operations, 2, results);
}

static void test_two_that_overlap_are_found(void **state)
{
	struct torture_holds holds = {0};

	(void)state;
	assert_int_equal(torture_holds_count_overlaps(&holds), 0);
	add_hold(&holds, 3, 100, 200);
	add_hold(&holds, 3, 200, 300);
	add_hold(&holds, 4, 150, 250);
	assert_int_equal(torture_holds_count_overlaps(&holds), 0);
	add_hold(&holds, 3, 299, 310);
	assert_int_equal(torture_holds_count_overlaps(&holds), 1);
	/* One that is inside of a long one that began before another. */
	torture_holds_clear(&holds);
	add_hold(&holds, 0, 100, 900);
	add_hold(&holds, 0, 200, 210);
	add_hold(&holds, 0, 300, 310);
	assert_int_equal(torture_holds_count_overlaps(&holds), 2);
	torture_holds_free(&holds);
	assert_int_equal(holds.n, 0);
}

/* Mutex 0 and ww_mutex 0 are two locks. */
static void test_kinds_are_apart(void **state)
{
	static const struct lab_operation operations[] = {{LAB_WW_BEGIN, 0, 0},
							  {LAB_WW_LOCK, 0, 0},
							  {LAB_WW_UNLOCK, 0, 0},
							  {LAB_WW_END, 0, 0}};
	const struct lab_result results[] = {done(10, 11), done(20, 21), done(80, 81),
					     done(90, 91)};
	struct torture_holds holds = {0};

	(void)state;
	add_hold(&holds, 0, 30, 70);
	add(&holds, operations, 4, results);
	assert_int_equal(holds.n, 2);
	assert_int_equal(torture_holds_count_overlaps(&holds), 0);
	add(&holds, operations, 4, results);
	assert_int_equal(torture_holds_count_overlaps(&holds), 1);
	torture_holds_free(&holds);
}

/* What is held ends for sure where the operation that failed began. */
static void test_a_failure_ends_what_is_held(void **state)
{
	static const struct lab_operation operations[] = {{LAB_LOCK, 1, 0},
							  {LAB_LOCK_INTERRUPTIBLE, 2, 0},
							  {LAB_UNLOCK, 2, 0},
							  {LAB_UNLOCK, 1, 0}};
	struct lab_result results[4] = {done(10, 20), done(30, 90)};
	struct torture_holds holds = {0};

	(void)state;
	results[1].status = -EINTR;
	add(&holds, operations, 4, results);
	assert_int_equal(holds.n, 1);
	assert_int_equal(holds.holds[0].lock, 1);
	assert_int_equal(holds.holds[0].from_ns, 20);
	assert_int_equal(holds.holds[0].until_ns, 30);
	/* Nothing was begun: nothing was held. */
	add(&holds, operations, 4, (const struct lab_result[4]){{0}});
	assert_int_equal(holds.n, 1);
	torture_holds_free(&holds);
}

/* While it backs off, a task holds none of its ww_mutexes. */
static void test_a_back_off_lets_go(void **state)
{
	static const struct lab_operation operations[] = {
		{LAB_WW_BEGIN, 1, 0},	{LAB_WW_LOCK, 40, 0},	{LAB_WW_LOCK, 41, 0},
		{LAB_WW_UNLOCK, 40, 0}, {LAB_WW_UNLOCK, 41, 0}, {LAB_WW_END, 0, 0}};
	struct lab_result results[] = {done(1, 2),   done(10, 20), done(30, 60),
				       done(70, 71), done(80, 81), done(90, 91)};
	struct torture_holds holds = {0};

	(void)state;
	results[2].backoffs = 1;
	add(&holds, operations, 6, results);
	assert_int_equal(holds.n, 3);
	assert_int_equal(torture_holds_count_overlaps(&holds), 0);
	/* Sorted now: 40 twice, then 41. */
	assert_int_equal(holds.holds[0].from_ns, 20);
	assert_int_equal(holds.holds[0].until_ns, 30);
	assert_int_equal(holds.holds[1].from_ns, 60);
	assert_int_equal(holds.holds[1].until_ns, 70);
	assert_int_equal(holds.holds[2].from_ns, 60);
	assert_int_equal(holds.holds[2].until_ns, 80);
	torture_holds_free(&holds);
}

/* ---- kills ---------------------------------------------------------------------------- */

static enum torture_where where(enum lab_code code, int status)
{
	const struct lab_operation operations[] = {{LAB_POST, 0, 0}, {.code = (uint32_t)code}};
	struct lab_result results[] = {done(1, 2), done(3, 4)};

	results[1].status = status;
	return torture_where_killed(operations, results, 2);
}

static void test_where_a_task_was_killed(void **state)
{
	static const struct lab_operation operation = {LAB_LOCK, 0, 0};
	static const struct lab_result result = {0};

	(void)state;
	assert_int_equal(where(LAB_COMPUTE, -EINTR), KILLED_COMPUTING);
	assert_int_equal(where(LAB_COMPUTE_UNTIL, -EINTR), KILLED_COMPUTING);
	assert_int_equal(where(LAB_SLEEP_IO, -EINTR), KILLED_SLEEPING);
	assert_int_equal(where(LAB_WAIT, -EINTR), KILLED_WAITING);
	assert_int_equal(where(LAB_LOCK_KILLABLE, -EINTR), KILLED_LOCKING);
	assert_int_equal(where(LAB_WW_LOCK_INTERRUPTIBLE, -EINTR), KILLED_WW_LOCKING);
	/* What cannot be interrupted was had, and the next operation not begun any more. */
	assert_int_equal(where(LAB_UNLOCK, -EINTR), KILLED_BETWEEN);
	assert_int_equal(where(LAB_WAIT, -ETIMEDOUT), KILLED_BETWEEN);
	assert_int_equal(where(LAB_WAIT, 0), KILLED_BETWEEN);
	assert_int_equal(torture_where_killed(&operation, &result, 1), KILLED_OUTSIDE);
	assert_int_equal(torture_where_killed(&operation, &result, 0), KILLED_OUTSIDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn_programs_are_good),
		cmocka_unit_test(test_every_mistake_is_refused),
		cmocka_unit_test(test_a_seed_decides),
		cmocka_unit_test(test_two_that_overlap_are_found),
		cmocka_unit_test(test_kinds_are_apart),
		cmocka_unit_test(test_a_failure_ends_what_is_held),
		cmocka_unit_test(test_a_back_off_lets_go),
		cmocka_unit_test(test_where_a_task_was_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
