// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/kernel_internal.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "measure/clock.h"
#include "reports/json_strict.h"

#define CONFIG_MAX_BYTES (4 << 20)
/* Lines that make prints for a clean build of base.config; the next build knows better. */
#define EXPECTED_LINES 1660
/* Part of every hash: raise it when the same inputs would give another kernel. */
#define RECIPE_VERSION "2"

/* --- options --- */

/* "CONFIG_X=y" or "# CONFIG_X is not set": the option's name, its length in @length. */
static const char *option_name(const char *line, size_t *length, bool *is_unset)
{
	static const char not_set[] = " is not set";

	*is_unset = !strncmp(line, "# CONFIG_", 9);
	if (*is_unset)
		line += 2;
	if (strncmp(line, "CONFIG_", 7))
		return NULL;
	*length = strcspn(line, *is_unset ? " \n" : "=\n");
	if (*is_unset && strncmp(line + *length, not_set, sizeof(not_set) - 1))
		return NULL;
	if (!*is_unset && line[*length] != '=')
		return NULL;
	if (!*is_unset && !strncmp(line + *length, "=n", 2) &&
	    (line[*length + 2] == '\n' || !line[*length + 2]))
		*is_unset = true;
	return line;
}

/* --- fragments --- */

/* "# make: NAME=VALUE": a setting that Kconfig cannot express. The setting, or NULL. */
static const char *make_setting(const char *line)
{
	static const char mark[] = "# make: ";

	return strncmp(line, mark, sizeof(mark) - 1) ? NULL : line + sizeof(mark) - 1;
}

/* Only what a fragment sets counts: a better comment must not cost anybody a build. */
static int hash_options(struct fragment *fragment)
{
	size_t length, used = 0;
	char *kept = malloc(strlen(fragment->text) + 2);
	bool unset;

	if (!kept)
		return -ENOMEM;
	for (const char *line = fragment->text; *line; line = next_line(line)) {
		size_t line_length = strcspn(line, "\n");

		if (!option_name(line, &length, &unset) && !make_setting(line))
			continue;
		memcpy(kept + used, line, line_length);
		used += line_length;
		kept[used++] = '\n';
	}
	sha256_bytes(kept, used, fragment->sha256);
	free(kept);
	return 0;
}

static int add_fragment(const char *name, char *path, struct fragments *fragments)
{
	struct fragment *grown =
		path ? realloc(fragments->items, (fragments->count + 1) * sizeof(*grown)) : NULL;
	struct fragment *item;
	int err;

	if (!grown) {
		free(path);
		return -ENOMEM;
	}
	fragments->items = grown;
	item = &grown[fragments->count++];
	*item = (struct fragment){.name = strdup(name), .path = path};
	if (!item->name)
		return -ENOMEM;
	err = read_file(path, CONFIG_MAX_BYTES, &item->text, NULL);
	if (err) {
		message_errno(err, "cannot read the configuration fragment %s", path);
		return -EINVAL;
	}
	return hash_options(item);
}

static int add_shipped_fragment(const char *name, struct fragments *fragments)
{
	char *relative = format_string("kernel-patches/config/%s.config", name);
	int err = relative ? add_fragment(name, paths_data(relative), fragments) : -ENOMEM;

	free(relative);
	return err;
}

/* Ours, for every kernel of that version: options have other names from one base to the next. */
static int add_base_fragments(const char *version, struct fragments *fragments)
{
	int err = add_shipped_fragment("base", fragments);
	unsigned int step = 0;
	bool is_found = false;
	char name[64];

	while (version && !err && !is_found && base_next(version, &step, name)) {
		char *relative = format_string("kernel-patches/config/%s.config", name);
		char *path = relative ? paths_data(relative) : NULL;

		is_found = path && !access(path, F_OK);
		if (!path)
			err = -ENOMEM;
		else if (is_found)
			err = add_shipped_fragment(name, fragments);
		free(relative);
		free(path);
	}
	for (size_t i = 0; i < fragments->count; i++)
		fragments->items[i].is_base = true;
	return err;
}

