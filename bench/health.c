// SPDX-License-Identifier: GPL-2.0-only
#include "bench/health.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/files.h"

#define REPORTS_MAX	  64 /* one is enough to spoil a boot; a flood must not fill a disk */
#define STUCK_MAX	  32
#define SETTLE_TRIES	  50
#define SETTLE_NS	  20000000 /* × SETTLE_TRIES: one second */
#define BOOKS_NS	  100000000
#define BOOKS_READS	  10
#define SCHED_DEBUG_BYTES (64 << 20)
#define KMSG_RECORD_BYTES 65536 /* a record is never longer than a page and some */

struct stuck_task {
	int tid;
	char name[32];
};

/* Who sleeps uninterruptibly, and what the runqueues count of it. */
struct blocked {
	struct stuck_task tasks[STUCK_MAX];
	size_t n_tasks; /* may exceed STUCK_MAX: they are counted, not named */
	bool has_sum;
	long long sum; /* of nr_uninterruptible over the runqueues; one may well be negative */
};

struct health {
	char root[PATH_MAX];
	int log_fd;
	uint64_t taint;
	bool is_whole_boot;
	struct blocked blocked;
};

/* ---- the kernel's log ---- */

/* A line that begins so is a report … */
static const char *const report_beginnings[] = {
	"WARNING: ", /* warnings and, with its own words behind it, lockdep */
	"BUG: ",     /* KASAN, KCSAN, scheduling while atomic, null pointers, locks held … */
	"[ BUG: ",   /* lockdep's invalid wait context */
	"kernel BUG at ",
	"Oops",
	"Kernel panic",
	"general protection fault",
	"Unable to handle kernel",
	"Internal error: ",
	"UBSAN: ",
	"KFENCE: ",
	"INFO: task ",
	"INFO: trying to register non-static key",
	"INFO: possible ",
	"list_add corruption",
	"list_del corruption",
	"refcount_t: ",
	"ODEBUG: ",
	"DEBUG_LOCKS_WARN_ON(",
	"unregister_netdevice: waiting for",
	"double fault: ",
	"stack segment: ",
	"invalid opcode: ",
	"divide error: ",
	"traps: PANIC",
	NULL,
};

/* … and so is one that has this anywhere. */
static const char *const report_parts[] = {
	"BUG: soft lockup",	 "hard LOCKUP",		"detected stalls on",
	"self-detected stall",	 "kthread starved for", "detected expedited stalls",
	"blocked for more than", "kernel BUG at ",	NULL,
};

/* Behind "<4>", "[    1.234567]" and "[    1.234567][  T123]", "rcu: " and "watchdog: ". */
static const char *skip_prefixes(const char *line)
{
	static const char *const speakers[] = {
		"rcu: ", "watchdog: ", "sched: ", "x86/split lock detection: "};
	const char *end;

	if (*line == '<' && isdigit((unsigned char)line[1]) && (end = strchr(line, '>')))
		line = end + 1;
	while (*line == '[') {
		const char *inside = line + 1 + strspn(line + 1, " ");

		if (!isdigit((unsigned char)*inside) && *inside != 'T' && *inside != 'C')
			break;
		inside += 1 + strspn(inside + 1, "0123456789.");
		inside += strspn(inside, " ");
		if (*inside != ']')
			break;
		line = inside + 1 + strspn(inside + 1, " ");
	}
	for (size_t i = 0; i < sizeof(speakers) / sizeof(*speakers); i++)
		if (!strncmp(line, speakers[i], strlen(speakers[i])))
			return line + strlen(speakers[i]);
	return line;
}

int health_is_report_line(const char *line)
{
	const char *text = skip_prefixes(line);

	for (const char *const *beginning = report_beginnings; *beginning; beginning++)
		if (!strncmp(text, *beginning, strlen(*beginning)))
			return 1;
	/* The command line may have any words in it. */
	if (strstr(text, "ommand line: "))
		return 0;
	for (const char *const *part = report_parts; *part; part++)
		if (strstr(text, *part))
			return 1;
	return 0;
}

static void add_report(struct json_object *reports, const char *text)
{
	if (json_object_array_length(reports) < REPORTS_MAX)
		json_object_array_add(reports, json_object_new_string(text));
}

/*
 * One line of /dev/kmsg: "priority,sequence,microseconds,flags;text". What user space
 * wrote there carries a facility (priority above 7) and is not the kernel's word;
 * lines that begin with a blank are a record's keys.
 */
static void take_log_line(struct json_object *reports, const char *line)
{
	const char *text = strchr(line, ';');

	if (*line == ' ' || !text || strtoul(line, NULL, 10) > 7)
		return;
	if (health_is_report_line(text + 1))
		add_report(reports, text + 1);
}

