// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "measure/random.h"
#include "measure/reservoir.h"
#include "workloads/episode.h"
#include "workloads/inversion.h"
#include "workloads/lineup.h"
#include "workloads/lock.h"
#include "workloads/staged_inversion.h"
#include "workloads/weak_cgroup.h"

/*
 * An owner whose cgroup has used up its cpu.max in the middle of the critical section: does the
 * waiter wait for the next period? And a waiter that pays for its owner: does that use up its own?
 * doc/workloads/cgroup-throttle.md has the method.
 */
#define PAGE "doc/workloads/cgroup-throttle.md"

#define BOUNDED_FACTOR 1.5 /* as in staged_inversion.c */
#define DONOR_PRIORITY 50
/*
 * What a cgroup's runqueue keeps of its runtime when its last task sleeps (min_cfs_rq_runtime,
 * __return_cfs_rq_runtime() in kernel/sched/fair.c): a thread that has run since, if only to get
 * ready, has up to so much besides its quota.
 */
#define KEPT_US 1000

static const char *const throttled_roles[] = {"owner", "donor", "both", NULL};
static const char *const donors[] = {"nice", "fifo", NULL};

static const struct parameter_spec parameters[] = {
	{.name = "throttled",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "owner",
	 .choices = throttled_roles,
	 .help = "who is in a cgroup with a cpu.max: the owner, the donor, or each in one of its own"},
	{.name = "donor",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "nice",
	 .choices = donors,
	 .help = "who waits: nice -20, or SCHED_FIFO, which no cpu.max throttles"},
	{.name = "quota_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "1000",
	 .min = 1000,
	 .max = 1000000,
	 .help = "CPU time that such a cgroup has in each period; the owner has used it up when the donor comes"},
	{.name = "period_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "100000",
	 .min = 1000,
	 .max = 1000000,
	 .help = "that period"},
	{.name = "hogs",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "1",
	 .min = 1,
	 .max = EPISODE_MAX_HOGS,
	 .help = "nice-0 threads that compute on the owner's CPU and are not throttled: while one of them runs the donor sleeps, and does not spin"},
	{.name = "section_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "8000",
	 .min = 500,
	 .max = 1000000,
	 .help = "CPU time of the critical section"},
	{.name = "phase_min_percent",
	 .unit = "percent",
	 .kind = PARAMETER_NUMBER,
	 .standard = "35",
	 .max = 90,
	 .help = "the load comes no earlier in the section than this; the donor follows within 1.5 ms"},
	{.name = "phase_max_percent",
	 .unit = "percent",
	 .kind = PARAMETER_NUMBER,
	 .standard = "55",
	 .min = 1,
	 .max = 95,
	 .help = "the load comes earlier in the section than this"},
	STAGED_INVERSION_EFFORT,
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "donor_wait_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "from before the donor's lseek() to after its return to user space, while the owner held f_pos_lock",
	 .source = PAGE "; throttle_cfs_rq_work() in kernel/sched/fair.c"},
	{.name = "inversion_factor",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "median of the wait over the CPU time that the owner still needed; 1 is the physical limit",
	 .source = PAGE},
	{.name = "inversion_factor_max",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "the largest inversion factor of a sample",
	 .source = PAGE},
	{.name = "long_waits",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "waits of half a period or more: the owner was throttled in its section, or the donor when it had the lock",
	 .source = PAGE},
	{.name = "owner_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "share of its CPU that the owner had during the waits",
	 .source = PAGE},
	{.name = "owner_throttled_periods",
	 .unit = "count",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "nr_throttled of the owner's cgroup, per sample: the periods that its section cost, also after it",
	 .source = PAGE "; cpu.stat, __assign_cfs_rq_runtime() in kernel/sched/fair.c"},
	{.name = "owner_throttled_ns",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "throttled_usec of the owner's cgroup, per sample",
	 .source = PAGE "; cpu.stat"},
	{.name = "donor_throttled_periods",
	 .unit = "count",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "nr_throttled of the donor's cgroup, per sample",
	 .source = PAGE "; cpu.stat"},
	{.name = "donor_throttled_ns",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "throttled_usec of the donor's cgroup, per sample",
	 .source = PAGE "; cpu.stat"},
	{.name = "uncontended_samples",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "samples in which the donor did not meet a held lock; they are in no other figure",
	 .source = PAGE},
	{.name = "pi_futex_factor",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_POSITIVE_CONTROL,
	 .help = "median inversion factor behind a PI futex of a throttled owner, with a SCHED_FIFO donor",
	 .source = "kernel/futex/pi.c; " PAGE},
	{.name = "plain_futex_factor",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_NEGATIVE_CONTROL,
	 .help = "median inversion factor behind a plain futex of a throttled owner, with a SCHED_FIFO donor",
	 .source = "kernel/futex/waitwake.c; " PAGE},
	{.name = NULL},
};

