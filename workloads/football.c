// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/football.h"

#include <stdlib.h>
#include <string.h>

/*
 * Ranks, the lower the stronger: absolute deadlines, then the kernel's real-time priorities, then
 * what has none.
 */
#define RANK_REALTIME (UINT64_C(1) << 62)
#define RANK_NOBODY   UINT64_MAX
#define PRIO_FAIR     100 /* MAX_RT_PRIO of include/linux/sched/prio.h */

enum state {
	ASLEEP,
	BLOCKED, /* on its partner's lock */
	QUEUED,
	RUNNING,
};

struct player {
	const struct football_player *who;
	enum state state;
	uint64_t rank;	     /* its own */
	bool is_rank_unsure; /* its deadline is not to be known: it is not judged */
	uint64_t strongest;  /* its own or its blocked partner's, whichever is the stronger */
	uint64_t deadline_at_ns;
	bool is_waiting, is_inverted; /* in an episode, of either kind */
	uint64_t wait_since_ns, inverted_since_ns;
	uint64_t needed_ns, lent_ns; /* of the spell that goes on */
	int cpu;		     /* where it is queued; -1: not known */
	struct football_scene scene; /* of its wait */
	uint64_t queued_since_ns;    /* there */
};

struct cpu {
	pid_t pid;     /* who runs; 0: idle */
	int player;    /* its index; -1: somebody else */
	uint64_t rank; /* of somebody else */
	int id;
	uint64_t since_ns;	    /* since when this one runs */
	bool is_shared, is_overrun; /* by now an equal one waits, and has waited too long */
};

struct football {
	const struct football_rules *rules;
	struct football_score score;
	struct player *players;
	struct cpu *cpus;
	int *waiting;	   /* indices of players, the strongest first */
	uint64_t *running; /* ranks, the weakest first */
	bool *is_hit;	   /* what evaluate() found about each player */
	uint64_t at_ns;	   /* until when all is accounted for */
	unsigned int eligible;
	bool is_idle; /* one of the CPUs */
};

static uint64_t rank_of_prio(int prio)
{
	if (prio < 0)
		return 0; /* somebody else's deadline: not known, and stronger than real-time */
	return prio < PRIO_FAIR ? RANK_REALTIME + (uint64_t)prio : RANK_NOBODY;
}

static bool is_eligible(const struct player *player)
{
	return player->state == QUEUED || player->state == RUNNING;
}

static bool is_deadline(uint64_t rank)
{
	return rank < RANK_REALTIME;
}

/* Whether @a must come before @b: not in a draw. */
static bool is_stronger(const struct football *football, uint64_t a, uint64_t b)
{
	if (is_deadline(a) && is_deadline(b))
		return a + football->rules->draw_ns < b;
	return a < b;
}

static uint64_t count_ranks(const struct football_rules *rules)
{
	uint64_t ranks = 0;

	for (unsigned int i = 0; i < rules->n_players; i++) {
		const struct football_player *a = &rules->players[i];
		unsigned int j = 0;

		while (j < i && (rules->players[j].deadline_ns != a->deadline_ns ||
				 (!a->deadline_ns && rules->players[j].prio != a->prio)))
			j++;
		ranks += j == i;
	}
	return ranks;
}

struct football *football_new(const struct football_rules *rules)
{
	struct football *football = calloc(1, sizeof(*football));

	if (!football)
		return NULL;
	football->rules = rules;
	football->players = calloc(rules->n_players, sizeof(*football->players));
	football->cpus = calloc(rules->n_cpus, sizeof(*football->cpus));
	football->waiting = calloc(rules->n_players, sizeof(*football->waiting));
	football->running = calloc(rules->n_cpus, sizeof(*football->running));
	football->is_hit = calloc(rules->n_players, sizeof(*football->is_hit));
	if (!football->players || !football->cpus || !football->waiting || !football->running ||
	    !football->is_hit) {
		football_free(football);
		return NULL;
	}
	football->score.ranks = count_ranks(rules);
	return football;
}

void football_free(struct football *football)
{
	if (!football)
		return;
	free(football->players);
	free(football->cpus);
	free(football->waiting);
	free(football->running);
	free(football->is_hit);
	free(football);
}

const struct football_score *football_score(const struct football *football)
{
	return &football->score;
}

/* ---- who should run ---- */

/* The rank that @player is judged by. */
static uint64_t rank_in(const struct player *player, bool is_lending)
{
	if (player->is_rank_unsure)
		return 0;
	return is_lending ? player->strongest : player->rank;
}

static void insert_waiting(struct football *football, unsigned int n, int index, bool is_lending)
{
	uint64_t rank = rank_in(&football->players[index], is_lending);

	for (; n && rank_in(&football->players[football->waiting[n - 1]], is_lending) > rank; n--)
		football->waiting[n] = football->waiting[n - 1];
	football->waiting[n] = index;
}

