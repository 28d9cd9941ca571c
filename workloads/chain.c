// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/chain.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_counts.h"
#include "measure/spin.h"
#include "measure/task_watch.h"
#include "workloads/episode.h"

/* The conductor looks after an eighth of the time that has passed: as workloads/episode.c. */
#define LOOK_SOONEST_NS UINT64_C(50000)
#define LOOK_LATEST_NS	UINT64_C(4000000)
/* CPU time by which a task that computes in its section, or a hog, shows that it is there. */
#define PRESENCE_NS UINT64_C(50000)

enum chain_part { PART_OWNER, PART_LINK, PART_LEAF, PART_DONOR, PART_HOG };

struct staging;

struct chain_task {
	struct staging *staging;
	enum chain_part part;
	unsigned int level; /* which link, leaf or hog */
	int cpu;
	pthread_t thread;
	bool is_started;
	pid_t tid;
	clockid_t cpu_clock;
	int err;
	sem_t go;
	atomic_bool is_inside;
	atomic_bool is_through;
	atomic_ullong switches_before;
	bool is_process; /* of its own, so that it can be killed alone */
	uint64_t begin_cpu_ns, end_cpu_ns;
};

struct staging {
	struct chain *chain;
	struct chain_sample *sample;
	struct chain_task owner, donor, links[CHAIN_MAX_DEPTH], leaves[CHAIN_MAX_LEAVES];
	struct chain_task *hogs;
	unsigned int n_hogs;
	sem_t ready, leave;
	bool is_called_off;
	atomic_bool stop_load;
	atomic_uint acting; /* all but the hogs, until they are through */
	atomic_ullong released_ns, event_ns, arrival_ns;
	struct sched_counts before, after;
	struct task_watch watch;
};

unsigned int chain_event_level(const struct chain *chain)
{
	return chain->event == CHAIN_NO_EVENT ? 0 : chain->depth / 2;
}

bool is_chain_cut(const struct chain *chain)
{
	return chain->event != CHAIN_NO_EVENT && chain->event != CHAIN_WAKEUP &&
	       !chain->ops->is_deaf;
}

/* 0 of who is gone. */
static uint64_t read_clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* ---- the tasks ---------------------------------------------------------------- */

static int prepare(const struct chain_task *task)
{
	const struct chain *chain = task->staging->chain;
	const struct task_class *class = &chain->weak;
	int err = task_pin(task->cpu);

	if (task->part == PART_DONOR)
		class = &chain->donor;
	else if (task->part == PART_HOG)
		class = &chain->hog;
	return err ? err : task_class_set(class);
}

/* The flag ends it; the time is a second line of defence. */
static void act_hog(struct chain_task *task)
{
	struct staging *staging = task->staging;
	uint64_t until_ns = clock_now_ns() + 2 * staging->chain->limit_ns;

	while (!atomic_load(&staging->stop_load) && clock_now_ns() < until_ns)
		for (int i = 0; i < 100 && !atomic_load(&staging->stop_load); i++)
			spin_stretch();
}

static int act_donor(struct chain_task *task)
{
	struct staging *staging = task->staging;
	struct chain *chain = staging->chain;
	int err;

	if (!chain->donor_comes_first)
		staging->owner.begin_cpu_ns = read_clock_ns(staging->owner.cpu_clock);
	atomic_store(&staging->arrival_ns, clock_now_ns());
	err = chain->ops->touch(chain, 0, 0);
	if (!chain->records[0].got_ns)
		chain->records[0].got_ns = clock_now_ns();
	sched_counts_read(&staging->after, chain->cpus, chain->n_cpus);
	/* The others still have to come through: take the load away. */
	atomic_store(&staging->stop_load, true);
	return err;
}

static int link_main(void *argument)
{
	struct chain_task *task = argument;

	task->err = task->staging->chain->ops->link(task->staging->chain, task->level);
	return 0;
}

static uint64_t usage_ns(const struct rusage *usage)
{
	return ((uint64_t)usage->ru_utime.tv_sec + (uint64_t)usage->ru_stime.tv_sec) * NS_PER_S +
	       ((uint64_t)usage->ru_utime.tv_usec + (uint64_t)usage->ru_stime.tv_usec) * 1000;
}

