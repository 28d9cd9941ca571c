// SPDX-License-Identifier: GPL-2.0-only
#include "bench/stress_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <time.h>
#include <unistd.h>

#include "bench/files.h"
#include "bench/health.h"
#include "bench/message.h"
#include "bench/metronome.h"
#include "measure/clock.h"
#include "measure/sched_attr.h"
#include "workloads/stress.h"

/* Above every actor and those that serve them: it must see when they do not come back. */
#define WATCH_PRIORITY 95u
/* What is on its way out when the last actor is gone gets up to a second. */
#define SETTLE_TRIES  50
#define SETTLE_NS     20000000
#define SCHED_DEBUG   "/sys/kernel/debug/sched/debug"
#define BOOK_BYTES    (16u << 20)
#define CONSOLE_LEVEL 8 /* all that sysrq says */

/* Counts that are off when the kernel lost track of a task; as they were before, or wrong. */
enum book { BOOK_RUNNING, BOOK_RT, BOOK_DEADLINE, BOOK_BLOCKED, BOOKS };

static const struct {
	const char *name, *key;
} books[BOOKS] = {
	[BOOK_RUNNING] = {"nr_running", "  .nr_running "},
	[BOOK_RT] = {"rt_nr_running", "  .rt_nr_running "},
	[BOOK_DEADLINE] = {"dl_nr_running", "  .dl_nr_running "},
	[BOOK_BLOCKED] = {"nr_iowait", "procs_blocked"},
};

struct book_counts {
	bool has[BOOKS];
	long long sum[BOOKS];
};

/* The sum over all runqueues of what stands behind @key. */
static bool sum_book(const char *text, const char *key, long long *sum)
{
	bool has = false;

	*sum = 0;
	for (const char *line = text; (line = strstr(line, key));) {
		line += strlen(key);
		line += strspn(line, " :");
		*sum += strtoll(line, NULL, 10);
		has = true;
	}
	return has;
}

static void read_books(struct book_counts *counts)
{
	char *text;

	*counts = (struct book_counts){0};
	if (!read_file(SCHED_DEBUG, BOOK_BYTES, &text, NULL)) {
		for (int i = 0; i < BOOK_BLOCKED; i++)
			counts->has[i] = sum_book(text, books[i].key, &counts->sum[i]);
		free(text);
	}
	if (!read_file("/proc/stat", BOOK_BYTES, &text, NULL)) {
		counts->has[BOOK_BLOCKED] =
			sum_book(text, books[BOOK_BLOCKED].key, &counts->sum[BOOK_BLOCKED]);
		free(text);
	}
}

static bool is_book_off(const struct book_counts *before, const struct book_counts *after, int book)
{
	return before->has[book] && after->has[book] && before->sum[book] != after->sum[book];
}

static bool are_books_off(const struct book_counts *before, const struct book_counts *after)
{
	for (int i = 0; i < BOOKS; i++)
		if (is_book_off(before, after, i))
			return true;
	return false;
}

static void pause_ns(long ns)
{
	const struct timespec pause = {.tv_nsec = ns};

	nanosleep(&pause, NULL);
}

static void read_settled_books(const struct book_counts *before, struct book_counts *after)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		read_books(after);
		if (!before || !are_books_off(before, after))
			return;
		pause_ns(SETTLE_NS);
	}
}

/* A time of CLOCK_MONOTONIC on the machine's own clock (log_clocks() says why). */
static uint64_t machine_ns(uint64_t monotonic_ns)
{
	return __builtin_ia32_rdtsc() - (clock_now_ns() - monotonic_ns);
}

/* ---- what is found -------------------------------------------------------------------------- */

static void __attribute__((format(printf, 4, 5)))
add_problem(struct json_object *problems, const char *kind, uint64_t at_ns, const char *format, ...)
{
	struct json_object *problem = json_object_new_object();
	va_list args;
	char text[512];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_object_object_add(problem, "kind", json_object_new_string(kind));
	json_object_object_add(problem, "text", json_object_new_string(text));
	json_object_object_add(problem, "at_ns", json_object_new_uint64(machine_ns(at_ns)));
	json_object_array_add(problems, problem);
}

