// SPDX-License-Identifier: GPL-2.0-only
#include "bench/commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bench/environment.h"
#include "bench/exit_codes.h"
#include "bench/files.h"
#include "bench/message.h"
#include "bench/packages.h"
#include "bench/paths.h"
#include "bench/process.h"
#include "bench/qemu.h"
#include "bench/settings.h"

#define DOCUMENT_VERSION 1
#define FINDINGS_MAX	 64
#define OS_RELEASE_BYTES 65536
#define BYTES_PER_MIB	 (1u << 20)
#define KVM_PROBE_S	 30 /* firmware takes well under a second where KVM works */
/* Unpacked source (1.7 GiB), objects of the small configuration, and room for results. */
#define DISK_NEEDED_MIB	  3500
#define MEMORY_NEEDED_MIB 1500 /* the default guest's 1 GiB and QEMU around it */

enum status {
	STATUS_OK,
	STATUS_MISSING, /* something cannot be done here until it is mended */
	STATUS_NOTE,	/* worth knowing */
};

struct finding {
	const char *name;
	enum status status;
	char found[192];
	char remedy[192]; /* "" when nothing is to be done */
};

struct diagnosis {
	struct finding findings[FINDINGS_MAX];
	size_t n_findings;
	struct spoiler spoilers[SPOILERS_MAX];
	size_t n_spoilers;
	struct package_need *missing; /* those that are not met */
	size_t n_missing;
	enum package_family family;
	bool vm, virtual_time, host, can_build_kernel; /* what works here */
};

struct doctor_values {
	bool json;
	bool probe_kvm;
};

