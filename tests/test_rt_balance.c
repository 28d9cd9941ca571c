// SPDX-License-Identifier: GPL-2.0-only
/* The referee of rt-balance on made-up events, and who it lets play. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka wants those before it */
#include <cmocka.h>

#include "bench/topology.h"
#include "workloads/football.h"
#include "workloads/lineup.h"
#include "workloads/workload.h"

#define THRESHOLD_NS 1000

enum {
	STRONG = 101,
	MIDDLE,
	WEAK,
	OTHER,
};

static const struct football_player three[] = {
	{.pid = STRONG, .prio = 10, .partner = -1},
	{.pid = MIDDLE, .prio = 20, .partner = -1},
	{.pid = WEAK, .prio = 30, .partner = -1},
};
/* The strongest waits for what the weakest holds. */
static const struct football_player pair[] = {
	{.pid = STRONG, .prio = 10, .partner = 2},
	{.pid = MIDDLE, .prio = 20, .partner = -1},
	{.pid = WEAK, .prio = 30, .partner = 0},
};
static const int cpus[] = {0, 1};

static int prio_of(pid_t pid)
{
	return pid >= STRONG && pid <= WEAK ? 10 * (pid - STRONG + 1) : 120;
}

static void switch_with_prio(struct football *football, uint64_t at_ns, int cpu, pid_t prev,
			     char state, pid_t next, int prio)
{
	football_take(football, &(struct sched_trace_record){.at_ns = at_ns,
							     .cpu = cpu,
							     .kind = SCHED_TRACE_SWITCH,
							     .prev_pid = prev,
							     .prev_state = state,
							     .next_pid = next,
							     .next_prio = prio});
}

static void switch_to(struct football *football, uint64_t at_ns, int cpu, pid_t prev, char state,
		      pid_t next)
{
	switch_with_prio(football, at_ns, cpu, prev, state, next, prio_of(next));
}

static void wake(struct football *football, uint64_t at_ns, pid_t pid)
{
	football_take(football, &(struct sched_trace_record){
					.at_ns = at_ns, .kind = SCHED_TRACE_WAKING, .pid = pid});
	football_take(football, &(struct sched_trace_record){
					.at_ns = at_ns, .kind = SCHED_TRACE_WAKEUP, .pid = pid});
}

static struct football *begin(struct football_rules *rules, const struct football_player *players,
			      unsigned int n_cpus, bool is_lending)
{
	struct football *football;

	*rules = (struct football_rules){.players = players,
					 .n_players = 3,
					 .cpus = cpus,
					 .n_cpus = n_cpus,
					 .is_lending = is_lending,
					 .threshold_ns = THRESHOLD_NS,
					 .draw_ns = 100};
	football = football_new(rules);
	assert_non_null(football);
	football_begin(football, 0);
	return football;
}

static void test_highest_run(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, three, 2, false);
	const struct football_score *score = football_score(football);

	(void)state;
	wake(football, 100, STRONG);
	switch_to(football, 110, 0, 0, 'R', STRONG);
	wake(football, 120, MIDDLE);
	switch_to(football, 150, 1, 0, 'R', MIDDLE);
	wake(football, 200, WEAK);
	football_end(football, 10000);
	assert_int_equal(score->played_ns, 10000);
	assert_int_equal(score->covered_ns, 9880);
	assert_int_equal(score->turns, 3);
	assert_int_equal(score->ranks, 3);
	assert_int_equal(score->switches, 2);
	assert_int_equal(score->misranked, 0);
	/* Switching over: 10 ns and 30 ns, with an idle CPU. The weak one has to wait. */
	assert_int_equal(score->waits, 2);
	assert_int_equal(score->wait_ns, 40);
	assert_int_equal(score->longest_wait_ns, 30);
	assert_int_equal(score->idle_ns, 40);
	assert_int_equal(score->violations, 0);
	assert_int_equal(score->inversions, 0);
	football_free(football);
}

/* Two strong ones behind each other on one CPU, and the weak one has the other to itself. */
static void test_unbalanced(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, three, 2, false);
	const struct football_score *score = football_score(football);

	(void)state;
	wake(football, 0, WEAK);
	switch_to(football, 0, 1, 0, 'R', WEAK);
	wake(football, 0, STRONG);
	switch_to(football, 0, 0, 0, 'R', STRONG);
	wake(football, 500, MIDDLE);
	switch_to(football, 3000, 0, STRONG, 'S', MIDDLE);
	football_end(football, 4000);
	assert_int_equal(score->waits, 1);
	assert_int_equal(score->wait_ns, 2500);
	assert_int_equal(score->violations, 1);
	assert_int_equal(score->idle_ns, 0);
	football_free(football);
}

