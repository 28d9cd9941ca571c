/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_RUN_ORDER_H
#define BENCH_RUN_ORDER_H

#include "bench/campaign.h"
#include "bench/campaign_file.h"
#include "bench/kernel.h"
#include "bench/options.h"
#include "bench/qemu.h"
#include "reports/sequential.h"
#include "workloads/profiles.h"

/*
 * What `run` and `calibrate` both take from the command line, and what it comes to: a
 * campaign that can be created. Nothing here builds, boots or writes before run_images_settle.
 */
#define RUN_MAX_VARIANTS 16
#define RUN_NOT_GIVEN	 UINT64_MAX

/* As typed or as a campaign file has it; .boots, .seed, .memory_mib and .max_boots begin as
 * RUN_NOT_GIVEN. */
struct run_values {
	const char *target, *time, *topology, *profile, *results, *id;
	struct string_list variants, params, sweeps, placements;
	uint64_t boots, seed, watchdog_s, memory_mib, max_boots;
	const char *kernel_image, *kernel_tree, *base, *series;
	bool json, yes, no_install, no_progress, until_conclusive;
	const char *campaign_file;
	bool print_campaign;
};

#define RUN_VALUES_INIT                                                                     \
	{                                                                                   \
		.boots = RUN_NOT_GIVEN, .seed = RUN_NOT_GIVEN, .memory_mib = RUN_NOT_GIVEN, \
		.max_boots = RUN_NOT_GIVEN,                                                 \
	}

extern const char *const run_target_names[], *const run_time_names[];