static void insert_running(struct football *football, unsigned int n, uint64_t rank)
{
	for (; n && football->running[n - 1] < rank; n--)
		football->running[n] = football->running[n - 1];
	football->running[n] = rank;
}

/* Finds the players who belong to the highest N and do not run: is_hit of each. */
static void evaluate(struct football *football, bool is_lending)
{
	const struct football_rules *rules = football->rules;
	unsigned int n_waiting = 0;

	for (unsigned int i = 0; i < rules->n_cpus; i++) {
		const struct cpu *cpu = &football->cpus[i];

		insert_running(football, i,
			       cpu->player < 0
				       ? cpu->rank
				       : rank_in(&football->players[cpu->player], is_lending));
	}
	for (unsigned int i = 0; i < rules->n_players; i++) {
		const struct player *player = &football->players[i];

		football->is_hit[i] = false;
		if (player->state == QUEUED && !player->is_rank_unsure)
			insert_waiting(football, n_waiting++, (int)i, is_lending);
	}
	for (unsigned int i = 0; i < n_waiting && i < rules->n_cpus; i++) {
		int index = football->waiting[i];

		football->is_hit[index] =
			is_stronger(football, rank_in(&football->players[index], is_lending),
				    football->running[i]);
	}
}

/* ---- episodes ---- */

static int prio_of_rank(uint64_t rank)
{
	return rank == RANK_NOBODY ? 140 : is_deadline(rank) ? -1 : (int)(rank - RANK_REALTIME);
}

static void paint_scene(const struct football *football, const struct player *player,
			struct football_scene *scene)
{
	uint64_t weakest = 0;

	*scene = (struct football_scene){.at_ns = football->at_ns,
					 .player = (int)(player - football->players),
					 .cpu = player->cpu,
					 .runner = -1,
					 .weak_cpu = -1};
	for (unsigned int i = 0; i < football->rules->n_cpus; i++) {
		const struct cpu *cpu = &football->cpus[i];
		const struct player *runner =
			cpu->player < 0 ? NULL : &football->players[cpu->player];
		uint64_t rank = runner ? rank_in(runner, football->rules->is_lending) : cpu->rank;

		if (runner && cpu->id == player->cpu) {
			scene->runner = cpu->player;
			scene->runner_prio = runner->who->prio;
			scene->is_runner_helped = runner->strongest < runner->rank;
		}
		if (rank < weakest)
			continue;
		weakest = rank;
		scene->weak_cpu = cpu->id;
		scene->weak_prio = prio_of_rank(rank);
	}
}

static void note_wait(struct football *football, struct player *player, bool is_on, uint64_t now_ns)
{
	struct football_score *score = &football->score;
	uint64_t took_ns = now_ns - player->wait_since_ns;

	if (is_on == player->is_waiting)
		return;
	player->is_waiting = is_on;
	player->wait_since_ns = now_ns;
	if (is_on)
		paint_scene(football, player, &player->scene);
	if (is_on || !took_ns)
		return;
	score->waits++;
	score->wait_ns += took_ns;
	score->violations += took_ns > football->rules->threshold_ns;
	if (took_ns > score->longest_wait_ns) {
		score->longest_wait_ns = took_ns;
		score->longest = player->scene;
		score->longest.took_ns = took_ns;
	}
	if (football->rules->waits)
		histogram_record(football->rules->waits, took_ns);
}

static void note_inversion(struct football *football, struct player *player, bool is_on,
			   uint64_t now_ns)
{
	struct football_score *score = &football->score;
	uint64_t took_ns = now_ns - player->inverted_since_ns;

	if (is_on == player->is_inverted)
		return;
	player->is_inverted = is_on;
	player->inverted_since_ns = now_ns;
	if (is_on || !took_ns)
		return;
	score->inversions++;
	score->inversion_ns += took_ns;
	score->long_inversions += took_ns > football->rules->threshold_ns;
	if (took_ns > score->longest_inversion_ns)
		score->longest_inversion_ns = took_ns;
	if (football->rules->inversions)
		histogram_record(football->rules->inversions, took_ns);
}

static void end_spell(struct football *football, struct player *player)
{
	struct football_score *score = &football->score;

	if (player->needed_ns && player->needed_ns * 2 >= football->rules->threshold_ns) {
		score->spells++;
		score->lent_spells += player->lent_ns * 2 >= player->needed_ns;
		score->needed_ns += player->needed_ns;
		score->lent_ns += player->lent_ns;
	}
	player->needed_ns = 0;
	player->lent_ns = 0;
}

static bool is_helped(const struct player *player)
{
	return is_eligible(player) && player->strongest < player->rank;
}

