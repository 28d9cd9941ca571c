/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_LOCK_H
#define WORKLOADS_LOCK_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct lock;

/* A kind of lock with a critical section of a given length. */
struct lock_ops {
	const char *name;
	/*
	 * Required. Makes the lock and fits its critical section to lock->section_ns of CPU
	 * time, on the CPU and in the class of the calling thread. 0, or a negative errno;
	 * -EAGAIN: the machine is too busy for a section to come out within a fifth of what is
	 * wanted. release() follows either way.
	 */
	int (*init)(struct lock *lock);
	/* Required. Owner: takes the lock, computes for the length of the section, releases. 0 or a
	 * negative errno. */
	int (*hold)(struct lock *lock);
	/* Required. Donor: takes the lock and releases it at once. 0 or a negative errno. */
	int (*touch)(struct lock *lock);
	/*
	 * Makes the next hold() begin its section with a sleep, until wake(). Called by whoever
	 * calls wake(), before the owner sets out. 0; -EPERM, -ENOSYS or -EINVAL when the kernel
	 * does not do what it takes; or another negative errno.
	 */
	int (*arm)(struct lock *lock);
	/* Ends that sleep, also beforehand. 0 or a negative errno. */
	int (*wake)(struct lock *lock);
	/* Required. Frees what init made, also after it failed half way. */
	void (*release)(struct lock *lock);
};

struct lock {
	const struct lock_ops *ops;
	uint64_t section_ns; /* wanted; init of f_pos sets it to what one section took in the end */
	/* f_pos: a file whose reading takes long, and where it is read to. */
	int fd;
	struct iovec *parts;
	int n_parts;
	void *buffer;
	uint64_t section_bytes;
	bool is_armed; /* the next section begins with a sleep */
	/* f_pos: the first part of an armed read goes to a page that is missing until wake(). */
	int fault_fd;
	void *fault_page;
	/* The futexes. */
	pthread_mutex_t mutex;
	sem_t gate; /* an armed owner sleeps on it */
};

/*
 * f_pos_lock: the kernel mutex that read(), write() and lseek() take on a descriptor that
 * threads share (fdget_pos() in fs/file.c). The owner is in one long readv() of a sparse
 * tmpfs file, so that the length of the section is the length of the read; the donor calls
 * lseek(). A section with a sleep first reads into a page that userfaultfd(2) keeps missing.
 */
extern const struct lock_ops lock_f_pos;
/* A mutex with priority inheritance (FUTEX_LOCK_PI): any kernel lends a real-time waiter's priority
 * to its owner. */
extern const struct lock_ops lock_pi_futex;
/* A plain futex mutex: the kernel does not know its owner and cannot help it. */
extern const struct lock_ops lock_plain_futex;

/* Whether a section that took so much CPU time is one of @wanted_ns: within a fifth of it. */
bool lock_is_section_fit(uint64_t took_ns, uint64_t wanted_ns);
/* How many bytes to read for @wanted_ns when @bytes took @took_ns; at least one. */
uint64_t lock_scale_bytes(uint64_t bytes, uint64_t wanted_ns, uint64_t took_ns);

#endif
