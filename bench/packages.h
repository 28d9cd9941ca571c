/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_PACKAGES_H
#define BENCH_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What scripts/packages.txt asks of the distribution, whether it is here, and what the
 * package is called where it is not.
 */
struct package_need {
	char need[16];	  /* what it is for: "build", "kernel", "vm", "test" */
	char check[128];  /* how its presence shows: "cmd:bc", "header:gelf.h" … */
	char package[64]; /* Debian's name for it */
};

/* Reads the list at @path into an array that the caller frees. 0; -EBADMSG for a line that is not
 * one. */
int packages_load(const char *path, struct package_need **needs, size_t *count);

/* Whether a check is met on this machine. An unknown kind of check is not. */
bool is_package_check_met(const char *check);

/* Distributions by their way of installing. */
enum package_family {
	FAMILY_APT,
	FAMILY_DNF,
	FAMILY_ZYPPER,
	FAMILY_PACMAN,
	FAMILY_OTHER, /* Debian's names are told, for want of better ones */
};

/* By ID and ID_LIKE of an os-release file. */
enum package_family package_family_of(const char *os_release_text);

/* "apt-get install", "dnf install" …; NULL for FAMILY_OTHER. */
const char *package_install_command(enum package_family family);

/* What a family calls the package that Debian calls @debian_name. */
const char *package_name_in(enum package_family family, const char *debian_name);

#endif
