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
		return c < 0x20 || c == 0x7f ? "\xef\xbf\xbd" : NULL;
	}
}

void buffer_add_html(struct buffer *buffer, const char *text)
{
	const char *plain = text;

	if (!text)
		return;
	for (; *text; text++) {
		const char *entity = html_entity((unsigned char)*text);

		if (!entity)
			continue;
		buffer_add_bytes(buffer, plain, (size_t)(text - plain));
		buffer_add(buffer, entity);
		plain = text + 1;
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
