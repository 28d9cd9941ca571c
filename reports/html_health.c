// SPDX-License-Identifier: GPL-2.0-only
/* Whether the figures may be trusted: health, evidence, controls, and what was not measured. */
#include <stdint.h>

#include "reports/format.h"
#include "reports/html_page.h"
#include "reports/losses.h"

/* Up to PAGE_LINKS_MAX boots of a variant; returns how many it has. */
static size_t boots_of(const struct page *page, size_t variant, size_t *boots)
{
	size_t count = 0;

	for (size_t i = 0; i < page->results->n_boots; i++) {
		if (page->results->boots[i].variant != variant)
			continue;
		if (count < PAGE_LINKS_MAX)
			boots[count] = i;
		count++;
	}
	return count;
}

static void add_variant(struct page *page, size_t variant)
{
	const struct variant_sum *sum = &page->analysis->variants[variant];
	size_t boots[PAGE_LINKS_MAX], count = boots_of(page, variant, boots);

	buffer_add(page->out, "<tr>");
	page_row_head(page, page_label(page, variant));
	page_count(page, sum->boots);
	page_count(page, sum->ok);
	page_count(page, sum->clean);
	page_count(page, sum->unclean);
	page_count(page, sum->unknown);
	page_json_cell(page, boots, count, NULL);
	buffer_add(page->out, "</tr>\n");
}

static void add_health(struct page *page)
{
	buffer_add(page->out, "<h2 id=\"health\">Health</h2>\n");
	page_open_table(page, "Health of each variant",
			(const char *[]){"variant", ">boots", ">ended well", ">kernel log clean",
					 ">with complaints", ">not readable", PAGE_JSON_HEAD,
					 NULL});
	for (size_t i = 0; i < page->results->n_variants; i++)
		add_variant(page, i);
	page_close_table(page);
	for (size_t i = 0; i < page->results->n_variants; i++)
		for (size_t j = 0; j < page->analysis->variants[i].n_reports; j++) {
			buffer_add(page->out, "<p class=\"alert\">");
			buffer_format_html(page->out, "%s: ", page_label(page, i));
			page_element(page, "code", page->analysis->variants[i].reports[j]);
			buffer_add(page->out, "</p>\n");
		}
}

static void add_evidence_row(struct page *page, const struct evidence_sum *sum)
{
	size_t boots[PAGE_LINKS_MAX], count = boots_of(page, sum->variant, boots);
	bool is_held = sum->held == sum->sections;

	buffer_add(page->out, "<tr>");
	page_row_head(page, sum->name);
	buffer_format(
		page->out,
		"<td class=\"keep\"><span class=\"chip %s\"><span aria-hidden=\"true\">%s</span> "
		"%llu of %llu</span></td>",
		is_held ? "good" : "bad", is_held ? "\xe2\x9c\x93" : "\xe2\x9c\x97",
		(unsigned long long)sum->held, (unsigned long long)sum->sections);
	page_cell(page, page_label(page, sum->variant));
	page_count(page, sum->observed);
	page_count(page, sum->expected);
	page_element(page, "td class=\"wide soft\"", sum->text);
	page_json_cell(page, boots, count, NULL);
	buffer_add(page->out, "</tr>\n");
}

static void add_evidence(struct page *page)
{
	const struct analysis *analysis = page->analysis;

	if (!analysis->n_evidence)
		return;
	buffer_add(page->out,
		   "<h2>Evidence</h2>\n<p class=\"soft\">Proof that what was to be measured "
		   "really happened.</p>\n");
	page_open_table(page, "Evidence",
			(const char *[]){"what", "held in sections", "variant", ">seen",
					 ">expected", "in one boot", PAGE_JSON_HEAD, NULL});
	for (size_t i = 0; i < analysis->n_evidence; i++)
		add_evidence_row(page, &analysis->evidence[i]);
	page_close_table(page);
}

static void add_controls(struct page *page)
{
	if (!page->analysis->tests[FAMILY_CONTROL])
		return;
	buffer_format(
		page->out,
		"<h2>Controls</h2>\n<p class=\"soft\">Proxy execution cannot touch these: the "
		"variants must agree within %.3g %%. The p value is that of agreement.</p>\n",
		100 * page->analysis->control_margin);
	page_comparisons(page, "Controls", FAMILY_CONTROL, 0, page->results->n_sections);
}

static void add_loss(struct page *page, const struct loss *loss)
{
	char boots[FORMATTED_MAX];

	loss_boots(boots, sizeof(boots), loss);
	buffer_add(page->out, "<tr>");
	page_row_head(page, page_label(page, loss->variant));
	buffer_format(page->out, "<td class=\"keep\"><span class=\"chip open\">"
				 "<span aria-hidden=\"true\">?</span> ");
	buffer_add_html(page->out, loss->outcome);
	buffer_add(page->out, "</span></td>");
	page_number(page, boots);
	page_element(page, "td class=\"wide\"", loss->where ? loss->where : "the whole boot");
	page_element(page, "td class=\"wide\"", loss->what);
	buffer_add(page->out, "<td class=\"wide\">");
	buffer_add_html(page->out, loss->reason);
	buffer_format(page->out, "%s</td></tr>\n", loss_note(loss));
}

static void add_unmeasured(struct page *page)
{
	struct arena arena = {0};
	struct loss *losses;
	size_t count;

	buffer_add(page->out, "<h2>Not measured</h2>\n");
	if (losses_find(&arena, page->analysis, &losses, &count))
		page->out->failed = true;
	if (!page->analysis->n_unmeasured)
		buffer_add(page->out, "<p class=\"soft\">Nothing: each boot gave all of its "
				      "figures.</p>\n");
	if (!page->out->failed && count) {
		page_open_table(page, "Not measured",
				(const char *[]){"variant", "outcome", ">boots", "where", "metrics",
						 "why", NULL});
		for (size_t i = 0; i < count; i++)
			add_loss(page, &losses[i]);
		page_close_table(page);
	}
	arena_release(&arena);
}

void page_health(struct page *page)
{
	add_health(page);
	add_evidence(page);
	add_controls(page);
	add_unmeasured(page);
}