int fragments_read(const struct string_list *extra, const char *version,
		   struct fragments *fragments)
{
	int err = add_base_fragments(version, fragments);

	for (size_t i = 0; extra && i < extra->count && !err; i++) {
		const char *name = extra->items[i];

		if (strchr(name, '/') || !access(name, F_OK))
			err = add_fragment(name, strdup(name), fragments);
		else
			err = add_shipped_fragment(name, fragments);
	}
	return err;
}

void fragments_release(struct fragments *fragments)
{
	for (size_t i = 0; i < fragments->count; i++) {
		free(fragments->items[i].name);
		free(fragments->items[i].path);
		free(fragments->items[i].text);
	}
	free(fragments->items);
	*fragments = (struct fragments){0};
}

/* --- which options survived --- */

/* The line that says what @name is, the last one wins; NULL when there is none. */
static const char *find_option(const char *text, const char *name, size_t length, bool *is_unset)
{
	const char *found = NULL;

	for (const char *line = text; *line; line = next_line(line)) {
		bool unset;
		size_t this_length;
		const char *this_name = option_name(line, &this_length, &unset);

		if (!this_name || this_length != length || strncmp(this_name, name, length))
			continue;
		found = this_name;
		*is_unset = unset;
	}
	return found;
}

static bool is_as_wanted(const char *wanted, bool want_unset, const char *config, size_t length)
{
	bool is_unset = true;
	const char *found = find_option(config, wanted, length, &is_unset);
	size_t value_length;

	if (want_unset)
		return !found || is_unset;
	if (!found || is_unset)
		return false;
	value_length = strcspn(wanted, "\n");
	return strcspn(found, "\n") == value_length && !strncmp(found, wanted, value_length);
}

char *config_lost_options(const char *wanted, const char *later, const char *config)
{
	char *lost = strdup(""), *longer;

	for (const char *line = wanted; lost && *line; line = next_line(line)) {
		bool unset, last_unset;
		size_t length;
		const char *name = option_name(line, &length, &unset);

		/* Of options that are said twice only the last counts. */
		if (!name || find_option(wanted, name, length, &last_unset) != name ||
		    find_option(later, name, length, &last_unset) ||
		    is_as_wanted(name, unset, config, length))
			continue;
		longer = format_string("%s%s%.*s", lost, *lost ? " " : "", (int)length, name);
		free(lost);
		lost = longer;
	}
	return lost;
}

/* --- the hash --- */

static char *append_line(char *text, const char *kind, const char *name, const char *value)
{
	char *longer = text ? format_string("%s%s %s %s\n", text, kind, name, value) : NULL;

	free(text);
	return longer;
}

void kernel_hash(const char *source_id, const struct series *series,
		 const struct fragments *fragments, const char *compiler, char hex[SHA256_HEX_SIZE])
{
	char *text = format_string("recipe %s\n", RECIPE_VERSION);

	text = append_line(text, "source", source_id, "");
	for (size_t i = 0; i < series->count; i++)
		text = append_line(text, "patch", "", series->items[i].sha256);
	for (size_t i = 0; i < fragments->count; i++)
		text = append_line(text, "fragment", "", fragments->items[i].sha256);
	text = append_line(text, "compiler", compiler, "");
	sha256_bytes(text ? text : "", text ? strlen(text) : 0, hex);
	free(text);
}

/* --- make --- */

struct make_run {
	const struct kernel_inputs *inputs;
	char *objects;
	char *log_path;
	unsigned long lines, expected;
	bool is_optional; /* whoever wants it says what it means that it does not build */
	char error[512];  /* the first line that looks like the compiler's or make's complaint */
};

