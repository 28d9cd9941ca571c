// SPDX-License-Identifier: GPL-2.0-only
/* What is decided before the first boot: the order, the seeds, campaign.json. */
#include "bench/campaign_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "bench/files.h"
#include "bench/kernel.h"
#include "bench/message.h"
#include "bench/seed.h"
#include "reports/json_strict.h"
#include "reports/sequential.h"

/*
 * The metronome's period. A virtual CPU's turn ends at the latest with the next beat, so
 * that a wakeup of another CPU may come a beat late: 0.1 to 0.3 ms, a few per cent of the
 * shortest section. Every beat costs its instructions: at 50 µs, a campaign takes half as
 * long again. The range is wide enough that two seeds rarely beat alike.
 */
#define METRONOME_MIN_NS   100000u
#define METRONOME_RANGE_NS 200000u

/* Fisher and Yates, with numbers drawn from @seed. */
static void shuffle(unsigned int *order, unsigned int count, uint64_t seed)
{
	for (unsigned int i = count; i > 1; i--) {
		unsigned int other = (unsigned int)(seed_mix(seed, i) % i), kept = order[i - 1];

		order[i - 1] = order[other];
		order[other] = kept;
	}
}

void campaign_draw_order(uint64_t seed, enum time_kind time, unsigned int n_variants,
			 unsigned int rounds, struct campaign_boot *boots)
{
	uint64_t order_seed = seed_mix(seed, SEED_ORDER), boot_seed = seed_mix(seed, SEED_BOOT);
	unsigned int *order = calloc(n_variants, sizeof(*order));

	for (unsigned int index = 0; order && index < n_variants * rounds; index++) {
		unsigned int round = index / n_variants, place = index % n_variants;
		unsigned int draw = time == TIME_VIRTUAL ? index : round;

		if (!place && round % 2 == 0) {
			for (unsigned int i = 0; i < n_variants; i++)
				order[i] = i;
			shuffle(order, n_variants, seed_mix(order_seed, round / 2));
		}
		boots[index] = (struct campaign_boot){
			.index = index,
			.round = round,
			.variant = order[round % 2 ? n_variants - 1 - place : place],
			.seed = seed_mix(boot_seed, draw) & CAMPAIGN_MAX_SEED,
		};
	}
	free(order);
}

uint64_t campaign_attempt_seed(uint64_t boot_seed, unsigned int attempt)
{
	if (!attempt)
		return boot_seed;
	return seed_mix(seed_mix(boot_seed, SEED_ATTEMPT), attempt) & CAMPAIGN_MAX_SEED;
}

uint64_t campaign_metronome_period_ns(enum time_kind time, uint64_t seed)
{
	if (time != TIME_VIRTUAL)
		return 0;
	return METRONOME_MIN_NS + seed_mix(seed, SEED_METRONOME) % METRONOME_RANGE_NS;
}

/* Copies the keys of the kernel's manifest that a result needs. */
static int add_manifest(struct json_object *object, const char *path)
{
	struct json_object *manifest, *value;
	char problem[200];
	int err;

	if (!path)
		return 0;
	err = json_strict_load(path, KERNEL_MANIFEST_MAX_BYTES, &manifest, problem,
			       sizeof(problem));
	if (err) {
		message_error("the kernel's manifest %s: %s", path, problem);
		return err;
	}
	if (json_object_object_get_ex(manifest, "base", &value))
		json_object_object_add(object, "base", json_object_get(value));
	if (json_object_object_get_ex(manifest, "series", &value))
		json_object_object_add(object, "series", json_object_get(value));
	json_object_put(manifest);
	return 0;
}

static int describe_variant(const struct variant *variant, struct json_object *list)
{
	struct json_object *object = json_object_new_object();
	char sha256[SHA256_HEX_SIZE];
	int err = 0;

	add_text(object, "label", variant->label);
	add_text(object, "image_path", variant->image_path);
	if (variant->image_path)
		err = sha256_file(variant->image_path, sha256);
	if (err)
		message_errno(err, "cannot read the kernel image %s", variant->image_path);
	add_text(object, "image_sha256", variant->image_path && !err ? sha256 : NULL);
	add_text(object, "arguments", variant->arguments);
	add_text(object, "manifest_path", variant->manifest_path);
	if (!err)
		err = add_manifest(object, variant->manifest_path);
	json_object_array_add(list, object);
	return err;
}

static int describe_boots(const struct campaign_request *request, struct json_object *list)
{
	size_t count = request->n_variants * request->boots;
	struct campaign_boot *boots = calloc(count, sizeof(*boots));

	if (!boots)
		return message_errno(-ENOMEM, "cannot draw the order of %zu boots", count);
	campaign_draw_order(request->seed, request->time, (unsigned int)request->n_variants,
			    request->boots, boots);
	for (size_t i = 0; i < count; i++) {
		struct json_object *object = json_object_new_object();

		add_number(object, "index", boots[i].index);
		add_number(object, "round", boots[i].round);
		add_text(object, "variant", request->variants[boots[i].variant].label);
		add_number(object, "seed", boots[i].seed);
		json_object_array_add(list, object);
	}
	free(boots);
	return 0;
}

/* campaign.json: everything that is decided before the first boot. */
int campaign_make_document(const struct campaign_request *request, const char *id,
			   struct json_object **out)
{
	struct json_object *document = json_object_new_object();
	struct json_object *variants = json_object_new_array(), *boots = json_object_new_array();
	int err = 0;

	for (size_t i = 0; i < request->n_variants && !err; i++)
		err = describe_variant(&request->variants[i], variants);
	if (!err)
		err = describe_boots(request, boots);
	add_text(document, "format", "proxeval-campaign");
	add_number(document, "version", 1);
	add_text(document, "id", id);
	add_number(document, "seed", request->seed);
	add_text(document, "target", request->target->name);
	add_text(document, "time", time_kind_name(request->time));
	add_text(document, "pairing", request->time == TIME_VIRTUAL ? "independent" : "rounds");
	add_text(document, "profile", request->profile);
	add_text(document, "topology", request->topology);
	add_number(document, "memory_mib", request->memory_mib);
	add_number(document, "watchdog_s", request->watchdog_s);
	if (request->sequential)
		json_object_object_add(document, "sequential",
				       sequential_plan_to_json(request->sequential));
	json_object_object_add(document, "variants", variants);
	json_object_object_add(document, "work", json_object_get(request->work));
	json_object_object_add(document, "boots", boots);
	if (err)
		json_object_put(document);
	else
		*out = document;
	return err;
}
