// SPDX-License-Identifier: GPL-2.0-only
#include "measure/io_wait.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READINGS 20
#define PAUSE_NS 5000000

int io_wait_parse(const char *text, long long *tasks)
{
	static const char key[] = "procs_blocked ";
	char *end;

	if (strncmp(text, key, sizeof(key) - 1) != 0)
		return -EINVAL;
	/* The kernel prints an unsigned int of 32 bits: one too few is 4294967295. */
	*tasks = strtoll(text + sizeof(key) - 1, &end, 10);
	if (end == text + sizeof(key) - 1)
		return -EINVAL;
	if (*tasks > INT_MAX)
		*tasks -= 1LL << 32;
	return 0;
}

int io_wait_read(long long *tasks)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[256];
	int err = -EINVAL;

	if (!file)
		return -errno;
	/* Other lines may be longer: their rest is no line that begins with the key. */
	while (err && fgets(line, sizeof(line), file))
		err = io_wait_parse(line, tasks);
	fclose(file);
	return err;
}

int io_wait_read_settled(long long floor, long long *tasks)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	long long least = 0;

	for (int i = 0; i < READINGS; i++) {
		long long now;
		int err;

		if (i)
			nanosleep(&pause, NULL);
		err = io_wait_read(&now);
		if (err)
			return err;
		if (!i || now < least)
			least = now;
		if (now == floor)
			break;
	}
	*tasks = least;
	return 0;
}
