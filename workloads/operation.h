/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_OPERATION_H
#define WORKLOADS_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/reservoir.h"

/*
 * What a kernel does for everybody all the time, with nobody else about: one CPU, one or two
 * threads pinned to it, the same few system calls again and again. They are done in batches that
 * are short against a tick, so that most batches see no interrupt, and each batch is timed.
 */
enum operation_kind {
	OPERATION_SYSCALL, /* lseek() on a descriptor of its own: no lock */
	OPERATION_MUTEX,   /* the same on a shared one: takes f_pos_lock, which is free */
	OPERATION_WAKE,	   /* FUTEX_WAKE of a sleeping task that does not preempt the waker */
	OPERATION_SWITCH,  /* sched_yield() between two tasks: one switch of two */
	OPERATION_FUTEX,   /* a round trip between two tasks, each woken and put to sleep once */
	OPERATION_PIPE,	   /* the same through two pipes */
	OPERATION_CLONE,   /* clone(CLONE_VM), exit, wait: a child in the same memory */
	OPERATION_FORK,	   /* fork(), _exit(), waitpid() */
	OPERATION_KINDS,
};

struct operation_request {
	enum operation_kind kind;
	int cpu;
	bool is_virtual_time; /* the time-stamp counter counts instructions: it is the clock */
	unsigned int batches; /* recorded; a tenth as many come before and are not */
	uint64_t limit_ns;    /* of the whole: a task that is not woken ends it */
	const volatile int *stop;
};

struct operation_result {
	/*
	 * Of each batch, for all its operations: ns, or ticks of the time-stamp counter in
	 * virtual time, two per instruction. Allocated by operation_run.
	 */
	struct reservoir *batch_ticks;
	unsigned int per_batch;
	uint64_t done;	    /* operations that did what they are for, recorded or not */
	uint64_t attempted; /* all */
	uint64_t switches;  /* of both threads, as the kernel counts them, from first to last */
	uint64_t switches_expected;
};

/* "mutex", "futex_pingpong" …: the name that metrics begin with. */
const char *operation_name(enum operation_kind kind);

/*
 * Does it. 0; -ETIMEDOUT: it stood still; -EINTR: stopped; or another negative errno. Threads that
 * did not come back are lost, with the memory they use, which is neither @request nor @result; then
 * @result has no batch. operation_release is due in every case.
 */
int operation_run(const struct operation_request *request, struct operation_result *result);
void operation_release(struct operation_result *result);

/*
 * The ticks that @result needs for one operation: the median over its batches, divided by the
 * operations of a batch. 0 without a batch.
 */
double operation_ticks(const struct operation_result *result);

/* Batches that were recorded; 0 without a run that came back. */
uint64_t operation_batches(const struct operation_result *result);

/* How many batches are within @percent of the median batch. */
uint64_t operation_alike(const struct operation_result *result, unsigned int percent);

/*
 * How much further the virtual clock goes for 1,000 no-operations than for 500: 1,000 ticks where
 * it counts instructions of 2 ns. The least of several tries. 0 on other machines than x86-64.
 */
uint64_t operation_ticks_of_500_instructions(void);

#endif
