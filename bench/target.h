/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct campaign;
struct json_object;

/* How one boot ended. Everything but BOOT_OK keeps its log; `campaign` decides on retries. */
enum boot_outcome {
	BOOT_OK,	  /* the runner finished and its document arrived whole */
	BOOT_FAILED,	  /* never reached the runner */
	BOOT_PANICKED,	  /* the kernel said so */
	BOOT_NO_PROGRESS, /* the wall-clock watchdog ended it */
	BOOT_DIED, /* the guest or the runner went away without a result (out of memory, killed) */
	BOOT_STOPPED, /* the user asked us to stop */
};

/* One variant: a kernel image, its arguments and a label. */
struct variant {
	const char *label;
	const char *image_path;	   /* NULL: the running kernel (target host) */
	const char *arguments;	   /* kernel arguments; never NULL */
	const char *manifest_path; /* what the image was built from; NULL: unknown */
};

/* What a target is asked to do. */
struct boot_request {
	const struct variant *variant;
	struct json_object *plan; /* what `proxeval exec` is to do there (doc/internals.md) */
	uint64_t seed;		  /* of this boot's trajectory */
	unsigned int attempt;	  /* 0; counts up when a boot is retried with a perturbation */
	const char *log_path;	  /* the console goes here */
	unsigned int watchdog_s;  /* wall-clock limit without progress */
	/* Guests in virtual time, by its clock; 0: never (bench/qemu_turns.h). */
	uint64_t limit_ns;    /* the guest is ended, by an NMI first */
	uint64_t stop_ns;     /* the guest stands still */
	const char *gdb_path; /* a socket where QEMU waits for a debugger; NULL: none */
	/* Called with "42/100 mutex-inversion same-cpu" while it runs; may be NULL. */
	void (*on_progress)(void *context, unsigned long done, unsigned long total,
			    const char *what);
	/* Called once, when it stands still at stop_ns; may be NULL. */
	void (*on_stopped)(void *context, uint64_t at_ns);
	void *context;
};

struct boot_answer {
	enum boot_outcome outcome;
	struct json_object
		*result; /* the runner's document; NULL unless BOOT_OK. Owned by the caller */
	struct json_object *environment; /* what the target adds: "qemu": {version, arguments…}.
					    Owned by the caller */
	char reason[256];		 /* one sentence when the outcome is not BOOT_OK */
	bool reached_runner; /* the variant booted to where work begins, however it ended */
	double wall_s;
};

/*
 * A place that boots variants. Nothing above this struct may know which one runs.
 * start() and poll() let a campaign keep several boots under way where the target
 * says that they do not disturb each other (parallel_boots).
 */
struct target {
	const char *name;
	/* Required. Why this target cannot work here, in one sentence into @reason; 0 when it can.
	 */
	int (*probe)(const struct campaign *campaign, char *reason, unsigned int reason_size);
	/*
	 * Optional. Once before the first boot of a run, and after the last one: what all
	 * boots share, in campaign->target_state. open: 0, or a negative errno with its
	 * message printed (close is then not called).
	 */
	int (*open)(struct campaign *campaign);
	void (*close)(struct campaign *campaign);
	/* Required. How many boots may run at once without touching each other's numbers. */
	unsigned int (*parallel_boots)(const struct campaign *campaign);
	/* Required. Begins a boot; 0 and a handle, or a negative errno with its message printed. */
	int (*start)(const struct campaign *campaign, const struct boot_request *request,
		     void **handle);
	/*
	 * Required. Looks after a running boot for at most @timeout_ms. -EAGAIN while it
	 * runs; 0 when it ended: @answer is filled and the handle is gone.
	 */
	int (*poll)(void *handle, unsigned int timeout_ms, struct boot_answer *answer);
	/* Required. Ends a running boot at once and frees the handle: nothing of it is left behind.
	 */
	void (*stop)(void *handle);
};

extern const struct target target_vm;
extern const struct target target_host;

/*
 * What the running kernel's results are called: "proxy" or "!proxy" where proxy execution
 * is built in and on or off, "host" for every other kernel.
 */
const char *target_host_label(void);

#endif
