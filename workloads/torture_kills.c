// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/torture_kills.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"
#include "measure/task_watch.h"
#include "workloads/torture_crew.h"

enum role { ROLE_HOLDER, ROLE_VICTIM, ROLE_CONDUCTOR };
enum event { EVENT_VICTIM_IN, EVENT_HOLDER_IN, EVENT_HOLDER_OUT, EVENT_NEVER };

#define LOOK_NS UINT64_C(50000)
/* So long a task that nothing but its lock can end is watched after it was killed. */
#define STAYS_NS   UINT64_C(3000000)
#define LONG_NS	   LAB_MAX_OPERATION_NS
#define MOST_STEPS 16
#define CONTENDED  1u

struct situation {
	const char *name;
	char state; /* that it is seen in */
	enum torture_where where;
	bool stays; /* until the holder lets go */
	/* Of the ww_mutex that the victim had first: a wound-wait one is held on to while it waits
	 * for an older context's, a wait-die one is not. */
	bool is_first_free;
	/* What the holder has meanwhile: codes and targets, ended by 0. */
	struct lab_operation holder[4];
	struct lab_operation victim[4];
};

/* clang-format off */
#define HOLDS_MUTEX {{LAB_LOCK, CONTENDED, 0}}
#define HOLDS_WW(class) {{LAB_WW_BEGIN, class, 0}, \
			 {LAB_WW_LOCK, (class) * LAB_WW_PER_CLASS + CONTENDED, 0}}
#define WANTS_WW(class, code) {{LAB_WW_BEGIN, class, 0}, \
			       {LAB_WW_LOCK, (class) * LAB_WW_PER_CLASS, 0}, \
			       {code, (class) * LAB_WW_PER_CLASS + CONTENDED, 0}}

static const struct situation situations[] = {
	{"computing", 'R', KILLED_COMPUTING, false, false, {{0}}, {{LAB_COMPUTE, 0, LONG_NS}}},
	{"computing until an event", 'R', KILLED_COMPUTING, false, false, {{0}},
	 {{LAB_COMPUTE_UNTIL, EVENT_NEVER, LONG_NS}}},
	{"asleep", 'S', KILLED_SLEEPING, false, false, {{0}}, {{LAB_SLEEP, 0, LONG_NS}}},
	{"asleep, killable", 'D', KILLED_SLEEPING, false, false, {{0}},
	 {{LAB_SLEEP_KILLABLE, 0, LONG_NS}}},
	{"asleep as for a disk", 'D', KILLED_SLEEPING, false, false, {{0}},
	 {{LAB_SLEEP_IO, 0, LONG_NS}}},
	{"waiting for an event", 'S', KILLED_WAITING, false, false, {{0}},
	 {{LAB_WAIT, EVENT_NEVER, LONG_NS}}},
	{"waiting for a mutex", 'D', KILLED_BETWEEN, true, false, HOLDS_MUTEX,
	 {{LAB_LOCK, CONTENDED, 0}}},
	{"waiting for a mutex, interruptible", 'S', KILLED_LOCKING, false, false, HOLDS_MUTEX,
	 {{LAB_LOCK_INTERRUPTIBLE, CONTENDED, 0}}},
	{"waiting for a mutex, with a limit", 'S', KILLED_LOCKING, false, false, HOLDS_MUTEX,
	 {{LAB_LOCK_INTERRUPTIBLE, CONTENDED, LONG_NS}}},
	{"waiting for a mutex, killable", 'D', KILLED_LOCKING, false, false, HOLDS_MUTEX,
	 {{LAB_LOCK_KILLABLE, CONTENDED, 0}}},
	{"waiting for a wound-wait mutex", 'D', KILLED_BETWEEN, true, false, HOLDS_WW(LAB_WOUND_WAIT),
	 WANTS_WW(LAB_WOUND_WAIT, LAB_WW_LOCK)},
	{"waiting for a wound-wait mutex, interruptible", 'S', KILLED_WW_LOCKING, false, false,
	 HOLDS_WW(LAB_WOUND_WAIT), WANTS_WW(LAB_WOUND_WAIT, LAB_WW_LOCK_INTERRUPTIBLE)},
	{"backed off for a wait-die mutex", 'D', KILLED_BETWEEN, true, true, HOLDS_WW(LAB_WAIT_DIE),
	 WANTS_WW(LAB_WAIT_DIE, LAB_WW_LOCK)},
	{"backed off for a wait-die mutex, interruptible", 'S', KILLED_WW_LOCKING, false, true,
	 HOLDS_WW(LAB_WAIT_DIE), WANTS_WW(LAB_WAIT_DIE, LAB_WW_LOCK_INTERRUPTIBLE)},
};
/* clang-format on */
#define SITUATIONS (sizeof(situations) / sizeof(*situations))