#define SLICE_NS 2000

static const struct football_player equals[] = {
	{.pid = STRONG, .prio = 20, .partner = -1},
	{.pid = MIDDLE, .prio = 20, .partner = 2},
	{.pid = WEAK, .prio = 30, .partner = 1},
};

static void wake_on(struct football *football, uint64_t at_ns, pid_t pid, int cpu)
{
	football_take(football, &(struct sched_trace_record){.at_ns = at_ns,
							     .kind = SCHED_TRACE_WAKEUP,
							     .pid = pid,
							     .to_cpu = cpu});
}

static void migrate(struct football *football, uint64_t at_ns, pid_t pid, int cpu)
{
	football_take(football, &(struct sched_trace_record){.at_ns = at_ns,
							     .kind = SCHED_TRACE_MIGRATE,
							     .pid = pid,
							     .to_cpu = cpu});
}

/* Two equal ones of SCHED_RR on CPU 0: each has its slice, and the threshold on top. */
static void test_slices_end(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, equals, 2, false);
	const struct football_score *score = football_score(football);

	(void)state;
	rules.slice_ns = SLICE_NS;
	wake_on(football, 0, STRONG, 0);
	switch_with_prio(football, 0, 0, 0, 'R', STRONG, 20);
	/* Alone it may go on for as long as it likes. */
	wake_on(football, 10000, MIDDLE, 0);
	switch_with_prio(football, 13000, 0, STRONG, 'R', MIDDLE, 20);
	switch_with_prio(football, 15000, 0, MIDDLE, 'R', STRONG, 20);
	assert_int_equal(score->stints, 2);
	assert_int_equal(score->overruns, 0);
	/* One nanosecond more than slice and threshold; once for all that follows. */
	switch_with_prio(football, 18001, 0, STRONG, 'R', MIDDLE, 20);
	assert_int_equal(score->stints, 3);
	assert_int_equal(score->overruns, 1);
	football_end(football, 30000);
	assert_int_equal(score->stints, 4);
	assert_int_equal(score->overruns, 2);
	football_free(football);
}

/* Who waits on another CPU, or is weaker, or has slices of its waiter's, ends no slice. */
static void test_only_equals_on_one_cpu_end_a_slice(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, equals, 2, true);
	const struct football_score *score = football_score(football);

	(void)state;
	rules.slice_ns = SLICE_NS;
	wake_on(football, 0, STRONG, 0);
	switch_with_prio(football, 0, 0, 0, 'R', STRONG, 20);
	wake_on(football, 0, WEAK, 0);
	wake_on(football, 0, MIDDLE, 1);
	football_take(football, &(struct sched_trace_record){
					.at_ns = 9000, .kind = SCHED_TRACE_WAKEUP, .pid = OTHER});
	assert_int_equal(score->stints, 0);
	/* It comes over: its time begins. */
	migrate(football, 10000, MIDDLE, 0);
	switch_with_prio(football, 13000, 0, STRONG, 'R', MIDDLE, 20);
	assert_int_equal(score->stints, 1);
	/* Its partner blocks: whose slice it has is not known. */
	switch_with_prio(football, 13000, 1, WEAK, 'D', 0, 120);
	football_end(football, 30000);
	assert_int_equal(score->stints, 1);
	assert_int_equal(score->overruns, 0);
	football_free(football);
}

/* A whole round with a CPU that nobody uses: the end of the round ends the episode. */
static void test_idle_cpu(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, three, 2, false);
	const struct football_score *score = football_score(football);

	(void)state;
	wake(football, 0, STRONG);
	switch_to(football, 0, 0, 0, 'R', STRONG);
	wake(football, 0, WEAK);
	football_end(football, 1001);
	assert_int_equal(score->violations, 1);
	assert_int_equal(score->idle_ns, 1001);
	/* In the next round all sleep again. */
	football_begin(football, 5000);
	football_end(football, 6000);
	assert_int_equal(score->played_ns, 2001);
	assert_int_equal(score->violations, 1);
	football_free(football);
}

/* Of two who wait and one CPU that runs something weaker, one should run. */
static void test_as_many_as_cpus(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, three, 1, false);
	const struct football_score *score = football_score(football);

	(void)state;
	wake(football, 0, WEAK);
	switch_to(football, 0, 0, 0, 'R', WEAK);
	wake(football, 100, MIDDLE);
	wake(football, 300, STRONG); /* now it is not the middle one's turn any more */
	switch_to(football, 600, 0, WEAK, 'R', STRONG);
	switch_to(football, 700, 0, STRONG, 'S', MIDDLE);
	football_end(football, 800);
	assert_int_equal(score->waits, 2);
	assert_int_equal(score->wait_ns, 200 + 300);
	football_free(football);
}

