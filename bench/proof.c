// SPDX-License-Identifier: GPL-2.0-only
/* `run --profile proof`: row by row, kernels first, and what has been shown is kept. */
#include "bench/proof.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/kernel_internal.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/run_order.h"
#include "reports/proof_page.h"

void proof_add_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

const char *proof_text(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

void proof_add_judgement(struct json_object *step, const struct proof_judgement *judgement)
{
	proof_add_text(step, "verdict", proof_verdict_word(judgement->verdict, false));
	proof_add_text(step, "reason", judgement->reason);
}

/* ---- kernels --------------------------------------------------------------------------------- */

static int add_tags(struct string_list *list, const char *const *tags)
{
	int err = 0;

	for (; tags && *tags && !err; tags++)
		err = string_list_add(list, *tags);
	return err;
}

/* What the step leaves out: on both sides, or also what it is about. */
static int choose_without(const struct proof_row *row, const struct proof_step *step, bool is_full,
			  struct string_list *list)
{
	const char *const own[] = {row->tag, NULL};
	int err = add_tags(list, step->both_without);

	if (!err && !is_full)
		err = add_tags(list, step->without ? step->without : own);
	return err;
}

/* The request of one of the two kernels; *@series is to be freed. */
static int fill_request(const struct proof *proof, const struct proof_row *row,
			const struct proof_step *step, bool is_full, struct string_list *without,
			char **series, struct kernel_request *request)
{
	char *relative = step->series ? format_string("kernel-patches/%s", step->series) : NULL;
	int err = choose_without(row, step, is_full, without);

	*series = relative ? paths_data(relative) : NULL;
	if (step->series && !*series)
		err = -ENOMEM;
	*request = (struct kernel_request){
		.base = proof->base, .tree = proof->tree, .series = *series, .without = without};
	free(relative);
	return err;
}

/* Checks, or makes, one of the step's kernels. @build is NULL: it is only checked. */
static int make_kernel(const struct proof *proof, const struct proof_row *row,
		       const struct proof_step *step, bool is_full, struct kernel_build *build)
{
	struct string_list without = {0};
	struct kernel_request request;
	char *series = NULL;
	int err = fill_request(proof, row, step, is_full, &without, &series, &request);

	if (!err)
		err = build ? kernel_make(&request, build) : kernel_check_request(&request);
	free(without.items);
	free(series);
	return err;
}

int proof_check_kernels(const struct proof *proof, const struct proof_row *row)
{
	int err = 0;

	for (size_t i = 0; i < row->n_steps && !err; i++) {
		if (row->steps[i].kind == PROOF_NEED)
			continue;
		err = make_kernel(proof, row, &row->steps[i], true, NULL);
		if (!err)
			err = make_kernel(proof, row, &row->steps[i], false, NULL);
	}
	return err;
}

static int read_series(struct series *series)
{
	char *path = paths_data("kernel-patches/series");
	int err = path ? series_read(path, false, series) : -ENOMEM;

	free(path);
	return err;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static struct json_object *tags_to_json(const char *const *tags)
{
	struct json_object *list = json_object_new_array();

	for (; tags && *tags; tags++)
		json_object_array_add(list, json_object_new_string(*tags));
	return list;
}

static struct json_object *begin_step(const struct proof_row *row, const struct proof_step *step,
				      const char *folder)
{
	static const char *const kinds[] = {"figure", "stress", "need"};
	const char *const own[] = {row->tag, NULL};
	struct json_object *object = json_object_new_object();

	proof_add_text(object, "kind", kinds[step->kind]);
	json_object_object_add(object, "without",
			       tags_to_json(step->without ? step->without : own));
	json_object_object_add(object, "both_without", tags_to_json(step->both_without));
	proof_add_text(object, "series", step->series ? step->series : "series");
	proof_add_text(object, "aid", step->aid);
	proof_add_text(object, "folder", step->kind == PROOF_NEED ? NULL : folder);
	return object;
}

static int add_image(struct json_object *object, const char *key, const char *path)
{
	char hash[SHA256_HEX_SIZE];
	int err = sha256_file(path, hash);

	if (err)
		return message_errno(err, "cannot read the kernel image %s", path);
	proof_add_text(object, key, hash);
	return 0;
}

static int measure_step(const struct proof *proof, const struct proof_row *row,
			const struct proof_step *step, const char *folder, struct json_object *out,
			enum proof_verdict *verdict)
{
	struct kernel_build full = {0}, without = {0};
	char *label = format_string("without-%s", row->tag);
	char *results = format_string("%s/%s", proof->directory, folder);
	struct proof_kernels kernels = {.label = label, .results = results};
	int err = label && results ? make_kernel(proof, row, step, true, &full) : -ENOMEM;

	if (!err)
		err = make_kernel(proof, row, step, false, &without);
	if (!err)
		err = add_image(out, "image_full", full.image_path);
	if (!err)
		err = add_image(out, "image_without", without.image_path);
	if (!err) {
		kernels.full = full.image_path;
		kernels.without = without.image_path;
		remove_tree(results); /* of an attempt that was cut short */
		err = step->kind == PROOF_FIGURE
			      ? proof_run_figure(proof, step, &kernels, out, verdict)
			      : proof_run_stress(proof, step, &kernels, out, verdict);
	}
	kernel_build_release(&full);
	kernel_build_release(&without);
	free(results);
	free(label);
	return err;
}

/* Who does not go without it: then there is no series to compare with. */
static int look_for_need(const struct proof_row *row, struct json_object *out,
			 enum proof_verdict *verdict)
{
	struct proof_judgement judgement = {.verdict = PROOF_NOT_SHOWN};
	struct series series = {0};
	int err = read_series(&series);
	char *needed = err ? NULL : series_dependents(&series, row->tag);

	if (!err && !needed)
		err = -ENOMEM;
	if (!err && *needed)
		snprintf(judgement.reason, sizeof(judgement.reason),
			 "%.100s needs it: the series without %s alone is refused", needed,
			 row->tag);
	else if (!err)
		snprintf(judgement.reason, sizeof(judgement.reason), "no other patch needs it");
	if (!err) {
		proof_add_text(out, "needed_by", needed);
		proof_add_judgement(out, &judgement);
		*verdict = judgement.verdict;
	}
	free(needed);
	series_release(&series);
	return err;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int add_patches(struct json_object *object, const char *tag)
{
	struct json_object *list = json_object_new_array();
	struct series series = {0};
	int err = read_series(&series);
	char *tags = strdup(tag), *save = NULL;

	json_object_object_add(object, "patches", list);
	for (char *one = tags ? strtok_r(tags, "+", &save) : NULL; one && !err;
	     one = strtok_r(NULL, "+", &save)) {
		const struct series_patch *patch = series_find_tag(&series, one);

		if (patch)
			json_object_array_add(list, json_object_new_string(patch->name));
	}
	free(tags);
	series_release(&series);
	return err;
}

/* The reason of the step that decided: the last of that verdict. */
static const char *deciding_reason(struct json_object *steps, const enum proof_verdict *verdicts,
				   size_t n_steps, enum proof_verdict verdict)
{
	const char *reason = NULL;

	for (size_t i = 0; i < n_steps; i++)
		if (verdicts[i] == verdict)
			reason = proof_text(json_object_array_get_idx(steps, i), "reason");
	return reason;
}

static int run_steps(const struct proof *proof, const struct proof_row *row,
		     struct json_object *steps, enum proof_verdict *verdicts, size_t *n_steps)
{
	int err = 0;

	for (*n_steps = 0; *n_steps < row->n_steps && !err;) {
		const struct proof_step *step = &row->steps[*n_steps];
		char *folder = format_string("%s-%zu", row->tag, *n_steps + 1);
		struct json_object *object = begin_step(row, step, folder ? folder : row->tag);

		json_object_array_add(steps, object);
		if (step->kind == PROOF_NEED)
			err = look_for_need(row, object, &verdicts[*n_steps]);
		else
			err = folder ? measure_step(proof, row, step, folder, object,
						    &verdicts[*n_steps])
				     : -ENOMEM;
		free(folder);
		if (err)
			break;
		(*n_steps)++;
		if (verdicts[*n_steps - 1] != PROOF_NOT_SHOWN)
			break;
	}
	return err;
}

/* The row's object, which the caller puts; NULL with *@err set. */
static struct json_object *run_row(const struct proof *proof, const struct proof_row *row, int *err)
{
	struct json_object *object = json_object_new_object(), *steps = json_object_new_array();
	enum proof_verdict verdicts[PROOF_MAX_STEPS] = {0}, verdict;
	size_t n_steps;

	proof_add_text(object, "tag", row->tag);
	proof_add_text(object, "claim", row->claim);
	json_object_object_add(object, "steps", steps);
	*err = add_patches(object, row->tag);
	if (!*err)
		*err = run_steps(proof, row, steps, verdicts, &n_steps);
	if (*err) {
		json_object_put(object);
		return NULL;
	}
	verdict = proof_row_verdict(verdicts, n_steps);
	proof_add_text(object, "verdict", proof_verdict_word(verdict, row->argument));
	proof_add_text(object, "reason", deciding_reason(steps, verdicts, n_steps, verdict));
	proof_add_text(object, "argument", row->argument);
	message_note("%s %s: %s", row->tag, proof_text(object, "verdict"),
		     proof_text(object, "reason"));
	return object;
}

/* ---- the document ---------------------------------------------------------------------------- */

int proof_write(const struct proof *proof)
{
	char *json = format_string("%s/" PROOF_JSON_NAME, proof->directory);
	char *page = format_string("%s/" PROOF_PAGE_NAME, proof->directory);
	struct buffer text = {0};
	int err = json && page ? write_json_atomically(json, proof->document) : -ENOMEM;

	if (!err) {
		proof_page_write(&text, proof->document);
		err = text.failed ? -ENOMEM : write_file_atomically(page, text.text, text.length);
	}
	if (err)
		message_errno(err, "cannot write the proof to %s", proof->directory);
	buffer_release(&text);
	free(json);
	free(page);
	return err;
}

static struct json_object *rows_of(const struct proof *proof)
{
	struct json_object *rows = NULL;

	json_object_object_get_ex(proof->document, "rows", &rows);
	return rows;
}

/* Where the row of that tag is; the length of the list: nowhere. */
static size_t find_done(struct json_object *rows, const char *tag)
{
	size_t index = 0;

	while (index < json_object_array_length(rows) &&
	       strcmp(proof_text(json_object_array_get_idx(rows, index), "tag"), tag) != 0)
		index++;
	return index;
}

static bool is_done(struct json_object *rows, size_t index)
{
	return index < json_object_array_length(rows) &&
	       strcmp(proof_text(json_object_array_get_idx(rows, index), "verdict"), "broken") != 0;
}

/* The document has its rows in the table's order, whichever was done first. */
static int by_table(const void *left, const void *right)
{
	const struct proof_row *a =
		proof_row_find(proof_text(*(struct json_object *const *)left, "tag"));
	const struct proof_row *b =
		proof_row_find(proof_text(*(struct json_object *const *)right, "tag"));

	return (a > b) - (a < b);
}

static int run_rows(struct proof *proof)
{
	struct json_object *tags = NULL, *rows = rows_of(proof);
	int err = 0;

	json_object_object_get_ex(proof->document, "tags", &tags);
	for (size_t i = 0; i < json_object_array_length(tags) && !err; i++) {
		const char *tag = json_object_get_string(json_object_array_get_idx(tags, i));
		size_t index = find_done(rows, tag);
		struct json_object *row;

		if (is_done(rows, index))
			continue;
		message_note("%s: %s", tag, proof_row_find(tag)->claim);
		row = run_row(proof, proof_row_find(tag), &err);
		if (!row)
			break;
		json_object_array_put_idx(rows, index, row);
		json_object_array_sort(rows, by_table);
		err = proof_write(proof);
		if (!err && process_stop_requested())
			err = -EINTR;
	}
	if (!err) {
		json_object_object_add(proof->document, "is_complete",
				       json_object_new_boolean(true));
		err = proof_write(proof);
	}
	return err;
}

int proof_conclude(struct proof *proof, bool as_json)
{
	struct buffer text = {0};
	int err = run_rows(proof);

	if (err) {
		message_note("the rows that are done are kept; go on with '%s resume %s'",
			     run_program(), proof->directory);
		return EXIT_BROKE;
	}
	if (as_json)
		puts(json_object_to_json_string_ext(
			proof->document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		proof_page_summary(&text, proof->document);
	if (text.text)
		fputs(text.text, stdout);
	buffer_release(&text);
	message_note("the table is %s/" PROOF_PAGE_NAME, proof->directory);
	return fflush(stdout) ? EXIT_BROKE : proof_exit_code(proof->document);
}
