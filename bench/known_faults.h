/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_KNOWN_FAULTS_H
#define BENCH_KNOWN_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/signature.h"
#include "workloads/stress_plan.h"

/*
 * Faults that the base kernel is known to have without the series (kernel-patches/known-faults).
 * A search lists them and keeps one of each, but they are no finds. The file: one a line, "KIND
 * NEEDS TEXT": a signature's kind, the mechanism that the plan must have ("-": any), and what a
 * signature's text begins with; empty lines and lines that begin with '#' are for people.
 */
struct known_fault {
	char kind[16];
	int needs; /* an enum stress_mechanism; -1: nothing */
	char text[320];
};

struct known_faults {
	struct known_fault *items;
	size_t count;
};

/* 0; -EINVAL or another negative errno with its message printed. known_faults_release() is due. */
int known_faults_read(struct known_faults *known, const char *path);
void known_faults_release(struct known_faults *known);

/* Whether it is one of them. @known may be NULL: none is known. */
bool known_faults_has(const struct known_faults *known, const struct signature *signature,
		      const struct stress_plan *plan);

#endif
