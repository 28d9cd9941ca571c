// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workloads/lock_fit.h"

/* The sender's buffer, which the kernel doubles: more than the longest section. */
#define BUFFER_BYTES ((int)(SINK_LARGEST_BYTES / 2 + SINK_LARGEST_BYTES / 4))

/*
 * So much more is queued than a section takes: the donor takes a byte each time, because a peek at
 * one goes on over the whole queue (unix_stream_read_generic() in net/unix/af_unix.c).
 */
#define SPARE_BYTES 4096

struct unix_kind {
	int zeros;	/* a sparse file */
	int sockets[2]; /* who sends, and who receives: its lock it is */
	uint64_t queued_bytes;
	struct sink sink;
};

/* sendfile() queues the page of zeros itself, again and again: no copy, and no memory. */
static int queue(struct unix_kind *kind, uint64_t bytes)
{
	while (kind->queued_bytes < bytes) {
		off_t offset = 0;
		ssize_t sent = sendfile(kind->sockets[0], kind->zeros, &offset,
					bytes - kind->queued_bytes);

		if (sent <= 0)
			return sent ? -errno : -EIO;
		kind->queued_bytes += (uint64_t)sent;
	}
	return 0;
}

static int unix_set_bytes(struct lock *lock, uint64_t bytes)
{
	struct unix_kind *kind = lock->kind;

	sink_set_bytes(&kind->sink, bytes);
	return queue(kind, bytes + SPARE_BYTES);
}

static int unix_prepare(struct lock *lock)
{
	return queue(lock->kind, lock->section_size + SPARE_BYTES);
}

/* Peeking leaves what is there. */
static int unix_hold(struct lock *lock)
{
	struct unix_kind *kind = lock->kind;
	struct msghdr message = {.msg_iov = kind->sink.parts + 1,
				 .msg_iovlen = (size_t)kind->sink.n_parts - 1};
	ssize_t got = recvmsg(kind->sockets[1], &message, MSG_PEEK | MSG_DONTWAIT);

	if (got < 0)
		return -errno;
	return (uint64_t)got == lock->section_size ? 0 : -EIO;
}

static int unix_touch(struct lock *lock)
{
	struct unix_kind *kind = lock->kind;
	char byte;

	if (recv(kind->sockets[1], &byte, 1, MSG_DONTWAIT) != 1)
		return -errno;
	kind->queued_bytes--;
	return 0;
}

static int unix_init(struct lock *lock)
{
	static const struct lock_sizes sizes = {
		.first = 64 << 10, .largest = SINK_LARGEST_BYTES, .set = unix_set_bytes};
	struct unix_kind *kind = calloc(1, sizeof(*kind));
	int err, bytes = BUFFER_BYTES;

	if (!kind)
		return -ENOMEM;
	lock->kind = kind;
	*kind = (struct unix_kind){.sockets = {-1, -1}};
	kind->zeros = memfd_create("proxeval", MFD_CLOEXEC);
	if (kind->zeros < 0)
		return -errno;
	if (ftruncate(kind->zeros, (off_t)(SINK_LARGEST_BYTES + SPARE_BYTES)) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, kind->sockets) ||
	    setsockopt(kind->sockets[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		return -errno;
	err = sink_init(&kind->sink);
	return err ? err : lock_fit(lock, &sizes);
}

static void unix_release(struct lock *lock)
{
	struct unix_kind *kind = lock->kind;

	if (!kind)
		return;
	for (int i = 0; i < 2; i++)
		if (kind->sockets[i] >= 0)
			close(kind->sockets[i]);
	if (kind->zeros >= 0)
		close(kind->zeros);
	sink_release(&kind->sink);
	free(kind);
	lock->kind = NULL;
}

const struct lock_ops lock_unix = {
	.name = "unix-socket",
	.size_fact = "section_bytes",
	.needs = "CONFIG_UNIX, and the right to large socket buffers (CAP_NET_ADMIN)",
	.is_mutex = true,
	.waiter_state = 'D',
	.init = unix_init,
	.prepare = unix_prepare,
	.hold = unix_hold,
	.touch = unix_touch,
	.release = unix_release,
};
