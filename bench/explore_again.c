// SPDX-License-Identifier: GPL-2.0-only
/* A find, seen again: replayed, watched in a debugger, made smaller. */
#include "bench/cmd_explore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "measure/clock.h"

#define BEFORE_US 1000u

struct replay {
	const struct find_folder *folder;
	const char *directory;
	uint64_t stop_ns;
	char *gdb_path;
	bool has_begun;
	struct trial trial; /* what came of it */
};

/*
 * Whether two consoles tell the same up to and with the find. A guest that has said all is
 * ended from outside, so that one may have a few lines more at its end than the other.
 */
static bool is_same_log(const char *kept, const char *found, const struct signature *signature)
{
	size_t kept_bytes = strlen(kept), found_bytes = strlen(found);
	size_t common = kept_bytes < found_bytes ? kept_bytes : found_bytes;

	return common >= signature->stack_at && !memcmp(kept, found, common);
}

static bool next_replay(void *context, struct trial *trial)
{
	struct replay *replay = context;

	if (replay->has_begun)
		return false;
	replay->has_begun = true;
	trial->plan = replay->folder->find.plan;
	trial->wanted = &replay->folder->find.signature;
	trial->stop_ns = replay->stop_ns;
	trial->gdb_path = replay->gdb_path;
	return true;
}

static int end_replay(void *context, struct trial *trial)
{
	struct replay *replay = context;

	replay->trial = *trial;
	replay->trial.log_path = NULL;
	trial->log = NULL;
	return 0;
}

static int report_replay(const struct replay *replay)
{
	const struct signature *wanted = &replay->folder->find.signature;
	const struct trial *trial = &replay->trial;
	const struct signature *found = &trial->signature;

	if (trial_is_void(trial)) {
		message_error("the guest never got to where the find is: %s", trial->reason);
		return EXIT_BROKE;
	}
	if (trial->end != TRIAL_FOUND) {
		printf("it does not show: nothing was found\n");
		return EXIT_FINE;
	}
	if (!signature_is_same(wanted, found)) {
		printf("something else shows: %s: %s\n  (the find is: %s)\n", found->kind,
		       found->text, wanted->text);
		return EXIT_REGRESSION;
	}
	printf("it shows again: %s: %s\n  %s\n  at %.6f s of the guest's clock; %s\n", found->kind,
	       found->text, found->line, (double)found->at_ns / (double)NS_PER_S,
	       is_same_log(replay->folder->log, trial->log, found)
		       ? "the whole log is the same, byte for byte"
		       : "the log is not the same");
	return EXIT_REGRESSION;
}

/* What may make a replay differ, before it does. */
static int check_same(const struct find_folder *folder, const char *directory,
		      const char *kernel_image)
{
	char *guest = format_string("%s/" EXPLORE_GUEST_NAME, directory);
	char *kernel = format_string("%s/" EXPLORE_KERNEL_NAME, directory);
	char hash[SHA256_HEX_SIZE];
	int err = guest && kernel ? sha256_file(guest, hash) : -ENOMEM;

	if (err) {
		message_errno(err, "cannot read the find's %s", guest ? guest : "guest");
	} else if (strcmp(hash, folder->guest.guest_sha256) != 0) {
		message_error("%s is not what the find was made with", guest);
		err = -EINVAL;
	}
	if (!err && !kernel_image) {
		err = sha256_file(kernel, hash);
		if (err) {
			message_errno(err, "cannot read the find's %s", kernel);
		} else if (strcmp(hash, folder->guest.image_sha256) != 0) {
			message_error("%s is not the kernel that the find was made with", kernel);
			err = -EINVAL;
		}
	}
	if (!err && kernel_image)
		message_note(
			"another kernel takes another way: what does not show on it may not be "
			"gone");
	free(kernel);
	free(guest);
	return err;
}

/* It stands still. Where the symbols are, if they were kept beside the image. */
static void say_debugger(void *context, uint64_t at_ns)
{
	const struct replay *replay = context;
	const char *image = replay->folder->guest.image_path, *slash = strrchr(image, '/');
	char *symbols = format_string("%.*svmlinux", slash ? (int)(slash + 1 - image) : 0, image);
	bool has_symbols = symbols && !access(symbols, R_OK);

	message_note("the machine stands still at %.9f s of its clock, %.6f s before the find; now",
		     (double)at_ns / (double)NS_PER_S,
		     ((double)replay->folder->find.signature.at_ns - (double)at_ns) /
			     (double)NS_PER_S);
	message_note("  gdb %s%s-ex 'target remote %s'", has_symbols ? symbols : "",
		     has_symbols ? " " : "", replay->gdb_path);
	if (!has_symbols)
		message_note("(without symbols: there is no vmlinux beside %s)", image);
	message_note("Up to there it is the find exactly; how one goes on from there may change "
		     "what happens. Ctrl-C here ends the machine.");
	free(symbols);
}

