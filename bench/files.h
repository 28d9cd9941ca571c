/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_FILES_H
#define BENCH_FILES_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Hexadecimal SHA-256 and its terminating NUL. */
#define SHA256_HEX_SIZE 65

/* Creates @path and its parents (mode 0755). 0, or a negative errno. */
int make_directories(const char *path);

/* write() until all of it is written. 0, or a negative errno. */
int write_all(int fd, const char *bytes, size_t size_bytes);

/* Makes the entry of @path in its folder last, where the file system can. 0, or a negative errno.
 */
int sync_parent(const char *path);

/*
 * Writes @path whole or not at all: to a temporary name beside it, fsynced,
 * renamed over @path, the directory fsynced. 0, or a negative errno; on an error
 * @path is as it was and the temporary file is gone.
 */
int write_file_atomically(const char *path, const void *bytes, size_t size_bytes);

/* The same for a JSON document, indented by two spaces, ended by a newline. */
int write_json_atomically(const char *path, struct json_object *document);

/*
 * Reads @path whole into a NUL-terminated buffer that the caller frees.
 * @max_bytes bounds it (-EFBIG beyond). Works on /proc files as well.
 */
int read_file(const char *path, size_t max_bytes, char **out, size_t *size_bytes);

/* The first line of a small file (/proc, /sys) without its newline; -ENOENT and friends otherwise.
 */
int read_line(const char *path, char *out, size_t out_size);

/* read_line() of the path that @format makes below @root ("" for this machine, a folder for a
 * recorded one). */
int read_line_at(const char *root, char *out, size_t out_size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* SHA-256 of a file's bytes, or of a buffer, as lower-case hexadecimal. */
int sha256_file(const char *path, char hex[SHA256_HEX_SIZE]);
void sha256_bytes(const void *bytes, size_t size_bytes, char hex[SHA256_HEX_SIZE]);

/* printf into a new string that the caller frees; NULL only when memory is out. */
char *format_string(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The line below the one that @line begins or is in; the terminating NUL after the last. */
const char *next_line(const char *line);

/* Removes a directory tree (no symbolic link is followed). 0, or a negative errno. */
int remove_tree(const char *path);

#endif
