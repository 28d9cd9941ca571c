// SPDX-License-Identifier: GPL-2.0-only
/* The command line of a run, checked before anything is built or booted. */
#include "bench/run_order.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/campaign.h"
#include "bench/environment.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "workloads/profiles.h"

/* In virtual time a seed is a choice like another: without one, two runs are the same run. */
#define VIRTUAL_TIME_SEED 1u
#define GUEST_TOPOLOGY	  "2x2x2"
#define GUEST_MEMORY_MIB  1024u

const char *const run_target_names[] = {"vm", "host", NULL};
const char *const run_time_names[] = {"real", "virtual", NULL};

/*
 * How many bytes the printable UTF-8 character at @text has; 0 when there is none: an
 * ASCII or C1 control, a byte that is no UTF-8, an overlong form or a surrogate.
 */
static size_t printable_bytes(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t count = *byte < 0x80 ? 1 : *byte < 0xe0 ? 2 : *byte < 0xf0 ? 3 : 4;
	static const uint32_t least[] = {0, 0x20, 0xa0, 0x800, 0x10000};
	uint32_t value = count == 1 ? *byte : *byte & (0x7fu >> count);

	if ((*byte >= 0x80 && *byte < 0xc0) || *byte >= 0xf8 || *byte == 0x7f)
		return 0;
	for (size_t i = 1; i < count; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte[i] & 0x3f);
	}
	if (value < least[count] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	return count;
}

static bool is_printable_text(const char *text)
{
	for (size_t bytes; *text; text += bytes) {
		bytes = printable_bytes(text);
		if (!bytes)
			return false;
	}
	return true;
}

/* Copies @text, with '?' for what would not print: it ends up on somebody's terminal. */
static void make_printable(const char *text, char *out, size_t size)
{
	size_t used = 0;

	while (*text) {
		size_t bytes = printable_bytes(text), step = bytes ? bytes : 1;

		if (used + step >= size)
			break;
		memcpy(out + used, bytes ? text : "?", step);
		text += step;
		used += step;
	}
	out[used] = '\0';
}

int run_usage(const struct run_order *order, const char *format, ...)
{
	char text[512], shown[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_printable(text, shown, sizeof(shown));
	if (order->file)
		message_error("%s; the campaign file is %s", shown, order->file->path);
	else
		message_error("%s; see 'proxeval %s --help'", shown, order->command);
	return EXIT_USAGE;
}

bool run_has_kernel_option(const struct run_values *values)
{
	return values->kernel_image || values->kernel_tree || values->base || values->series;
}

static bool has_guest_option(const struct run_values *values)
{
	return values->topology || values->memory_mib != RUN_NOT_GIVEN;
}

/* The host is taken unasked only where nothing on the line speaks of a guest. */
static const struct target *choose_target(const struct run_values *values)
{
	enum proxy_exec_state state;

	if (values->target)
		return target_find(values->target);
	if ((values->time && !strcmp(values->time, "virtual")) || values->variants.count ||
	    run_has_kernel_option(values) || has_guest_option(values))
		return &target_vm;
	state = environment_proxy_exec();
	return state == PROXY_EXEC_ON || state == PROXY_EXEC_OFF ? &target_host : &target_vm;
}

static int check_host(const struct run_order *order)
{
	const struct run_values *values = order->values;

	if (order->target != &target_host)
		return 0;
	if (order->time == TIME_VIRTUAL)
		return run_usage(
			order,
			"--time=virtual needs a guest, whose clock can be counted: it does not go "
			"with --target=host");
	if (values->variants.count || run_has_kernel_option(values))
		return run_usage(
			order,
			"--target=host measures the kernel that is running: it does not go with "
			"--variant, --kernel-image, --kernel-tree, --base or --series");
	if (has_guest_option(values))
		return run_usage(order,
				 "--topology and --memory are a guest's: they do not go with "
				 "--target=host");
	if (values->boots != RUN_NOT_GIVEN && values->boots != 1)
		return run_usage(
			order,
			"--target=host measures one boot, this one: it does not go with --boots "
			"%" PRIu64 " (run it again after a reboot, then compare)",
			values->boots);
	return 0;
}

static int check_kernel_options(const struct run_order *order)
{
	const struct run_values *values = order->values;

	if (values->kernel_image && (values->kernel_tree || values->base || values->series))
		return run_usage(
			order,
			"--kernel-image is a kernel that is built already: it does not go with "
			"--kernel-tree, --base or --series");
	if (values->kernel_tree && values->base)
		return run_usage(order,
				 "--kernel-tree and --base both name the source: give one of them");
	return 0;
}

static int check_results(const struct run_order *order)
{
	const char *results = order->values->results;
	struct stat status;

	if (!*results)
		return run_usage(order, "--results needs the name of a folder");
	if (!stat(results, &status) && !S_ISDIR(status.st_mode))
		return run_usage(order, "--results takes a folder, and %s is none", results);
	return 0;
}

/* It becomes a folder, a part of links, and what people call the campaign. */
static int check_id(const struct run_order *order)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
	const char *id = order->values->id;
	char path[PATH_MAX];

	if (!id)
		return 0;
	if (!*id || strlen(id) > CAMPAIGN_MAX_ID || id[strspn(id, letters)] || strchr(".-", *id))
		return run_usage(order,
				 "--id has 1 to %d letters, digits and any of . _ + -, begins with "
				 "no . and no -, and is not '%.80s'",
				 CAMPAIGN_MAX_ID, id);
	if (snprintf(path, sizeof(path), "%s/%s", order->values->results, id) < (int)sizeof(path) &&
	    !access(path, F_OK))
		return run_usage(order,
				 "--id: there is a %s already; choose another name, or go on with "
				 "it: 'proxeval resume %s'",
				 path, path);
	return 0;
}

