// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/kernel_internal.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "workloads/kmod/proxeval_lab.h"

/*
 * The lock laboratory's module, built for each kernel after its image. In a kernel's folder:
 *
 * - proxeval_lab.ko: the module; not there when it does not build for this kernel
 * - proxeval_lab.source: the hash of the sources that this was tried with, so that an edited module
 *   is built again, and one that does not build is not tried twice
 *
 * It needs the kernel's tree as it was patched and configured. Where the objects of that build are
 * still there they serve. Where another kernel was built in them since, the headers and the tools
 * are prepared anew in a folder of their own, which takes a tenth of a kernel's build.
 */
#define MODULE_FILE	 LAB_MODULE_NAME ".ko"
#define STAMP_FILE	 LAB_MODULE_NAME ".source"
#define SOURCE_MAX_BYTES (1 << 20)
#define PREPARED_STAMP	 ".proxeval-of" /* in module-objects/: the kernel that it is of */

static const char *const source_files[] = {
	"Kbuild",    "lab_check.c", "lab_check.h",    "lab_device.c",
	"lab_run.c", "lab_run.h",   "proxeval_lab.h",
};
#define SOURCE_FILES (sizeof(source_files) / sizeof(*source_files))

static int read_source(size_t i, char **text, size_t *size_bytes)
{
	char *relative = format_string("workloads/kmod/%s", source_files[i]);
	char *path = relative ? paths_data(relative) : NULL;
	int err = path ? read_file(path, SOURCE_MAX_BYTES, text, size_bytes) : -ENOMEM;

	if (err)
		message_errno(err, "cannot read the lock laboratory's source %s", path ? path : "");
	free(relative);
	free(path);
	return err;
}

/* Of all sources: which module this is. */
static int hash_sources(char hex[SHA256_HEX_SIZE])
{
	char *all = strdup("");

	for (size_t i = 0; i < SOURCE_FILES; i++) {
		char *text, *longer, one[SHA256_HEX_SIZE];
		size_t size_bytes;
		int err = read_source(i, &text, &size_bytes);

		if (err) {
			free(all);
			return err;
		}
		sha256_bytes(text, size_bytes, one);
		free(text);
		longer = all ? format_string("%s%s %s\n", all, source_files[i], one) : NULL;
		free(all);
		all = longer;
	}
	if (!all)
		return -ENOMEM;
	sha256_bytes(all, strlen(all), hex);
	free(all);
	return 0;
}

/* What `make` writes goes beside the sources: so it gets a copy of them. */
static int copy_sources(const char *directory)
{
	int err = remove_tree(directory);

	if (!err)
		err = make_directories(directory);
	for (size_t i = 0; i < SOURCE_FILES && !err; i++) {
		char *path = format_string("%s/%s", directory, source_files[i]), *text;
		size_t size_bytes;

		err = path ? read_source(i, &text, &size_bytes) : -ENOMEM;
		if (!err) {
			err = write_file_atomically(path, text, size_bytes);
			free(text);
		}
		free(path);
	}
	return err;
}

static int write_stamp(const char *directory, const char *name, const char *text)
{
	char *path = format_string("%s/%s", directory, name);
	int err = path ? write_file_atomically(path, text, strlen(text)) : -ENOMEM;

	free(path);
	return err;
}

static bool has_stamp(const char *directory, const char *name, const char *wanted)
{
	char *path = format_string("%s/%s", directory, name), text[SHA256_HEX_SIZE + 1];
	bool answer = path && !read_line(path, text, sizeof(text)) && !strcmp(text, wanted);

	free(path);
	return answer;
}

bool kernel_module_is_current(const char *kernel_directory)
{
	char hex[SHA256_HEX_SIZE];

	return !hash_sources(hex) && has_stamp(kernel_directory, STAMP_FILE, hex);
}

/* --- for a kernel of ours --- */

struct module_build {
	const struct kernel_inputs *inputs;
	char *kernel;  /* kernels/HASH */
	char *objects; /* configured and prepared as that kernel was */
	char *sources; /* the copy to build in */
	char *log_path;
};

