/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef PROXEVAL_LAB_H
#define PROXEVAL_LAB_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * The lock laboratory: what a task asks the module proxeval_lab to do with kernel mutexes, one
 * program per ioctl. Both sides include this file. Every open of the device has locks and events
 * of its own, which all who share that open file use together.
 */
#define LAB_DEVICE_NAME "proxeval-lab"
#define LAB_MODULE_NAME "proxeval_lab"
#define LAB_VERSION	2

/* Of each open file. */
#define LAB_MUTEXES    256
#define LAB_WW_MUTEXES 64 /* the first half are wound-wait, the others wait-die */
#define LAB_EVENTS     256
#define LAB_ROLES      256

/* Who backs off of two contexts that want what the other has is the class's to say. */
enum lab_ww_class {
	LAB_WOUND_WAIT = 0, /* the older one wounds the younger, which backs off when it waits */
	LAB_WAIT_DIE = 1,   /* the younger one backs off at once, and never waits */
	LAB_WW_CLASSES
};

#define LAB_WW_PER_CLASS (LAB_WW_MUTEXES / LAB_WW_CLASSES)

/* Of a program. */
#define LAB_MAX_OPERATIONS 512
/* At once; lockdep follows 48 locks of a task (MAX_LOCK_DEPTH), and the kernel takes some itself.
 */
#define LAB_MAX_HELD 32
/* Of one operation, and of a whole program: who is killed waits no longer than others' programs. */
#define LAB_MAX_OPERATION_NS 10000000000ULL
#define LAB_MAX_PROGRAM_NS   60000000000ULL

enum lab_code {
	/*
	 * mutex_lock() and its kin on mutex @target. The number must be above that of every mutex
	 * that the task holds: so no two programs of one open file can block each other for ever.
	 * With @ns an interruptible wait ends after so long with -ETIMEDOUT.
	 */
	LAB_LOCK = 1,
	LAB_LOCK_INTERRUPTIBLE = 2,
	LAB_LOCK_KILLABLE = 3,
	LAB_TRYLOCK = 4, /* -EBUSY: somebody else has it */
	LAB_UNLOCK = 5,
	/*
	 * ww_mutexes: an acquire context of the class @target (enum lab_ww_class), locks of that
	 * class in any order, and its end, by when all of them must be unlocked. A lock that
	 * answers -EDEADLK is waited for without any other, which are taken again behind it. No
	 * mutex is locked inside, and no ww_mutex after the first unlock.
	 */
	LAB_WW_BEGIN = 6,
	LAB_WW_LOCK = 7,
	LAB_WW_LOCK_INTERRUPTIBLE = 8,
	LAB_WW_UNLOCK = 9,
	LAB_WW_END = 10,
	/* @ns of CPU time in the kernel, preemptible. */
	LAB_COMPUTE = 11,
	/*
	 * @ns asleep: interruptible ('S'), killable ('D', which counts as load), or the latter as
	 * if for a disk (nr_iowait).
	 */
	LAB_SLEEP = 12,
	LAB_SLEEP_KILLABLE = 13,
	LAB_SLEEP_IO = 14,
	/* Takes one posting of event @target; -ETIMEDOUT after @ns, which is required. */
	LAB_WAIT = 15,
	/* Posts event @target. */
	LAB_POST = 16,
	/* Wakes the task that is role @target, whatever it sleeps on; -ESRCH: it is not here. */
	LAB_WAKE = 17,
	/* As LAB_WAIT, but computing all the while: a holder that is runnable. */
	LAB_COMPUTE_UNTIL = 18,
	LAB_CODE_END
};

struct lab_operation {
	__u32 code;
	__u32 target; /* 0 where the code has none */
	__u64 ns;     /* 0 where the code has none */
};

struct lab_result {
	__u64 begin_ns, end_ns; /* CLOCK_MONOTONIC; both 0: the program ended before it */
	__s32 status;		/* 0, or the negative errno that ended the program */
	__u32 cpu_begin, cpu_end;
	__u32 sleeps;	/* how often the task went to sleep meanwhile */
	__u32 backoffs; /* of a ww_mutex: how often all others were let go for it */
	__u32 reserved;
};

/*
 * LAB_RUN: checks the whole program, then runs it as role @role. An operation that fails ends it:
 * what is held is unlocked in reverse order. So does a fatal signal, and another signal where the
 * task waits interruptibly. The call then returns 0, and @done says how many operations came to
 * a good end.
 * EINVAL: a bad program, of which nothing was done; EBUSY: the role is here already; EFAULT,
 * ENOMEM.
 */
struct lab_program {
	__u32 role;
	__u32 n_operations;
	__u32 done;	  /* out; in: 0 */
	__u32 reserved;	  /* 0 */
	__u64 operations; /* struct lab_operation[n_operations] */
	__u64 results;	  /* struct lab_result[n_operations], out */
};

struct lab_info {
	__u32 version;
	__u32 mutexes, ww_mutexes, events, roles;
	__u32 max_operations, max_held, reserved;
};

/*
 * Each request carries the size of its structure, which may grow at the end. LAB_RUN and LAB_INFO
 * take a longer one than they know: of the former the rest must be 0 (else E2BIG), of the latter it
 * is set to 0. A shorter one than of this version is EINVAL; what an operation or a result is does
 * not change within a version.
 */
#define LAB_INFO       _IOR('L', 0x70, struct lab_info)
#define LAB_RUN	       _IOWR('L', 0x71, struct lab_program)
#define LAB_WAKE_ROLE  _IOW('L', 0x72, __u32) /* as LAB_WAKE */
#define LAB_POST_EVENT _IOW('L', 0x73, __u32) /* as LAB_POST */

#endif
