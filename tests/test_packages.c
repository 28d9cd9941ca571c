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
#include "bench/packages.h"

static void test_the_shipped_list_is_whole(void **state)
{
	struct package_need *needs;
	size_t count, kernel = 0;

	(void)state;
	assert_int_equal(packages_load(TEST_SOURCE_DIR "/scripts/packages.txt", &needs, &count), 0);
	assert_in_range(count, 20, 100);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(strchr(needs[i].check, ':'));
		kernel += !strcmp(needs[i].need, "kernel") && !strcmp(needs[i].check, "cmd:bc") &&
			  !strcmp(needs[i].package, "bc");
	}
	assert_int_equal(kernel, 1);
	free(needs);
}

static int load_text(const char *text)
{
	char path[] = "/tmp/proxeval-test-packages-XXXXXX";
	struct package_need *needs = NULL;
	size_t count;
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err = packages_load(path, &needs, &count);
	unlink(path);
	if (err)
		return err;
	free(needs);
	return (int)count;
}

static void test_bad_lists_are_refused(void **state)
{
	(void)state;
	assert_int_equal(load_text("# only\n\nkernel cmd:bc bc\n"), 1);
	assert_int_equal(load_text("kernel cmd:bc\n"), -EBADMSG);
	assert_int_equal(load_text("kernel cmd:bc bc too much\n"), -EBADMSG);
	assert_int_equal(load_text(""), 0);
	assert_int_equal(
		packages_load("/nonexistent", &(struct package_need *){NULL}, &(size_t){0}),
		-ENOENT);
}

static void test_checks_look_at_this_machine(void **state)
{
	(void)state;
	assert_true(is_package_check_met("cmd:sh"));
	assert_false(is_package_check_met("cmd:no-such-program-here"));
	assert_true(is_package_check_met("header:stdio.h"));
	assert_false(is_package_check_met("header:no/such/header.h"));
	assert_true(is_package_check_met("file:/proc/self/exe"));
	assert_true(is_package_check_met("file:/proc/s*f/exe"));
	assert_false(is_package_check_met("file:/nonexistent"));
	assert_false(is_package_check_met("python:no_such_module_here"));
	assert_false(is_package_check_met("qemu:999"));
	assert_false(is_package_check_met("unknown:kind"));
	assert_false(is_package_check_met("no-kind"));
}

static void test_families_are_told_by_os_release(void **state)
{
	(void)state;
	assert_int_equal(package_family_of("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"),
			 FAMILY_APT);
	assert_int_equal(package_family_of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
			 FAMILY_APT);
	assert_int_equal(package_family_of("ID=fedora\n"), FAMILY_DNF);
	assert_int_equal(package_family_of("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
			 FAMILY_DNF);
	assert_int_equal(
		package_family_of("ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n"),
		FAMILY_ZYPPER);
	assert_int_equal(package_family_of("NAME=Arch\nID=arch\n"), FAMILY_PACMAN);
	assert_int_equal(package_family_of("ID=alpine\n"), FAMILY_OTHER);
	assert_int_equal(package_family_of("ID=archaic\n"), FAMILY_OTHER);
	assert_int_equal(package_family_of(""), FAMILY_OTHER);
}

static void test_names_follow_the_family(void **state)
{
	(void)state;
	assert_string_equal(package_name_in(FAMILY_APT, "libelf-dev"), "libelf-dev");
	assert_string_equal(package_name_in(FAMILY_DNF, "libelf-dev"), "elfutils-libelf-devel");
	assert_string_equal(package_name_in(FAMILY_ZYPPER, "libssl-dev"), "libopenssl-devel");
	assert_string_equal(package_name_in(FAMILY_PACMAN, "libhwloc-dev"), "hwloc");
	assert_string_equal(package_name_in(FAMILY_PACMAN, "bc"), "bc");
	assert_string_equal(package_name_in(FAMILY_OTHER, "libelf-dev"), "libelf-dev");
	assert_string_equal(package_install_command(FAMILY_PACMAN), "pacman -S");
	assert_null(package_install_command(FAMILY_OTHER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_shipped_list_is_whole),
		cmocka_unit_test(test_bad_lists_are_refused),
		cmocka_unit_test(test_checks_look_at_this_machine),
		cmocka_unit_test(test_families_are_told_by_os_release),
		cmocka_unit_test(test_names_follow_the_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
