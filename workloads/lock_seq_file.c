// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workloads/lock_fit.h"

/*
 * 64 GiB of addresses, most of them for nothing: page tables of 128 MiB make sections of some
 * 50 ms of the fastest machine's time.
 */
#define MOST_PAGES (UINT64_C(1) << 24)

struct seq_file_kind {
	int fd;
	size_t page_bytes;
	/* Read-only and private: all its pages are the page of zeros, and only their entries
	 * are what there is to walk. */
	char *mapping;
	uint64_t n_mapped; /* pages of addresses */
	uint64_t n_there;  /* pages that have an entry, from the first on */
};

static int seq_file_set_pages(struct lock *lock, uint64_t pages)
{
	struct seq_file_kind *kind = lock->kind;

	/* What is read is there; what is dropped is not. */
	for (; kind->n_there < pages; kind->n_there++)
		(void)*(volatile char *)(kind->mapping + kind->n_there * kind->page_bytes);
	if (kind->n_there > pages &&
	    madvise(kind->mapping + pages * kind->page_bytes,
		    (kind->n_there - pages) * kind->page_bytes, MADV_DONTNEED))
		return -errno;
	kind->n_there = pages;
	return 0;
}

/* pread(), because read() would take f_pos_lock before it. */
static int seq_file_hold(struct lock *lock)
{
	const struct seq_file_kind *kind = lock->kind;
	char text[4096];
	ssize_t got = pread(kind->fd, text, sizeof(text), 0);

	if (got < 0)
		return -errno;
	return got ? 0 : -EIO;
}

/* Back to the beginning: the lock, and nothing read anew. */
static int seq_file_touch(struct lock *lock)
{
	const struct seq_file_kind *kind = lock->kind;

	return lseek(kind->fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int make_mapping(struct seq_file_kind *kind)
{
	kind->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	kind->mapping = mmap(NULL, MOST_PAGES * kind->page_bytes, PROT_READ,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (kind->mapping == MAP_FAILED)
		return -errno;
	kind->n_mapped = MOST_PAGES;
	/* A huge page of zeros is one entry; a kernel that has none says EINVAL. */
	if (madvise(kind->mapping, MOST_PAGES * kind->page_bytes, MADV_NOHUGEPAGE) &&
	    errno != EINVAL)
		return -errno;
	return 0;
}

/* mlockall() would fill what nobody needs. */
static int drop_rest(struct seq_file_kind *kind)
{
	if (munmap(kind->mapping + kind->n_there * kind->page_bytes,
		   (kind->n_mapped - kind->n_there) * kind->page_bytes))
		return -errno;
	kind->n_mapped = kind->n_there;
	return 0;
}

static int seq_file_init(struct lock *lock)
{
	static const struct lock_sizes sizes = {
		.first = 1 << 12, .largest = MOST_PAGES - 1, .set = seq_file_set_pages};
	struct seq_file_kind *kind = calloc(1, sizeof(*kind));
	int err;

	if (!kind)
		return -ENOMEM;
	lock->kind = kind;
	kind->mapping = MAP_FAILED;
	kind->fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	if (kind->fd < 0)
		return -errno;
	err = make_mapping(kind);
	if (!err)
		err = lock_fit(lock, &sizes);
	return err ? err : drop_rest(kind);
}

static void seq_file_release(struct lock *lock)
{
	struct seq_file_kind *kind = lock->kind;

	if (!kind)
		return;
	if (kind->mapping != MAP_FAILED)
		munmap(kind->mapping, kind->n_mapped * kind->page_bytes);
	if (kind->fd >= 0)
		close(kind->fd);
	free(kind);
	lock->kind = NULL;
}

const struct lock_ops lock_seq_file = {
	.name = "seq_file",
	.size_fact = "section_pages",
	.needs = "/proc/self/smaps_rollup (CONFIG_PROC_PAGE_MONITOR)",
	.is_mutex = true,
	.waiter_state = 'D',
	.init = seq_file_init,
	.hold = seq_file_hold,
	.touch = seq_file_touch,
	.release = seq_file_release,
};
