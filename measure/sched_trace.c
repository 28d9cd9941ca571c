// SPDX-License-Identifier: GPL-2.0-only
#include "measure/sched_trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include <traceevent/kbuffer.h>
#include <unistd.h>

/*
 * libtraceevent knows the layouts; what is left of libtracefs would be a dozen writes to files, and
 * an iterator that does not say how many events were lost.
 */

#define EVENTS_MAX 16
/* The longest format file of the system sched has 2 KiB; a page's header and statistics less. */
#define TEXT_MAX (64 * 1024)

/* Where a field of an event goes in struct sched_trace_record; all of them are int. */
struct place {
	const char *event, *field;
	size_t offset;
};

#define RECORD(member) offsetof(struct sched_trace_record, member)
static const struct place places[] = {
	{"sched_switch", "prev_pid", RECORD(prev_pid)},
	{"sched_switch", "prev_prio", RECORD(prev_prio)},
	{"sched_switch", "next_pid", RECORD(next_pid)},
	{"sched_switch", "next_prio", RECORD(next_prio)},
	{"sched_waking", "pid", RECORD(pid)},
	{"sched_waking", "prio", RECORD(prio)},
	{"sched_waking", "target_cpu", RECORD(to_cpu)},
	{"sched_wakeup", "pid", RECORD(pid)},
	{"sched_wakeup", "prio", RECORD(prio)},
	{"sched_wakeup", "target_cpu", RECORD(to_cpu)},
	{"sched_wakeup_new", "pid", RECORD(pid)},
	{"sched_wakeup_new", "prio", RECORD(prio)},
	{"sched_wakeup_new", "target_cpu", RECORD(to_cpu)},
	{"sched_migrate_task", "pid", RECORD(pid)},
	{"sched_migrate_task", "prio", RECORD(prio)},
	{"sched_migrate_task", "orig_cpu", RECORD(from_cpu)},
	{"sched_migrate_task", "dest_cpu", RECORD(to_cpu)},
};

static const struct {
	const char *event;
	enum sched_trace_kind kind;
} kinds[] = {
	{"sched_switch", SCHED_TRACE_SWITCH},	     {"sched_waking", SCHED_TRACE_WAKING},
	{"sched_wakeup", SCHED_TRACE_WAKEUP},	     {"sched_wakeup_new", SCHED_TRACE_WAKEUP},
	{"sched_migrate_task", SCHED_TRACE_MIGRATE},
};

#define FIELDS_MAX 4
struct known_event {
	struct tep_event *event;
	enum sched_trace_kind kind;
	struct tep_format_field *fields[FIELDS_MAX];
	size_t offsets[FIELDS_MAX];
	size_t n_fields;
	struct tep_format_field *state, *current;
};

/* One CPU's buffer while it is read. */
struct cpu_reader {
	int cpu, fd;
	struct kbuffer *buffer;
	void *page;
	uint64_t missed;
	void *raw; /* the next event; NULL: there is none left */
	unsigned long long at_ns;
};

struct sched_trace {
	char directory[PATH_MAX];
	char reason[256];
	struct tep_handle *formats;
	struct known_event events[EVENTS_MAX];
	size_t n_events;
	size_t page_bytes;
	enum kbuffer_long_size long_size;
	struct cpu_reader *readers;
	size_t n_readers;
};

/* ---- files of the instance ---- */

