// SPDX-License-Identifier: GPL-2.0-only
/* The documents of an exploration, written and read strictly. */
#include "bench/explore.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/clock.h"

#define EXPLORE_FORMAT "proxeval-explore"
#define FIND_FORMAT    "proxeval-find"
#define SUMMARY_FORMAT "proxeval-explore-summary"

/* Where an x86 image says where its version is, less one sector. */
#define VERSION_OFFSET 0x20e
#define SECTOR_BYTES   0x200

void explore_read_release(const char *image_path, char *out, size_t size)
{
	int fd = open(image_path, O_RDONLY | O_CLOEXEC);
	unsigned char offset[2];
	ssize_t got = -1;

	if (fd >= 0 && pread(fd, offset, 2, VERSION_OFFSET) == 2)
		got = pread(fd, out, size - 1, (offset[0] | offset[1] << 8) + SECTOR_BYTES);
	if (fd >= 0)
		close(fd);
	out[got > 0 ? got : 0] = '\0';
	out[strcspn(out, " ")] = '\0';
	for (const char *at = out; *at; at++)
		if (*at < ' ' || *at > '~')
			*out = '\0';
	if (!*out)
		snprintf(out, size, "?");
}

/* ---- writing ------------------------------------------------------------------------------ */

static void add_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *begin(const char *format)
{
	struct json_object *document = json_object_new_object();

	add_text(document, "format", format);
	add_number(document, "version", 1);
	return document;
}

static struct json_object *guest_to_json(const struct guest_identity *guest)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "label", guest->label);
	add_text(object, "arguments", guest->arguments);
	add_text(object, "topology", guest->topology);
	add_number(object, "memory_mib", guest->memory_mib);
	add_number(object, "watchdog_s", guest->watchdog_s);
	add_text(object, "image_path", guest->image_path);
	add_text(object, "image_sha256", guest->image_sha256);
	add_text(object, "guest_sha256", guest->guest_sha256);
	add_text(object, "kernel", guest->kernel);
	add_text(object, "qemu", guest->qemu);
	return object;
}

struct json_object *explore_to_json(const struct explore *explore)
{
	const struct explore_order *order = &explore->order;
	struct json_object *document = begin(EXPLORE_FORMAT), *only = NULL;

	if (order->choice.has_only) {
		only = json_object_new_array();
		for (int i = 0; i < STRESS_MECHANISMS; i++)
			if (order->choice.only[i])
				json_object_array_add(
					only, json_object_new_string(stress_mechanism_names[i]));
	}
	add_text(document, "id", explore->id);
	add_number(document, "first_seed", order->first_seed);
	add_number(document, "seeds", order->seeds);
	add_number(document, "duration_ns", order->duration_ns);
	add_number(document, "max_rounds", order->max_rounds);
	add_bool(document, "until_found", order->until_found);
	add_number(document, "shrink_runs", order->shrink_runs);
	json_object_object_add(document, "only", only);
	json_object_object_add(document, "guest", guest_to_json(&explore->guest));
	return document;
}

static struct json_object *signature_to_json(const struct signature *signature)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "kind", signature->kind);
	add_text(object, "text", signature->text);
	add_text(object, "line", signature->line);
	add_number(object, "at_ns", signature->at_ns);
	return object;
}

struct json_object *find_to_json(const struct explore *explore, const struct find *find)
{
	struct json_object *document = begin(FIND_FORMAT), *first = json_object_new_object();

	add_number(document, "number", find->number);
	add_number(document, "seed", find->seed);
	json_object_object_add(document, "signature", signature_to_json(&find->signature));
	add_number(document, "actors", find->plan.n_actors);
	add_number(document, "rounds", find->rounds);
	add_bool(document, "is_shrunk", find->is_shrunk);
	add_bool(document, "is_known", find->is_known);
	add_number(first, "actors", find->first_actors);
	add_number(first, "rounds", find->first_rounds);
	add_number(first, "at_ns", find->first_at_ns);
	json_object_object_add(document, "first", first);
	json_object_object_add(document, "guest", guest_to_json(&explore->guest));
	return document;
}

static struct json_object *find_summary(const struct find *find)
{
	struct json_object *object = json_object_new_object();
	char folder[32];

	snprintf(folder, sizeof(folder), "finds/%04u", find->number);
	add_text(object, "folder", folder);
	json_object_object_add(object, "signature", signature_to_json(&find->signature));
	add_number(object, "seed", find->seed);
	add_number(object, "seeds", find->n_seeds);
	add_number(object, "actors", find->plan.n_actors);
	add_number(object, "rounds", find->rounds);
	add_bool(object, "is_shrunk", find->is_shrunk);
	add_bool(object, "is_known", find->is_known);
	return object;
}

