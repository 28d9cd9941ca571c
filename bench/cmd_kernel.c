// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/commands.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/kernel.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "reports/json_strict.h"

struct kernel_options {
	const char *base, *tree, *series, *mbox, *debug;
	struct string_list fragments, without;
	uint64_t jobs;
	bool is_json, no_progress;
};

static const char *const debug_choices[] = {"lockdep", "kasan", "kcsan", NULL};

static const struct option_spec kernel_option_table[] = {
	{.name = "base",
	 .kind = OPTION_STRING,
	 .argument = "VERSION",
	 .help = "which base to take, 7.2 or 7.3; otherwise 7.2, or 7.3 where only that is to be had",
	 .offset = offsetof(struct kernel_options, base)},
	{.name = "kernel-tree",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "take this git tree's HEAD, or this unpacked source, and never write into it",
	 .offset = offsetof(struct kernel_options, tree)},
	{.name = "series",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "apply this quilt series; /dev/null applies none",
	 .offset = offsetof(struct kernel_options, series)},
	{.name = "mbox",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "apply the series in these mails: an mbox, or a thread saved as text",
	 .offset = offsetof(struct kernel_options, mbox)},
	{.name = "without",
	 .kind = OPTION_LIST,
	 .argument = "PATCH",
	 .help = "leave a patch of the series out: K3, a number or a name; may be repeated",
	 .offset = offsetof(struct kernel_options, without)},
	{.name = "debug",
	 .kind = OPTION_CHOICE,
	 .argument = "CHECKER",
	 .choices = debug_choices,
	 .help = "build a kernel that checks itself, and is slow",
	 .offset = offsetof(struct kernel_options, debug)},
	{.name = "config",
	 .kind = OPTION_LIST,
	 .argument = "FRAGMENT",
	 .help = "add a fragment to the configuration: a file, or a shipped one's name; may be repeated",
	 .offset = offsetof(struct kernel_options, fragments)},
	{.name = "jobs",
	 .letter = 'j',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = 4096,
	 .help = "how many compilers run at a time; one per CPU otherwise",
	 .offset = offsetof(struct kernel_options, jobs)},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print the answer as JSON",
	 .offset = offsetof(struct kernel_options, is_json)},
	{.name = "no-progress",
	 .kind = OPTION_FLAG,
	 .help = "draw no progress line",
	 .offset = offsetof(struct kernel_options, no_progress)},
	OPTIONS_END,
};

