// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's log, as health reads it from /dev/kmsg. */
#include <json-c/json.h>
#include <stdlib.h>

#include "bench/health.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct json_object *object, *reports;
	struct health *health;
	char *text = fuzz_text(data, size_bytes);

	health_is_report_line(text);
	free(text);
	fuzz_write("dev/kmsg", data, size_bytes);
	if (health_begin_at(&health, fuzz_folder(), true))
		abort();
	object = health_end(health);
	if (!json_object_object_get_ex(object, "reports", &reports))
		abort();
	json_object_put(object);
	return 0;
}
