// SPDX-License-Identifier: GPL-2.0-only
/* An exploration's folder: finds are whole, the journal says what is done, what is changed is
 * refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "bench/explore.h"
#include "measure/clock.h"

static char folder[64];

static void write_text(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(write_file_atomically(path, text, strlen(text)), 0);
}

static bool is_there(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

/* An exploration of 10 seeds from 5 on, with two files for kernel and guest. */
static struct explore make(void)
{
	struct explore explore = {
		.order = {.first_seed = 5,
			  .seeds = 10,
			  .duration_ns = NS_PER_S,
			  .shrink_runs = 40,
			  .choice = {.has_only = true, .only = {[STRESS_TEE] = true}}},
		.guest = {.label = "proxy",
			  .arguments = "sched_proxy_exec=1",
			  .topology = "2x1x2",
			  .memory_mib = 512,
			  .watchdog_s = 600,
			  .image_path = "/somewhere/bzImage",
			  .kernel = "7.2.13",
			  .qemu = "10.0.2"},
		.id = "test",
		.directory = folder,
		.lock_fd = -1,
		.journal_fd = -1,
	};

	sha256_bytes("image", 5, explore.guest.image_sha256);
	sha256_bytes("files", 5, explore.guest.guest_sha256);
	return explore;
}

static int setup(void **state)
{
	struct explore explore = make();
	struct json_object *document = explore_to_json(&explore);
	char path[128];

	(void)state;
	strcpy(folder, "/tmp/proxeval-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	write_text(EXPLORE_KERNEL_NAME, "image");
	write_text(EXPLORE_GUEST_NAME, "files");
	snprintf(path, sizeof(path), "%s/explore.json", folder);
	write_json_atomically(path, document);
	json_object_put(document);
	snprintf(path, sizeof(path), "%s/finds", folder);
	return make_directories(path);
}

static int teardown(void **state)
{
	(void)state;
	return remove_tree(folder);
}

static struct explore *load(void)
{
	struct explore *explore = NULL;

	assert_int_equal(explore_load(&explore, folder), 0);
	return explore;
}

static void test_order_comes_back(void **state)
{
	struct explore *explore = load();

	(void)state;
	assert_string_equal(explore->id, "test");
	assert_int_equal(explore->order.first_seed, 5);
	assert_int_equal(explore->order.seeds, 10);
	assert_int_equal(explore->order.duration_ns, NS_PER_S);
	assert_int_equal(explore->order.shrink_runs, 40);
	assert_true(explore->order.choice.has_only);
	for (int i = 0; i < STRESS_MECHANISMS; i++)
		assert_int_equal(explore->order.choice.only[i], i == STRESS_TEE);
	assert_string_equal(explore->order.arguments, "sched_proxy_exec=1");
	assert_string_equal(explore->guest.qemu, "10.0.2");
	assert_false(explore_is_complete(explore));
	explore_free(explore);
}

static const char console[] = "[    2.000000] WARNING: a.c:1 at f+0x1/0x2\n[    2.000001] more\n";

/* Writes find 1 as a trial of seed 6 showed it; @n_actors of them. */
static void write_find(size_t n_actors, unsigned int rounds, bool is_shrunk)
{
	struct explore explore = make();
	struct trial trial = {.log = strdup(console)};
	struct find find = {.number = 1,
			    .seed = 6,
			    .rounds = rounds,
			    .first_actors = 20,
			    .first_rounds = 9,
			    .first_at_ns = 44,
			    .is_shrunk = is_shrunk};

	stress_plan_draw(&find.plan, 6, NS_PER_S, NULL);
	find.plan.n_actors = n_actors;
	find.plan.rounds = rounds;
	assert_true(signature_from_log(&trial.signature, trial.log));
	trial.signature.at_ns = 33;
	find.signature = trial.signature;
	assert_int_equal(find_write(&explore, &find, &trial), 0);
	free(trial.log);
}

static void test_find_comes_back(void **state)
{
	struct find_folder back;
	char path[128];

	(void)state;
	write_find(8, 9, false);
	write_find(3, 2, true);
	snprintf(path, sizeof(path), "%s/finds/0001", folder);
	assert_int_equal(find_read(&back, path), 0);
	assert_int_equal(back.find.number, 1);
	assert_int_equal(back.find.seed, 6);
	assert_int_equal(back.find.rounds, 2);
	assert_int_equal(back.find.plan.n_actors, 3);
	assert_int_equal(back.find.first_actors, 20);
	assert_int_equal(back.find.first_at_ns, 44);
	assert_int_equal(back.find.signature.at_ns, 33);
	assert_string_equal(back.find.signature.text, "WARNING: a.c at f");
	assert_string_equal(back.log, console);
	assert_string_equal(back.guest.image_path, "/somewhere/bzImage");
	find_folder_release(&back);
	/* How it was found stays when it gets smaller. */
	snprintf(path, sizeof(path), "%s/finds/0001/first-plan.json", folder);
	{
		struct json_object *document = json_object_from_file(path);
		struct stress_plan plan;
		char problem[100];

		assert_int_equal(stress_plan_read(&plan, document, problem, sizeof(problem)), 0);
		assert_int_equal(plan.n_actors, 8);
		json_object_put(document);
	}
	assert_true(is_there("finds/0001/stack.txt"));
	assert_true(is_there("finds/0001/kernel"));
	assert_true(is_there("finds/0001/guest"));
	assert_false(is_there("finds/0001.new"));
}

static void test_journal_says_what_is_done(void **state)
{
	struct explore *explore;

	(void)state;
	write_find(8, 9, false);
	write_text(
		"journal.jsonl",
		"{\"event\":\"seed\",\"seed\":5,\"end\":\"clean\",\"find\":null,\"operations\":7}\n"
		"{\"event\":\"seed\",\"seed\":6,\"end\":\"found\",\"find\":1,\"operations\":5}\n"
		"{\"event\":\"seed\",\"seed\":8,\"end\":\"found\",\"find\":1,\"operations\":1}\n"
		/* said twice, nothing said, lost with its folder, not ours, nonsense, cut short */
		"{\"event\":\"seed\",\"seed\":8,\"end\":\"found\",\"find\":1,\"operations\":1}\n"
		"{\"event\":\"seed\",\"seed\":9,\"end\":\"broken\",\"find\":null,\"operations\":1}\n"
		"{\"event\":\"seed\",\"seed\":13,\"end\":\"no-progress\",\"find\":null,\"operations\":1}\n"
		"{\"event\":\"seed\",\"seed\":10,\"end\":\"found\",\"find\":2,\"operations\":1}\n"
		"{\"event\":\"seed\",\"seed\":15,\"end\":\"clean\",\"find\":null,\"operations\":1}\n"
		"{\"event\":\"seed\",\"seed\":4,\"end\":\"clean\",\"find\":null,\"operations\":1}\n"
		"{\"event\":\"seed\"}\n{\"event\":\"shrunk\",\"find\":3}\n"
		"{\"event\":\"seed\",\"seed\":11,\"end\":\"cle");
	explore = load();
	assert_int_equal(explore->n_done, 3);
	assert_int_equal(explore->n_found, 2);
	assert_int_equal(explore->n_operations, 13);
	assert_int_equal(explore->n_finds, 1);
	assert_int_equal(explore->finds[0].n_seeds, 2);
	assert_false(explore->finds[0].is_shrunk);
	for (int i = 0; i < 10; i++)
		assert_int_equal(explore->is_done[i], i == 0 || i == 1 || i == 3);
	explore_free(explore);
	write_text("journal.jsonl", "{\"event\":\"shrunk\",\"find\":1,\"runs\":3}\n");
	explore = load();
	assert_true(explore->finds[0].is_shrunk);
	explore_free(explore);
}

static void test_one_at_a_time(void **state)
{
	struct explore *explore = load(), *other = NULL;

	(void)state;
	assert_int_equal(explore_load(&other, folder), -EBUSY);
	assert_null(other);
	explore_free(explore);
	explore_free(load());
}

static void expect_refused(void)
{
	struct explore *explore = NULL;

	assert_int_equal(explore_load(&explore, folder), -EINVAL);
	assert_null(explore);
}

static void test_what_changed_is_refused(void **state)
{
	struct explore changed = make();
	struct json_object *document;

	(void)state;
	write_text(EXPLORE_KERNEL_NAME, "other");
	expect_refused();
	write_text(EXPLORE_KERNEL_NAME, "image");
	write_text(EXPLORE_GUEST_NAME, "other");
	expect_refused();
	write_text(EXPLORE_GUEST_NAME, "files");
	document = explore_to_json(&changed);
	json_object_object_add(document, "surprise", json_object_new_int(1));
	write_text("explore.json", json_object_to_json_string(document));
	expect_refused();
	json_object_object_del(document, "surprise");
	json_object_object_add(document, "only", json_tokener_parse("[\"tee\", \"coffee\"]"));
	write_text("explore.json", json_object_to_json_string(document));
	expect_refused();
	json_object_object_add(document, "only", NULL);
	write_text("explore.json", json_object_to_json_string(document));
	explore_free(load());
	json_object_put(document);
	write_text("explore.json", "{}");
	expect_refused();
}

static void test_summary(void **state)
{
	struct explore *explore;
	struct json_object *summary, *value;

	(void)state;
	write_find(8, 9, false);
	write_text(
		"journal.jsonl",
		"{\"event\":\"seed\",\"seed\":6,\"end\":\"found\",\"find\":1,\"operations\":5}\n");
	explore = load();
	summary = explore_summary(explore);
	assert_true(json_object_object_get_ex(summary, "seeds_done", &value));
	assert_int_equal(json_object_get_int(value), 1);
	assert_true(json_object_object_get_ex(summary, "seeds_per_minute", &value));
	assert_null(value);
	assert_true(json_object_object_get_ex(summary, "finds", &value));
	assert_int_equal(json_object_array_length(value), 1);
	json_object_put(summary);
	assert_int_equal(explore_write_summary(explore), 0);
	assert_true(is_there("summary.json"));
	explore_free(explore);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal_says_what_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_changed_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_summary, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
