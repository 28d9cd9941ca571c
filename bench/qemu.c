// SPDX-License-Identifier: GPL-2.0-only
#include "bench/qemu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "bench/options.h"
#include "bench/process.h"
#include "bench/qemu_turns.h"
#include "bench/seed.h"

#define LOCAL_DISTANCE 10u
#define HOP_DISTANCE   10u
/*
 * QEMU's APIC timer runs at 1 GHz: told so, our kernels need not measure it, which costs
 * 3.5 s of wall time in virtual time, where every PAUSE of the loop hands the CPU over;
 * others pass the word on to process 1. Nor need they compare the CPUs' TSCs (0.7 s).
 */
#define TCG_ARGUMENTS " lapic_timer_khz=1000000 tsc=reliable"
/* The kernel argument that a seed lengthens: from 1 to so many letters. */
#define PAD_LETTERS 48u

int qemu_parse_version(const char *text, struct qemu_version *version)
{
	static const char lead[] = "version ";
	const char *at = strstr(text, lead);
	size_t length;

	if (!at)
		return -EINVAL;
	at += sizeof(lead) - 1;
	length = strcspn(at, " (\n");
	if (!length || length >= sizeof(version->text) || *at < '0' || *at > '9')
		return -EINVAL;
	memcpy(version->text, at, length);
	version->text[length] = '\0';
	version->major = (unsigned int)strtoul(at, NULL, 10);
	return 0;
}

int qemu_find_version(struct qemu_version *version)
{
	const char *const argv[] = {QEMU_PROGRAM, "--version", NULL};
	char *text;
	int err = process_capture(argv, &text);

	if (err)
		return err > 0 ? -EINVAL : err;
	err = qemu_parse_version(text, version);
	free(text);
	return err;
}

static void look_for_sign(void *context, const char *line)
{
	bool *found = context;

	*found |= !strcmp(line, QEMU_TURNS_SIGN);
}

int qemu_check_turns(const char *preload)
{
	static const char *const argv[] = {QEMU_PROGRAM, "--version", NULL};
	const char *const environment[] = {preload, QEMU_TURNS_CHECK "=1", NULL};
	bool found = false;
	struct process_request request = {.argv = argv,
					  .environment = environment,
					  .on_line = look_for_sign,
					  .context = &found};
	int err = process_run(&request);

	if (err < 0)
		return err;
	return found ? 0 : -ENOTSUP;
}

/* Up to four numbers with an 'x' between them; how many there are, or -EINVAL. */
static int parse_factors(const char *text, unsigned int factors[4])
{
	char copy[64], *save = NULL;
	size_t length = strlen(text);
	int count = 0;

	if (!length || length >= sizeof(copy) || text[length - 1] == 'x' || *text == 'x' ||
	    strstr(text, "xx"))
		return -EINVAL;
	memcpy(copy, text, length + 1);
	for (char *word = strtok_r(copy, "x", &save); word; word = strtok_r(NULL, "x", &save)) {
		uint64_t value;

		if (count == 4 || strspn(word, "0123456789") != strlen(word) ||
		    parse_number(word, 1, UINT64_MAX, &value))
			return -EINVAL;
		/* Kept small enough to be multiplied, and too large for every guest. */
		if (value > VM_MAX_CPUS)
			value = VM_MAX_CPUS + 1;
		factors[count++] = (unsigned int)value;
	}
	return count;
}

int vm_topology_parse(const char *text, struct vm_topology *topology, char *error,
		      size_t error_size)
{
	unsigned int factors[4];
	int count = parse_factors(text, factors);

	if (count != 3 && count != 4) {
		snprintf(error, error_size,
			 "--topology takes nodes x cores x threads as in 2x2x2, or nodes x dies x "
			 "cores x threads as in 2x2x2x1, not '%s'",
			 text);
		return -EINVAL;
	}
	topology->nodes = factors[0];
	topology->dies = count == 4 ? factors[1] : 1;
	topology->cores = factors[count - 2];
	topology->threads = factors[count - 1];
	if (topology->nodes > VM_MAX_NODES || topology->threads > 2 ||
	    vm_topology_cpus(topology) > VM_MAX_CPUS) {
		snprintf(error, error_size,
			 "--topology %s is more than a guest can have here: at most %u nodes, 2 "
			 "threads per core and %u CPUs",
			 text, VM_MAX_NODES, VM_MAX_CPUS);
		return -EINVAL;
	}
	return 0;
}

