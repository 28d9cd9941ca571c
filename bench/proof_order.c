// SPDX-License-Identifier: GPL-2.0-only
/* The command line of `run --profile proof`, and going on with what was stopped. */
#include "bench/proof.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/campaign.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/kernel.h"
#include "bench/message.h"
#include "bench/process.h"
#include "bench/qemu.h"
#include "bench/run_order.h"
#include "reports/json_strict.h"
#include "workloads/stress_plan.h"

#define PROOF_FORMAT	   "proxeval-proof"
#define DOCUMENT_MAX_BYTES (4u << 20)

/* ---- the line -------------------------------------------------------------------------------- */

static int check_tags(const struct run_order *order, const struct string_list *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		char rows[256] = "";

		if (proof_row_find(tags->items[i]))
			continue;
		for (size_t row = 0; row < proof_rows_count; row++) {
			size_t used = strlen(rows);

			snprintf(rows + used, sizeof(rows) - used, "%s%s", row ? ", " : "",
				 proof_rows[row].tag);
		}
		return run_usage(order, "'%s' is no row of the proof; they are %s", tags->items[i],
				 rows);
	}
	return 0;
}

static int check_line(const struct run_order *order, const struct string_list *tags)
{
	const struct run_values *values = order->values;

	if (order->file || values->print_campaign)
		return run_usage(order, "--profile proof is no campaign but many: it does not go "
					"with --campaign and --print-campaign");
	if (values->variants.count || values->kernel_image || values->series)
		return run_usage(order,
				 "--profile proof makes its kernels of kernel-patches/: it does "
				 "not go with --variant, --kernel-image and --series");
	if (values->params.count || values->sweeps.count || values->placements.count ||
	    values->topology || values->memory_mib != RUN_NOT_GIVEN || values->until_conclusive ||
	    values->max_boots != RUN_NOT_GIVEN)
		return run_usage(order,
				 "--profile proof has its work in a table: it takes --boots, "
				 "--seed, --base, --kernel-tree and tags, and nothing else "
				 "about what is measured");
	if ((values->target && strcmp(values->target, "vm") != 0) ||
	    (values->time && strcmp(values->time, "virtual") != 0))
		return run_usage(order,
				 "--profile proof needs guests in virtual time: what one seed "
				 "shows it has to show again");
	return check_tags(order, tags);
}

static char *choose_directory(const struct run_values *values)
{
	time_t now = time(NULL);
	struct tm utc;
	char stamp[32];

	if (values->id)
		return format_string("%s/%s", values->results, values->id);
	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &utc);
	return format_string("%s/proof-%s", values->results, stamp);
}

static bool is_named_before(const struct string_list *tags, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (proof_row_find(tags->items[i]) == proof_row_find(tags->items[index]))
			return true;
	return false;
}

/* Rows are done in the order in which they are named. */
static struct json_object *new_document(const struct proof *proof, const struct string_list *tags)
{
	struct json_object *document = json_object_new_object(), *list = json_object_new_array();
	const char *slash = strrchr(proof->directory, '/');
	struct qemu_version version = {.text = "?"};

	qemu_find_version(&version);
	for (size_t i = 0; !tags->count && i < proof_rows_count; i++)
		json_object_array_add(list, json_object_new_string(proof_rows[i].tag));
	for (size_t i = 0; i < tags->count; i++)
		if (!is_named_before(tags, i))
			json_object_array_add(
				list, json_object_new_string(proof_row_find(tags->items[i])->tag));
	proof_add_text(document, "format", PROOF_FORMAT);
	json_object_object_add(document, "version", json_object_new_int(1));
	proof_add_text(document, "id", slash ? slash + 1 : proof->directory);
	json_object_object_add(document, "seed", json_object_new_uint64(proof->seed));
	json_object_object_add(document, "boots", json_object_new_uint64(proof->boots));
	json_object_object_add(document, "watchdog_s", json_object_new_uint64(proof->watchdog_s));
	proof_add_text(document, "base", proof->base);
	proof_add_text(document, "tree", proof->tree);
	proof_add_text(document, "qemu", version.text);
	json_object_object_add(document, "is_complete", json_object_new_boolean(false));
	json_object_object_add(document, "tags", list);
	json_object_object_add(document, "rows", json_object_new_array());
	return document;
}

/* Before anything is built: every kernel must be possible, and guests too. */
static int prepare(const struct proof *proof)
{
	const struct campaign draft = {.time = TIME_VIRTUAL};
	struct json_object *tags = NULL;
	char reason[512];
	int err = 0;

	json_object_object_get_ex(proof->document, "tags", &tags);
	for (size_t i = 0; i < json_object_array_length(tags) && !err; i++)
		err = proof_check_kernels(proof, proof_row_find(json_object_get_string(
							 json_object_array_get_idx(tags, i))));
	if (err)
		return kernel_exit_code(err);
	if (target_vm.probe(&draft, reason, sizeof(reason))) {
		message_error("the target vm cannot work here: %s", reason);
		return EXIT_CANNOT;
	}
	process_catch_stop_signals();
	return 0;
}

