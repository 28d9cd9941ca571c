// SPDX-License-Identifier: GPL-2.0-only
/* Publishing: which campaigns there are, their copies, and how a site's files are replaced. */
#include "reports/site.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "reports/json_strict.h"
#include "reports/load.h"
#include "reports/site_internal.h"
#include "reports/writers.h"

#define INDEX_JSON	 "index.json"
#define ASIDE_PREFIX	 ".proxeval-site-"
#define FOLDER_MAX_BYTES 120 /* a file name may have 255; the rest is for the reader's eyes */
#define LOG_MAX_BYTES	 (256u << 20)
#define JSON_INDENTED	 (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)
#define FOLDER_DEPTH_MAX 4 /* campaigns/ID/logs/FILE */

/* One campaign that is to be in the site. */
struct source {
	char *directory; /* where its results are now */
	char *id, *folder;
	bool is_given; /* on the command line; else it is in the site already */
};

struct publication {
	const char *output;
	const struct site_options *options;
	int lock_fd;
	bool is_made; /* the output folder was made by this run */
	struct source *sources;
	size_t n_sources;
	char *aside;		       /* everything is written there first */
	struct json_object *old_index; /* NULL: not a site yet */
	char **files; /* of the new site, relative, sorted; index.json is the last */
	size_t n_files;
	struct site site;
};

static char *join(const char *directory, const char *name)
{
	return format_string("%s/%s", directory, name);
}

static bool is_directory(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

static int no_memory(void)
{
	message_errno(-ENOMEM, "cannot make the site");
	return EXIT_BROKE;
}

/* ---- the output folder --------------------------------------------------------------- */

static int lock_output(struct publication *publication)
{
	const char *output = publication->output;
	int err = 0;

	publication->is_made = access(output, F_OK) != 0;
	if (publication->is_made)
		err = make_directories(output);
	if (err) {
		message_errno(err, "cannot make the folder %s", output);
		return EXIT_BROKE;
	}
	publication->lock_fd = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (publication->lock_fd < 0) {
		err = message_errno(-errno, "cannot open the folder %s", output);
		return err == -ENOTDIR ? EXIT_USAGE : EXIT_BROKE;
	}
	if (flock(publication->lock_fd, LOCK_EX | LOCK_NB)) {
		message_error("%s: another process is publishing there; try again when it is done",
			      output);
		return EXIT_BROKE;
	}
	return 0;
}

static int is_plain_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int is_left_aside(const struct dirent *entry)
{
	return !strncmp(entry->d_name, ASIDE_PREFIX, strlen(ASIDE_PREFIX));
}

static void free_entries(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/* What a run that was killed had written aside. Nobody else is at it: the folder is locked. */
static void remove_left_aside(const char *output)
{
	struct dirent **entries = NULL;
	int count = scandir(output, &entries, is_left_aside, alphasort);

	for (int i = 0; i < count; i++) {
		char *path = join(output, entries[i]->d_name);

		if (path)
			remove_tree(path);
		free(path);
	}
	if (count >= 0)
		free_entries(entries, count);
}

/* A folder that is empty, or a site of ours: nobody's files are mixed with ours by mistake. */
static int check_output(struct publication *publication)
{
	char *path = join(publication->output, INDEX_JSON);
	struct dirent **entries = NULL;
	char error[640] = "";
	int count;

	if (!path)
		return no_memory();
	if (!access(path, F_OK))
		document_load(path, SITE_FORMAT, &publication->old_index, error, sizeof(error));
	free(path);
	if (publication->old_index)
		return 0;
	count = scandir(publication->output, &entries, is_plain_name, alphasort);
	if (count > 0)
		message_error(
			"%s is not empty and not a site that this program made (%s): name an empty "
			"or a new folder",
			publication->output,
			*error ? "its index.json is not ours" : "it has no index.json");
	if (count >= 0)
		free_entries(entries, count);
	return count > 0 ? EXIT_USAGE : 0;
}

/* ---- which campaigns ----------------------------------------------------------------- */

static int is_boot_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return !strncmp(entry->d_name, "boot-", 5) && length > 10 &&
	       !strcmp(entry->d_name + length - 5, ".json");
}

/* "id" of campaign.json, "campaign" "id" of a boot; a new string or NULL. */
static char *read_id(const char *path, bool is_boot)
{
	struct json_object *document, *object, *id;
	char problem[200], *result = NULL;

	if (json_strict_load(path, RESULT_MAX_BYTES, &document, problem, sizeof(problem)))
		return NULL;
	object = document;
	if (is_boot && !json_object_object_get_ex(document, "campaign", &object))
		object = NULL;
	if (json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, "id", &id) &&
	    json_object_is_type(id, json_type_string))
		result = strdup(json_object_get_string(id));
	json_object_put(document);
	return result;
}

