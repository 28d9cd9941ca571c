/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_TASK_WATCH_H
#define MEASURE_TASK_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Whether a blocked thread lends its scheduling context, from the kernel's own books.
 *
 * While a blocked donor is a runqueue's rq->donor, update_se() (kernel/sched/fair.c, used
 * by all classes) moves the donor's se.exec_start along at every tick, but adds the time to
 * the sum_exec_runtime of the task that really executes. A task that is merely asleep is
 * looked after by nobody: neither of the two moves. And a donor whose owner is on another
 * CPU is moved there though its affinity forbids it to run there. Both are to be read from
 * /proc/PID/task/TID/{sched,stat} while the thread sleeps.
 *
 * A thread may be preempted, or spin, between setting its state and going to sleep, or between its
 * wakeup and taking the lock: it looks asleep, and when a CPU picks it again its exec_start moves
 * before its runtime does. Its vruntime moves with its runtime then, and without it only when it
 * lends: of a thread of the fair class the vruntime must have moved. A real-time thread is hardly
 * preempted.
 */
struct task_look {
	char state;		/* of /proc/…/stat: 'R', 'S', 'D' … */
	int cpu;		/* the runqueue that it belongs to */
	uint64_t exec_start_ns; /* se.exec_start */
	uint64_t sum_exec_ns;	/* se.sum_exec_runtime */
	uint64_t voluntary_switches;
	bool is_fair;	     /* of the fair class, and the next is known */
	int64_t vruntime_ns; /* se.vruntime, which may be negative */
};

/* Take what they need from the text of such a file. 0, or -EINVAL when it is not there. */
int task_look_parse_stat(const char *text, struct task_look *look);
int task_look_parse_sched(const char *text, struct task_look *look);

/* The state of thread @tid of any process now, as in struct task_look. 0, or a negative errno. */
int task_state(pid_t tid, char *state);

/* The signals that are pending for thread @tid itself, signal n as bit n - 1. 0, or a negative
 * errno.
 */
int task_pending_signals(pid_t tid, uint64_t *signals);

/* The rule by itself: the text of /proc/…/status. 0 or -EINVAL. */
int task_pending_signals_parse(const char *text, uint64_t *signals);

struct task_watch {
	int stat_fd, sched_fd;
	int own_cpu;	/* the only CPU that the thread may run on */
	char asleep;	/* the state that it waits in: 'D', or 'S' for a wait that a signal ends */
	bool has_first; /* first was taken while it slept */
	struct task_look first;
	uint64_t switches_before; /* its voluntary switches before it could block */
	unsigned int looks;	  /* looks that found it asleep */
	unsigned int repeats;	  /* looks that found it in the same sleep as an earlier one */
	bool is_charged;	  /* its exec_start (fair: its vruntime) went on while it slept and
				     its runtime stood */
	bool is_moved;		  /* it slept on another CPU's runqueue */
};

/*
 * Opens thread @tid of any process, pinned to @own_cpu, which will wait in state D; watch->asleep
 * may be set to another before the first look. 0, or a negative errno.
 */
int task_watch_begin(struct task_watch *watch, pid_t tid, int own_cpu);

/*
 * Looks once. @switches_before: how often the thread had slept when it set out to take
 * the lock; what is seen before it has slept again is not counted. 0, or a negative errno.
 */
int task_watch_look(struct task_watch *watch, uint64_t switches_before);

/* The thread as it is now. 0, or a negative errno. */
int task_watch_read(const struct task_watch *watch, struct task_look *look);

/* How often the kernel has moved thread @tid of any process from CPU to CPU, as its own books have
 * it (se.nr_migrations): not while it was blocked. 0, or a negative errno. */
int task_migrations(pid_t tid, uint64_t *migrations);

/* The priority that thread @tid of this process has at the moment, whoever lent it, as the kernel
 * counts (100 to 139 for nice -20 to 19, the smaller the stronger). 0, or a negative errno. */
int task_priority(pid_t tid, uint64_t *priority);

/* The rule by itself: takes @look into account. */
void task_watch_judge(struct task_watch *watch, const struct task_look *look);

/* Closes; what was seen stays readable. */
void task_watch_end(struct task_watch *watch);

#endif
