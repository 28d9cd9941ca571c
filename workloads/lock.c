// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/spin.h"
#include "workloads/lock_fit.h"
#include "workloads/stuck_page.h"

static int f_pos_set_bytes(struct lock *lock, uint64_t bytes)
{
	sink_set_bytes(&lock->sink, bytes);
	return 0;
}

static int f_pos_hold(struct lock *lock)
{
	const struct iovec *parts = lock->sink.parts;
	/* The first part is the page to sleep on. */
	int first = lock->is_armed ? 0 : 1;
	uint64_t wanted = lock->section_size + (first ? 0 : parts[0].iov_len);
	ssize_t got;

	lock->is_armed = false;

	if (lseek(lock->fd, 0, SEEK_SET) < 0)
		return -errno;
	got = readv(lock->fd, parts + first, lock->sink.n_parts - first);
	if (got < 0)
		return -errno;
	return (uint64_t)got == wanted ? 0 : -EIO;
}

static int f_pos_touch(struct lock *lock)
{
	return lseek(lock->fd, 0, SEEK_CUR) < 0 ? -errno : 0;
}

/*
 * Only an opened file has FMODE_ATOMIC_POS, without which there is no f_pos_lock;
 * memfd_create() itself makes one that has not. So open the same inode once more.
 */
static int open_sparse_file(struct lock *lock)
{
	char path[64];
	int err = 0;
	int memfd = memfd_create("proxeval", MFD_CLOEXEC);

	if (memfd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	if (ftruncate(memfd, (off_t)(SINK_LARGEST_BYTES + SINK_PART_BYTES))) {
		err = -errno;
		goto out_close;
	}
	lock->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (lock->fd < 0)
		err = -errno;

out_close:
	close(memfd);
	return err;
}

static int f_pos_init(struct lock *lock)
{
	static const struct lock_sizes sizes = {
		.first = 64 << 10, .largest = SINK_LARGEST_BYTES, .set = f_pos_set_bytes};
	int err;

	lock->fd = -1;
	lock->fault_fd = -1;
	lock->fault_page = MAP_FAILED;
	err = sink_init(&lock->sink);
	if (!err)
		err = open_sparse_file(lock);
	return err ? err : lock_fit(lock, &sizes);
}

/* A page of its own that nobody but wake() fills. */
static int make_fault_page(struct lock *lock, size_t page_bytes)
{
	struct uffdio_register wanted = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_api api = {.api = UFFD_API};

	lock->fault_page =
		mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (lock->fault_page == MAP_FAILED)
		return -errno;
	lock->sink.parts[0] = (struct iovec){.iov_base = lock->fault_page, .iov_len = page_bytes};
	lock->fault_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (lock->fault_fd < 0)
		return -errno;
	wanted.range.start = (uintptr_t)lock->fault_page;
	wanted.range.len = page_bytes;
	if (ioctl(lock->fault_fd, UFFDIO_API, &api) ||
	    ioctl(lock->fault_fd, UFFDIO_REGISTER, &wanted))
		return -errno;
	return 0;
}

static int f_pos_arm(struct lock *lock)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	int err = lock->fault_fd < 0 ? make_fault_page(lock, page_bytes) : 0;

	if (err)
		return err;
	if (madvise(lock->fault_page, page_bytes, MADV_DONTNEED))
		return -errno;
	lock->is_armed = true;
	return 0;
}

static int f_pos_wake(struct lock *lock)
{
	struct uffdio_zeropage page = {.range = {.start = (uintptr_t)lock->fault_page,
						 .len = lock->sink.parts[0].iov_len}};

	/* It is there already: then nobody sleeps on it. */
	if (ioctl(lock->fault_fd, UFFDIO_ZEROPAGE, &page) && errno != EEXIST)
		return -errno;
	return 0;
}

static void f_pos_release(struct lock *lock)
{
	if (lock->fault_fd >= 0)
		close(lock->fault_fd);
	if (lock->fault_page != MAP_FAILED)
		munmap(lock->fault_page, lock->sink.parts[0].iov_len);
	if (lock->fd >= 0)
		close(lock->fd);
	sink_release(&lock->sink);
}