/* Where the lost ones are, on the console: of those that sleep, and else of all. */
static void show_stacks(const struct stress_report *report)
{
	bool is_awake = false;
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < report->n_lost; i++)
		is_awake |= report->lost[i].state != 'D';
	klogctl(8 /* SYSLOG_ACTION_CONSOLE_LEVEL */, NULL, CONSOLE_LEVEL);
	if (fd < 0)
		return;
	if (write(fd, is_awake ? "t" : "w", 1) < 0)
		message_error("the kernel does not show its tasks' stacks");
	close(fd);
}

static void add_lost(struct json_object *problems, const struct stress_plan *plan,
		     const struct stress_report *report)
{
	for (size_t i = 0; i < report->n_lost; i++) {
		const struct stress_lost *lost = &report->lost[i];
		const char *mechanism = stress_mechanism_names[plan->actors[lost->actor].mechanism];

		add_problem(problems, "lost", lost->since_ns,
			    "px%zu-%.10s (task %d, state %c, class %s) does not come back from "
			    "round %u",
			    lost->actor, mechanism, (int)lost->tid, lost->state,
			    stress_class_of(lost->tid), report->rounds + 1);
	}
}

static void add_strangers(struct json_object *problems, const struct stress_report *report)
{
	const struct stress_strangers *strangers = &report->strangers;

	if (report->has_strangers)
		add_problem(problems, "cookies", strangers->from_ns,
			    "actors %zu and %zu of different cookies ran on one core (CPUs %d and "
			    "%d) for %" PRIu64 " ns",
			    strangers->actors[0], strangers->actors[1], strangers->cpus[0],
			    strangers->cpus[1], strangers->length_ns);
}

static void add_misplaced(struct json_object *problems, const struct stress_plan *plan,
			  const struct stress_report *report)
{
	const struct stress_misplaced *misplaced = &report->misplaced;

	if (report->is_misplaced)
		add_problem(problems, "misplaced", misplaced->at_ns,
			    "px%zu-%.10s executes on CPU %d, which its affinity does not allow",
			    misplaced->actor,
			    stress_mechanism_names[plan->actors[misplaced->actor].mechanism],
			    misplaced->cpu);
}

static void add_books(struct json_object *problems, const struct book_counts *before,
		      const struct book_counts *after)
{
	for (int i = 0; i < BOOKS; i++)
		if (is_book_off(before, after, i))
			add_problem(problems, "accounting", clock_now_ns(),
				    "%s adds up to %lld, and before the stress it did to %lld",
				    books[i].name, after->sum[i], before->sum[i]);
}

static void add_reports(struct json_object *problems, struct json_object *health)
{
	struct json_object *reports;

	json_object_object_get_ex(health, "reports", &reports);
	for (size_t i = 0; i < json_object_array_length(reports); i++)
		add_problem(problems, "report", clock_now_ns(), "%.400s",
			    json_object_get_string(json_object_array_get_idx(reports, i)));
}

static void add_leak(struct json_object *problems, struct json_object *health)
{
	struct json_object *leak;

	if (json_object_object_get_ex(health, "uninterruptible_leak", &leak) && leak &&
	    json_object_get_int64(leak))
		add_problem(problems, "accounting", clock_now_ns(),
			    "nr_uninterruptible is off by %" PRId64, json_object_get_int64(leak));
}

/* ---- the run --------------------------------------------------------------------------------- */

struct watch {
	const struct stress_plan *plan;
	struct metronome *metronome;
	void (*progress)(void *context, unsigned int done, unsigned int total, const char *what);
	void *context;
};

/* When the round that begins now is over, in the worst case, and some time for what follows it. */
static uint64_t round_end_ns(const struct stress_plan *plan)
{
	return clock_now_ns() + plan->phase_ns + plan->round_ns + plan->limit_ns + NS_PER_S;
}

static void on_round(void *context, unsigned int round)
{
	const struct watch *watch = context;

	metronome_until(watch->metronome, round_end_ns(watch->plan));
	watch->progress(watch->context, round, watch->plan->rounds, "rounds");
}

/*
 * The kernel's time stamps and QEMU's clock differ by what the firmware took. In virtual time the
 * TSC counts the latter's nanoseconds: one line of the log with both says the difference.
 */
