// SPDX-License-Identifier: GPL-2.0-only
/* Other tools' files become boots of a campaign, so that compare and report work on them. */
#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/campaign.h"
#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "reports/import.h"
#include "reports/load.h"

#define IMPORT_MAX_FILES 1000 /* what a campaign may have boots of one variant */

struct import_values {
	const char *campaign;
	const char *kernel;
	const char *results;
	const char *tool;
	const char *unit;
	const char *variant;
};

static const char *const tools[] = {"cyclictest", "hackbench", "schbench", NULL};
static const char *const units[] = {"us", "ns", NULL};

static const struct option_spec import_options[] = {
	{.name = "campaign",
	 .kind = OPTION_STRING,
	 .argument = "NAME",
	 .help = "the campaign's folder; one that imports made gets these boots in addition",
	 .offset = offsetof(struct import_values, campaign)},
	{.name = "kernel",
	 .kind = OPTION_STRING,
	 .argument = "RELEASE",
	 .help = "the kernel that ran, where the files do not say",
	 .offset = offsetof(struct import_values, kernel)},
	{.name = "results",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .standard = "results",
	 .help = "where campaigns are kept",
	 .offset = offsetof(struct import_values, results)},
	{.name = "tool",
	 .kind = OPTION_CHOICE,
	 .argument = "TOOL",
	 .choices = tools,
	 .help = "what wrote the files",
	 .offset = offsetof(struct import_values, tool)},
	{.name = "unit",
	 .kind = OPTION_CHOICE,
	 .argument = "UNIT",
	 .choices = units,
	 .standard = "us",
	 .help = "of cyclictest's text, which does not say (ns: it ran with -N)",
	 .offset = offsetof(struct import_values, unit)},
	{.name = "variant",
	 .kind = OPTION_STRING,
	 .argument = "LABEL",
	 .help = "what ran, by name: \"proxy\", \"7.3\"",
	 .offset = offsetof(struct import_values, variant)},
	OPTIONS_END,
};

/* One import: what is there already, and what comes in addition. */
struct import_job {
	const struct import_values *values;
	const struct string_list *files;
	char *id, *directory;
	struct json_object *campaign; /* campaign.json, as it will be */
	struct json_object **boots;   /* one document per file */
	char **names;		      /* their files' names */
	struct imported *imported;    /* what each file came to */
	bool is_new;
};

/* A name for a folder or a variant: printable, without blanks, slashes and dots before it. */
static bool is_name(const char *text)
{
	if (!*text || strlen(text) > 64 || *text == '.')
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f || *text == '/')
			return false;
	return true;
}

static const char *find_mistake(const struct import_values *values,
				const struct string_list *operands)
{
	if (!values->tool)
		return "say with --tool what wrote the files: cyclictest, hackbench or schbench";
	if (!values->variant)
		return "say with --variant LABEL what the files are of";
	if (!is_name(values->variant) || strchr(values->variant, ':'))
		return "--variant is a label of 1 to 64 printable ASCII characters without blanks, "
		       "/ and :";
	if (values->campaign && !is_name(values->campaign))
		return "--campaign is a name of 1 to 64 printable ASCII characters without blanks "
		       "and /";
	if (values->kernel && (!is_name(values->kernel)))
		return "--kernel is a release, for example 7.2.13";
	if (!operands->count)
		return "name the files";
	if (operands->count > IMPORT_MAX_FILES)
		return "at most 1000 files can be imported at a time";
	return NULL;
}

static struct json_object *text(const char *string)
{
	return string ? json_object_new_string(string) : NULL;
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

/* --- the campaign --- */

/* A name that the same files always get: their hashes' hash. NULL: no memory. */
static char *derive_id(const struct import_job *job)
{
	char hash[SHA256_HEX_SIZE], *hashes = NULL;

	for (size_t i = 0; i < job->files->count; i++) {
		char *more = format_string("%s%s\n", hashes ? hashes : "", job->imported[i].sha256);

		free(hashes);
		hashes = more;
	}
	if (!hashes)
		return NULL;
	sha256_bytes(hashes, strlen(hashes), hash);
	free(hashes);
	return format_string("import-%s-%.8s", job->values->tool, hash);
}

static struct json_object *new_campaign(const char *id)
{
	struct json_object *campaign = json_object_new_object();

