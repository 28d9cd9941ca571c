// SPDX-License-Identifier: GPL-2.0-only
#include "bench/guest_files.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "bench/files.h"
#include "bench/guest.h"
#include "bench/initrd.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "workloads/workload.h"

/* What the campaign's workloads run besides, as far as it is here: the workload says what it lacks.
 */
static int add_programs(struct initrd *initrd, struct json_object *work)
{
	for (size_t i = 0; work && i < json_object_array_length(work); i++) {
		struct json_object *name = NULL;
		const struct workload *workload;

		json_object_object_get_ex(json_object_array_get_idx(work, i), "workload", &name);
		workload = name ? workload_find(json_object_get_string(name)) : NULL;
		if (!workload || !workload->needs.programs)
			continue;
		for (const char *const *program = workload->needs.programs; *program; program++) {
			char *path = process_find_program(*program);
			char *inside = format_string("bin/%s", *program);
			int err = inside ? 0 : -ENOMEM;

			if (!err && path)
				err = initrd_add_program(initrd, inside, path);
			free(inside);
			free(path);
			if (err)
				return message_errno(err, "cannot pack %s for the guest", *program);
		}
	}
	return 0;
}

int guest_files_pack(struct json_object *work, void **bytes, size_t *size_bytes)
{
	struct initrd *initrd = initrd_new();
	char *program = paths_guest();
	int err = initrd && program ? 0 : -ENOMEM;

	if (!err)
		err = initrd_add_program(initrd, GUEST_PROGRAM_PATH, program);
	/* For the time before devtmpfs is mounted, and for a kernel that has none. */
	if (!err)
		err = initrd_add_character_device(initrd, "dev/console", 0600, 5, 1);
	if (!err)
		err = initrd_add_character_device(initrd, "dev/null", 0666, 1, 3);
	if (!err)
		err = initrd_add_character_device(initrd, "dev/kmsg", 0600, 1, 11);
	if (!err)
		err = initrd_add_character_device(initrd, "dev/ttyS1", 0600, 4, 65);
	if (!err)
		err = add_programs(initrd, work);
	if (!err)
		err = initrd_encode(initrd, bytes, size_bytes);
	if (err)
		message_errno(err, "cannot pack %s and its libraries for the guest",
			      program ? program : "the guest's program");
	free(program);
	initrd_free(initrd);
	return err;
}
