// SPDX-License-Identifier: GPL-2.0-only
#include "bench/environment.h"
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <hwloc.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/running_config.h"
#include "bench/topology.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define SYSLOG_ACTION_READ_ALL 3
#define KERNEL_LOG_MAX_BYTES   (1 << 20)

/* What a reader needs to know of a kernel's configuration to judge a scheduler's figures. */
static const char *const telling_options[] = {
	"CONFIG_SCHED_PROXY_EXEC",
	"CONFIG_EXPERT",
	"CONFIG_PREEMPT_NONE",
	"CONFIG_PREEMPT_VOLUNTARY",
	"CONFIG_PREEMPT",
	"CONFIG_PREEMPT_LAZY",
	"CONFIG_PREEMPT_RT",
	"CONFIG_PREEMPT_DYNAMIC",
	"CONFIG_HZ",
	"CONFIG_NO_HZ_IDLE",
	"CONFIG_NO_HZ_FULL",
	"CONFIG_HIGH_RES_TIMERS",
	"CONFIG_SMP",
	"CONFIG_NR_CPUS",
	"CONFIG_NUMA",
	"CONFIG_NUMA_BALANCING",
	"CONFIG_SCHED_SMT",
	"CONFIG_SCHED_MC",
	"CONFIG_SCHED_CLUSTER",
	"CONFIG_SCHED_CORE",
	"CONFIG_SCHED_CLASS_EXT",
	"CONFIG_SCHED_AUTOGROUP",
	"CONFIG_SCHED_HRTICK",
	"CONFIG_FAIR_GROUP_SCHED",
	"CONFIG_CFS_BANDWIDTH",
	"CONFIG_RT_GROUP_SCHED",
	"CONFIG_UCLAMP_TASK",
	"CONFIG_PSI",
	"CONFIG_SCHEDSTATS",
	"CONFIG_MUTEX_SPIN_ON_OWNER",
	"CONFIG_RWSEM_SPIN_ON_OWNER",
	"CONFIG_USERFAULTFD",
	"CONFIG_CGROUPS",
	"CONFIG_CPUSETS",
	"CONFIG_CPU_FREQ",
	"CONFIG_CPU_IDLE",
	"CONFIG_TRANSPARENT_HUGEPAGE",
	"CONFIG_FTRACE",
	"CONFIG_DEBUG_FS",
	"CONFIG_SCHED_DEBUG",
	"CONFIG_PARAVIRT",
	"CONFIG_KVM_GUEST",
	/* Those that change what is measured. */
	"CONFIG_PROVE_LOCKING",
	"CONFIG_LOCKDEP",
	"CONFIG_LOCK_STAT",
	"CONFIG_DEBUG_MUTEXES",
	"CONFIG_DEBUG_RT_MUTEXES",
	"CONFIG_DEBUG_SPINLOCK",
	"CONFIG_DEBUG_ATOMIC_SLEEP",
	"CONFIG_DEBUG_PREEMPT",
	"CONFIG_DEBUG_LIST",
	"CONFIG_DEBUG_OBJECTS",
	"CONFIG_DEBUG_PAGEALLOC",
	"CONFIG_DEBUG_KMEMLEAK",
	"CONFIG_SLUB_DEBUG_ON",
	"CONFIG_KASAN",
	"CONFIG_KCSAN",
	"CONFIG_KMSAN",
	"CONFIG_KFENCE",
	"CONFIG_UBSAN",
	"CONFIG_KCOV",
	"CONFIG_GCOV_KERNEL",
};

/* ---- small readers below a root ---- */

static char *read_text_at(const char *root, const char *relative)
{
	char path[PATH_MAX], *text = NULL;

	if (snprintf(path, sizeof(path), "%s%s", root, relative) >= (int)sizeof(path) ||
	    read_file(path, 16 << 20, &text, NULL))
		return NULL;
	return text;
}

/* The value behind the first "KEY…: VALUE" line of @text, as /proc/cpuinfo and /proc/meminfo have
 * it. */
static bool find_field(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *colon;

		line += *line == '\n';
		if (strncmp(line, key, length))
			continue;
		colon = line + length + strspn(line + length, " \t");
		if (*colon != ':')
			continue;
		colon += 1 + strspn(colon + 1, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(colon, "\n"), colon);
		return true;
	}
	return false;
}

static struct json_object *string_or_null(const char *text)
{
	return *text ? json_object_new_string(text) : NULL;
}