static int check_label(const struct run_order *order, const char *label)
{
	if (!*label || strlen(label) > 64 || strpbrk(label, "/ ") || !is_printable_text(label))
		return run_usage(
			order,
			"a variant's label has 1 to 64 printable characters without blanks and "
			"slashes, not '%.80s'",
			label);
	for (size_t i = 0; i < order->n_variants; i++)
		if (!strcmp(order->variants[i].label, label))
			return run_usage(
				order,
				"two variants are called '%s': each needs a label of its own",
				label);
	return 0;
}

/* Boot arguments end up on one line that ends with ours. */
static int check_arguments(const struct run_order *order, const char *arguments)
{
	char padded[4096];

	if (snprintf(padded, sizeof(padded), " %s ", arguments) >= 1536)
		return run_usage(order, "the boot arguments '%.40s…' are too long for a kernel",
				 arguments);
	if (strstr(padded, " -- ") || !is_printable_text(arguments))
		return run_usage(
			order,
			"the boot arguments '%.200s' may hold no ' -- ' and only printable text",
			arguments);
	return 0;
}

/* LABEL:IMAGE:ARGS; arguments may hold colons. */
static int add_variant(struct run_order *order, const char *text)
{
	char *label, *image, *arguments;
	int code;

	if (order->n_variants == RUN_MAX_VARIANTS)
		return run_usage(order, "at most %d variants can be compared", RUN_MAX_VARIANTS);
	label = strdup(text);
	order->texts[order->n_variants] = label;
	image = label ? strchr(label, ':') : NULL;
	arguments = image ? strchr(image + 1, ':') : NULL;
	if (!arguments)
		return run_usage(
			order,
			"--variant takes LABEL:IMAGE:ARGS, as in proxy::sched_proxy_exec=1, not "
			"'%s'",
			text);
	*image++ = '\0';
	*arguments++ = '\0';
	code = check_label(order, label);
	if (!code)
		code = check_arguments(order, arguments);
	order->variants[order->n_variants++] = (struct variant){
		.label = label, .image_path = *image ? image : NULL, .arguments = arguments};
	return code;
}

static int check_variants(struct run_order *order)
{
	static const char *const standard[] = {"proxy::sched_proxy_exec=1",
					       "!proxy::sched_proxy_exec=0"};
	const struct string_list *given = &order->values->variants;
	size_t count = given->count ? given->count : sizeof(standard) / sizeof(standard[0]);
	int code = 0;

	if (order->target == &target_host) {
		order->variants[order->n_variants++] = (struct variant){
			.label = target_host_label(),
			.arguments = "",
		};
		return 0;
	}
	for (size_t i = 0; i < count && !code; i++)
		code = add_variant(order, given->count ? given->items[i] : standard[i]);
	return code;
}

/* The same thing twice, as LABEL-a and LABEL-b. */
static int add_twins(struct run_order *order)
{
	const struct string_list *given = &order->values->variants;
	const char *text = given->count ? given->items[0] : "!proxy::sched_proxy_exec=0";
	int label = (int)strcspn(text, ":"), code = 0;

	for (int twin = 0; twin < 2 && !code; twin++) {
		char *labelled = format_string("%.*s-%c%s", label, text, "ab"[twin], text + label);

		code = labelled ? add_variant(order, labelled) : EXIT_BROKE;
		free(labelled);
	}
	return code;
}

