// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/files.h"
#include "measure/random.h"
#include "measure/reservoir.h"
#include "measure/sched_trace.h"
#include "workloads/cpu_list.h"
#include "workloads/episode.h"
#include "workloads/inversion.h"
#include "workloads/judge.h"
#include "workloads/migration_event.h"
#include "workloads/place_meter.h"
#include "workloads/staged_inversion.h"
#include "workloads/traced_lock.h"

/*
 * A donor's context goes to its owner's CPU, wherever that is meanwhile, and the donor itself
 * comes back to a CPU that it may use. doc/workloads/donor-migration.md has the method.
 */
#define PAGE "doc/workloads/donor-migration.md"

#define LEAD_NS	       UINT64_C(2000000)
#define DONOR_PRIORITY 50
#define OWNER_NICE     10
#define TRACE_KIB      2048
/* From the donor's arrival to the event: by then it sleeps, and its context is on its way or there.
 */
#define EVENT_AFTER_NS UINT64_C(1000000)
#define BOUNDED_FACTOR 1.5
/* A section during which the owner's CPU goes away is so many times as long: it takes some 50 ms of
 * virtual time until the owner is put elsewhere, and the donor has to wait then. */
#define UNPLUGGING_FACTOR 10

enum subject { SUBJECT_F_POS, SUBJECT_PI_FUTEX, SUBJECT_PLAIN_FUTEX, SUBJECTS };

static const struct lock_ops *const subject_ops[SUBJECTS] = {&lock_f_pos, &lock_pi_futex,
							     &lock_plain_futex};

struct tally {
	struct reservoir factors; /* of the contended samples, in thousandths */
	struct phase_plan phases;
	uint64_t samples, contended, lent, unbounded;
	uint64_t whole, in_time; /* samples with a whole trace; whose event came during the wait */
	uint64_t executions, violations;
	uint64_t owner_migrations, donor_migrations;
};

struct state {
	struct traced_lock locks[SUBJECTS];
	struct sched_trace *trace;
	struct migration_event event;
	bool is_event_made;
	enum subject current;
	struct episode_roles roles;
	unsigned int n_samples[SUBJECTS];
	struct tally tallies[SUBJECTS];
	double share; /* the owner's, in competition with the hogs */
	struct random random;
	int owner_memory_node, donor_memory_node; /* of the last sample */
};

/* In the order of enum migration_event_kind. */
static const char *const events[] = {
	"none",		  "owner-moved", "owner-cpu-unplugged", "donor-cpu-unplugged",
	"cpuset-changed", NULL};
static const char *const donors[] = {"fifo", "nice", NULL};

static const struct parameter_spec parameters[] = {
	{.name = "event",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "none",
	 .choices = events,
	 .help = "what happens while the donor waits; cpuset-changed is about the donor's"},
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
	 .max = MIGRATION_HOGS_MAX,
	 .help = "nice-0 threads that compute on the owner's CPU, and as many on the CPU that it is moved to"},
	{.name = "section_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "20000",
	 .min = 8000,
	 .max = 1000000,
	 .help = "CPU time of the critical section, in whose second half all has to happen; ten times as much with owner-cpu-unplugged"},
	{.name = "samples",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "6",
	 .min = 1,
	 .max = 100000,
	 .is_effort = true,
	 .help = "inversions on the kernel mutex"},
	{.name = "control_samples",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "2",
	 .min = 1,
	 .max = 100000,
	 .is_effort = true,
	 .help = "inversions on each of the two control locks"},
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
	{.name = "affinity_violations",
	 .unit = "count",
	 .kind = METRIC_INVARIANT,
	 .direction = MUST_BE_ZERO,
	 .role = ROLE_PRIMARY,
	 .help = "how often owner or donor executed on a CPU that its affinity did not allow",
	 .source = PAGE "; trace_sched_switch() in kernel/sched/core.c"},
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
	{.name = "owner_start_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "from when the donor slept, or the event was over, until the owner executed",
	 .source = PAGE},
	UNBOUNDED_WAITS(PAGE),
	{.name = "donor_migrations",
	 .unit = "count",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "how often the donor went to another runqueue, per sample",
	 .source = PAGE "; sched_migrate_task"},
	{.name = "owner_migrations",
	 .unit = "count",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "how often the owner went to another runqueue, per sample",
	 .source = PAGE "; sched_migrate_task"},
	{.name = "lending_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "share of the waits in which the sleeping donor was seen to lend its context",
	 .source = PAGE},
	{.name = "pi_futex_factor",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_POSITIVE_CONTROL,
	 .help = "median inversion factor behind a PI futex",
	 .source = "kernel/futex/pi.c; " PAGE},
	{.name = "plain_futex_factor",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_NEGATIVE_CONTROL,
	 .help = "median inversion factor behind a plain futex",
	 .source = "kernel/futex/waitwake.c; " PAGE},
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
	return workload_number(&workload_donor_migration, run, name);
}

