// SPDX-License-Identifier: GPL-2.0-only
#include "bench/signature.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "bench/health.h"
#include "bench/stress_guest.h"
#include "measure/clock.h"

#define LINE_SIZE 320
/* A report with its stack; what follows belongs to something else. */
#define STACK_LINES    90
#define FRAMES	       3
#define ADDRESS_DIGITS 12 /* and more: no word has so many letters from a to f */
/* The NMI that ends a guest whose virtual time is up; its word in unknown_nmi_error(). */
#define NMI_PANIC "Kernel panic - not syncing: NMI: Not continuing"

/* ---- one line --------------------------------------------------------------------------- */

/* Behind "<4>", "[    1.234567]" and "[    1.234567][  T123]". */
static const char *skip_stamp(const char *line)
{
	while (*line == '[') {
		const char *end = strchr(line, ']');
		const char *inside = line + 1 + strspn(line + 1, " ");

		if (!end || (!isdigit((unsigned char)*inside) && *inside != 'T' && *inside != 'C'))
			break;
		line = end + 1 + strspn(end + 1, " ");
	}
	return line;
}

static bool is_part_of_name(char letter)
{
	return isalnum((unsigned char)letter) || letter == '_';
}

/* Appends a word with its numbers made one: they are addresses, tasks, CPUs, amounts. */
static void add_word(const char *word, size_t length, char *out, size_t size)
{
	size_t used = strlen(out);
	const char *end = word + length;

	if (used && used + 1 < size)
		out[used++] = ' ';
	while (word < end && used + 2 < size) {
		if (!strncmp(word, "+0x", 3))
			break; /* where in a function */
		if (word + 1 < end && *word == ':' && isdigit((unsigned char)word[1]) && used > 1 &&
		    out[used - 2] == '.') {
			word++; /* "fair.c:1234": the line changes with every patch */
			word += strspn(word, "0123456789");
		} else if (!strncmp(word, "0x", 2)) {
			out[used++] = 'N';
			word += 2 + strspn(word + 2, "0123456789abcdefABCDEF");
		} else if (isdigit((unsigned char)*word) &&
			   (!used || !is_part_of_name(out[used - 1]))) {
			out[used++] = 'N';
			word += strspn(word, "0123456789abcdef");
		} else if (strspn(word, "0123456789abcdef") >= ADDRESS_DIGITS) {
			out[used++] = 'N'; /* an address that begins with a letter */
			word += strspn(word, "0123456789abcdef");
		} else if (!strncmp(word, "px", 2) && isdigit((unsigned char)word[2])) {
			out[used++] = 'p'; /* an actor, whoever it was */
			out[used++] = 'x';
			word += 2 + strspn(word + 2, "0123456789");
			word += strspn(word, "-abcdefghijklmnopqrstuvwxyz");
		} else {
			out[used++] = *word++;
		}
	}
	out[used] = '\0';
}

void signature_normalise(const char *line, char *out, size_t size)
{
	const char *word = skip_stamp(line);

	*out = '\0';
	while (*word && *word != '\n' && *word != '\r') {
		size_t length = strcspn(word, " \n\r");

		/* "CPU: 1 PID: 23" before, "CPU#1: name/23" behind the place. */
		if (!strncmp(word, "CPU#", 4))
			break;
		if (!strncmp(word, "CPU: ", 5) || !strncmp(word, "PID: ", 5)) {
			word += length + 1;
			length = strcspn(word, " \n\r");
		} else if (length) {
			add_word(word, length, out, size);
		}
		word += length;
		word += strspn(word, " ");
	}
}

static void copy_line(const char *line, char *out, size_t size)
{
	line = skip_stamp(line);
	snprintf(out, size, "%.*s", (int)strcspn(line, "\r\n"), line);
}

/* "[    3.123456]" in ns; 0 when there is none. */
static uint64_t stamp_ns(const char *line)
{
	unsigned long long s, us;

	if (*line != '[' || sscanf(line + 1, "%llu.%6llu", &s, &us) != 2)
		return 0;
	return s * NS_PER_S + us * 1000;
}

