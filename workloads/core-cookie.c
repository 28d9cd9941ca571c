// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/files.h"
#include "measure/random.h"
#include "measure/reservoir.h"
#include "measure/sched_trace.h"
#include "workloads/cookie_crew.h"
#include "workloads/cookie_meter.h"
#include "workloads/cpu_list.h"
#include "workloads/episode.h"
#include "workloads/inversion.h"
#include "workloads/judge.h"
#include "workloads/staged_inversion.h"
#include "workloads/traced_lock.h"

/*
 * Does a core execute tasks of two cookies at the same time when a waiter of one lends its context
 * to an owner of the other, and what does the waiter pay for it that it does not?
 * doc/workloads/core-cookie.md has the method.
 */
#define PAGE "doc/workloads/core-cookie.md"

#define LEAD_NS	       UINT64_C(2000000)
#define DONOR_PRIORITY 50
#define OWNER_NICE     10
/* A second of two CPUs that switch every 100 us, several times over. */
#define TRACE_KIB 2048

enum subject { SUBJECT_COOKIES, SUBJECT_CONTROL, SUBJECTS };

struct tally {
	struct histogram *wait;
	struct reservoir waits_ns, factors; /* of the contended samples; factors in thousandths */
	struct phase_plan phases;
	uint64_t samples, contended, lent;
	uint64_t unbounded;  /* contended samples whose wait was not (workloads/inversion.h) */
	uint64_t as_wanted;  /* samples in which the kernel showed the cookies wanted */
	uint64_t overlapped; /* samples with an overlap beyond the switch-over */
	uint64_t whole;	     /* samples whose trace has everything */
	uint64_t violations, beyond_ns, longest_ns;
	uint64_t window_ns, idle_ns;
};

struct state {
	struct traced_lock lock;
	struct sched_trace *trace;
	struct cookie_crew crew;
	struct episode_roles roles;
	int siblings[COOKIE_METER_CPUS]; /* of the owner's core, itself too */
	size_t n_siblings;
	int companion_cpu;
	enum cookie_mode modes[SUBJECTS];
	unsigned int n_samples[SUBJECTS];
	struct tally tallies[SUBJECTS];
	struct random random;
	int owner_memory_node, donor_memory_node; /* of the last sample */
};

static const char *const modes[] = {"on", "one-cookie", "off", NULL};
static const char *const donors[] = {"fifo", "nice", NULL};

static const struct parameter_spec parameters[] = {
	{.name = "core_sched",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "on",
	 .choices = modes,
	 .help = "on: owner and donor have different cookies; one-cookie: the same; off: none"},
	{.name = "donor",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "fifo",
	 .choices = donors,
	 .help = "who waits: SCHED_FIFO, or nice -20"},
	{.name = "hogs",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "2",
	 .min = 1,
	 .max = EPISODE_MAX_HOGS,
	 .help = "nice-0 threads with the owner's cookie that compute on its CPU"},
	{.name = "section_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "6000",
	 .min = 2000,
	 .max = 1000000,
	 .help = "CPU time of the critical section: what is left of it is how long a violation lasts"},
	{.name = "switch_over_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "500",
	 .min = 1,
	 .max = 100000,
	 .help = "so long two cookies may execute on a core, while its other threads are told to switch"},
	{.name = "samples",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "6",
	 .min = 1,
	 .max = 100000,
	 .is_effort = true,
	 .help = "inversions with the cookies asked for"},
	{.name = "control_samples",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "2",
	 .min = 1,
	 .max = 100000,
	 .is_effort = true,
	 .help = "inversions without cookies"},
	{.name = "limit_ms",
	 .unit = "ms",
	 .kind = PARAMETER_NUMBER,
	 .standard = "10000",
	 .min = 10,
	 .max = 600000,
	 .is_effort = true,
	 .help = "a sample that takes longer is a failure"},
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "cookie_violations",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_PRIMARY,
	 .help = "stretches longer than switch_over_us in which tasks of two cookies executed on the owner's core",
	 .source = PAGE "; trace_sched_switch() in kernel/sched/core.c"},
	{.name = "cookie_violation_ns_per_s",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "how long tasks of two cookies shared the core beyond the switch-over, per second",
	 .source = PAGE},
	{.name = "cookie_overlap_longest_ns",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "the longest of these stretches, the switch-over included",
	 .source = PAGE},
	{.name = "donor_wait_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "how long the donor's lseek() took, which slept on f_pos_lock",
	 .source = PAGE "; fdget_pos() in fs/file.c"},
	{.name = "inversion_factor",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "median of the wait over the CPU time that the owner still needed; 1 is the physical limit",
	 .source = PAGE},
	UNBOUNDED_WAITS(PAGE),
	{.name = "forced_idle_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "share of the owner's CPU and its busy sibling that was idle though each had work",
	 .source = PAGE},
	{.name = "no_cookie_wait_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "the donor's wait in the control samples, where nobody has a cookie",
	 .source = PAGE},
	{.name = "cookie_price",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "median wait with the cookies over that without",
	 .source = PAGE},
	{.name = "lending_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "share of the waits in which the sleeping donor was seen to lend its context",
	 .source = PAGE},
	{.name = "uncontended_samples",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "samples in which the donor did not meet a held lock; they are in no wait",
	 .source = PAGE},
	{.name = NULL},
};

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_core_cookie, run, name);
}