char *site_campaign_id(const char *directory)
{
	char *path = join(directory, "campaign.json"), *id = NULL;
	struct dirent **entries = NULL;
	int count;

	if (path && !access(path, F_OK)) {
		id = read_id(path, false);
		free(path);
		return id;
	}
	free(path);
	count = scandir(directory, &entries, is_boot_file, alphasort);
	path = count > 0 ? join(directory, entries[0]->d_name) : NULL;
	id = path ? read_id(path, true) : NULL;
	free(path);
	if (count >= 0)
		free_entries(entries, count);
	return id;
}

/* An id as a file name: what a shell, a URL or a path might take for something else is '_'. */
static char *make_folder_name(const char *id)
{
	char *folder = format_string("%.*s", FOLDER_MAX_BYTES, id);

	for (char *c = folder; c && *c; c++)
		if (!isascii((unsigned char)*c) ||
		    (!isalnum((unsigned char)*c) && !strchr("-_+.", *c)) ||
		    (c == folder && *c == '.'))
			*c = '_';
	return folder;
}

static int add_source(struct publication *publication, const char *directory, bool is_given)
{
	struct source *grown =
		realloc(publication->sources, (publication->n_sources + 1) * sizeof(*grown));
	struct source *added;

	if (!grown)
		return no_memory();
	publication->sources = grown;
	added = &grown[publication->n_sources++];
	*added = (struct source){.directory = strdup(directory),
				 .id = site_campaign_id(directory),
				 .is_given = is_given};
	if (added->id)
		added->folder = make_folder_name(added->id);
	/* Without an id the folder is no campaign; loading it says why. */
	if (!added->id)
		added->folder = strdup("");
	return added->directory && added->folder ? 0 : no_memory();
}

static bool is_campaign_folder(const char *directory)
{
	char *path = join(directory, "campaign.json");
	struct dirent **entries = NULL;
	bool is_campaign = path && !access(path, F_OK);
	int count;

	free(path);
	if (is_campaign)
		return true;
	count = scandir(directory, &entries, is_boot_file, alphasort);
	if (count >= 0)
		free_entries(entries, count);
	return count > 0;
}

/* The campaigns in the folders of @directory; *@n_found counts them. */
static int add_campaigns_in(struct publication *publication, const char *directory, bool is_given,
			    size_t *n_found)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_plain_name, versionsort), code = 0;

	for (int i = 0; i < count && !code; i++) {
		char *path = join(directory, entries[i]->d_name);

		if (!path)
			code = no_memory();
		else if (is_directory(path) && is_campaign_folder(path) && ++*n_found)
			code = add_source(publication, path, is_given);
		free(path);
	}
	if (count >= 0)
		free_entries(entries, count);
	return code;
}

static int add_operand(struct publication *publication, const char *path)
{
	size_t n_found = 0;
	int code;

	if (!is_directory(path)) {
		message_error("%s: a site is made of campaigns' folders%s", path,
			      access(path, F_OK) ? ", and there is none of that name"
						 : ", not of single files");
		return access(path, F_OK) ? EXIT_INVALID : EXIT_USAGE;
	}
	if (is_campaign_folder(path))
		return add_source(publication, path, true);
	code = add_campaigns_in(publication, path, true, &n_found);
	if (!code && !n_found) {
		message_error("%s holds neither boots nor campaigns' folders", path);
		return EXIT_INVALID;
	}
	return code;
}

static void free_source(struct source *source)
{
	free(source->directory);
	free(source->id);
	free(source->folder);
}

static int compare_sources(const void *a, const void *b)
{
	const struct source *one = a, *two = b;
	int order = strcmp(one->folder, two->folder);

	return order ? order : (int)two->is_given - (int)one->is_given;
}

