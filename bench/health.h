/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_HEALTH_H
#define BENCH_HEALTH_H

#include <stdbool.h>

struct json_object;

/* The kernel's health around a measurement: its log, taint, stuck tasks, load accounting. */
struct health;

/*
 * Takes the state before. 0 or -ENOMEM. A log that this user may not read is no
 * error: the object says "log_readable": false then. The _at form reads below @root
 * ("" for this machine, a folder with recorded /proc, /sys and /dev/kmsg in tests).
 * @is_whole_boot: this boot is the measurement's own (a guest's), and answers for everything since
 * its beginning; else only for what comes from now on.
 */
int health_begin(struct health **health, bool is_whole_boot);
int health_begin_at(struct health **health, const char *root, bool is_whole_boot);

/*
 * Compares with the state now: the "health" object of a result, which the caller
 * owns. Frees @health; NULL gives NULL.
 *
 * "clean" is false after any of: a line of the kernel's log that is a warning, an oops,
 * or a lockdep, RCU, hung-task or sanitizer report, or log lines lost ("reports"); of a
 * whole boot a taint by an oops, a warning, a machine check, a bad page or a lockup that was
 * there before (in "reports" too); a new taint bit; a task that is stuck in uninterruptible sleep
 * and was not before
 * ("stuck_tasks"); and a sum of nr_uninterruptible over all runqueues that is no longer
 * the number of such tasks ("uninterruptible_leak", null where debugfs does not show it),
 * as every load average from then on would be wrong. What may be on its way out gets up
 * to a second to finish.
 */
struct json_object *health_end(struct health *health);

/*
 * How many more tasks the runqueues of the machine below root ("" for this one) count as
 * uninterruptible than sleep so: the sum of nr_uninterruptible, which is what the load average
 * counts besides the runnable tasks, less the tasks in state D. Not zero for good is a leak. The
 * two are not read at one moment, and tasks come and go meanwhile, so it is the median of ten looks
 * in 0.1 s. False when the kernel does not show the sum (to this user).
 */
bool health_excess_uninterruptible(const char *root, long long *median);

/*
 * Whether a line of the log is a kernel warning, oops or report (shared with the VM's log
 * reader). Takes the line as the console shows it, with or without "<4>" and "[    1.234567]".
 */
int health_is_report_line(const char *line);

#endif
