// SPDX-License-Identifier: GPL-2.0-only
/* Core scheduling's promise, watched while a stress runs (stress_cookies.h). */
#include "workloads/stress_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure/clock.h"

#define INSTANCE   "/sys/kernel/tracing/instances/stress"
#define BUFFER_KIB 2048u /* of each CPU: a round's switches, some 40 bytes each */

/* Only cookies that stay what the plan says can be told from the record alone. */
static bool has_fixed_cookies(const struct stress_plan *plan)
{
	bool has_cookie = false;

	for (size_t i = 0; i < plan->n_actors; i++) {
		if (plan->actors[i].mechanism == STRESS_COOKIES)
			return false;
		has_cookie |= plan->actors[i].cookie != 0;
	}
	return has_cookie;
}

/* The other CPU of @cpu's core, of cores with two threads; -1: there is none. */
static int find_sibling(int cpu)
{
	char path[96], text[64] = "";
	int one, other;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
		 cpu);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (!fgets(text, sizeof(text), file))
		*text = '\0';
	fclose(file);
	if (sscanf(text, "%d%*[-,]%d", &one, &other) != 2)
		return -1;
	return one == cpu ? other : one;
}

void stress_watch_begin(struct stress *stress)
{
	static const char *const events[] = {"sched_switch", NULL};
	struct overlap_watch *watch = &stress->overlaps;
	const char *reason;

	if (!has_fixed_cookies(stress->plan))
		return;
	for (size_t i = 0; i < stress->plan->n_actors; i++)
		if (stress->plan->actors[i].cookie)
			stress->overlap_tasks[watch->n_tasks++] = (struct overlap_task){
				stress->threads[i].tid, stress->plan->actors[i].cookie};
	watch->tasks = stress->overlap_tasks;
	for (int cpu = 0; cpu < OVERLAP_MAX_CPUS; cpu++)
		watch->siblings[cpu] = find_sibling(cpu);
	mkdir(INSTANCE, 0755);
	if (sched_trace_open(&stress->trace, INSTANCE, events, BUFFER_KIB, &reason)) {
		sched_trace_close(stress->trace);
		stress->trace = NULL;
	}
}

void stress_watch_round_begin(struct stress *stress)
{
	if (!stress->trace)
		return;
	overlap_begin(&stress->overlaps);
	if (!sched_trace_start(stress->trace))
		return;
	sched_trace_close(stress->trace);
	stress->trace = NULL;
}

static size_t actor_of(const struct stress *stress, pid_t tid)
{
	for (size_t i = 0; i < stress->plan->n_actors; i++)
		if (stress->threads[i].tid == tid)
			return i;
	return 0;
}

void stress_watch_round_end(struct stress *stress, struct stress_report *report)
{
	const struct overlap *longest = &stress->overlaps.longest;
	uint64_t lost = 0;

	if (!stress->trace)
		return;
	report->are_cookies_watched = true;
	if (sched_trace_stop(stress->trace) ||
	    sched_trace_read(stress->trace, overlap_take, &stress->overlaps, &lost))
		report->are_cookies_watched = false;
	report->switches_lost += lost;
	overlap_end(&stress->overlaps, clock_now_ns());
	/* What was lost might have ended it. */
	if (lost || longest->length_ns <= STRESS_STRANGERS_NS) {
		stress->overlaps.longest = (struct overlap){0};
		return;
	}
	report->has_strangers = true;
	report->strangers = (struct stress_strangers){
		.actors = {actor_of(stress, longest->tids[0]), actor_of(stress, longest->tids[1])},
		.cpus = {longest->cpus[0], longest->cpus[1]},
		.from_ns = longest->from_ns,
		.length_ns = longest->length_ns};
}

void stress_watch_end(struct stress *stress)
{
	if (!stress->trace)
		return;
	sched_trace_close(stress->trace);
	stress->trace = NULL;
	rmdir(INSTANCE);
}
