/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_LAB_H
#define WORKLOADS_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/kmod/proxeval_lab.h"

/*
 * The lock laboratory from user space: workloads/kmod/proxeval_lab.h has what it does,
 * doc/lock-laboratory.md how it gets into a kernel. A workload that wants it says so with
 * needs.lock_laboratory (workloads/workload.h): then the guests get the module that was built for
 * their kernel.
 */

/* Where the module is in a guest. */
#define LAB_GUEST_MODULE "/" LAB_MODULE_NAME ".ko"
#define LAB_DEVICE_PATH	 "/dev/" LAB_DEVICE_NAME

struct lab_session {
	int fd;		     /* locks and events of its own; for lab_* below, from any thread */
	bool is_loaded_here; /* the module; but in a guest unloaded when the session ends */
};

/*
 * Loads the module if need be and opens it. 0; -EOPNOTSUPP with one sentence in @reason: this
 * kernel has no laboratory, and how it gets one; or another negative errno, @reason set too.
 */
int lab_session_open(struct lab_session *session, char *reason, size_t reason_size);

/* Unloads the module, if nobody uses it. 0; -EWOULDBLOCK: somebody does; or another negative errno.
 */
int lab_unload(void);

/* Nobody is in a program any more. An fd of -1 is left alone. */
void lab_session_close(struct lab_session *session);

/*
 * Runs a program as @role; the calling thread does what it says. 0 with @done, the number of
 * operations that came to a good end, and @results of each; results[*done].status says what ended
 * it early. -EINVAL: a program that lab_check() (workloads/kmod/lab_check.h) refuses; -EBUSY: the
 * role is taken; or another negative errno.
 */
int lab_run_program(const struct lab_session *session, uint32_t role,
		    const struct lab_operation *operations, uint32_t n, struct lab_result *results,
		    uint32_t *done);

/* Wakes whoever is @role, whatever it sleeps on. 0; -ESRCH: nobody is; -EINVAL. */
int lab_wake_role(const struct lab_session *session, uint32_t role);

/* Lets one task through that waits for @event, now or later. 0 or -EINVAL. */
int lab_post_event(const struct lab_session *session, uint32_t event);

#endif
