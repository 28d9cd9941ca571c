// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel CI's report format, KCIDB I/O schema version 5.3: a checkout and a build per variant,
 * a test per boot, per figure and per verdict. doc/internals.md says which verdict becomes
 * which status. The format has no null: what is not known is left out.
 */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "reports/export.h"

#define KCIDB_MAJOR	  5
#define KCIDB_MINOR	  3
#define KCIDB_EXCERPT_MAX 16384 /* bytes of a log excerpt */

struct submission {
	const struct analysis *analysis;
	const char *origin;
	struct json_object *checkouts, *builds, *tests;
};

/* Adds a string; nothing for NULL. Control characters but newlines and tabs become blanks. */
static void add_text(struct json_object *object, const char *key, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	for (char *c = copy; c && *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = ' ';
	if (copy)
		json_object_object_add(object, key, json_object_new_string(copy));
	free(copy);
}

static void add_count(struct json_object *object, const char *key, uint64_t count)
{
	json_object_object_add(object, key, json_object_new_uint64(count));
}

static void add_number(struct json_object *object, const char *key, double value)
{
	char text[EXACT_NUMBER_MAX];

	if (isfinite(value))
		json_object_object_add(object, key,
				       json_object_new_double_s(value, exact_number(value, text)));
}

/* "ORIGIN:" and a hash of what makes the thing the same thing; "" when memory is out. */
static char *make_id(const struct submission *submission, const char *what, const char *text)
{
	char hash[SHA256_HEX_SIZE];
	char *id;

	sha256_bytes(text, strlen(text), hash);
	id = format_string("%s:proxeval-%s-%.32s", submission->origin, what, hash);
	return id ? id : strdup("");
}

static struct json_object *new_object(const struct submission *submission, const char *id)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "id", json_object_new_string(id));
	json_object_object_add(object, "origin", json_object_new_string(submission->origin));
	return object;
}

static const char *or_unknown(const char *text)
{
	return text ? text : "?";
}

/* What the sources are known by: their release and their patches. The caller frees it. */
static char *checkout_id(const struct submission *submission, const struct variant_info *variant)
{
	char *text = format_string("%s\n%s\n%s", or_unknown(variant->base),
				   or_unknown(variant->patches), or_unknown(variant->kernel));
	char *id = make_id(submission, "checkout", text ? text : "");

	free(text);
	return id;
}

static char *build_id(const struct submission *submission, const struct variant_info *variant)
{
	char *text = format_string("%s\n%s\n%s\n%s", or_unknown(variant->image_sha256),
				   or_unknown(variant->kernel), or_unknown(variant->base),
				   or_unknown(variant->patches));
	char *id = make_id(submission, "build", text ? text : "");

	free(text);
	return id;
}

static bool has_id(struct json_object *list, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *object = json_object_array_get_idx(list, i);

		if (!strcmp(json_object_get_string(json_object_object_get(object, "id")), id))
			return true;
	}
	return false;
}

/*
 * The hash that KCIDB defines for a series: SHA-256 over the patches' SHA-256s, a line each;
 * "" where no patch was applied. Only a boot's document has the whole hashes; what cannot be
 * read there any more is left out.
 */
static void add_patchset_hash(struct json_object *checkout, const struct boot *boot)
{
	struct json_object *document = NULL, *variant = NULL, *series = NULL;
	struct buffer lines = {0};
	char error[400], hash[SHA256_HEX_SIZE] = "";
	bool is_whole = true;

	if (!boot || boot_document_load(boot->path, &document, error, sizeof(error)))
		return;
	json_object_object_get_ex(document, "variant", &variant);
	json_object_object_get_ex(variant, "series", &series);
	if (!json_object_is_type(series, json_type_array)) {
		json_object_put(document);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(series); i++) {
		const char *sha256 = json_text_at(json_object_array_get_idx(series, i),
						  (const char *[]){"sha256", NULL});

		is_whole = is_whole && sha256 && strlen(sha256) == SHA256_HEX_SIZE - 1;
		buffer_format(&lines, "%s\n", sha256 ? sha256 : "");
	}
	if (lines.text)
		sha256_bytes(lines.text, lines.length, hash);
	if (is_whole && !lines.failed)
		json_object_object_add(checkout, "patchset_hash", json_object_new_string(hash));
	buffer_release(&lines);
	json_object_put(document);
}

