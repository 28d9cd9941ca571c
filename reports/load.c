// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files to results in four steps: the list of files, in order; their documents, read by as
 * many threads as there are processors, each on its own; the documents put together in
 * order, where names become indices; and what can be said when all boots are known.
 */
#include "reports/load.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <json-c/json.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/loading.h"

#define THREADS_MAX	 16
#define FILES_PER_THREAD 16 /* fewer are read sooner than a thread is started */

static const char *const statistic_words[] = {"p50", "p90", "p99", "p99_9", "max", "value", NULL};

/* A thread's own: it shares nothing while it reads. */
struct worker {
	struct loading *loading;
	struct arena arena;
	pthread_t thread;
	bool is_running;
};

const char *statistic_word(enum statistic statistic)
{
	return statistic_words[statistic];
}

uint64_t bucket_lower_edge(uint32_t bits, uint32_t index)
{
	uint32_t half = 1u << (bits - 1);

	if (index < 2 * half)
		return index;
	return (uint64_t)(half + index % half) << (index / half - 1);
}

uint64_t bucket_width(uint32_t bits, uint32_t index)
{
	uint32_t half = 1u << (bits - 1);

	return index < 2 * half ? 1 : UINT64_C(1) << (index / half - 1);
}

int document_load(const char *path, const char *format, struct json_object **out, char *error,
		  size_t error_size)
{
	struct arena arena = {0};
	struct reader reader;
	const struct json_node *document;
	struct json_tokener *tokener = json_tokener_new_ex(RESULT_MAX_DEPTH + 1);
	struct boot_document boot;

	*out = NULL;
	reader_init(&reader, &arena);
	document = reader_load(&reader, path, format);
	/* Broken is broken, whoever reads it. */
	if (document && !strcmp(format, "proxeval-boot"))
		boot_document_read(&reader, document, RESULT_FIGURES, &boot);
	if (document && tokener && !reader.has_failed)
		*out = json_tokener_parse_ex(tokener, document->text, (int)document->size_bytes);
	if (document && !*out)
		reader_no_memory(&reader);
	if (!*out)
		snprintf(error, error_size, "%s", reader.error);
	json_tokener_free(tokener);
	reader_release(&reader);
	arena_release(&arena);
	return *out ? 0 : -EINVAL;
}

int boot_document_load(const char *path, struct json_object **out, char *error, size_t error_size)
{
	return document_load(path, "proxeval-boot", out, error, error_size);
}

/* The list of files. */

int loading_no_memory(struct loading *loading)
{
	snprintf(loading->results->error, sizeof(loading->results->error),
		 "there is not enough memory");
	return -ENOMEM;
}

static struct job *add_job(struct loading *loading, const char *path)
{
	struct arena *arena = &loading->results->arena;
	struct job *job =
		arena_append(arena, &loading->jobs, &loading->n_jobs, sizeof(*loading->jobs));

	if (job)
		job->path = arena_text(arena, path);
	return job && job->path ? job : NULL;
}

static int is_boot_file(const struct dirent *entry)
{
	return !fnmatch("boot-*.json", entry->d_name, 0);
}

/* Whether a folder in @directory is a campaign's. */
static bool holds_campaigns(const char *directory)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder = opendir(directory);
	bool is_found = false;

	while (folder && !is_found && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.3600s/%.255s/campaign.json", directory,
			 entry->d_name);
		is_found = !access(path, F_OK);
	}
	if (folder)
		closedir(folder);
	return is_found;
}

static int no_boots(struct results *results, const char *directory, bool is_campaign)
{
	if (!is_campaign && holds_campaigns(directory)) {
		snprintf(results->error, sizeof(results->error),
			 "%.200s: the folder holds campaigns' folders and no boot; name "
			 "one of them, or %.200s/* for all",
			 directory, directory);
		return -EINVAL;
	}
	snprintf(results->error, sizeof(results->error),
		 is_campaign ? "%.400s: no boot of this campaign has finished yet"
			     : "%.400s: the folder holds no boot-*.json; name a campaign's folder",
		 directory);
	return is_campaign ? -ENOENT : -EINVAL;
}