enum subject {
	SUBJECT_F_POS,
	SUBJECT_PI_FUTEX,
	SUBJECT_PLAIN_FUTEX,
	SUBJECTS,
};

static const struct lock_ops *const subject_ops[SUBJECTS] = {
	[SUBJECT_F_POS] = &lock_f_pos,
	[SUBJECT_PI_FUTEX] = &lock_pi_futex,
	[SUBJECT_PLAIN_FUTEX] = &lock_plain_futex,
};

struct tally {
	struct reservoir factors; /* of the contended samples, in thousandths */
	struct phase_plan phases;
	uint64_t samples, contended, lent, looks;
	uint64_t wait_ns, owner_ns; /* sums over the contended samples */
	uint64_t long_waits;
	uint64_t used_up;     /* samples whose owner had nothing left when the donor came */
	uint64_t throttled;   /* samples in which the owner's cgroup was throttled */
	uint64_t overcharged; /* samples whose owner still needed more than a quota then */
	struct cgroup_throttling owner, donor;
};

struct throttle {
	struct lock locks[SUBJECTS];
	unsigned int n_locks;
	unsigned int n_samples[SUBJECTS];
	struct tally tallies[SUBJECTS];
	struct episode_roles roles;
	char owner_cgroup[PATH_MAX], donor_cgroup[PATH_MAX];
	struct random random;
};

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_cgroup_throttle, run, name);
}

static bool is_chosen(const struct workload_run *run, const char *name, const char *value)
{
	return !strcmp(workload_choice(&workload_cgroup_throttle, run, name), value);
}

static bool is_throttled(const struct workload_run *run, const char *role)
{
	return is_chosen(run, "throttled", role) || is_chosen(run, "throttled", "both");
}

static int check(const char *const *values, char *error, size_t error_size)
{
	const struct workload_run run = {.values = values};
	uint64_t min = number(&run, "phase_min_percent"), max = number(&run, "phase_max_percent");
	uint64_t used_us = number(&run, "section_us") * min / 100;

	if (min >= max)
		snprintf(
			error, error_size,
			"cgroup-throttle: phase_min_percent (%llu) must be below phase_max_percent "
			"(%llu)",
			(unsigned long long)min, (unsigned long long)max);
	else if (is_throttled(&run, "donor") && is_chosen(&run, "donor", "fifo"))
		snprintf(error, error_size,
			 "cgroup-throttle: no cpu.max throttles a SCHED_FIFO donor; take "
			 "throttled=owner, or donor=nice");
	else if (number(&run, "quota_us") >= number(&run, "period_us"))
		snprintf(
			error, error_size,
			"cgroup-throttle: a quota of %llu us in %llu us throttles nobody; quota_us "
			"must be below period_us",
			(unsigned long long)number(&run, "quota_us"),
			(unsigned long long)number(&run, "period_us"));
	else if (number(&run, "quota_us") + KEPT_US > used_us)
		snprintf(
			error, error_size,
			"cgroup-throttle: the load may come when the owner has used %llu us, and it "
			"has its quota of %llu us and up to %u us from before; take a smaller "
			"quota_us, a longer section_us or a larger phase_min_percent",
			(unsigned long long)used_us, (unsigned long long)number(&run, "quota_us"),
			KEPT_US);
	else
		return 0;
	return -EINVAL;
}

