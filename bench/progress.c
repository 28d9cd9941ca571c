// SPDX-License-Identifier: GPL-2.0-only
#include "bench/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "measure/clock.h"

#define BAR_CELLS	  20
#define REDRAW_NS	  UINT64_C(100000000)	/* ten times a second is smooth enough to read */
#define PLAIN_INTERVAL_NS UINT64_C(30000000000) /* a log file wants a sign of life, not a film */

/* The one line that this process draws; it is the terminal's state, so it is global. */
static struct {
	bool disabled;
	bool active;
	bool drawn;
	char label[64];
	char detail[128];
	unsigned long done, total;
	uint64_t begin_ns, last_ns;
} line;

void progress_disable(void)
{
	progress_clear();
	line.disabled = true;
}

static bool is_terminal(void)
{
	return isatty(STDERR_FILENO);
}

static void format_duration(char *out, size_t size, uint64_t ns)
{
	unsigned long seconds = (unsigned long)(ns / UINT64_C(1000000000));

	if (seconds >= 60)
		snprintf(out, size, "%lum%02lus", seconds / 60, seconds % 60);
	else
		snprintf(out, size, "%lus", seconds);
}

static void draw(uint64_t now_ns)
{
	char bar[BAR_CELLS + 1], left[32] = "", text[512];
	uint64_t elapsed_ns = now_ns - line.begin_ns;
	struct winsize window = {0};

	memset(bar, ' ', BAR_CELLS);
	bar[BAR_CELLS] = '\0';
	if (line.total) {
		unsigned long done = line.done < line.total ? line.done : line.total;

		memset(bar, '#', done * BAR_CELLS / line.total);
		if (done && done < line.total) {
			strcpy(left, "  ");
			format_duration(left + 2, sizeof(left) - 8,
					elapsed_ns / done * (line.total - done));
			strcat(left, " left");
		}
		snprintf(text, sizeof(text), "%s [%s] %lu/%lu%s  %s", line.label, bar, line.done,
			 line.total, left, line.detail);
	} else {
		format_duration(left, sizeof(left), elapsed_ns);
		snprintf(text, sizeof(text), "%s  %s  %s", line.label, left, line.detail);
	}
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) || window.ws_col < 20)
		window.ws_col = 80;
	fprintf(stderr, "\r\033[K%.*s", window.ws_col - 1, text);
	fflush(stderr);
	line.drawn = true;
}

void progress_begin(const char *label, unsigned long total)
{
	snprintf(line.label, sizeof(line.label), "%s", label);
	line.detail[0] = '\0';
	line.done = 0;
	line.total = total;
	line.begin_ns = line.last_ns = clock_now_ns();
	line.active = true;
	if (line.disabled)
		return;
	if (is_terminal())
		draw(line.begin_ns);
	else
		fprintf(stderr, "%s …\n", line.label);
}

void progress_update(unsigned long done, const char *detail)
{
	uint64_t now_ns = clock_now_ns();
	bool terminal = is_terminal();

	if (!line.active)
		return;
	line.done = done;
	if (detail)
		snprintf(line.detail, sizeof(line.detail), "%s", detail);
	if (line.disabled || now_ns - line.last_ns < (terminal ? REDRAW_NS : PLAIN_INTERVAL_NS))
		return;
	line.last_ns = now_ns;
	if (terminal)
		draw(now_ns);
	else if (line.total)
		fprintf(stderr, "%s … %lu/%lu %s\n", line.label, line.done, line.total,
			line.detail);
	else
		fprintf(stderr, "%s … %s\n", line.label, line.detail);
}

void progress_set_total(unsigned long total)
{
	line.total = total;
}

void progress_end(const char *outcome)
{
	char took[32];

	if (!line.active)
		return;
	format_duration(took, sizeof(took), clock_now_ns() - line.begin_ns);
	progress_clear();
	line.active = false;
	if (!line.disabled)
		fprintf(stderr, "%s: %s (%s)\n", line.label, outcome ? outcome : "done", took);
}

void progress_clear(void)
{
	if (!line.drawn)
		return;
	fputs("\r\033[K", stderr);
	line.drawn = false;
}