static const char *choice(const struct workload_run *run, const char *name)
{
	return workload_choice(&workload_donor_migration, run, name);
}

static enum migration_event_kind event_kind(const struct workload_run *run)
{
	enum migration_event_kind kind = EVENT_NONE;

	while (strcmp(events[kind], choice(run, "event")) != 0)
		kind++;
	return kind;
}

/* The CPU that the event unplugs, put back by the runner whatever becomes of us. */
static const char *const *knobs(const struct workload_run *run)
{
	static char path[128];
	static const char *const unplugged[] = {path, KNOB_AS_IT_IS, NULL};
	enum migration_event_kind kind = event_kind(run);

	if (kind != EVENT_OWNER_CPU_UNPLUGGED && kind != EVENT_DONOR_CPU_UNPLUGGED)
		return NULL;
	migration_event_online_path(kind == EVENT_OWNER_CPU_UNPLUGGED ? run->placement->owner_cpu
								      : run->placement->donor_cpu,
				    path, sizeof(path));
	/* Some CPU may not be unplugged at all: setup says so. */
	return access(path, W_OK) ? NULL : unplugged;
}

/* ---- setting up ---- */

/* A CPU that nobody has; -1: none. */
static int find_refuge(const struct placement *placement)
{
	int online[CPU_SETSIZE], count;
	char text[4096];

	if (read_line("/sys/devices/system/cpu/online", text, sizeof(text)))
		return -1;
	count = cpu_list_parse(text, online, CPU_SETSIZE);
	for (int i = 0; i < count; i++)
		if (online[i] != placement->owner_cpu && online[i] != placement->donor_cpu &&
		    online[i] != placement->observer_cpu)
			return online[i];
	return -1;
}

static int make_event(struct workload_run *run, struct state *state)
{
	const struct placement *placement = run->placement;
	struct migration_event *event = &state->event;
	int err;

	event->kind = event_kind(run);
	event->owner_cpu = placement->owner_cpu;
	event->donor_cpu = placement->donor_cpu;
	event->refuge_cpu = find_refuge(placement);
	if (event->refuge_cpu < 0 || placement->observer_cpu < 0)
		return refuse_section(run, "donor-migration needs a CPU beside those of owner and "
					   "donor to watch from, and one to move to");
	err = migration_event_make(event, run->cgroup);
	if (err == -EOPNOTSUPP && event->kind == EVENT_CPUSET_CHANGED)
		return refuse_section(run, "event=cpuset-changed needs a cgroup v2 hierarchy with "
					   "the cpuset controller");
	if (err == -EOPNOTSUPP)
		return refuse_section(run, "CPU %d cannot be unplugged here",
				      event->kind == EVENT_OWNER_CPU_UNPLUGGED ? event->owner_cpu
									       : event->donor_cpu);
	state->is_event_made = !err;
	return err;
}

static int open_trace(struct workload_run *run, struct state *state)
{
	static const char *const names[] = {"sched_switch", "sched_migrate_task", NULL};
	const char *reason;
	int err = sched_trace_open(&state->trace, run->trace, names, TRACE_KIB, &reason);

	if (err)
		result_set_outcome(run->result,
				   err == -EOPNOTSUPP ? OUTCOME_UNSUPPORTED : OUTCOME_FAILED, "%s",
				   reason);
	return err;
}

