// SPDX-License-Identifier: GPL-2.0-only
/* Plans that a seed draws, and how they are made smaller; what a console says, as one line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "bench/explore.h"
#include "bench/explore_shrink.h"
#include "bench/signature.h"
#include "bench/target.h"
#include "measure/clock.h"
#include "workloads/stress.h"
#include "workloads/stress_cookies.h"

/* ---- plans ---- */

static void test_same_seed_same_plan(void **state)
{
	struct stress_plan one, other;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		stress_plan_draw(&one, seed, 3 * NS_PER_S, NULL);
		memset(&other, 0xff, sizeof(other));
		stress_plan_draw(&other, seed, 3 * NS_PER_S, NULL);
		assert_memory_equal(&one, &other, sizeof(one));
		assert_true(one.n_actors >= 1 && one.n_actors <= STRESS_MAX_ACTORS);
		assert_true(one.rounds * one.round_ns >= 3 * NS_PER_S);
		assert_true((one.rounds - 1) * one.round_ns < 3 * NS_PER_S);
	}
}

/* Drawn on another machine, years ago: a seed that was written down means the same plan. */
static void test_plan_of_seed_one(void **state)
{
	struct stress_plan plan;

	(void)state;
	stress_plan_draw(&plan, 1, NS_PER_S, NULL);
	assert_int_equal(plan.seed, 1);
	assert_int_equal(plan.trajectory, 1);
	assert_int_equal(plan.limit_ns, 4 * NS_PER_S);
	assert_int_equal(plan.metronome_period_ns, 313277);
	assert_int_equal(plan.phase_ns, 235584);
	assert_int_equal(plan.round_ns, 62853827);
	assert_int_equal(plan.rounds, 16);
	assert_int_equal(plan.n_actors, 23);
	assert_int_equal(plan.actors[0].mechanism, STRESS_PI_FUTEX);
	assert_int_equal(plan.actors[0].seed, 798051602);
}

static void test_seeds_draw_all_mechanisms(void **state)
{
	bool drawn[STRESS_MECHANISMS] = {false};
	struct stress_plan plan;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		stress_plan_draw(&plan, seed, NS_PER_S, NULL);
		for (size_t i = 0; i < plan.n_actors; i++)
			drawn[plan.actors[i].mechanism] = true;
	}
	for (int i = 0; i < STRESS_MECHANISMS; i++)
		assert_true(drawn[i]);
}

static void test_only(void **state)
{
	struct stress_choice choice = {.has_only = true};
	struct stress_plan plan;

	(void)state;
	for (int wanted = 0; wanted < STRESS_MECHANISMS; wanted++) {
		memset(choice.only, 0, sizeof(choice.only));
		choice.only[wanted] = true;
		for (uint64_t seed = 0; seed < 20; seed++) {
			stress_plan_draw(&plan, seed, NS_PER_S, &choice);
			assert_true(plan.n_actors >= 1);
			for (size_t i = 0; i < plan.n_actors; i++)
				assert_int_equal(plan.actors[i].mechanism, wanted);
		}
	}
}

static void test_plan_through_json(void **state)
{
	struct stress_plan plan, back;
	char problem[200];

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct json_object *document;

		stress_plan_draw(&plan, seed, NS_PER_S, NULL);
		document = stress_plan_to_json(&plan);
		assert_int_equal(stress_plan_read(&back, document, problem, sizeof(problem)), 0);
		assert_memory_equal(&plan, &back, sizeof(plan));
		json_object_put(document);
	}
}

/* One change to a good plan, as JSON text behind a key; what reading says of it. */
static void expect_refused(const char *key, const char *value, const char *part)
{
	struct stress_plan plan;
	struct json_object *document;
	char problem[200] = "";

	stress_plan_draw(&plan, 7, NS_PER_S, NULL);
	document = stress_plan_to_json(&plan);
	if (value)
		json_object_object_add(document, key, json_tokener_parse(value));
	else
		json_object_object_del(document, key);
	assert_int_equal(stress_plan_read(&plan, document, problem, sizeof(problem)), -22);
	if (!strstr(problem, part))
		fail_msg("'%s' does not say '%s'", problem, part);
	json_object_put(document);
}

