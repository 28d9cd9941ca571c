// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/torture_draw.h"

#include <stdbool.h>
#include <string.h>

#define MOST_AT_ONCE 4u
#define MOST_PHASES  3u

const char *const torture_mistake_names[TORTURE_MISTAKES] = {
	[MISTAKE_UNLOCK_NOT_HELD] = "an unlock of what is not held",
	[MISTAKE_LEFT_LOCKED] = "a lock that is left at the end",
	[MISTAKE_LOCKED_TWICE] = "a lock that is held already",
	[MISTAKE_WRONG_ORDER] = "a mutex below one that is held",
	[MISTAKE_MUTEX_IN_CONTEXT] = "a mutex inside an acquire context",
	[MISTAKE_OTHER_CLASS] = "a ww_mutex of the other class",
	[MISTAKE_WW_AFTER_UNLOCK] = "a ww_mutex after one was let go",
	[MISTAKE_CONTEXT_IN_CONTEXT] = "a context inside a context",
	[MISTAKE_CONTEXT_LEFT_OPEN] = "a context that is left open",
	[MISTAKE_TARGET] = "a target out of range",
	[MISTAKE_CODE] = "an unknown code",
	[MISTAKE_TIME_TOO_LONG] = "an operation that takes too long",
	[MISTAKE_TIME_MISSING] = "a time that is missing",
	[MISTAKE_TIME_WHERE_NONE] = "a time where there is none",
	[MISTAKE_ALL_TOO_LONG] = "a program that takes too long",
	[MISTAKE_TOO_MANY_HELD] = "too many locks at once",
};

struct draft {
	struct random *random;
	const struct torture_field *field;
	struct lab_operation *operations;
	uint32_t n;
};

static uint32_t below(struct draft *draft, uint32_t limit)
{
	return (uint32_t)random_below(draft->random, limit);
}

static void add(struct draft *draft, uint32_t code, uint32_t target, uint64_t ns)
{
	draft->operations[draft->n++] =
		(struct lab_operation){.code = code, .target = target, .ns = ns};
}

/* What a task does with its locks held: most of the time nothing. */
static void add_act(struct draft *draft)
{
	static const enum lab_code codes[] = {LAB_COMPUTE,  LAB_COMPUTE, LAB_SLEEP,
					      LAB_SLEEP_IO, LAB_WAIT,	 LAB_SLEEP_KILLABLE,
					      LAB_POST,	    LAB_WAKE,	 LAB_COMPUTE_UNTIL};
	uint64_t ns = 1 + random_below(draft->random, draft->field->longest_ns);
	enum lab_code code = codes[below(draft, sizeof(codes) / sizeof(*codes))];

	if (below(draft, 2))
		return;
	if (code == LAB_POST)
		add(draft, code, below(draft, draft->field->events), 0);
	else if (code == LAB_WAKE)
		add(draft, code, below(draft, draft->field->roles), 0);
	else if (code == LAB_WAIT || code == LAB_COMPUTE_UNTIL)
		add(draft, code, below(draft, draft->field->events), ns);
	else
		add(draft, code, 0, ns);
}

/* @n different numbers below @limit, in any order. */
static void draw_numbers(struct draft *draft, uint32_t limit, uint32_t numbers[], uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		bool is_taken = true;

		while (is_taken) {
			numbers[i] = below(draft, limit);
			is_taken = false;
			for (uint32_t k = 0; k < i; k++)
				is_taken |= numbers[k] == numbers[i];
		}
	}
}

static void sort(uint32_t numbers[], uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t k = i; k && numbers[k - 1] > numbers[k]; k--) {
			uint32_t higher = numbers[k - 1];

			numbers[k - 1] = numbers[k];
			numbers[k] = higher;
		}
}

static uint32_t draw_count(struct draft *draft, uint32_t least, uint32_t limit)
{
	uint32_t most = limit < MOST_AT_ONCE ? limit : MOST_AT_ONCE;

	return least + below(draft, most - least + 1);
}

static void add_context(struct draft *draft)
{
	uint32_t n = draw_count(draft, 2, draft->field->ww_mutexes), order[MOST_AT_ONCE];
	uint32_t class = below(draft, LAB_WW_CLASSES), targets[MOST_AT_ONCE];

	draw_numbers(draft, draft->field->ww_mutexes, targets, n);
	draw_numbers(draft, n, order, n);
	add(draft, LAB_WW_BEGIN, class, 0);
	for (uint32_t i = 0; i < n; i++) {
		add(draft, below(draft, 3) ? LAB_WW_LOCK : LAB_WW_LOCK_INTERRUPTIBLE,
		    class * LAB_WW_PER_CLASS + targets[i], 0);
		add_act(draft);
	}
	for (uint32_t i = 0; i < n; i++)
		add(draft, LAB_WW_UNLOCK, class * LAB_WW_PER_CLASS + targets[order[i]], 0);
	add(draft, LAB_WW_END, 0, 0);
}

