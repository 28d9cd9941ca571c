// SPDX-License-Identifier: GPL-2.0-only
/* What an actor of a stress does at a time. */
#include "workloads/stress_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/spin.h"

/* linux/prctl.h and linux/sched/types.h have them; older systems' headers do not. */
#define CORE_SCHED	      62 /* PR_SCHED_CORE */
#define CORE_SCHED_CREATE     1
#define CORE_SCHED_SHARE_TO   2
#define CORE_SCHED_SHARE_FROM 3

#define NS_PER_US UINT64_C(1000)
/* Sleeps inside of a section: mostly short, so that many fit into a round, and some long. */
#define SLEEP_SHORT_NS (300 * NS_PER_US)
#define SLEEP_LONG_NS  (3000 * NS_PER_US)
#define NAP_NS	       (400 * NS_PER_US)
#define COMPUTE_NS     (300 * NS_PER_US)
/* A disturber comes so often, and a CPU goes and comes back after so long. */
#define DISTURB_LEAST_NS (20 * NS_PER_US)
#define DISTURB_RANGE_NS (200 * NS_PER_US)
#define UNPLUG_RANGE_NS	 (50000 * NS_PER_US)
#define REPLUG_RANGE_NS	 (30000 * NS_PER_US)

static uint64_t draw(struct stress_thread *thread, uint64_t limit)
{
	return random_below(&thread->random, limit);
}

void stress_nap(uint64_t ns)
{
	const struct timespec pause = {.tv_sec = (time_t)(ns / NS_PER_S),
				       .tv_nsec = (long)(ns % NS_PER_S)};

	nanosleep(&pause, NULL);
}

/* Makes the actor's page missing: who reads or writes it next sleeps for a drawn while. */
static void arm_sleep(struct stress_thread *thread)
{
	thread->sleep_ns = draw(thread, draw(thread, 5) ? SLEEP_SHORT_NS : SLEEP_LONG_NS);
	if (thread->stress->fault_fd >= 0)
		madvise(thread->fault_page, STRESS_PAGE_BYTES, MADV_DONTNEED);
}

/* What a call answers does not matter here: a full pipe or a signal is all right. */
static void ignore(ssize_t answer)
{
	(void)answer;
}

static int draw_file(struct stress_thread *thread)
{
	return thread->stress->files[draw(thread, thread->stress->plan->files)];
}

static int *draw_pipe(struct stress_thread *thread)
{
	return thread->stress->pipes[draw(thread, thread->stress->plan->pipes)];
}

/* ---- workers ---------------------------------------------------------------------------- */

static void act_f_pos(struct stress_thread *thread)
{
	int file = draw_file(thread);

	if (draw(thread, 3)) {
		lseek(file, 0, SEEK_CUR);
		return;
	}
	lseek(file, 0, SEEK_SET);
	ignore(read(file, thread->buffer, 4096 + draw(thread, STRESS_BUFFER_BYTES - 4096)));
}

static void act_sleeping_owner(struct stress_thread *thread)
{
	struct iovec parts[] = {{thread->fault_page, STRESS_PAGE_BYTES},
				{thread->buffer, STRESS_BUFFER_BYTES},
				{thread->buffer, STRESS_BUFFER_BYTES}};
	int file = draw_file(thread);

	arm_sleep(thread);
	lseek(file, 0, SEEK_SET);
	ignore(readv(file, parts, 1 + (int)draw(thread, 3)));
}

static void act_pipe(struct stress_thread *thread)
{
	int *pipe = draw_pipe(thread), unread;

	switch (draw(thread, 4)) {
	case 0:
		ignore(read(pipe[0], thread->buffer, 8192));
		break;
	case 1:
		ignore(ioctl(pipe[0], FIONREAD, &unread));
		break;
	case 2:
		ignore(write(pipe[1], thread->buffer, 1 + draw(thread, 8192)));
		break;
	default:
		arm_sleep(thread);
		ignore(write(pipe[1], thread->fault_page, 256 + draw(thread, 3000)));
	}
}

