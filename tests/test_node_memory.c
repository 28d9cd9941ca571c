// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <numaif.h>
#include <string.h>
#include <sys/mman.h>

#include "measure/node_memory.h"

#define MAPPED_BYTES (8 * 4096)

static int policy(void)
{
	int mode = -1;

	return get_mempolicy(&mode, NULL, 0, NULL, 0) ? -errno : mode;
}

/* The first node that this process may have memory of; -1: the kernel has no NUMA. */
static int usable_node(void)
{
	for (int node = 0; node < 1024; node++) {
		int bound = node_memory_bind(node);

		assert_true(bound == 0 || bound == 1);
		if (bound)
			return node;
	}
	return -1;
}

static void test_binding(void **state)
{
	int node = usable_node();
	char here = 1;

	(void)state;
	if (node < 0) {
		assert_int_equal(node_memory_of(&here), -ENOSYS);
		skip();
	}
	assert_int_equal(policy(), MPOL_BIND);
	assert_int_equal(node_memory_bind(-1), 0);
	assert_int_equal(policy(), MPOL_DEFAULT);
}

/* A node that is not there is no error: the kernel takes the nearest. It binds nothing. */
static void test_missing_nodes(void **state)
{
	static const int missing[] = {-1, 1023, 1024, INT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		assert_int_equal(node_memory_bind(missing[i]), 0);
		assert_true(policy() == MPOL_DEFAULT || policy() == -ENOSYS);
	}
}

static void test_mapping(void **state)
{
	int node = usable_node();
	unsigned char *memory = node_memory_map(MAPPED_BYTES, node);
	static const unsigned char zeros[MAPPED_BYTES];

	(void)state;
	assert_non_null(memory);
	assert_true(policy() == MPOL_DEFAULT || policy() == -ENOSYS);
	for (size_t at = 0; node >= 0 && at < MAPPED_BYTES; at += 4096)
		assert_int_equal(node_memory_of(memory + at + 17), node);
	assert_memory_equal(memory, zeros, MAPPED_BYTES);
	assert_int_equal(munmap(memory, MAPPED_BYTES), 0);
	if (node >= 0)
		assert_true(node_memory_of(memory) < 0);
	assert_null(node_memory_map(SIZE_MAX / 2, node));
	assert_int_equal(errno, ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_missing_nodes),
		cmocka_unit_test(test_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
