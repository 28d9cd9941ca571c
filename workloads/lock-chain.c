// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/health.h"
#include "measure/random.h"
#include "measure/reservoir.h"
#include "workloads/chain.h"
#include "workloads/chain_controls.h"
#include "workloads/chain_lab.h"
#include "workloads/chain_tee.h"
#include "workloads/inversion.h"
#include "workloads/staged_inversion.h"

/*
 * How long does a strong waiter wait at the end of a chain of locks, each held by a weak task that
 * waits for the next one? doc/workloads/lock-chain.md has the method.
 */
#define PAGE "doc/workloads/lock-chain.md"

#define DONOR_PRIORITY 50

static const char *const backends[] = {"tee", "lab", NULL};
static const char *const shapes[] = {"chain", "tree", NULL};
static const char *const builds[] = {"inside-out", "outside-in", NULL};
static const char *const spreads[] = {"placement", "all", NULL};
static const char *const events[] = {"none", "wakeup", "signal", "timeout", "kill", NULL};
static const char *const stays[] = {"asleep", "computing", NULL};
static const char *const wait_kinds[] = {"uninterruptible", "interruptible", NULL};
static const char *const turns[] = {"last", "first", NULL};
static const char *const donors[] = {"fifo", "nice", NULL};

/* clang-format off */
#define CHOICE(n, standard_, choices_, help_) \
	{.name = n, .unit = "", .kind = PARAMETER_CHOICE, .standard = standard_, \
	 .choices = choices_, .help = help_}
#define NUMBER(n, unit_, standard_, min_, max_, effort, help_) \
	{.name = n, .unit = unit_, .kind = PARAMETER_NUMBER, .standard = standard_, \
	 .min = min_, .max = max_, .is_effort = effort, .help = help_}

static const struct parameter_spec parameters[] = {
	CHOICE("by", "tee", backends,
	       "what the locks are: pipes' mutexes, taken by tee(), or the lock laboratory's"),
	NUMBER("depth", "count", "4", 1, CHAIN_MAX_DEPTH, false,
	       "how many locks lie between the donor and the end of the chain"),
	CHOICE("shape", "chain", shapes,
	       "chain, or tree: a second waiter on every lock and, in the laboratory, a second lock of the owner's"),
	CHOICE("build", "inside-out", builds,
	       "which waiter comes first: the owner's, or the donor, whose chain is then drawn in"),
	CHOICE("spread", "placement", spreads,
	       "where the owners sit: by turns on the placement's two CPUs, or on all that there are"),
	CHOICE("event", "none", events,
	       "what befalls the middle link: a wakeup for nothing, a signal, the end of its patience, or its death"),
	CHOICE("owner_waits", "asleep", stays,
	       "what the owner does in its section while the chain is built"),
	CHOICE("waits", "uninterruptible", wait_kinds,
	       "how all but the owner wait for their locks; interruptible is the laboratory's"),
	CHOICE("donor_comes", "last", turns,
	       "whether the donor comes when the owner runs again, or before"),
	CHOICE("donor", "fifo", donors, "who waits: SCHED_FIFO, or nice -20"),
	NUMBER("owner_nice", "nice", "10", 1, 19, false, "the nice value of owner, links and leaves"),
	NUMBER("hogs", "count", "2", 1, 16, false,
	       "nice-0 threads that compute on each CPU of the owners"),
	NUMBER("section_us", "us", "6000", 500, 1000000, false,
	       "CPU time of the owner's section, once it goes on"),
	NUMBER("link_us", "us", "0", 0, 100000, false,
	       "CPU time of each link's section, behind its wait; the laboratory's"),
	NUMBER("timeout_ms", "ms", "200", 1, 10000, false,
	       "the middle link's patience; with event=timeout"),
	NUMBER("samples", "count", "10", 1, 100000, true, "chains"),
	NUMBER("control_samples", "count", "3", 1, 100000, true,
	       "inversions on each of the two control locks"),
	NUMBER("limit_ms", "ms", "10000", 10, 60000, true,
	       "a chain that has not come apart after this is a failure"),
	{.name = NULL},
};

