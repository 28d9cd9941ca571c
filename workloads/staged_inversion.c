// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/staged_inversion.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/health.h"
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

/* The wait of the positive control over what was needed: bounded is what the limit for
 * proxy execution is. */
#define BOUNDED_FACTOR 1.5

/* In the middle of the range, so that neither the watch's nor the kernel's own threads matter. */
#define DONOR_PRIORITY 50

enum subject {
	SUBJECT_F_POS,
	SUBJECT_PI_FUTEX,
	SUBJECT_PLAIN_FUTEX,
	SUBJECTS,
};

/* What was found about one kind of lock. */
struct tally {
	struct histogram *wait;
	uint64_t *factors; /* of the contended samples, in thousandths */
	uint64_t samples, contended, lent, moved, looks;
	uint64_t homed; /* samples whose roles had their memory on their nodes */
	uint64_t awake; /* samples with a held lock before which the donor did not sleep */
	uint64_t slept; /* samples whose owner slept from the donor's arrival to its wakeup */
	uint64_t wait_ns, owner_ns, hogs_ns; /* sums over the contended samples */
};

struct inversion {
	const struct staged_inversion *staged;
	struct lock locks[SUBJECTS];
	bool is_made[SUBJECTS];
	struct tally tallies[SUBJECTS];
	unsigned int *phases[SUBJECTS];
	unsigned int n_samples[SUBJECTS];
	struct episode_roles roles; /* with the donor that was asked for */
	struct task_class fifo;	    /* the controls' donor */
	char weak_cgroup[256];
	double share;		   /* the owner's, in competition with the hogs */
	long long uninterruptible; /* the kernel's sum before the first sample */
	bool has_uninterruptible;
	bool is_memory_bound; /* both nodes have memory that the roles are bound to */
	int owner_memory_node, donor_memory_node;
	struct random random;
};

static const struct lock_ops *const subject_ops[SUBJECTS] = {
	[SUBJECT_F_POS] = &lock_f_pos,
	[SUBJECT_PI_FUTEX] = &lock_pi_futex,
	[SUBJECT_PLAIN_FUTEX] = &lock_plain_futex,
};
static const char *const subject_waits[SUBJECTS] = {
	[SUBJECT_F_POS] = "donor_wait_ns",
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
	err = weak_cgroup_make(run->cgroup, is_throttled ? 0 : WEAK_CPU_WEIGHT, WEAK_QUOTA_US,
			       WEAK_PERIOD_US, inversion->weak_cgroup,
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
	int err;
};

static void *calibrate(void *argument)
{
	struct calibration *calibration = argument;

	calibration->err = task_pin(calibration->cpu);
	if (!calibration->err)
		calibration->err = calibration->lock->ops->init(calibration->lock);
	return NULL;
}

/* In a thread of its own: a lock is fitted on the owner's CPU, and nobody else's place changes. */
static int make_lock(struct workload_run *run, struct inversion *inversion, enum subject subject)
{
	struct lock *lock = &inversion->locks[subject];
	struct calibration calibration = {.lock = lock, .cpu = run->placement->owner_cpu};
	pthread_attr_t attributes;
	pthread_t thread;
	int err;

	lock->ops = subject_ops[subject];
	err = -pthread_attr_init(&attributes);
	if (err)
		return err;
	pthread_attr_setstacksize(&attributes, EPISODE_STACK_BYTES);
	err = -pthread_create(&thread, &attributes, calibrate, &calibration);
	pthread_attr_destroy(&attributes);
	if (err)
		return err;
	pthread_join(thread, NULL);
	if (calibration.err) {
		/* release() follows a failed init too, but not one that never began. */
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "cannot make a %s section of %llu us on CPU %d: %s",
				   lock->ops->name, (unsigned long long)lock->section_ns / 1000,
				   calibration.cpu,
				   calibration.err == -EAGAIN
					   ? "its length does not settle within a fifth: the "
					     "machine is too busy with something else"
					   : strerror(-calibration.err));
		return calibration.err;
	}
	inversion->is_made[subject] = true;
	return 0;
}

