/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_REPORTS_H
#define REPORTS_REPORTS_H

#include <stdbool.h>
#include <stdio.h>

/*
 * What the driver may ask of the reports. All of it works from files alone: a
 * campaign's folder as doc/internals.md has it, on any machine, years later.
 */

/*
 * Loads the boots that @directory holds (all of a finished campaign, or those
 * that are there of one cut short), writes summary.json, report.txt, report.md and
 * index.html into it, and prints the table for people on @terminal, or with
 * @as_json the summary document instead. @terminal may be NULL: nothing is printed.
 * Colours are used only when @terminal is a terminal and NO_COLOR is unset.
 *
 * 0 with *@exit_code from the verdicts (bench/exit_codes.h): EXIT_FINE;
 * EXIT_REGRESSION when a primary metric got worse, an invariant was violated or
 * the kernel under test broke where its baseline did not; EXIT_INCONCLUSIVE when a
 * primary metric has no verdict or there is nothing to compare with;
 * EXIT_CANNOT when nothing could be measured; EXIT_BROKE when every boot broke.
 *
 * A negative errno after its one sentence was printed on stderr, with *@exit_code
 * EXIT_INVALID (a result is not what it should be: nothing is written) or
 * EXIT_BROKE (a report could not be written). *@exit_code is set in every case.
 */
int report_campaign(const char *directory, FILE *terminal, bool as_json, int *exit_code);

#endif
