/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_WORKLOAD_H
#define WORKLOADS_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/environment.h"
#include "bench/topology.h"
#include "measure/metric.h"

/*
 * The contract between a workload and the runner. A workload is one file that ends
 * with one `const struct workload`; it declares what it needs, its parameters and
 * its metrics, and fills a result. It never prints, parses JSON, or exits.
 */
enum parameter_kind {
	PARAMETER_NUMBER, /* from min to max, in the unit that its name ends with */
	PARAMETER_CHOICE, /* one of choices */
};

struct parameter_spec {
	const char *name; /* "section_bytes", "donor" */
	const char *unit; /* "bytes", "ns", "cpus", "count"; "" for a choice */
	enum parameter_kind kind;
	const char *standard; /* the default, as text */
	const char *const *choices;
	uint64_t min, max;
	/*
	 * Says how much is measured and not what: two results that differ in it may still be
	 * compared. Every other parameter that is not at its standard is part of a section's id.
	 */
	bool is_effort;
	const char *help;
};

/* The value of a knob that the workload changes itself, and the runner puts back. */
#define KNOB_AS_IT_IS "(as it is)"

struct workload_needs {
	bool root;
	/* The guests get the lock laboratory's module (workloads/lab.h), where their kernel has
	 * one. */
	bool lock_laboratory;
	unsigned int min_cpus;
	const char *const *kernel_options; /* "CONFIG_USERFAULTFD", NULL-terminated; unknown counts
					      as present */
	const char *const *files;	   /* must exist and be readable, e.g. "/proc/self/sched" */
	/*
	 * Other programs that it may run, by name, NULL-terminated: a guest is given them with
	 * their libraries, where they are here. Whether what it runs is there, the workload asks.
	 */
	const char *const *programs;
	/* Knobs that the runner sets before setup and puts back after cleanup: "path", "value"
	 * pairs, NULL-terminated. */
	const char *const *knobs;
	/* Records scheduler events: it gets an instance of tracefs, where there can be one. */
	bool trace;
};

/* What the runner hands to every callback. */
struct workload_run {
	const struct placement *placement;
	const struct topology *topology;
	const char *const *values; /* one per parameter, in the table's order, checked */
	uint64_t seed;		   /* of this section: draws everything that is random */
	bool virtual_time;
	enum proxy_exec_state proxy_exec; /* what the kernel says: evidence is held to it */
	enum proxy_exec_request proxy_exec_request; /* what it was asked for, if it says nothing */
	/* A cgroup v2 directory of this run's own, killed whole afterwards, whose parent takes
	 * controllers back that it was made to give on meanwhile; NULL: none. */
	const char *cgroup;
	/* A directory in tracefs of this run's own, for sched_trace_open() (measure/sched_trace.h);
	 * NULL: needs.trace is not set, or there is no tracefs. */
	const char *trace;
	struct result *result;	  /* to be filled */
	volatile const int *stop; /* non-zero: end soon */
	void (*progress)(void *context, unsigned int done,
			 unsigned int total); /* may be called now and then */
	void *progress_context;
	void *state; /* the workload's own, from setup to cleanup */
};

struct workload {
	const char *name;
	const char *summary;
	const struct parameter_spec *parameters; /* ended by .name = NULL */
	const struct metric_spec *metrics;	 /* ended by .name = NULL */
	struct workload_needs needs;
	unsigned int placements; /* bit mask: 1 << PLACEMENT_… */
	/* Nothing else may run meanwhile, on any CPU: no metronome beats in virtual time. */
	bool is_alone;
	/*
	 * Optional. Whether the parameters go together: @values as in struct workload_run, each
	 * checked alone already. 0, or -EINVAL with one sentence in @error. Called before anything
	 * is booted, and again by the runner.
	 */
	int (*check)(const char *const *values, char *error, size_t error_size);
	/*
	 * Optional. Knobs that depend on the parameters, as needs.knobs; NULL: none. Only
	 * run->placement, values and seed are there yet.
	 */
	const char *const *(*knobs)(const struct workload_run *run);
	/*
	 * All three run in a process of the section's own, in its cgroup, which ends after
	 * them: what they change about the process needs no undoing, and a crash costs the
	 * section only.
	 *
	 * Optional. Before measuring: allocate, create threads. A failure is a negative
	 * errno, better with result_set_outcome (without, the reason is the errno's text);
	 * it skips measure; cleanup still runs.
	 */
	int (*setup)(struct workload_run *run);
	/* Required. Fills run->result. 0, or a negative errno as for setup. */
	int (*measure)(struct workload_run *run);
	/* Optional. Always runs once after setup was called, also after a partial one. */
	void (*cleanup)(struct workload_run *run);
};

extern const struct workload workload_cgroup_throttle;
extern const struct workload workload_core_cookie;
extern const struct workload workload_donor_migration;
extern const struct workload workload_latency;
extern const struct workload workload_lock_chain;
extern const struct workload workload_lock_kinds;
extern const struct workload workload_lock_torture;
extern const struct workload workload_mutex_inversion;
extern const struct workload workload_rename_inversion;
extern const struct workload workload_rt_balance;
extern const struct workload workload_sleeping_owner;
extern const struct workload workload_throughput;
extern const struct workload workload_wakeup_cost;

/* The one explicit list; NULL-terminated. */
extern const struct workload *const workloads[];
const struct workload *workload_find(const char *name);

/* The value of the parameter @name of @run; it must be in the table. */
uint64_t workload_number(const struct workload *workload, const struct workload_run *run,
			 const char *name);
const char *workload_choice(const struct workload *workload, const struct workload_run *run,
			    const char *name);

/* Calls the workload's check, if it has one: 0, or -EINVAL with one sentence in @error. */
int workload_check_values(const struct workload *workload, const char *const *values, char *error,
			  size_t error_size);

/*
 * Checks "NAME=VALUE" against the table. 0 with @index set, or -EINVAL with one
 * sentence in @error. @value_out (may be NULL) points at the value inside @text.
 */
int workload_check_parameter(const struct workload *workload, const char *text, size_t *index,
			     const char **value_out, char *error, size_t error_size);

#endif
