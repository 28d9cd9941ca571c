// SPDX-License-Identifier: GPL-2.0-only
#include "bench/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "bench/message.h"
#include "bench/settings.h"

struct restore_values {
	bool dry_run;
};

static void report(void *context, enum settings_kind kind, const char *path, const char *old_value,
		   int err)
{
	static const char *const nouns[SETTINGS_KINDS] = {
		[SETTINGS_CGROUP] = "the cgroup",
		[SETTINGS_DIRECTORY] = "the directory",
		[SETTINGS_MOUNT] = "the mount",
	};
	const struct restore_values *values = context;

	if (err) {
		if (nouns[kind])
			message_errno(err, "cannot remove %s %s", nouns[kind], path);
		else
			message_errno(err, "cannot restore %s", path);
		return;
	}
	if (nouns[kind])
		printf("%s %s %s\n", values->dry_run ? "would remove" : "removed", nouns[kind],
		       path);
	else
		printf("%s %s to '%s'\n", values->dry_run ? "would set" : "set", path, old_value);
	fflush(stdout); /* in order with what goes to stderr */
}

/* What a journal that cannot be used at all means for the user. */
static int explain(int err)
{
	char *path = settings_journal_path();
	const char *name = path ? path : "the journal";
	int code = EXIT_BROKE;

	switch (err) {
	case -EBUSY:
		message_error(
			"a run that is under way (process %d) has %s; end it first, it restores what it changed",
			settings_owner(), name);
		code = EXIT_CANNOT;
		break;
	case -EBADMSG:
		message_error("%s is damaged; look into it, put back what it names, and remove it",
			      name);
		code = EXIT_INVALID;
		break;
	case -EPERM:
		message_error(
			"%s belongs to another user or others can write it; restore as that user",
			name);
		code = EXIT_CANNOT;
		break;
	case -EACCES:
		message_errno(err, "cannot open %s", name);
		code = EXIT_CANNOT;
		break;
	default:
		message_error("not everything could be put back; %s is kept: try again", name);
	}
	free(path);
	return code;
}

static const struct option_spec options[] = {
	{.name = "dry-run",
	 .kind = OPTION_FLAG,
	 .help = "say what would be put back, and change nothing",
	 .offset = offsetof(struct restore_values, dry_run)},
	OPTIONS_END,
};

static int run(int argc, char **argv)
{
	struct restore_values values = {0};
	int count = options_parse(&command_restore, argc, argv, &values, NULL);

	if (count)
		return options_exit_code(count);
	count = settings_restore_abandoned(values.dry_run, report, &values);
	if (count < 0)
		return explain(count);
	if (!count)
		puts("nothing to restore");
	return EXIT_FINE;
}

const struct command command_restore = {
	.name = "restore",
	.summary = "Put back settings that an interrupted run left changed",
	.usage = "[OPTION…]",
	.description =
		(const char *const[]){
			"A run writes down every setting before it changes it, and puts all back when it\n"
			"ends. After a kill -9 or a crash, this does it. What a live run has changed is\n"
			"left alone. A reboot restores everything by itself.",
			NULL},
	.options = options,
	.run = run,
};
