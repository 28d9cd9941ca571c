// SPDX-License-Identifier: GPL-2.0-only
/* A step that searches: seeds of the stress on both kernels (doc/explore.md). */
#include "bench/proof.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/explore.h"
#include "bench/known_faults.h"
#include "bench/message.h"
#include "bench/paths.h"
#include "measure/clock.h"

#define TOPOLOGY   "2x1x2"
#define MEMORY_MIB 512u
#define ARGUMENTS  "sched_proxy_exec=1"
/* So many seeds the whole series has to stand at least, whichever shows it without the patch. */
#define FULL_SEEDS_LEAST 3u
#define LOG_MAX_BYTES	 (64u << 20)

/* The step on its way, and what it has come to. */
struct searching {
	const struct proof *proof;
	const struct proof_step *step;
	const struct proof_kernels *kernels;
	struct known_faults known; /* the base's: no finds */
	struct proof_search search;
	struct signature signature; /* of what was found */
	char line[256];		    /* and the line that told it */
	struct signature full;	    /* of what the whole series showed */
	unsigned int n_explorations;
};

static void choose_mechanisms(const struct proof_stress *stress, struct stress_choice *choice)
{
	for (const char *const *name = stress->only; name && *name; name++) {
		int mechanism = stress_mechanism_find(*name);

		if (mechanism >= 0)
			choice->has_only = choice->only[mechanism] = true;
	}
}

/*
 * Explores @seeds seeds from @first on with one of the kernels, in a folder of its own. 0 and an
 * exploration that the caller frees, or a negative errno with its message printed.
 */
static int explore_seeds(struct searching *searching, bool is_full, uint64_t first, uint64_t seeds,
			 bool until_found, struct explore **out)
{
	const struct proof_stress *stress = &searching->step->stress;
	char *id =
		format_string("%u-%s", ++searching->n_explorations, is_full ? "full" : "without");
	struct explore_order order = {
		.first_seed = first,
		.seeds = seeds,
		.duration_ns = stress->duration_s * NS_PER_S,
		.until_found = until_found,
		.label = is_full ? "full" : searching->kernels->label,
		.arguments = ARGUMENTS,
		.image_path = is_full ? searching->kernels->full : searching->kernels->without,
		.topology = TOPOLOGY,
		.memory_mib = MEMORY_MIB,
		.watchdog_s = searching->proof->watchdog_s,
		.results = searching->kernels->results,
		.id = id,
		.known = &searching->known,
	};
	int err = id ? 0 : -ENOMEM;

	choose_mechanisms(stress, &order.choice);
	if (!err)
		err = explore_create(&order, out);
	if (!err) {
		err = explore_run(*out, 0);
		if (err)
			explore_free(*out);
	}
	free(id);
	return err;
}

/* The console of a find; the caller frees it. NULL, with the message printed. */
static char *read_log(const struct explore *explore, const struct find *find)
{
	char *folder = find_path(explore, find->number), *log = NULL;
	char *path = folder ? format_string("%s/log.txt", folder) : NULL;
	int err = path ? read_file(path, LOG_MAX_BYTES, &log, NULL) : -ENOMEM;

	if (err)
		message_errno(err, "cannot read %s", path ? path : "a find's log");
	free(path);
	free(folder);
	return log;
}

/*
 * The find of the lowest seed that is of the kind, and the line that says so. 0 with *@out, NULL
 * when none is; or a negative errno with its message printed.
 */
static int pick_expected(const struct explore *explore, const char *const *expected,
			 const struct find **out, char *line, size_t line_size)
{
	*out = NULL;
	for (size_t i = 0; i < explore->n_finds; i++) {
		const struct find *find = &explore->finds[i];
		char *log;

		if (find->is_known)
			continue;
		log = read_log(explore, find);
		if (!log)
			return -EIO;
		if ((!*out || find->seed < (*out)->seed) &&
		    proof_find_sign(log, find->signature.stack_at, expected, line, line_size))
			*out = find;
		free(log);
	}
	return 0;
}

/* Without the patch, until something of the kind shows. */
static int search_without(struct searching *searching)
{
	const struct proof_stress *stress = &searching->step->stress;
	struct proof_search *search = &searching->search;
	int err = 0;

	while (!err && !search->is_found && search->n_tried < stress->seeds) {
		struct explore *explore;
		const struct find *find = NULL;

		err = explore_seeds(searching, false, searching->proof->seed + search->n_tried,
				    stress->seeds - search->n_tried, true, &explore);
		if (err)
			break;
		err = pick_expected(explore, stress->expected, &find, searching->line,
				    sizeof(searching->line));
		search->n_tried += explore->n_done;
		if (!err && !explore->n_done)
			err = -EIO; /* a guest that breaks each time: it has been said */
		if (find) {
			search->is_found = true;
			search->seed = find->seed;
			searching->signature = find->signature;
		} else {
			search->n_others += explore->n_found;
		}
		explore_free(explore);
	}
	search->kind = searching->signature.kind;
	search->text = searching->line;
	search->at_ns = searching->signature.at_ns;
	return err;
}

