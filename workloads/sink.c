// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

int sink_init(struct sink *sink)
{
	*sink = (struct sink){.buffer = MAP_FAILED};
	sink->parts = calloc(UIO_MAXIOV, sizeof(*sink->parts));
	if (!sink->parts)
		return -ENOMEM;
	sink->buffer = mmap(NULL, SINK_PART_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	return sink->buffer == MAP_FAILED ? -errno : 0;
}

void sink_set_bytes(struct sink *sink, uint64_t bytes)
{
	sink->n_parts = 1;
	while (bytes) {
		uint64_t part = bytes < SINK_PART_BYTES ? bytes : SINK_PART_BYTES;

		sink->parts[sink->n_parts++] =
			(struct iovec){.iov_base = sink->buffer, .iov_len = part};
		bytes -= part;
	}
}

void sink_release(struct sink *sink)
{
	if (sink->buffer && sink->buffer != MAP_FAILED)
		munmap(sink->buffer, SINK_PART_BYTES);
	free(sink->parts);
	*sink = (struct sink){.buffer = MAP_FAILED};
}
