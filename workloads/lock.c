// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/spin.h"

/*
 * One buffer takes every part of the read, so that a long section needs little memory:
 * 1 MiB fits a second-level cache, and so many parts of it as a readv() takes make sections of up
 * to 1 GiB, some 50 ms of the fastest machine's time.
 */
#define PART_BYTES	(UINT64_C(1) << 20)
#define FIRST_BYTES	(UINT64_C(64) << 10)
#define DATA_PARTS	(IOV_MAX - 1) /* one is for the page that a section may sleep on */
#define LARGEST_SECTION (PART_BYTES * DATA_PARTS)

/* How often a section is scaled anew, and how often one length of it is timed at most. */
#define FIT_TRIES 6
#define FIT_READS 3

bool lock_is_section_fit(uint64_t took_ns, uint64_t wanted_ns)
{
	return took_ns * 5 >= wanted_ns * 4 && took_ns * 5 <= wanted_ns * 6;
}

uint64_t lock_scale_bytes(uint64_t bytes, uint64_t wanted_ns, uint64_t took_ns)
{
	double scaled = (double)bytes * (double)wanted_ns / (double)(took_ns ? took_ns : 1);

	if (scaled < 1)
		return 1;
	return scaled > 2.0 * (double)LARGEST_SECTION ? 2 * LARGEST_SECTION : (uint64_t)scaled;
}

static void set_section_bytes(struct lock *lock, uint64_t bytes)
{
	lock->section_bytes = bytes;
	lock->n_parts = 1;
	while (bytes) {
		uint64_t part = bytes < PART_BYTES ? bytes : PART_BYTES;

		lock->parts[lock->n_parts++] =
			(struct iovec){.iov_base = lock->buffer, .iov_len = part};
		bytes -= part;
	}
}

static int f_pos_hold(struct lock *lock)
{
	/* The first part is the page to sleep on. */
	int first = lock->is_armed ? 0 : 1;
	uint64_t wanted = lock->section_bytes + (first ? 0 : lock->parts[0].iov_len);
	ssize_t got;

	lock->is_armed = false;

	if (lseek(lock->fd, 0, SEEK_SET) < 0)
		return -errno;
	got = readv(lock->fd, lock->parts + first, lock->n_parts - first);
	if (got < 0)
		return -errno;
	return (uint64_t)got == wanted ? 0 : -EIO;
}

static int f_pos_touch(struct lock *lock)
{
	return lseek(lock->fd, 0, SEEK_CUR) < 0 ? -errno : 0;
}

/* CPU time of one section of @bytes. */
static int time_section(struct lock *lock, uint64_t bytes, uint64_t *out_ns)
{
	uint64_t before_ns;
	int err;

	set_section_bytes(lock, bytes);
	before_ns = clock_thread_cpu_ns();
	err = f_pos_hold(lock);
	*out_ns = clock_thread_cpu_ns() - before_ns;
	return err;
}

/* A first guess: doubles the read until it takes a quarter of the section, then scales. */
static int guess_section(struct lock *lock, uint64_t *out_bytes)
{
	uint64_t bytes = FIRST_BYTES / 2, took_ns = 0;
	int err;

	do {
		bytes *= 2;
		if (bytes > LARGEST_SECTION)
			return -ERANGE;
		err = time_section(lock, bytes, &took_ns);
		if (err)
			return err;
	} while (took_ns < lock->section_ns / 4);
	*out_bytes = lock_scale_bytes(bytes, lock->section_ns, took_ns);
	return 0;
}

/* The least of up to @FIT_READS readings: what disturbs one only adds to it. */
static int time_section_undisturbed(struct lock *lock, uint64_t bytes, uint64_t *out_ns)
{
	*out_ns = UINT64_MAX;
	for (int i = 0; i < FIT_READS; i++) {
		uint64_t took_ns;
		int err = time_section(lock, bytes, &took_ns);

		if (err)
			return err;
		if (took_ns < *out_ns)
			*out_ns = took_ns;
		if (lock_is_section_fit(*out_ns, lock->section_ns))
			break; /* a quiet machine, and virtual time, need no second reading */
	}
	return 0;
}

/*
 * Guesses and scales until the section is as long as it is to be: on a busy machine one reading
 * may be many times off, because a hypervisor's or an interrupt's time is in it.
 */
static int calibrate(struct lock *lock)
{
	uint64_t bytes, took_ns;
	int err = guess_section(lock, &bytes);

	for (int i = 0; !err && i < FIT_TRIES; i++) {
		if (bytes > LARGEST_SECTION)
			return -ERANGE;
		err = time_section_undisturbed(lock, bytes, &took_ns);
		if (!err && lock_is_section_fit(took_ns, lock->section_ns)) {
			lock->section_ns = took_ns;
			return 0;
		}
		bytes = lock_scale_bytes(bytes, lock->section_ns, took_ns);
	}
	return err ? err : -EAGAIN;
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
	if (ftruncate(memfd, (off_t)(LARGEST_SECTION + PART_BYTES))) {
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
	int err;

	lock->buffer = MAP_FAILED;
	lock->parts = NULL;
	lock->fd = -1;
	lock->fault_fd = -1;
	lock->fault_page = MAP_FAILED;
	err = open_sparse_file(lock);
	if (err)
		return err;
	lock->parts = calloc(DATA_PARTS + 1, sizeof(*lock->parts));
	if (!lock->parts)
		return -ENOMEM;
	lock->buffer = mmap(NULL, PART_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (lock->buffer == MAP_FAILED)
		return -errno;
	return calibrate(lock);
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
	lock->parts[0] = (struct iovec){.iov_base = lock->fault_page, .iov_len = page_bytes};
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
	struct uffdio_zeropage page = {
		.range = {.start = (uintptr_t)lock->fault_page, .len = lock->parts[0].iov_len}};

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
		munmap(lock->fault_page, lock->parts[0].iov_len);
	if (lock->buffer != MAP_FAILED)
		munmap(lock->buffer, PART_BYTES);
	if (lock->fd >= 0)
		close(lock->fd);
	free(lock->parts);
}

const struct lock_ops lock_f_pos = {
	.name = "f_pos_lock",
	.init = f_pos_init,
	.hold = f_pos_hold,
	.touch = f_pos_touch,
	.arm = f_pos_arm,
	.wake = f_pos_wake,
	.release = f_pos_release,
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
	.init = pi_futex_init,
	.hold = futex_hold,
	.touch = futex_touch,
	.arm = futex_arm,
	.wake = futex_wake,
	.release = futex_release,
};

const struct lock_ops lock_plain_futex = {
	.name = "plain-futex",
	.init = plain_futex_init,
	.hold = futex_hold,
	.touch = futex_touch,
	.arm = futex_arm,
	.wake = futex_wake,
	.release = futex_release,
};
