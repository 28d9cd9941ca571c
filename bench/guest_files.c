// SPDX-License-Identifier: GPL-2.0-only
#include "bench/guest_files.h"

#include <errno.h>
#include <stdlib.h>

#include "bench/guest.h"
#include "bench/initrd.h"
#include "bench/message.h"
#include "bench/paths.h"

int guest_files_pack(void **bytes, size_t *size_bytes)
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
		err = initrd_encode(initrd, bytes, size_bytes);
	if (err)
		message_errno(err, "cannot pack %s and its libraries for the guest",
			      program ? program : "the guest's program");
	free(program);
	initrd_free(initrd);
	return err;
}