static void act_tee(struct stress_thread *thread)
{
	unsigned int count = thread->stress->plan->pipes;
	unsigned int from = (unsigned int)draw(thread, count - 1);
	unsigned int to = from + 1 + (unsigned int)draw(thread, count - 1 - from);

	ignore(tee(thread->stress->pipes[from][0], thread->stress->pipes[to][1], 64,
		   SPLICE_F_NONBLOCK));
}

static void act_tty(struct stress_thread *thread)
{
	int slave = thread->stress->slaves[draw(thread, thread->stress->plan->terminals)];
	bool is_asleep = draw(thread, 2);

	if (is_asleep)
		arm_sleep(thread);
	ignore(write(slave, is_asleep ? thread->fault_page : thread->buffer,
		     1 + draw(thread, 100)));
}

/* There and back: each actor has a file of its own. */
static void act_rename(struct stress_thread *thread)
{
	unsigned int count = thread->stress->plan->folders;
	unsigned int from = (unsigned int)draw(thread, count);
	unsigned int to = (from + 1 + (unsigned int)draw(thread, count - 1)) % count;
	char old_path[64], new_path[64];
	int file;

	snprintf(old_path, sizeof(old_path), "/tmp/stress/%u/%zu", from, thread->index);
	snprintf(new_path, sizeof(new_path), "/tmp/stress/%u/%zu", to, thread->index);
	if (!rename(old_path, new_path) || errno != ENOENT)
		return;
	file = open(old_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (file >= 0)
		close(file);
}

static void act_pi_futex(struct stress_thread *thread)
{
	pthread_mutex_t *futex =
		&thread->stress->futexes[draw(thread, thread->stress->plan->files)];

	if (pthread_mutex_lock(futex))
		return;
	if (draw(thread, 2))
		lseek(draw_file(thread), 0, SEEK_CUR); /* a mutex inside of an rt_mutex */
	else
		spin_cpu_ns(draw(thread, COMPUTE_NS));
	pthread_mutex_unlock(futex);
}

static void act_compute(struct stress_thread *thread)
{
	uint64_t end_ns = clock_now_ns() + draw(thread, 4 * COMPUTE_NS);

	while (clock_now_ns() < end_ns && atomic_load(&thread->stress->is_round))
		for (int i = 0; i < 8; i++)
			spin_stretch();
}

/* ---- disturbers ------------------------------------------------------------------------- */

static pid_t draw_victim(struct stress_thread *thread)
{
	struct stress *stress = thread->stress;

	return stress->n_workers
		       ? atomic_load(&stress->threads[draw(thread, stress->n_workers)].tid)
		       : atomic_load(&thread->tid);
}

static void act_signals(struct stress_thread *thread)
{
	syscall(SYS_tgkill, getpid(), draw_victim(thread), SIGUSR1);
}

/* struct sched_attr, as the first version of the call has it. */
struct deadline_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/* By enum stress_class. */
static const int policies[] = {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE,
			       SCHED_FIFO,  SCHED_RR,	 6 /* SCHED_DEADLINE */};

const char *stress_class_of(pid_t tid)
{
	int policy = sched_getscheduler(tid);

	for (int i = STRESS_NICE; i <= STRESS_DEADLINE; i++)
		if (policies[i] == policy)
			return stress_class_names[i];
	return "?";
}

int stress_set_class(const struct stress_actor *actor, pid_t tid)
{
	struct sched_param parameters = {.sched_priority = (int)actor->priority};
	struct deadline_attributes deadline = {.size = sizeof(deadline),
					       .policy = (uint32_t)policies[STRESS_DEADLINE],
					       .runtime_ns = 300 * NS_PER_US,
					       .deadline_ns = 4000 * NS_PER_US,
					       .period_ns = 4000 * NS_PER_US};

	if (actor->class == STRESS_DEADLINE)
		return syscall(SYS_sched_setattr, tid, &deadline, 0) ? -errno : 0;
	if (sched_setscheduler(tid, policies[actor->class], &parameters))
		return -errno;
	if ((actor->class == STRESS_NICE || actor->class == STRESS_BATCH) &&
	    setpriority(PRIO_PROCESS, (id_t)tid, actor->nice))
		return -errno;
	return 0;
}

static void act_classes(struct stress_thread *thread)
{
	static const enum stress_class drawn[] = {STRESS_NICE,	STRESS_NICE,	STRESS_NICE,
						  STRESS_BATCH, STRESS_IDLE,	STRESS_FIFO,
						  STRESS_RR,	STRESS_DEADLINE};
	struct stress_actor changed = {.class = drawn[draw(thread, sizeof(drawn) / sizeof(*drawn))],
				       .nice = (int)draw(thread, 40) - 20};

	if (changed.class == STRESS_FIFO || changed.class == STRESS_RR)
		changed.priority = 1 + (unsigned int)draw(thread, 20);
	ignore(stress_set_class(&changed, draw_victim(thread)));
}

static void act_affinity(struct stress_thread *thread)
{
	unsigned int n_cpus = thread->stress->n_cpus;
	uint64_t kind = draw(thread, 3);
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (unsigned int cpu = 0; cpu < n_cpus && !kind; cpu++)
		CPU_SET(cpu, &cpus);
	for (uint64_t i = 0; i < kind; i++)
		CPU_SET(draw(thread, n_cpus), &cpus);
	sched_setaffinity(draw_victim(thread), sizeof(cpus), &cpus);
}

static void act_cookies(struct stress_thread *thread)
{
	pid_t victim = draw_victim(thread);

	if (draw(thread, 2)) {
		prctl(CORE_SCHED, CORE_SCHED_CREATE, victim, 0, 0);
		return;
	}
	/* One worker's cookie to another, by way of this thread. */
	prctl(CORE_SCHED, CORE_SCHED_SHARE_FROM, draw_victim(thread), 0, 0);
	prctl(CORE_SCHED, CORE_SCHED_SHARE_TO, victim, 0, 0);
}

static void act_cgroups(struct stress_thread *thread)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), "%s/cgroup.threads",
		 stress_group_path((unsigned int)draw(thread, STRESS_GROUPS)));
	snprintf(text, sizeof(text), "%d", (int)draw_victim(thread));
	stress_put(path, text);
}

