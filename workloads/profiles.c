// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/profiles.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/workload.h"

/*
 * One item of work: what is not named here is at its standard, in all placements. What is staged
 * otherwise than by the standards so that the whole profile is cheap is for that alone: who names a
 * workload means what its page says.
 */
struct profile_item {
	const char *workload;
	enum { FOR_ALL, FOR_WHOLE_PROFILE, FOR_NAMED_WORKLOAD } use;
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
	/* Parameters that say how much is measured are so many times what the item says, or their
	 * standard; 0: once. Limits are none of them: they say when to give up. */
	unsigned int effort_factor;
};

const char *const profile_names[] = {"quick", "standard", "thorough", "soak", "proof", NULL};

/*
 * What a regression shows in, and no more: the main question in every placement, the others in the
 * one where they say the most; one sample in each boot, and one hog in the way instead of two,
 * which halves the waits that are to be sat through (a factor of 10 in place of 20). Six boots are
 * the fewest with which an exact test on pairs can say anything at 5 %: 2 of 2^6 outcomes are as
 * extreme as "all six", and of 2^5 it would be 6 %. In virtual time labels are permuted: 2 of 924,
 * which survives Holm's correction among 23 primary tests and no more, so that is how many there
 * may be (tests/test_run_work.c). A control's factor hardly varies: one sample in each section of
 * each boot shows what it has to.
 *
 * A section of virtual time costs some 4 s of a host's CPU for each of its busy seconds, a boot 4.5
 * s; twelve boots on two cores may take 20 s each. doc/benchmarks.md has what each row takes.
 *
 * Not here: latency and throughput, of which virtual time says nothing, because all CPUs share one
 * budget of instructions; rename-inversion, whose inversions come by chance, so that each boot
 * would need more than a second of storm to have one; the kinds of locks whose section takes longer
 * to make than to measure; chains of other depths, and the events of donor-migration.
 */
static const char *const same_cpu[] = {"same-cpu", NULL};
static const char *const smt_sibling[] = {"smt-sibling", NULL};
static const char *const cross_node[] = {"cross-node", NULL};
static const char *const few_samples[] = {"samples", "3", "control_samples", "1", NULL};
static const char *const one_sample[] = {"samples", "1", "control_samples", "1", "hogs", "1", NULL};
static const char *const one_pipe[] = {"samples", "1", "control_samples", "1", "hogs", "1", "kind",
				       "pipe",	  NULL};
static const char *const short_periods[] = {"samples", "1", "control_samples", "1", "period_us",
					    "20000",   NULL};
static const char *const shorter_section[] = {
	"samples", "1", "control_samples", "1", "hogs", "1", "section_us", "8000", NULL};
/* Ten wakeups of each player take more than 120 ms. */
static const char *const one_round[] = {"rounds", "1", "round_ms", "160", NULL};
static const char *const few_batches[] = {"batches", "41", NULL};
static const char *const two_samples[] = {"samples", "2", "control_samples", "1", NULL};
static const char *const short_and_long[] = {"depth", "1,8", NULL};
/* clang-format off */
#define WHOLE(name, its_parameters, its_placements) \
	{.workload = name, .use = FOR_WHOLE_PROFILE, .parameters = its_parameters, \
	 .placements = its_placements}
/* clang-format on */
static const struct profile_item quick_items[] = {
	WHOLE("mutex-inversion", one_sample, NULL),
	WHOLE("lock-chain", one_sample, same_cpu),
	WHOLE("sleeping-owner", one_sample, same_cpu),
	WHOLE("lock-kinds", one_pipe, same_cpu),
	WHOLE("core-cookie", one_sample, smt_sibling),
	WHOLE("donor-migration", shorter_section, cross_node),
	WHOLE("rt-balance", one_round, cross_node),
	WHOLE("cgroup-throttle", short_periods, cross_node),
	WHOLE("wakeup-cost", few_batches, same_cpu),
	{.workload = "mutex-inversion", .use = FOR_NAMED_WORKLOAD, .parameters = few_samples},
	{.workload = "lock-chain",
	 .use = FOR_NAMED_WORKLOAD,
	 .parameters = two_samples,
	 .sweeps = short_and_long,
	 .placements = same_cpu},
	{.workload = "sleeping-owner",
	 .use = FOR_NAMED_WORKLOAD,
	 .parameters = two_samples,
	 .placements = same_cpu},
	{.workload = NULL},
};
#undef WHOLE

static const char *const fifo[] = {"donor", "fifo", NULL};
static const char *const nice_donor[] = {"donor", "nice", NULL};
static const char *const deadline[] = {"donor", "deadline", NULL};
static const char *const depths[] = {"depth", "1..16x2", NULL};
static const char *const core_scheduling[] = {"core_sched", "on,off", NULL};
static const char *const realtime_classes[] = {"class", "fifo,rr,deadline", NULL};
static const char *const sleeps[] = {"sleep_on", "pipe,fifo,io_wait", NULL};
/* The matrix asks "whether" of each kind: with less effort than the other questions. */
static const char *const six_samples[] = {"samples", "6", "control_samples", "2", NULL};
static const char *const kinds[] = {
	"kind", "f_pos,rename,pipe,unix,epoll,seq_file,rwsem,pi-futex,plain-futex", NULL};
