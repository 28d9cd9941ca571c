/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_LOCK_H
#define WORKLOADS_LOCK_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/sink.h"

struct lock;

/* A kind of lock with a critical section of a given length. */
struct lock_ops {
	const char *name;
	/* What init() or arm() takes that not every kernel and user has; NULL: nothing much. */
	const char *needs;
	/* The fact of a result that section_size is, as "section_bytes"; NULL: it has none. */
	const char *size_fact;
	/* A struct mutex of the kernel: what proxy execution is for. */
	bool is_mutex;
	/* An armed owner sleeps as one that waits for a disk (io_schedule()). */
	bool waits_for_io;
	/* How a waiter sleeps, as in /proc/PID/stat: 'D', or 'S' where a signal ends it. */
	char waiter_state;
	/* A waiter may pass its whole wait without a sleep (see is_donor_blocked()). */
	bool is_spun_on;
	/*
	 * Required. Makes the lock and fits its critical section to lock->section_ns of CPU
	 * time, on the CPU and in the class of the calling thread. 0, or a negative errno;
	 * -EAGAIN: the machine is too busy for a section to come out within a fifth of what is
	 * wanted; -ERANGE: no section is so long. release() follows either way.
	 */
	int (*init)(struct lock *lock);
	/* Optional. Before every hold(), by any thread: what a section uses up. 0 or a negative
	 * errno. */
	int (*prepare)(struct lock *lock);
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
	uint64_t section_ns;   /* wanted; init sets it to what one section took in the end */
	uint64_t section_size; /* what that took, in the kind's own unit; 0: it has none */
	bool is_armed;	       /* the next section begins with a sleep */
	int spare_cpu;	       /* one that no role has, given before init(); -1: none */
	void *kind;	       /* what the kind's file keeps */
	/* f_pos: a file whose reading takes long, and where it is read to. */
	int fd;
	struct sink sink;
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
/* The same, but the page of an armed section is being moved to another NUMA node
 * (workloads/stuck_page.h): the owner waits for it as for a disk. */
extern const struct lock_ops lock_f_pos_moving;
/* A mutex with priority inheritance (FUTEX_LOCK_PI): any kernel lends a real-time waiter's priority
 * to its owner. */
extern const struct lock_ops lock_pi_futex;
/* A plain futex mutex: the kernel does not know its owner and cannot help it. */
extern const struct lock_ops lock_plain_futex;

/*
 * pipe->mutex (fs/pipe.c): the owner reads a full pipe, the donor asks with FIONREAD how much is
 * in it. Its size is in bytes; the pages are one page of zeros, so that they need no memory.
 */
extern const struct lock_ops lock_pipe;
/*
 * The same mutex of a pipe and of a FIFO, whose owner moves the contents to a socket by splice(2).
 * An armed owner sleeps with the mutex held (splice_to_socket() in fs/splice.c), because the
 * socket takes nothing until its buffer is enlarged.
 */
extern const struct lock_ops lock_pipe_to_socket;
extern const struct lock_ops lock_fifo_to_socket;
/*
 * unix_sock->iolock (net/unix/af_unix.c): the owner peeks at all that a stream socket has
 * received, the donor takes a byte of it. In bytes, of one page as well.
 */
extern const struct lock_ops lock_unix;
/*
 * eventpoll->mtx (fs/eventpoll.c): the owner fetches thousands of events, the donor changes what
 * is asked of one file. In events.
 */
extern const struct lock_ops lock_epoll;
/*
 * seq_file->lock (fs/seq_file.c): the owner reads /proc/self/smaps_rollup, for which the kernel
 * walks the page tables of a large mapping in one record; the donor seeks. In pages.
 */
extern const struct lock_ops lock_seq_file;
/*
 * s_vfs_rename_mutex (fs/namei.c): the owner renames a file from one directory to another, and
 * under the mutex the kernel tells a crowd of inotify(7) instances that watch both. The donor
 * renames another file between two directories that nobody watches. In watching instances.
 */
extern const struct lock_ops lock_rename;
/*
 * A read-write semaphore for comparison, inode->i_rwsem, taken for writing: the owner changes the
 * mode of a file that a crowd of inotify instances watches (notify_change() in fs/attr.c), the
 * donor writes a byte to it. In watching instances.
 */
extern const struct lock_ops lock_rwsem;

#endif
