// SPDX-License-Identifier: GPL-2.0-only
/* The importers: what a text comes to, figure by figure, and what is refused, with its place. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "reports/import.h"
#include "reports/load.h"

static struct imported imported;

static int import_as(const struct importer *importer, const char *text, bool is_in_ns)
{
	struct import_hints hints = {.is_in_ns = is_in_ns};

	return import_text(importer, "file", text, strlen(text), &hints, &imported);
}

static void expect_import(const struct importer *importer, const char *text)
{
	int err = import_as(importer, text, false);

	if (err)
		fail_msg("refused: %s", imported.error);
}

/* The text is refused with exactly this sentence. */
static void expect_refusal(const struct importer *importer, const char *text, const char *error)
{
	assert_int_equal(import_as(importer, text, false), -EINVAL);
	assert_string_equal(imported.error, error);
	imported_release(&imported);
}

static struct json_object *section_at(size_t index)
{
	assert_true(index < json_object_array_length(imported.sections));
	return json_object_array_get_idx(imported.sections, index);
}

static struct json_object *metric_of(size_t section, const char *name)
{
	struct json_object *metrics = json_object_object_get(section_at(section), "metrics");

	for (size_t i = 0; i < json_object_array_length(metrics); i++) {
		struct json_object *metric = json_object_array_get_idx(metrics, i);

		if (!strcmp(json_text_at(metric, (const char *[]){"name", NULL}), name))
			return metric;
	}
	fail_msg("section %zu has no %s", section, name);
	return NULL;
}

static void expect_text(struct json_object *object, const char *key, const char *text)
{
	const char *found = json_text_at(object, (const char *[]){key, NULL});

	assert_string_equal(found ? found : "(none)", text);
}

/* NaN: null is expected. */
static void expect_number(struct json_object *object, const char *key, double expected)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, key, &value));
	if (isnan(expected))
		assert_null(value);
	else
		assert_float_equal(json_object_get_double(value), expected, 1e-6);
}

static double in_buckets(struct json_object *metric)
{
	struct json_object *buckets =
		json_object_object_get(json_object_object_get(metric, "histogram"), "buckets");
	double sum = 0;

	for (size_t i = 0; i < json_object_array_length(buckets); i++)
		sum += json_object_get_double(
			json_object_array_get_idx(json_object_array_get_idx(buckets, i), 1));
	return sum;
}

#define HEAD                                                                                     \
	"{\"file_version\": 1, \"cmdline:\": \"cyclictest\", \"rt_test_version:\": \"2.40\", "   \
	"\"start_time\": \"Sun, 22 Nov 2026 23:10:59 +0200\", "                                  \
	"\"end_time\": \"Sun, 22 Nov 2026 23:11:01 +0200\", \"return_code\": 0, "                \
	"\"sysinfo\": {\"sysname\": \"Linux\", \"nodename\": \"box\", \"release\": \"7.2.13\", " \
	"\"version\": \"#1\", \"machine\": \"x86_64\", \"realtime\": 0}, "
/* Thread 0 has 12 cycles and 10 in its histogram: two samples went beyond it, without a word. */
#define TWO_THREADS                                                                       \
	HEAD "\"num_threads\": 2, \"resolution_in_ns\": 0, \"thread\": {"                 \
	     "\"0\": {\"histogram\": {\"3\": 6, \"7\": 4}, \"cycles\": 12, \"min\": 3, "  \
	     "\"max\": 900, \"avg\": 50.5, \"cpu\": 4, \"node\": 1}, "                    \
	     "\"1\": {\"histogram\": {\"5\": 8}, \"cycles\": 8, \"min\": 5, \"max\": 5, " \
	     "\"avg\": 5, \"cpu\": 5, \"node\": 1}}}"

