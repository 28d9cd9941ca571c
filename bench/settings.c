// SPDX-License-Identifier: GPL-2.0-only
#include "bench/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/files.h"
#include "measure/clock.h"
#include "reports/json_strict.h"

#define JOURNAL_MAX_BYTES  (4 << 20)
#define VALUE_MAX_BYTES	   4096 /* a page: what /proc and /sys take at once */
#define CGROUP_DEADLINE_NS (10 * NS_PER_S)
#define CGROUP_POLL_MS	   100

/* This process's hold on the journal: a lock is the process's, so is its handle. */
static int journal_fd = -1;
static pid_t journal_pid; /* a child after fork has the handle and not the lock */

static const char *const event_names[SETTINGS_KINDS] = {
	[SETTINGS_VALUE] = "set",
	[SETTINGS_CGROUP] = "cgroup",
	[SETTINGS_DIRECTORY] = "directory",
	[SETTINGS_MOUNT] = "mount",
};

char *settings_journal_path(void)
{
	const char *named = getenv("PROXEVAL_SETTINGS"), *runtime = getenv("XDG_RUNTIME_DIR");

	if (named && *named)
		return format_string("%s", named);
	if (geteuid() && runtime && *runtime)
		return format_string("%s/proxeval/settings.jsonl", runtime);
	return format_string("/run/proxeval/settings.jsonl");
}

/* ---- the journal ---- */

/*
 * A record lock, not flock(): that one belongs to the open file, so a forked worker
 * that outlives a killed runner would still hold it, and restore could never begin.
 */
