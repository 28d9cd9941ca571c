// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/files.h"

static int make_folder(void **state)
{
	char template[] = "/tmp/proxeval-files.XXXXXX";

	*state = strdup(mkdtemp(template));
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	int err = remove_tree(*state);

	free(*state);
	return err;
}

static char *in_folder(void **state, const char *name)
{
	return format_string("%s/%s", (const char *)*state, name);
}

static void test_sha256_of_the_standard_vectors(void **state)
{
	char hex[SHA256_HEX_SIZE];

	(void)state;
	/* FIPS 180-4's examples. */
	sha256_bytes("abc", 3, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_bytes("", 0, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_a_file_is_written_whole_and_read_back(void **state)
{
	char *path = in_folder(state, "file"), *text;
	char hex[SHA256_HEX_SIZE];
	struct stat status;
	size_t size;

	assert_int_equal(write_file_atomically(path, "old", 3), 0);
	assert_int_equal(write_file_atomically(path, "abc", 3), 0);
	assert_int_equal(read_file(path, 3, &text, &size), 0);
	assert_int_equal(size, 3);
	assert_string_equal(text, "abc");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	assert_int_equal(sha256_file(path, hex), 0);
	assert_memory_equal(hex, "ba7816bf", 8);
	free(text);
	free(path);
}

static void test_a_failed_write_leaves_nothing(void **state)
{
	char *missing = in_folder(state, "no-such-folder/file");
	char *folder = in_folder(state, "taken"), *inside = in_folder(state, "taken/x");
	char *text;

	assert_int_equal(write_file_atomically(missing, "x", 1), -ENOENT);
	/* The target is a folder with something in it: the rename must fail, the folder stay. */
	assert_int_equal(make_directories(folder), 0);
	assert_int_equal(write_file_atomically(inside, "kept", 4), 0);
	assert_true(write_file_atomically(folder, "x", 1) < 0);
	assert_int_equal(read_file(inside, 10, &text, NULL), 0);
	assert_string_equal(text, "kept");
	free(text);
	free(missing);
	free(folder);
	free(inside);
}

static void test_reading_is_bounded(void **state)
{
	char *path = in_folder(state, "big"), *text = NULL, line[8];

	assert_int_equal(write_file_atomically(path, "12345\n67", 8), 0);
	assert_int_equal(read_file(path, 7, &text, NULL), -EFBIG);
	assert_null(text);
	assert_int_equal(read_line(path, line, sizeof(line)), 0);
	assert_string_equal(line, "12345");
	assert_int_equal(read_line("/no/such/file", line, sizeof(line)), -ENOENT);
	free(path);
}

static void test_removing_a_tree_does_not_follow_links(void **state)
{
	char *tree = in_folder(state, "tree"), *deep = in_folder(state, "tree/a/b");
	char *link = in_folder(state, "tree/a/link"), *outside = in_folder(state, "outside");
	char *kept = in_folder(state, "outside/kept");

	assert_int_equal(make_directories(deep), 0);
	assert_int_equal(make_directories(outside), 0);
	assert_int_equal(write_file_atomically(kept, "x", 1), 0);
	assert_int_equal(symlink(outside, link), 0);
	assert_int_equal(remove_tree(tree), 0);
	assert_int_equal(access(tree, F_OK), -1);
	assert_int_equal(access(kept, F_OK), 0);
	assert_int_equal(remove_tree(tree), 0); /* gone already: fine */
	free(tree);
	free(deep);
	free(link);
	free(outside);
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_of_the_standard_vectors),
		cmocka_unit_test(test_a_file_is_written_whole_and_read_back),
		cmocka_unit_test(test_a_failed_write_leaves_nothing),
		cmocka_unit_test(test_reading_is_bounded),
		cmocka_unit_test(test_removing_a_tree_does_not_follow_links),
	};

	return cmocka_run_group_tests_name("files", tests, make_folder, remove_folder);
}
