// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"

#define STACK_BYTES (256u << 10)
/* A stopped or late run is noticed after so long. */
#define LOOK_MS 500

struct operation;

/* One run of one operation: what its two threads share. All of it is their own: threads that are
 * lost go on with it when the caller's request and result are long gone. */
struct state {
	struct operation_request request;
	const struct operation *operation;
	struct operation_result result;
	/* Events, not futexes: a third sleeper in their hash table would be in the way. */
	int driver_done, driver_ready, partner_ready;
	int fd;		      /* of the driver's own table of descriptors */
	int pipes[2][2];      /* there, back */
	atomic_uint words[2]; /* futexes: the partner's, the driver's */
	atomic_bool is_over;
	uint64_t partner_switches;
	char stack[16384] __attribute__((aligned(16))); /* of a child that shares memory */
	uint64_t clock_ticks; /* what reading the clock twice costs by itself */
	int driver_err, partner_err;
};

struct operation {
	const char *name;
	unsigned int per_batch;
	unsigned int switches; /* of an operation, by both threads */
	/* So many operations; adds the ticks they took to *@ticks. 0 or a negative errno. */
	int (*batch)(struct state *state, unsigned int operations, uint64_t *ticks);
	/* What the partner does for one operation; NULL: there is none. */
	int (*answer)(struct state *state);
	int policy; /* of both threads */
};

/* ---- the clock -------------------------------------------------------------------- */

#ifdef __x86_64__
static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* Straight code between two readings: nothing that a compiler could do differently. */
#define TICKS_OF_NOPS(count)                                          \
	({                                                            \
		uint64_t from, to;                                    \
		from = read_tsc();                                    \
		__asm__ volatile(".rept " #count "\n\tnop\n\t.endr"); \
		to = read_tsc();                                      \
		to - from;                                            \
	})

uint64_t operation_ticks_of_500_instructions(void)
{
	uint64_t few = UINT64_MAX, many = UINT64_MAX;

	/* The first try translates the code, and an interrupt may hit another. */
	for (int i = 0; i < 9; i++) {
		uint64_t ticks = TICKS_OF_NOPS(500);

		few = ticks < few ? ticks : few;
		ticks = TICKS_OF_NOPS(1000);
		many = ticks < many ? ticks : many;
	}
	return many - few;
}
#else
static inline uint64_t read_tsc(void)
{
	return clock_now_ns();
}

uint64_t operation_ticks_of_500_instructions(void)
{
	return 0;
}
#endif

static inline uint64_t now(const struct state *state)
{
	return state->request.is_virtual_time ? read_tsc() : clock_now_ns();
}

static uint64_t cost_of_clock(const struct state *state)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 9; i++) {
		uint64_t from = now(state), ticks = now(state) - from;

		least = ticks < least ? ticks : least;
	}
	return least;
}

/* ---- the operations ----------------------------------------------------------------- */

static int seek(struct state *state, unsigned int operations, uint64_t *ticks)
{
	uint64_t from = now(state);

	for (unsigned int i = 0; i < operations; i++)
		if (lseek(state->fd, 0, SEEK_CUR))
			return -errno;
	*ticks += now(state) - from;
	state->result.done += operations;
	return 0;
}

