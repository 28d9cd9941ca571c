// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/torture_holds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCKS	   (LAB_MUTEXES + LAB_WW_MUTEXES)
#define ROOM_FIRST 1024u

static int append(struct torture_holds *holds, uint32_t lock, uint64_t from_ns, uint64_t until_ns)
{
	if (holds->n == holds->room) {
		size_t room = holds->room ? 2 * holds->room : ROOM_FIRST;
		struct torture_hold *more = realloc(holds->holds, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		holds->holds = more;
		holds->room = room;
	}
	holds->holds[holds->n++] =
		(struct torture_hold){.lock = lock, .from_ns = from_ns, .until_ns = until_ns};
	return 0;
}

/* The lock that an operation takes or lets go. */
static uint32_t lock_of(const struct lab_operation *operation)
{
	return operation->code >= LAB_WW_LOCK ? LAB_MUTEXES + operation->target : operation->target;
}

/* Ends what is held of locks @first and above, at @until_ns; it may begin anew at @again_ns. */
static int interrupt(struct torture_holds *holds, uint64_t since_ns[LOCKS], uint32_t first,
		     uint64_t until_ns, uint64_t again_ns)
{
	int err = 0;

	for (uint32_t lock = first; lock < LOCKS && !err; lock++) {
		if (!since_ns[lock])
			continue;
		err = append(holds, lock, since_ns[lock], until_ns);
		since_ns[lock] = again_ns;
	}
	return err;
}

static int follow(struct torture_holds *holds, const struct lab_operation *operation,
		  const struct lab_result *result, uint64_t since_ns[LOCKS])
{
	uint32_t lock = lock_of(operation);
	int err = 0;

	switch (operation->code) {
	case LAB_LOCK:
	case LAB_LOCK_INTERRUPTIBLE:
	case LAB_LOCK_KILLABLE:
	case LAB_TRYLOCK:
		since_ns[lock] = result->end_ns;
		return 0;
	case LAB_WW_LOCK:
	case LAB_WW_LOCK_INTERRUPTIBLE:
		if (result->backoffs)
			err = interrupt(holds, since_ns, LAB_MUTEXES, result->begin_ns,
					result->end_ns);
		since_ns[lock] = result->end_ns;
		return err;
	case LAB_UNLOCK:
	case LAB_WW_UNLOCK:
		err = append(holds, lock, since_ns[lock], result->begin_ns);
		since_ns[lock] = 0;
		return err;
	default:
		return 0;
	}
}

int torture_holds_add(struct torture_holds *holds, const struct lab_operation *operations,
		      const struct lab_result *results, uint32_t n)
{
	uint64_t since_ns[LOCKS] = {0};
	int err = 0;

	for (uint32_t i = 0; i < n && !err && results[i].begin_ns; i++) {
		if (results[i].status)
			return interrupt(holds, since_ns, 0, results[i].begin_ns, 0);
		err = follow(holds, &operations[i], &results[i], since_ns);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct torture_hold *first = a, *second = b;

	if (first->lock != second->lock)
		return first->lock < second->lock ? -1 : 1;
	if (first->from_ns != second->from_ns)
		return first->from_ns < second->from_ns ? -1 : 1;
	return 0;
}

size_t torture_holds_count_overlaps(struct torture_holds *holds)
{
	size_t overlaps = 0;
	uint64_t until_ns = 0;

	if (holds->n)
		qsort(holds->holds, holds->n, sizeof(*holds->holds), compare);
	for (size_t i = 0; i < holds->n; i++) {
		const struct torture_hold *hold = &holds->holds[i];

		if (!i || hold->lock != holds->holds[i - 1].lock)
			until_ns = 0;
		overlaps += hold->from_ns < until_ns;
		if (hold->until_ns > until_ns)
			until_ns = hold->until_ns;
	}
	return overlaps;
}

void torture_holds_clear(struct torture_holds *holds)
{
	holds->n = 0;
}

void torture_holds_free(struct torture_holds *holds)
{
	free(holds->holds);
	*holds = (struct torture_holds){0};
}