static int happen(void *context)
{
	struct state *state = context;

	state->event.owner_tid = state->locks[state->current].owner_tid;
	return migration_event_happen(&state->event);
}

static int make_locks(struct workload_run *run, struct state *state)
{
	uint64_t section_ns = number(run, "section_us") * 1000;
	int err = 0;

	if (state->event.kind == EVENT_OWNER_CPU_UNPLUGGED)
		section_ns *= UNPLUGGING_FACTOR;
	for (int i = 0; !err && i < SUBJECTS; i++) {
		struct traced_lock *lock = &state->locks[i];

		err = traced_lock_init(lock, subject_ops[i], section_ns, run->placement->owner_cpu);
		lock->on_wake = happen;
		lock->context = state;
		/* The controls compute for as long as the subject turned out to. */
		section_ns = lock->lock.section_ns;
	}
	if (err)
		result_set_outcome(run->result, OUTCOME_FAILED,
				   "cannot make sections of %llu us on CPU %d: %s",
				   (unsigned long long)section_ns / 1000, run->placement->owner_cpu,
				   strerror(-err));
	else
		result_add_fact(run->result, "section_cpu_ns", (double)section_ns);
	/* From here on this thread conducts. */
	return err ? err : task_pin(run->placement->observer_cpu);
}

static void make_samples(struct workload_run *run, struct state *state)
{
	static const char *const seeds[SUBJECTS] = {"f_pos", "pi-futex", "plain-futex"};

	for (int i = 0; i < SUBJECTS; i++) {
		unsigned int n = (unsigned int)number(run, i ? "control_samples" : "samples");

		state->n_samples[i] = n;
		/* In the first half: the event needs the second. */
		phase_plan_init(&state->tallies[i].phases, random_seed_for(run->seed, seeds[i]), n,
				100, 500);
		reservoir_init(&state->tallies[i].factors, random_seed_for(run->seed, "factors"));
	}
}

static int join(void *context, enum episode_part part)
{
	struct state *state = context;

	return part == EPISODE_DONOR ? migration_event_join(&state->event) : 0;
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
		.donor = strcmp(choice(run, "donor"), "nice")
				 ? (struct task_class){.policy = SCHED_FIFO,
						       .priority = DONOR_PRIORITY}
				 : (struct task_class){.policy = SCHED_OTHER, .nice = -20},
		.hogs = (unsigned int)number(run, "hogs"),
		.on_ready = join,
		.context = state,
		.lead_ns = LEAD_NS,
		.limit_ns = number(run, "limit_ms") * 1000000,
	};
	state->share = fair_share(nice_weight(OWNER_NICE), state->roles.hogs, nice_weight(0));
	make_samples(run, state);
	err = make_event(run, state);
	if (!err)
		err = open_trace(run, state);
	if (!err)
		err = make_locks(run, state);
	if (!err && mlockall(MCL_CURRENT))
		err = -errno;
	return err;
}

/* ---- a sample ---- */

static int stage(struct state *state, enum subject subject, unsigned int permille,
		 struct episode_sample *sample)
{
	struct traced_lock *lock = &state->locks[subject];
	struct episode_roles roles = state->roles;
	struct episode_timing timing = {.load_after_ns = lock->lock.section_ns * permille / 1000};
	int err, undo_err;

	if (subject != SUBJECT_F_POS)
		roles.donor = (struct task_class){.policy = SCHED_FIFO, .priority = DONOR_PRIORITY};
	timing.donor_after_ns =
		timing.load_after_ns + STAGED_GAP_LEAST_NS +
		random_below(&state->random, STAGED_GAP_MOST_NS - STAGED_GAP_LEAST_NS);
	if (state->event.kind != EVENT_NONE)
		timing.wake_after_ns = timing.donor_after_ns + EVENT_AFTER_NS;
	traced_lock_reset(lock);
	state->current = subject;
	err = sched_trace_start(state->trace);
	if (!err && state->event.kind == EVENT_OWNER_MOVED)
		err = migration_event_start_load(&state->event, roles.hogs);
	if (!err)
		err = episode_run(&roles, &timing, &lock->lock, sample);
	migration_event_stop_load(&state->event);
	if (!err)
		err = sched_trace_stop(state->trace);
	undo_err = migration_event_undo(&state->event);
	return err ? err : undo_err;
}