static bool is_same_place(const char *one, const char *two)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(two, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* One source for each campaign: what is given replaces what is in the site. */
static int settle_sources(struct publication *publication)
{
	struct source *sources = publication->sources;
	size_t kept = 0;

	qsort(sources, publication->n_sources, sizeof(*sources), compare_sources);
	for (size_t i = 0; i < publication->n_sources; i++) {
		struct source *last = kept ? &sources[kept - 1] : NULL;

		if (!last || strcmp(last->folder, sources[i].folder)) {
			sources[kept++] = sources[i];
			continue;
		}
		if (sources[i].is_given && !is_same_place(last->directory, sources[i].directory)) {
			message_error(
				"%s and %s are both campaign %s: give only the one that counts",
				last->directory, sources[i].directory, last->folder);
			for (; i < publication->n_sources; i++)
				free_source(&sources[i]);
			publication->n_sources = kept;
			return EXIT_INVALID;
		}
		free_source(&sources[i]);
	}
	publication->n_sources = kept;
	return 0;
}

/* A broken campaign must be told by the name that the user knows, before anything is written. */
static int check_source(const struct source *source)
{
	const char *const paths[] = {source->directory};
	struct results results;
	int code = 0, err = results_load(&results, paths, 1);

	if (err) {
		message_error("%s", results.error);
		code = err == -ENOENT ? EXIT_CANNOT : err == -ENOMEM ? EXIT_BROKE : EXIT_INVALID;
	} else if (results.n_campaigns != 1 || !source->id ||
		   strcmp(source->id, results.campaigns[0].id)) {
		message_error("%s holds boots of several campaigns (%s and others): give each a "
			      "folder of its own",
			      source->directory, results.campaigns[0].id);
		code = EXIT_INVALID;
	}
	results_release(&results);
	return code;
}

static int find_sources(struct publication *publication, const char *const *paths, size_t n_paths)
{
	char *published = join(publication->output, SITE_CAMPAIGNS);
	size_t n_found = 0;
	int code = published ? 0 : no_memory();

	for (size_t i = 0; i < n_paths && !code; i++)
		code = add_operand(publication, paths[i]);
	if (!code && publication->old_index)
		code = add_campaigns_in(publication, published, false, &n_found);
	free(published);
	if (!code && !publication->n_sources) {
		message_error("%s has no campaign: name campaigns' folders to publish",
			      publication->output);
		return EXIT_USAGE;
	}
	if (!code)
		code = settle_sources(publication);
	for (size_t i = 0; i < publication->n_sources && !code; i++)
		code = check_source(&publication->sources[i]);
	return code;
}

/* ---- copies -------------------------------------------------------------------------- */

static void set_null(struct json_object *object, const char *key)
{
	if (json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, key, NULL))
		json_object_object_add(object, key, NULL);
}

/*
 * Leaves only what the campaign is, and not where and when it ran: the same campaign in virtual
 * time is then the same bytes, wherever it is run.
 */
static void make_anonymous(struct json_object *document)
{
	struct json_object *environment = NULL, *variants = NULL;

	json_object_object_del(document, "host_run");
	if (json_object_object_get_ex(document, "environment", &environment))
		set_null(environment, "hostname");
	if (!json_object_object_get_ex(document, "variants", &variants) ||
	    !json_object_is_type(variants, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(variants); i++) {
		struct json_object *variant = json_object_array_get_idx(variants, i);

		set_null(variant, "image_path");
		set_null(variant, "manifest_path");
	}
}

static int copy_file(const char *from, const char *to, size_t max_bytes)
{
	size_t size_bytes;
	char *bytes;
	int err = read_file(from, max_bytes, &bytes, &size_bytes);

	if (!err) {
		err = write_file_atomically(to, bytes, size_bytes);
		free(bytes);
	}
	return err;
}

/* On one line: what is published is kept in repositories, and read by programs. */
static int copy_anonymously(const char *from, const char *to)
{
	struct json_object *document;
	const char *text;
	char problem[200], *bytes;
	int err = json_strict_load(from, RESULT_MAX_BYTES, &document, problem, sizeof(problem));

	if (err)
		return err;
	make_anonymous(document);
	text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN |
								JSON_C_TO_STRING_NOSLASHESCAPE);
	bytes = text ? format_string("%s\n", text) : NULL;
	err = bytes ? write_file_atomically(to, bytes, strlen(bytes)) : -ENOMEM;
	free(bytes);
	json_object_put(document);
	return err;
}

