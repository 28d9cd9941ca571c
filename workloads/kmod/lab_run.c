// SPDX-License-Identifier: GPL-2.0-only
#include "lab_run.h"

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/version.h>

/*
 * Between two looks at the clock: about 0.1 us on a machine. No-operations, which an emulator that
 * counts instructions translates to nothing; so many as fit one of QEMU's blocks.
 */
static void stretch(void)
{
	asm volatile(".rept 500\n\tnop\n\t.endr");
}

/*
 * A class per number: programs take mutexes in rising order, so there is an order between the
 * classes, and a chain of 64 is within what lockdep follows, as one task never holds many.
 */
static struct lock_class_key mutex_keys[LAB_MUTEXES];
static DEFINE_WW_CLASS(wound_wait_class);
static DEFINE_WD_CLASS(wait_die_class);

/* A program under way. */
struct lab_task {
	struct lab *lab;
	struct ww_acquire_ctx context;
	bool is_in_context;
	/* In the order of locking. */
	u32 mutexes[LAB_MAX_HELD], ww_mutexes[LAB_MAX_HELD];
	u32 n_mutexes, n_ww_mutexes;
};

static struct ww_class *ww_class(u32 number)
{
	return number == LAB_WAIT_DIE ? &wait_die_class : &wound_wait_class;
}

void lab_init(struct lab *lab)
{
	u32 i;

	for (i = 0; i < LAB_MUTEXES; i++)
		__mutex_init(&lab->mutexes[i], "lab_mutex", &mutex_keys[i]);
	for (i = 0; i < LAB_WW_MUTEXES; i++)
		ww_mutex_init(&lab->ww_mutexes[i], ww_class(i / LAB_WW_PER_CLASS));
	for (i = 0; i < LAB_EVENTS; i++)
		init_waitqueue_head(&lab->events[i].queue);
	spin_lock_init(&lab->roles_lock);
}

void lab_destroy(struct lab *lab)
{
	u32 i;

	for (i = 0; i < LAB_MUTEXES; i++)
		mutex_destroy(&lab->mutexes[i]);
	for (i = 0; i < LAB_WW_MUTEXES; i++)
		ww_mutex_destroy(&lab->ww_mutexes[i]);
}

/* ---- roles and events -------------------------------------------------------- */

static int enter_role(struct lab *lab, u32 role)
{
	int err = 0;

	spin_lock(&lab->roles_lock);
	if (lab->roles[role])
		err = -EBUSY;
	else
		lab->roles[role] = current;
	spin_unlock(&lab->roles_lock);
	return err;
}

static void leave_role(struct lab *lab, u32 role)
{
	spin_lock(&lab->roles_lock);
	lab->roles[role] = NULL;
	spin_unlock(&lab->roles_lock);
}

int lab_wake(struct lab *lab, u32 role)
{
	struct task_struct *task;

	if (role >= LAB_ROLES)
		return -EINVAL;
	spin_lock(&lab->roles_lock);
	task = lab->roles[role];
	if (task)
		get_task_struct(task);
	spin_unlock(&lab->roles_lock);
	if (!task)
		return -ESRCH;
	wake_up_process(task);
	put_task_struct(task);
	return 0;
}

int lab_post(struct lab *lab, u32 event)
{
	struct lab_event *posted;

	if (event >= LAB_EVENTS)
		return -EINVAL;
	posted = &lab->events[event];
	spin_lock_irq(&posted->queue.lock);
	WRITE_ONCE(posted->posted, posted->posted + 1);
	wake_up_locked(&posted->queue);
	spin_unlock_irq(&posted->queue.lock);
	return 0;
}

static bool take_posting(struct lab_event *event)
{
	bool is_posted;

	if (!READ_ONCE(event->posted))
		return false;
	spin_lock_irq(&event->queue.lock);
	is_posted = event->posted > 0;
	if (is_posted)
		WRITE_ONCE(event->posted, event->posted - 1);
	spin_unlock_irq(&event->queue.lock);
	return is_posted;
}

static int wait_for(struct lab_event *event, u64 ns)
{
	int err = wait_event_interruptible_hrtimeout(event->queue, take_posting(event),
						     ns_to_ktime(ns));

	if (err == -ETIME)
		return -ETIMEDOUT;
	return err ? -EINTR : 0;
}

/* ---- time ---------------------------------------------------------------------- */

static unsigned long switches(void)
{
	return READ_ONCE(current->nvcsw) + READ_ONCE(current->nivcsw);
}

/*
 * The scheduler's own count of a task's CPU time is not for modules: so each stretch counts that
 * began and ended without a switch in between. @event (may be NULL) ends it early: the answer is
 * then -EALREADY.
 */
