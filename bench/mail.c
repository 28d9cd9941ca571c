// SPDX-License-Identifier: GPL-2.0-only
#include "bench/mail.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bench/files.h"

#define MAILS_MAX 10000

/* --- subjects --- */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

static size_t reply_word_length(const char *subject)
{
	static const char *const words[] = {"re:", "aw:", "fwd:", "fw:", "sv:", "antw:"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strncasecmp(subject, words[i], strlen(words[i])))
			return strlen(words[i]);
	return 0;
}

static const char *skip_reply_words(const char *subject, bool *is_reply)
{
	size_t length;

	while ((length = reply_word_length(subject))) {
		*is_reply = true;
		subject = skip_blanks(subject + length);
	}
	return subject;
}

static void read_tag_word(const char *word, struct mail_tag *tag)
{
	unsigned int a, b = 0;
	int end = 0;

	if (strcasestr(word, "PATCH") || !strcasecmp(word, "RFC"))
		tag->is_patch = true;
	if (sscanf(word, "%3u/%3u%n", &a, &b, &end) == 2 && !word[end] && b > 0 && a <= b) {
		tag->number = a;
		tag->total = b;
		tag->is_patch = true;
	} else if ((*word == 'v' || *word == 'V') && isdigit((unsigned char)word[1])) {
		b = 0;
		if (sscanf(word + 1, "%4u.%4u", &a, &b) >= 1) {
			tag->major = a;
			tag->minor = b;
		}
	}
}

static void read_brackets(const char *text, size_t length, struct mail_tag *tag)
{
	char copy[128], *save = NULL;

	snprintf(copy, sizeof(copy), "%.*s", (int)length, text);
	for (char *word = strtok_r(copy, " \t,-_", &save); word;
	     word = strtok_r(NULL, " \t,-_", &save))
		read_tag_word(word, tag);
}

struct mail_tag mail_tag_of(const char *subject)
{
	struct mail_tag tag = {.major = 1};
	const char *end;

	subject = skip_reply_words(skip_blanks(subject), &tag.is_reply);
	while (*subject == '[' && (end = strchr(subject, ']'))) {
		read_brackets(subject + 1, (size_t)(end - subject - 1), &tag);
		subject = skip_blanks(end + 1);
	}
	tag.subject = subject;
	return tag;
}

/* --- where mails begin --- */

enum form {
	FORM_MBOX,    /* "From someone Wed Jul  1 12:00:00 2026" */
	FORM_PAGE,    /* "* SUBJECT", then "@ DATE NAME" */
	FORM_HEADERS, /* "From: …", "Subject: …", "Date: …" in any order */
};

static bool has_time_of_day(const char *line, size_t length)
{
	for (size_t i = 2; i + 5 < length; i++)
		if (line[i] == ':' && line[i + 3] == ':' && isdigit((unsigned char)line[i - 1]) &&
		    isdigit((unsigned char)line[i + 1]) && isdigit((unsigned char)line[i + 4]))
			return true;
	return false;
}

static bool is_mbox_start(const char *line)
{
	return !strncmp(line, "From ", 5) && has_time_of_day(line, strcspn(line, "\n"));
}

static bool is_page_start(const char *line)
{
	return !strncmp(line, "* ", 2) && !strncmp(next_line(line), "@ ", 2);
}

static bool is_header(const char *line, const char *name)
{
	size_t length = strlen(name);

	return !strncasecmp(line, name, length) && line[length] == ':';
}

/* A paragraph of nothing but headers; a "From:" in a patch's text comes without the others. */
static bool is_headers_start(const char *line)
{
	bool has_from = false, has_subject = false, has_other = false;

	for (bool is_first = true; *line && *line != '\n'; line = next_line(line)) {
		size_t name_length = strcspn(line, ": \t\n");

		if (!is_first && (*line == ' ' || *line == '\t'))
			continue;
		if (!name_length || line[name_length] != ':')
			return false;
		has_from |= is_header(line, "From");
		has_subject |= is_header(line, "Subject");
		has_other |= is_header(line, "Date") || is_header(line, "To") ||
			     is_header(line, "Message-ID") || is_header(line, "Sent");
		is_first = false;
	}
	return has_from && has_subject && has_other;
}

static bool is_start(enum form form, const char *line)
{
	switch (form) {
	case FORM_MBOX:
		return is_mbox_start(line);
	case FORM_PAGE:
		return is_page_start(line);
	case FORM_HEADERS:
		return is_headers_start(line);
	}
	return false;
}

static long find_starts(const char *text, enum form form, size_t *starts)
{
	bool is_after_blank = true;
	long count = 0;

	for (const char *line = text; *line; line = next_line(line)) {
		if (is_after_blank && is_start(form, line)) {
			if (count == MAILS_MAX)
				return -E2BIG;
			starts[count++] = (size_t)(line - text);
		}
		/* lore puts the next mail's "* SUBJECT" right below "^ permalink raw reply" */
		is_after_blank = *line == '\n' || form == FORM_PAGE;
	}
	starts[count] = strlen(text);
	return count;
}

static enum form form_of(const char *text)
{
	bool is_after_blank = true, has_page = false;

	for (const char *line = text; *line; line = next_line(line)) {
		if (is_after_blank && is_mbox_start(line))
			return FORM_MBOX;
		has_page |= is_page_start(line);
		is_after_blank = *line == '\n';
	}
	return has_page ? FORM_PAGE : FORM_HEADERS;
}

long mail_split(const char *text, size_t **starts)
{
	long count;

	*starts = calloc(MAILS_MAX + 1, sizeof(**starts));
	if (!*starts)
		return -ENOMEM;
	count = find_starts(text, form_of(text), *starts);
	if (count < 0) {
		free(*starts);
		*starts = NULL;
	}
	return count;
}

/* Lore's page has "From: NAME @ DATE (permalink / raw)" below the subject's lines. */
static char *page_to_mail(const char *text, size_t length)
{
	char *copy = strndup(text, length), *mail = NULL, *subject, *from, *at;

	if (!copy)
		return NULL;
	subject = copy + 2;
	from = strstr(copy, "\nFrom: ");
	if (from && (at = strstr(from, " @ "))) {
		char *body = strstr(at, "\n\n");

		subject[strcspn(subject, "\n")] = '\0';
		*at = '\0';
		mail = format_string("From: %s <unknown@invalid>\nSubject: %s\n\n%s", from + 7,
				     subject, body ? body + 2 : "");
	} else {
		mail = format_string("Subject: no mail\n\n");
	}
	free(copy);
	return mail;
}

/* An mbox hides lines that begin with "From " behind a ">". */
static void unhide_from(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		const char *end = next_line(from);
		size_t quotes = strspn(from, ">");

		if (quotes && !strncmp(from + quotes, "From ", 5))
			from++;
		memmove(to, from, (size_t)(end - from));
		to += end - from;
		from = end;
	}
	*to = '\0';
}

char *mail_text(const char *text, size_t length)
{
	char *mail;

	if (is_page_start(text))
		return page_to_mail(text, length);
	if (!is_mbox_start(text))
		return strndup(text, length);
	mail = strndup(next_line(text), length - (size_t)(next_line(text) - text));
	if (mail)
		unhide_from(mail);
	return mail;
}
