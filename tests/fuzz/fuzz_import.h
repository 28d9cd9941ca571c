/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_FUZZ_IMPORT_H
#define TESTS_FUZZ_IMPORT_H

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "reports/import.h"
#include "tests/fuzz/fuzz.h"

/*
 * One importer on any bytes: what it takes has a section and no error; what it refuses has
 * one sentence.
 */
static inline void fuzz_import(const struct importer *importer, const uint8_t *data,
			       size_t size_bytes)
{
	struct import_hints hints = {.is_in_ns = size_bytes % 2};
	struct imported imported;
	int err = import_text(importer, "file", (const char *)data, size_bytes, &hints, &imported);

	if (!err && (!json_object_array_length(imported.sections) || *imported.error))
		abort();
	if (err && (!*imported.error || strchr(imported.error, '\n')))
		abort();
	imported_release(&imported);
}

#endif
