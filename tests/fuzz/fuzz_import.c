// SPDX-License-Identifier: GPL-2.0-only
/* Other tools' output: every importer gets every input. */
#include <stdlib.h>
#include <string.h>

#include "reports/import.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes);

	for (size_t i = 0; importers[i]; i++) {
		const struct import_hints hints = {.is_in_ns = i % 2};
		struct imported imported;

		if (import_text(importers[i], "input", text, size_bytes, &hints, &imported) &&
		    (!*imported.error || strchr(imported.error, '\n')))
			abort();
		imported_release(&imported);
	}
	free(text);
	return 0;
}