static void test_plan_is_read_strictly(void **state)
{
	(void)state;
	expect_refused("format", "\"proxeval-plan\"", "\"format\" is not");
	expect_refused("version", "2", "\"version\" is not a whole number from 1 to 1");
	expect_refused("rounds", NULL, "\"rounds\" is not");
	expect_refused("rounds", "0", "\"rounds\" is not a whole number from 1 to 100000");
	expect_refused("rounds", "\"5\"", "\"rounds\" is not");
	expect_refused("seed", "4294967296", "\"seed\" is not");
	expect_refused("surprise", "1", "the plan has a key that is not known");
	expect_refused("actors", "[]", "\"actors\" is not a list of 1 to 64");
	expect_refused("actors", "[{}]", "\"mechanism\" is not one of the words");
	expect_refused("actors",
		       "[{\"mechanism\": \"tee\", \"seed\": 1, \"class\": \"nice\", \"nice\": 20, "
		       "\"priority\": 0, \"cpu\": 0, \"cookie\": 0}]",
		       "\"nice\" is not a whole number from -20 to 19");
	expect_refused("actors",
		       "[{\"mechanism\": \"tee\", \"seed\": 1, \"class\": \"nice\", \"nice\": 2, "
		       "\"priority\": 0, \"cpu\": 0, \"cookie\": 0, \"x\": 0}]",
		       "an actor has a key that is not known");
}

static void test_plant(void **state)
{
	struct stress_plant plant;

	(void)state;
	assert_int_equal(stress_plant_parse(&plant, "lost,f-pos,signals,3"), 0);
	assert_int_equal(plant.kind, STRESS_PLANT_LOST);
	assert_int_equal(plant.mechanisms[0], STRESS_F_POS);
	assert_int_equal(plant.mechanisms[1], STRESS_SIGNALS);
	assert_int_equal(plant.round, 3);
	assert_int_equal(stress_plant_parse(&plant, "spin,tee,hotplug,1"), 0);
	assert_int_equal(plant.kind, STRESS_PLANT_SPIN);
	assert_int_equal(stress_plant_parse(&plant, "lost,f-pos,signals"), -22);
	assert_int_equal(stress_plant_parse(&plant, "lost,f-pos,signal,3"), -22);
	assert_int_equal(stress_plant_parse(&plant, "burnt,f-pos,signals,3"), -22);
	assert_int_equal(stress_plant_parse(&plant, ""), -22);
}

/* ---- shrinking ---- */

struct fault {
	unsigned int needs_rounds;
	uint64_t luck; /* it shows on one trajectory of so many; 1: on each */
	unsigned int calls, runs;
	int err;
};

/* It takes a tee and a signal, so many rounds, and luck. */
static int try_fault(void *context, const struct stress_plan *plans, size_t n_plans,
		     unsigned int *rounds)
{
	struct fault *fault = context;

	fault->calls++;
	fault->runs += (unsigned int)n_plans;
	if (fault->err)
		return SHRINK_FAILED(fault->err);
	for (size_t i = 0; i < n_plans; i++) {
		if (plans[i].rounds < fault->needs_rounds ||
		    !stress_plan_has(&plans[i], STRESS_TEE) ||
		    !stress_plan_has(&plans[i], STRESS_SIGNALS) ||
		    plans[i].trajectory % fault->luck)
			continue;
		*rounds = fault->needs_rounds;
		return (int)i;
	}
	return SHRINK_NONE;
}

static struct stress_plan plan_with_fault(void)
{
	struct stress_plan plan;

