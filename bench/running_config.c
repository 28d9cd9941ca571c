// SPDX-License-Identifier: GPL-2.0-only
#include "bench/running_config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bench/files.h"

/* A distribution's configuration has some 300 KiB; what is much larger is not one. */
#define CONFIG_MAX_BYTES (4u << 20)

struct running_config {
	char source[PATH_MAX];
	char *text; /* starts with a newline, so that every option's line follows one */
};

/* Reads a file, gzipped or plain (zlib passes plain text through), behind a newline. */
static int read_maybe_gzipped(const char *path, char **out)
{
	size_t capacity = 65536, size = 1;
	char *text, *grown;
	gzFile file;
	int got;

	file = gzopen(path, "rbe");
	if (!file)
		return errno ? -errno : -ENOMEM;
	text = malloc(capacity);
	if (!text)
		goto out_failed;
	text[0] = '\n';
	while ((got = gzread(file, text + size, (unsigned int)(capacity - size - 1))) > 0) {
		size += (size_t)got;
		if (capacity - size > 1)
			continue;
		capacity *= 2;
		grown = capacity > CONFIG_MAX_BYTES ? NULL : realloc(text, capacity);
		if (!grown)
			goto out_failed;
		text = grown;
	}
	if (got < 0 || size == 1)
		goto out_failed;
	text[size] = '\0';
	gzclose(file);
	*out = text;
	return 0;
out_failed:
	free(text);
	gzclose(file);
	return -ENODATA;
}

int running_config_load(struct running_config **out, const char *root)
{
	static const char *const places[] = {"/proc/config.gz", "/boot/config-%s",
					     "/lib/modules/%s/config",
					     "/lib/modules/%s/build/.config"};
	struct running_config *config = calloc(1, sizeof(*config));
	char path[PATH_MAX], release[128] = "";

	if (!config)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/proc/sys/kernel/osrelease", root);
	read_line(path, release, sizeof(release));
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const char *slot = strstr(places[i], "%s");
		int prefix = slot ? (int)(slot - places[i]) : (int)strlen(places[i]);

		if (slot && !*release)
			continue;
		snprintf(config->source, sizeof(config->source), "%.*s%s%s", prefix, places[i],
			 slot ? release : "", slot ? slot + 2 : "");
		if (snprintf(path, sizeof(path), "%s%s", root, config->source) >= (int)sizeof(path))
			continue;
		if (read_maybe_gzipped(path, &config->text))
			continue;
		*out = config;
		return 0;
	}
	free(config);
	return -ENODATA;
}

void running_config_free(struct running_config *config)
{
	if (!config)
		return;
	free(config->text);
	free(config);
}

const char *running_config_source(const struct running_config *config)
{
	return config->source;
}

void running_config_value(const struct running_config *config, const char *option, char *value,
			  size_t size)
{
	char key[128];
	const char *found;
	size_t length;

	snprintf(key, sizeof(key), "\n%s=", option);
	found = strstr(config->text, key);
	if (!found) {
		snprintf(value, size, "n");
		return;
	}
	found += strlen(key);
	length = strcspn(found, "\n");
	if (length >= 2 && found[0] == '"' && found[length - 1] == '"') {
		found++;
		length -= 2;
	}
	snprintf(value, size, "%.*s", (int)length, found);
}

bool running_config_has(const struct running_config *config, const char *option)
{
	char value[4];

	running_config_value(config, option, value, sizeof(value));
	return !strcmp(value, "y") || !strcmp(value, "m");
}
