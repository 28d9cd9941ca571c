// SPDX-License-Identifier: GPL-2.0-only
#include "bench/guest_stream.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/options.h"
#include "measure/clock.h"

void guest_stream_init(struct guest_stream *stream)
{
	memset(stream, 0, sizeof(*stream));
}

void guest_stream_release(struct guest_stream *stream)
{
	free(stream->document);
	guest_stream_init(stream);
}

static int __attribute__((format(printf, 2, 3)))
invalid(struct guest_stream *stream, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(stream->error, sizeof(stream->error), format, args);
	va_end(args);
	stream->state = GUEST_STREAM_INVALID;
	return -EBADMSG;
}

/* Cuts the next word off @text; NULL when there is none. */
static char *next_word(char **text)
{
	char *word = *text + strspn(*text, " ");
	size_t length = strcspn(word, " ");

	if (!length)
		return NULL;
	*text = word + length;
	if (**text)
		*(*text)++ = '\0';
	return word;
}

static int next_number(char **text, uint64_t max, uint64_t *out)
{
	char *word = next_word(text);

	return word ? parse_number(word, 0, max, out) : -EINVAL;
}

/* A line's free text, with what could upset a terminal taken out. */
static void copy_text(char *out, size_t size, const char *text)
{
	size_t length = 0;

	for (; *text && length < size - 1; text++)
		out[length++] = isprint((unsigned char)*text) ? *text : '?';
	out[length] = '\0';
}

static int take_progress(struct guest_stream *stream, char *text)
{
	uint64_t done, total;

	if (next_number(&text, UINT32_MAX, &done) || next_number(&text, UINT32_MAX, &total))
		return invalid(stream, "a progress line that cannot be read");
	stream->done = done;
	stream->total = total;
	copy_text(stream->what, sizeof(stream->what), text);
	stream->updated = true;
	return 0;
}

static int take_result(struct guest_stream *stream, char *text)
{
	uint64_t size_bytes;
	char *hash;

	if (stream->has_document)
		return invalid(stream, "a second result");
	if (next_number(&text, UINT64_MAX, &size_bytes) || !(hash = next_word(&text)) ||
	    strlen(hash) != SHA256_HEX_SIZE - 1)
		return invalid(stream, "a result line that cannot be read");
	if (!size_bytes || size_bytes > GUEST_DOCUMENT_MAX_BYTES)
		return invalid(stream, "a result of %" PRIu64 " bytes (the most is %u)", size_bytes,
			       GUEST_DOCUMENT_MAX_BYTES);
	stream->document = malloc(size_bytes + 1);
	if (!stream->document)
		return -ENOMEM;
	stream->document_bytes = size_bytes;
	memcpy(stream->expected, hash, SHA256_HEX_SIZE);
	stream->state = GUEST_STREAM_DOCUMENT;
	return 0;
}

static int take_line(struct guest_stream *stream)
{
	char *text = stream->line, *word;
	int err = 0;

	stream->line[stream->line_bytes] = '\0';
	stream->line_bytes = 0;
	if (*text != '@')
		return 0;
	word = next_word(&text);
	if (!strcmp(word, "@progress")) {
		err = take_progress(stream, text);
	} else if (!strcmp(word, "@result")) {
		err = take_result(stream, text);
	} else if (!strcmp(word, "@died")) {
		copy_text(stream->reason, sizeof(stream->reason), text);
		stream->died = true;
		stream->state = GUEST_STREAM_ENDED;
	} else if (!strcmp(word, "@end")) {
		stream->state = GUEST_STREAM_ENDED;
	} else {
		return 0; /* noise that happens to begin with '@' */
	}
	stream->started = true;
	return err;
}

static int finish_document(struct guest_stream *stream)
{
	char found[SHA256_HEX_SIZE];

	stream->document[stream->document_bytes] = '\0';
	sha256_bytes(stream->document, stream->document_bytes, found);
	if (strcmp(found, stream->expected) != 0)
		return invalid(stream, "a result whose SHA-256 does not match");
	stream->has_document = true;
	stream->state = GUEST_STREAM_LINES;
	return 0;
}

/* How many of the bytes belong to the document. */
static size_t take_document(struct guest_stream *stream, const char *bytes, size_t size_bytes)
{
	size_t wanted = stream->document_bytes - stream->received_bytes;
	size_t taken = size_bytes < wanted ? size_bytes : wanted;

	memcpy(stream->document + stream->received_bytes, bytes, taken);
	stream->received_bytes += taken;
	return taken;
}

int guest_stream_feed(struct guest_stream *stream, const char *bytes, size_t size_bytes)
{
	int err = 0;

	while (size_bytes && !err) {
		size_t taken = 1;

		if (stream->state == GUEST_STREAM_INVALID)
			return -EBADMSG;
		if (stream->state == GUEST_STREAM_ENDED)
			return 0;
		if (stream->state == GUEST_STREAM_DOCUMENT) {
			taken = take_document(stream, bytes, size_bytes);
			if (stream->received_bytes == stream->document_bytes)
				err = finish_document(stream);
		} else if (*bytes == '\n') {
			err = take_line(stream);
		} else if (*bytes != '\r' && stream->line_bytes < GUEST_LINE_SIZE - 1) {
			stream->line[stream->line_bytes++] = *bytes;
		}
		bytes += taken;
		size_bytes -= taken;
	}
	return err;
}

