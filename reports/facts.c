// SPDX-License-Identifier: GPL-2.0-only
/* What was measured, in named lines that every report shows. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "reports/buffer.h"
#include "reports/overview.h"
#include "reports/sequential.h"

/* One of a boot's or variant's properties as text on the analysis' arena; NULL: not known. */
typedef const char *(*property)(struct analysis *analysis, size_t variant);

static int add_fact(struct analysis *analysis, const char *name, struct buffer *text)
{
	struct fact *added = NULL;
	bool is_empty = !text->length;

	if (!text->failed && !is_empty)
		added = arena_append(&analysis->arena, &analysis->facts, &analysis->n_facts,
				     sizeof(*added));
	if (added)
		*added = (struct fact){name, arena_text(&analysis->arena, text->text)};
	if (text->failed || (!is_empty && (!added || !added->text))) {
		buffer_release(text);
		return -ENOMEM;
	}
	buffer_release(text);
	return 0;
}

static struct json_object *environment_of(const struct analysis *analysis, size_t variant)
{
	const struct boot *boot = analysis->variants[variant].example;

	return boot ? boot_environment(boot) : NULL;
}

static const char *get_kernel(struct analysis *analysis, size_t variant)
{
	return analysis->results->variants[variant].kernel;
}

static const char *get_base(struct analysis *analysis, size_t variant)
{
	return analysis->results->variants[variant].base;
}

static const char *get_patches(struct analysis *analysis, size_t variant)
{
	const struct results *results = analysis->results;

	/* None beside some is worth a word; none at all is not. */
	for (size_t i = 0; i < results->n_variants; i++)
		if (results->variants[i].patches && !results->variants[variant].patches)
			return "none";
	return results->variants[variant].patches;
}

static const char *get_image(struct analysis *analysis, size_t variant)
{
	const char *image = analysis->results->variants[variant].image_sha256;

	return image ? arena_format(&analysis->arena, "SHA-256 %.12s", image) : NULL;
}

static const char *get_arguments(struct analysis *analysis, size_t variant)
{
	const char *arguments = analysis->results->variants[variant].arguments;

	return *arguments ? arguments : "(none)";
}

static const char *get_qemu(struct analysis *analysis, size_t variant)
{
	return json_text_at(environment_of(analysis, variant),
			    (const char *[]){"qemu", "version", NULL});
}

static const char *get_topology(struct analysis *analysis, size_t variant)
{
	static const char *const keys[] = {"nodes", "llcs", "cores", "cpus"};
	struct json_object *topology = NULL, *count;
	const char *text = "";

	if (!json_object_object_get_ex(environment_of(analysis, variant), "topology", &topology) ||
	    !json_object_is_type(topology, json_type_object))
		return NULL;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && text; i++)
		if (json_object_object_get_ex(topology, keys[i], &count) &&
		    json_object_is_type(count, json_type_int))
			text = arena_format(&analysis->arena, "%s%s%s %lld", text,
					    *text ? ", " : "", keys[i],
					    (long long)json_object_get_int64(count));
	return text && *text ? text : NULL;
}

static bool is_same_value(const char *a, const char *b)
{
	return !a || !b ? a == b : !strcmp(a, b);
}

/* "proxy@7.3.1, !proxy@7.3.1: VALUE; …": each value once, behind the variants that have it. */
static void add_values(struct buffer *text, const struct analysis *analysis,
		       const char *const *values)
{
	const struct results *results = analysis->results;

	for (size_t i = 0; i < results->n_variants; i++) {
		bool is_said = false;

		for (size_t j = 0; j < i; j++)
			is_said |= is_same_value(values[j], values[i]);
		if (is_said)
			continue;
		buffer_format(text, "%s%s", text->length ? "; " : "", results->variants[i].label);
		for (size_t j = i + 1; j < results->n_variants; j++)
			if (is_same_value(values[j], values[i]))
				buffer_format(text, ", %s", results->variants[j].label);
		buffer_format(text, ": %s", values[i] ? values[i] : "-");
	}
}

/* Once where all variants that know it have the same; else with the labels. */
static int add_property(struct analysis *analysis, const char *name, property get)
{
	const struct results *results = analysis->results;
	const char **values =
		arena_alloc(&analysis->arena, (results->n_variants + 1) * sizeof(*values));
	const char *first = NULL;
	struct buffer text = {0};
	bool is_same = true;

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < results->n_variants; i++) {
		values[i] = get(analysis, i);
		if (!first)
			first = values[i];
		is_same &= !values[i] || !strcmp(first, values[i]);
	}
	if (is_same && first)
		buffer_add(&text, first);
	else if (!is_same)
		add_values(&text, analysis, values);
	return add_fact(analysis, name, &text);
}

static int add_campaigns(struct analysis *analysis)
{
	const struct results *results = analysis->results;
	const char *first = NULL;
	struct buffer text = {0};
	int err;

	for (size_t i = 0; i < results->n_campaigns; i++) {
		const struct campaign_info *campaign = &results->campaigns[i];

		buffer_format(&text, "%s%s", i ? ", " : "", campaign->id);
		if (campaign->has_seed)
			buffer_format(&text, " (seed %llu)", (unsigned long long)campaign->seed);
	}
	err = add_fact(analysis, "campaign", &text);
	for (size_t i = 0; i < results->n_boots; i++) {
		const char *started = results->boots[i].started;

		if (started && (!first || strcmp(started, first) < 0))
			first = started;
	}
	buffer_add(&text, first ? first : "");
	if (!err)
		err = add_fact(analysis, "first boot", &text);
	buffer_format(&text, "%s, %s time", results->target, results->time);
	return err ? err : add_fact(analysis, "target", &text);
}

static int add_stopping(struct analysis *analysis)
{
	struct buffer text = {0};

	sequential_describe(&text, analysis);
	return add_fact(analysis, "looks", &text);
}

static int add_placements(struct analysis *analysis)
{
	const struct section_info *sections = analysis->results->sections;
	struct buffer text = {0};

	for (size_t i = 0; i < analysis->results->n_sections; i++) {
		bool is_new = true;

		for (size_t j = 0; j < i; j++)
			is_new &= strcmp(sections[j].placement, sections[i].placement) != 0;
		if (is_new)
			buffer_format(&text, "%s%s", i ? ", " : "", sections[i].placement);
	}
	return add_fact(analysis, "placements", &text);
}

/* The sections are in the order of workload and parameters. */
static int add_parameters(struct analysis *analysis)
{
	const struct section_info *sections = analysis->results->sections;
	struct buffer text = {0};

	for (size_t i = 0; i < analysis->results->n_sections; i++) {
		bool is_new = !i || strcmp(sections[i - 1].workload, sections[i].workload) ||
			      strcmp(sections[i - 1].params, sections[i].params);

		if (is_new)
			buffer_format(&text, "%s%s %s", i ? "; " : "", sections[i].workload,
				      sections[i].params);
	}
	return add_fact(analysis, "parameters", &text);
}

int facts_make(struct analysis *analysis)
{
	static const struct {
		const char *name;
		property get;
	} properties[] = {
		{"kernel", get_kernel}, {"base", get_base},	      {"patches", get_patches},
		{"image", get_image},	{"arguments", get_arguments}, {"topology", get_topology},
		{"QEMU", get_qemu},
	};
	int err = analysis->results->n_boots ? add_campaigns(analysis) : 0;

	if (!err)
		err = add_stopping(analysis);
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties) && !err; i++)
		err = add_property(analysis, properties[i].name, properties[i].get);
	if (!err)
		err = add_placements(analysis);
	return err ? err : add_parameters(analysis);
}