static void test_cyclictest_json(void **state)
{
	struct json_object *all, *placement;

	(void)state;
	expect_import(&import_cyclictest, TWO_THREADS);
	assert_int_equal(json_object_array_length(imported.sections), 3);
	expect_text(section_at(0), "id", "cyclictest/all-threads");
	expect_text(section_at(2), "id", "cyclictest/thread-1");
	all = metric_of(0, "latency_ns");
	expect_text(all, "outcome", "ok");
	expect_text(all, "role", "primary");
	expect_number(all, "samples", 20);
	expect_number(all, "min", 3000);
	expect_number(all, "max", 900000);
	/* (12 x 50.5 + 8 x 5) / 20 microseconds */
	expect_number(all, "mean", 32300);
	/* Ranks: 3 us up to 6, 5 us up to 14, 7 us up to 18, then the two beyond. */
	expect_number(all, "p50", 5000);
	expect_number(all, "p90", 7000);
	expect_number(all, "p99", NAN);
	expect_number(json_object_object_get(all, "histogram"), "overflow", 2);
	assert_float_equal(in_buckets(all), 18, 0);
	expect_text(metric_of(1, "latency_ns"), "role", "secondary");
	/* Rank 11 of 12 lies beyond the histogram, of which nothing but the maximum is known. */
	expect_number(metric_of(1, "latency_ns"), "p90", NAN);
	placement = json_object_object_get(section_at(1), "placement");
	expect_text(placement, "kind", "imported");
	expect_number(placement, "owner_cpu", 4);
	expect_number(placement, "owner_node", 1);
	assert_string_equal(imported.kernel, "7.2.13");
	assert_string_equal(imported.started, "2026-11-22T21:10:59Z");
	assert_float_equal(imported.wall_s, 2, 0);
	expect_text(imported.environment, "hostname", "box");
	imported_release(&imported);
}

static void test_cyclictest_nanoseconds(void **state)
{
	(void)state;
	expect_import(&import_cyclictest,
		      HEAD "\"num_threads\": 1, \"resolution_in_ns\": 1, \"thread\": {\"0\": "
			   "{\"histogram\": {\"1234\": 1}, \"cycles\": 1, \"min\": 1234, "
			   "\"max\": 1234, \"avg\": 1234.00}}}");
	assert_int_equal(json_object_array_length(imported.sections), 1);
	expect_number(metric_of(0, "latency_ns"), "p50", 1234);
	expect_number(metric_of(0, "latency_ns"), "p90", NAN);
	imported_release(&imported);
}

/* Most samples beyond the histogram: the figures are kept, and nobody compares them. */
static void test_cyclictest_overflow(void **state)
{
	struct json_object *metric;

	(void)state;
	expect_import(&import_cyclictest,
		      HEAD "\"num_threads\": 1, \"resolution_in_ns\": 0, \"thread\": {\"0\": "
			   "{\"histogram\": {\"10\": 1}, \"cycles\": 5, \"min\": 10, "
			   "\"max\": 99, \"avg\": 80.00}}}");
	metric = metric_of(0, "latency_ns");
	expect_text(metric, "outcome", "broken");
	expect_text(
		metric, "reason",
		"4 of 5 samples are beyond the histogram's end: run cyclictest with a larger -h");
	expect_number(metric, "p50", 99000);
	imported_release(&imported);

	/* Of the second thread there is nothing else. */
	expect_import(&import_cyclictest,
		      "# Histogram\n000001 000002\t000000\n# Total: 000000002 000000000\n"
		      "# Min Latencies: 00001 00007\n# Avg Latencies: 00001 00008\n"
		      "# Max Latencies: 00001 00009\n# Histogram Overflows: 00000 00003\n");
	metric = metric_of(2, "latency_ns");
	expect_text(metric, "outcome", "broken");
	expect_number(metric, "samples", 3);
	expect_number(metric, "max", 9000);
	imported_release(&imported);
}

static void test_cyclictest_without_histogram(void **state)
{
	(void)state;
	expect_import(
		&import_cyclictest,
		"# /dev/cpu_dma_latency set to 0us\n"
		"T: 0 ( 1) P:80 I:1000 C:     10 Min:     99 Act:   99 Avg:   99 Max:     99\n"
		"\033[2AT: 0 ( 1) P:80 I:1000 C:    100 Min:      4 Act:   9 Avg:   12 Max:   "
		"  37\n"
		"T: 1 ( 2) P:80 I:1500 C:    300 Min:      2 Act:   9 Avg:   16 Max:     30\n");
	expect_number(metric_of(0, "latency_mean_ns"), "value", 15000);
	expect_number(metric_of(0, "latency_min_ns"), "value", 2000);
	expect_number(metric_of(0, "latency_max_ns"), "value", 37000);
	expect_number(metric_of(0, "cycles"), "value", 400);
	expect_number(metric_of(1, "cycles"), "value", 100);
	assert_null(imported.kernel);
	imported_release(&imported);
}

#define HISTOGRAM "# Histogram\n000001 000002\t000000\n000002 000001\t000003\n"
#define TOTALS                                                                                       \
	"# Total: 000000003 000000003\n# Min Latencies: 00001 00002\n# Avg Latencies: 00002 00002\n" \
	"# Max Latencies: 00009 00002\n"

