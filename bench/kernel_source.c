// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/kernel_internal.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "reports/json_strict.h"

#define MAKEFILE_MAX_BYTES (1 << 20)
#define ID_HASH_CHARS	   16

void kernel_source_release(struct kernel_source *source)
{
	free(source->id);
	free(source->directory);
	free(source->tree);
	free(source->origin);
	free(source->version);
	*source = (struct kernel_source){0};
}

char *kernel_tree_version(const char *tree)
{
	static const char *const keys[] = {"VERSION = ", "PATCHLEVEL = ", "SUBLEVEL = "};
	unsigned int numbers[3] = {0};
	char *path = format_string("%s/Makefile", tree), *text, *found;
	int err = path ? read_file(path, MAKEFILE_MAX_BYTES, &text, NULL) : -ENOMEM;

	free(path);
	if (err)
		return NULL;
	for (size_t i = 0; i < 3; i++) {
		found = strstr(text, keys[i]);
		if (!found || sscanf(found + strlen(keys[i]), "%u", &numbers[i]) != 1)
			err = -EINVAL;
	}
	free(text);
	return err ? NULL : format_string("%u.%u.%u", numbers[0], numbers[1], numbers[2]);
}

static int run_quietly(const char *const *argv)
{
	struct process_request request = {.argv = argv};
	int err = process_run(&request);

	return err > 0 ? -EIO : err;
}

/* --- source.json: what makes a directory below sources/ a source --- */

static int source_set(struct kernel_source *source, const char *id, const char *origin)
{
	source->id = strdup(id);
	source->directory = source->id ? paths_build("kernel/sources") : NULL;
	if (source->directory) {
		char *root = source->directory;

		source->directory = format_string("%s/%s", root, id);
		free(root);
	}
	source->tree = source->directory ? format_string("%s/tree", source->directory) : NULL;
	source->origin = strdup(origin);
	return source->tree && source->origin ? 0 : -ENOMEM;
}

/* Writes the mark in @directory, a source's future directory. */
static int write_mark(const char *directory, const char *base, const char *origin)
{
	struct json_object *document = json_object_new_object();
	char *path = format_string("%s/source.json", directory);
	int err = -ENOMEM;

	json_object_object_add(document, "format", json_object_new_string("proxeval-source"));
	json_object_object_add(document, "version", json_object_new_int(1));
	json_object_object_add(document, "base", base ? json_object_new_string(base) : NULL);
	json_object_object_add(document, "origin", json_object_new_string(origin));
	if (path)
		err = write_json_atomically(path, document);
	free(path);
	json_object_put(document);
	return err;
}

static char *marked(const char *directory, const char *key)
{
	char *path = format_string("%s/source.json", directory), problem[200], *value = NULL;
	struct json_object *document, *field;

	if (!path ||
	    json_strict_load(path, MAKEFILE_MAX_BYTES, &document, problem, sizeof(problem))) {
		free(path);
		return NULL;
	}
	if (json_object_object_get_ex(document, key, &field) &&
	    json_object_is_type(field, json_type_string))
		value = strdup(json_object_get_string(field));
	json_object_put(document);
	free(path);
	return value;
}

static int finish(struct kernel_source *source)
{
	source->version = kernel_tree_version(source->tree);
	if (source->version)
		return 0;
	message_error("%s is not a Linux source: its Makefile has no VERSION", source->tree);
	return -EINVAL;
}

/* Moves the finished @building to where @source says; whoever came first wins. */
static int publish(const char *building, const struct kernel_source *source)
{
	int err = remove_tree(source->directory);

	if (!err && rename(building, source->directory))
		err = -errno;
	return err ? message_errno(err, "cannot create %s", source->directory) : 0;
}

/* A fresh directory below sources/ to make a source in; leftovers of an earlier try go. */
static int begin_building(char **building)
{
	int err;

	*building = paths_build("kernel/sources/.new");
	if (!*building)
		return -ENOMEM;
	err = remove_tree(*building);
	if (!err)
		err = make_directories(*building);
	return err ? message_errno(err, "cannot create %s", *building) : 0;
}

