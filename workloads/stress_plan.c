// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/stress_plan.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "measure/clock.h"
#include "measure/random.h"

#define FORMAT	  "proxeval-stress"
#define NS_PER_MS UINT64_C(1000000)

/*
 * A round is long enough for a few sleeps of an owner (up to 3 ms) and for a throttled group to
 * run out of its 3 ms in 20, and short enough that a wakeup that was missed is seen soon.
 */
#define ROUND_LEAST_NS (40 * NS_PER_MS)
#define ROUND_RANGE_NS (120 * NS_PER_MS)
/* Actors have at most one operation left, and then the machine to themselves: milliseconds. */
#define LIMIT_NS (4 * NS_PER_S)
/* Wider than what campaigns in virtual time draw from: a rough grain finds other things. */
#define METRONOME_LEAST_NS 40000u
#define METRONOME_RANGE_NS 400000u
#define PHASE_RANGE_NS	   (5 * NS_PER_MS) /* several ticks */
#define WORKERS_LEAST	   6u
#define WORKERS_RANGE	   20u
#define DISTURBERS_RANGE   5u /* 0 to 4 */
#define PRIORITY_RANGE	   20u

const char *const stress_mechanism_names[] = {
	[STRESS_F_POS] = "f-pos",	[STRESS_SLEEPING_OWNER] = "sleeping-owner",
	[STRESS_PIPE] = "pipe",		[STRESS_TEE] = "tee",
	[STRESS_TTY] = "tty",		[STRESS_RENAME] = "rename",
	[STRESS_PI_FUTEX] = "pi-futex", [STRESS_COMPUTE] = "compute",
	[STRESS_SIGNALS] = "signals",	[STRESS_CLASSES] = "classes",
	[STRESS_AFFINITY] = "affinity", [STRESS_COOKIES] = "cookies",
	[STRESS_CGROUPS] = "cgroups",	[STRESS_HOTPLUG] = "hotplug",
	[STRESS_MECHANISMS] = NULL,
};

const char *const stress_mechanism_help[] = {
	[STRESS_F_POS] = "lseek() and read() on shared descriptors (f_pos_lock)",
	[STRESS_SLEEPING_OWNER] = "a reader that sleeps on a userfaultfd page with f_pos_lock held",
	[STRESS_PIPE] = "write(), read() and FIONREAD on shared pipes, partly asleep inside",
	[STRESS_TEE] = "tee() holds one pipe's mutex and waits for another's: chains",
	[STRESS_TTY] = "terminal writes, whose waiters a signal interrupts, partly asleep inside",
	[STRESS_RENAME] = "cross-directory renames (s_vfs_rename_mutex)",
	[STRESS_PI_FUTEX] = "futexes with priority inheritance",
	[STRESS_COMPUTE] = "computes and naps",
	[STRESS_SIGNALS] = "signals to workers",
	[STRESS_CLASSES] = "changes of workers' class, priority and nice value",
	[STRESS_AFFINITY] = "changes of where workers may run",
	[STRESS_COOKIES] = "core scheduling's cookies, drawn and changed",
	[STRESS_CGROUPS] = "moves of workers between light, throttled and idle cgroups",
	[STRESS_HOTPLUG] = "CPUs that go and come back",
};

const char *const stress_class_names[] = {"nice", "batch", "idle", "fifo", "rr", "deadline", NULL};

int stress_mechanism_find(const char *name)
{
	for (int i = 0; stress_mechanism_names[i]; i++)
		if (!strcmp(name, stress_mechanism_names[i]))
			return i;
	return -1;
}

bool stress_is_disturber(enum stress_mechanism mechanism)
{
	return mechanism >= STRESS_SIGNALS;
}

bool stress_plan_has(const struct stress_plan *plan, enum stress_mechanism mechanism)
{
	for (size_t i = 0; i < plan->n_actors; i++)
		if (plan->actors[i].mechanism == mechanism)
			return true;
	return false;
}

/* ---- drawing ------------------------------------------------------------------------ */

static bool is_wanted(const struct stress_choice *choice, enum stress_mechanism mechanism)
{
	return !choice || !choice->has_only || choice->only[mechanism];
}

/*
 * Which of the mechanisms from @first to before @end this plan has: each with even chances, so that
 * plans differ in kind and not only in order; at least one where one is wanted. Their number.
 */
