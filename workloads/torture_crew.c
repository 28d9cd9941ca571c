// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/torture_crew.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/task_watch.h"
#include "workloads/kmod/lab_check.h"

#define LOOK_NS UINT64_C(100000)
/* Between two acts of the conductor. */
#define ACT_LEAST_NS UINT64_C(50000)
#define ACT_MOST_NS  UINT64_C(400000)
/* A lock that is held by nobody is had at once. */
#define PATIENCE_US	 500000
#define HIGHEST_PRIORITY 50
/* One program in so many is a bad one, and of those one in so many noise. */
#define BAD_SHARE   8
#define NOISE_SHARE 3

/* ---- a worker --------------------------------------------------------------------- */

static void on_signal(int number)
{
	(void)number;
}

static void await_round(struct torture_shared *shared, uint32_t last)
{
	while (atomic_load(&shared->round) == last)
		syscall(SYS_futex, &shared->round, FUTEX_WAIT, last, NULL, NULL, 0);
}

static void draw_entry(const struct torture_crew *crew, struct random *random,
		       struct torture_entry *entry)
{
	enum torture_mistake mistake;

	memset(entry->results, 0, sizeof(entry->results));
	atomic_store(&entry->is_back, false);
	if (random_below(random, BAD_SHARE)) {
		entry->n = torture_draw_program(random, &crew->field, entry->operations);
	} else if (!random_below(random, NOISE_SHARE)) {
		entry->n = torture_draw_noise(random, entry->operations);
	} else {
		mistake = (enum torture_mistake)random_below(random, TORTURE_MISTAKES);
		entry->n = torture_draw_mistake(random, &crew->field, mistake, entry->operations);
	}
	entry->is_bad = lab_check(entry->operations, entry->n);
}

static void play_round(struct torture_crew *crew, uint32_t role, struct random *random)
{
	struct torture_worker *worker = &crew->shared->workers[role];

	while (atomic_load(&crew->shared->is_round)) {
		uint32_t done, i = atomic_load(&worker->n_entries);
		struct torture_entry *entry = &worker->entries[i];

		if (i == TORTURE_MAX_ENTRIES)
			return;
		draw_entry(crew, random, entry);
		entry->answer = lab_run_program(crew->session, role, entry->operations, entry->n,
						entry->results, &done);
		atomic_store(&entry->is_back, true);
		atomic_store(&worker->n_entries, i + 1);
	}
}

static void work(struct torture_crew *crew, uint32_t role, uint32_t last_round)
{
	struct torture_worker *worker = &crew->shared->workers[role];
	struct random random = {
		.state = random_mix(crew->seed + role * UINT64_C(0x10001) + worker->lives)};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	task_exact_timers();
	if (task_class_set(&worker->class))
		_exit(1);
	for (;;) {
		await_round(crew->shared, last_round);
		last_round = atomic_load(&crew->shared->round);
		play_round(crew, role, &random);
		atomic_store(&worker->rounds, last_round);
	}
}

int torture_crew_take_place(const struct torture_crew *crew, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (uint32_t i = 0; i < crew->n_cpus; i++)
		if (cpu < 0 || cpu == crew->cpus[i])
			CPU_SET(crew->cpus[i], &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ? -errno : 0;
}

/* Its class and place are drawn anew for each life. */
static void draw_worker(struct torture_crew *crew, struct torture_worker *worker)
{
	struct random *random = &crew->random;

	worker->lives++;
	worker->cpu = random_below(random, 3) ? crew->cpus[random_below(random, crew->n_cpus)] : -1;
	if (random_below(random, 3))
		worker->class = (struct task_class){.policy = SCHED_OTHER,
						    .nice = (int)random_below(random, 40) - 20};
	else
		worker->class = (struct task_class){
			.policy = SCHED_FIFO,
			.priority = 1 + (uint32_t)random_below(random, HIGHEST_PRIORITY)};
}

static int make_worker(struct torture_crew *crew, uint32_t role, uint32_t last_round)
{
	struct torture_worker *worker = &crew->shared->workers[role];
	pid_t pid;

	draw_worker(crew, worker);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		/* Its affinity is the conductor's so far. */
		if (torture_crew_take_place(crew, worker->cpu))
			_exit(1);
		work(crew, role, last_round);
	}
	worker->pid = pid;
	return 0;
}

