// SPDX-License-Identifier: GPL-2.0-only
/* Every report on consoles that were kept. A find is told by its guest's first report alone. */
#include "bench/cmd_explore.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/message.h"

#define CONSOLE_MAX_BYTES (64u << 20)

/* A kind of report. */
struct kind {
	char *text;
	size_t n_consoles;
	size_t last; /* the last console that had it, counted from 1 */
	bool is_known;
};

struct kinds {
	struct kind *items;
	size_t count;
};

static void kinds_release(struct kinds *kinds)
{
	for (size_t i = 0; i < kinds->count; i++)
		free(kinds->items[i].text);
	free(kinds->items);
}

/* The kind of that text, added where it is new; NULL: no memory. */
static struct kind *find_kind(struct kinds *kinds, const char *text, size_t length)
{
	struct kind *grown;

	for (size_t i = 0; i < kinds->count; i++)
		if (strlen(kinds->items[i].text) == length &&
		    !memcmp(kinds->items[i].text, text, length))
			return &kinds->items[i];
	grown = realloc(kinds->items, (kinds->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	kinds->items = grown;
	grown[kinds->count] = (struct kind){.text = strndup(text, length)};
	return grown[kinds->count].text ? &grown[kinds->count++] : NULL;
}

/* @number: of the console, counted from 1. */
static int read_console(struct kinds *kinds, const struct known_faults *known, const char *folder,
			const char *name, size_t number)
{
	char *path = format_string("%s/%s", folder, name), *log = NULL;
	int err = path ? read_file(path, CONSOLE_MAX_BYTES, &log, NULL) : -ENOMEM;
	static const struct stress_plan no_plan; /* a console does not say it */
	struct signature signature;
	size_t from = 0;

	if (err)
		message_errno(err, "cannot read the console %s", path ? path : name);
	while (!err && signature_from_log_at(&signature, log, &from)) {
		struct kind *kind = find_kind(kinds, signature.text, strlen(signature.text));

		if (!kind)
			err = -ENOMEM;
		else if (kind->last != number)
			kind->n_consoles++;
		if (kind) {
			kind->last = number;
			kind->is_known = known_faults_has(known, &signature, &no_plan);
		}
	}
	free(log);
	free(path);
	return err;
}

static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* How many there are, or a negative errno with its message printed. */
static int read_consoles(struct kinds *kinds, const struct known_faults *known, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_visible, alphasort), err = 0;

	if (count < 0)
		return message_errno(-errno, "cannot read the folder of consoles %s", folder);
	for (int i = 0; i < count; i++) {
		if (!err)
			err = read_console(kinds, known, folder, entries[i]->d_name, (size_t)i + 1);
		free(entries[i]);
	}
	free(entries);
	if (!count && !err) {
		message_error("%s has no console; 'explore --keep-logs' keeps them", folder);
		err = -ENOENT;
	}
	return err ? err : count;
}

static int by_frequency(const void *left, const void *right)
{
	const struct kind *a = left, *b = right;

	if (a->is_known != b->is_known)
		return a->is_known ? 1 : -1;
	if (a->n_consoles != b->n_consoles)
		return a->n_consoles < b->n_consoles ? 1 : -1;
	return strcmp(a->text, b->text);
}

/* Prints the kinds that showed, the unknown ones first; how many of these there are. */
static size_t print_kinds(struct kinds *kinds, int n_consoles)
{
	size_t n_unknown = 0;

	for (size_t i = 0; i < kinds->count; i++)
		n_unknown += !kinds->items[i].is_known;
	printf("%d console%s, %zu kind%s of report, %zu of them not known\n", n_consoles,
	       n_consoles == 1 ? "" : "s", kinds->count, kinds->count == 1 ? "" : "s", n_unknown);
	if (kinds->count)
		qsort(kinds->items, kinds->count, sizeof(*kinds->items), by_frequency);
	for (size_t i = 0; i < kinds->count; i++)
		printf("%6zu  %s%s\n", kinds->items[i].n_consoles,
		       kinds->items[i].is_known ? "known: " : "", kinds->items[i].text);
	return n_unknown;
}

int explore_list_reports(const struct explore_values *values, const struct known_faults *known)
{
	char *logs = format_string("%s/" EXPLORE_LOGS_NAME, values->reports);
	struct kinds kinds = {0};
	size_t n_unknown = 0;
	int err = logs ? 0 : -ENOMEM;

	if (!err)
		err = read_consoles(&kinds, known, access(logs, F_OK) ? values->reports : logs);
	if (err > 0)
		n_unknown = print_kinds(&kinds, err);
	kinds_release(&kinds);
	free(logs);
	if (err == -ENOMEM)
		return EXIT_BROKE;
	return err < 0 ? EXIT_INVALID : n_unknown ? EXIT_REGRESSION : EXIT_FINE;
}