/* ---- proxy execution ---- */

const char *proxy_exec_state_name(enum proxy_exec_state state)
{
	switch (state) {
	case PROXY_EXEC_ABSENT:
		return "absent";
	case PROXY_EXEC_OFF:
		return "off";
	case PROXY_EXEC_ON:
		return "on";
	case PROXY_EXEC_UNKNOWN:
		break;
	}
	return "unknown";
}

/* The kernel's idea of a truth value looks at the first letter, for "on" and "off" at two. */
static bool parse_kernel_bool(const char *text, bool *value)
{
	char first = (char)tolower((unsigned char)text[0]);
	char second = first ? (char)tolower((unsigned char)text[1]) : '\0';

	if (first == 'o' && (second == 'n' || second == 'f')) {
		*value = second == 'n';
		return true;
	}
	if (first && strchr("eyt1", first)) {
		*value = true;
		return true;
	}
	if (first && strchr("dnf0", first)) {
		*value = false;
		return true;
	}
	return false;
}

/* Whether @word begins with the switch's name; the kernel takes '-' for '_'. */
static bool is_proxy_exec_word(const char *word, size_t length)
{
	static const char name[] = "sched_proxy_exec";

	if (length < sizeof(name) - 1)
		return false;
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		if ((word[i] == '-' ? '_' : word[i]) != name[i])
			return false;
	return true;
}

/* The length of the first word; blanks inside double quotes belong to it. */
static size_t word_length(const char *text)
{
	bool quoted = false;
	size_t length = 0;

	for (; text[length]; length++) {
		if (text[length] == '"')
			quoted = !quoted;
		else if (!quoted && isspace((unsigned char)text[length]))
			break;
	}
	return length;
}

bool proxy_exec_from_command_line(const char *command_line, bool *set)
{
	const size_t name_length = strlen("sched_proxy_exec");
	bool enabled = true;

	*set = false;
	for (const char *word = command_line; *word;) {
		size_t length;
		char rest[16], *value = rest;
		bool named;

		/* The same blanks as those that end a word, or one would be stood at for ever. */
		while (isspace((unsigned char)*word))
			word++;
		length = word_length(word);
		if (length == 2 && !strncmp(word, "--", 2))
			break;		      /* what follows is for init */
		if (length && *word == '"') { /* a word may be quoted whole */
			word++;
			length--;
		}
		if (is_proxy_exec_word(word, length)) {
			snprintf(rest, sizeof(rest), "%.*s", (int)(length - name_length),
				 word + name_length);
			/* Bare: on. Else one character, whatever it is, comes before the value. */
			value += *value != '\0';
			value += value != rest && *value == '"';
			named = !*rest || *rest == '"' || parse_kernel_bool(value, &enabled);
			if (!*rest || *rest == '"')
				enabled = true;
			*set |= named;
		}
		word += length;
	}
	return enabled;
}