#define METRIC(n, unit_, kind_, direction_, role_, help_) \
	{.name = n, .unit = unit_, .kind = kind_, .direction = direction_, .role = role_, \
	 .help = help_, .source = PAGE}

static const struct metric_spec metrics[] = {
	METRIC("donor_wait_ns", "ns", METRIC_DISTRIBUTION, LOWER_IS_BETTER, ROLE_PRIMARY,
	       "from the donor's arrival, the owner's release or the event, whichever is last, until it has its lock"),
	METRIC("inversion_factor", "ratio", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_SECONDARY,
	       "median of the wait over the CPU time that those in the donor's way still needed; 1 is the physical limit"),
	METRIC("inversion_factor_max", "ratio", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_INFORMATIVE,
	       "the largest inversion factor of a chain"),
	METRIC("level_cost_ns", "ns", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_SECONDARY,
	       "median of what the wait was longer than the owner's own CPU time, per level of the chain"),
	METRIC("level_wait_ns", "ns", METRIC_DISTRIBUTION, LOWER_IS_BETTER, ROLE_INFORMATIVE,
	       "the links' waits from the same moment; a fact level_N_wait_ns has each level's mean"),
	METRIC("idle_picks", "count", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_INFORMATIVE,
	       "how often a chain's loaded CPUs put the idle task in place, mean: once for each time that proxy execution lets a runqueue's lock go to move or park donors"),
	METRIC("schedules", "count", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_INFORMATIVE,
	       "calls of schedule() on a chain's CPUs, mean"),
	METRIC("wakeups", "count", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_INFORMATIVE,
	       "wakeups on a chain's CPUs, mean"),
	METRIC("returns", "count", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_INFORMATIVE,
	       "migrations that a chain's tasks have in their own books at its end, mean; their pinning is one"),
	METRIC("lending_share", "ratio", METRIC_SCALAR, NO_DIRECTION, ROLE_INFORMATIVE,
	       "share of the waits in which the sleeping donor was seen to lend its context"),
	METRIC("uncontended_samples", "count", METRIC_COUNTER, NO_DIRECTION, ROLE_INFORMATIVE,
	       "chains in which a level did not block; they are in no other figure"),
	UNBOUNDED_WAITS(PAGE),
	METRIC("stranded", "count", METRIC_INVARIANT, MUST_BE_ZERO, ROLE_SECONDARY,
	       "tasks that were left waiting when the chain should have come apart"),
	METRIC("disorder", "count", METRIC_INVARIANT, MUST_BE_ZERO, ROLE_SECONDARY,
	       "tasks that had a lock before its holder let it go; of pipes, before the owner was released"),
	METRIC("uninterruptible_leak", "count", METRIC_INVARIANT, MUST_BE_ZERO, ROLE_SECONDARY,
	       "by how much the sum of nr_uninterruptible, and with it the load average, is off after the chains"),
	METRIC("pi_futex_factor", "ratio", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_POSITIVE_CONTROL,
	       "median inversion factor behind a PI futex, one deep, with a SCHED_FIFO donor"),
	METRIC("plain_futex_factor", "ratio", METRIC_SCALAR, LOWER_IS_BETTER, ROLE_NEGATIVE_CONTROL,
	       "median inversion factor behind a plain futex, one deep, with a SCHED_FIFO donor"),
	{.name = NULL},
};
/* clang-format on */

struct lock_chain {
	struct chain chain;
	struct chain_controls controls;
	int cpus[CHAIN_MAX_CPUS];
	bool is_lab;
	struct random random;
	/* What was found. */
	uint64_t samples, contended, lent, looks, eventful, n_tasks;
	uint64_t stranded, disorder, waits, unbounded;
	struct reservoir factors; /* of the contended ones, in thousandths */
	struct reservoir level_costs_ns;
	double idle_picks, schedules, wakeups, returns, level_waits_ns[CHAIN_MAX_DEPTH];
	uint64_t counted;
	long long uninterruptible;
	bool has_uninterruptible;
};

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_lock_chain, run, name);
}

static bool is_chosen(const struct workload_run *run, const char *name, const char *value)
{
	return !strcmp(workload_choice(&workload_lock_chain, run, name), value);
}

