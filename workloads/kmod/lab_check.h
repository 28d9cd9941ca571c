/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CHECK_H
#define LAB_CHECK_H

#include "proxeval_lab.h"

/*
 * Whether a program may run: 0, or -EINVAL. It looks at nothing but @operations, so that the
 * suite's tests compile it, too.
 */
int lab_check(const struct lab_operation *operations, __u32 n);

#endif