	stress_plan_draw(&plan, 3, 5 * NS_PER_S, NULL);
	plan.n_actors = 24;
	plan.trajectory = 0;
	for (size_t i = 0; i < plan.n_actors; i++)
		plan.actors[i].mechanism = i == 5    ? STRESS_TEE
					   : i == 17 ? STRESS_SIGNALS
						     : STRESS_F_POS;
	return plan;
}

static void expect_smallest(const struct stress_plan *plan, unsigned int rounds)
{
	assert_int_equal(plan->n_actors, 2);
	assert_int_equal(plan->actors[0].mechanism, STRESS_TEE);
	assert_int_equal(plan->actors[1].mechanism, STRESS_SIGNALS);
	assert_int_equal(plan->rounds, rounds);
	assert_int_equal(plan->files, 1);
	assert_int_equal(plan->pipes, 2);
	assert_int_equal(plan->phase_ns, 0);
	assert_int_equal(plan->actors[0].class, STRESS_NICE);
	assert_int_equal(plan->actors[0].cpu, -1);
	/* A disturber is as it has to be. */
	assert_int_equal(plan->actors[1].class, plan_with_fault().actors[17].class);
}

static void test_shrink(void **state)
{
	struct fault fault = {.needs_rounds = 4, .luck = 1};
	struct shrink shrink = {.try_plans = try_fault,
				.context = &fault,
				.trajectories = 2,
				.width = 3,
				.runs_left = 1000};
	struct stress_plan plan = plan_with_fault();

	(void)state;
	assert_int_equal(shrink_plan(&shrink, &plan, 4), 0);
	expect_smallest(&plan, 4);
	assert_int_equal(fault.runs, 1000 - shrink.runs_left);
	assert_true(fault.runs < 120);
}

/* A race that shows on one way of three: several ways are tried before a plan is given up. */
static void test_shrink_a_race(void **state)
{
	struct fault fault = {.needs_rounds = 1, .luck = 3};
	struct shrink shrink = {.try_plans = try_fault,
				.context = &fault,
				.trajectories = 12,
				.width = 2,
				.runs_left = 10000};
	struct stress_plan plan = plan_with_fault();

	(void)state;
	assert_int_equal(shrink_plan(&shrink, &plan, 1), 0);
	expect_smallest(&plan, 1);
	assert_int_equal(plan.trajectory % 3, 0);
}

/* What does not shrink stays what it was, within the runs allowed. */
static void test_shrink_ends(void **state)
{
	struct fault fault = {.needs_rounds = 99999, .luck = 1};
	struct shrink shrink = {.try_plans = try_fault,
				.context = &fault,
				.trajectories = 3,
				.width = 4,
				.runs_left = 17};
	struct stress_plan plan = plan_with_fault(), before = plan;

	(void)state;
	assert_int_equal(shrink_plan(&shrink, &plan, 9), 0);
	assert_int_equal(fault.runs, 17);
	assert_memory_equal(&plan, &before, sizeof(plan));
	shrink.runs_left = 5;
	fault.err = -EINTR;
	assert_int_equal(shrink_plan(&shrink, &plan, 9), -EINTR);
	assert_memory_equal(&plan, &before, sizeof(plan));
}

/* ---- signatures ---- */