/* ---- setting up ---- */

static int make_cgroup(struct workload_run *run, const char *role, char *path, size_t path_size)
{
	int err = weak_cgroup_make(run->cgroup, role, 0, (unsigned int)number(run, "quota_us"),
				   (unsigned int)number(run, "period_us"), path, path_size);

	if (!err)
		return 0;
	result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
			   "a cpu.max needs a cgroup v2 hierarchy with the cpu controller, of a "
			   "kernel with CONFIG_CFS_BANDWIDTH (%s); mount one",
			   strerror(-err));
	return -EOPNOTSUPP;
}

static int make_locks(struct workload_run *run, struct throttle *state)
{
	uint64_t section_ns = number(run, "section_us") * 1000;

	for (int i = 0; i < SUBJECTS; i++) {
		struct lock *lock = &state->locks[i];
		int err;

		lock->ops = subject_ops[i];
		lock->section_ns = section_ns;
		err = lineup_make_lock(lock, run->placement->owner_cpu);
		state->n_locks++;
		if (err) {
			result_set_outcome(run->result, OUTCOME_FAILED,
					   "cannot make a %s section of %llu us on CPU %d: %s",
					   lock->ops->name, (unsigned long long)section_ns / 1000,
					   run->placement->owner_cpu,
					   err == -EAGAIN ? "the machine is too busy"
							  : strerror(-err));
			return err;
		}
		section_ns = lock->section_ns;
	}
	result_add_fact(run->result, "section_cpu_ns", (double)section_ns);
	return 0;
}

static void make_samples(struct workload_run *run, struct throttle *state)
{
	for (int i = 0; i < SUBJECTS; i++) {
		unsigned int n = (unsigned int)number(run, i ? "control_samples" : "samples");

		state->n_samples[i] = n;
		phase_plan_init(&state->tallies[i].phases,
				random_seed_for(run->seed, subject_ops[i]->name), n,
				(unsigned int)number(run, "phase_min_percent") * 10,
				(unsigned int)number(run, "phase_max_percent") * 10);
		reservoir_init(&state->tallies[i].factors, random_seed_for(run->seed, "factors"));
	}
}

/* Every sample begins with a full quota: the one before has been paid for when its threads end. */
static uint64_t lead_ns(const struct workload_run *run)
{
	return 2 * number(run, "period_us") * 1000;
}

static int place_conductor(struct workload_run *run)
{
	const struct placement *placement = run->placement;

	if (placement->observer_cpu >= 0)
		return task_pin(placement->observer_cpu);
	if (placement->donor_cpu != placement->owner_cpu)
		return task_pin(placement->donor_cpu);
	result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
			   "with one CPU nobody can watch the donor wait");
	return -EOPNOTSUPP;
}

static int setup(struct workload_run *run)
{
	struct throttle *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	run->state = state;
	state->random.state = random_seed_for(run->seed, "gaps");
	state->roles = (struct episode_roles){
		.owner_cpu = run->placement->owner_cpu,
		.donor_cpu = run->placement->donor_cpu,
		.has_nodes = true,
		.owner_node = run->placement->owner_node,
		.donor_node = run->placement->donor_node,
		.owner = {.policy = SCHED_OTHER},
		.hog = {.policy = SCHED_OTHER},
		.hogs = (unsigned int)number(run, "hogs"),
		.lead_ns = lead_ns(run),
		.limit_ns = number(run, "limit_ms") * 1000000,
	};
	make_samples(run, state);
	err = place_conductor(run);
	if (!err)
		err = make_cgroup(run, "owner", state->owner_cgroup, sizeof(state->owner_cgroup));
	if (!err)
		err = make_cgroup(run, "donor", state->donor_cgroup, sizeof(state->donor_cgroup));
	if (!err)
		err = make_locks(run, state);
	if (!err && mlockall(MCL_CURRENT))
		err = -errno;
	return err;
}

/* ---- one sample ---- */

