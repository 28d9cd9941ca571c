// SPDX-License-Identifier: GPL-2.0-only
#include "bench/kernel_mbox.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "bench/files.h"
#include "bench/mail.h"
#include "bench/message.h"
#include "bench/options.h"
#include "bench/paths.h"
#include "bench/process.h"

#define MBOX_MAX_BYTES (64u << 20)
#define SERIES_MAX     999
#define NAME_CHARS     52
#define HASH_CHARS     16

/* --- one mail --- */

struct posted {
	struct mail_tag tag;
	char *title, *author, *email, *date; /* tag.subject points into title */
	char *message, *patch;
};

struct posting {
	struct posted *items;
	size_t count;
	size_t replies_with_patches;
};

static void posting_release(struct posting *posting)
{
	for (size_t i = 0; i < posting->count; i++) {
		struct posted *item = &posting->items[i];

		free(item->title);
		free(item->author);
		free(item->email);
		free(item->date);
		free(item->message);
		free(item->patch);
	}
	free(posting->items);
	*posting = (struct posting){0};
}

/* A diff that begins a line: one that is quoted, or a cover letter's statistics, is none. */
static bool holds_patch(const char *text)
{
	for (const char *line = text; *line; line = next_line(line))
		if (!strncmp(line, "diff --git ", 11) ||
		    (!strncmp(line, "--- ", 4) && !strncmp(next_line(line), "+++ ", 4)))
			return true;
	return false;
}

static void take_info(void *context, const char *line)
{
	struct posted *item = context;
	const struct {
		const char *name;
		char **value;
	} fields[] = {{"Subject: ", &item->title},
		      {"Author: ", &item->author},
		      {"Email: ", &item->email},
		      {"Date: ", &item->date}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strncmp(line, fields[i].name, strlen(fields[i].name)) && !*fields[i].value)
			*fields[i].value = strdup(line + strlen(fields[i].name));
}

/* git decodes what mail programs do to a text: quoted-printable, base64, parts, charsets. */
static int decode_mail(const char *folder, const char *mail, struct posted *item)
{
	char *path = format_string("%s/mail", folder);
	char *message = format_string("%s/message", folder);
	char *patch = format_string("%s/patch", folder);
	const char *const argv[] = {"git", "mailinfo", "-k", "--no-scissors", message, patch, NULL};
	static const char *const environment[] = {"LC_ALL=C.UTF-8", "GIT_CONFIG_NOSYSTEM=1",
						  "GIT_CONFIG_GLOBAL=/dev/null", NULL};
	struct process_request request = {.argv = argv,
					  .cwd = folder,
					  .environment = environment,
					  .input_path = path,
					  .on_line = take_info,
					  .context = item};
	int err = path && message && patch ? 0 : -ENOMEM;

	if (!err)
		err = write_file_atomically(path, mail, strlen(mail));
	if (!err)
		err = process_run(&request);
	if (err == -ENOENT)
		message_error("the program 'git' is missing; install the package git");
	if (!err)
		err = read_file(message, MBOX_MAX_BYTES, &item->message, NULL);
	if (!err)
		err = read_file(patch, MBOX_MAX_BYTES, &item->patch, NULL);
	free(path);
	free(message);
	free(patch);
	return err;
}

static int add_mail(struct posting *posting, const char *folder, const char *text, size_t length)
{
	struct posted *item = &posting->items[posting->count];
	char *mail = mail_text(text, length);
	int err;

	if (!mail)
		return -ENOMEM;
	*item = (struct posted){0};
	posting->count++;
	err = decode_mail(folder, mail, item);
	free(mail);
	if (err > 0)
		err = 0; /* not a mail that git can read: it holds no patch */
	if (item->title)
		item->tag = mail_tag_of(item->title);
	return err;
}

/* --- choosing --- */

/* A cover letter (0/m) is none, whatever its author put below the statistics. */
static bool is_candidate(const struct posted *item)
{
	return item->title && item->patch && !item->tag.is_reply &&
	       (item->tag.number || !item->tag.total) && holds_patch(item->patch);
}

static int by_place(const void *left, const void *right)
{
	const struct posted *a = *(const struct posted *const *)left;
	const struct posted *b = *(const struct posted *const *)right;

	if (a->tag.number != b->tag.number)
		return a->tag.number < b->tag.number ? -1 : 1;
	if (a->tag.minor != b->tag.minor)
		return a->tag.minor > b->tag.minor ? -1 : 1;
	return a < b ? -1 : a > b;
}

struct choice {
	const struct posted **items;
	size_t count;
	unsigned int major, total;
};