	add(campaign, "format", text("proxeval-campaign"));
	add(campaign, "version", json_object_new_int(1));
	add(campaign, "id", text(id));
	add(campaign, "seed", json_object_new_int(0));
	add(campaign, "profile", NULL);
	add(campaign, "target", text(IMPORT_TARGET));
	add(campaign, "time", text("real"));
	add(campaign, "topology", NULL);
	/* Nobody knows what ran after what: no boot is another one's partner. */
	add(campaign, "pairing", text("independent"));
	add(campaign, "variants", json_object_new_array());
	add(campaign, "boots", json_object_new_array());
	add(campaign, "work", json_object_new_array());
	return campaign;
}

/* Whether an array has an object with that string under that key. */
static bool has_entry(struct json_object *list, const char *key, const char *value)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *found = json_text_at(json_object_array_get_idx(list, i),
						 (const char *[]){key, NULL});

		if (found && !strcmp(found, value))
			return true;
	}
	return false;
}

static void add_variant(struct json_object *campaign, const char *label)
{
	struct json_object *list = json_object_object_get(campaign, "variants");
	struct json_object *variant;

	if (has_entry(list, "label", label))
		return;
	variant = json_object_new_object();
	add(variant, "label", text(label));
	add(variant, "image_path", NULL);
	add(variant, "image_sha256", NULL);
	add(variant, "arguments", text(""));
	add(variant, "manifest_path", NULL);
	json_object_array_add(list, variant);
}

static void add_work(struct json_object *campaign, const char *workload)
{
	struct json_object *list = json_object_object_get(campaign, "work");
	struct json_object *work, *placements;

	if (has_entry(list, "workload", workload))
		return;
	work = json_object_new_object();
	placements = json_object_new_array();
	json_object_array_add(placements, text("all"));
	add(work, "workload", text(workload));
	add(work, "placements", placements);
	add(work, "params", json_object_new_object());
	json_object_array_add(list, work);
}

