// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/lock_fit.h"

#include <errno.h>

#include "measure/spin.h"
#include "workloads/lock.h"

/* How often a section is scaled anew, and how often one length of it is timed at most. */
#define FIT_TRIES 6
#define FIT_READS 3

bool lock_is_section_fit(uint64_t took_ns, uint64_t wanted_ns)
{
	return took_ns * 5 >= wanted_ns * 4 && took_ns * 5 <= wanted_ns * 6;
}

uint64_t lock_scale_size(uint64_t size, uint64_t wanted_ns, uint64_t took_ns)
{
	double scaled = (double)size * (double)wanted_ns / (double)(took_ns ? took_ns : 1);

	if (scaled < 1)
		return 1;
	return scaled > 0x1p62 ? UINT64_C(1) << 62 : (uint64_t)scaled;
}

/* CPU time of one section of @size. */
static int time_section(struct lock *lock, const struct lock_sizes *sizes, uint64_t size,
			uint64_t *out_ns)
{
	uint64_t before_ns;
	int err = sizes->set(lock, size);

	if (err)
		return err;
	lock->section_size = size;
	if (lock->ops->prepare)
		err = lock->ops->prepare(lock);
	if (err)
		return err;
	before_ns = clock_thread_cpu_ns();
	err = lock->ops->hold(lock);
	*out_ns = clock_thread_cpu_ns() - before_ns;
	return err;
}

/* A first guess: doubles the size until it takes a quarter of the section, then scales. */
static int guess_size(struct lock *lock, const struct lock_sizes *sizes, uint64_t *out_size)
{
	uint64_t size = sizes->first, took_ns = 0;

	for (;;) {
		int err = time_section(lock, sizes, size, &took_ns);

		if (err)
			return err;
		if (took_ns >= lock->section_ns / 4)
			break;
		size *= 2;
		if (size > sizes->largest)
			return -ERANGE;
	}
	*out_size = lock_scale_size(size, lock->section_ns, took_ns);
	return 0;
}

/* The least of up to @FIT_READS readings: what disturbs one only adds to it. */
static int time_section_undisturbed(struct lock *lock, const struct lock_sizes *sizes,
				    uint64_t size, uint64_t *out_ns)
{
	*out_ns = UINT64_MAX;
	for (int i = 0; i < FIT_READS; i++) {
		uint64_t took_ns;
		int err = time_section(lock, sizes, size, &took_ns);

		if (err)
			return err;
		if (took_ns < *out_ns)
			*out_ns = took_ns;
		if (lock_is_section_fit(*out_ns, lock->section_ns))
			break; /* a quiet machine, and virtual time, need no second reading */
	}
	return 0;
}

/*
 * Guesses and scales until the section is as long as it is to be: on a busy machine one reading
 * may be many times off, because a hypervisor's or an interrupt's time is in it.
 */
int lock_fit(struct lock *lock, const struct lock_sizes *sizes)
{
	uint64_t size, took_ns;
	int err = guess_size(lock, sizes, &size);

	for (int i = 0; !err && i < FIT_TRIES; i++) {
		if (size > sizes->largest)
			return -ERANGE;
		err = time_section_undisturbed(lock, sizes, size, &took_ns);
		if (!err && lock_is_section_fit(took_ns, lock->section_ns)) {
			lock->section_ns = took_ns;
			return 0;
		}
		if (!err)
			size = lock_scale_size(size, lock->section_ns, took_ns);
	}
	return err ? err : -EAGAIN;
}