static bool is_chosen(const struct workload_run *run, const char *name, const char *value)
{
	return !strcmp(workload_choice(&workload_core_cookie, run, name), value);
}

/* ---- setting up ---- */

/* The owner's core, from the kernel itself: hwloc's view of it chose the placement. */
static int find_core(struct workload_run *run, struct state *state)
{
	const struct placement *placement = run->placement;
	char text[256];
	int count = -ENOENT;

	if (!read_line_at("", text, sizeof(text),
			  "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
			  placement->owner_cpu))
		count = cpu_list_parse(text, state->siblings, COOKIE_METER_CPUS);
	if (count < 2)
		return refuse_section(run,
				      "CPU %d has no SMT sibling that is online; core scheduling "
				      "is about cores with several threads",
				      placement->owner_cpu);
	state->n_siblings = (size_t)count;
	state->companion_cpu = -1;
	for (int i = 0; i < count; i++) {
		if (state->siblings[i] == placement->observer_cpu || placement->observer_cpu < 0)
			return refuse_section(
				run, "core-cookie needs a CPU beside the owner's core, from "
				     "which to watch it");
		if (state->siblings[i] != placement->owner_cpu && state->companion_cpu < 0)
			state->companion_cpu = state->siblings[i];
	}
	if (placement->kind == PLACEMENT_SMT_SIBLING)
		state->companion_cpu = placement->donor_cpu;
	return 0;
}

static int begin_crew(struct workload_run *run, struct state *state)
{
	int err = cookie_crew_begin(&state->crew);

	if (err == -EINVAL)
		return refuse_section(run,
				      "this kernel has no core scheduling (CONFIG_SCHED_CORE)");
	if (err == -ENODEV)
		return refuse_section(run,
				      "this kernel knows of no SMT, and core scheduling needs it");
	return err;
}

static int open_trace(struct workload_run *run, struct state *state)
{
	static const char *const events[] = {"sched_switch", NULL};
	const char *reason;
	int err = sched_trace_open(&state->trace, run->trace, events, TRACE_KIB, &reason);

	if (err)
		result_set_outcome(run->result,
				   err == -EOPNOTSUPP ? OUTCOME_UNSUPPORTED : OUTCOME_FAILED, "%s",
				   reason);
	return err;
}