/* --- the distribution's package --- */

/* Finds an unpacked package of @base; the highest version wins. */
static int find_unpacked(const char *base, struct kernel_source *source)
{
	char *root = paths_build("kernel/sources"), best[NAME_MAX + 1] = "";
	DIR *directory = root ? opendir(root) : NULL;
	struct dirent *entry;
	char prefix[64];
	int err = -ENOENT;

	snprintf(prefix, sizeof(prefix), "linux-source-%s_", base);
	while (directory && (entry = readdir(directory))) {
		char *path = format_string("%s/%s/source.json", root, entry->d_name);

		if (path && !strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    !access(path, R_OK) && strverscmp(entry->d_name, best) > 0)
			snprintf(best, sizeof(best), "%s", entry->d_name);
		free(path);
	}
	if (directory)
		closedir(directory);
	if (*best) {
		char *path = format_string("%s/%s", root, best);
		char *origin = path ? marked(path, "origin") : NULL;

		err = source_set(source, best, origin ? origin : best);
		free(origin);
		free(path);
	}
	free(root);
	return err;
}

static int unpack_deb(const char *deb_path, const char *building, const char *base)
{
	char *package = format_string("%s/package", building);
	char *tar = format_string("%s/package/usr/src/linux-source-%s.tar.xz", building, base);
	char *tree = format_string("%s/tree", building);
	const char *const extract[] = {"dpkg-deb", "-x", deb_path, package, NULL};
	const char *const untar[] = {
		"tar", "-xf", tar, "--strip-components=1", "-C", tree, "--no-same-owner", NULL};
	int err = package && tar && tree ? make_directories(tree) : -ENOMEM;

	progress_begin("unpacking the kernel source", 0);
	if (!err)
		err = run_quietly(extract);
	if (!err)
		err = run_quietly(untar);
	if (!err)
		err = remove_tree(package);
	progress_end(err ? "failed" : NULL);
	free(package);
	free(tar);
	free(tree);
	return err && err != -EINTR ? message_errno(err, "cannot unpack %s", deb_path) : err;
}

static int make_source(const struct apt_package *package, struct kernel_source *source)
{
	char *building = NULL, *deb = NULL;
	int err = begin_building(&building);

	if (!err)
		err = apt_download_source(package, building, &deb);
	if (!err)
		err = unpack_deb(deb, building, package->base);
	if (!err && unlink(deb))
		err = -errno;
	if (!err)
		err = write_mark(building, package->base, source->origin);
	if (!err)
		err = publish(building, source);
	if (!err)
		message_note("took %s", source->origin);
	if (err && building)
		remove_tree(building);
	free(building);
	free(deb);
	return err;
}

/* What apt has: downloaded, unless it was before. */
static int take_package(const struct apt_package *package, struct kernel_source *source)
{
	char *id = format_string("linux-source-%s_%s", package->base, package->version);
	char *origin = format_string("linux-source-%s %s from %s", package->base, package->version,
				     package->suite);
	int err = id && origin ? source_set(source, id, origin) : -ENOMEM;
	char *mark = err ? NULL : marked(source->directory, "origin");

	if (!err && !mark)
		err = make_source(package, source);
	free(mark);
	free(id);
	free(origin);
	return err;
}

static int report_none(const char *base)
{
	message_error("no apt archive of this machine has the kernel source %s%s; name an "
		      "unpacked source or a git tree with --kernel-tree DIR",
		      base ? "linux-source-" : "package that the series is for", base ? base : "");
	return -ENOENT;
}

/* Where no suite has any base: another one than the first that was fetched before. */
static int find_other_unpacked(struct kernel_source *source)
{
	int err = -ENOENT;

	for (const char *const *base = kernel_bases + 1; *base && err == -ENOENT; base++)
		err = find_unpacked(*base, source);
	return err == -ENOENT ? report_none(NULL) : err;
}

/* Nobody asked for a base: whoever expects the first one's figures is told. */
static void note_other_base(const struct kernel_source *source)
{
	char first[64];

	snprintf(first, sizeof(first), "linux-source-%s", kernel_bases[0]);
	if (strncmp(source->origin, first, strlen(first)))
		message_note("%s is not to be had here; %s is taken instead", first,
			     source->origin);
}

