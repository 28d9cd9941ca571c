// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/kernel_internal.h"
#include "bench/message.h"
#include "bench/process.h"

#define PATCH_MAX_BYTES (64 << 20)

/* --- the series file --- */

static int add_patch(struct series *series, const char *name, const char *directory,
		     unsigned int strip, bool is_aid)
{
	struct series_patch *grown = realloc(series->items, (series->count + 1) * sizeof(*grown));
	struct series_patch *item;
	int err;

	if (!grown)
		return -ENOMEM;
	series->items = grown;
	item = &grown[series->count++];
	*item = (struct series_patch){.name = strdup(name),
				      .path = format_string("%s/%s", directory, name),
				      .number = series->count,
				      .strip = strip,
				      .is_aid = is_aid};
	if (!item->name || !item->path)
		return -ENOMEM;
	err = sha256_file(item->path, item->sha256);
	if (!err)
		return 0;
	message_errno(err, "cannot read the patch %s", item->path);
	return -EINVAL;
}

/*
 * "K6 needs K5 K2": what --without may call the last patch, and what that one cannot miss.
 * "K7 holds R1": it can be had without its part R1.
 */
static int add_tag(struct series *series, char *comment)
{
	struct series_patch *item = &series->items[series->count - 1];
	char *save = NULL, *tag = strtok_r(comment, " \t\r", &save), *word;

	if (!tag)
		return 0;
	word = strtok_r(NULL, " \t\r", &save);
	if (word && strcmp(word, "needs") && strcmp(word, "holds"))
		return 0; /* a comment for people */
	item->tag = strdup(tag);
	if (word && *word == 'n')
		item->needs = strdup(save ? save : "");
	else if (word)
		item->holds = strdup(strtok_r(NULL, " \t\r", &save) ?: "");
	return item->tag && (!word || item->needs || item->holds) ? 0 : -ENOMEM;
}

static int parse_series_line(char *line, const char *path, unsigned long number, bool is_aid,
			     struct series *series, const char *directory)
{
	char *save = NULL, *name, *option, *comment = strchr(line, '#');
	uint64_t strip = 1;
	int err;

	if (comment)
		*comment++ = '\0';
	line[strcspn(line, "\r")] = '\0';
	name = strtok_r(line, " \t", &save);
	if (!name)
		return 0;
	for (option = strtok_r(NULL, " \t", &save); option; option = strtok_r(NULL, " \t", &save)) {
		if (!strncmp(option, "-p", 2) && !parse_number(option + 2, 0, 9, &strip))
			continue;
		message_error("%s:%lu: '%s' after a patch's name is not understood; only -pN is",
			      path, number, option);
		return -EINVAL;
	}
	err = add_patch(series, name, directory, (unsigned int)strip, is_aid);
	return err || !comment ? err : add_tag(series, comment);
}

/* Absolute: patch(1) runs in another folder. A new string; NULL when there is no memory. */
static char *directory_of(const char *path)
{
	char *copy = strdup(path), *directory = copy ? realpath(dirname(copy), NULL) : NULL;

	free(copy);
	return directory;
}

int series_read(const char *path, bool is_aid, struct series *series)
{
	char *text, *directory, *line, *next;
	unsigned long number = 0;
	int err = read_file(path, PATCH_MAX_BYTES, &text, NULL);

	if (err) {
		message_errno(err, "cannot read the series %s", path);
		return -EINVAL;
	}
	directory = directory_of(path);
	if (!directory)
		err = -ENOMEM;
	for (line = text; line && !err; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		err = parse_series_line(line, path, ++number, is_aid, series, directory);
	}
	free(directory);
	free(text);
	return err;
}

static void patch_release(struct series_patch *item)
{
	free(item->name);
	free(item->tag);
	free(item->needs);
	free(item->holds);
	free(item->path);
	free(item->plain_path);
	*item = (struct series_patch){0};
}

