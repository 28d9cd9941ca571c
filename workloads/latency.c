// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"
#include "workloads/cyclictest.h"
#include "workloads/load_tree.h"
#include "workloads/tool_output.h"

/*
 * How late does a real-time task run on a machine that is busy elsewhere? The real cyclictest on
 * one CPU of each node, the real hackbench or stress-ng on the others, as rteval does it.
 * doc/workloads/latency.md has the method.
 */
#define PAGE "doc/workloads/latency.md"

#define NODES_MAX 64
/* Of a load CPU's time: what less would no longer be a machine under load. */
#define LEAST_LOAD 0.8
/* cyclictest's threads; the watchdog of this process is above them. */
#define CYCLICTEST_PRIORITY 95
#define WATCHDOG_PRIORITY   99

static const char *const loads[] = {"hackbench", "stress-ng", "compile", "none", NULL};

static const struct parameter_spec parameters[] = {
	{.name = "load",
	 .unit = "",
	 .kind = PARAMETER_CHOICE,
	 .standard = "hackbench",
	 .choices = loads,
	 .help = "what keeps the other CPUs of each node busy; compile stands for a compiler's processes, files and memory by stress-ng's classes"},
	{.name = "interval_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "1000",
	 .min = 50,
	 .max = 1000000,
	 .help = "the period of each of cyclictest's threads"},
	{.name = "loops",
	 .unit = "count",
	 .kind = PARAMETER_NUMBER,
	 .standard = "5000",
	 .min = 10,
	 .max = 100000000,
	 .is_effort = true,
	 .help = "wakeups on each measured CPU"},
	{.name = "warm_up_ms",
	 .unit = "ms",
	 .kind = PARAMETER_NUMBER,
	 .standard = "500",
	 .min = 1,
	 .max = 600000,
	 .is_effort = true,
	 .help = "how long the load runs before cyclictest starts"},
	{.name = "histogram_us",
	 .unit = "us",
	 .kind = PARAMETER_NUMBER,
	 .standard = "2000",
	 .min = 10,
	 .max = 1000000,
	 .is_effort = true,
	 .help = "latencies from here on are counted together (cyclictest -h)"},
	{.name = "memory_mib",
	 .unit = "MiB",
	 .kind = PARAMETER_NUMBER,
	 .standard = "512",
	 .min = 4,
	 .max = 1048576,
	 .is_effort = true,
	 .help = "what all load together may have; beyond it the kernel kills it, and it alone"},
	{.name = NULL},
};

static const struct metric_spec metrics[] = {
	{.name = "latency_ns",
	 .unit = "ns",
	 .kind = METRIC_DISTRIBUTION,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_PRIMARY,
	 .help = "how late cyclictest's threads ran, all measured CPUs together, in whole microseconds rounded down",
	 .source = PAGE "; cyclictest(8)"},
	{.name = "latency_max_ns",
	 .unit = "ns",
	 .kind = METRIC_SCALAR,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_SECONDARY,
	 .help = "the latest of all",
	 .source = PAGE "; cyclictest(8)"},
	{.name = "beyond_histogram",
	 .unit = "count",
	 .kind = METRIC_COUNTER,
	 .direction = LOWER_IS_BETTER,
	 .role = ROLE_INFORMATIVE,
	 .help = "samples of histogram_us and more: in latency_ns, as its overflow",
	 .source = PAGE},
	{.name = "load_achieved",
	 .unit = "ratio",
	 .kind = METRIC_SCALAR,
	 .direction = NO_DIRECTION,
	 .role = ROLE_INFORMATIVE,
	 .help = "CPU time of the load while cyclictest ran, over what the load's CPUs had",
	 .source = PAGE "; cpu.stat in Documentation/admin-guide/cgroup-v2.rst"},
	{.name = NULL},
};

/* A node's part: one CPU is measured, the others are under load. */
struct node {
	int id, measured_cpu;
	int cpus[LOAD_CPUS_MAX]; /* of the load */
	size_t n_cpus;
	pid_t load;
};

/* From setup to cleanup: a section has a process of its own. */
static struct {
	struct load_tree load, measuring;
	struct node nodes[NODES_MAX];
	size_t n_nodes, n_load_cpus;
	uint64_t load_before_ns, load_ns, wall_ns;
} state = {.load.guard_fd = -1, .measuring.guard_fd = -1};

static uint64_t number(const struct workload_run *run, const char *name)
{
	return workload_number(&workload_latency, run, name);
}

static const char *load_of(const struct workload_run *run)
{
	return workload_choice(&workload_latency, run, "load");
}

static bool has_load(const struct workload_run *run)
{
	return strcmp(load_of(run), "none") != 0;
}

static const char *load_tool(const struct workload_run *run)
{
	return strcmp(load_of(run), "hackbench") ? "stress-ng" : "hackbench";
}