static void record(struct workload_run *run, struct tally *tally, enum subject subject,
		   const struct episode_sample *sample)
{
	int64_t remaining_ns = inversion_remaining_ns(sample);
	int64_t quota_ns = (int64_t)number(run, "quota_us") * 1000;
	uint64_t factor;

	tally->samples++;
	tally->looks += sample->looks;
	if (!(subject == SUBJECT_F_POS ? is_donor_blocked(sample) : is_lock_held(sample)) ||
	    !inversion_factor_permille(sample->wait_ns, remaining_ns, &factor))
		return;
	reservoir_record(&tally->factors, factor);
	tally->contended++;
	tally->wait_ns += sample->wait_ns;
	tally->owner_ns += sample->owner_departure_ns - sample->owner_arrival_ns;
	tally->long_waits += sample->wait_ns >= number(run, "period_us") * 1000 / 2;
	tally->lent += sample->is_lent;
	tally->used_up += (int64_t)(sample->owner_arrival_ns - sample->owner_start_ns) >=
			  quota_ns + KEPT_US * 1000;
	tally->overcharged += remaining_ns > quota_ns;
	if (subject == SUBJECT_F_POS)
		histogram_record(result_histogram(run->result, "donor_wait_ns"), sample->wait_ns);
}

/* Who is in which cgroup, and of which class. A control is about a throttled owner, always. */
static struct episode_roles cast(const struct workload_run *run, const struct throttle *state,
				 enum subject subject)
{
	struct episode_roles roles = state->roles;

	if (subject != SUBJECT_F_POS || is_throttled(run, "owner"))
		roles.owner_cgroup = state->owner_cgroup;
	if (subject == SUBJECT_F_POS && is_throttled(run, "donor"))
		roles.donor_cgroup = state->donor_cgroup;
	if (subject != SUBJECT_F_POS || is_chosen(run, "donor", "fifo"))
		roles.donor = (struct task_class){.policy = SCHED_FIFO, .priority = DONOR_PRIORITY};
	else
		roles.donor = (struct task_class){.policy = SCHED_OTHER, .nice = -20};
	return roles;
}

static int stage_one(struct workload_run *run, struct throttle *state, enum subject subject,
		     unsigned int permille, struct episode_sample *sample)
{
	struct tally *tally = &state->tallies[subject];
	struct episode_roles roles = cast(run, state, subject);
	struct lock *lock = &state->locks[subject];
	struct episode_timing timing = {.load_after_ns = lock->section_ns * permille / 1000};
	struct cgroup_throttling owner, donor;
	uint64_t periods = tally->owner.periods;
	int err;

	timing.donor_after_ns =
		timing.load_after_ns + STAGED_GAP_LEAST_NS +
		random_below(&state->random, STAGED_GAP_MOST_NS - STAGED_GAP_LEAST_NS);
	err = weak_cgroup_throttling(state->owner_cgroup, &owner);
	if (!err)
		err = weak_cgroup_throttling(state->donor_cgroup, &donor);
	if (!err)
		err = episode_run(&roles, &timing, lock, sample);
	if (!err)
		err = weak_cgroup_add_throttling(state->owner_cgroup, &owner, &tally->owner);
	tally->throttled += !err && tally->owner.periods > periods;
	if (!err)
		err = weak_cgroup_add_throttling(state->donor_cgroup, &donor, &tally->donor);
	return err;
}

static int stage(struct workload_run *run, struct throttle *state, enum subject subject,
		 unsigned int k)
{
	struct episode_sample sample;
	int err = stage_one(run, state, subject, phase_plan_next(&state->tallies[subject].phases),
			    &sample);

	if (err) {
		result_set_outcome(run->result, OUTCOME_FAILED,
				   err == -ETIME || err == -ETIMEDOUT
					   ? "sample %u of %s was not over after %llu ms (limit_ms)"
					   : "sample %u of %s failed within %llu ms: %s",
				   k, subject_ops[subject]->name,
				   (unsigned long long)state->roles.limit_ns / 1000000,
				   strerror(-err));
		return err;
	}
	record(run, &state->tallies[subject], subject, &sample);
	return 0;
}