static int read_meter(struct state *state, const struct traced_lock *lock,
		      struct place_meter *meter, uint64_t *lost)
{
	struct place_task *owner = &meter->tasks[PLACE_OWNER], *donor = &meter->tasks[PLACE_DONOR];

	*meter = (struct place_meter){.from_ns = lock->owner_from_ns,
				      .to_ns = lock->donor_to_ns > lock->owner_to_ns
						       ? lock->donor_to_ns
						       : lock->owner_to_ns,
				      .donor_from_ns = lock->donor_from_ns,
				      .event_from_ns = lock->event_from_ns,
				      .event_to_ns = lock->event_to_ns};
	owner->pid = lock->owner_tid;
	donor->pid = lock->donor_tid;
	CPU_SET(state->event.owner_cpu, &owner->before);
	CPU_SET(state->event.donor_cpu, &donor->before);
	migration_event_after(&state->event, &owner->after, &donor->after);
	return sched_trace_read(state->trace, place_meter_take, meter, lost);
}

/* The donor itself found that it was somewhere that it may not be. */
static bool is_astray(const struct traced_lock *lock)
{
	return lock->donor_cpu >= 0 && !CPU_ISSET(lock->donor_cpu, &lock->donor_allowed[0]) &&
	       !CPU_ISSET(lock->donor_cpu, &lock->donor_allowed[1]);
}

static void record(struct workload_run *run, struct state *state, enum subject subject,
		   const struct place_meter *meter, uint64_t lost,
		   const struct episode_sample *sample)
{
	const struct place_task *owner = &meter->tasks[PLACE_OWNER];
	const struct place_task *donor = &meter->tasks[PLACE_DONOR];
	const struct traced_lock *lock = &state->locks[subject];
	uint64_t wait_ns = lock->donor_to_ns - lock->donor_from_ns;
	struct tally *tally = &state->tallies[subject];
	uint64_t factor;

	tally->samples++;
	tally->whole += !lost && owner->executions && donor->executions;
	tally->in_time += lock->event_from_ns > lock->donor_from_ns &&
			  lock->event_from_ns < lock->donor_to_ns;
	tally->executions += owner->executions + donor->executions;
	tally->violations += owner->violations + donor->violations + is_astray(lock);
	tally->owner_migrations += owner->migrations;
	tally->donor_migrations += donor->migrations;
	if (!(subject == SUBJECT_F_POS ? is_donor_blocked(sample) : is_lock_held(sample)) ||
	    !inversion_factor_permille(wait_ns, inversion_remaining_ns(sample), &factor))
		return;
	reservoir_record(&tally->factors, factor);
	tally->contended++;
	tally->lent += sample->is_lent;
	tally->unbounded += !is_wait_bounded(wait_ns, inversion_remaining_ns(sample), 1,
					     state->roles.donor.policy == SCHED_OTHER);
	if (subject != SUBJECT_F_POS)
		return;
	histogram_record(result_histogram(run->result, "donor_wait_ns"), wait_ns);
	if (meter->has_owner_start)
		histogram_record(result_histogram(run->result, "owner_start_ns"),
				 meter->owner_start_ns);
}

static int take_sample(struct workload_run *run, struct state *state, enum subject subject,
		       unsigned int k)
{
	struct episode_sample sample;
	struct place_meter meter;
	uint64_t lost = 0;
	int err = stage(state, subject, phase_plan_next(&state->tallies[subject].phases), &sample);

	if (!err)
		err = read_meter(state, &state->locks[subject], &meter, &lost);
	if (err) {
		result_set_outcome(
			run->result, OUTCOME_FAILED,
			err == -ETIME || err == -ETIMEDOUT
				? "sample %u of %s was not over after %llu ms (limit_ms)"
				: "sample %u of %s could not be staged within %llu ms: %s",
			k, subject_ops[subject]->name,
			(unsigned long long)state->roles.limit_ns / 1000000, strerror(-err));
		return err;
	}
	state->owner_memory_node = sample.owner_memory_node;
	state->donor_memory_node = sample.donor_memory_node;
	record(run, state, subject, &meter, lost, &sample);
	return 0;
}

