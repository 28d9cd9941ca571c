// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/episode.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/io_wait.h"
#include "measure/node_memory.h"
#include "measure/spin.h"
#include "measure/task_watch.h"
#include "workloads/weak_cgroup.h"

/*
 * The watch looks again after an eighth of the time that has passed, so that a short wait
 * is seen in fine grain and a long one costs little; never sooner than 100 us, the cost of
 * a few looks, nor later than 4 ms.
 */
#define LOOK_SOONEST_NS UINT64_C(100000)
#define LOOK_LATEST_NS	UINT64_C(4000000)
/* On the owner's CPU a look is part of the wait: once in a tick is all that there is to see. */
#define LOOK_SHARED_NS UINT64_C(1000000)

struct episode;

struct role {
	struct episode *episode;
	int (*prepare)(struct role *role);
	void (*act)(struct role *role);
	pthread_t thread;
	bool is_started;
	void *stack;
	int memory_node;
	clockid_t cpu_clock;
	pid_t tid;
	int err;
};

struct episode {
	const struct episode_roles *roles;
	struct lock *lock;
	struct role owner, donor, hogs[EPISODE_MAX_HOGS];
	sem_t ready, go, leave;
	/* Absolute times; written before `go` is posted. */
	uint64_t owner_at_ns, load_at_ns, donor_at_ns, wake_at_ns, give_up_at_ns;
	bool is_called_off; /* a role could not be made: nobody acts */
	atomic_bool stop_load;
	atomic_uint acting;   /* owner and donor, until they are through */
	atomic_bool has_lock; /* the donor: from now on it sleeps for other reasons */
	atomic_ullong switches_before;
	/* When the wait began that counts, and the hogs' CPU time then: the donor's arrival, or
	 * the owner's wakeup if that is later. */
	atomic_ullong wait_from_ns, hogs_before_ns;
	struct episode_sample *sample;
};

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
				 .tv_nsec = (long)(ns % NS_PER_S)};
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec at = timespec_of(at_ns);

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static uint64_t read_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t hogs_cpu_ns(const struct episode *episode)
{
	uint64_t sum_ns = 0;

	for (unsigned int i = 0; i < episode->roles->hogs; i++)
		sum_ns += read_clock_ns(episode->hogs[i].cpu_clock);
	return sum_ns;
}

static uint64_t own_voluntary_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_nvcsw;
}

static int prepare_owner(struct role *role)
{
	const struct episode_roles *roles = role->episode->roles;
	int err = task_pin(roles->owner_cpu);

	if (!err && roles->owner_cgroup)
		err = weak_cgroup_join(roles->owner_cgroup);
	return err ? err : task_class_set(&roles->owner);
}

/* What an owner does that has more to do than its section: until the donor is through, or its CPU
 * clock is at @until_ns. */
static void compute_on(struct episode *episode, uint64_t until_ns)
{
	while (!atomic_load(&episode->stop_load) && clock_thread_cpu_ns() < until_ns)
		for (int i = 0; i < 16; i++)
			spin_stretch();
}

static void act_owner(struct role *role)
{
	struct episode *episode = role->episode;
	struct episode_sample *sample = episode->sample;

	/* A priority that is not to be had stays 0. */
	task_priority(gettid(), &sample->owner_priority);
	sleep_until(episode->owner_at_ns);
	sample->owner_start_ns = clock_thread_cpu_ns();
	role->err = episode->lock->ops->hold(episode->lock);
	sample->owner_end_ns = clock_thread_cpu_ns();
	compute_on(episode, sample->owner_end_ns + episode->roles->compute_after_ns);
	atomic_fetch_sub(&episode->acting, 1);
	task_priority(gettid(), &sample->owner_priority_after);
}

static int prepare_hog(struct role *role)
{
	/* The lowest real-time priority: enough to take the CPU from a fair task at once. */
	static const struct task_class first = {.policy = SCHED_FIFO, .priority = 1};
	int err = task_pin(role->episode->roles->owner_cpu);

	return err ? err : task_class_set(&first);
}

/* The flag ends it; the time is a second line of defence for a machine of one CPU. */
static void act_hog(struct role *role)
{
	struct episode *episode = role->episode;

	sleep_until(episode->load_at_ns);
	role->err = task_class_set(&episode->roles->hog);
	if (role->err)
		return;
	/* The clock seldom: an emulator stops for each reading. */
	while (clock_now_ns() < episode->give_up_at_ns)
		for (int i = 0; i < 1000; i++) {
			if (atomic_load_explicit(&episode->stop_load, memory_order_relaxed))
				return;
			spin_stretch();
		}
}

static int prepare_donor(struct role *role)
{
	const struct episode_roles *roles = role->episode->roles;
	int err = task_pin(roles->donor_cpu);

	if (!err && roles->donor_cgroup)
		err = weak_cgroup_join(roles->donor_cgroup);
	return err ? err : task_class_set(&roles->donor);
}

