// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/torture_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than any structure here; _IOC_SIZE() ends at 16383. */
#define LONGEST_BYTES  16383u
#define KERNEL_ADDRESS UINT64_C(0xffff888000000000)

static void note(struct torture_call_findings *findings, const char *what, int wanted, int answer)
{
	findings->tried++;
	if (answer == wanted)
		return;
	if (!findings->wrong++)
		snprintf(findings->first_wrong, sizeof(findings->first_wrong),
			 "%s: %s, and not: %s", what, answer ? strerror(-answer) : "it went",
			 wanted ? strerror(-wanted) : "it goes");
}

static int request(const struct lab_session *session, unsigned long code, const void *argument)
{
	return ioctl(session->fd, code, argument) ? -errno : 0;
}

/* ---- programs ------------------------------------------------------------------------- */

enum where { GOOD, NOWHERE, IN_THE_KERNEL, PAST_THE_END, READ_ONLY };

struct call {
	const char *what;
	int answer;
	/* What is not as it should be. */
	uint32_t role, n_operations, done, reserved;
	enum where operations, results;
	uint32_t bytes, tail; /* the structure's size, and its last byte if it is too long */
};

#define BYTES ((uint32_t)sizeof(struct lab_program))

/* clang-format off */
static const struct call calls[] = {
	{"a good program", 0, 0, 2, 0, 0, GOOD, GOOD, BYTES, 0},
	{"the last role", 0, LAB_ROLES - 1, 2, 0, 0, GOOD, GOOD, BYTES, 0},
	{"a role too many", -EINVAL, LAB_ROLES, 2, 0, 0, GOOD, GOOD, BYTES, 0},
	{"role 2^32 - 1", -EINVAL, UINT32_MAX, 2, 0, 0, GOOD, GOOD, BYTES, 0},
	{"no operation", -EINVAL, 0, 0, 0, 0, GOOD, GOOD, BYTES, 0},
	{"half a program", -EINVAL, 0, 1, 0, 0, GOOD, GOOD, BYTES, 0},
	{"an operation too many", -EINVAL, 0, LAB_MAX_OPERATIONS + 1, 0, 0, GOOD, GOOD, BYTES, 0},
	{"2^28 operations, 2^32 bytes", -EINVAL, 0, 1u << 28, 0, 0, GOOD, GOOD, BYTES, 0},
	{"2^32 - 1 operations", -EINVAL, 0, UINT32_MAX, 0, 0, GOOD, GOOD, BYTES, 0},
	{"done is set", -EINVAL, 0, 2, 1, 0, GOOD, GOOD, BYTES, 0},
	{"reserved is set", -EINVAL, 0, 2, 0, 1, GOOD, GOOD, BYTES, 0},
	{"operations nowhere", -EFAULT, 0, 2, 0, 0, NOWHERE, GOOD, BYTES, 0},
	{"operations in the kernel", -EFAULT, 0, 2, 0, 0, IN_THE_KERNEL, GOOD, BYTES, 0},
	{"operations past 2^64", -EFAULT, 0, 2, 0, 0, PAST_THE_END, GOOD, BYTES, 0},
	{"results nowhere", -EFAULT, 0, 2, 0, 0, GOOD, NOWHERE, BYTES, 0},
	{"results in the kernel", -EFAULT, 0, 2, 0, 0, GOOD, IN_THE_KERNEL, BYTES, 0},
	{"results past 2^64", -EFAULT, 0, 2, 0, 0, GOOD, PAST_THE_END, BYTES, 0},
	{"results in memory that is read-only", -EFAULT, 0, 2, 0, 0, GOOD, READ_ONLY, BYTES, 0},
	{"a structure without its end", -EINVAL, 0, 2, 0, 0, GOOD, GOOD, BYTES - 8, 0},
	{"a structure of no size", -EINVAL, 0, 2, 0, 0, GOOD, GOOD, 0, 0},
	{"a longer structure, 0 at its end", 0, 0, 2, 0, 0, GOOD, GOOD, BYTES + 8, 0},
	{"the longest structure, 0 at its end", 0, 0, 2, 0, 0, GOOD, GOOD, LONGEST_BYTES, 0},
	{"a longer structure, something at its end", -E2BIG, 0, 2, 0, 0, GOOD, GOOD, BYTES + 8, 1},
	{"the longest structure, something at its end", -E2BIG, 0, 2, 0, 0, GOOD, GOOD,
	 LONGEST_BYTES, 1},
};
/* clang-format on */

static uint64_t address(enum where where, const void *good, const void *read_only)
{
	switch (where) {
	case GOOD:
		return (uintptr_t)good;
	case IN_THE_KERNEL:
		return KERNEL_ADDRESS;
	case PAST_THE_END:
		return UINT64_MAX - 15;
	case READ_ONLY:
		return (uintptr_t)read_only;
	default:
		return 0;
	}
}

