// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock laboratory's check of programs: what it lets pass obeys the rules one by one, as a plain
 * list of what is held tells, and no longer does when one of its locks or unlocks is taken out.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "workloads/kmod/lab_check.h"

#define OPERATION_BYTES 3
#define MOST		(LAB_MAX_OPERATIONS + 2)

/* Three bytes an operation, so that good programs are within reach. */
static uint32_t read_operations(const uint8_t *data, size_t size, struct lab_operation *operations)
{
	static const uint64_t times_ns[] = {0,
					    1,
					    LAB_MAX_OPERATION_NS,
					    LAB_MAX_OPERATION_NS + 1,
					    LAB_MAX_PROGRAM_NS,
					    UINT64_MAX,
					    1ULL << 32,
					    500};
	uint32_t n = 0;

	for (; size >= OPERATION_BYTES && n < MOST;
	     size -= OPERATION_BYTES, data += OPERATION_BYTES)
		operations[n++] = (struct lab_operation){
			.code = data[0] % (LAB_CODE_END + 2),
			.target = data[1] | (data[2] & 1u) << 8,
			.ns = times_ns[(data[2] >> 1) % 8],
		};
	return n;
}

struct held {
	uint32_t kinds[LAB_MAX_HELD], targets[LAB_MAX_HELD], n;
};

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

static void take(struct held *held, uint32_t kind, uint32_t target)
{
	must(held->n < LAB_MAX_HELD);
	for (uint32_t i = 0; i < held->n; i++)
		must(held->kinds[i] != kind ||
		     (kind ? held->targets[i] != target : held->targets[i] < target));
	held->kinds[held->n] = kind;
	held->targets[held->n++] = target;
}

static void give_back(struct held *held, uint32_t kind, uint32_t target)
{
	for (uint32_t i = 0; i < held->n; i++) {
		if (held->kinds[i] != kind || held->targets[i] != target)
			continue;
		held->n--;
		held->kinds[i] = held->kinds[held->n];
		held->targets[i] = held->targets[held->n];
		return;
	}
	abort();
}

static bool has_kind(const struct held *held, uint32_t kind)
{
	for (uint32_t i = 0; i < held->n; i++)
		if (held->kinds[i] == kind)
			return true;
	return false;
}

/* Kind 0 are mutexes, kind 1 ww_mutexes; @context is -1 outside of one. */
static void follow(struct held *held, int *context, const struct lab_operation *operation)
{
	switch (operation->code) {
	case LAB_LOCK:
	case LAB_LOCK_INTERRUPTIBLE:
	case LAB_LOCK_KILLABLE:
	case LAB_TRYLOCK:
		must(*context < 0 && operation->target < LAB_MUTEXES);
		take(held, 0, operation->target);
		break;
	case LAB_UNLOCK:
		give_back(held, 0, operation->target);
		break;
	case LAB_WW_BEGIN:
		must(*context < 0);
		*context = (int)operation->target;
		break;
	case LAB_WW_LOCK:
	case LAB_WW_LOCK_INTERRUPTIBLE:
		must(operation->target < LAB_WW_MUTEXES &&
		     (int)(operation->target / LAB_WW_PER_CLASS) == *context);
		take(held, 1, operation->target);
		break;
	case LAB_WW_UNLOCK:
		give_back(held, 1, operation->target);
		break;
	case LAB_WW_END:
		must(*context >= 0 && !has_kind(held, 1));
		*context = -1;
		break;
	default:
		must(operation->code && operation->code < LAB_CODE_END &&
		     operation->target < LAB_EVENTS);
		break;
	}
}

static void obeys(const struct lab_operation *operations, uint32_t n)
{
	struct held held = {.n = 0};
	uint64_t sum_ns = 0;
	int context = -1;

	must(n && n <= LAB_MAX_OPERATIONS);
	for (uint32_t i = 0; i < n; i++) {
		must(operations[i].ns <= LAB_MAX_OPERATION_NS);
		sum_ns += operations[i].ns;
		follow(&held, &context, &operations[i]);
	}
	must(!held.n && context < 0 && sum_ns <= LAB_MAX_PROGRAM_NS);
}

static void needs_each(const struct lab_operation *operations, uint32_t n)
{
	struct lab_operation fewer[MOST];

	for (uint32_t i = 0; i < n; i++) {
		if (operations[i].code > LAB_WW_END)
			continue;
		memcpy(fewer, operations, i * sizeof(*fewer));
		memcpy(&fewer[i], &operations[i + 1], (n - i - 1) * sizeof(*fewer));
		must(lab_check(fewer, n - 1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct lab_operation operations[MOST];
	uint32_t n = read_operations(data, size_bytes, operations);

	if (lab_check(operations, n))
		return 0;
	obeys(operations, n);
	if (n < 64)
		needs_each(operations, n);
	return 0;
}
