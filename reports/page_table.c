// SPDX-License-Identifier: GPL-2.0-only
#include "reports/page_table.h"

#include <string.h>

#include "reports/writers.h"

/* A text that is cut to less than this says nothing any more. */
#define CUT_MIN 5

struct page_row {
	const char *cells[PAGE_COLUMNS_MAX + 1]; /* NULL: nothing from there on */
	const char *line;			 /* instead of cells */
	enum verdict verdict;
	const char *behind; /* NULL: no verdict */
};

void page_table_open(struct page_table *table, struct buffer *out, bool has_colour,
		     const struct page_column *columns, size_t n_columns)
{
	*table = (struct page_table){
		.out = out, .columns = columns, .n_columns = n_columns, .has_colour = has_colour};
}

static struct page_row *new_row(struct page_table *table)
{
	struct page_row *row =
		arena_append(&table->arena, &table->rows, &table->n_rows, sizeof(*row));

	table->out->failed |= !row;
	return row;
}

static const char *keep_ascii(struct page_table *table, const char *text)
{
	struct buffer ascii = {0};
	const char *kept;

	page_add_ascii(&ascii, text);
	kept = arena_text(&table->arena, ascii.text ? ascii.text : "");
	table->out->failed |= ascii.failed || !kept;
	buffer_release(&ascii);
	return kept;
}

static struct page_row *add_cells(struct page_table *table, const char *const *cells)
{
	struct page_row *row = new_row(table);

	for (size_t i = 0; row && i <= table->n_columns && cells[i]; i++)
		row->cells[i] = keep_ascii(table, cells[i]);
	return row;
}

void page_table_add(struct page_table *table, const char *const *cells)
{
	add_cells(table, cells);
}

void page_table_add_verdict(struct page_table *table, const char *const *cells,
			    enum verdict verdict, const char *behind)
{
	struct page_row *row = add_cells(table, cells);

	if (!row)
		return;
	row->verdict = verdict;
	row->behind = keep_ascii(table, behind);
}

static struct page_row *add_line(struct page_table *table, const char *line)
{
	struct page_row *row = new_row(table);

	if (row)
		row->line = keep_ascii(table, line);
	return row;
}

void page_table_add_line(struct page_table *table, const char *line)
{
	add_line(table, line);
}

void page_table_add_verdict_line(struct page_table *table, const char *line, enum verdict verdict)
{
	struct page_row *row = add_line(table, line);

	if (!row)
		return;
	row->verdict = verdict;
	row->behind = "";
}

/* How wide everything is: what the cells ask for, and what they get. */
struct widths {
	size_t natural[PAGE_COLUMNS_MAX], given[PAGE_COLUMNS_MAX], gaps[PAGE_COLUMNS_MAX];
	size_t last;
};

static size_t last_width(const struct page_table *table, const struct page_row *row)
{
	if (row->line)
		return 0;
	if (row->behind)
		return strlen(verdict_word(row->verdict)) + strlen(row->behind);
	return row->cells[table->n_columns] ? strlen(row->cells[table->n_columns]) : 0;
}

static void measure(const struct page_table *table, struct widths *widths)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct page_row *row = &table->rows[i];
		size_t last = last_width(table, row);

		for (size_t j = 0; j < table->n_columns && row->cells[j]; j++)
			if (strlen(row->cells[j]) > widths->natural[j])
				widths->natural[j] = strlen(row->cells[j]);
		widths->last = last > widths->last ? last : widths->last;
	}
	for (size_t j = 0; j < table->n_columns; j++) {
		size_t usual = table->columns[j].usual;

		widths->given[j] = usual > widths->natural[j] ? usual : widths->natural[j];
		widths->gaps[j] = table->columns[j].gap;
	}
}

static size_t excess_of(const struct page_table *table, const struct widths *widths)
{
	size_t total = widths->last;

	for (size_t j = 0; j < table->n_columns; j++)
		total += widths->given[j] + widths->gaps[j];
	return total > TEXT_COLUMNS ? total - TEXT_COLUMNS : 0;
}

/* The widest column of texts that can still be cut; n_columns: there is none. */
static size_t find_widest(const struct page_table *table, const struct widths *widths)
{
	size_t widest = table->n_columns, width = CUT_MIN;

	for (size_t j = 0; j < table->n_columns; j++) {
		if (table->columns[j].is_right || widths->given[j] <= width)
			continue;
		widest = j;
		width = widths->given[j];
	}
	return widest;
}

/* Blanks that no cell needs go first, then wide gaps, then the middle of the longest texts. */
static void squeeze(const struct page_table *table, struct widths *widths)
{
	size_t excess = excess_of(table, widths), widest;

	for (size_t j = 0; j < table->n_columns; j++) {
		size_t spare = widths->given[j] - widths->natural[j];

		spare = spare < excess ? spare : excess;
		widths->given[j] -= spare;
		excess -= spare;
	}
	for (size_t j = 0; j < table->n_columns && excess; j++) {
		if (widths->gaps[j] < 2)
			continue;
		widths->gaps[j]--;
		excess--;
	}
	while (excess && (widest = find_widest(table, widths)) < table->n_columns) {
		widths->given[widest]--;
		excess--;
	}
}

static void add_cell(struct buffer *line, const struct page_table *table,
		     const struct widths *widths, size_t column, const char *text)
{
	char shown[TEXT_COLUMNS + 1];
	size_t width = widths->given[column];

	page_shorten(shown, sizeof(shown), text, width < TEXT_COLUMNS ? width : TEXT_COLUMNS);
	buffer_format(line, table->columns[column].is_right ? "%*s%*s" : "%-*s%*s", (int)width,
		      shown, (int)widths->gaps[column], "");
}

static void write_row(const struct page_table *table, const struct widths *widths,
		      const struct page_row *row)
{
	struct buffer line = {0};

	if (row->line)
		buffer_add(&line, row->line);
	for (size_t j = 0; j < table->n_columns && row->cells[j]; j++)
		add_cell(&line, table, widths, j, row->cells[j]);
	if (row->behind) {
		page_add_row(table->out, table->has_colour, line.text ? line.text : "",
			     row->verdict, row->behind);
	} else {
		if (row->cells[table->n_columns])
			buffer_add(&line, row->cells[table->n_columns]);
		page_add_line(table->out, line.text ? line.text : "");
	}
	table->out->failed |= line.failed;
	buffer_release(&line);
}

void page_table_close(struct page_table *table)
{
	struct widths widths = {0};

	/* Where memory is out a cell may be missing; nothing of it is shown anyway. */
	if (!table->out->failed) {
		measure(table, &widths);
		squeeze(table, &widths);
	}
	for (size_t i = 0; i < table->n_rows && !table->out->failed; i++)
		write_row(table, &widths, &table->rows[i]);
	arena_release(&table->arena);
	*table = (struct page_table){0};
}
