// SPDX-License-Identifier: GPL-2.0-only
#include "reports/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct buffer *buffer, size_t more)
{
	size_t need = buffer->length + more + 1;
	size_t capacity = buffer->capacity ? buffer->capacity : 4096;
	char *grown;

	if (buffer->failed)
		return false;
	if (need <= buffer->capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	grown = realloc(buffer->text, capacity);
	if (!grown) {
		buffer->failed = true;
		return false;
	}
	buffer->text = grown;
	buffer->capacity = capacity;
	return true;
}

char *buffer_reserve(struct buffer *buffer, size_t more)
{
	return reserve(buffer, more) ? buffer->text + buffer->length : NULL;
}

void buffer_add_bytes(struct buffer *buffer, const char *bytes, size_t count)
{
	if (!reserve(buffer, count))
		return;
	memcpy(buffer->text + buffer->length, bytes, count);
	buffer->length += count;
	buffer->text[buffer->length] = '\0';
}

void buffer_add(struct buffer *buffer, const char *text)
{
	buffer_add_bytes(buffer, text, strlen(text));
}

__attribute__((format(printf, 2, 0))) static char *format_args(struct buffer *buffer,
							       const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0) {
		buffer->failed = true;
		return NULL;
	}
	return text;
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_args(buffer, format, args);
	va_end(args);
	if (text)
		buffer_add(buffer, text);
	free(text);
}

static const char *html_entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\n':
	case '\t':
		return NULL;
	default:
		return NULL;
	}
}

size_t steering_length(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (*c && (*c < 0x20 || *c == 0x7f))
		return 1;
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) /* U+0080 to U+009F */
		return 2;
	if (c[0] == 0xe2 && c[1] == 0x80) /* U+200E, U+200F, U+2028 to U+202E */
		return c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae) ? 3 : 0;
	if (c[0] == 0xe2 && c[1] == 0x81) /* U+2066 to U+2069 */
		return c[2] >= 0xa6 && c[2] <= 0xa9 ? 3 : 0;
	return 0;
}

void text_disarm(char *text)
{
	char *to = text;

	while (*text) {
		size_t length = steering_length(text);

		*to++ = length ? '?' : *text;
		text += length ? length : 1;
	}
	*to = '\0';
}

void buffer_add_html(struct buffer *buffer, const char *text)
{
	const char *plain = text;

	if (!text)
		return;
	while (*text) {
		const char *entity = html_entity((unsigned char)*text);
		size_t length = *text == '\n' || *text == '\t' ? 0 : steering_length(text);

		if (entity || length) {
			buffer_add_bytes(buffer, plain, (size_t)(text - plain));
			buffer_add(buffer, entity ? entity : "\xef\xbf\xbd");
			plain = text + (entity ? 1 : length);
		}
		text += length ? length : 1;
	}
	buffer_add(buffer, plain);
}

void buffer_format_html(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_args(buffer, format, args);
	va_end(args);
	buffer_add_html(buffer, text);
	free(text);
}

void buffer_release(struct buffer *buffer)
{
	free(buffer->text);
	*buffer = (struct buffer){0};
}
