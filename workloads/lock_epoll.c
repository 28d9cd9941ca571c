// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "workloads/lock_fit.h"
#include "workloads/scratch.h"

/* Of the files that a process may have, so many are for others than us. */
#define FILES_FOR_OTHERS 256
/* A million is what Linux lets a process have (fs.nr_open). */
#define MOST_EVENTS 1000000

struct epoll_kind {
	int epoll;
	int ready;	   /* an eventfd with something in it, for ever */
	int quiet;	   /* one that has nothing: the donor changes what is asked of it */
	int *copies;	   /* of ready: each is an event in every fetch */
	uint64_t n_copies; /* how many there are */
	uint64_t most_copies;
	struct epoll_event *events; /* room for n_copies */
};

static int add_file(int epoll, int fd)
{
	struct epoll_event wanted = {.events = EPOLLIN};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) ? -errno : 0;
}

static int epoll_set_events(struct lock *lock, uint64_t events)
{
	struct epoll_kind *kind = lock->kind;
	struct epoll_event *room;
	int *copies;

	if (events > kind->most_copies)
		return -ERANGE;
	if (events <= kind->n_copies)
		return 0;
	copies = realloc(kind->copies, events * sizeof(*copies));
	if (!copies)
		return -ENOMEM;
	kind->copies = copies;
	room = realloc(kind->events, events * sizeof(*room));
	if (!room)
		return -ENOMEM;
	kind->events = room;
	while (kind->n_copies < events) {
		int err, fd = dup(kind->ready);

		if (fd < 0)
			return -errno;
		kind->copies[kind->n_copies++] = fd;
		err = add_file(kind->epoll, fd);
		if (err)
			return err;
	}
	return 0;
}

/* Each is ready again at once: no section uses anything up. */
static int epoll_hold(struct lock *lock)
{
	struct epoll_kind *kind = lock->kind;
	int got = epoll_wait(kind->epoll, kind->events, (int)lock->section_size, 0);

	if (got < 0)
		return -errno;
	return (uint64_t)got == lock->section_size ? 0 : -EIO;
}

static int epoll_touch(struct lock *lock)
{
	const struct epoll_kind *kind = lock->kind;
	struct epoll_event wanted = {.events = EPOLLIN};

	return epoll_ctl(kind->epoll, EPOLL_CTL_MOD, kind->quiet, &wanted) ? -errno : 0;
}

static int epoll_init(struct lock *lock)
{
	struct lock_sizes sizes = {.first = 256, .set = epoll_set_events};
	struct epoll_kind *kind = calloc(1, sizeof(*kind));
	long files;
	int err;

	if (!kind)
		return -ENOMEM;
	lock->kind = kind;
	*kind = (struct epoll_kind){.ready = -1, .quiet = -1};
	kind->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (kind->epoll < 0)
		return -errno;
	kind->ready = eventfd(1, EFD_CLOEXEC);
	kind->quiet = eventfd(0, EFD_CLOEXEC);
	if (kind->ready < 0 || kind->quiet < 0)
		return -errno;
	err = add_file(kind->epoll, kind->quiet);
	if (err)
		return err;
	files = scratch_allow_files();
	if (files < 2 * FILES_FOR_OTHERS)
		return files < 0 ? (int)files : -ERANGE;
	files -= FILES_FOR_OTHERS;
	kind->most_copies = files < MOST_EVENTS ? (uint64_t)files : MOST_EVENTS;
	sizes.largest = kind->most_copies;
	return lock_fit(lock, &sizes);
}

static void epoll_release(struct lock *lock)
{
	struct epoll_kind *kind = lock->kind;

	if (!kind)
		return;
	for (uint64_t i = 0; i < kind->n_copies; i++)
		close(kind->copies[i]);
	if (kind->quiet >= 0)
		close(kind->quiet);
	if (kind->ready >= 0)
		close(kind->ready);
	if (kind->epoll >= 0)
		close(kind->epoll);
	free(kind->copies);
	free(kind->events);
	free(kind);
	lock->kind = NULL;
}

const struct lock_ops lock_epoll = {
	.name = "epoll",
	.size_fact = "section_events",
	.needs = "CONFIG_EPOLL, CONFIG_EVENTFD, and some thousand open files",
	.is_mutex = true,
	.waiter_state = 'D',
	.init = epoll_init,
	.hold = epoll_hold,
	.touch = epoll_touch,
	.release = epoll_release,
};
