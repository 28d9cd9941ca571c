/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_PROFILES_H
#define WORKLOADS_PROFILES_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/*
 * A profile says which work a campaign does, with which parameters, and how often it
 * boots each variant, unless the user says otherwise.
 */

/* "quick", "standard", "thorough", "soak", "proof"; NULL-terminated, for --profile's choices. */
extern const char *const profile_names[];

/* What the profile is for, in one line; NULL when there is none of that name. */
const char *profile_summary(const char *profile);

/* Whether it is no work of a campaign's, but that of bench/proof.h: one item for each workload. */
bool profile_is_proof(const char *profile);

/* Boots of each variant; 0 when there is no such profile. */
unsigned int profile_boots(const char *profile);

/*
 * The "work" array of a plan (doc/internals.md), which the caller owns: only of the
 * workloads that @only names (n_only 0: all that the profile has). A workload named that the
 * profile does not have is added with its standard parameters in all placements. An item may also
 * have "sweeps", {NAME: VALUES} as --sweep takes them. NULL when there is no such profile or
 * workload.
 */
struct json_object *profile_work(const char *profile, const char *const *only, size_t n_only);

#endif