void series_release(struct series *series)
{
	for (size_t i = 0; i < series->count; i++)
		patch_release(&series->items[i]);
	free(series->items);
	free(series->left_out);
	*series = (struct series){0};
}

/* --- a series without some of its patches --- */

static bool is_called(const struct series_patch *item, const char *which)
{
	return !item->is_aid &&
	       ((item->tag && !strcasecmp(item->tag, which)) || !strcmp(item->name, which));
}

static struct series_patch *find_holder(const struct series *series, const char *part)
{
	for (size_t i = 0; i < series->count; i++)
		if (series->items[i].holds && *part && !strcasecmp(series->items[i].holds, part))
			return &series->items[i];
	return NULL;
}

/* The index of the patch, or -EINVAL after a message. */
static long find_patch(const struct series *series, const char *which)
{
	uint64_t number;
	long found = -1;

	for (size_t i = 0; i < series->count; i++)
		if (is_called(&series->items[i], which))
			return (long)i;
	/* As the series was read: what was left out before does not renumber the others. */
	if (!parse_number(which, 1, SIZE_MAX, &number))
		for (size_t i = 0; i < series->count; i++)
			if (!series->items[i].is_aid && series->items[i].number == number)
				return (long)i;
	for (size_t i = 0; i < series->count; i++) {
		if (series->items[i].is_aid || !*which ||
		    strncmp(series->items[i].name, which, strlen(which)))
			continue;
		if (found >= 0) {
			message_error("--without: %s and %s both begin with '%s'; say more of it",
				      series->items[found].name, series->items[i].name, which);
			return -EINVAL;
		}
		found = (long)i;
	}
	if (found < 0) {
		message_error("--without: the series has no patch '%s'; its patches go by their "
			      "numbers, names and tags in the series file",
			      which);
		return -EINVAL;
	}
	return found;
}

/* "a/b.patch" in @folder beside it: "a/FOLDER/b.patch". A new string, or NULL. */
static char *in_folder(const char *name, const char *folder)
{
	const char *slash = strrchr(name, '/');
	int chars = slash ? (int)(slash + 1 - name) : 0;

	return format_string("%.*s%s/%s", chars, name, folder, name + chars);
}

/* Takes the form of @item that @folder beside it has: 1, or 0 if there is none. */
static int take_form(struct series_patch *item, const char *folder)
{
	char *name = in_folder(item->name, folder), *path = in_folder(item->path, folder);
	int err = name && path ? 0 : -ENOMEM;

	if (!err && !access(path, F_OK)) {
		err = sha256_file(path, item->sha256);
		if (!err) {
			char *old_name = item->name, *old_path = item->path;

			item->name = name;
			item->path = path;
			name = old_name;
			path = old_path;
			err = 1;
		}
	}
	free(path);
	free(name);
	return err;
}

/* Takes the form of @item that was made for a series without @tag: 1, or 0 if there is none. */
static int adapt_patch(struct series_patch *item, const char *tag)
{
	char *folder = format_string("without-%s", tag), *plain = strdup(item->path);
	int err = folder && plain ? take_form(item, folder) : -ENOMEM;

	if (err == 1 && !item->plain_path) {
		item->plain_path = plain;
		plain = NULL;
	}
	free(folder);
	free(plain);
	return err;
}

/* --- a series for another base --- */

/* --without took one form, and only the other one has another in @folder: nobody made both. */
static int check_both_forms(const struct series_patch *item, const char *folder)
{
	char *path = in_folder(item->plain_path, folder), *both = in_folder(item->name, folder);
	int err = path && both ? 0 : -ENOMEM;

	if (!err && !access(path, F_OK)) {
		message_error("--without: there is %s, and another form of it in %s, but none of "
			      "both, which would be %s",
			      item->name, folder, both);
		err = -EINVAL;
	}
	free(path);
	free(both);
	return err;
}

/* Takes the form that @folder has: 1, or 0 if there is none. */
static int suit_patch(struct series_patch *item, const char *folder)
{
	int err = take_form(item, folder);

	return err || !item->plain_path ? err : check_both_forms(item, folder);
}