/* Whether nothing but its partner's rank brings @player among the highest N. */
static bool is_help_needed(const struct football *football, const struct player *player)
{
	unsigned int stronger_than_own = 0, stronger_than_both = 0;

	for (unsigned int i = 0; i < football->rules->n_players; i++) {
		const struct player *other = &football->players[i];
		uint64_t rank = rank_in(other, true);

		if (other == player || !is_eligible(other))
			continue;
		stronger_than_own += is_stronger(football, rank, player->rank);
		stronger_than_both += is_stronger(football, rank, player->strongest);
	}
	return stronger_than_own >= football->rules->n_cpus &&
	       stronger_than_both < football->rules->n_cpus;
}

/* Each player's rank with its partner's, and what goes for all. */
static void survey(struct football *football)
{
	football->eligible = 0;
	for (unsigned int i = 0; i < football->rules->n_players; i++) {
		struct player *player = &football->players[i];
		int partner = player->who->partner;

		player->strongest = player->rank;
		if (!player->is_rank_unsure && partner >= 0 &&
		    football->players[partner].state == BLOCKED &&
		    !football->players[partner].is_rank_unsure &&
		    is_stronger(football, football->players[partner].rank, player->rank))
			player->strongest = football->players[partner].rank;
		football->eligible += is_eligible(player);
	}
	football->is_idle = false;
	for (unsigned int i = 0; i < football->rules->n_cpus; i++)
		football->is_idle |= !football->cpus[i].pid;
}

/* Begins and ends episodes as the state of things is since @now_ns. */
static void judge(struct football *football, uint64_t now_ns)
{
	const struct football_rules *rules = football->rules;

	survey(football);
	evaluate(football, rules->is_lending);
	for (unsigned int i = 0; i < rules->n_players; i++) {
		struct player *player = &football->players[i];

		note_wait(football, player,
			  football->is_hit[i] && !(rules->is_lending && is_helped(player)), now_ns);
	}
	if (!rules->is_lending)
		evaluate(football, true);
	for (unsigned int i = 0; i < rules->n_players; i++) {
		struct player *player = &football->players[i];

		note_inversion(football, player, football->is_hit[i] && is_helped(player), now_ns);
	}
}

/*
 * Since when an equal of @runner, who runs on @cpu, waits there: 0, if none does. A runner whose
 * partner is blocked may have the slice of that one, too.
 */
static uint64_t equal_waits_since(const struct football *football, const struct cpu *cpu,
				  const struct player *runner)
{
	uint64_t since_ns = 0;

	if (runner->who->partner >= 0 && football->players[runner->who->partner].state == BLOCKED)
		return 0;
	for (unsigned int i = 0; i < football->rules->n_players; i++) {
		const struct player *player = &football->players[i];

		if (player->state == QUEUED && player->cpu == cpu->id &&
		    player->rank == runner->rank &&
		    (!since_ns || player->queued_since_ns < since_ns))
			since_ns = player->queued_since_ns;
	}
	return since_ns;
}

/* Whose time slice should have ended by @now_ns. */
static void note_overruns(struct football *football, uint64_t now_ns)
{
	const struct football_rules *rules = football->rules;

	for (unsigned int i = 0; rules->slice_ns && i < rules->n_cpus; i++) {
		struct cpu *cpu = &football->cpus[i];
		uint64_t since_ns =
			cpu->player < 0
				? 0
				: equal_waits_since(football, cpu, &football->players[cpu->player]);

		if (!since_ns)
			continue;
		if (since_ns < cpu->since_ns)
			since_ns = cpu->since_ns;
		football->score.stints += !cpu->is_shared;
		cpu->is_shared = true;
		if (cpu->is_overrun || now_ns - since_ns <= rules->slice_ns + rules->threshold_ns)
			continue;
		football->score.overruns++;
		cpu->is_overrun = true;
	}
}

/* The time from the last event to @now_ns, in which nothing changed. */
static void pass_time(struct football *football, uint64_t now_ns)
{
	struct football_score *score = &football->score;
	uint64_t passed_ns;

	if (now_ns <= football->at_ns)
		return;
	note_overruns(football, now_ns);
	passed_ns = now_ns - football->at_ns;
	football->at_ns = now_ns;
	score->played_ns += passed_ns;
	if (football->eligible >= football->rules->n_cpus)
		score->covered_ns += passed_ns;
	for (unsigned int i = 0; i < football->rules->n_players; i++) {
		struct player *player = &football->players[i];

		if (player->is_waiting && football->is_idle)
			score->idle_ns += passed_ns;
		if (!is_helped(player)) {
			end_spell(football, player);
		} else if (is_help_needed(football, player)) {
			player->needed_ns += passed_ns;
			player->lent_ns += player->state == RUNNING ? passed_ns : 0;
		}
	}
}

/* ---- events ---- */

static int find_player(const struct football *football, pid_t pid)
{
	for (unsigned int i = 0; pid && i < football->rules->n_players; i++)
		if (football->players[i].who->pid == pid)
			return (int)i;
	return -1;
}