static void test_cyclictest_text(void **state)
{
	struct json_object *metric;

	(void)state;
	expect_import(&import_cyclictest, HISTOGRAM TOTALS
		      "# Histogram Overflows: 00001 00000\n"
		      "# Histogram Overflow at cycle number:\n# Thread 0: 00004\n");
	metric = metric_of(0, "latency_ns");
	expect_number(metric, "samples", 7);
	expect_number(metric, "p50", 2000);
	expect_number(metric, "max", 9000);
	expect_number(json_object_object_get(metric, "histogram"), "overflow", 1);
	imported_release(&imported);

	/* With -H every line has one figure more, over all threads. */
	expect_import(&import_cyclictest,
		      "000001 000002\t000000\t000002\r\n000002 000001\t000003\t000004\r\n"
		      "# Total: 000000003 000000003 000000006\r\n# Min Latencies: 00001 00002\r\n"
		      "# Avg Latencies: 00002 00002\r\n# Max Latencies: 00009 00002 00009\r\n"
		      "# Histogram Overflows: 00001 00000 00001\r\n");
	assert_int_equal(json_object_array_length(imported.sections), 3);
	expect_number(metric_of(0, "latency_ns"), "samples", 7);
	imported_release(&imported);

	assert_int_equal(import_as(&import_cyclictest,
				   HISTOGRAM TOTALS "# Histogram Overflows: 00001 00000\n", true),
			 0);
	expect_number(metric_of(0, "latency_ns"), "p50", 2);
	imported_release(&imported);
}

static void test_cyclictest_refusals(void **state)
{
	const struct importer *ct = &import_cyclictest;

	(void)state;
	expect_refusal(ct, "", "file: it is empty");
	expect_refusal(
		ct, "{\"file_version\": 2}",
		"file: its \"file_version\" is not 1: it is no file of cyclictest --json that "
		"this program knows");
	expect_refusal(ct,
		       HEAD "\"num_threads\": 2, \"resolution_in_ns\": 0, \"thread\": {\"0\": {}}}",
		       "file: \"num_threads\" is not the number of its threads");
	expect_refusal(ct,
		       HEAD "\"num_threads\": 1, \"resolution_in_ns\": 0, \"thread\": {\"0\": "
			    "{\"histogram\": {\"3\": 6}, \"cycles\": 5, \"min\": 3, \"max\": 3, "
			    "\"avg\": 3}}}",
		       "file: thread 0 has 6 samples in its histogram and ran only 5 cycles");
	expect_refusal(ct,
		       HEAD "\"num_threads\": 1, \"resolution_in_ns\": 0, \"thread\": {\"0\": "
			    "{\"histogram\": {\"3\": -6}, \"cycles\": 5, \"min\": 3, \"max\": 3, "
			    "\"avg\": 3}}}",
		       "file: \"3\" is not there, or not a count");
	expect_refusal(ct,
		       HEAD "\"num_threads\": 1, \"resolution_in_ns\": 0, \"thread\": {\"0\": "
			    "{\"histogram\": {\"2\": 1}, \"cycles\": 5, \"min\": 3, \"max\": 3, "
			    "\"avg\": 3}}}",
		       "file: thread 0 has a sample of 2, which is not between its minimum and its "
		       "maximum");
	expect_refusal(ct,
		       HEAD "\"num_threads\": 1, \"resolution_in_ns\": 0, \"thread\": {\"0\": "
			    "{\"histogram\": {}, \"cycles\": 5, \"min\": 3, "
			    "\"max\": 9007199254740992, \"avg\": 3}}}",
		       "file: the maximum of thread 0 is 9007199254740992, which is no latency");
	expect_refusal(ct, "Time: 0.3\n",
		       "file:1: \"Time: 0.3\" is not a line that cyclictest writes");
	expect_refusal(ct, "000001 000002\n000002 000001 000003\n",
		       "file:2: a row of 1 counts is needed, as in the rows before");
	expect_refusal(ct, "000001 99999999999999999999\n",
		       "file:1: a row of 1 counts is needed, as in the rows before");
	expect_refusal(ct, HISTOGRAM TOTALS,
		       "file: the lines with totals, minima, averages, maxima and overflows behind "
		       "the histogram are not all there: the output was cut short");
	expect_refusal(ct, "# nothing\n",
		       "file: there is neither a histogram nor a thread's line in it");
	expect_refusal(ct,
		       "000001 000002\n# Total: 3\n# Min Latencies: 1\n# Avg Latencies: 1\n"
		       "# Max Latencies: 1\n# Histogram Overflows: 0\n",
		       "file: the rows of thread 0 add up to 2 samples, and its total says 3");
}