static void watch_make(void *context, const char *line)
{
	struct make_run *run = context;
	const char *detail = strrchr(line, '/');

	run->lines++;
	if (run->lines > run->expected && run->expected)
		progress_set_total(run->expected = run->lines + 20);
	progress_update(run->lines, detail ? detail + 1 : line);
	if (!*run->error && (strstr(line, "error:") || strstr(line, "*** ") ||
			     strstr(line, "undefined reference") || strstr(line, "not found")))
		snprintf(run->error, sizeof(run->error), "%s", line);
}

/* The same inputs give the same bytes: virtual time depends on every one of them. */
static const char *const make_environment[] = {
	"LC_ALL=C", "KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 2026",
	"KBUILD_BUILD_USER=proxeval", "KBUILD_BUILD_HOST=proxeval", "KBUILD_BUILD_VERSION=1",
	"MAKEFLAGS=", "MAKELEVEL=",
	/* A kernel that was kept without its symbols still gets its module: the loader looks them
	 * up by name. */
	"KBUILD_MODPOST_WARN=1", NULL};

#define MAKE_SETTINGS_MAX 32

/* The fragments' settings for make as new strings behind the @used ones; -E2BIG when too many. */
static int add_settings(const struct fragments *fragments, char **argv, size_t *used, size_t room)
{
	for (size_t i = 0; i < fragments->count; i++) {
		for (const char *line = fragments->items[i].text; *line; line = next_line(line)) {
			const char *setting = make_setting(line);

			if (!setting)
				continue;
			if (*used + 1 >= room) {
				message_error("the fragment %s has more than %d settings for make",
					      fragments->items[i].name, MAKE_SETTINGS_MAX);
				return -E2BIG;
			}
			argv[*used] = strndup(setting, strcspn(setting, "\n"));
			if (!argv[*used])
				return -ENOMEM;
			++*used;
		}
	}
	return 0;
}

/* Pahole makes BTF, and nothing else that an image could need it for. */
static bool needs_pahole(const struct fragments *fragments)
{
	for (size_t i = 0; i < fragments->count; i++)
		if (strstr(fragments->items[i].text, "CONFIG_DEBUG_INFO_BTF=y"))
			return true;
	return false;
}

static int run_make(struct make_run *run, const char *target, const char *setting)
{
	bool has_pahole = needs_pahole(run->inputs->fragments);
	char *argv[10 + MAKE_SETTINGS_MAX] = {
		strdup("make"),
		strdup("-C"),
		strdup(run->inputs->source->tree),
		format_string("O=%s", run->objects),
		format_string("-j%llu", (unsigned long long)run->inputs->jobs),
		/* Their versions would go into the configuration, which the image carries. */
		strdup("RUSTC=false"),
		strdup(has_pahole ? "PAHOLE=pahole" : "PAHOLE=false"),
		strdup(target),
		setting ? strdup(setting) : NULL,
	};
	size_t used = setting ? 9 : 8;
	struct process_request request = {.argv = (const char *const *)argv,
					  .environment = make_environment,
					  .log_path = run->log_path,
					  .on_line = watch_make,
					  .context = run};
	int err =
		add_settings(run->inputs->fragments, argv, &used, sizeof(argv) / sizeof(*argv) - 1);

	for (size_t i = 0; i < used && !err; i++)
		err = argv[i] ? 0 : -ENOMEM;
	if (!err)
		err = process_run(&request);
	for (size_t i = 0; i < used; i++)
		free(argv[i]);
	if (err && err != -EINTR && err != -E2BIG && !run->is_optional) {
		message_error("the kernel does not build: %s; see %s",
			      *run->error ? run->error : "make failed", run->log_path);
	}
	return err > 0 ? -EIO : err;
}

int kernel_make_target(const struct kernel_inputs *inputs, const char *objects,
		       const char *log_path, const char *target, const char *setting)
{
	struct make_run run = {.inputs = inputs,
			       .objects = (char *)objects,
			       .log_path = (char *)log_path,
			       .is_optional = true};

	return run_make(&run, target, setting);
}

