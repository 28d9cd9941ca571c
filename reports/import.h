/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_IMPORT_H
#define REPORTS_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/files.h"
#include "measure/metric.h"
#include "reports/arena.h"

struct json_object;

/*
 * Other tools' output as boots of a campaign whose target is "import". One file is one
 * boot. The text is nobody's friend: everything is bounded and checked, and whatever is wrong
 * is one sentence with the file and the line. doc/internals.md has what becomes of what.
 */
#define IMPORT_MAX_BYTES   (UINT64_C(64) << 20) /* 64 threads x 100,000 rows of cyclictest's text */
#define IMPORT_MAX_THREADS 1024
#define IMPORT_TARGET	   "import"

/* What a tool's output does not say, or not always. */
struct import_samples;
struct import_hints {
	/* Called for each thread of cyclictest's, in their order, before the thread's section is
	 * made; its bins are in rising order and live as long as what was imported. May be NULL. */
	void (*on_thread)(void *context, const struct import_samples *samples);
	void *context;
	bool is_in_ns; /* cyclictest's text is of `cyclictest -N` */
};

/* What one file came to. */
struct imported {
	char sha256[SHA256_HEX_SIZE];	 /* of the text */
	struct json_object *sections;	 /* an array, as in a boot's document */
	struct json_object *environment; /* an object, likewise */
	const char *kernel;		 /* the release; NULL: the file does not say */
	char started[24]; /* "2026-11-22T18:15:03Z"; "" where the file does not say */
	double wall_s;	  /* NaN likewise */
	char error[640];
	struct arena arena; /* what the strings hang on */
};

struct importing;

struct importer {
	const char *name;
	int (*parse)(struct importing *in); /* 0 or what import_fail gave */
};

extern const struct importer import_cyclictest;
extern const struct importer import_hackbench;
extern const struct importer import_schbench;

/* All of them; NULL-terminated. */
extern const struct importer *const importers[];
const struct importer *importer_find(const char *name);

/*
 * Reads @size_bytes of @text, which @path only names. 0; -EINVAL with a sentence in
 * out->error; -ENOMEM likewise. imported_release is due in every case.
 */
int import_text(const struct importer *importer, const char *path, const char *text,
		size_t size_bytes, const struct import_hints *hints, struct imported *out);
/* The same for a file, which is looked at before it is read: size, kind. */
int import_file(const struct importer *importer, const char *path, const struct import_hints *hints,
		struct imported *out);
void imported_release(struct imported *imported);

/* --- for the importers --- */

/* One file while it is read. */
struct importing {
	const char *path;
	const struct import_hints *hints;
	char *text; /* a copy to cut up; a NUL follows it */
	size_t size_bytes;
	char *next;  /* where the next line begins; NULL after the last */
	size_t line; /* the number of the line that import_line gave; 0: the file as a whole */
	struct imported *out;
};

/* Notes what is wrong, with the file and the line; returns -EINVAL. */
int import_fail(struct importing *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for a lack of memory; returns -ENOMEM. */
int import_no_memory(struct importing *in);

/* The next line without its end; NULL after the last. It may be cut up further. */
char *import_line(struct importing *in);
/* Whether the text is a JSON object, by its first character. */
bool import_is_json(const struct importing *in);
/* Parses it; NULL after a failure. The caller puts it. */
struct json_object *import_json(struct importing *in);

/* A whole number at *@at, blanks before it skipped; *@at is then behind it. False: there is none
 * up to 2^53. */
bool import_count(const char **at, uint64_t *out);

/* So many samples of one value. */
struct import_bin {
	uint64_t value_ns, count;
};

/* A distribution as a tool has it: bins, and samples beyond the last of them. */
struct import_samples {
	struct import_bin *bins; /* may be sorted and merged */
	size_t n_bins;
	uint64_t overflow;
	uint64_t min_ns, max_ns; /* of all samples, the overflow included */
	double mean_ns;
};

struct import_figure {
	enum metric_kind kind;
	double value;			      /* of a scalar or a counter */
	const struct import_samples *samples; /* of a distribution */
	const char *broken;		      /* why it says nothing; NULL: it does */
};

struct import_metric {
	struct metric_spec spec;
	struct import_figure figure;
};

/* Metrics that are collected for one section. */
struct import_metrics {
	struct import_metric *items;
	size_t count;
};

/* 0 or -ENOMEM, noted. @name and @unit must outlive the section's making. */
int import_add_metric(struct importing *in, struct import_metrics *metrics, const char *name,
		      const char *unit, enum metric_direction direction, enum metric_role role,
		      struct import_figure figure);

/* A section to be: NULL where there is nothing to say. */
struct import_section {
	const char *workload, *placement;
	const char *params; /* "bytes=100,fds=40": sorted by name, "" without any */
	int cpu, node;	    /* -1: not known */
	const char *failed; /* why the whole section says nothing */
	struct import_metrics metrics;
};

/* Appends it to what was imported. 0 or -ENOMEM, noted. */
int import_add_section(struct importing *in, const struct import_section *section);

/* Sets a string below "environment": a group ("kernel") and a key, or a key alone (@group NULL).
 * NULL sets nothing. */
void import_add_environment(struct importing *in, const char *group, const char *key,
			    const char *text);

#endif
