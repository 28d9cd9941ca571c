// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/clock.h"
#include "workloads/load_tree.h"
#include "workloads/tool_output.h"

/*
 * Does everybody's work get slower? The real hackbench and stress-ng, many tasks that wake each
 * other. doc/workloads/throughput.md has the method.
 */
#define PAGE "doc/workloads/throughput.md"

#define RUNS_MAX 1000
/* hackbench's own standard: a group is 20 senders and 20 receivers, each sends to each. */
#define GROUP_SENDERS	20
#define GROUP_RECEIVERS 20

static const char *const tests[] = {"hackbench-sockets-processes",
				    "hackbench-sockets-threads",
				    "hackbench-pipes-processes",
				    "hackbench-pipes-threads",
				    "stress-ng-mutex",
				    "stress-ng-switch",
				    "stress-ng-pipe",
				    "stress-ng-futex",
				    "stress-ng-sem",
				    NULL};

static const struct parameter_spec parameters[] = {
	{.name = "test",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "hackbench-sockets-processes",
	 .choices = tests,
	 .help = "which tool, and what its tasks wake each other through"},
	{.name = "groups",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "4",
	 .min = 1,
	 .max = 200,
	 .help = "groups of 40 tasks (hackbench) or instances of a class (stress-ng)"},
	{.name = "messages",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "100",
	 .min = 1,
	 .max = 100000000,
	 .is_effort = true,
	 .help = "hackbench: messages that each sender sends to each receiver in a run"},
	{.name = "run_s",
	 .unit = "s",
	 .kind = PARAMETER_NUMBER,
	 .standard = "2",
	 .min = 1,
	 .max = 3600,
	 .is_effort = true,
	 .help = "stress-ng: how long a run is"},
	{.name = "runs",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "5",
	 .min = 1,
	 .max = RUNS_MAX,
	 .is_effort = true,
	 .help = "runs in a boot; the median is the boot's figure"},
	{.name = "memory_mib",
	 .unit = "MiB",
	 .kind = PARAMETER_NUMBER,
	 .standard = "512",
	 .min = 4,
	 .max = 1048576,
	 .is_effort = true,
	 .help = "what the tool and all its tasks may have; beyond it the kernel kills them, and them alone"},
	{.name = "limit_s",
	 .unit = "s",
	 .kind = PARAMETER_NUMBER,
	 .standard = "600",
	 .min = 1,
	 .max = 1200,
	 .is_effort = true,
	 .help = "a run that takes longer is killed, and a failure"},
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "operations_per_second",
	 .unit = "operations/s",
	 .kind = METRIC_SCALAR,
	 .direction = HIGHER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "median over the runs: messages passed (hackbench) or bogo operations (stress-ng) per second",
	 .source = PAGE},
	{.name = "run_time_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "how long the runs took, start and end of the tool included",
	 .source = PAGE},
	{.name = "cpu_share",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "CPU time of the tool and its tasks over what the CPUs that they may use had in that time",
	 .source = PAGE "; cpu.stat in Documentation/admin-guide/cgroup-v2.rst"},
	{.name = NULL},
};

/* From setup to cleanup: a section has a process of its own. */
static struct load_tree tree = {.guard_fd = -1};
static int cpus[LOAD_CPUS_MAX]; /* that the tool may use */
static size_t n_cpus;

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_throughput, run, name);
}

static const char *test_of(const struct workload_run *run)
{
	return workload_choice(&workload_throughput, run, "test");
}

/* "mutex" of "stress-ng-mutex"; NULL for hackbench. */
static const char *class_of(const char *test)
{
	return strncmp(test, "stress-ng-", 10) ? NULL : test + 10;
}

static const char *tool_of(const char *test)
{
	return class_of(test) ? "stress-ng" : "hackbench";
}

static void find_cpus(const struct topology *topology)
{
	struct load_cpu found[LOAD_CPUS_MAX];

	n_cpus = load_cpus(topology, found, LOAD_CPUS_MAX);
	for (size_t i = 0; i < n_cpus; i++)
		cpus[i] = found[i].cpu;
}

static int setup(struct workload_run *run)
{
	const struct load_limits limits = {.memory_bytes = number(run, "memory_mib") << 20,
					   .processes = 20000};
	const char *tool = tool_of(test_of(run));
	char version[32], error[512];
	int err = tool_version(tool, version, sizeof(version));

	if (err) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   err == -ENOENT ? "%s is not here (install the package %s)"
						  : "%s does not say its version (reinstall the "
						    "package %s)",
				   tool, class_of(test_of(run)) ? "stress-ng" : "rt-tests");
		return err;
	}
	find_cpus(run->topology);
	result_add_text_fact(run->result, "tool", tool);
	result_add_text_fact(run->result, "tool_version", version);
	err = load_tree_make(&tree, run->cgroup, "load", &limits, error, sizeof(error));
	if (err)
		result_set_outcome(run->result,
				   err == -EOPNOTSUPP ? OUTCOME_UNSUPPORTED : OUTCOME_FAILED, "%s",
				   error);
	return err;
}

struct command {
	const char *argv[16];
	char groups[24], messages[24], run[24], option[40];
};