static struct cpu *find_cpu(struct football *football, int id)
{
	for (unsigned int i = 0; i < football->rules->n_cpus; i++)
		if (football->rules->cpus[i] == id)
			return &football->cpus[i];
	return NULL;
}

/*
 * A deadline is new with a wakeup that comes after the old one. A player that wakes up before
 * keeps the old one or not, by what is left of its runtime (update_dl_entity() in
 * kernel/sched/deadline.c), and one that was blocked may have been charged for another: nobody
 * outside knows.
 */
static void draw_rank(struct player *player, uint64_t now_ns)
{
	if (!player->who->deadline_ns)
		return;
	player->is_rank_unsure = player->state == BLOCKED || now_ns < player->deadline_at_ns;
	if (player->is_rank_unsure)
		return;
	player->deadline_at_ns = now_ns + player->who->deadline_ns;
	player->rank = player->deadline_at_ns;
}

static void wake(struct football *football, pid_t pid, uint64_t now_ns)
{
	int index = find_player(football, pid);
	struct player *player = index < 0 ? NULL : &football->players[index];

	/* It may be woken before it has left its CPU: then it never slept, or a second event
	 * follows. */
	if (!player || is_eligible(player))
		return;
	draw_rank(player, now_ns);
	player->state = QUEUED;
	/* Where to, the wakeup's second event says. */
	player->cpu = -1;
	football->score.turns++;
}

/* The player, if @pid is one, is queued on @cpu from now on. */
static void queue(struct football *football, pid_t pid, int cpu, uint64_t now_ns)
{
	int index = find_player(football, pid);

	if (index < 0 || football->players[index].state != QUEUED)
		return;
	football->players[index].cpu = cpu;
	football->players[index].queued_since_ns = now_ns;
}

static void leave(struct football *football, const struct sched_trace_record *record)
{
	int index = find_player(football, record->prev_pid);
	struct player *player = index < 0 ? NULL : &football->players[index];

	if (!player)
		return;
	if (record->is_preempted || record->prev_state == 'R') {
		player->state = QUEUED;
		queue(football, record->prev_pid, record->cpu, record->at_ns);
	} else if (record->prev_state == 'D' && player->who->partner >= 0) {
		player->state = BLOCKED;
	} else {
		player->state = ASLEEP;
	}
}

static void enter(struct football *football, const struct sched_trace_record *record)
{
	struct cpu *cpu = find_cpu(football, record->cpu);
	int index = find_player(football, record->next_pid);

	if (index >= 0) {
		const struct football_player *who = football->players[index].who;

		football->players[index].state = RUNNING;
		football->score.switches++;
		football->score.misranked +=
			record->next_prio != (who->deadline_ns ? -1 : who->prio);
	}
	if (!cpu)
		return;
	*cpu = (struct cpu){.pid = record->next_pid,
			    .player = index,
			    .id = record->cpu,
			    .since_ns = record->at_ns,
			    .rank = record->next_pid ? rank_of_prio(record->next_prio)
						     : RANK_NOBODY};
}

void football_take(struct football *football, const struct sched_trace_record *record)
{
	pass_time(football, record->at_ns);
	switch (record->kind) {
	case SCHED_TRACE_SWITCH:
		leave(football, record);
		enter(football, record);
		break;
	case SCHED_TRACE_WAKING:
	case SCHED_TRACE_WAKEUP:
		wake(football, record->pid, record->at_ns);
		if (record->kind == SCHED_TRACE_WAKEUP)
			queue(football, record->pid, record->to_cpu, record->at_ns);
		break;
	case SCHED_TRACE_MIGRATE:
		queue(football, record->pid, record->to_cpu, record->at_ns);
		return;
	default:
		return;
	}
	judge(football, football->at_ns);
}

void football_begin(struct football *football, uint64_t at_ns)
{
	for (unsigned int i = 0; i < football->rules->n_players; i++) {
		const struct football_player *who = &football->rules->players[i];

		football->players[i] = (struct player){
			.who = who,
			.rank = who->deadline_ns ? 0 : rank_of_prio(who->prio),
		};
	}
	for (unsigned int i = 0; i < football->rules->n_cpus; i++)
		football->cpus[i] = (struct cpu){
			.player = -1, .rank = RANK_NOBODY, .id = football->rules->cpus[i]};
	football->at_ns = at_ns;
	judge(football, at_ns);
}

void football_end(struct football *football, uint64_t at_ns)
{
	pass_time(football, at_ns);
	for (unsigned int i = 0; i < football->rules->n_players; i++) {
		struct player *player = &football->players[i];

		note_wait(football, player, false, football->at_ns);
		note_inversion(football, player, false, football->at_ns);
		end_spell(football, player);
	}
}
