/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_CHAIN_LAB_H
#define WORKLOADS_CHAIN_LAB_H

#include <stddef.h>

#include "workloads/chain.h"

/*
 * The locks of a chain as mutexes of the lock laboratory (workloads/lab.h): every build, event and
 * time, and records from inside. A tree's owner holds one mutex more than its chain has.
 */
extern const struct chain_ops chain_lab_ops;

/* 0; or as lab_session_open(), with its @reason. */
int chain_lab_init(struct chain *chain, char *reason, size_t reason_size);
/* Also after a failed or missing init. */
void chain_lab_release(struct chain *chain);

#endif