static void add_checkout(struct submission *submission, size_t index)
{
	const struct variant_info *variant = &submission->analysis->results->variants[index];
	char *id = checkout_id(submission, variant), *comment;
	struct json_object *checkout, *misc;

	if (has_id(submission->checkouts, id)) {
		free(id);
		return;
	}
	checkout = new_object(submission, id);
	comment = format_string("Linux %s, %s%s",
				variant->base ? variant->base : or_unknown(variant->kernel),
				variant->patches ? "with " : "no patch known",
				variant->patches ? variant->patches : "");
	add_text(checkout, "comment", comment);
	add_patchset_hash(checkout, submission->analysis->variants[index].example);
	misc = json_object_new_object();
	add_text(misc, "base_release", variant->base);
	add_text(misc, "patches", variant->patches);
	json_object_object_add(checkout, "misc", misc);
	json_object_array_add(submission->checkouts, checkout);
	free(comment);
	free(id);
}

/* A KCIDB architecture is of [a-z0-9_]. */
static void add_architecture(struct json_object *build, const struct boot *boot)
{
	const char *machine =
		boot ? json_text_at(boot_environment(boot), (const char *[]){"machine", NULL})
		     : NULL;

	if (machine && strspn(machine, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(machine))
		json_object_object_add(build, "architecture", json_object_new_string(machine));
}

/* A copy of free-form data without what is null. */
static struct json_object *copy_without_null(struct json_object *value)
{
	struct json_object *copy = NULL;

	if (json_object_is_type(value, json_type_object)) {
		copy = json_object_new_object();
		json_object_object_foreach (value, key, item)
			if (item)
				json_object_object_add(copy, key, copy_without_null(item));
		return copy;
	}
	if (json_object_is_type(value, json_type_array)) {
		copy = json_object_new_array();
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (json_object_array_get_idx(value, i))
				json_object_array_add(
					copy,
					copy_without_null(json_object_array_get_idx(value, i)));
		return copy;
	}
	return json_object_get(value);
}

static void add_build(struct submission *submission, size_t index)
{
	const struct variant_info *variant = &submission->analysis->results->variants[index];
	const struct boot *boot = submission->analysis->variants[index].example;
	char *checkout = checkout_id(submission, variant), *id = build_id(submission, variant);
	struct json_object *build, *misc, *kernel = NULL, *config = NULL;

	if (!has_id(submission->builds, id)) {
		build = new_object(submission, id);
		misc = json_object_new_object();
		json_object_object_add(build, "checkout_id", json_object_new_string(checkout));
		add_text(build, "comment", variant->kernel);
		add_architecture(build, boot);
		/* It booted, or was at least there to be booted: it was built. */
		json_object_object_add(build, "status", json_object_new_string("PASS"));
		add_text(misc, "image_sha256", variant->image_sha256);
		if (boot)
			json_object_object_get_ex(boot_environment(boot), "kernel", &kernel);
		if (kernel && json_object_object_get_ex(kernel, "config", &config) && config)
			json_object_object_add(misc, "config", copy_without_null(config));
		json_object_object_add(build, "misc", misc);
		json_object_array_add(submission->builds, build);
	}
	free(id);
	free(checkout);
}

/* Text for one part of a path: [A-Za-z0-9_]+. */
static void add_path_part(struct buffer *path, const char *text)
{
	if (path->length)
		buffer_add(path, ".");
	if (!*text)
		buffer_add(path, "_");
	for (; *text; text++) {
		bool is_plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
				(*text >= '0' && *text <= '9');

		buffer_format(path, "%c", is_plain ? *text : '_');
	}
}

/* "proxeval.mutex_inversion.same_cpu.donor_fifo_owner_nice.donor_wait_ns.p50" */
static void add_path(struct json_object *test, const struct section_info *section,
		     const char *metric, const char *statistic)
{
	struct buffer path = {0};

	add_path_part(&path, "proxeval");
	add_path_part(&path, section->workload);
	add_path_part(&path, section->placement);
	if (*section->params && strrchr(section->id, '/') &&
	    strcmp(strrchr(section->id, '/') + 1, section->placement))
		add_path_part(&path, strrchr(section->id, '/') + 1);
	add_path_part(&path, metric);
	add_path_part(&path, statistic);
	if (!path.failed)
		json_object_object_add(test, "path", json_object_new_string(path.text));
	buffer_release(&path);
}

/* Where it ran: for people and, of a boot, with all that is known. */
static void add_environment(struct json_object *test, const struct boot *boot, bool is_whole)
{
	static const char *const keys[] = {"cpu",  "topology", "clocksource", "memory_bytes",
					   "qemu", "spoilers", "machine",     "tools"};
	struct json_object *environment, *misc;
	const char *host, *cpu;
	char *comment;

	if (!boot)
		return;
	environment = json_object_new_object();
	host = json_text_at(boot_environment(boot), (const char *[]){"hostname", NULL});
	cpu = json_text_at(boot_environment(boot), (const char *[]){"cpu", "model", NULL});
	comment = host || cpu ? format_string("%s, %s", or_unknown(host), or_unknown(cpu)) : NULL;
	add_text(environment, "comment", comment);
	free(comment);
	misc = json_object_new_object();
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && is_whole; i++) {
		struct json_object *value = NULL;

		if (json_object_object_get_ex(boot_environment(boot), keys[i], &value) && value)
			json_object_object_add(misc, keys[i], copy_without_null(value));
	}
	if (is_whole)
		json_object_object_add(environment, "misc", misc);
	else
		json_object_put(misc);
	json_object_object_add(test, "environment", environment);
}