int torture_crew_start(struct torture_crew *crew)
{
	const struct sigaction action = {.sa_handler = on_signal};
	int err = 0;

	/* The workers inherit it: none is ever without. */
	if (sigaction(SIGUSR1, &action, NULL))
		return -errno;
	crew->shared = mmap(NULL, sizeof(*crew->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crew->shared == MAP_FAILED) {
		crew->shared = NULL;
		return -errno;
	}
	for (uint32_t i = 0; i < crew->n_workers && !err; i++)
		err = make_worker(crew, i, 0);
	return err;
}

bool torture_reap(pid_t pid, uint64_t limit_ns, int *status)
{
	uint64_t end_ns = clock_now_ns() + limit_ns;
	pid_t got;

	while (!(got = waitpid(pid, status, WNOHANG))) {
		if (clock_now_ns() > end_ns)
			return false;
		clock_sleep_ns(LOOK_NS);
	}
	return got == pid;
}

bool torture_crew_stop(struct torture_crew *crew)
{
	bool are_all_gone = true;
	int status;

	for (uint32_t i = 0; crew->shared && i < crew->n_workers; i++)
		if (crew->shared->workers[i].pid)
			kill(crew->shared->workers[i].pid, SIGKILL);
	for (uint32_t i = 0; crew->shared && i < crew->n_workers; i++)
		if (crew->shared->workers[i].pid)
			are_all_gone &=
				torture_reap(crew->shared->workers[i].pid, crew->limit_ns, &status);
	if (crew->shared)
		munmap(crew->shared, sizeof(*crew->shared));
	crew->shared = NULL;
	torture_holds_free(&crew->holds);
	return are_all_gone;
}

/* ---- the conductor's acts ----------------------------------------------------------- */

enum torture_where torture_where_killed(const struct lab_operation *operations,
					const struct lab_result *results, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && results[i].begin_ns && !results[i].status)
		i++;
	/* The results come with the program's end: none, it never began. */
	if (!n || !results[0].begin_ns)
		return KILLED_OUTSIDE;
	if (i == n || results[i].status != -EINTR)
		return KILLED_BETWEEN;
	switch (operations[i].code) {
	case LAB_LOCK_INTERRUPTIBLE:
	case LAB_LOCK_KILLABLE:
		return KILLED_LOCKING;
	case LAB_WW_LOCK_INTERRUPTIBLE:
		return KILLED_WW_LOCKING;
	case LAB_COMPUTE:
	case LAB_COMPUTE_UNTIL:
		return KILLED_COMPUTING;
	case LAB_SLEEP:
	case LAB_SLEEP_KILLABLE:
	case LAB_SLEEP_IO:
		return KILLED_SLEEPING;
	case LAB_WAIT:
		return KILLED_WAITING;
	default:
		return KILLED_BETWEEN;
	}
}

/* Its last program counts among the others, though nobody heard what the call answered. */
static void bury(struct torture_crew *crew, struct torture_worker *worker)
{
	uint32_t i = atomic_load(&worker->n_entries);
	struct torture_entry *entry = &worker->entries[i];

	crew->counts.kills++;
	if (i == TORTURE_MAX_ENTRIES || !entry->n || atomic_load(&entry->is_back)) {
		crew->counts.killed[KILLED_OUTSIDE]++;
		return;
	}
	crew->counts.killed[torture_where_killed(entry->operations, entry->results, entry->n)]++;
	atomic_store(&worker->n_entries, i + 1);
}

static void note_stranded(struct torture_crew *crew, uint32_t role, const char *what)
{
	const struct torture_worker *worker = &crew->shared->workers[role];
	char state = '?';

	if (crew->counts.stranded++)
		return;
	task_state(worker->pid, &state);
	snprintf(crew->first_stranded, sizeof(crew->first_stranded),
		 "round %u: worker %u (%s %d, CPU %d, program %u) %s and is in state %c",
		 atomic_load(&crew->shared->round), role,
		 worker->class.policy == SCHED_FIFO ? "fifo" : "nice",
		 worker->class.policy == SCHED_FIFO ? (int)worker->class.priority
						    : worker->class.nice,
		 worker->cpu, atomic_load(&worker->n_entries), what, state);
}