static void act_donor(struct role *role)
{
	struct episode *episode = role->episode;
	struct episode_sample *sample = episode->sample;
	uint64_t switches, to_ns;

	sleep_until(episode->donor_at_ns);
	switches = own_voluntary_switches();
	atomic_store(&episode->switches_before, switches);
	atomic_store(&episode->hogs_before_ns, hogs_cpu_ns(episode));
	sample->owner_arrival_ns = read_clock_ns(episode->owner.cpu_clock);
	atomic_store(&episode->wait_from_ns, clock_now_ns());
	role->err = episode->lock->ops->touch(episode->lock);
	to_ns = clock_now_ns();
	atomic_store(&episode->has_lock, true);
	sample->owner_departure_ns = read_clock_ns(episode->owner.cpu_clock);
	sample->hogs_wait_ns = hogs_cpu_ns(episode) - atomic_load(&episode->hogs_before_ns);
	sample->wait_ns = to_ns - atomic_load(&episode->wait_from_ns);
	/* The owner still has to return from the kernel: take the load away. */
	atomic_store(&episode->stop_load, true);
	sample->donor_switches = own_voluntary_switches() - switches;
	atomic_fetch_sub(&episode->acting, 1);
}

static int tell_ready(const struct role *role)
{
	const struct episode *episode = role->episode;
	enum episode_part part = role == &episode->owner   ? EPISODE_OWNER
				 : role == &episode->donor ? EPISODE_DONOR
							   : EPISODE_HOG;

	return episode->roles->on_ready ? episode->roles->on_ready(episode->roles->context, part)
					: 0;
}

static void *role_main(void *argument)
{
	struct role *role = argument;
	struct episode *episode = role->episode;

	role->tid = (pid_t)syscall(SYS_gettid);
	role->memory_node = node_memory_of(&episode);
	role->err = task_exact_timers();
	if (!role->err)
		role->err = role->prepare(role);
	if (!role->err)
		role->err = tell_ready(role);
	sem_post(&episode->ready);
	while (sem_wait(&episode->go))
		;
	if (episode->is_called_off)
		return NULL;
	role->act(role);
	/* Nobody leaves before all are through: a thread that is gone has no CPU clock. */
	while (sem_wait(&episode->leave))
		;
	return NULL;
}

/* A stack of the role's own: pthread's are used again, on whatever node they are. */
static int start_thread(struct role *role, int node)
{
	pthread_attr_t attributes;
	int err;

	role->stack = node_memory_map(EPISODE_STACK_BYTES, node);
	if (!role->stack)
		return -errno;
	err = pthread_attr_init(&attributes);
	if (err)
		return -err;
	err = pthread_attr_setstack(&attributes, role->stack, EPISODE_STACK_BYTES);
	if (!err)
		err = pthread_create(&role->thread, &attributes, role_main, role);
	pthread_attr_destroy(&attributes);
	role->is_started = !err;
	return -err;
}

static int start_role(struct episode *episode, struct role *role, int (*prepare)(struct role *role),
		      void (*act)(struct role *role))
{
	const struct episode_roles *roles = episode->roles;
	int node = role == &episode->donor ? roles->donor_node : roles->owner_node;
	int err;

	role->episode = episode;
	role->prepare = prepare;
	role->act = act;
	err = start_thread(role, roles->has_nodes ? node : -1);
	return err ? err : -pthread_getcpuclockid(role->thread, &role->cpu_clock);
}

/* Every role in the order owner, donor, hogs; NULL after the last. */
static struct role *role_at(struct episode *episode, unsigned int i)
{
	if (i < 2)
		return i ? &episode->donor : &episode->owner;
	return i - 2 < episode->roles->hogs ? &episode->hogs[i - 2] : NULL;
}

static int start_roles(struct episode *episode)
{
	int err;

	err = start_role(episode, &episode->owner, prepare_owner, act_owner);
	if (!err)
		err = start_role(episode, &episode->donor, prepare_donor, act_donor);
	for (unsigned int i = 0; !err && i < episode->roles->hogs; i++)
		err = start_role(episode, &episode->hogs[i], prepare_hog, act_hog);
	return err;
}

/* Waits until every started role is ready, and says what the first failing one met. */
static int await_roles(struct episode *episode)
{
	struct role *role;
	int err = 0;

	for (unsigned int i = 0; (role = role_at(episode, i)); i++)
		if (role->is_started)
			while (sem_wait(&episode->ready))
				;
	for (unsigned int i = 0; !err && (role = role_at(episode, i)); i++)
		err = role->err;
	return err;
}

static void release_roles(struct episode *episode, sem_t *gate)
{
	struct role *role;

	for (unsigned int i = 0; (role = role_at(episode, i)); i++)
		if (role->is_started)
			sem_post(gate);
}

