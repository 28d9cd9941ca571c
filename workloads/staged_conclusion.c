// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/staged_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/health.h"
#include "measure/io_wait.h"
#include "workloads/inversion.h"
#include "workloads/judge.h"

/* The wait of the positive control over what was needed: bounded is what the limit for
 * proxy execution is. */
#define BOUNDED_FACTOR 1.5

void staged_read_books(struct inversion *inversion)
{
	/* A page that is stuck for the first sample is nobody's wait yet. */
	inversion->has_uninterruptible =
		health_excess_uninterruptible("", &inversion->uninterruptible);
	inversion->has_io_waiters = !io_wait_read_settled(0, &inversion->io_waiters);
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
 * Whether a kernel with proxy execution lends to an owner that slept, or behind what is not a
 * mutex, depends on the kernel: then it may do so, but not now this and now that.
 */
static bool is_lending_plausible(const struct workload_run *run, const struct inversion *inversion,
				 const struct tally *tally)
{
	const struct lock_ops *ops = inversion->locks[SUBJECT_KERNEL].ops;
	enum proxy_exec_request request = run->proxy_exec_request;
	enum proxy_exec_state state = run->proxy_exec;

	if ((inversion->staged->owner_sleeps || !ops->is_mutex) &&
	    is_proxy_execution_promised(run)) {
		state = PROXY_EXEC_UNKNOWN;
		request = PROXY_EXEC_NOT_NAMED;
	}
	return is_proxying_as_expected(state, request, tally->lent, tally->contended);
}

static void judge_proxying(struct workload_run *run, const struct inversion *inversion,
			   const struct tally *tally)
{
	const struct lock_ops *ops = inversion->locks[SUBJECT_KERNEL].ops;
	bool is_on = is_proxy_execution_promised(run);
	char text[256];

	snprintf(text, sizeof(text),
		 "The kernel says that proxy execution is %s%s; in %llu of %llu waits the sleeping "
		 "donor was charged for the owner's time or moved to the owner's runqueue (%llu "
		 "looks)",
		 proxy_exec_state_name(run->proxy_exec),
		 ops->is_mutex ? "" : ", and this lock is not a mutex",
		 (unsigned long long)tally->lent, (unsigned long long)tally->contended,
		 (unsigned long long)tally->looks);
	judge(run, "proxying", is_lending_plausible(run, inversion, tally), tally->lent,
	      is_on && ops->is_mutex ? tally->contended : 0, text);
}

/*
 * How much was lent, and how much where nobody should lend anything: with proxy execution off, and
 * behind what is not a mutex. "Nothing" says something only of a donor that was looked at.
 */
static void conclude_lending(struct workload_run *run, const struct inversion *inversion,
			     const struct tally *tally)
{
	const struct lock_ops *ops = inversion->locks[SUBJECT_KERNEL].ops;
	bool may_lend = ops->is_mutex && run->proxy_exec != PROXY_EXEC_OFF &&
			run->proxy_exec != PROXY_EXEC_ABSENT;
	char text[160];

	if (tally->contended)
		result_set_scalar(run->result, "lending_share",
				  (double)tally->lent / (double)tally->contended);
	result_set_invariant(run->result, "stray_lending", may_lend ? 0 : tally->lent,
			     may_lend ? 0 : tally->contended);
	if (ops->is_spun_on)
		return;
	snprintf(text, sizeof(text),
		 "The sleeping donor was looked at more than once in %llu of %llu waits",
		 (unsigned long long)tally->watched, (unsigned long long)tally->contended);
	judge(run, "donor_watched", tally->watched * 2 >= tally->contended && tally->watched,
	      tally->watched, tally->contended, text);
}

static double median_factor(struct tally *tally)
{
	return reservoir_median(&tally->factors) / 1000;
}

/* How many of @tally's factors are at least @factor. */
static uint64_t count_above(const struct tally *tally, double factor)
{
	return reservoir_count_from(&tally->factors, (uint64_t)ceil(factor * 1000));
}

/* What a control showed, or that it could not show anything. */
static void describe_control(struct tally *tally, const char *lock, const char *meaning, char *text,
			     size_t size)
{
	if (has_enough_contention(tally->contended, tally->samples))
		snprintf(text, size,
			 "Behind a %s the donor's wait was %.2f times what the owner needed in "
			 "the median: %s",
			 lock, median_factor(tally), meaning);
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
		      median_factor(plain) >= bound,
	      count_above(plain, bound), plain->samples, text);
	snprintf(meaning, sizeof(meaning), "at most %.2f shows that the wait can be bounded here",
		 BOUNDED_FACTOR);
	describe_control(pi, "PI futex", meaning, text, sizeof(text));
	judge(run, "pi_bounded",
	      has_enough_contention(pi->contended, pi->samples) &&
		      median_factor(pi) <= BOUNDED_FACTOR,
	      pi->contended - count_above(pi, BOUNDED_FACTOR), pi->samples, text);
	result_add_fact(run->result, "owner_fair_share", inversion->share);
}

