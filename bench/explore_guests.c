// SPDX-License-Identifier: GPL-2.0-only
/* The guests of an exploration: many at once, and what each comes to. */
#include "bench/explore.h"

#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/message.h"
#include "bench/options.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/qemu_turns.h"
#include "measure/clock.h"

#define POLL_MS	      50u
#define LOG_MAX_BYTES (64u << 20)
/* A guest that has not gone down by then hangs: so long after its rounds that those come first. */
#define LIMIT_NS (UINT64_C(20) * NS_PER_S)

uint64_t explore_limit_ns(const struct stress_plan *plan)
{
	return LIMIT_NS + plan->limit_ns + 2 * plan->rounds * plan->round_ns;
}

void trial_release(struct trial *trial)
{
	if (trial->log_path)
		unlink(trial->log_path);
	free(trial->log_path);
	free(trial->log);
	trial->log_path = trial->log = NULL;
}

bool trial_is_void(const struct trial *trial)
{
	return trial->end == TRIAL_BROKEN || trial->end == TRIAL_NO_PROGRESS;
}

/* ---- running them -------------------------------------------------------------------------- */

struct slot {
	struct trial trial;
	const struct explore_source *source;
	void *handle; /* NULL: free */
};

static void on_progress(void *context, unsigned long done, unsigned long total, const char *what)
{
	struct slot *slot = context;

	(void)what;
	/* The round after the last that ended is the one that it is in. */
	if (total)
		slot->trial.rounds = (unsigned int)done + 1;
	else
		slot->trial.rounds = 1;
}

static void on_stopped(void *context, uint64_t at_ns)
{
	const struct explore_source *source = ((struct slot *)context)->source;

	if (source->stopped)
		source->stopped(source->context, at_ns);
}

static int read_log(struct trial *trial)
{
	size_t size_bytes = 0;
	int err = read_file(trial->log_path, LOG_MAX_BYTES, &trial->log, &size_bytes);

	if (err == -ENOENT) {
		trial->log = strdup("");
		return trial->log ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !err && i < size_bytes; i++)
		if (!trial->log[i])
			trial->log[i] = '?';
	return err;
}

static int begin_trial(struct explore_guests *guests, struct slot *slot)
{
	struct trial *trial = &slot->trial;
	struct boot_request request = {
		.variant = &guests->variant,
		.plan = stress_plan_to_json(&trial->plan),
		.seed = trial->plan.trajectory,
		.watchdog_s = guests->campaign.watchdog_s,
		.limit_ns = explore_limit_ns(&trial->plan),
		.stop_ns = trial->stop_ns,
		.gdb_path = trial->gdb_path,
		.on_progress = on_progress,
		.on_stopped = on_stopped,
		.context = slot,
	};
	int err = -ENOMEM;

	trial->log_path = format_string("%s/%u.log", guests->log_folder, guests->booted++);
	request.log_path = trial->log_path;
	if (request.plan && trial->log_path) {
		unlink(trial->log_path);
		err = guests->campaign.target->start(&guests->campaign, &request, &slot->handle);
	}
	json_object_put(request.plan);
	if (err) {
		trial_release(trial);
		slot->handle = NULL;
	}
	return err;
}

/* Looks at one guest; hands it over when it has ended. */
static int look_after(struct explore_guests *guests, struct slot *slot,
		      const struct explore_source *source, unsigned int timeout_ms)
{
	struct trial *trial = &slot->trial;
	struct boot_answer answer;
	int err = guests->campaign.target->poll(slot->handle, timeout_ms, &answer);

	if (err)
		return err == -EAGAIN ? 0 : err;
	slot->handle = NULL;
	trial->wall_s = answer.wall_s;
	err = read_log(trial);
	if (err) {
		message_errno(err, "cannot read the log %s", trial->log_path);
	} else {
		explore_judge(trial, &answer, guests->known);
		err = source->done(source->context, trial);
	}
	json_object_put(answer.result);
	json_object_put(answer.environment);
	trial_release(trial);
	return err;
}

/* Fills free slots while there is something to do. How many are busy then, or a negative errno. */
static int fill_slots(struct explore_guests *guests, struct slot *slots,
		      const struct explore_source *source)
{
	int busy = 0;

	for (unsigned int i = 0; i < guests->jobs; i++) {
		int err = 0;

		if (!slots[i].handle) {
			slots[i].trial = (struct trial){0};
			slots[i].source = source;
			if (!source->next(source->context, &slots[i].trial))
				continue;
			err = begin_trial(guests, &slots[i]);
		}
		if (err)
			return err;
		busy++;
	}
	return busy;
}

