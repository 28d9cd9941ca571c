#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The statistics agree with R's to 1e-9: tests/statistics.R says which.
set -euo pipefail
program=$(dirname "$PROXEVAL")/tests/statistics_values
command -v Rscript >/dev/null || {
	echo "skipped: there is no R here (Debian: r-base-core)"
	exit 77
}
[ -x "$program" ] || {
	echo "skipped: $program was not built (make check builds it)"
	exit 77
}
Rscript --vanilla "$TEST_TOP/tests/statistics.R" "$program"
