// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/files.h"
#include "bench/initrd.h"
#include "bench/paths.h"
#include "bench/process.h"

#define HEADER_BYTES 110

/* Reads one archive entry at @at: its name, size, mode and time; the offset of the next. */
struct found {
	const char *name;
	unsigned long mode, size, mtime, uid, inode;
	const char *data;
};

static unsigned long hex_field(const char *header, int field)
{
	char text[9] = {0};

	memcpy(text, header + 6 + 8 * field, 8);
	return strtoul(text, NULL, 16);
}

static size_t read_entry(const char *archive, size_t at, struct found *found)
{
	const char *header = archive + at;
	size_t name_bytes, data_at;

	assert_memory_equal(header, "070701", 6);
	found->inode = hex_field(header, 0);
	found->mode = hex_field(header, 1);
	found->uid = hex_field(header, 2);
	found->mtime = hex_field(header, 5);
	found->size = hex_field(header, 6);
	name_bytes = hex_field(header, 11);
	found->name = header + HEADER_BYTES;
	assert_int_equal(strlen(found->name) + 1, name_bytes);
	data_at = (at + HEADER_BYTES + name_bytes + 3) & ~(size_t)3;
	found->data = archive + data_at;
	return (data_at + found->size + 3) & ~(size_t)3;
}

static struct initrd *make_small(bool reversed)
{
	struct initrd *initrd = initrd_new();

	assert_non_null(initrd);
	if (reversed)
		assert_int_equal(initrd_add_bytes(initrd, "lib/x/b", 0755, "two", 3), 0);
	assert_int_equal(initrd_add_bytes(initrd, "a", 0644, "first", 5), 0);
	if (!reversed)
		assert_int_equal(initrd_add_bytes(initrd, "lib/x/b", 0755, "two", 3), 0);
	assert_int_equal(initrd_add_bytes(initrd, "a", 0600, "again", 5), 0);
	assert_int_equal(initrd_add_character_device(initrd, "dev/null", 0666, 1, 3), 0);
	return initrd;
}

static void test_entries_are_sorted_and_dated_at_the_epoch(void **state)
{
	static const struct {
		const char *name;
		unsigned long mode, size;
	} expected[] = {
		{"a", 0100644, 5},    {"dev", 040755, 0},   {"dev/null", 020666, 0},
		{"lib", 040755, 0},   {"lib/x", 040755, 0}, {"lib/x/b", 0100755, 3},
		{"TRAILER!!!", 0, 0},
	};
	struct initrd *initrd = make_small(false);
	struct found found;
	size_t size, at = 0;
	void *bytes;

	(void)state;
	assert_int_equal(initrd_encode(initrd, &bytes, &size), 0);
	assert_int_equal(size % 512, 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		at = read_entry(bytes, at, &found);
		assert_string_equal(found.name, expected[i].name);
		assert_int_equal(found.mode, expected[i].mode);
		assert_int_equal(found.size, expected[i].size);
		assert_int_equal(found.mtime, 0);
		assert_int_equal(found.uid, 0);
		/* The first of two entries of one path is the one that stays. */
		if (!i)
			assert_memory_equal(found.data, "first", 5);
	}
	free(bytes);
	initrd_free(initrd);
}

static void test_bytes_do_not_depend_on_the_order_of_adding(void **state)
{
	struct initrd *one = make_small(false), *other = make_small(true);
	size_t one_size, other_size;
	void *one_bytes, *other_bytes;

	(void)state;
	assert_int_equal(initrd_encode(one, &one_bytes, &one_size), 0);
	assert_int_equal(initrd_encode(other, &other_bytes, &other_size), 0);
	assert_int_equal(one_size, other_size);
	assert_memory_equal(one_bytes, other_bytes, one_size);
	free(one_bytes);
	free(other_bytes);
	initrd_free(one);
	initrd_free(other);
}

static void test_wrong_paths_are_refused(void **state)
{
	struct initrd *initrd = initrd_new();

	(void)state;
	assert_int_equal(initrd_add_bytes(initrd, "", 0644, "x", 1), -EINVAL);
	assert_int_equal(initrd_add_bytes(initrd, "/etc/passwd", 0644, "x", 1), -EINVAL);
	assert_int_equal(initrd_add_file(initrd, "x", 0644, "/nonexistent/file"), -ENOENT);
	assert_int_equal(initrd_add_program(initrd, "x", "/proc/self/status"), -ENOEXEC);
	assert_int_equal(initrd_add_program(initrd, "x", "/nonexistent"), -ENOENT);
	initrd_free(initrd);
}

static void encode_self(void **bytes, size_t *size)
{
	struct initrd *initrd = initrd_new();
	char *self = paths_self();

	assert_non_null(self);
	assert_int_equal(initrd_add_program(initrd, "proxeval", self), 0);
	assert_int_equal(initrd_encode(initrd, bytes, size), 0);
	free(self);
	initrd_free(initrd);
}

static void test_a_program_comes_with_its_loader_and_libraries(void **state)
{
	bool has_program = false, has_loader = false, has_libc = false;
	size_t size, again_size, at = 0;
	struct found found = {.name = ""};
	void *bytes, *again;

	(void)state;
	encode_self(&bytes, &size);
	while (strcmp(found.name, "TRAILER!!!") != 0) {
		at = read_entry(bytes, at, &found);
		has_program |= !strcmp(found.name, "proxeval") && found.mode == 0100755;
		has_loader |= strstr(found.name, "ld-linux") && !memcmp(found.data, "\177ELF", 4);
		has_libc |=
			!strcmp(found.name, "lib/libc.so.6") && !memcmp(found.data, "\177ELF", 4);
		assert_true(at <= size);
	}
	assert_true(has_program);
	assert_true(has_loader);
	assert_true(has_libc);
	encode_self(&again, &again_size);
	assert_int_equal(size, again_size);
	assert_memory_equal(bytes, again, size);
	free(bytes);
	free(again);
}

/* The distribution's cpio is the judge of the format. */
static void test_system_cpio_reads_it(void **state)
{
	char directory[] = "/tmp/test-initrd-XXXXXX", *path, *option, *listing;
	const char *argv[] = {"cpio", "-t", "--quiet", "-F", NULL, NULL};
	struct initrd *initrd;
	size_t size;
	void *bytes;

	(void)state;
	if (!is_program_available("cpio"))
		skip();
	assert_non_null(mkdtemp(directory));
	path = format_string("%s/archive", directory);
	option = format_string("%s", path);
	initrd = make_small(false);
	assert_int_equal(initrd_encode(initrd, &bytes, &size), 0);
	assert_int_equal(write_file_atomically(path, bytes, size), 0);
	argv[4] = option;
	assert_int_equal(process_capture(argv, &listing), 0);
	assert_string_equal(listing, "a\ndev\ndev/null\nlib\nlib/x\nlib/x/b\n");
	free(listing);
	free(bytes);
	initrd_free(initrd);
	remove_tree(directory);
	free(option);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_are_sorted_and_dated_at_the_epoch),
		cmocka_unit_test(test_bytes_do_not_depend_on_the_order_of_adding),
		cmocka_unit_test(test_wrong_paths_are_refused),
		cmocka_unit_test(test_a_program_comes_with_its_loader_and_libraries),
		cmocka_unit_test(test_system_cpio_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
