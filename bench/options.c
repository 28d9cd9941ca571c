// SPDX-License-Identifier: GPL-2.0-only
#include "bench/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench/exit_codes.h"
#include "bench/message.h"

#define HELP_COLUMN 30

int string_list_add(struct string_list *list, const char *item)
{
	const char **grown = realloc(list->items, (list->count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	list->items[list->count++] = item;
	return 0;
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 0);
	if (*end)
		return -EINVAL;
	if (errno || value < min || value > (max ? max : UINT64_MAX))
		return -ERANGE;
	*out = value;
	return 0;
}

int parse_percent(const char *text, double *out)
{
	size_t whole = strspn(text, "0123456789"), length = whole;
	double value;

	if (text[length] == '.')
		length += 1 + strspn(text + length + 1, "0123456789");
	/* A point alone is no number, and an exponent no way to write a percentage. */
	if (!whole || text[length - 1] == '.' || strcmp(text + length + (text[length] == '%'), ""))
		return -EINVAL;
	value = strtod(text, NULL);
	if (!(value > 0) || value > 100)
		return -EINVAL;
	*out = value;
	return 0;
}

static size_t count_options(const struct command *command)
{
	size_t count = 0;

	while (command->options && command->options[count].name)
		count++;
	return count;
}

static int store_number(const struct command *command, const struct option_spec *option,
			const char *text, void *slot)
{
	int err = parse_number(text, option->min, option->max, slot);

	/* A negative number is a number, and out of every range. */
	if (err == -EINVAL && *text == '-' && text[1] &&
	    strspn(text + 1, "0123456789") == strlen(text + 1))
		err = -ERANGE;
	if (err == -ERANGE && option->max)
		message_error("--%s takes a number from %llu to %llu, not '%s'", option->name,
			      (unsigned long long)option->min, (unsigned long long)option->max,
			      text);
	else if (err)
		message_error("--%s takes a whole number, not '%s'; see 'proxeval %s --help'",
			      option->name, text, command->name);
	return err ? -EINVAL : 0;
}

static int store_percent(const struct option_spec *option, const char *text, double *slot)
{
	int err = parse_percent(text, slot);

	if (err)
		message_error("--%s takes per cent, more than 0 and at most 100, such as 5 or 2.5; "
			      "not '%s'",
			      option->name, text);
	return err;
}

static int store_choice(const struct option_spec *option, const char *text, const char **slot)
{
	char all[512] = "";

	for (const char *const *choice = option->choices; *choice; choice++) {
		if (!strcmp(*choice, text)) {
			*slot = *choice;
			return 0;
		}
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", *all ? ", " : "",
			 *choice);
	}
	message_error("--%s takes one of: %s; not '%s'", option->name, all, text);
	return -EINVAL;
}

static int store(const struct command *command, const struct option_spec *option, const char *text,
		 void *values)
{
	void *slot = (char *)values + option->offset;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)slot = true;
		return 0;
	case OPTION_STRING:
		*(const char **)slot = text;
		return 0;
	case OPTION_NUMBER:
		return store_number(command, option, text, slot);
	case OPTION_PERCENT:
		return store_percent(option, text, slot);
	case OPTION_CHOICE:
		return store_choice(option, text, slot);
	case OPTION_LIST:
		return string_list_add(slot, text);
	case OPTION_PRESET:
		*(const char **)slot = option->preset;
		return 0;
	}
	return -EINVAL;
}

int options_store_standards(const struct command *command, void *values, const bool *given)
{
	size_t count = count_options(command);

	for (size_t i = 0; i < count; i++) {
		const struct option_spec *option = &command->options[i];
		int err;

		if (given[i] || !option->standard || option->kind == OPTION_FLAG ||
		    option->kind == OPTION_PRESET)
			continue;
		err = store(command, option, option->standard, values);
		if (err)
			return err;
	}
	return 0;
}

static void fill_getopt(const struct command *command, struct option *longs, char *letters)
{
	size_t count = count_options(command);

	*letters++ = ':'; /* a missing argument is told apart from an unknown option */
	for (size_t i = 0; i < count; i++) {
		const struct option_spec *spec = &command->options[i];

		longs[i] =
			(struct option){.name = spec->name,
					.has_arg = spec->argument ? required_argument : no_argument,
					.val = (int)(i + 256)};
		if (!spec->letter)
			continue;
		*letters++ = spec->letter;
		if (spec->argument)
			*letters++ = ':';
	}
	longs[count] = (struct option){.name = "help", .val = 'h'};
	*letters++ = 'h';
	*letters = '\0';
}

