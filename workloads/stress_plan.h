/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_STRESS_PLAN_H
#define WORKLOADS_STRESS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/*
 * What one guest of `proxeval explore` is to do to its kernel: actors (threads), each with a
 * mechanism and a seed of its own that draws what it does next, in rounds. It is drawn from one
 * seed, written as JSON (format proxeval-stress), and can be cut down actor by actor and round by
 * round: what is left does what it did.
 *
 * A round begins for all actors at once and ends for all of them: whoever sleeps is woken, nobody
 * begins anything new, and every actor has to come back. One that does not was lost: while nothing
 * happens any more, no later wakeup can hide that one was missed.
 */
enum stress_mechanism {
	/* Workers take kernel mutexes. */
	STRESS_F_POS,	       /* lseek() and read() on shared descriptors: f_pos_lock */
	STRESS_SLEEPING_OWNER, /* the same, but the owner sleeps in its section first */
	STRESS_PIPE,	 /* write(), read() and FIONREAD: a pipe's mutex, partly over a sleep */
	STRESS_TEE,	 /* holds one pipe's mutex, waits for another's: chains */
	STRESS_TTY,	 /* a terminal's write lock, whose waiters are interruptible */
	STRESS_RENAME,	 /* cross-directory renames: s_vfs_rename_mutex */
	STRESS_PI_FUTEX, /* PI futexes: rt_mutexes beside the mutexes */
	STRESS_COMPUTE,	 /* computes, and naps */
	/* Disturbers change a drawn worker, or the machine. */
	STRESS_SIGNALS,
	STRESS_CLASSES,	 /* scheduling class, priority, nice value */
	STRESS_AFFINITY, /* where it may run */
	STRESS_COOKIES,	 /* core scheduling's cookie */
	STRESS_CGROUPS,	 /* moves it between cgroups: light, throttled, idle */
	STRESS_HOTPLUG,	 /* takes CPUs away and brings them back */
	STRESS_MECHANISMS,
};

enum stress_class {
	STRESS_NICE,
	STRESS_BATCH,
	STRESS_IDLE,
	STRESS_FIFO,
	STRESS_RR,
	STRESS_DEADLINE
};

struct stress_actor {
	enum stress_mechanism mechanism;
	uint64_t seed; /* of all that it does */
	enum stress_class class;
	int nice;	       /* of STRESS_NICE and STRESS_BATCH */
	unsigned int priority; /* of STRESS_FIFO and STRESS_RR */
	int cpu;	       /* where it begins; -1: anywhere. Taken modulo the CPUs there are */
	unsigned int cookie;   /* actors of one number share a cookie; 0: none */
};

#define STRESS_MAX_ACTORS  64u
#define STRESS_MAX_OBJECTS 16u /* of each kind */
#define STRESS_MAX_COOKIES 4u
#define STRESS_MAX_ROUNDS  100000u
#define STRESS_MAX_SEED	   UINT32_MAX

struct stress_plan {
	uint64_t seed;		      /* that it was drawn from */
	uint64_t trajectory;	      /* of the guest: QEMU's -seed */
	uint64_t metronome_period_ns; /* the grain of interleaving; 0: none */
	uint64_t phase_ns;	      /* how long after its start the first round begins */
	uint64_t round_ns;
	uint64_t limit_ns; /* how long after its end a round's last actor may come back */
	unsigned int rounds;
	unsigned int files, pipes, terminals, folders; /* how many of each are fought for */
	struct stress_actor actors[STRESS_MAX_ACTORS];
	size_t n_actors;
};

/* What a plan may have: for each mechanism whether it is wanted. */
struct stress_choice {
	bool has_only; /* else all */
	bool only[STRESS_MECHANISMS];
};

/* "f-pos", "sleeping-owner" …: NULL-terminated, by enum stress_mechanism. */
extern const char *const stress_mechanism_names[];
/* One line each, by enum stress_mechanism. */
extern const char *const stress_mechanism_help[];
/* "nice", "batch" …: NULL-terminated, by enum stress_class. */
extern const char *const stress_class_names[];
/* The mechanism of that name, or -1. */
int stress_mechanism_find(const char *name);
bool stress_is_disturber(enum stress_mechanism mechanism);

/* Whether an actor of it has the mechanism. */
bool stress_plan_has(const struct stress_plan *plan, enum stress_mechanism mechanism);

/*
 * Draws the plan of @seed for @duration_ns of rounds; the same seed, duration and choice give the
 * same plan everywhere.
 */
void stress_plan_draw(struct stress_plan *plan, uint64_t seed, uint64_t duration_ns,
		      const struct stress_choice *choice);

/* The plan as its document. The caller puts it; NULL: no memory. */
struct json_object *stress_plan_to_json(const struct stress_plan *plan);

/* Whether a document calls itself such a plan. */
bool stress_is_plan(struct json_object *document);

/*
 * Reads it back: everything must be there, in range, and nothing else. 0, or -EINVAL with half a
 * sentence in @problem ("\"rounds\" is not a whole number from 1 to 100000").
 */
int stress_plan_read(struct stress_plan *plan, struct json_object *document, char *problem,
		     size_t problem_size);

#endif