static const char *const scenarios[] = {
	"scenario",
	"alone,contention,schedload,schedload-contention,contention-throttled,schedload-throttled,"
	"schedload-contention-throttled",
	NULL};
static const struct profile_item standard_items[] = {
	{.workload = "core-cookie", .sweeps = core_scheduling},
	{.workload = "lock-chain", .sweeps = depths},
	{.workload = "rt-balance", .sweeps = realtime_classes},
	{.workload = "mutex-inversion", .parameters = fifo},
	{.workload = "mutex-inversion", .parameters = nice_donor},
	{.workload = "mutex-inversion", .parameters = deadline},
	{.workload = "sleeping-owner", .parameters = fifo},
	{.workload = "sleeping-owner", .parameters = nice_donor},
	{.workload = "sleeping-owner", .sweeps = sleeps},
	{.workload = "lock-kinds", .parameters = six_samples, .sweeps = kinds},
	{.workload = "rename-inversion", .sweeps = scenarios},
	{.workload = NULL},
};

static const char *const cgroup[] = {"owner", "cgroup", NULL};
static const char *const throttled[] = {"owner", "throttled", NULL};
static const char *const busy_owner[] = {"compute_after_us", "50000", NULL};
static const char *const long_section[] = {"section_us", "20000", NULL};
static const char *const all_depths[] = {"depth", "1..64x2", NULL};
static const char *const in_the_kernel[] = {"by", "lab", NULL};
static const struct profile_item thorough_items[] = {
	{.workload = "core-cookie", .sweeps = core_scheduling},
	{.workload = "lock-chain", .sweeps = all_depths},
	{.workload = "lock-chain", .parameters = in_the_kernel, .sweeps = all_depths},
	{.workload = "rt-balance", .sweeps = realtime_classes},
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
	{.workload = "sleeping-owner", .sweeps = sleeps},
	{.workload = "lock-kinds", .parameters = six_samples, .sweeps = kinds},
	{.workload = "rename-inversion", .sweeps = scenarios},
	{.workload = NULL},
};

/*
 * What shows that a patch is needed (bench/proof_rows.c): each workload where the difference is
 * known to be largest, with few samples, since what counts is whether it is there.
 */
static const char *const busy_owner_once[] = {"compute_after_us", "50000", "samples", "2",
					      "control_samples",  "1",	   NULL};
static const char *const drawn_in_chain[] = {
	"by",	       "lab",	    "depth",   "16", "build",		"outside-in",
	"owner_waits", "computing", "samples", "2",  "control_samples", "1",
	NULL};
static const char *const more_batches[] = {"batches", "101", NULL};
static const struct profile_item proof_items[] = {
	{.workload = "core-cookie", .parameters = two_samples, .placements = smt_sibling},
	{.workload = "mutex-inversion", .parameters = busy_owner_once, .placements = same_cpu},
	{.workload = "lock-chain", .parameters = drawn_in_chain, .placements = cross_node},
	{.workload = "sleeping-owner", .parameters = two_samples, .placements = same_cpu},
	{.workload = "wakeup-cost", .parameters = more_batches, .placements = same_cpu},
	{.workload = NULL},
};

static const struct profile profiles[] = {
	{.name = "quick",
	 .summary =
		 "what each workload asks, with the fewest samples that answer it, in two minutes of virtual time",
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
	{.name = "proof",
	 .summary =
		 "what each patch of the series is good for: with it and without, in virtual time",
	 .boots = 2,
	 .items = proof_items},
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

bool profile_is_proof(const char *name)
{
	return !strcmp(name, "proof");
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

/* Whether it says how often, or for how long, the same is done; a limit or a size is no effort in
 * this sense. */
static bool is_repetition(const struct parameter_spec *parameter)
{
	static const char *const names[] = {
		"samples", "control_samples", "rounds", "batches", "loops", "runs", "duration_ms"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (parameter->is_effort && !strcmp(parameter->name, names[i]))
			return true;
	return false;
}

/* Raises it to so many times what is set already, or else the standard. */
static void raise_effort(struct json_object *params, const struct workload *workload,
			 unsigned int factor)
{
	for (const struct parameter_spec *p = workload->parameters; p && p->name; p++) {
		const char *once = p->standard;
		struct json_object *set;
		uint64_t number;
		char text[24];

		if (!is_repetition(p))
			continue;
		if (json_object_object_get_ex(params, p->name, &set))
			once = json_object_get_string(set);
		number = factor * strtoull(once, NULL, 0);
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

/* Adds the profile's work of that workload, which was named (@is_named) or is part of the whole;
 * whether it has any. */
static bool add_items_of(struct json_object *work, const struct profile *profile, const char *name,
			 bool is_named)
{
	bool is_found = false;

	for (const struct profile_item *item = profile->items; item->workload; item++) {
		if (strcmp(item->workload, name) != 0 ||
		    item->use == (is_named ? FOR_WHOLE_PROFILE : FOR_NAMED_WORKLOAD))
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
		if (!add_items_of(work, profile, (*workload)->name, false) && profile->has_all)
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
		if (!add_items_of(work, profile, only[i], true))
			add_item(work, profile, &(struct profile_item){.workload = only[i]});
	}
	return work;
}