static struct finding *add(struct diagnosis *diagnosis, const char *name, enum status status,
			   const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct finding *add(struct diagnosis *diagnosis, const char *name, enum status status,
			   const char *format, ...)
{
	struct finding *finding = &diagnosis->findings[diagnosis->n_findings];
	va_list args;

	if (diagnosis->n_findings < FINDINGS_MAX - 1)
		diagnosis->n_findings++;
	*finding = (struct finding){.name = name, .status = status};
	va_start(args, format);
	vsnprintf(finding->found, sizeof(finding->found), format, args);
	va_end(args);
	return finding;
}

static void remedy(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void remedy(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->remedy, sizeof(finding->remedy), format, args);
	va_end(args);
}

/* ---- what is looked at ---- */

static void look_at_kernel(struct diagnosis *diagnosis)
{
	enum proxy_exec_state state = environment_proxy_exec();
	struct finding *finding;

	switch (state) {
	case PROXY_EXEC_ON:
		add(diagnosis, "proxy-execution", STATUS_OK, "on in the running kernel");
		return;
	case PROXY_EXEC_OFF:
		finding = add(diagnosis, "proxy-execution", STATUS_NOTE,
			      "built into the running kernel, off by its boot argument");
		remedy(finding, "boot with sched_proxy_exec=1 to measure it on this machine");
		return;
	case PROXY_EXEC_ABSENT:
		finding = add(diagnosis, "proxy-execution", STATUS_NOTE,
			      "not in the running kernel (CONFIG_SCHED_PROXY_EXEC is not set)");
		break;
	case PROXY_EXEC_UNKNOWN:
	default:
		finding = add(diagnosis, "proxy-execution", STATUS_NOTE,
			      "not known: the running kernel's configuration cannot be read");
	}
	remedy(finding, "measure a kernel that has it in a VM: 'proxeval run --target vm'");
}

static void look_at_rights(struct diagnosis *diagnosis)
{
	struct finding *finding;

	diagnosis->host = !geteuid();
	if (diagnosis->host) {
		add(diagnosis, "rights", STATUS_OK, "root");
		return;
	}
	finding = add(
		diagnosis, "rights", STATUS_NOTE,
		"not root: real-time priorities, cgroups and the kernel's log are out of reach");
	remedy(finding, "run as root to measure on this machine; a VM does without");
}

static void look_at_qemu(struct diagnosis *diagnosis)
{
	struct qemu_version version;
	struct finding *finding;
	int err = qemu_find_version(&version);

	diagnosis->vm = !err;
	diagnosis->virtual_time = !err && version.major >= QEMU_VIRTUAL_TIME_MIN_MAJOR;
	if (err == -ENOENT)
		finding =
			add(diagnosis, "qemu", STATUS_MISSING, "%s is not installed", QEMU_PROGRAM);
	else if (err)
		finding = add(diagnosis, "qemu", STATUS_MISSING, "%s does not run", QEMU_PROGRAM);
	else if (!diagnosis->virtual_time)
		finding = add(diagnosis, "qemu", STATUS_MISSING,
			      "QEMU %s: too old for --time=virtual, which needs %u", version.text,
			      QEMU_VIRTUAL_TIME_MIN_MAJOR);
	else
		finding = add(diagnosis, "qemu", STATUS_OK, "QEMU %s", version.text);
	if (finding->status == STATUS_OK)
		return;
	if (diagnosis->family == FAMILY_APT)
		remedy(finding,
		       "apt-get install qemu-system-x86, from backports where the release's is older than %u",
		       QEMU_VIRTUAL_TIME_MIN_MAJOR);
	else
		remedy(finding, "install %s %u or newer",
		       package_name_in(diagnosis->family, "qemu-system-x86"),
		       QEMU_VIRTUAL_TIME_MIN_MAJOR);
}

/*
 * Runs firmware under KVM: it finds nothing to boot and asks for a reset, at which
 * QEMU ends. A device file alone proves nothing: restricted hosts have one that runs
 * no guest.
 */
static int probe_kvm(void)
{
	const char *const argv[] = {
		QEMU_PROGRAM, "-M",   "q35",	    "-accel", "kvm",
		"-cpu",	      "host", "-m",	    "64",     "-nodefaults",
		"-display",   "none", "-no-reboot", "-boot",  "reboot-timeout=1",
		NULL};
	const struct process_request request = {.argv = argv, .timeout_s = KVM_PROBE_S};

	return process_run(&request);
}

static void look_at_kvm(struct diagnosis *diagnosis, bool probe)
{
	struct finding *finding;
	int err;

	if (access("/dev/kvm", F_OK)) {
		finding = add(diagnosis, "kvm", STATUS_NOTE,
			      "no /dev/kvm: guests run under TCG, several times slower");
		remedy(finding,
		       "switch virtualization on in the firmware or the hypervisor, or use --time=virtual");
		return;
	}
	if (access("/dev/kvm", R_OK | W_OK)) {
		finding = add(diagnosis, "kvm", STATUS_NOTE, "/dev/kvm is not open to this user");
		remedy(finding, "add the user to the group 'kvm', or run as root");
		return;
	}
	if (!probe || !diagnosis->vm) {
		finding = add(diagnosis, "kvm", STATUS_NOTE, "/dev/kvm exists but was not tried");
		remedy(finding,
		       "try it with 'proxeval doctor --probe-kvm'; a run tries it by itself");
		return;
	}
	err = probe_kvm();
	if (!err) {
		add(diagnosis, "kvm", STATUS_OK, "/dev/kvm runs a guest's firmware");
		return;
	}
	finding = add(diagnosis, "kvm", STATUS_NOTE,
		      err == -ETIMEDOUT ? "/dev/kvm exists but its guest hung"
					: "/dev/kvm exists but does not run an ordinary guest");
	remedy(finding, "none needed: runs fall back to TCG, several times slower");
}

static bool is_named_already(const struct diagnosis *diagnosis, const char *package)
{
	for (size_t i = 0; i < diagnosis->n_missing; i++)
		if (!strcmp(diagnosis->missing[i].package, package))
			return true;
	return false;
}

/* Keeps the needs that are not met, each package once, at the head of the array. */
static int find_missing_packages(struct diagnosis *diagnosis)
{
	char *path = paths_data("scripts/packages.txt");
	size_t count;
	int err;

	err = path ? packages_load(path, &diagnosis->missing, &count) : -ENOMEM;
	free(path);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		if (!is_named_already(diagnosis, diagnosis->missing[i].package) &&
		    !is_package_check_met(diagnosis->missing[i].check))
			diagnosis->missing[diagnosis->n_missing++] = diagnosis->missing[i];
	return 0;
}

/* The missing packages for one need, by this distribution's names. */
static size_t list_missing(const struct diagnosis *diagnosis, const char *need, char *out,
			   size_t size)
{
	size_t count = 0, used = 0;

	*out = '\0';
	for (size_t i = 0; i < diagnosis->n_missing; i++) {
		if (strcmp(diagnosis->missing[i].need, need))
			continue;
		used += (size_t)snprintf(
			out + used, used < size ? size - used : 0, "%s%s", count++ ? " " : "",
			package_name_in(diagnosis->family, diagnosis->missing[i].package));
		if (used >= size)
			used = size;
	}
	return count;
}

static void look_at_tools(struct diagnosis *diagnosis, const char *name, const char *need,
			  const char *purpose, enum status if_missing)
{
	const char *install = package_install_command(diagnosis->family);
	struct finding *finding;
	char names[160];

	if (!list_missing(diagnosis, need, names, sizeof(names))) {
		add(diagnosis, name, STATUS_OK, "all that is needed %s", purpose);
		return;
	}
	finding = add(diagnosis, name, if_missing, "needed %s and missing: %s", purpose, names);
	if (install)
		remedy(finding, "%s %s", install, names);
	else
		remedy(finding, "install what this distribution calls them (Debian's names)");
}

static void look_at_packages(struct diagnosis *diagnosis)
{
	char names[160];
	struct finding *finding;
	int err = find_missing_packages(diagnosis);

	if (err) {
		finding = add(diagnosis, "packages", STATUS_NOTE,
			      "scripts/packages.txt cannot be read: %s", strerror(-err));
		remedy(finding,
		       "start it with ./run-bench, or set PROXEVAL_DATA to the source folder");
		return;
	}
	diagnosis->can_build_kernel = !list_missing(diagnosis, "kernel", names, sizeof(names));
	look_at_tools(diagnosis, "kernel-tools", "kernel", "to build a kernel", STATUS_MISSING);
	look_at_tools(diagnosis, "suite-tools", "build", "to build the suite", STATUS_NOTE);
	look_at_tools(diagnosis, "test-tools", "test", "by ./run-tests", STATUS_NOTE);
}

/* Which kernel sources apt knows of at present; a fetch may look further. */
static void look_at_kernel_source(struct diagnosis *diagnosis)
{
	const char *const argv[] = {"apt-cache", "search", "--names-only", "^linux-source-[0-9.]+$",
				    NULL};
	char *text = NULL, names[128] = "", *save = NULL;
	struct finding *finding;

	if (diagnosis->family != FAMILY_APT || process_capture(argv, &text)) {
		finding = add(diagnosis, "kernel-source", STATUS_NOTE,
			      "no apt here to fetch a kernel's source from");
		remedy(finding, "give one: --kernel-tree DIR, or a built one: --kernel-image FILE");
		return;
	}
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t used = strlen(names);

		line[strcspn(line, " ")] = '\0';
		snprintf(names + used, sizeof(names) - used, "%s%s", used ? " " : "", line);
	}
	free(text);
	if (*names)
		add(diagnosis, "kernel-source", STATUS_OK, "apt knows %s; a fetch looks further",
		    names);
	else
		add(diagnosis, "kernel-source", STATUS_NOTE,
		    "apt knows no linux-source package yet; 'proxeval kernel fetch' looks by itself");
}

