/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TEXT_TABLE_H
#define REPORTS_TEXT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "reports/arena.h"

struct json_object;

/*
 * Each text once: thousands of boots say the same names, reasons and kernel
 * configurations. What is found can carry a number or an object for whoever keeps the table.
 */
struct text_entry {
	uint64_t hash;
	size_t size_bytes;	    /* of the text, without its NUL */
	size_t number;		    /* 0 in a new entry */
	struct json_object *object; /* NULL in a new entry */
	char text[];
};

struct text_table {
	struct arena *arena; /* of the entries, which outlive the table */
	struct text_entry **slots;
	size_t count, capacity;
};

/* The entry of these bytes, added when it is new. NULL when memory is out. */
struct text_entry *text_table_get(struct text_table *table, const char *text, size_t size_bytes);

/* Forgets the table; entries stay where they are. */
void text_table_release(struct text_table *table);

#endif
