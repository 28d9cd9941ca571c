// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lineup.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "measure/random.h"

/* Room above for the kernel's own threads, below for a watch. */
#define PRIORITY_MOST  88
#define PRIORITY_LEAST 10

#define WANTED_PERCENT 130 /* CPU time that all players want, of what there is */
#define DUTY_MOST      90  /* per cent: nobody computes all the time */

/*
 * The strongest deadline is three and a half turns long, and each one after it half a turn longer:
 * far enough apart to make a difference, and near enough for a weak player that waited to come
 * before a strong one that has just woken.
 */
#define DEADLINE_HALF_TURNS 7

#define PAUSE_LEAST_NS UINT64_C(100000)

/* ---- CPUs ---- */

static size_t online_cpus(int *out, size_t max)
{
	cpu_set_t before, all;
	size_t n = 0;

	/* What is asked for is cut down to what the cpuset allows; isolcpus= is no part of that. */
	memset(&all, 0xff, sizeof(all));
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setaffinity(0, sizeof(all), &all) || sched_getaffinity(0, sizeof(all), &all))
		return 0;
	sched_setaffinity(0, sizeof(before), &before);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && n < max)
			out[n++] = cpu;
	return n;
}

/* The last CPU of the process, where the runner's metronome ticks, if no role has it. */
static int metronome_cpu(const struct placement *placement)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &allowed) && cpu != placement->owner_cpu &&
		    cpu != placement->donor_cpu && cpu != placement->observer_cpu)
			return cpu;
	return -1;
}

int lineup_choose_cpus(struct lineup *lineup, const struct topology *topology,
		       const struct placement *placement, bool is_online, bool virtual_time,
		       unsigned int max)
{
	int metronome = virtual_time ? metronome_cpu(placement) : -1;
	int near[CPU_SETSIZE];
	size_t n, free_cpus = 0;

	lineup->conductor_cpu = placement->observer_cpu;
	if (lineup->conductor_cpu < 0)
		return -ENODEV;
	n = is_online ? online_cpus(near, CPU_SETSIZE)
		      : topology_cpus_within(topology, placement->kind, placement->owner_cpu, near,
					     CPU_SETSIZE);
	for (size_t i = 0; i < n && i < CPU_SETSIZE; i++)
		if (near[i] != lineup->conductor_cpu && near[i] != metronome)
			near[free_cpus++] = near[i];
	if (!free_cpus)
		return -ENODEV;
	lineup->n_cpus = free_cpus < max ? (unsigned int)free_cpus : max;
	lineup->cpus = calloc(lineup->n_cpus, sizeof(*lineup->cpus));
	if (!lineup->cpus)
		return -ENOMEM;
	for (unsigned int i = 0; i < lineup->n_cpus; i++)
		lineup->cpus[i] = near[i * free_cpus / lineup->n_cpus];
	return 0;
}

/* ---- players ---- */

static struct task_class class_of(const struct lineup *lineup, const struct lineup_wish *wish,
				  unsigned int i)
{
	/* Two of each with SCHED_RR, or they would never take turns. */
	unsigned int per_rank = wish->policy == SCHED_RR ? 2 : 1;
	unsigned int steps = (lineup->n_players + per_rank - 1) / per_rank;
	unsigned int range = PRIORITY_MOST - PRIORITY_LEAST;
	uint64_t deadline_ns = wish->turn_ns * (DEADLINE_HALF_TURNS + i) / 2;

	if (wish->policy == LINEUP_DEADLINE)
		/* All of its time: nobody is throttled, and admission control is off. */
		return (struct task_class){.policy = LINEUP_DEADLINE,
					   .runtime_ns = deadline_ns,
					   .deadline_ns = deadline_ns,
					   .period_ns = deadline_ns};
	return (struct task_class){
		.policy = wish->policy,
		.priority = PRIORITY_MOST - (uint32_t)(i / per_rank * range / (steps ? steps : 1))};
}

/* How long it computes and rests, so that all want WANTED_PERCENT of the CPUs. */
static void set_pace(const struct lineup *lineup, const struct lineup_wish *wish,
		     struct match_player *player)
{
	uint64_t duty = WANTED_PERCENT * lineup->n_cpus / lineup->n_players;
	uint64_t period_ns = player->class.period_ns;
	uint64_t turn_ns = wish->turn_ns, pause_ns;

