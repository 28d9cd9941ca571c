// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <json-c/json.h>
#include <cmocka.h>

#include "bench/environment.h"
#include "bench/running_config.h"

#define FIXTURES TEST_SOURCE_DIR "/tests/fixtures/proc/"

/* ---- sched_proxy_exec= as the kernel reads it ---- */

static const struct {
	const char *command_line;
	bool enabled, set;
} command_lines[] = {
	{"", true, false},
	{"quiet root=/dev/sda1", true, false},
	{"sched_proxy_exec", true, true},
	{"sched_proxy_exec=1", true, true},
	{"sched_proxy_exec=0", false, true},
	{"sched_proxy_exec=n", false, true},
	{"sched_proxy_exec=No", false, true},
	{"sched_proxy_exec=off", false, true},
	{"sched_proxy_exec=OFF", false, true},
	{"sched_proxy_exec=on", true, true},
	{"sched_proxy_exec=false", false, true},
	{"sched_proxy_exec=disabled", false, true},
	{"sched_proxy_exec=enabled", true, true},
	/* One letter decides. */
	{"sched_proxy_exec=0123", false, true},
	{"sched_proxy_exec=nonsense", false, true},
	/* Not understood: as if it were not there. */
	{"sched_proxy_exec=", true, false},
	{"sched_proxy_exec=2", true, false},
	{"sched_proxy_exec=o", true, false},
	{"sched_proxy_exec=0 sched_proxy_exec=2", false, true},
	/* The last word wins; dashes are underscores; quotes fall away. */
	{"sched_proxy_exec=0 sched_proxy_exec=1", true, true},
	{"sched_proxy_exec=1 quiet sched-proxy-exec=0\n", false, true},
	{"sched_proxy_exec=\"0\" quiet", false, true},
	{"\"sched_proxy_exec=0\" quiet", false, true},
	{"sched_proxy_exec=0 sched_proxy_exec", true, true},
	/* The kernel skips one character behind the name, whatever it is. */
	{"sched_proxy_exec:0", false, true},
	/* Inside another word's quotes, inside another name, or meant for init. */
	{"note=\"a sched_proxy_exec=0 b\"", true, false},
	{"my_sched_proxy_exec=0", true, false},
	{"quiet -- sched_proxy_exec=0", true, false},
	/* Any blank divides words. */
	{"quiet\r\f\vsched_proxy_exec=0\r", false, true},
};

static void test_the_command_line_is_read_as_the_kernel_reads_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(command_lines) / sizeof(*command_lines); i++) {
		bool set = !command_lines[i].set, enabled;

		print_message("'%s'\n", command_lines[i].command_line);
		enabled = proxy_exec_from_command_line(command_lines[i].command_line, &set);
		assert_int_equal(enabled, command_lines[i].enabled);
		assert_int_equal(set, command_lines[i].set);
	}
}

static void test_what_a_kernel_does_not_know_cannot_be_asked_of_it(void **state)
{
	(void)state;
	assert_int_equal(environment_proxy_exec_at(FIXTURES "log-unknown-on"), PROXY_EXEC_ABSENT);
	assert_int_equal(environment_proxy_exec_request_at(FIXTURES "log-unknown-on"),
			 PROXY_EXEC_ASKED_ON);
	assert_string_equal(
		environment_proxy_exec_refusal_at(FIXTURES "log-unknown-on"),
		"this kernel has no proxy execution (its log calls sched_proxy_exec unknown)");
	/* The baseline of the same kernel is one. */
	assert_int_equal(environment_proxy_exec_at(FIXTURES "log-unknown-off"), PROXY_EXEC_ABSENT);
	assert_int_equal(environment_proxy_exec_request_at(FIXTURES "log-unknown-off"),
			 PROXY_EXEC_ASKED_OFF);
	assert_null(environment_proxy_exec_refusal_at(FIXTURES "log-unknown-off"));
	/* Another argument is unknown, in another line the name is somebody else's. */
	assert_int_equal(environment_proxy_exec_at(FIXTURES "log-other"), PROXY_EXEC_UNKNOWN);
	assert_null(environment_proxy_exec_refusal_at(FIXTURES "log-other"));
	assert_null(environment_proxy_exec_refusal_at(FIXTURES "log-on"));
	/* This one knows the switch and was built without what it switches. */
	assert_string_equal(
		environment_proxy_exec_refusal_at(FIXTURES "log-absent"),
		"this kernel has no proxy execution (it is built without CONFIG_SCHED_PROXY_EXEC)");
	assert_int_equal(environment_proxy_exec_request_at(FIXTURES "bare"), PROXY_EXEC_NOT_NAMED);
}