static void look_at_disk(struct diagnosis *diagnosis)
{
	char *path = paths_build("kernel"), *slash;
	struct statvfs status;
	struct finding *finding;
	unsigned long long free_mib;

	/* The build folder may not exist yet: its nearest parent has the space. */
	while (path && statvfs(path, &status) && (slash = strrchr(path, '/')) && slash != path)
		*slash = '\0';
	if (!path || statvfs(path, &status)) {
		free(path);
		return;
	}
	free_mib = (unsigned long long)status.f_bavail * status.f_frsize / BYTES_PER_MIB;
	if (free_mib >= DISK_NEEDED_MIB) {
		add(diagnosis, "disk", STATUS_OK, "%llu MiB free in %s", free_mib, path);
	} else {
		finding = add(diagnosis, "disk", STATUS_MISSING,
			      "%llu MiB free in %s, a kernel build needs %u", free_mib, path,
			      DISK_NEEDED_MIB);
		remedy(finding, "free some space, or give a built kernel: --kernel-image FILE");
	}
	free(path);
}

static void look_at_memory(struct diagnosis *diagnosis)
{
	char *text, *line;
	unsigned long long free_mib = 0;
	struct finding *finding;

	if (read_file("/proc/meminfo", 65536, &text, NULL))
		return;
	line = strstr(text, "MemAvailable:");
	if (line)
		free_mib = strtoull(line + strlen("MemAvailable:"), NULL, 10) / 1024;
	free(text);
	if (free_mib >= MEMORY_NEEDED_MIB) {
		add(diagnosis, "memory", STATUS_OK, "%llu MiB available", free_mib);
		return;
	}
	finding =
		add(diagnosis, "memory", STATUS_MISSING,
		    "%llu MiB available, the default guest needs %u", free_mib, MEMORY_NEEDED_MIB);
	remedy(finding, "end other programs, or give the guest less: --memory MIB");
}

