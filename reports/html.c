// SPDX-License-Identifier: GPL-2.0-only
/* index.html: one page that needs no network and no script. */
#include "reports/html_page.h"
#include "reports/html_style.h"

static void open_page(struct page *page)
{
	const struct results *results = page->results;

	/* Nothing may load or run, whatever a document smuggled past the escaping. */
	buffer_add(page->out,
		   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action "
		   "'none'\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	for (size_t i = 0; i < results->n_variants; i++)
		buffer_format_html(page->out, "%s%s", i ? ", " : "", page_label(page, i));
	buffer_format_html(page->out, " \xe2\x80\x93 proxeval %s", results->campaigns[0].id);
	buffer_format(page->out, "</title>\n<style>\n%s</style></head><body>\n", html_style);
}

void html_write(struct buffer *out, const struct analysis *analysis, const char *directory)
{
	struct page page;

	if (page_init(&page, out, analysis, directory)) {
		out->failed = true;
		goto out_release;
	}
	open_page(&page);
	page_first_screen(&page);
	buffer_add(out, "<main>\n");
	page_workloads(&page);
	page_health(&page);
	page_environment(&page);
	page_method(&page);
	page_boots(&page);
	buffer_add(out, "</main></body></html>\n");
out_release:
	page_release(&page);
}
