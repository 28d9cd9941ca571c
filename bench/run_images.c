// SPDX-License-Identifier: GPL-2.0-only
/* The kernel images of a run: checked, found, built. */
#include "bench/run_order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/message.h"

/* A kernel's image has these bytes there (Documentation/arch/x86/boot.rst). */
#define BOOT_FLAG_OFFSET  0x1fe
#define HEADER_OFFSET	  0x202
#define BOOT_HEADER_BYTES (HEADER_OFFSET + 4)

static int check_image(const char *path)
{
	unsigned char header[BOOT_HEADER_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0) {
		message_errno(-errno, "cannot open the kernel image %s", path);
		return EXIT_INVALID;
	}
	got = read(fd, header, sizeof(header));
	close(fd);
	if (got == (ssize_t)sizeof(header) && header[BOOT_FLAG_OFFSET] == 0x55 &&
	    header[BOOT_FLAG_OFFSET + 1] == 0xaa && !memcmp(header + HEADER_OFFSET, "HdrS", 4))
		return 0;
	message_error(
		"%s is not a kernel image that can be booted here: give the bzImage of an x86 "
		"kernel (arch/x86/boot/bzImage)",
		path);
	return EXIT_INVALID;
}

int run_images_check(const struct run_order *order)
{
	const char *common = order->values->kernel_image;
	int code = common ? check_image(common) : 0;

	for (size_t i = 0; i < order->n_variants && !code; i++)
		if (order->variants[i].image_path)
			code = check_image(order->variants[i].image_path);
	return code;
}

/* Absolute: the campaign may be resumed from another place. The copy takes the old text's slot. */
static int settle_image(struct run_order *order, size_t index, const char *path)
{
	char *absolute = realpath(path, NULL), *copy;
	struct variant *variant = &order->variants[index];

	if (!absolute) {
		message_errno(-errno, "cannot find the kernel image %s", path);
		return EXIT_INVALID;
	}
	/* One allocation holds label, arguments and path, as the slot holds one pointer. */
	copy = malloc(strlen(variant->label) + strlen(variant->arguments) + strlen(absolute) + 3);
	if (copy) {
		char *arguments = stpcpy(copy, variant->label) + 1;
		char *image = stpcpy(arguments, variant->arguments) + 1;

		strcpy(image, absolute);
		variant->label = copy;
		variant->arguments = arguments;
		variant->image_path = image;
		free(order->texts[index]);
		order->texts[index] = copy;
	}
	free(absolute);
	return copy ? 0 : EXIT_BROKE;
}

static bool is_image_missing(const struct run_order *order)
{
	for (size_t i = 0; i < order->n_variants; i++)
		if (!order->variants[i].image_path)
			return true;
	return false;
}

static struct kernel_request kernel_request_of(const struct run_values *values)
{
	return (struct kernel_request){
		.base = values->base, .tree = values->kernel_tree, .series = values->series};
}

bool run_needs_kernel(const struct run_order *order)
{
	return order->target != &target_host && !order->values->kernel_image &&
	       is_image_missing(order);
}

/* What is to be built must make sense, also when every variant has its image already. */
int run_kernel_check(const struct run_order *order)
{
	const struct kernel_request request = kernel_request_of(order->values);

	if (order->values->kernel_image ||
	    (!run_needs_kernel(order) && !run_has_kernel_option(order->values)))
		return 0;
	return kernel_exit_code(kernel_check_request(&request));
}

static int make_kernel(struct run_order *order)
{
	const struct kernel_request request = kernel_request_of(order->values);

	return kernel_exit_code(kernel_make(&request, &order->kernel));
}

/* Gives every variant its image: its own, the one given for all, or the one that is built now. */
int run_images_settle(struct run_order *order)
{
	const char *common = order->values->kernel_image;
	int code = 0;

	if (order->target == &target_host)
		return 0;
	if (run_needs_kernel(order)) {
		code = make_kernel(order);
		common = order->kernel.image_path;
	}
	for (size_t i = 0; i < order->n_variants && !code; i++) {
		struct variant *variant = &order->variants[i];

		if (!variant->image_path && order->kernel.manifest_path)
			variant->manifest_path = order->kernel.manifest_path;
		code = settle_image(order, i, variant->image_path ? variant->image_path : common);
	}
	return code;
}
