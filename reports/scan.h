/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SCAN_H
#define REPORTS_SCAN_H

#include <stddef.h>

/*
 * Reads over a JSON text for what json-c lets pass without a word: a key that an
 * object has twice (it keeps the last), a key spelt with an escape, more than
 * @max_depth levels. It does not check the rest of the grammar; json-c does.
 *
 * 0; or -EINVAL with half a sentence in @problem ("the key \"p50\" appears twice in
 * one object, at byte 812"); or -ENOMEM.
 */
int json_scan(const char *text, size_t size_bytes, unsigned int max_depth, char *problem,
	      size_t problem_size);

#endif
