// SPDX-License-Identifier: GPL-2.0-only
#include "measure/sched_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A CPU and its domains are some 800 bytes; a machine of 1024 CPUs is below this. */
#define FIRST_BYTES 16384
#define MOST_BYTES  (4u << 20)

static bool is_wanted(int cpu, const int *cpus, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cpus[i] == cpu)
			return true;
	return false;
}

int sched_counts_parse(const char *text, const int *cpus, size_t n, struct sched_counts *counts)
{
	bool has_one = false;

	*counts = (struct sched_counts){0};
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		unsigned long long schedules, idle_picks, wakeups;
		int cpu;

		line += *line == '\n';
		if (sscanf(line, "cpu%d %*u %*u %llu %llu %llu", &cpu, &schedules, &idle_picks,
			   &wakeups) != 4 ||
		    !is_wanted(cpu, cpus, n))
			continue;
		counts->schedules += schedules;
		counts->idle_picks += idle_picks;
		counts->wakeups += wakeups;
		has_one = true;
	}
	return has_one ? 0 : -ENODATA;
}

/* All of the file as a string, which the caller frees; a seq_file comes in pieces. */
static int read_all(int fd, char **out)
{
	size_t room = FIRST_BYTES, used = 0;
	char *text = malloc(room), *grown;
	ssize_t got;

	while (text && (got = read(fd, text + used, room - used - 1)) != 0) {
		if (got < 0) {
			free(text);
			return -errno;
		}
		used += (size_t)got;
		if (room - used > 1)
			continue;
		room *= 2;
		grown = room > MOST_BYTES ? NULL : realloc(text, room);
		if (!grown)
			free(text);
		text = grown;
	}
	if (!text)
		return -ENOMEM;
	text[used] = '\0';
	*out = text;
	return 0;
}

int sched_counts_read(struct sched_counts *counts, const int *cpus, size_t n)
{
	int fd = open("/proc/schedstat", O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	int err;

	*counts = (struct sched_counts){0};
	if (fd < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	err = read_all(fd, &text);
	close(fd);
	if (err)
		return err;
	err = sched_counts_parse(text, cpus, n, counts);
	free(text);
	return err;
}