static int is_document(const struct dirent *entry)
{
	return is_boot_file(entry) || !strcmp(entry->d_name, "campaign.json");
}

static int is_log(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return is_plain_name(entry) && length > 4 && !strcmp(entry->d_name + length - 4, ".log");
}

/* Copies what @is_wanted takes of one folder; the copies' folder is made when there is any. */
static int copy_folder(const char *from, const char *to,
		       int (*is_wanted)(const struct dirent *entry), bool is_anonymous)
{
	struct dirent **entries = NULL;
	int count = scandir(from, &entries, is_wanted, alphasort);
	int err = count > 0 ? make_directories(to) : 0;

	for (int i = 0; i < count && !err; i++) {
		char *source = join(from, entries[i]->d_name),
		     *target = join(to, entries[i]->d_name);

		err = !source || !target ? -ENOMEM
		      : is_anonymous	 ? copy_anonymously(source, target)
					 : copy_file(source, target, LOG_MAX_BYTES);
		if (err)
			message_errno(err, "cannot copy %s/%s into the site", from,
				      entries[i]->d_name);
		free(source);
		free(target);
	}
	if (count >= 0)
		free_entries(entries, count);
	return err;
}

static int copy_logs(const struct source *source, const char *directory)
{
	char *from = join(source->directory, "logs"), *to = join(directory, "logs");
	int err = from && to ? copy_folder(from, to, is_log, false) : -ENOMEM;

	free(from);
	free(to);
	return err;
}

/* ---- the pages ----------------------------------------------------------------------- */

/* One campaign: its copies, the report from them, and its row. */
static int publish_campaign(struct publication *publication, const struct source *source)
{
	char *directory =
		format_string("%s/" SITE_CAMPAIGNS "/%s", publication->aside, source->folder);
	const char *const paths[] = {directory};
	struct analysis analysis = {0};
	struct results results = {0};
	int code = EXIT_BROKE;

	if (!directory || copy_folder(source->directory, directory, is_document,
				      publication->options->is_anonymous))
		goto out_free;
	if (publication->options->has_logs && copy_logs(source, directory))
		goto out_free;
	code = reports_analyse(&results, &analysis, paths, 1, &publication->options->analysis);
	if (!code && reports_write(&analysis, directory))
		code = EXIT_BROKE;
	if (!code)
		site_add(&publication->site, &analysis, source->id, source->folder);
	analysis_release(&analysis);
	results_release(&results);
out_free:
	free(directory);
	return code;
}

