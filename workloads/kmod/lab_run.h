/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/ww_mutex.h>

#include "proxeval_lab.h"

/* Something to wait for: each posting lets one task through. */
struct lab_event {
	wait_queue_head_t queue; /* its lock guards @posted */
	u32 posted;
};

/* What belongs to one open file. */
struct lab {
	struct mutex mutexes[LAB_MUTEXES]; /* what is fought for: they guard nothing */
	struct ww_mutex ww_mutexes[LAB_WW_MUTEXES];
	struct lab_event events[LAB_EVENTS];
	spinlock_t roles_lock;		      /* guards @roles */
	struct task_struct *roles[LAB_ROLES]; /* who is inside, as which role */
};

void lab_init(struct lab *lab);
void lab_destroy(struct lab *lab);

/*
 * Runs a program that lab_check() let pass, as role @role. How many operations came to a good end,
 * the last one's failure in @results, or -EBUSY. Nothing is held when it returns.
 */
int lab_run(struct lab *lab, u32 role, const struct lab_operation *operations, u32 n,
	    struct lab_result *results);

/* 0; -EINVAL: there is no such event or role; -ESRCH: nobody is that role now. */
int lab_post(struct lab *lab, u32 event);
int lab_wake(struct lab *lab, u32 role);

#endif
