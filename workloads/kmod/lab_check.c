// SPDX-License-Identifier: GPL-2.0-only
#include "lab_check.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#endif

#define WORD_BITS 64

/* What the program has taken so far. */
struct lab_checker {
	__u64 mutexes[LAB_MUTEXES / WORD_BITS];
	__u64 ww_mutexes[LAB_WW_MUTEXES / WORD_BITS];
	__u32 held;
	bool is_in_context; /* between LAB_WW_BEGIN and LAB_WW_END */
	__u32 ww_class;	    /* of this context */
	bool has_released;  /* a ww_mutex of this context */
	__u64 total_ns;
};

static bool is_set(const __u64 *words, __u32 i)
{
	return words[i / WORD_BITS] >> (i % WORD_BITS) & 1;
}

static void flip(__u64 *words, __u32 i)
{
	words[i / WORD_BITS] ^= 1ULL << (i % WORD_BITS);
}

/* How many targets an operation has; 0: it has none. */
static __u32 targets_of(__u32 code)
{
	switch (code) {
	case LAB_LOCK:
	case LAB_LOCK_INTERRUPTIBLE:
	case LAB_LOCK_KILLABLE:
	case LAB_TRYLOCK:
	case LAB_UNLOCK:
		return LAB_MUTEXES;
	case LAB_WW_LOCK:
	case LAB_WW_LOCK_INTERRUPTIBLE:
	case LAB_WW_UNLOCK:
		return LAB_WW_MUTEXES;
	case LAB_WAIT:
	case LAB_POST:
	case LAB_COMPUTE_UNTIL:
		return LAB_EVENTS;
	case LAB_WW_BEGIN:
		return LAB_WW_CLASSES;
	case LAB_WAKE:
		return LAB_ROLES;
	default:
		return 0;
	}
}

static int check_time(struct lab_checker *checker, const struct lab_operation *operation)
{
	bool is_required = false, is_allowed = false;

	switch (operation->code) {
	case LAB_COMPUTE:
	case LAB_SLEEP:
	case LAB_SLEEP_KILLABLE:
	case LAB_SLEEP_IO:
	case LAB_WAIT:
	case LAB_COMPUTE_UNTIL:
		is_required = true;
		break;
	case LAB_LOCK_INTERRUPTIBLE:
		is_allowed = true;
		break;
	}
	if (operation->ns ? !is_required && !is_allowed : is_required)
		return -EINVAL;
	if (operation->ns > LAB_MAX_OPERATION_NS)
		return -EINVAL;
	/* Each is below 2^34 and there are at most 2^9: no overflow. */
	checker->total_ns += operation->ns;
	return checker->total_ns > LAB_MAX_PROGRAM_NS ? -EINVAL : 0;
}

/* A mutex with this number or a higher one is held. */
static bool is_out_of_order(const struct lab_checker *checker, __u32 target)
{
	__u32 i;

	for (i = target; i < LAB_MUTEXES; i++)
		if (is_set(checker->mutexes, i))
			return true;
	return false;
}

static int take(struct lab_checker *checker, __u64 *words, __u32 target)
{
	if (is_set(words, target) || checker->held == LAB_MAX_HELD)
		return -EINVAL;
	flip(words, target);
	checker->held++;
	return 0;
}

static int give_back(struct lab_checker *checker, __u64 *words, __u32 target)
{
	if (!is_set(words, target))
		return -EINVAL;
	flip(words, target);
	checker->held--;
	return 0;
}

static int check_ww(struct lab_checker *checker, const struct lab_operation *operation)
{
	__u32 i;

	switch (operation->code) {
	case LAB_WW_BEGIN:
		if (checker->is_in_context)
			return -EINVAL;
		checker->is_in_context = true;
		checker->ww_class = operation->target;
		checker->has_released = false;
		return 0;
	case LAB_WW_END:
		if (!checker->is_in_context)
			return -EINVAL;
		for (i = 0; i < LAB_WW_MUTEXES / WORD_BITS; i++)
			if (checker->ww_mutexes[i])
				return -EINVAL;
		checker->is_in_context = false;
		return 0;
	case LAB_WW_UNLOCK:
		checker->has_released = true;
		return give_back(checker, checker->ww_mutexes, operation->target);
	default:
		if (!checker->is_in_context || checker->has_released ||
		    operation->target / LAB_WW_PER_CLASS != checker->ww_class)
			return -EINVAL;
		return take(checker, checker->ww_mutexes, operation->target);
	}
}

static int check_operation(struct lab_checker *checker, const struct lab_operation *operation)
{
	__u32 targets = targets_of(operation->code);

	if (operation->code < LAB_LOCK || operation->code >= LAB_CODE_END)
		return -EINVAL;
	if (operation->target >= (targets ? targets : 1) || check_time(checker, operation))
		return -EINVAL;
	switch (operation->code) {
	case LAB_LOCK:
	case LAB_LOCK_INTERRUPTIBLE:
	case LAB_LOCK_KILLABLE:
	case LAB_TRYLOCK:
		if (checker->is_in_context || is_out_of_order(checker, operation->target))
			return -EINVAL;
		return take(checker, checker->mutexes, operation->target);
	case LAB_UNLOCK:
		return give_back(checker, checker->mutexes, operation->target);
	case LAB_WW_BEGIN:
	case LAB_WW_LOCK:
	case LAB_WW_LOCK_INTERRUPTIBLE:
	case LAB_WW_UNLOCK:
	case LAB_WW_END:
		return check_ww(checker, operation);
	default:
		return 0;
	}
}

int lab_check(const struct lab_operation *operations, __u32 n)
{
	struct lab_checker checker = {};
	__u32 i;

	if (!n || n > LAB_MAX_OPERATIONS)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (check_operation(&checker, &operations[i]))
			return -EINVAL;
	return checker.held || checker.is_in_context ? -EINVAL : 0;
}