static void print_json(struct json_object *document)
{
	puts(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
}

static int print_tree(const struct kernel_options *options, int err, char *tree)
{
	if (!err && options->is_json) {
		struct json_object *document = json_object_new_object();

		json_object_object_add(document, "tree", json_object_new_string(tree));
		print_json(document);
	} else if (!err) {
		puts(tree);
	}
	free(tree);
	return kernel_exit_code(err);
}

static int run_fetch(const struct kernel_options *options, const struct kernel_request *request)
{
	char *tree = NULL;
	int err = kernel_check_request(request);

	if (!err)
		err = kernel_fetch(request, &tree);
	return print_tree(options, err, tree);
}

static int run_patch(const struct kernel_options *options, const struct kernel_request *request)
{
	char *tree = NULL;
	int err = kernel_check_request(request);

	if (!err)
		err = kernel_patch(request, &tree);
	return print_tree(options, err, tree);
}

static int run_module(const struct kernel_options *options, const struct kernel_request *request)
{
	struct json_object *document;
	char *path = NULL;
	int err = kernel_module(request->tree, &path);

	if (!err && options->is_json) {
		document = json_object_new_object();
		json_object_object_add(document, "module", json_object_new_string(path));
		print_json(document);
	} else if (!err) {
		puts(path);
	}
	free(path);
	return kernel_exit_code(err);
}

static int run_build(const struct kernel_options *options, const struct kernel_request *request)
{
	struct kernel_build build;
	int err = kernel_check_request(request);

	if (!err)
		err = kernel_make(request, &build);
	if (err)
		return kernel_exit_code(err);
	if (options->is_json) {
		struct json_object *document = json_object_new_object();

		json_object_object_add(document, "hash", json_object_new_string(build.hash));
		json_object_object_add(document, "image", json_object_new_string(build.image_path));
		json_object_object_add(document, "manifest",
				       json_object_new_string(build.manifest_path));
		print_json(document);
	} else {
		puts(build.image_path);
	}
	kernel_build_release(&build);
	return EXIT_FINE;
}

/* --- list --- */

static struct json_object *read_manifest(const char *directory, const char *name)
{
	char *path = format_string("%s/%s/manifest.json", directory, name), problem[200];
	char *image = format_string("%s/%s/bzImage", directory, name);
	struct json_object *document = NULL;

	if (path && image && *name != '.' && !access(path, F_OK)) {
		json_strict_load(path, KERNEL_MANIFEST_MAX_BYTES, &document, problem,
				 sizeof(problem));
		if (json_object_is_type(document, json_type_object)) {
			json_object_object_add(document, "image", json_object_new_string(image));
		} else {
			message_warning("%s: %s; remove its folder and build again", path,
					document ? "it is not a manifest" : problem);
			json_object_put(document);
			document = NULL;
		}
	}
	free(path);
	free(image);
	return document;
}

static int by_age(const void *left, const void *right)
{
	struct json_object *a = NULL, *b = NULL;

	json_object_object_get_ex(*(struct json_object *const *)left, "built", &a);
	json_object_object_get_ex(*(struct json_object *const *)right, "built", &b);
	return strcmp(a ? json_object_get_string(a) : "", b ? json_object_get_string(b) : "");
}

static struct json_object *read_manifests(void)
{
	struct json_object *all = json_object_new_array(), *document;
	char *directory = paths_build("kernel/kernels");
	DIR *open_directory = directory ? opendir(directory) : NULL;
	struct dirent *entry;

	while (open_directory && (entry = readdir(open_directory))) {
		document = read_manifest(directory, entry->d_name);
		if (document)
			json_object_array_add(all, document);
	}
	if (open_directory)
		closedir(open_directory);
	free(directory);
	json_object_array_sort(all, by_age);
	return all;
}

static const char *field(struct json_object *document, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(document, key, &value) ? json_object_get_string(value)
								: "?";
}

/* Patches of the series; the virtual machine's aids are not of interest to people. */
static size_t count_patches(struct json_object *document)
{
	struct json_object *series, *is_aid;
	size_t count = 0;

	if (!json_object_object_get_ex(document, "series", &series))
		return 0;
	for (size_t i = 0; i < json_object_array_length(series); i++)
		count += !json_object_object_get_ex(json_object_array_get_idx(series, i), "aid",
						    &is_aid) ||
			 !json_object_get_boolean(is_aid);
	return count;
}

static void print_table(struct json_object *all)
{
	size_t count = json_object_array_length(all);

	if (!count) {
		puts("No kernel has been built yet; 'proxeval kernel build' makes one.");
		return;
	}
	printf("%-12s  %-10s %7s  %-20s  %s\n", "HASH", "BASE", "PATCHES", "BUILT", "IMAGE");
	for (size_t i = 0; i < count; i++) {
		struct json_object *document = json_object_array_get_idx(all, i);

		printf("%-12.12s  %-10s %7zu  %-20s  %s\n", field(document, "hash"),
		       field(document, "base"), count_patches(document), field(document, "built"),
		       field(document, "image"));
	}
}

static int run_list(const struct kernel_options *options, const struct kernel_request *request)
{
	struct json_object *all = read_manifests();

	(void)request;
	if (options->is_json) {
		struct json_object *document = json_object_new_object();

		json_object_object_add(document, "format",
				       json_object_new_string("proxeval-kernels"));
		json_object_object_add(document, "version", json_object_new_int(1));
		json_object_object_add(document, "kernels", all);
		print_json(document);
		return EXIT_FINE;
	}
	print_table(all);
	json_object_put(all);
	return EXIT_FINE;
}

static const struct {
	const char *name;
	int (*run)(const struct kernel_options *options, const struct kernel_request *request);
} actions[] = {
	{"fetch", run_fetch},	{"patch", run_patch}, {"build", run_build},
	{"module", run_module}, {"list", run_list},
};

static int dispatch(struct kernel_options *options, const struct string_list *operands)
{
	const struct kernel_request request = {.base = options->base,
					       .tree = options->tree,
					       .series = options->series,
					       .mbox = options->mbox,
					       .without = &options->without,
					       .fragments = &options->fragments,
					       .jobs = options->jobs};

	if (options->mbox && options->series) {
		message_error("--mbox and --series each name a series; take one of them");
		return EXIT_USAGE;
	}
	if (options->debug && string_list_add(&options->fragments, options->debug))
		return EXIT_BROKE;
	process_catch_stop_signals();
	if (options->no_progress)
		progress_disable();
	for (size_t i = 0; operands->count == 1 && i < sizeof(actions) / sizeof(*actions); i++)
		if (!strcmp(operands->items[0], actions[i].name))
			return actions[i].run(options, &request);
	message_error(
		"'kernel' takes one of fetch, patch, build, module and list; see 'proxeval kernel --help'");
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	struct kernel_options options = {0};
	struct string_list operands = {0};
	int err = options_parse(&command_kernel, argc, argv, &options, &operands);
	int code = err ? options_exit_code(err) : dispatch(&options, &operands);

	options_release(&command_kernel, &options, &operands);
	return code;
}

static const char *const description[] = {
	"fetch   gets the kernel source from the distribution's later suites, or copies DIR",
	"patch   applies the series to it: all of it, or nothing",
	"build   compiles it, unless the same source, series, configuration and compiler were built before",
	"module  builds the lock laboratory for the running kernel, or for the one that was built in DIR",
	"list    shows what has been built",
	"Everything is kept below the build folder. The machine's own package sources and the tree that\n"
	"--kernel-tree names are never changed.",
	NULL};

const struct command command_kernel = {
	.name = "kernel",
	.summary = "Fetch, patch and build the kernels that are measured",
	.usage = "fetch|patch|build|module|list [OPTION…]",
	.description = description,
	.options = kernel_option_table,
	.run = run,
};
