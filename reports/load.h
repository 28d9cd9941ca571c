/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_LOAD_H
#define REPORTS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/metric.h"
#include "reports/arena.h"

struct json_object;
struct sequential_plan;

/*
 * Boots' results as the statistics want them: variant x boot x section x metric.
 * Everything hangs on one arena. The documents are checked while they are read
 * (format, version, types, ranges, sums); whatever is wrong is one sentence.
 */
#define RESULT_MAX_BYTES \
	(UINT64_C(64) << 20)   /* one document; a boot with 1,000 sections has about 4 MiB */
#define RESULT_MAX_DEPTH    24 /* the formats need 9 */
#define RESULT_MAX_COUNT    9007199254740992.0 /* 2^53: beyond it a double skips numbers */
#define RESULT_MAX_NUMBER   1e60 /* either way: squares of squares of figures are still numbers */
#define RESULT_MAX_SECTIONS 4096
#define RESULT_MAX_METRICS  1024 /* in one section */

/* What one boot says of one metric; only p50 to value are what the test sees. */
enum statistic {
	STATISTIC_P50,
	STATISTIC_P90,
	STATISTIC_P99,
	STATISTIC_P99_9,
	STATISTIC_MAX,
	STATISTIC_VALUE, /* of a scalar or a counter */
	STATISTICS,
};

enum boot_end {
	BOOT_END_OK,
	BOOT_END_FAILED,
	BOOT_END_PANICKED,
	BOOT_END_NO_PROGRESS,
	BOOT_END_DIED,
};

struct bucket {
	uint32_t index;
	uint64_t count;
};

/* A sparse log-linear histogram (measure/histogram.h) of any resolution. */
struct sparse_histogram {
	uint32_t bits;
	uint64_t underflow, overflow;
	size_t n_buckets;
	const struct bucket *buckets; /* in rising order */
};

struct metric_info {
	const char *name, *unit;
	enum metric_kind kind;
	enum metric_direction direction;
	enum metric_role role;
};

struct measurement {
	bool present;
	enum outcome outcome;
	const char *reason;	      /* NULL when the outcome is OUTCOME_OK */
	uint64_t samples;	      /* of a distribution */
	double min;		      /* of a distribution; NaN without samples */
	double statistic[STATISTICS]; /* NaN where the boot has none */
	uint64_t violations, exposure;
	struct sparse_histogram histogram;
};

struct evidence {
	const char *name, *text; /* text may be NULL */
	bool held;
	uint64_t observed, expected;
};

/* Where a section's roles were. */
enum place {
	PLACE_OWNER_CPU,
	PLACE_DONOR_CPU,
	PLACE_OBSERVER_CPU,
	PLACE_OWNER_NODE,
	PLACE_DONOR_NODE,
	PLACE_DISTANCE,
	PLACES,
};

struct section_info {
	const char *id, *workload;
	const char *params; /* "donor=fifo owner=nice": of the first boot that has it */
	const char *placement, *placement_kind;
	/* By enum place: CPUs, nodes and their distance; below 0: not said, or not alike in all
	 * boots. */
	long where[PLACES];
	struct metric_info *metrics;
	size_t n_metrics;
};

struct section_result {
	bool present;
	enum outcome outcome;
	const char *reason;
	const char *params;		  /* as this boot had them */
	struct measurement *measurements; /* by the section's metrics; a metric added later may be
					     beyond the end */
	size_t n_measurements;
	struct evidence *evidence;
	size_t n_evidence;
};

/* A label, and what makes it the same thing in another campaign. */
struct variant_info {
	const char *label;	 /* as shown: unique; where two share a label "proxy@7.3.4", or
				    "proxy@CAMPAIGN" where the release does not tell them apart */
	const char *plain_label; /* as in the documents */
	const char *arguments;
	const char *base;	  /* the release that the patches are for; NULL: not said */
	const char *patches;	  /* "NAME (HASH), NAME (HASH)"; NULL: none */
	const char *image_sha256; /* NULL: none known */
	const char *kernel;	  /* release and version; NULL until a boot told it */
	const char *release;	  /* the release alone: "7.2.13"; NULL as above */
};

