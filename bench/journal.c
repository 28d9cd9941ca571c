// SPDX-License-Identifier: GPL-2.0-only
#include "bench/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/files.h"
#include "reports/json_strict.h"

#define JOURNAL_MAX_BYTES (64u << 20)

/* A line that a crash cut short must not swallow the next event. */
static int end_last_line(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last;

	if (end <= 0)
		return end < 0 ? -errno : 0;
	if (pread(fd, &last, 1, end - 1) != 1)
		return -EIO;
	if (last != '\n' && write(fd, "\n", 1) != 1)
		return -EIO;
	return 0;
}

int journal_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int err;

	if (fd < 0)
		return -errno;
	err = end_last_line(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

struct json_object *journal_event(const char *name)
{
	struct json_object *event = json_object_new_object();

	if (event)
		json_object_object_add(event, "event", json_object_new_string(name));
	return event;
}

int journal_append(int fd, struct json_object *event)
{
	char *line = NULL;
	int err = -ENOMEM;
	size_t length;
	ssize_t written;

	if (event)
		line = format_string(
			"%s\n",
			json_object_to_json_string_ext(
				event, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(event);
	if (!line)
		return err;
	length = strlen(line);
	/* One write, so that only a crash or a full disk can cut a line. */
	written = write(fd, line, length);
	err = written < 0 ? -errno : 0;
	if (!err && (size_t)written != length)
		err = -ENOSPC;
	if (!err && fsync(fd) && errno != EINVAL)
		err = -errno;
	free(line);
	return err;
}

static struct json_object *parse_event(const char *line)
{
	char problem[200];
	struct json_object *event = json_strict_parse(line, strlen(line), problem, sizeof(problem));
	struct json_object *name;

	if (json_object_is_type(event, json_type_object) &&
	    json_object_object_get_ex(event, "event", &name) &&
	    json_object_is_type(name, json_type_string))
		return event;
	json_object_put(event);
	return NULL;
}

int journal_read(const char *path, void (*on_event)(void *context, struct json_object *event),
		 void *context)
{
	char *text, *save = NULL;
	int err = read_file(path, JOURNAL_MAX_BYTES, &text, NULL);

	if (err)
		return err == -ENOENT ? 0 : err;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct json_object *event = parse_event(line);

		if (event)
			on_event(context, event);
		json_object_put(event);
	}
	free(text);
	return 0;
}
