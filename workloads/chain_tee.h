/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_CHAIN_TEE_H
#define WORKLOADS_CHAIN_TEE_H

#include "workloads/chain.h"

/*
 * The locks of a chain as pipes' mutexes, which any kernel has (fs/pipe.c, fs/splice.c):
 *
 * - the owner is in a writev() whose first part is a page that userfaultfd(2) keeps missing, so it
 *   sleeps in its section until it is released, and then copies for a section;
 * - a link is in tee(), which takes both pipes' mutexes, that with the lower address first
 *   (pipe_double_lock()), and waits for the second while it holds the first;
 * - the donor and leaves ask for FIONREAD, which takes one.
 *
 * The pipes are in the order of their addresses, which is found by trying: a pipe that a tee()
 * holds while it waits for another one is the lower of the two.
 */
extern const struct chain_ops chain_tee_ops;

/*
 * Makes the pipes and finds their order, on the calling thread's CPU. chain->depth, section_ns and
 * limit_ns are there; section_ns is set to what one took in the end. 0; -EPERM, -ENOSYS or -EINVAL
 * when the kernel does not do what it takes; -EAGAIN when a section's length does not settle; or
 * another negative errno.
 */
int chain_tee_init(struct chain *chain);
/* Also after a failed or missing init. */
void chain_tee_release(struct chain *chain);

#endif
