// SPDX-License-Identifier: GPL-2.0-only
/* One boot's document. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/boot_document.h"
#include "tests/fuzz/fuzz.h"

/* What was accepted keeps to what its readers take for granted. */
static void check(const struct boot_document *document)
{
	for (size_t i = 0; i < document->n_sections; i++) {
		const struct section_document *section = &document->sections[i];

		for (size_t j = 0; j < section->result.n_measurements; j++) {
			const struct measurement *measurement = &section->result.measurements[j];

			if (!measurement->present || (measurement->outcome && !measurement->reason))
				abort();
			for (int k = 0; k < STATISTICS; k++)
				if (isinf(measurement->statistic[k]))
					abort();
		}
	}
	if (document->boot.end == BOOT_END_OK && !document->n_sections)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes);
	struct arena arena = {0};
	struct boot_document out;
	struct reader reader;
	const struct json_node *document;

	reader_init(&reader, &arena);
	document = reader_parse(&reader, "boot.json", text, size_bytes, "proxeval-boot");
	if (document)
		boot_document_read(&reader, document, RESULT_HISTOGRAMS, &out);
	if (!reader.has_failed)
		check(&out);
	else if (!*reader.error || strchr(reader.error, '\n'))
		abort();
	reader_release(&reader);
	arena_release(&arena);
	free(text);
	return 0;
}