/* ---- a console ---------------------------------------------------------------------------- */

/* By how much the machine's clock is ahead of the time stamps; false: the log does not say. */
static bool find_clock_offset(const char *log, uint64_t *offset_ns)
{
	const char *at = strstr(log, STRESS_CLOCK_LINE), *line = at;
	uint64_t stamp, machine;

	if (!at)
		return false;
	while (line > log && line[-1] != '\n')
		line--;
	stamp = stamp_ns(line);
	machine = strtoull(at + strlen(STRESS_CLOCK_LINE), NULL, 10);
	*offset_ns = machine - stamp;
	return stamp && machine >= stamp;
}

static uint64_t machine_time(const char *log, const char *line)
{
	uint64_t offset_ns, stamp = stamp_ns(line);

	return stamp && find_clock_offset(log, &offset_ns) ? stamp + offset_ns : 0;
}

/*
 * Appends " in FUNCTION" from the first "RIP: 0010:FUNCTION+0x" of the report. A panic shows the
 * other CPUs as well: where they happened to be says nothing of it, and @is_own leaves them out.
 */
static void add_place(const char *from, bool is_own, char *text, size_t size)
{
	const char *line = from, *at = NULL;
	size_t used = strlen(text), length;

	for (int i = 0; i < STACK_LINES && *line && !at; i++) {
		const char *end = next_line(line), *others = strstr(line, "Sending NMI from CPU");

		if (is_own && others && others < end)
			break;
		at = strstr(line, "RIP: 0010:");
		if (at && at >= end)
			at = NULL;
		line = end;
	}
	if (!at)
		return;
	at += strlen("RIP: 0010:");
	length = strcspn(at, "+ \r\n");
	if (length && !isdigit((unsigned char)*at) && used + length + 5 < size)
		snprintf(text + used, size - used, " in %.*s", (int)length, at);
}

static const char *line_before(const char *log, const char *line)
{
	if (line == log)
		return NULL;
	for (line--; line > log && line[-1] != '\n';)
		line--;
	return line;
}

/* What a warning says stands before it, behind the line where all begin: appended to @text. */
static void add_message(const char *log, const char *line, char *text, size_t size)
{
	const char *message = line_before(log, line), *cut;
	size_t used = strlen(text);

	cut = message ? line_before(log, message) : NULL;
	if (!cut || !strstr(cut, "[ cut here ]") || strstr(cut, "[ cut here ]") > message ||
	    used + 3 >= size)
		return;
	strcpy(text + used, ": ");
	signature_normalise(message, text + used + 2, size - used - 2);
}

bool signature_from_log(struct signature *signature, const char *log)
{
	size_t from = 0;

	return signature_from_log_at(signature, log, &from);
}

bool signature_from_log_at(struct signature *signature, const char *log, size_t *from)
{
	for (const char *line = log + *from; *line; line = next_line(line)) {
		char text[LINE_SIZE];

		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\r\n"), line);
		if (!health_is_report_line(text))
			continue;
		*signature = (struct signature){.at_ns = machine_time(log, line),
						.stack_at = (size_t)(line - log)};
		copy_line(line, signature->line, sizeof(signature->line));
		signature_normalise(line, signature->text, sizeof(signature->text));
		strcpy(signature->kind, strstr(signature->line, NMI_PANIC) ? "hang" : "report");
		/* A warning names its function itself. */
		if (strstr(signature->text, " at "))
			add_message(log, line, signature->text, sizeof(signature->text));
		else
			add_place(line, strstr(text, "Kernel panic") && !strstr(text, NMI_PANIC),
				  signature->text, sizeof(signature->text));
		*from = (size_t)(next_line(line) - log);
		return true;
	}
	*from = strlen(log);
	return false;
}

/* ---- a problem that the guest saw ------------------------------------------------------------ */

