// SPDX-License-Identifier: GPL-2.0-only
#include "bench/environment.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/running_config.h"

/*
 * One function per thing that could spoil a measurement. It reads below @root, sets
 * ->spoils and ->found, and may replace the table's remedy. Thresholds are at the
 * size where the effect shows beside what the workloads measure: waits of some tens
 * of microseconds and more.
 */
#define STEAL_LIMIT_PERCENT 0.1 /* a thousandth of the time gone is a visible tail */
#define LOAD_LIMIT	    0.5 /* half a CPU of other people's work, over a minute */
#define IDLE_EXIT_LIMIT_US  10	/* wake-ups measure some 5 to 50 µs */

static void __attribute__((format(printf, 3, 4)))
found(struct spoiler *spoiler, bool spoils, const char *format, ...)
{
	va_list args;

	spoiler->spoils = spoils;
	va_start(args, format);
	vsnprintf(spoiler->found, sizeof(spoiler->found), format, args);
	va_end(args);
}

/* Calls @visit for each entry of a folder whose name begins with @prefix and goes on with a digit.
 */
static unsigned int
for_each_numbered(const char *root, const char *folder, const char *prefix,
		  bool (*visit)(const char *root, const char *path, void *context), void *context)
{
	char path[PATH_MAX];
	struct dirent *entry;
	unsigned int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", root, folder);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		const char *rest = entry->d_name + strlen(prefix);

		if (strncmp(entry->d_name, prefix, strlen(prefix)) ||
		    !isdigit((unsigned char)*rest))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count++;
		if (!visit(root, path, context))
			break;
	}
	closedir(dir);
	return count;
}

/* ---- the CPU's speed ---- */

struct governor_count {
	unsigned int with_governor, others;
	char other[32];
};

static bool count_governor(const char *root, const char *path, void *context)
{
	struct governor_count *count = context;
	char governor[32];

	if (read_line_at(root, governor, sizeof(governor), "%s/cpufreq/scaling_governor", path))
		return true;
	count->with_governor++;
	if (strcmp(governor, "performance")) {
		count->others++;
		snprintf(count->other, sizeof(count->other), "%s", governor);
	}
	return true;
}

static void look_at_governor(const char *root, struct spoiler *spoiler)
{
	struct governor_count count = {0};

	for_each_numbered(root, "/sys/devices/system/cpu", "cpu", count_governor, &count);
	if (!count.with_governor)
		found(spoiler, false, "no frequency scaling here");
	else if (!count.others)
		found(spoiler, false, "performance on all %u CPUs", count.with_governor);
	else
		found(spoiler, true, "%s on %u of %u CPUs", count.other, count.others,
		      count.with_governor);
}

static void look_at_turbo(const char *root, struct spoiler *spoiler)
{
	char line[32];

	if (!read_line_at(root, line, sizeof(line),
			  "/sys/devices/system/cpu/intel_pstate/no_turbo")) {
		found(spoiler, !strcmp(line, "0"), "%s (intel_pstate)",
		      strcmp(line, "0") ? "off" : "on");
		spoiler->remedy = "echo 1 >/sys/devices/system/cpu/intel_pstate/no_turbo";
	} else if (!read_line_at(root, line, sizeof(line),
				 "/sys/devices/system/cpu/cpufreq/boost")) {
		found(spoiler, strcmp(line, "0"), "%s (cpufreq boost)",
		      strcmp(line, "0") ? "on" : "off");
	} else {
		found(spoiler, false, "no switch for it here");
	}
}

static void look_at_smt(const char *root, struct spoiler *spoiler)
{
	char active[16], control[32];

	if (read_line_at(root, active, sizeof(active), "/sys/devices/system/cpu/smt/active")) {
		found(spoiler, false, "not told by this kernel");
		return;
	}
	read_line_at(root, control, sizeof(control), "/sys/devices/system/cpu/smt/control");
	found(spoiler, !strcmp(active, "1"), "%s (control: %s)",
	      strcmp(active, "1") ? "not active" : "active", *control ? control : "none");
}

struct idle_depth {
	unsigned long latency_us;
	char name[32];
};

static bool note_idle_state(const char *root, const char *path, void *context)
{
	struct idle_depth *depth = context;
	char latency[32], disabled[16];
	unsigned long latency_us;

	if (read_line_at(root, latency, sizeof(latency), "%s/latency", path))
		return true;
	read_line_at(root, disabled, sizeof(disabled), "%s/disable", path);
	latency_us = strtoul(latency, NULL, 10);
	if (*disabled && strcmp(disabled, "0"))
		return true;
	if (latency_us < depth->latency_us || (depth->latency_us == 0 && *depth->name))
		return true;
	depth->latency_us = latency_us;
	read_line_at(root, depth->name, sizeof(depth->name), "%s/name", path);
	return true;
}