bool base_next(const char *version, unsigned int *step, char name[64])
{
	unsigned int major, minor;

	if (sscanf(version, "%u.%u", &major, &minor) != 2 || *step > minor)
		return false;
	snprintf(name, 64, "base-%u.%u", major, minor - (*step)++);
	return true;
}

int series_suit_base(struct series *series, const char *version)
{
	int err = 0;

	for (size_t i = 0; i < series->count && err >= 0; i++) {
		unsigned int step = 0;
		char folder[64];

		err = 0;
		while (!err && base_next(version, &step, folder))
			err = suit_patch(&series->items[i], folder);
	}
	return err < 0 ? err : 0;
}

/* For messages. */
static int note_left_out(struct series *series, const char *called)
{
	char *left_out = format_string("%s%s%s", series->left_out ? series->left_out : "",
				       series->left_out ? " and " : "", called);

	free(series->left_out);
	series->left_out = left_out;
	return left_out ? 0 : -ENOMEM;
}

static int leave_part_out(struct series *series, struct series_patch *holder)
{
	int err = adapt_patch(holder, holder->holds);

	if (err < 0)
		return err;
	if (!err) {
		message_error("--without: %s has no form without its part %s, which would be "
			      "without-%s/%s",
			      holder->name, holder->holds, holder->holds, holder->name);
		return -EINVAL;
	}
	return note_left_out(series, holder->holds);
}

int series_leave_out(struct series *series, const char *which)
{
	struct series_patch taken, *holder = find_holder(series, which);
	const char *called;
	long index;
	int err;

	if (holder)
		return leave_part_out(series, holder);
	index = find_patch(series, which);
	if (index < 0)
		return (int)index;
	taken = series->items[index];
	called = taken.tag ? taken.tag : taken.name;
	series->count--;
	memmove(&series->items[index], &series->items[index + 1],
		(series->count - (size_t)index) * sizeof(taken));
	err = note_left_out(series, called);
	for (size_t i = (size_t)index; i < series->count && err >= 0; i++)
		if (!series->items[i].is_aid)
			err = adapt_patch(&series->items[i], called);
	patch_release(&taken);
	return err < 0 ? err : 0;
}

static bool has_tag(const struct series *series, const char *tag, size_t length)
{
	for (size_t i = 0; i < series->count; i++)
		if (series->items[i].tag && strlen(series->items[i].tag) == length &&
		    !strncasecmp(series->items[i].tag, tag, length))
			return true;
	return false;
}

const struct series_patch *series_find_tag(const struct series *series, const char *tag)
{
	for (size_t i = 0; i < series->count; i++)
		if (series->items[i].tag && !strcasecmp(series->items[i].tag, tag))
			return &series->items[i];
	return find_holder(series, tag);
}

/* Whether @words, separated by blanks, have @word. */
static bool has_word(const char *words, const char *word)
{
	size_t length;

	for (words += strspn(words, " \t\r"); *words; words += strspn(words, " \t\r")) {
		length = strcspn(words, " \t\r");
		if (length == strlen(word) && !strncasecmp(words, word, length))
			return true;
		words += length;
	}
	return false;
}

char *series_dependents(const struct series *series, const char *tag)
{
	char *tags = strdup("");

	for (size_t i = 0; i < series->count && tags; i++) {
		const struct series_patch *item = &series->items[i];
		char *longer;

		if (!item->needs || !has_word(item->needs, tag))
			continue;
		longer = format_string("%s%s%s", tags, *tags ? " " : "", item->tag);
		free(tags);
		tags = longer;
	}
	return tags;
}