/* The first CPU of each node that is not the runner's is measured. */
static void divide_cpus(const struct topology *topology)
{
	struct load_cpu cpus[LOAD_CPUS_MAX];
	size_t n = load_cpus(topology, cpus, LOAD_CPUS_MAX);

	for (size_t i = 0; i < n; i++) {
		struct node *node = state.n_nodes ? &state.nodes[state.n_nodes - 1] : NULL;

		if (node && node->id == cpus[i].node) {
			node->cpus[node->n_cpus++] = cpus[i].cpu;
			state.n_load_cpus++;
		} else if (state.n_nodes < NODES_MAX) {
			state.nodes[state.n_nodes++] =
				(struct node){.id = cpus[i].node, .measured_cpu = cpus[i].cpu};
		}
	}
}

static int find_tool(const struct workload_run *run, const char *tool)
{
	char version[32], key[40];
	int err = tool_version(tool, version, sizeof(version));

	if (err) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "%s is not here, or does not say its version (install the "
				   "package %s)",
				   tool, strcmp(tool, "stress-ng") ? "rt-tests" : "stress-ng");
		return err;
	}
	snprintf(key, sizeof(key), "%s_version", tool);
	result_add_text_fact(run->result, key, version);
	return 0;
}

static int make_trees(const struct workload_run *run)
{
	const struct load_limits limits = {.memory_bytes = number(run, "memory_mib") << 20,
					   .processes = 20000};
	char error[512];
	int err = load_tree_make(&state.load, run->cgroup, "load", &limits, error, sizeof(error));

	if (!err)
		err = load_tree_make(&state.measuring, run->cgroup, "measuring", &limits, error,
				     sizeof(error));
	if (err)
		result_set_outcome(run->result,
				   err == -EOPNOTSUPP ? OUTCOME_UNSUPPORTED : OUTCOME_FAILED, "%s",
				   error);
	return err;
}

static int setup(struct workload_run *run)
{
	int err = find_tool(run, "cyclictest");

	if (!err && has_load(run))
		err = find_tool(run, load_tool(run));
	if (err)
		return err;
	divide_cpus(run->topology);
	if (has_load(run) && !state.n_load_cpus) {
		result_set_outcome(run->result, OUTCOME_UNSUPPORTED,
				   "no CPU is left for the load: one is the runner's, and one of "
				   "each node is measured (%u CPUs in all)",
				   topology_cpus(run->topology));
		return -EOPNOTSUPP;
	}
	return make_trees(run);
}

/* ---- the load --------------------------------------------------------------------------- */

static int start_load(const struct workload_run *run, struct node *node)
{
	struct load_program program = {.cpus = node->cpus,
				       .n_cpus = node->n_cpus,
				       .memory_node = node->id,
				       .output_fd = -1};
	char count[24];
	const char *const hackbench[] = {"hackbench", "-P", "-g", count, "-l", "1000000000", NULL};
	const char *const stress[] = {
		"stress-ng",	  "--futex",	 count,	      "--pipe", count,
		"--mutex",	  count,	 "--timeout", "0",	"--oomable",
		"--no-rand-seed", "--temp-path", "/tmp",      NULL};
	/* Short processes that read, compute in memory of their own, and write: what make starts.
	 */
	const char *const compile[] = {"stress-ng",
				       "--fork",
				       count,
				       "--qsort",
				       count,
				       "--vm",
				       count,
				       "--vm-bytes",
				       "4m",
				       "--hdd",
				       count,
				       "--hdd-bytes",
				       "1m",
				       "--timeout",
				       "0",
				       "--oomable",
				       "--no-rand-seed",
				       "--temp-path",
				       "/tmp",
				       NULL};

	snprintf(count, sizeof(count), "%zu", node->n_cpus);
	program.argv = !strcmp(load_of(run), "hackbench") ? hackbench
		       : !strcmp(load_of(run), "compile") ? compile
							  : stress;
	node->load = load_tree_start(&state.load, &program);
	return node->load < 0 ? (int)node->load : 0;
}

static int start_loads(const struct workload_run *run)
{
	for (size_t i = 0; has_load(run) && i < state.n_nodes; i++) {
		int err = state.nodes[i].n_cpus ? start_load(run, &state.nodes[i]) : 0;

		if (err)
			return err;
	}
	return 0;
}

/* So many nodes' load is still at work; one that should be and is not has ended by itself. */
static unsigned int loads_alive(unsigned int *expected)
{
	unsigned int alive = 0;

	*expected = 0;
	for (size_t i = 0; i < state.n_nodes; i++) {
		if (state.nodes[i].load <= 0)
			continue;
		(*expected)++;
		alive += waitpid(state.nodes[i].load, NULL, WNOHANG) == 0;
	}
	return alive;
}

