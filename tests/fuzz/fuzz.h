/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * What the fuzz targets share. A target is one file fuzz_NAME.c that feeds one parser; it is
 * named in tests/fuzz/Makemodule.am, and its seeds and its dictionary in
 * tests/fuzz/targets.txt. A parser must take any bytes without a crash, a leak
 * or undefined behaviour; a target aborts where what it got contradicts itself.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* The bytes with a NUL behind them; the caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size_bytes);

/* A folder of this process, in memory where there is /dev/shm; removed when it exits. */
const char *fuzz_folder(void);

/* Writes fuzz_folder()/@name (folders in it are made); returns its path, which is the callee's. */
const char *fuzz_write(const char *name, const uint8_t *data, size_t size_bytes);

/* The part of an input in which several files lie, separated by a byte 0xff; moves @data on. */
size_t fuzz_part(const uint8_t **data, size_t *size_bytes, const uint8_t **part);

#endif
