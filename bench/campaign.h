/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CAMPAIGN_H
#define BENCH_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/target.h"

struct json_object;

/*
 * The plan: variants × boots × workloads × placements, in an order drawn from a
 * seed, written down (campaign.json) before anything runs and journalled
 * (journal.jsonl) while it does. doc/internals.md has the files.
 */
enum time_kind {
	TIME_REAL,
	TIME_VIRTUAL,
};

struct campaign_boot {
	unsigned int index;   /* 0…: the order in which they run */
	unsigned int round;   /* pairs variants: each round boots every variant once */
	unsigned int variant; /* index into variants */
	uint64_t seed;
	unsigned int attempt; /* the next one: how many were used up */
	bool done;	      /* its result file is there and valid */
	bool running;
};

struct sequential_plan;

struct campaign {
	char *id;	 /* the results folder's name */
	char *directory; /* results/<id> */
	enum time_kind time;
	const struct target *target;
	uint64_t seed;
	struct variant *variants; /* their strings belong to document */
	size_t n_variants;
	struct campaign_boot *boots;
	size_t n_boots;
	struct sequential_plan *sequential; /* NULL: all boots are run, whatever they show */
	unsigned int conclusive_boots; /* of each variant, that were enough; 0: not known yet */
	const char *topology; /* "2x2x2": nodes x cores x threads, or nodes x dies x cores x
				 threads; NULL: what the target has */
	unsigned int memory_mib;
	struct json_object *work; /* the plan's "work" array: workloads, parameters, placements */
	struct json_object *document; /* campaign.json as it stands on disk */
	unsigned int watchdog_s;
	const char *guest_path; /* what guests run, packed before (bench/guest_files.h); NULL: it
				   is packed now */
	void *target_state;	/* the target's own, from its open to its close */
	int lock_fd;		/* the folder, locked while this process works on it */
	int journal_fd;
};

/* What a campaign is made from. All strings and the work array are borrowed. */
struct campaign_request {
	const char *results; /* the folder that the campaign's own is made in */
	const char *id;	     /* its name; NULL: one that is drawn */
	const struct target *target;
	enum time_kind time;
	uint64_t seed;
	const struct variant *variants;
	size_t n_variants;
	unsigned int boots; /* per variant; at most, where @sequential is set */
	const struct sequential_plan *sequential; /* when to look whether so many are needed; may be
						     NULL */
	const char *topology;
	unsigned int memory_mib;
	const char *profile;
	unsigned int watchdog_s;
	struct json_object *work;
};

/* Seeds stay where every reader of JSON is exact. */
#define CAMPAIGN_MAX_SEED  UINT32_MAX
#define CAMPAIGN_MAX_BOOTS 1000u /* of one variant */
#define CAMPAIGN_MAX_ID	   100	 /* characters of a name that is given */

/*
 * Draws the order of n_variants × rounds boots into @boots (that many elements). Rounds
 * come in pairs: the first of a pair has an order drawn from @seed, the second has it
 * mirrored (ABBA), so that a drift of the machine falls on all variants alike. In real
 * time a round's boots share one seed, so that they see the same arrivals; in virtual
 * time every boot has its own, because there each is one draw of its own.
 */
void campaign_draw_order(uint64_t seed, enum time_kind time, unsigned int n_variants,
			 unsigned int rounds, struct campaign_boot *boots);

/* The seed that the attempt @attempt of a boot really runs with; the boot's own for 0. */
uint64_t campaign_attempt_seed(uint64_t boot_seed, unsigned int attempt);

/* The metronome's period that a seed draws for virtual time, in ns; 0 in real time. */
uint64_t campaign_metronome_period_ns(enum time_kind time, uint64_t seed);

/*
 * Makes a folder of a new name below request->results, writes campaign.json and opens the
 * journal. The name is the time (UTC), the seed and four hex digits of chance, so that
 * campaigns in different folders have different names, too. The folder appears whole: cut
 * short at any point, at most a hidden ".<id>.new" is left, which nothing reads.
 * 0 and the campaign, which the caller frees; or a negative errno with its message printed.
 */
int campaign_create(const struct campaign_request *request, struct campaign **campaign);

/*
 * Reads @directory/campaign.json and its journal to go on: boots whose result is there
 * and valid are done. 0; -EINVAL with one sentence printed when it is no campaign, or an
 * image is not what it was; -EBUSY, message printed, when another process works on it.
 */
int campaign_load(struct campaign **campaign, const char *directory);
void campaign_free(struct campaign *campaign);

/* How many results the campaign comes to, early stops considered. */
size_t campaign_planned(const struct campaign *campaign);

/*
 * Runs what is not done yet, and where the plan has looks stops at the first that finds all
 * decided; 0, or a negative errno with its message printed. -EINTR
 * after a stop: no guest is left, and what had finished is on disk.
 */
int campaign_run(struct campaign *campaign);

/*
 * How many boots are not done. Those that an early stop made unnecessary do not count; as long
 * as there was none, all boots up to the last look do.
 */
size_t campaign_missing(const struct campaign *campaign);

/* The plan for one attempt of one boot (doc/internals.md). The caller frees it; NULL: no memory. */
struct json_object *campaign_plan(const struct campaign *campaign,
				  const struct campaign_boot *boot);

/*
 * The result document of a boot from what the target answered. The caller frees it; NULL:
 * no memory. @started: when it began, as "2026-11-22T18:15:03Z".
 */
struct json_object *campaign_result(const struct campaign *campaign,
				    const struct campaign_boot *boot,
				    const struct boot_answer *answer, const char *started);

/* "boot-0003-not-proxy" of the boot; a label's characters that a file name should not have are
 * replaced. */
char *campaign_boot_name(const struct campaign *campaign, const struct campaign_boot *boot);

/* The documents' words: never NULL, never freed. */
const char *boot_outcome_name(enum boot_outcome outcome);
const char *time_kind_name(enum time_kind time);

/* The target of that name ("vm", "host"); NULL when there is none. */
const struct target *target_find(const char *name);

#endif
