// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/campaign.h"
#include "bench/files.h"
#include "bench/journal.h"
#include "bench/qemu.h"

static void test_each_round_has_every_variant_and_its_pair_mirrors_it(void **state)
{
	struct campaign_boot boots[3 * 8];

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		campaign_draw_order(seed, TIME_REAL, 3, 8, boots);
		for (unsigned int i = 0; i < 24; i++) {
			unsigned int round = i / 3, place = i % 3;

			assert_int_equal(boots[i].index, i);
			assert_int_equal(boots[i].round, round);
			assert_false(boots[i].done);
			if (!place) {
				unsigned int seen = 0;

				for (unsigned int j = 0; j < 3; j++)
					seen |= 1u << boots[i + j].variant;
				assert_int_equal(seen, 7);
			}
			if (round % 2)
				assert_int_equal(boots[i].variant,
						 boots[(round - 1) * 3 + (2 - place)].variant);
		}
	}
}

static void test_the_order_is_the_seeds_and_both_orders_come_up(void **state)
{
	struct campaign_boot one[12], same[12];
	unsigned int first_variants[2] = {0};

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		campaign_draw_order(seed, TIME_VIRTUAL, 2, 6, one);
		campaign_draw_order(seed, TIME_VIRTUAL, 2, 6, same);
		for (unsigned int i = 0; i < 12; i++) {
			assert_int_equal(one[i].variant, same[i].variant);
			assert_int_equal(one[i].seed, same[i].seed);
		}
		first_variants[one[0].variant]++;
	}
	/* A fair coin stays within these with a chance of over 99.99 %. */
	assert_in_range(first_variants[0], 70, 130);
}

static void test_seeds_of_boots(void **state)
{
	struct campaign_boot boots[12];

	(void)state;
	campaign_draw_order(7, TIME_REAL, 2, 6, boots);
	for (unsigned int i = 0; i < 12; i += 2) {
		assert_int_equal(boots[i].seed, boots[i + 1].seed);
		assert_true(boots[i].seed <= CAMPAIGN_MAX_SEED);
		if (i)
			assert_int_not_equal(boots[i].seed, boots[i - 1].seed);
	}
	campaign_draw_order(7, TIME_VIRTUAL, 2, 6, boots);
	for (unsigned int i = 0; i < 12; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_int_not_equal(boots[i].seed, boots[j].seed);
	assert_int_equal(campaign_attempt_seed(5, 0), 5);
	assert_int_not_equal(campaign_attempt_seed(5, 1), 5);
	assert_int_not_equal(campaign_attempt_seed(5, 1), campaign_attempt_seed(5, 2));
	assert_int_equal(campaign_metronome_period_ns(TIME_REAL, 5), 0);
	for (uint64_t seed = 0; seed < 1000; seed++)
		assert_in_range(campaign_metronome_period_ns(TIME_VIRTUAL, seed), 100000, 299999);
}

static void count_event(void *context, struct json_object *event)
{
	struct json_object *name;

	assert_true(json_object_object_get_ex(event, "event", &name));
	strcat(context, json_object_get_string(name));
	strcat(context, " ");
}

static void test_a_journal_survives_a_line_that_was_cut(void **state)
{
	char directory[] = "/tmp/test-journal-XXXXXX", seen[256] = "", *path;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	path = format_string("%s/journal.jsonl", directory);
	assert_int_equal(journal_read(path, count_event, seen), 0);
	assert_string_equal(seen, "");
	assert_int_equal(write_file_atomically(path, "{\"event\":\"one\"}\n{\"event\":\"bo", 27),
			 0);
	assert_int_equal(journal_read(path, count_event, seen), 0);
	assert_string_equal(seen, "one ");
	fd = journal_open(path);
	assert_true(fd >= 0);
	assert_int_equal(journal_append(fd, journal_event("two")), 0);
	assert_int_equal(journal_append(fd, NULL), -ENOMEM);
	close(fd);
	*seen = '\0';
	assert_int_equal(journal_read(path, count_event, seen), 0);
	assert_string_equal(seen, "one two ");
	free(path);
	remove_tree(directory);
}

/* A campaign of 2 variants × 2 boots in a new folder below @results. */
static struct campaign *make_campaign(const char *results, const char *image)
{
	struct variant variants[] = {
		{.label = "proxy", .image_path = image, .arguments = "sched_proxy_exec=1"},
		{.label = "!proxy", .image_path = image, .arguments = "sched_proxy_exec=0"},
	};
	struct campaign_request request = {.results = results,
					   .target = &target_vm,
					   .time = TIME_VIRTUAL,
					   .seed = 1,
					   .variants = variants,
					   .n_variants = 2,
					   .boots = 2,
					   .topology = "2x2x2",
					   .memory_mib = 1024,
					   .profile = "quick",
					   .watchdog_s = 60};
	struct campaign *campaign = NULL;

	request.work =
		json_tokener_parse("[{\"workload\":\"w\",\"placements\":[\"all\"],\"params\":{}}]");
	assert_int_equal(campaign_create(&request, &campaign), 0);
	json_object_put(request.work);
	return campaign;
}

/* Writes the result that boot @index would have. */
static void finish(const struct campaign *campaign, unsigned int index)
{
	struct boot_answer answer = {.outcome = BOOT_NO_PROGRESS, .reason = "a test"};
	struct json_object *result =
		campaign_result(campaign, &campaign->boots[index], &answer, "2026-11-22T18:15:03Z");
	char *name = campaign_boot_name(campaign, &campaign->boots[index]);
	char *path = format_string("%s/%s.json", campaign->directory, name);

	assert_int_equal(write_json_atomically(path, result), 0);
	json_object_put(result);
	free(path);
	free(name);
}

struct place {
	char results[32];
	char *image;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->results, "/tmp/test-campaign-XXXXXX");
	if (!mkdtemp(place->results))
		return -1;
	place->image = format_string("%s/image", place->results);
	*state = place;
	return write_file_atomically(place->image, "kernel", 6);
}

