// SPDX-License-Identifier: GPL-2.0-only
/*
 * A library that QEMU is started with (LD_PRELOAD) in virtual time, so that its threads
 * take turns where QEMU itself leaves their order to the host's scheduler.
 *
 * Two threads of QEMU matter to a guest in virtual time: the machine's, which executes
 * all its CPUs, and the main loop, which moves the clock on while all of them are idle.
 * Each timer that expires in the machine's thread also wakes the main loop
 * (icount_notify_aio_contexts() notifies every AioContext). Awake, the main loop asks
 * whether all CPUs are idle, moves the clock to the next timer if so, and runs the
 * timers that are due, while the machine's thread goes on without the big lock:
 *  - a CPU is marked halted before the instructions it executed are on the clock, so
 *    that the clock is moved too far;
 *  - a timer is due before the machine's thread gets to run it, so that it runs in the
 *    main loop, which makes another CPU's turn end or start elsewhere.
 * Both take a main loop that is awake just when the host stops the machine's thread within a
 * microsecond: rare on an idle host, one boot in thirty was seen on a busy one. Delays in
 * the first place alone (tests/late_threads.c) made 6 boots of 11 differ, and none of 9 with
 * this library; the second is known from QEMU's source (10.0.2) only.
 *
 * With this library the main loop, woken, waits until the machine's thread waits too.
 * What a turn does then depends on what the other one did before, and on nothing else.
 * A machine whose CPUs are never all idle hands over after so many acquisitions of the
 * big lock, a number that the guest alone decides: its shutdown needs the main loop.
 *
 * QEMU is not changed, and nothing here knows more of it than this: the main loop is the
 * process's first thread and sleeps in ppoll(); the machine's is the first other thread
 * to wait for a condition variable, with the big lock. Only where an end or a pause of
 * virtual time is asked for are functions of QEMU's called, which its modules use, too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/qemu_turns.h"

/* So many acquisitions of the big lock are a fraction of a second of a busy guest. */
#define LOCKS_PER_TURN 1024u
/* A main loop that polls more than this is not the one we know: it gets no turn from a busy guest.
 */
#define MAX_POLL_FDS 64u
/* Should ever a thread wait for what the other one has: late and inexact is better than never. */
#define GIVE_UP_S 20

enum turn { TURN_MAIN_LOOP, TURN_MACHINE };
enum place { PLACE_RUNS, PLACE_POLLS, PLACE_WAITS };

static _Atomic int turn = TURN_MAIN_LOOP; /* whose it is to act */
static _Atomic int main_loop_place = PLACE_RUNS;
static _Atomic bool is_machine_idle; /* its thread waits for halt_condition */
static _Atomic bool is_handing_over; /* its thread waits for the main loop's next sleep */
static pthread_cond_t *_Atomic halt_condition;
static pthread_mutex_t *_Atomic big_lock;
static unsigned int locks; /* of the machine's thread, since it last gave a turn */
static struct pollfd poll_fds[MAX_POLL_FDS]; /* the main loop's; valid while it polls */
static unsigned int poll_fd_count;
static _Thread_local bool is_main_loop, is_machine;
static bool has_big_lock = true; /* the main loop's thread; it begins with it */

static void set(_Atomic int *word, int value)
{
	atomic_store(word, value);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Sleeps while *word is @value; false after @limit_s seconds (0: no limit) of that. */
static bool await_change(_Atomic int *word, int value, unsigned int limit_s)
{
	struct timespec limit = {.tv_sec = limit_s};

	while (atomic_load(word) == value)
		if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, limit_s ? &limit : NULL,
			    NULL, 0) &&
		    errno == ETIMEDOUT)
			return false;
	return true;
}

/* What a call would have been without us: looked up at its first use, as other libraries begin
 * before this one does. */
static void *find(void *_Atomic *cache, const char *name)
{
	void *function = atomic_load(cache);

	if (function)
		return function;
	function = dlsym(RTLD_NEXT, name);
	if (!function)
		abort();
	atomic_store(cache, function);
	return function;
}

static int real_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		      const sigset_t *mask)
{
	static void *_Atomic function;
	int (*call)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *) =
		find(&function, "ppoll");

	return call(fds, count, timeout, mask);
}

static int real_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	static void *_Atomic function;
	int (*call)(pthread_cond_t *, pthread_mutex_t *) = find(&function, "pthread_cond_wait");

	return call(condition, mutex);
}

static int real_cond_broadcast(pthread_cond_t *condition)
{
	static void *_Atomic function;
	int (*call)(pthread_cond_t *) = find(&function, "pthread_cond_broadcast");

	return call(condition);
}

