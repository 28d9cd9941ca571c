/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_CALIBRATION_H
#define REPORTS_CALIBRATION_H

#include "reports/buffer.h"
#include "reports/verdict.h"

struct json_object;

/*
 * What the boots of one kernel on one machine say of the method itself: how often the
 * verdict code calls that kernel different from itself there, how much boots differ among
 * themselves, and how small an effect so many boots can see. doc/method.md, "Calibration".
 */
#define CALIBRATION_DRAWS      1000u /* campaigns that are re-enacted */
#define CALIBRATION_REPLICATES 200u  /* planted effects for each number of boots */
#define CALIBRATION_POWERS     2u    /* 80 % and 95 % */
#define CALIBRATION_SIZES      5u    /* of 3, 6, 8, 10 and 20 boots of each variant */
#define CALIBRATION_MAX_GROUP  12u   /* boots of each variant in a re-enacted campaign, at most */
#define CALIBRATION_CONFIDENCE 0.95

extern const size_t calibration_sizes[CALIBRATION_SIZES];
extern const double calibration_powers[CALIBRATION_POWERS];

struct calibration_options {
	const char *label;  /* whose boots, as in the documents; NULL: the baseline's that compare
			       would take */
	size_t group_boots; /* of each variant in a re-enacted campaign; 0: half of the boots. Never
			       more than that, nor than CALIBRATION_MAX_GROUP */
	unsigned int draws; /* 0: CALIBRATION_DRAWS */
	/*
	 * Draws the variants, 0 or 1, of a campaign of @rounds rounds in the order in which they
	 * boot into 2 * @rounds elements, as `run` would from @seed. Required.
	 */
	void (*draw_order)(uint64_t seed, unsigned int rounds, unsigned int *variants);
};

/* One primary metric by its main statistic. */
struct calibration_metric {
	size_t section, metric; /* indices into results */
	enum statistic statistic;
	size_t n_boots;
	double centre;
	bool is_log;
	double spread; /* SD of the logarithms between boots; NaN where a figure is not positive */
	/* The smallest true change (0.05: 5 %) that so many boots of each variant call different
	 * with that power; INFINITY where none would do; NaN where it cannot be said. */
	double effects[CALIBRATION_SIZES][CALIBRATION_POWERS];
	double drift_rank; /* Spearman's correlation with the order of the boots; NaN: too few */
	double drift_p, drift; /* its p; the change from the first boot to the last, 0.05: 5 % */
};

struct calibration {
	const struct results *results;
	struct arena arena;
	const char *label;
	size_t n_boots, n_ok, n_unclean; /* all boots of it; those that ended well are the next */
	size_t *boots;			 /* indices into results, in the order they ran */
	bool is_paired;
	size_t tests; /* primary tests of a comparison */
	double alpha, margin;
	/* The variants as they were booted, A against A: 0 tests where there was one variant only.
	 */
	size_t plain_tests, plain_equivalent, plain_false;
	/* The campaigns that were re-enacted. */
	size_t group_boots;
	unsigned int draws, false_draws; /* of these, with any false verdict */
	double equivalent_share; /* of their primary tests: what could be shown to be the same */
	double rate, rate_low, rate_high; /* of a false verdict, on exactly these boots */
	double independent;		  /* so many independent campaigns would tell as much */
	double machine_low, machine_high; /* the rate on this machine, as far as that many tell */
	struct calibration_metric *metrics;
	size_t n_metrics;
	const char **headline; /* whole sentences */
	size_t n_headline;
	int exit_code; /* bench/exit_codes.h: EXIT_FINE, EXIT_REGRESSION: more false verdicts than
			  stated; EXIT_INCONCLUSIVE: too few boots; EXIT_CANNOT: no primary metric
			*/
	char error[256];
};

/*
 * 0; -EINVAL with a sentence in calibration->error (no such label, boots of several
 * machines); -ENOMEM. @results must outlive it. calibration_release is due in every case.
 */
int calibration_make(struct calibration *calibration, const struct results *results,
		     const struct calibration_options *options);
void calibration_release(struct calibration *calibration);

/*
 * The parts of it: the metrics with spread, effects and drift, of @view: the boots in the order
 * they ran, all of its variant 0; then sentences and exit code. 0 or -ENOMEM.
 */
int calibration_measure(struct calibration *calibration, const struct results *view);
int calibration_conclude(struct calibration *calibration);

/* Clopper and Pearson's interval for @hits of @n (need not be whole). */
void binomial_interval(double hits, double n, double confidence, double *low, double *high);

/* Plain ASCII, at most 75 columns. */
void calibration_write(struct buffer *out, const struct calibration *calibration);

/* The proxeval-calibration document; NULL: no memory. The caller puts it. */
struct json_object *calibration_to_json(const struct calibration *calibration);

#endif