static size_t draw_mix(struct random *random, const struct stress_choice *choice, int first,
		       int end, enum stress_mechanism *mix)
{
	enum stress_mechanism all[STRESS_MECHANISMS];
	size_t n_all = 0, n_mix = 0;

	for (int i = first; i < end; i++)
		if (is_wanted(choice, (enum stress_mechanism)i))
			all[n_all++] = (enum stress_mechanism)i;
	for (size_t i = 0; i < n_all; i++)
		if (random_below(random, 2))
			mix[n_mix++] = all[i];
	if (!n_mix && n_all)
		mix[n_mix++] = all[random_below(random, n_all)];
	return n_mix;
}

static void draw_class(struct random *random, struct stress_actor *actor)
{
	static const enum stress_class drawn[] = {
		STRESS_NICE,  STRESS_NICE, STRESS_NICE, STRESS_NICE, STRESS_NICE,
		STRESS_BATCH, STRESS_IDLE, STRESS_FIFO, STRESS_RR,   STRESS_DEADLINE};

	actor->class = drawn[random_below(random, sizeof(drawn) / sizeof(*drawn))];
	actor->nice = (int)random_below(random, 40) - 20;
	actor->priority = 1 + (unsigned int)random_below(random, PRIORITY_RANGE);
	if (actor->class != STRESS_NICE && actor->class != STRESS_BATCH)
		actor->nice = 0;
	if (actor->class != STRESS_FIFO && actor->class != STRESS_RR)
		actor->priority = 0;
}

static void draw_worker(struct random *random, struct stress_actor *actor, unsigned int cookies)
{
	actor->seed = random_next(random) & STRESS_MAX_SEED;
	draw_class(random, actor);
	/* A task of the deadline class may run anywhere, or it does not get into the class. */
	actor->cpu = random_below(random, 2) && actor->class != STRESS_DEADLINE
			     ? (int)random_below(random, 8)
			     : -1;
	actor->cookie = cookies ? (unsigned int)random_below(random, cookies + 1) : 0;
}

static void draw_disturber(struct random *random, struct stress_actor *actor)
{
	actor->seed = random_next(random) & STRESS_MAX_SEED;
	actor->class = STRESS_FIFO;
	actor->priority = 70; /* above all workers: it disturbs whoever runs */
	actor->cpu = -1;
}

static void draw_actors(struct random *random, struct stress_plan *plan,
			const struct stress_choice *choice)
{
	enum stress_mechanism workers[STRESS_MECHANISMS], disturbers[STRESS_MECHANISMS];
	size_t n_worker_kinds = draw_mix(random, choice, 0, STRESS_SIGNALS, workers);
	size_t n_disturber_kinds =
		draw_mix(random, choice, STRESS_SIGNALS, STRESS_MECHANISMS, disturbers);
	size_t n_workers = n_worker_kinds ? WORKERS_LEAST + random_below(random, WORKERS_RANGE) : 0;
	size_t n_disturbers = n_disturber_kinds ? random_below(random, DISTURBERS_RANGE) : 0;
	/* Half of the plans have cookies from the beginning on. */
	unsigned int cookies = is_wanted(choice, STRESS_COOKIES) && random_below(random, 2)
				       ? 1 + (unsigned int)random_below(random, 3)
				       : 0;

	if (!n_workers && n_disturber_kinds)
		n_disturbers++; /* an empty plan is none */
	for (size_t i = 0; i < n_workers; i++) {
		struct stress_actor *actor = &plan->actors[plan->n_actors++];

		actor->mechanism = workers[random_below(random, n_worker_kinds)];
		draw_worker(random, actor, cookies);
	}
	for (size_t i = 0; i < n_disturbers; i++) {
		struct stress_actor *actor = &plan->actors[plan->n_actors++];

		actor->mechanism = disturbers[random_below(random, n_disturber_kinds)];
		draw_disturber(random, actor);
	}
}