unsigned int vm_topology_cpus(const struct vm_topology *topology)
{
	return topology->nodes * topology->dies * topology->cores * topology->threads;
}

unsigned int vm_topology_distance(const struct vm_topology *topology, unsigned int from,
				  unsigned int to)
{
	unsigned int hops = from < to ? to - from : from - to;

	if (topology->nodes - hops < hops)
		hops = topology->nodes - hops;
	return LOCAL_DISTANCE + hops * HOP_DISTANCE;
}

const char *vm_accelerator_name(enum vm_accelerator accelerator)
{
	return accelerator == VM_KVM ? "kvm" : "tcg";
}

void argument_vector_release(struct argument_vector *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		free(arguments->items[i]);
	free(arguments->items);
	*arguments = (struct argument_vector){0};
}

static void __attribute__((format(printf, 2, 3)))
add(struct argument_vector *arguments, const char *format, ...)
{
	char **grown, *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	grown = realloc(arguments->items, (arguments->count + 2) * sizeof(*grown));
	if (grown)
		arguments->items = grown;
	if (length < 0 || !grown) {
		if (length >= 0)
			free(text);
		arguments->failed = true;
		return;
	}
	arguments->items[arguments->count++] = text;
	arguments->items[arguments->count] = NULL;
}

static void add_accelerator(struct argument_vector *arguments, const struct vm_machine *machine)
{
	add(arguments, "-accel");
	switch (machine->accelerator) {
	case VM_VIRTUAL_TIME:
		add(arguments, "tcg,thread=single");
		add(arguments, "-icount");
		add(arguments, "shift=1,sleep=off");
		add(arguments, "-rtc");
		add(arguments, "base=2026-01-01,clock=vm");
		add(arguments, "-seed");
		add(arguments, "%" PRIu64, machine->seed);
		break;
	case VM_TCG:
		add(arguments, "tcg,thread=multi");
		break;
	case VM_KVM:
		add(arguments, "kvm");
		break;
	}
	add(arguments, "-cpu");
	/* With Intel's name a guest under TCG takes the TSC as its clock, with AMD's the slow HPET.
	 */
	if (machine->accelerator == VM_KVM)
		add(arguments, "host");
	else if (machine->topology.dies == 1)
		add(arguments, "max,vendor=GenuineIntel");
	else
		/*
		 * With dies QEMU 10.0 wants to tell of them in CPUID leaf 0x1f and aborts where
		 * TCG's state components do not let it. Leaf 0xb, below this limit, has threads
		 * and cores; the dies' caches and the nodes tell the rest.
		 */
		add(arguments, "max,vendor=GenuineIntel,level=0xd");
}

static void add_topology(struct argument_vector *arguments, const struct vm_machine *machine)
{
	const struct vm_topology *topology = &machine->topology;
	unsigned int node_cpus = vm_topology_cpus(topology) / topology->nodes;
	unsigned int node_mib = machine->memory_mib / topology->nodes;

	add(arguments, "-smp");
	add(arguments, "%u,sockets=%u,dies=%u,cores=%u,threads=%u", vm_topology_cpus(topology),
	    topology->nodes, topology->dies, topology->cores, topology->threads);
	add(arguments, "-m");
	add(arguments, "%u", node_mib * topology->nodes);
	for (unsigned int node = 0; node < topology->nodes; node++) {
		add(arguments, "-object");
		add(arguments, "memory-backend-ram,id=memory%u,size=%uM", node, node_mib);
		add(arguments, "-numa");
		add(arguments, "node,nodeid=%u,cpus=%u-%u,memdev=memory%u", node, node * node_cpus,
		    (node + 1) * node_cpus - 1, node);
	}
	for (unsigned int from = 0; from < topology->nodes; from++)
		for (unsigned int to = 0; to < topology->nodes; to++) {
			if (from == to)
				continue;
			add(arguments, "-numa");
			add(arguments, "dist,src=%u,dst=%u,val=%u", from, to,
			    vm_topology_distance(topology, from, to));
		}
}

