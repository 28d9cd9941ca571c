// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "measure/task_watch.h"
#include "workloads/inversion.h"
#include "workloads/judge.h"
#include "workloads/lock.h"
#include "workloads/lock_fit.h"
#include "workloads/profiles.h"
#include "workloads/workload.h"

/* The first @n phases of a run of @samples. */
static void draw(uint64_t seed, uint64_t samples, unsigned int min, unsigned int max,
		 unsigned int n, unsigned int *out)
{
	struct phase_plan plan;

	phase_plan_init(&plan, seed, samples, min, max);
	for (unsigned int i = 0; i < n; i++)
		out[i] = phase_plan_next(&plan);
}

static void test_phases_are_the_seeds_and_one_of_each_stratum(void **state)
{
	unsigned int first[10], again[10], other[10], seen = 0;

	(void)state;
	draw(7, 10, 100, 500, 10, first);
	draw(7, 10, 100, 500, 10, again);
	draw(8, 10, 100, 500, 10, other);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
	for (int i = 0; i < 10; i++) {
		assert_in_range(first[i], 100, 499);
		seen |= 1u << (first[i] - 100) / 40;
	}
	assert_int_equal(seen, 0x3ff);
}

static void test_more_phases_than_thousandths_stay_in_range(void **state)
{
	unsigned int phases[PHASE_BLOCK];

	(void)state;
	draw(1, PHASE_BLOCK, 500, 510, PHASE_BLOCK, phases);
	for (unsigned int i = 0; i < PHASE_BLOCK; i++)
		assert_in_range(phases[i], 500, 510);
}

/* Each block has a phase of every stratum, the last one of as many strata as are left. */
static void test_a_long_run_has_strata_in_every_block(void **state)
{
	unsigned int phases[2 * PHASE_BLOCK + 4];
	uint64_t seen[3] = {0};

	(void)state;
	draw(3, 2 * PHASE_BLOCK + 4, 100, 740, 2 * PHASE_BLOCK + 4, phases);
	for (unsigned int i = 0; i < 2 * PHASE_BLOCK; i++)
		seen[i / PHASE_BLOCK] |= UINT64_C(1) << (phases[i] - 100) / 10;
	for (unsigned int i = 2 * PHASE_BLOCK; i < 2 * PHASE_BLOCK + 4; i++)
		seen[2] |= UINT64_C(1) << (phases[i] - 100) / 160;
	assert_true(seen[0] == UINT64_MAX);
	assert_true(seen[1] == UINT64_MAX);
	assert_int_equal(seen[2], 0xf);
	assert_memory_not_equal(phases, phases + PHASE_BLOCK, PHASE_BLOCK * sizeof(*phases));
}

static void test_the_factor_is_wait_over_need(void **state)
{
	uint64_t factor = 0;

	(void)state;
	assert_true(inversion_factor_permille(5000000, 5000000, &factor));
	assert_int_equal(factor, 1000);
	assert_true(inversion_factor_permille(79428149, 4200000, &factor));
	assert_int_equal(factor, 18911);
	assert_true(inversion_factor_permille(1, 3, &factor));
	assert_int_equal(factor, 333);
	assert_true(inversion_factor_permille(2, 3, &factor));
	assert_int_equal(factor, 667);
}

static void test_no_need_no_factor(void **state)
{
	uint64_t factor = 42;
	struct episode_sample late = {.owner_arrival_ns = 700, .owner_end_ns = 690};

	(void)state;
	assert_int_equal(inversion_remaining_ns(&late), -10);
	assert_false(inversion_factor_permille(100, -10, &factor));
	assert_false(inversion_factor_permille(100, 0, &factor));
	assert_int_equal(factor, 42);
}

static void test_a_donor_is_blocked_when_it_sleeps_on_a_held_lock(void **state)
{
	struct episode_sample sample = {.owner_start_ns = 100,
					.owner_arrival_ns = 400,
					.owner_end_ns = 900,
					.donor_switches = 1};

	(void)state;
	assert_true(is_lock_held(&sample));
	assert_true(is_donor_blocked(&sample));
	sample.donor_switches = 0; /* it spun */
	assert_true(is_lock_held(&sample));
	assert_false(is_donor_blocked(&sample));
	sample.donor_switches = 1;
	sample.owner_arrival_ns = 100; /* the owner had not begun */
	assert_false(is_lock_held(&sample));
	sample.owner_arrival_ns = 900; /* the owner was through */
	assert_false(is_donor_blocked(&sample));
}