/* How many boots of each variant; a calibration shares its boots out to two. */
static unsigned int choose_boots(const struct run_order *order)
{
	const struct run_values *values = order->values;
	uint64_t given = values->boots != RUN_NOT_GIVEN ? values->boots : 0;

	if (order->is_calibration)
		return given ? (unsigned int)(given + 1) / 2 : 2 * profile_boots(order->profile);
	return given ? (unsigned int)given : profile_boots(order->profile);
}

static int check_topology(struct run_order *order)
{
	char error[256];

	if (order->target == &target_host)
		return 0;
	if (vm_topology_parse(order->topology_text, &order->topology, error, sizeof(error)))
		return run_usage(order, "%s", error);
	return 0;
}

/* A guest that is larger than the machine dies late, of somebody else's choice. */
static int check_memory(const struct run_order *order)
{
	uint64_t machine_mib =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;

	if (order->target == &target_host || order->memory_mib < machine_mib)
		return 0;
	return run_usage(order,
			 "--memory %u is more than fits: this machine has %" PRIu64 " MiB itself",
			 order->memory_mib, machine_mib);
}

static uint64_t draw_seed(void)
{
	uint32_t drawn = 0;

	if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn))
		drawn = (uint32_t)getpid();
	return drawn % 1000000; /* short enough to be typed again */
}

static int check_stopping(const struct run_order *order)
{
	const struct run_values *values = order->values;

	if (values->max_boots != RUN_NOT_GIVEN && !values->until_conclusive)
		return run_usage(order, "--max-boots belongs to --until-conclusive: without it, "
					"--boots says how many");
	if (!values->until_conclusive)
		return 0;
	if (values->boots != RUN_NOT_GIVEN)
		return run_usage(order, "--until-conclusive finds out how many boots it takes: it "
					"goes with --max-boots, not with --boots");
	if (order->target == &target_host)
		return run_usage(order, "--until-conclusive boots again: it does not go with "
					"--target=host, which measures one boot");
	if (order->n_variants < 2)
		return run_usage(order, "--until-conclusive needs a second --variant: one alone "
					"has no verdict to wait for");
	return 0;
}

/* The looks are placed here, before anything is known of the figures. */
static void plan_looks(struct run_order *order)
{
	if (!order->values->until_conclusive)
		return;
	order->boots = order->values->max_boots != RUN_NOT_GIVEN
			       ? (unsigned int)order->values->max_boots
			       : SEQUENTIAL_BOOTS_EACH * profile_boots(order->profile);
	sequential_plan_make(&order->sequential, order->boots, run_work_tests(order),
			     order->time == TIME_REAL);
}

int run_order_check(struct run_order *order, const struct string_list *workload_names)
{
	const struct run_values *values = order->values;
	int code;

	order->target = choose_target(values);
	/* Guests are only as steady as what they run on; without KVM, real time may show nothing.
	 */
	order->time = order->target == &target_host ? TIME_REAL : TIME_VIRTUAL;
	if (values->time)
		order->time = !strcmp(values->time, "virtual") ? TIME_VIRTUAL : TIME_REAL;
	order->profile = values->profile	       ? values->profile
			 : order->time == TIME_VIRTUAL ? "quick"
						       : "standard";
	order->boots = choose_boots(order);
	order->topology_text = values->topology ? values->topology : GUEST_TOPOLOGY;
	order->memory_mib = values->memory_mib != RUN_NOT_GIVEN ? (unsigned int)values->memory_mib
								: GUEST_MEMORY_MIB;
	order->watchdog_s = (unsigned int)values->watchdog_s;
	if (order->target == &target_host)
		order->boots = 1;
	order->seed = values->seed;
	if (order->seed == RUN_NOT_GIVEN)
		order->seed = order->time == TIME_VIRTUAL ? VIRTUAL_TIME_SEED : draw_seed();
	code = check_host(order);
	if (!code)
		code = check_results(order);
	if (!code)
		code = check_id(order);
	if (!code)
		code = check_kernel_options(order);
	if (!code)
		code = check_topology(order);
	if (!code)
		code = check_memory(order);
	if (!code)
		code = order->is_calibration ? add_twins(order) : check_variants(order);
	if (!code)
		code = check_stopping(order);
	if (!code)
		code = run_work_check(order, workload_names);
	if (!code)
		plan_looks(order);
	return code;
}
