// SPDX-License-Identifier: GPL-2.0-only
/* The table of `run --profile proof`: for each patch what shows that it is needed. */
#include "bench/proof.h"

#include <strings.h>

#define STRESS_S 3u
#define GUEST	 "2x2x2"
#define CHECKS	 "checks that warn when the books on a donor are wrong"

static const char *const steal_signs[] = {"put_prev_task_fair", "pick_task_fair", "set_next_task",
					  "wakeup_preempt",	"pick_eevdf",	  "dequeue_entit",
					  "put_prev_entity",	"update_curr",	  NULL};
static const char *const stolen_donor[] = {"is stolen, the donor", NULL};
static const char *const stolen_waiter[] = {"is stolen, a blocked task", NULL};
static const char *const lost_wakeup[] = {"executed with a donor parked on it", NULL};
static const char *const rcu_tasks[] = {"rcu_tasks", NULL};
static const char *const stale_class[] = {"compared with the class of a donor that has left", NULL};
static const char *const listed_twice[] = {"is on cfs_tasks already", NULL};
static const char *const load_left[] = {"stays behind", NULL};

static const char *const both_steals[] = {"K1", "K2", NULL};
static const char *const chain[] = {"K6", NULL};
static const char *const helper[] = {"K5", NULL};

static const char *const cookie_figures[] = {"cookie_overlap_longest_ns",
					     "cookie_violation_ns_per_s", "donor_wait_ns", NULL};
static const char *const chain_figures[] = {"schedules", "donor_wait_ns", NULL};
static const char *const wait_figures[] = {"inversion_factor", NULL};
static const char *const round_trips[] = {"pipe_pingpong_instructions",
					  "futex_pingpong_instructions", NULL};
static const char *const donor_wait[] = {"donor_wait_ns", NULL};

/* A seed of this stress is 3 s of virtual time: the search ends with the first that shows it. */
#define STRESS(most_seeds, signs)                                              \
	{                                                                      \
		.seeds = most_seeds, .duration_s = STRESS_S, .expected = signs \
	}