static int remove_place(void **state)
{
	struct place *place = *state;

	remove_tree(place->results);
	free(place->image);
	free(place);
	return 0;
}

static void test_resume_picks_exactly_what_is_missing(void **state)
{
	const struct place *place = *state;
	struct campaign *campaign = make_campaign(place->results, place->image), *again;
	char *directory = strdup(campaign->directory), *path;
	struct json_object *event;

	assert_int_equal(campaign_missing(campaign), 4);
	assert_string_equal(campaign->variants[1].label, "!proxy");
	finish(campaign, 0);
	finish(campaign, 2);
	/* Boot 1 used up an attempt; boot 3 was cut short in its first; an event of no boot. */
	event = json_tokener_parse(
		"{\"event\":\"boot-end\",\"index\":1,\"attempt\":0,\"retry\":true}");
	assert_int_equal(journal_append(campaign->journal_fd, event), 0);
	event = json_tokener_parse("{\"event\":\"boot-begin\",\"index\":3,\"attempt\":0}");
	assert_int_equal(journal_append(campaign->journal_fd, event), 0);
	event = json_tokener_parse(
		"{\"event\":\"boot-end\",\"index\":99,\"attempt\":0,\"retry\":true}");
	assert_int_equal(journal_append(campaign->journal_fd, event), 0);
	assert_int_equal(campaign_load(&again, directory), -EBUSY);
	campaign_free(campaign);

	assert_int_equal(campaign_load(&again, directory), 0);
	assert_int_equal(campaign_missing(again), 2);
	assert_true(again->boots[0].done);
	assert_false(again->boots[1].done);
	assert_int_equal(again->boots[1].attempt, 1);
	assert_true(again->boots[2].done);
	assert_int_equal(again->boots[3].attempt, 0);
	assert_int_equal(again->time, TIME_VIRTUAL);
	assert_int_equal(again->watchdog_s, 60);
	assert_string_equal(again->topology, "2x2x2");
	campaign_free(again);

	/* A result that was cut is not one. */
	path = format_string("%s/boot-0000-proxy.json", directory);
	if (access(path, F_OK)) {
		free(path);
		path = format_string("%s/boot-0000-not-proxy.json", directory);
	}
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(campaign_load(&again, directory), 0);
	assert_int_equal(campaign_missing(again), 3);
	campaign_free(again);
	free(path);
	free(directory);
}

static void test_a_changed_image_is_refused(void **state)
{
	const struct place *place = *state;
	struct campaign *campaign = make_campaign(place->results, place->image), *again;
	char *directory = strdup(campaign->directory);

	campaign_free(campaign);
	assert_int_equal(write_file_atomically(place->image, "kernel!", 7), 0);
	assert_int_equal(campaign_load(&again, directory), -EINVAL);
	unlink(place->image);
	assert_int_equal(campaign_load(&again, directory), -EINVAL);
	free(directory);
}

