// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "bench/kernel_internal.h"

static char *fixture(const char *name)
{
	char *path = format_string("%s/tests/fixtures/apt/%s", TEST_SOURCE_DIR, name), *text;

	assert_int_equal(read_file(path, 1 << 20, &text, NULL), 0);
	free(path);
	return text;
}

static void assert_archive(const struct apt_archive *archive, const char *uri, const char *suite,
			   const char *components)
{
	assert_string_equal(archive->uri, uri);
	assert_string_equal(archive->suite, suite);
	assert_string_equal(archive->components, components);
}

static void test_one_line_entries(void **state)
{
	struct apt_archives archives = {0};
	char *text = fixture("one-line.list");

	(void)state;
	assert_int_equal(apt_parse_one_line(text, &archives), 0);
	assert_int_equal(archives.count, 3);
	assert_archive(&archives.items[0], "http://mirror.example/debian", "bookworm",
		       "main contrib ");
	assert_string_equal(archives.items[0].signed_by, "/usr/share/keyrings/key.gpg");
	assert_archive(&archives.items[1], "http://mirror.example/debian-security",
		       "bookworm-security", "main");
	assert_null(archives.items[1].signed_by);
	assert_archive(&archives.items[2], "http://tabs.example/debian", "sid", "main");
	apt_archives_release(&archives);
	free(text);
}

static void test_deb822_stanzas(void **state)
{
	struct apt_archives archives = {0};
	char *text = fixture("stanzas.sources"), *rendered;

	(void)state;
	assert_int_equal(apt_parse_deb822(text, &archives), 0);
	assert_int_equal(archives.count, 4);
	assert_archive(&archives.items[0], "http://mirror.example/debian", "bookworm", "main");
	assert_archive(&archives.items[1], "http://mirror.example/debian", "bookworm-updates",
		       "main");
	assert_archive(&archives.items[2], "http://one.example/x", "trixie", "contrib main");
	assert_archive(&archives.items[3], "http://two.example/x", "trixie", "contrib main");
	/* A key in the stanza goes over as it is, its line breaks included. */
	rendered = apt_render_source(&archives.items[2], "sid");
	assert_string_equal(rendered, "Types: deb\nURIs: http://one.example/x\nSuites: sid\n"
				      "Components: main\n"
				      "Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n"
				      " abc\n -----END PGP PUBLIC KEY BLOCK-----\n");
	free(rendered);
	apt_archives_release(&archives);
	free(text);
}

/* A stanza is as many archives as its URIs times its suites: these would be 10^10. */
static void test_a_stanza_without_end_is_cut(void **state)
{
	enum { WORDS = 100000 };
	struct apt_archives archives = {0};
	char *text = malloc(2 * 2 * WORDS + 64), *end = text;

	(void)state;
	end += sprintf(end, "Types: deb\nURIs:");
	for (int i = 0; i < WORDS; i++)
		end += sprintf(end, " u");
	end += sprintf(end, "\nSuites:");
	for (int i = 0; i < WORDS; i++)
		end += sprintf(end, " s");
	assert_int_equal(apt_parse_deb822(text, &archives), 0);
	assert_int_equal(archives.count, 512);
	apt_archives_release(&archives);
	free(text);
}

static void test_the_machines_own_suite_is_preferred(void **state)
{
	struct apt_archives archives = {0};

	(void)state;
	assert_null(apt_find_main(&archives, "bookworm"));
	assert_int_equal(apt_parse_one_line("deb http://a/ bookworm-security main\n"
					    "deb http://b/ stable main\n"
					    "deb http://c/ bookworm contrib\n"
					    "deb http://d/ bookworm main\n",
					    &archives),
			 0);
	assert_string_equal(apt_find_main(&archives, "bookworm")->uri, "http://d/");
	assert_string_equal(apt_find_main(&archives, "sid")->uri, "http://b/");
	assert_string_equal(apt_find_main(&archives, NULL)->uri, "http://b/");
	apt_archives_release(&archives);
}

/* --- a folder with a source and patches in it --- */

static char root[PATH_MAX];

static void put(const char *name, const char *text)
{
	char *path = format_string("%s/%s", root, name), *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(make_directories(path), 0);
	*slash = '/';
	assert_int_equal(write_file_atomically(path, text, strlen(text)), 0);
	free(path);
}

static void assert_file(const char *name, const char *text)
{
	char *path = format_string("%s/%s", root, name), *found = NULL;
	int err = read_file(path, 1 << 20, &found, NULL);

	if (text) {
		assert_int_equal(err, 0);
		assert_string_equal(found, text);
		free(found);
	} else {
		assert_int_equal(err, -ENOENT);
	}
	free(path);
}

