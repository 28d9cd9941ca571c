/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/* Which machine and kernel this is: the "environment" object of a result (doc/internals.md). */
struct json_object *environment_to_json(void);

/*
 * The functions that end in _at read the same below @root: "" for this machine, a
 * folder with recorded /proc and /sys trees for tests (its topology is ROOT/topology.xml,
 * in hwloc's format; without one the object has no topology).
 */
struct json_object *environment_to_json_at(const char *root);

/* What the running kernel says of proxy execution. */
enum proxy_exec_state {
	PROXY_EXEC_UNKNOWN, /* neither its configuration nor its log tells */
	PROXY_EXEC_ABSENT,  /* not built in, or its log calls the switch unknown */
	PROXY_EXEC_OFF,	    /* built in, switched off by the boot argument */
	PROXY_EXEC_ON,
};
enum proxy_exec_state environment_proxy_exec(void);
enum proxy_exec_state environment_proxy_exec_at(const char *root);
const char *proxy_exec_state_name(enum proxy_exec_state state);

/* What the kernel's command line asks for, whether or not the kernel knows the switch. */
enum proxy_exec_request {
	PROXY_EXEC_NOT_NAMED,
	PROXY_EXEC_ASKED_OFF,
	PROXY_EXEC_ASKED_ON,
};
enum proxy_exec_request environment_proxy_exec_request(void);
enum proxy_exec_request environment_proxy_exec_request_at(const char *root);

/*
 * Why a boot that asks for proxy execution cannot have it: one sentence; NULL: nothing is known
 * against it, or it does not ask.
 */
const char *environment_proxy_exec_refusal(void);
const char *environment_proxy_exec_refusal_at(const char *root);

/* One thing that could spoil a measurement here, for doctor and for the result. */
struct spoiler {
	const char *name;   /* "cpufreq-governor" */
	bool spoils;	    /* false: it was looked at and is fine */
	char found[128];    /* "powersave on 8 of 8 CPUs" */
	const char *remedy; /* how to mend it; "" when nothing is to be done */
};

/* Looks at all of them; writes at most @max, returns how many there are. */
size_t environment_spoilers(struct spoiler *out, size_t max);
size_t environment_spoilers_at(const char *root, struct spoiler *out, size_t max);

/* More than there are: the size of an array that takes them all. */
#define SPOILERS_MAX 48

/*
 * How the kernel's command line sets sched_proxy_exec=, by the rules of its own parser:
 * true in *@set when it names the switch in a way that the kernel understands, and then
 * the answer is what the last such word says; otherwise the answer is true, the default.
 */
bool proxy_exec_from_command_line(const char *command_line, bool *set);

/*
 * Whether the running kernel has "CONFIG_…" as y or m: 1 or 0; -ENODATA when its
 * configuration cannot be read. The configuration is read once and kept.
 */
int environment_has_kernel_option(const char *option);

#endif
