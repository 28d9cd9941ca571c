// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/match.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/random.h"
#include "measure/spin.h"

struct thread {
	struct match *match;
	const struct match_player *player;
	struct random random;
	pthread_t thread;
	pid_t pid;
	int err;
	sem_t go;
};

struct match {
	struct thread *threads;
	unsigned int n, n_started;
	cpu_set_t cpus;
	sem_t done;
	/* Written before `go` is posted. */
	uint64_t from_ns, until_ns;
	bool is_over;
};

static void sleep_until(uint64_t at_ns)
{
	struct timespec at = {.tv_sec = (time_t)(at_ns / NS_PER_S),
			      .tv_nsec = (long)(at_ns % NS_PER_S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static uint64_t draw(struct thread *thread, const uint64_t range_ns[2])
{
	return range_ns[0] + random_below(&thread->random, range_ns[1] - range_ns[0]);
}

static int take_turn(struct thread *thread)
{
	const struct match_player *player = thread->player;
	int err = 0;

	if (player->role == MATCH_OWNER)
		err = player->lock->ops->hold(player->lock);
	else if (player->role == MATCH_DONOR)
		err = player->lock->ops->touch(player->lock);
	spin_cpu_ns(draw(thread, player->compute_ns));
	return err;
}

static void play(struct thread *thread)
{
	const struct match_player *player = thread->player;
	uint64_t due_ns = thread->match->from_ns + draw(thread, player->pause_ns);

	while (due_ns < thread->match->until_ns) {
		uint64_t now_ns;
		int err;

		sleep_until(due_ns);
		/* It starved: a turn from now on would be nobody's. */
		if (clock_now_ns() >= thread->match->until_ns)
			return;
		err = take_turn(thread);
		if (err) {
			thread->err = err;
			return;
		}
		now_ns = clock_now_ns();
		due_ns += player->period_ns;
		due_ns = (due_ns > now_ns ? due_ns : now_ns) + draw(thread, player->pause_ns);
	}
}

static int get_ready(struct thread *thread)
{
	int err = task_exact_timers();

	thread->pid = (pid_t)syscall(SYS_gettid);
	if (!err && sched_setaffinity(0, sizeof(thread->match->cpus), &thread->match->cpus))
		err = -errno;
	return err ? err : task_class_set(&thread->player->class);
}

static void *thread_main(void *argument)
{
	struct thread *thread = argument;

	thread->err = get_ready(thread);
	for (;;) {
		sem_post(&thread->match->done);
		while (sem_wait(&thread->go))
			;
		if (thread->match->is_over)
			return NULL;
		play(thread);
	}
}

static int start_thread(struct match *match, const struct match_player *player)
{
	struct thread *thread = &match->threads[match->n_started];
	pthread_attr_t attributes;
	int err = -pthread_attr_init(&attributes);

	if (err)
		return err;
	*thread = (struct thread){
		.match = match, .player = player, .random = {.state = player->seed}};
	sem_init(&thread->go, 0, 0);
	err = -pthread_attr_setstacksize(&attributes, MATCH_STACK_BYTES);
	if (!err)
		err = -pthread_create(&thread->thread, &attributes, thread_main, thread);
	pthread_attr_destroy(&attributes);
	if (err)
		sem_destroy(&thread->go);
	else
		match->n_started++;
	return err;
}

static int first_error(const struct match *match)
{
	for (unsigned int i = 0; i < match->n_started; i++)
		if (match->threads[i].err)
			return match->threads[i].err;
	return 0;
}

int match_start(struct match **out, const struct match_player *players, unsigned int n,
		const cpu_set_t *cpus)
{
	struct match *match = calloc(1, sizeof(*match));
	int err = 0;

	*out = match;
	if (!match)
		return -ENOMEM;
	match->cpus = *cpus;
	match->n = n;
	sem_init(&match->done, 0, 0);
	match->threads = calloc(n, sizeof(*match->threads));
	if (!match->threads)
		return -ENOMEM;
	for (unsigned int i = 0; !err && i < n; i++)
		err = start_thread(match, &players[i]);
	for (unsigned int i = 0; i < match->n_started; i++)
		while (sem_wait(&match->done))
			;
	return err ? err : first_error(match);
}

pid_t match_pid(const struct match *match, unsigned int i)
{
	return match->threads[i].pid;
}

/* Waits for all of them, until @at_ns of CLOCK_MONOTONIC at most. */
static int await_all(struct match *match, uint64_t at_ns)
{
	struct timespec at = {.tv_sec = (time_t)(at_ns / NS_PER_S),
			      .tv_nsec = (long)(at_ns % NS_PER_S)};

	for (unsigned int i = 0; i < match->n; i++)
		while (sem_clockwait(&match->done, CLOCK_MONOTONIC, &at))
			if (errno == ETIMEDOUT)
				return -ETIMEDOUT;
	return 0;
}

int match_play(struct match *match, uint64_t from_ns, uint64_t until_ns, uint64_t limit_ns)
{
	int err;

	match->from_ns = from_ns;
	match->until_ns = until_ns;
	for (unsigned int i = 0; i < match->n; i++)
		sem_post(&match->threads[i].go);
	err = await_all(match, until_ns + limit_ns);
	return err ? err : first_error(match);
}

void match_stop(struct match *match)
{
	if (!match)
		return;
	match->is_over = true;
	for (unsigned int i = 0; i < match->n_started; i++) {
		sem_post(&match->threads[i].go);
		pthread_join(match->threads[i].thread, NULL);
		sem_destroy(&match->threads[i].go);
	}
	sem_destroy(&match->done);
	free(match->threads);
	free(match);
}
