/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_COMMANDS_H
#define BENCH_COMMANDS_H

#include "bench/options.h"

/* Each command is one file, bench/cmd_NAME.c, that ends with its table entry. */
extern const struct command command_run;
extern const struct command command_resume;
extern const struct command command_list;
extern const struct command command_doctor;
extern const struct command command_compare;
extern const struct command command_report;
extern const struct command command_export;
extern const struct command command_import;
extern const struct command command_kernel;
extern const struct command command_explore;
extern const struct command command_calibrate;
extern const struct command command_restore;
extern const struct command command_exec;

/* The table that main dispatches from, in the order of the help; NULL-terminated. */
extern const struct command *const commands[];

#endif