int series_check_needs(const struct series *series)
{
	for (size_t i = 0; i < series->count; i++) {
		const struct series_patch *item = &series->items[i];
		const char *need = item->needs ? item->needs : "";

		for (need += strspn(need, " \t\r"); *need; need += strspn(need, " \t\r")) {
			size_t length = strcspn(need, " \t\r");

			if (!has_tag(series, need, length)) {
				message_error("%s needs %.*s, which is left out: leave %s out as "
					      "well (--without %s)",
					      item->tag, (int)length, need, item->tag, item->tag);
				return -EINVAL;
			}
			need += length;
		}
	}
	return 0;
}

/* --- a set of file names --- */

struct names {
	char **items;
	size_t count;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct names){0};
}

static bool has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i], name))
			return true;
	return false;
}

static int add_name(struct names *names, const char *name)
{
	char **grown;

	if (has_name(names, name))
		return 0;
	grown = realloc(names->items, (names->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	names->items = grown;
	grown[names->count] = strdup(name);
	return grown[names->count++] ? 0 : -ENOMEM;
}

/* A patch may come from anywhere: it stays inside the tree. */
static bool is_inside_tree(const char *name)
{
	if (*name == '/' || !*name)
		return false;
	for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
		if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2]))
			return false;
	return true;
}

/* "--- a/kernel/sched/core.c\t2026-…" */
static int add_header_line(const struct series_patch *patch, char *line, struct names *names)
{
	char *name = line + 4;

	name[strcspn(name, "\t\r\n")] = '\0';
	if (!strcmp(name, "/dev/null"))
		return 0;
	for (unsigned int i = 0; i < patch->strip; i++) {
		char *slash = strchr(name, '/');

		if (!slash)
			return 0; /* prose that looks like a header, such as "--- " in a mail */
		name = slash + 1;
	}
	if (!is_inside_tree(name)) {
		message_error("the patch %s changes '%s', which is outside of the tree",
			      patch->name, name);
		return -EINVAL;
	}
	return add_name(names, name);
}

/* A header is a "--- " line with a "+++ " line right after it. */
static int add_touched_files(const struct series_patch *patch, struct names *names)
{
	char *text, *line, *next, *after;
	int err = read_file(patch->path, PATCH_MAX_BYTES, &text, NULL);

	if (err)
		return message_errno(err, "cannot read the patch %s", patch->path);
	for (line = text; line && !err; line = next) {
		next = strchr(line, '\n');
		if (!next || strncmp(line, "--- ", 4) || strncmp(next + 1, "+++ ", 4)) {
			next = next ? next + 1 : NULL;
			continue;
		}
		*next++ = '\0';
		after = strchr(next, '\n');
		if (after)
			*after++ = '\0';
		err = add_header_line(patch, line, names);
		if (!err)
			err = add_header_line(patch, next, names);
		next = after;
	}
	free(text);
	return err;
}

/* --- copying single files --- */

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static int make_parent(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	return make_directories(dirname(copy));
}

static int copy_file(const char *from, const char *to)
{
	struct stat status;
	size_t size_bytes;
	char *text;
	int err = read_file(from, PATCH_MAX_BYTES, &text, &size_bytes);

	if (err)
		return message_errno(err, "cannot read %s", from);
	err = make_parent(to);
	if (!err)
		err = write_file_atomically(to, text, size_bytes);
	if (!err && !stat(from, &status))
		chmod(to, status.st_mode & 07777); /* scripts stay executable */
	free(text);
	return err ? message_errno(err, "cannot write %s", to) : 0;
}

static bool have_same_bytes(const char *a, const char *b)
{
	char hex_a[SHA256_HEX_SIZE], hex_b[SHA256_HEX_SIZE];

	return !sha256_file(a, hex_a) && !sha256_file(b, hex_b) && !strcmp(hex_a, hex_b);
}

/* --- what a series has touched so far --- */

/*
 * sources/ID/touched has one file name per line, written before the first of them is
 * changed; originals/NAME is its old content, and missing for a file that a patch made.
 */
