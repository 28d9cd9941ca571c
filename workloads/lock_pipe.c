// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/lock_fit.h"
#include "workloads/scratch.h"

/*
 * The kernel keeps a pipe's slots, of 40 bytes, in one piece of at most 4 MiB; a power of two
 * (pipe_resize_ring() in fs/pipe.c), each good for a page.
 */
#define PIPE_MOST_SLOTS UINT64_C(65536)

/* So much a socket takes at once that is not to be full: the kernel doubles it. */
#define SOCKET_ENOUGH_BYTES (1 << 29)

struct pipe_kind {
	uint64_t page_bytes;
	int zeros;    /* a sparse file */
	int store[2]; /* a pipe full of the page of zeros; tee(2) fills the other from it */
	uint64_t stored_bytes;
	int ends[2];	/* the pipe that is the lock: read end and write end */
	int sockets[2]; /* where splice(2) moves it to, and the other end */
	struct sink sink;
};

static int pipe_grow(int fd, uint64_t bytes)
{
	int has = fcntl(fd, F_GETPIPE_SZ);

	if (has < 0)
		return -errno;
	if ((uint64_t)has < bytes && fcntl(fd, F_SETPIPE_SZ, (int)bytes) < 0)
		return -errno;
	return 0;
}

static int pipe_set_bytes(struct lock *lock, uint64_t bytes)
{
	struct pipe_kind *kind = lock->kind;
	int err = pipe_grow(kind->store[1], bytes);

	if (!err)
		err = pipe_grow(kind->ends[1], bytes);
	while (!err && kind->stored_bytes < bytes) {
		off_t offset = 0;
		ssize_t got = splice(kind->zeros, &offset, kind->store[1], NULL,
				     bytes - kind->stored_bytes, SPLICE_F_NONBLOCK);

		if (got <= 0)
			err = got ? -errno : -EIO;
		else
			kind->stored_bytes += (uint64_t)got;
	}
	if (!err)
		sink_set_bytes(&kind->sink, bytes);
	return err;
}

/* Whole pages: a slot with less in it takes as long. */
static int pipe_set_size(struct lock *lock, uint64_t bytes)
{
	const struct pipe_kind *kind = lock->kind;
	uint64_t pages = (bytes + kind->page_bytes - 1) / kind->page_bytes;

	if (pages > PIPE_MOST_SLOTS)
		return -ERANGE;
	return pipe_set_bytes(lock, pages * kind->page_bytes);
}

/* What one section takes out of the pipe. */
static uint64_t section_bytes(const struct lock *lock)
{
	const struct pipe_kind *kind = lock->kind;

	return (lock->section_size + kind->page_bytes - 1) / kind->page_bytes * kind->page_bytes;
}

static int pipe_prepare(struct lock *lock)
{
	struct pipe_kind *kind = lock->kind;
	uint64_t left = section_bytes(lock);
	int there;

	/* What was prepared and not used is still in it. */
	if (ioctl(kind->ends[0], FIONREAD, &there))
		return -errno;
	left -= (uint64_t)there < left ? (uint64_t)there : left;
	while (left) {
		ssize_t got = tee(kind->store[0], kind->ends[1], left, SPLICE_F_NONBLOCK);

		if (got <= 0)
			return got ? -errno : -EIO;
		left -= (uint64_t)got;
	}
	return 0;
}

static int pipe_hold(struct lock *lock)
{
	struct pipe_kind *kind = lock->kind;
	ssize_t got = readv(kind->ends[0], kind->sink.parts + 1, kind->sink.n_parts - 1);

	if (got < 0)
		return -errno;
	return (uint64_t)got == section_bytes(lock) ? 0 : -EIO;
}

static int pipe_touch(struct lock *lock)
{
	const struct pipe_kind *kind = lock->kind;
	int bytes;

	return ioctl(kind->ends[0], FIONREAD, &bytes) ? -errno : 0;
}

static int pipe_enlarge_socket(int fd)
{
	int bytes = SOCKET_ENOUGH_BYTES;

	return setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) ? -errno : 0;
}

static void pipe_close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
		pair[i] = -1;
	}
}

/* A new pair of sockets is how what the last section sent goes away. */
static int splice_prepare(struct lock *lock)
{
	struct pipe_kind *kind = lock->kind;
	int err;

	pipe_close_pair(kind->sockets);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, kind->sockets))
		return -errno;
	err = pipe_enlarge_socket(kind->sockets[0]);
	return err ? err : pipe_prepare(lock);
}

static int splice_hold(struct lock *lock)
{
	struct pipe_kind *kind = lock->kind;
	uint64_t wanted = section_bytes(lock);
	ssize_t got = splice(kind->ends[0], NULL, kind->sockets[0], NULL, wanted, 0);

	lock->is_armed = false;
	if (got < 0)
		return -errno;
	return (uint64_t)got == wanted ? 0 : -EIO;
}