static void test_others(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, three, 1, false);
	const struct football_score *score = football_score(football);

	(void)state;
	wake(football, 0, STRONG);
	switch_with_prio(football, 0, 0, 0, 'R', OTHER, 0);		/* a stopper may */
	switch_with_prio(football, 5000, 0, OTHER, 'S', OTHER + 1, 10); /* as strong: a draw */
	assert_int_equal(score->waits, 0);
	switch_with_prio(football, 7000, 0, OTHER + 1, 'S', OTHER + 2, 11);
	switch_with_prio(football, 8000, 0, OTHER + 2, 'S', OTHER + 3, 120);
	switch_to(football, 8500, 0, OTHER + 3, 'R', STRONG);
	football_end(football, 9000);
	assert_int_equal(score->waits, 1);
	assert_int_equal(score->wait_ns, 1500);
	assert_int_equal(score->violations, 1);
	football_free(football);
}

static void test_wrong_priority(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, three, 1, false);

	(void)state;
	wake(football, 0, STRONG);
	switch_with_prio(football, 10, 0, 0, 'R', STRONG, 120);
	football_end(football, 20);
	assert_int_equal(football_score(football)->misranked, 1);
	football_free(football);
}

/* The weak one holds the lock and was preempted by the strong one, who then waits for it. */
static void block_strong(struct football *football)
{
	wake(football, 0, WEAK);
	switch_to(football, 0, 0, 0, 'R', WEAK);
	wake(football, 100, STRONG);
	switch_to(football, 100, 0, WEAK, 'R', STRONG);
	switch_to(football, 200, 0, STRONG, 'D', WEAK);
	wake(football, 300, MIDDLE);
}

static void test_owner_runs_for_donor(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, pair, 1, true);
	const struct football_score *score = football_score(football);

	(void)state;
	block_strong(football);
	wake(football, 2300, STRONG);
	switch_to(football, 2300, 0, WEAK, 'R', STRONG);
	football_end(football, 3000);
	assert_int_equal(score->waits, 0);
	assert_int_equal(score->inversions, 0);
	/* From the middle one's wakeup on it was the strong one's rank that decided. */
	assert_int_equal(score->spells, 1);
	assert_int_equal(score->lent_spells, 1);
	assert_int_equal(score->needed_ns, 2000);
	assert_int_equal(score->lent_ns, 2000);
	football_free(football);
}

/* The same events where nobody lends: the middle one is kept waiting by a weaker one. */
static void test_owner_runs_without_lending(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, pair, 1, false);
	const struct football_score *score = football_score(football);

	(void)state;
	block_strong(football);
	wake(football, 2300, STRONG);
	switch_to(football, 2300, 0, WEAK, 'R', STRONG);
	football_end(football, 3000);
	assert_int_equal(score->waits, 1);
	assert_int_equal(score->wait_ns, 2000);
	assert_int_equal(score->violations, 1);
	assert_int_equal(score->inversions, 0);
	football_free(football);
}

/* The owner is left behind the middle one: an inversion, which is not the middle one's wrong. */
static void test_inversion(void **state)
{
	for (int is_lending = 0; is_lending < 2; is_lending++) {
		struct football_rules rules;
		struct football *football = begin(&rules, pair, 1, is_lending);
		const struct football_score *score = football_score(football);

		(void)state;
		block_strong(football);
		switch_to(football, 310, 0, WEAK, 'R', MIDDLE);
		switch_to(football, 2310, 0, MIDDLE, 'S', WEAK);
		wake(football, 2400, STRONG);
		switch_to(football, 2400, 0, WEAK, 'R', STRONG);
		football_end(football, 3000);
		assert_int_equal(score->inversions, 1);
		assert_int_equal(score->inversion_ns, 2000);
		assert_int_equal(score->longest_inversion_ns, 2000);
		assert_int_equal(score->long_inversions, 1);
		assert_int_equal(score->violations, 0);
		/* Without lending the middle one waited for 10 ns, until it got the CPU. */
		assert_int_equal(score->wait_ns, is_lending ? 0 : 10);
		assert_int_equal(score->spells, 1);
		assert_int_equal(score->lent_spells, 0);
		assert_int_equal(score->needed_ns, 2010);
		assert_int_equal(score->lent_ns, 10);
		football_free(football);
	}
}

