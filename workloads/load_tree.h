/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_LOAD_TREE_H
#define WORKLOADS_LOAD_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/topology.h"

/*
 * Other programs as load, which never take the machine down: all of them, and all that they
 * start, are in one cgroup that may have only so much memory and so many processes. Beyond its
 * memory the kernel kills the whole group, and nothing else. The group is killed whole when the
 * load has done its part, and when the process that started it dies, however it dies.
 */
struct load_limits {
	uint64_t memory_bytes; /* 0: no cap (for tests on machines without the controller) */
	unsigned int processes;
};

struct load_tree {
	char *path;   /* the cgroup: SECTION/NAME */
	pid_t guard;  /* kills the group when this process is gone; 0: none */
	int guard_fd; /* whose other end it reads */
};

/*
 * Makes the group @name below the run's cgroup @section (struct workload_run's, may be NULL) and
 * its guard. The calling process moves to SECTION/runner: a cgroup that hands on the memory
 * controller must have no process of its own. 0; -EOPNOTSUPP when this machine or kernel has not
 * what it takes; or another negative errno; each with a sentence in @error.
 */
int load_tree_make(struct load_tree *tree, const char *section, const char *name,
		   const struct load_limits *limits, char *error, size_t error_size);

/* A CPU, and the NUMA node that it belongs to. */
struct load_cpu {
	int cpu, node;
};

#define LOAD_CPUS_MAX 1024

/* The CPU that load leaves alone: the housekeeping CPU, or the last one where every CPU has a role
 * in some placement. */
int load_free_cpu(const struct topology *topology);

/*
 * The CPUs of the machine that load may have: all but that one, or that one too when there is no
 * other. Node by node. Returns how many there are, at most @max.
 */
size_t load_cpus(const struct topology *topology, struct load_cpu *cpus, size_t max);

/* One program in the group. */
struct load_program {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const int *cpus;	 /* where it may run, and all that it starts; NULL: anywhere */
	size_t n_cpus;
	int memory_node; /* where its memory comes from; -1: anywhere */
	int output_fd;	 /* its stdout and stderr; -1: nowhere */
};

/* Starts it. Its pid, or a negative errno; that a program does not exist shows as exit status 127.
 */
pid_t load_tree_start(const struct load_tree *tree, const struct load_program *program);

/* How long the group's processes have run, alive and dead. 0, or a negative errno. */
int load_tree_cpu_ns(const struct load_tree *tree, uint64_t *cpu_ns);

/* How often the kernel killed in the group for want of memory. */
uint64_t load_tree_memory_kills(const struct load_tree *tree);

/* Kills every process of the group, waits until none is left, and ends the guard. Tolerates a tree
 * that was never made. 0, or a negative errno. */
int load_tree_kill(struct load_tree *tree);

#endif