static int lock_journal(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (!fcntl(fd, F_SETLK, &lock))
		return 0;
	return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

int settings_owner(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *path = settings_journal_path();
	int fd, pid = 0;

	if (journal_fd >= 0 && journal_pid == getpid()) {
		free(path); /* to open and close it here would drop the lock */
		return journal_pid;
	}
	fd = path ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd >= 0 && !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	if (fd >= 0)
		close(fd);
	free(path);
	return pid;
}

/* Whoever can write the journal decides what root writes where: it must be this user's alone. */
static int check_ownership(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	if (status.st_uid != geteuid() || (status.st_mode & 022))
		return -EPERM;
	return 0;
}

/*
 * Opens and locks the journal. The name may have been removed by the process that
 * had the lock before, between our open and our lock: then it is done again.
 */
static int open_journal(const char *path, int flags, int *out)
{
	struct stat by_name, by_handle;
	int fd, err;

	for (;;) {
		fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
		if (fd < 0)
			return -errno;
		err = check_ownership(fd);
		if (!err)
			err = lock_journal(fd);
		if (err) {
			close(fd);
			return err;
		}
		if (!fstat(fd, &by_handle) && !stat(path, &by_name) &&
		    by_handle.st_ino == by_name.st_ino && by_handle.st_dev == by_name.st_dev) {
			*out = fd;
			return 0;
		}
		close(fd);
	}
}

static int append(int fd, struct json_object *record)
{
	const char *text = json_object_to_json_string_ext(
		record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *line = text ? format_string("%s\n", text) : NULL;
	size_t length = line ? strlen(line) : 0;
	off_t before = lseek(fd, 0, SEEK_END);
	int err = 0;

	if (!line)
		return -ENOMEM;
	if (write(fd, line, length) != (ssize_t)length || fsync(fd)) {
		err = errno ? -errno : -EIO;
		if (ftruncate(fd, before)) /* a torn last line is ignored anyway */
			err = -EIO;
	}
	free(line);
	return err;
}

static struct json_object *new_record(const char *event, const char *path)
{
	struct json_object *record = json_object_new_object();

	json_object_object_add(record, "event", json_object_new_string(event));
	if (path)
		json_object_object_add(record, "path", json_object_new_string(path));
	return record;
}

static int append_begin(int fd)
{
	struct json_object *record = new_record("begin", NULL);
	int err;

	json_object_object_add(record, "pid", json_object_new_int(getpid()));
	err = append(fd, record);
	json_object_put(record);
	return err;
}

/* ---- putting back ---- */

static int write_value(const char *path, const char *value)
{
	/* With a newline: an empty value (a cpuset's "any CPU") would be no write at all. */
	char *line = format_string("%s\n", value);
	size_t length = line ? strlen(line) : 0;
	int fd, err = 0;

	if (!line)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	/* One write: the kernel takes each as a whole setting. */
	errno = 0;
	if (write(fd, line, length) != (ssize_t)length)
		err = errno ? -errno : -EIO;
	if (close(fd) && !err)
		err = -errno;
out:
	free(line);
	return err;
}

static bool is_populated(const char *path)
{
	char *events = format_string("%s/cgroup.events", path), *text = NULL;
	bool populated = events && !read_file(events, VALUE_MAX_BYTES, &text, NULL) &&
			 strstr(text, "populated 1");

	free(text);
	free(events);
	return populated;
}

/* cgroup.events becomes readable with priority when it changes; the time-out is only for a lost
 * race. */
static int wait_until_empty(const char *path)
{
	uint64_t deadline_ns = clock_now_ns() + CGROUP_DEADLINE_NS;
	char *events = format_string("%s/cgroup.events", path);
	struct pollfd poll_fd = {.events = POLLPRI};
	int err = 0;

	poll_fd.fd = events ? open(events, O_RDONLY | O_CLOEXEC) : -1;
	while (poll_fd.fd >= 0 && is_populated(path)) {
		if (clock_now_ns() > deadline_ns) {
			err = -ETIMEDOUT;
			break;
		}
		poll(&poll_fd, 1, CGROUP_POLL_MS);
	}
	if (poll_fd.fd >= 0)
		close(poll_fd.fd);
	free(events);
	return err;
}

/* Removes a cgroup's children, deepest first, and then itself. */
static int remove_cgroup(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (entry = readdir(dir))) {
		char *child;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		child = format_string("%s/%s", path, entry->d_name);
		err = child ? remove_cgroup(child) : -ENOMEM;
		free(child);
	}
	closedir(dir);
	if (!err && rmdir(path) && errno != ENOENT)
		err = -errno;
	return err;
}

static int end_cgroup(const char *path)
{
	char *kill_path;
	int err;

	if (access(path, F_OK))
		return errno == ENOENT ? 0 : -errno;
	kill_path = format_string("%s/cgroup.kill", path);
	if (!kill_path)
		return -ENOMEM;
	err = write_value(kill_path, "1");
	free(kill_path);
	if (err && err != -ENOENT)
		return err;
	err = wait_until_empty(path);
	return err ? err : remove_cgroup(path);
}

static const char *member(struct json_object *record, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(record, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/* What the event of @record is about; SETTINGS_KINDS: none that is known. */
static enum settings_kind kind_of(struct json_object *record)
{
	const char *event = member(record, "event");
	enum settings_kind kind = SETTINGS_VALUE;

	while (kind < SETTINGS_KINDS && (!event || strcmp(event, event_names[kind]) != 0))
		kind++;
	return kind;
}

/* 0 also when it is gone already. */
static int put_back(enum settings_kind kind, const char *path, const char *old)
{
	int err;

	switch (kind) {
	case SETTINGS_CGROUP:
		return end_cgroup(path);
	case SETTINGS_DIRECTORY:
		err = rmdir(path) ? -errno : 0;
		break;
	case SETTINGS_MOUNT:
		err = umount2(path, UMOUNT_NOFOLLOW) ? -errno : 0;
		return err == -EINVAL ? 0 : err; /* it never came to be mounted */
	default:
		err = write_value(path, old);
	}
	return err == -ENOENT ? 0 : err;
}

static int undo(struct json_object *record, bool dry_run, settings_visitor visit, void *context)
{
	const char *path = member(record, "path"), *old = member(record, "old");
	enum settings_kind kind = kind_of(record);
	int err = dry_run ? 0 : put_back(kind, path, old);

	if (visit)
		visit(context, kind, path, old, err);
	return err;
}

static bool is_valid_record(struct json_object *record)
{
	const char *event = member(record, "event");
	enum settings_kind kind = kind_of(record);

	if (kind == SETTINGS_KINDS)
		return event && !strcmp(event, "begin");
	return member(record, "path") && (kind != SETTINGS_VALUE || member(record, "old"));
}

/* Parses the journal into an array of records. A last line without its newline was never acted on.
 */
static int read_journal(const char *text, struct json_object **out)
{
	struct json_object *records = json_object_new_array();
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		struct json_object *record = NULL;
		char *line = strndup(text, (size_t)(end - text)), problem[200];

		if (line)
			record = json_strict_parse(line, strlen(line), problem, sizeof(problem));
		free(line);
		if (!record || !is_valid_record(record)) {
			json_object_put(record);
			json_object_put(records);
			return -EBADMSG;
		}
		json_object_array_add(records, record);
	}
	*out = records;
	return 0;
}

static int read_whole(int fd, char **out)
{
	struct stat status;
	ssize_t got;

	if (fstat(fd, &status))
		return -errno;
	if (status.st_size > JOURNAL_MAX_BYTES)
		return -EFBIG;
	*out = calloc(1, (size_t)status.st_size + 1);
	if (!*out)
		return -ENOMEM;
	got = pread(fd, *out, (size_t)status.st_size, 0);
	if (got < 0) {
		free(*out);
		return -errno;
	}
	return 0;
}

/* Undoes what an open journal says, last first. How many there were, or the first error. */
static int undo_journal(int fd, bool dry_run, settings_visitor visit, void *context)
{
	struct json_object *records;
	int count = 0, first_err = 0, err;
	char *text = NULL;

	err = read_whole(fd, &text);
	if (err)
		return err;
	err = read_journal(text, &records);
	free(text);
	if (err)
		return err;
	for (size_t i = json_object_array_length(records); i-- > 0;) {
		struct json_object *record = json_object_array_get_idx(records, i);

		if (!strcmp(member(record, "event"), "begin"))
			continue;
		err = undo(record, dry_run, visit, context);
		if (err && !first_err)
			first_err = err;
		count++;
	}
	json_object_put(records);
	return first_err ? first_err : count;
}

/* ---- the interface ---- */

int settings_restore_abandoned(bool dry_run, settings_visitor visit, void *context)
{
	char *path = settings_journal_path();
	int fd, count;

	if (!path)
		return -ENOMEM;
	if (journal_fd >= 0 && journal_pid == getpid()) {
		free(path);
		return -EBUSY;
	}
	count = open_journal(path, 0, &fd);
	if (count == -ENOENT) {
		free(path);
		return 0;
	}
	if (!count) {
		count = undo_journal(fd, dry_run, visit, context);
		if (count >= 0 && !dry_run && unlink(path))
			count = -errno;
		close(fd);
	}
	free(path);
	return count;
}

/* Takes the journal for this process; what another left in it is put back first. */
static int take_journal(void)
{
	char *path, *copy = NULL;
	int err;

	if (journal_fd >= 0 && journal_pid == getpid())
		return 0;
	if (journal_fd >= 0) /* after a fork: the parent's */
		return -EBUSY;
	path = settings_journal_path();
	copy = path ? strdup(path) : NULL;
	err = copy ? make_directories(dirname(copy)) : -ENOMEM;
	if (!err)
		err = open_journal(path, O_CREAT, &journal_fd);
	if (err)
		goto out;
	journal_pid = getpid();
	err = undo_journal(journal_fd, false, NULL, NULL);
	if (err >= 0)
		err = ftruncate(journal_fd, 0) ? -errno : append_begin(journal_fd);
	if (err) {
		close(journal_fd);
		journal_fd = -1;
	}
out:
	free(copy);
	free(path);
	return err;
}

/* What to write back: without the last newline, and of "always [madvise] never" the choice. */
static void extract_value(char *text)
{
	char *open_bracket, *close_bracket;

	text[strcspn(text, "\n")] = '\0';
	open_bracket = strchr(text, '[');
	close_bracket = open_bracket ? strchr(open_bracket, ']') : NULL;
	if (!close_bracket)
		return;
	*close_bracket = '\0';
	memmove(text, open_bracket + 1, strlen(open_bracket + 1) + 1);
}

/* Old values are only read when nothing abandoned is left to be put back before. */
static int take_abandoned_journal(void)
{
	char *path;
	int err = 0;

	if (journal_fd >= 0)
		return 0;
	path = settings_journal_path();
	if (!path)
		return -ENOMEM;
	if (!access(path, F_OK))
		err = take_journal();
	free(path);
	return err;
}

static int journal_value(const char *path, const char *old, const char *value)
{
	struct json_object *record;
	int err = take_journal();

	if (err)
		return err;
	record = new_record(event_names[SETTINGS_VALUE], path);
	json_object_object_add(record, "old", json_object_new_string(old));
	json_object_object_add(record, "new", json_object_new_string(value));
	err = append(journal_fd, record);
	json_object_put(record);
	return err;
}

/* What @path says now, as it would be written back; the caller frees it. */
static int read_value(const char *path, char **old)
{
	int err = take_abandoned_journal();

	if (!err)
		err = read_file(path, VALUE_MAX_BYTES, old, NULL);
	if (!err)
		extract_value(*old);
	return err;
}

int settings_set(const char *path, const char *value)
{
	char *old;
	int err = read_value(path, &old);

	if (err)
		return err;
	if (strcmp(old, value) != 0) {
		err = journal_value(path, old, value);
		if (!err)
			err = write_value(path, value);
	}
	free(old);
	return err;
}

int settings_keep(const char *path)
{
	char *old;
	int err = read_value(path, &old);

	if (err)
		return err;
	err = journal_value(path, old, old);
	free(old);
	return err;
}

int settings_note(enum settings_kind kind, const char *path)
{
	struct json_object *record;
	int err = take_journal();

	if (err)
		return err;
	record = new_record(event_names[kind], path);
	err = append(journal_fd, record);
	json_object_put(record);
	return err;
}

int settings_restore_all(void)
{
	char *path;
	int err;

	if (journal_fd < 0 || journal_pid != getpid())
		return 0;
	err = undo_journal(journal_fd, false, NULL, NULL);
	path = settings_journal_path();
	if (err >= 0 && path)
		err = unlink(path) ? -errno : 0;
	free(path);
	close(journal_fd);
	journal_fd = -1;
	return err < 0 ? err : 0;
}
