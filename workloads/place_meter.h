/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_PLACE_METER_H
#define WORKLOADS_PLACE_METER_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "measure/sched_trace.h"

/*
 * Where an owner and its donor executed, and whether they may have, from a trace of sched_switch
 * and sched_migrate_task: no thread, no clock, no kernel. Proxy execution takes a donor's context
 * to CPUs where the donor itself must never execute; sched_switch tells who executes
 * (measure/sched_trace.h), so each of its records is a test of that.
 */
enum place_role { PLACE_OWNER, PLACE_DONOR, PLACE_ROLES };

struct place_task {
	pid_t pid;
	/* The CPUs that it may execute on until the event begins, and from its end on; in between
	 * both. */
	cpu_set_t before, after;
	/* What was found. */
	uint64_t executions, violations; /* switches to it; those on another CPU */
	uint64_t migrations;		 /* from one runqueue to another */
};

struct place_meter {
	struct place_task tasks[PLACE_ROLES];
	uint64_t from_ns, to_ns;	     /* only what happens in between counts */
	uint64_t donor_from_ns;		     /* the next time that the donor sleeps is the wait */
	uint64_t event_from_ns, event_to_ns; /* 0: there is none */
	/* What was found: from when the donor slept, or the event was over if that is later, until
	 * the owner executed where it may; 0: it did already. */
	bool has_owner_start;
	uint64_t owner_start_ns;
	/* On the way. */
	bool has_slept, is_owner_running;
	uint64_t slept_ns;
};

/* A sched_trace_visitor; @meter is its context, zero but for what is above the findings. Always 0.
 */
int place_meter_take(void *meter, const struct sched_trace_record *record);

#endif
