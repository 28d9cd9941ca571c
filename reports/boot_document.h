/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_BOOT_DOCUMENT_H
#define REPORTS_BOOT_DOCUMENT_H

#include "reports/load.h"
#include "reports/reader.h"

/*
 * One document, checked and turned into what the results keep of it, but on its own: names
 * where the results have indices. Many are read at the same time and put together in order.
 * Everything is on the reader's arena.
 */
struct section_document {
	const char *id, *workload, *placement, *placement_kind;
	const struct metric_info *metrics; /* of result.measurements */
	struct section_result result;
	long where[PLACES]; /* -1: not said */
	size_t index;	    /* into results->sections, once it is known */
};

struct boot_document {
	const char *campaign;
	bool has_seed;
	uint64_t seed;
	const char *target, *time;
	const char *planned_variant; /* boot.variant */
	struct variant_info variant;
	struct machine_info machine; /* its key is NULL when the document does not tell */
	struct boot boot;	     /* without indices and sections */
	struct section_document *sections;
	size_t n_sections;
};

/* Fills @out from @document, or fails the reader. */
void boot_document_read(struct reader *reader, const struct json_node *document,
			enum result_parts parts, struct boot_document *out);

/* The same for campaign.json, as far as it must agree with its boots. */
struct campaign_document {
	const char *id, *target, *time, *pairing; /* NULL where it does not say; never @id */
	bool has_seed;
	uint64_t seed;
	struct sequential_plan *sequential; /* NULL: all boots were planned at once */
	const char **planned; /* variants' labels by the boots' index; NULL where none is planned */
	size_t n_planned;
	struct json_object *object; /* the whole document; the reader's caller puts it */
};

/* Fills @out, whose strings hang on the reader's arena; what is wrong is in reader->error. */
void campaign_document_read(struct reader *reader, const struct json_node *document,
			    struct campaign_document *out);

#endif
