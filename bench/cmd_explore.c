// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/cmd_explore.h"
#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "measure/clock.h"
#include "bench/run_order.h"

#define DEFAULT_SEEDS 100u
/* Rounds are 160 ms at most: the time is no limit to them. */
#define DEFAULT_ROUNDS	   3u
#define DEFAULT_DURATION_S 1u
#define DEFAULT_TOPOLOGY   "2x1x2"
#define DEFAULT_VARIANT	   "proxy::sched_proxy_exec=1"
#define SHRINK_RUNS	   150u
#define NOT_GIVEN	   RUN_NOT_GIVEN

static const struct option_spec options[] = {
	{.name = "seeds",
	 .letter = 'n',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = 10000000,
	 .help = "how many seeds to try [100; with --until-found as many as it takes]",
	 .offset = offsetof(struct explore_values, seeds)},
	{.name = "first-seed",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .max = EXPLORE_MAX_SEED,
	 .standard = "1",
	 .help = "the first of them",
	 .offset = offsetof(struct explore_values, first_seed)},
	{.name = "until-found",
	 .kind = OPTION_FLAG,
	 .help = "end with the first find",
	 .offset = offsetof(struct explore_values, until_found)},
	{.name = "duration",
	 .kind = OPTION_NUMBER,
	 .argument = "VIRTUAL_S",
	 .min = 1,
	 .max = 3600,
	 .help = "how long each seed's stress lasts, in virtual seconds [three rounds]",
	 .offset = offsetof(struct explore_values, duration_s)},
	{.name = "rounds",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = STRESS_MAX_ROUNDS,
	 .help = "no more than so many rounds of each seed [3, or as many as --duration has]",
	 .offset = offsetof(struct explore_values, rounds)},
	{.name = "only",
	 .kind = OPTION_LIST,
	 .argument = "MECHANISM",
	 .help = "draw plans of this mechanism; may be repeated [all, see the manual page]",
	 .offset = offsetof(struct explore_values, only)},
	{.name = "jobs",
	 .letter = 'j',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = 1024,
	 .help = "guests at a time [one per CPU]",
	 .offset = offsetof(struct explore_values, jobs)},
	{.name = "shrink-runs",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .max = 100000,
	 .help = "guests that making a find small may take; 0: it is kept as found [150]",
	 .offset = offsetof(struct explore_values, shrink_runs)},
	{.name = "keep-logs",
	 .kind = OPTION_FLAG,
	 .help = "keep every guest's console, in the exploration's logs/, found or not",
	 .offset = offsetof(struct explore_values, keep_logs)},
	{.name = "resume",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "go on with an exploration that was stopped",
	 .offset = offsetof(struct explore_values, resume)},
	{.name = "replay",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "boot a find again and say whether it is the same, to the byte",
	 .offset = offsetof(struct explore_values, replay)},
	{.name = "shrink",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "make a find of an exploration smaller, again",
	 .offset = offsetof(struct explore_values, shrink)},
	{.name = "reports",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "list all reports on the consoles that --keep-logs kept, or on those in any folder",
	 .offset = offsetof(struct explore_values, reports)},
	{.name = "gdb",
	 .kind = OPTION_FLAG,
	 .help = "with --replay: stop the machine just before it happens and wait for a debugger",
	 .offset = offsetof(struct explore_values, gdb)},
	{.name = "before",
	 .kind = OPTION_NUMBER,
	 .argument = "US",
	 .max = 1000000000,
	 .help = "with --gdb: so long before, in virtual microseconds [1000]",
	 .offset = offsetof(struct explore_values, before_us)},
	{.name = "known",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "faults that the base kernel is known for: listed, and no finds "
		 "[kernel-patches/known-faults]",
	 .offset = offsetof(struct explore_values, known)},
	{.name = "variant",
	 .kind = OPTION_LIST,
	 .argument = "LABEL:IMAGE:ARGS",
	 .help = "the kernel that is searched; an empty IMAGE is the one that is built or given "
		 "[" DEFAULT_VARIANT "]",
	 .offset = offsetof(struct explore_values, run.variants)},
	{.name = "topology",
	 .kind = OPTION_STRING,
	 .argument = "NxCxT",
	 .help = "the guest's nodes x cores x threads, or nodes x dies x cores x threads "
		 "[" DEFAULT_TOPOLOGY "]",
	 .offset = offsetof(struct explore_values, run.topology)},
	{.name = "memory",
	 .kind = OPTION_NUMBER,
	 .argument = "MIB",
	 .min = 128,
	 .max = 1048576,
	 .help = "the guest's memory [512]",
	 .offset = offsetof(struct explore_values, run.memory_mib)},
	{.name = "kernel-image",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "boot this bzImage instead of building one; with --replay instead of the find's",
	 .offset = offsetof(struct explore_values, run.kernel_image)},
	{.name = "kernel-tree",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "build from this source instead of the distribution's",
	 .offset = offsetof(struct explore_values, run.kernel_tree)},
	{.name = "base",
	 .kind = OPTION_STRING,
	 .argument = "VERSION",
	 .help = "the distribution's source to build from, 7.2 or 7.3 [7.2 if it is to be had]",
	 .offset = offsetof(struct explore_values, run.base)},
	{.name = "series",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "the quilt series to apply [kernel-patches/series]",
	 .offset = offsetof(struct explore_values, run.series)},
	{.name = "results",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .standard = "results",
	 .help = "where the exploration's folder is made",
	 .offset = offsetof(struct explore_values, run.results)},
	{.name = "id",
	 .kind = OPTION_STRING,
	 .argument = "NAME",
	 .help = "its name and folder [made of the date, the first seed and chance]",
	 .offset = offsetof(struct explore_values, run.id)},
	{.name = "watchdog",
	 .kind = OPTION_NUMBER,
	 .argument = "LIMIT_S",
	 .standard = "600",
	 .min = 1,
	 .max = 86400,
	 .help = "end a guest that shows no sign of life for so long, by the wall's clock",
	 .offset = offsetof(struct explore_values, run.watchdog_s)},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print the summary as JSON",
	 .offset = offsetof(struct explore_values, run.json)},
	{.name = "yes",
	 .letter = 'y',
	 .kind = OPTION_FLAG,
	 .help = "install what is missing without asking (./run-bench does that)",
	 .offset = offsetof(struct explore_values, run.yes)},
	{.name = "no-install",
	 .kind = OPTION_FLAG,
	 .help = "install nothing: list what is missing and exit with 4 (./run-bench does that)",
	 .offset = offsetof(struct explore_values, run.no_install)},
	{.name = "no-progress",
	 .kind = OPTION_FLAG,
	 .help = "draw no progress",
	 .offset = offsetof(struct explore_values, run.no_progress)},
	OPTIONS_END,
};