static const char first_patch[] = "Why it is done.\n"
				  "--- a/kernel/a.c\n+++ b/kernel/a.c\n"
				  "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"
				  "--- /dev/null\n+++ b/kernel/new.c\n@@ -0,0 +1 @@\n+new\n";
static const char second_patch[] = "--- a/kernel/a.c\n+++ b/kernel/a.c\n"
				   "@@ -1,3 +1,3 @@\n one\n TWO\n-three\n+THREE\n"
				   "--- a/kernel/b.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n";
static const char failing_patch[] = "--- a/kernel/a.c\n+++ b/kernel/a.c\n"
				    "@@ -1,3 +1,3 @@\n one\n-never there\n+x\n THREE\n";

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/test_kernel.XXXXXX");
	assert_non_null(mkdtemp(root));
	put("source/tree/kernel/a.c", "one\ntwo\nthree\n");
	put("source/tree/kernel/b.c", "gone\n");
	put("patches/first.patch", first_patch);
	put("patches/second.patch", second_patch);
	put("patches/failing.patch", failing_patch);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_tree(root);
}

/* Applies the patches that @series_text lists; what was said on stderr comes back in @said. */
static int apply(const char *series_text, char *said, size_t said_size)
{
	char *path = format_string("%s/patches/series", root);
	char *directory = format_string("%s/source", root);
	char *capture = format_string("%s/stderr", root);
	int saved = dup(STDERR_FILENO), fd = open(capture, O_RDWR | O_CREAT | O_TRUNC, 0600), err;
	struct series series = {0};
	ssize_t got;

	put("patches/series", series_text);
	dup2(fd, STDERR_FILENO);
	err = series_read(path, false, &series);
	if (!err)
		err = series_apply(&series, directory);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	got = pread(fd, said, said_size - 1, 0);
	said[got > 0 ? got : 0] = '\0';
	close(fd);
	close(saved);
	series_release(&series);
	free(path);
	free(directory);
	free(capture);
	return err;
}

static void test_a_series_is_read_as_quilt_does(void **state)
{
	struct series series = {0};
	char *path = format_string("%s/patches/series", root), said[1024];

	(void)state;
	put("patches/series", "# all of it\n\nfirst.patch\n  second.patch -p0 # why\n");
	assert_int_equal(series_read(path, true, &series), 0);
	assert_int_equal(series.count, 2);
	assert_string_equal(series.items[0].name, "first.patch");
	assert_int_equal(series.items[0].strip, 1);
	assert_int_equal(series.items[1].strip, 0);
	assert_true(series.items[1].is_aid);
	assert_int_equal(strlen(series.items[0].sha256), 64);
	series_release(&series);
	free(path);
	assert_int_equal(apply("first.patch -R\n", said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "series:1: '-R'"));
	assert_int_equal(apply("missing.patch\n", said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "missing.patch"));
}

static void test_a_series_goes_on_and_comes_off(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(apply("first.patch\nsecond.patch\n", said, sizeof(said)), 0);
	assert_file("source/tree/kernel/a.c", "one\nTWO\nTHREE\n");
	assert_file("source/tree/kernel/new.c", "new\n");
	assert_file("source/tree/kernel/b.c", NULL);
	assert_int_equal(apply("first.patch\n", said, sizeof(said)), 0);
	assert_file("source/tree/kernel/a.c", "one\nTWO\nthree\n");
	assert_file("source/tree/kernel/b.c", "gone\n");
	assert_int_equal(apply("", said, sizeof(said)), 0);
	assert_file("source/tree/kernel/a.c", "one\ntwo\nthree\n");
	assert_file("source/tree/kernel/new.c", NULL);
}

