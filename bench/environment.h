/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/* Which machine and kernel this is: the "environment" object of a result (doc/internals.md). */
struct json_object *environment_to_json(void);

/* What the running kernel says of proxy execution. */
enum proxy_exec_state {
	PROXY_EXEC_UNKNOWN, /* the configuration cannot be read */
	PROXY_EXEC_ABSENT,  /* CONFIG_SCHED_PROXY_EXEC is not set */
	PROXY_EXEC_OFF,     /* built in, switched off by the boot argument */
	PROXY_EXEC_ON,
};
enum proxy_exec_state environment_proxy_exec(void);
const char *proxy_exec_state_name(enum proxy_exec_state state);

/* One thing that could spoil a measurement here, for doctor and for the result. */
struct spoiler {
	const char *name;     /* "cpufreq-governor" */
	bool spoils;          /* false: it was looked at and is fine */
	char found[128];      /* "powersave on 8 of 8 CPUs" */
	const char *remedy;   /* how to mend it; "" when nothing is to be done */
};

/* Looks at all of them; writes at most @max, returns how many there are. */
size_t environment_spoilers(struct spoiler *out, size_t max);

#endif