static int make_lock(struct workload_run *run, struct state *state)
{
	int err = traced_lock_init(&state->lock, &lock_f_pos, number(run, "section_us") * 1000,
				   run->placement->owner_cpu);

	if (err)
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "cannot make a section of %llu us on CPU %d: %s",
				   (unsigned long long)number(run, "section_us"),
				   run->placement->owner_cpu, strerror(-err));
	else
		result_add_fact(run->result, "section_cpu_ns", (double)state->lock.lock.section_ns);
	/* From here on this thread conducts. */
	return err ? err : task_pin(run->placement->observer_cpu);
}

static void make_samples(struct workload_run *run, struct state *state)
{
	bool is_off = is_chosen(run, "core_sched", "off");

	state->modes[SUBJECT_COOKIES] = is_off					     ? COOKIES_NONE
					: is_chosen(run, "core_sched", "one-cookie") ? COOKIES_ONE
										     : COOKIES_TWO;
	state->modes[SUBJECT_CONTROL] = COOKIES_NONE;
	for (int i = 0; i < SUBJECTS; i++) {
		unsigned int n = (unsigned int)number(run, i ? "control_samples" : "samples");
		struct tally *tally = &state->tallies[i];

		state->n_samples[i] = n;
		tally->wait =
			result_histogram(run->result, i ? "no_cookie_wait_ns" : "donor_wait_ns");
		/* The donor comes in the first half: what is left is well beyond the switch-over.
		 */
		phase_plan_init(&tally->phases,
				random_seed_for(run->seed, i ? "control" : "cookies"), n, 100, 500);
		reservoir_init(&tally->factors, random_seed_for(run->seed, "factors"));
		reservoir_init(&tally->waits_ns, random_seed_for(run->seed, "waits"));
	}
}

static int join(void *context, enum episode_part part)
{
	struct state *state = context;

	return cookie_crew_join(&state->crew, part == EPISODE_DONOR ? SIDE_DONOR : SIDE_OWNER);
}

static int setup(struct workload_run *run)
{
	struct state *state = calloc(1, sizeof(*state));
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
		.owner = {.policy = SCHED_OTHER, .nice = OWNER_NICE},
		.hog = {.policy = SCHED_OTHER},
		.donor = is_chosen(run, "donor", "nice")
				 ? (struct task_class){.policy = SCHED_OTHER, .nice = -20}
				 : (struct task_class){.policy = SCHED_FIFO,
						       .priority = DONOR_PRIORITY},
		.hogs = (unsigned int)number(run, "hogs"),
		.on_ready = join,
		.context = state,
		.lead_ns = LEAD_NS,
		.limit_ns = number(run, "limit_ms") * 1000000,
	};
	make_samples(run, state);
	err = find_core(run, state);
	if (!err)
		err = begin_crew(run, state);
	if (!err)
		err = open_trace(run, state);
	if (!err)
		err = make_lock(run, state);
	if (!err && mlockall(MCL_CURRENT))
		err = -errno;
	return err;
}

/* ---- a sample ---- */

/* So that the trace has a switch on each CPU of the core before it matters who executes there. */
static int visit_core(const struct workload_run *run, const struct state *state)
{
	int err = 0;

	for (size_t i = 0; !err && i < state->n_siblings; i++)
		err = task_pin(state->siblings[i]);
	return err ? err : task_pin(run->placement->observer_cpu);
}

static int stage(struct workload_run *run, struct state *state, unsigned int permille,
		 struct episode_sample *sample)
{
	struct episode_timing timing = {
		.load_after_ns = state->lock.lock.section_ns * permille / 1000,
	};
	int err = sched_trace_start(state->trace);

	timing.donor_after_ns =
		timing.load_after_ns + STAGED_GAP_LEAST_NS +
		random_below(&state->random, STAGED_GAP_MOST_NS - STAGED_GAP_LEAST_NS);
	traced_lock_reset(&state->lock);
	if (!err)
		err = visit_core(run, state);
	if (!err)
		err = cookie_crew_start_companion(&state->crew, state->companion_cpu);
	if (!err)
		err = episode_run(&state->roles, &timing, &state->lock.lock, sample);
	cookie_crew_stop_companion(&state->crew);
	return err ? err : sched_trace_stop(state->trace);
}