/* Looks at the sleeping donor until owner and donor are through or @until_ns has come. */
static void watch_donor(struct episode *episode, struct task_watch *watch, uint64_t until_ns)
{
	uint64_t began_ns = clock_now_ns();
	uint64_t now_ns = began_ns;
	uint64_t soonest_ns =
		episode->roles->is_conductor_in_the_way ? LOOK_SHARED_NS : LOOK_SOONEST_NS;

	while (atomic_load(&episode->acting) && now_ns < until_ns) {
		uint64_t pause_ns = (now_ns - began_ns) / 8;

		if (pause_ns < soonest_ns)
			pause_ns = soonest_ns;
		if (pause_ns > LOOK_LATEST_NS)
			pause_ns = LOOK_LATEST_NS;
		if (pause_ns > until_ns - now_ns)
			pause_ns = until_ns - now_ns;
		sleep_until(now_ns + pause_ns);
		/* A donor that is gone cannot be looked at: then there is nothing to see. */
		if (!atomic_load(&episode->has_lock))
			task_watch_look(watch, atomic_load(&episode->switches_before));
		now_ns = clock_now_ns();
	}
}

/* Watches until it is time, and wakes the owner out of its section's sleep. */
static int wake_owner(struct episode *episode, struct task_watch *watch)
{
	struct episode_sample *sample = episode->sample;
	int err, wake_err;

	watch_donor(episode, watch, episode->wake_at_ns);
	err = task_state(episode->owner.tid, &sample->owner_state);
	if (!err && episode->lock->ops->waits_for_io)
		err = io_wait_read(&sample->io_waiters);
	sample->owner_wakeup_ns = read_clock_ns(episode->owner.cpu_clock);
	atomic_store(&episode->hogs_before_ns, hogs_cpu_ns(episode));
	atomic_store(&episode->wait_from_ns, clock_now_ns());
	wake_err = episode->lock->ops->wake(episode->lock);
	return wake_err ? wake_err : err;
}

static int conduct(struct episode *episode, const struct episode_timing *timing)
{
	struct task_watch watch;
	int wake_err = 0;
	int err = task_watch_begin(&watch, episode->donor.tid, episode->roles->donor_cpu);

	if (err) {
		episode->is_called_off = true;
		release_roles(episode, &episode->go);
		return err;
	}
	watch.asleep = episode->lock->ops->waiter_state;
	episode->owner_at_ns = clock_now_ns() + episode->roles->lead_ns;
	episode->load_at_ns = episode->owner_at_ns + timing->load_after_ns;
	episode->donor_at_ns = episode->owner_at_ns + timing->donor_after_ns;
	episode->wake_at_ns = episode->owner_at_ns + timing->wake_after_ns;
	episode->give_up_at_ns = episode->donor_at_ns + episode->roles->limit_ns;
	release_roles(episode, &episode->go);
	sleep_until(episode->donor_at_ns);
	if (timing->wake_after_ns)
		wake_err = wake_owner(episode, &watch);
	watch_donor(episode, &watch, episode->give_up_at_ns);
	if (atomic_load(&episode->acting)) {
		err = -ETIME;
		atomic_store(&episode->stop_load, true);
		watch_donor(episode, &watch, episode->give_up_at_ns + episode->roles->limit_ns);
		if (atomic_load(&episode->acting))
			err = -ETIMEDOUT;
	}
	task_watch_end(&watch);
	episode->sample->looks = watch.looks;
	episode->sample->is_moved = watch.is_moved;
	episode->sample->is_lent = watch.is_charged || watch.is_moved;
	return err ? err : wake_err;
}

/* Joins all; the first error of a role, in their order. */
static int join_roles(struct episode *episode)
{
	struct role *role;
	int err = 0;

	atomic_store(&episode->stop_load, true);
	release_roles(episode, &episode->leave);
	for (unsigned int i = 0; (role = role_at(episode, i)); i++) {
		if (role->is_started) {
			pthread_join(role->thread, NULL);
			err = err ? err : role->err;
		}
		if (role->stack)
			munmap(role->stack, EPISODE_STACK_BYTES);
	}
	return err;
}

int episode_run(const struct episode_roles *roles, const struct episode_timing *timing,
		struct lock *lock, struct episode_sample *sample)
{
	struct episode *episode;
	int err, role_err;

	if (roles->hogs > EPISODE_MAX_HOGS)
		return -EINVAL;
	episode = calloc(1, sizeof(*episode));
	if (!episode)
		return -ENOMEM;
	memset(sample, 0, sizeof(*sample));
	episode->roles = roles;
	episode->lock = lock;
	episode->sample = sample;
	sem_init(&episode->ready, 0, 0);
	sem_init(&episode->go, 0, 0);
	sem_init(&episode->leave, 0, 0);
	atomic_init(&episode->acting, 2);

	err = start_roles(episode);
	role_err = await_roles(episode);
	err = err ? err : role_err;
	if (err) {
		episode->is_called_off = true;
		release_roles(episode, &episode->go);
	} else {
		err = conduct(episode, timing);
	}
	if (err == -ETIMEDOUT)
		return err; /* its threads still use the episode: it stays until the process ends */
	role_err = join_roles(episode);
	sample->owner_memory_node = episode->owner.memory_node;
	sample->donor_memory_node = episode->donor.memory_node;
	sem_destroy(&episode->ready);
	sem_destroy(&episode->go);
	sem_destroy(&episode->leave);
	free(episode);
	return err ? err : role_err;
}