/* ---- parameters ------------------------------------------------------------------- */

static int refuse(char *error, size_t error_size, const char *sentence)
{
	snprintf(error, error_size, "lock-chain: %s", sentence);
	return -EINVAL;
}

static int check(const char *const *values, char *error, size_t error_size)
{
	const struct workload_run run = {.values = values};
	bool has_event = !is_chosen(&run, "event", "none");

	if (is_chosen(&run, "by", "tee")) {
		if (is_chosen(&run, "build", "outside-in"))
			return refuse(
				error, error_size,
				"a tee() takes both its pipes at once, so that a chain by=tee "
				"is built inside-out; take by=lab");
		if (is_chosen(&run, "owner_waits", "computing"))
			return refuse(error, error_size,
				      "the owner of a chain by=tee is asleep while it is built; "
				      "take by=lab for owner_waits=computing");
		if (is_chosen(&run, "waits", "interruptible"))
			return refuse(error, error_size,
				      "who waits for a pipe's mutex does so uninterruptibly; take "
				      "by=lab for waits=interruptible");
		if (is_chosen(&run, "event", "wakeup"))
			return refuse(error, error_size,
				      "nothing wakes who waits for a pipe's mutex; take by=lab "
				      "for event=wakeup");
		if (number(&run, "link_us"))
			return refuse(error, error_size,
				      "a tee() cannot be told how long to take; take by=lab for "
				      "link_us");
	}
	if (has_event && number(&run, "depth") < 2)
		return refuse(error, error_size,
			      "a chain of depth 1 has no link that an event could befall");
	if (has_event && is_chosen(&run, "build", "outside-in"))
		return refuse(error, error_size, "an event takes a chain that is built inside-out");
	return 0;
}

/* /proc/schedstat counts only then; a kernel without it is measured all the same. */
static const char *const *knobs(const struct workload_run *run)
{
	static const char *const counting[] = {"/proc/sys/kernel/sched_schedstats", "1", NULL};

	(void)run;
	return access(counting[0], W_OK) ? NULL : counting;
}

static enum chain_event event_of(const struct workload_run *run)
{
	for (int i = 0; events[i]; i++)
		if (is_chosen(run, "event", events[i]))
			return (enum chain_event)i;
	return CHAIN_NO_EVENT;
}

/* ---- setup -------------------------------------------------------------------------- */

/*
 * The CPUs of owner and links: level l is on cpus[l % n], and the owner, which is level depth, on
 * the placement's owner_cpu.
 */
static void choose_cpus(struct workload_run *run, struct lock_chain *state)
{
	const struct placement *placement = run->placement;
	struct chain *chain = &state->chain;
	int chosen[CHAIN_MAX_CPUS], n = 0;
	cpu_set_t allowed;

	chosen[n++] = placement->owner_cpu;
	if (placement->donor_cpu != placement->owner_cpu)
		chosen[n++] = placement->donor_cpu;
	if (is_chosen(run, "spread", "all") && !sched_getaffinity(0, sizeof(allowed), &allowed))
		for (int cpu = 0; cpu < CPU_SETSIZE && n < CHAIN_MAX_CPUS; cpu++)
			if (CPU_ISSET(cpu, &allowed) && cpu != placement->owner_cpu &&
			    cpu != placement->donor_cpu && cpu != placement->observer_cpu)
				chosen[n++] = cpu;
	/* More CPUs than tasks, or than hogs for them, say nothing more. */
	if (n > (int)chain->depth + 1)
		n = (int)chain->depth + 1;
	while (n > 1 && (unsigned int)n * chain->hogs_per_cpu > CHAIN_MAX_HOGS)
		n--;
	for (int i = 0; i < n; i++)
		state->cpus[((int)chain->depth + i) % n] = chosen[i];
	chain->cpus = state->cpus;
	chain->n_cpus = (unsigned int)n;
}

