// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/stuck_page.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"
#include "measure/spin.h"
#include "workloads/episode.h"

/*
 * The kernel moves up to 512 pages at once: first it takes all of them out of the page tables, then
 * it copies one after the other (migrate_pages_batch() in mm/migrate.c). Half of that is long
 * enough to be met in the middle.
 */
#define N_PAGES 256
/* A page so long after the first that is still out will not come back while we look. */
#define MARGIN_PAGES 4
#define TRIES	     50
/* The kernel first empties every CPU's lists of pages, which may take some milliseconds. */
#define LIMIT_NS (2 * NS_PER_S)
/* Of an entry of /proc/self/pagemap: the page is not in memory, as one that is being moved. */
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)

struct stuck_page {
	int cpu;
	size_t page_bytes;
	char *region;
	void *pages[N_PAGES];
	int to[N_PAGES], status[N_PAGES];
	int nodes[2];
	int pagemap;
	pthread_t mover, blocker;
	bool has_mover, has_blocker;
	sem_t ready, move, moved, block;
	atomic_bool is_blocking, is_over;
	bool is_moving; /* `moved` will be posted */
	long result;	/* of the last move */
	int err;	/* a thread's own, at its start */
};

static void *mover_main(void *argument)
{
	struct stuck_page *stuck = argument;

	stuck->err = task_pin(stuck->cpu);
	sem_post(&stuck->ready);
	for (;;) {
		while (sem_wait(&stuck->move))
			;
		if (atomic_load(&stuck->is_over))
			return NULL;
		stuck->result = syscall(SYS_move_pages, 0, (unsigned long)N_PAGES, stuck->pages,
					stuck->to, stuck->status, MPOL_MF_MOVE);
		sem_post(&stuck->moved);
	}
}

static void *blocker_main(void *argument)
{
	static const struct task_class first = {.policy = SCHED_FIFO, .priority = 40};
	struct stuck_page *stuck = argument;

	stuck->err = task_pin(stuck->cpu);
	if (!stuck->err)
		stuck->err = task_class_set(&first);
	sem_post(&stuck->ready);
	for (;;) {
		while (sem_wait(&stuck->block))
			;
		if (atomic_load(&stuck->is_over))
			return NULL;
		while (atomic_load(&stuck->is_blocking))
			spin_stretch();
	}
}

static int start(struct stuck_page *stuck, void *(*body)(void *), pthread_t *thread,
		 bool *is_started)
{
	pthread_attr_t attributes;
	int err = -pthread_attr_init(&attributes);

	if (err)
		return err;
	pthread_attr_setstacksize(&attributes, EPISODE_STACK_BYTES);
	err = -pthread_create(thread, &attributes, body, stuck);
	pthread_attr_destroy(&attributes);
	if (err)
		return err;
	*is_started = true;
	while (sem_wait(&stuck->ready))
		;
	return stuck->err;
}

/* The first two nodes of a list as "0-1,4" that have memory. */
static int find_nodes(int nodes[2])
{
	FILE *file = fopen("/sys/devices/system/node/has_memory", "re");
	unsigned int from, to, n = 0;
	char mark = ',';

	if (!file)
		return -ENODEV;
	while (n < 2 && mark == ',' && fscanf(file, "%u", &from) == 1) {
		to = from;
		if (fscanf(file, "%c", &mark) == 1 && mark == '-') {
			if (fscanf(file, "%u", &to) != 1 || fscanf(file, "%c", &mark) != 1)
				mark = '\n';
		}
		for (; n < 2 && from <= to; from++)
			nodes[n++] = (int)from;
	}
	fclose(file);
	return n == 2 ? 0 : -ENODEV;
}