static int compute(u64 ns, struct lab_event *event)
{
	unsigned long before = switches();
	u64 from_ns = ktime_get_ns();
	u64 spent_ns = 0;

	while (spent_ns < ns) {
		unsigned long now;
		u64 now_ns;

		stretch();
		now_ns = ktime_get_ns();
		now = switches();
		if (now == before)
			spent_ns += now_ns - from_ns;
		before = now;
		from_ns = now_ns;
		if (event && take_posting(event))
			return -EALREADY;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int compute_until(u64 ns, struct lab_event *event)
{
	int err = compute(ns, event);

	if (err == -EALREADY)
		return 0;
	return err ? err : -ETIMEDOUT;
}

/* A wakeup before its time, as LAB_WAKE gives one, does not end it. */
static int sleep_for(unsigned int state, bool is_io, u64 ns)
{
	ktime_t until = ktime_add_ns(ktime_get(), ns);
	unsigned int was_in_iowait = current->in_iowait;
	int err = 0;

	current->in_iowait = is_io || was_in_iowait;
	while (!err && ktime_before(ktime_get(), until)) {
		set_current_state(state);
		if (signal_pending_state(state, current))
			err = -EINTR;
		else
			schedule_hrtimeout(&until, HRTIMER_MODE_ABS);
		__set_current_state(TASK_RUNNING);
	}
	current->in_iowait = was_in_iowait;
	return err;
}

/* ---- mutexes --------------------------------------------------------------------- */

struct lab_deadline {
	struct hrtimer timer;
	struct task_struct *task;
	bool has_passed;
};

/* What a signal would do: the waiter sees one pending and gives up. */
static enum hrtimer_restart deadline_passes(struct hrtimer *timer)
{
	struct lab_deadline *deadline = container_of(timer, struct lab_deadline, timer);

	WRITE_ONCE(deadline->has_passed, true);
	set_tsk_thread_flag(deadline->task, TIF_SIGPENDING);
	wake_up_process(deadline->task);
	return HRTIMER_NORESTART;
}

static void deadline_setup(struct lab_deadline *deadline)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup_on_stack(&deadline->timer, deadline_passes, CLOCK_MONOTONIC,
			       HRTIMER_MODE_REL);
#else
	hrtimer_init_on_stack(&deadline->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	deadline->timer.function = deadline_passes;
#endif
}

static int lock_within(struct mutex *mutex, u64 ns)
{
	struct lab_deadline deadline = {.task = current};
	int err;

	deadline_setup(&deadline);
	hrtimer_start(&deadline.timer, ns_to_ktime(ns), HRTIMER_MODE_REL);
	err = mutex_lock_interruptible(mutex);
	hrtimer_cancel(&deadline.timer);
	destroy_hrtimer_on_stack(&deadline.timer);
	if (!deadline.has_passed)
		return err;
	/* No signal came with it: whether others are pending the kernel counts anew. */
	spin_lock_irq(&current->sighand->siglock);
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
	return err && !signal_pending(current) ? -ETIMEDOUT : err;
}

static int lock_mutex(struct lab_task *task, const struct lab_operation *operation)
{
	struct mutex *mutex = &task->lab->mutexes[operation->target];
	int err = 0;

	switch (operation->code) {
	case LAB_LOCK:
		mutex_lock(mutex);
		break;
	case LAB_LOCK_INTERRUPTIBLE:
		err = operation->ns ? lock_within(mutex, operation->ns)
				    : mutex_lock_interruptible(mutex);
		break;
	case LAB_LOCK_KILLABLE:
		err = mutex_lock_killable(mutex);
		break;
	case LAB_TRYLOCK:
		err = mutex_trylock(mutex) ? 0 : -EBUSY;
		break;
	}
	if (!err)
		task->mutexes[task->n_mutexes++] = operation->target;
	return err;
}

/* Takes @target out of the @n numbers of @held, whose order stays. */
static void forget(u32 *held, u32 *n, u32 target)
{
	u32 i, kept = 0;

	for (i = 0; i < *n; i++)
		if (held[i] != target)
			held[kept++] = held[i];
	*n = kept;
}

static void unlock_mutex(struct lab_task *task, u32 target)
{
	forget(task->mutexes, &task->n_mutexes, target);
	mutex_unlock(&task->lab->mutexes[target]);
}

/* ---- ww_mutexes ------------------------------------------------------------------- */

static void unlock_ww(struct lab_task *task, u32 target)
{
	forget(task->ww_mutexes, &task->n_ww_mutexes, target);
	ww_mutex_unlock(&task->lab->ww_mutexes[target]);
}

static void unlock_all_ww(struct lab_task *task)
{
	while (task->n_ww_mutexes)
		unlock_ww(task, task->ww_mutexes[task->n_ww_mutexes - 1]);
}

static int try_ww(struct lab_task *task, u32 target, bool is_interruptible, bool is_slow)
{
	struct ww_mutex *mutex = &task->lab->ww_mutexes[target];
	int err = 0;

	if (is_slow && is_interruptible)
		err = ww_mutex_lock_slow_interruptible(mutex, &task->context);
	else if (is_slow)
		ww_mutex_lock_slow(mutex, &task->context);
	else if (is_interruptible)
		err = ww_mutex_lock_interruptible(mutex, &task->context);
	else
		err = ww_mutex_lock(mutex, &task->context);
	if (!err)
		task->ww_mutexes[task->n_ww_mutexes++] = target;
	return err;
}

/*
 * After -EDEADLK all is let go, the lock in question waited for alone, and the others are taken
 * again; one of these may then be the next in question. Who has the oldest context is never told
 * so: hence it ends.
 */
static int lock_ww(struct lab_task *task, u32 target, bool is_interruptible, u32 *backoffs)
{
	u32 wanted[LAB_MAX_HELD], n = task->n_ww_mutexes, i;
	u32 contended = target;
	int err = try_ww(task, target, is_interruptible, false);

	memcpy(wanted, task->ww_mutexes, sizeof(*wanted) * n);
	wanted[n++] = target;
	while (err == -EDEADLK) {
		++*backoffs;
		unlock_all_ww(task);
		err = try_ww(task, contended, is_interruptible, true);
		for (i = 0; i < n && !err; i++) {
			if (wanted[i] == task->ww_mutexes[0])
				continue;
			err = try_ww(task, wanted[i], is_interruptible, false);
			if (err == -EDEADLK)
				contended = wanted[i];
		}
	}
	return err;
}

static void end_context(struct lab_task *task)
{
	task->is_in_context = false;
	ww_acquire_fini(&task->context);
}

/* ---- programs --------------------------------------------------------------------- */

static int run_ww(struct lab_task *task, const struct lab_operation *operation, u32 *backoffs)
{
	switch (operation->code) {
	case LAB_WW_BEGIN:
		ww_acquire_init(&task->context, ww_class(operation->target));
		task->is_in_context = true;
		return 0;
	case LAB_WW_UNLOCK:
		unlock_ww(task, operation->target);
		return 0;
	case LAB_WW_END:
		end_context(task);
		return 0;
	default:
		return lock_ww(task, operation->target,
			       operation->code == LAB_WW_LOCK_INTERRUPTIBLE, backoffs);
	}
}

static int run_operation(struct lab_task *task, const struct lab_operation *operation,
			 u32 *backoffs)
{
	switch (operation->code) {
	case LAB_LOCK:
	case LAB_LOCK_INTERRUPTIBLE:
	case LAB_LOCK_KILLABLE:
	case LAB_TRYLOCK:
		return lock_mutex(task, operation);
	case LAB_UNLOCK:
		unlock_mutex(task, operation->target);
		return 0;
	case LAB_COMPUTE:
		return compute(operation->ns, NULL);
	case LAB_SLEEP:
		return sleep_for(TASK_INTERRUPTIBLE, false, operation->ns);
	case LAB_SLEEP_KILLABLE:
		return sleep_for(TASK_KILLABLE, false, operation->ns);
	case LAB_SLEEP_IO:
		return sleep_for(TASK_KILLABLE, true, operation->ns);
	case LAB_WAIT:
		return wait_for(&task->lab->events[operation->target], operation->ns);
	case LAB_COMPUTE_UNTIL:
		return compute_until(operation->ns, &task->lab->events[operation->target]);
	case LAB_POST:
		return lab_post(task->lab, operation->target);
	case LAB_WAKE:
		return lab_wake(task->lab, operation->target);
	default:
		return run_ww(task, operation, backoffs);
	}
}

static void unlock_all(struct lab_task *task)
{
	unlock_all_ww(task);
	if (task->is_in_context)
		end_context(task);
	while (task->n_mutexes)
		unlock_mutex(task, task->mutexes[task->n_mutexes - 1]);
}

static int time_operation(struct lab_task *task, const struct lab_operation *operation,
			  struct lab_result *result)
{
	unsigned long sleeps = READ_ONCE(current->nvcsw);

	result->cpu_begin = raw_smp_processor_id();
	result->begin_ns = ktime_get_ns();
	result->status = fatal_signal_pending(current)
				 ? -EINTR
				 : run_operation(task, operation, &result->backoffs);
	result->end_ns = ktime_get_ns();
	result->cpu_end = raw_smp_processor_id();
	result->sleeps = READ_ONCE(current->nvcsw) - sleeps;
	return result->status;
}

int lab_run(struct lab *lab, u32 role, const struct lab_operation *operations, u32 n,
	    struct lab_result *results)
{
	struct lab_task task = {.lab = lab};
	int err = enter_role(lab, role);
	u32 i;

	if (err)
		return err;
	for (i = 0; i < n; i++)
		if (time_operation(&task, &operations[i], &results[i]))
			break;
	unlock_all(&task);
	leave_role(lab, role);
	return i;
}
