// SPDX-License-Identifier: GPL-2.0-only
/* Boots' documents (separated by a byte 0xff) through everything that compare and report do. */
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/writers.h"
#include "tests/fuzz/fuzz.h"

#define BOOTS_MAX 4

static void write_all_forms(const struct analysis *analysis)
{
	struct buffer text = {0}, markdown = {0}, html = {0};
	struct json_object *summary = summary_to_json(analysis);

	text_write(&text, analysis, (struct text_style){.is_complete = true});
	markdown_write(&markdown, analysis);
	html_write(&html, analysis, fuzz_folder());
	if (strstr(html.text, "<script>") || strchr(html.text, '\x1b') ||
	    strchr(text.text, '\x1b') || strchr(markdown.text, '\x1b'))
		abort();
	buffer_release(&text);
	buffer_release(&markdown);
	buffer_release(&html);
	json_object_put(summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *paths[BOOTS_MAX];
	char copies[BOOTS_MAX][PATH_MAX];
	struct results results;
	struct analysis analysis;
	size_t count = 0;

	for (; count < BOOTS_MAX && size_bytes; count++) {
		const uint8_t *part;
		size_t length = fuzz_part(&data, &size_bytes, &part);
		char name[32];

		snprintf(name, sizeof(name), "boot-%zu.json", count);
		snprintf(copies[count], PATH_MAX, "%s", fuzz_write(name, part, length));
		paths[count] = copies[count];
	}
	if (!count)
		return 0; /* the commands do not begin without a file */
	if (!results_load(&results, paths, count)) {
		if (!analysis_make(&analysis, &results, NULL))
			write_all_forms(&analysis);
		analysis_release(&analysis);
	} else if (!*results.error) {
		abort();
	}
	results_release(&results);
	return 0;
}