/* What executed on the core from the owner's start to the donor's return. */
static int read_meter(struct workload_run *run, struct state *state, struct cookie_meter *meter,
		      uint64_t *lost)
{
	int err = cookie_meter_begin(meter, state->siblings, state->n_siblings,
				     state->lock.owner_from_ns, state->lock.donor_to_ns,
				     number(run, "switch_over_us") * 1000);

	if (!err)
		err = cookie_crew_tell(&state->crew, meter);
	if (!err)
		err = sched_trace_read(state->trace, cookie_meter_take, meter, lost);
	cookie_meter_end(meter);
	return err;
}

static void record(struct tally *tally, const struct state *state, const struct cookie_meter *meter,
		   uint64_t lost, const struct episode_sample *sample)
{
	uint64_t factor;

	tally->samples++;
	tally->as_wanted += has_cookies_as_wanted(&state->crew);
	tally->whole += !lost && !meter->blind_ns;
	tally->overlapped += meter->violations > 0;
	tally->violations += meter->violations;
	tally->beyond_ns += meter->beyond_ns;
	if (meter->longest_ns > tally->longest_ns)
		tally->longest_ns = meter->longest_ns;
	tally->window_ns += meter->to_ns - meter->from_ns;
	for (size_t i = 0; i < meter->n_cpus; i++)
		if (meter->cpus[i] == state->roles.owner_cpu ||
		    meter->cpus[i] == state->companion_cpu)
			tally->idle_ns += meter->idle_ns[i];
	if (!is_donor_blocked(sample) ||
	    !inversion_factor_permille(sample->wait_ns, inversion_remaining_ns(sample), &factor))
		return;
	histogram_record(tally->wait, sample->wait_ns);
	reservoir_record(&tally->waits_ns, sample->wait_ns);
	reservoir_record(&tally->factors, factor);
	tally->contended++;
	tally->lent += sample->is_lent;
	tally->unbounded += !is_wait_bounded(sample->wait_ns, inversion_remaining_ns(sample), 1,
					     state->roles.donor.policy == SCHED_OTHER);
}

static int take_sample(struct workload_run *run, struct state *state, enum subject subject,
		       unsigned int k)
{
	struct episode_sample sample;
	struct cookie_meter meter;
	uint64_t lost = 0;
	int err;

	cookie_crew_muster(&state->crew, state->modes[subject]);
	err = stage(run, state, phase_plan_next(&state->tallies[subject].phases), &sample);
	if (!err)
		err = read_meter(run, state, &meter, &lost);
	if (err) {
		result_set_outcome(run->result, OUTCOME_FAILED,
				   err == -ETIME || err == -ETIMEDOUT
					   ? "sample %u was not over after %llu ms (limit_ms)"
					   : "sample %u could not be staged within %llu ms: %s",
				   k, (unsigned long long)state->roles.limit_ns / 1000000,
				   strerror(-err));
		return err;
	}
	state->owner_memory_node = sample.owner_memory_node;
	state->donor_memory_node = sample.donor_memory_node;
	record(&state->tallies[subject], state, &meter, lost, &sample);
	return 0;
}

/* ---- what it says ---- */

static void judge(struct workload_run *run, const char *name, bool held, uint64_t observed,
		  uint64_t expected, const char *text)
{
	judge_evidence(run, &workload_core_cookie, name, held, observed, expected, text);
}

