/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_GUEST_STREAM_H
#define BENCH_GUEST_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/files.h"

/*
 * What a guest says over its second serial port (doc/internals.md): both ends.
 *
 *   @progress DONE TOTAL WHAT
 *   @result SIZE_BYTES SHA256 … the document … newline
 *   @died REASON
 *   @end
 *
 * Firmware and a kernel may write to the port before the guest has it, so lines that
 * do not start with '@' are passed over. After '@result' every byte counts.
 */
#define GUEST_DOCUMENT_MAX_BYTES (64u << 20)
#define GUEST_LINE_SIZE		 512

enum guest_stream_state {
	GUEST_STREAM_LINES,    /* between lines */
	GUEST_STREAM_DOCUMENT, /* inside the document */
	GUEST_STREAM_ENDED,    /* '@end' or '@died' was read: what follows is passed over */
	GUEST_STREAM_INVALID,  /* it does not keep to the protocol; @error says how */
};

/* The reader. Zero-initialise with guest_stream_init, free with guest_stream_release. */
struct guest_stream {
	enum guest_stream_state state;
	bool started; /* at least one valid '@' line came: the guest's user space lives */
	bool died;    /* '@died': @reason says of what */
	bool updated; /* a '@progress' line came since the caller last cleared this */
	unsigned long done, total; /* the last progress */
	char what[128];
	char *document; /* NUL-terminated and checked once has_document; owned by the reader */
	size_t document_bytes;
	bool has_document;
	char reason[256]; /* of '@died' */
	char error[256];  /* of GUEST_STREAM_INVALID, one clause without a full stop */
	/* private */
	char line[GUEST_LINE_SIZE];
	size_t line_bytes;
	size_t received_bytes;
	char expected[SHA256_HEX_SIZE];
};

void guest_stream_init(struct guest_stream *stream);
void guest_stream_release(struct guest_stream *stream);

/* Takes the next bytes. 0; -EBADMSG once the stream is invalid; -ENOMEM. */
int guest_stream_feed(struct guest_stream *stream, const char *bytes, size_t size_bytes);

/*
 * Why a stream that has stopped is not a whole result, in one clause; NULL when it is
 * one: a document that matches its hash and an '@end'.
 */
const char *guest_stream_complaint(const struct guest_stream *stream);

/*
 * The writer, for the guest's side. @fd is written until all is out. 0 or a negative errno.
 * @text is cut at its first newline and to what a line holds.
 */
int guest_stream_send_progress(int fd, unsigned int done, unsigned int total, const char *what);
int guest_stream_send_document(int fd, const char *document, size_t size_bytes);
int guest_stream_send_died(int fd, const char *reason);
int guest_stream_send_end(int fd);

/*
 * Looks through a console's text for a sign that the kernel went down or ran out of
 * memory. True with the line (without its time stamp) in @reason when there is one:
 * the panic's own line if there is a panic, with the first oops or BUG line before it.
 */
bool console_find_panic(const char *text, char *reason, size_t reason_size);
bool console_find_out_of_memory(const char *text, char *reason, size_t reason_size);

/*
 * How long a guest is waited for, on the wall's clock. Until the runner's first line the
 * console's growth is life too, but a guest that only talks is given up after
 * GUEST_BOOT_LIMITS watchdogs. From then on the stream alone is: a kernel in trouble
 * may report stalls on its console for ever.
 */
#define GUEST_BOOT_LIMITS 4
struct guest_life {
	uint64_t begin_ns, alive_ns;
	uint64_t watchdog_ns;
	bool is_running; /* the runner has spoken */
};
void guest_life_begin(struct guest_life *life, uint64_t now_ns, unsigned int watchdog_s);
/* Whether stream and console have grown since the last look, and whether the runner has spoken. */
void guest_life_look(struct guest_life *life, uint64_t now_ns, bool has_stream, bool has_console,
		     bool is_running);
bool guest_life_is_over(const struct guest_life *life, uint64_t now_ns);

#endif