static int read_touched(const char *source_directory, struct names *names)
{
	char *path = format_string("%s/touched", source_directory), *text, *save = NULL;
	int err;

	if (!path)
		return -ENOMEM;
	err = read_file(path, PATCH_MAX_BYTES, &text, NULL);
	free(path);
	if (err)
		return err == -ENOENT ? 0 : err;
	for (char *line = strtok_r(text, "\n", &save); line && !err;
	     line = strtok_r(NULL, "\n", &save))
		err = add_name(names, line);
	free(text);
	return err;
}

static int write_touched(const char *source_directory, const struct names *names)
{
	char *path = format_string("%s/touched", source_directory), *text = strdup(""), *longer;
	int err = path && text ? 0 : -ENOMEM;

	for (size_t i = 0; i < names->count && !err; i++) {
		longer = format_string("%s%s\n", text, names->items[i]);
		free(text);
		text = longer;
		err = text ? 0 : -ENOMEM;
	}
	if (!err)
		err = write_file_atomically(path, text, strlen(text));
	free(path);
	free(text);
	return err;
}

/* Keeps the original of every file in @wanted that is not in @known yet. */
static int keep_originals(const char *source_directory, const struct names *wanted,
			  struct names *known)
{
	int err = 0;

	for (size_t i = 0; i < wanted->count && !err; i++) {
		char *in_tree = format_string("%s/tree/%s", source_directory, wanted->items[i]);
		char *kept = format_string("%s/originals/%s", source_directory, wanted->items[i]);

		if (!in_tree || !kept)
			err = -ENOMEM;
		else if (!has_name(known, wanted->items[i]) && exists(in_tree))
			err = copy_file(in_tree, kept);
		free(in_tree);
		free(kept);
	}
	for (size_t i = 0; i < wanted->count && !err; i++)
		err = add_name(known, wanted->items[i]);
	return err ? err : write_touched(source_directory, known);
}

/* --- applying, in a scratch folder that has the touched files only --- */

struct patch_watch {
	char file[PATH_MAX];
	char hunk[128];
	char first[256];
	bool is_applied_already;
};

static void watch_patch(void *context, const char *line)
{
	struct patch_watch *watch = context;
	static const char patching[] = "patching file ", checking[] = "checking file ";

	if (!strncmp(line, patching, sizeof(patching) - 1) ||
	    !strncmp(line, checking, sizeof(checking) - 1)) {
		if (!*watch->hunk)
			snprintf(watch->file, sizeof(watch->file), "%s",
				 line + sizeof(patching) - 1);
		return;
	}
	if (strstr(line, "previously applied"))
		watch->is_applied_already = true;
	if (!strncmp(line, "Hunk #", 6) && strstr(line, "FAILED") && !*watch->hunk)
		snprintf(watch->hunk, sizeof(watch->hunk), "%s", line);
	if (!*watch->first && !strstr(line, "succeeded at"))
		snprintf(watch->first, sizeof(watch->first), "%s", line);
}

static int run_patch(const struct series_patch *patch, const char *scratch, bool dry,
		     struct patch_watch *watch)
{
	char strip[16];
	const char *const argv[] = {"patch",
				    strip,
				    "--fuzz=0",
				    "--batch",
				    "--forward",
				    "--no-backup-if-mismatch",
				    "--reject-file=-",
				    "-i",
				    patch->path,
				    dry ? "--dry-run" : NULL,
				    NULL};
	static const char *const environment[] = {"LC_ALL=C", NULL};
	struct process_request request = {.argv = argv,
					  .cwd = scratch,
					  .environment = environment,
					  .on_line = watch_patch,
					  .context = watch};

	snprintf(strip, sizeof(strip), "-p%u", patch->strip);
	return process_run(&request);
}

