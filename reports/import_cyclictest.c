// SPDX-License-Identifier: GPL-2.0-only
/*
 * cyclictest (rt-tests): its --json file, the histogram that -h and -H print, or, where there
 * was no histogram, the lines with which it ends. Latencies are whole microseconds, rounded
 * down, or nanoseconds (-N). Both histograms leave out what is beyond their last row: the text
 * counts that, the JSON does not say it and it shows only against the number of cycles.
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/import.h"
#include "reports/load.h"

struct thread {
	uint64_t cycles, min, max; /* latencies in the tool's unit */
	uint64_t in_histogram, overflow;
	uint64_t total; /* what the text says of in_histogram */
	double mean;
	int cpu, node;
	struct import_bin *bins; /* with values in the tool's unit */
	size_t n_bins;
};

struct cyclictest {
	struct importing *in;
	uint64_t unit_ns; /* 1 or 1000 */
	struct thread *threads;
	size_t n_threads;
	const char *failed; /* why the run says nothing */
};

/* One row of a histogram, of one thread. */
static int add_bin(struct cyclictest *test, struct thread *thread, uint64_t value, uint64_t count)
{
	struct import_bin *bin;

	if (!count)
		return 0;
	bin = arena_append(&test->in->out->arena, &thread->bins, &thread->n_bins, sizeof(*bin));
	if (!bin)
		return import_no_memory(test->in);
	*bin = (struct import_bin){value, count};
	thread->in_histogram += count;
	return 0;
}

/* What must hold between the figures of a thread, whichever form they came in. */
static int check_thread(struct cyclictest *test, size_t index)
{
	struct thread *thread = &test->threads[index];

	if (thread->in_histogram > (uint64_t)RESULT_MAX_COUNT)
		return import_fail(test->in, "thread %zu counts more than 2^53 samples", index);
	if (thread->max > (uint64_t)RESULT_MAX_COUNT / test->unit_ns)
		return import_fail(test->in,
				   "the maximum of thread %zu is %llu, which is no latency", index,
				   (unsigned long long)thread->max);
	if (thread->cycles < thread->in_histogram)
		return import_fail(test->in,
				   "thread %zu has %llu samples in its histogram and ran only %llu "
				   "cycles",
				   index, (unsigned long long)thread->in_histogram,
				   (unsigned long long)thread->cycles);
	if (thread->cycles && (thread->min > thread->max || !(thread->mean >= 0)))
		return import_fail(test->in, "the minimum of thread %zu is beyond its maximum",
				   index);
	for (size_t i = 0; i < thread->n_bins; i++)
		if (thread->bins[i].value_ns < thread->min ||
		    thread->bins[i].value_ns > thread->max)
			return import_fail(
				test->in,
				"thread %zu has a sample of %llu, which is not between its "
				"minimum and its maximum",
				index, (unsigned long long)thread->bins[i].value_ns);
	thread->overflow =
		thread->n_bins || thread->overflow ? thread->cycles - thread->in_histogram : 0;
	return 0;
}

/* --- the JSON form --- */

static uint64_t json_count(struct cyclictest *test, struct json_object *object, const char *key,
			   int *err)
{
	struct json_object *value = NULL;

	if (*err)
		return 0;
	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
	    json_object_get_double(value) > RESULT_MAX_COUNT) {
		*err = import_fail(test->in, "\"%s\" is not there, or not a count", key);
		return 0;
	}
	return json_object_get_uint64(value);
}

/* A small number that may not be there: a CPU, a node. */
static int json_place(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	int64_t number;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return -1;
	number = json_object_get_int64(value);
	return number >= 0 && number < 1 << 20 ? (int)number : -1;
}

static int read_json_histogram(struct cyclictest *test, struct thread *thread,
			       struct json_object *object)
{
	struct json_object *histogram = NULL;
	int err = 0;