static void describe_chain(struct workload_run *run, struct lock_chain *state)
{
	struct chain *chain = &state->chain;
	unsigned int depth = (unsigned int)number(run, "depth");
	bool is_tree = is_chosen(run, "shape", "tree");

	*chain = (struct chain){
		.depth = depth,
		.leaves = is_tree ? depth + (state->is_lab ? 1 : 0) : 0,
		.build =
			is_chosen(run, "build", "outside-in") ? CHAIN_OUTSIDE_IN : CHAIN_INSIDE_OUT,
		.event = event_of(run),
		.owner_sleeps = is_chosen(run, "owner_waits", "asleep"),
		.waits_interruptibly = is_chosen(run, "waits", "interruptible"),
		.section_ns = number(run, "section_us") * 1000,
		.link_ns = number(run, "link_us") * 1000,
		.timeout_ns = number(run, "timeout_ms") * 1000000,
		.limit_ns = number(run, "limit_ms") * 1000000,
		.weak = {.policy = SCHED_OTHER, .nice = (int)number(run, "owner_nice")},
		.hog = {.policy = SCHED_OTHER},
		.donor = {.policy = SCHED_FIFO, .priority = DONOR_PRIORITY},
		.hogs_per_cpu = (unsigned int)number(run, "hogs"),
		.donor_cpu = run->placement->donor_cpu,
	};
	chain->donor_comes_first = is_chosen(run, "donor_comes", "first") ||
				   chain->build == CHAIN_OUTSIDE_IN ||
				   chain->event != CHAIN_NO_EVENT;
	if (is_chosen(run, "donor", "nice"))
		chain->donor = (struct task_class){.policy = SCHED_OTHER, .nice = -20};
	choose_cpus(run, state);
}

static int make_locks(struct workload_run *run, struct lock_chain *state)
{
	struct chain *chain = &state->chain;
	char reason[256] = "";
	int err;

	if (state->is_lab) {
		chain->ops = &chain_lab_ops;
		err = chain_lab_init(chain, reason, sizeof(reason));
		if (err)
			result_set_outcome(run->result,
					   err == -EOPNOTSUPP ? OUTCOME_UNSUPPORTED
							      : OUTCOME_FAILED,
					   "%s", reason);
		return err;
	}
	chain->ops = &chain_tee_ops;
	err = chain_tee_init(chain);
	if (err == -EPERM || err == -ENOSYS)
		result_set_outcome(
			run->result, OUTCOME_UNSUPPORTED,
			"the owner of a pipe's mutex cannot be put to sleep in its section: "
			"%s; it takes a kernel with CONFIG_USERFAULTFD, and root",
			strerror(-err));
	else if (err)
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "cannot make a chain of %u pipes with a section of %llu us: %s",
				   chain->depth, (unsigned long long)number(run, "section_us"),
				   err == -EAGAIN
					   ? "its length does not settle within a fifth: the "
					     "machine is too busy with something else"
					   : strerror(-err));
	return err;
}

/* A signal is to end a wait, and nothing else. */
static void on_signal(int signal_number)
{
	(void)signal_number;
}

static int prepare_process(struct workload_run *run)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (run->placement->observer_cpu < 0) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "lock-chain needs a CPU beside the chain's to conduct from");
		return -EOPNOTSUPP;
	}
	/* Before the page is made that must stay missing. */
	if (mlockall(MCL_CURRENT) || sigaction(SIGUSR1, &action, NULL))
		return -errno;
	return task_pin(run->placement->observer_cpu);
}

static int setup(struct workload_run *run)
{
	struct lock_chain *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	run->state = state;
	state->is_lab = is_chosen(run, "by", "lab");
	state->random.state = random_seed_for(run->seed, "leads");
	reservoir_init(&state->factors, random_seed_for(run->seed, "factors"));
	reservoir_init(&state->level_costs_ns, random_seed_for(run->seed, "level costs"));
	describe_chain(run, state);
	err = prepare_process(run);
	if (!err)
		err = make_locks(run, state);
	if (!err)
		err = chain_controls_init(
			&state->controls, run->placement, &state->chain.weak,
			state->chain.hogs_per_cpu, (unsigned int)number(run, "control_samples"),
			state->chain.section_ns, state->chain.limit_ns, run->seed);
	state->has_uninterruptible = health_excess_uninterruptible("", &state->uninterruptible);
	return err;
}