static void conclude_control(struct workload_run *run, struct tally *tally, const char *metric)
{
	if (tally->contended)
		result_set_scalar(run->result, metric, median_factor(tally));
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

static void judge_io_wait(struct workload_run *run, const struct tally *tally)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "The kernel counted the sleeping owner among those that wait for I/O in %llu of "
		 "%llu samples",
		 (unsigned long long)tally->io_waits, (unsigned long long)tally->samples);
	judge(run, "owner_waited_for_io", has_enough_contention(tally->io_waits, tally->samples),
	      tally->io_waits, tally->samples, text);
}

/* What the kernel counts is what it counted before. */
static void conclude_books(struct workload_run *run, struct inversion *inversion, uint64_t samples)
{
	long long sum = 0, waiters = 0;

	if (inversion->has_uninterruptible && health_excess_uninterruptible("", &sum))
		result_set_invariant(run->result, "uninterruptible_leak",
				     (uint64_t)llabs(sum - inversion->uninterruptible), samples);
	else
		result_break_metric(run->result, "uninterruptible_leak",
				    "nr_uninterruptible is not to be read: it takes root, and a "
				    "kernel with CONFIG_SCHED_DEBUG and debugfs mounted");
	if (inversion->has_io_waiters && !io_wait_read_settled(inversion->io_waiters, &waiters))
		result_set_invariant(run->result, "iowait_leak",
				     (uint64_t)llabs(waiters - inversion->io_waiters), samples);
	else
		result_break_metric(run->result, "iowait_leak",
				    "procs_blocked of /proc/stat is not to be read");
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

/* Waits are bounded behind a mutex, and who was lent a priority gave it back. */
static void conclude_promises(struct workload_run *run, const struct inversion *inversion)
{
	const struct tally *tally = &inversion->tallies[SUBJECT_KERNEL];
	bool is_mutex = inversion->locks[SUBJECT_KERNEL].ops->is_mutex;
	uint64_t left = 0, owners = 0;

	judge_promise(run, is_mutex ? tally->unbounded : 0, is_mutex ? tally->contended : 0);
	for (int i = 0; i < SUBJECTS; i++) {
		left += inversion->tallies[i].boosts_left;
		owners += inversion->tallies[i].priorities;
	}
	result_set_invariant(run->result, "boosts_left", left, owners);
}

/* What only a section with a sleep in it shows. */
static void conclude_sleep(struct workload_run *run, struct inversion *inversion,
			   const struct tally *tally)
{
	char text[256];

	snprintf(
		text, sizeof(text),
		"The owner was found asleep in its section, and had slept from the donor's arrival "
		"on, when it was woken in %llu of %llu samples",
		(unsigned long long)tally->slept, (unsigned long long)tally->samples);
	judge(run, "owner_slept", has_enough_contention(tally->slept, tally->samples), tally->slept,
	      tally->samples, text);
	if (inversion->locks[SUBJECT_KERNEL].ops->waits_for_io)
		judge_io_wait(run, tally);
	conclude_books(run, inversion, tally->samples);
}

void staged_conclude(struct workload_run *run, struct inversion *inversion)
{
	struct tally *tally = &inversion->tallies[SUBJECT_KERNEL];
	char text[256];

	result_set_counter(run->result, "uncontended_samples", tally->samples - tally->contended);
	if (tally->contended) {
		result_set_scalar(run->result, "inversion_factor", median_factor(tally));
		result_set_scalar(run->result, "inversion_factor_max",
				  (double)tally->factors.max / 1000);
		result_set_scalar(run->result, "owner_share",
				  (double)tally->owner_ns / (double)tally->wait_ns);
		result_set_scalar(run->result, "hog_share",
				  (double)tally->hogs_ns / (double)tally->wait_ns);
	}
	describe_blocking(tally, text, sizeof(text));
	judge(run, "donor_blocked", has_enough_contention(tally->contended, tally->samples),
	      tally->contended, tally->samples, text);
	judge_proxying(run, inversion, tally);
	conclude_promises(run, inversion);
	if (inversion->staged->tells_lending)
		conclude_lending(run, inversion, tally);
	if (inversion->staged->owner_sleeps)
		conclude_sleep(run, inversion, tally);
	conclude_control(run, &inversion->tallies[SUBJECT_PI_FUTEX], "pi_futex_factor");
	conclude_control(run, &inversion->tallies[SUBJECT_PLAIN_FUTEX], "plain_futex_factor");
	judge_controls(run, inversion);
	conclude_memory(run, inversion);
}
