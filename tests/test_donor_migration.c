// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "workloads/migration_event.h"
#include "workloads/place_meter.h"
#include "workloads/traced_lock.h"
#include "workloads/workload.h"

#define OWNER 10
#define DONOR 20
#define HOG   30

/* The owner on CPU 0, the donor on CPU 4, which goes at 100. */
static struct place_meter new_meter(void)
{
	struct place_meter meter = {.from_ns = 50, .to_ns = 1000, .donor_from_ns = 100};

	meter.tasks[PLACE_OWNER].pid = OWNER;
	meter.tasks[PLACE_DONOR].pid = DONOR;
	CPU_SET(0, &meter.tasks[PLACE_OWNER].before);
	CPU_SET(0, &meter.tasks[PLACE_OWNER].after);
	CPU_SET(4, &meter.tasks[PLACE_DONOR].before);
	CPU_SET(4, &meter.tasks[PLACE_DONOR].after);
	return meter;
}

static void change(struct place_meter *meter, uint64_t at_ns, int cpu, pid_t prev, char state,
		   pid_t next)
{
	const struct sched_trace_record record = {.kind = SCHED_TRACE_SWITCH,
						  .at_ns = at_ns,
						  .cpu = cpu,
						  .prev_pid = prev,
						  .prev_state = state,
						  .next_pid = next};

	assert_int_equal(place_meter_take(meter, &record), 0);
}

static void migrate(struct place_meter *meter, uint64_t at_ns, pid_t pid)
{
	const struct sched_trace_record record = {
		.kind = SCHED_TRACE_MIGRATE, .at_ns = at_ns, .pid = pid};

	assert_int_equal(place_meter_take(meter, &record), 0);
}

static void test_a_donor_that_lends_and_returns(void **state)
{
	struct place_meter meter = new_meter();

	(void)state;
	change(&meter, 60, 0, 0, 'R', OWNER);
	change(&meter, 70, 0, OWNER, 'R', HOG);
	change(&meter, 90, 4, 0, 'R', DONOR);
	change(&meter, 110, 4, DONOR, 'D', 0);
	migrate(&meter, 111, DONOR);
	change(&meter, 130, 0, HOG, 'R', OWNER);
	migrate(&meter, 300, DONOR);
	migrate(&meter, 301, HOG);
	change(&meter, 310, 4, 0, 'R', DONOR);
	assert_true(meter.has_owner_start);
	assert_int_equal(meter.owner_start_ns, 20);
	assert_int_equal(meter.tasks[PLACE_OWNER].executions, 2);
	assert_int_equal(meter.tasks[PLACE_DONOR].executions, 2);
	assert_int_equal(meter.tasks[PLACE_OWNER].violations, 0);
	assert_int_equal(meter.tasks[PLACE_DONOR].violations, 0);
	assert_int_equal(meter.tasks[PLACE_DONOR].migrations, 2);
	assert_int_equal(meter.tasks[PLACE_OWNER].migrations, 0);
}

static void test_a_donor_that_executes_at_its_owners_is_seen(void **state)
{
	struct place_meter meter = new_meter();

	(void)state;
	change(&meter, 110, 4, DONOR, 'D', 0);
	change(&meter, 310, 0, OWNER, 'R', DONOR);
	change(&meter, 320, 0, DONOR, 'R', HOG);
	change(&meter, 330, 4, 0, 'R', OWNER);
	assert_int_equal(meter.tasks[PLACE_DONOR].violations, 1);
	assert_int_equal(meter.tasks[PLACE_OWNER].violations, 1);
	change(&meter, 1001, 0, 0, 'R', DONOR); /* later than what counts */
	assert_int_equal(meter.tasks[PLACE_DONOR].executions, 1);
}

static void test_an_event_changes_where_one_may_be(void **state)
{
	struct place_meter meter = new_meter();

	(void)state;
	meter.event_from_ns = 200;
	meter.event_to_ns = 250;
	CPU_ZERO(&meter.tasks[PLACE_DONOR].after);
	CPU_SET(2, &meter.tasks[PLACE_DONOR].after);
	change(&meter, 199, 2, 0, 'R', DONOR);
	assert_int_equal(meter.tasks[PLACE_DONOR].violations, 1);
	change(&meter, 220, 2, 0, 'R', DONOR);
	change(&meter, 230, 4, 0, 'R', DONOR);
	change(&meter, 251, 2, 0, 'R', DONOR);
	assert_int_equal(meter.tasks[PLACE_DONOR].violations, 1);
	change(&meter, 252, 4, 0, 'R', DONOR);
	assert_int_equal(meter.tasks[PLACE_DONOR].violations, 2);
}

static void test_an_owner_that_executes_already_starts_at_once(void **state)
{
	struct place_meter meter = new_meter();

	(void)state;
	change(&meter, 60, 0, 0, 'R', OWNER);
	change(&meter, 95, 4, DONOR, 'S', 0); /* it waits for its hour, not for the lock */
	change(&meter, 110, 4, DONOR, 'D', 0);
	assert_false(meter.has_owner_start);
	change(&meter, 500, 0, OWNER, 'R', HOG);
	assert_true(meter.has_owner_start);
	assert_int_equal(meter.owner_start_ns, 0);
}

