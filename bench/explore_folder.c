// SPDX-License-Identifier: GPL-2.0-only
/* An exploration's folder: made, found again, locked, freed. */
#include "bench/explore.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/guest_files.h"
#include "bench/journal.h"
#include "bench/message.h"
#include "bench/qemu.h"
#include "reports/json_strict.h"

#define DOCUMENT_MAX_BYTES (1u << 20)
#define IMAGE_MAX_BYTES	   (1u << 30)

/*
 * Behind the variant's own: warnings show on the console with their stacks; an NMI, which the end
 * of virtual time sends, is answered with a panic, and that with what each CPU does. A guest whose
 * CPUs are busy costs some 5 s of the host's for each of its own: the kernel's own detectors are
 * told to look sooner than they would, for soft lockups after 4 s, stalls of RCU after 5 s and hung
 * tasks after 6 to 12 s. Nothing here takes a fraction of that. Told the speed of the TSC and of a
 * delay's loop, which QEMU's clock makes 1 GHz, the kernel measures neither: a fifth of a second
 * per boot.
 */
#define EXPLORE_ARGUMENTS                                                          \
	"loglevel=5 unknown_nmi_panic panic_sys_info=all_bt "                      \
	"softlockup_all_cpu_backtrace=1 watchdog_thresh=2 "                        \
	"rcupdate.rcu_cpu_stall_timeout=5 sysctl.kernel.hung_task_timeout_secs=6 " \
	"tsc_early_khz=1000000 lpj=1000000"

void explore_free(struct explore *explore)
{
	if (!explore)
		return;
	if (explore->journal_fd >= 0)
		close(explore->journal_fd);
	if (explore->lock_fd >= 0)
		close(explore->lock_fd);
	guest_identity_release(&explore->guest);
	free(explore->is_done);
	free(explore->finds);
	free(explore->id);
	free(explore->directory);
	free(explore);
}

static struct explore *new_explore(void)
{
	struct explore *explore = calloc(1, sizeof(*explore));

	if (explore)
		explore->lock_fd = explore->journal_fd = -1;
	return explore;
}

/* Takes the folder for this process; the lock goes with it, however it ends. */
static int lock_folder(struct explore *explore)
{
	explore->lock_fd = open(explore->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (explore->lock_fd < 0)
		return message_errno(-errno, "cannot open %s", explore->directory);
	if (!flock(explore->lock_fd, LOCK_EX | LOCK_NB))
		return 0;
	message_error("another proxeval is working on %s: wait for it, or stop it first",
		      explore->directory);
	return -EBUSY;
}

static int open_journal(struct explore *explore)
{
	char *path = format_string("%s/journal.jsonl", explore->directory);
	int err = path ? 0 : -ENOMEM;

	if (!err) {
		explore->journal_fd = journal_open(path);
		err = explore->journal_fd < 0 ? explore->journal_fd : 0;
	}
	if (err)
		message_errno(err, "cannot open the journal of %s", explore->directory);
	free(path);
	return err;
}

/* ---- a new one ------------------------------------------------------------------------------- */

static char *draw_id(uint64_t seed)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm utc;
	uint16_t chance;

	if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		return NULL;
	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &utc);
	return format_string("explore-%s-%llu-%04x", stamp, (unsigned long long)seed, chance);
}

/* The kernel and the guest's files as they are now: what is found with them replays with them. */
static int keep_inputs(struct explore *explore)
{
	char *kernel = format_string("%s/" EXPLORE_KERNEL_NAME, explore->directory);
	char *guest = format_string("%s/" EXPLORE_GUEST_NAME, explore->directory), *image = NULL;
	void *files = NULL;
	size_t image_bytes, files_bytes;
	int err = kernel && guest ? 0 : -ENOMEM;

	if (!err)
		err = read_file(explore->order.image_path, IMAGE_MAX_BYTES, &image, &image_bytes);
	if (!err)
		err = write_file_atomically(kernel, image, image_bytes);
	if (err)
		message_errno(err, "cannot copy the kernel image %s to %s",
			      explore->order.image_path, explore->directory);
	else
		err = guest_files_pack(NULL, &files, &files_bytes);
	if (!err) {
		sha256_bytes(image, image_bytes, explore->guest.image_sha256);
		sha256_bytes(files, files_bytes, explore->guest.guest_sha256);
		explore_read_release(kernel, explore->guest.kernel, sizeof(explore->guest.kernel));
		err = write_file_atomically(guest, files, files_bytes);
		if (err)
			message_errno(err, "cannot write %s", guest);
	}
	free(files);
	free(image);
	free(guest);
	free(kernel);
	return err;
}

