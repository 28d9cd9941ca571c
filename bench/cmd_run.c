// SPDX-License-Identifier: GPL-2.0-only
#include "bench/cmd_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/campaign.h"
#include "bench/commands.h"
#include "bench/environment.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/kernel.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "bench/qemu.h"
#include "bench/topology.h"
#include "reports/reports.h"
#include "workloads/profiles.h"
#include "workloads/workload.h"

#define MAX_VARIANTS 16
/* In virtual time a seed is a choice like another: without one, two runs are the same run. */
#define VIRTUAL_TIME_SEED 1u
#define NOT_GIVEN	  UINT64_MAX
#define GUEST_TOPOLOGY	  "2x2x2"
#define GUEST_MEMORY_MIB  1024u

/* A kernel's image has these bytes there (Documentation/arch/x86/boot.rst). */
#define BOOT_FLAG_OFFSET  0x1fe
#define HEADER_OFFSET	  0x202
#define BOOT_HEADER_BYTES (HEADER_OFFSET + 4)

struct values {
	const char *target, *time, *topology, *profile, *results, *id;
	struct string_list variants, params, placements;
	uint64_t boots, seed, watchdog_s, memory_mib;
	const char *kernel_image, *kernel_tree, *base, *series;
	bool json, yes, no_install, no_progress;
};

static const char *const target_names[] = {"vm", "host", NULL};
static const char *const time_names[] = {"real", "virtual", NULL};

#define AT(member) offsetof(struct values, member)
static const struct option_spec options[] = {
	{.name = "target",
	 .kind = OPTION_CHOICE,
	 .argument = "KIND",
	 .choices = target_names,
	 .help = "vm, or host: this boot of this machine [host when the running kernel has proxy "
		 "execution, else vm]",
	 .offset = AT(target)},
	{.name = "time",
	 .kind = OPTION_CHOICE,
	 .argument = "KIND",
	 .choices = time_names,
	 .help = "real, or virtual: the guest's clock counts instructions [virtual for vm, real for host]",
	 .offset = AT(time)},
	{.name = "topology",
	 .kind = OPTION_STRING,
	 .argument = "NxCxT",
	 .help = "the guest's nodes x cores x threads, or nodes x dies x cores x threads [2x2x2]",
	 .offset = AT(topology)},
	{.name = "memory",
	 .kind = OPTION_NUMBER,
	 .argument = "MIB",
	 .min = 128,
	 .max = 1048576,
	 .help = "the guest's memory [1024]",
	 .offset = AT(memory_mib)},
	{.name = "variant",
	 .kind = OPTION_LIST,
	 .argument = "LABEL:IMAGE:ARGS",
	 .help = "what to compare, once for each; an empty IMAGE is the kernel that is built or "
		 "given [proxy::sched_proxy_exec=1 and !proxy::sched_proxy_exec=0]",
	 .offset = AT(variants)},
	{.name = "boots",
	 .letter = 'n',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .min = 1,
	 .max = CAMPAIGN_MAX_BOOTS,
	 .help = "boots of each variant [the profile's]",
	 .offset = AT(boots)},
	{.name = "seed",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .max = CAMPAIGN_MAX_SEED,
	 .help = "draws the order and all that is random [1 in virtual time, else drawn]",
	 .offset = AT(seed)},
	{.name = "profile",
	 .kind = OPTION_CHOICE,
	 .argument = "NAME",
	 .choices = profile_names,
	 .help = "how much to measure: quick, standard or thorough [quick in virtual time, else standard]",
	 .offset = AT(profile)},
	{.name = "quick",
	 .kind = OPTION_PRESET,
	 .preset = "quick",
	 .help = "--profile quick",
	 .offset = AT(profile)},
	{.name = "param",
	 .kind = OPTION_LIST,
	 .argument = "NAME=VALUE",
	 .help = "a workload's parameter ('proxeval list' has them); may be repeated",
	 .offset = AT(params)},
	{.name = "placement",
	 .kind = OPTION_LIST,
	 .argument = "NAME",
	 .help = "only this placement; may be repeated [all that exist]",
	 .offset = AT(placements)},
	{.name = "results",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .standard = "results",
	 .help = "where the campaign's folder is made",
	 .offset = AT(results)},
	{.name = "id",
	 .kind = OPTION_STRING,
	 .argument = "NAME",
	 .help = "the campaign's name and folder [made of the date, the seed and chance]",
	 .offset = AT(id)},
	{.name = "kernel-image",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "boot this bzImage instead of building one",
	 .offset = AT(kernel_image)},
	{.name = "kernel-tree",
	 .kind = OPTION_STRING,
	 .argument = "DIR",
	 .help = "build from this source instead of the distribution's",
	 .offset = AT(kernel_tree)},
	{.name = "base",
	 .kind = OPTION_STRING,
	 .argument = "VERSION",
	 .help = "the distribution's source to build from [the newest known]",
	 .offset = AT(base)},
	{.name = "series",
	 .kind = OPTION_STRING,
	 .argument = "FILE",
	 .help = "the quilt series to apply [kernel-patches/series]",
	 .offset = AT(series)},
	{.name = "watchdog",
	 .kind = OPTION_NUMBER,
	 .argument = "LIMIT_S",
	 .standard = "180",
	 .min = 1,
	 .max = 86400,
	 .help = "end a guest that shows no sign of life for so long",
	 .offset = AT(watchdog_s)},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print the summary as JSON",
	 .offset = AT(json)},
	{.name = "yes",
	 .letter = 'y',
	 .kind = OPTION_FLAG,
	 .help = "install what is missing without asking (./run-bench does that)",
	 .offset = AT(yes)},
	{.name = "no-install",
	 .kind = OPTION_FLAG,
	 .help = "install nothing: list what is missing and exit with 4 (./run-bench does that)",
	 .offset = AT(no_install)},
	{.name = "no-progress",
	 .kind = OPTION_FLAG,
	 .help = "draw no progress",
	 .offset = AT(no_progress)},
	OPTIONS_END,
};

