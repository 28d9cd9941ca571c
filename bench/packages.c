// SPDX-License-Identifier: GPL-2.0-only
#include "bench/packages.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "bench/process.h"
#include "bench/qemu.h"

#define LIST_MAX_BYTES (1u << 20)

static int parse_line(const char *line, struct package_need *need)
{
	char rest[2];

	if (sscanf(line, "%15s %127s %63s %1s", need->need, need->check, need->package, rest) != 3)
		return -EBADMSG;
	return 0;
}

int packages_load(const char *path, struct package_need **needs, size_t *count)
{
	struct package_need *grown;
	char *text, *save = NULL;
	int err = read_file(path, LIST_MAX_BYTES, &text, NULL);

	if (err)
		return err;
	*needs = NULL;
	*count = 0;
	for (char *line = strtok_r(text, "\n", &save); line && !err;
	     line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#' || !line[strspn(line, " \t")])
			continue;
		grown = realloc(*needs, (*count + 1) * sizeof(*grown));
		if (!grown) {
			err = -ENOMEM;
			break;
		}
		*needs = grown;
		err = parse_line(line, &grown[(*count)++]);
	}
	free(text);
	if (err) {
		free(*needs);
		*needs = NULL;
	}
	return err;
}

static bool has_file(const char *pattern)
{
	glob_t found;
	bool any = !glob(pattern, GLOB_NOSORT, NULL, &found) && found.gl_pathc;

	globfree(&found);
	return any;
}

static bool has_header(const char *header)
{
	char plain[128], multiarch[128];

	snprintf(plain, sizeof(plain), "/usr/include/%s", header);
	snprintf(multiarch, sizeof(multiarch), "/usr/include/*-linux-gnu/%s", header);
	return has_file(plain) || has_file(multiarch);
}

/* Whether a program runs and is content with what it is asked. */
static bool is_content(const char *const *argv)
{
	char *text = NULL;
	bool content = is_program_available(argv[0]) && !process_capture(argv, &text);

	free(text);
	return content;
}

bool is_package_check_met(const char *check)
{
	const char *what = strchr(check, ':');
	char import[80];
	struct qemu_version version;

	if (!what)
		return false;
	what++;
	snprintf(import, sizeof(import), "import %s", what);
	if (!strncmp(check, "cmd:", 4))
		return is_program_available(what);
	if (!strncmp(check, "header:", 7))
		return has_header(what);
	if (!strncmp(check, "file:", 5))
		return has_file(what);
	if (!strncmp(check, "pc:", 3))
		return is_content((const char *const[]){"pkg-config", "--exists", what, NULL});
	if (!strncmp(check, "python:", 7))
		return is_content((const char *const[]){"python3", "-c", import, NULL});
	if (!strncmp(check, "qemu:", 5))
		return !qemu_find_version(&version) && version.major >= strtoul(what, NULL, 10);
	return false;
}

/* The value of KEY=VALUE of an os-release file, without quotes. */
static void find_os_release_value(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	*value = '\0';
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) || line[length] != '=')
			continue;
		line += length + 1;
		line += *line == '"' || *line == '\'';
		snprintf(value, size, "%.*s", (int)strcspn(line, "\"'\n"), line);
		return;
	}
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

enum package_family package_family_of(const char *os_release_text)
{
	static const struct {
		const char *word;
		enum package_family family;
	} known[] = {
		{"debian", FAMILY_APT},	     {"ubuntu", FAMILY_APT},  {"fedora", FAMILY_DNF},
		{"rhel", FAMILY_DNF},	     {"centos", FAMILY_DNF},  {"suse", FAMILY_ZYPPER},
		{"opensuse", FAMILY_ZYPPER}, {"sles", FAMILY_ZYPPER}, {"arch", FAMILY_PACMAN},
	};
	char id[64], like[128], words[200];

	find_os_release_value(os_release_text, "ID", id, sizeof(id));
	find_os_release_value(os_release_text, "ID_LIKE", like, sizeof(like));
	snprintf(words, sizeof(words), "%s %s", id, like);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (has_word(words, known[i].word))
			return known[i].family;
	return FAMILY_OTHER;
}

const char *package_install_command(enum package_family family)
{
	switch (family) {
	case FAMILY_APT:
		return "apt-get install";
	case FAMILY_DNF:
		return "dnf install";
	case FAMILY_ZYPPER:
		return "zypper install";
	case FAMILY_PACMAN:
		return "pacman -S";
	case FAMILY_OTHER:
		break;
	}
	return NULL;
}

const char *package_name_in(enum package_family family, const char *debian_name)
{
	/* Only the names that differ somewhere; in the order of the families behind Debian. */
	static const struct {
		const char *debian, *others[3];
	} names[] = {
		{"clang-format", {"clang-tools-extra", "clang-tools", "clang"}},
		{"libc6-dev", {"glibc-devel", "glibc-devel", "glibc"}},
		{"libcmocka-dev", {"libcmocka-devel", "libcmocka-devel", "cmocka"}},
		{"libelf-dev", {"elfutils-libelf-devel", "libelf-devel", "libelf"}},
		{"libgsl-dev", {"gsl-devel", "gsl-devel", "gsl"}},
		{"libhwloc-dev", {"hwloc-devel", "hwloc-devel", "hwloc"}},
		{"libjson-c-dev", {"json-c-devel", "libjson-c-devel", "json-c"}},
		{"libnuma-dev", {"numactl-devel", "libnuma-devel", "numactl"}},
		{"libssl-dev", {"openssl-devel", "libopenssl-devel", "openssl"}},
		{"libtraceevent-dev",
		 {"libtraceevent-devel", "libtraceevent-devel", "libtraceevent"}},
		{"nettle-dev", {"nettle-devel", "libnettle-devel", "nettle"}},
		{"pkg-config", {"pkgconf-pkg-config", "pkg-config", "pkgconf"}},
		{"python3", {"python3", "python3", "python"}},
		{"python3-jsonschema",
		 {"python3-jsonschema", "python3-jsonschema", "python-jsonschema"}},
		{"qemu-system-x86", {"qemu-system-x86-core", "qemu-x86", "qemu-system-x86"}},
		{"shellcheck", {"ShellCheck", "ShellCheck", "shellcheck"}},
		{"xz-utils", {"xz", "xz", "xz"}},
		{"zlib1g-dev", {"zlib-devel", "zlib-devel", "zlib"}},
	};

	if (family == FAMILY_APT || family == FAMILY_OTHER)
		return debian_name;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i].debian, debian_name))
			return names[i].others[family - FAMILY_DNF];
	return debian_name;
}