/* The lists that a campaign of ours has; a file that somebody changed may not. */
static bool is_import_campaign(struct json_object *campaign)
{
	static const char *const lists[] = {"variants", "boots", "work"};
	const char *target = json_text_at(campaign, (const char *[]){"target", NULL});

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (!json_object_is_type(json_object_object_get(campaign, lists[i]),
					 json_type_array))
			return false;
	return target && !strcmp(target, IMPORT_TARGET);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * hackbench writes three decimals of a second and nothing else: two runs often have the same text,
 * and only their files tell them apart.
 */
static bool is_text_of_many_runs(const struct import_job *job)
{
	return !strcmp(job->values->tool, "hackbench");
}

/* Which of the files this boot was made from; -1: none of them. */
static int find_source(const struct import_job *job, struct json_object *boot)
{
	const char *sha256 =
		json_text_at(boot, (const char *[]){"environment", "imported", "sha256", NULL});
	const char *file =
		json_text_at(boot, (const char *[]){"environment", "imported", "file", NULL});
	const char *variant = json_text_at(boot, (const char *[]){"boot", "variant", NULL});

	for (size_t i = 0; sha256 && i < job->files->count; i++) {
		if (strcmp(job->imported[i].sha256, sha256))
			continue;
		if (is_text_of_many_runs(job) &&
		    (!file || strcmp(base_name(job->files->items[i]), file) || !variant ||
		     strcmp(job->values->variant, variant)))
			continue;
		return (int)i;
	}
	return -1;
}

static int refuse_known_file(const struct import_job *job, const char *name)
{
	struct json_object *boot = NULL;
	char path[PATH_MAX], error[640];
	int known;

	snprintf(path, sizeof(path), "%.3800s/%.255s", job->directory, name);
	if (boot_document_load(path, &boot, error, sizeof(error))) {
		message_error("%s", error);
		return EXIT_INVALID;
	}
	known = find_source(job, boot);
	json_object_put(boot);
	if (known < 0)
		return 0;
	message_error("%s is in %s already, as %s: the same run twice would make certainty out of "
		      "a copy",
		      job->files->items[known], job->directory, name);
	return EXIT_INVALID;
}

/* Looks over the boots that are there: none may be of a file that is to come in again. */
static int check_boots(const struct import_job *job)
{
	struct dirent *entry;
	DIR *folder = opendir(job->directory);
	int exit_code = 0;

	if (!folder) {
		message_errno(-errno, "cannot read %s", job->directory);
		return EXIT_BROKE;
	}
	while (!exit_code && (entry = readdir(folder)))
		if (!strncmp(entry->d_name, "boot-", 5) && strstr(entry->d_name, ".json"))
			exit_code = refuse_known_file(job, entry->d_name);
	closedir(folder);
	return exit_code;
}

static int open_campaign(struct import_job *job)
{
	char path[PATH_MAX], error[640];

	job->id = job->values->campaign ? strdup(job->values->campaign) : derive_id(job);
	job->directory = job->id ? format_string("%s/%s", job->values->results, job->id) : NULL;
	if (!job->directory) {
		message_errno(-ENOMEM, "cannot import");
		return EXIT_BROKE;
	}
	snprintf(path, sizeof(path), "%.4000s/campaign.json", job->directory);
	job->is_new = access(job->directory, F_OK);
	if (job->is_new) {
		job->campaign = new_campaign(job->id);
		return 0;
	}
	if (!job->values->campaign) {
		message_error("%s is there already: these files were imported before",
			      job->directory);
		return EXIT_INVALID;
	}
	if (document_load(path, "proxeval-campaign", &job->campaign, error, sizeof(error))) {
		message_error("%s", error);
		return EXIT_INVALID;
	}
	if (!is_import_campaign(job->campaign)) {
		message_error("%s is not a campaign that an import made: name another one with "
			      "--campaign",
			      job->directory);
		return EXIT_INVALID;
	}
	return check_boots(job);
}

/* --- the boots --- */

static struct json_object *describe_variant(const struct import_values *values)
{
	struct json_object *variant = json_object_new_object();

	add(variant, "label", text(values->variant));
	add(variant, "image_sha256", NULL);
	add(variant, "arguments", text(""));
	add(variant, "series", NULL);
	add(variant, "base", NULL);
	return variant;
}

/* Nobody looked at the kernel's log. */
static struct json_object *describe_health(void)
{
	struct json_object *health = json_object_new_object();

	add(health, "clean", NULL);
	add(health, "taint_before", NULL);
	add(health, "taint_after", NULL);
	add(health, "reports", json_object_new_array());
	add(health, "log_readable", json_object_new_boolean(0));
	return health;
}

/* The environment as far as the file tells, and where the figures come from. */
static struct json_object *describe_environment(const struct import_job *job,
						const struct imported *imported, size_t file)
{
	struct json_object *environment = json_object_get(imported->environment);
	struct json_object *source = json_object_new_object(), *kernel = NULL;
	const char *release = imported->kernel ? imported->kernel : job->values->kernel;

	if (!json_object_object_get_ex(environment, "kernel", &kernel)) {
		kernel = json_object_new_object();
		add(environment, "kernel", kernel);
	}
	if (release)
		add(kernel, "release", text(release));
	add(kernel, "proxy_exec", text("unknown"));
	add(source, "tool", text(job->values->tool));
	add(source, "file", text(base_name(job->files->items[file])));
	add(source, "sha256", text(imported->sha256));
	add(environment, "imported", source);
	return environment;
}

static struct json_object *describe_host_run(const struct imported *imported)
{
	struct json_object *host_run;

	if (!*imported->started || !isfinite(imported->wall_s))
		return NULL;
	host_run = json_object_new_object();
	add(host_run, "started", text(imported->started));
	add(host_run, "wall_s", json_object_new_double(imported->wall_s));
	return host_run;
}

/* The boot's entry in the campaign's list, and in its own document. */
static struct json_object *describe_boot(const struct import_values *values, uint64_t index,
					 uint64_t round)
{
	struct json_object *boot = json_object_new_object();

	add(boot, "index", json_object_new_uint64(index));
	add(boot, "round", json_object_new_uint64(round));
	add(boot, "variant", text(values->variant));
	add(boot, "seed", json_object_new_int(0));
	return boot;
}

static struct json_object *make_document(const struct import_job *job,
					 const struct imported *imported, size_t file,
					 struct json_object *entry)
{
	struct json_object *document = json_object_new_object();
	struct json_object *campaign = json_object_new_object(), *boot = NULL, *host_run;

	add(campaign, "id", text(job->id));
	add(campaign, "seed", json_object_new_int(0));
	json_object_deep_copy(entry, &boot, NULL);
	add(boot, "attempt", json_object_new_int(0));
	add(document, "format", text("proxeval-boot"));
	add(document, "version", json_object_new_int(1));
	add(document, "campaign", campaign);
	add(document, "boot", boot);
	add(document, "variant", describe_variant(job->values));
	add(document, "target", text(IMPORT_TARGET));
	add(document, "time", text("real"));
	add(document, "outcome", text("ok"));
	add(document, "reason", NULL);
	add(document, "environment", describe_environment(job, imported, file));
	add(document, "sections", json_object_get(imported->sections));
	add(document, "health", describe_health());
	host_run = describe_host_run(imported);
	if (host_run)
		add(document, "host_run", host_run);
	return document;
}

/* The first index that no boot has, and how many boots the variant has. */
static void count_boots(const struct import_job *job, uint64_t *next, uint64_t *round)
{
	struct json_object *list = json_object_object_get(job->campaign, "boots");

	*next = 0;
	*round = 0;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *boot = json_object_array_get_idx(list, i), *index = NULL;
		const char *label = json_text_at(boot, (const char *[]){"variant", NULL});

		json_object_object_get_ex(boot, "index", &index);
		if (json_object_get_uint64(index) >= *next)
			*next = json_object_get_uint64(index) + 1;
		*round += label && !strcmp(label, job->values->variant);
	}
}