static int prepare_debugger(struct replay *replay, const struct explore_values *values)
{
	uint64_t before_ns =
		(values->before_us == RUN_NOT_GIVEN ? BEFORE_US : values->before_us) * 1000;
	uint64_t at_ns = replay->folder->find.signature.at_ns;

	if (!at_ns) {
		message_error("nobody knows when it happened: the log of this find has no time");
		return EXIT_INVALID;
	}
	replay->stop_ns = at_ns > before_ns ? at_ns - before_ns : 1;
	replay->gdb_path = format_string("/tmp/proxeval-gdb-%d", (int)getpid());
	if (!replay->gdb_path)
		return EXIT_BROKE;
	message_note("it runs up to %.6f s of its clock; attach then, not before: stopping a guest "
		     "changes its way",
		     (double)replay->stop_ns / (double)NS_PER_S);
	return 0;
}

static int run_replay(struct replay *replay, const struct explore_values *values)
{
	struct explore_order order = find_order(replay->folder);
	const struct explore_source source = {.next = next_replay,
					      .done = end_replay,
					      .stopped = say_debugger,
					      .context = replay};
	struct explore_guests guests;
	int err;

	if (values->gdb)
		order.watchdog_s = 86400; /* somebody thinks */
	err = explore_guests_open(&guests, &order, replay->directory, values->run.kernel_image, 1);
	if (!err)
		err = explore_guests_run(&guests, &source);
	explore_guests_close(&guests);
	if (replay->gdb_path)
		unlink(replay->gdb_path);
	if (err)
		return EXIT_BROKE;
	return report_replay(replay);
}

int explore_replay(const struct explore_values *values)
{
	struct find_folder folder;
	struct replay replay = {.folder = &folder, .directory = values->replay};
	int code = 0, err = find_read(&folder, values->replay);

	if (err)
		return EXIT_INVALID;
	process_catch_stop_signals();
	if (check_same(&folder, values->replay, values->run.kernel_image))
		code = EXIT_INVALID;
	if (!code && values->gdb)
		code = prepare_debugger(&replay, values);
	if (!code)
		code = run_replay(&replay, values);
	trial_release(&replay.trial);
	free(replay.gdb_path);
	find_folder_release(&folder);
	return code;
}

/* "…/finds/0003": the exploration, and which find of it. */
static int split_folder(const char *folder, char **exploration, unsigned int *number)
{
	char *copy = realpath(folder, NULL), *name, *finds;
	uint64_t value;

	if (!copy)
		return -errno;
	name = strrchr(copy, '/');
	*name++ = '\0';
	finds = strrchr(copy, '/');
	if (!finds || strcmp(finds, "/finds") != 0 || parse_number(name, 1, UINT32_MAX, &value)) {
		free(copy);
		return -EINVAL;
	}
	*finds = '\0';
	*exploration = copy;
	*number = (unsigned int)value;
	return 0;
}

static int shrink_one(struct explore *explore, struct find *find,
		      const struct explore_values *values)
{
	size_t actors = find->plan.n_actors;
	unsigned int rounds = find->rounds;
	int err =
		explore_guests_open(&explore->guests, &explore->order, explore->directory, NULL,
				    values->jobs == RUN_NOT_GIVEN ? 0 : (unsigned int)values->jobs);

	if (values->shrink_runs != RUN_NOT_GIVEN)
		explore->order.shrink_runs = values->shrink_runs;
	if (!err) {
		progress_begin("shrinking", 0);
		err = explore_shrink(explore, find);
		progress_end(NULL);
	}
	explore_guests_close(&explore->guests);
	printf("from %zu actors and %u rounds to %zu and %u\n", actors, rounds, find->plan.n_actors,
	       find->rounds);
	if (!err || err == -EINTR)
		err = explore_write_summary(explore) ? -EIO : err;
	return err ? EXIT_BROKE : EXIT_REGRESSION;
}

int explore_shrink_again(const struct explore_values *values)
{
	struct explore *explore = NULL;
	char *exploration = NULL;
	unsigned int number = 0;
	int code = EXIT_INVALID, err = split_folder(values->shrink, &exploration, &number);

	if (err) {
		message_error("--shrink takes the folder of a find in its exploration, as in "
			      "results/explore-…/finds/0001, not '%s'",
			      values->shrink);
		return EXIT_INVALID;
	}
	err = explore_load(&explore, exploration);
	if (err)
		code = err == -EINVAL ? EXIT_INVALID : EXIT_BROKE;
	else if (number > explore->n_finds)
		message_error("%s has no find %u", exploration, number);
	else {
		process_catch_stop_signals();
		code = shrink_one(explore, &explore->finds[number - 1], values);
	}
	explore_free(explore);
	free(exploration);
	return code;
}