/* A path as QEMU takes it for a value: a comma is doubled. NULL: no memory. */
static char *escape_path(const char *path)
{
	char *escaped = malloc(2 * strlen(path) + 1), *to = escaped;

	if (!escaped)
		return NULL;
	for (const char *from = path; *from; from++) {
		if (*from == ',')
			*to++ = ',';
		*to++ = *from;
	}
	*to = '\0';
	return escaped;
}

static int add_debugger(struct argument_vector *arguments, const char *path)
{
	char *escaped = path ? escape_path(path) : NULL;

	if (!path)
		return 0;
	if (!escaped)
		return -ENOMEM;
	add(arguments, "-gdb");
	add(arguments, "unix:path=%s,server=on,wait=off", escaped);
	free(escaped);
	return 0;
}

/* A file as a serial port: writing one never waits, so the host's load cannot reach the guest. */
static int add_serial(struct argument_vector *arguments, const char *id, const char *path)
{
	char *escaped = escape_path(path);

	if (!escaped)
		return -ENOMEM;
	add(arguments, "-chardev");
	add(arguments, "file,id=%s,path=%s", id, escaped);
	add(arguments, "-serial");
	add(arguments, "chardev:%s", id);
	free(escaped);
	return 0;
}

static void add_kernel(struct argument_vector *arguments, const struct vm_machine *machine)
{
	char pad[PAD_LETTERS + 32] = "";

	if (machine->accelerator == VM_VIRTUAL_TIME) {
		unsigned int letters =
			1 + (unsigned int)(seed_mix(machine->seed, SEED_KERNEL_PAD) % PAD_LETTERS);

		/* A name with a dot: the kernel takes it for a module's and does not hand it on. */
		memcpy(pad, " proxeval.pad=", 15);
		memset(pad + 14, 'x', letters);
		pad[14 + letters] = '\0';
	}
	add(arguments, "-kernel");
	add(arguments, "%s", machine->image_path);
	add(arguments, "-initrd");
	add(arguments, "%s", machine->initrd_path);
	add(arguments, "-append");
	/* LD_LIBRARY_PATH is none of the kernel's: it becomes the environment of process 1. */
	add(arguments,
	    "console=ttyS0%s panic=-1 oops=panic nokaslr%s rdinit=/proxeval-guest "
	    "LD_LIBRARY_PATH=/lib%s%s%s",
	    machine->has_full_log ? "" : " quiet",
	    machine->accelerator == VM_KVM ? "" : TCG_ARGUMENTS, pad,
	    *machine->kernel_arguments ? " " : "", machine->kernel_arguments);
}

int qemu_arguments(const struct vm_machine *machine, struct argument_vector *arguments)
{
	static const char *const fixed[] = {QEMU_PROGRAM, "-nodefaults", "-no-user-config",
					    "-M",	  "q35",	 "-display",
					    "none",	  "-monitor",	 "none",
					    "-nic",	  "none",	 "-no-reboot"};
	int err;

	*arguments = (struct argument_vector){0};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(arguments, "%s", fixed[i]);
	add_accelerator(arguments, machine);
	add_topology(arguments, machine);
	err = add_serial(arguments, "console", machine->console_path);
	if (!err)
		err = add_serial(arguments, "result", machine->result_path);
	if (!err)
		err = add_debugger(arguments, machine->gdb_path);
	add_kernel(arguments, machine);
	if (err || arguments->failed) {
		argument_vector_release(arguments);
		return -ENOMEM;
	}
	return 0;
}