/* Takes over @text; an empty page is not written. */
static int write_page(const struct publication *publication, const char *name, struct buffer *text)
{
	char *path = join(publication->aside, name);
	int err = !path || text->failed ? -ENOMEM : 0;

	if (!err && text->length)
		err = write_file_atomically(path, text->text, text->length);
	if (err)
		message_errno(err, "cannot write %s of the site", name);
	buffer_release(text);
	free(path);
	return err;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_file(struct publication *publication, const char *relative)
{
	char **grown = realloc(publication->files, (publication->n_files + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	publication->files = grown;
	grown[publication->n_files] = strdup(relative);
	return grown[publication->n_files++] ? 0 : -ENOMEM;
}

/* Every file that was written aside below @relative ("" for all). */
static int list_files(struct publication *publication, const char *relative, unsigned int depth)
{
	char *directory = join(publication->aside, relative);
	struct dirent **entries = NULL;
	int count = directory ? scandir(directory, &entries, is_plain_name, alphasort) : -1;
	int err = count < 0 ? -errno : 0;

	for (int i = 0; i < count && !err; i++) {
		char *name =
			format_string("%s%s%s", relative, *relative ? "/" : "", entries[i]->d_name);
		char *path = name ? join(publication->aside, name) : NULL;

		if (!path)
			err = -ENOMEM;
		else if (!is_directory(path))
			err = add_file(publication, name);
		else if (depth < FOLDER_DEPTH_MAX)
			err = list_files(publication, name, depth + 1);
		free(path);
		free(name);
	}
	if (count >= 0)
		free_entries(entries, count);
	free(directory);
	return err;
}

/* index.json names every file of the site but itself: what may be removed when it is not needed. */
static int write_index_json(struct publication *publication)
{
	struct json_object *document = site_to_json(&publication->site);
	struct json_object *files = json_object_new_array();
	struct buffer text = {0};
	int err = list_files(publication, "", 0);

	if (!err)
		qsort(publication->files, publication->n_files, sizeof(char *), compare_names);
	for (size_t i = 0; i < publication->n_files; i++)
		json_object_array_add(files, json_object_new_string(publication->files[i]));
	json_object_object_add(document, "files", files);
	buffer_format(&text, "%s\n", json_object_to_json_string_ext(document, JSON_INDENTED));
	json_object_put(document);
	if (!err)
		err = write_page(publication, INDEX_JSON, &text);
	buffer_release(&text);
	return err ? err : add_file(publication, INDEX_JSON);
}

/* The histories of the campaigns of one target and kind of time, in the order of the folders. */
static int make_history(struct publication *publication, const struct site_report *like)
{
	struct site *site = &publication->site;
	const char **paths = arena_alloc(&site->arena, publication->n_sources * sizeof(*paths));
	struct results *results = &site->histories_results[site->n_histories];
	struct history *history = &site->histories[site->n_histories];
	size_t n_paths = 0;
	int err;

	for (size_t i = 0; paths && i < publication->n_sources; i++)
		for (size_t j = 0; j < site->n_reports; j++)
			if (!strcmp(site->reports[j].folder, publication->sources[i].folder) &&
			    !strcmp(site->reports[j].target, like->target) &&
			    !strcmp(site->reports[j].time, like->time))
				paths[n_paths++] = arena_format(
					&site->arena, "%s/" SITE_CAMPAIGNS "/%s",
					publication->aside, publication->sources[i].folder);
	err = paths ? results_load_parts(results, paths, n_paths, RESULT_FIGURES) : -ENOMEM;
	if (err) {
		message_error("no trends can be made: %s",
			      *results->error ? results->error : "there is not enough memory");
		results_release(results);
		return err;
	}
	site->n_histories++;
	return history_make(history, results, &(struct history_options){.min_change = -1});
}

static bool is_first_of_its_kind(const struct site *site, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(site->reports[i].target, site->reports[index].target) &&
		    !strcmp(site->reports[i].time, site->reports[index].time))
			return false;
	return true;
}

static int make_histories(struct publication *publication)
{
	struct site *site = &publication->site;
	size_t room = site->n_reports + 1;
	int err = 0;

	site->histories = arena_alloc(&site->arena, room * sizeof(*site->histories));
	site->histories_results =
		arena_alloc(&site->arena, room * sizeof(*site->histories_results));
	if (!site->histories || !site->histories_results)
		return -ENOMEM;
	for (size_t i = 0; i < site->n_reports && !err; i++)
		if (is_first_of_its_kind(site, i))
			err = make_history(publication, &site->reports[i]);
	return err;
}

static int write_pages(struct publication *publication)
{
	struct buffer index = {0}, trends = {0}, feed = {0};
	int err, other;

	site_settle(&publication->site);
	err = make_histories(publication);
	if (err)
		return err;
	site_write_trends(&trends, &publication->site);
	site_write_index(&index, &publication->site);
	site_write_feed(&feed, &publication->site);
	err = write_page(publication, "index.html", &index);
	other = write_page(publication, "trends.html", &trends);
	err = err ? err : other;
	other = write_page(publication, "feed.xml", &feed);
	err = err ? err : other;
	return err ? err : write_index_json(publication);
}

static int write_aside(struct publication *publication)
{
	int code = 0;

	remove_left_aside(publication->output);
	publication->aside = format_string("%s/" ASIDE_PREFIX "XXXXXX", publication->output);
	if (!publication->aside)
		return no_memory();
	if (!mkdtemp(publication->aside)) {
		message_errno(-errno, "cannot write to the folder %s", publication->output);
		return EXIT_BROKE;
	}
	for (size_t i = 0; i < publication->n_sources && !code; i++)
		code = publish_campaign(publication, &publication->sources[i]);
	if (!code && write_pages(publication))
		code = EXIT_BROKE;
	return code;
}

/* ---- replacing the site -------------------------------------------------------------- */

/* Whether the relative path leads to a place where files of a site are, through no link. */
static bool is_own_path(const char *output, const char *relative)
{
	char *path = strdup(relative);
	bool is_own = path && *path && *path != '/' && *path != '.' && !strstr(path, "/.") &&
		      !strstr(path, "//");

	for (char *slash = path ? strchr(path, '/') : NULL; slash && is_own;
	     slash = strchr(slash + 1, '/')) {
		struct stat status;
		char *parent;

		*slash = '\0';
		parent = join(output, path);
		is_own = parent && !lstat(parent, &status) && S_ISDIR(status.st_mode);
		free(parent);
		*slash = '/';
	}
	free(path);
	return is_own;
}

static bool is_new_file(const struct publication *publication, const char *relative)
{
	for (size_t i = 0; i < publication->n_files; i++)
		if (!strcmp(publication->files[i], relative))
			return true;
	return false;
}

/* Files that an earlier run wrote and this one did not. Folders go when that leaves them empty. */
static void remove_old_files(const struct publication *publication)
{
	struct json_object *files = NULL;

	json_object_object_get_ex(publication->old_index, "files", &files);
	if (!json_object_is_type(files, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(files); i++) {
		struct json_object *item = json_object_array_get_idx(files, i);
		const char *relative = json_object_get_string(item);
		char *path;

		if (!json_object_is_type(item, json_type_string) ||
		    is_new_file(publication, relative) ||
		    !is_own_path(publication->output, relative))
			continue;
		path = join(publication->output, relative);
		if (path && !unlink(path))
			for (char *slash = strrchr(path, '/');
			     slash && slash > path + strlen(publication->output);
			     slash = strrchr(path, '/')) {
				*slash = '\0';
				if (rmdir(path))
					break;
			}
		free(path);
	}
}

static int move_file(const struct publication *publication, const char *relative)
{
	char *from = join(publication->aside, relative), *to = join(publication->output, relative);
	char *parent = to ? strdup(to) : NULL;
	int err = from && parent ? 0 : -ENOMEM;

	if (!err) {
		*strrchr(parent, '/') = '\0';
		err = make_directories(parent);
	}
	if (!err && !is_own_path(publication->output, relative))
		err = -ELOOP;
	if (!err && rename(from, to))
		err = -errno;
	if (err)
		message_errno(err, "cannot put %s into the site", to ? to : relative);
	free(from);
	free(to);
	free(parent);
	return err;
}

/* Campaigns first, and index.json last: what the index links to is there before the link. */
static int replace_site(const struct publication *publication)
{
	int err = 0;

	for (bool is_top = false; !err; is_top = true) {
		for (size_t i = 0; i < publication->n_files && !err; i++)
			if ((strchr(publication->files[i], '/') == NULL) == is_top)
				err = move_file(publication, publication->files[i]);
		if (is_top)
			break;
	}
	if (!err)
		remove_old_files(publication);
	return err ? EXIT_BROKE : 0;
}

static void print_published(const struct publication *publication)
{
	size_t n = publication->site.n_reports;

	printf("%zu report%s\n%s/index.html\n", n, n == 1 ? "" : "s", publication->output);
}

static void release(struct publication *publication, bool has_failed)
{
	if (publication->aside)
		remove_tree(publication->aside);
	if (has_failed && publication->is_made)
		rmdir(publication->output);
	if (publication->lock_fd >= 0)
		close(publication->lock_fd);
	for (size_t i = 0; i < publication->n_sources; i++)
		free_source(&publication->sources[i]);
	for (size_t i = 0; i < publication->n_files; i++)
		free(publication->files[i]);
	free(publication->sources);
	free(publication->files);
	free(publication->aside);
	json_object_put(publication->old_index);
	for (size_t i = 0; i < publication->site.n_histories; i++) {
		history_release(&publication->site.histories[i]);
		results_release(&publication->site.histories_results[i]);
	}
	arena_release(&publication->site.arena);
}

int site_publish(const char *output, const char *const *paths, size_t n_paths,
		 const struct site_options *options)
{
	struct publication publication = {.output = output, .options = options, .lock_fd = -1};
	int code = lock_output(&publication);

	if (!code)
		code = check_output(&publication);
	if (!code)
		code = find_sources(&publication, paths, n_paths);
	if (!code)
		code = write_aside(&publication);
	if (!code)
		code = replace_site(&publication);
	if (!code)
		print_published(&publication);
	release(&publication, code != 0);
	return code;
}
