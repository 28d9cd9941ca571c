// SPDX-License-Identifier: GPL-2.0-only
/* A stress's threads and rounds (stress_plan.h says what for). */
#include "workloads/stress_internal.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"
#include "measure/spin.h"
#include "measure/task_watch.h"

#define STACK_BYTES (256u << 10)
/* How often the end of a round is looked for; asleep, this costs nothing. */
#define LOOK_NS		      UINT64_C(500000)
#define CORE_SCHED	      62
#define CORE_SCHED_CREATE     1
#define CORE_SCHED_SHARE_FROM 3
/* Operations of the planted actor in its round before it does what was planted. */
#define PLANT_OPERATIONS 8u

static void await_change(_Atomic unsigned int *word, unsigned int value)
{
	while (atomic_load(word) == value)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(_Atomic unsigned int *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* ---- a planted fault ---------------------------------------------------------------------- */

int stress_plant_parse(struct stress_plant *plant, const char *text)
{
	static const char *const kinds[] = {"", "crash", "lost", "hang", "spin"};
	char copy[96], *save = NULL, *words[4];
	size_t n_words = 0;

	*plant = (struct stress_plant){0};
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	for (char *word = strtok_r(copy, ",", &save); word && n_words < 4;
	     word = strtok_r(NULL, ",", &save))
		words[n_words++] = word;
	if (n_words != 4)
		return -EINVAL;
	for (int i = STRESS_PLANT_CRASH; i <= STRESS_PLANT_SPIN; i++)
		if (!strcmp(words[0], kinds[i]))
			plant->kind = (enum stress_plant_kind)i;
	for (int i = 0; i < 2; i++) {
		int mechanism = stress_mechanism_find(words[1 + i]);

		if (mechanism < 0 || !plant->kind)
			return -EINVAL;
		plant->mechanisms[i] = (enum stress_mechanism)mechanism;
	}
	plant->round = (unsigned int)strtoul(words[3], NULL, 10);
	return 0;
}

void stress_set_plant(struct stress *stress, const struct stress_plant *plant)
{
	if (stress_plan_has(stress->plan, plant->mechanisms[0]) &&
	    stress_plan_has(stress->plan, plant->mechanisms[1]))
		stress->plant = *plant;
}

/* In the actor's thread, after each of its operations. */
static void misbehave(struct stress_thread *thread, unsigned int round, unsigned int operations)
{
	const struct stress_plant *plant = &thread->stress->plant;

	if (plant->kind == STRESS_PLANT_NONE || round < plant->round ||
	    thread->actor->mechanism != plant->mechanisms[0] || operations != PLANT_OPERATIONS)
		return;
	if (plant->kind == STRESS_PLANT_CRASH)
		stress_put("/proc/sysrq-trigger", "c");
	else if (plant->kind == STRESS_PLANT_LOST)
		for (;;)
			pause();
	else if (plant->kind == STRESS_PLANT_SPIN)
		for (;;)
			__builtin_ia32_pause();
}

/* ---- an actor ------------------------------------------------------------------------------ */

/* Who begins us is pinned and strong, and a thread inherits both: it would be no actor of the plan.
 */
static int take_place(const struct stress_thread *thread)
{
	const struct stress_actor *actor = thread->actor;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (unsigned int cpu = 0; cpu < thread->stress->n_cpus; cpu++)
		if (actor->cpu < 0 || cpu == (unsigned int)actor->cpu % thread->stress->n_cpus)
			CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return -errno;
	return stress_set_class(actor, 0);
}

/* The first actor of a cookie has it already. */
static void take_cookie(const struct stress_thread *thread)
{
	pid_t leader = thread->stress->cookie_leaders[thread->actor->cookie];

	if (thread->actor->cookie && leader != thread->tid)
		prctl(CORE_SCHED, CORE_SCHED_SHARE_FROM, leader, 0, 0);
}

/*
 * Looks whether this thread, that somebody has woken, executes where it may. With hotplug nobody
 * can say: a CPU that goes is out of every affinity long before it lets go of who executes there.
 */
static void look_at_place(struct stress_thread *thread)
{
	uint64_t now_ns, from_ns;
	cpu_set_t allowed, still_allowed;
	int cpu;

	if (stress_plan_has(thread->stress->plan, STRESS_HOTPLUG) || thread->misplaced_ns ||
	    sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	cpu = sched_getcpu();
	if (cpu < 0 || CPU_ISSET(cpu, &allowed))
		return;
	from_ns = clock_now_ns();
	do {
		spin_stretch();
		now_ns = clock_now_ns();
	} while (now_ns < from_ns + STRESS_MISPLACED_NS && sched_getcpu() == cpu);
	if (sched_getcpu() != cpu || sched_getaffinity(0, sizeof(still_allowed), &still_allowed) ||
	    !CPU_EQUAL(&allowed, &still_allowed))
		return;
	thread->misplaced_cpu = cpu;
	atomic_store(&thread->misplaced_ns, from_ns);
}

static void play_round(struct stress_thread *thread, unsigned int round)
{
	unsigned int operations = 0;

	while (atomic_load(&thread->stress->is_round)) {
		atomic_store(&thread->since_ns, clock_now_ns());
		stress_act(thread);
		look_at_place(thread);
		atomic_fetch_add(&thread->operations, 1);
		misbehave(thread, round, ++operations);
	}
}

static void *play(void *argument)
{
	struct stress_thread *thread = argument;
	struct stress *stress = thread->stress;
	unsigned int round = 0;
	char name[16];

	snprintf(name, sizeof(name), "px%zu-%.10s", thread->index,
		 stress_mechanism_names[thread->actor->mechanism]);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	task_exact_timers();
	thread->err = take_place(thread);
	atomic_store(&thread->tid, (pid_t)syscall(SYS_gettid));
	for (;;) {
		await_change(&stress->round, round);
		round = atomic_load(&stress->round);
		if (atomic_load(&stress->is_over))
			return NULL;
		if (round == 1)
			take_cookie(thread);
		play_round(thread, round);
		atomic_store(&thread->rounds, round);
	}
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void on_signal(int number)
{
	(void)number;
}

static int start_threads(struct stress *stress)
{
	pthread_attr_t attributes;
	int err = pthread_attr_init(&attributes);

	if (!err)
		err = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (size_t i = 0; i < stress->plan->n_actors && !err; i++) {
		struct stress_thread *thread = &stress->threads[i];

		*thread = (struct stress_thread){
			.stress = stress,
			.actor = &stress->plan->actors[i],
			.index = i,
			.random = {random_seed_for(stress->plan->actors[i].seed, "actor")},
			.fault_page = stress->fault_pages + i * STRESS_PAGE_BYTES,
			.buffer = stress->buffers + i * STRESS_BUFFER_BYTES,
		};
		stress->n_workers += !stress_is_disturber(thread->actor->mechanism);
		err = pthread_create(&thread->thread, &attributes, play, thread);
	}
	pthread_attr_destroy(&attributes);
	return -err;
}

/* Until each is in its place, or could not take it. */
static int await_threads(const struct stress *stress, char *problem, size_t problem_size)
{
	for (size_t i = 0; i < stress->plan->n_actors; i++) {
		const struct stress_thread *thread = &stress->threads[i];

		while (!atomic_load(&thread->tid))
			stress_nap(LOOK_NS);
		if (!thread->err)
			continue;
		snprintf(problem, problem_size, "actor %zu cannot be of class %s on CPU %d: %s", i,
			 stress_class_names[thread->actor->class], thread->actor->cpu,
			 strerror(-thread->err));
		return thread->err;
	}
	return 0;
}

/* The first actor of each cookie gets a new one; the others take it over in the first round. */
static void make_cookies(struct stress *stress)
{
	for (size_t i = 0; i < stress->plan->n_actors; i++) {
		unsigned int cookie = stress->plan->actors[i].cookie;

		if (!cookie || stress->cookie_leaders[cookie])
			continue;
		stress->cookie_leaders[cookie] = stress->threads[i].tid;
		prctl(CORE_SCHED, CORE_SCHED_CREATE, stress->threads[i].tid, 0, 0);
	}
}

int stress_begin(struct stress **out, const struct stress_plan *plan, char *problem,
		 size_t problem_size)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct stress *stress = calloc(1, sizeof(*stress));
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int err;

	if (!stress) {
		snprintf(problem, problem_size, "there is no memory");
		return -ENOMEM;
	}
	stress->plan = plan;
	stress->n_cpus = n_cpus > 0 ? (unsigned int)n_cpus : 1;
	stress->fault_fd = -1;
	sigaction(SIGUSR1, &action, NULL);
	err = stress_objects_make(stress, problem, problem_size);
	if (err)
		return err; /* the guest ends now: what was made goes with it */
	err = start_threads(stress);
	if (err) {
		snprintf(problem, problem_size, "cannot start a thread: %s", strerror(-err));
		return err;
	}
	err = await_threads(stress, problem, problem_size);
	if (err)
		return err;
	make_cookies(stress);
	stress_watch_begin(stress);
	*out = stress;
	return 0;
}

static bool is_everybody_back(const struct stress *stress, unsigned int round)
{
	for (size_t i = 0; i < stress->plan->n_actors; i++)
		if (atomic_load(&stress->threads[i].rounds) < round)
			return false;
	return true;
}

static void note_lost(const struct stress *stress, unsigned int round, struct stress_report *report)
{
	for (size_t i = 0; i < stress->plan->n_actors; i++) {
		const struct stress_thread *thread = &stress->threads[i];
		struct stress_lost *lost = &report->lost[report->n_lost];

		if (atomic_load(&thread->rounds) >= round)
			continue;
		*lost = (struct stress_lost){
			.actor = i, .tid = thread->tid, .state = '?', .since_ns = thread->since_ns};
		task_state(lost->tid, &lost->state);
		report->n_lost++;
	}
}

static void note_misplaced(const struct stress *stress, struct stress_report *report)
{
	for (size_t i = 0; i < stress->plan->n_actors && !report->is_misplaced; i++) {
		uint64_t at_ns = atomic_load(&stress->threads[i].misplaced_ns);

		if (!at_ns)
			continue;
		report->is_misplaced = true;
		report->misplaced = (struct stress_misplaced){
			.actor = i, .cpu = stress->threads[i].misplaced_cpu, .at_ns = at_ns};
	}
}

static bool is_found(const struct stress_report *report)
{
	return report->n_lost || report->has_strangers || report->is_misplaced;
}

static void run_round(struct stress *stress, unsigned int round)
{
	uint64_t end_ns;

	atomic_store(&stress->is_round, true);
	atomic_store(&stress->round, round);
	wake_all(&stress->round);
	stress_nap(stress->plan->round_ns);
	atomic_store(&stress->is_round, false);
	stress_poke(stress);
	if (stress->plant.kind == STRESS_PLANT_HANG && round >= stress->plant.round)
		for (;;)
			pause();
	end_ns = clock_now_ns() + stress->plan->limit_ns;
	while (!is_everybody_back(stress, round) && clock_now_ns() < end_ns)
		stress_nap(LOOK_NS);
}

void stress_rounds(struct stress *stress, void (*on_round)(void *context, unsigned int round),
		   void *context, struct stress_report *report)
{
	*report = (struct stress_report){0};
	stress_nap(stress->plan->phase_ns);
	for (unsigned int round = 1; round <= stress->plan->rounds && !is_found(report); round++) {
		stress_watch_round_begin(stress);
		run_round(stress, round);
		note_lost(stress, round, report);
		note_misplaced(stress, report);
		/* The cookies are handed on in the first round. */
		if (round > 1)
			stress_watch_round_end(stress, report);
		if (!report->n_lost)
			report->rounds = round;
		if (on_round)
			on_round(context, round);
	}
	for (size_t i = 0; i < stress->plan->n_actors; i++)
		report->operations[stress->plan->actors[i].mechanism] +=
			stress->threads[i].operations;
}

void stress_end(struct stress *stress)
{
	atomic_store(&stress->is_over, true);
	atomic_fetch_add(&stress->round, 1);
	wake_all(&stress->round);
	for (size_t i = 0; i < stress->plan->n_actors; i++)
		pthread_join(stress->threads[i].thread, NULL);
	stress_watch_end(stress);
	stress_objects_remove(stress);
	free(stress);
}
