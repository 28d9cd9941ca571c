// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/chain_tee.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/spin.h"
#include "measure/task_watch.h"
#include "workloads/lock.h"
#include "workloads/lock_fit.h"

/* One buffer takes every part of the write, and fits a second-level cache. */
#define PART_BYTES    (UINT64_C(1) << 20)
#define FIRST_BYTES   (UINT64_C(64) << 10)
#define MOST_BYTES    (UINT64_C(64) << 20)
#define PARTS	      (MOST_BYTES / PART_BYTES)
#define FIT_TRIES     6
#define PROBE_LOOK_NS 20000

struct pipe {
	int read_fd, write_fd;
};

struct tee_state {
	struct pipe pipes[CHAIN_MAX_DEPTH]; /* by rising address of their kernel objects */
	unsigned int n_pipes;
	char *buffer;
	uint64_t section_bytes, page_bytes;
	int fault_fd;
	void *fault_page;
	atomic_ullong released_ns; /* before which nobody lets anything go */
};

/* ---- the page to sleep on ------------------------------------------------------- */

static int make_fault_page(struct tee_state *state)
{
	struct uffdio_register wanted = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_api api = {.api = UFFD_API};

	state->fault_page = mmap(NULL, state->page_bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state->fault_page == MAP_FAILED)
		return -errno;
	state->fault_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (state->fault_fd < 0)
		return -errno;
	wanted.range.start = (uintptr_t)state->fault_page;
	wanted.range.len = state->page_bytes;
	if (ioctl(state->fault_fd, UFFDIO_API, &api) ||
	    ioctl(state->fault_fd, UFFDIO_REGISTER, &wanted))
		return -errno;
	return 0;
}

static int take_page_away(struct tee_state *state)
{
	return madvise(state->fault_page, state->page_bytes, MADV_DONTNEED) ? -errno : 0;
}

static int fill_page(struct tee_state *state)
{
	struct uffdio_zeropage page = {
		.range = {.start = (uintptr_t)state->fault_page, .len = state->page_bytes}};

	/* It is there already: then nobody sleeps on it. */
	return ioctl(state->fault_fd, UFFDIO_ZEROPAGE, &page) && errno != EEXIST ? -errno : 0;
}

/* ---- pipes ---------------------------------------------------------------------- */

/* The page, and @bytes behind it: one mutex for the whole time. */
static int write_section(struct tee_state *state, const struct pipe *pipe, uint64_t bytes)
{
	struct iovec parts[PARTS + 1] = {
		{.iov_base = state->fault_page, .iov_len = state->page_bytes}};
	uint64_t wanted = bytes + state->page_bytes;
	int n = 1;
	ssize_t got;

	while (bytes) {
		uint64_t part = bytes < PART_BYTES ? bytes : PART_BYTES;

		parts[n++] = (struct iovec){.iov_base = state->buffer, .iov_len = part};
		bytes -= part;
	}
	got = writev(pipe->write_fd, parts, n);
	if (got < 0)
		return -errno;
	return (uint64_t)got == wanted ? 0 : -EIO;
}

/* Leaves one byte in it: tee() must find something to copy. */
static int refill(struct tee_state *state, const struct pipe *pipe)
{
	int left;

	while (!ioctl(pipe->read_fd, FIONREAD, &left) && left > 0)
		if (read(pipe->read_fd, state->buffer, PART_BYTES) < 0)
			return -errno;
	return write(pipe->write_fd, "", 1) == 1 ? 0 : -errno;
}

static int make_pipe(struct tee_state *state)
{
	struct pipe *pipe = &state->pipes[state->n_pipes];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	*pipe = (struct pipe){.read_fd = fds[0], .write_fd = fds[1]};
	state->n_pipes++;
	return refill(state, pipe);
}

static int copy_one_byte(struct chain *chain, unsigned int level)
{
	struct tee_state *state = chain->state;
	ssize_t got = tee(state->pipes[level].read_fd, state->pipes[level - 1].write_fd, 1, 0);

	if (got < 0)
		return -errno;
	return got == 1 ? 0 : -EIO;
}

static int ask_for_length(const struct pipe *pipe)
{
	int bytes;

	return ioctl(pipe->read_fd, FIONREAD, &bytes) ? -errno : 0;
}

/* ---- the order of their addresses ------------------------------------------------- */

enum probe_kind { PROBE_HOLDS, PROBE_TEES, PROBE_ASKS };

struct probe {
	enum probe_kind kind;
	struct tee_state *state;
	const struct pipe *a, *b;
	pthread_t thread;
	bool is_started;
	_Atomic pid_t tid;
	atomic_bool is_through;
	int err;
};