static int open_file(const struct sched_trace *trace, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", trace->directory, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int put(const struct sched_trace *trace, const char *name, const char *value)
{
	int fd = open_file(trace, name, O_WRONLY | O_TRUNC);
	int err = 0;

	if (fd < 0)
		return fd;
	if (*value && write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The whole of a small file, NUL-terminated, into a new string. */
static int get(const struct sched_trace *trace, const char *name, char **out)
{
	int fd = open_file(trace, name, O_RDONLY);
	size_t size = 0;
	ssize_t got = 1;

	if (fd < 0)
		return fd;
	*out = malloc(TEXT_MAX);
	while (*out && size < TEXT_MAX - 1 &&
	       (got = read(fd, *out + size, TEXT_MAX - 1 - size)) > 0)
		size += (size_t)got;
	close(fd);
	if (!*out)
		return -ENOMEM;
	if (got < 0 || size == TEXT_MAX - 1) {
		free(*out);
		return got < 0 ? -EIO : -EFBIG;
	}
	(*out)[size] = '\0';
	return 0;
}

/* ---- layouts ---- */

/* Offset and size of the field whose declaration ends with " @name;". */
static int parse_header_field(const char *text, const char *name, unsigned int *offset,
			      unsigned int *size)
{
	char declaration[32];
	const char *at;

	snprintf(declaration, sizeof(declaration), " %s;", name);
	at = strstr(text, declaration);
	if (!at || sscanf(at + strlen(declaration), " offset:%u; size:%u;", offset, size) != 2)
		return -EPROTO;
	return 0;
}

static int load_page_layout(struct sched_trace *trace)
{
	unsigned int commit, commit_bytes, data, data_bytes;
	char *text;
	int err = get(trace, "events/header_page", &text);

	if (err)
		return err;
	err = parse_header_field(text, "commit", &commit, &commit_bytes);
	if (!err)
		err = parse_header_field(text, "data", &data, &data_bytes);
	free(text);
	if (err)
		return err;
	trace->page_bytes = data + data_bytes;
	trace->long_size = commit_bytes == 4 ? KBUFFER_LSIZE_4 : KBUFFER_LSIZE_8;
	tep_set_long_size(trace->formats, (int)commit_bytes);
	return 0;
}

static int find_fields(struct known_event *known)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];
		struct tep_format_field *field;

		if (strcmp(place->event, known->event->name) != 0)
			continue;
		field = tep_find_field(known->event, place->field);
		if (!field || field->size != sizeof(int))
			return -EPROTO;
		known->fields[known->n_fields] = field;
		known->offsets[known->n_fields++] = place->offset;
	}
	known->current = tep_find_common_field(known->event, "common_pid");
	known->state = tep_find_field(known->event, "prev_state");
	if (!known->current || (known->kind == SCHED_TRACE_SWITCH && !known->state))
		return -EPROTO;
	return 0;
}

static int load_event(struct sched_trace *trace, const char *system, const char *name)
{
	struct known_event *known = &trace->events[trace->n_events];
	char path[256], *text;
	int err;

	snprintf(path, sizeof(path), "events/%s/%s/format", system, name);
	err = get(trace, path, &text);
	if (err)
		return err;
	err = tep_parse_event(trace->formats, text, strlen(text), system) ? -EPROTO : 0;
	free(text);
	*known = (struct known_event){.kind = SCHED_TRACE_OTHER};
	known->event = err ? NULL : tep_find_event_by_name(trace->formats, system, name);
	if (!known->event)
		return -EPROTO;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(system, "sched") && !strcmp(kinds[i].event, name))
			known->kind = kinds[i].kind;
	trace->n_events++;
	return find_fields(known);
}

/* Loads and enables "NAME" or "SYSTEM:NAME". */
static int add_event(struct sched_trace *trace, const char *wanted)
{
	const char *colon = strchr(wanted, ':'), *name = colon ? colon + 1 : wanted;
	char system[64], path[256];
	int err;

	if (trace->n_events == EVENTS_MAX)
		return -E2BIG;
	snprintf(system, sizeof(system), "%.*s", colon ? (int)(colon - wanted) : 5,
		 colon ? wanted : "sched");
	err = load_event(trace, system, name);
	if (!err) {
		snprintf(path, sizeof(path), "events/%s/%s/enable", system, name);
		err = put(trace, path, "1");
	}
	if (err == -ENOENT || err == -EPROTO)
		err = -EOPNOTSUPP;
	if (err)
		snprintf(trace->reason, sizeof(trace->reason),
			 "the tracepoint %s:%s cannot be recorded: %s", system, name,
			 err == -EOPNOTSUPP ? "this kernel has none that is understood"
					    : strerror(-err));
	return err;
}

/* ---- opening ---- */

static int prepare(struct sched_trace *trace, const char *const *events, unsigned int buffer_kib)
{
	char size[16];
	int err;

	snprintf(size, sizeof(size), "%u", buffer_kib);
	err = put(trace, "tracing_on", "0");
	if (!err)
		err = load_page_layout(trace);
	if (!err)
		err = put(trace, "buffer_size_kb", size);
	if (err) {
		snprintf(trace->reason, sizeof(trace->reason), "cannot record in %.150s: %s",
			 trace->directory, strerror(-err));
		return err;
	}
	err = put(trace, "trace_clock", "mono");
	if (err) {
		snprintf(trace->reason, sizeof(trace->reason),
			 "this kernel does not trace by CLOCK_MONOTONIC: %s", strerror(-err));
		return err == -EINVAL ? -EOPNOTSUPP : err;
	}
	for (; !err && *events; events++)
		err = add_event(trace, *events);
	return err;
}