static void add_lock(struct draft *draft, uint32_t target)
{
	static const enum lab_code codes[] = {LAB_LOCK,
					      LAB_LOCK,
					      LAB_LOCK,
					      LAB_LOCK_KILLABLE,
					      LAB_LOCK_KILLABLE,
					      LAB_LOCK_INTERRUPTIBLE,
					      LAB_LOCK_INTERRUPTIBLE,
					      LAB_TRYLOCK};
	enum lab_code code = codes[below(draft, sizeof(codes) / sizeof(*codes))];
	bool has_limit = code == LAB_LOCK_INTERRUPTIBLE && below(draft, 2);

	add(draft, code, target,
	    has_limit ? 1 + random_below(draft->random, draft->field->longest_ns) : 0);
}

static void add_mutexes(struct draft *draft, bool has_context)
{
	uint32_t n = draw_count(draft, 1, draft->field->mutexes), order[MOST_AT_ONCE];
	uint32_t targets[MOST_AT_ONCE];

	draw_numbers(draft, draft->field->mutexes, targets, n);
	draw_numbers(draft, n, order, n);
	sort(targets, n);
	for (uint32_t i = 0; i < n; i++) {
		add_lock(draft, targets[i]);
		add_act(draft);
	}
	if (has_context)
		add_context(draft);
	for (uint32_t i = 0; i < n; i++) {
		add(draft, LAB_UNLOCK, targets[order[i]], 0);
		add_act(draft);
	}
}

uint32_t torture_draw_program(struct random *random, const struct torture_field *field,
			      struct lab_operation operations[TORTURE_MAX_OPERATIONS])
{
	struct draft draft = {.random = random, .field = field, .operations = operations};
	uint32_t phases = 1 + below(&draft, MOST_PHASES);

	for (uint32_t i = 0; i < phases; i++) {
		if (below(&draft, 3))
			add_mutexes(&draft, !below(&draft, 3));
		else
			add_context(&draft);
	}
	return draft.n;
}

/* ---- with a mistake ----------------------------------------------------------------- */

static bool is_code(const struct lab_operation *operation, enum lab_code code)
{
	return operation->code == code;
}

/* The first operation of that code; there is one. */
static uint32_t find(const struct draft *draft, enum lab_code code)
{
	uint32_t i = 0;

	while (i < draft->n && !is_code(&draft->operations[i], code))
		i++;
	return i;
}

static uint32_t find_last(const struct draft *draft, enum lab_code code)
{
	uint32_t i = draft->n - 1;

	while (i && !is_code(&draft->operations[i], code))
		i--;
	return i;
}

static void insert(struct draft *draft, uint32_t at, uint32_t code, uint32_t target, uint64_t ns)
{
	memmove(&draft->operations[at + 1], &draft->operations[at],
		(draft->n - at) * sizeof(*draft->operations));
	draft->operations[at] = (struct lab_operation){.code = code, .target = target, .ns = ns};
	draft->n++;
}

static void cut(struct draft *draft, uint32_t at)
{
	memmove(&draft->operations[at], &draft->operations[at + 1],
		(draft->n - at - 1) * sizeof(*draft->operations));
	draft->n--;
}

/* A program with something of everything: a mutex above 0, a context, and a time. */
static void add_sample(struct draft *draft)
{
	uint32_t class = below(draft, LAB_WW_CLASSES);

	add(draft, LAB_LOCK, 1 + below(draft, draft->field->mutexes - 1), 0);
	add(draft, LAB_COMPUTE, 0, 1 + random_below(draft->random, draft->field->longest_ns));
	add(draft, LAB_WW_BEGIN, class, 0);
	add(draft, LAB_WW_LOCK, class * LAB_WW_PER_CLASS + below(draft, draft->field->ww_mutexes),
	    0);
	add(draft, LAB_WW_UNLOCK, draft->operations[draft->n - 1].target, 0);
	add(draft, LAB_WW_END, 0, 0);
	add(draft, LAB_UNLOCK, draft->operations[0].target, 0);
}

static void break_locks(struct draft *draft, enum torture_mistake mistake)
{
	uint32_t target = draft->operations[0].target;

	switch (mistake) {
	case MISTAKE_UNLOCK_NOT_HELD:
		add(draft, LAB_UNLOCK, below(draft, LAB_MUTEXES), 0);
		break;
	case MISTAKE_LEFT_LOCKED:
		cut(draft, find_last(draft, LAB_UNLOCK));
		break;
	case MISTAKE_LOCKED_TWICE:
		insert(draft, 1, LAB_TRYLOCK, target, 0);
		break;
	case MISTAKE_WRONG_ORDER:
		target = below(draft, target);
		insert(draft, 1, LAB_LOCK, target, 0);
		insert(draft, 2, LAB_UNLOCK, target, 0);
		break;
	default: /* MISTAKE_TOO_MANY_HELD */
		draft->n = 0;
		for (uint32_t i = 0; i <= LAB_MAX_HELD; i++)
			add(draft, LAB_LOCK, i, 0);
		for (uint32_t i = 0; i <= LAB_MAX_HELD; i++)
			add(draft, LAB_UNLOCK, i, 0);
		break;
	}
}

