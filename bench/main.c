// SPDX-License-Identifier: GPL-2.0-only
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/message.h"

const struct command *const commands[] = {
	&command_run,	    &command_resume,
	&command_list,	    &command_doctor,
	&command_compare,   &command_report,
	&command_export,    &command_import,
	&command_kernel,    &command_explore,
	&command_calibrate, &command_restore,
	&command_exec,	    NULL,
};

static void print_help(void)
{
	puts("Usage: proxeval [COMMAND] [OPTION…]\n\n"
	     "Measures what proxy execution does on a kernel. Without a command, or when the\n"
	     "first word is an option, the command is 'run'.\n\nCommands:");
	for (const struct command *const *command = commands; *command; command++)
		if (!(*command)->hidden)
			printf("  %-10s %s\n", (*command)->name, (*command)->summary);
	puts("\nExit codes: 0 fine, 1 a regression or a violated invariant, 2 inconclusive, 3 usage,\n"
	     "4 nothing could be measured here, 5 a result or input is invalid, 6 the run broke.\n"
	     "'proxeval COMMAND --help' and 'man proxeval-COMMAND' have the rest.");
}

static const struct command *find_command(const char *name)
{
	for (const struct command *const *command = commands; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *command;

	/* A reader that goes away must not end us in the middle of things that need an end. */
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		print_help();
		return EXIT_FINE;
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts(PACKAGE_STRING);
		return EXIT_FINE;
	}
	if (argc < 2 || argv[1][0] == '-')
		return command_run.run(argc, argv);
	command = find_command(argv[1]);
	if (!command) {
		message_error("'%s' is not a command; see 'proxeval --help'", argv[1]);
		return EXIT_USAGE;
	}
	return command->run(argc - 1, argv + 1);
}