static int make_call(const struct lab_session *session, const struct call *call,
		     const void *read_only)
{
	static const struct lab_operation operations[] = {{LAB_LOCK, 0, 0}, {LAB_UNLOCK, 0, 0}};
	unsigned char memory[LONGEST_BYTES + 1] = {0};
	struct lab_result results[2];
	struct lab_program program = {
		.role = call->role,
		.n_operations = call->n_operations,
		.done = call->done,
		.reserved = call->reserved,
		.operations = address(call->operations, operations, read_only),
		.results = address(call->results, results, read_only),
	};

	memcpy(memory, &program, sizeof(program));
	if (call->bytes)
		memory[call->bytes - 1] |= (unsigned char)call->tail;
	return request(session, _IOC(_IOC_READ | _IOC_WRITE, 'L', 0x71, call->bytes), memory);
}

static void try_programs(const struct lab_session *session, struct torture_call_findings *findings)
{
	void *read_only = mmap(NULL, LONGEST_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (read_only == MAP_FAILED)
		return;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		note(findings, calls[i].what, calls[i].answer,
		     make_call(session, &calls[i], read_only));
	munmap(read_only, LONGEST_BYTES);
}

/* ---- other requests --------------------------------------------------------------------- */

static void try_numbers(const struct lab_session *session, struct torture_call_findings *findings)
{
	static const uint32_t too_many[] = {LAB_EVENTS, LAB_ROLES, 1u << 31, UINT32_MAX};

	for (size_t i = 0; i < sizeof(too_many) / sizeof(*too_many); i++) {
		note(findings, "an event too many", -EINVAL, lab_post_event(session, too_many[i]));
		note(findings, "a role too many to wake", -EINVAL,
		     lab_wake_role(session, too_many[i]));
	}
	note(findings, "waking nobody", -ESRCH, lab_wake_role(session, 0));
}

static void try_requests(const struct lab_session *session, struct torture_call_findings *findings)
{
	static const unsigned long with_pointer[] = {LAB_INFO, LAB_RUN, LAB_WAKE_ROLE,
						     LAB_POST_EVENT};
	static const unsigned long unknown[] = {
		_IO('L', 0x74), _IO('L', 0), _IOR('M', 0x70, struct lab_info),
		_IOW('L', 0x71, struct lab_program), _IOW('L', 0x72, uint64_t)};

	for (size_t i = 0; i < sizeof(with_pointer) / sizeof(*with_pointer); i++) {
		note(findings, "an argument nowhere", -EFAULT,
		     request(session, with_pointer[i], NULL));
		note(findings, "an argument in the kernel", -EFAULT,
		     request(session, with_pointer[i], (void *)(uintptr_t)KERNEL_ADDRESS));
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		note(findings, "a request that there is none of", -ENOTTY,
		     request(session, unknown[i], NULL));
}

/* Who asks with a longer structure is told that the rest is 0. */
static void try_info(const struct lab_session *session, struct torture_call_findings *findings)
{
	struct {
		struct lab_info info;
		uint64_t more;
	} longer = {.more = UINT64_MAX};
	int answer = request(session, _IOR('L', 0x70, longer), &longer);

	note(findings, "a longer question", 0, answer);
	note(findings, "a longer question's answer", 0,
	     longer.info.version == LAB_VERSION && !longer.more ? 0 : -EBADMSG);
	note(findings, "a question without its end", -EINVAL,
	     request(session, _IOR('L', 0x70, uint64_t), &longer));
}

/* Root without capabilities may open a file of root's, and not this one. */
static void try_unprivileged(struct torture_call_findings *findings)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return;
	if (!pid) {
		if (syscall(SYS_capset, &header, none))
			_exit(0);
		_exit(open(LAB_DEVICE_PATH, O_RDWR | O_CLOEXEC) < 0 ? errno : 0);
	}
	if (waitpid(pid, &status, 0) == pid)
		note(findings, "an open without a capability", -EPERM,
		     WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD);
}

/* ---- programs with one mistake -------------------------------------------------------- */

static void try_mistakes(const struct lab_session *session, const struct torture_field *field,
			 uint64_t seed, unsigned int draws, struct torture_call_findings *findings)
{
	struct random random = {.state = random_seed_for(seed, "mistakes")};
	struct lab_operation operations[TORTURE_MAX_OPERATIONS];
	struct lab_result results[TORTURE_MAX_OPERATIONS];
	uint32_t done;

	for (int mistake = 0; mistake < TORTURE_MISTAKES; mistake++)
		for (unsigned int i = 0; i < draws; i++) {
			uint32_t n = torture_draw_mistake(
				&random, field, (enum torture_mistake)mistake, operations);

			note(findings, torture_mistake_names[mistake], -EINVAL,
			     lab_run_program(session, 0, operations, n, results, &done));
		}
}

void torture_calls_try(const struct lab_session *session, const struct torture_field *field,
		       uint64_t seed, unsigned int draws, struct torture_call_findings *findings)
{
	*findings = (struct torture_call_findings){0};
	try_programs(session, findings);
	try_numbers(session, findings);
	try_requests(session, findings);
	try_info(session, findings);
	try_unprivileged(findings);
	try_mistakes(session, field, seed, draws, findings);
}
