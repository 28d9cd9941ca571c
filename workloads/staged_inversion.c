// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/staged_inversion.h"
#include "workloads/staged_state.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "measure/node_memory.h"
#include "measure/random.h"
#include "workloads/episode.h"
#include "workloads/inversion.h"
#include "workloads/lock.h"
#include "workloads/weak_cgroup.h"

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

/* From the episode's start to the owner's: the roles are ready, they only have to fall asleep. */
#define LEAD_NS UINT64_C(2000000)

/* A cgroup weight of 100 is nice 0: this is what nice 10 is in it, 110 of 1024. */
#define WEAK_CPU_WEIGHT 11

/* 1 ms, the least quota that the kernel takes, in 20 ms: the share of nice 10 against two hogs. */
#define WEAK_QUOTA_US  1000
#define WEAK_PERIOD_US 20000

/* In the middle of the range, so that neither the watch's nor the kernel's own threads matter. */
#define DONOR_PRIORITY 50

/* The kernel lock is the workload's choice; the others are the controls. */
static const struct lock_ops *const subject_ops[SUBJECTS] = {
	[SUBJECT_PI_FUTEX] = &lock_pi_futex,
	[SUBJECT_PLAIN_FUTEX] = &lock_plain_futex,
};
static const char *const subject_waits[SUBJECTS] = {
	[SUBJECT_KERNEL] = "donor_wait_ns",
	[SUBJECT_PI_FUTEX] = "pi_futex_wait_ns",
	[SUBJECT_PLAIN_FUTEX] = "plain_futex_wait_ns",
};

/* The workload that is staged; from the beginning of setup on. */
static const struct workload *workload_of(const struct workload_run *run)
{
	const struct inversion *inversion = run->state;

	return inversion->staged->workload;
}

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(workload_of(run), run, name);
}

static bool is_chosen(const struct workload_run *run, const char *name, const char *value)
{
	return !strcmp(workload_choice(workload_of(run), run, name), value);
}

static struct task_class donor_class(const struct workload_run *run)
{
	uint64_t section_ns = number(run, "section_us") * 1000;

	if (is_chosen(run, "donor", "nice"))
		return (struct task_class){.policy = SCHED_OTHER, .nice = -20};
	if (is_chosen(run, "donor", "deadline"))
		/*
		 * A donor pays for what its owner executes: three sections (and a millisecond
		 * for itself) are never used up, in a period that leaves half of the CPU.
		 */
		return (struct task_class){.policy = SCHED_DEADLINE,
					   .runtime_ns = section_ns * 3 + 1000000,
					   .deadline_ns = section_ns * 6 + 2000000,
					   .period_ns = section_ns * 6 + 2000000};
	return (struct task_class){.policy = SCHED_FIFO, .priority = DONOR_PRIORITY};
}

/*
 * The calling thread conducts and watches. It has a CPU to itself where there is one; else the
 * donor's, which is idle while the donor waits; else it must come before the donor's class.
 */
static int place_conductor(struct workload_run *run)
{
	static const struct task_class above = {.policy = SCHED_FIFO,
						.priority = DONOR_PRIORITY + 10};
	const struct placement *placement = run->placement;
	int err;

	if (placement->observer_cpu >= 0)
		return task_pin(placement->observer_cpu);
	err = task_pin(placement->donor_cpu);
	if (err || placement->donor_cpu != placement->owner_cpu)
		return err;
	if (is_chosen(run, "donor", "deadline")) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "with one CPU nobody can watch a SCHED_DEADLINE donor wait; "
				   "take donor=fifo or a machine with two CPUs");
		return -EOPNOTSUPP;
	}
	return task_class_set(&above);
}