static void test_proxy_execution_is_told_by_three_witnesses(void **state)
{
	(void)state;
	assert_int_equal(environment_proxy_exec_at(FIXTURES "noisy"), PROXY_EXEC_ABSENT);
	assert_int_equal(environment_proxy_exec_at(FIXTURES "quiet"), PROXY_EXEC_OFF);
	assert_int_equal(environment_proxy_exec_at(FIXTURES "bare"), PROXY_EXEC_UNKNOWN);
	assert_int_equal(environment_proxy_exec_at(FIXTURES "log-on"), PROXY_EXEC_ON);
	assert_int_equal(environment_proxy_exec_at(FIXTURES "log-absent"), PROXY_EXEC_ABSENT);
	assert_string_equal(proxy_exec_state_name(PROXY_EXEC_ABSENT), "absent");
	assert_string_equal(proxy_exec_state_name(PROXY_EXEC_UNKNOWN), "unknown");
	assert_string_equal(proxy_exec_state_name(PROXY_EXEC_OFF), "off");
	assert_string_equal(proxy_exec_state_name(PROXY_EXEC_ON), "on");
}

/* ---- the configuration ---- */

static void check_value(const struct running_config *config, const char *option, const char *value)
{
	char found[64];

	running_config_value(config, option, found, sizeof(found));
	assert_string_equal(found, value);
}

static void test_a_configuration_is_read_plain_and_gzipped(void **state)
{
	struct running_config *config;

	(void)state;
	assert_int_equal(running_config_load(&config, FIXTURES "noisy"), 0);
	assert_string_equal(running_config_source(config), "/boot/config-6.1.0-18-amd64");
	check_value(config, "CONFIG_HZ", "250");
	check_value(config, "CONFIG_LOCALVERSION", "-18");
	check_value(config, "CONFIG_PREEMPT", "n");
	check_value(config, "CONFIG_PREEMPT_VOLUNTARY", "y");
	check_value(config, "CONFIG_NOT_THERE", "n");
	assert_true(running_config_has(config, "CONFIG_MODULE_TEST"));
	assert_false(running_config_has(config, "CONFIG_HZ"));
	running_config_free(config);
	assert_int_equal(running_config_load(&config, FIXTURES "quiet"), 0);
	assert_string_equal(running_config_source(config), "/proc/config.gz");
	check_value(config, "CONFIG_SCHED_PROXY_EXEC", "y");
	running_config_free(config);
	assert_int_equal(running_config_load(&config, FIXTURES "bare"), -ENODATA);
}

/* ---- spoilers ---- */

struct expected_spoiler {
	const char *name;
	bool spoils;
	const char *found;
};

static void check_spoilers(const char *root, const struct expected_spoiler *expected, size_t count)
{
	struct spoiler found[SPOILERS_MAX];

	assert_int_equal(environment_spoilers_at(root, found, SPOILERS_MAX), count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(found[i].name, expected[i].name);
		assert_string_equal(found[i].found, expected[i].found);
		assert_int_equal(found[i].spoils, expected[i].spoils);
		assert_int_equal(*found[i].remedy != '\0', expected[i].spoils);
	}
}
#define CHECK_SPOILERS(root, table) check_spoilers(root, table, sizeof(table) / sizeof(*(table)))

static void test_everything_spoils_on_a_noisy_machine(void **state)
{
	static const struct expected_spoiler expected[] = {
		{"cpufreq-governor", true, "powersave on 2 of 3 CPUs"},
		{"turbo", true, "on (intel_pstate)"},
		{"smt", true, "active (control: on)"},
		{"idle-states", true, "deepest enabled: C6, 133 us to leave"},
		{"mitigations", true, "2 active, of 3 weaknesses known"},
		{"rt-throttling", true, "real-time tasks get 950000 of every 1000000 us"},
		{"clocksource", true, "hpet, read by a system call"},
		{"steal-time", true, "1.00 % of CPU time since boot"},
		{"load", true, "3.25 over the last minute"},
		{"irqbalance", true, "running"},
		{"swap", true, "4196 KiB in use"},
		{"huge-pages", true, "[always] madvise never"},
		{"nmi-watchdog", true, "on"},
		{"numa-balancing", true, "on"},
		{"autogroup", true, "on"},
		{"debug-options", true, "PROVE_LOCKING, DEBUG_MUTEXES, KASAN"},
		{"taint", true, "4097 (PO)"},
		{"tracing", true, "tracer function is on"},
		{"isolated-cpus", false, "isolated: 4; nohz_full: none"},
	};

	(void)state;
	CHECK_SPOILERS(FIXTURES "noisy", expected);
}

static void test_nothing_spoils_on_a_quiet_machine(void **state)
{
	static const struct expected_spoiler expected[] = {
		{"cpufreq-governor", false, "performance on all 1 CPUs"},
		{"turbo", false, "off (cpufreq boost)"},
		{"smt", false, "not active (control: notsupported)"},
		{"idle-states", false, "deepest enabled: WFI, 1 us to leave"},
		{"mitigations", false, "0 active, of 1 weaknesses known"},
		{"rt-throttling", false, "off"},
		{"clocksource", false, "arch_sys_counter"},
		{"steal-time", false, "0.00 % of CPU time since boot"},
		{"load", false, "0.00 over the last minute"},
		{"irqbalance", false, "not running"},
		{"swap", false, "0 KiB in use"},
		{"huge-pages", false, "always [madvise] never"},
		{"nmi-watchdog", false, "off"},
		{"numa-balancing", false, "off"},
		{"autogroup", false, "off"},
		{"debug-options", false, "none"},
		{"taint", false, "no"},
		{"tracing", false, "off"},
		{"isolated-cpus", false, "no CPU is isolated"},
	};

	(void)state;
	CHECK_SPOILERS(FIXTURES "quiet", expected);
}