/* ---- measuring ------------------------------------------------------------------------ */

/* Whether the event befell the link as it was to. */
static bool is_event_seen(const struct chain *chain, const struct chain_sample *sample)
{
	const struct chain_record *record = &chain->records[chain_event_level(chain)];

	if (chain->event == CHAIN_NO_EVENT)
		return true;
	if (chain->event == CHAIN_WAKEUP)
		return !record->status && record->sleeps >= 2;
	if (sample->is_killed != (chain->event == CHAIN_KILL))
		return false;
	if (!is_chain_cut(chain))
		return !record->status && sample->has_stayed;
	return record->status == (chain->event == CHAIN_TIMEOUT ? -ETIMEDOUT : -EINTR);
}

static void record_levels(struct workload_run *run, struct lock_chain *state, uint64_t from_ns)
{
	const struct chain *chain = &state->chain;

	for (unsigned int level = 0; level < chain->depth; level++) {
		uint64_t got_ns = chain->records[level].got_ns;
		uint64_t wait_ns = got_ns > from_ns ? got_ns - from_ns : 0;

		state->level_waits_ns[level] += (double)wait_ns;
		if (level)
			histogram_record(result_histogram(run->result, "level_wait_ns"), wait_ns);
	}
}

static void record(struct workload_run *run, struct lock_chain *state,
		   const struct chain_sample *sample)
{
	const struct chain *chain = &state->chain;
	unsigned int waits = chain_count_waits(chain, sample->from_ns);
	uint64_t beyond_ns, factor;

	state->samples++;
	state->n_tasks += chain->depth + 1 + chain->leaves;
	state->stranded += sample->stranded;
	state->disorder += chain_count_disorder(chain);
	state->waits += waits;
	state->eventful += is_event_seen(chain, sample);
	state->looks += sample->looks;
	if (waits < chain->depth || !sample->donor_switches ||
	    !inversion_factor_permille(sample->wait_ns, (int64_t)sample->needed_ns, &factor))
		return;
	beyond_ns = sample->wait_ns > sample->owner_ns ? sample->wait_ns - sample->owner_ns : 0;
	state->contended++;
	reservoir_record(&state->factors, factor);
	reservoir_record(&state->level_costs_ns, beyond_ns / chain->depth);
	state->lent += sample->is_lent;
	state->unbounded +=
		!is_wait_bounded(sample->wait_ns, (int64_t)sample->needed_ns,
				 is_chain_cut(chain) ? chain_event_level(chain) : chain->depth,
				 is_chosen(run, "donor", "nice"));
	histogram_record(result_histogram(run->result, "donor_wait_ns"), sample->wait_ns);
	record_levels(run, state, sample->from_ns);
	if (!sample->has_counts)
		return;
	state->counted++;
	state->idle_picks += (double)sample->idle_picks;
	state->schedules += (double)sample->schedules;
	state->wakeups += (double)sample->wakeups;
	state->returns += (double)sample->returns;
}

static int stage(struct workload_run *run, struct lock_chain *state, unsigned int k)
{
	struct chain *chain = &state->chain;
	struct chain_sample sample;
	int err;

	chain->lead_ns = STAGED_GAP_LEAST_NS +
			 random_below(&state->random, STAGED_GAP_MOST_NS - STAGED_GAP_LEAST_NS);
	err = chain_run(chain, &sample);
	if (!err)
		record(run, state, &sample);
	else if (err == -ETIMEDOUT)
		result_set_outcome(
			run->result, OUTCOME_FAILED,
			"%u of the %u tasks of chain %u were still waiting after %llu ms "
			"(limit_ms) and without any load",
			sample.stranded, chain->depth + 1 + chain->leaves, k,
			(unsigned long long)chain->limit_ns / 1000000);
	else
		result_set_outcome(run->result, OUTCOME_FAILED, "chain %u could not be staged: %s",
				   k, strerror(-err));
	return err;
}

/* ---- conclusions ------------------------------------------------------------------------ */

