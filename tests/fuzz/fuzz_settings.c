// SPDX-License-Identifier: GPL-2.0-only
/* The journal of changed settings that restore reads; nothing is put back here. */
#include <stdlib.h>

#include "bench/settings.h"
#include "tests/fuzz/fuzz.h"

static void visit(void *context, enum settings_kind kind, const char *path, const char *value,
		  int err)
{
	(void)context;
	(void)kind;
	(void)value;
	if (!path && !err)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *path = fuzz_write("settings.jsonl", data, size_bytes);

	setenv("PROXEVAL_SETTINGS", path, 1);
	settings_restore_abandoned(true, visit, NULL);
	return 0;
}