	if (!json_object_object_get_ex(object, "histogram", &histogram))
		return 0;
	if (!json_object_is_type(histogram, json_type_object))
		return import_fail(test->in, "\"histogram\" is not an object");
	json_object_object_foreach (histogram, key, value) {
		const char *at = key;
		uint64_t latency, count;

		if (!import_count(&at, &latency) || *at)
			return import_fail(test->in, "\"%.40s\" in a histogram is not a latency",
					   key);
		(void)value;
		count = json_count(test, histogram, key, &err);
		if (!err)
			err = add_bin(test, thread, latency, count);
		if (err)
			return err;
	}
	return 0;
}

static int read_json_thread(struct cyclictest *test, struct json_object *object)
{
	struct json_object *mean = NULL;
	struct thread *thread = arena_append(&test->in->out->arena, &test->threads,
					     &test->n_threads, sizeof(*thread));
	int err = 0;

	if (!thread)
		return import_no_memory(test->in);
	if (!json_object_is_type(object, json_type_object))
		return import_fail(test->in, "a thread is not an object");
	thread->cycles = json_count(test, object, "cycles", &err);
	thread->min = json_count(test, object, "min", &err);
	thread->max = json_count(test, object, "max", &err);
	if (!err &&
	    (!json_object_object_get_ex(object, "avg", &mean) ||
	     !(json_object_get_double(mean) >= 0) || !isfinite(json_object_get_double(mean))))
		err = import_fail(test->in, "\"avg\" is not there, or not a latency");
	thread->mean = json_object_get_double(mean);
	thread->cpu = json_place(object, "cpu");
	thread->node = json_place(object, "node");
	if (!err)
		err = read_json_histogram(test, thread, object);
	return err ? err : check_thread(test, test->n_threads - 1);
}

static const char *json_text(struct json_object *object, const char *key)
{
	return json_text_at(object, (const char *[]){key, NULL});
}

/* "Sun, 22 Nov 2026 21:10:59 +0000"; -1 where it is not that. */
static time_t read_date(const char *text)
{
	struct tm parts = {0};
	const char *end = text ? strptime(text, "%a, %d %b %Y %H:%M:%S %z", &parts) : NULL;
	long offset_s = parts.tm_gmtoff;

	return end && !*end ? timegm(&parts) - offset_s : -1;
}

static void read_json_environment(struct cyclictest *test, struct json_object *document)
{
	struct importing *in = test->in;
	struct json_object *system = NULL, *code = NULL;
	time_t started = read_date(json_text(document, "start_time"));
	time_t ended = read_date(json_text(document, "end_time"));
	const char *version = json_text(document, "rt_test_version:");
	struct tm parts;

	/* rt-tests up to 2.4 write these two keys with a colon in them. */
	version = version ? version : json_text(document, "rt_test_version");
	import_add_environment(in, "tools", "cyclictest", version);
	if (json_object_object_get_ex(document, "sysinfo", &system)) {
		in->out->kernel = arena_text(&in->out->arena, json_text(system, "release"));
		import_add_environment(in, "kernel", "version", json_text(system, "version"));
		import_add_environment(in, NULL, "hostname", json_text(system, "nodename"));
		import_add_environment(in, NULL, "machine", json_text(system, "machine"));
	}
	if (started >= 0 && gmtime_r(&started, &parts) &&
	    strftime(in->out->started, sizeof(in->out->started), "%Y-%m-%dT%H:%M:%SZ", &parts) &&
	    ended >= started)
		in->out->wall_s = (double)(ended - started);
	if (json_object_object_get_ex(document, "return_code", &code) &&
	    json_object_get_int64(code))
		test->failed = arena_format(&in->out->arena, "cyclictest ended with the code %lld",
					    (long long)json_object_get_int64(code));
}

