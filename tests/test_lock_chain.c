// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "measure/sched_counts.h"
#include "workloads/chain.h"
#include "workloads/workload.h"

/*
 * Depth 3: the owner lets lock 2 go at 100, link 2 gets it, lets it go at 110 and lock 1 at 111,
 * link 1 gets that, lets it go at 120 and lock 0 at 121, which the donor gets.
 */
static struct chain resolved_chain(void)
{
	struct chain chain = {.depth = 3};

	chain.records[3] = (struct chain_record){.free_own_ns = 100};
	chain.records[2] = (struct chain_record){
		.want_ns = 10, .got_ns = 105, .free_next_ns = 110, .free_own_ns = 111};
	chain.records[1] = (struct chain_record){
		.want_ns = 20, .got_ns = 115, .free_next_ns = 120, .free_own_ns = 121};
	chain.records[0] = (struct chain_record){.want_ns = 30, .got_ns = 125, .free_next_ns = 126};
	return chain;
}

static void test_a_chain_that_comes_apart_from_inside_is_in_order(void **state)
{
	struct chain chain = resolved_chain();

	(void)state;
	assert_int_equal(chain_count_disorder(&chain), 0);
	assert_int_equal(chain_count_waits(&chain, 50), 3);
	/* Link 1 came only after that moment. */
	assert_int_equal(chain_count_waits(&chain, 15), 2);
	/* Link 2 had its lock by then. */
	assert_int_equal(chain_count_waits(&chain, 106), 2);
	/* It never waited. */
	chain.records[2].want_ns = 0;
	assert_int_equal(chain_count_waits(&chain, 50), 2);
}

static void test_a_lock_had_too_early_is_disorder(void **state)
{
	struct chain chain = resolved_chain();

	(void)state;
	chain.records[1].got_ns = 110; /* lock 1 was let go at 111 */
	assert_int_equal(chain_count_disorder(&chain), 1);
	chain.records[0].got_ns = 120;
	assert_int_equal(chain_count_disorder(&chain), 2);
}

static void test_who_gives_up_lets_its_own_lock_go_then(void **state)
{
	struct chain chain = resolved_chain();

	(void)state;
	chain.event = CHAIN_SIGNAL;
	assert_int_equal(chain_event_level(&chain), 1);
	chain.records[1] = (struct chain_record){.want_ns = 20, .got_ns = 60, .status = -EINTR};
	chain.records[0].got_ns = 61;
	assert_int_equal(chain_count_disorder(&chain), 0);
	chain.records[0].got_ns = 59;
	assert_int_equal(chain_count_disorder(&chain), 1);
}

static void test_two_at_a_time_are_disorder(void **state)
{
	struct chain chain = resolved_chain();

	(void)state;
	chain.leaves = 3;
	chain.leaf_records[0] = (struct chain_record){.got_ns = 130};
	chain.leaf_records[1] = (struct chain_record){.got_ns = 121};
	chain.leaf_records[2] = (struct chain_record){.got_ns = 110};
	assert_int_equal(chain_count_disorder(&chain), 0);
	/* Link 2 holds lock 2 from 105 to 110. */
	chain.leaf_records[2].got_ns = 107;
	assert_int_equal(chain_count_disorder(&chain), 1);
	/* A leaf may come before the link, but not before the owner lets go. */
	chain.leaf_records[2].got_ns = 101;
	assert_int_equal(chain_count_disorder(&chain), 0);
	chain.leaf_records[2].got_ns = 99;
	assert_int_equal(chain_count_disorder(&chain), 1);
	/* One more waits for a second lock of the owner's, and for nobody else. */
	chain.leaf_records[2].got_ns = 110;
	chain.leaves = 4;
	chain.leaf_records[3].got_ns = 101;
	assert_int_equal(chain_count_disorder(&chain), 0);
	chain.leaf_records[3].got_ns = 98;
	assert_int_equal(chain_count_disorder(&chain), 1);
}

static void test_the_middle_link_is_the_event_s(void **state)
{
	struct chain chain = {.depth = 64, .event = CHAIN_TIMEOUT};

	(void)state;
	assert_int_equal(chain_event_level(&chain), 32);
	chain.depth = 2;
	assert_int_equal(chain_event_level(&chain), 1);
	chain.event = CHAIN_NO_EVENT;
	assert_int_equal(chain_event_level(&chain), 0);
}

/* A pipe's mutex is waited for to the end, whatever comes. */
static void test_who_is_deaf_does_not_cut_the_chain(void **state)
{
	static const struct chain_ops deaf = {.is_deaf = true}, hearing = {.is_deaf = false};
	struct chain chain = {.depth = 4, .ops = &hearing};

	(void)state;
	assert_false(is_chain_cut(&chain));
	chain.event = CHAIN_WAKEUP;
	assert_false(is_chain_cut(&chain));
	for (int event = CHAIN_SIGNAL; event <= CHAIN_KILL; event++) {
		chain.event = (enum chain_event)event;
		chain.ops = &hearing;
		assert_true(is_chain_cut(&chain));
		chain.ops = &deaf;
		assert_false(is_chain_cut(&chain));
	}
}