void stress_plan_draw(struct stress_plan *plan, uint64_t seed, uint64_t duration_ns,
		      const struct stress_choice *choice)
{
	struct random random = {random_seed_for(seed, "stress")};
	uint64_t rounds;

	*plan = (struct stress_plan){.seed = seed, .trajectory = seed, .limit_ns = LIMIT_NS};
	plan->metronome_period_ns = METRONOME_LEAST_NS + random_below(&random, METRONOME_RANGE_NS);
	plan->phase_ns = random_below(&random, PHASE_RANGE_NS);
	plan->round_ns = ROUND_LEAST_NS + random_below(&random, ROUND_RANGE_NS);
	plan->files = 1 + (unsigned int)random_below(&random, 6);
	plan->pipes = 2 + (unsigned int)random_below(&random, 5);
	plan->terminals = 1 + (unsigned int)random_below(&random, 3);
	plan->folders = 2 + (unsigned int)random_below(&random, 2);
	rounds = (duration_ns + plan->round_ns - 1) / plan->round_ns;
	plan->rounds = rounds < 1		    ? 1
		       : rounds > STRESS_MAX_ROUNDS ? STRESS_MAX_ROUNDS
						    : (unsigned int)rounds;
	draw_actors(&random, plan, choice);
}

/* ---- as a document ------------------------------------------------------------------ */

static void add_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static void add_number(struct json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

static struct json_object *actor_to_json(const struct stress_actor *actor)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "mechanism", stress_mechanism_names[actor->mechanism]);
	add_number(object, "seed", (int64_t)actor->seed);
	add_text(object, "class", stress_class_names[actor->class]);
	add_number(object, "nice", actor->nice);
	add_number(object, "priority", actor->priority);
	add_number(object, "cpu", actor->cpu);
	add_number(object, "cookie", actor->cookie);
	return object;
}

/* The numbers of a plan, with their keys and ranges: written and read from one table. */
static const struct plan_number {
	const char *key;
	size_t offset;
	bool is_wide; /* uint64_t, else unsigned int */
	uint64_t min, max;
} plan_numbers[] = {
	{"seed", offsetof(struct stress_plan, seed), true, 0, STRESS_MAX_SEED},
	{"trajectory", offsetof(struct stress_plan, trajectory), true, 0, STRESS_MAX_SEED},
	{"metronome_period_ns", offsetof(struct stress_plan, metronome_period_ns), true, 0,
	 NS_PER_S},
	{"phase_ns", offsetof(struct stress_plan, phase_ns), true, 0, NS_PER_S},
	{"round_ns", offsetof(struct stress_plan, round_ns), true, 1, 3600 * NS_PER_S},
	{"limit_ns", offsetof(struct stress_plan, limit_ns), true, 1, 3600 * NS_PER_S},
	{"rounds", offsetof(struct stress_plan, rounds), false, 1, STRESS_MAX_ROUNDS},
	{"files", offsetof(struct stress_plan, files), false, 1, STRESS_MAX_OBJECTS},
	{"pipes", offsetof(struct stress_plan, pipes), false, 2, STRESS_MAX_OBJECTS},
	{"terminals", offsetof(struct stress_plan, terminals), false, 1, STRESS_MAX_OBJECTS},
	{"folders", offsetof(struct stress_plan, folders), false, 2, STRESS_MAX_OBJECTS},
};

#define N_PLAN_NUMBERS (sizeof(plan_numbers) / sizeof(*plan_numbers))

struct json_object *stress_plan_to_json(const struct stress_plan *plan)
{
	struct json_object *document = json_object_new_object();
	struct json_object *actors = json_object_new_array();

	add_text(document, "format", FORMAT);
	add_number(document, "version", 1);
	for (size_t i = 0; i < N_PLAN_NUMBERS; i++) {
		const char *at = (const char *)plan + plan_numbers[i].offset;
		uint64_t value =
			plan_numbers[i].is_wide ? *(const uint64_t *)at : *(const unsigned int *)at;

		add_number(document, plan_numbers[i].key, (int64_t)value);
	}
	for (size_t i = 0; i < plan->n_actors; i++)
		json_object_array_add(actors, actor_to_json(&plan->actors[i]));
	json_object_object_add(document, "actors", actors);
	return document;
}

bool stress_is_plan(struct json_object *document)
{
	struct json_object *format;

	return json_object_object_get_ex(document, "format", &format) &&
	       json_object_is_type(format, json_type_string) &&
	       !strcmp(json_object_get_string(format), FORMAT);
}

struct reading {
	char *problem;
	size_t problem_size;
	bool has_failed;
};

