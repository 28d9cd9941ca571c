// SPDX-License-Identifier: GPL-2.0-only
#include "bench/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/kernel_internal.h"
#include "bench/kernel_mbox.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"

#define LOCK_RETRY_NS 200000000

/* Two runs that start together must not unpack, patch or build in the same folders. */
static int lock_kernels(int *lock_fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_RETRY_NS};
	char *directory = paths_build("kernel"), *path = NULL;
	bool is_noted = false;
	int err = directory ? make_directories(directory) : -ENOMEM;

	*lock_fd = -1;
	if (!err) {
		path = format_string("%s/lock", directory);
		*lock_fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
		if (*lock_fd < 0)
			err = -errno;
	}
	if (err)
		message_errno(err, "cannot use the kernel folder %s", directory ? directory : "");
	while (!err && flock(*lock_fd, LOCK_EX | LOCK_NB)) {
		if (!is_noted)
			message_note("waiting for another proxeval that works on kernels");
		is_noted = true;
		nanosleep(&pause, NULL);
		err = process_stop_requested() ? -EINTR : 0;
	}
	free(directory);
	free(path);
	return err;
}

static void unlock_kernels(int lock_fd)
{
	if (lock_fd >= 0)
		close(lock_fd);
}

/*
 * The series asked for, without what is to be left out, and the machine's aids behind it; all in
 * the form that a tree of @version takes (NULL: not known yet).
 */
static int read_series(const struct kernel_request *request, const char *version, bool is_again,
		       struct series *series)
{
	char *standard = paths_data("kernel-patches/series"), *posted = NULL;
	char *aids = paths_data("kernel-patches/vm/series");
	int err = standard && aids ? 0 : -ENOMEM;

	if (!err && request->mbox)
		err = mbox_to_series(request->mbox, is_again, &posted);
	if (!err)
		err = series_read(posted	    ? posted
				  : request->series ? request->series
						    : standard,
				  false, series);
	for (size_t i = 0; request->without && i < request->without->count && !err; i++)
		err = series_leave_out(series, request->without->items[i]);
	if (!err)
		err = series_check_needs(series);
	if (!err && !access(aids, F_OK))
		err = series_read(aids, true, series);
	if (!err && version)
		err = series_suit_base(series, version);
	free(posted);
	free(standard);
	free(aids);
	return err;
}

static int check_base(const char *base)
{
	if (!base || (*base && strspn(base, "0123456789.") == strlen(base)))
		return 0;
	message_error("--base takes a version such as 7.2, not '%s'", base);
	return -EINVAL;
}

int kernel_check_request(const struct kernel_request *request)
{
	struct series series = {0};
	struct fragments fragments = {0};
	char *version = NULL;
	int err = check_base(request->base);

	if (!err && request->tree)
		err = kernel_tree_check(request->tree);
	if (!err && request->tree)
		version = kernel_tree_version(request->tree);
	if (!err)
		err = read_series(request, version ? version : request->base, false, &series);
	if (!err)
		err = fragments_read(request->fragments, version ? version : request->base,
				     &fragments);
	free(version);
	series_release(&series);
	fragments_release(&fragments);
	return err;
}

int kernel_exit_code(int err)
{
	switch (err) {
	case 0:
		return EXIT_FINE;
	case -ENOENT:
		return EXIT_CANNOT;
	case -EINVAL:
		return EXIT_INVALID;
	default:
		return EXIT_BROKE;
	}
}

/* A copy of a user's tree is large: one that could not be patched is not kept. */
static int apply_series(struct series *series, const struct kernel_source *source)
{
	int err = series_apply(series, source->directory);

	if (err && source->is_fresh_copy)
		remove_tree(source->directory);
	return err;
}

static int compiler_name(char **name)
{
	const char *const argv[] = {"gcc", "--version", NULL};
	int err = process_capture(argv, name);

	if (err) {
		message_error(
			"there is no working gcc to build a kernel with; install gcc, or name "
			"a built one with --kernel-image FILE");
		return err > 0 ? -EIO : err;
	}
	(*name)[strcspn(*name, "\n")] = '\0';
	return 0;
}

/* What a kernel build cannot do without, and what its Debian package is called. */
static int check_programs(void)
{
	static const char *const programs[][2] = {
		{"make", "make"}, {"patch", "patch"}, {"flex", "flex"}, {"bison", "bison"},
		{"bc", "bc"},	  {"ld", "binutils"}, {"tar", "tar"},	{"xz", "xz-utils"},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (is_program_available(programs[i][0]))
			continue;
		message_error("the program '%s' is missing; install the package %s", programs[i][0],
			      programs[i][1]);
		return -ENOENT;
	}
	return 0;
}

