// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/cyclictest.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure/histogram.h"
#include "reports/import.h"

/* The importer hands out each thread while it reads. */
static void take_thread(void *context, const struct import_samples *samples)
{
	struct cyclictest_output *output = context;
	struct cyclictest_thread *grown, *thread;

	grown = reallocarray(output->threads, output->n_threads + 1, sizeof(*grown));
	if (!grown)
		return; /* the number of threads then is not the right one */
	output->threads = grown;
	thread = &grown[output->n_threads++];
	*thread = (struct cyclictest_thread){.bins = samples->bins,
					     .n_bins = samples->n_bins,
					     .samples = samples->overflow,
					     .overflow = samples->overflow,
					     .min_ns = samples->min_ns,
					     .max_ns = samples->max_ns};
	for (size_t i = 0; i < samples->n_bins; i++)
		thread->samples += samples->bins[i].count;
}

int cyclictest_read(const char *text, size_t size_bytes, struct cyclictest_output *output,
		    char *error, size_t error_size)
{
	struct import_hints hints = {.on_thread = take_thread, .context = output};
	int err;

	*output = (struct cyclictest_output){.imported = malloc(sizeof(*output->imported))};
	if (!output->imported)
		return -ENOMEM;
	err = import_text(&import_cyclictest, "cyclictest's output", text, size_bytes, &hints,
			  output->imported);
	if (err) {
		snprintf(error, error_size, "%s", output->imported->error);
		cyclictest_output_release(output);
	}
	return err;
}

void cyclictest_output_release(struct cyclictest_output *output)
{
	if (output->imported)
		imported_release(output->imported);
	free(output->imported);
	free(output->threads);
	*output = (struct cyclictest_output){0};
}

uint64_t cyclictest_quantile_ns(const struct cyclictest_thread *thread, double quantile)
{
	uint64_t rank = (uint64_t)ceil(quantile * (double)thread->samples), seen = 0;

	for (size_t i = 0; i < thread->n_bins; i++) {
		seen += thread->bins[i].count;
		if (seen >= rank)
			return thread->bins[i].value_ns;
	}
	return thread->max_ns;
}

void cyclictest_record(const struct cyclictest_thread *thread, struct histogram *histogram)
{
	for (size_t i = 0; i < thread->n_bins; i++)
		for (uint64_t n = 0; n < thread->bins[i].count; n++)
			histogram_record(histogram, thread->bins[i].value_ns);
	if (!thread->overflow)
		return;
	histogram->samples += thread->overflow;
	histogram->overflow += thread->overflow;
	/* Where each of them was is not known; none was later than the latest. */
	histogram->sum += (double)thread->overflow * (double)thread->max_ns;
	if (thread->max_ns > histogram->max)
		histogram->max = thread->max_ns;
	if (thread->min_ns < histogram->min)
		histogram->min = thread->min_ns;
}