/* The kernel's own log; below a root what was recorded in dev/kmsg. NULL when it cannot be read. */
static char *read_kernel_log(const char *root)
{
	char *text;
	int size;

	if (*root)
		return read_text_at(root, "/dev/kmsg");
	text = malloc(KERNEL_LOG_MAX_BYTES);
	if (!text)
		return NULL;
	size = klogctl(SYSLOG_ACTION_READ_ALL, text, KERNEL_LOG_MAX_BYTES - 1);
	if (size < 0) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

/*
 * Whether the kernel listed the switch among the arguments that nobody in it took. It prints
 * the whole list in one line, which ends before the text of the next.
 */
static bool is_switch_unknown_to(const char *log)
{
	static const char lead[] = "Unknown kernel command line parameters";
	const char *list = strstr(log, lead);

	if (!list)
		return false;
	list += sizeof(lead) - 1;
	while (*list && *list != '\n') {
		size_t length;

		list += strspn(list, " \"");
		length = strcspn(list, " \"\n");
		if (is_proxy_exec_word(list, length))
			return true;
		list += length;
	}
	return false;
}

/* What the kernel said of the switch; UNKNOWN when it said nothing, or the log has wrapped. */
static enum proxy_exec_state proxy_exec_from_log(const char *root)
{
	char *text = read_kernel_log(root);
	const char *on, *off;
	enum proxy_exec_state state = PROXY_EXEC_UNKNOWN;

	if (!text)
		return PROXY_EXEC_UNKNOWN;
	on = strstr(text, "sched_proxy_exec enabled via boot arg");
	off = strstr(text, "sched_proxy_exec disabled via boot arg");
	if (on || off)
		state = on > off ? PROXY_EXEC_ON : PROXY_EXEC_OFF; /* the last word counts */
	else if (strstr(text, "CONFIG_SCHED_PROXY_EXEC=n, so it cannot be enabled") ||
		 is_switch_unknown_to(text))
		state = PROXY_EXEC_ABSENT;
	free(text);
	return state;
}

/*
 * Three witnesses, cheapest first: how the kernel was built, what its command line
 * says, and, where there is a word to be in doubt about, what it logged.
 */
static enum proxy_exec_state judge_proxy_exec(const char *root, const struct running_config *config)
{
	enum proxy_exec_state logged;
	bool set, enabled;
	char *command_line;

	if (config && !running_config_has(config, "CONFIG_SCHED_PROXY_EXEC"))
		return PROXY_EXEC_ABSENT;
	if (!config)
		return proxy_exec_from_log(root);
	command_line = read_text_at(root, "/proc/cmdline");
	enabled = !command_line || proxy_exec_from_command_line(command_line, &set);
	logged = PROXY_EXEC_UNKNOWN;
	if (command_line && strstr(command_line, "proxy"))
		logged = proxy_exec_from_log(root);
	free(command_line);
	if (logged == PROXY_EXEC_ON || logged == PROXY_EXEC_OFF)
		return logged;
	return enabled ? PROXY_EXEC_ON : PROXY_EXEC_OFF;
}

enum proxy_exec_state environment_proxy_exec_at(const char *root)
{
	struct running_config *config = NULL;
	enum proxy_exec_state state;

	running_config_load(&config, root);
	state = judge_proxy_exec(root, config);
	running_config_free(config);
	return state;
}

enum proxy_exec_state environment_proxy_exec(void)
{
	return environment_proxy_exec_at("");
}

enum proxy_exec_request environment_proxy_exec_request_at(const char *root)
{
	char *command_line = read_text_at(root, "/proc/cmdline");
	bool set = false, enabled;

	enabled = !command_line || proxy_exec_from_command_line(command_line, &set);
	free(command_line);
	if (!set)
		return PROXY_EXEC_NOT_NAMED;
	return enabled ? PROXY_EXEC_ASKED_ON : PROXY_EXEC_ASKED_OFF;
}

enum proxy_exec_request environment_proxy_exec_request(void)
{
	return environment_proxy_exec_request_at("");
}

const char *environment_proxy_exec_refusal_at(const char *root)
{
	struct running_config *config = NULL;
	enum proxy_exec_state state;
	bool has_config, is_unknown = false;

	if (environment_proxy_exec_request_at(root) != PROXY_EXEC_ASKED_ON)
		return NULL;
	running_config_load(&config, root);
	has_config = config;
	state = judge_proxy_exec(root, config);
	running_config_free(config);
	if (state != PROXY_EXEC_ABSENT)
		return NULL;
	if (!has_config) {
		char *log = read_kernel_log(root);

		is_unknown = log && is_switch_unknown_to(log);
		free(log);
	}
	return is_unknown ? "this kernel has no proxy execution (its log calls sched_proxy_exec "
			    "unknown)"
			  : "this kernel has no proxy execution (it is built without "
			    "CONFIG_SCHED_PROXY_EXEC)";
}

const char *environment_proxy_exec_refusal(void)
{
	return environment_proxy_exec_refusal_at("");
}

int environment_has_kernel_option(const char *option)
{
	/* Unpacking it takes a slow guest milliseconds, and every section asks. */
	static struct running_config *config;
	static bool tried;

	if (!tried)
		running_config_load(&config, "");
	tried = true;
	return config ? running_config_has(config, option) : -ENODATA;
}

/* ---- the parts of the object ---- */

static struct json_object *kernel_to_json(const char *root)
{
	struct json_object *kernel = json_object_new_object();
	struct json_object *options = json_object_new_object();
	struct running_config *config = NULL;
	char line[4096], value[64];

	running_config_load(&config, root);
	for (size_t i = 0; config && i < sizeof(telling_options) / sizeof(*telling_options); i++) {
		running_config_value(config, telling_options[i], value, sizeof(value));
		json_object_object_add(options, telling_options[i], json_object_new_string(value));
	}
	read_line_at(root, line, sizeof(line), "/proc/sys/kernel/osrelease");
	json_object_object_add(kernel, "release", string_or_null(line));
	read_line_at(root, line, sizeof(line), "/proc/sys/kernel/version");
	json_object_object_add(kernel, "version", string_or_null(line));
	json_object_object_add(kernel, "config", options);
	json_object_object_add(kernel, "config_source",
			       config ? json_object_new_string(running_config_source(config))
				      : NULL);
	read_line_at(root, line, sizeof(line), "/proc/cmdline");
	json_object_object_add(kernel, "command_line", json_object_new_string(line));
	json_object_object_add(
		kernel, "proxy_exec",
		json_object_new_string(proxy_exec_state_name(judge_proxy_exec(root, config))));
	running_config_free(config);
	return kernel;
}

/* How many CPUs a list such as "0-3,8,10-11" names. */
static unsigned int count_cpu_list(const char *list)
{
	unsigned int count = 0;

	while (isdigit((unsigned char)*list)) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		count += last >= first ? (unsigned int)(last - first + 1) : 0;
		list = *end == ',' ? end + 1 : end;
	}
	return count;
}

