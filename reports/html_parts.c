// SPDX-License-Identifier: GPL-2.0-only
/* What every part of the page is made of. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/format.h"
#include "reports/html_page.h"
#include "reports/svg.h"

/* @to as seen from the folder @from, both absolute: what they share is left out. */
static void add_relative(struct buffer *out, const char *from, const char *to)
{
	size_t shared = 0, i = 0;

	for (; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			shared = i + 1;
	if (!from[i] && to[i] == '/')
		shared = i + 1; /* @to lies below @from */
	else
		for (const char *up = from + shared; *up; up++)
			if (*up == '/' || !up[1])
				buffer_add(out, "../");
	buffer_add(out, to + shared);
}

/* A path as it may stand in a URL, and in an attribute. "./" keeps "a:b" from being a scheme. */
static void add_encoded(struct buffer *out, const char *path)
{
	size_t folder = strcspn(path, "/");

	if (memchr(path, ':', folder))
		buffer_add(out, "./");
	for (const char *c = path; *c; c++)
		if (strchr("%?#&\"'<> !`\\", *c) || (unsigned char)*c < 0x20 ||
		    (unsigned char)*c > 0x7e)
			buffer_format(out, "%%%02X", (unsigned char)*c);
		else
			buffer_add_bytes(out, c, 1);
}

/* The way from the page's folder @from (absolute, or NULL) to @path. */
static const char *make_link(struct page *page, const char *from, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct buffer relative = {0}, link = {0};
	char *to = realpath(path, NULL);
	const char *kept = NULL;

	if (from && to)
		add_relative(&relative, from, to);
	else
		buffer_add(&relative, name);
	if (relative.text)
		add_encoded(&link, relative.text);
	if (!link.failed)
		kept = arena_text(&page->arena, link.text);
	buffer_release(&relative);
	buffer_release(&link);
	free(to);
	return kept;
}

int page_init(struct page *page, struct buffer *out, const struct analysis *analysis,
	      const char *directory)
{
	char *from = realpath(directory, NULL);
	size_t n_boots = analysis->results->n_boots;
	int err = 0;

	*page = (struct page){.out = out, .analysis = analysis, .results = analysis->results};
	page->boot_links = arena_alloc(&page->arena, (n_boots + 1) * sizeof(*page->boot_links));
	if (!page->boot_links)
		err = -ENOMEM;
	for (size_t i = 0; i < n_boots && !err; i++) {
		page->boot_links[i] = make_link(page, from, page->results->boots[i].path);
		if (!page->boot_links[i])
			err = -ENOMEM;
	}
	free(from);
	return err;
}

void page_release(struct page *page)
{
	arena_release(&page->arena);
}

void page_element(struct page *page, const char *name, const char *text)
{
	buffer_format(page->out, "<%s>", name);
	buffer_add_html(page->out, text);
	buffer_format(page->out, "</%.*s>", (int)strcspn(name, " "), name);
}

void page_cell(struct page *page, const char *text)
{
	page_element(page, "td", text);
}

void page_row_head(struct page *page, const char *text)
{
	page_element(page, "th scope=\"row\"", text);
}

void page_number(struct page *page, const char *text)
{
	page_element(page, "td class=\"n\"", text);
}

void page_count(struct page *page, uint64_t count)
{
	char text[FORMATTED_MAX];

	page_number(page, format_value(text, (double)count, "count"));
}

void page_open_table(struct page *page, const char *label, const char *const *heads)
{
	buffer_add(page->out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
	buffer_add_html(page->out, label);
	buffer_add(page->out, *heads ? "\"><table><thead><tr>" : "\"><table><tbody>\n");
	if (!*heads)
		return;
	for (; *heads; heads++)
		if (!**heads)
			buffer_add(page->out, "<td></td>");
		else if (**heads == '>')
			page_element(page, "th scope=\"col\" class=\"n\"", *heads + 1);
		else if (!strcmp(*heads, PAGE_JSON_HEAD))
			page_element(page, "th scope=\"col\" class=\"json\"", *heads);
		else
			page_element(page, "th scope=\"col\"", *heads);
	buffer_add(page->out, "</tr></thead><tbody>\n");
}

void page_close_table(struct page *page)
{
	buffer_add(page->out, "</tbody></table></div>\n");
}

/* "good", "bad", "open" or "": how a verdict looks, beside its word and sign. */
static const char *verdict_class(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BETTER:
	case VERDICT_HELD:
	case VERDICT_AGREE:
		return "good";
	case VERDICT_WORSE:
	case VERDICT_VIOLATED:
	case VERDICT_DISAGREE:
		return "bad";
	case VERDICT_INCONCLUSIVE:
	case VERDICT_NOT_MEASURED:
	case VERDICT_UNCLEAR:
	case VERDICT_UNTESTED:
		return "open";
	default:
		return "plain";
	}
}

const char *verdict_sign(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_EQUIVALENT:
		return "=";
	case VERDICT_NOT_JUDGED:
		return "\xc2\xb7";
	default:
		break;
	}
	switch (*verdict_class(verdict)) {
	case 'g':
		return "\xe2\x9c\x93"; /* a tick */
	case 'b':
		return "\xe2\x9c\x97"; /* a cross */
	default:
		return "?";
	}
}