/* What the process leaves: it may have been killed before it could say anything. */
static int await_link_process(struct chain_task *task, pid_t pid)
{
	struct chain *chain = task->staging->chain;
	struct rusage usage;
	int status;

	while (wait4(pid, &status, __WALL, &usage) < 0)
		if (errno != EINTR)
			return -errno;
	task->end_cpu_ns = usage_ns(&usage);
	if (!WIFSIGNALED(status))
		return task->err;
	task->staging->sample->is_killed = WTERMSIG(status) == SIGKILL;
	return chain->ops->killed(chain, task->level);
}

/*
 * Who kills a thread kills its process: so a link that is to be killed is a process of its own, in
 * the same memory. Its class and place are those of the thread that makes it and waits for it.
 */
static int act_as_process(struct chain_task *task)
{
	char *stack = mmap(NULL, EPISODE_STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t pid;
	int err;

	if (stack == MAP_FAILED)
		return -errno;
	pid = clone(link_main, stack + EPISODE_STACK_BYTES,
		    CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, task);
	if (pid < 0) {
		err = -errno;
	} else {
		task->is_process = true;
		task->tid = pid;
		clock_getcpuclockid(pid, &task->cpu_clock);
		atomic_store(&task->switches_before, 0);
		atomic_store(&task->is_inside, true);
		err = await_link_process(task, pid);
	}
	munmap(stack, EPISODE_STACK_BYTES);
	return err;
}

static int act_link(struct chain_task *task)
{
	struct chain *chain = task->staging->chain;

	if (chain->event == CHAIN_KILL && task->level == chain_event_level(chain))
		return act_as_process(task);
	atomic_store(&task->is_inside, true);
	return chain->ops->link(chain, task->level);
}

static void act(struct chain_task *task)
{
	struct chain *chain = task->staging->chain;
	struct rusage usage;

	if (task->part == PART_HOG) {
		act_hog(task);
		return;
	}
	getrusage(RUSAGE_THREAD, &usage);
	atomic_store(&task->switches_before, (unsigned long long)usage.ru_nvcsw);
	atomic_store(&task->is_inside, task->part != PART_LINK);
	switch (task->part) {
	case PART_OWNER:
		task->err = chain->ops->hold(chain);
		break;
	case PART_LINK:
		task->err = act_link(task);
		break;
	case PART_LEAF:
		task->err = chain->ops->touch(chain, task->level, task->level + 1);
		break;
	default:
		task->err = act_donor(task);
		break;
	}
	if (!task->is_process)
		task->end_cpu_ns = clock_thread_cpu_ns();
	if (task->part == PART_DONOR && !getrusage(RUSAGE_THREAD, &usage))
		task->staging->sample->donor_switches =
			(uint64_t)usage.ru_nvcsw - atomic_load(&task->switches_before);
	atomic_store(&task->is_through, true);
	atomic_fetch_sub(&task->staging->acting, 1);
}

static void *task_main(void *argument)
{
	struct chain_task *task = argument;
	struct staging *staging = task->staging;

	task->tid = (pid_t)syscall(SYS_gettid);
	task->err = task_exact_timers();
	if (!task->err)
		task->err = prepare(task);
	sem_post(&staging->ready);
	while (sem_wait(&task->go))
		;
	if (staging->is_called_off)
		return NULL;
	act(task);
	/* Nobody leaves before all are through: a thread that is gone has no CPU clock. */
	while (sem_wait(&staging->leave))
		;
	return NULL;
}

/* Every task in the order owner, donor, links, leaves, hogs; NULL after the last. */
static struct chain_task *task_at(struct staging *staging, unsigned int i)
{
	unsigned int links = staging->chain->depth - 1, leaves = staging->chain->leaves;

	if (i < 2)
		return i ? &staging->donor : &staging->owner;
	i -= 2;
	if (i < links)
		return &staging->links[i + 1];
	i -= links;
	if (i < leaves)
		return &staging->leaves[i];
	i -= leaves;
	return i < staging->n_hogs ? &staging->hogs[i] : NULL;
}

static void describe_task(struct staging *staging, struct chain_task *task, enum chain_part part,
			  unsigned int level, int cpu)
{
	task->staging = staging;
	task->part = part;
	task->level = level;
	task->cpu = cpu;
	sem_init(&task->go, 0, 0);
}

static void describe_tasks(struct staging *staging)
{
	const struct chain *chain = staging->chain;

	describe_task(staging, &staging->owner, PART_OWNER, chain->depth,
		      chain->cpus[chain->depth % chain->n_cpus]);
	describe_task(staging, &staging->donor, PART_DONOR, 0, chain->donor_cpu);
	for (unsigned int i = 1; i < chain->depth; i++)
		describe_task(staging, &staging->links[i], PART_LINK, i,
			      chain->cpus[i % chain->n_cpus]);
	for (unsigned int i = 0; i < chain->leaves; i++)
		describe_task(staging, &staging->leaves[i], PART_LEAF, i,
			      chain->cpus[(i + 1) % chain->n_cpus]);
	for (unsigned int i = 0; i < staging->n_hogs; i++)
		describe_task(staging, &staging->hogs[i], PART_HOG, i,
			      chain->cpus[i / chain->hogs_per_cpu]);
}

static int start_tasks(struct staging *staging)
{
	pthread_attr_t attributes;
	struct chain_task *task;
	int err = -pthread_attr_init(&attributes);

	if (err)
		return err;
	err = -pthread_attr_setstacksize(&attributes, EPISODE_STACK_BYTES);
	for (unsigned int i = 0; !err && (task = task_at(staging, i)); i++) {
		err = -pthread_create(&task->thread, &attributes, task_main, task);
		task->is_started = !err;
		if (!err)
			err = -pthread_getcpuclockid(task->thread, &task->cpu_clock);
	}
	pthread_attr_destroy(&attributes);
	for (unsigned int i = 0; (task = task_at(staging, i)); i++)
		if (task->is_started)
			while (sem_wait(&staging->ready))
				;
	for (unsigned int i = 0; !err && (task = task_at(staging, i)); i++)
		err = task->err;
	return err;
}

/* ---- waiting for the tasks ------------------------------------------------------ */

static uint64_t next_pause(uint64_t passed_ns)
{
	uint64_t pause_ns = passed_ns / 8;

	if (pause_ns < LOOK_SOONEST_NS)
		return LOOK_SOONEST_NS;
	return pause_ns > LOOK_LATEST_NS ? LOOK_LATEST_NS : pause_ns;
}

/* Asleep since it set out: interruptibly or not. */
static bool is_asleep(struct chain_task *task)
{
	struct task_watch watch;
	struct task_look look;
	bool answer;

	if (!atomic_load(&task->is_inside) || task_watch_begin(&watch, task->tid, task->cpu))
		return false;
	answer = !task_watch_read(&watch, &look) && (look.state == 'D' || look.state == 'S') &&
		 look.voluntary_switches > atomic_load(&task->switches_before);
	task_watch_end(&watch);
	return answer;
}

static bool is_present(struct chain_task *task)
{
	return (task->part == PART_HOG || atomic_load(&task->is_inside)) &&
	       read_clock_ns(task->cpu_clock) >= task->begin_cpu_ns + PRESENCE_NS;
}

/* Whether @is_so of @task came true within the limit, and before the task was through. */
static bool await(struct chain_task *task, bool (*is_so)(struct chain_task *task))
{
	uint64_t began_ns = clock_now_ns(), now_ns = began_ns;

	while (!is_so(task)) {
		if (atomic_load(&task->is_through) ||
		    now_ns - began_ns > task->staging->chain->limit_ns)
			return false;
		clock_sleep_ns(next_pause(now_ns - began_ns));
		now_ns = clock_now_ns();
	}
	return true;
}

static void set_out(struct chain_task *task)
{
	task->begin_cpu_ns = read_clock_ns(task->cpu_clock);
	sem_post(&task->go);
}

/* Lets a task set out and sees it asleep on its lock. */
static void send(struct chain_task *task)
{
	set_out(task);
	task->staging->sample->blocked += await(task, is_asleep);
}

/* ---- conducting ------------------------------------------------------------------ */

/* Every task that holds something from the start. */
static void build_inside_out(struct staging *staging)
{
	struct chain *chain = staging->chain;

	set_out(&staging->owner);
	await(&staging->owner, chain->owner_sleeps ? is_asleep : is_present);
	for (unsigned int level = chain->depth - 1; level; level--)
		send(&staging->links[level]);
}

static void build_outside_in(struct staging *staging)
{
	struct chain *chain = staging->chain;

	set_out(&staging->owner);
	await(&staging->owner, chain->owner_sleeps ? is_asleep : is_present);
	for (unsigned int level = chain->depth - 1; level; level--) {
		set_out(&staging->links[level]);
		await(&staging->links[level], is_present);
	}
}

static void start_load(struct staging *staging)
{
	for (unsigned int i = 0; i < staging->n_hogs; i++)
		set_out(&staging->hogs[i]);
	for (unsigned int i = 0; i < staging->n_hogs; i++)
		await(&staging->hogs[i], is_present);
}

/* The links come to wait, each on another holder, with all who wait for it already. */
static int draw_in(struct staging *staging)
{
	struct chain *chain = staging->chain;
	int err = 0;

	for (unsigned int level = 1; !err && level < chain->depth; level++) {
		err = chain->ops->advance(chain, level);
		if (!err)
			staging->sample->blocked += await(&staging->links[level], is_asleep);
	}
	return err;
}

/* Looks at the sleeping donor until @is_over or the limit. */
static void watch_until(struct staging *staging, bool (*is_over)(struct staging *staging))
{
	uint64_t began_ns = clock_now_ns(), now_ns = began_ns;

	while (!is_over(staging) && now_ns - began_ns < staging->chain->limit_ns) {
		clock_sleep_ns(next_pause(now_ns - began_ns));
		/* A donor that is gone cannot be looked at: then there is nothing to see. */
		if (!atomic_load(&staging->donor.is_through))
			task_watch_look(&staging->watch,
					atomic_load(&staging->donor.switches_before));
		now_ns = clock_now_ns();
	}
}

static bool is_donor_through(struct staging *staging)
{
	return atomic_load(&staging->donor.is_through);
}

static bool are_all_through(struct staging *staging)
{
	return !atomic_load(&staging->acting);
}

static bool is_event_link_through(struct staging *staging)
{
	return atomic_load(&staging->links[chain_event_level(staging->chain)].is_through);
}

/* Wakes a link for nothing, and sees it asleep again. */
static int wake_link(struct staging *staging, struct chain_task *link)
{
	struct task_watch watch;
	struct task_look look;
	int err = task_watch_begin(&watch, link->tid, link->cpu);

	if (err)
		return err;
	err = task_watch_read(&watch, &look);
	task_watch_end(&watch);
	if (err)
		return err;
	atomic_store(&link->switches_before, look.voluntary_switches);
	err = staging->chain->ops->wake(staging->chain, link->level);
	if (!err)
		await(link, is_asleep);
	return err;
}

static bool is_told(struct chain_task *task)
{
	uint64_t signals;

	return !task_pending_signals(task->tid, &signals) && signals;
}

/*
 * The middle link wakes, and goes back to sleep; or it gives up, and its lock goes on outwards. A
 * deaf one has a signal pending from then on, and stays.
 */
static int make_event(struct staging *staging)
{
	struct chain *chain = staging->chain;
	unsigned int level = chain_event_level(chain);
	struct chain_task *link = &staging->links[level];

	if (chain->event == CHAIN_WAKEUP)
		return wake_link(staging, link);
	atomic_store(&staging->event_ns, clock_now_ns());
	if (chain->event == CHAIN_SIGNAL && syscall(SYS_tgkill, getpid(), link->tid, SIGUSR1))
		return -errno;
	if (chain->event == CHAIN_KILL && kill(link->tid, SIGKILL))
		return -errno;
	if (chain->ops->is_deaf) {
		staging->sample->has_stayed = await(link, is_told) && is_asleep(link);
		return 0;
	}
	watch_until(staging, is_event_link_through);
	watch_until(staging, is_donor_through);
	return 0;
}

static void read_begin_clocks(struct staging *staging)
{
	for (unsigned int level = 1; level < staging->chain->depth; level++)
		staging->links[level].begin_cpu_ns = read_clock_ns(staging->links[level].cpu_clock);
	staging->owner.begin_cpu_ns = read_clock_ns(staging->owner.cpu_clock);
}

static int conduct(struct staging *staging)
{
	struct chain *chain = staging->chain;
	int err;

	if (chain->build == CHAIN_INSIDE_OUT)
		build_inside_out(staging);
	else
		build_outside_in(staging);
	for (unsigned int i = 0; i < chain->leaves; i++)
		send(&staging->leaves[i]);
	start_load(staging);
	staging->sample->has_counts =
		!sched_counts_read(&staging->before, chain->cpus, chain->n_cpus);
	if (chain->donor_comes_first)
		send(&staging->donor);
	err = chain->build == CHAIN_OUTSIDE_IN ? draw_in(staging) : 0;
	read_begin_clocks(staging);
	if (!err && chain->event != CHAIN_NO_EVENT)
		err = make_event(staging);
	atomic_store(&staging->released_ns, clock_now_ns());
	if (chain->ops->release(chain))
		err = err ? err : -EIO;
	if (!chain->donor_comes_first) {
		clock_sleep_ns(chain->lead_ns);
		set_out(&staging->donor);
	}
	watch_until(staging, is_donor_through);
	watch_until(staging, are_all_through);
	return err;
}

/* ---- what came of it --------------------------------------------------------------- */

/* Those in the donor's way: the owner and all links; after a link gave up, it and those outside. */
static void sum_needs(struct staging *staging)
{
	const struct chain *chain = staging->chain;
	bool is_cut = is_chain_cut(chain);
	unsigned int last = is_cut ? chain_event_level(chain) : chain->depth - 1;
	struct chain_sample *sample = staging->sample;

	sample->owner_ns = staging->owner.end_cpu_ns - staging->owner.begin_cpu_ns;
	sample->needed_ns = is_cut ? 0 : sample->owner_ns;
	for (unsigned int level = 1; level <= last; level++)
		sample->needed_ns +=
			staging->links[level].end_cpu_ns - staging->links[level].begin_cpu_ns;
}

static void sum_wait(struct staging *staging)
{
	struct chain *chain = staging->chain;
	struct chain_sample *sample = staging->sample;
	uint64_t event_ns = atomic_load(&staging->event_ns);
	uint64_t from_ns = atomic_load(&staging->arrival_ns);

	if (chain->event == CHAIN_TIMEOUT)
		event_ns = chain->records[chain_event_level(chain)].want_ns + chain->timeout_ns;
	if (!is_chain_cut(chain))
		event_ns = atomic_load(&staging->released_ns);
	if (chain->donor_comes_first && event_ns > from_ns)
		from_ns = event_ns;
	sample->from_ns = from_ns;
	sample->wait_ns =
		chain->records[0].got_ns > from_ns ? chain->records[0].got_ns - from_ns : 0;
}

static void sum_counts(struct staging *staging)
{
	struct chain_sample *sample = staging->sample;
	struct chain_task *task;

	sample->idle_picks = staging->after.idle_picks - staging->before.idle_picks;
	sample->schedules = staging->after.schedules - staging->before.schedules;
	sample->wakeups = staging->after.wakeups - staging->before.wakeups;
	for (unsigned int i = 0; (task = task_at(staging, i)) && task->part != PART_HOG; i++) {
		uint64_t migrations;

		/* A thread's first is its pinning; nobody else moves it but a donor's return. */
		if (!task_migrations(task->tid, &migrations))
			sample->returns += migrations;
	}
}

/* -ETIMEDOUT when somebody is left inside. */
static int collect(struct staging *staging)
{
	struct chain_sample *sample = staging->sample;

	sample->stranded = atomic_load(&staging->acting);
	if (sample->stranded) {
		atomic_store(&staging->stop_load, true);
		watch_until(staging, are_all_through);
		if (atomic_load(&staging->acting))
			return -ETIMEDOUT;
	}
	sample->looks = staging->watch.looks;
	sample->is_lent = staging->watch.is_charged || staging->watch.is_moved;
	sum_needs(staging);
	sum_wait(staging);
	sum_counts(staging);
	return 0;
}

/* Joins all; the first error of a task that is not one that was to give up. */
static int join_tasks(struct staging *staging)
{
	unsigned int level = chain_event_level(staging->chain);
	struct chain_task *task;
	int err = 0;

	atomic_store(&staging->stop_load, true);
	for (unsigned int i = 0; (task = task_at(staging, i)); i++)
		if (task->is_started)
			sem_post(&staging->leave);
	for (unsigned int i = 0; (task = task_at(staging, i)); i++) {
		bool may_give_up = task->part == PART_LINK && task->level == level;

		if (!task->is_started)
			continue;
		pthread_join(task->thread, NULL);
		if (!err && !may_give_up)
			err = task->err;
	}
	return err;
}

static void call_off(struct staging *staging)
{
	struct chain_task *task;

	staging->is_called_off = true;
	for (unsigned int i = 0; (task = task_at(staging, i)); i++)
		sem_post(&task->go);
}

static void free_staging(struct staging *staging)
{
	struct chain_task *task;

	for (unsigned int i = 0; (task = task_at(staging, i)); i++)
		sem_destroy(&task->go);
	sem_destroy(&staging->ready);
	sem_destroy(&staging->leave);
	free(staging->hogs);
	free(staging);
}

static struct staging *new_staging(struct chain *chain, struct chain_sample *sample)
{
	struct staging *staging = calloc(1, sizeof(*staging));

	if (!staging)
		return NULL;
	staging->chain = chain;
	staging->sample = sample;
	staging->n_hogs = chain->n_cpus * chain->hogs_per_cpu;
	staging->hogs = calloc(staging->n_hogs + 1, sizeof(*staging->hogs));
	if (!staging->hogs) {
		free(staging);
		return NULL;
	}
	sem_init(&staging->ready, 0, 0);
	sem_init(&staging->leave, 0, 0);
	atomic_init(&staging->acting, 2 + chain->depth - 1 + chain->leaves);
	describe_tasks(staging);
	return staging;
}

int chain_run(struct chain *chain, struct chain_sample *sample)
{
	struct staging *staging;
	int err, late_err = 0;

	if (!chain->depth || chain->depth > CHAIN_MAX_DEPTH || chain->leaves > CHAIN_MAX_LEAVES ||
	    !chain->n_cpus || chain->n_cpus * chain->hogs_per_cpu > CHAIN_MAX_HOGS)
		return -EINVAL;
	memset(sample, 0, sizeof(*sample));
	memset(chain->records, 0, sizeof(chain->records));
	memset(chain->leaf_records, 0, sizeof(chain->leaf_records));
	staging = new_staging(chain, sample);
	if (!staging)
		return -ENOMEM;
	err = start_tasks(staging);
	if (!err)
		err = task_watch_begin(&staging->watch, staging->donor.tid, chain->donor_cpu);
	if (err) {
		call_off(staging);
	} else {
		if (chain->waits_interruptibly)
			staging->watch.asleep = 'S';
		err = conduct(staging);
		late_err = collect(staging);
		task_watch_end(&staging->watch);
	}
	if (late_err == -ETIMEDOUT)
		return late_err; /* its threads still use the staging: it stays */
	late_err = join_tasks(staging);
	free_staging(staging);
	if (!err && !late_err && chain->ops->reset)
		err = chain->ops->reset(chain);
	return err ? err : late_err;
}

/* ---- what the records say ------------------------------------------------------------ */

/* The task that holds lock @lock in the chain: link lock + 1, or the owner. */
static const struct chain_record *holder_of(const struct chain *chain, unsigned int lock)
{
	return &chain->records[lock + 1];
}

static bool has_given_up(const struct chain_record *record)
{
	return record->status == -EINTR || record->status == -ETIMEDOUT;
}

/* Whether @waiter had @lock before its holder let it go; a holder lets it go after all else. */
static bool is_early(const struct chain *chain, const struct chain_record *waiter,
		     unsigned int lock)
{
	const struct chain_record *holder = holder_of(chain, lock);

	if (!waiter->got_ns || has_given_up(waiter))
		return false;
	/* Who gave up let its lock go thereafter. */
	return waiter->got_ns < (has_given_up(holder) ? holder->got_ns : holder->free_own_ns);
}

unsigned int chain_count_disorder(const struct chain *chain)
{
	unsigned int early = 0;

	for (unsigned int lock = 0; lock < chain->depth; lock++)
		early += is_early(chain, &chain->records[lock], lock);
	for (unsigned int i = 0; i < chain->leaves; i++) {
		const struct chain_record *leaf = &chain->leaf_records[i];
		const struct chain_record *link = &chain->records[i];

		/* The last one's lock is the owner's second, which nobody else wants. */
		if (i >= chain->depth) {
			early += is_early(chain, leaf, chain->depth - 1);
			continue;
		}
		early += is_early(chain, leaf, i);
		/* The link had it when the leaf got it, too. */
		early += link->got_ns && leaf->got_ns && !has_given_up(link) &&
			 leaf->got_ns > link->got_ns && leaf->got_ns < link->free_next_ns;
	}
	return early;
}

unsigned int chain_count_waits(const struct chain *chain, uint64_t from_ns)
{
	/* A donor that comes last begins at that moment. */
	unsigned int waits = chain->records[0].got_ns >= from_ns;

	for (unsigned int i = 1; i < chain->depth; i++)
		waits += chain->records[i].want_ns && chain->records[i].want_ns <= from_ns &&
			 chain->records[i].got_ns >= from_ns;
	return waits;
}