static void test_what_cannot_be_staged_is_refused(void **state)
{
	struct chain_sample sample;
	struct chain chain = {.depth = 0, .n_cpus = 1};

	(void)state;
	assert_int_equal(chain_run(&chain, &sample), -EINVAL);
	chain.depth = CHAIN_MAX_DEPTH + 1;
	assert_int_equal(chain_run(&chain, &sample), -EINVAL);
	chain.depth = 1;
	chain.n_cpus = 0;
	assert_int_equal(chain_run(&chain, &sample), -EINVAL);
	chain.n_cpus = 1;
	chain.hogs_per_cpu = CHAIN_MAX_HOGS + 1;
	assert_int_equal(chain_run(&chain, &sample), -EINVAL);
}

/* The standards with up to two values replaced. */
static int check(const char *name, const char *value, const char *name_2, const char *value_2,
		 char error[256])
{
	const char *values[32];

	for (size_t i = 0; workload_lock_chain.parameters[i].name; i++) {
		const char *parameter = workload_lock_chain.parameters[i].name;

		values[i] = workload_lock_chain.parameters[i].standard;
		if (!strcmp(parameter, name))
			values[i] = value;
		if (!strcmp(parameter, name_2))
			values[i] = value_2;
	}
	error[0] = '\0';
	return workload_check_values(&workload_lock_chain, values, error, 256);
}

static void test_parameters_go_together(void **state)
{
	char error[256];

	(void)state;
	assert_int_equal(check("", "", "", "", error), 0);
	assert_int_equal(check("event", "wakeup", "", "", error), -EINVAL);
	assert_string_equal(error, "lock-chain: nothing wakes who waits for a pipe's mutex; take "
				   "by=lab for event=wakeup");
	assert_int_equal(check("event", "wakeup", "by", "lab", error), 0);
	assert_int_equal(check("event", "signal", "", "", error), 0);
	assert_int_equal(check("event", "kill", "by", "lab", error), 0);
	assert_int_equal(check("event", "kill", "depth", "1", error), -EINVAL);
	assert_int_equal(check("build", "outside-in", "", "", error), -EINVAL);
	assert_int_equal(check("build", "outside-in", "by", "lab", error), 0);
	assert_int_equal(check("owner_waits", "computing", "", "", error), -EINVAL);
	assert_int_equal(check("owner_waits", "computing", "by", "lab", error), 0);
	assert_int_equal(check("waits", "interruptible", "", "", error), -EINVAL);
	assert_int_equal(check("waits", "interruptible", "by", "lab", error), 0);
	assert_int_equal(check("link_us", "5", "", "", error), -EINVAL);
	assert_int_equal(check("link_us", "5", "by", "lab", error), 0);
	assert_int_equal(check("depth", "1", "", "", error), 0);
}

static void test_counts_are_of_the_cpus_asked_for(void **state)
{
	static const char text[] = "version 17\ntimestamp 4294937296\n"
				   "cpu0 0 0 100 40 30 20 5 6 7\n"
				   "domain0 SMT 03 1 2 3 4 5 6 7 8 9 10 11 12\n"
				   "cpu1 1 0 1000 400 300 200 5 6 7\n"
				   "cpu10 0 0 10000 4000 3000 2000 5 6 7\n";
	const int both[] = {0, 10}, other[] = {2};
	struct sched_counts counts;

	(void)state;
	assert_int_equal(sched_counts_parse(text, both, 2, &counts), 0);
	assert_int_equal(counts.schedules, 10100);
	assert_int_equal(counts.idle_picks, 4040);
	assert_int_equal(counts.wakeups, 3030);
	assert_int_equal(sched_counts_parse(text, other, 1, &counts), -ENODATA);
	assert_int_equal(sched_counts_parse("", both, 2, &counts), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_chain_that_comes_apart_from_inside_is_in_order),
		cmocka_unit_test(test_a_lock_had_too_early_is_disorder),
		cmocka_unit_test(test_who_gives_up_lets_its_own_lock_go_then),
		cmocka_unit_test(test_two_at_a_time_are_disorder),
		cmocka_unit_test(test_the_middle_link_is_the_event_s),
		cmocka_unit_test(test_who_is_deaf_does_not_cut_the_chain),
		cmocka_unit_test(test_what_cannot_be_staged_is_refused),
		cmocka_unit_test(test_parameters_go_together),
		cmocka_unit_test(test_counts_are_of_the_cpus_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
