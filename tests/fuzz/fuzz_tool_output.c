// SPDX-License-Identifier: GPL-2.0-only
/* What stress-ng and the tools' versions are read from. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "workloads/tool_output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *text = fuzz_text(data, size_bytes), error[512] = "", version[32] = "";
	uint64_t operations;
	double rate = -1;

	if (!stress_ng_read(text, "mutex", &operations, &rate, error, sizeof(error)) &&
	    !(rate >= 0))
		abort();
	if (!tool_version_read(text, "stress-ng", version, sizeof(version)) &&
	    version[strspn(version, "0123456789.")])
		abort();
	free(text);
	return 0;
}
