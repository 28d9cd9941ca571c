/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_VERDICT_H
#define REPORTS_VERDICT_H

#include "reports/load.h"
#include "reports/statistics.h"

/*
 * From boots to verdicts: every variant against one baseline, metric by metric.
 * doc/method.md has the reasons; the figures below are the defaults it states.
 */
#define VERDICT_ALPHA	   0.05
#define VERDICT_CONFIDENCE 0.95
#define VERDICT_MARGIN	   0.05 /* "equivalent": within +-5 % (a ratio from 1/1.05 to 1.05) */
#define VERDICT_CONTROL_MARGIN \
	0.25 /* a control "agrees" within +-25 %: the effects sought are several times that */

enum verdict {
	VERDICT_BETTER,
	VERDICT_WORSE,
	VERDICT_EQUIVALENT,
	VERDICT_INCONCLUSIVE,
	VERDICT_NOT_MEASURED, /* no boot of one side has it: more boots would not change that */
	VERDICT_NOT_JUDGED,   /* informative, or a maximum */
	VERDICT_AGREE,	      /* controls */
	VERDICT_DISAGREE,
	VERDICT_UNCLEAR,
	VERDICT_HELD, /* invariants */
	VERDICT_VIOLATED,
	VERDICT_UNTESTED,
};

enum test_kind {
	TEST_NONE, /* too few boots for any */
	TEST_PAIRED,
	TEST_INDEPENDENT,
};

enum family {
	FAMILY_PRIMARY,	  /* Holm */
	FAMILY_SECONDARY, /* Benjamini-Hochberg */
	FAMILY_CONTROL,	  /* Holm, among the controls */
	FAMILY_NONE,
	FAMILIES,
};

/* What one variant's boots say of one statistic of one metric. */
struct group {
	size_t n_boots;
	double *values;	 /* one per boot, in the order of results->boots */
	size_t *boots;	 /* which boots those are */
	size_t left_out; /* boots without a partner, where pairs are compared */
	size_t apart;	 /* boots left out: on a machine or with parameters of one side alone */
	uint64_t samples;
	double centre; /* geometric mean, or the mean where a value is not positive; NaN: no boot */
};

/* Whether machines agree on a difference. */
struct heterogeneity {
	double q; /* Cochran's; NaN: fewer than two machines, or one without a spread */
	double p; /* that so much is chance: Welch's test, as standard errors are estimates */
	double i_squared; /* the share of the spread of machines that is not chance; 0 to 1 */
	double ratio_least, ratio_most; /* of one machine; NaN where there are no ratios */
};

struct comparison {
	size_t section, metric, variant; /* indices into results */
	size_t against;			 /* the variant it is compared with: see variant_baseline */
	size_t machine;	   /* ALL_MACHINES together, or one of them: analysis->by_machine */
	size_t n_machines; /* that have boots of both */
	enum statistic statistic;
	enum family family;
	struct group baseline, other;
	bool is_log;	/* values were all positive: means and tests are on logarithms */
	size_t n_pairs; /* of TEST_PAIRED */
	double ratio, ratio_low, ratio_high; /* other / baseline; NaN where there is none */
	struct difference difference;	     /* on the scale of the test */
	double margin;			     /* on that scale */
	struct heterogeneity heterogeneity;
	/*
	 * Virtual time: boots with the same seed in both variants, and how many of those gave the
	 * same figure to the last digit. Where all did, that is equivalence in itself.
	 */
	size_t n_same_seed, n_identical;
	enum test_kind test;
	struct permutation permutation; /* p is NaN with TEST_NONE */
	double p_adjusted, p_equivalence, p_equivalence_adjusted;
	enum verdict verdict;
	size_t more_boots;  /* per variant (and machine), at least; 0 when there is a verdict,
			       SIZE_MAX: no number  would do */
	const char *reason; /* one sentence; may be NULL */
};

#define ALL_MACHINES SIZE_MAX

struct invariant {
	size_t section, metric, variant;
	size_t n_boots;
	uint64_t violations, exposure;
	/* No more than this share of tries would violate it, with 95 %: the rule of three,
	 * 3 / exposure. NaN where something was seen, or nothing tried. */
	double rate_upper;
	enum verdict verdict;
};

/*
 * How high a distribution may reach in ten times what was tried: reports/tail.h. Every
 * distribution where lower is better has one per variant; maxima are shown with it and not judged.
 */
struct tail {
	size_t section, metric, variant;
	size_t n_boots;
	uint64_t samples; /* the exposure: of all boots */
	double max;	  /* of all boots; NaN without a sample */
	bool is_given;	  /* the level below is; else @reason says why not */
	const char *reason;
	uint64_t horizon_samples; /* once in so many samples, ten times the exposure, */
	double level, level_low,
		level_high;   /* this is expected to be exceeded; with its interval */
	double threshold;     /* above it the tail was fitted; NaN: no fit was tried */
	uint64_t exceedances; /* so many samples are at or above it */
	double shape, scale;  /* of the generalised Pareto distribution */
	double fit_p;	      /* that the fit is right, by chi^2 */
	double rate_trend_p, excess_trend_p; /* that nothing changed over the boots */
	double dispersion; /* how much more the boots differ than chance makes them; 1: not */
};

