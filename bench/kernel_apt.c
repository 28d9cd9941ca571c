// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bench/kernel_internal.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/progress.h"

#define SOURCES_MAX_BYTES (1 << 20)
/* A stanza is as many as its URIs times its suites. Nobody has so many; the rest is left out. */
#define ARCHIVES_MAX 512

const char *const kernel_bases[] = {"7.2", "7.3", NULL};

/*
 * Where a release that is out gets newer kernels from: its own backports first (one
 * small index; "-backports" is put after the machine's own codename), then what came
 * after it. A suite that a mirror lacks costs one request.
 */
static const char *const later_suites[] = {"-backports", "trixie-backports", "forky-backports",
					   "sid", NULL};

static bool is_full(const struct apt_archives *archives)
{
	return archives->count == ARCHIVES_MAX;
}

static int add_archive(struct apt_archives *archives, const char *uri, const char *suite,
		       const char *components, const char *signed_by)
{
	struct apt_archive *grown, *item;

	if (is_full(archives))
		return 0;
	grown = realloc(archives->items, (archives->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	archives->items = grown;
	item = &grown[archives->count++];
	*item = (struct apt_archive){
		.uri = strdup(uri),
		.suite = strdup(suite),
		.components = strdup(components),
		.signed_by = signed_by ? strdup(signed_by) : NULL,
	};
	if (!item->uri || !item->suite || !item->components || (signed_by && !item->signed_by))
		return -ENOMEM;
	return 0;
}

void apt_archives_release(struct apt_archives *archives)
{
	for (size_t i = 0; i < archives->count; i++) {
		free(archives->items[i].uri);
		free(archives->items[i].suite);
		free(archives->items[i].components);
		free(archives->items[i].signed_by);
	}
	free(archives->items);
	*archives = (struct apt_archives){0};
}

/* Cuts "[a=b signed-by=/x] rest" into its value for signed-by and the rest. */
static char *skip_bracket(char *text, char **signed_by)
{
	char *end, *save = NULL;

	*signed_by = NULL;
	text += strspn(text, " \t");
	if (*text != '[')
		return text;
	end = strchr(text, ']');
	if (!end)
		return NULL;
	*end = '\0';
	for (char *word = strtok_r(text + 1, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save))
		if (!strncasecmp(word, "signed-by=", 10))
			*signed_by = word + 10;
	return end + 1;
}

static int parse_entry(char *line, struct apt_archives *archives)
{
	char *signed_by, *uri, *suite, *save = NULL;

	line += strspn(line, " \t");
	if (strncmp(line, "deb", 3) || !isblank((unsigned char)line[3]))
		return 0;
	line[strcspn(line, "#")] = '\0';
	line = skip_bracket(line + 3, &signed_by);
	if (!line)
		return 0;
	uri = strtok_r(line, " \t", &save);
	suite = uri ? strtok_r(NULL, " \t", &save) : NULL;
	if (!suite)
		return 0;
	return add_archive(archives, uri, suite, save ? save : "", signed_by);
}

int apt_parse_one_line(const char *text, struct apt_archives *archives)
{
	char *copy = strdup(text), *save = NULL;
	int err = copy ? 0 : -ENOMEM;

	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line && !err;
	     line = strtok_r(NULL, "\n", &save))
		err = parse_entry(line, archives);
	free(copy);
	return err;
}

/* The fields of one deb822 stanza that matter here; all point into its text. */
struct stanza {
	char *types, *uris, *suites, *components, *signed_by, *enabled;
};

static void store_field(struct stanza *stanza, const char *name, char *value)
{
	struct {
		const char *name;
		char **slot;
	} fields[] = {
		{"Types", &stanza->types},	   {"URIs", &stanza->uris},
		{"Suites", &stanza->suites},	   {"Components", &stanza->components},
		{"Signed-By", &stanza->signed_by}, {"Enabled", &stanza->enabled},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strcasecmp(name, fields[i].name))
			*fields[i].slot = value;
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (words += strspn(words, " \t\n"); *words; words += strspn(words, " \t\n")) {
		size_t this_length = strcspn(words, " \t\n");

		if (this_length == length && !strncmp(words, word, length))
			return true;
		words += this_length;
	}
	return false;
}

static int add_stanza(const struct stanza *stanza, struct apt_archives *archives)
{
	char *save_uri = NULL, *save_suite;
	int err = 0;

	if (!stanza->types || !stanza->uris || !stanza->suites || !has_word(stanza->types, "deb"))
		return 0;
	if (stanza->enabled &&
	    (has_word(stanza->enabled, "no") || has_word(stanza->enabled, "false")))
		return 0;
	for (char *uri = strtok_r(stanza->uris, " \t\n", &save_uri);
	     uri && !err && !is_full(archives); uri = strtok_r(NULL, " \t\n", &save_uri)) {
		char *suites = strdup(stanza->suites);

		if (!suites)
			return -ENOMEM;
		save_suite = NULL;
		for (char *suite = strtok_r(suites, " \t\n", &save_suite);
		     suite && !err && !is_full(archives);
		     suite = strtok_r(NULL, " \t\n", &save_suite))
			err = add_archive(archives, uri, suite,
					  stanza->components ? stanza->components : "",
					  stanza->signed_by);
		free(suites);
	}
	return err;
}

/* The end of the field that starts at @text: its last line, continuation lines included. */
static char *end_of_field(char *text)
{
	char *end = text;

	for (;;) {
		end += strcspn(end, "\n");
		if (!*end || (end[1] != ' ' && end[1] != '\t'))
			return end;
		end++;
	}
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

int apt_parse_deb822(const char *text, struct apt_archives *archives)
{
	char *copy = format_string("%s\n", text), *next = copy;
	struct stanza stanza = {0};
	int err = copy ? 0 : -ENOMEM;

	while (next && *next && !err) {
		char *field = next, *end, *colon;
		bool blank;

		end = *field == '#' ? field + strcspn(field, "\n") : end_of_field(field);
		next = *end ? end + 1 : end;
		*end = '\0';
		blank = !field[strspn(field, " \t\r\n")];
		if (blank) {
			err = add_stanza(&stanza, archives);
			stanza = (struct stanza){0};
			continue;
		}
		colon = strchr(field, ':');
		if (*field == '#' || !colon)
			continue;
		*colon = '\0';
		store_field(&stanza, field, trim(colon + 1));
	}
	if (!err)
		err = add_stanza(&stanza, archives);
	free(copy);
	return err;
}

static bool is_partial_suite(const char *suite)
{
	return strstr(suite, "-security") || strstr(suite, "-updates") || strchr(suite, '/');
}

const struct apt_archive *apt_find_main(const struct apt_archives *archives, const char *codename)
{
	const struct apt_archive *fallback = NULL;

	for (size_t i = 0; i < archives->count; i++) {
		const struct apt_archive *archive = &archives->items[i];

		if (!has_word(archive->components, "main"))
			continue;
		if (codename && !strcmp(archive->suite, codename))
			return archive;
		if (!fallback && !is_partial_suite(archive->suite))
			fallback = archive;
	}
	return fallback;
}

char *apt_render_source(const struct apt_archive *archive, const char *suite)
{
	bool has_key = archive->signed_by && *archive->signed_by;

	return format_string("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n%s%s%s",
			     archive->uri, suite, has_key ? "Signed-By: " : "",
			     has_key ? archive->signed_by : "", has_key ? "\n" : "");
}

/* --- the machine --- */

static int read_matching(const char *pattern, int (*parse)(const char *, struct apt_archives *),
			 struct apt_archives *archives)
{
	glob_t matches;
	int err = 0;

	if (glob(pattern, 0, NULL, &matches))
		return 0;
	for (size_t i = 0; i < matches.gl_pathc && !err; i++) {
		char *text;

		if (read_file(matches.gl_pathv[i], SOURCES_MAX_BYTES, &text, NULL))
			continue;
		err = parse(text, archives);
		free(text);
	}
	globfree(&matches);
	return err;
}

static int read_machine_archives(struct apt_archives *archives)
{
	int err = read_matching("/etc/apt/sources.list", apt_parse_one_line, archives);

	if (!err)
		err = read_matching("/etc/apt/sources.list.d/*.list", apt_parse_one_line, archives);
	if (!err)
		err = read_matching("/etc/apt/sources.list.d/*.sources", apt_parse_deb822,
				    archives);
	return err;
}

static char *machine_codename(void)
{
	static const char key[] = "VERSION_CODENAME=";
	char *text, *line, *save = NULL, *found = NULL;

	if (read_file("/etc/os-release", SOURCES_MAX_BYTES, &text, NULL))
		return NULL;
	for (line = strtok_r(text, "\n", &save); line && !found; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, sizeof(key) - 1)) {
			line += sizeof(key) - 1;
			line += *line == '"';
			line[strcspn(line, "\"")] = '\0';
			found = strdup(line);
		}
	free(text);
	return found;
}

/* --- a private apt --- */

struct private_apt {
	char *directory;
	char *configuration; /* a file; apt reads it through APT_CONFIG */
};

static void private_apt_release(struct private_apt *apt)
{
	free(apt->directory);
	free(apt->configuration);
}

/*
 * One state directory per suite: the lists of a suite are not thrown away when the
 * next one is asked. The status file is empty, so nothing is installed as far as
 * this apt can see, and nothing depends on what the machine has.
 */
static int write_configuration(struct private_apt *apt, const struct apt_archive *archive,
			       const char *suite)
{
	char *source = apt_render_source(archive, suite), *path, *text;
	int err = -ENOMEM;

	path = format_string("%s/suite.sources", apt->directory);
	text = format_string("Dir::State \"%1$s/state\";\n"
			     "Dir::State::status \"%1$s/status\";\n"
			     "Dir::Cache \"%1$s/cache\";\n"
			     "Dir::Etc::sourcelist \"%1$s/suite.sources\";\n"
			     "Dir::Etc::sourceparts \"-\";\n"
			     "Dir::Etc::preferences \"%1$s/none/preferences\";\n"
			     "Dir::Etc::preferencesparts \"%1$s/none\";\n"
			     "Acquire::Languages \"none\";\n"
			     "Acquire::Retries \"2\";\n"
			     "APT::Sandbox::User \"\";\n"
			     "APT::Update::Post-Invoke \"\";\n",
			     apt->directory);
	if (source && path && text)
		err = write_file_atomically(path, source, strlen(source));
	if (!err)
		err = write_file_atomically(apt->configuration, text, strlen(text));
	free(source);
	free(path);
	free(text);
	return err;
}

static int private_apt_open(struct private_apt *apt, const char *root,
			    const struct apt_archive *archive, const char *suite)
{
	static const char *const directories[] = {"state/lists/partial", "cache/archives/partial",
						  "none", NULL};
	char *path;
	int err = 0;

	apt->directory = format_string("%s/%s", root, suite);
	apt->configuration = format_string("%s/%s/apt.conf", root, suite);
	if (!apt->directory || !apt->configuration)
		return -ENOMEM;
	for (const char *const *name = directories; *name && !err; name++) {
		path = format_string("%s/%s", apt->directory, *name);
		err = path ? make_directories(path) : -ENOMEM;
		free(path);
	}
	path = format_string("%s/status", apt->directory);
	if (!err)
		err = path ? write_file_atomically(path, "", 0) : -ENOMEM;
	free(path);
	return err ? err : write_configuration(apt, archive, suite);
}

static int run_apt(const struct private_apt *apt, const char *const *argv, const char *cwd)
{
	char *environment = format_string("APT_CONFIG=%s", apt->configuration);
	char *log_path = format_string("%s/log", apt->directory);
	const char *const extra[] = {environment, "LC_ALL=C", NULL};
	struct process_request request = {
		.argv = argv, .cwd = cwd, .environment = extra, .log_path = log_path};
	int err = environment && log_path ? process_run(&request) : -ENOMEM;

	free(environment);
	free(log_path);
	return err;
}

struct version_search {
	char *version; /* the first one listed is the newest */
};

/* "linux-source-7.2 | 7.2.13-1 | http://… sid/main amd64 Packages" */
static void find_version(void *context, const char *line)
{
	struct version_search *search = context;
	const char *begin = strchr(line, '|');
	size_t length;

	if (search->version || !begin)
		return;
	begin += 1 + strspn(begin + 1, " ");
	length = strcspn(begin, " |");
	if (length)
		search->version = strndup(begin, length);
}

static char *package_version(const struct private_apt *apt, const char *package)
{
	const char *const argv[] = {"apt-cache", "madison", package, NULL};
	char *environment = format_string("APT_CONFIG=%s", apt->configuration);
	const char *const extra[] = {environment, "LC_ALL=C", NULL};
	struct version_search search = {0};
	struct process_request request = {
		.argv = argv, .environment = extra, .on_line = find_version, .context = &search};

	if (environment)
		process_run(&request);
	free(environment);
	return search.version;
}

/* --- the search --- */

void apt_package_release(struct apt_package *package)
{
	free(package->base);
	free(package->version);
	free(package->suite);
	*package = (struct apt_package){0};
}

static bool is_newer(const char *version, const char *than)
{
	const char *const argv[] = {"dpkg", "--compare-versions", version, "gt", than, NULL};
	struct process_request request = {.argv = argv};

	return !process_run(&request);
}

/*
 * Looks for something better than what @find has: a base that comes earlier in @bases,
 * or a later version of the same.
 */
static void search_suite(const struct private_apt *apt, const char *suite, const char *const *bases,
			 struct apt_package *find)
{
	for (; *bases; bases++) {
		bool is_same = find->base && !strcmp(find->base, *bases);
		char *package, *version;

		package = format_string("linux-source-%s", *bases);
		version = package ? package_version(apt, package) : NULL;
		free(package);
		if (version && (!is_same || is_newer(version, find->version))) {
			apt_package_release(find);
			*find = (struct apt_package){
				.suite = strdup(suite), .base = strdup(*bases), .version = version};
			return;
		}
		free(version);
		if (is_same)
			return;
	}
}

static int search_suites(const struct apt_archive *archive, const char *codename,
			 const char *const *bases, const char *root, struct apt_package *find)
{
	static const char *const update[] = {"apt-get", "-q", "update", NULL};
	size_t done = 0;
	int err = 0;

	progress_begin("looking for the kernel source", 0);
	for (const char *const *name = later_suites; *name && !err; name++) {
		struct private_apt apt = {0};
		char suite[128];

		if (**name == '-' && !codename)
			continue;
		snprintf(suite, sizeof(suite), "%s%s", **name == '-' ? codename : "", *name);
		progress_update(++done, suite);
		err = private_apt_open(&apt, root, archive, suite);
		if (!err && run_apt(&apt, update, NULL) == -EINTR)
			err = -EINTR;
		if (!err)
			search_suite(&apt, suite, bases, find);
		private_apt_release(&apt);
	}
	progress_end(find->base ? find->suite : "none found");
	return err;
}

static int find_deb(const char *directory, const char *package, char **deb_path)
{
	char *pattern = format_string("%s/%s_*.deb", directory, package);
	glob_t matches;
	int err = -ENOENT;

	if (!pattern)
		return -ENOMEM;
	if (!glob(pattern, 0, NULL, &matches)) {
		*deb_path = strdup(matches.gl_pathv[0]);
		err = *deb_path ? 0 : -ENOMEM;
		globfree(&matches);
	}
	free(pattern);
	return err;
}

/* The archive that the machine takes its own packages from; -ENOENT: there is none. */
static int find_archive(struct apt_archives *archives, const char *codename,
			const struct apt_archive **archive)
{
	int err = read_machine_archives(archives);

	if (err)
		return err;
	*archive = apt_find_main(archives, codename);
	return *archive && is_program_available("apt-get") ? 0 : -ENOENT;
}

int apt_find_source(const char *base, struct apt_package *package)
{
	const char *const asked[] = {base, NULL};
	char *root = paths_build("kernel/apt"), *codename = machine_codename();
	struct apt_archives archives = {0};
	const struct apt_archive *archive;
	int err = root ? find_archive(&archives, codename, &archive) : -ENOMEM;

	*package = (struct apt_package){0};
	if (!err)
		err = search_suites(archive, codename, base ? asked : kernel_bases, root, package);
	if (!err && !package->base)
		err = -ENOENT;
	if (err)
		apt_package_release(package);
	apt_archives_release(&archives);
	free(codename);
	free(root);
	return err;
}

static int download(const char *root, const struct apt_archive *archive,
		    const struct apt_package *package, const char *directory, char **deb_path)
{
	char *name = format_string("linux-source-%s", package->base);
	const char *const argv[] = {"apt-get", "-q", "download", name, NULL};
	struct private_apt apt = {0};
	int err;

	progress_begin("downloading the kernel source", 0);
	progress_update(0, name);
	err = private_apt_open(&apt, root, archive, package->suite);
	if (!err)
		err = run_apt(&apt, argv, directory);
	progress_end(err ? "failed" : NULL);
	if (!err)
		err = find_deb(directory, name, deb_path);
	if (err && err != -EINTR) {
		message_error("cannot download %s %s from %s; see %s/log", name, package->version,
			      package->suite, apt.directory);
		err = err > 0 ? -EIO : err;
	}
	private_apt_release(&apt);
	free(name);
	return err;
}

int apt_download_source(const struct apt_package *package, const char *directory, char **deb_path)
{
	char *root = paths_build("kernel/apt"), *codename = machine_codename();
	struct apt_archives archives = {0};
	const struct apt_archive *archive;
	int err = root ? find_archive(&archives, codename, &archive) : -ENOMEM;

	if (!err)
		err = download(root, archive, package, directory, deb_path);
	apt_archives_release(&archives);
	free(codename);
	free(root);
	return err;
}