static int futex(atomic_uint *word, int command, unsigned int value)
{
	return (int)syscall(SYS_futex, word, command | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* Sleeps until somebody has set @word, and clears it. */
static int await(atomic_uint *word)
{
	while (!atomic_exchange(word, 0))
		if (futex(word, FUTEX_WAIT, 0) && errno != EAGAIN && errno != EINTR)
			return -errno;
	return 0;
}

/* How many tasks it woke: 0 or 1. */
static int set_and_wake(atomic_uint *word)
{
	atomic_store(word, 1);
	return futex(word, FUTEX_WAKE, 1);
}

/* The partner is asleep: both are SCHED_BATCH, whose wakeup does not preempt, and it ran to its
 * next sleep while we slept. */
static int wake(struct state *state, unsigned int operations, uint64_t *ticks)
{
	for (unsigned int i = 0; i < operations; i++) {
		uint64_t from = now(state);
		int woken = set_and_wake(&state->words[0]);
		int err;

		*ticks += now(state) - from - state->clock_ticks;
		state->result.done += woken == 1;
		err = await(&state->words[1]);
		if (err)
			return err;
	}
	return 0;
}

static int answer_futex(struct state *state)
{
	int err = await(&state->words[0]);

	set_and_wake(&state->words[1]);
	return err;
}

static int bounce_futex(struct state *state, unsigned int operations, uint64_t *ticks)
{
	uint64_t from = now(state);

	for (unsigned int i = 0; i < operations; i++) {
		int err;

		state->result.done += set_and_wake(&state->words[0]) == 1;
		err = await(&state->words[1]);
		if (err)
			return err;
	}
	*ticks += now(state) - from;
	return 0;
}

static int yield(struct state *state, unsigned int operations, uint64_t *ticks)
{
	uint64_t from = now(state);

	/* Each is two switches: to the partner, who yields at once, and back. */
	for (unsigned int i = 0; i < operations; i += 2)
		sched_yield();
	*ticks += now(state) - from;
	state->result.done += operations;
	return 0;
}

static int answer_yield(struct state *state)
{
	(void)state;
	sched_yield();
	return 0;
}

static int pass(int from, int to, bool is_read_first)
{
	char byte = 0;

	if (is_read_first && read(from, &byte, 1) != 1)
		return errno ? -errno : -EPIPE;
	if (write(to, &byte, 1) != 1)
		return errno ? -errno : -EPIPE;
	if (!is_read_first && read(from, &byte, 1) != 1)
		return errno ? -errno : -EPIPE;
	return 0;
}

static int answer_pipe(struct state *state)
{
	return pass(state->pipes[0][0], state->pipes[1][1], true);
}

static int bounce_pipe(struct state *state, unsigned int operations, uint64_t *ticks)
{
	uint64_t from = now(state);

	for (unsigned int i = 0; i < operations; i++) {
		int err = pass(state->pipes[1][0], state->pipes[0][1], false);

		if (err)
			return err;
	}
	*ticks += now(state) - from;
	state->result.done += operations;
	return 0;
}

static int exit_at_once(void *argument)
{
	(void)argument;
	syscall(SYS_exit_group, 0);
	return 1;
}

/* Waits for a child that exits with 0. 1 when it did. */
static int reap(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, __WALL) == pid && !status;
}

/*
 * A process in the parent's own memory: what the scheduler has to do for it, without the page
 * tables, whose copying costs more than all the rest and differs with their layout.
 */
static int clone_and_exit(struct state *state, unsigned int operations, uint64_t *ticks)
{
	uint64_t from = now(state);

	for (unsigned int i = 0; i < operations; i++) {
		pid_t pid = clone(exit_at_once, state->stack + sizeof(state->stack),
				  CLONE_VM | SIGCHLD, NULL);

		if (pid < 0)
			return -errno;
		state->result.done += reap(pid);
	}
	*ticks += now(state) - from;
	return 0;
}

static int fork_and_exit(struct state *state, unsigned int operations, uint64_t *ticks)
{
	uint64_t from = now(state);

	for (unsigned int i = 0; i < operations; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0)
			return -errno;
		state->result.done += reap(pid);
	}
	*ticks += now(state) - from;
	return 0;
}

/* A batch is 60 to 120 us of virtual time, a tenth of a tick's period of 1 ms. */
static const struct operation operations[] = {
	[OPERATION_SYSCALL] = {.name = "syscall",
			       .per_batch = 256,
			       .batch = seek,
			       .policy = SCHED_BATCH},
	[OPERATION_MUTEX] = {.name = "mutex",
			     .per_batch = 256,
			     .batch = seek,
			     .policy = SCHED_BATCH},
	[OPERATION_WAKE] = {.name = "wake",
			    .per_batch = 4,
			    .switches = 2,
			    .batch = wake,
			    .answer = answer_futex,
			    .policy = SCHED_BATCH},
	[OPERATION_SWITCH] = {.name = "switch",
			      .per_batch = 32,
			      .switches = 1,
			      .batch = yield,
			      .answer = answer_yield,
			      .policy = SCHED_FIFO},
	[OPERATION_FUTEX] = {.name = "futex_pingpong",
			     .per_batch = 4,
			     .switches = 2,
			     .batch = bounce_futex,
			     .answer = answer_futex,
			     .policy = SCHED_BATCH},
	[OPERATION_PIPE] = {.name = "pipe_pingpong",
			    .per_batch = 4,
			    .switches = 2,
			    .batch = bounce_pipe,
			    .answer = answer_pipe,
			    .policy = SCHED_BATCH},
	[OPERATION_CLONE] = {.name = "clone",
			     .per_batch = 1,
			     .batch = clone_and_exit,
			     .policy = SCHED_BATCH},
	[OPERATION_FORK] = {.name = "fork",
			    .per_batch = 1,
			    .batch = fork_and_exit,
			    .policy = SCHED_BATCH},
};

