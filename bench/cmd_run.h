/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CMD_RUN_H
#define BENCH_CMD_RUN_H

#include <stdbool.h>

struct campaign;

/*
 * What 'run' and 'resume' have in common: runs what is missing, writes and prints the
 * report, and says where it is or how to go on. An exit code.
 */
int conclude_campaign(struct campaign *campaign, bool as_json);

#endif