static void test_hackbench(void **state)
{
	struct json_object *metric;

	(void)state;
	expect_import(&import_hackbench,
		      "Running in process mode with 2 groups using 40 file descriptors each (== 80 "
		      "tasks)\nEach sender will pass 100 messages of 100 bytes\nTime: 0.304\n"
		      "Time: 0.2\nRunning in threaded mode with 2 groups using 40 file descriptors "
		      "each (== 80 tasks)\nEach sender will pass 100 messages of 100 bytes\n"
		      "Time: 1.25\n");
	assert_int_equal(json_object_array_length(imported.sections), 2);
	expect_text(section_at(0), "id",
		    "hackbench/all/bytes=100,fds=40,groups=2,messages=100,mode=process");
	metric = metric_of(0, "run_time_ns");
	expect_number(metric, "samples", 2);
	expect_number(metric, "p50", 200000000);
	expect_number(metric, "max", 304000000);
	expect_number(metric, "mean", 252000000);
	expect_number(metric_of(1, "run_time_ns"), "p50", 1250000000);
	expect_text(json_object_object_get(section_at(1), "params"), "mode", "threaded");
	imported_release(&imported);
	expect_import(&import_hackbench, "Running with 10*40 (== 400) tasks.\nTime: 0.321\n");
	expect_text(section_at(0), "id", "hackbench/all/fds=40,groups=10");
	imported_release(&imported);
	expect_import(&import_hackbench, "Time: 3");
	expect_text(section_at(0), "id", "hackbench/all");
	imported_release(&imported);
}

static void test_hackbench_refusals(void **state)
{
	const struct importer *hb = &import_hackbench;

	(void)state;
	expect_refusal(
		hb, "Running in process mode with 2 groups using 40 file descriptors\n",
		"file: there is no line \"Time: SECONDS\" in it: the run was cut short, or it "
		"is not hackbench's");
	expect_refusal(hb, "Time: nan\n", "file:1: \"Time:\" is not followed by seconds");
	expect_refusal(hb, "\nTime: -3\n", "file:2: \"Time:\" is not followed by seconds");
	expect_refusal(hb, "Time: 1e300\n", "file:1: \"Time:\" is not followed by seconds");
	expect_refusal(hb, "Time: 99999999\n",
		       "file:1: a run of 1e+08 s is not one that hackbench made");
	expect_refusal(hb, "\033[2J\n", "file:1: \"?[2J\" is not a line that hackbench writes");
}

#define WAKEUP(when, samples, p99, p999)                                                         \
	"Wakeup Latencies percentiles (usec) runtime " when " (s) (" samples " total samples)\n" \
	"\t  50.0th: 7          (75 samples)\n\t* 99.0th: " p99 "       (20 samples)\n"          \
	"\t  99.9th: " p999 "      (2 samples)\n\t  min=2, max=16002\n"

static void test_schbench_text(void **state)
{
	(void)state;
	expect_import(
		&import_schbench,
		"setting worker threads to 2\n" WAKEUP("2", "500", "1", "1") WAKEUP(
			"4", "999", "9424",
			"16016") "RPS percentiles (requests) runtime 4 (s) (4 total samples)\n"
				 "\t  20.0th: 0          (1 samples)\n\t* 50.0th: 106        (1 samples)\n"
				 "\t  min=106, max=149\naverage rps: 134.67\n"
				 "sched delay: message 0 (usec) worker 0 (usec)\n");
	assert_int_equal(json_object_array_length(imported.sections), 1);
	/* The last report counts, not the one of half-time. */
	expect_number(metric_of(0, "wakeup_p99_ns"), "value", 9424000);
	expect_text(metric_of(0, "wakeup_p99_ns"), "role", "primary");
	expect_text(metric_of(0, "wakeup_p99_ns"), "outcome", "ok");
	expect_text(metric_of(0, "wakeup_p99_9_ns"), "outcome", "broken");
	expect_text(metric_of(0, "wakeup_p99_9_ns"), "reason",
		    "999 samples do not carry p99.9: it takes 1000");
	expect_number(metric_of(0, "wakeup_max_ns"), "value", 16002000);
	expect_text(metric_of(0, "rps_p20"), "reason",
		    "schbench gave 0 for p20, less than the minimum of 106");
	expect_number(metric_of(0, "rps_p50"), "value", 106);
	expect_text(metric_of(0, "rps_p50"), "direction", "higher");
	expect_number(metric_of(0, "rps_average"), "value", 134.67);
	imported_release(&imported);
	expect_import(&import_schbench, WAKEUP("4", "1000", "9424", "16016"));
	expect_text(metric_of(0, "wakeup_p99_9_ns"), "outcome", "ok");
	imported_release(&imported);
	/* As its first versions wrote it. */
	expect_import(&import_schbench, "Latency percentiles (usec)\n\t50.0000th: 8\n"
					"\t*99.0000th: 57\n\t99.5000th: 60\n\tmin=0, max=91\n");
	expect_number(metric_of(0, "wakeup_p99_ns"), "value", 57000);
	expect_number(metric_of(0, "wakeup_p99_5_ns"), "value", 60000);
	imported_release(&imported);
}