/* One machine, or one shape of guest: reports/machine.h says what makes it the same. */
struct machine_info {
	const char *name;      /* short and unique among these results: "numa-box-3", "vm 2x2x2" */
	const char *long_name; /* what tells it from another of the same short name */
	const char *key;       /* equal for boots of the same machine, in other results, too */
	const char *cpu_model; /* NULL: not known */
	uint64_t cpus, nodes;  /* 0: not known */
};

struct campaign_info {
	const char *id;
	const char *directory; /* NULL when single files were given */
	bool has_seed;
	uint64_t seed;
	const char *pairing;			  /* "rounds", "independent" or NULL */
	struct json_object *document;		  /* campaign.json; may be NULL */
	const struct sequential_plan *sequential; /* reports/sequential.h; NULL: all boots were
						     planned at once */
};

/* A JSON object as texts: parsed when somebody asks, shared by the boots that say the same. */
struct text_entry;
struct boot_member {
	const char *key;
	struct text_entry *value;
};
struct boot_object {
	struct json_object *object; /* NULL until it was asked for */
	size_t n_members;
	struct boot_member members[];
};

struct boot {
	const char *path;
	size_t campaign, variant, machine;
	uint64_t index, round, attempt, seed;
	enum boot_end end;
	const char *reason;
	const char *started; /* may be NULL */
	struct section_result
		*sections; /* by results->sections; one added later may be beyond the end */
	size_t n_sections;
	bool is_health_known, is_clean;
	struct boot_object *environment, *health; /* ask boot_environment(), boot_health() */
};

struct results {
	struct arena arena;
	const char *target, *time; /* of all boots: they are never mixed */
	struct campaign_info *campaigns;
	size_t n_campaigns;
	struct variant_info *variants;
	size_t n_variants;
	struct machine_info *machines; /* in the order of their first boots */
	size_t n_machines;
	struct section_info *sections;
	size_t n_sections;
	struct boot *boots; /* by campaign and index */
	size_t n_boots;
	size_t n_replays; /* boots in virtual time that repeat another one, and were left out */
	size_t n_divided; /* sections whose id others have too, with other parameters */
	const char *selection; /* the options that left something out: results_select; NULL: all */
	char error[640];
};

/*
 * Reads files and folders (a folder: its boot-*.json and campaign.json). 0; or
 * -EINVAL (not what it should be), -ENOENT (a campaign's folder without a boot yet),
 * another negative errno (cannot be read), with one sentence in results->error.
 * results_release is due in every case.
 */
int results_load(struct results *results, const char *const *paths, size_t n_paths);

/* The same, with what is asked for: what nobody looks at is checked and not kept. */
enum result_parts {
	RESULT_FIGURES = 0,    /* histograms have n_buckets 0 and no buckets */
	RESULT_HISTOGRAMS = 1, /* their buckets as well */
};
int results_load_parts(struct results *results, const char *const *paths, size_t n_paths,
		       enum result_parts parts);
void results_release(struct results *results);

/*
 * One document of that @format ("proxeval-boot"), read within the same limits, for readers that
 * need all of it. The caller puts it. 0, or -EINVAL with a sentence in @error.
 */
int document_load(const char *path, const char *format, struct json_object **out, char *error,
		  size_t error_size);
/* The same for one boot's. */
int boot_document_load(const char *path, struct json_object **out, char *error, size_t error_size);

/* NULL when the boot does not have it. */
const struct section_result *boot_section(const struct boot *boot, size_t section);
const struct measurement *boot_measurement(const struct boot *boot, size_t section, size_t metric);

/*
 * The objects "environment" and "health" of the boot's document; never NULL. Borrowed:
 * valid until results_release. Not for two threads at a time.
 */
struct json_object *boot_environment(const struct boot *boot);
struct json_object *boot_health(const struct boot *boot);

/* The inclusive lower edge and the width of bucket @index. */
uint64_t bucket_lower_edge(uint32_t bits, uint32_t index);
uint64_t bucket_width(uint32_t bits, uint32_t index);

/* The words that the documents use. */
const char *statistic_word(enum statistic statistic);
const char *boot_end_word(enum boot_end end);

/* A string below nested keys of an object ("kernel", "release", NULL); NULL when it is not there.
 */
const char *json_text_at(struct json_object *object, const char *const *keys);

#endif
