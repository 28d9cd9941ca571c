// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/profiles.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/workload.h"

/* One item of work: what is not named here is at its standard, in all placements. */
struct profile_item {
	const char *workload;
	const char *const *parameters; /* name, value, …; NULL-terminated */
	const char *const *sweeps; /* name, values as --sweep takes them, …; NULL-terminated */
	const char *const *placements; /* NULL-terminated; NULL: all */
};

struct profile {
	const char *name;
	const char *summary;
	unsigned int boots;
	const struct profile_item *items; /* ended by .workload = NULL */
	bool has_all;			  /* a workload without an item is done at its standards */
	/* Parameters that say how much is measured are so many times their standard; 0: once.
	 * Limits are none of them: they say when to give up. */
	unsigned int effort_factor;
};

const char *const profile_names[] = {"quick", "standard", "thorough", "soak", NULL};

/*
 * What a regression shows in, and no more: three phases of the section. Six boots are the
 * fewest with which an exact test on pairs can say anything at 5 %: 2 of 2^6 outcomes are as
 * extreme as "all six", and of 2^5 it would be 6 %. A control's factor hardly varies: one
 * sample in each section of each boot shows what it has to.
 */
static const char *const few_samples[] = {"samples", "3", "control_samples", "1", NULL};
static const struct profile_item quick_items[] = {
	{.workload = "mutex-inversion", .parameters = few_samples},
	{.workload = NULL},
};

static const char *const fifo[] = {"donor", "fifo", NULL};
static const char *const nice_donor[] = {"donor", "nice", NULL};
static const char *const deadline[] = {"donor", "deadline", NULL};
/* clang-format off */
static const char *const sleep_on_pipe[] = {"sleep_on", "pipe", NULL};
static const char *const sleep_on_fifo[] = {"sleep_on", "fifo", NULL};
static const char *const sleep_on_io[] = {"sleep_on", "io_wait", NULL};
#define SLEEPING_OWNERS \
	{.workload = "sleeping-owner", .parameters = sleep_on_pipe}, \
	{.workload = "sleeping-owner", .parameters = sleep_on_fifo}, \
	{.workload = "sleeping-owner", .parameters = sleep_on_io}

/* The matrix of lock-kinds asks "whether" of each kind, and the rest with less effort. */
#define LOCK_KIND(name) {"kind", name, "samples", "6", "control_samples", "2", NULL}
static const char *const kind_f_pos[] = LOCK_KIND("f_pos");
static const char *const kind_rename[] = LOCK_KIND("rename");
static const char *const kind_pipe[] = LOCK_KIND("pipe");
static const char *const kind_unix[] = LOCK_KIND("unix");
static const char *const kind_epoll[] = LOCK_KIND("epoll");
static const char *const kind_seq_file[] = LOCK_KIND("seq_file");
static const char *const kind_rwsem[] = LOCK_KIND("rwsem");
static const char *const kind_pi_futex[] = LOCK_KIND("pi-futex");
static const char *const kind_plain_futex[] = LOCK_KIND("plain-futex");
#define LOCK_KINDS \
	{.workload = "lock-kinds", .parameters = kind_f_pos}, \
	{.workload = "lock-kinds", .parameters = kind_rename}, \
	{.workload = "lock-kinds", .parameters = kind_pipe}, \
	{.workload = "lock-kinds", .parameters = kind_unix}, \
	{.workload = "lock-kinds", .parameters = kind_epoll}, \
	{.workload = "lock-kinds", .parameters = kind_seq_file}, \
	{.workload = "lock-kinds", .parameters = kind_rwsem}, \
	{.workload = "lock-kinds", .parameters = kind_pi_futex}, \
	{.workload = "lock-kinds", .parameters = kind_plain_futex}

static const char *const alone[] = {"scenario", "alone", NULL};
static const char *const contention[] = {"scenario", "contention", NULL};
static const char *const schedload[] = {"scenario", "schedload", NULL};
static const char *const schedload_contention[] = {"scenario", "schedload-contention", NULL};
static const char *const contention_throttled[] = {"scenario", "contention-throttled", NULL};
static const char *const schedload_throttled[] = {"scenario", "schedload-throttled", NULL};
static const char *const schedload_contention_throttled[] = {"scenario", "schedload-contention-throttled", NULL};
#define RENAME_SCENARIOS \
	{.workload = "rename-inversion", .parameters = alone}, \
	{.workload = "rename-inversion", .parameters = contention}, \
	{.workload = "rename-inversion", .parameters = schedload}, \
	{.workload = "rename-inversion", .parameters = schedload_contention}, \
	{.workload = "rename-inversion", .parameters = contention_throttled}, \
	{.workload = "rename-inversion", .parameters = schedload_throttled}, \
	{.workload = "rename-inversion", .parameters = schedload_contention_throttled}
/* clang-format on */
static const struct profile_item standard_items[] = {
	{.workload = "mutex-inversion", .parameters = fifo},
	{.workload = "mutex-inversion", .parameters = nice_donor},
	{.workload = "mutex-inversion", .parameters = deadline},
	{.workload = "sleeping-owner", .parameters = fifo},
	{.workload = "sleeping-owner", .parameters = nice_donor},
	SLEEPING_OWNERS,
	LOCK_KINDS,
	RENAME_SCENARIOS,
	{.workload = NULL},
};