static bool note_idle_cpu(const char *root, const char *path, void *context)
{
	char states[PATH_MAX];

	snprintf(states, sizeof(states), "%s/cpuidle", path);
	for_each_numbered(root, states, "state", note_idle_state, context);
	return true;
}

static void look_at_idle_states(const char *root, struct spoiler *spoiler)
{
	struct idle_depth depth = {0};

	for_each_numbered(root, "/sys/devices/system/cpu", "cpu", note_idle_cpu, &depth);
	if (!*depth.name)
		found(spoiler, false, "no idle states to choose from");
	else
		found(spoiler, depth.latency_us > IDLE_EXIT_LIMIT_US,
		      "deepest enabled: %s, %lu us to leave", depth.name, depth.latency_us);
}

/* ---- the kernel's settings ---- */

static void look_at_mitigations(const char *root, struct spoiler *spoiler)
{
	static const char folder[] = "/sys/devices/system/cpu/vulnerabilities";
	unsigned int mitigated = 0, known = 0;
	char path[PATH_MAX], line[256];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", root, folder);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.' ||
		    read_line_at(root, line, sizeof(line), "%s/%s", folder, entry->d_name))
			continue;
		known++;
		mitigated += !strncmp(line, "Mitigation", strlen("Mitigation"));
	}
	if (dir)
		closedir(dir);
	if (!known)
		found(spoiler, false, "not told by this kernel");
	else
		found(spoiler, mitigated > 0, "%u active, of %u weaknesses known", mitigated,
		      known);
}

static void look_at_rt_throttling(const char *root, struct spoiler *spoiler)
{
	char runtime[32], period[32] = "";

	if (read_line_at(root, runtime, sizeof(runtime), "/proc/sys/kernel/sched_rt_runtime_us")) {
		found(spoiler, false, "not in this kernel");
		return;
	}
	read_line_at(root, period, sizeof(period), "/proc/sys/kernel/sched_rt_period_us");
	if (atol(runtime) < 0 || atol(runtime) >= atol(period))
		found(spoiler, false, "off");
	else
		found(spoiler, true, "real-time tasks get %s of every %s us", runtime, period);
}