static void break_context(struct draft *draft, enum torture_mistake mistake)
{
	uint32_t begin = find(draft, LAB_WW_BEGIN), unlock = find(draft, LAB_WW_UNLOCK);
	uint32_t class = draft->operations[begin].target;
	uint32_t own = class * LAB_WW_PER_CLASS, other = (1 - class) * LAB_WW_PER_CLASS;

	switch (mistake) {
	case MISTAKE_MUTEX_IN_CONTEXT:
		insert(draft, begin + 1, LAB_LOCK, LAB_MUTEXES - 1, 0);
		insert(draft, begin + 2, LAB_UNLOCK, LAB_MUTEXES - 1, 0);
		break;
	case MISTAKE_OTHER_CLASS:
		insert(draft, begin + 1, LAB_WW_LOCK, other, 0);
		insert(draft, begin + 2, LAB_WW_UNLOCK, other, 0);
		break;
	case MISTAKE_WW_AFTER_UNLOCK:
		insert(draft, unlock + 1, LAB_WW_LOCK, own, 0);
		insert(draft, unlock + 2, LAB_WW_UNLOCK, own, 0);
		break;
	case MISTAKE_CONTEXT_IN_CONTEXT:
		insert(draft, begin + 1, LAB_WW_BEGIN, class, 0);
		insert(draft, begin + 2, LAB_WW_END, 0, 0);
		break;
	default: /* MISTAKE_CONTEXT_LEFT_OPEN */
		cut(draft, find(draft, LAB_WW_END));
		break;
	}
}

static void break_numbers(struct draft *draft, enum torture_mistake mistake)
{
	struct lab_operation *compute = &draft->operations[find(draft, LAB_COMPUTE)];
	uint64_t any = random_next(draft->random);

	switch (mistake) {
	case MISTAKE_TARGET:
		draft->operations[below(draft, draft->n)].target =
			LAB_MUTEXES + (uint32_t)(any >> 33);
		break;
	case MISTAKE_CODE:
		compute->code = any & 1 ? 0 : LAB_CODE_END + (uint32_t)(any >> 33);
		break;
	case MISTAKE_TIME_TOO_LONG:
		compute->ns = any & 1 ? UINT64_MAX : LAB_MAX_OPERATION_NS + 1 + (any >> 1);
		break;
	case MISTAKE_TIME_MISSING:
		compute->ns = 0;
		break;
	case MISTAKE_TIME_WHERE_NONE:
		draft->operations[find(draft, LAB_UNLOCK)].ns = 1 + (any >> 1);
		break;
	default: /* MISTAKE_ALL_TOO_LONG */
		for (uint64_t sum_ns = 0; sum_ns < LAB_MAX_PROGRAM_NS;
		     sum_ns += LAB_MAX_OPERATION_NS)
			add(draft, LAB_SLEEP, 0, LAB_MAX_OPERATION_NS);
		break;
	}
}

uint32_t torture_draw_mistake(struct random *random, const struct torture_field *field,
			      enum torture_mistake mistake,
			      struct lab_operation operations[TORTURE_MAX_OPERATIONS])
{
	struct draft draft = {.random = random, .field = field, .operations = operations};

	add_sample(&draft);
	switch (mistake) {
	case MISTAKE_UNLOCK_NOT_HELD:
	case MISTAKE_LEFT_LOCKED:
	case MISTAKE_LOCKED_TWICE:
	case MISTAKE_WRONG_ORDER:
	case MISTAKE_TOO_MANY_HELD:
		break_locks(&draft, mistake);
		break;
	case MISTAKE_MUTEX_IN_CONTEXT:
	case MISTAKE_OTHER_CLASS:
	case MISTAKE_WW_AFTER_UNLOCK:
	case MISTAKE_CONTEXT_IN_CONTEXT:
	case MISTAKE_CONTEXT_LEFT_OPEN:
		break_context(&draft, mistake);
		break;
	default:
		break_numbers(&draft, mistake);
		break;
	}
	return draft.n;
}

static uint64_t draw_noise_number(struct random *random, uint64_t small)
{
	return random_below(random, 8) ? random_below(random, small) : random_next(random);
}

uint32_t torture_draw_noise(struct random *random,
			    struct lab_operation operations[TORTURE_MAX_OPERATIONS])
{
	uint32_t n = 1 + (uint32_t)random_below(random, TORTURE_MAX_OPERATIONS);

	for (uint32_t i = 0; i < n; i++)
		operations[i] = (struct lab_operation){
			.code = (uint32_t)draw_noise_number(random, LAB_CODE_END + 1),
			.target = (uint32_t)draw_noise_number(random, 4),
			.ns = random_below(random, 2) ? 0 : draw_noise_number(random, 1000),
		};
	return n;
}
