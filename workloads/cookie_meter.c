// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/cookie_meter.h"

#include <errno.h>

int cookie_meter_begin(struct cookie_meter *meter, const int *cpus, size_t n_cpus, uint64_t from_ns,
		       uint64_t to_ns, uint64_t switch_over_ns)
{
	*meter = (struct cookie_meter){.from_ns = from_ns,
				       .to_ns = to_ns,
				       .switch_over_ns = switch_over_ns,
				       .n_cpus = n_cpus,
				       .at_ns = from_ns};
	if (n_cpus > COOKIE_METER_CPUS)
		return -E2BIG;
	for (size_t i = 0; i < n_cpus; i++)
		meter->cpus[i] = cpus[i];
	return 0;
}

int cookie_meter_add(struct cookie_meter *meter, pid_t pid, int group)
{
	if (meter->n_tasks == COOKIE_METER_TASKS)
		return -E2BIG;
	meter->tasks[meter->n_tasks].pid = pid;
	meter->tasks[meter->n_tasks++].group = group;
	return 0;
}

static int group_of(const struct cookie_meter *meter, pid_t pid)
{
	for (size_t i = 0; i < meter->n_tasks; i++)
		if (meter->tasks[i].pid == pid)
			return meter->tasks[i].group;
	return 0;
}

/* Whether two groups execute now. */
static bool is_overlap(const struct cookie_meter *meter)
{
	bool has_one = false;
	int one = 0;

	for (size_t i = 0; i < meter->n_cpus; i++) {
		int group;

		if (!meter->is_known[i] || !meter->running[i])
			continue;
		group = group_of(meter, meter->running[i]);
		if (has_one && group != one)
			return true;
		has_one = true;
		one = group;
	}
	return false;
}

static void end_overlap(struct cookie_meter *meter, uint64_t at_ns)
{
	uint64_t length_ns = at_ns - meter->overlap_from_ns;

	meter->is_overlapping = false;
	if (!length_ns)
		return; /* two switches in one moment */
	meter->overlaps++;
	meter->overlap_ns += length_ns;
	if (length_ns > meter->longest_ns)
		meter->longest_ns = length_ns;
	if (length_ns <= meter->switch_over_ns)
		return;
	meter->violations++;
	meter->beyond_ns += length_ns - meter->switch_over_ns;
}

/* Up to @at_ns everything stays as it is. */
static void pass_time(struct cookie_meter *meter, uint64_t at_ns)
{
	if (at_ns > meter->to_ns)
		at_ns = meter->to_ns;
	if (at_ns <= meter->at_ns)
		return;
	for (size_t i = 0; i < meter->n_cpus; i++) {
		if (!meter->is_known[i])
			meter->blind_ns += at_ns - meter->at_ns;
		else if (!meter->running[i])
			meter->idle_ns[i] += at_ns - meter->at_ns;
	}
	meter->at_ns = at_ns;
}

/* at_ns is now, and who executes is known. */
static void look(struct cookie_meter *meter)
{
	bool is_now = is_overlap(meter);

	if (is_now && !meter->is_overlapping) {
		meter->is_overlapping = true;
		meter->overlap_from_ns = meter->at_ns;
	} else if (!is_now && meter->is_overlapping) {
		end_overlap(meter, meter->at_ns);
	}
}

int cookie_meter_take(void *context, const struct sched_trace_record *record)
{
	struct cookie_meter *meter = context;

	if (record->kind != SCHED_TRACE_SWITCH)
		return 0;
	for (size_t i = 0; i < meter->n_cpus; i++) {
		if (meter->cpus[i] != record->cpu)
			continue;
		pass_time(meter, record->at_ns);
		meter->is_known[i] = true;
		meter->running[i] = record->next_pid;
		look(meter);
	}
	return 0;
}

void cookie_meter_end(struct cookie_meter *meter)
{
	pass_time(meter, meter->to_ns);
	if (meter->is_overlapping)
		end_overlap(meter, meter->to_ns);
}