static void look_at_leftovers(struct diagnosis *diagnosis)
{
	int count = settings_restore_abandoned(true, NULL, NULL), owner;
	struct finding *finding;

	if (!count) {
		add(diagnosis, "settings", STATUS_OK, "no run has left settings changed");
		return;
	}
	owner = settings_owner();
	if (count == -EBUSY && owner) {
		add(diagnosis, "settings", STATUS_NOTE, "a run is under way (process %d)", owner);
		return;
	}
	finding = count > 0 ? add(diagnosis, "settings", STATUS_NOTE,
				  "an interrupted run has left %d changes", count)
			    : add(diagnosis, "settings", STATUS_NOTE,
				  "the journal of changed settings cannot be used: %s",
				  strerror(-count));
	remedy(finding, "proxeval restore");
}

static enum package_family find_family(void)
{
	static const char *const places[] = {"/etc/os-release", "/usr/lib/os-release"};
	enum package_family family = FAMILY_OTHER;
	char *text;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (read_file(places[i], OS_RELEASE_BYTES, &text, NULL))
			continue;
		family = package_family_of(text);
		free(text);
		break;
	}
	return family;
}

static void diagnose(struct diagnosis *diagnosis, const struct doctor_values *values)
{
	diagnosis->family = find_family();
	look_at_kernel(diagnosis);
	look_at_rights(diagnosis);
	look_at_qemu(diagnosis);
	look_at_kvm(diagnosis, values->probe_kvm);
	look_at_packages(diagnosis);
	look_at_kernel_source(diagnosis);
	look_at_disk(diagnosis);
	look_at_memory(diagnosis);
	look_at_leftovers(diagnosis);
	diagnosis->n_spoilers = environment_spoilers(diagnosis->spoilers, SPOILERS_MAX);
}

/* ---- telling it ---- */

static const char *status_name(enum status status)
{
	static const char *const names[] = {
		[STATUS_OK] = "ok",
		[STATUS_MISSING] = "missing",
		[STATUS_NOTE] = "note",
	};

	return names[status];
}

static void describe_targets(const struct diagnosis *diagnosis, const char **vm, const char **host)
{
	if (!diagnosis->vm)
		*vm = "no: QEMU is missing";
	else if (!diagnosis->virtual_time)
		*vm = "yes, but not with --time=virtual: QEMU is too old";
	else if (!diagnosis->can_build_kernel)
		*vm = "yes, with --kernel-image FILE: tools to build a kernel are missing";
	else
		*vm = "yes";
	*host = diagnosis->host ? "yes" : "no: it needs root";
}

static struct json_object *target_to_json(const char *name, bool possible, const char *text)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_object_new_string(name));
	json_object_object_add(object, "possible", json_object_new_boolean(possible));
	json_object_object_add(object, "text", json_object_new_string(text));
	return object;
}

static struct json_object *finding_to_json(const char *name, const char *status, const char *found,
					   const char *text)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_object_new_string(name));
	json_object_object_add(object, "status", json_object_new_string(status));
	json_object_object_add(object, "found", json_object_new_string(found));
	json_object_object_add(object, "remedy", json_object_new_string(text));
	return object;
}

static struct json_object *packages_to_json(const struct diagnosis *diagnosis)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < diagnosis->n_missing; i++) {
		struct json_object *object = json_object_new_object();
		const struct package_need *need = &diagnosis->missing[i];

		json_object_object_add(object, "need", json_object_new_string(need->need));
		json_object_object_add(object, "check", json_object_new_string(need->check));
		json_object_object_add(
			object, "package",
			json_object_new_string(package_name_in(diagnosis->family, need->package)));
		json_object_array_add(list, object);
	}
	return list;
}