static int make_locks(struct workload_run *run, struct inversion *inversion)
{
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
	result_add_fact(run->result, "section_bytes",
			(double)inversion->locks[SUBJECT_F_POS].section_bytes);
	return 0;
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

static int make_samples(struct workload_run *run, struct inversion *inversion)
{
	static const char *const seeds[SUBJECTS] = {"f_pos", "pi-futex", "plain-futex"};
	unsigned int min = (unsigned int)number(run, "phase_min_percent") * 10;
	unsigned int max = (unsigned int)number(run, "phase_max_percent") * 10;

	for (int i = 0; i < SUBJECTS; i++) {
		struct tally *tally = &inversion->tallies[i];
		unsigned int n = (unsigned int)number(run, i ? "control_samples" : "samples");

		inversion->n_samples[i] = n;
		inversion->phases[i] = calloc(n, sizeof(*inversion->phases[i]));
		tally->factors = calloc(n, sizeof(*tally->factors));
		tally->wait = result_histogram(run->result, subject_waits[i]);
		if (!inversion->phases[i] || !tally->factors)
			return -ENOMEM;
		inversion_phases(random_seed_for(run->seed, seeds[i]), n, min, max,
				 inversion->phases[i]);
	}
	return 0;
}

/* Once, so that a kernel that cannot do it says so before anything is measured. */
static int try_to_arm(struct workload_run *run, struct inversion *inversion)
{
	for (int i = 0; i < SUBJECTS; i++) {
		struct lock *lock = &inversion->locks[i];
		int err = lock->ops->arm(lock);

		if (!err)
			continue;
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "the owner of a %s cannot be put to sleep in its section: %s; "
				   "it takes a kernel with CONFIG_USERFAULTFD, and root",
				   lock->ops->name, strerror(-err));
		return -EOPNOTSUPP;
	}
	inversion->has_uninterruptible = health_sum_uninterruptible(&inversion->uninterruptible);
	return 0;
}

int staged_inversion_setup(struct workload_run *run, const struct staged_inversion *staged)
{
	struct inversion *inversion = calloc(1, sizeof(*inversion));
	int err;

	if (!inversion)
		return -ENOMEM;
	inversion->staged = staged;
	run->state = inversion;
	inversion->random.state = random_seed_for(run->seed, "gaps");
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
	err = make_samples(run, inversion);
	if (!err)
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
	uint64_t factor;

	tally->samples++;
	tally->homed += sample->owner_memory_node == run->placement->owner_node &&
			sample->donor_memory_node == run->placement->donor_node;
	inversion->owner_memory_node = sample->owner_memory_node;
	inversion->donor_memory_node = sample->donor_memory_node;
	tally->looks += sample->looks;
	tally->awake += is_lock_held(sample) && !is_donor_blocked(sample);
	tally->slept += is_owner_asleep(sample);
	if (!(subject == SUBJECT_F_POS ? is_donor_blocked(sample) : is_lock_held(sample)) ||
	    !inversion_factor_permille(sample->wait_ns, inversion_remaining_ns(sample), &factor))
		return;
	histogram_record(tally->wait, sample->wait_ns);
	tally->factors[tally->contended++] = factor;
	tally->wait_ns += sample->wait_ns;
	tally->owner_ns += sample->owner_departure_ns - sample->owner_arrival_ns;
	tally->hogs_ns += sample->hogs_wait_ns;
	tally->lent += sample->is_lent;
	tally->moved += sample->is_moved;
	if (subject == SUBJECT_F_POS)
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
	int err = 0;

	if (subject != SUBJECT_F_POS)
		roles.donor = inversion->fifo;
	draw_timing(run, inversion, inversion->phases[subject][k], lock->section_ns, &timing);
	if (timing.wake_after_ns)
		err = lock->ops->arm(lock);
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

/* Not held: these figures say nothing, and neither does the section. */
static void judge(struct workload_run *run, const char *name, bool held, uint64_t observed,
		  uint64_t expected, const char *text)
{
	result_add_evidence(run->result, name, held, observed, expected, text);
	if (held)
		return;
	result_break_metric(run->result, "donor_wait_ns", text);
	result_break_metric(run->result, "inversion_factor", text);
	result_break_metric(run->result, "inversion_factor_max", text);
	result_break_metric(run->result, "inversion_factor_permille", text);
	if (result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s", text);
}

/*
 * Whether a kernel with proxy execution lends to an owner that slept depends on the kernel: then it
 * may do so, but not now this and now that.
 */
static bool is_lending_plausible(const struct workload_run *run, const struct inversion *inversion,
				 const struct tally *tally)
{
	enum proxy_exec_request request = run->proxy_exec_request;
	enum proxy_exec_state state = run->proxy_exec;

	if (inversion->staged->owner_sleeps &&
	    (state == PROXY_EXEC_ON ||
	     (state == PROXY_EXEC_UNKNOWN && request == PROXY_EXEC_ASKED_ON))) {
		state = PROXY_EXEC_UNKNOWN;
		request = PROXY_EXEC_NOT_NAMED;
	}
	return is_proxying_as_expected(state, request, tally->lent, tally->contended);
}

static void judge_proxying(struct workload_run *run, const struct inversion *inversion,
			   const struct tally *tally)
{
	bool is_on = run->proxy_exec == PROXY_EXEC_ON ||
		     (run->proxy_exec == PROXY_EXEC_UNKNOWN &&
		      run->proxy_exec_request == PROXY_EXEC_ASKED_ON);
	char text[256];

	snprintf(text, sizeof(text),
		 "The kernel says that proxy execution is %s; in %llu of %llu waits the sleeping "
		 "donor was charged for the owner's time or moved to the owner's runqueue (%llu "
		 "looks)",
		 proxy_exec_state_name(run->proxy_exec), (unsigned long long)tally->lent,
		 (unsigned long long)tally->contended, (unsigned long long)tally->looks);
	judge(run, "proxying", is_lending_plausible(run, inversion, tally), tally->lent,
	      is_on ? tally->contended : 0, text);
}

/* How many of @tally's factors are at least @factor. */
static uint64_t count_above(const struct tally *tally, double factor)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < tally->contended; i++)
		n += (double)tally->factors[i] >= factor * 1000;
	return n;
}