/* The seed alone: what it showed it shows again, and at the same moment. */
static int search_again(struct searching *searching)
{
	struct proof_search *search = &searching->search;
	struct explore *explore;
	int err = explore_seeds(searching, false, search->seed, 1, true, &explore);

	if (err)
		return err;
	for (size_t i = 0; i < explore->n_finds; i++)
		search->is_again |=
			signature_is_same(&explore->finds[i].signature, &searching->signature) &&
			explore->finds[i].signature.at_ns == search->at_ns;
	explore_free(explore);
	return 0;
}

/* The whole series, all seeds up to the one that showed it, and at least a few. */
static int search_full(struct searching *searching)
{
	struct proof_search *search = &searching->search;
	uint64_t first = searching->proof->seed, seeds = search->seed - first + 1;
	struct explore *explore;
	int err;

	seeds = seeds < FULL_SEEDS_LEAST ? FULL_SEEDS_LEAST : seeds;
	err = explore_seeds(searching, true, first, seeds, false, &explore);

	if (err)
		return err;
	search->n_full_tried = explore->n_done;
	search->n_full_found = explore->n_found;
	for (size_t i = 0; i < explore->n_finds && !search->full_text; i++) {
		if (explore->finds[i].is_known)
			continue;
		searching->full = explore->finds[i].signature;
		search->full_text = searching->full.text;
	}
	if (explore->n_done < seeds)
		err = -EIO;
	explore_free(explore);
	return err;
}

/* ---- what is written ------------------------------------------------------------------------- */

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static struct json_object *found_to_json(const struct searching *searching)
{
	const struct proof_search *search = &searching->search;
	const struct signature *signature = &searching->signature;
	struct json_object *object = json_object_new_object();

	add_number(object, "seed", search->seed);
	json_object_object_add(object, "kind", json_object_new_string(signature->kind));
	json_object_object_add(object, "text", json_object_new_string(signature->text));
	json_object_object_add(object, "line", json_object_new_string(searching->line));
	add_number(object, "at_ns", signature->at_ns);
	json_object_object_add(object, "is_again", json_object_new_boolean(search->is_again));
	return object;
}

static void write_step(const struct searching *searching, const struct proof_judgement *judgement,
		       struct json_object *out)
{
	const struct proof_stress *stress = &searching->step->stress;
	const struct proof_search *search = &searching->search;
	struct json_object *only = stress->only ? json_object_new_array() : NULL;

	for (const char *const *name = stress->only; name && *name; name++)
		json_object_array_add(only, json_object_new_string(*name));
	json_object_object_add(out, "only", only);
	json_object_object_add(out, "topology", json_object_new_string(TOPOLOGY));
	add_number(out, "first_seed", searching->proof->seed);
	add_number(out, "duration_ns", search->duration_ns);
	add_number(out, "seeds_without", search->n_tried);
	add_number(out, "seeds_with_others", search->n_others);
	add_number(out, "seeds_full", search->n_full_tried);
	add_number(out, "seeds_full_found", search->n_full_found);
	json_object_object_add(out, "find", search->is_found ? found_to_json(searching) : NULL);
	add_number(out, "virtual_ns",
		   (search->n_tried + search->n_full_tried) * search->duration_ns);
	proof_add_judgement(out, judgement);
}

static int read_known_faults(struct known_faults *known)
{
	char *path = paths_data("kernel-patches/known-faults");
	int err = path ? known_faults_read(known, path) : -ENOMEM;

	free(path);
	return err;
}

int proof_run_stress(const struct proof *proof, const struct proof_step *step,
		     const struct proof_kernels *kernels, struct json_object *out,
		     enum proof_verdict *verdict)
{
	struct searching searching = {.proof = proof, .step = step, .kernels = kernels};
	struct proof_judgement judgement;
	int err = read_known_faults(&searching.known);

	searching.search.duration_ns = step->stress.duration_s * NS_PER_S;
	if (!err)
		err = search_without(&searching);
	if (!err && searching.search.is_found)
		err = search_again(&searching);
	if (!err && searching.search.is_found)
		err = search_full(&searching);
	if (!err) {
		proof_judge_stress(&searching.search, &judgement);
		write_step(&searching, &judgement, out);
		*verdict = judgement.verdict;
	}
	known_faults_release(&searching.known);
	return err;
}
