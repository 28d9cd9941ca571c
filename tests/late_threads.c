// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that is too busy, for QEMU, without load: with this library its threads are late
 * at random, up to 0.3 ms, where that used to change what a guest in virtual time does.
 * Those are the ends of system calls and locks, and the way out of the guest's code with
 * siglongjmp(), on which a halted CPU's last instructions are not yet on the clock.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LATE_MAX_NS 300000

/* glibc's names, which its headers do not declare. */
void __longjmp_chk(sigjmp_buf buffer, int value) __attribute__((noreturn));

static _Thread_local unsigned int random_state;

/* Sleeps once in @one_in calls. */
static void be_late(unsigned int one_in)
{
	struct timespec now, nap = {0};
	int error = errno;

	if (!random_state) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		random_state = (unsigned int)now.tv_nsec ^ (unsigned int)getpid();
	}
	if (!(rand_r(&random_state) % one_in)) {
		nap.tv_nsec = rand_r(&random_state) % LATE_MAX_NS;
		nanosleep(&nap, NULL);
	}
	errno = error;
}

static void *find(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		abort();
	return function;
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	int (*call)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *) =
		find("ppoll");
	int ready = call(fds, count, timeout, mask);

	be_late(2);
	return ready;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	int (*call)(pthread_cond_t *, pthread_mutex_t *) = find("pthread_cond_wait");
	int err = call(condition, mutex);

	be_late(8);
	return err;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static int (*call)(pthread_mutex_t *);

	if (!call)
		call = find("pthread_mutex_lock");
	be_late(512);
	return call(mutex);
}

void __longjmp_chk(sigjmp_buf buffer, int value)
{
	void (*call)(sigjmp_buf, int) = find("__longjmp_chk");

	be_late(4);
	call(buffer, value);
	abort();
}

void siglongjmp(sigjmp_buf buffer, int value)
{
	void (*call)(sigjmp_buf, int) = find("siglongjmp");

	be_late(4);
	call(buffer, value);
	abort();
}
