// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "measure/sched_attr.h"
#include "workloads/rename_storm.h"
#include "workloads/scratch.h"
#include "workloads/weak_cgroup.h"

/*
 * How long does a rename from one directory to another take, alone, among other renames, under
 * load, and with both of these in weak cgroups? The scenarios are those of John Stultz's
 * priority-inversion-demo (github.com/johnstultz-work/priority-inversion-demo); the code is ours.
 * doc/workloads/rename-inversion.md has the method.
 */
#define PAGE "doc/workloads/rename-inversion.md"

/* cpu.max for throttle=max: 5 % of one CPU for the second renamer, half of each CPU for the load.
 */
#define PERIOD_US    20000
#define LOW_QUOTA_US 1000

/* So often the foreground must have met a held mutex: in a short storm behind a weak renamer it is
 * a few times only, but without contention it is never. */
#define LEAST_CONTENTIONS 1

/* Waits that were looked at twice: so many show whether they are charged for. */
#define ENOUGH_REPEATS 5

static const char *const scenarios[] = {"alone",
					"contention",
					"schedload",
					"schedload-contention",
					"contention-throttled",
					"schedload-throttled",
					"schedload-contention-throttled",
					NULL};
static const char *const throttles[] = {"weight", "max", NULL};
static const char *const cpu_sets[] = {"placement", "all", NULL};

static const struct parameter_spec parameters[] = {
	{.name = "scenario",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "schedload-contention-throttled",
	 .choices = scenarios,
	 .help = "contention: a second thread renames; schedload: the CPUs are busy; throttled: both in weak cgroups"},
	{.name = "throttle",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "weight",
	 .choices = throttles,
	 .help = "what makes those cgroups weak: cpu.weight, as in the published runs, or cpu.max"},
	{.name = "low_weight",
	 .unit = "weight",
	 .kind = PARAMETER_NUMBER,
	 .standard = "1",
	 .min = 1,
	 .max = 10000,
	 .help = "cpu.weight of the second renamer's cgroup; 100 is that of a thread at nice 0"},
	{.name = "medium_weight",
	 .unit = "weight",
	 .kind = PARAMETER_NUMBER,
	 .standard = "50",
	 .min = 1,
	 .max = 10000,
	 .help = "cpu.weight of the load's cgroup"},
	{.name = "cpus",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "placement",
	 .choices = cpu_sets,
	 .help = "where the threads may run: on the placement's CPUs, or on all but the observer's"},
	{.name = "hogs_per_cpu",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "2",
	 .min = 1,
	 .max = 16,
	 .help = "threads that compute, for each of these CPUs"},
	{.name = "long_ms",
	 .unit = "ms",
	 .kind = PARAMETER_NUMBER,
	 .standard = "20",
	 .min = 1,
	 .max = 10000,
	 .help = "a rename that takes as long is a long one: more than being preempted in it explains"},
	{.name = "duration_ms",
	 .unit = "ms",
	 .kind = PARAMETER_NUMBER,
	 .standard = "5000",
	 .min = 20,
	 .max = 3600000,
	 .is_effort = true,
	 .help = "how long it goes on; 30000 in the published runs"},
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "rename_latency_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "how long the foreground's renames took; one under way at the end counts as far as it was",
	 .source = PAGE "; lock_rename() in fs/namei.c"},
	{.name = "long_rename_ns_per_s",
	 .unit = "ns/s",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "how much of a second the foreground spent in long renames",
	 .source = PAGE},
	{.name = "long_renames",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "how many these were",
	 .source = PAGE},
	{.name = "rename_latency_mean_ns",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "the mean of all",
	 .source = PAGE},
	{.name = "rename_latency_max_ns",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "the longest of them",
	 .source = PAGE},
	{.name = "renames_per_s",
	 .unit = "1/s",
	 .kind = METRIC_SCALAR,
	 .direction = HIGHER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "timed renames of the foreground per second; as many back are not counted",
	 .source = PAGE},
	{.name = "renames",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "timed renames of the foreground that were over in time",
	 .source = PAGE},
	{.name = "background_renames_per_s",
	 .unit = "1/s",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "renames there and back of the second thread per second; 0 without one",
	 .source = PAGE},
	{.name = "slept_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "share of the timed renames in which the foreground went to sleep",
	 .source = PAGE},
	{.name = "foreground_cpu_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "CPU time of the foreground over the duration; as for the next two, 1 is one CPU",
	 .source = PAGE},
	{.name = "background_cpu_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "the same of the second thread",
	 .source = PAGE},
	{.name = "load_cpu_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "the same of all threads of the load",
	 .source = PAGE},
	{.name = NULL},
};

struct state {
	struct rename_storm storm;
	char low[256], medium[256];
};

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_rename_inversion, run, name);
}

static bool is_chosen(const struct workload_run *run, const char *name, const char *value)
{
	return !strcmp(workload_choice(&workload_rename_inversion, run, name), value);
}

