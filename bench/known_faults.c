// SPDX-License-Identifier: GPL-2.0-only
#include "bench/known_faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "bench/message.h"

#define FILE_MAX_BYTES (1u << 20)

/* "KIND NEEDS TEXT" into @fault; false when the line is none. */
static bool parse_line(const char *line, size_t length, struct known_fault *fault)
{
	char copy[400], needs[32];
	int text_at = 0;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, line, length);
	copy[length] = '\0';
	if (sscanf(copy, "%15s %31s %n", fault->kind, needs, &text_at) != 2 || !copy[text_at] ||
	    strlen(copy + text_at) >= sizeof(fault->text))
		return false;
	strcpy(fault->text, copy + text_at);
	fault->needs = stress_mechanism_find(needs);
	return fault->needs >= 0 || !strcmp(needs, "-");
}

static int take_line(struct known_faults *known, const char *line, size_t length)
{
	struct known_fault *grown;

	if (!length || *line == '#')
		return 0;
	grown = realloc(known->items, (known->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	known->items = grown;
	return parse_line(line, length, &grown[known->count]) ? (int)++known->count : -EINVAL;
}

int known_faults_read(struct known_faults *known, const char *path)
{
	char *text = NULL;
	unsigned int number = 1;
	int err = read_file(path, FILE_MAX_BYTES, &text, NULL);

	*known = (struct known_faults){0};
	if (err)
		return message_errno(err, "cannot read the known faults, %s", path);
	for (const char *line = text; *line && err >= 0; line = next_line(line), number++) {
		err = take_line(known, line, strcspn(line, "\n"));
		if (err == -EINVAL)
			message_error(
				"%s:%u: a known fault is 'KIND NEEDS TEXT', with a mechanism or "
				"'-' for NEEDS",
				path, number);
	}
	free(text);
	return err < 0 ? err : 0;
}

void known_faults_release(struct known_faults *known)
{
	free(known->items);
	*known = (struct known_faults){0};
}

bool known_faults_has(const struct known_faults *known, const struct signature *signature,
		      const struct stress_plan *plan)
{
	for (size_t i = 0; known && i < known->count; i++) {
		const struct known_fault *fault = &known->items[i];

		if (!strcmp(fault->kind, signature->kind) &&
		    !strncmp(fault->text, signature->text, strlen(fault->text)) &&
		    (fault->needs < 0 ||
		     stress_plan_has(plan, (enum stress_mechanism)fault->needs)))
			return true;
	}
	return false;
}