/* The victim's program, in memory that its process shares with this one. */
struct script {
	struct lab_operation operations[MOST_STEPS];
	struct lab_result results[MOST_STEPS];
	uint32_t n;
};

static void add(struct script *script, uint32_t code, uint32_t target, uint64_t ns)
{
	script->operations[script->n++] =
		(struct lab_operation){.code = code, .target = target, .ns = ns};
}

/* What undoes @operations, in reverse. */
static void add_undoing(struct script *script, const struct lab_operation *operations, uint32_t n)
{
	while (n--) {
		switch (operations[n].code) {
		case LAB_LOCK:
		case LAB_LOCK_INTERRUPTIBLE:
		case LAB_LOCK_KILLABLE:
			add(script, LAB_UNLOCK, operations[n].target, 0);
			break;
		case LAB_WW_LOCK:
		case LAB_WW_LOCK_INTERRUPTIBLE:
			add(script, LAB_WW_UNLOCK, operations[n].target, 0);
			break;
		case LAB_WW_BEGIN:
			add(script, LAB_WW_END, 0, 0);
			break;
		}
	}
}

static uint32_t count(const struct lab_operation operations[4])
{
	uint32_t n = 0;

	while (n < 4 && operations[n].code)
		n++;
	return n;
}

static void write_holder(const struct situation *situation, struct script *script)
{
	uint32_t n = count(situation->holder);

	*script = (struct script){0};
	for (uint32_t i = 0; i < n; i++)
		script->operations[script->n++] = situation->holder[i];
	add(script, LAB_POST, EVENT_HOLDER_IN, 0);
	add(script, LAB_WAIT, EVENT_HOLDER_OUT, LONG_NS);
	add_undoing(script, situation->holder, n);
}

/* With a mutex in its hands, and what else the situation has. */
static void write_victim(const struct situation *situation, struct script *script)
{
	uint32_t n = count(situation->victim);

	*script = (struct script){0};
	add(script, LAB_LOCK, 0, 0);
	for (uint32_t i = 0; i < n; i++) {
		if (i == n - 1)
			add(script, LAB_POST, EVENT_VICTIM_IN, 0);
		script->operations[script->n++] = situation->victim[i];
	}
	add_undoing(script, situation->victim, n);
	add(script, LAB_UNLOCK, 0, 0);
}

/* The conductor is above the others, and has its CPU to itself. */
static pid_t start(const struct lab_session *session, uint32_t role, int cpu, struct script *script)
{
	const struct task_class plain = {.policy = SCHED_OTHER};
	pid_t pid = fork();
	uint32_t done;

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (task_class_set(&plain) || task_pin(cpu))
		_exit(1);
	_exit(lab_run_program(session, role, script->operations, script->n, script->results,
			      &done) != 0);
}

static bool await_event(const struct lab_session *session, uint32_t event)
{
	const struct lab_operation wait = {LAB_WAIT, event, LONG_NS};
	struct lab_result result;
	uint32_t done;

	return !lab_run_program(session, ROLE_CONDUCTOR, &wait, 1, &result, &done) && done == 1;
}

