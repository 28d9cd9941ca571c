/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include "bench/options.h"

/*
 * Kernels that this program fetches, patches and builds. All of it lives below
 * paths_build("kernel"); a finished build is kept under the hash of what went in.
 */
struct kernel_request {
	const char *base;   /* "7.2"; NULL: the first known base that is to be had */
	const char *tree;   /* --kernel-tree: a git tree or an unpacked source; NULL: the
			       distribution's */
	const char *series; /* a quilt series file; NULL: kernel-patches/series */
	const char *mbox;   /* instead of it, a file of mails that hold one; may be NULL */
	const struct string_list *without;   /* patches to leave out: tags, numbers or names; may
						be NULL */
	const struct string_list *fragments; /* extra configuration fragments; may be NULL */
	uint64_t jobs;			     /* 0: one per CPU */
};

/* A manifest.json that is longer is none. */
#define KERNEL_MANIFEST_MAX_BYTES (1u << 20)

struct kernel_build {
	char *hash;	     /* of everything that went in */
	char *image_path;    /* bzImage */
	char *manifest_path; /* manifest.json: base, patches with their SHA-256, options, compiler
			      */
};

/*
 * Whether what the user names in @request is there and makes sense: the base's form, the
 * tree, the series and its patches, the fragments. Fetches nothing and writes nothing but
 * the series that a file of mails holds. 0, or a
 * negative errno with its message printed: -EINVAL when the user has to change something.
 */
int kernel_check_request(const struct kernel_request *request);

/* The exit code for an errno of these functions. */
int kernel_exit_code(int err);

/*
 * Makes the kernel that @request asks for, or finds it already made. Draws its own
 * progress. 0, or a negative errno with its message printed: -EINTR after a stop, others
 * as kernel_fetch().
 */
int kernel_make(const struct kernel_request *request, struct kernel_build *build);
void kernel_build_release(struct kernel_build *build);

/*
 * The steps of kernel_make() alone: the source is there; the source is there with the
 * series applied. *@tree is a new string, the folder it is in. 0, or a negative errno
 * with its message printed: -ENOENT when no source is to be had or a program is missing,
 * -EINVAL when the tree, the series or a fragment is not usable.
 */
int kernel_fetch(const struct kernel_request *request, char **tree);
int kernel_patch(const struct kernel_request *request, char **tree);

/*
 * Builds the lock laboratory (doc/lock-laboratory.md) for the running kernel, or for the one whose
 * build folder is @tree. *@module_path is a new string. 0, or a negative errno with its message
 * printed: -ENOENT when the kernel's headers are missing, -EINVAL when @tree is no build folder.
 */
int kernel_module(const char *tree, char **module_path);

#endif