/* Never CPU 0: the kernel does not let it go, and it carries the metronome. */
static void act_hotplug(struct stress_thread *thread)
{
	unsigned int n_cpus = thread->stress->n_cpus;
	char path[80];

	stress_nap(draw(thread, UNPLUG_RANGE_NS));
	if (n_cpus < 2 || !atomic_load(&thread->stress->is_round))
		return;
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%llu/online",
		 (unsigned long long)(1 + draw(thread, n_cpus - 1)));
	stress_put(path, "0");
	stress_nap(draw(thread, REPLUG_RANGE_NS));
	stress_put(path, "1");
}

static void (*const acts[])(struct stress_thread *thread) = {
	[STRESS_F_POS] = act_f_pos,	  [STRESS_SLEEPING_OWNER] = act_sleeping_owner,
	[STRESS_PIPE] = act_pipe,	  [STRESS_TEE] = act_tee,
	[STRESS_TTY] = act_tty,		  [STRESS_RENAME] = act_rename,
	[STRESS_PI_FUTEX] = act_pi_futex, [STRESS_COMPUTE] = act_compute,
	[STRESS_SIGNALS] = act_signals,	  [STRESS_CLASSES] = act_classes,
	[STRESS_AFFINITY] = act_affinity, [STRESS_COOKIES] = act_cookies,
	[STRESS_CGROUPS] = act_cgroups,	  [STRESS_HOTPLUG] = act_hotplug,
};

void stress_act(struct stress_thread *thread)
{
	enum stress_mechanism mechanism = thread->actor->mechanism;

	if (stress_is_disturber(mechanism)) {
		stress_nap(DISTURB_LEAST_NS + draw(thread, DISTURB_RANGE_NS));
		if (!atomic_load(&thread->stress->is_round))
			return;
	}
	acts[mechanism](thread);
	if (!stress_is_disturber(mechanism) && !draw(thread, 4))
		stress_nap(draw(thread, NAP_NS));
}