static int kill_worker(struct torture_crew *crew, uint32_t role)
{
	struct torture_worker *worker = &crew->shared->workers[role];
	int status;

	if (kill(worker->pid, SIGKILL))
		return -errno;
	if (!torture_reap(worker->pid, crew->limit_ns, &status)) {
		note_stranded(crew, role, "was killed");
		return -ETIMEDOUT;
	}
	worker->pid = 0;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return -ECHILD;
	bury(crew, worker);
	return make_worker(crew, role, atomic_load(&crew->shared->round) - 1);
}

static int act(struct torture_crew *crew)
{
	uint32_t role = (uint32_t)random_below(&crew->random, crew->n_workers);

	switch (random_below(&crew->random, 6)) {
	case 0:
		return kill_worker(crew, role);
	case 1:
	case 2:
		crew->counts.signals++;
		return kill(crew->shared->workers[role].pid, SIGUSR1) ? -errno : 0;
	case 3:
	case 4:
		/* Nobody may be in that role just now. */
		crew->counts.wakes += !lab_wake_role(crew->session, role);
		return 0;
	default:
		crew->counts.postings++;
		return lab_post_event(crew->session,
				      (uint32_t)random_below(&crew->random, crew->field.events));
	}
}

/* ---- rounds --------------------------------------------------------------------------- */

static bool is_everybody_back(const struct torture_crew *crew, uint32_t round)
{
	for (uint32_t i = 0; i < crew->n_workers; i++)
		if (atomic_load(&crew->shared->workers[i].rounds) != round)
			return false;
	return true;
}

static int await_everybody(struct torture_crew *crew, uint32_t round)
{
	uint64_t end_ns = clock_now_ns() + crew->limit_ns;

	while (!is_everybody_back(crew, round)) {
		if (clock_now_ns() > end_ns)
			break;
		clock_sleep_ns(LOOK_NS);
	}
	for (uint32_t i = 0; i < crew->n_workers; i++)
		if (atomic_load(&crew->shared->workers[i].rounds) != round)
			note_stranded(crew, i, "did not come back");
	return crew->counts.stranded ? -ETIMEDOUT : 0;
}