static void make_command(const struct workload_run *run, struct command *command)
{
	const char *test = test_of(run), *class = class_of(test);

	snprintf(command->groups, sizeof(command->groups), "%llu",
		 (unsigned long long)number(run, "groups"));
	snprintf(command->messages, sizeof(command->messages), "%llu",
		 (unsigned long long)number(run, "messages"));
	snprintf(command->run, sizeof(command->run), "%llus",
		 (unsigned long long)number(run, "run_s"));
	if (class) {
		snprintf(command->option, sizeof(command->option), "--%s", class);
		memcpy(command->argv,
		       ((const char *[]){"stress-ng", command->option, command->groups, "--timeout",
					 command->run, "--metrics-brief", "--no-rand-seed",
					 "--temp-path", "/tmp", "--oomable", NULL}),
		       11 * sizeof(char *));
		return;
	}
	memcpy(command->argv,
	       ((const char *[]){"hackbench", "-g", command->groups, "-l", command->messages,
				 strstr(test, "threads") ? "-T" : "-P",
				 strstr(test, "pipes") ? "-p" : NULL, NULL}),
	       8 * sizeof(char *));
}

/* One run. 0 with its rate, its operations, and how long the tool says that it took (0: it does
 * not). */
struct run_figures {
	double per_second;
	uint64_t operations, wall_ns, told_ns;
};

static int read_figures(const struct workload_run *run, const char *output,
			struct run_figures *figures, char *error, size_t error_size)
{
	const char *class = class_of(test_of(run));
	int err;

	if (class)
		return stress_ng_read(output, class, &figures->operations, &figures->per_second,
				      error, error_size);
	err = hackbench_read(output, strlen(output), &figures->told_ns, error, error_size);
	if (err)
		return err;
	figures->operations =
		number(run, "groups") * number(run, "messages") * GROUP_SENDERS * GROUP_RECEIVERS;
	/* It tells milliseconds; what it calls none was less than one. */
	if (!figures->told_ns) {
		snprintf(error, error_size,
			 "a run took less than the millisecond that hackbench tells: give it more "
			 "messages");
		return -EINVAL;
	}
	figures->per_second = (double)figures->operations * 1e9 / (double)figures->told_ns;
	return 0;
}

static int run_once(const struct workload_run *run, struct run_figures *figures)
{
	struct load_program program = {.memory_node = -1, .output_fd = -1};
	struct command command = {.argv = {NULL}};
	uint64_t from_ns = clock_now_ns();
	char *output, error[512] = "";
	int err;

	*figures = (struct run_figures){0};
	make_command(run, &command);
	program.argv = command.argv;
	program.cpus = cpus;
	program.n_cpus = n_cpus;
	err = tool_run(&tree, &program, number(run, "limit_s") * NS_PER_S, run->stop, &output,
		       error, sizeof(error));
	figures->wall_ns = clock_now_ns() - from_ns;
	if (!err) {
		err = read_figures(run, output, figures, error, sizeof(error));
		free(output);
	}
	if (err)
		result_set_outcome(run->result, OUTCOME_FAILED, "%s",
				   *error ? error : strerror(-err));
	return err;
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static void set_evidence(const struct workload_run *run, unsigned int runs, unsigned int agreeing,
			 unsigned int working)
{
	const char *const agree = "runs whose time by the tool fits in the time that they took";
	const char *const work = "runs that did operations";

	result_add_evidence(run->result, "time_agrees", agreeing == runs, agreeing, runs, agree);
	result_add_evidence(run->result, "operations_done", working == runs, working, runs, work);
	if (agreeing < runs || working < runs)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s: %u of %u",
				   agreeing < runs ? agree : work,
				   agreeing < runs ? agreeing : working, runs);
}

static int measure(struct workload_run *run)
{
	unsigned int runs = (unsigned int)number(run, "runs"), agreeing = 0, working = 0;
	struct histogram *times = result_histogram(run->result, "run_time_ns");
	uint64_t cpu_ns = 0, wall_ns = 0, operations = 0;
	double rates[RUNS_MAX];

	for (unsigned int i = 0; i < runs; i++) {
		struct run_figures figures;
		int err = run_once(run, &figures);

		if (err)
			return err;
		rates[i] = figures.per_second;
		histogram_record(times, figures.wall_ns);
		wall_ns += figures.wall_ns;
		operations += figures.operations;
		working += figures.operations && figures.per_second > 0;
		/* It rounds to milliseconds. */
		agreeing += figures.told_ns <= figures.wall_ns + 1000000;
		run->progress(run->progress_context, i + 1, runs);
	}
	qsort(rates, runs, sizeof(*rates), compare_doubles);
	result_set_scalar(run->result, "operations_per_second",
			  (rates[(runs - 1) / 2] + rates[runs / 2]) / 2);
	if (!load_tree_cpu_ns(&tree, &cpu_ns))
		result_set_scalar(run->result, "cpu_share",
				  (double)cpu_ns / (double)wall_ns / (double)n_cpus);
	result_add_fact(run->result, "cpus", (double)n_cpus);
	result_add_fact(run->result, "operations", (double)operations);
	set_evidence(run, runs, agreeing, working);
	return 0;
}

static void cleanup(struct workload_run *run)
{
	(void)run;
	load_tree_kill(&tree);
}

static const char *const programs[] = {"hackbench", "stress-ng", NULL};
static const char *const kernel_options[] = {"CONFIG_CGROUPS", "CONFIG_MEMCG", "CONFIG_CGROUP_PIDS",
					     NULL};

const struct workload workload_throughput = {
	.name = "throughput",
	.summary = "operations per second of the real hackbench and stress-ng",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 1,
		  .kernel_options = kernel_options,
		  .programs = programs},
	.placements = 1u << PLACEMENT_SAME_CPU,
	.is_alone = true,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