struct json_object *explore_summary(const struct explore *explore)
{
	struct json_object *document = begin(SUMMARY_FORMAT), *finds = json_object_new_array();
	double rate = explore->now_s > 0 ? 60 * (double)explore->n_now / explore->now_s : 0;

	add_text(document, "id", explore->id);
	add_bool(document, "is_complete", explore_is_complete(explore));
	add_number(document, "seeds", explore->order.seeds);
	add_number(document, "seeds_done", explore->n_done);
	add_number(document, "seeds_found", explore->n_found);
	add_number(document, "seeds_broken", explore->n_broken);
	add_number(document, "seeds_without_progress", explore->n_no_progress);
	add_number(document, "operations", explore->n_operations);
	json_object_object_add(document, "seeds_per_minute",
			       explore->n_now ? json_object_new_double(rate) : NULL);
	for (size_t i = 0; i < explore->n_finds; i++)
		json_object_array_add(finds, find_summary(&explore->finds[i]));
	json_object_object_add(document, "finds", finds);
	return document;
}

/* ---- reading: the first thing that is wrong is kept ----------------------------------------- */

struct reading {
	char *problem;
	size_t problem_size;
	bool has_failed;
};

static struct json_object *take(struct reading *reading, struct json_object *object,
				const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	if (json_object_object_get_ex(object, key, &value) && json_object_is_type(value, type))
		return value;
	if (!reading->has_failed)
		snprintf(reading->problem, reading->problem_size, "\"%s\" is missing or wrong",
			 key);
	reading->has_failed = true;
	return NULL;
}

static const char *take_text(struct reading *reading, struct json_object *object, const char *key)
{
	const char *text = json_object_get_string(take(reading, object, key, json_type_string));

	return text ? text : "";
}

static uint64_t take_number(struct reading *reading, struct json_object *object, const char *key,
			    uint64_t max)
{
	struct json_object *value = take(reading, object, key, json_type_int);
	int64_t number = json_object_get_int64(value);

	if (value && number >= 0 && (uint64_t)number <= max)
		return (uint64_t)number;
	if (!reading->has_failed)
		snprintf(reading->problem, reading->problem_size, "\"%s\" is out of range", key);
	reading->has_failed = true;
	return 0;
}

static bool take_bool(struct reading *reading, struct json_object *object, const char *key)
{
	return json_object_get_boolean(take(reading, object, key, json_type_boolean));
}

static void expect_keys(struct reading *reading, struct json_object *object, int count)
{
	if (reading->has_failed || json_object_object_length(object) == count)
		return;
	snprintf(reading->problem, reading->problem_size, "it has a key that is not known");
	reading->has_failed = true;
}

static void expect_format(struct reading *reading, struct json_object *document, const char *format)
{
	if (!json_object_is_type(document, json_type_object) ||
	    strcmp(take_text(reading, document, "format"), format) != 0 ||
	    take_number(reading, document, "version", 1) != 1) {
		if (!reading->has_failed)
			snprintf(reading->problem, reading->problem_size,
				 "it is no %s of version 1", format);
		reading->has_failed = true;
	}
}

static char *copy_text(struct reading *reading, struct json_object *object, const char *key)
{
	char *copy = strdup(take_text(reading, object, key));

	if (!copy && !reading->has_failed)
		snprintf(reading->problem, reading->problem_size, "there is no memory");
	reading->has_failed |= !copy;
	return copy;
}

static void copy_hash(struct reading *reading, struct json_object *object, const char *key,
		      char hash[SHA256_HEX_SIZE])
{
	const char *text = take_text(reading, object, key);

	if (strlen(text) == SHA256_HEX_SIZE - 1) {
		memcpy(hash, text, SHA256_HEX_SIZE);
		return;
	}
	if (!reading->has_failed)
		snprintf(reading->problem, reading->problem_size, "\"%s\" is no SHA-256", key);
	reading->has_failed = true;
}

static void read_guest(struct reading *reading, struct json_object *document,
		       struct guest_identity *guest)
{
	struct json_object *object = take(reading, document, "guest", json_type_object);

