/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_EXPLORE_H
#define BENCH_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/campaign.h"
#include "bench/files.h"
#include "bench/known_faults.h"
#include "bench/signature.h"
#include "workloads/stress_plan.h"

/*
 * A search over seeds for what a kernel does wrong under stress, in virtual time, so that every
 * find replays. Its folder:
 *
 *   explore.json      format proxeval-explore: everything decided before the start
 *   journal.jsonl     one line per event, fsynced: "seed", "find", "shrunk"
 *   summary.json      format proxeval-explore-summary: what came of it so far
 *   kernel, guest     the image and what guests run: a find needs nothing else to replay
 *   finds/0001/       the first find …
 *   logs/1.txt        seed 1's console, when consoles are kept
 *
 * and a find's: find.json (format proxeval-find), plan.json, log.txt, stack.txt of the smallest
 * plan that shows it, first-plan.json and first-log.txt as it was found, kernel and guest.
 */
#define EXPLORE_KERNEL_NAME "kernel"
#define EXPLORE_GUEST_NAME  "guest"
#define EXPLORE_LOGS_NAME   "logs"
#define EXPLORE_MAX_SEED    STRESS_MAX_SEED

/* What is decided before the first guest boots. Strings are borrowed or the document's. */
struct explore_order {
	uint64_t first_seed, seeds;
	uint64_t duration_ns; /* of each seed's rounds, in virtual time */
	uint64_t max_rounds;  /* of each seed; 0: as many as fill that time */
	bool until_found;     /* ends with the first find */
	uint64_t shrink_runs; /* guests that shrinking a find may boot; 0: it is kept as it is */
	struct stress_choice choice;
	const char *label, *arguments;		/* the variant's */
	const char *image_path, *manifest_path; /* where the kernel came from */
	const char *topology;
	unsigned int memory_mib;
	unsigned int watchdog_s;
	const char *results, *id;	  /* of a new one */
	const struct known_faults *known; /* the base's; borrowed, no part of its document */
};

enum trial_end {
	TRIAL_CLEAN,
	TRIAL_FOUND,
	TRIAL_BROKEN, /* the guest never got that far: no word about the kernel */
	/* The wall's clock ended it: it may have been slow, or this host was. Never a find. */
	TRIAL_NO_PROGRESS,
};

/* One guest and what came of it. */
struct trial {
	struct stress_plan plan;
	enum trial_end end;
	const struct signature *wanted; /* of the caller: preferred to all else; may be NULL */
	struct signature signature;	/* of TRIAL_FOUND */
	bool is_known;			/* it, to the base's known faults */
	char reason[256];		/* of TRIAL_BROKEN and TRIAL_NO_PROGRESS */
	unsigned int rounds;		/* that it came to, the last one included */
	uint64_t operations;
	double wall_s;
	char *log; /* the console's text */
	char *log_path;
	uint64_t stop_ns;     /* explore_trial(): where it stands still, for a debugger */
	const char *gdb_path; /* and where that is waited for */
	size_t number;	      /* of the caller */
};

void trial_release(struct trial *trial);
/* Whether it says nothing about the kernel: its seed is still to be tried. */
bool trial_is_void(const struct trial *trial);

/* Where guests boot: one kernel, one set of files, so many at once. */
struct explore_guests {
	struct campaign campaign;
	struct variant variant;
	char *arguments, *kernel_path, *guest_path, *log_folder;
	unsigned int jobs;
	unsigned int booted; /* numbers the logs */
	const struct known_faults *known;
};

/*
 * Prepares guests from @folder's kernel and guest files. 0, or a negative errno with its message
 * printed. explore_guests_close() is due in every case.
 */
int explore_guests_open(struct explore_guests *guests, const struct explore_order *order,
			const char *folder, const char *kernel_path, unsigned int jobs);
void explore_guests_close(struct explore_guests *guests);

/*
 * Runs trials until @next has no more (false) and those under way are through; each is handed to
 * @done as it ends, which may take its log. 0; a negative errno with its message printed, @done's
 * included; -EINTR after a stop: what was under way is gone.
 */
struct explore_source {
	bool (*next)(void *context, struct trial *trial);
	int (*done)(void *context, struct trial *trial);
	/* Optional: a trial with a stop_ns stands still, at @at_ns, and a debugger may look at it.
	 */
	void (*stopped)(void *context, uint64_t at_ns);
	void *context;
};
int explore_guests_run(struct explore_guests *guests, const struct explore_source *source);

