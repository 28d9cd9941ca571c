// SPDX-License-Identifier: GPL-2.0-only
#include "bench/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <json-c/json.h>
#include <libgen.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int make_directories(const char *path)
{
	char partial[PATH_MAX];

	if (snprintf(partial, sizeof(partial), "%s", path) >= (int)sizeof(partial))
		return -ENAMETOOLONG;
	for (char *slash = partial + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(partial, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(partial, 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

int write_all(int fd, const char *bytes, size_t size_bytes)
{
	while (size_bytes) {
		ssize_t written = write(fd, bytes, size_bytes);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		size_bytes -= (size_t)written;
	}
	return 0;
}

int sync_parent(const char *path)
{
	char copy[PATH_MAX];
	int fd, err = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a directory; the rename is still whole. */
	if (fsync(fd) && errno != EINVAL)
		err = -errno;
	close(fd);
	return err;
}

int write_file_atomically(const char *path, const void *bytes, size_t size_bytes)
{
	char temporary[PATH_MAX];
	int fd, err;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, bytes, size_bytes);
	if (!err && (fchmod(fd, 0644) || fsync(fd)))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err) {
		unlink(temporary);
		return err;
	}
	return sync_parent(path);
}

int write_json_atomically(const char *path, struct json_object *document)
{
	const char *text = json_object_to_json_string_ext(
		document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *with_newline;
	int err;

	if (!text)
		return -ENOMEM;
	with_newline = format_string("%s\n", text);
	if (!with_newline)
		return -ENOMEM;
	err = write_file_atomically(path, with_newline, strlen(with_newline));
	free(with_newline);
	return err;
}

int read_file(const char *path, size_t max_bytes, char **out, size_t *size_bytes)
{
	size_t size = 0, capacity = 0;
	char *buffer = NULL, *grown;
	int err = 0, fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t got;

		if (capacity - size < 2) {
			capacity = capacity ? capacity * 2 : 65536;
			grown = realloc(buffer, capacity);
			if (!grown) {
				err = -ENOMEM;
				break;
			}
			buffer = grown;
		}
		got = read(fd, buffer + size, capacity - size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			err = got < 0 ? -errno : 0;
			break;
		}
		size += (size_t)got;
		if (size > max_bytes) {
			err = -EFBIG;
			break;
		}
	}
	close(fd);
	if (err) {
		free(buffer);
		return err;
	}
	buffer[size] = '\0';
	*out = buffer;
	if (size_bytes)
		*size_bytes = size;
	return 0;
}

int read_line(const char *path, char *out, size_t out_size)
{
	char *text;
	int err = read_file(path, 1 << 20, &text, NULL);

	if (err)
		return err;
	text[strcspn(text, "\n")] = '\0';
	snprintf(out, out_size, "%s", text);
	free(text);
	return 0;
}

int read_line_at(const char *root, char *out, size_t out_size, const char *format, ...)
{
	char relative[PATH_MAX], path[PATH_MAX + 64];
	va_list args;

	va_start(args, format);
	vsnprintf(relative, sizeof(relative), format, args);
	va_end(args);
	*out = '\0';
	if (snprintf(path, sizeof(path), "%s%s", root, relative) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return read_line(path, out, out_size);
}

static void to_hex(struct sha256_ctx *context, char hex[SHA256_HEX_SIZE])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(context, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int sha256_file(const char *path, char hex[SHA256_HEX_SIZE])
{
	struct sha256_ctx context;
	uint8_t block[65536];
	ssize_t got;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	sha256_init(&context);
	while ((got = read(fd, block, sizeof(block))) > 0)
		sha256_update(&context, (size_t)got, block);
	err = got < 0 ? -errno : 0;
	close(fd);
	if (!err)
		to_hex(&context, hex);
	return err;
}

void sha256_bytes(const void *bytes, size_t size_bytes, char hex[SHA256_HEX_SIZE])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, size_bytes, bytes);
	to_hex(&context, hex);
}

const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

char *format_string(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? NULL : text;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path) ? -errno : 0;
}

int remove_tree(const char *path)
{
	int err = nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS);

	if (err == -1)
		return errno == ENOENT ? 0 : -errno;
	return err;
}
