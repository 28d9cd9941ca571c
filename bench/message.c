// SPDX-License-Identifier: GPL-2.0-only
#include "bench/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/progress.h"

/* What is quoted may come from a file or a mail: nothing in it steers a terminal. */
static void make_harmless(char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\n' && *text != '\t') || *text == 0x7f)
			*text = '?';
}

__attribute__((format(printf, 2, 0))) static void print(const char *kind, const char *format,
							va_list args, const char *suffix)
{
	char text[4096];

	vsnprintf(text, sizeof(text), format, args);
	make_harmless(text);
	progress_clear();
	fprintf(stderr, "proxeval: %s%s%s\n", kind, text, suffix);
}

void message_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("error: ", format, args, "");
	va_end(args);
}

void message_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("warning: ", format, args, "");
	va_end(args);
}

void message_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("", format, args, "");
	va_end(args);
}

static const char *remedy(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return " (run it as root, or give the files to this user)";
	case ENOSPC:
	case EDQUOT:
		return " (free some space, or name another place with --results)";
	default:
		return "";
	}
}

int message_errno(int err, const char *format, ...)
{
	char suffix[256];
	va_list args;

	snprintf(suffix, sizeof(suffix), ": %s%s", strerror(-err), remedy(err));
	va_start(args, format);
	print("error: ", format, args, suffix);
	va_end(args);
	return err;
}
