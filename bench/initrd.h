/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_INITRD_H
#define BENCH_INITRD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * An initial RAM disk as the kernel reads it: a cpio archive in the "newc" format
 * (Documentation/driver-api/early-userspace/buffer-format.rst). The bytes depend on
 * nothing but the entries: they are sorted by path, owned by root, and dated at the
 * epoch. In virtual time one byte more or less is another trajectory.
 */
struct initrd;

struct initrd *initrd_new(void);
void initrd_free(struct initrd *initrd);

/*
 * Adds one entry. @path is relative to the root, without a leading slash; missing
 * parent directories are added by initrd_encode. @mode holds the permission bits.
 * Bytes are copied. 0; -ENOMEM; -EINVAL for an empty or an absolute path; and what
 * reading @host_path may answer. A path that is added twice is written once, as it
 * was first.
 */
int initrd_add_directory(struct initrd *initrd, const char *path, mode_t mode);
int initrd_add_bytes(struct initrd *initrd, const char *path, mode_t mode, const void *bytes,
		     size_t size_bytes);
int initrd_add_file(struct initrd *initrd, const char *path, mode_t mode, const char *host_path);
int initrd_add_character_device(struct initrd *initrd, const char *path, mode_t mode,
				unsigned int major, unsigned int minor);

/*
 * Adds the program at @host_path as @path, its dynamic loader under the loader's own
 * name and every shared library that it needs as lib/NAME, so that it starts in the
 * guest with LD_LIBRARY_PATH=/lib whatever distribution it was built on. A static
 * program is just added. 0, or a negative errno; -ENOEXEC: not an ELF program of 64
 * bits; -ENOENT: a library is missing here too.
 */
int initrd_add_program(struct initrd *initrd, const char *path, const char *host_path);

/*
 * The archive: sorted entries, the trailer, and zeros up to a multiple of 512 bytes,
 * so that archives can be put one behind the other. The caller frees @out. 0, -ENOMEM.
 */
int initrd_encode(struct initrd *initrd, void **out, size_t *size_bytes);

#endif
