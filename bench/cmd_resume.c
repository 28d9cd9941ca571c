// SPDX-License-Identifier: GPL-2.0-only
#include "bench/commands.h"
#include "bench/exit_codes.h"

static int run(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return EXIT_BROKE;
}

const struct command command_resume = {
	.name = "resume",
	.summary = "",
	.usage = "[OPTION…]",
	.run = run,
};