/* The fragments from @first on, one behind the other: a new string. */
static char *join_fragments(const struct fragments *fragments, size_t first)
{
	char *all = strdup(""), *longer;

	for (size_t i = first; i < fragments->count && all; i++) {
		longer = format_string("%s%s\n", all, fragments->items[i].text);
		free(all);
		all = longer;
	}
	return all;
}

/* What a tree does not take of our own configuration it may do without; but not proxy execution. */
static int report_lost(const struct fragment *fragment, const char *lost)
{
	static const char text[] = "this tree does not take these options of the fragment %s: %s";

	if (!*lost)
		return 0;
	if (fragment->is_base && !strstr(lost, "CONFIG_SCHED_PROXY_EXEC")) {
		message_warning(text, fragment->name, lost);
		return 0;
	}
	message_error(text, fragment->name, lost);
	return -EINVAL;
}

static int check_configuration(const struct make_run *run, const char *config_path)
{
	const struct fragments *fragments = run->inputs->fragments;
	char *config;
	int err = read_file(config_path, CONFIG_MAX_BYTES, &config, NULL);

	if (err)
		return message_errno(err, "cannot read %s", config_path);
	for (size_t i = 0; i < fragments->count && !err; i++) {
		const struct fragment *fragment = &fragments->items[i];
		char *later = join_fragments(fragments, i + 1), *lost = NULL;

		if (later)
			lost = config_lost_options(fragment->text, later, config);
		err = lost ? report_lost(fragment, lost) : -ENOMEM;
		free(later);
		free(lost);
	}
	free(config);
	return err;
}

static int configure(struct make_run *run)
{
	char *wanted_path = format_string("%s/.proxeval-fragments", run->objects);
	char *config_path = format_string("%s/.config", run->objects);
	char *setting = format_string("KCONFIG_ALLCONFIG=%s", wanted_path ? wanted_path : "");
	char *all = join_fragments(run->inputs->fragments, 0);
	int err = wanted_path && config_path && setting && all ? 0 : -ENOMEM;

	if (!err)
		err = write_file_atomically(wanted_path, all, strlen(all));
	if (!err)
		err = run_make(run, "allnoconfig", setting);
	if (!err)
		err = check_configuration(run, config_path);
	free(wanted_path);
	free(config_path);
	free(setting);
	free(all);
	return err;
}

static unsigned long expected_lines(const char *path)
{
	char text[32];
	uint64_t lines;

	if (read_line(path, text, sizeof(text)) || parse_number(text, 1, 1000000, &lines))
		return EXPECTED_LINES;
	return (unsigned long)lines;
}

static int compile(struct make_run *run)
{
	char *built = format_string("%s/vmlinux", run->objects);
	char *record = format_string("%s/expected-lines", run->inputs->source->directory);
	bool is_clean = built && access(built, F_OK);
	char text[32];
	int err = built && record ? 0 : -ENOMEM;

	run->lines = 0;
	*run->error = '\0'; /* the configuration's chatter does not explain a compiler's error */
	/* How much of a tree that was built before is left to do nobody knows. */
	run->expected = is_clean && record ? expected_lines(record) : 0;
	progress_begin("building the kernel", run->expected);
	if (!err)
		err = run_make(run, "bzImage", NULL);
	progress_end(err == -EINTR ? "stopped" : err ? "failed" : NULL);
	if (!err && is_clean) {
		snprintf(text, sizeof(text), "%lu\n", run->lines);
		write_file_atomically(record, text, strlen(text));
	}
	free(built);
	free(record);
	return err;
}

/* --- what is kept --- */

