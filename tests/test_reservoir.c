// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "measure/clock.h"
#include "measure/reservoir.h"
#include "workloads/operation.h"
#include "workloads/workload.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_OTHER_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_OTHER_MALLOC 1
#endif
#endif

static struct reservoir reservoir;

static void record_all(const uint64_t *values, size_t n)
{
	reservoir_init(&reservoir, 1);
	for (size_t i = 0; i < n; i++)
		reservoir_record(&reservoir, values[i]);
}

static void test_a_few_samples_are_exact(void **state)
{
	static const uint64_t values[] = {9, 1, 5, 1000};

	(void)state;
	record_all(values, 0);
	assert_float_equal(reservoir_median(&reservoir), 0, 0);
	assert_int_equal(reservoir_lower_median(&reservoir), 0);
	assert_int_equal(reservoir_count_from(&reservoir, 0), 0);
	record_all(values, 3);
	assert_float_equal(reservoir_median(&reservoir), 5, 0);
	record_all(values, 4);
	assert_float_equal(reservoir_median(&reservoir), 7, 0);
	assert_int_equal(reservoir_lower_median(&reservoir), 5);
	assert_int_equal(reservoir_count_from(&reservoir, 5), 3);
	assert_int_equal(reservoir_count_from(&reservoir, 6), 2);
	assert_int_equal(reservoir_count_from(&reservoir, 1001), 0);
	assert_int_equal(reservoir.min, 1);
	assert_int_equal(reservoir.max, 1000);
	assert_float_equal(reservoir.sum, 1015, 0);
	/* Sorted meanwhile, it goes on. */
	reservoir_record(&reservoir, 6);
	assert_float_equal(reservoir_median(&reservoir), 6, 0);
}

/*
 * Ten million of a known order: 0 to 999 over and over, the middle is 499.5. What is kept is a
 * draw: its median has a standard deviation of 500 / sqrt(4096) = 7.8, and a share of one half one
 * of 0.78 %. Four of them are allowed; the seed is fixed.
 */
static void test_ten_million_samples_are_drawn_evenly(void **state)
{
	const uint64_t n = 10000000;
	uint64_t early = 0;

	(void)state;
	reservoir_init(&reservoir, 1);
	for (uint64_t i = 0; i < n; i++)
		reservoir_record(&reservoir, i % 1000);
	assert_int_equal(reservoir.samples, n);
	assert_int_equal(reservoir.min, 0);
	assert_int_equal(reservoir.max, 999);
	assert_float_equal(reservoir.sum, 999 / 2.0 * (double)n, 0);
	assert_float_equal(reservoir_median(&reservoir), 499.5, 32);
	assert_float_equal((double)reservoir_count_from(&reservoir, 500) / (double)n, 0.5, 0.032);
	/* The last samples are as likely to be kept as the first. */
	reservoir_init(&reservoir, 1);
	for (uint64_t i = 0; i < n; i++)
		reservoir_record(&reservoir, i);
	for (size_t i = 0; i < RESERVOIR_KEPT; i++)
		early += reservoir.kept[i] < n / 2;
	assert_in_range(early, RESERVOIR_KEPT / 2 - 128, RESERVOIR_KEPT / 2 + 128);
}

static void test_the_seed_decides_what_is_kept(void **state)
{
	static struct reservoir again, other;

	(void)state;
	reservoir_init(&reservoir, 1);
	reservoir_init(&again, 1);
	reservoir_init(&other, 2);
	for (uint64_t i = 0; i < 3 * RESERVOIR_KEPT; i++) {
		reservoir_record(&reservoir, i);
		reservoir_record(&again, i);
		reservoir_record(&other, i);
	}
	assert_memory_equal(reservoir.kept, again.kept, sizeof(again.kept));
	assert_memory_not_equal(reservoir.kept, other.kept, sizeof(other.kept));
}

/* ---- the memory of runs --------------------------------------------------------------------- */

static size_t allocated_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Two CPUs that a thread may use, the second one -1 if there is one only. */
static void find_cpus(int cpus[2])
{
	cpu_set_t allowed;
	int found = 0;

	cpus[0] = cpus[1] = -1;
	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cpus[found++] = cpu;
}

