/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_SECTION_RUN_H
#define BENCH_SECTION_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/environment.h"
#include "bench/section.h"

/* What a section is run under. */
struct section_context {
	const struct topology *topology;
	bool virtual_time;
	enum proxy_exec_state proxy_exec;
	enum proxy_exec_request proxy_exec_request;
	const char *refusal; /* why nothing can be measured as this boot asks; NULL: it can */
	uint64_t metronome_period_ns;						/* 0: none */
	void (*progress)(void *context, unsigned int done, unsigned int total); /* may be NULL */
	void *progress_context;
};

/*
 * Runs one section from its needs to its clean-up: checks what the workload needs, sets its
 * knobs through the settings journal, makes a cgroup and a process for it, takes its result
 * from there, and puts everything back. *@object becomes the whole section object
 * (doc/internals.md), whatever the outcome: a workload that crashes or falls silent
 * is `failed` with the reason. 0; -EINTR after a stop (*@object is NULL then); -ENOMEM.
 */
int section_run(const struct section *section, const struct section_context *context,
		struct json_object **object);

#endif