/* Reads what came since the beginning. A device gives one record per read, a recorded file many. */
static void read_log(int fd, struct json_object *reports)
{
	char *buffer = malloc(KMSG_RECORD_BYTES + 1), *save = NULL;
	unsigned long lost = 0;
	size_t kept = 0;
	char text[96];

	while (buffer) {
		ssize_t got = read(fd, buffer + kept, KMSG_RECORD_BYTES - kept);
		char *end;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 &&
		    errno == EPIPE) { /* the ring was overwritten; go on with what is left */
			lost++;
			continue;
		}
		if (got <= 0)
			break;
		buffer[kept + (size_t)got] = '\0';
		end = strrchr(buffer, '\n');
		if (!end) {
			kept = 0; /* a record ends with a newline: this is none */
			continue;
		}
		*end++ = '\0';
		for (char *line = strtok_r(buffer, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			take_log_line(reports, line);
		kept = strlen(end);
		memmove(buffer, end, kept + 1);
	}
	free(buffer);
	if (!lost)
		return;
	snprintf(text, sizeof(text), "the kernel's log overflowed %lu times: lines were lost",
		 lost);
	add_report(reports, text);
}

/* ---- blocked tasks ---- */

/* Adds the thread whose stat is at @path if it sleeps uninterruptibly. */
static void look_at_thread(struct blocked *blocked, const char *path)
{
	char line[512], *name, *name_end;

	if (read_line(path, line, sizeof(line)))
		return; /* it ended meanwhile */
	name = strchr(line, '(');
	name_end = strrchr(line, ')');
	if (!name || !name_end || name_end[1] != ' ' || name_end[2] != 'D')
		return;
	if (blocked->n_tasks < STUCK_MAX) {
		struct stuck_task *task = &blocked->tasks[blocked->n_tasks];

		*name_end = '\0';
		task->tid = atoi(line);
		snprintf(task->name, sizeof(task->name), "%s", name + 1);
	}
	blocked->n_tasks++;
}

static void look_at_process(struct blocked *blocked, const char *root, const char *pid)
{
	char folder[PATH_MAX + 64], path[PATH_MAX + 512];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/proc/%s/task", root, pid);
	dir = opendir(folder);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s/stat", folder, entry->d_name);
		look_at_thread(blocked, path);
	}
	closedir(dir);
}

/* The scheduler's debug file prints one nr_uninterruptible per CPU; only their sum means anything.
 */
static bool sum_uninterruptible(const char *root, long long *sum)
{
	static const char *const places[] = {"/sys/kernel/debug/sched/debug", "/proc/sched_debug"};
	static const char key[] = ".nr_uninterruptible";
	char path[PATH_MAX + 64], *text = NULL;
	bool found = false;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !text; i++) {
		snprintf(path, sizeof(path), "%s%s", root, places[i]);
		if (read_file(path, SCHED_DEBUG_BYTES, &text, NULL))
			text = NULL;
	}
	*sum = 0;
	for (const char *line = text; line && (line = strstr(line, key));) {
		line += strlen(key);
		line += strspn(line, " :");
		*sum += strtoll(line, NULL, 10);
		found = true;
	}
	free(text);
	return found;
}

static void look_at_blocked(struct blocked *blocked, const char *root)
{
	char path[PATH_MAX + 16];
	struct dirent *entry;
	DIR *dir;

	*blocked = (struct blocked){0};
	blocked->has_sum = sum_uninterruptible(root, &blocked->sum);
	snprintf(path, sizeof(path), "%s/proc", root);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name))
			look_at_process(blocked, root, entry->d_name);
	closedir(dir);
}

/* How much more the runqueues count than there is. */
static long long excess(const struct blocked *blocked)
{
	return blocked->has_sum ? blocked->sum - (long long)blocked->n_tasks : 0;
}

static int by_size(const void *a, const void *b)
{
	long long left = *(const long long *)a, right = *(const long long *)b;

	return (left > right) - (left < right);
}

bool health_excess_uninterruptible(const char *root, long long *median)
{
	const struct timespec pause = {.tv_nsec = BOOKS_NS / BOOKS_READS};
	long long seen[BOOKS_READS];

	for (int i = 0; i < BOOKS_READS; i++) {
		struct blocked blocked;

		look_at_blocked(&blocked, root);
		if (!blocked.has_sum)
			return false;
		seen[i] = excess(&blocked);
		nanosleep(&pause, NULL);
	}
	qsort(seen, BOOKS_READS, sizeof(*seen), by_size);
	*median = seen[BOOKS_READS / 2];
	return true;
}

static bool was_there(const struct blocked *before, int tid)
{
	for (size_t i = 0; i < before->n_tasks && i < STUCK_MAX; i++)
		if (before->tasks[i].tid == tid)
			return true;
	return before->n_tasks > STUCK_MAX; /* too many to name: none can be called new */
}

static size_t count_newly_stuck(const struct blocked *before, const struct blocked *after)
{
	size_t count = 0;

	for (size_t i = 0; i < after->n_tasks && i < STUCK_MAX; i++)
		count += !was_there(before, after->tasks[i].tid);
	return count;
}