static void test_schbench_json(void **state)
{
	(void)state;
	expect_import(
		&import_schbench,
		"{\"normal\": {\"version\": \"7.2.13\",\"hostname\": \"box\"},\"int\": {\"time\": "
		"1795382164, \"wakeup_latency_pct50.0\": 6, \"wakeup_latency_pct99.0\": 9424, "
		"\"wakeup_latency_min\": 2,\"wakeup_latency_max\": 16002, \"runtime\": 64}}");
	expect_number(metric_of(0, "wakeup_p50_ns"), "value", 6000);
	expect_number(metric_of(0, "wakeup_p99_ns"), "value", 9424000);
	assert_string_equal(imported.kernel, "7.2.13");
	assert_string_equal(imported.started, "2026-11-22T21:15:00Z");
	assert_float_equal(imported.wall_s, 64, 0);
	imported_release(&imported);
}

static void test_schbench_refusals(void **state)
{
	const struct importer *sb = &import_schbench;

	(void)state;
	expect_refusal(sb, "{\"int\": 3}",
		       "file: \"int\" is not there, or not an object: it is no file of schbench "
		       "--json");
	expect_refusal(sb, "{\"int\": {\"wakeup_latency_pct50.0\": 4294967296}}",
		       "file: \"pct50.0\" is not a count");
	expect_refusal(sb, "{\"int\": {\"wakeup_latency_pct100.0\": 1}}",
		       "file: \"pct100.0\" is not a percentile");
	expect_refusal(sb, "{\"int\": {\"time\": 1}}",
		       "file: there is no percentile of schbench in it");
	expect_refusal(sb, "average rps: 5\n", "file: there is no percentile of schbench in it");
	expect_refusal(sb, "\t  50.0th: 7\n",
		       "file:1: \"50.0th: 7\" is not a line that schbench writes");
	expect_refusal(sb, "Latency percentiles (usec)\n\t50.0th: x\n",
		       "file:2: the percentile 50 has no value");
	expect_refusal(sb, "Latency percentiles (usec)\n\t50.0th: 1\n\t50.00th: 2\n",
		       "file:3: the percentile 50 is there twice");
}

/* What no text form may hold, and JSON's own traps. */
static void test_any_refusals(void **state)
{
	struct import_hints hints = {0};

	(void)state;
	assert_int_equal(import_text(&import_hackbench, "file", "Time: 1\0", 8, &hints, &imported),
			 -EINVAL);
	assert_string_equal(imported.error,
			    "file: it holds a NUL byte, so it is not hackbench's text");
	imported_release(&imported);
	expect_refusal(&import_cyclictest, "{\"file_version\": 1",
		       "file: it is cut short: the JSON text does not end");
	assert_int_equal(
		import_as(&import_cyclictest, "{\"file_version\": 1, \"file_version\": 1}", false),
		-EINVAL);
	assert_non_null(strstr(imported.error, "appears twice"));
	imported_release(&imported);
	assert_int_equal(import_as(&import_schbench, "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", false),
			 -EINVAL);
	imported_release(&imported);
	assert_int_equal(import_file(&import_schbench, "/dev/null", &hints, &imported), -EINVAL);
	assert_string_equal(imported.error, "/dev/null: it is not a regular file");
	imported_release(&imported);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cyclictest_json),
		cmocka_unit_test(test_cyclictest_nanoseconds),
		cmocka_unit_test(test_cyclictest_overflow),
		cmocka_unit_test(test_cyclictest_without_histogram),
		cmocka_unit_test(test_cyclictest_text),
		cmocka_unit_test(test_cyclictest_refusals),
		cmocka_unit_test(test_hackbench),
		cmocka_unit_test(test_hackbench_refusals),
		cmocka_unit_test(test_schbench_text),
		cmocka_unit_test(test_schbench_json),
		cmocka_unit_test(test_schbench_refusals),
		cmocka_unit_test(test_any_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
