// SPDX-License-Identifier: GPL-2.0-only
#include "reports/text_table.h"

#include <stdlib.h>
#include <string.h>

/* Multiply and fold, eight bytes at a time; good enough for texts that nobody chose to collide:
 * those that somebody did cost time and nothing else. */
static uint64_t hash_text(const char *text, size_t size_bytes)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
	uint64_t hash = size_bytes * factor, part;

	for (; size_bytes >= sizeof(part); text += sizeof(part), size_bytes -= sizeof(part)) {
		memcpy(&part, text, sizeof(part));
		hash = (hash ^ part) * factor;
		hash ^= hash >> 29;
	}
	part = 0;
	memcpy(&part, text, size_bytes);
	hash = (hash ^ part) * factor;
	return hash ^ hash >> 32;
}

static struct text_entry **find_slot(const struct text_table *table, uint64_t hash,
				     const char *text, size_t size_bytes)
{
	size_t i = hash & (table->capacity - 1);

	for (;; i = (i + 1) & (table->capacity - 1)) {
		struct text_entry *entry = table->slots[i];

		if (!entry || (entry->hash == hash && entry->size_bytes == size_bytes &&
			       !memcmp(entry->text, text, size_bytes)))
			return &table->slots[i];
	}
}

/* Never more than half full. */
static int make_room(struct text_table *table)
{
	struct text_table grown = {.capacity = table->capacity ? 2 * table->capacity : 256};

	if (2 * (table->count + 1) <= table->capacity)
		return 0;
	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return -1;
	for (size_t i = 0; i < table->capacity; i++) {
		struct text_entry *entry = table->slots[i];

		if (entry)
			*find_slot(&grown, entry->hash, entry->text, entry->size_bytes) = entry;
	}
	free(table->slots);
	table->slots = grown.slots;
	table->capacity = grown.capacity;
	return 0;
}

struct text_entry *text_table_get(struct text_table *table, const char *text, size_t size_bytes)
{
	uint64_t hash = hash_text(text, size_bytes);
	struct text_entry **slot, *entry;

	if (make_room(table))
		return NULL;
	slot = find_slot(table, hash, text, size_bytes);
	if (*slot)
		return *slot;
	entry = arena_alloc(table->arena, sizeof(*entry) + size_bytes + 1);
	if (!entry)
		return NULL;
	entry->hash = hash;
	entry->size_bytes = size_bytes;
	memcpy(entry->text, text, size_bytes);
	table->count++;
	return *slot = entry;
}

void text_table_release(struct text_table *table)
{
	free(table->slots);
	*table = (struct text_table){.arena = table->arena};
}