/* A figure in its base unit, which the receiver scales for people. */
static void add_figure(struct json_object *test, double value, const char *unit)
{
	struct json_object *number;
	const char *base;
	double scaled = to_base_unit(value, unit, &base);

	if (!isfinite(scaled))
		return;
	number = json_object_new_object();
	add_number(number, "value", scaled);
	if (!strcmp(base, "seconds") || !strcmp(base, "bytes")) {
		add_text(number, "unit", *base == 's' ? "s" : "B");
		json_object_object_add(number, "prefix", json_object_new_string("metric"));
	}
	json_object_object_add(test, "number", number);
}

/* A test of a variant's build; @key makes its id unique within the campaigns. */
static struct json_object *new_test(const struct submission *submission, size_t variant,
				    const char *key)
{
	const struct results *results = submission->analysis->results;
	struct buffer text = {0};
	struct json_object *test;
	char *id, *build = build_id(submission, &results->variants[variant]);

	for (size_t i = 0; i < results->n_campaigns; i++)
		buffer_format(&text, "%s\n", results->campaigns[i].id);
	buffer_format(&text, "%s\n%s", results->variants[variant].label, key);
	id = make_id(submission, "test", text.text ? text.text : "");
	test = new_object(submission, id);
	json_object_object_add(test, "build_id", json_object_new_string(build));
	buffer_release(&text);
	free(build);
	free(id);
	return test;
}

static const char *status_word(enum export_status status)
{
	switch (status) {
	case EXPORT_FINE:
		return "PASS";
	case EXPORT_FAILED:
		return "FAIL";
	case EXPORT_SKIPPED:
		return "SKIP";
	case EXPORT_BROKEN:
		return "ERROR";
	case EXPORT_OPEN:
	case EXPORT_FIGURE:
		break;
	}
	return "DONE";
}

static void add_status(struct json_object *test, const char *status)
{
	json_object_object_add(test, "status", json_object_new_string(status));
}

static struct json_object *comparison_misc(const struct submission *submission,
					   const struct comparison *comparison)
{
	const struct results *results = submission->analysis->results;
	struct json_object *misc = json_object_new_object();

	add_text(misc, "variant", results->variants[comparison->variant].label);
	add_text(misc, "arguments", results->variants[comparison->variant].arguments);
	add_text(misc, "baseline", results->variants[comparison->against].label);
	add_text(misc, "section", results->sections[comparison->section].id);
	add_text(misc, "verdict", verdict_word(comparison->verdict));
	add_count(misc, "boots", comparison->other.n_boots);
	add_count(misc, "boots_baseline", comparison->baseline.n_boots);
	add_number(misc, "value", comparison->other.centre);
	add_number(misc, "value_baseline", comparison->baseline.centre);
	add_text(misc, "unit",
		 results->sections[comparison->section].metrics[comparison->metric].unit);
	add_number(misc, "ratio", comparison->ratio);
	add_number(misc, "ratio_low", comparison->ratio_low);
	add_number(misc, "ratio_high", comparison->ratio_high);
	add_number(misc, "p_adjusted", comparison->p_adjusted);
	return misc;
}

