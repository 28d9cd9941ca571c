/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_QEMU_H
#define BENCH_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The QEMU that is here, and the command lines that are given to it. */
#define QEMU_PROGRAM "qemu-system-x86_64"
/* Before 9, a virtual-time guest hands the CPU over every few ms, and may freeze. */
#define QEMU_VIRTUAL_TIME_MIN_MAJOR 9u

struct qemu_version {
	unsigned int major;
	char text[64]; /* "10.0.2" */
};

/* 0; -ENOENT: there is no QEMU here; -EINVAL: it does not say a version. */
int qemu_find_version(struct qemu_version *version);

/*
 * 0 when the QEMU that is here takes in a library through @preload ("LD_PRELOAD=…"), and
 * that is bench/qemu_turns.c; -ENOTSUP when it does not, as a static one; another errno.
 */
int qemu_check_turns(const char *preload);

/* Reads "QEMU emulator version 10.0.2 (Debian …)". 0 or -EINVAL. */
int qemu_parse_version(const char *text, struct qemu_version *version);

/* The guest's CPUs, from "2x2x2" (nodes x cores x threads) or "2x2x2x1" (nodes x dies x cores x
 * threads). */
struct vm_topology {
	unsigned int nodes, dies, cores, threads; /* cores per die, dies per node */
};

/* No kernel here is built for more, and QEMU's q35 ends soon after. */
#define VM_MAX_CPUS  64u
#define VM_MAX_NODES 8u

/*
 * 0, or -EINVAL with one sentence (without a full stop) in @error, which names @text
 * and what would be right.
 */
int vm_topology_parse(const char *text, struct vm_topology *topology, char *error,
		      size_t error_size);
unsigned int vm_topology_cpus(const struct vm_topology *topology);

/* The distance that the firmware tells the kernel: 10 at home, 10 more for each hop around a ring.
 */
unsigned int vm_topology_distance(const struct vm_topology *topology, unsigned int from,
				  unsigned int to);

enum vm_accelerator {
	VM_VIRTUAL_TIME, /* TCG, one thread, the clock counts instructions */
	VM_TCG,		 /* TCG, a thread per CPU, the host's clock */
	VM_KVM,
};

/* "kvm" or "tcg": what a result's environment says. */
const char *vm_accelerator_name(enum vm_accelerator accelerator);

/* One guest. The strings are borrowed. */
struct vm_machine {
	enum vm_accelerator accelerator;
	struct vm_topology topology;
	unsigned int memory_mib;
	uint64_t seed; /* VM_VIRTUAL_TIME: QEMU's -seed, and a kernel argument of another length */
	const char *kernel_arguments; /* the variant's own */
	const char *image_path, *initrd_path;
	const char *console_path, *result_path; /* files for ttyS0 and ttyS1 */
	const char *gdb_path;			/* a socket for a debugger; NULL: none */
	bool has_full_log; /* the kernel says all on its console, which takes it time */
};

/* A growing, NULL-terminated argument vector that owns its strings. */
struct argument_vector {
	char **items;
	size_t count;
	bool failed; /* memory ran out: do not use it */
};
void argument_vector_release(struct argument_vector *arguments);

/*
 * The whole command line for @machine. 0 or -ENOMEM (@arguments is then empty). What it
 * says depends on nothing but @machine.
 */
int qemu_arguments(const struct vm_machine *machine, struct argument_vector *arguments);

#endif
