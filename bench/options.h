/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * One table per command makes its parsing, its --help, and what the tests hold
 * its man page to. An option's value lands in the command's own struct, at
 * @offset, with the C type that its kind names.
 */
enum option_kind {
	OPTION_FLAG,	/* bool: --json */
	OPTION_STRING,	/* const char *: --seed-file FILE; points into argv */
	OPTION_NUMBER,	/* uint64_t, decimal or 0x…, from @min to @max */
	OPTION_PERCENT, /* double: above 0, at most 100; "2.5" or "2.5%" */
	OPTION_CHOICE,	/* const char *, one of @choices (NULL-terminated) */
	OPTION_LIST,	/* struct string_list: may be given many times */
	OPTION_PRESET,	/* a flag that stores @preset, a const char *: --quick is --profile quick */
};

struct string_list {
	const char **items; /* point into argv; the array is freed by options_release */
	size_t count;
};

struct option_spec {
	const char *name; /* without the dashes */
	char letter;	  /* a short form, or 0 */
	enum option_kind kind;
	const char *argument; /* how help names the value, with its unit: "N", "DIR", "LIMIT_S";
				 NULL for a flag */
	const char *help;     /* one line; the default is appended from @standard */
	const char *standard; /* the default as text, shown by help and parsed as the value; may be
				 NULL */
	const char *const *choices;
	uint64_t min, max;  /* OPTION_NUMBER; max 0 means UINT64_MAX */
	const char *preset; /* OPTION_PRESET */
	size_t offset;
};

#define OPTIONS_END          \
	{                    \
		.name = NULL \
	}

struct command {
	const char *name;
	const char *summary;		   /* one line, for `proxeval --help` */
	const char *usage;		   /* what follows the name: "[WORKLOAD…] [OPTION…]" */
	const char *const *description;	   /* paragraphs for --help, NULL-terminated */
	const struct option_spec *options; /* ended by OPTIONS_END; may be NULL */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
	bool hidden;			   /* works, but `--help` of the program leaves it out */
};

/*
 * Parses argv by command->options into @values. What is not an option is collected
 * in @operands (may be NULL: then an operand is a usage error). Both "--name value"
 * and "--name=value" work, options and operands mix, "--" ends options.
 *
 * Returns 0 to go on; -EAGAIN when --help was printed (exit with EXIT_FINE);
 * -EINVAL when the line was wrong and the one sentence about it was printed.
 */
int options_parse(const struct command *command, int argc, char **argv, void *values,
		  struct string_list *operands);

/*
 * The two halves of it, for a command that also takes options from elsewhere in between:
 * options_parse_given stores what is on the line alone and notes it in @given, an element per
 * entry of the table (OPTIONS_MAX are enough); options_store_standards stores the standard of
 * every option that @given does not have.
 */
#define OPTIONS_MAX 64
int options_parse_given(const struct command *command, int argc, char **argv, void *values,
			struct string_list *operands, bool *given);
int options_store_standards(const struct command *command, void *values, const bool *given);

/* The exit code for a non-zero answer of options_parse. */
int options_exit_code(int err);

/* Frees what OPTION_LIST options and @operands (may be NULL) hold. */
void options_release(const struct command *command, void *values, struct string_list *operands);

/* Prints `proxeval COMMAND --help`. */
void options_print_help(FILE *out, const struct command *command);

/* Appends to a list. 0 or -ENOMEM. */
int string_list_add(struct string_list *list, const char *item);

/* "5", "2.5" or "2.5%": more than 0 and at most 100. 0 or -EINVAL. */
int parse_percent(const char *text, double *out);

/* A number with nothing after it; 0, -EINVAL or -ERANGE. */
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