/* From the end of the event, with the owner off its CPU then. */
static void test_an_event_starts_the_clock_anew(void **state)
{
	struct place_meter meter = new_meter();

	(void)state;
	meter.event_from_ns = 200;
	meter.event_to_ns = 250;
	change(&meter, 110, 4, DONOR, 'D', 0);
	change(&meter, 130, 0, HOG, 'R', OWNER);
	change(&meter, 210, 0, OWNER, 'R', HOG);
	assert_false(meter.has_owner_start);
	change(&meter, 290, 0, HOG, 'R', OWNER);
	assert_true(meter.has_owner_start);
	assert_int_equal(meter.owner_start_ns, 40);
}

static void expect_after(enum migration_event_kind kind, int owner_not, int owner_on, int donor_not,
			 int donor_on)
{
	static struct migration_event event = {.owner_cpu = 0, .donor_cpu = 4, .refuge_cpu = 2};
	cpu_set_t owner, donor;

	event.kind = kind;
	migration_event_after(&event, &owner, &donor);
	assert_true(CPU_ISSET(owner_on, &owner));
	assert_false(CPU_ISSET(owner_not, &owner));
	assert_true(CPU_ISSET(donor_on, &donor));
	assert_false(CPU_ISSET(donor_not, &donor));
}

static void test_where_an_event_leaves_them(void **state)
{
	(void)state;
	expect_after(EVENT_NONE, 2, 0, 2, 4);
	expect_after(EVENT_OWNER_MOVED, 0, 2, 2, 4);
	expect_after(EVENT_OWNER_CPU_UNPLUGGED, 0, 5, 2, 4);
	expect_after(EVENT_DONOR_CPU_UNPLUGGED, 2, 0, 4, 0);
	expect_after(EVENT_CPUSET_CHANGED, 2, 0, 4, 2);
}

static int count_event(void *context)
{
	++*(int *)context;
	return -ECANCELED;
}

static void test_a_traced_lock_notes_who_and_when(void **state)
{
	struct traced_lock traced;
	int events = 0;

	(void)state;
	assert_int_equal(traced_lock_init(&traced, &lock_plain_futex, 1000, sched_getcpu()), 0);
	traced.on_wake = count_event;
	traced.context = &events;
	assert_int_equal(traced.lock.ops->hold(&traced.lock), 0);
	assert_int_equal(traced.owner_tid, syscall(SYS_gettid));
	assert_true(traced.owner_to_ns >= traced.owner_from_ns + 1000);
	assert_int_equal(traced.donor_tid, 0);
	assert_int_equal(traced.lock.ops->touch(&traced.lock), 0);
	assert_int_equal(traced.donor_tid, syscall(SYS_gettid));
	assert_true(traced.donor_to_ns >= traced.donor_from_ns);
	assert_true(CPU_ISSET(traced.donor_cpu, &traced.donor_allowed[0]));
	assert_int_equal(traced.event_from_ns, 0);
	assert_int_equal(traced.lock.ops->wake(&traced.lock), -ECANCELED);
	assert_int_equal(events, 1);
	assert_true(traced.event_to_ns >= traced.event_from_ns && traced.event_from_ns);
	traced_lock_reset(&traced);
	assert_int_equal(traced.owner_tid, 0);
	assert_int_equal(traced.event_to_ns, 0);
	traced_lock_release(&traced);
	traced_lock_release(&traced);
}

/* What is unplugged is journalled before; a CPU that cannot be unplugged is none of the knobs. */
static void test_the_unplugged_cpu_is_a_knob(void **state)
{
	struct placement placement = {.owner_cpu = 4095, .donor_cpu = 4095};
	const char *values[32] = {0};
	struct workload_run run = {.placement = &placement, .values = values};

	(void)state;
	for (size_t i = 0; workload_donor_migration.parameters[i].name; i++)
		values[i] = workload_donor_migration.parameters[i].standard;
	assert_string_equal(workload_donor_migration.parameters[0].name, "event");
	assert_null(workload_donor_migration.knobs(&run));
	values[0] = "donor-cpu-unplugged";
	assert_null(workload_donor_migration.knobs(&run));
	if (access("/sys/devices/system/cpu/cpu1/online", W_OK)) {
		print_message("CPU 1 cannot be unplugged here: not tried\n");
		return;
	}
	placement.donor_cpu = 1;
	assert_string_equal(workload_donor_migration.knobs(&run)[0],
			    "/sys/devices/system/cpu/cpu1/online");
	assert_string_equal(workload_donor_migration.knobs(&run)[1], KNOB_AS_IT_IS);
	values[0] = "owner-cpu-unplugged";
	assert_null(workload_donor_migration.knobs(&run));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_donor_that_lends_and_returns),
		cmocka_unit_test(test_a_donor_that_executes_at_its_owners_is_seen),
		cmocka_unit_test(test_an_event_changes_where_one_may_be),
		cmocka_unit_test(test_an_owner_that_executes_already_starts_at_once),
		cmocka_unit_test(test_an_event_starts_the_clock_anew),
		cmocka_unit_test(test_where_an_event_leaves_them),
		cmocka_unit_test(test_a_traced_lock_notes_who_and_when),
		cmocka_unit_test(test_the_unplugged_cpu_is_a_knob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