const struct proof_row proof_rows[] = {
	{.tag = "K1",
	 .claim = "core scheduling steals a sibling's donor, which that runqueue goes on to use",
	 .steps = {{.kind = PROOF_STRESS,
		    .series = "series-checks",
		    .aid = CHECKS,
		    .stress = STRESS(8, stolen_donor)}},
	 .n_steps = 1,
	 .argument =
		 "with K2 a blocked task is not stolen, and a donor that lends is blocked; what is "
		 "left for K1 alone is a donor whose wakeup has cleared blocked_on while it is still "
		 "rq->donor, until the reschedule"},
	{.tag = "K2",
	 .claim = "core scheduling steals a waiter, which is sent back to its owner's runqueue",
	 .steps = {{.kind = PROOF_STRESS,
		    .series = "series-checks",
		    .aid = CHECKS,
		    .stress = STRESS(8, stolen_waiter)}},
	 .n_steps = 1,
	 .argument =
		 "with K1 the donor is not stolen; another waiter that is stolen is picked, walked to "
		 "its owner and sent back: work for nothing and a wake_cpu that is lost, and no fault"},
	{.tag = "K1+K2",
	 .claim = "core scheduling steals a sibling's blocked donor",
	 .steps = {{.kind = PROOF_STRESS,
		    .without = both_steals,
		    .stress = STRESS(16, steal_signs)}},
	 .n_steps = 1},
	{.tag = "K3",
	 .claim = "an owner of another cookie executes beside the core's",
	 .steps = {{.kind = PROOF_FIGURE,
		    .figure = {.workload = "core-cookie",
			       .topology = GUEST,
			       .metric = "cookie_violations",
			       .rule = PROOF_VIOLATION,
			       .also = cookie_figures}}},
	 .n_steps = 1},
	{.tag = "K4",
	 .claim = "a wakeup is compared with the class of a donor that has left",
	 .steps = {{.kind = PROOF_STRESS,
		    .series = "series-checks",
		    .aid = CHECKS,
		    .stress = STRESS(8, stale_class)}},
	 .n_steps = 1,
	 .argument =
		 "proxy_reset_donor() asks for a reschedule, and next_class is set anew there, so that "
		 "the wrong comparison does no harm in 7.2: wakeup_preempt_fair() and "
		 "wakeup_preempt_rt() look at the donor's class themselves before they go on"},
	{.tag = "K5",
	 .claim = "a list of tasks cannot be attached from outside of the load balancer",
	 .steps = {{.kind = PROOF_NEED},
		   {.kind = PROOF_FIGURE,
		    .without = helper,
		    .both_without = chain,
		    .figure = {.workload = "wakeup-cost",
			       .topology = "1x1x1",
			       .metric = "pipe_pingpong_instructions",
			       .rule = PROOF_SAME,
			       .factor = 1.0005}}},
	 .n_steps = 2,
	 .argument = "it moves a function and changes its two arguments; K6 calls it"},
	{.tag = "D1",
	 .claim = "a donor that wakes behind its former owner waits until that one sleeps",
	 .steps = {{.kind = PROOF_FIGURE,
		    .figure = {.workload = "mutex-inversion",
			       .topology = GUEST,
			       .metric = "inversion_factor",
			       .rule = PROOF_WORSE,
			       .factor = 3,
			       .also = donor_wait}}},
	 .n_steps = 1},
	{.tag = "D2",
	 .claim = "a throttled task that executed for a donor is listed twice on cfs_tasks",
	 .steps = {{.kind = PROOF_STRESS,
		    .series = "series-checks",
		    .aid = CHECKS,
		    .stress = STRESS(12, listed_twice)}},
	 .n_steps = 1,
	 .argument =
		 "a throttled task is on_rq and its entity is not; set_next_task_fair() asked for "
		 "the former, and proxy_reset_donor() brings such a task there"},
	{.tag = "D3",
	 .claim = "a donor's load is taken off where it leaves and not added where it goes",
	 .steps = {{.kind = PROOF_STRESS,
		    .series = "series-checks",
		    .aid = CHECKS,
		    .stress = STRESS(8, load_left)}},
	 .n_steps = 1},
	{.tag = "K6",
	 .claim = "each donor of a chain costs a selection and both runqueues' locks of its own",
	 .steps = {{.kind = PROOF_FIGURE,
		    .figure = {.workload = "lock-chain",
			       .topology = GUEST,
			       .metric = "idle_picks",
			       .rule = PROOF_WORSE,
			       .factor = 1.5,
			       .also = chain_figures}}},
	 .n_steps = 1},
	{.tag = "D4",
	 .claim = "RCU Tasks waits for ever for a donor that is queued whenever its owner looks",
	 .steps = {{.kind = PROOF_STRESS, .stress = STRESS(2, rcu_tasks)}},
	 .n_steps = 1,
	 .argument =
		 "this configuration asks for no grace period of RCU Tasks; that of --debug lockdep does "
		 "in its boot, holding tasks_gp_mutex while it looks for holdouts, and a donor that "
		 "waits for that mutex is queued again each time that the holder wakes to look"},
	{.tag = "R5",
	 .claim = "every switch of tasks pays for selections that it does not make",
	 .steps = {{.kind = PROOF_FIGURE,
		    .figure = {.workload = "wakeup-cost",
			       .topology = "1x1x1",
			       .metric = "switch_instructions",
			       .rule = PROOF_WORSE,
			       .factor = 1.002,
			       .also = round_trips}}},
	 .n_steps = 1},
	{.tag = "R1",
	 .claim = "a donor is parked on an owner that has just woken, and lends nothing",
	 .steps =
		 {{.kind = PROOF_STRESS,
		   .series = "series-parking-window",
		   .aid = "the window between the two looks is held open for 50 us, and who missed "
			  "a wakeup is told",
		   .stress = STRESS(12, lost_wakeup)}},
	 .n_steps = 1},
	{.tag = "K7",
	 .claim = "nobody helps an owner that wakes up inside its section",
	 .steps = {{.kind = PROOF_FIGURE,
		    .figure = {.workload = "sleeping-owner",
			       .topology = GUEST,
			       .metric = "donor_wait_ns",
			       .rule = PROOF_WORSE,
			       .factor = 5,
			       .also = wait_figures}}},
	 .n_steps = 1},
};

const size_t proof_rows_count = sizeof(proof_rows) / sizeof(*proof_rows);

const struct proof_row *proof_row_find(const char *tag)
{
	for (size_t i = 0; i < proof_rows_count; i++)
		if (!strcasecmp(proof_rows[i].tag, tag))
			return &proof_rows[i];
	return NULL;
}
