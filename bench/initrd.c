// SPDX-License-Identifier: GPL-2.0-only
#include "bench/initrd.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/process.h"

/* A program or library beyond this is not one of ours. */
#define MAX_FILE_BYTES	 (256u << 20)
#define ALIGN_BYTES	 4u
#define ARCHIVE_BYTES	 512u
#define HEADER_BYTES	 110u
#define TRAILER		 "TRAILER!!!"
#define DIRECTORY_MODE	 0755
#define LIBRARY_MODE	 0755
#define INTERPRETER_SIZE 256

struct entry {
	char *path;
	mode_t mode; /* type and permissions */
	unsigned int major, minor;
	void *bytes;
	size_t size_bytes;
	size_t order; /* of adding: keeps the first of two entries of one path */
};

struct initrd {
	struct entry *entries;
	size_t count, capacity;
};

struct initrd *initrd_new(void)
{
	return calloc(1, sizeof(struct initrd));
}

void initrd_free(struct initrd *initrd)
{
	if (!initrd)
		return;
	for (size_t i = 0; i < initrd->count; i++) {
		free(initrd->entries[i].path);
		free(initrd->entries[i].bytes);
	}
	free(initrd->entries);
	free(initrd);
}

/* Takes @bytes over, also when it fails. */
static int add(struct initrd *initrd, const char *path, mode_t mode, void *bytes, size_t size_bytes)
{
	struct entry *grown, *entry;
	char *copy = NULL;
	int err = -EINVAL;

	if (!*path || *path == '/')
		goto out_free;
	err = -ENOMEM;
	copy = strdup(path);
	if (!copy)
		goto out_free;
	if (initrd->count == initrd->capacity) {
		size_t capacity = initrd->capacity ? 2 * initrd->capacity : 32;

		grown = realloc(initrd->entries, capacity * sizeof(*grown));
		if (!grown)
			goto out_free;
		initrd->entries = grown;
		initrd->capacity = capacity;
	}
	entry = &initrd->entries[initrd->count];
	*entry = (struct entry){.path = copy,
				.mode = mode,
				.bytes = bytes,
				.size_bytes = size_bytes,
				.order = initrd->count};
	initrd->count++;
	return 0;
out_free:
	free(copy);
	free(bytes);
	return err;
}

int initrd_add_directory(struct initrd *initrd, const char *path, mode_t mode)
{
	return add(initrd, path, S_IFDIR | mode, NULL, 0);
}

int initrd_add_bytes(struct initrd *initrd, const char *path, mode_t mode, const void *bytes,
		     size_t size_bytes)
{
	void *copy = malloc(size_bytes ? size_bytes : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, size_bytes);
	return add(initrd, path, S_IFREG | mode, copy, size_bytes);
}

int initrd_add_file(struct initrd *initrd, const char *path, mode_t mode, const char *host_path)
{
	size_t size_bytes;
	char *bytes;
	int err = read_file(host_path, MAX_FILE_BYTES, &bytes, &size_bytes);

	if (err)
		return err;
	return add(initrd, path, S_IFREG | mode, bytes, size_bytes);
}

int initrd_add_character_device(struct initrd *initrd, const char *path, mode_t mode,
				unsigned int major, unsigned int minor)
{
	int err = add(initrd, path, S_IFCHR | mode, NULL, 0);

	if (err)
		return err;
	initrd->entries[initrd->count - 1].major = major;
	initrd->entries[initrd->count - 1].minor = minor;
	return 0;
}

/*
 * The dynamic loader that @host_path names (PT_INTERP); an empty string when it names
 * none, as a static program.
 */
static int read_interpreter(const char *host_path, char interpreter[INTERPRETER_SIZE])
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	int fd, err = 0;

	interpreter[0] = '\0';
	fd = open(host_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(segment))
		err = -ENOEXEC;
	for (unsigned int i = 0; !err && i < header.e_phnum; i++) {
		off_t offset = (off_t)(header.e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), offset) != (ssize_t)sizeof(segment)) {
			err = -ENOEXEC;
		} else if (segment.p_type == PT_INTERP) {
			if (segment.p_filesz >= INTERPRETER_SIZE ||
			    pread(fd, interpreter, segment.p_filesz, (off_t)segment.p_offset) !=
				    (ssize_t)segment.p_filesz)
				err = -ENOEXEC;
			else
				interpreter[segment.p_filesz] = '\0';
			break;
		}
	}
	close(fd);
	return err;
}

/*
 * One line of the loader's list: "\tlibm.so.6 => /lib/…/libm.so.6 (0x7f…)". The vDSO
 * has no file ("linux-vdso.so.1 (0x…)"), the loader itself no arrow: both are passed over.
 */