static int play(struct torture_crew *crew)
{
	struct torture_shared *shared = crew->shared;
	uint32_t round = atomic_load(&shared->round) + 1;
	uint64_t end_ns = clock_now_ns() + crew->round_ns;
	int err = 0;

	for (uint32_t i = 0; i < crew->n_workers; i++) {
		atomic_store(&shared->workers[i].n_entries, 0);
		for (uint32_t k = 0; k < TORTURE_MAX_ENTRIES; k++)
			shared->workers[i].entries[k].n = 0;
	}
	atomic_store(&shared->is_round, true);
	atomic_store(&shared->round, round);
	syscall(SYS_futex, &shared->round, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	while (!err && clock_now_ns() < end_ns) {
		clock_sleep_ns(ACT_LEAST_NS +
			       random_below(&crew->random, ACT_MOST_NS - ACT_LEAST_NS));
		err = act(crew);
	}
	atomic_store(&shared->is_round, false);
	return err ? err : await_everybody(crew, round);
}

static bool is_locking(uint32_t code)
{
	return code == LAB_LOCK || code == LAB_LOCK_INTERRUPTIBLE || code == LAB_LOCK_KILLABLE ||
	       code == LAB_WW_LOCK || code == LAB_WW_LOCK_INTERRUPTIBLE;
}

/* How a good program ended: all, or at an operation that a signal, a limit, or somebody else's
 * holding or not being there ended. */
static void count_end(struct torture_counts *counts, const struct torture_entry *entry)
{
	const struct lab_result *result = entry->results;
	uint32_t i;

	for (i = 0; i < entry->n && result[i].begin_ns; i++) {
		counts->backoffs += result[i].backoffs;
		counts->contended += is_locking(entry->operations[i].code) && result[i].sleeps;
		if (result[i].status)
			break;
	}
	if (i == entry->n)
		counts->completed++;
	else if (result[i].status == -ETIMEDOUT)
		counts->timeouts++;
	else if (result[i].status == -EINTR)
		counts->interruptions++;
	else if (result[i].status && result[i].status != -EBUSY && result[i].status != -ESRCH)
		counts->misjudged++;
}

static int judge_entry(struct torture_crew *crew, const struct torture_entry *entry)
{
	struct torture_counts *counts = &crew->counts;
	bool is_back = atomic_load(&entry->is_back);

	counts->programs++;
	if (entry->is_bad) {
		counts->refused += is_back && entry->answer == -EINVAL;
		counts->misjudged += is_back && entry->answer != -EINVAL;
		/* Nothing of it was done, whoever it was that heard so. */
		counts->misjudged += entry->results[0].begin_ns != 0;
		return 0;
	}
	counts->misjudged += is_back && entry->answer != 0;
	count_end(counts, entry);
	return torture_holds_add(&crew->holds, entry->operations, entry->results, entry->n);
}

static int judge_round(struct torture_crew *crew)
{
	struct torture_counts *counts = &crew->counts;
	int err = 0;

	torture_holds_clear(&crew->holds);
	for (uint32_t i = 0; i < crew->n_workers; i++) {
		const struct torture_worker *worker = &crew->shared->workers[i];

		for (uint32_t k = 0; k < atomic_load(&worker->n_entries) && !err; k++)
			err = judge_entry(crew, &worker->entries[k]);
	}
	counts->holds += crew->holds.n;
	counts->overlaps += torture_holds_count_overlaps(&crew->holds);
	counts->left_locked += torture_count_left_locked(crew->session, &crew->field,
							 crew->n_workers, &counts->locks_looked_at);
	return err;
}

int torture_crew_round(struct torture_crew *crew)
{
	int err = play(crew);

	return err ? err : judge_round(crew);
}

/* ---- whether anything is held ------------------------------------------------------- */

static bool is_had(const struct lab_session *session, uint32_t role,
		   const struct lab_operation *operations, uint32_t n)
{
	struct lab_result results[4];
	uint32_t done;

	return !lab_run_program(session, role, operations, n, results, &done) && done == n;
}

static bool is_mutex_free(const struct lab_session *session, uint32_t role, uint32_t target)
{
	const struct lab_operation operations[] = {{LAB_TRYLOCK, target, 0},
						   {LAB_UNLOCK, target, 0}};

	return is_had(session, role, operations, 2);
}

/* There is no trying here: an alarm ends the wait for one that is held. */
bool torture_is_ww_free(const struct lab_session *session, uint32_t role, uint32_t target)
{
	const struct lab_operation operations[] = {{LAB_WW_BEGIN, target / LAB_WW_PER_CLASS, 0},
						   {LAB_WW_LOCK_INTERRUPTIBLE, target, 0},
						   {LAB_WW_UNLOCK, target, 0},
						   {LAB_WW_END, 0, 0}};
	const struct itimerval patience = {.it_value.tv_usec = PATIENCE_US}, none = {0};
	const struct sigaction action = {.sa_handler = on_signal};
	bool is_free;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &patience, NULL);
	is_free = is_had(session, role, operations, 4);
	setitimer(ITIMER_REAL, &none, NULL);
	return is_free;
}

uint64_t torture_count_left_locked(const struct lab_session *session,
				   const struct torture_field *field, uint32_t role,
				   uint64_t *looked_at)
{
	uint64_t held = 0;

	for (uint32_t i = 0; i < field->mutexes; i++, ++*looked_at)
		held += !is_mutex_free(session, role, i);
	for (uint32_t class = 0; class < LAB_WW_CLASSES; class ++)
		for (uint32_t i = 0; i < field->ww_mutexes; i++, ++*looked_at)
			held += !torture_is_ww_free(session, role, class * LAB_WW_PER_CLASS + i);
	return held;
}
