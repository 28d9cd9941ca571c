/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_RUNNING_CONFIG_H
#define BENCH_RUNNING_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* The configuration that the running kernel was built with. */
struct running_config;

/*
 * Finds and reads it: /proc/config.gz, /boot/config-RELEASE, /lib/modules/RELEASE/config,
 * /lib/modules/RELEASE/build/.config, in this order. Paths are taken below @root: ""
 * for this machine, a folder with a recorded one in tests. 0; -ENODATA when none of
 * them can be read.
 */
int running_config_load(struct running_config **config, const char *root);
void running_config_free(struct running_config *config);

/* Where it was found, without @root. */
const char *running_config_source(const struct running_config *config);

/*
 * The value of "CONFIG_…": "y", "m", a number, or a string without its quotes; "n"
 * when it is not set or not named at all, which is how a configuration says that its
 * dependencies are missing. Cut at @size.
 */
void running_config_value(const struct running_config *config, const char *option, char *value,
			  size_t size);

/* Whether it is "y" or "m". */
bool running_config_has(const struct running_config *config, const char *option);

#endif
