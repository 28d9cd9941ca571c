#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# reports/published/ is what this program makes of the results in it, to the byte. With
# UPDATE_GOLDEN=1 its pages are made again from those results; scripts/publish.sh makes new results.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
published=$TEST_TOP/reports/published
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "${UPDATE_GOLDEN:-}" ]; then
	"$PROXEVAL" report --site "$published" --anonymous --no-logs
	finish
fi
"$PROXEVAL" report --site "$work/site" --anonymous --no-logs "$published/campaigns" >"$work/out" ||
	fail "the published results cannot be published again: exit code $?"
diff -rq --exclude=README.md "$published" "$work/site" ||
	fail "the files above are not what this program makes of the published results: make them again with UPDATE_GOLDEN=1"
# Nothing in it tells who made it, where, and when; and it stays small.
grep -rlE '/tmp/|/home/|/root/|"host_run"' "$published" && fail "the files above name a host's folders"
size_kib=$(du -sk --apparent-size "$published" | cut -f1)
[ "$size_kib" -le 900 ] || fail "reports/published has $size_kib KiB"
finish