/* Not held: these figures say nothing, and neither does the section. */
static void judge(struct workload_run *run, const char *name, bool held, uint64_t observed,
		  uint64_t expected, const char *text)
{
	static const char *const figures[] = {"donor_wait_ns", "inversion_factor",
					      "inversion_factor_max", "level_cost_ns",
					      "level_wait_ns"};

	result_add_evidence(run->result, name, held, observed, expected, text);
	if (held)
		return;
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		result_break_metric(run->result, figures[i], text);
	if (result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s", text);
}

static void judge_blocking(struct workload_run *run, const struct lock_chain *state)
{
	uint64_t expected = state->samples * state->chain.depth;
	char text[256];

	snprintf(
		text, sizeof(text),
		"In %llu chains of depth %u, %llu of %llu waits began before the moment from which "
		"they count and ended after; in %llu chains all of them did and the donor slept",
		(unsigned long long)state->samples, state->chain.depth,
		(unsigned long long)state->waits, (unsigned long long)expected,
		(unsigned long long)state->contended);
	judge(run, "levels_blocked", has_enough_contention(state->contended, state->samples),
	      state->waits, expected, text);
}

/*
 * A kernel may lend along a chain whose owner sleeps, or not: which is what K7 is about. Then it
 * may do either, but not now this and now that.
 */
static void judge_proxying(struct workload_run *run, const struct lock_chain *state)
{
	enum proxy_exec_request request = run->proxy_exec_request;
	enum proxy_exec_state proxy = run->proxy_exec;
	char text[256];
	bool held;

	if (state->chain.owner_sleeps && proxy != PROXY_EXEC_OFF && proxy != PROXY_EXEC_ABSENT) {
		proxy = PROXY_EXEC_UNKNOWN;
		request = request == PROXY_EXEC_ASKED_OFF ? request : PROXY_EXEC_NOT_NAMED;
	}
	held = is_proxying_as_expected(proxy, request, state->lent, state->contended);
	snprintf(text, sizeof(text),
		 "The kernel says that proxy execution is %s; in %llu of %llu waits the sleeping "
		 "donor was charged for others' time or moved to another runqueue (%llu looks)",
		 proxy_exec_state_name(run->proxy_exec), (unsigned long long)state->lent,
		 (unsigned long long)state->contended, (unsigned long long)state->looks);
	judge(run, "proxying", held, state->lent,
	      run->proxy_exec == PROXY_EXEC_ON ? state->contended : 0, text);
}

static void judge_event(struct workload_run *run, const struct lock_chain *state)
{
	static const char *const befell[] = {
		"", "woke and went back to sleep", "gave up for a signal",
		"gave up when its time was over", "was killed, and gave up"};
	static const char *const stayed[] = {
		"", "", "slept on with a signal pending", "slept on when its time was over",
		"slept on when it was killed, and died when it had had its lock"};
	const char *what = is_chain_cut(&state->chain) ? befell[state->chain.event]
						       : stayed[state->chain.event];
	char text[256];

	if (state->chain.event == CHAIN_NO_EVENT)
		return;
	if (state->chain.event == CHAIN_WAKEUP)
		what = befell[CHAIN_WAKEUP];
	snprintf(text, sizeof(text), "The link at level %u %s in %llu of %llu chains",
		 chain_event_level(&state->chain), what, (unsigned long long)state->eventful,
		 (unsigned long long)state->samples);
	judge(run, "event_seen", has_enough_contention(state->eventful, state->samples),
	      state->eventful, state->samples, text);
}

static void conclude_invariants(struct workload_run *run, const struct lock_chain *state)
{
	long long sum = 0;

	judge_promise(run, state->unbounded, state->contended);
	result_set_invariant(run->result, "stranded", state->stranded, state->n_tasks);
	result_set_invariant(run->result, "disorder", state->disorder, state->n_tasks);
	if (state->has_uninterruptible && health_excess_uninterruptible("", &sum))
		result_set_invariant(run->result, "uninterruptible_leak",
				     (uint64_t)llabs(sum - state->uninterruptible), state->samples);
	else
		result_break_metric(run->result, "uninterruptible_leak",
				    "nr_uninterruptible is not to be read: it takes root, and a "
				    "kernel with CONFIG_SCHED_DEBUG and debugfs mounted");
}

static void conclude_counts(struct workload_run *run, const struct lock_chain *state)
{
	static const char *const names[] = {"idle_picks", "schedules", "wakeups", "returns"};
	const double sums[] = {state->idle_picks, state->schedules, state->wakeups, state->returns};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (state->counted)
			result_set_scalar(run->result, names[i], sums[i] / (double)state->counted);
		else
			result_break_metric(
				run->result, names[i],
				"/proc/schedstat does not count here: it takes a kernel "
				"with CONFIG_SCHEDSTATS");
	}
}

