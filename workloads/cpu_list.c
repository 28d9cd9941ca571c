// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/cpu_list.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* A decimal number without sign or space, at *@text; moves it behind. */
static int parse_cpu(const char **text, long *cpu)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	*cpu = strtol(*text, &end, 10);
	*text = end;
	return *cpu > INT_MAX / 2 ? -EINVAL : 0;
}

int cpu_list_parse(const char *text, int *out, size_t max)
{
	size_t count = 0;

	while (*text && *text != '\n') {
		long first, last;
		int err = parse_cpu(&text, &first);

		last = first;
		if (!err && *text == '-') {
			text++;
			err = parse_cpu(&text, &last);
		}
		if (err || last < first || (*text && *text != ',' && *text != '\n'))
			return -EINVAL;
		for (; first <= last; first++) {
			if (count == max)
				return -E2BIG;
			out[count++] = (int)first;
		}
		if (*text == ',' && !isdigit((unsigned char)*++text))
			return -EINVAL;
	}
	return (int)count;
}