static void release_build(struct module_build *build)
{
	free(build->kernel);
	free(build->objects);
	free(build->sources);
	free(build->log_path);
}

/* An objects folder of the kernel's configuration, without its objects. */
static int prepare_headers(const struct module_build *build)
{
	int err = 0;

	if (has_stamp(build->objects, PREPARED_STAMP, build->inputs->hash))
		return 0;
	err = remove_tree(build->objects);
	if (!err)
		err = make_directories(build->objects);
	if (!err)
		err = kernel_copy_file(build->kernel, "config", build->objects, ".config");
	if (err)
		return message_errno(err, "cannot prepare %s", build->objects);
	err = kernel_make_target(build->inputs, build->objects, build->log_path, "olddefconfig",
				 NULL);
	if (!err)
		err = kernel_make_target(build->inputs, build->objects, build->log_path,
					 "modules_prepare", NULL);
	if (!err)
		err = write_stamp(build->objects, PREPARED_STAMP, build->inputs->hash);
	return err;
}

/* Whether objects/ is as this kernel's build left it: then the image there is this kernel's, and
 * no other build was cut off since. */
static bool has_objects(const struct module_build *build)
{
	const char *source = build->inputs->source->directory;
	char *image = format_string("%s/objects/arch/x86/boot/bzImage", source);
	char *kept = format_string("%s/bzImage", build->kernel);
	char *mark = format_string("%s/" KERNEL_REBUILD_MARK, source);
	char hex[SHA256_HEX_SIZE], kept_hex[SHA256_HEX_SIZE];
	bool answer = image && kept && mark && access(mark, F_OK) && !sha256_file(image, hex) &&
		      !sha256_file(kept, kept_hex) && !strcmp(hex, kept_hex);

	free(image);
	free(kept);
	free(mark);
	return answer;
}

static int find_objects(struct module_build *build)
{
	const char *source = build->inputs->source->directory;
	bool is_there = has_objects(build);
	int err = 0;

	build->objects = format_string("%s/%s", source, is_there ? "objects" : "module-objects");
	if (!build->objects)
		return -ENOMEM;
	if (!is_there) {
		err = prepare_headers(build);
	} else {
		/* As the kernel's build left it: with what modules may use of it. Kernels that were
		 * kept before this was kept have none, and none is needed but for
		 * CONFIG_MODVERSIONS. */
		kernel_copy_file(build->objects, "vmlinux.symvers", build->kernel,
				 "Module.symvers");
		/* A build of the image alone makes no scripts/module.lds. */
		err = kernel_make_target(build->inputs, build->objects, build->log_path,
					 "modules_prepare", NULL);
	}
	if (!err)
		kernel_copy_file(build->kernel, "Module.symvers", build->objects, "Module.symvers");
	return err;
}

/* -EINTR, or another negative errno after which there is no module for this kernel. */
static int build_module(struct module_build *build)
{
	char *setting = format_string("M=%s", build->sources);
	int err = setting ? copy_sources(build->sources) : -ENOMEM;

	if (!err)
		err = find_objects(build);
	if (!err)
		err = kernel_make_target(build->inputs, build->objects, build->log_path, "modules",
					 setting);
	if (!err)
		err = kernel_copy_file(build->sources, MODULE_FILE, build->kernel, MODULE_FILE);
	free(setting);
	return err;
}

static bool has_modules(const char *kernel_directory)
{
	char *path = format_string("%s/config", kernel_directory), *config = NULL;
	bool answer = path && !read_file(path, 4 << 20, &config, NULL) &&
		      strstr(config, "\nCONFIG_MODULES=y\n");

	free(config);
	free(path);
	return answer;
}

static int fill_module_build(const struct kernel_inputs *inputs, const char *kernels_directory,
			     struct module_build *build)
{
	build->inputs = inputs;
	build->kernel = format_string("%s/%s", kernels_directory, inputs->hash);
	build->sources = format_string("%s/lab", inputs->source->directory);
	build->log_path =
		build->kernel ? format_string("%s/" LAB_MODULE_NAME ".log", build->kernel) : NULL;
	return build->sources && build->log_path ? 0 : -ENOMEM;
}

