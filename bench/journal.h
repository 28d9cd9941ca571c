/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_JOURNAL_H
#define BENCH_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/*
 * A campaign's journal.jsonl: one JSON object per line, appended and fsynced event by
 * event. A crash cuts at most the last line short; when the journal goes on, that line
 * is ended and stays. It says nothing, so it is passed over wherever it stands.
 */

/* Opens it for appending, making it if need be. The descriptor, or a negative errno. */
int journal_open(const char *path);

/* Appends @event (freed here) as one line. 0, or a negative errno. */
int journal_append(int fd, struct json_object *event);

/* {"event": @name} to add fields to; NULL when memory is out (journal_append takes NULL as
 * -ENOMEM). */
struct json_object *journal_event(const char *name);

/*
 * Calls @on_event for each event in order. 0, or what reading answers. A missing file is
 * an empty journal.
 */
int journal_read(const char *path, void (*on_event)(void *context, struct json_object *event),
		 void *context);

#endif
