// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "workloads/tool_output.h"
#include "workloads/workload.h"

static void test_hackbench_is_read_by_the_importers_rules(void **state)
{
	static const char good[] = "Running in process mode with 1 groups using 40 file "
				   "descriptors each (== 40 tasks)\n"
				   "Each sender will pass 10 messages of 100 bytes\n"
				   "Time: 0.014\n";
	static const char cut[] = "Running in process mode with 1 groups using 40 file "
				  "descriptors each (== 40 tasks)\n";
	static const char twice[] = "Time: 0.014\nTime: 0.015\n";
	char error[512] = "";
	uint64_t run_ns = 0;

	(void)state;
	assert_int_equal(hackbench_read(good, strlen(good), &run_ns, error, sizeof(error)), 0);
	assert_int_equal(run_ns, 14000000);
	assert_int_equal(hackbench_read(cut, strlen(cut), &run_ns, error, sizeof(error)), -EINVAL);
	assert_string_equal(error, "hackbench's output: there is no line \"Time: SECONDS\" in it: "
				   "the run was cut short, or it is not hackbench's");
	assert_int_equal(hackbench_read(twice, strlen(twice), &run_ns, error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "hackbench's output is not of one run");
	assert_int_equal(hackbench_read("fdopen: x\n", 10, &run_ns, error, sizeof(error)), -EINVAL);
}

#define STRESS_HEAD                                                                               \
	"stress-ng: info:  [16787] dispatching hogs: 2 mutex\n"                                   \
	"stress-ng: metrc: [16787] stressor       bogo ops real time  usr time  sys time   bogo " \
	"ops/s     bogo ops/s\n"                                                                  \
	"stress-ng: metrc: [16787]                           (secs)    (secs)    (secs)   (real " \
	"time) (usr+sys time)\n"
#define STRESS_LINE                                                                           \
	"stress-ng: metrc: [16787] mutex             20002      0.09      0.01      0.05    " \
	"215518.53      335497.07\n"
#define STRESS_MORE                                                                                \
	"stress-ng: metrc: [16787] miscellaneous metrics:\n"                                       \
	"stress-ng: metrc: [16787] mutex                 85.99 nanosecs per mutex (geometic mean " \
	"of 2 instances)\n"
#define STRESS_END "stress-ng: info:  [16787] successful run completed in 0.13s\n"

static void test_stress_ng_is_read_strictly(void **state)
{
	char error[512] = "";
	uint64_t operations = 0;
	double rate = 0;

	(void)state;
	assert_int_equal(stress_ng_read(STRESS_HEAD STRESS_LINE STRESS_MORE STRESS_END, "mutex",
					&operations, &rate, error, sizeof(error)),
			 0);
	assert_int_equal(operations, 20002);
	assert_true(rate == 215518.53);
	assert_int_equal(stress_ng_read(STRESS_HEAD STRESS_LINE STRESS_MORE, "mutex", &operations,
					&rate, error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "stress-ng did not complete (1 lines with the figures of "
				   "'mutex')");
	assert_int_equal(stress_ng_read(STRESS_HEAD STRESS_LINE STRESS_END, "futex", &operations,
					&rate, error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "stress-ng's output has 0 lines with the figures of 'futex', "
				   "not one");
	assert_int_equal(stress_ng_read(STRESS_LINE STRESS_LINE STRESS_END, "mutex", &operations,
					&rate, error, sizeof(error)),
			 -EINVAL);
}

static void test_versions_are_read(void **state)
{
	char version[32];

	(void)state;
	assert_int_equal(tool_version_read("hackbench V 2.40\nUsage:\n", "hackbench", version,
					   sizeof(version)),
			 0);
	assert_string_equal(version, "2.40");
	assert_int_equal(tool_version_read("stress-ng, version 0.15.06 (gcc 12.2.0, x86_64)\n",
					   "stress-ng", version, sizeof(version)),
			 0);
	assert_string_equal(version, "0.15.06");
	assert_int_equal(
		tool_version_read("cyclictest V x\n", "cyclictest", version, sizeof(version)),
		-EINVAL);
	assert_int_equal(tool_version("proxeval-no-such-tool", version, sizeof(version)), -ENOENT);
}

static void test_its_tables(void **state)
{
	(void)state;
	assert_ptr_equal(workload_find("throughput"), &workload_throughput);
	assert_string_equal(workload_throughput.metrics[0].name, "operations_per_second");
	assert_int_equal(workload_throughput.metrics[0].direction, HIGHER_IS_BETTER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hackbench_is_read_by_the_importers_rules),
		cmocka_unit_test(test_stress_ng_is_read_strictly),
		cmocka_unit_test(test_versions_are_read),
		cmocka_unit_test(test_its_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