/* One piece of evidence over all boots of a variant. */
struct evidence_sum {
	const char *name, *text;
	size_t variant;
	uint64_t sections, held, observed, expected;
};

struct variant_sum {
	size_t boots, ok, crashed;	/* crashed: panicked, no progress, died or never came up */
	size_t clean, unclean, unknown; /* health */
	const char *
		*reports; /* different lines from the kernel's log, at most VARIANT_REPORTS_MAX */
	size_t n_reports;
	const struct boot
		*example; /* a boot that went well, for its environment; or any; or NULL */
};
#define VARIANT_REPORTS_MAX 20

/* Something that gave no figure, and why; boots with the same reason are counted together. */
struct unmeasured {
	size_t variant;
	size_t section, metric; /* SIZE_MAX: the whole boot, the whole section */
	const char *outcome, *reason;
	size_t boots;
};

/* One line of what was measured: "kernel", "7.2.13 #1 SMP". */
struct fact {
	const char *name, *text;
};

struct analysis_options {
	const char *baseline; /* a variant's label; NULL: "!proxy", else the campaign's first */
	double margin;	      /* 0: VERDICT_MARGIN */
	double alpha;	      /* 0: VERDICT_ALPHA; a look of a sequential plan has its own */
	unsigned int fail_on; /* what alone makes exit code 1 (reports/findings.h); 0: the usual */
};

struct analysis {
	const struct results *results;
	struct arena arena;
	size_t baseline; /* THE reference; what each variant is compared with: variant_baseline */
	double margin, control_margin;
	double alpha;	   /* of every test, before the correction for many */
	double confidence; /* of the intervals: 1 - alpha, at least VERDICT_CONFIDENCE */
	struct comparison *comparisons; /* by section, metric, statistic, variant */
	size_t n_comparisons;
	size_t tests[FAMILIES];
	/*
	 * With several machines: what each of them says of the primary metrics, by section, metric,
	 * variant and machine. A family of its own, with its own correction by Holm.
	 */
	struct comparison *by_machine;
	size_t n_by_machine;
	struct invariant *invariants;
	size_t n_invariants;
	struct tail *tails; /* by section, metric, variant */
	size_t n_tails;
	struct evidence_sum *evidence;
	size_t n_evidence;
	struct unmeasured *unmeasured;
	size_t n_unmeasured;
	struct variant_sum *variants; /* by results->variants */
	struct fact *facts;
	size_t n_facts;
	const char **headline; /* whole sentences, the first says the most */
	size_t n_headline;
	const char **warnings;
	size_t n_warnings;
	size_t n_loud; /* the first so many of them come before the headline: they qualify it */
	size_t n_missing_variants; /* that a campaign planned and no boot is of */
	unsigned int fail_on;	   /* as in the options */
	int exit_code;		   /* bench/exit_codes.h */
	char error[256];
};

/*
 * 0; -EINVAL with a sentence in analysis->error (no such baseline); -ENOMEM.
 * @results must outlive the analysis. analysis_release is due in every case.
 */
int analysis_make(struct analysis *analysis, const struct results *results,
		  const struct analysis_options *options);
void analysis_release(struct analysis *analysis);

/*
 * The comparisons and their verdicts alone: the first half of analysis_make, for those who only
 * ask how it stands (no tails, invariants, facts, sentences or exit code). Errors as above.
 */
int analysis_compare(struct analysis *analysis, const struct results *results,
		     const struct analysis_options *options);

const char *verdict_word(enum verdict verdict);

/*
 * The p value that goes with a verdict: of agreement for a control (each speaks for itself, so
 * uncorrected), of equivalence where that is the verdict, else of a difference; corrected.
 */
double shown_p(const struct comparison *comparison);
bool is_control_role(enum metric_role role);

/* The comparison of that statistic of that metric; NULL when there is none. */
const struct comparison *analysis_find(const struct analysis *analysis, size_t section,
				       const char *metric, enum statistic statistic,
				       size_t variant);

/*
 * What @variant is compared with. That is analysis->baseline, unless several variants share its
 * plain label (the same label in two images): then it is the one of them with @variant's image,
 * else with its kernel. Those baselines are themselves compared with analysis->baseline.
 */
size_t variant_baseline(const struct analysis *analysis, size_t variant);

/* p50 of a distribution, the value of anything else: what a metric is judged by. */
enum statistic main_statistic(enum metric_kind kind);

/* Figures of one variant over its boots; @out->values are the arena's. 0 or -ENOMEM. */
int group_collect(struct arena *arena, const struct results *results, size_t section, size_t metric,
		  enum statistic statistic, size_t variant, struct group *out);

#endif
