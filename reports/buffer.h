/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_BUFFER_H
#define REPORTS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Text that grows. Running out of memory is remembered in @failed and the rest is dropped. */
struct buffer {
	char *text; /* NUL-terminated once anything was added */
	size_t length, capacity;
	bool failed;
};

/* Append a string, bytes (a NUL among them counts), or what printf makes of it. */
void buffer_add(struct buffer *buffer, const char *text);
void buffer_add_bytes(struct buffer *buffer, const char *bytes, size_t count);
void buffer_format(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for @more bytes and a NUL behind what is there: where they go; NULL when memory is out. */
char *buffer_reserve(struct buffer *buffer, size_t more);

/* @text with & < > " ' as HTML entities and control characters as U+FFFD. NULL adds nothing. */
void buffer_add_html(struct buffer *buffer, const char *text);

/* printf, and then escaped as above. */
void buffer_format_html(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Frees the text and leaves an empty buffer, ready for use. */
void buffer_release(struct buffer *buffer);

#endif
