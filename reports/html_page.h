/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_HTML_PAGE_H
#define REPORTS_HTML_PAGE_H

#include "reports/writers.h"

struct json_object;

/*
 * The page while it is written; for reports/html*.c alone. Every text from a document
 * goes through buffer_add_html or buffer_format_html. Nothing on the page runs, and
 * nothing is loaded: the links are relative, to the files behind the figures.
 */
struct page {
	struct buffer *out;
	const struct analysis *analysis;
	const struct results *results;
	const char **boot_links; /* by results->boots: as in a URL, relative to the page */
	struct arena arena;	 /* of what the page alone needs */
};

/* Beyond so many boots a figure leads to the list of all boots, not to each. */
#define PAGE_LINKS_MAX 64

/* ---- html_parts.c: what every part is made of ---- */

/* 0 or -ENOMEM; page_release is due in every case. @directory is where the page will lie. */
int page_init(struct page *page, struct buffer *out, const struct analysis *analysis,
	      const char *directory);
void page_release(struct page *page);

/* <NAME>TEXT</NAME>, escaped; NAME may carry attributes ("td class=\"n\""). */
void page_element(struct page *page, const char *name, const char *text);
void page_cell(struct page *page, const char *text);
void page_row_head(struct page *page, const char *text);
void page_number(struct page *page, const char *text);
void page_count(struct page *page, uint64_t count);

/*
 * A table in a box that scrolls by itself; @label says what it is. A head that begins with '>' is
 * over numbers; @heads ends with NULL, and with nothing else the table has no heads.
 */
#define PAGE_JSON_HEAD "figures" /* over cells that page_json_cell makes: not printed */
void page_open_table(struct page *page, const char *label, const char *const *heads);
void page_close_table(struct page *page);

/* What stands beside a verdict's word, for those who see no colours. */
const char *verdict_sign(enum verdict verdict);
/* A verdict as word and sign; with @count (0: without) before it. */
void page_chip(struct page *page, enum verdict verdict, size_t count);

/* The legend of the figures: line, mark and label of each variant. */
void page_key(struct page *page);

const char *page_label(const struct page *page, size_t variant);
const struct metric_info *page_metric(const struct page *page, const struct comparison *comparison);

/*
 * The files behind a figure, folded: the @count boots (of more than PAGE_LINKS_MAX @boots has the
 * first so many) whose index is in @boots, and where in summary.json
 * the same figure stands (@where, such as "comparisons[3]"; NULL: nowhere). page_json_cell
 * makes a table's cell of it.
 */
void page_json(struct page *page, const size_t *boots, size_t count, const char *where);
void page_json_cell(struct page *page, const size_t *boots, size_t count, const char *where);
/* The same for the boots of a variant, or ALL_VARIANTS, that have a metric; the second in a cell.
 */
#define ALL_VARIANTS SIZE_MAX
void page_json_of(struct page *page, size_t section, size_t metric, size_t variant);
void page_metric_json(struct page *page, size_t section, size_t metric, size_t variant);
/* The same for one comparison, with both sides' boots. */
void page_comparison_json(struct page *page, const struct comparison *comparison);

/* <a> to the JSON of results->boots[@boot]; @text NULL: the file's name. */
void page_boot_link(struct page *page, size_t boot, const char *text);

/* ---- the parts, in their order ---- */
void page_first_screen(struct page *page); /* html_first.c */
void page_workloads(struct page *page);	   /* html_workload.c */
void page_health(struct page *page);	   /* html_health.c */
void page_environment(struct page *page);  /* html_environment.c */
void page_method(struct page *page);	   /* html_method.c */
void page_boots(struct page *page);	   /* html_boots.c */

/* ---- html_comparisons.c: tables of comparisons ---- */
/* Those of @family whose section is from @first to before @end; nothing where there is none. */
void page_comparisons(struct page *page, const char *label, enum family family, size_t first,
		      size_t end);
size_t page_count_comparisons(const struct page *page, enum family family, size_t first,
			      size_t end);

/* What each machine says of them, where there are several. */
void page_machine_rows(struct page *page, const char *label, size_t first, size_t end);
size_t page_count_machine_rows(const struct page *page, size_t first, size_t end);

/* ---- the same sections' invariants, effects, machines, and tails; nothing where there is none
 * ---- */
void page_invariants(struct page *page, size_t first, size_t end); /* html_invariants.c */
void page_effects(struct page *page, size_t first, size_t end);	   /* html_effects.c */
void page_machines(struct page *page, size_t first, size_t end);   /* html_effects.c */
void page_tails(struct page *page, size_t first, size_t end);	   /* html_tails.c */

/* ---- html_heat.c: the placements' heat map ---- */
/*
 * One metric over the placements from section @first to before @end, which differ in nothing else:
 * its figure in each variant and its ratio. @scale_first and @scale_end: the sections whose
 * figures share one scale of colours. Nothing where there is only one placement.
 */
void page_heat_map(struct page *page, size_t first, size_t end, const char *metric,
		   size_t scale_first, size_t scale_end);

#endif