static void *probe_main(void *argument)
{
	struct probe *probe = argument;

	probe->tid = (pid_t)syscall(SYS_gettid);
	if (probe->kind == PROBE_HOLDS)
		probe->err = write_section(probe->state, probe->a, 0);
	else if (probe->kind == PROBE_TEES)
		probe->err = tee(probe->b->read_fd, probe->a->write_fd, 1, 0) < 0 ? -errno : 0;
	else
		probe->err = ask_for_length(probe->b);
	atomic_store(&probe->is_through, true);
	return NULL;
}

/* Starts it, and waits until it sleeps ('S' on the page, 'D' on a mutex) or is through. */
static int start_probe(struct probe *probe, uint64_t limit_ns)
{
	const struct timespec pause = {.tv_nsec = PROBE_LOOK_NS};
	char wanted = probe->kind == PROBE_HOLDS ? 'S' : 'D', is = '?';
	uint64_t began_ns = clock_now_ns();
	int err = -pthread_create(&probe->thread, NULL, probe_main, probe);

	if (err)
		return err;
	probe->is_started = true;
	while (!atomic_load(&probe->is_through)) {
		if (probe->tid && !task_state(probe->tid, &is) && is == wanted)
			return 0;
		if (clock_now_ns() - began_ns > limit_ns)
			return -ETIME;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/*
 * Whether @b lies below @a: with @a held, a tee() between the two gets hold of @b first, or waits
 * for
 * @a with empty hands.
 */
static int is_below(struct tee_state *state, const struct pipe *a, const struct pipe *b,
		    uint64_t limit_ns, bool *answer)
{
	struct probe probes[] = {
		{.kind = PROBE_HOLDS, .state = state, .a = a, .b = b},
		{.kind = PROBE_TEES, .state = state, .a = a, .b = b},
		{.kind = PROBE_ASKS, .state = state, .a = a, .b = b},
	};
	int err = take_page_away(state), fill_err;

	for (int i = 0; i < 3 && !err; i++)
		err = start_probe(&probes[i], limit_ns);
	*answer = !atomic_load(&probes[2].is_through);
	fill_err = fill_page(state);
	for (int i = 0; i < 3; i++) {
		if (!probes[i].is_started)
			continue;
		pthread_join(probes[i].thread, NULL);
		if (!err)
			err = probes[i].err;
	}
	if (!err)
		err = fill_err ? fill_err : refill(state, a);
	return err;
}

/* Puts the last pipe into its place among the others, which are in order. */
static int insert_last(struct tee_state *state, uint64_t limit_ns)
{
	unsigned int last = state->n_pipes - 1, low = 0, high = last;
	struct pipe pipe = state->pipes[last];

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		bool is_lower;
		int err = is_below(state, &state->pipes[middle], &pipe, limit_ns, &is_lower);

		if (err)
			return err;
		if (is_lower)
			high = middle;
		else
			low = middle + 1;
	}
	memmove(&state->pipes[low + 1], &state->pipes[low], (last - low) * sizeof(pipe));
	state->pipes[low] = pipe;
	return 0;
}

/* ---- how long a section is ---------------------------------------------------------- */

static uint64_t whole_pages(const struct tee_state *state, uint64_t bytes)
{
	return (bytes / state->page_bytes + 1) * state->page_bytes;
}

/* CPU time of one section of @bytes, in a pipe that takes it all. */
static int time_section(struct tee_state *state, uint64_t bytes, uint64_t *took_ns)
{
	const struct pipe *pipe = &state->pipes[state->n_pipes - 1];
	uint64_t room = bytes + 8 * state->page_bytes, before_ns;
	int err = 0;

	if (fcntl(pipe->write_fd, F_SETPIPE_SZ, (int)room) < 0)
		return -errno;
	before_ns = clock_thread_cpu_ns();
	err = write_section(state, pipe, bytes);
	*took_ns = clock_thread_cpu_ns() - before_ns;
	return err ? err : refill(state, pipe);
}

/* Doubles until it is a quarter of what is wanted, then scales until it fits. */
static int fit_section(struct chain *chain, struct tee_state *state)
{
	uint64_t bytes = FIRST_BYTES, took_ns = 0;
	int err = fill_page(state), tries = 0;

	while (!err && bytes <= MOST_BYTES - PART_BYTES && tries < FIT_TRIES) {
		err = time_section(state, bytes, &took_ns);
		if (err)
			return err;
		if (lock_is_section_fit(took_ns, chain->section_ns)) {
			chain->section_ns = took_ns;
			state->section_bytes = bytes;
			return 0;
		}
		if (took_ns < chain->section_ns / 4) {
			bytes *= 2;
			continue;
		}
		bytes = whole_pages(state, lock_scale_size(bytes, chain->section_ns, took_ns));
		tries++;
	}
	if (err)
		return err;
	return tries < FIT_TRIES ? -ERANGE : -EAGAIN;
}

/* ---- a chain's locks ----------------------------------------------------------------- */

static int tee_hold(struct chain *chain)
{
	struct tee_state *state = chain->state;
	struct chain_record *record = &chain->records[chain->depth];

	record->status =
		write_section(state, &state->pipes[chain->depth - 1], state->section_bytes);
	record->free_own_ns = atomic_load(&state->released_ns);
	return record->status;
}

/* Its patience's end is a signal, which it takes no notice of before it has its lock. */
static int set_alarm(const struct chain *chain, timer_t *alarm)
{
	const struct itimerspec patience = {
		.it_value = {.tv_sec = (time_t)(chain->timeout_ns / NS_PER_S),
			     .tv_nsec = (long)(chain->timeout_ns % NS_PER_S)}};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, alarm))
		return -errno;
	return timer_settime(*alarm, 0, &patience, NULL) ? -errno : 0;
}