/* What campaign.json says comes before its boots. */
static int list_campaign(struct loading *loading, const char *directory, const char *path)
{
	struct job *job = add_job(loading, path);

	if (job)
		job->directory = arena_text(&loading->results->arena, directory);
	return job && job->directory ? 0 : loading_no_memory(loading);
}

static int list_boots(struct loading *loading, const char *directory, size_t plan)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX];
	int count = scandir(directory, &entries, is_boot_file, alphasort), err = 0;

	if (count < 0) {
		err = -errno;
		snprintf(loading->results->error, sizeof(loading->results->error),
			 "%.400s: it cannot be read: %s", directory, strerror(-err));
		return err;
	}
	if (!count)
		err = no_boots(loading->results, directory, plan > 0);
	for (int i = 0; i < count; i++) {
		struct job *job = NULL;

		snprintf(path, sizeof(path), "%.3800s/%.255s", directory, entries[i]->d_name);
		if (!err)
			job = add_job(loading, path);
		if (job)
			job->plan = plan;
		else if (!err)
			err = loading_no_memory(loading);
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int list_directory(struct loading *loading, const char *directory)
{
	struct stat status;
	char path[PATH_MAX];
	size_t plan = 0;
	int err = 0;

	snprintf(path, sizeof(path), "%.4000s/campaign.json", directory);
	/* A link to nowhere is there, too, and reading it says what is wrong. */
	if (!lstat(path, &status)) {
		err = list_campaign(loading, directory, path);
		plan = loading->n_jobs;
	}
	return err ? err : list_boots(loading, directory, plan);
}

/* What is listed before something went wrong is still read: the first thing wrong is named. */
static void list_paths(struct loading *loading, const char *const *paths, size_t n_paths)
{
	for (size_t i = 0; i < n_paths && !loading->err; i++) {
		struct stat status;

		if (!stat(paths[i], &status) && S_ISDIR(status.st_mode))
			loading->err = list_directory(loading, paths[i]);
		else if (!add_job(loading, paths[i]))
			loading->err = loading_no_memory(loading);
	}
}

/* Reading. */

static void note_failure(struct loading *loading, size_t job)
{
	size_t first = atomic_load(&loading->first_failed);

	while (job < first && !atomic_compare_exchange_weak(&loading->first_failed, &first, job))
		continue;
}

static void read_job(struct reader *reader, enum result_parts parts, struct job *job)
{
	const struct json_node *document = reader_load(
		reader, job->path, job->directory ? "proxeval-campaign" : "proxeval-boot");

	if (document && job->directory)
		campaign_document_read(reader, document, &job->campaign);
	else if (document)
		boot_document_read(reader, document, parts, &job->boot);
	if (reader->has_failed) {
		job->error = arena_text(reader->arena, reader->error);
		if (!job->error)
			job->error = "there is not enough memory";
	}
}

static void *run_worker(void *argument)
{
	struct worker *worker = argument;
	struct loading *loading = worker->loading;
	struct reader reader;
	size_t i;

	reader_init(&reader, &worker->arena);
	while ((i = atomic_fetch_add(&loading->next, 1)) < loading->n_jobs &&
	       i < atomic_load(&loading->first_failed)) {
		read_job(&reader, loading->parts, &loading->jobs[i]);
		if (loading->jobs[i].error)
			note_failure(loading, i);
	}
	reader_release(&reader);
	return NULL;
}

static size_t count_threads(size_t n_jobs)
{
	size_t count = n_jobs / FILES_PER_THREAD;
	cpu_set_t usable;

	if (sched_getaffinity(0, sizeof(usable), &usable))
		return 1;
	if (count > (size_t)CPU_COUNT(&usable))
		count = (size_t)CPU_COUNT(&usable);
	return count < 1 ? 1 : count > THREADS_MAX ? THREADS_MAX : count;
}

/* This thread is one of them: a thread that cannot be started is one less. */
static void read_jobs(struct loading *loading)
{
	struct worker workers[THREADS_MAX] = {0};
	size_t count = count_threads(loading->n_jobs);

	for (size_t i = 1; i < count; i++) {
		workers[i].loading = loading;
		workers[i].is_running =
			!pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
	}
	workers[0].loading = loading;
	run_worker(&workers[0]);
	for (size_t i = 0; i < count; i++) {
		if (workers[i].is_running)
			pthread_join(workers[i].thread, NULL);
		arena_adopt(&loading->results->arena, &workers[i].arena);
	}
}

static void release_jobs(struct loading *loading)
{
	for (size_t i = 0; i < loading->n_jobs; i++)
		if (loading->jobs[i].directory)
			json_object_put(loading->jobs[i].campaign.object);
	text_table_release(&loading->campaigns);
	text_table_release(&loading->machines);
	text_table_release(&loading->sections);
}

int results_load_parts(struct results *results, const char *const *paths, size_t n_paths,
		       enum result_parts parts)
{
	struct loading loading = {.results = results,
				  .parts = parts,
				  .first_failed = SIZE_MAX,
				  .campaigns = {.arena = &results->arena},
				  .machines = {.arena = &results->arena},
				  .sections = {.arena = &results->arena}};
	int err;

	*results = (struct results){0};
	list_paths(&loading, paths, n_paths);
	read_jobs(&loading);
	err = loading_merge(&loading);
	if (!err)
		err = loading_settle(&loading);
	release_jobs(&loading);
	return err;
}

int results_load(struct results *results, const char *const *paths, size_t n_paths)
{
	return results_load_parts(results, paths, n_paths, RESULT_HISTOGRAMS);
}

static void put_object(struct boot_object *object)
{
	if (!object)
		return;
	json_object_put(object->object);
	object->object = NULL;
	for (size_t i = 0; i < object->n_members; i++) {
		json_object_put(object->members[i].value->object);
		object->members[i].value->object = NULL;
	}
}

void results_release(struct results *results)
{
	for (size_t i = 0; i < results->n_boots; i++) {
		put_object(results->boots[i].environment);
		put_object(results->boots[i].health);
	}
	for (size_t i = 0; i < results->n_campaigns; i++)
		json_object_put(results->campaigns[i].document);
	arena_release(&results->arena);
	*results = (struct results){0};
}

const struct section_result *boot_section(const struct boot *boot, size_t section)
{
	if (section >= boot->n_sections || !boot->sections[section].present)
		return NULL;
	return &boot->sections[section];
}

const struct measurement *boot_measurement(const struct boot *boot, size_t section, size_t metric)
{
	const struct section_result *result = boot_section(boot, section);

	if (!result || metric >= result->n_measurements || !result->measurements[metric].present)
		return NULL;
	return &result->measurements[metric];
}

/* A member's value, parsed once for all boots that say the same. It was checked when it was read.
 */
static struct json_object *member_object(struct text_entry *value)
{
	if (!value->object)
		value->object = json_tokener_parse(value->text);
	return value->object;
}

static struct json_object *whole_object(struct boot_object *object)
{
	if (object->object)
		return object->object;
	object->object = json_object_new_object();
	for (size_t i = 0; object->object && i < object->n_members; i++)
		json_object_object_add(object->object, object->members[i].key,
				       json_object_get(member_object(object->members[i].value)));
	return object->object;
}

struct json_object *boot_environment(const struct boot *boot)
{
	return whole_object(boot->environment);
}

struct json_object *boot_health(const struct boot *boot)
{
	return whole_object(boot->health);
}

const char *json_text_at(struct json_object *object, const char *const *keys)
{
	for (; *keys; keys++)
		if (!json_object_is_type(object, json_type_object) ||
		    !json_object_object_get_ex(object, *keys, &object))
			return NULL;
	return json_object_is_type(object, json_type_string) ? json_object_get_string(object)
							     : NULL;
}