static void print_json(const struct diagnosis *diagnosis)
{
	struct json_object *document = json_object_new_object();
	struct json_object *targets = json_object_new_array(), *checks = json_object_new_array();
	struct json_object *spoilers = json_object_new_array();
	const char *vm, *host;

	describe_targets(diagnosis, &vm, &host);
	json_object_array_add(targets, target_to_json("vm", diagnosis->vm, vm));
	json_object_array_add(targets, target_to_json("host", diagnosis->host, host));
	for (size_t i = 0; i < diagnosis->n_findings; i++) {
		const struct finding *finding = &diagnosis->findings[i];

		json_object_array_add(checks,
				      finding_to_json(finding->name, status_name(finding->status),
						      finding->found, finding->remedy));
	}
	for (size_t i = 0; i < diagnosis->n_spoilers; i++) {
		const struct spoiler *spoiler = &diagnosis->spoilers[i];

		json_object_array_add(spoilers, finding_to_json(spoiler->name,
								spoiler->spoils ? "spoils" : "ok",
								spoiler->found, spoiler->remedy));
	}
	json_object_object_add(document, "format", json_object_new_string("proxeval-doctor"));
	json_object_object_add(document, "version", json_object_new_int(DOCUMENT_VERSION));
	json_object_object_add(document, "targets", targets);
	json_object_object_add(document, "virtual_time",
			       json_object_new_boolean(diagnosis->virtual_time));
	json_object_object_add(document, "checks", checks);
	json_object_object_add(document, "missing_packages", packages_to_json(diagnosis));
	json_object_object_add(document, "spoilers", spoilers);
	puts(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
}

static void print_line(const char *status, const char *name, const char *found, const char *text)
{
	printf("  %-8s %-17s %s\n", status, name, found);
	if (*text)
		printf("  %-8s %-17s -> %s\n", "", "", text);
}

static void print_text(const struct diagnosis *diagnosis)
{
	const char *vm, *host;
	size_t fine = 0;

	describe_targets(diagnosis, &vm, &host);
	printf("Can be measured here:\n  in a VM          %s\n  on this machine  %s\n\nWhat is here:\n",
	       vm, host);
	for (size_t i = 0; i < diagnosis->n_findings; i++) {
		const struct finding *finding = &diagnosis->findings[i];

		print_line(status_name(finding->status), finding->name, finding->found,
			   finding->remedy);
	}
	puts("\nWhat would spoil a measurement in real time on this machine:");
	for (size_t i = 0; i < diagnosis->n_spoilers; i++) {
		const struct spoiler *spoiler = &diagnosis->spoilers[i];

		if (spoiler->spoils)
			print_line("spoils", spoiler->name, spoiler->found, spoiler->remedy);
		else
			fine++;
	}
	printf("  %zu of %zu things looked at are fine%s\n", fine, diagnosis->n_spoilers,
	       fine == diagnosis->n_spoilers ? "" : "; --json has them all");
}

static const struct option_spec options[] = {
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .help = "print one JSON document (reports/schema/doctor-1.schema.json)",
	 .offset = offsetof(struct doctor_values, json)},
	{.name = "probe-kvm",
	 .kind = OPTION_FLAG,
	 .help = "try whether KVM really runs a guest (takes up to 30 s)",
	 .offset = offsetof(struct doctor_values, probe_kvm)},
	OPTIONS_END,
};

static int run(int argc, char **argv)
{
	struct doctor_values values = {0};
	struct diagnosis *diagnosis;
	int err = options_parse(&command_doctor, argc, argv, &values, NULL), code;

	if (err)
		return options_exit_code(err);
	diagnosis = calloc(1, sizeof(*diagnosis));
	if (!diagnosis) {
		message_errno(-ENOMEM, "cannot look at this machine");
		return EXIT_BROKE;
	}
	diagnose(diagnosis, &values);
	if (values.json)
		print_json(diagnosis);
	else
		print_text(diagnosis);
	code = diagnosis->vm || diagnosis->host ? EXIT_FINE : EXIT_CANNOT;
	free(diagnosis->missing);
	free(diagnosis);
	return code;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "What is missing on this machine, and what would spoil a measurement",
	.usage = "[OPTION…]",
	.description =
		(const char *const[]){
			"Looks for what measuring needs here (QEMU, KVM, tools to build a kernel, its\n"
			"source, rights, room) and says how to get what is missing; then for settings of\n"
			"this machine that would spoil a measurement in real time, and how to change them.\n"
			"It changes nothing. Exits with 4 when nothing can be measured here.",
			NULL},
	.options = options,
	.run = run,
};
