// SPDX-License-Identifier: GPL-2.0-only
#include "bench/commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/runner.h"
#include "reports/json_strict.h"

#define PLAN_MAX_BYTES (1u << 20)

struct values {
	const char *plan;
	const char *output;
	uint64_t progress_fd;
};

static void print_progress(void *context, unsigned int done, unsigned int total, const char *what)
{
	int fd = *(int *)context;

	if (fd >= 0)
		dprintf(fd, "@progress %u %u %s\n", done, total, what);
}

static int load_plan(const char *path, struct json_object **plan)
{
	char problem[200];

	if (json_strict_load(path, PLAN_MAX_BYTES, plan, problem, sizeof(problem))) {
		message_error("the plan %s: %s", path, problem);
		return EXIT_INVALID;
	}
	if (!json_object_is_type(*plan, json_type_object)) {
		json_object_put(*plan);
		message_error("the plan %s is not a JSON object", path);
		return EXIT_INVALID;
	}
	return EXIT_FINE;
}

static int exec_plan(const struct values *values)
{
	struct json_object *plan, *result;
	int fd = values->progress_fd ? (int)values->progress_fd : -1;
	int code = load_plan(values->plan, &plan);
	int err;

	if (code)
		return code;
	err = runner_run(plan, print_progress, &fd, &result);
	json_object_put(plan);
	if (err)
		return err == -EINVAL ? EXIT_INVALID : EXIT_BROKE;
	err = write_json_atomically(values->output, result);
	json_object_put(result);
	if (err) {
		message_errno(err, "cannot write the result %s", values->output);
		return EXIT_BROKE;
	}
	return EXIT_FINE;
}

static const struct option_spec options[] = {
	{.name = "plan",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "what to do (format proxeval-plan, doc/internals.md)",
	 .offset = offsetof(struct values, plan)},
	{.name = "output",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "where the result goes (format proxeval-boot), whole or not at all",
	 .offset = offsetof(struct values, output)},
	{.name = "progress-fd",
	 .kind = OPTION_NUMBER,
	 .argument = "FD",
	 .help = "print '@progress DONE TOTAL WHAT' lines to this file descriptor",
	 .max = 1023,
	 .offset = offsetof(struct values, progress_fd)},
	OPTIONS_END,
};

static int run(int argc, char **argv)
{
	struct values values = {0};
	int err = options_parse(&command_exec, argc, argv, &values, NULL);

	if (err)
		return options_exit_code(err);
	if (!values.plan || !values.output) {
		message_error(
			"exec needs --plan FILE and --output FILE; see 'proxeval exec --help'");
		return EXIT_USAGE;
	}
	process_catch_stop_signals();
	/* A driver that dies, however it dies, stops us: then we put back what we changed. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return exec_plan(&values);
}

static const char *const description[] = {
	"Does what a plan asks for on this boot of this machine, and writes the boot's result. "
	"This is what a target runs inside a boot; people use 'proxeval run'.",
	"Settings that it changes are journalled and put back before it ends, also after SIGINT, "
	"SIGTERM, SIGHUP, and the death of the process that started it.",
	NULL,
};

const struct command command_exec = {
	.name = "exec",
	.summary = "Do a plan's work inside a boot (what targets run)",
	.usage = "--plan FILE --output FILE [OPTION…]",
	.description = description,
	.options = options,
	.run = run,
	.hidden = true,
};
