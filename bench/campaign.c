// SPDX-License-Identifier: GPL-2.0-only
/* A campaign's folder: made, found again, locked, freed. */
#include "bench/campaign_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/journal.h"
#include "bench/message.h"
#include "reports/json_strict.h"
#include "reports/sequential.h"

#define CAMPAIGN_MAX_BYTES (16u << 20)
#define BOOT_MAX_BYTES	   (256u << 20)
#define MAX_DRAWS	   1000u

/* The time and the seed do not tell campaigns in different folders apart: chance does. */
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
	return format_string("%s-%llu-%04x", stamp, (unsigned long long)seed, chance);
}

void campaign_free(struct campaign *campaign)
{
	if (!campaign)
		return;
	if (campaign->journal_fd >= 0)
		close(campaign->journal_fd);
	if (campaign->lock_fd >= 0)
		close(campaign->lock_fd);
	json_object_put(campaign->work);
	json_object_put(campaign->document);
	free(campaign->sequential);
	free(campaign->variants);
	free(campaign->boots);
	free(campaign->id);
	free(campaign->directory);
	free(campaign);
}

static struct campaign *new_campaign(const char *directory)
{
	struct campaign *campaign = calloc(1, sizeof(*campaign));

	if (!campaign)
		return NULL;
	campaign->lock_fd = campaign->journal_fd = -1;
	campaign->directory = strdup(directory);
	if (campaign->directory)
		return campaign;
	free(campaign);
	return NULL;
}