static int make_folder(const struct proof *proof)
{
	int err = make_directories(proof->directory);

	return err ? message_errno(err, "cannot make the folder %s", proof->directory)
		   : proof_write(proof);
}

int proof_command(const struct run_values *values, const struct string_list *tags,
		  const struct campaign_file *file)
{
	const struct run_order order = {.command = "run", .values = values, .file = file};
	struct proof proof = {.base = values->base,
			      .tree = values->kernel_tree,
			      .seed = values->seed == RUN_NOT_GIVEN ? 1 : values->seed,
			      .watchdog_s = (unsigned int)values->watchdog_s};
	int code = check_line(&order, tags);

	if (code)
		return code;
	if (values->boots != RUN_NOT_GIVEN)
		proof.boots = (unsigned int)values->boots;
	proof.directory = choose_directory(values);
	if (!proof.directory)
		return EXIT_BROKE;
	if (!access(proof.directory, F_OK))
		code = run_usage(&order,
				 "--id: there is a %s already; choose another name, or go on "
				 "with it: 'proxeval resume %s'",
				 proof.directory, proof.directory);
	if (!code) {
		proof.document = new_document(&proof, tags);
		code = prepare(&proof);
	}
	if (!code && make_folder(&proof))
		code = EXIT_BROKE;
	if (!code)
		code = proof_conclude(&proof, values->json);
	json_object_put(proof.document);
	free(proof.directory);
	return code;
}

/* ---- going on -------------------------------------------------------------------------------- */

bool proof_is_folder(const char *directory)
{
	char *path = format_string("%s/" PROOF_JSON_NAME, directory);
	bool answer = path && !access(path, F_OK);

	free(path);
	return answer;
}

static bool are_rows_known(struct json_object *tags, struct json_object *rows)
{
	bool are_known = json_object_is_type(tags, json_type_array) &&
			 json_object_is_type(rows, json_type_array);

	for (size_t i = 0; are_known && i < json_object_array_length(tags); i++) {
		const char *tag = json_object_get_string(json_object_array_get_idx(tags, i));

		are_known = tag && proof_row_find(tag);
	}
	for (size_t i = 0; are_known && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		are_known = proof_text(row, "tag") && proof_row_find(proof_text(row, "tag")) &&
			    proof_text(row, "verdict");
	}
	return are_known;
}

static uint64_t number_of(struct json_object *document, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(document, key, &value);
	return json_object_is_type(value, json_type_int) ? json_object_get_uint64(value) : 0;
}

/* proof.json read back. 0, or an exit code with its message printed. */
static int load_proof(struct proof *proof)
{
	char *path = format_string("%s/" PROOF_JSON_NAME, proof->directory), problem[256];
	struct json_object *tags = NULL, *rows = NULL;
	int err = path ? json_strict_load(path, DOCUMENT_MAX_BYTES, &proof->document, problem,
					  sizeof(problem))
		       : -ENOMEM;
	const char *format = err ? NULL : proof_text(proof->document, "format");

	if (!err) {
		json_object_object_get_ex(proof->document, "tags", &tags);
		json_object_object_get_ex(proof->document, "rows", &rows);
		snprintf(problem, sizeof(problem),
			 "it is not the document of a proof, or has rows "
			 "that this program does not know");
		if (!format || strcmp(format, PROOF_FORMAT) || !are_rows_known(tags, rows) ||
		    number_of(proof->document, "version") != 1 ||
		    number_of(proof->document, "seed") > STRESS_MAX_SEED)
			err = -EINVAL;
	}
	if (err)
		message_error("%s: %s", path ? path : proof->directory, problem);
	free(path);
	return err ? EXIT_INVALID : 0;
}

int proof_resume(const char *directory, bool as_json)
{
	struct proof proof = {.directory = strdup(directory)};
	int code = proof.directory ? load_proof(&proof) : EXIT_BROKE;

	if (!code) {
		proof.seed = number_of(proof.document, "seed");
		proof.boots = (unsigned int)number_of(proof.document, "boots");
		proof.watchdog_s = (unsigned int)number_of(proof.document, "watchdog_s");
		proof.base = proof_text(proof.document, "base");
		proof.tree = proof_text(proof.document, "tree");
		code = prepare(&proof);
	}
	if (!code)
		code = proof_conclude(&proof, as_json);
	json_object_put(proof.document);
	free(proof.directory);
	return code;
}