/* What the command line comes to, once it is checked. */
struct order {
	const struct values *values;
	const struct target *target;
	enum time_kind time;
	const char *profile;
	uint64_t seed;
	unsigned int boots, watchdog_s, memory_mib;
	const char *topology_text;
	struct vm_topology topology;
	struct variant variants[MAX_VARIANTS];
	size_t n_variants;
	char *texts[MAX_VARIANTS]; /* the copies that variants point into */
	struct json_object *work;
	struct kernel_build kernel;
};

/* ---- checking the command line ------------------------------------------------------ */

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

static int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int usage(const char *format, ...)
{
	char text[512], shown[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_printable(text, shown, sizeof(shown));
	message_error("%s; see 'proxeval run --help'", shown);
	return EXIT_USAGE;
}

static bool has_kernel_option(const struct values *values)
{
	return values->kernel_image || values->kernel_tree || values->base || values->series;
}

static bool has_guest_option(const struct values *values)
{
	return values->topology || values->memory_mib != NOT_GIVEN;
}

/* The host is taken unasked only where nothing on the line speaks of a guest. */
static const struct target *choose_target(const struct values *values)
{
	enum proxy_exec_state state;

	if (values->target)
		return target_find(values->target);
	if ((values->time && !strcmp(values->time, "virtual")) || values->variants.count ||
	    has_kernel_option(values) || has_guest_option(values))
		return &target_vm;
	state = environment_proxy_exec();
	return state == PROXY_EXEC_ON || state == PROXY_EXEC_OFF ? &target_host : &target_vm;
}

static int check_host(const struct order *order)
{
	const struct values *values = order->values;

	if (order->target != &target_host)
		return 0;
	if (order->time == TIME_VIRTUAL)
		return usage(
			"--time=virtual needs a guest, whose clock can be counted: it does not go "
			"with --target=host");
	if (values->variants.count || has_kernel_option(values))
		return usage(
			"--target=host measures the kernel that is running: it does not go with "
			"--variant, --kernel-image, --kernel-tree, --base or --series");
	if (has_guest_option(values))
		return usage("--topology and --memory are a guest's: they do not go with "
			     "--target=host");
	if (values->boots != NOT_GIVEN && values->boots != 1)
		return usage(
			"--target=host measures one boot, this one: it does not go with --boots "
			"%" PRIu64 " (run it again after a reboot, then compare)",
			values->boots);
	return 0;
}

static int check_kernel_options(const struct values *values)
{
	if (values->kernel_image && (values->kernel_tree || values->base || values->series))
		return usage(
			"--kernel-image is a kernel that is built already: it does not go with "
			"--kernel-tree, --base or --series");
	if (values->kernel_tree && values->base)
		return usage("--kernel-tree and --base both name the source: give one of them");
	return 0;
}

static int check_results(const char *results)
{
	struct stat status;

	if (!*results)
		return usage("--results needs the name of a folder");
	if (!stat(results, &status) && !S_ISDIR(status.st_mode))
		return usage("--results takes a folder, and %s is none", results);
	return 0;
}

/* It becomes a folder, a part of links, and what people call the campaign. */
static int check_id(const struct values *values)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
	const char *id = values->id;
	char path[PATH_MAX];

	if (!id)
		return 0;
	if (!*id || strlen(id) > CAMPAIGN_MAX_ID || id[strspn(id, letters)] || strchr(".-", *id))
		return usage(
			"--id has 1 to %d letters, digits and any of . _ + -, begins with no . "
			"and no -, and is not '%.80s'",
			CAMPAIGN_MAX_ID, id);
	if (snprintf(path, sizeof(path), "%s/%s", values->results, id) < (int)sizeof(path) &&
	    !access(path, F_OK))
		return usage("--id: there is a %s already; choose another name, or go on with it: "
			     "'proxeval resume %s'",
			     path, path);
	return 0;
}