static const char *const cgroup[] = {"owner", "cgroup", NULL};
static const char *const throttled[] = {"owner", "throttled", NULL};
static const char *const busy_owner[] = {"compute_after_us", "50000", NULL};
static const char *const long_section[] = {"section_us", "20000", NULL};
static const struct profile_item thorough_items[] = {
	{.workload = "mutex-inversion", .parameters = fifo},
	{.workload = "mutex-inversion", .parameters = nice_donor},
	{.workload = "mutex-inversion", .parameters = deadline},
	{.workload = "mutex-inversion", .parameters = cgroup},
	{.workload = "mutex-inversion", .parameters = throttled},
	{.workload = "mutex-inversion", .parameters = busy_owner},
	{.workload = "mutex-inversion", .parameters = long_section},
	{.workload = "sleeping-owner", .parameters = fifo},
	{.workload = "sleeping-owner", .parameters = nice_donor},
	{.workload = "sleeping-owner", .parameters = deadline},
	{.workload = "sleeping-owner", .parameters = cgroup},
	SLEEPING_OWNERS,
	LOCK_KINDS,
	RENAME_SCENARIOS,
	{.workload = NULL},
};

static const struct profile profiles[] = {
	{.name = "quick",
	 .summary = "the main question in every placement, in about a minute of virtual time",
	 .boots = 6,
	 .items = quick_items},
	{.name = "standard",
	 .summary = "every workload in every placement, with every class of donor",
	 .boots = 8,
	 .items = standard_items,
	 .has_all = true},
	{.name = "thorough",
	 .summary = "also every kind of weak owner, long sections, and owners that go on computing",
	 .boots = 20,
	 .items = thorough_items,
	 .has_all = true},
	{.name = "soak",
	 .summary =
		 "the work of thorough in sections ten times as long, for hours on a real machine",
	 .boots = 6,
	 .items = thorough_items,
	 .has_all = true,
	 .effort_factor = 10},
};

static const struct profile *find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

const char *profile_summary(const char *name)
{
	const struct profile *profile = find(name);

	return profile ? profile->summary : NULL;
}

unsigned int profile_boots(const char *name)
{
	const struct profile *profile = find(name);

	return profile ? profile->boots : 0;
}

/* {"NAME": "VALUE", …} of a list of names and values. */
static struct json_object *pairs_to_json(const char *const *pairs)
{
	struct json_object *object = json_object_new_object();

	for (; pairs && pairs[0]; pairs += 2)
		json_object_object_add(object, pairs[0], json_object_new_string(pairs[1]));
	return object;
}

static bool is_effort(const struct parameter_spec *parameter)
{
	return parameter->is_effort && parameter->kind == PARAMETER_NUMBER &&
	       strncmp(parameter->name, "limit_", 6) != 0;
}

/* What is not set already is raised to so many times its standard. */
static void raise_effort(struct json_object *params, const struct workload *workload,
			 unsigned int factor)
{
	for (const struct parameter_spec *p = workload->parameters; p && p->name; p++) {
		uint64_t number = factor * strtoull(p->standard, NULL, 0);
		char text[24];

		if (!is_effort(p) || json_object_object_get_ex(params, p->name, NULL))
			continue;
		snprintf(text, sizeof(text), "%" PRIu64,
			 p->max && number > p->max ? p->max : number);
		json_object_object_add(params, p->name, json_object_new_string(text));
	}
}

static void add_item(struct json_object *work, const struct profile *profile,
		     const struct profile_item *given)
{
	struct json_object *item = json_object_new_object();
	struct json_object *placements = json_object_new_array();
	struct json_object *params = pairs_to_json(given->parameters);
	const char *const *place = given->placements;

	if (!place)
		json_object_array_add(placements, json_object_new_string("all"));
	for (; place && *place; place++)
		json_object_array_add(placements, json_object_new_string(*place));
	if (profile->effort_factor)
		raise_effort(params, workload_find(given->workload), profile->effort_factor);
	json_object_object_add(item, "workload", json_object_new_string(given->workload));
	json_object_object_add(item, "placements", placements);
	json_object_object_add(item, "params", params);
	if (given->sweeps)
		json_object_object_add(item, "sweeps", pairs_to_json(given->sweeps));
	json_object_array_add(work, item);
}

/* Adds the profile's work of that workload; whether it has any. */
static bool add_items_of(struct json_object *work, const struct profile *profile, const char *name)
{
	bool is_found = false;

	for (const struct profile_item *item = profile->items; item->workload; item++) {
		if (strcmp(item->workload, name) != 0)
			continue;
		add_item(work, profile, item);
		is_found = true;
	}
	return is_found;
}

/* All that the profile has, by workload in the order of their list. */
static void add_whole_profile(struct json_object *work, const struct profile *profile)
{
	for (const struct workload *const *workload = workloads; *workload; workload++)
		if (!add_items_of(work, profile, (*workload)->name) && profile->has_all)
			add_item(work, profile,
				 &(struct profile_item){.workload = (*workload)->name});
}

struct json_object *profile_work(const char *name, const char *const *only, size_t n_only)
{
	const struct profile *profile = find(name);
	struct json_object *work;

	if (!profile)
		return NULL;
	work = json_object_new_array();
	if (!n_only)
		add_whole_profile(work, profile);
	for (size_t i = 0; i < n_only; i++) {
		if (!workload_find(only[i])) {
			json_object_put(work);
			return NULL;
		}
		if (!add_items_of(work, profile, only[i]))
			add_item(work, profile, &(struct profile_item){.workload = only[i]});
	}
	return work;
}
