/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_MIGRATION_EVENT_H
#define WORKLOADS_MIGRATION_EVENT_H

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * What happens to the CPUs of an owner or a donor while the donor waits, and how it is undone. The
 * refuge is a third CPU, as busy as the owner's.
 */
enum migration_event_kind {
	EVENT_NONE,
	EVENT_OWNER_MOVED,	   /* sched_setaffinity(): the owner, to the refuge */
	EVENT_OWNER_CPU_UNPLUGGED, /* the owner goes where the kernel puts it */
	EVENT_DONOR_CPU_UNPLUGGED, /* the donor must return somewhere else */
	EVENT_CPUSET_CHANGED,	   /* the donor's cpuset becomes the refuge */
};

#define MIGRATION_HOGS_MAX 64

struct migration_event {
	enum migration_event_kind kind;
	int owner_cpu, donor_cpu, refuge_cpu;
	pid_t owner_tid;       /* set by whoever knows before migration_event_happen() */
	char cpuset[PATH_MAX]; /* EVENT_CPUSET_CHANGED: the donor's cgroup */
	/* On the refuge, from start_load to stop_load. */
	pthread_t hogs[MIGRATION_HOGS_MAX];
	unsigned int n_hogs;
	atomic_bool stop_load;
};

/* The file in which CPU @cpu is unplugged. */
void migration_event_online_path(int cpu, char *path, size_t path_size);

/*
 * Makes what the event takes: a cpuset below @cgroup (the section's own; NULL: none) with the
 * donor's CPU. 0; -EOPNOTSUPP when the kernel or the machine has no such thing; or another negative
 * errno.
 */
int migration_event_make(struct migration_event *event, const char *cgroup);

/* The calling thread, the donor, goes where the event will find it. 0, or a negative errno. */
int migration_event_join(struct migration_event *event);

/* It happens. 0, or a negative errno. */
int migration_event_happen(struct migration_event *event);

/* Makes it unhappen, also if it never did. 0, or a negative errno. */
int migration_event_undo(struct migration_event *event);

/* Where owner and donor may execute afterwards. */
void migration_event_after(const struct migration_event *event, cpu_set_t *owner, cpu_set_t *donor);

/* @n threads that compute on the refuge at nice 0. 0, or a negative errno; stop_load follows. */
int migration_event_start_load(struct migration_event *event, unsigned int n);
void migration_event_stop_load(struct migration_event *event);

#endif