/* Takes the folder for this process; the lock goes with it, however it ends. */
static int lock_directory(struct campaign *campaign)
{
	campaign->lock_fd = open(campaign->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (campaign->lock_fd < 0)
		return message_errno(-errno, "cannot open %s", campaign->directory);
	if (!flock(campaign->lock_fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return message_errno(-errno, "cannot lock %s", campaign->directory);
	message_error("another proxeval is working on %s: wait for it, or stop it first",
		      campaign->directory);
	return -EBUSY;
}

static int open_journal(struct campaign *campaign, const char *event)
{
	char *path = format_string("%s/journal.jsonl", campaign->directory);
	char *logs = format_string("%s/logs", campaign->directory);
	int err = path && logs ? make_directories(logs) : -ENOMEM;

	if (!err) {
		campaign->journal_fd = journal_open(path);
		err = campaign->journal_fd < 0 ? campaign->journal_fd : 0;
	}
	if (!err)
		err = journal_append(campaign->journal_fd, journal_event(event));
	if (err)
		message_errno(err, "cannot write the journal of %s", campaign->directory);
	free(logs);
	free(path);
	return err;
}

/*
 * A new folder beside the one that is to be, under a name that nothing takes for a
 * campaign's: a start that is cut short leaves no results/<id> without its campaign.json.
 */
static int make_draft(const char *results, const char *id, char **draft)
{
	int err = 0;

	*draft = format_string("%s/.%s.new", results, id);
	if (!*draft)
		return -ENOMEM;
	if (mkdir(*draft, 0755))
		err = -errno;
	if (err) {
		free(*draft);
		*draft = NULL;
	}
	return err;
}

/* What the finished draft is renamed to; -EEXIST when another campaign has that name. */
static int publish_draft(struct campaign *campaign, const char *results)
{
	char *directory = format_string("%s/%s", results, campaign->id);
	int err = 0;

	if (!directory)
		return message_errno(-ENOMEM, "cannot name the folder of the campaign");
	/* The lock and the journal are descriptors: they come along. */
	if (renameat2(AT_FDCWD, campaign->directory, AT_FDCWD, directory, RENAME_NOREPLACE))
		err = -errno;
	if (err) {
		message_errno(err, "cannot make %s", directory);
		free(directory);
		return err;
	}
	free(campaign->directory);
	campaign->directory = directory;
	err = sync_parent(directory);
	return err ? message_errno(err, "cannot make %s last", directory) : 0;
}

/* Fills the draft's folder: campaign.json, then the journal. */
static int write_draft(struct campaign *campaign, struct json_object *document)
{
	char *path = format_string("%s/campaign.json", campaign->directory);
	int err = path ? lock_directory(campaign) : -ENOMEM;

	if (!err) {
		err = write_json_atomically(path, document);
		if (err)
			message_errno(err, "cannot write %s", path);
	}
	if (!err)
		err = open_journal(campaign, "campaign-begin");
	free(path);
	return err;
}

/* The name that is wanted, or one that is drawn until it is free; 0 with the draft's folder made.
 */
static int reserve(const struct campaign_request *request, char **id, char **draft)
{
	const char *results = request->results;
	int err = make_directories(results);

	*id = *draft = NULL;
	for (unsigned int i = 0; !err && i < MAX_DRAWS; i++) {
		char *directory;

		*id = request->id ? strdup(request->id) : draw_id(request->seed);
		directory = *id ? format_string("%s/%s", results, *id) : NULL;
		err = !directory ? -ENOMEM : access(directory, F_OK) ? 0 : -EEXIST;
		free(directory);
		if (!err)
			err = make_draft(results, *id, draft);
		if (!err)
			return 0;
		free(*id);
		*id = NULL;
		err = err == -EEXIST && !request->id ? 0 : err;
	}
	return message_errno(err ? err : -EEXIST, "cannot make a folder for the results in %s",
			     results);
}

int campaign_create(const struct campaign_request *request, struct campaign **out)
{
	struct campaign *campaign = NULL;
	struct campaign_reading reading = {0};
	char *id, *draft;
	int err = reserve(request, &id, &draft);

	if (err)
		return err;
	campaign = new_campaign(draft);
	err = campaign ? campaign_make_document(request, id, &reading.document) : -ENOMEM;
	if (!err)
		err = campaign_read_document(campaign, &reading);
	if (err == -EINVAL)
		message_error("the campaign cannot be written down: %s", reading.problem);
	if (!err)
		err = write_draft(campaign, reading.document);
	if (!err)
		err = publish_draft(campaign, request->results);
	if (err)
		remove_tree(draft);
	if (err)
		campaign_free(campaign);
	else
		*out = campaign;
	json_object_put(reading.document);
	free(draft);
	free(id);
	return err;
}

/* Whether the file at @path is the whole result of @boot. */
static bool is_result_of(const char *path, const struct campaign_boot *boot)
{
	struct json_object *document = NULL, *format = NULL, *of = NULL, *index = NULL;
	char problem[200];
	bool is_valid;

	if (json_strict_load(path, BOOT_MAX_BYTES, &document, problem, sizeof(problem)))
		return false;
	is_valid = json_object_object_get_ex(document, "format", &format) &&
		   json_object_is_type(format, json_type_string) &&
		   !strcmp(json_object_get_string(format), "proxeval-boot") &&
		   json_object_object_get_ex(document, "boot", &of) &&
		   json_object_object_get_ex(of, "index", &index) &&
		   json_object_get_int64(index) == (int64_t)boot->index;
	json_object_put(document);
	return is_valid;
}

/* A look that found all decided; only one that the plan has counts. */
static void replay_conclusion(struct campaign *campaign, struct json_object *event)
{
	const struct sequential_plan *plan = campaign->sequential;
	struct json_object *boots = NULL;

	json_object_object_get_ex(event, "boots", &boots);
	for (size_t i = 0; plan && i < plan->n_looks; i++)
		if (json_object_get_int64(boots) == (int64_t)plan->looks[i].boots)
			campaign->conclusive_boots = plan->looks[i].boots;
}

/* An attempt that ended and was not the last is used up; one that was cut short is not. */
static void replay(void *context, struct json_object *event)
{
	struct campaign *campaign = context;
	struct json_object *name = NULL, *index = NULL, *retry = NULL, *attempt = NULL;

	json_object_object_get_ex(event, "event", &name);
	if (!strcmp(json_object_get_string(name), "conclusive"))
		replay_conclusion(campaign, event);
	if (strcmp(json_object_get_string(name), "boot-end") != 0 ||
	    !json_object_object_get_ex(event, "index", &index) ||
	    !json_object_object_get_ex(event, "attempt", &attempt) ||
	    !json_object_object_get_ex(event, "retry", &retry) || !json_object_get_boolean(retry))
		return;
	if (json_object_get_int64(index) < 0 ||
	    (uint64_t)json_object_get_int64(index) >= campaign->n_boots)
		return;
	campaign->boots[json_object_get_int64(index)].attempt =
		(unsigned int)json_object_get_int(attempt) + 1;
}

static int find_done(struct campaign *campaign)
{
	char *journal = format_string("%s/journal.jsonl", campaign->directory);
	int err = journal ? journal_read(journal, replay, campaign) : -ENOMEM;

	for (size_t i = 0; i < campaign->n_boots && !err; i++) {
		char *name = campaign_boot_name(campaign, &campaign->boots[i]);
		char *path = name ? format_string("%s/%s.json", campaign->directory, name) : NULL;

		if (path)
			campaign->boots[i].done = is_result_of(path, &campaign->boots[i]);
		else
			err = -ENOMEM;
		free(path);
		free(name);
	}
	if (err)
		message_errno(err, "cannot read the journal of %s", campaign->directory);
	free(journal);
	return err;
}

static int check_images(const struct campaign *campaign)
{
	struct json_object *list = NULL;

	json_object_object_get_ex(campaign->document, "variants", &list);
	for (size_t i = 0; i < campaign->n_variants; i++) {
		const struct variant *variant = &campaign->variants[i];
		const char *expected =
			campaign_text_or_null(json_object_array_get_idx(list, i), "image_sha256");
		char found[SHA256_HEX_SIZE];
		int err;

		if (!variant->image_path)
			continue;
		err = sha256_file(variant->image_path, found);
		if (err) {
			message_errno(err, "cannot read the kernel image %s of the variant %s",
				      variant->image_path, variant->label);
			return -EINVAL;
		}
		if (expected && !strcmp(expected, found))
			continue;
		message_error(
			"the kernel image %s of the variant %s is not the one that the campaign "
			"began with: put that back, or start a new campaign with 'proxeval run'",
			variant->image_path, variant->label);
		return -EINVAL;
	}
	return 0;
}

/* campaign.json of @directory, parsed; -EINVAL with the message printed. */
static int load_document(const char *directory, struct json_object **out)
{
	char *path = format_string("%s/campaign.json", directory), problem[200];
	int err = path ? json_strict_load(path, CAMPAIGN_MAX_BYTES, out, problem, sizeof(problem))
		       : -ENOMEM;

	if (err) {
		if (err == -ENOENT || err == -ENOTDIR)
			message_error("%s is not a campaign's folder: it holds no campaign.json",
				      directory);
		else
			message_error("%s/campaign.json: %s", directory,
				      path ? problem : "there is not enough memory");
		free(path);
		return -EINVAL;
	}
	if (!json_object_is_type(*out, json_type_object)) {
		message_error("%s is not a campaign: it is not a JSON object", path);
		json_object_put(*out);
		*out = NULL;
		err = -EINVAL;
	}
	free(path);
	return err;
}

int campaign_load(struct campaign **out, const char *directory)
{
	struct campaign *campaign;
	struct campaign_reading reading = {0};
	int err = load_document(directory, &reading.document);

	if (err)
		return err;
	campaign = new_campaign(directory);
	err = campaign ? campaign_read_document(campaign, &reading) : -ENOMEM;
	if (err == -EINVAL)
		message_error("%s/campaign.json is not a campaign: %s", directory, reading.problem);
	if (!err)
		err = lock_directory(campaign);
	if (!err)
		err = find_done(campaign);
	if (!err && campaign_missing(campaign))
		err = check_images(campaign);
	if (!err && campaign_missing(campaign))
		err = open_journal(campaign, "campaign-resume");
	json_object_put(reading.document);
	if (err)
		campaign_free(campaign);
	else
		*out = campaign;
	return err;
}

/* Whether the boot is not one that an early stop made unnecessary. */
static bool is_needed(const struct campaign *campaign, const struct campaign_boot *boot)
{
	return !campaign->conclusive_boots || boot->round < campaign->conclusive_boots;
}

size_t campaign_planned(const struct campaign *campaign)
{
	size_t planned = 0;

	for (size_t i = 0; i < campaign->n_boots; i++)
		planned += is_needed(campaign, &campaign->boots[i]);
	return planned;
}

size_t campaign_missing(const struct campaign *campaign)
{
	size_t missing = 0;

	for (size_t i = 0; i < campaign->n_boots; i++)
		missing += is_needed(campaign, &campaign->boots[i]) && !campaign->boots[i].done;
	return missing;
}
