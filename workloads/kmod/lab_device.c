// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock laboratory of proxeval: runs checked programs of mutex operations for the tasks of a
 * benchmark, to build chains and trees of waiters that system calls alone cannot build.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "lab_check.h"
#include "lab_run.h"

static int lab_open(struct inode *inode, struct file *file)
{
	struct lab *lab;

	if (!capable(CAP_SYS_NICE) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	lab = kvzalloc(sizeof(*lab), GFP_KERNEL_ACCOUNT);
	if (!lab)
		return -ENOMEM;
	lab_init(lab);
	file->private_data = lab;
	return nonseekable_open(inode, file);
}

/* The last reference is gone, and every ioctl held one: nobody is inside. */
static int lab_release(struct inode *inode, struct file *file)
{
	struct lab *lab = file->private_data;

	lab_destroy(lab);
	kvfree(lab);
	return 0;
}

/* A caller that knows of more has it filled with 0. */
static long lab_ioctl_info(void __user *argument, size_t bytes)
{
	const struct lab_info info = {
		.version = LAB_VERSION,
		.mutexes = LAB_MUTEXES,
		.ww_mutexes = LAB_WW_MUTEXES,
		.events = LAB_EVENTS,
		.roles = LAB_ROLES,
		.max_operations = LAB_MAX_OPERATIONS,
		.max_held = LAB_MAX_HELD,
	};

	if (bytes < sizeof(info))
		return -EINVAL;
	if (copy_to_user(argument, &info, sizeof(info)) ||
	    clear_user(argument + sizeof(info), bytes - sizeof(info)))
		return -EFAULT;
	return 0;
}

/* Nothing of user space is touched while a lock is held: both arrays are ours. */
static long run_checked(struct lab *lab, struct lab_program *program,
			struct lab_operation *operations)
{
	u32 n = program->n_operations;
	struct lab_result *results;
	int done;

	if (lab_check(operations, n))
		return -EINVAL;
	results = kvcalloc(n, sizeof(*results), GFP_KERNEL);
	if (!results)
		return -ENOMEM;
	done = lab_run(lab, program->role, operations, n, results);
	if (done >= 0) {
		program->done = done;
		done = copy_to_user(u64_to_user_ptr(program->results), results,
				    array_size(n, sizeof(*results)))
			       ? -EFAULT
			       : 0;
	}
	kvfree(results);
	return done;
}

static long lab_ioctl_run(struct lab *lab, void __user *argument, size_t size)
{
	struct lab_operation *operations;
	struct lab_program program;
	size_t bytes;
	long err;

	if (size < sizeof(program))
		return -EINVAL;
	err = copy_struct_from_user(&program, sizeof(program), argument, size);
	if (err)
		return err;
	if (program.reserved || program.done || program.role >= LAB_ROLES ||
	    !program.n_operations || program.n_operations > LAB_MAX_OPERATIONS)
		return -EINVAL;
	bytes = array_size(program.n_operations, sizeof(*operations));
	operations = vmemdup_user(u64_to_user_ptr(program.operations), bytes);
	if (IS_ERR(operations))
		return PTR_ERR(operations);
	err = run_checked(lab, &program, operations);
	kvfree(operations);
	if (!err && copy_to_user(argument, &program, sizeof(program)))
		err = -EFAULT;
	return err;
}

static long lab_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	void __user *pointer = (void __user *)argument;
	struct lab *lab = file->private_data;
	u32 number;

	switch (request & ~IOCSIZE_MASK) {
	case LAB_INFO & ~IOCSIZE_MASK:
		return lab_ioctl_info(pointer, _IOC_SIZE(request));
	case LAB_RUN & ~IOCSIZE_MASK:
		return lab_ioctl_run(lab, pointer, _IOC_SIZE(request));
	}
	switch (request) {
	case LAB_WAKE_ROLE:
	case LAB_POST_EVENT:
		if (get_user(number, (u32 __user *)pointer))
			return -EFAULT;
		return request == LAB_WAKE_ROLE ? lab_wake(lab, number) : lab_post(lab, number);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations lab_operations = {
	.owner = THIS_MODULE,
	.open = lab_open,
	.release = lab_release,
	.unlocked_ioctl = lab_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice lab_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = LAB_DEVICE_NAME,
	.fops = &lab_operations,
	.mode = 0600,
};

module_misc_device(lab_device);

MODULE_DESCRIPTION("Lock laboratory: checked programs of mutex operations for proxeval");
MODULE_LICENSE("GPL");
