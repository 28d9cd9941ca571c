// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/chain_controls.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/inversion.h"
#include "workloads/staged_inversion.h"

/* As workloads/staged_inversion.c has them. */
#define LEAD_NS	       UINT64_C(2000000)
#define BOUNDED_FACTOR 1.5
#define DONOR_PRIORITY 50
/* The load comes so far into the section, in thousandths. */
#define EARLIEST 100
#define LATEST	 400

int chain_controls_init(struct chain_controls *controls, const struct placement *placement,
			const struct task_class *owner, unsigned int hogs, unsigned int n,
			uint64_t section_ns, uint64_t limit_ns, uint64_t seed)
{
	static const struct lock_ops *const ops[CHAIN_CONTROLS] = {
		[CHAIN_CONTROL_PLAIN] = &lock_plain_futex, [CHAIN_CONTROL_PI] = &lock_pi_futex};

	controls->random.state = random_seed_for(seed, "controls");
	controls->share = fair_share(nice_weight(owner->nice), hogs, nice_weight(0));
	controls->roles = (struct episode_roles){
		.owner_cpu = placement->owner_cpu,
		.donor_cpu = placement->donor_cpu,
		.owner = *owner,
		.hog = {.policy = SCHED_OTHER},
		.donor = {.policy = SCHED_FIFO, .priority = DONOR_PRIORITY},
		.hogs = hogs,
		.lead_ns = LEAD_NS,
		.limit_ns = limit_ns,
	};
	phase_plan_init(&controls->phases, random_seed_for(seed, "control-phases"), n, EARLIEST,
			LATEST);
	for (int i = 0; i < CHAIN_CONTROLS; i++) {
		int err;

		reservoir_init(&controls->factors[i], random_seed_for(seed, ops[i]->name));
		controls->locks[i] = (struct lock){.ops = ops[i], .section_ns = section_ns};
		controls->is_made[i] = true;
		err = ops[i]->init(&controls->locks[i]);
		if (err)
			return err;
	}
	return 0;
}

int chain_controls_stage(struct chain_controls *controls)
{
	unsigned int permille = phase_plan_next(&controls->phases);

	controls->samples++;
	for (int i = 0; i < CHAIN_CONTROLS; i++) {
		struct lock *lock = &controls->locks[i];
		struct episode_timing timing = {.load_after_ns =
							lock->section_ns * permille / 1000};
		struct episode_sample sample;
		uint64_t factor;
		int err;

		timing.donor_after_ns =
			timing.load_after_ns + STAGED_GAP_LEAST_NS +
			random_below(&controls->random, STAGED_GAP_MOST_NS - STAGED_GAP_LEAST_NS);
		err = episode_run(&controls->roles, &timing, lock, &sample);
		if (err)
			return err;
		if (is_lock_held(&sample) &&
		    inversion_factor_permille(sample.wait_ns, inversion_remaining_ns(&sample),
					      &factor)) {
			reservoir_record(&controls->factors[i], factor);
			controls->contended[i]++;
		}
	}
	return 0;
}

void chain_controls_conclude(struct chain_controls *controls,
			     struct chain_control_findings *findings)
{
	double bound = unbounded_factor(controls->share);
	uint64_t plain = controls->contended[CHAIN_CONTROL_PLAIN];
	uint64_t pi = controls->contended[CHAIN_CONTROL_PI], n = controls->samples;

	memset(findings, 0, sizeof(*findings));
	findings->samples = n;
	findings->plain_contended = plain;
	findings->pi_contended = pi;
	findings->plain_factor = reservoir_median(&controls->factors[CHAIN_CONTROL_PLAIN]) / 1000;
	findings->pi_factor = reservoir_median(&controls->factors[CHAIN_CONTROL_PI]) / 1000;
	findings->are_hogs_interposed =
		has_enough_contention(plain, n) && findings->plain_factor >= bound;
	findings->is_pi_bounded =
		has_enough_contention(pi, n) && findings->pi_factor <= BOUNDED_FACTOR;
	snprintf(
		findings->plain_text, sizeof(findings->plain_text),
		"Behind a plain futex, held in %llu of %llu samples, the donor's wait was %.2f times "
		"what the owner needed in the median: at least %.2f shows that the hogs got in "
		"between",
		(unsigned long long)plain, (unsigned long long)n, findings->plain_factor, bound);
	snprintf(findings->pi_text, sizeof(findings->pi_text),
		 "Behind a PI futex, held in %llu of %llu samples, the donor's wait was %.2f times "
		 "what the owner needed in the median: at most %.2f shows that the wait can be "
		 "bounded here",
		 (unsigned long long)pi, (unsigned long long)n, findings->pi_factor,
		 BOUNDED_FACTOR);
}

void chain_controls_release(struct chain_controls *controls)
{
	for (int i = 0; i < CHAIN_CONTROLS; i++)
		if (controls->is_made[i])
			controls->locks[i].ops->release(&controls->locks[i]);
}