int kernel_module_make(const struct kernel_inputs *inputs, const char *kernels_directory)
{
	struct module_build build = {0};
	char hex[SHA256_HEX_SIZE];
	int err = fill_module_build(inputs, kernels_directory, &build);

	if (!err)
		err = hash_sources(hex);
	if (err)
		goto out_release;
	unlink(build.log_path);
	if (has_modules(build.kernel)) {
		progress_begin("building the lock laboratory", 0);
		err = build_module(&build);
		progress_end(err == -EINTR ? "stopped" : err ? "failed" : NULL);
	}
	if (err == -EINTR || err == -ENOMEM)
		goto out_release;
	if (err) {
		char *module = format_string("%s/" MODULE_FILE, build.kernel);

		message_warning("the lock laboratory does not build for this kernel, and what "
				"needs it will be unsupported there; see %s",
				build.log_path);
		if (module)
			unlink(module);
		free(module);
	}
	err = write_stamp(build.kernel, STAMP_FILE, hex);

out_release:
	release_build(&build);
	return err;
}

/* --- for the running kernel, or another one that somebody else has built --- */

static char *release_of(const char *tree)
{
	char text[256], *path;
	struct utsname names;

	if (!tree)
		return uname(&names) ? NULL : strdup(names.release);
	path = format_string("%s/include/config/kernel.release", tree);
	if (!path || read_line(path, text, sizeof(text)))
		*text = '\0';
	free(path);
	return *text && !strchr(text, '/') && strcmp(text, ".") && strcmp(text, "..") ? strdup(text)
										      : NULL;
}

static int make_there(const char *tree, const char *sources, const char *log_path)
{
	char *setting = format_string("M=%s", sources);
	const char *const argv[] = {"make", "-C", tree, setting, "modules", NULL};
	const char *const environment[] = {"LC_ALL=C", "MAKEFLAGS=", "MAKELEVEL=", NULL};
	const struct process_request request = {
		.argv = argv, .environment = environment, .log_path = log_path};
	int err = setting ? process_run(&request) : -ENOMEM;

	free(setting);
	if (err > 0) {
		message_error("the lock laboratory does not build in %s; see %s", tree, log_path);
		err = -EIO;
	}
	return err;
}

static int build_there(const char *tree, const char *directory)
{
	char *sources = format_string("%s/lab", directory);
	char *log_path = format_string("%s/" LAB_MODULE_NAME ".log", directory);
	int err = sources && log_path ? make_directories(directory) : -ENOMEM;

	if (!err)
		err = copy_sources(sources);
	if (!err)
		unlink(log_path);
	if (!err)
		err = make_there(tree, sources, log_path);
	if (!err)
		err = kernel_copy_file(sources, MODULE_FILE, directory, MODULE_FILE);
	free(sources);
	free(log_path);
	return err;
}

int kernel_module(const char *tree, char **module_path)
{
	char *release = release_of(tree), *relative = NULL, *directory = NULL, *there = NULL;
	int err = -ENOMEM;

	if (tree && !release) {
		message_error("%s is no folder that a kernel was built or prepared in: it has no "
			      "include/config/kernel.release",
			      tree);
		return -EINVAL;
	}
	if (release) {
		relative = format_string("kernel/modules/%s", release);
		there = tree ? realpath(tree, NULL)
			     : format_string("/lib/modules/%s/build", release);
		directory = relative ? paths_build(relative) : NULL;
	}
	if (there && access(there, F_OK)) {
		message_error("%s is missing: install the kernel's headers (the package "
			      "linux-headers-%s), or name a build folder with --kernel-tree",
			      there, release);
		err = -ENOENT;
	} else if (there && directory) {
		err = build_there(there, directory);
	}
	if (!err)
		*module_path = format_string("%s/" MODULE_FILE, directory);
	if (!err && !*module_path)
		err = -ENOMEM;
	free(release);
	free(relative);
	free(directory);
	free(there);
	return err;
}