/* What a control showed, or that it could not show anything. */
static void describe_control(const struct tally *tally, const char *lock, const char *meaning,
			     char *text, size_t size)
{
	if (has_enough_contention(tally->contended, tally->samples))
		snprintf(text, size,
			 "Behind a %s the donor's wait was %.2f times what the owner needed in "
			 "the median: %s",
			 lock, median(tally->factors, tally->contended) / 1000, meaning);
	else
		snprintf(text, size,
			 "Behind a %s the donor met a held lock in %llu of %llu samples: too few "
			 "to say anything",
			 lock, (unsigned long long)tally->contended,
			 (unsigned long long)tally->samples);
}

static void judge_controls(struct workload_run *run, struct inversion *inversion)
{
	struct tally *plain = &inversion->tallies[SUBJECT_PLAIN_FUTEX];
	struct tally *pi = &inversion->tallies[SUBJECT_PI_FUTEX];
	double bound = unbounded_factor(inversion->share);
	char meaning[96], text[256];

	snprintf(meaning, sizeof(meaning), "at least %.2f shows that the hogs got in between",
		 bound);
	describe_control(plain, "plain futex", meaning, text, sizeof(text));
	judge(run, "hogs_interposed",
	      has_enough_contention(plain->contended, plain->samples) &&
		      median(plain->factors, plain->contended) / 1000 >= bound,
	      count_above(plain, bound), plain->samples, text);
	snprintf(meaning, sizeof(meaning), "at most %.2f shows that the wait can be bounded here",
		 BOUNDED_FACTOR);
	describe_control(pi, "PI futex", meaning, text, sizeof(text));
	judge(run, "pi_bounded",
	      has_enough_contention(pi->contended, pi->samples) &&
		      median(pi->factors, pi->contended) / 1000 <= BOUNDED_FACTOR,
	      pi->contended - count_above(pi, BOUNDED_FACTOR), pi->samples, text);
	result_add_fact(run->result, "owner_fair_share", inversion->share);
}

static void conclude_control(struct workload_run *run, struct tally *tally, const char *metric)
{
	if (tally->contended)
		result_set_scalar(run->result, metric,
				  median(tally->factors, tally->contended) / 1000);
}

static void describe_blocking(const struct tally *tally, char *text, size_t size)
{
	int length = snprintf(
		text, size, "The donor slept on a lock that the owner held in %llu of %llu samples",
		(unsigned long long)tally->contended, (unsigned long long)tally->samples);

	if (tally->awake && !has_enough_contention(tally->contended, tally->samples))
		snprintf(text + length, size - (size_t)length,
			 "; in %llu the lock was held and it did not sleep (it spun, or the "
			 "owner was soon through): take longer sections (section_us)",
			 (unsigned long long)tally->awake);
}

