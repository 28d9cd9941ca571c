/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SVG_H
#define REPORTS_SVG_H

#endif