/* ---- what came of it ------------------------------------------------------------------------- */

static void print_find(const struct explore *explore, const struct find *find)
{
	printf("\n%s %u: %s: %s\n  %s\n", find->is_known ? "known of the base," : "find",
	       find->number, find->signature.kind, find->signature.text, find->signature.line);
	printf("  shown by %" PRIu64 " seed%s, first by %" PRIu64, find->n_seeds,
	       find->n_seeds == 1 ? "" : "s", find->seed);
	if (find->is_shrunk)
		printf("; from %zu actors and %u rounds down to %zu and %u", find->first_actors,
		       find->first_rounds, find->plan.n_actors, find->rounds);
	if (find->signature.at_ns)
		printf("\n  at %.6f s of the guest's clock",
		       (double)find->signature.at_ns / (double)NS_PER_S);
	printf("\n  see it again: %s explore --replay %s/finds/%04u\n", run_program(),
	       explore->directory, find->number);
}

static int print_text(const struct explore *explore)
{
	size_t n_new = explore->n_finds - explore->n_known;

	printf("%" PRIu64 " of %" PRIu64 " seeds tried on %s (%s): %" PRIu64
	       " operations, %zu find%s",
	       explore->n_done, explore->order.seeds, explore->guest.label, explore->guest.kernel,
	       explore->n_operations, n_new, n_new == 1 ? "" : "s");
	if (explore->n_known)
		printf(" and %zu of the base's known faults", explore->n_known);
	if (explore->n_now && explore->now_s > 0)
		printf(", %.1f seeds per minute", 60 * (double)explore->n_now / explore->now_s);
	puts("");
	if (explore->n_broken)
		printf("%" PRIu64 " guests said nothing of the kernel, %" PRIu64
		       " of them without progress until the watchdog (%" PRIu64
		       " s) ended them; --resume tries their seeds again\n",
		       explore->n_broken, explore->n_no_progress, explore->guest.watchdog_s);
	for (size_t i = 0; i < explore->n_finds; i++)
		print_find(explore, &explore->finds[i]);
	return fflush(stdout) ? -EIO : 0;
}

static int print_summary(const struct explore *explore, bool as_json)
{
	struct json_object *summary;
	int err;

	if (!as_json)
		return print_text(explore);
	summary = explore_summary(explore);
	err = summary &&
			      puts(json_object_to_json_string_ext(
				      summary, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE)) >= 0 &&
			      !fflush(stdout)
		      ? 0
		      : -EIO;
	json_object_put(summary);
	return err;
}

