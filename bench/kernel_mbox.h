/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_KERNEL_MBOX_H
#define BENCH_KERNEL_MBOX_H

#include <stdbool.h>

/*
 * Makes a quilt series of the patches in the file @path, which holds mails in any of the
 * forms of bench/mail.h, or those compressed by gzip: covers and replies left out, the
 * newest version taken, ordered by the n of n/m. With @is_again what was made of the same
 * mails before is taken, without a word. *@series_path is a new string, in a
 * folder below paths_build("kernel/mbox"). 0, or a negative errno with its message printed:
 * -EINVAL when the file holds no series or not all of one.
 */
int mbox_to_series(const char *path, bool is_again, char **series_path);

#endif
