// SPDX-License-Identifier: GPL-2.0-only
/* A find's folder: all that it takes to see it again. */
#include "bench/explore.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/message.h"
#include "reports/json_strict.h"

#define DOCUMENT_MAX_BYTES (1u << 20)
#define LOG_MAX_BYTES	   (64u << 20)
#define IMAGE_MAX_BYTES	   (1u << 30)

void guest_identity_release(struct guest_identity *identity)
{
	free(identity->label);
	free(identity->arguments);
	free(identity->topology);
	free(identity->image_path);
	*identity = (struct guest_identity){0};
}

char *find_path(const struct explore *explore, unsigned int number)
{
	return format_string("%s/finds/%04u", explore->directory, number);
}

static int write_text(const char *folder, const char *name, const char *text)
{
	char *path = format_string("%s/%s", folder, name);
	int err = path ? write_file_atomically(path, text, strlen(text)) : -ENOMEM;

	free(path);
	return err;
}

static int write_document(const char *folder, const char *name, struct json_object *document)
{
	char *path = format_string("%s/%s", folder, name);
	int err = path && document ? write_json_atomically(path, document) : -ENOMEM;

	json_object_put(document);
	free(path);
	return err;
}

/* One file under two names where the file system can, a copy where not. */
static int link_or_copy(const char *from_folder, const char *from_name, const char *folder,
			const char *name)
{
	char *from = format_string("%s/%s", from_folder, from_name), *bytes = NULL;
	char *to = format_string("%s/%s", folder, name);
	size_t size_bytes;
	int err = from && to ? 0 : -ENOMEM;

	if (!err && link(from, to)) {
		err = read_file(from, IMAGE_MAX_BYTES, &bytes, &size_bytes);
		if (!err)
			err = write_file_atomically(to, bytes, size_bytes);
	}
	free(bytes);
	free(from);
	free(to);
	return err;
}

static int write_stack(const char *folder, const struct trial *trial)
{
	char *stack = signature_stack(&trial->signature, trial->log);
	int err = stack ? write_text(folder, "stack.txt", stack) : -ENOMEM;

	free(stack);
	return err;
}

/* How it was found: what an older folder says of it, or this. */
static int write_first(const char *folder, const char *old, const struct find *find,
		       const struct trial *trial)
{
	int err;

	if (old && !link_or_copy(old, "first-plan.json", folder, "first-plan.json"))
		return link_or_copy(old, "first-log.txt", folder, "first-log.txt");
	err = write_document(folder, "first-plan.json", stress_plan_to_json(&find->plan));
	return err ? err : write_text(folder, "first-log.txt", trial->log);
}

static int fill_folder(const struct explore *explore, const struct find *find,
		       const struct trial *trial, const char *folder, const char *old)
{
	int err = make_directories(folder);

	if (!err)
		err = write_document(folder, "plan.json", stress_plan_to_json(&find->plan));
	if (!err)
		err = write_text(folder, "log.txt", trial->log);
	if (!err)
		err = write_stack(folder, trial);
	if (!err)
		err = write_first(folder, old, find, trial);
	if (!err)
		err = link_or_copy(explore->directory, EXPLORE_KERNEL_NAME, folder,
				   EXPLORE_KERNEL_NAME);
	if (!err)
		err = link_or_copy(explore->directory, EXPLORE_GUEST_NAME, folder,
				   EXPLORE_GUEST_NAME);
	if (!err)
		err = write_document(folder, "find.json", find_to_json(explore, find));
	return err;
}

int find_write(const struct explore *explore, const struct find *find, const struct trial *trial)
{
	char *folder = find_path(explore, find->number);
	char *draft = folder ? format_string("%s.new", folder) : NULL;
	bool is_there = folder && !access(folder, F_OK);
	int err = draft ? 0 : -ENOMEM;

	if (!err)
		remove_tree(draft);
	if (!err)
		err = fill_folder(explore, find, trial, draft,
				  is_there && find->is_shrunk ? folder : NULL);
	/* In one step, so that there is a whole one at any time. */
	if (!err && renameat2(AT_FDCWD, draft, AT_FDCWD, folder,
			      is_there ? RENAME_EXCHANGE : RENAME_NOREPLACE))
		err = -errno;
	if (draft && (is_there || err))
		remove_tree(draft);
	if (!err)
		err = sync_parent(folder);
	if (err)
		message_errno(err, "cannot keep the find %s", folder ? folder : "");
	free(draft);
	free(folder);
	return err;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int load(const char *folder, const char *name, struct json_object **document)
{
	char *path = format_string("%s/%s", folder, name), problem[256];
	int err = path ? json_strict_load(path, DOCUMENT_MAX_BYTES, document, problem,
					  sizeof(problem))
		       : -ENOMEM;

	if (err)
		message_error("%s: %s; give the folder of a find, as in "
			      "results/explore-…/finds/0001",
			      path ? path : folder, problem);
	free(path);
	return err;
}

static int read_plan(const char *folder, struct stress_plan *plan)
{
	struct json_object *document = NULL;
	char problem[256];
	int err = load(folder, "plan.json", &document);

	if (!err) {
		err = stress_plan_read(plan, document, problem, sizeof(problem));
		if (err)
			message_error("%s/plan.json: %s", folder, problem);
	}
	json_object_put(document);
	return err;
}

static int read_log(const char *folder, char **log)
{
	char *path = format_string("%s/log.txt", folder);
	int err = path ? read_file(path, LOG_MAX_BYTES, log, NULL) : -ENOMEM;

	if (err)
		message_errno(err, "cannot read the find's %s", path ? path : "log");
	free(path);
	return err;
}

int find_read(struct find_folder *out, const char *folder)
{
	struct json_object *document = NULL;
	char problem[256];
	int err;

	*out = (struct find_folder){0};
	err = load(folder, "find.json", &document);
	if (!err) {
		err = find_from_json(out, document, problem, sizeof(problem));
		if (err)
			message_error("%s/find.json: %s", folder, problem);
	}
	if (!err)
		err = read_plan(folder, &out->find.plan);
	if (!err)
		err = read_log(folder, &out->log);
	json_object_put(document);
	if (err)
		find_folder_release(out);
	return err;
}

void find_folder_release(struct find_folder *folder)
{
	guest_identity_release(&folder->guest);
	free(folder->log);
	*folder = (struct find_folder){0};
}

struct explore_order find_order(const struct find_folder *folder)
{
	return (struct explore_order){
		.label = folder->guest.label,
		.arguments = folder->guest.arguments,
		.topology = folder->guest.topology,
		.image_path = folder->guest.image_path,
		.memory_mib = (unsigned int)folder->guest.memory_mib,
		.watchdog_s = (unsigned int)folder->guest.watchdog_s,
	};
}