static int real_cond_signal(pthread_cond_t *condition)
{
	static void *_Atomic function;
	int (*call)(pthread_cond_t *) = find(&function, "pthread_cond_signal");

	return call(condition);
}

static int real_mutex_lock(pthread_mutex_t *mutex)
{
	static void *_Atomic function;
	int (*call)(pthread_mutex_t *) = find(&function, "pthread_mutex_lock");

	return call(mutex);
}

static int real_mutex_unlock(pthread_mutex_t *mutex)
{
	static void *_Atomic function;
	int (*call)(pthread_mutex_t *) = find(&function, "pthread_mutex_unlock");

	return call(mutex);
}

static void __attribute__((constructor)) begin(void)
{
	static const char sign[] = QEMU_TURNS_SIGN "\n";

	is_main_loop = true;
	if (getenv(QEMU_TURNS_CHECK) && write(STDOUT_FILENO, sign, sizeof(sign) - 1) < 0)
		abort();
}

/* ---- the main loop ------------------------------------------------------------ */

/* The main loop is about to sleep: a machine that waited for that goes on. */
static void end_main_turn(enum place place)
{
	set(&main_loop_place, place);
	if (atomic_exchange(&is_handing_over, false))
		set(&turn, TURN_MACHINE);
}

static void remember(const struct pollfd *fds, nfds_t count)
{
	poll_fd_count = count <= MAX_POLL_FDS ? (unsigned int)count : 0;
	memcpy(poll_fds, fds, poll_fd_count * sizeof(*fds));
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	int ready, error;

	/* With the big lock it waits for something else, as at the end for its monitor. */
	if (!is_main_loop || has_big_lock)
		return real_ppoll(fds, count, timeout, mask);
	remember(fds, count);
	end_main_turn(PLACE_POLLS);
	ready = real_ppoll(fds, count, timeout, mask);
	error = errno;
	await_change(&turn, TURN_MACHINE, 0);
	atomic_store(&main_loop_place, PLACE_RUNS);
	errno = error;
	return ready;
}

/* ---- the end of virtual time, and a pause of it --------------------------------- */

/* QEMU's (include/qemu/timer.h, qapi/run-state.json of 10.0): those have not changed for years. */
#define QEMU_CLOCK_VIRTUAL 1
#define QEMU_SCALE_NS	   1
#define QEMU_STATE_DEBUG   0
#define QEMU_TIMER_BYTES   256 /* a QEMUTimer has 56 */
/* A panic's text, and the way down behind it. */
#define AFTER_NMI_NS INT64_C(3000000000)
/*
 * QEMU ends a CPU's turn at each PAUSE, so that CPUs that spin for each other move virtual time on
 * by a few instructions a turn: a second of it takes the host a minute or more, and its end would
 * never come. So many acquisitions of the big lock within such a time are a guest that spins. Of
 * four CPUs that work they are a million or two at the shortest beat of a metronome, and the more
 * the more CPUs a turn has to be found for; four that spin make these 8 millions in 0.1 to 0.2 s.
 * How many there are the guest alone decides, as above.
 */
#define SPIN_BEAT_NS	   INT64_C(400000000)
#define SPIN_LOCKS_PER_CPU (2u << 20)

static char limit_timer[QEMU_TIMER_BYTES], stop_timer[QEMU_TIMER_BYTES],
	beat_timer[QEMU_TIMER_BYTES];
static unsigned int locks_in_beat, spin_locks; /* the latter 0: nobody minds */

static void *symbol(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);

	if (!found) {
		fprintf(stderr, "proxeval: this QEMU has no %s for others\n", name);
		_exit(1);
	}
	return found;
}

static int64_t virtual_ns(void)
{
	int64_t (*get)(int) = (int64_t(*)(int))symbol("qemu_clock_get_ns");

	return get(QEMU_CLOCK_VIRTUAL);
}

static void set_timer(void *timer, int64_t at_ns)
{
	void (*set_ns)(void *, int64_t) = (void (*)(void *, int64_t))symbol("timer_mod_ns");

	set_ns(timer, at_ns);
}

static void begin_timer(void *timer, void (*callback)(void *), void *opaque, int64_t at_ns)
{
	void (*init)(void *, void *, int, int, int, void (*)(void *), void *) = (void (*)(
		void *, void *, int, int, int, void (*)(void *), void *))symbol("timer_init_full");

	init(timer, NULL, QEMU_CLOCK_VIRTUAL, QEMU_SCALE_NS, 0, callback, opaque);
	set_timer(timer, at_ns);
}

static void on_beat(void *opaque)
{
	locks_in_beat = 0;
	set_timer(opaque, virtual_ns() + SPIN_BEAT_NS);
}