static int make_weak_owner(struct workload_run *run, struct inversion *inversion)
{
	struct episode_roles *roles = &inversion->roles;
	bool is_throttled = is_chosen(run, "owner", "throttled");
	unsigned int owner_weight = nice_weight((int)number(run, "owner_nice"));
	int err;

	if (is_chosen(run, "owner", "nice")) {
		roles->owner.nice = (int)number(run, "owner_nice");
		inversion->share = fair_share(owner_weight, roles->hogs, nice_weight(0));
		return 0;
	}
	inversion->share = is_throttled ? (double)WEAK_QUOTA_US / WEAK_PERIOD_US
					: fair_share(WEAK_CPU_WEIGHT, roles->hogs, 100);
	err = weak_cgroup_make(run->cgroup, "weak", is_throttled ? 0 : WEAK_CPU_WEIGHT,
			       WEAK_QUOTA_US, WEAK_PERIOD_US, inversion->weak_cgroup,
			       sizeof(inversion->weak_cgroup));
	if (err) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "owner=%s needs a cgroup v2 hierarchy with the cpu controller "
				   "(%s); mount one, or take owner=nice",
				   workload_choice(workload_of(run), run, "owner"), strerror(-err));
		return -EOPNOTSUPP;
	}
	roles->owner_cgroup = inversion->weak_cgroup;
	if (is_throttled)
		/* What an episode overdrew is paid back first, a quota per period, then one for its
		 * start. */
		roles->lead_ns +=
			(number(run, "section_us") / WEAK_QUOTA_US + 2) * WEAK_PERIOD_US * 1000;
	return 0;
}

struct calibration {
	struct lock *lock;
	int cpu;
	bool is_begun;
	int err;
};

static void *calibrate(void *argument)
{
	struct calibration *calibration = argument;

	calibration->err = task_pin(calibration->cpu);
	if (calibration->err)
		return NULL;
	calibration->is_begun = true;
	calibration->err = calibration->lock->ops->init(calibration->lock);
	return NULL;
}

/* Why a lock cannot be made: something that this kernel, machine or user lacks, or a failure. */
static void describe_no_lock(struct workload_run *run, const struct lock *lock, int cpu, int err)
{
	unsigned long long section_us = (unsigned long long)lock->section_ns / 1000;
	bool is_lacking = err == -EPERM || err == -EACCES || err == -ENOENT || err == -ENOSYS ||
			  err == -ENODEV || err == -EAFNOSUPPORT || err == -EMFILE ||
			  err == -ENOSPC;

	if (err == -ERANGE)
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "no %s section can be as long as %llu us here; take a shorter "
				   "one (section_us)",
				   lock->ops->name, section_us);
	else if (is_lacking && lock->ops->needs)
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "a %s section cannot be staged here: %s; it takes %s",
				   lock->ops->name, strerror(-err), lock->ops->needs);
	else
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "cannot make a %s section of %llu us on CPU %d: %s",
				   lock->ops->name, section_us, cpu,
				   err == -EAGAIN ? "its length does not settle within a fifth: "
						    "the machine is too busy with something else"
						  : strerror(-err));
}

static const struct lock_ops *ops_of(const struct workload_run *run,
				     const struct inversion *inversion, enum subject subject)
{
	if (subject != SUBJECT_KERNEL)
		return subject_ops[subject];
	return inversion->staged->kernel_lock ? inversion->staged->kernel_lock(run) : &lock_f_pos;
}

/* In a thread of its own: a lock is fitted on the owner's CPU, and nobody else's place changes. */
static int make_lock(struct workload_run *run, struct inversion *inversion, enum subject subject)
{
	struct lock *lock = &inversion->locks[subject];
	struct calibration calibration = {.lock = lock, .cpu = run->placement->owner_cpu};
	pthread_attr_t attributes;
	pthread_t thread;
	int err;

	lock->ops = ops_of(run, inversion, subject);
	lock->spare_cpu = inversion->spare_cpu;
	err = -pthread_attr_init(&attributes);
	if (err)
		return err;
	pthread_attr_setstacksize(&attributes, EPISODE_STACK_BYTES);
	err = -pthread_create(&thread, &attributes, calibrate, &calibration);
	pthread_attr_destroy(&attributes);
	if (err)
		return err;
	pthread_join(thread, NULL);
	/* release() follows a failed init too, but not one that never began. */
	inversion->is_made[subject] = calibration.is_begun;
	if (calibration.err)
		describe_no_lock(run, lock, calibration.cpu, calibration.err);
	return calibration.err;
}