static int tee_link(struct chain *chain, unsigned int level)
{
	bool has_alarm = chain->event == CHAIN_TIMEOUT && level == chain_event_level(chain);
	struct chain_record *record = &chain->records[level];
	struct tee_state *state = chain->state;
	timer_t alarm;
	int err = has_alarm ? set_alarm(chain, &alarm) : 0;

	if (err)
		return err;
	record->want_ns = clock_now_ns();
	record->status = copy_one_byte(chain, level);
	if (has_alarm)
		timer_delete(alarm);
	record->got_ns = clock_now_ns();
	record->free_own_ns = atomic_load(&state->released_ns);
	return record->status;
}

/* It went on waiting, had its lock, let go, and died on the way back. */
static int tee_killed(struct chain *chain, unsigned int level)
{
	struct chain_record *record = &chain->records[level];
	struct tee_state *state = chain->state;

	record->got_ns = clock_now_ns();
	record->free_own_ns = atomic_load(&state->released_ns);
	return 0;
}

static int tee_touch(struct chain *chain, unsigned int lock, unsigned int leaf)
{
	struct chain_record *record = leaf ? &chain->leaf_records[leaf - 1] : &chain->records[0];
	struct tee_state *state = chain->state;

	record->want_ns = clock_now_ns();
	record->status = ask_for_length(&state->pipes[lock]);
	record->got_ns = clock_now_ns();
	return record->status;
}

static int tee_release(struct chain *chain)
{
	struct tee_state *state = chain->state;

	atomic_store(&state->released_ns, clock_now_ns());
	return fill_page(state);
}

static int tee_reset(struct chain *chain)
{
	struct tee_state *state = chain->state;
	int err = take_page_away(state);

	for (unsigned int i = 0; i < chain->depth && !err; i++)
		err = refill(state, &state->pipes[i]);
	return err;
}

const struct chain_ops chain_tee_ops = {
	.name = "tee",
	.is_deaf = true,
	.hold = tee_hold,
	.link = tee_link,
	.touch = tee_touch,
	.release = tee_release,
	.killed = tee_killed,
	.reset = tee_reset,
};

int chain_tee_init(struct chain *chain)
{
	struct tee_state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	chain->state = state;
	state->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	state->fault_fd = -1;
	state->buffer = mmap(NULL, PART_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	err = state->buffer == MAP_FAILED ? -errno : 0;
	if (!err)
		err = make_fault_page(state);
	for (unsigned int i = 0; i < chain->depth && !err; i++) {
		err = make_pipe(state);
		if (!err)
			err = insert_last(state, chain->limit_ns);
	}
	if (!err)
		err = fit_section(chain, state);
	return err ? err : tee_reset(chain);
}

void chain_tee_release(struct chain *chain)
{
	struct tee_state *state = chain->state;

	if (!state)
		return;
	for (unsigned int i = 0; i < state->n_pipes; i++) {
		close(state->pipes[i].read_fd);
		close(state->pipes[i].write_fd);
	}
	if (state->fault_fd >= 0)
		close(state->fault_fd);
	if (state->fault_page && state->fault_page != MAP_FAILED)
		munmap(state->fault_page, state->page_bytes);
	if (state->buffer && state->buffer != MAP_FAILED)
		munmap(state->buffer, PART_BYTES);
	free(state);
	chain->state = NULL;
}