/* ---- what it says ---- */

static void judge(struct workload_run *run, const char *name, bool held, uint64_t observed,
		  uint64_t expected, const char *text)
{
	judge_evidence(run, &workload_donor_migration, name, held, observed, expected, text);
}

static uint64_t sum_samples(const struct state *state, size_t offset)
{
	uint64_t sum = 0;

	for (int i = 0; i < SUBJECTS; i++)
		sum += *(const uint64_t *)((const char *)&state->tallies[i] + offset);
	return sum;
}

#define SUM(state, member) sum_samples(state, offsetof(struct tally, member))

static void judge_staging(struct workload_run *run, const struct state *state)
{
	const struct tally *tally = &state->tallies[SUBJECT_F_POS];
	uint64_t samples = SUM(state, samples), whole = SUM(state, whole);
	uint64_t in_time = SUM(state, in_time);
	char text[256];

	snprintf(text, sizeof(text),
		 "The donor slept on a lock that the owner held in %llu of %llu samples",
		 (unsigned long long)tally->contended, (unsigned long long)tally->samples);
	judge(run, "donor_blocked", has_enough_contention(tally->contended, tally->samples),
	      tally->contended, tally->samples, text);
	snprintf(text, sizeof(text),
		 "In %llu of %llu samples the trace has every switch, to the owner and to the "
		 "donor too",
		 (unsigned long long)whole, (unsigned long long)samples);
	judge(run, "trace_whole", whole == samples, whole, samples, text);
	if (state->event.kind == EVENT_NONE)
		return;
	snprintf(text, sizeof(text), "%s, while the donor waited, in %llu of %llu samples",
		 events[state->event.kind], (unsigned long long)in_time,
		 (unsigned long long)samples);
	judge(run, "event_in_time", has_enough_contention(in_time, samples), in_time, samples,
	      text);
	if (state->event.kind != EVENT_OWNER_MOVED &&
	    state->event.kind != EVENT_OWNER_CPU_UNPLUGGED)
		return;
	snprintf(text, sizeof(text),
		 "The owner went to another CPU %llu times in %llu samples; if it does not, take "
		 "longer sections (section_us): unplugging takes its time",
		 (unsigned long long)tally->owner_migrations, (unsigned long long)tally->samples);
	judge(run, "owner_went", tally->owner_migrations >= tally->samples, tally->owner_migrations,
	      tally->samples, text);
}

static void judge_proxying(struct workload_run *run, const struct state *state)
{
	const struct tally *tally = &state->tallies[SUBJECT_F_POS];
	char text[256];

	snprintf(text, sizeof(text),
		 "The kernel says that proxy execution is %s; in %llu of %llu waits the sleeping "
		 "donor was charged for the owner's time or moved to the owner's runqueue",
		 proxy_exec_state_name(run->proxy_exec), (unsigned long long)tally->lent,
		 (unsigned long long)tally->contended);
	judge(run, "proxying",
	      is_proxying_as_expected(run->proxy_exec, run->proxy_exec_request, tally->lent,
				      tally->contended),
	      tally->lent, run->proxy_exec == PROXY_EXEC_ON ? tally->contended : 0, text);
}

