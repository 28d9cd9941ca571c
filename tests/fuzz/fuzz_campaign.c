// SPDX-License-Identifier: GPL-2.0-only
/* campaign.json, as the reports and as resume read it. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/campaign.h"
#include "reports/boot_document.h"
#include "tests/fuzz/fuzz.h"

static void read_for_reports(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes);
	struct campaign_document out = {0};
	struct arena arena = {0};
	struct reader reader;
	const struct json_node *document;

	reader_init(&reader, &arena);
	document = reader_parse(&reader, "campaign.json", text, size_bytes, "proxeval-campaign");
	if (document)
		campaign_document_read(&reader, document, &out);
	json_object_put(out.object);
	reader_release(&reader);
	arena_release(&arena);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct campaign *campaign;

	read_for_reports(data, size_bytes);
	fuzz_write("campaign.json", data, size_bytes);
	if (!campaign_load(&campaign, fuzz_folder()))
		campaign_free(campaign);
	return 0;
}
