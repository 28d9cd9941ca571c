// SPDX-License-Identifier: GPL-2.0-only
/* apt's lists of archives, in both forms. */
#include <stdlib.h>

#include "bench/kernel.h"
#include "bench/kernel_internal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct apt_archives archives = {0};
	char *text = fuzz_text(data, size_bytes);

	apt_parse_one_line(text, &archives);
	apt_parse_deb822(text, &archives);
	apt_archives_release(&archives);
	free(text);
	return 0;
}