/* Functions that every sleeper is in: where it came from is what tells it from others. */
static bool is_scheduling(const char *name, size_t length)
{
	static const char *const all[] = {"__schedule",
					  "schedule",
					  "schedule_preempt_disabled",
					  "schedule_timeout",
					  "preempt_schedule_common",
					  "__cond_resched",
					  NULL};

	for (const char *const *one = all; *one; one++)
		if (strlen(*one) == length && !strncmp(name, *one, length))
			return true;
	return false;
}

/* The frames behind @line, up to the next task: "a < b < c" appended to @text. */
static void add_frames(const char *line, char *text, size_t size)
{
	int frames = 0;

	for (int i = 0; i < STACK_LINES && *line && frames < FRAMES; i++) {
		const char *frame = skip_stamp(line);
		size_t length = strcspn(frame, "+\r\n"), used = strlen(text);

		if (i && !strncmp(frame, "task:", 5))
			return;
		line = next_line(line);
		/* "name+0x12/0x34"; with a question mark it is a guess. */
		if (frame[length] != '+' || frame[length + 1] != '0' || *frame == '?' ||
		    strcspn(frame, " ") < length || is_scheduling(frame, length))
			continue;
		snprintf(text + used, size - used, "%s%.*s", frames ? " < " : " in ", (int)length,
			 frame);
		frames++;
	}
}

/*
 * "px3-f-pos (task 88, state D, class nice) …": what it sleeps in is the same the next time, its
 * name is not. Where one was that is ready to run says nothing; that nobody runs it does.
 */
static void look_at_lost(struct signature *signature, const char *log, const char *text)
{
	const char *state = strstr(text, "state "), *class = strstr(text, "class ");
	bool is_ready = state && state[strlen("state ")] == 'R';
	char task[40];
	const char *at;

	snprintf(signature->text, sizeof(signature->text), "lost, in state %c",
		 state ? state[strlen("state ")] : '?');
	if (is_ready && class)
		snprintf(signature->text, sizeof(signature->text),
			 "lost, ready to run, of class %.*s",
			 (int)strcspn(class + strlen("class "), ")"), class + strlen("class "));
	/* The kernel keeps 15 letters of a name. */
	snprintf(task, sizeof(task), "task:%.*s",
		 (int)(strcspn(text, " ") < 15 ? strcspn(text, " ") : 15), text);
	at = strstr(log, task);
	if (!at)
		return;
	while (at > log && at[-1] != '\n')
		at--;
	signature->stack_at = (size_t)(at - log);
	if (!is_ready)
		add_frames(at, signature->text, sizeof(signature->text));
}

void signature_from_problem(struct signature *signature, const char *log, const char *kind,
			    const char *text, uint64_t at_ns)
{
	*signature = (struct signature){.at_ns = at_ns, .stack_at = strlen(log)};
	snprintf(signature->kind, sizeof(signature->kind), "%s", kind);
	copy_line(text, signature->line, sizeof(signature->line));
	if (!strcmp(kind, "lost"))
		look_at_lost(signature, log, text);
	else if (!strcmp(kind, "accounting"))
		/* Which sum it is; by how much changes. */
		snprintf(signature->text, sizeof(signature->text), "%.*s is off",
			 (int)strcspn(text, " "), text);
	else if (!strcmp(kind, "cookies"))
		snprintf(signature->text, sizeof(signature->text),
			 "actors of different cookies ran on one core");
	else if (!strcmp(kind, "misplaced"))
		snprintf(signature->text, sizeof(signature->text),
			 "an actor executes where its affinity does not allow it");
	else
		signature_normalise(text, signature->text, sizeof(signature->text));
}

bool signature_is_same(const struct signature *one, const struct signature *other)
{
	return !strcmp(one->kind, other->kind) && !strcmp(one->text, other->text);
}

char *signature_stack(const struct signature *signature, const char *log)
{
	const char *from = log + signature->stack_at, *to = from;

	for (int i = 0; i < STACK_LINES && *to; i++) {
		const char *end = next_line(to), *mark = strstr(to, "---[ end ");

		to = end;
		if (mark && mark < end)
			break;
	}
	return format_string("%s\n%.*s", signature->line, (int)(to - from), from);
}
