/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_GUEST_FILES_H
#define BENCH_GUEST_FILES_H

#include <stddef.h>

struct json_object;

#define GUEST_FILES_MAX_BYTES (256u << 20)

/*
 * What a guest runs: proxeval-guest, its libraries, the other programs that the workloads of a
 * plan's @work need (may be NULL) as far as they are here, and a few devices, as an initial RAM
 * disk (bench/initrd.h) that the boot's plan is put behind. The caller frees *@bytes. 0, or a
 * negative errno with its message printed.
 */
int guest_files_pack(struct json_object *work, void **bytes, size_t *size_bytes);

#endif
