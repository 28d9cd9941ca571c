// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/rename_storm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/contention.h"
#include "measure/sched_attr.h"
#include "measure/spin.h"
#include "measure/task_watch.h"
#include "workloads/episode.h"
#include "workloads/weak_cgroup.h"

/* Often enough to see a wait of some milliseconds twice. */
#define LOOK_NS UINT64_C(1000000)

struct storm;

struct thread {
	struct storm *storm;
	const char *cgroup;
	void (*act)(struct thread *thread);
	pthread_t thread;
	bool is_started;
	pid_t tid;
	int err;
	uint64_t cpu_ns;	  /* used in the storm */
	uint64_t renames;	  /* there, that were over in time */
	uint64_t slept;		  /* of these, with a sleep in them */
	uint64_t n_long, long_ns; /* timed ones that were long, also the last */
};

struct storm {
	const struct rename_storm *asked;
	struct thread foreground, background, *hogs;
	sem_t ready, go;
	bool is_called_off;
	uint64_t end_ns; /* written before `go` is posted */
	atomic_bool stop;
};

static uint64_t own_sleeps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_nvcsw;
}

static void record(struct thread *thread, uint64_t latency_ns)
{
	const struct rename_storm *asked = thread->storm->asked;

	histogram_record(asked->latency, latency_ns);
	if (latency_ns < asked->long_ns)
		return;
	thread->n_long++;
	thread->long_ns += latency_ns;
}

static void act_foreground(struct thread *thread)
{
	const struct storm *storm = thread->storm;
	int root = storm->asked->root;
	uint64_t sleeps = own_sleeps();

	while (!atomic_load(&storm->stop)) {
		uint64_t slept, to_ns, from_ns = clock_now_ns();

		if (renameat(root, "a/foreground", root, "b/foreground")) {
			thread->err = -errno;
			return;
		}
		to_ns = clock_now_ns();
		slept = own_sleeps();
		if (from_ns >= storm->end_ns)
			return;
		record(thread, (to_ns < storm->end_ns ? to_ns : storm->end_ns) - from_ns);
		thread->renames += to_ns < storm->end_ns;
		thread->slept += slept > sleeps;
		if (renameat(root, "b/foreground", root, "a/foreground")) {
			thread->err = -errno;
			return;
		}
		sleeps = own_sleeps();
	}
}

static void act_background(struct thread *thread)
{
	const struct storm *storm = thread->storm;
	int root = storm->asked->root;

	while (!atomic_load(&storm->stop)) {
		if (renameat(root, "a/background", root, "b/background") ||
		    renameat(root, "b/background", root, "a/background")) {
			thread->err = -errno;
			return;
		}
		thread->renames++;
	}
}

static void act_hog(struct thread *thread)
{
	while (!atomic_load_explicit(&thread->storm->stop, memory_order_relaxed))
		spin_stretch();
}

static int prepare(const struct thread *thread)
{
	static const struct task_class ordinary = {.policy = SCHED_OTHER};
	const struct rename_storm *asked = thread->storm->asked;
	int err = task_class_set(&ordinary);

	if (!err && sched_setaffinity(0, sizeof(asked->cpus), &asked->cpus))
		err = -errno;
	return !err && thread->cgroup ? weak_cgroup_join(thread->cgroup) : err;
}

static void *thread_main(void *argument)
{
	struct thread *thread = argument;
	struct storm *storm = thread->storm;
	uint64_t cpu_ns;

	thread->tid = (pid_t)syscall(SYS_gettid);
	thread->err = prepare(thread);
	sem_post(&storm->ready);
	while (sem_wait(&storm->go))
		;
	if (storm->is_called_off)
		return NULL;
	cpu_ns = clock_thread_cpu_ns();
	thread->act(thread);
	thread->cpu_ns = clock_thread_cpu_ns() - cpu_ns;
	return NULL;
}

static int start(struct storm *storm, struct thread *thread, const char *cgroup,
		 void (*act)(struct thread *thread))
{
	pthread_attr_t attributes;
	int err = -pthread_attr_init(&attributes);

	if (err)
		return err;
	thread->storm = storm;
	thread->cgroup = cgroup;
	thread->act = act;
	pthread_attr_setstacksize(&attributes, EPISODE_STACK_BYTES);
	err = -pthread_create(&thread->thread, &attributes, thread_main, thread);
	pthread_attr_destroy(&attributes);
	thread->is_started = !err;
	return err;
}

/* Every thread in the order foreground, background, hogs; NULL after the last. */
static struct thread *thread_at(struct storm *storm, unsigned int i)
{
	if (i < 2)
		return i ? &storm->background : &storm->foreground;
	return i - 2 < storm->asked->hogs ? &storm->hogs[i - 2] : NULL;
}

