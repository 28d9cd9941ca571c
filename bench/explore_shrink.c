// SPDX-License-Identifier: GPL-2.0-only
#include "bench/explore_shrink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/seed.h"

/* Candidates that are weighed against each other before one is taken. */
#define MAX_CANDIDATES (STRESS_MAX_ACTORS + 8)

struct candidates {
	struct stress_plan *plans;
	size_t count;
};

static void add(struct candidates *candidates, const struct stress_plan *plan)
{
	if (candidates->count < MAX_CANDIDATES)
		candidates->plans[candidates->count++] = *plan;
}

/* The same plan on its way number @trajectory; 0 is its own. */
static struct stress_plan on_trajectory(const struct stress_plan *plan, unsigned int trajectory)
{
	struct stress_plan other = *plan;

	if (trajectory)
		other.trajectory = seed_mix(plan->trajectory, trajectory) & STRESS_MAX_SEED;
	return other;
}

/*
 * The first candidate that shows the fault becomes *@plan. 1 when there was one, 0 when not, or a
 * negative errno. Every candidate's own trajectory comes before any other's second.
 */
static int take_first(struct shrink *shrink, const struct candidates *candidates,
		      struct stress_plan *plan, unsigned int *rounds)
{
	size_t total = candidates->count * shrink->trajectories;
	struct stress_plan *batch = calloc(shrink->width, sizeof(*batch));
	int answer = SHRINK_NONE;

	if (!batch)
		return -ENOMEM;
	for (size_t next = 0; next < total && answer == SHRINK_NONE && shrink->runs_left;) {
		size_t n_batch = 0;

		for (; n_batch < shrink->width && next < total && shrink->runs_left; next++) {
			batch[n_batch++] =
				on_trajectory(&candidates->plans[next % candidates->count],
					      (unsigned int)(next / candidates->count));
			shrink->runs_left--;
		}
		answer = shrink->try_plans(shrink->context, batch, n_batch, rounds);
	}
	if (answer >= 0)
		*plan = batch[answer];
	free(batch);
	return answer >= 0 ? 1 : answer == SHRINK_NONE ? 0 : SHRINK_ERRNO(answer);
}

static void without_actors(const struct stress_plan *plan, size_t from, size_t to,
			   struct stress_plan *less)
{
	*less = *plan;
	memmove(&less->actors[from], &less->actors[to],
		(plan->n_actors - to) * sizeof(plan->actors[0]));
	less->n_actors = plan->n_actors - (to - from);
}

/* Leaves out groups of actors, ever smaller ones, until none can go. */
static int shrink_actors(struct shrink *shrink, struct candidates *candidates,
			 struct stress_plan *plan, unsigned int *rounds)
{
	size_t group = (plan->n_actors + 1) / 2;

	while (plan->n_actors > 1 && group && shrink->runs_left) {
		int found;

		candidates->count = 0;
		for (size_t from = 0; from < plan->n_actors; from += group) {
			size_t to = from + group < plan->n_actors ? from + group : plan->n_actors;
			struct stress_plan less;

			without_actors(plan, from, to, &less);
			if (less.n_actors)
				add(candidates, &less);
		}
		found = take_first(shrink, candidates, plan, rounds);
		if (found < 0)
			return found;
		if (!found)
			group = group == 1 ? 0 : (group + 1) / 2;
		else if (group > plan->n_actors)
			group = (plan->n_actors + 1) / 2;
	}
	return 0;
}

/* No round behind the one in which it showed: the way there stays nearly the same. */
static int cut_rounds(struct shrink *shrink, struct candidates *candidates,
		      struct stress_plan *plan, unsigned int *rounds)
{
	struct stress_plan less = *plan;
	int found;

	if (!*rounds || *rounds >= plan->rounds)
		return 0;
	less.rounds = *rounds;
	candidates->count = 0;
	add(candidates, &less);
	found = take_first(shrink, candidates, plan, rounds);
	return found < 0 ? found : 0;
}

/* As few rounds as will do: what shows it sooner is easier to watch. */
static int shrink_rounds(struct shrink *shrink, struct candidates *candidates,
			 struct stress_plan *plan, unsigned int *rounds)
{
	int found = 1;

	while (found > 0 && plan->rounds > 1 && shrink->runs_left) {
		struct stress_plan less = *plan;

		candidates->count = 0;
		for (unsigned int wanted = 1; wanted < plan->rounds; wanted *= 2) {
			less.rounds = wanted;
			add(candidates, &less);
		}
		found = take_first(shrink, candidates, plan, rounds);
	}
	return found < 0 ? found : 0;
}

static bool is_plain(const struct stress_actor *actor)
{
	return actor->class == STRESS_NICE && !actor->nice && actor->cpu < 0 && !actor->cookie;
}

static void make_plain(struct stress_actor *actor)
{
	actor->class = STRESS_NICE;
	actor->nice = 0;
	actor->priority = 0;
	actor->cpu = -1;
	actor->cookie = 0;
}

/* Fewer things to fight for, no metronome, and workers without anything special, one by one. */
static void add_plainer(struct candidates *candidates, const struct stress_plan *plan)
{
	struct stress_plan plainer = *plan;

	plainer.files = plainer.terminals = 1;
	plainer.pipes = plainer.folders = 2;
	if (memcmp(&plainer, plan, sizeof(plainer)) != 0)
		add(candidates, &plainer);
	plainer = *plan;
	plainer.phase_ns = 0;
	if (plan->phase_ns)
		add(candidates, &plainer);
	for (size_t i = 0; i < plan->n_actors; i++) {
		plainer = *plan;
		if (is_plain(&plan->actors[i]) || stress_is_disturber(plan->actors[i].mechanism))
			continue;
		make_plain(&plainer.actors[i]);
		add(candidates, &plainer);
	}
}

static int shrink_details(struct shrink *shrink, struct candidates *candidates,
			  struct stress_plan *plan, unsigned int *rounds)
{
	int found = 1;

	while (found > 0 && shrink->runs_left) {
		candidates->count = 0;
		add_plainer(candidates, plan);
		found = candidates->count ? take_first(shrink, candidates, plan, rounds) : 0;
	}
	return found < 0 ? found : 0;
}

int shrink_plan(struct shrink *shrink, struct stress_plan *plan, unsigned int rounds)
{
	struct candidates candidates = {.plans =
						calloc(MAX_CANDIDATES, sizeof(struct stress_plan))};
	int err = candidates.plans ? 0 : -ENOMEM;

	if (!err)
		err = cut_rounds(shrink, &candidates, plan, &rounds);
	/* First, as every later candidate takes as long as its rounds. */
	if (!err)
		err = shrink_rounds(shrink, &candidates, plan, &rounds);
	if (!err)
		err = shrink_actors(shrink, &candidates, plan, &rounds);
	if (!err)
		err = shrink_details(shrink, &candidates, plan, &rounds);
	if (!err)
		err = shrink_rounds(shrink, &candidates, plan, &rounds);
	free(candidates.plans);
	return err;
}
