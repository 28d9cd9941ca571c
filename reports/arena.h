/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_ARENA_H
#define REPORTS_ARENA_H

#include <stddef.h>

/*
 * Memory that is given back all at once: what a set of results and its analysis
 * are made of. Nothing taken from an arena is freed on its own.
 */
struct arena_block;

struct arena {
	struct arena_block *blocks;
};

/* @size_bytes of zeros, aligned for any type; NULL when memory is out. */
void *arena_alloc(struct arena *arena, size_t size_bytes);

/* A copy of @text; NULL for NULL or when memory is out. */
const char *arena_text(struct arena *arena, const char *text);

/* printf into the arena; NULL when memory is out. */
const char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Makes room for one element more in an array of @count elements that lives in the
 * arena (@array is the address of the pointer to it), and counts it. Returns the new
 * element, zeroed; NULL when memory is out.
 * Capacities are powers of two, so none needs to be kept.
 */
void *arena_append(struct arena *arena, void *array, size_t *count, size_t element_bytes);

/* Moves everything that is on @from to @arena; @from is then empty. */
void arena_adopt(struct arena *arena, struct arena *from);

/* Frees everything; the arena is then empty and may be used again. */
void arena_release(struct arena *arena);

#endif