static void look_at_clocksource(const char *root, struct spoiler *spoiler)
{
	/* Those that user space reads without a system call. */
	static const char *const good[] = {"tsc",
					   "tsc-early",
					   "arch_sys_counter",
					   "timebase",
					   "riscv_clocksource",
					   "tod",
					   "kvm-clock",
					   "stick",
					   "hyperv_clocksource_tsc_page",
					   NULL};
	char name[64];
	bool fine = false;

	read_line_at(root, name, sizeof(name),
		     "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	for (const char *const *candidate = good; *candidate; candidate++)
		fine |= !strcmp(name, *candidate);
	if (!*name)
		found(spoiler, false, "not told by this kernel");
	else
		found(spoiler, !fine, "%s%s", name, fine ? "" : ", read by a system call");
}

static void look_at_huge_pages(const char *root, struct spoiler *spoiler)
{
	char line[64];
	bool always;

	if (read_line_at(root, line, sizeof(line), "/sys/kernel/mm/transparent_hugepage/enabled")) {
		found(spoiler, false, "not in this kernel");
		return;
	}
	always = strstr(line, "[always]");
	found(spoiler, always, "%s", line);
}

/* For switches where anything but 0 spoils. */
static void look_at_switch(const char *root, struct spoiler *spoiler, const char *path)
{
	char line[64];

	if (read_line_at(root, line, sizeof(line), "%s", path))
		found(spoiler, false, "not in this kernel");
	else
		found(spoiler, strcmp(line, "0"), "%s", strcmp(line, "0") ? "on" : "off");
}

static void look_at_nmi_watchdog(const char *root, struct spoiler *spoiler)
{
	look_at_switch(root, spoiler, "/proc/sys/kernel/nmi_watchdog");
}

static void look_at_numa_balancing(const char *root, struct spoiler *spoiler)
{
	look_at_switch(root, spoiler, "/proc/sys/kernel/numa_balancing");
}

static void look_at_autogroup(const char *root, struct spoiler *spoiler)
{
	look_at_switch(root, spoiler, "/proc/sys/kernel/sched_autogroup_enabled");
}

static void look_at_debug_options(const char *root, struct spoiler *spoiler)
{
	static const char *const heavy[] = {
		"PROVE_LOCKING",  "LOCK_STAT",
		"DEBUG_MUTEXES",  "DEBUG_RT_MUTEXES",
		"DEBUG_SPINLOCK", "DEBUG_ATOMIC_SLEEP",
		"DEBUG_OBJECTS",  "DEBUG_PAGEALLOC_ENABLE_DEFAULT",
		"DEBUG_KMEMLEAK", "SLUB_DEBUG_ON",
		"DEBUG_PREEMPT",  "KASAN",
		"KCSAN",	  "KMSAN",
		"UBSAN",	  "KCOV",
		"GCOV_KERNEL",	  NULL,
	};
	struct running_config *config;
	char names[96] = "", option[64];
	unsigned int count = 0;

	if (running_config_load(&config, root)) {
		found(spoiler, false, "the kernel's configuration cannot be read");
		return;
	}
	for (const char *const *name = heavy; *name; name++) {
		size_t used = strlen(names);

		snprintf(option, sizeof(option), "CONFIG_%s", *name);
		if (!running_config_has(config, option))
			continue;
		if (used + strlen(*name) + 6 < sizeof(names))
			snprintf(names + used, sizeof(names) - used, "%s%s", count ? ", " : "",
				 *name);
		else if (used && names[used - 1] != '.')
			snprintf(names + used, sizeof(names) - used, " ...");
		count++;
	}
	running_config_free(config);
	found(spoiler, count > 0, "%s", count ? names : "none");
}

static void look_at_taint(const char *root, struct spoiler *spoiler)
{
	/* The letters that an oops prints, in the order of their bits. */
	static const char letters[] = "PFSRMBUDAWCIOELKXTNJ";
	char line[32], set[sizeof(letters)] = "";
	unsigned long taint;
	size_t length = 0;

	if (read_line_at(root, line, sizeof(line), "/proc/sys/kernel/tainted")) {
		found(spoiler, false, "not told by this kernel");
		return;
	}
	taint = strtoul(line, NULL, 10);
	for (size_t bit = 0; letters[bit]; bit++)
		if (taint >> bit & 1)
			set[length++] = letters[bit];
	set[length] = '\0';
	if (taint)
		found(spoiler, true, "%lu (%s)", taint, set);
	else
		found(spoiler, false, "no");
}

static void look_at_isolation(const char *root, struct spoiler *spoiler)
{
	char isolated[48], nohz[48];

	read_line_at(root, isolated, sizeof(isolated), "/sys/devices/system/cpu/isolated");
	read_line_at(root, nohz, sizeof(nohz), "/sys/devices/system/cpu/nohz_full");
	if (!strcmp(nohz, "(null)")) /* how some kernels print an empty mask */
		*nohz = '\0';
	/* Information: isolated CPUs are quieter, but the kernel does not balance over them. */
	if (!*isolated && !*nohz)
		found(spoiler, false, "no CPU is isolated");
	else
		found(spoiler, false, "isolated: %s; nohz_full: %s", *isolated ? isolated : "none",
		      *nohz ? nohz : "none");
}

/* ---- what else goes on ---- */

static void look_at_steal(const char *root, struct spoiler *spoiler)
{
	unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
	double total, percent;
	char line[256];

	read_line_at(root, line, sizeof(line), "/proc/stat");
	if (sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
		   &idle, &iowait, &irq, &softirq, &steal) != 8) {
		found(spoiler, false, "not told by this kernel");
		return;
	}
	total = (double)user + (double)nice + (double)system + (double)idle + (double)iowait +
		(double)irq + (double)softirq + (double)steal;
	percent = total > 0 ? 100.0 * (double)steal / total : 0;
	found(spoiler, percent > STEAL_LIMIT_PERCENT, "%.2f %% of CPU time since boot", percent);
}

static void look_at_load(const char *root, struct spoiler *spoiler)
{
	char line[128];
	double load;

	read_line_at(root, line, sizeof(line), "/proc/loadavg");
	if (sscanf(line, "%lf", &load) != 1)
		found(spoiler, false, "not told by this kernel");
	else
		found(spoiler, load > LOAD_LIMIT, "%.2f over the last minute", load);
}

static bool is_not_irqbalance(const char *root, const char *path, void *context)
{
	char name[32];

	if (read_line_at(root, name, sizeof(name), "%s/comm", path) || strcmp(name, "irqbalance"))
		return true;
	*(bool *)context = true;
	return false;
}