/* In the machine's thread, with the big lock: a guest that spins has come to its end now. */
static void count_lock(void)
{
	if (spin_locks && ++locks_in_beat == spin_locks)
		set_timer(limit_timer, 0);
}

static void on_limit(void *opaque)
{
	static bool has_sent;
	void (*send_nmi)(int, void **) = (void (*)(int, void **))symbol("nmi_monitor_handle");
	void *error = NULL;

	if (has_sent)
		_exit(1);
	has_sent = true;
	locks_in_beat = 0;
	fprintf(stderr, QEMU_TURNS_LIMIT_SIGN " %lld\n", (long long)virtual_ns());
	send_nmi(0, &error);
	set_timer(opaque, virtual_ns() + AFTER_NMI_NS);
}

static void on_stop(void *opaque)
{
	int (*stop)(int) = (int (*)(int))symbol("vm_stop");

	(void)opaque;
	fprintf(stderr, QEMU_TURNS_STOP_SIGN " %lld\n", (long long)virtual_ns());
	stop(QEMU_STATE_DEBUG);
}

/* Before the machine's first instruction. */
static void begin_timers(void)
{
	const char *limit = getenv(QEMU_TURNS_LIMIT), *stop = getenv(QEMU_TURNS_STOP);
	char *cpus;

	if (limit) {
		begin_timer(limit_timer, on_limit, limit_timer, strtoll(limit, &cpus, 10));
		begin_timer(beat_timer, on_beat, beat_timer, SPIN_BEAT_NS);
		spin_locks = SPIN_LOCKS_PER_CPU *
			     (*cpus == ',' ? (unsigned int)strtoul(cpus + 1, NULL, 10) : 0);
	}
	if (stop)
		begin_timer(stop_timer, on_stop, NULL, strtoll(stop, NULL, 10));
}

/* ---- the machine --------------------------------------------------------------- */

static bool is_main_loop_called(void)
{
	struct pollfd fds[MAX_POLL_FDS];

	memcpy(fds, poll_fds, poll_fd_count * sizeof(*fds));
	return poll(fds, poll_fd_count, 0) > 0;
}

/* Gives the main loop a turn if it has been woken; it has the big lock to itself meanwhile. */
static void hand_over(void)
{
	locks = 0;
	if (!await_change(&main_loop_place, PLACE_RUNS, GIVE_UP_S) ||
	    atomic_load(&main_loop_place) != PLACE_POLLS || !is_main_loop_called())
		return;
	atomic_store(&is_handing_over, true);
	set(&turn, TURN_MAIN_LOOP);
	if (!await_change(&turn, TURN_MAIN_LOOP, GIVE_UP_S)) {
		atomic_store(&is_handing_over, false);
		set(&turn, TURN_MACHINE);
	}
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int err;

	if (is_machine && mutex == atomic_load(&big_lock) && ++locks >= LOCKS_PER_TURN)
		hand_over();
	err = real_mutex_lock(mutex);
	if (is_main_loop && mutex == atomic_load(&big_lock))
		has_big_lock = true;
	if (is_machine && mutex == atomic_load(&big_lock))
		count_lock();
	return err;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	if (is_main_loop && mutex == atomic_load(&big_lock))
		has_big_lock = false;
	return real_mutex_unlock(mutex);
}

static void become_machine(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	pthread_mutex_t *none = NULL;

	if (is_main_loop || !atomic_compare_exchange_strong(&big_lock, &none, mutex))
		return;
	is_machine = true;
	atomic_store(&halt_condition, condition);
	begin_timers();
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	bool is_idle;
	int err;

	become_machine(condition, mutex);
	is_idle = is_machine && condition == atomic_load(&halt_condition);
	if (is_main_loop)
		end_main_turn(PLACE_WAITS);
	if (is_idle) {
		locks = 0;
		atomic_store(&is_machine_idle, true);
		set(&turn, TURN_MAIN_LOOP);
	}
	err = real_cond_wait(condition, mutex);
	if (is_idle) {
		atomic_store(&is_machine_idle, false);
		atomic_store(&turn, TURN_MACHINE);
	}
	if (is_main_loop)
		atomic_store(&main_loop_place, PLACE_RUNS);
	return err;
}

/* Whoever wakes the machine ends the main loop's turn: what wakes the main loop now has to wait. */
static void wake_machine(pthread_cond_t *condition)
{
	if (condition == atomic_load(&halt_condition) && atomic_load(&is_machine_idle))
		atomic_store(&turn, TURN_MACHINE);
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
	wake_machine(condition);
	return real_cond_broadcast(condition);
}

int pthread_cond_signal(pthread_cond_t *condition)
{
	wake_machine(condition);
	return real_cond_signal(condition);
}
