// SPDX-License-Identifier: GPL-2.0-only
/*
 * make_find FOLDER: an exploration with one find, as the program writes them, of a guest that never
 * ran. What the tests of reading and of the schemas start from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/explore.h"
#include "measure/clock.h"

static const char console[] = "[    2.000000] WARNING: a.c:1 at f+0x1/0x2\n[    2.000001] more\n";

static int write_text(const char *folder, const char *name, const char *text)
{
	char *path = format_string("%s/%s", folder, name);
	int err = path ? write_file_atomically(path, text, strlen(text)) : -1;

	free(path);
	return err;
}

static int write_inputs(struct explore *explore)
{
	char *path = format_string("%s/explore.json", explore->directory);
	char *finds = format_string("%s/finds", explore->directory);
	int err = path && finds ? make_directories(finds) : -1;

	if (!err)
		err = write_text(explore->directory, EXPLORE_KERNEL_NAME, "image");
	if (!err)
		err = write_text(explore->directory, EXPLORE_GUEST_NAME, "files");
	sha256_bytes("image", 5, explore->guest.image_sha256);
	sha256_bytes("files", 5, explore->guest.guest_sha256);
	if (!err)
		err = write_json_atomically(path, explore_to_json(explore));
	free(finds);
	free(path);
	return err;
}

int main(int argc, char **argv)
{
	struct explore explore = {
		.order = {.first_seed = 1,
			  .seeds = 10,
			  .duration_ns = NS_PER_S,
			  .choice = {.has_only = true, .only = {[STRESS_TEE] = true}}},
		.guest = {.label = "proxy",
			  .arguments = "sched_proxy_exec=1",
			  .topology = "2x1x2",
			  .memory_mib = 512,
			  .watchdog_s = 600,
			  .image_path = "/somewhere/bzImage",
			  .kernel = "7.2.13",
			  .qemu = "10.0.2"},
		.id = "made",
		.directory = argc == 2 ? argv[1] : "",
	};
	struct trial trial = {.log = (char *)console};
	struct find find = {.number = 1, .seed = 1, .rounds = 3, .first_actors = 9, .n_seeds = 1};

	stress_plan_draw(&find.plan, 1, NS_PER_S, NULL);
	signature_from_log(&trial.signature, console);
	find.signature = trial.signature;
	explore.finds = &find;
	explore.n_finds = 1;
	if (argc != 2 || write_inputs(&explore) || find_write(&explore, &find, &trial) ||
	    explore_write_summary(&explore)) {
		fprintf(stderr, "make_find: cannot make %s\n", explore.directory);
		return 1;
	}
	return 0;
}