static void add_comparison(struct submission *submission, const struct comparison *comparison)
{
	const struct analysis *analysis = submission->analysis;
	const struct section_info *section = &analysis->results->sections[comparison->section];
	const struct metric_info *metric = &section->metrics[comparison->metric];
	char figures[EXPORT_TEXT_MAX], reason[EXPORT_TEXT_MAX];
	char *key = format_string("%s\n%s\n%s", section->id, metric->name,
				  statistic_word(comparison->statistic));
	struct json_object *test = new_test(submission, comparison->variant, key ? key : "");

	add_path(test, section, metric->name, statistic_word(comparison->statistic));
	export_status_text(analysis, comparison, reason);
	add_text(test, "comment",
		 *reason ? reason : comparison_text(analysis, comparison, figures));
	add_status(test, status_word(export_comparison_status(analysis, comparison)));
	add_figure(test, comparison->other.centre, metric->unit);
	add_environment(test, analysis->variants[comparison->variant].example, false);
	json_object_object_add(test, "misc", comparison_misc(submission, comparison));
	json_object_array_add(submission->tests, test);
	free(key);
}

/* The baseline's own figure: there is nothing to hold it to. */
static void add_baseline(struct submission *submission, const struct comparison *comparison)
{
	const struct analysis *analysis = submission->analysis;
	const struct section_info *section = &analysis->results->sections[comparison->section];
	const struct metric_info *metric = &section->metrics[comparison->metric];
	struct json_object *test, *misc;
	char *key;

	if (!comparison->baseline.n_boots)
		return;
	key = format_string("%s\n%s\n%s", section->id, metric->name,
			    statistic_word(comparison->statistic));
	test = new_test(submission, comparison->against, key ? key : "");
	add_path(test, section, metric->name, statistic_word(comparison->statistic));
	add_text(test, "comment", "the baseline's figure");
	add_status(test, "DONE");
	add_figure(test, comparison->baseline.centre, metric->unit);
	add_environment(test, analysis->variants[comparison->against].example, false);
	misc = json_object_new_object();
	add_text(misc, "variant", analysis->results->variants[comparison->against].label);
	add_text(misc, "section", section->id);
	add_count(misc, "boots", comparison->baseline.n_boots);
	json_object_object_add(test, "misc", misc);
	json_object_array_add(submission->tests, test);
	free(key);
}

static void add_invariant(struct submission *submission, const struct invariant *invariant)
{
	const struct analysis *analysis = submission->analysis;
	const struct section_info *section = &analysis->results->sections[invariant->section];
	const char *metric = section->metrics[invariant->metric].name;
	char *key = format_string("%s\n%s\nviolations", section->id, metric);
	struct json_object *test = new_test(submission, invariant->variant, key ? key : "");
	struct json_object *misc = json_object_new_object();

	add_path(test, section, metric, "violations");
	add_text(test, "comment", verdict_word(invariant->verdict));
	add_status(test, status_word(export_invariant_status(invariant)));
	add_figure(test, (double)invariant->violations, "count");
	add_environment(test, analysis->variants[invariant->variant].example, false);
	add_text(misc, "variant", analysis->results->variants[invariant->variant].label);
	add_text(misc, "section", section->id);
	add_count(misc, "boots", invariant->n_boots);
	add_count(misc, "exposure", invariant->exposure);
	json_object_object_add(test, "misc", misc);
	json_object_array_add(submission->tests, test);
	free(key);
}

/* A panic is the kernel's fault; a boot that vanished or hung may be the machine's. */
static const char *boot_status(const struct boot *boot)
{
	switch (boot->end) {
	case BOOT_END_OK:
		return !boot->is_health_known ? "DONE" : boot->is_clean ? "PASS" : "FAIL";
	case BOOT_END_PANICKED:
		return "FAIL";
	default:
		return "ERROR";
	}
}