/* No "model name" outside x86: Arm names implementer and part, POWER "cpu", RISC-V "uarch" or
 * "isa". */
static void find_cpu_model(const char *cpuinfo, char *model, size_t size)
{
	static const char *const keys[] = {"model name", "cpu model", "cpu", "uarch", "isa"};
	char implementer[32], part[32];

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (find_field(cpuinfo, keys[i], model, size))
			return;
	if (find_field(cpuinfo, "CPU implementer", implementer, sizeof(implementer)) &&
	    find_field(cpuinfo, "CPU part", part, sizeof(part)))
		snprintf(model, size, "Arm implementer %s part %s", implementer, part);
	else
		snprintf(model, size, "unknown");
}

static struct json_object *cpu_to_json(const char *root)
{
	struct json_object *cpu = json_object_new_object();
	char *cpuinfo = read_text_at(root, "/proc/cpuinfo");
	char model[256] = "unknown", microcode[64] = "", online[4096];

	if (cpuinfo) {
		find_cpu_model(cpuinfo, model, sizeof(model));
		find_field(cpuinfo, "microcode", microcode, sizeof(microcode));
	}
	free(cpuinfo);
	read_line_at(root, online, sizeof(online), "/sys/devices/system/cpu/online");
	json_object_object_add(cpu, "model", json_object_new_string(model));
	json_object_object_add(cpu, "online_cpus",
			       json_object_new_int64((int64_t)count_cpu_list(online)));
	json_object_object_add(cpu, "microcode", string_or_null(microcode));
	return cpu;
}

static struct json_object *topology_at(const char *root)
{
	struct topology *topology;
	struct json_object *object;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/topology.xml", root);
	if (topology_load(&topology, *root ? path : NULL))
		return NULL;
	object = topology_to_json(topology);
	topology_free(topology);
	return object;
}

static int64_t memory_bytes(const char *root)
{
	char *meminfo = read_text_at(root, "/proc/meminfo"), value[64] = "0";

	if (meminfo)
		find_field(meminfo, "MemTotal", value, sizeof(value));
	free(meminfo);
	return strtoll(value, NULL, 10) * 1024;
}

/* Vendor and product as firmware has them; a device tree has one model string. */
static void find_machine(const char *root, char *machine, size_t size)
{
	char vendor[128], product[128];

	read_line_at(root, vendor, sizeof(vendor), "/sys/class/dmi/id/sys_vendor");
	read_line_at(root, product, sizeof(product), "/sys/class/dmi/id/product_name");
	if (*vendor || *product)
		snprintf(machine, size, "%s%s%s", vendor, *vendor && *product ? " " : "", product);
	else if (read_line_at(root, machine, size, "/proc/device-tree/model"))
		snprintf(machine, size, "unknown");
}

/* The hypervisor's name by its CPUID signature; NULL when the CPU cannot tell. */
static const char *hypervisor_by_cpuid(void)
{
#if defined(__x86_64__) || defined(__i386__)
	static const struct {
		const char *signature, *name;
	} known[] = {
		{"TCGTCGTCGTCG", "tcg"},    {"KVMKVMKVM", "kvm"},    {"Microsoft Hv", "hyper-v"},
		{"VMwareVMware", "vmware"}, {"XenVMMXenVMM", "xen"}, {"bhyve bhyve ", "bhyve"},
		{"Linux KVM Hv", "kvm"},
	};
	unsigned int eax, words[4] = {0};
	unsigned int ecx, edx, ebx;
	char signature[13] = "";

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1u << 31)))
		return "none";
	__cpuid(0x40000000, eax, words[0], words[1], words[2]);
	memcpy(signature, words, 12);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strncmp(signature, known[i].signature, strlen(known[i].signature)))
			return known[i].name;
	return "unknown hypervisor";