const struct lock_ops lock_f_pos = {
	.name = "f_pos_lock",
	.size_fact = "section_bytes",
	.needs = "a kernel with CONFIG_USERFAULTFD, and root",
	.is_mutex = true,
	.waiter_state = 'D',
	.init = f_pos_init,
	.hold = f_pos_hold,
	.touch = f_pos_touch,
	.arm = f_pos_arm,
	.wake = f_pos_wake,
	.release = f_pos_release,
};

static int moving_init(struct lock *lock)
{
	struct stuck_page *stuck = NULL;
	int err = f_pos_init(lock);

	if (err)
		return err;
	err = stuck_page_make(lock->spare_cpu, &stuck);
	lock->kind = stuck;
	return err;
}

static int moving_arm(struct lock *lock)
{
	size_t page_bytes;
	void *page;
	int err = stuck_page_catch(lock->kind, &page, &page_bytes);

	if (err)
		return err;
	lock->sink.parts[0] = (struct iovec){.iov_base = page, .iov_len = page_bytes};
	lock->is_armed = true;
	return 0;
}

static int moving_wake(struct lock *lock)
{
	stuck_page_let_go(lock->kind);
	return 0;
}

static void moving_release(struct lock *lock)
{
	stuck_page_free(lock->kind);
	f_pos_release(lock);
}

const struct lock_ops lock_f_pos_moving = {
	.name = "f_pos_lock over a page that is being moved",
	.size_fact = "section_bytes",
	.needs = "two NUMA nodes with memory, a CPU that no role has, and CONFIG_MIGRATION with "
		 "CONFIG_PROC_PAGE_MONITOR",
	.is_mutex = true,
	.waits_for_io = true,
	.waiter_state = 'D',
	.init = moving_init,
	.hold = f_pos_hold,
	.touch = f_pos_touch,
	.arm = moving_arm,
	.wake = moving_wake,
	.release = moving_release,
};

static int futex_init(struct lock *lock, int protocol)
{
	pthread_mutexattr_t attributes;
	int err = pthread_mutexattr_init(&attributes);

	if (err)
		return -err;
	err = pthread_mutexattr_setprotocol(&attributes, protocol);
	if (!err)
		err = pthread_mutex_init(&lock->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	sem_init(&lock->gate, 0, 0);
	return -err;
}

static int pi_futex_init(struct lock *lock)
{
	return futex_init(lock, PTHREAD_PRIO_INHERIT);
}

static int plain_futex_init(struct lock *lock)
{
	return futex_init(lock, PTHREAD_PRIO_NONE);
}

static int futex_hold(struct lock *lock)
{
	int err = pthread_mutex_lock(&lock->mutex);

	if (err)
		return -err;
	if (lock->is_armed) {
		lock->is_armed = false;
		while (sem_wait(&lock->gate))
			;
	}
	spin_cpu_ns(lock->section_ns);
	return -pthread_mutex_unlock(&lock->mutex);
}

static int futex_touch(struct lock *lock)
{
	int err = pthread_mutex_lock(&lock->mutex);

	return err ? -err : -pthread_mutex_unlock(&lock->mutex);
}

static int futex_arm(struct lock *lock)
{
	lock->is_armed = true;
	return 0;
}

static int futex_wake(struct lock *lock)
{
	return sem_post(&lock->gate) ? -errno : 0;
}

static void futex_release(struct lock *lock)
{
	sem_destroy(&lock->gate);
	pthread_mutex_destroy(&lock->mutex);
}

const struct lock_ops lock_pi_futex = {
	.name = "pi-futex",
	.waiter_state = 'S',
	.is_spun_on = true,
	.init = pi_futex_init,
	.hold = futex_hold,
	.touch = futex_touch,
	.arm = futex_arm,
	.wake = futex_wake,
	.release = futex_release,
};

const struct lock_ops lock_plain_futex = {
	.name = "plain-futex",
	.waiter_state = 'S',
	.init = plain_futex_init,
	.hold = futex_hold,
	.touch = futex_touch,
	.arm = futex_arm,
	.wake = futex_wake,
	.release = futex_release,
};