static int read_json(struct cyclictest *test, struct json_object *document)
{
	struct json_object *threads = NULL;
	int err = 0;

	if (json_count(test, document, "file_version", &err) != 1)
		return import_fail(test->in, "its \"file_version\" is not 1: it is no file of "
					     "cyclictest --json that this program knows");
	test->unit_ns = json_count(test, document, "resolution_in_ns", &err) ? 1 : 1000;
	if (!err && (!json_object_object_get_ex(document, "thread", &threads) ||
		     !json_object_is_type(threads, json_type_object)))
		err = import_fail(test->in, "\"thread\" is not there, or not an object");
	if (!err &&
	    json_count(test, document, "num_threads", &err) !=
		    (uint64_t)json_object_object_length(threads) &&
	    !err)
		err = import_fail(test->in, "\"num_threads\" is not the number of its threads");
	if (!err && json_object_object_length(threads) > IMPORT_MAX_THREADS)
		err = import_fail(test->in, "there are more than %d threads in it",
				  IMPORT_MAX_THREADS);
	if (err)
		return err;
	json_object_object_foreach (threads, key, thread) {
		(void)key;
		err = err ? err : read_json_thread(test, thread);
	}
	if (!err)
		read_json_environment(test, document);
	return err;
}

/* --- the text form --- */

/* What the text has before its threads are known to be so many. */
struct columns {
	size_t count; /* numbers in a row behind its latency; 0: no row yet */
	bool has_total, has_min, has_mean, has_max, has_overflow;
};

/* Makes sure that there are so many threads. */
static int need_threads(struct cyclictest *test, size_t count)
{
	if (count > IMPORT_MAX_THREADS + 1)
		return import_fail(test->in, "there are more than %d threads in it",
				   IMPORT_MAX_THREADS);
	while (test->n_threads < count) {
		struct thread *thread = arena_append(&test->in->out->arena, &test->threads,
						     &test->n_threads, sizeof(*thread));

		if (!thread)
			return import_no_memory(test->in);
		thread->cpu = -1;
		thread->node = -1;
	}
	return 0;
}

/* "000029 000002	000000": a latency and each thread's count, with -H their sum as well. */
static int read_row(struct cyclictest *test, struct columns *columns, const char *line)
{
	uint64_t latency = 0, count;
	size_t column = 0;
	int err = 0;

	if (!import_count(&line, &latency))
		return import_fail(test->in, "the latency is not a number");
	for (; !err && import_count(&line, &count); column++) {
		err = need_threads(test, column + 1);
		if (!err)
			err = add_bin(test, &test->threads[column], latency, count);
	}
	if (err)
		return err;
	if (line[strspn(line, " \t")] || !column || (columns->count && columns->count != column))
		return import_fail(test->in, "a row of %zu counts is needed, as in the rows before",
				   columns->count ? columns->count : 1);
	columns->count = column;
	return 0;
}

enum summary_kind { SUMMARY_TOTAL, SUMMARY_MIN, SUMMARY_MEAN, SUMMARY_MAX, SUMMARY_OVERFLOW };

/*
 * "# Min Latencies: 00029 00023" and its like. The minima are one per thread, so they tell how
 * many there are; the others may have an overall figure behind.
 */
static int read_summary(struct cyclictest *test, enum summary_kind kind, const char *at)
{
	size_t index = 0;
	uint64_t value;
	int err = 0;

	for (; !err && import_count(&at, &value); index++) {
		err = need_threads(test, index + 1);
		if (err)
			break;
		switch (kind) {
		case SUMMARY_TOTAL:
			test->threads[index].total = value;
			break;
		case SUMMARY_MIN:
			test->threads[index].min = value;
			break;
		case SUMMARY_MEAN:
			test->threads[index].mean = (double)value;
			break;
		case SUMMARY_MAX:
			test->threads[index].max = value;
			break;
		case SUMMARY_OVERFLOW:
			test->threads[index].overflow = value;
			break;
		}
	}
	if (!err && (at[strspn(at, " \t")] || !index))
		err = import_fail(test->in, "a list of counts is needed");
	return err ? err : (int)index;
}

