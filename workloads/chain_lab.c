// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/chain_lab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "workloads/lab.h"

/* Roles: links by their level, the owner as the one behind the last, the donor 0, then leaves. */
#define FIRST_LEAF (CHAIN_MAX_DEPTH + 1)
/* Event 0 releases the owner, the others are the links' by their level. */
#define OWNER_EVENT 0
#define MAX_STEPS   16

struct program {
	struct lab_operation operations[MAX_STEPS];
	struct lab_result results[MAX_STEPS];
	uint32_t n, done;
};

struct lab_state {
	struct lab_session session;
	/* The links' programs, by level: who is killed leaves what came of it here. */
	struct program links[CHAIN_MAX_DEPTH];
};

static void add(struct program *program, enum lab_code code, uint32_t target, uint64_t ns)
{
	program->operations[program->n++] =
		(struct lab_operation){.code = (uint32_t)code, .target = target, .ns = ns};
}

static int run(struct chain *chain, uint32_t role, struct program *program)
{
	struct lab_state *state = chain->state;
	int err = lab_run_program(&state->session, role, program->operations, program->n,
				  program->results, &program->done);

	if (err)
		return err;
	return program->done < program->n ? program->results[program->done].status : 0;
}

/* What came of the operation that waits for the next lock, and of the first to unlock it. */
static void note(const struct program *program, uint32_t wait, uint32_t unlock_next,
		 uint32_t unlock_own, struct chain_record *record)
{
	record->want_ns = program->results[wait].begin_ns;
	record->got_ns = program->results[wait].end_ns;
	record->sleeps = program->results[wait].sleeps;
	record->status = program->results[wait].status;
	if (unlock_next)
		record->free_next_ns = program->results[unlock_next].begin_ns;
	if (unlock_own)
		record->free_own_ns = program->results[unlock_own].begin_ns;
}

/* How long a holder stays at most before it is released: the whole may take no longer. */
static uint64_t stay_ns(const struct chain *chain)
{
	return chain->limit_ns < LAB_MAX_OPERATION_NS ? chain->limit_ns : LAB_MAX_OPERATION_NS;
}

static int lab_hold(struct chain *chain)
{
	struct chain_record *record = &chain->records[chain->depth];
	struct program program = {0};
	uint32_t own = chain->depth - 1, unlock_own;
	bool has_second = chain->leaves > chain->depth;
	int err;

	add(&program, LAB_LOCK, own, 0);
	if (has_second)
		add(&program, LAB_LOCK, own + 1, 0);
	add(&program, chain->owner_sleeps ? LAB_WAIT : LAB_COMPUTE_UNTIL, OWNER_EVENT,
	    stay_ns(chain));
	add(&program, LAB_COMPUTE, 0, chain->section_ns);
	/* The second one last, so that the first unlock is before what either's waiters do. */
	unlock_own = program.n;
	add(&program, LAB_UNLOCK, own, 0);
	if (has_second)
		add(&program, LAB_UNLOCK, own + 1, 0);
	err = run(chain, chain->depth, &program);
	record->free_own_ns = program.results[unlock_own].begin_ns;
	record->status = err;
	return err;
}

static uint32_t plain_lock(const struct chain *chain)
{
	return chain->waits_interruptibly ? LAB_LOCK_INTERRUPTIBLE : LAB_LOCK;
}

static void add_wait(struct chain *chain, unsigned int level, struct program *program)
{
	if (level != chain_event_level(chain) || chain->event == CHAIN_WAKEUP)
		add(program, plain_lock(chain), level, 0);
	else if (chain->event == CHAIN_TIMEOUT)
		add(program, LAB_LOCK_INTERRUPTIBLE, level, chain->timeout_ns);
	else if (chain->event == CHAIN_KILL)
		add(program, LAB_LOCK_KILLABLE, level, 0);
	else
		add(program, LAB_LOCK_INTERRUPTIBLE, level, 0);
}

/* Behind its own lock and, when the chain is drawn in, its stay there. */
static uint32_t wait_step(const struct chain *chain)
{
	return chain->build == CHAIN_OUTSIDE_IN ? 2 : 1;
}

static void note_link(struct chain *chain, unsigned int level)
{
	struct lab_state *state = chain->state;
	uint32_t wait = wait_step(chain), unlock = wait + 1 + (chain->link_ns != 0);

	note(&state->links[level], wait, unlock, unlock + 1, &chain->records[level]);
}

static int lab_link(struct chain *chain, unsigned int level)
{
	struct lab_state *state = chain->state;
	struct program *program = &state->links[level];
	int err;

	*program = (struct program){0};
	add(program, LAB_LOCK, level - 1, 0);
	if (chain->build == CHAIN_OUTSIDE_IN)
		add(program, LAB_COMPUTE_UNTIL, level, stay_ns(chain));
	add_wait(chain, level, program);
	if (chain->link_ns)
		add(program, LAB_COMPUTE, 0, chain->link_ns);
	add(program, LAB_UNLOCK, level, 0);
	add(program, LAB_UNLOCK, level - 1, 0);
	err = run(chain, level, program);
	note_link(chain, level);
	return err;
}

/* The kernel has written the results, though the call did not come back. */
static int lab_killed(struct chain *chain, unsigned int level)
{
	note_link(chain, level);
	return chain->records[level].status;
}

static int lab_touch(struct chain *chain, unsigned int lock, unsigned int leaf)
{
	struct chain_record *record = leaf ? &chain->leaf_records[leaf - 1] : &chain->records[0];
	/* The last leaf of a tree waits for the owner's second mutex. */
	uint32_t target = leaf > chain->depth ? chain->depth : lock;
	struct program program = {0};
	int err;

	add(&program, plain_lock(chain), target, 0);
	add(&program, LAB_UNLOCK, target, 0);
	err = run(chain, leaf ? FIRST_LEAF + leaf - 1 : 0, &program);
	note(&program, 0, 1, 0, record);
	return err;
}

static int lab_advance(struct chain *chain, unsigned int level)
{
	struct lab_state *state = chain->state;

	return lab_post_event(&state->session, level);
}

static int lab_release(struct chain *chain)
{
	struct lab_state *state = chain->state;

	return lab_post_event(&state->session, OWNER_EVENT);
}

static int lab_wake(struct chain *chain, unsigned int level)
{
	struct lab_state *state = chain->state;

	return lab_wake_role(&state->session, level);
}

const struct chain_ops chain_lab_ops = {
	.name = "lab",
	.hold = lab_hold,
	.link = lab_link,
	.touch = lab_touch,
	.advance = lab_advance,
	.release = lab_release,
	.killed = lab_killed,
	.wake = lab_wake,
};

int chain_lab_init(struct chain *chain, char *reason, size_t reason_size)
{
	struct lab_state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	err = lab_session_open(&state->session, reason, reason_size);
	if (err) {
		free(state);
		return err;
	}
	chain->state = state;
	return 0;
}

void chain_lab_release(struct chain *chain)
{
	struct lab_state *state = chain->state;

	if (state)
		lab_session_close(&state->session);
	free(state);
	chain->state = NULL;
}
