// SPDX-License-Identifier: GPL-2.0-only
/* What came of a guest: which of all that went wrong is its find. */
#include "bench/explore.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/qemu_turns.h"

static const char *text_at(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

static uint64_t number_at(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_int)
		       ? json_object_get_uint64(value)
		       : 0;
}

static uint64_t sum_numbers(struct json_object *object)
{
	uint64_t sum = 0;

	if (json_object_is_type(object, json_type_object)) {
		json_object_object_foreach (object, key, count) {
			(void)key;
			sum += json_object_get_uint64(count);
		}
	}
	return sum;
}

/*
 * What is taken for a guest's find, of several things: what is looked for, then what is not known,
 * then what is; the first of these, and the kernel's own word before what the guest saw.
 */
enum rank { RANK_NONE, RANK_KNOWN, RANK_NEW, RANK_WANTED };

struct choice {
	struct trial *trial;
	const struct known_faults *known;
	enum rank rank; /* of trial->signature */
};

static void consider(struct choice *choice, const struct signature *signature)
{
	struct trial *trial = choice->trial;
	enum rank rank =
		known_faults_has(choice->known, signature, &trial->plan) ? RANK_KNOWN : RANK_NEW;

	if (trial->wanted && signature_is_same(trial->wanted, signature))
		rank = RANK_WANTED;
	if (rank <= choice->rank)
		return;
	choice->rank = rank;
	trial->signature = *signature;
	trial->end = TRIAL_FOUND;
	trial->is_known = rank == RANK_KNOWN;
}

static void consider_log(struct choice *choice)
{
	struct signature signature;
	size_t from = 0;

	while (signature_from_log_at(&signature, choice->trial->log, &from))
		consider(choice, &signature);
}

static void consider_problems(struct choice *choice, struct json_object *problems)
{
	struct trial *trial = choice->trial;
	bool has_spoken = choice->rank != RANK_NONE;

	for (size_t i = 0; i < json_object_array_length(problems); i++) {
		struct json_object *problem = json_object_array_get_idx(problems, i);
		struct signature signature;

		/* The console has the kernel's reports already, with their stacks. */
		if (has_spoken && !strcmp(text_at(problem, "kind"), "report"))
			continue;
		signature_from_problem(&signature, trial->log, text_at(problem, "kind"),
				       text_at(problem, "text"), number_at(problem, "at_ns"));
		consider(choice, &signature);
	}
}

static void judge_result(struct choice *choice, struct json_object *result)
{
	struct json_object *problems = NULL, *operations = NULL;
	struct trial *trial = choice->trial;

	trial->rounds = (unsigned int)number_at(result, "rounds");
	if (json_object_object_get_ex(result, "operations", &operations))
		trial->operations = sum_numbers(operations);
	json_object_object_get_ex(result, "problems", &problems);
	if (strcmp(text_at(result, "format"), "proxeval-stress-result") != 0 ||
	    !json_object_is_type(problems, json_type_array)) {
		if (choice->rank)
			return;
		trial->end = TRIAL_BROKEN;
		snprintf(trial->reason, sizeof(trial->reason),
			 "the guest's result is not that of a stress");
		return;
	}
	consider_problems(choice, problems);
	/* The rounds that ended, and the one that did not. */
	if (trial->end == TRIAL_FOUND && !strcmp(trial->signature.kind, "lost"))
		trial->rounds++;
}

/* With what the guest's program said of it itself, where it did. */
static void explain_void(struct trial *trial, const char *reason)
{
	static const char sign[] = "proxeval: error: ";
	const char *said = strstr(trial->log, sign);

	snprintf(trial->reason, sizeof(trial->reason), "%s", reason);
	if (!said)
		return;
	said += strlen(sign);
	snprintf(trial->reason, sizeof(trial->reason), "%.*s (%.100s)",
		 (int)(strcspn(said, "\r\n") < 140 ? strcspn(said, "\r\n") : 140), said, reason);
}

static void judge_end(struct choice *choice, const struct boot_answer *answer)
{
	const char *at = strstr(answer->reason, QEMU_TURNS_LIMIT_SIGN);
	struct trial *trial = choice->trial;
	struct signature signature;

	if (at) {
		/* It did not even answer the NMI. */
		signature_from_problem(&signature, trial->log, "hang",
				       "the guest hangs and answers no NMI",
				       strtoull(at + strlen(QEMU_TURNS_LIMIT_SIGN), NULL, 10));
		consider(choice, &signature);
	} else if (!choice->rank) {
		trial->end = answer->outcome == BOOT_NO_PROGRESS ? TRIAL_NO_PROGRESS : TRIAL_BROKEN;
		explain_void(trial, answer->reason);
	}
}

void explore_judge(struct trial *trial, const struct boot_answer *answer,
		   const struct known_faults *known)
{
	struct choice choice = {.trial = trial, .known = known};
	bool has_run_out = strstr(answer->reason, QEMU_TURNS_LIMIT_SIGN);

	trial->end = TRIAL_CLEAN;
	/* What a guest says that never got to work, and was not ended in virtual time, is its
	 * boot's. */
	if (answer->reached_runner || answer->outcome == BOOT_OK ||
	    answer->outcome == BOOT_PANICKED || has_run_out)
		consider_log(&choice);
	if (answer->outcome == BOOT_OK)
		judge_result(&choice, answer->result);
	else if (answer->outcome != BOOT_PANICKED)
		judge_end(&choice, answer);
	else if (!choice.rank) {
		trial->end = TRIAL_BROKEN;
		snprintf(trial->reason, sizeof(trial->reason), "%s", answer->reason);
	}
}