/* Whether @line begins with @word; *@rest is then what follows. */
static bool begins_with(const char *line, const char *word, const char **rest)
{
	size_t length = strlen(word);

	if (strncmp(line, word, length))
		return false;
	*rest = line + length;
	return true;
}

/* "T: 0 (  941) P: 0 I:1000 C:    994 Min:     26 Act:   70 Avg:   89 Max:    2376" */
static int read_thread_line(struct cyclictest *test, const char *line)
{
	const char *cycles = strstr(line, " C:"), *min = strstr(line, " Min:");
	const char *mean = strstr(line, " Avg:"), *max = strstr(line, " Max:");
	uint64_t index, average = 0;
	struct thread *thread;
	int err;

	line += 2;
	if (!import_count(&line, &index) || index >= IMPORT_MAX_THREADS || !cycles || !min ||
	    !mean || !max)
		return import_fail(test->in, "it is not one of cyclictest's lines of a thread");
	err = need_threads(test, index + 1);
	if (err)
		return err;
	thread = &test->threads[index];
	cycles += 3;
	min += 5;
	mean += 5;
	max += 5;
	if (!import_count(&cycles, &thread->cycles) || !import_count(&min, &thread->min) ||
	    !import_count(&mean, &average) || !import_count(&max, &thread->max))
		return import_fail(test->in, "it is not one of cyclictest's lines of a thread");
	thread->mean = (double)average;
	return 0;
}

static int read_comment(struct cyclictest *test, struct columns *columns, size_t *n_threads,
			const char *line)
{
	const char *rest;
	int count = 0;

	if (begins_with(line, "# Total:", &rest)) {
		count = read_summary(test, SUMMARY_TOTAL, rest);
		columns->has_total = true;
	} else if (begins_with(line, "# Min Latencies:", &rest)) {
		count = read_summary(test, SUMMARY_MIN, rest);
		columns->has_min = true;
		*n_threads = count > 0 ? (size_t)count : 0;
	} else if (begins_with(line, "# Avg Latencies:", &rest)) {
		count = read_summary(test, SUMMARY_MEAN, rest);
		columns->has_mean = true;
	} else if (begins_with(line, "# Max Latencies:", &rest)) {
		count = read_summary(test, SUMMARY_MAX, rest);
		columns->has_max = true;
	} else if (begins_with(line, "# Histogram Overflows:", &rest)) {
		count = read_summary(test, SUMMARY_OVERFLOW, rest);
		columns->has_overflow = true;
	}
	return count < 0 ? count : 0;
}

/* All lines have been read; the columns become threads. */
static int settle_histogram(struct cyclictest *test, const struct columns *columns,
			    size_t n_threads)
{
	int err = 0;

	test->in->line = 0;
	if (!columns->has_total || !columns->has_min || !columns->has_mean || !columns->has_max ||
	    !columns->has_overflow)
		return import_fail(test->in,
				   "the lines with totals, minima, averages, maxima and "
				   "overflows behind the histogram are not all there: the "
				   "output was cut short");
	if (columns->count != n_threads && columns->count != n_threads + 1)
		return import_fail(test->in, "its rows have %zu counts, and there are %zu threads",
				   columns->count, n_threads);
	test->n_threads = n_threads; /* without the column of sums */
	for (size_t i = 0; i < n_threads && !err; i++) {
		struct thread *thread = &test->threads[i];

		if (thread->total != thread->in_histogram)
			return import_fail(test->in,
					   "the rows of thread %zu add up to %llu samples, and its "
					   "total says %llu",
					   i, (unsigned long long)thread->in_histogram,
					   (unsigned long long)thread->total);
		thread->cycles = thread->in_histogram + thread->overflow;
		err = check_thread(test, i);
	}
	return err;
}

/* Behind blanks and the sequence with which a run that is not quiet moves the cursor up. */
static char *skip_cursor(char *line)
{
	line += strspn(line, " \t");
	if (line[0] == '\033' && line[1] == '[') {
		line += 2 + strspn(line + 2, "0123456789;");
		line += *line != '\0';
	}
	return line;
}

