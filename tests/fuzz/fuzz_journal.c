// SPDX-License-Identifier: GPL-2.0-only
/* A campaign's journal.jsonl. */
#include <json-c/json.h>
#include <stdlib.h>

#include "bench/journal.h"
#include "tests/fuzz/fuzz.h"

static void check_event(void *context, struct json_object *event)
{
	struct json_object *name;

	(void)context;
	if (!json_object_object_get_ex(event, "event", &name) || !json_object_get_string(name))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	if (journal_read(fuzz_write("journal.jsonl", data, size_bytes), check_event, NULL))
		abort();
	return 0;
}