static void judge_staging(struct workload_run *run, const struct state *state)
{
	static const char *const wanted[] = {
		[COOKIES_NONE] = "nobody has a cookie",
		[COOKIES_ONE] = "owner, hogs, donor and companion have the same cookie",
		[COOKIES_TWO] = "owner and hogs have one cookie, donor and companion another",
	};
	const struct tally *tally = &state->tallies[SUBJECT_COOKIES];
	const struct tally *control = &state->tallies[SUBJECT_CONTROL];
	uint64_t samples = tally->samples + control->samples;
	uint64_t whole = tally->whole + control->whole;
	bool is_sibling = state->companion_cpu != state->roles.owner_cpu;
	char text[256];

	snprintf(text, sizeof(text),
		 "The kernel shows (PR_SCHED_CORE_GET) that %s in %llu of %llu samples, and in "
		 "%llu of %llu control samples that nobody has",
		 wanted[state->modes[SUBJECT_COOKIES]], (unsigned long long)tally->as_wanted,
		 (unsigned long long)tally->samples, (unsigned long long)control->as_wanted,
		 (unsigned long long)control->samples);
	judge(run, "cookies_as_wanted",
	      tally->as_wanted == tally->samples && control->as_wanted == control->samples,
	      tally->as_wanted + control->as_wanted, samples, text);
	snprintf(text, sizeof(text),
		 "CPU %d and CPU %d, where a task of the donor's cookie computes, are threads of "
		 "one core of %zu",
		 state->roles.owner_cpu, state->companion_cpu, state->n_siblings);
	judge(run, "smt_siblings", is_sibling, state->n_siblings, 2, text);
	snprintf(text, sizeof(text),
		 "In %llu of %llu samples every switch on the core is in the trace, and who "
		 "executed when the owner set out",
		 (unsigned long long)whole, (unsigned long long)samples);
	judge(run, "trace_whole", whole == samples, whole, samples, text);
}

static void judge_contention(struct workload_run *run, const struct state *state)
{
	const struct tally *tally = &state->tallies[SUBJECT_COOKIES];
	const struct tally *control = &state->tallies[SUBJECT_CONTROL];
	char text[256];

	snprintf(text, sizeof(text),
		 "The donor slept on a lock that the owner held in %llu of %llu samples, and in "
		 "%llu of %llu control samples",
		 (unsigned long long)tally->contended, (unsigned long long)tally->samples,
		 (unsigned long long)control->contended, (unsigned long long)control->samples);
	judge(run, "donor_blocked",
	      has_enough_contention(tally->contended, tally->samples) &&
		      has_enough_contention(control->contended, control->samples),
	      tally->contended, tally->samples, text);
	snprintf(text, sizeof(text),
		 "Without cookies the same tasks were seen to share the core beyond the "
		 "switch-over in %llu of %llu control samples: the meter sees what it looks for",
		 (unsigned long long)control->overlapped, (unsigned long long)control->samples);
	judge(run, "meter_sees_overlap",
	      has_enough_contention(control->overlapped, control->samples), control->overlapped,
	      control->samples, text);
}

/*
 * Where nobody has a cookie proxy execution works as ever. Across cookies a kernel may lend (and
 * then has to keep the core for the owner) or not; with one it has no reason not to.
 */
static void judge_proxying(struct workload_run *run, const struct state *state)
{
	const struct tally *tally = &state->tallies[SUBJECT_COOKIES];
	const struct tally *control = &state->tallies[SUBJECT_CONTROL];
	bool is_two = state->modes[SUBJECT_COOKIES] == COOKIES_TWO;
	bool held = is_proxying_as_expected(run->proxy_exec, run->proxy_exec_request, control->lent,
					    control->contended);
	char text[256];

	if (!is_two || !control->lent)
		held = held && is_proxying_as_expected(run->proxy_exec, run->proxy_exec_request,
						       tally->lent, tally->contended);
	snprintf(text, sizeof(text),
		 "The kernel says that proxy execution is %s; the sleeping donor was seen to lend "
		 "in %llu of %llu waits, and in %llu of %llu without cookies",
		 proxy_exec_state_name(run->proxy_exec), (unsigned long long)tally->lent,
		 (unsigned long long)tally->contended, (unsigned long long)control->lent,
		 (unsigned long long)control->contended);
	judge(run, "proxying", held, control->lent, control->contended, text);
}

