// SPDX-License-Identifier: GPL-2.0-only
/* Every boot with its file. */
#include "reports/html_page.h"

static void add_row(struct page *page, size_t index)
{
	const struct boot *boot = &page->results->boots[index];

	buffer_add(page->out, "<tr>");
	if (page->results->n_campaigns > 1)
		page_cell(page, page->results->campaigns[boot->campaign].id);
	buffer_format(page->out, "<td class=\"n\">%llu</td><td class=\"n\">%llu</td>",
		      (unsigned long long)boot->index, (unsigned long long)boot->round);
	page_cell(page, page_label(page, boot->variant));
	buffer_format(page->out, "<td class=\"n\">%llu</td>", (unsigned long long)boot->seed);
	page_cell(page, boot_end_word(boot->end));
	buffer_add(page->out, "<td>");
	page_boot_link(page, index, NULL);
	buffer_add(page->out, "</td></tr>\n");
}

void page_boots(struct page *page)
{
	const char *const heads[] = {"campaign", ">boot",   ">round", "variant",
				     ">seed",	 "outcome", "result", NULL};

	buffer_format(page->out,
		      "<h2 id=\"boots\">Every boot</h2>\n<details><summary>%zu boots and their "
		      "JSON</summary>\n",
		      page->results->n_boots);
	page_open_table(page, "Every boot", heads + (page->results->n_campaigns == 1));
	for (size_t i = 0; i < page->results->n_boots; i++)
		add_row(page, i);
	page_close_table(page);
	buffer_add(
		page->out,
		"</details>\n<p class=\"soft\">The same verdicts for programs: "
		"<a href=\"summary.json\">summary.json</a>; for a mail: "
		"<a href=\"report.txt\">report.txt</a>, <a href=\"report.md\">report.md</a>.</p>\n");
}