int sched_trace_open(struct sched_trace **trace_out, const char *directory,
		     const char *const *events, unsigned int buffer_kib, const char **reason)
{
	struct sched_trace *trace = calloc(1, sizeof(*trace));
	int err;

	*trace_out = trace;
	*reason = "out of memory";
	if (!trace)
		return -ENOMEM;
	*reason = trace->reason;
	if (!directory) {
		snprintf(trace->reason, sizeof(trace->reason),
			 "there is no tracefs to record in: it takes root, and a kernel with "
			 "CONFIG_FTRACE and CONFIG_ENABLE_DEFAULT_TRACERS or a tracer");
		return -EOPNOTSUPP;
	}
	trace->formats = tep_alloc();
	if (!trace->formats)
		return -ENOMEM;
	err = snprintf(trace->directory, sizeof(trace->directory), "%s", directory) >=
			      (int)sizeof(trace->directory)
		      ? -ENAMETOOLONG
		      : prepare(trace, events, buffer_kib);
	return err;
}

static void close_readers(struct sched_trace *trace)
{
	for (size_t i = 0; i < trace->n_readers; i++) {
		struct cpu_reader *reader = &trace->readers[i];

		if (reader->fd >= 0)
			close(reader->fd);
		kbuffer_free(reader->buffer);
		free(reader->page);
	}
	free(trace->readers);
	trace->readers = NULL;
	trace->n_readers = 0;
}

void sched_trace_close(struct sched_trace *trace)
{
	if (!trace)
		return;
	if (trace->n_events)
		put(trace, "tracing_on", "0");
	close_readers(trace);
	tep_free(trace->formats);
	free(trace);
}

int sched_trace_start(struct sched_trace *trace)
{
	int err = put(trace, "tracing_on", "0");

	if (!err)
		err = put(trace, "trace", ""); /* opened to be truncated: all is forgotten */
	return err ? err : put(trace, "tracing_on", "1");
}

int sched_trace_stop(struct sched_trace *trace)
{
	return put(trace, "tracing_on", "0");
}

/* ---- reading ---- */

/* Makes the next event of @reader there is the current one. 0, or a negative errno. */
static int advance(struct sched_trace *trace, struct cpu_reader *reader)
{
	reader->raw = reader->raw ? kbuffer_next_event(reader->buffer, &reader->at_ns) : NULL;
	while (!reader->raw) {
		ssize_t got = read(reader->fd, reader->page, trace->page_bytes);
		int missed;

		if (got < 0 && errno == EINTR)
			continue;
		if (!got || (got < 0 && errno == EAGAIN))
			return 0;
		if (got < 0)
			return -errno;
		if ((size_t)got != trace->page_bytes ||
		    kbuffer_load_subbuffer(reader->buffer, reader->page) ||
		    kbuffer_subbuffer_size(reader->buffer) > (int)trace->page_bytes)
			return -EPROTO;
		missed = kbuffer_missed_events(reader->buffer);
		reader->missed += missed < 0 ? 1 : (uint64_t)missed;
		reader->raw = kbuffer_read_event(reader->buffer, &reader->at_ns);
	}
	return 0;
}

static int open_reader(struct sched_trace *trace, int cpu)
{
	struct cpu_reader *readers =
		realloc(trace->readers, (trace->n_readers + 1) * sizeof(*readers));
	struct cpu_reader *reader;
	char name[64];

	if (!readers)
		return -ENOMEM;
	trace->readers = readers;
	reader = &readers[trace->n_readers++];
	snprintf(name, sizeof(name), "per_cpu/cpu%d/trace_pipe_raw", cpu);
	*reader = (struct cpu_reader){.cpu = cpu};
	reader->fd = open_file(trace, name, O_RDONLY | O_NONBLOCK);
	reader->buffer = kbuffer_alloc(trace->long_size, KBUFFER_ENDIAN_SAME_AS_HOST);
	reader->page = malloc(trace->page_bytes);
	if (reader->fd < 0)
		return reader->fd;
	if (!reader->buffer || !reader->page)
		return -ENOMEM;
	return advance(trace, reader);
}

static int compare_readers(const void *left, const void *right)
{
	return ((const struct cpu_reader *)left)->cpu - ((const struct cpu_reader *)right)->cpu;
}

static int open_readers(struct sched_trace *trace)
{
	char path[PATH_MAX + 16];
	struct dirent *entry;
	DIR *directory;
	int err = 0;

	snprintf(path, sizeof(path), "%s/per_cpu", trace->directory);
	directory = opendir(path);
	if (!directory)
		return -errno;
	while (!err && (entry = readdir(directory))) {
		int cpu;

		if (sscanf(entry->d_name, "cpu%d", &cpu) == 1)
			err = open_reader(trace, cpu);
	}
	closedir(directory);
	if (trace->n_readers)
		qsort(trace->readers, trace->n_readers, sizeof(*trace->readers), compare_readers);
	return err;
}