static int add_boot(struct import_job *job, const struct imported *imported, size_t file)
{
	struct variant variant = {.label = job->values->variant};
	struct campaign naming = {.variants = &variant, .n_variants = 1};
	struct campaign_boot named = {0};
	struct json_object *entry;
	uint64_t index, round;

	if (imported->kernel && job->values->kernel &&
	    strcmp(imported->kernel, job->values->kernel)) {
		message_error("%s: it is of the kernel %.60s, and --kernel says %.60s",
			      job->files->items[file], imported->kernel, job->values->kernel);
		return EXIT_INVALID;
	}
	count_boots(job, &index, &round);
	if (index > UINT_MAX) {
		message_error("%s has no room for another boot", job->directory);
		return EXIT_INVALID;
	}
	entry = describe_boot(job->values, index, round);
	named.index = (unsigned int)index;
	job->boots[file] = make_document(job, imported, file, entry);
	job->names[file] = campaign_boot_name(&naming, &named);
	json_object_array_add(json_object_object_get(job->campaign, "boots"), entry);
	if (job->names[file])
		return 0;
	message_errno(-ENOMEM, "cannot import");
	return EXIT_BROKE;
}

static bool is_same_file(const char *one, const char *other)
{
	struct stat first, second;

	return !stat(one, &first) && !stat(other, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* The same run must not come in twice. */
static int check_copies(const struct import_job *job, size_t file)
{
	const char *const *paths = (const char *const *)job->files->items;

	for (size_t i = 0; i < file; i++) {
		if (strcmp(job->imported[i].sha256, job->imported[file].sha256))
			continue;
		if (is_text_of_many_runs(job) && !is_same_file(paths[i], paths[file]))
			continue;
		message_error("%s and %s are the same: one run twice would make certainty out of a "
			      "copy",
			      job->files->items[i], job->files->items[file]);
		return EXIT_INVALID;
	}
	return 0;
}

static int read_files(struct import_job *job)
{
	struct import_hints hints = {.is_in_ns = !strcmp(job->values->unit, "ns")};
	const struct importer *importer = importer_find(job->values->tool);

	for (size_t i = 0; i < job->files->count; i++) {
		int err = import_file(importer, job->files->items[i], &hints, &job->imported[i]);

		if (err) {
			message_error("%s", job->imported[i].error);
			return err == -ENOMEM ? EXIT_BROKE : EXIT_INVALID;
		}
		if (check_copies(job, i))
			return EXIT_INVALID;
	}
	return 0;
}

static int add_boots(struct import_job *job)
{
	int exit_code = 0;

	add_variant(job->campaign, job->values->variant);
	add_work(job->campaign, job->values->tool);
	for (size_t i = 0; i < job->files->count && !exit_code; i++)
		exit_code = add_boot(job, &job->imported[i], i);
	return exit_code;
}

/* --- writing --- */

static int write_document(const char *directory, const char *name, struct json_object *document)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%.3800s/%.255s.json", directory, name);
	err = write_json_atomically(path, document);
	return err ? message_errno(err, "cannot write %s", path) : 0;
}

/* All of it into @directory; what was written is taken back when something fails. */
static int write_all_documents(const struct import_job *job, const char *directory)
{
	size_t written = 0;
	int err = 0;

	while (written < job->files->count && !err) {
		err = write_document(directory, job->names[written], job->boots[written]);
		written += !err;
	}
	if (!err)
		err = write_document(directory, "campaign", job->campaign);
	while (err && written--) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%.3800s/%.255s.json", directory, job->names[written]);
		unlink(path);
	}
	return err;
}