static int fill_identity(struct explore *explore)
{
	struct explore_order *order = &explore->order;
	struct guest_identity *guest = &explore->guest;
	struct qemu_version version;
	int err = qemu_find_version(&version);

	guest->label = strdup(order->label);
	guest->arguments = format_string("%s%s" EXPLORE_ARGUMENTS, order->arguments,
					 *order->arguments ? " " : "");
	guest->topology = strdup(order->topology);
	guest->image_path = strdup(order->image_path);
	guest->memory_mib = order->memory_mib;
	guest->watchdog_s = order->watchdog_s;
	if (!err)
		memcpy(guest->qemu, version.text, sizeof(guest->qemu));
	if (!guest->label || !guest->arguments || !guest->topology || !guest->image_path)
		err = -ENOMEM;
	order->arguments = guest->arguments;
	return err ? message_errno(err, "cannot say what the guests are") : 0;
}

static int write_order(const struct explore *explore)
{
	char *path = format_string("%s/explore.json", explore->directory);
	char *finds = format_string("%s/finds", explore->directory);
	struct json_object *document = explore_to_json(explore);
	int err = path && finds && document ? make_directories(finds) : -ENOMEM;

	if (!err)
		err = write_json_atomically(path, document);
	if (err)
		message_errno(err, "cannot write %s", path ? path : "explore.json");
	json_object_put(document);
	free(finds);
	free(path);
	return err;
}

/* It has its name only when it is whole. */
static int publish(struct explore *explore, const char *results)
{
	char *directory = format_string("%s/%s", results, explore->id);
	int err = directory ? 0 : -ENOMEM;

	if (!err && renameat2(AT_FDCWD, explore->directory, AT_FDCWD, directory, RENAME_NOREPLACE))
		err = -errno;
	if (err) {
		message_errno(err, "cannot make %s", directory ? directory : results);
		free(directory);
		return err;
	}
	free(explore->directory);
	explore->directory = directory;
	return sync_parent(directory);
}

int explore_create(const struct explore_order *order, struct explore **out)
{
	struct explore *explore = new_explore();
	int err = -ENOMEM;

	if (!explore)
		return message_errno(err, "cannot begin");
	explore->order = *order;
	explore->is_done = calloc(order->seeds + 1, 1);
	explore->id = order->id ? strdup(order->id) : draw_id(order->first_seed);
	if (explore->id)
		explore->directory = format_string("%s/.%s.new", order->results, explore->id);
	err = explore->directory && explore->is_done ? make_directories(explore->directory)
						     : -ENOMEM;
	if (err)
		message_errno(err, "cannot make a folder in %s", order->results);
	if (!err)
		err = lock_folder(explore);
	if (!err)
		err = fill_identity(explore);
	if (!err)
		err = keep_inputs(explore);
	if (!err)
		err = write_order(explore);
	if (!err)
		err = open_journal(explore);
	if (!err)
		err = publish(explore, order->results);
	if (err) {
		if (explore->directory)
			remove_tree(explore->directory);
		explore_free(explore);
		return err;
	}
	*out = explore;
	return 0;
}

/* ---- an old one --------------------------------------------------------------------------------
 */

static uint64_t number_of(struct json_object *event, const char *key, bool *has)
{
	struct json_object *value;

	*has = json_object_object_get_ex(event, key, &value) &&
	       json_object_is_type(value, json_type_int);
	return *has ? json_object_get_uint64(value) : 0;
}

static struct find *find_numbered(struct explore *explore, uint64_t number)
{
	return number >= 1 && number <= explore->n_finds ? &explore->finds[number - 1] : NULL;
}

