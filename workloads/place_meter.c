// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/place_meter.h"

static bool may_execute(const struct place_meter *meter, const struct place_task *task,
			const struct sched_trace_record *record)
{
	bool is_before = CPU_ISSET(record->cpu, &task->before);
	bool is_after = CPU_ISSET(record->cpu, &task->after);

	if (!meter->event_from_ns || record->at_ns < meter->event_from_ns)
		return is_before;
	return record->at_ns > meter->event_to_ns ? is_after : is_before || is_after;
}

/* From when on the owner is wanted to execute for the donor; UINT64_MAX: not yet. */
static uint64_t wanted_from(const struct place_meter *meter)
{
	if (!meter->has_slept)
		return UINT64_MAX;
	return meter->event_to_ns > meter->slept_ns ? meter->event_to_ns : meter->slept_ns;
}

static void see_owner(struct place_meter *meter, uint64_t at_ns)
{
	meter->has_owner_start = true;
	meter->owner_start_ns = at_ns - wanted_from(meter);
}

static void take_switch(struct place_meter *meter, const struct sched_trace_record *record)
{
	const struct place_task *owner = &meter->tasks[PLACE_OWNER];
	const struct place_task *donor = &meter->tasks[PLACE_DONOR];

	for (int i = 0; i < PLACE_ROLES; i++) {
		struct place_task *task = &meter->tasks[i];

		if (record->next_pid != task->pid)
			continue;
		task->executions++;
		task->violations += !may_execute(meter, task, record);
	}
	/* The moment came while the owner executed, up to this switch at least. */
	if (!meter->has_owner_start && meter->is_owner_running &&
	    record->at_ns >= wanted_from(meter))
		see_owner(meter, wanted_from(meter));
	if (!meter->has_slept && record->prev_pid == donor->pid && record->prev_state != 'R' &&
	    record->at_ns >= meter->donor_from_ns) {
		meter->has_slept = true;
		meter->slept_ns = record->at_ns;
	}
	if (record->prev_pid == owner->pid)
		meter->is_owner_running = false;
	if (record->next_pid != owner->pid)
		return;
	meter->is_owner_running = true;
	if (!meter->has_owner_start && record->at_ns >= wanted_from(meter))
		see_owner(meter, record->at_ns);
}

int place_meter_take(void *context, const struct sched_trace_record *record)
{
	struct place_meter *meter = context;

	if (record->at_ns < meter->from_ns || record->at_ns > meter->to_ns)
		return 0;
	if (record->kind == SCHED_TRACE_SWITCH)
		take_switch(meter, record);
	if (record->kind == SCHED_TRACE_MIGRATE)
		for (int i = 0; i < PLACE_ROLES; i++)
			meter->tasks[i].migrations += record->pid == meter->tasks[i].pid;
	return 0;
}