/* Their entries in an option table; @at is the offset of the struct in the command's values. */
#define RUN_OPTIONS(at, variant_help, boots_help)                                                                         \
	{.name = "target",                                                                                                \
	 .kind = OPTION_CHOICE,                                                                                           \
	 .argument = "KIND",                                                                                              \
	 .choices = run_target_names,                                                                                     \
	 .help = "vm, or host: this boot of this machine [host when the running kernel has proxy "                        \
		 "execution, else vm]",                                                                                   \
	 .offset = (at) + offsetof(struct run_values, target)},                                                           \
		{.name = "time",                                                                                          \
		 .kind = OPTION_CHOICE,                                                                                   \
		 .argument = "KIND",                                                                                      \
		 .choices = run_time_names,                                                                               \
		 .help = "real, or virtual: the guest's clock counts instructions [virtual for vm, real for host]",       \
		 .offset = (at) + offsetof(struct run_values, time)},                                                     \
		{.name = "topology",                                                                                      \
		 .kind = OPTION_STRING,                                                                                   \
		 .argument = "NxCxT",                                                                                     \
		 .help = "the guest's nodes x cores x threads, or nodes x dies x cores x threads [2x2x2]",                \
		 .offset = (at) + offsetof(struct run_values, topology)},                                                 \
		{.name = "memory",                                                                                        \
		 .kind = OPTION_NUMBER,                                                                                   \
		 .argument = "MIB",                                                                                       \
		 .min = 128,                                                                                              \
		 .max = 1048576,                                                                                          \
		 .help = "the guest's memory [1024]",                                                                     \
		 .offset = (at) + offsetof(struct run_values, memory_mib)},                                               \
		{.name = "variant",                                                                                       \
		 .kind = OPTION_LIST,                                                                                     \
		 .argument = "LABEL:IMAGE:ARGS",                                                                          \
		 .help = variant_help,                                                                                    \
		 .offset = (at) + offsetof(struct run_values, variants)},                                                 \
		{.name = "boots",                                                                                         \
		 .letter = 'n',                                                                                           \
		 .kind = OPTION_NUMBER,                                                                                   \
		 .argument = "N",                                                                                         \
		 .min = 1,                                                                                                \
		 .max = CAMPAIGN_MAX_BOOTS,                                                                               \
		 .help = boots_help,                                                                                      \
		 .offset = (at) + offsetof(struct run_values, boots)},                                                    \
		{.name = "seed",                                                                                          \
		 .kind = OPTION_NUMBER,                                                                                   \
		 .argument = "N",                                                                                         \
		 .max = CAMPAIGN_MAX_SEED,                                                                                \
		 .help = "draws the order and all that is random [1 in virtual time, else drawn]",                        \
		 .offset = (at) + offsetof(struct run_values, seed)},                                                     \
		{.name = "profile",                                                                                       \
		 .kind = OPTION_CHOICE,                                                                                   \
		 .argument = "NAME",                                                                                      \
		 .choices = profile_names,                                                                                \
		 .help = "how much to do: quick, standard, thorough, soak, proof [quick in virtual time, else standard]", \
		 .offset = (at) + offsetof(struct run_values, profile)},                                                  \
		{.name = "quick",                                                                                         \
		 .kind = OPTION_PRESET,                                                                                   \
		 .preset = "quick",                                                                                       \
		 .help = "--profile quick",                                                                               \
		 .offset = (at) + offsetof(struct run_values, profile)},                                                  \
		{.name = "param",                                                                                         \
		 .kind = OPTION_LIST,                                                                                     \
		 .argument = "NAME=VALUE",                                                                                \
		 .help = "a workload's parameter ('proxeval list' has them); may be repeated",                            \
		 .offset = (at) + offsetof(struct run_values, params)},                                                   \
		{.name = "sweep",                                                                                         \
		 .kind = OPTION_LIST,                                                                                     \
		 .argument = "NAME=VALUES",                                                                               \
		 .help = "a section for each of the values: 1,2,5 or 1..8, 0..90+30, 1..64x2; may be repeated",           \
		 .offset = (at) + offsetof(struct run_values, sweeps)},                                                   \
		{.name = "placement",                                                                                     \
		 .kind = OPTION_LIST,                                                                                     \
		 .argument = "NAME",                                                                                      \
		 .help = "only this placement; may be repeated [all that exist]",                                         \
		 .offset = (at) + offsetof(struct run_values, placements)},                                               \
		{.name = "results",                                                                                       \
		 .kind = OPTION_STRING,                                                                                   \
		 .argument = "DIR",                                                                                       \
		 .standard = "results",                                                                                   \
		 .help = "where the campaign's folder is made",                                                           \
		 .offset = (at) + offsetof(struct run_values, results)},                                                  \
		{.name = "id",                                                                                            \
		 .kind = OPTION_STRING,                                                                                   \
		 .argument = "NAME",                                                                                      \
		 .help = "the campaign's name and folder [made of the date, the seed and chance]",                        \
		 .offset = (at) + offsetof(struct run_values, id)},                                                       \
		{.name = "kernel-image",                                                                                  \
		 .kind = OPTION_STRING,                                                                                   \
		 .argument = "FILE",                                                                                      \
		 .help = "boot this bzImage instead of building one",                                                     \
		 .offset = (at) + offsetof(struct run_values, kernel_image)},                                             \
		{.name = "kernel-tree",                                                                                   \
		 .kind = OPTION_STRING,                                                                                   \
		 .argument = "DIR",                                                                                       \
		 .help = "build from this source instead of the distribution's",                                          \
		 .offset = (at) + offsetof(struct run_values, kernel_tree)},                                              \
		{.name = "base",                                                                                          \
		 .kind = OPTION_STRING,                                                                                   \
		 .argument = "VERSION",                                                                                   \
		 .help = "the distribution's source to build from, 7.2 or 7.3 [7.2 if it is to be had]",                  \
		 .offset = (at) + offsetof(struct run_values, base)},                                                     \
		{.name = "series",                                                                                        \
		 .kind = OPTION_STRING,                                                                                   \
		 .argument = "FILE",                                                                                      \
		 .help = "the quilt series to apply [kernel-patches/series]",                                             \
		 .offset = (at) + offsetof(struct run_values, series)},                                                   \
		{.name = "watchdog",                                                                                      \
		 .kind = OPTION_NUMBER,                                                                                   \
		 .argument = "LIMIT_S",                                                                                   \
		 .standard = "180",                                                                                       \
		 .min = 1,                                                                                                \
		 .max = 86400,                                                                                            \
		 .help = "end a guest that shows no sign of life for so long",                                            \
		 .offset = (at) + offsetof(struct run_values, watchdog_s)},                                               \
		{.name = "json",                                                                                          \
		 .kind = OPTION_FLAG,                                                                                     \
		 .help = "print the summary as JSON",                                                                     \
		 .offset = (at) + offsetof(struct run_values, json)},                                                     \
		{.name = "yes",                                                                                           \
		 .letter = 'y',                                                                                           \
		 .kind = OPTION_FLAG,                                                                                     \
		 .help = "install what is missing without asking (./run-bench does that)",                                \
		 .offset = (at) + offsetof(struct run_values, yes)},                                                      \
		{.name = "no-install",                                                                                    \
		 .kind = OPTION_FLAG,                                                                                     \
		 .help = "install nothing: list what is missing and exit with 4 (./run-bench does that)",                 \
		 .offset = (at) + offsetof(struct run_values, no_install)},                                               \
	{                                                                                                                 \
		.name = "no-progress", .kind = OPTION_FLAG, .help = "draw no progress",                                   \
		.offset = (at) + offsetof(struct run_values, no_progress)                                                 \
	}