/* A sleep in a lock's section is a sleep: a donor cannot lend to an owner that is not runnable. */
static void test_owner_asleep(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, pair, 1, true);
	const struct football_score *score = football_score(football);

	(void)state;
	block_strong(football);
	switch_to(football, 400, 0, WEAK, 'S', MIDDLE);
	football_end(football, 5000);
	assert_int_equal(score->inversions, 0);
	assert_int_equal(score->waits, 0);
	football_free(football);
}

static const struct football_player deadlines[] = {
	{.pid = STRONG, .deadline_ns = 5000, .partner = 2},
	{.pid = MIDDLE, .deadline_ns = 6000, .partner = -1},
	{.pid = WEAK, .deadline_ns = 9000, .partner = 0},
};

static void test_deadlines(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, deadlines, 1, false);
	const struct football_score *score = football_score(football);

	(void)state;
	wake(football, 0, WEAK); /* due at 9000 */
	switch_with_prio(football, 0, 0, 0, 'R', WEAK, -1);
	wake(football, 2950, MIDDLE); /* at 8950: a draw */
	wake(football, 3990, STRONG); /* at 8990: a draw */
	football_end(football, 4500);
	assert_int_equal(score->waits, 0);
	assert_int_equal(score->misranked, 0);
	football_begin(football, 10000);
	wake(football, 10000, WEAK);
	switch_with_prio(football, 10000, 0, 0, 'R', WEAK, -1);
	wake(football, 10100, STRONG); /* at 15100, and the weak one at 19000 */
	switch_with_prio(football, 11200, 0, WEAK, 'R', STRONG, -1);
	switch_with_prio(football, 11300, 0, STRONG, 'S', WEAK, -1);
	/* It wakes before its deadline: whether that is a new one nobody knows. */
	wake(football, 11400, STRONG);
	football_end(football, 14000);
	assert_int_equal(score->waits, 1);
	assert_int_equal(score->wait_ns, 1100);
	assert_int_equal(score->violations, 1);
	football_free(football);
}

/* Woken before it has left its CPU, and events of others: nothing to count. */
static void test_odd_orders(void **state)
{
	struct football_rules rules;
	struct football *football = begin(&rules, three, 1, false);
	const struct football_score *score = football_score(football);

	(void)state;
	wake(football, 0, STRONG);
	switch_to(football, 0, 0, 0, 'R', STRONG);
	wake(football, 100, STRONG);
	wake(football, 100, OTHER);
	assert_int_equal(score->turns, 1);
	switch_to(football, 200, 0, STRONG, 'S', 0);
	/* A CPU that they do not play on. */
	switch_to(football, 300, 7, 0, 'R', OTHER);
	football_end(football, 5000);
	assert_int_equal(score->waits, 0);
	football_free(football);
}

/* ---- who plays ---- */

static struct lineup make(int policy, unsigned int extra, bool has_locks)
{
	static int four[] = {0, 1, 2, 3};
	struct lineup lineup = {.cpus = four, .n_cpus = 4};
	struct lineup_wish wish = {.policy = policy,
				   .extra = extra,
				   .has_locks = has_locks,
				   .turn_ns = 6000000,
				   .section_ns = 4000000,
				   .seed = 1};

	assert_int_equal(lineup_make(&lineup, &wish), 0);
	lineup.cpus = NULL;
	return lineup;
}

static void test_lineup_fifo(void **state)
{
	static const unsigned int priorities[] = {88, 79, 69, 59, 49, 40, 30, 20};
	static const enum match_role roles[] = {MATCH_DONOR, MATCH_PLAIN, MATCH_DONOR, MATCH_PLAIN,
						MATCH_OWNER, MATCH_PLAIN, MATCH_OWNER, MATCH_PLAIN};
	static const int partners[] = {4, -1, 6, -1, 0, -1, 2, -1};
	struct lineup lineup = make(SCHED_FIFO, 4, true);
	struct lock locks[2];

	(void)state;
	assert_int_equal(lineup.n_players, 8);
	assert_int_equal(lineup.n_pairs, 2);
	assert_int_equal(lineup.n_ranks, 8);
	lineup_share_locks(&lineup, locks);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(lineup.players[i].class.priority, priorities[i]);
		assert_int_equal(lineup.players[i].role, roles[i]);
		assert_int_equal(lineup.partners[i], partners[i]);
	}
	assert_ptr_equal(lineup.players[2].lock, &locks[1]);
	assert_ptr_equal(lineup.players[6].lock, &locks[1]);
	assert_null(lineup.players[1].lock);
	/* 65 % of the time each: 130 % of four CPUs. */
	assert_int_equal(lineup.players[1].compute_ns[0], 2000000);
	assert_int_equal(lineup.players[1].compute_ns[1], 10000001);
	assert_int_equal(lineup.players[1].pause_ns[0], 100000);
	assert_int_equal(lineup.players[1].pause_ns[1], 100000 + 2 * (6000000 * 35 / 65) + 1);
	/* A section of 4 ms in a turn of 6 ms leaves half a turn. */
	assert_int_equal(lineup.players[4].compute_ns[0], 1000000);
	lineup_release(&lineup);
}