static int fill_build(const char *hash, struct kernel_build *build)
{
	char *directory = paths_build("kernel/kernels");

	if (!directory)
		return -ENOMEM;
	build->hash = strdup(hash);
	build->image_path = format_string("%s/%s/bzImage", directory, hash);
	build->manifest_path = format_string("%s/%s/manifest.json", directory, hash);
	free(directory);
	return build->hash && build->image_path && build->manifest_path ? 0 : -ENOMEM;
}

static bool has_module(const struct kernel_build *build)
{
	char *directory =
		strndup(build->image_path, strlen(build->image_path) - strlen("/bzImage"));
	bool answer = directory && kernel_module_is_current(directory);

	free(directory);
	return answer;
}

/* The manifest is written last, so that it stands for the whole. */
static bool is_built(const struct kernel_build *build)
{
	return !access(build->image_path, R_OK) && !access(build->manifest_path, R_OK);
}

/* The image, unless it is there, and the lock laboratory's module. */
static int make_missing(const struct kernel_inputs *inputs, bool has_image)
{
	char *directory = paths_build("kernel/kernels");
	int err = directory ? make_directories(directory) : -ENOMEM;

	if (!err)
		err = check_programs();
	if (!err)
		err = apply_series(inputs->series, inputs->source);
	if (!err && !has_image)
		err = kernel_compile(inputs, directory);
	if (!err)
		err = kernel_module_make(inputs, directory);
	free(directory);
	return err;
}

static int make_from(const struct kernel_request *request, const struct kernel_source *source,
		     struct kernel_build *build)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct series series = {0};
	struct fragments fragments = {0};
	char hash[SHA256_HEX_SIZE], *compiler = NULL;
	struct kernel_inputs inputs = {.source = source,
				       .series = &series,
				       .fragments = &fragments,
				       .hash = hash,
				       .jobs = request->jobs ? request->jobs
							     : (uint64_t)(cpus > 0 ? cpus : 1)};
	int err = read_series(request, source->version, true, &series);

	if (!err)
		err = fragments_read(request->fragments, source->version, &fragments);
	if (!err)
		err = compiler_name(&compiler);
	if (!err) {
		inputs.compiler = compiler;
		kernel_hash(source->id, &series, &fragments, compiler, hash);
		err = fill_build(hash, build);
	}
	if (!err && !(is_built(build) && has_module(build)))
		err = make_missing(&inputs, is_built(build));
	if (!err)
		err = kernel_refresh_manifest(&inputs, build->manifest_path);
	series_release(&series);
	fragments_release(&fragments);
	free(compiler);
	return err;
}

int kernel_make(const struct kernel_request *request, struct kernel_build *build)
{
	struct kernel_source source = {0};
	int lock_fd, err;

	*build = (struct kernel_build){0};
	err = lock_kernels(&lock_fd);
	if (!err)
		err = kernel_source_open(request, &source);
	if (!err)
		err = make_from(request, &source, build);
	kernel_source_release(&source);
	unlock_kernels(lock_fd);
	if (err)
		kernel_build_release(build);
	return err;
}

void kernel_build_release(struct kernel_build *build)
{
	free(build->hash);
	free(build->image_path);
	free(build->manifest_path);
	*build = (struct kernel_build){0};
}

static int open_locked(const struct kernel_request *request, bool patch, char **tree)
{
	struct kernel_source source = {0};
	struct series series = {0};
	int lock_fd, err = lock_kernels(&lock_fd);

	if (!err)
		err = kernel_source_open(request, &source);
	if (!err && patch)
		err = read_series(request, source.version, true, &series);
	if (!err && patch)
		err = apply_series(&series, &source);
	if (!err) {
		*tree = strdup(source.tree);
		err = *tree ? 0 : -ENOMEM;
		message_note("%s, Linux %s", source.origin, source.version);
	}
	series_release(&series);
	kernel_source_release(&source);
	unlock_kernels(lock_fd);
	return err;
}

int kernel_fetch(const struct kernel_request *request, char **tree)
{
	return open_locked(request, false, tree);
}

int kernel_patch(const struct kernel_request *request, char **tree)
{
	return open_locked(request, true, tree);
}