static int make_locks(struct workload_run *run, struct inversion *inversion)
{
	const struct lock *kernel_lock = &inversion->locks[SUBJECT_KERNEL];
	uint64_t section_ns = number(run, "section_us") * 1000;
	int err = 0;

	for (int i = 0; !err && i < SUBJECTS; i++) {
		/* The controls compute for as long as the subject turned out to. */
		inversion->locks[i].section_ns = section_ns;
		err = make_lock(run, inversion, i);
		section_ns = inversion->locks[i].section_ns;
	}
	if (err)
		return err;
	result_add_fact(run->result, "section_cpu_ns", (double)section_ns);
	if (kernel_lock->ops->size_fact)
		result_add_fact(run->result, kernel_lock->ops->size_fact,
				(double)kernel_lock->section_size);
	return 0;
}

/*
 * The first CPU that the process may use and no role has: the last is the runner's. Before the
 * conductor is pinned.
 */
static int spare_cpu(const struct placement *placement)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && cpu != placement->owner_cpu &&
		    cpu != placement->donor_cpu && cpu != placement->observer_cpu)
			return cpu;
	return -1;
}

/*
 * Makes the locks in memory of the owner's node, which reads and writes what its section copies,
 * and finds out whether the nodes of both roles have memory to bind to.
 */
static int make_local_locks(struct workload_run *run, struct inversion *inversion)
{
	int donor = node_memory_bind(run->placement->donor_node);
	int owner = node_memory_bind(run->placement->owner_node);
	int err = owner < 0 ? owner : donor < 0 ? donor : make_locks(run, inversion);

	inversion->is_memory_bound = owner > 0 && donor > 0;
	owner = node_memory_bind(-1);
	return err ? err : owner;
}

static void make_samples(struct workload_run *run, struct inversion *inversion)
{
	static const char *const seeds[SUBJECTS] = {"f_pos", "pi-futex", "plain-futex"};
	unsigned int min = (unsigned int)number(run, "phase_min_percent") * 10;
	unsigned int max = (unsigned int)number(run, "phase_max_percent") * 10;

	for (int i = 0; i < SUBJECTS; i++) {
		struct tally *tally = &inversion->tallies[i];
		unsigned int n = (unsigned int)number(run, i ? "control_samples" : "samples");

		inversion->n_samples[i] = n;
		tally->wait = result_histogram(run->result, subject_waits[i]);
		phase_plan_init(&tally->phases, random_seed_for(run->seed, seeds[i]), n, min, max);
		reservoir_init(&tally->factors, random_seed_for(run->seed, subject_waits[i]));
	}
}

static int prepare(struct lock *lock, bool is_to_sleep)
{
	int err = lock->ops->prepare ? lock->ops->prepare(lock) : 0;

	return err || !is_to_sleep ? err : lock->ops->arm(lock);
}

/* Once, so that a kernel that cannot do it says so before anything is measured. */
static int try_to_arm(struct workload_run *run, struct inversion *inversion)
{
	for (int i = 0; i < SUBJECTS; i++) {
		struct lock *lock = &inversion->locks[i];
		int err = prepare(lock, true);

		if (!err)
			continue;
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "the owner of a %s cannot be put to sleep in its section: %s; "
				   "it takes %s",
				   lock->ops->name, strerror(-err), lock->ops->needs);
		return -EOPNOTSUPP;
	}
	return 0;
}

static void set_roles(const struct workload_run *run, struct inversion *inversion)
{
	inversion->fifo = (struct task_class){.policy = SCHED_FIFO, .priority = DONOR_PRIORITY};
	inversion->roles = (struct episode_roles){
		.owner_cpu = run->placement->owner_cpu,
		.donor_cpu = run->placement->donor_cpu,
		.has_nodes = true,
		.owner_node = run->placement->owner_node,
		.donor_node = run->placement->donor_node,
		.owner = {.policy = SCHED_OTHER},
		.hog = {.policy = SCHED_OTHER},
		.donor = donor_class(run),
		.hogs = (unsigned int)number(run, "hogs"),
		.is_conductor_in_the_way = run->placement->observer_cpu < 0 &&
					   run->placement->donor_cpu == run->placement->owner_cpu,
		.compute_after_ns = number(run, "compute_after_us") * 1000,
		.lead_ns = LEAD_NS,
		.limit_ns = number(run, "limit_ms") * 1000000,
	};
}