/* Whether the scenario's name says so: "schedload-contention-throttled" says all three. */
static bool has_part(const struct workload_run *run, const char *part)
{
	return strstr(workload_choice(&workload_rename_inversion, run, "scenario"), part);
}

static int set_cpus(const struct workload_run *run, struct rename_storm *storm)
{
	const struct placement *placement = run->placement;

	if (is_chosen(run, "cpus", "placement")) {
		CPU_ZERO(&storm->cpus);
		CPU_SET(placement->owner_cpu, &storm->cpus);
		CPU_SET(placement->donor_cpu, &storm->cpus);
		return 0;
	}
	if (sched_getaffinity(0, sizeof(storm->cpus), &storm->cpus))
		return -errno;
	if (placement->observer_cpu >= 0 && CPU_COUNT(&storm->cpus) > 1)
		CPU_CLR(placement->observer_cpu, &storm->cpus);
	return 0;
}

/* Away from the storm where there is such a CPU, and above it in any case. */
static int place_conductor(const struct workload_run *run)
{
	static const struct task_class above = {.policy = SCHED_FIFO, .priority = 50};
	const struct placement *placement = run->placement;
	int err = task_pin(placement->observer_cpu >= 0 ? placement->observer_cpu
							: placement->donor_cpu);

	return err ? err : task_class_set(&above);
}

static int make_groups(struct workload_run *run, struct state *state)
{
	bool has_quota = is_chosen(run, "throttle", "max");
	unsigned int cpus = (unsigned int)CPU_COUNT(&state->storm.cpus);
	int err = weak_cgroup_make(run->cgroup, "low",
				   has_quota ? 0 : (unsigned int)number(run, "low_weight"),
				   LOW_QUOTA_US, PERIOD_US, state->low, sizeof(state->low));

	if (!err)
		err = weak_cgroup_make(run->cgroup, "medium",
				       has_quota ? 0 : (unsigned int)number(run, "medium_weight"),
				       cpus * PERIOD_US / 2, PERIOD_US, state->medium,
				       sizeof(state->medium));
	if (err) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "a throttled scenario needs a cgroup v2 hierarchy with the cpu "
				   "controller (%s); mount one, or take another scenario",
				   strerror(-err));
		return -EOPNOTSUPP;
	}
	state->storm.low = state->low;
	state->storm.medium = state->medium;
	return 0;
}

static int setup(struct workload_run *run)
{
	struct state *state = calloc(1, sizeof(*state));
	struct rename_storm *storm;
	int err;

	if (!state)
		return -ENOMEM;
	run->state = state;
	storm = &state->storm;
	storm->root = scratch_directory();
	if (storm->root < 0) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "there is no file system to rename in: mounting a tmpfs failed "
				   "(%s); it takes Linux 5.2, and root",
				   strerror(-storm->root));
		return storm->root;
	}
	storm->stop = run->stop;
	storm->duration_ns = number(run, "duration_ms") * 1000000;
	storm->long_ns = number(run, "long_ms") * 1000000;
	storm->latency = result_histogram(run->result, "rename_latency_ns");
	storm->has_background = has_part(run, "contention");
	err = set_cpus(run, storm);
	if (!err && has_part(run, "schedload"))
		storm->hogs = (unsigned int)number(run, "hogs_per_cpu") *
			      (unsigned int)CPU_COUNT(&storm->cpus);
	if (!err && has_part(run, "throttled"))
		err = make_groups(run, state);
	if (!err)
		err = place_conductor(run);
	if (!err && mlockall(MCL_CURRENT))
		err = -errno;
	return err;
}