/* Runs what is left and says what was found. */
static int conclude(struct explore *explore, const struct explore_values *values)
{
	int err;

	message_note("the exploration is %s", explore->directory);
	explore->keeps_logs = values->keep_logs;
	err = explore_run(explore, values->jobs == NOT_GIVEN ? 0 : (unsigned int)values->jobs);
	if (err == -EINTR)
		message_note("stopped; what was found is kept; go on with '%s explore --resume "
			     "%s'",
			     run_program(), explore->directory);
	if (print_summary(explore, values->run.json)) {
		message_error("cannot print the summary");
		return EXIT_BROKE;
	}
	if (err)
		return EXIT_BROKE;
	if (explore->n_finds > explore->n_known)
		return EXIT_REGRESSION;
	return explore->n_done ? EXIT_FINE : EXIT_CANNOT;
}

/* ---- a new exploration -------------------------------------------------------------------------
 */

static int choose_mechanisms(const struct run_order *order, const struct string_list *only,
			     struct stress_choice *choice)
{
	for (size_t i = 0; i < only->count; i++) {
		int mechanism = stress_mechanism_find(only->items[i]);

		if (mechanism < 0)
			return run_usage(
				order,
				"--only: '%.40s' is not a mechanism; they are f-pos, "
				"sleeping-owner, pipe, tee, tty, rename, pi-futex, compute, "
				"signals, classes, affinity, cookies, cgroups and hotplug",
				only->items[i]);
		choice->has_only = choice->only[mechanism] = true;
	}
	return 0;
}

static int check_line(const struct run_order *order, const struct explore_values *values)
{
	if (values->run.variants.count > 1)
		return run_usage(order,
				 "an exploration is of one kernel: give one --variant, not "
				 "%zu",
				 values->run.variants.count);
	if (values->gdb || values->before_us != NOT_GIVEN)
		return run_usage(order, "--gdb and --before belong to --replay");
	if (values->first_seed + values->seeds > (uint64_t)EXPLORE_MAX_SEED + 1 &&
	    values->seeds != NOT_GIVEN)
		return run_usage(order,
				 "--seeds %" PRIu64 " from --first-seed %" PRIu64
				 " on go beyond the last, %u",
				 values->seeds, values->first_seed, EXPLORE_MAX_SEED);
	return 0;
}

/* How many seeds when nobody said: few enough to wait for, or all that a search may take. */
static uint64_t choose_seeds(const struct explore_values *values)
{
	uint64_t left = (uint64_t)EXPLORE_MAX_SEED + 1 - values->first_seed;
	uint64_t wanted = values->seeds != NOT_GIVEN ? values->seeds
			  : values->until_found	     ? 10000000
						     : DEFAULT_SEEDS;

	return wanted < left ? wanted : left;
}

/*
 * A boot takes the host as long as half a second of stress, and what the known faults take is there
 * in the first rounds: when nobody said, many plans are tried, each for a short time.
 */
static void choose_length(const struct explore_values *values, struct explore_order *wanted)
{
	bool has_duration = values->duration_s != NOT_GIVEN;

	wanted->duration_ns = (has_duration ? values->duration_s : DEFAULT_DURATION_S) * NS_PER_S;
	wanted->max_rounds = values->rounds != NOT_GIVEN ? values->rounds
			     : has_duration		 ? 0
							 : DEFAULT_ROUNDS;
}

static int prepare(struct run_order *order, struct explore_values *values)
{
	const struct campaign draft = {.time = TIME_VIRTUAL};
	const struct string_list none = {0};
	static const char *standard[] = {DEFAULT_VARIANT};
	char reason[512];
	int code;

	values->run.target = "vm";
	values->run.time = "virtual";
	if (!values->run.topology)
		values->run.topology = DEFAULT_TOPOLOGY;
	if (values->run.memory_mib == RUN_NOT_GIVEN)
		values->run.memory_mib = 512;
	values->taken = values->run.variants;
	if (!values->run.variants.count)
		values->run.variants = (struct string_list){.items = standard, .count = 1};
	code = run_order_check(order, &none);
	values->run.variants = values->taken;
	if (!code)
		code = run_images_check(order);
	if (!code)
		code = run_kernel_check(order);
	if (!code && target_vm.probe(&draft, reason, sizeof(reason))) {
		message_error("the target vm cannot work here: %s", reason);
		code = EXIT_CANNOT;
	}
	return code;
}

/* What the base kernel is known for: as it is shipped, or as the user says. */
static int read_known(const struct explore_values *values, struct known_faults *known)
{
	char *path =
		values->known ? strdup(values->known) : paths_data("kernel-patches/known-faults");
	int err = path ? known_faults_read(known, path) : -ENOMEM;

	free(path);
	return err ? EXIT_INVALID : 0;
}

