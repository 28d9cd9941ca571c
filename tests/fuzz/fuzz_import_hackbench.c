// SPDX-License-Identifier: GPL-2.0-only
/* What an import takes for hackbench's output. */
#include "reports/import.h"
#include "tests/fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	fuzz_import(&import_hackbench, data, size_bytes);
	return 0;
}