static void test_what_cannot_be_seen_does_not_spoil(void **state)
{
	struct spoiler found[SPOILERS_MAX];
	size_t count = environment_spoilers_at(FIXTURES "bare", found, SPOILERS_MAX);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_false(found[i].spoils);
		assert_string_not_equal(found[i].found, "");
	}
	assert_int_equal(environment_spoilers_at(FIXTURES "bare", found, 1), count);
}

/* ---- the object ---- */

static struct json_object *at(struct json_object *object, const char *path)
{
	struct json_object *value = NULL;

	assert_int_equal(json_pointer_get(object, path, &value), 0);
	return value;
}

static const char *text_at(struct json_object *object, const char *path)
{
	return json_object_get_string(at(object, path));
}

static void test_the_object_of_a_server(void **state)
{
	struct json_object *object = environment_to_json_at(FIXTURES "noisy");

	(void)state;
	assert_string_equal(text_at(object, "/kernel/release"), "6.1.0-18-amd64");
	assert_string_equal(text_at(object, "/kernel/version"),
			    "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)");
	assert_string_equal(text_at(object, "/kernel/config/CONFIG_HZ"), "250");
	assert_string_equal(text_at(object, "/kernel/config/CONFIG_SCHED_PROXY_EXEC"), "n");
	assert_string_equal(text_at(object, "/kernel/config_source"),
			    "/boot/config-6.1.0-18-amd64");
	assert_string_equal(text_at(object, "/kernel/command_line"),
			    "BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-amd64 root=/dev/sda1 ro quiet");
	assert_string_equal(text_at(object, "/kernel/proxy_exec"), "absent");
	assert_string_equal(text_at(object, "/cpu/model"),
			    "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz");
	assert_int_equal(json_object_get_int(at(object, "/cpu/online_cpus")), 3);
	assert_string_equal(text_at(object, "/cpu/microcode"), "0x2006e05");
	assert_int_equal(json_object_get_int(at(object, "/topology/cpus")), 2);
	assert_string_equal(text_at(object, "/clocksource"), "hpet");
	assert_int_equal(json_object_get_int64(at(object, "/memory_bytes")),
			 INT64_C(16318480) * 1024);
	assert_string_equal(text_at(object, "/hostname"), "noisy");
	assert_string_equal(text_at(object, "/machine"), "Supermicro X11DPi-N");
	assert_string_equal(text_at(object, "/virtualization"), "none");
	assert_string_equal(text_at(object, "/spoilers/0/name"), "cpufreq-governor");
	assert_string_not_equal(text_at(object, "/tools/proxeval"), "");
	json_object_put(object);
}

static void test_the_object_of_a_board(void **state)
{
	struct json_object *object = environment_to_json_at(FIXTURES "quiet");

	(void)state;
	assert_string_equal(text_at(object, "/kernel/proxy_exec"), "off");
	assert_string_equal(text_at(object, "/cpu/model"), "Arm implementer 0x41 part 0xd0c");
	assert_null(at(object, "/cpu/microcode"));
	assert_null(at(object, "/topology"));
	assert_string_equal(text_at(object, "/machine"), "Example board, rev 2");
	assert_string_equal(text_at(object, "/virtualization"), "unknown");
	json_object_put(object);
}

static void test_the_object_of_a_kernel_that_tells_nothing(void **state)
{
	struct json_object *object = environment_to_json_at(FIXTURES "bare");

	(void)state;
	assert_null(at(object, "/kernel/release"));
	assert_null(at(object, "/kernel/config_source"));
	assert_int_equal(json_object_object_length(at(object, "/kernel/config")), 0);
	assert_string_equal(text_at(object, "/kernel/proxy_exec"), "unknown");
	assert_int_equal(json_object_get_int(at(object, "/cpu/online_cpus")), 0);
	assert_string_equal(text_at(object, "/cpu/model"), "unknown");
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_command_line_is_read_as_the_kernel_reads_it),
		cmocka_unit_test(test_proxy_execution_is_told_by_three_witnesses),
		cmocka_unit_test(test_what_a_kernel_does_not_know_cannot_be_asked_of_it),
		cmocka_unit_test(test_a_configuration_is_read_plain_and_gzipped),
		cmocka_unit_test(test_everything_spoils_on_a_noisy_machine),
		cmocka_unit_test(test_nothing_spoils_on_a_quiet_machine),
		cmocka_unit_test(test_what_cannot_be_seen_does_not_spoil),
		cmocka_unit_test(test_the_object_of_a_server),
		cmocka_unit_test(test_the_object_of_a_board),
		cmocka_unit_test(test_the_object_of_a_kernel_that_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