static int explain(const struct series_patch *patch, int err, const struct patch_watch *watch,
		   const char *left_out)
{
	const char *without = left_out ? " without " : "";
	unsigned long hunk = 0, line = 0;

	left_out = left_out ? left_out : "";

	if (err == -EINTR)
		return err;
	if (err == -ENOENT) {
		message_error("the program 'patch' is missing; install the package patch");
		return -ENOENT;
	}
	if (watch->is_applied_already)
		message_error(
			"the tree already has the patch %s (in %s); build the tree as it is with "
			"--series /dev/null",
			patch->name, watch->file);
	else if (sscanf(watch->hunk, "Hunk #%lu FAILED at %lu", &hunk, &line) >= 1)
		message_error("the patch %s does not apply%s%s: hunk %lu of %s fails, at line %lu; "
			      "nothing was changed",
			      patch->name, without, left_out, hunk, watch->file, line);
	else
		message_error("the patch %s does not apply%s%s: %s; nothing was changed",
			      patch->name, without, left_out,
			      *watch->first ? watch->first : "patch(1) failed");
	return -EINVAL;
}

static int apply_one(struct series_patch *patch, const char *left_out, const char *scratch)
{
	struct patch_watch watch = {0};
	int err;

	if (patch->is_aid && run_patch(patch, scratch, true, &watch)) {
		message_note("%s does not apply to this tree and is left out; it only makes the "
			     "virtual machine boot faster",
			     patch->name);
		patch->is_left_out = true;
		return 0;
	}
	memset(&watch, 0, sizeof(watch));
	err = run_patch(patch, scratch, false, &watch);
	return err ? explain(patch, err, &watch, left_out) : 0;
}

/* Copies the unpatched form of the named files to @scratch. */
static int fill_scratch(const char *source_directory, const struct names *names,
			const struct names *known, const char *scratch)
{
	int err = make_directories(scratch);

	for (size_t i = 0; i < names->count && !err; i++) {
		bool is_known = has_name(known, names->items[i]);
		char *from = format_string("%s/%s/%s", source_directory,
					   is_known ? "originals" : "tree", names->items[i]);
		char *to = format_string("%s/%s", scratch, names->items[i]);

		if (!from || !to)
			err = -ENOMEM;
		else if (exists(from))
			err = copy_file(from, to);
		free(from);
		free(to);
	}
	return err;
}

/* Brings one file of the tree to what @wanted_path has; a missing one is removed. */
static int settle_file(const char *wanted_path, const char *in_tree)
{
	if (!exists(wanted_path)) {
		if (unlink(in_tree) && errno != ENOENT)
			return message_errno(-errno, "cannot remove %s", in_tree);
		return 0;
	}
	if (have_same_bytes(wanted_path, in_tree))
		return 0;
	return copy_file(wanted_path, in_tree);
}

static int settle_tree(const char *source_directory, const struct names *names,
		       const struct names *known, const char *scratch)
{
	int err = 0;

	for (size_t i = 0; i < known->count && !err; i++) {
		const char *name = known->items[i];
		char *wanted = has_name(names, name)
				       ? format_string("%s/%s", scratch, name)
				       : format_string("%s/originals/%s", source_directory, name);
		char *in_tree = format_string("%s/tree/%s", source_directory, name);

		err = wanted && in_tree ? settle_file(wanted, in_tree) : -ENOMEM;
		free(wanted);
		free(in_tree);
	}
	return err;
}

int series_apply(struct series *series, const char *source_directory)
{
	char *scratch = format_string("%s/scratch", source_directory);
	struct names names = {0}, known = {0};
	int err;

	if (!scratch)
		return -ENOMEM;
	err = read_touched(source_directory, &known);
	for (size_t i = 0; i < series->count && !err; i++)
		err = add_touched_files(&series->items[i], &names);
	if (!err)
		err = remove_tree(scratch);
	if (!err)
		err = fill_scratch(source_directory, &names, &known, scratch);
	for (size_t i = 0; i < series->count && !err; i++)
		err = apply_one(&series->items[i], series->left_out, scratch);
	if (!err)
		err = keep_originals(source_directory, &names, &known);
	if (!err)
		err = settle_tree(source_directory, &names, &known, scratch);
	remove_tree(scratch);
	names_release(&names);
	names_release(&known);
	free(scratch);
	return err;
}