/* ---- cyclictest --------------------------------------------------------------------------- */

/* Its command line: the strings, and where it may run. */
struct command {
	const char *argv[24];
	char cpus[NODES_MAX * 6], main_cpu[32], threads[24], interval[24], loops[24], rows[24];
	char priority[8];
	int allowed[NODES_MAX + 1];
	size_t n_allowed;
};

static void print_number(char *text, size_t size, uint64_t value)
{
	snprintf(text, size, "%llu", (unsigned long long)value);
}

/* Its first thread only waits: it stays with the runner. */
static void allow_cpus(struct command *command, int free_cpu)
{
	for (size_t i = 0; i < state.n_nodes; i++) {
		size_t used = strlen(command->cpus);

		snprintf(command->cpus + used, sizeof(command->cpus) - used, "%s%d", i ? "," : "",
			 state.nodes[i].measured_cpu);
		command->allowed[command->n_allowed++] = state.nodes[i].measured_cpu;
	}
	command->allowed[command->n_allowed++] = free_cpu;
	snprintf(command->main_cpu, sizeof(command->main_cpu), "--mainaffinity=%d", free_cpu);
}

static void make_command(const struct workload_run *run, struct command *command)
{
	const char *const argv[] = {"cyclictest",
				    "-q",
				    "-m",
				    "--policy=fifo",
				    command->main_cpu,
				    "-p",
				    command->priority,
				    "-a",
				    command->cpus,
				    "-t",
				    command->threads,
				    "-i",
				    command->interval,
				    "-d",
				    "0",
				    "-l",
				    command->loops,
				    "-h",
				    command->rows,
				    NULL};

	*command = (struct command){.argv = {NULL}};
	memcpy(command->argv, argv, sizeof(argv));
	print_number(command->priority, sizeof(command->priority), CYCLICTEST_PRIORITY);
	print_number(command->threads, sizeof(command->threads), state.n_nodes);
	print_number(command->interval, sizeof(command->interval), number(run, "interval_us"));
	print_number(command->loops, sizeof(command->loops), number(run, "loops"));
	print_number(command->rows, sizeof(command->rows), number(run, "histogram_us"));
	allow_cpus(command, load_free_cpu(run->topology));
}

/* Its output, which the caller frees. 0 or a negative errno, the outcome set. */
static int run_cyclictest(const struct workload_run *run, char **output)
{
	uint64_t run_ns = number(run, "loops") * number(run, "interval_us") * 1000;
	uint64_t from_ns, load_after_ns = 0;
	struct command command;
	struct load_program program = {.argv = command.argv, .memory_node = -1, .output_fd = -1};
	char error[512] = "";
	int err;

	make_command(run, &command);
	program.cpus = command.allowed;
	program.n_cpus = command.n_allowed;
	from_ns = clock_now_ns();
	err = tool_run(&state.measuring, &program, 10 * run_ns + 60 * NS_PER_S, run->stop, output,
		       error, sizeof(error));
	state.wall_ns = clock_now_ns() - from_ns;
	if (!load_tree_cpu_ns(&state.load, &load_after_ns))
		state.load_ns = load_after_ns - state.load_before_ns;
	if (err)
		result_set_outcome(run->result, OUTCOME_FAILED, "%s",
				   *error ? error : strerror(-err));
	return err;
}

/* ---- the result --------------------------------------------------------------------------- */

static void add_cpu_facts(const struct workload_run *run, const struct cyclictest_thread *thread,
			  const struct node *node)
{
	static const struct {
		const char *name;
		double quantile;
	} quantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99_9", 0.999}};
	char key[64];

	snprintf(key, sizeof(key), "cpu%d_node", node->measured_cpu);
	result_add_fact(run->result, key, node->id);
	snprintf(key, sizeof(key), "cpu%d_samples", node->measured_cpu);
	result_add_fact(run->result, key, (double)thread->samples);
	snprintf(key, sizeof(key), "cpu%d_latency_max_ns", node->measured_cpu);
	result_add_fact(run->result, key, (double)thread->max_ns);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		snprintf(key, sizeof(key), "cpu%d_latency_%s_ns", node->measured_cpu,
			 quantiles[i].name);
		result_add_fact(run->result, key,
				(double)cyclictest_quantile_ns(thread, quantiles[i].quantile));
	}
}

static bool add_count(const struct workload_run *run, const char *name, bool held,
		      uint64_t observed, uint64_t expected, const char *text)
{
	result_add_evidence(run->result, name, held, observed, expected, text);
	if (!held && result_outcome(run->result) == OUTCOME_OK)
		result_set_outcome(run->result, OUTCOME_BROKEN, "%s: %llu of %llu", text,
				   (unsigned long long)observed, (unsigned long long)expected);
	return held;
}

