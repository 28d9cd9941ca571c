// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/paths.h"
#include "bench/process.h"

/* The module for the running kernel: the guest's, or what `proxeval kernel module` made. -1: none.
 */
static int open_module(void)
{
	int fd = open(LAB_GUEST_MODULE, O_RDONLY | O_CLOEXEC);
	char *relative = NULL, *path = NULL;
	struct utsname names;

	if (fd >= 0 || uname(&names))
		return fd;
	relative = format_string("kernel/modules/%s/" LAB_MODULE_NAME ".ko", names.release);
	path = relative ? paths_build(relative) : NULL;
	if (path)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	free(relative);
	free(path);
	return fd;
}

/* Why a kernel does not take the module, for people. */
static const char *explain_refusal(int err)
{
	switch (err) {
	case -EPERM:
		return "it takes root, and a kernel that is not locked down";
	case -ENOEXEC:
		return "it was built for another kernel; build it again";
	case -EKEYREJECTED:
	case -ENOKEY:
		return "this kernel takes signed modules only";
	case -ENOSYS:
		return "this kernel is built without CONFIG_MODULES";
	default:
		return strerror(-err);
	}
}

static int load_module(struct lab_session *session, char *reason, size_t reason_size)
{
	int fd = open_module(), err = 0;

	if (fd < 0) {
		snprintf(
			reason, reason_size,
			"there is no lock laboratory for this kernel: 'proxeval kernel build' makes "
			"one with each kernel, 'proxeval kernel module' one for the running kernel");
		return -EOPNOTSUPP;
	}
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		err = -errno;
	close(fd);
	session->is_loaded_here = !err;
	if (err) {
		snprintf(reason, reason_size,
			 "the kernel does not load the lock laboratory (" LAB_MODULE_NAME "): %s",
			 explain_refusal(err));
		return -EOPNOTSUPP;
	}
	session->fd = open(LAB_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	return session->fd < 0 ? -errno : 0;
}

static int check_version(const struct lab_session *session, char *reason, size_t reason_size)
{
	struct lab_info info;

	if (ioctl(session->fd, LAB_INFO, &info))
		return -errno;
	if (info.version == LAB_VERSION)
		return 0;
	snprintf(
		reason, reason_size,
		"the lock laboratory that is loaded speaks version %u, and this program %u: unload "
		"it (rmmod " LAB_MODULE_NAME ") and build it again",
		info.version, LAB_VERSION);
	return -EOPNOTSUPP;
}

int lab_session_open(struct lab_session *session, char *reason, size_t reason_size)
{
	int err = 0;

	reason[0] = '\0';
	*session = (struct lab_session){.fd = open(LAB_DEVICE_PATH, O_RDWR | O_CLOEXEC)};
	if (session->fd < 0)
		err = errno == ENOENT || errno == ENXIO || errno == ENODEV
			      ? load_module(session, reason, reason_size)
			      : -errno;
	if (!err)
		err = check_version(session, reason, reason_size);
	if (!err)
		return 0;
	if (!reason[0])
		snprintf(reason, reason_size, "cannot open " LAB_DEVICE_PATH ": %s",
			 strerror(-err));
	lab_session_close(session);
	return err;
}

int lab_unload(void)
{
	return syscall(SYS_delete_module, LAB_MODULE_NAME, O_NONBLOCK) ? -errno : 0;
}

void lab_session_close(struct lab_session *session)
{
	if (session->fd >= 0)
		close(session->fd);
	session->fd = -1;
	/*
	 * Somebody else may have opened it meanwhile: then it stays. In a guest it stays, too,
	 * which is thrown away. In virtual time QEMU has translated the module's loop of
	 * LAB_COMPUTE anew for every number of instructions that a turn had left; the kernel
	 * overwrites the text of a module that it unloads, and for each byte QEMU looks through all
	 * of those: 30 ms a byte were seen, four minutes for the module, in which the guest says
	 * nothing.
	 */
	if (session->is_loaded_here && access(LAB_GUEST_MODULE, F_OK))
		lab_unload();
	session->is_loaded_here = false;
}

int lab_run_program(const struct lab_session *session, uint32_t role,
		    const struct lab_operation *operations, uint32_t n, struct lab_result *results,
		    uint32_t *done)
{
	struct lab_program program = {.role = role,
				      .n_operations = n,
				      .operations = (uintptr_t)operations,
				      .results = (uintptr_t)results};

	if (ioctl(session->fd, LAB_RUN, &program))
		return -errno;
	*done = program.done;
	return 0;
}

int lab_wake_role(const struct lab_session *session, uint32_t role)
{
	return ioctl(session->fd, LAB_WAKE_ROLE, &role) ? -errno : 0;
}

int lab_post_event(const struct lab_session *session, uint32_t event)
{
	return ioctl(session->fd, LAB_POST_EVENT, &event) ? -errno : 0;
}
