// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/migration_event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure/sched_attr.h"
#include "measure/spin.h"
#include "workloads/episode.h"

static int put(const char *directory, const char *name, const char *value)
{
	char path[PATH_MAX];
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

void migration_event_online_path(int cpu, char *path, size_t path_size)
{
	snprintf(path, path_size, "/sys/devices/system/cpu/cpu%d/online", cpu);
}

/* The CPU that the event unplugs; -1: none. */
static int unplugged_cpu(const struct migration_event *event)
{
	switch (event->kind) {
	case EVENT_OWNER_CPU_UNPLUGGED:
		return event->owner_cpu;
	case EVENT_DONOR_CPU_UNPLUGGED:
		return event->donor_cpu;
	default:
		return -1;
	}
}

static int plug(const struct migration_event *event, bool is_in)
{
	char path[PATH_MAX];
	int fd, err = 0;

	migration_event_online_path(unplugged_cpu(event), path, sizeof(path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* EINVAL: it is so already. */
	if (write(fd, is_in ? "1" : "0", 1) < 0 && !(is_in && errno == EINVAL))
		err = -errno;
	close(fd);
	return err;
}

static int put_cpus(const struct migration_event *event, int cpu)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", cpu);
	return put(event->cpuset, "cpuset.cpus", text);
}

/* Threaded, so that the section's processes may stay where they are (workloads/weak_cgroup.c). */
static int make_cpuset(struct migration_event *event, const char *cgroup)
{
	int err;

	if (!cgroup)
		return -EOPNOTSUPP;
	if (snprintf(event->cpuset, sizeof(event->cpuset), "%s/donor", cgroup) >=
	    (int)sizeof(event->cpuset))
		return -ENAMETOOLONG;
	if (mkdir(event->cpuset, 0755) && errno != EEXIST)
		return -errno;
	err = put(cgroup, "../cgroup.subtree_control", "+cpuset");
	if (!err)
		err = put(event->cpuset, "cgroup.type", "threaded");
	if (!err)
		err = put(cgroup, "cgroup.subtree_control", "+cpuset");
	if (!err)
		err = put_cpus(event, event->donor_cpu);
	return err == -EINVAL ? -EOPNOTSUPP : err;
}

int migration_event_make(struct migration_event *event, const char *cgroup)
{
	char path[PATH_MAX];

	if (event->kind == EVENT_CPUSET_CHANGED)
		return make_cpuset(event, cgroup);
	if (unplugged_cpu(event) < 0)
		return 0;
	migration_event_online_path(unplugged_cpu(event), path, sizeof(path));
	if (!access(path, W_OK))
		return 0;
	return errno == ENOENT ? -EOPNOTSUPP : -errno;
}

int migration_event_join(struct migration_event *event)
{
	return event->kind == EVENT_CPUSET_CHANGED ? put(event->cpuset, "cgroup.threads", "0") : 0;
}

int migration_event_happen(struct migration_event *event)
{
	cpu_set_t refuge;

	switch (event->kind) {
	case EVENT_OWNER_MOVED:
		CPU_ZERO(&refuge);
		CPU_SET(event->refuge_cpu, &refuge);
		return sched_setaffinity(event->owner_tid, sizeof(refuge), &refuge) ? -errno : 0;
	case EVENT_OWNER_CPU_UNPLUGGED:
	case EVENT_DONOR_CPU_UNPLUGGED:
		return plug(event, false);
	case EVENT_CPUSET_CHANGED:
		return put_cpus(event, event->refuge_cpu);
	default:
		return 0;
	}
}

int migration_event_undo(struct migration_event *event)
{
	if (unplugged_cpu(event) >= 0)
		return plug(event, true);
	return event->kind == EVENT_CPUSET_CHANGED ? put_cpus(event, event->donor_cpu) : 0;
}

static void only(cpu_set_t *set, int cpu)
{
	CPU_ZERO(set);
	CPU_SET(cpu, set);
}

/* A pinned task that loses its CPU may go everywhere (select_fallback_rq() in kernel/sched/core.c).
 */
static void all_but(cpu_set_t *set, int cpu)
{
	memset(set, 0xff, sizeof(*set));
	CPU_CLR(cpu, set);
}

void migration_event_after(const struct migration_event *event, cpu_set_t *owner, cpu_set_t *donor)
{
	only(owner, event->kind == EVENT_OWNER_MOVED ? event->refuge_cpu : event->owner_cpu);
	only(donor, event->kind == EVENT_CPUSET_CHANGED ? event->refuge_cpu : event->donor_cpu);
	if (event->kind == EVENT_OWNER_CPU_UNPLUGGED)
		all_but(owner, event->owner_cpu);
	if (event->kind == EVENT_DONOR_CPU_UNPLUGGED)
		all_but(donor, event->donor_cpu);
}

static void *compute(void *argument)
{
	static const struct task_class plain = {.policy = SCHED_OTHER};
	struct migration_event *event = argument;

	if (task_pin(event->refuge_cpu) || task_class_set(&plain))
		return NULL;
	while (!atomic_load(&event->stop_load))
		spin_stretch();
	return NULL;
}

int migration_event_start_load(struct migration_event *event, unsigned int n)
{
	pthread_attr_t attributes;
	int err = pthread_attr_init(&attributes);

	if (err)
		return -err;
	err = pthread_attr_setstacksize(&attributes, EPISODE_STACK_BYTES);
	atomic_store(&event->stop_load, false);
	for (event->n_hogs = 0; !err && event->n_hogs < n;) {
		err = pthread_create(&event->hogs[event->n_hogs], &attributes, compute, event);
		event->n_hogs += !err;
	}
	pthread_attr_destroy(&attributes);
	return -err;
}

void migration_event_stop_load(struct migration_event *event)
{
	atomic_store(&event->stop_load, true);
	for (; event->n_hogs; event->n_hogs--)
		pthread_join(event->hogs[event->n_hogs - 1], NULL);
}
