/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_MACHINE_H
#define REPORTS_MACHINE_H

#include <stdbool.h>

#include "reports/load.h"
#include "reports/reader.h"

/*
 * Which machine a boot ran on. Of a real machine (targets host, metal, fleet) it is its
 * name, its product and what it is made of; of a guest, what the guest was given, and in real
 * time the host and QEMU's accelerator as well: in virtual time a guest gives the
 * same figures on every host.
 */
#define MACHINE_NAME_MAX 60 /* bytes of a name that a document chose, shown at most */

/*
 * What identifies the machine of a boot with this @environment (an object of a boot's
 * document), and in @machine what is known of it: everything but the index. @host is
 * host_run.host, or NULL. A key of NULL: the environment tells nothing. A lack of memory fails
 * the reader.
 */
void machine_identify(struct reader *reader, const struct json_node *environment,
		      const char *target, bool is_virtual, const char *host,
		      struct machine_info *machine);

/*
 * Gives results->machines their names, and every boot that could not tell its machine that of
 * its campaign's nearest boot (the one before it, else the one after it), or a machine
 * "unknown" of its own. @boots must be in order. 0 or -ENOMEM.
 */
int machines_settle(struct results *results);

#define MACHINE_UNKNOWN SIZE_MAX /* boot->machine until machines_settle */

#endif