static void test_lineup_others(void **state)
{
	struct lineup lineup = make(SCHED_RR, 4, false);

	(void)state;
	assert_int_equal(lineup.n_pairs, 0);
	assert_int_equal(lineup.n_ranks, 4);
	assert_int_equal(lineup.players[0].class.priority, lineup.players[1].class.priority);
	assert_int_not_equal(lineup.players[1].class.priority, lineup.players[2].class.priority);
	lineup_release(&lineup);

	lineup = make(LINEUP_DEADLINE, 1, true);
	assert_int_equal(lineup.n_pairs, 1);
	assert_int_equal(lineup.n_ranks, 5);
	assert_int_equal(lineup.players[0].class.deadline_ns, 21000000);
	assert_int_equal(lineup.players[4].class.deadline_ns, 33000000);
	assert_int_equal(lineup.players[4].period_ns, 33000000);
	lineup_release(&lineup);
}

/* ---- where ---- */

/* A guest of two nodes: CPUs 0 to 3 and 4 to 7, siblings side by side. */
static void choose(enum placement_kind kind, bool virtual_time, unsigned int max,
		   struct lineup *lineup, int *expected_err)
{
	struct placement placements[16];
	struct topology *topology;
	size_t n;

	assert_int_equal(topology_load(&topology, TEST_SOURCE_DIR
				       "/tests/fixtures/topologies/guest-2x2x2.xml"),
			 0);
	n = topology_placements(topology, placements, 16);
	for (size_t i = 0; i < n; i++) {
		if (placements[i].kind != kind)
			continue;
		placements[i].observer_cpu = 6;
		*lineup = (struct lineup){0};
		*expected_err = lineup_choose_cpus(lineup, topology, &placements[i], false,
						   virtual_time, max);
	}
	topology_free(topology);
}

static void expect_cpus(enum placement_kind kind, unsigned int max, const int *expected,
			unsigned int n)
{
	struct lineup lineup;
	int err = -1;

	choose(kind, false, max, &lineup, &err);
	assert_int_equal(err, 0);
	assert_int_equal(lineup.conductor_cpu, 6);
	assert_int_equal(lineup.n_cpus, n);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(lineup.cpus[i], expected[i]);
	lineup_release(&lineup);
}

static void test_cpus(void **state)
{
	static const int siblings[] = {4, 5}, llc[] = {4, 5, 7}, apart[] = {0, 1, 3, 5},
			 all[] = {0, 1, 2, 3, 4, 5, 7};

	(void)state;
	expect_cpus(PLACEMENT_SMT_SIBLING, 4, siblings, 2);
	expect_cpus(PLACEMENT_SAME_LLC, 4, llc, 3);
	expect_cpus(PLACEMENT_CROSS_NODE, 4, apart, 4);
	expect_cpus(PLACEMENT_CROSS_NODE, 512, all, 7);
}

/* With nobody left to conduct there is no play. */
static void test_no_conductor(void **state)
{
	struct placement placement = {.kind = PLACEMENT_SMT_SIBLING, .observer_cpu = -1};
	struct lineup lineup = {0};

	(void)state;
	assert_int_equal(lineup_choose_cpus(&lineup, NULL, &placement, false, false, 4), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_highest_run),
		cmocka_unit_test(test_unbalanced),
		cmocka_unit_test(test_slices_end),
		cmocka_unit_test(test_only_equals_on_one_cpu_end_a_slice),
		cmocka_unit_test(test_idle_cpu),
		cmocka_unit_test(test_as_many_as_cpus),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_wrong_priority),
		cmocka_unit_test(test_owner_runs_for_donor),
		cmocka_unit_test(test_owner_runs_without_lending),
		cmocka_unit_test(test_inversion),
		cmocka_unit_test(test_owner_asleep),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_odd_orders),
		cmocka_unit_test(test_lineup_fifo),
		cmocka_unit_test(test_lineup_others),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_no_conductor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