static int explore_new(struct explore_values *values, const struct known_faults *known)
{
	struct run_order order = {.command = "explore", .values = &values->run};
	struct explore_order wanted = {0};
	struct explore *explore;
	int code = check_line(&order, values);

	if (!code)
		code = choose_mechanisms(&order, &values->only, &wanted.choice);
	if (!code)
		code = prepare(&order, values);
	if (!code) {
		process_catch_stop_signals();
		code = run_images_settle(&order);
	}
	if (!code) {
		wanted.first_seed = values->first_seed;
		wanted.seeds = choose_seeds(values);
		choose_length(values, &wanted);
		wanted.until_found = values->until_found;
		wanted.shrink_runs =
			values->shrink_runs == NOT_GIVEN ? SHRINK_RUNS : values->shrink_runs;
		wanted.label = order.variants[0].label;
		wanted.arguments = order.variants[0].arguments;
		wanted.image_path = order.variants[0].image_path;
		wanted.topology = order.topology_text;
		wanted.memory_mib = order.memory_mib;
		wanted.watchdog_s = order.watchdog_s;
		wanted.known = known;
		wanted.results = values->run.results;
		wanted.id = values->run.id;
		code = explore_create(&wanted, &explore) ? EXIT_BROKE : 0;
	}
	if (!code) {
		code = conclude(explore, values);
		explore_free(explore);
	}
	run_order_release(&order);
	return code;
}

static int explore_resume(const struct explore_values *values, const struct known_faults *known)
{
	struct explore *explore;
	int code, err = explore_load(&explore, values->resume);

	if (err)
		return err == -EINVAL ? EXIT_INVALID : EXIT_BROKE;
	process_catch_stop_signals();
	explore->order.known = known;
	code = conclude(explore, values);
	explore_free(explore);
	return code;
}

static int explore_seeds(struct explore_values *values)
{
	struct known_faults known = {0};
	int code = read_known(values, &known);

	if (!code)
		code = values->reports	? explore_list_reports(values, &known)
		       : values->resume ? explore_resume(values, &known)
					: explore_new(values, &known);
	known_faults_release(&known);
	return code;
}

/* ---- the line
 * ------------------------------------------------------------------------------------ */

static int run_values(struct explore_values *values)
{
	const struct run_order order = {.command = "explore", .values = &values->run};
	int modes = !!values->resume + !!values->replay + !!values->shrink + !!values->reports;

	if (modes > 1)
		return run_usage(&order, "--resume, --replay, --shrink and --reports are different "
					 "things: give one of them");
	if (values->run.json && values->reports)
		return run_usage(&order, "--reports prints text alone: leave --json out");
	if (modes && (values->seeds != NOT_GIVEN || values->duration_s != NOT_GIVEN ||
		      values->rounds != NOT_GIVEN || values->until_found || values->only.count ||
		      values->run.variants.count || values->run.id))
		return run_usage(
			&order,
			"--seeds, --duration, --rounds, --until-found, --only, --variant and --id belong "
			"to a new exploration: the folder says them already");
	if (values->replay)
		return explore_replay(values);
	if (values->shrink)
		return explore_shrink_again(values);
	return explore_seeds(values);
}

static int run(int argc, char **argv)
{
	struct explore_values values = {.run = RUN_VALUES_INIT,
					.seeds = NOT_GIVEN,
					.duration_s = NOT_GIVEN,
					.rounds = NOT_GIVEN,
					.jobs = NOT_GIVEN,
					.shrink_runs = NOT_GIVEN,
					.before_us = NOT_GIVEN};
	int err = options_parse(&command_explore, argc, argv, &values, NULL), code;

	if (values.run.no_progress)
		progress_disable();
	code = err ? options_exit_code(err) : run_values(&values);
	options_release(&command_explore, &values, NULL);
	return code;
}

static const char *const description[] = {
	"Searches for what a kernel does wrong: warnings, oopses, hangs, tasks that are never woken,\n"
	"load accounting that does not add up. Each seed is a plan of stress and a way through it, in\n"
	"virtual time, so that what one seed shows that seed shows again. A find is kept with all that\n"
	"it takes to replay it, and made as small as it gets.",
	"Ctrl-C keeps what was found; --resume goes on. Exit codes: 0 nothing found, 1 something found\n"
	"(or shown again), 3 usage, 4 nothing can be tried here, 5 a folder or image is invalid,\n"
	"6 it was stopped or broke.",
	NULL,
};

const struct command command_explore = {
	.name = "explore",
	.summary = "Search over seeds for what the kernel does wrong under stress",
	.usage = "[OPTION…]",
	.description = description,
	.options = options,
	.run = run,
};