static void test_what_is_no_campaign_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"{}",
		"{\"format\":\"proxeval-boot\",\"version\":1}",
		"{\"format\":\"proxeval-campaign\",\"version\":2}",
		"{\"format\":\"proxeval-campaign\",\"version\":1,\"id\":\"x\",\"time\":\"virtual\","
		"\"target\":\"moon\",\"seed\":1,\"memory_mib\":1,\"watchdog_s\":1,\"work\":[],"
		"\"variants\":[],\"boots\":[]}",
		"{\"format\":\"proxeval-campaign\",\"version\":1,\"id\":\"x\",\"time\":\"virtual\","
		"\"target\":\"vm\",\"seed\":1,\"memory_mib\":1,\"watchdog_s\":1,\"work\":[],"
		"\"variants\":[{\"label\":\"a\",\"arguments\":\"\"}],"
		"\"boots\":[{\"index\":0,\"round\":0,\"variant\":\"b\",\"seed\":1}]}",
	};
	const struct place *place = *state;
	char *path = format_string("%s/campaign.json", place->results);
	struct campaign *campaign;

	assert_int_equal(campaign_load(&campaign, place->results), -EINVAL);
	assert_int_equal(campaign_load(&campaign, "/nonexistent"), -EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(write_file_atomically(path, wrong[i], strlen(wrong[i])), 0);
		assert_int_equal(campaign_load(&campaign, place->results), -EINVAL);
	}
	free(path);
}

static void test_two_campaigns_of_one_second_do_not_meet(void **state)
{
	const struct place *place = *state;
	struct campaign *one = make_campaign(place->results, place->image);
	struct campaign *other = make_campaign(place->results, place->image);

	assert_string_not_equal(one->id, other->id);
	assert_string_not_equal(one->directory, other->directory);
	campaign_free(other);
	campaign_free(one);
}

/* In folders of their own nothing but the name tells two campaigns apart. */
static void test_a_campaign_has_its_name_everywhere(void **state)
{
	const struct place *place = *state;
	char *names[64], results[300];
	size_t n_same = 0;

	for (size_t i = 0; i < 64; i++) {
		struct campaign *campaign;

		snprintf(results, sizeof(results), "%s/place-%zu", place->results, i % 8);
		campaign = make_campaign(results, place->image);
		names[i] = strdup(campaign->id);
		assert_int_equal(strlen(names[i]), strlen("20261122-181500-1-3f9a"));
		assert_int_equal(strspn(strrchr(names[i], '-') + 1, "0123456789abcdef"), 4);
		assert_string_equal(strrchr(campaign->directory, '/') + 1, names[i]);
		campaign_free(campaign);
	}
	/* Of one second and seed, 64 draws from 65536: more than one or two do not meet. */
	for (size_t i = 0; i < 64; i++)
		for (size_t other = 0; other < i; other++)
			n_same += !strcmp(names[i], names[other]);
	assert_true(n_same < 4);
	for (size_t i = 0; i < 64; i++)
		free(names[i]);
}

static size_t count_entries(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, NULL);

	assert_true(count >= 2);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return (size_t)count - 2;
}

/* Cut short anywhere before the rename, a start has made nothing that a glob or a command sees. */
static void test_a_campaign_appears_whole_or_not_at_all(void **state)
{
	const struct place *place = *state;
	char *results = format_string("%s/empty", place->results), *path;
	struct variant variant = {.label = "a", .image_path = "/nonexistent", .arguments = ""};
	struct campaign_request request = {.results = results,
					   .target = &target_vm,
					   .seed = 1,
					   .variants = &variant,
					   .n_variants = 1,
					   .boots = 1,
					   .watchdog_s = 60,
					   .profile = "quick"};
	struct campaign *campaign;

	assert_true(campaign_create(&request, &campaign) < 0);
	assert_int_equal(count_entries(results), 0);
	campaign = make_campaign(results, place->image);
	assert_int_equal(count_entries(results), 1);
	path = format_string("%s/campaign.json", campaign->directory);
	assert_int_equal(access(path, F_OK), 0);
	free(path);
	/* The lock came along with the rename. */
	path = strdup(campaign->directory);
	{
		struct campaign *again;

		assert_int_equal(campaign_load(&again, path), -EBUSY);
	}
	campaign_free(campaign);
	free(path);
	free(results);
}

static void test_topologies(void **state)
{
	static const char *const wrong[] = {
		"",	 "2",	  "2x2",   "2x2x2x2x2", "x2x2",
		"2xx2",	 "2x2x",  "0x2x2", "2x-1x2",	"axbxc",
		"9x1x1", "2x2x3", "8x8x2", "2x2x2 ",	"99999999999999999999x1x1"};
	struct vm_topology topology;
	char error[256];

	(void)state;
	assert_int_equal(vm_topology_parse("2x3x1", &topology, error, sizeof(error)), 0);
	assert_int_equal(topology.nodes, 2);
	assert_int_equal(topology.dies, 1);
	assert_int_equal(topology.cores, 3);
	assert_int_equal(topology.threads, 1);
	assert_int_equal(vm_topology_cpus(&topology), 6);
	assert_int_equal(vm_topology_parse("4x2x2x2", &topology, error, sizeof(error)), 0);
	assert_int_equal(topology.dies, 2);
	assert_int_equal(vm_topology_cpus(&topology), 32);
	assert_int_equal(vm_topology_distance(&topology, 1, 1), 10);
	assert_int_equal(vm_topology_distance(&topology, 0, 1), 20);
	assert_int_equal(vm_topology_distance(&topology, 0, 3), 20);
	assert_int_equal(vm_topology_distance(&topology, 3, 1), 30);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(vm_topology_parse(wrong[i], &topology, error, sizeof(error)),
				 -EINVAL);
}