	if (duty > DUTY_MOST)
		duty = DUTY_MOST;
	if (period_ns) {
		/* A new deadline comes with a wakeup after the old one: the turn fills the period.
		 */
		turn_ns = period_ns * duty / 100;
		pause_ns = turn_ns / 8;
		player->period_ns = period_ns;
	} else {
		pause_ns = turn_ns * (100 - duty) / duty;
	}
	/* The section is part of the turn. */
	if (player->role == MATCH_OWNER)
		turn_ns = turn_ns > 2 * wish->section_ns ? turn_ns - wish->section_ns : turn_ns / 2;
	player->compute_ns[0] = turn_ns / 3;
	player->compute_ns[1] = turn_ns / 3 * 5 + 1;
	if (period_ns) {
		player->compute_ns[0] = turn_ns / 2;
		player->compute_ns[1] = turn_ns + 1;
	}
	player->pause_ns[0] = PAUSE_LEAST_NS;
	player->pause_ns[1] = PAUSE_LEAST_NS + 2 * pause_ns + 1;
}

static void pair_up(struct lineup *lineup, unsigned int extra)
{
	lineup->n_pairs = (extra + 1) / 2;
	if (lineup->n_pairs > lineup->n_cpus / 2)
		lineup->n_pairs = lineup->n_cpus / 2;
	for (unsigned int i = 0; i < lineup->n_pairs; i++) {
		unsigned int donor = 2 * i, owner = lineup->n_cpus + 2 * i;

		lineup->players[donor].role = MATCH_DONOR;
		lineup->players[owner].role = MATCH_OWNER;
		lineup->partners[donor] = (int)owner;
		lineup->partners[owner] = (int)donor;
	}
}

int lineup_make(struct lineup *lineup, const struct lineup_wish *wish)
{
	struct random random = {.state = random_seed_for(wish->seed, "players")};

	lineup->n_players = lineup->n_cpus + wish->extra;
	lineup->players = calloc(lineup->n_players, sizeof(*lineup->players));
	lineup->partners = calloc(lineup->n_players, sizeof(*lineup->partners));
	if (!lineup->players || !lineup->partners)
		return -ENOMEM;
	for (unsigned int i = 0; i < lineup->n_players; i++)
		lineup->partners[i] = -1;
	if (wish->has_locks)
		pair_up(lineup, wish->extra);
	for (unsigned int i = 0; i < lineup->n_players; i++) {
		struct match_player *player = &lineup->players[i];

		player->class = class_of(lineup, wish, i);
		player->seed = random_next(&random);
		set_pace(lineup, wish, player);
		lineup->n_ranks += !i || wish->policy == LINEUP_DEADLINE ||
				   player->class.priority != player[-1].class.priority;
	}
	return 0;
}

void lineup_share_locks(struct lineup *lineup, struct lock *locks)
{
	for (unsigned int i = 0; i < lineup->n_pairs; i++) {
		lineup->players[2 * i].lock = &locks[i];
		lineup->players[lineup->partners[2 * i]].lock = &locks[i];
	}
}

void lineup_introduce(const struct lineup *lineup, const struct match *match,
		      struct football_player *out)
{
	for (unsigned int i = 0; i < lineup->n_players; i++)
		out[i] = (struct football_player){
			.pid = match_pid(match, i),
			/* MAX_RT_PRIO - 1 less what user space calls it */
			.prio = 99 - (int)lineup->players[i].class.priority,
			.deadline_ns = lineup->players[i].class.deadline_ns,
			.partner = lineup->partners[i],
		};
}

/* ---- locks ---- */

struct making {
	struct lock *lock;
	int cpu;
	int err;
};

static void *make_lock(void *argument)
{
	struct making *making = argument;

	making->err = task_pin(making->cpu);
	if (!making->err)
		making->err = making->lock->ops->init(making->lock);
	return NULL;
}

int lineup_make_lock(struct lock *lock, int cpu)
{
	struct making making = {.lock = lock, .cpu = cpu};
	pthread_attr_t attributes;
	pthread_t thread;
	int err = -pthread_attr_init(&attributes);

	if (err)
		return err;
	pthread_attr_setstacksize(&attributes, MATCH_STACK_BYTES);
	err = -pthread_create(&thread, &attributes, make_lock, &making);
	pthread_attr_destroy(&attributes);
	if (err)
		return err;
	pthread_join(thread, NULL);
	return making.err;
}

void lineup_release(struct lineup *lineup)
{
	free(lineup->cpus);
	free(lineup->players);
	free(lineup->partners);
}