/* Not held: no figure of this section says anything. */
static void judge(struct workload_run *run, const char *name, bool held, uint64_t observed,
		  uint64_t expected, const char *text)
{
	result_add_evidence(run->result, name, held, observed, expected, text);
	if (!held && result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s", text);
}

/*
 * The renamers met on the mutex, or, where only one renames, did not. A rename between directories
 * takes no other mutex, and sleeps on nothing else before it has this one.
 */
static void judge_contention(struct workload_run *run, const struct rename_storm *storm,
			     const struct rename_storm_result *result)
{
	uint64_t met = result->contentions_err ? result->slept_renames : result->contentions;
	char text[256];

	snprintf(text, sizeof(text),
		 "In %llu renames the foreground slept %llu times, and met a held mutex %llu times "
		 "(%s)%s",
		 (unsigned long long)storm->latency->samples,
		 (unsigned long long)result->slept_renames, (unsigned long long)met,
		 result->contentions_err ? "only sleeps could be counted: no lock:contention_begin"
					 : "lock:contention_begin",
		 storm->has_background && met < LEAST_CONTENTIONS
			 ? "; take a longer storm (duration_ms)"
			 : "");
	if (storm->has_background)
		judge(run, "contended", met >= LEAST_CONTENTIONS, met, LEAST_CONTENTIONS, text);
	else
		judge(run, "uncontended", !met, met, 0, text);
}

/* The cgroups had the threads' time on their books, and cpu.max, where it is, held them back. */
static void judge_group(struct workload_run *run, const char *name, const char *group,
			uint64_t cpu_ns)
{
	const char *key = is_chosen(run, "throttle", "max") ? "nr_throttled" : "usage_usec";
	uint64_t usage_us = 0, value = 0;
	int err = weak_cgroup_stat(group, "usage_usec", &usage_us);
	char text[256];

	if (!err)
		err = weak_cgroup_stat(group, key, &value);
	snprintf(text, sizeof(text),
		 "The cgroup %s has %llu us of the %llu us of its threads on its books, and its %s "
		 "is %llu",
		 strrchr(group, '/') + 1, (unsigned long long)usage_us,
		 (unsigned long long)cpu_ns / 1000, key, (unsigned long long)value);
	judge(run, name, !err && usage_us * 2 >= cpu_ns / 1000 && value, value, 1, text);
}

static bool is_on(const struct workload_run *run)
{
	return run->proxy_exec == PROXY_EXEC_ON || (run->proxy_exec == PROXY_EXEC_UNKNOWN &&
						    run->proxy_exec_request == PROXY_EXEC_ASKED_ON);
}

/*
 * Off and absent: nobody lends. On: who slept so long that it was looked at twice did, if there
 * were a few of these; short waits are over before.
 */
static void judge_proxying(struct workload_run *run, const struct rename_storm_result *result)
{
	bool may_lend = run->proxy_exec == PROXY_EXEC_ON || run->proxy_exec == PROXY_EXEC_UNKNOWN;
	bool must_lend = is_on(run) && result->repeats >= ENOUGH_REPEATS;
	bool held = result->is_lent ? may_lend : !must_lend;
	char text[256];

	snprintf(
		text, sizeof(text),
		"The kernel says that proxy execution is %s; the sleeping foreground was looked at "
		"%u times, %u times in a sleep seen before, and was%s charged for others' time",
		proxy_exec_state_name(run->proxy_exec), result->looks, result->repeats,
		result->is_lent ? "" : " never");
	judge(run, "proxying", held, result->is_lent, must_lend, text);
}

static void conclude(struct workload_run *run, const struct state *state,
		     const struct rename_storm_result *result)
{
	const struct rename_storm *storm = &state->storm;
	const struct histogram *latency = storm->latency;
	double duration_ns = (double)storm->duration_ns;

	if (latency->samples) {
		double samples = (double)latency->samples;

		result_set_scalar(run->result, "rename_latency_mean_ns", latency->sum / samples);
		result_set_scalar(run->result, "rename_latency_max_ns", (double)latency->max);
		result_set_scalar(run->result, "slept_share",
				  (double)result->slept_renames / samples);
	}
	result_set_scalar(run->result, "long_rename_ns_per_s",
			  (double)result->long_renames_ns * 1e9 / duration_ns);
	result_set_counter(run->result, "long_renames", result->long_renames);
	result_set_counter(run->result, "renames", result->foreground_renames);
	result_set_scalar(run->result, "renames_per_s",
			  (double)result->foreground_renames * 1e9 / duration_ns);
	result_set_scalar(run->result, "background_renames_per_s",
			  (double)result->background_renames * 1e9 / duration_ns);
	result_set_scalar(run->result, "foreground_cpu_share",
			  (double)result->foreground_cpu_ns / duration_ns);
	result_set_scalar(run->result, "background_cpu_share",
			  (double)result->background_cpu_ns / duration_ns);
	result_set_scalar(run->result, "load_cpu_share", (double)result->hogs_cpu_ns / duration_ns);
	result_add_fact(run->result, "storm_cpus", CPU_COUNT(&storm->cpus));
	result_add_fact(run->result, "hogs", storm->hogs);
	judge_contention(run, storm, result);
	if (storm->low && storm->has_background)
		judge_group(run, "renamer_throttled", storm->low, result->background_cpu_ns);
	if (storm->medium && storm->hogs)
		judge_group(run, "load_throttled", storm->medium, result->hogs_cpu_ns);
	judge_proxying(run, result);
}

static int measure(struct workload_run *run)
{
	struct state *state = run->state;
	struct rename_storm_result result;
	int err = rename_storm_run(&state->storm, &result);

	if (err)
		return err;
	run->progress(run->progress_context, 1, 1);
	conclude(run, state, &result);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	struct state *state = run->state;

	if (!state)
		return;
	if (state->storm.root >= 0)
		close(state->storm.root);
	free(state);
}

static const char *const kernel_options[] = {"CONFIG_TMPFS", NULL};
static const char *const files[] = {"/proc/self/sched", NULL};

const struct workload workload_rename_inversion = {
	.name = "rename-inversion",
	.summary = "how long renames between directories take among others, under load, and with "
		   "these in weak cgroups",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true, .min_cpus = 1, .kernel_options = kernel_options, .files = files},
	.placements = (1u << PLACEMENT_KINDS) - 1,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