void page_chip(struct page *page, enum verdict verdict, size_t count)
{
	buffer_format(page->out, "<span class=\"chip %s\"><span aria-hidden=\"true\">%s</span> ",
		      verdict_class(verdict), verdict_sign(verdict));
	if (count)
		buffer_format(page->out, "%zu ", count);
	for (const char *c = verdict_word(verdict); *c; c++)
		buffer_add_bytes(page->out, *c == '-' ? " " : c, 1);
	buffer_add(page->out, "</span>");
}

const char *page_label(const struct page *page, size_t variant)
{
	return page->results->variants[variant].label;
}

const struct metric_info *page_metric(const struct page *page, const struct comparison *comparison)
{
	return &page->results->sections[comparison->section].metrics[comparison->metric];
}

void page_key(struct page *page)
{
	buffer_add(page->out, "<div class=\"key\">");
	for (size_t i = 0; i < page->results->n_variants; i++) {
		buffer_add(page->out, "<span>");
		svg_key(page->out, svg_series(page->analysis, i));
		buffer_format_html(page->out, " %s%s", page_label(page, i),
				   i == page->analysis->baseline ? " (baseline)" : "");
		buffer_add(page->out, "</span>");
	}
	buffer_add(page->out,
		   "<span class=\"soft\">thin: one boot, thick: all boots</span></div>\n");
}

void page_boot_link(struct page *page, size_t boot, const char *text)
{
	const char *path = page->results->boots[boot].path;

	buffer_format(page->out, "<a href=\"%s\">", page->boot_links[boot]);
	buffer_add_html(page->out, text			? text
				   : strrchr(path, '/') ? strrchr(path, '/') + 1
							: path);
	buffer_add(page->out, "</a>");
}

/* A boot's number; where there are several campaigns, with the campaign's in front. */
static void add_boot_number(struct page *page, size_t index)
{
	const struct boot *boot = &page->results->boots[index];
	char text[64];

	if (page->results->n_campaigns > 1)
		snprintf(text, sizeof(text), "%zu.%llu", boot->campaign + 1,
			 (unsigned long long)boot->index);
	else
		snprintf(text, sizeof(text), "%llu", (unsigned long long)boot->index);
	page_boot_link(page, index, text);
}

void page_json(struct page *page, const size_t *boots, size_t count, const char *where)
{
	buffer_add(page->out, "<details class=\"json\"><summary>JSON</summary>");
	if (count > PAGE_LINKS_MAX)
		buffer_format(page->out, "<a href=\"#boots\">all %zu boots</a>", count);
	else if (count)
		buffer_add(page->out, "boot ");
	for (size_t i = 0; i < count && count <= PAGE_LINKS_MAX; i++) {
		buffer_add(page->out, i ? " " : "");
		add_boot_number(page, boots[i]);
	}
	if (where) {
		buffer_format(page->out, "%s<a href=\"summary.json\">summary.json</a> <code>",
			      count ? "<br>" : "");
		buffer_add_html(page->out, where);
		buffer_add(page->out, "</code>");
	}
	buffer_add(page->out, "</details>");
}

void page_json_cell(struct page *page, const size_t *boots, size_t count, const char *where)
{
	buffer_add(page->out, "<td>");
	page_json(page, boots, count, where);
	buffer_add(page->out, "</td>");
}

static size_t boots_with(const struct page *page, size_t section, size_t metric, size_t variant,
			 size_t *boots)
{
	size_t count = 0;

	for (size_t i = 0; i < page->results->n_boots; i++) {
		const struct boot *boot = &page->results->boots[i];

		if ((variant != ALL_VARIANTS && boot->variant != variant) ||
		    !boot_measurement(boot, section, metric))
			continue;
		if (count < PAGE_LINKS_MAX)
			boots[count] = i;
		count++;
	}
	return count;
}

void page_json_of(struct page *page, size_t section, size_t metric, size_t variant)
{
	size_t boots[PAGE_LINKS_MAX], count = boots_with(page, section, metric, variant, boots);

	page_json(page, boots, count, NULL);
}

void page_metric_json(struct page *page, size_t section, size_t metric, size_t variant)
{
	buffer_add(page->out, "<td>");
	page_json_of(page, section, metric, variant);
	buffer_add(page->out, "</td>");
}

/* The summary lists controls apart from all other comparisons, both in the analysis' order. */
static size_t summary_index(const struct page *page, const struct comparison *comparison)
{
	bool is_control = comparison->family == FAMILY_CONTROL;
	size_t index = 0;

	for (const struct comparison *one = page->analysis->comparisons; one < comparison; one++)
		index += (one->family == FAMILY_CONTROL) == is_control;
	return index;
}

void page_comparison_json(struct page *page, const struct comparison *comparison)
{
	const struct group *groups[] = {&comparison->baseline, &comparison->other};
	size_t boots[PAGE_LINKS_MAX], count = 0;
	bool is_listed = comparison->machine == ALL_MACHINES;
	char where[64];

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < groups[i]->n_boots; j++, count++)
			if (count < PAGE_LINKS_MAX)
				boots[count] = groups[i]->boots[j];
	if (is_listed)
		snprintf(where, sizeof(where), "%s[%zu]",
			 comparison->family == FAMILY_CONTROL ? "controls" : "comparisons",
			 summary_index(page, comparison));
	page_json_cell(page, boots, count, is_listed ? where : NULL);
}
