// SPDX-License-Identifier: GPL-2.0-only
/* The plan that a guest's runner gets. */
#include <json-c/json.h>
#include <stdlib.h>

#include "bench/section.h"
#include "tests/fuzz/fuzz.h"

static void expand(struct json_object *plan)
{
	static struct topology *topology;
	struct section_list list;
	char error[256];

	if (!topology && topology_load(&topology, NULL))
		abort();
	if (section_list_from_plan(&list, plan, topology, error, sizeof(error)))
		return;
	for (size_t i = 0; i < list.count; i++)
		json_object_put(section_to_json(&list.items[i]));
	section_list_release(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes);
	struct json_object *plan = json_tokener_parse(text);

	if (json_object_is_type(plan, json_type_object))
		expand(plan);
	json_object_put(plan);
	free(text);
	return 0;
}