static int check_label(const struct order *order, const char *label)
{
	if (!*label || strlen(label) > 64 || strpbrk(label, "/ ") || !is_printable_text(label))
		return usage(
			"a variant's label has 1 to 64 printable characters without blanks and "
			"slashes, not '%.80s'",
			label);
	for (size_t i = 0; i < order->n_variants; i++)
		if (!strcmp(order->variants[i].label, label))
			return usage("two variants are called '%s': each needs a label of its own",
				     label);
	return 0;
}

/* Boot arguments end up on one line that ends with ours. */
static int check_arguments(const char *arguments)
{
	char padded[4096];

	if (snprintf(padded, sizeof(padded), " %s ", arguments) >= 1536)
		return usage("the boot arguments '%.40s…' are too long for a kernel", arguments);
	if (strstr(padded, " -- ") || !is_printable_text(arguments))
		return usage(
			"the boot arguments '%.200s' may hold no ' -- ' and only printable text",
			arguments);
	return 0;
}

/* LABEL:IMAGE:ARGS; arguments may hold colons. */
static int add_variant(struct order *order, const char *text)
{
	char *label, *image, *arguments;
	int code;

	if (order->n_variants == MAX_VARIANTS)
		return usage("at most %d variants can be compared", MAX_VARIANTS);
	label = strdup(text);
	order->texts[order->n_variants] = label;
	image = label ? strchr(label, ':') : NULL;
	arguments = image ? strchr(image + 1, ':') : NULL;
	if (!arguments)
		return usage(
			"--variant takes LABEL:IMAGE:ARGS, as in proxy::sched_proxy_exec=1, not "
			"'%s'",
			text);
	*image++ = '\0';
	*arguments++ = '\0';
	code = check_label(order, label);
	if (!code)
		code = check_arguments(arguments);
	order->variants[order->n_variants++] = (struct variant){
		.label = label, .image_path = *image ? image : NULL, .arguments = arguments};
	return code;
}

static int check_variants(struct order *order)
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