/* Each thread's memory is where its CPU is, or, on a node without any, wherever it was found. */
static void conclude_memory(struct workload_run *run, struct inversion *inversion)
{
	unsigned int homed = 0, samples = 0;
	char text[160];

	if (inversion->owner_memory_node >= 0)
		result_add_fact(run->result, "owner_memory_node", inversion->owner_memory_node);
	if (inversion->donor_memory_node >= 0)
		result_add_fact(run->result, "donor_memory_node", inversion->donor_memory_node);
	if (!inversion->is_memory_bound)
		return;
	for (int i = 0; i < SUBJECTS; i++) {
		homed += inversion->tallies[i].homed;
		samples += inversion->tallies[i].samples;
	}
	snprintf(
		text, sizeof(text),
		"The memory of owner and donor was on nodes %d and %d, as bound, in %u of %u samples",
		run->placement->owner_node, run->placement->donor_node, homed, samples);
	judge(run, "memory_on_node", homed == samples, homed, samples, text);
}

/* What only a section with a sleep in it shows. */
static void conclude_sleep(struct workload_run *run, struct inversion *inversion,
			   const struct tally *tally)
{
	long long sum = 0;
	char text[256];

	snprintf(
		text, sizeof(text),
		"The owner was found asleep in its section, and had slept from the donor's arrival "
		"on, when it was woken in %llu of %llu samples",
		(unsigned long long)tally->slept, (unsigned long long)tally->samples);
	judge(run, "owner_slept", has_enough_contention(tally->slept, tally->samples), tally->slept,
	      tally->samples, text);
	if (tally->contended)
		result_set_scalar(run->result, "lending_share",
				  (double)tally->lent / (double)tally->contended);
	if (inversion->has_uninterruptible && health_sum_uninterruptible(&sum))
		result_set_invariant(run->result, "uninterruptible_leak",
				     (uint64_t)llabs(sum - inversion->uninterruptible),
				     tally->samples);
	else
		result_break_metric(run->result, "uninterruptible_leak",
				    "nr_uninterruptible is not to be read: it takes root, and a "
				    "kernel with CONFIG_SCHED_DEBUG and debugfs mounted");
}

static void conclude(struct workload_run *run, struct inversion *inversion)
{
	struct tally *tally = &inversion->tallies[SUBJECT_F_POS];
	char text[256];

	result_set_counter(run->result, "uncontended_samples", tally->samples - tally->contended);
	if (tally->contended) {
		/* median() leaves them sorted. */
		result_set_scalar(run->result, "inversion_factor",
				  median(tally->factors, tally->contended) / 1000);
		result_set_scalar(run->result, "inversion_factor_max",
				  (double)tally->factors[tally->contended - 1] / 1000);
		result_set_scalar(run->result, "owner_share",
				  (double)tally->owner_ns / (double)tally->wait_ns);
		result_set_scalar(run->result, "hog_share",
				  (double)tally->hogs_ns / (double)tally->wait_ns);
	}
	describe_blocking(tally, text, sizeof(text));
	judge(run, "donor_blocked", has_enough_contention(tally->contended, tally->samples),
	      tally->contended, tally->samples, text);
	judge_proxying(run, inversion, tally);
	if (inversion->staged->owner_sleeps)
		conclude_sleep(run, inversion, tally);
	conclude_control(run, &inversion->tallies[SUBJECT_PI_FUTEX], "pi_futex_factor");
	conclude_control(run, &inversion->tallies[SUBJECT_PLAIN_FUTEX], "plain_futex_factor");
	judge_controls(run, inversion);
	conclude_memory(run, inversion);
}

int staged_inversion_measure(struct workload_run *run)
{
	struct inversion *inversion = run->state;
	unsigned int done = 0, total = 0, rounds = 0;

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
	conclude(run, inversion);
	return 0;
}

void staged_inversion_cleanup(struct workload_run *run)
{
	struct inversion *inversion = run->state;

	if (!inversion)
		return;
	for (int i = 0; i < SUBJECTS; i++) {
		if (inversion->is_made[i])
			inversion->locks[i].ops->release(&inversion->locks[i]);
		free(inversion->phases[i]);
		free(inversion->tallies[i].factors);
	}
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

const char *const staged_inversion_owners[] = {"nice", "cgroup", "throttled", NULL};
const char *const staged_inversion_donors[] = {"fifo", "nice", "deadline", NULL};
const char *const staged_inversion_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE",
						"CONFIG_FUTEX_PI", NULL};
const char *const staged_inversion_files[] = {"/proc/self/sched", NULL};