static int open_package(const char *base, struct kernel_source *source)
{
	struct apt_package package;
	int err = find_unpacked(base ? base : kernel_bases[0], source);

	if (err != -ENOENT)
		return err;
	err = apt_find_source(base, &package);
	if (!err)
		err = take_package(&package, source);
	else if (err == -ENOENT)
		err = base ? report_none(base) : find_other_unpacked(source);
	if (!err && !base)
		note_other_base(source);
	apt_package_release(&package);
	return err;
}

/* --- the user's tree --- */

static bool is_git_tree(const char *tree)
{
	char *path = format_string("%s/.git", tree);
	bool found = path && !access(path, F_OK);

	free(path);
	return found;
}

static int capture_word(const char *const *argv, char **out)
{
	int err = process_capture(argv, out);

	if (err)
		return err > 0 ? -EIO : err;
	(*out)[strcspn(*out, "\n")] = '\0';
	return 0;
}

/* Only what is committed counts: that is what a hash can name. */
static void warn_if_changed(const char *tree)
{
	const char *const status[] = {
		"git", "-C", tree, "status", "--porcelain", "--untracked-files=no", NULL};
	char *text;

	if (process_capture(status, &text))
		return;
	if (*text)
		message_warning("%s has changes that are not committed; HEAD is taken without them",
				tree);
	free(text);
}

static int export_git(const char *tree, const char *building)
{
	char *tar = format_string("%s/tree.tar", building),
	     *to = format_string("%s/tree", building);
	char *output = format_string("--output=%s", tar ? tar : "");
	const char *const archive[] = {"git", "-C", tree, "archive", output, "HEAD", NULL};
	const char *const untar[] = {"tar", "-xf", tar, "-C", to, NULL};
	int err = tar && to && output ? make_directories(to) : -ENOMEM;

	if (!err)
		err = run_quietly(archive);
	if (!err)
		err = run_quietly(untar);
	if (!err && unlink(tar))
		err = -errno;
	free(tar);
	free(to);
	free(output);
	return err;
}

static int copy_plain(const char *tree, const char *building)
{
	char *from = format_string("%s/.", tree), *to = format_string("%s/tree", building);
	const char *const copy[] = {"cp", "-a", "--reflink=auto", from, to, NULL};
	int err = from && to ? make_directories(to) : -ENOMEM;

	if (!err)
		err = run_quietly(copy);
	free(from);
	free(to);
	return err;
}

/*
 * The state of an unpacked source: every file's path, size and time of change. Its
 * sum does not depend on the order in which the directories are read, and reading
 * it takes a second, where hashing the contents would take many.
 */
static struct {
	size_t prefix_chars;
	unsigned char sum[32];
	unsigned long files;
} walk;

static int add_file(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	char *line, hex[SHA256_HEX_SIZE];

	(void)ftw;
	if (type != FTW_F && type != FTW_SL)
		return 0;
	line = format_string("%s %lld %lld.%09ld", path + walk.prefix_chars,
			     (long long)status->st_size, (long long)status->st_mtim.tv_sec,
			     status->st_mtim.tv_nsec);
	if (!line)
		return -ENOMEM;
	sha256_bytes(line, strlen(line), hex);
	free(line);
	for (size_t i = 0; i < sizeof(walk.sum); i++) {
		unsigned int byte;

		sscanf(hex + 2 * i, "%2x", &byte);
		walk.sum[i] = (unsigned char)(walk.sum[i] + byte);
	}
	walk.files++;
	return 0;
}

static int plain_state(const char *tree, char hex[SHA256_HEX_SIZE])
{
	int err;

	memset(&walk, 0, sizeof(walk));
	walk.prefix_chars = strlen(tree);
	err = nftw(tree, add_file, 64, FTW_PHYS);
	if (err)
		return err < -1 ? err : -errno;
	sha256_bytes(walk.sum, sizeof(walk.sum), hex);
	return 0;
}