const char *guest_stream_complaint(const struct guest_stream *stream)
{
	if (stream->state == GUEST_STREAM_INVALID)
		return stream->error;
	if (stream->died)
		return stream->reason;
	if (stream->state == GUEST_STREAM_DOCUMENT)
		return "it ended in the middle of its result";
	if (!stream->started)
		return "it never reached the runner";
	if (!stream->has_document)
		return "it ended without a result";
	if (stream->state != GUEST_STREAM_ENDED)
		return "it ended before it said so";
	return NULL;
}

static int send_all(int fd, const char *bytes, size_t size_bytes)
{
	while (size_bytes) {
		ssize_t written = write(fd, bytes, size_bytes);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		bytes += written;
		size_bytes -= (size_t)written;
	}
	return 0;
}

/* One line in one write, so that lines of two processes do not mix. */
static int __attribute__((format(printf, 2, 3))) send_line(int fd, const char *format, ...)
{
	char line[GUEST_LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[strcspn(line, "\n")] = '\0';
	strcat(line, "\n");
	return send_all(fd, line, strlen(line));
}

int guest_stream_send_progress(int fd, unsigned int done, unsigned int total, const char *what)
{
	return send_line(fd, "@progress %u %u %s", done, total, what);
}

int guest_stream_send_document(int fd, const char *document, size_t size_bytes)
{
	char hash[SHA256_HEX_SIZE];
	int err;

	sha256_bytes(document, size_bytes, hash);
	err = send_line(fd, "@result %zu %s", size_bytes, hash);
	if (!err)
		err = send_all(fd, document, size_bytes);
	return err ? err : send_all(fd, "\n", 1);
}

int guest_stream_send_died(int fd, const char *reason)
{
	return send_line(fd, "@died %s", reason);
}

int guest_stream_send_end(int fd)
{
	return send_line(fd, "@end");
}

void guest_life_begin(struct guest_life *life, uint64_t now_ns, unsigned int watchdog_s)
{
	*life = (struct guest_life){
		.begin_ns = now_ns, .alive_ns = now_ns, .watchdog_ns = watchdog_s * NS_PER_S};
}

void guest_life_look(struct guest_life *life, uint64_t now_ns, bool has_stream, bool has_console,
		     bool is_running)
{
	life->is_running |= is_running;
	if (has_stream || (has_console && !life->is_running))
		life->alive_ns = now_ns;
}

bool guest_life_is_over(const struct guest_life *life, uint64_t now_ns)
{
	if (now_ns - life->alive_ns >= life->watchdog_ns)
		return true;
	return !life->is_running &&
	       now_ns - life->begin_ns >= life->watchdog_ns * GUEST_BOOT_LIMITS;
}

/* Copies the line that @at lies in, without "[    1.234567] ". */
static void copy_console_line(const char *text, const char *at, char *out, size_t size)
{
	char line[GUEST_LINE_SIZE];
	const char *begin = at, *end;
	size_t length;

	while (begin > text && begin[-1] != '\n')
		begin--;
	if (*begin == '[') {
		end = strchr(begin, ']');
		if (end && end < at)
			begin = end + 1 + strspn(end + 1, " ");
	}
	length = strcspn(begin, "\r\n");
	snprintf(line, sizeof(line), "%.*s",
		 (int)(length < sizeof(line) ? length : sizeof(line) - 1), begin);
	copy_text(out, size, line);
}

/* The first of the patterns in @text, by place. */
static const char *find_first(const char *text, const char *const *patterns)
{
	const char *first = NULL;

	for (; *patterns; patterns++) {
		const char *at = strstr(text, *patterns);

		if (at && (!first || at < first))
			first = at;
	}
	return first;
}

bool console_find_panic(const char *text, char *reason, size_t reason_size)
{
	static const char *const causes[] = {
		"BUG: ",	  "Oops: ", "kernel BUG at ", "general protection fault",
		"divide error: ", NULL};
	static const char *const panics[] = {"Kernel panic - not syncing", NULL};
	const char *cause = find_first(text, causes), *panic = find_first(text, panics);
	char cause_line[120], panic_line[120];

	if (!panic && !cause)
		return false;
	copy_console_line(text, panic ? panic : cause, panic_line, sizeof(panic_line));
	if (panic && cause && cause < panic) {
		copy_console_line(text, cause, cause_line, sizeof(cause_line));
		snprintf(reason, reason_size, "%s; %s", cause_line, panic_line);
	} else {
		snprintf(reason, reason_size, "%s", panic_line);
	}
	return true;
}

bool console_find_out_of_memory(const char *text, char *reason, size_t reason_size)
{
	static const char *const patterns[] = {"Out of memory: Killed process",
					       "Out of memory and no killable processes", NULL};
	const char *found = find_first(text, patterns);

	if (found)
		copy_console_line(text, found, reason, reason_size);
	return found;
}