static int make_region(struct stuck_page *stuck)
{
	size_t bytes;

	stuck->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	bytes = N_PAGES * stuck->page_bytes;
	stuck->region =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stuck->region == MAP_FAILED)
		return -errno;
	/* Small pages each; a kernel without huge ones says EINVAL. */
	if (madvise(stuck->region, bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		return -errno;
	for (size_t i = 0; i < N_PAGES; i++) {
		stuck->pages[i] = stuck->region + i * stuck->page_bytes;
		*(volatile char *)stuck->pages[i] = 1;
	}
	stuck->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	return stuck->pagemap < 0 ? -errno : 0;
}

static void wait_moved(struct stuck_page *stuck)
{
	if (!stuck->is_moving)
		return;
	while (sem_wait(&stuck->moved))
		;
	stuck->is_moving = false;
}

/* Once, undisturbed: whether the kernel moves them at all. */
static int try_to_move(struct stuck_page *stuck)
{
	for (size_t i = 0; i < N_PAGES; i++)
		stuck->to[i] = stuck->nodes[0];
	stuck->is_moving = true;
	sem_post(&stuck->move);
	wait_moved(stuck);
	return stuck->result < 0 ? -ENOSYS : 0;
}

int stuck_page_make(int cpu, struct stuck_page **out)
{
	struct stuck_page *stuck;
	int err;

	*out = NULL;
	if (cpu < 0)
		return -ENODEV;
	stuck = calloc(1, sizeof(*stuck));
	if (!stuck)
		return -ENOMEM;
	*out = stuck;
	stuck->cpu = cpu;
	stuck->pagemap = -1;
	stuck->region = MAP_FAILED;
	sem_init(&stuck->ready, 0, 0);
	sem_init(&stuck->move, 0, 0);
	sem_init(&stuck->moved, 0, 0);
	sem_init(&stuck->block, 0, 0);
	err = find_nodes(stuck->nodes);
	if (!err)
		err = make_region(stuck);
	if (!err)
		err = start(stuck, mover_main, &stuck->mover, &stuck->has_mover);
	if (!err)
		err = start(stuck, blocker_main, &stuck->blocker, &stuck->has_blocker);
	return err ? err : try_to_move(stuck);
}

static bool is_out(const struct stuck_page *stuck, size_t page)
{
	uint64_t number = (uintptr_t)stuck->pages[page] / stuck->page_bytes, entry;
	ssize_t got = pread(stuck->pagemap, &entry, sizeof(entry), (off_t)(number * sizeof(entry)));

	return got == sizeof(entry) && (entry & PAGEMAP_SWAPPED);
}

/* The first page that is out and followed by as many as make sure of it; -1: none. */
static ssize_t find_out(const struct stuck_page *stuck)
{
	for (size_t i = 0; i < N_PAGES; i++)
		if (is_out(stuck, i))
			return i + MARGIN_PAGES < N_PAGES && is_out(stuck, i + MARGIN_PAGES)
				       ? (ssize_t)(i + MARGIN_PAGES)
				       : -1;
	return -1;
}

/* Sends them to the node where they are not, and takes the mover's CPU when the last is out. */
static ssize_t catch_once(struct stuck_page *stuck)
{
	uint64_t give_up_ns = clock_now_ns() + LIMIT_NS;
	int to = stuck->to[0] == stuck->nodes[0] ? stuck->nodes[1] : stuck->nodes[0];
	int value = 0;

	for (size_t i = 0; i < N_PAGES; i++)
		stuck->to[i] = to;
	stuck->is_moving = true;
	sem_post(&stuck->move);
	do {
		if (is_out(stuck, N_PAGES - 1)) {
			atomic_store(&stuck->is_blocking, true);
			sem_post(&stuck->block);
			/* The blocker has begun when nobody is to be woken any more, and the
			 * mover's CPU is gone. */
			while (!sem_getvalue(&stuck->block, &value) && value)
				spin_stretch();
			return find_out(stuck);
		}
		sem_getvalue(&stuck->moved, &value);
	} while (!value && clock_now_ns() < give_up_ns);
	return -1;
}

int stuck_page_catch(struct stuck_page *stuck, void **page, size_t *page_bytes)
{
	for (int i = 0; i < TRIES; i++) {
		ssize_t at;

		stuck_page_let_go(stuck);
		wait_moved(stuck);
		at = catch_once(stuck);
		if (at >= 0) {
			*page = stuck->pages[at];
			*page_bytes = stuck->page_bytes;
			return 0;
		}
	}
	stuck_page_let_go(stuck);
	return -EAGAIN;
}

void stuck_page_let_go(struct stuck_page *stuck)
{
	atomic_store(&stuck->is_blocking, false);
}

void stuck_page_free(struct stuck_page *stuck)
{
	if (!stuck)
		return;
	stuck_page_let_go(stuck);
	wait_moved(stuck);
	atomic_store(&stuck->is_over, true);
	sem_post(&stuck->move);
	sem_post(&stuck->block);
	if (stuck->has_mover)
		pthread_join(stuck->mover, NULL);
	if (stuck->has_blocker)
		pthread_join(stuck->blocker, NULL);
	if (stuck->pagemap >= 0)
		close(stuck->pagemap);
	if (stuck->region != MAP_FAILED)
		munmap(stuck->region, N_PAGES * stuck->page_bytes);
	sem_destroy(&stuck->ready);
	sem_destroy(&stuck->move);
	sem_destroy(&stuck->moved);
	sem_destroy(&stuck->block);
	free(stuck);
}