const char *operation_name(enum operation_kind kind)
{
	return operations[kind].name;
}

/* ---- the two threads ------------------------------------------------------------------ */

static void post(int event)
{
	const uint64_t one = 1;

	while (write(event, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void take(int event)
{
	uint64_t count;

	while (read(event, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static uint64_t own_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)(usage.ru_nvcsw + usage.ru_nivcsw);
}

static int become(const struct state *state)
{
	struct task_class class = {.policy = state->operation->policy};
	int err = task_pin(state->request.cpu);

	class.priority = class.policy == SCHED_FIFO;
	return err ? err : task_class_set(&class);
}

static unsigned int warm_up_batches(const struct state *state)
{
	return state->request.batches / 10 + 1;
}

static uint64_t all_operations(const struct state *state)
{
	return (uint64_t)(state->request.batches + warm_up_batches(state)) *
	       state->operation->per_batch;
}

/* Until there is nothing left to answer. A yield is answered until the driver says so: while the
 * driver is not there, it returns at once. */
static bool is_wanted(const struct state *state, uint64_t answered)
{
	if (state->operation->batch == yield)
		return !atomic_load(&state->is_over);
	return answered < all_operations(state);
}

static void *partner_main(void *argument)
{
	struct state *state = argument;
	uint64_t before, answered = 0;

	state->partner_err = become(state);
	post(state->partner_ready);
	/* A real-time partner that yields to nobody would keep a driver that is not real-time yet
	 * from becoming it, for as long as the kernel lets it (sched_rt_runtime_us, 950 ms). */
	take(state->driver_ready);
	before = own_switches();
	while (!state->partner_err && is_wanted(state, answered++))
		state->partner_err = state->operation->answer(state);
	state->partner_switches = own_switches() - before;
	return NULL;
}

/*
 * fdget_pos() takes f_pos_lock of a file that has more than one user: a second descriptor, or a
 * call under way in a process that shares its table of descriptors, as threads do. So the driver
 * has a table of its own, which ends with it.
 */
static int open_file(struct state *state)
{
	char path[64];
	int memfd;

	if (unshare(CLONE_FILES))
		return -errno;
	memfd = memfd_create("proxeval", MFD_CLOEXEC);
	if (memfd < 0)
		return -errno;
	/* What memfd_create() makes has no f_pos_lock; what is opened has. */
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", memfd);
	state->fd = open(path, O_RDONLY | O_CLOEXEC);
	close(memfd);
	if (state->fd < 0)
		return -errno;
	if (state->request.kind == OPERATION_MUTEX && fcntl(state->fd, F_DUPFD_CLOEXEC, 0) < 0)
		return -errno;
	return 0;
}

static int run_batches(struct state *state)
{
	struct operation_result *result = &state->result;
	unsigned int warm_up = warm_up_batches(state);

	for (unsigned int i = 0; i < warm_up + state->request.batches; i++) {
		uint64_t ticks = 0;
		int err = state->operation->batch(state, result->per_batch, &ticks);

		if (err)
			return err;
		if (i >= warm_up)
			reservoir_record(result->batch_ticks, ticks);
	}
	return 0;
}

static void *driver_main(void *argument)
{
	struct state *state = argument;
	uint64_t before;

	state->driver_err = become(state);
	post(state->driver_ready);
	if (state->operation->answer)
		take(state->partner_ready);
	state->clock_ticks = cost_of_clock(state);
	if (!state->driver_err && state->operation->batch == seek)
		state->driver_err = open_file(state);
	before = own_switches();
	if (!state->driver_err && !state->partner_err)
		state->driver_err = run_batches(state);
	state->result.switches = own_switches() - before;
	atomic_store(&state->is_over, true);
	post(state->driver_done);
	return NULL;
}

static int start_thread(pthread_t *thread, void *(*run)(void *), struct state *state)
{
	pthread_attr_t attributes;
	int err = pthread_attr_init(&attributes);

	if (err)
		return -err;
	err = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (!err)
		err = pthread_create(thread, &attributes, run, state);
	pthread_attr_destroy(&attributes);
	return -err;
}

/* Until the driver is through. 0, -ETIMEDOUT or -EINTR. */
static int wait_for_driver(struct state *state)
{
	uint64_t end_ns = clock_now_ns() + state->request.limit_ns;

	for (;;) {
		struct pollfd poll_fd = {.fd = state->driver_done, .events = POLLIN};

		if (poll(&poll_fd, 1, LOOK_MS) > 0)
			return 0;
		if (*state->request.stop)
			return -EINTR;
		if (clock_now_ns() >= end_ns)
			return -ETIMEDOUT;
	}
}

/* Starts the threads and joins them, unless *@is_lost: then they still use @state. */
static int run_threads(struct state *state, bool *is_lost)
{
	bool has_partner = state->operation->answer;
	pthread_t driver, partner;
	int err = start_thread(&driver, driver_main, state);

	if (err)
		return err;
	*is_lost = true;
	if (has_partner)
		err = start_thread(&partner, partner_main, state);
	if (!err)
		err = wait_for_driver(state);
	if (!err)
		err = state->driver_err;
	/* A partner whose driver gave up waits for it for ever. */
	if (err)
		return err;
	pthread_join(driver, NULL);
	if (has_partner)
		pthread_join(partner, NULL);
	*is_lost = false;
	return state->partner_err;
}

/* ---- one run ------------------------------------------------------------------------------ */

static int open_files(struct state *state)
{
	state->driver_done = eventfd(0, EFD_CLOEXEC);
	state->driver_ready = eventfd(0, EFD_CLOEXEC);
	state->partner_ready = eventfd(0, EFD_CLOEXEC);
	if (state->driver_done < 0 || state->driver_ready < 0 || state->partner_ready < 0)
		return -errno;
	for (int i = 0; i < 2 && state->request.kind == OPERATION_PIPE; i++)
		if (pipe2(state->pipes[i], O_CLOEXEC))
			return -errno;
	return 0;
}

static void close_files(const struct state *state)
{
	const int fds[] = {state->driver_done, state->driver_ready, state->partner_ready,
			   state->pipes[0][0], state->pipes[0][1],  state->pipes[1][0],
			   state->pipes[1][1]};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int operation_run(const struct operation_request *request, struct operation_result *result)
{
	const struct operation *operation = &operations[request->kind];
	struct state *state = malloc(sizeof(*state));
	bool is_lost = false;
	int err = -ENOMEM;

	*result = (struct operation_result){0};
	if (!state)
		return -ENOMEM;
	*state = (struct state){.request = *request,
				.operation = operation,
				.result = {.per_batch = operation->per_batch},
				.driver_done = -1,
				.driver_ready = -1,
				.partner_ready = -1,
				.pipes = {{-1, -1}, {-1, -1}}};
	state->result.batch_ticks = malloc(sizeof(*state->result.batch_ticks));
	if (state->result.batch_ticks) {
		reservoir_init(state->result.batch_ticks, request->kind);
		err = open_files(state);
	}
	if (!err)
		err = run_threads(state, &is_lost);
	if (!is_lost) {
		*result = state->result;
		result->switches += state->partner_switches;
		close_files(state);
	}
	result->attempted = all_operations(state);
	result->switches_expected = result->attempted * operation->switches;
	if (!is_lost)
		free(state);
	return err;
}

void operation_release(struct operation_result *result)
{
	free(result->batch_ticks);
	*result = (struct operation_result){0};
}

/* ---- figures -------------------------------------------------------------------------------- */

uint64_t operation_batches(const struct operation_result *result)
{
	return result->batch_ticks ? result->batch_ticks->samples : 0;
}

/* The lower of two in the middle: a number that was measured. */
static uint64_t median_batch(const struct operation_result *result)
{
	return result->batch_ticks ? reservoir_lower_median(result->batch_ticks) : 0;
}

double operation_ticks(const struct operation_result *result)
{
	return result->per_batch ? (double)median_batch(result) / result->per_batch : 0;
}

uint64_t operation_alike(const struct operation_result *result, unsigned int percent)
{
	uint64_t median = median_batch(result), apart = median * percent / 100;

	if (!operation_batches(result))
		return 0;
	return reservoir_count_from(result->batch_ticks, median - apart) -
	       reservoir_count_from(result->batch_ticks, median + apart + 1);
}