static int start_all(struct storm *storm)
{
	const struct rename_storm *asked = storm->asked;
	int err = start(storm, &storm->foreground, NULL, act_foreground);

	if (!err && asked->has_background)
		err = start(storm, &storm->background, asked->low, act_background);
	for (unsigned int i = 0; !err && i < asked->hogs; i++)
		err = start(storm, &storm->hogs[i], asked->medium, act_hog);
	return err;
}

/* Waits until every started thread is ready; the first error of one. */
static int await_all(struct storm *storm)
{
	struct thread *thread;
	int err = 0;

	for (unsigned int i = 0; (thread = thread_at(storm, i)); i++)
		if (thread->is_started)
			while (sem_wait(&storm->ready))
				;
	for (unsigned int i = 0; !err && (thread = thread_at(storm, i)); i++)
		err = thread->err;
	return err;
}

static int join_all(struct storm *storm)
{
	struct thread *thread;
	int err = 0;

	for (unsigned int i = 0; (thread = thread_at(storm, i)); i++) {
		if (!thread->is_started)
			continue;
		pthread_join(thread->thread, NULL);
		if (!err)
			err = thread->err;
	}
	return err;
}

static void release_all(struct storm *storm)
{
	struct thread *thread;

	for (unsigned int i = 0; (thread = thread_at(storm, i)); i++)
		if (thread->is_started)
			sem_post(&storm->go);
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec at = {.tv_sec = (time_t)(at_ns / NS_PER_S),
			      .tv_nsec = (long)(at_ns % NS_PER_S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* Lets it begin, looks at the foreground until the end, and ends it. */
static int conduct(struct storm *storm, struct rename_storm_result *result)
{
	struct task_watch watch;
	uint64_t now_ns;
	int counter, err;

	/* It is free in its set: only what it is charged for tells. */
	err = task_watch_begin(&watch, storm->foreground.tid, -1);
	if (err)
		return err;
	counter = contention_open(storm->foreground.tid);
	now_ns = clock_now_ns();
	storm->end_ns = now_ns + storm->asked->duration_ns;
	release_all(storm);
	while (now_ns < storm->end_ns && !*storm->asked->stop) {
		uint64_t next_ns = now_ns + LOOK_NS;

		sleep_until(next_ns < storm->end_ns ? next_ns : storm->end_ns);
		task_watch_look(&watch, 0);
		now_ns = clock_now_ns();
	}
	atomic_store(&storm->stop, true);
	task_watch_end(&watch);
	result->looks = watch.looks;
	result->repeats = watch.repeats;
	result->is_lent = watch.is_charged;
	result->contentions_err =
		counter < 0 ? counter : contention_read(counter, &result->contentions);
	if (counter >= 0)
		close(counter);
	return *storm->asked->stop ? -EINTR : 0;
}

static int make_tree(int root)
{
	static const char *const directories[] = {"a", "b", NULL};
	static const char *const files[] = {"a/foreground", "a/background", NULL};

	for (const char *const *directory = directories; *directory; directory++)
		if (mkdirat(root, *directory, 0700))
			return -errno;
	for (const char *const *path = files; *path; path++) {
		int fd = openat(root, *path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return -errno;
		close(fd);
	}
	return 0;
}

static void take_result(struct storm *storm, struct rename_storm_result *result)
{
	result->foreground_renames = storm->foreground.renames;
	result->long_renames = storm->foreground.n_long;
	result->long_renames_ns = storm->foreground.long_ns;
	result->slept_renames = storm->foreground.slept;
	result->foreground_cpu_ns = storm->foreground.cpu_ns;
	result->background_renames = storm->background.renames;
	result->background_cpu_ns = storm->background.cpu_ns;
	for (unsigned int i = 0; i < storm->asked->hogs; i++)
		result->hogs_cpu_ns += storm->hogs[i].cpu_ns;
}

int rename_storm_run(const struct rename_storm *asked, struct rename_storm_result *result)
{
	struct storm storm = {.asked = asked};
	int err, join_err;

	*result = (struct rename_storm_result){0};
	err = make_tree(asked->root);
	if (err)
		return err;
	storm.hogs = calloc(asked->hogs + 1, sizeof(*storm.hogs));
	if (!storm.hogs)
		return -ENOMEM;
	sem_init(&storm.ready, 0, 0);
	sem_init(&storm.go, 0, 0);
	err = start_all(&storm);
	join_err = await_all(&storm);
	err = err ? err : join_err;
	if (!err)
		err = conduct(&storm, result);
	if (err) {
		/* Who has not begun is not to; who has ends. */
		storm.is_called_off = true;
		atomic_store(&storm.stop, true);
		release_all(&storm);
	}
	join_err = join_all(&storm);
	take_result(&storm, result);
	sem_destroy(&storm.ready);
	sem_destroy(&storm.go);
	free(storm.hogs);
	return err ? err : join_err;
}
