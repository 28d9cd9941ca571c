// SPDX-License-Identifier: GPL-2.0-only
/* What a console says, as an exploration's find. */
#include <stdlib.h>
#include <string.h>

#include "bench/signature.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct signature signature, again;
	char *text = fuzz_text(data, size_bytes), *stack;

	if (signature_from_log(&signature, text)) {
		/* Found twice, it is one find; its stack is part of the console. */
		if (!signature_from_log(&again, text) || !signature_is_same(&signature, &again) ||
		    signature.stack_at > strlen(text))
			abort();
		stack = signature_stack(&signature, text);
		free(stack);
	}
	signature_from_problem(&signature, text, "lost", text, 1);
	free(signature_stack(&signature, text));
	signature_from_problem(&signature, text, "accounting", text, 1);
	free(text);
	return 0;
}