static int check_placements(const struct string_list *placements)
{
	for (size_t i = 0; i < placements->count; i++) {
		const char *name = placements->items[i];
		bool is_known = !strcmp(name, "all");

		for (int kind = 0; kind < PLACEMENT_KINDS && !is_known; kind++)
			is_known = !strcmp(name, placement_kind_name((enum placement_kind)kind));
		/* A distance behind it picks one class of node pairs. */
		if (!strncmp(name, "cross-node-", 11) && name[11] &&
		    strspn(name + 11, "0123456789") == strlen(name + 11))
			is_known = true;
		if (!is_known)
			return usage(
				"'%s' is not a placement: there are all, same-cpu, smt-sibling, "
				"same-llc, same-node, cross-node and cross-node-DISTANCE",
				name);
	}
	return 0;
}

/* Whether "NAME=VALUE" (or a bare NAME) names a parameter of @workload. */
static bool has_parameter(const struct workload *workload, const char *text)
{
	size_t length = strcspn(text, "=");

	for (size_t p = 0; workload->parameters && workload->parameters[p].name; p++)
		if (strlen(workload->parameters[p].name) == length &&
		    !strncmp(workload->parameters[p].name, text, length))
			return true;
	return false;
}

/* Puts what was given for the item's workload into its parameters; 0 or EXIT_USAGE. */
static int override_params(struct json_object *item, const struct string_list *given, bool *is_used)
{
	struct json_object *name = NULL, *params = NULL;
	const struct workload *workload;
	char error[256];

	json_object_object_get_ex(item, "workload", &name);
	json_object_object_get_ex(item, "params", &params);
	workload = workload_find(json_object_get_string(name));
	for (size_t i = 0; workload && i < given->count; i++) {
		const char *value;
		size_t index;

		if (!has_parameter(workload, given->items[i]))
			continue;
		is_used[i] = true;
		if (workload_check_parameter(workload, given->items[i], &index, &value, error,
					     sizeof(error)))
			return usage("--param: %s", error);
		json_object_object_add(params, workload->parameters[index].name,
				       json_object_new_string(value));
	}
	return 0;
}

/* Whether the item's parameters go together; 0 or EXIT_USAGE. */
static int check_together(struct json_object *item)
{
	struct json_object *name = NULL, *params = NULL, *value;
	const struct workload *workload;
	const char **values;
	char error[256];
	size_t count = 0;
	int err = 0;

	json_object_object_get_ex(item, "workload", &name);
	json_object_object_get_ex(item, "params", &params);
	workload = workload_find(json_object_get_string(name));
	while (workload && workload->parameters[count].name)
		count++;
	values = calloc(count + 1, sizeof(*values));
	if (!values)
		return EXIT_BROKE;
	for (size_t i = 0; i < count; i++)
		values[i] = json_object_object_get_ex(params, workload->parameters[i].name, &value)
				    ? json_object_get_string(value)
				    : workload->parameters[i].standard;
	if (workload)
		err = workload_check_values(workload, values, error, sizeof(error));
	free(values);
	return err ? usage("--param: %s", error) : 0;
}

static void override_placements(struct json_object *item, const struct string_list *given)
{
	struct json_object *list;

	if (!given->count)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < given->count; i++)
		json_object_array_add(list, json_object_new_string(given->items[i]));
	json_object_object_add(item, "placements", list);
}

/* A profile's items may differ only in what was overridden: the same work is done once. */
static void drop_repeated_work(struct json_object *work)
{
	for (size_t i = 1; i < json_object_array_length(work);) {
		bool is_repeated = false;

		for (size_t other = 0; other < i && !is_repeated; other++)
			is_repeated = json_object_equal(json_object_array_get_idx(work, i),
							json_object_array_get_idx(work, other));
		if (is_repeated)
			json_object_array_del_idx(work, i, 1);
		else
			i++;
	}
}

static int check_names(const struct string_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!workload_find(names->items[i]))
			return usage("'%s' is not a workload; 'proxeval list' has them",
				     names->items[i]);
		for (size_t other = 0; other < i; other++)
			if (!strcmp(names->items[i], names->items[other]))
				return usage("the workload '%s' is named twice", names->items[i]);
	}
	return 0;
}

