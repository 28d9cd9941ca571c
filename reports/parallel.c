// SPDX-License-Identifier: GPL-2.0-only
#include "reports/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

struct work {
	int (*run)(void *context, size_t i);
	void *context;
	size_t count;
	atomic_size_t next;
	atomic_int err;
};

static void *do_work(void *argument)
{
	struct work *work = argument;

	for (;;) {
		size_t i = atomic_fetch_add(&work->next, 1);
		int err;

		if (i >= work->count)
			return NULL;
		err = work->run(work->context, i);
		if (err)
			atomic_store(&work->err, err);
	}
}

int parallel_for(size_t count, bool is_worth_it, int (*run)(void *context, size_t i), void *context)
{
	struct work work = {.run = run, .context = context, .count = count};
	pthread_t helper;
	bool has_helper =
		is_worth_it && count > 1 && !pthread_create(&helper, NULL, do_work, &work);

	do_work(&work);
	if (has_helper)
		pthread_join(helper, NULL);
	return atomic_load(&work.err);
}