int staged_inversion_setup(struct workload_run *run, const struct staged_inversion *staged)
{
	struct inversion *inversion = calloc(1, sizeof(*inversion));
	int err;

	if (!inversion)
		return -ENOMEM;
	inversion->staged = staged;
	inversion->spare_cpu = spare_cpu(run->placement);
	run->state = inversion;
	inversion->random.state = random_seed_for(run->seed, "gaps");
	set_roles(run, inversion);
	make_samples(run, inversion);
	err = place_conductor(run);
	if (!err)
		err = make_weak_owner(run, inversion);
	if (!err)
		err = make_local_locks(run, inversion);
	/* Now everything is there: no page is missing once the load runs. */
	if (!err && mlockall(MCL_CURRENT))
		err = -errno;
	if (!err && staged->owner_sleeps)
		err = try_to_arm(run, inversion);
	return err;
}

static void record(struct workload_run *run, struct inversion *inversion, enum subject subject,
		   const struct episode_sample *sample)
{
	struct tally *tally = &inversion->tallies[subject];
	bool needs_sleep;
	uint64_t factor;

	tally->samples++;
	tally->homed += sample->owner_memory_node == run->placement->owner_node &&
			sample->donor_memory_node == run->placement->donor_node;
	inversion->owner_memory_node = sample->owner_memory_node;
	inversion->donor_memory_node = sample->donor_memory_node;
	tally->looks += sample->looks;
	tally->awake += is_lock_held(sample) && !is_donor_blocked(sample);
	tally->slept += is_owner_asleep(sample);
	tally->priorities += sample->owner_priority && sample->owner_priority_after;
	tally->boosts_left += sample->owner_priority && sample->owner_priority_after &&
			      sample->owner_priority_after != sample->owner_priority;
	tally->io_waits += is_owner_asleep(sample) && sample->io_waiters > inversion->io_waiters;
	/* A control's wait counts however it was passed. */
	needs_sleep = subject == SUBJECT_KERNEL && !inversion->locks[subject].ops->is_spun_on;
	if (!(needs_sleep ? is_donor_blocked(sample) : is_lock_held(sample)) ||
	    !inversion_factor_permille(sample->wait_ns, inversion_remaining_ns(sample), &factor))
		return;
	histogram_record(tally->wait, sample->wait_ns);
	reservoir_record(&tally->factors, factor);
	tally->contended++;
	tally->unbounded += !is_wait_bounded(sample->wait_ns, inversion_remaining_ns(sample), 1,
					     inversion->roles.donor.policy == SCHED_OTHER);
	tally->wait_ns += sample->wait_ns;
	tally->owner_ns += sample->owner_departure_ns - sample->owner_arrival_ns;
	tally->hogs_ns += sample->hogs_wait_ns;
	tally->lent += sample->is_lent;
	tally->moved += sample->is_moved;
	tally->watched += sample->looks >= 2;
	if (subject == SUBJECT_KERNEL)
		histogram_record(result_histogram(run->result, "inversion_factor_permille"),
				 factor);
}

/*
 * The load comes @permille into the section, or into the sleep that the section begins with, and
 * the donor soon after it.
 */
static void draw_timing(const struct workload_run *run, struct inversion *inversion,
			unsigned int permille, uint64_t section_ns, struct episode_timing *timing)
{
	uint64_t sleep_ns = inversion->staged->owner_sleeps ? number(run, "sleep_us") * 1000 : 0;

	timing->load_after_ns = (sleep_ns ? sleep_ns : section_ns) * permille / 1000;
	timing->donor_after_ns =
		timing->load_after_ns + STAGED_GAP_LEAST_NS +
		random_below(&inversion->random, STAGED_GAP_MOST_NS - STAGED_GAP_LEAST_NS);
	timing->wake_after_ns = sleep_ns;
}

