/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_PAGE_TABLE_H
#define REPORTS_PAGE_TABLE_H

#include "reports/arena.h"
#include "reports/page.h"

/*
 * Rows of plain text whose columns stand under each other. Nothing is written before the last row
 * is known: where one of them needs more room than the page has, all are squeezed alike.
 */
#define PAGE_COLUMNS_MAX 9

struct page_column {
	size_t usual;  /* how wide it is as long as there is room; a longer cell widens it */
	size_t gap;    /* blanks behind it */
	bool is_right; /* figures */
};

struct page_row;

struct page_table {
	struct buffer *out;
	const struct page_column *columns; /* all but the last, which takes what is left */
	size_t n_columns;
	bool has_colour;
	struct arena arena;
	struct page_row *rows;
	size_t n_rows;
};

/* @columns must outlive the table. page_table_close is due. */
void page_table_open(struct page_table *table, struct buffer *out, bool has_colour,
		     const struct page_column *columns, size_t n_columns);

/* A row: a cell for each column and, where there is one, for the last; ended by NULL. */
void page_table_add(struct page_table *table, const char *const *cells);

/* The same with a verdict and @behind (" +94") in the last column. */
void page_table_add_verdict(struct page_table *table, const char *const *cells,
			    enum verdict verdict, const char *behind);

/* A line between rows that is no row and widens no column; with a verdict behind it. */
void page_table_add_line(struct page_table *table, const char *line);
void page_table_add_verdict_line(struct page_table *table, const char *line, enum verdict verdict);

/* Writes the rows; none is wider than the page. Then the table is empty. */
void page_table_close(struct page_table *table);

#endif
