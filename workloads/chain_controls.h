/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_CHAIN_CONTROLS_H
#define WORKLOADS_CHAIN_CONTROLS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/topology.h"
#include "measure/random.h"
#include "measure/reservoir.h"
#include "measure/sched_attr.h"
#include "workloads/episode.h"
#include "workloads/inversion.h"
#include "workloads/lock.h"

/*
 * What shows that a chain's load is one: a plain futex, which nobody can help, is held by an owner
 * as weak as the chain's among as many hogs, and its waiter must wait unbounded; behind a PI futex
 * the wait must be bounded. One lock deep, with workloads/episode.h.
 */
enum chain_control { CHAIN_CONTROL_PLAIN, CHAIN_CONTROL_PI, CHAIN_CONTROLS };

struct chain_controls {
	struct episode_roles roles;
	struct lock locks[CHAIN_CONTROLS];
	bool is_made[CHAIN_CONTROLS];
	struct reservoir factors[CHAIN_CONTROLS]; /* of the contended ones, in thousandths */
	uint64_t contended[CHAIN_CONTROLS], samples;
	struct phase_plan phases; /* the same for both */
	double share;		  /* the owner's, in competition with the hogs */
	struct random random;
};

/* 0 or a negative errno; release follows either way. */
int chain_controls_init(struct chain_controls *controls, const struct placement *placement,
			const struct task_class *owner, unsigned int hogs, unsigned int n,
			uint64_t section_ns, uint64_t limit_ns, uint64_t seed);

/* Stages the next of the n of each. 0 or what episode_run() answers. */
int chain_controls_stage(struct chain_controls *controls);

struct chain_control_findings {
	uint64_t samples, plain_contended, pi_contended;
	double plain_factor, pi_factor; /* medians; 0 without any */
	bool are_hogs_interposed, is_pi_bounded;
	char plain_text[256], pi_text[256];
};

void chain_controls_conclude(struct chain_controls *controls,
			     struct chain_control_findings *findings);
void chain_controls_release(struct chain_controls *controls);

#endif