/* ---- what it comes to ---- */

static void judge(struct workload_run *run, const char *name, bool held, uint64_t observed,
		  uint64_t expected, const char *text)
{
	result_add_evidence(run->result, name, held, observed, expected, text);
	if (held)
		return;
	result_break_metric(run->result, "donor_wait_ns", text);
	result_break_metric(run->result, "inversion_factor", text);
	result_break_metric(run->result, "inversion_factor_max", text);
	result_break_metric(run->result, "long_waits", text);
	if (result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s", text);
}

/* The owner's quota was gone in the section, and the kernel made its cgroup pay for it. */
static void judge_owner(struct workload_run *run, const struct tally *tally)
{
	char text[256];

	if (!is_throttled(run, "owner"))
		return;
	snprintf(
		text, sizeof(text),
		"The owner had used a quota (%llu us) and what its CPU keeps (%u us) in its section "
		"when the donor came in %llu of %llu waits; its cgroup was throttled in %llu of "
		"%llu samples",
		(unsigned long long)number(run, "quota_us"), KEPT_US,
		(unsigned long long)tally->used_up, (unsigned long long)tally->contended,
		(unsigned long long)tally->throttled, (unsigned long long)tally->samples);
	judge(run, "owner_throttled",
	      has_enough_contention(tally->used_up, tally->contended) &&
		      has_enough_contention(tally->throttled, tally->samples),
	      tally->throttled, tally->samples, text);
}

/* A donor that is charged for its owner is throttled; whether it is charged is the kernel's. */
static void judge_donor(struct workload_run *run, const struct tally *tally)
{
	char text[256];

	if (!is_throttled(run, "donor"))
		return;
	snprintf(
		text, sizeof(text),
		"When the donor came the owner still needed more than a quota of the donor's (%llu "
		"us) in %llu of %llu waits; the donor's cgroup was throttled in %llu periods",
		(unsigned long long)number(run, "quota_us"), (unsigned long long)tally->overcharged,
		(unsigned long long)tally->contended, (unsigned long long)tally->donor.periods);
	judge(run, "donor_overcharged", has_enough_contention(tally->overcharged, tally->contended),
	      tally->overcharged, tally->contended, text);
}

static void judge_subject(struct workload_run *run, const struct tally *tally)
{
	bool is_on = run->proxy_exec == PROXY_EXEC_ON ||
		     (run->proxy_exec == PROXY_EXEC_UNKNOWN &&
		      run->proxy_exec_request == PROXY_EXEC_ASKED_ON);
	char text[256];

	snprintf(text, sizeof(text),
		 "The donor slept on a lock that the owner held in %llu of %llu samples",
		 (unsigned long long)tally->contended, (unsigned long long)tally->samples);
	judge(run, "donor_blocked", has_enough_contention(tally->contended, tally->samples),
	      tally->contended, tally->samples, text);
	judge_owner(run, tally);
	judge_donor(run, tally);
	snprintf(text, sizeof(text),
		 "The kernel says that proxy execution is %s; in %llu of %llu waits the sleeping "
		 "donor was charged for the owner's time or moved to its runqueue (%llu looks)",
		 proxy_exec_state_name(run->proxy_exec), (unsigned long long)tally->lent,
		 (unsigned long long)tally->contended, (unsigned long long)tally->looks);
	judge(run, "proxying",
	      is_proxying_as_expected(run->proxy_exec, run->proxy_exec_request, tally->lent,
				      tally->contended),
	      tally->lent, is_on ? tally->contended : 0, text);
}

static double factor_of(struct tally *tally)
{
	return reservoir_median(&tally->factors) / 1000;
}

static void judge_controls(struct workload_run *run, struct throttle *state)
{
	struct tally *pi = &state->tallies[SUBJECT_PI_FUTEX];
	struct tally *plain = &state->tallies[SUBJECT_PLAIN_FUTEX];
	double bound = unbounded_factor((double)number(run, "quota_us") /
					(double)number(run, "period_us"));
	char text[256];

	snprintf(
		text, sizeof(text),
		"Behind a plain futex of a throttled owner the wait was %.2f times what it needed in "
		"the median of %llu of %llu samples: at least %.2f shows that the quota bites",
		factor_of(plain), (unsigned long long)plain->contended,
		(unsigned long long)plain->samples, bound);
	judge(run, "quota_bites",
	      has_enough_contention(plain->contended, plain->samples) && factor_of(plain) >= bound,
	      plain->contended, plain->samples, text);
	snprintf(
		text, sizeof(text),
		"Behind a PI futex of a throttled owner the wait was %.2f times what it needed in "
		"the median of %llu of %llu samples: at most %.2f shows that it can be bounded here",
		factor_of(pi), (unsigned long long)pi->contended, (unsigned long long)pi->samples,
		BOUNDED_FACTOR);
	judge(run, "pi_bounded",
	      has_enough_contention(pi->contended, pi->samples) && factor_of(pi) <= BOUNDED_FACTOR,
	      pi->contended, pi->samples, text);
	if (pi->contended)
		result_set_scalar(run->result, "pi_futex_factor", factor_of(pi));
	if (plain->contended)
		result_set_scalar(run->result, "plain_futex_factor", factor_of(plain));
}

static void set_throttling(struct workload_run *run, const char *periods, const char *ns,
			   const struct cgroup_throttling *throttling, uint64_t samples)
{
	result_set_scalar(run->result, periods, (double)throttling->periods / (double)samples);
	result_set_scalar(run->result, ns, (double)throttling->time_us * 1000 / (double)samples);
}

static void conclude(struct workload_run *run, struct throttle *state)
{
	struct tally *tally = &state->tallies[SUBJECT_F_POS];

	result_set_counter(run->result, "uncontended_samples", tally->samples - tally->contended);
	result_set_counter(run->result, "long_waits", tally->long_waits);
	if (tally->contended) {
		result_set_scalar(run->result, "inversion_factor", factor_of(tally));
		result_set_scalar(run->result, "inversion_factor_max",
				  (double)tally->factors.max / 1000);
		result_set_scalar(run->result, "owner_share",
				  (double)tally->owner_ns / (double)tally->wait_ns);
	}
	set_throttling(run, "owner_throttled_periods", "owner_throttled_ns", &tally->owner,
		       tally->samples);
	set_throttling(run, "donor_throttled_periods", "donor_throttled_ns", &tally->donor,
		       tally->samples);
	judge_subject(run, tally);
	judge_controls(run, state);
}

static int measure(struct workload_run *run)
{
	struct throttle *state = run->state;
	unsigned int done = 0, total = 0, rounds = 0;

	for (int i = 0; i < SUBJECTS; i++) {
		total += state->n_samples[i];
		if (state->n_samples[i] > rounds)
			rounds = state->n_samples[i];
	}
	for (unsigned int k = 0; k < rounds; k++) {
		for (int i = 0; i < SUBJECTS; i++) {
			int err;

			if (k >= state->n_samples[i])
				continue;
			if (*run->stop)
				return -EINTR;
			err = stage(run, state, i, k);
			if (err)
				return err;
			run->progress(run->progress_context, ++done, total);
		}
	}
	conclude(run, state);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	struct throttle *state = run->state;

	if (!state)
		return;
	for (unsigned int i = 0; i < state->n_locks; i++)
		state->locks[i].ops->release(&state->locks[i]);
	free(state);
}

static const char *const kernel_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE",
					     "CONFIG_FUTEX_PI", "CONFIG_CFS_BANDWIDTH", NULL};

const struct workload workload_cgroup_throttle = {
	.name = "cgroup-throttle",
	.summary =
		"how long a waiter waits for a lock whose owner's cgroup has used up its cpu.max",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 2,
		  .kernel_options = kernel_options,
		  .files = staged_inversion_files},
	.placements = (1u << PLACEMENT_KINDS) - 1,
	.check = check,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
