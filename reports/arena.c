// SPDX-License-Identifier: GPL-2.0-only
#include "reports/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536u

struct arena_block {
	struct arena_block *next;
	size_t used_bytes, size_bytes;
	alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *add_block(struct arena *arena, size_t size_bytes)
{
	struct arena_block *block;

	if (size_bytes < BLOCK_BYTES)
		size_bytes = BLOCK_BYTES;
	block = calloc(1, sizeof(*block) + size_bytes);
	if (!block)
		return NULL;
	block->size_bytes = size_bytes;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	void *out;

	size_bytes = (size_bytes + align - 1) & ~(align - 1);
	if (!block || block->size_bytes - block->used_bytes < size_bytes)
		block = add_block(arena, size_bytes);
	if (!block)
		return NULL;
	out = block->bytes + block->used_bytes;
	block->used_bytes += size_bytes;
	return out;
}

const char *arena_text(struct arena *arena, const char *text)
{
	size_t size_bytes;
	char *copy;

	if (!text)
		return NULL;
	size_bytes = strlen(text) + 1;
	copy = arena_alloc(arena, size_bytes);
	return copy ? memcpy(copy, text, size_bytes) : NULL;
}

const char *arena_format(struct arena *arena, const char *format, ...)
{
	char *text = NULL;
	const char *copy;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	copy = arena_text(arena, text);
	free(text);
	return copy;
}

void *arena_append(struct arena *arena, void *array, size_t *count, size_t element_bytes)
{
	unsigned char **elements = array;
	bool is_full = (*count & (*count - 1)) == 0; /* 0, 1, 2, 4, 8 … */

	if (is_full) {
		unsigned char *grown =
			arena_alloc(arena, (*count ? 2 * *count : 1) * element_bytes);

		if (!grown)
			return NULL;
		if (*count)
			memcpy(grown, *elements, *count * element_bytes);
		*elements = grown;
	}
	return *elements + (*count)++ * element_bytes;
}

void arena_adopt(struct arena *arena, struct arena *from)
{
	struct arena_block **last = &from->blocks;

	/* Behind the first block, which is the one that still has room. */
	while (*last)
		last = &(*last)->next;
	if (arena->blocks) {
		*last = arena->blocks->next;
		arena->blocks->next = from->blocks;
	} else {
		arena->blocks = from->blocks;
	}
	from->blocks = NULL;
}

void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}