static int check_work(struct order *order, const struct string_list *names)
{
	const struct values *values = order->values;
	bool *is_used = calloc(values->params.count + 1, sizeof(*is_used));
	int code = check_names(names);

	if (!code)
		code = check_placements(&values->placements);
	if (!code)
		order->work = profile_work(order->profile, names->items, names->count);
	if (!code && (!order->work || !is_used))
		code = EXIT_BROKE;
	for (size_t i = 0; !code && i < json_object_array_length(order->work); i++) {
		struct json_object *item = json_object_array_get_idx(order->work, i);

		override_placements(item, &values->placements);
		code = override_params(item, &values->params, is_used);
		if (!code)
			code = check_together(item);
	}
	for (size_t i = 0; i < values->params.count && !code; i++)
		if (!is_used[i])
			code = usage("--param '%s' names no parameter of the workloads that are to "
				     "run; 'proxeval list' has them",
				     values->params.items[i]);
	if (!code)
		drop_repeated_work(order->work);
	free(is_used);
	return code;
}

static int check_topology(struct order *order)
{
	char error[256];

	if (order->target == &target_host)
		return 0;
	if (vm_topology_parse(order->topology_text, &order->topology, error, sizeof(error)))
		return usage("%s", error);
	return 0;
}

/* A guest that is larger than the machine dies late, of somebody else's choice. */
static int check_memory(const struct order *order)
{
	uint64_t machine_mib =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;

	if (order->target == &target_host || order->memory_mib < machine_mib)
		return 0;
	return usage("--memory %u is more than fits: this machine has %" PRIu64 " MiB itself",
		     order->memory_mib, machine_mib);
}

static uint64_t draw_seed(void)
{
	uint32_t drawn = 0;

	if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn))
		drawn = (uint32_t)getpid();
	return drawn % 1000000; /* short enough to be typed again */
}

static int check_values(struct order *order, const struct string_list *workload_names)
{
	const struct values *values = order->values;
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
	order->boots = values->boots != NOT_GIVEN ? (unsigned int)values->boots
						  : profile_boots(order->profile);
	order->topology_text = values->topology ? values->topology : GUEST_TOPOLOGY;
	order->memory_mib = values->memory_mib != NOT_GIVEN ? (unsigned int)values->memory_mib
							    : GUEST_MEMORY_MIB;
	order->watchdog_s = (unsigned int)values->watchdog_s;
	if (order->target == &target_host)
		order->boots = 1;
	order->seed = values->seed;
	if (order->seed == NOT_GIVEN)
		order->seed = order->time == TIME_VIRTUAL ? VIRTUAL_TIME_SEED : draw_seed();
	code = check_host(order);
	if (!code)
		code = check_results(values->results);
	if (!code)
		code = check_id(values);
	if (!code)
		code = check_kernel_options(values);
	if (!code)
		code = check_topology(order);
	if (!code)
		code = check_memory(order);
	if (!code)
		code = check_variants(order);
	return code ? code : check_work(order, workload_names);
}

/* ---- images ------------------------------------------------------------------------- */

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

static int check_images(const struct order *order)
{
	const char *common = order->values->kernel_image;
	int code = common ? check_image(common) : 0;

	for (size_t i = 0; i < order->n_variants && !code; i++)
		if (order->variants[i].image_path)
			code = check_image(order->variants[i].image_path);
	return code;
}

/* Absolute: the campaign may be resumed from another place. The copy takes the old text's slot. */
static int settle_image(struct order *order, size_t index, const char *path)
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

static bool is_image_missing(const struct order *order)
{
	for (size_t i = 0; i < order->n_variants; i++)
		if (!order->variants[i].image_path)
			return true;
	return false;
}

static struct kernel_request kernel_request_of(const struct values *values)
{
	return (struct kernel_request){
		.base = values->base, .tree = values->kernel_tree, .series = values->series};
}

static bool needs_kernel(const struct order *order)
{
	return order->target != &target_host && !order->values->kernel_image &&
	       is_image_missing(order);
}

/* What is to be built must make sense, also when every variant has its image already. */
static int check_kernel(const struct order *order)
{
	const struct kernel_request request = kernel_request_of(order->values);

	if (order->values->kernel_image ||
	    (!needs_kernel(order) && !has_kernel_option(order->values)))
		return 0;
	return kernel_exit_code(kernel_check_request(&request));
}