static void set_evidence(const struct workload_run *run, const struct cyclictest_output *output)
{
	uint64_t samples = 0, expected = number(run, "loops") * state.n_nodes;
	double available_ns = (double)state.wall_ns * (double)state.n_load_cpus;
	unsigned int n_loads, alive = loads_alive(&n_loads);
	double achieved = available_ns > 0 ? (double)state.load_ns / available_ns : 0;

	for (size_t i = 0; i < output->n_threads; i++)
		samples += output->threads[i].samples;
	result_set_scalar(run->result, "load_achieved", has_load(run) ? achieved : 0);
	/* A thread may be told to stop one wakeup early or late. */
	add_count(run, "samples_counted",
		  output->n_threads == state.n_nodes && samples + state.n_nodes >= expected,
		  samples, expected,
		  "wakeups that cyclictest accounts for, beyond its histogram included");
	if (!has_load(run))
		return;
	add_count(run, "load_alive", alive == n_loads && !load_tree_memory_kills(&state.load),
		  alive, n_loads, "nodes whose load ran to the end");
	add_count(run, "machine_loaded", achieved >= LEAST_LOAD, state.load_ns / 1000,
		  (uint64_t)(available_ns / 1000),
		  "us of CPU time that the load had, of what its CPUs have");
}

static int fill_result(const struct workload_run *run, const char *text)
{
	struct cyclictest_output output;
	char error[640];
	uint64_t beyond = 0, latest_ns = 0;
	int err = cyclictest_read(text, strlen(text), &output, error, sizeof(error));

	if (err) {
		result_set_outcome(run->result, OUTCOME_FAILED, "%s", error);
		return err;
	}
	for (size_t i = 0; i < output.n_threads && i < state.n_nodes; i++) {
		const struct cyclictest_thread *thread = &output.threads[i];

		cyclictest_record(thread, result_histogram(run->result, "latency_ns"));
		beyond += thread->overflow;
		latest_ns = thread->max_ns > latest_ns ? thread->max_ns : latest_ns;
		add_cpu_facts(run, thread, &state.nodes[i]);
	}
	result_set_scalar(run->result, "latency_max_ns", (double)latest_ns);
	result_set_counter(run->result, "beyond_histogram", beyond);
	set_evidence(run, &output);
	cyclictest_output_release(&output);
	return 0;
}

static void warm_up(const struct workload_run *run)
{
	uint64_t ms = number(run, "warm_up_ms");
	struct timespec left = {.tv_sec = (time_t)(ms / 1000),
				.tv_nsec = (long)(ms % 1000) * 1000000};

	while (!*run->stop && nanosleep(&left, &left) && errno == EINTR)
		;
}

static int measure(struct workload_run *run)
{
	const struct task_class watchdog = {.policy = SCHED_FIFO, .priority = WATCHDOG_PRIORITY};
	char *output;
	int err;

	/* Above all that it started, and elsewhere: whatever they do, it can end them. */
	err = task_pin(load_free_cpu(run->topology));
	if (!err)
		err = task_class_set(&watchdog);
	if (!err)
		err = start_loads(run);
	if (err)
		return err;
	if (has_load(run))
		warm_up(run);
	run->progress(run->progress_context, 1, 3);
	err = load_tree_cpu_ns(&state.load, &state.load_before_ns);
	if (err)
		return err;
	err = run_cyclictest(run, &output);
	if (err)
		return err;
	run->progress(run->progress_context, 2, 3);
	err = fill_result(run, output);
	free(output);
	return err;
}

static void cleanup(struct workload_run *run)
{
	(void)run;
	load_tree_kill(&state.load);
	load_tree_kill(&state.measuring);
}

static const char *const programs[] = {"cyclictest", "hackbench", "stress-ng", NULL};
static const char *const kernel_options[] = {"CONFIG_CGROUPS", "CONFIG_MEMCG", "CONFIG_CGROUP_PIDS",
					     "CONFIG_HIGH_RES_TIMERS", NULL};
/* The kernel's own standard: real-time tasks leave a twentieth of each second to the others. */
static const char *const knobs[] = {"/proc/sys/kernel/sched_rt_runtime_us", "950000", NULL};

const struct workload workload_latency = {
	.name = "latency",
	.summary = "how late cyclictest's threads run on a machine under load",
	.parameters = parameters,
	.metrics = metrics,
	.needs = {.root = true,
		  .min_cpus = 2,
		  .kernel_options = kernel_options,
		  .programs = programs,
		  .knobs = knobs},
	.placements = 1u << PLACEMENT_SAME_CPU,
	.is_alone = true,
	.setup = setup,
	.measure = measure,
	.cleanup = cleanup,
};