#else
	return NULL;
#endif
}

/* "none", a hypervisor's name, or "unknown": what this kernel can see of what it runs under. */
static void find_virtualization(const char *root, char *found, size_t size)
{
	const char *by_cpuid = *root ? NULL : hypervisor_by_cpuid();
	char *cpuinfo, flags[8192] = "";

	if (by_cpuid) {
		snprintf(found, size, "%s", by_cpuid);
		return;
	}
	if (!read_line_at(root, found, size, "/sys/hypervisor/type"))
		return;
	if (!read_line_at(root, found, size, "/proc/device-tree/hypervisor/compatible"))
		return;
	cpuinfo = read_text_at(root, "/proc/cpuinfo");
	if (cpuinfo && find_field(cpuinfo, "flags", flags, sizeof(flags)))
		snprintf(found, size, "%s",
			 strstr(flags, " hypervisor") ? "unknown hypervisor" : "none");
	else
		snprintf(found, size, "unknown");
	free(cpuinfo);
}

static struct json_object *spoilers_to_json(const char *root)
{
	struct json_object *list = json_object_new_array();
	struct spoiler spoilers[SPOILERS_MAX];
	size_t count = environment_spoilers_at(root, spoilers, SPOILERS_MAX);

	for (size_t i = 0; i < count && i < SPOILERS_MAX; i++) {
		struct json_object *object = json_object_new_object();

		json_object_object_add(object, "name", json_object_new_string(spoilers[i].name));
		json_object_object_add(object, "spoils",
				       json_object_new_boolean(spoilers[i].spoils));
		json_object_object_add(object, "found", json_object_new_string(spoilers[i].found));
		json_object_object_add(object, "remedy",
				       json_object_new_string(spoilers[i].remedy));
		json_object_array_add(list, object);
	}
	return list;
}

/* What measured: this program and the libraries whose behaviour its figures rest on. */
static struct json_object *tools_to_json(void)
{
	struct json_object *tools = json_object_new_object();
	unsigned int hwloc = hwloc_get_api_version();
	char version[32];

	snprintf(version, sizeof(version), "%u.%u.%u", hwloc >> 16, (hwloc >> 8) & 0xff,
		 hwloc & 0xff);
	json_object_object_add(tools, "proxeval", json_object_new_string(PACKAGE_VERSION));
	json_object_object_add(tools, "compiler", json_object_new_string(__VERSION__));
	json_object_object_add(tools, "libc", json_object_new_string(gnu_get_libc_version()));
	json_object_object_add(tools, "hwloc_api", json_object_new_string(version));
	json_object_object_add(tools, "json_c", json_object_new_string(json_c_version()));
	json_object_object_add(tools, "gsl", json_object_new_string(GSL_VERSION));
	return tools;
}

struct json_object *environment_to_json_at(const char *root)
{
	struct json_object *object = json_object_new_object();
	char line[256];

	json_object_object_add(object, "kernel", kernel_to_json(root));
	json_object_object_add(object, "cpu", cpu_to_json(root));
	json_object_object_add(object, "topology", topology_at(root));
	read_line_at(root, line, sizeof(line),
		     "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	json_object_object_add(object, "clocksource", string_or_null(line));
	json_object_object_add(object, "memory_bytes", json_object_new_int64(memory_bytes(root)));
	read_line_at(root, line, sizeof(line), "/proc/sys/kernel/hostname");
	json_object_object_add(object, "hostname", string_or_null(line));
	find_machine(root, line, sizeof(line));
	json_object_object_add(object, "machine", json_object_new_string(line));
	find_virtualization(root, line, sizeof(line));
	json_object_object_add(object, "virtualization", json_object_new_string(line));
	json_object_object_add(object, "spoilers", spoilers_to_json(root));
	json_object_object_add(object, "tools", tools_to_json());
	return object;
}

struct json_object *environment_to_json(void)
{
	return environment_to_json_at("");
}