static int make_kernel(struct order *order)
{
	const struct kernel_request request = kernel_request_of(order->values);

	return kernel_exit_code(kernel_make(&request, &order->kernel));
}

/* Gives every variant its image: its own, the one given for all, or the one that is built now. */
static int settle_images(struct order *order)
{
	const char *common = order->values->kernel_image;
	int code = 0;

	if (order->target == &target_host)
		return 0;
	if (needs_kernel(order)) {
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

/* ---- running ------------------------------------------------------------------------ */

/*
 * A rough guess, before anything is known of this machine: what booting and one section in
 * one placement took on a two-core machine. The progress line knows better after the first boot.
 */
static unsigned int estimate_min(const struct order *order)
{
	struct campaign draft = {.time = order->time};
	size_t placements = order->values->placements.count;
	size_t sections = json_object_array_length(order->work) * (placements ? placements : 4);
	double boot_s = order->target == &target_host ? 0 : order->time == TIME_VIRTUAL ? 4 : 10;
	double total_s = (double)(order->boots * order->n_variants) *
			 (boot_s + 1.5 * (double)sections) / order->target->parallel_boots(&draft);

	return (unsigned int)(total_s / 60) + 1;
}

static void announce_work(struct json_object *item)
{
	struct json_object *name = NULL, *places = NULL;
	char text[512] = "";

	json_object_object_get_ex(item, "workload", &name);
	json_object_object_get_ex(item, "placements", &places);
	for (size_t i = 0; i < json_object_array_length(places); i++) {
		const char *place = json_object_get_string(json_object_array_get_idx(places, i));
		size_t used = strlen(text);

		if (!strcmp(place, "all"))
			place = "every placement that exists";
		snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", place);
	}
	message_note("  workload %s, in %s", json_object_get_string(name), text);
}

/* What is about to happen, before anything does. */
static void announce(const struct order *order)
{
	const char *clock = order->time == TIME_VIRTUAL ? "virtual" : "real";
	char where[160];

	if (order->target == &target_host)
		snprintf(where, sizeof(where), "this boot of this machine");
	else
		snprintf(where, sizeof(where), "guests of %u CPU%s (%s: %u NUMA node%s), %u MiB",
			 vm_topology_cpus(&order->topology),
			 vm_topology_cpus(&order->topology) == 1 ? "" : "s", order->topology_text,
			 order->topology.nodes, order->topology.nodes == 1 ? "" : "s",
			 order->memory_mib);
	message_note("measuring %zu variant%s, %u boot%s each, in %s time on %s", order->n_variants,
		     order->n_variants == 1 ? "" : "s", order->boots, order->boots == 1 ? "" : "s",
		     clock, where);
	for (size_t i = 0; i < order->n_variants; i++)
		message_note("  %-12s %s %s", order->variants[i].label,
			     order->target == &target_host   ? "the running kernel"
			     : order->variants[i].image_path ? order->variants[i].image_path
			     : order->values->kernel_image   ? order->values->kernel_image
							     : "the kernel built here",
			     order->variants[i].arguments);
	for (size_t i = 0; i < json_object_array_length(order->work); i++)
		announce_work(json_object_array_get_idx(order->work, i));
	message_note("  order and chance drawn from seed %" PRIu64 "; some %u min%s", order->seed,
		     estimate_min(order), needs_kernel(order) ? " once the kernel is built" : "");
}

static int probe_target(const struct order *order)
{
	struct campaign draft = {.time = order->time,
				 .topology = order->topology_text,
				 .memory_mib = order->memory_mib};
	char reason[512];

	if (!order->target->probe(&draft, reason, sizeof(reason)))
		return 0;
	message_error("the target %s cannot work here: %s", order->target->name, reason);
	return EXIT_CANNOT;
}

/* How a user calls this program; ./run-bench sets where the data is. */
static const char *program(void)
{
	return getenv("PROXEVAL_DATA") ? "./run-bench" : "proxeval";
}

int conclude_campaign(struct campaign *campaign, bool as_json)
{
	int err = campaign_run(campaign), code = EXIT_BROKE;

	if (err) {
		message_note("%zu of %zu boots are done and kept; go on with '%s resume %s'",
			     campaign->n_boots - campaign_missing(campaign), campaign->n_boots,
			     program(), campaign->directory);
		return EXIT_BROKE;
	}
	if (report_campaign(campaign->directory, stdout, as_json, &code))
		return code;
	message_note("the report is %s/index.html (report.txt and report.md beside it)",
		     campaign->directory);
	message_note("see it again with '%s report %s'", program(), campaign->directory);
	return code;
}

/* The folder and its campaign.json appear together: a start that fails leaves neither. */
static int create_campaign(const struct order *order, struct campaign **campaign)
{
	struct campaign_request request = {.target = order->target,
					   .time = order->time,
					   .seed = order->seed,
					   .boots = order->boots,
					   .topology = order->topology_text,
					   .memory_mib = order->memory_mib,
					   .profile = order->profile,
					   .watchdog_s = order->watchdog_s,
					   .work = order->work};
	char *id, *directory;
	int err = campaign_reserve(order->values->results, order->values->id, order->seed, &id,
				   &directory);

	if (err)
		return err;
	if (order->target == &target_host)
		request.topology = NULL;
	request.id = id;
	request.directory = directory;
	request.variants = order->variants;
	request.n_variants = order->n_variants;
	err = campaign_create(&request, campaign);
	if (err)
		campaign_abandon(directory);
	free(id);
	free(directory);
	return err;
}

static int run_order(struct order *order)
{
	struct campaign *campaign;
	int code = settle_images(order);

	if (code)
		return code;
	if (create_campaign(order, &campaign))
		return EXIT_BROKE;
	code = conclude_campaign(campaign, order->values->json);
	campaign_free(campaign);
	return code;
}

static void release_order(struct order *order)
{
	for (size_t i = 0; i < MAX_VARIANTS; i++)
		free(order->texts[i]);
	json_object_put(order->work);
	kernel_build_release(&order->kernel);
}

/* Before a kernel is built: where nothing can be kept, nothing needs to be measured. */
static int make_results(const char *results)
{
	int err = make_directories(results);

	if (!err && access(results, W_OK | X_OK))
		err = -errno;
	if (!err)
		return 0;
	message_errno(err, "cannot write to the folder for the results, %s", results);
	return EXIT_BROKE;
}

static int run_values(const struct values *values, const struct string_list *workload_names)
{
	struct order order = {.values = values};
	int code = check_values(&order, workload_names);

	if (!code)
		code = check_images(&order);
	if (!code)
		code = check_kernel(&order);
	if (!code)
		code = probe_target(&order);
	if (code)
		goto out_release;
	process_catch_stop_signals();
	code = make_results(values->results);
	if (code)
		goto out_release;
	announce(&order);
	code = run_order(&order);
out_release:
	release_order(&order);
	return code;
}

static int run(int argc, char **argv)
{
	struct values values = {.boots = NOT_GIVEN, .seed = NOT_GIVEN, .memory_mib = NOT_GIVEN};
	struct string_list workload_names = {0};
	int err = options_parse(&command_run, argc, argv, &values, &workload_names);
	int code;

	if (values.no_progress)
		progress_disable();
	code = err ? options_exit_code(err) : run_values(&values, &workload_names);
	options_release(&command_run, &values, &workload_names);
	return code;
}

static const char *const description[] = {
	"Boots every variant in turn, in an order drawn from the seed and written down first, runs\n"
	"the workloads in every placement that exists there, and reports what differs. Without\n"
	"a workload it runs all that the profile has. Results go to DIR/<campaign>/, one JSON file per boot.",
	"Ctrl-C keeps what has finished; 'proxeval resume DIR/<campaign>' goes on.",
	NULL,
};

const struct command command_run = {
	.name = "run",
	.summary = "Boot the variants, run the workloads, report the differences",
	.usage = "[WORKLOAD…] [OPTION…]",
	.description = description,
	.options = options,
	.run = run,
};