static int64_t read_number(struct reading *reading, struct json_object *object, const char *key,
			   int64_t min, int64_t max)
{
	struct json_object *value;

	if (json_object_object_get_ex(object, key, &value) &&
	    json_object_is_type(value, json_type_int)) {
		int64_t number = json_object_get_int64(value);

		if (number >= min && number <= max)
			return number;
	}
	if (!reading->has_failed)
		snprintf(reading->problem, reading->problem_size,
			 "\"%s\" is not a whole number from %lld to %lld", key, (long long)min,
			 (long long)max);
	reading->has_failed = true;
	return min;
}

static int read_word(struct reading *reading, struct json_object *object, const char *key,
		     const char *const *words)
{
	struct json_object *value;

	if (json_object_object_get_ex(object, key, &value) &&
	    json_object_is_type(value, json_type_string))
		for (int i = 0; words[i]; i++)
			if (!strcmp(json_object_get_string(value), words[i]))
				return i;
	if (!reading->has_failed)
		snprintf(reading->problem, reading->problem_size,
			 "\"%s\" is not one of the words that it may be", key);
	reading->has_failed = true;
	return 0;
}

/* All that is wanted was there: more than that must not be. */
static void expect_keys(struct reading *reading, struct json_object *object, const char *what,
			int count)
{
	if (reading->has_failed || json_object_object_length(object) == count)
		return;
	snprintf(reading->problem, reading->problem_size, "%s has a key that is not known", what);
	reading->has_failed = true;
}

static void read_actor(struct reading *reading, struct json_object *object,
		       struct stress_actor *actor)
{
	actor->mechanism = (enum stress_mechanism)read_word(reading, object, "mechanism",
							    stress_mechanism_names);
	actor->seed = (uint64_t)read_number(reading, object, "seed", 0, STRESS_MAX_SEED);
	actor->class = (enum stress_class)read_word(reading, object, "class", stress_class_names);
	actor->nice = (int)read_number(reading, object, "nice", -20, 19);
	actor->priority = (unsigned int)read_number(reading, object, "priority", 0, 99);
	actor->cpu = (int)read_number(reading, object, "cpu", -1, 1023);
	actor->cookie = (unsigned int)read_number(reading, object, "cookie", 0, STRESS_MAX_COOKIES);
	expect_keys(reading, object, "an actor", 7);
}

static void read_actors(struct reading *reading, struct json_object *document,
			struct stress_plan *plan)
{
	struct json_object *actors = NULL;
	size_t count;

	json_object_object_get_ex(document, "actors", &actors);
	count = json_object_is_type(actors, json_type_array) ? json_object_array_length(actors) : 0;
	if ((count < 1 || count > STRESS_MAX_ACTORS) && !reading->has_failed) {
		snprintf(reading->problem, reading->problem_size,
			 "\"actors\" is not a list of 1 to %u", STRESS_MAX_ACTORS);
		reading->has_failed = true;
	}
	for (size_t i = 0; i < count && !reading->has_failed; i++)
		read_actor(reading, json_object_array_get_idx(actors, i), &plan->actors[i]);
	plan->n_actors = count;
}

int stress_plan_read(struct stress_plan *plan, struct json_object *document, char *problem,
		     size_t problem_size)
{
	struct reading reading = {.problem = problem, .problem_size = problem_size};

	*plan = (struct stress_plan){0};
	if (!stress_is_plan(document)) {
		snprintf(problem, problem_size, "\"format\" is not \"" FORMAT "\"");
		return -EINVAL;
	}
	read_number(&reading, document, "version", 1, 1);
	for (size_t i = 0; i < N_PLAN_NUMBERS; i++) {
		char *at = (char *)plan + plan_numbers[i].offset;
		uint64_t value = (uint64_t)read_number(&reading, document, plan_numbers[i].key,
						       (int64_t)plan_numbers[i].min,
						       (int64_t)plan_numbers[i].max);

		if (plan_numbers[i].is_wide)
			*(uint64_t *)at = value;
		else
			*(unsigned int *)at = (unsigned int)value;
	}
	read_actors(&reading, document, plan);
	expect_keys(&reading, document, "the plan", (int)N_PLAN_NUMBERS + 3);
	return reading.has_failed ? -EINVAL : 0;
}
