/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_PROOF_H
#define BENCH_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct campaign_file;
struct run_values;
struct string_list;

/*
 * What each patch of the series is good for, shown by leaving it out (`run --profile proof`): the
 * same work under the same seeds on the whole series and on the series without it. Its folder:
 *
 *   proof.json   format proxeval-proof: every row so far; written anew after each
 *   proof.md     the same for people (reports/proof_page.h)
 *   K3-1/        the campaign, or the explorations, behind the first step of K3
 */

/* ---- the table: proof_rows.c ---- */

enum proof_kind {
	PROOF_FIGURE, /* a campaign of both kernels: one metric of one workload */
	PROOF_STRESS, /* an exploration (bench/explore.h) of both */
	PROOF_NEED,   /* another patch of the series does not go without it */
};

enum proof_rule {
	PROOF_WORSE,	 /* every boot without it is so many times worse than every boot with it */
	PROOF_VIOLATION, /* must be zero: it is with it, and is not without it */
	PROOF_SAME,	 /* nothing may differ: what is done with it is done without it */
};

/* The work itself is the proof profile's (workloads/profiles.h). */
struct proof_figure {
	const char *workload, *topology;
	const char *metric; /* lower is better, or zero; of a distribution the median */
	enum proof_rule rule;
	double factor;		 /* of PROOF_WORSE, and how far apart PROOF_SAME lets two be */
	const char *const *also; /* metrics that are told as well; NULL-terminated; may be NULL */
};

struct proof_stress {
	const char *const *only; /* mechanisms; NULL-terminated; NULL: all */
	unsigned int seeds;	 /* at most, from the first one on */
	unsigned int duration_s; /* of each */
	/* What a report that counts has in it; NULL-terminated; NULL: any does. */
	const char *const *expected;
};

/* One attempt to show it: the first that does is enough. */
struct proof_step {
	enum proof_kind kind;
	const char *const *without;	 /* tags; NULL-terminated; NULL: the row's own */
	const char *const *both_without; /* left out on both sides; NULL: nothing is */
	const char *series; /* "series-checks": another one below kernel-patches/ for both sides */
	const char *aid;    /* what that adds, in one line */
	struct proof_figure figure;
	struct proof_stress stress;
};

#define PROOF_MAX_STEPS 3u

struct proof_row {
	const char *tag;   /* of the series file; "K1+K2": both at once */
	const char *claim; /* what goes wrong without it, in one line */
	struct proof_step steps[PROOF_MAX_STEPS];
	size_t n_steps;
	const char *argument; /* by reading, why nothing need show; NULL: something has to */
};

#define PROOF_JSON_NAME "proof.json"
#define PROOF_PAGE_NAME "proof.md"

extern const struct proof_row proof_rows[];
extern const size_t proof_rows_count;

/* The row of that tag, in either case; NULL: there is none. */
const struct proof_row *proof_row_find(const char *tag);

/* ---- what the boots say: proof_judge.c, which boots nothing ---- */

enum proof_verdict {
	PROOF_SHOWN,
	PROOF_NOT_SHOWN,
	PROOF_NOT_CLEAN, /* the whole series does what it may not */
	PROOF_BROKEN,	 /* nobody can say: it was not measured */
};

/* One kernel's boots. */
struct proof_side {
	const double *values; /* of the boots that have the figure */
	size_t n_values, n_boots;
	size_t n_unhealthy;	/* whose kernel complained or crashed */
	const char *first_word; /* what the first of these said; NULL: none did */
};

struct proof_judgement {
	enum proof_verdict verdict;
	double ratio;	    /* median without it over median with it; NaN: there is none */
	double ratio_least; /* the best boot without it over the worst with it */
	char reason[512];   /* one sentence */
};

/* @full: the whole series; @without: without the patch. A metric where lower is better. */
void proof_judge_figure(const struct proof_figure *figure, const struct proof_side *full,
			const struct proof_side *without, struct proof_judgement *judgement);

/* What an exploration came to. */
struct proof_search {
	uint64_t n_tried, duration_ns; /* seeds of the kernel without it */
	bool is_found;		       /* a signature that was looked for */
	uint64_t seed, at_ns;
	const char *kind, *text; /* of the find, and the line that told it */
	uint64_t n_others;	 /* seeds that showed something else */
	bool is_again;		 /* the seed alone, once more: the same, at the same moment */
	uint64_t n_full_tried, n_full_found;
	const char *full_text; /* the first of those; NULL: none */
};

void proof_judge_stress(const struct proof_search *search, struct proof_judgement *judgement);

/*
 * Whether a report that begins at @at of the console @log has one of @expected in it, or in the few
 * lines before; @line becomes the first line that has, without its time. NULL takes everything.
 */
bool proof_find_sign(const char *log, size_t at, const char *const *expected, char *line,
		     size_t line_size);

/* The whole row's from its steps': the worst where one says that something is wrong, else the best.
 */
enum proof_verdict proof_row_verdict(const enum proof_verdict *steps, size_t n_steps);

/* "shown", "not-shown" …: what proof.json has. "argued": not shown, and the row has an argument. */
const char *proof_verdict_word(enum proof_verdict verdict, bool has_argument);

/* The exit code of a document of rows (bench/exit_codes.h). */
int proof_exit_code(struct json_object *document);

/* ---- making it: proof_order.c, proof.c, proof_figure.c, proof_stress.c ---- */

struct proof {
	const char *base, *tree; /* the kernels' sources: as in struct kernel_request */
	uint64_t seed;
	unsigned int boots; /* of each kernel in a figure; 0: the profile's */
	unsigned int watchdog_s;
	char *directory;	      /* results/<id> */
	struct json_object *document; /* proof.json */
};

/* The kernels of one step. */
struct proof_kernels {
	const char *full, *without; /* images */
	const char *label;	    /* "without-K3" */
	const char *results;	    /* the step's own folder, which is not there yet */
};

/*
 * Does the step: fills @out, its object in proof.json, and says its verdict. 0, or a negative errno
 * with its message printed: -EINTR after a stop.
 */
int proof_run_figure(const struct proof *proof, const struct proof_step *step,
		     const struct proof_kernels *kernels, struct json_object *out,
		     enum proof_verdict *verdict);
int proof_run_stress(const struct proof *proof, const struct proof_step *step,
		     const struct proof_kernels *kernels, struct json_object *out,
		     enum proof_verdict *verdict);

/* Whether both kernels of every step of the row can be made: 0, or as kernel_check_request(). */
int proof_check_kernels(const struct proof *proof, const struct proof_row *row);

/* Writes proof.json and proof.md as they stand. 0, or a negative errno with its message printed. */
int proof_write(const struct proof *proof);

/* Does the rows that are missing, and says what came of all. An exit code. */
int proof_conclude(struct proof *proof, bool as_json);

/* A string of the document, NULL: null; and the one at @key, NULL where there is none. */
void proof_add_text(struct json_object *object, const char *key, const char *value);
const char *proof_text(struct json_object *object, const char *key);

/* Adds "verdict" and "reason" to the step's object. */
void proof_add_judgement(struct json_object *step, const struct proof_judgement *judgement);

/*
 * `run --profile proof`: the rows named in @tags, or all. And `resume`: whether there is such a
 * folder, and going on with it. Exit codes.
 */
int proof_command(const struct run_values *values, const struct string_list *tags,
		  const struct campaign_file *file);
bool proof_is_folder(const char *directory);
int proof_resume(const char *directory, bool as_json);

#endif
