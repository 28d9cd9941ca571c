/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_STRESS_H
#define WORKLOADS_STRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "workloads/stress_plan.h"

/*
 * Does what a plan says, in this process, as root, in a guest of its own: it takes CPUs away, moves
 * itself between cgroups and changes where its threads may run.
 */
struct stress;

/* An actor that did not come back at the end of a round. */
struct stress_lost {
	size_t actor; /* its index in the plan */
	pid_t tid;
	char state;	   /* of /proc/…/stat; '?' when it cannot be read */
	uint64_t since_ns; /* CLOCK_MONOTONIC: when it began the operation that it is in */
};

/* Two actors of different cookies on one core. */
struct stress_strangers {
	size_t actors[2];
	int cpus[2];
	uint64_t from_ns, length_ns;
};

/* An actor that executed on a CPU that its affinity did not allow. */
struct stress_misplaced {
	size_t actor;
	int cpu;
	uint64_t at_ns; /* CLOCK_MONOTONIC, as all times here */
};

/*
 * Who changes an affinity has the task moved right after, by a thread that is stronger than all: a
 * few microseconds. A task that is let down stays for as long as it likes.
 */
#define STRESS_MISPLACED_NS UINT64_C(1000000)

/*
 * On a kernel that keeps cookies apart, one goes when an interrupt tells its CPU that the other
 * came: at most 0.2 ms late in virtual time, when a turn of the virtual CPUs is short; a turn is up
 * to 0.44 ms here (stress_plan.c). One that is not told stays for ticks: ten times that.
 */
#define STRESS_STRANGERS_NS UINT64_C(2000000)

struct stress_report {
	unsigned int rounds; /* that ended as they should */
	uint64_t operations[STRESS_MECHANISMS];
	struct stress_lost lost[STRESS_MAX_ACTORS];
	size_t n_lost;
	bool are_cookies_watched; /* the plan has some, and nobody changes them */
	uint64_t switches_lost;	  /* that the record of who ran had no room for */
	bool has_strangers;	  /* for longer than STRESS_STRANGERS_NS */
	struct stress_strangers strangers;
	bool is_misplaced; /* for longer than STRESS_MISPLACED_NS */
	struct stress_misplaced misplaced;
};

/*
 * Makes what is fought for, and the threads. 0 and @stress; or a negative errno with what could not
 * be made in @problem. A mechanism that this kernel does not have does nothing.
 */
int stress_begin(struct stress **stress, const struct stress_plan *plan, char *problem,
		 size_t problem_size);

/*
 * Runs the rounds until all are done or an actor is lost. @on_round is called after each. The
 * caller's thread should be above all others and on a CPU that stays (CPU 0).
 */
void stress_rounds(struct stress *stress, void (*on_round)(void *context, unsigned int round),
		   void *context, struct stress_report *report);

/* The class that a thread is in now, of stress_class_names; "?" when nobody can say. */
const char *stress_class_of(pid_t tid);

/* Ends the threads and removes everything. Not after an actor was lost: it still uses it. */
void stress_end(struct stress *stress);

/*
 * A fault to be found on purpose, so that the search itself can be tested: what, once the round
 * @round has come and an actor of each of two mechanisms takes part. Parsed from
 * "WHAT,MECHANISM,MECHANISM,ROUND".
 */
enum stress_plant_kind {
	STRESS_PLANT_NONE,
	STRESS_PLANT_CRASH, /* the kernel crashes (sysrq c) */
	STRESS_PLANT_LOST,  /* an actor of the first mechanism does not come back */
	STRESS_PLANT_HANG,  /* nothing goes on: no round ends */
	STRESS_PLANT_SPIN,  /* an actor of the first mechanism spins with PAUSE for ever */
};

struct stress_plant {
	enum stress_plant_kind kind;
	enum stress_mechanism mechanisms[2];
	unsigned int round;
};

/* 0, or -EINVAL. */
int stress_plant_parse(struct stress_plant *plant, const char *text);
void stress_set_plant(struct stress *stress, const struct stress_plant *plant);

#endif
