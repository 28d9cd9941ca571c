// SPDX-License-Identifier: GPL-2.0-only
/* A quilt series file; the patches that it names are those of the fuzzer's own folder. */
#include "bench/kernel.h"
#include "bench/kernel_internal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static const uint8_t patch[] = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
	struct series series = {0};

	fuzz_write("0001-a.patch", patch, sizeof(patch) - 1);
	fuzz_write("0002-b.patch", patch, sizeof(patch) - 1);
	if (!series_read(fuzz_write("series", data, size_bytes), false, &series)) {
		series_check_needs(&series);
		series_leave_out(&series, "K2");
		series_check_needs(&series);
	}
	series_release(&series);
	return 0;
}