static int head_commit(const char *tree, char **commit)
{
	const char *const head[] = {"git", "-C", tree, "rev-parse", "-q", "--verify", "HEAD", NULL};
	const char *const any[] = {"git", "-C", tree, "rev-parse", "--git-dir", NULL};
	char *git_directory;
	int err = capture_word(head, commit);

	if (!err || err == -EINTR)
		return err;
	if (err == -ENOENT) {
		message_error("the program 'git' is missing; install the package git");
		return err;
	}
	if (!capture_word(any, &git_directory)) {
		free(git_directory);
		message_error("the git tree %s has no commits: commit what is to be built", tree);
	} else {
		message_error("git cannot read %s; 'git -C %s status' says why", tree, tree);
	}
	return -EINVAL;
}

/* What names the tree's state: a commit, or a sum over its files. */
static int tree_id(const char *tree, char **id, char **origin)
{
	char hex[SHA256_HEX_SIZE], *commit;
	int err;

	if (is_git_tree(tree)) {
		err = head_commit(tree, &commit);
		if (err)
			return err;
		*id = format_string("git_%.*s", ID_HASH_CHARS, commit);
		*origin = format_string("git commit %s", commit);
		free(commit);
		warn_if_changed(tree);
	} else {
		err = plain_state(tree, hex);
		if (err)
			return message_errno(err, "cannot read %s", tree);
		*id = format_string("tree_%.*s", ID_HASH_CHARS, hex);
		*origin = format_string("the tree %s, state %.*s", tree, ID_HASH_CHARS, hex);
	}
	return *id && *origin ? 0 : -ENOMEM;
}

static int import_tree(const char *tree, struct kernel_source *source)
{
	char *building = NULL;
	int err = begin_building(&building);

	progress_begin("copying the kernel tree", 0);
	if (!err)
		err = is_git_tree(tree) ? export_git(tree, building) : copy_plain(tree, building);
	progress_end(err ? "failed" : NULL);
	if (err && err != -EINTR)
		message_errno(err, "cannot copy %s", tree);
	if (!err)
		err = write_mark(building, NULL, source->origin);
	if (!err)
		err = publish(building, source);
	if (err && building)
		remove_tree(building);
	free(building);
	return err;
}

static int check_tree(const char *tree)
{
	char *version = kernel_tree_version(tree), *built = format_string("%s/.config", tree);
	int err = 0;

	if (!version) {
		message_error("%s is not a Linux source: it has no Makefile with a VERSION", tree);
		err = -EINVAL;
	} else if (built && !access(built, F_OK) && !is_git_tree(tree)) {
		/* Kbuild refuses a separate object directory for such a tree. */
		message_error(
			"%s was built in place; run 'make mrproper' there, or name a clean tree",
			tree);
		err = -EINVAL;
	}
	free(version);
	free(built);
	return err;
}

static int open_tree(const char *tree, struct kernel_source *source)
{
	char *real = realpath(tree, NULL), *id = NULL, *origin = NULL, *mark;
	int err;

	if (!real) {
		message_errno(-errno, "cannot read the kernel tree %s", tree);
		return -EINVAL;
	}
	err = check_tree(real);
	if (!err)
		err = tree_id(real, &id, &origin);
	if (!err)
		err = source_set(source, id, origin);
	if (!err) {
		mark = marked(source->directory, "origin");
		if (!mark)
			err = import_tree(real, source);
		source->is_fresh_copy = !mark && !err;
		free(mark);
	}
	free(real);
	free(id);
	free(origin);
	return err;
}

int kernel_tree_check(const char *tree)
{
	char *real = realpath(tree, NULL);
	int err;

	if (!real) {
		message_errno(-errno, "cannot read the kernel tree %s", tree);
		return -EINVAL;
	}
	err = check_tree(real);
	free(real);
	return err;
}

int kernel_source_open(const struct kernel_request *request, struct kernel_source *source)
{
	int err;

	*source = (struct kernel_source){0};
	err = request->tree ? open_tree(request->tree, source)
			    : open_package(request->base, source);
	return err ? err : finish(source);
}