static const char *const telling_options[] = {
	"CONFIG_SCHED_PROXY_EXEC", "CONFIG_SCHED_CORE",	    "CONFIG_PREEMPT",
	"CONFIG_PREEMPT_DYNAMIC",  "CONFIG_PREEMPT_LAZY",   "CONFIG_HZ",
	"CONFIG_NO_HZ_IDLE",	   "CONFIG_NO_HZ_FULL",	    "CONFIG_NUMA",
	"CONFIG_FAIR_GROUP_SCHED", "CONFIG_CFS_BANDWIDTH",  "CONFIG_SCHEDSTATS",
	"CONFIG_PROVE_LOCKING",	   "CONFIG_KASAN",	    "CONFIG_KCSAN",
	"CONFIG_JUMP_LABEL",	   "CONFIG_CPU_MITIGATIONS"};

static struct json_object *telling_config(const char *config_path)
{
	struct json_object *object = json_object_new_object();
	char *config;

	if (read_file(config_path, CONFIG_MAX_BYTES, &config, NULL))
		return object;
	for (size_t i = 0; i < sizeof(telling_options) / sizeof(*telling_options); i++) {
		const char *name = telling_options[i], *line;
		bool is_unset = true;
		char *value;

		line = find_option(config, name, strlen(name), &is_unset);
		if (!line || is_unset) {
			json_object_object_add(object, name, json_object_new_string("n"));
			continue;
		}
		line += strlen(name) + 1;
		value = strndup(line, strcspn(line, "\n"));
		json_object_object_add(object, name, json_object_new_string(value ? value : ""));
		free(value);
	}
	free(config);
	return object;
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *series_document(const struct series *series)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < series->count; i++) {
		struct json_object *item;

		if (series->items[i].is_left_out)
			continue;
		item = json_object_new_object();
		add_string(item, "patch", series->items[i].name);
		add_string(item, "sha256", series->items[i].sha256);
		json_object_object_add(item, "aid",
				       json_object_new_boolean(series->items[i].is_aid));
		json_object_array_add(array, item);
	}
	return array;
}

static struct json_object *fragments_document(const struct fragments *fragments)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < fragments->count; i++) {
		struct json_object *item = json_object_new_object();

		add_string(item, "fragment", fragments->items[i].name);
		add_string(item, "sha256", fragments->items[i].sha256);
		json_object_array_add(array, item);
	}
	return array;
}

static int write_manifest(const struct kernel_inputs *inputs, const char *directory, double build_s)
{
	struct json_object *document = json_object_new_object();
	char *path = format_string("%s/manifest.json", directory);
	char *image = format_string("%s/bzImage", directory);
	char *config = format_string("%s/config", directory);
	char hex[SHA256_HEX_SIZE] = "", when[32], duration[32];
	time_t now = time(NULL);
	int err = path && image && config ? sha256_file(image, hex) : -ENOMEM;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	snprintf(duration, sizeof(duration), "%.1f", build_s);
	add_string(document, "format", "proxeval-kernel");
	json_object_object_add(document, "version", json_object_new_int(1));
	add_string(document, "hash", inputs->hash);
	add_string(document, "base", inputs->source->version);
	add_string(document, "origin", inputs->source->origin);
	add_string(document, "source_id", inputs->source->id);
	json_object_object_add(document, "series", series_document(inputs->series));
	json_object_object_add(document, "fragments", fragments_document(inputs->fragments));
	json_object_object_add(document, "config",
			       config ? telling_config(config) : json_object_new_object());
	add_string(document, "compiler", inputs->compiler);
	add_string(document, "image_sha256", hex);
	add_string(document, "built", when);
	json_object_object_add(document, "build_s", json_object_new_double_s(build_s, duration));
	if (!err)
		err = write_json_atomically(path, document);
	json_object_put(document);
	free(path);
	free(image);
	free(config);
	return err;
}