/* Fills the socket's buffer, the smallest there is: who sends next has to wait. */
static int splice_arm(struct lock *lock)
{
	struct pipe_kind *kind = lock->kind;
	static const char bytes[4096];
	int least = 0;

	if (setsockopt(kind->sockets[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)))
		return -errno;
	while (send(kind->sockets[0], bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		;
	if (errno != EAGAIN)
		return -errno;
	lock->is_armed = true;
	return 0;
}

static int splice_wake(struct lock *lock)
{
	const struct pipe_kind *kind = lock->kind;

	return pipe_enlarge_socket(kind->sockets[0]);
}

/* Both ends of a FIFO of our own: nobody else finds it. */
static int open_fifo(int ends[2])
{
	int err = 0, directory = scratch_directory();

	if (directory < 0)
		return directory;
	if (mkfifoat(directory, "fifo", 0600)) {
		err = -errno;
		goto out_directory;
	}
	/* Read and write, or the first would wait for the second. */
	for (int i = 0; !err && i < 2; i++) {
		ends[i] = openat(directory, "fifo", O_RDWR | O_CLOEXEC);
		if (ends[i] < 0)
			err = -errno;
	}

out_directory:
	close(directory);
	return err;
}

static int make_kind(struct lock *lock)
{
	struct pipe_kind *kind = calloc(1, sizeof(*kind));

	if (!kind)
		return -ENOMEM;
	lock->kind = kind;
	*kind = (struct pipe_kind){.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
				   .zeros = -1,
				   .store = {-1, -1},
				   .ends = {-1, -1},
				   .sockets = {-1, -1}};
	kind->zeros = memfd_create("proxeval", MFD_CLOEXEC);
	if (kind->zeros < 0)
		return -errno;
	if (ftruncate(kind->zeros, (off_t)(PIPE_MOST_SLOTS * kind->page_bytes)) ||
	    pipe2(kind->store, O_CLOEXEC))
		return -errno;
	return sink_init(&kind->sink);
}

static int fit(struct lock *lock)
{
	struct pipe_kind *kind = lock->kind;
	const struct lock_sizes sizes = {.first = 16 * kind->page_bytes,
					 .largest = PIPE_MOST_SLOTS * kind->page_bytes,
					 .set = pipe_set_size};

	return lock_fit(lock, &sizes);
}

static int pipe_init(struct lock *lock)
{
	struct pipe_kind *kind;
	int err = make_kind(lock);

	if (err)
		return err;
	kind = lock->kind;
	return pipe2(kind->ends, O_CLOEXEC) ? -errno : fit(lock);
}

static int fifo_init(struct lock *lock)
{
	struct pipe_kind *kind;
	int err = make_kind(lock);

	if (err)
		return err;
	kind = lock->kind;
	err = open_fifo(kind->ends);
	return err ? err : fit(lock);
}

static void pipe_release(struct lock *lock)
{
	struct pipe_kind *kind = lock->kind;

	if (!kind)
		return;
	pipe_close_pair(kind->store);
	pipe_close_pair(kind->ends);
	pipe_close_pair(kind->sockets);
	if (kind->zeros >= 0)
		close(kind->zeros);
	sink_release(&kind->sink);
	free(kind);
	lock->kind = NULL;
}

const struct lock_ops lock_pipe = {
	.name = "pipe",
	.size_fact = "section_bytes",
	.needs = "the right to pipes of 256 MiB (CAP_SYS_RESOURCE)",
	.is_mutex = true,
	.waiter_state = 'D',
	.init = pipe_init,
	.prepare = pipe_prepare,
	.hold = pipe_hold,
	.touch = pipe_touch,
	.release = pipe_release,
};

const struct lock_ops lock_pipe_to_socket = {
	.name = "pipe spliced to a socket",
	.size_fact = "section_bytes",
	.needs = "CONFIG_UNIX, and the right to large pipes and socket buffers (CAP_SYS_RESOURCE, "
		 "CAP_NET_ADMIN)",
	.is_mutex = true,
	.waiter_state = 'D',
	.init = pipe_init,
	.prepare = splice_prepare,
	.hold = splice_hold,
	.touch = pipe_touch,
	.arm = splice_arm,
	.wake = splice_wake,
	.release = pipe_release,
};

const struct lock_ops lock_fifo_to_socket = {
	.name = "FIFO spliced to a socket",
	.size_fact = "section_bytes",
	.needs = "CONFIG_UNIX, and the right to large pipes and socket buffers, and to mount "
		 "(CAP_SYS_RESOURCE, CAP_NET_ADMIN, CAP_SYS_ADMIN)",
	.is_mutex = true,
	.waiter_state = 'D',
	.init = fifo_init,
	.prepare = splice_prepare,
	.hold = splice_hold,
	.touch = pipe_touch,
	.arm = splice_arm,
	.wake = splice_wake,
	.release = pipe_release,
};
