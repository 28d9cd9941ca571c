// SPDX-License-Identifier: GPL-2.0-only
/* A campaign file: whatever it takes must print as a file that it takes again. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/run_order.h"
#include "tests/fuzz/fuzz.h"

/* The file that stands for the file; NULL: it was refused. The caller frees it. */
static char *read_and_print(const char *text, size_t size_bytes)
{
	struct run_values values = RUN_VALUES_INIT;
	struct string_list names = {0};
	struct campaign_file file;
	struct run_order order = {.command = "run", .values = &values, .file = &file};
	bool given[OPTIONS_MAX] = {false};
	struct json_object *document = NULL;
	char *printed = NULL;

	if (!campaign_file_parse(&file, "fuzz.json", text, size_bytes, &command_run, &values,
				 given) &&
	    !options_store_standards(&command_run, &values, given) &&
	    !run_order_check(&order, &names))
		document = campaign_file_make(&order, &command_run);
	if (document)
		printed = strdup(json_object_to_json_string(document));
	json_object_put(document);
	run_order_release(&order);
	campaign_file_release(&file);
	options_release(&command_run, &values, NULL);
	return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes);
	char *first = read_and_print(text, size_bytes), *second = NULL;

	if (first)
		second = read_and_print(first, strlen(first));
	if (first && (!second || strcmp(first, second) != 0))
		abort();
	free(second);
	free(first);
	free(text);
	return 0;
}