static void test_ninety_five_percent_must_be_contended(void **state)
{
	(void)state;
	assert_false(has_enough_contention(0, 0));
	assert_true(has_enough_contention(1, 1));
	assert_false(has_enough_contention(2, 3));
	assert_true(has_enough_contention(19, 20));
	assert_false(has_enough_contention(18, 19));
	assert_false(has_enough_contention(949, 1000));
}

static void test_proxying_is_held_to_what_the_kernel_says(void **state)
{
	(void)state;
	assert_true(is_proxying_as_expected(PROXY_EXEC_ON, PROXY_EXEC_ASKED_ON, 6, 6));
	assert_true(is_proxying_as_expected(PROXY_EXEC_ON, PROXY_EXEC_ASKED_ON, 3, 6));
	assert_false(is_proxying_as_expected(PROXY_EXEC_ON, PROXY_EXEC_ASKED_ON, 2, 6));
	assert_false(is_proxying_as_expected(PROXY_EXEC_ON, PROXY_EXEC_ASKED_ON, 0, 0));
	assert_true(is_proxying_as_expected(PROXY_EXEC_OFF, PROXY_EXEC_ASKED_ON, 0, 6));
	assert_false(is_proxying_as_expected(PROXY_EXEC_OFF, PROXY_EXEC_ASKED_ON, 1, 600));
	assert_true(is_proxying_as_expected(PROXY_EXEC_ABSENT, PROXY_EXEC_ASKED_ON, 0, 6));
	assert_false(is_proxying_as_expected(PROXY_EXEC_ABSENT, PROXY_EXEC_ASKED_ON, 1, 6));
}

