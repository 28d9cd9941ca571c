/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CAMPAIGN_H
#define BENCH_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/target.h"

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
	bool done;            /* its result file is there and valid */
};

struct campaign {
	char *id;        /* the results folder's name */
	char *directory; /* results/<id> */
	enum time_kind time;
	const struct target *target;
	uint64_t seed;
	struct variant *variants;
	size_t n_variants;
	struct campaign_boot *boots;
	size_t n_boots;
	char *topology;  /* "2x2x2": nodes x cores x threads, or nodes x dies x cores x threads */
	struct json_object *work; /* the plan's "work" array: workloads, parameters, placements */
	struct json_object *document; /* campaign.json as it stands on disk */
	unsigned int watchdog_s;
};

/* Runs what is not done yet; 0, or a negative errno. -EINTR after a stop. */
int campaign_run(struct campaign *campaign);

/* Reads results/<id>/campaign.json and its journal to go on. */
int campaign_load(struct campaign **campaign, const char *directory);
void campaign_free(struct campaign *campaign);

#endif
