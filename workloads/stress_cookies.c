// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/stress_cookies.h"

#include <string.h>

/* The cookie of a task; 0: none, or nobody that is watched. */
static unsigned int cookie_of(const struct overlap_watch *watch, pid_t tid)
{
	for (size_t i = 0; i < watch->n_tasks; i++)
		if (watch->tasks[i].tid == tid)
			return watch->tasks[i].cookie;
	return 0;
}

/*
 * Others than the actors are passed over: a kernel thread may have to run, and comes and goes. So
 * is who has no cookie, as the tasks of a core are then told apart by what nobody gave them.
 */
static bool is_shared_wrongly(const struct overlap_watch *watch, int cpu, int sibling)
{
	unsigned int one = cookie_of(watch, watch->current[cpu]);
	unsigned int other = cookie_of(watch, watch->current[sibling]);

	return one && other && one != other;
}

/* However many pairs of strangers follow each other: as long as there is one, it is one overlap. */
static void settle(struct overlap_watch *watch, int cpu, int sibling, bool is_wrong,
		   uint64_t now_ns)
{
	struct overlap *open = &watch->open[cpu < sibling ? cpu : sibling];

	if (is_wrong && !open->from_ns)
		*open = (struct overlap){.tids = {watch->current[cpu], watch->current[sibling]},
					 .cpus = {cpu, sibling},
					 .from_ns = now_ns};
	if (is_wrong || !open->from_ns)
		return;
	open->length_ns = now_ns - open->from_ns;
	if (open->length_ns > watch->longest.length_ns)
		watch->longest = *open;
	open->from_ns = 0;
}

void overlap_begin(struct overlap_watch *watch)
{
	memset(watch->current, 0, sizeof(watch->current));
	memset(watch->open, 0, sizeof(watch->open));
}

int overlap_take(void *context, const struct sched_trace_record *record)
{
	struct overlap_watch *watch = context;
	int cpu = record->cpu, sibling;

	if (record->kind != SCHED_TRACE_SWITCH || cpu < 0 || cpu >= OVERLAP_MAX_CPUS)
		return 0;
	sibling = watch->siblings[cpu];
	watch->current[cpu] = record->next_pid;
	if (sibling >= 0)
		settle(watch, cpu, sibling, is_shared_wrongly(watch, cpu, sibling), record->at_ns);
	return 0;
}

void overlap_end(struct overlap_watch *watch, uint64_t now_ns)
{
	for (int cpu = 0; cpu < OVERLAP_MAX_CPUS; cpu++)
		if (watch->siblings[cpu] > cpu)
			settle(watch, cpu, watch->siblings[cpu], false, now_ns);
}
