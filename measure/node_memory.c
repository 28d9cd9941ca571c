// SPDX-License-Identifier: GPL-2.0-only
#include "measure/node_memory.h"

#include <errno.h>
#include <numaif.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kernel's own limit (CONFIG_NODES_SHIFT is at most 10). */
#define NODES	      1024u
#define BITS_PER_LONG (8 * sizeof(unsigned long))

/* The kernel takes one bit less than it is told. */
#define NODES_TOLD (NODES + 1)

static bool may_use(unsigned int node)
{
	unsigned long allowed[NODES / BITS_PER_LONG + 1] = {0};

	if (get_mempolicy(NULL, allowed, NODES_TOLD, NULL, MPOL_F_MEMS_ALLOWED))
		return false;
	return allowed[node / BITS_PER_LONG] >> (node % BITS_PER_LONG) & 1;
}

int node_memory_bind(int node)
{
	unsigned long nodes[NODES / BITS_PER_LONG + 1] = {0};
	bool is_bound = node >= 0 && (unsigned int)node < NODES && may_use((unsigned int)node);
	long failed;

	if (is_bound) {
		nodes[(unsigned int)node / BITS_PER_LONG] = 1ul
							    << ((unsigned int)node % BITS_PER_LONG);
		failed = set_mempolicy(MPOL_BIND, nodes, NODES_TOLD);
	} else {
		failed = set_mempolicy(MPOL_DEFAULT, NULL, 0);
	}
	if (failed)
		return errno == ENOSYS ? 0 : -errno;
	return is_bound;
}

int node_memory_of(const void *address)
{
	uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *page = (void *)((uintptr_t)address & ~(page_bytes - 1));
	int status = -ENOENT;

	if (move_pages(0, 1, &page, NULL, &status, 0))
		return -errno;
	return status;
}

void *node_memory_map(size_t size_bytes, int node)
{
	int bound = node_memory_bind(node);
	void *memory;
	int err;

	if (bound < 0) {
		errno = -bound;
		return NULL;
	}
	memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	err = errno;
	node_memory_bind(-1);
	errno = err;
	return memory == MAP_FAILED ? NULL : memory;
}
