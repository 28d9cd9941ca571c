/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_SIMULATED_CAMPAIGN_H
#define TESTS_SIMULATED_CAMPAIGN_H

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "reports/load.h"
#include "reports/sequential.h"

/*
 * A campaign whose figures a test makes up: two variants, a and b, and SIMULATED_METRICS primary
 * metrics. Two boots and the campaign are read from files like any other; the rest are copies
 * of the first two with figures of their own, so that everything downstream is the real thing.
 */
#define SIMULATED_METRICS   2
#define SIMULATED_MAX_BOOTS 64 /* of both variants together */

struct simulated_campaign {
	struct results results; /* what compare is shown; .n_boots says how many boots */
	struct boot boots[SIMULATED_MAX_BOOTS];
	struct section_result sections[SIMULATED_MAX_BOOTS][SIMULATED_METRICS];
	struct measurement measurements[SIMULATED_MAX_BOOTS][SIMULATED_METRICS];
	struct boot *loaded;
	size_t n_loaded;
	char directory[32];
};

static inline char *simulated_section(int index)
{
	return format_string(
		"{\"id\":\"w/p%d\",\"workload\":\"w\",\"params\":{},\"placement\":{\"kind\":\"same-cpu\","
		"\"name\":\"p%d\",\"owner_cpu\":0,\"donor_cpu\":0,\"observer_cpu\":0,\"owner_node\":0,"
		"\"donor_node\":0,\"distance\":10},\"outcome\":\"ok\",\"reason\":null,\"duration_ns\":1,"
		"\"metrics\":[{\"name\":\"wait_ns\",\"unit\":\"ns\",\"kind\":\"scalar\",\"direction\":"
		"\"lower\",\"role\":\"primary\",\"outcome\":\"ok\",\"reason\":null,\"value\":1.5}],"
		"\"evidence\":[],\"facts\":{}}",
		index, index);
}

static inline char *simulated_boot(unsigned int index, char variant, const char *time)
{
	char *one = simulated_section(0), *two = simulated_section(1), *text;

	text = format_string(
		"{\"format\":\"proxeval-boot\",\"version\":1,\"campaign\":{\"id\":\"c\",\"seed\":1},"
		"\"boot\":{\"index\":%u,\"round\":%u,\"variant\":\"%c\",\"seed\":%u,\"attempt\":0},"
		"\"variant\":{\"label\":\"%c\",\"image_sha256\":null,\"arguments\":\"\",\"series\":null,"
		"\"base\":null},\"target\":\"vm\",\"time\":\"%s\",\"outcome\":\"ok\",\"reason\":null,"
		"\"environment\":{},\"sections\":[%s,%s],\"health\":{\"clean\":true,\"reports\":[]},"
		"\"host_run\":{\"started\":\"2026-11-22T18:15:03Z\",\"wall_s\":1.0}}",
		index, index / 2, variant, index + 1, variant, time, one, two);
	free(one);
	free(two);
	return text;
}

static inline void simulated_write(const char *directory, const char *name, char *text)
{
	char *path = format_string("%s/%s", directory, name);

	assert_int_equal(write_file_atomically(path, text, strlen(text)), 0);
	free(path);
	free(text);
}

/* @plan may be NULL: all boots are run. */
static inline void simulated_begin(struct simulated_campaign *campaign, const char *time,
				   const struct sequential_plan *plan)
{
	struct json_object *object = plan ? sequential_plan_to_json(plan) : NULL;
	bool is_virtual = !strcmp(time, "virtual");
	const char *paths[] = {campaign->directory};

	strcpy(campaign->directory, "/tmp/test-simulated-XXXXXX");
	assert_non_null(mkdtemp(campaign->directory));
	simulated_write(
		campaign->directory, "campaign.json",
		format_string("{\"format\":\"proxeval-campaign\",\"version\":1,\"id\":\"c\","
			      "\"seed\":1,\"target\":\"vm\",\"time\":\"%s\",\"pairing\":\"%s\","
			      "\"variants\":[{\"label\":\"a\",\"arguments\":\"\"},{\"label\":"
			      "\"b\",\"arguments\":\"\"}],\"boots\":[],\"work\":[],"
			      "\"sequential\":%s}",
			      time, is_virtual ? "independent" : "rounds",
			      object ? json_object_to_json_string(object) : "null"));
	json_object_put(object);
	simulated_write(campaign->directory, "boot-0000-a.json", simulated_boot(0, 'a', time));
	simulated_write(campaign->directory, "boot-0001-b.json", simulated_boot(1, 'b', time));
	assert_int_equal(results_load(&campaign->results, paths, 1), 0);
	campaign->loaded = campaign->results.boots;
	campaign->n_loaded = campaign->results.n_boots;
	for (size_t i = 0; i < SIMULATED_MAX_BOOTS; i++) {
		struct boot *boot = &campaign->boots[i];

		*boot = campaign->loaded[i % 2];
		boot->index = i;
		boot->round = i / 2;
		boot->seed = i + 1;
		for (size_t s = 0; s < SIMULATED_METRICS; s++) {
			campaign->sections[i][s] = boot->sections[s];
			campaign->measurements[i][s] = boot->sections[s].measurements[0];
			campaign->sections[i][s].measurements = &campaign->measurements[i][s];
		}
		boot->sections = campaign->sections[i];
	}
	campaign->results.boots = campaign->boots;
}

static inline void simulated_set(struct simulated_campaign *campaign, size_t boot, size_t metric,
				 double value)
{
	campaign->measurements[boot][metric].statistic[STATISTIC_VALUE] = value;
}

static inline void simulated_end(struct simulated_campaign *campaign)
{
	campaign->results.boots = campaign->loaded;
	campaign->results.n_boots = campaign->n_loaded;
	results_release(&campaign->results);
	remove_tree(campaign->directory);
}

#endif