#define RUN_OPTION_UNTIL_CONCLUSIVE(at)                                                          \
	{                                                                                        \
		.name = "until-conclusive", .kind = OPTION_FLAG,                                 \
		.help = "boot until every primary metric has a verdict, at the same error rate", \
		.offset = (at) + offsetof(struct run_values, until_conclusive)                   \
	}
#define RUN_OPTION_CAMPAIGN(at)                                                        \
	{                                                                              \
		.name = "campaign", .kind = OPTION_STRING, .argument = "FILE",         \
		.help = "take from this JSON file what the command line does not say", \
		.offset = (at) + offsetof(struct run_values, campaign_file)            \
	}
#define RUN_OPTION_PRINT_CAMPAIGN(at)                                                    \
	{                                                                                \
		.name = "print-campaign", .kind = OPTION_FLAG,                           \
		.help = "run nothing: print the campaign file that stands for all this", \
		.offset = (at) + offsetof(struct run_values, print_campaign)             \
	}
#define RUN_OPTION_MAX_BOOTS(at)                                                               \
	{                                                                                      \
		.name = "max-boots", .kind = OPTION_NUMBER, .argument = "N", .min = 1,         \
		.max = CAMPAIGN_MAX_BOOTS,                                                     \
		.help = "with --until-conclusive: boots of each variant at most [4 times the " \
			"profile's]",                                                          \
		.offset = (at) + offsetof(struct run_values, max_boots)                        \
	}

/* What the command line comes to, once it is checked. */
struct run_order {
	const char *command; /* "run": what messages call it */
	const struct run_values *values;
	const struct campaign_file *file; /* NULL: none */
	bool is_calibration; /* one variant under two labels, and --boots counts both */
	const struct target *target;
	enum time_kind time;
	const char *profile;
	uint64_t seed;
	unsigned int boots, watchdog_s, memory_mib; /* boots of each variant */
	struct sequential_plan sequential;	    /* n_looks 0: all boots are run */
	const char *topology_text;
	struct vm_topology topology;
	struct variant variants[RUN_MAX_VARIANTS];
	size_t n_variants;
	char *texts[RUN_MAX_VARIANTS]; /* the copies that variants point into */
	struct json_object *items;     /* the work with its sweeps (bench/run_items.h) */
	struct json_object *work;      /* the same multiplied out: the plan's */
	struct kernel_build kernel;
};

/* One sentence about the command line, made printable, with where to read on; EXIT_USAGE. */
int run_usage(const struct run_order *order, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Checks order->values and fills the rest; only .command, .values and
 * .file are set before. 0 or an exit
 * code with its message printed. run_order_release is due in every case.
 */
int run_order_check(struct run_order *order, const struct string_list *workload_names);
void run_order_release(struct run_order *order);

/* The part of it that settles order->items and order->work. */
int run_work_check(struct run_order *order, const struct string_list *workload_names);

/* How many primary tests order->work comes to, as far as can be said before anything booted. */
size_t run_work_tests(const struct run_order *order);

/* Sections of one boot, as far as can be said before anything booted. */
size_t run_work_sections(const struct run_order *order);

/* Whether an option names the kernel: an image, a tree, a base or a series. */
bool run_has_kernel_option(const struct run_values *values);

/* Whether a kernel is still to be built before anything can boot. */
bool run_needs_kernel(const struct run_order *order);

/*
 * The images that were given, and what is to be built: 0 or an exit code with its message
 * printed. Then run_images_settle builds what is missing and gives every variant its image.
 */
int run_images_check(const struct run_order *order);
int run_kernel_check(const struct run_order *order);
int run_images_settle(struct run_order *order);

/*
 * All of that, then the campaign itself: probes the target, makes the results' folder, says what is
 * about to happen, builds, and creates. 0 and a campaign that the caller frees, or an exit code
 * with its message printed.
 */
int run_order_start(struct run_order *order, struct campaign **campaign);

/* How a user calls this program: "./run-bench" or "proxeval". */
const char *run_program(void);

#endif