	if (!object)
		return;
	guest->label = copy_text(reading, object, "label");
	guest->arguments = copy_text(reading, object, "arguments");
	guest->topology = copy_text(reading, object, "topology");
	guest->memory_mib = take_number(reading, object, "memory_mib", 1u << 20);
	guest->watchdog_s = take_number(reading, object, "watchdog_s", 86400);
	guest->image_path = copy_text(reading, object, "image_path");
	copy_hash(reading, object, "image_sha256", guest->image_sha256);
	copy_hash(reading, object, "guest_sha256", guest->guest_sha256);
	snprintf(guest->kernel, sizeof(guest->kernel), "%s", take_text(reading, object, "kernel"));
	snprintf(guest->qemu, sizeof(guest->qemu), "%s", take_text(reading, object, "qemu"));
	expect_keys(reading, object, 10);
}

static void read_only(struct reading *reading, struct json_object *document,
		      struct stress_choice *choice)
{
	struct json_object *only;

	if (json_object_object_get_ex(document, "only", &only) && !only)
		return;
	only = take(reading, document, "only", json_type_array);
	choice->has_only = true;
	for (size_t i = 0; only && i < json_object_array_length(only); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(only, i));
		int mechanism = stress_mechanism_find(name ? name : "");

		if (mechanism >= 0) {
			choice->only[mechanism] = true;
		} else if (!reading->has_failed) {
			snprintf(reading->problem, reading->problem_size,
				 "\"only\" has a mechanism that is not known");
			reading->has_failed = true;
		}
	}
}

int explore_from_json(struct explore *explore, struct json_object *document, char *problem,
		      size_t problem_size)
{
	struct reading reading = {.problem = problem, .problem_size = problem_size};
	struct explore_order *order = &explore->order;

	expect_format(&reading, document, EXPLORE_FORMAT);
	explore->id = copy_text(&reading, document, "id");
	order->first_seed = take_number(&reading, document, "first_seed", EXPLORE_MAX_SEED);
	order->seeds = take_number(&reading, document, "seeds", EXPLORE_MAX_SEED);
	order->duration_ns = take_number(&reading, document, "duration_ns", 86400 * NS_PER_S);
	order->max_rounds = take_number(&reading, document, "max_rounds", STRESS_MAX_ROUNDS);
	order->until_found = take_bool(&reading, document, "until_found");
	order->shrink_runs = take_number(&reading, document, "shrink_runs", UINT32_MAX);
	read_only(&reading, document, &order->choice);
	read_guest(&reading, document, &explore->guest);
	expect_keys(&reading, document, 11);
	order->label = explore->guest.label;
	order->arguments = explore->guest.arguments;
	order->topology = explore->guest.topology;
	order->image_path = explore->guest.image_path;
	order->memory_mib = (unsigned int)explore->guest.memory_mib;
	order->watchdog_s = (unsigned int)explore->guest.watchdog_s;
	return reading.has_failed ? -EINVAL : 0;
}

static void read_signature(struct reading *reading, struct json_object *document,
			   struct signature *signature)
{
	struct json_object *object = take(reading, document, "signature", json_type_object);

	if (!object)
		return;
	snprintf(signature->kind, sizeof(signature->kind), "%s",
		 take_text(reading, object, "kind"));
	snprintf(signature->text, sizeof(signature->text), "%s",
		 take_text(reading, object, "text"));
	snprintf(signature->line, sizeof(signature->line), "%s",
		 take_text(reading, object, "line"));
	signature->at_ns = take_number(reading, object, "at_ns", INT64_MAX);
	expect_keys(reading, object, 4);
}

int find_from_json(struct find_folder *out, struct json_object *document, char *problem,
		   size_t problem_size)
{
	struct reading reading = {.problem = problem, .problem_size = problem_size};
	struct json_object *first;
	struct find *find = &out->find;

	expect_format(&reading, document, FIND_FORMAT);
	find->number = (unsigned int)take_number(&reading, document, "number", UINT32_MAX);
	find->seed = take_number(&reading, document, "seed", EXPLORE_MAX_SEED);
	read_signature(&reading, document, &find->signature);
	take_number(&reading, document, "actors", STRESS_MAX_ACTORS);
	find->rounds = (unsigned int)take_number(&reading, document, "rounds", STRESS_MAX_ROUNDS);
	find->is_shrunk = take_bool(&reading, document, "is_shrunk");
	find->is_known = take_bool(&reading, document, "is_known");
	first = take(&reading, document, "first", json_type_object);
	if (first) {
		find->first_actors = take_number(&reading, first, "actors", STRESS_MAX_ACTORS);
		find->first_rounds =
			(unsigned int)take_number(&reading, first, "rounds", STRESS_MAX_ROUNDS);
		find->first_at_ns = take_number(&reading, first, "at_ns", INT64_MAX);
		expect_keys(&reading, first, 3);
	}
	read_guest(&reading, document, &out->guest);
	expect_keys(&reading, document, 11);
	return reading.has_failed ? -EINVAL : 0;
}