static void take_event(void *context, struct json_object *event)
{
	struct explore *explore = context;
	struct json_object *name, *end;
	bool has_seed, has_find;
	uint64_t seed = number_of(event, "seed", &has_seed) - explore->order.first_seed;
	uint64_t number = number_of(event, "find", &has_find);
	struct find *find = has_find ? find_numbered(explore, number) : NULL;

	json_object_object_get_ex(event, "event", &name);
	if (!strcmp(json_object_get_string(name), "shrunk") && find)
		find->is_shrunk = true;
	if (strcmp(json_object_get_string(name), "seed") != 0 || !has_seed ||
	    seed >= explore->order.seeds || explore->is_done[seed] ||
	    !json_object_object_get_ex(event, "end", &end) ||
	    (has_find && !find) /* its folder is gone: the seed will find it again */ ||
	    !json_object_is_type(end, json_type_string) ||
	    !strcmp(json_object_get_string(end), "broken") ||
	    !strcmp(json_object_get_string(end), "no-progress"))
		return;
	explore->is_done[seed] = 1;
	explore->n_done++;
	explore->n_operations += number_of(event, "operations", &has_seed);
	if (find) {
		find->n_seeds++;
		explore->n_found += !find->is_known;
	}
}

/* finds/0001 and so on, up to the first that is not there. */
static int load_finds(struct explore *explore)
{
	for (unsigned int number = 1;; number++) {
		char *path = find_path(explore, number);
		struct find_folder folder;
		struct find *grown;
		int err = path ? 0 : -ENOMEM;

		if (!err && access(path, F_OK)) {
			free(path);
			return 0;
		}
		if (!err)
			err = find_read(&folder, path);
		free(path);
		if (err)
			return err;
		grown = realloc(explore->finds, number * sizeof(*explore->finds));
		if (grown) {
			explore->finds = grown;
			grown[explore->n_finds] = folder.find;
			explore->n_known += folder.find.is_known;
			grown[explore->n_finds++].is_shrunk = false; /* the journal knows */
		}
		find_folder_release(&folder);
		if (!grown)
			return message_errno(-ENOMEM, "cannot load the finds");
	}
}

static int load_order(struct explore *explore)
{
	char *path = format_string("%s/explore.json", explore->directory), problem[256];
	struct json_object *document = NULL;
	int err = path ? json_strict_load(path, DOCUMENT_MAX_BYTES, &document, problem,
					  sizeof(problem))
		       : -ENOMEM;

	if (!err)
		err = explore_from_json(explore, document, problem, sizeof(problem));
	if (err)
		message_error("%s: %s; give the folder of an exploration, as in results/explore-…",
			      path ? path : explore->directory, problem);
	json_object_put(document);
	free(path);
	return err == -ENOENT || err == -ENOTDIR ? -EINVAL : err;
}

static int check_file(const struct explore *explore, const char *name, const char *sha256)
{
	char *path = format_string("%s/%s", explore->directory, name), found[SHA256_HEX_SIZE];
	int err = path ? sha256_file(path, found) : -ENOMEM;

	if (err) {
		message_errno(err, "cannot read %s", path ? path : name);
	} else if (strcmp(found, sha256) != 0) {
		message_error("%s is not what this exploration began with", path);
		err = -EINVAL;
	}
	free(path);
	return err;
}

static int load_journal(struct explore *explore)
{
	char *path = format_string("%s/journal.jsonl", explore->directory);
	int err = path ? journal_read(path, take_event, explore) : -ENOMEM;

	if (err)
		message_errno(err, "cannot read %s", path ? path : "the journal");
	free(path);
	return err;
}

int explore_load(struct explore **out, const char *directory)
{
	struct explore *explore = new_explore();
	int err = -ENOMEM;

	if (explore)
		explore->directory = strdup(directory);
	if (!explore || !explore->directory) {
		explore_free(explore);
		return message_errno(err, "cannot load %s", directory);
	}
	err = load_order(explore);
	if (!err)
		err = lock_folder(explore);
	if (!err) {
		explore->is_done = calloc(explore->order.seeds + 1, 1);
		err = explore->is_done ? 0 : -ENOMEM;
	}
	if (!err)
		err = check_file(explore, EXPLORE_KERNEL_NAME, explore->guest.image_sha256);
	if (!err)
		err = check_file(explore, EXPLORE_GUEST_NAME, explore->guest.guest_sha256);
	if (!err)
		err = load_finds(explore);
	if (!err)
		err = load_journal(explore);
	if (!err)
		err = open_journal(explore);
	if (err)
		explore_free(explore);
	else
		*out = explore;
	return err;
}