static int read_text(struct cyclictest *test)
{
	struct columns columns = {0};
	size_t n_threads = 0;
	bool has_thread_lines = false;
	char *line;
	int err = 0;

	test->unit_ns = test->in->hints->is_in_ns ? 1 : 1000;
	while (!err && (line = import_line(test->in))) {
		line = skip_cursor(line);
		if (*line >= '0' && *line <= '9') {
			err = read_row(test, &columns, line);
		} else if (*line == '#') {
			err = read_comment(test, &columns, &n_threads, line);
		} else if (!strncmp(line, "T:", 2) && !columns.count) {
			err = read_thread_line(test, line);
			has_thread_lines = true;
		} else if (*line && strncmp(line, "T:", 2) && strncmp(line, "WARN:", 5) &&
			   strncmp(line, "policy:", 7)) {
			err = import_fail(test->in,
					  "\"%.60s\" is not a line that cyclictest writes", line);
		}
	}
	if (err)
		return err;
	if (columns.count)
		return settle_histogram(test, &columns, n_threads);
	test->in->line = 0;
	if (!has_thread_lines)
		return import_fail(test->in,
				   "there is neither a histogram nor a thread's line in it");
	for (size_t i = 0; i < test->n_threads && !err; i++)
		err = check_thread(test, i);
	return err;
}

/* --- from threads to sections --- */

/* The unit's name belongs to the figure: nanoseconds from here on. */
static void scale(const struct cyclictest *test, const struct thread *thread,
		  struct import_samples *samples)
{
	samples->bins = thread->bins;
	samples->n_bins = thread->n_bins;
	samples->overflow = thread->overflow;
	samples->min_ns = thread->min * test->unit_ns;
	samples->max_ns = thread->max * test->unit_ns;
	samples->mean_ns = thread->mean * (double)test->unit_ns;
}

static const char *too_much_overflow(const struct cyclictest *test, const struct thread *thread)
{
	if (thread->cycles && thread->overflow > thread->cycles / 2)
		return arena_format(&test->in->out->arena,
				    "%llu of %llu samples are beyond the histogram's end: run "
				    "cyclictest with a larger -h",
				    (unsigned long long)thread->overflow,
				    (unsigned long long)thread->cycles);
	return NULL;
}

/* What there is without a histogram. */
static int add_scalars(struct cyclictest *test, const struct thread *thread, enum metric_role role,
		       struct import_metrics *metrics)
{
	double unit_ns = (double)test->unit_ns;
	const char *broken = thread->cycles ? NULL : "there is no sample";
	struct import_figure figure = {.kind = METRIC_SCALAR, .broken = broken};
	int err;

	figure.value = thread->mean * unit_ns;
	err = import_add_metric(test->in, metrics, "latency_mean_ns", "ns", LOWER_IS_BETTER, role,
				figure);
	figure.value = (double)thread->min * unit_ns;
	if (!err)
		err = import_add_metric(test->in, metrics, "latency_min_ns", "ns", NO_DIRECTION,
					ROLE_INFORMATIVE, figure);
	figure.value = (double)thread->max * unit_ns;
	if (!err)
		err = import_add_metric(test->in, metrics, "latency_max_ns", "ns", NO_DIRECTION,
					ROLE_INFORMATIVE, figure);
	figure = (struct import_figure){.kind = METRIC_COUNTER, .value = (double)thread->cycles};
	return err ? err
		   : import_add_metric(test->in, metrics, "cycles", "count", NO_DIRECTION,
				       ROLE_INFORMATIVE, figure);
}

static int add_section(struct cyclictest *test, const struct thread *thread, const char *placement,
		       enum metric_role role)
{
	struct import_section section = {.workload = "cyclictest",
					 .placement = placement,
					 .params = "",
					 .cpu = thread->cpu,
					 .node = thread->node,
					 .failed = test->failed};
	struct import_samples samples;
	int err;