/* What the kernel's log complained of, as much as fits; whole lines. */
static void add_excerpt(struct json_object *test, const struct boot *boot)
{
	struct json_object *reports = NULL;
	struct buffer text = {0};

	if (!json_object_object_get_ex(boot_health(boot), "reports", &reports) ||
	    !json_object_is_type(reports, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(reports); i++) {
		const char *line = json_object_get_string(json_object_array_get_idx(reports, i));

		if (!line || text.length + strlen(line) + 1 > KCIDB_EXCERPT_MAX)
			break;
		buffer_format(&text, "%s\n", line);
	}
	if (text.length && !text.failed)
		add_text(test, "log_excerpt", text.text);
	buffer_release(&text);
}

static void add_boot(struct submission *submission, const struct boot *boot)
{
	const struct results *results = submission->analysis->results;
	char *key = format_string("boot\n%s\n%llu", results->campaigns[boot->campaign].id,
				  (unsigned long long)boot->index);
	struct json_object *test = new_test(submission, boot->variant, key ? key : "");
	struct json_object *misc = json_object_new_object();

	json_object_object_add(test, "path", json_object_new_string("proxeval.boot"));
	add_text(test, "comment", boot->reason);
	add_status(test, boot_status(boot));
	add_text(test, "start_time", boot->started);
	add_excerpt(test, boot);
	add_environment(test, boot, true);
	add_text(misc, "campaign", results->campaigns[boot->campaign].id);
	add_count(misc, "boot", boot->index);
	add_text(misc, "variant", results->variants[boot->variant].label);
	add_text(misc, "arguments", results->variants[boot->variant].arguments);
	add_text(misc, "target", results->target);
	add_text(misc, "time", results->time);
	add_text(misc, "outcome", boot_end_word(boot->end));
	json_object_object_add(test, "misc", misc);
	json_object_array_add(submission->tests, test);
	free(key);
}

static bool is_same_figure(const struct comparison *one, const struct comparison *other)
{
	return one->section == other->section && one->metric == other->metric &&
	       one->statistic == other->statistic;
}

/*
 * Comparisons of several variants with one baseline have its figure each, and a baseline may
 * itself be compared with another one: each figure is sent once. Those of one metric are
 * neighbours.
 */
static bool is_baseline_due(const struct analysis *analysis, size_t index)
{
	const struct comparison *all = analysis->comparisons, *one = &all[index];
	size_t first = index, behind = index + 1;

	while (first > 0 && all[first - 1].section == one->section &&
	       all[first - 1].metric == one->metric)
		first--;
	while (behind < analysis->n_comparisons && all[behind].section == one->section &&
	       all[behind].metric == one->metric)
		behind++;
	for (size_t i = first; i < behind; i++) {
		if (!is_same_figure(&all[i], one))
			continue;
		if (all[i].variant == one->against || (i < index && all[i].against == one->against))
			return false;
	}
	return true;
}

static void add_all(struct submission *submission)
{
	const struct analysis *analysis = submission->analysis;

	for (size_t i = 0; i < analysis->results->n_variants; i++) {
		add_checkout(submission, i);
		add_build(submission, i);
	}
	for (size_t i = 0; i < analysis->results->n_boots; i++)
		add_boot(submission, &analysis->results->boots[i]);
	for (size_t i = 0; i < analysis->n_comparisons; i++) {
		if (is_baseline_due(analysis, i))
			add_baseline(submission, &analysis->comparisons[i]);
		add_comparison(submission, &analysis->comparisons[i]);
	}
	for (size_t i = 0; i < analysis->n_invariants; i++)
		add_invariant(submission, &analysis->invariants[i]);
}

static void write_kcidb(struct buffer *out, const struct analysis *analysis,
			const struct export_options *options)
{
	struct submission submission = {.analysis = analysis,
					.origin = options->origin,
					.checkouts = json_object_new_array(),
					.builds = json_object_new_array(),
					.tests = json_object_new_array()};
	struct json_object *document = json_object_new_object();
	struct json_object *version = json_object_new_object();
	const char *text;

	json_object_object_add(version, "major", json_object_new_int(KCIDB_MAJOR));
	json_object_object_add(version, "minor", json_object_new_int(KCIDB_MINOR));
	json_object_object_add(document, "version", version);
	add_all(&submission);
	json_object_object_add(document, "checkouts", submission.checkouts);
	json_object_object_add(document, "builds", submission.builds);
	json_object_object_add(document, "tests", submission.tests);
	text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
								JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		buffer_add(out, text);
	else
		out->failed = true;
	buffer_add(out, "\n");
	json_object_put(document);
}

const struct exporter export_kcidb = {.name = "kcidb", .write = write_kcidb};