/* A new campaign's folder appears when it is whole. */
static int write_new(const struct import_job *job)
{
	char *making = format_string("%s/.importing-%ld", job->values->results, (long)getpid());
	int err = making ? make_directories(making) : -ENOMEM;

	if (err) {
		message_errno(err, "cannot make a folder in %s", job->values->results);
		free(making);
		return err;
	}
	err = write_all_documents(job, making);
	if (!err && rename(making, job->directory))
		err = message_errno(-errno, "cannot make %s", job->directory);
	if (err)
		remove_tree(making);
	free(making);
	return err;
}

static int import_files(struct import_job *job)
{
	size_t count = job->files->count;
	int exit_code;

	job->imported = calloc(count, sizeof(*job->imported));
	job->boots = calloc(count, sizeof(*job->boots));
	job->names = calloc(count, sizeof(*job->names));
	if (!job->imported || !job->boots || !job->names) {
		message_errno(-ENOMEM, "cannot import");
		return EXIT_BROKE;
	}
	exit_code = read_files(job);
	if (!exit_code)
		exit_code = open_campaign(job);
	if (!exit_code)
		exit_code = add_boots(job);
	if (exit_code)
		return exit_code;
	if (job->is_new ? write_new(job) : write_all_documents(job, job->directory))
		return EXIT_BROKE;
	printf("%s: %zu boot%s of %s\n", job->directory, count, count == 1 ? "" : "s",
	       job->values->variant);
	return fflush(stdout) ? EXIT_BROKE : EXIT_FINE;
}

static void release_job(struct import_job *job)
{
	for (size_t i = 0; i < job->files->count; i++) {
		if (job->boots)
			json_object_put(job->boots[i]);
		if (job->names)
			free(job->names[i]);
		if (job->imported)
			imported_release(&job->imported[i]);
	}
	free(job->boots);
	free(job->names);
	free(job->imported);
	json_object_put(job->campaign);
	free(job->directory);
	free(job->id);
}

static int run(int argc, char **argv)
{
	struct import_values values = {0};
	struct string_list operands = {0};
	struct import_job job = {.values = &values, .files = &operands};
	int err = options_parse(&command_import, argc, argv, &values, &operands);
	const char *mistake = err ? NULL : find_mistake(&values, &operands);
	int exit_code;

	if (err) {
		exit_code = options_exit_code(err);
	} else if (mistake) {
		message_error("%s; see 'proxeval import --help'", mistake);
		exit_code = EXIT_USAGE;
	} else {
		exit_code = import_files(&job);
		release_job(&job);
	}
	options_release(&command_import, &values, &operands);
	return exit_code;
}

static const char *const description[] = {
	"Makes a campaign of what cyclictest (--json, -h, -H), hackbench or schbench wrote, so that\n"
	"older runs can be compared. Each FILE is one boot of the variant. Import the other variant\n"
	"into the same campaign, with --campaign, and compare the two.",
	"Exit codes: 0 imported, 3 the line is wrong, 5 a file is invalid (then nothing is written),\n"
	"6 it could not be written.",
	NULL,
};

const struct command command_import = {
	.name = "import",
	.summary = "Makes a campaign of cyclictest's, hackbench's or schbench's files",
	.usage = "--tool=TOOL --variant LABEL [OPTION…] FILE…",
	.description = description,
	.options = import_options,
	.run = run,
};