	scale(test, thread, &samples);
	if (thread->n_bins || thread->overflow)
		err = import_add_metric(
			test->in, &section.metrics, "latency_ns", "ns", LOWER_IS_BETTER, role,
			(struct import_figure){.kind = METRIC_DISTRIBUTION,
					       .samples = &samples,
					       .broken = too_much_overflow(test, thread)});
	else
		err = add_scalars(test, thread, role, &section.metrics);
	return err ? err : import_add_section(test->in, &section);
}

/* All threads as one: what people quote. Its bins are all bins, sorted later. */
static int sum_threads(struct cyclictest *test, struct thread *sum)
{
	size_t n_bins = 0;
	double weighted = 0;

	*sum = (struct thread){.min = UINT64_MAX, .cpu = -1, .node = -1};
	for (size_t i = 0; i < test->n_threads; i++) {
		const struct thread *thread = &test->threads[i];

		if (!thread->cycles)
			continue;
		n_bins += thread->n_bins;
		sum->cycles += thread->cycles;
		sum->overflow += thread->overflow;
		sum->min = thread->min < sum->min ? thread->min : sum->min;
		sum->max = thread->max > sum->max ? thread->max : sum->max;
		weighted += thread->mean * (double)thread->cycles;
	}
	if (!sum->cycles)
		return import_fail(test->in, "no thread ran a single cycle");
	if (sum->cycles > (uint64_t)RESULT_MAX_COUNT)
		return import_fail(test->in, "its threads ran more than 2^53 cycles");
	sum->mean = weighted / (double)sum->cycles;
	sum->bins = arena_alloc(&test->in->out->arena, (n_bins + 1) * sizeof(*sum->bins));
	if (!sum->bins)
		return import_no_memory(test->in);
	for (size_t i = 0; i < test->n_threads; i++) {
		const struct thread *thread = &test->threads[i];

		if (thread->n_bins)
			memcpy(&sum->bins[sum->n_bins], thread->bins,
			       thread->n_bins * sizeof(*thread->bins));
		sum->n_bins += thread->n_bins;
	}
	return 0;
}

/* Bins were compared in the tool's unit; from here on they are in nanoseconds. */
static void scale_bins(const struct cyclictest *test)
{
	for (size_t i = 0; i < test->n_threads; i++)
		for (size_t j = 0; j < test->threads[i].n_bins; j++)
			test->threads[i].bins[j].value_ns *= test->unit_ns;
}

static void tell_threads(const struct cyclictest *test)
{
	const struct import_hints *hints = test->in->hints;
	struct import_samples samples;

	for (size_t i = 0; i < test->n_threads && hints->on_thread; i++) {
		scale(test, &test->threads[i], &samples);
		hints->on_thread(hints->context, &samples);
	}
}

static int add_sections(struct cyclictest *test)
{
	struct thread sum;
	int err;

	scale_bins(test);
	tell_threads(test);
	err = sum_threads(test, &sum);
	if (!err)
		err = add_section(test, &sum, "all-threads", ROLE_PRIMARY);
	for (size_t i = 0; i < test->n_threads && !err && test->n_threads > 1; i++) {
		const char *placement = arena_format(&test->in->out->arena, "thread-%zu", i);

		err = placement ? add_section(test, &test->threads[i], placement, ROLE_SECONDARY)
				: import_no_memory(test->in);
	}
	return err;
}

static int parse_cyclictest(struct importing *in)
{
	struct cyclictest test = {.in = in};
	struct json_object *document = NULL;
	int err;

	if (import_is_json(in)) {
		document = import_json(in);
		err = document ? read_json(&test, document) : -EINVAL;
	} else {
		err = read_text(&test);
	}
	json_object_put(document);
	return err ? err : add_sections(&test);
}

const struct importer import_cyclictest = {.name = "cyclictest", .parse = parse_cyclictest};
