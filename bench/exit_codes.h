/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_EXIT_CODES_H
#define BENCH_EXIT_CODES_H

/* The exit codes of every command; doc/man/proxeval.1 has the same table. */
enum exit_code {
	EXIT_FINE = 0,	       /* the command did what was asked */
	EXIT_REGRESSION = 1,   /* a regression, or a violated invariant */
	EXIT_INCONCLUSIVE = 2, /* measured, but too little to decide */
	EXIT_USAGE = 3,	       /* the command line is wrong */
	EXIT_CANNOT = 4,       /* nothing could be measured here */
	EXIT_INVALID = 5,      /* a result or another input is invalid */
	EXIT_BROKE = 6,	       /* the run itself broke */
};

#endif