static void look_at_irqbalance(const char *root, struct spoiler *spoiler)
{
	bool runs = false;

	for_each_numbered(root, "/proc", "", is_not_irqbalance, &runs);
	found(spoiler, runs, "%s", runs ? "running" : "not running");
}

static void look_at_swap(const char *root, struct spoiler *spoiler)
{
	unsigned long long used_kib = 0, one;
	char path[PATH_MAX], *text, *save = NULL;

	snprintf(path, sizeof(path), "%s/proc/swaps", root);
	if (read_file(path, 1 << 20, &text, NULL)) {
		found(spoiler, false, "not in this kernel");
		return;
	}
	strtok_r(text, "\n", &save); /* the heading */
	for (char *line; (line = strtok_r(NULL, "\n", &save));)
		if (sscanf(line, "%*s %*s %*u %llu", &one) == 1)
			used_kib += one;
	free(text);
	found(spoiler, used_kib > 0, "%llu KiB in use", used_kib);
}

static void look_at_tracing(const char *root, struct spoiler *spoiler)
{
	char tracer[64], events[16];

	if (read_line_at(root, tracer, sizeof(tracer), "/sys/kernel/tracing/current_tracer")) {
		found(spoiler, false, "tracefs cannot be read");
		return;
	}
	read_line_at(root, events, sizeof(events), "/sys/kernel/tracing/events/enable");
	if (strcmp(tracer, "nop"))
		found(spoiler, true, "tracer %s is on", tracer);
	else if (*events == '1' || *events == 'X')
		found(spoiler, true, "%s trace events are on", *events == '1' ? "all" : "some");
	else
		found(spoiler, false, "off");
}

struct check {
	const char *name;
	void (*look)(const char *root, struct spoiler *spoiler);
	const char *remedy;
};

static const struct check checks[] = {
	{"cpufreq-governor", look_at_governor, "cpupower frequency-set -g performance"},
	{"turbo", look_at_turbo, "echo 0 >/sys/devices/system/cpu/cpufreq/boost"},
	{"smt", look_at_smt,
	 "echo off >/sys/devices/system/cpu/smt/control, unless the siblings are what you measure"},
	{"idle-states", look_at_idle_states, "cpupower idle-set -D 10"},
	{"mitigations", look_at_mitigations,
	 "boot every variant with the same mitigations=; with mitigations=off only where nobody else works"},
	{"rt-throttling", look_at_rt_throttling, "echo -1 >/proc/sys/kernel/sched_rt_runtime_us"},
	{"clocksource", look_at_clocksource,
	 "boot with tsc=reliable if the TSC is sound, else compare only with this clocksource"},
	{"steal-time", look_at_steal,
	 "measure on bare metal, on a quiet host, or with --time=virtual"},
	{"load", look_at_load, "end other work, or wait until it has ended"},
	{"irqbalance", look_at_irqbalance, "systemctl stop irqbalance"},
	{"swap", look_at_swap, "free memory, then swapoff -a"},
	{"huge-pages", look_at_huge_pages,
	 "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled"},
	{"nmi-watchdog", look_at_nmi_watchdog, "echo 0 >/proc/sys/kernel/nmi_watchdog"},
	{"numa-balancing", look_at_numa_balancing, "echo 0 >/proc/sys/kernel/numa_balancing"},
	{"autogroup", look_at_autogroup, "echo 0 >/proc/sys/kernel/sched_autogroup_enabled"},
	{"debug-options", look_at_debug_options, "build the kernel without them"},
	{"taint", look_at_taint, "reboot, and load only modules of the kernel's own tree"},
	{"tracing", look_at_tracing, "trace-cmd reset"},
	{"isolated-cpus", look_at_isolation, ""},
};

size_t environment_spoilers_at(const char *root, struct spoiler *out, size_t max)
{
	const size_t count = sizeof(checks) / sizeof(*checks);

	_Static_assert(sizeof(checks) / sizeof(*checks) <= SPOILERS_MAX, "raise SPOILERS_MAX");
	for (size_t i = 0; i < count && i < max; i++) {
		out[i] = (struct spoiler){.name = checks[i].name, .remedy = checks[i].remedy};
		checks[i].look(root, &out[i]);
		if (!out[i].spoils)
			out[i].remedy = "";
	}
	return count;
}

size_t environment_spoilers(struct spoiler *out, size_t max)
{
	return environment_spoilers_at("", out, max);
}