/* Across cookies nobody has to be lent to; where they do not differ the promise is as ever. */
static void conclude_promise(struct workload_run *run, const struct state *state)
{
	const struct tally *tally = &state->tallies[SUBJECT_COOKIES];
	const struct tally *control = &state->tallies[SUBJECT_CONTROL];
	bool is_two = state->modes[SUBJECT_COOKIES] == COOKIES_TWO;

	judge_promise(run, control->unbounded + (is_two ? 0 : tally->unbounded),
		      control->contended + (is_two ? 0 : tally->contended));
}

static void conclude(struct workload_run *run, struct state *state)
{
	struct tally *tally = &state->tallies[SUBJECT_COOKIES];
	struct tally *control = &state->tallies[SUBJECT_CONTROL];
	bool is_promised = state->modes[SUBJECT_COOKIES] != COOKIES_NONE;
	double base_ns = reservoir_median(&control->waits_ns);

	/* Without cookies nothing is promised: an exposure of none. */
	result_set_invariant(run->result, "cookie_violations", is_promised ? tally->violations : 0,
			     is_promised ? tally->samples : 0);
	result_set_scalar(run->result, "cookie_violation_ns_per_s",
			  (double)tally->beyond_ns * 1e9 / (double)tally->window_ns);
	result_set_scalar(run->result, "cookie_overlap_longest_ns", (double)tally->longest_ns);
	result_set_scalar(run->result, "forced_idle_share",
			  (double)tally->idle_ns / (double)tally->window_ns / 2);
	result_set_counter(run->result, "uncontended_samples", tally->samples - tally->contended);
	if (tally->contended) {
		result_set_scalar(run->result, "inversion_factor",
				  reservoir_median(&tally->factors) / 1000);
		result_set_scalar(run->result, "lending_share",
				  (double)tally->lent / (double)tally->contended);
		if (base_ns > 0)
			result_set_scalar(run->result, "cookie_price",
					  reservoir_median(&tally->waits_ns) / base_ns);
	}
	result_add_fact(run->result, "owner_memory_node", state->owner_memory_node);
	result_add_fact(run->result, "donor_memory_node", state->donor_memory_node);
	result_add_fact(run->result, "control_violation_ns_per_s",
			(double)control->beyond_ns * 1e9 / (double)control->window_ns);
	conclude_promise(run, state);
	judge_staging(run, state);
	judge_contention(run, state);
	judge_proxying(run, state);
}

static int measure(struct workload_run *run)
{
	struct state *state = run->state;
	unsigned int done = 0, rounds, *n = state->n_samples;

	rounds = n[SUBJECT_COOKIES] > n[SUBJECT_CONTROL] ? n[SUBJECT_COOKIES] : n[SUBJECT_CONTROL];
	for (unsigned int k = 0; k < rounds; k++)
		for (int i = 0; i < SUBJECTS; i++) {
			int err;

			if (k >= n[i])
				continue;
			if (*run->stop)
				return -EINTR;
			err = take_sample(run, state, i, k);
			if (err)
				return err;
			run->progress(run->progress_context, ++done,
				      n[SUBJECT_COOKIES] + n[SUBJECT_CONTROL]);
		}
	conclude(run, state);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	struct state *state = run->state;

	if (!state)
		return;
	cookie_crew_end(&state->crew);
	sched_trace_close(state->trace);
	traced_lock_release(&state->lock);
	free(state);
}

static const char *const kernel_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE",
					     "CONFIG_SCHED_CORE", NULL};

const struct workload workload_core_cookie = {
	.name = "core-cookie",
	.summary = "whether a core executes two cookies when one's waiter lends to the other's "
		   "owner, and what keeping them apart costs",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 3,
		  .kernel_options = kernel_options,
		  .files = staged_inversion_files,
		  .trace = true},
	.placements = (1u << PLACEMENT_KINDS) - 1,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
