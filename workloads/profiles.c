// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/profiles.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "workloads/workload.h"

/* One item of work: everything not named here is at its standard, in all placements. */
struct profile_item {
	const char *workload;
	const char *const *parameters; /* name, value, …; NULL-terminated */
};

struct profile {
	const char *name;
	const char *summary;
	unsigned int boots;
	const struct profile_item *items; /* ended by .workload = NULL */
};

const char *const profile_names[] = {"quick", "standard", "thorough", NULL};

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
static const struct profile_item standard_items[] = {
	{.workload = "mutex-inversion", .parameters = fifo},
	{.workload = "mutex-inversion", .parameters = nice_donor},
	{.workload = "mutex-inversion", .parameters = deadline},
	{.workload = "sleeping-owner", .parameters = fifo},
	{.workload = "sleeping-owner", .parameters = nice_donor},
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
	{.workload = NULL},
};

static const struct profile profiles[] = {
	{.name = "quick",
	 .summary = "the main question in every placement, in about a minute of virtual time",
	 .boots = 6,
	 .items = quick_items},
	{.name = "standard",
	 .summary = "every class of donor in every placement",
	 .boots = 8,
	 .items = standard_items},
	{.name = "thorough",
	 .summary = "also every kind of weak owner, long sections, and owners that go on computing",
	 .boots = 20,
	 .items = thorough_items},
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

static void add_item(struct json_object *work, const char *workload, const char *const *parameters)
{
	struct json_object *item = json_object_new_object();
	struct json_object *placements = json_object_new_array_ext(1);
	struct json_object *params = json_object_new_object();

	json_object_array_add(placements, json_object_new_string("all"));
	for (; parameters && parameters[0]; parameters += 2)
		json_object_object_add(params, parameters[0],
				       json_object_new_string(parameters[1]));
	json_object_object_add(item, "workload", json_object_new_string(workload));
	json_object_object_add(item, "placements", placements);
	json_object_object_add(item, "params", params);
	json_object_array_add(work, item);
}

/* Whether the profile has work of that name; adds it. */
static bool add_items_of(struct json_object *work, const struct profile *profile, const char *name)
{
	bool is_found = false;

	for (const struct profile_item *item = profile->items; item->workload; item++) {
		if (name && strcmp(item->workload, name) != 0)
			continue;
		add_item(work, item->workload, item->parameters);
		is_found = true;
	}
	return is_found;
}

struct json_object *profile_work(const char *name, const char *const *only, size_t n_only)
{
	const struct profile *profile = find(name);
	struct json_object *work;

	if (!profile)
		return NULL;
	work = json_object_new_array();
	if (!n_only)
		add_items_of(work, profile, NULL);
	for (size_t i = 0; i < n_only; i++) {
		if (!workload_find(only[i])) {
			json_object_put(work);
			return NULL;
		}
		if (!add_items_of(work, profile, only[i]))
			add_item(work, only[i], NULL);
	}
	return work;
}
