// SPDX-License-Identifier: GPL-2.0-only
#include "bench/campaign.h"

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

#include "bench/files.h"
#include "bench/journal.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/progress.h"

#define CAMPAIGN_MAX_BYTES (16u << 20)
#define RESULT_MAX_BYTES   (256u << 20)
#define MANIFEST_MAX_BYTES (1u << 20)
#define MAX_DRAWS	   1000u
/* How long all running boots together are waited for before we look at everything again. */
#define POLL_MS 100u
/*
 * How often a boot is tried again. One that made no progress may have met an unlucky
 * interleaving of a healthy kernel, and is worth two more, each with another seed; a
 * panic or a death is the kernel's word, and one more asks whether it is its last.
 */
#define RETRIES_NO_PROGRESS 2u
#define RETRIES_OTHER	    1u

/* ---- making, loading, freeing ---------------------------------------------------- */

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

int campaign_reserve(const char *results, const char *wanted, uint64_t seed, char **id,
		     char **directory)
{
	int err = make_directories(results);

	for (unsigned int attempt = 0; !err && attempt < MAX_DRAWS; attempt++) {
		*id = wanted ? strdup(wanted) : draw_id(seed);
		*directory = *id ? format_string("%s/%s", results, *id) : NULL;
		if (*directory && !mkdir(*directory, 0755))
			return 0;
		err = !*directory ? -ENOMEM : errno == EEXIST && !wanted ? 0 : -errno;
		free(*id);
		free(*directory);
	}
	*id = *directory = NULL;
	return message_errno(err ? err : -EEXIST, "cannot make a folder for the results in %s",
			     results);
}

void campaign_abandon(const char *directory)
{
	rmdir(directory);
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
	free(campaign->variants);
	free(campaign->boots);
	free(campaign->id);
	free(campaign->directory);
	free(campaign);
}

/* Copies the keys of the kernel's manifest that a result needs. */
static int add_manifest(struct json_object *object, const char *path)
{
	struct json_object *manifest, *value;
	char *bytes;
	int err;

	if (!path)
		return 0;
	err = read_file(path, MANIFEST_MAX_BYTES, &bytes, NULL);
	if (err)
		return message_errno(err, "cannot read the kernel's manifest %s", path);
	manifest = json_tokener_parse(bytes);
	free(bytes);
	if (json_object_object_get_ex(manifest, "base", &value))
		json_object_object_add(object, "base", json_object_get(value));
	if (json_object_object_get_ex(manifest, "series", &value))
		json_object_object_add(object, "series", json_object_get(value));
	json_object_put(manifest);
	return 0;
}

static void add_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static int describe_variant(const struct variant *variant, struct json_object *list)
{
	struct json_object *object = json_object_new_object();
	char sha256[SHA256_HEX_SIZE];
	int err = 0;

	add_text(object, "label", variant->label);
	add_text(object, "image_path", variant->image_path);
	if (variant->image_path)
		err = sha256_file(variant->image_path, sha256);
	if (err)
		message_errno(err, "cannot read the kernel image %s", variant->image_path);
	add_text(object, "image_sha256", variant->image_path && !err ? sha256 : NULL);
	add_text(object, "arguments", variant->arguments);
	add_text(object, "manifest_path", variant->manifest_path);
	if (!err)
		err = add_manifest(object, variant->manifest_path);
	json_object_array_add(list, object);
	return err;
}

static int describe_boots(const struct campaign_request *request, struct json_object *list)
{
	size_t count = request->n_variants * request->boots;
	struct campaign_boot *boots = calloc(count, sizeof(*boots));

	if (!boots)
		return message_errno(-ENOMEM, "cannot draw the order of %zu boots", count);
	campaign_draw_order(request->seed, request->time, (unsigned int)request->n_variants,
			    request->boots, boots);
	for (size_t i = 0; i < count; i++) {
		struct json_object *object = json_object_new_object();

		add_number(object, "index", boots[i].index);
		add_number(object, "round", boots[i].round);
		add_text(object, "variant", request->variants[boots[i].variant].label);
		add_number(object, "seed", boots[i].seed);
		json_object_array_add(list, object);
	}
	free(boots);
	return 0;
}