/* A recorded machine does not change while one waits for it. */
static bool pause_to_settle(const char *root)
{
	const struct timespec pause = {.tv_nsec = SETTLE_NS};

	if (*root)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

/* The count and the list are not read at one moment: look again before believing that they differ.
 */
static void look_before(struct blocked *blocked, const char *root)
{
	for (int i = 0; i < 3; i++) {
		look_at_blocked(blocked, root);
		if (!excess(blocked) || !pause_to_settle(root))
			return;
	}
}

static void look_after(const struct health *health, struct blocked *after)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		look_at_blocked(after, health->root);
		if (!count_newly_stuck(&health->blocked, after) &&
		    (!after->has_sum || excess(after) == excess(&health->blocked)))
			return;
		if (!pause_to_settle(health->root))
			return;
	}
}

/* ---- the interface ---- */

static uint64_t read_taint(const char *root)
{
	char path[PATH_MAX + 64], line[32];

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/tainted", root);
	return read_line(path, line, sizeof(line)) ? 0 : strtoull(line, NULL, 10);
}

/* A foreign and an unsigned module: the lock laboratory is both, and workloads load it themselves.
 */
#define MODULE_TAINTS (UINT64_C(1) << 12 | UINT64_C(1) << 13)

/*
 * The taint of a kernel that has already gone wrong. Foreign modules, firmware's faults and the
 * like spoil no measurement.
 */
static const struct {
	unsigned int bit;
	const char *what;
} bad_taints[] = {
	{4, "a machine check"}, {5, "a bad page"},     {7, "an oops"},
	{9, "a warning"},	{14, "a soft lockup"},
};

static void report_bad_taint(struct json_object *reports, uint64_t taint)
{
	for (size_t i = 0; i < sizeof(bad_taints) / sizeof(*bad_taints); i++) {
		char text[96];

		if (!(taint >> bad_taints[i].bit & 1))
			continue;
		snprintf(text, sizeof(text),
			 "the kernel was tainted by %s before the measurement began",
			 bad_taints[i].what);
		add_report(reports, text);
	}
}

int health_begin_at(struct health **out, const char *root, bool is_whole_boot)
{
	struct health *health = calloc(1, sizeof(*health));
	char path[PATH_MAX + 64];

	if (!health)
		return -ENOMEM;
	snprintf(health->root, sizeof(health->root), "%s", root);
	snprintf(path, sizeof(path), "%s/dev/kmsg", root);
	health->log_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	health->is_whole_boot = is_whole_boot;
	/* Of a whole boot the log is read from its start, but afterwards: it costs time. */
	if (health->log_fd >= 0 && !is_whole_boot && lseek(health->log_fd, 0, SEEK_END) < 0) {
		close(health->log_fd);
		health->log_fd = -1;
	}
	health->taint = read_taint(root);
	look_before(&health->blocked, root);
	*out = health;
	return 0;
}

int health_begin(struct health **health, bool is_whole_boot)
{
	return health_begin_at(health, "", is_whole_boot);
}

static struct json_object *stuck_to_json(const struct blocked *before, const struct blocked *after)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < after->n_tasks && i < STUCK_MAX; i++)
		if (!was_there(before, after->tasks[i].tid))
			json_object_array_add(list, json_object_new_string(after->tasks[i].name));
	return list;
}

struct json_object *health_end(struct health *health)
{
	struct json_object *object, *reports, *stuck, *leak = NULL;
	uint64_t taint_after;
	struct blocked after;
	bool clean;

	if (!health)
		return NULL;
	look_after(health, &after);
	object = json_object_new_object();
	reports = json_object_new_array();
	if (health->log_fd >= 0)
		read_log(health->log_fd, reports);
	if (health->is_whole_boot)
		report_bad_taint(reports, health->taint);
	taint_after = read_taint(health->root);
	stuck = stuck_to_json(&health->blocked, &after);
	clean = !json_object_array_length(reports) &&
		!(taint_after & ~(health->taint | MODULE_TAINTS)) &&
		!json_object_array_length(stuck);
	if (health->blocked.has_sum && after.has_sum) {
		leak = json_object_new_int64(excess(&after) - excess(&health->blocked));
		clean &= !json_object_get_int64(leak);
	}
	json_object_object_add(object, "clean", json_object_new_boolean(clean));
	json_object_object_add(object, "taint_before",
			       json_object_new_int64((int64_t)health->taint));
	json_object_object_add(object, "taint_after", json_object_new_int64((int64_t)taint_after));
	json_object_object_add(object, "reports", reports);
	json_object_object_add(object, "log_readable",
			       json_object_new_boolean(health->log_fd >= 0));
	json_object_object_add(object, "stuck_tasks", stuck);
	json_object_object_add(object, "uninterruptible_leak", leak);
	if (health->log_fd >= 0)
		close(health->log_fd);
	free(health);
	return object;
}