/* The newest version's numbered patches; where nothing is numbered, all, as they come. */
static void pick_newest(struct posting *posting, struct choice *choice)
{
	bool is_numbered = false;

	for (size_t i = 0; i < posting->count; i++) {
		const struct posted *item = &posting->items[i];

		posting->replies_with_patches +=
			item->tag.is_reply && item->patch && holds_patch(item->patch);
		if (!is_candidate(item) || !item->tag.total)
			continue;
		is_numbered = true;
		if (item->tag.major > choice->major)
			*choice = (struct choice){.items = choice->items, .major = item->tag.major};
		if (item->tag.major == choice->major && item->tag.total > choice->total)
			choice->total = item->tag.total;
	}
	for (size_t i = 0; i < posting->count; i++) {
		const struct posted *item = &posting->items[i];

		if (is_candidate(item) &&
		    (!is_numbered || (item->tag.total && item->tag.major == choice->major)))
			choice->items[choice->count++] = item;
	}
	if (is_numbered)
		qsort(choice->items, choice->count, sizeof(*choice->items), by_place);
}

/* The same patch twice (a mail to two lists) is one; two patches of one number are refused. */
static int drop_repeated(const char *path, struct choice *choice)
{
	size_t kept = 0;

	for (size_t i = 0; i < choice->count && choice->total; i++) {
		const struct posted *item = choice->items[i];
		const struct posted *last = kept ? choice->items[kept - 1] : NULL;

		if (!last || last->tag.number != item->tag.number) {
			choice->items[kept++] = item;
		} else if (last->tag.minor == item->tag.minor && strcmp(last->patch, item->patch)) {
			message_error("%s: two different patches are number %u of v%u: '%s' and "
				      "'%s'; take one of them out",
				      path, item->tag.number, choice->major, last->tag.subject,
				      item->tag.subject);
			return -EINVAL;
		}
	}
	if (choice->total)
		choice->count = kept;
	return 0;
}

static int check_complete(const char *path, const struct choice *choice)
{
	if (!choice->count) {
		message_error("%s: there is no mail with a patch in it; a reply's quotations do "
			      "not count",
			      path);
		return -EINVAL;
	}
	if (choice->count > SERIES_MAX) {
		message_error("%s: %zu patches are more than a series has", path, choice->count);
		return -EINVAL;
	}
	for (unsigned int n = 1; n <= choice->total; n++) {
		if (n <= choice->count && choice->items[n - 1]->tag.number == n)
			continue;
		message_error("%s: patch %u/%u of v%u is missing; save the whole thread", path, n,
			      choice->total, choice->major);
		return -EINVAL;
	}
	return 0;
}

/* --- the series --- */

/* "sched: Don't do it" becomes "0003-sched-Don-t-do-it.patch". */
static char *patch_name(size_t number, const char *subject)
{
	char name[NAME_CHARS + 1];
	size_t length = 0;

	for (; *subject && length < NAME_CHARS; subject++) {
		if (isalnum((unsigned char)*subject))
			name[length++] = *subject;
		else if (length && name[length - 1] != '-')
			name[length++] = '-';
	}
	while (length && name[length - 1] == '-')
		length--;
	name[length] = '\0';
	return format_string("%04zu%s%s.patch", number, length ? "-" : "", name);
}

/* git leaves the "---" below the message at the head of the patch. */
static int write_patch(const char *folder, const char *name, const struct posted *item)
{
	char *path = format_string("%s/%s", folder, name);
	char *text = format_string("From: %s <%s>\n%s%s%sSubject: %s\n\n%s%s",
				   item->author ? item->author : "", item->email ? item->email : "",
				   item->date ? "Date: " : "", item->date ? item->date : "",
				   item->date ? "\n" : "", item->title, item->message, item->patch);
	int err = path && text ? write_file_atomically(path, text, strlen(text)) : -ENOMEM;

	free(path);
	free(text);
	return err;
}

static int write_series(const char *folder, const struct choice *choice)
{
	char *path = format_string("%s/series", folder), *text = strdup(""), *longer;
	int err = path && text ? 0 : -ENOMEM;

	for (size_t i = 0; i < choice->count && !err; i++) {
		char *name = patch_name(i + 1, choice->items[i]->tag.subject);

		longer = name ? format_string("%s%s\n", text, name) : NULL;
		err = longer ? write_patch(folder, name, choice->items[i]) : -ENOMEM;
		free(name);
		free(text);
		text = longer;
	}
	if (!err)
		err = write_file_atomically(path, text, strlen(text));
	free(path);
	free(text);
	return err;
}

static void tell_choice(const char *path, const struct posting *posting,
			const struct choice *choice)
{
	char version[16] = "";

	if (choice->total)
		snprintf(version, sizeof(version), " of v%u", choice->major);
	message_note("%s: %zu patch%s%s out of %zu mail%s", path, choice->count,
		     choice->count == 1 ? "" : "es", version, posting->count,
		     posting->count == 1 ? "" : "s");
	if (posting->replies_with_patches)
		message_warning("%s: %zu repl%s with a patch of its own left out", path,
				posting->replies_with_patches,
				posting->replies_with_patches == 1 ? "y" : "ies");
}

