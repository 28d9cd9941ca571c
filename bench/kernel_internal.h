/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_KERNEL_INTERNAL_H
#define BENCH_KERNEL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/files.h"
#include "bench/kernel.h"

/*
 * The pieces of bench/kernel.c, apart so that the tests reach them. Below
 * paths_build("kernel"):
 *
 * - lock: one process at a time fetches, patches or builds
 * - sources/ID/source.json: what it is and where it came from; written last, so it marks a whole
 *   tree
 * - sources/ID/tree/: the source, with a series applied or not
 * - sources/ID/originals/: what the files that a series touched looked like before
 * - sources/ID/objects/: the build tree, reused by the next build of this source
 * - sources/ID/lab/, module-objects/: where the lock laboratory is built (bench/kernel_module.c)
 * - kernels/HASH/: finished builds: bzImage config manifest.json build.log, the module
 * - modules/RELEASE/: the module for kernels that are not ours
 * - mbox/HASH/: the patches and the series file that a saved thread was made into
 * - apt/: the private package lists
 */

/* --- kernel_apt.c: the distribution's package, without touching the machine's apt --- */

/* One archive that the machine's own apt uses. */
struct apt_archive {
	char *uri;
	char *suite;
	char *components; /* separated by blanks */
	char *signed_by;  /* as written, an armoured key with its line breaks included; NULL: apt's
			     default */
};

struct apt_archives {
	struct apt_archive *items;
	size_t count;
};

/*
 * Reads one-line entries ("deb [signed-by=…] URI SUITE COMPONENT…") or deb822 stanzas
 * and appends the binary archives that are enabled, one item per URI and suite.
 * Lines that make no sense are skipped, as the machine's own apt complains about
 * them better than we could; so is what comes after the first 512. 0 or -ENOMEM.
 */
int apt_parse_one_line(const char *text, struct apt_archives *archives);
int apt_parse_deb822(const char *text, struct apt_archives *archives);
void apt_archives_release(struct apt_archives *archives);

/* The first archive with `main` of the suite @codename; failing that, the first with main. NULL:
 * none. */
const struct apt_archive *apt_find_main(const struct apt_archives *archives, const char *codename);

/* The text of a deb822 source for @suite on the mirror of @archive. The caller frees it. */
char *apt_render_source(const struct apt_archive *archive, const char *suite);

/*
 * The bases that the series is for, up to a NULL. Without --base the first that is to be had is
 * taken; so the first is the one that the published figures and the proof are of.
 */
extern const char *const kernel_bases[];

struct apt_package {
	char *base;    /* "7.2", of linux-source-7.2 */
	char *version; /* "7.2.13-1" */
	char *suite;
};

/*
 * Looks for the source package of @base in the suites that are later than the machine's own; NULL:
 * of the first of kernel_bases that one of them has. The newest version wins. -ENOENT, without a
 * message, when there is none. apt_package_release() in every case.
 */
int apt_find_source(const char *base, struct apt_package *package);
void apt_package_release(struct apt_package *package);

/* Downloads it into @directory; *@deb_path is a new string. A negative errno comes with its
 * message. */
int apt_download_source(const struct apt_package *package, const char *directory, char **deb_path);

/* --- kernel_source.c: a tree below sources/ --- */

struct kernel_source {
	char *id;	    /* its directory's name, which changes with its content */
	char *directory;    /* sources/ID */
	char *tree;	    /* sources/ID/tree */
	char *origin;	    /* for people and the manifest: "linux-source-7.2 7.2.13-1 from sid" */
	char *version;	    /* "7.2.13", from the tree's Makefile */
	bool is_fresh_copy; /* of a user's tree, made by this call */
};

/* Whether the user's @tree can be a source: 0, or -EINVAL with its message printed. */
int kernel_tree_check(const char *tree);

/*
 * Finds or makes the source that @request names. *@source is released with
 * kernel_source_release() in every case. A negative errno comes with its message printed.
 */
int kernel_source_open(const struct kernel_request *request, struct kernel_source *source);
void kernel_source_release(struct kernel_source *source);

/* VERSION.PATCHLEVEL.SUBLEVEL of a kernel's top Makefile; NULL when it is none. The caller frees
 * it. */
char *kernel_tree_version(const char *tree);

/* --- kernel_series.c --- */

struct series_patch {
	char *name;  /* as the series file has it */
	char *tag;   /* "K6", from the line's comment "# K6 needs K5"; may be NULL */
	char *needs; /* tags that it does not go without, separated by blanks; may be NULL */
	char *holds; /* the tag of a part of it, from "# K7 holds R1"; may be NULL */
	char *path;
	char *plain_path;   /* of the form that the series names, once --without took another; else
			       NULL */
	size_t number;	    /* in the series as it was read, from 1 on */
	unsigned int strip; /* -pN */
	char sha256[SHA256_HEX_SIZE];
	bool is_aid;	  /* helps the virtual machine only */
	bool is_left_out; /* an aid that does not apply to this tree; set by series_apply */
};