static void expect_normal(const char *line, const char *expected)
{
	char text[320];

	signature_normalise(line, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_normalise(void **state)
{
	(void)state;
	expect_normal("[    3.123456] WARNING: kernel/sched/fair.c:5678 at "
		      "put_prev_task_fair+0x12/0x34, CPU#2: px3-f-pos/123",
		      "WARNING: kernel/sched/fair.c at put_prev_task_fair");
	expect_normal("[    3.123456][  T123] WARNING: CPU: 1 PID: 77 at kernel/sched/core.c:12 "
		      "proxy_deactivate+0x1/0x2",
		      "WARNING: at kernel/sched/core.c proxy_deactivate");
	expect_normal("BUG: kernel NULL pointer dereference, address: 0000000000000058",
		      "BUG: kernel NULL pointer dereference, address: N");
	expect_normal("Oops: Oops: 0000 [#1] SMP", "Oops: Oops: N [#N] SMP");
	expect_normal("INFO: task px12-sleeping-o:321 blocked for more than 30 seconds.",
		      "INFO: task px:N blocked for more than N seconds.");
	expect_normal(
		"list_del corruption. prev->next should be ff110000202a3ce0, but was dead000000000100.",
		"list_del corruption. prev->next should be N, but was N.");
	expect_normal("", "");
}

static const char console[] =
	"[    0.900000] x86: Booting SMP configuration:\r\n"
	"[    1.500000] proxeval: machine clock 2250000000\n"
	"[    3.250000] BUG: kernel NULL pointer dereference, address: 0000000000000058\n"
	"[    3.250010] #PF: supervisor read access in kernel mode\n"
	"[    3.250020] RIP: 0010:pick_task_fair+0x3a/0x110\n"
	"[    3.250030] Call Trace:\n"
	"[    3.250040]  <TASK>\n"
	"[    3.250050]  __schedule+0x1/0x2\n"
	"[    3.250060] ---[ end trace 0000000000000000 ]---\n"
	"[    3.250070] Kernel panic - not syncing: Fatal exception\n";

static void test_oops_on_a_console(void **state)
{
	struct signature signature;
	char *stack;

	(void)state;
	assert_true(signature_from_log(&signature, console));
	assert_string_equal(signature.kind, "report");
	assert_string_equal(signature.text, "BUG: kernel NULL pointer dereference, address: N in "
					    "pick_task_fair");
	assert_string_equal(signature.line, "BUG: kernel NULL pointer dereference, address: "
					    "0000000000000058");
	assert_int_equal(signature.at_ns, 4 * NS_PER_S);
	stack = signature_stack(&signature, console);
	assert_non_null(strstr(stack, "pick_task_fair+0x3a"));
	assert_non_null(strstr(stack, "---[ end trace"));
	assert_null(strstr(stack, "Kernel panic"));
	assert_null(strstr(stack, "machine clock"));
	free(stack);
}

static void test_nothing_on_a_console(void **state)
{
	struct signature signature;

	(void)state;
	assert_false(signature_from_log(&signature, ""));
	assert_false(signature_from_log(&signature, "[    1.0] Linux version 7.2\nwell\n"));
}

static void test_every_report_of_a_console(void **state)
{
	struct signature signature;
	size_t from = 0;

	(void)state;
	assert_true(signature_from_log_at(&signature, console, &from));
	assert_non_null(strstr(signature.text, "NULL pointer"));
	assert_ptr_equal(console + from, strstr(console, "[    3.250010] #PF"));
	assert_true(signature_from_log_at(&signature, console, &from));
	assert_string_equal(signature.text, "Kernel panic - not syncing: Fatal exception");
	assert_string_equal(signature.kind, "report");
	assert_false(signature_from_log_at(&signature, console, &from));
}

static void test_hang_on_a_console(void **state)
{
	struct signature signature;

	(void)state;
	assert_true(signature_from_log(
		&signature, "[    9.000000] Uhhuh. NMI received for unknown reason 30 on CPU 0.\n"
			    "[    9.000001] Kernel panic - not syncing: NMI: Not continuing\n"
			    "[    9.000002] RIP: 0010:queued_spin_lock_slowpath+0x1/0x2\n"));
	assert_string_equal(signature.kind, "hang");
	assert_string_equal(signature.text, "Kernel panic - not syncing: NMI: Not continuing in "
					    "queued_spin_lock_slowpath");
	assert_int_equal(signature.at_ns, 0); /* no line says what the machine's clock was */
}

/* Where the other CPUs were when somebody asked for a crash is chance, and no part of what it is.
 */
static void test_panic_of_a_healthy_kernel(void **state)
{
	struct signature signature;

	(void)state;
	assert_true(signature_from_log(
		&signature, "[    9.000000] Kernel panic - not syncing: sysrq triggered crash\n"
			    "[    9.000001] Call Trace:\n"
			    "[    9.000002]  panic+0x1/0x2\n"
			    "[    9.000003] Sending NMI from CPU 3 to CPUs 0-2:\n"
			    "[    9.000004] RIP: 0010:enqueue_task_rt+0x1/0x2\n"));
	assert_string_equal(signature.kind, "report");
	assert_string_equal(signature.text, "Kernel panic - not syncing: sysrq triggered crash");
}

static const char tasks[] =
	"[    5.000000] sysrq: Show Blocked State\n"
	"[    5.000001] task:px1-tee         state:D stack:0 pid:70 tgid:60 ppid:1\n"
	"[    5.000002] Call Trace:\n"
	"[    5.000003]  __schedule+0x1/0x2\n"
	"[    5.000003]  pipe_lock+0x1/0x2\n"
	"[    5.000004] task:px12-sleeping-o state:D stack:0 pid:71 tgid:60 ppid:1\n"
	"[    5.000005] Call Trace:\n"
	"[    5.000006]  <TASK>\n"
	"[    5.000007]  __schedule+0x1/0x2\n"
	"[    5.000008]  ? guessed+0x1/0x2\n"
	"[    5.000009]  schedule_preempt_disabled+0x1/0x2\n"
	"[    5.000010]  __mutex_lock+0x1/0x2\n"
	"[    5.000011]  fdget_pos+0x1/0x2\n"
	"[    5.000012]  ksys_lseek+0x1/0x2\n"
	"[    5.000013]  do_syscall_64+0x1/0x2\n";

static void test_lost_task(void **state)
{
	struct signature signature, other;

	(void)state;
	signature_from_problem(&signature, tasks, "lost",
			       "px12-sleeping-o (task 71, state D) does not come back from round 3",
			       77);
	assert_string_equal(signature.text,
			    "lost, in state D in __mutex_lock < fdget_pos < ksys_lseek");
	assert_int_equal(signature.at_ns, 77);
	signature_from_problem(&other, tasks, "lost", "px1-tee (task 70, state D) does not", 78);
	assert_string_equal(other.text, "lost, in state D in pipe_lock");
	assert_false(signature_is_same(&signature, &other));
	assert_true(signature_is_same(&signature, &signature));
	signature_from_problem(&other, "", "lost", "px1-tee (task 70, state S) does not", 78);
	assert_string_equal(other.text, "lost, in state S");
	/* Where one was that is ready to run is chance. */
	signature_from_problem(&other, tasks, "lost",
			       "px1-tee (task 70, state R, class deadline) does not come back", 78);
	assert_string_equal(other.text, "lost, ready to run, of class deadline");
	assert_true(other.stack_at < strlen(tasks));
}

/* Warnings of one function are told apart by what they say. */
static void test_warning_with_words(void **state)
{
	struct signature signature;

	(void)state;
	assert_true(signature_from_log(
		&signature, "[    2.0] ------------[ cut here ]------------\n"
			    "[    2.0] proxy: px7-pipe/65 executed with a donor\n"
			    "[    2.0] WARNING: at __schedule+0x1/0x2, CPU#0: px7-pipe/65\n"));
	assert_string_equal(signature.text,
			    "WARNING: at __schedule: proxy: px/N executed with a donor");
	assert_true(signature_from_log(
		&signature, "[    2.0] words of something else\n"
			    "[    2.0] ------------[ cut here ]------------\n"
			    "[    2.0] WARNING: at __schedule+0x1/0x2, CPU#0: px7-pipe/65\n"));
	assert_string_equal(signature.text, "WARNING: at __schedule");
}

/* ---- what the base is known for ---- */

static void write_known(char *path, const char *text)
{
	int fd = mkstemp(strcpy(path, "/tmp/proxeval-test-XXXXXX"));

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int read_known(struct known_faults *known, const char *text)
{
	char path[64];
	int err;

	write_known(path, text);
	err = known_faults_read(known, path);
	unlink(path);
	return err;
}

static void test_known_faults(void **state)
{
	struct signature warning = {.kind = "report", .text = "WARNING: at one_function: words"};
	struct signature lost = {.kind = "lost", .text = "lost, ready to run, of class deadline"};
	struct stress_plan plan = {.n_actors = 1};
	struct known_faults known;

	(void)state;
	assert_int_equal(read_known(&known, "# words\n\nreport - WARNING: at one_function\n"
					    "lost hotplug lost, ready to run, of class deadline\n"),
			 0);
	assert_int_equal(known.count, 2);
	assert_true(known_faults_has(&known, &warning, &plan));
	assert_false(known_faults_has(NULL, &warning, &plan));
	assert_false(known_faults_has(&known, &lost, &plan));
	plan.actors[0].mechanism = STRESS_HOTPLUG;
	assert_true(known_faults_has(&known, &lost, &plan));
	strcpy(lost.text, "lost, ready to run, of class nice");
	assert_false(known_faults_has(&known, &lost, &plan));
	strcpy(warning.kind, "lost");
	assert_false(known_faults_has(&known, &warning, &plan));
	known_faults_release(&known);
	assert_int_equal(read_known(&known, "report coffee WARNING\n"), -EINVAL);
	known_faults_release(&known);
	assert_int_equal(read_known(&known, "report -\n"), -EINVAL);
	known_faults_release(&known);
	assert_int_equal(known_faults_read(&known, "/nonexistent"), -ENOENT);
	known_faults_release(&known);
}

static void test_accounting(void **state)
{
	struct signature one, other;

	(void)state;
	signature_from_problem(&one, "", "accounting", "nr_uninterruptible is off by -1", 5);
	signature_from_problem(&other, "", "accounting", "nr_uninterruptible is off by 3", 6);
	assert_string_equal(one.text, "nr_uninterruptible is off");
	assert_true(signature_is_same(&one, &other));
}

/* Whoever it is and wherever: it is one fault. */
static void test_misplaced(void **state)
{
	struct signature one, other;

	(void)state;
	signature_from_problem(&one, "", "misplaced",
			       "px3-f-pos executes on CPU 2, which its affinity does not allow", 5);
	signature_from_problem(&other, "", "misplaced",
			       "px17-pipe executes on CPU 0, which its affinity does not allow", 6);
	assert_string_equal(one.kind, "misplaced");
	assert_true(signature_is_same(&one, &other));
}

/* ---- cookies ---- */

static const struct overlap_task cookie_tasks[] = {{10, 1}, {11, 1}, {20, 2}, {21, 2}};

static void play(struct overlap_watch *watch, uint64_t at_ns, int cpu, pid_t next)
{
	const struct sched_trace_record record = {
		.at_ns = at_ns, .cpu = cpu, .kind = SCHED_TRACE_SWITCH, .next_pid = next};

	assert_int_equal(overlap_take(watch, &record), 0);
}

/* CPUs 0 and 1 are one core, 2 and 3 another. */
static struct overlap_watch new_watch(void)
{
	struct overlap_watch watch = {.tasks = cookie_tasks, .n_tasks = 4};

	for (int cpu = 0; cpu < OVERLAP_MAX_CPUS; cpu++)
		watch.siblings[cpu] = cpu < 4 ? cpu ^ 1 : -1;
	overlap_begin(&watch);
	return watch;
}

static void test_no_overlap(void **state)
{
	struct overlap_watch watch = new_watch();

	(void)state;
	play(&watch, 100, 0, 10);
	play(&watch, 200, 1, 11); /* one cookie */
	play(&watch, 300, 2, 20); /* another core */
	play(&watch, 400, 3, 99); /* nobody's */
	play(&watch, 500, 1, 0);
	play(&watch, 600, 0, 20); /* idle beside it */
	play(&watch, 700, 5, 10);
	overlap_end(&watch, 1000);
	assert_int_equal(watch.longest.length_ns, 0);
}

static void test_overlap(void **state)
{
	struct overlap_watch watch = new_watch();

	(void)state;
	play(&watch, 100, 0, 10);
	play(&watch, 200, 1, 20);
	play(&watch, 230, 1, 11);
	play(&watch, 300, 1, 21);
	play(&watch, 350, 0, 11); /* the pair changes, the overlap goes on */
	play(&watch, 400, 1, 0);
	overlap_end(&watch, 1000);
	assert_int_equal(watch.longest.length_ns, 100);
	assert_int_equal(watch.longest.from_ns, 300);
	assert_int_equal(watch.longest.tids[0], 21);
	assert_int_equal(watch.longest.tids[1], 10);
	assert_int_equal(watch.longest.cpus[0], 1);
	/* One that is not over when the record ends. */
	overlap_begin(&watch);
	play(&watch, 2000, 2, 10);
	play(&watch, 2100, 3, 20);
	overlap_end(&watch, 2500);
	assert_int_equal(watch.longest.length_ns, 400);
	assert_int_equal(watch.longest.from_ns, 2100);
}

/* ---- what came of a guest ---- */

static void judge(struct trial *trial, enum boot_outcome outcome, const char *reason,
		  const char *result, const char *log)
{
	struct boot_answer answer = {.outcome = outcome,
				     .reached_runner = true,
				     .result = result ? json_tokener_parse(result) : NULL};

	snprintf(answer.reason, sizeof(answer.reason), "%s", reason);
	*trial = (struct trial){.log = strdup(log)};
	explore_judge(trial, &answer, NULL);
	json_object_put(answer.result);
	free(trial->log);
	trial->log = NULL;
}

#define GOOD \
	"{\"format\": \"proxeval-stress-result\", \"rounds\": 9, \"operations\": {\"tee\": 5, \"pipe\": 6}, \"problems\": "

static void test_judge(void **state)
{
	struct trial trial;

	(void)state;
	judge(&trial, BOOT_OK, "", GOOD "[]}", "");
	assert_int_equal(trial.end, TRIAL_CLEAN);
	assert_int_equal(trial.rounds, 9);
	assert_int_equal(trial.operations, 11);
	judge(&trial, BOOT_OK, "",
	      GOOD "[{\"kind\": \"accounting\", \"text\": \"nr_iowait adds up\", \"at_ns\": 4}]}",
	      "");
	assert_int_equal(trial.end, TRIAL_FOUND);
	assert_string_equal(trial.signature.text, "nr_iowait is off");
	/* The guest ended well, and its console has a warning that nobody told of. */
	judge(&trial, BOOT_OK, "", GOOD "[]}", "[    1.0] WARNING: a.c:1 at f+0x1/0x2\n");
	assert_int_equal(trial.end, TRIAL_FOUND);
	judge(&trial, BOOT_OK, "", "{}", "");
	assert_int_equal(trial.end, TRIAL_BROKEN);
	judge(&trial, BOOT_PANICKED, "Kernel panic", NULL, console);
	assert_int_equal(trial.end, TRIAL_FOUND);
	assert_string_equal(trial.signature.kind, "report");
	judge(&trial, BOOT_DIED, "the guest ran out of memory", NULL, "");
	assert_int_equal(trial.end, TRIAL_BROKEN);
	assert_string_equal(trial.reason, "the guest ran out of memory");
	/* The wall's clock says nothing about the kernel; what the kernel said before it did, does.
	 */
	judge(&trial, BOOT_NO_PROGRESS, "no sign of life", NULL, "[    1.0] Linux version 7.2\n");
	assert_int_equal(trial.end, TRIAL_NO_PROGRESS);
	assert_true(trial_is_void(&trial));
	assert_string_equal(trial.reason, "no sign of life");
	judge(&trial, BOOT_NO_PROGRESS, "no sign of life", NULL, console);
	assert_int_equal(trial.end, TRIAL_FOUND);
	assert_string_equal(trial.signature.kind, "report");
	assert_false(trial_is_void(&trial));
	judge(&trial, BOOT_FAILED, "QEMU gave up: proxeval: virtual time is up at 90000000000",
	      NULL, "");
	assert_int_equal(trial.end, TRIAL_FOUND);
	assert_string_equal(trial.signature.kind, "hang");
	assert_int_equal(trial.signature.at_ns, 90 * NS_PER_S);
}

/* What is looked for comes before all else, and what nobody knows before what is known. */
static void test_judge_ranks(void **state)
{
	static const char log[] = "[    1.0] WARNING: at known+0x1/0x2, CPU#0: a/1\n"
				  "[    1.1] WARNING: at other+0x1/0x2, CPU#0: a/1\n"
				  "[    1.2] WARNING: at third+0x1/0x2, CPU#0: a/1\n";
	struct known_fault fault = {.kind = "report", .needs = -1, .text = "WARNING: at known"};
	const struct known_faults known = {.items = &fault, .count = 1};
	struct signature wanted = {.kind = "report", .text = "WARNING: at third"};
	struct boot_answer answer = {.outcome = BOOT_OK, .reached_runner = true};
	struct trial trial = {.log = strdup(log)};

	(void)state;
	answer.result = json_tokener_parse(
		GOOD "[{\"kind\": \"lost\", \"text\": \"px1-tee (task 1, state S)\"}]}");
	explore_judge(&trial, &answer, &known);
	assert_string_equal(trial.signature.text, "WARNING: at other");
	assert_false(trial.is_known);
	trial.wanted = &wanted;
	explore_judge(&trial, &answer, &known);
	assert_string_equal(trial.signature.text, "WARNING: at third");
	/* The guest's own word comes before the kernel's when that is known. */
	trial.wanted = NULL;
	*strstr(trial.log, "[    1.1]") = '\0';
	explore_judge(&trial, &answer, &known);
	assert_string_equal(trial.signature.kind, "lost");
	assert_false(trial.is_known);
	assert_int_equal(trial.rounds, 10);
	json_object_put(answer.result);
	answer.result = json_tokener_parse(
		GOOD "[{\"kind\": \"report\", \"text\": \"tainted by a warning\"}]}");
	explore_judge(&trial, &answer, &known);
	assert_int_equal(trial.end, TRIAL_FOUND);
	assert_string_equal(trial.signature.text, "WARNING: at known");
	assert_true(trial.is_known);
	json_object_put(answer.result);
	free(trial.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_seed_same_plan),
		cmocka_unit_test(test_plan_of_seed_one),
		cmocka_unit_test(test_seeds_draw_all_mechanisms),
		cmocka_unit_test(test_only),
		cmocka_unit_test(test_plan_through_json),
		cmocka_unit_test(test_plan_is_read_strictly),
		cmocka_unit_test(test_plant),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_shrink_a_race),
		cmocka_unit_test(test_shrink_ends),
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_oops_on_a_console),
		cmocka_unit_test(test_nothing_on_a_console),
		cmocka_unit_test(test_every_report_of_a_console),
		cmocka_unit_test(test_hang_on_a_console),
		cmocka_unit_test(test_panic_of_a_healthy_kernel),
		cmocka_unit_test(test_lost_task),
		cmocka_unit_test(test_accounting),
		cmocka_unit_test(test_misplaced),
		cmocka_unit_test(test_no_overlap),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_warning_with_words),
		cmocka_unit_test(test_known_faults),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_judge_ranks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
