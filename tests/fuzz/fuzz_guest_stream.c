// SPDX-License-Identifier: GPL-2.0-only
/* What a guest sends over its serial port, whole and in pieces, and what its console says. */
#include <stdlib.h>
#include <string.h>

#include "bench/guest_stream.h"
#include "tests/fuzz/fuzz.h"

static enum guest_stream_state feed(struct guest_stream *stream, const uint8_t *data,
				    size_t size_bytes, size_t piece)
{
	guest_stream_init(stream);
	for (size_t at = 0; at < size_bytes; at += piece)
		guest_stream_feed(stream, (const char *)data + at,
				  size_bytes - at < piece ? size_bytes - at : piece);
	return stream->state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct guest_stream whole, pieces;
	char reason[256], *text;

	/* How the bytes arrive changes nothing. */
	if (feed(&whole, data, size_bytes, size_bytes ? size_bytes : 1) !=
		    feed(&pieces, data, size_bytes, 7) ||
	    whole.has_document != pieces.has_document || whole.done != pieces.done)
		abort();
	if (!guest_stream_complaint(&whole) != !guest_stream_complaint(&pieces))
		abort();
	guest_stream_release(&whole);
	guest_stream_release(&pieces);
	text = fuzz_text(data, size_bytes);
	console_find_panic(text, reason, sizeof(reason));
	console_find_out_of_memory(text, reason, sizeof(reason));
	free(text);
	return 0;
}