/* When the owner's CPU goes away the hogs scatter with it, and nobody need be in the way. */
static void judge_controls(struct workload_run *run, struct state *state)
{
	struct tally *plain = &state->tallies[SUBJECT_PLAIN_FUTEX];
	struct tally *pi = &state->tallies[SUBJECT_PI_FUTEX];
	double plain_factor = reservoir_median(&plain->factors) / 1000;
	double pi_factor = reservoir_median(&pi->factors) / 1000;
	double bound = unbounded_factor(state->share);
	char text[256];

	if (plain->contended)
		result_set_scalar(run->result, "plain_futex_factor", plain_factor);
	if (pi->contended)
		result_set_scalar(run->result, "pi_futex_factor", pi_factor);
	snprintf(text, sizeof(text),
		 "Behind a PI futex the donor's wait was %.2f times what the owner needed in the "
		 "median: at most %.2f shows that it can be bounded here",
		 pi_factor, BOUNDED_FACTOR);
	judge(run, "pi_bounded",
	      has_enough_contention(pi->contended, pi->samples) && pi_factor <= BOUNDED_FACTOR,
	      pi->contended, pi->samples, text);
	if (state->event.kind == EVENT_OWNER_CPU_UNPLUGGED)
		return;
	snprintf(text, sizeof(text),
		 "Behind a plain futex it was %.2f times: at least %.2f shows that the hogs got "
		 "in between",
		 plain_factor, bound);
	judge(run, "hogs_interposed",
	      has_enough_contention(plain->contended, plain->samples) && plain_factor >= bound,
	      plain->contended, plain->samples, text);
}

static void conclude(struct workload_run *run, struct state *state)
{
	struct tally *tally = &state->tallies[SUBJECT_F_POS];

	result_set_invariant(run->result, "affinity_violations", SUM(state, violations),
			     SUM(state, executions));
	judge_promise(run, tally->unbounded, tally->contended);
	result_set_counter(run->result, "uncontended_samples", tally->samples - tally->contended);
	result_set_scalar(run->result, "donor_migrations",
			  (double)tally->donor_migrations / (double)tally->samples);
	result_set_scalar(run->result, "owner_migrations",
			  (double)tally->owner_migrations / (double)tally->samples);
	if (tally->contended) {
		result_set_scalar(run->result, "inversion_factor",
				  reservoir_median(&tally->factors) / 1000);
		result_set_scalar(run->result, "lending_share",
				  (double)tally->lent / (double)tally->contended);
	}
	result_add_fact(run->result, "owner_memory_node", state->owner_memory_node);
	result_add_fact(run->result, "donor_memory_node", state->donor_memory_node);
	result_add_fact(run->result, "refuge_cpu", state->event.refuge_cpu);
	judge_staging(run, state);
	judge_proxying(run, state);
	judge_controls(run, state);
}

static int measure(struct workload_run *run)
{
	struct state *state = run->state;
	unsigned int done = 0, total = 0, rounds = 0;

	for (int i = 0; i < SUBJECTS; i++) {
		total += state->n_samples[i];
		if (state->n_samples[i] > rounds)
			rounds = state->n_samples[i];
	}
	for (unsigned int k = 0; k < rounds; k++)
		for (int i = 0; i < SUBJECTS; i++) {
			int err;

			if (k >= state->n_samples[i])
				continue;
			if (*run->stop)
				return -EINTR;
			err = take_sample(run, state, i, k);
			if (err)
				return err;
			run->progress(run->progress_context, ++done, total);
		}
	conclude(run, state);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	struct state *state = run->state;

	if (!state)
		return;
	if (state->is_event_made)
		migration_event_undo(&state->event);
	sched_trace_close(state->trace);
	for (int i = 0; i < SUBJECTS; i++)
		traced_lock_release(&state->locks[i]);
	free(state);
}

static const char *const kernel_options[] = {"CONFIG_SHMEM", "CONFIG_MEMFD_CREATE",
					     "CONFIG_FUTEX_PI", NULL};

const struct workload workload_donor_migration = {
	.name = "donor-migration",
	.summary = "a waiter that lends to an owner on another CPU: how soon, wherever the owner "
		   "goes, and whether the waiter comes back where it may be",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 4,
		  .kernel_options = kernel_options,
		  .files = staged_inversion_files,
		  .trace = true},
	.placements = ((1u << PLACEMENT_KINDS) - 1) & ~(1u << PLACEMENT_SAME_CPU),
	.knobs = knobs,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