int explore_guests_run(struct explore_guests *guests, const struct explore_source *source)
{
	struct slot *slots = calloc(guests->jobs, sizeof(*slots));
	int busy = slots ? 1 : -ENOMEM, err = 0;

	while (busy > 0 && !err) {
		busy = fill_slots(guests, slots, source);
		for (unsigned int i = 0; busy > 0 && i < guests->jobs && !err; i++)
			if (slots[i].handle)
				err = look_after(guests, &slots[i], source,
						 POLL_MS / (unsigned int)busy);
		if (!err && process_stop_requested())
			err = -EINTR;
	}
	for (unsigned int i = 0; slots && i < guests->jobs; i++) {
		if (!slots[i].handle)
			continue;
		guests->campaign.target->stop(slots[i].handle);
		trial_release(&slots[i].trial);
	}
	free(slots);
	return err ? err : busy < 0 ? busy : 0;
}

/* ---- where they run ---------------------------------------------------------------------------
 */

static unsigned int count_cpus(void)
{
	cpu_set_t allowed;

	return sched_getaffinity(0, sizeof(allowed), &allowed) ? 1
							       : (unsigned int)CPU_COUNT(&allowed);
}

/* Folders of explorations whose process is gone. */
static void remove_stale_logs(const char *parent)
{
	struct dirent *entry;
	DIR *dir = opendir(parent);

	while (dir && (entry = readdir(dir))) {
		char *path;
		uint64_t pid;

		if (parse_number(entry->d_name, 1, INT32_MAX, &pid) || !kill((pid_t)pid, 0) ||
		    errno != ESRCH)
			continue;
		path = format_string("%s/%s", parent, entry->d_name);
		if (path)
			remove_tree(path);
		free(path);
	}
	if (dir)
		closedir(dir);
}

/* Where consoles are written while guests run. NULL, with the message printed. */
static char *make_log_folder(void)
{
	char *parent = paths_build("explore");
	char *folder = parent ? format_string("%s/%d", parent, (int)getpid()) : NULL;
	int err = folder ? make_directories(folder) : -ENOMEM;

	if (!err)
		remove_stale_logs(parent);
	free(parent);
	if (!err)
		return folder;
	message_errno(err, "cannot make the folder %s", folder ? folder : "for the logs");
	free(folder);
	return NULL;
}

int explore_guests_open(struct explore_guests *guests, const struct explore_order *order,
			const char *folder, const char *kernel_path, unsigned int jobs)
{
	int err = -ENOMEM;

	*guests = (struct explore_guests){.jobs = jobs ? jobs : count_cpus()};
	guests->arguments = strdup(order->arguments);
	guests->known = order->known;
	guests->kernel_path = kernel_path ? strdup(kernel_path)
					  : format_string("%s/" EXPLORE_KERNEL_NAME, folder);
	guests->guest_path = format_string("%s/" EXPLORE_GUEST_NAME, folder);
	guests->log_folder = make_log_folder();
	if (!guests->log_folder)
		return err; /* it has been said why */
	if (!guests->arguments || !guests->kernel_path || !guests->guest_path)
		return message_errno(err, "cannot prepare the guests");
	guests->variant = (struct variant){.label = order->label,
					   .image_path = guests->kernel_path,
					   .arguments = guests->arguments};
	guests->campaign = (struct campaign){.time = TIME_VIRTUAL,
					     .target = &target_vm,
					     .variants = &guests->variant,
					     .n_variants = 1,
					     .topology = order->topology,
					     .memory_mib = order->memory_mib,
					     .watchdog_s = order->watchdog_s,
					     .guest_path = guests->guest_path};
	return target_vm.open(&guests->campaign);
}

void explore_guests_close(struct explore_guests *guests)
{
	if (guests->campaign.target_state)
		target_vm.close(&guests->campaign);
	if (guests->log_folder)
		remove_tree(guests->log_folder);
	free(guests->arguments);
	free(guests->kernel_path);
	free(guests->guest_path);
	free(guests->log_folder);
	*guests = (struct explore_guests){0};
}