/* The numbers behind the names of what a CPU's buffer has not kept. */
static int count_lost(const struct sched_trace *trace, int cpu, uint64_t *lost)
{
	static const char *const names[] = {"overrun: ", "commit overrun: ", "dropped events: "};
	char name[64], *text;
	int err;

	snprintf(name, sizeof(name), "per_cpu/cpu%d/stats", cpu);
	err = get(trace, name, &text);
	*lost = 0;
	for (size_t i = 0; !err && i < 3; i++) {
		/* A line's beginning: "commit overrun" is not "overrun". */
		const char *at = text, *found = NULL;

		while (!found && (at = strstr(at, names[i]))) {
			if (at == text || at[-1] == '\n')
				found = at + strlen(names[i]);
			at++;
		}
		if (found)
			*lost += strtoull(found, NULL, 10);
		else
			err = -EPROTO;
	}
	if (err != -EPROTO && err)
		return err;
	free(text);
	return err;
}

char sched_trace_state(uint64_t prev_state, bool *is_preempted)
{
	/* TASK_REPORT's bits from the lowest; the one above says that it was preempted. */
	static const char letters[] = "SDTtXZPI";

	if (is_preempted)
		*is_preempted = prev_state & 0x100;
	for (int bit = 0; bit < 8; bit++)
		if (prev_state & (1u << bit))
			return letters[bit];
	return 'R';
}

static struct known_event *find_known(struct sched_trace *trace, void *raw)
{
	struct tep_record record = {.data = raw};
	int id = tep_data_type(trace->formats, &record);

	for (size_t i = 0; i < trace->n_events; i++)
		if (trace->events[i].event->id == id)
			return &trace->events[i];
	return NULL;
}

static void decode(const struct known_event *known, const struct cpu_reader *reader,
		   struct sched_trace_record *record)
{
	unsigned long long value = 0;

	*record = (struct sched_trace_record){.at_ns = reader->at_ns,
					      .cpu = reader->cpu,
					      .kind = known->kind,
					      .from_cpu = -1,
					      .to_cpu = -1,
					      .prev_state = 'R',
					      .name = known->event->name,
					      .event = known->event,
					      .raw = reader->raw};
	for (size_t i = 0; i < known->n_fields; i++) {
		tep_read_number_field(known->fields[i], reader->raw, &value);
		*(int *)((char *)record + known->offsets[i]) = (int)value;
	}
	tep_read_number_field(known->current, reader->raw, &value);
	record->current_pid = (pid_t)value;
	if (known->kind != SCHED_TRACE_SWITCH)
		return;
	tep_read_number_field(known->state, reader->raw, &value);
	record->prev_state = sched_trace_state(value, &record->is_preempted);
}

int sched_trace_field(const struct sched_trace_record *record, const char *name, int64_t *value)
{
	struct tep_format_field *field = tep_find_any_field(record->event, name);
	unsigned long long number;

	if (!field || tep_read_number_field(field, record->raw, &number))
		return -ENOENT;
	*value = (int64_t)number;
	if ((field->flags & TEP_FIELD_IS_SIGNED) && field->size < 8) {
		int unused_bits = 64 - field->size * 8;

		*value = (int64_t)(number << unused_bits) >> unused_bits;
	}
	return 0;
}

/* The reader whose next event is the oldest; NULL: there is none left. */
static struct cpu_reader *oldest(const struct sched_trace *trace)
{
	struct cpu_reader *found = NULL;

	for (size_t i = 0; i < trace->n_readers; i++) {
		struct cpu_reader *reader = &trace->readers[i];

		if (reader->raw && (!found || reader->at_ns < found->at_ns))
			found = reader;
	}
	return found;
}

static int visit_all(struct sched_trace *trace, sched_trace_visitor visit, void *context)
{
	struct sched_trace_record record;
	struct cpu_reader *reader;
	int err = 0;

	while (!err && (reader = oldest(trace))) {
		const struct known_event *known = find_known(trace, reader->raw);

		if (known) {
			decode(known, reader, &record);
			err = visit(context, &record);
		}
		if (!err)
			err = advance(trace, reader);
	}
	return err;
}

int sched_trace_read(struct sched_trace *trace, sched_trace_visitor visit, void *context,
		     uint64_t *lost)
{
	int err = sched_trace_stop(trace);

	*lost = 0;
	if (!err)
		err = open_readers(trace);
	if (!err)
		err = visit_all(trace, visit, context);
	for (size_t i = 0; !err && i < trace->n_readers; i++) {
		const struct cpu_reader *reader = &trace->readers[i];
		uint64_t counted;

		err = count_lost(trace, reader->cpu, &counted);
		/* Both tell of the same events: a page of what went before it, and the total. */
		*lost += counted > reader->missed ? counted : reader->missed;
	}
	close_readers(trace);
	return err;
}