static int stage(struct workload_run *run, struct inversion *inversion, enum subject subject,
		 unsigned int k)
{
	struct lock *lock = &inversion->locks[subject];
	struct episode_roles roles = inversion->roles;
	struct episode_timing timing;
	struct episode_sample sample;
	int err;

	if (subject != SUBJECT_KERNEL)
		roles.donor = inversion->fifo;
	draw_timing(run, inversion, phase_plan_next(&inversion->tallies[subject].phases),
		    lock->section_ns, &timing);
	err = prepare(lock, timing.wake_after_ns > 0);
	if (!err)
		err = episode_run(&roles, &timing, lock, &sample);
	if (err) {
		result_set_outcome(
			run->result, OUTCOME_FAILED,
			err == -ETIME || err == -ETIMEDOUT
				? "sample %u of %s was not over after %llu ms (limit_ms)"
				: "sample %u of %s could not be staged within %llu ms: %s",
			k, lock->ops->name, (unsigned long long)roles.limit_ns / 1000000,
			strerror(-err));
		return err;
	}
	record(run, inversion, subject, &sample);
	return 0;
}

int staged_inversion_measure(struct workload_run *run)
{
	struct inversion *inversion = run->state;
	unsigned int done = 0, total = 0, rounds = 0;

	staged_read_books(inversion);

	for (int i = 0; i < SUBJECTS; i++) {
		total += inversion->n_samples[i];
		if (inversion->n_samples[i] > rounds)
			rounds = inversion->n_samples[i];
	}
	for (unsigned int k = 0; k < rounds; k++) {
		for (int i = 0; i < SUBJECTS; i++) {
			int err;

			if (k >= inversion->n_samples[i])
				continue;
			if (*run->stop)
				return -EINTR;
			err = stage(run, inversion, i, k);
			if (err)
				return err;
			run->progress(run->progress_context, ++done, total);
		}
	}
	staged_conclude(run, inversion);
	return 0;
}

void staged_inversion_cleanup(struct workload_run *run)
{
	struct inversion *inversion = run->state;

	if (!inversion)
		return;
	for (int i = 0; i < SUBJECTS; i++)
		if (inversion->is_made[i])
			inversion->locks[i].ops->release(&inversion->locks[i]);
	free(inversion);
}

/*
 * The kernel admits a SCHED_DEADLINE thread only with the whole root domain for its affinity
 * (__sched_setscheduler() in kernel/sched/syscalls.c), unless admission control is off: and a
 * placement is an affinity.
 */
const char *const *staged_inversion_knobs(const struct workload *workload,
					  const struct workload_run *run)
{
	static const char *const no_admission[] = {"/proc/sys/kernel/sched_rt_runtime_us", "-1",
						   NULL};

	return strcmp(workload_choice(workload, run, "donor"), "deadline") ? NULL : no_admission;
}

int staged_inversion_check_phases(const struct workload *workload, const char *const *values,
				  char *error, size_t error_size)
{
	const struct workload_run run = {.values = values};
	uint64_t min = workload_number(workload, &run, "phase_min_percent");
	uint64_t max = workload_number(workload, &run, "phase_max_percent");

	if (min < max)
		return 0;
	snprintf(error, error_size,
		 "%s: phase_min_percent (%llu) must be below phase_max_percent (%llu)",
		 workload->name, (unsigned long long)min, (unsigned long long)max);
	return -EINVAL;
}

const char *const staged_inversion_owners[] = {"nice", "cgroup", "throttled", NULL};
const char *const staged_inversion_donors[] = {"fifo", "nice", "deadline", NULL};
const char *const staged_inversion_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE",
						"CONFIG_FUTEX_PI", NULL};
const char *const staged_inversion_files[] = {"/proc/self/sched", NULL};