static void test_a_silent_kernel_is_held_to_what_it_was_asked_for(void **state)
{
	static const struct {
		enum proxy_exec_request request;
		uint64_t lent;
		bool held;
	} cases[] = {
		{PROXY_EXEC_ASKED_ON, 6, true},	  {PROXY_EXEC_ASKED_ON, 3, true},
		{PROXY_EXEC_ASKED_ON, 2, false},  {PROXY_EXEC_ASKED_ON, 0, false},
		{PROXY_EXEC_ASKED_OFF, 6, false}, {PROXY_EXEC_ASKED_OFF, 0, true},
		{PROXY_EXEC_NOT_NAMED, 6, true},  {PROXY_EXEC_NOT_NAMED, 2, false},
		{PROXY_EXEC_NOT_NAMED, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(is_proxying_as_expected(PROXY_EXEC_UNKNOWN, cases[i].request,
							 cases[i].lent, 6),
				 cases[i].held);
}

static void test_shares_and_what_they_promise(void **state)
{
	(void)state;
	assert_int_equal(nice_weight(-20), 88761);
	assert_int_equal(nice_weight(0), 1024);
	assert_int_equal(nice_weight(10), 110);
	assert_int_equal(nice_weight(19), 15);
	assert_float_equal(fair_share(110, 2, 1024), 110.0 / 2158, 1e-12);
	assert_float_equal(unbounded_factor(0.05), 5, 1e-9);
	assert_float_equal(unbounded_factor(0.5), 1.5, 1e-9);
}

/* Twice the need, and a millisecond or a slice for each lock and once more. */
static void test_a_wait_is_bounded_by_need_and_switches(void **state)
{
	(void)state;
	assert_true(is_wait_bounded(12000000, 5000000, 1, false));
	assert_false(is_wait_bounded(12000001, 5000000, 1, false));
	assert_true(is_wait_bounded(16000000, 5000000, 1, true));
	assert_false(is_wait_bounded(16000001, 5000000, 1, true));
	assert_true(is_wait_bounded(19000000, 5000000, 8, false));
	assert_false(is_wait_bounded(19000001, 5000000, 8, false));
	/* Nothing was needed: switches are what is left. */
	assert_true(is_wait_bounded(2000000, -5, 1, false));
	assert_false(is_wait_bounded(2000001, -5, 1, false));
}

/* What the invariant says in @state: its violations, of its exposure. */
static void expect_promise(enum proxy_exec_state proxy, enum proxy_exec_request request,
			   uint64_t violations, uint64_t exposure)
{
	struct result *result = result_new(workload_mutex_inversion.metrics);
	const struct workload_run run = {
		.proxy_exec = proxy, .proxy_exec_request = request, .result = result};
	struct json_object *document, *metrics, *metric = NULL;

	assert_non_null(result);
	judge_promise(&run, 2, 6);
	document = result_to_json(result);
	metrics = json_object_object_get(document, "metrics");
	for (size_t i = 0; i < json_object_array_length(metrics); i++) {
		metric = json_object_array_get_idx(metrics, i);
		if (!strcmp(json_object_get_string(json_object_object_get(metric, "name")),
			    "unbounded_waits"))
			break;
	}
	assert_int_equal(json_object_get_uint64(json_object_object_get(metric, "violations")),
			 violations);
	assert_int_equal(json_object_get_uint64(json_object_object_get(metric, "exposure")),
			 exposure);
	json_object_put(document);
	result_free(result);
}

static void test_only_proxy_execution_promises_a_bound(void **state)
{
	(void)state;
	expect_promise(PROXY_EXEC_ON, PROXY_EXEC_ASKED_ON, 2, 6);
	expect_promise(PROXY_EXEC_ON, PROXY_EXEC_NOT_NAMED, 2, 6);
	expect_promise(PROXY_EXEC_UNKNOWN, PROXY_EXEC_ASKED_ON, 2, 6);
	expect_promise(PROXY_EXEC_UNKNOWN, PROXY_EXEC_NOT_NAMED, 0, 0);
	expect_promise(PROXY_EXEC_OFF, PROXY_EXEC_ASKED_OFF, 0, 0);
	expect_promise(PROXY_EXEC_ABSENT, PROXY_EXEC_ASKED_ON, 0, 0);
}

/* A thread's priority is the kernel's: 120 and its nice value. */
static void test_a_priority_is_read_from_the_kernel(void **state)
{
	int nice_now = getpriority(PRIO_PROCESS, (id_t)gettid());
	uint64_t priority = 0;
	int err = task_priority(gettid(), &priority);

	(void)state;
	if (err == -ENOENT)
		skip(); /* no /proc/PID/sched here */
	assert_int_equal(err, 0);
	assert_int_equal(priority, 120 + nice_now);
	assert_int_equal(task_priority(0x7fffffff, &priority), -ENOENT);
}

/* Shortened from a guest's, with the blanks that the kernel pads them with. */
static const char sched_text[] =
	"proxeval (57, #threads: 5)\n"
	"-------------------------------------------------------------------\n"
	"se.exec_start                                :          1164.001702\n"
	"se.vruntime                                  :             0.000000\n"
	"se.sum_exec_runtime                          :             0.081930\n"
	"se.nr_migrations                             :                    1\n"
	"nr_switches                                  :                    4\n"
	"nr_voluntary_switches                        :                    3\n"
	"nr_involuntary_switches                      :                    1\n"
	"policy                                       :                    1\n";

static void test_the_kernels_books_are_read_to_the_nanosecond(void **state)
{
	struct task_look look;

	(void)state;
	assert_int_equal(task_look_parse_sched(sched_text, &look), 0);
	assert_int_equal(look.exec_start_ns, 1164001702);
	assert_int_equal(look.sum_exec_ns, 81930);
	assert_int_equal(look.voluntary_switches, 3);
	assert_false(look.is_fair);
	assert_int_equal(task_look_parse_sched("se.exec_start : 1.000000\n", &look), -EINVAL);
	assert_int_equal(task_look_parse_sched("", &look), -EINVAL);
}

static void test_a_fair_threads_vruntime_may_be_negative(void **state)
{
	static const char text[] = "se.exec_start    :          1164.001702\n"
				   "se.vruntime      :           -12.000003\n"
				   "se.sum_exec_runtime : 0.081930\n"
				   "nr_voluntary_switches : 3\n"
				   "policy           :                    0\n";
	struct task_look look;

	(void)state;
	assert_int_equal(task_look_parse_sched(text, &look), 0);
	assert_true(look.is_fair);
	assert_int_equal(look.vruntime_ns, -12000003);
	/* A kernel that does not say: then the rule of the other classes has to do. */
	assert_int_equal(task_look_parse_sched("se.exec_start : 1.000000\n"
					       "se.sum_exec_runtime : 1.000000\n"
					       "nr_voluntary_switches : 3\n",
					       &look),
			 0);
	assert_false(look.is_fair);
}

static void test_state_and_cpu_behind_any_name(void **state)
{
	static const char stat[] =
		"57 (a) S 1 (b) D 55 55 55 0 -1 64 5 0 0 0 1 2 3 4 -51 0 5 0 110 18300928 1230 "
		"18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 -1 6 50 1 0 0 0 0 0\n";
	struct task_look look;

	(void)state;
	assert_int_equal(task_look_parse_stat(stat, &look), 0);
	assert_int_equal(look.state, 'D');
	assert_int_equal(look.cpu, 6);
	assert_int_equal(task_look_parse_stat("57 (cut) D 55 55", &look), -EINVAL);
	assert_int_equal(task_look_parse_stat("", &look), -EINVAL);
}

static void test_pending_signals_are_read(void **state)
{
	static const char text[] = "Name:\tSigPnd: 1\nState:\tD (disk sleep)\n"
				   "SigQ:\t1/15\nSigPnd:\t0000000000000200\n"
				   "ShdPnd:\t0000000000000001\n";
	uint64_t signals = 1;

	(void)state;
	assert_int_equal(task_pending_signals_parse(text, &signals), 0);
	assert_int_equal(signals, UINT64_C(1) << 9);
	assert_int_equal(task_pending_signals_parse("SigQ:\t1/15\n", &signals), -EINVAL);
}

static const struct task_look asleep = {
	.state = 'D', .cpu = 2, .exec_start_ns = 1000, .sum_exec_ns = 50, .voluntary_switches = 4};

static struct task_watch watch_of_cpu_2(void)
{
	return (struct task_watch){
		.stat_fd = -1, .sched_fd = -1, .own_cpu = 2, .asleep = 'D', .switches_before = 3};
}

static void test_a_sleeper_that_nobody_charges_lends_nothing(void **state)
{
	struct task_watch watch = watch_of_cpu_2();

	(void)state;
	task_watch_judge(&watch, &asleep);
	task_watch_judge(&watch, &asleep);
	assert_int_equal(watch.looks, 2);
	assert_false(watch.is_charged);
	assert_false(watch.is_moved);
}

static void test_a_sleeper_whose_books_go_on_lends(void **state)
{
	struct task_watch watch = watch_of_cpu_2();
	struct task_look later = asleep;

	(void)state;
	task_watch_judge(&watch, &asleep);
	later.exec_start_ns += 1000000;
	task_watch_judge(&watch, &later);
	assert_true(watch.is_charged);
	assert_false(watch.is_moved);
}

/* It was preempted in state D and has just been picked: exec_start moves first. */
static void test_a_fair_thread_that_is_picked_again_lends_nothing(void **state)
{
	struct task_watch watch = watch_of_cpu_2();
	struct task_look first = asleep, later;

	(void)state;
	first.is_fair = true;
	later = first;
	task_watch_judge(&watch, &first);
	later.exec_start_ns += 1000000;
	task_watch_judge(&watch, &later);
	assert_false(watch.is_charged);
	later.vruntime_ns += 1000000;
	task_watch_judge(&watch, &later);
	assert_true(watch.is_charged);
}

static void test_a_sleeper_on_a_cpu_that_it_may_not_use_lends(void **state)
{
	struct task_watch watch = watch_of_cpu_2();
	struct task_look moved = asleep;

	(void)state;
	moved.cpu = 0;
	task_watch_judge(&watch, &moved);
	assert_true(watch.is_moved);
}

static void test_what_ran_in_between_proves_nothing(void **state)
{
	struct task_watch watch = watch_of_cpu_2();
	struct task_look later = asleep;

	(void)state;
	later.exec_start_ns += 1000;
	later.sum_exec_ns += 1000; /* it ran itself */
	task_watch_judge(&watch, &asleep);
	task_watch_judge(&watch, &later);
	assert_false(watch.is_charged);
	later.exec_start_ns += 1000;
	later.voluntary_switches++; /* it slept anew */
	task_watch_judge(&watch, &later);
	assert_false(watch.is_charged);
}

static void test_before_it_slept_nothing_counts(void **state)
{
	struct task_watch watch = watch_of_cpu_2();
	struct task_look look = asleep;

	(void)state;
	look.voluntary_switches = 3; /* in state D, on its way to sleep */
	look.cpu = 0;
	task_watch_judge(&watch, &look);
	look.voluntary_switches = 4;
	look.state = 'R';
	task_watch_judge(&watch, &look);
	assert_int_equal(watch.looks, 0);
	assert_false(watch.is_moved);
}

static void test_a_section_is_what_was_asked_for_within_a_fifth(void **state)
{
	(void)state;
	assert_true(lock_is_section_fit(6000000, 6000000));
	assert_true(lock_is_section_fit(4800000, 6000000));
	assert_false(lock_is_section_fit(4799999, 6000000));
	assert_true(lock_is_section_fit(7200000, 6000000));
	assert_false(lock_is_section_fit(7200001, 6000000));
	assert_false(lock_is_section_fit(277489, 6000000));
	assert_int_equal(lock_scale_size(65536, 6000000, 1500000), 262144);
	assert_int_equal(lock_scale_size(65536, 6000000, 12000000), 32768);
	assert_int_equal(lock_scale_size(1, 1, 1000), 1);
	assert_true(lock_scale_size(UINT64_C(1) << 30, 1000000000, 0) > UINT64_C(1) << 30);
}

/* Whatever else this machine does: a lock that was made has the section that was asked for. */
static void test_a_lock_that_is_made_has_its_section(void **state)
{
	struct lock lock = {.ops = &lock_f_pos, .section_ns = 2000000};
	int err = lock_f_pos.init(&lock);

	(void)state;
	if (err != -EAGAIN) {
		assert_int_equal(err, 0);
		assert_true(lock_is_section_fit(lock.section_ns, 2000000));
	}
	lock_f_pos.release(&lock);
}

static int check(const char *text, size_t *index, char error[256])
{
	const char *value;

	return workload_check_parameter(&workload_mutex_inversion, text, index, &value, error, 256);
}

static void test_parameters_are_checked(void **state)
{
	char error[256];
	size_t index = 99;

	(void)state;
	assert_int_equal(check("owner=throttled", &index, error), 0);
	assert_string_equal(workload_mutex_inversion.parameters[index].name, "owner");
	assert_int_equal(check("section_us=500", &index, error), 0);
	assert_string_equal(workload_mutex_inversion.parameters[index].name, "section_us");
	assert_int_equal(check("section_us=499", &index, error), -EINVAL);
	assert_string_equal(error, "mutex-inversion: section_us is a number from 500 to 1000000 "
				   "(us); not '499'");
	assert_int_equal(check("section_us=6ms", &index, error), -EINVAL);
	assert_int_equal(check("section_us=", &index, error), -EINVAL);
	assert_int_equal(check("donor=rt", &index, error), -EINVAL);
	assert_string_equal(error,
			    "mutex-inversion: donor is one of fifo, nice, deadline; not 'rt'");
	assert_int_equal(check("section=1", &index, error), -EINVAL);
	assert_non_null(strstr(error, "has no parameter 'section'"));
	assert_non_null(strstr(error, "section_us"));
	assert_int_equal(check("donor", &index, error), -EINVAL);
	assert_string_equal(error, "'donor' is not NAME=VALUE");
}

static void test_standards_pass_their_own_checks(void **state)
{
	char word[256], error[256];
	size_t index;

	(void)state;
	for (const struct workload *const *w = workloads; *w; w++)
		for (size_t i = 0; (*w)->parameters[i].name; i++) {
			snprintf(word, sizeof(word), "%s=%s", (*w)->parameters[i].name,
				 (*w)->parameters[i].standard);
			assert_int_equal(workload_check_parameter(*w, word, &index, NULL, error,
								  sizeof(error)),
					 0);
			assert_int_equal(index, i);
		}
}

static void test_every_profile_has_work_that_passes_the_checks(void **state)
{
	(void)state;
	for (const char *const *name = profile_names; *name; name++) {
		struct json_object *work = profile_work(*name, NULL, 0);
		char word[256], error[256];
		size_t index;

		assert_non_null(work);
		assert_non_null(profile_summary(*name));
		assert_true(profile_boots(*name) >= 2);
		assert_true(json_object_array_length(work) >= 1);
		for (size_t i = 0; i < json_object_array_length(work); i++) {
			struct json_object *item = json_object_array_get_idx(work, i);
			const struct workload *workload = workload_find(
				json_object_get_string(json_object_object_get(item, "workload")));

			assert_non_null(workload);
			json_object_object_foreach (json_object_object_get(item, "params"), key,
						    value) {
				snprintf(word, sizeof(word), "%s=%s", key,
					 json_object_get_string(value));
				assert_int_equal(workload_check_parameter(workload, word, &index,
									  NULL, error,
									  sizeof(error)),
						 0);
			}
		}
		json_object_put(work);
	}
}

/* Ten times as often as thorough does it, whether that says how often or leaves it at the standard;
 * and ten times as long. */
static void test_soak_does_everything_ten_times(void **state)
{
	static const char *const rows[][3] = {{"lock-kinds", "samples", "60"},
					      {"lock-kinds", "control_samples", "20"},
					      {"mutex-inversion", "samples", "200"},
					      {"rename-inversion", "duration_ms", "50000"},
					      {"rt-balance", "rounds", "50"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *work = profile_work("soak", &rows[i][0], 1);
		struct json_object *item = json_object_array_get_idx(work, 0), *params, *value;

		assert_true(json_object_object_get_ex(item, "params", &params));
		assert_true(json_object_object_get_ex(params, rows[i][1], &value));
		assert_string_equal(json_object_get_string(value), rows[i][2]);
		assert_false(json_object_object_get_ex(params, "limit_ms", NULL));
		json_object_put(work);
	}
}

/* The whole of quick stages cheaply; who names a workload gets what its page says. */
static void test_quick_stages_a_named_workload_by_its_standards(void **state)
{
	(void)state;
	for (size_t i = 0; workloads[i]; i++) {
		const struct workload *workload = workloads[i];
		struct json_object *work = profile_work("quick", &workload->name, 1);
		struct json_object *item = json_object_array_get_idx(work, 0), *params;

		assert_int_equal(json_object_array_length(work), 1);
		assert_true(json_object_object_get_ex(item, "params", &params));
		for (const struct parameter_spec *p = workload->parameters; p->name; p++)
			if (!p->is_effort)
				assert_false(json_object_object_get_ex(params, p->name, NULL));
		json_object_put(work);
	}
}

static void test_a_profile_can_be_narrowed(void **state)
{
	const char *const known[] = {"mutex-inversion"};
	const char *const unknown[] = {"no-such-workload"};
	struct json_object *work;

	(void)state;
	work = profile_work("quick", known, 1);
	assert_int_equal(json_object_array_length(work), 1);
	json_object_put(work);
	assert_null(profile_work("quick", unknown, 1));
	assert_null(profile_work("no-such-profile", NULL, 0));
	assert_int_equal(profile_boots("no-such-profile"), 0);
	assert_null(profile_summary("no-such-profile"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phases_are_the_seeds_and_one_of_each_stratum),
		cmocka_unit_test(test_more_phases_than_thousandths_stay_in_range),
		cmocka_unit_test(test_a_long_run_has_strata_in_every_block),
		cmocka_unit_test(test_the_factor_is_wait_over_need),
		cmocka_unit_test(test_no_need_no_factor),
		cmocka_unit_test(test_a_donor_is_blocked_when_it_sleeps_on_a_held_lock),
		cmocka_unit_test(test_ninety_five_percent_must_be_contended),
		cmocka_unit_test(test_proxying_is_held_to_what_the_kernel_says),
		cmocka_unit_test(test_a_silent_kernel_is_held_to_what_it_was_asked_for),
		cmocka_unit_test(test_shares_and_what_they_promise),
		cmocka_unit_test(test_a_wait_is_bounded_by_need_and_switches),
		cmocka_unit_test(test_only_proxy_execution_promises_a_bound),
		cmocka_unit_test(test_a_priority_is_read_from_the_kernel),
		cmocka_unit_test(test_the_kernels_books_are_read_to_the_nanosecond),
		cmocka_unit_test(test_a_fair_threads_vruntime_may_be_negative),
		cmocka_unit_test(test_state_and_cpu_behind_any_name),
		cmocka_unit_test(test_pending_signals_are_read),
		cmocka_unit_test(test_a_sleeper_that_nobody_charges_lends_nothing),
		cmocka_unit_test(test_a_sleeper_whose_books_go_on_lends),
		cmocka_unit_test(test_a_fair_thread_that_is_picked_again_lends_nothing),
		cmocka_unit_test(test_a_sleeper_on_a_cpu_that_it_may_not_use_lends),
		cmocka_unit_test(test_what_ran_in_between_proves_nothing),
		cmocka_unit_test(test_before_it_slept_nothing_counts),
		cmocka_unit_test(test_parameters_are_checked),
		cmocka_unit_test(test_standards_pass_their_own_checks),
		cmocka_unit_test(test_every_profile_has_work_that_passes_the_checks),
		cmocka_unit_test(test_soak_does_everything_ten_times),
		cmocka_unit_test(test_quick_stages_a_named_workload_by_its_standards),
		cmocka_unit_test(test_a_profile_can_be_narrowed),
		cmocka_unit_test(test_a_section_is_what_was_asked_for_within_a_fifth),
		cmocka_unit_test(test_a_lock_that_is_made_has_its_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