static void test_what_does_not_change_keeps_its_time(void **state)
{
	struct stat before, after;
	char said[1024], *path = format_string("%s/source/tree/kernel/a.c", root);

	(void)state;
	assert_int_equal(apply("first.patch\n", said, sizeof(said)), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(apply("first.patch\n", said, sizeof(said)), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_int_equal(before.st_ino, after.st_ino);
	free(path);
}

/* What the series of the folder takes for a tree of @version, once @without is left out. */
static int forms_for(const char *version, const char *without, struct series *series)
{
	char *path = format_string("%s/patches/series", root);
	int err;

	put("patches/series", "first.patch # K1\nsecond.patch # K2\n");
	assert_int_equal(series_read(path, false, series), 0);
	free(path);
	if (without)
		assert_int_equal(series_leave_out(series, without), 0);
	err = series_suit_base(series, version);
	if (!err)
		assert_int_equal(access(series->items[0].path, R_OK), 0);
	return err;
}

static void assert_form(const char *version, const char *without, const char *expected)
{
	struct series series = {0};

	assert_int_equal(forms_for(version, without, &series), 0);
	assert_string_equal(series.items[0].name, expected);
	series_release(&series);
}

static void test_a_patch_takes_the_form_for_its_base(void **state)
{
	struct series series = {0};

	(void)state;
	put("patches/base-7.3/first.patch", second_patch);
	put("patches/base-7.10/first.patch", failing_patch);
	assert_form("7.2.13", NULL, "first.patch");
	assert_form("7.3", NULL, "base-7.3/first.patch");
	assert_form("7.9.1", NULL, "base-7.3/first.patch");
	assert_form("7.11.0", NULL, "base-7.10/first.patch");
	assert_form("8.0.0", NULL, "first.patch");
	/* What goes into the hash of a build is the form, and that one is as the second patch. */
	assert_int_equal(forms_for("7.3.4", NULL, &series), 0);
	assert_string_equal(series.items[0].sha256, series.items[1].sha256);
	series_release(&series);
	/* Of the form without K1 that base wants one of its own. */
	put("patches/base-7.3/second.patch", second_patch);
	put("patches/without-K1/second.patch", first_patch);
	assert_form("7.2.13", "K1", "without-K1/second.patch");
	assert_int_equal(forms_for("7.3.4", "K1", &series), -EINVAL);
	series_release(&series);
	put("patches/without-K1/base-7.3/second.patch", first_patch);
	assert_form("7.3.4", "K1", "without-K1/base-7.3/second.patch");
}

static void test_a_failing_patch_names_itself_and_its_hunk(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(apply("first.patch\nsecond.patch\nfailing.patch\n", said, sizeof(said)),
			 -EINVAL);
	assert_non_null(strstr(said, "the patch failing.patch does not apply"));
	assert_non_null(strstr(said, "hunk 1 of kernel/a.c fails, at line 1"));
	assert_file("source/tree/kernel/a.c", "one\ntwo\nthree\n");
	assert_file("source/tree/kernel/new.c", NULL);
	assert_file("source/tree/kernel/b.c", "gone\n");
	assert_file("source/scratch", NULL);
}

static void test_a_patched_tree_is_recognized(void **state)
{
	char said[1024];

	(void)state;
	put("source/tree/kernel/a.c", "one\nTWO\nthree\n");
	put("source/tree/kernel/new.c", "new\n");
	assert_int_equal(apply("first.patch\n", said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "already has the patch first.patch"));
	assert_file("source/tree/kernel/a.c", "one\nTWO\nthree\n");
}

static void test_a_patch_stays_inside_the_tree(void **state)
{
	char said[1024];

	(void)state;
	put("outside", "one\n");
	put("patches/bad.patch",
	    "--- a/../../outside\n+++ b/../../outside\n@@ -1 +1 @@\n-one\n+two\n");
	assert_int_equal(apply("bad.patch\n", said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "outside of the tree"));
	assert_file("outside", "one\n");
}

/* --- configuration and hash --- */

static void assert_lost(const char *wanted, const char *config, const char *expected)
{
	char *lost =
		config_lost_options(wanted, "CONFIG_LATER=y\n# CONFIG_OFF is not set\n", config);

	assert_string_equal(lost, expected);
	free(lost);
}

static void test_lost_options_are_named(void **state)
{
	static const char config[] =
		"CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=64\nCONFIG_AB=y\n";

	(void)state;
	assert_lost("CONFIG_A=y\nCONFIG_N=64\n# CONFIG_B is not set\n", config, "");
	assert_lost("# a comment\n\nCONFIG_B=y\nCONFIG_C=y\n", config, "CONFIG_B CONFIG_C");
	assert_lost("CONFIG_N=6\n", config, "CONFIG_N");
	assert_lost("# CONFIG_A is not set\nCONFIG_AB=n", config, "CONFIG_A CONFIG_AB");
	assert_lost("# CONFIG_NOWHERE is not set\nCONFIG_B=n\n", config, "");
	assert_lost("CONFIG_B=y\n# CONFIG_B is not set\n", config, "");
	/* The last word is a later fragment's. */
	assert_lost("CONFIG_LATER=m\nCONFIG_OFF=y\nCONFIG_LAT=y\n", config, "CONFIG_LAT");
}

static void test_the_hash_follows_what_goes_in(void **state)
{
	struct series_patch patches[2] = {{.name = "x", .sha256 = "aa"},
					  {.name = "y", .sha256 = "bb"}};
	struct fragment fragment = {.name = "base", .sha256 = "cc"};
	struct series series = {.items = patches, .count = 2};
	struct fragments fragments = {&fragment, 1};
	char first[SHA256_HEX_SIZE], again[SHA256_HEX_SIZE];

	(void)state;
	kernel_hash("source", &series, &fragments, "gcc 12", first);
	/* Pinned: another value throws away everybody's finished builds. */
	assert_string_equal(first,
			    "da7e3e2d982ddabacad09a59c139af19202bbdd296303202f2981bea9421f64e");
	patches[0].name = "renamed";
	kernel_hash("source", &series, &fragments, "gcc 12", again);
	assert_string_equal(first, again);
	kernel_hash("source", &series, &fragments, "gcc 13", again);
	assert_string_not_equal(first, again);
	kernel_hash("source2", &series, &fragments, "gcc 12", again);
	assert_string_not_equal(first, again);
	series.count = 1;
	kernel_hash("source", &series, &fragments, "gcc 12", again);
	assert_string_not_equal(first, again);
}

static void test_a_comment_does_not_change_a_fragment(void **state)
{
	char *path = format_string("%s/own.config", root), first[SHA256_HEX_SIZE];
	const char *items[] = {path};
	struct string_list extra = {items, 1};
	struct fragments fragments = {0};

	(void)state;
	put("own.config", "# why\n\nCONFIG_A=y\n# CONFIG_B is not set\n");
	setenv("PROXEVAL_DATA", TEST_SOURCE_DIR, 1);
	assert_int_equal(fragments_read(&extra, NULL, &fragments), 0);
	assert_int_equal(fragments.count, 2);
	assert_string_equal(fragments.items[0].name, "base");
	strcpy(first, fragments.items[1].sha256);
	fragments_release(&fragments);
	put("own.config", "CONFIG_A=y\n# CONFIG_B is not set\n# another reason");
	assert_int_equal(fragments_read(&extra, NULL, &fragments), 0);
	assert_string_equal(first, fragments.items[1].sha256);
	fragments_release(&fragments);
	put("own.config", "CONFIG_A=y\n# CONFIG_C is not set\n");
	assert_int_equal(fragments_read(&extra, NULL, &fragments), 0);
	assert_string_not_equal(first, fragments.items[1].sha256);
	fragments_release(&fragments);
	free(path);
}

static void assert_base_fragments(const char *version, size_t expected)
{
	struct fragments fragments = {0};

	setenv("PROXEVAL_DATA", TEST_SOURCE_DIR, 1);
	assert_int_equal(fragments_read(NULL, version, &fragments), 0);
	assert_int_equal(fragments.count, expected);
	for (size_t i = 0; i < fragments.count; i++)
		assert_true(fragments.items[i].is_base);
	assert_string_equal(fragments.items[fragments.count - 1].name,
			    expected == 1 ? "base" : "base-7.3");
	fragments_release(&fragments);
}

static void test_a_base_has_options_of_its_own(void **state)
{
	(void)state;
	assert_base_fragments(NULL, 1);
	assert_base_fragments("7.2.13", 1);
	assert_base_fragments("7.3", 2);
	assert_base_fragments("7.4.1", 2);
}

static void test_the_version_is_read_from_the_makefile(void **state)
{
	char *tree = format_string("%s/source/tree", root), *version;

	(void)state;
	assert_null(kernel_tree_version(tree));
	put("source/tree/Makefile",
	    "# SPDX\nVERSION = 7\nPATCHLEVEL = 2\nSUBLEVEL = 13\nEXTRAVERSION =\n");
	version = kernel_tree_version(tree);
	assert_string_equal(version, "7.2.13");
	free(version);
	free(tree);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_entries),
		cmocka_unit_test(test_deb822_stanzas),
		cmocka_unit_test(test_a_stanza_without_end_is_cut),
		cmocka_unit_test(test_the_machines_own_suite_is_preferred),
		IN_FOLDER(test_a_series_is_read_as_quilt_does),
		IN_FOLDER(test_a_series_goes_on_and_comes_off),
		IN_FOLDER(test_what_does_not_change_keeps_its_time),
		IN_FOLDER(test_a_patch_takes_the_form_for_its_base),
		IN_FOLDER(test_a_failing_patch_names_itself_and_its_hunk),
		IN_FOLDER(test_a_patched_tree_is_recognized),
		IN_FOLDER(test_a_patch_stays_inside_the_tree),
		cmocka_unit_test(test_lost_options_are_named),
		cmocka_unit_test(test_the_hash_follows_what_goes_in),
		IN_FOLDER(test_a_comment_does_not_change_a_fragment),
		cmocka_unit_test(test_a_base_has_options_of_its_own),
		IN_FOLDER(test_the_version_is_read_from_the_makefile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
