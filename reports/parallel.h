/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_PARALLEL_H
#define REPORTS_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Calls @run(@context, i) once for every i below @count, by two threads where @is_worth_it.
 * Which of them takes which i is left to chance: a call must depend on nothing
 * but its i. 0, or the error of one of the calls; -ENOMEM is not made here: without a
 * second thread the first does it all.
 */
int parallel_for(size_t count, bool is_worth_it, int (*run)(void *context, size_t i),
		 void *context);

#endif
