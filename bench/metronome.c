// SPDX-License-Identifier: GPL-2.0-only
#include "bench/metronome.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"

#define SLOW_NS UINT64_C(20000000)

struct metronome {
	pthread_t thread;
	int cpu;
	uint64_t period_ns;
	_Atomic uint64_t until_ns;
	atomic_bool stop;
};

static uint64_t period_at(const struct metronome *metronome, uint64_t now_ns)
{
	return now_ns < atomic_load(&metronome->until_ns) ? metronome->period_ns : SLOW_NS;
}

static void *beat(void *argument)
{
	struct metronome *metronome = argument;
	uint64_t next_ns;

	if (task_pin(metronome->cpu) || task_exact_timers())
		return NULL;
	next_ns = clock_now_ns();
	while (!atomic_load(&metronome->stop)) {
		uint64_t now_ns = clock_now_ns(), period_ns = period_at(metronome, now_ns);
		struct timespec next;

		/* A beat that came late is not made up for: the grain is what counts. */
		next_ns += period_ns;
		if (next_ns < now_ns)
			next_ns = now_ns + period_ns;
		next = (struct timespec){.tv_sec = (time_t)(next_ns / NS_PER_S),
					 .tv_nsec = (long)(next_ns % NS_PER_S)};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return NULL;
}

struct metronome *metronome_start(int cpu, uint64_t period_ns)
{
	struct metronome *metronome;

	if (cpu < 0 || !period_ns)
		return NULL;
	metronome = calloc(1, sizeof(*metronome));
	if (!metronome)
		return NULL;
	metronome->cpu = cpu;
	metronome->period_ns = period_ns;
	metronome->until_ns = UINT64_MAX;
	if (pthread_create(&metronome->thread, NULL, beat, metronome)) {
		free(metronome);
		return NULL;
	}
	return metronome;
}

void metronome_until(struct metronome *metronome, uint64_t until_ns)
{
	if (metronome)
		atomic_store(&metronome->until_ns, until_ns);
}

void metronome_stop(struct metronome *metronome)
{
	if (!metronome)
		return;
	atomic_store(&metronome->stop, true);
	pthread_join(metronome->thread, NULL);
	free(metronome);
}