struct series {
	struct series_patch *items;
	size_t count;
	char *left_out; /* the patches that series_leave_out() took, for messages; may be NULL */
};

/*
 * Reads a quilt series file (comments, blank lines, "NAME -pN") and its patches'
 * hashes; their paths are absolute. -EINVAL with its message. Patches are appended.
 */
int series_read(const char *path, bool is_aid, struct series *series);
void series_release(struct series *series);

/*
 * Takes the patch @which out: its tag, its number in the series or its name (the beginning of
 * it, if only one begins so). A later patch of which the folder without-TAG, beside the
 * patches, has another form takes that. @which may be what a patch holds: then nothing is taken
 * out, and that patch has to have another form. -EINVAL with its message when there is no such
 * patch.
 */
int series_leave_out(struct series *series, const char *which);

/*
 * Names one after the other the bases whose forms suit a tree of @version ("7.3.4", or "7.3"), the
 * newest first: "base-7.3", "base-7.2" and so on. *@step is 0 before the first; false: no more.
 */
bool base_next(const char *version, unsigned int *step, char name[64]);

/*
 * For a tree of @version: every patch of which a folder base-X.Y beside it has
 * another form takes that, of the newest base that is not newer than the tree. After
 * series_leave_out(), whose forms may have one of their own in without-TAG/base-X.Y; -EINVAL with
 * a message when a patch has a form for either and none for both.
 */
int series_suit_base(struct series *series, const char *version);

/* The patch that is @tag or holds it; NULL: none is. */
const struct series_patch *series_find_tag(const struct series *series, const char *tag);

/* The tags of the patches that need @tag, separated by blanks; the caller frees it. NULL: no
 * memory.
 */
char *series_dependents(const struct series *series, const char *tag);

/* Whether every patch has those that it needs; -EINVAL with a message that names them. */
int series_check_needs(const struct series *series);

/*
 * Makes sources/ID/tree the original source plus @series, whatever was applied
 * before: all of it, or, with a message that names the patch and the hunk, no
 * change at all. Files that come out as they already are keep their time stamps.
 * @series of no patches restores the original.
 */
int series_apply(struct series *series, const char *source_directory);

/* --- kernel_build.c --- */

struct fragment {
	char *name;
	char *path;
	char *text;
	char sha256[SHA256_HEX_SIZE]; /* of the options; comments do not count */
	bool is_base;		      /* ours for every kernel: a tree may lack some of it */
};

struct fragments {
	struct fragment *items;
	size_t count;
};

/*
 * base.config, what it takes on a tree of @version (base-X.Y.config; NULL: not known yet), and then
 * @extra: file names, or the NAME of kernel-patches/config/NAME.config.
 */
int fragments_read(const struct string_list *extra, const char *version,
		   struct fragments *fragments);
void fragments_release(struct fragments *fragments);

/*
 * The options of @wanted (a fragment's text) that @config (a whole .config) does not
 * have as wanted, and @later (the text of the fragments behind it) says nothing of: a new string,
 * separated by blanks, empty when all survived.
 */
char *config_lost_options(const char *wanted, const char *later, const char *config);

/* The key of a finished build. @compiler is the first line of `gcc --version`. */
void kernel_hash(const char *source_id, const struct series *series,
		 const struct fragments *fragments, const char *compiler,
		 char hex[SHA256_HEX_SIZE]);

struct kernel_inputs {
	const struct kernel_source *source;
	struct series *series;
	const struct fragments *fragments;
	const char *compiler;
	const char *hash;
	uint64_t jobs;
};

/* In a source's folder while objects/ that were built before are built anew. */
#define KERNEL_REBUILD_MARK "rebuild-under-way"

/* Configures and compiles, and leaves kernels/HASH/ behind. A negative errno comes with its
 * message. */
int kernel_compile(const struct kernel_inputs *inputs, const char *kernels_directory);

/*
 * Brings the patches' names in a finished build's manifest up to date: they are no part of the
 * hash, so a patch may have been renamed since. A negative errno comes with its message.
 */
int kernel_refresh_manifest(const struct kernel_inputs *inputs, const char *path);

/*
 * Runs one more target in an objects folder of this source as the build itself would, with one more
 * word for make (may be NULL). 0, or a negative errno without a message.
 */
int kernel_make_target(const struct kernel_inputs *inputs, const char *objects,
		       const char *log_path, const char *target, const char *setting);

/* Copies one file, atomically. 0 or a negative errno. */
int kernel_copy_file(const char *from_directory, const char *from, const char *to_directory,
		     const char *to);

/* --- kernel_module.c: the lock laboratory --- */

/* Whether the finished kernel in @kernel_directory has the module of today's sources, or was found
 * not to take it. */
bool kernel_module_is_current(const char *kernel_directory);

/*
 * Builds the module for the finished kernel @inputs->hash, of which the series is applied. A kernel
 * that it does not build for is a kernel all the same: that is 0 and a warning. Else a negative
 * errno.
 */
int kernel_module_make(const struct kernel_inputs *inputs, const char *kernels_directory);

#endif