/* --- the file --- */

/* Plain or gzip, without carriage returns at line ends. */
static int read_mails(const char *path, char **text)
{
	gzFile file;
	size_t size_bytes = 0, room_bytes = 1 << 16;
	char *bytes, *longer;
	int got = 0, err;

	errno = 0; /* zlib leaves it so when its own memory is out */
	file = gzopen(path, "rb");
	if (!file)
		return errno ? -errno : -ENOMEM;
	bytes = malloc(room_bytes);
	err = bytes ? 0 : -ENOMEM;
	while (!err && (got = gzread(file, bytes + size_bytes,
				     (unsigned int)(room_bytes - size_bytes - 1))) > 0) {
		size_bytes += (size_t)got;
		if (size_bytes > MBOX_MAX_BYTES) {
			err = -EFBIG;
		} else if (room_bytes - size_bytes < 2) {
			longer = realloc(bytes, room_bytes *= 2);
			bytes = longer ? longer : bytes;
			err = longer ? 0 : -ENOMEM;
		}
	}
	/* Z_BUF_ERROR: the gzip ends before its end. */
	if (gzclose(file) == Z_BUF_ERROR)
		got = -1;
	if (!err && (got < 0 || memchr(bytes, '\0', size_bytes)))
		err = -EILSEQ;
	if (err) {
		free(bytes);
		return err;
	}
	*text = bytes;
	for (size_t i = 0, to = 0; i <= size_bytes; i++) {
		bytes[i] = i < size_bytes ? bytes[i] : '\0';
		if (bytes[i] == '\r' && i + 1 < size_bytes && bytes[i + 1] == '\n')
			continue;
		bytes[to++] = bytes[i];
	}
	return 0;
}

static int read_posting(const char *text, const char *folder, struct posting *posting)
{
	size_t *starts = NULL;
	long count = mail_split(text, &starts);
	int err = count < 0 ? (int)count : 0;

	posting->items = count > 0 ? calloc((size_t)count, sizeof(*posting->items)) : NULL;
	if (count > 0 && !posting->items)
		err = -ENOMEM;
	for (long i = 0; i < count && !err; i++)
		err = add_mail(posting, folder, text + starts[i], starts[i + 1] - starts[i]);
	free(starts);
	return err;
}

/* All of it in a folder that is renamed when it is whole. */
static int make_series(const char *path, const char *text, const char *folder)
{
	char *building = format_string("%s.%ld", folder, (long)getpid());
	struct posting posting = {0};
	struct choice choice = {0};
	int err = building ? make_directories(building) : -ENOMEM;

	if (!err)
		err = read_posting(text, building, &posting);
	if (!err) {
		choice.items = calloc(posting.count + 1, sizeof(*choice.items));
		err = choice.items ? 0 : -ENOMEM;
	}
	if (!err) {
		pick_newest(&posting, &choice);
		err = drop_repeated(path, &choice);
	}
	if (!err)
		err = check_complete(path, &choice);
	if (!err)
		err = write_series(building, &choice);
	if (!err) {
		tell_choice(path, &posting, &choice);
		remove_tree(folder);
		err = rename(building, folder) ? -errno : 0;
	}
	if (err && building)
		remove_tree(building);
	posting_release(&posting);
	free(choice.items);
	free(building);
	return err;
}

int mbox_to_series(const char *path, bool is_again, char **series_path)
{
	char hex[SHA256_HEX_SIZE], *text = NULL, *root = NULL, *folder = NULL;
	int err = read_mails(path, &text);

	if (err) {
		message_error("cannot read the mails in %s: %s", path,
			      err == -EILSEQ  ? "it is neither text nor whole gzip"
			      : err == -EFBIG ? "it has more than 64 MiB"
					      : strerror(-err));
		return -EINVAL;
	}
	sha256_bytes(text, strlen(text), hex);
	hex[HASH_CHARS] = '\0';
	root = paths_build("kernel/mbox");
	folder = root ? format_string("%s/%s", root, hex) : NULL;
	*series_path = folder ? format_string("%s/series", folder) : NULL;
	err = *series_path ? make_directories(root) : -ENOMEM;
	if (!err && !(is_again && !access(*series_path, R_OK)))
		err = make_series(path, text, folder);
	if (err) {
		free(*series_path);
		*series_path = NULL;
	}
	if (err && err != -EINVAL && err != -EINTR && err != -ENOENT)
		message_errno(err, "cannot take the series out of %s", path);
	free(text);
	free(root);
	free(folder);
	return err;
}