static void test_qemu_versions(void **state)
{
	struct qemu_version version;

	(void)state;
	assert_int_equal(
		qemu_parse_version("QEMU emulator version 10.0.2 (Debian 1:10.0.2)\n", &version),
		0);
	assert_int_equal(version.major, 10);
	assert_string_equal(version.text, "10.0.2");
	assert_int_equal(qemu_parse_version("QEMU emulator version 7.2.19\nCopyright", &version),
			 0);
	assert_int_equal(version.major, 7);
	assert_int_equal(qemu_parse_version("something else", &version), -EINVAL);
	assert_int_equal(qemu_parse_version("version x", &version), -EINVAL);
}

static bool has_argument(const struct argument_vector *arguments, const char *text)
{
	for (size_t i = 0; i < arguments->count; i++)
		if (!strcmp(arguments->items[i], text))
			return true;
	return false;
}

static void test_qemu_command_lines(void **state)
{
	struct vm_machine machine = {.accelerator = VM_VIRTUAL_TIME,
				     .topology = {2, 1, 2, 2},
				     .memory_mib = 1024,
				     .seed = 42,
				     .kernel_arguments = "sched_proxy_exec=1",
				     .image_path = "/i",
				     .initrd_path = "/r",
				     .console_path = "/a,b",
				     .result_path = "/s"};
	struct argument_vector arguments, again;

	(void)state;
	assert_int_equal(qemu_arguments(&machine, &arguments), 0);
	assert_int_equal(qemu_arguments(&machine, &again), 0);
	assert_int_equal(arguments.count, again.count);
	for (size_t i = 0; i < arguments.count; i++)
		assert_string_equal(arguments.items[i], again.items[i]);
	assert_null(arguments.items[arguments.count]);
	assert_true(has_argument(&arguments, "tcg,thread=single"));
	assert_true(has_argument(&arguments, "shift=1,sleep=off"));
	assert_true(has_argument(&arguments, "42"));
	assert_true(has_argument(&arguments, "8,sockets=2,dies=1,cores=2,threads=2"));
	assert_true(has_argument(&arguments, "node,nodeid=1,cpus=4-7,memdev=memory1"));
	assert_true(has_argument(&arguments, "dist,src=0,dst=1,val=20"));
	assert_true(has_argument(&arguments, "file,id=console,path=/a,,b"));
	argument_vector_release(&again);
	argument_vector_release(&arguments);
	machine.accelerator = VM_KVM;
	assert_int_equal(qemu_arguments(&machine, &arguments), 0);
	assert_true(has_argument(&arguments, "kvm"));
	assert_false(has_argument(&arguments, "-icount"));
	assert_true(has_argument(
		&arguments,
		"console=ttyS0 quiet panic=-1 oops=panic nokaslr rdinit=/proxeval-guest "
		"LD_LIBRARY_PATH=/lib sched_proxy_exec=1"));
	argument_vector_release(&arguments);
	machine.has_full_log = true;
	assert_int_equal(qemu_arguments(&machine, &arguments), 0);
	assert_true(has_argument(&arguments,
				 "console=ttyS0 panic=-1 oops=panic nokaslr rdinit=/proxeval-guest "
				 "LD_LIBRARY_PATH=/lib sched_proxy_exec=1"));
	argument_vector_release(&arguments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_round_has_every_variant_and_its_pair_mirrors_it),
		cmocka_unit_test(test_the_order_is_the_seeds_and_both_orders_come_up),
		cmocka_unit_test(test_seeds_of_boots),
		cmocka_unit_test(test_a_journal_survives_a_line_that_was_cut),
		cmocka_unit_test_setup_teardown(test_resume_picks_exactly_what_is_missing,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_a_changed_image_is_refused, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(test_what_is_no_campaign_is_refused, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(test_two_campaigns_of_one_second_do_not_meet,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_a_campaign_has_its_name_everywhere, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(test_a_campaign_appears_whole_or_not_at_all,
						make_place, remove_place),
		cmocka_unit_test(test_topologies),
		cmocka_unit_test(test_qemu_versions),
		cmocka_unit_test(test_qemu_command_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