int kernel_refresh_manifest(const struct kernel_inputs *inputs, const char *path)
{
	struct json_object *document, *series = series_document(inputs->series), *written;
	char problem[200];
	int err = json_strict_load(path, KERNEL_MANIFEST_MAX_BYTES, &document, problem,
				   sizeof(problem));

	if (err) {
		message_error("the kernel's manifest %s: %s", path, problem);
		json_object_put(series);
		return err;
	}
	if (json_object_object_get_ex(document, "series", &written) &&
	    json_object_equal(written, series)) {
		json_object_put(series);
	} else {
		json_object_object_add(document, "series", series);
		err = write_json_atomically(path, document);
		if (err)
			message_errno(err, "cannot write %s", path);
	}
	json_object_put(document);
	return err;
}

int kernel_copy_file(const char *from_directory, const char *from, const char *to_directory,
		     const char *to)
{
	char *source = format_string("%s/%s", from_directory, from);
	char *target = format_string("%s/%s", to_directory, to);
	size_t size_bytes;
	char *bytes;
	int err = source && target ? read_file(source, 1 << 30, &bytes, &size_bytes) : -ENOMEM;

	if (!err) {
		err = write_file_atomically(target, bytes, size_bytes);
		free(bytes);
	}
	free(source);
	free(target);
	return err;
}

/* The kernel's folder appears whole, with one rename. */
static int keep(const struct make_run *run, const char *kernels_directory, double build_s)
{
	char *building = format_string("%s/.new", kernels_directory);
	char *directory = format_string("%s/%s", kernels_directory, run->inputs->hash);
	int err = building && directory ? remove_tree(building) : -ENOMEM;

	if (!err)
		err = make_directories(building);
	if (!err)
		err = kernel_copy_file(run->objects, "arch/x86/boot/bzImage", building, "bzImage");
	if (!err)
		err = kernel_copy_file(run->objects, ".config", building, "config");
	if (!err)
		err = kernel_copy_file(run->inputs->source->directory, "build.log", building,
				       "build.log");
	if (!err)
		err = write_manifest(run->inputs, building, build_s);
	if (!err)
		err = remove_tree(directory);
	if (!err && rename(building, directory))
		err = -errno;
	if (err)
		message_errno(err, "cannot keep the kernel in %s", directory);
	free(building);
	free(directory);
	return err;
}

/*
 * A compiler that was killed may leave half an object file behind. Where that file
 * had been built before, make takes it for good; so a rebuild that was cut off
 * begins again from nothing.
 */
static int prepare_objects(const struct make_run *run, const char *mark)
{
	int err = 0;

	if (!access(mark, F_OK))
		err = remove_tree(run->objects);
	if (!err)
		err = make_directories(run->objects);
	return err ? message_errno(err, "cannot prepare %s", run->objects) : 0;
}

static int compile_marked(struct make_run *run, const char *mark)
{
	char *built = format_string("%s/vmlinux", run->objects);
	int err = built ? 0 : -ENOMEM;

	if (!err && !access(built, F_OK))
		err = write_file_atomically(mark, "", 0);
	if (!err)
		err = configure(run);
	if (!err)
		err = compile(run);
	if (!err && unlink(mark) && errno != ENOENT)
		err = -errno;
	free(built);
	return err;
}

int kernel_compile(const struct kernel_inputs *inputs, const char *kernels_directory)
{
	struct make_run run = {.inputs = inputs};
	char *mark = format_string("%s/" KERNEL_REBUILD_MARK, inputs->source->directory);
	uint64_t begin_ns = clock_now_ns();
	int err = -ENOMEM;

	run.objects = format_string("%s/objects", inputs->source->directory);
	run.log_path = format_string("%s/build.log", inputs->source->directory);
	if (mark && run.objects && run.log_path)
		err = prepare_objects(&run, mark);
	if (!err)
		unlink(run.log_path);
	if (!err)
		err = compile_marked(&run, mark);
	if (!err)
		err = keep(&run, kernels_directory, (double)(clock_now_ns() - begin_ns) / 1e9);
	free(mark);
	free(run.objects);
	free(run.log_path);
	return err;
}
