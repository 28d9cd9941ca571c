/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_HTML_STYLE_H
#define REPORTS_HTML_STYLE_H

/* The page's style sheet: light, dark, print, and narrow screens; no font or image from elsewhere.
 */
extern const char html_style[];

#endif