/* How long a guest may take on its own clock until it has hung. */
uint64_t explore_limit_ns(const struct stress_plan *plan);
/* What came of a guest, from its answer and @trial->log; @known: may be NULL (explore_judge.c). */
void explore_judge(struct trial *trial, const struct boot_answer *answer,
		   const struct known_faults *known);

/* ---- finds: explore_find.c ---- */

struct find {
	unsigned int number; /* 1 …: finds/0001 of the exploration */
	uint64_t seed;	     /* that showed it first */
	struct signature signature;
	struct stress_plan plan; /* the smallest that shows it */
	unsigned int rounds;	 /* that it needs */
	size_t first_actors;	 /* as it was found */
	unsigned int first_rounds;
	uint64_t first_at_ns;
	uint64_t n_seeds; /* that showed it */
	bool is_shrunk;
	bool is_known; /* to be the base kernel's: it is kept, and no find of the series */
};

/* What a guest has to be for a trial to be the same one again. Strings are owned. */
struct guest_identity {
	char *label, *arguments, *topology;
	uint64_t memory_mib, watchdog_s;
	char *image_path; /* where the kernel came from */
	char image_sha256[SHA256_HEX_SIZE], guest_sha256[SHA256_HEX_SIZE];
	char kernel[128]; /* its release, from the image */
	char qemu[64];
};
void guest_identity_release(struct guest_identity *identity);

/* One find, read back from its folder. */
struct find_folder {
	struct guest_identity guest;
	struct find find;
	char *log; /* log.txt */
};

struct explore;

/* "finds/0001" below the exploration's folder; the caller frees it. */
char *find_path(const struct explore *explore, unsigned int number);
/*
 * Makes the find's folder whole, or leaves what was there: with @trial, which showed its plan; one
 * that is there keeps how it was found first. 0, or a negative errno with its message printed.
 */
int find_write(const struct explore *explore, const struct find *find, const struct trial *trial);
/* 0; -EINVAL or another negative errno with its message printed. */
int find_read(struct find_folder *out, const char *folder);
void find_folder_release(struct find_folder *folder);
/* The order that boots the find's guest again; its strings are @folder's. */
struct explore_order find_order(const struct find_folder *folder);

/* ---- documents: explore_documents.c ---- */

struct json_object *explore_to_json(const struct explore *explore);
int explore_from_json(struct explore *explore, struct json_object *document, char *problem,
		      size_t problem_size);
struct json_object *find_to_json(const struct explore *explore, const struct find *find);
int find_from_json(struct find_folder *out, struct json_object *document, char *problem,
		   size_t problem_size);
/* What a kernel image says of its release (Documentation/arch/x86/boot.rst); "?" when nothing. */
void explore_read_release(const char *image_path, char *out, size_t size);

/* ---- the search: explore.c ---- */

struct explore {
	struct explore_order order; /* strings: of the request, or of @guest */
	struct guest_identity guest;
	char *id, *directory;
	int lock_fd, journal_fd;
	bool keeps_logs;	/* of this process: logs/SEED.txt */
	unsigned char *is_done; /* by seed, from the first */
	uint64_t next;		/* the first seed that nobody has begun, counted from the first */
	uint64_t n_done, n_found, n_operations;
	/* Since this process began: without a word about the kernel, of these by the watchdog; with
	 * one. */
	uint64_t n_broken, n_no_progress, n_now;
	double now_s;
	struct find *finds;
	size_t n_finds, n_known; /* the latter of these are the base's */
	struct explore_guests guests;
};

/*
 * A new folder below order->results with the kernel and the guest's files in it. 0 and an
 * exploration that the caller frees, or a negative errno with its message printed.
 */
int explore_create(const struct explore_order *order, struct explore **out);
/* Reads one back to go on. 0; -EINVAL, -EBUSY or another negative errno with its message printed.
 */
int explore_load(struct explore **out, const char *directory);
void explore_free(struct explore *explore);

/*
 * Searches what has not been searched, and makes finds small. 0; -EINTR after a stop; or a
 * negative errno, message printed.
 */
int explore_run(struct explore *explore, unsigned int jobs);
/* Makes a find's plan smaller, with open guests. 0, -EINTR or another negative errno. */
int explore_shrink(struct explore *explore, struct find *find);
bool explore_is_complete(const struct explore *explore);

/* The summary's document, which the caller puts; written to the folder by the other. */
struct json_object *explore_summary(const struct explore *explore);
int explore_write_summary(const struct explore *explore);

#endif