static int add_library(struct initrd *initrd, char *line)
{
	char *arrow = strstr(line, " => "), *name = line + strspn(line, "\t "), *end, *path;
	int err;

	if (!arrow)
		return 0;
	*arrow = '\0';
	end = strstr(arrow + 4, " (0x");
	if (arrow[4] != '/' || !end)
		return -ENOENT; /* "=> not found" */
	*end = '\0';
	name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	path = format_string("lib/%s", name);
	if (!path)
		return -ENOMEM;
	err = initrd_add_file(initrd, path, LIBRARY_MODE, arrow + 4);
	free(path);
	return err;
}

static int add_libraries(struct initrd *initrd, const char *interpreter, const char *host_path)
{
	/* The loader itself says what it would load; it runs nothing of the program. */
	const char *const argv[] = {interpreter, "--list", host_path, NULL};
	char *list, *save = NULL;
	int err = process_capture(argv, &list);

	if (err)
		return err > 0 ? -ENOENT : err;
	for (char *line = strtok_r(list, "\n", &save); line && !err;
	     line = strtok_r(NULL, "\n", &save))
		err = add_library(initrd, line);
	free(list);
	return err;
}

int initrd_add_program(struct initrd *initrd, const char *path, const char *host_path)
{
	char interpreter[INTERPRETER_SIZE];
	int err = read_interpreter(host_path, interpreter);

	if (!err)
		err = initrd_add_file(initrd, path, 0755, host_path);
	if (err || interpreter[0] != '/')
		return err;
	err = initrd_add_file(initrd, interpreter + 1, 0755, interpreter);
	return err ? err : add_libraries(initrd, interpreter, host_path);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = strcmp(left->path, right->path);

	if (order)
		return order;
	return left->order < right->order ? -1 : left->order > right->order;
}

/* The kernel makes no directory by itself: every parent must stand before its child. */
static int add_parents(struct initrd *initrd)
{
	size_t count = initrd->count;

	for (size_t i = 0; i < count; i++) {
		char *path = strdup(initrd->entries[i].path);
		int err = path ? 0 : -ENOMEM;

		while (!err && strrchr(path, '/')) {
			*strrchr(path, '/') = '\0';
			err = initrd_add_directory(initrd, path, DIRECTORY_MODE);
		}
		free(path);
		if (err)
			return err;
	}
	return 0;
}

struct encoder {
	char *bytes; /* NULL while only counting */
	size_t length;
	unsigned int inode;
};

static void put(struct encoder *encoder, const void *bytes, size_t size_bytes)
{
	if (encoder->bytes && size_bytes)
		memcpy(encoder->bytes + encoder->length, bytes, size_bytes);
	encoder->length += size_bytes;
}

static void pad(struct encoder *encoder, size_t multiple)
{
	static const char zeros[ARCHIVE_BYTES];

	put(encoder, zeros, (multiple - encoder->length % multiple) % multiple);
}

static void put_entry(struct encoder *encoder, const struct entry *entry)
{
	size_t name_bytes = strlen(entry->path) + 1;
	char header[HEADER_BYTES + 1];

	/* magic, inode, mode, uid, gid, links, mtime, size, device, rdevice, name size, check */
	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 entry->mode ? encoder->inode++ : 0, (unsigned int)entry->mode, 0, 0,
		 S_ISDIR(entry->mode) ? 2 : 1, 0, (unsigned int)entry->size_bytes, 0, 0,
		 entry->major, entry->minor, (unsigned int)name_bytes, 0);
	put(encoder, header, HEADER_BYTES);
	put(encoder, entry->path, name_bytes);
	pad(encoder, ALIGN_BYTES);
	put(encoder, entry->bytes, entry->size_bytes);
	pad(encoder, ALIGN_BYTES);
}

static void encode(const struct initrd *initrd, struct encoder *encoder)
{
	struct entry trailer = {.path = (char *)TRAILER};

	encoder->length = 0;
	encoder->inode = 1;
	for (size_t i = 0; i < initrd->count; i++)
		if (!i || strcmp(initrd->entries[i].path, initrd->entries[i - 1].path) != 0)
			put_entry(encoder, &initrd->entries[i]);
	put_entry(encoder, &trailer);
	pad(encoder, ARCHIVE_BYTES);
}

int initrd_encode(struct initrd *initrd, void **out, size_t *size_bytes)
{
	struct encoder encoder = {0};
	int err = add_parents(initrd);

	if (err)
		return err;
	qsort(initrd->entries, initrd->count, sizeof(*initrd->entries), compare_entries);
	encode(initrd, &encoder);
	encoder.bytes = malloc(encoder.length);
	if (!encoder.bytes)
		return -ENOMEM;
	encode(initrd, &encoder);
	*out = encoder.bytes;
	*size_bytes = encoder.length;
	return 0;
}
