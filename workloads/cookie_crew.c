// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/cookie_crew.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/sched_attr.h"
#include "measure/spin.h"
#include "workloads/episode.h"

/* <linux/prctl.h> of older systems has no PR_SCHED_CORE. */
#define CORE_PRCTL	  62
#define CORE_GET	  0UL
#define CORE_CREATE	  1UL
#define CORE_SHARE_FROM	  3UL
#define CORE_SCOPE_THREAD 0UL

static pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static int core_prctl(unsigned long command, pid_t tid, uint64_t *cookie)
{
	return prctl(CORE_PRCTL, command, (unsigned long)tid, CORE_SCOPE_THREAD, cookie) ? -errno
											 : 0;
}

static void *keep(void *argument)
{
	struct cookie_keeper *keeper = argument;

	keeper->tid = own_tid();
	keeper->err = core_prctl(CORE_CREATE, 0, NULL);
	sem_post(&keeper->ready);
	while (sem_wait(&keeper->leave))
		;
	return NULL;
}

static int start_thread(pthread_t *thread, void *(*main)(void *argument), void *argument)
{
	pthread_attr_t attributes;
	int err = pthread_attr_init(&attributes);

	if (err)
		return -err;
	err = pthread_attr_setstacksize(&attributes, EPISODE_STACK_BYTES);
	if (!err)
		err = pthread_create(thread, &attributes, main, argument);
	pthread_attr_destroy(&attributes);
	return -err;
}

int cookie_crew_begin(struct cookie_crew *crew)
{
	int err = 0;

	memset(crew, 0, sizeof(*crew));
	for (int side = 0; !err && side < COOKIE_SIDES; side++) {
		struct cookie_keeper *keeper = &crew->keepers[side];

		sem_init(&keeper->ready, 0, 0);
		sem_init(&keeper->leave, 0, 0);
		err = start_thread(&keeper->thread, keep, keeper);
		if (err)
			break;
		keeper->is_started = true;
		while (sem_wait(&keeper->ready))
			;
		err = keeper->err;
	}
	return err;
}

void cookie_crew_end(struct cookie_crew *crew)
{
	cookie_crew_stop_companion(crew);
	for (int side = 0; side < COOKIE_SIDES; side++) {
		struct cookie_keeper *keeper = &crew->keepers[side];

		if (!keeper->is_started)
			continue;
		sem_post(&keeper->leave);
		pthread_join(keeper->thread, NULL);
		keeper->is_started = false;
	}
}

void cookie_crew_muster(struct cookie_crew *crew, enum cookie_mode mode)
{
	crew->mode = mode;
	atomic_store(&crew->n_members, 0);
}

int cookie_crew_join(struct cookie_crew *crew, enum cookie_side side)
{
	unsigned int i = atomic_fetch_add(&crew->n_members, 1);
	enum cookie_side from = crew->mode == COOKIES_TWO ? side : SIDE_OWNER;
	int err = 0;

	if (i >= COOKIE_METER_TASKS)
		return -E2BIG;
	if (crew->mode != COOKIES_NONE)
		err = core_prctl(CORE_SHARE_FROM, crew->keepers[from].tid, NULL);
	crew->members[i].tid = own_tid();
	crew->members[i].side = side;
	return err ? err : core_prctl(CORE_GET, 0, &crew->members[i].cookie);
}

static void *accompany(void *argument)
{
	static const struct task_class plain = {.policy = SCHED_OTHER};
	struct cookie_crew *crew = argument;

	crew->companion_err = task_pin(crew->companion_cpu);
	if (!crew->companion_err)
		crew->companion_err = task_class_set(&plain);
	if (!crew->companion_err)
		crew->companion_err = cookie_crew_join(crew, SIDE_DONOR);
	sem_post(&crew->companion_ready);
	while (!crew->companion_err && !atomic_load(&crew->stop_companion))
		spin_stretch();
	return NULL;
}

int cookie_crew_start_companion(struct cookie_crew *crew, int cpu)
{
	int err;

	crew->companion_cpu = cpu;
	sem_init(&crew->companion_ready, 0, 0);
	atomic_store(&crew->stop_companion, false);
	err = start_thread(&crew->companion, accompany, crew);
	if (err)
		return err;
	crew->has_companion = true;
	while (sem_wait(&crew->companion_ready))
		;
	return crew->companion_err;
}

void cookie_crew_stop_companion(struct cookie_crew *crew)
{
	if (!crew->has_companion)
		return;
	atomic_store(&crew->stop_companion, true);
	pthread_join(crew->companion, NULL);
	crew->has_companion = false;
}

bool has_cookies_as_wanted(const struct cookie_crew *crew)
{
	uint64_t cookies[COOKIE_SIDES] = {0};
	bool is_known[COOKIE_SIDES] = {false};
	unsigned int n = atomic_load(&crew->n_members);

	for (unsigned int i = 0; i < n; i++) {
		enum cookie_side side = crew->members[i].side;

		if (is_known[side] && crew->members[i].cookie != cookies[side])
			return false;
		is_known[side] = true;
		cookies[side] = crew->members[i].cookie;
	}
	if (!is_known[SIDE_OWNER] || !is_known[SIDE_DONOR])
		return false;
	if (crew->mode == COOKIES_NONE)
		return !cookies[SIDE_OWNER] && !cookies[SIDE_DONOR];
	return cookies[SIDE_OWNER] && cookies[SIDE_DONOR] &&
	       (cookies[SIDE_OWNER] == cookies[SIDE_DONOR]) == (crew->mode == COOKIES_ONE);
}

int cookie_crew_tell(const struct cookie_crew *crew, struct cookie_meter *meter)
{
	unsigned int n = atomic_load(&crew->n_members);
	int err = 0;

	for (unsigned int i = 0; !err && i < n; i++) {
		enum cookie_side side = crew->members[i].side;

		err = cookie_meter_add(meter, crew->members[i].tid,
				       crew->mode == COOKIES_ONE ? 1 : 1 + (int)side);
	}
	return err;
}