/* campaign.json: everything that is decided before the first boot. */
static int make_document(const struct campaign_request *request, struct json_object **out)
{
	struct json_object *document = json_object_new_object();
	struct json_object *variants = json_object_new_array(), *boots = json_object_new_array();
	int err = 0;

	for (size_t i = 0; i < request->n_variants && !err; i++)
		err = describe_variant(&request->variants[i], variants);
	if (!err)
		err = describe_boots(request, boots);
	add_text(document, "format", "proxeval-campaign");
	add_number(document, "version", 1);
	add_text(document, "id", request->id);
	add_number(document, "seed", request->seed);
	add_text(document, "target", request->target->name);
	add_text(document, "time", time_kind_name(request->time));
	add_text(document, "pairing", request->time == TIME_VIRTUAL ? "independent" : "rounds");
	add_text(document, "profile", request->profile);
	add_text(document, "topology", request->topology);
	add_number(document, "memory_mib", request->memory_mib);
	add_number(document, "watchdog_s", request->watchdog_s);
	json_object_object_add(document, "variants", variants);
	json_object_object_add(document, "work", json_object_get(request->work));
	json_object_object_add(document, "boots", boots);
	if (err)
		json_object_put(document);
	else
		*out = document;
	return err;
}

/* Reading campaign.json: the first thing that is wrong is kept in @problem. */
struct reading {
	struct json_object *document;
	char problem[256];
};

static struct json_object *field(struct reading *reading, struct json_object *object,
				 const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	if (!json_object_is_type(value, type) && !*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem), "\"%s\" is missing or wrong",
			 key);
	return *reading->problem ? NULL : value;
}

static const char *field_text(struct reading *reading, struct json_object *object, const char *key)
{
	return json_object_get_string(field(reading, object, key, json_type_string));
}

static uint64_t field_number(struct reading *reading, struct json_object *object, const char *key,
			     uint64_t max)
{
	struct json_object *value = field(reading, object, key, json_type_int);
	int64_t result = json_object_get_int64(value);

	if ((result < 0 || (uint64_t)result > max) && !*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem), "\"%s\" is out of range", key);
	return *reading->problem ? 0 : (uint64_t)result;
}

static const char *field_text_or_null(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int read_variants(struct campaign *campaign, struct reading *reading)
{
	struct json_object *list = field(reading, reading->document, "variants", json_type_array);

	campaign->n_variants = list ? json_object_array_length(list) : 0;
	campaign->variants = calloc(campaign->n_variants + 1, sizeof(*campaign->variants));
	if (!campaign->variants)
		return -ENOMEM;
	for (size_t i = 0; i < campaign->n_variants; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);

		campaign->variants[i] = (struct variant){
			.label = field_text(reading, object, "label"),
			.image_path = field_text_or_null(object, "image_path"),
			.arguments = field_text(reading, object, "arguments"),
			.manifest_path = field_text_or_null(object, "manifest_path"),
		};
	}
	return 0;
}

static unsigned int find_variant(const struct campaign *campaign, struct reading *reading,
				 const char *label)
{
	for (unsigned int i = 0; label && i < campaign->n_variants; i++)
		if (!strcmp(campaign->variants[i].label, label))
			return i;
	if (!*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem),
			 "a boot names a variant that is not in \"variants\"");
	return 0;
}

static int read_boots(struct campaign *campaign, struct reading *reading)
{
	struct json_object *list = field(reading, reading->document, "boots", json_type_array);

	campaign->n_boots = list ? json_object_array_length(list) : 0;
	campaign->boots = calloc(campaign->n_boots + 1, sizeof(*campaign->boots));
	if (!campaign->boots)
		return -ENOMEM;
	for (size_t i = 0; i < campaign->n_boots && !*reading->problem; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		struct campaign_boot *boot = &campaign->boots[i];

		boot->index = (unsigned int)field_number(reading, object, "index", UINT32_MAX);
		boot->round = (unsigned int)field_number(reading, object, "round", UINT32_MAX);
		boot->seed = field_number(reading, object, "seed", CAMPAIGN_MAX_SEED);
		boot->variant =
			find_variant(campaign, reading, field_text(reading, object, "variant"));
		if (boot->index != i && !*reading->problem)
			snprintf(reading->problem, sizeof(reading->problem),
				 "boot %zu calls itself %u", i, boot->index);
	}
	return 0;
}