static bool await_state(pid_t pid, char wanted, uint64_t limit_ns)
{
	uint64_t end_ns = clock_now_ns() + limit_ns;
	char state;

	while (!task_state(pid, &state) && clock_now_ns() < end_ns) {
		if (state == wanted)
			return true;
		clock_sleep_ns(LOOK_NS);
	}
	return false;
}

static bool is_ww_order_wrong(const struct situation *situation, const struct lab_session *session)
{
	uint32_t class = situation->victim[0].target;

	return situation->victim[0].code == LAB_WW_BEGIN &&
	       torture_is_ww_free(session, ROLE_CONDUCTOR, class * LAB_WW_PER_CLASS) !=
		       situation->is_first_free;
}

static const char *kill_victim(const struct situation *situation, const struct lab_session *session,
			       uint64_t limit_ns, struct torture_kill_findings *findings,
			       pid_t victim)
{
	const char *wrong = NULL;
	int status;

	if (!await_state(victim, situation->state, limit_ns))
		wrong = "it was not seen there";
	if (is_ww_order_wrong(situation, session))
		wrong = "its first ww_mutex is not as its class has it";
	kill(victim, SIGKILL);
	if (situation->stays) {
		clock_sleep_ns(STAYS_NS);
		if (waitpid(victim, &status, WNOHANG))
			return "it was gone before its lock was free";
		lab_post_event(session, EVENT_HOLDER_OUT);
	}
	if (!torture_reap(victim, limit_ns, &status)) {
		findings->stranded++;
		return "it did not die";
	}
	if (!wrong && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
		wrong = "it came through";
	return wrong;
}

static int stage(const struct situation *situation, const struct lab_session *session,
		 const int cpus[2], uint64_t limit_ns, struct torture_kill_findings *findings,
		 struct script *scripts)
{
	const struct torture_field field = {.mutexes = 2, .ww_mutexes = 2};
	struct script *held = &scripts[0], *script = &scripts[1];
	bool has_holder = count(situation->holder);
	pid_t holder = 0, victim;
	const char *wrong;
	int status;

	findings->staged++;
	write_holder(situation, held);
	write_victim(situation, script);
	if (has_holder) {
		holder = start(session, ROLE_HOLDER, cpus[0], held);
		if (holder < 0 || !await_event(session, EVENT_HOLDER_IN))
			return holder < 0 ? holder : -EIO;
	}
	victim = start(session, ROLE_VICTIM, cpus[1], script);
	if (victim < 0 || !await_event(session, EVENT_VICTIM_IN))
		return victim < 0 ? victim : -EIO;
	wrong = kill_victim(situation, session, limit_ns, findings, victim);
	if (has_holder && !situation->stays)
		lab_post_event(session, EVENT_HOLDER_OUT);
	if (has_holder && (!torture_reap(holder, limit_ns, &status) || status))
		wrong = "its holder did not come through";
	if (!wrong && torture_where_killed(script->operations, script->results, script->n) !=
			      situation->where)
		wrong = "its program did not end there";
	findings->as_expected += !wrong;
	if (wrong && !findings->first_wrong[0])
		snprintf(findings->first_wrong, sizeof(findings->first_wrong), "%s: %s",
			 situation->name, wrong);
	findings->left_locked +=
		torture_count_left_locked(session, &field, ROLE_CONDUCTOR, &findings->looked_at);
	return 0;
}

int torture_kills_stage(const struct lab_session *session, const int cpus[2], uint64_t limit_ns,
			struct torture_kill_findings *findings)
{
	size_t bytes = 2 * sizeof(struct script);
	struct script *scripts =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err = 0;

	*findings = (struct torture_kill_findings){0};
	if (scripts == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < SITUATIONS && !err; i++)
		err = stage(&situations[i], session, cpus, limit_ns, findings, scripts);
	munmap(scripts, bytes);
	return err;
}
