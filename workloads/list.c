// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

/* One a line: clang-format would make columns of them, all anew with each. */
/* clang-format off */
const struct workload *const workloads[] = {
	&workload_cgroup_throttle,
	&workload_core_cookie,
	&workload_donor_migration,
	&workload_latency,
	&workload_lock_chain,
	&workload_lock_kinds,
	&workload_lock_torture,
	&workload_mutex_inversion,
	&workload_rename_inversion,
	&workload_rt_balance,
	&workload_sleeping_owner,
	&workload_throughput,
	&workload_wakeup_cost,
	NULL,
};
/* clang-format on */

const struct workload *workload_find(const char *name)
{
	for (const struct workload *const *workload = workloads; *workload; workload++)
		if (!strcmp((*workload)->name, name))
			return *workload;
	return NULL;
}

static const char *value_of(const struct workload *workload, const struct workload_run *run,
			    const char *name)
{
	for (size_t i = 0; workload->parameters[i].name; i++)
		if (!strcmp(workload->parameters[i].name, name))
			return run->values[i];
	abort(); /* the workload asks for what its own table does not have */
}

uint64_t workload_number(const struct workload *workload, const struct workload_run *run,
			 const char *name)
{
	return strtoull(value_of(workload, run, name), NULL, 0);
}

const char *workload_choice(const struct workload *workload, const struct workload_run *run,
			    const char *name)
{
	return value_of(workload, run, name);
}

/* Appends to the sentence as far as there is room. */
static void append(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	if (used < size)
		snprintf(text + used, size - used, "%s", more);
}

static int refuse_name(const struct workload *workload, const char *text, size_t length,
		       char *error, size_t error_size)
{
	snprintf(error, error_size, "%s has no parameter '%.*s'; it has", workload->name,
		 (int)length, text);
	for (size_t i = 0; workload->parameters[i].name; i++) {
		append(error, error_size, i ? ", " : " ");
		append(error, error_size, workload->parameters[i].name);
	}
	return -EINVAL;
}

static int check_choice(const struct workload *workload, const struct parameter_spec *parameter,
			const char *value, char *error, size_t error_size)
{
	for (size_t i = 0; parameter->choices[i]; i++)
		if (!strcmp(parameter->choices[i], value))
			return 0;
	snprintf(error, error_size, "%s: %s is one of", workload->name, parameter->name);
	for (size_t i = 0; parameter->choices[i]; i++) {
		append(error, error_size, i ? ", " : " ");
		append(error, error_size, parameter->choices[i]);
	}
	append(error, error_size, "; not '");
	append(error, error_size, value);
	append(error, error_size, "'");
	return -EINVAL;
}

static int check_number(const struct workload *workload, const struct parameter_spec *parameter,
			const char *value, char *error, size_t error_size)
{
	uint64_t number;

	if (!parse_number(value, parameter->min, parameter->max, &number))
		return 0;
	snprintf(error, error_size, "%s: %s is a number from %llu to %llu (%s); not '%s'",
		 workload->name, parameter->name, (unsigned long long)parameter->min,
		 (unsigned long long)parameter->max, parameter->unit, value);
	return -EINVAL;
}

int workload_check_values(const struct workload *workload, const char *const *values, char *error,
			  size_t error_size)
{
	return workload->check ? workload->check(values, error, error_size) : 0;
}

int workload_check_parameter(const struct workload *workload, const char *text, size_t *index,
			     const char **value_out, char *error, size_t error_size)
{
	const char *equals = strchr(text, '=');
	const struct parameter_spec *parameter;
	size_t length, i;

	if (!equals) {
		snprintf(error, error_size, "'%s' is not NAME=VALUE", text);
		return -EINVAL;
	}
	length = (size_t)(equals - text);
	for (i = 0; workload->parameters[i].name; i++)
		if (strlen(workload->parameters[i].name) == length &&
		    !strncmp(workload->parameters[i].name, text, length))
			break;
	parameter = &workload->parameters[i];
	if (!parameter->name)
		return refuse_name(workload, text, length, error, error_size);
	*index = i;
	if (value_out)
		*value_out = equals + 1;
	if (parameter->kind == PARAMETER_CHOICE)
		return check_choice(workload, parameter, equals + 1, error, error_size);
	return check_number(workload, parameter, equals + 1, error, error_size);
}