static void conclude_waits(struct workload_run *run, struct lock_chain *state)
{
	uint64_t n = state->contended;

	result_set_counter(run->result, "uncontended_samples", state->samples - n);
	if (!n)
		return;
	result_set_scalar(run->result, "inversion_factor",
			  reservoir_median(&state->factors) / 1000);
	result_set_scalar(run->result, "inversion_factor_max", (double)state->factors.max / 1000);
	result_set_scalar(run->result, "level_cost_ns", reservoir_median(&state->level_costs_ns));
	result_set_scalar(run->result, "lending_share", (double)state->lent / (double)n);
	for (unsigned int level = 0; level < state->chain.depth; level++) {
		char name[32];

		snprintf(name, sizeof(name), "level_%u_wait_ns", level);
		result_add_fact(run->result, name, state->level_waits_ns[level] / (double)n);
	}
	result_add_fact(run->result, "section_cpu_ns", (double)state->chain.section_ns);
	result_add_fact(run->result, "chain_cpus", state->chain.n_cpus);
}

static void conclude_controls(struct workload_run *run, struct lock_chain *state)
{
	struct chain_control_findings findings;

	chain_controls_conclude(&state->controls, &findings);
	if (findings.plain_contended)
		result_set_scalar(run->result, "plain_futex_factor", findings.plain_factor);
	if (findings.pi_contended)
		result_set_scalar(run->result, "pi_futex_factor", findings.pi_factor);
	judge(run, "hogs_interposed", findings.are_hogs_interposed, findings.plain_contended,
	      findings.samples, findings.plain_text);
	judge(run, "pi_bounded", findings.is_pi_bounded, findings.pi_contended, findings.samples,
	      findings.pi_text);
}

static int measure(struct workload_run *run)
{
	struct lock_chain *state = run->state;
	unsigned int n = (unsigned int)number(run, "samples");
	unsigned int n_controls = (unsigned int)number(run, "control_samples");

	for (unsigned int k = 0; k < n || k < n_controls; k++) {
		int err = *run->stop ? -EINTR : 0;

		if (!err && k < n)
			err = stage(run, state, k);
		if (!err && k < n_controls) {
			err = chain_controls_stage(&state->controls);
			if (err)
				result_set_outcome(run->result, OUTCOME_FAILED,
						   "control sample %u could not be staged: %s", k,
						   strerror(-err));
		}
		if (err)
			return err;
		run->progress(run->progress_context, k + 1, n > n_controls ? n : n_controls);
	}
	conclude_waits(run, state);
	conclude_counts(run, state);
	conclude_invariants(run, state);
	judge_blocking(run, state);
	judge_event(run, state);
	judge_proxying(run, state);
	conclude_controls(run, state);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	struct lock_chain *state = run->state;

	if (!state)
		return;
	chain_controls_release(&state->controls);
	if (state->is_lab)
		chain_lab_release(&state->chain);
	else
		chain_tee_release(&state->chain);
	free(state);
}

static const char *const kernel_options[] = {"CONFIG_FUTEX_PI", NULL};
static const char *const files[] = {"/proc/self/sched", NULL};

const struct workload workload_lock_chain = {
	.name = "lock-chain",
	.summary = "how long a strong waiter waits at the end of a chain of locks that weak tasks "
		   "hold",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .lock_laboratory = true,
		  .min_cpus = 2,
		  .kernel_options = kernel_options,
		  .files = files},
	.placements = (1u << PLACEMENT_KINDS) - 1,
	.check = check,
	.knobs = knobs,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
