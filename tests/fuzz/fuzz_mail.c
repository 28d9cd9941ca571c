// SPDX-License-Identifier: GPL-2.0-only
/* Mails that hold a series. */
#include <stdlib.h>
#include <string.h>

#include "bench/mail.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes);
	size_t *starts = NULL, length = strlen(text);
	long count = mail_split(text, &starts);
	struct mail_tag tag = mail_tag_of(text);

	if (tag.subject < text || tag.subject > text + length)
		abort();
	for (long i = 0; i < count; i++) {
		if (starts[i] > starts[i + 1] || starts[i + 1] > length)
			abort();
		free(mail_text(text + starts[i], starts[i + 1] - starts[i]));
	}
	free(starts);
	free(text);
	return 0;
}