static void log_clocks(void)
{
	char line[64];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	snprintf(line, sizeof(line), "<3>" STRESS_CLOCK_LINE "%llu\n",
		 (unsigned long long)__builtin_ia32_rdtsc());
	if (write(fd, line, strlen(line)) < 0)
		message_error("cannot write to /dev/kmsg");
	close(fd);
}

static struct json_object *make_result(const struct stress_report *report,
				       struct json_object *problems)
{
	struct json_object *result = json_object_new_object();
	struct json_object *operations = json_object_new_object();

	json_object_object_add(result, "format", json_object_new_string("proxeval-stress-result"));
	json_object_object_add(result, "version", json_object_new_int(1));
	json_object_object_add(result, "rounds", json_object_new_int((int)report->rounds));
	for (int i = 0; i < STRESS_MECHANISMS; i++)
		if (report->operations[i])
			json_object_object_add(operations, stress_mechanism_names[i],
					       json_object_new_uint64(report->operations[i]));
	json_object_object_add(result, "operations", operations);
	/* null: the plan has no cookies, or somebody changes them, or the kernel records nothing.
	 */
	json_object_object_add(
		result, "switches_lost",
		report->are_cookies_watched ? json_object_new_uint64(report->switches_lost) : NULL);
	json_object_object_add(result, "problems", problems);
	return result;
}

static int plant(struct stress *stress)
{
	const char *text = getenv(STRESS_PLANT);
	struct stress_plant plant;
	int err = text ? stress_plant_parse(&plant, text) : 0;

	if (text && !err)
		stress_set_plant(stress, &plant);
	return err ? message_errno(err, STRESS_PLANT "='%s' plants nothing that is known", text)
		   : 0;
}

static int run_plan(const struct stress_plan *plan, struct watch *watch,
		    struct json_object *problems, struct stress_report *report)
{
	static const struct task_class strongest = {.policy = SCHED_FIFO,
						    .priority = WATCH_PRIORITY},
				       ordinary = {.policy = SCHED_OTHER};
	struct stress *stress;
	char problem[200];
	int err;

	task_pin(0);
	task_class_set(&strongest);
	task_exact_timers();
	err = stress_begin(&stress, plan, problem, sizeof(problem));
	if (!err)
		err = plant(stress);
	else
		message_error("the stress cannot begin: %s", problem);
	if (err)
		return err;
	watch->metronome = metronome_start(0, plan->metronome_period_ns);
	metronome_until(watch->metronome, round_end_ns(plan));
	stress_rounds(stress, on_round, watch, report);
	metronome_stop(watch->metronome);
	add_strangers(problems, report);
	add_misplaced(problems, plan, report);
	task_class_set(&ordinary);
	if (report->n_lost) {
		show_stacks(report);
		add_lost(problems, plan, report);
	} else {
		stress_end(stress);
	}
	return 0;
}

int stress_guest_run(struct json_object *document,
		     void (*progress)(void *context, unsigned int done, unsigned int total,
				      const char *what),
		     void *context, struct json_object **result)
{
	struct json_object *problems = json_object_new_array(), *health_object;
	struct book_counts before, after;
	struct stress_report report = {0};
	struct stress_plan plan;
	struct watch watch = {.plan = &plan, .progress = progress, .context = context};
	struct health *health;
	char problem[200];
	int err = stress_plan_read(&plan, document, problem, sizeof(problem));

	if (err)
		message_error("the plan of the stress: %s", problem);
	if (!err)
		err = health_begin(&health, true);
	if (!err) {
		log_clocks();
		read_settled_books(NULL, &before);
		err = run_plan(&plan, &watch, problems, &report);
		if (!err && !report.n_lost) {
			read_settled_books(&before, &after);
			add_books(problems, &before, &after);
		}
		health_object = health_end(health);
		add_reports(problems, health_object);
		/* Whoever is lost may be counted or not. */
		if (!report.n_lost)
			add_leak(problems, health_object);
		json_object_put(health_object);
	}
	if (err)
		json_object_put(problems);
	else
		*result = make_result(&report, problems);
	return err;
}