static const struct option_spec *find_by_letter(const struct command *command, int letter)
{
	for (const struct option_spec *option = command->options; option && option->name; option++)
		if (option->letter && option->letter == letter)
			return option;
	return NULL;
}

static int complain(const struct command *command, int answer, char **argv)
{
	if (answer == ':')
		message_error("%s needs a value; see 'proxeval %s --help'", argv[optind - 1],
			      command->name);
	else
		message_error("'%s' is not an option of '%s'; see 'proxeval %s --help'",
			      argv[optind - 1], command->name, command->name);
	return -EINVAL;
}

static int collect_operands(const struct command *command, int argc, char **argv,
			    struct string_list *operands)
{
	for (int i = optind; i < argc; i++) {
		if (!operands) {
			message_error("'%s' takes no '%s'; see 'proxeval %s --help'", command->name,
				      argv[i], command->name);
			return -EINVAL;
		}
		/* A file's name is never empty, nor is any other: a script's variable is. */
		if (!*argv[i]) {
			message_error("'' is not the name of a result, a folder or anything else; "
				      "is a variable empty? See 'proxeval %s --help'",
				      command->name);
			return -EINVAL;
		}
		if (string_list_add(operands, argv[i]))
			return -ENOMEM;
	}
	return 0;
}

int options_parse_given(const struct command *command, int argc, char **argv, void *values,
			struct string_list *operands, bool *given)
{
	struct option longs[OPTIONS_MAX + 2] = {0};
	char letters[2 * OPTIONS_MAX + 4];
	int answer, err = 0;

	fill_getopt(command, longs, letters);
	optind = 0; /* GNU: start again from the beginning, whoever parsed before */
	opterr = 0;
	while (!err && (answer = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_spec *option;

		if (answer == 'h') {
			options_print_help(stdout, command);
			return -EAGAIN;
		}
		if (answer == '?' || answer == ':')
			return complain(command, answer, argv);
		option = answer >= 256 ? &command->options[answer - 256]
				       : find_by_letter(command, answer);
		given[option - command->options] = true;
		err = store(command, option, optarg, values);
	}
	return err ? err : collect_operands(command, argc, argv, operands);
}

int options_parse(const struct command *command, int argc, char **argv, void *values,
		  struct string_list *operands)
{
	bool given[OPTIONS_MAX] = {false};
	int err = options_parse_given(command, argc, argv, values, operands, given);

	return err ? err : options_store_standards(command, values, given);
}

int options_exit_code(int err)
{
	return err == -EAGAIN ? EXIT_FINE : EXIT_USAGE;
}

void options_release(const struct command *command, void *values, struct string_list *operands)
{
	for (const struct option_spec *option = command->options; option && option->name; option++)
		if (option->kind == OPTION_LIST)
			free(((struct string_list *)((char *)values + option->offset))->items);
	if (operands)
		free(operands->items);
}

static void print_option(FILE *out, const struct option_spec *option)
{
	char left[128];
	int length;

	length = snprintf(left, sizeof(left), "  %s%.1s%s--%s%s%s", option->letter ? "-" : "",
			  option->letter ? &option->letter : "", option->letter ? ", " : "",
			  option->name, option->argument ? " " : "",
			  option->argument ? option->argument : "");
	if (length >= HELP_COLUMN - 1)
		fprintf(out, "%s\n%*s%s", left, HELP_COLUMN, "", option->help);
	else
		fprintf(out, "%-*s%s", HELP_COLUMN, left, option->help);
	if (option->standard && *option->standard)
		fprintf(out, " [%s]", option->standard);
	fputc('\n', out);
}

void options_print_help(FILE *out, const struct command *command)
{
	fprintf(out, "Usage: proxeval %s %s\n\n%s.\n", command->name, command->usage,
		command->summary);
	for (const char *const *text = command->description; text && *text; text++)
		fprintf(out, "\n%s\n", *text);
	fputs("\nOptions:\n", out);
	for (const struct option_spec *option = command->options; option && option->name; option++)
		print_option(out, option);
	fprintf(out, "%-*s%s\n", HELP_COLUMN, "  -h, --help", "print this help");
}
