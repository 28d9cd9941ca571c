// SPDX-License-Identifier: GPL-2.0-only
#include "measure/task_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A kernel's /proc/PID/sched is about 2 KiB; what follows the lines we want may be cut. */
#define TEXT_SIZE 4096

int task_look_parse_stat(const char *text, struct task_look *look)
{
	/* The name is in brackets and may hold anything: what counts follows the last one. */
	const char *rest = strrchr(text, ')');
	char *end;
	long cpu;

	if (!rest || rest[1] != ' ' || !rest[2])
		return -EINVAL;
	look->state = rest[2];
	/* Field 3 is the state, field 39 the CPU: a space before each. */
	rest++;
	for (int field = 3; field < 39; field++) {
		rest = strchr(rest + 1, ' ');
		if (!rest)
			return -EINVAL;
	}
	cpu = strtol(rest + 1, &end, 10);
	if (end == rest + 1 || cpu < 0)
		return -EINVAL;
	look->cpu = (int)cpu;
	return 0;
}

/* The text behind "@name   :", or NULL. */
static const char *value_of(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) || (line[length] != ' ' && line[length] != ':'))
			continue;
		line = strchr(line, ':');
		return line ? line + 1 : NULL;
	}
	return NULL;
}

/* "1310.447821" milliseconds, always with six digits, as nanoseconds. */
static int parse_ms(const char *text, uint64_t *out_ns)
{
	unsigned long long ms, ns;

	if (!text || sscanf(text, "%llu.%6llu", &ms, &ns) != 2)
		return -EINVAL;
	*out_ns = ms * UINT64_C(1000000) + ns;
	return 0;
}

/* Kernels without these lines leave the thread what it was taken for before: not fair. */
static void parse_fairness(const char *text, struct task_look *look)
{
	const char *policy = value_of(text, "policy"), *vruntime = value_of(text, "se.vruntime");
	unsigned int number;
	uint64_t size_ns;

	look->is_fair = false;
	look->vruntime_ns = 0;
	if (!policy || !vruntime || sscanf(policy, "%u", &number) != 1)
		return;
	vruntime += strspn(vruntime, " ");
	if (parse_ms(vruntime + (*vruntime == '-'), &size_ns))
		return;
	look->vruntime_ns = *vruntime == '-' ? -(int64_t)size_ns : (int64_t)size_ns;
	look->is_fair = number == SCHED_OTHER || number == SCHED_BATCH || number == SCHED_IDLE;
}

int task_look_parse_sched(const char *text, struct task_look *look)
{
	const char *switches = value_of(text, "nr_voluntary_switches");
	unsigned long long count;

	if (parse_ms(value_of(text, "se.exec_start"), &look->exec_start_ns) ||
	    parse_ms(value_of(text, "se.sum_exec_runtime"), &look->sum_exec_ns) || !switches ||
	    sscanf(switches, "%llu", &count) != 1)
		return -EINVAL;
	look->voluntary_switches = count;
	parse_fairness(text, look);
	return 0;
}

static int open_task_file(pid_t tid, const char *name)
{
	char path[64];
	int fd;

	/* /proc/TID is there for every thread, though not listed. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)tid, (int)tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int task_watch_begin(struct task_watch *watch, pid_t tid, int own_cpu)
{
	memset(watch, 0, sizeof(*watch));
	watch->own_cpu = own_cpu;
	watch->asleep = 'D';
	watch->sched_fd = -1;
	watch->stat_fd = open_task_file(tid, "stat");
	if (watch->stat_fd < 0)
		return watch->stat_fd;
	watch->sched_fd = open_task_file(tid, "sched");
	if (watch->sched_fd < 0) {
		int err = watch->sched_fd;

		task_watch_end(watch);
		return err;
	}
	return 0;
}

static int read_text(int fd, char text[TEXT_SIZE])
{
	ssize_t got = pread(fd, text, TEXT_SIZE - 1, 0);

	if (got < 0)
		return -errno;
	text[got] = '\0';
	return 0;
}

static int read_task_file(pid_t tid, const char *name, char text[TEXT_SIZE])
{
	int fd = open_task_file(tid, name), err;

	if (fd < 0)
		return fd;
	err = read_text(fd, text);
	close(fd);
	return err;
}

int task_state(pid_t tid, char *state)
{
	char text[TEXT_SIZE];
	struct task_look look;
	int err = read_task_file(tid, "stat", text);

	if (!err)
		err = task_look_parse_stat(text, &look);
	if (!err)
		*state = look.state;
	return err;
}

int task_pending_signals_parse(const char *text, uint64_t *signals)
{
	const char *value = value_of(text, "SigPnd");
	unsigned long long mask;

	if (!value || sscanf(value, "%llx", &mask) != 1)
		return -EINVAL;
	*signals = mask;
	return 0;
}

int task_pending_signals(pid_t tid, uint64_t *signals)
{
	char text[TEXT_SIZE];
	int err = read_task_file(tid, "status", text);

	return err ? err : task_pending_signals_parse(text, signals);
}

void task_watch_judge(struct task_watch *watch, const struct task_look *look)
{
	/*
	 * The state is set before the switch away, and the books are closed in between: only
	 * when the switch has been counted is the thread asleep.
	 */
	if (look->state != watch->asleep || look->voluntary_switches <= watch->switches_before)
		return;
	watch->looks++;
	if (look->cpu != watch->own_cpu)
		watch->is_moved = true;
	if (!watch->has_first || look->voluntary_switches != watch->first.voluntary_switches ||
	    look->sum_exec_ns != watch->first.sum_exec_ns) {
		watch->first = *look;
		watch->has_first = true;
		return;
	}
	watch->repeats++;
	if (look->exec_start_ns > watch->first.exec_start_ns &&
	    (!look->is_fair || look->vruntime_ns != watch->first.vruntime_ns))
		watch->is_charged = true;
}

int task_watch_read(const struct task_watch *watch, struct task_look *look)
{
	char text[TEXT_SIZE];
	int err;

	err = read_text(watch->sched_fd, text);
	if (!err)
		err = task_look_parse_sched(text, look);
	if (!err)
		err = read_text(watch->stat_fd, text);
	return err ? err : task_look_parse_stat(text, look);
}

/* The whole number behind "@name :" in the thread's /proc/…/sched. */
static int read_count(pid_t tid, const char *name, uint64_t *out)
{
	int fd = open_task_file(tid, "sched");
	char text[TEXT_SIZE];
	unsigned long long count;
	const char *value;
	int err;

	if (fd < 0)
		return fd;
	err = read_text(fd, text);
	close(fd);
	if (err)
		return err;
	value = value_of(text, name);
	if (!value || sscanf(value, "%llu", &count) != 1)
		return -ENODATA;
	*out = count;
	return 0;
}

int task_migrations(pid_t tid, uint64_t *migrations)
{
	return read_count(tid, "se.nr_migrations", migrations);
}

int task_priority(pid_t tid, uint64_t *priority)
{
	return read_count(tid, "prio", priority);
}

int task_watch_look(struct task_watch *watch, uint64_t switches_before)
{
	struct task_look look;
	int err = task_watch_read(watch, &look);

	if (err)
		return err;
	watch->switches_before = switches_before;
	task_watch_judge(watch, &look);
	return 0;
}

void task_watch_end(struct task_watch *watch)
{
	if (watch->stat_fd >= 0)
		close(watch->stat_fd);
	if (watch->sched_fd >= 0)
		close(watch->sched_fd);
	watch->stat_fd = watch->sched_fd = -1;
}