static void report_nothing(void *context, unsigned int done, unsigned int total)
{
	(void)context;
	(void)done;
	(void)total;
}

/* What a section of @workload has allocated when it is set up for so many samples; 0: it cannot be
 * set up here. In a process of its own, as a section is. */
static size_t bytes_of_section(const struct workload *workload, const char *samples)
{
	static volatile const int stop;
	struct placement placement = {.kind = PLACEMENT_SAME_CPU};
	const char *values[32];
	struct workload_run run = {.placement = &placement,
				   .values = values,
				   .seed = 1,
				   .proxy_exec = PROXY_EXEC_ABSENT,
				   .stop = &stop,
				   .progress = report_nothing};
	size_t before, bytes = 0, i = 0;
	int cpus[2], fds[2];
	pid_t pid;

	find_cpus(cpus);
	placement.owner_cpu = placement.donor_cpu = cpus[0];
	placement.observer_cpu = cpus[1];
	for (; workload->parameters[i].name; i++)
		values[i] = strstr(workload->parameters[i].name, "samples")
				    ? samples
				    : workload->parameters[i].standard;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		run.result = result_new(workload->metrics);
		before = allocated_bytes();
		bytes = workload->setup(&run) ? 0 : allocated_bytes() - before;
		_exit(write(fds[1], &bytes, sizeof(bytes)) != sizeof(bytes));
	}
	close(fds[1]);
	if (read(fds[0], &bytes, sizeof(bytes)) != sizeof(bytes))
		bytes = 0;
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return bytes;
}

static bool takes_samples(const struct workload *workload)
{
	for (size_t i = 0; workload->parameters[i].name; i++)
		if (!strcmp(workload->parameters[i].name, "samples"))
			return true;
	return false;
}

static void test_a_section_has_the_same_memory_for_any_number_of_samples(void **state)
{
	unsigned int seen = 0;

	(void)state;
#ifdef HAS_OTHER_MALLOC
	skip(); /* mallinfo2() knows nothing of the sanitizer's */
#endif
	for (size_t i = 0; workloads[i]; i++) {
		size_t few, many;

		if (!takes_samples(workloads[i]))
			continue;
		few = bytes_of_section(workloads[i], "10");
		many = bytes_of_section(workloads[i], "10000000");
		print_message("%s: %zu bytes\n", workloads[i]->name, few);
		assert_int_equal(few, many);
		seen += few > 0;
	}
	if (!seen)
		skip(); /* nobody may lock memory, or pin a thread, here */
}

static void test_an_operation_has_the_same_memory_for_any_number_of_batches(void **state)
{
	/* The first run also makes what the C library keeps for threads. */
	static const unsigned int batches[] = {1, 10, 3 * RESERVOIR_KEPT};
	static const volatile int stop;
	size_t bytes[3];
	int cpus[2];

	(void)state;
#ifdef HAS_OTHER_MALLOC
	skip();
#endif
	find_cpus(cpus);
	for (int i = 0; i < 3; i++) {
		struct operation_request request = {.kind = OPERATION_SYSCALL,
						    .cpu = cpus[0],
						    .batches = batches[i],
						    .limit_ns = 60 * NS_PER_S,
						    .stop = &stop};
		struct operation_result result;
		size_t before = allocated_bytes();
		int err = operation_run(&request, &result);

		bytes[i] = allocated_bytes() - before;
		if (err == -EPERM) {
			operation_release(&result);
			skip();
		}
		assert_int_equal(err, 0);
		assert_int_equal(operation_batches(&result), batches[i]);
		operation_release(&result);
	}
	assert_in_range(bytes[1], sizeof(reservoir.kept), 2 * sizeof(reservoir.kept));
	assert_int_equal(bytes[1], bytes[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_few_samples_are_exact),
		cmocka_unit_test(test_ten_million_samples_are_drawn_evenly),
		cmocka_unit_test(test_the_seed_decides_what_is_kept),
		cmocka_unit_test(test_a_section_has_the_same_memory_for_any_number_of_samples),
		cmocka_unit_test(test_an_operation_has_the_same_memory_for_any_number_of_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
