// SPDX-License-Identifier: GPL-2.0-only
/* Two boots' documents (separated by a byte 0xff), compared for equality. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/exact.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct exact_answer answer;
	char first[PATH_MAX];
	const uint8_t *part;
	size_t length = fuzz_part(&data, &size_bytes, &part);

	snprintf(first, sizeof(first), "%s", fuzz_write("first.json", part, length));
	if (exact_compare(first, fuzz_write("second.json", data, size_bytes), &answer) &&
	    !*answer.error)
		abort();
	return 0;
}
