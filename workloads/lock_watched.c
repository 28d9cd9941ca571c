// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/lock_fit.h"
#include "workloads/scratch.h"

/*
 * What a file system does under a lock of a file's or a directory's is over in microseconds; what
 * takes time is to tell those who watch. Each inotify instance is told for itself, in a loop that
 * a stronger task may interrupt (fsnotify() in fs/notify/fsnotify.c).
 */
#define MOST_INSTANCES 100000

/* A watch at most in each of two places. */
#define MOST_WATCHES 2

/* Room for what an instance can have been told since it was last emptied. */
#define EVENT_BYTES 4096

struct instance {
	int fd;
	int watches[MOST_WATCHES];
};

struct watched_kind {
	int root;
	int file;	/* rwsem: what is watched */
	bool is_moved;	/* rename: the owner's file is in its second directory */
	bool is_donors; /* the same of the donor's */
	struct instance *instances;
	uint64_t n_instances;
	/* Where each instance has its watches, and for what. */
	const char *const *places;
	unsigned int n_places;
	uint32_t mask;
};

static int add_watches(struct watched_kind *kind, struct instance *instance)
{
	for (unsigned int i = 0; i < kind->n_places; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", kind->root, kind->places[i]);
		instance->watches[i] = inotify_add_watch(instance->fd, path, kind->mask);
		if (instance->watches[i] < 0)
			return -errno;
	}
	return 0;
}

/*
 * All the watches first: an instance that has none is closed at once, and one that has waits for
 * the kernel to free them.
 */
static void drop_instances(struct watched_kind *kind, uint64_t left)
{
	for (uint64_t i = left; i < kind->n_instances; i++)
		for (unsigned int k = 0; k < kind->n_places; k++)
			inotify_rm_watch(kind->instances[i].fd, kind->instances[i].watches[k]);
	while (kind->n_instances > left)
		close(kind->instances[--kind->n_instances].fd);
}

static int watched_set_instances(struct lock *lock, uint64_t number)
{
	struct watched_kind *kind = lock->kind;
	struct instance *instances;

	if (number < kind->n_instances)
		drop_instances(kind, number);
	if (number == kind->n_instances)
		return 0;
	instances = realloc(kind->instances, number * sizeof(*instances));
	if (!instances)
		return -ENOMEM;
	kind->instances = instances;
	while (kind->n_instances < number) {
		struct instance *instance = &kind->instances[kind->n_instances];
		int err;

		*instance = (struct instance){.watches = {-1, -1}};
		instance->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (instance->fd < 0)
			return -errno;
		kind->n_instances++;
		err = add_watches(kind, instance);
		if (err)
			return err;
	}
	return 0;
}

/* A queue that grows would be another load each time. */
static int watched_prepare(struct lock *lock)
{
	struct watched_kind *kind = lock->kind;
	char events[EVENT_BYTES];

	for (uint64_t i = 0; i < kind->n_instances; i++)
		while (read(kind->instances[i].fd, events, sizeof(events)) > 0)
			;
	return 0;
}

/* There and back, one way each time. */
static int move(int root, const char *here, const char *there, bool *is_there)
{
	if (renameat(root, *is_there ? there : here, root, *is_there ? here : there))
		return -errno;
	*is_there = !*is_there;
	return 0;
}

static int rename_hold(struct lock *lock)
{
	struct watched_kind *kind = lock->kind;

	return move(kind->root, "a/owner", "b/owner", &kind->is_moved);
}

static int rename_touch(struct lock *lock)
{
	struct watched_kind *kind = lock->kind;

	return move(kind->root, "c/donor", "d/donor", &kind->is_donors);
}

static int rwsem_hold(struct lock *lock)
{
	const struct watched_kind *kind = lock->kind;

	return fchmod(kind->file, 0600) ? -errno : 0;
}

static int rwsem_touch(struct lock *lock)
{
	const struct watched_kind *kind = lock->kind;

	return pwrite(kind->file, "", 1, 0) == 1 ? 0 : -errno;
}

static int create_file(int root, const char *path)
{
	int fd = openat(root, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int create_tree(struct watched_kind *kind)
{
	static const char *const directories[] = {"a", "b", "c", "d", NULL};
	static const char *const files[] = {"a/owner", "c/donor", NULL};

	for (const char *const *directory = directories; *directory; directory++)
		if (mkdirat(kind->root, *directory, 0700))
			return -errno;
	for (const char *const *path = files; *path; path++) {
		int fd = create_file(kind->root, *path);

		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

static int make_kind(struct lock *lock, const char *const *places, unsigned int n_places,
		     uint32_t mask)
{
	struct watched_kind *kind = calloc(1, sizeof(*kind));
	long files;

	if (!kind)
		return -ENOMEM;
	lock->kind = kind;
	*kind = (struct watched_kind){
		.root = -1, .file = -1, .places = places, .n_places = n_places, .mask = mask};
	files = scratch_allow_files();
	if (files < 0)
		return (int)files;
	kind->root = scratch_directory();
	return kind->root < 0 ? kind->root : 0;
}

static int fit(struct lock *lock)
{
	static const struct lock_sizes sizes = {
		.first = 64, .largest = MOST_INSTANCES, .set = watched_set_instances};

	return lock_fit(lock, &sizes);
}

static int rename_init(struct lock *lock)
{
	static const char *const places[] = {"a", "b"};
	int err = make_kind(lock, places, 2, IN_MOVE);

	if (!err)
		err = create_tree(lock->kind);
	return err ? err : fit(lock);
}

static int rwsem_init(struct lock *lock)
{
	static const char *const places[] = {"file"};
	struct watched_kind *kind;
	int err = make_kind(lock, places, 1, IN_ATTRIB);

	if (err)
		return err;
	kind = lock->kind;
	kind->file = create_file(kind->root, "file");
	return kind->file < 0 ? kind->file : fit(lock);
}

static void watched_release(struct lock *lock)
{
	struct watched_kind *kind = lock->kind;

	if (!kind)
		return;
	drop_instances(kind, 0);
	if (kind->file >= 0)
		close(kind->file);
	if (kind->root >= 0)
		close(kind->root);
	free(kind->instances);
	free(kind);
	lock->kind = NULL;
}

#define WATCHED_NEEDS                                                                              \
	"CONFIG_INOTIFY_USER, thousands of inotify instances (fs.inotify.max_user_instances) and " \
	"of open files, and the right to mount (CAP_SYS_ADMIN)"

const struct lock_ops lock_rename = {
	.name = "rename",
	.size_fact = "section_instances",
	.needs = WATCHED_NEEDS,
	.is_mutex = true,
	.waiter_state = 'D',
	.init = rename_init,
	.prepare = watched_prepare,
	.hold = rename_hold,
	.touch = rename_touch,
	.release = watched_release,
};

const struct lock_ops lock_rwsem = {
	.name = "rwsem",
	.size_fact = "section_instances",
	.needs = WATCHED_NEEDS,
	.waiter_state = 'D',
	.init = rwsem_init,
	.prepare = watched_prepare,
	.hold = rwsem_hold,
	.touch = rwsem_touch,
	.release = watched_release,
};
