/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_SINK_H
#define WORKLOADS_SINK_H

#include <stdint.h>
#include <sys/uio.h>

/*
 * Where a long read goes to: one buffer takes every part of it, so that it needs little memory.
 * 1 MiB fits a second-level cache, and so many parts of it as a system call takes make reads of
 * up to almost 1 GiB, some 50 ms of the fastest machine's time.
 */
#define SINK_PART_BYTES	   (UINT64_C(1) << 20)
#define SINK_LARGEST_BYTES (SINK_PART_BYTES * (UIO_MAXIOV - 1))

struct sink {
	/* The first is the user's own; n_parts counts it. */
	struct iovec *parts;
	int n_parts;
	void *buffer;
};

/* 0, or a negative errno; sink_release() follows either way. */
int sink_init(struct sink *sink);
/* Parts for @bytes in all, the first not counted; at most SINK_LARGEST_BYTES. */
void sink_set_bytes(struct sink *sink, uint64_t bytes);
void sink_release(struct sink *sink);

#endif
