// SPDX-License-Identifier: GPL-2.0-only
#include "bench/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "bench/options.h"
#include "workloads/workload.h"

struct sweep {
	const struct workload *workload;
	const struct parameter_spec *parameter;
	struct json_object *values;
	char *error;
	size_t error_size;
};

/* FIRST..LAST, then "+STEP" or "xFACTOR". */
struct range {
	uint64_t first, last, step, factor; /* of step and factor one is 0 */
};

char *parameter_plain_value(const struct parameter_spec *parameter, const char *value)
{
	uint64_t number;

	if (parameter->kind != PARAMETER_NUMBER || parse_number(value, 0, 0, &number))
		return strdup(value);
	return format_string("%" PRIu64, number);
}

static bool has_value(const struct sweep *sweep, const char *value)
{
	for (size_t i = 0; i < json_object_array_length(sweep->values); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(sweep->values, i)),
			    value))
			return true;
	return false;
}

static int check_new(const struct sweep *sweep, const char *value)
{
	if (has_value(sweep, value)) {
		snprintf(sweep->error, sweep->error_size, "%s: %s comes twice in the sweep",
			 sweep->parameter->name, value);
		return -EINVAL;
	}
	if (json_object_array_length(sweep->values) < SWEEP_MAX_VALUES)
		return 0;
	snprintf(
		sweep->error, sweep->error_size,
		"%s: a sweep has at most %d values; take a larger step, or a factor, as in 1..64x2",
		sweep->parameter->name, SWEEP_MAX_VALUES);
	return -EINVAL;
}

static int add_value(struct sweep *sweep, const char *value)
{
	char word[160], *plain;
	size_t index;
	int err;

	if (snprintf(word, sizeof(word), "%s=%s", sweep->parameter->name, value) >=
	    (int)sizeof(word)) {
		snprintf(sweep->error, sweep->error_size, "%s: '%.40s…' is too long for a value",
			 sweep->parameter->name, value);
		return -EINVAL;
	}
	err = workload_check_parameter(sweep->workload, word, &index, NULL, sweep->error,
				       sweep->error_size);
	if (err)
		return err;
	plain = parameter_plain_value(sweep->parameter, value);
	err = plain ? check_new(sweep, plain) : -ENOMEM;
	if (!err)
		json_object_array_add(sweep->values, json_object_new_string(plain));
	free(plain);
	return err;
}

/* Cuts @text at @separator and reads what is before it; the rest, or NULL when that is no number.
 */
static char *take_number(char *text, const char *separator, uint64_t *out)
{
	char *rest = strstr(text, separator);

	if (rest)
		*rest = '\0';
	if (parse_number(text, 0, 0, out))
		return NULL;
	return rest ? rest + strlen(separator) : text + strlen(text);
}

/* @text is a copy: it is cut into pieces. */
static bool parse_range(char *text, struct range *range)
{
	char *last = take_number(text, "..", &range->first);
	const char *sign = last ? strpbrk(last, "+x") : NULL;
	const char separator[] = {sign ? *sign : '+', '\0'}; /* it is cut away below */
	char *rest = last && *last ? take_number(last, separator, &range->last) : NULL;

	*range = (struct range){.first = range->first, .last = range->last, .step = 1};
	if (!rest || !sign)
		return rest != NULL;
	range->step = 0;
	return !parse_number(rest, 0, 0, *separator == 'x' ? &range->factor : &range->step);
}

static int add_range(struct sweep *sweep, const char *text)
{
	char copy[96];
	struct range range;
	int err = 0;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy) ||
	    !parse_range(copy, &range) || range.first > range.last ||
	    (range.factor ? range.factor < 2 || !range.first : !range.step)) {
		snprintf(sweep->error, sweep->error_size,
			 "%s: '%.60s' is no range; write FIRST..LAST, FIRST..LAST+STEP or "
			 "FIRST..LASTxFACTOR, as in 1..64x2",
			 sweep->parameter->name, text);
		return -EINVAL;
	}
	for (uint64_t value = range.first; !err;) {
		uint64_t next;
		char number[24];

		snprintf(number, sizeof(number), "%" PRIu64, value);
		err = add_value(sweep, number);
		if (range.factor ? __builtin_mul_overflow(value, range.factor, &next)
				 : __builtin_add_overflow(value, range.step, &next))
			break;
		if (next > range.last)
			break;
		value = next;
	}
	return err;
}

/* What stands between two commas. */
static int add_piece(struct sweep *sweep, const char *piece)
{
	if (!*piece) {
		snprintf(sweep->error, sweep->error_size,
			 "%s: a value is missing in the sweep; separate them by one comma",
			 sweep->parameter->name);
		return -EINVAL;
	}
	if (sweep->parameter->kind == PARAMETER_NUMBER && strstr(piece, ".."))
		return add_range(sweep, piece);
	return add_value(sweep, piece);
}

struct json_object *sweep_values(const struct workload *workload,
				 const struct parameter_spec *parameter, const char *text,
				 char *error, size_t error_size)
{
	struct sweep sweep = {.workload = workload,
			      .parameter = parameter,
			      .values = json_object_new_array(),
			      .error = error,
			      .error_size = error_size};
	char *copy = strdup(text), *rest = copy, *piece;
	int err = copy && sweep.values ? 0 : -ENOMEM;

	if (err)
		snprintf(error, error_size, "%s: there is not enough memory", parameter->name);
	while (!err && (piece = strsep(&rest, ",")))
		err = add_piece(&sweep, piece);
	free(copy);
	if (!err)
		return sweep.values;
	json_object_put(sweep.values);
	return NULL;
}
