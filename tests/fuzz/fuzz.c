// SPDX-License-Identifier: GPL-2.0-only
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/files.h"

static char folder[PATH_MAX];
static pid_t owner; /* libFuzzer's children must not remove it */

static void remove_folder(void)
{
	if (owner == getpid())
		remove_tree(folder);
}

char *fuzz_text(const uint8_t *data, size_t size_bytes)
{
	char *text = malloc(size_bytes + 1);

	if (!text)
		abort();
	if (size_bytes)
		memcpy(text, data, size_bytes);
	text[size_bytes] = '\0';
	return text;
}

const char *fuzz_folder(void)
{
	if (*folder)
		return folder;
	snprintf(folder, sizeof(folder), "%s/proxeval-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		abort();
	owner = getpid();
	atexit(remove_folder);
	return folder;
}

const char *fuzz_write(const char *name, const uint8_t *data, size_t size_bytes)
{
	static char path[PATH_MAX + 256], parent[PATH_MAX + 256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(parent, sizeof(parent), "%s", path);
		*strrchr(parent, '/') = '\0';
		if (make_directories(parent))
			abort();
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	if (fd < 0 || write_all(fd, (const char *)data, size_bytes))
		abort();
	close(fd);
	return path;
}

size_t fuzz_part(const uint8_t **data, size_t *size_bytes, const uint8_t **part)
{
	const uint8_t *end = *size_bytes ? memchr(*data, 0xff, *size_bytes) : NULL;
	size_t length = end ? (size_t)(end - *data) : *size_bytes;

	*part = *data;
	*data += length + (end ? 1 : 0);
	*size_bytes -= length + (end ? 1 : 0);
	return length;
}