static void read_words(struct campaign *campaign, struct reading *reading)
{
	struct json_object *document = reading->document;
	const char *time = field_text(reading, document, "time");
	const char *target = field_text(reading, document, "target");

	campaign->target = target ? target_find(target) : NULL;
	campaign->time = time && !strcmp(time, "virtual") ? TIME_VIRTUAL : TIME_REAL;
	if (*reading->problem)
		return;
	if (!campaign->target)
		snprintf(reading->problem, sizeof(reading->problem),
			 "\"target\" is %.40s, which this program does not know", target);
	else if (strcmp(time, time_kind_name(campaign->time)) != 0)
		snprintf(reading->problem, sizeof(reading->problem),
			 "\"time\" is %.40s, which this program does not know", time);
}

/* Fills a campaign from its document (kept by reference); -EINVAL with @reading's problem set. */
static int read_document(struct campaign *campaign, struct reading *reading)
{
	struct json_object *document = reading->document;
	const char *format = field_text(reading, document, "format"), *id;
	int err;

	if (!*reading->problem && strcmp(format, "proxeval-campaign") != 0)
		snprintf(reading->problem, sizeof(reading->problem),
			 "its \"format\" is not proxeval-campaign");
	if (field_number(reading, document, "version", UINT32_MAX) != 1 && !*reading->problem)
		snprintf(reading->problem, sizeof(reading->problem),
			 "it was written by another version of this program");
	campaign->document = json_object_get(document);
	id = field_text(reading, document, "id");
	campaign->id = id ? strdup(id) : NULL;
	read_words(campaign, reading);
	campaign->seed = field_number(reading, document, "seed", CAMPAIGN_MAX_SEED);
	campaign->topology = field_text_or_null(document, "topology");
	campaign->memory_mib = (unsigned int)field_number(reading, document, "memory_mib", 1 << 24);
	campaign->watchdog_s = (unsigned int)field_number(reading, document, "watchdog_s", 1 << 24);
	campaign->work = json_object_get(field(reading, document, "work", json_type_array));
	err = read_variants(campaign, reading);
	if (!err)
		err = read_boots(campaign, reading);
	if (!err && !*reading->problem && (!campaign->n_boots || !campaign->n_variants))
		snprintf(reading->problem, sizeof(reading->problem), "it plans no boots");
	return err ? err : *reading->problem ? -EINVAL : 0;
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

int campaign_create(const struct campaign_request *request, struct campaign **out)
{
	struct campaign *campaign = new_campaign(request->directory);
	struct reading reading = {0};
	char *path = format_string("%s/campaign.json", request->directory);
	int err = -ENOMEM;

	if (!campaign || !path)
		goto out_free;
	err = make_document(request, &reading.document);
	if (!err)
		err = read_document(campaign, &reading);
	if (err == -EINVAL)
		message_error("the campaign cannot be written down: %s", reading.problem);
	if (!err)
		err = lock_directory(campaign);
	if (!err) {
		err = write_json_atomically(path, reading.document);
		if (err)
			message_errno(err, "cannot write %s", path);
	}
	if (!err)
		err = open_journal(campaign, "campaign-begin");
out_free:
	json_object_put(reading.document);
	free(path);
	if (err)
		campaign_free(campaign);
	else
		*out = campaign;
	return err;
}

/* Whether the file at @path is the whole result of @boot. */
static bool is_result_of(const char *path, const struct campaign_boot *boot)
{
	struct json_object *document = NULL, *format = NULL, *of = NULL, *index = NULL;
	char *bytes;
	bool is_valid;

	if (read_file(path, RESULT_MAX_BYTES, &bytes, NULL))
		return false;
	document = json_tokener_parse(bytes);
	free(bytes);
	is_valid = json_object_object_get_ex(document, "format", &format) &&
		   json_object_is_type(format, json_type_string) &&
		   !strcmp(json_object_get_string(format), "proxeval-boot") &&
		   json_object_object_get_ex(document, "boot", &of) &&
		   json_object_object_get_ex(of, "index", &index) &&
		   json_object_get_int64(index) == (int64_t)boot->index;
	json_object_put(document);
	return is_valid;
}

/* An attempt that ended and was not the last is used up; one that was cut short is not. */
static void replay(void *context, struct json_object *event)
{
	struct campaign *campaign = context;
	struct json_object *name = NULL, *index = NULL, *retry = NULL, *attempt = NULL;

	json_object_object_get_ex(event, "event", &name);
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
			field_text_or_null(json_object_array_get_idx(list, i), "image_sha256");
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
	char *path = format_string("%s/campaign.json", directory), *bytes;
	int err = path ? read_file(path, CAMPAIGN_MAX_BYTES, &bytes, NULL) : -ENOMEM;

	if (err) {
		if (err == -ENOENT || err == -ENOTDIR)
			message_error("%s is not a campaign's folder: it holds no campaign.json",
				      directory);
		else
			message_errno(err, "cannot read %s/campaign.json", directory);
		free(path);
		return -EINVAL;
	}
	*out = json_tokener_parse(bytes);
	free(bytes);
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
	struct reading reading = {0};
	int err = load_document(directory, &reading.document);

	if (err)
		return err;
	campaign = new_campaign(directory);
	err = campaign ? read_document(campaign, &reading) : -ENOMEM;
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

size_t campaign_missing(const struct campaign *campaign)
{
	size_t missing = 0;

	for (size_t i = 0; i < campaign->n_boots; i++)
		missing += !campaign->boots[i].done;
	return missing;
}

/* ---- running ------------------------------------------------------------------------ */

/* A boot under way. */
struct slot {
	struct execution *execution;
	struct campaign_boot *boot; /* NULL: the slot is free */
	void *handle;
	char *name, *log_path;
	char started[32];
};

struct execution {
	struct campaign *campaign;
	struct slot *slots;
	unsigned int n_slots;
	bool has_reached_runner; /* some boot of this run did: the machinery works */
	bool *is_hopeless;	 /* per variant: it cannot even boot */
};

static void format_utc(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static const char *label_of(const struct campaign *campaign, const struct campaign_boot *boot)
{
	return campaign->variants[boot->variant].label;
}

static int write_event(struct campaign *campaign, struct json_object *event)
{
	int err = journal_append(campaign->journal_fd, event);

	return err ? message_errno(err, "cannot write the journal of %s", campaign->directory) : 0;
}

static struct json_object *boot_event(const char *name, const struct campaign_boot *boot)
{
	struct json_object *event = journal_event(name);

	if (event) {
		add_number(event, "index", boot->index);
		add_number(event, "attempt", boot->attempt);
	}
	return event;
}

static size_t count_done(const struct campaign *campaign)
{
	return campaign->n_boots - campaign_missing(campaign);
}

static void show_progress(void *context, unsigned long done, unsigned long total, const char *what)
{
	struct slot *slot = context;
	const struct campaign *campaign = slot->execution->campaign;
	char detail[256];

	if (total)
		snprintf(detail, sizeof(detail), "boot %u %s: %lu/%lu %s", slot->boot->index,
			 label_of(campaign, slot->boot), done, total, what);
	else
		snprintf(detail, sizeof(detail), "boot %u %s: %s", slot->boot->index,
			 label_of(campaign, slot->boot), what);
	progress_update(count_done(campaign), detail);
}

static void free_slot(struct slot *slot)
{
	free(slot->name);
	free(slot->log_path);
	if (slot->boot)
		slot->boot->running = false;
	slot->boot = NULL;
	slot->handle = NULL;
	slot->name = slot->log_path = NULL;
}

static int begin_boot(struct execution *execution, struct slot *slot, struct campaign_boot *boot)
{
	struct campaign *campaign = execution->campaign;
	struct boot_request request = {
		.variant = &campaign->variants[boot->variant],
		.plan = campaign_plan(campaign, boot),
		.seed = campaign_attempt_seed(boot->seed, boot->attempt),
		.attempt = boot->attempt,
		.watchdog_s = campaign->watchdog_s,
		.on_progress = show_progress,
		.context = slot,
	};
	int err = -ENOMEM;

	slot->boot = boot;
	boot->running = true;
	slot->name = campaign_boot_name(campaign, boot);
	if (slot->name)
		slot->log_path = format_string("%s/logs/%s.log", campaign->directory, slot->name);
	request.log_path = slot->log_path;
	format_utc(slot->started, sizeof(slot->started));
	if (slot->log_path && request.plan)
		err = write_event(campaign, boot_event("boot-begin", boot));
	if (!err)
		err = campaign->target->start(campaign, &request, &slot->handle);
	json_object_put(request.plan);
	if (err)
		free_slot(slot);
	return err;
}

/* Writes the boot's result and says in the journal that it is there. */
static int finish_boot(struct campaign *campaign, struct campaign_boot *boot, const char *name,
		       const struct boot_answer *answer, const char *started)
{
	struct json_object *result = campaign_result(campaign, boot, answer, started), *event;
	char *path = format_string("%s/%s.json", campaign->directory, name);
	int err = result && path ? write_json_atomically(path, result) : -ENOMEM;

	if (err)
		message_errno(err, "cannot write the result of boot %u to %s", boot->index,
			      campaign->directory);
	if (!err) {
		boot->done = true;
		event = boot_event("boot-end", boot);
		add_text(event, "outcome", boot_outcome_name(answer->outcome));
		json_object_object_add(event, "retry", json_object_new_boolean(0));
		add_text(event, "reason", answer->outcome == BOOT_OK ? NULL : answer->reason);
		err = write_event(campaign, event);
	}
	json_object_put(result);
	free(path);
	return err;
}

/* Keeps the log of an attempt that is to be followed by another. */
static int retry_boot(struct campaign *campaign, struct slot *slot,
		      const struct boot_answer *answer)
{
	struct campaign_boot *boot = slot->boot;
	struct json_object *event = boot_event("boot-end", boot);
	char *kept = format_string("%s/logs/%s.attempt-%u.log", campaign->directory, slot->name,
				   boot->attempt);
	int err;

	if (kept)
		rename(slot->log_path, kept);
	free(kept);
	add_text(event, "outcome", boot_outcome_name(answer->outcome));
	json_object_object_add(event, "retry", json_object_new_boolean(1));
	add_text(event, "reason", answer->reason);
	err = write_event(campaign, event);
	message_warning("boot %u (%s) %s: %s; trying again with another seed", boot->index,
			label_of(campaign, boot), boot_outcome_name(answer->outcome),
			answer->reason);
	boot->attempt++;
	return err;
}

static unsigned int retries_for(const struct execution *execution, const struct boot_answer *answer)
{
	switch (answer->outcome) {
	case BOOT_OK:
	case BOOT_STOPPED:
		return 0;
	case BOOT_NO_PROGRESS:
	case BOOT_FAILED:
		/* Where no guest ever got to work, a third wait would teach us nothing. */
		return execution->has_reached_runner ? RETRIES_NO_PROGRESS : RETRIES_OTHER;
	default:
		return RETRIES_OTHER;
	}
}

/* Whether any boot of the variant has ended well, in this run or before. */
static bool is_known_to_boot(const struct campaign *campaign, unsigned int variant)
{
	for (size_t i = 0; i < campaign->n_boots; i++)
		if (campaign->boots[i].variant == variant && campaign->boots[i].done)
			return true;
	return false;
}

static int end_boot(struct execution *execution, struct slot *slot, struct boot_answer *answer)
{
	struct campaign *campaign = execution->campaign;
	struct campaign_boot *boot = slot->boot;
	bool is_first = !is_known_to_boot(campaign, boot->variant);
	int err;

	execution->has_reached_runner |= answer->reached_runner;
	if (boot->attempt < retries_for(execution, answer)) {
		err = retry_boot(campaign, slot, answer);
	} else {
		if (answer->outcome != BOOT_OK)
			message_warning("boot %u (%s) %s: %s; its log is %s", boot->index,
					label_of(campaign, boot),
					boot_outcome_name(answer->outcome), answer->reason,
					slot->log_path);
		err = finish_boot(campaign, boot, slot->name, answer, slot->started);
		if (is_first && !answer->reached_runner)
			execution->is_hopeless[boot->variant] = true;
	}
	json_object_put(answer->result);
	json_object_put(answer->environment);
	free_slot(slot);
	progress_update(count_done(campaign), NULL);
	return err;
}

/* The boots of a variant whose first never reached the runner: said, not tried. */
static int skip_boot(struct execution *execution, struct campaign_boot *boot)
{
	struct campaign *campaign = execution->campaign;
	struct boot_answer answer = {.outcome = BOOT_FAILED};
	char *name = campaign_boot_name(campaign, boot);
	char now[32];
	int err;

	if (!name)
		return -ENOMEM;
	format_utc(now, sizeof(now));
	snprintf(answer.reason, sizeof(answer.reason),
		 "not tried: the first boot of this variant never reached the runner");
	err = finish_boot(campaign, boot, name, &answer, now);
	free(name);
	return err;
}

static int fill_slots(struct execution *execution)
{
	struct campaign *campaign = execution->campaign;
	int err = 0;

	for (size_t i = 0, slot = 0; i < campaign->n_boots && !err; i++) {
		struct campaign_boot *boot = &campaign->boots[i];

		if (boot->done || boot->running)
			continue;
		if (execution->is_hopeless[boot->variant]) {
			err = skip_boot(execution, boot);
			continue;
		}
		while (slot < execution->n_slots && execution->slots[slot].boot)
			slot++;
		if (slot == execution->n_slots)
			break;
		err = begin_boot(execution, &execution->slots[slot], boot);
	}
	return err;
}

static unsigned int count_running(const struct execution *execution)
{
	unsigned int running = 0;

	for (unsigned int i = 0; i < execution->n_slots; i++)
		running += execution->slots[i].boot != NULL;
	return running;
}

static int poll_slots(struct execution *execution, unsigned int running)
{
	int err = 0;

	for (unsigned int i = 0; i < execution->n_slots && !err; i++) {
		struct slot *slot = &execution->slots[i];
		struct boot_answer answer;

		if (!slot->boot)
			continue;
		err = execution->campaign->target->poll(slot->handle, POLL_MS / running + 1,
							&answer);
		if (!err)
			err = end_boot(execution, slot, &answer);
		else if (err == -EAGAIN)
			err = 0;
	}
	return err;
}

static void stop_slots(struct execution *execution)
{
	for (unsigned int i = 0; i < execution->n_slots; i++) {
		struct slot *slot = &execution->slots[i];

		if (!slot->boot)
			continue;
		execution->campaign->target->stop(slot->handle);
		free_slot(slot);
	}
}

static int execute(struct execution *execution)
{
	unsigned int running;
	int err = 0;

	while (!err) {
		if (process_stop_requested())
			return -EINTR;
		err = fill_slots(execution);
		running = count_running(execution);
		if (err || !running)
			break;
		err = poll_slots(execution, running);
	}
	return err;
}

static int run_slots(struct campaign *campaign)
{
	struct execution execution = {.campaign = campaign};
	int err = -ENOMEM;

	execution.n_slots = campaign->target->parallel_boots(campaign);
	execution.slots = calloc(execution.n_slots, sizeof(*execution.slots));
	execution.is_hopeless = calloc(campaign->n_variants, sizeof(*execution.is_hopeless));
	if (!execution.slots || !execution.is_hopeless)
		goto out_free;
	for (unsigned int i = 0; i < execution.n_slots; i++)
		execution.slots[i].execution = &execution;
	progress_begin("booting and measuring", campaign->n_boots);
	err = execute(&execution);
	stop_slots(&execution);
	progress_end(err ? "stopped" : NULL);
	/* The journal may be what failed: then the error is told already. */
	journal_append(campaign->journal_fd, journal_event(err ? "campaign-stop" : "campaign-end"));
out_free:
	free(execution.slots);
	free(execution.is_hopeless);
	return err;
}

int campaign_run(struct campaign *campaign)
{
	int err;

	if (!campaign_missing(campaign))
		return 0;
	if (campaign->target->open) {
		err = campaign->target->open(campaign);
		if (err)
			return err;
	}
	err = run_slots(campaign);
	if (campaign->target->close)
		campaign->target->close(campaign);
	return err;
}
